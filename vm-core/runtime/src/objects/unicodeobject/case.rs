//! Case mappings and the `is…` tests of strings.

use super::{StrData, UnicodeWriter};
use crate::objects::unicodectype::{self, CaseMapping, map_full};
use crate::per_kind;
use crate::prelude::*;

/// Appends what a character maps to.
#[inline]
fn push_mapped(writer: &mut UnicodeWriter, code: u32, mapping: CaseMapping) {
    let (mapped, len) = map_full(code, mapping);
    mapped[..len].iter().for_each(|&code| writer.push(code));
}

/// The lower form of a sigma depends on whether it ends a word.
fn lower_sigma(data: StrData<'_>, idx: usize) -> u32 {
    let before = (0..idx)
        .rev()
        .map(|idx| data.at(idx))
        .find(|&code| !unicodectype::is_case_ignorable(code));
    let after = (idx + 1..data.len())
        .map(|idx| data.at(idx))
        .find(|&code| !unicodectype::is_case_ignorable(code));
    let is_final = before.is_some_and(unicodectype::is_cased) && !after.is_some_and(unicodectype::is_cased);
    if is_final { 0x3C2 } else { 0x3C3 }
}

#[inline]
fn push_lower(writer: &mut UnicodeWriter, data: StrData<'_>, idx: usize) {
    match data.at(idx) {
        0x3A3 => writer.push(lower_sigma(data, idx)),
        code => push_mapped(writer, code, CaseMapping::Lower),
    }
}

