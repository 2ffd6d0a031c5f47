//! `list`: a vector of owned pointers that grows as CPython's does. Its Rust interface and storage (`storage`), sorting
//! (`sort`), iterators (`iter`), its Python type (here).

pub mod iter;
pub mod sort;
pub mod storage;

use super::indices::{Subscript, checked_index, search_argument, search_bounds, slice_range, subscript};
use super::reprs::guarded_repr;
use super::tupleobject::{compare_sequences, fast_items};
use crate::memory::gc;
use crate::objects::freelist::{FreeList, alloc_instance, free_instance};
use crate::prelude::*;

static FREE_LISTS: FreeList = FreeList::new(80);

pub(super) fn clear_free_list(closed: bool) {
    FREE_LISTS.clear(&PyList_Type, closed);
}

#[pytype(
    name = "list",
    static_name = PyList_Type,
    flags = BASETYPE | HAVE_GC | LIST_SUBCLASS | MATCH_SELF | SEQUENCE,
    slots = [tp_hash = crate::types::hash_not_implemented]
)]
/// A mutable sequence of the iterable's items; without an argument, an empty list.
impl PyListObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        if std::ptr::eq(cls, &PyList_Type) {
            return Ok(PyListObject::new().into_object());
        }
        alloc_instance(cls, 0)
    }
    #[init("(iterable=(), /)")]
    fn init(&self, iterable: Option<&PyObject>) -> PyResult<()> {
        self.clear_items();
        match iterable {
            Some(iterable) => self.extend(iterable),
            None => Ok(()),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(raise!(TypeError, "list() takes no keyword arguments"));
        }
        if args.len() > 1 {
            return Err(raise!(
                TypeError,
                "list expected at most 1 argument, got {}",
                args.len()
            ));
        }
        let list = if std::ptr::eq(cls, &PyList_Type) {
            PyListObject::new()
        } else {
            // SAFETY: an instance of a list subclass.
            unsafe { alloc_instance(cls, 0)?.cast::<PyListObject>() }
        };
        if let Some(iterable) = args.first() {
            list.extend(iterable)?;
        }
        Ok(list.into_object())
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the list is dead and owned its items and their block.
        unsafe {
            gc::untrack(this.cast());
            (*this).free_block();
            let exact = std::ptr::eq((*this).ob_base.ob_base.ob_type.get(), &PyList_Type);
            if !(exact && FREE_LISTS.push(this.cast())) {
                free_instance(this.cast());
            }
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for idx in (0..self.len()).rev() {
            // SAFETY: below the length; a null item of a list being built is skipped by `visit`.
            let stop = visitor.visit(unsafe { *self.ob_item.get().add(idx) });
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        self.clear_items();
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        if self.is_empty() {
            return Ok(PyUnicodeObject::from_str("[]").into_object());
        }
        guarded_repr(self.as_object(), "[...]", "[", |out| {
            let mut idx = 0;
            while idx < self.len() {
                if idx > 0 {
                    out.push_str(", ");
                }
                // SAFETY: within the list as it is now; a place that C has not filled is null.
                unsafe { out.push_repr_at(*self.ob_item.get().add(idx))? };
                idx += 1;
            }
            out.push_str("]");
            Ok(())
        })
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyListObject>() else {
            return Ok(not_implemented().to_ref());
        };
        if self.len() != other.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(py_bool(op == CompareOp::Ne));
        }
        compare_sequences(op, || self.as_slice(), || other.as_slice())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(iter::list_iterator(self))
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult {
        let Some(other) = other.downcast::<PyListObject>() else {
            return Err(raise!(
                TypeError,
                "can only concatenate list (not \"{}\") to list",
                other.ty().full_name()
            ));
        };
        let new = PyListObject::try_with_capacity(self.len() + other.len())?;
        for item in self.as_slice().iter().chain(other.as_slice()) {
            new.push(item.to_ref());
        }
        Ok(new.into_object())
    }
    #[slot]
    fn sq_repeat(&self, count: isize) -> PyResult {
        Ok(self.repeat(count)?.into_object())
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult {
        match self.as_slice().get(index as usize) {
            Some(item) if index >= 0 => Ok(item.to_ref()),
            _ => Err(raise!(IndexError, "list index out of range")),
        }
    }
    #[slot]
    fn sq_ass_item(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        if index < 0 || index as usize >= self.len() {
            return Err(raise!(IndexError, "list assignment index out of range"));
        }
        match value {
            Some(value) => {
                drop(self.replace(index as usize, value.to_ref()));
                Ok(())
            }
            None => self.assign_range(index as usize, index as usize + 1, &[]),
        }
    }
    #[slot]
    fn sq_contains(&self, item: &PyObject) -> PyResult<bool> {
        Ok(self.find(item, 0, usize::MAX)?.is_some())
    }
    #[slot]
    fn sq_inplace_concat(&self, other: &PyObject) -> PyResult {
        self.extend(other)?;
        Ok(self.to_object())
    }
    #[slot]
    fn sq_inplace_repeat(&self, count: isize) -> PyResult {
        self.repeat_in_place(count)?;
        Ok(self.to_object())
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        match subscript(key, "list")? {
            Subscript::Index(index) => match checked_index(index, self.len()) {
                Some(idx) => Ok(self.as_slice()[idx].to_ref()),
                None => Err(raise!(IndexError, "list index out of range")),
            },
            Subscript::Slice(slice) => {
                let range = slice_range(slice, || self.len())?;
                let new = PyListObject::try_with_capacity(range.count)?;
                for idx in range.positions() {
                    new.push(self.as_slice()[idx].to_ref());
                }
                Ok(new.into_object())
            }
        }
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match subscript(key, "list")? {
            Subscript::Index(index) => {
                let index = if index < 0 {
                    index + self.len() as isize
                } else {
                    index
                };
                self.sq_ass_item(index, value)
            }
            Subscript::Slice(slice) => self.assign_slice(slice, value),
        }
    }

    /// self[index].
    #[method("($self, index, /)", coexist)]
    fn __getitem__(&self, key: &PyObject) -> PyResult {
        self.mp_subscript(key)
    }
    /// An iterator over the list, last item first.
    #[method("($self, /)")]
    fn __reversed__(&self) -> Ref {
        iter::list_reverse_iterator(self)
    }
    /// The size of the list in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        self.as_object().ty().tp_basicsize.get() as usize
            + self.ob_base_allocated() * size_of::<*mut PyObject>()
    }
    /// Removes all items.
    #[method("($self, /)")]
    fn clear(&self) {
        self.clear_items();
    }
    /// A shallow copy.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        Ok(self.slice_list(0, self.len()).into_object())
    }
    /// Adds an object at the end.
    #[method("($self, object, /)")]
    fn append(&self, object: &PyObject) -> PyResult<()> {
        self.try_push(object.to_ref())
    }
    /// Puts an object before the index.
    #[method("($self, index, object, /)", name = "insert")]
    fn py_insert(&self, index: isize, object: &PyObject) -> PyResult<()> {
        let len = self.len() as isize;
        let index = if index < 0 {
            (index + len).max(0)
        } else {
            index.min(len)
        };
        self.insert(index as usize, object.to_ref())
    }
    /// Adds the iterable's items at the end.
    #[method("($self, iterable, /)", name = "extend")]
    fn py_extend(&self, iterable: &PyObject) -> PyResult<()> {
        self.extend(iterable)
    }
    /// Removes the item at the index, by default the last, and returns it; IndexError if there is none.
    #[method("($self, index=-1, /)")]
    fn pop(&self, index: isize) -> PyResult {
        if self.is_empty() {
            return Err(raise!(IndexError, "pop from empty list"));
        }
        match checked_index(index, self.len()) {
            Some(idx) => self.remove_at(idx),
            None => Err(raise!(IndexError, "pop index out of range")),
        }
    }
    /// Removes the first item equal to the value; ValueError if there is none.
    #[method("($self, value, /)")]
    fn remove(&self, value: &PyObject) -> PyResult<()> {
        match self.find(value, 0, usize::MAX)? {
            Some(idx) => self.assign_range(idx, idx + 1, &[]),
            None => Err(raise!(ValueError, "list.remove(x): x not in list")),
        }
    }
    /// Sorts the list in place, ascending and stable, by key(item) if a key function is given.
    #[method("($self, /, *, key=None, reverse=False)", name = "sort")]
    fn py_sort(&self, key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
        self.sort(key.filter(|key| !is_none(key)), reverse)
    }
    /// Reverses the list in place.
    #[method("($self, /)", name = "reverse")]
    fn py_reverse(&self) {
        self.reverse();
    }
    /// The first position of the value; ValueError if it is not there.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(&self, value: &PyObject, start: Option<&PyObject>, stop: Option<&PyObject>) -> PyResult<usize> {
        let start = search_argument(start, 0)?;
        let stop = search_argument(stop, isize::MAX)?;
        let (start, stop) = search_bounds(start, stop, self.len());
        match self.find(value, start, stop)? {
            Some(idx) => Ok(idx),
            None => Err(raise!(ValueError, "list.index(x): x not in list")),
        }
    }
    /// How many items are equal to the value.
    #[method("($self, value, /)")]
    fn count(&self, value: &PyObject) -> PyResult<usize> {
        let (mut count, mut idx) = (0, 0);
        while let Some(item) = self.get(idx) {
            count += usize::from(item.compare_bool(value, CompareOp::Eq)?);
            idx += 1;
        }
        Ok(count)
    }
    /// list[item type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

