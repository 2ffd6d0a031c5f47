//! `zlib`: compression and decompression by `zlib-rs`, through the zlib API that it offers.

use crate::binascii::{crc32 as crc, low_word};
use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::prelude::*;
use libz_rs_sys as z;
use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

static ERROR: ExceptionClass = ExceptionClass::new("zlib.error", || exc::Exception);

const DEF_BUF_SIZE: usize = 16 * 1024;
const MAX_WBITS: i32 = 15;

/// The error of a stream: its own message, or that of the status.
fn stream_error(status: i32, message: Option<String>, doing: &str) -> Raised {
    let message = message.or_else(|| {
        let text = match status {
            z::Z_BUF_ERROR => "incomplete or truncated stream",
            z::Z_STREAM_ERROR => "inconsistent stream state",
            z::Z_DATA_ERROR => "invalid input data",
            z::Z_VERSION_ERROR => "library version mismatch",
            _ => return None,
        };
        Some(text.to_owned())
    });
    ERROR.raise(match message {
        Some(message) => format!("Error {status} {doing}: {message}"),
        None => format!("Error {status} {doing}"),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Compress,
    Decompress,
}

/// A zlib stream, ended on drop. It stays in place, as zlib points back to it.
struct Stream {
    raw: Box<z::z_stream>,
    direction: Direction,
}

// SAFETY: a stream is used by one thread at a time.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised in its direction.
        unsafe {
            match self.direction {
                Direction::Compress => z::deflateEnd(&mut *self.raw),
                Direction::Decompress => z::inflateEnd(&mut *self.raw),
            };
        }
    }
}

/// The end of one step.
enum Step {
    /// The output is full.
    MoreOutput,
    /// The input is used up, or nothing more can be done.
    Stuck(i32),
    End,
}

impl Stream {
    fn compressor(level: i32, method: i32, wbits: i32, mem_level: i32, strategy: i32) -> Result<Stream, i32> {
        let mut raw = Box::<z::z_stream>::default();
        // SAFETY: a fresh stream; the version and size are those of this library.
        let status = unsafe {
            z::deflateInit2_(
                &mut *raw,
                level,
                method,
                wbits,
                mem_level,
                strategy,
                z::zlibVersion(),
                size_of::<z::z_stream>() as i32,
            )
        };
        if status == z::Z_OK { Ok(Stream { raw, direction: Direction::Compress }) } else { Err(status) }
    }
    fn decompressor(wbits: i32) -> Result<Stream, i32> {
        let mut raw = Box::<z::z_stream>::default();
        // SAFETY: as above.
        let status =
            unsafe { z::inflateInit2_(&mut *raw, wbits, z::zlibVersion(), size_of::<z::z_stream>() as i32) };
        if status == z::Z_OK { Ok(Stream { raw, direction: Direction::Decompress }) } else { Err(status) }
    }
    fn copy(&mut self) -> Result<Stream, i32> {
        let mut raw = Box::<z::z_stream>::default();
        // SAFETY: both are streams; the new one is fresh.
        let status = unsafe {
            match self.direction {
                Direction::Compress => z::deflateCopy(&mut *raw, &mut *self.raw),
                Direction::Decompress => z::inflateCopy(&mut *raw, &*self.raw),
            }
        };
        if status == z::Z_OK { Ok(Stream { raw, direction: self.direction }) } else { Err(status) }
    }
    fn set_dictionary(&mut self, dictionary: &[u8]) -> i32 {
        // SAFETY: the dictionary is read during the call.
        unsafe {
            match self.direction {
                Direction::Compress => {
                    z::deflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), dictionary.len() as u32)
                }
                Direction::Decompress => {
                    z::inflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), dictionary.len() as u32)
                }
            }
        }
    }
    fn message(&self) -> Option<String> {
        let text = self.raw.msg;
        // SAFETY: a message is a static C string.
        (!text.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
    /// Runs the stream over `input`, of which what is left is returned, until it is used up, the output has `max` bytes
    /// or the stream ends.
    fn run<'a>(&mut self, mut input: &'a [u8], flush: i32, out: &mut Vec<u8>, max: usize) -> (&'a [u8], Step) {
        const CHUNK: usize = u32::MAX as usize;
        loop {
            let given = &input[..input.len().min(CHUNK)];
            if out.capacity() == out.len() {
                out.reserve(out.len().max(DEF_BUF_SIZE).min(max - out.len()).max(1));
            }
            let room = (out.capacity() - out.len()).min(max - out.len()).min(CHUNK);
            self.raw.next_in = given.as_ptr();
            self.raw.avail_in = given.len() as u32;
            // SAFETY: the pointer stays within the vector's memory.
            self.raw.next_out = unsafe { out.as_mut_ptr().add(out.len()) };
            self.raw.avail_out = room as u32;
            // With more input to come, nothing is finished yet.
            let how = if given.len() < input.len() { z::Z_NO_FLUSH } else { flush };
            // SAFETY: input and output are valid for the lengths given.
            let status = unsafe {
                match self.direction {
                    Direction::Compress => z::deflate(&mut *self.raw, how),
                    Direction::Decompress => z::inflate(&mut *self.raw, how),
                }
            };
            let n_used = given.len() - self.raw.avail_in as usize;
            let n_made = room - self.raw.avail_out as usize;
            // SAFETY: zlib has written so many bytes.
            unsafe { out.set_len(out.len() + n_made) };
            input = &input[n_used..];
            let out_full = self.raw.avail_out == 0;
            self.raw.next_in = std::ptr::null();
            // A copy wants an output, even if there is no room in it.
            self.raw.next_out = std::ptr::dangling_mut();
            self.raw.avail_in = 0;
            self.raw.avail_out = 0;
            match status {
                z::Z_STREAM_END => return (input, Step::End),
                z::Z_OK | z::Z_BUF_ERROR => {
                    if out_full {
                        if out.len() == max {
                            return (input, Step::MoreOutput);
                        }
                    } else if input.is_empty() || status == z::Z_BUF_ERROR {
                        return (input, Step::Stuck(status));
                    }
                }
                other => return (input, Step::Stuck(other)),
            }
        }
    }
}

