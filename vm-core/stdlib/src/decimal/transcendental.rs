//! Exponential, logarithms and powers, correctly rounded.
//!
//! Each is approximated in binary fixed point with a few digits more than asked for; when those do not settle the rounding, with more
//! (Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded last bit", 1991).

use super::arith::{subtract, with_huge_prec};
use super::number::status::*;
use super::number::{Env, Number, Rounding, count_digits, pow10, times_pow10};
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::sync::Mutex;

/// Functions of more digits than this take longer than anybody waits.
const MOST_PREC: i64 = 50_000_000;

/// So many bits hold so many digits, with some to spare.
fn bits_for(digits: i64) -> u64 {
    (digits.max(1) as u64 * 33_220) / 10_000 + 48
}

/// ±digits × 10^exp as a multiple of 2^-bits, rounded down.
fn to_fixed(sign: bool, digits: &BigUint, exp: i64, bits: u64) -> Option<BigInt> {
    let magnitude = if exp >= 0 {
        times_pow10(digits, exp)? << bits
    } else {
        (digits << bits) / pow10(-exp)?
    };
    let sign = if sign { Sign::Minus } else { Sign::Plus };
    Some(BigInt::from_biguint(sign, magnitude))
}

/// artanh(1/n) × 2^bits.
fn artanh_of_inverse(n: u32, bits: u64) -> BigUint {
    let mut power = (BigUint::one() << bits) / n;
    let square = n * n;
    let (mut sum, mut divisor) = (power.clone(), 1u32);
    while !power.is_zero() {
        power /= square;
        divisor += 2;
        sum += &power / divisor;
    }
    sum
}

/// ln(10) × 2^bits, rounded down. The longest one that was asked for is kept.
fn ln10(bits: u64) -> BigInt {
    static KEPT: Mutex<(u64, Option<BigUint>)> = Mutex::new((0, None));
    let mut kept = KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if kept.0 < bits || kept.1.is_none() {
        // ln 10 = 46 artanh(1/31) + 34 artanh(1/49) + 20 artanh(1/161)
        let more = bits + 32;
        let sum = artanh_of_inverse(31, more) * 46u32
            + artanh_of_inverse(49, more) * 34u32
            + artanh_of_inverse(161, more) * 20u32;
        *kept = (bits, Some(sum >> 32u32));
    }
    let (have, value) = (kept.0, kept.1.clone().unwrap_or_default());
    BigInt::from(value >> (have - bits))
}

