//! A decimal number of the General Decimal Arithmetic Specification, its text, and what a context does to a result.
//!
//! Nothing here knows Python: numbers and settings come in, numbers and conditions go out. Source: M. Cowlishaw, General Decimal
//! Arithmetic Specification 1.70; the limits are those of a 64-bit `decimal` module.

use num_bigint::BigUint;
use num_traits::{One, Zero};
use std::cmp::Ordering;
use std::sync::LazyLock;

pub const MAX_PREC: i64 = 999_999_999_999_999_999;
pub const MAX_EMAX: i64 = MAX_PREC;
pub const MIN_EMIN: i64 = -MAX_PREC;
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);

/// The conditions that an operation may report, a bit each.
pub mod status {
    pub const CLAMPED: u32 = 1;
    pub const CONVERSION_SYNTAX: u32 = 1 << 1;
    pub const DIVISION_BY_ZERO: u32 = 1 << 2;
    pub const DIVISION_IMPOSSIBLE: u32 = 1 << 3;
    pub const DIVISION_UNDEFINED: u32 = 1 << 4;
    pub const INEXACT: u32 = 1 << 6;
    pub const INVALID_CONTEXT: u32 = 1 << 7;
    pub const INVALID_OPERATION: u32 = 1 << 8;
    /// No memory for the digits.
    pub const MALLOC_ERROR: u32 = 1 << 9;
    pub const FLOAT_OPERATION: u32 = 1 << 10;
    pub const OVERFLOW: u32 = 1 << 11;
    pub const ROUNDED: u32 = 1 << 12;
    pub const SUBNORMAL: u32 = 1 << 13;
    pub const UNDERFLOW: u32 = 1 << 14;
    /// Everything that the signal InvalidOperation stands for.
    pub const ANY_INVALID: u32 = CONVERSION_SYNTAX
        | DIVISION_IMPOSSIBLE
        | DIVISION_UNDEFINED
        | INVALID_CONTEXT
        | INVALID_OPERATION
        | MALLOC_ERROR;
}
use status::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}

impl Rounding {
    pub const ALL: [(&'static str, Rounding); 8] = [
        ("ROUND_UP", Rounding::Up),
        ("ROUND_DOWN", Rounding::Down),
        ("ROUND_CEILING", Rounding::Ceiling),
        ("ROUND_FLOOR", Rounding::Floor),
        ("ROUND_HALF_UP", Rounding::HalfUp),
        ("ROUND_HALF_DOWN", Rounding::HalfDown),
        ("ROUND_HALF_EVEN", Rounding::HalfEven),
        ("ROUND_05UP", Rounding::ZeroFiveUp),
    ];

    /// Whether a coefficient whose tail was cut off grows by one. `tail` is the tail beside half a unit; it is not zero.
    fn grows(self, sign: bool, last_digit: u8, tail: Ordering) -> bool {
        match self {
            Rounding::Up => true,
            Rounding::Down => false,
            Rounding::Ceiling => !sign,
            Rounding::Floor => sign,
            Rounding::HalfUp => tail != Ordering::Less,
            Rounding::HalfDown => tail == Ordering::Greater,
            Rounding::HalfEven => match tail {
                Ordering::Equal => last_digit % 2 == 1,
                unequal => unequal == Ordering::Greater,
            },
            Rounding::ZeroFiveUp => last_digit == 0 || last_digit == 5,
        }
    }
}

/// The settings of a context that bear on results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Env {
    pub prec: i64,
    pub emax: i64,
    pub emin: i64,
    pub rounding: Rounding,
    pub clamp: bool,
}

impl Env {
    /// The widest settings there are: a result that is inexact under them is one that cannot be represented.
    pub const MAX: Env = Env {
        prec: MAX_PREC,
        emax: MAX_EMAX,
        emin: MIN_EMIN,
        rounding: Rounding::HalfEven,
        clamp: false,
    };

    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }
    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }
    pub fn with_rounding(self, rounding: Rounding) -> Env {
        Env { rounding, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Finite,
    Infinity,
    QuietNan,
    SignalingNan,
}

/// sign × digits × 10^exp, or a special value. The digits of a NaN are its payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Number {
    pub kind: Kind,
    pub sign: bool,
    pub digits: BigUint,
    pub exp: i64,
}

/// No power of ten beyond this is made: its digits alone would take gigabytes.
const MOST_DIGITS: i64 = 4_000_000_000;

static POWERS: LazyLock<Vec<BigUint>> = LazyLock::new(|| {
    let mut power = BigUint::one();
    let mut powers = Vec::with_capacity(129);
    for _ in 0..129 {
        powers.push(power.clone());
        power *= 10u32;
    }
    powers
});

