//! `slice`: three objects, and what they mean for a sequence of some length.

use crate::memory::Visitor;
use crate::prelude::*;
use std::ffi::c_int;

/// The bounds of a slice of a sequence, clipped to it: `PySlice_AdjustIndices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    /// How many items there are.
    pub count: usize,
}

/// Clips unpacked bounds to a sequence of `len` items.
pub fn adjust_indices(len: usize, start: isize, stop: isize, step: isize) -> Indices {
    debug_assert!(step != 0);
    let len = len as isize;
    let clip = |bound: isize| {
        if bound < 0 {
            let bound = bound.saturating_add(len);
            if bound >= 0 {
                bound
            } else if step < 0 {
                -1
            } else {
                0
            }
        } else if bound >= len {
            if step < 0 { len - 1 } else { len }
        } else {
            bound
        }
    };
    let (start, stop) = (clip(start), clip(stop));
    let count = if step < 0 {
        if stop < start {
            (start - stop - 1) as usize / step.unsigned_abs() + 1
        } else {
            0
        }
    } else if start < stop {
        (stop - start - 1) as usize / step as usize + 1
    } else {
        0
    };
    Indices {
        start,
        stop,
        step,
        count,
    }
}

#[cold]
fn zero_step() -> Raised {
    raise!(ValueError, "slice step cannot be zero")
}

#[cold]
fn bad_index() -> Raised {
    raise!(
        TypeError,
        "slice indices must be integers or None or have an __index__ method"
    )
}

/// One bound as a machine integer, clipped to its range: `_PyEval_SliceIndex`.
fn bound(object: &PyObject) -> PyResult<isize> {
    if !object.has_index() {
        return Err(bad_index());
    }
    object.to_index_saturating()
}

/// One bound as an int of any size.
fn int_bound(object: &PyObject) -> PyResult<Ref<PyLongObject>> {
    if !object.has_index() {
        return Err(bad_index());
    }
    object.index()
}

/// A bound that is a small int, or the value that None stands for.
#[inline(always)]
fn small_bound(object: &PyObject, none: isize) -> Option<isize> {
    if is_none(object) {
        return Some(none);
    }
    let long = object.downcast_exact::<PyLongObject>()?;
    long.is_compact().then(|| long.compact_value())
}

impl PySliceObject {
    /// `PySlice_New`; `None` stands for Python's None.
    pub fn new_slice(
        start: Option<&PyObject>,
        stop: Option<&PyObject>,
        step: Option<&PyObject>,
    ) -> PyResult<Ref<PySliceObject>> {
        let slice = Ref::new(PySliceObject {
            ob_base: crate::memory::blank_header(),
            start: ObjCell::default(),
            stop: ObjCell::default(),
            step: ObjCell::default(),
        })?;
        let owned = |object: Option<&PyObject>| object.unwrap_or(none()).to_ref().into_raw();
        slice.start.set(owned(start));
        slice.stop.set(owned(stop));
        slice.step.set(owned(step));
        Ok(slice)
    }
    /// `slice(start, stop)` of machine integers.
    pub fn from_indices(start: isize, stop: isize) -> PyResult<Ref<PySliceObject>> {
        let (start, stop) = (PyLongObject::from_isize(start), PyLongObject::from_isize(stop));
        Self::new_slice(Some(start.as_object()), Some(stop.as_object()), None)
    }
    pub fn start_object(&self) -> &PyObject {
        // SAFETY: a slice owns its three objects from creation to the end.
        unsafe { &*self.start.get() }
    }
    pub fn stop_object(&self) -> &PyObject {
        // SAFETY: as above.
        unsafe { &*self.stop.get() }
    }
    pub fn step_object(&self) -> &PyObject {
        // SAFETY: as above.
        unsafe { &*self.step.get() }
    }

    /// `PySlice_Unpack`: start, stop, step, with None filled in and clipped to machine integers.
    #[inline]
    pub fn unpack(&self) -> PyResult<(isize, isize, isize)> {
        // Small ints, the step left out: what nearly all slices are.
        if is_none(self.step_object())
            && let Some(start) = small_bound(self.start_object(), 0)
            && let Some(stop) = small_bound(self.stop_object(), isize::MAX)
        {
            return Ok((start, stop, 1));
        }
        self.unpack_general()
    }

    fn unpack_general(&self) -> PyResult<(isize, isize, isize)> {
        let (start, stop, step) = (
            self.start_object().to_ref(),
            self.stop_object().to_ref(),
            self.step_object().to_ref(),
        );
        let step = if is_none(&step) {
            1
        } else {
            let step = bound(&step)?;
            if step == 0 {
                return Err(zero_step());
            }
            // So that -step does not overflow.
            step.max(-isize::MAX)
        };
        let start = if is_none(&start) {
            if step < 0 { isize::MAX } else { 0 }
        } else {
            bound(&start)?
        };
        let stop = if is_none(&stop) {
            if step < 0 { isize::MIN } else { isize::MAX }
        } else {
            bound(&stop)?
        };
        Ok((start, stop, step))
    }

    /// The bounds for a sequence whose length is asked for only after the slice's objects were converted.
    pub fn resolve(&self, len: impl FnOnce() -> usize) -> PyResult<Indices> {
        let (start, stop, step) = self.unpack()?;
        Ok(adjust_indices(len(), start, stop, step))
    }

