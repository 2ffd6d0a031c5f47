//! Characters -> `str` objects: allocation of the narrowest kind, and the constructors that the rest of the runtime uses.

use super::{
    ASCII_HEADER_SIZE, COMPACT_HEADER_SIZE, CodeUnit, MAX_CODE_POINT, PyUnicode_Type, StrData, UnicodeWriter,
    empty_str, interned, latin1_char, state,
};
use crate::memory;
use crate::per_kind;
use crate::prelude::*;
use std::cell::Cell;

/// Header and unit size for strings whose characters are at most `max_char`.
#[inline]
const fn shape(max_char: u32) -> (usize, usize, u32) {
    if max_char < 0x80 {
        (
            ASCII_HEADER_SIZE,
            1,
            state::COMPACT | state::ASCII | 1 << state::KIND_SHIFT,
        )
    } else if max_char < 0x100 {
        (COMPACT_HEADER_SIZE, 1, state::COMPACT | 1 << state::KIND_SHIFT)
    } else if max_char < 0x1_0000 {
        (COMPACT_HEADER_SIZE, 2, state::COMPACT | 2 << state::KIND_SHIFT)
    } else {
        (COMPACT_HEADER_SIZE, 4, state::COMPACT | 4 << state::KIND_SHIFT)
    }
}

/// Writes a compact string's header into fresh memory.
///
/// # Safety
/// The block has room for the header of `max_char`'s shape, `len` units and a NUL unit.
#[inline]
pub(super) unsafe fn init_header(block: *mut u8, len: usize, max_char: u32) {
    let (header, unit, bits) = shape(max_char);
    // SAFETY: the caller's contract.
    unsafe {
        memory::init_static(block.cast(), &PyUnicode_Type);
        let ascii = block.cast::<PyASCIIObject>();
        (&raw mut (*ascii).length).write(Cell::new(len as isize));
        (&raw mut (*ascii).hash).write(Cell::new(-1));
        (&raw mut (*ascii).state).write(Cell::new(UnicodeState(bits)));
        if header == COMPACT_HEADER_SIZE {
            let compact = block.cast::<PyCompactUnicodeObject>();
            (&raw mut (*compact).utf8_length).write(Cell::new(0));
            (&raw mut (*compact).utf8).write(Cell::new(std::ptr::null_mut()));
        }
        let end = block.add(header + len * unit);
        match unit {
            1 => end.write(0),
            2 => end.cast::<u16>().write(0),
            _ => end.cast::<u32>().write(0),
        }
    }
}

/// A string of `len` characters that are at most `max_char`, not yet written, and where they go.
#[inline]
fn alloc(len: usize, max_char: u32) -> Option<(*mut u8, *mut u8)> {
    let (header, unit, _) = shape(max_char);
    let size = len
        .checked_add(1)?
        .checked_mul(unit)?
        .checked_add(header)
        .filter(|size| *size <= isize::MAX as usize)?;
    let block = memory::raw_malloc(size).cast::<u8>();
    if block.is_null() {
        return None;
    }
    // SAFETY: the block has the size that the header asks for.
    unsafe {
        init_header(block, len, max_char);
        Some((block, block.add(header)))
    }
}

/// The greatest value of a run of units, or a bound on it that has the same kind and ASCII-ness.
#[inline]
pub fn max_char_of<T: CodeUnit>(units: &[T]) -> u32 {
    // A fold with `or` has the same shape as the maximum, except that it may pass 0x10FFFF.
    let all = units.iter().fold(0u32, |all, &unit| all | unit.into());
    all.min(MAX_CODE_POINT)
}

/// Copies units into units of another width, into which they fit.
///
/// # Safety
/// `target` has room for as many units as `source` has.
#[inline]
pub unsafe fn copy_units<S: CodeUnit, T: CodeUnit>(source: &[S], target: *mut T) {
    // SAFETY: the caller's contract; the source and the fresh target do not overlap.
    unsafe {
        if S::KIND == T::KIND {
            std::ptr::copy_nonoverlapping(source.as_ptr().cast::<T>(), target, source.len());
        } else {
            for (idx, &unit) in source.iter().enumerate() {
                *target.add(idx) = T::truncate(unit.into());
            }
        }
    }
}

