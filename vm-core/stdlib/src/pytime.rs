//! Seconds as Python objects <-> whole units of time, with a way to round: what `time`, `datetime` and others share.

use adder_runtime::prelude::*;

pub const NS_PER_S: i64 = 1_000_000_000;

/// How a fraction of a unit is rounded; the numbers are those of C's `_PyTime_round_t`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Floor,
    Ceiling,
    HalfEven,
    /// Away from zero.
    Up,
}

impl Rounding {
    pub fn from_c(number: i32) -> PyResult<Rounding> {
        match number {
            0 => Ok(Rounding::Floor),
            1 => Ok(Rounding::Ceiling),
            2 => Ok(Rounding::HalfEven),
            3 => Ok(Rounding::Up),
            _ => Err(raise!(ValueError, "invalid rounding")),
        }
    }
    pub fn round(self, value: f64) -> f64 {
        match self {
            Rounding::Floor => value.floor(),
            Rounding::Ceiling => value.ceil(),
            Rounding::HalfEven => value.round_ties_even(),
            Rounding::Up if value >= 0.0 => value.ceil(),
            Rounding::Up => value.floor(),
        }
    }
    /// `a / b` for a positive `b`.
    pub fn divide(self, a: i64, b: i64) -> i64 {
        let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
        let up = match self {
            Rounding::Floor => false,
            Rounding::Ceiling => rest != 0,
            Rounding::HalfEven => rest > b - rest || rest == b - rest && quotient % 2 != 0,
            Rounding::Up => rest != 0 && a > 0,
        };
        quotient + i64::from(up)
    }
}

#[cold]
pub fn time_overflow() -> Raised {
    raise!(OverflowError, "timestamp out of range for platform time_t")
}

fn i64_of(whole: f64, overflow: fn() -> Raised) -> PyResult<i64> {
    if (-9.223372036854775808e18..9.223372036854775808e18).contains(&whole) {
        Ok(whole as i64)
    } else {
        Err(overflow())
    }
}

/// The value of a float, if the object is one.
fn float_of(object: &PyObject) -> PyResult<Option<f64>> {
    match object.downcast::<PyFloatObject>().map(PyFloatObject::value) {
        Some(value) if value.is_nan() => Err(raise!(ValueError, "Invalid value NaN (not a number)")),
        value => Ok(value),
    }
}

/// An int or float as whole seconds.
pub fn whole_seconds(object: &PyObject, rounding: Rounding) -> PyResult<i64> {
    match float_of(object)? {
        Some(value) => i64_of(rounding.round(value), time_overflow),
        None => object.index_subclass()?.to_i64().ok_or_else(time_overflow),
    }
}

/// An int or float as seconds and a part of a second, of which there are `n_parts`.
pub fn seconds_and_part(object: &PyObject, n_parts: i32, rounding: Rounding) -> PyResult<(i64, i32)> {
    let Some(value) = float_of(object)? else {
        if !object.has_index() {
            return Err(raise!(
                TypeError,
                "argument must be int or float, not {}",
                object.ty().full_name()
            ));
        }
        return Ok((whole_seconds(object, rounding)?, 0));
    };
    let n_parts = f64::from(n_parts);
    let mut whole = value.trunc();
    let mut part = rounding.round((value - whole) * n_parts);
    if part >= n_parts {
        part -= n_parts;
        whole += 1.0;
    } else if part < 0.0 {
        part += n_parts;
        whole -= 1.0;
    }
    Ok((i64_of(whole, time_overflow)?, part as i32))
}

/// An int or float of seconds as nanoseconds.
pub fn ns_of_seconds(object: &PyObject, rounding: Rounding) -> PyResult<i64> {
    fn overflow() -> Raised {
        raise!(OverflowError, "timestamp out of range for C PyTime_t")
    }
    match float_of(object)? {
        Some(value) => i64_of(rounding.round(value * NS_PER_S as f64), overflow),
        None => {
            let seconds = object.index_subclass()?.to_i64();
            seconds
                .and_then(|seconds| seconds.checked_mul(NS_PER_S))
                .ok_or_else(overflow)
        }
    }
}

/// Functions of `_testinternalcapi` that show these conversions.
#[pymodule(name = "_testinternalcapi", types = [])]
pub mod for_tests {
    use super::*;

    #[pyfunction("($module, seconds, /)")]
    fn _PyTime_FromSeconds(seconds: i32) -> i64 {
        i64::from(seconds) * NS_PER_S
    }
    #[pyfunction("($module, object, round, /)")]
    fn _PyTime_FromSecondsObject(object: &PyObject, round: i32) -> PyResult<i64> {
        ns_of_seconds(object, Rounding::from_c(round)?)
    }
    #[pyfunction("($module, ns, round, /)")]
    fn _PyTime_AsTimeval(ns: i64, round: i32) -> PyResult<(i64, i64)> {
        let us = Rounding::from_c(round)?.divide(ns, 1000);
        Ok((us.div_euclid(1_000_000), us.rem_euclid(1_000_000)))
    }
    #[pyfunction("($module, ns, round, /)")]
    fn _PyTime_AsTimeval_clamp(ns: i64, round: i32) -> PyResult<(i64, i64)> {
        _PyTime_AsTimeval(ns, round)
    }
    #[pyfunction("($module, ns, /)")]
    fn _PyTime_AsTimespec(ns: i64) -> (i64, i64) {
        (ns.div_euclid(NS_PER_S), ns.rem_euclid(NS_PER_S))
    }
    #[pyfunction("($module, ns, /)")]
    fn _PyTime_AsTimespec_clamp(ns: i64) -> (i64, i64) {
        _PyTime_AsTimespec(ns)
    }
    #[pyfunction("($module, ns, round, /)")]
    fn _PyTime_AsMilliseconds(ns: i64, round: i32) -> PyResult<i64> {
        Ok(Rounding::from_c(round)?.divide(ns, 1_000_000))
    }
    #[pyfunction("($module, ns, round, /)")]
    fn _PyTime_AsMicroseconds(ns: i64, round: i32) -> PyResult<i64> {
        Ok(Rounding::from_c(round)?.divide(ns, 1000))
    }
    #[pyfunction("($module, object, round, /)")]
    fn _PyTime_ObjectToTime_t(object: &PyObject, round: i32) -> PyResult<i64> {
        whole_seconds(object, Rounding::from_c(round)?)
    }
    #[pyfunction("($module, object, round, /)")]
    fn _PyTime_ObjectToTimeval(object: &PyObject, round: i32) -> PyResult<(i64, i32)> {
        seconds_and_part(object, 1_000_000, Rounding::from_c(round)?)
    }
    #[pyfunction("($module, object, round, /)")]
    fn _PyTime_ObjectToTimespec(object: &PyObject, round: i32) -> PyResult<(i64, i32)> {
        seconds_and_part(object, NS_PER_S as i32, Rounding::from_c(round)?)
    }
}
