//! string literals' source text -> values. The parser's own values cannot hold lone surrogates, and the warnings about
//! invalid escapes need the source, so literals with a backslash are decoded here.

use super::convert::Converter;
use crate::ast::{Expr, ExprKind};
use crate::bytecode::code::push_code_point;
use crate::bytecode::{Constant, Position, PyStr};
use crate::error::CompileWarning;
use ruff_python_ast as ruff;
use ruff_python_ast::StringFlags;
use ruff_text_size::{Ranged, TextRange, TextSize};

/// Collects the values of a JoinedStr or TemplateStr, merging adjacent texts as CPython does.
#[derive(Default)]
struct Pieces {
    values: Vec<Expr>,
    text: Vec<u8>,
    text_pos: Option<Position>,
    unicode_prefix: bool,
}

impl Pieces {
    fn push_text(&mut self, text: &[u8], pos: Position) {
        if text.is_empty() {
            return;
        }
        self.text.extend_from_slice(text);
        let whole = self.text_pos.get_or_insert(pos);
        whole.end_line = pos.end_line;
        whole.end_col = pos.end_col;
    }

    fn flush(&mut self) {
        if let Some(pos) = self.text_pos.take() {
            let value = Constant::Str(PyStr::from_wtf8(std::mem::take(&mut self.text)));
            let kind = std::mem::take(&mut self.unicode_prefix).then(|| PyStr::from("u"));
            self.values.push(Expr {
                pos,
                kind: ExprKind::Constant { value, kind },
            });
        }
    }

    fn push(&mut self, value: Expr) {
        self.flush();
        self.values.push(value);
    }
}

