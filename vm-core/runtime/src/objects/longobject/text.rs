//! Text -> digits and digits -> text, in every base, without objects.
//!
//! `parse` knows the literal's grammar (sign, prefix, underscores); the limit on decimal digits is the caller's
//! argument. Tests: `digits_tests.rs`.

use super::digits::{self, SHIFT};
use num_bigint::BigUint;

/// The decimal digits that fit below 2**30, and their power of ten.
const DECIMAL_SHIFT: usize = 9;
const DECIMAL_BASE: u32 = 1_000_000_000;
/// Above this many characters, halves are parsed separately and multiplied together.
const SPLIT_THRESHOLD: usize = 1200;
/// Below this many decimal digits the limit is not looked at.
pub const MAX_STR_DIGITS_THRESHOLD: usize = 640;

/// Why a text is no integer.
#[derive(Debug, PartialEq, Eq)]
pub enum ParseError {
    Invalid,
    /// More decimal digits than the limit allows: how many there are.
    TooManyDigits(usize),
    /// So many decimal digits, checked and here as values 0 to 9, that the text is for `pylong`.
    Huge {
        negative: bool,
        values: Vec<u8>,
    },
}

/// A parsed number: sign and normalised digits.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    pub negative: bool,
    pub digits: Vec<u32>,
}

/// Space in ASCII, as `int()` and `float()` strip it.
pub fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, 9..=13 | 32)
}

/// The text without ASCII space at its ends.
pub fn strip_ascii_space(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_ascii_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_ascii_space(*last)
    {
        text = rest;
    }
    text
}

/// The value of an ASCII digit or letter, 37 when it is neither.
fn digit_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' => byte - b'A' + 10,
        _ => 37,
    }
}

/// Parses an integer with Python's rules for `base` (0, or 2 to 36). `max_digits` is 0 for no limit.
pub fn parse(text: &[u8], base: u32, max_digits: usize) -> Result<Parsed, ParseError> {
    let mut text = strip_ascii_space(text);
    let mut negative = false;
    if let [sign @ (b'+' | b'-'), rest @ ..] = text {
        negative = *sign == b'-';
        text = rest;
    }
    let (text, base, only_zeros) = strip_prefix(text, base);
    let n = count_digits(text, base)?;
    let is_limited = !base.is_power_of_two() && max_digits > 0;
    if is_limited && n > MAX_STR_DIGITS_THRESHOLD && n > max_digits {
        return Err(ParseError::TooManyDigits(n));
    }
    let values: Vec<u8> = text
        .iter()
        .filter(|byte| **byte != b'_')
        .map(|byte| digit_value(*byte))
        .collect();
    let digits = if base.is_power_of_two() {
        parse_power_of_two(&values, base.trailing_zeros())
    } else {
        if base == 10 && n > super::pylong::FROM_TEXT_DIGITS && !only_zeros {
            return Err(ParseError::Huge { negative, values });
        }
        parse_other(&values, base)
    };
    if only_zeros && !digits.is_empty() {
        return Err(ParseError::Invalid);
    }
    Ok(Parsed {
        negative: negative && !digits.is_empty(),
        digits,
    })
}

/// Takes `0x` and the like off; gives the rest, the effective base, and whether only zero is allowed.
fn strip_prefix(text: &[u8], base: u32) -> (&[u8], u32, bool) {
    let prefix_base = match text {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    if prefix_base != 0 && (base == 0 || base == prefix_base) {
        let rest = &text[2..];
        return (rest.strip_prefix(b"_").unwrap_or(rest), prefix_base, false);
    }
    if base == 0 {
        return (text, 10, text.first() == Some(&b'0'));
    }
    (text, base, false)
}

/// Checks the digits and the underscores between them; gives the number of digits.
fn count_digits(text: &[u8], base: u32) -> Result<usize, ParseError> {
    // A text that is too long must be refused much faster than it would be converted.
    let are_decimal = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & byte.is_ascii_digit());
    if base >= 10 && !text.is_empty() && text.chunks(64).all(are_decimal) {
        return Ok(text.len());
    }
    let mut n_underscores = 0;
    let mut after_digit = false;
    for &byte in text {
        if byte == b'_' && after_digit {
            n_underscores += 1;
            after_digit = false;
        } else if u32::from(digit_value(byte)) < base {
            after_digit = true;
        } else {
            return Err(ParseError::Invalid);
        }
    }
    if after_digit {
        Ok(text.len() - n_underscores)
    } else {
        Err(ParseError::Invalid)
    }
}

fn parse_power_of_two(values: &[u8], bits_per_value: u32) -> Vec<u32> {
    let mut digits = Vec::with_capacity(values.len() * bits_per_value as usize / SHIFT as usize + 1);
    let mut pending = 0u64;
    let mut pending_bits = 0;
    for &value in values.iter().rev() {
        pending |= u64::from(value) << pending_bits;
        pending_bits += bits_per_value;
        if pending_bits >= SHIFT {
            digits.push(pending as u32 & digits::MASK);
            pending >>= SHIFT;
            pending_bits -= SHIFT;
        }
    }
    digits.push(pending as u32);
    truncate_zeros(&mut digits);
    digits
}

