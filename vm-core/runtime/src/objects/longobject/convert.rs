//! Ints -> machine integers, doubles, bytes, text; and back. The C API's conversions are thin covers of these.

use super::digits::{self, SHIFT};
use super::text;
use crate::objects::dtoa;
use crate::prelude::*;

/// Why an int does not fit some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteError {
    /// A negative int for an unsigned format.
    Negative,
    TooBig,
}

impl ByteError {
    pub fn raise(self) -> Raised {
        match self {
            ByteError::Negative => raise!(OverflowError, "can't convert negative int to unsigned"),
            ByteError::TooBig => raise!(OverflowError, "int too big to convert"),
        }
    }
}

#[cold]
fn too_large_for(c_type: &str) -> Raised {
    raise!(OverflowError, "Python int too large to convert to C {c_type}")
}

impl PyLongObject {
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        if self.is_compact() {
            return Some(self.compact_value() as i64);
        }
        let magnitude = digits::to_u64(self.digits())?;
        if self.is_negative() {
            0i64.checked_sub_unsigned(magnitude)
        } else {
            i64::try_from(magnitude).ok()
        }
    }
    #[inline]
    pub fn to_isize(&self) -> Option<isize> {
        self.to_i64().map(|value| value as isize)
    }
    #[inline]
    pub fn to_u64(&self) -> Option<u64> {
        if self.is_negative() {
            None
        } else {
            digits::to_u64(self.digits())
        }
    }
    pub fn to_i128(&self) -> Option<i128> {
        if self.bit_length() > 127 {
            return None;
        }
        let magnitude = self.magnitude_mod_2_128() as i128;
        Some(if self.is_negative() { -magnitude } else { magnitude })
    }
    pub fn to_u128(&self) -> Option<u128> {
        (!self.is_negative() && self.bit_length() <= 128).then(|| self.magnitude_mod_2_128())
    }
    fn magnitude_mod_2_128(&self) -> u128 {
        self.digits()
            .iter()
            .take(5)
            .rev()
            .fold(0u128, |value, digit| value << SHIFT | u128::from(*digit))
    }

    /// `PyLong_AsLong`.
    pub fn as_i64(&self) -> PyResult<i64> {
        self.to_i64().ok_or_else(|| too_large_for("long"))
    }
    /// `PyLong_AsSsize_t`.
    pub fn as_isize(&self) -> PyResult<isize> {
        self.to_isize().ok_or_else(|| too_large_for("ssize_t"))
    }
    /// `PyLong_AsInt`.
    pub fn as_i32(&self) -> PyResult<i32> {
        self.to_i64()
            .and_then(|value| i32::try_from(value).ok())
            .ok_or_else(|| too_large_for("int"))
    }
    /// `PyLong_AsUnsignedLong`.
    pub fn as_u64(&self) -> PyResult<u64> {
        if self.is_negative() {
            return Err(ByteError::Negative.raise());
        }
        self.to_u64().ok_or_else(|| too_large_for("unsigned long"))
    }
    /// `PyLong_AsSize_t`.
    pub fn as_usize(&self) -> PyResult<usize> {
        if self.is_negative() {
            return Err(raise!(OverflowError, "can't convert negative value to size_t"));
        }
        self.to_u64()
            .map(|value| value as usize)
            .ok_or_else(|| too_large_for("size_t"))
    }
    /// `PyLong_AsUInt32` and its like go through here.
    pub fn as_u32(&self) -> PyResult<u32> {
        let value = self.as_u64()?;
        u32::try_from(value).map_err(|_| too_large_for("unsigned int"))
    }
    /// `PyLong_AsLongAndOverflow`: the value, or -1 with the sign of the overflow.
    pub fn as_i64_and_overflow(&self) -> (i64, i32) {
        match self.to_i64() {
            Some(value) => (value, 0),
            None => (-1, if self.is_negative() { -1 } else { 1 }),
        }
    }
    /// `PyLong_AsUnsignedLongMask`: the value modulo 2**64.
    #[inline]
    pub fn as_u64_mask(&self) -> u64 {
        let low = digits::low_u64(self.digits());
        if self.is_negative() {
            low.wrapping_neg()
        } else {
            low
        }
    }

    /// The value as a double, rounded half to even; None when it is out of range.
    pub fn to_f64_opt(&self) -> Option<f64> {
        if self.is_compact() {
            return Some(self.compact_value() as f64);
        }
        let (mantissa, exponent) = digits::frexp(self.digits());
        if exponent > 1024 {
            return None;
        }
        let value = dtoa::ldexp(mantissa, exponent);
        Some(if self.is_negative() { -value } else { value })
    }
    /// `PyLong_AsDouble`.
    #[inline]
    pub fn to_f64(&self) -> PyResult<f64> {
        self.to_f64_opt()
            .ok_or_else(|| raise!(OverflowError, "int too large to convert to float"))
    }
    /// `_PyLong_Frexp`: `self = mantissa * 2**exponent`, `0.5 <= |mantissa| < 1`.
    pub fn frexp(&self) -> (f64, i64) {
        let (mantissa, exponent) = digits::frexp(self.digits());
        (if self.is_negative() { -mantissa } else { mantissa }, exponent)
    }

    /// `PyLong_FromDouble`: the whole part.
    pub fn from_f64(value: f64) -> PyResult<Ref<PyLongObject>> {
        if value.is_infinite() {
            return Err(raise!(OverflowError, "cannot convert float infinity to integer"));
        }
        if value.is_nan() {
            return Err(raise!(ValueError, "cannot convert float NaN to integer"));
        }
        // -2**63 <= value < 2**63: the cast truncates exactly.
        if (-9223372036854775808.0..9223372036854775808.0).contains(&value) {
            return Ok(PyLongObject::from_i64(value as i64));
        }
        let (mantissa, exponent) = dtoa::frexp(value.abs());
        let whole = PyLongObject::from_u64((mantissa * (1u64 << 53) as f64) as u64);
        let shifted = super::arith::lshift_by(&whole, (exponent - 53) as u64)?;
        if value < 0.0 {
            super::arith::neg(&shifted)
        } else {
            Ok(shifted)
        }
    }

    /// Two's complement into all of `out`.
    pub fn write_bytes(&self, out: &mut [u8], little_endian: bool, signed: bool) -> Result<(), ByteError> {
        let view = self.view();
        if view.negative && !signed {
            return Err(ByteError::Negative);
        }
        let bits = digits::bit_length(view.digits);
        let n_bits = out.len() as u64 * 8;
        let fits = if !signed {
            bits <= n_bits
        } else if view.negative {
            bits < n_bits || bits == n_bits && n_bits > 0 && !digits::any_low_bit(view.digits, bits - 1)
        } else {
            bits < n_bits || bits == 0
        };
        self.write_bytes_wrapping(out, little_endian);
        if fits { Ok(()) } else { Err(ByteError::TooBig) }
    }

    /// The low bytes of the two's complement into all of `out`, whatever does not fit being lost.
    pub fn write_bytes_wrapping(&self, out: &mut [u8], little_endian: bool) {
        let view = self.view();
        let mut source = view.digits.iter();
        let mut pending = 0u64;
        let mut pending_bits = 0;
        let mut carry = 1u16;
        let n = out.len();
        for i in 0..n {
            if pending_bits < 8 {
                pending |= u64::from(source.next().copied().unwrap_or(0)) << pending_bits;
                pending_bits += SHIFT;
            }
            let mut byte = pending as u8;
            pending >>= 8;
            pending_bits -= 8;
            if view.negative {
                carry += u16::from(!byte);
                byte = carry as u8;
                carry >>= 8;
            }
            out[if little_endian { i } else { n - 1 - i }] = byte;
        }
    }

    /// The int that bytes in two's complement (`signed`) or plain binary write.
    pub fn from_bytes(bytes: &[u8], little_endian: bool, signed: bool) -> PyResult<Ref<PyLongObject>> {
        let n = bytes.len();
        let byte_at = |i: usize| bytes[if little_endian { i } else { n - 1 - i }];
        let negative = signed && n > 0 && byte_at(n - 1) & 0x80 != 0;
        let n_digits = (n as u64 * 8).div_ceil(SHIFT.into()) as usize;
        PyLongObject::build(negative, n_digits, |out| {
            let mut pending = 0u64;
            let mut pending_bits = 0;
            let mut carry = 1u16;
            let mut at = 0;
            for i in 0..n {
                let mut byte = byte_at(i);
                if negative {
                    carry += u16::from(!byte);
                    byte = carry as u8;
                    carry >>= 8;
                }
                pending |= u64::from(byte) << pending_bits;
                pending_bits += 8;
                if pending_bits >= SHIFT {
                    out[at] = pending as u32 & digits::MASK;
                    at += 1;
                    pending >>= SHIFT;
                    pending_bits -= SHIFT;
                }
            }
            if at < out.len() {
                out[at] = pending as u32;
            }
        })
    }

    /// The decimal text; ValueError beyond the digit limit.
    pub fn to_decimal_string(&self) -> PyResult<String> {
        if self.is_compact() {
            return Ok(self.compact_value().to_string());
        }
        let limit = super::max_str_digits();
        let too_long = || {
            raise!(
                ValueError,
                "Exceeds the limit ({limit} digits) for integer string conversion; use \
                 sys.set_int_max_str_digits() to increase the limit"
            )
        };
        let view = self.view();
        if limit > 0 && text::surely_longer_than(view.digits, limit.max(text::MAX_STR_DIGITS_THRESHOLD)) {
            return Err(too_long());
        }
        if view.digits.len() > super::pylong::TO_TEXT_DIGITS {
            return super::pylong::decimal_string(self);
        }
        let mut decimal = text::decimal(view.digits);
        if limit > 0 && decimal.len() > text::MAX_STR_DIGITS_THRESHOLD && decimal.len() > limit {
            return Err(too_long());
        }
        if view.negative {
            decimal.insert(0, '-');
        }
        Ok(decimal)
    }
    /// The text in base 2, 8 or 16 as `bin`, `oct`, `hex` give it; without the prefix on demand.
    pub fn to_radix_string(&self, base: u32, prefix: bool) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let (bits, base_prefix) = match base {
            2 => (1, "0b"),
            8 => (3, "0o"),
            _ => (4, "0x"),
        };
        let prefix = if prefix { base_prefix } else { "" };
        format!("{sign}{prefix}{}", text::power_of_two(self.digits(), bits, false))
    }

    /// The hash: the value modulo 2**61 - 1, with its sign.
    #[inline]
    pub fn hash_value(&self) -> Py_hash_t {
        if self.is_compact() {
            let value = self.compact_value();
            return if value == -1 { -2 } else { value };
        }
        // Below the modulus.
        if let [low, high] = *self.digits() {
            let value = i64::from(high) << digits::SHIFT | i64::from(low);
            return if self.is_negative() { -value } else { value } as Py_hash_t;
        }
        let hash = digits::hash_magnitude(self.digits()) as i64;
        crate::objects::numeric_hash::not_error(if self.is_negative() { -hash } else { hash }) as Py_hash_t
    }
}
