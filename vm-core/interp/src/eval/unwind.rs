//! Exceptions: traceback entries, handlers from the table, leaving frames.

use crate::frame::*;
use crate::genobject;
use adder_runtime::abi::*;
use adder_runtime::memory::xdecref;
use adder_runtime::thread::ThreadState;
use std::ptr::null_mut;

/// Where an exception went.
pub enum Unwound {
    /// The instruction of a handler in the same frame.
    Handler(*const u64),
    /// The frame is over; the exception goes on in its caller.
    Caller(*mut Frame),
    /// The frame is over and was called natively.
    Native,
}

/// Drops what dying objects may have raised.
fn drop_exception(ts: &ThreadState) {
    let exception = ts.base.current_exception.replace(null_mut());
    // SAFETY: null, or an object that the state owned.
    unsafe { xdecref(exception) };
}

/// Looks for a handler of the exception in flight in `frame`, which raised at `pc`. With `fresh`, a traceback entry is
/// added.
///
/// # Safety
/// `frame` is the innermost frame and an exception is set.
#[cold]
#[inline(never)]
pub unsafe fn unwind(ts: &'static ThreadState, frame: *mut Frame, pc: *const u64, fresh: bool) -> Unwound {
    // SAFETY: the caller's contract.
    unsafe {
        let data = &*(*frame).data;
        if fresh && !ts.base.current_exception.get().is_null() {
            crate::traceback::add_entry(ts, frame);
            if crate::eval::trace_mask(ts) != 0 {
                crate::tracing::on_exception(ts, frame);
            }
        }
        if !fresh && crate::monitoring::is_active() {
            crate::monitoring::on_exception(ts, frame, crate::monitoring::event::RERAISE);
        }
        let index = ((pc as usize - data.words.as_ptr() as usize) / 8) as u32;
        if let Some(entry) = data.handler_at(index) {
            if crate::monitoring::is_active() {
                crate::monitoring::on_exception(ts, frame, crate::monitoring::event::EXCEPTION_HANDLED);
            }
            let exception = ts.base.current_exception.replace(null_mut());
            let registers = Frame::registers(frame);
            let mut temp = data.n_localsplus as usize + entry.depth as usize;
            for register in temp..data.n_registers as usize {
                let value = std::ptr::replace(registers.add(register), null_mut());
                xdecref(value);
            }
            drop_exception(ts);
            if entry.lasti {
                *registers.add(temp) = PyLongObject::from_i64(i64::from((*frame).index())).into_object_raw();
                temp += 1;
            }
            *registers.add(temp) = exception;
            return Unwound::Handler(data.words.as_ptr().add(entry.handler as usize).cast());
        }
        if crate::eval::trace_mask(ts) != 0 {
            crate::tracing::on_unwind(ts, frame);
        }
        let exit = (*frame).exit;
        let previous = (*frame).previous;
        ts.base.current_frame.set(previous.cast());
        // What dies with the frame must not see, or lose, the exception.
        let exception = ts.base.current_exception.replace(null_mut());
        if (*frame).owner == FrameOwner::Generator {
            genobject::finish_frame(ts, frame);
        } else {
            pop_frame(ts, frame);
        }
        drop_exception(ts);
        ts.base.current_exception.set(exception);
        if exit == FrameExit::Native {
            Unwound::Native
        } else {
            Unwound::Caller(previous)
        }
    }
}
