//! Arithmetic: from the sum to the square root, each result fitted to its context.

use super::number::status::*;
use super::number::{Env, Kind, Number, Rounding, largest, pow10, times_pow10};
use num_bigint::BigUint;
use num_traits::{One, Zero};
use std::cmp::Ordering;

/// Beyond so many digits of precision a quotient or a root is first sought with as few as it needs when it is exact.
const HUGE_PREC: i64 = 100_000_000;

/// Works with a shorter precision when the one asked for is huge: an exact result needs no more than a few times the operands' digits.
pub(super) fn with_huge_prec(
    env: &Env,
    needed: i64,
    status: &mut u32,
    operation: impl Fn(&Env, &mut u32) -> Number,
) -> Number {
    if env.prec <= HUGE_PREC || needed >= HUGE_PREC {
        return operation(env, status);
    }
    let mut conditions = 0;
    let short = Env {
        prec: needed.max(1),
        ..*env
    };
    let result = operation(&short, &mut conditions);
    if conditions & (INEXACT | ROUNDED) != 0 {
        return Number::invalid(MALLOC_ERROR, status);
    }
    *status |= conditions;
    result.finalize(env, status)
}

pub fn add(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = Number::of_nans(&[a, b], env, status) {
            return nan;
        }
        return match (a.is_infinite(), b.is_infinite()) {
            (true, true) if a.sign != b.sign => Number::invalid(INVALID_OPERATION, status),
            (true, _) => a.clone(),
            _ => b.clone(),
        };
    }
    let exp = a.exp.min(b.exp);
    let zero_sign = if a.sign == b.sign {
        a.sign
    } else {
        env.rounding == Rounding::Floor
    };
    let out_of_memory = |status: &mut u32| Number::invalid(MALLOC_ERROR, status);
    match (a.digits.is_zero(), b.digits.is_zero()) {
        (true, true) => return Number::finite(zero_sign, BigUint::zero(), exp).finalize(env, status),
        (false, false) => {}
        (ours, _) => {
            let rest = if ours { b } else { a };
            // Zeros at the end as far as the precision reaches.
            let exp = exp.max(rest.exp - env.prec - 1);
            return match rest.rescaled(exp.min(rest.exp), env.rounding) {
                Some((sum, _)) => sum.finalize(env, status),
                None => rest.clone().finalize(env, status),
            };
        }
    }
    let (high, low) = if a.exp >= b.exp { (a, b) } else { (b, a) };
    let high_len = high.len();
    // Below this digit the lower operand only says on which side of the rounding the sum is.
    let limit = high.exp.saturating_add((high_len - env.prec - 2).min(-1));
    let tail;
    let low = if low.adjusted() < limit {
        tail = Number::finite(low.sign, BigUint::one(), limit);
        &tail
    } else {
        low
    };
    let Some(high_digits) = times_pow10(&high.digits, high.exp - low.exp) else {
        return out_of_memory(status);
    };
    let (sign, digits) = if high.sign == low.sign {
        (high.sign, high_digits + &low.digits)
    } else {
        match high_digits.cmp(&low.digits) {
            Ordering::Equal => {
                return Number::finite(env.rounding == Rounding::Floor, BigUint::zero(), exp)
                    .finalize(env, status);
            }
            Ordering::Greater => (high.sign, high_digits - &low.digits),
            Ordering::Less => (low.sign, &low.digits - high_digits),
        }
    };
    Number::finite(sign, digits, low.exp).finalize(env, status)
}

pub fn subtract(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if b.is_nan() {
        return add(a, b, env, status);
    }
    add(a, &b.with_sign(!b.sign), env, status)
}

/// The product before rounding; `Err` is a special result.
fn exact_product(a: &Number, b: &Number, status: &mut u32) -> Result<Number, Number> {
    let sign = a.sign != b.sign;
    if a.is_infinite() || b.is_infinite() {
        if a.is_zero() || b.is_zero() {
            return Err(Number::invalid(INVALID_OPERATION, status));
        }
        return Err(Number::infinity(sign));
    }
    Ok(Number::finite(sign, &a.digits * &b.digits, a.exp + b.exp))
}

pub fn multiply(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    match exact_product(a, b, status) {
        Ok(product) => product.finalize(env, status),
        Err(special) => special,
    }
}

