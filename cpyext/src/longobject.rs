//! longobject.h, longintrepr.h: Python integers <-> C integers and digits.

use crate::export::{OutNumber, Void, bad_internal_call, put};
use adder_runtime::prelude::*;
use std::ffi::{CStr, c_double, c_longlong, c_uchar, c_ulonglong};

/// The value of an int of at most one digit, which is what C code mostly asks for.
#[inline(always)]
fn compact(object: &PyObject) -> Option<isize> {
    if !object.type_has(Py_TPFLAGS_LONG_SUBCLASS) {
        return None;
    }
    // SAFETY: the flag says that it is an int.
    let long = unsafe { object.cast_unchecked::<PyLongObject>() };
    long.is_compact().then(|| long.compact_value())
}

fn expect_int(object: &PyObject) -> PyResult<&PyLongObject> {
    object
        .downcast::<PyLongObject>()
        .ok_or_else(|| raise!(TypeError, "an integer is required"))
}

/// PyLong_AsLong: `__index__` counts.
#[inline(always)]
pub fn as_c_long(object: &PyObject) -> PyResult<c_long> {
    match compact(object) {
        Some(value) => Ok(value as c_long),
        None => as_c_long_general(object),
    }
}

#[cold]
#[inline(never)]
fn as_c_long_general(object: &PyObject) -> PyResult<c_long> {
    let number = object.index_subclass()?;
    number
        .to_i64()
        .ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C long"))
}

pub fn as_c_longlong(object: &PyObject) -> PyResult<c_longlong> {
    if let Some(value) = compact(object) {
        return Ok(value as c_longlong);
    }
    let number = object.index_subclass()?;
    number
        .to_i64()
        .ok_or_else(|| raise!(OverflowError, "int too big to convert"))
}

pub fn as_c_int(object: &PyObject) -> PyResult<c_int> {
    as_narrow::<c_int>(object, "int")
}

/// An int that fits a narrower C type; `name` is what the message calls it.
fn as_narrow<T: TryFrom<i64>>(object: &PyObject, name: &str) -> PyResult<T> {
    if let Some(value) = compact(object).and_then(|value| T::try_from(value as i64).ok()) {
        return Ok(value);
    }
    let number = object.index_subclass()?;
    number
        .to_i64()
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C {name}"))
}

fn as_unsigned<T: TryFrom<u64>>(object: &PyObject, name: &str) -> PyResult<T> {
    let number = object.index_subclass()?;
    if number.sign() < 0 {
        return Err(raise!(ValueError, "Cannot convert negative int"));
    }
    to_u64(&number)
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C {name}"))
}

/// PyLong_AsSsize_t: an int only.
pub fn as_ssize(object: &PyObject) -> PyResult<isize> {
    if let Some(value) = compact(object) {
        return Ok(value);
    }
    let number = expect_int(object)?;
    let value = number
        .to_i64()
        .ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C ssize_t"));
    value.map(|value| value as isize)
}

/// The low 64 bits in two's complement; `__index__` counts.
pub fn as_mask(object: &PyObject) -> PyResult<u64> {
    let number = object.index_subclass()?;
    Ok(low_bits(&number))
}