impl PyListObject {
    /// The first position in `start..stop` with an item equal to `value`.
    fn find(&self, value: &PyObject, start: usize, stop: usize) -> PyResult<Option<usize>> {
        let mut idx = start;
        while idx < stop {
            let Some(item) = self.get(idx) else { break };
            if item.compare_bool(value, CompareOp::Eq)? {
                return Ok(Some(idx));
            }
            idx += 1;
        }
        Ok(None)
    }

    fn assign_slice(&self, slice: &PySliceObject, value: Option<&PyObject>) -> PyResult<()> {
        let mut range = slice_range(slice, || self.len())?;
        let Some(value) = value else {
            if range.step == 1 {
                return self.assign_range(range.start as usize, range.start as usize + range.count, &[]);
            }
            return self.delete_positions(range);
        };
        let items = if std::ptr::eq(value, self.as_object()) {
            self.slice_list(0, self.len()).into_object()
        } else {
            value.to_fast_sequence("must assign iterable to extended slice")?
        };
        // Making the sequence may have changed this list.
        range = slice_range(slice, || self.len())?;
        if range.step == 1 {
            return self.assign_range(
                range.start as usize,
                range.start as usize + range.count,
                fast_items(&items),
            );
        }
        let items = fast_items(&items);
        if items.len() != range.count {
            return Err(raise!(
                ValueError,
                "attempt to assign sequence of size {} to extended slice of size {}",
                items.len(),
                range.count
            ));
        }
        let old: Vec<Ref> = range
            .positions()
            .zip(items)
            .map(|(idx, item)| self.replace(idx, item.to_ref()))
            .collect();
        drop(old);
        Ok(())
    }
}