fn bytes_of(object: Option<&PyObject>) -> PyResult<Option<Vec<u8>>> {
    object.map(|object| Ok(BytesArg::of(object)?.as_bytes().to_vec())).transpose()
}

#[repr(C)]
pub struct Compress {
    ob_base: PyObject,
    stream: Mutex<Option<Stream>>,
}

#[pytype(name = "zlib.Compress", static_name = COMPRESS_TYPE, flags = DISALLOW_INSTANTIATION)]
impl Compress {
    fn of(stream: Stream) -> PyResult<Ref<Compress>> {
        Ref::new(Compress { ob_base: blank_header(), stream: Mutex::new(Some(stream)) })
    }
    /// Runs the stream without the GIL; false when there is none any more.
    fn run(&self, data: &[u8], flush: i32) -> (Vec<u8>, Option<Step>, Option<String>) {
        adder_runtime::thread::allow_threads(|| {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let mut out = Vec::new();
            let Some(inner) = stream.as_mut() else { return (out, None, None) };
            let (_, step) = inner.run(data, flush, &mut out, isize::MAX as usize);
            let message = inner.message();
            if matches!(step, Step::End) {
                stream.take();
            }
            (out, Some(step), message)
        })
    }
    /// Returns a bytes object containing compressed data.
    #[method("($self, data, /)")]
    fn compress(&self, data: BytesArg<'_>) -> PyResult<Ref<PyBytesObject>> {
        match self.run(data.as_bytes(), z::Z_NO_FLUSH) {
            (_, None, _) => Err(stream_error(z::Z_STREAM_ERROR, None, "while compressing data")),
            (_, Some(Step::Stuck(status)), message) if status != z::Z_OK && status != z::Z_BUF_ERROR => {
                Err(stream_error(status, message, "while compressing data"))
            }
            (out, ..) => Ok(PyBytesObject::from_vec(out)),
        }
    }
    /// Return a bytes object containing any remaining compressed data.
    #[method("($self, mode=zlib.Z_FINISH, /)")]
    fn flush(&self, mode: Option<i32>) -> PyResult<Ref<PyBytesObject>> {
        let mode = mode.unwrap_or(z::Z_FINISH);
        if mode == z::Z_NO_FLUSH {
            return Ok(PyBytesObject::empty());
        }
        match self.run(&[], mode) {
            (_, None, _) => Err(stream_error(z::Z_STREAM_ERROR, None, "while flushing")),
            (_, Some(Step::Stuck(status)), message) if status != z::Z_OK && status != z::Z_BUF_ERROR => {
                Err(stream_error(status, message, "while flushing"))
            }
            (out, ..) => Ok(PyBytesObject::from_vec(out)),
        }
    }
    /// Return a copy of the compression object.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<Compress>> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        match stream.as_mut().map(Stream::copy) {
            Some(Ok(copy)) => Compress::of(copy),
            Some(Err(status)) => Err(stream_error(status, None, "while copying compression object")),
            None => Err(raise!(ValueError, "Inconsistent stream state")),
        }
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult<Ref<Compress>> {
        self.copy()
    }
    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &PyObject) -> PyResult<Ref<Compress>> {
        self.copy()
    }
}

