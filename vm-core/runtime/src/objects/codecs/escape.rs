//! Text with backslash escapes: `unicode_escape`, `raw_unicode_escape`, and the escapes of bytes literals.

use super::errors::DecodeErrors;
use super::{Decoded, Step, decode_each};
use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;

fn push_hex(bytes: &mut Vec<u8>, letter: u8, code: u32, n_digits: u32) {
    bytes.extend_from_slice(&[b'\\', letter]);
    for place in (0..n_digits).rev() {
        bytes.push(b"0123456789abcdef"[(code >> (4 * place) & 15) as usize]);
    }
}

pub fn encode_unicode_escape(text: &PyUnicodeObject) -> Ref<PyBytesObject> {
    let mut bytes = Vec::with_capacity(text.len());
    for code in text.code_points() {
        match code {
            0x5C => bytes.extend_from_slice(b"\\\\"),
            0x09 => bytes.extend_from_slice(b"\\t"),
            0x0A => bytes.extend_from_slice(b"\\n"),
            0x0D => bytes.extend_from_slice(b"\\r"),
            0x20..0x7F => bytes.push(code as u8),
            0..0x100 => push_hex(&mut bytes, b'x', code, 2),
            0x100..0x1_0000 => push_hex(&mut bytes, b'u', code, 4),
            _ => push_hex(&mut bytes, b'U', code, 8),
        }
    }
    PyBytesObject::from_slice(&bytes)
}

pub fn encode_raw_unicode_escape(text: &PyUnicodeObject) -> Ref<PyBytesObject> {
    let mut bytes = Vec::with_capacity(text.len());
    for code in text.code_points() {
        match code {
            0..0x100 => bytes.push(code as u8),
            0x100..0x1_0000 => push_hex(&mut bytes, b'u', code, 4),
            _ => push_hex(&mut bytes, b'U', code, 8),
        }
    }
    PyBytesObject::from_slice(&bytes)
}

/// Reads `count` hexadecimal digits: the value, or where the digits stop.
fn read_hex(bytes: &[u8], at: usize, count: usize) -> Result<u32, usize> {
    let mut value = 0;
    for idx in at..at + count {
        match bytes.get(idx).and_then(|byte| char::from(*byte).to_digit(16)) {
            Some(digit) => value = value << 4 | digit,
            None => return Err(idx),
        }
    }
    Ok(value)
}

/// A `\x`, `\u` or `\U` escape whose backslash is at `start`.
fn numeric_escape(
    bytes: &[u8],
    start: usize,
    letter: u8,
    too_big: &'static str,
    writer: &mut UnicodeWriter,
) -> Step {
    let (count, truncated) = match letter {
        b'x' => (2, "truncated \\xXX escape"),
        b'u' => (4, "truncated \\uXXXX escape"),
        _ => (8, "truncated \\UXXXXXXXX escape"),
    };
    match read_hex(bytes, start + 2, count) {
        Err(stop) if stop == bytes.len() => Step::Incomplete(start, truncated),
        Err(stop) => Step::Wrong(start, stop, truncated),
        Ok(code) if code > 0x10_FFFF => Step::Wrong(start, start + 2 + count, too_big),
        Ok(code) => {
            writer.push(code);
            Step::Next(start + 2 + count)
        }
    }
}

/// A `\N{name}` escape whose backslash is at `start`.
fn named_escape(bytes: &[u8], start: usize, writer: &mut UnicodeWriter) -> Step {
    const MALFORMED: &str = "malformed \\N character escape";
    match bytes.get(start + 2) {
        None => return Step::Incomplete(start, MALFORMED),
        Some(b'{') => {}
        Some(_) => return Step::Wrong(start, start + 2, MALFORMED),
    }
    let name_start = start + 3;
    let Some(len) = memchr::memchr(b'}', &bytes[name_start..]) else {
        return Step::Incomplete(start, MALFORMED);
    };
    let end = name_start + len + 1;
    if len == 0 {
        return Step::Wrong(start, end - 1, MALFORMED);
    }
    match look_up_name(&bytes[name_start..name_start + len]) {
        Some(text) => {
            writer.push_object(&text);
            Step::Next(end)
        }
        None => Step::Wrong(start, end, "unknown Unicode character name"),
    }
}

/// The characters of a name, from `unicodedata`.
fn look_up_name(name: &[u8]) -> Option<Ref<PyUnicodeObject>> {
    let found = crate::hooks::import_module("unicodedata").and_then(|module| {
        module.call_method(
            identifier!("lookup"),
            &[PyUnicodeObject::from_latin1(name).as_object()],
        )
    });
    match found {
        Ok(text) => text.downcast::<PyUnicodeObject>().ok(),
        Err(raised) => {
            raised.clear();
            None
        }
    }
}

/// The value of an octal escape of up to three digits, and where it ends.
fn octal(bytes: &[u8], at: usize) -> (u32, usize) {
    let mut value = 0;
    let mut end = at;
    while end < at + 3 && matches!(bytes.get(end), Some(b'0'..=b'7')) {
        value = value << 3 | u32::from(bytes[end] - b'0');
        end += 1;
    }
    (value, end)
}

/// The character of a one-letter escape.
fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'v' => 11,
        b'f' => 12,
        b'r' => 13,
        _ => return None,
    })
}

