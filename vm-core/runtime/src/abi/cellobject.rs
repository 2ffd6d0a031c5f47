//! cpython/cellobject.h.
use super::*;

c_structs! {
    object PyCellObject {
        ob_base: PyObject,
        /// Null when the cell is empty.
        ob_ref: ObjCell,
    }
}
