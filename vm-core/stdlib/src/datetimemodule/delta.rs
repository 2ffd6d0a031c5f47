//! `timedelta`: days, seconds and microseconds. Arithmetic is on microseconds as `i128`, which holds every timedelta; what
//! comes from outside (ints of any size, ratios of floats) goes through Python's integers where it does not fit.

use super::arguments::{bind, bind_vector, signature};
use adder_runtime::args::Signature;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::longobject::arith;
use adder_runtime::prelude::*;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::cmp::Ordering;
use std::mem::offset_of;
use std::ops::Deref;

pub const US_PER_SECOND: i128 = 1_000_000;
pub const US_PER_DAY: i128 = 86_400 * US_PER_SECOND;
const MAX_DAYS: i64 = 999_999_999;

#[repr(transparent)]
pub struct Delta(PyDateTime_Delta);

impl Deref for Delta {
    type Target = PyDateTime_Delta;
    fn deref(&self) -> &PyDateTime_Delta {
        &self.0
    }
}

/// Days, seconds and microseconds, of which only the days may be negative.
type Parts = (i32, i32, i32);

#[cold]
fn days_out_of_range(days: i64) -> Raised {
    raise!(
        OverflowError,
        "days={days}; must have magnitude <= {MAX_DAYS}"
    )
}

#[cold]
fn too_large() -> Raised {
    raise!(OverflowError, "Python int too large to convert to C int")
}

fn normal_parts(days: i64, seconds: i64, us: i64) -> PyResult<Parts> {
    let seconds = seconds + us.div_euclid(1_000_000);
    let days = days + seconds.div_euclid(86_400);
    if days.abs() > MAX_DAYS {
        return Err(days_out_of_range(days));
    }
    Ok((
        days as i32,
        seconds.rem_euclid(86_400) as i32,
        us.rem_euclid(1_000_000) as i32,
    ))
}

fn parts_of_us(us: i128) -> PyResult<Parts> {
    let (days, rest) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY) as i64);
    match i32::try_from(days) {
        Ok(days) if i64::from(days).abs() <= MAX_DAYS => {
            Ok((days, (rest / 1_000_000) as i32, (rest % 1_000_000) as i32))
        }
        Ok(days) => Err(days_out_of_range(days.into())),
        Err(_) => Err(too_large()),
    }
}

/// A `timedelta` of parts in range.
fn plain((days, seconds, us): Parts) -> PyResult<Ref<Delta>> {
    Ref::new(Delta(PyDateTime_Delta {
        ob_base: blank_header(),
        hashcode: Cell::new(-1),
        days: Cell::new(days),
        seconds: Cell::new(seconds),
        microseconds: Cell::new(us),
    }))
}

fn in_class(cls: &PyTypeObject, parts: Parts) -> PyResult {
    if std::ptr::eq(cls, &DELTA_TYPE) {
        return Ok(plain(parts)?.into_object());
    }
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of a subclass.
    let delta: &Delta = unsafe { object.cast_unchecked() };
    delta.hashcode.set(-1);
    delta.days.set(parts.0);
    delta.seconds.set(parts.1);
    delta.microseconds.set(parts.2);
    Ok(object)
}

/// A `timedelta` of parts of any size.
pub fn new_delta(days: i64, seconds: i64, us: i64) -> PyResult<Ref<Delta>> {
    plain(normal_parts(days, seconds, us)?)
}

pub fn new_delta_in(cls: &PyTypeObject, days: i64, seconds: i64, us: i64) -> PyResult {
    in_class(cls, normal_parts(days, seconds, us)?)
}

pub fn delta_of_us(us: i128) -> PyResult<Ref<Delta>> {
    plain(parts_of_us(us)?)
}

fn delta_of_int(us: &PyLongObject) -> PyResult<Ref<Delta>> {
    delta_of_us(us.to_i128().ok_or_else(too_large)?)
}

fn int(value: i128) -> Ref<PyLongObject> {
    PyLongObject::from_i128(value)
}

/// In the order of the parameters.
const UNITS: [(&str, i128); 7] = [
    ("days", US_PER_DAY),
    ("seconds", US_PER_SECOND),
    ("microseconds", 1),
    ("milliseconds", 1000),
    ("minutes", 60 * US_PER_SECOND),
    ("hours", 3600 * US_PER_SECOND),
    ("weeks", 7 * US_PER_DAY),
];
/// The order in which CPython adds them up, from small to large.
const ADDING_ORDER: [usize; 7] = [2, 3, 1, 4, 5, 0, 6];

static NEW: Signature = signature(
    "__new__",
    &[
        "days",
        "seconds",
        "microseconds",
        "milliseconds",
        "minutes",
        "hours",
        "weeks",
    ],
    7,
    0,
);

