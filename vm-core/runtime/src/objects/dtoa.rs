//! Doubles <-> text: the digit generation of `repr`, `format` and `%`, and the parsing of `float()`.
//!
//! Pure functions. Digits come from the standard library's exact formatting (shortest and rounded half to even);
//! what is here is Python's way of laying them out (`PyOS_double_to_string`). Tests: `dtoa_tests.rs`.

/// A decimal expansion: the value is `0.DIGITS * 10**point`.
#[derive(Debug, PartialEq, Eq)]
pub struct Decimal<D = Vec<u8>> {
    pub negative: bool,
    /// ASCII digits without trailing zeros (`"0"` for zero).
    pub digits: D,
    /// The decimal point's place relative to the digits' start.
    pub point: i64,
}

/// A few ASCII characters on the stack: the shortest digits of a double with their exponent fit.
#[derive(Default)]
struct ShortText {
    bytes: [u8; 32],
    len: usize,
}

impl std::fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes
            .get_mut(self.len..end)
            .ok_or(std::fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// The greatest precision of `PyOS_double_to_string`: the text's length is an `int` in C, and has room for an exponent.
pub const MAX_PRECISION: usize = i32::MAX as usize - 1024;

/// Flags of `PyOS_double_to_string`.
pub const DTSF_SIGN: u32 = 0x01;
pub const DTSF_ADD_DOT_0: u32 = 0x02;
pub const DTSF_ALT: u32 = 0x04;
pub const DTSF_NO_NEG_0: u32 = 0x08;

/// No double has more significant digits than this, so a larger precision only appends zeros.
const MAX_SIGNIFICANT: usize = 1100;

fn split_scientific(negative: bool, text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').expect("scientific form");
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    strip_trailing_zeros(&mut digits);
    let exponent: i64 = exponent.parse().expect("scientific form");
    let point = if digits == b"0" { 1 } else { exponent + 1 };
    Decimal {
        negative,
        digits,
        point,
    }
}

fn strip_trailing_zeros(digits: &mut Vec<u8>) {
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
}

/// The shortest digits that give `value` back; `value` is finite.
pub fn shortest(value: f64) -> Decimal {
    with_shortest(value, |decimal| Decimal {
        negative: decimal.negative,
        digits: decimal.digits.to_vec(),
        point: decimal.point,
    })
}

/// As `shortest`, with the digits on the stack.
fn with_shortest<T>(value: f64, f: impl FnOnce(Decimal<&[u8]>) -> T) -> T {
    use std::fmt::Write;
    let mut text = ShortText::default();
    // At most 17 digits, a point, and an exponent of four characters.
    write!(text, "{:e}", value.abs()).expect("room for the shortest digits");
    let text = &mut text.bytes[..text.len];
    let at = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let exponent = text[at..]
        .iter()
        .skip(1)
        .fold((0i64, 1i64), |(value, sign), byte| match byte {
            b'-' => (value, -1),
            digit => (value * 10 + i64::from(digit - b'0'), sign),
        });
    // "d.ddd": the first digit takes the point's place.
    let digits = if at > 1 {
        text[1] = text[0];
        &text[1..at]
    } else {
        &text[..at]
    };
    let point = if digits == b"0" {
        1
    } else {
        exponent.0 * exponent.1 + 1
    };
    if digits.len() >= 15 && may_tie(value) {
        // Two shortest texts may be equally near: exact formatting takes the even one.
        let Decimal {
            negative,
            digits,
            point,
        } = significant(value, digits.len());
        return f(Decimal {
            negative,
            digits: &digits,
            point,
        });
    }
    f(Decimal {
        negative: value.is_sign_negative(),
        digits,
        point,
    })
}

/// Whether the value can lie halfway between two decimals of 15 to 17 digits, for which its exact expansion must have
/// just one digit more: an odd number times `2**n` has that for these `n` only.
fn may_tie(value: f64) -> bool {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64 - 1075;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    (-26..=22).contains(&(exponent + i64::from(mantissa.trailing_zeros())))
}

/// `n_digits` significant digits, correctly rounded; `value` is finite.
pub fn significant(value: f64, n_digits: usize) -> Decimal {
    let precision = n_digits.clamp(1, MAX_SIGNIFICANT) - 1;
    split_scientific(
        value.is_sign_negative(),
        &format!("{:.*e}", precision, value.abs()),
    )
}

/// `n_decimals` digits after the decimal point, correctly rounded; `value` is finite.
pub fn fixed(value: f64, n_decimals: usize) -> Decimal {
    let text = format!("{:.*}", n_decimals.min(MAX_SIGNIFICANT), value.abs());
    let whole_len = text.find('.').unwrap_or(text.len());
    let mut digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let negative = value.is_sign_negative();
    if zeros == digits.len() {
        return Decimal {
            negative,
            digits: vec![b'0'],
            point: 1,
        };
    }
    digits.drain(..zeros);
    strip_trailing_zeros(&mut digits);
    Decimal {
        negative,
        digits,
        point: whole_len as i64 - zeros as i64,
    }
}

/// `PyOS_double_to_string`: `code` is one of `e E f F g G r`; `precision` counts as the code says. `r` takes none.
pub fn double_to_string(value: f64, code: char, precision: usize, flags: u32) -> String {
    let upper = code.is_ascii_uppercase();
    let code = code.to_ascii_lowercase();
    if !value.is_finite() {
        return non_finite(value, upper, flags);
    }
    let precision = if code == 'g' { precision.max(1) } else { precision };
    let decimal = match code {
        'e' => significant(value, precision.saturating_add(1)),
        // The standard library's own layout is the one wanted.
        'f' if flags == 0 && precision <= MAX_SIGNIFICANT => return format!("{value:.precision$}"),
        'f' => fixed(value, precision),
        'g' => significant(value, precision),
        _ => {
            return with_shortest(value, |decimal| {
                layout(decimal, code, precision as i64, flags, upper)
            });
        }
    };
    let Decimal {
        negative,
        digits,
        point,
    } = decimal;
    layout(
        Decimal {
            negative,
            digits: &digits,
            point,
        },
        code,
        precision as i64,
        flags,
        upper,
    )
}

fn non_finite(value: f64, upper: bool, flags: u32) -> String {
    let mut text = String::new();
    if value.is_nan() {
        text.push_str("nan");
    } else {
        if value < 0.0 {
            text.push('-');
        }
        text.push_str("inf");
    }
    if flags & DTSF_SIGN != 0 && !text.starts_with('-') {
        text.insert(0, '+');
    }
    if upper { text.to_ascii_uppercase() } else { text }
}

fn push_zeros(text: &mut Vec<u8>, count: i64) {
    text.extend(std::iter::repeat_n(b'0', count.max(0) as usize));
}

/// Digits to text: where the point stands, which zeros are written, and whether there is an exponent.
fn layout(decimal: Decimal<&[u8]>, code: char, precision: i64, flags: u32, upper: bool) -> String {
    let Decimal {
        negative,
        digits,
        mut point,
    } = decimal;
    let n_digits = digits.len() as i64;
    let add_dot_0 = flags & DTSF_ADD_DOT_0 != 0;
    let alternate = flags & DTSF_ALT != 0;
    let negative = negative && !(flags & DTSF_NO_NEG_0 != 0 && digits == b"0");
    let mut use_exponent = false;
    let mut virtual_end = n_digits;
    match code {
        'e' => {
            use_exponent = true;
            virtual_end = precision.saturating_add(1);
        }
        'f' => virtual_end = point.saturating_add(precision),
        'g' => {
            use_exponent = point <= -4 || point > precision - i64::from(add_dot_0);
            if alternate {
                virtual_end = precision;
            }
        }
        _ => use_exponent = point <= -4 || point > 16,
    }
    let mut exponent = 0;
    if use_exponent {
        exponent = point - 1;
        point = 1;
    }
    virtual_end = if !use_exponent && add_dot_0 {
        virtual_end.max(point + 1)
    } else {
        virtual_end.max(point)
    };

    let mut text = Vec::with_capacity(virtual_end as usize + 8);
    if negative {
        text.push(b'-');
    } else if flags & DTSF_SIGN != 0 {
        text.push(b'+');
    }
    if point <= 0 {
        text.extend_from_slice(b"0.");
        push_zeros(&mut text, -point);
    }
    if 0 < point && point <= n_digits {
        text.extend_from_slice(&digits[..point as usize]);
        text.push(b'.');
        text.extend_from_slice(&digits[point as usize..]);
    } else {
        text.extend_from_slice(digits);
    }
    if n_digits < point {
        push_zeros(&mut text, point - n_digits);
        text.push(b'.');
        push_zeros(&mut text, virtual_end - point);
    } else {
        push_zeros(&mut text, virtual_end - n_digits);
    }
    if text.last() == Some(&b'.') && !alternate {
        text.pop();
    }
    if use_exponent {
        text.push(if upper { b'E' } else { b'e' });
        text.push(if exponent < 0 { b'-' } else { b'+' });
        let digits = exponent.unsigned_abs();
        if digits >= 100 {
            text.push(b'0' + (digits / 100) as u8);
        }
        text.extend([b'0' + (digits / 10 % 10) as u8, b'0' + (digits % 10) as u8]);
    }
    String::from_utf8(text).expect("ASCII")
}

/// `repr(float)`.
pub fn float_repr(value: f64) -> String {
    double_to_string(value, 'r', 0, DTSF_ADD_DOT_0)
}

/// The number that `text` (without space at its ends) writes, with Python's grammar but without underscores.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    let is_number = unsigned
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let is_name = [&b"inf"[..], b"infinity", b"nan"]
        .iter()
        .any(|name| unsigned.eq_ignore_ascii_case(name));
    if !is_number && !is_name {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The length of the longest prefix of `text` that is a number (no leading space), and its value: `PyOS_string_to_double`
/// with an end pointer.
pub fn parse_double_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let mut end = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let sign_len = end;
    for name in [&b"infinity"[..], b"inf", b"nan"] {
        if text.len() >= end + name.len() && text[end..end + name.len()].eq_ignore_ascii_case(name) {
            let end = end + name.len();
            return parse_double(&text[..end]).map(|value| (value, end));
        }
    }
    let count_digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    end += count_digits(end);
    let mut n_digits = end - sign_len;
    if text.get(end) == Some(&b'.') {
        let n_decimals = count_digits(end + 1);
        n_digits += n_decimals;
        if n_digits > 0 {
            end += 1 + n_decimals;
        }
    }
    if n_digits == 0 {
        return None;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let first = end + 1 + sign;
        if text.get(first).is_some_and(u8::is_ascii_digit) {
            end = first + count_digits(first);
        }
    }
    parse_double(&text[..end]).map(|value| (value, end))
}

/// The text without its underscores, each of which must stand between two digits; None when one does not.
pub fn strip_underscores(text: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    if !text.contains(&b'_') {
        return Some(text.into());
    }
    for (i, &byte) in text.iter().enumerate() {
        let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        if byte == b'_' && !(i > 0 && is_digit(text.get(i - 1)) && is_digit(text.get(i + 1))) {
            return None;
        }
    }
    Some(
        text.iter()
            .copied()
            .filter(|byte| *byte != b'_')
            .collect::<Vec<_>>()
            .into(),
    )
}

/// `value = mantissa * 2**exponent` with `0.5 <= |mantissa| < 1`; zero, infinity and NaN are given back as they are.
pub fn frexp(value: f64) -> (f64, i32) {
    if value == 0.0 || !value.is_finite() {
        return (value, 0);
    }
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i32;
    if biased == 0 {
        let (mantissa, exponent) = frexp(value * (1u64 << 54) as f64);
        return (mantissa, exponent - 54);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), biased - 1022)
}

