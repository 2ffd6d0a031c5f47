//! `BufferedReader`, `BufferedWriter`, `BufferedRandom`: the types over `buffered_io`.

use super::buffered_io::Buffered;
use super::iobase::{BUFFEREDIOBASE_TYPE, check_closed, check_readable, check_seekable, check_writable};
use super::*;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::protocol::with_repr_guard;
use std::mem::offset_of;

fn forward(this: &Buffered, name: &'static PyUnicodeObject) -> PyResult {
    this.raw()?.call_method(name, &[])
}

fn new_buffered(cls: &PyTypeObject, own: &'static PyTypeObject) -> PyResult {
    // SAFETY: all three types have this layout; `cls` derives from one of them.
    unsafe {
        debug_assert!(cls.is_subtype(own));
        let object = cls.alloc_instance(0)?;
        let head = object.as_raw().cast::<Buffered>();
        let mut blank = Buffered::blank();
        // The header is the allocation's.
        std::ptr::copy_nonoverlapping(object.as_raw(), &raw mut blank.head.ob_base, 1);
        std::ptr::write(head, blank);
        Ok(object)
    }
}

/// `tp_dealloc` of the three types.
unsafe extern "C" fn buffered_dealloc(object: *mut PyObject) {
    // SAFETY: the object is dead and has layout Buffered; the types differ by name only.
    unsafe { io_dealloc::<Buffered>(object) }
}

#[pymethods(part = BUFFERED_COMMON)]
impl Buffered {
    /// Separates the raw stream from this one and returns it.
    #[method("($self, /)")]
    fn detach(&self) -> PyResult {
        self.check_ready()?;
        self.object().call_method(identifier!("flush"), &[])?;
        let raw = self.raw.take();
        self.detached.set(true);
        self.ok.set(false);
        raw.ok_or_else(|| raise!(ValueError, "raw stream has been detached"))
    }
    /// Flushes and closes the stream and its raw stream; a closed stream stays as it is.
    #[method("($self, /)")]
    fn close(&self) -> PyResult {
        self.check_ready()?;
        {
            let _inside = self.enter()?;
            if self.raw_closed()? {
                return Ok(none_ref());
            }
            if self.finalizing.get() != 0
                && let Some(raw) = self.raw.get()
                && let Err(raised) = raw.call_method(identifier!("_dealloc_warn"), &[self.object()])
            {
                raised.clear();
            }
        }
        // Outside, so that a subclass's flush() may use the stream.
        let first = self
            .object()
            .call_method(identifier!("flush"), &[])
            .err()
            .map(Raised::take);
        let _inside = self.enter()?;
        let closed = self.raw()?.call_method(identifier!("close"), &[]);
        self.free_buffer();
        self.read_end.set(0);
        self.write_end.set(-1);
        self.pos.set(0);
        Ok(chain(first, closed)?.unwrap_or_else(none_ref))
    }
    /// Whether the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> PyResult {
        forward(self, identifier!("seekable"))
    }
    /// The descriptor beneath the stream.
    #[method("($self, /)")]
    fn fileno(&self) -> PyResult {
        forward(self, identifier!("fileno"))
    }
    /// Whether the stream is a terminal.
    #[method("($self, /)")]
    fn isatty(&self) -> PyResult {
        forward(self, identifier!("isatty"))
    }
    #[method("($self, source, /)")]
    fn _dealloc_warn(&self, source: &PyObject) {
        if self.ok.get()
            && let Some(raw) = self.raw.get()
            && let Err(raised) = raw.call_method(identifier!("_dealloc_warn"), &[source])
        {
            raised.clear();
        }
    }
    /// Moves the position; returns it.
    #[method("($self, target, whence=0, /)")]
    fn seek(&self, target: &PyObject, whence: i32) -> PyResult<i64> {
        self.check_ready()?;
        if !(0..=2).contains(&whence) && whence != libc::SEEK_DATA && whence != libc::SEEK_HOLE {
            return Err(raise!(ValueError, "whence value {whence} unsupported"));
        }
        if self.is_closed()? {
            return Err(raise!(ValueError, "seek of closed file"));
        }
        check_seekable(&*self.raw()?)?;
        self.seek_to(as_offset(target)?, whence)
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult<i64> {
        self.check_ready()?;
        let _inside = self.enter()?;
        self.tell_position()
    }
    /// Makes the file exactly so long, by default up to the position.
    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&PyObject>) -> PyResult {
        self.check_ready()?;
        if self.is_closed()? {
            return Err(raise!(ValueError, "truncate of closed file"));
        }
        if !self.writable.get() {
            return Err(unsupported("truncate"));
        }
        let _inside = self.enter()?;
        self.flush_and_rewind()?;
        let length = self
            .raw()?
            .call_method(identifier!("truncate"), &[pos.unwrap_or(none())])?;
        if let Err(raised) = self.raw_tell() {
            raised.clear();
        }
        Ok(length)
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Buffered>()
            + if self.buffer.get().is_null() {
                0
            } else {
                self.buffer_size.get()
            }
    }
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult<()> {
        Err(cannot_pickle(self.object()))
    }
    #[getter]
    fn closed(&self) -> PyResult {
        self.raw()?.get_attr(identifier!("closed"))
    }
    #[getter]
    fn name(&self) -> PyResult {
        self.raw()?.get_attr(identifier!("name"))
    }
    #[getter]
    fn mode(&self) -> PyResult {
        self.raw()?.get_attr(identifier!("mode"))
    }
}

