//! Doubles <-> `PyFloatObject`s, and the type `float`.
//!
//! Text is made and read by `dtoa` and `hex`; `compare` orders a float and an int exactly.

pub mod hex;

use super::freelist::{self, FreeList};
use super::longobject::arith;
use super::longobject::int_type::as_int;
use super::{dtoa, formatter, longobject, numeric_hash, numeric_text};
use crate::memory;
use crate::prelude::*;
use hex::HexError;
use std::cmp::Ordering;
use std::ptr::NonNull;

static FREE: FreeList = FreeList::new(256);

/// `repr(float)`.
pub fn float_repr(value: f64) -> String {
    dtoa::float_repr(value)
}

impl PyFloatObject {
    #[inline(always)]
    pub fn from_f64(value: f64) -> Ref<PyFloatObject> {
        match Self::from_f64_quick(value) {
            Some(float) => float,
            None => Self::from_f64_general(value),
        }
    }
    /// A float in the memory of one that died.
    #[inline(always)]
    pub fn from_f64_quick(value: f64) -> Option<Ref<PyFloatObject>> {
        let object = FREE.pop();
        // SAFETY: memory of a float.
        (!object.is_null()).then(|| unsafe { Self::finish(object, value) })
    }
    #[inline(never)]
    fn from_f64_general(value: f64) -> Ref<PyFloatObject> {
        let block = memory::insist(|| NonNull::new(memory::raw_malloc(size_of::<PyFloatObject>())));
        // SAFETY: memory for one float.
        unsafe { Self::finish(block.as_ptr().cast(), value) }
    }
    /// # Safety
    /// Memory for one float.
    #[inline(always)]
    unsafe fn finish(object: *mut PyObject, value: f64) -> Ref<PyFloatObject> {
        // SAFETY: the caller's contract; all fields are set here.
        unsafe {
            memory::init_static(object, &PyFloat_Type);
            let float = object.cast::<PyFloatObject>();
            (*float).ob_fval.set(value);
            Ref::from_owned(float)
        }
    }
    /// As `decref` of an object that is known to be an exact float.
    ///
    /// # Safety
    /// As `memory::decref`, and the type is `float`.
    #[inline(always)]
    pub unsafe fn decref_exact(object: *mut PyObject) {
        // SAFETY: the caller's contract.
        unsafe {
            let count = (*object).ob_refcnt.get();
            if (count as i32) < 0 {
                return;
            }
            (*object).ob_refcnt.set(count - 1);
            if count == 1 && !FREE.push(object) {
                memory::raw_free(object.cast());
            }
        }
    }
    #[inline(always)]
    pub fn value(&self) -> f64 {
        self.ob_fval.get()
    }
}

/// A number as a double for float's operators: None for other types.
#[inline(always)]
fn operand(object: &PyObject) -> PyResult<Option<f64>> {
    if let Some(float) = object.downcast_exact::<PyFloatObject>() {
        return Ok(Some(float.value()));
    }
    operand_slow(object)
}

fn operand_slow(object: &PyObject) -> PyResult<Option<f64>> {
    if let Some(int) = as_int(object) {
        return int.to_f64().map(Some);
    }
    Ok(object.downcast::<PyFloatObject>().map(PyFloatObject::value))
}

/// Applies `f` to two doubles, or answers NotImplemented.
#[inline(always)]
fn binary(a: &PyObject, b: &PyObject, f: impl FnOnce(f64, f64) -> PyResult<f64>) -> PyResult {
    match (operand(a)?, operand(b)?) {
        (Some(a), Some(b)) => Ok(PyFloatObject::from_f64(f(a, b)?).into_object()),
        _ => Ok(not_implemented().to_ref()),
    }
}

/// `a / b`.
#[inline]
pub fn divide(a: f64, b: f64) -> PyResult<f64> {
    if b == 0.0 {
        Err(arith::zero_division())
    } else {
        Ok(a / b)
    }
}

/// `a % b`, with the divisor's sign.
#[inline]
pub fn modulo(a: f64, b: f64) -> PyResult<f64> {
    if b == 0.0 {
        return Err(arith::zero_division());
    }
    let rest = a % b;
    if rest == 0.0 {
        return Ok(0.0f64.copysign(b));
    }
    Ok(if (b < 0.0) != (rest < 0.0) { rest + b } else { rest })
}

