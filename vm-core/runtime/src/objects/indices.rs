//! Subscript keys -> positions: integers and slices applied to a sequence of known length.

use crate::exceptions::exc;
use crate::prelude::*;

/// A slice applied to a length: `count` positions from `start`, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRange {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub count: usize,
}

impl SliceRange {
    pub fn positions(self) -> impl Iterator<Item = usize> {
        (0..self.count as isize).map(move |idx| (self.start + idx * self.step) as usize)
    }
}

fn slice_index(object: *mut PyObject, default: isize) -> PyResult<isize> {
    // SAFETY: a slice owns its three fields.
    let object = unsafe { &*object };
    if is_none(object) {
        return Ok(default);
    }
    if !object.has_index() {
        return Err(raise!(TypeError, "slice indices must be integers or None or have an __index__ method"));
    }
    object.to_index_saturating()
}

/// `PySlice_Unpack`: start, stop and step, not yet applied to a length.
pub fn unpack_slice(slice: &PySliceObject) -> PyResult<(isize, isize, isize)> {
    let step = slice_index(slice.step.get(), 1)?;
    if step == 0 {
        return Err(raise!(ValueError, "slice step cannot be zero"));
    }
    let step = step.max(-isize::MAX);
    let start = slice_index(slice.start.get(), if step < 0 { isize::MAX } else { 0 })?;
    let stop = slice_index(slice.stop.get(), if step < 0 { isize::MIN } else { isize::MAX })?;
    Ok((start, stop, step))
}

/// `PySlice_AdjustIndices`.
pub fn adjust_slice(len: usize, start: isize, stop: isize, step: isize) -> SliceRange {
    let len = len as isize;
    let clamp = |index: isize| {
        let index = if index < 0 { index.saturating_add(len) } else { index };
        if step < 0 { index.clamp(-1, len - 1) } else { index.clamp(0, len) }
    };
    let (start, stop) = (clamp(start), clamp(stop));
    let count = if step < 0 {
        if stop < start { (start - stop - 1) / -step + 1 } else { 0 }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    SliceRange { start, stop, step, count: count as usize }
}

/// A slice applied to a length. The length is asked for after the slice's own `__index__` methods have run.
pub fn slice_range(slice: &PySliceObject, len: impl FnOnce() -> usize) -> PyResult<SliceRange> {
    let (start, stop, step) = unpack_slice(slice)?;
    Ok(adjust_slice(len(), start, stop, step))
}

/// What a subscript key means.
pub enum Subscript<'a> {
    /// Not yet checked against the length; may be negative.
    Index(isize),
    Slice(&'a PySliceObject),
}

/// `what` is the type's name as it stands in "list indices must be integers or slices, not str".
#[inline]
pub fn subscript<'a>(key: &'a PyObject, what: &str) -> PyResult<Subscript<'a>> {
    if let Some(long) = key.downcast_exact::<PyLongObject>()
        && long.is_compact()
    {
        return Ok(Subscript::Index(long.compact_value()));
    }
    if key.has_index() {
        return Ok(Subscript::Index(key.to_index_clipped(exc::IndexError)?));
    }
    match key.downcast::<PySliceObject>() {
        Some(slice) => Ok(Subscript::Slice(slice)),
        None => Err(raise!(TypeError, "{what} indices must be integers or slices, not {}", key.ty().full_name())),
    }
}

/// An index with negative ones counted from the end; `None` when out of range.
#[inline(always)]
pub fn checked_index(index: isize, len: usize) -> Option<usize> {
    let index = if index < 0 { index.wrapping_add(len as isize) } else { index };
    if (index as usize) < len { Some(index as usize) } else { None }
}

/// The bounds of `index(value, start, stop)`.
pub fn search_bounds(start: isize, stop: isize, len: usize) -> (usize, usize) {
    let clamp = |index: isize| {
        let index = if index < 0 { index.saturating_add(len as isize).max(0) } else { index };
        index as usize
    };
    (clamp(start), clamp(stop))
}

/// The optional `start` and `stop` of `index(value, start, stop)`.
pub fn search_argument(argument: Option<&PyObject>, default: isize) -> PyResult<isize> {
    match argument {
        None => Ok(default),
        Some(object) if object.has_index() => object.to_index_saturating(),
        Some(_) => Err(raise!(TypeError, "slice indices must be integers or have an __index__ method")),
    }
}
