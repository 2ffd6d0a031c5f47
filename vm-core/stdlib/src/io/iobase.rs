//! The abstract classes: `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`.

use super::*;
use adder_runtime::error;
use std::mem::offset_of;

/// Whether `close()` of the base class has been called.
fn is_closed(stream: &PyObject) -> PyResult<bool> {
    stream.has_attr(identifier!("__IOBase_closed"))
}

/// ValueError when the attribute `closed` is true.
pub fn check_closed(stream: &PyObject) -> PyResult<()> {
    if let Some(closed) = stream.get_attr_opt(identifier!("closed"))?
        && closed.is_true()?
    {
        return Err(raise!(ValueError, "I/O operation on closed file."));
    }
    Ok(())
}

fn check_ability(stream: &PyObject, method: &'static PyUnicodeObject, message: &str) -> PyResult<Ref> {
    let result = stream.call_method(method, &[])?;
    if result.is(true_()) {
        return Ok(result);
    }
    Err(unsupported(message))
}

pub fn check_readable(stream: &PyObject) -> PyResult<Ref> {
    check_ability(stream, identifier!("readable"), "File or stream is not readable.")
}
pub fn check_writable(stream: &PyObject) -> PyResult<Ref> {
    check_ability(stream, identifier!("writable"), "File or stream is not writable.")
}
pub fn check_seekable(stream: &PyObject) -> PyResult<Ref> {
    check_ability(stream, identifier!("seekable"), "File or stream is not seekable.")
}

/// `_IOBase.close`: flushes, and notes that the stream is closed.
pub fn base_close(stream: &PyObject) -> PyResult<()> {
    if is_closed(stream)? {
        return Ok(());
    }
    let flushed = stream.call_method(identifier!("flush"), &[]);
    let first = match flushed {
        Ok(_) => None,
        Err(raised) => Some(raised.take()),
    };
    let noted = stream.set_attr(identifier!("__IOBase_closed"), true_());
    chain(first, noted).map(drop)
}

/// Closes a stream that dies without having been closed; errors are reported.
pub fn finalize(stream: &PyObject) {
    // A stream whose `closed` cannot be told is in no state to be closed.
    let closed = match stream.get_attr_opt(identifier!("closed")) {
        Ok(Some(closed)) => closed.is_true().unwrap_or(true),
        Ok(None) => true,
        Err(_) => true,
    };
    error::clear();
    if !closed {
        if stream.set_attr(identifier!("_finalizing"), true_()).is_err() {
            error::clear();
        }
        if let Err(raised) = stream.call_method(identifier!("close"), &[]) {
            let exception = raised.take();
            let shown = match stream.repr() {
                Ok(repr) => repr.to_string_lossy(),
                Err(raised) => {
                    raised.clear();
                    "stream".to_owned()
                }
            };
            let raised = error::restore(exception);
            error::write_unraisable(
                raised,
                Some(&format!("Exception ignored while finalizing file {shown}")),
                None,
            );
        }
    }
}

/// The bytes that a method must have given.
fn expect_bytes(result: Ref, method: &str) -> PyResult<Ref<PyBytesObject>> {
    result.downcast::<PyBytesObject>().map_err(|other| {
        raise!(
            OSError,
            "{method}() should have returned a bytes object, not '{}'",
            other.ty().full_name()
        )
    })
}

