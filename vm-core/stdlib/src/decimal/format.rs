//! `format(Decimal, spec)`: digits rounded as the specification asks, laid out as all numbers are.

use super::context::Context;
use super::number::{Env, Number};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::formatter::number::{Locale, Parts, layout};
use adder_runtime::objects::formatter::spec::{self, Grouping, Spec};
use adder_runtime::prelude::*;
use num_traits::Zero;

fn invalid() -> Raised {
    raise!(ValueError, "invalid format string")
}

/// No text is as wide as this.
const MOST_CHARACTERS: usize = 1 << 31;

/// A fill or an alignment does not go with the zero that asks for both.
fn zero_conflicts(text: &[u32]) -> bool {
    let is_align = |at: usize| text.get(at).is_some_and(|&c| c < 128 && b"<>=^".contains(&(c as u8)));
    let after = match (is_align(1), is_align(0)) {
        (true, _) => 2,
        (false, true) => 1,
        _ => return false,
    };
    let rest = text[after..].iter().skip_while(|&&c| c < 128 && b"+- z#".contains(&(c as u8)));
    rest.clone().next() == Some(&u32::from(b'0'))
}

fn parse(text: &PyUnicodeObject) -> PyResult<Spec> {
    let points: Vec<u32> = text.code_points().collect();
    let Ok(spec) = spec::parse(&points, &"decimal.Decimal", 0, b'>') else {
        return Err(invalid());
    };
    let known = spec.kind == 0 || spec.kind < 128 && b"eEfFgGnN%".contains(&(spec.kind as u8));
    let most = super::number::MAX_PREC as usize;
    if !known || zero_conflicts(&points) || spec.width.is_some_and(|n| n > most) || spec.precision.is_some_and(|n| n > most) {
        return Err(invalid());
    }
    if spec.width.is_some_and(|n| n > MOST_CHARACTERS) || spec.precision.is_some_and(|n| n > MOST_CHARACTERS) {
        return Err(raise!(MemoryError));
    }
    Ok(spec)
}

/// The number with so many significant digits at most.
fn significant(number: &Number, n_digits: i64, env: &Env) -> Option<Number> {
    if number.digits.is_zero() {
        return Some(number.clone());
    }
    let (rounded, _) = number.rescaled(number.adjusted() + 1 - n_digits, env.rounding)?;
    if rounded.len() > n_digits {
        // 9.99 became 10.0.
        return Some(rounded.rescaled(rounded.exp + 1, env.rounding)?.0);
    }
    Some(rounded)
}

/// The digits as text: whole part, fraction, exponent.
fn digits_text(number: &Number, kind: u8, precision: Option<i64>, env: &Env) -> Option<(Number, String)> {
    let mut number = number.clone();
    let is_fixed = matches!(kind, b'f' | b'F' | b'%');
    if kind == b'%' {
        number.exp += 2;
    }
    // Text that would not fit into memory is not begun.
    if is_fixed && !number.digits.is_zero() && number.exp > MOST_CHARACTERS as i64 {
        return None;
    }
    match precision {
        Some(precision) if matches!(kind, b'e' | b'E') => number = significant(&number, precision + 1, env)?,
        Some(precision) if is_fixed => number = number.rescaled(-precision, env.rounding)?.0,
        Some(precision) if number.len() > precision.max(1) => number = significant(&number, precision.max(1), env)?,
        _ => {}
    }
    if is_fixed && number.digits.is_zero() && number.exp > 0 {
        number.exp = 0;
    }
    let digits = number.digits.to_string();
    let left = number.exp + digits.len() as i64;
    let point = match kind {
        b'e' | b'E' => match precision {
            Some(precision) if number.digits.is_zero() => 1 - precision,
            _ => 1,
        },
        b'f' | b'F' | b'%' => left,
        _ if number.exp <= 0 && left > -6 => left,
        _ => 1,
    };
    if point.unsigned_abs() as usize > MOST_CHARACTERS {
        return None;
    }
    let mut text = String::new();
    if point <= 0 {
        text += "0.";
        text.extend(std::iter::repeat_n('0', -point as usize));
        text += &digits;
    } else if point >= digits.len() as i64 {
        text += &digits;
        text.extend(std::iter::repeat_n('0', point as usize - digits.len()));
    } else {
        text += &digits[..point as usize];
        text.push('.');
        text += &digits[point as usize..];
    }
    let exponent = left - point;
    if exponent != 0 || matches!(kind, b'e' | b'E') {
        text.push(if kind.is_ascii_uppercase() { 'E' } else { 'e' });
        text += &format!("{exponent:+}");
    }
    if kind == b'%' {
        text.push('%');
    }
    Some((number, text))
}

