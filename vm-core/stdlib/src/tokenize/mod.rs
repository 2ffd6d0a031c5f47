//! `_tokenize`: source lines -> token tuples, for `Lib/tokenize.py`. `lexer` and `literals` cut, `kinds` numbers.

mod kinds;
mod lexer;
mod literals;

use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use kinds::*;
use lexer::{Done, Lexer, Token};
use std::cell::RefCell;

/// Reads tokens of Python source text.
#[pymodule(name = "_tokenize", types = [TOKENIZER_ITER_TYPE])]
pub mod _tokenize {
    pub use super::TOKENIZER_ITER_TYPE;
}

/// An iterator over token tuples.
#[repr(C)]
pub struct TokenizerIter {
    ob_base: PyObject,
    state: RefCell<State>,
}

struct State {
    lexer: Lexer,
    finished: bool,
    /// The text shown last: from where to where in the buffer.
    shown: Option<(usize, usize, Ref<PyUnicodeObject>)>,
    /// The line that the last token began in.
    last_line: usize,
    /// A column found last: line start, byte offset and character offset.
    column: (usize, usize, usize),
}

#[pytype(name = "_tokenize.TokenizerIter", static_name = TOKENIZER_ITER_TYPE)]
impl TokenizerIter {
    #[new("(readline, /, *, encoding=None, extra_tokens=False)")]
    fn new(
        cls: &PyTypeObject,
        readline: &PyObject,
        encoding: Option<&PyUnicodeObject>,
        extra_tokens: bool,
    ) -> PyResult<Ref<TokenizerIter>> {
        let readline = readline.to_ref();
        let encoding = match encoding {
            Some(encoding) => Some(encoding.to_str()?.to_owned()),
            None => None,
        };
        let lexer = Lexer::new(
            Box::new(move || read_line(&readline, encoding.as_deref())),
            extra_tokens,
        );
        let state = State {
            lexer,
            finished: false,
            shown: None,
            last_line: 0,
            column: (0, 0, 0),
        };
        Ref::new_in(
            cls,
            TokenizerIter {
                ob_base: adder_runtime::memory::blank_header(),
                state: RefCell::new(state),
            },
        )
    }
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return Err(raise!(ValueError, "tokenizer already running"));
        };
        state.next()
    }
}

fn read_line(readline: &PyObject, encoding: Option<&str>) -> PyResult<Vec<u8>> {
    let line = match readline.call0() {
        Ok(line) => line,
        Err(raised) => {
            raised.clear_if(exc::StopIteration)?;
            return Ok(Vec::new());
        }
    };
    match encoding {
        Some(encoding) => match line.downcast::<PyBytesObject>() {
            Ok(bytes) => {
                let args = [
                    PyUnicodeObject::from_str(encoding),
                    PyUnicodeObject::from_str("replace"),
                ];
                let args = [args[0].as_object(), args[1].as_object()];
                Ok(bytes
                    .as_object()
                    .call_method(identifier!("decode"), &args)?
                    .str()?
                    .to_wtf8())
            }
            Err(_) => Err(raise!(TypeError, "readline() returned a non-bytes object")),
        },
        None => match line.downcast::<PyUnicodeObject>() {
            Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
            Err(_) => Err(raise!(TypeError, "readline() returned a non-string object")),
        },
    }
}

fn text_object(bytes: &[u8]) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::from_str(&String::from_utf8_lossy(bytes))
}

fn int(value: isize) -> Ref {
    PyLongObject::from_isize(value).into_object()
}

fn pair(line: isize, column: isize) -> Ref {
    PyTupleObject::from_vec(vec![int(line), int(column)]).into_object()
}

impl State {
    fn next(&mut self) -> PyResult<Option<Ref>> {
        if self.finished {
            return Ok(None);
        }
        match self.lexer.get() {
            // No input at all.
            Ok(token) if token.kind == ENDMARKER && self.lexer.line == 0 && !self.lexer.extra => {
                self.finished = true;
                Ok(None)
            }
            Ok(token) => self.tuple(token).map(Some),
            Err(_) => {
                let raised = self.raise();
                if self.lexer.done != Done::Raised {
                    self.lexer.done = Done::Eof;
                }
                Err(raised)
            }
        }
    }

    /// The lines that a token is in.
    fn shown_text(&mut self, from: usize) -> Ref<PyUnicodeObject> {
        // What is at the end of the input shows the last line only when it follows code in it.
        if self.lexer.done == Done::Eof
            && self.lexer.line == self.last_line
            && let Some((_, _, text)) = &self.shown
        {
            return text.clone();
        }
        let buffer = &self.lexer.buffer;
        let mut to = buffer.len();
        if to > from && self.lexer.implicit_newline {
            to -= 1;
        }
        if let Some((start, end, text)) = &self.shown
            && (*start, *end) == (from, to)
        {
            return text.clone();
        }
        let text = text_object(&buffer[from.min(to)..to]);
        self.shown = Some((from, to, text.clone()));
        text
    }