fn base_readline(stream: &PyObject, limit: isize) -> PyResult<Ref<PyBytesObject>> {
    let peek = stream.get_attr_opt(identifier!("peek"))?;
    let mut line: Vec<u8> = Vec::new();
    while limit < 0 || (line.len() as isize) < limit {
        let mut n_wanted = 1usize;
        if let Some(peek) = &peek {
            let one = PyLongObject::from_i64(1);
            let ahead = loop {
                match peek.call1(one.as_object()) {
                    Ok(ahead) => break ahead,
                    Err(raised) => trap_eintr(raised)?,
                }
            };
            let ahead = expect_bytes(ahead, "peek")?;
            let bytes = ahead.as_bytes();
            if !bytes.is_empty() {
                let room = if limit < 0 {
                    usize::MAX
                } else {
                    limit as usize - line.len()
                };
                let seen = &bytes[..bytes.len().min(room)];
                n_wanted = memchr::memchr(b'\n', seen).map_or(seen.len(), |at| at + 1);
            }
        }
        let wanted = PyLongObject::from_usize(n_wanted);
        let chunk = call_retrying(stream, identifier!("read"), &[wanted.as_object()])?;
        let chunk = expect_bytes(chunk, "read")?;
        if chunk.as_bytes().is_empty() {
            break;
        }
        line.extend_from_slice(chunk.as_bytes());
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(PyBytesObject::from_vec(line))
}

/// `_io._IOBase`.
#[repr(C)]
pub struct IOBase {
    head: IoHead,
}

/// The abstract base class of all streams.
#[pytype(
    name = "_io._IOBase",
    static_name = IOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(IoHead, dict) as isize,
    weaklistoffset = offset_of!(IoHead, weakreflist) as isize,
    slots = [tp_dealloc = io_dealloc::<IOBase>],
)]
impl IOBase {
    #[new(raw, "()")]
    fn py_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, IOBase { head: IoHead::new() })?.into_object())
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
    fn tp_finalize(this: &PyObject) {
        finalize(this);
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> PyResult {
        check_closed(this)?;
        Ok(this.to_ref())
    }
    #[slot]
    fn tp_iternext(this: &PyObject) -> PyResult<Option<Ref>> {
        let line = this.call_method(identifier!("readline"), &[])?;
        Ok(if line.len()? == 0 { None } else { Some(line) })
    }
    /// Changes the position: from the start (0), from where it is (1) or from the end (2).
    #[method("($self, offset, whence=os.SEEK_SET, /)", defining_class)]
    fn seek(_this: &PyObject, _offset: &PyObject, _whence: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("seek"))
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(this: &PyObject) -> PyResult {
        let (zero, one) = (PyLongObject::from_i64(0), PyLongObject::from_i64(1));
        this.call_method(identifier!("seek"), &[zero.as_object(), one.as_object()])
    }
    /// Makes the stream exactly so long, by default up to the position.
    #[method("($self, size=None, /)", defining_class)]
    fn truncate(_this: &PyObject, _size: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("truncate"))
    }
    /// Writes what is buffered.
    #[method("($self, /)")]
    fn flush(this: &PyObject) -> PyResult<()> {
        if is_closed(this)? {
            return Err(raise!(ValueError, "I/O operation on closed file."));
        }
        Ok(())
    }
    /// Flushes and closes the stream; a closed stream stays as it is.
    #[method("($self, /)")]
    fn close(this: &PyObject) -> PyResult<()> {
        base_close(this)
    }
    /// Whether the position can be changed.
    #[method("($self, /)")]
    fn seekable(_this: &PyObject) -> bool {
        false
    }
    /// Whether the stream can be read from.
    #[method("($self, /)")]
    fn readable(_this: &PyObject) -> bool {
        false
    }
    /// Whether the stream can be written to.
    #[method("($self, /)")]
    fn writable(_this: &PyObject) -> bool {
        false
    }
    #[method("($self, /)", name = "_checkClosed")]
    fn _check_closed(this: &PyObject) -> PyResult<()> {
        check_closed(this)
    }
    #[method("($self, /)", name = "_checkSeekable")]
    fn _check_seekable(this: &PyObject) -> PyResult<Ref> {
        check_seekable(this)
    }
    #[method("($self, /)", name = "_checkReadable")]
    fn _check_readable(this: &PyObject) -> PyResult<Ref> {
        check_readable(this)
    }
    #[method("($self, /)", name = "_checkWritable")]
    fn _check_writable(this: &PyObject) -> PyResult<Ref> {
        check_writable(this)
    }
    /// The descriptor beneath the stream, if it has one.
    #[method("($self, /)", defining_class)]
    fn fileno(_this: &PyObject) -> PyResult<()> {
        Err(unsupported("fileno"))
    }
    /// Whether the stream is a terminal.
    #[method("($self, /)")]
    fn isatty(this: &PyObject) -> PyResult<bool> {
        check_closed(this)?;
        Ok(false)
    }
    #[method("($self, /)")]
    fn __enter__(this: &PyObject) -> PyResult<Ref> {
        check_closed(this)?;
        Ok(this.to_ref())
    }
    #[method(raw, "(...)")]
    fn __exit__(this: &PyObject, _args: &[&PyObject]) -> PyResult {
        this.call_method(identifier!("close"), &[])
    }
    /// A line, of at most so many bytes.
    #[method("($self, size=-1, /)")]
    fn readline(this: &PyObject, size: Option<OptSize>) -> PyResult<Ref<PyBytesObject>> {
        base_readline(this, size_or_all(size))
    }
    /// A list of lines; no more are read when their length reaches the hint.
    #[method("($self, hint=-1, /)")]
    fn readlines(this: &PyObject, hint: Option<OptSize>) -> PyResult<Ref<PyListObject>> {
        let hint = size_or_all(hint);
        let lines = PyListObject::new();
        let iterator = this.iter()?;
        let mut n_read = 0isize;
        while let Some(line) = iterator.next()? {
            let len = if hint > 0 { line.len()? as isize } else { 0 };
            lines.push(line);
            n_read += len;
            if hint > 0 && n_read > hint {
                break;
            }
        }
        Ok(lines)
    }
    /// Writes a list of lines, without adding separators.
    #[method("($self, lines, /)")]
    fn writelines(this: &PyObject, lines: &PyObject) -> PyResult<()> {
        check_closed(this)?;
        lines.for_each(|line| call_retrying(this, identifier!("write"), &[&line]).map(drop))
    }
    #[getter(name = "__dict__")]
    fn dict_of(this: &PyObject) -> PyResult<Ref<PyDictObject>> {
        this.instance_dict_or_make()
            .ok_or_else(|| raise!(AttributeError, "This object has no __dict__"))
    }
    #[getter]
    fn closed(this: &PyObject) -> PyResult<bool> {
        is_closed(this)
    }
}

