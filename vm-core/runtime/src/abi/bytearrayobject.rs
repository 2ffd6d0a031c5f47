//! cpython/bytearrayobject.h.
use super::*;

c_structs! {
    object PyByteArrayObject {
        ob_base: PyVarObject,
        ob_alloc: Cell<Py_ssize_t>,
        /// The start of the allocation.
        ob_bytes: Cell<*mut c_char>,
        /// The first byte in use.
        ob_start: Cell<*mut c_char>,
        ob_exports: Cell<Py_ssize_t>,
    }
}
