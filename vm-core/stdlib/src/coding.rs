//! Bytes -> bytes through a coder that works in steps: what the compressors and decompressors of `_bz2` and `_lzma` share.

use adder_runtime::prelude::*;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// What one step of a coder did.
pub struct Progress {
    pub consumed: usize,
    pub produced: usize,
    /// The end of the stream was reached (or, when compressing, written).
    pub end: bool,
}

/// A library's stream.
pub trait Coder: Send {
    type Error;
    /// A step without input, which does not finish, is an error of the library's.
    const NEEDS_INPUT: bool;
    /// A stream may not be read on after an error.
    const ENDS_WITH_ERROR: bool;
    /// Reads some input and writes some output. With `finish` there will be no more input.
    fn step(
        &mut self,
        input: &[u8],
        out: &mut [MaybeUninit<u8>],
        finish: bool,
    ) -> Result<Progress, Self::Error>;
}

/// The end of a run.
pub struct Run {
    pub out: Vec<u8>,
    pub consumed: usize,
    pub end: bool,
    /// It stopped because the output was as long as it may be.
    pub full: bool,
}

const FIRST_BLOCK: usize = 8 * 1024;
const LARGEST_BLOCK: usize = 16 * 1024 * 1024;

/// Steps until the input is used up, the stream ends, or the output has `max` bytes.
pub fn run<C: Coder>(coder: &mut C, input: &[u8], finish: bool, max: usize) -> Result<Run, C::Error> {
    let mut out: Vec<u8> = Vec::new();
    let mut consumed = 0;
    if C::NEEDS_INPUT && input.is_empty() && !finish {
        return Ok(Run {
            out,
            consumed,
            end: false,
            full: false,
        });
    }
    loop {
        if out.len() == out.capacity() {
            let block = out.capacity().clamp(FIRST_BLOCK, LARGEST_BLOCK);
            out.reserve_exact(block.min(max - out.len()).max(1));
        }
        let room = (max - out.len()).min(out.capacity() - out.len());
        let n_room = room;
        let step = coder.step(&input[consumed..], &mut out.spare_capacity_mut()[..room], finish)?;
        consumed += step.consumed;
        // SAFETY: the coder has written so many bytes of the spare capacity.
        unsafe { out.set_len(out.len() + step.produced) };
        let filled = step.produced == n_room;
        let full = out.len() >= max;
        let done = step.end || full || (!filled && (consumed == input.len() && !finish));
        let stuck = step.consumed == 0 && step.produced == 0 && !step.end && n_room > 0;
        if done || stuck {
            return Ok(Run {
                out,
                consumed,
                end: step.end,
                full,
            });
        }
    }
}

/// A decompressor's input and state, as its Python object shows them.
pub struct Decoding<C> {
    pub coder: C,
    pending: Vec<u8>,
    /// The library has lost track of the stream.
    failed: bool,
    pub eof: bool,
    pub needs_input: bool,
    pub unused_data: Vec<u8>,
}

pub enum DecodeError<E> {
    AfterEnd,
    AfterError,
    Coder(E),
}

impl<C: Coder> Decoding<C> {
    pub fn new(coder: C) -> Mutex<Decoding<C>> {
        Mutex::new(Decoding {
            coder,
            pending: Vec::new(),
            failed: false,
            eof: false,
            needs_input: true,
            unused_data: Vec::new(),
        })
    }
    fn decode(&mut self, data: &[u8], max: usize) -> Result<Vec<u8>, DecodeError<C::Error>> {
        if self.eof {
            return Err(DecodeError::AfterEnd);
        }
        if self.failed {
            return Err(DecodeError::AfterError);
        }
        let mut input = std::mem::take(&mut self.pending);
        let bytes = if input.is_empty() {
            data
        } else {
            input.extend_from_slice(data);
            &input
        };
        let run = match run(&mut self.coder, bytes, false, max) {
            Ok(run) => run,
            Err(error) => {
                self.failed = C::ENDS_WITH_ERROR;
                self.needs_input = false;
                return Err(DecodeError::Coder(error));
            }
        };
        let rest = &bytes[run.consumed..];
        if run.end {
            self.eof = true;
            self.needs_input = false;
            self.unused_data = rest.to_vec();
        } else {
            self.needs_input = rest.is_empty() && !run.full;
            self.pending = rest.to_vec();
        }
        Ok(run.out)
    }
}

/// `decompress(data, max_length)` of an object, without the GIL.
pub fn decompress<C: Coder>(
    state: &Mutex<Decoding<C>>,
    data: &[u8],
    max_length: isize,
    error: impl FnOnce(C::Error) -> Raised,
) -> PyResult<Ref<PyBytesObject>>
where
    C::Error: Send,
{
    let max = usize::try_from(max_length).unwrap_or(isize::MAX as usize);
    let result = adder_runtime::thread::allow_threads(|| {
        state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .decode(data, max)
    });
    match result {
        Ok(out) => Ok(PyBytesObject::from_vec(out)),
        Err(DecodeError::AfterEnd) => Err(raise!(EOFError, "End of stream already reached")),
        Err(DecodeError::AfterError) => Err(raise!(
            ValueError,
            "Decompressor is unusable after a previous error"
        )),
        Err(DecodeError::Coder(problem)) => Err(error(problem)),
    }
}

/// A compressor and whether it was flushed.
pub struct Encoding<C> {
    pub coder: C,
    flushed: bool,
}

impl<C: Coder> Encoding<C> {
    pub fn new(coder: C) -> Mutex<Encoding<C>> {
        Mutex::new(Encoding {
            coder,
            flushed: false,
        })
    }
}

/// `compress(data)`, or `flush()` without data, without the GIL.
pub fn compress<C: Coder>(
    state: &Mutex<Encoding<C>>,
    data: Option<&[u8]>,
    error: impl FnOnce(C::Error) -> Raised,
) -> PyResult<Ref<PyBytesObject>>
where
    C::Error: Send,
{
    let result = adder_runtime::thread::allow_threads(|| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.flushed {
            return None;
        }
        state.flushed = data.is_none();
        Some(run(
            &mut state.coder,
            data.unwrap_or(&[]),
            data.is_none(),
            isize::MAX as usize,
        ))
    });
    match (result, data) {
        (Some(Ok(run)), _) => Ok(PyBytesObject::from_vec(run.out)),
        (Some(Err(problem)), _) => Err(error(problem)),
        (None, Some(_)) => Err(raise!(ValueError, "Compressor has been flushed")),
        (None, None) => Err(raise!(ValueError, "Repeated call to flush()")),
    }
}
