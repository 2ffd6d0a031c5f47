//! `BufferedRWPair`: a reader and a writer on two raw streams as one.

use super::buffered::{BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE, wrap_raw};
use super::iobase::{BUFFEREDIOBASE_TYPE, check_readable, check_writable};
use super::*;

/// `_io.BufferedRWPair`.
#[repr(C)]
pub struct BufferedRWPair {
    head: IoHead,
    reader: ObjectCell,
    writer: ObjectCell,
}

impl BufferedRWPair {
    fn part(cell: &ObjectCell) -> PyResult<Ref> {
        cell.get()
            .ok_or_else(|| raise!(ValueError, "I/O operation on uninitialized object"))
    }
    fn reader(&self) -> PyResult<Ref> {
        Self::part(&self.reader)
    }
    fn writer(&self) -> PyResult<Ref> {
        Self::part(&self.writer)
    }
}

/// A buffered reader and a buffered writer as one stream, for pipes and sockets.
#[pytype(
    name = "_io.BufferedRWPair",
    static_name = BUFFERED_RWPAIR_TYPE,
    base = BUFFEREDIOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    slots = [tp_dealloc = io_dealloc::<BufferedRWPair>],
)]
impl BufferedRWPair {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let pair = BufferedRWPair {
            head: IoHead::new(),
            reader: ObjectCell::new(None),
            writer: ObjectCell::new(None),
        };
        Ok(Ref::new_in(cls, pair)?.into_object())
    }
    #[init("(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)")]
    fn init(&self, reader: &PyObject, writer: &PyObject, buffer_size: Option<isize>) -> PyResult<()> {
        check_readable(reader)?;
        check_writable(writer)?;
        let buffer_size = buffer_size.unwrap_or(DEFAULT_BUFFER_SIZE as isize);
        let Ok(size @ 1..) = usize::try_from(buffer_size) else {
            return Err(raise!(ValueError, "buffer size must be strictly positive"));
        };
        self.reader
            .set(Some(wrap_raw(reader, size, &BUFFERED_READER_TYPE)?));
        self.writer
            .set(Some(wrap_raw(writer, size, &BUFFERED_WRITER_TYPE)?));
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for cell in [&self.reader, &self.writer] {
            let status = cell.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.head.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.reader.set(None);
        self.writer.set(None);
        self.head.dict.set(None);
    }
    #[method(raw, "(...)")]
    fn read(&self, args: &[&PyObject]) -> PyResult {
        self.reader()?.call_method(identifier!("read"), args)
    }
    #[method(raw, "(...)")]
    fn peek(&self, args: &[&PyObject]) -> PyResult {
        self.reader()?.call_method(identifier!("peek"), args)
    }
    #[method(raw, "(...)")]
    fn read1(&self, args: &[&PyObject]) -> PyResult {
        self.reader()?.call_method(identifier!("read1"), args)
    }
    #[method(raw, "(...)")]
    fn readinto(&self, args: &[&PyObject]) -> PyResult {
        self.reader()?.call_method(identifier!("readinto"), args)
    }
    #[method(raw, "(...)")]
    fn readinto1(&self, args: &[&PyObject]) -> PyResult {
        self.reader()?.call_method(identifier!("readinto1"), args)
    }
    #[method(raw, "(...)")]
    fn write(&self, args: &[&PyObject]) -> PyResult {
        self.writer()?.call_method(identifier!("write"), args)
    }
    /// Flushes the writer.
    #[method("($self, /)")]
    fn flush(&self) -> PyResult {
        self.writer()?.call_method(identifier!("flush"), &[])
    }
    /// Whether the reader can be read from.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult {
        self.reader()?.call_method(identifier!("readable"), &[])
    }
    /// Whether the writer can be written to.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult {
        self.writer()?.call_method(identifier!("writable"), &[])
    }
    /// Closes both.
    #[method("($self, /)")]
    fn close(&self) -> PyResult {
        let closed = self
            .writer()
            .and_then(|writer| writer.call_method(identifier!("close"), &[]));
        let first = closed.err().map(Raised::take);
        let closed = self
            .reader()
            .and_then(|reader| reader.call_method(identifier!("close"), &[]));
        Ok(chain(first, closed)?.unwrap_or_else(none_ref))
    }
    /// Whether either is a terminal.
    #[method("($self, /)")]
    fn isatty(&self) -> PyResult {
        let answer = self.writer()?.call_method(identifier!("isatty"), &[])?;
        if !answer.is(false_()) {
            return Ok(answer);
        }
        self.reader()?.call_method(identifier!("isatty"), &[])
    }
    #[getter]
    fn closed(&self) -> PyResult {
        match self.writer.get() {
            Some(writer) => writer.get_attr(identifier!("closed")),
            None => Err(raise!(
                RuntimeError,
                "the BufferedRWPair object is being garbage-collected"
            )),
        }
    }
}
