//! What the interpreter does to exception objects: tracebacks, causes, the stack of handled exceptions.

use adder_runtime::abi::*;
use adder_runtime::prelude::*;
use adder_runtime::thread::ThreadState;

fn fields(exception: &PyObject) -> &PyBaseExceptionObject {
    debug_assert!(exception.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS));
    // SAFETY: exceptions begin with this layout.
    unsafe { exception.cast_unchecked() }
}

fn replace(field: &ObjCell, value: Option<Ref>) {
    let old = field.replace(value.map_or(std::ptr::null_mut(), Ref::into_raw));
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old) });
}

/// `exception.__cause__ = cause`, which also suppresses the context.
pub fn set_cause(exception: &PyObject, cause: Option<Ref>) {
    let fields = fields(exception);
    fields.suppress_context.set(1);
    replace(&fields.cause, cause);
}

pub fn set_context(exception: &PyObject, context: Option<Ref>) {
    replace(&fields(exception).context, context);
}

pub fn context_of(exception: &PyObject) -> Option<Ref> {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(fields(exception).context.get()) }
}

pub fn cause_of(exception: &PyObject) -> Option<Ref> {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(fields(exception).cause.get()) }
}

/// Gives the exception in flight a cause and context.
pub fn with_cause(raised: Raised, cause: Ref) -> Raised {
    let exception = raised.take();
    set_cause(&exception, Some(cause.clone()));
    set_context(&exception, Some(cause));
    adder_runtime::error::restore(exception)
}

pub fn traceback_of(exception: &PyObject) -> Option<Ref> {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(fields(exception).traceback.get()) }
}

pub fn set_traceback(exception: &PyObject, traceback: Option<Ref>) {
    replace(&fields(exception).traceback, traceback);
}

/// The exception that is being handled: the innermost of the thread's stack that is not None.
pub fn handled_exception(ts: &ThreadState) -> Option<Ref> {
    let mut item = ts.base.exc_info.get();
    // SAFETY: the items are the thread state's and those of running generators.
    unsafe {
        while let Some(level) = item.as_ref() {
            let value = level.exc_value.get();
            if !value.is_null() && !is_none(&*value) {
                return Some(Ref::from_borrowed(value));
            }
            item = level.previous_item.get();
        }
    }
    None
}

/// `type(value).__name__: value` for messages.
pub fn brief(exception: &PyObject) -> String {
    let text = exception
        .str()
        .map(|text| text.to_string_lossy())
        .unwrap_or_else(|raised| {
            raised.clear();
            "<exception str() failed>".to_owned()
        });
    if text.is_empty() {
        exception.ty().short_name()
    } else {
        format!("{}: {text}", exception.ty().short_name())
    }
}
