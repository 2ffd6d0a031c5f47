//! sliceobject.h.
use crate::*;

c_structs! {
    object PySliceObject {
        ob_base: PyObject,
        start: ObjCell,
        stop: ObjCell,
        step: ObjCell,
    }
}
