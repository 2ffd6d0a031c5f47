//! Unicode text -> the ASCII that number parsers read: decimal digits and spaces of all scripts become ASCII ones.

use super::buffer::{self, Buffer};
use super::unicodectype;
use crate::prelude::*;

/// The decimal digit that a code point stands for.
pub fn decimal_value(c: u32) -> Option<u8> {
    unicodectype::to_decimal(c).map(|digit| digit as u8)
}

/// `_PyUnicode_TransformDecimalAndSpaceToASCII`: what is neither ASCII, digit nor space ends the text as `?`.
pub fn to_ascii(code_points: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut text = Vec::with_capacity(code_points.size_hint().0);
    for c in code_points {
        if c < 127 {
            text.push(c as u8);
        } else if unicodectype::is_space(c) {
            text.push(b' ');
        } else if let Some(digit) = decimal_value(c) {
            text.push(b'0' + digit);
        } else {
            text.push(b'?');
            break;
        }
    }
    text
}

/// A copy of the bytes of an object with a simple buffer; None when it has none.
pub fn buffer_text(object: &PyObject) -> PyResult<Option<Vec<u8>>> {
    if !buffer::has_buffer(object) {
        return Ok(None);
    }
    match Buffer::simple(object) {
        Ok(buffer) => Ok(Some(buffer.as_bytes().to_vec())),
        Err(raised) => {
            // What cannot give a simple buffer is no text: the caller's own message says so.
            raised.clear();
            Ok(None)
        }
    }
}
