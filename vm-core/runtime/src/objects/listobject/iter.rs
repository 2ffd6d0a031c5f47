//! The iterators over a list.

use crate::module::builtin;
use crate::objects::iterobject::{IndexIterator, index_iterator};
use crate::prelude::*;

pub fn list_iterator(list: &PyListObject) -> Ref {
    index_iterator(list.as_object(), &PyListIter_Type, 0)
}
pub fn list_reverse_iterator(list: &PyListObject) -> Ref {
    index_iterator(list.as_object(), &PyListRevIter_Type, list.len() as isize - 1)
}

/// The forward iterator.
#[repr(transparent)]
pub struct PyListIterator(IndexIterator);

impl PyListIterator {
    /// The next item, while there is one.
    #[inline(always)]
    pub fn next_item(&self) -> Option<Ref> {
        // SAFETY: made over a list only.
        let list = unsafe { self.0.sequence()?.cast_unchecked::<PyListObject>() };
        let idx = self.0.it_index.get();
        let item = list.get(idx as usize)?;
        self.0.it_index.set(idx + 1);
        Some(item)
    }
}

#[pytype(name = "list_iterator", static_name = PyListIter_Type, flags = HAVE_GC)]
impl PyListIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { IndexIterator::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.it_seq.get())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let item = self.next_item();
        if item.is_none() && self.0.sequence().is_some() {
            self.0.finish();
        }
        Ok(item)
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult<isize> {
        self.0.length_hint()
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.0.reduce(builtin("iter")?)
    }
    /// Restores a pickled position.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.0.set_state(state)
    }
}

/// The backward iterator; `it_index` is the next position, -1 at the end.
#[repr(transparent)]
pub struct PyListReverseIterator(IndexIterator);

#[pytype(name = "list_reverseiterator", static_name = PyListRevIter_Type, flags = HAVE_GC)]
impl PyListReverseIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { IndexIterator::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.it_seq.get())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(seq) = self.0.sequence() else {
            return Ok(None);
        };
        // SAFETY: made over a list only.
        let list = unsafe { seq.cast_unchecked::<PyListObject>() };
        let idx = self.0.it_index.get();
        if idx >= 0
            && let Some(item) = list.get(idx as usize)
        {
            self.0.it_index.set(idx - 1);
            return Ok(Some(item));
        }
        self.0.it_index.set(-1);
        self.0.finish();
        Ok(None)
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult<isize> {
        let len = self.0.it_index.get() + 1;
        match self.0.sequence() {
            Some(seq) if seq.len()? as isize >= len => Ok(len),
            _ => Ok(0),
        }
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.0.reduce(builtin("reversed")?)
    }
    /// Restores a pickled position.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let index = crate::objects::iterobject::state_index(state)?;
        if let Some(seq) = self.0.sequence() {
            self.0.it_index.set(index.clamp(-1, seq.len()? as isize - 1));
        }
        Ok(())
    }
}