pub fn fma(a: &Number, b: &Number, c: &Number, env: &Env, status: &mut u32) -> Number {
    if (a.is_nan() || b.is_nan())
        && let Some(nan) = Number::of_nans(&[a, b, c], env, status)
    {
        return nan;
    }
    // An invalid product comes before a NaN that would be added to it.
    match exact_product(a, b, status) {
        Ok(product) => add(&product, c, env, status),
        Err(special) if special.is_nan() => special,
        Err(special) => add(&special, c, env, status),
    }
}

pub fn divide(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let sign = a.sign != b.sign;
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) => return Number::invalid(INVALID_OPERATION, status),
        (true, false) => return Number::infinity(sign),
        (false, true) => {
            *status |= CLAMPED;
            return Number::finite(sign, BigUint::zero(), env.etiny());
        }
        _ => {}
    }
    if b.is_zero() {
        if a.is_zero() {
            return Number::invalid(DIVISION_UNDEFINED, status);
        }
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(sign);
    }
    let ideal = a.exp - b.exp;
    if a.is_zero() {
        return Number::finite(sign, BigUint::zero(), ideal).finalize(env, status);
    }
    let needed = (a.len() + b.len()) * 4;
    with_huge_prec(env, needed, status, |env, status| {
        let shift = b.len() - a.len() + env.prec + 1;
        let mut exp = ideal - shift;
        let scaled = if shift >= 0 {
            times_pow10(&a.digits, shift).map(|dividend| (dividend, b.digits.clone()))
        } else {
            times_pow10(&b.digits, -shift).map(|divisor| (a.digits.clone(), divisor))
        };
        let Some((dividend, divisor)) = scaled else {
            return Number::invalid(MALLOC_ERROR, status);
        };
        let mut quotient = &dividend / &divisor;
        if !(dividend - &quotient * divisor).is_zero() {
            // The rest must not be forgotten when the quotient is rounded.
            if (&quotient % 5u32).is_zero() {
                quotient += 1u32;
            }
        } else {
            (quotient, exp) = without_zeros(quotient, exp, ideal);
        }
        Number::finite(sign, quotient, exp).finalize(env, status)
    })
}

/// Takes zeros off the end, until the exponent is `most` or there are none.
pub(super) fn without_zeros(mut digits: BigUint, mut exp: i64, most: i64) -> (BigUint, i64) {
    if digits.is_zero() {
        return (digits, exp.max(most));
    }
    // Large strides first.
    let mut stride = 64i64;
    while stride > 0 {
        let unit = pow10(stride).unwrap_or_else(BigUint::one);
        while exp <= most - stride && digits.trailing_zeros().unwrap_or(0) >= stride as u64 {
            let shorter = &digits / &unit;
            if &shorter * &unit != digits {
                break;
            }
            digits = shorter;
            exp += stride;
        }
        stride /= 4;
    }
    while exp < most && !digits.bit(0) {
        let shorter = &digits / 10u32;
        if &shorter * 10u32 != digits {
            break;
        }
        digits = shorter;
        exp += 1;
    }
    (digits, exp)
}

/// Quotient as an integer and remainder of finite numbers, the divisor not zero; `None` when the quotient has too many digits.
fn quotient_and_remainder(a: &Number, b: &Number, env: &Env) -> Option<(Number, Number)> {
    let sign = a.sign != b.sign;
    let zero = || Number::finite(sign, BigUint::zero(), 0);
    let ideal = if b.is_infinite() { a.exp } else { a.exp.min(b.exp) };
    if a.is_zero() || b.is_infinite() || a.adjusted() - b.adjusted() <= -2 {
        return Some((zero(), a.rescaled(ideal, env.rounding)?.0));
    }
    if a.adjusted() - b.adjusted() > env.prec {
        return None;
    }
    let dividend = times_pow10(&a.digits, a.exp - ideal)?;
    let divisor = times_pow10(&b.digits, b.exp - ideal)?;
    let quotient = &dividend / &divisor;
    let remainder = dividend - &quotient * divisor;
    let quotient = Number::finite(sign, quotient, 0);
    (quotient.len() <= env.prec).then(|| (quotient, Number::finite(a.sign, remainder, ideal)))
}

