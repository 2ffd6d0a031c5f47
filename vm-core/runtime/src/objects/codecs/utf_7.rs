//! UTF-7 (RFC 2152): ASCII, with runs of base 64 between `+` and `-` that hold UTF-16.

use super::Decoded;
use super::errors::DecodeErrors;
use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn digit_of(byte: u8) -> Option<u32> {
    match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Whether the encoder writes the character as it is.
fn is_direct(code: u32) -> bool {
    matches!(code, 0x09 | 0x0A | 0x0D | 0x20..=0x7D) && !matches!(code, 0x2B | 0x5C)
}

/// Bits that are not yet a whole digit (or a whole unit).
#[derive(Default)]
struct Bits {
    buffer: u32,
    n_bits: u32,
}

impl Bits {
    fn push_unit(&mut self, unit: u32, bytes: &mut Vec<u8>) {
        self.buffer = self.buffer << 16 | unit;
        self.n_bits += 16;
        while self.n_bits >= 6 {
            self.n_bits -= 6;
            bytes.push(DIGITS[(self.buffer >> self.n_bits & 63) as usize]);
        }
        self.buffer &= (1 << self.n_bits) - 1;
    }
    fn flush(&mut self, bytes: &mut Vec<u8>) {
        if self.n_bits > 0 {
            bytes.push(DIGITS[(self.buffer << (6 - self.n_bits) & 63) as usize]);
        }
        *self = Bits::default();
    }
}

pub fn encode(text: &PyUnicodeObject) -> Ref<PyBytesObject> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut bits = Bits::default();
    let mut shifted = false;
    for code in text.code_points() {
        if is_direct(code) {
            if shifted {
                bits.flush(&mut bytes);
                shifted = false;
                if code == u32::from(b'-') || digit_of(code as u8).is_some() {
                    bytes.push(b'-');
                }
            }
            bytes.push(code as u8);
            continue;
        }
        if !shifted {
            if code == u32::from(b'+') {
                bytes.extend_from_slice(b"+-");
                continue;
            }
            bytes.push(b'+');
            shifted = true;
        }
        if code >= 0x1_0000 {
            bits.push_unit(0xD800 | (code - 0x1_0000) >> 10, &mut bytes);
            bits.push_unit(0xDC00 | code & 0x3FF, &mut bytes);
        } else {
            bits.push_unit(code, &mut bytes);
        }
    }
    if shifted {
        bits.flush(&mut bytes);
        bytes.push(b'-');
    }
    PyBytesObject::from_slice(&bytes)
}

/// A run of base 64 that is being read.
struct Shift {
    /// Where its `+` is.
    start: usize,
    bits: Bits,
    high: Option<u32>,
    text: Vec<u32>,
}

impl Shift {
    fn push_digit(&mut self, digit: u32) {
        self.bits.buffer = self.bits.buffer << 6 | digit;
        self.bits.n_bits += 6;
        if self.bits.n_bits < 16 {
            return;
        }
        self.bits.n_bits -= 16;
        let unit = self.bits.buffer >> self.bits.n_bits;
        self.bits.buffer &= (1 << self.bits.n_bits) - 1;
        if let Some(high) = self.high.take() {
            if (0xDC00..0xE000).contains(&unit) {
                self.text.push(0x1_0000 + ((high & 0x3FF) << 10 | unit & 0x3FF));
                return;
            }
            self.text.push(high);
        }
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit)
        } else {
            self.text.push(unit)
        }
    }
    fn complaint(&self) -> Option<&'static str> {
        if self.bits.n_bits >= 6 {
            Some("partial character in shift sequence")
        } else if self.bits.n_bits > 0 && self.bits.buffer != 0 {
            Some("non-zero padding bits in shift sequence")
        } else {
            None
        }
    }
}

pub fn decode(bytes: &[u8], errors: &str, is_final: bool) -> PyResult<Decoded> {
    let mut errors = DecodeErrors::new("utf7", bytes, errors);
    let mut writer = UnicodeWriter::with_capacity(bytes.len());
    let mut shift: Option<Shift> = None;
    let mut at = 0;
    loop {
        let Some(&byte) = errors.bytes.get(at) else {
            let Some(mut open) = shift.take() else { break };
            if !is_final {
                return Ok((writer.finish()?, open.start));
            }
            open.text.drain(..).for_each(|code| writer.push(code));
            if open.high.is_some() || open.complaint().is_some() {
                let end = errors.bytes.len();
                at = errors.handle(&mut writer, open.start, end, "unterminated shift sequence")?;
            }
            continue;
        };
        if let Some(open) = &mut shift {
            if let Some(digit) = digit_of(byte) {
                open.push_digit(digit);
                at += 1;
                continue;
            }
            let mut closed = shift.take().expect("open above");
            closed.text.drain(..).for_each(|code| writer.push(code));
            if let Some(reason) = closed.complaint() {
                at = errors.handle(&mut writer, closed.start, at + 1, reason)?;
                continue;
            }
            if let Some(high) = closed.high.filter(|_| byte < 0x80) {
                writer.push(high);
            }
            if byte == b'-' {
                at += 1;
            }
            continue;
        }
        match byte {
            b'+' => match errors.bytes.get(at + 1) {
                Some(b'-') => {
                    writer.push(u32::from(b'+'));
                    at += 2;
                }
                Some(&next) if digit_of(next).is_none() => {
                    at = errors.handle(&mut writer, at, at + 2, "ill-formed sequence")?;
                }
                _ => {
                    shift = Some(Shift {
                        start: at,
                        bits: Bits::default(),
                        high: None,
                        text: Vec::new(),
                    });
                    at += 1;
                }
            },
            0..0x80 => {
                writer.push(u32::from(byte));
                at += 1;
            }
            _ => at = errors.handle(&mut writer, at, at + 1, "unexpected special character")?,
        }
    }
    Ok((writer.finish()?, at))
}
