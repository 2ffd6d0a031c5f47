//! `map`, `filter`, `zip`.

use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// The value of the `strict` keyword, the only one these types take.
fn strict_keyword(name: &str, kwargs: Option<&PyDictObject>) -> PyResult<bool> {
    let Some(kwargs) = kwargs.filter(|kwargs| kwargs.len() != 0) else { return Ok(false) };
    let mut position = 0;
    let mut strict = false;
    while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
        let is_strict = key.downcast::<PyUnicodeObject>().is_some_and(|key| key.eq_str("strict"));
        if !is_strict {
            let key = key.str()?.to_string_lossy();
            return Err(raise!(TypeError, "{name}() got an unexpected keyword argument '{key}'"));
        }
        strict = value.to_ref().is_true()?;
    }
    Ok(strict)
}

fn iterators_of(iterables: &[&PyObject]) -> PyResult<Vec<Ref>> {
    iterables.iter().map(|iterable| iterable.iter()).collect()
}

fn visit_all(visitor: &Visitor, objects: &[Ref]) -> c_int {
    for object in objects {
        let status = visitor.visit(object.as_raw());
        if status != 0 {
            return status;
        }
    }
    0
}

/// Steps all iterators into `items`. `None` at the end of the shortest; a difference in length is an error if strict.
fn step_all(name: &str, iterators: &[Ref], strict: bool) -> PyResult<Option<Vec<Ref>>> {
    let mut items = Vec::with_capacity(iterators.len());
    for (at, iterator) in iterators.iter().enumerate() {
        if let Some(item) = iterator.next()? {
            items.push(item);
            continue;
        }
        if strict {
            check_lengths(name, iterators, at)?;
        }
        return Ok(None);
    }
    Ok(Some(items))
}

/// Argument `ended` is exhausted: with `strict` all others must be too.
fn check_lengths(name: &str, iterators: &[Ref], ended: usize) -> PyResult<()> {
    let others = |count: usize| if count == 1 { " 1".to_string() } else { format!("s 1-{count}") };
    if ended > 0 {
        return Err(raise!(
            ValueError,
            "{name}() argument {} is shorter than argument{}",
            ended + 1,
            others(ended)
        ));
    }
    for (at, iterator) in iterators.iter().enumerate().skip(1) {
        if iterator.next()?.is_some() {
            return Err(raise!(ValueError, "{name}() argument {} is longer than argument{}", at + 1, others(at)));
        }
    }
    Ok(())
}

fn reduced(class: &PyObject, args: Vec<Ref>, strict: bool) -> Ref {
    let args = PyTupleObject::from_vec(args);
    if strict {
        return PyTupleObject::from_slice(&[class, args.as_object(), true_()]).into_object();
    }
    PyTupleObject::from_slice(&[class, args.as_object()]).into_object()
}

#[repr(C)]
pub struct MapObject {
    ob_base: PyObject,
    function: Ref,
    iterators: Vec<Ref>,
    strict: Cell<bool>,
}

#[pytype(name = "map", static_name = PyMap_Type, flags = BASETYPE | HAVE_GC)]
/// Calls a function with the items of the iterables, as long as the shortest lasts.
impl MapObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let strict = strict_keyword("map", kwargs)?;
        let [function, iterables @ ..] = args.as_slice() else {
            return Err(raise!(TypeError, "map() must have at least two arguments."));
        };
        if iterables.is_empty() {
            return Err(raise!(TypeError, "map() must have at least two arguments."));
        }
        let iterators = iterators_of(iterables)?;
        let map =
            MapObject { ob_base: blank_header(), function: function.to_ref(), iterators, strict: Cell::new(strict) };
        Ok(Ref::new_in(cls, map)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.function.as_raw());
        if status != 0 { status } else { visit_all(visitor, &self.iterators) }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if let [iterator] = &self.iterators[..] {
            return match iterator.next()? {
                Some(item) => self.function.call1(&item).map(Some),
                None => Ok(None),
            };
        }
        let Some(items) = step_all("map", &self.iterators, self.strict.get())? else { return Ok(None) };
        let args: Vec<&PyObject> = items.iter().map(|item| &**item).collect();
        self.function.call(&args).map(Some)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let mut args = vec![self.function.clone()];
        args.extend(self.iterators.iter().cloned());
        Ok(reduced(self.as_object().ty().as_object(), args, self.strict.get()))
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.strict.set(state.is_true()?);
        Ok(())
    }
}

#[repr(C)]
pub struct FilterObject {
    ob_base: PyObject,
    function: Ref,
    iterator: Ref,
}

#[pytype(name = "filter", static_name = PyFilter_Type, flags = BASETYPE | HAVE_GC)]
/// The items for which the function is true, or which are true themselves.
impl FilterObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) && std::ptr::eq(cls, &PyFilter_Type) {
            return Err(raise!(TypeError, "filter() takes no keyword arguments"));
        }
        let [function, iterable] = args.as_slice() else {
            return Err(raise!(TypeError, "filter expected 2 arguments, got {}", args.len()));
        };
        let filter = FilterObject { ob_base: blank_header(), function: function.to_ref(), iterator: iterable.iter()? };
        Ok(Ref::new_in(cls, filter)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.function.as_raw());
        if status != 0 { status } else { visitor.visit(self.iterator.as_raw()) }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let by_truth = is_none(&self.function) || self.function.is(adder_runtime::objects::boolobject::PyBool_Type.as_object());
        while let Some(item) = self.iterator.next()? {
            let keep = if by_truth { item.is_true()? } else { self.function.call1(&item)?.is_true()? };
            if keep {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let args = vec![self.function.clone(), self.iterator.clone()];
        Ok(reduced(self.as_object().ty().as_object(), args, false))
    }
}

#[repr(C)]
pub struct ZipObject {
    ob_base: PyObject,
    iterators: Vec<Ref>,
    strict: Cell<bool>,
}

#[pytype(name = "zip", static_name = PyZip_Type, flags = BASETYPE | HAVE_GC)]
/// Tuples of items of all iterables, as long as the shortest lasts.
impl ZipObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let strict = strict_keyword("zip", kwargs)?;
        let iterators = iterators_of(args.as_slice())?;
        Ok(Ref::new_in(cls, ZipObject { ob_base: blank_header(), iterators, strict: Cell::new(strict) })?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visit_all(visitor, &self.iterators)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if self.iterators.is_empty() {
            return Ok(None);
        }
        let items = step_all("zip", &self.iterators, self.strict.get())?;
        Ok(items.map(|items| PyTupleObject::from_vec(items).into_object()))
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        Ok(reduced(self.as_object().ty().as_object(), self.iterators.clone(), self.strict.get()))
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.strict.set(state.is_true()?);
        Ok(())
    }
}
