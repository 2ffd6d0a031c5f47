//! JSON text -> objects: `scanstring` and the scanner that `json.decoder` makes. Generic over the kind of the text's characters.

use adder_runtime::memory::blank_header;
use adder_runtime::objects::dtoa;
use adder_runtime::objects::unicodeobject::CodeUnit;
use adder_runtime::per_kind;
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;
use std::cell::Cell;
use std::mem::offset_of;

/// Raises `json.decoder.JSONDecodeError(message, document, position)`.
#[cold]
fn decode_error(message: &str, document: &PyUnicodeObject, position: usize) -> Raised {
    let raise = || -> PyResult<Raised> {
        let class = adder_runtime::hooks::import_module("json.decoder")?.get_attr(identifier!("JSONDecodeError"))?;
        let message = PyUnicodeObject::from_str(message);
        let position = PyLongObject::from_usize(position);
        let exception = class.call(&[message.as_object(), document.as_object(), position.as_object()])?;
        Ok(adder_runtime::error::set_object(&class, Some(&exception)))
    };
    raise().unwrap_or_else(|raised| raised)
}

/// `StopIteration(position)`: there is no value at a place.
#[cold]
fn no_value(position: usize) -> Raised {
    let position = PyLongObject::from_usize(position);
    raise!(StopIteration, value => position.as_object())
}

#[inline(always)]
fn unit<T: CodeUnit>(text: &[T], at: usize) -> u32 {
    text.get(at).map_or(u32::MAX, |unit| (*unit).into())
}

fn four_hex_digits<T: CodeUnit>(text: &[T], at: usize) -> Option<u32> {
    let mut value = 0;
    for index in at..at + 4 {
        value = value * 16 + char::from_u32(unit(text, index))?.to_digit(16)?;
    }
    Some(value)
}

/// A string literal, from behind its opening quote: the string and where it ends.
fn string<T: CodeUnit>(
    document: &PyUnicodeObject,
    text: &[T],
    start: usize,
    strict: bool,
) -> PyResult<(Ref<PyUnicodeObject>, usize)> {
    let begin = start.wrapping_sub(1);
    let unterminated = || decode_error("Unterminated string starting at", document, begin);
    let mut writer: Option<adder_runtime::objects::unicodeobject::UnicodeWriter> = None;
    let mut at = start;
    loop {
        let chunk = at;
        loop {
            let code = unit(text, at);
            if code == u32::from(b'"') || code == u32::from(b'\\') {
                break;
            }
            if code == u32::MAX {
                return Err(unterminated());
            }
            if code <= 0x1f && strict {
                return Err(decode_error("Invalid control character at", document, at));
            }
            at += 1;
        }
        if unit(text, at) == u32::from(b'"') {
            return match writer {
                None => Ok((document.substring(chunk, at), at + 1)),
                Some(mut writer) => {
                    writer.push_range(document, chunk, at);
                    Ok((writer.finish()?, at + 1))
                }
            };
        }
        let writer = writer.get_or_insert_with(Default::default);
        writer.push_range(document, chunk, at);
        at += 1;
        let escape = unit(text, at);
        if escape == u32::MAX {
            return Err(unterminated());
        }
        at += 1;
        let mut code = match u8::try_from(escape) {
            Ok(b'"' | b'\\' | b'/') => escape,
            Ok(b'b') => 8,
            Ok(b'f') => 12,
            Ok(b'n') => 10,
            Ok(b'r') => 13,
            Ok(b't') => 9,
            Ok(b'u') => {
                let Some(code) = four_hex_digits(text, at) else {
                    return Err(decode_error("Invalid \\uXXXX escape", document, at - 1));
                };
                at += 4;
                code
            }
            _ => return Err(decode_error("Invalid \\escape", document, at - 2)),
        };
        if escape == u32::from(b'u')
            && (0xd800..0xdc00).contains(&code)
            && unit(text, at) == u32::from(b'\\')
            && unit(text, at + 1) == u32::from(b'u')
        {
            let Some(low) = four_hex_digits(text, at + 2) else {
                return Err(decode_error("Invalid \\uXXXX escape", document, at + 1));
            };
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
                at += 6;
            }
        }
        writer.push(code);
    }
}

