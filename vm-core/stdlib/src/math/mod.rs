//! `math`: functions of floats and ints. Comes in: numbers. Goes out: numbers, or ValueError for a point outside a function's
//! domain and OverflowError for a result that is too large.

mod integers;
pub mod libm;
mod sums;

use adder_runtime::objects::dtoa;
use adder_runtime::prelude::*;

/// The operation is not defined there.
#[cold]
pub fn domain_error() -> Raised {
    raise!(ValueError, "math domain error")
}
#[cold]
pub fn range_error() -> Raised {
    raise!(OverflowError, "math range error")
}

/// Checks a result: NaN out of a number is outside the domain, infinity out of a finite number too, unless it means that the
/// result is too large.
#[inline]
fn checked(x: f64, result: f64, can_overflow: bool, expected: &str) -> PyResult<f64> {
    if result.is_finite() || (result.is_nan() && x.is_nan()) || (result.is_infinite() && !x.is_finite()) {
        return Ok(result);
    }
    if result.is_infinite() && can_overflow {
        return Err(range_error());
    }
    Err(if expected.is_empty() {
        domain_error()
    } else {
        raise!(ValueError, "{expected}, got {}", dtoa::float_repr(x))
    })
}

/// A logarithm of any int or float.
fn log_of(x: &PyObject, function: fn(f64) -> f64) -> PyResult<f64> {
    if let Some(int) = x.downcast::<PyLongObject>() {
        if int.sign() <= 0 {
            return Err(raise!(ValueError, "expected a positive input"));
        }
        return Ok(match int.to_f64_opt() {
            Some(value) => function(value),
            None => {
                let (fraction, exponent) = int.frexp();
                function(fraction) + function(2.0) * exponent as f64
            }
        });
    }
    let value = x.to_f64()?;
    if value > 0.0 || value.is_nan() {
        return Ok(function(value));
    }
    Err(raise!(ValueError, "expected a positive input, got {}", dtoa::float_repr(value)))
}

/// The values of ordered floats as ordered integers.
fn float_order(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}

fn from_float_order(order: i64) -> f64 {
    f64::from_bits(if order < 0 { i64::MIN.wrapping_sub(order) } else { order } as u64)
}

/// This module provides access to the mathematical functions
/// defined by the C standard.
#[pymodule(name = "math", types = [])]
pub mod math {
    use super::*;

    #[pyconst]
    const pi: f64 = std::f64::consts::PI;
    #[pyconst]
    const e: f64 = std::f64::consts::E;
    #[pyconst]
    const tau: f64 = std::f64::consts::TAU;
    #[pyconst]
    const inf: f64 = f64::INFINITY;
    #[pyconst]
    const nan: f64 = f64::NAN;

    const UNIT: &str = "expected a number in range from -1 up to 1";
    const FINITE: &str = "expected a finite input";
    const GAMMA: &str = "expected a noninteger or positive integer";

