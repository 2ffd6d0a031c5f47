//! The built-in exceptions, and what raising, chaining and reporting them takes. The exception in flight is in the thread
//! state (`crate::error`); here are the types and the rules for instances.
//!
//! Tests: CPython's `test_exceptions`, `test_exception_group`, `test_baseexception`.

pub mod base;
pub mod fields;
pub mod group;
pub mod layout;
pub mod os_error;
pub mod syntax;
pub mod types;
pub mod unicode;

use crate::error;
use crate::hooks;
use crate::prelude::*;
use crate::thread::{ThreadState, thread_state};
use base::{base, instantiate_simple, is_simple};
use layout::{load, store};

pub use base::_PyExc_BaseException;
pub use fields::raise_import_error;
pub use group::{StarMatch, as_group, match_star, new_exception_group, prep_reraise_star};
pub use os_error::{from_io_error, last_os_error, os_error_from_errno, raise_os_error};
pub use syntax::{SyntaxErrorPlace, raise_syntax_error};
pub use types::*;
pub use unicode::{
    raise_unicode_decode_error, raise_unicode_encode_error, unicode_decode_error, unicode_encode_error,
    unicode_translate_error,
};

/// Readies all exception types and makes the reserve of MemoryErrors. Done once, after `object`, `type` and the
/// descriptors are ready.
pub fn init() -> PyResult<()> {
    group::set_bases();
    for ty in TYPES {
        crate::types::ready(ty)?;
    }
    fields::fill_reserve()
}

/// Adds all exception types, and the old names of OSError, to a namespace (that of `builtins`).
pub fn add_to_dict(dict: &PyDictObject) -> PyResult<()> {
    for ty in TYPES {
        dict.set_str(&PyUnicodeObject::from_str(ty.full_name()), ty.as_object())?;
    }
    for alias in ["EnvironmentError", "IOError"] {
        dict.set_str(&PyUnicodeObject::from_str(alias), exc::OSError.as_object())?;
    }
    Ok(())
}

// ---- classes and instances ----

/// `PyExceptionClass_Check`.
pub fn is_exception_class(object: &PyObject) -> bool {
    object
        .downcast::<PyTypeObject>()
        .is_some_and(|ty| ty.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS))
}

/// `PyExceptionInstance_Check`.
#[inline]
pub fn is_exception_instance(object: &PyObject) -> bool {
    object.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS)
}

/// Whether `exception` (an instance or a class) matches `wanted` (a class or a tuple of them):
/// `PyErr_GivenExceptionMatches`.
pub fn given_exception_matches(exception: &PyObject, wanted: &PyObject) -> bool {
    if let Some(classes) = wanted.downcast::<PyTupleObject>() {
        return classes
            .as_slice()
            .iter()
            .any(|class| given_exception_matches(exception, class));
    }
    let class = if is_exception_instance(exception) {
        exception.ty().as_object()
    } else {
        exception
    };
    if is_exception_class(class) && is_exception_class(wanted) {
        // SAFETY: just checked.
        let (class, wanted) = unsafe { (class.cast_unchecked::<PyTypeObject>(), wanted.cast_unchecked()) };
        return class.is_subtype(wanted);
    }
    class.is(wanted)
}

/// TypeError unless `match_type` is an exception class or a tuple of them: what an `except` clause checks.
pub fn check_except_type(match_type: &PyObject) -> PyResult<()> {
    let valid = match match_type.downcast::<PyTupleObject>() {
        Some(types) => types.as_slice().iter().all(|ty| is_exception_class(ty)),
        None => is_exception_class(match_type),
    };
    if valid {
        return Ok(());
    }
    Err(raise!(
        TypeError,
        "catching classes that do not inherit from BaseException is not allowed"
    ))
}

/// The instance that raising `ty` with `value` gives: `value` itself when it is one of `ty`'s, else `ty()`, `ty(*value)`
/// for a tuple, `ty(value)`.
pub fn normalize(ty: &PyObject, value: Option<&PyObject>) -> PyResult<Ref> {
    let Some(class) = ty
        .downcast::<PyTypeObject>()
        .filter(|class| class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS))
    else {
        let shown = ty.repr()?.to_string_lossy();
        return Err(raise!(
            SystemError,
            "_PyErr_SetObject: exception {shown} is not a BaseException subclass"
        ));
    };
    if let Some(value) = value
        && is_exception_instance(value)
        && (has_plain_class(value, class) || value.ty().as_object().is_subclass(ty)?)
    {
        return Ok(value.to_ref());
    }
    // Functions must not be called with an exception set.
    error::clear();
    create(class, value)
}

