//! Positions in a text stream. A position is opaque: where to start decoding, in which state, how many bytes to feed and
//! how many characters to skip, packed into one integer.

use super::TextIOWrapper;
use crate::io::{unsupported, *};

/// A position taken apart.
#[derive(Clone, Copy, Default)]
struct Cookie {
    start_pos: i64,
    dec_flags: i32,
    bytes_to_feed: i32,
    chars_to_skip: i32,
    need_eof: bool,
}

const COOKIE_SIZE: usize = 8 + 3 * 4 + 1;

impl Cookie {
    fn pack(&self) -> PyResult {
        let mut bytes = [0u8; COOKIE_SIZE];
        bytes[..8].copy_from_slice(&self.start_pos.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.dec_flags.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.bytes_to_feed.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.chars_to_skip.to_le_bytes());
        bytes[20] = u8::from(self.need_eof);
        Ok(PyLongObject::from_bytes(&bytes, true, false)?.into_object())
    }
    fn unpack(position: &PyObject) -> PyResult<Cookie> {
        let number = position.to_int()?;
        let mut bytes = [0u8; COOKIE_SIZE];
        if number.write_bytes(&mut bytes, true, false).is_err() {
            return Err(raise!(OverflowError, "int too big to convert"));
        }
        let word = |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(Cookie {
            start_pos: i64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            dec_flags: word(8),
            bytes_to_feed: word(12),
            chars_to_skip: word(16),
            need_eof: bytes[20] != 0,
        })
    }
    fn at_start(&self) -> bool {
        self.start_pos == 0 && self.dec_flags == 0
    }
}

