//! Operators and conversions of int objects against CPython's answers.

use super::{arith, text};
use crate::objects::floatobject::hex;
use crate::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

include!("arith_cases.in");

/// Tests run on several threads, and objects want one at a time.
static GIL: Mutex<()> = Mutex::new(());

fn gil() -> MutexGuard<'static, ()> {
    GIL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn int(decimal: &str) -> Ref<PyLongObject> {
    let parsed = text::parse(decimal.as_bytes(), 10, 0).expect("a decimal number");
    PyLongObject::from_digits(parsed.negative, &parsed.digits).expect("memory")
}

fn shown(result: PyResult<Ref<PyLongObject>>) -> String {
    let int = result.expect("no exception");
    let text = text::decimal(int.digits());
    if int.is_negative() {
        format!("-{text}")
    } else {
        text
    }
}

#[test]
fn arithmetic() {
    let _gil = gil();
    for [a, b, sum, difference, product, quotient, rest, ratio] in ARITHMETIC {
        let (x, y) = (int(a), int(b));
        assert_eq!(shown(arith::add(&x, &y)), *sum, "{a} + {b}");
        assert_eq!(shown(arith::sub(&x, &y)), *difference, "{a} - {b}");
        assert_eq!(shown(arith::mul(&x, &y)), *product, "{a} * {b}");
        assert_eq!(shown(arith::floor_div(&x, &y)), *quotient, "{a} // {b}");
        assert_eq!(shown(arith::modulo(&x, &y)), *rest, "{a} % {b}");
        let (q, r) = arith::divmod(&x, &y).expect("no exception");
        assert_eq!(
            (shown(Ok(q)), shown(Ok(r))),
            (quotient.to_string(), rest.to_string()),
            "divmod({a}, {b})"
        );
        if *ratio != "overflow" {
            assert_eq!(
                hex::to_hex(arith::true_div(&x, &y).expect("in range")),
                *ratio,
                "{a} / {b}"
            );
        }
        let big = x.to_bigint();
        assert_eq!(shown(PyLongObject::from_bigint(&big)), *a);
        assert_eq!(arith::compare(&x, &y), big.cmp(&y.to_bigint()));
        assert_eq!(shown(arith::neg(&x)), (-&big).to_string());
        assert_eq!(
            shown(arith::invert(&x)),
            (-&big - num_bigint::BigInt::from(1)).to_string()
        );
    }
}

#[test]
fn shifts() {
    let _gil = gil();
    for (a, count, right) in NEGATIVE_SHIFTS {
        assert_eq!(shown(arith::rshift_by(&int(a), *count)), *right, "{a} >> {count}");
        let left = arith::lshift_by(&int(a), *count).expect("memory");
        assert_eq!(shown(arith::rshift_by(&left, *count)), *a);
    }
}

#[test]
fn powers() {
    let _gil = gil();
    for [a, b, modulus, expected] in POWERS {
        if modulus.is_empty() {
            assert_eq!(
                shown(arith::pow_unsigned(&int(a), &int(b))),
                *expected,
                "{a} ** {b}"
            );
        } else if *expected != "not invertible" {
            assert_eq!(
                shown(arith::pow_mod(&int(a), &int(b), &int(modulus))),
                *expected,
                "pow({a}, {b}, {modulus})"
            );
        }
    }
}

#[test]
fn bytes() {
    let _gil = gil();
    for (a, n_bytes, signed, expected) in BYTES {
        let mut bytes = vec![0; *n_bytes];
        if int(a).write_bytes(&mut bytes, false, *signed).is_err() {
            assert_eq!(*expected, "error", "{a} in {n_bytes} bytes, signed {signed}");
            continue;
        }
        let found: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, *expected, "{a} in {n_bytes} bytes, signed {signed}");
        assert_eq!(shown(PyLongObject::from_bytes(&bytes, false, *signed)), *a);
        bytes.reverse();
        assert_eq!(shown(PyLongObject::from_bytes(&bytes, true, *signed)), *a);
    }
}

#[test]
fn machine_integers() {
    let _gil = gil();
    for value in [
        0,
        1,
        -1,
        256,
        257,
        -5,
        -6,
        1 << 30,
        -(1 << 30),
        i64::MAX,
        i64::MIN,
        1 << 60,
    ] {
        let int = PyLongObject::from_i64(value);
        assert_eq!(int.to_i64(), Some(value));
        assert_eq!(int.to_i128(), Some(value.into()));
        assert_eq!(int.as_u64_mask(), value as u64);
        assert_eq!(int.to_u64(), u64::try_from(value).ok());
        assert_eq!(int.to_f64_opt(), Some(value as f64));
        assert_eq!(
            shown(PyLongObject::from_f64(value as f64)),
            format!("{}", value as f64 as i128)
        );
    }
    for value in [i128::MAX, i128::MIN + 1, 1 << 100] {
        assert_eq!(PyLongObject::from_i128(value).to_i128(), Some(value));
    }
    assert_eq!(PyLongObject::from_u64(u64::MAX).to_u64(), Some(u64::MAX));
    assert_eq!(PyLongObject::from_u64(u64::MAX).to_i64(), None);
}
