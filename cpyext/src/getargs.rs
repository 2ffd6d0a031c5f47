//! modsupport.h, reading side: argument tuples and keywords -> C variables, as a format string says (PyArg_Parse*).
//!
//! An argument that does not fit yields a `Mismatch`: either a phrase that is completed with the function's name and the argument's
//! place, or an exception that is set already. What was acquired for earlier arguments (buffers, copies) is then released.

use crate::va::VaList;
use adder_runtime::prelude::*;
use std::ffi::{CStr, c_uchar};

/// Why an argument was refused.
pub enum Mismatch {
    /// "must be str, not int": completed by `Place::raise`.
    Phrase(String),
    Raised(Raised),
}

impl From<Raised> for Mismatch {
    fn from(raised: Raised) -> Mismatch {
        Mismatch::Raised(raised)
    }
}

type Fit<T = ()> = Result<T, Mismatch>;
type Converter = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int;

/// A converter's answer that it wants to be called again with NULL when a later argument fails.
const PY_CLEANUP_SUPPORTED: c_int = 0x20000;

enum Cleanup {
    Buffer(*mut Py_buffer),
    Memory(*mut *mut c_char),
    Converter(Converter, *mut c_void),
}

pub fn type_name(object: &PyObject) -> String {
    if is_none(object) {
        "None".to_string()
    } else {
        object.ty().name()
    }
}

fn must_be(expected: &str, object: &PyObject) -> Mismatch {
    Mismatch::Phrase(format!("must be {expected}, not {}", type_name(object)))
}

/// The format and the C variables: each item of the format takes its variables from the list.
pub struct ArgReader<'f> {
    rest: &'f [u8],
    args: VaList,
    cleanups: Vec<Cleanup>,
}

impl Drop for ArgReader<'_> {
    /// Releases what was acquired, unless `commit` came first.
    fn drop(&mut self) {
        for cleanup in self.cleanups.drain(..).rev() {
            // SAFETY: the variables belong to the C function that is still waiting for us.
            unsafe {
                match cleanup {
                    Cleanup::Buffer(view) => crate::memoryobject::release_buffer(&*view),
                    Cleanup::Memory(place) => {
                        crate::pymem::PyMem_Free((*place).cast());
                        *place = std::ptr::null_mut();
                    }
                    Cleanup::Converter(convert, place) => {
                        convert(std::ptr::null_mut(), place);
                    }
                }
            }
        }
    }
}

impl<'f> ArgReader<'f> {
    pub fn new(format: &'f [u8], args: VaList) -> Self {
        ArgReader {
            rest: format,
            args,
            cleanups: Vec::new(),
        }
    }

    /// All arguments fit: C owns what was acquired.
    pub fn commit(mut self) {
        self.cleanups.clear();
    }

    pub fn rest(&self) -> &'f [u8] {
        self.rest
    }

    fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.rest = self.rest.get(1..).unwrap_or(&[]);
        byte
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.take();
        }
        found
    }

    /// Whether the items are over.
    fn at_end(&self) -> bool {
        matches!(self.peek(), 0 | b':' | b';')
    }

    /// Fits `object` to the next item; `levels` collects the indices into nested tuples.
    pub fn convert(&mut self, object: &PyObject, levels: &mut Vec<usize>) -> Fit {
        if self.take_if(b'(') {
            return self.convert_nested(object, levels);
        }
        self.convert_simple(object)
    }

    fn convert_nested(&mut self, object: &PyObject, levels: &mut Vec<usize>) -> Fit {
        let n_items = count_items(self.rest);
        let is_tuple = PyTupleObject::check(object);
        // C's variables borrow from the items, or from what they hold: a sequence may not keep them.
        let must_be_tuple = is_tuple || lends_items(self.rest);
        let is_text = PyUnicodeObject::check(object)
            || PyBytesObject::check(object)
            || PyByteArrayObject::check(object);
        if !is_tuple && (!object.is_sequence() || is_text) {
            levels.clear();
            return Err(Mismatch::Phrase(format!(
                "must be {n_items}-item tuple, not {}",
                type_name(object)
            )));
        }
        if must_be_tuple && !is_tuple {
            let message = format!(
                "argument must be {n_items}-item tuple, not {}",
                object.ty().name()
            );
            adder_runtime::exceptions::warn(adder_runtime::exceptions::exc::DeprecationWarning, &message, 1)?;
        }
        let len = object.sequence_len()?;
        if len != n_items {
            levels.clear();
            let kind = if must_be_tuple { "tuple" } else { "sequence" };
            return Err(Mismatch::Phrase(format!(
                "must be {kind} of length {n_items}, not {len}"
            )));
        }
        for item_idx in 0..n_items {
            // The sequence keeps the item: C's variables borrow it.
            let item = object.get_index(item_idx as isize)?;
            levels.push(item_idx + 1);
            self.convert(&item, levels)?;
            levels.pop();
        }
        if !self.take_if(b')') {
            return Err(raise!(SystemError, "unmatched paren in format").into());
        }
        Ok(())
    }

    fn convert_simple(&mut self, object: &PyObject) -> Fit {
        let letter = self.take();
        match letter {
            b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'n' | b'l' | b'k' | b'L' | b'K' => {
                self.integer(letter, object)
            }
            b'f' => self.store(object.to_f64()? as f32),
            b'd' => self.store(object.to_f64()?),
            b'D' => self.store(crate::complexobject::as_complex(object)?),
            b'c' => self.store(single_byte(object)?),
            b'C' => self.store(single_char(object)? as c_int),
            b'p' => self.store(c_int::from(object.is_true()?)),
            b's' | b'z' => self.text(letter, object),
            b'y' => self.bytes(object),
            b'e' => self.encoded(object),
            b'S' => self.object_of(object, PyBytesObject::check(object), "bytes"),
            b'Y' => self.object_of(object, PyByteArrayObject::check(object), "bytearray"),
            b'U' => self.object_of(object, PyUnicodeObject::check(object), "str"),
            b'O' => self.object(object),
            b'w' => self.writable(object),
            _ => Err(Mismatch::Phrase("(impossible<bad format char>)".to_string())),
        }
    }
}

