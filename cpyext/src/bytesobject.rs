//! bytesobject.h, bytearrayobject.h.

use crate::export::{Void, bad_internal_call, put};
use adder_runtime::objects::buffer::{Buffer, has_buffer};
use adder_runtime::objects::bytearrayobject::_PyByteArray_empty_string;
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn expect_bytes(object: &PyObject) -> PyResult<&PyBytesObject> {
    object
        .downcast::<PyBytesObject>()
        .ok_or_else(|| raise!(TypeError, "expected bytes, {} found", object.ty().name()))
}

fn bytearray(object: &PyObject) -> PyResult<&PyByteArrayObject> {
    object
        .downcast::<PyByteArrayObject>()
        .ok_or_else(bad_internal_call)
}

/// New bytes of `n_bytes`, copied from C or left for C to fill.
fn new_bytes(start: *const c_char, n_bytes: isize) -> PyResult<Ref<PyBytesObject>> {
    if n_bytes < 0 {
        return Err(raise!(
            SystemError,
            "Negative size passed to PyBytes_FromStringAndSize"
        ));
    }
    if start.is_null() {
        return crate::objimpl::alloc_bytes(n_bytes as usize);
    }
    // SAFETY: C gives that many bytes.
    Ok(PyBytesObject::from_slice(unsafe {
        std::slice::from_raw_parts(start.cast(), n_bytes as usize)
    }))
}

/// The bytes of two objects with a simple buffer.
fn joined(left: &PyObject, right: &PyObject) -> PyResult<Vec<u8>> {
    let bytes = |object| {
        Buffer::simple(object).map_err(|raised| {
            raised.clear();
            raise!(
                TypeError,
                "can't concat {} to {}",
                right.ty().name(),
                left.ty().name()
            )
        })
    };
    Ok([bytes(left)?.as_bytes(), bytes(right)?.as_bytes()].concat())
}

/// A copy of an object's bytes, or of the numbers that it iterates over.
pub fn from_object(object: &PyObject) -> PyResult {
    if PyBytesObject::check_exact(object) {
        return Ok(object.to_ref());
    }
    // A number would say a length, and a str needs an encoding.
    let is_iterable = object.ty().tp_iter.get().is_some() || object.is_sequence();
    if !has_buffer(object) && (PyUnicodeObject::check(object) || !is_iterable) {
        return Err(raise!(
            TypeError,
            "cannot convert '{}' object to bytes",
            object.ty().name()
        ));
    }
    if has_buffer(object) {
        let memory = PyMemoryViewObject::type_object().as_object().call1(object)?;
        return memory.call_method(identifier!("tobytes"), &[]);
    }
    let items = PyListObject::type_object().as_object().call1(object)?;
    PyBytesObject::type_object().as_object().call1(&items)
}

/// PyBytes_Concat: replaces the bytes in `place` by them and `more`; NULL on failure.
fn concat(place: *mut *mut PyObject, more: Option<&PyObject>) -> PyResult<()> {
    // SAFETY: C gives a place that owns bytes, or NULL.
    let left = unsafe { Ref::from_owned_opt(place.replace(std::ptr::null_mut())) };
    let (Some(left), Some(more)) = (left, more) else {
        return Ok(());
    };
    let joined = PyBytesObject::from_slice(&joined(&left, more)?);
    // SAFETY: as above.
    unsafe { put(place, joined.into_raw().cast()) };
    Ok(())
}