pub fn divide_int(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let sign = a.sign != b.sign;
    if a.is_infinite() {
        if b.is_infinite() {
            return Number::invalid(INVALID_OPERATION, status);
        }
        return Number::infinity(sign);
    }
    if b.is_zero() {
        if a.is_zero() {
            return Number::invalid(DIVISION_UNDEFINED, status);
        }
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(sign);
    }
    match quotient_and_remainder(a, b, env) {
        Some((quotient, _)) => quotient.finalize(env, status),
        None => Number::invalid(DIVISION_IMPOSSIBLE, status),
    }
}

pub fn remainder(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    divmod(a, b, env, status, false).1
}

pub fn divmod(a: &Number, b: &Number, env: &Env, status: &mut u32, both: bool) -> (Number, Number) {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return (nan.clone(), nan);
    }
    let sign = a.sign != b.sign;
    if a.is_infinite() {
        let remainder = Number::invalid(INVALID_OPERATION, status);
        let quotient = if b.is_infinite() {
            Number::nan()
        } else {
            Number::infinity(sign)
        };
        return (quotient, remainder);
    }
    if b.is_zero() {
        if a.is_zero() {
            let nan = Number::invalid(DIVISION_UNDEFINED, status);
            return (nan.clone(), nan);
        }
        if both {
            *status |= DIVISION_BY_ZERO;
        }
        return (
            Number::infinity(sign),
            Number::invalid(INVALID_OPERATION, status),
        );
    }
    match quotient_and_remainder(a, b, env) {
        Some((quotient, remainder)) => {
            let quotient = if both { quotient.finalize(env, status) } else { quotient };
            (quotient, remainder.finalize(env, status))
        }
        None => {
            let nan = Number::invalid(DIVISION_IMPOSSIBLE, status);
            (nan.clone(), nan)
        }
    }
}

pub fn remainder_near(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    if a.is_infinite() {
        return Number::invalid(INVALID_OPERATION, status);
    }
    if b.is_zero() {
        let condition = if a.is_zero() {
            DIVISION_UNDEFINED
        } else {
            INVALID_OPERATION
        };
        return Number::invalid(condition, status);
    }
    if b.is_infinite() {
        return a.clone().finalize(env, status);
    }
    let ideal = a.exp.min(b.exp);
    let distance = a.adjusted() - b.adjusted();
    if a.is_zero() || distance <= -2 {
        return match a.rescaled(ideal, env.rounding) {
            Some((same, _)) => same.finalize(env, status),
            None => Number::invalid(MALLOC_ERROR, status),
        };
    }
    if distance > env.prec {
        return Number::invalid(DIVISION_IMPOSSIBLE, status);
    }
    let aligned = times_pow10(&a.digits, a.exp - ideal).zip(times_pow10(&b.digits, b.exp - ideal));
    let Some((dividend, divisor)) = aligned else {
        return Number::invalid(MALLOC_ERROR, status);
    };
    let mut quotient = &dividend / &divisor;
    let mut remainder = dividend - &quotient * &divisor;
    let mut sign = a.sign;
    let up = match (&remainder << 1u32).cmp(&divisor) {
        Ordering::Equal => quotient.bit(0),
        unequal => unequal == Ordering::Greater,
    };
    if up {
        remainder = divisor - remainder;
        quotient += 1u32;
        sign = !sign;
    }
    if Number::finite(false, quotient, 0).len() > env.prec {
        return Number::invalid(DIVISION_IMPOSSIBLE, status);
    }
    Number::finite(sign, remainder, ideal).finalize(env, status)
}

pub fn plus(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    let sign = if a.is_zero() {
        a.sign && env.rounding == Rounding::Floor
    } else {
        a.sign
    };
    a.with_sign(sign).finalize(env, status)
}

pub fn minus(a: &Number, env: &Env, status: &mut u32) -> Number {
    if a.is_nan() {
        return plus(a, env, status);
    }
    plus(&a.with_sign(!a.sign), env, status)
}

pub fn abs(a: &Number, env: &Env, status: &mut u32) -> Number {
    if a.sign {
        minus(a, env, status)
    } else {
        plus(a, env, status)
    }
}

/// `reduce` of the specification: no zeros at the end.
pub fn normalize(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    let rounded = a.clone().finalize(env, status);
    if !rounded.is_finite() {
        return rounded;
    }
    if rounded.digits.is_zero() {
        return Number::finite(rounded.sign, BigUint::zero(), 0);
    }
    let most = if env.clamp { env.etop() } else { env.emax };
    let (digits, exp) = without_zeros(rounded.digits, rounded.exp, most.max(rounded.exp));
    Number::finite(rounded.sign, digits, exp)
}

