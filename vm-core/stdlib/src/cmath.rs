//! `cmath`: functions of complex numbers, by the C library with the errors that CPython raises.

use crate::math::libm::{self, Complex};
use crate::math::{domain_error, range_error};
use adder_runtime::objects::complexobject;
use adder_runtime::prelude::*;

fn argument(z: &PyObject) -> PyResult<Complex> {
    let (re, im) = complexobject::as_parts(z)?;
    Ok(Complex { re, im })
}

fn result(z: Complex) -> PyResult<Ref<PyComplexObject>> {
    Ok(PyComplexObject::from_parts(z.re, z.im))
}

impl Complex {
    fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
    fn is_zero(self) -> bool {
        self.re == 0.0 && self.im == 0.0
    }
    /// The number times `i`.
    fn times_i(self) -> Complex {
        Complex { re: -self.im, im: self.re }
    }
}

/// An infinite result of a finite argument is too large.
fn finite(z: Complex, value: Complex) -> PyResult<Complex> {
    if z.is_finite() && (value.re.is_infinite() || value.im.is_infinite()) { Err(range_error()) } else { Ok(value) }
}

/// `cosh` and `sinh` have no value where the imaginary part is infinite.
fn hyperbolic(z: Complex, value: Complex) -> PyResult<Complex> {
    if z.im.is_infinite() && !z.re.is_nan() {
        return Err(domain_error());
    }
    finite(z, value)
}

fn log_of(z: Complex) -> PyResult<Complex> {
    if z.is_zero() {
        return Err(domain_error());
    }
    Ok(libm::clog(z))
}

fn absolute(z: Complex) -> PyResult<f64> {
    let value = libm::hypot(z.re, z.im);
    if value.is_infinite() && z.is_finite() { Err(range_error()) } else { Ok(value) }
}

/// Functions of complex numbers.
#[pymodule(name = "cmath", types = [])]
pub mod cmath {
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
    #[pyconst]
    fn infj() -> Ref<PyComplexObject> {
        PyComplexObject::from_parts(0.0, f64::INFINITY)
    }
    #[pyconst]
    fn nanj() -> Ref<PyComplexObject> {
        PyComplexObject::from_parts(0.0, f64::NAN)
    }