/// e^x for x = fixed × 2^-bits: digits of `[1, 10)` × 10^-n_digits, and the power of ten.
fn exp_fixed(x: &BigInt, bits: u64, n_digits: i64) -> (BigUint, i64) {
    let ln10 = ln10(bits);
    let mut power = x / &ln10;
    if (x - &power * &ln10).is_negative() {
        power -= 1;
    }
    let rest = (x - &power * &ln10).magnitude().clone();
    // e^r = (e^(r / 2^halvings))^(2^halvings): a short series and some squarings.
    let halvings = (bits as f64).sqrt() as u64 / 2 + 4;
    let wide = bits + halvings + 16;
    let small: BigUint = (rest << (wide - bits)) >> halvings;
    let mut term = BigUint::one() << wide;
    let mut sum = term.clone();
    let mut n = 1u32;
    loop {
        term = ((term * &small) >> wide) / n;
        if term.is_zero() {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> wide;
    }
    let scaled = (sum * pow10(n_digits).unwrap_or_else(BigUint::one)) >> wide;
    (scaled, power.to_i64().unwrap_or(i64::MAX / 4))
}

/// ln(digits × 10^exp) × 2^bits, the number positive; `None` when there is no memory.
fn ln_fixed(digits: &BigUint, exp: i64, bits: u64) -> Option<BigInt> {
    let mut power = exp + count_digits(digits) - 1;
    let roots = (bits as f64).sqrt() as u64 / 4 + 4;
    let wide = bits + 2 * roots + 32;
    // The number without its power of ten lies between 0.3 and 3.
    let mut near_one = to_fixed(false, digits, exp - power, wide)?;
    if near_one > BigInt::from(3) << wide {
        power += 1;
        near_one = to_fixed(false, digits, exp - power, wide)?;
    }
    let mut root = near_one.into_parts().1;
    for _ in 0..roots {
        root = (root << wide).sqrt();
    }
    let one = BigInt::one() << wide;
    let root = BigInt::from(root);
    // ln(r) = 2 artanh((r - 1) / (r + 1))
    let t: BigInt = ((&root - &one) << wide) / (root + one);
    let square: BigInt = (&t * &t) >> wide;
    let (mut term, mut sum, mut divisor) = (t.clone(), t, 1u32);
    while !term.is_zero() && term != BigInt::from(-1) {
        term = (term * &square) >> wide;
        divisor += 2;
        sum += &term / divisor;
    }
    let ln: BigInt = (sum << (roots + 1)) >> (wide - bits);
    Some(ln + ln10(bits) * power)
}

/// Whether an approximation that is off by a few hundred units at most rounds as the true value does.
fn settles(digits: &BigUint, prec: i64) -> bool {
    let n_tail = count_digits(digits) - prec;
    if n_tail < 4 {
        return false;
    }
    let Some(unit) = pow10(n_tail) else { return true };
    let tail = digits % &unit;
    let margin = BigUint::from(500u32);
    let half = &unit >> 1u32;
    let far_from = |point: &BigUint| {
        let distance = if tail > *point { &tail - point } else { point - &tail };
        distance > margin
    };
    far_from(&BigUint::zero()) && far_from(&unit) && far_from(&half)
}

/// Rounds an approximation of an irrational value: it never looks exact.
fn round_inexact(sign: bool, mut digits: BigUint, exp: i64, env: &Env, status: &mut u32) -> Number {
    if (&digits % 5u32).is_zero() {
        digits += 1u32;
    }
    Number::finite(sign, digits, exp).finalize(env, status)
}

/// Approximates with more and more digits until the rounding is settled. `approximate` gets the number of digits to be right.
fn ziv(
    env: &Env,
    status: &mut u32,
    approximate: impl Fn(i64) -> Option<(bool, BigUint, i64)>,
) -> Number {
    let mut extra = 6;
    loop {
        let Some((sign, digits, exp)) = approximate(env.prec + extra) else {
            return Number::invalid(MALLOC_ERROR, status);
        };
        if settles(&digits, env.prec) || extra > 3 * env.prec + 4_000 {
            return round_inexact(sign, digits, exp, env, status);
        }
        extra *= 2;
    }
}

pub fn exp(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return nan;
    }
    let env = &env.with_rounding(Rounding::HalfEven);
    if a.is_infinite() {
        return if a.sign { Number::small(0) } else { a.clone() };
    }
    if a.is_zero() {
        return Number::small(1).finalize(env, status);
    }
    let adjusted = a.adjusted();
    if adjusted > 19 {
        return out_of_range(false, !a.sign, env, status);
    }
    if env.prec > MOST_PREC {
        return Number::invalid(MALLOC_ERROR, status);
    }
    if adjusted < -env.prec - 2 {
        return beside_one(false, !a.sign, env, status);
    }
    ziv(env, status, |n_digits| {
        let bits = bits_for(n_digits) + 72;
        let fixed = to_fixed(a.sign, &a.digits, a.exp, bits)?;
        let (digits, power) = exp_fixed(&fixed, bits, n_digits);
        Some((false, digits, power - n_digits))
    })
}

/// What overflows every context, or underflows it.
fn out_of_range(sign: bool, large: bool, env: &Env, status: &mut u32) -> Number {
    let exp = if large { env.emax + 1 } else { env.etiny() - 2 };
    Number::finite(sign, BigUint::one(), exp).finalize(env, status)
}

/// What differs from one by less than any digit shows.
fn beside_one(sign: bool, above: bool, env: &Env, status: &mut u32) -> Number {
    let (Some(unit), exp) = (pow10(env.prec + 3), -env.prec - 3) else {
        return Number::invalid(MALLOC_ERROR, status);
    };
    let digits = if above { unit + 1u32 } else { unit - 1u32 };
    Number::finite(sign, digits, exp).finalize(env, status)
}

/// About the exponent of the first digit of |log a|; `None` when a is one.
fn distance_from_one(a: &Number) -> Option<i64> {
    let adjusted = a.adjusted();
    if !(-1..=0).contains(&adjusted) {
        return Some(adjusted.unsigned_abs().ilog10().into());
    }
    let mut unseen = 0;
    let exact = Env {
        prec: a.len() + 2,
        ..Env::MAX
    };
    let difference = subtract(a, &Number::small(1), &exact, &mut unseen);
    (!difference.is_zero()).then(|| difference.adjusted())
}

