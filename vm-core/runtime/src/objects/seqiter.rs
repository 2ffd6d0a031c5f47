//! What the iterators over strings and bytes share: pickling through `iter`, and setting their place.

use crate::prelude::*;

/// `(iter, (sequence,), index)`, or `(iter, (empty,))` for an iterator that is at its end. To find `iter` may run code that
/// moves the iterator: `state` is asked after that.
pub fn reduce(state: impl FnOnce() -> Option<(Ref, usize)>, empty: Ref) -> PyResult {
    let iter = crate::module::builtin("iter")?;
    Ok(match state() {
        Some((sequence, index)) => {
            let args = PyTupleObject::from_vec(vec![sequence]).into_object();
            let index = PyLongObject::from_usize(index).into_object();
            PyTupleObject::from_vec(vec![iter, args, index])
        }
        None => {
            let args = PyTupleObject::from_vec(vec![empty]).into_object();
            PyTupleObject::from_vec(vec![iter, args])
        }
    }
    .into_object())
}

/// The place that `__setstate__` is given; negative ones are the beginning.
pub fn state_index(state: &PyObject) -> PyResult<usize> {
    let Some(number) = state.downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "an integer is required"));
    };
    Ok(number.as_isize()?.max(0) as usize)
}
