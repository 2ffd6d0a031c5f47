//! Pieces -> one `str`: writes straight into a growing string object, widened when a character asks for it.

use super::construct::{copy_units_to_kind, init_header, max_char_of};
use super::{ASCII_HEADER_SIZE, COMPACT_HEADER_SIZE, CodeUnit, StrData, latin1_char};
use crate::memory;
use crate::per_kind;
use crate::prelude::*;

/// A string under construction. Writing never fails; when memory is out, `finish` raises MemoryError.
pub struct UnicodeWriter {
    /// A block with room for the widest header, `capacity` units of `kind`, and a NUL.
    block: *mut u8,
    len: usize,
    capacity: usize,
    kind: usize,
    ascii: bool,
    failed: bool,
    /// The only thing written so far, not yet copied: the result may be this very string. `capacity` is then 0, so
    /// that the next write passes through `reallocate`.
    only: Option<Ref<PyUnicodeObject>>,
    /// The real capacity meanwhile.
    set_aside: usize,
}

impl Default for UnicodeWriter {
    fn default() -> UnicodeWriter {
        UnicodeWriter::new()
    }
}

impl UnicodeWriter {
    pub const fn new() -> UnicodeWriter {
        UnicodeWriter {
            block: std::ptr::null_mut(),
            len: 0,
            capacity: 0,
            kind: 1,
            ascii: true,
            failed: false,
            only: None,
            set_aside: 0,
        }
    }
    pub fn with_capacity(n_units: usize) -> UnicodeWriter {
        let mut writer = UnicodeWriter::new();
        if n_units > 0 {
            writer.reallocate(n_units);
        }
        writer
    }
    /// How many characters have been written.
    #[inline]
    pub fn len(&self) -> usize {
        self.len + self.only.as_ref().map_or(0, |only| only.len())
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline]
    fn header(&self) -> usize {
        if self.ascii {
            ASCII_HEADER_SIZE
        } else {
            COMPACT_HEADER_SIZE
        }
    }
    /// The greatest character that fits now.
    #[inline]
    fn limit(&self) -> u32 {
        match self.kind {
            1 if self.ascii => 0x7F,
            1 => 0xFF,
            2 => 0xFFFF,
            _ => u32::MAX,
        }
    }
    #[inline]
    fn end(&self) -> *mut u8 {
        // SAFETY: `len` is within the block.
        unsafe { self.block.add(self.header() + self.len * self.kind) }
    }
    #[cold]
    fn reallocate(&mut self, capacity: usize) -> bool {
        let size = capacity.checked_add(1).and_then(|n| n.checked_mul(self.kind));
        let size = size
            .and_then(|n| n.checked_add(COMPACT_HEADER_SIZE))
            .filter(|n| *n <= isize::MAX as usize);
        let block = match size {
            // SAFETY: the block is this writer's own.
            Some(size) => unsafe { memory::raw_realloc(self.block.cast(), size) }.cast::<u8>(),
            None => std::ptr::null_mut(),
        };
        if block.is_null() {
            self.failed = true;
            return false;
        }
        self.block = block;
        self.capacity = capacity;
        true
    }
    /// Makes room for `n_more` characters up to `max_char`. False when memory is out.
    #[inline]
    pub fn reserve(&mut self, n_more: usize, max_char: u32) -> bool {
        if max_char > self.limit() {
            self.widen(max_char);
        }
        if self.failed {
            return false;
        }
        match self.len.checked_add(n_more) {
            Some(len) if len <= self.capacity => true,
            Some(len) => self.make_room(len, n_more),
            None => {
                self.failed = true;
                false
            }
        }
    }
    /// Copies the only string, if there is one that waits.
    fn settle(&mut self) -> bool {
        let Some(only) = self.only.take() else {
            return false;
        };
        self.capacity = self.set_aside;
        per_kind!(only.data(), units => self.push_units(units, only.max_char_value()));
        true
    }
    #[cold]
    fn make_room(&mut self, len: usize, n_more: usize) -> bool {
        if self.settle() {
            return self.reserve(n_more, 0);
        }
        self.reallocate(len.saturating_add(len / 4).max(16))
    }
    #[cold]
    fn widen(&mut self, max_char: u32) {
        self.settle();
        let kind = match max_char {
            0..0x100 => 1,
            0x100..0x1_0000 => 2,
            _ => 4,
        };
        if kind <= self.kind && !self.ascii {
            return;
        }
        let (old_header, old_kind) = (self.header(), self.kind);
        self.ascii = false;
        self.kind = kind.max(old_kind);
        if self.block.is_null() || !self.reallocate(self.capacity.max(self.len)) {
            return;
        }
        // SAFETY: the block now has room for `len` wider units behind the wider header; copying runs backwards, so a
        // unit is read before its place is written.
        unsafe {
            let source = self.block.add(old_header);
            let target = self.block.add(COMPACT_HEADER_SIZE);
            if old_kind == self.kind {
                std::ptr::copy(source, target, self.len * old_kind);
                return;
            }
            for idx in (0..self.len).rev() {
                let unit = match old_kind {
                    1 => u32::from(*source.add(idx)),
                    _ => u32::from(*source.cast::<u16>().add(idx)),
                };
                match self.kind {
                    2 => *target.cast::<u16>().add(idx) = unit as u16,
                    _ => *target.cast::<u32>().add(idx) = unit,
                }
            }
        }
    }
    #[inline]
    pub fn push(&mut self, code: u32) {
        if !self.reserve(1, code) {
            return;
        }
        // SAFETY: room for one more unit of a kind that holds it.
        unsafe {
            match self.kind {
                1 => *self.end() = code as u8,
                2 => *self.end().cast::<u16>() = code as u16,
                _ => *self.end().cast::<u32>() = code,
            }
        }
        self.len += 1;
    }
    #[inline]
    pub fn push_char(&mut self, c: char) {
        self.push(u32::from(c));
    }
    /// Appends units whose maximum is known (or a bound on it that has the same kind).
    #[inline]
    pub fn push_units<T: CodeUnit>(&mut self, units: &[T], max_char: u32) {
        if units.is_empty() || !self.reserve(units.len(), max_char) {
            return;
        }
        // SAFETY: room was made, of a kind that holds the maximum.
        unsafe { copy_units_to_kind(units, self.end(), self.kind) };
        self.len += units.len();
    }
    pub fn push_ascii(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.is_ascii());
        self.push_units(bytes, 0x7F);
    }
    pub fn push_latin1(&mut self, bytes: &[u8]) {
        self.push_units(bytes, max_char_of(bytes));
    }
    pub fn push_str(&mut self, text: &str) {
        if text.is_ascii() {
            return self.push_ascii(text.as_bytes());
        }
        text.chars().for_each(|c| self.push_char(c));
    }
    pub fn push_object(&mut self, text: &PyUnicodeObject) {
        if self.len == 0
            && self.only.is_none()
            && !text.is_empty()
            && !self.failed
            && PyUnicodeObject::check_exact(text.as_object())
        {
            self.set_aside = std::mem::take(&mut self.capacity);
            self.only = Some(text.to_ref());
            return;
        }
        per_kind!(text.data(), units => self.push_units(units, text.max_char_value()));
    }
    /// Appends a part of a string; the range is within it.
    pub fn push_range(&mut self, text: &PyUnicodeObject, start: usize, end: usize) {
        match text.data() {
            StrData::Latin1(units) if text.is_ascii() => self.push_units(&units[start..end], 0x7F),
            data => {
                per_kind!(data, units => self.push_units(&units[start..end], max_char_of(&units[start..end])))
            }
        }
    }
    pub fn push_repeated(&mut self, code: u32, count: usize) {
        if count == 0 || !self.reserve(count, code) {
            return;
        }
        // SAFETY: room was made.
        unsafe {
            match self.kind {
                1 => std::slice::from_raw_parts_mut(self.end(), count).fill(code as u8),
                2 => std::slice::from_raw_parts_mut(self.end().cast::<u16>(), count).fill(code as u16),
                _ => std::slice::from_raw_parts_mut(self.end().cast::<u32>(), count).fill(code),
            }
        }
        self.len += count;
    }
    /// The string; MemoryError when one of the writes found no memory.
    pub fn finish(mut self) -> PyResult<Ref<PyUnicodeObject>> {
        if self.failed {
            return Err(memory::no_memory());
        }
        if let Some(only) = self.only.take() {
            return Ok(only);
        }
        if self.len == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        let header = self.header();
        if self.len == 1 && self.kind == 1 {
            // SAFETY: one unit was written.
            return Ok(latin1_char(unsafe { *self.block.add(header) }).to_ref());
        }
        let max_char = self.limit().min(super::MAX_CODE_POINT);
        let size = header + (self.len + 1) * self.kind;
        // SAFETY: the block is this writer's own, and larger.
        let block = unsafe { memory::raw_realloc(self.block.cast(), size) }.cast::<u8>();
        if !block.is_null() {
            self.block = block;
        }
        // SAFETY: the block holds `len` units of this shape and has room for the NUL; its count goes to the caller.
        unsafe {
            init_header(self.block, self.len, max_char);
            let block = std::mem::replace(&mut self.block, std::ptr::null_mut());
            Ok(Ref::from_owned(block.cast()))
        }
    }
}

impl Drop for UnicodeWriter {
    fn drop(&mut self) {
        // SAFETY: the block is this writer's own, or null.
        unsafe { memory::raw_free(self.block.cast()) };
    }
}

impl std::fmt::Write for UnicodeWriter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push_str(text);
        Ok(())
    }
}