/// DeprecationWarning for the first escape that means nothing.
fn warn_invalid(shown: &str, kind: &str) -> PyResult<()> {
    let Some(hooks) = crate::hooks::get() else {
        return Ok(());
    };
    let message = PyUnicodeObject::from_string(format!(
        "\"\\{shown}\" is an invalid {kind} sequence. Such sequences will not work in the future. "
    ));
    (hooks.warn)(
        crate::exceptions::exc::DeprecationWarning,
        message.as_object(),
        1,
        None,
    )
}

pub fn decode_unicode_escape(bytes: &[u8], errors: &str, is_final: bool) -> PyResult<Decoded> {
    let errors = DecodeErrors::new("unicodeescape", bytes, errors);
    let mut invalid: Option<(String, &str)> = None;
    let decoded = decode_each(errors, is_final, 0, |bytes, at, writer| {
        let rest = &bytes[at..];
        let n_plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        if n_plain > 0 {
            writer.push_latin1(&rest[..n_plain]);
            return Step::Next(at + n_plain);
        }
        let Some(&letter) = bytes.get(at + 1) else {
            return Step::Incomplete(at, "\\ at end of string");
        };
        match letter {
            b'\n' => {}
            b'0'..=b'7' => {
                let (code, end) = octal(bytes, at + 1);
                if code > 0o377 {
                    invalid.get_or_insert_with(|| (format!("{code:o}"), "octal escape"));
                }
                writer.push(code);
                return Step::Next(end);
            }
            b'x' | b'u' | b'U' => {
                return numeric_escape(bytes, at, letter, "illegal Unicode character", writer);
            }
            b'N' => return named_escape(bytes, at, writer),
            _ => match simple_escape(letter) {
                Some(code) => writer.push(u32::from(code)),
                None => {
                    invalid.get_or_insert_with(|| (char::from(letter).to_string(), "escape"));
                    writer.push(u32::from(b'\\'));
                    writer.push(u32::from(letter));
                }
            },
        }
        Step::Next(at + 2)
    })?;
    if let Some((shown, kind)) = invalid {
        warn_invalid(&shown, kind)?;
    }
    Ok(decoded)
}

pub fn decode_raw_unicode_escape(bytes: &[u8], errors: &str, is_final: bool) -> PyResult<Decoded> {
    let errors = DecodeErrors::new("rawunicodeescape", bytes, errors);
    decode_each(errors, is_final, 0, |bytes, at, writer| {
        let rest = &bytes[at..];
        let n_plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        if n_plain > 0 {
            writer.push_latin1(&rest[..n_plain]);
            return Step::Next(at + n_plain);
        }
        match bytes.get(at + 1) {
            None if !is_final => Step::Incomplete(at, "\\ at end of string"),
            Some(&letter @ (b'u' | b'U')) => {
                numeric_escape(bytes, at, letter, "\\Uxxxxxxxx out of range", writer)
            }
            Some(&other) => {
                writer.push(u32::from(b'\\'));
                writer.push(u32::from(other));
                Step::Next(at + 2)
            }
            None => {
                writer.push(u32::from(b'\\'));
                Step::Next(at + 1)
            }
        }
    })
}

/// The escapes of a bytes literal, undone: `codecs.escape_decode`.
pub fn decode_bytes_escape(bytes: &[u8], errors: &str) -> PyResult<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut invalid: Option<(String, &str)> = None;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        let Some(&letter) = bytes.get(at + 1) else {
            return Err(raise!(ValueError, "Trailing \\ in string"));
        };
        match letter {
            b'\n' => at += 2,
            b'0'..=b'7' => {
                let (value, end) = octal(bytes, at + 1);
                if value > 0o377 {
                    invalid.get_or_insert_with(|| (format!("{value:o}"), "octal escape"));
                }
                decoded.push(value as u8);
                at = end;
            }
            b'x' => match read_hex(bytes, at + 2, 2) {
                Ok(value) => {
                    decoded.push(value as u8);
                    at += 4;
                }
                Err(stop) => {
                    match errors {
                        "strict" => return Err(raise!(ValueError, "invalid \\x escape at position {at}")),
                        "replace" => decoded.push(b'?'),
                        "ignore" => {}
                        other => {
                            return Err(raise!(
                                ValueError,
                                "decoding error; unknown error handling code: {other}"
                            ));
                        }
                    }
                    at = stop;
                }
            },
            _ => {
                match simple_escape(letter) {
                    Some(byte) => decoded.push(byte),
                    None => {
                        invalid.get_or_insert_with(|| (char::from(letter).to_string(), "escape"));
                        decoded.extend_from_slice(&[b'\\', letter]);
                    }
                }
                at += 2;
            }
        }
    }
    if let Some((shown, kind)) = invalid {
        warn_invalid(&shown, kind)?;
    }
    Ok(decoded)
}

/// Bytes as they stand between single quotes in a bytes literal: `codecs.escape_encode`.
pub fn encode_bytes_escape(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' => escaped.extend_from_slice(&[b'\\', byte]),
            b'\t' => escaped.extend_from_slice(b"\\t"),
            b'\n' => escaped.extend_from_slice(b"\\n"),
            b'\r' => escaped.extend_from_slice(b"\\r"),
            0x20..0x7F => escaped.push(byte),
            _ => push_hex(&mut escaped, b'x', u32::from(byte), 2),
        }
    }
    escaped
}
