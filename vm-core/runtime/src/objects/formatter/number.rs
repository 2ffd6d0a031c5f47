//! Parts of a number's text -> the padded, grouped text: sign, prefix, digits, fraction, exponent.
//!
//! Pure. `Locale` carries what type `n` asks of the C library. Tests: `tests.rs`.

use super::spec::{Grouping, Spec};
use std::borrow::Cow;

/// Separators and group sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale {
    pub decimal_point: Cow<'static, str>,
    pub thousands_separator: Cow<'static, str>,
    /// As `localeconv()` has it: sizes from the right, the last one repeated; CHAR_MAX ends the grouping.
    pub grouping: Vec<u8>,
}

impl Locale {
    pub fn of(grouping: Grouping) -> Locale {
        let (separator, size) = match grouping {
            Grouping::None => ("", 0),
            Grouping::Comma => (",", 3),
            Grouping::Underscore => ("_", 3),
            Grouping::UnderscoreFour => ("_", 4),
            Grouping::Locale => return Locale::current(),
        };
        Locale {
            decimal_point: ".".into(),
            thousands_separator: separator.into(),
            grouping: if size == 0 { Vec::new() } else { vec![size] },
        }
    }
    /// What the process' C locale says.
    pub fn current() -> Locale {
        // SAFETY: localeconv returns a static structure of C strings; the GIL keeps others from calling it.
        unsafe {
            let conventions = libc::localeconv();
            let text = |ptr: *const libc::c_char| std::ffi::CStr::from_ptr(ptr);
            Locale {
                decimal_point: text((*conventions).decimal_point)
                    .to_string_lossy()
                    .into_owned()
                    .into(),
                thousands_separator: text((*conventions).thousands_sep)
                    .to_string_lossy()
                    .into_owned()
                    .into(),
                grouping: text((*conventions).grouping).to_bytes().to_vec(),
            }
        }
    }
}

/// Group sizes from the right; None when the rest is one group.
struct GroupSizes<'a> {
    grouping: &'a [u8],
    index: usize,
    previous: u8,
}

impl GroupSizes<'_> {
    fn next(&mut self) -> Option<usize> {
        const CHAR_MAX: u8 = i8::MAX as u8;
        match self.grouping.get(self.index) {
            None if self.previous == 0 => None,
            None => Some(self.previous.into()),
            Some(0) => Some(self.previous.into()).filter(|size| *size != 0),
            Some(&(CHAR_MAX | u8::MAX)) => None,
            Some(&size) => {
                self.previous = size;
                self.index += 1;
                Some(size.into())
            }
        }
    }
}

/// Inserts separators between groups of `digits`, with zeros in front to at least `min_width` characters.
fn group_digits(digits: &str, min_width: usize, locale: &Locale) -> String {
    let digits = digits.as_bytes();
    let mut groups: Vec<String> = Vec::new();
    let mut remaining = digits.len();
    let mut min_width = min_width as isize;
    let mut sizes = GroupSizes {
        grouping: &locale.grouping,
        index: 0,
        previous: 0,
    };
    loop {
        let wanted = (remaining as isize).max(min_width).max(1) as usize;
        let size = sizes.next();
        let len = size.map_or(wanted, |size| size.min(wanted));
        let n_chars = remaining.min(len);
        let mut group = "0".repeat(len - n_chars);
        group.extend(
            digits[remaining - n_chars..remaining]
                .iter()
                .map(|byte| char::from(*byte)),
        );
        groups.push(group);
        remaining -= n_chars;
        min_width -= len as isize;
        if size.is_none() || remaining == 0 && min_width <= 0 {
            break;
        }
        min_width -= locale.thousands_separator.chars().count() as isize;
    }
    groups.reverse();
    groups.join(&locale.thousands_separator)
}