/// A sum of microseconds that is a big integer only where it must be.
#[derive(Default)]
struct Sum {
    us: i128,
    big: Option<BigInt>,
}

impl Sum {
    fn add(&mut self, number: &PyLongObject, unit: i128) {
        match number.to_i64() {
            Some(number) => self.us += i128::from(number) * unit,
            None => *self.big.get_or_insert_default() += number.to_bigint() * unit,
        }
    }
    fn is_odd(&self) -> bool {
        let big = self.big.as_ref().is_some_and(|big| big.bit(0));
        (self.us & 1 != 0) != big
    }
    fn total(self) -> PyResult<i128> {
        match self.big {
            None => Ok(self.us),
            Some(big) => (big + self.us).to_i128().ok_or_else(too_large),
        }
    }
}

/// The sum of the units that were given, rounded half to even once, at the end.
fn sum_of_units(slots: [Option<&PyObject>; 7]) -> PyResult<i128> {
    let mut sum = Sum::default();
    let mut rest = 0.0;
    for at in ADDING_ORDER {
        let Some(value) = slots[at] else { continue };
        let (name, unit) = UNITS[at];
        if let Some(number) = value.downcast::<PyLongObject>() {
            sum.add(number, unit);
        } else if let Some(float) = value.downcast::<PyFloatObject>() {
            let whole = float.value().trunc();
            sum.add(&*PyLongObject::from_f64(whole)?, unit);
            let fraction = float.value() - whole;
            if fraction != 0.0 {
                let us = unit as f64 * fraction;
                rest += us.fract();
                sum.us += us.trunc() as i128;
            }
        } else {
            return Err(raise!(
                TypeError,
                "unsupported type for timedelta {name} component: {}",
                value.ty().full_name()
            ));
        }
    }
    if rest != 0.0 {
        let mut whole = f64::round(rest);
        if (whole - rest).abs() == 0.5 {
            let odd = f64::from(u8::from(sum.is_odd()));
            whole = 2.0 * f64::round((rest + odd) * 0.5) - odd;
        }
        sum.us += whole as i128;
    }
    sum.total()
}

/// `a / b` rounded to the nearest integer, halves to even; `b` is not 0.
fn divide_nearest(a: i128, b: i128) -> i128 {
    let (a, b) = if b < 0 { (-a, -b) } else { (a, b) };
    let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
    let up = match rest.cmp(&(b - rest)) {
        Ordering::Greater => true,
        Ordering::Equal => quotient & 1 != 0,
        Ordering::Less => false,
    };
    quotient + i128::from(up)
}

fn zero_division() -> Raised {
    raise!(ZeroDivisionError, "division by zero")
}

/// The ratio that a float is, as its own method tells it.
fn ratio_of(float: &PyObject) -> PyResult<[Ref<PyLongObject>; 2]> {
    let ratio = float.call_method(identifier!("as_integer_ratio"), &[])?;
    let Some(tuple) = (*ratio).downcast::<PyTupleObject>() else {
        return Err(raise!(
            TypeError,
            "unexpected return type from as_integer_ratio(): expected tuple, not '{}'",
            ratio.ty().full_name()
        ));
    };
    let [numerator, denominator] = tuple.as_slice() else {
        return Err(raise!(
            ValueError,
            "as_integer_ratio() must return a 2-tuple"
        ));
    };
    let part = |part: &PyObject| match part.downcast::<PyLongObject>() {
        Some(number) => Ok(number.to_ref()),
        None => Err(raise!(TypeError, "non-integer arguments in division")),
    };
    Ok([part(numerator)?, part(denominator)?])
}

