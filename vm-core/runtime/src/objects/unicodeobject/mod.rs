//! `str`: code points of 1, 2 or 4 bytes in the object itself (PEP 393), the UTF-8 form cached beside them.
//!
//! Invariants: a string has the narrowest kind that holds it, a NUL after its last character, and the `ascii` bit
//! exactly when every character is below 128; so strings of different kinds are never equal. One-character
//! Latin-1 strings and the empty string exist once, immortal. Only instances of subclasses keep their characters in
//! a second block. Tests: `tests/unicode.rs`.

#![allow(clippy::useless_conversion)] // code per kind converts units of each kind, also the one that needs it not
#![allow(clippy::should_implement_trait)] // `eq` and `from_str` are the interface's names

use crate::prelude::*;
use crate::{memory, pyhash};
use std::cell::Cell;
use std::mem::offset_of;

pub mod case;
pub mod construct;
pub mod interned;
pub mod iter;
pub mod repr;
pub mod search;
pub mod slots;
pub mod split;
pub mod text;
pub mod translate;
pub mod writer;

pub use iter::{_PyUnicodeASCIIIter_Type, PyUnicodeIter_Type};
pub use slots::PyUnicode_Type;
pub use writer::UnicodeWriter;

/// Bits of `PyASCIIObject.state`.
pub(crate) mod state {
    pub const INTERNED_MASK: u32 = 0b11;
    pub const NOT_INTERNED: u32 = 0;
    pub const INTERNED_MORTAL: u32 = 1;
    pub const INTERNED_IMMORTAL: u32 = 2;
    pub const INTERNED_STATIC: u32 = 3;
    pub const KIND_SHIFT: u32 = 2;
    pub const KIND_MASK: u32 = 0b111 << KIND_SHIFT;
    pub const COMPACT: u32 = 1 << 5;
    pub const ASCII: u32 = 1 << 6;
    pub const STATIC: u32 = 1 << 7;
}

/// Where a compact ASCII string's characters begin.
pub const ASCII_HEADER_SIZE: usize = size_of::<PyASCIIObject>();
/// Where another compact string's characters begin.
pub const COMPACT_HEADER_SIZE: usize = size_of::<PyCompactUnicodeObject>();
/// The greatest code point.
pub const MAX_CODE_POINT: u32 = 0x10_FFFF;

/// A code unit of one of the three kinds.
pub trait CodeUnit: Copy + Eq + Ord + Into<u32> + Default + 'static {
    /// The `PyUnicode_Kind`, which is the size in bytes.
    const KIND: usize;
    /// The low bits of a code point that is known to fit.
    fn truncate(code_point: u32) -> Self;
}
impl CodeUnit for u8 {
    const KIND: usize = 1;
    #[inline]
    fn truncate(code_point: u32) -> u8 {
        code_point as u8
    }
}
impl CodeUnit for u16 {
    const KIND: usize = 2;
    #[inline]
    fn truncate(code_point: u32) -> u16 {
        code_point as u16
    }
}
impl CodeUnit for u32 {
    const KIND: usize = 4;
    #[inline]
    fn truncate(code_point: u32) -> u32 {
        code_point
    }
}

/// A string's characters, by kind.
#[derive(Clone, Copy, Debug)]
pub enum StrData<'a> {
    Latin1(&'a [u8]),
    Ucs2(&'a [u16]),
    Ucs4(&'a [u32]),
}

impl StrData<'_> {
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            StrData::Latin1(units) => units.len(),
            StrData::Ucs2(units) => units.len(),
            StrData::Ucs4(units) => units.len(),
        }
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The code point at `idx`, which is in range.
    #[inline]
    pub fn at(&self, idx: usize) -> u32 {
        match self {
            StrData::Latin1(units) => u32::from(units[idx]),
            StrData::Ucs2(units) => u32::from(units[idx]),
            StrData::Ucs4(units) => units[idx],
        }
    }
}

/// Runs one expression per kind: `per_kind!(string.data(), units => units.len())`.
#[macro_export]
macro_rules! per_kind {
    ($data:expr, $units:ident => $body:expr) => {
        match $data {
            $crate::objects::unicodeobject::StrData::Latin1($units) => $body,
            $crate::objects::unicodeobject::StrData::Ucs2($units) => $body,
            $crate::objects::unicodeobject::StrData::Ucs4($units) => $body,
        }
    };
}

