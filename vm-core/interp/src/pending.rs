//! What the eval breaker stands for: another thread wants the GIL, signals, pending calls, asynchronous exceptions, a
//! collection that is due.

use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, breaker, thread_state, yield_gil};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// Runs the Python handlers of signals that came in; set by the `signal` module.
pub static SIGNAL_HANDLERS: OnceLock<fn() -> PyResult<()>> = OnceLock::new();
/// Notes a signal whose arrival is simulated; set by the `signal` module.
pub static TRIP_SIGNAL: OnceLock<fn(i32)> = OnceLock::new();
/// Runs what C code queued with `Py_AddPendingCall`; set by `cpyext`.
pub static PENDING_CALLS: OnceLock<fn() -> PyResult<()>> = OnceLock::new();

/// A bit of the eval breaker: tracing or monitoring was turned on or off, which running frames are to notice.
pub const MODE_CHANGED: u32 = 1 << 16;

fn take(bit: u32) -> bool {
    EVAL_BREAKER.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}

/// Called by RESUME and backward jumps when a bit is set.
#[cold]
#[inline(never)]
pub fn handle_eval_breaker() -> PyResult<()> {
    take(MODE_CHANGED);
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::SIGNALS != 0
        && crate::pylifecycle::is_main_thread()
        && take(breaker::SIGNALS)
        && let Some(handlers) = SIGNAL_HANDLERS.get()
    {
        handlers()?;
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::PENDING_CALLS != 0
        && crate::pylifecycle::is_main_thread()
        && take(breaker::PENDING_CALLS)
        && let Some(calls) = PENDING_CALLS.get()
    {
        calls()?;
    }
    if take(breaker::GC) {
        adder_runtime::memory::gc::collect_if_due();
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::GIL_DROP_REQUEST != 0 {
        yield_gil();
    }
    if EVAL_BREAKER.load(Ordering::Relaxed) & breaker::ASYNC_EXCEPTION != 0 {
        let exception = thread_state().async_exc.borrow_mut().take();
        if let Some(exception) = exception {
            EVAL_BREAKER.fetch_and(!breaker::ASYNC_EXCEPTION, Ordering::Relaxed);
            return Err(adder_runtime::error::set_object(&exception, None));
        }
    }
    Ok(())
}
