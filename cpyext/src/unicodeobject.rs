//! unicodeobject.h: strings, their encoded forms, their methods by C name.

use crate::export::{Name, OutNumber, Void, bad_internal_call, given, put, str_from_c, str_from_utf8};
use adder_runtime::objects::codecs::errors::Order;
use adder_runtime::objects::codecs::{self, Decoded, charmap, utf_7, utf_8, utf_16_32};
use adder_runtime::objects::unicodectype;
use adder_runtime::objects::unicodeobject::UnicodeWriter;
use adder_runtime::prelude::*;
use std::ffi::{CStr, c_double};

/// The UTF-8 of a str, kept by it and followed by a 0; UnicodeEncodeError when there is none.
pub fn utf8(text: &PyUnicodeObject) -> PyResult<&[u8]> {
    text.to_str().map(str::as_bytes)
}

/// `text.encode(encoding, errors)`.
pub fn encode(text: &PyUnicodeObject, encoding: &str, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
    let errors = errors.map(CStr::to_string_lossy);
    let encoded = codecs::encode_by_name(text, encoding, errors.as_deref())?;
    encoded.downcast::<PyBytesObject>().map_err(|other| {
        raise!(
            TypeError,
            "encoder returned '{}' instead of 'bytes'",
            other.ty().name()
        )
    })
}

/// Bytes that C gives, decoded by a named codec.
pub fn decode(bytes: &[u8], encoding: &str, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
    if matches!(encoding, "utf-8" | "utf8")
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Ok(PyUnicodeObject::from_str(text));
    }
    let encoded = PyBytesObject::from_slice(bytes);
    codecs::decode_by_name(
        encoded.as_object(),
        bytes,
        encoding,
        errors.map(CStr::to_string_lossy).as_deref(),
    )
}

/// Bytes as C describes them.
///
/// # Safety
/// There are `n_bytes` of them at `start`, or none.
pub unsafe fn c_slice<'a>(start: *const c_char, n_bytes: isize) -> &'a [u8] {
    if start.is_null() || n_bytes <= 0 {
        return &[];
    }
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(start.cast(), n_bytes as usize) }
}

fn decode_c(
    start: *const c_char,
    n_bytes: isize,
    encoding: &str,
    errors: Option<&CStr>,
) -> PyResult<Ref<PyUnicodeObject>> {
    // SAFETY: C gives that many bytes.
    decode(unsafe { c_slice(start, n_bytes) }, encoding, errors)
}

/// Gives C how much was consumed, and the text.
fn give_decoded(decoded: Decoded, consumed: *mut isize) -> PyResult<Ref<PyUnicodeObject>> {
    let (text, n_consumed) = decoded;
    if !consumed.is_null() {
        // SAFETY: C gives a place.
        unsafe { put(consumed, n_consumed as isize) };
    }
    Ok(text)
}

fn errors_text(errors: Option<&CStr>) -> std::borrow::Cow<'_, str> {
    errors.map_or("strict".into(), CStr::to_string_lossy)
}

/// UTF-16 and UTF-32 with a byte order that C gives and learns: -1 little, 0 by mark, 1 big.
fn decode_wide(
    bits: u32,
    start: *const c_char,
    n_bytes: isize,
    errors: Option<&CStr>,
    byte_order: *mut c_int,
    consumed: *mut isize,
) -> PyResult<Ref<PyUnicodeObject>> {
    // SAFETY: C gives a place, or NULL.
    let order = match unsafe { byte_order.as_ref() }.copied().unwrap_or(0) {
        0 => None,
        order if order < 0 => Some(Order::Little),
        _ => Some(Order::Big),
    };
    let decode = if bits == 16 {
        utf_16_32::decode_16
    } else {
        utf_16_32::decode_32
    };
    // SAFETY: C gives that many bytes.
    let bytes = unsafe { c_slice(start, n_bytes) };
    let (decoded, found) = decode(bytes, &errors_text(errors), order, consumed.is_null())?;
    // SAFETY: C gives a place, or NULL.
    if let Some(place) = unsafe { byte_order.as_mut() } {
        *place = match found {
            None => 0,
            Some(Order::Little) => -1,
            Some(Order::Big) => 1,
        };
    }
    give_decoded(decoded, consumed)
}

/// The str of a wide C string; a negative length means that it is terminated.
pub fn from_wide(start: *const wchar_t, n_chars: isize) -> PyResult<Ref<PyUnicodeObject>> {
    if start.is_null() {
        return if n_chars == 0 {
            Ok(PyUnicodeObject::empty())
        } else {
            Err(bad_internal_call())
        };
    }
    if n_chars < -1 {
        return Err(bad_internal_call());
    }
    let len = usize::try_from(n_chars).unwrap_or_else(|_| wide_len(start));
    // SAFETY: C gives that many characters.
    let units = unsafe { std::slice::from_raw_parts(start.cast::<u32>(), len) };
    if units.iter().any(|unit| *unit > 0x10ffff) {
        return Err(raise!(
            ValueError,
            "character U+{:x} is not in range [U+0000; U+10ffff]",
            units.iter().find(|unit| **unit > 0x10ffff).copied().unwrap_or(0)
        ));
    }
    Ok(PyUnicodeObject::from_code_points(units))
}

/// `str.translate`, but characters that the table maps to None are an error for the handler `errors`.
fn translate(text: &PyUnicodeObject, table: &PyObject, errors: &str) -> PyResult<Ref<PyUnicodeObject>> {
    let points: Vec<u32> = text.code_points().into_iter().collect();
    let look_up = |at: usize| -> PyResult {
        match table.get_item(PyLongObject::from_i64(points[at].into()).as_object()) {
            Ok(mapped) => Ok(mapped),
            Err(raised) => {
                raised.clear_if(adder_runtime::exceptions::exc::LookupError)?;
                Ok(PyLongObject::from_i64(points[at].into()).into_object())
            }
        }
    };
    let mut out = Vec::with_capacity(points.len());
    let mut at = 0;
    while at < points.len() {
        let mapped = look_up(at)?;
        if let Some(number) = (*mapped).downcast::<PyLongObject>() {
            match number.to_i64() {
                Some(code @ 0..=0x10_FFFF) => out.push(code as u32),
                _ => return Err(raise!(ValueError, "character mapping must be in range(0x110000)")),
            }
        } else if let Some(replacement) = (*mapped).downcast::<PyUnicodeObject>() {
            out.extend(replacement.code_points());
        } else if is_none(&mapped) {
            let start = at;
            while at + 1 < points.len() && is_none(&*look_up(at + 1)?) {
                at += 1;
            }
            at = undefined(text, start, at + 1, errors, &mut out)?;
            continue;
        } else {
            return Err(raise!(
                TypeError,
                "character mapping must return integer, None or str"
            ));
        }
        at += 1;
    }
    Ok(PyUnicodeObject::from_code_points(&out))
}

