//! Digit arithmetic, texts and doubles against CPython's answers.

use super::digits::{self, BitOp};
use super::text::{self, ParseError};
use crate::objects::floatobject::hex;
use crate::objects::{dtoa, numeric_hash};

include!("cases.in");

fn number(decimal: &str) -> (bool, Vec<u32>) {
    let parsed = text::parse(decimal.as_bytes(), 10, 0).expect("a decimal number");
    (parsed.negative, parsed.digits)
}

fn shown(negative: bool, digits: &[u32]) -> String {
    let sign = if negative { "-" } else { "" };
    format!("{sign}{}", text::decimal(digits::normalized(digits)))
}

#[test]
fn bit_operations() {
    for (a, b, and, or, xor) in BITS {
        let (a_parts, b_parts) = (number(a), number(b));
        for (op, expected) in [(BitOp::And, and), (BitOp::Or, or), (BitOp::Xor, xor)] {
            let mut out = vec![0; a_parts.1.len().max(b_parts.1.len()) + 1];
            let negative =
                digits::bit_op_into(&mut out, op, (a_parts.0, &a_parts.1), (b_parts.0, &b_parts.1));
            assert_eq!(shown(negative, &out), **expected, "{a} {op:?} {b}");
        }
    }
}

#[test]
fn shifts() {
    for (a, count, left, right) in SHIFTS {
        let a = number(a).1;
        let mut out = vec![0; digits::shl_len(&a, *count)];
        digits::shl_into(&mut out, &a, *count);
        assert_eq!(shown(false, &out), **left);
        let mut out = vec![0; digits::shr_len(&a, *count)];
        digits::shr_into(&mut out, &a, *count);
        assert_eq!(shown(false, &out), **right);
    }
}

#[test]
fn big_integers_there_and_back() {
    for (a, ..) in BITS {
        let a = number(a).1;
        let big = digits::to_biguint(&a);
        assert_eq!(big.to_string(), text::decimal(&a));
        let mut out = vec![0; digits::biguint_len(&big)];
        digits::from_biguint_into(&mut out, &big);
        assert_eq!(out, a);
        for bits in [1, 3, 4] {
            let radix = text::power_of_two(&a, bits, false);
            assert_eq!(
                text::parse(radix.as_bytes(), 1 << bits, 0).map(|parsed| parsed.digits),
                Ok(a.clone())
            );
        }
    }
}

#[test]
fn products_sums_and_quotients() {
    for (a, b, ..) in BITS {
        let (a, b) = (number(a).1, number(b).1);
        let (big_a, big_b) = (digits::to_biguint(&a), digits::to_biguint(&b));
        let mut out = vec![0; a.len() + b.len()];
        digits::mul_into(&mut out, &a, &b);
        assert_eq!(digits::to_biguint(&out), &big_a * &big_b);
        let mut out = vec![0; a.len().max(b.len()) + 1];
        digits::add_into(&mut out, &a, &b);
        assert_eq!(digits::to_biguint(&out), &big_a + &big_b);
        if digits::compare(&a, &b).is_ge() {
            let mut out = vec![0; a.len()];
            digits::sub_into(&mut out, &a, &b);
            assert_eq!(digits::to_biguint(&out), &big_a - &big_b);
        }
        if let [divisor] = *b {
            let mut out = vec![0; a.len()];
            let rest = digits::div_rem_small_into(&mut out, &a, divisor);
            assert_eq!(digits::to_biguint(&out), &big_a / divisor);
            assert_eq!(num_bigint::BigUint::from(rest), &big_a % divisor);
            assert_eq!(digits::rem_small(&a, divisor), rest);
        }
    }
}

#[test]
fn hashes() {
    for (a, hash) in HASHES {
        assert_eq!(digits::hash_magnitude(&number(a).1) as i64, *hash, "{a}");
    }
}

#[test]
fn doubles_of_magnitudes() {
    for (a, mantissa, exponent) in FREXPS {
        assert_eq!(digits::frexp(&number(a).1), (*mantissa, *exponent), "{a}");
    }
}

