//! `BytesIO`: a binary stream in memory. The bytes are shared with a `bytes` object until they are written to.

use super::iobase::BUFFEREDIOBASE_TYPE;
use super::*;
use adder_runtime::objects::buffer::{BytesArg, fill_info};
use std::cell::RefCell;

enum Store {
    Closed,
    /// Not to be written to.
    Shared(Ref<PyBytesObject>),
    Owned(Vec<u8>),
}

impl Store {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Store::Closed => &[],
            Store::Shared(bytes) => bytes.as_bytes(),
            Store::Owned(bytes) => bytes,
        }
    }
}

/// `_io.BytesIO`.
#[repr(C)]
pub struct BytesIO {
    head: IoHead,
    store: RefCell<Store>,
    pos: Cell<usize>,
    n_exports: Cell<usize>,
}

impl BytesIO {
    fn check_open(&self) -> PyResult<()> {
        if matches!(&*self.store.borrow(), Store::Closed) {
            return Err(raise!(ValueError, "I/O operation on closed file."));
        }
        Ok(())
    }
    fn check_exports(&self) -> PyResult<()> {
        if self.n_exports.get() > 0 {
            return Err(raise!(
                BufferError,
                "Existing exports of data: object cannot be re-sized"
            ));
        }
        Ok(())
    }
    /// The bytes as a vector of our own.
    fn with_owned<T>(&self, f: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut store = self.store.borrow_mut();
        if !matches!(&*store, Store::Owned(_)) {
            *store = Store::Owned(store.as_bytes().to_vec());
        }
        match &mut *store {
            Store::Owned(bytes) => f(bytes),
            _ => unreachable!(),
        }
    }
    fn write_slice(&self, bytes: &[u8]) -> PyResult<()> {
        let pos = self.pos.get();
        let end = pos
            .checked_add(bytes.len())
            .filter(|end| *end <= isize::MAX as usize);
        let Some(end) = end else {
            return Err(raise!(OverflowError, "new buffer size too large"));
        };
        self.with_owned(|store| {
            let n_more = end.saturating_sub(store.len());
            store.try_reserve(n_more).map_err(|_| adder_runtime::memory::no_memory())?;
            if pos == store.len() {
                store.extend_from_slice(bytes);
            } else {
                if end > store.len() {
                    store.resize(end, 0);
                }
                store[pos..end].copy_from_slice(bytes);
            }
            PyResult::Ok(())
        })?;
        self.pos.set(end);
        Ok(())
    }
    /// Sets the content; `bytes` objects are shared.
    fn set_content(&self, content: &PyObject) -> PyResult<()> {
        *self.store.borrow_mut() = Store::Owned(Vec::new());
        self.pos.set(0);
        if let Some(bytes) = content.downcast_exact::<PyBytesObject>() {
            *self.store.borrow_mut() = Store::Shared(bytes.to_ref());
            return Ok(());
        }
        let view = BytesArg::of(content)?;
        *self.store.borrow_mut() = Store::Owned(view.as_bytes().to_vec());
        Ok(())
    }
    /// Takes so many bytes from the position.
    fn take(&self, len: usize) -> Ref<PyBytesObject> {
        let store = self.store.borrow();
        let pos = self.pos.get();
        if pos == 0
            && let Store::Shared(bytes) = &*store
            && bytes.as_bytes().len() == len
        {
            self.pos.set(len);
            return bytes.clone();
        }
        let bytes = PyBytesObject::from_slice(&store.as_bytes()[pos..pos + len]);
        self.pos.set(pos + len);
        bytes
    }
    fn n_left(&self) -> usize {
        self.store
            .borrow()
            .as_bytes()
            .len()
            .saturating_sub(self.pos.get())
    }
    /// How long the line at the position is, at most `limit` (negative: any length).
    fn line_len(&self, limit: isize) -> usize {
        let store = self.store.borrow();
        let Some(rest) = store.as_bytes().get(self.pos.get()..) else {
            return 0;
        };
        let rest = &rest[..rest.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
        memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
    }
    fn value(&self) -> Ref<PyBytesObject> {
        let mut store = self.store.borrow_mut();
        if let Store::Shared(bytes) = &*store {
            return bytes.clone();
        }
        let bytes = PyBytesObject::from_slice(store.as_bytes());
        if self.n_exports.get() == 0 {
            *store = Store::Shared(bytes.clone());
        }
        bytes
    }
}

/// A binary stream in memory.
#[pytype(
    name = "_io.BytesIO",
    static_name = BYTESIO_TYPE,
    base = BUFFEREDIOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<BytesIO>],
)]
impl BytesIO {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let stream = BytesIO {
            head: IoHead::new(),
            store: RefCell::new(Store::Owned(Vec::new())),
            pos: Cell::new(0),
            n_exports: Cell::new(0),
        };
        Ok(Ref::new_in(cls, stream)?.into_object())
    }
    #[init("(initial_bytes=b'')")]
    fn init(&self, initial_bytes: Option<&PyObject>) -> PyResult<()> {
        self.check_exports()?;
        match initial_bytes.filter(|bytes| !is_none(bytes)) {
            Some(bytes) => self.set_content(bytes),
            None => {
                *self.store.borrow_mut() = Store::Owned(Vec::new());
                self.pos.set(0);
                Ok(())
            }
        }
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
    fn tp_iter(&self) -> PyResult {
        self.check_open()?;
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref<PyBytesObject>>> {
        self.check_open()?;
        Ok(match self.line_len(-1) {
            0 => None,
            len => Some(self.take(len)),
        })
    }
    /// True: it can be read from.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// True: the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// True: it can be written to.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult<bool> {
        self.check_open().map(|()| true)
    }
    /// Gives the memory back; the stream is closed.
    #[method("($self, /)")]
    fn close(&self) -> PyResult<()> {
        self.check_exports()?;
        let old = self.store.replace(Store::Closed);
        drop(old);
        Ok(())
    }
    /// Does nothing.
    #[method("($self, /)")]
    fn flush(&self) -> PyResult<()> {
        self.check_open()
    }
    /// False: it is no terminal.
    #[method("($self, /)")]
    fn isatty(&self) -> PyResult<bool> {
        self.check_open().map(|()| false)
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult<usize> {
        self.check_open()?;
        Ok(self.pos.get())
    }
    /// Writes bytes; returns how many.
    #[method("($self, b, /)")]
    fn write(&self, b: &PyObject) -> PyResult<usize> {
        self.check_open()?;
        self.check_exports()?;
        let view = BytesArg::of(b)?;
        // The exporter may have run Python code.
        self.check_open()?;
        self.check_exports()?;
        if !view.as_bytes().is_empty() {
            self.write_slice(view.as_bytes())?;
        }
        Ok(view.as_bytes().len())
    }
    /// Writes each of the lines.
    #[method("($self, lines, /)")]
    fn writelines(&self, lines: &PyObject) -> PyResult<()> {
        self.check_open()?;
        lines.for_each(|line| self.write(&line).map(drop))
    }
    /// At most so many bytes, all that are left without a size.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<OptSize>) -> PyResult<Ref<PyBytesObject>> {
        self.check_open()?;
        let wanted = usize::try_from(size_or_all(size)).unwrap_or(usize::MAX);
        let len = wanted.min(self.n_left());
        if len == 0 {
            return Ok(PyBytesObject::empty());
        }
        Ok(self.take(len))
    }
    /// As read().
    #[method("($self, size=-1, /)")]
    fn read1(&self, size: Option<OptSize>) -> PyResult<Ref<PyBytesObject>> {
        self.read(size)
    }
    /// A line, of at most so many bytes.
    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<OptSize>) -> PyResult<Ref<PyBytesObject>> {
        self.check_open()?;
        match self.line_len(size_or_all(size)) {
            0 => Ok(PyBytesObject::empty()),
            len => Ok(self.take(len)),
        }
    }
    /// A list of lines; no more are read when their length reaches the size.
    #[method("($self, size=None, /)")]
    fn readlines(&self, size: Option<&PyObject>) -> PyResult<Ref<PyListObject>> {
        self.check_open()?;
        let limit = match size {
            None => 0,
            Some(size) => optional_size(size)?.unwrap_or(0),
        };
        let lines = PyListObject::new();
        let mut n_read = 0;
        loop {
            let len = self.line_len(-1);
            if len == 0 {
                return Ok(lines);
            }
            lines.push(self.take(len).into_object());
            n_read += len as isize;
            if limit > 0 && n_read >= limit {
                return Ok(lines);
            }
        }
    }
    /// Reads into a buffer; returns how many bytes.
    #[method("($self, buffer, /)")]
    fn readinto(&self, buffer: WritableBuffer) -> PyResult<usize> {
        self.check_open()?;
        let len = buffer.len().min(self.n_left());
        if len > 0 {
            let pos = self.pos.get();
            buffer.write_at(0, &self.store.borrow().as_bytes()[pos..pos + len]);
            self.pos.set(pos + len);
        }
        Ok(len)
    }
    /// A view of the bytes, which can be written to; while there is one, the size stays.
    #[method("($self, /)")]
    fn getbuffer(&self) -> PyResult {
        self.check_open()?;
        let buffer = BytesIOBuffer {
            ob_base: adder_runtime::memory::blank_header(),
            source: ObjectCell::new(Some(self.to_ref())),
        };
        let buffer = Ref::new(buffer)?;
        Ok(PyMemoryViewObject::from_object(buffer.as_object())?.into_object())
    }
    /// All bytes.
    #[method("($self, /)")]
    fn getvalue(&self) -> PyResult<Ref<PyBytesObject>> {
        self.check_open()?;
        Ok(self.value())
    }
    /// Moves the position; returns it.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: i32) -> PyResult<usize> {
        self.check_open()?;
        if pos < 0 && whence == 0 {
            return Err(raise!(ValueError, "negative seek value {pos}"));
        }
        let origin = match whence {
            0 => 0,
            1 => self.pos.get(),
            2 => self.store.borrow().as_bytes().len(),
            _ => {
                return Err(raise!(
                    ValueError,
                    "invalid whence ({whence}, should be 0, 1 or 2)"
                ));
            }
        };
        let Some(target) = (origin as isize).checked_add(pos) else {
            return Err(raise!(OverflowError, "new position too large"));
        };
        self.pos.set(target.max(0) as usize);
        Ok(self.pos.get())
    }
    /// Cuts the bytes off behind so many, by default behind the position.
    #[method("($self, size=None, /)")]
    fn truncate(&self, size: Option<&PyObject>) -> PyResult<isize> {
        let size = match size {
            None => None,
            Some(size) => optional_size(size)?,
        };
        self.check_open()?;
        self.check_exports()?;
        let size = size.unwrap_or(self.pos.get() as isize);
        if size < 0 {
            return Err(raise!(ValueError, "negative size value {size}"));
        }
        if (size as usize) < self.store.borrow().as_bytes().len() {
            self.with_owned(|store| store.truncate(size as usize));
        }
        Ok(size)
    }
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult {
        self.check_open()?;
        let dict = match self.head.dict.get() {
            Some(dict) => dict.copy()?.into_object(),
            None => none_ref(),
        };
        let pos = PyLongObject::from_usize(self.pos.get()).into_object();
        Ok(PyTupleObject::from_vec(vec![self.value().into_object(), pos, dict]).into_object())
    }
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: &PyObject) -> PyResult<()> {
        let parts = object
            .downcast::<PyTupleObject>()
            .filter(|tuple| tuple.len() >= 3);
        let Some(parts) = parts else {
            return Err(raise!(
                TypeError,
                "{}.__setstate__ argument should be 3-tuple, got {}",
                self.as_object().ty().full_name(),
                object.ty().full_name()
            ));
        };
        self.check_open()?;
        self.check_exports()?;
        let parts = parts.as_slice();
        self.set_content(parts[0])?;
        let Some(pos) = parts[1].downcast::<PyLongObject>() else {
            return Err(raise!(
                TypeError,
                "second item of state must be an integer, got {}",
                parts[1].ty().full_name()
            ));
        };
        let pos = pos.as_isize()?;
        if pos < 0 {
            return Err(raise!(ValueError, "position value cannot be negative"));
        }
        self.pos.set(pos as usize);
        restore_dict(self.as_object(), parts[2])
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let held = match &*self.store.borrow() {
            Store::Owned(bytes) => bytes.capacity(),
            _ => 0,
        };
        size_of::<BytesIO>() + held
    }
    #[getter]
    fn closed(&self) -> bool {
        matches!(&*self.store.borrow(), Store::Closed)
    }
}

