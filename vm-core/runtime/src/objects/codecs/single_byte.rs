//! ASCII and Latin-1.

use super::errors::{DecodeErrors, EncodeErrors};
use super::{Step, decode_each, encode_each};
use crate::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Ascii,
    Latin1,
}

pub fn encode(text: &PyUnicodeObject, errors: &str, limit: Limit) -> PyResult<Ref<PyBytesObject>> {
    if let Some(units) = text.latin1()
        && (limit == Limit::Latin1 || text.is_ascii())
    {
        return Ok(PyBytesObject::from_slice(units));
    }
    let (encoding, end, reason) = match limit {
        Limit::Ascii => ("ascii", 0x80, "ordinal not in range(128)"),
        Limit::Latin1 => ("latin-1", 0x100, "ordinal not in range(256)"),
    };
    encode_each(
        EncodeErrors::new(encoding, text, errors),
        reason,
        |bytes, code| {
            if code >= end {
                return Ok(false);
            }
            bytes.push(code as u8);
            Ok(true)
        },
    )
}

pub fn decode_ascii(bytes: &[u8], errors: &str) -> PyResult<Ref<PyUnicodeObject>> {
    if bytes.is_ascii() {
        return Ok(PyUnicodeObject::from_ascii(bytes));
    }
    let errors = DecodeErrors::new("ascii", bytes, errors);
    let decoded = decode_each(errors, true, 0, |bytes, at, writer| {
        let rest = &bytes[at..];
        let n_ascii = rest.iter().position(|byte| *byte >= 0x80).unwrap_or(rest.len());
        writer.push_ascii(&rest[..n_ascii]);
        let at = at + n_ascii;
        if at == bytes.len() {
            Step::Next(at)
        } else {
            Step::Wrong(at, at + 1, "ordinal not in range(128)")
        }
    })?;
    Ok(decoded.0)
}