pub fn quantize(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) => return a.clone(),
        (false, false) => {}
        _ => return Number::invalid(INVALID_OPERATION, status),
    }
    quantize_to(a, b.exp, env, status)
}

/// A finite number with the exponent `exp`.
pub fn quantize_to(a: &Number, exp: i64, env: &Env, status: &mut u32) -> Number {
    if exp < env.etiny() || exp > env.emax {
        return Number::invalid(INVALID_OPERATION, status);
    }
    if a.is_zero() {
        return Number::finite(a.sign, BigUint::zero(), exp).finalize(env, status);
    }
    if a.adjusted() > env.emax || a.adjusted() - exp + 1 > env.prec {
        return Number::invalid(INVALID_OPERATION, status);
    }
    let Some((result, inexact)) = a.rescaled(exp, env.rounding) else {
        return Number::invalid(MALLOC_ERROR, status);
    };
    if result.adjusted() > env.emax || result.len() > env.prec {
        return Number::invalid(INVALID_OPERATION, status);
    }
    if exp > a.exp {
        *status |= ROUNDED;
        if inexact {
            *status |= INEXACT;
        }
    }
    result.finalize(env, status)
}

/// Rounds to an integer, which may be longer than the precision. `exact` reports what was lost.
pub fn to_integral(a: &Number, env: &Env, exact: bool, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    if !a.is_finite() || a.exp >= 0 {
        return a.clone();
    }
    if a.is_zero() {
        return Number::finite(a.sign, BigUint::zero(), 0);
    }
    let Some((rounded, inexact)) = a.rescaled(0, env.rounding) else {
        return Number::invalid(MALLOC_ERROR, status);
    };
    if exact {
        *status |= ROUNDED;
        if inexact {
            *status |= INEXACT;
        }
    }
    rounded
}

pub fn sqrt(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    // Half the exponent, rounded down.
    let ideal = a.exp >> 1;
    if a.is_zero() {
        return Number::finite(a.sign, BigUint::zero(), ideal).finalize(env, status);
    }
    if a.sign {
        return Number::invalid(INVALID_OPERATION, status);
    }
    if a.is_infinite() {
        return a.clone();
    }
    with_huge_prec(env, a.len() * 4, status, |env, status| {
        let env = env.with_rounding(Rounding::HalfEven);
        let (mut square, odd) = (a.digits.clone(), a.exp & 1 != 0);
        if odd {
            square *= 10u32;
        }
        let root_len = (Number::finite(false, square.clone(), 0).len() + 1) >> 1;
        // One digit more than asked for, and whether there are more.
        let shift = env.prec + 1 - root_len;
        let mut exact = true;
        let scaled = if shift >= 0 {
            times_pow10(&square, 2 * shift)
        } else {
            pow10(-2 * shift).map(|unit| {
                let scaled = &square / &unit;
                exact = &scaled * unit == square;
                scaled
            })
        };
        let Some(scaled) = scaled else {
            return Number::invalid(MALLOC_ERROR, status);
        };
        let mut root = scaled.sqrt();
        exact = exact && &root * &root == scaled;
        let mut exp = ideal - shift;
        if exact {
            if shift >= 0 {
                (root, exp) = without_zeros(root, exp, ideal);
            } else if let Some(longer) = times_pow10(&root, -shift) {
                (root, exp) = (longer, ideal);
            }
        } else if (&root % 5u32).is_zero() {
            root += 1u32;
        }
        Number::finite(false, root, exp).finalize(&env, status)
    })
}

pub fn compare(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    Number::small(a.compare(b) as i64)
}

/// As `compare`; quiet NaNs signal too.
pub fn compare_signal(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        *status |= INVALID_OPERATION;
        return nan;
    }
    Number::small(a.compare(b) as i64)
}

/// The order of all representations: by kind, value and exponent.
pub fn total_order(a: &Number, b: &Number) -> Ordering {
    if a.sign != b.sign {
        return b.sign.cmp(&a.sign);
    }
    let order = total_order_of_magnitudes(a, b);
    if a.sign { order.reverse() } else { order }
}

