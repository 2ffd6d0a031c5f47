//! Error handlers of codecs: what to put in place of what cannot be encoded or decoded, and where to go on.
//!
//! The handlers that Python defines are enum values that work without an exception object; others are called with one.

use super::registry;
use crate::exceptions::exc;
use crate::objects::unicodeobject::UnicodeWriter;
use crate::objects::unicodeobject::repr::push_escape;
use crate::prelude::*;
use std::borrow::Cow;

/// An `errors` argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handler {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
    NameReplace,
    SurrogateEscape,
    SurrogatePass,
    /// A name that is to be looked up.
    Other,
}

impl Handler {
    pub const NAMED: [(&'static str, Handler); 8] = [
        ("strict", Handler::Strict),
        ("ignore", Handler::Ignore),
        ("replace", Handler::Replace),
        ("backslashreplace", Handler::BackslashReplace),
        ("xmlcharrefreplace", Handler::XmlCharRefReplace),
        ("namereplace", Handler::NameReplace),
        ("surrogateescape", Handler::SurrogateEscape),
        ("surrogatepass", Handler::SurrogatePass),
    ];
    pub fn of(name: &str) -> Handler {
        Handler::NAMED
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(Handler::Other, |(_, handler)| *handler)
    }
}

/// `UnicodeEncodeError(encoding, text, start, end, reason)`, raised.
#[cold]
pub fn raise_encode_error(
    text: &PyUnicodeObject,
    encoding: &str,
    start: usize,
    end: usize,
    reason: &str,
) -> Raised {
    match encode_error(text, encoding, start, end, reason) {
        Ok(error) => crate::error::raise_exception(error),
        Err(raised) => raised,
    }
}

fn encode_error(text: &PyUnicodeObject, encoding: &str, start: usize, end: usize, reason: &str) -> PyResult {
    let (encoding, reason) = (
        PyUnicodeObject::from_str(encoding),
        PyUnicodeObject::from_str(reason),
    );
    let (start, end) = (PyLongObject::from_usize(start), PyLongObject::from_usize(end));
    exc::UnicodeEncodeError.as_object().call(&[
        encoding.as_object(),
        text.as_object(),
        start.as_object(),
        end.as_object(),
        reason.as_object(),
    ])
}

fn decode_error(bytes: &[u8], encoding: &str, start: usize, end: usize, reason: &str) -> PyResult {
    let (encoding, reason) = (
        PyUnicodeObject::from_str(encoding),
        PyUnicodeObject::from_str(reason),
    );
    let (start, end) = (PyLongObject::from_usize(start), PyLongObject::from_usize(end));
    let bytes = PyBytesObject::from_slice(bytes);
    exc::UnicodeDecodeError.as_object().call(&[
        encoding.as_object(),
        bytes.as_object(),
        start.as_object(),
        end.as_object(),
        reason.as_object(),
    ])
}

/// `UnicodeDecodeError(encoding, bytes, start, end, reason)`, raised.
#[cold]
pub fn raise_decode_error(bytes: &[u8], encoding: &str, start: usize, end: usize, reason: &str) -> Raised {
    match decode_error(bytes, encoding, start, end, reason) {
        Ok(error) => crate::error::raise_exception(error),
        Err(raised) => raised,
    }
}

/// What stands in place of characters that cannot be encoded.
pub enum Replacement {
    /// To be encoded in turn.
    Text(Ref<PyUnicodeObject>),
    Bytes(Vec<u8>),
}

/// How the encoders that surrogatepass knows write a surrogate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SurrogateForm {
    Utf8,
    Utf16(Order),
    Utf32(Order),
    None,
}

/// The order of the bytes of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    Big,
}

