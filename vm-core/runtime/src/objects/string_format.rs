//! `str.format`, `str.format_map`, and the pieces of them that `string.Formatter` uses (`_string`).
//!
//! A format is literal text and fields in braces: `{name.attribute[item]!conversion:specification}`, the
//! specification itself a format (one level deep).

use crate::args::Kwargs;
use crate::objects::unicodectype;
use crate::objects::unicodeobject::UnicodeWriter;
use crate::prelude::*;
use std::cell::Cell;
use std::ops::Range;

/// A field as it is written; ranges are in the format.
#[derive(Clone, Debug)]
struct Field {
    name: Range<usize>,
    spec: Range<usize>,
    /// Whether the specification has fields in turn.
    is_nested: bool,
    conversion: Option<u32>,
}

/// Reads a format piece by piece: each is literal text, then a field if there is one.
struct Pieces<'a> {
    text: &'a PyUnicodeObject,
    at: usize,
    end: usize,
}

const OPEN: u32 = 0x7B;
const CLOSE: u32 = 0x7D;

impl<'a> Pieces<'a> {
    fn new(text: &'a PyUnicodeObject, range: Range<usize>) -> Pieces<'a> {
        Pieces {
            text,
            at: range.start,
            end: range.end,
        }
    }
    fn peek(&self) -> Option<u32> {
        (self.at < self.end).then(|| self.text.char_at(self.at))
    }
    fn take(&mut self) -> Option<u32> {
        let code = self.peek()?;
        self.at += 1;
        Some(code)
    }
    /// The next literal and field; `None` at the end.
    fn next(&mut self) -> PyResult<Option<(Range<usize>, Option<Field>)>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        let mut brace = None;
        while let Some(code) = self.take() {
            if code == OPEN || code == CLOSE {
                brace = Some(code);
                break;
            }
        }
        let Some(brace) = brace else {
            return Ok(Some((start..self.end, None)));
        };
        let next = self.peek();
        if brace == CLOSE && next != Some(CLOSE) {
            return Err(raise!(ValueError, "Single '}}' encountered in format string"));
        }
        if next.is_none() {
            return Err(raise!(ValueError, "Single '{{' encountered in format string"));
        }
        if next == Some(brace) {
            // A doubled brace stands for itself.
            let literal = start..self.at;
            self.at += 1;
            return Ok(Some((literal, None)));
        }
        let literal = start..self.at - 1;
        Ok(Some((literal, Some(self.field()?))))
    }
    fn field(&mut self) -> PyResult<Field> {
        let start = self.at;
        let mut stop = 0;
        while let Some(code) = self.take() {
            stop = code;
            match u8::try_from(code) {
                Ok(b'{') => return Err(raise!(ValueError, "unexpected '{{' in field name")),
                Ok(b'[') => {
                    while self.peek().is_some_and(|code| code != u32::from(b']')) {
                        self.at += 1;
                    }
                }
                Ok(b'}' | b':' | b'!') => break,
                _ => {}
            }
        }
        let mut field = Field {
            name: start..self.at - 1,
            spec: self.at..self.at,
            is_nested: false,
            conversion: None,
        };
        if stop == CLOSE {
            return Ok(field);
        }
        if stop != u32::from(b'!') && stop != u32::from(b':') {
            return Err(raise!(ValueError, "expected '}}' before end of string"));
        }
        if stop == u32::from(b'!') {
            let Some(conversion) = self.take() else {
                return Err(raise!(
                    ValueError,
                    "end of string while looking for conversion specifier"
                ));
            };
            field.conversion = Some(conversion);
            match self.take() {
                Some(CLOSE) => return Ok(field),
                Some(0x3A) | None => {}
                Some(_) => return Err(raise!(ValueError, "expected ':' after conversion specifier")),
            }
        }
        let start = self.at;
        let mut depth = 1;
        while let Some(code) = self.take() {
            if code == OPEN {
                field.is_nested = true;
                depth += 1;
            } else if code == CLOSE {
                depth -= 1;
                if depth == 0 {
                    field.spec = start..self.at - 1;
                    return Ok(field);
                }
            }
        }
        Err(raise!(ValueError, "unmatched '{{' in format spec"))
    }
}

