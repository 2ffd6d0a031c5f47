//! Formats of plain values against CPython's answers.

use super::*;

fn points(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

fn shown<T: Into<Formatted>>(result: Result<T, FormatError>) -> String {
    match result.map(T::into) {
        Ok(Formatted::Ascii(text)) => text,
        Ok(Formatted::Points(points)) => points.into_iter().filter_map(char::from_u32).collect(),
        Err(FormatError::Value(message)) => format!("ValueError: {message}"),
        Err(FormatError::Overflow(message)) => format!("OverflowError: {message}"),
        Err(FormatError::Memory) => "MemoryError".to_owned(),
    }
}

fn float(value: f64, spec: &str) -> String {
    shown(float_value(value, &points(spec), &"float"))
}

fn int(value: i64, spec: &str) -> String {
    let (buffer, n) = digits::from_u64(value.unsigned_abs());
    let magnitude = &buffer[..n];
    shown(int_value(
        value < 0,
        magnitude,
        &points(spec),
        &"int",
        || Ok(text::decimal(magnitude)),
        || Ok(value as f64),
    ))
}

#[test]
fn floats() {
    for (value, spec, expected) in FLOATS {
        assert_eq!(float(*value, spec), *expected, "format({value:?}, {spec:?})");
    }
}

#[test]
fn ints() {
    for (value, spec, expected) in INTS {
        assert_eq!(int(*value, spec), *expected, "format({value:?}, {spec:?})");
    }
}

#[test]
fn complexes() {
    for (real, imag, spec, expected) in COMPLEXES {
        let found = shown(complex_value((*real, *imag), &points(spec), &"complex"));
        assert_eq!(found, *expected, "format({real:?}+{imag:?}j, {spec:?})");
    }
}

#[test]
fn texts() {
    for (value, spec, expected) in TEXTS {
        let found = shown(text_value(&points(value), &points(spec), &"str"));
        assert_eq!(found, *expected, "format({value:?}, {spec:?})");
    }
}

include!("cases.in");
