//! pyerrors.h: exceptions that are set, caught, made, described.

use crate::export::{Void, bad_internal_call, opt, put, str_from_c};
use adder_runtime::error;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::thread_state;
use std::ffi::CStr;

pub fn errno() -> c_int {
    // SAFETY: the C library's thread-local.
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(value: c_int) {
    // SAFETY: the C library's thread-local.
    unsafe { *libc::__errno_location() = value }
}

/// Raises OSError (or the subclass that errno means) with up to two file names.
pub fn raise_errno(filename: Option<&PyObject>, filename2: Option<&PyObject>) -> Raised {
    raise_errno_as(exc::OSError.as_object(), filename, filename2)
}

fn raise_errno_as(class: &PyObject, filename: Option<&PyObject>, filename2: Option<&PyObject>) -> Raised {
    let number = errno();
    if number == libc::EINTR && crate::pylifecycle::check_signals().is_err() {
        return Raised::assume();
    }
    let message = if number == 0 {
        "Error".to_string()
    } else {
        // SAFETY: strerror gives a terminated string.
        unsafe { CStr::from_ptr(libc::strerror(number)) }
            .to_string_lossy()
            .into_owned()
    };
    let (number, message) = (
        PyLongObject::from_i64(number as i64),
        PyUnicodeObject::from_string(message),
    );
    let mut args = vec![number.as_object(), message.as_object()];
    if let Some(filename) = filename {
        args.push(filename);
        if let Some(filename2) = filename2 {
            args.extend([none(), filename2]);
        }
    }
    match class.call(&args) {
        Ok(exception) => error::set_object(exception.ty().as_object(), Some(&exception)),
        Err(raised) => raised,
    }
}

/// Reports the exception that is set to `sys.unraisablehook`, with a message of its own.
pub fn write_unraisable_message(raised: Raised, message: Option<&str>, object: Option<&PyObject>) {
    error::write_unraisable(raised, message, object);
}

/// Whether `given` (an exception, a class, anything) matches a class or a tuple of classes.
fn given_matches(given: Option<&PyObject>, wanted: Option<&PyObject>) -> bool {
    let (Some(given), Some(wanted)) = (given, wanted) else {
        return false;
    };
    if given.ty().as_object().is(wanted) && PyBaseExceptionObject::check(given) {
        return true;
    }
    if let Some(classes) = wanted.downcast::<PyTupleObject>() {
        return classes
            .as_slice()
            .iter()
            .any(|class| given_matches(Some(given), Some(class)));
    }
    let class = if PyBaseExceptionObject::check(given) {
        given.ty().as_object()
    } else {
        given
    };
    match (
        class.downcast::<PyTypeObject>(),
        wanted.downcast::<PyTypeObject>(),
    ) {
        (Some(class), Some(wanted)) if is_exception_class(wanted) => class.is_subtype(wanted),
        _ => class.is(wanted),
    }
}

fn is_exception_class(ty: &PyTypeObject) -> bool {
    ty.has_feature(Py_TPFLAGS_BASE_EXC_SUBCLASS)
}

fn current() -> Option<&'static PyObject> {
    // SAFETY: the thread state owns the exception that is set.
    unsafe { thread_state().base.current_exception.get().as_ref() }
}

/// PyErr_NewException: `module.Class` with bases and a dict.
fn new_exception(
    name: &CStr,
    bases: Option<&PyObject>,
    dict: Option<&PyObject>,
    doc: Option<&CStr>,
) -> PyResult {
    let name = name.to_string_lossy();
    let Some((module, class)) = name.rsplit_once('.') else {
        return Err(raise!(
            SystemError,
            "PyErr_NewException: name must be module.class"
        ));
    };
    let dict = match dict {
        Some(dict) => dict
            .downcast::<PyDictObject>()
            .ok_or_else(bad_internal_call)?
            .to_ref(),
        None => PyDictObject::new(),
    };
    if let Some(doc) = doc {
        dict.set_str(identifier!("__doc__"), str_from_c(doc)?.as_object())?;
    }
    if !dict.contains(identifier!("__module__").as_object())? {
        dict.set_str(
            identifier!("__module__"),
            PyUnicodeObject::from_str(module).as_object(),
        )?;
    }
    let bases = match bases {
        Some(bases) if PyTupleObject::check(bases) => bases.to_ref(),
        Some(base) => PyTupleObject::from_slice(&[base]).into_object(),
        None => PyTupleObject::from_slice(&[exc::Exception.as_object()]).into_object(),
    };
    let class = PyUnicodeObject::from_str(class);
    PyTypeObject::type_object()
        .as_object()
        .call(&[class.as_object(), &bases, dict.as_object()])
}

