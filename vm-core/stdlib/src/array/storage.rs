//! The memory of an array: growing, moving and copying items.

use super::Array;
use super::items::{Descr, Word};
use adder_runtime::memory::{blank_header, no_memory, raw_free, raw_realloc};
use adder_runtime::prelude::*;
use std::cell::Cell;

impl Drop for Array {
    fn drop(&mut self) {
        // SAFETY: the block is this array's own.
        unsafe { raw_free(self.items.get().cast()) };
    }
}

impl Array {
    pub fn empty(cls: &PyTypeObject, descr: &'static Descr) -> PyResult<Ref<Array>> {
        Ref::new_in(
            cls,
            Array {
                ob_base: PyVarObject { ob_base: blank_header(), ob_size: Cell::new(0) },
                items: Cell::new(std::ptr::null_mut()),
                allocated: Cell::new(0),
                descr: Cell::new(descr),
                weakreflist: Cell::new(std::ptr::null_mut()),
                exports: Cell::new(0),
            },
        )
    }
    pub fn with_len(cls: &PyTypeObject, descr: &'static Descr, len: usize) -> PyResult<Ref<Array>> {
        let array = Array::empty(cls, descr)?;
        array.resize(len)?;
        Ok(array)
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }
    #[inline]
    pub fn item_size(&self) -> usize {
        self.descr.get().size
    }
    /// The items as bytes, while nothing can resize the array.
    pub fn bytes(&self) -> &[u8] {
        match self.len() {
            0 => &[],
            // SAFETY: the block holds so many items.
            len => unsafe { std::slice::from_raw_parts(self.items.get(), len * self.item_size()) },
        }
    }
    /// A copy of the items: the array may be resized while it is read.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }
    /// Where an item is.
    ///
    /// # Safety
    /// `index` is at most the length.
    #[inline(always)]
    pub unsafe fn place(&self, index: usize) -> *mut u8 {
        // SAFETY: the caller's contract.
        unsafe { self.items.get().add(index * self.item_size()) }
    }
    #[inline]
    pub fn word(&self, index: usize) -> Word {
        debug_assert!(index < self.len());
        // SAFETY: within the array.
        unsafe { self.descr.get().read(self.place(index)) }
    }
    #[inline]
    pub fn set_word(&self, index: usize, word: Word) {
        debug_assert!(index < self.len());
        // SAFETY: within the array.
        unsafe { self.descr.get().write(self.place(index), word) }
    }
    pub fn item(&self, index: usize) -> PyResult {
        self.descr.get().object(self.word(index))
    }
    pub fn check_exports(&self) -> PyResult<()> {
        if self.exports.get() > 0 {
            return Err(raise!(BufferError, "cannot resize an array that is exporting buffers"));
        }
        Ok(())
    }
    /// Makes the array `len` items long; new ones are not set.
    pub fn resize(&self, len: usize) -> PyResult<()> {
        if len != self.len() {
            self.check_exports()?;
        }
        let allocated = self.allocated.get() as usize;
        if allocated >= len && len < self.len() + 16 && (!self.items.get().is_null() || len == 0) && len >= allocated / 4
        {
            self.ob_base.ob_size.set(len as isize);
            return Ok(());
        }
        if len == 0 {
            // SAFETY: the block is this array's own.
            unsafe { raw_free(self.items.replace(std::ptr::null_mut()).cast()) };
            self.ob_base.ob_size.set(0);
            self.allocated.set(0);
            return Ok(());
        }
        let spare = (len >> 4) + if self.len() < 8 { 3 } else { 7 } ;
        let wanted = len + if self.len() == 0 { 0 } else { spare };
        let Some(size) = wanted.checked_mul(self.item_size()).filter(|size| *size <= isize::MAX as usize) else {
            return Err(no_memory());
        };
        // SAFETY: the block is this array's own.
        let block = unsafe { raw_realloc(self.items.get().cast(), size) };
        if block.is_null() {
            return Err(no_memory());
        }
        self.items.set(block.cast());
        self.ob_base.ob_size.set(len as isize);
        self.allocated.set(wanted as isize);
        Ok(())
    }
    /// Replaces the items of a range by those of a run of bytes that is not this array's own.
    pub fn replace_range(&self, start: usize, stop: usize, bytes: &[u8]) -> PyResult<()> {
        let size = self.item_size();
        let (old_len, n_old, n_new) = (self.len(), stop - start, bytes.len() / size);
        if n_new != n_old {
            self.check_exports()?;
        }
        // SAFETY: both moves stay within the block, which has the longer of the two lengths.
        unsafe {
            if n_new < n_old {
                std::ptr::copy(self.place(stop), self.place(start + n_new), (old_len - stop) * size);
                self.resize(old_len - (n_old - n_new))?;
            } else if n_new > n_old {
                self.resize(old_len + (n_new - n_old))?;
                std::ptr::copy(self.place(stop), self.place(start + n_new), (old_len - stop) * size);
            }
            if !bytes.is_empty() {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.place(start), bytes.len());
            }
        }
        Ok(())
    }
    pub fn extend_bytes(&self, bytes: &[u8]) -> PyResult<()> {
        let len = self.len();
        self.replace_range(len, len, bytes)
    }
    /// Inserts an item before `index`, counted as a list's.
    pub fn insert_item(&self, index: isize, object: &PyObject) -> PyResult<()> {
        let descr = self.descr.get();
        let word = descr.word(object)?;
        let len = self.len();
        let at = if index < 0 { index.saturating_add_unsigned(len).max(0) as usize } else { (index as usize).min(len) };
        self.resize(len + 1)?;
        // SAFETY: the block has room for one more.
        unsafe { std::ptr::copy(self.place(at), self.place(at + 1), (len - at) * descr.size) };
        self.set_word(at, word);
        Ok(())
    }
    pub fn push(&self, object: &PyObject) -> PyResult<()> {
        let word = self.descr.get().word(object)?;
        let len = self.len();
        self.resize(len + 1)?;
        self.set_word(len, word);
        Ok(())
    }
    pub fn repeat_bytes(&self, count: isize) -> PyResult<Vec<u8>> {
        let bytes = self.bytes();
        let count = count.max(0) as usize;
        if bytes.len().checked_mul(count).is_none_or(|size| size > isize::MAX as usize) {
            return Err(no_memory());
        }
        let mut repeated = Vec::new();
        if repeated.try_reserve_exact(bytes.len() * count).is_err() {
            return Err(no_memory());
        }
        for _ in 0..count {
            repeated.extend_from_slice(bytes);
        }
        Ok(repeated)
    }
}