/// Raises a new instance of a class that adds nothing to BaseException, with one argument.
pub fn raise_simple(class: &PyTypeObject, value: &PyObject) -> Raised {
    // Functions must not be called with an exception set.
    error::clear();
    let args = match PyTupleObject::from_slice_quick(&[value]) {
        Some(args) => args,
        None => PyTupleObject::from_slice(&[value]),
    };
    match layout::alloc(class) {
        Ok(exception) => {
            base(&exception).args.set(args.into_object_raw());
            error::raise_exception(exception)
        }
        Err(raised) => raised,
    }
}

/// Whether the exception is an instance of `class`, which does not answer for itself what its subclasses are.
fn has_plain_class(exception: &PyObject, class: &PyTypeObject) -> bool {
    std::ptr::eq(class.as_object().ty(), &crate::PyType_Type) && exception.ty().is_subtype(class)
}

/// Notes on the exception in flight what it was that could not be made.
pub fn note_failed_normalization(raised: Raised, class: &PyTypeObject, value: Option<&PyObject>) -> Raised {
    let exception = raised.take();
    let shown = match value.map(PyObject::repr) {
        Some(Ok(text)) => text.to_string_lossy(),
        Some(Err(raised)) => {
            raised.clear();
            "<unknown>".to_owned()
        }
        None => "<NULL>".to_owned(),
    };
    let note = PyUnicodeObject::from_string(format!(
        "Normalization failed: type={} args={shown}",
        class.full_name()
    ));
    if let Err(raised) = exception.call_method(identifier!("add_note"), &[note.as_object()]) {
        raised.clear();
    }
    error::restore(exception)
}

/// A new instance: `_PyErr_CreateException`.
fn create(class: &PyTypeObject, value: Option<&PyObject>) -> PyResult<Ref> {
    let value = value.filter(|value| !is_none(value));
    if is_simple(class) || fields::is_args_only(class) {
        let args = match value {
            None => PyTupleObject::empty(),
            Some(value) => match value.downcast::<PyTupleObject>() {
                Some(args) => args.to_ref(),
                None => PyTupleObject::from_slice(&[value]),
            },
        };
        return instantiate_simple(class, args);
    }
    if value.is_none() && std::ptr::eq(class, exc::MemoryError) {
        return fields::memory_error();
    }
    let exception = match value {
        None => class.as_object().call0()?,
        Some(value) => match value.downcast::<PyTupleObject>() {
            Some(args) => class.as_object().call_tuple(args, None)?,
            None => class.as_object().call1(value)?,
        },
    };
    if !is_exception_instance(&exception) {
        let (class, found) = (
            class.as_object().repr()?.to_string_lossy(),
            exception.ty().full_name(),
        );
        return Err(raise!(
            TypeError,
            "calling {class} should have returned an instance of BaseException, not {found}"
        ));
    }
    Ok(exception)
}

// ---- traceback, cause, context, notes ----

pub fn get_traceback(exception: &PyObject) -> Option<Ref> {
    load(&base(exception).traceback)
}
/// The same, by the name that the interpreter uses.
pub fn traceback_of(exception: &PyObject) -> Option<Ref> {
    get_traceback(exception)
}
/// Sets `__traceback__`; the value is a traceback.
pub fn set_traceback(exception: &PyObject, traceback: Option<Ref>) {
    store(&base(exception).traceback, traceback);
}
/// Sets `__traceback__` with the checks of the attribute: `PyException_SetTraceback`.
pub fn set_traceback_checked(exception: &PyObject, traceback: &PyObject) -> PyResult<()> {
    base::assign_traceback(exception, Some(traceback))
}
pub fn get_cause(exception: &PyObject) -> Option<Ref> {
    load(&base(exception).cause)
}
/// Sets `__cause__`, and with it `__suppress_context__`.
pub fn set_cause(exception: &PyObject, cause: Option<Ref>) {
    let fields = base(exception);
    fields.suppress_context.set(1);
    store(&fields.cause, cause);
}
pub fn get_context(exception: &PyObject) -> Option<Ref> {
    load(&base(exception).context)
}
pub fn set_context(exception: &PyObject, context: Option<Ref>) {
    store(&base(exception).context, context);
}
pub fn suppresses_context(exception: &PyObject) -> bool {
    base(exception).suppress_context.get() != 0
}
pub fn get_args(exception: &PyObject) -> Ref<PyTupleObject> {
    base::args_of(exception)
}
pub fn set_args(exception: &PyObject, args: Ref<PyTupleObject>) {
    store(&base(exception).args, Some(args.into_object()));
}

/// Makes `cause` both cause and context of the exception in flight.
pub fn set_cause_of_current(raised: Raised, cause: Ref) -> Raised {
    let exception = raised.take();
    set_cause(&exception, Some(cause.clone()));
    set_context(&exception, Some(cause));
    error::restore(exception)
}

