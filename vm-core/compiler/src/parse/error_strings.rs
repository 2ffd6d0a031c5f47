//! Errors in and around string literals: escapes, replacement fields, text between two strings.

use super::context::Context;
use super::tokenizer::Kind;
use crate::error::CompileError;
use ruff_python_parser::{LexicalErrorType, ParseError, ParseErrorType};
use ruff_text_size::TextRange;

impl Context<'_> {
    /// `"a "b" c"`: text between two strings.
    pub(super) fn string_interrupted(&self, index: usize) -> Option<CompileError> {
        let tokens = &self.tokens.tokens;
        let is_string = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::String);
        if index == 0 || !is_string(index - 1) || tokens[index].kind != Kind::Name {
            return None;
        }
        if self.is_keyword(&tokens[index]) {
            return None;
        }
        let mut last = index;
        while tokens
            .get(last)
            .is_some_and(|t| t.kind == Kind::Name && !self.is_keyword(t))
        {
            last += 1;
        }
        if !is_string(last) {
            return None;
        }
        let message = "invalid syntax. Is this intended to be part of the string?";
        Some(self.syntax_error(message, tokens[index].start, tokens[last - 1].end))
    }

    /// `f'{}'`, `f'{!r}'` and the like.
    pub(super) fn empty_field(&self, index: usize) -> Option<CompileError> {
        let tokens = &self.tokens.tokens;
        let open = index.checked_sub(1)?;
        if self.text(&tokens[open]) != "{" || !self.is_field(open) {
            return None;
        }
        let kind = self.template_kind(open);
        let message = match self.text(&tokens[index]) {
            text @ ("}" | "!" | ":" | "=") => {
                format!("{kind}-string: valid expression required before '{text}'")
            }
            _ => format!("{kind}-string: expecting a valid expression after '{{'"),
        };
        Some(self.at_token(&message, index))
    }

    pub(super) fn template_error(&self, error: &ParseError) -> CompileError {
        use ruff_python_parser::InterpolatedStringErrorType as Inner;
        let (inner, kind) = match &error.error {
            ParseErrorType::FStringError(inner) => (inner, 'f'),
            ParseErrorType::TStringError(inner) => (inner, 't'),
            _ => return self.invalid_at(self.token_at(error.location.start().to_usize())),
        };
        let (start, end) = (error.location.start().to_usize(), error.location.end().to_usize());
        let index = self.token_at(start);
        match inner {
            Inner::UnclosedLbrace => {
                let before = index
                    .checked_sub(1)
                    .map_or("", |i| self.text(&self.tokens.tokens[i]));
                let what = match before {
                    "!" => {
                        return self.at_token(&format!("{kind}-string: missing conversion character"), index);
                    }
                    _ if self.conversion_before(index) => "':' or '}'",
                    _ => "'=', or '!', or ':', or '}'",
                };
                let error = self.in_expression(index);
                if error.message != "invalid syntax" {
                    return error;
                }
                self.at_token(&format!("{kind}-string: expecting {what}"), index)
            }
            Inner::InvalidConversionFlag => {
                let text = &self.source[start..end];
                let name = text.trim_start_matches('!');
                let from = start + (text.len() - name.len());
                if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric()) {
                    return self.at_token(&format!("{kind}-string: invalid conversion character"), index);
                }
                let message = format!(
                    "{kind}-string: invalid conversion character '{name}': expected 's', 'r', or 'a'"
                );
                self.syntax_error(message, from, end)
            }
            Inner::SingleRbrace => {
                self.syntax_error(format!("{kind}-string: single '}}' is not allowed"), start, start)
            }
            Inner::LambdaWithoutParentheses => {
                let message =
                    format!("{kind}-string: lambda expressions are not allowed without parentheses");
                let colon = self.source[start..].find(':').map_or(end, |n| start + n + 1);
                self.syntax_error(message, start, colon)
            }
            Inner::ConversionFlagNotImmediatelyAfterExclamation => {
                let message =
                    format!("{kind}-string: conversion type must come right after the exclamation mark");
                self.syntax_error(message, start, end)
            }
            _ => self.syntax_error(format!("{kind}-string: expecting '}}'"), start, start),
        }
    }

    pub(super) fn conversion_before(&self, index: usize) -> bool {
        index >= 2 && self.text(&self.tokens.tokens[index - 2]) == "!"
    }

    pub(super) fn lexical(&self, lexical: &LexicalErrorType, start: usize, end: usize) -> CompileError {
        let index = self.token_at(start);
        match lexical {
            LexicalErrorType::InvalidByteLiteral => {
                self.at_token("bytes can only contain ASCII literal characters", index)
            }
            LexicalErrorType::UnicodeError
            | LexicalErrorType::MissingUnicodeLbrace
            | LexicalErrorType::MissingUnicodeRbrace
            | LexicalErrorType::StringError => self.bad_escape(index, start),
            LexicalErrorType::OtherError(message) => self.other(message, start, end),
            LexicalErrorType::FStringError(inner) => {
                let error = ParseErrorType::FStringError(inner.clone());
                self.template_error(&ParseError {
                    error,
                    location: TextRange::new((start as u32).into(), (end as u32).into()),
                })
            }
            LexicalErrorType::TStringError(inner) => {
                let error = ParseErrorType::TStringError(inner.clone());
                self.template_error(&ParseError {
                    error,
                    location: TextRange::new((start as u32).into(), (end as u32).into()),
                })
            }
            _ => self.invalid_at(index),
        }
    }

    /// A malformed escape in a string literal: finds it again and says what the codec would.
    pub(super) fn bad_escape(&self, index: usize, near: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let Some(token) = tokens.get(index) else {
            return self.at_token("invalid syntax", index);
        };
        let text = self.text(token);
        if token.kind != Kind::String {
            // In the text of an f-string, which has no token.
            let slash = self.source[..near.min(self.source.len())]
                .rfind('\\')
                .unwrap_or(near);
            let body = &self.source[slash..];
            let message = escape_problem(body, 0).unwrap_or_else(|| "malformed \\N character escape".into());
            return self.syntax_error(message, near.saturating_sub(1), near);
        }
        let quote = text.find(['"', '\'']).unwrap_or(0);
        let prefix = text[..quote].to_ascii_lowercase();
        let size = if text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''") {
            3
        } else {
            1
        };
        let body = &text[quote + size..text.len().saturating_sub(size).max(quote + size)];
        if prefix.contains('b') {
            let at = body.find("\\x").unwrap_or(0);
            let message = format!("(value error) invalid \\x escape at position {at}");
            return self.syntax_error(message, token.start, token.end);
        }
        let mut at = 0;
        while let Some(slash) = body[at..].find('\\') {
            if let Some(message) = escape_problem(&body[at + slash..], at + slash) {
                return self.syntax_error(message, token.start, token.end);
            }
            at += slash + 1 + body[at + slash + 1..].chars().next().map_or(0, char::len_utf8);
        }
        self.invalid_at(index)
    }
}

