//! Number theory on ints of any size: `gcd`, `lcm`, `isqrt`, `factorial`, `comb`, `perm`.

use adder_runtime::objects::longobject::arith;
use adder_runtime::prelude::*;
use num_bigint::BigUint;

type Int = Ref<PyLongObject>;

pub fn gcd(integers: &[&PyObject]) -> PyResult<Int> {
    let Some((first, rest)) = integers.split_first() else { return Ok(PyLongObject::from_i64(0)) };
    let mut result = arith::abs(&*first.index()?)?;
    for integer in rest {
        let integer = integer.index()?;
        result = arith::gcd(&result, &integer)?;
    }
    Ok(result)
}

pub fn lcm(integers: &[&PyObject]) -> PyResult<Int> {
    let Some((first, rest)) = integers.split_first() else { return Ok(PyLongObject::from_i64(1)) };
    let mut result = arith::abs(&*first.index()?)?;
    for integer in rest {
        let integer = integer.index()?;
        if result.is_zero() || integer.is_zero() {
            result = PyLongObject::from_i64(0);
            continue;
        }
        let common = arith::gcd(&result, &integer)?;
        result = arith::abs(&*arith::mul(&*arith::floor_div(&result, &common)?, &integer)?)?;
    }
    Ok(result)
}

fn magnitude(n: &PyLongObject) -> BigUint {
    n.to_bigint().into_parts().1
}

pub fn isqrt(n: &PyObject) -> PyResult<Int> {
    let n = n.index()?;
    if n.sign() < 0 {
        return Err(raise!(ValueError, "isqrt() argument must be nonnegative"));
    }
    match n.to_u64() {
        Some(small) => Ok(PyLongObject::from_u64(small.isqrt())),
        None => PyLongObject::from_biguint(false, &magnitude(&n).sqrt()),
    }
}

/// The product of the integers from `low` up to `high`, without the latter.
fn product(low: u64, high: u64) -> BigUint {
    if high - low <= 16 {
        let mut result = BigUint::from(1u32);
        let mut chunk = 1u64;
        for factor in low..high {
            match chunk.checked_mul(factor) {
                Some(next) => chunk = next,
                None => {
                    result *= chunk;
                    chunk = factor;
                }
            }
        }
        return result * chunk;
    }
    let middle = low + (high - low) / 2;
    product(low, middle) * product(middle, high)
}

pub fn factorial(n: &PyObject) -> PyResult<Int> {
    let n = n.index()?;
    if n.sign() < 0 {
        return Err(raise!(ValueError, "factorial() not defined for negative values"));
    }
    let Some(n) = n.to_i64() else {
        return Err(raise!(OverflowError, "factorial() argument should not exceed {}", i64::MAX));
    };
    let n = n as u64;
    if n <= 20 {
        return Ok(PyLongObject::from_u64((1..=n).product()));
    }
    // The powers of two are taken out and put back by a shift.
    let mut odd_part = BigUint::from(1u32);
    let mut odd_product = BigUint::from(1u32);
    let mut last = 1;
    for shift in (0..64 - n.leading_zeros()).rev() {
        let bound = n >> shift;
        let next = bound | 1;
        let next = if next > bound { next - 2 } else { next };
        if next > last && bound > 2 {
            odd_product *= product_odd(last + 2, next + 2);
            last = next;
        }
        odd_part *= &odd_product;
    }
    let shift = n - u64::from(n.count_ones());
    PyLongObject::from_biguint(false, &(odd_part << shift))
}

/// The product of every second integer from the odd `low` up to the odd `high`, without the latter.
fn product_odd(low: u64, high: u64) -> BigUint {
    if high <= low {
        return BigUint::from(1u32);
    }
    let n_factors = (high - low) / 2;
    if n_factors <= 16 {
        let mut result = BigUint::from(1u32);
        let mut chunk = 1u64;
        for factor in (low..high).step_by(2) {
            match chunk.checked_mul(factor) {
                Some(next) => chunk = next,
                None => {
                    result *= chunk;
                    chunk = factor;
                }
            }
        }
        return result * chunk;
    }
    let middle = low + (n_factors / 2) * 2;
    product_odd(low, middle) * product_odd(middle, high)
}

/// The product of `count` integers downwards from `top`.
fn falling(top: &BigUint, count: u64) -> BigUint {
    if let Ok(small) = u64::try_from(top) {
        return product(small - count + 1, small + 1);
    }
    if count == 1 {
        return top.clone();
    }
    let half = count / 2;
    falling(top, half) * falling(&(top - half), count - half)
}

fn operands(n: &PyObject, k: &PyObject) -> PyResult<(Int, Int)> {
    let (n, k) = (n.index()?, k.index()?);
    if n.sign() < 0 {
        return Err(raise!(ValueError, "n must be a non-negative integer"));
    }
    if k.sign() < 0 {
        return Err(raise!(ValueError, "k must be a non-negative integer"));
    }
    Ok((n, k))
}

pub fn perm(n: &PyObject, k: Option<&PyObject>) -> PyResult<Int> {
    let Some(k) = k else { return factorial(n) };
    let (n, k) = operands(n, k)?;
    if arith::compare(&n, &k).is_lt() {
        return Ok(PyLongObject::from_i64(0));
    }
    let Some(k) = k.to_i64() else {
        return Err(raise!(OverflowError, "k must not exceed {}", i64::MAX));
    };
    if k == 0 {
        return Ok(PyLongObject::from_i64(1));
    }
    PyLongObject::from_biguint(false, &falling(&magnitude(&n), k as u64))
}

pub fn comb(n: &PyObject, k: &PyObject) -> PyResult<Int> {
    let (n, k) = operands(n, k)?;
    if arith::compare(&n, &k).is_lt() {
        return Ok(PyLongObject::from_i64(0));
    }
    let rest = arith::sub(&n, &k)?;
    let k = if arith::compare(&rest, &k).is_lt() { rest } else { k };
    let Some(k) = k.to_i64() else {
        return Err(raise!(OverflowError, "min(n - k, k) must not exceed {}", i64::MAX));
    };
    let k = k as u64;
    if k == 0 {
        return Ok(PyLongObject::from_i64(1));
    }
    if let Some(small) = n.to_u64()
        && let Some(result) = small_comb(small, k)
    {
        return Ok(PyLongObject::from_u64(result));
    }
    let result = falling(&magnitude(&n), k) / product(1, k + 1);
    PyLongObject::from_biguint(false, &result)
}

fn small_comb(n: u64, k: u64) -> Option<u64> {
    if k > 64 {
        return None;
    }
    let mut result = 1u128;
    for step in 0..k {
        result = result * u128::from(n - step) / u128::from(step + 1);
        if result > u128::from(u64::MAX) {
            return None;
        }
    }
    Some(result as u64)
}
