//! `_thread._ThreadHandle`: what `threading.Thread` joins.

use super::lock::RawLock;
use adder_runtime::prelude::*;
use adder_runtime::thread as vm;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const NOT_STARTED: u8 = 0;
const STARTING: u8 = 1;
const RUNNING: u8 = 2;
const DONE: u8 = 3;

/// What the thread and its handles share.
struct Shared {
    state: AtomicU8,
    ident: AtomicU64,
    /// The interpreter that it was made in.
    interpreter: i64,
    /// Held while the thread runs.
    running: RawLock,
}

impl Shared {
    fn finish(&self) {
        self.state.store(DONE, Ordering::Release);
        self.running.release();
    }
}

#[repr(C)]
pub struct ThreadHandle {
    ob_base: PyObject,
    shared: Arc<Shared>,
}

struct NonDaemons(RefCell<Vec<Arc<Shared>>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for NonDaemons {}
/// The threads that `_shutdown` waits for.
static NON_DAEMONS: NonDaemons = NonDaemons(RefCell::new(Vec::new()));

struct Handles(RefCell<Vec<std::sync::Weak<Shared>>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Handles {}
/// The threads that handles are for, alive or not.
static HANDLES: Handles = Handles(RefCell::new(Vec::new()));

/// A forked child has only the thread that forked: the others are done.
pub fn after_fork_in_child() {
    let me = super::native_ident();
    let is_other = |shared: &Arc<Shared>| shared.ident.load(Ordering::Acquire) != me;
    for shared in HANDLES.0.take().iter().filter_map(std::sync::Weak::upgrade) {
        if is_other(&shared) && shared.state.load(Ordering::Acquire) != NOT_STARTED {
            shared.state.store(DONE, Ordering::Release);
        }
        HANDLES.0.borrow_mut().push(Arc::downgrade(&shared));
    }
    NON_DAEMONS.0.borrow_mut().retain(|shared| !is_other(shared));
}

/// The thread in which the first state was made.
pub fn main_thread_ident() -> u64 {
    adder_runtime::thread::all_thread_states().first().map_or(0, |state| state.thread_ident.get())
}

fn with_state(state: u8, ident: u64) -> PyResult<Ref<ThreadHandle>> {
    let shared = Shared { state: AtomicU8::new(state), ident: AtomicU64::new(ident), interpreter: vm::interpreter().id, running: RawLock::default() };
    if state == RUNNING {
        shared.running.try_acquire();
    }
    let shared = Arc::new(shared);
    let mut handles = HANDLES.0.borrow_mut();
    if handles.len() == handles.capacity() {
        handles.retain(|handle| handle.strong_count() > 0);
    }
    handles.push(Arc::downgrade(&shared));
    drop(handles);
    Ref::new(ThreadHandle { ob_base: adder_runtime::memory::blank_header(), shared })
}

/// A handle without a thread.
pub fn new() -> PyResult<Ref<ThreadHandle>> {
    with_state(NOT_STARTED, 0)
}

/// A handle for a thread that runs already.
pub fn for_running(ident: u64) -> PyResult {
    Ok(with_state(RUNNING, ident)?.into_object())
}

/// Starts the thread of a handle and waits until it runs.
pub fn start(handle: &ThreadHandle, function: &PyObject, daemon: bool) -> PyResult<()> {
    let shared = handle.shared.clone();
    if shared.state.compare_exchange(NOT_STARTED, STARTING, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return Err(raise!(RuntimeError, "thread already started"));
    }
    shared.running.try_acquire();
    if !daemon {
        NON_DAEMONS.0.borrow_mut().push(shared.clone());
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let (in_started, in_done) = (shared.clone(), shared.clone());
    let started = super::spawn(
        function.to_ref(),
        PyTupleObject::empty(),
        None,
        move || {
            NON_DAEMONS.0.borrow_mut().retain(|other| !Arc::ptr_eq(other, &in_done));
            in_done.finish();
        },
        move |ident| {
            in_started.ident.store(ident, Ordering::Release);
            in_started.state.store(RUNNING, Ordering::Release);
            let _ = sender.send(());
        },
    );
    if let Err(raised) = started {
        NON_DAEMONS.0.borrow_mut().retain(|other| !Arc::ptr_eq(other, &shared));
        shared.running.release();
        shared.state.store(NOT_STARTED, Ordering::Release);
        return Err(raised);
    }
    let _ = adder_runtime::thread::allow_threads(|| receiver.recv());
    Ok(())
}

/// Waits for all threads of this interpreter that are not daemons.
pub fn shutdown() -> PyResult<()> {
    loop {
        let me = super::native_ident();
        let is_awaited = |shared: &&Arc<Shared>| {
            shared.ident.load(Ordering::Acquire) != me && shared.interpreter == vm::interpreter().id
        };
        let waiting = NON_DAEMONS.0.borrow().iter().find(is_awaited).cloned();
        let Some(shared) = waiting else { return Ok(()) };
        if shared.running.acquire(None)? {
            shared.running.release();
        }
        NON_DAEMONS.0.borrow_mut().retain(|other| !Arc::ptr_eq(other, &shared));
    }
}

#[pytype(name = "_thread._ThreadHandle", static_name = HANDLE_TYPE)]
/// A thread that can be joined.
impl ThreadHandle {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(new()?.into_object())
    }
    #[getter]
    fn ident(&self) -> u64 {
        self.shared.ident.load(Ordering::Acquire)
    }
    #[method("($self, /)")]
    fn is_done(&self) -> bool {
        self.shared.state.load(Ordering::Acquire) == DONE
    }
    /// Marks the thread as done.
    #[method("($self, /)")]
    fn _set_done(&self) -> PyResult<()> {
        if self.shared.state.load(Ordering::Acquire) < RUNNING {
            return Err(raise!(RuntimeError, "thread not started"));
        }
        self.shared.finish();
        Ok(())
    }
    /// Waits until the thread is done, or for `timeout` seconds.
    #[method("($self, timeout=None, /)")]
    fn join(&self, timeout: Option<f64>) -> PyResult<()> {
        match self.shared.state.load(Ordering::Acquire) {
            NOT_STARTED | STARTING => return Err(raise!(RuntimeError, "thread not started")),
            DONE => return Ok(()),
            _ => {}
        }
        if self.shared.ident.load(Ordering::Acquire) == super::native_ident() {
            return Err(raise!(RuntimeError, "Cannot join current thread"));
        }
        let deadline = match timeout {
            Some(timeout) if timeout >= 0.0 => {
                if timeout > super::lock::TIMEOUT_MAX_S {
                    return Err(raise!(OverflowError, "timeout value is too large"));
                }
                Some(Instant::now() + Duration::from_secs_f64(timeout))
            }
            _ => None,
        };
        if adder_runtime::thread::INTERPRETER.finalizing.load(Ordering::Relaxed) {
            // The thread cannot end any more.
            return Err(raise!(PythonFinalizationError, "cannot join thread at Python shutdown"));
        }
        if self.shared.running.acquire(deadline)? {
            self.shared.running.release();
        }
        Ok(())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let text = format!("<_ThreadHandle object: ident={}>", self.ident());
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
}