/// The third item of a state: attributes.
pub fn restore_dict(stream: &PyObject, state: &PyObject) -> PyResult<()> {
    if is_none(state) {
        return Ok(());
    }
    let Some(dict) = state.downcast::<PyDictObject>() else {
        return Err(raise!(
            TypeError,
            "third item of state should be a dict, got a {}",
            state.ty().full_name()
        ));
    };
    match stream.instance_dict_or_make() {
        Some(own) => own.update(dict.as_object()),
        None => Ok(()),
    }
}

/// What exports a BytesIO's memory.
#[repr(C)]
pub struct BytesIOBuffer {
    ob_base: PyObject,
    source: ObjectCell<BytesIO>,
}

#[pytype(name = "_io._BytesIOBuffer", static_name = BYTESIO_BUFFER_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
impl BytesIOBuffer {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.source.visit(visitor)
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        let Some(source) = self.source.get() else {
            return Err(raise!(BufferError, "the stream is gone"));
        };
        let (data, len) = source.with_owned(|store| (store.as_mut_ptr(), store.len()));
        // SAFETY: the bytes stay in place while there are exports.
        unsafe { fill_info(view, Some(self.as_object()), data.cast(), len, false, flags)? };
        source.n_exports.set(source.n_exports.get() + 1);
        Ok(())
    }
    #[slot]
    fn bf_releasebuffer(&self, _view: *mut Py_buffer) {
        if let Some(source) = self.source.borrow() {
            source.n_exports.set(source.n_exports.get() - 1);
        }
    }
}
