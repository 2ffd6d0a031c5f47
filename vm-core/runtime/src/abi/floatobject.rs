//! cpython/floatobject.h.
use super::*;

c_structs! {
    object PyFloatObject {
        ob_base: PyObject,
        ob_fval: Cell<c_double>,
    }
}