pub fn total_order_of_magnitudes(a: &Number, b: &Number) -> Ordering {
    let rank = |number: &Number| match number.kind {
        Kind::Finite | Kind::Infinity => 0,
        Kind::SignalingNan => 1,
        Kind::QuietNan => 2,
    };
    if a.is_nan() || b.is_nan() {
        return rank(a).cmp(&rank(b)).then_with(|| a.digits.cmp(&b.digits));
    }
    let (a, b) = (a.with_sign(false), b.with_sign(false));
    a.compare(&b).then_with(|| a.exp.cmp(&b.exp))
}

/// The four of a kind: the larger or smaller operand, by value or by magnitude.
pub fn extremum(
    a: &Number,
    b: &Number,
    largest: bool,
    by_magnitude: bool,
    env: &Env,
    status: &mut u32,
) -> Number {
    if a.is_nan() || b.is_nan() {
        // A number beats a quiet NaN.
        return match (a.kind, b.kind) {
            (Kind::QuietNan, Kind::Finite | Kind::Infinity) => b.clone().finalize(env, status),
            (Kind::Finite | Kind::Infinity, Kind::QuietNan) => a.clone().finalize(env, status),
            _ => Number::of_nans(&[a, b], env, status).unwrap_or_else(Number::nan),
        };
    }
    let by_value = if by_magnitude {
        a.with_sign(false).compare(&b.with_sign(false))
    } else {
        a.compare(b)
    };
    let order = by_value.then_with(|| total_order(a, b));
    let first = if largest {
        order != Ordering::Less
    } else {
        order != Ordering::Greater
    };
    (if first { a } else { b }).clone().finalize(env, status)
}

/// The neighbour above or below.
pub fn next(a: &Number, up: bool, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    if a.is_infinite() {
        if a.sign != up {
            return a.clone();
        }
        return largest(a.sign, env, status);
    }
    let rounding = if up { Rounding::Ceiling } else { Rounding::Floor };
    let env = env.with_rounding(rounding);
    let mut unseen = 0;
    let rounded = a.clone().finalize(&env, &mut unseen);
    if rounded.compare(a) != Ordering::Equal {
        return rounded;
    }
    let least = Number::finite(!up, BigUint::one(), env.etiny() - 1);
    let next = add(&rounded, &least, &env, &mut unseen);
    *status |= unseen & MALLOC_ERROR;
    next
}

pub fn next_toward(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let up = match a.compare(b) {
        Ordering::Equal => return a.with_sign(b.sign),
        order => order == Ordering::Less,
    };
    let next = next(a, up, env, status);
    if next.is_infinite() {
        *status |= OVERFLOW | ROUNDED | INEXACT;
    } else if next.is_finite() && !next.is_normal(env) {
        *status |= UNDERFLOW | SUBNORMAL | ROUNDED | INEXACT;
        if next.is_zero() {
            *status |= CLAMPED;
        }
    }
    next
}

pub fn logb(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    if a.is_infinite() {
        return Number::infinity(false);
    }
    if a.is_zero() {
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(true);
    }
    Number::small(a.adjusted()).finalize(env, status)
}

/// The value of an operand that must be an integer in a range; `None` when it is not.
fn small_integer(number: &Number, limit: i64) -> Option<i64> {
    if !number.is_finite() || number.exp != 0 {
        return None;
    }
    let magnitude = i64::try_from(&number.digits).ok()?;
    let value = if number.sign { -magnitude } else { magnitude };
    (-limit..=limit).contains(&value).then_some(value)
}

pub fn scaleb(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let limit = env.emax.saturating_add(env.prec).saturating_mul(2);
    let Some(by) = small_integer(b, limit) else {
        return Number::invalid(INVALID_OPERATION, status);
    };
    if a.is_infinite() {
        return a.clone();
    }
    Number {
        exp: a.exp + by,
        ..a.clone()
    }
    .finalize(env, status)
}