/// How fields without a name are numbered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Open,
    Automatic(usize),
    Manual,
}

/// The arguments of a call of `format`.
struct Source<'a> {
    /// `None` for `format_map`.
    args: Option<&'a [&'a PyObject]>,
    keywords: Keywords<'a>,
    numbering: Numbering,
}

enum Keywords<'a> {
    Given(Kwargs<'a>),
    Mapping(&'a PyObject),
}

/// A number in decimal digits; `None` when it is something else.
fn integer_of(text: &PyUnicodeObject, range: Range<usize>) -> PyResult<Option<usize>> {
    if range.is_empty() {
        return Ok(None);
    }
    let mut value = 0usize;
    for idx in range {
        let Some(digit) = unicodectype::to_decimal(text.char_at(idx)) else {
            return Ok(None);
        };
        let digit = digit as usize;
        if value > (isize::MAX as usize - digit) / 10 {
            return Err(raise!(ValueError, "Too many decimal digits in format string"));
        }
        value = value * 10 + digit;
    }
    Ok(Some(value))
}

/// The end of the first part of a field's name.
fn first_part(text: &PyUnicodeObject, name: &Range<usize>) -> usize {
    name.clone()
        .find(|&idx| matches!(text.char_at(idx), 0x5B | 0x2E))
        .unwrap_or(name.end)
}

/// The attributes and items that follow the first part of a name.
struct Rest<'a> {
    text: &'a PyUnicodeObject,
    at: usize,
    end: usize,
}

/// One step into an object.
enum Access {
    Attribute(Range<usize>),
    Item(Range<usize>, Option<usize>),
}

impl Rest<'_> {
    fn next(&mut self) -> PyResult<Option<Access>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let kind = self.text.char_at(self.at);
        self.at += 1;
        let start = self.at;
        let empty = || raise!(ValueError, "Empty attribute in format string");
        match kind {
            0x2E => {
                self.at = first_part(self.text, &(start..self.end));
                if self.at == start {
                    return Err(empty());
                }
                Ok(Some(Access::Attribute(start..self.at)))
            }
            0x5B => {
                let Some(end) = (start..self.end).find(|&idx| self.text.char_at(idx) == 0x5D) else {
                    return Err(raise!(ValueError, "Missing ']' in format string"));
                };
                self.at = end + 1;
                if end == start {
                    return Err(empty());
                }
                Ok(Some(Access::Item(start..end, integer_of(self.text, start..end)?)))
            }
            _ => Err(raise!(
                ValueError,
                "Only '.' or '[' may follow ']' in format field specifier"
            )),
        }
    }
}

