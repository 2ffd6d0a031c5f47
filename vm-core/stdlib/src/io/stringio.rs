//! `StringIO`: a text stream in memory. Writes at the end are gathered; anything else turns them into code points.

use super::bytesio::restore_dict;
use super::iobase::TEXTIOBASE_TYPE;
use super::newline::{LineEnd, Newlines, find_line_end};
use super::*;
use adder_runtime::objects::unicodeobject::UnicodeWriter;
use std::cell::RefCell;

enum Text {
    /// Written from start to end, not read: what was asked for already, and what came since.
    Gathering(Option<Ref<PyUnicodeObject>>, UnicodeWriter),
    CodePoints(Vec<u32>),
}

/// `_io.StringIO`.
#[repr(C)]
pub struct StringIO {
    head: IoHead,
    text: RefCell<Text>,
    pos: Cell<usize>,
    ready: Cell<bool>,
    closed: Cell<bool>,
    translate: Cell<bool>,
    universal: Cell<bool>,
    /// The `newline` argument; none for None.
    newline: RefCell<Option<String>>,
    /// What `\n` becomes in writes, when that is something else.
    write_newline: RefCell<Option<Ref<PyUnicodeObject>>>,
    decoder: RefCell<Option<Newlines>>,
}

impl StringIO {
    fn check_ready(&self) -> PyResult<()> {
        if !self.ready.get() {
            return Err(raise!(ValueError, "I/O operation on uninitialized object"));
        }
        if self.closed.get() {
            return Err(raise!(ValueError, "I/O operation on closed file"));
        }
        Ok(())
    }
    /// The text as code points, for everything but appending.
    fn with_code_points<T>(&self, f: impl FnOnce(&mut Vec<u32>) -> T) -> PyResult<T> {
        let mut text = self.text.borrow_mut();
        if let Text::Gathering(..) = &*text {
            let Text::Gathering(before, since) = std::mem::replace(&mut *text, Text::CodePoints(Vec::new()))
            else {
                unreachable!()
            };
            let since = since.finish()?;
            let mut units: Vec<u32> = Vec::with_capacity(since.len());
            if let Some(before) = before {
                units.extend(before.code_points());
            }
            units.extend(since.code_points());
            *text = Text::CodePoints(units);
        }
        match &mut *text {
            Text::CodePoints(units) => Ok(f(units)),
            Text::Gathering(..) => unreachable!(),
        }
    }
    fn len(&self) -> usize {
        match &*self.text.borrow() {
            Text::Gathering(before, since) => before.as_ref().map_or(0, |before| before.len()) + since.len(),
            Text::CodePoints(units) => units.len(),
        }
    }
    fn value(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let mut text = self.text.borrow_mut();
        match &mut *text {
            Text::CodePoints(units) => Ok(PyUnicodeObject::from_code_points(units)),
            Text::Gathering(before, since) => {
                if since.is_empty() {
                    return Ok(before.clone().unwrap_or_else(PyUnicodeObject::empty));
                }
                let since = std::mem::replace(since, UnicodeWriter::new()).finish()?;
                let whole = match before.take() {
                    Some(before) => before.concat(&since)?,
                    None => since,
                };
                *before = Some(whole.clone());
                Ok(whole)
            }
        }
    }
    fn write_text(&self, text: &PyUnicodeObject) -> PyResult<()> {
        let decoded = match &*self.decoder.borrow() {
            Some(decoder) => decoder.decode(text.to_exact(), true)?,
            None => text.to_ref(),
        };
        let translated = match &*self.write_newline.borrow() {
            Some(newline) => decoded.replace(&PyUnicodeObject::from_char(u32::from(b'\n')), newline, -1)?,
            None => decoded,
        };
        let pos = self.pos.get();
        let len = translated.len();
        if len == 0 {
            return Ok(());
        }
        if pos == self.len()
            && let Text::Gathering(_, since) = &mut *self.text.borrow_mut()
        {
            since.push_object(&translated);
            self.pos.set(pos + len);
            return Ok(());
        }
        adder_runtime::memory::ensure_room(pos.saturating_add(len).saturating_mul(4))?;
        self.with_code_points(|units| {
            if pos > units.len() {
                units.resize(pos, 0);
            }
            let n_over = (units.len() - pos).min(len);
            for (unit, code) in units[pos..pos + n_over].iter_mut().zip(translated.code_points()) {
                *unit = code;
            }
            units.extend(translated.code_points().skip(n_over));
        })?;
        self.pos.set(pos + len);
        Ok(())
    }
    fn take_line(&self, limit: isize) -> PyResult<Ref<PyUnicodeObject>> {
        let pos = self.pos.get();
        let newline = self.newline.borrow();
        let end = if self.translate.get() || newline.as_deref() == Some("\n") {
            LineEnd::Lf
        } else if self.universal.get() {
            LineEnd::Universal
        } else {
            LineEnd::Exactly(newline.as_deref().unwrap_or("\n"))
        };
        let line = self.with_code_points(|units| {
            let Some(rest) = units.get(pos..) else {
                return PyUnicodeObject::empty();
            };
            let rest = &rest[..rest.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
            let len = find_line_end(rest, end).unwrap_or(rest.len());
            PyUnicodeObject::from_code_points(&rest[..len])
        })?;
        self.pos.set(pos + line.len());
        Ok(line)
    }
    fn set_newline(&self, newline: Option<&PyUnicodeObject>) -> PyResult<()> {
        let newline = newline.map(|newline| newline.to_string_lossy());
        if let Some(text) = &newline
            && !matches!(text.as_str(), "" | "\n" | "\r" | "\r\n")
        {
            return Err(raise!(
                ValueError,
                "illegal newline value: {}",
                PyUnicodeObject::from_str(text)
                    .as_object()
                    .repr()?
                    .to_string_lossy()
            ));
        }
        let universal = newline.as_deref().is_none_or(str::is_empty);
        let translate = newline.is_none();
        self.universal.set(universal);
        self.translate.set(translate);
        // Without an argument, '\n' is written as it is, whatever the system's lines end with.
        *self.write_newline.borrow_mut() = match newline.as_deref() {
            Some(text) if text.starts_with('\r') => Some(PyUnicodeObject::from_str(text)),
            _ => None,
        };
        *self.decoder.borrow_mut() = universal.then(|| Newlines::new(translate));
        *self.newline.borrow_mut() = newline;
        Ok(())
    }
    fn set_up(&self, initial: Option<&PyUnicodeObject>, newline: Option<&PyUnicodeObject>) -> PyResult<()> {
        self.ready.set(false);
        self.set_newline(newline)?;
        *self.text.borrow_mut() = Text::Gathering(None, UnicodeWriter::new());
        self.pos.set(0);
        if let Some(initial) = initial.filter(|initial| !initial.is_empty()) {
            // Reading comes next, most likely.
            *self.text.borrow_mut() = Text::CodePoints(Vec::with_capacity(initial.len()));
            self.write_text(initial)?;
            self.pos.set(0);
        }
        self.closed.set(false);
        self.ready.set(true);
        Ok(())
    }
}

/// A text stream in memory.
#[pytype(
    name = "_io.StringIO",
    static_name = STRINGIO_TYPE,
    base = TEXTIOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<StringIO>],
)]
impl StringIO {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let stream = StringIO {
            head: IoHead::new(),
            text: RefCell::new(Text::CodePoints(Vec::new())),
            pos: Cell::new(0),
            ready: Cell::new(false),
            closed: Cell::new(false),
            translate: Cell::new(false),
            universal: Cell::new(false),
            newline: RefCell::new(None),
            write_newline: RefCell::new(None),
            decoder: RefCell::new(None),
        };
        Ok(Ref::new_in(cls, stream)?.into_object())
    }
    #[init("(initial_value='', newline='\\n')")]
    fn init(&self, initial_value: Option<&PyObject>, newline: Option<&PyObject>) -> PyResult<()> {
        let lf = PyUnicodeObject::from_char(u32::from(b'\n'));
        let newline = match newline {
            None => Some(&*lf),
            Some(newline) if is_none(newline) => None,
            Some(newline) => match newline.downcast::<PyUnicodeObject>() {
                Some(newline) => Some(newline),
                None => {
                    return Err(raise!(
                        TypeError,
                        "newline must be str or None, not {}",
                        newline.ty().full_name()
                    ));
                }
            },
        };
        let initial = match initial_value.filter(|value| !is_none(value)) {
            None => None,
            Some(value) => match value.downcast::<PyUnicodeObject>() {
                Some(value) => Some(value),
                None => {
                    return Err(raise!(
                        TypeError,
                        "initial_value must be str or None, not {}",
                        value.ty().full_name()
                    ));
                }
            },
        };
        self.set_up(initial, newline)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.head.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.head.dict.set(None);
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.check_ready()?;
        let line = if std::ptr::eq(self.as_object().ty(), &STRINGIO_TYPE) {
            self.take_line(-1)?
        } else {
            let line = self.as_object().call_method(identifier!("readline"), &[])?;
            line.downcast::<PyUnicodeObject>().map_err(|other| {
                raise!(
                    OSError,
                    "readline() should have returned a str object, not '{}'",
                    other.ty().full_name()
                )
            })?
        };
        Ok(if line.is_empty() {
            None
        } else {
            Some(line.into_object())
        })
    }
    /// The whole text.
    #[method("($self, /)")]
    fn getvalue(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.check_ready()?;
        self.value()
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult<usize> {
        self.check_ready()?;
        Ok(self.pos.get())
    }
    /// At most so many characters, all that are left without a size.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<OptSize>) -> PyResult<Ref<PyUnicodeObject>> {
        self.check_ready()?;
        let pos = self.pos.get();
        let wanted = usize::try_from(size_or_all(size)).unwrap_or(usize::MAX);
        let len = wanted.min(self.len().saturating_sub(pos));
        if len == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        self.pos.set(pos + len);
        if pos == 0 && len == self.len() {
            return self.value();
        }
        self.with_code_points(|units| PyUnicodeObject::from_code_points(&units[pos..pos + len]))
    }
    /// A line, of at most so many characters.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<OptSize>) -> PyResult<Ref<PyUnicodeObject>> {
        self.check_ready()?;
        self.take_line(size_or_all(size))
    }
    /// Cuts the text off behind so many characters, by default behind the position.
    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&PyObject>) -> PyResult<isize> {
        let size = match pos {
            None => None,
            Some(pos) => optional_size(pos)?,
        };
        self.check_ready()?;
        let size = size.unwrap_or(self.pos.get() as isize);
        if size < 0 {
            return Err(raise!(ValueError, "Negative size value {size}"));
        }
        if (size as usize) < self.len() {
            self.with_code_points(|units| units.truncate(size as usize))?;
        }
        Ok(size)
    }
    /// Moves the position: to anywhere from the start, otherwise to where it is or to the end.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: i32) -> PyResult<usize> {
        self.check_ready()?;
        if !(0..=2).contains(&whence) {
            return Err(raise!(
                ValueError,
                "Invalid whence ({whence}, should be 0, 1 or 2)"
            ));
        }
        if whence == 0 && pos < 0 {
            return Err(raise!(ValueError, "Negative seek position {pos}"));
        }
        if whence != 0 && pos != 0 {
            return Err(raise!(OSError, "Can't do nonzero cur-relative seeks"));
        }
        let target = match whence {
            0 => pos as usize,
            1 => self.pos.get(),
            _ => self.len(),
        };
        self.pos.set(target);
        Ok(target)
    }
    /// Writes text; returns how many characters.
    #[method("($self, s, /)")]
    fn write(&self, s: &PyObject) -> PyResult<usize> {
        self.check_ready()?;
        let Some(text) = s.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "string argument expected, got '{}'",
                s.ty().full_name()
            ));
        };
        self.write_text(text)?;
        Ok(text.len())
    }
    /// Gives the memory back; the stream is closed.
    #[method("($self, /)")]
    fn close(&self) {
        self.closed.set(true);
        let old = self.text.replace(Text::CodePoints(Vec::new()));
        drop(old);
    }
    /// True: it can be read from.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult<bool> {
        self.check_ready().map(|()| true)
    }
    /// True: it can be written to.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult<bool> {
        self.check_ready().map(|()| true)
    }
    /// True: the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> PyResult<bool> {
        self.check_ready().map(|()| true)
    }
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult {
        self.check_ready()?;
        let newline = match &*self.newline.borrow() {
            Some(newline) => PyUnicodeObject::from_str(newline).into_object(),
            None => none_ref(),
        };
        let dict = match self.head.dict.get() {
            Some(dict) => dict.copy()?.into_object(),
            None => none_ref(),
        };
        let pos = PyLongObject::from_usize(self.pos.get()).into_object();
        Ok(PyTupleObject::from_vec(vec![self.value()?.into_object(), newline, pos, dict]).into_object())
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        if self.closed.get() {
            return Err(raise!(ValueError, "I/O operation on closed file"));
        }
        let parts = state.downcast::<PyTupleObject>().filter(|tuple| tuple.len() >= 4);
        let Some(parts) = parts else {
            return Err(raise!(
                TypeError,
                "{}.__setstate__ argument should be 4-tuple, got {}",
                self.as_object().ty().full_name(),
                state.ty().full_name()
            ));
        };
        let parts = parts.as_slice();
        let initial = parts[0];
        self.init(Some(initial), Some(parts[1]))?;
        // The text is in its final form: line ends are not translated again.
        let units = initial
            .downcast::<PyUnicodeObject>()
            .map(|text| text.code_points().collect());
        *self.text.borrow_mut() = Text::CodePoints(units.unwrap_or_default());
        let Some(pos) = parts[2].downcast::<PyLongObject>() else {
            return Err(raise!(
                TypeError,
                "third item of state must be an integer, got {}",
                parts[2].ty().full_name()
            ));
        };
        let pos = pos.as_isize()?;
        if pos < 0 {
            return Err(raise!(ValueError, "position value cannot be negative"));
        }
        self.pos.set(pos as usize);
        if !is_none(parts[3]) && parts[3].downcast::<PyDictObject>().is_none() {
            return Err(raise!(
                TypeError,
                "fourth item of state should be a dict, got a {}",
                parts[3].ty().full_name()
            ));
        }
        restore_dict(self.as_object(), parts[3])
    }
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        if !self.ready.get() {
            return Err(raise!(ValueError, "I/O operation on uninitialized object"));
        }
        Ok(self.closed.get())
    }
    #[getter]
    fn newlines(&self) -> PyResult<Ref> {
        self.check_ready()?;
        Ok(self
            .decoder
            .borrow()
            .as_ref()
            .map_or_else(none_ref, Newlines::seen_object))
    }
    #[getter]
    fn line_buffering(&self) -> PyResult<bool> {
        self.check_ready().map(|()| false)
    }
}
