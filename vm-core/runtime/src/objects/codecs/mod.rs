//! Text <-> bytes: the encoders and decoders of the standard encodings, their error handlers, and the registry.
//!
//! `encode_text` and `decode_text` are what `str.encode` and `bytes.decode` do: the usual encodings directly, others
//! through the registry. An encoder takes the text and the errors, and gives bytes; a decoder takes bytes and gives
//! the text and how many bytes it took (all of them when `is_final`).

use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;

pub mod charmap;
pub mod errors;
pub mod escape;
pub mod registry;
pub mod single_byte;
pub mod utf_16_32;
pub mod utf_7;
pub mod utf_8;

use errors::{DecodeErrors, EncodeErrors, Order, Replacement};
use registry::Direction;

/// What a decoder gives: the text, and how many bytes it took.
pub type Decoded = (Ref<PyUnicodeObject>, usize);

/// An encoding that is built in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    Utf8,
    Latin1,
    Ascii,
    Utf16(Option<Order>),
    Utf32(Option<Order>),
}

impl Builtin {
    /// The encoding of a name in one of its usual spellings.
    pub fn of(name: &str) -> Option<Builtin> {
        if name == "utf-8" || name == "utf8" {
            return Some(Builtin::Utf8);
        }
        if name.len() > 10 {
            return None;
        }
        let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
        Some(match name.as_str() {
            "utf_8" | "utf8" => Builtin::Utf8,
            "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" => Builtin::Latin1,
            "ascii" | "us_ascii" => Builtin::Ascii,
            "utf_16" | "utf16" => Builtin::Utf16(None),
            "utf_32" | "utf32" => Builtin::Utf32(None),
            _ => return None,
        })
    }
    pub fn encode(self, text: &PyUnicodeObject, errors: &str) -> PyResult<Ref<PyBytesObject>> {
        match self {
            Builtin::Utf8 => utf_8::encode(text, errors),
            Builtin::Latin1 => single_byte::encode(text, errors, single_byte::Limit::Latin1),
            Builtin::Ascii => single_byte::encode(text, errors, single_byte::Limit::Ascii),
            Builtin::Utf16(order) => utf_16_32::encode_16(text, errors, order),
            Builtin::Utf32(order) => utf_16_32::encode_32(text, errors, order),
        }
    }
    pub fn decode(self, bytes: &[u8], errors: &str) -> PyResult<Ref<PyUnicodeObject>> {
        Ok(match self {
            Builtin::Utf8 => utf_8::decode(bytes, errors, true)?.0,
            Builtin::Latin1 => PyUnicodeObject::from_latin1(bytes),
            Builtin::Ascii => single_byte::decode_ascii(bytes, errors)?,
            Builtin::Utf16(order) => utf_16_32::decode_16(bytes, errors, order, true)?.0.0,
            Builtin::Utf32(order) => utf_16_32::decode_32(bytes, errors, order, true)?.0.0,
        })
    }
}

/// A name given by Python as Rust's text; names with a NUL or surrogates are nobody's.
fn name_of(name: Option<&PyUnicodeObject>) -> PyResult<Option<&str>> {
    let Some(name) = name else { return Ok(None) };
    let name = name.to_str()?;
    if name.contains('\0') {
        return Err(raise!(ValueError, "embedded null character"));
    }
    Ok(Some(name))
}

