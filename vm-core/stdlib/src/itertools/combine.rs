//! `accumulate`, `chain`, `pairwise`, `zip_longest`, `batched`.

use super::{header, traverse};
use adder_runtime::objects::tupleobject::reuse_pair;
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;
use std::cell::Cell;

#[repr(C)]
pub struct Accumulate {
    ob_base: PyObject,
    iterator: Ref,
    function: Option<Ref>,
    total: ObjectCell,
    initial: ObjectCell,
}

#[pytype(name = "itertools.accumulate", static_name = ACCUMULATE_TYPE, flags = BASETYPE | HAVE_GC)]
/// Running totals, or running results of a function of two arguments.
impl Accumulate {
    #[new("(iterable, func=None, *, initial=None)")]
    fn new(
        cls: &PyTypeObject,
        iterable: &PyObject,
        func: Option<&PyObject>,
        initial: Option<&PyObject>,
    ) -> PyResult {
        let accumulate = Accumulate {
            ob_base: header(),
            iterator: iterable.iter()?,
            function: func.filter(|func| !is_none(func)).map(PyObject::to_ref),
            total: ObjectCell::new(None),
            initial: ObjectCell::new(initial.filter(|initial| !is_none(initial)).map(PyObject::to_ref)),
        };
        Ok(Ref::new_in(cls, accumulate)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.iterator.as_raw());
        if status != 0 {
            return status;
        }
        let status = visitor.visit_ref(&self.function);
        if status != 0 {
            return status;
        }
        traverse!(visitor; self.total, self.initial)
    }
    #[slot]
    fn tp_clear(&self) {
        self.total.set(None);
        self.initial.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if let Some(initial) = self.initial.take() {
            self.total.set(Some(initial.clone()));
            return Ok(Some(initial));
        }
        let Some(item) = self.iterator.next()? else { return Ok(None) };
        let total = match self.total.get() {
            None => item,
            Some(total) => match &self.function {
                None => number::add(&total, &item)?,
                Some(function) => function.call(&[&total, &item])?,
            },
        };
        self.total.set(Some(total.clone()));
        Ok(Some(total))
    }
}

#[repr(C)]
pub struct Chain {
    ob_base: PyObject,
    source: ObjectCell,
    active: ObjectCell,
}

#[pytype(name = "itertools.chain", static_name = CHAIN_TYPE, flags = BASETYPE | HAVE_GC)]
/// One iterable after the other.
impl Chain {
    #[new(raw, "(*iterables)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        super::no_keywords(cls, &CHAIN_TYPE, kwargs)?;
        Self::over(cls, args.as_object())
    }
    fn over(cls: &PyTypeObject, iterables: &PyObject) -> PyResult {
        let chain = Chain {
            ob_base: header(),
            source: ObjectCell::new(Some(iterables.iter()?)),
            active: ObjectCell::new(None),
        };
        Ok(Ref::new_in(cls, chain)?.into_object())
    }
    /// A chain over the iterables that an iterable gives, taken lazily.
    #[classmethod("($type, iterable, /)")]
    fn from_iterable(cls: &PyTypeObject, iterable: &PyObject) -> PyResult {
        Self::over(cls, iterable)
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        traverse!(visitor; self.source, self.active)
    }
    #[slot]
    fn tp_clear(&self) {
        self.source.set(None);
        self.active.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        loop {
            let Some(source) = self.source.get() else { return Ok(None) };
            let active = match self.active.get() {
                Some(active) => active,
                None => {
                    let iterable = match source.next() {
                        Ok(Some(iterable)) => iterable,
                        end => {
                            self.source.set(None);
                            return end;
                        }
                    };
                    let iterator = match iterable.iter() {
                        Ok(iterator) => iterator,
                        Err(raised) => {
                            self.source.set(None);
                            return Err(raised);
                        }
                    };
                    self.active.set(Some(iterator.clone()));
                    iterator
                }
            };
            if let Some(item) = active.next()? {
                return Ok(Some(item));
            }
            self.active.set(None);
        }
    }
}

#[repr(C)]
pub struct Pairwise {
    ob_base: PyObject,
    iterator: ObjectCell,
    old: ObjectCell,
    /// The pair made last, used again when nobody else has it.
    result: Cell<*mut PyTupleObject>,
}

impl Drop for Pairwise {
    fn drop(&mut self) {
        // SAFETY: the iterator owns its last pair.
        drop(unsafe { Ref::from_owned_opt(self.result.get()) });
    }
}

