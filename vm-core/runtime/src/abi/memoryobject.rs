//! cpython/memoryobject.h.
use super::*;

c_structs! {
    object _PyManagedBufferObject {
        ob_base: PyObject,
        flags: Cell<c_int>,
        exports: Cell<Py_ssize_t>,
        master: Py_buffer,
    }
    object PyMemoryViewObject {
        ob_base: PyVarObject,
        mbuf: Cell<*mut _PyManagedBufferObject>,
        hash: Cell<Py_hash_t>,
        flags: Cell<c_int>,
        exports: Cell<Py_ssize_t>,
        view: Py_buffer,
        weakreflist: ObjCell,
        /// shape, strides, suboffsets: 3 * ndim numbers.
        ob_array: [Cell<Py_ssize_t>; 1],
    }
}

c_consts! {
    c_int {
        _Py_MANAGED_BUFFER_RELEASED = 0x001,
        _Py_MANAGED_BUFFER_FREE_FORMAT = 0x002,
        _Py_MEMORYVIEW_RELEASED = 0x001,
        _Py_MEMORYVIEW_C = 0x002,
        _Py_MEMORYVIEW_FORTRAN = 0x004,
        _Py_MEMORYVIEW_SCALAR = 0x008,
        _Py_MEMORYVIEW_PIL = 0x010,
        _Py_MEMORYVIEW_RESTRICTED = 0x020,
    }
}
