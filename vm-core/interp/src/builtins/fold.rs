//! `sum`, `min` and `max`.

use adder_runtime::abi::*;
use adder_runtime::args::{Kwargs, check_keyword_count, unexpected_keyword};
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

/// A float sum that keeps the rounding errors (Neumaier).
#[derive(Clone, Copy)]
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let total = self.high + value;
        self.low += if self.high.abs() >= value.abs() {
            (self.high - total) + value
        } else {
            (value - total) + self.high
        };
        self.high = total;
    }
    fn value(self) -> f64 {
        // An infinite or not-a-number sum has no use for its errors.
        if self.low != 0.0 && self.low.is_finite() {
            self.high + self.low
        } else {
            self.high
        }
    }
}

pub fn sum(iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
    let iterator = iterable.iter()?;
    let mut total = match start {
        None => PyLongObject::from_i64(0).into_object(),
        Some(start) => {
            if PyUnicodeObject::check(start) {
                return Err(raise!(
                    TypeError,
                    "sum() can't sum strings [use ''.join(seq) instead]"
                ));
            }
            if PyBytesObject::check(start) {
                return Err(raise!(
                    TypeError,
                    "sum() can't sum bytes [use b''.join(seq) instead]"
                ));
            }
            if PyByteArrayObject::check(start) {
                return Err(raise!(
                    TypeError,
                    "sum() can't sum bytearray [use b''.join(seq) instead]"
                ));
            }
            start.to_ref()
        }
    };
    let mut pending: Option<Ref> = None;
    if let Some(value) = total
        .downcast_exact::<PyLongObject>()
        .and_then(|value| value.to_i64())
    {
        let mut value = value;
        loop {
            let Some(item) = iterator.next()? else {
                return Ok(PyLongObject::from_i64(value).into_object());
            };
            let number = match item.downcast_exact::<PyLongObject>() {
                Some(number) => number.to_i64(),
                None if item.is(true_()) => Some(1),
                None if item.is(false_()) => Some(0),
                None => None,
            };
            match number.and_then(|number| value.checked_add(number)) {
                Some(next) => value = next,
                None => {
                    total = PyLongObject::from_i64(value).into_object();
                    pending = Some(item);
                    break;
                }
            }
        }
    }
    if let Some(item) = pending.take() {
        total = number::add(&total, &item)?;
    }
    if let Some(value) = total.downcast_exact::<PyFloatObject>().map(|value| value.value()) {
        let mut value = Compensated {
            high: value,
            low: 0.0,
        };
        loop {
            let Some(item) = iterator.next()? else {
                return Ok(PyFloatObject::from_f64(value.value()).into_object());
            };
            if let Some(number) = item.downcast_exact::<PyFloatObject>() {
                value.add(number.value());
            } else if let Some(number) = (*item).downcast::<PyLongObject>() {
                value.add(number.to_f64()?);
            } else {
                total = PyFloatObject::from_f64(value.value()).into_object();
                total = number::add(&total, &item)?;
                break;
            }
        }
    }
    if let Some(start) = total
        .downcast_exact::<PyComplexObject>()
        .map(|value| value.value())
    {
        let part = |high| Compensated { high, low: 0.0 };
        let (mut real, mut imag) = (part(start.0), part(start.1));
        let sum = |real: Compensated, imag: Compensated| {
            PyComplexObject::from_parts(real.value(), imag.value()).into_object()
        };
        loop {
            let Some(item) = iterator.next()? else {
                return Ok(sum(real, imag));
            };
            if let Some(number) = item
                .downcast_exact::<PyComplexObject>()
                .map(|value| value.value())
            {
                real.add(number.0);
                imag.add(number.1);
            } else if let Some(number) = item.downcast_exact::<PyFloatObject>() {
                real.add(number.value());
            } else if let Some(number) = (*item).downcast::<PyLongObject>() {
                real.add(number.to_f64()?);
            } else {
                total = number::add(&sum(real, imag), &item)?;
                break;
            }
        }
    }
    while let Some(item) = iterator.next()? {
        total = number::add(&total, &item)?;
    }
    Ok(total)
}

pub fn min_max(args: &[&PyObject], kwargs: Kwargs<'_>, op: CompareOp, name: &str) -> PyResult {
    let (mut key, mut default) = (None, None);
    if args.is_empty() {
        return Err(raise!(TypeError, "{name} expected at least 1 argument, got 0"));
    }
    check_keyword_count(name, kwargs.len(), 2)?;
    for (keyword, value) in kwargs.iter() {
        match keyword.str()?.to_string_lossy().as_str() {
            "key" => key = Some(value).filter(|key| !is_none(key)),
            "default" => default = Some(value),
            other => {
                return Err(unexpected_keyword(name, other, &["key", "default"]));
            }
        }
    }
    let iterator = match args {
        [iterable] => iterable.iter()?,
        _ => {
            if default.is_some() {
                return Err(raise!(
                    TypeError,
                    "Cannot specify a default for {name}() with multiple positional arguments"
                ));
            }
            PyTupleObject::from_slice(args).as_object().iter()?
        }
    };
    let mut best: Option<(Ref, Ref)> = None;
    while let Some(item) = iterator.next()? {
        let value = match key {
            Some(key) => key.call1(&item)?,
            None => item.clone(),
        };
        let better = match &best {
            Some((_, best)) => value.rich_compare(best, op)?.is_true()?,
            None => true,
        };
        if better {
            best = Some((item, value));
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.to_ref()),
        (None, None) => Err(raise!(ValueError, "{name}() iterable argument is empty")),
    }
}
