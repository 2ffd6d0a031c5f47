//! Methods of `str`, `bytes` and `bytearray` against what CPython 3.14 answered: `strings/cases.txt`, made by
//! `strings/cases.py`. A line is receiver, method, arguments, answer, with tabs between.

use adder_runtime::objects::codecs::escape::{decode_bytes_escape, decode_unicode_escape};
use adder_runtime::prelude::*;

/// A thread state, and the types that the cases need.
fn start() {
    let state = adder_runtime::thread::new_thread_state();
    adder_runtime::thread::set_current(state);
    adder_runtime::thread::acquire_gil(state);
    adder_runtime::thread::init_native_thread(state);
    adder_runtime::types::registry::ready_all().expect("the built-in types are ready");
    adder_runtime::exceptions::init().expect("the exceptions are ready");
}

/// Reads the literals of a case.
struct Literals<'a> {
    rest: &'a str,
}

impl Literals<'_> {
    fn eat(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start_matches(' ');
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
    fn items(&mut self, close: &str) -> Vec<Ref> {
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value());
            self.eat(",");
        }
        items
    }
    fn quoted(&mut self) -> Vec<u8> {
        let quote = self.rest.as_bytes()[0];
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        while bytes[at] != quote {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let inner = bytes[1..at].to_vec();
        self.rest = &self.rest[at + 1..];
        inner
    }
    fn value(&mut self) -> Ref {
        for (name, object) in [("None", none()), ("True", true_()), ("False", false_())] {
            if self.eat(name) {
                return object.to_ref();
            }
        }
        if self.eat("bytearray(") {
            let bytes = self.value();
            assert!(self.eat(")"));
            let bytes = bytes.as_object().downcast::<PyBytesObject>().expect("bytes");
            return PyByteArrayObject::from_slice(bytes.as_bytes()).into_object();
        }
        if self.eat("slice(") {
            let parts = self.items(")");
            return PySliceObject::new_slice(Some(&*parts[0]), Some(&*parts[1]), Some(&*parts[2]))
                .expect("a slice")
                .into_object();
        }
        if self.eat("(") {
            return PyTupleObject::from_vec(self.items(")")).into_object();
        }
        if self.eat("[") {
            return PyListObject::from_vec(self.items("]")).into_object();
        }
        if self.eat("{") {
            let dict = PyDictObject::new();
            while !self.eat("}") {
                let key = self.value();
                assert!(self.eat(":"));
                dict.set(&key, &self.value()).expect("a key");
                self.eat(",");
            }
            return dict.into_object();
        }
        if self.eat("b'") || self.eat("b\"") {
            let text = self.rest;
            // The quote was eaten with the letter: read on behind it.
            let quote_at = text.as_ptr() as usize - 1;
            // SAFETY: one byte back, still within the line.
            self.rest = unsafe {
                std::str::from_utf8_unchecked(std::slice::from_raw_parts(
                    quote_at as *const u8,
                    text.len() + 1,
                ))
            };
            let inner = self.quoted();
            return PyBytesObject::from_vec(decode_bytes_escape(&inner, "strict").expect("a literal"))
                .into_object();
        }
        self.rest = self.rest.trim_start_matches(' ');
        if self.rest.starts_with(['\'', '"']) {
            let inner = self.quoted();
            return decode_unicode_escape(&inner, "strict", true)
                .expect("a literal")
                .0
                .into_object();
        }
        let len = self
            .rest
            .find(|c: char| !c.is_ascii_digit() && !"-+.e".contains(c))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(len);
        assert!(len > 0, "no literal: {}", self.rest);
        self.rest = rest;
        match number.parse::<i64>() {
            Ok(number) => PyLongObject::from_i64(number).into_object(),
            Err(_) => PyFloatObject::from_f64(number.parse().expect("a number")).into_object(),
        }
    }
}

