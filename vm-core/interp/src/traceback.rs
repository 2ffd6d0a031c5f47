//! Traceback entries of running frames, and the basic printer for exceptions that nobody caught.

use crate::frame::Frame;
use adder_runtime::abi::*;
use adder_runtime::prelude::*;
use adder_runtime::thread::ThreadState;
use std::ptr::null_mut;

pub use adder_runtime::objects::traceback::PyTraceBack_Type;

/// Adds an entry for `frame` to the traceback of the exception in flight. Without memory the exception goes on as it is.
///
/// # Safety
/// `frame` is running and an exception is set.
pub unsafe fn add_entry(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the caller's contract; the fields are owned.
    unsafe {
        let exception = ts.base.current_exception.replace(null_mut());
        let frame_obj = match crate::frameobject::object_of(frame) {
            Ok(object) => object,
            Err(raised) => {
                raised.clear();
                ts.base.current_exception.set(exception);
                return;
            }
        };
        let fields = &*exception.cast::<PyBaseExceptionObject>();
        let next = Ref::from_owned_opt(fields.traceback.replace(null_mut()));
        let index = (*frame).index();
        let line = (*frame).code().line_at(index).unwrap_or(-1);
        match adder_runtime::objects::traceback::new_traceback(next, frame_obj, index * 2, line) {
            Ok(traceback) => fields.traceback.set(traceback.into_raw().cast()),
            Err(raised) => raised.clear(),
        }
        ts.base.current_exception.set(exception);
    }
}
