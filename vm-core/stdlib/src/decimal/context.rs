//! Contexts: the settings of arithmetic, what it reported, and which context is current.

use super::number::{Env, Kind, MAX_EMAX, MAX_PREC, MIN_EMIN, Number, Rounding, status};
use super::object::{Decimal, operand};
use super::signals::{self, new_signal_dict, raise_trapped};
use super::{arith, transcendental};
use crate::contextvars::ContextVar;
use crate::util::Kept;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

#[repr(C)]
pub struct Context {
    ob_base: PyObject,
    pub env: Cell<Env>,
    pub capitals: Cell<bool>,
    traps: Rc<Cell<u32>>,
    flags: Rc<Cell<u32>>,
    /// The mappings of `traps` and `flags`, once they were asked for.
    traps_dict: ObjectCell,
    flags_dict: ObjectCell,
}

const DEFAULT_TRAPS: u32 = status::ANY_INVALID | status::DIVISION_BY_ZERO | status::OVERFLOW;
const BASIC_TRAPS: u32 = DEFAULT_TRAPS | status::UNDERFLOW | status::CLAMPED;

const DEFAULT_ENV: Env = Env {
    prec: 28,
    emax: 999_999,
    emin: -999_999,
    rounding: Rounding::HalfEven,
    clamp: false,
};

/// The contexts that others are made from: `DefaultContext`, `BasicContext`, `ExtendedContext`.
static TEMPLATES: [Kept; 3] = [Kept::new(), Kept::new(), Kept::new()];
static CURRENT: Kept = Kept::new();

fn template(at: usize) -> PyResult<Ref<Context>> {
    let object = TEMPLATES[at].get_or_make(|| {
        let short = Env {
            prec: 9,
            ..DEFAULT_ENV
        };
        let new = match at {
            0 => Context::new(DEFAULT_ENV, DEFAULT_TRAPS),
            1 => Context::new(short.with_rounding(Rounding::HalfUp), BASIC_TRAPS),
            _ => Context::new(short, 0),
        };
        Ok(new?.into_object())
    })?;
    as_context(&object).map(|context| context.to_ref())
}

pub fn add_templates(module: &PyModuleObject) -> PyResult<()> {
    for (at, name) in ["DefaultContext", "BasicContext", "ExtendedContext"]
        .into_iter()
        .enumerate()
    {
        adder_runtime::module::add_object(module, name, template(at)?.into_object())?;
    }
    Ok(())
}

fn current_variable() -> PyResult<Ref<ContextVar>> {
    let object = CURRENT.get_or_make(|| {
        let name = PyUnicodeObject::from_str("decimal_context");
        Ok(ContextVar::make(&name, None)?.into_object())
    })?;
    match object.downcast::<ContextVar>() {
        Ok(variable) => Ok(variable),
        Err(_) => Err(raise!(SystemError, "the variable of the current context is lost")),
    }
}

fn as_context(object: &PyObject) -> PyResult<&Context> {
    object
        .downcast::<Context>()
        .ok_or_else(|| raise!(TypeError, "argument must be a context"))
}

/// The current context, a copy of `DefaultContext` at first.
pub fn current() -> PyResult<Ref<Context>> {
    let variable = current_variable()?;
    if let Some(context) = variable.value_or(None)?
        && let Ok(context) = context.downcast::<Context>()
    {
        return Ok(context);
    }
    let context = template(0)?.duplicate()?;
    context.flags.set(0);
    variable.set_value(context.as_object())?;
    Ok(context)
}

/// The context that an argument names: none is the current one.
pub fn from_argument(context: Option<&PyObject>) -> PyResult<Ref<Context>> {
    match context.filter(|context| !is_none(context)) {
        None => current(),
        Some(context) => match context.downcast::<Context>() {
            Some(context) => Ok(context.to_ref()),
            None => Err(raise!(TypeError, "optional argument must be a context")),
        },
    }
}

pub fn set_current(context: &PyObject) -> PyResult<()> {
    let given = as_context(context)?;
    let is_template = TEMPLATES
        .iter()
        .any(|kept| kept.get().is_some_and(|template| template.is(context)));
    let fresh;
    let context = if is_template {
        fresh = given.duplicate()?;
        fresh.flags.set(0);
        fresh.as_object()
    } else {
        context
    };
    current_variable()?.set_value(context)?;
    Ok(())
}