/// `value * 2**exponent`, rounded once.
pub fn ldexp(value: f64, exponent: i64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let (mantissa, own) = frexp(value);
    let total = i64::from(own).saturating_add(exponent);
    if total > 1024 {
        return f64::INFINITY.copysign(value);
    }
    if total < -1080 {
        return 0.0f64.copysign(value);
    }
    let power = |n: i64| f64::from_bits(((n + 1023) as u64) << 52);
    if total >= -1021 {
        // The mantissa is below 1, so the power's own exponent may be 1024: one factor 2 goes to the mantissa.
        return mantissa * 2.0 * power(total - 1);
    }
    // Subnormal: one exact scaling, then one that rounds.
    mantissa * 2.0 * power(-1022) * power(total + 1021)
}

/// Rounds to `n_decimals` decimal digits, half to even on the exact value; negative counts round left of the point.
/// None when the result overflows. `value` is finite.
pub fn round_decimals(value: f64, n_decimals: i64) -> Option<f64> {
    // Beyond these no digit can change, or every digit goes.
    if n_decimals > 323 {
        return Some(value);
    }
    if n_decimals < -308 {
        return Some(0.0 * value);
    }
    let rounded = if n_decimals >= 0 {
        format!("{:.*}", n_decimals as usize, value).parse().ok()?
    } else {
        round_left_of_point(value, -n_decimals)
    };
    if f64::is_finite(rounded) {
        Some(rounded)
    } else {
        None
    }
}

fn round_left_of_point(value: f64, n_places: i64) -> f64 {
    let magnitude = value.abs();
    let point = shortest(magnitude).point;
    let kept = point - n_places;
    let text = if magnitude == 0.0 || kept < 0 {
        "0".to_string()
    } else if kept == 0 {
        // The result is 0 or 10**n_places, as the value is not above or above half of that; the tie goes to 0.
        let decimal = significant(magnitude, MAX_SIGNIFICANT);
        let above_half = decimal.digits[0] > b'5' || decimal.digits[0] == b'5' && decimal.digits.len() > 1;
        if decimal.point == point && above_half {
            format!("1e{n_places}")
        } else {
            "0".to_string()
        }
    } else {
        format!("{:.*e}", kept as usize - 1, magnitude)
    };
    text.parse::<f64>().unwrap_or(0.0).copysign(value)
}