    /// The arc cosine (in radians) of x. The result is between 0 and pi.
    #[pyfunction("($module, x, /)")]
    fn acos(x: f64) -> PyResult<f64> {
        checked(x, libm::acos(x), false, UNIT)
    }
    /// The inverse hyperbolic cosine of x.
    #[pyfunction("($module, x, /)")]
    fn acosh(x: f64) -> PyResult<f64> {
        checked(x, libm::acosh(x), false, "expected argument value not less than 1")
    }
    /// The arc sine (in radians) of x. The result is between -pi/2 and pi/2.
    #[pyfunction("($module, x, /)")]
    fn asin(x: f64) -> PyResult<f64> {
        checked(x, libm::asin(x), false, UNIT)
    }
    /// The inverse hyperbolic sine of x.
    #[pyfunction("($module, x, /)")]
    fn asinh(x: f64) -> PyResult<f64> {
        checked(x, libm::asinh(x), false, "")
    }
    /// The arc tangent (in radians) of x. The result is between -pi/2 and pi/2.
    #[pyfunction("($module, x, /)")]
    fn atan(x: f64) -> PyResult<f64> {
        checked(x, libm::atan(x), false, "")
    }
    /// The arc tangent (in radians) of y/x; the signs of both are considered.
    #[pyfunction("($module, y, x, /)")]
    fn atan2(y: f64, x: f64) -> f64 {
        libm::atan2(y, x)
    }
    /// The inverse hyperbolic tangent of x.
    #[pyfunction("($module, x, /)")]
    fn atanh(x: f64) -> PyResult<f64> {
        checked(x, libm::atanh(x), false, "expected a number between -1 and 1")
    }
    /// The cube root of x.
    #[pyfunction("($module, x, /)")]
    fn cbrt(x: f64) -> PyResult<f64> {
        checked(x, libm::cbrt(x), false, "")
    }
    /// The smallest integer not below x.
    #[pyfunction("($module, x, /)")]
    fn ceil(x: &PyObject) -> PyResult {
        if let Some(float) = x.downcast_exact::<PyFloatObject>() {
            return Ok(PyLongObject::from_f64(float.value().ceil())?.into_object());
        }
        match x.call_special(identifier!("__ceil__"), &[])? {
            Some(result) => Ok(result),
            None => Ok(PyLongObject::from_f64(x.to_f64()?.ceil())?.into_object()),
        }
    }
    /// The magnitude of x with the sign of y.
    #[pyfunction("($module, x, y, /)")]
    fn copysign(x: f64, y: f64) -> f64 {
        x.copysign(y)
    }
    /// The cosine of x (in radians).
    #[pyfunction("($module, x, /)")]
    fn cos(x: f64) -> PyResult<f64> {
        checked(x, libm::cos(x), false, FINITE)
    }
    /// The hyperbolic cosine of x.
    #[pyfunction("($module, x, /)")]
    fn cosh(x: f64) -> PyResult<f64> {
        checked(x, libm::cosh(x), true, "")
    }
    /// The angle x in degrees.
    #[pyfunction("($module, x, /)")]
    fn degrees(x: f64) -> f64 {
        x * (180.0 / std::f64::consts::PI)
    }
    /// The error function at x.
    #[pyfunction("($module, x, /)")]
    fn erf(x: f64) -> PyResult<f64> {
        checked(x, libm::erf(x), false, "")
    }
    /// The complementary error function at x.
    #[pyfunction("($module, x, /)")]
    fn erfc(x: f64) -> PyResult<f64> {
        checked(x, libm::erfc(x), false, "")
    }
    /// e raised to the power of x.
    #[pyfunction("($module, x, /)")]
    fn exp(x: f64) -> PyResult<f64> {
        checked(x, libm::exp(x), true, "")
    }
    /// 2 raised to the power of x.
    #[pyfunction("($module, x, /)")]
    fn exp2(x: f64) -> PyResult<f64> {
        checked(x, libm::exp2(x), true, "")
    }
    /// exp(x)-1, without the loss of digits for small x.
    #[pyfunction("($module, x, /)")]
    fn expm1(x: f64) -> PyResult<f64> {
        checked(x, libm::expm1(x), true, "")
    }
    /// The absolute value of the float x.
    #[pyfunction("($module, x, /)")]
    fn fabs(x: f64) -> f64 {
        x.abs()
    }
    /// n!
    #[pyfunction("($module, n, /)")]
    fn factorial(n: &PyObject) -> PyResult<Ref<PyLongObject>> {
        integers::factorial(n)
    }
    /// The largest integer not above x.
    #[pyfunction("($module, x, /)")]
    fn floor(x: &PyObject) -> PyResult {
        if let Some(float) = x.downcast_exact::<PyFloatObject>() {
            return Ok(PyLongObject::from_f64(float.value().floor())?.into_object());
        }
        match x.call_special(identifier!("__floor__"), &[])? {
            Some(result) => Ok(result),
            None => Ok(PyLongObject::from_f64(x.to_f64()?.floor())?.into_object()),
        }
    }
    /// x * y + z, rounded once.
    #[pyfunction("($module, x, y, z, /)")]
    fn fma(x: f64, y: f64, z: f64) -> PyResult<f64> {
        let result = x.mul_add(y, z);
        if result.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
            return Err(raise!(ValueError, "invalid operation in fma"));
        }
        if result.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
            return Err(raise!(OverflowError, "overflow in fma"));
        }
        Ok(result)
    }
    /// fmod(x, y), by the C library: x % y may differ.
    #[pyfunction("($module, x, y, /)")]
    fn fmod(x: f64, y: f64) -> PyResult<f64> {
        if y.is_infinite() && x.is_finite() {
            return Ok(x);
        }
        let result = libm::fmod(x, y);
        if result.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error()) } else { Ok(result) }
    }
    /// The mantissa and exponent of x, as a pair (m, e) with x = m * 2.**e.
    #[pyfunction("($module, x, /)")]
    fn frexp(x: f64) -> (f64, i32) {
        if x == 0.0 || !x.is_finite() { (x, 0) } else { dtoa::frexp(x) }
    }
    /// The sum of the values of an iterable, rounded once.
    #[pyfunction("($module, seq, /)")]
    fn fsum(seq: &PyObject) -> PyResult<f64> {
        sums::fsum(seq)
    }
    /// The gamma function at x.
    #[pyfunction("($module, x, /)")]
    fn gamma(x: f64) -> PyResult<f64> {
        if x.is_finite() && x == x.floor() {
            if x <= 0.0 {
                return Err(raise!(ValueError, "{GAMMA}, got {}", dtoa::float_repr(x)));
            }
            if x <= 23.0 {
                return Ok((1..x as u64).map(|factor| factor as f64).product());
            }
        }
        if x == f64::NEG_INFINITY {
            return Err(raise!(ValueError, "{GAMMA}, got -inf"));
        }
        checked(x, libm::tgamma(x), true, GAMMA)
    }
    /// The greatest common divisor.
    #[pyfunction("($module, /, *integers)")]
    fn gcd(integers: &[&PyObject]) -> PyResult<Ref<PyLongObject>> {
        super::integers::gcd(integers)
    }
    /// The distance between two points, given as sequences of coordinates.
    #[pyfunction("($module, p, q, /)")]
    fn dist(p: &PyObject, q: &PyObject) -> PyResult<f64> {
        let (p, q) = (p.to_tuple()?, q.to_tuple()?);
        if p.len() != q.len() {
            return Err(raise!(ValueError, "both points must have the same number of dimensions"));
        }
        let mut differences = Vec::with_capacity(p.len());
        for (a, b) in p.as_slice().iter().zip(q.as_slice()) {
            differences.push(a.to_f64()? - b.to_f64()?);
        }
        Ok(sums::norm(&mut differences))
    }
    /// The distance of a point from the origin.
    #[pyfunction("($module, /, *coordinates)")]
    fn hypot(coordinates: &[&PyObject]) -> PyResult<f64> {
        let values: PyResult<Vec<f64>> = coordinates.iter().map(|coordinate| coordinate.to_f64()).collect();
        Ok(sums::norm(&mut values?))
    }
    /// Whether two floats are close in value.
    #[pyfunction("($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(a: f64, b: f64, rel_tol: Option<f64>, abs_tol: Option<f64>) -> PyResult<bool> {
        let (rel_tol, abs_tol) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
        if rel_tol < 0.0 || abs_tol < 0.0 {
            return Err(raise!(ValueError, "tolerances must be non-negative"));
        }
        if a == b {
            return Ok(true);
        }
        if a.is_infinite() || b.is_infinite() {
            return Ok(false);
        }
        let difference = (b - a).abs();
        Ok(difference <= (rel_tol * b).abs() || difference <= (rel_tol * a).abs() || difference <= abs_tol)
    }
    /// Whether x is neither an infinity nor a NaN.
    #[pyfunction("($module, x, /)")]
    fn isfinite(x: f64) -> bool {
        x.is_finite()
    }
    /// Whether x is an infinity.
    #[pyfunction("($module, x, /)")]
    fn isinf(x: f64) -> bool {
        x.is_infinite()
    }
    /// Whether x is a NaN.
    #[pyfunction("($module, x, /)")]
    fn isnan(x: f64) -> bool {
        x.is_nan()
    }
    /// The integer part of the square root.
    #[pyfunction("($module, n, /)")]
    fn isqrt(n: &PyObject) -> PyResult<Ref<PyLongObject>> {
        integers::isqrt(n)
    }
    /// The least common multiple.
    #[pyfunction("($module, /, *integers)")]
    fn lcm(integers: &[&PyObject]) -> PyResult<Ref<PyLongObject>> {
        super::integers::lcm(integers)
    }
    /// x * (2**i).
    #[pyfunction("($module, x, i, /)")]
    fn ldexp(x: f64, i: &PyObject) -> PyResult<f64> {
        let Some(exponent) = i.downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "Expected an int as second argument to ldexp."));
        };
        if x == 0.0 || !x.is_finite() {
            return Ok(x);
        }
        let exponent = exponent.to_i64().unwrap_or(if exponent.sign() < 0 { i64::MIN } else { i64::MAX });
        if exponent > i64::from(i32::MAX) {
            return Err(range_error());
        }
        if exponent < i64::from(i32::MIN) {
            return Ok(0f64.copysign(x));
        }
        let result = dtoa::ldexp(x, exponent);
        if result.is_infinite() { Err(range_error()) } else { Ok(result) }
    }
    /// The natural logarithm of the absolute value of the gamma function at x.
    #[pyfunction("($module, x, /)")]
    fn lgamma(x: f64) -> PyResult<f64> {
        if x.is_infinite() {
            return Ok(f64::INFINITY);
        }
        if x == x.floor() && x <= 2.0 {
            if x <= 0.0 {
                return Err(raise!(ValueError, "{GAMMA}, got {}", dtoa::float_repr(x)));
            }
            return Ok(0.0);
        }
        checked(x, libm::lgamma(x), true, GAMMA)
    }
    /// log(x, [base=math.e])
    /// The logarithm of x to the given base; the natural one without a base.
    #[pyfunction(raw, "(...)")]
    fn log(args: &[&PyObject]) -> PyResult<f64> {
        match args {
            [x] => log_of(x, libm::log),
            [x, base] => {
                let (numerator, denominator) = (log_of(x, libm::log)?, log_of(base, libm::log)?);
                adder_runtime::objects::floatobject::divide(numerator, denominator)
            }
            [] => Err(raise!(TypeError, "log expected at least 1 argument, got 0")),
            _ => Err(raise!(TypeError, "log expected at most 2 arguments, got {}", args.len())),
        }
    }
    /// The base 10 logarithm of x.
    #[pyfunction("($module, x, /)")]
    fn log10(x: &PyObject) -> PyResult<f64> {
        log_of(x, libm::log10)
    }
    /// The natural logarithm of 1+x, without the loss of digits near zero.
    #[pyfunction("($module, x, /)")]
    fn log1p(x: f64) -> PyResult<f64> {
        checked(x, if x == 0.0 { x } else { libm::log1p(x) }, false, "expected argument value > -1")
    }
    /// The base 2 logarithm of x.
    #[pyfunction("($module, x, /)")]
    fn log2(x: &PyObject) -> PyResult<f64> {
        log_of(x, libm::log2)
    }
    /// The fractional and integer parts of x; both have its sign.
    #[pyfunction("($module, x, /)")]
    fn modf(x: f64) -> (f64, f64) {
        if x.is_infinite() {
            return (0f64.copysign(x), x);
        }
        if x.is_nan() {
            return (x, x);
        }
        let whole = x.trunc();
        ((x - whole).copysign(x), whole)
    }
    /// The float the given number of steps after x towards y.
    #[pyfunction("($module, x, y, /, *, steps=None)")]
    fn nextafter(x: f64, y: f64, steps: Option<&PyObject>) -> PyResult<f64> {
        let Some(steps) = steps else { return Ok(libm::nextafter(x, y)) };
        let steps = steps.index()?;
        if steps.sign() < 0 {
            return Err(raise!(ValueError, "steps must be a non-negative integer"));
        }
        let steps = steps.to_u64().unwrap_or(u64::MAX);
        if steps == 0 || x.is_nan() {
            return Ok(x);
        }
        if y.is_nan() || x == y {
            return Ok(y);
        }
        let (from, to) = (float_order(x), float_order(y));
        let distance = to.abs_diff(from);
        if steps >= distance {
            return Ok(y);
        }
        Ok(from_float_order(if to > from { from.wrapping_add_unsigned(steps) } else { from.wrapping_sub_unsigned(steps) }))
    }
    /// Number of ways to choose k items from n, in order.
    #[pyfunction("($module, n, k=None, /)")]
    fn perm(n: &PyObject, k: Option<&PyObject>) -> PyResult<Ref<PyLongObject>> {
        integers::perm(n, k)
    }
    /// Number of ways to choose k items from n, in any order.
    #[pyfunction("($module, n, k, /)")]
    fn comb(n: &PyObject, k: &PyObject) -> PyResult<Ref<PyLongObject>> {
        integers::comb(n, k)
    }
    /// x**y (x to the power of y).
    #[pyfunction("($module, x, y, /)")]
    fn pow(x: f64, y: f64) -> PyResult<f64> {
        let result = libm::pow(x, y);
        if x.is_finite() && y.is_finite() {
            if result.is_nan() {
                return Err(domain_error());
            }
            if result.is_infinite() {
                return Err(if x == 0.0 { domain_error() } else { range_error() });
            }
        }
        Ok(result)
    }
    /// The product of the start value and all items of an iterable.
    #[pyfunction("($module, iterable, /, *, start=1)")]
    fn prod(iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
        sums::prod(iterable, start)
    }
    /// The angle x in radians.
    #[pyfunction("($module, x, /)")]
    fn radians(x: f64) -> f64 {
        x * (std::f64::consts::PI / 180.0)
    }
    /// The difference between x and the closest integer multiple of y.
    #[pyfunction("($module, x, y, /)")]
    fn remainder(x: f64, y: f64) -> PyResult<f64> {
        let result = libm::remainder(x, y);
        if result.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error()) } else { Ok(result) }
    }
    /// The sine of x (in radians).
    #[pyfunction("($module, x, /)")]
    fn sin(x: f64) -> PyResult<f64> {
        checked(x, libm::sin(x), false, FINITE)
    }
    /// The hyperbolic sine of x.
    #[pyfunction("($module, x, /)")]
    fn sinh(x: f64) -> PyResult<f64> {
        checked(x, libm::sinh(x), true, "")
    }
    /// The square root of x.
    #[pyfunction("($module, x, /)")]
    fn sqrt(x: f64) -> PyResult<f64> {
        checked(x, x.sqrt(), false, "expected a nonnegative input")
    }
    /// The sum of the products of two sequences.
    #[pyfunction("($module, p, q, /)")]
    fn sumprod(p: &PyObject, q: &PyObject) -> PyResult {
        sums::sumprod(p, q)
    }
    /// The tangent of x (in radians).
    #[pyfunction("($module, x, /)")]
    fn tan(x: f64) -> PyResult<f64> {
        checked(x, libm::tan(x), false, FINITE)
    }
    /// The hyperbolic tangent of x.
    #[pyfunction("($module, x, /)")]
    fn tanh(x: f64) -> PyResult<f64> {
        checked(x, libm::tanh(x), false, "")
    }
    /// The number x without its fractional part, by its __trunc__ method.
    #[pyfunction("($module, x, /)")]
    fn trunc(x: &PyObject) -> PyResult {
        if let Some(float) = x.downcast_exact::<PyFloatObject>() {
            return Ok(PyLongObject::from_f64(float.value())?.into_object());
        }
        match x.call_special(identifier!("__trunc__"), &[])? {
            Some(result) => Ok(result),
            None => Err(raise!(TypeError, "type {} doesn't define __trunc__ method", x.ty().name())),
        }
    }
    /// The value of the least significant bit of x.
    #[pyfunction("($module, x, /)")]
    fn ulp(x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let x = x.abs();
        if x.is_infinite() {
            return x;
        }
        let above = libm::nextafter(x, f64::INFINITY);
        if above.is_infinite() { x - libm::nextafter(x, f64::NEG_INFINITY) } else { above - x }
    }
}
