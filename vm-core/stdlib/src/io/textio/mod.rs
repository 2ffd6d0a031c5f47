//! `TextIOWrapper`: text over a buffered binary stream.
//!
//! Written text is encoded at once and waits in `pending`; read bytes are decoded a chunk at a time into `decoded`, of
//! which `decoded_used` characters have been given out. `codec` has the encodings, `reading` the reads, `position` tell
//! and seek.

pub mod codec;
mod position;
mod reading;

use super::fileio::{FILEIO_TYPE, FileIO};
use super::iobase::{TEXTIOBASE_TYPE, check_closed};
use super::newline::Newlines;
use super::open::{DEV_MODE, OptStr, given_text, startup_flag, utf8_mode, warns_of_default_encoding};
use super::*;
use adder_runtime::objects::unicodeobject::search::has_char;
use adder_runtime::protocol::with_repr_guard;
use codec::{Decoder, Encoder, Encoding};
use std::cell::RefCell;
use std::mem::offset_of;
use std::rc::Rc;

const CHUNK_SIZE: isize = 8192;

/// `_io.TextIOWrapper`.
#[repr(C)]
pub struct TextIOWrapper {
    head: IoHead,
    buffer: ObjectCell,
    /// The file beneath, when closedness can be read off it.
    file: ObjectCell<FileIO>,
    encoding: ObjectCell<PyUnicodeObject>,
    errors: ObjectCell<PyUnicodeObject>,
    decoder: RefCell<Option<Rc<Decoder>>>,
    encoder: RefCell<Option<Rc<Encoder>>>,
    newlines: RefCell<Option<Newlines>>,
    /// The `newline` argument, for reading.
    read_newline: RefCell<Option<String>>,
    /// What `\n` becomes in writes, when that is something else.
    write_newline: Cell<Option<&'static str>>,
    chunk_size: Cell<isize>,
    ok: Cell<bool>,
    detached: Cell<bool>,
    finalizing: Cell<c_char>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    read_universal: Cell<bool>,
    read_translate: Cell<bool>,
    seekable: Cell<bool>,
    telling: Cell<bool>,
    has_read1: Cell<bool>,
    decoded: ObjectCell<PyUnicodeObject>,
    decoded_used: Cell<usize>,
    pending: RefCell<Vec<u8>>,
    /// The decoder's flags and its input before the last chunk was decoded.
    snapshot: RefCell<Option<(u64, Ref<PyBytesObject>)>>,
    /// Bytes a character in the last chunk.
    b2cratio: Cell<f64>,
}

/// The name of the locale's encoding.
pub fn locale_encoding() -> &'static str {
    // SAFETY: the C library's static text.
    let codeset = unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
    match codeset.to_str() {
        // The C locale is taken as UTF-8.
        Ok("ANSI_X3.4-1968" | "") | Err(_) => "UTF-8",
        Ok(name) => name,
    }
}

fn check_newline(newline: Option<&PyUnicodeObject>) -> PyResult<Option<String>> {
    let Some(newline) = newline else { return Ok(None) };
    let text = newline.to_string_lossy();
    if !matches!(text.as_str(), "" | "\n" | "\r" | "\r\n") {
        return Err(raise!(ValueError, "illegal newline value: {text}"));
    }
    Ok(Some(text))
}

impl TextIOWrapper {
    fn blank() -> TextIOWrapper {
        TextIOWrapper {
            head: IoHead::new(),
            buffer: ObjectCell::new(None),
            file: ObjectCell::new(None),
            encoding: ObjectCell::new(None),
            errors: ObjectCell::new(None),
            decoder: RefCell::new(None),
            encoder: RefCell::new(None),
            newlines: RefCell::new(None),
            read_newline: RefCell::new(None),
            write_newline: Cell::new(None),
            chunk_size: Cell::new(CHUNK_SIZE),
            ok: Cell::new(false),
            detached: Cell::new(false),
            finalizing: Cell::new(0),
            line_buffering: Cell::new(false),
            write_through: Cell::new(false),
            read_universal: Cell::new(false),
            read_translate: Cell::new(false),
            seekable: Cell::new(false),
            telling: Cell::new(false),
            has_read1: Cell::new(false),
            decoded: ObjectCell::new(None),
            decoded_used: Cell::new(0),
            pending: RefCell::new(Vec::new()),
            snapshot: RefCell::new(None),
            b2cratio: Cell::new(0.0),
        }
    }