/// A context of IEEE 754's interchange format of `bits` bits.
pub fn ieee(bits: &PyObject) -> PyResult<Ref<Context>> {
    let bits = integer(bits)?;
    if bits <= 0 || bits > super::IEEE_MAX_BITS || bits % 32 != 0 {
        return Err(raise!(
            ValueError,
            "argument must be a multiple of 32, with a maximum of {}",
            super::IEEE_MAX_BITS
        ));
    }
    let emax = 3 * (1i64 << (bits / 16 + 3));
    let env = Env {
        prec: 9 * (bits / 32) - 2,
        emax,
        emin: 1 - emax,
        rounding: Rounding::HalfEven,
        clamp: true,
    };
    Context::new(env, 0)
}

fn integer(value: &PyObject) -> PyResult<i64> {
    match value.downcast::<PyLongObject>() {
        Some(int) => Ok(int.as_isize()? as i64),
        None => Err(raise!(TypeError, "an integer is required")),
    }
}

pub fn rounding_of(value: &PyObject) -> PyResult<Rounding> {
    let text = value.downcast::<PyUnicodeObject>();
    let known = text.and_then(|text| Rounding::ALL.iter().find(|(name, _)| text.eq_str(name)));
    match known {
        Some((_, rounding)) => Ok(*rounding),
        None => Err(raise!(
            TypeError,
            "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, \
             ROUND_HALF_EVEN,\n   ROUND_05UP]"
        )),
    }
}

/// Attributes are set, never deleted.
fn given(value: Option<&PyObject>) -> PyResult<&PyObject> {
    value.ok_or_else(|| raise!(AttributeError, "context attributes cannot be deleted"))
}

impl Context {
    pub fn new(env: Env, traps: u32) -> PyResult<Ref<Context>> {
        Ref::new(Context {
            ob_base: blank_header(),
            env: Cell::new(env),
            capitals: Cell::new(true),
            traps: Rc::new(Cell::new(traps)),
            flags: Rc::new(Cell::new(0)),
            traps_dict: ObjectCell::new(None),
            flags_dict: ObjectCell::new(None),
        })
    }
    fn duplicate(&self) -> PyResult<Ref<Context>> {
        let copy = Context::new(self.env.get(), self.traps.get())?;
        copy.capitals.set(self.capitals.get());
        copy.flags.set(self.flags.get());
        Ok(copy)
    }
    /// Keeps what an operation reported, and raises when some of it is trapped.
    #[inline]
    pub fn report(&self, conditions: u32) -> PyResult<()> {
        if conditions == 0 {
            return Ok(());
        }
        self.flags.set(self.flags.get() | conditions);
        if conditions & status::MALLOC_ERROR != 0 {
            return Err(raise!(MemoryError));
        }
        match conditions & self.traps.get() {
            0 => Ok(()),
            trapped => Err(raise_trapped(trapped)),
        }
    }
    /// Keeps a flag without regard to traps.
    pub fn note(&self, conditions: u32) {
        self.flags.set(self.flags.get() | conditions);
    }
    /// Runs an operation in this context: the number, reported.
    pub fn operate(&self, operation: impl FnOnce(&Env, &mut u32) -> Number) -> PyResult<Ref<Decimal>> {
        let mut conditions = 0;
        let number = operation(&self.env.get(), &mut conditions);
        self.report(conditions)?;
        Decimal::make(number)
    }
    fn unary(&self, x: &PyObject, operation: fn(&Number, &Env, &mut u32) -> Number) -> PyResult<Ref<Decimal>> {
        let x = operand(x)?;
        self.operate(|env, status| operation(x.number(), env, status))
    }
    fn binary(
        &self,
        x: &PyObject,
        y: &PyObject,
        operation: fn(&Number, &Number, &Env, &mut u32) -> Number,
    ) -> PyResult<Ref<Decimal>> {
        let (x, y) = (operand(x)?, operand(y)?);
        self.operate(|env, status| operation(x.number(), y.number(), env, status))
    }
    fn change(&self, change: impl FnOnce(&mut Env)) {
        let mut env = self.env.get();
        change(&mut env);
        self.env.set(env);
    }
    /// Sets the attributes that are given and not None.
    fn set_all(&self, values: &[(&str, Option<&PyObject>)]) -> PyResult<()> {
        for (name, value) in values {
            let Some(value) = value.filter(|value| !is_none(value)) else {
                continue;
            };
            match *name {
                "prec" => self.set_prec(Some(value))?,
                "rounding" => self.set_rounding(Some(value))?,
                "Emin" => self.set_emin(Some(value))?,
                "Emax" => self.set_emax(Some(value))?,
                "capitals" => self.set_capitals(Some(value))?,
                "clamp" => self.set_clamp(Some(value))?,
                "flags" => self.flags.set(signals::from_object(value, true)?),
                _ => self.traps.set(signals::from_object(value, true)?),
            }
        }
        Ok(())
    }
}

