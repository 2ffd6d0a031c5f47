//! What error translation may look at: the source, its tokens, the tree as far as it was recovered; and how to walk them.

use super::source::LineIndex;
use super::tokenizer::{END_MINUS_ONE, Kind, Token, Tokens};
use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use ruff_python_ast as ruff;
use ruff_text_size::{TextRange, TextSize};

/// What a translation may look at.
pub(super) struct Context<'a> {
    pub source: &'a str,
    pub lines: &'a LineIndex,
    pub tokens: &'a Tokens,
    pub syntax: &'a ruff::Mod,
}

impl Context<'_> {
    pub(super) fn position(&self, start: usize, end: usize) -> Position {
        self.lines.position(TextRange::new(
            (start as u32).into(),
            (end.max(start) as u32).into(),
        ))
    }

    pub(super) fn syntax_error(&self, message: impl Into<String>, start: usize, end: usize) -> CompileError {
        CompileError::syntax(message, self.position(start, end))
    }

    /// "invalid syntax" at the token after a byte offset.
    pub(super) fn invalid_after(&self, at: usize) -> CompileError {
        self.invalid_at(self.token_at(at))
    }

    /// Whether `= value` follows a byte offset.
    pub(super) fn value_follows(&self, at: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let mut index = self.token_at(at);
        while self.text(&tokens[index]) == ")" {
            index += 1;
        }
        self.text(&tokens[index]) == "=" && tokens.get(index + 1).is_some_and(|t| self.starts_expression(t))
    }

    pub(super) fn text(&self, token: &Token) -> &str {
        &self.source[token.start..token.end.min(self.source.len())]
    }

    /// Index of the first token that ends after a byte offset.
    pub(super) fn token_at(&self, at: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let index = tokens.partition_point(|token| token.end <= at && token.kind != Kind::End);
        index.min(tokens.len().saturating_sub(1))
    }

    /// "invalid syntax" at a token. A newline is shown as one character wide.
    pub(super) fn invalid_at(&self, index: usize) -> CompileError {
        self.at_token("invalid syntax", index)
    }

    pub(super) fn at_token(&self, message: &str, index: usize) -> CompileError {
        let Some(token) = self.tokens.tokens.get(index) else {
            return self.syntax_error(message, self.source.len(), self.source.len());
        };
        let mut pos = self.position(token.start, token.end);
        if matches!(token.kind, Kind::Newline | Kind::End) {
            pos = self.position(token.start, token.start);
            pos.end_col = pos.col + 1;
        }
        if matches!(token.kind, Kind::Indent) {
            return self.unexpected_indent(token);
        }
        CompileError::syntax(message, pos)
    }

    pub(super) fn unexpected_indent(&self, token: &Token) -> CompileError {
        let (line, col) = self.lines.line_col(TextSize::new(token.end as u32));
        let pos = Position {
            line,
            end_line: line,
            col: col - 1,
            end_col: END_MINUS_ONE,
        };
        CompileError::at(ErrorKind::IndentationError, "unexpected indent", pos)
    }

    /// Index of the first token with a text, from an index on; that index itself if there is none.
    pub(super) fn find_from(&self, index: usize, text: &str) -> usize {
        let tokens = &self.tokens.tokens;
        (index..tokens.len())
            .find(|i| self.text(&tokens[*i]) == text)
            .unwrap_or(index)
    }

    /// Start of the logical line that a token is on, as token index.
    pub(super) fn line_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let mut at = index.min(tokens.len().saturating_sub(1));
        while at > 0 {
            let before = &tokens[at - 1];
            if matches!(before.kind, Kind::Newline | Kind::Indent | Kind::Dedent)
                || before.level == 0 && self.text(before) == ";"
            {
                break;
            }
            at -= 1;
        }
        at
    }

    pub(super) fn is_keyword(&self, token: &Token) -> bool {
        const KEYWORDS: [&str; 35] = [
            "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
            "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
            "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
            "yield",
        ];
        token.kind == Kind::Name && KEYWORDS.contains(&self.text(token))
    }

    pub(super) fn starts_expression(&self, token: &Token) -> bool {
        match token.kind {
            Kind::Number | Kind::String | Kind::TemplateStart => true,
            Kind::Name => {
                !self.is_keyword(token)
                    || matches!(
                        self.text(token),
                        "None" | "True" | "False" | "not" | "lambda" | "await"
                    )
            }
            Kind::Op => matches!(self.text(token), "(" | "[" | "{" | "-" | "+" | "~" | "..."),
            _ => false,
        }
    }

    pub(super) fn ends_expression(&self, token: &Token) -> bool {
        match token.kind {
            Kind::Number | Kind::String | Kind::TemplateEnd => true,
            Kind::Name => !self.is_keyword(token) || matches!(self.text(token), "None" | "True" | "False"),
            Kind::Op => matches!(self.text(token), ")" | "]" | "}" | "..."),
            _ => false,
        }
    }

    /// Whether a token ends an operand on its bracket level when one walks away from an error.
    pub(super) fn is_boundary(&self, token: &Token) -> bool {
        token.kind == Kind::Op && matches!(self.text(token), "," | ":" | "=" | ":=" | ";" | "!" | "->")
            || matches!(
                self.text(token),
                "for"
                    | "if"
                    | "else"
                    | "lambda"
                    | "return"
                    | "yield"
                    | "in"
                    | "async"
                    | "from"
                    | "import"
                    | "assert"
                    | "while"
                    | "elif"
                    | "and"
                    | "or"
                    | "not"
                    | "del"
                    | "raise"
            ) && token.kind == Kind::Name
            || matches!(
                token.kind,
                Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End
            )
    }

    /// Number of brackets around a token; a closing bracket counts as inside its pair.
    pub(super) fn inner_level(&self, index: usize) -> usize {
        let token = &self.tokens.tokens[index];
        token.level + matches!(self.text(token), ")" | "]" | "}") as usize
    }

    /// The start of the operand that ends before a token.
    pub(super) fn operand_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let mut at = index;
        while at > 0 {
            let before = &tokens[at - 1];
            let opens = before.level < level && matches!(self.text(before), "(" | "[" | "{");
            if opens && before.level + 1 == level || before.level == level && self.is_boundary(before) {
                break;
            }
            at -= 1;
        }
        at
    }

    /// The last token of the operand that starts with a token.
    pub(super) fn operand_end(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let mut at = index;
        while at + 1 < tokens.len() {
            let next = &tokens[at + 1];
            let closes = next.level + 1 == level && matches!(self.text(next), ")" | "]" | "}");
            let ends_operand = self.ends_expression(&tokens[at])
                && tokens[at].level <= level
                && self.starts_expression(next)
                && next.level == level
                && !matches!(self.text(next), "(" | "[" | "-" | "+");
            if closes && next.level < level || next.level == level && self.is_boundary(next) || ends_operand {
                break;
            }
            at += 1;
        }
        at
    }

    /// Start of the comma-separated list before a token, inside its bracket.
    pub(super) fn operand_list_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (0..index)
            .rev()
            .find(|i| tokens[*i].level < level)
            .map_or(0, |open| open + 1)
    }

    /// The bracket that a token stands in.
    pub(super) fn enclosing(&self, index: usize) -> &str {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let open = (0..index).rev().find(|i| tokens[*i].level < level);
        open.map_or("", |open| self.text(&tokens[open]))
    }

    pub(super) fn matching(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (index + 1..tokens.len())
            .find(|i| tokens[*i].level == level)
            .unwrap_or(index)
    }

    pub(super) fn find_back(&self, index: usize, text: &str) -> usize {
        let tokens = &self.tokens.tokens;
        (0..index)
            .rev()
            .find(|i| self.text(&tokens[*i]) == text)
            .unwrap_or(index)
    }

    pub(super) fn in_parameters(&self, index: usize) -> bool {
        let first = self.text(&self.tokens.tokens[self.line_start(index)]);
        matches!(first, "def" | "async") || self.find_back(index, "lambda") < index
    }

    pub(super) fn in_class_arguments(&self, start: usize) -> bool {
        self.text(&self.tokens.tokens[self.line_start(self.token_at(start))]) == "class"
    }

    pub(super) fn enclosing_is_lambda(&self, index: usize) -> bool {
        let lambda = self.find_back(index, "lambda");
        lambda < index && self.tokens.tokens[lambda].level == self.tokens.tokens[index].level
    }

    /// Whether the brace at a token index opens a replacement field.
    pub(super) fn is_field(&self, index: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        // Between template start and the field there is only text, which has no token.
        let token = &tokens[before];
        let gap_is_text = token.end < tokens[index].start || token.kind == Kind::TemplateStart;
        let closes_field = self.text(token) == "}" || self.text(token) == ":";
        token.kind == Kind::TemplateStart
            || closes_field && gap_is_text && self.inside_template(index)
            || self.text(token) == ":" && self.inside_template(index)
            || self.text(token) == "}" && self.inside_template(index)
    }

    pub(super) fn inside_template(&self, index: usize) -> bool {
        let mut open = 0i32;
        for token in &self.tokens.tokens[..index] {
            match token.kind {
                Kind::TemplateStart => open += 1,
                Kind::TemplateEnd => open -= 1,
                _ => {}
            }
        }
        open > 0
    }

    pub(super) fn template_kind(&self, index: usize) -> char {
        let tokens = &self.tokens.tokens;
        let start = (0..=index).rev().find(|i| tokens[*i].kind == Kind::TemplateStart);
        let is_t = start.is_some_and(|i| self.text(&tokens[i]).to_ascii_lowercase().contains('t'));
        if is_t { 't' } else { 'f' }
    }
}

pub(super) fn token_or(tokens: &[Token], index: usize) -> &Token {
    &tokens[index.min(tokens.len() - 1)]
}
