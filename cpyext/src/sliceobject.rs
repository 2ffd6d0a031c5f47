//! sliceobject.h.

use crate::export::put;
use adder_runtime::objects::sliceobject::PySlice_Type;
use adder_runtime::prelude::*;

pub fn new_slice(start: Option<&PyObject>, stop: Option<&PyObject>, step: Option<&PyObject>) -> PyResult {
    let or_none = |object: Option<&PyObject>| object.map_or_else(none_ref, PyObject::to_ref);
    let (start, stop, step) = (or_none(start), or_none(stop), or_none(step));
    PySlice_Type.as_object().call(&[&start, &stop, &step])
}

fn slice(object: &PyObject) -> PyResult<&PySliceObject> {
    object
        .downcast::<PySliceObject>()
        .ok_or_else(crate::export::bad_internal_call)
}

/// Clips the bounds to a length; returns the number of items.
fn adjust(len: isize, start: *mut isize, stop: *mut isize, step: isize) -> isize {
    // SAFETY: C gives places that hold the bounds.
    unsafe {
        let indices = adder_runtime::objects::sliceobject::adjust_indices(len as usize, *start, *stop, step);
        put(start, indices.start);
        put(stop, indices.stop);
        indices.count as isize
    }
}

fn unpack(object: &PyObject, start: *mut isize, stop: *mut isize, step: *mut isize) -> PyResult<()> {
    let bounds = slice(object)?.unpack()?;
    // SAFETY: C gives places.
    unsafe {
        put(start, bounds.0);
        put(stop, bounds.1);
        put(step, bounds.2);
    }
    Ok(())
}

capi! {
    fn PySlice_New(start: Option<&PyObject>, stop: Option<&PyObject>, step: Option<&PyObject>) -> PyResult {
        new_slice(start, stop, step)
    }
    fn _PySlice_FromIndices(start: isize, stop: isize) -> PyResult {
        let (start, stop) = (PyLongObject::from_i64(start as i64), PyLongObject::from_i64(stop as i64));
        new_slice(Some(start.as_object()), Some(stop.as_object()), None)
    }
    fn PySlice_Unpack(object: &PyObject, start: *mut isize, stop: *mut isize, step: *mut isize) -> PyResult<()> {
        unpack(object, start, stop, step)
    }
    fn PySlice_AdjustIndices(len: isize, start: *mut isize, stop: *mut isize, step: isize) -> isize { adjust(len, start, stop, step) }
    fn PySlice_GetIndicesEx(
        object: &PyObject, len: isize, start: *mut isize, stop: *mut isize, step: *mut isize, n_items: *mut isize
    ) -> PyResult<()> {
        unpack(object, start, stop, step)?;
        // SAFETY: C gives places; the step was just stored.
        unsafe { put(n_items, adjust(len, start, stop, *step)) };
        Ok(())
    }
    /// Old and strict: bounds beyond the length fail without an exception.
    fn PySlice_GetIndices(object: &PyObject, len: isize, start: *mut isize, stop: *mut isize, step: *mut isize) -> c_int {
        if unpack(object, start, stop, step).is_err() {
            adder_runtime::error::clear();
            return -1;
        }
        // SAFETY: just stored.
        unsafe {
            for place in [start, stop] {
                if *place < 0 {
                    *place += len;
                }
            }
            *stop = (*stop).min(len);
            if *start >= len || *stop > len { -1 } else { 0 }
        }
    }
}
