//! Objects and texts -> ints: what `int(...)` and `int.from_bytes` take.

use super::text::{self, ParseError};
use super::{PyLong_Type, max_str_digits};
use crate::objects::numeric_text;
use crate::prelude::*;

type Int = Ref<PyLongObject>;

/// The bytes of a literal: a str is translated to ASCII first.
fn parse_bytes(literal: &[u8], base: u32, source: &PyObject) -> PyResult<Int> {
    if base == 10
        && let Some(value) = short_decimal(literal)
    {
        return Ok(PyLongObject::from_i64(value));
    }
    match text::parse(literal, base, max_str_digits()) {
        Ok(parsed) => PyLongObject::from_digits(parsed.negative, &parsed.digits),
        Err(ParseError::TooManyDigits(n)) => Err(too_many_digits(n)),
        Err(ParseError::Huge { negative, values }) => super::pylong::from_decimal(negative, &values),
        Err(ParseError::Invalid) => Err(invalid_literal(base, source)),
    }
}

/// The value of a literal of at most 18 decimal digits with nothing but a sign before them.
fn short_decimal(literal: &[u8]) -> Option<i64> {
    let digits = literal.strip_prefix(b"-").unwrap_or(literal);
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if digits.len() < literal.len() {
        -value
    } else {
        value
    })
}

#[cold]
pub(super) fn too_many_digits(n: usize) -> Raised {
    raise!(
        ValueError,
        "Exceeds the limit ({} digits) for integer string conversion: value has {n} digits; use \
         sys.set_int_max_str_digits() to increase the limit",
        max_str_digits()
    )
}

#[cold]
fn invalid_literal(base: u32, source: &PyObject) -> Raised {
    let repr = match source.repr() {
        Ok(repr) => repr,
        Err(raised) => return raised,
    };
    // The message shows at most 200 characters of the literal.
    let shown = repr.substring(0, repr.len().min(200));
    raise!(
        ValueError,
        "invalid literal for int() with base {base}: {}",
        shown.to_string_lossy()
    )
}

/// `PyLong_FromUnicodeObject`.
pub fn from_str_object(literal: &PyUnicodeObject, base: u32) -> PyResult<Int> {
    match literal.ascii_str() {
        Some(ascii) => parse_bytes(ascii.as_bytes(), base, literal.as_object()),
        None => {
            let ascii = numeric_text::to_ascii(literal.code_points());
            parse_bytes(&ascii, base, literal.as_object())
        }
    }
}

/// `_PyLong_FromBytes`.
pub fn from_literal_bytes(literal: &[u8], base: u32) -> PyResult<Int> {
    match text::parse(literal, base, max_str_digits()) {
        Ok(parsed) => PyLongObject::from_digits(parsed.negative, &parsed.digits),
        Err(ParseError::TooManyDigits(n)) => Err(too_many_digits(n)),
        Err(ParseError::Huge { negative, values }) => super::pylong::from_decimal(negative, &values),
        Err(ParseError::Invalid) => {
            let shown = PyBytesObject::from_slice(&literal[..literal.len().min(200)]);
            Err(invalid_literal(base, shown.as_object()))
        }
    }
}

/// What `int(x)` does with an `x` that is no number: texts and buffers of text.
pub fn from_text_like(x: &PyObject) -> PyResult<Int> {
    if let Some(literal) = x.downcast::<PyUnicodeObject>() {
        return from_str_object(literal, 10);
    }
    if let Some(literal) = x.downcast::<PyBytesObject>() {
        return from_literal_bytes(literal.as_bytes(), 10);
    }
    if let Some(literal) = x.downcast::<PyByteArrayObject>() {
        return from_literal_bytes(literal.as_bytes(), 10);
    }
    if let Some(buffer) = numeric_text::buffer_text(x)? {
        return from_literal_bytes(&buffer, 10);
    }
    Err(raise!(
        TypeError,
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        x.ty().name()
    ))
}

/// `int(x, base)`.
fn from_text_with_base(x: &PyObject, base: &PyObject) -> PyResult<Int> {
    let base = base.to_index_saturating()?;
    if base != 0 && !(2..=36).contains(&base) {
        return Err(raise!(ValueError, "int() base must be >= 2 and <= 36, or 0"));
    }
    let base = base as u32;
    if let Some(literal) = x.downcast::<PyUnicodeObject>() {
        return from_str_object(literal, base);
    }
    if let Some(literal) = x.downcast::<PyBytesObject>() {
        return from_literal_bytes(literal.as_bytes(), base);
    }
    if let Some(literal) = x.downcast::<PyByteArrayObject>() {
        return from_literal_bytes(literal.as_bytes(), base);
    }
    Err(raise!(
        TypeError,
        "int() can't convert non-string with explicit base"
    ))
}

/// `int.__new__` for `cls`.
pub(super) fn new_int(cls: &PyTypeObject, x: Option<&PyObject>, base: Option<&PyObject>) -> PyResult<Int> {
    let value = match (x, base) {
        (None, None) => PyLongObject::from_i64(0),
        (None, Some(_)) => return Err(raise!(TypeError, "int() missing string argument")),
        (Some(x), None) => x.to_int()?,
        (Some(x), Some(base)) => from_text_with_base(x, base)?,
    };
    if std::ptr::eq(cls, &PyLong_Type) {
        Ok(value)
    } else {
        PyLongObject::new_subtype(cls, &value)
    }
}

/// The bytes that `int.from_bytes(source)` reads: what `bytes(source)` gives, but numbers and texts are refused.
pub(super) fn bytes_of(source: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    if let Some(bytes) = source.downcast_exact::<PyBytesObject>() {
        return Ok(bytes.to_ref());
    }
    if let Some(result) = source.call_special(identifier!("__bytes__"), &[])? {
        return result.downcast::<PyBytesObject>().map_err(|other| {
            raise!(
                TypeError,
                "__bytes__ returned non-bytes (type {})",
                other.ty().name()
            )
        });
    }
    crate::objects::bytesobject::from_object(source)
}
