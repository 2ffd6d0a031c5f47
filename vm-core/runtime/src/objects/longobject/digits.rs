//! 30-bit digit slices -> 30-bit digit slices: the arithmetic of magnitudes, without objects and without Python.
//!
//! A magnitude is a slice of digits, least significant first; *normalised* means that the last digit is not zero
//! (so zero is the empty slice). Functions named `…_into` write to a caller's buffer whose length they state.
//! Tests: `digits_tests.rs`.

use num_bigint::BigUint;
use std::cmp::Ordering;

/// Bits in a digit.
pub const SHIFT: u32 = 30;
/// The greatest digit.
pub const MASK: u32 = (1 << SHIFT) - 1;

/// The slice without its leading (last) zero digits.
#[inline]
pub fn normalized(digits: &[u32]) -> &[u32] {
    let mut n = digits.len();
    while n > 0 && digits[n - 1] == 0 {
        n -= 1;
    }
    &digits[..n]
}

/// Compares two normalised magnitudes.
pub fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// The digits of a 64-bit magnitude, and how many of them are used.
#[inline]
pub fn from_u64(value: u64) -> ([u32; 3], usize) {
    let digits = [
        (value & MASK as u64) as u32,
        ((value >> SHIFT) & MASK as u64) as u32,
        (value >> (2 * SHIFT)) as u32,
    ];
    (digits, digit_count(value.into()))
}

/// The digits of a 128-bit magnitude, and how many of them are used.
#[inline]
pub fn from_u128(value: u128) -> ([u32; 5], usize) {
    let mut digits = [0; 5];
    for (i, digit) in digits.iter_mut().enumerate() {
        *digit = ((value >> (i as u32 * SHIFT)) as u32) & MASK;
    }
    (digits, digit_count(value))
}

#[inline]
fn digit_count(value: u128) -> usize {
    (128 - value.leading_zeros()).div_ceil(SHIFT) as usize
}

/// The value of at most four digits (120 bits).
#[inline]
pub fn to_u128(digits: &[u32]) -> u128 {
    debug_assert!(digits.len() <= 4);
    digits
        .iter()
        .rev()
        .fold(0, |value, digit| value << SHIFT | u128::from(*digit))
}

/// The value of a normalised magnitude when it fits 64 bits.
#[inline]
pub fn to_u64(digits: &[u32]) -> Option<u64> {
    match *digits {
        [] => Some(0),
        [a] => Some(a.into()),
        [a, b] => Some(u64::from(a) | u64::from(b) << SHIFT),
        [a, b, c] if c < 16 => Some(u64::from(a) | u64::from(b) << SHIFT | u64::from(c) << (2 * SHIFT)),
        _ => None,
    }
}

/// The low 64 bits of a magnitude.
#[inline]
pub fn low_u64(digits: &[u32]) -> u64 {
    digits
        .iter()
        .take(3)
        .rev()
        .fold(0u64, |value, digit| value << SHIFT | u64::from(*digit))
}

/// Bits needed for a normalised magnitude; 0 for zero.
#[inline]
pub fn bit_length(digits: &[u32]) -> u64 {
    match digits.last() {
        None => 0,
        Some(top) => (digits.len() as u64 - 1) * u64::from(SHIFT) + u64::from(32 - top.leading_zeros()),
    }
}

/// `a + b` into `out`, whose length is `max(len(a), len(b)) + 1`.
pub fn add_into(out: &mut [u32], a: &[u32], b: &[u32]) {
    let (a, b) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    debug_assert_eq!(out.len(), a.len() + 1);
    let mut carry = 0;
    for i in 0..b.len() {
        carry += a[i] + b[i];
        out[i] = carry & MASK;
        carry >>= SHIFT;
    }
    for i in b.len()..a.len() {
        carry += a[i];
        out[i] = carry & MASK;
        carry >>= SHIFT;
    }
    out[a.len()] = carry;
}

