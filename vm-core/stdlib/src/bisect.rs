//! `_bisect`: positions in sorted sequences.

use adder_runtime::prelude::*;

/// The place for `x` in `a`, right of equal items or left of them. `key` is applied to the items of `a`.
fn place(
    a: &PyObject,
    x: &PyObject,
    lo: isize,
    hi: Option<isize>,
    key: Option<&PyObject>,
    right: bool,
) -> PyResult<isize> {
    if lo < 0 {
        return Err(raise!(ValueError, "lo must be non-negative"));
    }
    let mut hi = match hi {
        Some(hi) if hi >= 0 => hi,
        _ => a.sequence_len()? as isize,
    };
    if a.ty().sequence_slot(|slots| slots.sq_item.get()).is_none() {
        return Err(raise!(TypeError, "'{}' object does not support indexing", a.ty().full_name()));
    }
    let mut lo = lo;
    while lo < hi {
        let middle = lo + (hi - lo) / 2;
        let mut item = a.get_index(middle)?;
        if let Some(key) = key {
            item = key.call1(&item)?;
        }
        let less = if right { x.compare_bool(&item, CompareOp::Lt)? } else { item.compare_bool(x, CompareOp::Lt)? };
        if less == right {
            hi = middle;
        } else {
            lo = middle + 1;
        }
    }
    Ok(lo)
}

fn insort(
    a: &PyObject,
    x: &PyObject,
    lo: isize,
    hi: Option<isize>,
    key: Option<&PyObject>,
    right: bool,
) -> PyResult<()> {
    let at = match key {
        Some(function) => place(a, &*function.call1(x)?, lo, hi, key, right)?,
        None => place(a, x, lo, hi, None, right)?,
    };
    if let Some(list) = a.downcast_exact::<PyListObject>() {
        return list.insert(at as usize, x.to_ref());
    }
    a.call_method(identifier!("insert"), &[PyLongObject::from_isize(at).as_object(), x]).map(drop)
}

/// Bisection algorithms.
#[pymodule(name = "_bisect", types = [])]
pub mod _bisect {
    use super::*;

    /// The index where to insert x in the sorted list a, after items equal to x.
    #[pyfunction("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_right(
        a: &PyObject,
        x: &PyObject,
        lo: Option<isize>,
        hi: Option<isize>,
        key: Option<&PyObject>,
    ) -> PyResult<isize> {
        place(a, x, lo.unwrap_or(0), hi, key, true)
    }
    /// The index where to insert x in the sorted list a, before items equal to x.
    #[pyfunction("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn bisect_left(
        a: &PyObject,
        x: &PyObject,
        lo: Option<isize>,
        hi: Option<isize>,
        key: Option<&PyObject>,
    ) -> PyResult<isize> {
        place(a, x, lo.unwrap_or(0), hi, key, false)
    }
    /// Inserts x in the sorted list a, after items equal to x.
    #[pyfunction("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn insort_right(
        a: &PyObject,
        x: &PyObject,
        lo: Option<isize>,
        hi: Option<isize>,
        key: Option<&PyObject>,
    ) -> PyResult<()> {
        insort(a, x, lo.unwrap_or(0), hi, key, true)
    }
    /// Inserts x in the sorted list a, before items equal to x.
    #[pyfunction("($module, /, a, x, lo=0, hi=None, *, key=None)")]
    fn insort_left(
        a: &PyObject,
        x: &PyObject,
        lo: Option<isize>,
        hi: Option<isize>,
        key: Option<&PyObject>,
    ) -> PyResult<()> {
        insort(a, x, lo.unwrap_or(0), hi, key, false)
    }
}