/// What a decompression object knows beside its stream.
#[repr(C)]
pub struct Decompress {
    ob_base: PyObject,
    stream: Mutex<Stream>,
    dictionary: Option<Vec<u8>>,
    unused_data: ObjectCell<PyBytesObject>,
    unconsumed_tail: ObjectCell<PyBytesObject>,
    eof: Cell<bool>,
    /// The stream is done with: `flush` has seen its end.
    ended: Cell<bool>,
}

/// Decompresses, setting the dictionary when it is asked for.
fn inflate<'a>(
    stream: &mut Stream,
    dictionary: Option<&[u8]>,
    mut input: &'a [u8],
    flush: i32,
    out: &mut Vec<u8>,
    max: usize,
) -> (&'a [u8], Result<Step, (i32, Option<String>, &'static str)>) {
    loop {
        let (rest, step) = stream.run(input, flush, out, max);
        input = rest;
        match (step, dictionary) {
            (Step::Stuck(z::Z_NEED_DICT), Some(dictionary)) => {
                let status = stream.set_dictionary(dictionary);
                if status != z::Z_OK {
                    return (input, Err((status, None, "while setting zdict")));
                }
            }
            (Step::Stuck(status), _) if status != z::Z_OK && status != z::Z_BUF_ERROR => {
                return (input, Err((status, stream.message(), "while decompressing data")));
            }
            (step, _) => return (input, Ok(step)),
        }
    }
}

/// A stream for decompression, with its dictionary when the format has no place to ask for it.
fn new_decompressor(wbits: i32, dictionary: Option<&[u8]>) -> PyResult<Stream> {
    let mut stream = match Stream::decompressor(wbits) {
        Ok(stream) => stream,
        Err(z::Z_STREAM_ERROR) => return Err(raise!(ValueError, "Invalid initialization option")),
        Err(z::Z_MEM_ERROR) => {
            return Err(raise!(MemoryError, "Can't allocate memory for decompression object"));
        }
        Err(status) => return Err(stream_error(status, None, "while creating decompression object")),
    };
    if let Some(dictionary) = dictionary.filter(|_| wbits < 0) {
        let status = stream.set_dictionary(dictionary);
        if status != z::Z_OK {
            return Err(stream_error(status, None, "while setting zdict"));
        }
    }
    Ok(stream)
}

fn dictionary_argument(zdict: Option<&PyObject>) -> PyResult<Option<Vec<u8>>> {
    match zdict {
        Some(zdict) if !adder_runtime::objects::buffer::has_buffer(zdict) => {
            Err(raise!(TypeError, "zdict argument must support the buffer protocol"))
        }
        zdict => bytes_of(zdict),
    }
}