/// `a - b` into `out`, whose length is that of `a`; `a >= b`.
pub fn sub_into(out: &mut [u32], a: &[u32], b: &[u32]) {
    debug_assert!(out.len() == a.len() && a.len() >= b.len());
    let (low, high) = a.split_at(b.len());
    let (out_low, out_high) = out.split_at_mut(b.len());
    let mut borrow = 0u32;
    for ((target, digit), other) in out_low.iter_mut().zip(low).zip(b) {
        let difference = digit.wrapping_sub(*other).wrapping_sub(borrow);
        *target = difference & MASK;
        borrow = (difference >> SHIFT) & 1;
    }
    for (target, digit) in out_high.iter_mut().zip(high) {
        let difference = digit.wrapping_sub(borrow);
        *target = difference & MASK;
        borrow = (difference >> SHIFT) & 1;
    }
    debug_assert_eq!(borrow, 0);
}

/// `a * b` into `out`, whose length is `len(a) + len(b)`: the school's method, with the longer one inside.
pub fn mul_into(out: &mut [u32], a: &[u32], b: &[u32]) {
    debug_assert_eq!(out.len(), a.len() + b.len());
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    out.fill(0);
    for (i, &digit) in a.iter().enumerate() {
        let factor = u64::from(digit);
        let mut carry = 0u64;
        for (target, &other) in out[i..i + b.len()].iter_mut().zip(b) {
            carry += u64::from(*target) + factor * u64::from(other);
            *target = carry as u32 & MASK;
            carry >>= SHIFT;
        }
        out[i + b.len()] = carry as u32;
    }
}

/// `a / b` into `out`, of `len(a) - len(b) + 1` digits, by the school's method (Knuth's algorithm D): for short quotients. `b`
/// has at least two digits. Whether there is a remainder is returned.
pub fn div_into(out: &mut [u32], a: &[u32], b: &[u32]) -> bool {
    let n = b.len();
    debug_assert!(n >= 2 && a.len() >= n && out.len() == a.len() - n + 1);
    // The highest digit of the divisor gets its highest bit set, so that two digits give a good guess.
    let shift = b[n - 1].leading_zeros() - (u32::BITS - SHIFT);
    let shifted = |source: &[u32], n_digits: usize| -> Vec<u32> {
        let mut target = Vec::with_capacity(n_digits);
        let mut carry = 0u64;
        for &digit in source {
            carry |= u64::from(digit) << shift;
            target.push(carry as u32 & MASK);
            carry >>= SHIFT;
        }
        if n_digits > source.len() {
            target.push(carry as u32);
        }
        target
    };
    let v = shifted(b, n);
    let mut u = shifted(a, a.len() + 1);
    let (top, second) = (u64::from(v[n - 1]), u64::from(v[n - 2]));
    for j in (0..out.len()).rev() {
        let high = u64::from(u[j + n]) << SHIFT | u64::from(u[j + n - 1]);
        let (mut guess, mut rest) = (high / top, high % top);
        while guess >> SHIFT != 0 || guess * second > (rest << SHIFT | u64::from(u[j + n - 2])) {
            guess -= 1;
            rest += top;
            if rest >> SHIFT != 0 {
                break;
            }
        }
        let mut carry = 0i64;
        for (digit, &factor) in u[j..j + n].iter_mut().zip(&v) {
            let difference = i64::from(*digit) - (guess * u64::from(factor)) as i64 + carry;
            *digit = difference as u32 & MASK;
            carry = difference >> SHIFT;
        }
        let last = i64::from(u[j + n]) + carry;
        u[j + n] = last as u32 & MASK;
        if last < 0 {
            // One too many: it is given back.
            guess -= 1;
            let mut carry = 0u32;
            for (digit, &other) in u[j..j + n].iter_mut().zip(&v) {
                carry += *digit + other;
                *digit = carry & MASK;
                carry >>= SHIFT;
            }
            u[j + n] = (u[j + n] + carry) & MASK;
        }
        out[j] = guess as u32;
    }
    u.iter().any(|digit| *digit != 0)
}

/// In place `digits = digits * factor + addend`; the carry out is returned (it is below 2**32).
pub fn mul_add_small(digits: &mut [u32], factor: u32, addend: u32) -> u64 {
    let mut carry = u64::from(addend);
    for digit in digits {
        carry += u64::from(*digit) * u64::from(factor);
        *digit = carry as u32 & MASK;
        carry >>= SHIFT;
    }
    carry
}