/// Inserts separators into a fraction, from the left.
fn group_fraction(digits: &str, grouping: Grouping) -> Cow<'_, str> {
    let separator = match grouping {
        Grouping::None => return digits.into(),
        Grouping::Comma => ",",
        _ => "_",
    };
    let chunks: Vec<&str> = digits
        .as_bytes()
        .chunks(3)
        .filter_map(|chunk| std::str::from_utf8(chunk).ok())
        .collect();
    chunks.join(separator).into()
}

/// A number's text, taken apart.
#[derive(Default, Debug)]
pub struct Parts<'a> {
    pub negative: bool,
    /// `0x` and the like.
    pub prefix: &'a str,
    /// Digits before the decimal point; empty for `inf`, `nan` and characters.
    pub digits: &'a str,
    pub has_point: bool,
    pub fraction: &'a str,
    /// Exponent, percent sign; or the whole of what is no digit.
    pub rest: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes the text of a float (with its sign) apart.
    pub fn of_float(text: &'a str) -> Parts<'a> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(n_digits);
        let (has_point, rest) = match rest.strip_prefix('.') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let n_fraction = if has_point {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        } else {
            0
        };
        let (fraction, rest) = rest.split_at(n_fraction);
        Parts {
            negative,
            prefix: "",
            digits,
            has_point,
            fraction,
            rest,
        }
    }
}

/// A text of code points.
pub type CodePoints = Vec<u32>;

fn push_str(text: &mut CodePoints, part: &str) {
    text.extend(part.chars().map(u32::from));
}

/// Where the padding of `total` goes: left, right.
pub fn split_padding(total: usize, align: u8) -> (usize, usize) {
    let left = match align {
        b'>' => total,
        b'^' => total / 2,
        _ => 0,
    };
    (left, total - left)
}

/// Pads `text` to the specification's width; `=` counts as left.
pub fn pad(text: CodePoints, spec: &Spec) -> CodePoints {
    let total = spec.width.unwrap_or(0).saturating_sub(text.len());
    if total == 0 {
        return text;
    }
    let (left, right) = split_padding(total, spec.align);
    let mut padded = Vec::with_capacity(text.len() + total);
    padded.resize(left, spec.fill);
    padded.extend_from_slice(&text);
    padded.resize(padded.len() + right, spec.fill);
    padded
}

/// Puts a number together as the specification says.
pub fn layout(parts: &Parts<'_>, spec: &Spec, locale: &Locale) -> CodePoints {
    let sign = match (spec.sign, parts.negative) {
        (_, true) => "-",
        (b'+', false) => "+",
        (b' ', false) => " ",
        _ => "",
    };
    let fraction = group_fraction(parts.fraction, spec.fraction_grouping);
    let point = if parts.has_point {
        &*locale.decimal_point
    } else {
        ""
    };
    let tail_len = point.chars().count() + fraction.len() + parts.rest.chars().count();
    let fixed_len = sign.len() + parts.prefix.len() + tail_len;
    let zero_padded = spec.fill == u32::from(b'0') && spec.align == b'=';
    let min_width = if zero_padded {
        spec.width.unwrap_or(0).saturating_sub(fixed_len)
    } else {
        0
    };
    let grouped: Cow<'_, str> = if parts.digits.is_empty() || locale.grouping.is_empty() {
        parts.digits.into()
    } else {
        group_digits(parts.digits, min_width, locale).into()
    };
    let content = fixed_len + grouped.chars().count();
    let padding = spec.width.unwrap_or(0).saturating_sub(content);
    let (left, right) = if spec.align == b'=' {
        (0, 0)
    } else {
        split_padding(padding, spec.align)
    };
    let inner = if spec.align == b'=' { padding } else { 0 };

    let mut text: CodePoints = Vec::with_capacity(content + padding);
    text.resize(left, spec.fill);
    push_str(&mut text, sign);
    push_str(&mut text, parts.prefix);
    text.resize(text.len() + inner, spec.fill);
    push_str(&mut text, &grouped);
    push_str(&mut text, point);
    push_str(&mut text, &fraction);
    push_str(&mut text, parts.rest);
    text.resize(text.len() + right, spec.fill);
    text
}
