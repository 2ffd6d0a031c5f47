//! Text <-> bytes for `TextIOWrapper`: UTF-8, ASCII and Latin-1 by themselves, other encodings by the incremental encoders
//! and decoders that the codec registry knows.

use crate::io::newline::{decoded_text, decoder_state};
use adder_runtime::objects::codecs::{Builtin, registry, single_byte, utf_8};
use adder_runtime::prelude::*;
use std::cell::RefCell;

/// An encoding as the wrapper uses it.
#[derive(Clone)]
pub enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    /// A `codecs.CodecInfo`.
    Codec(Ref),
}

impl Encoding {
    /// Looks an encoding up; LookupError when there is none, or it is none of text.
    pub fn lookup(name: &str) -> PyResult<Encoding> {
        match Builtin::of(name) {
            Some(Builtin::Utf8) => return Ok(Encoding::Utf8),
            Some(Builtin::Latin1) => return Ok(Encoding::Latin1),
            Some(Builtin::Ascii) => return Ok(Encoding::Ascii),
            _ => {}
        }
        let codec = registry::lookup(name)?;
        if !PyTupleObject::check_exact(&codec)
            && let Some(is_text) = codec.get_attr_opt(identifier!("_is_text_encoding"))?
            && !is_text.is_true()?
        {
            return Err(raise!(LookupError, "'{name}' is not a text encoding"));
        }
        Ok(Encoding::Codec(codec))
    }
    pub fn decoder(&self, errors: &str) -> PyResult<Decoder> {
        Ok(match self {
            Encoding::Utf8 => Decoder::Utf8 {
                errors: errors.into(),
                pending: RefCell::new(Vec::new()),
            },
            Encoding::Latin1 => Decoder::Latin1,
            Encoding::Ascii => Decoder::Ascii {
                errors: errors.into(),
            },
            Encoding::Codec(codec) => Decoder::Object(
                codec
                    .get_attr(identifier!("incrementaldecoder"))?
                    .call1(PyUnicodeObject::from_str(errors).as_object())?,
            ),
        })
    }
    pub fn encoder(&self, errors: &str) -> PyResult<Encoder> {
        let errors_text: Box<str> = errors.into();
        Ok(match self {
            Encoding::Utf8 => Encoder::Utf8(errors_text),
            Encoding::Latin1 => Encoder::Latin1(errors_text),
            Encoding::Ascii => Encoder::Ascii(errors_text),
            Encoding::Codec(codec) => Encoder::Object(
                codec
                    .get_attr(identifier!("incrementalencoder"))?
                    .call1(PyUnicodeObject::from_str(errors).as_object())?,
            ),
        })
    }
}

/// An incremental decoder.
pub enum Decoder {
    Utf8 {
        errors: Box<str>,
        pending: RefCell<Vec<u8>>,
    },
    Latin1,
    Ascii {
        errors: Box<str>,
    },
    Object(Ref),
}

