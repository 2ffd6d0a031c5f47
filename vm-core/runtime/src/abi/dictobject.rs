//! cpython/dictobject.h: the dict's head. What keys and values point at is ours.
use super::*;

c_structs! {
    object PyDictObject {
        ob_base: PyObject,
        ma_used: Cell<Py_ssize_t>,
        _ma_watcher_tag: Cell<u64>,
        ma_keys: Cell<*mut c_void>,
        ma_values: Cell<*mut c_void>,
    }
}

pub type PyDict_WatchEvent = c_uint;
pub type PyDict_WatchCallback =
    unsafe extern "C" fn(PyDict_WatchEvent, *mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