impl Delta {
    pub fn parts(&self) -> Parts {
        (self.days.get(), self.seconds.get(), self.microseconds.get())
    }
    pub fn us(&self) -> i128 {
        let (days, seconds, us) = self.parts();
        (i128::from(days) * 86_400 + i128::from(seconds)) * US_PER_SECOND + i128::from(us)
    }
    /// Whole seconds, rounded down.
    pub fn whole_seconds(&self) -> i64 {
        i64::from(self.days.get()) * 86_400 + i64::from(self.seconds.get())
    }
    pub fn is_zero(&self) -> bool {
        self.parts() == (0, 0, 0)
    }
    pub fn hash_value(&self) -> PyResult<Py_hash_t> {
        if self.hashcode.get() == -1 {
            self.hashcode.set(self.parts_tuple().as_object().hash()?);
        }
        Ok(self.hashcode.get())
    }
    fn parts_tuple(&self) -> Ref<PyTupleObject> {
        let (days, seconds, us) = self.parts();
        let number = |number: i32| PyLongObject::from_i64(number.into()).into_object();
        PyTupleObject::from_vec(vec![number(days), number(seconds), number(us)])
    }
    pub fn minus(&self, other: &Delta) -> PyResult<Ref<Delta>> {
        let ((a, b, c), (d, e, f)) = (self.parts(), other.parts());
        new_delta((a - d).into(), (b - e).into(), (c - f).into())
    }
    fn plus(&self, other: &Delta) -> PyResult<Ref<Delta>> {
        let ((a, b, c), (d, e, f)) = (self.parts(), other.parts());
        new_delta((a + d).into(), (b + e).into(), (c + f).into())
    }
    fn times(&self, factor: &PyLongObject) -> PyResult<Ref<Delta>> {
        let us = self.us();
        if us == 0 {
            return delta_of_us(0);
        }
        let product = factor.to_i128().and_then(|factor| us.checked_mul(factor));
        delta_of_us(product.ok_or_else(too_large)?)
    }
    fn times_float(&self, factor: &PyObject) -> PyResult<Ref<Delta>> {
        let [numerator, denominator] = ratio_of(factor)?;
        let product = arith::mul(&int(self.us()), &numerator)?;
        delta_of_int(&arith::divmod_near(&product, &denominator)?.0)
    }
    fn over_float(&self, divisor: &PyObject) -> PyResult<Ref<Delta>> {
        let [numerator, denominator] = ratio_of(divisor)?;
        if numerator.is_zero() {
            return Err(zero_division());
        }
        let product = arith::mul(&int(self.us()), &denominator)?;
        delta_of_int(&arith::divmod_near(&product, &numerator)?.0)
    }
    fn over(&self, divisor: &PyLongObject) -> PyResult<Ref<Delta>> {
        match divisor.to_i128() {
            Some(0) => Err(zero_division()),
            Some(divisor) if divisor != i128::MIN => delta_of_us(divide_nearest(self.us(), divisor)),
            _ => delta_of_us(0),
        }
    }
    fn floor_over(&self, divisor: &PyLongObject) -> PyResult<Ref<Delta>> {
        delta_of_int(&*arith::floor_div(&int(self.us()), divisor)?)
    }
    /// Floor division: quotient and rest.
    fn divmod(&self, other: &Delta) -> PyResult<(i128, i128)> {
        let (a, b) = (self.us(), other.us());
        if b == 0 {
            return Err(zero_division());
        }
        let (quotient, rest) = (a / b, a % b);
        if rest != 0 && (rest < 0) != (b < 0) {
            return Ok((quotient - 1, rest + b));
        }
        Ok((quotient, rest))
    }
    /// The quotient of two counts of microseconds, rounded once.
    fn ratio(us: i128, over: i128) -> PyResult<f64> {
        const EXACT: i128 = 1 << 53;
        if over == 0 {
            return Err(zero_division());
        }
        if us.abs() <= EXACT && over.abs() <= EXACT {
            return Ok(us as f64 / over as f64);
        }
        arith::true_div(&int(us), &int(over))
    }
    pub fn seconds_f64(&self) -> PyResult<f64> {
        Delta::ratio(self.us(), US_PER_SECOND)
    }
}

/// Both operands, when both are timedeltas.
fn pair<'a>(a: &'a PyObject, b: &'a PyObject) -> Option<(&'a Delta, &'a Delta)> {
    Some((a.downcast()?, b.downcast()?))
}

fn refused() -> PyResult {
    Ok(not_implemented().to_ref())
}