impl SurrogateForm {
    /// From the name of an encoding, spelled in any of the usual ways.
    pub fn of(encoding: &str) -> SurrogateForm {
        let name: String = encoding
            .to_ascii_lowercase()
            .chars()
            .filter(|c| !matches!(c, '-' | '_' | ' '))
            .collect();
        match name.as_str() {
            "utf8" | "cputf8" | "cp65001" => SurrogateForm::Utf8,
            "utf16" | "utf16le" => SurrogateForm::Utf16(Order::Little),
            "utf16be" => SurrogateForm::Utf16(Order::Big),
            "utf32" | "utf32le" => SurrogateForm::Utf32(Order::Little),
            "utf32be" => SurrogateForm::Utf32(Order::Big),
            _ => SurrogateForm::None,
        }
    }
    fn push(self, code: u32, bytes: &mut Vec<u8>) {
        match self {
            SurrogateForm::Utf8 => crate::objects::unicodeobject::push_wtf8(bytes, code),
            SurrogateForm::Utf16(order) => super::utf_16_32::push_16(bytes, code as u16, order),
            SurrogateForm::Utf32(order) => super::utf_16_32::push_32(bytes, code, order),
            SurrogateForm::None => {}
        }
    }
    /// The surrogate that the bytes begin with, and how many bytes it takes.
    fn read(self, bytes: &[u8]) -> Option<(u32, usize)> {
        let (code, len) = match (self, bytes) {
            (SurrogateForm::Utf8, [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..]) => (
                0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F),
                3,
            ),
            (SurrogateForm::Utf16(Order::Little), [low, high, ..]) => {
                (u32::from(u16::from_le_bytes([*low, *high])), 2)
            }
            (SurrogateForm::Utf16(Order::Big), [high, low, ..]) => {
                (u32::from(u16::from_be_bytes([*high, *low])), 2)
            }
            (SurrogateForm::Utf32(Order::Little), [a, b, c, d, ..]) => {
                (u32::from_le_bytes([*a, *b, *c, *d]), 4)
            }
            (SurrogateForm::Utf32(Order::Big), [a, b, c, d, ..]) => (u32::from_be_bytes([*a, *b, *c, *d]), 4),
            _ => return None,
        };
        (0xD800..0xE000).contains(&code).then_some((code, len))
    }
}

/// What a handler that Python defines puts in place of `text[start..end]`, and where encoding goes on;
/// `None` when it gives up.
pub fn encode_replacement(
    handler: Handler,
    form: SurrogateForm,
    text: &PyUnicodeObject,
    start: usize,
    end: usize,
) -> PyResult<Option<(Replacement, usize)>> {
    let codes = text.code_points().skip(start).take(end - start);
    let mut writer = UnicodeWriter::new();
    match handler {
        Handler::Ignore => {}
        Handler::Replace => writer.push_repeated(u32::from(b'?'), end - start),
        Handler::BackslashReplace => codes.for_each(|code| match code {
            // Control characters too: in numbers, not in letters.
            0x09 | 0x0A | 0x0D => writer.push_str(&format!("\\x{code:02x}")),
            _ => push_escape(&mut writer, code),
        }),
        Handler::XmlCharRefReplace => codes.for_each(|code| writer.push_str(&format!("&#{code};"))),
        Handler::NameReplace => {
            for code in codes {
                match character_name(code)? {
                    Some(name) => {
                        writer.push_ascii(b"\\N{");
                        writer.push_object(&name);
                        writer.push(u32::from(b'}'));
                    }
                    None => push_escape(&mut writer, code),
                }
            }
        }
        Handler::SurrogateEscape => {
            let bytes: Vec<u8> = codes
                .take_while(|code| (0xDC80..0xDD00).contains(code))
                .map(|code| (code - 0xDC00) as u8)
                .collect();
            if bytes.is_empty() {
                return Ok(None);
            }
            let place = start + bytes.len();
            return Ok(Some((Replacement::Bytes(bytes), place)));
        }
        Handler::SurrogatePass => {
            let mut bytes = Vec::new();
            for code in codes {
                if form == SurrogateForm::None || !(0xD800..0xE000).contains(&code) {
                    return Ok(None);
                }
                form.push(code, &mut bytes);
            }
            return Ok(Some((Replacement::Bytes(bytes), end)));
        }
        Handler::Strict | Handler::Other => return Ok(None),
    }
    Ok(Some((Replacement::Text(writer.finish()?), end)))
}

