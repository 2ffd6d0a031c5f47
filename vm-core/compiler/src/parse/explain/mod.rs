//! A text that is no Python -> what CPython says about it. Two passes of a PEG parser over the tokens, as CPython makes them:
//! the first finds the token at which the text stops being Python, the second tries the rules of known mistakes.

mod grammar;
mod peg;
mod rules;

use super::Mode;
use super::source::LineIndex;
use super::tokenizer::{END_MINUS_ONE, END_ZERO, Kind, Tokens};
use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use peg::{Mistake, Peg, Stop};
use ruff_text_size::{TextRange, TextSize};

/// What was found out.
pub struct Explanation {
    pub error: CompileError,
    /// The parser wanted more when the text ended.
    pub at_end: bool,
    /// Where the text stopped being Python, as an offset.
    pub stopped: usize,
}

struct Explainer<'a> {
    source: &'a str,
    lines: &'a LineIndex,
    tokens: &'a Tokens,
}

/// `None`: the text is Python as far as this grammar can tell.
pub fn explain(source: &str, lines: &LineIndex, tokens: &Tokens, mode: Mode) -> Option<Explanation> {
    let explainer = Explainer {
        source,
        lines,
        tokens,
    };
    let start = match mode {
        Mode::Exec => "file",
        Mode::Single => "interactive",
        Mode::Eval => "eval",
        Mode::FuncType => return None,
    };
    let list = &tokens.tokens;
    let cut_off = tokens.error.is_some() || tokens.unclosed.is_some();
    let mut peg = Peg::new(source, list, cut_off);
    let first = peg.pass(start, false);
    let read = peg.read;
    let stopped_at = read.min(list.len()).saturating_sub(1);
    let stopped = list.get(stopped_at).map_or(source.len(), |token| token.start);
    let body = list
        .iter()
        .rposition(|token| token.kind == Kind::Newline)
        .map_or(0, |at| at + 1);
    // In a bracket that stays open there is no end of a line before the end of the text.
    let at_end = tokens.error.is_none()
        && match tokens.unclosed {
            Some(_) => matches!(first, Err(Stop::Tokens)),
            None => read > body || read >= list.len(),
        };
    let found = |error: CompileError| {
        Some(Explanation {
            error,
            at_end,
            stopped,
        })
    };
    match first {
        Ok(true) => return None,
        Err(Stop::Tokens) => return found(explainer.tokens_end(source.len())),
        Err(Stop::TooDeep) => return found(too_deep()),
        Err(Stop::Mistake(mistake)) => {
            let error = explainer.say(mistake, read);
            return found(explainer.checked(error, read));
        }
        Ok(false) => {}
    }
    match peg.pass(start, true) {
        Err(Stop::Mistake(mistake)) => {
            let error = explainer.say(mistake, peg.read);
            found(explainer.checked(error, peg.read))
        }
        Err(Stop::Tokens) => found(explainer.tokens_end(source.len())),
        Err(Stop::TooDeep) => found(too_deep()),
        Ok(_) => match list.get(stopped_at).map(|token| token.kind) {
            Some(Kind::Indent) => found(explainer.indentation("unexpected indent", stopped_at)),
            Some(Kind::Dedent) if list[stopped_at].start < source.len() => {
                found(explainer.indentation("unexpected unindent", stopped_at))
            }
            _ => {
                let error = explainer.at_token("invalid syntax", stopped_at);
                found(explainer.checked(error, peg.read))
            }
        },
    }
}

fn too_deep() -> CompileError {
    let message = "Parser stack overflowed - Python source too complex to parse";
    CompileError::plain(ErrorKind::MemoryError, message)
}

/// Whether an error of the tokenizer comes before one of the parser although the parser did not get there. Not those
/// that only say that there is no token.
fn comes_first(error: &CompileError) -> bool {
    let soft = error.kind != ErrorKind::SyntaxError
        || error.message.starts_with("unexpected ")
        || error.message.contains("-string: expecting")
        || error.message.starts_with("unterminated f-string")
        || error.message.starts_with("unterminated t-string")
        || error.message.starts_with("too many nested f-strings");
    !soft
}

