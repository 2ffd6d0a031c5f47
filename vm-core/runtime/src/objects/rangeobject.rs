//! `range` and its iterators: ints of any size; lengths and items that fit machine integers take short cuts.

use super::longobject::arith;
use super::longobject::int_type::as_int;
use crate::memory::blank_header;
use crate::prelude::*;
use std::cell::{Cell, RefCell};

type Int = Ref<PyLongObject>;

/// A range: its bounds and how many items there are.
#[repr(C)]
pub struct PyRange {
    ob_base: PyObject,
    start: Int,
    stop: Int,
    step: Int,
    length: Int,
}

/// The iterator of a range whose items and bounds are machine integers.
#[repr(C)]
pub struct PyRangeIterator {
    ob_base: PyObject,
    start: Cell<i64>,
    step: Cell<i64>,
    len: Cell<i64>,
}

impl PyRangeIterator {
    /// Where the fast paths find the next item, the step and the number of items left.
    pub const START_OFFSET: usize = std::mem::offset_of!(PyRangeIterator, start);
    pub const STEP_OFFSET: usize = std::mem::offset_of!(PyRangeIterator, step);
    pub const LEN_OFFSET: usize = std::mem::offset_of!(PyRangeIterator, len);
}

/// The iterator of any other range.
#[repr(C)]
pub struct PyLongRangeIterator {
    ob_base: PyObject,
    state: RefCell<LongState>,
}

/// What is left of a long range.
struct LongState {
    start: Int,
    step: Int,
    len: Int,
}

/// How many items `range(start, stop, step)` has; `step` is not zero.
pub fn length_of_range(start: i64, stop: i64, step: i64) -> u64 {
    if step > 0 && start < stop {
        1 + (stop.wrapping_sub(start) as u64 - 1) / step as u64
    } else if step < 0 && start > stop {
        1 + (start.wrapping_sub(stop) as u64 - 1) / step.unsigned_abs()
    } else {
        0
    }
}

fn compute_length(start: &PyLongObject, stop: &PyLongObject, step: &PyLongObject) -> PyResult<Int> {
    if let (Some(start), Some(stop), Some(step)) = (start.to_i64(), stop.to_i64(), step.to_i64()) {
        return Ok(PyLongObject::from_u64(length_of_range(start, stop, step)));
    }
    let (low, high, step) = if step.is_negative() {
        (stop, start, arith::neg(step)?)
    } else {
        (start, stop, step.to_exact())
    };
    if arith::compare(low, high).is_ge() {
        return Ok(PyLongObject::from_i64(0));
    }
    let one = PyLongObject::from_i64(1);
    let span = arith::sub(&*arith::sub(high, low)?, &one)?;
    arith::add(&*arith::floor_div(&span, &step)?, &one)
}

/// `item == wanted` for an item on the way; a search by equality as sequences do it.
fn search(range: &PyObject, wanted: &PyObject, mut found: impl FnMut(usize) -> bool) -> PyResult<()> {
    let iterator = range.iter()?;
    let mut index = 0;
    while let Some(item) = iterator.next()? {
        if item.eq(wanted)? && found(index) {
            return Ok(());
        }
        index += 1;
    }
    Ok(())
}

impl PyRange {
    pub fn start(&self) -> &PyLongObject {
        &self.start
    }
    pub fn stop(&self) -> &PyLongObject {
        &self.stop
    }
    pub fn step(&self) -> &PyLongObject {
        &self.step
    }
    pub fn length(&self) -> &PyLongObject {
        &self.length
    }

    fn make(start: Int, stop: Int, step: Int) -> PyResult<Ref<PyRange>> {
        let length = compute_length(&start, &stop, &step)?;
        Ref::new(PyRange {
            ob_base: blank_header(),
            start,
            stop,
            step,
            length,
        })
    }

    fn from_arguments(arguments: &[&PyObject]) -> PyResult<Ref<PyRange>> {
        let (start, stop, step) = match *arguments {
            [] => return Err(raise!(TypeError, "range expected at least 1 argument, got 0")),
            [stop] => (
                PyLongObject::from_i64(0),
                stop.index()?,
                PyLongObject::from_i64(1),
            ),
            [start, stop] => (start.index()?, stop.index()?, PyLongObject::from_i64(1)),
            [start, stop, step] => {
                let bounds = (start.index()?, stop.index()?, step.index()?);
                if bounds.2.is_zero() {
                    return Err(raise!(ValueError, "range() arg 3 must not be zero"));
                }
                bounds
            }
            ref more => {
                return Err(raise!(
                    TypeError,
                    "range expected at most 3 arguments, got {}",
                    more.len()
                ));
            }
        };
        Self::make(start, stop, step)
    }

