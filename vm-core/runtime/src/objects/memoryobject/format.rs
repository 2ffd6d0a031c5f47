//! One item of a buffer <-> a Python object, for the native single-character formats of `struct`.

use crate::prelude::*;
use std::ffi::CStr;

/// A format that memoryview reads and writes itself: a `struct` character, with an optional '@' before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native(pub u8);

impl Native {
    /// The format and the size of its items; `None` for any other format.
    pub fn parse(format: &CStr) -> Option<Native> {
        let bytes = format.to_bytes();
        let bytes = bytes.strip_prefix(b"@").unwrap_or(bytes);
        match bytes {
            [code] if Native(*code).size().is_some() => Some(Native(*code)),
            _ => None,
        }
    }
    pub fn size(self) -> Option<usize> {
        Some(match self.0 {
            b'c' | b'b' | b'B' | b'?' => 1,
            b'h' | b'H' | b'e' => 2,
            b'i' | b'I' | b'f' => 4,
            b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' | b'F' => 8,
            b'D' => 16,
            _ => return None,
        })
    }
    pub fn is_byte(self) -> bool {
        matches!(self.0, b'b' | b'B' | b'c')
    }

    /// The item at `ptr`, which need not be aligned.
    ///
    /// # Safety
    /// `ptr` points to `size()` readable bytes.
    pub unsafe fn unpack(self, ptr: *const u8) -> Ref {
        macro_rules! read {
            ($ty:ty) => {
                // SAFETY: the caller's contract.
                unsafe { ptr.cast::<$ty>().read_unaligned() }
            };
        }
        match self.0 {
            b'c' => PyBytesObject::from_slice(&[read!(u8)]).into_object(),
            b'b' => PyLongObject::from_i64(read!(i8).into()).into_object(),
            b'B' => PyLongObject::from_i64(read!(u8).into()).into_object(),
            b'?' => py_bool(read!(u8) != 0),
            b'h' => PyLongObject::from_i64(read!(i16).into()).into_object(),
            b'H' => PyLongObject::from_i64(read!(u16).into()).into_object(),
            b'i' => PyLongObject::from_i64(read!(i32).into()).into_object(),
            b'I' => PyLongObject::from_i64(read!(u32).into()).into_object(),
            b'l' | b'q' | b'n' => PyLongObject::from_i64(read!(i64)).into_object(),
            b'L' | b'Q' | b'N' | b'P' => PyLongObject::from_u64(read!(u64)).into_object(),
            b'e' => PyFloatObject::from_f64(half_to_f64(read!(u16))).into_object(),
            b'f' => PyFloatObject::from_f64(read!(f32).into()).into_object(),
            b'd' => PyFloatObject::from_f64(read!(f64)).into_object(),
            b'F' => {
                let [real, imag] = read!([f32; 2]);
                PyComplexObject::from_parts(real.into(), imag.into()).into_object()
            }
            _ => {
                let [real, imag] = read!([f64; 2]);
                PyComplexObject::from_parts(real, imag).into_object()
            }
        }
    }

    /// Writes an object at `ptr`, which need not be aligned.
    ///
    /// # Safety
    /// `ptr` points to `size()` writable bytes.
    pub unsafe fn pack(self, ptr: *mut u8, item: &PyObject) -> PyResult<()> {
        let bytes = self.to_bytes(item).map_err(|raised| self.explain(raised))?;
        // SAFETY: the caller's contract; as many bytes as the format's size.
        unsafe { std::ptr::copy_nonoverlapping(bytes.0.as_ptr(), ptr, bytes.1) };
        Ok(())
    }

