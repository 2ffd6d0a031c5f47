//! `_codecs`: the registry, and the encoders and decoders of the runtime under the names that `encodings` uses.

#[adder_macros::pymodule(name = "_codecs", types = [])]
pub mod _codecs {
    use adder_runtime::args::{FromArg, Signature};
    use adder_runtime::objects::buffer::BytesArg;
    use adder_runtime::objects::codecs::errors::Order;
    use adder_runtime::objects::codecs::registry::{self, Direction};
    use adder_runtime::objects::codecs::{Decoded, charmap, escape, single_byte, utf_7, utf_8, utf_16_32};
    use adder_runtime::prelude::*;

    /// What a decoder gives to Python.
    type DecodedPair = (Ref<PyUnicodeObject>, usize);
    /// What an encoder gives to Python: the bytes, and how many characters it took.
    type EncodedPair = (Ref<PyBytesObject>, usize);

    /// Bytes, or a string whose UTF-8 form is taken.
    enum TextOrBytes<'a> {
        Text(&'a str),
        Bytes(BytesArg<'a>),
    }
    impl TextOrBytes<'_> {
        fn as_bytes(&self) -> &[u8] {
            match self {
                TextOrBytes::Text(text) => text.as_bytes(),
                TextOrBytes::Bytes(bytes) => bytes.as_bytes(),
            }
        }
    }
    impl<'a> FromArg<'a> for TextOrBytes<'a> {
        fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
            match arg.downcast::<PyUnicodeObject>() {
                Some(text) => Ok(TextOrBytes::Text(text.to_str()?)),
                None => Ok(TextOrBytes::Bytes(BytesArg::of(arg)?)),
            }
        }
    }

    fn order(byteorder: i32) -> Option<Order> {
        match byteorder {
            0 => None,
            ..0 => Some(Order::Little),
            _ => Some(Order::Big),
        }
    }
    fn order_number(order: Option<Order>) -> i64 {
        match order {
            None => 0,
            Some(Order::Little) => -1,
            Some(Order::Big) => 1,
        }
    }
    fn encoded(text: &PyUnicodeObject, bytes: PyResult<Ref<PyBytesObject>>) -> PyResult<EncodedPair> {
        Ok((bytes?, text.len()))
    }
    fn whole(data: &[u8], text: PyResult<Ref<PyUnicodeObject>>) -> PyResult<DecodedPair> {
        Ok((text?, data.len()))
    }
    fn without_order(decoded: PyResult<(Decoded, Option<Order>)>) -> PyResult<DecodedPair> {
        Ok(decoded?.0)
    }

    /// Adds a function that finds codecs by name.
    #[pyfunction("($module, search_function, /)")]
    fn register(search_function: &PyObject) -> PyResult<()> {
        registry::register(search_function)
    }
    /// Takes a search function out again.
    #[pyfunction("($module, search_function, /)")]
    fn unregister(search_function: &PyObject) {
        registry::unregister(search_function);
    }
    /// The codec of an encoding's name.
    #[pyfunction("($module, encoding, /)")]
    fn lookup(encoding: &str) -> PyResult {
        registry::lookup(encoding)
    }
    /// Encodes an object with any codec.
    #[pyfunction("($module, /, obj, encoding='utf-8', errors='strict')")]
    fn encode(obj: &PyObject, encoding: Option<&str>, errors: Option<&str>) -> PyResult {
        registry::convert(Direction::Encode, obj, encoding.unwrap_or("utf-8"), errors)
    }
    /// Decodes an object with any codec.
    #[pyfunction("($module, /, obj, encoding='utf-8', errors='strict')")]
    fn decode(obj: &PyObject, encoding: Option<&str>, errors: Option<&str>) -> PyResult {
        registry::convert(Direction::Decode, obj, encoding.unwrap_or("utf-8"), errors)
    }
    /// Names an error handler.
    #[pyfunction("($module, errors, handler, /)")]
    fn register_error(errors: &str, handler: &PyObject) -> PyResult<()> {
        registry::register_error(errors, handler)
    }
    /// Forgets an error handler; False when there is none of that name.
    #[pyfunction("($module, errors, /)")]
    fn _unregister_error(errors: &str) -> PyResult<bool> {
        registry::unregister_error(errors)
    }
    /// The error handler of a name.
    #[pyfunction("($module, name, /)")]
    fn lookup_error(name: &str) -> PyResult {
        registry::lookup_error(name)
    }

    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_8_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(str, utf_8::encode(str, errors.unwrap_or("strict")))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_8_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        utf_8::decode(data.as_bytes(), errors.unwrap_or("strict"), is_final)
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_7_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        let _ = errors;
        encoded(str, Ok(utf_7::encode(str)))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_7_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        utf_7::decode(data.as_bytes(), errors.unwrap_or("strict"), is_final)
    }
    #[pyfunction("($module, str, errors=None, byteorder=0, /)")]
    fn utf_16_encode(str: &PyUnicodeObject, errors: Option<&str>, byteorder: i32) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_16(str, errors.unwrap_or("strict"), order(byteorder)),
        )
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_16_le_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_16(str, errors.unwrap_or("strict"), Some(Order::Little)),
        )
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_16_be_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_16(str, errors.unwrap_or("strict"), Some(Order::Big)),
        )
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_16_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        without_order(utf_16_32::decode_16(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            None,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_16_le_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        let order = Some(Order::Little);
        without_order(utf_16_32::decode_16(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            order,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_16_be_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        let order = Some(Order::Big);
        without_order(utf_16_32::decode_16(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            order,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, byteorder=0, final=False, /)")]
    fn utf_16_ex_decode(
        data: BytesArg<'_>,
        errors: Option<&str>,
        byteorder: i32,
        is_final: bool,
    ) -> PyResult<(Ref<PyUnicodeObject>, usize, i64)> {
        let errors = errors.unwrap_or("strict");
        let ((text, n_taken), found) =
            utf_16_32::decode_16(data.as_bytes(), errors, order(byteorder), is_final)?;
        Ok((text, n_taken, order_number(found)))
    }
    #[pyfunction("($module, str, errors=None, byteorder=0, /)")]
    fn utf_32_encode(str: &PyUnicodeObject, errors: Option<&str>, byteorder: i32) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_32(str, errors.unwrap_or("strict"), order(byteorder)),
        )
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_32_le_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_32(str, errors.unwrap_or("strict"), Some(Order::Little)),
        )
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn utf_32_be_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            utf_16_32::encode_32(str, errors.unwrap_or("strict"), Some(Order::Big)),
        )
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_32_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        without_order(utf_16_32::decode_32(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            None,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_32_le_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        let order = Some(Order::Little);
        without_order(utf_16_32::decode_32(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            order,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, final=False, /)")]
    fn utf_32_be_decode(data: BytesArg<'_>, errors: Option<&str>, is_final: bool) -> PyResult<DecodedPair> {
        let order = Some(Order::Big);
        without_order(utf_16_32::decode_32(
            data.as_bytes(),
            errors.unwrap_or("strict"),
            order,
            is_final,
        ))
    }
    #[pyfunction("($module, data, errors=None, byteorder=0, final=False, /)")]
    fn utf_32_ex_decode(
        data: BytesArg<'_>,
        errors: Option<&str>,
        byteorder: i32,
        is_final: bool,
    ) -> PyResult<(Ref<PyUnicodeObject>, usize, i64)> {
        let errors = errors.unwrap_or("strict");
        let ((text, n_taken), found) =
            utf_16_32::decode_32(data.as_bytes(), errors, order(byteorder), is_final)?;
        Ok((text, n_taken, order_number(found)))
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn latin_1_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            single_byte::encode(str, errors.unwrap_or("strict"), single_byte::Limit::Latin1),
        )
    }
    #[pyfunction("($module, data, errors=None, /)")]
    fn latin_1_decode(data: BytesArg<'_>, errors: Option<&str>) -> PyResult<DecodedPair> {
        let _ = errors;
        whole(data.as_bytes(), Ok(PyUnicodeObject::from_latin1(data.as_bytes())))
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn ascii_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        encoded(
            str,
            single_byte::encode(str, errors.unwrap_or("strict"), single_byte::Limit::Ascii),
        )
    }
    #[pyfunction("($module, data, errors=None, /)")]
    fn ascii_decode(data: BytesArg<'_>, errors: Option<&str>) -> PyResult<DecodedPair> {
        whole(
            data.as_bytes(),
            single_byte::decode_ascii(data.as_bytes(), errors.unwrap_or("strict")),
        )
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn unicode_escape_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        let _ = errors;
        encoded(str, Ok(escape::encode_unicode_escape(str)))
    }
    #[pyfunction("($module, data, errors=None, final=True, /)")]
    fn unicode_escape_decode(
        data: TextOrBytes<'_>,
        errors: Option<&str>,
        is_final: bool,
    ) -> PyResult<DecodedPair> {
        escape::decode_unicode_escape(data.as_bytes(), errors.unwrap_or("strict"), is_final)
    }
    #[pyfunction("($module, str, errors=None, /)")]
    fn raw_unicode_escape_encode(str: &PyUnicodeObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        let _ = errors;
        encoded(str, Ok(escape::encode_raw_unicode_escape(str)))
    }
    #[pyfunction("($module, data, errors=None, final=True, /)")]
    fn raw_unicode_escape_decode(
        data: TextOrBytes<'_>,
        errors: Option<&str>,
        is_final: bool,
    ) -> PyResult<DecodedPair> {
        escape::decode_raw_unicode_escape(data.as_bytes(), errors.unwrap_or("strict"), is_final)
    }
    #[pyfunction("($module, data, errors=None, /)")]
    fn escape_encode(data: &PyBytesObject, errors: Option<&str>) -> PyResult<EncodedPair> {
        let _ = errors;
        let bytes = data.as_bytes();
        Ok((
            PyBytesObject::from_vec(escape::encode_bytes_escape(bytes)),
            bytes.len(),
        ))
    }
    #[pyfunction("($module, data, errors=None, /)")]
    fn escape_decode(data: TextOrBytes<'_>, errors: Option<&str>) -> PyResult<EncodedPair> {
        let bytes = data.as_bytes();
        let decoded = escape::decode_bytes_escape(bytes, errors.unwrap_or("strict"))?;
        Ok((PyBytesObject::from_vec(decoded), bytes.len()))
    }
    #[pyfunction("($module, str, errors=None, mapping=None, /)")]
    fn charmap_encode(
        str: &PyUnicodeObject,
        errors: Option<&str>,
        mapping: Option<&PyObject>,
    ) -> PyResult<EncodedPair> {
        let errors = errors.unwrap_or("strict");
        encoded(
            str,
            match mapping {
                Some(mapping) => charmap::encode(str, errors, mapping),
                None => single_byte::encode(str, errors, single_byte::Limit::Latin1),
            },
        )
    }
    #[pyfunction("($module, data, errors=None, mapping=None, /)")]
    fn charmap_decode(
        data: BytesArg<'_>,
        errors: Option<&str>,
        mapping: Option<&PyObject>,
    ) -> PyResult<DecodedPair> {
        whole(
            data.as_bytes(),
            charmap::decode(data.as_bytes(), errors.unwrap_or("strict"), mapping),
        )
    }
    #[pyfunction("($module, map, /)")]
    fn charmap_build(map: &PyUnicodeObject) -> PyResult {
        charmap::build(map)
    }
    #[pyfunction("($module, data, errors=None, /)")]
    fn readbuffer_encode(data: TextOrBytes<'_>, errors: Option<&str>) -> PyResult<EncodedPair> {
        let _ = errors;
        Ok((PyBytesObject::from_slice(data.as_bytes()), data.as_bytes().len()))
    }
}
