//! `bytes_iterator` and `bytearray_iterator`.

use crate::objects::seqiter;
use crate::prelude::*;
use std::cell::{Cell, RefCell};

/// The iterator over `$object`, whose bytes `as_bytes` gives.
macro_rules! byte_iterator {
    ($iterator:ident, $object:ident, $name:literal, $static_name:ident) => {
        /// An iterator over the bytes of an object.
        #[repr(C)]
        pub struct $iterator {
            ob_base: PyObject,
            index: Cell<usize>,
            /// Given up at the end.
            bytes: RefCell<Option<Ref<$object>>>,
        }

        impl $iterator {
            pub fn over(bytes: Ref<$object>) -> PyResult<Ref<$iterator>> {
                let ob_base = crate::memory::blank_header();
                Ref::new($iterator {
                    ob_base,
                    index: Cell::new(0),
                    bytes: RefCell::new(Some(bytes)),
                })
            }
        }

        #[pytype(name = $name, static_name = $static_name)]
        impl $iterator {
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
                    .map_or(0, |bytes| bytes.len().saturating_sub(self.index.get()))
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
    };
}

byte_iterator!(BytesIterator, PyBytesObject, "bytes_iterator", PyBytesIter_Type);
byte_iterator!(
    ByteArrayIterator,
    PyByteArrayObject,
    "bytearray_iterator",
    PyByteArrayIter_Type
);
