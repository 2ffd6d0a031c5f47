//! Ints -> ints: the operators on `PyLongObject`s. Compact operands are computed in machine words, magnitudes of a
//! few digits in 128 bits, longer ones on digit slices or, from some size on, by the bignum crate.

use super::IntView;
use super::digits::{self, BitOp};
use crate::prelude::*;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use std::cmp::Ordering;

type Int = Ref<PyLongObject>;

/// Products of magnitudes whose shorter one has fewer digits are computed by the school's method.
const SCHOOL_LIMIT: usize = 24;

#[cold]
pub fn zero_division() -> Raised {
    raise!(ZeroDivisionError, "division by zero")
}

/// The order of two ints.
pub fn compare(a: &PyLongObject, b: &PyLongObject) -> Ordering {
    if a.is_compact() && b.is_compact() {
        return a.compact_value().cmp(&b.compact_value());
    }
    let (a, b) = (a.view(), b.view());
    match (a.negative, b.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => digits::compare(a.digits, b.digits),
        (true, true) => digits::compare(b.digits, a.digits),
    }
}

#[inline]
pub fn add(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() {
        return Ok(PyLongObject::from_isize(a.compact_value() + b.compact_value()));
    }
    add_signed(a.view(), b.view())
}

#[inline]
pub fn sub(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() {
        return Ok(PyLongObject::from_isize(a.compact_value() - b.compact_value()));
    }
    let b = b.view();
    add_signed(
        a.view(),
        IntView {
            negative: !b.negative,
            ..b
        },
    )
}

fn add_signed(a: IntView<'_>, b: IntView<'_>) -> PyResult<Int> {
    if a.negative == b.negative {
        let n = a.digits.len().max(b.digits.len()) + 1;
        return PyLongObject::build(a.negative, n, |out| digits::add_into(out, a.digits, b.digits));
    }
    match digits::compare(a.digits, b.digits) {
        Ordering::Equal => Ok(PyLongObject::from_i64(0)),
        Ordering::Greater => PyLongObject::build(a.negative, a.digits.len(), |out| {
            digits::sub_into(out, a.digits, b.digits)
        }),
        Ordering::Less => PyLongObject::build(b.negative, b.digits.len(), |out| {
            digits::sub_into(out, b.digits, a.digits)
        }),
    }
}

#[inline]
pub fn mul(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() {
        // Two values below 2**30 in size: the product fits.
        return Ok(PyLongObject::from_isize(a.compact_value() * b.compact_value()));
    }
    let (a, b) = (a.view(), b.view());
    let negative = a.negative != b.negative;
    if a.digits.len().min(b.digits.len()) < SCHOOL_LIMIT {
        let n = a.digits.len() + b.digits.len();
        return PyLongObject::build(negative, n, |out| digits::mul_into(out, a.digits, b.digits));
    }
    let product = digits::to_biguint(a.digits) * digits::to_biguint(b.digits);
    PyLongObject::from_biguint(negative, &product)
}

pub fn neg(a: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() {
        return Ok(PyLongObject::from_isize(-a.compact_value()));
    }
    let view = a.view();
    PyLongObject::from_digits(!view.negative, view.digits)
}

pub fn abs(a: &PyLongObject) -> PyResult<Int> {
    if a.is_negative() { neg(a) } else { Ok(a.to_exact()) }
}

/// `~a`.
pub fn invert(a: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() {
        return Ok(PyLongObject::from_isize(!a.compact_value()));
    }
    let one = [1];
    let view = add_signed(
        a.view(),
        IntView {
            negative: false,
            digits: &one,
        },
    )?;
    neg(&view)
}

/// Quotient and remainder of the floor division.
fn floor_parts(a: &PyLongObject, b: &PyLongObject) -> PyResult<(Quotient, Quotient)> {
    if b.is_zero() {
        return Err(zero_division());
    }
    let (a, b) = (a.view(), b.view());
    if let (Some(a), Some(b)) = (a.to_i128(), b.to_i128()) {
        let (quotient, rest) = floor_div_i128(a, b);
        return Ok((Quotient::Word(quotient), Quotient::Word(rest)));
    }
    let (quotient, rest) = a.to_bigint().div_mod_floor(&b.to_bigint());
    Ok((Quotient::Big(quotient), Quotient::Big(rest)))
}

