//! `compress`, `dropwhile`, `takewhile`, `filterfalse`, `islice`, `starmap`.

use super::{header, no_keywords, traverse};
use adder_runtime::prelude::*;
use std::cell::Cell;

/// The function and the iterator of an argument pair.
fn function_and_iterator(
    cls: &PyTypeObject,
    own: &PyTypeObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult<(Ref, Ref)> {
    no_keywords(cls, own, kwargs)?;
    let [function, iterable] = args.as_slice() else {
        return Err(raise!(TypeError, "{} expected 2 arguments, got {}", own.name(), args.len()));
    };
    Ok((function.to_ref(), iterable.iter()?))
}

#[repr(C)]
pub struct Compress {
    ob_base: PyObject,
    data: Ref,
    selectors: Ref,
}

#[pytype(name = "itertools.compress", static_name = COMPRESS_TYPE, flags = BASETYPE | HAVE_GC)]
/// The data whose selector is true.
impl Compress {
    #[new("(data, selectors)")]
    fn new(cls: &PyTypeObject, data: &PyObject, selectors: &PyObject) -> PyResult {
        let compress = Compress { ob_base: header(), data: data.iter()?, selectors: selectors.iter()? };
        Ok(Ref::new_in(cls, compress)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.data.as_raw());
        if status != 0 { status } else { visitor.visit(self.selectors.as_raw()) }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        loop {
            let Some(datum) = self.data.next()? else { return Ok(None) };
            let Some(selector) = self.selectors.next()? else { return Ok(None) };
            if selector.is_true()? {
                return Ok(Some(datum));
            }
        }
    }
}

/// The shape that the predicate iterators share.
macro_rules! predicate_iterator {
    ($(#[$doc:meta])* $struct:ident, $static:ident, $name:literal, $signature:literal, |$this:ident| $next:block) => {
        #[repr(C)]
        pub struct $struct {
            ob_base: PyObject,
            function: Ref,
            iterator: Ref,
            done: Cell<bool>,
        }

        #[pytype(name = $name, static_name = $static, flags = BASETYPE | HAVE_GC)]
        $(#[$doc])*
        impl $struct {
            #[new(raw, $signature)]
            fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
                let (function, iterator) = function_and_iterator(cls, &$static, args, kwargs)?;
                let made = $struct { ob_base: header(), function, iterator, done: Cell::new(false) };
                Ok(Ref::new_in(cls, made)?.into_object())
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
                let $this = self;
                $next
            }
        }
    };
}

predicate_iterator!(
    /// Drops items while the predicate holds, then gives all the rest.
    DropWhile, DROPWHILE_TYPE, "itertools.dropwhile", "(predicate, iterable, /)", |this| {
        loop {
            let Some(item) = this.iterator.next()? else { return Ok(None) };
            if this.done.get() {
                return Ok(Some(item));
            }
            if !this.function.call1(&item)?.is_true()? {
                this.done.set(true);
                return Ok(Some(item));
            }
        }
    }
);

predicate_iterator!(
    /// Gives items as long as the predicate holds.
    TakeWhile, TAKEWHILE_TYPE, "itertools.takewhile", "(predicate, iterable, /)", |this| {
        if this.done.get() {
            return Ok(None);
        }
        let Some(item) = this.iterator.next()? else { return Ok(None) };
        if this.function.call1(&item)?.is_true()? {
            return Ok(Some(item));
        }
        this.done.set(true);
        Ok(None)
    }
);

predicate_iterator!(
    /// Gives the items for which the predicate is false.
    FilterFalse, FILTERFALSE_TYPE, "itertools.filterfalse", "(function, iterable, /)", |this| {
        loop {
            let Some(item) = this.iterator.next()? else { return Ok(None) };
            let holds = if is_none(&this.function) || std::ptr::eq(this.function.as_raw(), bool_type()) {
                item.is_true()?
            } else {
                this.function.call1(&item)?.is_true()?
            };
            if !holds {
                return Ok(Some(item));
            }
        }
    }
);

fn bool_type() -> *mut PyObject {
    adder_runtime::objects::boolobject::PyBool_Type.as_object().as_ptr()
}

predicate_iterator!(
    /// Calls the function with each item's items as arguments.
    StarMap, STARMAP_TYPE, "itertools.starmap", "(function, iterable, /)", |this| {
        let Some(item) = this.iterator.next()? else { return Ok(None) };
        let args = item.to_tuple()?;
        this.function.call(args.as_slice()).map(Some)
    }
);

#[repr(C)]
pub struct ISlice {
    ob_base: PyObject,
    iterator: ObjectCell,
    next: Cell<isize>,
    /// Negative: without end.
    stop: Cell<isize>,
    step: isize,
    count: Cell<isize>,
}

/// The message speaks of the stop when that is no integer or -1, and of both when it is another negative one.
fn stop_argument(value: &PyObject, bound: &str) -> PyResult<Option<isize>> {
    if is_none(value) {
        return Ok(None);
    }
    let number = value.to_index(adder_runtime::exceptions::exc::OverflowError).map_err(Raised::clear);
    match number {
        Ok(-1) | Err(()) => Err(raise!(ValueError, "Stop argument for islice() {bound}")),
        Ok(number) if number < 0 => Err(raise!(ValueError, "Indices for islice() {bound}")),
        Ok(number) => Ok(Some(number)),
    }
}

fn slice_argument(value: &PyObject, what: &str) -> PyResult<Option<isize>> {
    if is_none(value) {
        return Ok(None);
    }
    let bad = |raised: Raised| {
        raised.clear();
        raise!(ValueError, "{what}")
    };
    let number = value.to_index(adder_runtime::exceptions::exc::OverflowError).map_err(bad)?;
    if number < 0 {
        return Err(raise!(ValueError, "{what}"));
    }
    Ok(Some(number))
}

#[pytype(name = "itertools.islice", static_name = ISLICE_TYPE, flags = BASETYPE | HAVE_GC)]
/// A slice of an iterator.
impl ISlice {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        no_keywords(cls, &ISLICE_TYPE, kwargs)?;
        const BOUND: &str = "must be None or an integer: 0 <= x <= sys.maxsize.";
        let args = args.as_slice();
        if args.len() < 2 {
            return Err(raise!(TypeError, "islice expected at least 2 arguments, got {}", args.len()));
        }
        if args.len() > 4 {
            return Err(raise!(TypeError, "islice expected at most 4 arguments, got {}", args.len()));
        }
        let (start, stop) = if args.len() == 2 { (none(), args[1]) } else { (args[1], args[2]) };
        let stop = stop_argument(stop, BOUND)?;
        let start = slice_argument(start, &format!("Indices for islice() {BOUND}"))?.unwrap_or(0);
        let step = match args.get(3) {
            None => 1,
            Some(step) => {
                const STEP: &str = "Step for islice() must be a positive integer or None.";
                match slice_argument(step, STEP)? {
                    Some(0) => return Err(raise!(ValueError, "{STEP}")),
                    step => step.unwrap_or(1),
                }
            }
        };
        let slice = ISlice {
            ob_base: header(),
            iterator: ObjectCell::new(Some(args[0].iter()?)),
            next: Cell::new(start),
            stop: Cell::new(stop.unwrap_or(-1)),
            step,
            count: Cell::new(0),
        };
        Ok(Ref::new_in(cls, slice)?.into_object())
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
        let stop = self.stop.get();
        while self.count.get() < self.next.get() {
            if stop >= 0 && self.count.get() >= stop {
                self.iterator.set(None);
                return Ok(None);
            }
            if iterator.next()?.is_none() {
                self.iterator.set(None);
                return Ok(None);
            }
            self.count.set(self.count.get() + 1);
        }
        if stop >= 0 && self.count.get() >= stop {
            self.iterator.set(None);
            return Ok(None);
        }
        let Some(item) = iterator.next()? else {
            self.iterator.set(None);
            return Ok(None);
        };
        self.count.set(self.count.get() + 1);
        let next = self.next.get().saturating_add(self.step);
        self.next.set(if stop >= 0 { next.min(stop) } else { next });
        Ok(Some(item))
    }
}