/// Digits moved within the precision: what leaves is lost.
pub fn shift(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let Some(by) = small_integer(b, env.prec) else {
        return Number::invalid(INVALID_OPERATION, status);
    };
    if a.is_infinite() {
        return a.clone();
    }
    // What stands beyond the precision is lost, and so is what a shift to the left moves there.
    let n_kept = env.prec - by.max(0);
    let kept = match pow10(n_kept) {
        Some(unit) if a.len() > n_kept => &a.digits % unit,
        _ => a.digits.clone(),
    };
    let digits = if by < 0 {
        pow10(-by).map_or_else(BigUint::zero, |unit| kept / unit)
    } else {
        match times_pow10(&kept, by) {
            Some(digits) => digits,
            None => return Number::invalid(MALLOC_ERROR, status),
        }
    };
    Number::finite(a.sign, digits, a.exp)
}

/// Digits moved around within the precision.
pub fn rotate(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let Some(by) = small_integer(b, env.prec) else {
        return Number::invalid(INVALID_OPERATION, status);
    };
    if a.is_infinite() {
        return a.clone();
    }
    let by = if by < 0 { by + env.prec } else { by };
    let rotated = || -> Option<BigUint> {
        let digits = if a.len() > env.prec {
            &a.digits % pow10(env.prec)?
        } else {
            a.digits.clone()
        };
        if digits.is_zero() {
            return Some(digits);
        }
        let unit = match pow10(env.prec - by) {
            Some(unit) => unit,
            None if Number::finite(false, digits.clone(), 0).len() <= env.prec - by => {
                return times_pow10(&digits, by);
            }
            None => return None,
        };
        let high = &digits / &unit;
        let low = digits - &high * unit;
        Some(times_pow10(&low, by)? + high)
    };
    match rotated() {
        Some(digits) => Number::finite(a.sign, digits, a.exp),
        None => Number::invalid(MALLOC_ERROR, status),
    }
}

/// The digits of a logical operand, the last first; `None` when it is not one.
fn logical_digits(a: &Number, env: &Env) -> Option<Vec<bool>> {
    if !a.is_finite() || a.sign || a.exp != 0 {
        return None;
    }
    let text = a.digits.to_string();
    if !text.bytes().all(|digit| digit == b'0' || digit == b'1') {
        return None;
    }
    let digits = text.bytes().rev().map(|digit| digit == b'1');
    Some(digits.take(usize::try_from(env.prec).unwrap_or(usize::MAX)).collect())
}

fn from_logical(digits: &[bool]) -> Number {
    let text: Vec<u8> = digits
        .iter()
        .rev()
        .map(|&digit| if digit { b'1' } else { b'0' })
        .collect();
    Number::finite(false, super::number::parse_digits(&text), 0)
}

pub fn logical(
    a: &Number,
    b: &Number,
    operation: fn(bool, bool) -> bool,
    env: &Env,
    status: &mut u32,
) -> Number {
    let (Some(a), Some(b)) = (logical_digits(a, env), logical_digits(b, env)) else {
        return Number::invalid(INVALID_OPERATION, status);
    };
    let digit = |digits: &[bool], at: usize| digits.get(at).copied().unwrap_or(false);
    let result: Vec<bool> = (0..a.len().max(b.len()))
        .map(|at| operation(digit(&a, at), digit(&b, at)))
        .collect();
    from_logical(&result)
}

pub fn logical_invert(a: &Number, env: &Env, status: &mut u32) -> Number {
    let Some(mut digits) = logical_digits(a, env) else {
        return Number::invalid(INVALID_OPERATION, status);
    };
    if env.prec > HUGE_PREC {
        return Number::invalid(MALLOC_ERROR, status);
    }
    digits.resize(env.prec as usize, false);
    digits.iter_mut().for_each(|digit| *digit = !*digit);
    from_logical(&digits)
}

pub fn same_quantum(a: &Number, b: &Number) -> bool {
    match (a.is_finite(), b.is_finite()) {
        (true, true) => a.exp == b.exp,
        (false, false) => a.is_nan() == b.is_nan(),
        _ => false,
    }
}

pub fn number_class(a: &Number, env: &Env) -> &'static str {
    let [plus, minus] = match a.kind {
        Kind::SignalingNan => return "sNaN",
        Kind::QuietNan => return "NaN",
        Kind::Infinity => ["+Infinity", "-Infinity"],
        Kind::Finite if a.digits.is_zero() => ["+Zero", "-Zero"],
        Kind::Finite if a.is_subnormal(env) => ["+Subnormal", "-Subnormal"],
        Kind::Finite => ["+Normal", "-Normal"],
    };
    if a.sign { minus } else { plus }
}
