//! Lines of text -> rows: a state machine over characters.

use super::dialect::{Dialect, Quoting};
use super::{ERROR, field_limit};
use adder_runtime::memory::blank_header;
use adder_runtime::per_kind;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::mem::offset_of;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    StartRecord,
    StartField,
    EscapedChar,
    InField,
    InQuotedField,
    EscapeInQuotedField,
    QuoteInQuotedField,
    EatNewline,
    AfterEscapedNewline,
}

/// Stands for the end of a line.
const END: u32 = u32::MAX;

struct Parser {
    state: State,
    field: Vec<u32>,
    fields: Vec<Ref>,
    unquoted: bool,
}

#[repr(C)]
pub struct Reader {
    ob_base: PyObject,
    input: ObjectCell,
    dialect: Ref<Dialect>,
    line_num: Cell<std::ffi::c_ulong>,
    parser: RefCell<Parser>,
    /// Counts the rows that were begun.
    n_begun: Cell<u64>,
}

const LF: u32 = 10;
const CR: u32 = 13;

impl Parser {
    fn new() -> Parser {
        Parser { state: State::StartRecord, field: Vec::new(), fields: Vec::new(), unquoted: false }
    }
    fn save(&mut self, dialect: &Dialect) -> PyResult<()> {
        let quoting = dialect.quoting;
        let value = if self.unquoted
            && self.field.is_empty()
            && matches!(quoting, Quoting::NotNull | Quoting::Strings)
        {
            none_ref()
        } else {
            let text = PyUnicodeObject::from_code_points(&self.field).into_object();
            if self.unquoted
                && !self.field.is_empty()
                && matches!(quoting, Quoting::NonNumeric | Quoting::Strings)
            {
                PyFloatObject::type_object().as_object().call1(&text)?
            } else {
                text
            }
        };
        self.field.clear();
        self.fields.push(value);
        Ok(())
    }
    fn add(&mut self, code: u32) -> PyResult<()> {
        let limit = field_limit();
        if self.field.len() as i64 >= limit {
            return Err(ERROR.raise(format!("field larger than field limit ({limit})")));
        }
        self.field.push(code);
        Ok(())
    }
    fn end_field(&mut self, dialect: &Dialect, code: u32) -> PyResult<()> {
        self.save(dialect)?;
        self.state = if code == END { State::StartRecord } else { State::EatNewline };
        Ok(())
    }
    fn step(&mut self, dialect: &Dialect, code: u32) -> PyResult<()> {
        let newline = code == LF || code == CR || code == END;
        let quotes = dialect.quoting != Quoting::None;
        let is_quote = quotes && dialect.quotechar == Some(code);
        let is_escape = dialect.escapechar == Some(code);
        let mut state = self.state;
        if state == State::StartRecord {
            if code == END {
                return Ok(());
            }
            if newline {
                self.state = State::EatNewline;
                return Ok(());
            }
            state = State::StartField;
        }
        if state == State::AfterEscapedNewline {
            if code == END {
                return Ok(());
            }
            state = State::InField;
        }
        match state {
            State::StartRecord | State::AfterEscapedNewline => {}
            State::StartField => {
                self.unquoted = true;
                if newline {
                    return self.end_field(dialect, code);
                }
                if is_quote {
                    self.unquoted = false;
                    self.state = State::InQuotedField;
                } else if is_escape {
                    self.state = State::EscapedChar;
                } else if code == 32 && dialect.skipinitialspace.get() != 0 {
                    self.state = State::StartField;
                } else if code == dialect.delimiter {
                    self.state = State::StartField;
                    return self.save(dialect);
                } else {
                    self.add(code)?;
                    self.state = State::InField;
                }
            }
            State::EscapedChar => {
                if code == LF || code == CR {
                    self.add(code)?;
                    self.state = State::AfterEscapedNewline;
                } else {
                    self.add(if code == END { LF } else { code })?;
                    self.state = State::InField;
                }
            }
            State::InField => {
                if newline {
                    return self.end_field(dialect, code);
                }
                if is_escape {
                    self.state = State::EscapedChar;
                } else if code == dialect.delimiter {
                    self.state = State::StartField;
                    return self.save(dialect);
                } else {
                    self.state = State::InField;
                    self.add(code)?;
                }
            }
            State::InQuotedField => {
                if code == END {
                } else if is_escape {
                    self.state = State::EscapeInQuotedField;
                } else if is_quote {
                    self.state =
                        if dialect.doublequote.get() != 0 { State::QuoteInQuotedField } else { State::InField };
                } else {
                    self.add(code)?;
                }
            }
            State::EscapeInQuotedField => {
                self.add(if code == END { LF } else { code })?;
                self.state = State::InQuotedField;
            }
            State::QuoteInQuotedField => {
                if is_quote {
                    self.add(code)?;
                    self.state = State::InQuotedField;
                } else if code == dialect.delimiter {
                    self.state = State::StartField;
                    return self.save(dialect);
                } else if newline {
                    return self.end_field(dialect, code);
                } else if dialect.strict.get() == 0 {
                    self.add(code)?;
                    self.state = State::InField;
                } else {
                    let show = |code: u32| char::from_u32(code).unwrap_or('?');
                    let (delimiter, quote) = (show(dialect.delimiter), show(dialect.quotechar.unwrap_or(34)));
                    return Err(ERROR.raise(format!("'{delimiter}' expected after '{quote}'")));
                }
            }
            State::EatNewline => {
                if code == END {
                    self.state = State::StartRecord;
                } else if !newline {
                    return Err(ERROR.raise(
                        "new-line character seen in unquoted field - do you need to open the file with newline=''?",
                    ));
                }
            }
        }
        Ok(())
    }
}