#[pytype(
    name = "decimal.Context",
    static_name = CONTEXT_TYPE,
    flags = BASETYPE,
    parts = [CONTEXT_UNARY, CONTEXT_BINARY, CONTEXT_PREDICATES, CONTEXT_OTHERS],
)]
/// What affects operations: precision, rounding, limits of exponents, the signals that raise (traps) and those that were
/// seen (flags).
///
/// >>> context = Context(prec=6, rounding=ROUND_DOWN, traps=[DivisionByZero])
/// >>> context.divide(Decimal(2), Decimal(3))
/// Decimal('0.666666')
/// >>> context.flags[Inexact]
/// True
impl Context {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let default = template(0)?;
        let new = Context {
            ob_base: blank_header(),
            env: Cell::new(default.env.get()),
            capitals: Cell::new(default.capitals.get()),
            traps: Rc::new(Cell::new(default.traps.get())),
            flags: Rc::new(Cell::new(0)),
            traps_dict: ObjectCell::new(None),
            flags_dict: ObjectCell::new(None),
        };
        Ok(Ref::new_in(cls, new)?.into_object())
    }
    #[init("(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)")]
    fn init(
        &self,
        prec: Option<&PyObject>,
        rounding: Option<&PyObject>,
        emin: Option<&PyObject>,
        emax: Option<&PyObject>,
        capitals: Option<&PyObject>,
        clamp: Option<&PyObject>,
        flags: Option<&PyObject>,
        traps: Option<&PyObject>,
    ) -> PyResult<()> {
        self.set_all(&[
            ("prec", prec),
            ("rounding", rounding),
            ("Emin", emin),
            ("Emax", emax),
            ("capitals", capitals),
            ("clamp", clamp),
            ("traps", traps),
            ("flags", flags),
        ])
    }
    #[slot]
    fn tp_repr(&self) -> String {
        let env = self.env.get();
        format!(
            "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags={}, traps={})",
            env.prec,
            rounding_name(env.rounding),
            env.emin,
            env.emax,
            i32::from(self.capitals.get()),
            i32::from(env.clamp),
            signals::shown(self.flags.get()),
            signals::shown(self.traps.get()),
        )
    }
    #[getter]
    fn prec(&self) -> i64 {
        self.env.get().prec
    }
    #[setter]
    fn set_prec(&self, value: Option<&PyObject>) -> PyResult<()> {
        match integer(given(value)?)? {
            prec @ 1..=MAX_PREC => {
                self.change(|env| env.prec = prec);
                Ok(())
            }
            _ => Err(raise!(ValueError, "valid range for prec is [1, MAX_PREC]")),
        }
    }
    #[getter(name = "Emax")]
    fn emax(&self) -> i64 {
        self.env.get().emax
    }
    #[setter(name = "Emax")]
    fn set_emax(&self, value: Option<&PyObject>) -> PyResult<()> {
        match integer(given(value)?)? {
            emax @ 0..=MAX_EMAX => {
                self.change(|env| env.emax = emax);
                Ok(())
            }
            _ => Err(raise!(ValueError, "valid range for Emax is [0, MAX_EMAX]")),
        }
    }
    #[getter(name = "Emin")]
    fn emin(&self) -> i64 {
        self.env.get().emin
    }
    #[setter(name = "Emin")]
    fn set_emin(&self, value: Option<&PyObject>) -> PyResult<()> {
        match integer(given(value)?)? {
            emin @ MIN_EMIN..=0 => {
                self.change(|env| env.emin = emin);
                Ok(())
            }
            _ => Err(raise!(ValueError, "valid range for Emin is [MIN_EMIN, 0]")),
        }
    }
    #[getter]
    fn rounding(&self) -> &'static PyUnicodeObject {
        PyUnicodeObject::intern_immortal(rounding_name(self.env.get().rounding))
    }
    #[setter]
    fn set_rounding(&self, value: Option<&PyObject>) -> PyResult<()> {
        let rounding = rounding_of(given(value)?)?;
        self.change(|env| env.rounding = rounding);
        Ok(())
    }
    #[getter]
    fn capitals(&self) -> i64 {
        i64::from(self.capitals.get())
    }
    #[setter]
    fn set_capitals(&self, value: Option<&PyObject>) -> PyResult<()> {
        match integer(given(value)?)? {
            capitals @ 0..=1 => {
                self.capitals.set(capitals == 1);
                Ok(())
            }
            _ => Err(raise!(ValueError, "valid values for capitals are 0 or 1")),
        }
    }
    #[getter]
    fn clamp(&self) -> i64 {
        i64::from(self.env.get().clamp)
    }
    #[setter]
    fn set_clamp(&self, value: Option<&PyObject>) -> PyResult<()> {
        match integer(given(value)?)? {
            clamp @ 0..=1 => {
                self.change(|env| env.clamp = clamp == 1);
                Ok(())
            }
            _ => Err(raise!(ValueError, "valid values for clamp are 0 or 1")),
        }
    }
    #[getter]
    fn flags(&self) -> PyResult {
        signal_dict(&self.flags_dict, &self.flags)
    }
    #[setter]
    fn set_flags(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.flags.set(signals::from_object(given(value)?, false)?);
        Ok(())
    }
    #[getter]
    fn traps(&self) -> PyResult {
        signal_dict(&self.traps_dict, &self.traps)
    }
    #[setter]
    fn set_traps(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.traps.set(signals::from_object(given(value)?, false)?);
        Ok(())
    }
    /// The least exponent of a subnormal result: Emin - prec + 1.
    #[method("($self, /)", name = "Etiny")]
    fn etiny(&self) -> i64 {
        self.env.get().etiny()
    }
    /// The largest exponent of a result with all digits: Emax - prec + 1.
    #[method("($self, /)", name = "Etop")]
    fn etop(&self) -> i64 {
        self.env.get().etop()
    }
    /// Resets all flags to False.
    #[method("($self, /)")]
    fn clear_flags(&self) {
        self.flags.set(0);
    }
    /// Sets all traps to False.
    #[method("($self, /)")]
    fn clear_traps(&self) {
        self.traps.set(0);
    }
    /// A duplicate of the context.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult<Ref<Context>> {
        self.duplicate()
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult<Ref<Context>> {
        self.duplicate()
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<(Ref, Ref)> {
        let env = self.env.get();
        let int = |value: i64| PyLongObject::from_i64(value).into_object();
        let state = PyTupleObject::from_vec(vec![
            int(env.prec),
            PyUnicodeObject::from_str(rounding_name(env.rounding)).into_object(),
            int(env.emin),
            int(env.emax),
            int(self.capitals.get().into()),
            int(env.clamp.into()),
            signals::as_list(self.flags.get())?.into_object(),
            signals::as_list(self.traps.get())?.into_object(),
        ]);
        Ok((self.as_object().ty().as_object().to_ref(), state.into_object()))
    }
}