#[repr(C, align(8))]
struct AsciiChar {
    base: PyASCIIObject,
    units: [u8; 8],
}
#[repr(C, align(8))]
struct Latin1Char {
    base: PyCompactUnicodeObject,
    units: [u8; 8],
}

const fn static_ascii(length: isize) -> PyASCIIObject {
    PyASCIIObject {
        ob_base: PyObject::immortal((&raw const PyUnicode_Type).cast_mut()),
        length: Cell::new(length),
        hash: Cell::new(-1),
        state: Cell::new(UnicodeState(
            state::INTERNED_STATIC | 1 << state::KIND_SHIFT | state::COMPACT | state::ASCII | state::STATIC,
        )),
    }
}

static EMPTY: AsciiChar = AsciiChar {
    base: static_ascii(0),
    units: [0; 8],
};

static ASCII_CHARS: [AsciiChar; 128] = {
    let mut chars = [const {
        AsciiChar {
            base: static_ascii(1),
            units: [0; 8],
        }
    }; 128];
    let mut code = 0;
    while code < 128 {
        chars[code].units[0] = code as u8;
        code += 1;
    }
    chars
};

static LATIN1_CHARS: [Latin1Char; 128] = {
    let mut chars = [const {
        let base = PyASCIIObject {
            ob_base: PyObject::immortal((&raw const PyUnicode_Type).cast_mut()),
            length: Cell::new(1),
            hash: Cell::new(-1),
            state: Cell::new(UnicodeState(
                state::INTERNED_STATIC | 1 << state::KIND_SHIFT | state::COMPACT | state::STATIC,
            )),
        };
        Latin1Char {
            base: PyCompactUnicodeObject {
                _base: base,
                utf8_length: Cell::new(0),
                utf8: Cell::new(std::ptr::null_mut()),
            },
            units: [0; 8],
        }
    }; 128];
    let mut code = 0;
    while code < 128 {
        chars[code].units[0] = 128 + code as u8;
        code += 1;
    }
    chars
};

/// The immortal string of one Latin-1 character.
#[inline]
pub fn latin1_char(code: u8) -> &'static PyUnicodeObject {
    let object: *const PyUnicodeObject = if code < 128 {
        (&raw const ASCII_CHARS[usize::from(code)]).cast()
    } else {
        (&raw const LATIN1_CHARS[usize::from(code) - 128]).cast()
    };
    // SAFETY: a static compact string; the fields after its header are not touched while the compact bit is set.
    unsafe { &*object }
}

/// The immortal empty string.
#[inline]
pub fn empty_str() -> &'static PyUnicodeObject {
    // SAFETY: as in latin1_char.
    unsafe { &*(&raw const EMPTY).cast() }
}

