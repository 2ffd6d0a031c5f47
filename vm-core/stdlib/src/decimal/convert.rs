//! Python objects -> numbers: exactly, or rounded as a context says.

use super::context::Context;
use super::number::{Number, parse_digits, status};
use super::object::Decimal;
use adder_runtime::objects::numeric_text;
use adder_runtime::prelude::*;
use num_bigint::{BigInt, Sign};

pub fn from_int(int: &PyLongObject) -> Number {
    match int.to_i64() {
        Some(small) => Number::small(small),
        None => from_bigint(int.to_bigint()),
    }
}

pub fn from_bigint(int: BigInt) -> Number {
    let (sign, digits) = int.into_parts();
    Number::finite(sign == Sign::Minus, digits, 0)
}

/// The value of a float, exactly.
pub fn from_f64(value: f64) -> Number {
    if value.is_nan() {
        return Number::nan().with_sign(value.is_sign_negative());
    }
    if value.is_infinite() {
        return Number::infinity(value < 0.0);
    }
    let bits = value.to_bits();
    let (biased, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let (mut mantissa, mut exp) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, biased as i64 - 1075),
    };
    if mantissa == 0 {
        return Number::finite(value.is_sign_negative(), 0u32.into(), 0);
    }
    let zeros = mantissa.trailing_zeros().min((-exp).max(0) as u32);
    mantissa >>= zeros;
    exp += i64::from(zeros);
    let mantissa = num_bigint::BigUint::from(mantissa);
    if exp >= 0 {
        Number::finite(value < 0.0, mantissa << exp as u64, 0)
    } else {
        // m / 2^n is m * 5^n / 10^n.
        let five = num_bigint::BigUint::from(5u32).pow(-exp as u32);
        Number::finite(value < 0.0, mantissa * five, exp)
    }
}

/// An int or a float, exactly.
pub fn from_real(object: &PyObject) -> PyResult<Number> {
    if let Some(int) = object.downcast::<PyLongObject>() {
        return Ok(from_int(int));
    }
    match object.downcast::<PyFloatObject>() {
        Some(float) => Ok(from_f64(float.value())),
        None => Err(raise!(TypeError, "argument must be int or float")),
    }
}

/// The ASCII of a number's text; digits of all scripts count. `lenient` strips spaces and drops underscores.
fn ascii(text: &PyUnicodeObject, lenient: bool) -> Vec<u8> {
    let mut bytes = numeric_text::to_ascii(text.code_points());
    if lenient {
        bytes = bytes.trim_ascii().to_vec();
        let edge = |byte: u8| byte == 0x0b || (0x1c..0x20).contains(&byte);
        while bytes.first().is_some_and(|&byte| edge(byte) || byte.is_ascii_whitespace()) {
            bytes.remove(0);
        }
        while bytes.last().is_some_and(|&byte| edge(byte) || byte.is_ascii_whitespace()) {
            bytes.pop();
        }
        bytes.retain(|&byte| byte != b'_');
    }
    bytes
}

fn from_text(text: &PyUnicodeObject, lenient: bool, conditions: &mut u32) -> Number {
    match Number::parse(&ascii(text, lenient)) {
        Some(number) => number,
        None => Number::invalid(status::CONVERSION_SYNTAX, conditions),
    }
}

