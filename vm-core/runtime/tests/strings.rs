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

fn answer(receiver: &PyObject, method: &str, args: &PyTupleObject) -> String {
    let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(method));
    let shown = receiver
        .call_method(&name, args.as_slice())
        .and_then(|result| result.ascii());
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
