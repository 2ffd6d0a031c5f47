//! What the eval breaker stands for: another thread wants the GIL, signals, pending calls, asynchronous exceptions, a
//! collection that is due.

use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, breaker, thread_state, yield_gil};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Runs the Python handlers of signals that came in; set by the `signal` module.
pub static SIGNAL_HANDLERS: OnceLock<fn() -> PyResult<()>> = OnceLock::new();
/// Notes a signal whose arrival is simulated; set by the `signal` module.
pub static TRIP_SIGNAL: OnceLock<fn(i32)> = OnceLock::new();

/// A call that the interpreter makes between two bytecodes.
pub type PendingCall = Box<dyn FnOnce() -> PyResult<()> + Send>;

/// A call, and the id of the interpreter whose threads are to make it, when it is not anybody's.
type Waiting = (Option<i64>, PendingCall);

/// Calls that wait, with the most that may wait at once; a thread that makes them keeps the others from doing so.
struct Queue {
    calls: Mutex<VecDeque<Waiting>>,
    most: usize,
    is_busy: AtomicBool,
}

impl Queue {
    const fn new(most: usize) -> Queue {
        Queue {
            calls: Mutex::new(VecDeque::new()),
            most,
            is_busy: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the calls that wait now for this interpreter. What fails leaves the rest for later.
    fn run(&self) -> PyResult<()> {
        if self.is_busy.swap(true, Ordering::Acquire) {
            return Ok(());
        }
        let here = adder_runtime::thread::interpreter().id;
        let is_ours = |(interpreter, _): &Waiting| interpreter.is_none_or(|interpreter| interpreter == here);
        let n_calls = self.lock().iter().filter(|waiting| is_ours(waiting)).count();
        let mut result = Ok(());
        for _ in 0..n_calls {
            let mut calls = self.lock();
            let at = calls.iter().position(is_ours);
            let Some((_, call)) = at.and_then(|at| calls.remove(at)) else {
                break;
            };
            drop(calls);
            result = call();
            if result.is_err() {
                break;
            }
        }
        self.is_busy.store(false, Ordering::Release);
        if !self.lock().is_empty() {
            EVAL_BREAKER.fetch_or(breaker::PENDING_CALLS, Ordering::Relaxed);
        }
        result
    }
}

/// Calls for the main thread (`Py_AddPendingCall`), and calls for whichever thread comes first.
static MAIN_CALLS: Queue = Queue::new(32);
static ANY_CALLS: Queue = Queue::new(300);

/// Queues a call; `false` when the queue is full. Any thread may do so, with the GIL or without.
pub fn add_pending_call(main_thread_only: bool, call: PendingCall) -> bool {
    let queue = if main_thread_only { &MAIN_CALLS } else { &ANY_CALLS };
    add(queue, None, call)
}

/// Queues a call for the threads of one interpreter.
pub fn add_pending_call_for(interpreter: i64, call: PendingCall) -> bool {
    add(&ANY_CALLS, Some(interpreter), call)
}

/// Forgets the calls that wait for an interpreter, which has ended.
pub fn forget_interpreter(interpreter: i64) {
    ANY_CALLS.lock().retain(|(owner, _)| *owner != Some(interpreter));
}

fn add(queue: &Queue, interpreter: Option<i64>, call: PendingCall) -> bool {
    let mut calls = queue.lock();
    if calls.len() >= queue.most {
        return false;
    }
    calls.push_back((interpreter, call));
    EVAL_BREAKER.fetch_or(breaker::PENDING_CALLS, Ordering::Relaxed);
    true
}

/// Makes the calls that wait for the calling thread.
pub fn make_pending_calls() -> PyResult<()> {
    take(breaker::PENDING_CALLS);
    if crate::pylifecycle::handles_signals() {
        MAIN_CALLS.run()?;
    } else if !MAIN_CALLS.lock().is_empty() {
        // The main thread is still to see them.
        EVAL_BREAKER.fetch_or(breaker::PENDING_CALLS, Ordering::Relaxed);
    }
    ANY_CALLS.run()
}

/// A bit of the eval breaker: tracing or monitoring was turned on or off, which running frames are to notice.
pub const MODE_CHANGED: u32 = 1 << 16;

fn take(bit: u32) -> bool {
    EVAL_BREAKER.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}

/// Runs the Python handlers of signals that arrived, in the main thread.
#[inline]
pub fn run_signal_handlers() -> PyResult<()> {
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::SIGNALS != 0
        && crate::pylifecycle::handles_signals()
        && take(breaker::SIGNALS)
        && let Some(handlers) = SIGNAL_HANDLERS.get()
    {
        handlers()?;
    }
    Ok(())
}

/// Called by RESUME and backward jumps when a bit is set.
#[cold]
#[inline(never)]
pub fn handle_eval_breaker() -> PyResult<()> {
    take(MODE_CHANGED);
    run_signal_handlers()?;
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::PENDING_CALLS != 0 {
        make_pending_calls()?;
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::REMOTE_SCRIPT != 0 {
        crate::remote_debug::run_pending();
    }
    if take(breaker::GC) {
        adder_runtime::memory::gc::collect_if_due();
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::GIL_DROP_REQUEST != 0 {
        yield_gil();
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::ASYNC_EXCEPTION != 0
        && let Some(exception) = thread_state().replace_async_exc(None)
    {
        return Err(adder_runtime::error::set_object(&exception, None));
    }
    Ok(())
}