/// The functions of `_codecs`, which begin with the name of an encoding.
fn codec(receiver: &PyObject, method: &str, args: &[&PyObject]) -> Option<PyResult> {
    use adder_runtime::objects::codecs::errors::Order;
    use adder_runtime::objects::codecs::*;
    let text = |idx: usize| {
        args.get(idx)
            .and_then(|arg| arg.downcast::<PyUnicodeObject>()?.as_str())
    };
    let errors = text(0).unwrap_or("strict");
    let is_final = args.get(1).is_some_and(|arg| arg.is(true_()));
    let pair = |decoded: PyResult<Decoded>| {
        decoded.map(|(text, n_taken)| {
            let n_taken = PyLongObject::from_usize(n_taken).into_object();
            PyTupleObject::from_vec(vec![text.into_object(), n_taken]).into_object()
        })
    };
    if let Some(bytes) = receiver.downcast::<PyBytesObject>().map(|bytes| bytes.as_bytes()) {
        let (le, be) = (Some(Order::Little), Some(Order::Big));
        let run = |run: Vec<u8>| {
            let taken = PyLongObject::from_usize(bytes.len()).into_object();
            Ok(
                PyTupleObject::from_vec(vec![PyBytesObject::from_vec(run).into_object(), taken])
                    .into_object(),
            )
        };
        return Some(match method {
            "utf_7_decode" => pair(utf_7::decode(bytes, errors, is_final)),
            "utf_8_decode" => pair(utf_8::decode(bytes, errors, is_final)),
            "utf_16_decode" => {
                pair(utf_16_32::decode_16(bytes, errors, None, is_final).map(|decoded| decoded.0))
            }
            "utf_16_le_decode" => {
                pair(utf_16_32::decode_16(bytes, errors, le, is_final).map(|decoded| decoded.0))
            }
            "utf_16_be_decode" => {
                pair(utf_16_32::decode_16(bytes, errors, be, is_final).map(|decoded| decoded.0))
            }
            "utf_32_decode" => {
                pair(utf_16_32::decode_32(bytes, errors, None, is_final).map(|decoded| decoded.0))
            }
            "utf_32_le_decode" => {
                pair(utf_16_32::decode_32(bytes, errors, le, is_final).map(|decoded| decoded.0))
            }
            "unicode_escape_decode" => pair(escape::decode_unicode_escape(bytes, errors, is_final)),
            "raw_unicode_escape_decode" => pair(escape::decode_raw_unicode_escape(bytes, errors, is_final)),
            "escape_decode" => escape::decode_bytes_escape(bytes, errors).and_then(run),
            "escape_encode" => run(escape::encode_bytes_escape(bytes)),
            "charmap_decode" => {
                pair(charmap::decode(bytes, errors, args.get(1).copied()).map(|text| (text, bytes.len())))
            }
            _ => return None,
        });
    }
    let text = receiver.downcast::<PyUnicodeObject>()?;
    let bytes = match method {
        "utf_7_encode" => Ok(utf_7::encode(text)),
        "utf_8_encode" => utf_8::encode(text, errors),
        "utf_16_encode" => utf_16_32::encode_16(text, errors, None),
        "utf_16_le_encode" => utf_16_32::encode_16(text, errors, Some(Order::Little)),
        "utf_16_be_encode" => utf_16_32::encode_16(text, errors, Some(Order::Big)),
        "utf_32_encode" => utf_16_32::encode_32(text, errors, None),
        "utf_32_le_encode" => utf_16_32::encode_32(text, errors, Some(Order::Little)),
        "latin_1_encode" => single_byte::encode(text, errors, single_byte::Limit::Latin1),
        "ascii_encode" => single_byte::encode(text, errors, single_byte::Limit::Ascii),
        "unicode_escape_encode" => Ok(escape::encode_unicode_escape(text)),
        "raw_unicode_escape_encode" => Ok(escape::encode_raw_unicode_escape(text)),
        "charmap_encode" => charmap::encode(text, errors, args[1]),
        _ => return None,
    };
    Some(bytes.map(|bytes| {
        let len = PyLongObject::from_usize(text.len()).into_object();
        PyTupleObject::from_vec(vec![bytes.into_object(), len]).into_object()
    }))
}

fn answer(receiver: &PyObject, method: &str, args: &PyTupleObject) -> String {
    let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(method));
    let result = match codec(receiver, method, args.as_slice()) {
        Some(result) => result,
        None => receiver.call_method(&name, args.as_slice()),
    };
    let shown = result.and_then(|result| result.ascii());
    match shown {
        Ok(shown) if receiver.downcast::<PyByteArrayObject>().is_some() => {
            let after = receiver.ascii().expect("a repr");
            format!("{} | {}", shown.to_string_lossy(), after.to_string_lossy())
        }
        Ok(shown) => shown.to_string_lossy(),
        Err(raised) => {
            let error = raised.take();
            let text = error
                .str()
                .and_then(|text| text.as_object().ascii())
                .expect("a message");
            format!("{}: {}", error.ty().name(), text.to_string_lossy())
        }
    }
}

#[test]
fn methods_answer_as_cpython() {
    start();
    let cases = include_str!("strings/cases.txt");
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let [receiver, method, args, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not a case: {line}")
        };
        let receiver = Literals { rest: receiver }.value();
        let args = Literals { rest: args }.value();
        let args = args.as_object().downcast::<PyTupleObject>().expect("a tuple");
        let got = answer(&receiver, method, args);
        if got != expected {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    let n_cases = cases.lines().count();
    assert!(
        wrong.is_empty(),
        "{} of {n_cases} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(80)].join("\n")
    );
}