/// What both logarithms give for operands that are no positive numbers.
fn logarithm_of_special(a: &Number, env: &Env, status: &mut u32) -> Option<Number> {
    if let Some(nan) = Number::of_nans(&[a], env, status) {
        return Some(nan);
    }
    if a.is_zero() {
        return Some(Number::infinity(true));
    }
    if a.sign {
        return Some(Number::invalid(INVALID_OPERATION, status));
    }
    if a.is_infinite() {
        return Some(a.clone());
    }
    None
}

pub fn ln(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(special) = logarithm_of_special(a, env, status) {
        return special;
    }
    let Some(distance) = distance_from_one(a) else {
        return Number::small(0);
    };
    if env.prec > MOST_PREC {
        return Number::invalid(MALLOC_ERROR, status);
    }
    let env = &env.with_rounding(Rounding::HalfEven);
    ziv(env, status, |n_digits| {
        let n_digits = n_digits + (-distance).max(0) + 2;
        let bits = bits_for(n_digits) + 72;
        let ln = ln_fixed(&a.digits, a.exp, bits)?;
        let sign = ln.is_negative();
        let digits = (ln.into_parts().1 * pow10(n_digits)?) >> bits;
        Some((sign, digits, -n_digits))
    })
}

pub fn log10(a: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(special) = logarithm_of_special(a, env, status) {
        return special;
    }
    let env = &env.with_rounding(Rounding::HalfEven);
    let (stripped, exp) = super::arith::without_zeros(a.digits.clone(), a.exp, i64::MAX / 4);
    if stripped.is_one() {
        return Number::small(exp).finalize(env, status);
    }
    if env.prec > MOST_PREC {
        return Number::invalid(MALLOC_ERROR, status);
    }
    let distance = distance_from_one(a).unwrap_or(0);
    ziv(env, status, |n_digits| {
        let n_digits = n_digits + (-distance).max(0) + 3;
        let bits = bits_for(n_digits) + 72;
        let ln = ln_fixed(&a.digits, a.exp, bits)?;
        let sign = ln.is_negative();
        let digits = ln.into_parts().1 * pow10(n_digits)? / ln10(bits).into_parts().1;
        Some((sign, digits, -n_digits))
    })
}

/// digits^n with about `n_digits` digits right: an approximation of the digits, and its exponent.
fn power_by_squaring(digits: &BigUint, exp: i64, n: &BigUint, n_digits: i64) -> Option<(BigUint, i128)> {
    let n_digits = n_digits + count_digits(n) + 3;
    let shorten = |(digits, exp): (BigUint, i128)| -> Option<(BigUint, i128)> {
        let excess = count_digits(&digits) - n_digits;
        if excess <= 0 {
            return Some((digits, exp));
        }
        Some((digits / pow10(excess)?, exp.saturating_add(excess as i128)))
    };
    let base = shorten((digits.clone(), exp as i128))?;
    let mut result = base.clone();
    for at in (0..n.bits().saturating_sub(1)).rev() {
        result = shorten((&result.0 * &result.0, result.1.saturating_mul(2)))?;
        if n.bit(at) {
            result = shorten((&result.0 * &base.0, result.1.saturating_add(base.1)))?;
        }
    }
    Some(result)
}

