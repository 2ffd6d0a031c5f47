//! Numbers, strings and strings with replacement fields.

use super::kinds::*;
use super::lexer::{Lexed, Lexer, Mode, Token, continues_identifier};

/// Strings with replacement fields may nest so deep.
const MAX_STRING_NESTING: usize = 150;
/// Replacement fields in format specifications of replacement fields.
const MAX_FIELD_NESTING: i32 = 3;

fn is_digit(c: Option<u8>) -> bool {
    c.is_some_and(|c| c.is_ascii_digit())
}

impl Lexer {
    // ---- numbers ----

    pub(super) fn number(&mut self, first: u8) -> Lexed<Token> {
        if first != b'0' {
            let c = self.decimal_tail()?;
            return self.after_decimal(c);
        }
        let c = self.next();
        match c {
            Some(b'x' | b'X') => self.radix("hexadecimal", |c| c.is_ascii_hexdigit()),
            Some(b'o' | b'O') => self.radix("octal", |c| (b'0'..b'8').contains(&c)),
            Some(b'b' | b'B') => self.radix("binary", |c| c == b'0' || c == b'1'),
            _ => self.zeros(c),
        }
    }

    fn radix(&mut self, kind: &str, is_valid: fn(u8) -> bool) -> Lexed<Token> {
        let invalid_digit = |c: u8| format!("invalid digit '{}' in {kind} literal", c as char);
        let mut c = self.next();
        loop {
            if c == Some(b'_') {
                c = self.next();
            }
            if !c.is_some_and(is_valid) {
                if let Some(digit @ b'0'..=b'9') = c {
                    return Err(self.syntax_error(&invalid_digit(digit)));
                }
                self.back(c);
                return Err(self.syntax_error(&format!("invalid {kind} literal")));
            }
            while c.is_some_and(is_valid) {
                c = self.next();
            }
            if c != Some(b'_') {
                break;
            }
        }
        if let Some(digit @ b'0'..=b'9') = c {
            return Err(self.syntax_error(&invalid_digit(digit)));
        }
        self.verify_end(c, kind)?;
        self.end_number(c)
    }

    /// A number that starts with 0 and is decimal.
    fn zeros(&mut self, mut c: Option<u8>) -> Lexed<Token> {
        loop {
            if c == Some(b'_') {
                c = self.next();
                if !is_digit(c) {
                    self.back(c);
                    return Err(self.syntax_error("invalid decimal literal"));
                }
            }
            if c != Some(b'0') {
                break;
            }
            c = self.next();
        }
        let zeros_end = self.at;
        let is_nonzero = is_digit(c);
        if is_nonzero {
            c = self.decimal_tail()?;
        }
        match c {
            Some(b'.') => {
                let c = self.next();
                self.fraction(c)
            }
            Some(b'e' | b'E') => self.exponent(c),
            Some(b'j' | b'J') => self.imaginary(),
            _ if is_nonzero && !self.extra => {
                self.back(c);
                let start = self.start.unwrap_or(self.at) + 1 - self.line_start;
                let end = zeros_end - self.line_start;
                let message = "leading zeros in decimal integer literals are not permitted; use an 0o prefix for \
                               octal integers";
                Err(self.syntax_error_at(message, start as isize, end as isize))
            }
            _ => {
                self.verify_end(c, "decimal")?;
                self.end_number(c)
            }
        }
    }

    /// Digits with underscores between them; the character after them.
    fn decimal_tail(&mut self) -> Lexed<Option<u8>> {
        loop {
            let mut c = self.next();
            while is_digit(c) {
                c = self.next();
            }
            if c != Some(b'_') {
                return Ok(c);
            }
            c = self.next();
            if !is_digit(c) {
                self.back(c);
                return Err(self.syntax_error("invalid decimal literal"));
            }
        }
    }

    fn after_decimal(&mut self, c: Option<u8>) -> Lexed<Token> {
        if c == Some(b'.') {
            let c = self.next();
            return self.fraction(c);
        }
        self.after_fraction(c)
    }

    /// From the first character after the point.
    pub(super) fn fraction(&mut self, mut c: Option<u8>) -> Lexed<Token> {
        if is_digit(c) {
            c = self.decimal_tail()?;
        }
        self.after_fraction(c)
    }

    fn after_fraction(&mut self, c: Option<u8>) -> Lexed<Token> {
        match c {
            Some(b'e' | b'E') => self.exponent(c),
            Some(b'j' | b'J') => self.imaginary(),
            _ => {
                self.verify_end(c, "decimal")?;
                self.end_number(c)
            }
        }
    }

