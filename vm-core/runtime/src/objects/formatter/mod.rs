//! Values and format specifications -> text: what `format()` and `__format__` of str, int, float and complex do.
//!
//! `spec` reads the mini language, `number` lays a number's parts out; here each type's rules (PEP 3101, PEP 378,
//! PEP 515, PEP 682). The functions on plain values are pure; `format_*` at the end take objects. Tests: `tests.rs`.

pub mod number;
pub mod spec;
#[cfg(test)]
mod tests;

use super::dtoa::{self, DTSF_ADD_DOT_0, DTSF_ALT, DTSF_NO_NEG_0};
use super::longobject::{digits, text};
use crate::prelude::*;
use number::{CodePoints, Locale, Parts};
use spec::{Grouping, Spec};
use std::fmt::{self, Display};

/// Why a value cannot be formatted.
#[derive(Debug, PartialEq, Eq)]
pub enum FormatError {
    Value(String),
    Overflow(String),
    /// No text of that length can be.
    Memory,
}

/// A formatted number.
#[derive(Debug, PartialEq, Eq)]
pub enum Formatted {
    Ascii(String),
    Points(CodePoints),
}

impl From<CodePoints> for Formatted {
    fn from(points: CodePoints) -> Formatted {
        Formatted::Points(points)
    }
}

impl Formatted {
    fn finish(self) -> Ref<PyUnicodeObject> {
        match self {
            Formatted::Ascii(text) => PyUnicodeObject::from_ascii(text.as_bytes()),
            Formatted::Points(points) => PyUnicodeObject::from_code_points(&points),
        }
    }
}

impl FormatError {
    pub fn value(message: impl Into<String>) -> FormatError {
        FormatError::Value(message.into())
    }
    /// Sets the exception.
    pub fn raise(self) -> Raised {
        match self {
            FormatError::Value(message) => raise!(ValueError, "{message}"),
            FormatError::Overflow(message) => raise!(OverflowError, "{message}"),
            FormatError::Memory => crate::memory::no_memory(),
        }
    }
}

fn unknown_code(kind: u32, type_name: &dyn Display) -> FormatError {
    if (33..128).contains(&kind) {
        let kind = kind as u8 as char;
        FormatError::value(format!(
            "Unknown format code '{kind}' for object of type '{type_name}'"
        ))
    } else {
        FormatError::value(format!(
            "Unknown format code '\\x{kind:x}' for object of type '{type_name}'"
        ))
    }
}

/// Whether the specification's type is one of these characters.
fn kind_in(spec: &Spec, kinds: &[u8]) -> bool {
    kinds.iter().any(|kind| u32::from(*kind) == spec.kind)
}

/// Formats a text.
pub fn text_value(
    value: &[u32],
    spec_text: &[u32],
    type_name: &dyn Display,
) -> Result<CodePoints, FormatError> {
    let spec = spec::parse(spec_text, type_name, b's', b'<')?;
    if !kind_in(&spec, b"s") {
        return Err(unknown_code(spec.kind, type_name));
    }
    if spec.sign != 0 {
        let what = if spec.sign == b' ' { "Space" } else { "Sign" };
        return Err(FormatError::value(format!(
            "{what} not allowed in string format specifier"
        )));
    }
    if spec.no_negative_zero {
        return Err(FormatError::value(
            "Negative zero coercion (z) not allowed in string format specifier",
        ));
    }
    if spec.alternate {
        return Err(FormatError::value(
            "Alternate form (#) not allowed in string format specifier",
        ));
    }
    if spec.align == b'=' {
        return Err(FormatError::value(
            "'=' alignment not allowed in string format specifier",
        ));
    }
    let len = spec
        .precision
        .map_or(value.len(), |precision| precision.min(value.len()));
    Ok(number::pad(value[..len].to_vec(), &spec))
}

