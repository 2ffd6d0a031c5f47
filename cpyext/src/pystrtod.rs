//! pystrtod.h, pymath.h, pyctype.h: text <-> double as Python does it, integer parsing, character classes.

use crate::export::put;
use adder_runtime::objects::dtoa;
use adder_runtime::prelude::*;
use std::ffi::{CStr, c_double, c_uchar};

/// What kind of number `PyOS_double_to_string` wrote.
const Py_DTST_FINITE: c_int = 0;
const Py_DTST_INFINITE: c_int = 1;
const Py_DTST_NAN: c_int = 2;

/// PyOS_string_to_double: a whole text, or its longest prefix when C wants to know where it ends.
fn parse(text: &CStr, end: *mut *mut c_char, overflow: Option<&PyObject>) -> PyResult<c_double> {
    let bytes = text.to_bytes();
    let Some((value, len)) = dtoa::parse_double_prefix(bytes) else {
        return Err(not_a_number(bytes));
    };
    if end.is_null() {
        if len != bytes.len() {
            return Err(not_a_number(bytes));
        }
    } else {
        // SAFETY: not NULL; C gives a place.
        unsafe { put(end, text.as_ptr().add(len).cast_mut()) };
    }
    let spelled_infinite = bytes[..len].iter().any(|byte| matches!(byte, b'n' | b'N'));
    if value.is_infinite()
        && !spelled_infinite
        && let Some(class) = overflow
    {
        let message = format!(
            "value too large to convert to float: '{}'",
            String::from_utf8_lossy(bytes)
        );
        let message = PyUnicodeObject::from_string(message);
        return Err(adder_runtime::error::set_object(class, Some(message.as_object())));
    }
    Ok(value)
}

fn not_a_number(bytes: &[u8]) -> Raised {
    raise!(
        ValueError,
        "could not convert string to float: '{}'",
        String::from_utf8_lossy(bytes)
    )
}

/// PyOS_strtoul, with errno for overflow.
fn parse_unsigned(text: *const c_char, end: *mut *mut c_char, base: c_int) -> u64 {
    // SAFETY: C gives a terminated text and a place or NULL.
    unsafe { libc::strtoul(text, end, base) as u64 }
}

capi! {
    fn PyOS_string_to_double(text: &CStr, end: *mut *mut c_char, overflow: Option<&PyObject>) -> PyResult<c_double> {
        parse(text, end, overflow)
    }
    /// The text is in PyMem_Malloc memory.
    fn PyOS_double_to_string(
        value: c_double, code: std::ffi::c_char, precision: c_int, flags: c_int, kind: *mut c_int
    ) -> PyResult<*mut c_char> {
        let code = code as u8 as char;
        if !"eEfFgGr".contains(code) || (code == 'r' && precision != 0) {
            return Err(crate::export::bad_internal_call());
        }
        let text = dtoa::double_to_string(value, code, precision as usize, flags as u32);
        // SAFETY: C gives a place or NULL.
        if let Some(place) = unsafe { kind.as_mut() } {
            *place = if value.is_nan() { Py_DTST_NAN } else if value.is_infinite() { Py_DTST_INFINITE } else { Py_DTST_FINITE };
        }
        let copy = crate::pymem::PyMem_Malloc_checked(text.len() + 1)?.cast::<u8>();
        // SAFETY: there is room for the text and a 0.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
            *copy.add(text.len()) = 0;
        }
        Ok(copy.cast())
    }
    fn PyOS_strtoul(text: *const c_char, end: *mut *mut c_char, base: c_int) -> u64 { parse_unsigned(text, end, base) }
    fn PyOS_strtol(text: *const c_char, end: *mut *mut c_char, base: c_int) -> i64 {
        // SAFETY: C gives a terminated text and a place or NULL.
        unsafe { libc::strtol(text, end, base) as i64 }
    }
    fn _Py_parse_inf_or_nan(text: *const c_char, end: *mut *mut c_char) -> c_double {
        // SAFETY: C gives a terminated text and a place.
        unsafe {
            let bytes = CStr::from_ptr(text).to_bytes();
            let (value, len) = dtoa::parse_double_prefix(bytes).filter(|(value, _)| !value.is_finite()).unwrap_or((-1.0, 0));
            put(end, text.add(len).cast_mut());
            value
        }
    }
}

const LOWER: c_uint = 0x01;
const UPPER: c_uint = 0x02;
const DIGIT: c_uint = 0x04;
const XDIGIT: c_uint = 0x08;
const SPACE: c_uint = 0x10;

/// Classes of ASCII characters, as bits.
#[unsafe(no_mangle)]
pub static _Py_ctype_table: [c_uint; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'a'..=b'f' => LOWER | XDIGIT,
            b'A'..=b'F' => UPPER | XDIGIT,
            b'g'..=b'z' => LOWER,
            b'G'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT | XDIGIT,
            9..=13 | b' ' => SPACE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

const fn case_table(upper: bool) -> [c_uchar; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let own = byte as u8;
        table[byte] = if upper {
            own.to_ascii_uppercase()
        } else {
            own.to_ascii_lowercase()
        };
        byte += 1;
    }
    table
}

#[unsafe(no_mangle)]
pub static _Py_ctype_tolower: [c_uchar; 256] = case_table(false);
#[unsafe(no_mangle)]
pub static _Py_ctype_toupper: [c_uchar; 256] = case_table(true);
