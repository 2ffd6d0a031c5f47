//! `except*`: splitting exception groups, and what is raised at the end of the statement.

use crate::errors;
use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

fn is_group_class(class: &PyObject) -> bool {
    class.downcast::<PyTypeObject>().is_some_and(|class| class.is_subtype(exc::BaseExceptionGroup))
}

fn check_classes(class: &PyObject) -> PyResult<()> {
    const GROUP: &str = "catching ExceptionGroup with except* is not allowed. Use except instead.";
    const OTHER: &str = "catching classes that do not inherit from BaseException is not allowed";
    let classes = match class.downcast::<PyTupleObject>() {
        Some(classes) => classes.as_slice().iter().map(|class| class.to_ref()).collect(),
        None => vec![class.to_ref()],
    };
    for class in &classes {
        if !class.downcast::<PyTypeObject>().as_ref().is_some_and(|class| class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS)) {
            return Err(raise!(TypeError, "{OTHER}"));
        }
        if is_group_class(class) {
            return Err(raise!(TypeError, "{GROUP}"));
        }
    }
    Ok(())
}

/// The part of the exception that matches and the rest; None for an empty one. A naked exception that matches is wrapped.
pub fn group_match(exception: &PyObject, class: &PyObject) -> PyResult<(Ref, Ref)> {
    check_classes(class)?;
    if is_none(exception) {
        return Ok((none_ref(), none_ref()));
    }
    if crate::eval::ops::exception_matches(exception, class)? {
        if exception.is_instance_of(exc::BaseExceptionGroup) {
            return Ok((exception.to_ref(), none_ref()));
        }
        let empty = PyUnicodeObject::empty();
        let list = PyTupleObject::from_slice(&[exception]);
        let wrapped = exc::ExceptionGroup.as_object().call(&[empty.as_object(), list.as_object()])?;
        if let Some(traceback) = errors::traceback_of(exception) {
            errors::set_traceback(&wrapped, Some(traceback));
        }
        return Ok((wrapped, none_ref()));
    }
    if exception.is_instance_of(exc::BaseExceptionGroup) {
        let pair = exception.call_method(identifier!("split"), &[class])?;
        let Some(parts) = pair.downcast::<PyTupleObject>().ok().filter(|pair| pair.len() >= 2) else {
            return Err(raise!(
                TypeError,
                "{}.split must return a 2-tuple",
                exception.ty().name()
            ));
        };
        let parts = parts.as_slice();
        return Ok((parts[0].to_ref(), parts[1].to_ref()));
    }
    Ok((none_ref(), exception.to_ref()))
}

/// Whether an exception of a handler is a part of the original group that was raised again.
fn is_reraised(exception: &PyObject, original: &PyObject) -> bool {
    let notes_of = |exception: &PyObject| -> *mut PyObject {
        // SAFETY: exceptions have this layout.
        unsafe { exception.cast_unchecked::<PyBaseExceptionObject>().notes.get() }
    };
    let context = |exception: &PyObject| errors::context_of(exception).map_or(std::ptr::null_mut(), |it| it.as_raw());
    let cause = |exception: &PyObject| errors::cause_of(exception).map_or(std::ptr::null_mut(), |it| it.as_raw());
    let traceback =
        |exception: &PyObject| errors::traceback_of(exception).map_or(std::ptr::null_mut(), |it| it.as_raw());
    notes_of(exception) == notes_of(original)
        && context(exception) == context(original)
        && cause(exception) == cause(original)
        && traceback(exception) == traceback(original)
}

fn leaves(exception: &PyObject, into: &mut Vec<Ref>) -> PyResult<()> {
    if exception.is_instance_of(exc::BaseExceptionGroup) {
        for inner in exception.get_attr(identifier!("exceptions"))?.to_tuple()?.as_slice() {
            leaves(inner, into)?;
        }
    } else {
        into.push(exception.to_ref());
    }
    Ok(())
}

/// The part of `original` whose leaves are among those of `parts`, with the structure of `original`.
fn project(original: &PyObject, parts: &[Ref]) -> PyResult {
    let mut kept = Vec::new();
    for part in parts {
        leaves(part, &mut kept)?;
    }
    let ids: Vec<Ref> = kept.iter().map(|leaf| PyLongObject::from_usize(leaf.as_raw() as usize).into_object()).collect();
    split_by_leaf(original, &ids)
}

fn split_by_leaf(exception: &PyObject, ids: &[Ref]) -> PyResult {
    if !exception.is_instance_of(exc::BaseExceptionGroup) {
        let id = exception.as_ptr() as usize as i64;
        let found = ids.iter().any(|other| other.downcast_ref_long() == Some(id));
        return Ok(if found { exception.to_ref() } else { none_ref() });
    }
    let inner = exception.get_attr(identifier!("exceptions"))?.to_tuple()?;
    let mut kept = Vec::new();
    for item in inner.as_slice() {
        let part = split_by_leaf(item, ids)?;
        if !is_none(&part) {
            kept.push(part);
        }
    }
    if kept.is_empty() {
        return Ok(none_ref());
    }
    let list = PyListObject::from_vec(kept);
    let derived = exception.call_method(identifier!("derive"), &[list.as_object()])?;
    errors::set_traceback(&derived, errors::traceback_of(exception));
    errors::set_context(&derived, errors::context_of(exception));
    if let Some(cause) = errors::cause_of(exception) {
        errors::set_cause(&derived, Some(cause));
    }
    if let Some(notes) = exception.get_attr_opt(identifier!("__notes__"))?
        && notes.is_sequence()
    {
        let copy = PyListObject::from_vec(notes.collect()?);
        derived.set_attr(identifier!("__notes__"), copy.as_object())?;
    }
    Ok(derived)
}

trait AsLong {
    fn downcast_ref_long(&self) -> Option<i64>;
}
impl AsLong for Ref {
    fn downcast_ref_long(&self) -> Option<i64> {
        (**self).downcast::<PyLongObject>().and_then(|value| value.to_i64())
    }
}

/// PREP_RERAISE_STAR: `original` was caught by `except*`; `list` holds what handlers raised and what nobody caught (or
/// None). The exception to raise, or None.
pub fn prep_reraise_star(original: &PyObject, list: &PyObject) -> PyResult {
    // SAFETY: the compiler passes a list.
    let exceptions: Vec<Ref> = unsafe { list.cast_unchecked::<PyListObject>() }
        .as_slice()
        .iter()
        .filter(|exception| !is_none(exception))
        .map(|exception| exception.to_ref())
        .collect();
    if exceptions.is_empty() {
        return Ok(none_ref());
    }
    if !original.is_instance_of(exc::BaseExceptionGroup) {
        // A naked exception was caught and wrapped: only one clause ran.
        return Ok(exceptions[0].clone());
    }
    let (reraised, raised): (Vec<Ref>, Vec<Ref>) =
        exceptions.into_iter().partition(|exception| is_reraised(exception, original));
    let reraised = if reraised.is_empty() { none_ref() } else { project(original, &reraised)? };
    if raised.is_empty() {
        return Ok(reraised);
    }
    let mut all = raised;
    if !is_none(&reraised) {
        all.push(reraised);
    }
    if all.len() == 1 {
        return Ok(all.remove(0));
    }
    let message = PyUnicodeObject::empty();
    let list = PyListObject::from_vec(all);
    exc::ExceptionGroup.as_object().call(&[message.as_object(), list.as_object()])
}
