//! Hashes of numbers: equal numbers of different types hash alike, modulo the Mersenne prime 2**61 - 1.

/// The modulus' bits.
pub const HASH_BITS: u32 = 61;
/// The modulus.
pub const HASH_MODULUS: u64 = (1 << HASH_BITS) - 1;
/// The hash of positive infinity.
pub const HASH_INF: i64 = 314159;
/// What the imaginary part's hash is multiplied by.
pub const HASH_IMAG: u64 = 1_000_003;

/// The hash of a double that is not NaN (a NaN hashes by identity: `hash_pointer`).
pub fn hash_double(value: f64) -> i64 {
    if value.is_infinite() {
        return if value > 0.0 { HASH_INF } else { -HASH_INF };
    }
    let (mut mantissa, mut exponent) = super::dtoa::frexp(value.abs());
    let mut hash = 0u64;
    // 28 bits at a time, most significant first.
    while mantissa != 0.0 {
        hash = (hash << 28 & HASH_MODULUS) | hash >> (HASH_BITS - 28);
        mantissa *= 268_435_456.0;
        exponent -= 28;
        let whole = mantissa as u64;
        mantissa -= whole as f64;
        hash += whole;
        if hash >= HASH_MODULUS {
            hash -= HASH_MODULUS;
        }
    }
    let rotation = exponent.rem_euclid(HASH_BITS as i32) as u32;
    if rotation > 0 {
        hash = (hash << rotation & HASH_MODULUS) | hash >> (HASH_BITS - rotation);
    }
    let signed = if value < 0.0 { -(hash as i64) } else { hash as i64 };
    not_error(signed)
}

/// -1 means "failed" in C, so no hash is -1.
#[inline]
pub fn not_error(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

/// The hash of an object by its address.
#[inline]
pub fn hash_pointer<T>(ptr: *const T) -> i64 {
    // The low bits of an address are always zero: they go to the top.
    not_error((ptr as usize).rotate_right(4) as i64)
}

/// The hash of a double; `identity` is the object's address, which a NaN hashes by.
pub fn hash_double_of<T>(value: f64, identity: *const T) -> i64 {
    if value.is_nan() {
        hash_pointer(identity)
    } else {
        hash_double(value)
    }
}