/// `divmod(a, b)`.
pub fn divmod(a: f64, b: f64) -> PyResult<(f64, f64)> {
    if b == 0.0 {
        return Err(arith::zero_division());
    }
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return Ok((0.0f64.copysign(a / b), rest));
    }
    let mut floor = quotient.floor();
    if quotient - floor > 0.5 {
        floor += 1.0;
    }
    Ok((floor, rest))
}

/// OverflowError(34, 'Numerical result out of range'), as the C library's errno has it.
#[cold]
pub fn out_of_range() -> Raised {
    let arguments = PyTupleObject::from_vec(vec![
        PyLongObject::from_i64(34).into_object(),
        PyUnicodeObject::from_str("Numerical result out of range").into_object(),
    ]);
    raise!(OverflowError, value => arguments.as_object())
}

/// `base ** exponent`: a float, or a complex for a negative base with a fractional exponent.
pub fn power(base: f64, exponent: f64) -> PyResult {
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent != exponent.floor() {
        let result = super::complexobject::complex_power((base, 0.0), (exponent, 0.0))?;
        return Ok(PyComplexObject::from_parts(result.0, result.1).into_object());
    }
    Ok(PyFloatObject::from_f64(real_power(base, exponent)?).into_object())
}

/// As C's pow, with Python's exceptions; not for a negative base with a fractional exponent.
fn real_power(base: f64, exponent: f64) -> PyResult<f64> {
    if exponent == 0.0 || base == 1.0 {
        return Ok(1.0);
    }
    if base.is_nan() {
        return Ok(base);
    }
    if exponent.is_nan() {
        return Ok(exponent);
    }
    let exponent_is_odd = exponent.abs() % 2.0 == 1.0;
    if exponent.is_infinite() {
        let size = base.abs();
        return Ok(if size == 1.0 {
            1.0
        } else if (exponent > 0.0) == (size > 1.0) {
            f64::INFINITY
        } else {
            0.0
        });
    }
    if base.is_infinite() {
        let size = if exponent > 0.0 { f64::INFINITY } else { 0.0 };
        return Ok(if exponent_is_odd {
            size.copysign(base)
        } else {
            size
        });
    }
    if base == 0.0 {
        if exponent < 0.0 {
            return Err(raise!(ZeroDivisionError, "zero to a negative power"));
        }
        return Ok(if exponent_is_odd { base } else { 0.0 });
    }
    let result = base.abs().powf(exponent);
    if result.is_infinite() {
        return Err(out_of_range());
    }
    Ok(if base < 0.0 && exponent_is_odd {
        -result
    } else {
        result
    })
}

