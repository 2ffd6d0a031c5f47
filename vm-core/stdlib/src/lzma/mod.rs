//! `_lzma`: compression and decompression in the .xz and .lzma formats, by liblzma.
//!
//! `filters` turns filter specifiers (dicts) into the library's chains; this file has the coders and the module.

mod filters;

use crate::coding::{self, Coder, Decoding, Encoding, Progress};
use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::prelude::*;
use filters::Chain;
use liblzma_sys as lz;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

static ERROR: ExceptionClass = ExceptionClass::new("_lzma.LZMAError", || exc::Exception);

const FORMAT_AUTO: i32 = 0;
const FORMAT_XZ: i32 = 1;
const FORMAT_ALONE: i32 = 2;
const FORMAT_RAW: i32 = 3;
const CHECK_UNKNOWN: u32 = 16;

/// A liblzma stream, ended on drop. It stays in place, as the library points back to it.
struct Stream {
    raw: Box<lz::lzma_stream>,
    /// The integrity check of the input, as soon as it is known.
    check: u32,
}

// SAFETY: a stream is used by one thread at a time.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: initialised, or all zero, which is fine too.
        unsafe { lz::lzma_end(&mut *self.raw) }
    }
}

impl Stream {
    /// A stream that `init` initialises.
    fn new(check: u32, init: impl FnOnce(&mut lz::lzma_stream) -> lz::lzma_ret) -> PyResult<Stream> {
        // SAFETY: all zero is `LZMA_STREAM_INIT`.
        let raw = Box::new(unsafe { std::mem::zeroed() });
        let mut stream = Stream { raw, check };
        match init(&mut stream.raw) {
            lz::LZMA_OK => Ok(stream),
            status => Err(stream_error(status)),
        }
    }
}

impl Coder for Stream {
    type Error = lz::lzma_ret;
    const NEEDS_INPUT: bool = false;
    const ENDS_WITH_ERROR: bool = false;
    fn step(&mut self, input: &[u8], out: &mut [MaybeUninit<u8>], finish: bool) -> Result<Progress, lz::lzma_ret> {
        let raw = &mut *self.raw;
        raw.next_in = input.as_ptr();
        raw.avail_in = input.len();
        raw.next_out = out.as_mut_ptr().cast();
        raw.avail_out = out.len();
        loop {
            // SAFETY: the stream is initialised, and points to the input and the room for output.
            let status = unsafe { lz::lzma_code(raw, if finish { lz::LZMA_FINISH } else { lz::LZMA_RUN }) };
            match status {
                lz::LZMA_OK | lz::LZMA_STREAM_END | lz::LZMA_BUF_ERROR => {
                    return Ok(Progress {
                        consumed: input.len() - raw.avail_in,
                        produced: out.len() - raw.avail_out,
                        end: status == lz::LZMA_STREAM_END,
                    });
                }
                lz::LZMA_GET_CHECK | lz::LZMA_NO_CHECK => {
                    // SAFETY: the stream has just told that this is known.
                    self.check = unsafe { lz::lzma_get_check(raw) };
                }
                status => return Err(status),
            }
        }
    }
}

#[cold]
fn stream_error(status: lz::lzma_ret) -> Raised {
    ERROR.raise(match status {
        lz::LZMA_UNSUPPORTED_CHECK => "Unsupported integrity check",
        lz::LZMA_MEM_ERROR => return adder_runtime::memory::no_memory(),
        lz::LZMA_MEMLIMIT_ERROR => "Memory usage limit exceeded",
        lz::LZMA_FORMAT_ERROR => "Input format not supported by decoder",
        lz::LZMA_OPTIONS_ERROR => "Invalid or unsupported options",
        lz::LZMA_DATA_ERROR => "Corrupt input data",
        lz::LZMA_BUF_ERROR => "Insufficient buffer space",
        lz::LZMA_PROG_ERROR => "Internal error",
        status => return ERROR.raise(format!("Unrecognized error from liblzma: {status}")),
    })
}

#[repr(C)]
pub struct LZMACompressor {
    ob_base: PyObject,
    state: Mutex<Encoding<Stream>>,
}

