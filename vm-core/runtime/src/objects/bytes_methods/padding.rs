//! Padding, tabs, case and the `is…` tests of bytes, which know ASCII only.

use super::ByteString;
use crate::prelude::*;

/// The one byte that a padding method takes.
pub(super) fn fill_byte(method: &str, arg: Option<&PyObject>) -> PyResult<u8> {
    let Some(arg) = arg else { return Ok(b' ') };
    let (kind, bytes) = if let Some(bytes) = arg.downcast::<PyBytesObject>() {
        ("bytes", bytes.as_bytes())
    } else if let Some(array) = arg.downcast::<PyByteArrayObject>() {
        ("bytearray", array.as_bytes())
    } else {
        let ty = arg.ty().full_name();
        return Err(raise!(
            TypeError,
            "{method}() argument 2 must be a byte string of length 1, not {ty}"
        ));
    };
    match bytes {
        [byte] => Ok(*byte),
        _ => {
            let len = bytes.len();
            Err(raise!(
                TypeError,
                "{method}(): argument 2 must be a byte string of length 1, not a {kind} object of length {len}"
            ))
        }
    }
}

pub(super) fn pad<T: ByteString>(this: &T, left: usize, right: usize, fill: u8) -> PyResult<Ref<T>> {
    if left == 0 && right == 0 {
        return Ok(this.whole());
    }
    let bytes = this.bytes();
    let mut padded = Vec::new();
    let total = bytes.len().saturating_add(left).saturating_add(right);
    check_len(total)?;
    if padded.try_reserve_exact(total).is_err() {
        return Err(crate::memory::no_memory());
    }
    padded.resize(left, fill);
    padded.extend_from_slice(bytes);
    padded.resize(total, fill);
    Ok(T::make(padded))
}

fn check_len(len: usize) -> PyResult<()> {
    if len > isize::MAX as usize - super::super::bytesobject::HEADER_SIZE {
        return Err(raise!(OverflowError, "byte string is too large"));
    }
    Ok(())
}

pub(super) fn missing<T: ByteString>(this: &T, width: isize) -> usize {
    usize::try_from(width)
        .unwrap_or(0)
        .saturating_sub(this.bytes().len())
}

pub(super) fn center<T: ByteString>(this: &T, width: isize, fill: u8) -> PyResult<Ref<T>> {
    let missing = missing(this, width);
    let left = missing / 2 + (missing & width as usize & 1);
    pad(this, left, missing - left, fill)
}

pub(super) fn zfill<T: ByteString>(this: &T, width: isize) -> PyResult<Ref<T>> {
    let missing = missing(this, width);
    if missing == 0 {
        return Ok(this.whole());
    }
    let bytes = this.bytes();
    check_len(bytes.len() + missing)?;
    let n_sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut padded = Vec::new();
    if padded.try_reserve_exact(bytes.len() + missing).is_err() {
        return Err(crate::memory::no_memory());
    }
    padded.extend_from_slice(&bytes[..n_sign]);
    padded.resize(n_sign + missing, b'0');
    padded.extend_from_slice(&bytes[n_sign..]);
    Ok(T::make(padded))
}

pub(super) fn expand_tabs<T: ByteString>(this: &T, tab_size: i32) -> PyResult<Ref<T>> {
    let mut expanded: Vec<u8> = Vec::with_capacity(this.bytes().len());
    let mut column = 0usize;
    for &byte in this.bytes() {
        if byte == b'\t' {
            if tab_size > 0 {
                let n_spaces = tab_size as usize - column % tab_size as usize;
                if expanded.len() + n_spaces > isize::MAX as usize || expanded.try_reserve(n_spaces).is_err()
                {
                    return Err(raise!(OverflowError, "result too long"));
                }
                expanded.resize(expanded.len() + n_spaces, b' ');
                column += n_spaces;
            }
            continue;
        }
        expanded.push(byte);
        column = if byte == b'\n' || byte == b'\r' {
            0
        } else {
            column + 1
        };
    }
    Ok(T::make(expanded))
}

pub(super) fn map<T: ByteString>(this: &T, map: impl Fn(&u8) -> u8) -> Ref<T> {
    T::make(this.bytes().iter().map(map).collect())
}

pub(super) fn swap_case(byte: &u8) -> u8 {
    if byte.is_ascii_lowercase() {
        byte.to_ascii_uppercase()
    } else {
        byte.to_ascii_lowercase()
    }
}

pub(super) fn capitalize<T: ByteString>(this: &T) -> Ref<T> {
    let mut bytes = this.bytes().to_ascii_lowercase();
    if let Some(first) = bytes.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    T::make(bytes)
}

pub(super) fn title<T: ByteString>(this: &T) -> Ref<T> {
    let mut in_word = false;
    let bytes = this.bytes().iter().map(|byte| {
        let mapped = if in_word {
            byte.to_ascii_lowercase()
        } else {
            byte.to_ascii_uppercase()
        };
        in_word = byte.is_ascii_alphabetic();
        mapped
    });
    T::make(bytes.collect())
}

/// Whether all bytes are as the test says, and there is one.
pub(super) fn all<T: ByteString>(this: &T, test: impl Fn(&u8) -> bool) -> bool {
    !this.bytes().is_empty() && this.bytes().iter().all(test)
}

/// Whether there are letters of the wanted case and none of the other.
pub(super) fn all_cased<T: ByteString>(this: &T, wanted: fn(&u8) -> bool, other: fn(&u8) -> bool) -> bool {
    this.bytes().iter().any(wanted) && !this.bytes().iter().any(other)
}

pub(super) fn is_title<T: ByteString>(this: &T) -> bool {
    let (mut any, mut in_word) = (false, false);
    for byte in this.bytes() {
        if byte.is_ascii_uppercase() && in_word || byte.is_ascii_lowercase() && !in_word {
            return false;
        }
        in_word = byte.is_ascii_alphabetic();
        any |= in_word;
    }
    any
}
