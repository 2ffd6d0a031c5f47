//! Frame objects: the fields that compiled wheels touch are CPython's; what `f_frame` points at is ours.
use super::*;

c_structs! {
    object PyFrameObject {
        ob_base: PyObject,
        f_back: Cell<*mut PyFrameObject>,
        f_frame: Cell<*mut c_void>,
        f_trace: ObjCell,
        f_lineno: Cell<c_int>,
        f_trace_lines: Cell<c_char>,
        f_trace_opcodes: Cell<c_char>,
        f_extra_locals: ObjCell,
        f_locals_cache: ObjCell,
        f_overwritten_fast_locals: ObjCell,
        _f_frame_data: [ObjCell; 1],
    }
}

c_consts! {
    c_int {
        PyUnstable_EXECUTABLE_KIND_SKIP = 0,
        PyUnstable_EXECUTABLE_KIND_PY_FUNCTION = 1,
        PyUnstable_EXECUTABLE_KIND_BUILTIN_FUNCTION = 3,
        PyUnstable_EXECUTABLE_KIND_METHOD_DESCRIPTOR = 4,
    }
}