/// Formats an integer; `to_double` gives its value as a double, for the float types.
pub fn int_value<E: From<FormatError>>(
    negative: bool,
    magnitude: &[u32],
    spec_text: &[u32],
    type_name: &dyn Display,
    to_decimal: impl FnOnce() -> Result<String, E>,
    to_double: impl FnOnce() -> Result<f64, E>,
) -> Result<Formatted, E> {
    let spec = spec::parse(spec_text, type_name, b'd', b'>')?;
    if kind_in(&spec, b"eEfFgG%") {
        return Ok(float_with_spec(to_double()?, spec)?);
    }
    if !kind_in(&spec, b"bcdoxXn") {
        return Err(unknown_code(spec.kind, type_name).into());
    }
    if spec.precision.is_some() {
        return Err(FormatError::value("Precision not allowed in integer format specifier").into());
    }
    if spec.no_negative_zero {
        return Err(
            FormatError::value("Negative zero coercion (z) not allowed in integer format specifier").into(),
        );
    }
    if kind_in(&spec, b"c") {
        return Ok(character(negative, magnitude, spec)?.into());
    }
    let kind = spec.kind as u8;
    let (body, prefix) = match kind {
        b'b' => (text::power_of_two(magnitude, 1, false), "0b"),
        b'o' => (text::power_of_two(magnitude, 3, false), "0o"),
        b'x' => (text::power_of_two(magnitude, 4, false), "0x"),
        b'X' => (text::power_of_two(magnitude, 4, true), "0X"),
        _ => (to_decimal()?, ""),
    };
    if spec.is_plain() {
        let sign = if negative { "-" } else { "" };
        let prefix = if spec.alternate { prefix } else { "" };
        return Ok(Formatted::Ascii(format!("{sign}{prefix}{body}")));
    }
    let locale = Locale::of(if kind == b'n' {
        Grouping::Locale
    } else {
        spec.grouping
    });
    let prefix = if spec.alternate { prefix } else { "" };
    let parts = Parts {
        negative,
        prefix,
        digits: &body,
        ..Parts::default()
    };
    Ok(number::layout(&parts, &spec, &locale).into())
}

fn character(negative: bool, magnitude: &[u32], mut spec: Spec) -> Result<CodePoints, FormatError> {
    if spec.sign != 0 {
        return Err(FormatError::value(
            "Sign not allowed with integer format specifier 'c'",
        ));
    }
    if spec.alternate {
        return Err(FormatError::value(
            "Alternate form (#) not allowed with integer format specifier 'c'",
        ));
    }
    let fits_long =
        digits::to_u64(magnitude).is_some_and(|value| value <= i64::MAX as u64 + u64::from(negative));
    if !fits_long {
        return Err(FormatError::Overflow(
            "Python int too large to convert to C long".into(),
        ));
    }
    match digits::to_u64(magnitude) {
        Some(c @ 0..=0x10ffff) if !negative || c == 0 => {
            if spec.align == b'=' {
                spec.align = b'>';
            }
            Ok(number::pad(vec![c as u32], &spec))
        }
        _ => Err(FormatError::Overflow("%c arg not in range(0x110000)".into())),
    }
}

/// Formats a double.
pub fn float_value(value: f64, spec_text: &[u32], type_name: &dyn Display) -> Result<Formatted, FormatError> {
    let spec = spec::parse(spec_text, type_name, 0, b'>')?;
    if !kind_in(&spec, b"\0eEfFgGn%") {
        return Err(unknown_code(spec.kind, type_name));
    }
    float_with_spec(value, spec)
}

fn checked_precision(spec: &Spec) -> Result<Option<usize>, FormatError> {
    match spec.precision {
        Some(precision) if precision > dtoa::MAX_PRECISION => Err(FormatError::value("precision too big")),
        Some(precision) => has_room(precision).map(|()| Some(precision)),
        precision => Ok(precision),
    }
}

/// There is room for the working copies of so many characters.
pub(super) fn has_room(n_chars: usize) -> Result<(), FormatError> {
    let n_bytes = n_chars.saturating_mul(2 * size_of::<u32>());
    crate::memory::ensure_room(n_bytes).map_err(|raised| {
        raised.clear();
        FormatError::Memory
    })
}

fn dtsf_flags(spec: &Spec) -> u32 {
    let mut flags = 0;
    if spec.alternate {
        flags |= DTSF_ALT;
    }
    if spec.no_negative_zero {
        flags |= DTSF_NO_NEG_0;
    }
    flags
}

fn float_with_spec(mut value: f64, spec: Spec) -> Result<Formatted, FormatError> {
    let precision = checked_precision(&spec)?;
    let mut flags = dtsf_flags(&spec);
    let mut code = spec.kind as u8 as char;
    let mut grouping = spec.grouping;
    let mut default_precision = 6;
    let percent = code == '%';
    match code {
        '\0' => {
            flags |= DTSF_ADD_DOT_0;
            code = if precision.is_some() { 'g' } else { 'r' };
            default_precision = 0;
        }
        'n' => {
            code = 'g';
            grouping = Grouping::Locale;
        }
        '%' => {
            code = 'f';
            value *= 100.0;
        }
        _ => {}
    }
    let mut body = dtoa::double_to_string(value, code, precision.unwrap_or(default_precision), flags);
    if percent {
        body.push('%');
    }
    if spec.is_plain() {
        return Ok(Formatted::Ascii(body));
    }
    Ok(number::layout(&Parts::of_float(&body), &spec, &Locale::of(grouping)).into())
}