#[inline]
fn floor_div_i128(a: i128, b: i128) -> (i128, i128) {
    if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b))
        && b != -1
    {
        let (quotient, rest) = (a / b, a % b);
        let adjust = rest != 0 && (rest < 0) != (b < 0);
        return (
            (quotient - i64::from(adjust)).into(),
            (rest + if adjust { b } else { 0 }).into(),
        );
    }
    let (quotient, rest) = (a / b, a % b);
    let adjust = rest != 0 && (rest < 0) != (b < 0);
    (quotient - i128::from(adjust), rest + if adjust { b } else { 0 })
}

/// A result that is not yet an object.
enum Quotient {
    Word(i128),
    Big(BigInt),
}

impl Quotient {
    fn into_int(self) -> PyResult<Int> {
        match self {
            Quotient::Word(value) => Ok(PyLongObject::from_i128(value)),
            Quotient::Big(value) => PyLongObject::from_bigint(&value),
        }
    }
}

/// Floor division of compact values; the divisor is not zero.
#[inline]
fn floor_compact(a: isize, b: isize) -> (isize, isize) {
    let (quotient, rest) = (a / b, a % b);
    if rest != 0 && (rest ^ b) < 0 {
        (quotient - 1, rest + b)
    } else {
        (quotient, rest)
    }
}

/// Quotients of fewer digits are found by the school's method, without a change of representation.
const SHORT_QUOTIENT: usize = 16;

#[inline]
pub fn floor_div(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() && !b.is_zero() {
        return Ok(PyLongObject::from_isize(
            floor_compact(a.compact_value(), b.compact_value()).0,
        ));
    }
    if let ([divisor], true) = (b.digits(), a.digits().len() > 4) {
        let negative = a.is_negative() != b.is_negative();
        let mut rest = 0;
        let quotient = PyLongObject::build(negative, a.digits().len(), |out| {
            rest = digits::div_rem_small_into(out, a.digits(), *divisor);
        })?;
        return if negative && rest != 0 {
            sub(&quotient, super::small_int(1))
        } else {
            Ok(quotient)
        };
    }
    let (n_a, n_b) = (a.digits().len(), b.digits().len());
    if n_b >= 2 && n_a > 4 && n_a >= n_b && n_a - n_b < SHORT_QUOTIENT {
        let negative = a.is_negative() != b.is_negative();
        let mut has_rest = false;
        let quotient = PyLongObject::build(negative, n_a - n_b + 1, |out| {
            has_rest = digits::div_into(out, a.digits(), b.digits());
        })?;
        return if negative && has_rest {
            sub(&quotient, super::small_int(1))
        } else {
            Ok(quotient)
        };
    }
    if super::pylong::divides_long(a.digits(), b.digits()) {
        return Ok(super::pylong::divmod(a, b)?.0);
    }
    floor_parts(a, b)?.0.into_int()
}

#[inline]
pub fn modulo(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() && !b.is_zero() {
        return Ok(PyLongObject::from_isize(
            floor_compact(a.compact_value(), b.compact_value()).1,
        ));
    }
    if let [divisor] = *b.digits() {
        let rest = i64::from(digits::rem_small(a.digits(), divisor));
        let divisor = i64::from(divisor);
        let rest = if a.is_negative() != b.is_negative() && rest != 0 {
            divisor - rest
        } else {
            rest
        };
        return Ok(PyLongObject::from_i64(if b.is_negative() { -rest } else { rest }));
    }
    floor_parts(a, b)?.1.into_int()
}

pub fn divmod(a: &PyLongObject, b: &PyLongObject) -> PyResult<(Int, Int)> {
    if a.is_compact() && b.is_compact() && !b.is_zero() {
        let (quotient, rest) = floor_compact(a.compact_value(), b.compact_value());
        return Ok((PyLongObject::from_isize(quotient), PyLongObject::from_isize(rest)));
    }
    if super::pylong::divides_long(a.digits(), b.digits()) {
        return super::pylong::divmod(a, b);
    }
    let (quotient, rest) = floor_parts(a, b)?;
    Ok((quotient.into_int()?, rest.into_int()?))
}

/// Quotient rounded to nearest (ties to even) and the remainder that belongs to it.
pub fn divmod_near(a: &PyLongObject, b: &PyLongObject) -> PyResult<(Int, Int)> {
    if b.is_zero() {
        return Err(raise!(ZeroDivisionError, "integer division or modulo by zero"));
    }
    let (a, b) = (a.to_bigint(), b.to_bigint());
    let (mut quotient, mut rest) = a.div_mod_floor(&b);
    let twice: BigInt = &rest * 2;
    // The remainder has the divisor's sign.
    let order = twice.magnitude().cmp(b.magnitude());
    if order == Ordering::Greater || order == Ordering::Equal && quotient.is_odd() {
        quotient += 1;
        rest -= &b;
    }
    Ok((
        PyLongObject::from_bigint(&quotient)?,
        PyLongObject::from_bigint(&rest)?,
    ))
}