/// Drops leading zero digits.
fn truncate_zeros(digits: &mut Vec<u32>) {
    digits.truncate(digits::normalized(digits).len());
}

fn parse_other(values: &[u8], base: u32) -> Vec<u32> {
    if values.len() > SPLIT_THRESHOLD {
        let value = parse_split(values, base);
        let mut digits = vec![0; digits::biguint_len(&value)];
        digits::from_biguint_into(&mut digits, &value);
        return digits;
    }
    // As many characters at once as stay below 2**30.
    let mut chunk_len = 1;
    let mut chunk_factor = base;
    while let Some(next) = chunk_factor.checked_mul(base)
        && next <= 1 << SHIFT
    {
        chunk_factor = next;
        chunk_len += 1;
    }
    let mut digits: Vec<u32> = Vec::with_capacity(values.len() / chunk_len + 1);
    for chunk in values.chunks(chunk_len) {
        let factor = if chunk.len() == chunk_len {
            chunk_factor
        } else {
            base.pow(chunk.len() as u32)
        };
        let addend = chunk.iter().fold(0, |sum, value| sum * base + u32::from(*value));
        let carry = digits::mul_add_small(&mut digits, factor, addend);
        if carry > 0 {
            digits.push(carry as u32 & digits::MASK);
            if carry >> SHIFT > 0 {
                digits.push((carry >> SHIFT) as u32);
            }
        }
    }
    truncate_zeros(&mut digits);
    digits
}

/// Divide and conquer, so that very long texts cost what multiplication costs.
fn parse_split(values: &[u8], base: u32) -> BigUint {
    if values.len() <= SPLIT_THRESHOLD {
        return digits::to_biguint(&parse_other(values, base));
    }
    let low_len = values.len() / 2;
    let (high, low) = values.split_at(values.len() - low_len);
    parse_split(high, base) * BigUint::from(base).pow(low_len as u32) + parse_split(low, base)
}

/// The decimal text of a magnitude.
pub fn decimal(magnitude: &[u32]) -> String {
    if let Some(value) = digits::to_u64(magnitude) {
        return value.to_string();
    }
    if magnitude.len() <= 4 {
        return digits::to_u128(magnitude).to_string();
    }
    if magnitude.len() > 200 {
        return decimal_split(digits::to_biguint(magnitude));
    }
    let mut rest = magnitude.to_vec();
    let mut chunks = Vec::with_capacity(magnitude.len() + magnitude.len() / 200 + 1);
    while !rest.is_empty() {
        let source = rest.clone();
        chunks.push(digits::div_rem_small_into(&mut rest, &source, DECIMAL_BASE));
        truncate_zeros(&mut rest);
    }
    let mut text = String::with_capacity(chunks.len() * DECIMAL_SHIFT);
    let mut chunks = chunks.iter().rev();
    if let Some(first) = chunks.next() {
        text.push_str(&first.to_string());
    }
    for chunk in chunks {
        push_padded(&mut text, *chunk);
    }
    text
}

/// Nine decimal digits, with leading zeros.
fn push_padded(text: &mut String, mut chunk: u32) {
    let mut buffer = [b'0'; DECIMAL_SHIFT];
    for byte in buffer.iter_mut().rev() {
        *byte = b'0' + (chunk % 10) as u8;
        chunk /= 10;
    }
    text.extend(buffer.iter().map(|byte| char::from(*byte)));
}

/// Large magnitudes: the bignum crate's conversion, which splits by large powers.
fn decimal_split(value: BigUint) -> String {
    value.to_string()
}

/// The text of a magnitude in base 2, 8, 16 (or another power of two), without a prefix.
pub fn power_of_two(magnitude: &[u32], bits_per_char: u32, upper: bool) -> String {
    if magnitude.is_empty() {
        return "0".to_string();
    }
    let alphabet: &[u8; 36] = if upper {
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    } else {
        b"0123456789abcdefghijklmnopqrstuvwxyz"
    };
    let n_chars = digits::bit_length(magnitude).div_ceil(u64::from(bits_per_char)) as usize;
    let mut text = Vec::with_capacity(n_chars);
    let mut pending = 0u64;
    let mut pending_bits = 0;
    let char_mask = (1u64 << bits_per_char) - 1;
    for &digit in magnitude {
        pending |= u64::from(digit) << pending_bits;
        pending_bits += SHIFT;
        while pending_bits >= bits_per_char {
            text.push(alphabet[(pending & char_mask) as usize]);
            pending >>= bits_per_char;
            pending_bits -= bits_per_char;
        }
    }
    if pending != 0 {
        text.push(alphabet[(pending & char_mask) as usize]);
    }
    text.truncate(n_chars);
    text.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// A lower bound test for the digit limit, without the conversion: CPython's estimate, `3 * bits > 10 * limit`.
pub fn surely_longer_than(magnitude: &[u32], max_digits: usize) -> bool {
    // log10(2) > 3/10, so a number of b bits has more than 3*b/10 decimal digits.
    let bits = digits::bit_length(magnitude);
    bits.saturating_mul(3) / 10 > max_digits as u64
}