fn signal_dict(kept: &ObjectCell, mask: &Rc<Cell<u32>>) -> PyResult {
    if let Some(dict) = kept.get() {
        return Ok(dict);
    }
    let dict = new_signal_dict(mask)?;
    kept.set(Some(dict.clone()));
    Ok(dict)
}

fn rounding_name(rounding: Rounding) -> &'static str {
    let found = Rounding::ALL.iter().find(|(_, other)| *other == rounding);
    found.map_or("ROUND_HALF_EVEN", |(name, _)| name)
}

/// Methods of one operand, each an operation of `arith` or `transcendental`.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $operation:path;)*) => {
        #[pymethods(part = CONTEXT_UNARY)]
        impl Context {
            $($(#[$doc])* #[method("($self, x, /)")]
            fn $name(&self, x: &PyObject) -> PyResult<Ref<Decimal>> {
                self.unary(x, $operation)
            })*
        }
    };
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident = $operation:expr;)*) => {
        #[pymethods(part = CONTEXT_BINARY)]
        impl Context {
            $($(#[$doc])* #[method("($self, x, y, /)")]
            fn $name(&self, x: &PyObject, y: &PyObject) -> PyResult<Ref<Decimal>> {
                self.binary(x, y, $operation)
            })*
        }
    };
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident = $test:expr;)*) => {
        #[pymethods(part = CONTEXT_PREDICATES)]
        impl Context {
            $($(#[$doc])* #[method("($self, x, /)")]
            fn $name(&self, x: &PyObject) -> PyResult<bool> {
                let x = operand(x)?;
                let test: fn(&Number, &Env) -> bool = $test;
                Ok(test(x.number(), &self.env.get()))
            })*
        }
    };
}

