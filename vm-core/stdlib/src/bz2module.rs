//! `_bz2`: compression and decompression by `libbz2-rs`, through the bzlib API that it offers.

use crate::coding::{self, Coder, Decoding, Encoding, Progress};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::prelude::*;
use libbz2_rs_sys as bz;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Compress,
    Decompress,
}

/// A bzlib stream, ended on drop. It stays in place, as the library points back to it.
struct Stream {
    raw: Box<bz::bz_stream>,
    direction: Direction,
}

// SAFETY: a stream is used by one thread at a time.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised in its direction.
        unsafe {
            match self.direction {
                Direction::Compress => bz::BZ2_bzCompressEnd(&mut *self.raw),
                Direction::Decompress => bz::BZ2_bzDecompressEnd(&mut *self.raw),
            };
        }
    }
}

impl Stream {
    fn new(direction: Direction, level: i32) -> PyResult<Stream> {
        // SAFETY: all zero is the state before initialisation.
        let mut raw: Box<bz::bz_stream> = Box::new(unsafe { std::mem::zeroed() });
        // SAFETY: a fresh stream.
        let status = unsafe {
            match direction {
                Direction::Compress => bz::BZ2_bzCompressInit(&mut *raw, level, 0, 0),
                Direction::Decompress => bz::BZ2_bzDecompressInit(&mut *raw, 0, 0),
            }
        };
        match status {
            bz::BZ_OK => Ok(Stream { raw, direction }),
            status => Err(stream_error(status)),
        }
    }
}

impl Coder for Stream {
    type Error = i32;
    const NEEDS_INPUT: bool = true;
    const ENDS_WITH_ERROR: bool = true;
    fn step(&mut self, input: &[u8], out: &mut [MaybeUninit<u8>], finish: bool) -> Result<Progress, i32> {
        let n_in = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let n_out = u32::try_from(out.len()).unwrap_or(u32::MAX);
        let all = n_in as usize == input.len();
        let raw = &mut *self.raw;
        raw.next_in = input.as_ptr().cast();
        raw.avail_in = n_in;
        raw.next_out = out.as_mut_ptr().cast();
        raw.avail_out = n_out;
        // SAFETY: the stream is initialised, and points to the input and the room for output.
        let status = unsafe {
            match self.direction {
                Direction::Compress => bz::BZ2_bzCompress(raw, if finish && all { bz::BZ_FINISH } else { bz::BZ_RUN }),
                Direction::Decompress => bz::BZ2_bzDecompress(raw),
            }
        };
        match status {
            bz::BZ_OK | bz::BZ_RUN_OK | bz::BZ_FINISH_OK | bz::BZ_FLUSH_OK | bz::BZ_STREAM_END => Ok(Progress {
                consumed: (n_in - raw.avail_in) as usize,
                produced: (n_out - raw.avail_out) as usize,
                end: status == bz::BZ_STREAM_END,
            }),
            status => Err(status),
        }
    }
}

#[cold]
fn stream_error(status: i32) -> Raised {
    match status {
        bz::BZ_PARAM_ERROR => raise!(ValueError, "Internal error - invalid parameters passed to libbzip2"),
        bz::BZ_MEM_ERROR => adder_runtime::memory::no_memory(),
        bz::BZ_DATA_ERROR | bz::BZ_DATA_ERROR_MAGIC => raise!(OSError, "Invalid data stream"),
        bz::BZ_IO_ERROR => raise!(OSError, "Unknown I/O error"),
        bz::BZ_UNEXPECTED_EOF => {
            raise!(EOFError, "Compressed file ended before the logical end-of-stream was detected")
        }
        bz::BZ_SEQUENCE_ERROR => raise!(RuntimeError, "Internal error - Invalid sequence of commands sent to libbzip2"),
        status => raise!(OSError, "Unrecognized error from libbzip2: {status}"),
    }
}

#[repr(C)]
pub struct BZ2Compressor {
    ob_base: PyObject,
    state: Mutex<Encoding<Stream>>,
}

