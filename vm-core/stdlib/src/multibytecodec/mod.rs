//! `_multibytecodec` and `_codecs_{cn,hk,iso2022,jp,kr,tw}`: the codecs of East Asian encodings, whole, by increments and over streams.
//!
//! `charset.rs` knows what bytes mean, with `iso2022.rs`, `jisx0213.rs` and `johab.rs`, `tables.rs` the sets; here are the Python
//! types and the error handlers.

mod charset;
mod differences;
mod iso2022;
mod jisx0213;
mod johab;
mod tables;

use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::objects::codecs::utf_8;
use adder_runtime::objects::codecs::errors::{DecodeErrors, EncodeErrors, Handler, Replacement};
use adder_runtime::object::ObjectCell;
use adder_runtime::objects::unicodeobject::UnicodeWriter;
use adder_runtime::prelude::*;
use charset::{Charset, Step, Written};
use std::cell::{Cell, RefCell};

const ILLEGAL: &str = "illegal multibyte sequence";
const INCOMPLETE: &str = "incomplete multibyte sequence";
/// What an encoder or decoder may hold back, at most.
const MAX_PENDING: usize = 8;

/// Encodes from the start of `text`: gives how many characters are written, fewer than all only when the end waits for more.
fn encode_text(
    codec: &MultibyteCodec,
    text: &PyUnicodeObject,
    errors: &str,
    state: &mut u64,
    is_final: bool,
    out: &mut Vec<u8>,
) -> PyResult<usize> {
    let codes: Vec<u32> = text.code_points().collect();
    let mut handling = EncodeErrors::new(codec.name, text, errors);
    let mut at = 0;
    while at < codes.len() {
        match codec.charset.encode(state, &codes[at..], is_final, out) {
            Written::Chars(n) => at += n,
            Written::Incomplete => return Ok(at),
            Written::Illegal => at = replace(codec, &mut handling, state, at, out)?,
        }
    }
    if is_final {
        codec.charset.reset(state, out);
    }
    Ok(at)
}

/// Puts in place of the character at `at` what the error handler says; gives where to go on.
#[cold]
fn replace(
    codec: &MultibyteCodec,
    handling: &mut EncodeErrors<'_>,
    state: &mut u64,
    at: usize,
    out: &mut Vec<u8>,
) -> PyResult<usize> {
    let (replacement, place) = handling.handle(at, at + 1, ILLEGAL)?;
    match replacement {
        Replacement::Bytes(bytes) => out.extend(bytes),
        Replacement::Text(replacement) => {
            let codes: Vec<u32> = replacement.code_points().collect();
            let mut done = 0;
            while done < codes.len() {
                match codec.charset.encode(state, &codes[done..], true, out) {
                    Written::Chars(n) => done += n,
                    // A replacement character of one's own that is not in the set; Python's own becomes a question mark.
                    _ if handling.handler() == Handler::Replace => {
                        out.push(b'?');
                        done += 1;
                    }
                    _ => return Err(handling.raise(at, at + 1, ILLEGAL)),
                }
            }
        }
    }
    Ok(place)
}

/// Decodes from the start of `bytes`: gives how many are read, fewer than all only when the end waits for more.
fn decode_bytes(
    codec: &MultibyteCodec,
    bytes: &[u8],
    errors: &str,
    state: &mut u64,
    is_final: bool,
    writer: &mut UnicodeWriter,
) -> PyResult<usize> {
    let mut handling = DecodeErrors::new(codec.name, bytes, errors);
    let mut at = 0;
    while at < handling.bytes.len() {
        match codec.charset.decode(state, &handling.bytes[at..]) {
            Step::Char(code, n) => {
                writer.push(code);
                at += n;
            }
            Step::Pair(first, second, n) => {
                writer.push(first);
                writer.push(second);
                at += n;
            }
            Step::Skip(n) => at += n,
            Step::Incomplete if !is_final => return Ok(at),
            Step::Incomplete => {
                let end = handling.bytes.len();
                at = handling.handle(writer, at, end, INCOMPLETE)?;
            }
            Step::Illegal(n) => at = handling.handle(writer, at, at + n, ILLEGAL)?,
        }
    }
    Ok(at)
}

