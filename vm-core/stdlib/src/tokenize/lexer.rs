//! lines -> tokens, as CPython's tokenizer cuts them (`Parser/lexer`), with its error messages. With `extra` tokens
//! (comments, blank lines) it is also as lenient as that.
//!
//! All text read so far stays in `buffer`; positions are indices into it. Numbers, strings and f-strings are in
//! `literals`.

use super::kinds::*;
use adder_runtime::exceptions::{SyntaxErrorPlace, exc, raise_syntax_error};
use adder_runtime::prelude::*;

const TAB_SIZE: usize = 8;
const MAX_INDENT: usize = 100;
const MAX_LEVEL: usize = 200;

/// Why there is no more input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    No,
    Eof,
    /// An exception is set.
    Raised,
    TabSpace,
    Dedent,
    TooDeep,
    LineContinuation,
}

/// A token: its type and where its text is, if it has one.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: i32,
    pub span: Option<(usize, usize)>,
}

/// The lexer stopped: `Lexer::done` says why.
#[derive(Debug)]
pub struct Stop;

pub type Lexed<T> = Result<T, Stop>;

/// A line of source text; an empty one is the end.
pub type ReadLine = Box<dyn FnMut() -> PyResult<Vec<u8>>>;

/// A string with replacement fields that the lexer is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    /// In the text, not in an expression.
    pub in_text: bool,
    pub quote: u8,
    pub quote_size: usize,
    pub start: usize,
    pub line_start: usize,
    pub first_line: usize,
    pub raw: bool,
    pub is_template: bool,
    pub in_format_spec: bool,
    pub in_debug: bool,
    pub bracket_depth: i32,
    /// Bracket depth of the innermost replacement field; -1 outside.
    pub field_depth: i32,
}

impl Mode {
    pub fn in_field(&self) -> bool {
        self.field_depth >= 0
    }
    pub fn letter(&self) -> char {
        if self.is_template { 't' } else { 'f' }
    }
}

pub struct Lexer {
    pub buffer: Vec<u8>,
    read_line: ReadLine,
    pub extra: bool,
    pub at: usize,
    /// First byte of the current token.
    pub start: Option<usize>,
    pub line_start: usize,
    /// Where the text begins that error messages show.
    pub text_start: usize,
    pub line: usize,
    pub first_line: usize,
    pub multi_line_start: usize,
    pub implicit_newline: bool,
    pub done: Done,
    at_line_begin: bool,
    indents: Vec<(usize, usize)>,
    pending: isize,
    brackets: Vec<(u8, usize)>,
    comment_newline: bool,
    pub(super) modes: Vec<Mode>,
}

pub(super) fn starts_identifier(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 128
}

pub(super) fn continues_identifier(c: u8) -> bool {
    starts_identifier(c) || c.is_ascii_digit()
}

impl Lexer {
    pub fn new(read_line: ReadLine, extra: bool) -> Lexer {
        Lexer {
            buffer: Vec::new(),
            read_line,
            extra,
            at: 0,
            start: None,
            line_start: 0,
            text_start: 0,
            line: 0,
            first_line: 0,
            multi_line_start: 0,
            implicit_newline: false,
            done: Done::No,
            at_line_begin: true,
            indents: vec![(0, 0)],
            pending: 0,
            brackets: Vec::new(),
            comment_newline: false,
            modes: Vec::new(),
        }
    }

    // ---- characters ----

