//! cpython/funcobject.h: Python functions.
use super::*;

c_structs! {
    plain PyFrameConstructor {
        fc_globals: ObjCell,
        fc_builtins: ObjCell,
        fc_name: ObjCell,
        fc_qualname: ObjCell,
        fc_code: ObjCell,
        fc_defaults: ObjCell,
        fc_kwdefaults: ObjCell,
        fc_closure: ObjCell,
    }
    object PyFunctionObject {
        ob_base: PyObject,
        func_globals: ObjCell,
        func_builtins: ObjCell,
        func_name: ObjCell,
        func_qualname: ObjCell,
        func_code: ObjCell,
        func_defaults: ObjCell,
        func_kwdefaults: ObjCell,
        func_closure: ObjCell,
        func_doc: ObjCell,
        func_dict: ObjCell,
        func_weakreflist: ObjCell,
        func_module: ObjCell,
        func_annotations: ObjCell,
        func_annotate: ObjCell,
        func_typeparams: ObjCell,
        vectorcall: Cell<Option<vectorcallfunc>>,
        func_version: Cell<u32>,
    }
}

pub type PyFunction_WatchEvent = c_uint;
pub type PyFunction_WatchCallback =
    unsafe extern "C" fn(PyFunction_WatchEvent, *mut PyFunctionObject, *mut PyObject) -> c_int;