#[test]
fn doubles_as_text() {
    for (value, repr, hexadecimal, fixed, general, hash) in DOUBLES {
        assert_eq!(dtoa::float_repr(*value), *repr);
        assert_eq!(dtoa::double_to_string(*value, 'f', 3, 0), *fixed);
        assert_eq!(dtoa::double_to_string(*value, 'g', 5, 0), *general);
        assert_eq!(hex::to_hex(*value), *hexadecimal);
        assert_eq!(hex::from_hex(hexadecimal.as_bytes()), Ok(*value));
        assert_eq!(dtoa::parse_double(repr.as_bytes()), Some(*value));
        assert_eq!(numeric_hash::hash_double(*value), *hash, "{value}");
        let (mantissa, exponent) = dtoa::frexp(*value);
        assert_eq!(dtoa::ldexp(mantissa, exponent.into()), *value);
    }
}

#[test]
fn shortest_texts_at_ties_are_even() {
    for (value, repr) in [
        (1379310344827586.25, "1379310344827586.2"),
        (1.0 + 1.0 / 131072.0, "1.0000076293945312"),
        (9007199254740993.0, "9007199254740992.0"),
        (5e-324, "5e-324"),
        (0.1 + 0.2, "0.30000000000000004"),
    ] {
        assert_eq!(dtoa::float_repr(value), repr);
    }
}

#[test]
fn rounding() {
    for (value, n_decimals, rounded) in ROUNDS {
        let found = dtoa::round_decimals(*value, *n_decimals);
        assert_eq!(
            found.map(f64::to_bits),
            Some(rounded.to_bits()),
            "round({value}, {n_decimals}) {found:?}"
        );
    }
}

#[test]
fn hexadecimal_floats() {
    for (text, expected) in HEXES {
        let found = match hex::from_hex(text.as_bytes()) {
            Ok(value) => dtoa::float_repr(value),
            Err(hex::HexError::Invalid) => "ValueError".to_string(),
            Err(hex::HexError::TooLarge) => "OverflowError".to_string(),
        };
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn literals() {
    for (literal, base, expected) in PARSES {
        let found = match text::parse(literal.as_bytes(), *base, 0) {
            Ok(parsed) => shown(parsed.negative, &parsed.digits),
            Err(ParseError::Invalid) => "ValueError".to_string(),
            Err(ParseError::TooManyDigits(n)) => format!("too many digits: {n}"),
            Err(ParseError::Huge { .. }) => "huge".to_string(),
        };
        assert_eq!(found, *expected, "int({literal:?}, {base})");
    }
    let too_long = "1".repeat(5000);
    assert_eq!(
        text::parse(too_long.as_bytes(), 10, 4300),
        Err(ParseError::TooManyDigits(5000))
    );
}

#[test]
fn short_quotients() {
    // A plain generator of numbers, with runs of the extreme digits that make the guesses of a quotient go wrong.
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        match state % 5 {
            0 => 0,
            1 => digits::MASK,
            _ => (state >> 20) as u32 & digits::MASK,
        }
    };
    for round in 0..4000 {
        let n = 2 + round % 5;
        let mut divisor: Vec<u32> = (0..n).map(|_| next()).collect();
        divisor[n - 1] = divisor[n - 1].max(1);
        let mut dividend: Vec<u32> = (0..n + round % 7).map(|_| next()).collect();
        let last = dividend.len() - 1;
        dividend[last] = dividend[last].max(1);
        let mut out = vec![0; dividend.len() - n + 1];
        let has_rest = digits::div_into(&mut out, &dividend, &divisor);
        let (a, b) = (digits::to_biguint(&dividend), digits::to_biguint(&divisor));
        assert_eq!(digits::to_biguint(digits::normalized(&out)), &a / &b);
        assert_eq!(has_rest, &a % &b != num_bigint::BigUint::ZERO);
    }
}
