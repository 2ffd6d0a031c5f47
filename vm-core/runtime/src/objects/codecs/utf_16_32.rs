//! UTF-16 and UTF-32, in either order of bytes; without a given order, the machine's with a byte order mark.

use super::errors::{DecodeErrors, EncodeErrors, Order, Replacement};
use super::{Decoded, Step, decode_each};
use crate::prelude::*;

/// The order of bytes of this machine.
pub const NATIVE: Order = if cfg!(target_endian = "little") {
    Order::Little
} else {
    Order::Big
};

pub fn push_16(bytes: &mut Vec<u8>, unit: u16, order: Order) {
    bytes.extend_from_slice(&match order {
        Order::Little => unit.to_le_bytes(),
        Order::Big => unit.to_be_bytes(),
    });
}
pub fn push_32(bytes: &mut Vec<u8>, unit: u32, order: Order) {
    bytes.extend_from_slice(&match order {
        Order::Little => unit.to_le_bytes(),
        Order::Big => unit.to_be_bytes(),
    });
}
fn read_16(bytes: &[u8], at: usize, order: Order) -> u16 {
    let pair = [bytes[at], bytes[at + 1]];
    match order {
        Order::Little => u16::from_le_bytes(pair),
        Order::Big => u16::from_be_bytes(pair),
    }
}
fn read_32(bytes: &[u8], at: usize, order: Order) -> u32 {
    let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    match order {
        Order::Little => u32::from_le_bytes(four),
        Order::Big => u32::from_be_bytes(four),
    }
}

fn push_code_16(bytes: &mut Vec<u8>, code: u32, order: Order) {
    if code < 0x1_0000 {
        push_16(bytes, code as u16, order);
    } else {
        let code = code - 0x1_0000;
        push_16(bytes, 0xD800 | (code >> 10) as u16, order);
        push_16(bytes, 0xDC00 | (code & 0x3FF) as u16, order);
    }
}

fn encode(
    text: &PyUnicodeObject,
    encoding: &str,
    errors: &str,
    mut bytes: Vec<u8>,
    unit_size: usize,
    push: impl Fn(&mut Vec<u8>, u32),
) -> PyResult<Ref<PyBytesObject>> {
    let (data, len) = (text.data(), text.len());
    let mut handling: Option<EncodeErrors<'_>> = None;
    let is_surrogate = |code: u32| (0xD800..0xE000).contains(&code);
    let mut at = 0;
    while at < len {
        let code = data.at(at);
        if !is_surrogate(code) {
            push(&mut bytes, code);
            at += 1;
            continue;
        }
        const REASON: &str = "surrogates not allowed";
        let end = at + 1;
        let errors = handling.get_or_insert_with(|| EncodeErrors::new(encoding, text, errors));
        let (replacement, next) = errors.handle(at, end, REASON)?;
        match replacement {
            Replacement::Bytes(replacement) => {
                if replacement.len() % unit_size != 0 {
                    return Err(errors.raise(at, end, REASON));
                }
                bytes.extend_from_slice(&replacement);
            }
            Replacement::Text(replacement) => match replacement.ascii_str() {
                Some(ascii) => ascii.bytes().for_each(|byte| push(&mut bytes, u32::from(byte))),
                None => return Err(errors.raise(at, end, REASON)),
            },
        }
        at = next;
    }
    Ok(PyBytesObject::from_slice(&bytes))
}

pub fn encode_16(text: &PyUnicodeObject, errors: &str, order: Option<Order>) -> PyResult<Ref<PyBytesObject>> {
    let mut bytes = Vec::with_capacity(2 * text.len() + 2);
    let encoding = match order {
        None => "utf-16",
        Some(Order::Little) => "utf-16-le",
        Some(Order::Big) => "utf-16-be",
    };
    if order.is_none() {
        push_16(&mut bytes, 0xFEFF, NATIVE);
    }
    let order = order.unwrap_or(NATIVE);
    encode(text, encoding, errors, bytes, 2, |bytes, code| {
        push_code_16(bytes, code, order)
    })
}

