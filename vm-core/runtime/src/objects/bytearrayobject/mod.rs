//! `bytearray`: a run of bytes that changes in place. While buffers of it are exported it keeps its size.
//!
//! Invariants: a NUL follows the last byte when there is a block; `ob_start` may be past `ob_bytes` after removals at
//! the front. Tests: `tests/bytes.rs`.

use crate::exceptions::exc;
use crate::memory;
use crate::objects::buffer::{self, Buffer, BytesArg, has_buffer};
use crate::objects::bytes_methods::{self, byte_value};
use crate::objects::{bytes_format, codecs, indices};
use crate::prelude::*;
use std::cell::Cell;

mod methods;
pub use super::byteiter::{ByteArrayIterator, PyByteArrayIter_Type};
pub use methods::*;

/// What `PyByteArray_AS_STRING` shows of an empty array.
#[unsafe(no_mangle)]
pub static _PyByteArray_empty_string: [u8; 1] = [0];

pub(super) const BYTE_RANGE: &str = "byte must be in range(0, 256)";

impl PyByteArrayObject {
    #[inline]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Where the bytes are; a NUL when there are none.
    #[inline]
    pub fn data_ptr(&self) -> *mut u8 {
        match self.len() {
            0 => (&raw const _PyByteArray_empty_string).cast_mut().cast(),
            _ => self.ob_start.get().cast(),
        }
    }
    /// The bytes as they are now. They change with the object: no Python code may run while this is held.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the block holds that many bytes.
        unsafe { std::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }
    /// The bytes, to be changed.
    ///
    /// # Safety
    /// No other slice of them is in use, and no Python code runs meanwhile.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn as_bytes_mut(&self) -> &mut [u8] {
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts_mut(self.data_ptr(), self.len()) }
    }
    /// A new array with a copy of the bytes.
    pub fn from_slice(bytes: &[u8]) -> Ref<PyByteArrayObject> {
        memory::insist_on(|| PyByteArrayObject::try_from_slice(bytes))
    }
    pub fn try_from_slice(bytes: &[u8]) -> PyResult<Ref<PyByteArrayObject>> {
        let array = Ref::new(PyByteArrayObject {
            ob_base: PyVarObject {
                ob_base: memory::blank_header(),
                ob_size: Cell::new(0),
            },
            ob_alloc: Cell::new(0),
            ob_bytes: Cell::new(std::ptr::null_mut()),
            ob_start: Cell::new(std::ptr::null_mut()),
            ob_exports: Cell::new(0),
        })?;
        array.extend_from_slice(bytes)?;
        Ok(array)
    }
    /// BufferError while buffers are exported.
    pub fn check_resizable(&self) -> PyResult<()> {
        if self.ob_exports.get() > 0 {
            return Err(raise!(
                BufferError,
                "Existing exports of data: object cannot be re-sized"
            ));
        }
        Ok(())
    }
    /// Makes the array `size` bytes long; new ones are not set.
    pub fn resize(&self, size: usize) -> PyResult<()> {
        if size == self.len() {
            return Ok(());
        }
        self.check_resizable()?;
        if size >= isize::MAX as usize {
            return Err(memory::no_memory());
        }
        let alloc = self.ob_alloc.get() as usize;
        let (block, start) = (self.ob_bytes.get().cast::<u8>(), self.ob_start.get().cast::<u8>());
        let offset = if block.is_null() {
            0
        } else {
            start as usize - block as usize
        };
        if size + offset < alloc && !(size < alloc / 2 && alloc > 64) {
            self.set_len(size);
            return Ok(());
        }
        // Beyond a growth by an eighth the size asked for is taken to be the last one.
        let wanted = if size <= alloc + alloc / 8 && size >= alloc / 2 {
            size + (size >> 3) + if size < 9 { 3 } else { 6 }
        } else {
            size + 1
        };
        // SAFETY: the block is this array's own; what is kept is moved to its beginning.
        unsafe {
            let fresh = if offset > 0 {
                let fresh = memory::raw_malloc(wanted).cast::<u8>();
                if !fresh.is_null() {
                    std::ptr::copy_nonoverlapping(start, fresh, self.len().min(size));
                    memory::raw_free(block.cast());
                }
                fresh
            } else {
                memory::raw_realloc(block.cast(), wanted).cast::<u8>()
            };
            if fresh.is_null() {
                return Err(memory::no_memory());
            }
            self.ob_bytes.set(fresh.cast());
            self.ob_start.set(fresh.cast());
        }
        self.ob_alloc.set(wanted as isize);
        self.set_len(size);
        Ok(())
    }
    fn set_len(&self, size: usize) {
        self.ob_base.ob_size.set(size as isize);
        let start = self.ob_start.get().cast::<u8>();
        if !start.is_null() {
            // SAFETY: the block has room for a NUL behind the bytes.
            unsafe { start.add(size).write(0) };
        }
    }
    pub fn extend_from_slice(&self, bytes: &[u8]) -> PyResult<()> {
        let len = self.len();
        self.resize(len + bytes.len())?;
        // SAFETY: just made longer; the source is no part of this array's block.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_ptr().add(len), bytes.len()) };
        Ok(())
    }
    pub fn push(&self, byte: u8) -> PyResult<()> {
        let len = self.len();
        if len == isize::MAX as usize {
            return Err(raise!(OverflowError, "cannot add more objects to bytearray"));
        }
        self.resize(len + 1)?;
        // SAFETY: the last byte is there now.
        unsafe { *self.data_ptr().add(len) = byte };
        Ok(())
    }
    /// Puts `bytes` in place of `start..end`, which is within the array.
    pub fn splice(&self, start: usize, end: usize, bytes: &[u8]) -> PyResult<()> {
        let (len, n_old) = (self.len(), end - start);
        if n_old == bytes.len() {
            // SAFETY: within the array; the source is elsewhere.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_ptr().add(start), n_old) };
            return Ok(());
        }
        self.check_resizable()?;
        // SAFETY: all ranges are within the array before or after its change of length.
        unsafe {
            if bytes.len() < n_old {
                let n_gone = n_old - bytes.len();
                let data = self.data_ptr();
                if start == 0 {
                    // Removal at the front moves the beginning.
                    self.ob_start.set(data.add(n_gone).cast());
                    self.ob_base.ob_size.set((len - n_gone) as isize);
                    std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.add(n_gone), bytes.len());
                    if len - n_gone < self.ob_alloc.get() as usize / 2 {
                        return self.shrink();
                    }
                    return Ok(());
                }
                std::ptr::copy(data.add(end), data.add(start + bytes.len()), len - end);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.add(start), bytes.len());
                return self.resize(len - n_gone);
            }
            let n_more = bytes.len() - n_old;
            self.resize(len + n_more)?;
            let data = self.data_ptr();
            std::ptr::copy(data.add(end), data.add(end + n_more), len - end);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.add(start), bytes.len());
        }
        Ok(())
    }
    /// Gives memory back after the beginning has moved.
    fn shrink(&self) -> PyResult<()> {
        let bytes = self.as_bytes().to_vec();
        let fresh = memory::raw_malloc(bytes.len() + 1).cast::<u8>();
        if fresh.is_null() {
            return Ok(());
        }
        // SAFETY: the fresh block has room for the bytes and the NUL; the old one is this array's own.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), fresh, bytes.len());
            fresh.add(bytes.len()).write(0);
            memory::raw_free(self.ob_bytes.replace(fresh.cast()).cast());
        }
        self.ob_start.set(fresh.cast());
        self.ob_alloc.set(bytes.len() as isize + 1);
        Ok(())
    }
    /// The bytes that an assigned value stands for.
    fn assigned_bytes(&self, value: &PyObject) -> PyResult<Vec<u8>> {
        if has_buffer(value) {
            let view = Buffer::get(value, PyBUF_FULL_RO)?;
            return Ok(bytes_methods::contiguous_bytes(&view));
        }
        let is_iterable = value.ty().tp_iter.get().is_some() || value.is_sequence();
        if !is_iterable || value.downcast::<PyUnicodeObject>().is_some() || value.has_index() {
            return Err(raise!(
                TypeError,
                "can assign only bytes, buffers, or iterables of ints in range(0, 256)"
            ));
        }
        collect_bytes(value)
    }
    fn assign_slice(&self, slice: &PySliceObject, value: Option<&PyObject>) -> PyResult<()> {
        let bytes = value.map_or(Ok(Vec::new()), |value| self.assigned_bytes(value))?;
        let range = indices::slice_range(slice, || self.len())?;
        if range.step == 1 {
            let start = range.start as usize;
            return self.splice(start, start + range.count, &bytes);
        }
        if bytes.is_empty() {
            return self.delete_extended(range);
        }
        if bytes.len() != range.count {
            return Err(raise!(
                ValueError,
                "attempt to assign bytes of size {} to extended slice of size {}",
                bytes.len(),
                range.count
            ));
        }
        // SAFETY: no Python code runs; the places are within the array.
        let data = unsafe { self.as_bytes_mut() };
        range
            .positions()
            .zip(bytes)
            .for_each(|(place, byte)| data[place] = byte);
        Ok(())
    }
    fn delete_extended(&self, range: indices::SliceRange) -> PyResult<()> {
        if range.count == 0 {
            return Ok(());
        }
        self.check_resizable()?;
        let mut gone: Vec<usize> = range.positions().collect();
        gone.sort_unstable();
        let mut gone = gone.into_iter().peekable();
        // SAFETY: no Python code runs.
        let data = unsafe { self.as_bytes_mut() };
        let mut n_kept = 0;
        for place in 0..data.len() {
            if gone.next_if_eq(&place).is_none() {
                data[n_kept] = data[place];
                n_kept += 1;
            }
        }
        self.resize(n_kept)
    }
}

