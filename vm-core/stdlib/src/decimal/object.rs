//! The type `Decimal`.

use super::context::{self, Context, next_minus, next_plus};
use super::number::{Env, Kind, Number, Rounding, pow10, status, times_pow10};
use super::{arith, convert, format, transcendental};
use crate::util::Kept;
use adder_runtime::hooks::import_module;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::numeric_hash::{hash_pointer, not_error};
use adder_runtime::prelude::*;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, ToPrimitive, Zero};
use std::cell::Cell;

#[repr(C)]
pub struct Decimal {
    ob_base: PyObject,
    number: Number,
    /// -1 until it was asked for.
    hash: Cell<Py_hash_t>,
}

impl Decimal {
    pub fn make(number: Number) -> PyResult<Ref<Decimal>> {
        Decimal::make_in(&DECIMAL_TYPE, number)
    }
    fn make_in(cls: &PyTypeObject, number: Number) -> PyResult<Ref<Decimal>> {
        let new = Decimal {
            ob_base: blank_header(),
            number,
            hash: Cell::new(-1),
        };
        Ref::new_in(cls, new)
    }
    #[inline]
    pub fn number(&self) -> &Number {
        &self.number
    }
    /// The integer that rounding gives.
    fn to_int(&self, rounding: Rounding) -> PyResult<Ref<PyLongObject>> {
        match self.number.kind {
            Kind::Finite => {}
            Kind::Infinity => return Err(raise!(OverflowError, "cannot convert Infinity to integer")),
            _ => return Err(raise!(ValueError, "cannot convert NaN to integer")),
        }
        match self.number.rescaled(0, rounding) {
            Some((whole, _)) => int_of(whole.sign, whole.digits),
            None => Err(raise!(MemoryError)),
        }
    }
    fn unary(
        &self,
        context: Option<&PyObject>,
        operation: fn(&Number, &Env, &mut u32) -> Number,
    ) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        context.operate(|env, status| operation(&self.number, env, status))
    }
    fn binary(
        &self,
        other: &PyObject,
        context: Option<&PyObject>,
        operation: fn(&Number, &Number, &Env, &mut u32) -> Number,
    ) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        let other = operand(other)?;
        context.operate(|env, status| operation(&self.number, &other.number, env, status))
    }
    fn integral(&self, rounding: Option<&PyObject>, context: Option<&PyObject>, exact: bool) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        let rounding = rounding
            .filter(|rounding| !is_none(rounding))
            .map(context::rounding_of)
            .transpose()?;
        context.operate(|env, status| {
            let env = env.with_rounding(rounding.unwrap_or(env.rounding));
            arith::to_integral(&self.number, &env, exact, status)
        })
    }
    fn current_unary(&self, operation: fn(&Number, &Env, &mut u32) -> Number) -> PyResult<Ref<Decimal>> {
        context::current()?.operate(|env, status| operation(&self.number, env, status))
    }
}

fn int_of(sign: bool, digits: BigUint) -> PyResult<Ref<PyLongObject>> {
    let sign = if sign { Sign::Minus } else { Sign::Plus };
    PyLongObject::from_bigint(&BigInt::from_biguint(sign, digits))
}

/// A Decimal or an int as a Decimal; `None` is something else.
fn operand_opt(object: &PyObject) -> PyResult<Option<Ref<Decimal>>> {
    if let Some(decimal) = object.downcast::<Decimal>() {
        return Ok(Some(decimal.to_ref()));
    }
    match object.downcast::<PyLongObject>() {
        Some(int) => Decimal::make(convert::from_int(int)).map(Some),
        None => Ok(None),
    }
}

/// A Decimal or an int as a Decimal.
pub fn operand(object: &PyObject) -> PyResult<Ref<Decimal>> {
    operand_opt(object)?.ok_or_else(|| {
        raise!(
            TypeError,
            "conversion from {} to Decimal is not supported",
            object.ty().name()
        )
    })
}

