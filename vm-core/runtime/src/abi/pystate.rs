//! cpython/pystate.h: the thread state. Compiled wheels read and write its exception fields.
use super::*;

pub type Py_tracefunc =
    unsafe extern "C" fn(*mut PyObject, *mut PyFrameObject, c_int, *mut PyObject) -> c_int;

/// Opaque to C; what it is, the runtime says.
#[repr(C)]
pub struct PyInterpreterState {
    _opaque: [u8; 0],
}

c_structs! {
    /// One level of 'exception being handled'; a generator has its own.
    plain _PyErr_StackItem {
        exc_value: ObjCell,
        previous_item: Cell<*mut _PyErr_StackItem>,
    }
    plain _PyStackChunk {
        previous: Cell<*mut _PyStackChunk>,
        size: Cell<usize>,
        top: Cell<usize>,
        data: [ObjCell; 1],
    }
    plain _PyRemoteDebuggerSupport {
        debugger_pending_call: Cell<i32>,
        debugger_script_path: [Cell<c_char>; 512],
    }
    plain PyThreadState {
        prev: Cell<*mut PyThreadState>,
        next: Cell<*mut PyThreadState>,
        interp: Cell<*mut PyInterpreterState>,
        eval_breaker: Cell<usize>,
        _status: Cell<c_uint>,
        holds_gil: Cell<c_int>,
        _whence: Cell<c_int>,
        state: Cell<c_int>,
        py_recursion_remaining: Cell<c_int>,
        py_recursion_limit: Cell<c_int>,
        recursion_headroom: Cell<c_int>,
        tracing: Cell<c_int>,
        what_event: Cell<c_int>,
        current_frame: Cell<*mut c_void>,
        c_profilefunc: Cell<Option<Py_tracefunc>>,
        c_tracefunc: Cell<Option<Py_tracefunc>>,
        c_profileobj: ObjCell,
        c_traceobj: ObjCell,
        /// The exception being raised, owned; null when there is none.
        current_exception: ObjCell,
        exc_info: Cell<*mut _PyErr_StackItem>,
        dict: ObjCell,
        gilstate_counter: Cell<c_int>,
        async_exc: ObjCell,
        thread_id: Cell<c_ulong>,
        native_thread_id: Cell<c_ulong>,
        delete_later: ObjCell,
        critical_section: Cell<usize>,
        coroutine_origin_tracking_depth: Cell<c_int>,
        async_gen_firstiter: ObjCell,
        async_gen_finalizer: ObjCell,
        context: ObjCell,
        context_ver: Cell<u64>,
        id: Cell<u64>,
        datastack_chunk: Cell<*mut _PyStackChunk>,
        datastack_top: Cell<*mut *mut PyObject>,
        datastack_limit: Cell<*mut *mut PyObject>,
        exc_state: _PyErr_StackItem,
        current_executor: ObjCell,
        dict_global_version: Cell<u64>,
        threading_local_key: ObjCell,
        threading_local_sentinel: ObjCell,
        remote_debugger_support: _PyRemoteDebuggerSupport,
        datastack_cached_chunk: Cell<*mut _PyStackChunk>,
    }
}

pub type PyGILState_STATE = c_uint;

c_consts! {
    c_int {
        PyTrace_CALL = 0,
        PyTrace_EXCEPTION = 1,
        PyTrace_LINE = 2,
        PyTrace_RETURN = 3,
        PyTrace_C_CALL = 4,
        PyTrace_C_EXCEPTION = 5,
        PyTrace_C_RETURN = 6,
        PyTrace_OPCODE = 7,
    }
    c_uint {
        PyGILState_LOCKED = 0,
        PyGILState_UNLOCKED = 1,
    }
}

pub type PyContextEvent = c_uint;
pub type PyContext_WatchCallback = unsafe extern "C" fn(PyContextEvent, *mut PyObject) -> c_int;