fn low_bits(number: &PyLongObject) -> u64 {
    // SAFETY: a finished int tells the truth about its digits.
    let digits = unsafe { number.long_value.digits() };
    let magnitude = digits
        .iter()
        .take(3)
        .enumerate()
        .fold(0u128, |sum, (digit_idx, digit)| {
            sum | u128::from(*digit) << (30 * digit_idx)
        }) as u64;
    if number.long_value.is_negative() {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

/// The magnitude when it fits.
pub fn to_u64(number: &PyLongObject) -> Option<u64> {
    // SAFETY: as above.
    let digits = unsafe { number.long_value.digits() };
    if number.long_value.is_negative() || digits.len() > 3 {
        return None;
    }
    let value = digits.iter().enumerate().fold(0u128, |sum, (digit_idx, digit)| {
        sum | u128::from(*digit) << (30 * digit_idx)
    });
    u64::try_from(value).ok()
}

/// `int` only; negative values and overflow have the messages of `PyLong_AsUnsignedLong` and `PyLong_AsSize_t`.
fn as_unsigned_word(object: &PyObject, negative: &str, overflow: &str) -> PyResult<u64> {
    let number = expect_int(object)?;
    if number.sign() < 0 {
        return Err(raise!(OverflowError, "{negative}"));
    }
    to_u64(number).ok_or_else(|| raise!(OverflowError, "{overflow}"))
}

#[inline(always)]
fn int(value: i64) -> PyResult<Ref<PyLongObject>> {
    Ok(PyLongObject::from_i64(value))
}

fn uint(value: u64) -> PyResult<Ref<PyLongObject>> {
    Ok(PyLongObject::from_u64(value))
}

capi! {
    fn PyLong_FromLong(value: i64) -> PyResult<Ref<PyLongObject>> => {
        PyLongObject::from_i64_quick(value).map(Ref::into_raw)
    } else {
        int(value)
    }
    fn PyLong_FromLongLong(value: c_longlong) -> PyResult<Ref<PyLongObject>> => {
        PyLongObject::from_i64_quick(value).map(Ref::into_raw)
    } else {
        int(value)
    }
    fn PyLong_FromSsize_t(value: isize) -> PyResult<Ref<PyLongObject>> => {
        PyLongObject::from_i64_quick(value as i64).map(Ref::into_raw)
    } else {
        int(value as i64)
    }
    fn PyLong_FromInt32(value: c_int) -> PyResult<Ref<PyLongObject>> { int(value as i64) }
    fn PyLong_FromInt64(value: i64) -> PyResult<Ref<PyLongObject>> { int(value) }
    fn PyLong_FromUnsignedLong(value: u64) -> PyResult<Ref<PyLongObject>> { uint(value) }
    fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> PyResult<Ref<PyLongObject>> { uint(value) }
    fn PyLong_FromSize_t(value: usize) -> PyResult<Ref<PyLongObject>> { uint(value as u64) }
    fn PyLong_FromUInt32(value: c_uint) -> PyResult<Ref<PyLongObject>> { uint(value as u64) }
    fn PyLong_FromUInt64(value: u64) -> PyResult<Ref<PyLongObject>> { uint(value) }
    fn PyLong_FromVoidPtr(pointer: *mut c_void) -> PyResult<Ref<PyLongObject>> { uint(pointer as u64) }
    fn PyLong_FromDouble(value: c_double) -> PyResult<Ref<PyLongObject>> { PyLongObject::from_f64(value) }
    fn PyLong_FromString(text: &CStr, end: *mut *mut c_char, base: c_int) -> PyResult {
        from_string(text, end, base)
    }
    fn PyLong_FromUnicodeObject(text: &PyObject, base: c_int) -> PyResult {
        let base = PyLongObject::from_i64(base as i64);
        PyLongObject::type_object().as_object().call(&[text, base.as_object()])
    }

    fn PyLong_AsLong(object: &PyObject) -> PyResult<i64> { as_c_long(object) }
    fn PyLong_AsInt(object: &PyObject) -> PyResult<c_int> { as_c_int(object) }
    fn PyLong_AsLongLong(object: &PyObject) -> PyResult<i64> { as_c_longlong(object) }
    fn PyLong_AsSsize_t(object: &PyObject) -> PyResult<isize> { as_ssize(object) }
    fn PyLong_AsLongAndOverflow(object: &PyObject, overflow: OutNumber<c_int, 0>) -> PyResult<i64> {
        long_and_overflow(object, overflow.0)
    }
    fn PyLong_AsLongLongAndOverflow(object: &PyObject, overflow: OutNumber<c_int, 0>) -> PyResult<i64> {
        long_and_overflow(object, overflow.0)
    }
    fn PyLong_AsUnsignedLong(object: &PyObject) -> PyResult<u64> {
        as_unsigned_word(
            object, "can't convert negative value to unsigned int", "Python int too large to convert to C unsigned long",
        )
    }
    fn PyLong_AsSize_t(object: &PyObject) -> PyResult<usize> {
        as_unsigned_word(
            object, "can't convert negative value to size_t", "Python int too large to convert to C size_t",
        ).map(|value| value as usize)
    }
    fn PyLong_AsUnsignedLongLong(object: &PyObject) -> PyResult<u64> {
        as_unsigned_word(object, "can't convert negative int to unsigned", "int too big to convert")
    }
    fn PyLong_AsUnsignedLongMask(object: &PyObject) -> PyResult<u64> { as_mask(object) }
    fn PyLong_AsUnsignedLongLongMask(object: &PyObject) -> PyResult<u64> { as_mask(object) }
    fn PyLong_AsDouble(object: &PyObject) -> PyResult<c_double> { expect_int(object)?.to_f64() }
    fn PyLong_AsVoidPtr(object: &PyObject) -> PyResult<*mut c_void> {
        let number = expect_int(object)?;
        if number.sign() < 0 {
            return as_c_long(object).map(|value| value as usize as *mut c_void);
        }
        match to_u64(number) {
            Some(value) => Ok(value as usize as *mut c_void),
            None => Err(raise!(OverflowError, "Python int too large to convert to C unsigned long")),
        }
    }
    fn PyLong_AsInt32(object: &PyObject, value: *mut i32) -> PyResult<()> { store(value, as_narrow(object, "int32_t")) }
    fn PyLong_AsInt64(object: &PyObject, value: *mut i64) -> PyResult<()> { store(value, as_narrow(object, "int64_t")) }
    fn PyLong_AsUInt32(object: &PyObject, value: *mut u32) -> PyResult<()> { store(value, as_unsigned(object, "uint32_t")) }
    fn PyLong_AsUInt64(object: &PyObject, value: *mut u64) -> PyResult<()> { store(value, as_unsigned(object, "uint64_t")) }

    fn PyLong_GetInfo() -> PyResult { crate::sysmodule::sys_attribute(identifier!("int_info")) }
    fn PyLong_GetSign(object: &PyObject, sign: *mut c_int) -> PyResult<()> {
        let number = object.downcast::<PyLongObject>();
        let number = number.ok_or_else(|| raise!(TypeError, "expect int, got {}", object.ty().name()))?;
        store(sign, Ok(number.sign() as c_int))
    }
    fn _PyLong_Sign(object: &PyObject) -> PyResult<c_int> { Ok(expect_int(object)?.sign() as c_int) }
    fn PyLong_IsZero(object: &PyObject) -> PyResult<bool> { sign_is(object, 0) }
    fn PyLong_IsPositive(object: &PyObject) -> PyResult<bool> { sign_is(object, 1) }
    fn PyLong_IsNegative(object: &PyObject) -> PyResult<bool> { sign_is(object, -1) }
    fn PyUnstable_Long_IsCompact(object: &PyObject) -> PyResult<bool> { Ok(expect_int(object)?.is_compact()) }
    fn PyUnstable_Long_CompactValue(object: &PyObject) -> PyResult<isize> { Ok(expect_int(object)?.compact_value()) }
    fn _PyLong_Copy(object: &PyObject) -> PyResult {
        let number = expect_int(object)?;
        Ok(match number.to_i64() {
            Some(value) => PyLongObject::from_i64(value).into_object(),
            None => PyLongObject::from_bigint(&number.to_bigint())?.into_object(),
        })
    }
    fn _PyLong_NumBits(object: &PyObject) -> PyResult<i64> { Ok(expect_int(object)?.bit_length() as i64) }
    fn _PyLong_GCD(a: &PyObject, b: &PyObject) -> PyResult {
        let math = crate::import::import_module("math")?;
        math.call_method(identifier!("gcd"), &[a, b])
    }

    fn PyLong_AsNativeBytes(object: &PyObject, buffer: *mut c_void, n_bytes: isize, flags: c_int) -> PyResult<isize> {
        as_native_bytes(object, buffer.cast(), n_bytes, flags)
    }
    fn PyLong_FromNativeBytes(buffer: *const c_void, n_bytes: usize, flags: c_int) -> PyResult<Ref<PyLongObject>> {
        // SAFETY: C gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), n_bytes) };
        let signed = flags == -1 || flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER == 0;
        from_bytes(bytes, little_endian(flags), signed)
    }
    fn PyLong_FromUnsignedNativeBytes(buffer: *const c_void, n_bytes: usize, flags: c_int) -> PyResult<Ref<PyLongObject>> {
        // SAFETY: C gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), n_bytes) };
        from_bytes(bytes, little_endian(flags), false)
    }
    fn _PyLong_FromByteArray(bytes: *const c_uchar, n_bytes: usize, little_endian: c_int, is_signed: c_int) -> PyResult<Ref<PyLongObject>> {
        // SAFETY: C gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(bytes, n_bytes) };
        from_bytes(bytes, little_endian != 0, is_signed != 0)
    }
    fn _PyLong_AsByteArray(
        object: &PyObject, bytes: *mut c_uchar, n_bytes: usize, little_endian: c_int, is_signed: c_int, with_exceptions: c_int
    ) -> PyResult<()> {
        // SAFETY: C gives room for that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(bytes, n_bytes) };
        as_byte_array(expect_int(object)?, bytes, little_endian != 0, is_signed != 0, with_exceptions != 0)
    }

    fn PyLong_GetNativeLayout() -> *const PyLongLayout { &LAYOUT }
    fn PyLong_Export(object: &PyObject, export: *mut PyLongExport) -> PyResult<()> {
        // SAFETY: C gives a struct to fill.
        let export = unsafe { &*export };
        let Some(number) = object.downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "expect int, got {}", object.ty().name()));
        };
        match number.to_i64() {
            Some(value) => {
                export.value.set(value);
                export.negative.set(0);
                export.ndigits.set(0);
                export.digits.set(std::ptr::null());
                export._reserved.set(0);
            }
            None => {
                export.value.set(0);
                export.negative.set(u8::from(number.sign() < 0));
                export.ndigits.set(number.long_value.digit_count() as isize);
                export.digits.set(number.long_value.digits_ptr().cast());
                export._reserved.set(object.to_ref().into_raw() as usize);
            }
        }
        Ok(())
    }
    fn PyLong_FreeExport(export: *mut PyLongExport) -> Void {
        // SAFETY: C gives a struct that PyLong_Export filled; it holds a count when it shows digits.
        unsafe {
            let export = &*export;
            if !export.digits.replace(std::ptr::null()).is_null() {
                drop(Ref::from_owned_opt(export._reserved.replace(0) as *mut PyObject));
            }
        }
        Void
    }
    fn PyLongWriter_Create(negative: c_int, n_digits: isize, digits: *mut *mut c_void) -> PyResult<*mut PyLongWriter> {
        if n_digits <= 0 {
            return Err(raise!(ValueError, "ndigits must be positive"));
        }
        let mut writer = Box::new(PyLongWriter { negative: negative != 0, digits: vec![0; n_digits as usize] });
        // SAFETY: C gives a place for the digits' address, which stays as long as the writer.
        unsafe { put(digits, writer.digits.as_mut_ptr().cast()) };
        Ok(Box::into_raw(writer))
    }
    fn PyLongWriter_Finish(writer: *mut PyLongWriter) -> PyResult<Ref<PyLongObject>> {
        // SAFETY: C gives the writer back.
        let writer = unsafe { Box::from_raw(writer) };
        from_digits(&writer.digits, writer.negative)
    }
    fn PyLongWriter_Discard(writer: *mut PyLongWriter) -> Void {
        if !writer.is_null() {
            // SAFETY: C gives the writer back.
            drop(unsafe { Box::from_raw(writer) });
        }
        Void
    }
    fn _PyLong_FromDigits(negative: c_int, n_digits: isize, digits: *mut u32) -> PyResult<Ref<PyLongObject>> {
        // SAFETY: C gives that many digits.
        from_digits(unsafe { std::slice::from_raw_parts(digits, n_digits as usize) }, negative != 0)
    }
    fn _PyLong_New(_n_digits: isize) -> PyResult {
        Err(raise!(SystemError, "_PyLong_New is replaced by PyLongWriter_Create"))
    }

    fn PyBool_FromLong(value: i64) -> PyResult { Ok(py_bool(value != 0)) }
}