impl ArgReader<'_> {
    fn store<T>(&self, value: T) -> Fit {
        self.args.store(value);
        Ok(())
    }

    fn integer(&mut self, letter: u8, object: &PyObject) -> Fit {
        let bounded = |low: c_long, high: c_long, what: &str| -> Fit<c_long> {
            let value = crate::longobject::as_c_long(object)?;
            if value < low {
                return Err(raise!(OverflowError, "{what} is less than minimum").into());
            }
            if value > high {
                return Err(raise!(OverflowError, "{what} is greater than maximum").into());
            }
            Ok(value)
        };
        match letter {
            b'b' => self.store(bounded(0, c_uchar::MAX as c_long, "unsigned byte integer")? as c_uchar),
            b'B' => self.store(crate::longobject::as_mask(object)? as u8),
            b'h' => {
                self.store(bounded(i16::MIN as c_long, i16::MAX as c_long, "signed short integer")? as i16)
            }
            b'H' => self.store(crate::longobject::as_mask(object)? as u16),
            b'i' => self.store(bounded(i32::MIN as c_long, i32::MAX as c_long, "signed integer")? as i32),
            b'I' => self.store(crate::longobject::as_mask(object)? as u32),
            b'n' => {
                let index = object.index()?;
                self.store(crate::longobject::as_ssize(index.as_object())?)
            }
            b'l' => self.store(crate::longobject::as_c_long(object)?),
            b'L' => self.store(crate::longobject::as_c_longlong(object)?),
            _ if !object.has_index() => Err(must_be("int", object)),
            _ => self.store(crate::longobject::as_mask(object)?),
        }
    }

    fn object_of(&mut self, object: &PyObject, fits: bool, expected: &str) -> Fit {
        if !fits {
            return Err(must_be(expected, object));
        }
        self.store(object.as_ptr())
    }

    /// `O`, `O!`, `O&`.
    fn object(&mut self, object: &PyObject) -> Fit {
        if self.take_if(b'!') {
            // SAFETY: the format promises a type object.
            let class = unsafe { &*self.args.ptr::<PyTypeObject>() };
            return self.object_of(object, object.ty().is_subtype(class), &class.name());
        }
        if !self.take_if(b'&') {
            return self.store(object.as_ptr());
        }
        // SAFETY: the format promises a converter function.
        let convert = unsafe { std::mem::transmute::<*mut c_void, Converter>(self.args.ptr()) };
        let place = self.args.ptr::<c_void>();
        // SAFETY: the converter's contract is C's.
        match unsafe { convert(object.as_ptr(), place) } {
            0 if adder_runtime::error::occurred() => Err(Raised::assume().into()),
            0 => Err(Mismatch::Phrase("(unspecified)".to_string())),
            PY_CLEANUP_SUPPORTED => {
                self.cleanups.push(Cleanup::Converter(convert, place));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Stores the start and, after `#`, the length of bytes that an object keeps; without `#` they may hold no 0.
    fn store_bytes(&mut self, start: *const u8, len: usize, what: &str) -> Fit {
        self.store(start)?;
        if self.take_if(b'#') {
            return self.store(len as isize);
        }
        // SAFETY: the object keeps that many bytes.
        if len > 0 && unsafe { std::slice::from_raw_parts(start, len) }.contains(&0) {
            return Err(raise!(ValueError, "embedded null {what}").into());
        }
        Ok(())
    }

    /// `s`, `s#`, `s*`, `z`, `z#`, `z*`.
    fn text(&mut self, letter: u8, object: &PyObject) -> Fit {
        let optional = letter == b'z';
        if self.take_if(b'*') {
            return self.text_buffer(optional, object);
        }
        if optional && is_none(object) {
            self.store(std::ptr::null::<c_char>())?;
            return if self.take_if(b'#') {
                self.store(0isize)
            } else {
                Ok(())
            };
        }
        if let Some(text) = object.downcast::<PyUnicodeObject>() {
            let bytes = crate::unicodeobject::utf8(text)?;
            return self.store_bytes(bytes.as_ptr(), bytes.len(), "character");
        }
        if self.peek() == b'#' {
            let expected = if optional {
                "read-only bytes-like object or None"
            } else {
                "read-only bytes-like object"
            };
            return self.read_only_bytes(object, expected);
        }
        Err(must_be(if optional { "str or None" } else { "str" }, object))
    }

    fn text_buffer(&mut self, optional: bool, object: &PyObject) -> Fit {
        let view = self.args.ptr::<Py_buffer>();
        // SAFETY: the format promises a buffer to fill.
        let place = unsafe { &*view };
        if optional && is_none(object) {
            crate::memoryobject::fill_info(place, None, std::ptr::null_mut(), 0, true, 0)?;
        } else if let Some(text) = object.downcast::<PyUnicodeObject>() {
            let bytes = crate::unicodeobject::utf8(text)?;
            crate::memoryobject::fill_info(
                place,
                Some(object),
                bytes.as_ptr() as *mut c_void,
                bytes.len() as isize,
                true,
                0,
            )?;
        } else {
            self.get_buffer(object, place)?;
        }
        self.cleanups.push(Cleanup::Buffer(view));
        Ok(())
    }

    /// A simple contiguous buffer of `object`.
    fn get_buffer(&mut self, object: &PyObject, view: &Py_buffer) -> Fit {
        crate::memoryobject::get_buffer(object, view, PyBUF_SIMPLE)?;
        if !crate::memoryobject::is_contiguous(view, b'C') {
            crate::memoryobject::release_buffer(view);
            return Err(must_be("contiguous buffer", object));
        }
        Ok(())
    }

    /// The bytes of an object that does not need its buffer released.
    fn read_only_bytes(&mut self, object: &PyObject, expected: &str) -> Fit {
        let releases = crate::memoryobject::has_release(object);
        if releases {
            return Err(must_be(expected, object));
        }
        let view = Py_buffer::zeroed();
        self.get_buffer(object, &view)?;
        let result = self.store_bytes(view.buf.get().cast(), view.len.get() as usize, "byte");
        crate::memoryobject::release_buffer(&view);
        result
    }

    /// `y`, `y#`, `y*`.
    fn bytes(&mut self, object: &PyObject) -> Fit {
        if !self.take_if(b'*') {
            return self.read_only_bytes(object, "read-only bytes-like object");
        }
        let view = self.args.ptr::<Py_buffer>();
        // SAFETY: the format promises a buffer to fill.
        self.get_buffer(object, unsafe { &*view })?;
        self.cleanups.push(Cleanup::Buffer(view));
        Ok(())
    }

    /// `w*`.
    fn writable(&mut self, object: &PyObject) -> Fit {
        if !self.take_if(b'*') {
            return Err(Mismatch::Phrase(
                "(invalid use of 'w' format character)".to_string(),
            ));
        }
        let view = self.args.ptr::<Py_buffer>();
        // SAFETY: the format promises a buffer to fill.
        let place = unsafe { &*view };
        if let Err(raised) = crate::memoryobject::get_buffer(object, place, PyBUF_WRITABLE) {
            raised.clear();
            return Err(must_be("read-write bytes-like object", object));
        }
        if !crate::memoryobject::is_contiguous(place, b'C') {
            crate::memoryobject::release_buffer(place);
            return Err(must_be("contiguous buffer", object));
        }
        self.cleanups.push(Cleanup::Buffer(view));
        Ok(())
    }

    /// `es`, `es#`, `et`, `et#`: encoded text in new memory, or in the caller's.
    fn encoded(&mut self, object: &PyObject) -> Fit {
        let encoding = self.args.c_str().map(|name| name.to_string_lossy().into_owned());
        let pass_bytes = match self.take() {
            b's' => false,
            b't' => true,
            _ => {
                return Err(Mismatch::Phrase(
                    "(unknown parser marker combination)".to_string(),
                ));
            }
        };
        let place = self.args.ptr::<*mut c_char>();
        let bytes = if pass_bytes && (PyBytesObject::check(object) || PyByteArrayObject::check(object)) {
            // SAFETY: both kinds give their bytes; they are copied below before anything runs.
            unsafe { crate::memoryobject::bytes_of(object) }.to_vec()
        } else if let Some(text) = object.downcast::<PyUnicodeObject>() {
            let encoded = crate::unicodeobject::encode(text, encoding.as_deref().unwrap_or("utf-8"), None)?;
            encoded.as_bytes().to_vec()
        } else {
            return Err(must_be(
                if pass_bytes {
                    "str, bytes or bytearray"
                } else {
                    "str"
                },
                object,
            ));
        };
        let has_length = self.take_if(b'#');
        // SAFETY: the format promises the variables; the memory has room for the bytes and a 0.
        unsafe {
            let length = if has_length {
                self.args.ptr::<isize>()
            } else {
                std::ptr::null_mut()
            };
            if has_length && !(*place).is_null() {
                if bytes.len() as isize + 1 > *length {
                    return Err(raise!(
                        ValueError,
                        "encoded string too long ({}, maximum length {})",
                        bytes.len(),
                        *length - 1
                    )
                    .into());
                }
            } else {
                if !has_length && bytes.contains(&0) {
                    return Err(Mismatch::Phrase("encoded string without null bytes".to_string()));
                }
                *place = crate::pymem::PyMem_Malloc(bytes.len() + 1).cast();
                if (*place).is_null() {
                    return Err(adder_runtime::memory::no_memory().into());
                }
                self.cleanups.push(Cleanup::Memory(place));
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), *place, bytes.len());
            *(*place).add(bytes.len()) = 0;
            if has_length {
                *length = bytes.len() as isize;
            }
        }
        Ok(())
    }

    /// Passes over the variables of the next item, for which there is no argument. The error is a format's, in CPython's words.
    fn skip(&mut self) -> Result<(), &'static str> {
        match self.take() {
            b'(' => {
                while self.peek() != b')' {
                    if self.at_end() {
                        return Err("Unmatched left paren in format string");
                    }
                    self.skip()?;
                }
                self.take();
            }
            b')' => return Err("Unmatched right paren in format string"),
            b'e' => {
                if !matches!(self.take(), b's' | b't') {
                    return Err("impossible<bad format char>");
                }
                self.args.ptr::<c_char>();
                self.args.ptr::<c_char>();
                if self.take_if(b'#') {
                    self.args.ptr::<isize>();
                }
            }
            b'w' => {
                if !self.take_if(b'*') {
                    return Err("impossible<bad format char>");
                }
                self.args.ptr::<c_char>();
            }
            b's' | b'z' | b'y' => {
                self.args.ptr::<c_char>();
                if self.take_if(b'#') {
                    self.args.ptr::<isize>();
                } else {
                    self.take_if(b'*');
                }
            }
            b'O' => {
                if self.take_if(b'!') || self.take_if(b'&') {
                    self.args.ptr::<c_void>();
                }
                self.args.ptr::<c_void>();
            }
            b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'n' | b'l' | b'k' | b'L' | b'K' | b'f' | b'd'
            | b'D' | b'c' | b'C' | b'p' | b'S' | b'Y' | b'U' => {
                self.args.ptr::<c_void>();
            }
            _ => return Err("impossible<bad format char>"),
        }
        Ok(())
    }
}