/// The class, value and traceback that old code handles separately. All three are given away.
fn fetch_triple() -> (Option<Ref>, Option<Ref>, Option<Ref>) {
    let Some(value) = error::fetch() else {
        return (None, None, None);
    };
    let ty = value.ty().as_object().to_ref();
    let traceback = value.downcast_ref_base().and_then(|base| {
        // SAFETY: the exception owns its traceback.
        unsafe { opt(base.traceback.get()) }.map(PyObject::to_ref)
    });
    (Some(ty), Some(value), traceback)
}

trait AsBaseException {
    fn downcast_ref_base(&self) -> Option<&PyBaseExceptionObject>;
}
impl AsBaseException for PyObject {
    fn downcast_ref_base(&self) -> Option<&PyBaseExceptionObject> {
        self.downcast::<PyBaseExceptionObject>()
    }
}

/// Puts together what `fetch_triple` took apart.
fn restore_triple(ty: Option<Ref>, value: Option<Ref>, traceback: Option<Ref>) {
    let Some(ty) = ty else {
        error::clear();
        return;
    };
    let value = value.filter(|value| !is_none(value));
    let exception = match value {
        Some(value) if PyBaseExceptionObject::check(&value) => Ok(value),
        value => adder_runtime::exceptions::normalize(&ty, value.as_deref()),
    };
    match exception {
        Ok(exception) => {
            if let (Some(base), Some(traceback)) = (exception.downcast_ref_base(), traceback)
                && !is_none(&traceback)
            {
                if !PyTracebackObject::check(&traceback) {
                    let _ = raise!(TypeError, "traceback must be a Traceback or None");
                    return;
                }
                set_field(&base.traceback, Some(traceback));
            }
            let _ = error::restore(exception);
        }
        Err(raised) => debug_assert!(error::occurred(), "{raised:?}"),
    }
}

/// Replaces an owned field.
pub fn set_field(field: &ObjCell, value: Option<Ref>) {
    let old = field.replace(value.map_or(std::ptr::null_mut(), Ref::into_raw));
    // SAFETY: the field owned the old object.
    drop(unsafe { Ref::from_owned_opt(old) });
}

fn new_ref(field: &ObjCell) -> Option<Ref> {
    // SAFETY: the field owns the object or is NULL.
    unsafe { opt(field.get()) }.map(PyObject::to_ref)
}

/// The exception that is being handled: the innermost one on the stack of handlers.
fn handled() -> Option<Ref> {
    let mut item = thread_state().base.exc_info.get();
    // SAFETY: the items belong to the thread state or to running generators.
    while let Some(entry) = unsafe { item.as_ref() } {
        if let Some(value) = new_ref(&entry.exc_value).filter(|value| !is_none(value)) {
            return Some(value);
        }
        item = entry.previous_item.get();
    }
    None
}

fn set_handled(exception: Option<Ref>) {
    // SAFETY: a thread state always has an item.
    let entry = unsafe { &*thread_state().base.exc_info.get() };
    set_field(&entry.exc_value, exception);
}

fn c_filename(filename: Option<&CStr>) -> PyResult<Option<Ref<PyUnicodeObject>>> {
    filename
        .map(|filename| crate::unicodeobject::decode(filename.to_bytes(), "utf-8", Some(c"surrogateescape")))
        .transpose()
}

fn give(place: *mut *mut PyObject, value: Option<Ref>) {
    // SAFETY: C gives a place for the result.
    unsafe { put(place, value.map_or(std::ptr::null_mut(), Ref::into_raw)) }
}