/// Formats a complex number.
pub fn complex_value(
    (real, imag): (f64, f64),
    spec_text: &[u32],
    type_name: &dyn Display,
) -> Result<CodePoints, FormatError> {
    let spec = spec::parse(spec_text, type_name, 0, b'>')?;
    if !kind_in(&spec, b"\0eEfFgGn") {
        return Err(unknown_code(spec.kind, type_name));
    }
    let precision = checked_precision(&spec)?;
    if spec.fill == u32::from(b'0') {
        return Err(FormatError::value(
            "Zero padding is not allowed in complex format specifier",
        ));
    }
    if spec.align == b'=' {
        return Err(FormatError::value(
            "'=' alignment flag is not allowed in complex format specifier",
        ));
    }
    let mut code = spec.kind as u8 as char;
    let mut grouping = spec.grouping;
    let mut default_precision = 6;
    let mut skip_real = false;
    let mut parentheses = false;
    match code {
        '\0' => {
            code = if precision.is_some() { 'g' } else { 'r' };
            default_precision = 0;
            skip_real = real == 0.0 && real.is_sign_positive();
            parentheses = !skip_real;
        }
        'n' => {
            code = 'g';
            grouping = Grouping::Locale;
        }
        _ => {}
    }
    let precision = precision.unwrap_or(default_precision);
    let locale = Locale::of(grouping);
    let part_spec = Spec {
        fill: 0,
        align: b'<',
        width: None,
        ..spec
    };
    let part = |value: f64, sign: u8| {
        let body = dtoa::double_to_string(value, code, precision, dtsf_flags(&spec));
        number::layout(&Parts::of_float(&body), &Spec { sign, ..part_spec }, &locale)
    };
    let mut text = CodePoints::new();
    if parentheses {
        text.push(b'('.into());
    }
    if skip_real {
        text.extend(part(imag, spec.sign));
    } else {
        text.extend(part(real, spec.sign));
        text.extend(part(imag, b'+'));
    }
    text.push(b'j'.into());
    if parentheses {
        text.push(b')'.into());
    }
    Ok(number::pad(text, &spec))
}

/// The specification's code points, on the stack when it is short.
fn with_spec<T>(spec: &PyUnicodeObject, f: impl FnOnce(&[u32]) -> T) -> T {
    let mut buffer = [0; 32];
    if spec.len() > buffer.len() {
        return f(&spec.code_points().collect::<Vec<_>>());
    }
    let mut n = 0;
    for c in spec.code_points() {
        buffer[n] = c;
        n += 1;
    }
    f(&buffer[..n])
}

/// An object's type's name, made only for a message.
struct TypeName<'a>(&'a PyObject);

impl Display for TypeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.ty().name())
    }
}

impl From<FormatError> for Raised {
    fn from(error: FormatError) -> Raised {
        error.raise()
    }
}

/// `str.__format__`.
pub fn format_str(value: &PyUnicodeObject, spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    if spec.is_empty() {
        return value.as_object().str();
    }
    let points: Vec<u32> = value.code_points().collect();
    let type_name = &TypeName(value.as_object());
    with_spec(spec, |spec| {
        let formatted = text_value(&points, spec, type_name)?;
        // Nothing was added or cut: the text itself.
        if formatted == points {
            return Ok(value.to_exact());
        }
        Ok(PyUnicodeObject::from_code_points(&formatted))
    })
}

/// `int.__format__`.
pub fn format_int(value: &PyLongObject, spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    if spec.is_empty() {
        return value.as_object().str();
    }
    let type_name = &TypeName(value.as_object());
    let view = value.view();
    let to_decimal = || {
        value
            .to_decimal_string()
            .map(|text| text.trim_start_matches('-').to_string())
    };
    with_spec(spec, |spec| {
        int_value::<Raised>(view.negative, view.digits, spec, type_name, to_decimal, || {
            value.to_f64()
        })
        .map(Formatted::finish)
    })
}

/// `float.__format__`.
pub fn format_float(value: &PyFloatObject, spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    if spec.is_empty() {
        return value.as_object().str();
    }
    let type_name = &TypeName(value.as_object());
    with_spec(spec, |spec| {
        Ok(float_value(value.value(), spec, type_name)?.finish())
    })
}

/// `complex.__format__`.
pub fn format_complex(value: &PyComplexObject, spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    if spec.is_empty() {
        return value.as_object().str();
    }
    let type_name = &TypeName(value.as_object());
    with_spec(spec, |spec| {
        Ok(PyUnicodeObject::from_code_points(&complex_value(
            value.value(),
            spec,
            type_name,
        )?))
    })
}
