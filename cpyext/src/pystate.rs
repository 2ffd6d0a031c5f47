//! pystate.h: thread states, the interpreter, PyGILState.

use crate::export::{Borrowed, Void};
use adder_interp::frame::{call_stack, current_frame};
use adder_interp::frameobject::object_of;
use adder_interp::interpreters;
use adder_runtime::prelude::*;
use adder_runtime::thread::{
    self, INTERPRETER, InterpreterState, ThreadState, feature, try_thread_state, whence,
};

fn main_interpreter() -> *mut PyInterpreterState {
    INTERPRETER.as_c()
}

/// The interpreter of the calling thread; without a thread state the main one.
fn interpreter() -> *mut PyInterpreterState {
    try_thread_state().map_or(main_interpreter(), |state| state.base.interp.get())
}

/// The main interpreter's successor in the list, or an interpreter's.
fn next_interpreter(after: *mut PyInterpreterState) -> *mut PyInterpreterState {
    let others = interpreters::others().into_iter().map(InterpreterState::as_c);
    let mut all = others.chain([main_interpreter()]);
    if !after.is_null() {
        all.find(|interpreter| *interpreter == after);
    }
    all.next().unwrap_or(std::ptr::null_mut())
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
    fn PyThreadState_New(interpreter: *mut PyInterpreterState) -> *mut PyThreadState {
        // SAFETY: C gives an interpreter of ours, whose record lives for ever.
        as_c(thread::new_thread_state_of(unsafe { &*interpreter.cast::<InterpreterState>() }))
    }
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
    fn PyThreadState_GetInterpreter(state: *mut PyThreadState) -> *mut PyInterpreterState {
        // SAFETY: C gives a state.
        unsafe { (*state).interp.get() }
    }
    fn PyThreadState_GetID(state: *mut PyThreadState) -> u64 {
        // SAFETY: C gives a state.
        unsafe { (*state).id.get() }
    }
    /// An exception that is set stays set.
    fn PyThreadState_GetFrame(state: *mut PyThreadState) -> Option<Ref<PyFrameObject>> {
        // SAFETY: C gives a thread's state, whose frames are alive.
        unsafe {
            let frame = call_stack(current_frame(&*state.cast::<ThreadState>())).next()?;
            object_of(frame).map_err(Raised::clear).ok()
        }
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
                drop(state.replace_async_exc(exception.map(PyObject::to_ref)));
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
    fn PyInterpreterState_Main() -> *mut PyInterpreterState { main_interpreter() }
    fn PyInterpreterState_Head() -> *mut PyInterpreterState { next_interpreter(std::ptr::null_mut()) }
    fn PyInterpreterState_Next(interpreter: *mut PyInterpreterState) -> *mut PyInterpreterState { next_interpreter(interpreter) }
    fn PyInterpreterState_ThreadHead(interpreter: *mut PyInterpreterState) -> *mut PyThreadState {
        let states = thread::all_thread_states();
        let first = states.iter().find(|state| state.base.interp.get() == interpreter);
        first.map_or(std::ptr::null_mut(), |state| as_c(state))
    }
    fn PyInterpreterState_GetID(interpreter: *mut PyInterpreterState) -> i64 {
        // SAFETY: C gives an interpreter of ours.
        unsafe { (*interpreter.cast::<InterpreterState>()).id }
    }
    fn PyInterpreterState_GetDict(interpreter: *mut PyInterpreterState) -> Borrowed { Borrowed(interpreter_dict(interpreter)) }
    fn PyUnstable_InterpreterState_GetMainModule(_interpreter: *mut PyInterpreterState) -> PyResult {
        crate::import::import_module("__main__")
    }
    fn PyInterpreterState_New() -> PyResult<*mut PyInterpreterState> { Err(one_interpreter()) }
    fn PyInterpreterState_Clear(_interpreter: *mut PyInterpreterState) -> Void { Void }
    fn PyInterpreterState_Delete(_interpreter: *mut PyInterpreterState) -> Void { Void }
    fn Py_EndInterpreter(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives the calling thread's state.
        let interpreter = unsafe { (*state).interp.get() };
        if interpreter == main_interpreter() {
            crate::pylifecycle::fatal_error(Some(c"Py_EndInterpreter"), Some(c"the main interpreter ends with the process"));
        }
        // SAFETY: as above.
        interpreters::end(unsafe { ours(state) });
        Void
    }
    fn Py_NewInterpreterFromConfig(place: *mut *mut PyThreadState, config: *const InterpreterConfig) -> PyStatus {
        // SAFETY: C gives a place and a configuration.
        unsafe {
            crate::export::put(place, std::ptr::null_mut());
            let features = (*config).features();
            if interpreters::check_features(features).is_err() {
                return crate::embedding::error(c"per-interpreter obmalloc does not support single-phase init extension modules");
            }
            match interpreters::enter_new(features, whence::CAPI) {
                Ok(state) => {
                    crate::export::put(place, as_c(state));
                    crate::embedding::ok()
                }
                Err(_) => crate::embedding::error(c"the interpreter could not be started"),
            }
        }
    }
}

/// `PyInterpreterConfig`.
#[repr(C)]
pub struct InterpreterConfig {
    use_main_obmalloc: c_int,
    allow_fork: c_int,
    allow_exec: c_int,
    allow_threads: c_int,
    allow_daemon_threads: c_int,
    check_multi_interp_extensions: c_int,
    gil: c_int,
}
const OWN_GIL: c_int = 2;

impl InterpreterConfig {
    fn features(&self) -> u32 {
        let rows = [
            (self.use_main_obmalloc != 0, feature::MAIN_OBMALLOC),
            (self.allow_fork != 0, feature::FORK),
            (self.allow_exec != 0, feature::EXEC),
            (self.allow_threads != 0, feature::THREADS),
            (self.allow_daemon_threads != 0, feature::DAEMON_THREADS),
            (self.check_multi_interp_extensions != 0, feature::CHECK_EXTENSIONS),
            (self.gil == OWN_GIL, feature::OWN_GIL),
        ];
        rows.iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, bit)| bit)
            .sum()
    }
}