fn encoder(format: i32, check: i32, preset: u32, filters: Option<&PyObject>) -> PyResult<Stream> {
    let check = u32::try_from(check).unwrap_or(lz::LZMA_CHECK_CRC64);
    match (format, filters) {
        // SAFETY: a fresh stream.
        (FORMAT_XZ, None) => Stream::new(check, |raw| unsafe { lz::lzma_easy_encoder(raw, preset, check) }),
        (FORMAT_XZ, Some(filters)) => {
            let chain = Chain::of(filters)?;
            // SAFETY: a fresh stream, and a chain that is ended and lives during the call.
            Stream::new(check, |raw| unsafe { lz::lzma_stream_encoder(raw, chain.as_ptr(), check) })
        }
        (FORMAT_ALONE, None) => {
            let options = filters::preset_options(preset)?;
            // SAFETY: a fresh stream; the options are read during the call.
            Stream::new(check, |raw| unsafe { lz::lzma_alone_encoder(raw, &*options) })
        }
        (FORMAT_ALONE, Some(filters)) => {
            let chain = Chain::of(filters)?;
            let Some(options) = chain.single_lzma1() else {
                return Err(raise!(
                    ValueError,
                    "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter"
                ));
            };
            // SAFETY: a fresh stream; the options are the chain's, and read during the call.
            Stream::new(check, |raw| unsafe { lz::lzma_alone_encoder(raw, options) })
        }
        (FORMAT_RAW, None) => Err(raise!(ValueError, "Must specify filters for FORMAT_RAW")),
        (FORMAT_RAW, Some(filters)) => {
            let chain = Chain::of(filters)?;
            // SAFETY: a fresh stream, and a chain that is ended and lives during the call.
            Stream::new(check, |raw| unsafe { lz::lzma_raw_encoder(raw, chain.as_ptr()) })
        }
        (format, _) => Err(raise!(ValueError, "Invalid container format: {format}")),
    }
}