/// Copies units to memory that holds units of `kind`.
///
/// # Safety
/// As `copy_units`.
#[inline]
pub(super) unsafe fn copy_units_to_kind<S: CodeUnit>(source: &[S], target: *mut u8, kind: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        match kind {
            1 => copy_units(source, target),
            2 => copy_units(source, target.cast::<u16>()),
            _ => copy_units(source, target.cast::<u32>()),
        }
    }
}

impl PyUnicodeObject {
    /// The empty string.
    #[inline]
    pub fn empty() -> Ref<PyUnicodeObject> {
        empty_str().to_ref()
    }
    /// A string whose `len` characters, at most `max_char`, `fill` writes at the address that it is given.
    /// MemoryError when there is no room.
    ///
    /// # Safety
    /// `fill` writes all `len` units, of the kind that `max_char` asks for, and one of them needs that kind.
    #[inline]
    pub unsafe fn with_fill(
        len: usize,
        max_char: u32,
        fill: impl FnOnce(*mut u8),
    ) -> PyResult<Ref<PyUnicodeObject>> {
        if len == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        let Some((block, data)) = alloc(len, max_char) else {
            return Err(memory::no_memory());
        };
        fill(data);
        if len == 1 && max_char < 0x100 {
            // SAFETY: one unit of kind 1 was written; the block is not needed.
            unsafe {
                let code = *data;
                memory::raw_free(block.cast());
                return Ok(latin1_char(code).to_ref());
            }
        }
        // SAFETY: a whole string, with one count.
        Ok(unsafe { Ref::from_owned(block.cast()) })
    }
    /// As `with_fill` for C's `PyUnicode_New`: the caller owns the only reference and fills it in.
    pub fn new_uninit(len: usize, max_char: u32) -> PyResult<Ref<PyUnicodeObject>> {
        if len == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        match alloc(len, max_char) {
            // SAFETY: a header with one count; C's contract is to write the characters before anybody reads them.
            Some((block, _)) => Ok(unsafe { Ref::from_owned(block.cast()) }),
            None => Err(memory::no_memory()),
        }
    }
    /// A string of these units in the narrowest kind.
    #[inline]
    pub fn from_units<T: CodeUnit>(units: &[T]) -> Ref<PyUnicodeObject> {
        match units {
            [] => return PyUnicodeObject::empty(),
            [unit] => return PyUnicodeObject::from_char((*unit).into()),
            _ => {}
        }
        PyUnicodeObject::from_units_bounded(units, max_char_of(units))
    }
    /// As `from_units`, for a known maximum.
    #[inline]
    fn from_units_bounded<T: CodeUnit>(units: &[T], max_char: u32) -> Ref<PyUnicodeObject> {
        let kind = shape(max_char).1;
        // SAFETY: the units fit the kind that their own maximum asks for.
        memory::insist_on(|| unsafe {
            PyUnicodeObject::with_fill(units.len(), max_char, |target| {
                copy_units_to_kind(units, target, kind)
            })
        })
    }
    pub fn from_latin1(bytes: &[u8]) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_units(bytes)
    }
    pub fn from_ucs2(units: &[u16]) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_units(units)
    }
    pub fn from_code_points(units: &[u32]) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_units(units)
    }
    /// A word of the operating system as it is decoded with `surrogateescape`: what is not UTF-8 becomes lone surrogates.
    pub fn from_os_str(word: &std::ffi::OsStr) -> Ref<PyUnicodeObject> {
        if let Some(text) = word.to_str() {
            return PyUnicodeObject::from_str(text);
        }
        let mut code_points = Vec::new();
        for chunk in word.as_encoded_bytes().utf8_chunks() {
            code_points.extend(chunk.valid().chars().map(u32::from));
            code_points.extend(chunk.invalid().iter().map(|byte| 0xdc00 + u32::from(*byte)));
        }
        PyUnicodeObject::from_code_points(&code_points)
    }
    /// A string of ASCII bytes.
    #[inline]
    pub fn from_ascii(bytes: &[u8]) -> Ref<PyUnicodeObject> {
        debug_assert!(bytes.is_ascii());
        match bytes {
            [] => PyUnicodeObject::empty(),
            [code] => latin1_char(*code).to_ref(),
            _ => PyUnicodeObject::from_units_bounded(bytes, 0x7F),
        }
    }
    #[inline]
    pub fn from_str(text: &str) -> Ref<PyUnicodeObject> {
        if text.is_ascii() {
            return PyUnicodeObject::from_ascii(text.as_bytes());
        }
        PyUnicodeObject::from_scalars(text.chars().count(), || text.chars().map(u32::from))
    }
    pub fn from_string(text: String) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_str(&text)
    }
    /// From UTF-8 in which lone surrogates are encoded like other code points.
    pub fn from_wtf8(bytes: &[u8]) -> Ref<PyUnicodeObject> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return PyUnicodeObject::from_str(text);
        }
        let code_points: Vec<u32> = decode_wtf8(bytes).collect();
        PyUnicodeObject::from_code_points(&code_points)
    }
    /// A string of the code points that an iterator gives, `len` of them, run twice.
    fn from_scalars<I: Iterator<Item = u32>>(
        len: usize,
        code_points: impl Fn() -> I,
    ) -> Ref<PyUnicodeObject> {
        let max_char = code_points().fold(0, |all, code| all | code).min(MAX_CODE_POINT);
        let kind = shape(max_char).1;
        // SAFETY: the iterator gives `len` code points, of which the widest needs this kind.
        memory::insist_on(|| unsafe {
            PyUnicodeObject::with_fill(len, max_char, |target| {
                let codes = code_points().take(len).enumerate();
                match kind {
                    1 => codes.for_each(|(idx, code)| *target.add(idx) = code as u8),
                    2 => codes.for_each(|(idx, code)| *target.cast::<u16>().add(idx) = code as u16),
                    _ => codes.for_each(|(idx, code)| *target.cast::<u32>().add(idx) = code),
                }
            })
        })
    }
    /// The string of one code point.
    #[inline]
    pub fn from_char(code: u32) -> Ref<PyUnicodeObject> {
        if code < 0x100 {
            return latin1_char(code as u8).to_ref();
        }
        PyUnicodeObject::from_units_bounded(&[code], code)
    }
    /// The string of `len` times the same code point. MemoryError when there is no room.
    pub fn from_repeated(code: u32, len: usize) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: fills every unit.
        unsafe {
            PyUnicodeObject::with_fill(len, code, |target| match shape(code).1 {
                1 => std::slice::from_raw_parts_mut(target, len).fill(code as u8),
                2 => std::slice::from_raw_parts_mut(target.cast::<u16>(), len).fill(code as u16),
                _ => std::slice::from_raw_parts_mut(target.cast::<u32>(), len).fill(code),
            })
        }
    }

    /// The interned string that equals `object`, mortal as long as nobody makes it immortal.
    #[inline]
    pub fn intern(object: Ref<PyUnicodeObject>) -> Ref<PyUnicodeObject> {
        interned::intern(object, false)
    }
    /// The interned, immortal string of this text.
    pub fn intern_immortal(text: &str) -> &'static PyUnicodeObject {
        let object = interned::intern(PyUnicodeObject::from_str(text), true);
        // SAFETY: immortal.
        unsafe { &*object.into_raw() }
    }
    /// This object itself when it is an exact `str`, else a `str` with the same characters.
    pub fn to_exact(&self) -> Ref<PyUnicodeObject> {
        if PyUnicodeObject::check_exact(self.as_object()) {
            return self.to_ref();
        }
        per_kind!(self.data(), units => PyUnicodeObject::from_units(units))
    }

    /// The characters from `start` to `end`, both clipped to the length.
    pub fn substring(&self, start: usize, end: usize) -> Ref<PyUnicodeObject> {
        let end = end.min(self.len());
        if start >= end {
            return PyUnicodeObject::empty();
        }
        if end - start == self.len() {
            return self.to_exact();
        }
        match self.data() {
            StrData::Latin1(units) if self.is_ascii() => PyUnicodeObject::from_ascii(&units[start..end]),
            data => per_kind!(data, units => PyUnicodeObject::from_units(&units[start..end])),
        }
    }
    /// Both strings, one after the other. OverflowError and MemoryError as Python's.
    #[inline]
    pub fn concat(&self, other: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        if self.is_empty() {
            return Ok(other.to_exact());
        }
        if other.is_empty() {
            return Ok(self.to_exact());
        }
        let (n_left, n_right) = (self.len(), other.len());
        let Some(len) = n_left
            .checked_add(n_right)
            .filter(|len| *len <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "strings are too large to concat"));
        };
        let max_char = self.max_char_value().max(other.max_char_value());
        let kind = shape(max_char).1;
        // SAFETY: both runs are written, into the wider kind of the two.
        unsafe {
            PyUnicodeObject::with_fill(len, max_char, |target| {
                per_kind!(self.data(), units => copy_units_to_kind(units, target, kind));
                per_kind!(other.data(), units => copy_units_to_kind(units, target.add(n_left * kind), kind));
            })
        }
    }
    /// `left + right` where `left` is given away: when nobody else has it, it grows where it is. So a loop of `s += t`
    /// does not copy the whole each time.
    pub fn append(left: Ref<PyUnicodeObject>, right: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        let bits = left.state_bits();
        let grows = left.as_object().refcnt() == 1
            && bits & (state::COMPACT | state::INTERNED_MASK | state::STATIC) == state::COMPACT
            && !left.is_empty()
            && !right.is_empty()
            && right.max_char_value() <= left.max_char_value()
            && PyUnicodeObject::check_exact(left.as_object());
        if !grows || std::ptr::eq(&*left, right) {
            return left.concat(right);
        }
        let (n_left, n_right, max_char) = (left.len(), right.len(), left.max_char_value());
        let (header, unit, _) = shape(max_char);
        let size = n_left
            .checked_add(n_right)
            .and_then(|len| (len + 1).checked_mul(unit));
        let Some(size) = size
            .and_then(|size| size.checked_add(header))
            .filter(|size| *size <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "strings are too large to concat"));
        };
        if header == COMPACT_HEADER_SIZE {
            // SAFETY: the cache is this object's own.
            unsafe { memory::raw_free(left._base.utf8.replace(std::ptr::null_mut()).cast()) };
        }
        // SAFETY: the only reference to a compact string's block is here; the header is written anew for the new size.
        unsafe {
            let old = left.into_raw();
            let block = memory::raw_realloc(old.cast(), size).cast::<u8>();
            if block.is_null() {
                drop(Ref::from_owned(old));
                return Err(memory::no_memory());
            }
            init_header(block, n_left + n_right, max_char);
            per_kind!(right.data(), units => copy_units_to_kind(units, block.add(header + n_left * unit), unit));
            Ok(Ref::from_owned(block.cast()))
        }
    }
    /// The string `count` times.
    pub fn repeat(&self, count: isize) -> PyResult<Ref<PyUnicodeObject>> {
        if count < 1 || self.is_empty() {
            return Ok(PyUnicodeObject::empty());
        }
        if count == 1 {
            return Ok(self.to_exact());
        }
        let n_units = self.len();
        let Some(len) = n_units
            .checked_mul(count as usize)
            .filter(|len| *len <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "repeated string is too long"));
        };
        if n_units == 1 {
            return PyUnicodeObject::from_repeated(self.char_at(0), len);
        }
        let bytes = self.raw_bytes();
        // SAFETY: the units are copied whole, `count` times, doubling what is there.
        unsafe {
            PyUnicodeObject::with_fill(len, self.max_char_value(), |target| {
                let total = bytes.len() * count as usize;
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
                let mut done = bytes.len();
                while done < total {
                    let n_copied = done.min(total - done);
                    std::ptr::copy_nonoverlapping(target, target.add(done), n_copied);
                    done += n_copied;
                }
            })
        }
    }
    /// The items joined by this string. All are `str`.
    pub fn join(&self, items: &[&PyUnicodeObject]) -> PyResult<Ref<PyUnicodeObject>> {
        match items {
            [] => return Ok(PyUnicodeObject::empty()),
            [only] => return Ok(only.to_exact()),
            _ => {}
        }
        let separators = self.len().checked_mul(items.len() - 1);
        let total = items
            .iter()
            .try_fold(0usize, |total, item| total.checked_add(item.len()));
        let total = separators
            .zip(total)
            .and_then(|(left, right)| left.checked_add(right));
        let Some(len) = total.filter(|len| *len <= isize::MAX as usize) else {
            return Err(raise!(
                OverflowError,
                "join() result is too long for a Python string"
            ));
        };
        let start = if self.is_empty() {
            0x7F
        } else {
            self.max_char_value()
        };
        let max_char = items
            .iter()
            .fold(start, |max, item| max.max(item.max_char_value()));
        let kind = shape(max_char).1;
        // SAFETY: every item and separator is written once, into the widest kind among them.
        unsafe {
            PyUnicodeObject::with_fill(len, max_char, |target| {
                let mut at = target;
                let mut put = |piece: &PyUnicodeObject| {
                    per_kind!(piece.data(), units => copy_units_to_kind(units, at, kind));
                    at = at.add(piece.len() * kind);
                };
                for (idx, item) in items.iter().enumerate() {
                    if idx > 0 && !self.is_empty() {
                        put(self);
                    }
                    put(item);
                }
            })
        }
    }
    /// A new instance of a subclass of `str` with the characters of `source`, kept in a block of their own.
    pub fn new_in_subclass(cls: &PyTypeObject, source: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: tp_alloc gives a zeroed instance of the subclass, which has at least the layout of PyUnicodeObject;
        // every field is set before anybody else sees the object.
        unsafe {
            let object = alloc_instance(cls, 0)?.cast::<PyUnicodeObject>();
            let kind = source.kind();
            let n_bytes = source.len() * kind;
            let data = memory::raw_malloc(n_bytes + kind).cast::<u8>();
            if data.is_null() {
                return Err(memory::no_memory());
            }
            std::ptr::copy_nonoverlapping(source.data_ptr().cast::<u8>(), data, n_bytes + kind);
            let bits = source.state_bits() & (state::KIND_MASK | state::ASCII);
            object.data.set(data.cast());
            object._base._base.length.set(source.len() as isize);
            object._base._base.hash.set(source._base._base.hash.get());
            object._base._base.state.set(UnicodeState(bits));
            if source.is_ascii() {
                object._base.utf8_length.set(source.len() as isize);
                object._base.utf8.set(data.cast());
            }
            Ok(object)
        }
    }
    /// A fresh writer whose first reservation is for `len` characters.
    pub fn writer(len: usize) -> UnicodeWriter {
        UnicodeWriter::with_capacity(len)
    }
}

