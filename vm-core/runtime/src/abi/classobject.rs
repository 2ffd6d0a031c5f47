//! cpython/classobject.h: bound methods.
use super::*;

c_structs! {
    object PyMethodObject {
        ob_base: PyObject,
        im_func: ObjCell,
        im_self: ObjCell,
        im_weakreflist: ObjCell,
        vectorcall: Cell<Option<vectorcallfunc>>,
    }
    object PyInstanceMethodObject {
        ob_base: PyObject,
        func: ObjCell,
    }
}