/// `_io._RawIOBase`.
#[repr(C)]
pub struct RawIOBase {
    head: IoHead,
}

/// All that a raw stream has left, None when nothing is there yet.
pub fn raw_readall(stream: &PyObject) -> PyResult {
    let mut all: Vec<u8> = Vec::new();
    let size = PyLongObject::from_usize(DEFAULT_BUFFER_SIZE);
    let mut n_chunks = 0;
    loop {
        let chunk = call_retrying(stream, identifier!("read"), &[size.as_object()])?;
        if is_none(&chunk) {
            if n_chunks == 0 {
                return Ok(chunk);
            }
            break;
        }
        let Ok(bytes) = chunk.downcast::<PyBytesObject>() else {
            return Err(raise!(TypeError, "read() should return bytes"));
        };
        if bytes.as_bytes().is_empty() {
            break;
        }
        n_chunks += 1;
        all.extend_from_slice(bytes.as_bytes());
    }
    Ok(PyBytesObject::from_vec(all).into_object())
}

/// The base class of raw binary streams.
#[pytype(
    name = "_io._RawIOBase",
    static_name = RAWIOBASE_TYPE,
    base = IOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<RawIOBase>],
)]
impl RawIOBase {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.head.visit(visitor)
    }
    /// At most so many bytes; None when none are there yet.
    #[method("($self, size=-1, /)")]
    fn read(this: &PyObject, size: Option<&PyObject>) -> PyResult {
        let size = size.map_or(Ok(-1), |size| size.to_index(exc::OverflowError))?;
        let Ok(size) = usize::try_from(size) else {
            return this.call_method(identifier!("readall"), &[]);
        };
        let mut zeros = adder_runtime::memory::vec_with_room(size)?;
        zeros.resize(size, 0u8);
        let buffer = PyByteArrayObject::try_from_slice(&zeros)?;
        drop(zeros);
        let n_read = this.call_method(identifier!("readinto"), &[buffer.as_object()])?;
        if is_none(&n_read) {
            return Ok(n_read);
        }
        let n_read = n_read.to_index(exc::ValueError)?;
        let bytes = buffer.as_bytes();
        if n_read < 0 || n_read as usize > bytes.len() {
            return Err(raise!(
                ValueError,
                "readinto returned {n_read} outside buffer size {}",
                bytes.len()
            ));
        }
        Ok(PyBytesObject::from_slice(&bytes[..n_read as usize]).into_object())
    }
    /// All that is left.
    #[method("($self, /)")]
    fn readall(this: &PyObject) -> PyResult {
        raw_readall(this)
    }
    #[method(raw, "(...)")]
    fn readinto(_this: &PyObject, _args: &[&PyObject]) -> PyResult<()> {
        Err(raise!(NotImplementedError))
    }
    #[method(raw, "(...)")]
    fn write(_this: &PyObject, _args: &[&PyObject]) -> PyResult<()> {
        Err(raise!(NotImplementedError))
    }
}