fn binary_slot(
    a: &PyObject,
    b: &PyObject,
    operation: fn(&Number, &Number, &Env, &mut u32) -> Number,
) -> PyResult {
    let context = context::current()?;
    let (Some(a), Some(b)) = (operand_opt(a)?, operand_opt(b)?) else {
        return Ok(not_implemented().to_ref());
    };
    let result = context.operate(|env, status| operation(&a.number, &b.number, env, status))?;
    Ok(result.into_object())
}

pub fn divmod(a: &Decimal, b: &Decimal, context: &Context) -> PyResult<(Ref<Decimal>, Ref<Decimal>)> {
    let mut conditions = 0;
    let (quotient, remainder) = arith::divmod(&a.number, &b.number, &context.env.get(), &mut conditions, true);
    context.report(conditions)?;
    Ok((Decimal::make(quotient)?, Decimal::make(remainder)?))
}

/// The number that a Decimal is compared with, and the Decimal's own; `None` when they cannot be compared.
fn comparable(this: &Decimal, other: &PyObject, op: CompareOp) -> PyResult<Option<(Number, Number)>> {
    let ours = || this.number.clone();
    if let Some(other) = other.downcast::<Decimal>() {
        return Ok(Some((ours(), other.number.clone())));
    }
    if let Some(int) = other.downcast::<PyLongObject>() {
        return Ok(Some((ours(), convert::from_int(int))));
    }
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let of_float = |value: f64| -> PyResult<Option<(Number, Number)>> {
        let context = context::current()?;
        if equality {
            context.note(status::FLOAT_OPERATION);
        } else {
            context.report(status::FLOAT_OPERATION)?;
        }
        Ok(Some((ours(), convert::from_f64(value))))
    };
    if let Some(float) = other.downcast::<PyFloatObject>() {
        return of_float(float.value());
    }
    if let Some(complex) = other.downcast::<PyComplexObject>() {
        let (real, imag) = complex.value();
        return if equality && imag == 0.0 { of_float(real) } else { Ok(None) };
    }
    static RATIONAL: Kept = Kept::new();
    let rational = RATIONAL.get_or_make(|| import_module("numbers")?.get_attr_str("Rational"))?;
    if !other.is_instance(&rational)? {
        return Ok(None);
    }
    let part = |name: &str| -> PyResult<Ref<PyLongObject>> {
        match other.get_attr_str(name)?.downcast::<PyLongObject>() {
            Ok(int) => Ok(int),
            Err(_) => Err(raise!(TypeError, "numerator and denominator must be ints")),
        }
    };
    let numerator = part("numerator")?;
    let numerator = convert::from_int(&numerator);
    if !this.number.is_finite() {
        return Ok(Some((ours(), numerator)));
    }
    let denominator = part("denominator")?;
    let denominator = convert::from_int(&denominator);
    let scaled = Number {
        digits: &this.number.digits * &denominator.digits,
        ..ours()
    };
    Ok(Some((scaled, numerator)))
}

/// The modulus of hashes, 2^61 - 1, and the inverse of ten under it.
const HASH_MODULUS: u64 = (1 << 61) - 1;
const TEN_INVERSE: u64 = 2_075_258_708_292_324_556;

fn hash_number(number: &Number) -> Py_hash_t {
    let modulus = BigUint::from(HASH_MODULUS);
    let base = if number.exp < 0 { TEN_INVERSE } else { 10 };
    let power = BigUint::from(base).modpow(&BigUint::from(number.exp.unsigned_abs()), &modulus);
    let value = (&number.digits * power % modulus).to_i64().unwrap_or(0);
    not_error(if number.sign { -value } else { value }) as Py_hash_t
}