impl Explainer<'_> {
    fn position(&self, start: usize, end: usize) -> Position {
        self.lines.position(TextRange::new(
            (start as u32).into(),
            (end.max(start) as u32).into(),
        ))
    }

    /// The tokens ended before the parser had enough.
    fn tokens_end(&self, end: usize) -> CompileError {
        if let Some(error) = &self.tokens.error {
            let at_end = error.message == "unexpected EOF while parsing";
            return match self.unclosed() {
                Some(unclosed) if at_end => unclosed,
                _ => error.clone(),
            };
        }
        self.unclosed()
            .unwrap_or_else(|| CompileError::syntax("unexpected EOF while parsing", self.position(end, end)))
    }

    fn unclosed(&self) -> Option<CompileError> {
        let open = self.tokens.unclosed?;
        let (line, col) = self.lines.line_col(TextSize::new(open as u32));
        let bracket = self.source.as_bytes()[open] as char;
        let pos = Position {
            line,
            end_line: line,
            col,
            end_col: END_ZERO,
        };
        Some(CompileError::syntax(format!("'{bracket}' was never closed"), pos))
    }

    /// The rest of the text is read for the tokenizer's errors, which come first; so do brackets that are still open at the
    /// end and were opened on an earlier line.
    fn checked(&self, error: CompileError, read: usize) -> CompileError {
        if let Some(error) = self.tokens.error.as_ref().filter(|error| comes_first(error)) {
            return error.clone();
        }
        let Some(open) = self.tokens.unclosed else {
            return error;
        };
        let (open_line, _) = self.lines.line_col(TextSize::new(open as u32));
        let last = read.min(self.tokens.tokens.len()).saturating_sub(1);
        // An f-string that does not end is another matter.
        let count = |kind| {
            self.tokens
                .tokens
                .iter()
                .filter(|token| token.kind == kind)
                .count()
        };
        if count(Kind::TemplateStart) > count(Kind::TemplateEnd) {
            return error;
        }
        let (line, _) = self
            .lines
            .line_col(TextSize::new(self.tokens.tokens[last].start as u32));
        if line > open_line {
            return self.unclosed().unwrap_or(error);
        }
        error
    }

    /// At one token. A newline is one character wide.
    fn at_token(&self, message: &str, index: usize) -> CompileError {
        let Some(token) = self.tokens.tokens.get(index) else {
            return CompileError::syntax(message, self.position(self.source.len(), self.source.len()));
        };
        match token.kind {
            Kind::Indent | Kind::Dedent | Kind::End => {
                CompileError::syntax(message, self.position_without_columns(index))
            }
            Kind::Newline => {
                let mut pos = self.position(token.start, token.start);
                pos.end_col = pos.col + 1;
                CompileError::syntax(message, pos)
            }
            _ => CompileError::syntax(message, self.position(token.start, token.end)),
        }
    }

    /// Tokens without text stand where the tokenizer is.
    fn position_without_columns(&self, index: usize) -> Position {
        let token = &self.tokens.tokens[index];
        let ends = token.kind == Kind::End || token.start >= self.source.len();
        let at = match token.kind {
            _ if ends => self.source.strip_suffix('\n').unwrap_or(self.source).len(),
            _ => token.end,
        };
        let (line, col) = self.lines.line_col(TextSize::new(at as u32));
        let col = if ends { col } else { col - 1 };
        Position {
            line,
            end_line: line,
            col,
            end_col: END_MINUS_ONE,
        }
    }

    fn indentation(&self, message: &str, index: usize) -> CompileError {
        let mut error = self.at_token(message, index);
        error.kind = ErrorKind::IndentationError;
        error
    }

    fn say(&self, mistake: Mistake, read: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let last = read.min(tokens.len()).saturating_sub(1);
        let range = |first: usize, last: usize| {
            let (first, last) = (
                &tokens[first.min(tokens.len() - 1)],
                &tokens[last.min(tokens.len() - 1)],
            );
            // A newline is taken for empty here.
            let end = if last.kind == Kind::Newline {
                last.start
            } else {
                last.end
            };
            self.position(first.start, end)
        };
        match mistake {
            Mistake::Range(first, last, message) => CompileError::syntax(message, range(first, last)),
            Mistake::From(first, message) => {
                let mut pos = range(first, last);
                if tokens[last].kind != Kind::Newline {
                    pos.end_col -= 1;
                }
                CompileError::syntax(message, pos)
            }
            Mistake::AtLast(message) => self.at_token(&message, last),
            Mistake::AtNext(index, message) => self.at_token(&message, index),
            Mistake::Indent(what, message) => {
                let message = match what {
                    Some((keyword, what)) => {
                        let (line, _) = self.lines.line_col(TextSize::new(tokens[keyword].start as u32));
                        format!("expected an indented block after {what} on line {line}")
                    }
                    None => message,
                };
                self.indentation(&message, last)
            }
            Mistake::Key(first, last) => {
                let mut pos = range(first, last);
                (pos.line, pos.col) = (pos.line, pos.end_col - 1);
                let (line, _) = self.lines.line_col(TextSize::new(tokens[first].start as u32));
                pos.line = line;
                pos.end_col = END_ZERO;
                CompileError::syntax("':' expected after dictionary key", pos)
            }
        }
    }
}