/// Lets the error handler deal with what maps to nothing; gives the place to go on from.
fn undefined(
    text: &PyUnicodeObject,
    start: usize,
    end: usize,
    errors: &str,
    out: &mut Vec<u32>,
) -> PyResult<usize> {
    let handler = crate::import::import_module("_codecs")?.call_method(
        identifier!("lookup_error"),
        &[PyUnicodeObject::from_str(errors).as_object()],
    )?;
    let (start, end) = (PyLongObject::from_usize(start), PyLongObject::from_usize(end));
    let reason = PyUnicodeObject::from_str("character maps to <undefined>");
    let error = adder_runtime::exceptions::exc::UnicodeTranslateError
        .as_object()
        .call(&[
            text.as_object(),
            start.as_object(),
            end.as_object(),
            reason.as_object(),
        ])?;
    let answer = handler.call1(&error)?;
    let pair = answer
        .downcast::<PyTupleObject>()
        .ok()
        .filter(|pair| pair.len() == 2);
    let parts = pair.as_ref().and_then(|pair| {
        let [replacement, place] = pair.as_slice() else {
            return None;
        };
        Some((
            replacement.downcast::<PyUnicodeObject>()?,
            place.downcast::<PyLongObject>()?.to_i64()?,
        ))
    });
    let Some((replacement, place)) = parts else {
        return Err(raise!(
            TypeError,
            "translating error handler must return (str, int) tuple"
        ));
    };
    let place = if place < 0 {
        place + text.len() as i64
    } else {
        place
    };
    if !(0..=text.len() as i64).contains(&place) {
        return Err(raise!(
            IndexError,
            "position {place} from error handler out of bounds"
        ));
    }
    out.extend(replacement.code_points());
    Ok(place as usize)
}

fn wide_len(start: *const wchar_t) -> usize {
    let mut len = 0;
    // SAFETY: C gives a terminated string.
    while unsafe { *start.add(len) } != 0 {
        len += 1;
    }
    len
}

pub fn from_ordinal(code_point: c_int) -> PyResult {
    if !(0..=0x10ffff).contains(&code_point) {
        return Err(raise!(ValueError, "chr() arg not in range(0x110000)"));
    }
    Ok(PyUnicodeObject::from_char(code_point as u32).into_object())
}

/// The interned str of a static identifier.
pub fn from_id(id: *mut _Py_Identifier) -> PyResult<Ref<PyUnicodeObject>> {
    // SAFETY: C gives a static identifier with a terminated string.
    let text = unsafe { CStr::from_ptr((*id).string.get()) };
    Ok(PyUnicodeObject::intern(str_from_c(text)?))
}

/// A str argument of a method; TypeError otherwise.
fn must_be_str(object: &PyObject) -> PyResult<&PyUnicodeObject> {
    object
        .downcast::<PyUnicodeObject>()
        .ok_or_else(|| raise!(TypeError, "must be str, not {}", object.ty().name()))
}

/// The slice that C's start and end mean: negative counts from the end.
fn adjust(len: usize, start: isize, end: isize) -> (usize, usize) {
    let (start, end) = adder_runtime::objects::stringlib::adjust_indices(start, end, len);
    (start.max(0) as usize, end.max(0) as usize)
}

/// Calls a method with integer bounds: `text.find(sub, start, end)`.
fn bounded_method(
    text: &PyUnicodeObject,
    name: &str,
    part: &PyUnicodeObject,
    start: isize,
    end: isize,
) -> PyResult {
    let (start, end) = (
        PyLongObject::from_i64(start as i64),
        PyLongObject::from_i64(end as i64),
    );
    let method = text.as_object().get_attr_str(name)?;
    method.call(&[part.as_object(), start.as_object(), end.as_object()])
}

fn find_char(text: &PyUnicodeObject, wanted: u32, start: isize, end: isize, direction: c_int) -> isize {
    let (start, end) = adjust(text.len(), start, end);
    let mut range = start..end.max(start);
    let found = if direction > 0 {
        range.find(|char_idx| text.char_at(*char_idx) == wanted)
    } else {
        range.rfind(|char_idx| text.char_at(*char_idx) == wanted)
    };
    found.map_or(-1, |char_idx| char_idx as isize)
}

/// A str that only C's caller has, of exact type, so that it may still be changed.
fn modifiable(object: &PyObject) -> Option<&PyUnicodeObject> {
    let text = object.downcast_exact::<PyUnicodeObject>()?;
    (object.refcnt() == 1 && text.interned_state() == 0).then_some(text)
}

fn write_char(text: &PyUnicodeObject, index: isize, code: u32) {
    let index = index as usize;
    // SAFETY: the caller checked the index and that the character fits the kind.
    unsafe {
        match text.kind() {
            1 => text.data_ptr().cast::<u8>().add(index).write(code as u8),
            2 => text.data_ptr().cast::<u16>().add(index).write(code as u16),
            _ => text.data_ptr().cast::<u32>().add(index).write(code),
        }
    }
}

/// PyUnicode_CopyCharacters, after the checks.
fn copy_characters(
    to: &PyUnicodeObject,
    to_start: isize,
    from: &PyUnicodeObject,
    from_start: isize,
    n: usize,
) {
    for char_idx in 0..n {
        write_char(
            to,
            to_start + char_idx as isize,
            from.char_at(from_start as usize + char_idx),
        );
    }
}

fn as_ucs4(text: &PyUnicodeObject, buffer: *mut u32, n_units: isize, copy_null: bool) -> PyResult<*mut u32> {
    let needed = text.len() + usize::from(copy_null);
    if buffer.is_null() || n_units < 0 {
        return Err(bad_internal_call());
    }
    if (n_units as usize) < needed {
        if copy_null && n_units > 0 {
            // SAFETY: there is room for one.
            unsafe { *buffer = 0 };
        }
        return Err(raise!(SystemError, "string is longer than the buffer"));
    }
    for (char_idx, code) in text.code_points().enumerate() {
        // SAFETY: there is room, as checked.
        unsafe { *buffer.add(char_idx) = code };
    }
    if copy_null {
        // SAFETY: there is room, as checked.
        unsafe { *buffer.add(text.len()) = 0 };
    }
    Ok(buffer)
}

