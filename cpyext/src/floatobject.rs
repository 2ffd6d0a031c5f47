//! floatobject.h, pystrtod.h's use of it, complexobject.h's real half: floats and their packed forms.

use adder_runtime::prelude::*;
use std::ffi::{c_double, c_uchar};

/// The bytes that C gives or waits for.
///
/// # Safety
/// There are `N` of them.
unsafe fn bytes_at<'a, const N: usize>(pointer: *mut c_uchar) -> &'a mut [u8; N] {
    // SAFETY: the caller's contract.
    unsafe { &mut *pointer.cast::<[u8; N]>() }
}

fn packed<const N: usize>(mut bytes: [u8; N], little_endian: c_int, out: *mut c_uchar) -> PyResult<()> {
    if little_endian == 0 {
        bytes.reverse();
    }
    // SAFETY: the function's name says how many bytes C gives.
    unsafe { *bytes_at::<N>(out) = bytes };
    Ok(())
}

fn unpacked<const N: usize>(pointer: *mut c_uchar, little_endian: c_int) -> [u8; N] {
    // SAFETY: the function's name says how many bytes C gives.
    let mut bytes = unsafe { *bytes_at::<N>(pointer) };
    if little_endian == 0 {
        bytes.reverse();
    }
    bytes
}

/// The bit that makes a NaN of a double a quiet one: conversions set it.
const QUIET_BIT: u64 = 1 << 51;

/// A double as IEEE half precision, rounded to even; OverflowError when it does not fit.
fn to_half(value: f64) -> PyResult<u16> {
    let sign = ((value.to_bits() >> 48) & 0x8000) as u16;
    if value.is_nan() {
        // The payload keeps its quiet bit.
        let payload = ((value.to_bits() >> 42) & 0x3ff) as u16;
        return Ok(sign | 0x7c00 | if payload == 0 { 0x200 } else { payload });
    }
    if value.is_infinite() {
        return Ok(sign | 0x7c00);
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return Ok(sign);
    }
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(-14);
    // The mantissa in units of the last place of a half at this exponent.
    let units = (magnitude * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    let bits = if units < 0x400 {
        units
    } else {
        units - 0x400 + (((exponent + 15) as u32) << 10)
    };
    if bits >= 0x7c00 {
        return Err(raise!(OverflowError, "float too large to pack with e format"));
    }
    Ok(sign | bits as u16)
}

fn from_half(bits: u16) -> f64 {
    let (sign, exponent, mantissa) = (bits >> 15, (bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        0x1f if mantissa == 0 => f64::INFINITY,
        0x1f => return f64::from_bits((sign as u64) << 63 | 0x7ff << 52 | (mantissa as u64) << 42),
        0 => mantissa as f64 * 2f64.powi(-24),
        _ => (mantissa as f64 + 1024.0) * 2f64.powi(exponent as i32 - 25),
    };
    if sign != 0 { -magnitude } else { magnitude }
}

capi! {
    fn PyFloat_FromDouble(value: c_double) -> PyResult<Ref<PyFloatObject>> => {
        PyFloatObject::from_f64_quick(value).map(Ref::into_raw)
    } else {
        Ok(PyFloatObject::from_f64(value))
    }
    fn PyFloat_FromString(text: &PyObject) -> PyResult {
        if PyFloatObject::check(text) || text.ty().number_slot(|slots| slots.nb_float.get()).is_some() || text.has_index() {
            return Err(raise!(
                TypeError, "float() argument must be a string or a real number, not '{}'", text.ty().name()
            ));
        }
        PyFloatObject::type_object().as_object().call1(text)
    }
    fn PyFloat_AsDouble(object: Option<&PyObject>) -> PyResult<c_double> {
        match object {
            Some(object) => object.to_f64(),
            None => Err(raise!(TypeError, "bad argument type for built-in operation")),
        }
    }
    fn PyFloat_GetMax() -> c_double { f64::MAX }
    fn PyFloat_GetMin() -> c_double { f64::MIN_POSITIVE }
    fn PyFloat_GetInfo() -> PyResult { crate::sysmodule::sys_attribute(identifier!("float_info")) }
    fn PyFloat_Pack2(value: c_double, out: *mut c_uchar, little_endian: c_int) -> PyResult<()> {
        packed(to_half(value)?.to_le_bytes(), little_endian, out)
    }
    fn PyFloat_Pack4(value: c_double, out: *mut c_uchar, little_endian: c_int) -> PyResult<()> {
        let single = value as f32;
        if single.is_infinite() && value.is_finite() {
            return Err(raise!(OverflowError, "float too large to pack with f format"));
        }
        let mut bits = single.to_bits();
        if value.is_nan() && value.to_bits() & QUIET_BIT == 0 {
            bits &= !(1 << 22);
        }
        // A payload that is lost must not make an infinity.
        if value.is_nan() && bits & 0x7f_ffff == 0 {
            bits |= 1 << 22;
        }
        packed(bits.to_le_bytes(), little_endian, out)
    }
    fn PyFloat_Pack8(value: c_double, out: *mut c_uchar, little_endian: c_int) -> PyResult<()> {
        packed(value.to_le_bytes(), little_endian, out)
    }
    fn PyFloat_Unpack2(bytes: *mut c_uchar, little_endian: c_int) -> c_double {
        from_half(u16::from_le_bytes(unpacked(bytes, little_endian)))
    }
    fn PyFloat_Unpack4(bytes: *mut c_uchar, little_endian: c_int) -> c_double {
        let bits = u32::from_le_bytes(unpacked(bytes, little_endian));
        let value = f32::from_bits(bits) as f64;
        match value.is_nan() && bits & (1 << 22) == 0 {
            true => f64::from_bits(value.to_bits() & !QUIET_BIT),
            false => value,
        }
    }
    fn PyFloat_Unpack8(bytes: *mut c_uchar, little_endian: c_int) -> c_double {
        f64::from_le_bytes(unpacked(bytes, little_endian))
    }
}