/// `a / divisor` into `out` (as long as `a`); the remainder is returned.
pub fn div_rem_small_into(out: &mut [u32], a: &[u32], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let mut rest = 0u64;
    for i in (0..a.len()).rev() {
        rest = rest << SHIFT | u64::from(a[i]);
        out[i] = (rest / divisor) as u32;
        rest %= divisor;
    }
    rest as u32
}

/// `digits % divisor`.
pub fn rem_small(digits: &[u32], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    digits
        .iter()
        .rev()
        .fold(0, |rest, digit| (rest << SHIFT | u64::from(*digit)) % divisor) as u32
}

/// Digits that `a << shift` needs at most.
pub fn shl_len(a: &[u32], shift: u64) -> usize {
    a.len() + (shift / u64::from(SHIFT)) as usize + 1
}

/// `a << shift` into `out`, whose length is `shl_len(a, shift)`.
pub fn shl_into(out: &mut [u32], a: &[u32], shift: u64) {
    let words = (shift / u64::from(SHIFT)) as usize;
    let bits = (shift % u64::from(SHIFT)) as u32;
    out[..words].fill(0);
    let mut carry = 0u64;
    for (i, &digit) in a.iter().enumerate() {
        carry |= u64::from(digit) << bits;
        out[words + i] = carry as u32 & MASK;
        carry >>= SHIFT;
    }
    out[words + a.len()] = carry as u32;
}

/// Digits that `a >> shift` needs at most.
pub fn shr_len(a: &[u32], shift: u64) -> usize {
    a.len().saturating_sub((shift / u64::from(SHIFT)) as usize)
}

/// `a >> shift` into `out`, whose length is `shr_len(a, shift)`; says whether a bit was lost.
pub fn shr_into(out: &mut [u32], a: &[u32], shift: u64) -> bool {
    let words = ((shift / u64::from(SHIFT)) as usize).min(a.len());
    let bits = (shift % u64::from(SHIFT)) as u32;
    let mut lost = a[..words].iter().any(|digit| *digit != 0);
    for i in words..a.len() {
        let high = a.get(i + 1).copied().unwrap_or(0);
        let pair = u64::from(high) << SHIFT | u64::from(a[i]);
        out[i - words] = (pair >> bits) as u32 & MASK;
    }
    if words < a.len() {
        lost |= a[words] & ((1 << bits) - 1) != 0;
    }
    lost
}

/// Whether any of the low `bits` bits is set.
pub fn any_low_bit(a: &[u32], bits: u64) -> bool {
    let words = (bits / u64::from(SHIFT)) as usize;
    if words >= a.len() {
        return a.iter().any(|digit| *digit != 0);
    }
    a[..words].iter().any(|digit| *digit != 0) || a[words] & ((1 << (bits % u64::from(SHIFT))) - 1) != 0
}

/// Bit `index` of a magnitude.
pub fn bit(a: &[u32], index: u64) -> bool {
    a.get((index / u64::from(SHIFT)) as usize)
        .is_some_and(|digit| digit >> (index % u64::from(SHIFT)) & 1 == 1)
}

/// In place two's complement over the slice's whole width.
pub fn negate_in_place(digits: &mut [u32]) {
    let mut carry = 1;
    for digit in digits {
        carry += *digit ^ MASK;
        *digit = carry & MASK;
        carry >>= SHIFT;
    }
}

/// The three bitwise operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BitOp {
    And,
    Or,
    Xor,
}

impl BitOp {
    #[inline]
    pub fn apply(self, a: u32, b: u32) -> u32 {
        match self {
            BitOp::And => a & b,
            BitOp::Or => a | b,
            BitOp::Xor => a ^ b,
        }
    }
    #[inline]
    pub fn apply_i64(self, a: i64, b: i64) -> i64 {
        match self {
            BitOp::And => a & b,
            BitOp::Or => a | b,
            BitOp::Xor => a ^ b,
        }
    }
}

/// `a op b` on signed numbers in two's complement, into `out`, whose length is `max(len) + 1`; returns the sign.
pub fn bit_op_into(out: &mut [u32], op: BitOp, a: (bool, &[u32]), b: (bool, &[u32])) -> bool {
    let mut reader_a = ComplementReader::new(a);
    let mut reader_b = ComplementReader::new(b);
    for (i, digit) in out.iter_mut().enumerate() {
        *digit = op.apply(reader_a.digit(i), reader_b.digit(i));
    }
    let negative = op.apply(a.0.into(), b.0.into()) != 0;
    if negative {
        negate_in_place(out);
    }
    negative
}