impl PyUnicodeObject {
    #[inline]
    fn ascii_part(&self) -> &PyASCIIObject {
        &self._base._base
    }
    #[inline]
    pub(crate) fn state_bits(&self) -> u32 {
        self.ascii_part().state.get().0
    }
    #[inline]
    pub(crate) fn set_interned(&self, interned: u32) {
        self.ascii_part()
            .state
            .set(UnicodeState(self.state_bits() & !state::INTERNED_MASK | interned));
    }
    /// `SSTATE_…`: whether and how the string is interned.
    #[inline]
    pub fn interned_state(&self) -> u32 {
        self.state_bits() & state::INTERNED_MASK
    }
    #[inline]
    pub fn is_interned(&self) -> bool {
        self.interned_state() != state::NOT_INTERNED
    }
    /// The number of code points.
    #[inline]
    pub fn len(&self) -> usize {
        self.ascii_part().length.get() as usize
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// 1, 2 or 4: bytes per character.
    #[inline]
    pub fn kind(&self) -> usize {
        ((self.state_bits() & state::KIND_MASK) >> state::KIND_SHIFT) as usize
    }
    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.state_bits() & state::ASCII != 0
    }
    #[inline]
    pub fn is_compact(&self) -> bool {
        self.state_bits() & state::COMPACT != 0
    }
    /// A bound on the characters, by kind: 0x7F, 0xFF, 0xFFFF or 0x10FFFF.
    #[inline]
    pub fn max_char_value(&self) -> u32 {
        match self.kind() {
            1 if self.is_ascii() => 0x7F,
            1 => 0xFF,
            2 => 0xFFFF,
            _ => MAX_CODE_POINT,
        }
    }
    /// The characters, wherever they are.
    #[inline]
    pub fn data_ptr(&self) -> *mut c_void {
        let base = (self as *const PyUnicodeObject).cast::<u8>().cast_mut();
        let bits = self.state_bits();
        if bits & state::COMPACT == 0 {
            return self.data.get();
        }
        let header = if bits & state::ASCII != 0 {
            ASCII_HEADER_SIZE
        } else {
            COMPACT_HEADER_SIZE
        };
        // SAFETY: a compact string's characters follow its header.
        unsafe { base.add(header).cast() }
    }
    /// The characters, by kind.
    #[inline]
    pub fn data(&self) -> StrData<'_> {
        let data = self.data_ptr();
        let len = self.len();
        // SAFETY: the object holds `len` units of its kind there, and does not change once it is published.
        unsafe {
            match self.kind() {
                1 => StrData::Latin1(std::slice::from_raw_parts(data.cast(), len)),
                2 => StrData::Ucs2(std::slice::from_raw_parts(data.cast(), len)),
                _ => StrData::Ucs4(std::slice::from_raw_parts(data.cast(), len)),
            }
        }
    }
    /// The raw bytes of the characters, in the machine's byte order.
    #[inline]
    pub fn raw_bytes(&self) -> &[u8] {
        // SAFETY: as in data().
        unsafe { std::slice::from_raw_parts(self.data_ptr().cast(), self.len() * self.kind()) }
    }
    /// The characters when they are of kind 1.
    #[inline]
    pub fn latin1(&self) -> Option<&[u8]> {
        match self.data() {
            StrData::Latin1(units) => Some(units),
            _ => None,
        }
    }
    /// The ASCII text, without a check of UTF-8 and without a cache.
    #[inline]
    pub fn ascii_str(&self) -> Option<&str> {
        if !self.is_ascii() {
            return None;
        }
        // SAFETY: the ascii bit says that every byte is below 128.
        Some(unsafe { std::str::from_utf8_unchecked(self.raw_bytes()) })
    }
    /// The code point at `idx`, which is in range.
    #[inline]
    pub fn char_at(&self, idx: usize) -> u32 {
        self.data().at(idx)
    }
    /// The code points, one by one.
    pub fn code_points(&self) -> CodePoints<'_> {
        CodePoints {
            data: self.data(),
            next: 0,
            end: self.len(),
        }
    }
    /// As `code_points`, with U+FFFD for lone surrogates.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.code_points()
            .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Whether both have the same characters.
    #[inline]
    pub fn eq(&self, other: &PyUnicodeObject) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        const SHAPE: u32 = state::KIND_MASK;
        self.len() == other.len()
            && self.state_bits() & SHAPE == other.state_bits() & SHAPE
            && self.raw_bytes() == other.raw_bytes()
    }
    /// Whether the string is `text`.
    pub fn eq_str(&self, text: &str) -> bool {
        if self.is_ascii() {
            return self.raw_bytes() == text.as_bytes();
        }
        self.code_points().eq(text.chars().map(u32::from))
    }
    /// The hash, computed once.
    #[inline]
    pub fn hash(&self) -> Py_hash_t {
        match self.ascii_part().hash.get() {
            -1 => self.compute_hash(),
            hash => hash,
        }
    }
    #[cold]
    fn compute_hash(&self) -> Py_hash_t {
        let hash = pyhash::hash_bytes(self.raw_bytes());
        self.ascii_part().hash.set(hash);
        hash
    }

    /// The text as Rust's `str`: free for ASCII, else cached UTF-8; `None` when there are lone surrogates.
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        match self.ascii_str() {
            Some(text) => Some(text),
            None => self.cached_utf8(),
        }
    }
    /// As `as_str`, with Python's UnicodeEncodeError for lone surrogates.
    pub fn to_str(&self) -> PyResult<&str> {
        match self.as_str() {
            Some(text) => Ok(text),
            None => Err(self.raise_surrogates()),
        }
    }
    /// The text of a compact ASCII string, which is followed by a NUL.
    #[inline(always)]
    pub fn ascii_bytes(&self) -> Option<&[u8]> {
        const COMPACT_ASCII: u32 = state::COMPACT | state::ASCII;
        if self.state_bits() & COMPACT_ASCII != COMPACT_ASCII {
            return None;
        }
        // SAFETY: the characters follow the header.
        unsafe {
            let start = (self as *const PyUnicodeObject)
                .cast::<u8>()
                .add(ASCII_HEADER_SIZE);
            Some(std::slice::from_raw_parts(start, self.len()))
        }
    }
    #[cold]
    fn raise_surrogates(&self) -> Raised {
        let is_surrogate = |code: &u32| (0xD800..0xE000).contains(code);
        let start = self
            .code_points()
            .position(|code| is_surrogate(&code))
            .unwrap_or(0);
        let n_bad = self.code_points().skip(start).take_while(is_surrogate).count();
        crate::objects::codecs::errors::raise_encode_error(
            self,
            "utf-8",
            start,
            start + n_bad,
            "surrogates not allowed",
        )
    }
    /// The text with U+FFFD for each lone surrogate.
    pub fn to_string_lossy(&self) -> String {
        match self.ascii_str() {
            Some(text) => text.to_owned(),
            None => self.chars().collect(),
        }
    }
    /// The text as UTF-8 in which lone surrogates are encoded like other code points.
    pub fn to_wtf8(&self) -> Vec<u8> {
        if let Some(text) = self.ascii_str() {
            return text.as_bytes().to_vec();
        }
        let mut bytes = Vec::with_capacity(self.len() * 2);
        per_kind!(self.data(), units => units.iter().for_each(|&unit| push_wtf8(&mut bytes, unit.into())));
        bytes
    }
    #[cold]
    fn cached_utf8(&self) -> Option<&str> {
        let compact = &self._base;
        if compact.utf8.get().is_null() {
            if self.code_points().any(|code| (0xD800..0xE000).contains(&code)) {
                return None;
            }
            let bytes = self.to_wtf8();
            let block = memory::insist(|| std::ptr::NonNull::new(memory::raw_malloc(bytes.len() + 1)));
            let block = block.as_ptr().cast::<u8>();
            // SAFETY: the block has room for the bytes and the NUL.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
                *block.add(bytes.len()) = 0;
            }
            compact.utf8_length.set(bytes.len() as isize);
            compact.utf8.set(block.cast());
        }
        // SAFETY: the cache holds valid UTF-8 of that length as long as the object lives.
        unsafe {
            let bytes = std::slice::from_raw_parts(
                compact.utf8.get().cast::<u8>(),
                compact.utf8_length.get() as usize,
            );
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }

    /// Gives back what the object owns besides its own block, and takes it out of the interned table.
    pub(crate) fn release(&self) {
        if self.interned_state() == state::INTERNED_MORTAL {
            interned::forget(self);
        }
        if self.state_bits() & (state::COMPACT | state::ASCII) == state::COMPACT {
            // SAFETY: the cache is this object's own.
            unsafe { memory::raw_free(self._base.utf8.replace(std::ptr::null_mut()).cast()) };
        } else if !self.is_compact() {
            let data = self.data.replace(std::ptr::null_mut());
            let utf8 = self._base.utf8.replace(std::ptr::null_mut()).cast::<c_void>();
            // SAFETY: a non-compact string owns its second block, and its cache unless that is the same block.
            unsafe {
                if utf8 != data {
                    memory::raw_free(utf8);
                }
                memory::raw_free(data);
            }
        }
    }
}