#[pytype(
    name = "decimal.Decimal",
    static_name = DECIMAL_TYPE,
    flags = BASETYPE,
    parts = [DECIMAL_UNARY, DECIMAL_BINARY, DECIMAL_PREDICATES, DECIMAL_OTHERS],
)]
/// A number in decimal floating point. The value can be an int, a string, a tuple, a float or another Decimal; it is
/// taken exactly, and the context is asked only whether an invalid value raises.
impl Decimal {
    #[new("(value=\"0\", context=None)")]
    fn new(cls: &PyTypeObject, value: Option<&PyObject>, context: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        let Some(value) = value else {
            return Decimal::make_in(cls, Number::small(0));
        };
        if std::ptr::eq(cls, &DECIMAL_TYPE)
            && let Some(same) = value.downcast_exact::<Decimal>()
        {
            return Ok(same.to_ref());
        }
        Decimal::make_in(cls, convert::exact(value, &context)?)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let capitals = context::current()?.capitals.get();
        Ok(format!("Decimal('{}')", self.number.to_text(false, capitals)))
    }
    #[slot]
    fn tp_str(&self) -> PyResult<String> {
        Ok(self.number.to_text(false, context::current()?.capitals.get()))
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        if self.hash.get() == -1 {
            let hash = match self.number.kind {
                Kind::Finite => hash_number(&self.number),
                Kind::Infinity if self.number.sign => -314_159,
                Kind::Infinity => 314_159,
                Kind::QuietNan => hash_pointer(self) as Py_hash_t,
                Kind::SignalingNan => return Err(raise!(TypeError, "Cannot hash a signaling NaN value")),
            };
            self.hash.set(hash);
        }
        Ok(self.hash.get())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some((ours, theirs)) = comparable(self, other, op)? else {
            return Ok(not_implemented().to_ref());
        };
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if ours.is_nan() || theirs.is_nan() {
            let signaling = [&ours, &theirs]
                .iter()
                .any(|number| number.kind == Kind::SignalingNan);
            if signaling || !equality {
                context::current()?.report(status::INVALID_OPERATION)?;
            }
            return Ok(py_bool(op == CompareOp::Ne));
        }
        Ok(py_bool(op.holds(ours.compare(&theirs))))
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::add)
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::subtract)
    }
    #[slot]
    fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::multiply)
    }
    #[slot]
    fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::divide)
    }
    #[slot]
    fn nb_floor_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::divide_int)
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        binary_slot(a, b, arith::remainder)
    }
    #[slot]
    fn nb_divmod(a: &PyObject, b: &PyObject) -> PyResult {
        let context = context::current()?;
        let (Some(a), Some(b)) = (operand_opt(a)?, operand_opt(b)?) else {
            return Ok(not_implemented().to_ref());
        };
        let (quotient, remainder) = divmod(&a, &b, &context)?;
        Ok(PyTupleObject::from_vec(vec![quotient.into_object(), remainder.into_object()]).into_object())
    }
    #[slot]
    fn nb_power(a: &PyObject, b: &PyObject, modulus: &PyObject) -> PyResult {
        if is_none(modulus) {
            return binary_slot(a, b, transcendental::power);
        }
        let context = context::current()?;
        let (Some(a), Some(b), Some(m)) = (operand_opt(a)?, operand_opt(b)?, operand_opt(modulus)?) else {
            return Ok(not_implemented().to_ref());
        };
        let result = context
            .operate(|env, status| transcendental::power_modulo(&a.number, &b.number, &m.number, env, status))?;
        Ok(result.into_object())
    }
    #[slot]
    fn nb_negative(&self) -> PyResult<Ref<Decimal>> {
        self.current_unary(arith::minus)
    }
    #[slot]
    fn nb_positive(&self) -> PyResult<Ref<Decimal>> {
        self.current_unary(arith::plus)
    }
    #[slot]
    fn nb_absolute(&self) -> PyResult<Ref<Decimal>> {
        self.current_unary(arith::abs)
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.number.is_zero())
    }
    #[slot]
    fn nb_int(&self) -> PyResult<Ref<PyLongObject>> {
        self.to_int(Rounding::Down)
    }
    #[slot]
    fn nb_float(&self) -> PyResult<f64> {
        match self.number.kind {
            Kind::SignalingNan => Err(raise!(ValueError, "cannot convert signaling NaN to float")),
            Kind::QuietNan => Ok(f64::NAN.copysign(if self.number.sign { -1.0 } else { 1.0 })),
            _ => Ok(self.number.to_text(false, true).parse().unwrap_or(f64::NAN)),
        }
    }
    #[getter]
    fn real(&self) -> Ref<Decimal> {
        self.to_ref()
    }
    #[getter]
    fn imag(&self) -> PyResult<Ref<Decimal>> {
        Decimal::make(Number::small(0))
    }
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $operation:path;)*) => {
        #[pymethods(part = DECIMAL_UNARY)]
        impl Decimal {
            $($(#[$doc])* #[method("($self, /, context=None)")]
            fn $name(&self, context: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
                self.unary(context, $operation)
            })*
        }
    };
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident = $operation:expr;)*) => {
        #[pymethods(part = DECIMAL_BINARY)]
        impl Decimal {
            $($(#[$doc])* #[method("($self, /, other, context=None)")]
            fn $name(&self, other: &PyObject, context: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
                self.binary(other, context, $operation)
            })*
        }
    };
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident = $test:expr;)*) => {
        #[pymethods(part = DECIMAL_PREDICATES)]
        impl Decimal {
            $($(#[$doc])* #[method("($self, /)")]
            fn $name(&self) -> bool {
                let test: fn(&Number) -> bool = $test;
                test(&self.number)
            })*
        }
    };
}

