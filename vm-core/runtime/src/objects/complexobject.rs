//! Complex numbers <-> `PyComplexObject`s, and the type `complex`.
//!
//! Products and quotients recover infinities as C99's Annex G says; a real operand is not widened to a complex one.

use super::longobject::arith::zero_division;
use super::longobject::int_type::as_int;
use super::longobject::text::strip_ascii_space;
use super::{dtoa, floatobject, formatter, freelist, numeric_hash, numeric_text};
use crate::exceptions::{exc, warn};
use crate::prelude::*;

/// Real and imaginary part.
pub type Parts = (f64, f64);

impl PyComplexObject {
    pub fn from_parts(real: f64, imag: f64) -> Ref<PyComplexObject> {
        crate::memory::insist_on(|| Self::new_in_class(&PyComplex_Type, (real, imag)))
    }
    fn new_in_class(cls: &PyTypeObject, (real, imag): Parts) -> PyResult<Ref<PyComplexObject>> {
        // SAFETY: an instance of complex or of a subtype has a complex's layout.
        let complex: Ref<PyComplexObject> = unsafe { freelist::alloc_instance(cls, 0)?.cast() };
        complex.cval.set(Py_complex { real, imag });
        Ok(complex)
    }
    #[inline]
    pub fn value(&self) -> Parts {
        let value = self.cval.get();
        (value.real, value.imag)
    }
    fn to_exact(&self) -> Ref<PyComplexObject> {
        if Self::check_exact(self.as_object()) {
            return self.to_ref();
        }
        let (real, imag) = self.value();
        Self::from_parts(real, imag)
    }
}

fn one_if_infinite(x: f64) -> f64 {
    (if x.is_infinite() { 1.0f64 } else { 0.0 }).copysign(x)
}

fn zero_if_nan(x: f64) -> f64 {
    if x.is_nan() { 0.0f64.copysign(x) } else { x }
}

/// `a * b`.
pub fn product((mut a, mut b): Parts, (mut c, mut d): Parts) -> Parts {
    let (ac, bd, ad, bc) = (a * c, b * d, a * d, b * c);
    let result = (ac - bd, ad + bc);
    if !(result.0.is_nan() && result.1.is_nan()) {
        return result;
    }
    let mut recompute = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, c, d) = (
            one_if_infinite(a),
            one_if_infinite(b),
            zero_if_nan(c),
            zero_if_nan(d),
        );
        recompute = true;
    }
    if c.is_infinite() || d.is_infinite() {
        (c, d, a, b) = (
            one_if_infinite(c),
            one_if_infinite(d),
            zero_if_nan(a),
            zero_if_nan(b),
        );
        recompute = true;
    }
    if !recompute && [ac, bd, ad, bc].iter().any(|x| x.is_infinite()) {
        (a, b, c, d) = (zero_if_nan(a), zero_if_nan(b), zero_if_nan(c), zero_if_nan(d));
        recompute = true;
    }
    if recompute {
        (f64::INFINITY * (a * c - b * d), f64::INFINITY * (a * d + b * c))
    } else {
        result
    }
}

