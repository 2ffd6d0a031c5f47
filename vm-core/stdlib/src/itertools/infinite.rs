//! `count`, `cycle`, `repeat`.

use super::{header, no_keywords, traverse};
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;
use std::cell::Cell;

#[repr(C)]
pub struct Count {
    ob_base: PyObject,
    /// The next value while it and the step 1 fit a machine word.
    small: Cell<i64>,
    is_small: Cell<bool>,
    value: ObjectCell,
    step: ObjectCell,
}

fn is_number(object: &PyObject) -> bool {
    object.ty().number_slot(|slots| slots.nb_index.get()).is_some()
        || object.ty().number_slot(|slots| slots.nb_int.get()).is_some()
        || object.ty().number_slot(|slots| slots.nb_float.get()).is_some()
        || object.downcast::<PyComplexObject>().is_some()
}

#[pytype(name = "itertools.count", static_name = COUNT_TYPE, flags = BASETYPE | HAVE_GC)]
/// Evenly spaced values without end.
impl Count {
    #[new("(start=0, step=1)")]
    fn new(cls: &PyTypeObject, start: Option<&PyObject>, step: Option<&PyObject>) -> PyResult {
        for argument in [start, step].into_iter().flatten() {
            if !is_number(argument) {
                return Err(raise!(TypeError, "a number is required"));
            }
        }
        let small_start = match start {
            None => Some(0),
            Some(start) => start.downcast_exact::<PyLongObject>().and_then(|start| start.to_i64()),
        };
        let unit_step = match step {
            None => true,
            Some(step) => step.downcast_exact::<PyLongObject>().is_some_and(|step| step.to_i64() == Some(1)),
        };
        let step = step.map_or_else(|| PyLongObject::from_i64(1).into_object(), PyObject::to_ref);
        let is_small = unit_step && small_start.is_some();
        let value = start.map_or_else(|| PyLongObject::from_i64(0).into_object(), PyObject::to_ref);
        let count = Count {
            ob_base: header(),
            small: Cell::new(small_start.unwrap_or(0)),
            is_small: Cell::new(is_small),
            value: ObjectCell::new((!is_small).then_some(value)),
            step: ObjectCell::new(Some(step)),
        };
        Ok(Ref::new_in(cls, count)?.into_object())
    }
    fn current(&self) -> Ref {
        match self.value.get() {
            Some(value) if !self.is_small.get() => value,
            _ => PyLongObject::from_i64(self.small.get()).into_object(),
        }
    }
    fn step(&self) -> Ref {
        self.step.get().unwrap_or_else(|| PyLongObject::from_i64(1).into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        traverse!(visitor; self.value, self.step)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if self.is_small.get() {
            let value = self.small.get();
            let result = PyLongObject::from_i64(value).into_object();
            match value.checked_add(1) {
                Some(next) => self.small.set(next),
                None => {
                    self.is_small.set(false);
                    self.value.set(Some(number::add(&result, &self.step())?));
                }
            }
            return Ok(Some(result));
        }
        let value = self.current();
        let next = number::add(&value, &self.step())?;
        self.value.set(Some(next));
        Ok(Some(value))
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let value = self.current().repr()?.to_string_lossy();
        let step = self.step();
        let text = match step.downcast_exact::<PyLongObject>().and_then(|step| step.to_i64()) {
            Some(1) => format!("count({value})"),
            _ => format!("count({value}, {})", step.repr()?.to_string_lossy()),
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
}

#[repr(C)]
pub struct Cycle {
    ob_base: PyObject,
    iterator: ObjectCell,
    saved: Ref<PyListObject>,
    at: Cell<usize>,
}

#[pytype(name = "itertools.cycle", static_name = CYCLE_TYPE, flags = BASETYPE | HAVE_GC)]
/// The items of an iterable, again and again.
impl Cycle {
    #[new(raw, "(iterable, /)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        no_keywords(cls, &CYCLE_TYPE, kwargs)?;
        let [iterable] = args.as_slice() else {
            return Err(raise!(TypeError, "cycle expected 1 argument, got {}", args.len()));
        };
        let cycle = Cycle {
            ob_base: header(),
            iterator: ObjectCell::new(Some(iterable.iter()?)),
            saved: PyListObject::new(),
            at: Cell::new(0),
        };
        Ok(Ref::new_in(cls, cycle)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.saved.as_raw());
        if status != 0 { status } else { self.iterator.visit(visitor) }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if let Some(iterator) = self.iterator.get() {
            if let Some(item) = iterator.next()? {
                self.saved.push(item.clone());
                return Ok(Some(item));
            }
            self.iterator.set(None);
        }
        if self.saved.len() == 0 {
            return Ok(None);
        }
        let at = self.at.get();
        let item = self.saved.get(at);
        self.at.set(if at + 1 >= self.saved.len() { 0 } else { at + 1 });
        Ok(item)
    }
}

#[repr(C)]
pub struct Repeat {
    ob_base: PyObject,
    object: Ref,
    /// Negative: without end.
    left: Cell<isize>,
}

#[pytype(name = "itertools.repeat", static_name = REPEAT_TYPE, flags = BASETYPE | HAVE_GC)]
/// The same object a number of times, or without end.
impl Repeat {
    #[new("~(object, times=<unrepresentable>)")]
    fn new(cls: &PyTypeObject, object: &PyObject, times: Option<isize>) -> PyResult {
        let left = times.map_or(-1, |times| times.max(0));
        Ok(Ref::new_in(cls, Repeat { ob_base: header(), object: object.to_ref(), left: Cell::new(left) })?
            .into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.object.as_raw())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let left = self.left.get();
        if left == 0 {
            return Ok(None);
        }
        if left > 0 {
            self.left.set(left - 1);
        }
        Ok(Some(self.object.clone()))
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let object = self.object.repr()?.to_string_lossy();
        let text = match self.left.get() {
            left if left < 0 => format!("repeat({object})"),
            left => format!("repeat({object}, {left})"),
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult<isize> {
        match self.left.get() {
            left if left < 0 => Err(raise!(TypeError, "len() of unsized object")),
            left => Ok(left),
        }
    }
}