unary! {
    /// e ** self, correctly rounded.
    exp = transcendental::exp;
    /// The natural (base e) logarithm, correctly rounded.
    ln = transcendental::ln;
    /// The base ten logarithm, correctly rounded.
    log10 = transcendental::log10;
    /// The exponent of the first digit; of a zero, -Infinity and a division by zero.
    logb = arith::logb;
    /// All digits of a logical number inverted.
    logical_invert = arith::logical_invert;
    /// The largest number of the context that is less.
    next_minus = next_minus;
    /// The least number of the context that is larger.
    next_plus = next_plus;
    /// The same value without zeros at the end.
    normalize = arith::normalize;
    /// The square root, correctly rounded.
    sqrt = arith::sqrt;
}

binary! {
    /// Compares by value; the result is a Decimal, a NaN if one of the operands is.
    compare = arith::compare;
    /// As compare; all NaNs signal.
    compare_signal = arith::compare_signal;
    /// Compares by representation: the result is -1, 0 or 1.
    ///
    /// >>> Decimal('1.50').compare_total(Decimal('1.5'))
    /// Decimal('-1')
    compare_total = |a, b, _, _| Number::small(arith::total_order(a, b) as i64);
    /// Compares by representation, without the signs.
    compare_total_mag = |a, b, _, _| Number::small(arith::total_order_of_magnitudes(a, b) as i64);
    /// The number with the sign of the other one.
    ///
    /// >>> Decimal('7.25').copy_sign(Decimal('-0'))
    /// Decimal('-7.25')
    copy_sign = |a, b, _, _| a.with_sign(b.sign);
    /// The digits' logical and.
    logical_and = |a, b, env, status| arith::logical(a, b, |a, b| a && b, env, status);
    /// The digits' logical or.
    logical_or = |a, b, env, status| arith::logical(a, b, |a, b| a || b, env, status);
    /// The digits' logical exclusive or.
    logical_xor = |a, b, env, status| arith::logical(a, b, |a, b| a != b, env, status);
    /// The larger operand; a number beats a quiet NaN.
    max = |a, b, env, status| arith::extremum(a, b, true, false, env, status);
    /// The operand with the larger magnitude.
    max_mag = |a, b, env, status| arith::extremum(a, b, true, true, env, status);
    /// The smaller operand; a number beats a quiet NaN.
    min = |a, b, env, status| arith::extremum(a, b, false, false, env, status);
    /// The operand with the smaller magnitude.
    min_mag = |a, b, env, status| arith::extremum(a, b, false, true, env, status);
    /// The neighbour in the direction of the other operand.
    next_toward = arith::next_toward;
    /// self - other * n for the integer n nearest to the quotient.
    remainder_near = arith::remainder_near;
    /// The digits rotated by so many places, to the left if positive.
    rotate = arith::rotate;
    /// The number with other added to its exponent.
    scaleb = arith::scaleb;
    /// The digits shifted by so many places, to the left if positive.
    shift = arith::shift;
}