#[pytype(name = "itertools.pairwise", static_name = PAIRWISE_TYPE, flags = BASETYPE | HAVE_GC)]
/// Overlapping pairs.
impl Pairwise {
    #[new("(iterable, /)")]
    fn new(cls: &PyTypeObject, iterable: &PyObject) -> PyResult {
        let pairwise = Pairwise {
            ob_base: header(),
            iterator: ObjectCell::new(Some(iterable.iter()?)),
            old: ObjectCell::new(None),
            // Made here: a pair that is used again is tracked by the collector, whatever it holds.
            result: Cell::new(PyTupleObject::from_vec(vec![none_ref(), none_ref()]).into_raw()),
        };
        Ok(Ref::new_in(cls, pairwise)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.result.get());
        if status != 0 {
            return status;
        }
        traverse!(visitor; self.iterator, self.old)
    }
    #[slot]
    fn tp_clear(&self) {
        self.iterator.set(None);
        self.old.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(iterator) = self.iterator.get() else { return Ok(None) };
        let old = match self.old.get() {
            Some(old) => old,
            None => {
                let Some(first) = iterator.next()? else {
                    self.iterator.set(None);
                    return Ok(None);
                };
                self.old.set(Some(first.clone()));
                if !self.iterator.is_some() {
                    return Ok(None);
                }
                first
            }
        };
        let Some(new) = iterator.next()? else {
            self.iterator.set(None);
            self.old.set(None);
            return Ok(None);
        };
        self.old.set(Some(new.clone()));
        Ok(Some(reuse_pair(&self.result, old, new)))
    }
}

#[repr(C)]
pub struct ZipLongest {
    ob_base: PyObject,
    iterators: Vec<ObjectCell>,
    active: Cell<usize>,
    fill: Ref,
}

#[pytype(name = "itertools.zip_longest", static_name = ZIP_LONGEST_TYPE, flags = BASETYPE | HAVE_GC)]
/// Tuples of items of all iterables, as long as the longest lasts.
impl ZipLongest {
    #[new(raw, "(*iterables, fillvalue=None)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let mut fill = none_ref();
        if let Some(kwargs) = kwargs.filter(|kwargs| kwargs.len() != 0) {
            match kwargs.get_str(identifier!("fillvalue")) {
                Some(value) if kwargs.len() == 1 => fill = value,
                _ => return Err(raise!(TypeError, "zip_longest() got an unexpected keyword argument")),
            }
        }
        let mut iterators = Vec::with_capacity(args.len());
        for iterable in args.as_slice() {
            iterators.push(ObjectCell::new(Some(iterable.iter()?)));
        }
        let active = Cell::new(iterators.len());
        Ok(Ref::new_in(cls, ZipLongest { ob_base: header(), iterators, active, fill })?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for iterator in &self.iterators {
            let status = iterator.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        visitor.visit(self.fill.as_raw())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if self.iterators.is_empty() || self.active.get() == 0 {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(self.iterators.len());
        for cell in &self.iterators {
            let item = match cell.get() {
                None => None,
                Some(iterator) => match iterator.next() {
                    Ok(Some(item)) => Some(item),
                    Ok(None) => {
                        self.active.set(self.active.get().saturating_sub(1));
                        if self.active.get() == 0 {
                            return Ok(None);
                        }
                        cell.set(None);
                        None
                    }
                    Err(raised) => {
                        self.active.set(0);
                        return Err(raised);
                    }
                },
            };
            items.push(item.unwrap_or_else(|| self.fill.clone()));
        }
        Ok(Some(PyTupleObject::from_vec(items).into_object()))
    }
}

#[repr(C)]
pub struct Batched {
    ob_base: PyObject,
    iterator: ObjectCell,
    size: isize,
    strict: bool,
}

#[pytype(name = "itertools.batched", static_name = BATCHED_TYPE, flags = BASETYPE | HAVE_GC)]
/// Tuples of n items each; the last may be shorter, which is a ValueError if `strict`.
///
/// >>> list(batched('adder', 2))
/// [('a', 'd'), ('d', 'e'), ('r',)]
impl Batched {
    #[new("(iterable, n, *, strict=False)")]
    fn new(cls: &PyTypeObject, iterable: &PyObject, n: isize, strict: Option<bool>) -> PyResult {
        if n < 1 {
            return Err(raise!(ValueError, "n must be at least one"));
        }
        let batched = Batched {
            ob_base: header(),
            iterator: ObjectCell::new(Some(iterable.iter()?)),
            size: n,
            strict: strict.unwrap_or(false),
        };
        Ok(Ref::new_in(cls, batched)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        traverse!(visitor; self.iterator)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(iterator) = self.iterator.get() else { return Ok(None) };
        let mut items = Vec::new();
        while (items.len() as isize) < self.size {
            match iterator.next() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => {
                    self.iterator.set(None);
                    break;
                }
                Err(raised) => {
                    self.iterator.set(None);
                    return Err(raised);
                }
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        if self.strict && (items.len() as isize) < self.size {
            return Err(raise!(ValueError, "batched(): incomplete batch"));
        }
        Ok(Some(PyTupleObject::from_vec(items).into_object()))
    }
}