fn single_byte(object: &PyObject) -> Fit<u8> {
    let expected = "a byte string of length 1";
    if !PyBytesObject::check(object) && !PyByteArrayObject::check(object) {
        return Err(must_be(expected, object));
    }
    // SAFETY: both kinds give their bytes.
    match unsafe { crate::memoryobject::bytes_of(object) } {
        [byte] => Ok(*byte),
        bytes => {
            let kind = if PyBytesObject::check(object) {
                "bytes"
            } else {
                "bytearray"
            };
            Err(Mismatch::Phrase(format!(
                "must be {expected}, not a {kind} object of length {}",
                bytes.len()
            )))
        }
    }
}

fn single_char(object: &PyObject) -> Fit<u32> {
    let Some(text) = object.downcast::<PyUnicodeObject>() else {
        return Err(must_be("a unicode character", object));
    };
    if text.len() != 1 {
        return Err(Mismatch::Phrase(format!(
            "must be a unicode character, not a string of length {}",
            text.len()
        )));
    }
    Ok(text.char_at(0))
}

/// The number of items at this level of a format, up to its end or the closing parenthesis.
fn count_items(format: &[u8]) -> usize {
    let (mut n_items, mut depth) = (0, 0);
    let mut in_encoded = false;
    for byte in format {
        match byte {
            b'(' => {
                n_items += usize::from(depth == 0);
                depth += 1;
            }
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b':' | b';' => break,
            b'e' if depth == 0 => {
                n_items += 1;
                in_encoded = true;
                continue;
            }
            byte if depth == 0 && byte.is_ascii_alphabetic() && !in_encoded => n_items += 1,
            _ => {}
        }
        in_encoded = false;
    }
    n_items
}

