//! pystate.h: thread states, the interpreter, PyGILState.

use crate::export::{Borrowed, Void, opt};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, ThreadState, try_thread_state};

fn interpreter() -> *mut PyInterpreterState {
    (&raw const INTERPRETER).cast_mut().cast()
}

fn as_c(state: &ThreadState) -> *mut PyThreadState {
    (&raw const state.base).cast_mut()
}

/// # Safety
/// `state` is one of ours.
unsafe fn ours<'a>(state: *mut PyThreadState) -> &'a ThreadState {
    // SAFETY: our thread states begin with what C sees.
    unsafe { &*state.cast::<ThreadState>() }
}

/// The thread state that this native thread uses for PyGILState, if it has one.
fn gil_state() -> *mut PyThreadState {
    match try_thread_state() {
        Some(state) => as_c(state),
        None => thread::home_state().cast_mut().cast(),
    }
}

/// Attaches the calling thread, whatever it is: PyGILState_Ensure.
///
/// # Safety
/// The runtime is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyGILState_Ensure() -> PyGILState_STATE {
    match thread::ensure_attached() {
        true => PyGILState_LOCKED,
        false => PyGILState_UNLOCKED,
    }
}

/// # Safety
/// `old` is what the matching PyGILState_Ensure gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyGILState_Release(old: PyGILState_STATE) {
    thread::release_attached(old == PyGILState_LOCKED);
}

/// # Safety
/// The calling thread is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Get() -> *mut PyThreadState {
    match try_thread_state() {
        Some(state) => as_c(state),
        None => crate::pylifecycle::fatal_error(
            Some(c"PyThreadState_Get"),
            Some(
                c"the function must be called with the GIL held, after Python initialization and before Python \
                 finalization, but the GIL is released (the current Python thread state is NULL)",
            ),
        ),
    }
}

/// # Safety
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetUnchecked() -> *mut PyThreadState {
    try_thread_state().map_or(std::ptr::null_mut(), as_c)
}

/// # Safety
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyThreadState_UncheckedGet() -> *mut PyThreadState {
    try_thread_state().map_or(std::ptr::null_mut(), as_c)
}

/// Changes the current state; the GIL follows: NULL lets it go.
///
/// # Safety
/// `state` is one of ours or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Swap(state: *mut PyThreadState) -> *mut PyThreadState {
    let old = match try_thread_state() {
        Some(_) => thread::release_gil().cast_mut(),
        None => std::ptr::null_mut(),
    };
    if !state.is_null() {
        // SAFETY: the caller's contract.
        thread::acquire_gil(unsafe { ours(state) });
    }
    old.cast()
}

