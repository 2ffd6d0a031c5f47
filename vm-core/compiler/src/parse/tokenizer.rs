//! source text -> tokens, or the error that CPython's tokenizer stops at. Runs only after the parser has found an error: its
//! tokens tell `errors` what stands where, its errors come before the parser's.

use super::Mode;
use super::source::LineIndex;
use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use ruff_text_size::TextSize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Name,
    Number,
    String,
    /// An f-string or t-string begins, ends.
    TemplateStart,
    TemplateEnd,
    /// Text in an f-string or t-string.
    TemplateMiddle,
    Op,
    Newline,
    Indent,
    Dedent,
    End,
}

#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// Number of open brackets around the token.
    pub level: usize,
}

/// `end_col` values that SyntaxError shows as 0 and -1.
pub const END_ZERO: i32 = -1;
pub const END_MINUS_ONE: i32 = -2;

pub struct Tokens {
    pub tokens: Vec<Token>,
    pub error: Option<CompileError>,
    /// The innermost bracket that is open at the end.
    pub unclosed: Option<usize>,
}

/// An f-string that is being read.
struct Template {
    kind: char,
    start: usize,
    quote: u8,
    triple: bool,
    raw: bool,
    /// Bracket levels at which replacement fields are open, and whether their format spec has begun.
    fields: Vec<(usize, bool)>,
}

struct Tokenizer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    lines: &'a LineIndex,
    at: usize,
    out: Vec<Token>,
    brackets: Vec<(u8, usize)>,
    templates: Vec<Template>,
    /// Columns of the open indentations: with tabs as 8, with tabs as 1.
    indents: Vec<(usize, usize)>,
    /// The text of a module gets the newline that its last line may lack.
    ends_line: bool,
    /// The last line that a backslash joined to the one before, and where its buffer begins, both as offsets.
    joined: Option<(usize, usize)>,
}

type Step<T = ()> = Result<T, CompileError>;

pub fn tokenize(text: &str, lines: &LineIndex, mode: Mode) -> Tokens {
    let bytes = text.as_bytes();
    let mut tokenizer = Tokenizer {
        text,
        bytes,
        lines,
        at: 0,
        out: Vec::new(),
        brackets: Vec::new(),
        templates: Vec::new(),
        indents: vec![(0, 0)],
        ends_line: mode == Mode::Exec,
        joined: None,
    };
    let error = tokenizer.run().err();
    let unclosed = tokenizer.brackets.last().map(|(_, at)| *at);
    Tokens {
        tokens: tokenizer.out,
        error,
        unclosed,
    }
}

