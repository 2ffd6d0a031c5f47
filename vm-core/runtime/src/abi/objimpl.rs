//! objimpl.h: the sizes that the allocation functions compute.
use super::*;

pub type gcvisitobjects_t = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int;

/// The size of an object with `n_items` items, rounded up to a pointer's size.
#[inline]
pub fn _PyObject_VAR_SIZE(ty: &PyTypeObject, n_items: Py_ssize_t) -> usize {
    let size = ty.tp_basicsize.get() as usize + n_items as usize * ty.tp_itemsize.get() as usize;
    (size + 7) & !7
}