/// The bytes of an iterable of integers.
pub(super) fn collect_bytes(iterable: &PyObject) -> PyResult<Vec<u8>> {
    let mut bytes = Vec::with_capacity(iterable.length_hint(32)?.min(1 << 20));
    iterable.for_each(|item| {
        bytes.push(byte_value(&item, BYTE_RANGE)?);
        Ok(())
    })?;
    Ok(bytes)
}

#[pytype(
    name = "bytearray",
    static_name = PyByteArray_Type,
    flags = BASETYPE | MATCH_SELF,
    parts = [
        bytes_methods::BYTEARRAY_METHODS,
        bytes_methods::BYTEARRAY_SEARCH,
        methods::BYTEARRAY_CHANGES,
    ],
)]
/// bytearray(source=b'', encoding='utf-8', errors='strict') -> bytearray
///
/// A mutable sequence of bytes: of a count of zeros, of a bytes-like object, of integers, or of encoded text.
impl PyByteArrayObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        crate::objects::unicodeobject::construct::alloc_instance(cls, 0)
    }
    #[init("~(source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)")]
    fn init(
        &self,
        source: Option<&PyObject>,
        encoding: Option<&PyUnicodeObject>,
        errors: Option<&PyUnicodeObject>,
    ) -> PyResult<()> {
        if !self.is_empty() {
            self.resize(0)?;
        }
        if let Some(text) = bytes_methods::text_source(source, encoding, errors)? {
            let encoded = codecs::encode_text(text, encoding, errors)?;
            // SAFETY: encode_text gives bytes.
            return self.extend_from_slice(unsafe { encoded.cast_unchecked::<PyBytesObject>() }.as_bytes());
        }
        let Some(source) = source else { return Ok(()) };
        if source.downcast::<PyUnicodeObject>().is_some() {
            return Err(raise!(TypeError, "string argument without an encoding"));
        }
        if let Some(count) = bytes_methods::count_source(source)? {
            self.resize(count)?;
            // SAFETY: no Python code runs.
            unsafe { self.as_bytes_mut() }.fill(0);
            return Ok(());
        }
        if has_buffer(source) {
            let view = Buffer::get(source, PyBUF_FULL_RO)?;
            return self.extend_from_slice(&bytes_methods::contiguous_bytes(&view));
        }
        if source.ty().tp_iter.get().is_none() && !source.is_sequence() {
            return Err(raise!(
                TypeError,
                "cannot convert '{}' object to bytearray",
                source.ty().full_name()
            ));
        }
        source.for_each(|item| self.push(byte_value(&item, BYTE_RANGE)?))
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyByteArrayObject) {
        // SAFETY: the object is dying; its block goes with it, then the object by its type's own way.
        unsafe {
            if (*this).ob_exports.get() > 0 {
                let raised = raise!(SystemError, "deallocated bytearray object has exported buffers");
                crate::error::write_unraisable(raised, None, None);
            }
            memory::raw_free((*this).ob_bytes.get().cast());
            let ty = (*this.cast::<PyObject>()).ty();
            match ty.tp_free.get() {
                Some(tp_free) => tp_free(this.cast()),
                None => memory::free_object(this.cast()),
            }
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let name = self.as_object().ty().name();
        bytes_methods::repr(self.as_bytes(), &name)
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        crate::hooks::warn_of_bytes("str() on a bytearray instance")?;
        Self::tp_repr(self)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult<Ref<ByteArrayIterator>> {
        ByteArrayIterator::over(self.to_ref())
    }
    #[slot]
    fn tp_richcompare(this: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
        if !has_buffer(other) || !has_buffer(this) {
            if PyUnicodeObject::check(other) && matches!(op, CompareOp::Eq | CompareOp::Ne) {
                crate::hooks::warn_of_bytes("Comparison between bytearray and string")?;
            }
            return Ok(not_implemented().to_ref());
        }
        let (left, right) = (BytesArg::of(this)?, BytesArg::of(other));
        let right = match right {
            Ok(right) => right,
            Err(raised) => {
                raised.clear();
                return Ok(not_implemented().to_ref());
            }
        };
        Ok(py_bool(match op {
            CompareOp::Eq => left.as_bytes() == right.as_bytes(),
            CompareOp::Ne => left.as_bytes() != right.as_bytes(),
            _ => op.holds(left.as_bytes().cmp(right.as_bytes())),
        }))
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        match a.downcast::<PyByteArrayObject>() {
            Some(format) => {
                let _held = bytes_methods::ByteString::hold(format);
                Ok(PyByteArrayObject::from_slice(&bytes_format::format(format.as_bytes(), b)?).into_object())
            }
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn sq_concat(this: &PyObject, other: &PyObject) -> PyResult<Ref<PyByteArrayObject>> {
        let wrong = |raised: Raised| match raised.clear_if(exc::TypeError) {
            Ok(()) => raise!(
                TypeError,
                "can't concat {} to {}",
                other.ty().full_name(),
                this.ty().full_name()
            ),
            Err(raised) => raised,
        };
        let (left, right) = (
            BytesArg::of(this).map_err(wrong)?,
            BytesArg::of(other).map_err(wrong)?,
        );
        let array = PyByteArrayObject::try_from_slice(left.as_bytes())?;
        array.extend_from_slice(right.as_bytes())?;
        Ok(array)
    }
    #[slot]
    fn sq_inplace_concat(&self, other: &PyObject) -> PyResult<Ref<PyByteArrayObject>> {
        if let Some(own) = other.downcast::<PyByteArrayObject>()
            && std::ptr::eq(own, self)
        {
            let copy = self.as_bytes().to_vec();
            self.extend_from_slice(&copy)?;
            return Ok(self.to_ref());
        }
        let more = BytesArg::of(other).map_err(|raised| match raised.clear_if(exc::TypeError) {
            Ok(()) => {
                let (other, own) = (other.ty().full_name(), self.as_object().ty().full_name());
                raise!(TypeError, "can't concat {other} to {own}")
            }
            Err(raised) => raised,
        })?;
        self.extend_from_slice(more.as_bytes())?;
        Ok(self.to_ref())
    }
    #[slot]
    fn sq_repeat(&self, n: isize) -> PyResult<Ref<PyByteArrayObject>> {
        let Some(len) = self
            .len()
            .checked_mul(n.max(0) as usize)
            .filter(|len| *len < isize::MAX as usize)
        else {
            return Err(memory::no_memory());
        };
        let array = PyByteArrayObject::try_from_slice(&[])?;
        array.resize(len)?;
        // SAFETY: a fresh array.
        bytes_methods::fill_repeated(unsafe { array.as_bytes_mut() }, self.as_bytes());
        Ok(array)
    }
    #[slot]
    fn sq_inplace_repeat(&self, n: isize) -> PyResult<Ref<PyByteArrayObject>> {
        let pattern = self.as_bytes().to_vec();
        let Some(len) = pattern
            .len()
            .checked_mul(n.max(0) as usize)
            .filter(|len| *len < isize::MAX as usize)
        else {
            return Err(memory::no_memory());
        };
        self.resize(len)?;
        // SAFETY: no Python code runs.
        bytes_methods::fill_repeated(unsafe { self.as_bytes_mut() }, &pattern);
        Ok(self.to_ref())
    }
    #[slot]
    fn sq_item(&self, n: isize) -> PyResult<Ref<PyLongObject>> {
        match usize::try_from(n)
            .ok()
            .and_then(|place| self.as_bytes().get(place))
        {
            Some(byte) => Ok(PyLongObject::from_i64(i64::from(*byte))),
            None => Err(raise!(IndexError, "bytearray index out of range")),
        }
    }
    #[slot]
    fn sq_ass_item(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        self.assign_item(index, value)
    }
    #[slot]
    fn sq_contains(&self, other: &PyObject) -> PyResult<bool> {
        bytes_methods::contains(self, other)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        if let Some(slice) = key.downcast::<PySliceObject>() {
            let range = indices::slice_range(slice, || self.len())?;
            let bytes = self.as_bytes();
            if range.step == 1 {
                let start = range.start as usize;
                return Ok(
                    PyByteArrayObject::try_from_slice(&bytes[start..start + range.count])?.into_object(),
                );
            }
            let taken: Vec<u8> = range.positions().map(|place| bytes[place]).collect();
            return Ok(PyByteArrayObject::try_from_slice(&taken)?.into_object());
        }
        let place = self.place_of(key)?;
        Ok(PyLongObject::from_i64(i64::from(self.as_bytes()[place])).into_object())
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        if let Some(slice) = key.downcast::<PySliceObject>() {
            return self.assign_slice(slice, value);
        }
        let place = self.place_of(key)?;
        self.assign_item(place as isize, value)
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: the view is the caller's; the bytes stay while the export is counted.
        unsafe {
            buffer::fill_info(
                view,
                Some(self.as_object()),
                self.data_ptr().cast(),
                self.len(),
                false,
                flags,
            )?
        };
        self.ob_exports.set(self.ob_exports.get() + 1);
        Ok(())
    }
    #[slot]
    fn bf_releasebuffer(&self, _view: *mut Py_buffer) {
        self.ob_exports.set(self.ob_exports.get() - 1);
    }
}

impl PyByteArrayObject {
    fn place_of(&self, key: &PyObject) -> PyResult<usize> {
        if !key.has_index() {
            return Err(raise!(
                TypeError,
                "bytearray indices must be integers or slices, not {}",
                key.ty().full_name()
            ));
        }
        let index = key.to_index(exc::IndexError)?;
        indices::checked_index(index, self.len())
            .ok_or_else(|| raise!(IndexError, "bytearray index out of range"))
    }
    fn assign_item(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        // The value's `__index__` may change the array.
        let byte = value.map(|value| byte_value(value, BYTE_RANGE)).transpose()?;
        let Some(place) = usize::try_from(index).ok().filter(|place| *place < self.len()) else {
            return Err(raise!(IndexError, "bytearray index out of range"));
        };
        match byte {
            // SAFETY: within the array.
            Some(byte) => unsafe { *self.data_ptr().add(place) = byte },
            None => self.splice(place, place + 1, &[])?,
        }
        Ok(())
    }
}
