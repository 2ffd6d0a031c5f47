//! Instructions -> bytes in frames -> `file.write` (or one bytes object).
//!
//! Since protocol 4 the stream is cut into frames of about 64 KiB, so that a reader gets it in few reads; what is
//! large stands between frames, and goes to the file as it is.

use super::opcode::*;
use adder_runtime::prelude::*;

const FRAME_SIZE_MIN: usize = 4;
const FRAME_SIZE_TARGET: usize = 64 * 1024;
/// FRAME and eight bytes of length.
const FRAME_HEADER_SIZE: usize = 9;

#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// `write` of the file; none when the bytes are wanted as one object.
    write: Option<Ref>,
    pub framing: bool,
    frame_start: Option<usize>,
}

impl Output {
    pub fn new(write: Option<Ref>) -> Output {
        Output {
            write,
            ..Output::default()
        }
    }
    #[cold]
    fn start_frame(&mut self) {
        self.frame_start = Some(self.bytes.len());
        self.bytes.extend_from_slice(&[0; FRAME_HEADER_SIZE]);
    }
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        if self.framing && self.frame_start.is_none() {
            self.start_frame();
        }
        self.bytes.extend_from_slice(bytes);
    }
    #[inline]
    pub fn op(&mut self, op: u8) {
        if self.framing && self.frame_start.is_none() {
            self.start_frame();
        }
        self.bytes.push(op);
    }
    pub fn op_u8(&mut self, op: u8, argument: u8) {
        self.push(&[op, argument]);
    }
    pub fn op_u32(&mut self, op: u8, argument: u32) {
        let [a, b, c, d] = argument.to_le_bytes();
        self.push(&[op, a, b, c, d]);
    }
    /// Fills in the header of the frame that is open; a tiny frame goes without.
    pub fn end_frame(&mut self) {
        let Some(start) = self.frame_start.take() else { return };
        let len = self.bytes.len() - start - FRAME_HEADER_SIZE;
        if len >= FRAME_SIZE_MIN {
            self.bytes[start] = FRAME;
            self.bytes[start + 1..start + FRAME_HEADER_SIZE].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            self.bytes.drain(start..start + FRAME_HEADER_SIZE);
        }
    }
    /// Between two objects: where a frame may end.
    #[inline]
    pub fn at_boundary(&mut self) -> PyResult<()> {
        match self.frame_start {
            Some(start) if self.bytes.len() - start - FRAME_HEADER_SIZE >= FRAME_SIZE_TARGET => {
                self.end_frame();
                if self.write.is_some() {
                    self.flush()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
    /// Hands what there is to the file.
    pub fn flush(&mut self) -> PyResult<()> {
        self.end_frame();
        let bytes = PyBytesObject::from_slice(&self.bytes);
        self.bytes.clear();
        if let Some(write) = &self.write {
            write.call1(bytes.as_object())?;
        }
        Ok(())
    }
    /// Writes an instruction with its bytes. `object` holds just these bytes, and goes to the file itself when they
    /// are many.
    pub fn push_payload(&mut self, header: &[u8], bytes: &[u8], object: Option<&PyObject>) -> PyResult<()> {
        if bytes.len() < FRAME_SIZE_TARGET {
            self.push(header);
            self.push(bytes);
            return Ok(());
        }
        self.end_frame();
        let framing = std::mem::replace(&mut self.framing, false);
        self.push(header);
        let result = match &self.write {
            None => {
                self.push(bytes);
                Ok(())
            }
            Some(write) => {
                let write = write.clone();
                let payload = match object {
                    Some(object) => object.to_ref(),
                    None => PyBytesObject::from_slice(bytes).into_object(),
                };
                self.flush().and_then(|()| write.call1(&payload).map(drop))
            }
        };
        self.framing = framing;
        result
    }
    /// All that was written, when there is no file.
    pub fn into_bytes(mut self) -> Ref<PyBytesObject> {
        self.end_frame();
        PyBytesObject::from_slice(&self.bytes)
    }
}
