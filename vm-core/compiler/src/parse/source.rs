//! bytes -> text: encodings of source files (PEP 263), newlines, line index.

use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use ruff_text_size::{TextRange, TextSize};
use std::borrow::Cow;
use std::cell::Cell;

/// The result of `decode_source`.
#[derive(Debug, PartialEq)]
pub enum Decoded<'a> {
    Text(Cow<'a, str>),
    /// The source names an encoding that is not built in: the caller decodes (the rest after a BOM, if any) with the
    /// codec of that name and compiles the text.
    OtherEncoding(String),
}

/// Decodes source code: BOM, coding comment in the first two lines, else UTF-8.
pub fn decode_source(source: &[u8]) -> Result<Decoded<'_>, CompileError> {
    let (body, bom) = match source.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (rest, true),
        None => (source, false),
    };
    let encoding = coding_comment(body);
    let normal = encoding.as_deref().map(normalize_encoding);
    match normal.as_deref() {
        Some(other) if bom && (other != "utf-8" || encoding.as_deref().is_some_and(is_short_name)) => {
            let name = if other == "utf-8" { "utf8" } else { other };
            let lines = body.split(|b| *b == b'\n').enumerate();
            let mut comments = lines.filter(|(_, line)| coding_comment(line).is_some());
            let (index, line) = comments.next().unwrap_or((0, body));
            let mut error = CompileError::plain(
                ErrorKind::SyntaxError,
                format!("encoding problem: {name} with BOM"),
            );
            (error.lineno, error.offset) = (index as i32 + 1, 0);
            (error.end_lineno, error.end_offset) = (index as i32 + 1, line.len() as i32);
            error.text = Some(String::from_utf8_lossy(line).into_owned());
            Err(error)
        }
        None | Some("utf-8") => utf8(body, encoding.is_some()),
        Some("iso-8859-1") => Ok(Decoded::Text(
            body.iter().map(|b| *b as char).collect::<String>().into(),
        )),
        Some("ascii") => match body.iter().position(|b| !b.is_ascii()) {
            None => utf8(body, true),
            Some(at) => Err(CompileError::plain(
                ErrorKind::SyntaxError,
                format!(
                    "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                    body[at]
                ),
            )),
        },
        Some(_) => Ok(Decoded::OtherEncoding(encoding.unwrap_or_default())),
    }
}

fn utf8(body: &[u8], declared: bool) -> Result<Decoded<'_>, CompileError> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(Decoded::Text(text.into())),
        Err(error) => {
            let at = error.valid_up_to();
            let line = body[..at].iter().filter(|b| **b == b'\n').count() as i32 + 1;
            let reason = match error.error_len() {
                None => "unexpected end of data",
                Some(_) if body[at] & 0xC0 == 0x80 || body[at] >= 0xF8 || body[at] & 0xFE == 0xC0 => {
                    "invalid start byte"
                }
                Some(_) => "invalid continuation byte",
            };
            let message = if declared {
                format!(
                    "'utf-8' codec can't decode byte 0x{:02x} in position {at}: {reason}",
                    body[at]
                )
            } else {
                format!(
                    "Non-UTF-8 code starting with '\\x{:02x}' on line {line}, but no encoding declared; \
                     see https://peps.python.org/pep-0263/ for details",
                    body[at]
                )
            };
            let mut failure = CompileError::plain(ErrorKind::SyntaxError, message);
            if !declared {
                let start = body[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
                let end = body[at..]
                    .iter()
                    .position(|b| *b == b'\n')
                    .map_or(body.len(), |n| at + n);
                let offset = String::from_utf8_lossy(&body[start..at]).chars().count() as i32 + 1;
                (failure.lineno, failure.end_lineno) = (line, line);
                (failure.offset, failure.end_offset) = (offset, offset);
                failure.text = Some(String::from_utf8_lossy(&body[start..end]).into_owned());
            }
            Err(failure)
        }
    }
}

/// The name in a `coding[:=] name` comment on the first or second line.
fn coding_comment(body: &[u8]) -> Option<String> {
    for line in body.split(|b| *b == b'\n' || *b == b'\r').take(2) {
        let start = line.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\x0C'));
        let Some(start) = start else { continue };
        if line[start] != b'#' {
            return None;
        }
        let comment = &line[start..];
        for at in 0..comment.len().saturating_sub(6) {
            let Some(rest) = comment[at..].strip_prefix(b"coding") else {
                continue;
            };
            let Some(rest) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else {
                continue;
            };
            let skip = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            let name: String = rest[skip..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                .map(|b| *b as char)
                .collect();
            if !name.is_empty() {
                return Some(name);
            }
        }
    }
    None
}

/// The spelling of UTF-8 that is a codec's name only.
fn is_short_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf8")
}

fn normalize_encoding(name: &str) -> String {
    let lower: String = name
        .chars()
        .map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() })
        .take(12)
        .collect();
    if lower == "utf-8" || lower.starts_with("utf-8-") || lower == "utf8" {
        "utf-8".into()
    } else if matches!(
        lower.as_str(),
        "latin-1" | "iso-8859-1" | "iso-latin-1" | "latin1" | "l1"
    ) || ["latin-1-", "iso-8859-1-", "iso-latin-1-"]
        .iter()
        .any(|p| lower.starts_with(p))
    {
        "iso-8859-1".into()
    } else if matches!(lower.as_str(), "ascii" | "us-ascii") {
        "ascii".into()
    } else {
        lower
    }
}

/// Replaces `\r\n` and `\r` by `\n`, as Python's tokenizer reads source.
pub fn normalize_newlines(source: &str) -> Cow<'_, str> {
    if source.contains('\r') {
        Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(source)
    }
}

/// Byte offsets -> lines and columns.
pub struct LineIndex {
    starts: Vec<u32>,
    /// The line found last: positions are asked for in nearly ascending order.
    last: Cell<usize>,
}

impl LineIndex {
    pub fn new(source: &str) -> LineIndex {
        let newlines = source.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at as u32 + 1))
            .collect();
        LineIndex {
            starts,
            last: Cell::new(0),
        }
    }

    /// Line from 1 and byte column from 0.
    pub fn line_col(&self, offset: TextSize) -> (i32, i32) {
        let offset = offset.to_u32();
        let mut line = self.last.get();
        let holds = |line: usize| {
            self.starts[line] <= offset && self.starts.get(line + 1).is_none_or(|next| offset < *next)
        };
        if !holds(line) {
            line = if line + 1 < self.starts.len() && holds(line + 1) {
                line + 1
            } else {
                self.starts.partition_point(|start| *start <= offset) - 1
            };
            self.last.set(line);
        }
        (line as i32 + 1, (offset - self.starts[line]) as i32)
    }

    pub fn position(&self, range: TextRange) -> Position {
        let (line, col) = self.line_col(range.start());
        let (end_line, end_col) = self.line_col(range.end());
        Position {
            line,
            end_line,
            col,
            end_col,
        }
    }

    /// Offset of a line's first byte; the line counts from 1.
    pub fn line_start(&self, line: usize) -> usize {
        self.starts.get(line - 1).copied().unwrap_or(0) as usize
    }
}
