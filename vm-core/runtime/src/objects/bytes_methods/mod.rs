//! What `bytes` and `bytearray` share: each method once, over the trait `ByteString`, declared for both types.
//!
//! Arguments are converted before the bytes are looked at, as conversion may run Python code that changes a
//! `bytearray`. Tests: `tests/bytes.rs`.

use crate::exceptions::exc;
use crate::objects::buffer::{Buffer, BytesArg, has_buffer};
use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;

mod declare;
mod padding;
mod search;

pub use declare::*;

/// `bytes` or `bytearray`.
pub trait ByteString: TypedObject {
    /// The bytes as they are now.
    fn bytes(&self) -> &[u8];
    /// A new object of exactly this type.
    fn make(bytes: Vec<u8>) -> Ref<Self>;
    fn make_from(bytes: &[u8]) -> Ref<Self>;
    /// A result that has all the bytes of this object: the object itself when it is immutable and exact.
    fn whole(&self) -> Ref<Self>;
    /// Keeps the bytes in place and their number as it is while Python code may run.
    fn hold(&self) -> Hold<'_>;
    /// The type's name, for messages.
    const NAME: &'static str;
}

impl ByteString for PyBytesObject {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
    fn make(bytes: Vec<u8>) -> Ref<Self> {
        PyBytesObject::from_slice(&bytes)
    }
    fn make_from(bytes: &[u8]) -> Ref<Self> {
        PyBytesObject::from_slice(bytes)
    }
    fn whole(&self) -> Ref<Self> {
        self.to_exact()
    }
    fn hold(&self) -> Hold<'_> {
        Hold(None)
    }
    const NAME: &'static str = "bytes";
}

impl ByteString for PyByteArrayObject {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
    fn make(bytes: Vec<u8>) -> Ref<Self> {
        PyByteArrayObject::from_slice(&bytes)
    }
    fn make_from(bytes: &[u8]) -> Ref<Self> {
        PyByteArrayObject::from_slice(bytes)
    }
    fn whole(&self) -> Ref<Self> {
        PyByteArrayObject::from_slice(self.as_bytes())
    }
    fn hold(&self) -> Hold<'_> {
        self.ob_exports.set(self.ob_exports.get() + 1);
        Hold(Some(self))
    }
    const NAME: &'static str = "bytearray";
}

/// See `ByteString::hold`: an export of a `bytearray` that is given back on drop.
pub struct Hold<'a>(Option<&'a PyByteArrayObject>);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if let Some(array) = self.0 {
            array.ob_exports.set(array.ob_exports.get() - 1);
        }
    }
}

/// A part of an object as a new one, or the object itself where `whole` gives it.
fn part<T: ByteString>(this: &T, start: usize, end: usize) -> Ref<T> {
    if start == 0 && end == this.bytes().len() {
        this.whole()
    } else {
        T::make_from(&this.bytes()[start..end])
    }
}