pub fn encode_32(text: &PyUnicodeObject, errors: &str, order: Option<Order>) -> PyResult<Ref<PyBytesObject>> {
    let mut bytes = Vec::with_capacity(4 * text.len() + 4);
    let encoding = match order {
        None => "utf-32",
        Some(Order::Little) => "utf-32-le",
        Some(Order::Big) => "utf-32-be",
    };
    if order.is_none() {
        push_32(&mut bytes, 0xFEFF, NATIVE);
    }
    let order = order.unwrap_or(NATIVE);
    encode(text, encoding, errors, bytes, 4, |bytes, code| {
        push_32(bytes, code, order)
    })
}

/// Decodes; gives also the order of bytes that was found or given (`None` while there was nothing to tell).
pub fn decode_16(
    bytes: &[u8],
    errors: &str,
    order: Option<Order>,
    is_final: bool,
) -> PyResult<(Decoded, Option<Order>)> {
    let (start, found) = match (order, bytes) {
        (None, [0xFF, 0xFE, ..]) => (2, Some(Order::Little)),
        (None, [0xFE, 0xFF, ..]) => (2, Some(Order::Big)),
        _ => (0, order),
    };
    let reading = found.unwrap_or(NATIVE);
    let encoding = match reading {
        Order::Little => "utf-16-le",
        Order::Big => "utf-16-be",
    };
    let decoded = decode_each(
        DecodeErrors::new(encoding, bytes, errors),
        is_final,
        start,
        |bytes, at, writer| {
            if bytes.len() - at < 2 {
                return Step::Incomplete(at, "truncated data");
            }
            let unit = u32::from(read_16(bytes, at, reading));
            match unit {
                0xD800..0xDC00 => {
                    if bytes.len() - at < 4 {
                        return Step::Incomplete(at, "unexpected end of data");
                    }
                    let second = u32::from(read_16(bytes, at + 2, reading));
                    if !(0xDC00..0xE000).contains(&second) {
                        return Step::Wrong(at, at + 2, "illegal UTF-16 surrogate");
                    }
                    writer.push(0x1_0000 + ((unit & 0x3FF) << 10 | second & 0x3FF));
                    Step::Next(at + 4)
                }
                0xDC00..0xE000 => Step::Wrong(at, at + 2, "illegal encoding"),
                _ => {
                    writer.push(unit);
                    Step::Next(at + 2)
                }
            }
        },
    )?;
    Ok((decoded, found))
}

/// As `decode_16`.
pub fn decode_32(
    bytes: &[u8],
    errors: &str,
    order: Option<Order>,
    is_final: bool,
) -> PyResult<(Decoded, Option<Order>)> {
    let (start, found) = match (order, bytes) {
        (None, [0xFF, 0xFE, 0, 0, ..]) => (4, Some(Order::Little)),
        (None, [0, 0, 0xFE, 0xFF, ..]) => (4, Some(Order::Big)),
        _ => (0, order),
    };
    let reading = found.unwrap_or(NATIVE);
    let encoding = match reading {
        Order::Little => "utf-32-le",
        Order::Big => "utf-32-be",
    };
    let decoded = decode_each(
        DecodeErrors::new(encoding, bytes, errors),
        is_final,
        start,
        |bytes, at, writer| {
            if bytes.len() - at < 4 {
                return Step::Incomplete(at, "truncated data");
            }
            match read_32(bytes, at, reading) {
                0xD800..0xE000 => Step::Wrong(
                    at,
                    at + 4,
                    "code point in surrogate code point range(0xd800, 0xe000)",
                ),
                0x11_0000.. => Step::Wrong(at, at + 4, "code point not in range(0x110000)"),
                code => {
                    writer.push(code);
                    Step::Next(at + 4)
                }
            }
        },
    )?;
    Ok((decoded, found))
}
