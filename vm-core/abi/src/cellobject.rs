//! cpython/cellobject.h.
use crate::*;

c_structs! {
    object PyCellObject {
        ob_base: PyObject,
        /// Null when the cell is empty.
        ob_ref: ObjCell,
    }
}
