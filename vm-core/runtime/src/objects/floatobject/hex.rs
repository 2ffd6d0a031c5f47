//! Doubles <-> hexadecimal text: `float.hex` and `float.fromhex`. Pure. Tests: `../dtoa_tests.rs`.

use crate::objects::dtoa;
use crate::objects::longobject::text::strip_ascii_space;

/// Why a text is no hexadecimal float.
#[derive(Debug, PartialEq, Eq)]
pub enum HexError {
    Invalid,
    TooLarge,
}

/// `float.hex()`.
pub fn to_hex(value: f64) -> String {
    if !value.is_finite() {
        return dtoa::float_repr(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match bits >> 52 & 0x7ff {
        0 if mantissa == 0 => format!("{sign}0x0.0p+0"),
        0 => format!("{sign}0x0.{mantissa:013x}p-1022"),
        biased => format!("{sign}0x1.{mantissa:013x}p{:+}", biased as i64 - 1023),
    }
}

/// `float.fromhex()`: rounds half to even, once.
pub fn from_hex(text: &[u8]) -> Result<f64, HexError> {
    let mut text = strip_ascii_space(text);
    let mut negative = false;
    if let [sign @ (b'+' | b'-'), rest @ ..] = text {
        negative = *sign == b'-';
        text = rest;
    }
    let magnitude = if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        f64::INFINITY
    } else if text.eq_ignore_ascii_case(b"nan") {
        f64::NAN
    } else {
        parse_magnitude(text)?
    };
    Ok(if negative { -magnitude } else { magnitude })
}

fn parse_magnitude(mut text: &[u8]) -> Result<f64, HexError> {
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        text = rest;
    }
    // The value is `mantissa * 2**exponent`, with `sticky` for what was dropped.
    let (mut mantissa, mut exponent, mut sticky) = (0u64, 0i64, false);
    let (mut n_digits, mut after_point) = (0usize, false);
    while let [byte, rest @ ..] = text {
        match char::from(*byte).to_digit(16) {
            Some(digit) => {
                n_digits += 1;
                if mantissa >> 60 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if after_point { 4 } else { 0 };
                } else {
                    sticky |= digit != 0;
                    exponent += if after_point { 0 } else { 4 };
                }
            }
            None if *byte == b'.' && !after_point => after_point = true,
            None => break,
        }
        text = rest;
    }
    if n_digits == 0 {
        return Err(HexError::Invalid);
    }
    if let [b'p' | b'P', rest @ ..] = text {
        exponent = exponent.saturating_add(parse_exponent(rest)?);
    } else if !text.is_empty() {
        return Err(HexError::Invalid);
    }
    round(mantissa, exponent, sticky)
}

fn parse_exponent(text: &[u8]) -> Result<i64, HexError> {
    let digits = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(HexError::Invalid);
    }
    let limit = i64::MAX / 4;
    let value = digits.iter().fold(0i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
            .min(limit)
    });
    Ok(if text[0] == b'-' { -value } else { value })
}

fn round(mantissa: u64, exponent: i64, sticky: bool) -> Result<f64, HexError> {
    if mantissa == 0 {
        return Ok(0.0);
    }
    let top = exponent.saturating_add(64 - i64::from(mantissa.leading_zeros()));
    if top > 1024 {
        return Err(HexError::TooLarge);
    }
    // The place of the last bit that a double of this size keeps.
    let last = (top - 53).max(-1074);
    let shift = last.saturating_sub(exponent);
    let kept = match shift {
        ..=0 => mantissa,
        1..=63 => {
            let (kept, lost) = (mantissa >> shift, mantissa & ((1 << shift) - 1));
            let half = 1u64 << (shift - 1);
            kept + u64::from(lost > half || lost == half && (sticky || kept & 1 == 1))
        }
        64 => u64::from(mantissa > 1 << 63 || mantissa == 1 << 63 && sticky),
        _ => 0,
    };
    let value = dtoa::ldexp(kept as f64, if shift <= 0 { exponent } else { last });
    if value.is_infinite() {
        Err(HexError::TooLarge)
    } else {
        Ok(value)
    }
}