/// a^b when it has no more than a few digits beyond the precision: its digits and exponent, without zeros at the end.
fn exact_power(a: &Number, b: &Number, prec: i64) -> Option<(BigUint, i64)> {
    let far = i64::MAX / 4;
    let (mut base, mut base_exp) = super::arith::without_zeros(a.digits.clone(), a.exp, far);
    // b = ±numerator / denominator in lowest terms, the denominator 2^i × 5^j.
    let (numerator, numerator_exp) = super::arith::without_zeros(b.digits.clone(), b.exp, far);
    let (numerator, denominator) = if numerator_exp >= 0 {
        if numerator_exp > 40 && !base.is_one() {
            return None;
        }
        (times_pow10(&numerator, numerator_exp.min(100))?, BigUint::one())
    } else {
        if -numerator_exp > 64 + base.bits() as i64 && !base.is_one() {
            return None;
        }
        let mut denominator = pow10((-numerator_exp).min(10_000))?;
        let mut numerator = numerator;
        for factor in [2u32, 5] {
            while (&numerator % factor).is_zero() && (&denominator % factor).is_zero() {
                numerator /= factor;
                denominator /= factor;
            }
        }
        (numerator, denominator)
    };
    if !denominator.is_one() {
        let root = u32::try_from(&denominator).ok()?;
        if !base.is_one() {
            if u64::from(root) > base.bits() {
                return None;
            }
            let candidate = base.nth_root(root);
            if candidate.pow(root) != base {
                return None;
            }
            base = candidate;
        }
        if base_exp % i64::from(root) != 0 {
            return None;
        }
        base_exp /= i64::from(root);
    }
    let exp = i64::try_from(BigInt::from(base_exp) * BigInt::from(numerator.clone())).ok()?;
    if base.is_one() {
        return Some((base, if b.sign { -exp } else { exp }));
    }
    let times = u32::try_from(&numerator).ok()?;
    if !b.sign {
        let about = (base.bits() - 1) as f64 * std::f64::consts::LOG10_2 * f64::from(times);
        return (about <= prec as f64 + 3.0).then(|| (base.pow(times), exp));
    }
    // 1 / 2^m = 5^m / 10^m, and the other way round.
    let two_power = base.trailing_zeros().unwrap_or(0);
    let (other, m) = if BigUint::one() << two_power == base {
        (5u32, two_power)
    } else {
        let mut m = 0u64;
        let mut rest = base.clone();
        while (&rest % 5u32).is_zero() {
            rest /= 5u32;
            m += 1;
        }
        if !rest.is_one() {
            return None;
        }
        (2u32, m)
    };
    let m = u32::try_from(m.checked_mul(u64::from(times))?).ok()?;
    let about = f64::from(m) * if other == 5 { 0.698 } else { 0.301 };
    (about <= prec as f64 + 3.0).then(|| (BigUint::from(other).pow(m), -exp - i64::from(m)))
}

/// One with as many zeros as the precision has room for.
fn padded_one(sign: bool, exp: i64, status: &mut u32) -> Number {
    match pow10(-exp) {
        Some(digits) => Number::finite(sign, digits, exp),
        None => Number::invalid(MALLOC_ERROR, status),
    }
}

pub fn power(a: &Number, b: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b], env, status) {
        return nan;
    }
    let integral = b.is_integer();
    if b.is_zero() {
        if a.is_zero() {
            return Number::invalid(INVALID_OPERATION, status);
        }
        return Number::small(1).finalize(env, status);
    }
    if a.sign && !integral && !a.is_zero() {
        return Number::invalid(INVALID_OPERATION, status);
    }
    let sign = a.sign && integral && b.is_odd();
    if a.is_zero() || a.is_infinite() {
        return if a.is_zero() == b.sign {
            Number::infinity(sign)
        } else {
            Number::finite(sign, BigUint::zero(), 0).finalize(env, status)
        };
    }
    let base = a.with_sign(false);
    let distance = distance_from_one(&base);
    if b.is_infinite() {
        return match base.compare(&Number::small(1)) {
            Ordering::Equal => {
                *status |= INEXACT | ROUNDED;
                padded_one(false, 1 - env.prec, status)
            }
            order if (order == Ordering::Greater) != b.sign => Number::infinity(sign),
            _ => Number::finite(sign, BigUint::zero(), 0),
        };
    }
    let Some(distance) = distance else {
        // One to any power: the zeros after the point multiply as far as there is room.
        let least = 1 - env.prec;
        if !integral {
            *status |= INEXACT | ROUNDED;
            return padded_one(sign, least, status);
        }
        let times = if b.sign {
            0
        } else {
            integer_value(b).map_or(env.prec, |times| times.min(env.prec))
        };
        let exp = (a.exp as i128 * times as i128).max(i64::MIN as i128) as i64;
        if exp < least {
            *status |= ROUNDED;
        }
        return padded_one(sign, exp.max(least), status);
    };
    let above_one = base.compare(&Number::small(1)) == Ordering::Greater;
    let grows = above_one != b.sign;
    let reach = b.adjusted().saturating_add(distance);
    if reach > 21 {
        return out_of_range(sign, grows, env, status);
    }
    if integral && env.prec > MOST_PREC {
        return with_huge_prec(env, MOST_PREC / 10, status, |env, status| {
            finite_power(&base, b, sign, integral, env, status)
        });
    }
    if env.prec > MOST_PREC {
        return Number::invalid(MALLOC_ERROR, status);
    }
    if reach < -env.prec - 4 && exact_power(&base, b, env.prec).is_none() {
        return beside_one(sign, grows, env, status);
    }
    finite_power(&base, b, sign, integral, env, status)
}

fn integer_value(b: &Number) -> Option<i64> {
    if b.exp >= 0 {
        i64::try_from(times_pow10(&b.digits, b.exp.min(40))?).ok()
    } else {
        i64::try_from(&b.digits / pow10(-b.exp)?).ok()
    }
}