#[pymethods(part = BUFFERED_READING)]
impl Buffered {
    /// Whether the stream can be read from.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult {
        forward(self, identifier!("readable"))
    }
    /// At most so many bytes, all that are left without a size.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<OptSize>) -> PyResult {
        self.check_ready()?;
        let size = size_or_all(size);
        if size < -1 {
            return Err(raise!(ValueError, "read length must be non-negative or -1"));
        }
        self.check_open("read of closed file")?;
        if size == -1 {
            let _inside = self.enter()?;
            return self.read_all();
        }
        let size = size as usize;
        if size <= self.readahead() {
            return Ok(self.take_ahead(size).into_object());
        }
        let _inside = self.enter()?;
        Ok(self.read_some(size)?.map_or_else(none_ref, Ref::into_object))
    }
    /// What is in the buffer, at least one byte unless at the end; the position stays.
    #[method("($self, size=0, /)")]
    fn peek(&self, size: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        let _ = size;
        self.check_ready()?;
        self.check_open("peek of closed file")?;
        let _inside = self.enter()?;
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        self.peek_ahead()
    }
    /// At most so many bytes, with at most one read of the raw stream.
    #[method("($self, size=-1, /)")]
    fn read1(&self, size: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        self.check_ready()?;
        let size = usize::try_from(size.unwrap_or(-1)).unwrap_or(self.buffer_size.get());
        self.check_open("read of closed file")?;
        if size == 0 {
            return Ok(PyBytesObject::empty());
        }
        let n_ahead = self.readahead();
        if n_ahead > 0 {
            return Ok(self.take_ahead(n_ahead.min(size)));
        }
        // SAFETY: what is not written is cut off before anybody sees the object.
        let bytes = unsafe { PyBytesObject::alloc(size)? };
        let _inside = self.enter()?;
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        self.reader_reset();
        // SAFETY: a fresh object of that size.
        let moved = unsafe { self.raw_read(bytes.as_bytes().as_ptr().cast_mut(), size)? };
        Ok(match moved {
            super::buffered_io::Moved::Bytes(count) if count == size => bytes,
            super::buffered_io::Moved::Bytes(count) => PyBytesObject::from_slice(&bytes.as_bytes()[..count]),
            super::buffered_io::Moved::WouldBlock => PyBytesObject::empty(),
        })
    }
    /// Reads into a buffer; returns how many bytes.
    #[method("($self, buffer, /)")]
    fn readinto(&self, buffer: WritableBuffer) -> PyResult<Option<usize>> {
        self.check_ready()?;
        self.check_open("readinto of closed file")?;
        self.read_into(&buffer, false)
    }
    /// As readinto(), with at most one read of the raw stream.
    #[method("($self, buffer, /)")]
    fn readinto1(&self, buffer: WritableBuffer) -> PyResult<Option<usize>> {
        self.check_ready()?;
        self.check_open("readinto of closed file")?;
        self.read_into(&buffer, true)
    }
    /// A line, of at most so many bytes.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<OptSize>) -> PyResult<Ref<PyBytesObject>> {
        self.check_ready()?;
        self.check_open("readline of closed file")?;
        self.read_line(size_or_all(size))
    }
}