static LAYOUT: PyLongLayout = PyLongLayout {
    bits_per_digit: 30,
    digit_size: 4,
    digits_order: -1,
    digit_endianness: if cfg!(target_endian = "big") { 1 } else { -1 },
};

/// An integer under construction from C, digit by digit.
pub struct PyLongWriter {
    negative: bool,
    digits: Vec<u32>,
}

fn store<T>(place: *mut T, value: PyResult<T>) -> PyResult<()> {
    let value = value?;
    // SAFETY: C gives a place for the value.
    unsafe { put(place, value) };
    Ok(())
}

fn sign_is(object: &PyObject, sign: c_int) -> PyResult<bool> {
    match object.downcast::<PyLongObject>() {
        Some(number) => Ok(number.sign() as c_int == sign),
        None => Err(raise!(TypeError, "expected int, got {}", object.ty().name())),
    }
}

fn long_and_overflow(object: &PyObject, overflow: *mut c_int) -> PyResult<i64> {
    if overflow.is_null() {
        return Err(bad_internal_call());
    }
    let number = object.index_subclass()?;
    Ok(number.to_i64().unwrap_or_else(|| {
        // SAFETY: as above.
        unsafe { put(overflow, number.sign() as c_int) };
        -1
    }))
}

fn from_digits(digits: &[u32], negative: bool) -> PyResult<Ref<PyLongObject>> {
    let mut bytes = Vec::with_capacity(digits.len() * 4 + 8);
    let (mut pending, mut n_bits) = (0u64, 0);
    for digit in digits {
        pending |= u64::from(*digit) << n_bits;
        n_bits += 30;
        while n_bits >= 8 {
            bytes.push(pending as u8);
            pending >>= 8;
            n_bits -= 8;
        }
    }
    bytes.push(pending as u8);
    let magnitude = num_bigint::BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes);
    PyLongObject::from_bigint(&if negative { -magnitude } else { magnitude })
}