    fn exponent(&mut self, e: Option<u8>) -> Lexed<Token> {
        let mut c = self.next();
        if matches!(c, Some(b'+' | b'-')) {
            c = self.next();
            if !is_digit(c) {
                self.back(c);
                return Err(self.syntax_error("invalid decimal literal"));
            }
        } else if !is_digit(c) {
            self.back(c);
            self.verify_end(e, "decimal")?;
            return self.end_number(e);
        }
        let c = self.decimal_tail()?;
        if matches!(c, Some(b'j' | b'J')) {
            return self.imaginary();
        }
        self.verify_end(c, "decimal")?;
        self.end_number(c)
    }

    fn imaginary(&mut self) -> Lexed<Token> {
        let c = self.next();
        self.verify_end(c, "imaginary")?;
        self.end_number(c)
    }

    fn end_number(&mut self, c: Option<u8>) -> Lexed<Token> {
        self.back(c);
        self.token(NUMBER)
    }

    /// After a number only an operator or a keyword may stand. `c` has been read.
    fn verify_end(&mut self, c: Option<u8>, kind: &str) -> Lexed<()> {
        let Some(letter) = c.filter(|_| !self.extra) else {
            return Ok(());
        };
        let rest = &self.buffer[self.at..];
        let is_keyword = match letter {
            b'a' => rest.starts_with(b"nd"),
            b'e' => rest.starts_with(b"lse"),
            b'f' => rest.starts_with(b"or"),
            b'i' => matches!(rest.first(), Some(b'f' | b'n' | b's')),
            b'o' => rest.starts_with(b"r"),
            b'n' => rest.starts_with(b"ot"),
            _ => false,
        };
        if is_keyword {
            self.back(c);
            self.warn(&format!("invalid {kind} literal"))?;
            self.next();
        } else if letter < 128 && continues_identifier(letter) {
            self.back(c);
            return Err(self.syntax_error(&format!("invalid {kind} literal")));
        }
        Ok(())
    }

    // ---- strings ----

    /// A string from its quote, which has been read.
    pub(super) fn string(&mut self, quote: u8) -> Lexed<Token> {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let (mut quote_size, mut n_closing, mut has_escaped_quote) = (1, 0, false);
        let mut c = self.next();
        if c == Some(quote) {
            c = self.next();
            if c == Some(quote) {
                quote_size = 3;
            } else {
                n_closing = 1;
            }
        }
        if c != Some(quote) {
            self.back(c);
        }
        while n_closing != quote_size {
            let mut c = self.next();
            if self.done == super::lexer::Done::Raised {
                return Err(super::lexer::Stop);
            }
            if c.is_none() || quote_size == 1 && c == Some(b'\n') {
                return Err(self.unterminated(quote_size, has_escaped_quote));
            }
            if c == Some(quote) {
                n_closing += 1;
                continue;
            }
            n_closing = 0;
            if c == Some(b'\\') {
                c = self.next();
                has_escaped_quote |= c == Some(quote);
                if c == Some(b'\r') {
                    self.next();
                }
            }
        }
        self.token(STRING)
    }

    fn unterminated(&mut self, quote_size: usize, has_escaped_quote: bool) -> super::lexer::Stop {
        let last_line = self.line;
        self.at = self.start.unwrap_or(self.at) + 1;
        self.line_start = self.multi_line_start;
        self.line = self.first_line;
        let triple = if quote_size == 3 { "triple-quoted " } else { "" };
        let hint = if has_escaped_quote && quote_size == 1 {
            "; perhaps you escaped the end quote"
        } else {
            ""
        };
        self.syntax_error(&format!(
            "unterminated {triple}string literal (detected at line {last_line}){hint}"
        ))
    }

    /// The start of a string with replacement fields, whose first quote has been read.
    pub(super) fn string_start(&mut self, quote: u8) -> Lexed<Token> {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let mut quote_size = 1;
        let second = self.next();
        if second == Some(quote) {
            let third = self.next();
            if third == Some(quote) {
                quote_size = 3;
            } else {
                self.back(third);
                self.back(second);
            }
        } else {
            self.back(second);
        }
        if self.modes.len() + 1 >= MAX_STRING_NESTING {
            return Err(self.syntax_error("too many nested f-strings or t-strings"));
        }
        let start = self.start.unwrap_or(self.at);
        let prefix = self.buffer[start..self.at].to_ascii_lowercase();
        let mode = Mode {
            in_text: true,
            quote,
            quote_size,
            start,
            line_start: self.line_start,
            first_line: self.line,
            raw: prefix.contains(&b'r'),
            is_template: prefix.contains(&b't'),
            in_format_spec: false,
            in_debug: false,
            bracket_depth: 0,
            field_depth: -1,
        };
        self.modes.push(mode);
        self.token(if mode.is_template {
            TSTRING_START
        } else {
            FSTRING_START
        })
    }