unary! {
    /// The absolute value of x.
    abs = arith::abs;
    /// e ** x.
    exp = transcendental::exp;
    /// The natural (base e) logarithm of x.
    ln = transcendental::ln;
    /// The base 10 logarithm of x.
    log10 = transcendental::log10;
    /// The exponent of the first digit of the magnitude.
    logb = arith::logb;
    /// All digits of the logical number x inverted.
    logical_invert = arith::logical_invert;
    /// -x, rounded as the context says.
    minus = arith::minus;
    /// The largest number that is less than x.
    next_minus = next_minus;
    /// The least number that is larger than x.
    next_plus = next_plus;
    /// x without zeros at its end.
    normalize = arith::normalize;
    /// x, rounded as the context says.
    plus = arith::plus;
    /// The square root of x.
    sqrt = arith::sqrt;
    /// The same as to_integral_value(x).
    to_integral = to_integral_value;
    /// x rounded to an integer; signals when it was none.
    to_integral_exact = to_integral_exact;
    /// x rounded to an integer.
    to_integral_value = to_integral_value;
}

pub(super) fn next_minus(x: &Number, env: &Env, status: &mut u32) -> Number {
    arith::next(x, false, env, status)
}
pub(super) fn next_plus(x: &Number, env: &Env, status: &mut u32) -> Number {
    arith::next(x, true, env, status)
}
fn to_integral_value(x: &Number, env: &Env, status: &mut u32) -> Number {
    arith::to_integral(x, env, false, status)
}
fn to_integral_exact(x: &Number, env: &Env, status: &mut u32) -> Number {
    arith::to_integral(x, env, true, status)
}
fn compare_total(x: &Number, y: &Number, _env: &Env, _status: &mut u32) -> Number {
    Number::small(arith::total_order(x, y) as i64)
}
fn compare_total_mag(x: &Number, y: &Number, _env: &Env, _status: &mut u32) -> Number {
    Number::small(arith::total_order_of_magnitudes(x, y) as i64)
}

binary! {
    /// The sum of x and y.
    add = arith::add;
    /// Compares x and y numerically.
    compare = arith::compare;
    /// Compares x and y numerically; all NaNs signal.
    compare_signal = arith::compare_signal;
    /// Compares x and y by their representation.
    compare_total = compare_total;
    /// Compares x and y by their representation, without their signs.
    compare_total_mag = compare_total_mag;
    /// x with the sign of y.
    copy_sign = |x, y, _, _| x.with_sign(y.sign);
    /// x divided by y.
    divide = arith::divide;
    /// x divided by y, truncated to an integer.
    divide_int = arith::divide_int;
    /// The digits' logical and.
    logical_and = |x, y, env, status| arith::logical(x, y, |a, b| a && b, env, status);
    /// The digits' logical or.
    logical_or = |x, y, env, status| arith::logical(x, y, |a, b| a || b, env, status);
    /// The digits' logical exclusive or.
    logical_xor = |x, y, env, status| arith::logical(x, y, |a, b| a != b, env, status);
    /// The larger of x and y.
    max = |x, y, env, status| arith::extremum(x, y, true, false, env, status);
    /// The one of x and y with the larger magnitude.
    max_mag = |x, y, env, status| arith::extremum(x, y, true, true, env, status);
    /// The smaller of x and y.
    min = |x, y, env, status| arith::extremum(x, y, false, false, env, status);
    /// The one of x and y with the smaller magnitude.
    min_mag = |x, y, env, status| arith::extremum(x, y, false, true, env, status);
    /// The product of x and y.
    multiply = arith::multiply;
    /// The number next to x in the direction of y.
    next_toward = arith::next_toward;
    /// x with the exponent of y.
    quantize = arith::quantize;
    /// The remainder of the integer division, with the sign of x.
    remainder = arith::remainder;
    /// x - y * n for the integer n nearest to x / y.
    remainder_near = arith::remainder_near;
    /// The digits of x rotated by y places.
    rotate = arith::rotate;
    /// x with y added to its exponent.
    scaleb = arith::scaleb;
    /// The digits of x shifted by y places.
    shift = arith::shift;
    /// The difference of x and y.
    subtract = arith::subtract;
}