/// 10^n; `None` when there is no memory for it.
pub fn pow10(n: i64) -> Option<BigUint> {
    debug_assert!(n >= 0);
    match POWERS.get(n as usize) {
        Some(power) => Some(power.clone()),
        None if n > MOST_DIGITS => None,
        None => Some(BigUint::from(5u32).pow(n as u32) << n as u64),
    }
}

pub fn times_pow10(digits: &BigUint, n: i64) -> Option<BigUint> {
    if n == 0 || digits.is_zero() {
        return Some(digits.clone());
    }
    match POWERS.get(n as usize) {
        Some(power) => Some(digits * power),
        None => Some(digits * pow10(n)?),
    }
}

/// How many decimal digits there are; zero has one.
pub fn count_digits(digits: &BigUint) -> i64 {
    let bits = digits.bits();
    if bits == 0 {
        return 1;
    }
    if let Ok(small) = u64::try_from(digits) {
        return small.ilog10() as i64 + 1;
    }
    // floor((bits - 1) * log10(2)) is the count less one, or two less than it.
    let low = ((bits - 1) as u128 * 301_029_995_663_981_195 / 1_000_000_000_000_000_000) as i64;
    match pow10(low + 1) {
        Some(power) if *digits >= power => low + 2,
        _ => low + 1,
    }
}

fn last_digit(digits: &BigUint) -> u8 {
    (digits % 10u32).iter_u32_digits().next().unwrap_or(0) as u8
}

/// The digits without the last `n`, rounded, and whether anything but zeros was lost.
pub fn drop_digits(digits: &BigUint, n: i64, sign: bool, rounding: Rounding) -> (BigUint, bool) {
    if digits.is_zero() || n <= 0 {
        return (digits.clone(), false);
    }
    let len = count_digits(digits);
    let (mut kept, tail) = if n > len {
        (BigUint::zero(), Ordering::Less)
    } else {
        let Some(unit) = pow10(n) else {
            return (BigUint::zero(), true);
        };
        let kept = digits / &unit;
        let rest = digits - &kept * &unit;
        if rest.is_zero() {
            return (kept, false);
        }
        (kept, (rest << 1u32).cmp(&unit))
    };
    if rounding.grows(sign, last_digit(&kept), tail) {
        kept += 1u32;
    }
    (kept, true)
}