/// `a / b`, correctly rounded.
pub fn true_div(a: &PyLongObject, b: &PyLongObject) -> PyResult<f64> {
    if b.is_zero() {
        return Err(zero_division());
    }
    if a.is_compact() && b.is_compact() {
        return Ok(a.compact_value() as f64 / b.compact_value() as f64);
    }
    let (a, b) = (a.view(), b.view());
    let (a_bits, b_bits) = (digits::bit_length(a.digits), digits::bit_length(b.digits));
    let sign = if a.negative != b.negative { -1.0 } else { 1.0 };
    if a_bits <= 53 && b_bits <= 53 {
        return Ok(sign * (digits::low_u64(a.digits) as f64 / digits::low_u64(b.digits) as f64));
    }
    let overflow = || raise!(OverflowError, "integer division result too large for a float");
    let difference = a_bits as i64 - b_bits as i64;
    if a.is_zero() || difference < -1075 {
        return Ok(sign * 0.0);
    }
    if difference > 1024 {
        return Err(overflow());
    }
    // The quotient a * 2**-shift / b has 55 or 56 bits (fewer for a subnormal result).
    let shift = difference.max(-1021) - 55;
    let (mut x, mut inexact) = (digits::to_biguint(a.digits), false);
    if shift <= 0 {
        x <<= shift.unsigned_abs();
    } else {
        inexact = digits::any_low_bit(a.digits, shift as u64);
        x >>= shift as u64;
    }
    let (quotient, rest) = x.div_rem(&digits::to_biguint(b.digits));
    inexact |= rest.bits() > 0;
    let mut quotient = quotient.iter_u64_digits().next().unwrap_or(0);
    let quotient_bits = i64::from(64 - quotient.leading_zeros());
    let extra_bits = quotient_bits.max(-1021 - shift) - 53;
    let half = 1u64 << (extra_bits - 1);
    quotient |= u64::from(inexact);
    if quotient & half != 0 && quotient & (3 * half - 1) != 0 {
        quotient += half;
    }
    quotient &= !(2 * half - 1);
    let result = crate::objects::dtoa::ldexp(quotient as f64, shift);
    if result.is_infinite() {
        Err(overflow())
    } else {
        Ok(sign * result)
    }
}

/// The count of a shift: None when it exceeds 64 bits.
fn shift_count(b: &PyLongObject) -> PyResult<Option<u64>> {
    if b.is_negative() {
        return Err(raise!(ValueError, "negative shift count"));
    }
    Ok(digits::to_u64(b.digits()))
}

#[inline]
pub fn lshift(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    let count = shift_count(b)?;
    if a.is_zero() {
        return Ok(PyLongObject::from_i64(0));
    }
    match count {
        Some(count) => lshift_by(a, count),
        None => Err(super::too_many_digits()),
    }
}

/// `a << count`.
pub fn lshift_by(a: &PyLongObject, count: u64) -> PyResult<Int> {
    if a.is_compact() && count <= 32 {
        return Ok(PyLongObject::from_i64((a.compact_value() as i64) << count));
    }
    let view = a.view();
    let n = digits::shl_len(view.digits, count);
    PyLongObject::build(view.negative, n, |out| digits::shl_into(out, view.digits, count))
}

#[inline]
pub fn rshift(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    match shift_count(b)? {
        Some(count) => rshift_by(a, count),
        None => Ok(PyLongObject::from_i64(if a.is_negative() { -1 } else { 0 })),
    }
}

/// `a >> count`, rounded down.
pub fn rshift_by(a: &PyLongObject, count: u64) -> PyResult<Int> {
    if a.is_compact() {
        return Ok(PyLongObject::from_isize(a.compact_value() >> count.min(63)));
    }
    let view = a.view();
    let n = digits::shr_len(view.digits, count);
    if !view.negative {
        return PyLongObject::build(false, n, |out| {
            digits::shr_into(out, view.digits, count);
        });
    }
    // Rounding down means that a lost bit makes the magnitude one greater.
    PyLongObject::build(true, n + 1, |out| {
        let (low, top) = out.split_at_mut(n);
        if digits::shr_into(low, view.digits, count) || n == 0 {
            top[0] = digits::mul_add_small(low, 1, 1) as u32;
        }
    })
}