    /// The bounds as machine integers.
    fn small(&self) -> Option<(i64, i64, i64)> {
        Some((self.start.to_i64()?, self.step.to_i64()?, self.length.to_i64()?))
    }

    /// `start + index * step`.
    fn value_at(&self, index: &PyLongObject) -> PyResult<Int> {
        arith::add(&self.start, &*arith::mul(index, &self.step)?)
    }

    fn item(&self, index: &PyLongObject) -> PyResult<Int> {
        if let (Some((start, step, length)), Some(mut at)) = (self.small(), index.to_i64()) {
            if at < 0 {
                at += length;
            }
            if at < 0 || at >= length {
                return Err(out_of_range());
            }
            if let Some(value) = at.checked_mul(step).and_then(|way| start.checked_add(way)) {
                return Ok(PyLongObject::from_i64(value));
            }
        }
        let index = if index.is_negative() {
            arith::add(index, &self.length)?
        } else {
            index.to_exact()
        };
        if index.is_negative() || arith::compare(&index, &self.length).is_ge() {
            return Err(out_of_range());
        }
        self.value_at(&index)
    }

    fn slice(&self, slice: &PySliceObject) -> PyResult<Ref<PyRange>> {
        let [start, stop, step] = slice.long_indices(&self.length)?;
        let new_step = arith::mul(&step, &self.step)?;
        Self::make(self.value_at(&start)?, self.value_at(&stop)?, new_step)
    }

    fn contains_int(&self, value: &PyLongObject) -> PyResult<bool> {
        if let (Some(start), Some(stop), Some(step), Some(value)) = (
            self.start.to_i64(),
            self.stop.to_i64(),
            self.step.to_i64(),
            value.to_i64(),
        ) {
            let inside = if step > 0 {
                start <= value && value < stop
            } else {
                stop < value && value <= start
            };
            return Ok(inside && (i128::from(value) - i128::from(start)) % i128::from(step) == 0);
        }
        let inside = if self.step.is_negative() {
            arith::compare(&self.stop, value).is_lt() && arith::compare(value, &self.start).is_le()
        } else {
            arith::compare(&self.start, value).is_le() && arith::compare(value, &self.stop).is_lt()
        };
        Ok(inside && arith::modulo(&*arith::sub(value, &self.start)?, &self.step)?.is_zero())
    }

    /// A range equals another when they have the same items.
    fn same_items(&self, other: &PyRange) -> bool {
        let equal = |a: &Int, b: &Int| arith::compare(a, b).is_eq();
        if std::ptr::eq(self, other) {
            return true;
        }
        if !equal(&self.length, &other.length) {
            return false;
        }
        if self.length.is_zero() {
            return true;
        }
        if !equal(&self.start, &other.start) {
            return false;
        }
        self.length.digits() == [1] || equal(&self.step, &other.step)
    }

    fn long_iterator(start: Int, step: Int, length: &Int) -> PyResult {
        PyLongRangeIterator::make(LongState {
            start,
            step,
            len: length.clone(),
        })
        .map(Ref::into_object)
    }

    /// Bounds and length as machine integers, all of them or none.
    fn machine_bounds(&self) -> Option<(i64, i64, i64, i64)> {
        Some((
            self.start.to_i64()?,
            self.stop.to_i64()?,
            self.step.to_i64()?,
            self.length.to_i64()?,
        ))
    }
}

#[cold]
fn out_of_range() -> Raised {
    raise!(IndexError, "range object index out of range")
}

fn is_plain_int(object: &PyObject) -> Option<&PyLongObject> {
    as_int(object)
        .filter(|_| PyLongObject::check_exact(object) || super::boolobject::as_bool(object).is_some())
}