fn from_kind_and_data(kind: c_int, start: *const c_void, len: isize) -> PyResult<Ref<PyUnicodeObject>> {
    if len < 0 {
        return Err(raise!(ValueError, "size must be positive"));
    }
    let len = len as usize;
    if !matches!(kind, 1 | 2 | 4) {
        return Err(raise!(SystemError, "invalid kind"));
    }
    if len == 0 {
        return Ok(PyUnicodeObject::empty());
    }
    // SAFETY: C gives that many units of that kind.
    unsafe {
        match kind {
            1 => Ok(PyUnicodeObject::from_latin1(std::slice::from_raw_parts(
                start.cast(),
                len,
            ))),
            2 => Ok(PyUnicodeObject::from_ucs2(std::slice::from_raw_parts(
                start.cast(),
                len,
            ))),
            4 => Ok(PyUnicodeObject::from_code_points(std::slice::from_raw_parts(
                start.cast(),
                len,
            ))),
            _ => Err(raise!(SystemError, "invalid kind")),
        }
    }
}

/// Replaces the str in `place` by `value`, or by NULL after a failure.
fn replace_place(place: *mut *mut PyObject, value: PyResult) -> PyResult<()> {
    let (raw, result) = match value {
        Ok(value) => (value.into_raw(), Ok(())),
        Err(raised) => (std::ptr::null_mut(), Err(raised)),
    };
    // SAFETY: C gives a place that owns an object or NULL.
    drop(unsafe { Ref::from_owned_opt(place.replace(raw)) });
    result
}

fn append(place: *mut *mut PyObject, right: Option<&PyObject>) -> PyResult<()> {
    // SAFETY: C gives a place that owns an object or NULL.
    let left = unsafe { (*place).as_ref() }.and_then(PyObject::downcast::<PyUnicodeObject>);
    let right = right.and_then(PyObject::downcast::<PyUnicodeObject>);
    let joined = match (left, right) {
        (Some(left), Some(right)) => left.concat(right).map(Ref::into_object),
        _ if adder_runtime::error::occurred() => Err(Raised::assume()),
        _ => Err(bad_internal_call()),
    };
    replace_place(place, joined)
}