/// `_json.scanstring`.
pub fn scanstring(document: &PyObject, end: isize, strict: bool) -> PyResult<(Ref<PyUnicodeObject>, usize)> {
    let Some(text) = document.downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "first argument must be a string, not {}", document.ty().name()));
    };
    match usize::try_from(end) {
        Ok(start) if start <= text.len() => {
            per_kind!(text.data(), units => string(text, units, start, strict))
        }
        _ => Err(raise!(ValueError, "end is out of bounds")),
    }
}

#[repr(C)]
pub struct Scanner {
    ob_base: PyObject,
    strict: Cell<u8>,
    object_hook: Cell<*mut PyObject>,
    object_pairs_hook: Cell<*mut PyObject>,
    parse_float: Cell<*mut PyObject>,
    parse_int: Cell<*mut PyObject>,
    parse_constant: Cell<*mut PyObject>,
}

impl Scanner {
    fn fields(&self) -> [&Cell<*mut PyObject>; 5] {
        [&self.object_hook, &self.object_pairs_hook, &self.parse_float, &self.parse_int, &self.parse_constant]
    }
    /// What a field holds; `None` counts as nothing.
    fn hook(field: &Cell<*mut PyObject>) -> Option<Ref> {
        // SAFETY: the field owns an object or is null.
        unsafe { Ref::from_borrowed_opt(field.get()) }.filter(|object| !is_none(object))
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        for field in self.fields() {
            // SAFETY: the field owned its object.
            drop(unsafe { Ref::from_owned_opt(field.replace(std::ptr::null_mut())) });
        }
    }
}

/// One scan of a document.
struct Scan<'a, T> {
    document: &'a PyUnicodeObject,
    text: &'a [T],
    strict: bool,
    object_hook: Option<Ref>,
    object_pairs_hook: Option<Ref>,
    /// `None` when it is `float` itself.
    parse_float: Option<Ref>,
    /// `None` when it is `int` itself.
    parse_int: Option<Ref>,
    parse_constant: Option<Ref>,
    /// Keys that were seen: equal keys are one object.
    memo: Ref<PyDictObject>,
}