#[pytype(name = "_bz2.BZ2Compressor", static_name = BZ2COMPRESSOR_TYPE)]
/// Create a compressor object for compressing data incrementally.
///
///   compresslevel
///     Compression level, as a number between 1 and 9.
///
/// For one-shot compression, use the compress() function instead.
impl BZ2Compressor {
    #[new("(compresslevel=9, /)")]
    fn new(cls: &PyTypeObject, compresslevel: Option<i32>) -> PyResult<Ref<BZ2Compressor>> {
        let level = compresslevel.unwrap_or(9);
        if !(1..=9).contains(&level) {
            return Err(raise!(ValueError, "compresslevel must be between 1 and 9"));
        }
        let compressor = BZ2Compressor {
            ob_base: blank_header(),
            state: Encoding::new(Stream::new(Direction::Compress, level)?),
        };
        Ref::new_in(cls, compressor)
    }
    /// Provide data to the compressor object.
    ///
    /// Returns a chunk of compressed data if possible, or b'' otherwise.
    #[method("($self, data, /)")]
    fn compress(&self, data: BytesArg<'_>) -> PyResult<Ref<PyBytesObject>> {
        coding::compress(&self.state, Some(data.as_bytes()), stream_error)
    }
    /// Finish the compression process.
    ///
    /// Returns the compressed data left in internal buffers.
    #[method("($self, /)")]
    fn flush(&self) -> PyResult<Ref<PyBytesObject>> {
        coding::compress(&self.state, None, stream_error)
    }
    #[method("($self, protocol, /)")]
    fn __reduce_ex__(&self, _protocol: &PyObject) -> PyResult {
        Err(raise!(TypeError, "cannot pickle '{}' object", self.as_object().ty().full_name()))
    }
}

#[repr(C)]
pub struct BZ2Decompressor {
    ob_base: PyObject,
    state: Mutex<Decoding<Stream>>,
}

impl BZ2Decompressor {
    fn look<T>(&self, f: impl FnOnce(&Decoding<Stream>) -> T) -> T {
        f(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pytype(name = "_bz2.BZ2Decompressor", static_name = BZ2DECOMPRESSOR_TYPE)]
/// Create a decompressor object for decompressing data incrementally.
///
/// For one-shot decompression, use the decompress() function instead.
impl BZ2Decompressor {
    #[new("()")]
    fn new(cls: &PyTypeObject) -> PyResult<Ref<BZ2Decompressor>> {
        let decompressor = BZ2Decompressor {
            ob_base: blank_header(),
            state: Decoding::new(Stream::new(Direction::Decompress, 0)?),
        };
        Ref::new_in(cls, decompressor)
    }
    /// Decompress *data*, returning uncompressed data as bytes.
    ///
    /// If *max_length* is nonnegative, returns at most *max_length* bytes of decompressed data.
    #[method("($self, /, data, max_length=-1)")]
    fn decompress(&self, data: BytesArg<'_>, max_length: isize) -> PyResult<Ref<PyBytesObject>> {
        coding::decompress(&self.state, data.as_bytes(), max_length, stream_error)
    }
    #[method("($self, protocol, /)")]
    fn __reduce_ex__(&self, _protocol: &PyObject) -> PyResult {
        Err(raise!(TypeError, "cannot pickle '{}' object", self.as_object().ty().full_name()))
    }
    /// True if the end-of-stream marker has been reached.
    #[getter]
    fn eof(&self) -> bool {
        self.look(|state| state.eof)
    }
    /// True if more input is needed before more decompressed data can be produced.
    #[getter]
    fn needs_input(&self) -> bool {
        self.look(|state| state.needs_input)
    }
    /// Data found after the end of the compressed stream.
    #[getter]
    fn unused_data(&self) -> Ref<PyBytesObject> {
        self.look(|state| PyBytesObject::from_slice(&state.unused_data))
    }
}

/// Compression and decompression in the bzip2 format.
#[pymodule(name = "_bz2", types = [BZ2COMPRESSOR_TYPE, BZ2DECOMPRESSOR_TYPE])]
pub mod _bz2 {
    pub use super::{BZ2COMPRESSOR_TYPE, BZ2DECOMPRESSOR_TYPE};
}
