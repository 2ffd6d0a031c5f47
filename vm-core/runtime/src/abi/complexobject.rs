//! cpython/complexobject.h.
use super::*;

/// A complex number by value, as the C API passes it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Py_complex {
    pub real: c_double,
    pub imag: c_double,
}

c_structs! {
    object PyComplexObject {
        ob_base: PyObject,
        cval: Cell<Py_complex>,
    }
}
