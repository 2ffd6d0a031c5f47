//! cpython/listobject.h.
use super::*;

c_structs! {
    object PyListObject {
        ob_base: PyVarObject,
        ob_item: Cell<*mut *mut PyObject>,
        allocated: Cell<Py_ssize_t>,
    }
}

impl PyListObject {
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
