//! Results of the specification's own examples, and the functions beside what more digits say.

use super::number::{Env, Number, Rounding, status};
use super::{arith, transcendental};

fn env(prec: i64) -> Env {
    Env {
        prec,
        emax: 999_999,
        emin: -999_999,
        rounding: Rounding::HalfEven,
        clamp: false,
    }
}

fn number(text: &str) -> Number {
    Number::parse(text.as_bytes()).unwrap()
}

fn show(number: &Number) -> String {
    number.to_text(false, true)
}

#[test]
fn text_round_trips() {
    for text in [
        "0", "-0", "1E+3", "0.001", "1E-7", "12.50", "NaN123", "-sNaN", "Infinity", "0E+3", "1.2E-10",
    ] {
        assert_eq!(show(&number(text)), text);
    }
    assert_eq!(number("123e4").to_text(true, true), "1.23E+6");
    assert_eq!(number("0e-7").to_text(true, true), "0.0E-6");
    for text in ["", ".", "1e", "e5", "1.2.3", "--1", "nan1x", "infinit"] {
        assert_eq!(Number::parse(text.as_bytes()), None);
    }
}

#[test]
fn sums_products_and_quotients() {
    let mut status = 0;
    let check = |result: Number, expected: &str| assert_eq!(show(&result), expected);
    check(arith::add(&number("1.3"), &number("-1.07"), &env(9), &mut status), "0.23");
    check(arith::add(&number("1E+9"), &number("1E-9"), &env(9), &mut status), "1.00000000E+9");
    check(arith::multiply(&number("1.20"), &number("3"), &env(9), &mut status), "3.60");
    check(arith::divide(&number("1"), &number("3"), &env(9), &mut status), "0.333333333");
    check(arith::divide(&number("2.400"), &number("2.0"), &env(9), &mut status), "1.20");
    check(arith::remainder(&number("-10"), &number("3"), &env(9), &mut status), "-1");
    check(arith::remainder_near(&number("10"), &number("6"), &env(9), &mut status), "-2");
    check(arith::sqrt(&number("39"), &env(9), &mut status), "6.24499800");
    check(arith::quantize(&number("217"), &number("1E+2"), &env(9), &mut status), "2E+2");
}

#[test]
fn functions_are_correctly_rounded() {
    let mut status = 0;
    let check = |result: Number, expected: &str| assert_eq!(show(&result), expected);
    check(transcendental::exp(&number("1"), &env(30), &mut status), "2.71828182845904523536028747135");
    check(transcendental::exp(&number("-100.5"), &env(9), &mut status), "2.25634014E-44");
    check(transcendental::ln(&number("10"), &env(30), &mut status), "2.30258509299404568401799145468");
    check(transcendental::ln(&number("1.0000001"), &env(12), &mut status), "9.99999950000E-8");
    check(transcendental::log10(&number("2"), &env(20), &mut status), "0.30102999566398119521");
    check(transcendental::log10(&number("1E-7"), &env(9), &mut status), "-7");
    check(transcendental::power(&number("2"), &number("-3"), &env(9), &mut status), "0.125");
    check(transcendental::power(&number("1.7"), &number("-8"), &env(9), &mut status), "0.0143353608");
    check(transcendental::power(&number("2"), &number("0.5"), &env(20), &mut status), "1.4142135623730950488");
    check(transcendental::power(&number("4"), &number("0.5"), &env(5), &mut status), "2.0000");
    check(transcendental::power(&number("-2"), &number("3"), &env(9), &mut status), "-8");
    check(transcendental::power(&number("1.0000001"), &number("1E+7"), &env(9), &mut status), "2.71828169");
}

#[test]
fn limits_are_reported() {
    let mut seen = 0;
    let overflow = arith::multiply(&number("9E+999999"), &number("9"), &env(3), &mut seen);
    assert!(overflow.is_infinite() && seen & status::OVERFLOW != 0);
    let mut seen = 0;
    let tiny = arith::divide(&number("1E-999999"), &number("3E+5"), &env(3), &mut seen);
    assert!(tiny.is_zero() && seen & (status::UNDERFLOW | status::SUBNORMAL | status::CLAMPED) != 0);
    let mut seen = 0;
    assert_eq!(show(&arith::divide(&number("4"), &number("2"), &Env::MAX, &mut seen)), "2");
    assert_eq!(seen, 0);
}