impl Number {
    pub fn finite(sign: bool, digits: BigUint, exp: i64) -> Number {
        Number {
            kind: Kind::Finite,
            sign,
            digits,
            exp,
        }
    }
    pub fn small(value: i64) -> Number {
        Number::finite(value < 0, BigUint::from(value.unsigned_abs()), 0)
    }
    pub fn infinity(sign: bool) -> Number {
        Number {
            kind: Kind::Infinity,
            ..Number::finite(sign, BigUint::zero(), 0)
        }
    }
    pub fn nan() -> Number {
        Number {
            kind: Kind::QuietNan,
            ..Number::finite(false, BigUint::zero(), 0)
        }
    }
    /// Sets a condition, and gives the NaN that is the result.
    #[cold]
    pub fn invalid(condition: u32, status: &mut u32) -> Number {
        *status |= condition;
        Number::nan()
    }

    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }
    pub fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinity
    }
    pub fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::QuietNan | Kind::SignalingNan)
    }
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.digits.is_zero()
    }
    pub fn len(&self) -> i64 {
        count_digits(&self.digits)
    }
    /// The exponent of the first digit.
    pub fn adjusted(&self) -> i64 {
        self.exp + self.len() - 1
    }
    pub fn is_integer(&self) -> bool {
        if !self.is_finite() {
            return false;
        }
        if self.exp >= 0 || self.digits.is_zero() {
            return true;
        }
        -self.exp < self.len() && pow10(-self.exp).is_some_and(|unit| (&self.digits % unit).is_zero())
    }
    /// Whether an integer is odd.
    pub fn is_odd(&self) -> bool {
        match self.exp {
            0 => self.digits.bit(0),
            exp if exp > 0 => false,
            exp => pow10(-exp).is_some_and(|unit| (&self.digits / unit).bit(0)),
        }
    }
    pub fn with_sign(&self, sign: bool) -> Number {
        Number { sign, ..self.clone() }
    }
    pub fn is_subnormal(&self, env: &Env) -> bool {
        self.is_finite() && !self.digits.is_zero() && self.adjusted() < env.emin
    }
    pub fn is_normal(&self, env: &Env) -> bool {
        self.is_finite() && !self.digits.is_zero() && self.adjusted() >= env.emin
    }

    /// The result of an operation with a NaN among its operands: the first signaling one, made quiet, else the first.
    pub fn of_nans(operands: &[&Number], env: &Env, status: &mut u32) -> Option<Number> {
        let nan = match operands.iter().find(|number| number.kind == Kind::SignalingNan) {
            Some(signaling) => {
                *status |= INVALID_OPERATION;
                signaling
            }
            None => operands.iter().find(|number| number.is_nan())?,
        };
        let quiet = Number {
            kind: Kind::QuietNan,
            ..(*nan).clone()
        };
        Some(quiet.with_short_payload(env))
    }

    fn with_short_payload(mut self, env: &Env) -> Number {
        let room = env.prec - i64::from(env.clamp);
        if !self.digits.is_zero() && self.len() > room {
            self.digits = match pow10(room) {
                Some(unit) => self.digits % unit,
                None => self.digits,
            };
        }
        self
    }

    /// Fits a result to its context: rounds, and reports overflow, underflow and clamping.
    pub fn finalize(mut self, env: &Env, status: &mut u32) -> Number {
        match self.kind {
            Kind::Finite => {}
            Kind::Infinity => return self,
            _ => return self.with_short_payload(env),
        }
        let (etiny, etop) = (env.etiny(), env.etop());
        if self.digits.is_zero() {
            let most = if env.clamp { etop } else { env.emax };
            let exp = self.exp.clamp(etiny, most);
            if exp != self.exp {
                *status |= CLAMPED;
                self.exp = exp;
            }
            return self;
        }
        let mut least = (self.len() as i128 + self.exp as i128 - env.prec as i128)
            .clamp(i64::MIN as i128 / 2, i64::MAX as i128 / 2) as i64;
        if least > etop {
            return overflowed(self.sign, env, status);
        }
        let subnormal = least < etiny;
        if subnormal {
            least = etiny;
        }
        if self.exp < least {
            let (mut digits, inexact) = drop_digits(&self.digits, least - self.exp, self.sign, env.rounding);
            if count_digits(&digits) > env.prec {
                digits /= 10u32;
                least += 1;
            }
            if least > etop {
                return overflowed(self.sign, env, status);
            }
            if inexact {
                *status |= INEXACT;
                if subnormal {
                    *status |= UNDERFLOW;
                }
            }
            if subnormal {
                *status |= SUBNORMAL;
            }
            *status |= ROUNDED;
            if digits.is_zero() {
                *status |= CLAMPED;
            }
            return Number {
                digits,
                exp: least,
                ..self
            };
        }
        if subnormal {
            *status |= SUBNORMAL;
        }
        if env.clamp && self.exp > etop {
            *status |= CLAMPED;
            match times_pow10(&self.digits, self.exp - etop) {
                Some(digits) => {
                    self.digits = digits;
                    self.exp = etop;
                }
                None => return Number::invalid(MALLOC_ERROR, status),
            }
        }
        self
    }

    /// The number with another exponent; what does not fit is rounded. `None` when there is no memory.
    pub fn rescaled(&self, exp: i64, rounding: Rounding) -> Option<(Number, bool)> {
        let (digits, inexact) = if self.exp >= exp {
            (times_pow10(&self.digits, self.exp - exp)?, false)
        } else {
            drop_digits(&self.digits, exp - self.exp, self.sign, rounding)
        };
        Some((Number::finite(self.sign, digits, exp), inexact))
    }

    /// -1, 0 or 1 for numbers that are no NaNs.
    pub fn compare(&self, other: &Number) -> Ordering {
        let signum = |number: &Number| match (number.is_zero(), number.sign) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (ours, theirs) = (signum(self), signum(other));
        if ours != theirs || ours == 0 {
            return ours.cmp(&theirs);
        }
        let magnitude = self.compare_magnitude(other);
        if self.sign { magnitude.reverse() } else { magnitude }
    }

    /// As `compare`, without the signs; zeros are less than the rest.
    pub fn compare_magnitude(&self, other: &Number) -> Ordering {
        match (self.is_infinite(), other.is_infinite()) {
            (false, false) => {}
            (ours, theirs) => return ours.cmp(&theirs),
        }
        match (self.digits.is_zero(), other.digits.is_zero()) {
            (false, false) => {}
            (ours, theirs) => return theirs.cmp(&ours),
        }
        if self.exp == other.exp {
            return self.digits.cmp(&other.digits);
        }
        // The first digits settle it, or the exponents differ by no more than the lengths do.
        self.adjusted().cmp(&other.adjusted()).then_with(|| {
            let least = self.exp.min(other.exp);
            let align = |number: &Number| times_pow10(&number.digits, number.exp - least).unwrap_or_default();
            align(self).cmp(&align(other))
        })
    }

    /// Text as `to-scientific-string` or `to-engineering-string` has it.
    pub fn to_text(&self, engineering: bool, capitals: bool) -> String {
        let mut text = String::new();
        if self.sign {
            text.push('-');
        }
        match self.kind {
            Kind::Finite => {}
            Kind::Infinity => return text + "Infinity",
            kind => {
                text += if kind == Kind::QuietNan { "NaN" } else { "sNaN" };
                if !self.digits.is_zero() {
                    text += &self.digits.to_string();
                }
                return text;
            }
        }
        let digits = self.digits.to_string();
        let len = digits.len() as i64;
        // Where the point stands, counted from the first digit.
        let left = self.exp + len;
        let point = if self.exp <= 0 && left > -6 {
            left
        } else if !engineering {
            1
        } else if self.digits.is_zero() {
            (left + 1).rem_euclid(3) - 1
        } else {
            (left - 1).rem_euclid(3) + 1
        };
        if point <= 0 {
            text += "0.";
            text.extend(std::iter::repeat_n('0', -point as usize));
            text += &digits;
        } else if point >= len {
            text += &digits;
            text.extend(std::iter::repeat_n('0', (point - len) as usize));
        } else {
            text += &digits[..point as usize];
            text.push('.');
            text += &digits[point as usize..];
        }
        if left != point {
            text.push(if capitals { 'E' } else { 'e' });
            text += &format!("{:+}", left - point);
        }
        text
    }

    /// A number as it is written, exactly. `None` is not the text of one.
    pub fn parse(text: &[u8]) -> Option<Number> {
        let (sign, rest) = match text.first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let lower = rest.to_ascii_lowercase();
        match lower.as_slice() {
            b"inf" | b"infinity" => return Some(Number::infinity(sign)),
            _ => {}
        }
        for (word, kind) in [
            (&b"nan"[..], Kind::QuietNan),
            (&b"snan"[..], Kind::SignalingNan),
        ] {
            if let Some(payload) = lower.strip_prefix(word) {
                if !payload.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                let digits = parse_digits(payload);
                return Some(Number {
                    kind,
                    ..Number::finite(sign, digits, 0)
                });
            }
        }
        let (mantissa, exponent) = match lower.iter().position(|&byte| byte == b'e') {
            Some(at) => (&lower[..at], parse_exponent(&lower[at + 1..])?),
            None => (&lower[..], 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &[][..]),
        };
        let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = parse_digits(&[whole, fraction].concat());
        Some(Number::finite(sign, digits, exponent.saturating_sub(fraction.len() as i64)))
    }

    /// The number if the widest context holds it, else NaN: what constructors give.
    pub fn exactly(self, status: &mut u32) -> Number {
        let mut conditions = 0;
        let number = self.finalize(&Env::MAX, &mut conditions);
        if conditions & (INEXACT | ROUNDED | CLAMPED | ANY_INVALID) != 0 {
            return Number::invalid(INVALID_OPERATION | conditions & MALLOC_ERROR, status);
        }
        number
    }
}

