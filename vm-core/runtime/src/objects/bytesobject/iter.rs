//! `bytes_iterator`.

use crate::objects::seqiter;
use crate::prelude::*;
use std::cell::{Cell, RefCell};

/// An iterator over the bytes of a `bytes` object.
#[repr(C)]
pub struct BytesIterator {
    ob_base: PyObject,
    index: Cell<usize>,
    /// Given up at the end.
    bytes: RefCell<Option<Ref<PyBytesObject>>>,
}

impl BytesIterator {
    pub(super) fn over(bytes: Ref<PyBytesObject>) -> PyResult<Ref<BytesIterator>> {
        let ob_base = crate::memory::blank_header();
        Ref::new(BytesIterator {
            ob_base,
            index: Cell::new(0),
            bytes: RefCell::new(Some(bytes)),
        })
    }
}

#[pytype(name = "bytes_iterator", static_name = PyBytesIter_Type)]
impl BytesIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref<PyLongObject>>> {
        let held = self.bytes.borrow();
        let Some(bytes) = held.as_ref() else {
            return Ok(None);
        };
        let index = self.index.get();
        if let Some(byte) = bytes.as_bytes().get(index) {
            self.index.set(index + 1);
            return Ok(Some(PyLongObject::from_i64(i64::from(*byte))));
        }
        drop(held);
        self.bytes.take();
        Ok(None)
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> usize {
        self.bytes
            .borrow()
            .as_ref()
            .map_or(0, |bytes| bytes.len() - self.index.get())
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let state = || Some((self.bytes.borrow().as_ref()?.to_object(), self.index.get()));
        seqiter::reduce(state, PyTupleObject::empty().into_object())
    }
    /// Goes to a place.
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let index = seqiter::state_index(state)?;
        if let Some(bytes) = &*self.bytes.borrow() {
            self.index.set(index.min(bytes.len()));
        }
        Ok(())
    }
}