/// # Safety
/// `place` owns an object or NULL.
unsafe fn take(place: *mut *mut PyObject) -> Option<Ref> {
    // SAFETY: the caller's contract.
    unsafe { Ref::from_owned_opt(place.replace(std::ptr::null_mut())) }
}

capi! {
    fn PyErr_SetNone(class: &PyObject) -> Void { let _ = error::set_object(class, None); Void }
    fn PyErr_SetObject(class: &PyObject, value: Option<&PyObject>) -> Void { let _ = error::set_object(class, value); Void }
    fn _PyErr_SetKeyError(key: &PyObject) -> Void { let _ = raise!(KeyError, value => key); Void }
    fn PyErr_SetString(class: &PyObject, message: &CStr) -> Void {
        if let Ok(message) = str_from_c(message) {
            let _ = error::set_object(class, Some(message.as_object()));
        }
        Void
    }
    fn PyErr_Clear() -> Void => {
        let exception = thread_state().base.current_exception.replace(std::ptr::null_mut());
        if !exception.is_null() {
            // SAFETY: the thread state owned it.
            unsafe { adder_runtime::memory::decref(exception) };
        }
        Some(())
    } else {
        Void
    }
    fn PyErr_BadArgument() -> c_int {
        let _ = raise!(TypeError, "bad argument type for built-in operation");
        0
    }
    fn PyErr_BadInternalCall() -> Void { let _ = bad_internal_call(); Void }
    fn _PyErr_BadInternalCall(filename: *const c_char, line: c_int) -> Void {
        // SAFETY: C gives its own file's name.
        let filename = unsafe { CStr::from_ptr(filename) }.to_string_lossy();
        let _ = raise!(SystemError, "{filename}:{line}: bad argument to internal function");
        Void
    }
    fn PyErr_NoMemory() -> PyResult { Err(adder_runtime::memory::no_memory()) }
    fn PyErr_ExceptionMatches(wanted: Option<&PyObject>) -> bool => {
        // The class itself, most of the time.
        current()?.ty().as_object().as_ptr().eq(&wanted).then_some(1)
    } else {
        given_matches(current(), wanted)
    }
    fn PyErr_GivenExceptionMatches(given: Option<&PyObject>, wanted: Option<&PyObject>) -> bool { given_matches(given, wanted) }
    fn _PyErr_ExceptionMatches(_state: *mut PyThreadState, wanted: Option<&PyObject>) -> bool { given_matches(current(), wanted) }

    fn PyErr_GetRaisedException() -> Option<Ref> { error::fetch() }
    fn PyErr_SetRaisedException(exception: Option<Ref>) -> Void {
        match exception {
            Some(exception) => { let _ = error::restore(exception); }
            None => error::clear(),
        }
        Void
    }
    fn PyErr_Fetch(ty: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject) -> Void {
        let (fetched_ty, fetched_value, fetched_traceback) = fetch_triple();
        give(ty, fetched_ty);
        give(value, fetched_value);
        give(traceback, fetched_traceback);
        Void
    }
    fn PyErr_Restore(ty: Option<Ref>, value: Option<Ref>, traceback: Option<Ref>) -> Void {
        restore_triple(ty, value, traceback);
        Void
    }
    fn PyErr_NormalizeException(ty: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject) -> Void {
        // SAFETY: C gives places that own what PyErr_Fetch gave.
        let (old_ty, old_value, old_traceback) = unsafe { (take(ty), take(value), take(traceback)) };
        if old_ty.is_none() {
            return Void;
        }
        error::preserving_exception(|| {
            restore_triple(old_ty, old_value, old_traceback);
            let (new_ty, new_value, new_traceback) = fetch_triple();
            give(ty, new_ty);
            give(value, new_value);
            give(traceback, new_traceback);
        });
        Void
    }
    fn PyErr_GetHandledException() -> Option<Ref> { handled() }
    fn PyErr_SetHandledException(exception: Option<&PyObject>) -> Void {
        set_handled(exception.map(PyObject::to_ref));
        Void
    }
    fn PyErr_GetExcInfo(ty: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject) -> Void {
        let exception = handled();
        let none_or = |object: Option<Ref>| Some(object.unwrap_or_else(none_ref));
        give(ty, none_or(exception.as_ref().map(|exception| exception.ty().as_object().to_ref())));
        let trace = exception.as_deref().and_then(PyObject::downcast::<PyBaseExceptionObject>);
        give(traceback, none_or(trace.and_then(|base| new_ref(&base.traceback))));
        give(value, none_or(exception));
        Void
    }
    fn PyErr_SetExcInfo(_ty: Option<Ref>, value: Option<Ref>, _traceback: Option<Ref>) -> Void {
        set_handled(value);
        Void
    }
    fn _PyErr_GetTopmostException(state: *mut PyThreadState) -> *mut _PyErr_StackItem {
        // SAFETY: C gives its thread state.
        unsafe { (*state).exc_info.get() }
    }
    /// Chains the exception that is set to the one whose parts are given: it becomes its context.
    fn _PyErr_ChainExceptions1(exception: Option<Ref>) -> Void {
        let Some(exception) = exception else { return Void };
        match error::fetch() {
            None => { let _ = error::restore(exception); }
            Some(newer) => {
                if let Some(base) = newer.downcast_ref_base() {
                    set_field(&base.context, Some(exception));
                }
                let _ = error::restore(newer);
            }
        }
        Void
    }

    fn PyErr_NewException(name: &CStr, bases: Option<&PyObject>, dict: Option<&PyObject>) -> PyResult {
        new_exception(name, bases, dict, None)
    }
    fn PyErr_NewExceptionWithDoc(
        name: &CStr, doc: Option<&CStr>, bases: Option<&PyObject>, dict: Option<&PyObject>
    ) -> PyResult {
        new_exception(name, bases, dict, doc)
    }
    fn PyErr_SetFromErrno(class: &PyObject) -> PyResult { Err(raise_errno_as(class, None, None)) }
    fn PyErr_SetFromErrnoWithFilename(class: &PyObject, filename: Option<&CStr>) -> PyResult {
        let number = errno();
        let filename = c_filename(filename)?;
        set_errno(number);
        Err(raise_errno_as(class, filename.as_ref().map(|filename| filename.as_object()), None))
    }
    fn PyErr_SetFromErrnoWithFilenameObject(class: &PyObject, filename: Option<&PyObject>) -> PyResult {
        Err(raise_errno_as(class, filename, None))
    }
    fn PyErr_SetFromErrnoWithFilenameObjects(
        class: &PyObject, filename: Option<&PyObject>, filename2: Option<&PyObject>
    ) -> PyResult {
        Err(raise_errno_as(class, filename, filename2))
    }
    fn PyErr_SetImportError(message: Option<&PyObject>, name: Option<&PyObject>, path: Option<&PyObject>) -> PyResult {
        import_error(exc::ImportError.as_object(), message, name, path, None)
    }
    fn PyErr_SetImportErrorSubclass(
        class: &PyObject, message: Option<&PyObject>, name: Option<&PyObject>, path: Option<&PyObject>
    ) -> PyResult {
        import_error(class, message, name, path, None)
    }
    fn _PyErr_SetImportErrorWithNameFrom(
        message: Option<&PyObject>, name: Option<&PyObject>, path: Option<&PyObject>, from: Option<&PyObject>
    ) -> PyResult {
        import_error(exc::ImportError.as_object(), message, name, path, from)
    }

    fn PyErr_WriteUnraisable(object: Option<&PyObject>) -> Void {
        if error::occurred() {
            error::write_unraisable(Raised::assume(), None, object);
        }
        Void
    }
    fn PyErr_Print() -> Void { print(true); Void }
    fn PyErr_PrintEx(set_last: c_int) -> Void { print(set_last != 0); Void }
    fn PyErr_Display(_class: *mut PyObject, value: Option<&PyObject>, _traceback: *mut PyObject) -> Void {
        if let Some(value) = value {
            display(value);
        }
        Void
    }
    fn PyErr_DisplayException(exception: &PyObject) -> Void { display(exception); Void }
    fn PyErr_ProgramText(filename: Option<&CStr>, line: c_int) -> Option<Ref> {
        program_text(crate::osmodule::fs_text(filename?).as_object(), line)
    }
    fn PyErr_ProgramTextObject(filename: Option<&PyObject>, line: c_int) -> Option<Ref> { program_text(filename?, line) }
    fn PyErr_SyntaxLocation(filename: Option<&CStr>, line: c_int) -> Void {
        syntax_location(filename.map(crate::osmodule::fs_text).as_deref(), line, -1, None);
        Void
    }
    fn PyErr_SyntaxLocationEx(filename: Option<&CStr>, line: c_int, column: c_int) -> Void {
        syntax_location(filename.map(crate::osmodule::fs_text).as_deref(), line, column, None);
        Void
    }
    fn PyErr_SyntaxLocationObject(filename: Option<&PyObject>, line: c_int, column: c_int) -> Void {
        syntax_location(filename.and_then(PyObject::downcast), line, column, None);
        Void
    }
    fn PyErr_RangedSyntaxLocationObject(
        filename: Option<&PyObject>, line: c_int, column: c_int, end_line: c_int, end_column: c_int
    ) -> Void {
        syntax_location(filename.and_then(PyObject::downcast), line, column, Some((end_line, end_column)));
        Void
    }

    fn PyException_GetTraceback(exception: &PyBaseExceptionObject) -> Option<Ref> { new_ref(&exception.traceback) }
    fn PyException_SetTraceback(exception: &PyBaseExceptionObject, traceback: &PyObject) -> PyResult<()> {
        exception.as_object().set_attr(identifier!("__traceback__"), traceback)
    }
    fn PyException_GetContext(exception: &PyBaseExceptionObject) -> Option<Ref> { new_ref(&exception.context) }
    fn PyException_SetContext(exception: &PyBaseExceptionObject, context: Option<Ref>) -> Void {
        set_field(&exception.context, context);
        Void
    }
    fn PyException_GetCause(exception: &PyBaseExceptionObject) -> Option<Ref> { new_ref(&exception.cause) }
    fn PyException_SetCause(exception: &PyBaseExceptionObject, cause: Option<Ref>) -> Void {
        exception.suppress_context.set(1);
        set_field(&exception.cause, cause);
        Void
    }
    fn PyException_GetArgs(exception: &PyBaseExceptionObject) -> Option<Ref> { new_ref(&exception.args) }
    fn PyException_SetArgs(exception: &PyBaseExceptionObject, args: &PyObject) -> Void {
        set_field(&exception.args, Some(args.to_ref()));
        Void
    }
    fn PyExceptionClass_Name(class: &PyTypeObject) -> *const c_char { class.tp_name.get() }
    fn PyUnstable_Exc_PrepReraiseStar(original: &PyObject, exceptions: &PyObject) -> PyResult {
        let Some(original) = original.downcast::<PyBaseExceptionObject>() else {
            return Err(raise!(TypeError, "orig must be an exception, got '{}'", original.ty().name()));
        };
        let Some(exceptions) = exceptions.downcast::<PyListObject>() else {
            return Err(raise!(TypeError, "excs must be a list, got '{}'", exceptions.ty().name()));
        };
        for (idx, exception) in exceptions.as_slice().iter().enumerate() {
            if !is_none(exception) && !PyBaseExceptionObject::check(exception) {
                return Err(raise!(TypeError, "item {idx} in excs is not an exception, got '{}'", exception.ty().name()));
            }
        }
        if original.traceback.get().is_null() {
            return Err(raise!(ValueError, "orig must be a raised exception"));
        }
        let left = adder_runtime::exceptions::prep_reraise_star(original.as_object(), exceptions)?;
        Ok(left.unwrap_or_else(none_ref))
    }
    fn _PyException_AddNote(exception: &PyObject, note: &PyObject) -> PyResult<()> {
        exception.call_method(identifier!("add_note"), &[note]).map(drop)
    }
}