fn overflowed(sign: bool, env: &Env, status: &mut u32) -> Number {
    *status |= OVERFLOW | INEXACT | ROUNDED;
    let infinite = match env.rounding {
        Rounding::Up | Rounding::HalfUp | Rounding::HalfDown | Rounding::HalfEven => true,
        Rounding::Down | Rounding::ZeroFiveUp => false,
        Rounding::Ceiling => !sign,
        Rounding::Floor => sign,
    };
    if infinite {
        return Number::infinity(sign);
    }
    largest(sign, env, status)
}

/// The largest finite number of a context.
pub fn largest(sign: bool, env: &Env, status: &mut u32) -> Number {
    match pow10(env.prec) {
        Some(power) => Number::finite(sign, power - 1u32, env.etop()),
        None => Number::invalid(MALLOC_ERROR, status),
    }
}

pub fn parse_digits(digits: &[u8]) -> BigUint {
    if digits.len() <= 19 {
        let value = digits
            .iter()
            .fold(0u64, |value, byte| value * 10 + u64::from(byte - b'0'));
        return BigUint::from(value);
    }
    BigUint::parse_bytes(digits, 10).unwrap_or_default()
}

/// An exponent; one that no integer of ours holds is as far away as can be.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let far = i64::MAX / 2;
    let value = digits.iter().fold(0i64, |value, byte| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(byte - b'0'))
            .min(far)
    });
    Some(if negative { -value } else { value })
}