impl Source<'_> {
    /// The number of a field without a name, or the check that given numbers are not mixed with such.
    fn number(&mut self, is_empty: bool, given: Option<usize>) -> PyResult<Option<usize>> {
        if !is_empty && given.is_none() {
            return Ok(None);
        }
        match (self.numbering, is_empty) {
            (Numbering::Manual, true) => Err(raise!(
                ValueError,
                "cannot switch from manual field specification to automatic field numbering"
            )),
            (Numbering::Automatic(_), false) => Err(raise!(
                ValueError,
                "cannot switch from automatic field numbering to manual field specification"
            )),
            (Numbering::Open, false) | (Numbering::Manual, false) => {
                self.numbering = Numbering::Manual;
                Ok(given)
            }
            (Numbering::Open, true) => {
                self.numbering = Numbering::Automatic(1);
                Ok(Some(0))
            }
            (Numbering::Automatic(next), true) => {
                self.numbering = Numbering::Automatic(next + 1);
                Ok(Some(next))
            }
        }
    }
    fn value(&mut self, text: &PyUnicodeObject, name: &Range<usize>) -> PyResult {
        let end = first_part(text, name);
        let first = name.start..end;
        let given = integer_of(text, first.clone())?;
        let mut value = match self.number(first.is_empty(), given)? {
            Some(idx) => self.positional(idx)?,
            None => self.named(&text.substring(first.start, first.end))?,
        };
        let mut rest = Rest {
            text,
            at: end,
            end: name.end,
        };
        while let Some(access) = rest.next()? {
            value = match access {
                Access::Attribute(range) => value.get_attr(&text.substring(range.start, range.end))?,
                Access::Item(_, Some(idx)) => value.get_item(PyLongObject::from_usize(idx).as_object())?,
                Access::Item(range, None) => {
                    value.get_item(text.substring(range.start, range.end).as_object())?
                }
            };
        }
        Ok(value)
    }
    fn positional(&self, idx: usize) -> PyResult {
        let Some(args) = self.args else {
            return Err(raise!(ValueError, "Format string contains positional fields"));
        };
        match args.get(idx) {
            Some(arg) => Ok(arg.to_ref()),
            None => Err(raise!(
                IndexError,
                "Replacement index {idx} out of range for positional args tuple"
            )),
        }
    }
    fn named(&self, name: &PyUnicodeObject) -> PyResult {
        match &self.keywords {
            Keywords::Mapping(mapping) => mapping.get_item(name.as_object()),
            Keywords::Given(keywords) => {
                let is_it =
                    |key: &PyObject| key.downcast::<PyUnicodeObject>().is_some_and(|key| key.eq(name));
                match keywords.iter().find(|(key, _)| is_it(key)) {
                    Some((_, value)) => Ok(value.to_ref()),
                    None => Err(raise!(KeyError, value => name.as_object())),
                }
            }
        }
    }
    /// Writes what a format stands for.
    fn write(
        &mut self,
        writer: &mut UnicodeWriter,
        text: &PyUnicodeObject,
        range: Range<usize>,
        depth: usize,
    ) -> PyResult<()> {
        if depth == 0 {
            return Err(raise!(ValueError, "Max string recursion exceeded"));
        }
        let mut pieces = Pieces::new(text, range);
        while let Some((literal, field)) = pieces.next()? {
            writer.push_range(text, literal.start, literal.end);
            let Some(field) = field else { continue };
            let value = self.value(text, &field.name)?;
            let value = match field.conversion {
                None => value,
                Some(conversion) => converted(&value, conversion)?.into_object(),
            };
            let spec = if field.is_nested {
                let mut spec = UnicodeWriter::new();
                self.write(&mut spec, text, field.spec, depth - 1)?;
                Some(spec.finish()?)
            } else if field.spec.is_empty() {
                None
            } else {
                Some(text.substring(field.spec.start, field.spec.end))
            };
            writer.push_object(&*value.format(spec.as_deref())?);
        }
        Ok(())
    }
}

fn converted(value: &PyObject, conversion: u32) -> PyResult<Ref<PyUnicodeObject>> {
    match u8::try_from(conversion) {
        Ok(b'r') => value.repr(),
        Ok(b's') => value.str(),
        Ok(b'a') => value.ascii(),
        Ok(shown @ 33..=126) => Err(raise!(
            ValueError,
            "Unknown conversion specifier {}",
            char::from(shown)
        )),
        _ => Err(raise!(
            ValueError,
            "Unknown conversion specifier \\x{conversion:x}"
        )),
    }
}

fn run(
    format: &PyUnicodeObject,
    args: Option<&[&PyObject]>,
    keywords: Keywords<'_>,
) -> PyResult<Ref<PyUnicodeObject>> {
    // Without a brace, the text itself.
    if let Some((literal, None)) = Pieces::new(format, 0..format.len()).next()?
        && literal.len() == format.len()
    {
        return Ok(format.to_exact());
    }
    let mut writer = PyUnicodeObject::writer(format.len() + 32);
    let mut source = Source {
        args,
        keywords,
        numbering: Numbering::Open,
    };
    source.write(&mut writer, format, 0..format.len(), 2)?;
    writer.finish()
}

