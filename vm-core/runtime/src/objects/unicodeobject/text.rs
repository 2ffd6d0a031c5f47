//! The methods that pad, encode and format strings, and what pickling asks for.

use super::{ASCII_HEADER_SIZE, COMPACT_HEADER_SIZE};
use crate::args::Kwargs;
use crate::objects::{codecs, formatter, string_format};
use crate::per_kind;
use crate::prelude::*;

/// The one character that a padding method takes.
fn fill_char(arg: Option<&PyObject>) -> PyResult<u32> {
    let Some(arg) = arg else {
        return Ok(u32::from(b' '));
    };
    let Some(text) = arg.downcast::<PyUnicodeObject>() else {
        return Err(raise!(
            TypeError,
            "The fill character must be a unicode character, not {}",
            arg.ty().full_name()
        ));
    };
    if text.len() != 1 {
        return Err(raise!(
            TypeError,
            "The fill character must be exactly one character long"
        ));
    }
    Ok(text.char_at(0))
}

impl PyUnicodeObject {
    /// The string between runs of a character.
    pub fn pad(&self, left: usize, right: usize, fill: u32) -> PyResult<Ref<PyUnicodeObject>> {
        if left == 0 && right == 0 {
            return Ok(self.to_exact());
        }
        let total = self
            .len()
            .checked_add(left)
            .and_then(|len| len.checked_add(right));
        let Some(total) = total.filter(|total| *total <= isize::MAX as usize) else {
            return Err(raise!(OverflowError, "padded string is too long"));
        };
        let mut writer = PyUnicodeObject::writer(total);
        writer.push_repeated(fill, left);
        writer.push_object(self);
        writer.push_repeated(fill, right);
        writer.finish()
    }
    fn missing(&self, width: isize) -> usize {
        usize::try_from(width).unwrap_or(0).saturating_sub(self.len())
    }
    /// `str.expandtabs`.
    pub fn expand_tabs(&self, tab_size: isize) -> PyResult<Ref<PyUnicodeObject>> {
        if !super::search::has_char(self.data(), 9) {
            return Ok(self.to_exact());
        }
        let mut writer = PyUnicodeObject::writer(self.len());
        let mut column = 0usize;
        for code in self.code_points() {
            if code == 9 {
                if let Ok(tab_size @ 1..) = usize::try_from(tab_size) {
                    let n_spaces = tab_size - column % tab_size;
                    if writer
                        .len()
                        .checked_add(n_spaces)
                        .is_none_or(|len| len > isize::MAX as usize)
                    {
                        return Err(raise!(OverflowError, "new string is too long"));
                    }
                    writer.push_repeated(u32::from(b' '), n_spaces);
                    column += n_spaces;
                }
                continue;
            }
            writer.push(code);
            column = if code == 10 || code == 13 { 0 } else { column + 1 };
        }
        writer.finish()
    }
}

#[pymethods(part = UNICODE_TEXT)]
impl PyUnicodeObject {
    /// The string in the middle of width characters.
    #[method("($self, width, fillchar=' ', /)")]
    fn center(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let fill = fill_char(fillchar)?;
        let missing = self.missing(width);
        let left = missing / 2 + (missing & width as usize & 1);
        self.pad(left, missing - left, fill)
    }
    /// The string at the left of width characters.
    #[method("($self, width, fillchar=' ', /)")]
    fn ljust(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let fill = fill_char(fillchar)?;
        self.pad(0, self.missing(width), fill)
    }
    /// The string at the right of width characters.
    #[method("($self, width, fillchar=' ', /)")]
    fn rjust(&self, width: isize, fillchar: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let fill = fill_char(fillchar)?;
        self.pad(self.missing(width), 0, fill)
    }
    /// Padded on the left with zeros, behind a sign if there is one.
    #[method("($self, width, /)")]
    fn zfill(&self, width: isize) -> PyResult<Ref<PyUnicodeObject>> {
        let missing = self.missing(width);
        if missing == 0 {
            return Ok(self.to_exact());
        }
        let n_sign = usize::from(!self.is_empty() && matches!(self.char_at(0), 0x2B | 0x2D));
        let mut writer = PyUnicodeObject::writer(self.len().saturating_add(missing));
        writer.push_range(self, 0, n_sign);
        writer.push_repeated(u32::from(b'0'), missing);
        writer.push_range(self, n_sign, self.len());
        writer.finish()
    }
    /// Tabs replaced by spaces up to the next multiple of tabsize.
    #[method("($self, /, tabsize=8)")]
    fn expandtabs(&self, tabsize: i32) -> PyResult<Ref<PyUnicodeObject>> {
        self.expand_tabs(tabsize as isize)
    }
    /// The string as bytes in an encoding.
    #[method("($self, /, encoding='utf-8', errors='strict')")]
    fn encode(&self, encoding: Option<&PyUnicodeObject>, errors: Option<&PyUnicodeObject>) -> PyResult {
        codecs::encode_text(self, encoding, errors)
    }
    /// The string with its replacement fields filled in.
    #[method(raw, "($self, /, *args, **kwargs)", name = "format")]
    fn py_format(&self, args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult<Ref<PyUnicodeObject>> {
        string_format::format_with_keywords(self, args, kwargs)
    }
    /// As format, with the names looked up in a mapping.
    #[method("($self, mapping, /)")]
    fn format_map(&self, mapping: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        string_format::format_map(self, mapping)
    }
    /// The string as a format specification says.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        if format_spec.is_empty() {
            return self.as_object().str();
        }
        formatter::format_str(self, format_spec)
    }
    /// Bytes that the object takes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let units = (self.len() + 1) * self.kind();
        let header = match (self.is_compact(), self.is_ascii()) {
            (true, true) => ASCII_HEADER_SIZE,
            (true, false) => COMPACT_HEADER_SIZE,
            _ => size_of::<PyUnicodeObject>(),
        };
        let has_cache = !self.is_ascii() && !self._base.utf8.get().is_null();
        header
            + units
            + if has_cache {
                self._base.utf8_length.get() as usize + 1
            } else {
                0
            }
    }
    /// The arguments from which copy and pickle make the string anew.
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref<PyTupleObject> {
        let copy = per_kind!(self.data(), units => PyUnicodeObject::from_units(units));
        PyTupleObject::from_vec(vec![copy.into_object()])
    }
}