/// Appends a note.
pub fn add_note(exception: &PyObject, note: &str) -> PyResult<()> {
    add_note_object(exception, &PyUnicodeObject::from_str(note))
}

pub(crate) fn add_note_object(exception: &PyObject, note: &PyUnicodeObject) -> PyResult<()> {
    let name = identifier!("__notes__");
    let notes = match exception.get_attr_opt(name)? {
        Some(notes) => notes,
        None => {
            let notes = PyListObject::new().into_object();
            exception.set_attr(name, &notes)?;
            notes
        }
    };
    match (*notes).downcast::<PyListObject>() {
        Some(notes) => {
            notes.push(note.to_object());
            Ok(())
        }
        None => Err(raise!(TypeError, "Cannot add note: __notes__ is not a list")),
    }
}

/// The exception that the calling thread is handling (`sys.exception()`).
pub fn handled_exception() -> Option<Ref> {
    handled_exception_of(thread_state())
}

/// The exception that a thread is handling: the innermost entry of its chain that has one.
pub fn handled_exception_of(state: &ThreadState) -> Option<Ref> {
    let mut item = state.base.exc_info.get();
    // SAFETY: the chain's entries live in thread states, frames and generators that are running.
    while let Some(entry) = unsafe { item.as_ref() } {
        // SAFETY: the entry owns its exception.
        if let Some(value) = unsafe { entry.exc_value.get().as_ref() }
            && !is_none(value)
        {
            return Some(value.to_ref());
        }
        item = entry.previous_item.get();
    }
    None
}

/// Makes the handled exception the `__context__` of `exception`, without making a cycle of contexts.
pub fn chain_context(exception: &PyObject) {
    let Some(handled) = handled_exception() else {
        return;
    };
    if handled.is(exception) || !is_exception_instance(exception) || !is_exception_instance(&handled) {
        return;
    }
    // A cycle that exists already would hang the search; `slow` follows at half the speed to notice it.
    let mut at = handled.clone();
    let mut slow = handled.clone();
    let mut advance_slow = false;
    while let Some(context) = get_context(&at) {
        if context.is(exception) {
            set_context(&at, None);
            break;
        }
        at = context;
        if at.is(&slow) {
            break;
        }
        if advance_slow && let Some(next) = get_context(&slow) {
            slow = next;
        }
        advance_slow = !advance_slow;
    }
    set_context(exception, Some(handled));
}

/// Sets `name` and `obj` of an AttributeError that has neither.
pub fn set_attribute_error_context(exception: &PyObject, object: &PyObject, name: &PyUnicodeObject) {
    if let Some(error) = exception.downcast::<PyAttributeErrorObject>()
        && error.name.get().is_null()
        && error.obj.get().is_null()
    {
        store(&error.name, Some(name.to_object()));
        store(&error.obj, Some(object.to_ref()));
    }
}

// ---- reports ----

/// Issues a warning; `stack_level` as in `warnings.warn`. An error when the filters make one of it.
pub fn warn(category: &PyTypeObject, message: &str, stack_level: isize) -> PyResult<()> {
    match hooks::get() {
        Some(hooks) => {
            let message = PyUnicodeObject::from_str(message);
            (hooks.warn)(category, message.as_object(), stack_level, None)
        }
        None => Ok(()),
    }
}

/// Issues a ResourceWarning about `source`, which may be shown with where it was allocated.
pub fn warn_of_resource(source: &PyObject, message: &str) -> PyResult<()> {
    match hooks::get() {
        Some(hooks) => {
            let message = PyUnicodeObject::from_str(message);
            (hooks.warn)(exc::ResourceWarning, message.as_object(), 1, Some(source))
        }
        None => Ok(()),
    }
}

/// Reports the exception in flight, which nobody can receive, and drops it.
pub fn report_unraisable(context: Option<&str>, object: Option<&PyObject>) {
    if let Some(hooks) = hooks::get() {
        (hooks.unraisable)(context, object);
        error::clear();
        return;
    }
    let Some(exception) = error::fetch() else { return };
    let place = match (context, object) {
        (Some(context), Some(object)) => format!("{context} {}", shown(object.repr())),
        (Some(context), None) => context.to_owned(),
        (None, Some(object)) => format!("Exception ignored in: {}", shown(object.repr())),
        (None, None) => "Exception ignored".to_owned(),
    };
    eprintln!(
        "{place}\n{}: {}",
        exception.ty().fully_qualified_name(),
        shown(exception.str())
    );
    error::clear();
}

fn shown(text: PyResult<Ref<PyUnicodeObject>>) -> String {
    match text {
        Ok(text) => text.to_string_lossy(),
        Err(raised) => {
            raised.clear();
            "<unprintable>".to_owned()
        }
    }
}
