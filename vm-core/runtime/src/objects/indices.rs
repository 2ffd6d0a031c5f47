//! Subscript keys -> positions: integers and slices applied to a sequence of known length.

use crate::exceptions::exc;
use crate::prelude::*;

pub use super::sliceobject::Indices as SliceRange;

impl SliceRange {
    /// The positions in the order of the slice.
    pub fn positions(self) -> impl Iterator<Item = usize> {
        (0..self.count as isize).map(move |idx| (self.start + idx * self.step) as usize)
    }
}

/// A slice applied to a length. The length is asked for after the slice's own `__index__` methods have run.
pub fn slice_range(slice: &PySliceObject, len: impl FnOnce() -> usize) -> PyResult<SliceRange> {
    slice.resolve(len)
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
        None => Err(raise!(
            TypeError,
            "{what} indices must be integers or slices, not {}",
            key.ty().full_name()
        )),
    }
}

/// An index with negative ones counted from the end; `None` when out of range.
#[inline(always)]
pub fn checked_index(index: isize, len: usize) -> Option<usize> {
    let index = if index < 0 {
        index.wrapping_add(len as isize)
    } else {
        index
    };
    if (index as usize) < len {
        Some(index as usize)
    } else {
        None
    }
}

/// The bounds of `index(value, start, stop)`.
pub fn search_bounds(start: isize, stop: isize, len: usize) -> (usize, usize) {
    let clamp = |index: isize| {
        let index = if index < 0 {
            index.saturating_add(len as isize).max(0)
        } else {
            index
        };
        index as usize
    };
    (clamp(start), clamp(stop))
}

/// The optional `start` and `stop` of `index(value, start, stop)`.
pub fn search_argument(argument: Option<&PyObject>, default: isize) -> PyResult<isize> {
    match argument {
        None => Ok(default),
        Some(object) if object.has_index() => object.to_index_saturating(),
        Some(_) => Err(raise!(
            TypeError,
            "slice indices must be integers or have an __index__ method"
        )),
    }
}