impl<T: CodeUnit> Scan<'_, T> {
    #[inline(always)]
    fn at(&self, index: usize) -> u32 {
        unit(self.text, index)
    }
    #[inline(always)]
    fn is(&self, index: usize, byte: u8) -> bool {
        self.at(index) == u32::from(byte)
    }
    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.at(at), 0x20 | 0x09 | 0x0a | 0x0d) {
            at += 1;
        }
        at
    }
    fn literal(&self, at: usize, word: &[u8]) -> bool {
        word.iter().enumerate().all(|(index, byte)| self.is(at + index, *byte))
    }
    fn constant(&self, name: &str, end: usize) -> PyResult<(Ref, usize)> {
        let name = PyUnicodeObject::from_str(name);
        let function = self.parse_constant.as_deref().unwrap_or(none());
        Ok((function.call1(name.as_object())?, end))
    }
    /// The value that begins at a place, and where it ends.
    fn value(&self, at: usize) -> PyResult<(Ref, usize)> {
        let Ok(first) = u8::try_from(self.at(at)) else { return Err(no_value(at)) };
        match first {
            b'"' => {
                let (text, end) = string(self.document, self.text, at + 1, self.strict)?;
                Ok((text.into_object(), end))
            }
            b'{' => {
                enter_native_call(" while decoding a JSON object from a unicode string")?;
                self.object(at + 1)
            }
            b'[' => {
                enter_native_call(" while decoding a JSON array from a unicode string")?;
                self.array(at + 1)
            }
            b'n' if self.literal(at, b"null") => Ok((none_ref(), at + 4)),
            b't' if self.literal(at, b"true") => Ok((true_().to_ref(), at + 4)),
            b'f' if self.literal(at, b"false") => Ok((false_().to_ref(), at + 5)),
            b'N' if self.literal(at, b"NaN") => self.constant("NaN", at + 3),
            b'I' if self.literal(at, b"Infinity") => self.constant("Infinity", at + 8),
            b'-' if self.literal(at, b"-Infinity") => self.constant("-Infinity", at + 9),
            _ => self.number(at),
        }
    }
    fn digits(&self, mut at: usize) -> usize {
        while (u32::from(b'0')..=u32::from(b'9')).contains(&self.at(at)) {
            at += 1;
        }
        at
    }
    fn number(&self, start: usize) -> PyResult<(Ref, usize)> {
        let mut at = start + usize::from(self.is(start, b'-'));
        let after_digits = self.digits(at);
        if after_digits == at {
            return Err(no_value(start));
        }
        // A leading zero is a number of its own.
        at = if self.is(at, b'0') { at + 1 } else { after_digits };
        let mut is_float = false;
        if self.is(at, b'.') {
            let end = self.digits(at + 1);
            if end > at + 1 {
                is_float = true;
                at = end;
            }
        }
        if self.is(at, b'e') || self.is(at, b'E') {
            let digits = at + 1 + usize::from(self.is(at + 1, b'-') || self.is(at + 1, b'+'));
            let end = self.digits(digits);
            if end > digits {
                is_float = true;
                at = end;
            }
        }
        let custom = if is_float { &self.parse_float } else { &self.parse_int };
        if let Some(function) = custom {
            return Ok((function.call1(self.document.substring(start, at).as_object())?, at));
        }
        if !is_float && at - start <= 18 {
            let negative = self.is(start, b'-');
            let magnitude = self.text[start + usize::from(negative)..at]
                .iter()
                .fold(0i64, |value, digit| value * 10 + i64::from((*digit).into() - u32::from(b'0')));
            return Ok((PyLongObject::from_i64(if negative { -magnitude } else { magnitude }).into_object(), at));
        }
        let literal: Vec<u8> = self.text[start..at].iter().map(|unit| (*unit).into() as u8).collect();
        if is_float {
            let value = dtoa::parse_double(&literal).unwrap_or(f64::NAN);
            return Ok((PyFloatObject::from_f64(value).into_object(), at));
        }
        let text = PyUnicodeObject::from_latin1(&literal);
        Ok((adder_runtime::objects::longobject::new::from_str_object(&text, 10)?.into_object(), at))
    }
    fn array(&self, start: usize) -> PyResult<(Ref, usize)> {
        let list = PyListObject::new();
        let mut at = self.skip_space(start);
        if self.is(at, b']') {
            return Ok((list.into_object(), at + 1));
        }
        loop {
            let (value, end) = self.value(at)?;
            list.try_push(value)?;
            at = self.skip_space(end);
            if self.is(at, b']') {
                return Ok((list.into_object(), at + 1));
            }
            if !self.is(at, b',') {
                return Err(decode_error("Expecting ',' delimiter", self.document, at));
            }
            let comma = at;
            at = self.skip_space(at + 1);
            if self.is(at, b']') {
                return Err(decode_error("Illegal trailing comma before end of array", self.document, comma));
            }
        }
    }
    fn object(&self, start: usize) -> PyResult<(Ref, usize)> {
        let pairs = self.object_pairs_hook.is_some().then(PyListObject::new);
        let dict = PyDictObject::new();
        let mut at = self.skip_space(start);
        if !self.is(at, b'}') {
            loop {
                if !self.is(at, b'"') {
                    let message = "Expecting property name enclosed in double quotes";
                    return Err(decode_error(message, self.document, at));
                }
                let (key, end) = string(self.document, self.text, at + 1, self.strict)?;
                let (key, _) = self.memo.set_default(key.as_object(), key.as_object())?;
                at = self.skip_space(end);
                if !self.is(at, b':') {
                    return Err(decode_error("Expecting ':' delimiter", self.document, at));
                }
                at = self.skip_space(at + 1);
                let (value, end) = self.value(at)?;
                match &pairs {
                    Some(pairs) => pairs.try_push(PyTupleObject::from_vec(vec![key, value]).into_object())?,
                    None => dict.set_owned(&key, value)?,
                }
                at = self.skip_space(end);
                if self.is(at, b'}') {
                    break;
                }
                if !self.is(at, b',') {
                    return Err(decode_error("Expecting ',' delimiter", self.document, at));
                }
                let comma = at;
                at = self.skip_space(at + 1);
                if self.is(at, b'}') {
                    return Err(decode_error("Illegal trailing comma before end of object", self.document, comma));
                }
            }
        }
        let end = at + 1;
        if let (Some(hook), Some(pairs)) = (&self.object_pairs_hook, pairs) {
            return Ok((hook.call1(pairs.as_object())?, end));
        }
        match &self.object_hook {
            Some(hook) => Ok((hook.call1(dict.as_object())?, end)),
            None => Ok((dict.into_object(), end)),
        }
    }
}