impl Converter<'_> {
    pub(super) fn string_literal(&mut self, literal: &ruff::ExprStringLiteral) -> ExprKind {
        let parts = literal.value.as_slice();
        let value = match parts {
            [part] => PyStr::from_wtf8(self.string_part(part)),
            _ => {
                let mut bytes = Vec::new();
                for part in parts {
                    bytes.extend(self.string_part(part));
                }
                PyStr::from_wtf8(bytes)
            }
        };
        let kind = literal.value.is_unicode().then(|| PyStr::from("u"));
        ExprKind::Constant {
            value: Constant::Str(value),
            kind,
        }
    }

    fn string_part(&mut self, part: &ruff::StringLiteral) -> Vec<u8> {
        let range = TextRange::new(
            part.range.start() + part.flags.opener_len(),
            part.range.end() - part.flags.closer_len(),
        );
        self.decode(range, part.flags.prefix().is_raw(), false)
    }

    pub(super) fn bytes_literal(&mut self, literal: &ruff::ExprBytesLiteral) -> ExprKind {
        let mut bytes = Vec::new();
        for part in literal.value.as_slice() {
            let source = self.text(part.range);
            if source.contains('\\') && !part.flags.prefix().is_raw() {
                let range = TextRange::new(
                    part.range.start() + part.flags.opener_len(),
                    part.range.end() - part.flags.closer_len(),
                );
                self.decode_bytes(range, &mut bytes);
            } else {
                bytes.extend_from_slice(part.as_slice());
            }
        }
        ExprKind::Constant {
            value: Constant::Bytes(bytes.into()),
            kind: None,
        }
    }

    pub(super) fn f_string(&mut self, string: &ruff::ExprFString) -> ExprKind {
        let mut pieces = Pieces::default();
        for part in string.value.as_slice() {
            match part {
                ruff::FStringPart::Literal(literal) => {
                    let bytes = self.string_part(literal);
                    if pieces.text_pos.is_none() && !bytes.is_empty() {
                        pieces.unicode_prefix = literal.flags.prefix().is_unicode();
                    }
                    let pos = self.pos(literal.range);
                    pieces.push_text(&bytes, pos);
                }
                ruff::FStringPart::FString(f_string) => {
                    let raw = matches!(
                        f_string.flags.prefix(),
                        ruff::str_prefix::FStringPrefix::Raw { .. }
                    );
                    self.elements(&f_string.elements, raw, false, false, &mut pieces);
                }
            }
        }
        pieces.flush();
        ExprKind::JoinedStr {
            values: pieces.values,
        }
    }

    pub(super) fn t_string(&mut self, string: &ruff::ExprTString) -> ExprKind {
        let mut pieces = Pieces::default();
        for part in string.value.as_slice() {
            let raw = matches!(part.flags.prefix(), ruff::str_prefix::TStringPrefix::Raw { .. });
            self.elements(&part.elements, raw, true, false, &mut pieces);
        }
        pieces.flush();
        ExprKind::TemplateStr {
            values: pieces.values,
        }
    }

    fn elements(
        &mut self,
        elements: &ruff::InterpolatedStringElements,
        raw: bool,
        template: bool,
        in_spec: bool,
        pieces: &mut Pieces,
    ) {
        for element in elements {
            match element {
                ruff::InterpolatedStringElement::Literal(literal) => {
                    let bytes = self.decode(literal.range, raw, true);
                    let pos = self.pos(literal.range);
                    pieces.push_text(&bytes, pos);
                }
                ruff::InterpolatedStringElement::Interpolation(field) => {
                    self.replacement_field(field, raw, template && !in_spec, pieces);
                }
            }
        }
    }

    fn replacement_field(
        &mut self,
        field: &ruff::InterpolatedElement,
        raw: bool,
        template: bool,
        pieces: &mut Pieces,
    ) {
        let pos = self.pos(field.range);
        let value = self.expr(&field.expression);
        let mut conversion = field.conversion as i8 as i32;
        if let Some(debug) = &field.debug_text {
            let text = debug.as_str();
            let range = TextRange::at(field.range.start() + TextSize::new(1), TextSize::of(text));
            pieces.push_text(without_comments(text).as_bytes(), self.pos(range));
            if conversion == -1 && field.format_spec.is_none() {
                conversion = 'r' as i32;
            }
        }
        let format_spec = field.format_spec.as_deref().map(|spec| {
            self.spec_depth += 1;
            if self.spec_depth > 2 {
                self.too_deep(spec.range);
            }
            let mut inner = Pieces::default();
            self.elements(&spec.elements, raw, template, true, &mut inner);
            inner.flush();
            self.spec_depth -= 1;
            // From the colon on.
            let pos = self.pos(TextRange::new(
                spec.range.start() - TextSize::new(1),
                spec.range.end(),
            ));
            Box::new(Expr {
                pos,
                kind: ExprKind::JoinedStr { values: inner.values },
            })
        });
        let value = Box::new(value);
        let kind = if template {
            let str = Constant::Str(self.interpolation_text(field).into());
            ExprKind::Interpolation {
                value,
                str,
                conversion,
                format_spec,
            }
        } else {
            ExprKind::FormattedValue {
                value,
                conversion,
                format_spec,
            }
        };
        pieces.push(Expr { pos, kind });
    }

    /// The text of a t-string's expression: from the brace to `=`, `!`, `:` or the closing brace.
    fn interpolation_text(&self, field: &ruff::InterpolatedElement) -> String {
        if let Some(debug) = &field.debug_text {
            return without_comments(debug_before_equal(debug)).into_owned();
        }
        let after = self.text(TextRange::new(field.expression.end(), field.range.end()));
        let stop = end_of_expression(after);
        let start = field.range.start() + TextSize::new(1);
        let end = field.expression.end() + TextSize::new(stop as u32);
        without_comments(self.text(TextRange::new(start, end))).into_owned()
    }

    /// The value of a literal's inner text.
    fn decode(&mut self, range: TextRange, raw: bool, braces: bool) -> Vec<u8> {
        let source = self.source;
        let text = &source[range];
        let is_plain = !text.contains('\\') && (!braces || !text.contains(['{', '}']));
        if is_plain {
            return text.as_bytes().to_vec();
        }
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                brace @ (b'{' | b'}') if braces => {
                    out.push(brace);
                    at += if bytes.get(at + 1) == Some(&brace) { 2 } else { 1 };
                }
                b'\\' if !raw => at = self.escape(text, at, range.start(), braces, &mut out),
                other => {
                    out.push(other);
                    at += 1;
                }
            }
        }
        out
    }

    /// Decodes the escape at `at`; the index after it.
    fn escape(&mut self, text: &str, at: usize, start: TextSize, braces: bool, out: &mut Vec<u8>) -> usize {
        let bytes = text.as_bytes();
        let Some(&letter) = bytes.get(at + 1) else {
            if braces {
                self.invalid_escape("\\", '{', start, at);
            }
            out.push(b'\\');
            return at + 1;
        };
        if braces && matches!(letter, b'{' | b'}') {
            self.invalid_escape("\\", letter as char, start, at);
            out.push(b'\\');
            return at + 1;
        }
        if let Some(byte) = simple_escape(letter) {
            out.push(byte);
            return at + 2;
        }
        let hex_digits = |n: usize| {
            u32::from_str_radix(text.get(at + 2..at + 2 + n)?, 16)
                .ok()
                .map(|v| (v, n))
        };
        let numeric = match letter {
            b'\n' => return at + 2,
            b'0'..=b'7' => return self.octal_escape(bytes, at, start, |value| push_code_point(out, value)),
            b'x' => hex_digits(2),
            b'u' => hex_digits(4),
            b'U' => hex_digits(8),
            b'N' => {
                let rest = &text[at + 2..];
                let close = rest.find('}').unwrap_or(0);
                let name = rest.get(1..close).unwrap_or("");
                match crate::names::character(name) {
                    Some(c) => push_code_point(out, c as u32),
                    None => self.unknown_name(start, at, close + 2),
                }
                return at + 3 + close;
            }
            _ => None,
        };
        match numeric {
            Some((value, n)) => {
                push_code_point(out, value);
                at + 2 + n
            }
            None => {
                let c = text[at + 1..].chars().next().unwrap_or('\\');
                self.invalid_escape("\\", c, start, at);
                out.push(b'\\');
                at + 1
            }
        }
    }

    fn octal_escape(&mut self, bytes: &[u8], at: usize, start: TextSize, mut push: impl FnMut(u32)) -> usize {
        let digits = bytes[at + 1..]
            .iter()
            .take(3)
            .take_while(|b| matches!(b, b'0'..=b'7'))
            .count();
        let value = bytes[at + 1..at + 1 + digits]
            .iter()
            .fold(0, |v, b| v * 8 + (*b - b'0') as u32);
        if value > 0xFF {
            let text = String::from_utf8_lossy(&bytes[at + 1..at + 1 + digits]).into_owned();
            self.warn(
                start + TextSize::new(at as u32),
                format!(
                    "\"\\{text}\" is an invalid octal escape sequence. Such sequences will not work in the future. \
                     Did you mean \"\\\\{text}\"? A raw string is also an option."
                ),
            );
        }
        push(value);
        at + 1 + digits
    }

    /// Warns of what is wrong in a string literal that is not made into a constant.
    pub(super) fn warn_of_escapes(&mut self, literal: TextRange) {
        let text = &self.source[literal];
        let Some(quote) = text.find(['"', '\'']) else {
            return;
        };
        let prefix = text[..quote].to_ascii_lowercase();
        let triple = text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''");
        let size = if triple { 3 } else { 1 };
        if prefix.contains('r') || text.len() < quote + 2 * size {
            return;
        }
        let start = literal.start() + TextSize::new((quote + size) as u32);
        let body = TextRange::new(start, literal.end() - TextSize::new(size as u32));
        if prefix.contains('b') {
            self.decode_bytes(body, &mut Vec::new());
        } else {
            self.decode(body, false, false);
        }
    }

    fn decode_bytes(&mut self, range: TextRange, out: &mut Vec<u8>) {
        let source = self.source;
        let bytes = source[range].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let letter = bytes.get(at + 1).copied();
            match (bytes[at], letter) {
                (b'\\', Some(b'\n')) => at += 2,
                (b'\\', Some(b'0'..=b'7')) => {
                    let n_warnings = self.warnings.len();
                    at = self.octal_escape(bytes, at, range.start(), |value| out.push(value as u8));
                    if self.warnings.len() > n_warnings {
                        self.count_from_quote(range);
                    }
                }
                (b'\\', Some(b'x')) => {
                    let digits = source[range].get(at + 2..at + 4);
                    match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                        Some(value) => out.push(value),
                        None => self.bad_bytes_escape(range, at),
                    }
                    at += 4;
                }
                (b'\\', Some(letter)) => match simple_escape(letter) {
                    Some(byte) => {
                        out.push(byte);
                        at += 2;
                    }
                    None => {
                        self.invalid_escape("\\", letter as char, range.start(), at);
                        self.count_from_quote(range);
                        out.push(b'\\');
                        at += 1;
                    }
                },
                (byte, _) => {
                    out.push(byte);
                    at += 1;
                }
            }
        }
    }

    /// In bytes literals the column of a warning counts from behind the quote.
    fn count_from_quote(&mut self, literal: TextRange) {
        let (line, col) = self.lines.line_col(literal.start());
        if let Some(warning) = self
            .warnings
            .last_mut()
            .filter(|warning| warning.pos.line == line)
        {
            warning.pos.col -= col;
            warning.pos.end_col -= col;
        }
    }

    fn invalid_escape(&mut self, slash: &str, letter: char, start: TextSize, at: usize) {
        self.warn(
            start + TextSize::new(at as u32),
            format!(
                "\"{slash}{letter}\" is an invalid escape sequence. Such sequences will not work in the future. \
                 Did you mean \"\\\\{letter}\"? A raw string is also an option."
            ),
        );
    }

    fn warn(&mut self, at: TextSize, message: String) {
        let pos = self.pos(TextRange::empty(at));
        self.warnings.push(CompileWarning { message, pos });
    }
}

fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// `{ x = !r}`: the text before the `=`.
fn debug_before_equal(debug: &ruff::DebugText) -> &str {
    let text = debug.as_str();
    let trailing = debug.trailing();
    let cut = text.len() - trailing.len() + trailing.find('=').unwrap_or(trailing.len());
    &text[..cut]
}

/// The text of an expression without its comments.
fn without_comments(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('#') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut in_comment, mut escaped) = (None, false, false);
    for c in text.chars() {
        if std::mem::take(&mut escaped) {
            out.push(c);
            continue;
        }
        escaped = c == '\\' && quote.is_some();
        match (c, quote) {
            ('\n', _) => {
                in_comment = false;
                out.push(c);
            }
            _ if in_comment => {}
            ('#', None) => in_comment = true,
            ('"' | '\'', None) => {
                quote = Some(c);
                out.push(c);
            }
            (_, Some(open)) if open == c => {
                quote = None;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.into()
}

/// Where the expression part of a replacement field ends, after the expression node: skips closing parentheses, white
/// space and comments.
fn end_of_expression(text: &str) -> usize {
    let mut in_comment = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => in_comment = false,
            b'#' => in_comment = true,
            b'!' | b':' | b'}' if !in_comment => return at,
            _ => {}
        }
    }
    text.len()
}
