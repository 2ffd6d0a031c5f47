//! The optional bounds of methods such as `find` -> numbers.

use crate::prelude::*;

/// A bound as slicing takes it: `None` or nothing is the default, big values are clipped.
pub fn slice_bound(arg: Option<&PyObject>, default: isize) -> PyResult<isize> {
    match arg {
        None => Ok(default),
        Some(arg) if is_none(arg) => Ok(default),
        Some(arg) if arg.has_index() => arg.to_index_saturating(),
        Some(_) => Err(raise!(
            TypeError,
            "slice indices must be integers or None or have an __index__ method"
        )),
    }
}

/// The pair of optional bounds of `find` and the like.
#[inline]
pub fn bounds(start: Option<&PyObject>, end: Option<&PyObject>) -> PyResult<(isize, isize)> {
    Ok((slice_bound(start, 0)?, slice_bound(end, isize::MAX)?))
}