/// range(stop) -> range object
/// range(start, stop[, step]) -> range object
///
/// The integers from start (0 when not given) up to, but not including, stop,
/// in steps of step (1 when not given; it may be negative).
#[pytype(
    name = "range",
    static_name = PyRange_Type,
    flags = SEQUENCE,
    dealloc = payload,
    members = [
        ("start", _Py_T_OBJECT, std::mem::offset_of!(PyRange, start), Py_READONLY),
        ("stop", _Py_T_OBJECT, std::mem::offset_of!(PyRange, stop), Py_READONLY),
        ("step", _Py_T_OBJECT, std::mem::offset_of!(PyRange, step), Py_READONLY)
    ]
)]
impl PyRange {
    #[slot]
    fn tp_new(
        _cls: &PyTypeObject,
        args: &PyTupleObject,
        kwargs: Option<&PyDictObject>,
    ) -> PyResult<Ref<Self>> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "range() takes no keyword arguments"));
        }
        Self::from_arguments(args.as_slice())
    }
    #[slot]
    fn tp_vectorcall(
        _cls: &PyTypeObject,
        args: &[&PyObject],
        kwnames: Option<&PyTupleObject>,
    ) -> PyResult<Ref<Self>> {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(raise!(TypeError, "range() takes no keyword arguments"));
        }
        Self::from_arguments(args)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let (start, stop) = (self.start.to_decimal_string()?, self.stop.to_decimal_string()?);
        if self.step.digits() == [1] && !self.step.is_negative() {
            return Ok(format!("range({start}, {stop})"));
        }
        Ok(format!(
            "range({start}, {stop}, {})",
            self.step.to_decimal_string()?
        ))
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let mut parts = [self.length.as_object(), none(), none()];
        if !self.length.is_zero() {
            parts[1] = self.start.as_object();
            if self.length.digits() != [1] {
                parts[2] = self.step.as_object();
            }
        }
        PyTupleObject::from_slice(&parts).as_object().hash()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match (other.downcast::<PyRange>(), op) {
            (Some(other), CompareOp::Eq) => Ok(py_bool(self.same_items(other))),
            (Some(other), CompareOp::Ne) => Ok(py_bool(!self.same_items(other))),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        if let Some((start, stop, step, length)) = self.machine_bounds() {
            // The value after the last item must fit too, so that stepping never overflows.
            let beyond = if step > 0 {
                stop.checked_add(step - 1)
            } else {
                stop.checked_add(step + 1)
            };
            if beyond.is_some() {
                return PyRangeIterator::make(start, step, length).map(Ref::into_object);
            }
        }
        Self::long_iterator(self.start.clone(), self.step.clone(), &self.length)
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.length.is_zero())
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        self.length.as_isize().map(|length| length as usize)
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult<Int> {
        // The protocol has already added the length to a negative index.
        if index < 0 {
            return Err(out_of_range());
        }
        self.item(&PyLongObject::from_isize(index))
    }
    #[slot]
    fn sq_contains(&self, value: &PyObject) -> PyResult<bool> {
        if let Some(value) = is_plain_int(value) {
            return self.contains_int(value);
        }
        let mut found = false;
        search(self.as_object(), value, |_| {
            found = true;
            true
        })?;
        Ok(found)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        self.length.as_isize().map(|length| length as usize)
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        if key.has_index() {
            return self.item(&*key.index()?).map(Ref::into_object);
        }
        match key.downcast::<PySliceObject>() {
            Some(slice) => self.slice(slice).map(Ref::into_object),
            None => Err(raise!(
                TypeError,
                "range indices must be integers or slices, not {}",
                key.ty().name()
            )),
        }
    }
    /// Returns a reverse iterator.
    #[method("($self, /)")]
    fn __reversed__(&self) -> PyResult {
        // From the last item down to the first.
        if let Some((start, _, step, length)) = self.machine_bounds()
            && let Some(stop) = start.checked_sub(step)
        {
            let last = stop.wrapping_add(length.wrapping_mul(step));
            return PyRangeIterator::make(last, step.wrapping_neg(), length).map(Ref::into_object);
        }
        let last = arith::sub(&self.length, &PyLongObject::from_i64(1))?;
        Self::long_iterator(self.value_at(&last)?, arith::neg(&self.step)?, &self.length)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let bounds = [
            self.start.as_object(),
            self.stop.as_object(),
            self.step.as_object(),
        ];
        let class = self.as_object().ty().as_object();
        PyTupleObject::from_vec(vec![
            class.to_ref(),
            PyTupleObject::from_slice(&bounds).into_object(),
        ])
    }
    /// Returns how often the value occurs.
    #[method("($self, object, /)")]
    fn count(&self, object: &PyObject) -> PyResult<usize> {
        if let Some(value) = is_plain_int(object) {
            return Ok(self.contains_int(value)?.into());
        }
        let mut n = 0;
        search(self.as_object(), object, |_| {
            n += 1;
            false
        })?;
        Ok(n)
    }
    /// Returns the index of the value; ValueError when it does not occur.
    #[method("($self, object, /)")]
    fn index(&self, object: &PyObject) -> PyResult<Int> {
        if let Some(value) = is_plain_int(object) {
            if self.contains_int(value)? {
                return arith::floor_div(&*arith::sub(value, &self.start)?, &self.step);
            }
            return Err(raise!(ValueError, "range.index(x): x not in range"));
        }
        let mut at = None;
        search(self.as_object(), object, |index| {
            at = Some(index);
            true
        })?;
        match at {
            Some(index) => Ok(PyLongObject::from_usize(index)),
            None => Err(raise!(ValueError, "sequence.index(x): x not in sequence")),
        }
    }
}