    // ---- checks ----

    fn check_ready(&self) -> PyResult<()> {
        if !self.ok.get() {
            return Err(raise!(ValueError, "I/O operation on uninitialized object"));
        }
        Ok(())
    }
    fn check_attached(&self) -> PyResult<()> {
        self.check_ready()?;
        if self.detached.get() {
            return Err(raise!(ValueError, "underlying buffer has been detached"));
        }
        Ok(())
    }
    fn buffer(&self) -> PyResult<Ref> {
        self.check_attached()?;
        self.buffer
            .get()
            .ok_or_else(|| raise!(ValueError, "underlying buffer has been detached"))
    }
    fn check_open(&self) -> PyResult<()> {
        self.check_attached()?;
        let this = self.as_object();
        if !std::ptr::eq(this.ty(), &TEXTIOWRAPPER_TYPE) {
            return check_closed(this);
        }
        let is_closed = match self.file.borrow() {
            Some(file) => file.is_closed(),
            None => self.buffer()?.get_attr(identifier!("closed"))?.is_true()?,
        };
        if is_closed {
            return Err(raise!(ValueError, "I/O operation on closed file."));
        }
        Ok(())
    }

    // ---- setting up ----

    fn set_newline(&self, newline: Option<String>) {
        self.read_universal
            .set(newline.as_deref().is_none_or(str::is_empty));
        self.read_translate.set(newline.is_none());
        self.write_newline.set(match newline.as_deref() {
            Some("\r") => Some("\r"),
            Some("\r\n") => Some("\r\n"),
            _ => None,
        });
        self.read_newline.replace(newline);
    }
    /// The encoding of a name, and the name itself.
    fn find_encoding(name: Option<&PyUnicodeObject>) -> PyResult<(Ref<PyUnicodeObject>, Encoding)> {
        let name = match name {
            Some(name) if !name.eq_str("locale") => name.to_ref(),
            None if utf8_mode()? => PyUnicodeObject::from_str("utf-8"),
            _ => PyUnicodeObject::from_str(locale_encoding()),
        };
        let text = name.to_str()?;
        if text.contains('\0') {
            return Err(raise!(ValueError, "embedded null character"));
        }
        let encoding = Encoding::lookup(text)?;
        Ok((name, encoding))
    }
    fn set_codec(&self, encoding: &Encoding, errors: &PyUnicodeObject) -> PyResult<()> {
        let errors = errors.to_str()?;
        if errors.contains('\0') {
            return Err(raise!(ValueError, "embedded null character"));
        }
        let buffer = self
            .buffer
            .get()
            .ok_or_else(|| raise!(ValueError, "underlying buffer has been detached"))?;
        let readable = buffer.call_method(identifier!("readable"), &[])?.is_true()?;
        let decoder = if readable {
            Some(Rc::new(encoding.decoder(errors)?))
        } else {
            None
        };
        self.decoder.replace(decoder);
        self.newlines.replace(
            (readable && self.read_universal.get()).then(|| Newlines::new(self.read_translate.get())),
        );
        let writable = buffer.call_method(identifier!("writable"), &[])?.is_true()?;
        let encoder = if writable {
            Some(Rc::new(encoding.encoder(errors)?))
        } else {
            None
        };
        self.encoder.replace(encoder);
        Ok(())
    }
    /// In the middle of a stream no byte order mark is written.
    fn fix_encoder(&self) -> PyResult<()> {
        if !self.seekable.get() || self.encoder.borrow().as_deref().is_none_or(Encoder::keeps_ascii) {
            return Ok(());
        }
        let Some(buffer) = self.buffer.get() else {
            return Ok(());
        };
        let position = buffer.call_method(identifier!("tell"), &[])?;
        if !position.eq(PyLongObject::from_i64(0).as_object())? {
            self.reset_encoder(false)?;
        }
        Ok(())
    }
    fn reset_encoder(&self, at_start: bool) -> PyResult<()> {
        let encoder = self.encoder.borrow().clone();
        encoder.map_or(Ok(()), |encoder| encoder.reset(at_start))
    }
    /// The file beneath a plain buffered stream.
    fn file_beneath(buffer: &PyObject) -> Option<Ref<FileIO>> {
        use super::buffered::*;
        let ty = buffer.ty();
        let plain = [
            &BUFFERED_READER_TYPE,
            &BUFFERED_WRITER_TYPE,
            &BUFFERED_RANDOM_TYPE,
        ];
        if !plain.iter().any(|own| std::ptr::eq(ty, *own)) {
            return None;
        }
        // SAFETY: all three have this layout.
        let raw = unsafe { buffer.cast_unchecked::<super::buffered_io::Buffered>() }
            .raw
            .get()?;
        // SAFETY: the exact type says so.
        std::ptr::eq(raw.ty(), &FILEIO_TYPE).then(|| unsafe { raw.cast() })
    }

