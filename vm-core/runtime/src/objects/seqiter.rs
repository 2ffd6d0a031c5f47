//! What the iterators over strings and bytes share: pickling through `iter`, and setting their place.

use crate::prelude::*;

/// `(iter, (sequence,), index)`.
pub fn reduce(sequence: &PyObject, index: usize) -> PyResult {
    let iter = crate::objects::iterobject::builtin("iter")?;
    let args = PyTupleObject::from_vec(vec![sequence.to_ref()]);
    let index = PyLongObject::from_usize(index);
    Ok(PyTupleObject::from_vec(vec![iter, args.into_object(), index.into_object()]).into_object())
}

/// `(iter, (empty,))` for an iterator that is at its end.
pub fn reduce_exhausted(empty: Ref) -> PyResult {
    let iter = crate::objects::iterobject::builtin("iter")?;
    let args = PyTupleObject::from_vec(vec![empty]);
    Ok(PyTupleObject::from_vec(vec![iter, args.into_object()]).into_object())
}

/// The place that `__setstate__` is given; negative ones are the beginning.
pub fn state_index(state: &PyObject) -> PyResult<usize> {
    let Some(number) = state.downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "an integer is required"));
    };
    Ok(number.as_isize()?.max(0) as usize)
}