/// What pickle needs for an iterator: `iter(range(start, stop, step))` and the items gone by.
fn reduce_iterator(start: Int, len: &PyLongObject, step: Int) -> PyResult<Ref<PyTupleObject>> {
    let stop = arith::add(&start, &*arith::mul(len, &step)?)?;
    let range = PyRange::make(start, stop, step)?;
    let iter = crate::module::builtin("iter")?;
    let arguments = PyTupleObject::from_vec(vec![range.into_object()]);
    Ok(PyTupleObject::from_vec(vec![
        iter,
        arguments.into_object(),
        none_ref(),
    ]))
}

impl PyRangeIterator {
    fn make(start: i64, step: i64, len: i64) -> PyResult<Ref<PyRangeIterator>> {
        Ref::new(PyRangeIterator {
            ob_base: blank_header(),
            start: Cell::new(start),
            step: Cell::new(step),
            len: Cell::new(len),
        })
    }
    /// The next item, without an object: for the interpreter's loops.
    #[inline(always)]
    pub fn next_value(&self) -> Option<i64> {
        let len = self.len.get();
        if len <= 0 {
            return None;
        }
        let value = self.start.get();
        // The value after the last one was checked to fit when the iterator was made.
        self.start.set(value.wrapping_add(self.step.get()));
        self.len.set(len - 1);
        Some(value)
    }
}

#[pytype(name = "range_iterator", static_name = PyRangeIter_Type)]
impl PyRangeIterator {
    #[slot]
    fn tp_iter(&self) -> Ref<Self> {
        self.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> Option<Int> {
        self.next_value().map(PyLongObject::from_i64)
    }
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> i64 {
        self.len.get()
    }
    /// Returns what pickle needs.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        reduce_iterator(
            PyLongObject::from_i64(self.start.get()),
            &PyLongObject::from_i64(self.len.get()),
            PyLongObject::from_i64(self.step.get()),
        )
    }
    /// Sets what pickle saved.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: &PyObject) -> PyResult<()> {
        let index = object.index()?.as_i64()?.clamp(0, self.len.get());
        self.start
            .set(self.start.get().wrapping_add(index.wrapping_mul(self.step.get())));
        self.len.set(self.len.get() - index);
        Ok(())
    }
}

impl PyLongRangeIterator {
    fn make(state: LongState) -> PyResult<Ref<PyLongRangeIterator>> {
        Ref::new(PyLongRangeIterator {
            ob_base: blank_header(),
            state: RefCell::new(state),
        })
    }
}

#[pytype(name = "longrange_iterator", static_name = PyLongRangeIter_Type)]
impl PyLongRangeIterator {
    #[slot]
    fn tp_iter(&self) -> Ref<Self> {
        self.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Int>> {
        let mut state = self.state.borrow_mut();
        if state.len.sign() <= 0 {
            return Ok(None);
        }
        let next = arith::add(&state.start, &state.step)?;
        state.len = arith::sub(&state.len, &PyLongObject::from_i64(1))?;
        Ok(Some(std::mem::replace(&mut state.start, next)))
    }
    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> Int {
        self.state.borrow().len.clone()
    }
    /// Returns what pickle needs.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let state = self.state.borrow();
        reduce_iterator(state.start.clone(), &state.len, state.step.clone())
    }
    /// Sets what pickle saved.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: &PyObject) -> PyResult<()> {
        let Some(index) = as_int(object) else {
            return Err(raise!(
                TypeError,
                "state must be an int, not {}",
                object.ty().name()
            ));
        };
        let index = index.to_exact();
        let mut state = self.state.borrow_mut();
        let zero = PyLongObject::from_i64(0);
        let index = if index.is_negative() {
            zero
        } else if arith::compare(&index, &state.len).is_gt() {
            state.len.clone()
        } else {
            index
        };
        state.start = arith::add(&state.start, &*arith::mul(&index, &state.step)?)?;
        state.len = arith::sub(&state.len, &index)?;
        Ok(())
    }
}