#[pytype(
    name = "_json.Scanner",
    static_name = SCANNER_TYPE,
    flags = HAVE_GC,
    members = [
        ("strict", Py_T_BOOL, offset_of!(Scanner, strict), Py_READONLY, "strict"),
        ("object_hook", Py_T_OBJECT_EX, offset_of!(Scanner, object_hook), Py_READONLY, "object_hook"),
        ("object_pairs_hook", Py_T_OBJECT_EX, offset_of!(Scanner, object_pairs_hook), Py_READONLY),
        ("parse_float", Py_T_OBJECT_EX, offset_of!(Scanner, parse_float), Py_READONLY, "parse_float"),
        ("parse_int", Py_T_OBJECT_EX, offset_of!(Scanner, parse_int), Py_READONLY, "parse_int"),
        ("parse_constant", Py_T_OBJECT_EX, offset_of!(Scanner, parse_constant), Py_READONLY, "parse_constant"),
    ],
)]
/// JSON scanner object
impl Scanner {
    #[new("(context)")]
    fn new(cls: &PyTypeObject, context: &PyObject) -> PyResult<Ref<Scanner>> {
        let attribute = |name: &str| -> PyResult<Cell<*mut PyObject>> {
            Ok(Cell::new(context.get_attr_str(name)?.into_raw()))
        };
        let strict = context.get_attr(identifier!("strict"))?.is_true()?;
        let empty = || Cell::new(std::ptr::null_mut());
        let mut scanner = Scanner {
            ob_base: blank_header(),
            strict: Cell::new(u8::from(strict)),
            object_hook: empty(),
            object_pairs_hook: empty(),
            parse_float: empty(),
            parse_int: empty(),
            parse_constant: empty(),
        };
        scanner.object_hook = attribute("object_hook")?;
        scanner.object_pairs_hook = attribute("object_pairs_hook")?;
        scanner.parse_float = attribute("parse_float")?;
        scanner.parse_int = attribute("parse_int")?;
        scanner.parse_constant = attribute("parse_constant")?;
        Ref::new_in(cls, scanner)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for field in self.fields() {
            let status = visitor.visit(field.get());
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        for field in self.fields() {
            // SAFETY: the field owned its object.
            drop(unsafe { Ref::from_owned_opt(field.replace(std::ptr::null_mut())) });
        }
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let (document, index) = super::two_arguments("scan_once", ["string", "idx"], args, kwargs)?;
        let index = index.to_index(adder_runtime::exceptions::exc::OverflowError)?;
        let Some(text) = document.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "first argument must be a string, not {}", document.ty().name()));
        };
        let Ok(index) = usize::try_from(index) else {
            return Err(raise!(ValueError, "idx cannot be negative"));
        };
        let parser = |field: &Cell<*mut PyObject>, builtin: &PyTypeObject| {
            Scanner::hook(field).filter(|function| !function.is(builtin.as_object()))
        };
        let (value, end) = per_kind!(text.data(), units => {
            Scan {
                document: text,
                text: units,
                strict: self.strict.get() != 0,
                object_hook: Scanner::hook(&self.object_hook),
                object_pairs_hook: Scanner::hook(&self.object_pairs_hook),
                parse_float: parser(&self.parse_float, PyFloatObject::type_object()),
                parse_int: parser(&self.parse_int, PyLongObject::type_object()),
                parse_constant: Scanner::hook(&self.parse_constant),
                memo: PyDictObject::new(),
            }
            .value(index)?
        });
        Ok(PyTupleObject::from_vec(vec![value, PyLongObject::from_usize(end).into_object()]).into_object())
    }
}