/// `(sign, digits, exponent)`.
fn from_sequence(items: &[&PyObject]) -> PyResult<Number> {
    let [sign, digits, exponent] = items else {
        return Err(raise!(ValueError, "argument must be a sequence of length 3"));
    };
    let sign = match sign.downcast::<PyLongObject>().and_then(|int| int.to_i64()) {
        Some(sign @ 0..=1) => sign == 1,
        _ => return Err(raise!(ValueError, "sign must be an integer with the value 0 or 1")),
    };
    let mut special = None;
    let mut exp = 0;
    if let Some(text) = exponent.downcast::<PyUnicodeObject>() {
        special = match text.to_string_lossy().as_str() {
            "F" => Some(Number::infinity(sign)),
            "n" => Some(Number::nan()),
            "N" => Some(Number {
                kind: super::number::Kind::SignalingNan,
                ..Number::nan()
            }),
            _ => {
                return Err(raise!(
                    ValueError,
                    "string argument in the third position must be 'F', 'n' or 'N'"
                ));
            }
        };
    } else {
        match exponent.downcast::<PyLongObject>() {
            Some(int) => exp = (int.as_isize()? as i64).clamp(i64::MIN / 2, i64::MAX / 2),
            None => return Err(raise!(ValueError, "exponent must be an integer")),
        }
    }
    let no_digits = || raise!(ValueError, "coefficient must be a tuple of digits");
    let digits: Vec<Ref> = match (digits.downcast::<PyTupleObject>(), digits.downcast::<PyListObject>()) {
        (Some(tuple), _) => tuple.as_slice().iter().map(|digit| digit.to_ref()).collect(),
        (_, Some(list)) => list.as_slice().iter().map(|digit| digit.to_ref()).collect(),
        _ => return Err(no_digits()),
    };
    if special.as_ref().is_some_and(Number::is_infinite) {
        return Ok(Number::infinity(sign));
    }
    let mut text = Vec::with_capacity(digits.len());
    for digit in &digits {
        match digit.as_object().downcast::<PyLongObject>().and_then(|int| int.to_i64()) {
            Some(digit @ 0..=9) => text.push(b'0' + digit as u8),
            _ => return Err(no_digits()),
        }
    }
    let digits = parse_digits(&text);
    Ok(match special {
        Some(nan) => Number { sign, digits, ..nan },
        None => Number::finite(sign, digits, exp),
    })
}

/// What a constructor takes, before any rounding. `lenient` text may have spaces around it and underscores.
fn any(value: &PyObject, lenient: bool, conditions: &mut u32) -> PyResult<Number> {
    if let Some(decimal) = value.downcast::<Decimal>() {
        return Ok(decimal.number().clone());
    }
    if let Some(text) = value.downcast::<PyUnicodeObject>() {
        return Ok(from_text(text, lenient, conditions));
    }
    if let Some(int) = value.downcast::<PyLongObject>() {
        return Ok(from_int(int));
    }
    if let Some(tuple) = value.downcast::<PyTupleObject>() {
        return from_sequence(tuple.as_slice());
    }
    if let Some(list) = value.downcast::<PyListObject>() {
        let items: Vec<Ref> = list.as_slice().iter().map(|item| item.to_ref()).collect();
        return from_sequence(&items.iter().map(|item| &**item).collect::<Vec<_>>());
    }
    if let Some(float) = value.downcast::<PyFloatObject>() {
        *conditions |= status::FLOAT_OPERATION;
        return Ok(from_f64(float.value()));
    }
    Err(raise!(
        TypeError,
        "conversion from {} to Decimal is not supported",
        value.ty().name()
    ))
}

/// The number of an object as it is; the context is only told what was odd about it.
pub fn exact(value: &PyObject, context: &Context) -> PyResult<Number> {
    let mut conditions = 0;
    let number = any(value, true, &mut conditions)?;
    let number = if value.downcast::<Decimal>().is_some() {
        number
    } else {
        number.exactly(&mut conditions)
    };
    context.report(conditions)?;
    Ok(number)
}

/// The number of an object, rounded as the context says.
pub fn rounded(value: &PyObject, context: &Context) -> PyResult<Ref<Decimal>> {
    let mut conditions = 0;
    let number = any(value, false, &mut conditions)?;
    if conditions & status::FLOAT_OPERATION != 0 {
        context.report(status::FLOAT_OPERATION)?;
        conditions &= !status::FLOAT_OPERATION;
    }
    let env = context.env.get();
    let too_long = number.is_nan()
        && !num_traits::Zero::is_zero(&number.digits)
        && number.len() > env.prec - i64::from(env.clamp);
    let number = if too_long {
        Number::invalid(status::CONVERSION_SYNTAX, &mut conditions)
    } else {
        number.finalize(&env, &mut conditions)
    };
    context.report(conditions)?;
    Decimal::make(number)
}
