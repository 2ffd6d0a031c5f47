//! Code point -> what `str` asks of it: classes, numeric values, case mappings. One record per distinct answer.
//!
//! The data are Unicode's, in the version that CPython 3.14 has (`tables.rs`, made by `tools/unicodectype.py`).

mod tables;

pub use tables::UNIDATA_VERSION;
use tables::*;

pub(super) struct Record {
    flags: u16,
    /// Bit n: mapping n is longer than one character.
    longer: u8,
    /// 255 for none.
    digit: u8,
    /// Place in `NUMERICS`.
    numeric: u8,
    /// Upper, lower, title, fold: a difference, or place << 2 | length in `EXTENDED`.
    mappings: [i32; 4],
}

#[inline]
fn record(code: u32) -> &'static Record {
    const LOW: u32 = (1 << SHIFT) - 1;
    let block = match INDEX1.get((code >> SHIFT) as usize) {
        Some(&block) => u32::from(block),
        None => return &RECORDS[0],
    };
    &RECORDS[usize::from(INDEX2[(block << SHIFT | code & LOW) as usize])]
}

#[inline]
fn has(code: u32, flag: u16) -> bool {
    record(code).flags & flag != 0
}

#[inline]
pub fn is_alpha(code: u32) -> bool {
    has(code, ALPHA)
}
#[inline]
pub fn is_decimal(code: u32) -> bool {
    has(code, DECIMAL)
}
#[inline]
pub fn is_digit(code: u32) -> bool {
    has(code, DIGIT)
}
#[inline]
pub fn is_numeric(code: u32) -> bool {
    has(code, NUMERIC)
}
#[inline]
pub fn is_alnum(code: u32) -> bool {
    has(code, ALPHA | DECIMAL | DIGIT | NUMERIC)
}
#[inline]
pub fn is_lower(code: u32) -> bool {
    has(code, LOWER)
}
#[inline]
pub fn is_upper(code: u32) -> bool {
    has(code, UPPER)
}
#[inline]
pub fn is_title(code: u32) -> bool {
    has(code, TITLE)
}
#[inline]
pub fn is_space(code: u32) -> bool {
    if code < 0x80 {
        return matches!(code, 0x09..=0x0D | 0x1C..=0x1F | 0x20);
    }
    has(code, SPACE)
}
#[inline]
pub fn is_linebreak(code: u32) -> bool {
    if code < 0x80 {
        return matches!(code, 0x0A..=0x0D | 0x1C..=0x1E);
    }
    has(code, LINEBREAK)
}
#[inline]
pub fn is_printable(code: u32) -> bool {
    if code < 0x7F {
        return code >= 0x20;
    }
    has(code, PRINTABLE)
}
/// XID_Start, or the underscore.
#[inline]
pub fn is_identifier_start(code: u32) -> bool {
    code == u32::from(b'_') || has(code, XID_START)
}
#[inline]
pub fn is_identifier_continue(code: u32) -> bool {
    has(code, XID_CONTINUE)
}
/// Whether the character has case and is not to be ignored in finding a word's end.
#[inline]
pub fn is_cased(code: u32) -> bool {
    has(code, CASED)
}
#[inline]
pub fn is_case_ignorable(code: u32) -> bool {
    has(code, CASE_IGNORABLE)
}

/// The value of a decimal digit.
#[inline]
pub fn to_decimal(code: u32) -> Option<u32> {
    if code < 0x80 {
        return char::from(code as u8).to_digit(10);
    }
    let record = record(code);
    (record.flags & DECIMAL != 0).then_some(u32::from(record.digit))
}
/// The value of a digit in the wider sense (superscripts too).
pub fn to_digit(code: u32) -> Option<u32> {
    match record(code).digit {
        255 => None,
        digit => Some(u32::from(digit)),
    }
}
pub fn to_numeric(code: u32) -> Option<f64> {
    let record = record(code);
    (record.flags & NUMERIC != 0).then(|| NUMERICS[usize::from(record.numeric)])
}

/// Which of the four mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseMapping {
    Upper = 0,
    Lower = 1,
    Title = 2,
    Fold = 3,
}

/// What a character becomes: one to three characters.
#[inline]
pub fn map_full(code: u32, mapping: CaseMapping) -> ([u32; 3], usize) {
    let record = record(code);
    let value = record.mappings[mapping as usize];
    if record.longer >> mapping as u32 & 1 == 0 {
        return ([code.wrapping_add_signed(value), 0, 0], 1);
    }
    let (place, len) = ((value >> 2) as usize, (value & 3) as usize);
    let mut mapped = [0; 3];
    mapped[..len].copy_from_slice(&EXTENDED[place..place + len]);
    (mapped, len)
}

/// The one-to-one mapping, as the C API and regular expressions want it.
pub fn map_simple(code: u32, mapping: CaseMapping) -> u32 {
    match map_full(code, mapping) {
        ([mapped, ..], 1) => mapped,
        // A character whose upper form is long may still have a one-character title form, which is then its simple
        // upper form too. The only long lower form starts with its simple one.
        ([first, ..], _) if mapping == CaseMapping::Lower => first,
        _ if mapping == CaseMapping::Upper => match map_full(code, CaseMapping::Title) {
            ([mapped, ..], 1) => mapped,
            _ => code,
        },
        _ => code,
    }
}
pub fn to_upper(code: u32) -> u32 {
    map_simple(code, CaseMapping::Upper)
}
pub fn to_lower(code: u32) -> u32 {
    map_simple(code, CaseMapping::Lower)
}
pub fn to_title(code: u32) -> u32 {
    map_simple(code, CaseMapping::Title)
}
