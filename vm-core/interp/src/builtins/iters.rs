//! `map`, `filter`, `zip`.

use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::memory;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// The `strict` keyword, alone.
fn strict_keyword(kwargs: Option<&PyDictObject>, name: &str) -> PyResult<bool> {
    let Some(kwargs) = kwargs else { return Ok(false) };
    let mut strict = false;
    let mut position = 0;
    while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
        let key = key.str()?.to_string_lossy();
        if key != "strict" {
            return Err(raise!(
                TypeError,
                "{name}() got an unexpected keyword argument '{key}'"
            ));
        }
        strict = value.is_true()?;
    }
    Ok(strict)
}

/// The error of `strict` when iterator `index` ended first; the others have not ended.
fn length_error(name: &str, index: usize, longer: bool) -> Raised {
    let plural = if index == 1 { " " } else { "s 1-" };
    raise!(
        ValueError,
        "{name}() argument {} is {} than argument{plural}{index}",
        index + 1,
        if longer { "longer" } else { "shorter" }
    )
}

/// Takes one item of each iterator. `None` at the end; with `strict` all must end together.
fn step(iterators: &[Ref], strict: bool, name: &str) -> PyResult<Option<Vec<Ref>>> {
    let mut items = Vec::with_capacity(iterators.len());
    for (index, iterator) in iterators.iter().enumerate() {
        match iterator.next()? {
            Some(item) => items.push(item),
            None if !strict => return Ok(None),
            None if index > 0 => return Err(length_error(name, index, false)),
            None => {
                for (index, iterator) in iterators.iter().enumerate().skip(1) {
                    if iterator.next()?.is_some() {
                        return Err(length_error(name, index, true));
                    }
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(items))
}

fn visit_all(items: &[Ref], visitor: &Visitor) -> c_int {
    items
        .iter()
        .map(|item| visitor.visit(item.as_raw()))
        .find(|status| *status != 0)
        .unwrap_or(0)
}

#[repr(C)]
pub struct Map {
    ob_base: PyObject,
    function: Ref,
    iterators: Vec<Ref>,
    strict: Cell<bool>,
}

#[pytype(name = "map", static_name = PyMap_Type, flags = BASETYPE | HAVE_GC, export = true)]
/// Make an iterator that computes the function using arguments from each of the iterables.
impl Map {
    #[new(raw, "(function, iterable, /, *iterables, strict=False)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let strict = strict_keyword(kwargs, "map")?;
        let [function, iterables @ ..] = args.as_slice() else {
            return Err(raise!(TypeError, "map() must have at least two arguments."));
        };
        if iterables.is_empty() {
            return Err(raise!(TypeError, "map() must have at least two arguments."));
        }
        let iterators = iterables
            .iter()
            .map(|iterable| iterable.iter())
            .collect::<PyResult<_>>()?;
        let map = Map {
            ob_base: memory::blank_header(),
            function: function.to_ref(),
            iterators,
            strict: Cell::new(strict),
        };
        Ok(Ref::new_in(cls, map)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.function.as_raw()) {
            0 => visit_all(&self.iterators, visitor),
            status => status,
        }
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if let [iterator] = self.iterators.as_slice() {
            return match iterator.next()? {
                Some(item) => self.function.call1(&item).map(Some),
                None => Ok(None),
            };
        }
        match step(&self.iterators, self.strict.get(), "map")? {
            Some(items) => {
                let args: Vec<&PyObject> = items.iter().map(|item| &**item).collect();
                self.function.call(&args).map(Some)
            }
            None => Ok(None),
        }
    }
    #[method]
    fn __reduce__(&self) -> Ref {
        let ty = Map::type_object().to_object();
        let mut args = vec![self.function.clone()];
        args.extend(self.iterators.iter().cloned());
        let mut parts = vec![ty, PyTupleObject::from_vec(args).into_object()];
        if self.strict.get() {
            parts.push(py_bool(true));
        }
        PyTupleObject::from_vec(parts).into_object()
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.strict.set(state.is_true()?);
        Ok(())
    }
}

#[repr(C)]
pub struct Filter {
    ob_base: PyObject,
    function: Ref,
    iterator: Ref,
}

#[pytype(name = "filter", static_name = PyFilter_Type, flags = BASETYPE | HAVE_GC, export = true)]
/// Return an iterator yielding those items of iterable for which function(item) is true.
impl Filter {
    #[new("(function, iterable, /)")]
    fn py_new(cls: &PyTypeObject, function: &PyObject, iterable: &PyObject) -> PyResult {
        let iterator = iterable.iter()?;
        let filter = Filter {
            ob_base: memory::blank_header(),
            function: function.to_ref(),
            iterator,
        };
        Ok(Ref::new_in(cls, filter)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.function.as_raw()) {
            0 => visitor.visit(self.iterator.as_raw()),
            status => status,
        }
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let by_truth = is_none(&self.function)
            || std::ptr::eq(&*self.function, super::PyBool::type_object().as_object());
        while let Some(item) = self.iterator.next()? {
            let good = if by_truth {
                item.is_true()?
            } else {
                self.function.call1(&item)?.is_true()?
            };
            if good {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
    #[method]
    fn __reduce__(&self) -> Ref {
        let args = PyTupleObject::from_vec(vec![self.function.clone(), self.iterator.clone()]);
        PyTupleObject::from_vec(vec![Filter::type_object().to_object(), args.into_object()]).into_object()
    }
}

#[repr(C)]
pub struct Zip {
    ob_base: PyObject,
    iterators: Vec<Ref>,
    strict: Cell<bool>,
}

#[pytype(name = "zip", static_name = PyZip_Type, flags = BASETYPE | HAVE_GC, export = true)]
/// The zip object yields n-length tuples, where n is the number of iterables passed to zip().
///
/// >>> list(zip('ab', range(5)))
/// [('a', 0), ('b', 1)]
impl Zip {
    #[new(raw, "(*iterables, strict=False)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let strict = strict_keyword(kwargs, "zip")?;
        let mut iterators = Vec::with_capacity(args.len());
        for (index, iterable) in args.as_slice().iter().enumerate() {
            match iterable.iter() {
                Ok(iterator) => iterators.push(iterator),
                Err(raised) => {
                    if raised.matches(exc::TypeError) && iterable.ty().tp_iter.get().is_none() {
                        raised.clear();
                        return Err(raise!(
                            TypeError,
                            "'{}' object is not iterable",
                            iterable.ty().name()
                        ));
                    }
                    let _ = index;
                    return Err(raised);
                }
            }
        }
        let zip = Zip {
            ob_base: memory::blank_header(),
            iterators,
            strict: Cell::new(strict),
        };
        Ok(Ref::new_in(cls, zip)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visit_all(&self.iterators, visitor)
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        if self.iterators.is_empty() {
            return Ok(None);
        }
        let items = step(&self.iterators, self.strict.get(), "zip")?;
        Ok(items.map(|items| PyTupleObject::from_vec(items).into_object()))
    }
    #[method]
    fn __reduce__(&self) -> Ref {
        let args = PyTupleObject::from_vec(self.iterators.clone());
        let mut parts = vec![Zip::type_object().to_object(), args.into_object()];
        if self.strict.get() {
            parts.push(py_bool(true));
        }
        PyTupleObject::from_vec(parts).into_object()
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.strict.set(state.is_true()?);
        Ok(())
    }
}