    fn to_bytes(self, item: &PyObject) -> PyResult<([u8; 16], usize)> {
        fn put<const N: usize>(bytes: [u8; N]) -> ([u8; 16], usize) {
            let mut all = [0; 16];
            all[..N].copy_from_slice(&bytes);
            (all, N)
        }
        let signed = |bits: u32| -> PyResult<i64> {
            let value = item.index()?.as_i64()?;
            if bits < 64 && (value < -(1 << (bits - 1)) || value >= 1 << (bits - 1)) {
                return Err(raise!(ValueError, ""));
            }
            Ok(value)
        };
        let unsigned = |bits: u32| -> PyResult<u64> {
            let value = item.index()?.as_u64()?;
            if bits < 64 && value >= 1 << bits {
                return Err(raise!(ValueError, ""));
            }
            Ok(value)
        };
        Ok(match self.0 {
            b'c' => match item.downcast::<PyBytesObject>() {
                Some(bytes) if bytes.as_bytes().len() == 1 => put([bytes.as_bytes()[0]]),
                Some(_) => return Err(raise!(ValueError, "")),
                None => return Err(raise!(TypeError, "")),
            },
            b'b' => put((signed(8)? as i8).to_ne_bytes()),
            b'B' => put((unsigned(8)? as u8).to_ne_bytes()),
            b'?' => put([u8::from(item.is_true()?)]),
            b'h' => put((signed(16)? as i16).to_ne_bytes()),
            b'H' => put((unsigned(16)? as u16).to_ne_bytes()),
            b'i' => put((signed(32)? as i32).to_ne_bytes()),
            b'I' => put((unsigned(32)? as u32).to_ne_bytes()),
            b'l' | b'q' | b'n' => put(signed(64)?.to_ne_bytes()),
            b'L' | b'Q' | b'N' | b'P' => put(unsigned(64)?.to_ne_bytes()),
            b'e' => match f64_to_half(item.to_f64()?) {
                Some(half) => put(half.to_ne_bytes()),
                None => return Err(raise!(OverflowError, "float too large to pack with e format")),
            },
            b'f' => put((item.to_f64()? as f32).to_ne_bytes()),
            b'd' => put(item.to_f64()?.to_ne_bytes()),
            b'F' => {
                let parts = crate::objects::complexobject::as_parts(item)?;
                let (real, imag) = (parts.0 as f32, parts.1 as f32);
                put(u64_pair(real.to_bits(), imag.to_bits()))
            }
            _ => {
                let parts = crate::objects::complexobject::as_parts(item)?;
                let mut all = [0; 16];
                all[..8].copy_from_slice(&parts.0.to_ne_bytes());
                all[8..].copy_from_slice(&parts.1.to_ne_bytes());
                (all, 16)
            }
        })
    }

    /// Says for which format a value was wrong.
    #[cold]
    fn explain(self, raised: Raised) -> Raised {
        use crate::exceptions::exc;
        let code = self.0 as char;
        if raised.matches(exc::TypeError) {
            raised.clear();
            raise!(TypeError, "memoryview: invalid type for format '{code}'")
        } else if raised.matches(exc::OverflowError) || raised.matches(exc::ValueError) {
            raised.clear();
            raise!(ValueError, "memoryview: invalid value for format '{code}'")
        } else {
            raised
        }
    }
}

fn u64_pair(a: u32, b: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&a.to_ne_bytes());
    bytes[4..].copy_from_slice(&b.to_ne_bytes());
    bytes
}

/// IEEE 754 binary16 -> double; exact.
pub fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 != 0 { -1.0 } else { 1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f64::from(half & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if half & 0x3ff == 0 => sign * f64::INFINITY,
        31 => f64::NAN.copysign(sign),
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// Double -> IEEE 754 binary16, rounded half to even; `None` when a finite value is too large.
pub fn f64_to_half(value: f64) -> Option<u16> {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    if value.is_nan() {
        return Some(sign | 0x7e00);
    }
    if value.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let magnitude = value.abs();
    let round_even = |scaled: f64| {
        let floor = scaled.floor();
        let rest = scaled - floor;
        let up = rest > 0.5 || (rest == 0.5 && floor % 2.0 != 0.0);
        (floor as u32) + u32::from(up)
    };
    // Below the smallest normal the unit is 2**-24; above, the fraction has ten bits. A carry moves on by itself.
    let bits = if magnitude < 2f64.powi(-14) {
        round_even(magnitude * 2f64.powi(24))
    } else {
        let exponent = ((magnitude.to_bits() >> 52) as i32) - 1023;
        if exponent > 15 {
            return None;
        }
        let fraction = round_even((magnitude * 2f64.powi(-exponent) - 1.0) * 1024.0);
        (((exponent + 15) as u32) << 10) + fraction
    };
    if bits >= 0x7c00 {
        None
    } else {
        Some(sign | bits as u16)
    }
}