predicates! {
    /// Whether x is finite.
    is_finite = |x, _| x.is_finite();
    /// Whether x is infinite.
    is_infinite = |x, _| x.is_infinite();
    /// Whether x is a NaN.
    is_nan = |x, _| x.is_nan();
    /// Whether x is a normal number.
    is_normal = |x, env| x.is_normal(env);
    /// Whether x is a quiet NaN.
    is_qnan = |x, _| x.kind == Kind::QuietNan;
    /// Whether x is negative.
    is_signed = |x, _| x.sign;
    /// Whether x is a signaling NaN.
    is_snan = |x, _| x.kind == Kind::SignalingNan;
    /// Whether x is subnormal.
    is_subnormal = |x, env| x.is_subnormal(env);
    /// Whether x is a zero.
    is_zero = |x, _| x.is_zero();
}

fn must_be_decimal(x: &PyObject) -> PyResult<Ref<Decimal>> {
    match x.downcast::<Decimal>() {
        Some(x) => Ok(x.to_ref()),
        None => Err(raise!(TypeError, "argument must be a Decimal")),
    }
}

#[pymethods(part = CONTEXT_OTHERS)]
impl Context {
    /// x itself: every Decimal is canonical.
    #[method("($self, x, /)")]
    fn canonical(&self, x: &PyObject) -> PyResult<Ref<Decimal>> {
        must_be_decimal(x)
    }
    /// True: every Decimal is canonical.
    #[method("($self, x, /)")]
    fn is_canonical(&self, x: &PyObject) -> PyResult<bool> {
        must_be_decimal(x).map(|_| true)
    }
    /// x without its sign.
    #[method("($self, x, /)")]
    fn copy_abs(&self, x: &PyObject) -> PyResult<Ref<Decimal>> {
        Decimal::make(operand(x)?.number().with_sign(false))
    }
    /// x as a Decimal.
    #[method("($self, x, /)")]
    fn copy_decimal(&self, x: &PyObject) -> PyResult<Ref<Decimal>> {
        operand(x)
    }
    /// x with its sign inverted.
    #[method("($self, x, /)")]
    fn copy_negate(&self, x: &PyObject) -> PyResult<Ref<Decimal>> {
        let x = operand(x)?;
        Decimal::make(x.number().with_sign(!x.number().sign))
    }
    /// A Decimal of num, rounded as the context says.
    #[method("($self, num=\"0\", /)")]
    fn create_decimal(&self, num: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
        match num {
            Some(num) => super::convert::rounded(num, self),
            None => Decimal::make(Number::small(0)),
        }
    }
    /// A Decimal of the float f, rounded as the context says.
    #[method("($self, f, /)")]
    fn create_decimal_from_float(&self, f: &PyObject) -> PyResult<Ref<Decimal>> {
        let number = super::convert::from_real(f)?;
        self.operate(|env, status| number.finalize(env, status))
    }
    /// Quotient and remainder of the division x / y.
    #[method("($self, x, y, /)")]
    fn divmod(&self, x: &PyObject, y: &PyObject) -> PyResult<(Ref<Decimal>, Ref<Decimal>)> {
        super::object::divmod(&*operand(x)?, &*operand(y)?, self)
    }
    /// x multiplied by y, plus z, rounded once.
    #[method("($self, x, y, z, /)")]
    fn fma(&self, x: &PyObject, y: &PyObject, z: &PyObject) -> PyResult<Ref<Decimal>> {
        let (x, y, z) = (operand(x)?, operand(y)?, operand(z)?);
        self.operate(|env, status| arith::fma(x.number(), y.number(), z.number(), env, status))
    }
    /// The name of the class of x.
    #[method("($self, x, /)")]
    fn number_class(&self, x: &PyObject) -> PyResult<&'static str> {
        Ok(arith::number_class(operand(x)?.number(), &self.env.get()))
    }
    /// a ** b, modulo the third if it is given.
    #[method("($self, /, a, b, modulo=None)")]
    fn power(&self, a: &PyObject, b: &PyObject, modulo: Option<&PyObject>) -> PyResult<Ref<Decimal>> {
        let (a, b) = (operand(a)?, operand(b)?);
        match modulo.filter(|modulo| !is_none(modulo)) {
            None => self.operate(|env, status| transcendental::power(a.number(), b.number(), env, status)),
            Some(modulo) => {
                let modulo = operand(modulo)?;
                self.operate(|env, status| {
                    transcendental::power_modulo(a.number(), b.number(), modulo.number(), env, status)
                })
            }
        }
    }
    /// 10.
    #[method("($self, /)")]
    fn radix(&self) -> PyResult<Ref<Decimal>> {
        Decimal::make(Number::small(10))
    }
    /// Whether x and y have the same exponent.
    #[method("($self, x, y, /)")]
    fn same_quantum(&self, x: &PyObject, y: &PyObject) -> PyResult<bool> {
        Ok(arith::same_quantum(operand(x)?.number(), operand(y)?.number()))
    }
    /// x as text, in engineering notation.
    #[method("($self, x, /)")]
    fn to_eng_string(&self, x: &PyObject) -> PyResult<String> {
        Ok(operand(x)?.number().to_text(true, self.capitals.get()))
    }
    /// x as text, in scientific notation.
    #[method("($self, x, /)")]
    fn to_sci_string(&self, x: &PyObject) -> PyResult<String> {
        Ok(operand(x)?.number().to_text(false, self.capitals.get()))
    }
    #[method("($self, object, /)")]
    fn _apply(&self, object: &PyObject) -> PyResult<Ref<Decimal>> {
        let x = operand(object)?;
        self.operate(|env, status| x.number().clone().finalize(env, status))
    }
}