/// Appends one code point (a surrogate too) in UTF-8's manner.
#[inline]
pub fn push_wtf8(bytes: &mut Vec<u8>, code: u32) {
    match code {
        0..0x80 => bytes.push(code as u8),
        0x80..0x800 => bytes.extend_from_slice(&[0xC0 | (code >> 6) as u8, 0x80 | (code & 0x3F) as u8]),
        0x800..0x1_0000 => bytes.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
        _ => bytes.extend_from_slice(&[
            0xF0 | (code >> 18) as u8,
            0x80 | (code >> 12 & 0x3F) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
    }
}

/// See [`PyUnicodeObject::code_points`].
#[derive(Clone)]
pub struct CodePoints<'a> {
    data: StrData<'a>,
    next: usize,
    end: usize,
}

impl Iterator for CodePoints<'_> {
    type Item = u32;
    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        Some(self.data.at(self.next - 1))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}
impl DoubleEndedIterator for CodePoints<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        if self.next == self.end {
            return None;
        }
        self.end -= 1;
        Some(self.data.at(self.end))
    }
}
impl ExactSizeIterator for CodePoints<'_> {}

const _: () = {
    assert!(offset_of!(PyUnicodeObject, data) == 56);
    assert!(ASCII_HEADER_SIZE == 40 && COMPACT_HEADER_SIZE == 56);
};
