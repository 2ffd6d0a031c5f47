//! sliceobject.h.
use super::*;

c_structs! {
    object PySliceObject {
        ob_base: PyObject,
        start: ObjCell,
        stop: ObjCell,
        step: ObjCell,
    }
}
