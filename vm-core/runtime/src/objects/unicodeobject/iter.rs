//! `str_iterator` and `str_ascii_iterator`.

use super::latin1_char;
use crate::objects::seqiter;
use crate::prelude::*;
use std::cell::{Cell, RefCell};

/// An iterator over the characters of a string; ASCII strings have a type of their own.
#[repr(C)]
pub struct StrIterator {
    ob_base: PyObject,
    index: Cell<usize>,
    /// Given up at the end.
    text: RefCell<Option<Ref<PyUnicodeObject>>>,
}

/// Marks the type for ASCII strings, whose instances are `StrIterator`s.
#[repr(transparent)]
pub struct StrAsciiIterator(StrIterator);

impl StrIterator {
    pub(super) fn over(text: Ref<PyUnicodeObject>) -> PyResult<Ref> {
        let is_ascii = text.is_ascii();
        let iterator = StrIterator {
            ob_base: crate::memory::blank_header(),
            index: Cell::new(0),
            text: RefCell::new(Some(text)),
        };
        if is_ascii {
            Ok(Ref::new(StrAsciiIterator(iterator))?.into_object())
        } else {
            Ok(Ref::new(iterator)?.into_object())
        }
    }
    fn advance(&self) -> Option<Ref<PyUnicodeObject>> {
        let held = self.text.borrow();
        let text = held.as_ref()?;
        let index = self.index.get();
        if index < text.len() {
            self.index.set(index + 1);
            return Some(PyUnicodeObject::from_char(text.char_at(index)));
        }
        drop(held);
        self.text.take();
        None
    }
    fn remaining(&self) -> usize {
        self.text
            .borrow()
            .as_ref()
            .map_or(0, |text| text.len() - self.index.get())
    }
    fn reduce(&self) -> PyResult {
        let state = || Some((self.text.borrow().as_ref()?.to_object(), self.index.get()));
        seqiter::reduce(state, PyUnicodeObject::empty().into_object())
    }
    fn set_state(&self, state: &PyObject) -> PyResult<()> {
        let index = seqiter::state_index(state)?;
        if let Some(text) = &*self.text.borrow() {
            self.index.set(index.min(text.len()));
        }
        Ok(())
    }
}

#[pytype(name = "str_iterator", static_name = PyUnicodeIter_Type)]
impl StrIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        Ok(self.advance())
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> usize {
        self.remaining()
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.reduce()
    }
    /// Goes to a place.
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.set_state(state)
    }
}

#[pytype(name = "str_ascii_iterator", static_name = _PyUnicodeASCIIIter_Type)]
impl StrAsciiIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<&'static PyUnicodeObject>> {
        let held = self.0.text.borrow();
        let Some(text) = held.as_ref() else {
            return Ok(None);
        };
        let index = self.0.index.get();
        if let Some(&code) = text.latin1().and_then(|units| units.get(index)) {
            self.0.index.set(index + 1);
            return Ok(Some(latin1_char(code)));
        }
        drop(held);
        self.0.text.take();
        Ok(None)
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> usize {
        self.0.remaining()
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.0.reduce()
    }
    /// Goes to a place.
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.0.set_state(state)
    }
}
