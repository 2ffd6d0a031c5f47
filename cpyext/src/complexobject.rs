//! complexobject.h: complex numbers by parts and by value.

use adder_runtime::objects::complexobject;
use adder_runtime::prelude::*;
use std::ffi::c_double;

/// The complex value of a number: `__complex__`, else a real part.
pub fn as_complex(object: &PyObject) -> PyResult<Py_complex> {
    let (real, imag) = complexobject::as_parts(object)?;
    Ok(Py_complex { real, imag })
}

/// The real part, of a number without an imaginary one too.
fn real_part(object: &PyObject) -> PyResult<f64> {
    Ok(as_complex(object)?.real)
}

impl crate::export::CArg for Py_complex {
    type C = Py_complex;
    unsafe fn from_c(value: Py_complex) -> PyResult<Py_complex> {
        Ok(value)
    }
}

impl crate::export::CValue for Py_complex {
    type C = Py_complex;
    const ERROR: Py_complex = Py_complex {
        real: -1.0,
        imag: 0.0,
    };
    fn into_c(self) -> Py_complex {
        self
    }
}

capi! {
    fn PyComplex_FromDoubles(real: c_double, imag: c_double) -> PyResult<Ref<PyComplexObject>> {
        Ok(PyComplexObject::from_parts(real, imag))
    }
    fn PyComplex_FromCComplex(value: Py_complex) -> PyResult<Ref<PyComplexObject>> {
        Ok(PyComplexObject::from_parts(value.real, value.imag))
    }
    fn PyComplex_AsCComplex(object: &PyObject) -> PyResult<Py_complex> { as_complex(object) }
    fn PyComplex_RealAsDouble(object: &PyObject) -> PyResult<c_double> { real_part(object) }
    fn PyComplex_ImagAsDouble(object: &PyObject) -> PyResult<c_double> { Ok(as_complex(object)?.imag) }

    fn _Py_c_sum(a: Py_complex, b: Py_complex) -> Py_complex {
        Py_complex { real: a.real + b.real, imag: a.imag + b.imag }
    }
    fn _Py_c_diff(a: Py_complex, b: Py_complex) -> Py_complex {
        Py_complex { real: a.real - b.real, imag: a.imag - b.imag }
    }
    fn _Py_c_neg(a: Py_complex) -> Py_complex { Py_complex { real: -a.real, imag: -a.imag } }
    fn _Py_c_prod(a: Py_complex, b: Py_complex) -> Py_complex {
        Py_complex { real: a.real * b.real - a.imag * b.imag, imag: a.real * b.imag + a.imag * b.real }
    }
    /// Division by zero sets EDOM.
    fn _Py_c_quot(a: Py_complex, b: Py_complex) -> Py_complex { quotient(a, b) }
    fn _Py_c_pow(a: Py_complex, b: Py_complex) -> Py_complex {
        let Some((real, imag)) = complexobject::general_power((a.real, a.imag), (b.real, b.imag)) else {
            crate::pyerrors::set_errno(libc::EDOM);
            return Py_complex { real: 0.0, imag: 0.0 };
        };
        if real.is_infinite() || imag.is_infinite() {
            crate::pyerrors::set_errno(libc::ERANGE);
        }
        Py_complex { real, imag }
    }
    fn _Py_c_abs(a: Py_complex) -> c_double { a.real.hypot(a.imag) }
}

/// Smith's method: scales by the larger part of the divisor.
fn quotient(a: Py_complex, b: Py_complex) -> Py_complex {
    if b.real == 0.0 && b.imag == 0.0 {
        crate::pyerrors::set_errno(libc::EDOM);
        return Py_complex { real: 0.0, imag: 0.0 };
    }
    if b.real.abs() >= b.imag.abs() {
        let ratio = b.imag / b.real;
        let denominator = b.real + b.imag * ratio;
        Py_complex {
            real: (a.real + a.imag * ratio) / denominator,
            imag: (a.imag - a.real * ratio) / denominator,
        }
    } else if b.imag.abs() >= b.real.abs() {
        let ratio = b.real / b.imag;
        let denominator = b.real * ratio + b.imag;
        Py_complex {
            real: (a.real * ratio + a.imag) / denominator,
            imag: (a.imag * ratio - a.real) / denominator,
        }
    } else {
        Py_complex {
            real: f64::NAN,
            imag: f64::NAN,
        }
    }
}