fn from_bytes(bytes: &[u8], little_endian: bool, signed: bool) -> PyResult<Ref<PyLongObject>> {
    use num_bigint::{BigInt, Sign};
    let value = match (little_endian, signed) {
        (true, true) => BigInt::from_signed_bytes_le(bytes),
        (false, true) => BigInt::from_signed_bytes_be(bytes),
        (true, false) => BigInt::from_bytes_le(Sign::Plus, bytes),
        (false, false) => BigInt::from_bytes_be(Sign::Plus, bytes),
    };
    PyLongObject::from_bigint(&value)
}

fn little_endian(flags: c_int) -> bool {
    if flags == -1 || flags & 2 != 0 {
        cfg!(target_endian = "little")
    } else {
        flags & Py_ASNATIVEBYTES_LITTLE_ENDIAN != 0
    }
}

/// Fills `out` with the low bytes in two's complement.
fn fill_bytes(number: &PyLongObject, out: &mut [u8], little_endian: bool) {
    let bytes = number.to_bigint().to_signed_bytes_le();
    let fill = if number.sign() < 0 { 0xff } else { 0 };
    for (byte_idx, byte) in out.iter_mut().enumerate() {
        *byte = bytes.get(byte_idx).copied().unwrap_or(fill);
    }
    if !little_endian {
        out.reverse();
    }
}