/// What an `override` dict says in place of the C locale.
fn overridden(dict: &PyObject, locale: Locale) -> PyResult<Locale> {
    let Some(dict) = dict.downcast::<PyDictObject>() else {
        return Err(raise!(TypeError, "optional argument must be a dict"));
    };
    let text = |name: &str| -> PyResult<Option<String>> {
        match dict.get(PyUnicodeObject::from_str(name).as_object())? {
            None => Ok(None),
            Some(value) => match value.downcast::<PyUnicodeObject>() {
                Ok(text) => Ok(Some(text.to_string_lossy())),
                Err(_) => Err(raise!(ValueError, "invalid override dict")),
            },
        }
    };
    let mut locale = locale;
    if let Some(point) = text("decimal_point")? {
        locale.decimal_point = point.into();
    }
    if let Some(separator) = text("thousands_sep")? {
        locale.thousands_separator = separator.into();
    }
    if let Some(grouping) = text("grouping")? {
        let sizes = grouping.chars().map(|size| u8::try_from(size).ok().filter(|size| *size < 128));
        match sizes.collect::<Option<Vec<u8>>>() {
            Some(sizes) => locale.grouping = sizes,
            None => return Err(raise!(ValueError, "invalid override dict")),
        }
    }
    if locale.decimal_point.is_empty() || locale.decimal_point.len() > 4 || locale.thousands_separator.len() > 4 {
        return Err(raise!(ValueError, "invalid override dict"));
    }
    Ok(locale)
}

pub fn format(
    number: &Number,
    text: &PyUnicodeObject,
    override_: Option<&PyObject>,
    context: &Context,
) -> PyResult<Ref<PyUnicodeObject>> {
    let mut spec = parse(text)?;
    let env = context.env.get();
    let kind = match spec.kind as u8 {
        kind @ (b'n' | b'N') => {
            if kind == b'N' {
                let message = "Format specifier 'N' is deprecated and slated for removal in Python 3.18";
                adder_runtime::hooks::warn(exc::DeprecationWarning, message, 1)?;
            }
            if spec.grouping != Grouping::None {
                return Err(invalid());
            }
            spec.grouping = Grouping::Locale;
            if kind == b'N' { b'G' } else { b'g' }
        }
        0 if context.capitals.get() => b'G',
        0 => b'g',
        kind => kind,
    };
    let mut locale = Locale::of(spec.grouping);
    if let Some(dict) = override_ {
        locale = overridden(dict, locale)?;
    }
    let mut shown = number.clone();
    let body = if number.is_finite() {
        let precision = spec.precision.map(|precision| precision as i64);
        let made = digits_text(number, kind, precision, &env);
        match made {
            Some((rounded, body)) => {
                shown = rounded;
                body
            }
            None => return Err(raise!(MemoryError)),
        }
    } else {
        let mut body = number.with_sign(false).to_text(false, true);
        if kind == b'%' {
            body.push('%');
        }
        body
    };
    let mut parts = Parts::of_float(&body);
    parts.negative = number.sign && !(spec.no_negative_zero && shown.is_zero());
    if number.is_finite() && spec.alternate {
        parts.has_point = true;
    }
    Ok(PyUnicodeObject::from_code_points(&layout(&parts, &spec, &locale)))
}