/// The next line, by `readline()` where a subclass may have its own.
fn next_line(this: &Buffered, own: &PyTypeObject) -> PyResult<Option<Ref>> {
    this.check_ready()?;
    let line = if this.readable.get() && std::ptr::eq(this.object().ty(), own) {
        this.check_open("readline of closed file")?;
        this.read_line(-1)?
    } else {
        let line = this.object().call_method(identifier!("readline"), &[])?;
        line.downcast::<PyBytesObject>().map_err(|other| {
            raise!(
                OSError,
                "readline() should have returned a bytes object, not '{}'",
                other.ty().full_name()
            )
        })?
    };
    Ok(if line.as_bytes().is_empty() {
        None
    } else {
        Some(line.into_object())
    })
}

#[pymethods(part = BUFFERED_WRITING)]
impl Buffered {
    /// Whether the stream can be written to.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult {
        forward(self, identifier!("writable"))
    }
    /// Writes bytes; returns how many. BlockingIOError when a raw stream that does not block cannot take them.
    #[method("($self, buffer, /)")]
    fn write(&self, buffer: BytesArg<'_>) -> PyResult<usize> {
        self.check_ready()?;
        let _inside = self.enter()?;
        if self.is_closed()? {
            return Err(raise!(ValueError, "write to closed file"));
        }
        self.write_bytes(buffer.as_bytes())
    }
    /// Writes what is buffered to the raw stream.
    #[method("($self, /)")]
    fn flush(&self) -> PyResult<()> {
        self.check_ready()?;
        if self.is_closed()? {
            return Err(raise!(ValueError, "flush of closed file"));
        }
        let _inside = self.enter()?;
        self.flush_and_rewind()
    }
}

#[pymethods(part = BUFFERED_READER_FLUSH)]
impl Buffered {
    /// Flushes the raw stream.
    #[method("($self, /)", name = "flush")]
    fn simple_flush(&self) -> PyResult {
        forward(self, identifier!("flush"))
    }
}

fn show(this: &Buffered) -> PyResult<String> {
    let object = this.object();
    let type_name = object.ty().full_name();
    let name = match object.get_attr_opt(identifier!("name")) {
        Ok(name) => name,
        Err(raised) => {
            raised.clear_if(exc::ValueError)?;
            None
        }
    };
    let Some(name) = name else {
        return Ok(format!("<{type_name}>"));
    };
    match with_repr_guard(object, || name.repr())? {
        Some(name) => Ok(format!("<{type_name} name={}>", name.to_string_lossy())),
        None => Err(raise!(RuntimeError, "reentrant call inside {type_name}.__repr__")),
    }
}