/// Whether C gets borrowed objects, or addresses inside objects, for the items of this level of a format.
fn lends_items(format: &[u8]) -> bool {
    let mut depth = 0;
    for (byte_idx, byte) in format.iter().enumerate() {
        let next = format.get(byte_idx + 1);
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return false,
            b')' => depth -= 1,
            b':' | b';' => return false,
            b's' | b'z' | b'y'
                if depth == 0 && next != Some(&b'*') && (byte_idx == 0 || format[byte_idx - 1] != b'e') =>
            {
                return true;
            }
            b'U' | b'S' | b'Y' if depth == 0 => return true,
            b'O' if depth == 0 && next != Some(&b'&') => return true,
            _ => {}
        }
    }
    false
}

/// What a format says about the whole argument list.
struct Shape<'f> {
    min: usize,
    max: usize,
    /// After `:`.
    function: Option<&'f str>,
    /// After `;`: replaces the message.
    message: Option<&'f str>,
}

fn shape(format: &[u8]) -> PyResult<Shape<'_>> {
    let end = format
        .iter()
        .position(|byte| matches!(byte, b':' | b';'))
        .unwrap_or(format.len());
    let (items, tail) = format.split_at(end);
    let text = tail.get(1..).and_then(|text| std::str::from_utf8(text).ok());
    let upto = |marker: u8| {
        items
            .iter()
            .position(|byte| *byte == marker)
            .map(|at| count_items(&items[..at]))
    };
    let max = count_items(items);
    let min = upto(b'|').unwrap_or(max);
    Ok(Shape {
        min,
        max,
        function: text.filter(|_| tail.first() == Some(&b':')),
        message: text.filter(|_| tail.first() == Some(&b';')),
    })
}