#[pytype(name = "zlib.Decompress", static_name = DECOMPRESS_TYPE, flags = DISALLOW_INSTANTIATION)]
impl Decompress {
    fn of(stream: Stream, dictionary: Option<Vec<u8>>) -> PyResult<Ref<Decompress>> {
        Ref::new(Decompress {
            ob_base: blank_header(),
            stream: Mutex::new(stream),
            dictionary,
            unused_data: ObjectCell::new(Some(PyBytesObject::empty())),
            unconsumed_tail: ObjectCell::new(Some(PyBytesObject::empty())),
            eof: Cell::new(false),
            ended: Cell::new(false),
        })
    }
    fn run<'a>(
        &self,
        data: &'a [u8],
        flush: i32,
        max: usize,
    ) -> (Vec<u8>, &'a [u8], Result<Step, (i32, Option<String>, &'static str)>) {
        adder_runtime::thread::allow_threads(|| {
            let mut out = Vec::new();
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let (rest, result) = inflate(&mut stream, self.dictionary.as_deref(), data, flush, &mut out, max);
            (out, rest, result)
        })
    }
    fn save_rest(&self, rest: &[u8], ended: bool) {
        if ended {
            // What follows the stream is added to what followed it before.
            if !rest.is_empty() {
                let mut unused = self.unused_data.get().map_or_else(Vec::new, |bytes| bytes.as_bytes().to_vec());
                unused.extend_from_slice(rest);
                self.unused_data.set(Some(PyBytesObject::from_vec(unused)));
            }
            self.unconsumed_tail.set(Some(PyBytesObject::empty()));
            self.eof.set(true);
        } else {
            self.unconsumed_tail.set(Some(PyBytesObject::from_slice(rest)));
        }
    }
    /// Return a bytes object containing the decompressed version of the data.
    #[method("($self, data, /, max_length=0)")]
    fn decompress(&self, data: BytesArg<'_>, max_length: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        let max = match max_length.unwrap_or(0) {
            0 => isize::MAX as usize,
            max if max > 0 => max as usize,
            _ => return Err(raise!(ValueError, "max_length must be non-negative")),
        };
        if self.eof.get() {
            self.save_rest(data.as_bytes(), true);
            return Ok(PyBytesObject::empty());
        }
        let (out, rest, result) = self.run(data.as_bytes(), z::Z_SYNC_FLUSH, max);
        match result {
            Ok(step) => {
                self.save_rest(rest, matches!(step, Step::End));
                Ok(PyBytesObject::from_vec(out))
            }
            Err((status, message, doing)) => {
                self.save_rest(rest, false);
                Err(stream_error(status, message, doing))
            }
        }
    }
    /// Return a bytes object containing any remaining decompressed data.
    #[method("($self, length=zlib.DEF_BUF_SIZE, /)")]
    fn flush(&self, length: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        if length.is_some_and(|length| length <= 0) {
            return Err(raise!(ValueError, "length must be greater than zero"));
        }
        let tail = self.unconsumed_tail.get().unwrap_or_else(PyBytesObject::empty);
        if self.eof.get() {
            self.ended.set(true);
            return Ok(PyBytesObject::empty());
        }
        let (out, rest, result) = self.run(tail.as_bytes(), z::Z_FINISH, isize::MAX as usize);
        match result {
            Ok(step) => {
                self.save_rest(rest, matches!(step, Step::End));
                self.ended.set(self.eof.get());
                Ok(PyBytesObject::from_vec(out))
            }
            Err((status, message, _)) => Err(stream_error(status, message, "while decompressing data")),
        }
    }
    /// Return a copy of the decompression object.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<Decompress>> {
        if self.ended.get() {
            return Err(raise!(ValueError, "Inconsistent stream state"));
        }
        let copied = self.stream.lock().unwrap_or_else(PoisonError::into_inner).copy();
        match copied {
            Ok(stream) => {
                let copy = Decompress::of(stream, self.dictionary.clone())?;
                copy.unused_data.set(self.unused_data.get());
                copy.unconsumed_tail.set(self.unconsumed_tail.get());
                copy.eof.set(self.eof.get());
                Ok(copy)
            }
            Err(status) => Err(stream_error(status, None, "while copying decompression object")),
        }
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult<Ref<Decompress>> {
        self.copy()
    }
    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &PyObject) -> PyResult<Ref<Decompress>> {
        self.copy()
    }
    #[getter(name = "unused_data")]
    fn get_unused_data(&self) -> Option<Ref<PyBytesObject>> {
        self.unused_data.get()
    }
    #[getter(name = "unconsumed_tail")]
    fn get_unconsumed_tail(&self) -> Option<Ref<PyBytesObject>> {
        self.unconsumed_tail.get()
    }
    #[getter(name = "eof")]
    fn get_eof(&self) -> bool {
        self.eof.get()
    }
}