/// `format.format(*args, **keywords)`.
pub fn format_with_keywords(
    format: &PyUnicodeObject,
    args: &[&PyObject],
    keywords: Kwargs<'_>,
) -> PyResult<Ref<PyUnicodeObject>> {
    run(format, Some(args), Keywords::Given(keywords))
}

/// `format.format_map(mapping)`.
pub fn format_map(format: &PyUnicodeObject, mapping: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
    run(format, None, Keywords::Mapping(mapping))
}

/// The iterator of `_string.formatter_parser`: literal text, name, specification and conversion of each piece.
#[repr(C)]
pub struct FormatterIterator {
    ob_base: PyObject,
    text: Ref<PyUnicodeObject>,
    at: Cell<usize>,
}

#[pytype(name = "formatteriterator", static_name = FormatterIterator_Type, export = false)]
impl FormatterIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref<PyTupleObject>>> {
        let text = &*self.text;
        let mut pieces = Pieces::new(text, self.at.get()..text.len());
        let next = pieces.next()?;
        self.at.set(pieces.at);
        let Some((literal, field)) = next else {
            return Ok(None);
        };
        let part = |range: Range<usize>| text.substring(range.start, range.end).into_object();
        let mut items = vec![part(literal)];
        match field {
            None => items.extend([none_ref(), none_ref(), none_ref()]),
            Some(field) => {
                let conversion = field
                    .conversion
                    .map(|code| PyUnicodeObject::from_char(code).into_object());
                items.extend([
                    part(field.name),
                    part(field.spec),
                    conversion.unwrap_or_else(none_ref),
                ]);
            }
        }
        Ok(Some(PyTupleObject::from_vec(items)))
    }
}

/// `_string.formatter_parser(text)`.
pub fn formatter_parser(text: &PyUnicodeObject) -> PyResult<Ref<FormatterIterator>> {
    let ob_base = crate::memory::blank_header();
    Ref::new(FormatterIterator {
        ob_base,
        text: text.to_ref(),
        at: Cell::new(0),
    })
}

/// The iterator of `_string.formatter_field_name_split`: whether a step is an attribute, and its name or number.
#[repr(C)]
pub struct FieldNameIterator {
    ob_base: PyObject,
    text: Ref<PyUnicodeObject>,
    at: Cell<usize>,
}

#[pytype(name = "fieldnameiterator", static_name = FieldNameIterator_Type, export = false)]
impl FieldNameIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref<PyTupleObject>>> {
        let text = &*self.text;
        let mut rest = Rest {
            text,
            at: self.at.get(),
            end: text.len(),
        };
        let next = rest.next()?;
        self.at.set(rest.at);
        let part = |range: Range<usize>| text.substring(range.start, range.end).into_object();
        Ok(next.map(|access| {
            PyTupleObject::from_vec(match access {
                Access::Attribute(range) => vec![py_bool(true), part(range)],
                Access::Item(_, Some(idx)) => {
                    vec![py_bool(false), PyLongObject::from_usize(idx).into_object()]
                }
                Access::Item(range, None) => vec![py_bool(false), part(range)],
            })
        }))
    }
}

/// `_string.formatter_field_name_split(text)`: the first part, and an iterator over the steps that follow.
pub fn formatter_field_name_split(text: &PyUnicodeObject) -> PyResult<Ref<PyTupleObject>> {
    let end = first_part(text, &(0..text.len()));
    let first = match integer_of(text, 0..end)? {
        Some(idx) => PyLongObject::from_usize(idx).into_object(),
        None => text.substring(0, end).into_object(),
    };
    let ob_base = crate::memory::blank_header();
    let rest = Ref::new(FieldNameIterator {
        ob_base,
        text: text.to_ref(),
        at: Cell::new(end),
    })?;
    Ok(PyTupleObject::from_vec(vec![first, rest.into_object()]))
}