impl Shape<'_> {
    fn name(&self) -> (&str, &str) {
        self.function.map_or(("function", ""), |name| (name, "()"))
    }

    /// Raises for an argument that does not fit. `arg_no` counts from 1; 0 for the only one of PyArg_Parse.
    fn raise(&self, mismatch: Mismatch, arg_no: usize, levels: &[usize]) -> Raised {
        let phrase = match mismatch {
            Mismatch::Raised(raised) => return raised,
            Mismatch::Phrase(phrase) => phrase,
        };
        let text = self.message.map(str::to_string).unwrap_or_else(|| {
            let function = self.function.map(|name| format!("{name}() ")).unwrap_or_default();
            let place = if arg_no == 0 {
                "argument".to_string()
            } else {
                format!("argument {arg_no}")
            };
            let nested: String = levels
                .iter()
                .map(|level| format!(", item {}", level - 1))
                .collect();
            format!("{function}{place}{nested} {phrase}")
        });
        if phrase.starts_with('(') {
            raise!(SystemError, "{text}")
        } else {
            raise!(TypeError, "{text}")
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// PyArg_ParseTuple.
pub fn parse_tuple(tuple: &PyObject, format: &CStr, args: VaList) -> PyResult<()> {
    let format = format.to_bytes();
    let shape = shape(format)?;
    let Some(tuple) = tuple.downcast::<PyTupleObject>() else {
        return Err(raise!(
            SystemError,
            "new style getargs format but argument is not a tuple"
        ));
    };
    let n_args = tuple.len();
    if n_args < shape.min || n_args > shape.max {
        if let Some(message) = shape.message {
            return Err(raise!(TypeError, "{message}"));
        }
        let (name, parens) = shape.name();
        let (bound, count) = if shape.min == shape.max {
            ("exactly", shape.min)
        } else if n_args < shape.min {
            ("at least", shape.min)
        } else {
            ("at most", shape.max)
        };
        let s = plural(count);
        return Err(raise!(
            TypeError,
            "{name}{parens} takes {bound} {count} argument{s} ({n_args} given)"
        ));
    }
    let mut reader = ArgReader::new(format, args);
    for (arg_idx, arg) in tuple.as_slice().iter().enumerate() {
        let mut levels = Vec::new();
        reader.take_if(b'|');
        if let Err(mismatch) = reader.convert(arg, &mut levels) {
            return Err(shape.raise(mismatch, arg_idx + 1, &levels));
        }
    }
    let rest = reader.rest();
    if !reader.at_end() && !matches!(rest[0], b'|' | b'$' | b'(') && !rest[0].is_ascii_alphabetic() {
        return Err(raise!(
            SystemError,
            "bad format string: {}",
            String::from_utf8_lossy(format)
        ));
    }
    reader.commit();
    Ok(())
}

/// PyArg_Parse: one object, or a tuple for a parenthesised format.
fn parse_one(object: Option<&PyObject>, format: &CStr, args: VaList) -> PyResult<()> {
    let format = format.to_bytes();
    let shape = shape(format)?;
    if shape.max == 0 {
        return match object {
            None => Ok(()),
            Some(_) => {
                let (name, parens) = shape.name();
                Err(raise!(TypeError, "{name}{parens} takes no arguments"))
            }
        };
    }
    let Some(object) = object else {
        let (name, parens) = shape.name();
        return Err(raise!(TypeError, "{name}{parens} takes at least one argument"));
    };
    let mut reader = ArgReader::new(format, args);
    let mut levels = Vec::new();
    if let Err(mismatch) = reader.convert(object, &mut levels) {
        return Err(shape.raise(mismatch, 0, &levels));
    }
    reader.commit();
    Ok(())
}

/// Parameter names: a C array that ends with NULL; empty names are positional-only.
pub fn parameter_names<'a>(names: *const *const c_char) -> Vec<&'a CStr> {
    let mut list = Vec::new();
    // SAFETY: C gives an array of terminated strings that ends with NULL.
    unsafe {
        while !(*names.add(list.len())).is_null() {
            list.push(CStr::from_ptr(*names.add(list.len())));
        }
    }
    list
}

/// What PyArg_ParseTupleAndKeywords learns on its way through the format: the bounds are known only where `|` and `$` stand.
struct Progress {
    /// Required parameters, once `|` has been seen.
    min: Option<usize>,
    /// Positional parameters, once `$` has been seen.
    max: Option<usize>,
    /// A positional-only argument is missing: the rest is read only for the message.
    skipping: bool,
    n_positional_only: usize,
}

impl Progress {
    /// Reads `|` and `$` in front of parameter number `parameter_idx`.
    fn markers(
        &mut self,
        reader: &mut ArgReader<'_>,
        shape: &Shape<'_>,
        parameter_idx: usize,
        n_args: usize,
    ) -> PyResult<()> {
        if reader.take_if(b'|') {
            if self.min.replace(parameter_idx).is_some() {
                return Err(raise!(SystemError, "Invalid format string (| specified twice)"));
            }
            if self.max.is_some() {
                return Err(raise!(SystemError, "Invalid format string ($ before |)"));
            }
        }
        if reader.take_if(b'$') {
            if self.max.replace(parameter_idx).is_some() {
                return Err(raise!(SystemError, "Invalid format string ($ specified twice)"));
            }
            if parameter_idx < self.n_positional_only {
                return Err(raise!(SystemError, "Empty parameter name after $"));
            }
            if !self.skipping && parameter_idx < n_args {
                let (name, parens) = shape.name();
                if parameter_idx == 0 {
                    return Err(raise!(TypeError, "{name}{parens} takes no positional arguments"));
                }
                let bound = if self.min.is_some() { "at most" } else { "exactly" };
                let s = plural(parameter_idx);
                return Err(raise!(
                    TypeError,
                    "{name}{parens} takes {bound} {parameter_idx} positional argument{s} ({n_args} given)"
                ));
            }
        }
        Ok(())
    }
}

fn text_of(format: &[u8]) -> String {
    String::from_utf8_lossy(format).into_owned()
}

/// PyArg_ParseTupleAndKeywords.
pub fn parse_keywords(
    tuple: &PyTupleObject,
    keywords: Option<&PyDictObject>,
    format: &[u8],
    names: &[&CStr],
    args: VaList,
) -> PyResult<()> {
    let shape = shape(format)?;
    let n_positional_only = names.iter().take_while(|name| name.is_empty()).count();
    if names[n_positional_only..].iter().any(|name| name.is_empty()) {
        return Err(raise!(SystemError, "Empty keyword parameter name"));
    }
    let (n_args, n_keywords) = (tuple.len(), keywords.map_or(0, PyDictObject::len));
    let (name, parens) = shape.name();
    if n_args + n_keywords > names.len() {
        let kind = if n_args == 0 { "keyword " } else { "" };
        let (max, given) = (names.len(), n_args + n_keywords);
        return Err(raise!(
            TypeError,
            "{name}{parens} takes at most {max} {kind}argument{} ({given} given)",
            plural(max)
        ));
    }
    let mut reader = ArgReader::new(format, args);
    let mut progress = Progress {
        min: None,
        max: None,
        skipping: false,
        n_positional_only,
    };
    let mut n_read = names.len();
    let mut n_left = n_keywords;
    for (parameter_idx, parameter) in names.iter().enumerate() {
        progress.markers(&mut reader, &shape, parameter_idx, n_args)?;
        if progress.skipping && progress.max == Some(parameter_idx) {
            // The numbers of positional arguments are known.
            n_read = parameter_idx;
            break;
        }
        if reader.at_end() {
            let n_names = names.len();
            return Err(raise!(
                SystemError,
                "More keyword list entries ({n_names}) than format specifiers ({parameter_idx})"
            ));
        }
        if !progress.skipping {
            let arg = match tuple.as_slice().get(parameter_idx) {
                Some(positional) => Some(positional.to_ref()),
                None if n_left > 0 && parameter_idx >= n_positional_only => {
                    let value = keyword_value(keywords, parameter)?;
                    n_left -= usize::from(value.is_some());
                    value
                }
                None => None,
            };
            if let Some(arg) = arg {
                let mut levels = Vec::new();
                if let Err(mismatch) = reader.convert(&arg, &mut levels) {
                    return Err(shape.raise(mismatch, parameter_idx + 1, &levels));
                }
                continue;
            }
            if progress.min.is_none_or(|min| parameter_idx < min) {
                if parameter_idx >= n_positional_only {
                    return Err(raise!(
                        TypeError,
                        "{name}{parens} missing required argument '{}' (pos {})",
                        parameter.to_string_lossy(),
                        parameter_idx + 1
                    ));
                }
                progress.skipping = true;
            }
            if n_left == 0 && !progress.skipping {
                // Everything required is there; nothing else was given.
                reader.commit();
                return Ok(());
            }
        }
        let rest = reader.rest();
        if let Err(message) = reader.skip() {
            return Err(raise!(SystemError, "{message}: '{}'", text_of(rest)));
        }
    }
    if progress.skipping {
        let min = progress.min.unwrap_or(usize::MAX).min(n_positional_only);
        let bound = if min < n_read { "at least" } else { "exactly" };
        return Err(raise!(
            TypeError,
            "{name}{parens} takes {bound} {min} positional argument{} ({n_args} given)",
            plural(min)
        ));
    }
    if !reader.at_end() && !matches!(reader.peek(), b'|' | b'$') {
        return Err(raise!(
            SystemError,
            "more argument specifiers than keyword list entries (remaining format:'{}')",
            text_of(reader.rest())
        ));
    }
    if n_left > 0 {
        for (parameter_idx, parameter) in names.iter().enumerate().take(n_args).skip(n_positional_only) {
            if keyword_value(keywords, parameter)?.is_some() {
                return Err(raise!(
                    TypeError,
                    "argument for {name}{parens} given by name ('{}') and position ({})",
                    parameter.to_string_lossy(),
                    parameter_idx + 1
                ));
            }
        }
        refuse_unknown_keywords(keywords, names, n_positional_only, &shape)?;
    }
    reader.commit();
    Ok(())
}

fn keyword_value(keywords: Option<&PyDictObject>, parameter: &CStr) -> PyResult<Option<Ref>> {
    match keywords {
        Some(keywords) => keywords.get(crate::export::str_from_c(parameter)?.as_object()),
        None => Ok(None),
    }
}

fn refuse_unknown_keywords(
    keywords: Option<&PyDictObject>,
    names: &[&CStr],
    n_positional_only: usize,
    shape: &Shape<'_>,
) -> PyResult<()> {
    let Some(keywords) = keywords else { return Ok(()) };
    let mut position = 0;
    while let Some((key, _, _)) = keywords.next_entry(&mut position) {
        let key = key.to_ref();
        let Some(text) = (*key).downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "keywords must be strings"));
        };
        let known = |name: &&CStr| {
            text.as_str()
                .is_some_and(|text| text.as_bytes() == name.to_bytes())
        };
        if !names[n_positional_only..].iter().any(known) {
            let (name, parens) = shape.function.map_or(("this function", ""), |name| (name, "()"));
            let message =
                PyUnicodeObject::from_string(format!("{name}{parens} got an unexpected keyword argument '"));
            let message = message.concat(text)?.concat(&PyUnicodeObject::from_str("'"))?;
            let class = adder_runtime::exceptions::exc::TypeError.as_object();
            return Err(adder_runtime::error::set_object(class, Some(message.as_object())));
        }
    }
    // The names are known, but a subclass of str did not compare as they do.
    let (name, parens) = shape.function.map_or(("this function", ""), |name| (name, "()"));
    Err(raise!(TypeError, "invalid keyword argument for {name}{parens}"))
}

