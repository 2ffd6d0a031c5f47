//! Sums that do not lose digits: `fsum`, `sumprod`, `hypot`, `dist`.
//!
//! Sources: Shewchuk, Adaptive Precision Floating-Point Arithmetic; Ogita, Rump and Oishi, Accurate Sum and Dot Product.

use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

/// The rounded sum and what rounding lost.
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// The rounded product and what rounding lost.
#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// The sum of a set of partial sums that do not overlap, smallest first, rounded once.
fn round_partials(partials: &[f64]) -> f64 {
    let mut at = partials.len();
    let Some(next) = at.checked_sub(1) else { return 0.0 };
    at = next;
    let mut high = partials[at];
    let mut low = 0.0;
    while at > 0 {
        at -= 1;
        let (x, y) = (high, partials[at]);
        high = x + y;
        low = y - (high - x);
        if low != 0.0 {
            break;
        }
    }
    // Halfway cases are decided by the sign of what is still below.
    if at > 0 && ((low < 0.0 && partials[at - 1] < 0.0) || (low > 0.0 && partials[at - 1] > 0.0)) {
        let y = low * 2.0;
        let x = high + y;
        if y == x - high {
            high = x;
        }
    }
    high
}

pub fn fsum(items: &PyObject) -> PyResult<f64> {
    let mut partials: Vec<f64> = Vec::new();
    let (mut special_sum, mut inf_sum) = (0.0f64, 0.0f64);
    let iterator = items.iter()?;
    while let Some(item) = iterator.next()? {
        let original = item.to_f64()?;
        let mut x = original;
        let mut kept = 0;
        for at in 0..partials.len() {
            let mut y = partials[at];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        partials.truncate(kept);
        if x != 0.0 {
            if !x.is_finite() {
                if original.is_finite() {
                    return Err(raise!(OverflowError, "intermediate overflow in fsum"));
                }
                if original.is_infinite() {
                    inf_sum += original;
                }
                special_sum += original;
                partials.clear();
            } else {
                partials.push(x);
            }
        }
    }
    if special_sum != 0.0 {
        return if inf_sum.is_nan() {
            Err(raise!(ValueError, "-inf + inf in fsum"))
        } else {
            Ok(special_sum)
        };
    }
    Ok(round_partials(&partials))
}

/// The Euclidean norm, with an error below one unit in the last place.
pub fn norm(values: &mut [f64]) -> f64 {
    let mut max = 0.0f64;
    let mut nan = false;
    for value in values.iter_mut() {
        *value = value.abs();
        nan |= value.is_nan();
        max = max.max(*value);
    }
    if max.is_infinite() {
        return max;
    }
    if nan {
        return f64::NAN;
    }
    if max == 0.0 || values.len() <= 1 {
        return max;
    }
    let (_, exponent) = adder_runtime::objects::dtoa::frexp(max);
    if exponent < -1023 {
        // Subnormal: scaled up first.
        for value in values.iter_mut() {
            *value /= f64::MIN_POSITIVE;
        }
        return f64::MIN_POSITIVE * norm(values);
    }
    let scale = adder_runtime::objects::dtoa::ldexp(1.0, i64::from(-exponent));
    let (mut sum, mut lost, mut lost_products) = (0.0f64, 0.0f64, 0.0f64);
    for value in values.iter() {
        let (square, error) = two_product(value * scale, value * scale);
        let (total, rest) = two_sum(sum, square);
        sum = total;
        lost += rest;
        lost_products += error;
    }
    let root = (sum + (lost + lost_products)).sqrt();
    let (square, error) = two_product(-root, root);
    let (total, rest) = two_sum(sum, square);
    let residue = total + ((lost + rest) + (lost_products + error));
    (root + residue / (2.0 * root)) / scale
}

/// A sum in three doubles.
#[derive(Clone, Copy, Default)]
struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    fn add_product(self, x: f64, y: f64) -> Triple {
        let (product, product_low) = two_product(x, y);
        let (high, sum_low) = two_sum(self.high, product);
        let (r1, r2) = two_sum(self.low, product_low);
        let (low, r3) = two_sum(r1, sum_low);
        Triple { high, low, tiny: self.tiny + r2 + r3 }
    }
    fn round(self) -> f64 {
        let (low, last) = two_sum(self.low, self.tiny);
        let (high, middle) = two_sum(self.high, low);
        let mut partials = vec![last, middle, high];
        partials.retain(|part| *part != 0.0);
        if partials.is_empty() { self.high + self.low + self.tiny } else { round_partials(&partials) }
    }
}

