//! What can go wrong while compiling, in the terms of Python's SyntaxError.

use crate::bytecode::Position;

/// The exception class to raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    SyntaxError,
    IndentationError,
    TabError,
    /// The input ends in the middle of a statement (`codeop` asks for the distinction).
    IncompleteInput,
    ValueError,
    RecursionError,
    MemoryError,
    OverflowError,
    SystemError,
}

impl ErrorKind {
    /// The Python class's name.
    pub const fn class_name(self) -> &'static str {
        match self {
            ErrorKind::SyntaxError => "SyntaxError",
            ErrorKind::IndentationError => "IndentationError",
            ErrorKind::TabError => "TabError",
            ErrorKind::IncompleteInput => "_IncompleteInputError",
            ErrorKind::ValueError => "ValueError",
            ErrorKind::RecursionError => "RecursionError",
            ErrorKind::MemoryError => "MemoryError",
            ErrorKind::OverflowError => "OverflowError",
            ErrorKind::SystemError => "SystemError",
        }
    }
}

/// A failed compilation. Offsets count characters (not bytes) from 1, as SyntaxError's attributes do; 0 or -1: unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct CompileError {
    pub kind: ErrorKind,
    pub message: String,
    pub lineno: i32,
    pub offset: i32,
    pub end_lineno: i32,
    pub end_offset: i32,
    /// The source line, with its newline.
    pub text: Option<String>,
    /// Columns are still UTF-8 bytes from 0 (-1: none) until the source text is at hand.
    pub(crate) raw_columns: bool,
    /// The tokenizer's own errors show the line without its newline.
    pub(crate) from_tokenizer: bool,
    /// The parser wanted more when the text ended.
    pub(crate) at_end: bool,
    /// What was to be warned of before the error was met.
    pub warnings: Vec<CompileWarning>,
}

impl CompileError {
    /// An error at a position whose columns are bytes; `finish` translates them.
    pub fn at(kind: ErrorKind, message: impl Into<String>, pos: Position) -> CompileError {
        CompileError {
            kind,
            message: message.into(),
            lineno: pos.line,
            offset: pos.col,
            end_lineno: pos.end_line,
            end_offset: pos.end_col,
            text: None,
            raw_columns: true,
            from_tokenizer: false,
            at_end: false,
            warnings: Vec::new(),
        }
    }

    pub fn syntax(message: impl Into<String>, pos: Position) -> CompileError {
        CompileError::at(ErrorKind::SyntaxError, message, pos)
    }

    /// An error without a place.
    pub fn plain(kind: ErrorKind, message: impl Into<String>) -> CompileError {
        let mut error = CompileError::at(kind, message, Position::NONE);
        error.raw_columns = false;
        error
    }

    /// Fills in the line's text, but leaves the offsets in bytes, as CPython does for errors found after parsing.
    pub(crate) fn finish_bytes(self, source: Option<&str>) -> CompileError {
        let (offset, end_offset) = (self.offset + 1, self.end_offset + 1);
        let raw = self.raw_columns;
        let mut error = self.finish(source);
        if raw {
            (error.offset, error.end_offset) = (offset, end_offset);
        }
        error
    }

    /// Translates byte columns to character offsets and fills in the line's text.
    pub(crate) fn finish(mut self, source: Option<&str>) -> CompileError {
        if !self.raw_columns {
            return self;
        }
        self.raw_columns = false;
        let line_text = |lineno: i32| -> Option<&str> {
            source?
                .split_inclusive('\n')
                .nth(usize::try_from(lineno).ok()?.checked_sub(1)?)
        };
        let to_offset = |lineno: i32, col: i32| -> i32 {
            if col < 0 {
                return col + 1; // see `parse::tokenizer`
            }
            match line_text(lineno) {
                Some(text) => {
                    let bytes = &text.as_bytes()[..(col as usize).min(text.len())];
                    let extra = col - bytes.len() as i32;
                    bytes.iter().filter(|b| **b & 0xC0 != 0x80).count() as i32 + extra + 1
                }
                None => col + 1,
            }
        };
        self.offset = to_offset(self.lineno, self.offset);
        self.end_offset = to_offset(self.end_lineno, self.end_offset);
        self.text = line_text(self.lineno).map(|line| {
            let line = line.trim_end_matches('\n').to_owned();
            if self.from_tokenizer { line } else { line + "\n" }
        });
        self
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} (line {}, offset {})",
            self.kind.class_name(),
            self.message,
            self.lineno,
            self.offset
        )
    }
}

impl std::error::Error for CompileError {}

/// A SyntaxWarning (or DeprecationWarning) met while compiling. Columns are bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct CompileWarning {
    pub message: String,
    pub pos: Position,
}

pub type Result<T> = std::result::Result<T, CompileError>;