impl Decoder {
    /// The text of the next piece of input.
    pub fn decode(&self, input: &PyObject, bytes: &[u8], is_final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        match self {
            Decoder::Utf8 { errors, pending } => decode_utf_8(bytes, errors, pending, is_final),
            Decoder::Latin1 => Ok(PyUnicodeObject::from_latin1(bytes)),
            Decoder::Ascii { errors } => single_byte::decode_ascii(bytes, errors),
            Decoder::Object(decoder) => {
                let is_final = if is_final { true_() } else { false_() };
                decoded_text(decoder.call_method(identifier!("decode"), &[input, is_final])?)
            }
        }
    }
    /// As `decode`, for bytes that are in no object yet.
    pub fn decode_slice(&self, bytes: &[u8], is_final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        match self {
            Decoder::Object(_) => {
                let input = PyBytesObject::from_slice(bytes);
                self.decode(input.as_object(), bytes, is_final)
            }
            _ => self.decode(none(), bytes, is_final),
        }
    }
    pub fn reset(&self) -> PyResult<()> {
        match self {
            Decoder::Utf8 { pending, .. } => pending.borrow_mut().clear(),
            Decoder::Object(decoder) => drop(decoder.call_method(identifier!("reset"), &[])?),
            _ => {}
        }
        Ok(())
    }
    /// The input that is not decoded yet, and the decoder's flags.
    pub fn state(&self) -> PyResult<(Ref<PyBytesObject>, u64)> {
        match self {
            Decoder::Utf8 { pending, .. } => Ok((PyBytesObject::from_slice(&pending.borrow()), 0)),
            Decoder::Object(decoder) => {
                let state = decoder.call_method(identifier!("getstate"), &[])?;
                let (buffer, flags) = decoder_state(&state)?;
                let buffer = buffer.downcast::<PyBytesObject>().map_err(|other| {
                    raise!(
                        TypeError,
                        "illegal decoder state: the first item should be a bytes object, not '{}'",
                        other.ty().full_name()
                    )
                })?;
                Ok((buffer, flags))
            }
            _ => Ok((PyBytesObject::empty(), 0)),
        }
    }
    pub fn set_state(&self, buffer: &PyBytesObject, flags: u64) -> PyResult<()> {
        match self {
            Decoder::Utf8 { pending, .. } => *pending.borrow_mut() = buffer.as_bytes().to_vec(),
            Decoder::Object(decoder) => {
                let flags = PyLongObject::from_u64(flags);
                let state = PyTupleObject::from_slice(&[buffer.as_object(), flags.as_object()]);
                decoder.call_method(identifier!("setstate"), &[state.as_object()])?;
            }
            _ => {}
        }
        Ok(())
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        match self {
            Decoder::Object(decoder) => visitor.visit(decoder.as_raw()),
            _ => 0,
        }
    }
}

/// UTF-8 piece by piece: an incomplete character at the end waits for its rest.
fn decode_utf_8(
    bytes: &[u8],
    errors: &str,
    pending: &RefCell<Vec<u8>>,
    is_final: bool,
) -> PyResult<Ref<PyUnicodeObject>> {
    let before = std::mem::take(&mut *pending.borrow_mut());
    if before.is_empty() {
        let (text, n_taken) = utf_8::decode(bytes, errors, is_final)?;
        if n_taken < bytes.len() {
            pending.borrow_mut().extend_from_slice(&bytes[n_taken..]);
        }
        return Ok(text);
    }
    let mut all = before;
    all.extend_from_slice(bytes);
    let (text, n_taken) = match utf_8::decode(&all, errors, is_final) {
        Ok(decoded) => decoded,
        Err(raised) => {
            // As before the call: what was pending still is.
            all.truncate(all.len() - bytes.len());
            *pending.borrow_mut() = all;
            return Err(raised);
        }
    };
    all.drain(..n_taken);
    *pending.borrow_mut() = all;
    Ok(text)
}

/// An incremental encoder.
pub enum Encoder {
    Utf8(Box<str>),
    Latin1(Box<str>),
    Ascii(Box<str>),
    Object(Ref),
}

impl Encoder {
    pub fn encode(&self, text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> {
        match self {
            Encoder::Utf8(errors) => utf_8::encode(text, errors),
            Encoder::Latin1(errors) => single_byte::encode(text, errors, single_byte::Limit::Latin1),
            Encoder::Ascii(errors) => single_byte::encode(text, errors, single_byte::Limit::Ascii),
            Encoder::Object(encoder) => {
                let bytes = encoder.call_method(identifier!("encode"), &[text.as_object()])?;
                bytes.downcast::<PyBytesObject>().map_err(|other| {
                    raise!(
                        TypeError,
                        "encoder should return a bytes object, not '{}'",
                        other.ty().full_name()
                    )
                })
            }
        }
    }
    /// The encoder's bytes of an ASCII text are its characters.
    pub fn keeps_ascii(&self) -> bool {
        !matches!(self, Encoder::Object(_))
    }
    /// Puts the encoder at the start of a stream, or behind it (where no byte order mark goes).
    pub fn reset(&self, at_start: bool) -> PyResult<()> {
        let Encoder::Object(encoder) = self else {
            return Ok(());
        };
        if at_start {
            encoder.call_method(identifier!("reset"), &[])?;
        } else {
            let zero = PyLongObject::from_i64(0);
            encoder.call_method(identifier!("setstate"), &[zero.as_object()])?;
        }
        Ok(())
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        match self {
            Encoder::Object(encoder) => visitor.visit(encoder.as_raw()),
            _ => 0,
        }
    }
}