/// A pair of operands as doubles, when one is a float and the other a float or an int.
fn as_floats(p: &PyObject, q: &PyObject) -> Option<(f64, f64)> {
    let float = |x: &PyObject| x.downcast_exact::<PyFloatObject>().map(PyFloatObject::value);
    let int = |x: &PyObject| {
        let is_int = x.downcast_exact::<PyLongObject>().is_some() || x.is(true_()) || x.is(false_());
        x.downcast::<PyLongObject>().filter(|_| is_int).and_then(PyLongObject::to_f64_opt)
    };
    match (float(p), float(q)) {
        (Some(p), Some(q)) => Some((p, q)),
        (Some(p), None) => Some((p, int(q)?)),
        (None, Some(q)) => Some((int(p)?, q)),
        (None, None) => None,
    }
}

fn small(x: &PyObject) -> Option<i64> {
    x.downcast_exact::<PyLongObject>().and_then(PyLongObject::to_i64)
}

pub fn sumprod(p: &PyObject, q: &PyObject) -> PyResult {
    let (p, q) = (p.iter()?, q.iter()?);
    let mut total = PyLongObject::from_i64(0).into_object();
    let (mut int_total, mut ints, mut ints_used) = (0i64, true, false);
    let (mut float_total, mut floats, mut floats_used) = (Triple::default(), true, false);
    loop {
        let (p_item, q_item) = (p.next()?, q.next()?);
        let (p_item, q_item) = match (p_item, q_item) {
            (Some(p_item), Some(q_item)) => (p_item, q_item),
            (None, None) => break,
            _ => return Err(raise!(ValueError, "Inputs are not the same length")),
        };
        if ints {
            let next = small(&p_item).zip(small(&q_item)).and_then(|(p, q)| p.checked_mul(q)?.checked_add(int_total));
            if let Some(next) = next {
                int_total = next;
                ints_used = true;
                continue;
            }
            ints = false;
            if ints_used {
                total = number::add(&total, PyLongObject::from_i64(int_total).as_object())?;
            }
        }
        if floats {
            if let Some((x, y)) = as_floats(&p_item, &q_item) {
                let next = float_total.add_product(x, y);
                if next.high.is_finite() {
                    float_total = next;
                    floats_used = true;
                    continue;
                }
            }
            floats = false;
            if floats_used {
                total = number::add(&total, PyFloatObject::from_f64(float_total.round()).as_object())?;
            }
        }
        total = number::add(&total, &*number::multiply(&p_item, &q_item)?)?;
    }
    if ints && ints_used {
        total = number::add(&total, PyLongObject::from_i64(int_total).as_object())?;
    }
    if floats && floats_used {
        total = number::add(&total, PyFloatObject::from_f64(float_total.round()).as_object())?;
    }
    Ok(total)
}

pub fn prod(iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
    let mut result = start.map_or_else(|| PyLongObject::from_i64(1).into_object(), PyObject::to_ref);
    let iterator = iterable.iter()?;
    let mut pending = iterator.next()?;
    if let Some(mut value) = small(&result) {
        while let Some(item) = &pending {
            let Some(next) = small(item).and_then(|item| value.checked_mul(item)) else { break };
            value = next;
            pending = iterator.next()?;
        }
        result = PyLongObject::from_i64(value).into_object();
    }
    if let Some(mut value) = result.as_object().downcast_exact::<PyFloatObject>().map(PyFloatObject::value) {
        while let Some(item) = &pending {
            let factor = match item.as_object().downcast_exact::<PyFloatObject>() {
                Some(float) => float.value(),
                None => match small(item) {
                    Some(int) => int as f64,
                    None => break,
                },
            };
            value *= factor;
            pending = iterator.next()?;
        }
        result = PyFloatObject::from_f64(value).into_object();
    }
    while let Some(item) = pending {
        result = number::multiply(&result, &item)?;
        pending = iterator.next()?;
    }
    Ok(result)
}