/// A decompressor that keeps its input, for `gzip`.
#[repr(C)]
pub struct ZlibDecompressor {
    ob_base: PyObject,
    stream: Mutex<Stream>,
    dictionary: Option<Vec<u8>>,
    unused_data: ObjectCell<PyBytesObject>,
    /// Input that was given and not used yet.
    pending: RefCell<Vec<u8>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
}

#[pytype(name = "zlib._ZlibDecompressor", static_name = ZLIB_DECOMPRESSOR_TYPE)]
/// Create a decompressor object for decompressing data incrementally.
impl ZlibDecompressor {
    #[new("(wbits=15, zdict=b'')")]
    fn new(cls: &PyTypeObject, wbits: Option<i32>, zdict: Option<&PyObject>) -> PyResult<Ref<ZlibDecompressor>> {
        let dictionary = dictionary_argument(zdict)?;
        let stream = new_decompressor(wbits.unwrap_or(MAX_WBITS), dictionary.as_deref())?;
        Ref::new_in(
            cls,
            ZlibDecompressor {
                ob_base: blank_header(),
                stream: Mutex::new(stream),
                dictionary,
                unused_data: ObjectCell::new(Some(PyBytesObject::empty())),
                pending: RefCell::new(Vec::new()),
                eof: Cell::new(false),
                needs_input: Cell::new(true),
            },
        )
    }
    /// Decompress *data*, returning uncompressed data as bytes.
    #[method("($self, /, data, max_length=-1)")]
    fn decompress(&self, data: BytesArg<'_>, max_length: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        if self.eof.get() {
            return Err(raise!(EOFError, "End of stream already reached"));
        }
        let max = max_length.and_then(|max| usize::try_from(max).ok()).unwrap_or(isize::MAX as usize);
        let mut input = self.pending.take();
        input.extend_from_slice(data.as_bytes());
        let (out, used, result) = adder_runtime::thread::allow_threads(|| {
            let mut out = Vec::new();
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let dictionary = self.dictionary.as_deref();
            let (rest, result) = inflate(&mut stream, dictionary, &input, z::Z_SYNC_FLUSH, &mut out, max);
            (out, input.len() - rest.len(), result)
        });
        let rest = input.split_off(used);
        match result {
            Ok(Step::End) => {
                self.eof.set(true);
                self.needs_input.set(false);
                self.unused_data.set(Some(PyBytesObject::from_vec(rest)));
            }
            Ok(step) => {
                self.needs_input.set(rest.is_empty() && !matches!(step, Step::MoreOutput));
                *self.pending.borrow_mut() = rest;
            }
            Err((status, message, doing)) => return Err(stream_error(status, message, doing)),
        }
        Ok(PyBytesObject::from_vec(out))
    }
    /// True if the end-of-stream marker has been reached.
    #[getter(name = "eof")]
    fn get_eof(&self) -> bool {
        self.eof.get()
    }
    /// Data found after the end of the compressed stream.
    #[getter(name = "unused_data")]
    fn get_unused_data(&self) -> Option<Ref<PyBytesObject>> {
        self.unused_data.get()
    }
    /// True if more input is needed before more decompressed data can be produced.
    #[getter(name = "needs_input")]
    fn get_needs_input(&self) -> bool {
        self.needs_input.get()
    }
}