fn as_native_bytes(object: &PyObject, buffer: *mut u8, n_bytes: isize, flags: c_int) -> PyResult<isize> {
    if n_bytes < 0 {
        return Err(bad_internal_call());
    }
    let number = match object.downcast::<PyLongObject>() {
        Some(number) => number.to_ref(),
        None if flags != -1 && flags & Py_ASNATIVEBYTES_ALLOW_INDEX != 0 => object.index_subclass()?,
        None => return Err(raise!(TypeError, "expect int, got {}", object.ty().name())),
    };
    if flags != -1 && flags & Py_ASNATIVEBYTES_REJECT_NEGATIVE != 0 && number.sign() < 0 {
        return Err(raise!(ValueError, "Cannot convert negative int"));
    }
    if n_bytes > 0 {
        // SAFETY: C gives room for that many bytes.
        let out = unsafe { std::slice::from_raw_parts_mut(buffer, n_bytes as usize) };
        fill_bytes(&number, out, little_endian(flags));
    }
    let unsigned = flags == -1 || flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER != 0;
    let n_bits = number.bit_length() as isize;
    let negative = number.sign() < 0;
    let power_of_two = negative && number.to_bigint().magnitude().count_ones() == 1;
    // Bits with a sign bit; the lowest number of a width needs none beyond it.
    let signed_bits = n_bits + isize::from(!power_of_two);
    if number.is_compact() {
        // As CPython, which stores a whole word of a small int and only then looks whether less would do.
        let word = size_of::<isize>() as isize;
        let fits = signed_bits <= n_bytes * 8;
        return Ok(if n_bytes >= word || n_bytes == 0 {
            word
        } else if fits || (unsigned && !negative && n_bits <= n_bytes * 8) {
            n_bytes
        } else if !negative && n_bits <= n_bytes * 8 {
            n_bytes + 1
        } else {
            word
        });
    }
    let needed = n_bits / 8 + 1;
    let exact = n_bytes > 0 && n_bits == n_bytes * 8 && (power_of_two || (unsigned && !negative));
    Ok(if exact { n_bytes } else { needed })
}

