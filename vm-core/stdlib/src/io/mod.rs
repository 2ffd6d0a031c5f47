//! `_io`: streams. Bytes flow from a descriptor (`fileio`) through a buffer (`buffered`, `rwpair`) to text (`textio`);
//! `bytesio` and `stringio` keep theirs in memory.
//!
//! All stream structs begin with `IoHead`, so that a subclass in Python may derive from any of them. `iobase` has what
//! the abstract classes do, `open` the function. Tests: CPython's test_io, test_fileio, test_memoryio, test_bufio.

pub mod buffered;
pub mod buffered_io;
pub mod bytesio;
pub mod fileio;
pub mod iobase;
pub mod newline;
pub mod open;
pub mod rwpair;
pub mod stringio;
pub mod textio;

use adder_runtime::args::{FromArg, Signature};
use adder_runtime::error::raise_message;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The size of buffers when nothing else is asked for.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

/// What every stream struct begins with.
#[repr(C)]
pub struct IoHead {
    pub ob_base: PyObject,
    pub dict: ObjectCell<PyDictObject>,
    pub weakreflist: Cell<*mut PyObject>,
}

impl IoHead {
    pub const fn new() -> IoHead {
        IoHead {
            ob_base: adder_runtime::memory::blank_header(),
            dict: ObjectCell::new(None),
            weakreflist: Cell::new(std::ptr::null_mut()),
        }
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        self.dict.visit(visitor)
    }
}

impl Default for IoHead {
    fn default() -> Self {
        IoHead::new()
    }
}

/// `tp_dealloc` of stream types: the finalizer closes the stream and may bring it back.
///
/// # Safety
/// `object` is dead and has layout `T`.
pub unsafe extern "C" fn io_dealloc<T: TypedObject>(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if adder_runtime::types::heap::call_finalizer_from_dealloc(object) {
            adder_runtime::types::dealloc_payload::<T>(object);
        }
    }
}

static UNSUPPORTED_OPERATION: AtomicPtr<PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());

/// `io.UnsupportedOperation`, made when it is first asked for.
pub fn unsupported_operation() -> PyResult<&'static PyTypeObject> {
    let known = UNSUPPORTED_OPERATION.load(Ordering::Relaxed);
    if !known.is_null() {
        // SAFETY: kept for ever below.
        return Ok(unsafe { &*known });
    }
    let bases = [exc::OSError.as_object(), exc::ValueError.as_object()];
    let class = crate::module_parts::new_exception("io", "UnsupportedOperation", &bases)?;
    UNSUPPORTED_OPERATION.store((class as *const PyTypeObject).cast_mut(), Ordering::Relaxed);
    Ok(class)
}

/// Raises `io.UnsupportedOperation(message)`.
#[cold]
pub fn unsupported(message: &str) -> Raised {
    raise_unsupported(format_args!("{message}"))
}

#[cold]
fn raise_unsupported(message: fmt::Arguments<'_>) -> Raised {
    match unsupported_operation() {
        Ok(ty) => raise_message(ty, message),
        Err(raised) => raised,
    }
}

/// Issues a ResourceWarning about `source`.
pub fn resource_warning(source: &PyObject, message: &str) -> PyResult<()> {
    adder_runtime::exceptions::warn_of_resource(source, message)
}

/// Whether the exception in flight says that a signal interrupted; then it is dropped, handlers run, and the
/// operation is to be tried again.
pub fn trap_eintr(raised: Raised) -> PyResult<()> {
    raised.clear_if(exc::InterruptedError)?;
    adder_runtime::hooks::run_pending_signals()
}

/// Calls a method, again as long as signals interrupt it.
pub fn call_retrying(object: &PyObject, name: &'static PyUnicodeObject, args: &[&PyObject]) -> PyResult {
    loop {
        match object.call_method(name, args) {
            Ok(result) => return Ok(result),
            Err(raised) => trap_eintr(raised)?,
        }
    }
}

/// A size that may be None, for 'no limit'.
#[derive(Clone, Copy)]
pub struct OptSize(pub isize);