#[inline]
pub fn bit_op(op: BitOp, a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if a.is_compact() && b.is_compact() {
        return Ok(PyLongObject::from_i64(
            op.apply_i64(a.compact_value() as i64, b.compact_value() as i64),
        ));
    }
    let (a, b) = (a.view(), b.view());
    let n = a.digits.len().max(b.digits.len()) + 1;
    // The sign is known beforehand: `build` must not look at the digits to find it.
    let negative = op.apply(a.negative.into(), b.negative.into()) != 0;
    PyLongObject::build(negative, n, |out| {
        digits::bit_op_into(out, op, (a.negative, a.digits), (b.negative, b.digits));
    })
}

/// `base ** exponent` for an exponent that is not negative.
pub fn pow_unsigned(base: &PyLongObject, exponent: &PyLongObject) -> PyResult<Int> {
    debug_assert!(!exponent.is_negative());
    if exponent.is_zero() {
        return Ok(PyLongObject::from_i64(1));
    }
    let view = base.view();
    let is_odd = exponent.digits()[0] & 1 == 1;
    match view.digits {
        [] => return Ok(PyLongObject::from_i64(0)),
        [1] => {
            return Ok(PyLongObject::from_i64(if view.negative && is_odd {
                -1
            } else {
                1
            }));
        }
        _ => {}
    }
    let Some(exponent) = digits::to_u64(exponent.digits()).and_then(|exponent| u32::try_from(exponent).ok())
    else {
        return Err(crate::memory::no_memory());
    };
    let negative = view.negative && is_odd;
    if let Some(value) = digits::to_u64(view.digits)
        && let Some(result) = u128::from(value).checked_pow(exponent)
    {
        let (buffer, n) = digits::from_u128(result);
        return PyLongObject::from_digits(negative, &buffer[..n]);
    }
    if let [digit] = view.digits
        && digit.is_power_of_two()
    {
        let one = super::small_int(if negative { -1 } else { 1 });
        return lshift_by(one, u64::from(digit.trailing_zeros()) * u64::from(exponent));
    }
    let bits = digits::bit_length(view.digits).saturating_mul(exponent.into());
    if bits / 8 > 1 << 36 {
        return Err(crate::memory::no_memory());
    }
    PyLongObject::from_biguint(negative, &digits::to_biguint(view.digits).pow(exponent))
}

/// `pow(base, exponent, modulus)`.
pub fn pow_mod(base: &PyLongObject, exponent: &PyLongObject, modulus: &PyLongObject) -> PyResult<Int> {
    if modulus.is_zero() {
        return Err(raise!(ValueError, "pow() 3rd argument cannot be 0"));
    }
    let magnitude = digits::to_biguint(modulus.digits());
    let mut base = base
        .to_bigint()
        .mod_floor(&BigInt::from(magnitude.clone()))
        .magnitude()
        .clone();
    if exponent.is_negative() {
        base = match base.modinv(&magnitude) {
            Some(inverse) => inverse,
            // Modulo 1 everything is zero.
            None if modulus.digits() == [1] => BigUint::ZERO,
            None => return Err(raise!(ValueError, "base is not invertible for the given modulus")),
        };
    }
    let result = match (
        digits::to_u64(modulus.digits()),
        digits::to_u64(exponent.digits()),
    ) {
        (Some(1), _) => BigUint::ZERO,
        (Some(small), Some(exponent)) => {
            let base = base.iter_u64_digits().next().unwrap_or(0);
            pow_mod_u64(base, exponent, small).into()
        }
        _ => base.modpow(&digits::to_biguint(exponent.digits()), &magnitude),
    };
    let mut result = BigInt::from(result);
    if modulus.is_negative() && result.bits() > 0 {
        result -= BigInt::from(magnitude);
    }
    PyLongObject::from_bigint(&result)
}

fn pow_mod_u64(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let mut base = u128::from(base) % modulus;
    let mut result = 1 % modulus;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result as u64
}

/// The greatest common divisor.
pub fn gcd(a: &PyLongObject, b: &PyLongObject) -> PyResult<Int> {
    if let (Some(a), Some(b)) = (digits::to_u64(a.digits()), digits::to_u64(b.digits())) {
        return Ok(PyLongObject::from_u64(a.gcd(&b)));
    }
    let result = digits::to_biguint(a.digits()).gcd(&digits::to_biguint(b.digits()));
    PyLongObject::from_biguint(false, &result)
}
