//! Reading text: chunks of bytes are decoded, and given out by number of characters or by lines.

use super::TextIOWrapper;
use super::codec::Decoder;
use crate::io::newline::{LineEnd, Newlines, find_line_end};
use crate::io::*;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::per_kind;

impl TextIOWrapper {
    // ---- the decoder together with the line ends ----

    pub(super) fn decode(
        &self,
        decoder: &Decoder,
        input: &PyObject,
        bytes: &[u8],
        is_final: bool,
    ) -> PyResult<Ref<PyUnicodeObject>> {
        let text = decoder.decode(input, bytes, is_final)?;
        match &*self.newlines.borrow() {
            Some(newlines) => newlines.decode(text, is_final),
            None => Ok(text),
        }
    }
    pub(super) fn decode_slice(
        &self,
        decoder: &Decoder,
        bytes: &[u8],
        is_final: bool,
    ) -> PyResult<Ref<PyUnicodeObject>> {
        let text = decoder.decode_slice(bytes, is_final)?;
        match &*self.newlines.borrow() {
            Some(newlines) => newlines.decode(text, is_final),
            None => Ok(text),
        }
    }
    pub(super) fn decoder_state(&self, decoder: &Decoder) -> PyResult<(Ref<PyBytesObject>, u64)> {
        let (buffered, flags) = decoder.state()?;
        Ok(match &*self.newlines.borrow() {
            Some(newlines) => (buffered, flags << 1 | u64::from(newlines.pending_cr.get())),
            None => (buffered, flags),
        })
    }
    pub(super) fn set_decoder_state(
        &self,
        decoder: &Decoder,
        buffered: &PyBytesObject,
        flags: u64,
    ) -> PyResult<()> {
        let flags = match &*self.newlines.borrow() {
            Some(newlines) => {
                newlines.pending_cr.set(flags & 1 != 0);
                flags >> 1
            }
            None => flags,
        };
        decoder.set_state(buffered, flags)
    }
    pub(super) fn reset_decoder(&self, decoder: &Decoder) -> PyResult<()> {
        self.newlines.borrow().as_ref().map(Newlines::reset);
        decoder.reset()
    }

    // ---- decoded text ----

