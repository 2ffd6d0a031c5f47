//! codecs.h: the codec registry and the error handlers.

use crate::export::str_from_c;
use adder_runtime::objects::codecs::registry;
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn text(text: Option<&CStr>, default: &str) -> String {
    text.map_or_else(|| default.to_string(), |text| text.to_string_lossy().into_owned())
}

/// The name of a codec.
fn required(encoding: Option<&CStr>) -> PyResult<String> {
    match encoding {
        Some(encoding) => Ok(encoding.to_string_lossy().into_owned()),
        None => Err(raise!(TypeError, "bad argument type for built-in operation")),
    }
}

/// One of the four functions of a codec.
fn part(encoding: Option<&CStr>, index: isize) -> PyResult {
    registry::lookup(&required(encoding)?)?.get_index(index)
}

/// A codec's class, by attribute, made with a stream or an error mode.
fn made_by(
    encoding: Option<&CStr>,
    attribute: &str,
    stream: Option<&PyObject>,
    errors: Option<&CStr>,
) -> PyResult {
    let class = registry::lookup(&required(encoding)?)?.get_attr_str(attribute)?;
    let errors = errors.map(str_from_c).transpose()?;
    let mut args: Vec<&PyObject> = stream.into_iter().collect();
    args.extend(errors.as_ref().map(|errors| errors.as_object()));
    class.call(&args)
}

/// Runs one of the error handlers that are always there.
fn handle(name: &str, exception: &PyObject) -> PyResult {
    registry::lookup_error(name)?.call1(exception)
}

fn convert(
    object: &PyObject,
    encoding: Option<&CStr>,
    errors: Option<&CStr>,
    function: &PyUnicodeObject,
) -> PyResult {
    let encoding = PyUnicodeObject::from_string(required(encoding)?);
    let errors = errors.map(str_from_c).transpose()?;
    let mut args = vec![object, encoding.as_object()];
    args.extend(errors.as_ref().map(|errors| errors.as_object()));
    crate::import::import_module("_codecs")?.call_method(function, &args)
}

capi! {
    fn PyCodec_Register(search_function: &PyObject) -> PyResult<()> { registry::register(search_function) }
    fn PyCodec_Unregister(search_function: &PyObject) -> PyResult<()> {
        registry::unregister(search_function);
        Ok(())
    }
    fn PyCodec_KnownEncoding(encoding: &CStr) -> c_int {
        match registry::lookup(&encoding.to_string_lossy()) {
            Ok(_) => 1,
            Err(raised) => { raised.clear(); 0 }
        }
    }
    fn _PyCodec_Lookup(encoding: &CStr) -> PyResult { registry::lookup(&encoding.to_string_lossy()) }
    fn PyCodec_Encode(object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        convert(object, encoding, errors, identifier!("encode"))
    }
    fn PyCodec_Decode(object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        convert(object, encoding, errors, identifier!("decode"))
    }
    fn PyCodec_Encoder(encoding: Option<&CStr>) -> PyResult { part(encoding, 0) }
    fn PyCodec_Decoder(encoding: Option<&CStr>) -> PyResult { part(encoding, 1) }
    fn PyCodec_StreamReader(encoding: Option<&CStr>, stream: &PyObject, errors: Option<&CStr>) -> PyResult {
        made_by(encoding, "streamreader", Some(stream), errors)
    }
    fn PyCodec_StreamWriter(encoding: Option<&CStr>, stream: &PyObject, errors: Option<&CStr>) -> PyResult {
        made_by(encoding, "streamwriter", Some(stream), errors)
    }
    fn PyCodec_IncrementalEncoder(encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        made_by(encoding, "incrementalencoder", None, errors)
    }
    fn PyCodec_IncrementalDecoder(encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        made_by(encoding, "incrementaldecoder", None, errors)
    }
    fn PyCodec_RegisterError(name: &CStr, handler: &PyObject) -> PyResult<()> {
        registry::register_error(&name.to_string_lossy(), handler)
    }
    fn PyCodec_LookupError(name: Option<&CStr>) -> PyResult { registry::lookup_error(&text(name, "strict")) }
    fn PyCodec_StrictErrors(exception: &PyObject) -> PyResult { handle("strict", exception) }
    fn PyCodec_IgnoreErrors(exception: &PyObject) -> PyResult { handle("ignore", exception) }
    fn PyCodec_ReplaceErrors(exception: &PyObject) -> PyResult { handle("replace", exception) }
    fn PyCodec_XMLCharRefReplaceErrors(exception: &PyObject) -> PyResult { handle("xmlcharrefreplace", exception) }
    fn PyCodec_BackslashReplaceErrors(exception: &PyObject) -> PyResult { handle("backslashreplace", exception) }
    fn PyCodec_NameReplaceErrors(exception: &PyObject) -> PyResult { handle("namereplace", exception) }
}

/// The digits of numbers in base 16, as C code spells them.
#[unsafe(no_mangle)]
pub static Py_hexdigits: crate::osmodule::CText = crate::osmodule::CText::new(c"0123456789abcdef");