    /// The arc cosine of z.
    #[pyfunction("($module, z, /)")]
    fn acos(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        result(libm::cacos(argument(z)?))
    }
    /// The inverse hyperbolic cosine of z.
    #[pyfunction("($module, z, /)")]
    fn acosh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        result(libm::cacosh(argument(z)?))
    }
    /// The arc sine of z.
    #[pyfunction("($module, z, /)")]
    fn asin(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        result(libm::casin(argument(z)?))
    }
    /// The inverse hyperbolic sine of z.
    #[pyfunction("($module, z, /)")]
    fn asinh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        result(libm::casinh(argument(z)?))
    }
    /// The arc tangent of z.
    #[pyfunction("($module, z, /)")]
    fn atan(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        if z.re == 0.0 && z.im.abs() == 1.0 {
            return Err(domain_error());
        }
        result(libm::catan(z))
    }
    /// The inverse hyperbolic tangent of z.
    #[pyfunction("($module, z, /)")]
    fn atanh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        if z.im == 0.0 && z.re.abs() == 1.0 {
            return Err(domain_error());
        }
        result(libm::catanh(z))
    }
    /// The cosine of z.
    #[pyfunction("($module, z, /)")]
    fn cos(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        result(hyperbolic(z.times_i(), libm::ccos(z))?)
    }
    /// The hyperbolic cosine of z.
    #[pyfunction("($module, z, /)")]
    fn cosh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        result(hyperbolic(z, libm::ccosh(z))?)
    }
    /// The exponential value e**z.
    #[pyfunction("($module, z, /)")]
    fn exp(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        if z.im.is_infinite() && (z.re.is_finite() || z.re == f64::INFINITY) {
            return Err(domain_error());
        }
        result(finite(z, libm::cexp(z))?)
    }
    /// Whether two complex numbers are close in value.
    #[pyfunction("($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)")]
    fn isclose(a: &PyObject, b: &PyObject, rel_tol: Option<f64>, abs_tol: Option<f64>) -> PyResult<bool> {
        let (a, b) = (argument(a)?, argument(b)?);
        let (rel_tol, abs_tol) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
        if rel_tol < 0.0 || abs_tol < 0.0 {
            return Err(raise!(ValueError, "tolerances must be non-negative"));
        }
        if a == b {
            return Ok(true);
        }
        if [a.re, a.im, b.re, b.im].iter().any(|part| part.is_infinite()) {
            return Ok(false);
        }
        let difference = absolute(Complex { re: a.re - b.re, im: a.im - b.im })?;
        Ok(difference <= rel_tol * absolute(b)? || difference <= rel_tol * absolute(a)? || difference <= abs_tol)
    }
    /// Whether both parts of z are finite.
    #[pyfunction("($module, z, /)")]
    fn isfinite(z: &PyObject) -> PyResult<bool> {
        Ok(argument(z)?.is_finite())
    }
    /// Whether a part of z is infinite.
    #[pyfunction("($module, z, /)")]
    fn isinf(z: &PyObject) -> PyResult<bool> {
        let z = argument(z)?;
        Ok(z.re.is_infinite() || z.im.is_infinite())
    }
    /// Whether a part of z is not a number.
    #[pyfunction("($module, z, /)")]
    fn isnan(z: &PyObject) -> PyResult<bool> {
        let z = argument(z)?;
        Ok(z.re.is_nan() || z.im.is_nan())
    }
    /// log(z[, base]) -> the logarithm of z to the given base.
    /// Without a base, the natural logarithm.
    #[pyfunction("($module, z, base=<unrepresentable>, /)")]
    fn log(z: &PyObject, base: Option<&PyObject>) -> PyResult<Ref<PyComplexObject>> {
        let value = log_of(argument(z)?)?;
        let Some(base) = base else { return result(value) };
        let base = log_of(argument(base)?)?;
        match complexobject::quotient((value.re, value.im), (base.re, base.im)) {
            Some(quotient) => {
                let (re, im) = quotient;
                result(Complex { re, im })
            }
            None => Err(domain_error()),
        }
    }
    /// The base-10 logarithm of z.
    #[pyfunction("($module, z, /)")]
    fn log10(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let value = log_of(argument(z)?)?;
        result(Complex { re: value.re / std::f64::consts::LN_10, im: value.im / std::f64::consts::LN_10 })
    }
    /// The argument of z: its angle.
    #[pyfunction("($module, z, /)")]
    fn phase(z: &PyObject) -> PyResult<f64> {
        let z = argument(z)?;
        Ok(libm::atan2(z.im, z.re))
    }
    /// Rectangular to polar coordinates: the distance from 0 and the phase angle.
    #[pyfunction("($module, z, /)")]
    fn polar(z: &PyObject) -> PyResult<(f64, f64)> {
        let z = argument(z)?;
        Ok((absolute(z)?, libm::atan2(z.im, z.re)))
    }
    /// Polar to rectangular coordinates.
    #[pyfunction("($module, r, phi, /)")]
    fn rect(r: f64, phi: f64) -> PyResult<Ref<PyComplexObject>> {
        if r != 0.0 && !r.is_nan() && phi.is_infinite() {
            return Err(domain_error());
        }
        let (re, im) = if phi == 0.0 {
            (r, if r.is_nan() { phi } else if r.is_infinite() { phi.copysign(phi * r.signum()) } else { r * phi })
        } else if r == 0.0 && !phi.is_finite() {
            (0.0, 0.0)
        } else if r.is_infinite() && phi.is_nan() {
            (f64::INFINITY, f64::NAN)
        } else {
            (r * libm::cos(phi), r * libm::sin(phi))
        };
        result(Complex { re, im })
    }
    /// The sine of z.
    #[pyfunction("($module, z, /)")]
    fn sin(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        result(hyperbolic(z.times_i(), libm::csin(z))?)
    }
    /// The hyperbolic sine of z.
    #[pyfunction("($module, z, /)")]
    fn sinh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        result(hyperbolic(z, libm::csinh(z))?)
    }
    /// The square root of z.
    #[pyfunction("($module, z, /)")]
    fn sqrt(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        result(libm::csqrt(argument(z)?))
    }
    /// The tangent of z.
    #[pyfunction("($module, z, /)")]
    fn tan(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        if z.re.is_infinite() && z.im.is_finite() {
            return Err(domain_error());
        }
        result(libm::ctan(z))
    }
    /// The hyperbolic tangent of z.
    #[pyfunction("($module, z, /)")]
    fn tanh(z: &PyObject) -> PyResult<Ref<PyComplexObject>> {
        let z = argument(z)?;
        if z.im.is_infinite() && z.re.is_finite() {
            return Err(domain_error());
        }
        result(libm::ctanh(z))
    }
}