    // ---- decoding ----

    fn decoder(&self) -> Option<Rc<Decoder>> {
        self.decoder.borrow().clone()
    }

    // ---- writing ----

    /// Hands the encoded text to the buffer.
    fn write_flush(&self) -> PyResult<()> {
        if self.pending.borrow().is_empty() {
            return Ok(());
        }
        let pending = self.pending.replace(Vec::new());
        let bytes = PyBytesObject::from_slice(&pending);
        call_retrying(&*self.buffer()?, identifier!("write"), &[bytes.as_object()]).map(drop)
    }
    fn write_text(&self, text: &PyUnicodeObject) -> PyResult<()> {
        let lf = u32::from(b'\n');
        let write_newline = self.write_newline.get();
        let has_lf = (write_newline.is_some() || self.line_buffering.get()) && has_char(text.data(), lf);
        let translated = match write_newline {
            Some(newline) if has_lf => text.replace(
                &PyUnicodeObject::from_char(lf),
                &PyUnicodeObject::from_str(newline),
                -1,
            )?,
            _ => text.to_ref(),
        };
        let needs_flush = self.line_buffering.get() && (has_lf || has_char(text.data(), u32::from(b'\r')));
        let encoder = self.encoder.borrow().clone();
        let Some(encoder) = encoder else {
            return Err(unsupported("not writable"));
        };
        let chunk_size = self.chunk_size.get() as usize;
        let encoded;
        let bytes: &[u8] = match translated.ascii_str() {
            Some(ascii) if encoder.keeps_ascii() => ascii.as_bytes(),
            _ => {
                encoded = encoder.encode(&translated)?;
                encoded.as_bytes()
            }
        };
        // The buffer may write to this stream meanwhile, so one flush need not be enough.
        while !self.pending.borrow().is_empty() && self.pending.borrow().len() + bytes.len() > chunk_size {
            self.write_flush()?;
        }
        self.pending.borrow_mut().extend_from_slice(bytes);
        if self.pending.borrow().len() >= chunk_size || needs_flush || self.write_through.get() {
            self.write_flush()?;
        }
        if needs_flush {
            self.buffer()?.call_method(identifier!("flush"), &[])?;
        }
        if self.snapshot.borrow().is_some() {
            self.set_decoded(None);
            self.snapshot.replace(None);
        }
        if let Some(decoder) = self.decoder() {
            self.reset_decoder(&decoder)?;
        }
        Ok(())
    }
    /// `name` and `mode`, where asking for them is no ValueError.
    fn shown_attribute(&self, name: &'static PyUnicodeObject) -> PyResult<Option<String>> {
        let value = match self.as_object().get_attr_opt(name) {
            Ok(value) => value,
            Err(raised) => {
                raised.clear_if(exc::ValueError)?;
                None
            }
        };
        value.map(|value| Ok(value.repr()?.to_string_lossy())).transpose()
    }
}

