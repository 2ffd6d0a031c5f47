//! Iterators by index over any sequence, and over the results of a callable until a sentinel; what the index iterators
//! of list and tuple share.

use super::freelist::alloc_static;
use crate::exceptions::exc;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;

/// A position in a sequence. The iterators of list and tuple have this layout too.
#[repr(C)]
pub struct IndexIterator {
    pub ob_base: PyObject,
    pub it_index: Cell<isize>,
    /// Null when exhausted.
    pub it_seq: Cell<*mut PyObject>,
}

/// An iterator of type `ty`, which has the layout of `IndexIterator`.
#[inline]
pub fn index_iterator(sequence: &PyObject, ty: &'static PyTypeObject, index: isize) -> Ref {
    let object = alloc_static(ty, size_of::<IndexIterator>());
    // SAFETY: memory for the iterator, its header set; the iterator owns a count of the sequence.
    unsafe {
        let this = &*object.cast::<IndexIterator>();
        this.it_index.set(index);
        this.it_seq.set(sequence.to_ref().into_raw());
        gc::track(object);
        Ref::from_owned(object)
    }
}

impl IndexIterator {
    #[inline(always)]
    pub fn sequence(&self) -> Option<&PyObject> {
        // SAFETY: null or the sequence that the iterator owns.
        unsafe { self.it_seq.get().as_ref() }
    }

    /// Lets the sequence go.
    pub fn finish(&self) {
        // SAFETY: the iterator owned the sequence.
        unsafe { memory::xdecref(self.it_seq.replace(std::ptr::null_mut())) };
    }

    pub fn length_hint(&self) -> PyResult<isize> {
        match self.sequence() {
            Some(seq) => Ok((seq.len()? as isize - self.it_index.get()).max(0)),
            None => Ok(0),
        }
    }

    /// `(constructor, (sequence,), index)`, or with an empty sequence of the kind when exhausted.
    pub fn reduce(&self, constructor: Ref) -> PyResult {
        // Looking the constructor up may have run code, so the sequence is read after it.
        let Some(seq) = self.sequence() else {
            let is_list = self.ob_base.is_type(&super::listobject::iter::PyListIter_Type)
                || self.ob_base.is_type(&super::listobject::iter::PyListRevIter_Type);
            let empty = if is_list {
                PyListObject::new().into_object()
            } else {
                PyTupleObject::empty().into_object()
            };
            let args = PyTupleObject::from_vec(vec![empty]).into_object();
            return Ok(PyTupleObject::from_vec(vec![constructor, args]).into_object());
        };
        let args = PyTupleObject::from_slice(&[seq]).into_object();
        let index = PyLongObject::from_isize(self.it_index.get()).into_object();
        Ok(PyTupleObject::from_vec(vec![constructor, args, index]).into_object())
    }

    /// Restores a position, kept within the sequence.
    pub fn set_state(&self, state: &PyObject) -> PyResult<()> {
        let index = state_index(state)?;
        if let Some(seq) = self.sequence() {
            self.it_index.set(index.clamp(0, seq.len()? as isize));
        }
        Ok(())
    }

    /// # Safety
    /// The iterator is dead.
    #[inline]
    pub unsafe fn dealloc(this: *mut IndexIterator) {
        // SAFETY: the caller's contract; the iterator owned its sequence.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).it_seq.get());
            memory::free_object(this.cast());
        }
    }
}

/// The position in a pickled state.
pub fn state_index(state: &PyObject) -> PyResult<isize> {
    match state.downcast::<PyLongObject>() {
        Some(index) => index.as_isize(),
        None => Err(raise!(TypeError, "an integer is required")),
    }
}

/// The iterator over an object with `__getitem__` but no `__iter__`.
#[repr(transparent)]
pub struct PySeqIterator(IndexIterator);

/// `PySeqIter_New`.
pub fn sequence_iterator(sequence: &PyObject) -> Ref {
    index_iterator(sequence, &PySeqIter_Type, 0)
}

#[pytype(name = "iterator", static_name = PySeqIter_Type, flags = HAVE_GC)]
impl PySeqIterator {
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
        let seq = seq.to_ref();
        let index = self.0.it_index.get();
        if index == isize::MAX {
            return Err(raise!(OverflowError, "iter index too large"));
        }
        match seq.get_index(index) {
            Ok(item) => {
                self.0.it_index.set(index + 1);
                Ok(Some(item))
            }
            Err(raised) => {
                if raised.matches(exc::IndexError) || raised.matches(exc::StopIteration) {
                    raised.clear();
                    self.0.finish();
                    Ok(None)
                } else {
                    Err(raised)
                }
            }
        }
    }
    /// How many items are probably left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult {
        let Some(seq) = self.0.sequence() else {
            return Ok(PyLongObject::from_isize(0).into_object());
        };
        let seq = seq.to_ref();
        let has_len = seq.ty().sequence_slot(|slots| slots.sq_length.get()).is_some()
            || seq.ty().mapping_slot(|slots| slots.mp_length.get()).is_some();
        if !has_len {
            return Ok(not_implemented().to_ref());
        }
        let left = (seq.len()? as isize - self.0.it_index.get()).max(0);
        Ok(PyLongObject::from_isize(left).into_object())
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.0.reduce(crate::module::builtin("iter")?)
    }
    /// Restores a pickled position.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let index = state_index(state)?;
        if self.0.sequence().is_some() {
            self.0.it_index.set(index.max(0));
        }
        Ok(())
    }
}

/// `iter(callable, sentinel)`.
#[repr(C)]
pub struct PyCallIterator {
    ob_base: PyObject,
    it_callable: Cell<Option<Ref>>,
    it_sentinel: Cell<Option<Ref>>,
}

/// `PyCallIter_New`.
pub fn callable_iterator(callable: &PyObject, sentinel: &PyObject) -> PyResult {
    let iterator = Ref::new(PyCallIterator {
        ob_base: memory::blank_header(),
        it_callable: Cell::new(Some(callable.to_ref())),
        it_sentinel: Cell::new(Some(sentinel.to_ref())),
    })?;
    Ok(iterator.into_object())
}

/// A copy of an owned field.
fn peek(field: &Cell<Option<Ref>>) -> Option<Ref> {
    let value = field.take();
    let copy = value.clone();
    field.set(value);
    copy
}

#[pytype(name = "callable_iterator", static_name = PyCallIter_Type, flags = HAVE_GC)]
impl PyCallIterator {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for field in [&self.it_callable, &self.it_sentinel] {
            let value = field.take();
            let stop = visitor.visit_ref(&value);
            field.set(value);
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(callable) = peek(&self.it_callable) else {
            return Ok(None);
        };
        match callable.call0() {
            Ok(value) => {
                // The call may have exhausted this very iterator.
                let Some(sentinel) = peek(&self.it_sentinel) else {
                    return Ok(None);
                };
                if !sentinel.compare_bool(&value, CompareOp::Eq)? {
                    return Ok(Some(value));
                }
            }
            Err(raised) => raised.clear_if(exc::StopIteration)?,
        }
        drop(self.it_callable.take());
        drop(self.it_sentinel.take());
        Ok(None)
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let constructor = crate::module::builtin("iter")?;
        let args = match (peek(&self.it_callable), peek(&self.it_sentinel)) {
            (Some(callable), Some(sentinel)) => vec![callable, sentinel],
            _ => vec![PyTupleObject::empty().into_object()],
        };
        let args = PyTupleObject::from_vec(args).into_object();
        Ok(PyTupleObject::from_vec(vec![constructor, args]).into_object())
    }
}