/// What `localcontext` gives: it makes a context the current one for a while.
#[repr(C)]
pub struct ContextManager {
    ob_base: PyObject,
    local: Ref<Context>,
    before: Ref<Context>,
}

#[pytype(name = "decimal.ContextManager", static_name = CONTEXT_MANAGER_TYPE, flags = DISALLOW_INSTANTIATION)]
/// Makes a context the current one within a `with` statement.
impl ContextManager {
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<Ref<Context>> {
        set_current(self.local.as_object())?;
        Ok(self.local.clone())
    }
    #[method(raw, "(...)")]
    fn __exit__(&self, _args: &[&PyObject]) -> PyResult<bool> {
        set_current(self.before.as_object())?;
        Ok(false)
    }
}

/// A manager of a copy of `ctx`, or of the current context, with some attributes changed.
pub fn local(ctx: Option<&PyObject>, kwargs: Option<&PyDictObject>) -> PyResult<Ref<ContextManager>> {
    let before = current()?;
    let local = from_argument(ctx)?.duplicate()?;
    if let Some(kwargs) = kwargs {
        const NAMES: [&str; 8] = [
            "prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps",
        ];
        let mut at = 0;
        while let Some((key, value, _)) = kwargs.next_entry(&mut at) {
            let name = key.str()?.to_string_lossy();
            let Some(known) = NAMES.iter().find(|known| **known == name) else {
                return Err(raise!(
                    TypeError,
                    "this function got an unexpected keyword argument '{name}'"
                ));
            };
            local.set_all(&[(known, Some(value))])?;
        }
    }
    Ref::new(ContextManager {
        ob_base: blank_header(),
        local,
        before,
    })
}