/// `_io._BufferedIOBase`.
#[repr(C)]
pub struct BufferedIOBase {
    head: IoHead,
}

/// Fills a buffer by `read` or `read1`.
fn readinto_by(
    stream: &PyObject,
    buffer: &WritableBuffer,
    method: &'static PyUnicodeObject,
) -> PyResult<usize> {
    let len = PyLongObject::from_usize(buffer.len());
    let data = call_retrying(stream, method, &[len.as_object()])?;
    let Ok(data) = data.downcast::<PyBytesObject>() else {
        return Err(raise!(TypeError, "read() should return bytes"));
    };
    let bytes = data.as_bytes();
    if bytes.len() > buffer.len() {
        return Err(raise!(
            ValueError,
            "read() returned too much data: {} bytes requested, {} returned",
            buffer.len(),
            bytes.len()
        ));
    }
    buffer.write_at(0, bytes);
    Ok(bytes.len())
}

/// The base class of buffered binary streams.
#[pytype(
    name = "_io._BufferedIOBase",
    static_name = BUFFEREDIOBASE_TYPE,
    base = IOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<BufferedIOBase>],
)]
impl BufferedIOBase {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.head.visit(visitor)
    }
    /// Separates the raw stream from this one and returns it.
    #[method("($self, /)", defining_class)]
    fn detach(_this: &PyObject) -> PyResult<()> {
        Err(unsupported("detach"))
    }
    /// At most so many bytes.
    #[method("($self, size=-1, /)", defining_class)]
    fn read(_this: &PyObject, _size: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("read"))
    }
    /// At most so many bytes, with at most one read of the raw stream.
    #[method("($self, size=-1, /)", defining_class)]
    fn read1(_this: &PyObject, _size: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("read1"))
    }
    /// Reads into a buffer; returns how many bytes.
    #[method("($self, buffer, /)")]
    fn readinto(this: &PyObject, buffer: WritableBuffer) -> PyResult<usize> {
        readinto_by(this, &buffer, identifier!("read"))
    }
    /// As readinto(), with at most one read of the raw stream.
    #[method("($self, buffer, /)")]
    fn readinto1(this: &PyObject, buffer: WritableBuffer) -> PyResult<usize> {
        readinto_by(this, &buffer, identifier!("read1"))
    }
    /// Writes bytes; returns how many.
    #[method("($self, b, /)", defining_class)]
    fn write(_this: &PyObject, _b: &PyObject) -> PyResult<()> {
        Err(unsupported("write"))
    }
}

/// `_io._TextIOBase`.
#[repr(C)]
pub struct TextIOBase {
    head: IoHead,
}

/// The base class of text streams.
#[pytype(
    name = "_io._TextIOBase",
    static_name = TEXTIOBASE_TYPE,
    base = IOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<TextIOBase>],
)]
impl TextIOBase {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.head.visit(visitor)
    }
    /// Separates the binary stream from this one and returns it.
    #[method("($self, /)", defining_class)]
    fn detach(_this: &PyObject) -> PyResult<()> {
        Err(unsupported("detach"))
    }
    /// At most so many characters.
    #[method("($self, size=-1, /)", defining_class)]
    fn read(_this: &PyObject, _size: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("read"))
    }
    /// A line, of at most so many characters.
    #[method("($self, size=-1, /)", defining_class)]
    fn readline(_this: &PyObject, _size: Option<&PyObject>) -> PyResult<()> {
        Err(unsupported("readline"))
    }
    /// Writes text; returns how many characters.
    #[method("($self, s, /)", defining_class)]
    fn write(_this: &PyObject, _s: &PyObject) -> PyResult<()> {
        Err(unsupported("write"))
    }
    #[getter]
    fn encoding(_this: &PyObject) -> Ref {
        none_ref()
    }
    #[getter]
    fn newlines(_this: &PyObject) -> Ref {
        none_ref()
    }
    #[getter]
    fn errors(_this: &PyObject) -> Ref {
        none_ref()
    }
}