/// The argument of an encoder: a str, or what `str` makes of it.
fn text_of(input: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
    match input.downcast::<PyUnicodeObject>() {
        Some(text) => Ok(text.to_ref()),
        None => Err(raise!(
            TypeError,
            "couldn't convert the object to str."
        )),
    }
}

#[repr(C)]
pub struct MultibyteCodec {
    ob_base: PyObject,
    name: &'static str,
    charset: Charset,
}

#[pytype(name = "_multibytecodec.MultibyteCodec", static_name = MULTIBYTE_CODEC_TYPE, flags = DISALLOW_INSTANTIATION)]
/// An encoding of one or more bytes a character.
impl MultibyteCodec {
    /// Return an encoded string version of `input', and its length.
    #[method("($self, /, input, errors=None)")]
    fn encode(&self, input: &PyObject, errors: Option<&str>) -> PyResult<(Ref<PyBytesObject>, usize)> {
        let text = text_of(input)?;
        let mut out = Vec::with_capacity(text.len() * 2);
        let n = encode_text(self, &text, errors.unwrap_or("strict"), &mut self.charset.encoder_state(), true, &mut out)?;
        Ok((PyBytesObject::from_slice(&out), n.min(text.len())))
    }
    /// Decodes 'input', and gives the text and the length of the input.
    #[method("($self, /, input, errors=None)")]
    fn decode(&self, input: BytesArg<'_>, errors: Option<&str>) -> PyResult<(Ref<PyUnicodeObject>, usize)> {
        let bytes = input.as_bytes();
        let mut writer = UnicodeWriter::with_capacity(bytes.len());
        decode_bytes(self, bytes, errors.unwrap_or("strict"), &mut self.charset.decoder_state(), true, &mut writer)?;
        Ok((writer.finish()?, bytes.len()))
    }
}

/// The codec of a class that a module of `encodings` has made.
fn codec_of(this: &PyObject) -> PyResult<Ref<MultibyteCodec>> {
    let codec = this.get_attr_str("codec")?;
    codec
        .downcast::<MultibyteCodec>()
        .map_err(|_| raise!(TypeError, "codec is unexpected type"))
}

fn errors_text(errors: &RefCell<Ref<PyUnicodeObject>>) -> String {
    errors.borrow().to_string_lossy()
}

fn set_errors(errors: &RefCell<Ref<PyUnicodeObject>>, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return Err(raise!(AttributeError, "cannot delete attribute"));
    };
    let Some(text) = value.downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "errors must be a string"));
    };
    drop(errors.replace(text.to_ref()));
    Ok(())
}

fn new_errors(errors: Option<&PyUnicodeObject>) -> RefCell<Ref<PyUnicodeObject>> {
    RefCell::new(errors.map_or_else(|| PyUnicodeObject::from_str("strict"), TypedObject::to_ref))
}

/// What is kept between calls of an encoder.
struct Encoder {
    codec: Ref<MultibyteCodec>,
    errors: RefCell<Ref<PyUnicodeObject>>,
    pending: RefCell<Vec<u32>>,
    state: Cell<u64>,
}

impl Encoder {
    fn new(cls: &PyTypeObject, errors: Option<&PyUnicodeObject>) -> PyResult<Encoder> {
        let codec = codec_of(cls.as_object())?;
        let state = Cell::new(codec.charset.encoder_state());
        Ok(Encoder {
            codec,
            errors: new_errors(errors),
            pending: RefCell::default(),
            state,
        })
    }
    fn encode(&self, input: &PyObject, is_final: bool) -> PyResult<Ref<PyBytesObject>> {
        let mut text = text_of(input)?;
        let pending = self.pending.take();
        if !pending.is_empty() {
            text = PyUnicodeObject::from_code_points(&pending).concat(&text)?;
        }
        let mut out = Vec::new();
        let mut state = self.state.get();
        let done = encode_text(&self.codec, &text, &errors_text(&self.errors), &mut state, is_final, &mut out);
        let done = match done {
            Ok(done) => done,
            Err(raised) => {
                *self.pending.borrow_mut() = pending;
                return Err(raised);
            }
        };
        self.state.set(state);
        *self.pending.borrow_mut() = text.code_points().skip(done).collect();
        Ok(PyBytesObject::from_slice(&out))
    }
    fn reset(&self) -> Vec<u8> {
        self.pending.borrow_mut().clear();
        let mut out = Vec::new();
        let mut state = self.state.get();
        self.codec.charset.reset(&mut state, &mut out);
        self.state.set(self.codec.charset.encoder_state());
        out
    }
}