fn finite_power(base: &Number, b: &Number, sign: bool, integral: bool, env: &Env, status: &mut u32) -> Number {
    if let Some((mut digits, mut exp)) = exact_power(base, b, env.prec) {
        if !integral {
            // A power that is no integer's counts as inexact, also when it is not.
            let room = env.prec + 1 - count_digits(&digits);
            if room > 0
                && let Some(longer) = times_pow10(&digits, room)
            {
                (digits, exp) = (longer, exp - room);
            }
            let mut conditions = 0;
            let result = Number::finite(sign, digits, exp).finalize(env, &mut conditions);
            if conditions & SUBNORMAL != 0 {
                conditions |= UNDERFLOW;
            }
            *status |= conditions | INEXACT | ROUNDED;
            return result;
        }
        if !b.sign
            && let Some(times) = integer_value(b)
        {
            // The exponent that multiplying would give, if there is room for the zeros.
            let ideal = (base.exp as i128 * times as i128).max(i64::MIN as i128 / 4) as i64;
            let zeros = (exp - ideal).min(env.prec - count_digits(&digits));
            if zeros > 0
                && let Some(longer) = times_pow10(&digits, zeros)
            {
                (digits, exp) = (longer, exp - zeros);
            }
            if exp > ideal {
                *status |= ROUNDED;
            }
        }
        return Number::finite(sign, digits, exp).finalize(env, status);
    }
    let whole = integral.then(|| {
        if b.exp >= 0 {
            times_pow10(&b.digits, b.exp)
        } else {
            pow10(-b.exp).map(|unit| &b.digits / unit)
        }
    });
    if let Some(Some(n)) = whole {
        return ziv(env, status, |n_digits| {
            let (digits, exp) = power_by_squaring(&base.digits, base.exp, &n, n_digits)?;
            let (digits, exp) = if b.sign {
                let len = count_digits(&digits) + n_digits + 1;
                (pow10(len)? / digits, -exp - len as i128)
            } else {
                (digits, exp)
            };
            let exp = exp.clamp(i64::MIN as i128 / 4, i64::MAX as i128 / 4) as i64;
            // No more digits than are right.
            let excess = count_digits(&digits) - n_digits;
            let digits = if excess > 0 { digits / pow10(excess)? } else { digits };
            Some((sign, digits, exp.saturating_add(excess.max(0))))
        });
    }
    ziv(env, status, |n_digits| {
        let bits = bits_for(n_digits + b.adjusted().max(0) + 4) + 72;
        let ln = ln_fixed(&base.digits, base.exp, bits)?;
        let product = ln * BigInt::from_biguint(if b.sign { Sign::Minus } else { Sign::Plus }, b.digits.clone());
        let fixed = if b.exp >= 0 {
            product * BigInt::from(pow10(b.exp)?)
        } else {
            product / BigInt::from(pow10(-b.exp)?)
        };
        let (digits, power) = exp_fixed(&fixed, bits, n_digits);
        Some((sign, digits, power - n_digits))
    })
}

/// (a ** b) % modulus for integers.
pub fn power_modulo(a: &Number, b: &Number, modulus: &Number, env: &Env, status: &mut u32) -> Number {
    if let Some(nan) = Number::of_nans(&[a, b, modulus], env, status) {
        return nan;
    }
    let fits = a.is_integer()
        && b.is_integer()
        && modulus.is_integer()
        && (!b.sign || b.is_zero())
        && !modulus.is_zero()
        && modulus.len() + modulus.exp <= env.prec
        && !(a.is_zero() && b.is_zero());
    if !fits {
        return Number::invalid(INVALID_OPERATION, status);
    }
    let whole = |number: &Number| {
        if number.exp >= 0 {
            times_pow10(&number.digits, number.exp)
        } else {
            pow10(-number.exp).map(|unit| &number.digits / unit)
        }
    };
    let Some(m) = whole(modulus) else {
        return Number::invalid(MALLOC_ERROR, status);
    };
    let base = if a.exp > 0 {
        (&a.digits * BigUint::from(10u32).modpow(&BigUint::from(a.exp as u64), &m)) % &m
    } else {
        whole(a).unwrap_or_default() % &m
    };
    let result = match whole(b) {
        Some(exponent) => base.modpow(&exponent, &m),
        None => return Number::invalid(MALLOC_ERROR, status),
    };
    Number::finite(a.sign && b.is_odd(), result, 0).finalize(env, status)
}