/// What is wrong with an escape at the start of `body`, in the codec's words; `at`: its position in the literal.
fn escape_problem(body: &str, at: usize) -> Option<String> {
    let bytes = body.as_bytes();
    let codec = |end: usize, what: &str| {
        let end = at + end;
        Some(format!(
            "(unicode error) 'unicodeescape' codec can't decode bytes in position {at}-{end}: {what}"
        ))
    };
    let digits = |n: usize| {
        bytes[2..]
            .iter()
            .take(n)
            .take_while(|b| b.is_ascii_hexdigit())
            .count()
    };
    match bytes.get(1)? {
        b'x' if digits(2) < 2 => codec(1 + digits(2), "truncated \\xXX escape"),
        b'u' if digits(4) < 4 => codec(1 + digits(4), "truncated \\uXXXX escape"),
        b'U' if digits(8) < 8 => codec(1 + digits(8), "truncated \\UXXXXXXXX escape"),
        b'U' => {
            let value = u32::from_str_radix(body.get(2..10)?, 16).ok()?;
            if value > 0x10_FFFF {
                codec(9, "illegal Unicode character")
            } else {
                None
            }
        }
        b'N' => {
            let Some(rest) = body[2..].strip_prefix('{') else {
                return codec(1, "malformed \\N character escape");
            };
            match rest.find('}') {
                None => codec(
                    body.trim_end_matches(['"', '\'']).len() - 1,
                    "malformed \\N character escape",
                ),
                Some(0) => codec(3, "malformed \\N character escape"),
                Some(n) if crate::names::character(&rest[..n]).is_none() => {
                    codec(3 + n, "unknown Unicode character name")
                }
                Some(_) => None,
            }
        }
        _ => None,
    }
}