#[repr(C)]
pub struct MultibyteIncrementalEncoder {
    ob_base: PyObject,
    encoder: Encoder,
}

#[pytype(name = "_multibytecodec.MultibyteIncrementalEncoder", static_name = INCREMENTAL_ENCODER_TYPE, flags = BASETYPE)]
/// Encodes a text by pieces.
impl MultibyteIncrementalEncoder {
    #[new("(errors='strict')")]
    fn new(cls: &PyTypeObject, errors: Option<&PyUnicodeObject>) -> PyResult<Ref<MultibyteIncrementalEncoder>> {
        let encoder = MultibyteIncrementalEncoder {
            ob_base: blank_header(),
            encoder: Encoder::new(cls, errors)?,
        };
        Ref::new_in(cls, encoder)
    }
    #[method("($self, /, input, final=False)")]
    fn encode(&self, input: &PyObject, r#final: bool) -> PyResult<Ref<PyBytesObject>> {
        self.encoder.encode(input, r#final)
    }
    #[method("($self, /)")]
    fn reset(&self) {
        self.encoder.reset();
    }
    /// A number: how many bytes of UTF-8 are pending, those, and the state of the charset, from the lowest byte up.
    #[method("($self, /)")]
    fn getstate(&self) -> PyResult {
        let pending = PyUnicodeObject::from_code_points(&self.encoder.pending.borrow());
        let text = pending.to_str()?;
        let mut bytes = vec![text.len() as u8];
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend(self.encoder.state.get().to_le_bytes());
        let bytes = PyBytesObject::from_slice(&bytes);
        PyLongObject::type_object().as_object().call_method(
            identifier!("from_bytes"),
            &[bytes.as_object(), PyUnicodeObject::from_str("little").as_object()],
        )
    }
    #[method("($self, state, /)")]
    fn setstate(&self, state: &PyLongObject) -> PyResult<()> {
        let size = PyLongObject::from_usize(1 + MAX_PENDING + size_of::<u64>());
        let bytes = state.as_object().call_method(
            identifier!("to_bytes"),
            &[size.as_object(), PyUnicodeObject::from_str("little").as_object()],
        )?;
        let Some(bytes) = (*bytes).downcast::<PyBytesObject>() else {
            return Err(raise!(TypeError, "int.to_bytes() gives bytes"));
        };
        let (n_pending, rest) = (usize::from(bytes.as_bytes()[0]), &bytes.as_bytes()[1..]);
        if n_pending > MAX_PENDING {
            return Err(raise!(UnicodeError, "pending buffer too large"));
        }
        let text = utf_8::decode(&rest[..n_pending], "strict", true)?.0;
        *self.encoder.pending.borrow_mut() = text.code_points().collect();
        let mut state = [0; 8];
        state.copy_from_slice(&rest[n_pending..n_pending + 8]);
        self.encoder.state.set(u64::from_le_bytes(state));
        Ok(())
    }
    #[getter]
    fn errors(&self) -> Ref<PyUnicodeObject> {
        self.encoder.errors.borrow().clone()
    }
    #[setter]
    fn set_errors(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_errors(&self.encoder.errors, value)
    }
}

/// What is kept between calls of a decoder.
struct Decoder {
    codec: Ref<MultibyteCodec>,
    errors: RefCell<Ref<PyUnicodeObject>>,
    pending: RefCell<Vec<u8>>,
    state: Cell<u64>,
}

impl Decoder {
    fn new(cls: &PyTypeObject, errors: Option<&PyUnicodeObject>) -> PyResult<Decoder> {
        let codec = codec_of(cls.as_object())?;
        let state = Cell::new(codec.charset.decoder_state());
        Ok(Decoder {
            codec,
            errors: new_errors(errors),
            pending: RefCell::default(),
            state,
        })
    }
    fn decode(&self, input: &[u8], is_final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        let mut bytes = self.pending.take();
        let n_before = bytes.len();
        bytes.extend_from_slice(input);
        let mut writer = UnicodeWriter::with_capacity(bytes.len());
        let mut state = self.state.get();
        let errors = errors_text(&self.errors);
        match decode_bytes(&self.codec, &bytes, &errors, &mut state, is_final, &mut writer) {
            Ok(done) => {
                self.state.set(state);
                *self.pending.borrow_mut() = bytes.split_off(done.min(bytes.len()));
                writer.finish()
            }
            Err(raised) => {
                bytes.truncate(n_before);
                *self.pending.borrow_mut() = bytes;
                Err(raised)
            }
        }
    }
    fn reset(&self) {
        self.pending.borrow_mut().clear();
        self.state.set(self.codec.charset.decoder_state());
    }
}

#[repr(C)]
pub struct MultibyteIncrementalDecoder {
    ob_base: PyObject,
    decoder: Decoder,
}

#[pytype(name = "_multibytecodec.MultibyteIncrementalDecoder", static_name = INCREMENTAL_DECODER_TYPE, flags = BASETYPE)]
/// Decodes bytes by pieces.
impl MultibyteIncrementalDecoder {
    #[new("(errors='strict')")]
    fn new(cls: &PyTypeObject, errors: Option<&PyUnicodeObject>) -> PyResult<Ref<MultibyteIncrementalDecoder>> {
        let decoder = MultibyteIncrementalDecoder {
            ob_base: blank_header(),
            decoder: Decoder::new(cls, errors)?,
        };
        Ref::new_in(cls, decoder)
    }
    #[method("($self, /, input, final=False)")]
    fn decode(&self, input: BytesArg<'_>, r#final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        self.decoder.decode(input.as_bytes(), r#final)
    }
    #[method("($self, /)")]
    fn reset(&self) {
        self.decoder.reset();
    }
    /// The bytes that wait for more, and the state of the charset.
    #[method("($self, /)")]
    fn getstate(&self) -> (Ref<PyBytesObject>, u64) {
        let pending = PyBytesObject::from_slice(&self.decoder.pending.borrow());
        // The number's bytes are the state's, the lowest first in memory and last in the number.
        (pending, self.decoder.state.get())
    }
    #[method("($self, state, /)")]
    fn setstate(&self, state: &PyTupleObject) -> PyResult<()> {
        let [pending, state] = state.as_slice() else {
            return Err(raise!(TypeError, "setstate() argument must be a tuple of (bytes, int)"));
        };
        let (Some(pending), Some(state)) = (pending.downcast::<PyBytesObject>(), state.downcast::<PyLongObject>()) else {
            return Err(raise!(TypeError, "setstate() argument must be a tuple of (bytes, int)"));
        };
        let n_pending = pending.as_bytes().len();
        if n_pending > MAX_PENDING {
            return Err(adder_runtime::exceptions::raise_unicode_decode_error(
                self.decoder.codec.name,
                pending.as_object(),
                0,
                n_pending,
                "pending buffer too large",
            ));
        }
        self.decoder.state.set(state.as_u64()?);
        *self.decoder.pending.borrow_mut() = pending.as_bytes().to_vec();
        Ok(())
    }
    #[getter]
    fn errors(&self) -> Ref<PyUnicodeObject> {
        self.decoder.errors.borrow().clone()
    }
    #[setter]
    fn set_errors(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_errors(&self.decoder.errors, value)
    }
}

/// The stream of a reader or writer, unless somebody deleted it.
fn given_stream(stream: &ObjectCell) -> PyResult {
    stream.get().ok_or_else(|| raise!(AttributeError, "stream"))
}

#[repr(C)]
pub struct MultibyteStreamReader {
    ob_base: PyObject,
    decoder: Decoder,
    stream: ObjectCell,
}

impl MultibyteStreamReader {
    /// Reads by a method of the stream until there are characters, or none are left.
    fn read_by(&self, method: &'static PyUnicodeObject, size: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let wanted = match size {
            None => -1,
            Some(size) if is_none(size) => -1,
            Some(size) => match size.downcast::<PyLongObject>() {
                Some(size) => size.as_isize()?,
                None => return Err(raise!(TypeError, "arg 1 must be an integer")),
            },
        };
        if wanted == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        loop {
            let stream = given_stream(&self.stream)?;
            let chunk = match wanted {
                ..0 => stream.call_method(method, &[])?,
                _ => stream.call_method(method, &[PyLongObject::from_isize(wanted).as_object()])?,
            };
            let Some(bytes) = (*chunk).downcast::<PyBytesObject>() else {
                return Err(raise!(
                    TypeError,
                    "stream function returned a non-bytes object ({})",
                    chunk.ty().name()
                ));
            };
            let is_final = wanted < 0 || bytes.as_bytes().is_empty();
            let text = self.decoder.decode(bytes.as_bytes(), is_final)?;
            if is_final || text.len() > 0 {
                return Ok(text);
            }
        }
    }
}

