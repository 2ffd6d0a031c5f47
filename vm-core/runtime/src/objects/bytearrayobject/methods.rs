//! The methods that only `bytearray` has: those that change it, and pickling.

use super::{BYTE_RANGE, collect_bytes};
use crate::exceptions::exc;
use crate::objects::buffer::{BytesArg, has_buffer};
use crate::objects::bytes_methods::{self, byte_value};
use crate::objects::indices::checked_index;
use crate::prelude::*;

impl PyByteArrayObject {
    /// What pickling makes the array of, by protocol.
    fn reduced(&self, protocol: isize) -> PyResult<Ref<PyTupleObject>> {
        let args = if protocol < 3 {
            let text = PyUnicodeObject::from_latin1(self.as_bytes()).into_object();
            vec![text, PyUnicodeObject::from_str("latin-1").into_object()]
        } else if self.is_empty() {
            vec![]
        } else {
            vec![PyBytesObject::from_slice(self.as_bytes()).into_object()]
        };
        let state = self.as_object().call_method(identifier!("__getstate__"), &[])?;
        let cls = self.as_object().ty().as_object().to_ref();
        Ok(PyTupleObject::from_vec(vec![
            cls,
            PyTupleObject::from_vec(args).into_object(),
            state,
        ]))
    }
}

#[pymethods(part = BYTEARRAY_CHANGES)]
impl PyByteArrayObject {
    /// Adds a byte at the end.
    #[method("($self, item, /)")]
    fn append(&self, item: &PyObject) -> PyResult<()> {
        self.push(byte_value(item, BYTE_RANGE)?)
    }
    /// Removes all bytes.
    #[method("($self, /)")]
    fn clear(&self) -> PyResult<()> {
        self.resize(0)
    }
    /// A copy.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<PyByteArrayObject>> {
        PyByteArrayObject::try_from_slice(self.as_bytes())
    }
    /// Adds the bytes of a bytes-like object or of an iterable of integers at the end.
    #[method("($self, iterable_of_ints, /)")]
    fn extend(&self, iterable_of_ints: &PyObject) -> PyResult<()> {
        if has_buffer(iterable_of_ints) {
            if iterable_of_ints.is(self.as_object()) {
                let copy = self.as_bytes().to_vec();
                return self.extend_from_slice(&copy);
            }
            // The argument's `__buffer__` may change the array.
            let end = self.len();
            let more = BytesArg::of(iterable_of_ints)?;
            let end = end.min(self.len());
            return self.splice(end, end, more.as_bytes());
        }
        let ty = iterable_of_ints.ty();
        if ty.tp_iter.get().is_none() && !iterable_of_ints.is_sequence() {
            return Err(raise!(
                TypeError,
                "can't extend bytearray with {}",
                ty.full_name()
            ));
        }
        let bytes = match collect_bytes(iterable_of_ints) {
            Ok(bytes) => bytes,
            Err(raised) if iterable_of_ints.downcast::<PyUnicodeObject>().is_some() => {
                raised.clear_if(exc::TypeError)?;
                return Err(raise!(TypeError, "expected iterable of integers; got: 'str'"));
            }
            Err(raised) => return Err(raised),
        };
        self.extend_from_slice(&bytes)
    }
    /// Puts a byte before a place.
    #[method("($self, index, item, /)")]
    fn insert(&self, index: isize, item: &PyObject) -> PyResult<()> {
        let byte = byte_value(item, BYTE_RANGE)?;
        let len = self.len() as isize;
        let place = if index < 0 {
            (index + len).max(0)
        } else {
            index.min(len)
        } as usize;
        self.splice(place, place, &[byte])
    }
    /// Removes a byte, the last if not said otherwise, and gives it.
    #[method("($self, index=-1, /)")]
    fn pop(&self, index: isize) -> PyResult<usize> {
        if self.is_empty() {
            return Err(raise!(IndexError, "pop from empty bytearray"));
        }
        let Some(place) = checked_index(index, self.len()) else {
            return Err(raise!(IndexError, "pop index out of range"));
        };
        self.check_resizable()?;
        let byte = self.as_bytes()[place];
        self.splice(place, place + 1, &[])?;
        Ok(usize::from(byte))
    }
    /// Removes the first byte of a value.
    #[method("($self, value, /)")]
    fn remove(&self, value: &PyObject) -> PyResult<()> {
        let byte = byte_value(value, BYTE_RANGE)?;
        match memchr::memchr(byte, self.as_bytes()) {
            Some(place) => self.splice(place, place + 1, &[]),
            None => Err(raise!(ValueError, "value not found in bytearray")),
        }
    }
    /// Makes the array a given number of bytes long; new ones are zero.
    #[method("($self, size, /)", name = "resize")]
    fn py_resize(&self, size: isize) -> PyResult<()> {
        let Ok(size) = usize::try_from(size) else {
            return Err(raise!(
                ValueError,
                "Can only resize to positive sizes, got {size}"
            ));
        };
        let old = self.len();
        self.resize(size)?;
        if size > old {
            // SAFETY: no Python code runs.
            let bytes = unsafe { self.as_bytes_mut() };
            bytes[old..].fill(0);
        }
        Ok(())
    }
    /// Reverses the order of the bytes.
    #[method("($self, /)")]
    fn reverse(&self) {
        // SAFETY: no Python code runs.
        unsafe { self.as_bytes_mut() }.reverse();
    }
    /// How many bytes are allocated.
    #[method("($self, /)")]
    fn __alloc__(&self) -> isize {
        self.ob_alloc.get()
    }
    /// Bytes that the object takes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        self.as_object().ty().tp_basicsize.get() as usize + self.ob_alloc.get() as usize
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        self.reduced(2)
    }
    /// For pickling.
    #[method("($self, proto=0, /)")]
    fn __reduce_ex__(&self, proto: isize) -> PyResult<Ref<PyTupleObject>> {
        self.reduced(proto)
    }
    /// The array that a text of hexadecimal digits stands for; white space between pairs is passed over.
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &PyTypeObject, string: &PyObject) -> PyResult {
        let bytes = bytes_methods::parse_hex(string)?;
        if std::ptr::eq(cls, &super::PyByteArray_Type) {
            return Ok(PyByteArrayObject::try_from_slice(&bytes)?.into_object());
        }
        cls.as_object().call1(PyBytesObject::from_vec(bytes).as_object())
    }
}