/// The character's name, from `unicodedata`.
fn character_name(code: u32) -> PyResult<Option<Ref<PyUnicodeObject>>> {
    let module = crate::hooks::import_module("unicodedata")?;
    let name = module.call_method(
        identifier!("name"),
        &[PyUnicodeObject::from_char(code).as_object(), none()],
    )?;
    Ok(name.downcast::<PyUnicodeObject>().ok())
}

/// A handler that is for exceptions of other types.
fn cannot_handle(ty: &PyTypeObject) -> Raised {
    raise!(
        TypeError,
        "don't know how to handle {} in error callback",
        ty.full_name()
    )
}

/// What a handler that Python defines puts in place of `bytes[start..end]`, and where decoding goes on.
pub fn decode_replacement(
    handler: Handler,
    form: SurrogateForm,
    bytes: &[u8],
    start: usize,
    end: usize,
) -> PyResult<Option<(Ref<PyUnicodeObject>, usize)>> {
    let mut writer = UnicodeWriter::new();
    match handler {
        Handler::Ignore => {}
        Handler::Replace => writer.push(0xFFFD),
        Handler::BackslashReplace => {
            bytes[start..end]
                .iter()
                .for_each(|byte| writer.push_str(&format!("\\x{byte:02x}")));
        }
        Handler::SurrogateEscape => {
            let n_high = bytes[start..end]
                .iter()
                .take(4)
                .take_while(|byte| **byte >= 0x80)
                .count();
            if n_high == 0 {
                return Ok(None);
            }
            bytes[start..start + n_high]
                .iter()
                .for_each(|byte| writer.push(0xDC00 | u32::from(*byte)));
            return Ok(Some((writer.finish()?, start + n_high)));
        }
        Handler::SurrogatePass => {
            let Some((code, len)) = form.read(&bytes[start..]) else {
                return Ok(None);
            };
            writer.push(code);
            return Ok(Some((writer.finish()?, start + len)));
        }
        Handler::XmlCharRefReplace | Handler::NameReplace => {
            return Err(cannot_handle(exc::UnicodeDecodeError));
        }
        Handler::Strict | Handler::Other => return Ok(None),
    }
    Ok(Some((writer.finish()?, end)))
}

/// The error handling of one run of an encoder.
pub struct EncodeErrors<'a> {
    pub encoding: &'a str,
    pub text: &'a PyUnicodeObject,
    handler: Handler,
    name: &'a str,
    callable: Option<Ref>,
}