#[pytype(name = "_multibytecodec.MultibyteStreamReader", static_name = STREAM_READER_TYPE, flags = BASETYPE)]
/// Reads text from a stream of bytes.
impl MultibyteStreamReader {
    #[new("(stream, errors='strict')")]
    fn new(
        cls: &PyTypeObject,
        stream: &PyObject,
        errors: Option<&PyUnicodeObject>,
    ) -> PyResult<Ref<MultibyteStreamReader>> {
        let reader = MultibyteStreamReader {
            ob_base: blank_header(),
            decoder: Decoder::new(cls, errors)?,
            stream: ObjectCell::new(Some(stream.to_ref())),
        };
        Ref::new_in(cls, reader)
    }
    #[method("($self, sizeobj=None, /)")]
    fn read(&self, sizeobj: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        self.read_by(identifier!("read"), sizeobj)
    }
    #[method("($self, sizeobj=None, /)")]
    fn readline(&self, sizeobj: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        self.read_by(identifier!("readline"), sizeobj)
    }
    #[method("($self, sizehintobj=None, /)")]
    fn readlines(&self, sizehintobj: Option<&PyObject>) -> PyResult {
        let text = self.read_by(identifier!("read"), sizehintobj)?;
        text.as_object().call_method(identifier!("splitlines"), &[true_()])
    }
    #[method("($self, /)")]
    fn reset(&self) {
        self.decoder.reset();
    }
    #[getter]
    fn stream(&self) -> PyResult {
        given_stream(&self.stream)
    }
    #[setter]
    fn set_stream(&self, value: Option<&PyObject>) {
        self.stream.set(value.map(PyObject::to_ref));
    }
    #[getter]
    fn errors(&self) -> Ref<PyUnicodeObject> {
        self.decoder.errors.borrow().clone()
    }
    #[setter]
    fn set_errors(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_errors(&self.decoder.errors, value)
    }
}