impl<'a> FromArg<'a> for OptSize {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        optional_size(arg).map(|size| OptSize(size.unwrap_or(-1)))
    }
}

/// A size given as an integer or None.
pub fn optional_size(arg: &PyObject) -> PyResult<Option<isize>> {
    if is_none(arg) {
        return Ok(None);
    }
    if arg.has_index() {
        return arg.to_index(exc::OverflowError).map(Some);
    }
    Err(raise!(
        TypeError,
        "argument should be integer or None, not '{}'",
        arg.ty().full_name()
    ))
}

/// The size that was given, -1 without one.
pub fn size_or_all(given: Option<OptSize>) -> isize {
    given.map_or(-1, |size| size.0)
}

/// A position in a stream.
pub fn as_offset(object: &PyObject) -> PyResult<i64> {
    let value = object.index()?;
    match value.to_i64() {
        Some(value) => Ok(value),
        None => Err(raise!(
            OverflowError,
            "cannot fit '{}' into an offset-sized integer",
            object.ty().name()
        )),
    }
}

/// A writable bytes-like argument.
pub struct WritableBuffer(pub Buffer);

impl<'a> FromArg<'a> for WritableBuffer {
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        match Buffer::writable(arg) {
            Ok(view) => Ok(WritableBuffer(view)),
            Err(raised) => {
                raised.clear();
                Err(signature.bad_argument(index, "read-write bytes-like object", arg))
            }
        }
    }
}

impl WritableBuffer {
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn data(&self) -> *mut u8 {
        self.0.as_bytes().as_ptr().cast_mut()
    }
    /// Copies bytes, which fit, to the start of the buffer.
    pub fn write_at(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.len());
        // SAFETY: within the view, which is writable; the source may overlap.
        unsafe { std::ptr::copy(bytes.as_ptr(), self.data().add(at), bytes.len()) }
    }
}

/// Puts the exception in flight back after `f`, which runs without one. If `f` fails too, its exception gets the first
/// one as context and takes its place.
pub fn chain<T>(first: Option<Ref>, second: PyResult<T>) -> PyResult<Option<T>> {
    match (first, second) {
        (None, result) => result.map(Some),
        (Some(first), Ok(_)) => Err(adder_runtime::error::restore(first)),
        (Some(first), Err(raised)) => {
            let exception = raised.take();
            if !exception.is(&first) && adder_runtime::exceptions::get_context(&exception).is_none() {
                adder_runtime::exceptions::set_context(&exception, Some(first));
            }
            Err(adder_runtime::error::restore(exception))
        }
    }
}

/// Refuses pickling.
#[cold]
pub fn cannot_pickle(object: &PyObject) -> Raised {
    raise!(
        TypeError,
        "cannot pickle '{}' instances",
        object.ty().short_name()
    )
}

/// The interfaces of streams.
#[pymodule(
    name = "_io",
    types = [
        iobase::IOBASE_TYPE,
        iobase::RAWIOBASE_TYPE,
        iobase::BUFFEREDIOBASE_TYPE,
        iobase::TEXTIOBASE_TYPE,
        fileio::FILEIO_TYPE,
        bytesio::BYTESIO_TYPE,
        bytesio::BYTESIO_BUFFER_TYPE,
        stringio::STRINGIO_TYPE,
        buffered::BUFFERED_READER_TYPE,
        buffered::BUFFERED_WRITER_TYPE,
        buffered::BUFFERED_RANDOM_TYPE,
        rwpair::BUFFERED_RWPAIR_TYPE,
        newline::INCREMENTAL_NEWLINE_DECODER_TYPE,
        textio::TEXTIOWRAPPER_TYPE,
    ],
)]
pub mod _io {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        crate::module_parts::add_part(module, &open::part::DEF)?;
        crate::module_parts::add_int(module, "DEFAULT_BUFFER_SIZE", DEFAULT_BUFFER_SIZE as i64)?;
        module.add("BlockingIOError", exc::BlockingIOError.as_object().to_ref())?;
        module.add(
            "UnsupportedOperation",
            unsupported_operation()?.as_object().to_ref(),
        )
    }
}