/// `text.encode(encoding, errors)`.
pub fn encode_text(
    text: &PyUnicodeObject,
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult {
    let (encoding, errors) = (name_of(encoding)?.unwrap_or("utf-8"), name_of(errors)?);
    encode_by_name(text, encoding, errors)
}

/// With `-X dev`, names of encodings and error handlers are looked up even where they are not needed.
fn check_names(encoding: &str, errors: Option<&str>) -> PyResult<()> {
    if crate::hooks::DEV_MODE.load(std::sync::atomic::Ordering::Relaxed) {
        registry::lookup(encoding)?;
        const KNOWN: [&str; 5] = ["strict", "ignore", "replace", "surrogateescape", "surrogatepass"];
        if let Some(errors) = errors.filter(|errors| !KNOWN.contains(errors)) {
            registry::lookup_error(errors)?;
        }
    }
    Ok(())
}

/// As `check_names`, for names that Python gave.
pub fn check_given_names(
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult<()> {
    check_names(name_of(encoding)?.unwrap_or("utf-8"), name_of(errors)?)
}

/// As `encode_text`, for names that Rust has.
pub fn encode_by_name(text: &PyUnicodeObject, encoding: &str, errors: Option<&str>) -> PyResult {
    check_names(encoding, errors)?;
    if let Some(builtin) = Builtin::of(encoding) {
        return Ok(builtin.encode(text, errors.unwrap_or("strict"))?.into_object());
    }
    let result = registry::convert_text(Direction::Encode, text.as_object(), encoding, errors)?;
    if result.type_has(Py_TPFLAGS_BYTES_SUBCLASS) {
        return Ok(result);
    }
    if let Some(array) = result.as_object().downcast::<PyByteArrayObject>() {
        return Ok(PyBytesObject::from_slice(array.as_bytes()).into_object());
    }
    Err(raise!(
        TypeError,
        "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
        result.ty().full_name()
    ))
}

/// `bytes.decode(encoding, errors)`; `object` is what other codecs are given.
pub fn decode_text(
    object: &PyObject,
    bytes: &[u8],
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult<Ref<PyUnicodeObject>> {
    let (encoding, errors) = (name_of(encoding)?.unwrap_or("utf-8"), name_of(errors)?);
    decode_by_name(object, bytes, encoding, errors)
}

/// As `decode_text`, for names that Rust has.
pub fn decode_by_name(
    object: &PyObject,
    bytes: &[u8],
    encoding: &str,
    errors: Option<&str>,
) -> PyResult<Ref<PyUnicodeObject>> {
    check_names(encoding, errors)?;
    if let Some(builtin) = Builtin::of(encoding) {
        return builtin.decode(bytes, errors.unwrap_or("strict"));
    }
    let result = registry::convert_text(Direction::Decode, object, encoding, errors)?;
    result.downcast::<PyUnicodeObject>().map_err(|result| {
        raise!(
            TypeError,
            "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
            result.ty().full_name()
        )
    })
}

/// Encodes character by character: `push` writes a character, or says with `false` that the encoding has none.
/// A run of characters without encoding goes to the error handler together.
pub(crate) fn encode_each(
    mut errors: EncodeErrors<'_>,
    reason: &str,
    mut push: impl FnMut(&mut Vec<u8>, u32) -> PyResult<bool>,
) -> PyResult<Ref<PyBytesObject>> {
    let text = errors.text;
    let (data, len) = (text.data(), text.len());
    let mut bytes = Vec::with_capacity(len);
    let mut at = 0;
    while at < len {
        if push(&mut bytes, data.at(at))? {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        let mut probe = Vec::new();
        while at < len && !push(&mut probe, data.at(at))? {
            at += 1;
        }
        let (replacement, place) = errors.handle(start, at, reason)?;
        match replacement {
            Replacement::Bytes(replacement) => bytes.extend_from_slice(&replacement),
            Replacement::Text(replacement) => {
                for code in replacement.code_points() {
                    if !push(&mut bytes, code)? {
                        return Err(errors.raise(start, at, reason));
                    }
                }
            }
        }
        at = place;
    }
    Ok(PyBytesObject::from_slice(&bytes))
}

/// A decoder's loop: `step` reads at a place and either writes and gives the next place, or says what is wrong.
pub(crate) enum Step {
    /// Goes on at a place.
    Next(usize),
    /// An error in `start..end`, with its reason.
    Wrong(usize, usize, &'static str),
    /// The bytes end within a character.
    Incomplete(usize, &'static str),
}

pub(crate) fn decode_each(
    mut errors: DecodeErrors<'_>,
    is_final: bool,
    start: usize,
    mut step: impl FnMut(&[u8], usize, &mut UnicodeWriter) -> Step,
) -> PyResult<Decoded> {
    let n_given = errors.bytes.len();
    let mut writer = UnicodeWriter::with_capacity(n_given);
    let mut at = start;
    while at < errors.bytes.len() {
        match step(&errors.bytes, at, &mut writer) {
            Step::Next(next) => at = next,
            Step::Wrong(start, end, reason) => at = errors.handle(&mut writer, start, end, reason)?,
            Step::Incomplete(start, _) if !is_final => {
                at = start;
                break;
            }
            Step::Incomplete(start, reason) => {
                let end = errors.bytes.len();
                at = errors.handle(&mut writer, start, end, reason)?;
            }
        }
    }
    // A handler may have exchanged the bytes: all of them stands for all that were given.
    let n_taken = if at >= errors.bytes.len() { n_given } else { at };
    Ok((writer.finish()?, n_taken))
}