#[pytype(name = "_lzma.LZMACompressor", static_name = LZMACOMPRESSOR_TYPE, flags = BASETYPE)]
/// LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)
///
/// Create a compressor object for compressing data incrementally.
///
/// format specifies the container format: FORMAT_XZ (default), FORMAT_ALONE or FORMAT_RAW. check specifies the integrity check; it is
/// only possible for FORMAT_XZ. The settings come from preset, an int from 0 to 9 with or without PRESET_EXTREME, or from filters, a
/// sequence of dicts.
impl LZMACompressor {
    #[new("(format=1, check=-1, preset=None, filters=None)")]
    fn new(
        cls: &PyTypeObject,
        format: Option<i32>,
        check: Option<i32>,
        preset: Option<&PyObject>,
        filters: Option<&PyObject>,
    ) -> PyResult<Ref<LZMACompressor>> {
        let (format, check) = (format.unwrap_or(FORMAT_XZ), check.unwrap_or(-1));
        if preset.is_some() && filters.is_some() {
            return Err(raise!(ValueError, "Cannot specify both preset and filter chain"));
        }
        let preset = match preset {
            Some(preset) => filters::u32_of(preset)?,
            None => lz::LZMA_PRESET_DEFAULT,
        };
        if format != FORMAT_XZ && check != -1 && check != lz::LZMA_CHECK_NONE as i32 {
            return Err(raise!(ValueError, "Integrity checks are only supported by FORMAT_XZ"));
        }
        let state = Encoding::new(encoder(format, check, preset, filters)?);
        let ob_base = blank_header();
        Ref::new_in(cls, LZMACompressor { ob_base, state })
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
pub struct LZMADecompressor {
    ob_base: PyObject,
    state: Mutex<Decoding<Stream>>,
}

impl LZMADecompressor {
    fn look<T>(&self, f: impl FnOnce(&Decoding<Stream>) -> T) -> T {
        f(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn decoder(format: i32, memlimit: u64, filters: Option<&PyObject>) -> PyResult<Stream> {
    const FLAGS: u32 = lz::LZMA_TELL_ANY_CHECK | lz::LZMA_TELL_NO_CHECK;
    match format {
        // SAFETY: a fresh stream.
        FORMAT_AUTO => Stream::new(CHECK_UNKNOWN, |raw| unsafe { lz::lzma_auto_decoder(raw, memlimit, FLAGS) }),
        // SAFETY: as above.
        FORMAT_XZ => Stream::new(CHECK_UNKNOWN, |raw| unsafe { lz::lzma_stream_decoder(raw, memlimit, FLAGS) }),
        FORMAT_ALONE => {
            // SAFETY: as above.
            Stream::new(lz::LZMA_CHECK_NONE, |raw| unsafe { lz::lzma_alone_decoder(raw, memlimit) })
        }
        FORMAT_RAW => {
            let Some(filters) = filters else {
                return Err(raise!(ValueError, "Must specify filters for FORMAT_RAW"));
            };
            let chain = Chain::of(filters)?;
            // SAFETY: a fresh stream, and a chain that is ended and lives during the call.
            Stream::new(lz::LZMA_CHECK_NONE, |raw| unsafe { lz::lzma_raw_decoder(raw, chain.as_ptr()) })
        }
        format => Err(raise!(ValueError, "Invalid container format: {format}")),
    }
}

#[pytype(name = "_lzma.LZMADecompressor", static_name = LZMADECOMPRESSOR_TYPE, flags = BASETYPE)]
/// Create a decompressor object for decompressing data incrementally.
///
///   format
///     Specifies the container format of the input stream.  If this is
///     FORMAT_AUTO (the default), the decompressor will automatically detect
///     whether the input is FORMAT_XZ or FORMAT_ALONE.
///   memlimit
///     Limit the amount of memory used by the decompressor.
///   filters
///     A custom filter chain.  This argument is required for FORMAT_RAW, and not accepted with any other format.
impl LZMADecompressor {
    #[new("(format=0, memlimit=None, filters=None)")]
    fn new(
        cls: &PyTypeObject,
        format: Option<i32>,
        memlimit: Option<&PyObject>,
        filters: Option<&PyObject>,
    ) -> PyResult<Ref<LZMADecompressor>> {
        let format = format.unwrap_or(FORMAT_AUTO);
        if memlimit.is_some() && format == FORMAT_RAW {
            return Err(raise!(ValueError, "Cannot specify memory limit with FORMAT_RAW"));
        }
        if filters.is_some() && format != FORMAT_RAW {
            return Err(raise!(ValueError, "Cannot specify filters except with FORMAT_RAW"));
        }
        let memlimit = memlimit.map_or(Ok(u64::MAX), |limit| limit.index()?.as_u64())?;
        let state = Decoding::new(decoder(format, memlimit, filters)?);
        let ob_base = blank_header();
        Ref::new_in(cls, LZMADecompressor { ob_base, state })
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
    /// ID of the integrity check used by the input stream.
    #[getter]
    fn check(&self) -> u32 {
        self.look(|state| state.coder.check)
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

/// Compression and decompression in the LZMA formats.
#[pymodule(name = "_lzma", types = [LZMACOMPRESSOR_TYPE, LZMADECOMPRESSOR_TYPE])]
pub mod _lzma {
    use super::*;
    pub use super::{LZMACOMPRESSOR_TYPE, LZMADECOMPRESSOR_TYPE};

    #[pyconst]
    fn LZMAError() -> PyResult {
        ERROR.get()
    }
    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let numbers: [(&str, i64); 26] = [
            ("FORMAT_AUTO", FORMAT_AUTO.into()),
            ("FORMAT_XZ", FORMAT_XZ.into()),
            ("FORMAT_ALONE", FORMAT_ALONE.into()),
            ("FORMAT_RAW", FORMAT_RAW.into()),
            ("CHECK_NONE", 0),
            ("CHECK_CRC32", 1),
            ("CHECK_CRC64", 4),
            ("CHECK_SHA256", 10),
            ("CHECK_ID_MAX", 15),
            ("CHECK_UNKNOWN", CHECK_UNKNOWN.into()),
            ("FILTER_LZMA1", filters::LZMA1 as i64),
            ("FILTER_LZMA2", filters::LZMA2 as i64),
            ("FILTER_DELTA", filters::DELTA as i64),
            ("FILTER_X86", 4),
            ("FILTER_POWERPC", 5),
            ("FILTER_IA64", 6),
            ("FILTER_ARM", 7),
            ("FILTER_ARMTHUMB", 8),
            ("FILTER_SPARC", 9),
            ("MF_HC3", 3),
            ("MF_HC4", 4),
            ("MF_BT2", 0x12),
            ("MF_BT3", 0x13),
            ("MF_BT4", 0x14),
            ("MODE_FAST", 1),
            ("MODE_NORMAL", 2),
        ];
        for (name, value) in numbers {
            crate::module_parts::add_int(module, name, value)?;
        }
        crate::module_parts::add_int(module, "PRESET_DEFAULT", lz::LZMA_PRESET_DEFAULT.into())?;
        crate::module_parts::add_int(module, "PRESET_EXTREME", 1 << 31)
    }
    /// Test whether the given integrity check is supported.
    ///
    /// Always returns True for CHECK_NONE and CHECK_CRC32.
    #[pyfunction("($module, check_id, /)")]
    fn is_check_supported(check_id: i32) -> bool {
        // SAFETY: a plain number.
        unsafe { lz::lzma_check_is_supported(check_id as u32) != 0 }
    }
    /// Return a bytes object encoding the options (properties) of the filter specified by *filter* (a dict).
    ///
    /// The result does not include the filter ID itself, only the options.
    #[pyfunction("($module, filter, /)")]
    fn _encode_filter_properties(filter: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        filters::encode_properties(filter)
    }
    /// Return a dict describing a filter with ID *filter_id*, and options (properties) decoded from the bytes object *encoded_props*.
    #[pyfunction("($module, filter_id, encoded_props, /)")]
    fn _decode_filter_properties(filter_id: u64, encoded_props: BytesArg<'_>) -> PyResult<Ref<PyDictObject>> {
        filters::decode_properties(filter_id, encoded_props.as_bytes())
    }
}