/// PyErr_Occurred: on every path of compiled code, so without the guard of `capi!`.
///
/// # Safety
/// The calling thread has a thread state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_Occurred() -> *mut PyObject {
    // SAFETY: the thread state owns the exception that is set.
    match unsafe { thread_state().base.current_exception.get().as_ref() } {
        Some(exception) => exception.ob_type.get().cast(),
        None => std::ptr::null_mut(),
    }
}

fn import_error(
    class: &PyObject,
    message: Option<&PyObject>,
    name: Option<&PyObject>,
    path: Option<&PyObject>,
    from: Option<&PyObject>,
) -> PyResult {
    let Some(message) = message else {
        return Err(raise!(TypeError, "expected a message argument"));
    };
    let subclass = class
        .downcast::<PyTypeObject>()
        .is_some_and(|class| class.is_subtype(exc::ImportError));
    if !subclass {
        return Err(raise!(TypeError, "expected a subclass of ImportError"));
    }
    let mut keywords = vec![("name", name.unwrap_or(none())), ("path", path.unwrap_or(none()))];
    keywords.extend(from.map(|from| ("name_from", from)));
    let exception = class.call_kw(&[message], &keywords)?;
    Err(error::set_object(class, Some(&exception)))
}

/// PyErr_Print: SystemExit ends the process, anything else goes to `sys.excepthook`.
fn print(set_last: bool) {
    let Some(exception) = error::fetch() else { return };
    if exception.is_instance_of(exc::SystemExit) {
        let _ = error::restore(exception);
        crate::pylifecycle::exit_by_exception();
        return;
    }
    if set_last {
        for name in [identifier!("last_exc"), identifier!("last_value")] {
            crate::sysmodule::set_sys_attribute(name, &exception).unwrap_or_else(Raised::clear);
        }
    }
    let hook = crate::sysmodule::sys_attribute_opt(identifier!("excepthook"));
    let traceback = exception
        .downcast_ref_base()
        .and_then(|base| new_ref(&base.traceback))
        .unwrap_or_else(none_ref);
    let called = hook.map(|hook| hook.call(&[exception.ty().as_object(), &exception, &traceback]));
    match called {
        Some(Ok(_)) => {}
        Some(Err(raised)) => {
            eprintln!("Error in sys.excepthook:");
            display(&raised.take());
            eprintln!("\nOriginal exception was:");
            display(&exception);
        }
        None => {
            eprintln!("sys.excepthook is missing");
            display(&exception);
        }
    }
}