impl<'a> EncodeErrors<'a> {
    pub fn new(encoding: &'a str, text: &'a PyUnicodeObject, name: &'a str) -> EncodeErrors<'a> {
        EncodeErrors {
            encoding,
            text,
            handler: registry::effective_handler(name),
            name,
            callable: None,
        }
    }
    pub fn handler(&self) -> Handler {
        self.handler
    }
    #[cold]
    pub fn raise(&self, start: usize, end: usize, reason: &str) -> Raised {
        raise_encode_error(self.text, self.encoding, start, end, reason)
    }
    /// What stands in place of `text[start..end]`, and where to go on.
    #[cold]
    pub fn handle(&mut self, start: usize, end: usize, reason: &str) -> PyResult<(Replacement, usize)> {
        if self.handler != Handler::Other {
            let form = SurrogateForm::of(self.encoding);
            return match encode_replacement(self.handler, form, self.text, start, end)? {
                Some(done) => Ok(done),
                None => Err(self.raise(start, end, reason)),
            };
        }
        if self.callable.is_none() {
            self.callable = Some(registry::lookup_error(self.name)?);
        }
        let error = encode_error(self.text, self.encoding, start, end, reason)?;
        let callable = self.callable.as_deref().expect("looked up above");
        let result = callable.call1(&error)?;
        let wrong = || {
            raise!(
                TypeError,
                "encoding error handler must return (str/bytes, int) tuple"
            )
        };
        let (piece, place) = pair(&result).ok_or_else(wrong)?;
        let replacement = if let Some(text) = piece.downcast::<PyUnicodeObject>() {
            Replacement::Text(text.to_ref())
        } else if let Some(bytes) = piece.downcast::<PyBytesObject>() {
            Replacement::Bytes(bytes.as_bytes().to_vec())
        } else {
            return Err(wrong());
        };
        Ok((replacement, position(place, self.text.len(), wrong)?))
    }
}

/// The two items of a handler's result.
fn pair(result: &PyObject) -> Option<(&PyObject, &PyObject)> {
    match result.downcast::<PyTupleObject>()?.as_slice() {
        [piece, place] => Some((*piece, *place)),
        _ => None,
    }
}

/// The place where a handler wants to go on: negative ones count from the end.
fn position(place: &PyObject, len: usize, wrong: impl FnOnce() -> Raised) -> PyResult<usize> {
    if !place.type_has(Py_TPFLAGS_LONG_SUBCLASS) {
        return Err(wrong());
    }
    let given = place.to_index(exc::IndexError)?;
    let place = if given < 0 { given + len as isize } else { given };
    match usize::try_from(place) {
        Ok(place) if place <= len => Ok(place),
        _ => Err(raise!(
            IndexError,
            "position {given} from error handler out of bounds"
        )),
    }
}

/// The error handling of one run of a decoder. The bytes may be exchanged by a handler of Python's.
pub struct DecodeErrors<'a> {
    pub encoding: &'a str,
    pub bytes: Cow<'a, [u8]>,
    handler: Handler,
    name: &'a str,
    callable: Option<Ref>,
}