/// Truth for C: 1 when everything was stored, 0 with an exception set.
fn stored(result: PyResult<()>) -> c_int {
    c_int::from(result.is_ok())
}

/// What `adder_keyword_value` gives for a name that it does not compare.
const NOT_ASCII: usize = 1;

/// The value of a keyword for `shims/getargs_fast.h`: without hashing, since calls have few keywords.
///
/// # Safety
/// `keywords` is a dict, `name` a terminated string.
#[unsafe(no_mangle)]
unsafe extern "C" fn adder_keyword_value(keywords: *mut PyObject, name: *const c_char) -> *mut PyObject {
    // SAFETY: the caller's contract.
    let (keywords, name) = unsafe {
        (
            (*keywords).cast_unchecked::<PyDictObject>(),
            CStr::from_ptr(name).to_bytes(),
        )
    };
    if !name.is_ascii() {
        return std::ptr::without_provenance_mut(NOT_ASCII);
    }
    let mut position = 0;
    while let Some((key, value, _)) = keywords.next_entry(&mut position) {
        if let Some(text) = key.downcast_exact::<PyUnicodeObject>()
            && text.is_ascii()
            && text.len() == name.len()
            && text.as_str().is_some_and(|text| text.as_bytes() == name)
        {
            return value.as_ptr();
        }
    }
    std::ptr::null_mut()
}

