//! Encodings by a table: `charmap_encode`, `charmap_decode` and the `EncodingMap` that `charmap_build` makes.

use super::errors::{DecodeErrors, EncodeErrors, Replacement};
use super::{Step, decode_each};
use crate::exceptions::exc;
use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;
use std::collections::HashMap;

const UNDEFINED: &str = "character maps to <undefined>";

/// A decoding table turned round.
#[repr(C)]
pub struct EncodingMap {
    ob_base: PyObject,
    bytes_of: HashMap<u32, u8>,
}

#[pytype(name = "EncodingMap", static_name = EncodingMap_Type, export = false)]
impl EncodingMap {
    /// The size of the table.
    #[method("($self, /)")]
    fn size(&self) -> usize {
        self.bytes_of.len()
    }
}

/// From the 256 characters of a decoding table; U+FFFE stands for none.
pub fn build(table: &PyUnicodeObject) -> PyResult {
    let codes: Vec<u32> = table.code_points().take(256).collect();
    let is_simple = table.len() == 256 && codes[0] == 0 && codes.iter().all(|code| *code <= 0xFFFE);
    if is_simple {
        let bytes_of = codes.iter().enumerate().filter(|(_, code)| **code != 0xFFFE);
        let bytes_of = bytes_of.map(|(byte, code)| (*code, byte as u8)).collect();
        let map = Ref::new(EncodingMap {
            ob_base: crate::memory::blank_header(),
            bytes_of,
        })?;
        return Ok(map.into_object());
    }
    let dict = PyDictObject::new();
    for (byte, code) in table.code_points().take(256).enumerate() {
        let (code, byte) = (
            PyLongObject::from_i64(i64::from(code)),
            PyLongObject::from_usize(byte),
        );
        dict.set(code.as_object(), byte.as_object())?;
    }
    Ok(dict.into_object())
}

/// What a mapping says of a character: bytes, or nothing.
fn encode_one(mapping: &PyObject, code: u32, bytes: &mut Vec<u8>) -> PyResult<bool> {
    if let Some(map) = mapping.downcast_exact::<EncodingMap>() {
        let Some(byte) = map.bytes_of.get(&code) else {
            return Ok(false);
        };
        bytes.push(*byte);
        return Ok(true);
    }
    let value = match mapping.get_item(PyLongObject::from_i64(i64::from(code)).as_object()) {
        Ok(value) => value,
        Err(raised) => {
            raised.clear_if(exc::LookupError)?;
            return Ok(false);
        }
    };
    if is_none(&value) {
        return Ok(false);
    }
    if let Some(number) = value.as_object().downcast::<PyLongObject>() {
        return match number.to_i64().map(u8::try_from) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                Ok(true)
            }
            _ => Err(raise!(TypeError, "character mapping must be in range(256)")),
        };
    }
    if let Some(more) = value.as_object().downcast::<PyBytesObject>() {
        bytes.extend_from_slice(more.as_bytes());
        return Ok(true);
    }
    Err(raise!(
        TypeError,
        "character mapping must return integer, bytes or None, not {}",
        value.ty().full_name()
    ))
}

pub fn encode(text: &PyUnicodeObject, errors: &str, mapping: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    let mut errors = EncodeErrors::new("charmap", text, errors);
    let (data, len) = (text.data(), text.len());
    let mut bytes = Vec::with_capacity(len);
    let mut at = 0;
    while at < len {
        if encode_one(mapping, data.at(at), &mut bytes)? {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        let mut probe = Vec::new();
        while at < len && !encode_one(mapping, data.at(at), &mut probe)? {
            at += 1;
        }
        let (replacement, place) = errors.handle(start, at, UNDEFINED)?;
        match replacement {
            Replacement::Bytes(replacement) => bytes.extend_from_slice(&replacement),
            Replacement::Text(replacement) => {
                for code in replacement.code_points() {
                    if !encode_one(mapping, code, &mut bytes)? {
                        return Err(errors.raise(start, at, UNDEFINED));
                    }
                }
            }
        }
        at = place;
    }
    Ok(PyBytesObject::from_slice(&bytes))
}

/// What a mapping says of a byte; `None` when it is undefined.
fn decode_one(mapping: &PyObject, byte: u8, writer: &mut UnicodeWriter) -> PyResult<bool> {
    let value = match mapping.get_item(PyLongObject::from_i64(i64::from(byte)).as_object()) {
        Ok(value) => value,
        Err(raised) => {
            raised.clear_if(exc::LookupError)?;
            return Ok(false);
        }
    };
    if is_none(&value) {
        return Ok(false);
    }
    if let Some(number) = value.as_object().downcast::<PyLongObject>() {
        return match number.to_i64() {
            Some(0xFFFE) => Ok(false),
            Some(code @ 0..=0x10_FFFF) => {
                writer.push(code as u32);
                Ok(true)
            }
            _ => Err(raise!(TypeError, "character mapping must be in range(0x110000)")),
        };
    }
    match value.as_object().downcast::<PyUnicodeObject>() {
        Some(text) if text.len() == 1 && text.char_at(0) == 0xFFFE => Ok(false),
        Some(text) => {
            writer.push_object(text);
            Ok(true)
        }
        None => Err(raise!(
            TypeError,
            "character mapping must return integer, None or str"
        )),
    }
}

pub fn decode(bytes: &[u8], errors: &str, mapping: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
    let Some(mapping) = mapping else {
        return Ok(PyUnicodeObject::from_latin1(bytes));
    };
    let table = mapping.downcast_exact::<PyUnicodeObject>();
    let mut failed = None;
    let errors = DecodeErrors::new("charmap", bytes, errors);
    let decoded = decode_each(errors, true, 0, |bytes, at, writer| {
        let byte = bytes[at];
        let known = match table {
            Some(table) => {
                let code = table.data();
                let code = (usize::from(byte) < code.len()).then(|| code.at(usize::from(byte)));
                code.filter(|code| *code != 0xFFFE)
                    .map(|code| writer.push(code))
                    .is_some()
            }
            None if failed.is_some() => true,
            None => decode_one(mapping, byte, writer).unwrap_or_else(|raised| {
                failed = Some(raised);
                true
            }),
        };
        match (failed, known) {
            (Some(_), _) => Step::Next(bytes.len()),
            (None, true) => Step::Next(at + 1),
            (None, false) => Step::Wrong(at, at + 1, UNDEFINED),
        }
    });
    match failed {
        Some(raised) => Err(raised),
        None => Ok(decoded?.0),
    }
}