impl TextIOWrapper {
    /// The position.
    pub fn tell_position(&self) -> PyResult {
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable"));
        }
        if !self.telling.get() {
            return Err(raise!(OSError, "telling position disabled by next() call"));
        }
        self.write_flush()?;
        self.as_object().call_method(identifier!("flush"), &[])?;
        let position = self.buffer()?.call_method(identifier!("tell"), &[])?;
        let snapshot = self.snapshot.borrow().clone();
        let (Some(decoder), Some((dec_flags, next_input))) = (self.decoder(), snapshot) else {
            return Ok(position);
        };
        let input = next_input.as_bytes();
        let mut cookie = Cookie {
            start_pos: position.index()?.as_i64()? - input.len() as i64,
            dec_flags: dec_flags as i32,
            ..Cookie::default()
        };
        if self.decoded_used.get() == 0 {
            return cookie.pack();
        }
        let saved = self.decoder_state(&decoder)?;
        let found = self.find_start(&mut cookie, input);
        let restored = self.set_decoder_state(&decoder, &saved.0, saved.1);
        chain(found.err().map(Raised::take), restored)?;
        cookie.pack()
    }
    /// Moves a cookie from the start of the last piece of input to a place near the position from which decoding gives
    /// the same text.
    fn find_start(&self, cookie: &mut Cookie, input: &[u8]) -> PyResult<()> {
        let Some(decoder) = self.decoder() else {
            return Ok(());
        };
        let mut chars_to_skip = self.decoded_used.get();
        let mut skip_bytes = (self.b2cratio.get() * chars_to_skip as f64) as isize;
        let mut skip_back = 1;
        skip_bytes = skip_bytes.min(input.len() as isize);
        while skip_bytes > 0 {
            self.restore_decoder(&decoder, cookie)?;
            let n_decoded = self
                .decode_slice(&decoder, &input[..skip_bytes as usize], false)?
                .len();
            if n_decoded <= chars_to_skip {
                let (buffered, flags) = self.decoder_state(&decoder)?;
                let n_buffered = buffered.as_bytes().len();
                if n_buffered == 0 {
                    cookie.dec_flags = flags as i32;
                    chars_to_skip -= n_decoded;
                    break;
                }
                skip_bytes -= n_buffered as isize;
                skip_back = 1;
            } else {
                skip_bytes -= skip_back;
                skip_back *= 2;
            }
        }
        if skip_bytes <= 0 {
            skip_bytes = 0;
            self.restore_decoder(&decoder, cookie)?;
        }
        cookie.start_pos += skip_bytes as i64;
        cookie.chars_to_skip = chars_to_skip as i32;
        if chars_to_skip == 0 {
            return Ok(());
        }
        // From here byte by byte, noting each place where the decoder holds nothing back.
        let mut n_decoded = 0;
        let mut reached = false;
        for byte in &input[skip_bytes as usize..] {
            n_decoded += self
                .decode_slice(&decoder, std::slice::from_ref(byte), false)?
                .len();
            cookie.bytes_to_feed += 1;
            let (buffered, flags) = self.decoder_state(&decoder)?;
            if buffered.as_bytes().is_empty() && n_decoded <= chars_to_skip {
                cookie.start_pos += i64::from(cookie.bytes_to_feed);
                chars_to_skip -= n_decoded;
                cookie.dec_flags = flags as i32;
                cookie.bytes_to_feed = 0;
                n_decoded = 0;
            }
            if n_decoded >= chars_to_skip {
                reached = true;
                break;
            }
        }
        if !reached {
            n_decoded += self.decode_slice(&decoder, &[], true)?.len();
            cookie.need_eof = true;
            if n_decoded < chars_to_skip {
                return Err(raise!(OSError, "can't reconstruct logical file position"));
            }
        }
        cookie.chars_to_skip = chars_to_skip as i32;
        Ok(())
    }
    fn restore_decoder(&self, decoder: &super::codec::Decoder, cookie: &Cookie) -> PyResult<()> {
        // Some decoders do more in reset() than in setstate() with an initial state.
        if cookie.at_start() {
            return self.reset_decoder(decoder);
        }
        self.set_decoder_state(decoder, &PyBytesObject::empty(), cookie.dec_flags as u64)
    }
    /// Moves to a position that `tell` gave, to where it is, or to the end.
    pub fn seek_position(&self, position: &PyObject, whence: i32) -> PyResult {
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable"));
        }
        let this = self.as_object();
        let zero = PyLongObject::from_i64(0);
        let target = match whence {
            0 => position.to_ref(),
            1 => {
                if !position.eq(zero.as_object())? {
                    return Err(unsupported("can't do nonzero cur-relative seeks"));
                }
                this.call_method(identifier!("tell"), &[])?
            }
            2 => {
                if !position.eq(zero.as_object())? {
                    return Err(unsupported("can't do nonzero end-relative seeks"));
                }
                return self.seek_to_end();
            }
            _ => {
                return Err(raise!(
                    ValueError,
                    "invalid whence ({whence}, should be 0, 1 or 2)"
                ));
            }
        };
        if target.rich_compare(zero.as_object(), CompareOp::Lt)?.is_true()? {
            return Err(raise!(
                ValueError,
                "negative seek position {}",
                target.repr()?.to_string_lossy()
            ));
        }
        this.call_method(identifier!("flush"), &[])?;
        let cookie = Cookie::unpack(&target)?;
        let start = PyLongObject::from_i64(cookie.start_pos);
        let buffer = self.buffer()?;
        buffer.call_method(identifier!("seek"), &[start.as_object()])?;
        self.set_decoded(None);
        self.snapshot.replace(None);
        if let Some(decoder) = self.decoder() {
            self.restore_decoder(&decoder, &cookie)?;
            if cookie.chars_to_skip != 0 {
                let wanted = PyLongObject::from_i64(i64::from(cookie.bytes_to_feed));
                let input = buffer.call_method(identifier!("read"), &[wanted.as_object()])?;
                let input = input.downcast::<PyBytesObject>().map_err(|other| {
                    raise!(
                        TypeError,
                        "underlying read() should have returned a bytes object, not '{}'",
                        other.ty().full_name()
                    )
                })?;
                self.snapshot
                    .replace(Some((cookie.dec_flags as u64, input.clone())));
                let text = self.decode(&decoder, input.as_object(), input.as_bytes(), cookie.need_eof)?;
                let len = text.len();
                self.set_decoded(Some(text));
                if len < cookie.chars_to_skip as usize {
                    return Err(raise!(OSError, "can't restore logical file position"));
                }
                self.decoded_used.set(cookie.chars_to_skip as usize);
            } else {
                self.snapshot
                    .replace(Some((cookie.dec_flags as u64, PyBytesObject::empty())));
            }
        }
        self.reset_encoder(cookie.at_start())?;
        Ok(target)
    }
    fn seek_to_end(&self) -> PyResult {
        self.as_object().call_method(identifier!("flush"), &[])?;
        self.set_decoded(None);
        self.snapshot.replace(None);
        if let Some(decoder) = self.decoder() {
            self.reset_decoder(&decoder)?;
        }
        let (zero, two) = (PyLongObject::from_i64(0), PyLongObject::from_i64(2));
        let end = self
            .buffer()?
            .call_method(identifier!("seek"), &[zero.as_object(), two.as_object()])?;
        let at_start = end.eq(zero.as_object())?;
        self.reset_encoder(at_start)?;
        Ok(end)
    }
}