capi! {
    fn adder_PyArg_Parse(object: Option<&PyObject>, format: &CStr, args: VaList) -> c_int {
        stored(parse_one(object, format, args))
    }
    fn adder_PyArg_ParseTuple(tuple: &PyObject, format: &CStr, args: VaList) -> c_int {
        stored(parse_tuple(tuple, format, args))
    }
    fn adder_PyArg_ParseTupleAndKeywords(
        tuple: Option<&PyObject>, keywords: Option<&PyObject>, format: *const c_char, names: *const *const c_char, args: VaList
    ) -> c_int {
        stored(keywords_from_c(tuple, keywords, format, names, args))
    }
    fn adder_PyArg_ParseTupleAndKeywordsFast(
        tuple: Option<&PyObject>, keywords: Option<&PyObject>, parser: *const _PyArg_Parser, args: VaList
    ) -> c_int {
        // SAFETY: C gives a parser that lives as long as the process.
        let parser = unsafe { &*parser };
        stored(keywords_from_c(tuple, keywords, parser.format.get(), parser.keywords.get(), args))
    }
    fn adder_PyArg_UnpackTuple(tuple: &PyObject, name: Option<&CStr>, min: isize, max: isize, args: VaList) -> c_int {
        stored(unpack_tuple(tuple, name, min as usize, max as usize, args))
    }
    fn PyArg_ValidateKeywordArguments(keywords: &PyObject) -> c_int {
        let Some(keywords) = keywords.downcast::<PyDictObject>() else {
            let _ = crate::export::bad_internal_call();
            return 0;
        };
        let mut position = 0;
        while let Some((key, _, _)) = keywords.next_entry(&mut position) {
            if !PyUnicodeObject::check(key) {
                let _ = raise!(TypeError, "keywords must be strings");
                return 0;
            }
        }
        1
    }
}

