//! Traceback entries of running frames, and the basic printer for exceptions that nobody caught.

use crate::frame::Frame;
use adder_runtime::abi::*;
use adder_runtime::prelude::*;
use adder_runtime::thread::ThreadState;
use std::ptr::null_mut;

pub use adder_runtime::objects::traceback::PyTraceBack_Type;

/// Gives the exception in flight an entry for the innermost frame when it has no traceback yet: it was not raised
/// through a frame, but the report of it shows where.
pub fn add_current_entry() {
    let ts = adder_runtime::thread::thread_state();
    let (exception, frame) = (ts.base.current_exception.get(), crate::frame::current_frame(ts));
    // SAFETY: null or the exception that is set.
    let Some(fields) = (unsafe { exception.cast::<PyBaseExceptionObject>().as_ref() }) else {
        return;
    };
    if fields.traceback.get().is_null() && !frame.is_null() {
        // SAFETY: the innermost frame runs, and an exception is set.
        unsafe { add_entry(ts, frame) };
    }
}

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
        // Few lines are ever asked for.
        match adder_runtime::objects::traceback::new_traceback(next, frame_obj, (*frame).index() * 2, -1) {
            Ok(traceback) => fields.traceback.set(traceback.into_raw().cast()),
            Err(raised) => raised.clear(),
        }
        ts.base.current_exception.set(exception);
    }
}

/// Writes an exception to `sys.stderr` without the traceback module: for the time before it can be imported and for when
/// it fails.
pub fn print_native(exception: &PyObject) {
    let mut text = String::new();
    describe(exception, &mut text, &mut Vec::new());
    crate::pythonrun::write_stderr(&text);
}

fn describe(exception: &PyObject, text: &mut String, seen: &mut Vec<*mut PyObject>) {
    seen.push(exception.as_ptr());
    let cause = crate::errors::cause_of(exception);
    let context = crate::errors::context_of(exception);
    // SAFETY: exceptions begin with this layout.
    let suppressed = unsafe { exception.cast_unchecked::<PyBaseExceptionObject>() }
        .suppress_context
        .get()
        != 0;
    if let Some(cause) = cause.filter(|cause| !seen.contains(&cause.as_raw())) {
        describe(&cause, text, seen);
        text.push_str("\nThe above exception was the direct cause of the following exception:\n\n");
    } else if let Some(context) = context.filter(|context| !suppressed && !seen.contains(&context.as_raw())) {
        describe(&context, text, seen);
        text.push_str("\nDuring handling of the above exception, another exception occurred:\n\n");
    }
    if let Some(traceback) = crate::errors::traceback_of(exception) {
        describe_traceback(&traceback, text);
    }
    let ty = exception.ty();
    let name = ty.fully_qualified_name();
    let name = name
        .strip_prefix("builtins.")
        .or_else(|| name.strip_prefix("__main__."))
        .unwrap_or(&name)
        .to_owned();
    let value = exception
        .str()
        .map(|value| value.to_string_lossy())
        .unwrap_or_else(|raised| {
            raised.clear();
            "<exception str() failed>".to_owned()
        });
    text.push_str(&name);
    if !value.is_empty() {
        text.push_str(": ");
        text.push_str(&value);
    }
    text.push('\n');
}

/// A traceback with its headline. Of many equal entries in a row three are shown.
pub fn describe_traceback(traceback: &PyObject, text: &mut String) {
    const SHOWN: usize = 3;
    text.push_str("Traceback (most recent call last):\n");
    let mut entry = traceback.downcast::<PyTracebackObject>();
    let mut last = None;
    let mut repeated = 0;
    while let Some(item) = entry {
        let key = (place_of(item), line_of(item));
        if last.as_ref() == Some(&key) {
            repeated += 1;
        } else {
            describe_repeated(repeated, SHOWN, text);
            repeated = 1;
            last = Some(key);
        }
        if repeated <= SHOWN {
            describe_entry(item, text);
        }
        entry = item.next();
    }
    describe_repeated(repeated, SHOWN, text);
}

fn describe_repeated(repeated: usize, shown: usize, text: &mut String) {
    if repeated > shown {
        let more = repeated - shown;
        let plural = if more == 1 { "" } else { "s" };
        text.push_str(&format!("  [Previous line repeated {more} more time{plural}]\n"));
    }
}

/// The text of a source file, read by `io.open`.
fn read_source(file: &str) -> PyResult<String> {
    let io = adder_runtime::hooks::import_module("io")?;
    let (path, mode) = (PyUnicodeObject::from_str(file), PyUnicodeObject::from_str("rb"));
    let stream = io.call_method(identifier!("open"), &[path.as_object(), mode.as_object()])?;
    let bytes = stream.call_method(identifier!("read"), &[]);
    stream.call_method(identifier!("close"), &[])?;
    match bytes?.downcast::<PyBytesObject>() {
        Ok(bytes) => crate::code::decode_source(bytes.as_bytes(), path.as_object()),
        Err(_) => Ok(String::new()),
    }
}

fn line_of(entry: &PyTracebackObject) -> i32 {
    entry.line().map_err(Raised::clear).ok().flatten().unwrap_or(-1)
}

/// The file and the function of an entry.
pub fn place_of(entry: &PyTracebackObject) -> (String, String) {
    let frame = entry
        .frame()
        .downcast::<crate::frameobject::FrameObject>()
        .and_then(|object| object.frame());
    match frame {
        // SAFETY: a frame object's frame is alive.
        Some(frame) => unsafe {
            let code = (*frame).code();
            (code.filename().to_string_lossy(), code.name().to_string_lossy())
        },
        None => Default::default(),
    }
}

fn describe_entry(entry: &PyTracebackObject, text: &mut String) {
    let frame = entry.frame();
    let Some(object) = frame.downcast::<crate::frameobject::FrameObject>() else {
        return;
    };
    let Some(frame) = object.frame() else { return };
    // SAFETY: a frame object's frame is alive.
    let code = unsafe { (*frame).code() };
    let (file, name) = (code.filename().to_string_lossy(), code.name().to_string_lossy());
    let line = line_of(entry);
    text.push_str(&format!("  File \"{file}\", line {line}, in {name}\n"));
    let source = read_source(&file).map_err(Raised::clear).ok();
    if let Some(line) = source
        .as_deref()
        .and_then(|source| source.lines().nth((line - 1).max(0) as usize))
    {
        text.push_str(&format!("    {}\n", line.trim()));
    }
}