    fn mode(&mut self) -> &mut Mode {
        self.modes.last_mut().expect("in a string")
    }

    /// Opens a replacement field, whose brace has not been read.
    fn enter_field(&mut self) -> Lexed<()> {
        let mode = self.mode();
        mode.field_depth += 1;
        if mode.field_depth >= MAX_FIELD_NESTING {
            let message = format!("{}-string: expressions nested too deeply", mode.letter());
            return Err(self.syntax_error(&message));
        }
        mode.in_text = false;
        Ok(())
    }

    /// A token in the text of a string: its end, a piece of text, or what a replacement field starts with.
    pub(super) fn string_text(&mut self) -> Lexed<Token> {
        let mode = *self.mode();
        self.start = Some(self.at);
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        if self.peek() == Some(b'{') && self.buffer.get(self.at + 1) != Some(&b'{') {
            self.enter_field()?;
            return self.normal();
        }
        let is_end = (0..mode.quote_size).all(|index| self.buffer.get(self.at + index) == Some(&mode.quote));
        if is_end {
            self.at += mode.quote_size;
            self.modes.pop();
            return self.token(if mode.is_template {
                TSTRING_END
            } else {
                FSTRING_END
            });
        }
        self.string_middle(mode)
    }

    fn string_middle(&mut self, mode: Mode) -> Lexed<Token> {
        let kind = if mode.is_template {
            TSTRING_MIDDLE
        } else {
            FSTRING_MIDDLE
        };
        let in_format_spec = mode.in_format_spec && mode.in_field();
        let (mut n_closing, mut in_name_escape) = (0, false);
        while n_closing != mode.quote_size {
            let c = self.next();
            if self.done == super::lexer::Done::Raised {
                return Err(super::lexer::Stop);
            }
            let Some(c) = c.filter(|c| mode.quote_size != 1 || *c != b'\n') else {
                return Err(self.unterminated_middle(mode, in_format_spec && c.is_some()));
            };
            if c == mode.quote {
                n_closing += 1;
                continue;
            }
            n_closing = 0;
            match c {
                b'{' => {
                    let peek = self.peek();
                    if peek == Some(b'{') && !in_format_spec {
                        // A doubled brace: one is text.
                        let token = self.token(kind);
                        self.at += 1;
                        return token;
                    }
                    self.at -= 1;
                    self.enter_field()?;
                    return self.token(kind);
                }
                b'}' if in_name_escape => return self.token(kind),
                b'}' => {
                    if self.peek() == Some(b'}') && !in_format_spec && mode.bracket_depth == 0 {
                        let token = self.token(kind);
                        self.at += 1;
                        return token;
                    }
                    self.at -= 1;
                    self.mode().in_text = false;
                    return self.token(kind);
                }
                b'\\' => {
                    let mut peek = self.next();
                    if peek == Some(b'\r') {
                        peek = self.next();
                    }
                    if let Some(brace @ (b'{' | b'}')) = peek {
                        if !mode.raw {
                            self.warn_escape(brace as char)?;
                        }
                        self.back(peek);
                    } else if peek == Some(b'N') && !mode.raw {
                        let brace = self.next();
                        if brace == Some(b'{') {
                            in_name_escape = true;
                        } else {
                            self.back(brace);
                        }
                    }
                }
                _ => {}
            }
        }
        self.at -= mode.quote_size;
        self.token(kind)
    }

    fn unterminated_middle(&mut self, mode: Mode, in_format_spec: bool) -> super::lexer::Stop {
        let letter = mode.letter();
        if in_format_spec {
            return self.syntax_error(&format!(
                "{letter}-string: newlines are not allowed in format specifiers for single quoted {letter}-strings"
            ));
        }
        let last_line = self.line;
        self.at = mode.start + 1;
        self.line_start = mode.line_start;
        self.line = mode.first_line;
        let triple = if mode.quote_size == 3 {
            "triple-quoted "
        } else {
            ""
        };
        self.syntax_error(&format!(
            "unterminated {triple}{letter}-string literal (detected at line {last_line})"
        ))
    }

    fn warn_escape(&mut self, letter: char) -> Lexed<()> {
        self.warn(&format!(
            "\"\\{letter}\" is an invalid escape sequence. Such sequences will not work in the future. Did you mean \
             \"\\\\{letter}\"? A raw string is also an option."
        ))
    }
}