    pub(super) fn set_decoded(&self, text: Option<Ref<PyUnicodeObject>>) {
        self.decoded.set(text);
        self.decoded_used.set(0);
    }
    /// Takes at most so many decoded characters (negative: all).
    fn take_decoded(&self, wanted: isize) -> Ref<PyUnicodeObject> {
        let Some(text) = self.decoded.get() else {
            return PyUnicodeObject::empty();
        };
        let used = self.decoded_used.get();
        let n_left = text.len() - used;
        let len = usize::try_from(wanted).map_or(n_left, |wanted| wanted.min(n_left));
        self.decoded_used.set(used + len);
        if used == 0 && len == text.len() {
            text
        } else {
            text.substring(used, used + len)
        }
    }
    /// Reads and decodes a chunk; false at the end.
    fn read_chunk(&self, size_hint: usize) -> PyResult<bool> {
        let Some(decoder) = self.decoder() else {
            return Err(unsupported("not readable"));
        };
        let before = if self.telling.get() {
            Some(self.decoder_state(&decoder)?)
        } else {
            None
        };
        let hint = if size_hint > 0 {
            (self.b2cratio.get().max(1.0) * size_hint as f64) as isize
        } else {
            0
        };
        let size = PyLongObject::from_isize(self.chunk_size.get().max(hint));
        let method = if self.has_read1.get() {
            identifier!("read1")
        } else {
            identifier!("read")
        };
        let input = self.buffer()?.call_method(method, &[size.as_object()])?;
        let bytes = match BytesArg::of(&input) {
            Ok(bytes) => bytes,
            Err(raised) => {
                raised.clear();
                let method = if self.has_read1.get() { "read1" } else { "read" };
                return Err(raise!(
                    TypeError,
                    "underlying {method}() should have returned a bytes-like object, not '{}'",
                    input.ty().full_name()
                ));
            }
        };
        let n_bytes = bytes.as_bytes().len();
        let text = self.decode(&decoder, &input, bytes.as_bytes(), n_bytes == 0)?;
        let n_chars = text.len();
        self.set_decoded(Some(text));
        self.b2cratio.set(if n_chars > 0 {
            n_bytes as f64 / n_chars as f64
        } else {
            0.0
        });
        if let Some((buffered, flags)) = before {
            let all = if buffered.as_bytes().is_empty() {
                match input.as_object().downcast_exact::<PyBytesObject>() {
                    Some(input) => input.to_ref(),
                    None => PyBytesObject::from_slice(bytes.as_bytes()),
                }
            } else {
                PyBytesObject::from_vec([buffered.as_bytes(), bytes.as_bytes()].concat())
            };
            let old = self.snapshot.replace(Some((flags, all)));
            drop(old);
        }
        Ok(n_bytes != 0 || n_chars > 0)
    }
    pub(super) fn read_text(&self, size: isize) -> PyResult<Ref<PyUnicodeObject>> {
        let Some(decoder) = self.decoder() else {
            return Err(unsupported("not readable"));
        };
        self.write_flush()?;
        let Ok(size) = usize::try_from(size) else {
            return self.read_rest(&decoder);
        };
        let mut text = self.take_decoded(size as isize);
        let mut parts: Vec<Ref<PyUnicodeObject>> = Vec::new();
        let mut n_left = size - text.len();
        while n_left > 0 {
            if !self.read_chunk(n_left)? {
                break;
            }
            parts.push(text);
            text = self.take_decoded(n_left as isize);
            n_left -= text.len();
        }
        if parts.is_empty() {
            return Ok(text);
        }
        parts.push(text);
        join(&parts)
    }
    fn read_rest(&self, decoder: &Decoder) -> PyResult<Ref<PyUnicodeObject>> {
        let input = self.buffer()?.call_method(identifier!("read"), &[])?;
        if is_none(&input) {
            return Err(raise!(BlockingIOError, "Read returned None."));
        }
        let bytes = BytesArg::of(&input)?;
        let rest = self.decode(decoder, &input, bytes.as_bytes(), true)?;
        let text = self.take_decoded(-1);
        let old = self.snapshot.replace(None);
        if old.is_some() || self.decoded.is_some() {
            self.set_decoded(None);
        }
        if text.is_empty() {
            Ok(rest)
        } else {
            text.concat(&rest)
        }
    }
    /// A line of at most `limit` characters (negative: any length).
    pub(super) fn read_line(&self, limit: isize) -> PyResult<Ref<PyUnicodeObject>> {
        self.write_flush()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut parts: Vec<Ref<PyUnicodeObject>> = Vec::new();
        let mut n_taken = 0;
        // The tail of the last chunk, which may begin a line end.
        let mut tail: Option<Ref<PyUnicodeObject>> = None;
        loop {
            if !self.have_decoded()? {
                self.set_decoded(None);
                self.snapshot.replace(None);
                parts.extend(tail);
                break;
            }
            let Some(decoded) = self.decoded.get() else {
                continue;
            };
            let (line, start, n_tail) = match tail.take() {
                None => (decoded, self.decoded_used.get(), 0),
                Some(tail) => {
                    let n_tail = tail.len();
                    (tail.concat(&decoded)?, 0, n_tail)
                }
            };
            let found = self.line_end_from(&line, start);
            let room = limit.saturating_sub(n_taken);
            let end = match found {
                Ok(end) => end,
                Err(end) => end,
            };
            if found.is_ok() || end - start >= room {
                let end = end.min(start.saturating_add(room));
                self.decoded_used.set(end.saturating_sub(n_tail));
                parts.push(if start == 0 && end == line.len() {
                    line
                } else {
                    line.substring(start, end)
                });
                break;
            }
            if end > start {
                parts.push(if start == 0 && end == line.len() {
                    line.clone()
                } else {
                    line.substring(start, end)
                });
                n_taken += end - start;
            }
            if end < line.len() {
                tail = Some(line.substring(end, line.len()));
            }
            self.set_decoded(None);
        }
        match parts.len() {
            0 => Ok(PyUnicodeObject::empty()),
            1 => Ok(parts.pop().expect("one part")),
            _ => join(&parts),
        }
    }
    /// Reads chunks until there is decoded text; false at the end.
    fn have_decoded(&self) -> PyResult<bool> {
        while self.decoded.borrow().is_none_or(|text| text.is_empty()) {
            if !self.read_chunk(0)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// Where the line that begins at `start` ends, or up to where there is no line end.
    fn line_end_from(&self, line: &PyUnicodeObject, start: usize) -> Result<usize, usize> {
        let newline = self.read_newline.borrow();
        let end = if self.read_translate.get() {
            LineEnd::Lf
        } else if self.read_universal.get() {
            LineEnd::Universal
        } else {
            match newline.as_deref() {
                Some("\n") | None => LineEnd::Lf,
                Some(text) => LineEnd::Exactly(text),
            }
        };
        let found = per_kind!(line.data(), units => find_line_end(&units[start..], end));
        found.map(|end| start + end).map_err(|end| start + end)
    }
}

fn join(parts: &[Ref<PyUnicodeObject>]) -> PyResult<Ref<PyUnicodeObject>> {
    let parts: Vec<&PyUnicodeObject> = parts.iter().map(|part| &**part).collect();
    PyUnicodeObject::empty().join(&parts)
}