/// The order of a float and an int, exact however large the int; None for NaN.
pub fn compare_with_int(float: f64, int: &PyLongObject) -> Option<Ordering> {
    if int.is_compact() || int.bit_length() <= 53 {
        return float.partial_cmp(&int.to_f64_opt()?);
    }
    if float.is_nan() {
        return None;
    }
    let int_sign = if int.is_negative() {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    // The int is at least 2**53 in size, so the float decides only when it is as large.
    let (_, exponent) = dtoa::frexp(float);
    let same_sign = (float < 0.0) == int.is_negative() && float != 0.0;
    if float.is_finite() && (!same_sign || (i64::from(exponent) as u64) < int.bit_length() || exponent < 0) {
        return Some(int_sign.reverse());
    }
    if float.is_infinite() || exponent as u64 > int.bit_length() {
        return Some(if float > 0.0 {
            Ordering::Greater
        } else {
            Ordering::Less
        });
    }
    // Equal sizes beyond 2**53: the float has no fraction.
    let whole = PyLongObject::from_f64(float).ok()?;
    Some(arith::compare(&whole, int))
}

fn compare(a: f64, b: &PyObject) -> Option<Option<Ordering>> {
    if let Some(b) = b.downcast::<PyFloatObject>() {
        return Some(a.partial_cmp(&b.value()));
    }
    as_int(b).map(|b| compare_with_int(a, b))
}

/// What `op` says of an order that NaN makes undefined.
#[inline]
pub fn holds(op: CompareOp, order: Option<Ordering>) -> bool {
    match order {
        Some(order) => op.holds(order),
        None => op == CompareOp::Ne,
    }
}

/// The double that a literal (a str, or bytes-like) writes: `PyFloat_FromString`.
pub fn from_text_like(object: &PyObject) -> PyResult<f64> {
    let parsed = if let Some(text) = object.downcast::<PyUnicodeObject>() {
        match text.ascii_str() {
            Some(ascii) => parse(ascii.as_bytes()),
            None => parse(&numeric_text::to_ascii(text.code_points())),
        }
    } else if let Some(bytes) = object.downcast::<PyBytesObject>() {
        parse(bytes.as_bytes())
    } else if let Some(bytes) = object.downcast::<PyByteArrayObject>() {
        parse(bytes.as_bytes())
    } else if let Some(buffer) = numeric_text::buffer_text(object)? {
        parse(&buffer)
    } else {
        return Err(raise!(
            TypeError,
            "float() argument must be a string or a real number, not '{}'",
            object.ty().name()
        ));
    };
    match parsed {
        Some(value) => Ok(value),
        None => {
            let shown = object.repr()?;
            Err(raise!(
                ValueError,
                "could not convert string to float: {}",
                shown.to_string_lossy()
            ))
        }
    }
}

/// A literal with underscores and space around it.
fn parse(text: &[u8]) -> Option<f64> {
    let text = longobject::text::strip_ascii_space(text);
    dtoa::parse_double(&dtoa::strip_underscores(text)?)
}

/// `float(object)` as a double: `PyNumber_Float`.
pub fn number_float(object: &PyObject) -> PyResult<f64> {
    match object.number_to_f64()? {
        Some(value) => Ok(value),
        None => from_text_like(object),
    }
}

/// A double as an instance of `cls`, float or a subtype.
fn new_in(cls: &PyTypeObject, value: f64) -> PyResult<Ref<PyFloatObject>> {
    if std::ptr::eq(cls, &PyFloat_Type) {
        return Ok(PyFloatObject::from_f64(value));
    }
    // SAFETY: a subtype's instance has a float's layout.
    let float: Ref<PyFloatObject> = unsafe { freelist::alloc_instance(cls, 0)?.cast() };
    float.ob_fval.set(value);
    Ok(float)
}

/// A double as an instance of `cls`, by calling it unless it is float itself.
fn call_class(cls: &PyTypeObject, value: f64) -> PyResult {
    let float = PyFloatObject::from_f64(value);
    if std::ptr::eq(cls, &PyFloat_Type) {
        return Ok(float.into_object());
    }
    cls.as_object().call1(float.as_object())
}

/// Convert a string or number to a floating-point number, if possible.
#[pytype(name = "float", static_name = PyFloat_Type, flags = BASETYPE | MATCH_SELF)]
impl PyFloatObject {
    #[new("(x=0, /)", vectorcall)]
    fn new(cls: &PyTypeObject, x: Option<&PyObject>) -> PyResult<Ref<PyFloatObject>> {
        let Some(x) = x else { return new_in(cls, 0.0) };
        let exact = std::ptr::eq(cls, &PyFloat_Type);
        if let (Some(float), true) = (x.downcast_exact::<PyFloatObject>(), exact) {
            return Ok(float.to_ref());
        }
        if exact && let Some(nb_float) = x.ty().number_slot(|slots| slots.nb_float.get()) {
            // SAFETY: a slot of the object's type.
            let result = unsafe { crate::protocol::from_slot(nb_float(x.as_ptr()), "__float__")? };
            return match result.downcast::<PyFloatObject>() {
                Ok(float) if PyFloatObject::check_exact(float.as_object()) => Ok(float),
                Ok(other) => new_in(
                    cls,
                    crate::protocol::number::checked_float(x, other.into_object())?,
                ),
                Err(other) => new_in(cls, crate::protocol::number::checked_float(x, other)?),
            };
        }
        new_in(cls, number_float(x)?)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyFloatObject) {
        // SAFETY: a destructor gets an object whose count is zero; its memory goes where it came from.
        unsafe {
            let object = this.cast::<PyObject>();
            if PyFloatObject::check_exact(&*object) {
                if !FREE.push(object) {
                    memory::raw_free(object.cast());
                }
                return;
            }
            freelist::free_instance(object);
        }
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_string(float_repr(self.value()))
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(numeric_hash::hash_double_of(self.value(), self) as Py_hash_t)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match compare(self.value(), other) {
            Some(order) => Ok(py_bool(holds(op, order))),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| Ok(a + b))
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| Ok(a - b))
    }
    #[slot]
    fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| Ok(a * b))
    }
    #[slot]
    fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, divide)
    }
    #[slot]
    fn nb_floor_divide(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, |a, b| Ok(divmod(a, b)?.0))
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        binary(a, b, modulo)
    }
    #[slot]
    fn nb_divmod(a: &PyObject, b: &PyObject) -> PyResult {
        let (Some(a), Some(b)) = (operand(a)?, operand(b)?) else {
            return Ok(not_implemented().to_ref());
        };
        let (quotient, rest) = divmod(a, b)?;
        let pair = vec![
            PyFloatObject::from_f64(quotient).into_object(),
            PyFloatObject::from_f64(rest).into_object(),
        ];
        Ok(PyTupleObject::from_vec(pair).into_object())
    }
    #[slot]
    fn nb_power(a: &PyObject, b: &PyObject, modulus: &PyObject) -> PyResult {
        if !is_none(modulus) {
            return Err(raise!(
                TypeError,
                "pow() 3rd argument not allowed unless all arguments are integers"
            ));
        }
        match (operand(a)?, operand(b)?) {
            (Some(a), Some(b)) => power(a, b),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_negative(&self) -> Ref<PyFloatObject> {
        PyFloatObject::from_f64(-self.value())
    }
    #[slot]
    fn nb_positive(&self) -> Ref<PyFloatObject> {
        self.to_exact()
    }
    #[slot]
    fn nb_absolute(&self) -> Ref<PyFloatObject> {
        PyFloatObject::from_f64(self.value().abs())
    }
    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(self.value() != 0.0)
    }
    #[slot]
    fn nb_int(&self) -> PyResult<Ref<PyLongObject>> {
        PyLongObject::from_f64(self.value())
    }
    #[slot]
    fn nb_float(&self) -> Ref<PyFloatObject> {
        self.to_exact()
    }

    /// This float, or an exact copy of it when it is an instance of a subtype.
    pub fn to_exact(&self) -> Ref<PyFloatObject> {
        if Self::check_exact(self.as_object()) {
            self.to_ref()
        } else {
            Self::from_f64(self.value())
        }
    }

    /// Converts a real number to a floating-point number.
    #[classmethod("($type, number, /)")]
    fn from_number(cls: &PyTypeObject, number: &PyObject) -> PyResult {
        if std::ptr::eq(cls, &PyFloat_Type) && PyFloatObject::check_exact(number) {
            return Ok(number.to_ref());
        }
        call_class(cls, number.to_f64()?)
    }
    /// Returns self, the complex conjugate of any float.
    #[method("($self, /)")]
    fn conjugate(&self) -> Ref<PyFloatObject> {
        self.to_exact()
    }
    /// Returns the integer part, without the fraction.
    #[method("($self, /)")]
    fn __trunc__(&self) -> PyResult<Ref<PyLongObject>> {
        PyLongObject::from_f64(self.value())
    }
    /// Returns the greatest integer that is not above the value.
    #[method("($self, /)")]
    fn __floor__(&self) -> PyResult<Ref<PyLongObject>> {
        PyLongObject::from_f64(self.value().floor())
    }
    /// Returns the least integer that is not below the value.
    #[method("($self, /)")]
    fn __ceil__(&self) -> PyResult<Ref<PyLongObject>> {
        PyLongObject::from_f64(self.value().ceil())
    }
    /// Rounds half to even: to an integer, or to a float of ndigits decimals.
    #[method("($self, ndigits=None, /)")]
    fn __round__(&self, ndigits: Option<&PyObject>) -> PyResult {
        let value = self.value();
        let Some(ndigits) = ndigits else {
            return PyLongObject::from_f64(value.round_ties_even()).map(Ref::into_object);
        };
        let ndigits = ndigits.to_index_saturating()?;
        if !value.is_finite() {
            return Ok(PyFloatObject::from_f64(value).into_object());
        }
        match dtoa::round_decimals(value, ndigits as i64) {
            Some(rounded) => Ok(PyFloatObject::from_f64(rounded).into_object()),
            None => Err(raise!(OverflowError, "rounded value too large to represent")),
        }
    }
    /// Returns a pair of integers whose ratio is exactly the value, in lowest
    /// terms and with a positive denominator.
    ///
    /// >>> (0.25).as_integer_ratio()
    /// (1, 4)
    /// >>> (-3.0).as_integer_ratio()
    /// (-3, 1)
    /// >>> (0.0).as_integer_ratio()
    /// (0, 1)
    #[method("($self, /)")]
    fn as_integer_ratio(&self) -> PyResult<Ref<PyTupleObject>> {
        let value = self.value();
        if value.is_infinite() {
            return Err(raise!(OverflowError, "cannot convert Infinity to integer ratio"));
        }
        if value.is_nan() {
            return Err(raise!(ValueError, "cannot convert NaN to integer ratio"));
        }
        let (mantissa, exponent) = dtoa::frexp(value);
        // The mantissa as an odd integer (or zero), the exponent adjusted.
        let scaled = (mantissa * (1u64 << 53) as f64) as i64;
        let zeros = if scaled == 0 { 53 } else { scaled.trailing_zeros() };
        let exponent = i64::from(exponent) - 53 + i64::from(zeros);
        let mut numerator = PyLongObject::from_i64(scaled >> zeros);
        let mut denominator = PyLongObject::from_i64(1);
        if exponent >= 0 {
            numerator = arith::lshift_by(&numerator, exponent as u64)?;
        } else {
            denominator = arith::lshift_by(&denominator, exponent.unsigned_abs())?;
        }
        Ok(PyTupleObject::from_vec(vec![
            numerator.into_object(),
            denominator.into_object(),
        ]))
    }
    /// Creates a floating-point number from a hexadecimal text.
    ///
    /// >>> float.fromhex('-0x1p-1074')
    /// -5e-324
    /// >>> float.fromhex('0x1.8p3')
    /// 12.0
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &PyTypeObject, string: &PyObject) -> PyResult {
        let Some(string) = string.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "bad argument type for built-in operation"));
        };
        let value = match hex::from_hex(string.to_str()?.as_bytes()) {
            Ok(value) => value,
            Err(HexError::Invalid) => {
                return Err(raise!(ValueError, "invalid hexadecimal floating-point string"));
            }
            Err(HexError::TooLarge) => {
                return Err(raise!(
                    OverflowError,
                    "hexadecimal value too large to represent as a float"
                ));
            }
        };
        call_class(cls, value)
    }
    /// Returns a hexadecimal text that is exactly the value.
    ///
    /// >>> (-0.1).hex()
    /// '-0x1.999999999999ap-4'
    /// >>> (12.0).hex()
    /// '0x1.8000000000000p+3'
    #[method("($self, /)")]
    fn hex(&self) -> String {
        hex::to_hex(self.value())
    }
    /// Returns True if the float is a whole number.
    #[method("($self, /)")]
    fn is_integer(&self) -> bool {
        self.value().is_finite() && self.value() == self.value().floor()
    }
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_vec(vec![PyFloatObject::from_f64(self.value()).into_object()])
    }
    /// Says how C's 'double' or 'float' is laid out in memory; for tests.
    #[classmethod("($type, typestr, /)")]
    fn __getformat__(_cls: &PyTypeObject, typestr: &str) -> PyResult<&'static str> {
        match typestr {
            "double" | "float" if cfg!(target_endian = "little") => Ok("IEEE, little-endian"),
            "double" | "float" => Ok("IEEE, big-endian"),
            _ => Err(raise!(
                ValueError,
                "__getformat__() argument 1 must be 'double' or 'float'"
            )),
        }
    }
    /// Formats the value according to format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        formatter::format_float(self, format_spec)
    }
    /// the real part of a complex number
    #[getter]
    fn real(&self) -> Ref<PyFloatObject> {
        self.to_exact()
    }
    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self) -> Ref<PyFloatObject> {
        PyFloatObject::from_f64(0.0)
    }
}