#[repr(C)]
pub struct MultibyteStreamWriter {
    ob_base: PyObject,
    encoder: Encoder,
    stream: ObjectCell,
}

#[pytype(name = "_multibytecodec.MultibyteStreamWriter", static_name = STREAM_WRITER_TYPE, flags = BASETYPE)]
/// Writes text to a stream of bytes.
impl MultibyteStreamWriter {
    #[new("(stream, errors='strict')")]
    fn new(
        cls: &PyTypeObject,
        stream: &PyObject,
        errors: Option<&PyUnicodeObject>,
    ) -> PyResult<Ref<MultibyteStreamWriter>> {
        let writer = MultibyteStreamWriter {
            ob_base: blank_header(),
            encoder: Encoder::new(cls, errors)?,
            stream: ObjectCell::new(Some(stream.to_ref())),
        };
        Ref::new_in(cls, writer)
    }
    #[method("($self, strobj, /)")]
    fn write(&self, strobj: &PyObject) -> PyResult<()> {
        let bytes = self.encoder.encode(strobj, false)?;
        given_stream(&self.stream)?
            .call_method(identifier!("write"), &[bytes.as_object()])
            .map(drop)
    }
    #[method("($self, lines, /)")]
    fn writelines(&self, lines: &PyObject) -> PyResult<()> {
        let iterator = lines.iter()?;
        while let Some(line) = iterator.next()? {
            self.write(&line)?;
        }
        Ok(())
    }
    #[method("($self, /)")]
    fn reset(&self) -> PyResult<()> {
        let out = self.encoder.reset();
        if out.is_empty() {
            return Ok(());
        }
        let bytes = PyBytesObject::from_slice(&out);
        given_stream(&self.stream)?
            .call_method(identifier!("write"), &[bytes.as_object()])
            .map(drop)
    }
    #[getter]
    fn stream(&self) -> PyResult {
        given_stream(&self.stream)
    }
    #[setter]
    fn set_stream(&self, value: Option<&PyObject>) {
        self.stream.set(value.map(PyObject::to_ref));
    }
    #[getter]
    fn errors(&self) -> Ref<PyUnicodeObject> {
        self.encoder.errors.borrow().clone()
    }
    #[setter]
    fn set_errors(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_errors(&self.encoder.errors, value)
    }
}

