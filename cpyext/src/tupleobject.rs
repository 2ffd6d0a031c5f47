//! tupleobject.h, structseq.h.

use crate::export::{Borrowed, bad_internal_call};
use adder_runtime::prelude::*;

/// A new tuple of `n` empty places, which C fills before anybody looks.
fn new_unfilled(n_items: isize) -> PyResult<Ref<PyTupleObject>> {
    if n_items < 0 {
        return Err(bad_internal_call());
    }
    if n_items == 0 {
        return Ok(PyTupleObject::empty().to_ref());
    }
    crate::objimpl::alloc_tuple(n_items as usize)
}

#[cold]
#[inline(never)]
fn out_of_range() -> Raised {
    raise!(IndexError, "tuple index out of range")
}

fn item(tuple: &PyTupleObject, index: isize) -> PyResult<Borrowed> {
    if index < 0 || index >= tuple.len() as isize {
        return Err(out_of_range());
    }
    // SAFETY: the index is in range; a place that is still empty is NULL.
    Ok(Borrowed(unsafe { *tuple.items_ptr().add(index as usize) }))
}

/// Puts a stolen value into a tuple that nobody else has seen yet.
fn set_item(tuple: &PyObject, index: isize, value: Option<Ref>) -> PyResult<()> {
    let Some(tuple) = tuple
        .downcast::<PyTupleObject>()
        .filter(|tuple| tuple.as_object().refcnt() == 1)
    else {
        return Err(bad_internal_call());
    };
    if index < 0 || index >= tuple.len() as isize {
        return Err(raise!(IndexError, "tuple assignment index out of range"));
    }
    let value = value.map_or(std::ptr::null_mut(), Ref::into_raw);
    // SAFETY: the index is in range; the tuple owned the old item.
    unsafe {
        drop(Ref::from_owned_opt(
            tuple.items_ptr().add(index as usize).replace(value),
        ))
    };
    Ok(())
}

capi! {
    fn PyTuple_New(n_items: isize) -> PyResult<Ref<PyTupleObject>> { new_unfilled(n_items) }
    fn PyTuple_Size(tuple: &PyTupleObject) -> PyResult<isize> { Ok(tuple.len() as isize) }
    fn PyTuple_GetItem(tuple: &PyTupleObject, index: isize) -> PyResult<Borrowed> { item(tuple, index) }
    fn PyTuple_SetItem(tuple: &PyObject, index: isize, value: Option<Ref>) -> PyResult<()> { set_item(tuple, index, value) }
    fn PyTuple_GetSlice(tuple: &PyTupleObject, low: isize, high: isize) -> PyResult<Ref<PyTupleObject>> {
        let len = tuple.len() as isize;
        let low = low.clamp(0, len);
        let high = high.clamp(low, len);
        if low == 0 && high == len && PyTupleObject::check_exact(tuple.as_object()) {
            return Ok(tuple.to_ref());
        }
        Ok(PyTupleObject::from_slice(&tuple.as_slice()[low as usize..high as usize]))
    }
    fn PyTuple_FromArray(items: *const *mut PyObject, n_items: isize) -> PyResult<Ref<PyTupleObject>> => {
        if n_items <= 0 || items.is_null() {
            return None;
        }
        // SAFETY: C gives that many objects.
        let items = unsafe { adder_runtime::protocol::call::slice_of(items, n_items as usize) };
        PyTupleObject::from_slice_quick(items).map(Ref::into_raw)
    } else {
        if n_items < 0 || (items.is_null() && n_items > 0) {
            return Err(bad_internal_call());
        }
        // SAFETY: C gives that many objects.
        Ok(PyTupleObject::from_slice(unsafe { adder_runtime::protocol::call::slice_of(items, n_items as usize) }))
    }
    /// Steals the tuple; stores another of the new size, which begins with the same items.
    fn _PyTuple_Resize(place: *mut *mut PyObject, n_items: isize) -> PyResult<()> {
        // SAFETY: C gives a place that owns a tuple.
        let tuple = unsafe { Ref::from_owned_opt(place.replace(std::ptr::null_mut())) };
        let old = match tuple.and_then(|tuple| tuple.downcast::<PyTupleObject>().ok()) {
            Some(old) if n_items >= 0 && (old.len() == 0 || old.as_object().refcnt() == 1) => old,
            _ => return Err(bad_internal_call()),
        };
        let resized = new_unfilled(n_items)?;
        for item_idx in 0..old.len().min(n_items as usize) {
            // SAFETY: both tuples have that item; the count moves.
            unsafe {
                let item = old.items_ptr().add(item_idx).replace(std::ptr::null_mut());
                resized.items_ptr().add(item_idx).write(item);
            }
        }
        drop(old);
        // SAFETY: as above.
        unsafe { place.write(resized.into_raw().cast()) };
        Ok(())
    }
    fn PyTuple_Repr(tuple: &PyTupleObject) -> PyResult<Ref<PyUnicodeObject>> { tuple.as_object().repr() }
    fn _PyTuple_MaybeUntrack(_tuple: *mut PyObject) -> crate::export::Void { crate::export::Void }

    fn PyStructSequence_GetItem(sequence: &PyObject, index: isize) -> Borrowed {
        // SAFETY: C gives a struct sequence, which is a tuple with hidden items after the visible ones.
        unsafe { Borrowed(*sequence.cast_unchecked::<PyTupleObject>().items_ptr().add(index as usize)) }
    }
    fn PyStructSequence_SetItem(sequence: &PyObject, index: isize, value: Option<Ref>) -> crate::export::Void {
        let value = value.map_or(std::ptr::null_mut(), Ref::into_raw);
        // SAFETY: as above; a new sequence's items are NULL.
        unsafe { sequence.cast_unchecked::<PyTupleObject>().items_ptr().add(index as usize).write(value) };
        crate::export::Void
    }
}

/// PyTuple_Pack of two; NULL without an exception when the general way must be taken.
///
/// # Safety
/// Live objects, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adder_pair(first: *mut PyObject, second: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    match unsafe { (first.as_ref(), second.as_ref()) } {
        (Some(first), Some(second)) => {
            PyTupleObject::pair_quick(first, second).map_or(std::ptr::null_mut(), Ref::into_object_raw)
        }
        _ => std::ptr::null_mut(),
    }
}
