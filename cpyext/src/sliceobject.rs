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
        let Ok(slice) = slice(object) else {
            adder_runtime::error::clear();
            return -1;
        };
        // SAFETY: the slice owns its three parts.
        let [first, last, stride] = [&slice.start, &slice.stop, &slice.step].map(|part| unsafe { &*part.get() });
        let strict = |part: &PyObject, default: isize, from_end: bool| {
            if is_none(part) {
                return Some(default);
            }
            let number = part.downcast::<PyLongObject>()?.to_i64()? as isize;
            Some(if from_end && number < 0 { number + len } else { number })
        };
        let Some(stride) = strict(stride, 1, false) else { return -1 };
        let (default_first, default_last) = if stride < 0 { (len - 1, -1) } else { (0, len) };
        let (Some(first), Some(last)) = (strict(first, default_first, true), strict(last, default_last, true)) else {
            return -1;
        };
        if last > len || first >= len || stride == 0 {
            return -1;
        }
        // SAFETY: C gives places.
        unsafe {
            put(start, first);
            put(stop, last);
            put(step, stride);
        }
        0
    }
}