#[pymodule(name = "_multibytecodec", types = [
    INCREMENTAL_ENCODER_TYPE, INCREMENTAL_DECODER_TYPE, STREAM_READER_TYPE, STREAM_WRITER_TYPE,
])]
pub mod _multibytecodec {
    pub use super::{
        INCREMENTAL_DECODER_TYPE, INCREMENTAL_ENCODER_TYPE, STREAM_READER_TYPE, STREAM_WRITER_TYPE,
    };
}

/// The codec of a name, if it is one of a module's.
fn get_codec(names: &[&'static str], encoding: &PyObject) -> PyResult<Ref<MultibyteCodec>> {
    let Some(encoding) = encoding.downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "encoding name must be a string."));
    };
    adder_runtime::types::ready(&MULTIBYTE_CODEC_TYPE)?;
    let name = names.iter().copied().find(|name| encoding.eq_str(name));
    match name.and_then(|name| Charset::of(name).map(|charset| (name, charset))) {
        Some((name, charset)) => Ref::new(MultibyteCodec {
            ob_base: blank_header(),
            name,
            charset,
        }),
        None => Err(raise!(LookupError, "no such codec is supported.")),
    }
}

/// Declares the modules that have codecs by name.
macro_rules! codec_modules {
    ($($module:ident $name:literal: [$($codec:literal),*];)*) => {$(
        #[pymodule(name = $name, types = [])]
        pub mod $module {
            use super::*;

            /// Gives the codec of a name.
            #[pyfunction("($module, encoding, /)")]
            fn getcodec(encoding: &PyObject) -> PyResult<Ref<MultibyteCodec>> {
                super::get_codec(&[$($codec),*], encoding)
            }
        }
    )*};
}

codec_modules! {
    _codecs_cn "_codecs_cn": ["gb2312", "gbk", "gb18030", "hz"];
    _codecs_hk "_codecs_hk": ["big5hkscs"];
    _codecs_iso2022 "_codecs_iso2022": ["iso2022_kr", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext"];
    _codecs_jp "_codecs_jp": ["shift_jis", "cp932", "euc_jp", "shift_jis_2004", "euc_jis_2004", "euc_jisx0213", "shift_jisx0213"];
    _codecs_kr "_codecs_kr": ["euc_kr", "cp949", "johab"];
    _codecs_tw "_codecs_tw": ["big5", "cp950"];
}
