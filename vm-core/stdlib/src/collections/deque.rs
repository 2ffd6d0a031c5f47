//! `collections.deque` over a ring buffer, with iterators that notice changes.

use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::offset_of;

#[repr(C)]
pub struct Deque {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    items: RefCell<VecDeque<Ref>>,
    maxlen: Cell<Option<usize>>,
    /// Changes with each mutation: iterators compare it.
    state: Cell<u64>,
}

impl Deque {
    fn changed(&self) {
        self.state.set(self.state.get() + 1);
    }
    fn len(&self) -> usize {
        self.items.borrow().len()
    }
    fn push_back(&self, item: Ref) {
        self.changed();
        let mut items = self.items.borrow_mut();
        items.push_back(item);
        let excess = if self.maxlen.get().is_some_and(|maxlen| items.len() > maxlen) { items.pop_front() } else { None };
        drop(items);
        drop(excess);
    }
    fn push_front(&self, item: Ref) {
        self.changed();
        let mut items = self.items.borrow_mut();
        items.push_front(item);
        let excess = if self.maxlen.get().is_some_and(|maxlen| items.len() > maxlen) { items.pop_back() } else { None };
        drop(items);
        drop(excess);
    }
    fn snapshot(&self) -> Vec<Ref> {
        self.items.borrow().iter().cloned().collect()
    }
    /// A deque of the same type over `items`.
    fn like(&self, items: &PyObject) -> PyResult {
        let class = self.as_object().ty().as_object();
        let made = match self.maxlen.get() {
            None => class.call1(items)?,
            Some(maxlen) => class.call(&[items, PyLongObject::from_usize(maxlen).as_object()])?,
        };
        if !Deque::check(&made) {
            return Err(raise!(
                TypeError,
                "{}() must return a deque, not {}",
                self.as_object().ty().name(),
                made.ty().name()
            ));
        }
        Ok(made)
    }
    fn item_at(&self, index: isize) -> Option<Ref> {
        usize::try_from(index).ok().and_then(|index| self.items.borrow().get(index).cloned())
    }
    fn rotate_by(&self, n: isize) {
        let mut items = self.items.borrow_mut();
        let len = items.len();
        if len > 1 {
            items.rotate_right(n.rem_euclid(len as isize) as usize);
            drop(items);
            self.changed();
        }
    }
    /// The first index of a value in a range; `None` when it is not there.
    fn find(&self, value: &PyObject, start: usize, stop: usize) -> PyResult<Option<usize>> {
        self.search(value, start, stop, || raise!(RuntimeError, "deque mutated during iteration"))
    }
    fn search(
        &self,
        value: &PyObject,
        start: usize,
        stop: usize,
        mutated: impl FnOnce() -> Raised,
    ) -> PyResult<Option<usize>> {
        let state = self.state.get();
        for at in start..stop {
            let Some(item) = self.item_at(at as isize) else { break };
            let equal = item.eq(value);
            if self.state.get() != state {
                if let Err(raised) = equal {
                    raised.clear();
                }
                return Err(mutated());
            }
            if equal? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

#[pytype(
    name = "collections.deque",
    static_name = DEQUE_TYPE,
    flags = BASETYPE | HAVE_GC | SEQUENCE,
    weaklistoffset = offset_of!(Deque, weakreflist) as isize,
)]
/// A list-like sequence optimised for access near its ends.
impl Deque {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let deque = Deque {
            ob_base: adder_runtime::memory::blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            items: RefCell::new(VecDeque::new()),
            maxlen: Cell::new(None),
            state: Cell::new(0),
        };
        Ok(Ref::new_in(cls, deque)?.into_object())
    }
    #[init("(iterable=<unrepresentable>, maxlen=None)")]
    fn init(&self, iterable: Option<&PyObject>, maxlen: Option<&PyObject>) -> PyResult<()> {
        let maxlen = match maxlen.filter(|maxlen| !is_none(maxlen)) {
            None => None,
            Some(maxlen) => {
                let Some(number) = maxlen.downcast::<PyLongObject>() else {
                    return Err(raise!(TypeError, "an integer is required"));
                };
                let number = number.as_isize()?;
                Some(usize::try_from(number).map_err(|_| raise!(ValueError, "maxlen must be non-negative"))?)
            }
        };
        self.maxlen.set(maxlen);
        let dropped = self.items.take();
        self.changed();
        drop(dropped);
        match iterable {
            Some(iterable) => self.extend(iterable),
            None => Ok(()),
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let Ok(items) = self.items.try_borrow() else { return 0 };
        for item in items.iter() {
            let status = visitor.visit(item.as_raw());
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        let dropped = self.items.take();
        drop(dropped);
    }
    /// Adds an item to the right end.
    #[method("($self, item, /)")]
    fn append(&self, item: &PyObject) {
        self.push_back(item.to_ref());
    }
    /// Adds an item to the left end.
    #[method("($self, item, /)")]
    fn appendleft(&self, item: &PyObject) {
        self.push_front(item.to_ref());
    }
    /// Removes all items.
    #[method("($self, /)")]
    fn clear(&self) {
        self.changed();
        let dropped = self.items.take();
        drop(dropped);
    }
    fn copy_of(&self) -> PyResult {
        if std::ptr::eq(self.as_object().ty(), &DEQUE_TYPE) {
            let copy = Ref::new(Deque {
                ob_base: adder_runtime::memory::blank_header(),
                weakreflist: Cell::new(std::ptr::null_mut()),
                items: RefCell::new(self.items.borrow().clone()),
                maxlen: Cell::new(self.maxlen.get()),
                state: Cell::new(0),
            })?;
            return Ok(copy.into_object());
        }
        self.like(self.as_object())
    }
    /// A shallow copy.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        self.copy_of()
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult {
        self.copy_of()
    }
    /// How often a value occurs.
    #[method("($self, value, /)")]
    fn count(&self, value: &PyObject) -> PyResult<usize> {
        let mut count = 0;
        let state = self.state.get();
        for item in self.snapshot() {
            count += usize::from(item.eq(value)?);
            if self.state.get() != state {
                return Err(raise!(RuntimeError, "deque mutated during iteration"));
            }
        }
        Ok(count)
    }
    /// Adds the items of an iterable to the right end.
    #[method("($self, iterable, /)")]
    fn extend(&self, iterable: &PyObject) -> PyResult<()> {
        if std::ptr::eq(iterable, self.as_object()) {
            for item in self.snapshot() {
                self.push_back(item);
            }
            return Ok(());
        }
        iterable.for_each(|item| {
            self.push_back(item);
            Ok(())
        })
    }
    /// Adds the items of an iterable to the left end.
    #[method("($self, iterable, /)")]
    fn extendleft(&self, iterable: &PyObject) -> PyResult<()> {
        if std::ptr::eq(iterable, self.as_object()) {
            for item in self.snapshot() {
                self.push_front(item);
            }
            return Ok(());
        }
        iterable.for_each(|item| {
            self.push_front(item);
            Ok(())
        })
    }
    /// The first index of a value.
    #[method("($self, value, start=0, stop=<unrepresentable>, /)")]
    fn index(&self, value: &PyObject, start: Option<&PyObject>, stop: Option<&PyObject>) -> PyResult<usize> {
        let len = self.len() as isize;
        let clip = |bound: Option<&PyObject>, default: isize| -> PyResult<usize> {
            let Some(bound) = bound else { return Ok(default as usize) };
            let mut bound = bound.to_index_saturating()?;
            if bound < 0 {
                bound = bound.saturating_add(len).max(0);
            }
            Ok(bound.min(len) as usize)
        };
        let (start, stop) = (clip(start, 0)?, clip(stop, len)?);
        match self.find(value, start, stop)? {
            Some(at) => Ok(at),
            None => Err(raise!(ValueError, "{} is not in deque", value.repr()?.to_string_lossy())),
        }
    }
    /// Inserts a value before an index.
    #[method("($self, index, value, /)")]
    fn insert(&self, index: &PyObject, value: &PyObject) -> PyResult<()> {
        let index = index.to_index_saturating()?;
        let len = self.len() as isize;
        if self.maxlen.get() == Some(len as usize) {
            return Err(raise!(IndexError, "deque already at its maximum size"));
        }
        let at = if index < 0 { (index + len).max(0) } else { index.min(len) };
        self.changed();
        self.items.borrow_mut().insert(at as usize, value.to_ref());
        Ok(())
    }
    /// Removes and returns the rightmost item.
    #[method("($self, /)")]
    fn pop(&self) -> PyResult {
        let item = self.items.borrow_mut().pop_back();
        self.changed();
        item.ok_or_else(|| raise!(IndexError, "pop from an empty deque"))
    }
    /// Removes and returns the leftmost item.
    #[method("($self, /)")]
    fn popleft(&self) -> PyResult {
        let item = self.items.borrow_mut().pop_front();
        self.changed();
        item.ok_or_else(|| raise!(IndexError, "pop from an empty deque"))
    }
    /// Removes the first item that equals a value.
    #[method("($self, value, /)")]
    fn remove(&self, value: &PyObject) -> PyResult<()> {
        let found = self.search(value, 0, self.len(), || raise!(IndexError, "deque mutated during remove()."))?;
        let Some(at) = found else { return Err(raise!(ValueError, "deque.remove(x): x not in deque")) };
        let removed = self.items.borrow_mut().remove(at);
        self.changed();
        drop(removed);
        Ok(())
    }
    /// Reverses the order in place.
    #[method("($self, /)")]
    fn reverse(&self) {
        self.items.borrow_mut().make_contiguous().reverse();
        self.changed();
    }
    /// Rotates n steps to the right.
    #[method("($self, n=1, /)")]
    fn rotate(&self, n: Option<isize>) {
        self.rotate_by(n.unwrap_or(1));
    }
    #[method("($self, /)")]
    fn __reversed__(&self) -> PyResult {
        Ok(Ref::new(DequeReverseIterator(iterate(self)))?.into_object())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let class = self.as_object().ty().as_object();
        let state = self.as_object().call_method(identifier!("__getstate__"), &[])?;
        let args = match self.maxlen.get() {
            None => PyTupleObject::empty(),
            Some(maxlen) => PyTupleObject::from_vec(vec![
                PyTupleObject::empty().into_object(),
                PyLongObject::from_usize(maxlen).into_object(),
            ]),
        };
        let items = self.as_object().iter()?;
        Ok(PyTupleObject::from_slice(&[class, args.as_object(), &state, &items]).into_object())
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Deque>() + self.items.borrow().capacity() * size_of::<Ref>()
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter]
    fn maxlen(&self) -> PyResult {
        Ok(self.maxlen.get().map_or_else(none_ref, |maxlen| PyLongObject::from_usize(maxlen).into_object()))
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.len() != 0)
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult {
        self.item_at(index).ok_or_else(|| raise!(IndexError, "deque index out of range"))
    }
    #[slot]
    fn sq_ass_item(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        if index < 0 || index as usize >= self.len() {
            return Err(raise!(IndexError, "deque index out of range"));
        }
        let old = match value {
            Some(value) => Some(std::mem::replace(&mut self.items.borrow_mut()[index as usize], value.to_ref())),
            None => {
                self.changed();
                self.items.borrow_mut().remove(index as usize)
            }
        };
        drop(old);
        Ok(())
    }
    #[slot]
    fn sq_contains(&self, value: &PyObject) -> PyResult<bool> {
        Ok(self.find(value, 0, self.len())?.is_some())
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult {
        if !Deque::check(other) {
            return Err(raise!(
                TypeError,
                "can only concatenate deque (not \"{}\") to deque",
                other.ty().name()
            ));
        }
        let result = self.copy_of()?;
        result.call_method(identifier!("extend"), &[other])?;
        Ok(result)
    }
    #[slot]
    fn sq_inplace_concat(&self, other: &PyObject) -> PyResult {
        self.extend(other)?;
        Ok(self.to_object())
    }
    fn repeat_in_place(&self, n: isize) -> PyResult<()> {
        let items = self.snapshot();
        if n <= 0 {
            self.clear();
            return Ok(());
        }
        if items.len().checked_mul(n as usize).is_none_or(|total| total > isize::MAX as usize / 16) {
            return Err(adder_runtime::memory::no_memory());
        }
        for _ in 1..n {
            for item in &items {
                self.push_back(item.clone());
            }
            if self.maxlen.get().is_some_and(|maxlen| items.len() >= maxlen) {
                break;
            }
        }
        Ok(())
    }
    #[slot]
    fn sq_repeat(&self, n: isize) -> PyResult {
        let copy = self.copy_of()?;
        match copy.downcast::<Deque>() {
            Ok(copy) => {
                copy.repeat_in_place(n)?;
                Ok(copy.into_object())
            }
            Err(other) => Err(raise!(TypeError, "copy() returned {}", other.ty().name())),
        }
    }
    #[slot]
    fn sq_inplace_repeat(&self, n: isize) -> PyResult {
        self.repeat_in_place(n)?;
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(Ref::new(DequeIterator(iterate(self)))?.into_object())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Err(raise!(TypeError, "unhashable type: '{}'", self.as_object().ty().full_name()))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<Deque>() else { return Ok(not_implemented().to_ref()) };
        let (left, right) = (self.snapshot(), other.snapshot());
        if left.len() != right.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(py_bool(op == CompareOp::Ne));
        }
        for (a, b) in left.iter().zip(&right) {
            if !a.eq(b)? {
                return match op {
                    CompareOp::Eq => Ok(py_bool(false)),
                    CompareOp::Ne => Ok(py_bool(true)),
                    _ => a.rich_compare(b, op),
                };
            }
        }
        Ok(py_bool(op.holds(left.len().cmp(&right.len()))))
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let name = self.as_object().ty().short_name();
        let text = adder_runtime::protocol::with_repr_guard(self.as_object(), || {
            let items = PyListObject::from_vec(self.snapshot()).as_object().repr()?.to_string_lossy();
            Ok(match self.maxlen.get() {
                None => format!("{name}({items})"),
                Some(maxlen) => format!("{name}({items}, maxlen={maxlen})"),
            })
        })?;
        Ok(PyUnicodeObject::from_string(text.unwrap_or_else(|| "[...]".to_string())).into_object())
    }
}

/// What both directions of iteration keep.
#[repr(C)]
pub struct Iteration {
    ob_base: PyObject,
    deque: Ref<Deque>,
    at: Cell<usize>,
    state: Cell<u64>,
}

fn iterate(deque: &Deque) -> Iteration {
    Iteration {
        ob_base: adder_runtime::memory::blank_header(),
        deque: deque.to_ref(),
        at: Cell::new(0),
        state: Cell::new(deque.state.get()),
    }
}

impl Iteration {
    fn left(&self) -> usize {
        self.deque.len().saturating_sub(self.at.get())
    }
    fn step(&self, reverse: bool) -> PyResult<Option<Ref>> {
        if self.left() == 0 {
            return Ok(None);
        }
        if self.deque.state.get() != self.state.get() {
            self.at.set(usize::MAX);
            return Err(raise!(RuntimeError, "deque mutated during iteration"));
        }
        let at = self.at.get();
        self.at.set(at + 1);
        let index = if reverse { self.deque.len() - 1 - at } else { at };
        Ok(self.deque.item_at(index as isize))
    }
    /// A new iterator over `deque`, advanced by `index`.
    fn made(deque: &PyObject, index: Option<isize>) -> PyResult<Iteration> {
        let Some(deque) = deque.downcast::<Deque>() else {
            return Err(raise!(TypeError, "argument 1 must be collections.deque, not {}", deque.ty().name()));
        };
        let made = iterate(deque);
        made.at.set(index.unwrap_or(0).max(0) as usize);
        Ok(made)
    }
}

macro_rules! deque_iterator {
    ($struct:ident, $static:ident, $name:literal, $reverse:literal) => {
        #[repr(transparent)]
        pub struct $struct(Iteration);

        #[pytype(name = $name, static_name = $static, flags = HAVE_GC)]
        /// An iterator over a deque.
        impl $struct {
            #[new("(deque, index=0, /)")]
            fn new(cls: &PyTypeObject, deque: &PyObject, index: Option<isize>) -> PyResult {
                Ok(Ref::new_in(cls, $struct(Iteration::made(deque, index)?))?.into_object())
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                visitor.visit(self.0.deque.as_raw())
            }
            #[slot]
            fn tp_iter(&self) -> PyResult {
                Ok(self.to_object())
            }
            #[slot]
            fn tp_iternext(&self) -> PyResult<Option<Ref>> {
                self.0.step($reverse)
            }
            #[method("($self, /)")]
            fn __length_hint__(&self) -> usize {
                self.0.left()
            }
            #[method("($self, /)")]
            fn __reduce__(&self) -> PyResult {
                let at = PyLongObject::from_usize(self.0.deque.len() - self.0.left());
                let args = PyTupleObject::from_slice(&[self.0.deque.as_object(), at.as_object()]);
                Ok(PyTupleObject::from_slice(&[self.as_object().ty().as_object(), args.as_object()]).into_object())
            }
        }
    };
}

deque_iterator!(DequeIterator, DEQUE_ITERATOR_TYPE, "_collections._deque_iterator", false);
deque_iterator!(DequeReverseIterator, DEQUE_REVERSE_ITERATOR_TYPE, "_collections._deque_reverse_iterator", true);