    /// The next byte; `None` at the end, or when reading failed.
    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            if let Some(c) = self.buffer.get(self.at) {
                self.at += 1;
                return Some(*c);
            }
            if self.done != Done::No || !self.underflow() {
                return None;
            }
        }
    }

    /// Takes back what `next` gave.
    pub(super) fn back(&mut self, c: Option<u8>) {
        if c.is_some() {
            self.at -= 1;
        }
    }

    pub(super) fn peek(&mut self) -> Option<u8> {
        let c = self.next();
        self.back(c);
        c
    }

    fn underflow(&mut self) -> bool {
        if self.start.is_none() && self.modes.is_empty() {
            self.text_start = self.at;
        }
        let line = match (self.read_line)() {
            Ok(line) => line,
            Err(_) => {
                self.done = Done::Raised;
                return false;
            }
        };
        if line.is_empty() {
            if self.start.is_none() && self.modes.is_empty() {
                self.line_start = self.at;
            }
            self.done = Done::Eof;
            return false;
        }
        self.implicit_newline = false;
        let has_null = line.contains(&0);
        self.line_start = self.at;
        self.buffer.extend_from_slice(&line);
        if line.last() != Some(&b'\n') {
            self.buffer.push(b'\n');
            self.implicit_newline = true;
        }
        self.line += 1;
        if has_null {
            let _ = self.syntax_error("source code cannot contain null bytes");
            self.at = self.buffer.len();
            return false;
        }
        true
    }

    // ---- errors ----

    fn text(&self, from: usize, to: usize) -> String {
        String::from_utf8_lossy(&self.buffer[from..to.max(from)]).into_owned()
    }

    /// Raises a SyntaxError at the current character.
    pub(super) fn syntax_error(&mut self, message: &str) -> Stop {
        let offset = self.text(self.line_start, self.at).chars().count() as isize;
        self.syntax_error_at(message, offset, offset)
    }

    /// Raises a SyntaxError with given columns.
    pub(super) fn syntax_error_at(&mut self, message: &str, offset: isize, end_offset: isize) -> Stop {
        let rest = &self.buffer[self.line_start..];
        let len = rest
            .iter()
            .position(|c| *c == b'\n' || *c == 0)
            .unwrap_or(rest.len());
        let text = PyUnicodeObject::from_string(self.text(self.line_start, self.line_start + len));
        let _ = raise_syntax_error(
            exc::SyntaxError,
            message,
            &SyntaxErrorPlace {
                filename: identifier!("<string>").as_object(),
                lineno: self.line as isize,
                offset,
                end_lineno: self.line as isize,
                end_offset,
                text: Some(text.as_object()),
            },
        );
        self.done = Done::Raised;
        Stop
    }

    fn stop(&mut self, done: Done) -> Stop {
        self.done = done;
        Stop
    }

    /// As `stop`, skipping the rest of the input that is there.
    fn stop_here(&mut self, done: Done) -> Stop {
        self.at = self.buffer.len();
        self.stop(done)
    }

    pub(super) fn warn(&mut self, message: &str) -> Lexed<()> {
        let filename = identifier!("<string>").as_object();
        let warned =
            adder_interp::warnings::warn_explicit(exc::SyntaxWarning, message, filename, self.line, None);
        match warned {
            Ok(()) => Ok(()),
            Err(raised) if raised.matches(exc::SyntaxWarning) => {
                raised.clear();
                Err(self.syntax_error(message))
            }
            Err(_) => Err(self.stop(Done::Raised)),
        }
    }

    // ---- tokens ----

    /// A token whose text is from its start to here.
    pub(super) fn token(&self, kind: i32) -> Lexed<Token> {
        Ok(Token {
            kind,
            span: self.start.map(|start| (start, self.at)),
        })
    }

    /// The next token.
    pub fn get(&mut self) -> Lexed<Token> {
        match self.modes.last() {
            Some(mode) if mode.in_text => self.string_text(),
            _ => self.normal(),
        }
    }

    pub(super) fn normal(&mut self) -> Lexed<Token> {
        loop {
            self.start = None;
            let mut blank_line = false;
            if self.at_line_begin {
                self.at_line_begin = false;
                blank_line = self.indentation()?;
            }
            self.start = Some(self.at);
            if self.pending != 0 {
                return self.pending_indent();
            }
            // Reads the line before the token's start is noted.
            self.peek();
            if let Some(token) = self.token_in_line(blank_line)? {
                return Ok(token);
            }
        }
    }

    fn pending_indent(&mut self) -> Lexed<Token> {
        if self.pending < 0 {
            self.pending += 1;
            Ok(Token {
                kind: DEDENT,
                span: self.extra.then_some((self.at, self.at)),
            })
        } else {
            self.pending -= 1;
            Ok(Token {
                kind: INDENT,
                span: self.extra.then_some((self.text_start.min(self.at), self.at)),
            })
        }
    }

    /// Reads the white space that begins a line. True for lines without code.
    fn indentation(&mut self) -> Lexed<bool> {
        let (mut col, mut alt_col, mut continued_col) = (0, 0, 0);
        let c = loop {
            match self.next() {
                Some(b' ') => {
                    col += 1;
                    alt_col += 1;
                }
                Some(b'\t') => {
                    col = (col / TAB_SIZE + 1) * TAB_SIZE;
                    alt_col += 1;
                }
                Some(b'\x0C') => {
                    col = 0;
                    alt_col = 0;
                }
                Some(b'\\') => {
                    // The white space before the first backslash decides.
                    if continued_col == 0 {
                        continued_col = col;
                    }
                    self.continuation()?;
                }
                None if self.done == Done::Raised => return Err(Stop),
                other => break other,
            }
        };
        self.back(c);
        if matches!(c, Some(b'#' | b'\n' | b'\r')) {
            return Ok(true);
        }
        if self.brackets.is_empty() {
            if continued_col != 0 {
                (col, alt_col) = (continued_col, continued_col);
            }
            self.note_indent(col, alt_col)?;
        }
        Ok(false)
    }

    fn note_indent(&mut self, col: usize, alt_col: usize) -> Lexed<()> {
        let (current, alt_current) = self.indents[self.indents.len() - 1];
        if col == current {
            if alt_col != alt_current {
                return Err(self.stop_here(Done::TabSpace));
            }
        } else if col > current {
            if self.indents.len() >= MAX_INDENT {
                return Err(self.stop_here(Done::TooDeep));
            }
            if alt_col <= alt_current {
                return Err(self.stop_here(Done::TabSpace));
            }
            self.pending += 1;
            self.indents.push((col, alt_col));
        } else {
            while self.indents.len() > 1 && col < self.indents[self.indents.len() - 1].0 {
                self.pending -= 1;
                self.indents.pop();
            }
            let (outer, alt_outer) = self.indents[self.indents.len() - 1];
            if col != outer {
                return Err(self.stop_here(Done::Dedent));
            }
            if alt_col != alt_outer {
                return Err(self.stop_here(Done::TabSpace));
            }
        }
        Ok(())
    }

    /// What follows a backslash must be the end of the line, and there must be another line.
    fn continuation(&mut self) -> Lexed<()> {
        let mut c = self.next();
        if c == Some(b'\r') {
            c = self.next();
        }
        if c != Some(b'\n') {
            return Err(self.stop(Done::LineContinuation));
        }
        if self.peek().is_none() {
            if self.done == Done::Raised {
                return Err(Stop);
            }
            return Err(self.stop_here(Done::Eof));
        }
        Ok(())
    }

    /// A token of the current line; `None` when the line has no more that the caller shall see.
    fn token_in_line(&mut self, blank_line: bool) -> Lexed<Option<Token>> {
        let mut c;
        loop {
            self.start = None;
            loop {
                c = self.next();
                if !matches!(c, Some(b' ' | b'\t' | b'\x0C')) {
                    break;
                }
            }
            self.start = Some(self.at - usize::from(c.is_some()));
            if c == Some(b'#') {
                while !matches!(c, None | Some(b'\n' | b'\r')) {
                    c = self.next();
                }
                if self.extra {
                    self.back(c);
                    self.comment_newline = blank_line;
                    return self.token(COMMENT).map(Some);
                }
            }
            if c != Some(b'\\') {
                break;
            }
            self.continuation()?;
        }
        let Some(c) = c else {
            if !self.brackets.is_empty() || self.done != Done::Eof {
                return Err(Stop);
            }
            return Ok(Some(Token {
                kind: ENDMARKER,
                span: None,
            }));
        };
        if starts_identifier(c) {
            return self.name_or_prefix(c).map(Some);
        }
        match c {
            b'\r' => {
                let next = self.next();
                if next == Some(b'\n') {
                    return self.newline(blank_line);
                }
                self.back(next);
                self.operator(b'\r').map(Some)
            }
            b'\n' => self.newline(blank_line),
            b'.' => self.dot().map(Some),
            b'0'..=b'9' => self.number(c).map(Some),
            b'\'' | b'"' => self.string(c).map(Some),
            _ => self.operator(c).map(Some),
        }
    }

    fn newline(&mut self, blank_line: bool) -> Lexed<Option<Token>> {
        self.at_line_begin = true;
        if blank_line || !self.brackets.is_empty() {
            self.comment_newline = false;
            return if self.extra {
                self.token(NL).map(Some)
            } else {
                Ok(None)
            };
        }
        if self.comment_newline && self.extra {
            self.comment_newline = false;
            return self.token(NL).map(Some);
        }
        // Without the line feed.
        Ok(Some(Token {
            kind: NEWLINE,
            span: self.start.map(|start| (start, self.at - 1)),
        }))
    }

    fn name_or_prefix(&mut self, first: u8) -> Lexed<Token> {
        let mut seen = Prefixes::default();
        let mut c = Some(first);
        while let Some(letter) = c
            && seen.add(letter)
        {
            c = self.next();
            if let Some(quote @ (b'\'' | b'"')) = c {
                if let Some((one, other)) = seen.clash() {
                    let start = self.start.unwrap_or(self.at) as isize + 1 - self.line_start as isize;
                    let end = (self.at - self.line_start) as isize;
                    let message = format!("'{one}' and '{other}' prefixes are incompatible");
                    return Err(self.syntax_error_at(&message, start, end));
                }
                return if seen.f || seen.t {
                    self.string_start(quote)
                } else {
                    self.string(quote)
                };
            }
        }
        let mut is_ascii = true;
        while let Some(letter) = c
            && continues_identifier(letter)
        {
            is_ascii &= letter < 128;
            c = self.next();
        }
        self.back(c);
        if !is_ascii && !self.extra {
            self.verify_identifier()?;
        }
        self.token(NAME)
    }

    /// An identifier with other than ASCII characters must be one.
    fn verify_identifier(&mut self) -> Lexed<()> {
        let start = self.start.unwrap_or(self.at);
        let text = self.text(start, self.at);
        let text = PyUnicodeObject::from_string(text);
        let mut n_bytes = 0;
        for (index, c) in text.chars().enumerate() {
            n_bytes += c.len_utf8();
            let head = text.substring(0, index + 1);
            if head.is_identifier() {
                continue;
            }
            self.at = start + n_bytes;
            let code = c as u32;
            let message = if adder_runtime::objects::unicodectype::is_printable(code) {
                format!("invalid character '{c}' (U+{code:04X})")
            } else {
                format!("invalid non-printable character U+{code:04X}")
            };
            return Err(self.syntax_error(&message));
        }
        Ok(())
    }

    fn dot(&mut self) -> Lexed<Token> {
        let c = self.next();
        if c.is_some_and(|c| c.is_ascii_digit()) {
            return self.fraction(c);
        }
        if c == Some(b'.') {
            let third = self.next();
            if third == Some(b'.') {
                return self.token(ELLIPSIS);
            }
            self.back(third);
        }
        self.back(c);
        self.token(DOT)
    }

    fn operator(&mut self, c: u8) -> Lexed<Token> {
        if matches!(c, b':' | b'}' | b'!' | b'{')
            && let Some(mode) = self.modes.last_mut()
            && mode.in_field()
        {
            let cursor = mode.bracket_depth - i32::from(c != b'{');
            if c == b':' && cursor == mode.field_depth {
                mode.in_text = true;
                mode.in_format_spec = true;
                return self.token(COLON);
            }
        }
        let second = self.next();
        if let Some(second) = second
            && operator(&[c, second]) != OP
        {
            let third = self.next();
            let long = third.map_or(OP, |third| operator(&[c, second, third]));
            if long != OP {
                return self.token(long);
            }
            self.back(third);
            return self.token(operator(&[c, second]));
        }
        self.back(second);
        match c {
            b'(' | b'[' | b'{' => self.open_bracket(c)?,
            b')' | b']' | b'}' => self.close_bracket(c)?,
            _ => {}
        }
        if !(b' '..0x7F).contains(&c) {
            return Err(self.syntax_error(&format!("invalid non-printable character U+{c:04X}")));
        }
        if c == b'='
            && let Some(mode) = self.modes.last_mut()
            && mode.bracket_depth - mode.field_depth == 1
        {
            mode.in_debug = true;
        }
        self.token(operator(&[c]))
    }

    fn open_bracket(&mut self, c: u8) -> Lexed<()> {
        if self.brackets.len() >= MAX_LEVEL {
            return Err(self.syntax_error("too many nested parentheses"));
        }
        self.brackets.push((c, self.line));
        if let Some(mode) = self.modes.last_mut() {
            mode.bracket_depth += 1;
        }
        Ok(())
    }

    fn close_bracket(&mut self, c: u8) -> Lexed<()> {
        if let Some(mode) = self.modes.last()
            && mode.bracket_depth == 0
            && c == b'}'
        {
            let message = format!("{}-string: single '}}' is not allowed", mode.letter());
            return Err(self.syntax_error(&message));
        }
        let close = c as char;
        match self.brackets.pop() {
            None if !self.extra => return Err(self.syntax_error(&format!("unmatched '{close}'"))),
            Some((open, line))
                if !self.extra && !matches!((open, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) =>
            {
                if let Some(mode) = self.modes.last()
                    && open == b'{'
                    && mode.bracket_depth - 1 == mode.field_depth
                {
                    let message = format!("{}-string: unmatched '{close}'", mode.letter());
                    return Err(self.syntax_error(&message));
                }
                let place = if line == self.line {
                    String::new()
                } else {
                    format!(" on line {line}")
                };
                let open = open as char;
                let message = format!(
                    "closing parenthesis '{close}' does not match opening parenthesis '{open}'{place}"
                );
                return Err(self.syntax_error(&message));
            }
            _ => {}
        }
        let Some(mode) = self.modes.last_mut() else {
            return Ok(());
        };
        mode.bracket_depth -= 1;
        if mode.bracket_depth < 0 {
            let message = format!("{}-string: unmatched '{close}'", mode.letter());
            return Err(self.syntax_error(&message));
        }
        if c == b'}' && mode.bracket_depth == mode.field_depth {
            mode.field_depth -= 1;
            mode.in_text = true;
            mode.in_format_spec = false;
            mode.in_debug = false;
        }
        Ok(())
    }
}

/// The letters before a quote.
#[derive(Default)]
struct Prefixes {
    b: bool,
    u: bool,
    r: bool,
    f: bool,
    t: bool,
}

impl Prefixes {
    /// Notes a letter; false when it cannot be part of a prefix.
    fn add(&mut self, letter: u8) -> bool {
        let seen = match letter.to_ascii_lowercase() {
            b'b' => &mut self.b,
            b'u' => &mut self.u,
            b'r' => &mut self.r,
            b'f' => &mut self.f,
            b't' => &mut self.t,
            _ => return false,
        };
        !std::mem::replace(seen, true)
    }

    fn clash(&self) -> Option<(char, char)> {
        let Prefixes { b, u, r, f, t } = *self;
        let pairs = [
            (u && b, ('u', 'b')),
            (u && r, ('u', 'r')),
            (u && f, ('u', 'f')),
            (u && t, ('u', 't')),
            (b && f, ('b', 'f')),
            (b && t, ('b', 't')),
            (f && t, ('f', 't')),
        ];
        pairs.iter().find(|(both, _)| *both).map(|(_, pair)| *pair)
    }
}