impl PyUnicodeObject {
    fn map_ascii(&self, map: impl Fn(usize, u8) -> u8) -> Option<PyResult<Ref<PyUnicodeObject>>> {
        let text = self.ascii_str()?.as_bytes();
        // SAFETY: every byte is written once; the maps keep to ASCII.
        Some(unsafe {
            PyUnicodeObject::with_fill(text.len(), 0x7F, |target| {
                text.iter()
                    .enumerate()
                    .for_each(|(idx, &byte)| *target.add(idx) = map(idx, byte));
            })
        })
    }
    fn map_each(
        &self,
        mut push: impl FnMut(&mut UnicodeWriter, StrData<'_>, usize),
    ) -> PyResult<Ref<PyUnicodeObject>> {
        let mut writer = PyUnicodeObject::writer(self.len());
        let data = self.data();
        (0..data.len()).for_each(|idx| push(&mut writer, data, idx));
        writer.finish()
    }
    pub fn to_lower(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.map_ascii(|_, byte| byte.to_ascii_lowercase())
            .unwrap_or_else(|| self.map_each(push_lower))
    }
    pub fn to_upper(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.map_ascii(|_, byte| byte.to_ascii_uppercase())
            .unwrap_or_else(|| {
                self.map_each(|writer, data, idx| push_mapped(writer, data.at(idx), CaseMapping::Upper))
            })
    }
    pub fn to_casefold(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.map_ascii(|_, byte| byte.to_ascii_lowercase())
            .unwrap_or_else(|| {
                self.map_each(|writer, data, idx| push_mapped(writer, data.at(idx), CaseMapping::Fold))
            })
    }
    /// Whether the characters are all as `test` says, and there is one.
    #[inline]
    fn all(&self, test: impl Fn(u32) -> bool) -> bool {
        !self.is_empty() && per_kind!(self.data(), units => units.iter().all(|&unit| test(unit.into())))
    }
    /// Whether there are characters with case and all of them are as `wanted` says.
    fn all_cased(&self, wanted: impl Fn(u32) -> bool, other: impl Fn(u32) -> bool) -> bool {
        let mut any = false;
        for code in self.code_points() {
            if other(code) || unicodectype::is_title(code) {
                return false;
            }
            any |= wanted(code);
        }
        any
    }
    /// Whether the string is an identifier (a keyword too).
    pub fn is_identifier(&self) -> bool {
        let mut codes = self.code_points();
        codes.next().is_some_and(unicodectype::is_identifier_start)
            && codes.all(unicodectype::is_identifier_continue)
    }
}

#[pymethods(part = UNICODE_CASE)]
impl PyUnicodeObject {
    /// All characters in lower case.
    #[method("($self, /)")]
    fn lower(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.to_lower()
    }
    /// All characters in upper case.
    #[method("($self, /)")]
    fn upper(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.to_upper()
    }
    /// A form for comparing without regard to case.
    #[method("($self, /)")]
    fn casefold(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.to_casefold()
    }
    /// The first character in title case, the others in lower case.
    #[method("($self, /)")]
    fn capitalize(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let ascii = self.map_ascii(|idx, byte| {
            if idx == 0 {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            }
        });
        ascii.unwrap_or_else(|| {
            self.map_each(|writer, data, idx| match idx {
                0 => push_mapped(writer, data.at(0), CaseMapping::Title),
                _ => push_lower(writer, data, idx),
            })
        })
    }
    /// Words begin in title case and go on in lower case.
    #[method("($self, /)")]
    fn title(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let mut after_cased = false;
        self.map_each(|writer, data, idx| {
            if after_cased {
                push_lower(writer, data, idx);
            } else {
                push_mapped(writer, data.at(idx), CaseMapping::Title);
            }
            after_cased = has_case(data.at(idx));
        })
    }
    /// Upper case characters in lower case, and the other way round.
    #[method("($self, /)")]
    fn swapcase(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let swap = |byte: u8| {
            if byte.is_ascii_lowercase() {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            }
        };
        self.map_ascii(|_, byte| swap(byte)).unwrap_or_else(|| {
            self.map_each(|writer, data, idx| match data.at(idx) {
                code if unicodectype::is_upper(code) => push_lower(writer, data, idx),
                code if unicodectype::is_lower(code) => push_mapped(writer, code, CaseMapping::Upper),
                code => writer.push(code),
            })
        })
    }
    /// Whether all characters are alphabetic and there is one.
    #[method("($self, /)")]
    fn isalpha(&self) -> bool {
        self.all(unicodectype::is_alpha)
    }
    /// Whether all characters are alphabetic or numeric and there is one.
    #[method("($self, /)")]
    fn isalnum(&self) -> bool {
        self.all(unicodectype::is_alnum)
    }
    /// Whether all characters are ASCII.
    #[method("($self, /)")]
    fn isascii(&self) -> bool {
        self.is_ascii()
    }
    /// Whether all characters are decimal digits and there is one.
    #[method("($self, /)")]
    fn isdecimal(&self) -> bool {
        self.all(unicodectype::is_decimal)
    }
    /// Whether all characters are digits and there is one.
    #[method("($self, /)")]
    fn isdigit(&self) -> bool {
        self.all(unicodectype::is_digit)
    }
    /// Whether all characters are numeric and there is one.
    #[method("($self, /)")]
    fn isnumeric(&self) -> bool {
        self.all(unicodectype::is_numeric)
    }
    /// Whether all characters are white space and there is one.
    #[method("($self, /)")]
    fn isspace(&self) -> bool {
        self.all(unicodectype::is_space)
    }
    /// Whether all characters can be printed.
    #[method("($self, /)")]
    fn isprintable(&self) -> bool {
        self.is_empty() || self.all(unicodectype::is_printable)
    }
    /// Whether the string is a valid identifier.
    #[method("($self, /)")]
    fn isidentifier(&self) -> bool {
        self.is_identifier()
    }
    /// Whether all characters with case are in lower case and there is one.
    #[method("($self, /)")]
    fn islower(&self) -> bool {
        self.all_cased(unicodectype::is_lower, unicodectype::is_upper)
    }
    /// Whether all characters with case are in upper case and there is one.
    #[method("($self, /)")]
    fn isupper(&self) -> bool {
        self.all_cased(unicodectype::is_upper, unicodectype::is_lower)
    }
    /// Whether every word begins in upper or title case and goes on in lower case, and there is one.
    #[method("($self, /)")]
    fn istitle(&self) -> bool {
        let (mut any, mut after_cased) = (false, false);
        for code in self.code_points() {
            if unicodectype::is_upper(code) || unicodectype::is_title(code) {
                if after_cased {
                    return false;
                }
                (any, after_cased) = (true, true);
            } else if unicodectype::is_lower(code) {
                if !after_cased {
                    return false;
                }
                any = true;
            } else {
                after_cased = false;
            }
        }
        any
    }
}

/// Whether the character has case, be it ignorable or not: what tells `title` that a word goes on.
#[inline]
fn has_case(code: u32) -> bool {
    unicodectype::is_lower(code)
        || unicodectype::is_upper(code)
        || unicodectype::is_title(code)
        || unicodectype::is_cased(code)
}