#[pytype(
    name = "datetime.timedelta",
    static_name = DELTA_TYPE,
    flags = BASETYPE,
    dealloc = inherit,
    members = [
        ("days", Py_T_INT, offset_of!(PyDateTime_Delta, days), Py_READONLY, "Number of days."),
        (
            "seconds", Py_T_INT, offset_of!(PyDateTime_Delta, seconds), Py_READONLY,
            "Number of seconds (>= 0 and less than 1 day)."
        ),
        (
            "microseconds", Py_T_INT, offset_of!(PyDateTime_Delta, microseconds), Py_READONLY,
            "Number of microseconds (>= 0 and less than 1 second)."
        ),
    ],
)]
/// Difference between two datetime values.
///
/// timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)
///
/// All arguments are optional and default to 0.
/// Arguments may be integers or floats, and may be positive or negative.
impl Delta {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        in_class(cls, parts_of_us(sum_of_units(bind(&NEW, args, kwargs)?)?)?)
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        in_class(
            cls,
            parts_of_us(sum_of_units(bind_vector(&NEW, args, kwnames)?)?)?,
        )
    }
    #[slot]
    fn tp_repr(&self) -> String {
        let (days, seconds, us) = self.parts();
        let given: Vec<String> = [("days", days), ("seconds", seconds), ("microseconds", us)]
            .iter()
            .filter(|(_, value)| *value != 0)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let given = if given.is_empty() { "0".to_owned() } else { given.join(", ") };
        format!("{}({given})", self.as_object().ty().full_name())
    }
    #[slot]
    fn tp_str(&self) -> String {
        let (days, seconds, us) = self.parts();
        let mut text = match days {
            0 => String::new(),
            1 | -1 => format!("{days} day, "),
            _ => format!("{days} days, "),
        };
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        text.push_str(&format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60));
        if us != 0 {
            text.push_str(&format!(".{us:06}"));
        }
        text
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        self.hash_value()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match other.downcast::<Delta>() {
            Some(other) => Ok(py_bool(op.holds(self.parts().cmp(&other.parts())))),
            None => refused(),
        }
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        pair(a, b).map_or_else(refused, |(a, b)| Ok(a.plus(b)?.into_object()))
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        pair(a, b).map_or_else(refused, |(a, b)| Ok(a.minus(b)?.into_object()))
    }
    #[slot]
    fn nb_multiply(a: &PyObject, b: &PyObject) -> PyResult {
        let (delta, factor) = match (a.downcast::<Delta>(), b.downcast::<Delta>()) {
            (Some(delta), _) => (delta, b),
            (None, Some(delta)) => (delta, a),
            (None, None) => return refused(),
        };
        if let Some(factor) = factor.downcast::<PyLongObject>() {
            return Ok(delta.times(factor)?.into_object());
        }
        if factor.downcast::<PyFloatObject>().is_some() {
            return Ok(delta.times_float(factor)?.into_object());
        }
        refused()
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        pair(a, b).map_or_else(refused, |(a, b)| {
            Ok(delta_of_us(a.divmod(b)?.1)?.into_object())
        })
    }
    #[slot]
    fn nb_divmod(a: &PyObject, b: &PyObject) -> PyResult {
        pair(a, b).map_or_else(refused, |(a, b)| {
            let (quotient, rest) = a.divmod(b)?;
            let parts = vec![int(quotient).into_object(), delta_of_us(rest)?.into_object()];
            Ok(PyTupleObject::from_vec(parts).into_object())
        })
    }
    #[slot]
    fn nb_negative(&self) -> PyResult<Ref<Delta>> {
        let (days, seconds, us) = self.parts();
        new_delta((-days).into(), (-seconds).into(), (-us).into())
    }
    #[slot]
    fn nb_positive(&self) -> PyResult<Ref<Delta>> {
        plain(self.parts())
    }
    #[slot]
    fn nb_absolute(&self) -> PyResult<Ref<Delta>> {
        if self.days.get() < 0 {
            self.nb_negative()
        } else {
            self.nb_positive()
        }
    }
    #[slot]
    fn nb_bool(&self) -> bool {
        !self.is_zero()
    }
    #[slot]
    fn nb_floor_divide(a: &PyObject, b: &PyObject) -> PyResult {
        let Some(delta) = a.downcast::<Delta>() else {
            return refused();
        };
        if let Some(divisor) = b.downcast::<PyLongObject>() {
            return Ok(delta.floor_over(divisor)?.into_object());
        }
        match b.downcast::<Delta>() {
            Some(other) => Ok(int(delta.divmod(other)?.0).into_object()),
            None => refused(),
        }
    }
    #[slot]
    fn nb_true_divide(a: &PyObject, b: &PyObject) -> PyResult {
        let Some(delta) = a.downcast::<Delta>() else {
            return refused();
        };
        if let Some(other) = b.downcast::<Delta>() {
            let ratio = Delta::ratio(delta.us(), other.us())?;
            return Ok(PyFloatObject::from_f64(ratio).into_object());
        }
        if let Some(divisor) = b.downcast::<PyLongObject>() {
            return Ok(delta.over(divisor)?.into_object());
        }
        if b.downcast::<PyFloatObject>().is_some() {
            return Ok(delta.over_float(b)?.into_object());
        }
        refused()
    }
    /// Total seconds in the duration.
    #[method("($self, /)")]
    fn total_seconds(&self) -> PyResult<f64> {
        self.seconds_f64()
    }
    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let class = self.as_object().ty().as_object();
        PyTupleObject::from_slice(&[class, self.parts_tuple().as_object()])
    }
}

/// The attributes of the type that are timedeltas.
pub fn add_attributes() -> PyResult<()> {
    let last = new_delta(MAX_DAYS, 86_399, 999_999)?;
    super::add_attribute(&DELTA_TYPE, "resolution", new_delta(0, 0, 1)?.into_object())?;
    super::add_attribute(&DELTA_TYPE, "min", new_delta(-MAX_DAYS, 0, 0)?.into_object())?;
    super::add_attribute(&DELTA_TYPE, "max", last.into_object())
}