/// The three types: name, docstring, what `__init__` checks.
macro_rules! buffered_type {
    (
        $marker:ident, $static_name:ident, $name:literal, $signature:literal, $doc:literal, [$($part:ident),*],
        $readable:literal, $writable:literal, $init:expr
    ) => {
        #[repr(transparent)]
        pub struct $marker(Buffered);

        #[pytype(
            name = $name,
            static_name = $static_name,
            base = BUFFEREDIOBASE_TYPE,
            flags = BASETYPE | HAVE_GC,
            doc = $doc,
            members = [
                ("raw", _Py_T_OBJECT, offset_of!(Buffered, raw), Py_READONLY),
                ("_finalizing", Py_T_BOOL, offset_of!(Buffered, finalizing), 0),
            ],
            parts = [$($part),*],
            slots = [tp_dealloc = buffered_dealloc],
        )]
        impl $marker {
            #[slot]
            fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
                new_buffered(cls, &$static_name)
            }
            #[init($signature)]
            fn init(&self, raw: &PyObject, buffer_size: Option<isize>) -> PyResult<()> {
                self.0.ok.set(false);
                self.0.detached.set(false);
                let check: fn(&PyObject) -> PyResult<()> = $init;
                check(raw)?;
                let buffer_size = buffer_size.unwrap_or(DEFAULT_BUFFER_SIZE as isize);
                self.0.set_up(raw, buffer_size, $readable, $writable, &$static_name)
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                let status = self.0.head.visit(visitor);
                if status != 0 { status } else { self.0.raw.visit(visitor) }
            }
            #[slot]
            fn tp_clear(&self) {
                self.0.ok.set(false);
                self.0.raw.set(None);
                self.0.head.dict.set(None);
            }
            #[slot]
            fn tp_repr(&self) -> PyResult<String> {
                show(&self.0)
            }
            #[slot]
            fn tp_iternext(&self) -> PyResult<Option<Ref>> {
                next_line(&self.0, &$static_name)
            }
        }
    };
}

buffered_type!(
    BufferedReader,
    BUFFERED_READER_TYPE,
    "_io.BufferedReader",
    "(raw, buffer_size=DEFAULT_BUFFER_SIZE)",
    "A buffer to read from a raw stream through.",
    [BUFFERED_COMMON, BUFFERED_READING, BUFFERED_READER_FLUSH],
    true,
    false,
    |raw| check_readable(raw).map(drop)
);
buffered_type!(
    BufferedWriter,
    BUFFERED_WRITER_TYPE,
    "_io.BufferedWriter",
    "(raw, buffer_size=DEFAULT_BUFFER_SIZE)",
    "A buffer to write to a raw stream through.",
    [BUFFERED_COMMON, BUFFERED_WRITING],
    false,
    true,
    |raw| check_writable(raw).map(drop)
);
buffered_type!(
    BufferedRandom,
    BUFFERED_RANDOM_TYPE,
    "_io.BufferedRandom",
    "(raw, buffer_size=DEFAULT_BUFFER_SIZE)",
    "A buffer to read from and write to a raw stream through, which can seek.",
    [BUFFERED_COMMON, BUFFERED_READING, BUFFERED_WRITING],
    true,
    true,
    |raw| {
        check_seekable(raw)?;
        check_readable(raw)?;
        check_writable(raw).map(drop)
    }
);

// SAFETY: the struct begins with the header; the type is one of the three, which all have it. Used for deallocation.
unsafe impl TypedObject for Buffered {
    fn type_object() -> &'static PyTypeObject {
        &BUFFERED_READER_TYPE
    }
    fn check(object: &PyObject) -> bool {
        let ty = object.ty();
        [
            &BUFFERED_READER_TYPE,
            &BUFFERED_WRITER_TYPE,
            &BUFFERED_RANDOM_TYPE,
        ]
        .iter()
        .any(|own| ty.is_subtype(own))
    }
}

/// A new BufferedReader, BufferedWriter or BufferedRandom on a raw stream.
pub fn wrap_raw(raw: &PyObject, buffer_size: usize, ty: &'static PyTypeObject) -> PyResult {
    let size = PyLongObject::from_usize(buffer_size);
    ty.as_object().call(&[raw, size.as_object()])
}

/// As `check_closed`, for streams that may be none of ours.
pub fn check_stream_open(stream: &PyObject) -> PyResult<()> {
    check_closed(stream)
}