capi! {
    fn PyBytes_FromStringAndSize(start: *const c_char, n_bytes: isize) -> PyResult<Ref<PyBytesObject>> {
        new_bytes(start, n_bytes)
    }
    fn PyBytes_FromString(text: &CStr) -> PyResult<Ref<PyBytesObject>> { Ok(PyBytesObject::from_slice(text.to_bytes())) }
    fn PyBytes_FromObject(object: &PyObject) -> PyResult { from_object(object) }
    fn PyBytes_Size(object: &PyObject) -> PyResult<isize> { Ok(expect_bytes(object)?.len() as isize) }
    fn PyBytes_AsString(object: &PyObject) -> PyResult<*mut c_char> { Ok(expect_bytes(object)?.data_ptr().cast()) }
    fn PyBytes_AsStringAndSize(object: &PyObject, start: *mut *mut c_char, n_bytes: *mut isize) -> PyResult<()> {
        let bytes = expect_bytes(object)?;
        // SAFETY: C gives places for the results; the length may be NULL.
        unsafe {
            put(start, bytes.data_ptr().cast());
            if n_bytes.is_null() {
                if bytes.as_bytes().contains(&0) {
                    return Err(raise!(ValueError, "embedded null byte"));
                }
            } else {
                put(n_bytes, bytes.len() as isize);
            }
        }
        Ok(())
    }
    fn PyBytes_Concat(place: *mut *mut PyObject, more: Option<&PyObject>) -> Void {
        if let Err(raised) = concat(place, more) {
            debug_assert!(adder_runtime::error::occurred(), "{raised:?}");
        }
        Void
    }
    fn PyBytes_ConcatAndDel(place: *mut *mut PyObject, more: Option<Ref>) -> Void {
        if let Err(raised) = concat(place, more.as_deref()) {
            debug_assert!(adder_runtime::error::occurred(), "{raised:?}");
        }
        Void
    }
    fn _PyBytes_Resize(place: *mut *mut PyObject, n_bytes: isize) -> PyResult<()> {
        // SAFETY: C gives a place that owns bytes which nobody else has seen.
        let old = unsafe { Ref::from_owned_opt(place.replace(std::ptr::null_mut())) };
        let Some(old) = old.and_then(|old| old.downcast::<PyBytesObject>().ok()).filter(|_| n_bytes >= 0) else {
            return Err(bad_internal_call());
        };
        let resized = crate::objimpl::alloc_bytes(n_bytes as usize)?;
        let n_kept = old.len().min(n_bytes as usize);
        // SAFETY: both have that many bytes; the new ones are nobody else's.
        unsafe {
            std::ptr::copy_nonoverlapping(old.data_ptr(), resized.data_ptr(), n_kept);
            put(place, resized.into_raw().cast());
        }
        Ok(())
    }
    fn PyBytes_Join(separator: &PyObject, items: &PyObject) -> PyResult {
        expect_bytes(separator)?;
        separator.call_method(identifier!("join"), &[items])
    }
    fn _PyBytes_Join(separator: &PyObject, items: &PyObject) -> PyResult {
        separator.call_method(identifier!("join"), &[items])
    }
    fn PyBytes_Repr(object: &PyObject, smart_quotes: c_int) -> PyResult<Ref<PyUnicodeObject>> {
        let text = object.repr()?;
        let bytes = expect_bytes(object)?.as_bytes();
        if smart_quotes != 0 || !bytes.contains(&b'\'') || bytes.contains(&b'"') {
            return Ok(text);
        }
        // Double quotes were chosen; C wants single ones always.
        let text = text.to_string_lossy();
        let inner = &text[2..text.len() - 1];
        Ok(PyUnicodeObject::from_string(format!("b'{}'", inner.replace('\'', "\\'"))))
    }
    fn PyBytes_DecodeEscape(
        start: *const c_char, n_bytes: isize, errors: Option<&CStr>, _unicode: isize, _recode: *const c_char
    ) -> PyResult {
        if n_bytes > isize::MAX / 4 {
            return Err(raise!(OverflowError, "byte string is too long"));
        }
        // SAFETY: C gives that many bytes.
        let bytes = unsafe { crate::unicodeobject::c_slice(start, n_bytes) };
        let errors = errors.map_or("strict".into(), CStr::to_string_lossy);
        let decoded = adder_runtime::objects::codecs::escape::decode_bytes_escape(bytes, &errors)?;
        Ok(PyBytesObject::from_slice(&decoded).into_object())
    }

    fn PyByteArray_FromObject(object: &PyObject) -> PyResult { PyByteArrayObject::type_object().as_object().call1(object) }
    fn PyByteArray_FromStringAndSize(start: *const c_char, n_bytes: isize) -> PyResult {
        if n_bytes < 0 {
            return Err(raise!(SystemError, "Negative size passed to PyByteArray_FromStringAndSize"));
        }
        if start.is_null() {
            let n_bytes = PyLongObject::from_i64(n_bytes as i64);
            return PyByteArrayObject::type_object().as_object().call1(n_bytes.as_object());
        }
        // SAFETY: C gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(start.cast(), n_bytes as usize) };
        Ok(PyByteArrayObject::from_slice(bytes).into_object())
    }
    fn PyByteArray_Size(object: &PyObject) -> PyResult<isize> { Ok(bytearray(object)?.ob_base.ob_size.get()) }
    fn PyByteArray_AsString(object: &PyObject) -> PyResult<*mut c_char> {
        let array = bytearray(object)?;
        let start = array.ob_start.get();
        Ok(if start.is_null() { (&raw const _PyByteArray_empty_string).cast_mut().cast() } else { start })
    }
    fn PyByteArray_Concat(left: &PyObject, right: &PyObject) -> PyResult {
        Ok(PyByteArrayObject::from_slice(&joined(left, right)?).into_object())
    }
    fn PyByteArray_Resize(object: &PyObject, n_bytes: isize) -> PyResult<()> {
        bytearray(object)?;
        if n_bytes < 0 {
            return Err(raise!(ValueError, "Can only resize to positive sizes, got {n_bytes}"));
        }
        object.call_method(identifier!("resize"), &[PyLongObject::from_i64(n_bytes as i64).as_object()]).map(drop)
    }
}
