//! Generators, coroutines, asynchronous generators: one layout. C sees them as opaque; `gi_iframe` is our frame's place.
use super::*;

c_structs! {
    object PyGenObject {
        ob_base: PyObject,
        gi_weakreflist: ObjCell,
        gi_name: ObjCell,
        gi_qualname: ObjCell,
        gi_exc_state: _PyErr_StackItem,
        gi_origin_or_finalizer: ObjCell,
        gi_hooks_inited: Cell<c_char>,
        gi_closed: Cell<c_char>,
        gi_running_async: Cell<c_char>,
        gi_frame_state: Cell<i8>,
        /// Words for the interpreter's suspended frame.
        gi_iframe: [Cell<usize>; 11],
    }
}

pub type PyCoroObject = PyGenObject;
pub type PyAsyncGenObject = PyGenObject;

c_consts! {
    i8 {
        FRAME_CREATED = -3,
        FRAME_SUSPENDED = -2,
        FRAME_SUSPENDED_YIELD_FROM = -1,
        FRAME_EXECUTING = 0,
        FRAME_COMPLETED = 1,
        FRAME_CLEARED = 4,
    }
}