/// The state of a new interpreter, which the calling thread has from now on.
///
/// # Safety
/// The calling thread has the GIL, or no thread state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewInterpreter() -> *mut PyThreadState {
    match interpreters::enter_new(feature::LEGACY, whence::LEGACY_CAPI) {
        Ok(state) => as_c(state),
        Err(why) => {
            let why = std::ffi::CString::new(why).unwrap_or_default();
            crate::pylifecycle::fatal_error(Some(c"Py_NewInterpreter"), Some(&why))
        }
    }
}

fn one_interpreter() -> Raised {
    raise!(
        RuntimeError,
        "an interpreter without a thread cannot be made: use Py_NewInterpreter"
    )
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

/// By the address of the interpreter.
struct OwnedDicts(std::cell::RefCell<Vec<(usize, Ref<PyDictObject>)>>);
// SAFETY: the GIL orders all access.
unsafe impl Sync for OwnedDicts {}
static INTERPRETER_DICTS: OwnedDicts = OwnedDicts(std::cell::RefCell::new(Vec::new()));

/// What C has to do with an interpreter that ends.
fn at_interpreter_end(interpreter: &'static InterpreterState) {
    crate::pylifecycle::run_interpreter_exit(interpreter.as_c());
    let owner = interpreter.as_c() as usize;
    let mut dicts = INTERPRETER_DICTS.0.borrow_mut();
    let at = dicts.iter().position(|(other, _)| *other == owner);
    let dict = at.map(|at| dicts.swap_remove(at));
    drop(dicts);
    drop(dict);
}

/// Has interpreters that end tell C so.
pub fn install() {
    interpreters::AT_END.get_or_init(|| at_interpreter_end);
}

/// A dict for C code's own data about an interpreter.
fn interpreter_dict(interpreter: *mut PyInterpreterState) -> *mut PyObject {
    let mut dicts = INTERPRETER_DICTS.0.borrow_mut();
    if let Some((_, dict)) = dicts.iter().find(|(owner, _)| *owner == interpreter as usize) {
        return dict.as_raw().cast();
    }
    let dict = PyDictObject::new();
    let raw = dict.as_raw().cast();
    dicts.push((interpreter as usize, dict));
    raw
}