/// `a / b`; None for a zero divisor. Smith's method.
pub fn quotient(a: Parts, b: Parts) -> Option<Parts> {
    let result = if b.0.abs() >= b.1.abs() {
        if b.0 == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        ((a.0 + a.1 * ratio) / divisor, (a.1 - a.0 * ratio) / divisor)
    } else if b.1.abs() >= b.0.abs() {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        ((a.0 * ratio + a.1) / divisor, (a.1 * ratio - a.0) / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    Some(recover_quotient(a, b, result))
}

/// Infinities and zeros that came out as NaN.
fn recover_quotient(a: Parts, b: Parts, result: Parts) -> Parts {
    if !(result.0.is_nan() && result.1.is_nan()) {
        return result;
    }
    if (a.0.is_infinite() || a.1.is_infinite()) && b.0.is_finite() && b.1.is_finite() {
        let (x, y) = (one_if_infinite(a.0), one_if_infinite(a.1));
        return (
            f64::INFINITY * (x * b.0 + y * b.1),
            f64::INFINITY * (y * b.0 - x * b.1),
        );
    }
    if (b.0.is_infinite() || b.1.is_infinite()) && a.0.is_finite() && a.1.is_finite() {
        let (x, y) = (one_if_infinite(b.0), one_if_infinite(b.1));
        return (0.0 * (a.0 * x + a.1 * y), 0.0 * (a.1 * x - a.0 * y));
    }
    result
}

/// A real divided by a complex.
fn real_quotient(a: f64, b: Parts) -> Option<Parts> {
    let result = if b.0.abs() >= b.1.abs() {
        if b.0 == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        (a / divisor, (-a * ratio) / divisor)
    } else if b.1.abs() >= b.0.abs() {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        ((a * ratio) / divisor, (-a) / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan() && result.1.is_nan() && a.is_finite() && (b.0.is_infinite() || b.1.is_infinite()) {
        let (x, y) = (one_if_infinite(b.0), one_if_infinite(b.1));
        return Some((0.0 * (a * x), 0.0 * (-a * y)));
    }
    Some(result)
}

/// `base ** exponent`.
pub fn complex_power(base: Parts, exponent: Parts) -> PyResult<Parts> {
    let zero = || raise!(ZeroDivisionError, "zero to a negative or complex power");
    let result = if exponent.1 == 0.0 && exponent.0 == exponent.0.floor() && exponent.0.abs() <= 100.0 {
        integer_power(base, exponent.0 as i64).ok_or_else(zero)?
    } else {
        general_power(base, exponent).ok_or_else(zero)?
    };
    if result.0.is_infinite() || result.1.is_infinite() {
        return Err(raise!(OverflowError, "complex exponentiation"));
    }
    Ok(result)
}

fn integer_power(base: Parts, exponent: i64) -> Option<Parts> {
    let mut result = (1.0, 0.0);
    let mut factor = base;
    let mut rest = exponent.unsigned_abs();
    while rest > 0 {
        if rest & 1 == 1 {
            result = product(result, factor);
        }
        rest >>= 1;
        if rest > 0 {
            factor = product(factor, factor);
        }
    }
    if exponent > 0 {
        Some(result)
    } else {
        quotient((1.0, 0.0), result)
    }
}

/// `_Py_c_pow`: None for zero to a negative or complex power and an infinity to a complex one; infinite where it overflows.
pub fn general_power(base: Parts, exponent: Parts) -> Option<Parts> {
    if exponent == (0.0, 0.0) {
        return Some((1.0, 0.0));
    }
    if base == (0.0, 0.0) {
        return (exponent.1 == 0.0 && exponent.0 >= 0.0).then_some((0.0, 0.0));
    }
    let size = base.0.hypot(base.1);
    let mut length = size.powf(exponent.0);
    let angle = base.1.atan2(base.0);
    let mut phase = angle * exponent.0;
    if exponent.1 != 0.0 {
        length *= (-angle * exponent.1).exp();
        phase += exponent.1 * size.ln();
    }
    if phase.is_infinite() {
        return None; // it has no cosine, an error of domain
    }
    Some((length * phase.cos(), length * phase.sin()))
}

/// An operand of the mixed arithmetic.
enum Operand {
    Real(f64),
    Complex(Parts),
}

impl Operand {
    /// None for a type that is no number.
    fn of(object: &PyObject) -> PyResult<Option<Operand>> {
        if let Some(complex) = object.downcast::<PyComplexObject>() {
            return Ok(Some(Operand::Complex(complex.value())));
        }
        if let Some(float) = object.downcast::<PyFloatObject>() {
            return Ok(Some(Operand::Real(float.value())));
        }
        match as_int(object) {
            Some(int) => Ok(Some(Operand::Real(int.to_f64()?))),
            None => Ok(None),
        }
    }
    fn parts(&self) -> Parts {
        match *self {
            Operand::Real(real) => (real, 0.0),
            Operand::Complex(parts) => parts,
        }
    }
}

fn binary(a: &PyObject, b: &PyObject, f: impl FnOnce(Operand, Operand) -> PyResult<Parts>) -> PyResult {
    let (Some(a), Some(b)) = (Operand::of(a)?, Operand::of(b)?) else {
        return Ok(not_implemented().to_ref());
    };
    let (real, imag) = f(a, b)?;
    Ok(PyComplexObject::from_parts(real, imag).into_object())
}

/// The parse of `complex(text)`, without underscores; None for a malformed one.
fn parse(mut text: &[u8]) -> Option<Parts> {
    if let [b'(', inner @ .., b')'] = text {
        text = strip_ascii_space(inner);
    }
    let sign_of = |byte: u8| if byte == b'-' { -1.0 } else { 1.0 };
    let Some((first, n)) = dtoa::parse_double_prefix(text) else {
        return match *text {
            [b'j' | b'J'] => Some((0.0, 1.0)),
            [sign @ (b'+' | b'-'), b'j' | b'J'] => Some((0.0, sign_of(sign))),
            _ => None,
        };
    };
    match &text[n..] {
        [] => Some((first, 0.0)),
        [b'j' | b'J'] => Some((0.0, first)),
        [sign @ (b'+' | b'-'), b'j' | b'J'] => Some((first, sign_of(*sign))),
        rest @ [b'+' | b'-', ..] => {
            let (second, n) = dtoa::parse_double_prefix(rest)?;
            matches!(rest[n..], [b'j' | b'J']).then_some((first, second))
        }
        _ => None,
    }
}

/// `complex(text)`.
pub fn from_str_object(text: &PyUnicodeObject) -> PyResult<Parts> {
    let other;
    let digits = match text.ascii_str() {
        Some(ascii) => ascii.as_bytes(),
        None => {
            other = numeric_text::to_ascii(text.code_points());
            &other[..]
        }
    };
    let Some(digits) = dtoa::strip_underscores(strip_ascii_space(digits)) else {
        let shown = text.as_object().repr()?.to_string_lossy();
        return Err(raise!(ValueError, "could not convert string to complex: {shown}"));
    };
    parse(&digits).ok_or_else(|| raise!(ValueError, "complex() arg is a malformed string"))
}

/// What `__complex__` gives, when the object has it; an exact complex is itself.
fn special_complex(object: &PyObject) -> PyResult<Option<Ref<PyComplexObject>>> {
    if let Some(complex) = object.downcast_exact::<PyComplexObject>() {
        return Ok(Some(complex.to_ref()));
    }
    let Some(method) = object.lookup_special(identifier!("__complex__"))? else {
        return Ok(None);
    };
    let result = method.call(&[])?;
    let type_name = object.ty().name();
    let exact = PyComplexObject::check_exact(&result);
    let complex = result.downcast::<PyComplexObject>().map_err(|other| {
        raise!(
            TypeError,
            "{type_name}.__complex__() must return a complex, not {}",
            other.ty().name()
        )
    })?;
    if !exact {
        warn(
            exc::DeprecationWarning,
            &format!(
                "{type_name}.__complex__() must return a complex, not {}.  The ability to return an instance of a \
                 strict subclass of complex is deprecated, and may be removed in a future version of Python.",
                complex.as_object().ty().name()
            ),
            1,
        )?;
    }
    Ok(Some(complex))
}

fn has_real_slot(object: &PyObject) -> bool {
    object.ty().number_slot(|slots| slots.nb_float.get()).is_some() || object.has_index()
}

/// `PyComplex_AsCComplex`.
pub fn as_parts(object: &PyObject) -> PyResult<Parts> {
    if let Some(complex) = object.downcast::<PyComplexObject>() {
        return Ok(complex.value());
    }
    match special_complex(object)? {
        Some(complex) => Ok(complex.value()),
        None => Ok((object.to_f64()?, 0.0)),
    }
}

/// `complex(x)`.
fn from_one(x: &PyObject) -> PyResult<Parts> {
    if let Some(text) = x.downcast::<PyUnicodeObject>() {
        return from_str_object(text);
    }
    if let Some(complex) = special_complex(x)? {
        return Ok(complex.value());
    }
    if let Some(complex) = x.downcast::<PyComplexObject>() {
        return Ok(complex.value());
    }
    if !has_real_slot(x) {
        return Err(raise!(
            TypeError,
            "complex() argument must be a string or a number, not {}",
            x.ty().name()
        ));
    }
    Ok((floatobject::number_float(x)?, 0.0))
}

fn not_real(name: &str, object: &PyObject) -> String {
    format!(
        "complex() argument '{name}' must be a real number, not {}",
        object.ty().name()
    )
}

/// `complex(real, imag)`: complex arguments are deprecated, but count in full.
fn from_two(real: Option<&PyObject>, imag: Option<&PyObject>) -> PyResult<Parts> {
    let special = match real {
        Some(real) => special_complex(real)?,
        None => None,
    };
    if let Some(real) = real
        && special.is_none()
        && !has_real_slot(real)
        && real.downcast::<PyComplexObject>().is_none()
    {
        return Err(raise!(TypeError, "{}", not_real("real", real)));
    }
    if let Some(imag) = imag
        && !has_real_slot(imag)
        && imag.downcast::<PyComplexObject>().is_none()
    {
        return Err(raise!(TypeError, "{}", not_real("imag", imag)));
    }
    let mut first = (0.0, 0.0);
    let mut real_is_complex = false;
    if let Some(real) = real {
        let complex = match &special {
            Some(complex) => Some(complex.value()),
            None => real.downcast::<PyComplexObject>().map(PyComplexObject::value),
        };
        real_is_complex = complex.is_some();
        first = match complex {
            Some(parts) => {
                if !has_real_slot(real) {
                    warn(exc::DeprecationWarning, &not_real("real", real), 1)?;
                }
                parts
            }
            None => (floatobject::number_float(real)?, 0.0),
        };
    }
    let Some(imag) = imag else { return Ok(first) };
    // A real argument leaves the other part alone, the sign of a zero included.
    let mut result = (first.0, 0.0);
    match imag.downcast::<PyComplexObject>() {
        Some(complex) => {
            warn(exc::DeprecationWarning, &not_real("imag", imag), 1)?;
            result.1 = complex.value().0;
            result.0 -= complex.value().1;
        }
        None => result.1 = floatobject::number_float(imag)?,
    }
    if real_is_complex {
        result.1 += first.1;
    }
    Ok(result)
}

/// Create a complex number from a string or numbers.
///
/// If a string is given, parse it as a complex number.
/// If a single number is given, convert it to a complex number.
/// If the 'real' or 'imag' arguments are given, create a complex number
/// with the specified real and imaginary components.
#[pytype(
    name = "complex",
    static_name = PyComplex_Type,
    flags = BASETYPE,
    members = [
        ("real", Py_T_DOUBLE, std::mem::offset_of!(PyComplexObject, cval), Py_READONLY, "the real part of a complex number"),
        ("imag", Py_T_DOUBLE, std::mem::offset_of!(PyComplexObject, cval) + 8, Py_READONLY,
            "the imaginary part of a complex number")
    ]
)]
impl PyComplexObject {
    #[new(raw, "(real=0, imag=0)")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let positional = args.as_slice();
        let n_keywords = kwargs.map_or(0, PyDictObject::len);
        if let ([x], 0) = (positional, n_keywords) {
            if PyComplexObject::check_exact(x) && std::ptr::eq(cls, &PyComplex_Type) {
                return Ok(x.to_ref());
            }
            return Self::new_in_class(cls, from_one(x)?).map(Ref::into_object);
        }
        let n = positional.len() + n_keywords;
        if n > 2 {
            return Err(raise!(
                TypeError,
                "complex() takes at most 2 arguments ({n} given)"
            ));
        }
        let mut parts = [positional.first().copied(), positional.get(1).copied()];
        if let Some(kwargs) = kwargs {
            let mut at = 0;
            while let Some((name, value, _)) = kwargs.next_entry(&mut at) {
                let name = name.str()?;
                let index = if name.eq_str("real") {
                    0
                } else if name.eq_str("imag") {
                    1
                } else {
                    return Err(raise!(
                        TypeError,
                        "complex() got an unexpected keyword argument '{}'",
                        name.to_string_lossy()
                    ));
                };
                if parts[index].is_some() {
                    let name = name.to_string_lossy();
                    return Err(raise!(
                        TypeError,
                        "argument for complex() given by name ('{name}') and position ({})",
                        index + 1
                    ));
                }
                parts[index] = Some(value);
            }
        }
        Self::new_in_class(cls, from_two(parts[0], parts[1])?).map(Ref::into_object)
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        let (real, imag) = self.value();
        let part = |value: f64, flags: u32| dtoa::double_to_string(value, 'r', 0, flags);
        let text = if real == 0.0 && real.is_sign_positive() {
            format!("{}j", part(imag, 0))
        } else {
            format!("({}{}j)", part(real, 0), part(imag, dtoa::DTSF_SIGN))
        };
        PyUnicodeObject::from_string(text)
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let (real, imag) = self.value();
        let real = numeric_hash::hash_double_of(real, self) as u64;
        let imag = numeric_hash::hash_double_of(imag, self) as u64;
        let hash = real.wrapping_add(numeric_hash::HASH_IMAG.wrapping_mul(imag)) as i64;
        Ok(numeric_hash::not_error(hash) as Py_hash_t)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let (real, imag) = self.value();
        let equal = if let Some(other) = other.downcast::<PyComplexObject>() {
            (real, imag) == other.value()
        } else if let Some(other) = other.downcast::<PyFloatObject>() {
            imag == 0.0 && real == other.value()
        } else if let Some(other) = as_int(other) {
            imag == 0.0 && floatobject::compare_with_int(real, other) == Some(std::cmp::Ordering::Equal)
        } else {
            return Ok(not_implemented().to_ref());
        };
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| {
            Ok(match (a, b) {
                (Operand::Complex(a), Operand::Real(b)) => (a.0 + b, a.1),
                (Operand::Real(a), Operand::Complex(b)) => (a + b.0, b.1),
                (a, b) => (a.parts().0 + b.parts().0, a.parts().1 + b.parts().1),
            })
        })
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| {
            Ok(match (a, b) {
                (Operand::Complex(a), Operand::Real(b)) => (a.0 - b, a.1),
                (Operand::Real(a), Operand::Complex(b)) => (a - b.0, -b.1),
                (a, b) => (a.parts().0 - b.parts().0, a.parts().1 - b.parts().1),
            })
        })
    }
    #[slot]
    fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| {
            Ok(match (a, b) {
                (Operand::Complex(a), Operand::Real(b)) => (a.0 * b, a.1 * b),
                (Operand::Real(a), Operand::Complex(b)) => (a * b.0, a * b.1),
                (a, b) => product(a.parts(), b.parts()),
            })
        })
    }
    #[slot]
    fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| {
            let result = match (a, b) {
                (Operand::Complex(a), Operand::Real(b)) => (b != 0.0).then(|| (a.0 / b, a.1 / b)),
                (Operand::Real(a), Operand::Complex(b)) => real_quotient(a, b),
                (a, b) => quotient(a.parts(), b.parts()),
            };
            result.ok_or_else(zero_division)
        })
    }
    #[slot]
    fn nb_power(a: &PyObject, b: &PyObject, modulus: &PyObject) -> PyResult {
        binary(a, b, |a, b| {
            if !is_none(modulus) {
                return Err(raise!(ValueError, "complex modulo"));
            }
            complex_power(a.parts(), b.parts())
        })
    }
    #[slot]
    fn nb_negative(&self) -> Ref<PyComplexObject> {
        let (real, imag) = self.value();
        Self::from_parts(-real, -imag)
    }
    #[slot]
    fn nb_positive(&self) -> Ref<PyComplexObject> {
        self.to_exact()
    }
    #[slot]
    fn nb_absolute(&self) -> PyResult<Ref<PyFloatObject>> {
        let (real, imag) = self.value();
        let size = real.hypot(imag);
        if size.is_infinite() && real.is_finite() && imag.is_finite() {
            return Err(raise!(OverflowError, "absolute value too large"));
        }
        Ok(PyFloatObject::from_f64(size))
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.value() != (0.0, 0.0))
    }
    /// Converts a number to a complex floating-point number.
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &PyTypeObject, number: &PyObject) -> PyResult {
        let exact = std::ptr::eq(cls, &PyComplex_Type);
        if exact && PyComplexObject::check_exact(number) {
            return Ok(number.to_ref());
        }
        let (real, imag) = as_parts(number)?;
        let value = Self::from_parts(real, imag);
        if exact {
            Ok(value.into_object())
        } else {
            cls.as_object().call1(value.as_object())
        }
    }
    /// Returns the complex conjugate: the imaginary part with the other sign.
    #[method("($self, /)")]
    fn conjugate(&self) -> Ref<PyComplexObject> {
        let (real, imag) = self.value();
        Self::from_parts(real, -imag)
    }
    /// Converts this value to exact type complex.
    #[method("($self, /)")]
    fn __complex__(&self) -> Ref<PyComplexObject> {
        self.to_exact()
    }
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref<PyTupleObject> {
        let (real, imag) = self.value();
        let parts = vec![
            PyFloatObject::from_f64(real).into_object(),
            PyFloatObject::from_f64(imag).into_object(),
        ];
        PyTupleObject::from_vec(parts)
    }
    /// Formats the value according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        formatter::format_complex(self, format_spec)
    }
}