capi! {
    fn PyUnicode_New(n_chars: isize, max_char: u32) -> PyResult<Ref<PyUnicodeObject>> {
        if n_chars < 0 {
            return Err(raise!(SystemError, "Negative size passed to PyUnicode_New"));
        }
        if n_chars == 0 {
            return Ok(PyUnicodeObject::empty());
        }
        if max_char > 0x10ffff {
            return Err(raise!(SystemError, "invalid maximum character passed to PyUnicode_New"));
        }
        PyUnicodeObject::new_uninit(n_chars as usize, max_char)
    }
    fn PyUnicode_FromString(text: &CStr) -> PyResult<Ref<PyUnicodeObject>> { str_from_c(text) }
    fn PyUnicode_FromStringAndSize(start: *const c_char, n_bytes: isize) -> PyResult<Ref<PyUnicodeObject>> {
        if n_bytes < 0 {
            return Err(raise!(SystemError, "Negative size passed to PyUnicode_FromStringAndSize"));
        }
        if start.is_null() && n_bytes > 0 {
            return Err(raise!(SystemError, "NULL string with positive size with NULL passed to PyUnicode_FromStringAndSize"));
        }
        // Longer than any memory.
        if n_bytes > isize::MAX / 2 {
            return Err(adder_runtime::memory::no_memory());
        }
        // SAFETY: C gives that many bytes.
        str_from_utf8(unsafe { c_slice(start, n_bytes) })
    }
    fn PyUnicode_FromKindAndData(kind: c_int, start: *const c_void, len: isize) -> PyResult<Ref<PyUnicodeObject>> {
        from_kind_and_data(kind, start, len)
    }
    fn PyUnicode_FromWideChar(start: *const wchar_t, n_chars: isize) -> PyResult<Ref<PyUnicodeObject>> {
        from_wide(start, n_chars)
    }
    fn PyUnicode_FromOrdinal(code_point: c_int) -> PyResult { from_ordinal(code_point) }
    fn PyUnicode_FromObject(object: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        match object.downcast::<PyUnicodeObject>() {
            Some(text) => Ok(text.to_exact()),
            None => Err(raise!(TypeError, "Can't convert '{}' object to str implicitly", object.ty().name())),
        }
    }
    fn PyUnicode_FromEncodedObject(object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult {
        if PyUnicodeObject::check(object) {
            return Err(raise!(TypeError, "decoding str is not supported"));
        }
        let encoding = PyUnicodeObject::from_str(&encoding.map_or("utf-8".into(), CStr::to_string_lossy));
        let errors = PyUnicodeObject::from_str(&errors.map_or("strict".into(), CStr::to_string_lossy));
        PyUnicodeObject::type_object().as_object().call(&[object, encoding.as_object(), errors.as_object()])
    }
    fn PyUnicode_InternFromString(text: Name) -> PyResult<Ref<PyUnicodeObject>> { Ok(text.0) }
    fn PyUnicode_InternInPlace(place: *mut *mut PyObject) -> Void { intern_in_place(place); Void }
    fn _PyUnicode_InternInPlace(_interpreter: *mut c_void, place: *mut *mut PyObject) -> Void { intern_in_place(place); Void }
    fn _PyUnicode_InternMortal(_interpreter: *mut c_void, place: *mut *mut PyObject) -> Void { intern_in_place(place); Void }
    fn _PyUnicode_InternImmortal(_interpreter: *mut c_void, place: *mut *mut PyObject) -> Void { intern_immortal(place); Void }
    fn PyUnicode_InternImmortal(place: *mut *mut PyObject) -> Void { intern_immortal(place); Void }
    fn _PyUnicode_FromId(id: *mut _Py_Identifier) -> PyResult<crate::export::Borrowed> {
        // SAFETY: C gives a static identifier.
        let text = unsafe { CStr::from_ptr((*id).string.get()) };
        let text = PyUnicodeObject::intern_immortal(&text.to_string_lossy());
        Ok(crate::export::Borrowed(text.as_ptr()))
    }
    fn _PyUnicode_FromASCII(start: *const c_char, n_bytes: isize) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives that many bytes.
        Ok(PyUnicodeObject::from_latin1(unsafe { c_slice(start, n_bytes) }))
    }
    fn _PyUnicode_Copy(text: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        from_kind_and_data(text.kind() as c_int, text.data_ptr(), text.len() as isize)
    }

    fn PyUnicode_AsUTF8(text: &PyUnicodeObject) -> PyResult<*const c_char> => {
        // SAFETY: C gives a live object or NULL.
        let bytes = unsafe { given::<PyUnicodeObject>(text)? }.ascii_bytes()?;
        Some(bytes.as_ptr().cast())
    } else {
        Ok(utf8(text)?.as_ptr().cast())
    }
    fn PyUnicode_AsUTF8AndSize(text: &PyUnicodeObject, n_bytes: OutNumber<isize, -1>) -> PyResult<*const c_char> => {
        // SAFETY: C gives a live object or NULL.
        let bytes = unsafe { given::<PyUnicodeObject>(text)? }.ascii_bytes()?;
        if !n_bytes.is_null() {
            // SAFETY: C gives a place.
            unsafe { put(n_bytes, bytes.len() as isize) };
        }
        Some(bytes.as_ptr().cast())
    } else {
        let bytes = utf8(text)?;
        if !n_bytes.0.is_null() {
            // SAFETY: C gives a place.
            unsafe { put(n_bytes.0, bytes.len() as isize) };
        }
        Ok(bytes.as_ptr().cast())
    }
    fn _PyUnicode_AsUTF8NoNUL(text: &PyUnicodeObject) -> PyResult<*const c_char> {
        let bytes = utf8(text)?;
        if bytes.contains(&0) {
            return Err(raise!(ValueError, "embedded null character"));
        }
        Ok(bytes.as_ptr().cast())
    }
    fn PyUnicode_AsUTF8String(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { Ok(PyBytesObject::from_slice(utf8(text)?)) }
    fn _PyUnicode_AsUTF8String(text: &PyUnicodeObject, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
        encode(text, "utf-8", errors)
    }
    fn PyUnicode_AsASCIIString(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "ascii", None) }
    fn _PyUnicode_AsASCIIString(text: &PyUnicodeObject, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
        encode(text, "ascii", errors)
    }
    fn PyUnicode_AsLatin1String(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "latin-1", None) }
    fn _PyUnicode_AsLatin1String(text: &PyUnicodeObject, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
        encode(text, "latin-1", errors)
    }
    fn PyUnicode_AsUTF16String(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "utf-16", None) }
    fn PyUnicode_AsUTF32String(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "utf-32", None) }
    fn PyUnicode_AsUnicodeEscapeString(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "unicode-escape", None) }
    fn PyUnicode_AsRawUnicodeEscapeString(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> {
        encode(text, "raw-unicode-escape", None)
    }
    fn PyUnicode_AsEncodedString(text: &PyUnicodeObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
        encode(text, &encoding.map_or("utf-8".into(), CStr::to_string_lossy), errors)
    }
    fn PyUnicode_EncodeFSDefault(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> { encode(text, "utf-8", Some(c"surrogateescape")) }
    fn PyUnicode_EncodeLocale(text: &PyUnicodeObject, errors: Option<&CStr>) -> PyResult<Ref<PyBytesObject>> {
        encode(text, "utf-8", errors)
    }
    fn PyUnicode_DATA(text: &PyUnicodeObject) -> *mut c_void { text.data_ptr() }
    fn PyUnicode_KIND(text: &PyUnicodeObject) -> c_int { text.kind() as c_int }
    fn PyUnicode_AsCharmapString(text: &PyUnicodeObject, mapping: Option<&PyObject>) -> PyResult<Ref<PyBytesObject>> {
        let Some(mapping) = mapping else {
            return Err(raise!(TypeError, "bad argument type for built-in operation"));
        };
        charmap::encode(text, "strict", mapping)
    }
    fn PyUnicode_BuildEncodingMap(table: &PyUnicodeObject) -> PyResult { charmap::build(table) }

    fn PyUnicode_Decode(start: *const c_char, n_bytes: isize, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, &encoding.map_or("utf-8".into(), CStr::to_string_lossy), errors)
    }
    fn PyUnicode_DecodeUTF8(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "utf-8", errors)
    }
    fn PyUnicode_DecodeUTF8Stateful(start: *const c_char, n_bytes: isize, errors: Option<&CStr>, consumed: *mut isize) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives that many bytes.
        give_decoded(utf_8::decode(unsafe { c_slice(start, n_bytes) }, &errors_text(errors), consumed.is_null())?, consumed)
    }
    fn PyUnicode_DecodeUTF7(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "utf-7", errors)
    }
    fn PyUnicode_DecodeUTF7Stateful(start: *const c_char, n_bytes: isize, errors: Option<&CStr>, consumed: *mut isize) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives that many bytes.
        give_decoded(utf_7::decode(unsafe { c_slice(start, n_bytes) }, &errors_text(errors), consumed.is_null())?, consumed)
    }
    fn PyUnicode_DecodeASCII(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "ascii", errors)
    }
    fn PyUnicode_DecodeLatin1(start: *const c_char, n_bytes: isize, _errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives that many bytes.
        Ok(PyUnicodeObject::from_latin1(unsafe { c_slice(start, n_bytes) }))
    }
    fn PyUnicode_DecodeUTF16(start: *const c_char, n_bytes: isize, errors: Option<&CStr>, byte_order: *mut c_int) -> PyResult<Ref<PyUnicodeObject>> {
        decode_wide(16, start, n_bytes, errors, byte_order, std::ptr::null_mut())
    }
    fn PyUnicode_DecodeUTF16Stateful(
        start: *const c_char, n_bytes: isize, errors: Option<&CStr>, byte_order: *mut c_int, consumed: *mut isize
    ) -> PyResult<Ref<PyUnicodeObject>> {
        decode_wide(16, start, n_bytes, errors, byte_order, consumed)
    }
    fn PyUnicode_DecodeUTF32(start: *const c_char, n_bytes: isize, errors: Option<&CStr>, byte_order: *mut c_int) -> PyResult<Ref<PyUnicodeObject>> {
        decode_wide(32, start, n_bytes, errors, byte_order, std::ptr::null_mut())
    }
    fn PyUnicode_DecodeUTF32Stateful(
        start: *const c_char, n_bytes: isize, errors: Option<&CStr>, byte_order: *mut c_int, consumed: *mut isize
    ) -> PyResult<Ref<PyUnicodeObject>> {
        decode_wide(32, start, n_bytes, errors, byte_order, consumed)
    }
    fn PyUnicode_DecodeUnicodeEscape(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "unicode-escape", errors)
    }
    fn PyUnicode_DecodeRawUnicodeEscape(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "raw-unicode-escape", errors)
    }
    fn PyUnicode_DecodeCharmap(
        start: *const c_char, n_bytes: isize, mapping: Option<&PyObject>, errors: Option<&CStr>
    ) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives that many bytes.
        charmap::decode(unsafe { c_slice(start, n_bytes) }, &errors_text(errors), mapping.filter(|mapping| !is_none(mapping)))
    }
    fn PyUnicode_DecodeFSDefault(text: &CStr) -> PyResult<Ref<PyUnicodeObject>> {
        decode(text.to_bytes(), "utf-8", Some(c"surrogateescape"))
    }
    fn PyUnicode_DecodeFSDefaultAndSize(start: *const c_char, n_bytes: isize) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "utf-8", Some(c"surrogateescape"))
    }
    fn PyUnicode_DecodeLocale(text: &CStr, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode(text.to_bytes(), "utf-8", errors)
    }
    fn PyUnicode_DecodeLocaleAndSize(start: *const c_char, n_bytes: isize, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        decode_c(start, n_bytes, "utf-8", errors)
    }
    fn PyUnicode_GetDefaultEncoding() -> *const c_char { c"utf-8".as_ptr() }
    fn PyUnicode_FSConverter(object: *mut PyObject, place: *mut *mut PyObject) -> c_int { crate::osmodule::fs_converter(object, place) }
    fn PyUnicode_FSDecoder(object: *mut PyObject, place: *mut *mut PyObject) -> c_int { crate::osmodule::fs_decoder(object, place) }

    fn PyUnicode_AsWideChar(text: Option<&PyObject>, buffer: *mut wchar_t, n_chars: isize) -> PyResult<isize> {
        let text = must_be_str(text.ok_or_else(bad_internal_call)?)?;
        if buffer.is_null() {
            return Ok(text.len() as isize + 1);
        }
        let n_copied = text.len().min(n_chars.max(0) as usize);
        for (char_idx, code) in text.code_points().take(n_copied).enumerate() {
            // SAFETY: C gives room for n_chars.
            unsafe { *buffer.add(char_idx) = code as wchar_t };
        }
        if (n_copied as isize) < n_chars {
            // SAFETY: as above.
            unsafe { *buffer.add(n_copied) = 0 };
        }
        Ok(n_copied as isize)
    }
    fn PyUnicode_AsWideCharString(text: Option<&PyObject>, n_chars: *mut isize) -> PyResult<*mut wchar_t> {
        let Some(text) = text else { return Err(bad_internal_call()) };
        let text = must_be_str(text)?;
        if n_chars.is_null() && text.code_points().any(|code| code == 0) {
            return Err(raise!(ValueError, "embedded null character"));
        }
        let buffer = crate::pymem::PyMem_Malloc_checked((text.len() + 1) * size_of::<wchar_t>())?;
        as_ucs4(text, buffer.cast(), text.len() as isize + 1, true)?;
        if !n_chars.is_null() {
            // SAFETY: C gives a place.
            unsafe { put(n_chars, text.len() as isize) };
        }
        Ok(buffer.cast())
    }
    fn PyUnicode_AsUCS4(text: &PyUnicodeObject, buffer: *mut u32, n_units: isize, copy_null: c_int) -> PyResult<*mut u32> {
        as_ucs4(text, buffer, n_units, copy_null != 0)
    }
    fn PyUnicode_AsUCS4Copy(text: &PyUnicodeObject) -> PyResult<*mut u32> {
        let buffer = crate::pymem::PyMem_Malloc_checked((text.len() + 1) * 4)?;
        as_ucs4(text, buffer.cast(), text.len() as isize + 1, true)
    }

    fn PyUnicode_GetLength(text: &PyUnicodeObject) -> PyResult<isize> { Ok(text.len() as isize) }
    fn PyUnicode_GetSize(_text: *mut PyObject) -> PyResult<isize> { Err(raise!(RuntimeError, "PyUnicode_GetSize has been removed.")) }
    fn PyUnicode_ReadChar(text: &PyUnicodeObject, index: isize) -> PyResult<u32> {
        if index < 0 || index as usize >= text.len() {
            return Err(raise!(IndexError, "string index out of range"));
        }
        Ok(text.char_at(index as usize))
    }
    fn PyUnicode_WriteChar(object: &PyObject, index: isize, code: u32) -> PyResult<()> {
        let Some(text) = object.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "bad argument type for built-in operation"));
        };
        if index < 0 || index as usize >= text.len() {
            return Err(raise!(IndexError, "string index out of range"));
        }
        if modifiable(object).is_none() {
            return Err(raise!(SystemError, "Cannot modify a string currently used"));
        }
        if code > text.max_char_value() {
            return Err(raise!(ValueError, "character out of range"));
        }
        write_char(text, index, code);
        Ok(())
    }
    fn PyUnicode_CopyCharacters(
        to: &PyObject, to_start: isize, from: &PyObject, from_start: isize, n_chars: isize
    ) -> PyResult<isize> {
        let (Some(to), Some(from)) = (to.downcast::<PyUnicodeObject>(), from.downcast::<PyUnicodeObject>()) else {
            return Err(bad_internal_call());
        };
        if from_start < 0 || from_start as usize > from.len() || to_start < 0 || to_start as usize > to.len() {
            return Err(raise!(IndexError, "string index out of range"));
        }
        if n_chars < 0 {
            return Err(raise!(SystemError, "how_many cannot be negative"));
        }
        let n_chars = (n_chars as usize).min(from.len() - from_start as usize);
        if to_start as usize + n_chars > to.len() {
            return Err(raise!(SystemError, "Cannot write {n_chars} characters at {to_start} in a string of {} characters", to.len()));
        }
        if n_chars == 0 {
            return Ok(0);
        }
        if modifiable(to.as_object()).is_none() {
            return Err(raise!(SystemError, "Cannot modify a string currently used"));
        }
        if from.kind() > to.kind() || (to.is_ascii() && !from.is_ascii()) {
            return Err(raise!(SystemError, "Cannot copy UCS{} characters into a string of UCS{} characters", from.kind(), to.kind()));
        }
        copy_characters(to, to_start, from, from_start, n_chars);
        Ok(n_chars as isize)
    }
    fn PyUnicode_Fill(object: &PyObject, start: isize, n_chars: isize, code: u32) -> PyResult<isize> {
        let Some(text) = object.downcast::<PyUnicodeObject>() else { return Err(bad_internal_call()) };
        if modifiable(object).is_none() {
            return Err(raise!(SystemError, "Cannot modify a string currently used"));
        }
        if code > text.max_char_value() {
            return Err(raise!(ValueError, "fill character is bigger than the string maximum character"));
        }
        if start < 0 {
            return Err(raise!(IndexError, "string index out of range"));
        }
        let n_chars = n_chars.min(text.len() as isize - start).max(0);
        (0..n_chars).for_each(|char_idx| write_char(text, start + char_idx, code));
        Ok(n_chars)
    }
    fn PyUnicode_Resize(place: *mut *mut PyObject, n_chars: isize) -> PyResult<()> { resize(place, n_chars) }
    fn PyUnicode_Substring(text: &PyUnicodeObject, start: isize, end: isize) -> PyResult<Ref<PyUnicodeObject>> {
        if start < 0 || end < 0 {
            return Err(raise!(IndexError, "string index out of range"));
        }
        let end = (end as usize).min(text.len());
        Ok(text.substring((start as usize).min(end), end))
    }

    fn PyUnicode_Concat(left: &PyObject, right: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        let Some(left) = left.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "must be str, not {}", left.ty().name()));
        };
        let Some(right) = right.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "can only concatenate str (not \"{}\") to str", right.ty().name()));
        };
        left.concat(right)
    }
    fn PyUnicode_Append(place: *mut *mut PyObject, right: Option<&PyObject>) -> Void {
        append(place, right).ok();
        Void
    }
    fn PyUnicode_AppendAndDel(place: *mut *mut PyObject, right: Option<Ref>) -> Void {
        append(place, right.as_deref()).ok();
        Void
    }
    fn PyUnicode_Join(separator: Option<&PyObject>, items: &PyObject) -> PyResult {
        let space = PyUnicodeObject::from_str(" ");
        must_be_str(separator.unwrap_or(space.as_object()))?.as_object().call_method(identifier!("join"), &[items])
    }
    fn _PyUnicode_JoinArray(separator: &PyUnicodeObject, items: *const *mut PyObject, n_items: isize) -> PyResult {
        // SAFETY: C gives that many objects.
        let items = (0..n_items as usize).map(|item_idx| unsafe { (**items.add(item_idx)).to_ref() }).collect();
        separator.as_object().call_method(identifier!("join"), &[PyTupleObject::from_vec(items).as_object()])
    }
    fn PyUnicode_Split(text: &PyObject, separator: Option<&PyObject>, max_split: isize) -> PyResult {
        let text = must_be_str(text)?;
        let separator = separator.filter(|separator| !is_none(separator)).map(must_be_str).transpose()?;
        Ok(text.split(separator, max_split)?.into_object())
    }
    fn PyUnicode_RSplit(text: &PyObject, separator: Option<&PyObject>, max_split: isize) -> PyResult {
        let text = must_be_str(text)?;
        let separator = separator.filter(|separator| !is_none(separator)).map(must_be_str).transpose()?;
        Ok(text.rsplit(separator, max_split)?.into_object())
    }
    fn PyUnicode_Splitlines(text: &PyObject, keep_ends: c_int) -> PyResult<Ref<PyListObject>> {
        Ok(must_be_str(text)?.split_lines(keep_ends != 0))
    }
    fn PyUnicode_Partition(text: &PyObject, separator: &PyObject) -> PyResult {
        must_be_str(text)?.as_object().call_method(identifier!("partition"), &[must_be_str(separator)?.as_object()])
    }
    fn PyUnicode_RPartition(text: &PyObject, separator: &PyObject) -> PyResult {
        must_be_str(text)?.as_object().call_method(identifier!("rpartition"), &[must_be_str(separator)?.as_object()])
    }
    fn PyUnicode_Replace(text: &PyObject, old: &PyObject, new: &PyObject, max_count: isize) -> PyResult<Ref<PyUnicodeObject>> {
        must_be_str(text)?.replace(must_be_str(old)?, must_be_str(new)?, max_count)
    }
    fn PyUnicode_Translate(text: &PyObject, table: Option<&PyObject>, errors: Option<&CStr>) -> PyResult<Ref<PyUnicodeObject>> {
        let Some(table) = table else {
            return Err(raise!(TypeError, "bad argument type for built-in operation"));
        };
        translate(must_be_str(text)?, table, &errors_text(errors))
    }
    fn PyUnicode_Format(format: &PyObject, args: &PyObject) -> PyResult {
        adder_runtime::protocol::number::remainder(must_be_str(format)?.as_object(), args)
    }
    fn PyUnicode_Find(text: &PyObject, part: &PyObject, start: isize, end: isize, direction: c_int) -> PyResult<FindIndex> {
        let method = if direction > 0 { "find" } else { "rfind" };
        find_result(bounded_method(must_be_str(text)?, method, must_be_str(part)?, start, end)).map(FindIndex)
    }
    fn PyUnicode_FindChar(text: &PyUnicodeObject, wanted: u32, start: isize, end: isize, direction: c_int) -> PyResult<FindIndex> {
        Ok(FindIndex(find_char(text, wanted, start, end, direction)))
    }
    fn PyUnicode_Count(text: &PyObject, part: &PyObject, start: isize, end: isize) -> PyResult<isize> {
        find_result(bounded_method(must_be_str(text)?, "count", must_be_str(part)?, start, end))
    }
    fn PyUnicode_Tailmatch(text: &PyObject, part: &PyObject, start: isize, end: isize, direction: c_int) -> PyResult<isize> {
        let method = if direction > 0 { "endswith" } else { "startswith" };
        let matched = bounded_method(must_be_str(text)?, method, must_be_str(part)?, start, end)?;
        Ok(isize::from(matched.is_true()?))
    }
    fn PyUnicode_Contains(text: &PyObject, part: &PyObject) -> PyResult<bool> {
        let Some(part) = part.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "'in <string>' requires string as left operand, not {}", part.ty().name()));
        };
        Ok(must_be_str(text)?.contains(part))
    }
    fn PyUnicode_Compare(left: &PyObject, right: &PyObject) -> PyResult<c_int> {
        match (left.downcast::<PyUnicodeObject>(), right.downcast::<PyUnicodeObject>()) {
            (Some(left), Some(right)) => Ok(left.compare(right) as c_int),
            _ => Err(raise!(TypeError, "Can't compare {} and {}", left.ty().name(), right.ty().name())),
        }
    }
    fn PyUnicode_CompareWithASCIIString(text: &PyUnicodeObject, other: *const c_char) -> c_int {
        // SAFETY: C gives a terminated string.
        let other = unsafe { CStr::from_ptr(other) }.to_bytes();
        let ours = text.code_points();
        ours.cmp(other.iter().map(|byte| u32::from(*byte))) as c_int
    }
    fn PyUnicode_RichCompare(left: &PyObject, right: &PyObject, op: c_int) -> PyResult {
        let Some(op) = CompareOp::from_c(op) else { return Err(bad_internal_call()) };
        match (left.downcast::<PyUnicodeObject>(), right.downcast::<PyUnicodeObject>()) {
            (Some(left), Some(right)) => Ok(py_bool(op.holds(left.compare(right)))),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    fn PyUnicode_Equal(left: &PyObject, right: &PyObject) -> PyResult<bool> {
        let first_other = if PyUnicodeObject::check(left) { right } else { left };
        match (left.downcast::<PyUnicodeObject>(), right.downcast::<PyUnicodeObject>()) {
            (Some(left), Some(right)) => Ok(left.eq(right)),
            _ => Err(raise!(TypeError, "first argument must be str, not {}", first_other.ty().name())),
        }
    }
    fn _PyUnicode_Equal(left: &PyUnicodeObject, right: &PyUnicodeObject) -> PyResult<bool> { Ok(left.eq(right)) }
    fn _PyUnicode_EQ(left: &PyUnicodeObject, right: &PyUnicodeObject) -> PyResult<bool> { Ok(left.eq(right)) }
    fn PyUnicode_EqualToUTF8(text: &PyUnicodeObject, other: *const c_char) -> c_int {
        // SAFETY: C gives a terminated string.
        equal_utf8(text, unsafe { CStr::from_ptr(other) }.to_bytes())
    }
    fn PyUnicode_EqualToUTF8AndSize(text: &PyUnicodeObject, other: *const c_char, n_bytes: isize) -> c_int {
        // SAFETY: C gives that many bytes.
        equal_utf8(text, unsafe { c_slice(other, n_bytes) })
    }
    fn _PyUnicode_EqualToASCIIString(text: &PyUnicodeObject, other: *const c_char) -> c_int {
        // SAFETY: C gives a terminated string.
        equal_utf8(text, unsafe { CStr::from_ptr(other) }.to_bytes())
    }
    fn PyUnicode_IsIdentifier(text: &PyUnicodeObject) -> PyResult<bool> { Ok(text.is_identifier()) }
    fn PyUnicode_AsDecodedObject(_text: *mut PyObject, _encoding: *const c_char, _errors: *const c_char) -> PyResult {
        Err(raise!(NotImplementedError, "PyUnicode_AsDecodedObject was replaced by PyCodec_Decode"))
    }
    fn PyUnicode_AsDecodedUnicode(_text: *mut PyObject, _encoding: *const c_char, _errors: *const c_char) -> PyResult {
        Err(raise!(NotImplementedError, "PyUnicode_AsDecodedUnicode was replaced by PyCodec_Decode"))
    }
    fn PyUnicode_AsEncodedObject(_text: *mut PyObject, _encoding: *const c_char, _errors: *const c_char) -> PyResult {
        Err(raise!(NotImplementedError, "PyUnicode_AsEncodedObject was replaced by PyCodec_Encode"))
    }
    fn PyUnicode_AsEncodedUnicode(_text: *mut PyObject, _encoding: *const c_char, _errors: *const c_char) -> PyResult {
        Err(raise!(NotImplementedError, "PyUnicode_AsEncodedUnicode was replaced by PyCodec_Encode"))
    }

    fn _PyUnicode_IsWhitespace(code: u32) -> c_int { c_int::from(unicodectype::is_space(code)) }
    fn _PyUnicode_IsLinebreak(code: u32) -> c_int { c_int::from(unicodectype::is_linebreak(code)) }
    fn _PyUnicode_IsLowercase(code: u32) -> c_int { c_int::from(unicodectype::is_lower(code)) }
    fn _PyUnicode_IsUppercase(code: u32) -> c_int { c_int::from(unicodectype::is_upper(code)) }
    fn _PyUnicode_IsTitlecase(code: u32) -> c_int { c_int::from(unicodectype::is_title(code)) }
    fn _PyUnicode_IsAlpha(code: u32) -> c_int { c_int::from(unicodectype::is_alpha(code)) }
    fn _PyUnicode_IsDecimalDigit(code: u32) -> c_int { c_int::from(unicodectype::is_decimal(code)) }
    fn _PyUnicode_IsDigit(code: u32) -> c_int { c_int::from(unicodectype::is_digit(code)) }
    fn _PyUnicode_IsNumeric(code: u32) -> c_int { c_int::from(unicodectype::is_numeric(code)) }
    fn _PyUnicode_IsPrintable(code: u32) -> c_int { c_int::from(unicodectype::is_printable(code)) }
    fn _PyUnicode_IsXidStart(code: u32) -> c_int { c_int::from(unicodectype::is_identifier_start(code)) }
    fn _PyUnicode_IsXidContinue(code: u32) -> c_int { c_int::from(unicodectype::is_identifier_continue(code)) }
    fn _PyUnicode_IsCased(code: u32) -> c_int { c_int::from(unicodectype::is_cased(code)) }
    fn _PyUnicode_IsCaseIgnorable(code: u32) -> c_int { c_int::from(unicodectype::is_case_ignorable(code)) }
    fn _PyUnicode_ToLowercase(code: u32) -> u32 { unicodectype::to_lower(code) }
    fn _PyUnicode_ToUppercase(code: u32) -> u32 { unicodectype::to_upper(code) }
    fn _PyUnicode_ToTitlecase(code: u32) -> u32 { unicodectype::to_title(code) }
    fn _PyUnicode_ToDecimalDigit(code: u32) -> c_int { unicodectype::to_decimal(code).map_or(-1, |digit| digit as c_int) }
    fn _PyUnicode_ToDigit(code: u32) -> c_int { unicodectype::to_digit(code).map_or(-1, |digit| digit as c_int) }
    fn _PyUnicode_ToNumeric(code: u32) -> c_double { unicodectype::to_numeric(code).unwrap_or(-1.0) }
}

/// An index that is -1 when nothing was found, so that an error is -2.
pub struct FindIndex(isize);

impl crate::export::CValue for FindIndex {
    type C = isize;
    const ERROR: isize = -2;
    fn into_c(self) -> isize {
        self.0
    }
}

fn find_result(found: PyResult) -> PyResult<isize> {
    found.and_then(|found| crate::longobject::as_ssize(&found))
}

fn equal_utf8(text: &PyUnicodeObject, other: &[u8]) -> c_int {
    c_int::from(std::str::from_utf8(other).is_ok_and(|other| text.eq_str(other)))
}

fn intern_in_place(place: *mut *mut PyObject) {
    // SAFETY: C gives a place that owns a str, or NULL.
    unsafe {
        let Some(object) = (*place).as_ref() else { return };
        if object.downcast_exact::<PyUnicodeObject>().is_none() {
            return;
        }
        let owned = Ref::<PyObject>::from_owned(*place).cast::<PyUnicodeObject>();
        *place = PyUnicodeObject::intern(owned).into_raw().cast();
    }
}

fn intern_immortal(place: *mut *mut PyObject) {
    intern_in_place(place);
    // SAFETY: as above.
    if let Some(object) = unsafe { (*place).as_ref() } {
        object.set_immortal();
    }
}

/// Changes the length of a str that only C's caller has: another one takes its place.
fn resize(place: *mut *mut PyObject, n_chars: isize) -> PyResult<()> {
    // SAFETY: C gives a place that owns a str.
    let Some(old) = (unsafe { (*place).as_ref() }).and_then(PyObject::downcast::<PyUnicodeObject>) else {
        return Err(bad_internal_call());
    };
    if n_chars < 0 {
        return Err(bad_internal_call());
    }
    let n_chars = n_chars as usize;
    if n_chars == old.len() {
        return Ok(());
    }
    let new = PyUnicodeObject::new_uninit(n_chars, old.max_char_value())?;
    if n_chars > 0 {
        copy_characters(&new, 0, old, 0, n_chars.min(old.len()));
    }
    replace_place(place, Ok(new.into_object()))
}

// ---- PyUnicodeWriter ----

/// # Safety
/// `writer` came from PyUnicodeWriter_Create.
unsafe fn writer<'a>(writer: *mut UnicodeWriter) -> &'a mut UnicodeWriter {
    // SAFETY: the caller's contract.
    unsafe { &mut *writer }
}

capi! {
    fn PyUnicodeWriter_Create(n_chars: isize) -> PyResult<*mut UnicodeWriter> {
        if n_chars < 0 {
            return Err(raise!(ValueError, "length must be positive"));
        }
        Ok(Box::into_raw(Box::new(UnicodeWriter::with_capacity(n_chars as usize))))
    }
    fn PyUnicodeWriter_Discard(this: *mut UnicodeWriter) -> Void {
        if !this.is_null() {
            // SAFETY: C gives the writer back.
            drop(unsafe { Box::from_raw(this) });
        }
        Void
    }
    fn PyUnicodeWriter_Finish(this: *mut UnicodeWriter) -> PyResult<Ref<PyUnicodeObject>> {
        // SAFETY: C gives the writer back.
        unsafe { Box::from_raw(this) }.finish()
    }
    fn PyUnicodeWriter_WriteChar(this: *mut UnicodeWriter, code: u32) -> PyResult<()> {
        if code > 0x10ffff {
            return Err(raise!(ValueError, "character must be in range(0x110000)"));
        }
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push(code);
        Ok(())
    }
    fn PyUnicodeWriter_WriteUTF8(this: *mut UnicodeWriter, start: *const c_char, n_bytes: isize) -> PyResult<()> {
        // SAFETY: C gives a live writer, and that many bytes or a terminated string.
        unsafe {
            let bytes = if n_bytes < 0 { CStr::from_ptr(start).to_bytes() } else { c_slice(start, n_bytes) };
            writer(this).push_object(&*str_from_utf8(bytes)?);
        }
        Ok(())
    }
    fn PyUnicodeWriter_WriteASCII(this: *mut UnicodeWriter, start: *const c_char, n_bytes: isize) -> PyResult<()> {
        // SAFETY: as above.
        unsafe {
            let bytes = if n_bytes < 0 { CStr::from_ptr(start).to_bytes() } else { c_slice(start, n_bytes) };
            writer(this).push_ascii(bytes);
        }
        Ok(())
    }
    fn PyUnicodeWriter_DecodeUTF8Stateful(
        this: *mut UnicodeWriter, start: *const c_char, n_bytes: isize, errors: Option<&CStr>, consumed: *mut isize
    ) -> PyResult<()> {
        if !consumed.is_null() {
            // SAFETY: C gives a place.
            unsafe { put(consumed, 0) };
        }
        // SAFETY: C gives a terminated string when the size is negative.
        let n_bytes = if n_bytes < 0 { unsafe { CStr::from_ptr(start) }.count_bytes() as isize } else { n_bytes };
        // SAFETY: C gives that many bytes.
        let text = (give_decoded(utf_8::decode(unsafe { c_slice(start, n_bytes) }, &errors_text(errors), consumed.is_null())?, consumed))?;
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&text);
        Ok(())
    }
    fn PyUnicodeWriter_WriteWideChar(this: *mut UnicodeWriter, start: *const wchar_t, n_chars: isize) -> PyResult<()> {
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&*from_wide(start, n_chars.max(-1))?);
        Ok(())
    }
    fn PyUnicodeWriter_WriteUCS4(this: *mut UnicodeWriter, start: *const u32, n_chars: isize) -> PyResult<()> {
        if n_chars < 0 {
            return Err(raise!(ValueError, "size must be positive"));
        }
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&*from_kind_and_data(4, start.cast(), n_chars)?);
        Ok(())
    }
    fn PyUnicodeWriter_WriteStr(this: *mut UnicodeWriter, object: &PyObject) -> PyResult<()> {
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&*object.str()?);
        Ok(())
    }
    fn PyUnicodeWriter_WriteRepr(this: *mut UnicodeWriter, object: Option<&PyObject>) -> PyResult<()> {
        let text = object.map_or_else(|| Ok(PyUnicodeObject::from_str("<NULL>")), PyObject::repr)?;
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&text);
        Ok(())
    }
    fn PyUnicodeWriter_WriteSubstring(this: *mut UnicodeWriter, text: &PyObject, start: isize, end: isize) -> PyResult<()> {
        let Some(text) = text.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "expect str, not {}", text.ty().name()));
        };
        if start < 0 || start > end {
            return Err(raise!(ValueError, "start must be positive and not greater than end"));
        }
        if end as usize > text.len() {
            return Err(raise!(ValueError, "end is out of bounds"));
        }
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_range(text, start as usize, end as usize);
        Ok(())
    }
    fn adder_PyUnicodeWriter_FormatV(this: *mut UnicodeWriter, format: &CStr, args: crate::va::VaList) -> PyResult<()> {
        let text = crate::unicode_format::format_unicode(format, &args)?;
        // SAFETY: C gives a live writer.
        unsafe { writer(this) }.push_object(&text);
        Ok(())
    }
}

/// Latin-1 whitespace, one byte per character.
#[unsafe(no_mangle)]
pub static _Py_ascii_whitespace: [u8; 128] = {
    let mut table = [0; 128];
    let spaces = [9, 10, 11, 12, 13, 28, 29, 30, 31, 32];
    let mut space_idx = 0;
    while space_idx < spaces.len() {
        table[spaces[space_idx]] = 1;
        space_idx += 1;
    }
    table
};
