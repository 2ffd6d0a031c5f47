//! `repr` and `ascii` of strings: quoting and escapes.

use super::UnicodeWriter;
use crate::objects::unicodectype;
use crate::prelude::*;

/// Appends the escape of a character that is not shown as it is.
pub(crate) fn push_escape(writer: &mut UnicodeWriter, code: u32) {
    let hex = |writer: &mut UnicodeWriter, letter: u8, n_digits: u32| {
        writer.push_ascii(&[b'\\', letter]);
        for place in (0..n_digits).rev() {
            writer.push(u32::from(
                b"0123456789abcdef"[(code >> (4 * place) & 15) as usize],
            ));
        }
    };
    match code {
        0x09 => writer.push_ascii(b"\\t"),
        0x0A => writer.push_ascii(b"\\n"),
        0x0D => writer.push_ascii(b"\\r"),
        0..0x100 => hex(writer, b'x', 2),
        0x100..0x1_0000 => hex(writer, b'u', 4),
        _ => hex(writer, b'U', 8),
    }
}

/// The quote that `repr` chooses: double ones only when that saves escapes.
fn quote_for(text: &PyUnicodeObject) -> u8 {
    let data = text.data();
    let has = |quote| super::search::has_char(data, u32::from(quote));
    if has(b'\'') && !has(b'"') { b'"' } else { b'\'' }
}

impl PyUnicodeObject {
    /// `repr(self)`: quoted, what cannot be printed escaped.
    pub fn repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.quoted(unicodectype::is_printable)
    }
    /// `ascii(self)`.
    pub fn ascii_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.quoted(|code| (0x20..0x7F).contains(&code))
    }
    fn quoted(&self, shown: impl Fn(u32) -> bool) -> PyResult<Ref<PyUnicodeObject>> {
        let quote = u32::from(quote_for(self));
        let mut writer = PyUnicodeObject::writer(self.len() + 2);
        writer.push(quote);
        let len = self.len();
        let (data, mut start) = (self.data(), 0);
        for idx in 0..len {
            let code = data.at(idx);
            let plain = code != quote && code != u32::from(b'\\') && shown(code);
            if plain {
                continue;
            }
            writer.push_range(self, start, idx);
            start = idx + 1;
            if code == quote || code == u32::from(b'\\') {
                writer.push(u32::from(b'\\'));
                writer.push(code);
            } else {
                push_escape(&mut writer, code);
            }
        }
        writer.push_range(self, start, len);
        writer.push(quote);
        writer.finish()
    }
    /// The string with everything but ASCII escaped: what `ascii()` does to a repr.
    pub fn escape_non_ascii(&self) -> PyResult<Ref<PyUnicodeObject>> {
        if self.is_ascii() {
            return Ok(self.to_ref());
        }
        let mut writer = PyUnicodeObject::writer(self.len() * 2);
        for code in self.code_points() {
            if code < 0x80 {
                writer.push(code);
            } else {
                push_escape(&mut writer, code);
            }
        }
        writer.finish()
    }
}