/// Prints an exception with its traceback, by `traceback.print_exception` or, failing that, plainly.
fn display(exception: &PyObject) {
    adder_interp::pythonrun::display_exception(exception);
}

/// Adds a place to the SyntaxError that is set.
fn syntax_location(
    filename: Option<&PyUnicodeObject>,
    line: c_int,
    column: c_int,
    end: Option<(c_int, c_int)>,
) {
    let Some(exception) = error::fetch() else { return };
    let set = |name: &PyUnicodeObject, value: &PyObject| {
        exception.set_attr(name, value).unwrap_or_else(Raised::clear);
    };
    let number = |value: c_int| match value {
        -1 => none_ref(),
        value => PyLongObject::from_i64(value.into()).into_object(),
    };
    let (end_line, end_column) = end.unwrap_or((line, -1));
    for (name, value) in [
        (identifier!("lineno"), line),
        (identifier!("offset"), column),
        (identifier!("end_lineno"), end_line),
        (identifier!("end_offset"), end_column),
    ] {
        set(name, &number(value));
    }
    if let Some(filename) = filename {
        set(identifier!("filename"), filename.as_object());
        let text = program_text(filename.as_object(), line);
        set(identifier!("text"), text.as_deref().unwrap_or(none()));
    }
    let _ = error::restore(exception);
}