    /// How many characters there are from a line's start to a byte.
    fn column(&mut self, line_start: usize, at: usize) -> isize {
        let (start, mut byte, mut chars) = self.column;
        if start != line_start || byte > at {
            (byte, chars) = (line_start, 0);
        }
        chars += self.lexer.buffer[byte..at]
            .iter()
            .filter(|byte| **byte & 0xC0 != 0x80)
            .count();
        self.column = (line_start, at, chars);
        chars as isize
    }

    fn tuple(&mut self, token: Token) -> PyResult {
        let mut kind = token.kind;
        let extra = self.lexer.extra;
        let is_trailing = kind == ENDMARKER || kind == DEDENT && self.lexer.done == Done::Eof;
        let mut text = match token.span {
            Some((start, end)) => text_object(&self.lexer.buffer[start..end]),
            None => PyUnicodeObject::empty(),
        };
        let is_string = is_string(kind);
        let (line_start, first_line) = if is_string {
            (self.lexer.multi_line_start, self.lexer.first_line)
        } else {
            (self.lexer.line_start, self.lexer.line)
        };
        let shown = if extra && is_trailing {
            PyUnicodeObject::empty()
        } else {
            self.shown_text(line_start)
        };
        self.last_line = first_line;
        let (mut line, mut end_line) = (first_line as isize, self.lexer.line as isize);
        let (mut col, mut end_col) = (-1, -1);
        if let Some((start, end)) = token.span {
            if start >= line_start {
                col = self.column(line_start, start);
            }
            let last_start = if line == end_line {
                line_start
            } else {
                self.lexer.line_start
            };
            if end >= last_start {
                end_col = self.column(last_start, end);
            }
        }
        if extra {
            if is_trailing {
                line += 1;
                end_line = line;
                (col, end_col) = (0, 0);
            }
            if kind > DEDENT && kind < OP {
                kind = OP;
            } else if kind == NEWLINE {
                let is_crlf = token
                    .span
                    .is_some_and(|(start, _)| self.lexer.buffer[start] == b'\r');
                if !self.lexer.implicit_newline {
                    text = PyUnicodeObject::from_str(if is_crlf { "\r\n" } else { "\n" });
                }
                end_col += 1;
            } else if kind == NL && self.lexer.implicit_newline {
                text = PyUnicodeObject::empty();
            }
        }
        if token.kind == ENDMARKER {
            self.finished = true;
        }
        let items = vec![
            int(kind as isize),
            text.into_object(),
            pair(line, col),
            pair(end_line, end_col),
            shown.into_object(),
        ];
        Ok(PyTupleObject::from_vec(items).into_object())
    }

    /// Raises what the lexer stopped for.
    fn raise(&mut self) -> Raised {
        let lexer = &self.lexer;
        let (ty, message): (&PyTypeObject, _) = match lexer.done {
            Done::Raised => return Raised::assume(),
            Done::No | Done::Eof => return self.raise_eof(),
            Done::Dedent => (
                exc::IndentationError,
                "unindent does not match any outer indentation level",
            ),
            Done::TooDeep => (exc::IndentationError, "too many levels of indentation"),
            Done::TabSpace => (
                exc::TabError,
                "inconsistent use of tabs and spaces in indentation",
            ),
            Done::LineContinuation => (
                exc::SyntaxError,
                "unexpected character after line continuation character",
            ),
        };
        let text = String::from_utf8_lossy(&lexer.buffer[lexer.text_start..]).into_owned();
        let offset = text.chars().count();
        let shown = PyUnicodeObject::from_str(text.strip_suffix('\n').unwrap_or(&text));
        // The end of the place is None.
        let place = [
            PyUnicodeObject::from_str("<string>").into_object(),
            int(lexer.line as isize),
            int(offset as isize),
            shown.into_object(),
            none_ref(),
            none_ref(),
        ];
        let place = PyTupleObject::from_vec(place.into());
        let message = PyUnicodeObject::from_str(message);
        let args = PyTupleObject::from_slice(&[message.as_object(), place.as_object()]);
        adder_runtime::error::set_object(ty.as_object(), Some(args.as_object()))
    }

    fn raise_eof(&mut self) -> Raised {
        let lexer = &self.lexer;
        let offset = lexer.buffer.len() - lexer.text_start;
        let raised = raise!(SyntaxError, "unexpected EOF in multi-line statement");
        let exception = raised.take();
        let numbers = [
            ("lineno", lexer.line),
            ("end_lineno", lexer.line),
            ("offset", offset),
        ];
        for (name, number) in numbers {
            if let Err(raised) = exception.set_attr_str(name, &int(number as isize)) {
                return raised;
            }
        }
        adder_runtime::error::restore(exception)
    }
}
