//! Index arguments -> numbers: slice bounds of methods such as `find`, and subscripts that may be slices.

use crate::prelude::*;

/// A bound as slicing takes it: `None` or nothing is the default, big values are clipped.
pub fn slice_bound(arg: Option<&PyObject>, default: isize) -> PyResult<isize> {
    match arg {
        None => Ok(default),
        Some(arg) if is_none(arg) => Ok(default),
        Some(arg) if arg.has_index() => arg.to_index_saturating(),
        Some(_) => {
            Err(raise!(TypeError, "slice indices must be integers or None or have an __index__ method"))
        }
    }
}

/// The pair of optional bounds of `find` and the like.
#[inline]
pub fn bounds(start: Option<&PyObject>, end: Option<&PyObject>) -> PyResult<(isize, isize)> {
    Ok((slice_bound(start, 0)?, slice_bound(end, isize::MAX)?))
}

/// A slice over a sequence of known length: where it starts, its step, and how many items it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRange {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub n_items: usize,
}

/// `slice.indices` for a length, with the count of items. ValueError for a step of zero.
///
/// The bounds' `__index__` may change the sequence, so the length is asked for after them.
pub fn slice_range(slice: &PySliceObject, len: impl FnOnce() -> usize) -> PyResult<SliceRange> {
    let part = |field: &ObjCell| {
        // SAFETY: a slice owns its three parts.
        unsafe { Ref::from_borrowed_opt(field.get()) }
    };
    let step = slice_bound(part(&slice.step).as_deref(), 1)?;
    if step == 0 {
        return Err(raise!(ValueError, "slice step cannot be zero"));
    }
    let step = step.max(-isize::MAX);
    let (first, last) = if step > 0 { (0, isize::MAX) } else { (isize::MAX, isize::MIN) };
    let start = slice_bound(part(&slice.start).as_deref(), first)?;
    let stop = slice_bound(part(&slice.stop).as_deref(), last)?;
    let len = len() as isize;
    let clip = |bound: isize| {
        let bound = if bound < 0 { bound.saturating_add(len) } else { bound };
        if step > 0 { bound.clamp(0, len) } else { bound.clamp(-1, len - 1) }
    };
    let (start, stop) = (clip(start), clip(stop));
    let n_items = if step > 0 && start < stop {
        (stop - start - 1) / step + 1
    } else if step < 0 && stop < start {
        (start - stop - 1) / -step + 1
    } else {
        0
    };
    Ok(SliceRange { start, stop, step, n_items: n_items as usize })
}

impl SliceRange {
    /// The places that the slice takes, in its order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..self.n_items as isize).map(move |idx| (self.start + idx * self.step) as usize)
    }
}

/// An index that counts from the end when negative; `None` when it is out of range.
#[inline]
pub fn item_place(index: isize, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as isize } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}