fn adler(data: &[u8], start: u32) -> u32 {
    // SAFETY: the bytes are read during the call.
    unsafe { z::adler32_z(start.into(), data.as_ptr(), data.len()) as u32 }
}

/// The functions in this module allow compression and decompression using the
/// zlib library, which is based on GNU zip.
#[pymodule(name = "zlib", types = [ZLIB_DECOMPRESSOR_TYPE])]
pub mod zlib {
    pub use super::ZLIB_DECOMPRESSOR_TYPE;
    use super::*;

    #[pyconst]
    fn error() -> PyResult {
        ERROR.get()
    }
    #[pyconst]
    fn ZLIB_VERSION() -> PyResult<&'static str> {
        Ok("1.3.2")
    }
    #[pyconst]
    fn ZLIB_RUNTIME_VERSION() -> String {
        // SAFETY: a static C string.
        unsafe { std::ffi::CStr::from_ptr(z::zlibVersion()) }.to_string_lossy().into_owned()
    }
    #[pyconst]
    const DEFLATED: i32 = 8;
    #[pyconst]
    const DEF_BUF_SIZE: usize = super::DEF_BUF_SIZE;
    #[pyconst]
    const DEF_MEM_LEVEL: i32 = 8;
    #[pyconst]
    const MAX_WBITS: i32 = super::MAX_WBITS;
    #[pyconst]
    const Z_BEST_COMPRESSION: i32 = 9;
    #[pyconst]
    const Z_BEST_SPEED: i32 = 1;
    #[pyconst]
    const Z_BLOCK: i32 = 5;
    #[pyconst]
    const Z_DEFAULT_COMPRESSION: i32 = -1;
    #[pyconst]
    const Z_DEFAULT_STRATEGY: i32 = 0;
    #[pyconst]
    const Z_FILTERED: i32 = 1;
    #[pyconst]
    const Z_FINISH: i32 = 4;
    #[pyconst]
    const Z_FIXED: i32 = 4;
    #[pyconst]
    const Z_FULL_FLUSH: i32 = 3;
    #[pyconst]
    const Z_HUFFMAN_ONLY: i32 = 2;
    #[pyconst]
    const Z_NO_COMPRESSION: i32 = 0;
    #[pyconst]
    const Z_NO_FLUSH: i32 = 0;
    #[pyconst]
    const Z_PARTIAL_FLUSH: i32 = 1;
    #[pyconst]
    const Z_RLE: i32 = 3;
    #[pyconst]
    const Z_SYNC_FLUSH: i32 = 2;
    #[pyconst]
    const Z_TREES: i32 = 6;

    /// Compute an Adler-32 checksum of data.
    #[pyfunction("($module, data, value=1, /)")]
    fn adler32(data: BytesArg<'_>, value: Option<&PyObject>) -> PyResult<u32> {
        let start = low_word(value, 1)?;
        Ok(adler(data.as_bytes(), start))
    }
    /// Compute a CRC-32 checksum of data.
    #[pyfunction("($module, data, value=0, /)")]
    fn crc32(data: BytesArg<'_>, value: Option<&PyObject>) -> PyResult<u32> {
        let start = low_word(value, 0)?;
        Ok(crc(data.as_bytes(), start))
    }
    /// Returns a bytes object containing compressed data.
    #[pyfunction("($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)")]
    fn compress(data: BytesArg<'_>, level: Option<i32>, wbits: Option<i32>) -> PyResult<Ref<PyBytesObject>> {
        let (level, wbits) = (level.unwrap_or(-1), wbits.unwrap_or(super::MAX_WBITS));
        let mut stream = match Stream::compressor(level, DEFLATED, wbits, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY) {
            Ok(stream) => stream,
            Err(z::Z_MEM_ERROR) => return Err(raise!(MemoryError, "Out of memory while compressing data")),
            Err(z::Z_STREAM_ERROR) => return Err(ERROR.raise("Bad compression level")),
            Err(status) => return Err(stream_error(status, None, "while compressing data")),
        };
        let bytes = data.as_bytes();
        let (out, step) = adder_runtime::thread::allow_threads(|| {
            let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
            let (_, step) = stream.run(bytes, z::Z_FINISH, &mut out, isize::MAX as usize);
            (out, step)
        });
        match step {
            Step::End => Ok(PyBytesObject::from_vec(out)),
            Step::Stuck(status) => Err(stream_error(status, stream.message(), "while compressing data")),
            Step::MoreOutput => Err(adder_runtime::memory::no_memory()),
        }
    }
    /// Returns a bytes object containing the uncompressed data.
    #[pyfunction("($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)")]
    fn decompress(data: BytesArg<'_>, wbits: Option<i32>, bufsize: Option<isize>) -> PyResult<Ref<PyBytesObject>> {
        let Ok(bufsize) = usize::try_from(bufsize.unwrap_or(DEF_BUF_SIZE as isize)) else {
            return Err(raise!(ValueError, "bufsize must be non-negative"));
        };
        let mut stream = match Stream::decompressor(wbits.unwrap_or(super::MAX_WBITS)) {
            Ok(stream) => stream,
            Err(z::Z_MEM_ERROR) => return Err(raise!(MemoryError, "Out of memory while decompressing data")),
            Err(status) => return Err(stream_error(status, None, "while preparing to decompress data")),
        };
        let bytes = data.as_bytes();
        let (out, result) = adder_runtime::thread::allow_threads(|| {
            let mut out = Vec::with_capacity(bufsize.clamp(1, 1 << 30));
            let (_, result) = inflate(&mut stream, None, bytes, z::Z_SYNC_FLUSH, &mut out, isize::MAX as usize);
            (out, result)
        });
        match result {
            Ok(Step::End) => Ok(PyBytesObject::from_vec(out)),
            Ok(_) => Err(stream_error(z::Z_BUF_ERROR, stream.message(), "while decompressing data")),
            Err((status, message, doing)) => Err(stream_error(status, message, doing)),
        }
    }
    /// Return a compressor object.
    #[pyfunction("($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=<unrepresentable>)")]
    fn compressobj(
        level: Option<i32>,
        method: Option<i32>,
        wbits: Option<i32>,
        memLevel: Option<i32>,
        strategy: Option<i32>,
        zdict: Option<&PyObject>,
    ) -> PyResult<Ref<Compress>> {
        let dictionary = bytes_of(zdict)?;
        let stream = Stream::compressor(
            level.unwrap_or(-1),
            method.unwrap_or(DEFLATED),
            wbits.unwrap_or(super::MAX_WBITS),
            memLevel.unwrap_or(DEF_MEM_LEVEL),
            strategy.unwrap_or(Z_DEFAULT_STRATEGY),
        );
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(z::Z_MEM_ERROR) => {
                return Err(raise!(MemoryError, "Can't allocate memory for compression object"));
            }
            Err(z::Z_STREAM_ERROR) => return Err(raise!(ValueError, "Invalid initialization option")),
            Err(status) => return Err(stream_error(status, None, "while creating compression object")),
        };
        if let Some(dictionary) = dictionary {
            match stream.set_dictionary(&dictionary) {
                z::Z_OK => {}
                z::Z_STREAM_ERROR => return Err(raise!(ValueError, "Invalid dictionary")),
                _ => return Err(raise!(ValueError, "deflateSetDictionary() failed")),
            }
        }
        Compress::of(stream)
    }
    /// Return a decompressor object.
    #[pyfunction("($module, /, wbits=MAX_WBITS, zdict=b'')")]
    fn decompressobj(wbits: Option<i32>, zdict: Option<&PyObject>) -> PyResult<Ref<Decompress>> {
        let dictionary = dictionary_argument(zdict)?;
        let stream = new_decompressor(wbits.unwrap_or(super::MAX_WBITS), dictionary.as_deref())?;
        Decompress::of(stream, dictionary)
    }
}