/// Text over a buffered binary stream.
#[pytype(
    name = "_io.TextIOWrapper",
    static_name = TEXTIOWRAPPER_TYPE,
    base = TEXTIOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("encoding", _Py_T_OBJECT, offset_of!(TextIOWrapper, encoding), Py_READONLY),
        ("buffer", _Py_T_OBJECT, offset_of!(TextIOWrapper, buffer), Py_READONLY),
        ("line_buffering", Py_T_BOOL, offset_of!(TextIOWrapper, line_buffering), Py_READONLY),
        ("write_through", Py_T_BOOL, offset_of!(TextIOWrapper, write_through), Py_READONLY),
        ("_finalizing", Py_T_BOOL, offset_of!(TextIOWrapper, finalizing), 0),
    ],
    slots = [tp_dealloc = io_dealloc::<TextIOWrapper>],
)]
impl TextIOWrapper {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, TextIOWrapper::blank())?.into_object())
    }
    #[init(
        "(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, write_through=False)"
    )]
    fn init(
        &self,
        buffer: &PyObject,
        encoding: Option<OptStr<'_>>,
        errors: Option<OptStr<'_>>,
        newline: Option<OptStr<'_>>,
        line_buffering: bool,
        write_through: bool,
    ) -> PyResult<()> {
        self.ok.set(false);
        self.detached.set(false);
        let encoding = given_text(encoding);
        if encoding.is_none() && warns_of_default_encoding()? {
            adder_runtime::exceptions::warn(exc::EncodingWarning, "'encoding' argument not specified", 1)?;
        }
        let newline = check_newline(given_text(newline))?;
        let errors =
            given_text(errors).map_or_else(|| PyUnicodeObject::from_str("strict"), |errors| errors.to_ref());
        self.set_decoded(None);
        self.snapshot.replace(None);
        self.pending.borrow_mut().clear();
        self.b2cratio.set(0.0);
        let (name, found) = Self::find_encoding(encoding)?;
        if startup_flag(&DEV_MODE, "dev_mode")? && !errors.eq_str("strict") {
            adder_runtime::objects::codecs::registry::lookup_error(errors.to_str()?)?;
        }
        self.encoding.set(Some(name));
        self.set_newline(newline);
        self.line_buffering.set(line_buffering);
        self.write_through.set(write_through);
        self.chunk_size.set(CHUNK_SIZE);
        self.buffer.set(Some(buffer.to_ref()));
        self.set_codec(&found, &errors)?;
        self.errors.set(Some(errors));
        self.file.set(Self::file_beneath(buffer));
        let seekable = buffer.call_method(identifier!("seekable"), &[])?.is_true()?;
        self.seekable.set(seekable);
        self.telling.set(seekable);
        self.has_read1.set(buffer.has_attr(identifier!("read1"))?);
        self.fix_encoder()?;
        self.ok.set(true);
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let decoder = self.decoder.try_borrow();
        let encoder = self.encoder.try_borrow();
        for status in [
            self.head.visit(visitor),
            self.buffer.visit(visitor),
            self.file.visit(visitor),
            decoder.map_or(0, |decoder| {
                decoder.as_ref().map_or(0, |decoder| decoder.visit(visitor))
            }),
            encoder.map_or(0, |encoder| {
                encoder.as_ref().map_or(0, |encoder| encoder.visit(visitor))
            }),
        ] {
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        self.ok.set(false);
        self.buffer.set(None);
        self.file.set(None);
        let old = (self.decoder.replace(None), self.encoder.replace(None));
        drop(old);
        self.head.dict.set(None);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        self.check_ready()?;
        let this = self.as_object();
        let type_name = this.ty().full_name();
        let shown = with_repr_guard(this, || {
            Ok((
                self.shown_attribute(identifier!("name"))?,
                self.shown_attribute(identifier!("mode"))?,
            ))
        })?;
        let Some((name, mode)) = shown else {
            return Err(raise!(RuntimeError, "reentrant call inside {type_name}.__repr__"));
        };
        let mut text = format!("<{type_name}");
        if let Some(name) = name {
            text.push_str(&format!(" name={name}"));
        }
        if let Some(mode) = mode {
            text.push_str(&format!(" mode={mode}"));
        }
        if let Some(encoding) = self.encoding.get() {
            text.push_str(&format!(
                " encoding={}",
                encoding.as_object().repr()?.to_string_lossy()
            ));
        }
        text.push('>');
        Ok(text)
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.check_attached()?;
        self.telling.set(false);
        let line = if std::ptr::eq(self.as_object().ty(), &TEXTIOWRAPPER_TYPE) {
            self.check_open()?;
            self.read_line(-1)?
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
        if line.is_empty() {
            self.snapshot.replace(None);
            self.telling.set(self.seekable.get());
            return Ok(None);
        }
        Ok(Some(line.into_object()))
    }
    /// Separates the binary stream from this one and returns it.
    #[method("($self, /)")]
    fn detach(&self) -> PyResult {
        self.check_attached()?;
        self.as_object().call_method(identifier!("flush"), &[])?;
        let buffer = self.buffer()?;
        self.buffer.set(None);
        self.file.set(None);
        self.detached.set(true);
        Ok(buffer)
    }
    /// Changes the encoding, the handling of errors or line ends, or the buffering.
    #[method(
        "($self, /, *, encoding=None, errors=None, newline=None,\n            line_buffering=None, write_through=None)",
        raw
    )]
    fn reconfigure(&self, args: &[&PyObject], kwargs: adder_runtime::args::Kwargs<'_>) -> PyResult<()> {
        if !args.is_empty() {
            return Err(raise!(TypeError, "reconfigure() takes no positional arguments"));
        }
        self.check_attached()?;
        let mut given: [Option<&PyObject>; 5] = [None; 5];
        const NAMES: [&str; 5] = ["encoding", "errors", "newline", "line_buffering", "write_through"];
        for (name, value) in kwargs.iter() {
            let text = name.str()?.to_string_lossy();
            match NAMES.iter().position(|known| *known == text) {
                Some(at) => given[at] = Some(value),
                None => {
                    return Err(raise!(
                        TypeError,
                        "reconfigure() got an unexpected keyword argument '{text}'"
                    ));
                }
            }
        }
        let text_of = |at: usize| -> PyResult<Option<&PyUnicodeObject>> {
            match given[at].filter(|value| !is_none(value)) {
                None => Ok(None),
                Some(value) => value.downcast::<PyUnicodeObject>().map(Some).ok_or_else(|| {
                    raise!(
                        TypeError,
                        "reconfigure() argument '{}' must be str or None, not {}",
                        NAMES[at],
                        value.ty().name()
                    )
                }),
            }
        };
        let flag_of = |at: usize, default: bool| match given[at].filter(|value| !is_none(value)) {
            None => Ok(default),
            Some(value) => value.index()?.as_i32().map(|value| value != 0),
        };
        let (encoding, errors) = (text_of(0)?, text_of(1)?);
        let newline = text_of(2)?;
        let changes_newline = given[2].is_some();
        if self.decoded.is_some() && (encoding.is_some() || errors.is_some() || changes_newline) {
            return Err(unsupported(
                "It is not possible to set the encoding or newline of stream after the first read",
            ));
        }
        let newline = check_newline(newline)?;
        let line_buffering = flag_of(3, self.line_buffering.get())?;
        let write_through = flag_of(4, self.write_through.get())?;
        self.as_object().call_method(identifier!("flush"), &[])?;
        self.line_buffering.set(line_buffering);
        self.write_through.set(write_through);
        if encoding.is_none() && errors.is_none() && !changes_newline {
            return Ok(());
        }
        if let Some(name) = encoding
            && let Some((before, _)) = name.to_str()?.split_once('\0')
        {
            return Err(raise!(LookupError, "unknown encoding: {before}"));
        }
        let own_encoding = self.encoding.get();
        let (name, found) = Self::find_encoding(encoding.or(own_encoding.as_deref()))?;
        let errors = match (errors, encoding) {
            (Some(errors), _) => errors.to_ref(),
            (None, Some(_)) => PyUnicodeObject::from_str("strict"),
            (None, None) => self
                .errors
                .get()
                .unwrap_or_else(|| PyUnicodeObject::from_str("strict")),
        };
        if changes_newline {
            self.set_newline(newline);
        }
        self.set_codec(&found, &errors)?;
        self.encoding.set(Some(name));
        self.errors.set(Some(errors));
        self.fix_encoder()
    }
    /// Writes text; returns how many characters.
    #[method("($self, text, /)")]
    fn write(&self, text: &PyUnicodeObject) -> PyResult<usize> {
        self.check_open()?;
        if self.encoder.borrow().is_none() {
            return Err(unsupported("not writable"));
        }
        self.write_text(text)?;
        Ok(text.len())
    }
    /// At most so many characters, all that are left without a size.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<OptSize>) -> PyResult<Ref<PyUnicodeObject>> {
        self.check_open()?;
        self.read_text(size_or_all(size))
    }
    /// A line, of at most so many characters.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<isize>) -> PyResult<Ref<PyUnicodeObject>> {
        self.check_open()?;
        self.read_line(size.unwrap_or(-1))
    }
    /// Writes what is buffered, here and beneath.
    #[method("($self, /)")]
    fn flush(&self) -> PyResult {
        self.check_open()?;
        self.telling.set(self.seekable.get());
        self.write_flush()?;
        self.buffer()?.call_method(identifier!("flush"), &[])
    }
    /// Flushes and closes the stream and what is beneath; a closed stream stays as it is.
    #[method("($self, /)")]
    fn close(&self) -> PyResult {
        self.check_attached()?;
        let this = self.as_object();
        if this.get_attr(identifier!("closed"))?.is_true()? || self.detached.get() {
            return Ok(none_ref());
        }
        let buffer = self.buffer()?;
        if self.finalizing.get() != 0
            && let Err(raised) = buffer.call_method(identifier!("_dealloc_warn"), &[this])
        {
            raised.clear();
        }
        let first = this
            .call_method(identifier!("flush"), &[])
            .err()
            .map(Raised::take);
        let closed = buffer.call_method(identifier!("close"), &[]);
        Ok(chain(first, closed)?.unwrap_or_else(none_ref))
    }
    /// The descriptor beneath the stream.
    #[method("($self, /)")]
    fn fileno(&self) -> PyResult {
        self.buffer()?.call_method(identifier!("fileno"), &[])
    }
    /// Whether the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> PyResult {
        self.buffer()?.call_method(identifier!("seekable"), &[])
    }
    /// Whether the stream can be read from.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult {
        self.buffer()?.call_method(identifier!("readable"), &[])
    }
    /// Whether the stream can be written to.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult {
        self.buffer()?.call_method(identifier!("writable"), &[])
    }
    /// Whether the stream is a terminal.
    #[method("($self, /)")]
    fn isatty(&self) -> PyResult {
        self.buffer()?.call_method(identifier!("isatty"), &[])
    }
    /// Moves to a position that tell() gave, to where the stream is, or to its end.
    #[method("($self, cookie, whence=os.SEEK_SET, /)")]
    fn seek(&self, cookie: &PyObject, whence: Option<i32>) -> PyResult {
        self.check_open()?;
        self.seek_position(cookie, whence.unwrap_or(0))
    }
    /// The position, an opaque number.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult {
        self.check_open()?;
        self.tell_position()
    }
    /// Cuts the binary stream off.
    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&PyObject>) -> PyResult {
        self.check_attached()?;
        self.as_object().call_method(identifier!("flush"), &[])?;
        self.buffer()?
            .call_method(identifier!("truncate"), &[pos.unwrap_or(none())])
    }
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult<()> {
        Err(cannot_pickle(self.as_object()))
    }
    #[getter]
    fn name(&self) -> PyResult {
        self.buffer()?.get_attr(identifier!("name"))
    }
    #[getter]
    fn closed(&self) -> PyResult {
        self.buffer()?.get_attr(identifier!("closed"))
    }
    #[getter]
    fn newlines(&self) -> PyResult<Ref> {
        self.check_attached()?;
        if let Some(newlines) = &*self.newlines.borrow() {
            return Ok(newlines.seen_object());
        }
        match self.decoder().as_deref() {
            Some(Decoder::Object(decoder)) => Ok(decoder
                .get_attr_opt(identifier!("newlines"))?
                .unwrap_or_else(none_ref)),
            _ => Ok(none_ref()),
        }
    }
    #[getter]
    fn errors(&self) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        self.check_ready()?;
        Ok(self.errors.get())
    }
    #[getter(name = "_CHUNK_SIZE")]
    fn chunk_size(&self) -> PyResult<isize> {
        self.check_attached()?;
        Ok(self.chunk_size.get())
    }
    #[setter(name = "_CHUNK_SIZE")]
    fn set_chunk_size(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.check_attached()?;
        let Some(value) = value else {
            return Err(raise!(
                AttributeError,
                "attribute '_CHUNK_SIZE' of '_io.TextIOWrapper' objects cannot be deleted"
            ));
        };
        let size = value.to_index(exc::ValueError)?;
        if size <= 0 {
            return Err(raise!(ValueError, "a strictly positive integer is required"));
        }
        self.chunk_size.set(size);
        Ok(())
    }
}