/// `repr`: `b'…'`, with what surrounds it for `bytearray`.
pub fn repr(bytes: &[u8], type_name: &str) -> PyResult<Ref<PyUnicodeObject>> {
    let has = |quote: u8| memchr::memchr(quote, bytes).is_some();
    let quote = if has(b'\'') && !has(b'"') { b'"' } else { b'\'' };
    let mut writer = UnicodeWriter::with_capacity(bytes.len() + 3);
    if !type_name.is_empty() {
        writer.push_str(type_name);
        writer.push_ascii(b"(");
    }
    writer.push_ascii(&[b'b', quote]);
    for &byte in bytes {
        match byte {
            b'\\' => writer.push_ascii(b"\\\\"),
            b'\t' => writer.push_ascii(b"\\t"),
            b'\n' => writer.push_ascii(b"\\n"),
            b'\r' => writer.push_ascii(b"\\r"),
            // CPython's `bytearray` escapes a single quote between double ones too.
            b'\'' if !type_name.is_empty() => writer.push_ascii(b"\\'"),
            _ if byte == quote => writer.push_ascii(&[b'\\', byte]),
            0x20..0x7F => writer.push(u32::from(byte)),
            _ => {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                writer.push_ascii(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    writer.push(u32::from(quote));
    if !type_name.is_empty() {
        writer.push_ascii(b")");
    }
    writer.finish()
}

/// The text that a constructor is to encode, after the checks of encoding and errors.
pub fn text_source<'a>(
    source: Option<&'a PyObject>,
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult<Option<&'a PyUnicodeObject>> {
    let text = source.and_then(|source| source.downcast::<PyUnicodeObject>());
    if encoding.is_none() && errors.is_none() {
        return Ok(None);
    }
    match text {
        Some(text) if encoding.is_some() => Ok(Some(text)),
        Some(_) => Err(raise!(TypeError, "string argument without an encoding")),
        None if encoding.is_some() => Err(raise!(TypeError, "encoding without a string argument")),
        None => Err(raise!(TypeError, "errors without a string argument")),
    }
}

/// The count of zeros that an integer asks for; `None` when the source is no integer after all.
pub fn count_source(source: &PyObject) -> PyResult<Option<usize>> {
    if !source.has_index() {
        return Ok(None);
    }
    match source.to_index(exc::OverflowError) {
        Ok(count) => match usize::try_from(count) {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(raise!(ValueError, "negative count")),
        },
        Err(raised) => {
            raised.clear_if(exc::TypeError)?;
            Ok(None)
        }
    }
}

/// An integer as a byte; ValueError with the message when it is none.
#[inline]
pub fn byte_value(item: &PyObject, message: &str) -> PyResult<u8> {
    let value = match item.downcast_exact::<PyLongObject>() {
        Some(long) => long.to_i64(),
        None => item.index_subclass()?.to_i64(),
    };
    match value.map(u8::try_from) {
        Some(Ok(byte)) => Ok(byte),
        _ => Err(raise!(ValueError, "{message}")),
    }
}

/// The bytes of a view in C's order, whatever its strides.
pub fn contiguous_bytes(buffer: &Buffer) -> Vec<u8> {
    let view = buffer.view();
    if crate::objects::buffer::is_contiguous(view, b'C') {
        return buffer.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(buffer.len());
    // SAFETY: the exporter filled shape and strides for `ndim` dimensions.
    unsafe { gather(view, view.buf.get().cast(), 0, &mut bytes) };
    bytes
}

/// Appends the items of a view below a dimension.
///
/// # Safety
/// `at` is within the view, which has strides.
unsafe fn gather(view: &Py_buffer, at: *const u8, dim: usize, bytes: &mut Vec<u8>) {
    // SAFETY: the caller's contract; strides and suboffsets lead to items of the view.
    unsafe {
        if dim == view.ndim.get() as usize {
            bytes.extend_from_slice(std::slice::from_raw_parts(at, view.itemsize.get() as usize));
            return;
        }
        let (extent, stride) = (*view.shape.get().add(dim), *view.strides.get().add(dim));
        for idx in 0..extent {
            let mut item = at.offset(idx * stride);
            let suboffsets = view.suboffsets.get();
            if !suboffsets.is_null() && *suboffsets.add(dim) >= 0 {
                item = (*item.cast::<*const u8>()).offset(*suboffsets.add(dim));
            }
            gather(view, item, dim + 1, bytes);
        }
    }
}

/// Fills the target with copies of a pattern.
pub fn fill_repeated(target: &mut [u8], pattern: &[u8]) {
    match pattern {
        [] => {}
        [byte] => target.fill(*byte),
        _ => target
            .chunks_mut(pattern.len())
            .for_each(|chunk| chunk.copy_from_slice(&pattern[..chunk.len()])),
    }
}

/// `item in bytes`: a byte or a run of bytes.
pub fn contains<T: ByteString>(this: &T, item: &PyObject) -> PyResult<bool> {
    let _held = this.hold();
    if item.has_index() {
        match item.to_index_saturating() {
            Ok(value) => {
                let byte =
                    u8::try_from(value).map_err(|_| raise!(ValueError, "byte must be in range(0, 256)"))?;
                return Ok(memchr::memchr(byte, this.bytes()).is_some());
            }
            // Then its bytes count.
            Err(raised) => raised.clear(),
        }
    }
    let wanted = BytesArg::of(item)?;
    Ok(crate::objects::stringlib::find(this.bytes(), wanted.as_bytes()).is_some())
}

#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, 0x09..=0x0D | 0x20)
}

/// The bytes that pairs of hexadecimal digits stand for, in text or in ASCII bytes.
pub fn parse_hex(source: &PyObject) -> PyResult<Vec<u8>> {
    let arg;
    let text = match source.downcast::<PyUnicodeObject>() {
        Some(text) => match text.ascii_str() {
            Some(ascii) => ascii.as_bytes(),
            None => {
                let place = text.code_points().position(|code| code >= 0x80).unwrap_or(0);
                return Err(raise!(
                    ValueError,
                    "non-hexadecimal number found in fromhex() arg at position {place}"
                ));
            }
        },
        None if has_buffer(source) => {
            arg = BytesArg::of(source)?;
            arg.as_bytes()
        }
        None => {
            let ty = source.ty().fully_qualified_name();
            return Err(raise!(
                TypeError,
                "fromhex() argument must be str or bytes-like, not {ty}"
            ));
        }
    };
    let digit = |place: usize| text.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    while at < text.len() {
        if is_space(text[at]) {
            at += 1;
            continue;
        }
        let Some(high) = digit(at) else {
            return Err(bad_hex(at));
        };
        let Some(low) = digit(at + 1) else {
            if at + 1 == text.len() {
                return Err(raise!(
                    ValueError,
                    "fromhex() arg must contain an even number of hexadecimal digits"
                ));
            }
            return Err(bad_hex(at + 1));
        };
        bytes.push((high << 4 | low) as u8);
        at += 2;
    }
    Ok(bytes)
}

fn bad_hex(place: usize) -> Raised {
    raise!(
        ValueError,
        "non-hexadecimal number found in fromhex() arg at position {place}"
    )
}

/// `hex(sep, bytes_per_sep)`: groups are counted from the right, or from the left when negative.
pub fn to_hex(bytes: &[u8], sep: Option<&PyObject>, bytes_per_sep: i32) -> PyResult<Ref<PyUnicodeObject>> {
    let separator = match sep {
        None => None,
        Some(sep) => Some(hex_separator(sep)?),
    };
    let mut writer = UnicodeWriter::with_capacity(bytes.len() * 2);
    let group = bytes_per_sep.unsigned_abs() as usize;
    for (idx, &byte) in bytes.iter().enumerate() {
        if let Some(separator) = separator
            && idx > 0
            && group > 0
        {
            let place = if bytes_per_sep > 0 { bytes.len() - idx } else { idx };
            if place % group == 0 {
                writer.push(u32::from(separator));
            }
        }
        let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
        writer.push_ascii(&[digit(byte >> 4), digit(byte & 15)]);
    }
    writer.finish()
}

fn hex_separator(sep: &PyObject) -> PyResult<u8> {
    if sep.len()? != 1 {
        return Err(raise!(ValueError, "sep must be length 1."));
    }
    let byte = if let Some(text) = sep.downcast::<PyUnicodeObject>() {
        text.latin1().and_then(|units| units.first().copied())
    } else if let Some(bytes) = sep.downcast::<PyBytesObject>() {
        bytes.as_bytes().first().copied()
    } else {
        return Err(raise!(TypeError, "sep must be str or bytes."));
    };
    byte.filter(u8::is_ascii)
        .ok_or_else(|| raise!(ValueError, "sep must be ASCII."))
}

/// `join`: the items may be any bytes-like objects.
pub fn join<T: ByteString>(this: &T, iterable: &PyObject) -> PyResult<Ref<T>> {
    // The iterator and what gives the items' buffers may be Python code.
    let _held = this.hold();
    let sequence = iterable.to_fast_sequence("can only join an iterable")?;
    let items: Vec<Ref> = crate::objects::unicodeobject::split::fast_items(&sequence)
        .iter()
        .map(|item| item.to_ref())
        .collect();
    if let [only] = items.as_slice()
        && let Some(only) = only.as_object().downcast_exact::<PyBytesObject>()
        && T::NAME == "bytes"
    {
        return Ok(T::make_from(only.as_bytes()));
    }
    let mut pieces = Vec::with_capacity(items.len());
    for (idx, item) in items.iter().enumerate() {
        let piece = BytesArg::of(item).map_err(|raised| {
            let ty = item.ty().full_name();
            match raised.clear_if(exc::TypeError) {
                Ok(()) => raise!(
                    TypeError,
                    "sequence item {idx}: expected a bytes-like object, {ty} found"
                ),
                Err(raised) => raised,
            }
        })?;
        pieces.push(piece);
        if crate::objects::unicodeobject::split::fast_items(&sequence).len() != items.len() {
            return Err(raise!(RuntimeError, "sequence changed size during iteration"));
        }
    }
    let separator = this.bytes();
    let total: usize = pieces.iter().map(|piece| piece.as_bytes().len()).sum();
    let total = total.saturating_add(separator.len().saturating_mul(pieces.len()));
    crate::memory::ensure_room(total)?;
    let mut joined = Vec::with_capacity(total);
    for (idx, piece) in pieces.iter().enumerate() {
        if idx > 0 {
            joined.extend_from_slice(separator);
        }
        joined.extend_from_slice(piece.as_bytes());
    }
    Ok(T::make(joined))
}

/// `translate`: each byte by a table of 256, those of `delete` left out.
pub fn translate<T: ByteString>(this: &T, table: &PyObject, delete: Option<&PyObject>) -> PyResult<Ref<T>> {
    let table = if is_none(table) {
        None
    } else {
        Some(BytesArg::of(table)?)
    };
    if table.as_ref().is_some_and(|table| table.as_bytes().len() != 256) {
        return Err(raise!(
            ValueError,
            "translation table must be 256 characters long"
        ));
    }
    let delete = delete.map(BytesArg::of).transpose()?;
    let mut drop = [false; 256];
    for byte in delete.iter().flat_map(|delete| delete.as_bytes()) {
        drop[usize::from(*byte)] = true;
    }
    let map = |byte: &u8| {
        table
            .as_ref()
            .map_or(*byte, |table| table.as_bytes()[usize::from(*byte)])
    };
    let kept = this
        .bytes()
        .iter()
        .filter(|byte| !drop[usize::from(**byte)])
        .map(map)
        .collect::<Vec<u8>>();
    if kept == this.bytes() {
        Ok(this.whole())
    } else {
        Ok(T::make(kept))
    }
}

/// `maketrans`: a table that maps bytes to bytes.
pub fn maketrans(from: &BytesArg<'_>, to: &BytesArg<'_>) -> PyResult<Ref<PyBytesObject>> {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    if from.len() != to.len() {
        return Err(raise!(ValueError, "maketrans arguments must have same length"));
    }
    let mut table: [u8; 256] = std::array::from_fn(|idx| idx as u8);
    from.iter()
        .zip(to)
        .for_each(|(from, to)| table[usize::from(*from)] = *to);
    Ok(PyBytesObject::from_slice(&table))
}