/// A line of a program's file, with its end; `None` when there is none.
fn program_text(filename: &PyObject, line: c_int) -> Option<Ref> {
    use std::os::unix::ffi::OsStrExt;
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let path = crate::osmodule::fs_bytes(filename).map_err(Raised::clear).ok()?;
    let text = std::fs::read(std::ffi::OsStr::from_bytes(path.as_bytes())).ok()?;
    let line = text.split_inclusive(|byte| *byte == b'\n').nth(at)?;
    Some(PyUnicodeObject::from_str(&String::from_utf8_lossy(line)).into_object())
}

// ---- UnicodeError fields ----

fn unicode_error(exception: &PyObject) -> PyResult<&PyUnicodeErrorObject> {
    if !exception.is_instance_of(exc::UnicodeError) {
        return Err(raise!(
            TypeError,
            "expected a UnicodeError, got {}",
            exception.ty().name()
        ));
    }
    // SAFETY: all UnicodeErrors that have these fields have one layout.
    Ok(unsafe { exception.cast_unchecked() })
}

macro_rules! unicode_error_functions {
    ($($kind:literal: $get_object:ident $get_start:ident $get_end:ident $get_reason:ident $set_start:ident $set_end:ident $set_reason:ident;)*) => {
        capi! {$(
            fn $get_object(exception: &PyObject) -> PyResult { exception.get_attr(identifier!("object")) }
            fn $get_start(exception: &PyObject, place: *mut isize) -> PyResult<()> {
                let error = unicode_error(exception)?;
                let len = exception.get_attr(identifier!("object"))?.len()? as isize;
                // SAFETY: C gives a place.
                unsafe { put(place, error.start.get().clamp(0, (len - 1).max(0))) };
                Ok(())
            }
            fn $get_end(exception: &PyObject, place: *mut isize) -> PyResult<()> {
                let error = unicode_error(exception)?;
                let len = exception.get_attr(identifier!("object"))?.len()? as isize;
                // SAFETY: C gives a place.
                unsafe { put(place, error.end.get().max(1).min(len)) };
                Ok(())
            }
            fn $get_reason(exception: &PyObject) -> PyResult { exception.get_attr(identifier!("reason")) }
            fn $set_start(exception: &PyObject, start: isize) -> PyResult<()> {
                unicode_error(exception)?.start.set(start);
                Ok(())
            }
            fn $set_end(exception: &PyObject, end: isize) -> PyResult<()> {
                unicode_error(exception)?.end.set(end);
                Ok(())
            }
            fn $set_reason(exception: &PyObject, reason: &CStr) -> PyResult<()> {
                let reason = str_from_c(reason)?;
                set_field(&unicode_error(exception)?.reason, Some(reason.into_object()));
                Ok(())
            }
        )*}
    };
}
unicode_error_functions! {
    "encode": PyUnicodeEncodeError_GetObject PyUnicodeEncodeError_GetStart PyUnicodeEncodeError_GetEnd
        PyUnicodeEncodeError_GetReason PyUnicodeEncodeError_SetStart PyUnicodeEncodeError_SetEnd PyUnicodeEncodeError_SetReason;
    "decode": PyUnicodeDecodeError_GetObject PyUnicodeDecodeError_GetStart PyUnicodeDecodeError_GetEnd
        PyUnicodeDecodeError_GetReason PyUnicodeDecodeError_SetStart PyUnicodeDecodeError_SetEnd PyUnicodeDecodeError_SetReason;
    "translate": PyUnicodeTranslateError_GetObject PyUnicodeTranslateError_GetStart PyUnicodeTranslateError_GetEnd
        PyUnicodeTranslateError_GetReason PyUnicodeTranslateError_SetStart PyUnicodeTranslateError_SetEnd PyUnicodeTranslateError_SetReason;
}

capi! {
    fn PyUnicodeEncodeError_GetEncoding(exception: &PyObject) -> PyResult { exception.get_attr(identifier!("encoding")) }
    fn PyUnicodeDecodeError_GetEncoding(exception: &PyObject) -> PyResult { exception.get_attr(identifier!("encoding")) }
    fn PyUnicodeDecodeError_Create(
        encoding: &CStr, start: *const c_char, n_bytes: isize, error_start: isize, error_end: isize, reason: &CStr
    ) -> PyResult {
        // SAFETY: C gives that many bytes.
        let bytes = PyBytesObject::from_slice(unsafe { crate::unicodeobject::c_slice(start, n_bytes) });
        let (encoding, reason) = (str_from_c(encoding)?, str_from_c(reason)?);
        let (error_start, error_end) = (PyLongObject::from_i64(error_start as i64), PyLongObject::from_i64(error_end as i64));
        exc::UnicodeDecodeError.as_object().call(&[
            encoding.as_object(), bytes.as_object(), error_start.as_object(), error_end.as_object(), reason.as_object(),
        ])
    }
}