/// Reads a signed magnitude as two's-complement digits, upwards, without a copy.
struct ComplementReader<'a> {
    negative: bool,
    digits: &'a [u32],
    carry: u32,
}

impl<'a> ComplementReader<'a> {
    fn new((negative, digits): (bool, &'a [u32])) -> Self {
        ComplementReader {
            negative,
            digits,
            carry: 1,
        }
    }
    #[inline]
    fn digit(&mut self, index: usize) -> u32 {
        let digit = self.digits.get(index).copied().unwrap_or(0);
        if !self.negative {
            return digit;
        }
        self.carry += digit ^ MASK;
        let result = self.carry & MASK;
        self.carry >>= SHIFT;
        result
    }
}

/// A magnitude as a big integer: 30-bit digits are repacked into 32-bit ones.
pub fn to_biguint(digits: &[u32]) -> BigUint {
    let mut words = Vec::with_capacity(digits.len());
    let mut pending = 0u64;
    let mut pending_bits = 0;
    for &digit in digits {
        pending |= u64::from(digit) << pending_bits;
        pending_bits += SHIFT;
        if pending_bits >= 32 {
            words.push(pending as u32);
            pending >>= 32;
            pending_bits -= 32;
        }
    }
    if pending_bits > 0 {
        words.push(pending as u32);
    }
    BigUint::new(words)
}

/// How many digits a big integer needs.
pub fn biguint_len(value: &BigUint) -> usize {
    value.bits().div_ceil(u64::from(SHIFT)) as usize
}

/// The digits of a big integer into `out`, whose length is `biguint_len(value)`.
pub fn from_biguint_into(out: &mut [u32], value: &BigUint) {
    let mut pending = 0u64;
    let mut pending_bits = 0;
    let mut i = 0;
    for word in value.iter_u32_digits() {
        pending |= u64::from(word) << pending_bits;
        pending_bits += 32;
        while pending_bits >= SHIFT && i < out.len() {
            out[i] = pending as u32 & MASK;
            i += 1;
            pending >>= SHIFT;
            pending_bits -= SHIFT;
        }
    }
    if i < out.len() {
        out[i] = pending as u32 & MASK;
    }
}

/// A magnitude modulo the Mersenne prime 2**61 - 1: the hash of an integer without its sign.
pub fn hash_magnitude(digits: &[u32]) -> u64 {
    const BITS: u32 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    let mut value = 0u64;
    for &digit in digits.iter().rev() {
        // value = value * 2**30 + digit, where multiplying by a power of two is a rotation of 61 bits.
        value = (value << SHIFT & MODULUS) | value >> (BITS - SHIFT);
        value += u64::from(digit);
        if value >= MODULUS {
            value -= MODULUS;
        }
    }
    value
}

/// A magnitude as `mantissa * 2**exponent` with `0.5 <= mantissa < 1`, rounded half to even to 53 bits.
pub fn frexp(digits: &[u32]) -> (f64, i64) {
    let bits = bit_length(digits);
    if bits == 0 {
        return (0.0, 0);
    }
    // At most 64 bits of the value, the last of which is sticky: converting them to a double rounds half to even.
    let kept_bits = bits.min(64);
    let shift = bits - kept_bits;
    let kept = bits_at(digits, shift) | u64::from(any_low_bit(digits, shift));
    let mantissa = kept as f64 / 2f64.powi(kept_bits as i32);
    if mantissa == 1.0 {
        (0.5, bits as i64 + 1)
    } else {
        (mantissa, bits as i64)
    }
}

/// The low 64 bits of `digits >> shift`.
pub fn bits_at(digits: &[u32], shift: u64) -> u64 {
    let words = (shift / u64::from(SHIFT)) as usize;
    let bits = (shift % u64::from(SHIFT)) as u32;
    let window = &digits[words.min(digits.len())..(words + 4).min(digits.len())];
    (to_u128(window) >> bits) as u64
}