/// A zeroed instance by the type's own `tp_alloc`.
pub(crate) fn alloc_instance(cls: &PyTypeObject, n_items: usize) -> PyResult {
    let Some(tp_alloc) = cls.tp_alloc.get() else {
        return Err(raise!(SystemError, "type '{}' has no tp_alloc", cls.full_name()));
    };
    // SAFETY: the type's own slot.
    let object = unsafe { tp_alloc((cls as *const PyTypeObject).cast_mut(), n_items as isize) };
    // SAFETY: a new reference or NULL.
    unsafe { Ref::from_owned_opt(object) }.ok_or_else(|| Raised::from_c("tp_alloc"))
}

/// Decodes generalised UTF-8, surrogates included. Ill-formed bytes give U+FFFD.
pub fn decode_wtf8(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&first, tail) = rest.split_first()?;
        let (n_tail, lead) = match first {
            0..0x80 => (0, u32::from(first)),
            0xC2..0xE0 => (1, u32::from(first & 0x1F)),
            0xE0..0xF0 => (2, u32::from(first & 0x0F)),
            0xF0..0xF5 => (3, u32::from(first & 0x07)),
            _ => (usize::MAX, 0),
        };
        if n_tail > tail.len() || tail[..n_tail].iter().any(|byte| byte & 0xC0 != 0x80) {
            rest = tail;
            return Some(0xFFFD);
        }
        rest = &tail[n_tail..];
        Some(
            tail[..n_tail]
                .iter()
                .fold(lead, |code, byte| code << 6 | u32::from(byte & 0x3F)),
        )
    })
}