capi! {
    fn PyGILState_Check() -> c_int { c_int::from(try_thread_state().is_some()) }
    fn PyGILState_GetThisThreadState() -> *mut PyThreadState { gil_state() }
    fn PyThreadState_New(_interpreter: *mut PyInterpreterState) -> *mut PyThreadState { as_c(thread::new_thread_state()) }
    fn PyThreadState_Clear(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives a state that nobody runs on.
        thread::clear_state(unsafe { ours(state) });
        Void
    }
    fn PyThreadState_Delete(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives a cleared state that nobody runs on.
        unsafe { thread::delete_thread_state(state.cast()) };
        Void
    }
    fn PyThreadState_GetInterpreter(_state: *mut PyThreadState) -> *mut PyInterpreterState { interpreter() }
    fn PyThreadState_GetID(state: *mut PyThreadState) -> u64 {
        // SAFETY: C gives a state.
        unsafe { (*state).id.get() }
    }
    fn PyThreadState_GetFrame(_state: *mut PyThreadState) -> Option<Ref> {
        let function = crate::sysmodule::sys_attribute_opt(identifier!("_getframe"))?;
        function.call0().map_err(Raised::clear).ok()
    }
    /// A dict for C code's own data about the thread; borrowed, NULL without an exception when there is none.
    fn PyThreadState_GetDict() -> Borrowed {
        let Some(state) = try_thread_state() else { return Borrowed(std::ptr::null_mut()) };
        if state.base.dict.get().is_null() {
            state.base.dict.set(PyDictObject::new().into_raw().cast());
        }
        Borrowed(state.base.dict.get())
    }
    fn _PyThreadState_GetDict(state: *mut PyThreadState) -> Borrowed {
        // SAFETY: C gives a state.
        let state = unsafe { &*state };
        if state.dict.get().is_null() {
            state.dict.set(PyDictObject::new().into_raw().cast());
        }
        Borrowed(state.dict.get())
    }
    fn PyThreadState_EnterTracing(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives a state.
        unsafe { (*state).tracing.set((*state).tracing.get() + 1) };
        Void
    }
    fn PyThreadState_LeaveTracing(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives a state.
        unsafe { (*state).tracing.set((*state).tracing.get() - 1) };
        Void
    }
    fn PyThreadState_SetAsyncExc(thread_id: u64, exception: Option<&PyObject>) -> c_int {
        let mut n_set = 0;
        for state in thread::all_thread_states() {
            if state.base.thread_id.get() == thread_id {
                *state.async_exc.borrow_mut() = exception.map(PyObject::to_ref);
                thread::EVAL_BREAKER.fetch_or(thread::breaker::ASYNC_EXCEPTION, std::sync::atomic::Ordering::Relaxed);
                n_set += 1;
            }
        }
        n_set
    }
    fn PyThreadState_Next(state: *mut PyThreadState) -> *mut PyThreadState {
        let states = thread::all_thread_states();
        let mut after = states.iter().map(|state| as_c(state)).skip_while(|other| *other != state);
        after.next();
        after.next().unwrap_or(std::ptr::null_mut())
    }
    fn PyInterpreterState_Get() -> *mut PyInterpreterState { interpreter() }
    fn PyInterpreterState_Main() -> *mut PyInterpreterState { interpreter() }
    fn PyInterpreterState_Head() -> *mut PyInterpreterState { interpreter() }
    fn PyInterpreterState_Next(_interpreter: *mut PyInterpreterState) -> *mut PyInterpreterState { std::ptr::null_mut() }
    fn PyInterpreterState_ThreadHead(_interpreter: *mut PyInterpreterState) -> *mut PyThreadState {
        thread::all_thread_states().first().map_or(std::ptr::null_mut(), |state| as_c(state))
    }
    fn PyInterpreterState_GetID(_interpreter: *mut PyInterpreterState) -> i64 { INTERPRETER.id }
    fn PyInterpreterState_GetDict(_interpreter: *mut PyInterpreterState) -> Borrowed { Borrowed(interpreter_dict()) }
    fn PyUnstable_InterpreterState_GetMainModule(_interpreter: *mut PyInterpreterState) -> PyResult {
        crate::import::import_module("__main__")
    }
    fn PyInterpreterState_New() -> PyResult<*mut PyInterpreterState> { Err(one_interpreter()) }
    fn PyInterpreterState_Clear(_interpreter: *mut PyInterpreterState) -> Void { Void }
    fn PyInterpreterState_Delete(_interpreter: *mut PyInterpreterState) -> Void { Void }
    fn Py_EndInterpreter(_state: *mut PyThreadState) -> Void { Void }
}

/// NULL: there is one interpreter. C may have no thread state here, so there is no exception either.
///
/// # Safety
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewInterpreter() -> *mut PyThreadState {
    std::ptr::null_mut()
}

fn one_interpreter() -> Raised {
    raise!(RuntimeError, "subinterpreters are not supported")
}

/// Lets the GIL go for good and frees the state of a thread that ends.
///
/// # Safety
/// The calling thread holds the GIL with a cleared state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_DeleteCurrent() {
    let state = thread::release_gil();
    // SAFETY: the caller's contract.
    unsafe { thread::delete_thread_state(state) };
}

struct OwnedDict(ObjCell);
// SAFETY: the GIL orders all access.
unsafe impl Sync for OwnedDict {}
static INTERPRETER_DICT: OwnedDict = OwnedDict(Cell::new(std::ptr::null_mut()));

/// A dict for C code's own data about the interpreter.
fn interpreter_dict() -> *mut PyObject {
    // SAFETY: the static owns the dict.
    if unsafe { opt(INTERPRETER_DICT.0.get()) }.is_none() {
        INTERPRETER_DICT.0.set(PyDictObject::new().into_raw().cast());
    }
    INTERPRETER_DICT.0.get()
}
