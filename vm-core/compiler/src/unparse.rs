//! AST -> text: expressions as `from __future__ import annotations` and error messages print them.

use crate::bytecode::PyStr;
use std::fmt::Write;

/// `repr()` of a string.
pub fn str_repr(text: &PyStr) -> String {
    let has_single = text.as_wtf8().contains(&b'\'');
    let has_double = text.as_wtf8().contains(&b'"');
    let quote = if has_single && !has_double { '"' } else { '\'' };
    let mut out = String::new();
    out.push(quote);
    for point in text.code_points() {
        match char::from_u32(point) {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\\') => out.push_str("\\\\"),
            Some(c) if c == quote => {
                out.push('\\');
                out.push(c);
            }
            Some(c) if (c as u32) < 0x20 || c as u32 == 0x7F => drop(write!(out, "\\x{point:02x}")),
            Some(c) if c.is_ascii() => out.push(c),
            Some(c) if !c.is_control() && !is_unprintable(c) => out.push(c),
            _ if point < 0x100 => drop(write!(out, "\\x{point:02x}")),
            _ if point < 0x1_0000 => drop(write!(out, "\\u{point:04x}")),
            _ => drop(write!(out, "\\U{point:08x}")),
        }
    }
    out.push(quote);
    out
}

/// Separators and format characters, roughly: what `str.isprintable` excludes beyond control characters.
fn is_unprintable(c: char) -> bool {
    c.is_whitespace()
        || matches!(c as u32, 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE000..=0xF8FF | 0xE0000..=0xE007F | 0xF0000..=0x10FFFF)
}