    /// `slice.indices` for ints of any size.
    pub fn long_indices(&self, length: &PyLongObject) -> PyResult<[Ref<PyLongObject>; 3]> {
        use super::longobject::arith::{add, compare, sub};
        let (start, stop, step) = (
            self.start_object().to_ref(),
            self.stop_object().to_ref(),
            self.step_object().to_ref(),
        );
        let one = PyLongObject::from_i64(1);
        let step = if is_none(&step) {
            one.clone()
        } else {
            int_bound(&step)?
        };
        if step.is_zero() {
            return Err(zero_step());
        }
        let backwards = step.is_negative();
        let (lower, upper) = if backwards {
            (PyLongObject::from_i64(-1), sub(length, &one)?)
        } else {
            (PyLongObject::from_i64(0), length.to_exact())
        };
        let clip = |object: &PyObject| -> PyResult<Ref<PyLongObject>> {
            let value = int_bound(object)?;
            if value.is_negative() {
                let value = add(&value, length)?;
                return Ok(if compare(&value, &lower).is_lt() {
                    lower.clone()
                } else {
                    value
                });
            }
            Ok(if compare(&value, &upper).is_gt() {
                upper.clone()
            } else {
                value
            })
        };
        let (first, last) = if backwards {
            (&upper, &lower)
        } else {
            (&lower, &upper)
        };
        let start = if is_none(&start) {
            first.clone()
        } else {
            clip(&start)?
        };
        let stop = if is_none(&stop) {
            last.clone()
        } else {
            clip(&stop)?
        };
        Ok([start, stop, step])
    }

    fn as_triple(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_slice(&[self.start_object(), self.stop_object(), self.step_object()])
    }
}

/// slice(stop)
/// slice(start, stop[, step])
///
/// Creates a slice object: what stands in the brackets of a[0:10:2].
#[pytype(
    name = "slice",
    static_name = PySlice_Type,
    flags = HAVE_GC,
    members = [
        ("start", _Py_T_OBJECT, std::mem::offset_of!(PySliceObject, start), Py_READONLY),
        ("stop", _Py_T_OBJECT, std::mem::offset_of!(PySliceObject, stop), Py_READONLY),
        ("step", _Py_T_OBJECT, std::mem::offset_of!(PySliceObject, step), Py_READONLY)
    ]
)]
impl PySliceObject {
    #[slot]
    fn tp_new(
        _cls: &PyTypeObject,
        args: &PyTupleObject,
        kwargs: Option<&PyDictObject>,
    ) -> PyResult<Ref<Self>> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "slice() takes no keyword arguments"));
        }
        match *args.as_slice() {
            [] => Err(raise!(TypeError, "slice expected at least 1 argument, got 0")),
            [stop] => Self::new_slice(None, Some(stop), None),
            [start, stop] => Self::new_slice(Some(start), Some(stop), None),
            [start, stop, step] => Self::new_slice(Some(start), Some(stop), Some(step)),
            ref more => Err(raise!(
                TypeError,
                "slice expected at most 3 arguments, got {}",
                more.len()
            )),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PySliceObject) {
        // SAFETY: a destructor gets an object whose count is zero; it owns its three fields.
        unsafe {
            crate::memory::gc::untrack(this.cast());
            for field in [&(*this).start, &(*this).stop, &(*this).step] {
                crate::memory::xdecref(field.replace(std::ptr::null_mut()));
            }
            crate::memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        [&self.start, &self.stop, &self.step]
            .iter()
            .map(|field| visitor.visit(field.get()))
            .find(|status| *status != 0)
            .unwrap_or(0)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let mut text = PyUnicodeObject::writer(16);
        text.push_ascii(b"slice(");
        text.push_object(&*self.start_object().repr()?);
        text.push_ascii(b", ");
        text.push_object(&*self.stop_object().repr()?);
        text.push_ascii(b", ");
        text.push_object(&*self.step_object().repr()?);
        text.push_ascii(b")");
        text.finish()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PySliceObject>() else {
            return Ok(not_implemented().to_ref());
        };
        if std::ptr::eq(self, other) {
            return Ok(py_bool(matches!(
                op,
                CompareOp::Eq | CompareOp::Le | CompareOp::Ge
            )));
        }
        self.as_triple()
            .as_object()
            .rich_compare(other.as_triple().as_object(), op)
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        // xxHash's mixing of the three hashes, as tuples do it, but without the length.
        const PRIME_1: u64 = 11400714785074694791;
        const PRIME_2: u64 = 14029467366897019727;
        const PRIME_5: u64 = 2870177450012600261;
        let mut hash = PRIME_5;
        for object in [self.start_object(), self.stop_object(), self.step_object()] {
            let lane = object.to_ref().hash()? as u64;
            hash = hash
                .wrapping_add(lane.wrapping_mul(PRIME_2))
                .rotate_left(31)
                .wrapping_mul(PRIME_1);
        }
        Ok(if hash == u64::MAX {
            1546275796
        } else {
            hash as Py_hash_t
        })
    }
    /// Gives (start, stop, step) as they are for a sequence of the given
    /// length: clipped to it, and without None or negative positions.
    #[method("($self, object, /)")]
    fn indices(&self, object: &PyObject) -> PyResult<Ref<PyTupleObject>> {
        let length = object.index()?;
        if length.is_negative() {
            return Err(raise!(ValueError, "length should not be negative"));
        }
        let indices = self.long_indices(&length)?;
        Ok(PyTupleObject::from_vec(
            indices.into_iter().map(Ref::into_object).collect(),
        ))
    }
    /// Returns what pickle needs.
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let class = self.as_object().ty().as_object();
        PyTupleObject::from_vec(vec![class.to_ref(), self.as_triple().into_object()])
    }
}