fn keywords_from_c(
    tuple: Option<&PyObject>,
    keywords: Option<&PyObject>,
    format: *const c_char,
    names: *const *const c_char,
    args: VaList,
) -> PyResult<()> {
    let tuple = tuple.and_then(|tuple| tuple.downcast::<PyTupleObject>());
    let is_dict = keywords.is_none_or(PyDictObject::check);
    let (Some(tuple), true, false, false) = (tuple, is_dict, format.is_null(), names.is_null()) else {
        return Err(crate::export::bad_internal_call());
    };
    let keywords = keywords.and_then(|keywords| keywords.downcast::<PyDictObject>());
    // SAFETY: not NULL, and C gives a terminated string.
    let format = unsafe { CStr::from_ptr(format) };
    parse_keywords(tuple, keywords, format.to_bytes(), &parameter_names(names), args)
}

fn unpack_tuple(tuple: &PyObject, name: Option<&CStr>, min: usize, max: usize, args: VaList) -> PyResult<()> {
    let Some(tuple) = tuple.downcast::<PyTupleObject>() else {
        return Err(raise!(
            SystemError,
            "PyArg_UnpackTuple() argument list is not a tuple"
        ));
    };
    let n_args = tuple.len();
    if n_args < min || n_args > max {
        let few = n_args < min;
        let (bound, count) = (
            if min == max {
                ""
            } else if few {
                "at least "
            } else {
                "at most "
            },
            if few { min } else { max },
        );
        return Err(match name {
            Some(name) => raise!(
                TypeError,
                "{} expected {bound}{count} argument{}, got {n_args}",
                name.to_string_lossy(),
                plural(count)
            ),
            None => raise!(
                TypeError,
                "unpacked tuple should have {bound}{count} element{}, but has {n_args}",
                plural(count)
            ),
        });
    }
    for item in tuple.as_slice() {
        args.store(item.as_ptr());
    }
    Ok(())
}
