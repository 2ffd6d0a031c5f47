//! cpython/traceback.h.
use super::*;

c_structs! {
    object PyTracebackObject {
        ob_base: PyObject,
        tb_next: Cell<*mut PyTracebackObject>,
        tb_frame: Cell<*mut PyFrameObject>,
        tb_lasti: Cell<c_int>,
        tb_lineno: Cell<c_int>,
    }
}