predicates! {
    /// True: every Decimal is canonical.
    is_canonical = |_| true;
    /// Whether it is neither infinite nor a NaN.
    is_finite = Number::is_finite;
    /// Whether it is an infinity.
    is_infinite = Number::is_infinite;
    /// Whether it is a NaN, quiet or signaling.
    is_nan = Number::is_nan;
    /// Whether it is a quiet NaN.
    is_qnan = |number| number.kind == Kind::QuietNan;
    /// Whether the sign is negative; zeros and NaNs have one too.
    is_signed = |number| number.sign;
    /// Whether it is a signaling NaN.
    is_snan = |number| number.kind == Kind::SignalingNan;
    /// Whether it is a zero.
    is_zero = Number::is_zero;
}

#[pymethods(part = DECIMAL_OTHERS)]
impl Decimal {
    /// The exponent of the first digit.
    #[method("($self, /)")]
    fn adjusted(&self) -> i64 {
        if self.number.is_finite() {
            self.number.adjusted()
        } else {
            0
        }
    }
    /// The pair of ints whose ratio is the number, in lowest terms, the denominator positive.
    #[method("($self, /)")]
    fn as_integer_ratio(&self) -> PyResult<(Ref<PyLongObject>, Ref<PyLongObject>)> {
        match self.number.kind {
            Kind::Finite => {}
            Kind::Infinity => {
                return Err(raise!(OverflowError, "cannot convert Infinity to integer ratio"));
            }
            _ => return Err(raise!(ValueError, "cannot convert NaN to integer ratio")),
        }
        let number = &self.number;
        let (mut numerator, mut denominator) = (number.digits.clone(), BigUint::one());
        if number.exp >= 0 {
            numerator = times_pow10(&numerator, number.exp).ok_or_else(|| raise!(MemoryError))?;
        } else if !numerator.is_zero() {
            let (digits, exp) = arith::without_zeros(numerator, number.exp, 0);
            numerator = digits;
            denominator = pow10(-exp).ok_or_else(|| raise!(MemoryError))?;
            let twos = numerator.trailing_zeros().unwrap_or(0).min(-exp as u64);
            numerator >>= twos;
            denominator >>= twos;
            for _ in 0..-exp {
                if !(&numerator % 5u32).is_zero() {
                    break;
                }
                numerator /= 5u32;
                denominator /= 5u32;
            }
        }
        Ok((int_of(number.sign, numerator)?, int_of(false, denominator)?))
    }
    /// The parts: sign, digits and exponent.
    #[method("($self, /)")]
    fn as_tuple(&self) -> PyResult {
        let number = &self.number;
        let digits: Vec<Ref> = match number.kind {
            Kind::Infinity => vec![PyLongObject::from_i64(0).into_object()],
            kind if kind != Kind::Finite && number.digits.is_zero() => Vec::new(),
            _ => {
                let text = number.digits.to_string();
                text.bytes()
                    .map(|digit| PyLongObject::from_i64(i64::from(digit - b'0')).into_object())
                    .collect()
            }
        };
        let exponent = match number.kind {
            Kind::Finite => PyLongObject::from_i64(number.exp).into_object(),
            Kind::Infinity => PyUnicodeObject::from_str("F").into_object(),
            Kind::QuietNan => PyUnicodeObject::from_str("n").into_object(),
            Kind::SignalingNan => PyUnicodeObject::from_str("N").into_object(),
        };
        let sign = PyLongObject::from_i64(i64::from(number.sign));
        let digits = PyTupleObject::from_vec(digits);
        super::decimal_tuple()?.call(&[sign.as_object(), digits.as_object(), &exponent])
    }
    /// The number itself: every Decimal is canonical.
    #[method("($self, /)")]
    fn canonical(&self) -> Ref<Decimal> {
        self.to_ref()
    }
    /// The number itself.
    #[method("($self, /)")]
    fn conjugate(&self) -> Ref<Decimal> {
        self.to_ref()
    }
    /// The number without its sign; no context has a say in it.
    #[method("($self, /)")]
    fn copy_abs(&self) -> PyResult<Ref<Decimal>> {
        Decimal::make(self.number.with_sign(false))
    }
    /// The number with its sign inverted; no context has a say in it.
    #[method("($self, /)")]
    fn copy_negate(&self) -> PyResult<Ref<Decimal>> {
        Decimal::make(self.number.with_sign(!self.number.sign))
    }
    /// self * other + third, rounded once.
    ///
    /// >>> Decimal(7).fma(6, -2)
    /// Decimal('40')
    #[method("($self, /, other, third, context=None)")]
    fn fma(&self, other: &PyObject, third: &PyObject, context: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        let (other, third) = (operand(other)?, operand(third)?);
        context.operate(|env, status| arith::fma(&self.number, &other.number, &third.number, env, status))
    }
    /// A Decimal of exactly the value of a float or an int.
    #[classmethod("($type, f, /)")]
    fn from_float(cls: &PyTypeObject, f: &PyObject) -> PyResult {
        of_class(cls, convert::from_real(f)?)
    }
    /// A Decimal of exactly the value of a real number: an int, a float or a Decimal.
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &PyTypeObject, number: &PyObject) -> PyResult {
        match number.downcast::<Decimal>() {
            Some(decimal) => of_class(cls, decimal.number.clone()),
            None if number.downcast::<PyFloatObject>().is_some() => of_class(cls, convert::from_real(number)?),
            None => of_class(cls, operand(number)?.number.clone()),
        }
    }
    /// Whether it is normal: finite, not zero, and not subnormal.
    #[method("($self, /, context=None)")]
    fn is_normal(&self, context: Option<&PyObject>) -> PyResult<bool> {
        Ok(self.number.is_normal(&context::from_argument(context)?.env.get()))
    }
    /// Whether it is subnormal: not zero, and less than the least normal number.
    #[method("($self, /, context=None)")]
    fn is_subnormal(&self, context: Option<&PyObject>) -> PyResult<bool> {
        Ok(self
            .number
            .is_subnormal(&context::from_argument(context)?.env.get()))
    }
    /// The name of the class of the number: sNaN, NaN, -Infinity, -Normal, and so on.
    #[method("($self, /, context=None)")]
    fn number_class(&self, context: Option<&PyObject>) -> PyResult<&'static str> {
        let context = context::from_argument(context)?;
        Ok(arith::number_class(&self.number, &context.env.get()))
    }
    /// The number rounded to the exponent of `exp`.
    ///
    /// >>> Decimal('3.14159').quantize(Decimal('0.01'))
    /// Decimal('3.14')
    #[method("($self, /, exp, rounding=None, context=None)")]
    fn quantize(
        &self,
        exp: &PyObject,
        rounding: Option<&PyObject>,
        context: Option<&PyObject>,
    ) -> PyResult<Ref<Decimal>> {
        let context = context::from_argument(context)?;
        let exp = operand(exp)?;
        let rounding = rounding
            .filter(|rounding| !is_none(rounding))
            .map(context::rounding_of)
            .transpose()?;
        context.operate(|env, status| {
            let env = env.with_rounding(rounding.unwrap_or(env.rounding));
            arith::quantize(&self.number, &exp.number, &env, status)
        })
    }
    /// 10.
    #[method("($self, /)")]
    fn radix(&self) -> PyResult<Ref<Decimal>> {
        Decimal::make(Number::small(10))
    }
    /// Whether both have the same exponent, or are both NaNs or both infinite.
    #[method("($self, /, other, context=None)")]
    fn same_quantum(&self, other: &PyObject, context: Option<&PyObject>) -> PyResult<bool> {
        context::from_argument(context)?;
        Ok(arith::same_quantum(&self.number, &operand(other)?.number))
    }
    /// Text in engineering notation: the exponent is a multiple of 3.
    #[method("($self, /, context=None)")]
    fn to_eng_string(&self, context: Option<&PyObject>) -> PyResult<String> {
        let capitals = context::from_argument(context)?.capitals.get();
        Ok(self.number.to_text(true, capitals))
    }
    /// The same as to_integral_value.
    #[method("($self, /, rounding=None, context=None)")]
    fn to_integral(&self, rounding: Option<&PyObject>, context: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
        self.integral(rounding, context, false)
    }
    /// The nearest integer; Inexact and Rounded are signaled.
    #[method("($self, /, rounding=None, context=None)")]
    fn to_integral_exact(
        &self,
        rounding: Option<&PyObject>,
        context: Option<&PyObject>,
    ) -> PyResult<Ref<Decimal>> {
        self.integral(rounding, context, true)
    }
    /// The nearest integer, without a signal.
    #[method("($self, /, rounding=None, context=None)")]
    fn to_integral_value(
        &self,
        rounding: Option<&PyObject>,
        context: Option<&PyObject>,
    ) -> PyResult<Ref<Decimal>> {
        self.integral(rounding, context, false)
    }
    #[method("($self, /)")]
    fn __ceil__(&self) -> PyResult<Ref<PyLongObject>> {
        self.to_int(Rounding::Ceiling)
    }
    #[method("($self, /)")]
    fn __complex__(&self) -> PyResult<Ref<PyComplexObject>> {
        Ok(PyComplexObject::from_parts(self.nb_float()?, 0.0))
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> Ref<Decimal> {
        self.to_ref()
    }
    #[method("($self, object, /)")]
    fn __deepcopy__(&self, object: &PyObject) -> Ref<Decimal> {
        let _ = object;
        self.to_ref()
    }
    #[method("($self, /)")]
    fn __floor__(&self) -> PyResult<Ref<PyLongObject>> {
        self.to_int(Rounding::Floor)
    }
    #[method(raw, "(...)")]
    fn __format__(&self, args: &[&PyObject]) -> PyResult<Ref<PyUnicodeObject>> {
        let (text, override_) = match args {
            [text] => (*text, None),
            [text, override_] => (*text, Some(*override_)),
            _ => return Err(raise!(TypeError, "__format__() takes 1 or 2 arguments ({} given)", args.len())),
        };
        match text.downcast::<PyUnicodeObject>() {
            Some(text) => format::format(&self.number, text, override_, &*context::current()?),
            None => Err(raise!(TypeError, "format arg must be str")),
        }
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<(Ref, (Ref,))> {
        let text = self.as_object().str()?;
        Ok((self.as_object().ty().as_object().to_ref(), (text.into_object(),)))
    }
    #[method(raw, "(...)")]
    fn __round__(&self, args: &[&PyObject]) -> PyResult {
        match args {
            [] => Ok(self.to_int(Rounding::HalfEven)?.into_object()),
            [n] => {
                let Some(n) = n.downcast::<PyLongObject>() else {
                    return Err(raise!(TypeError, "optional arg must be an integer"));
                };
                let n = (n.as_isize()? as i64).clamp(-i64::MAX, i64::MAX);
                let exp = Number::finite(false, BigUint::one(), -n);
                let result =
                    context::current()?.operate(|env, status| arith::quantize(&self.number, &exp, env, status))?;
                Ok(result.into_object())
            }
            _ => Err(raise!(TypeError, "__round__() takes at most 1 argument ({} given)", args.len())),
        }
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let words = self.number.digits.bits().div_ceil(64) as usize;
        size_of::<Decimal>() + 8 * words
    }
    #[method("($self, /)")]
    fn __trunc__(&self) -> PyResult<Ref<PyLongObject>> {
        self.to_int(Rounding::Down)
    }
}

/// A number as an instance of a class, which is called when it is not Decimal itself.
fn of_class(cls: &PyTypeObject, number: Number) -> PyResult {
    let decimal = Decimal::make(number)?;
    if std::ptr::eq(cls, &DECIMAL_TYPE) {
        return Ok(decimal.into_object());
    }
    cls.as_object().call1(decimal.as_object())
}