impl<'a> DecodeErrors<'a> {
    pub fn new(encoding: &'a str, bytes: &'a [u8], name: &'a str) -> DecodeErrors<'a> {
        let handler = registry::effective_handler(name);
        DecodeErrors {
            encoding,
            bytes: Cow::Borrowed(bytes),
            handler,
            name,
            callable: None,
        }
    }
    /// Puts a replacement for `bytes[start..end]` into the text; gives the place where to go on.
    #[cold]
    pub fn handle(
        &mut self,
        writer: &mut UnicodeWriter,
        start: usize,
        end: usize,
        reason: &str,
    ) -> PyResult<usize> {
        if self.handler != Handler::Other {
            let form = SurrogateForm::of(self.encoding);
            return match decode_replacement(self.handler, form, &self.bytes, start, end)? {
                Some((text, place)) => {
                    writer.push_object(&text);
                    Ok(place)
                }
                None => Err(raise_decode_error(&self.bytes, self.encoding, start, end, reason)),
            };
        }
        if self.callable.is_none() {
            self.callable = Some(registry::lookup_error(self.name)?);
        }
        let error = decode_error(&self.bytes, self.encoding, start, end, reason)?;
        let callable = self.callable.as_deref().expect("looked up above");
        let result = callable.call1(&error)?;
        let wrong = || raise!(TypeError, "decoding error handler must return (str, int) tuple");
        let (piece, place) = pair(&result).ok_or_else(wrong)?;
        let piece = piece.downcast::<PyUnicodeObject>().ok_or_else(wrong)?;
        self.take_exchanged_bytes(&error)?;
        let place = position(place, self.bytes.len(), wrong)?;
        writer.push_object(piece);
        Ok(place)
    }
    /// A handler may have set the exception's `object`: that is what is decoded from then on.
    fn take_exchanged_bytes(&mut self, error: &PyObject) -> PyResult<()> {
        let object = error.get_attr(identifier!("object"))?;
        let Some(bytes) = object.downcast_exact::<PyBytesObject>() else {
            return Err(raise!(TypeError, "object attribute must be bytes"));
        };
        if bytes.as_bytes() != &*self.bytes {
            self.bytes = Cow::Owned(bytes.as_bytes().to_vec());
        }
        Ok(())
    }
}

/// Runs a handler that Python defines for an exception object: what `codecs.lookup_error` gives does.
pub fn run_handler(handler: Handler, error: &PyObject) -> PyResult {
    let ty = error.ty();
    let is_encode = ty.is_subtype(exc::UnicodeEncodeError);
    let is_decode = ty.is_subtype(exc::UnicodeDecodeError);
    let is_translate = ty.is_subtype(exc::UnicodeTranslateError);
    if handler == Handler::Strict {
        if ty.is_subtype(exc::BaseException) {
            return Err(crate::error::raise_exception(error.to_ref()));
        }
        return Err(raise!(TypeError, "codec must pass exception instance"));
    }
    let cannot = || cannot_handle(ty);
    if !(is_encode || is_decode || is_translate) {
        return Err(cannot());
    }
    let object = error.get_attr(identifier!("object"))?;
    let (start, end) = (
        error.get_attr(identifier!("start"))?,
        error.get_attr(identifier!("end"))?,
    );
    let (start, end) = (
        start.to_index_saturating()?.max(0) as usize,
        end.to_index_saturating()?.max(0) as usize,
    );
    if is_decode {
        let Some(bytes) = object.as_object().downcast::<PyBytesObject>() else {
            return Err(raise!(TypeError, "object attribute must be bytes"));
        };
        if matches!(handler, Handler::XmlCharRefReplace | Handler::NameReplace) {
            return Err(cannot());
        }
        let len = bytes.as_bytes().len();
        let start = start.min(len.saturating_sub(1));
        let end = end.clamp(start.min(len), len);
        let form = surrogate_form_of(error)?;
        return match decode_replacement(handler, form, bytes.as_bytes(), start, end)? {
            Some((text, place)) => result(text.into_object(), place),
            None => Err(crate::error::raise_exception(error.to_ref())),
        };
    }
    let Some(text) = object.as_object().downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "object attribute must be unicode"));
    };
    let start = start.min(text.len().saturating_sub(1));
    let end = end.clamp(start.min(text.len()), text.len());
    if is_translate {
        return match handler {
            Handler::Ignore => result(PyUnicodeObject::empty().into_object(), end),
            Handler::Replace => result(
                PyUnicodeObject::from_repeated(0xFFFD, end - start)?.into_object(),
                end,
            ),
            Handler::BackslashReplace => {
                match encode_replacement(handler, SurrogateForm::None, text, start, end)? {
                    Some((Replacement::Text(text), place)) => result(text.into_object(), place),
                    _ => Err(cannot()),
                }
            }
            _ => Err(cannot()),
        };
    }
    match encode_replacement(handler, surrogate_form_of(error)?, text, start, end)? {
        Some((Replacement::Text(text), place)) => result(text.into_object(), place),
        Some((Replacement::Bytes(bytes), place)) if place == end => {
            result(PyBytesObject::from_slice(&bytes).into_object(), place)
        }
        _ => Err(crate::error::raise_exception(error.to_ref())),
    }
}

fn surrogate_form_of(error: &PyObject) -> PyResult<SurrogateForm> {
    let encoding = error.get_attr(identifier!("encoding"))?;
    let name = encoding
        .downcast::<PyUnicodeObject>()
        .map_or(String::new(), |name| name.to_string_lossy());
    Ok(SurrogateForm::of(&name))
}

fn result(piece: Ref, place: usize) -> PyResult {
    Ok(PyTupleObject::from_vec(vec![piece, PyLongObject::from_usize(place).into_object()]).into_object())
}