fn as_byte_array(
    number: &PyLongObject,
    out: &mut [u8],
    little_endian: bool,
    signed: bool,
    raises: bool,
) -> PyResult<()> {
    let negative = number.sign() < 0;
    if negative && !signed {
        if !raises {
            return Err(Raised::from_c("_PyLong_AsByteArray"));
        }
        return Err(raise!(OverflowError, "can't convert negative int to unsigned"));
    }
    fill_bytes(number, out, little_endian);
    let n_needed = number.to_bigint().to_signed_bytes_le().len();
    let fits = n_needed <= out.len() || (!signed && number.bit_length() as usize <= out.len() * 8);
    if fits {
        Ok(())
    } else {
        Err(raise!(OverflowError, "int too big to convert"))
    }
}

/// PyLong_FromString: the whole text must be a number; `end` receives where reading stopped.
fn from_string(text: &CStr, end: *mut *mut c_char, base: c_int) -> PyResult {
    let bytes = text.to_bytes();
    if !end.is_null() {
        // SAFETY: not NULL; C gives a place.
        unsafe { put(end, text.as_ptr().add(number_end(bytes, base)).cast_mut()) };
    }
    if !bytes.is_ascii() {
        let text = PyUnicodeObject::from_str(&text.to_string_lossy())
            .as_object()
            .repr()?;
        return Err(raise!(
            ValueError,
            "invalid literal for int() with base {base}: {}",
            text.to_string_lossy()
        ));
    }
    let (text, base) = (
        crate::export::str_from_utf8(bytes)?,
        PyLongObject::from_i64(base as i64),
    );
    PyLongObject::type_object()
        .as_object()
        .call(&[text.as_object(), base.as_object()])
}

/// Where the longest prefix that spells an integer ends.
fn number_end(bytes: &[u8], base: c_int) -> usize {
    let mut at = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let mut radix = base as u32;
    if let [b'0', letter, ..] = bytes[at..] {
        let named = match letter.to_ascii_lowercase() {
            b'x' => 16,
            b'o' => 8,
            b'b' => 2,
            _ => 0,
        };
        if named != 0 && (base == 0 || base as u32 == named) {
            radix = named;
            at += 2;
        }
    }
    let radix = if radix < 2 { 10 } else { radix.min(36) };
    at += bytes[at..]
        .iter()
        .take_while(|byte| **byte == b'_' || (**byte as char).is_digit(radix))
        .count();
    at + bytes[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

/// The value of an ASCII digit in bases up to 37, 37 for anything else.
#[unsafe(no_mangle)]
pub static _PyLong_DigitValue: [c_uchar; 256] = {
    let mut table = [37; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            digit @ b'0'..=b'9' => digit - b'0',
            letter @ b'a'..=b'z' => letter - b'a' + 10,
            letter @ b'A'..=b'Z' => letter - b'A' + 10,
            _ => 37,
        };
        byte += 1;
    }
    table
};