impl Tokenizer<'_> {
    /// An error whose offset is that of the last byte read before `at`, as the tokenizer counts.
    fn error<T>(&self, at: usize, message: impl Into<String>) -> Step<T> {
        let (line, col) = self.lines.line_col(TextSize::new(at as u32));
        let col = (col - 1).max(0);
        let pos = Position {
            line,
            end_line: line,
            col,
            end_col: col,
        };
        Err(CompileError {
            from_tokenizer: true,
            ..CompileError::syntax(message, pos)
        })
    }

    fn error_range<T>(&self, start: usize, end: usize, message: impl Into<String>) -> Step<T> {
        let range = ruff_text_size::TextRange::new((start as u32).into(), (end.max(start) as u32).into());
        let error = CompileError::syntax(message, self.lines.position(range));
        Err(CompileError {
            from_tokenizer: true,
            ..error
        })
    }

    fn peek(&self, offset: usize) -> u8 {
        self.bytes.get(self.at + offset).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize) {
        let level = self.brackets.len();
        self.out.push(Token {
            kind,
            start,
            end: self.at,
            level,
        });
    }

    fn run(&mut self) -> Step {
        let mut line_start = true;
        loop {
            if line_start && self.brackets.is_empty() && self.templates.is_empty() {
                self.indentation()?;
            }
            line_start = false;
            if self
                .templates
                .last()
                .is_some_and(|t| t.fields.last().is_none_or(|field| field.1))
            {
                self.template_text()?;
                if self.at >= self.bytes.len() {
                    break;
                }
                continue;
            }
            match self.peek(0) {
                0 if self.at >= self.bytes.len() => break,
                b' ' | b'\t' | b'\x0C' => self.at += 1,
                b'#' => {
                    while self.at < self.bytes.len() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                b'\n' => {
                    let start = self.at;
                    self.at += 1;
                    if self.brackets.is_empty() {
                        if self
                            .out
                            .last()
                            .is_some_and(|t| !matches!(t.kind, Kind::Newline | Kind::Indent | Kind::Dedent))
                        {
                            self.push(Kind::Newline, start);
                        }
                        line_start = true;
                    }
                }
                b'\\' => self.continuation()?,
                b'0'..=b'9' => self.number()?,
                b'.' if self.peek(1).is_ascii_digit() => self.number()?,
                b'"' | b'\'' => self.string(self.at)?,
                b if b == b'_' || b.is_ascii_alphabetic() || b >= 0x80 => self.name()?,
                _ => self.operator()?,
            }
        }
        if self.out.last().is_some_and(|t| t.kind != Kind::Newline) && self.brackets.is_empty() {
            self.push(Kind::Newline, self.at);
        }
        if self.brackets.is_empty() {
            for _ in 1..self.indents.len() {
                self.push(Kind::Dedent, self.at);
            }
        }
        self.push(Kind::End, self.at);
        Ok(())
    }

    fn indentation(&mut self) -> Step {
        let line = self.at;
        let (mut col, mut alt) = (0, 0);
        let mut continued = None;
        loop {
            match self.peek(0) {
                b' ' => (col, alt) = (col + 1, alt + 1),
                b'\t' => (col, alt) = ((col / 8 + 1) * 8, alt + 1),
                b'\x0C' => (col, alt) = (0, 0),
                b'\\' if self.peek(1) == b'\n' => {
                    // Of an indentation that is continued, the first line's counts.
                    continued = continued.or(Some((col, alt)));
                    (col, alt) = (0, 0);
                    self.at += 1;
                }
                _ => break,
            }
            self.at += 1;
        }
        if let Some(first) = continued.filter(|first| first.0 > 0) {
            (col, alt) = first;
        }
        if matches!(self.peek(0), b'\n' | b'#' | b'\\') || self.at >= self.bytes.len() {
            return Ok(());
        }
        let &(top, top_alt) = self.indents.last().unwrap_or(&(0, 0));
        let tab_error = |this: &Self| {
            let (lineno, _) = this.lines.line_col(TextSize::new(line as u32));
            let pos = Position {
                line: lineno,
                end_line: lineno,
                col: 0,
                end_col: END_ZERO,
            };
            let message = "inconsistent use of tabs and spaces in indentation";
            Err(CompileError::at(ErrorKind::TabError, message, pos))
        };
        if col == top {
            return if alt != top_alt { tab_error(self) } else { Ok(()) };
        }
        if col > top {
            if alt <= top_alt {
                return tab_error(self);
            }
            self.indents.push((col, alt));
            if self.indents.len() > super::errors::MAX_INDENTS {
                let (line, _) = self.lines.line_col(TextSize::new(self.at as u32));
                let pos = Position {
                    line,
                    end_line: line,
                    col: 0,
                    end_col: END_ZERO,
                };
                let message = "too many levels of indentation";
                return Err(CompileError {
                    from_tokenizer: true,
                    ..CompileError::at(ErrorKind::IndentationError, message, pos)
                });
            }
            self.push(Kind::Indent, line);
            return Ok(());
        }
        while self.indents.last().is_some_and(|indent| indent.0 > col) {
            self.indents.pop();
            self.push(Kind::Dedent, self.at);
        }
        let &(top, top_alt) = self.indents.last().unwrap_or(&(0, 0));
        if top != col {
            let (lineno, _) = self.lines.line_col(TextSize::new(line as u32));
            let end = self.text[line..]
                .find('\n')
                .map_or(self.bytes.len(), |n| line + n);
            let pos = Position {
                line: lineno,
                end_line: lineno,
                col: (end - line) as i32,
                end_col: END_MINUS_ONE,
            };
            let message = "unindent does not match any outer indentation level";
            return Err(CompileError::at(ErrorKind::IndentationError, message, pos));
        }
        if top_alt != alt { tab_error(self) } else { Ok(()) }
    }

    /// Where CPython's buffer begins when a line is read: with the first line of a token that goes over its start, or of
    /// lines that backslashes join.
    fn buffer_start(&self, line_start: usize) -> usize {
        if let Some((_, start)) = self.joined.filter(|(line, _)| *line == line_start) {
            return start;
        }
        let mut behind = self.out.iter().rev().take_while(|token| token.end > line_start);
        match behind.find(|token| token.kind == Kind::String && token.start < line_start) {
            Some(token) => self.buffer_start(self.line_start(token.start)),
            None => line_start,
        }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn continuation(&mut self) -> Step {
        let start = self.at;
        self.at += 1;
        let is_last = self.at >= self.bytes.len();
        if self.peek(0) == b'\n' {
            self.at += 1;
            if self.at < self.bytes.len() {
                self.joined = Some((self.at, self.buffer_start(self.line_start(start))));
                return Ok(());
            }
        }
        let (line, col) = self.lines.line_col(TextSize::new(start as u32));
        if self.at >= self.bytes.len() && (!is_last || self.ends_line) {
            let pos = Position {
                line,
                end_line: line,
                col: col + 1,
                end_col: END_MINUS_ONE,
            };
            return Err(CompileError::syntax("unexpected EOF while parsing", pos));
        }
        // The offset is that of the last character read in the buffer, which may begin before the line.
        let line_start = self.line_start(start);
        let newline = self.text[start..].find('\n');
        let line_end = newline.map_or(self.bytes.len() + usize::from(self.ends_line), |at| {
            start + at + 1
        });
        let last_read = start + usize::from(!is_last);
        let col = (last_read - self.buffer_start(line_start)).min(line_end - line_start) as i32;
        let pos = Position {
            line,
            end_line: line,
            col,
            end_col: END_ZERO,
        };
        Err(CompileError::syntax(
            "unexpected character after line continuation character",
            pos,
        ))
    }

    fn name(&mut self) -> Step {
        let start = self.at;
        for c in self.text[start..].chars() {
            if c == '_' || c.is_alphanumeric() {
                self.at += c.len_utf8();
            } else if c.is_ascii() || !self.bytes[start].is_ascii() && self.at > start && is_mark(c) {
                if c.is_ascii() {
                    break;
                }
                self.at += c.len_utf8();
            } else if is_mark(c) {
                self.at += c.len_utf8();
            } else {
                let (line, col) = self.lines.line_col(TextSize::new(self.at as u32));
                let pos = Position {
                    line,
                    end_line: line,
                    col,
                    end_col: col,
                };
                let number = c as u32;
                let message = if !is_printable(c) {
                    format!("invalid non-printable character U+{number:04X}")
                } else {
                    format!("invalid character '{c}' (U+{number:04X})")
                };
                return Err(CompileError {
                    from_tokenizer: true,
                    ..CompileError::syntax(message, pos)
                });
            }
        }
        if matches!(self.peek(0), b'"' | b'\'') && self.prefix(start)? {
            return self.string(start);
        }
        self.push(Kind::Name, start);
        Ok(())
    }

    /// Whether the name before a quote is a string prefix.
    fn prefix(&self, start: usize) -> Step<bool> {
        let word = self.text[start..self.at].to_ascii_lowercase();
        if !word
            .bytes()
            .all(|b| matches!(b, b'b' | b'r' | b'u' | b'f' | b't'))
        {
            return Ok(false);
        }
        let has = |letter: char| word.contains(letter);
        for (first, second) in [
            ('u', 'b'),
            ('u', 'r'),
            ('u', 'f'),
            ('u', 't'),
            ('b', 'f'),
            ('b', 't'),
            ('f', 't'),
        ] {
            if has(first) && has(second) {
                let message = format!("'{first}' and '{second}' prefixes are incompatible");
                return self.error_range(start, self.at, message);
            }
        }
        let repeated = word.len() > 1 && word.bytes().any(|b| word.bytes().filter(|c| *c == b).count() > 1);
        Ok(!repeated)
    }

    fn string(&mut self, start: usize) -> Step {
        let prefix = self.text[start..self.at].to_ascii_lowercase();
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let size = if triple { 3 } else { 1 };
        let raw = prefix.contains('r');
        if let Some(kind) = prefix.chars().find(|c| matches!(c, 'f' | 't')) {
            self.at += size;
            if self.templates.len() + 1 >= super::errors::MAX_TEMPLATES {
                return self.error(self.at, "too many nested f-strings or t-strings");
            }
            self.push(Kind::TemplateStart, start);
            self.templates.push(Template {
                kind,
                start,
                quote,
                triple,
                raw,
                fields: Vec::new(),
            });
            return Ok(());
        }
        self.at += size;
        let mut escaped_quote = false;
        loop {
            let b = self.peek(0);
            if self.at >= self.bytes.len() || b == b'\n' && !triple {
                return self.unterminated(start, quote, triple, "string", escaped_quote);
            }
            if b == quote && (!triple || self.peek(1) == quote && self.peek(2) == quote) {
                self.at += size;
                break;
            }
            if b == b'\\' {
                escaped_quote |= self.peek(1) == quote;
                self.at += 1;
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        self.push(Kind::String, start);
        Ok(())
    }

    fn unterminated<T>(&self, start: usize, quote: u8, triple: bool, what: &str, escaped: bool) -> Step<T> {
        if let Some(outer) = self.templates.last()
            && what == "string"
            && outer.quote == quote
            && outer.triple == triple
        {
            return self.error(start + 1, format!("{}-string: expecting '}}'", outer.kind));
        }
        let end = self.at.min(self.bytes.len());
        let (mut line, _) = self.lines.line_col(TextSize::new(end as u32));
        if triple && end > start && self.bytes[end - 1] == b'\n' {
            line -= 1;
        }
        let triple_text = if triple { "triple-quoted " } else { "" };
        let hint = if escaped && !triple {
            "; perhaps you escaped the end quote?"
        } else {
            ""
        };
        let message = format!("unterminated {triple_text}{what} literal (detected at line {line}){hint}");
        self.error(
            start + 1,
            message.trim_end_matches('?').to_owned() + if hint.is_empty() { "" } else { "?" },
        )
    }

    /// Text of an f-string up to a replacement field or its end.
    fn template_text(&mut self) -> Step {
        let Some(template) = self.templates.last() else {
            return Ok(());
        };
        let (quote, triple, raw, start, kind) = (
            template.quote,
            template.triple,
            template.raw,
            template.start,
            template.kind,
        );
        let in_spec = !template.fields.is_empty();
        let text_start = self.at;
        let what = if kind == 'f' { "f-string" } else { "t-string" };
        loop {
            let b = self.peek(0);
            if self.at >= self.bytes.len() || b == b'\n' && !triple {
                if in_spec {
                    let message = if b == b'\n' {
                        format!(
                            "{what}: newlines are not allowed in format specifiers for single quoted {what}s"
                        )
                    } else {
                        format!("{what}: expecting '}}'")
                    };
                    return self.error_range(self.at, self.at, message);
                }
                return self.unterminated(start, quote, triple, what, false);
            }
            if b == quote && (!triple || self.peek(1) == quote && self.peek(2) == quote) {
                if in_spec {
                    let at = self.at;
                    return self.error_range(at, at + 1, format!("{what}: expecting '}}', or format specs"));
                }
                let at = self.at;
                self.template_middle(text_start);
                self.at += if triple { 3 } else { 1 };
                self.templates.pop();
                self.push(Kind::TemplateEnd, at);
                return Ok(());
            }
            match b {
                b'{' if self.peek(1) == b'{' && !in_spec => self.at += 2,
                b'}' if self.peek(1) == b'}' && !in_spec => self.at += 2,
                b'{' => {
                    let at = self.at;
                    self.template_middle(text_start);
                    self.at += 1;
                    self.push(Kind::Op, at);
                    self.brackets.push((b'{', at));
                    let level = self.brackets.len();
                    if let Some(template) = self.templates.last_mut() {
                        template.fields.push((level, false));
                    }
                    return Ok(());
                }
                b'}' if in_spec => {
                    let at = self.at;
                    let after_colon = self
                        .out
                        .last()
                        .is_some_and(|token| self.text.get(token.start..token.end) == Some(":"));
                    if after_colon && at == text_start {
                        self.push(Kind::TemplateMiddle, at);
                    }
                    self.template_middle(text_start);
                    self.at += 1;
                    self.brackets.pop();
                    self.push(Kind::Op, at);
                    if let Some(template) = self.templates.last_mut() {
                        template.fields.pop();
                    }
                    return Ok(());
                }
                b'}' => return self.error(self.at + 1, format!("{what}: single '}}' is not allowed")),
                b'\\' if raw => self.at += 1,
                b'\\' if self.peek(1) == b'N' && self.peek(2) == b'{' && !raw => {
                    let close = self.text[self.at..].find('}').unwrap_or(2);
                    self.at += close + 1;
                }
                b'\\' if matches!(self.peek(1), b'{' | b'}') => self.at += 1,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn template_middle(&mut self, start: usize) {
        if self.at > start {
            self.push(Kind::TemplateMiddle, start);
        }
    }

    fn operator(&mut self) -> Step {
        let start = self.at;
        let b = self.peek(0);
        match b {
            b'(' | b'[' | b'{' => {
                self.at += 1;
                self.push(Kind::Op, start);
                self.brackets.push((b, start));
                if self.brackets.len() > super::errors::MAX_BRACKETS {
                    return self.error(self.at, "too many nested parentheses");
                }
                return Ok(());
            }
            b')' | b']' | b'}' => return self.close(b),
            b':' | b'!' | b'=' if self.in_field() => {
                if b == b':' {
                    self.at += 1;
                    self.push(Kind::Op, start);
                    if let Some(field) = self.templates.last_mut().and_then(|t| t.fields.last_mut()) {
                        field.1 = true;
                    }
                    return Ok(());
                }
                if b == b'!' && self.peek(1) != b'=' {
                    self.at += 1;
                    self.push(Kind::Op, start);
                    return Ok(());
                }
            }
            _ => {}
        }
        if b < b' ' || b == 0x7F {
            return self.error(start + 1, format!("invalid non-printable character U+{b:04X}"));
        }
        const OPERATORS: [&str; 24] = [
            "**=", "//=", ">>=", "<<=", "...", "!=", "%=", "&=", "**", "*=", "+=", "-=", "->", "//", "/=",
            ":=", "<<", "<=", "<>", "==", ">=", ">>", "@=", "^=",
        ];
        let rest = &self.text[start..];
        let len = OPERATORS
            .iter()
            .find(|op| rest.starts_with(**op))
            .map_or(1, |op| op.len());
        self.at += if rest.starts_with("|=") { 2 } else { len };
        self.push(Kind::Op, start);
        Ok(())
    }

    /// Whether the innermost bracket is a replacement field's.
    fn in_field(&self) -> bool {
        let level = self.brackets.len();
        self.templates
            .last()
            .and_then(|t| t.fields.last())
            .is_some_and(|field| field.0 == level)
    }

    fn close(&mut self, b: u8) -> Step {
        let start = self.at;
        self.at += 1;
        let closing = b as char;
        let Some(&(open, open_at)) = self.brackets.last() else {
            return self.error(self.at, format!("unmatched '{closing}'"));
        };
        if self.in_field() && b != b'}' {
            let kind = self.templates.last().map_or('f', |t| t.kind);
            return self.error(self.at, format!("{kind}-string: unmatched '{closing}'"));
        }
        if !matches!((open, b), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            let (open_line, _) = self.lines.line_col(TextSize::new(open_at as u32));
            let (line, _) = self.lines.line_col(TextSize::new(start as u32));
            let on_line = if open_line != line {
                format!(" on line {open_line}")
            } else {
                String::new()
            };
            return self.error(
                self.at,
                format!(
                    "closing parenthesis '{closing}' does not match opening parenthesis '{}'{on_line}",
                    open as char
                ),
            );
        }
        if self.in_field()
            && let Some(template) = self.templates.last_mut()
        {
            template.fields.pop();
        }
        self.brackets.pop();
        self.push(Kind::Op, start);
        Ok(())
    }

    // ---- numbers ----

    fn number(&mut self) -> Step {
        let start = self.at;
        let radix = match (self.peek(0), self.peek(1).to_ascii_lowercase()) {
            (b'0', b'x') => Some((16, "hexadecimal")),
            (b'0', b'o') => Some((8, "octal")),
            (b'0', b'b') => Some((2, "binary")),
            _ => None,
        };
        if let Some((radix, name)) = radix {
            self.at += 2;
            self.radix_digits(radix, name)?;
        } else {
            self.decimal(start)?;
        }
        self.push(Kind::Number, start);
        Ok(())
    }

    fn radix_digits(&mut self, radix: u32, name: &str) -> Step {
        loop {
            if self.peek(0) == b'_' {
                self.at += 1;
            }
            let digit = self.peek(0) as char;
            if !digit.is_digit(radix) {
                if digit.is_ascii_digit() {
                    return self.error(self.at + 1, format!("invalid digit '{digit}' in {name} literal"));
                }
                return self.error(self.at, format!("invalid {name} literal"));
            }
            while (self.peek(0) as char).is_digit(radix) {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                break;
            }
        }
        let digit = self.peek(0) as char;
        if digit.is_ascii_digit() {
            return self.error(self.at + 1, format!("invalid digit '{digit}' in {name} literal"));
        }
        self.end_of_number(name)
    }

    fn digits(&mut self) -> Step {
        loop {
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                return Ok(());
            }
            self.at += 1;
            if !self.peek(0).is_ascii_digit() {
                return self.error(self.at, "invalid decimal literal");
            }
        }
    }

    fn decimal(&mut self, start: usize) -> Step {
        let mut zeros_end = start;
        if self.peek(0) == b'0' {
            while matches!(self.bytes.get(zeros_end), Some(b'0' | b'_')) {
                zeros_end += 1;
            }
        }
        let leading_zero = self.peek(0) == b'0';
        if self.peek(0) != b'.' {
            self.digits()?;
        }
        let integer_end = self.at;
        let mut is_float = false;
        if self.peek(0) == b'.' {
            is_float = true;
            self.at += 1;
            if self.peek(0).is_ascii_digit() {
                self.digits()?;
            }
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = matches!(self.peek(1), b'+' | b'-') as usize;
            if self.peek(1 + sign).is_ascii_digit() {
                is_float = true;
                self.at += 1 + sign;
                self.digits()?;
            } else if sign == 1 {
                return self.error(self.at + 2, "invalid decimal literal");
            }
        }
        if matches!(self.peek(0), b'j' | b'J') {
            self.at += 1;
            return self.end_of_number("imaginary");
        }
        if leading_zero && !is_float && zeros_end < integer_end {
            return self.error_range(
                start,
                zeros_end,
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
            );
        }
        self.end_of_number("decimal")
    }

    /// A number may be followed by a keyword without a space, but not by another name.
    fn end_of_number(&mut self, name: &str) -> Step {
        let rest = &self.text[self.at..];
        let word: String = rest
            .chars()
            .take_while(|c| *c == '_' || c.is_ascii_alphanumeric())
            .collect();
        let keywords = ["and", "else", "for", "if", "in", "is", "not", "or"];
        if word.is_empty() || keywords.iter().any(|keyword| word.starts_with(keyword)) {
            return Ok(());
        }
        self.error(self.at, format!("invalid {name} literal"))
    }
}

/// Neither a control or format character, nor white space, nor unassigned to all.
fn is_printable(c: char) -> bool {
    let hidden = matches!(c as u32, 0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF | 0xFFF9..=0xFFFB | 0x1D173..=0x1D17A | 0xE0001..=0xE007F | 0xF0000..);
    !hidden && !c.is_control() && !c.is_whitespace()
}

/// Combining marks may stand inside identifiers.
fn is_mark(c: char) -> bool {
    matches!(c as u32, 0x300..=0x36F | 0x483..=0x487 | 0x591..=0x5BD | 0x610..=0x61A | 0x64B..=0x669 | 0x900..=0xE4E | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xB7 | 0x387 | 0x1369..=0x1371 | 0x19DA | 0xE0100..=0xE01EF)
}