#[pytype(
    name = "_csv.reader",
    static_name = READER_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    members = [("line_num", Py_T_ULONG, offset_of!(Reader, line_num), Py_READONLY)],
)]
/// CSV reader
///
/// Reader objects are responsible for reading and parsing tabular data
/// in CSV format.
impl Reader {
    pub fn over(iterable: &PyObject, dialect: Ref<Dialect>) -> PyResult<Ref<Reader>> {
        Ref::new(Reader {
            ob_base: blank_header(),
            input: ObjectCell::new(Some(iterable.iter()?)),
            dialect,
            line_num: Cell::new(0),
            parser: RefCell::new(Parser::new()),
            n_begun: Cell::new(0),
        })
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.input.visit(visitor);
        if status != 0 { status } else { visitor.visit(self.dialect.as_raw()) }
    }
    #[slot]
    fn tp_clear(&self) {
        self.input.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(input) = self.input.get() else { return Ok(None) };
        // The input's iterator may run this reader again.
        let mut parser = self.parser.replace(Parser::new());
        parser.state = State::StartRecord;
        parser.field.clear();
        parser.fields.clear();
        let row = self.n_begun.get() + 1;
        self.n_begun.set(row);
        loop {
            let line = input.next()?;
            if self.n_begun.get() != row {
                return Err(ERROR.raise("iterator has already advanced the reader"));
            }
            let Some(line) = line else {
                if !parser.field.is_empty() || parser.state == State::InQuotedField {
                    if self.dialect.strict.get() != 0 {
                        return Err(ERROR.raise("unexpected end of data"));
                    }
                    parser.save(&self.dialect)?;
                    break;
                }
                return Ok(None);
            };
            let Some(text) = line.as_object().downcast::<PyUnicodeObject>() else {
                return Err(ERROR.raise(format!(
                    "iterator should return strings, not {} (the file should be opened in text mode)",
                    line.ty().name()
                )));
            };
            self.line_num.set(self.line_num.get() + 1);
            per_kind!(text.data(), units => {
                for unit in units {
                    parser.step(&self.dialect, u32::from(*unit))?;
                }
            });
            parser.step(&self.dialect, END)?;
            if parser.state == State::StartRecord {
                break;
            }
        }
        let fields = std::mem::take(&mut parser.fields);
        self.parser.replace(parser);
        Ok(Some(PyListObject::from_vec(fields).into_object()))
    }
    #[getter(name = "dialect")]
    fn get_dialect(&self) -> Ref<Dialect> {
        self.dialect.clone()
    }
}
