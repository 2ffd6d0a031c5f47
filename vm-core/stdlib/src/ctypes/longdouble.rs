//! C's `long double` <-> `f64`: x87's 80 bits on x86-64, IEEE quadruple precision elsewhere.

/// The value, rounded towards zero where it has more digits than an `f64`; too large a one is infinite.
pub fn to_f64(bytes: [u8; 16]) -> f64 {
    let bits = u128::from_le_bytes(bytes);
    let (sign, exponent, fraction) = parts(bits);
    let magnitude = if exponent == 0x7fff {
        if fraction << 1 == 0 { f64::INFINITY } else { f64::NAN }
    } else if fraction == 0 {
        0.0
    } else {
        // The fraction is fixed point with one digit before the point: 1.63.
        let top = (fraction >> 63) as f64 + ((fraction & (u64::MAX >> 1)) >> 10) as f64 / (1u64 << 53) as f64;
        scale(top, exponent as i32 - 16383)
    };
    if sign { -magnitude } else { magnitude }
}

pub fn from_f64(value: f64) -> [u8; 16] {
    let bits = value.to_bits();
    let sign = u128::from(bits >> 63);
    let (exponent, fraction): (u128, u64) = if value.is_nan() {
        (0x7fff, 0xc000_0000_0000_0000)
    } else if value.is_infinite() {
        (0x7fff, 0x8000_0000_0000_0000)
    } else if value == 0.0 {
        (0, 0)
    } else {
        let raw = (bits >> 52) & 0x7ff;
        let mantissa = bits & ((1 << 52) - 1);
        let (mantissa, power) = match raw {
            0 => {
                let shift = mantissa.leading_zeros();
                (mantissa << shift, -1022 - (shift as i32 - 11))
            }
            _ => ((mantissa | 1 << 52) << 11, raw as i32 - 1023),
        };
        ((power + 16383) as u128, mantissa)
    };
    join(sign, exponent, fraction).to_le_bytes()
}

fn scale(value: f64, power: i32) -> f64 {
    // Two steps, so that neither factor is out of range.
    let half = power.clamp(-2200, 2200) / 2;
    value * 2f64.powi(half) * 2f64.powi(power.clamp(-2200, 2200) - half)
}

#[cfg(target_arch = "x86_64")]
fn parts(bits: u128) -> (bool, u16, u64) {
    ((bits >> 79) & 1 != 0, (bits >> 64) as u16 & 0x7fff, bits as u64)
}

#[cfg(target_arch = "x86_64")]
fn join(sign: u128, exponent: u128, fraction: u64) -> u128 {
    sign << 79 | exponent << 64 | u128::from(fraction)
}

#[cfg(not(target_arch = "x86_64"))]
fn parts(bits: u128) -> (bool, u16, u64) {
    let exponent = (bits >> 112) as u16 & 0x7fff;
    let stored = ((bits << 16) >> 65) as u64;
    let leading = if exponent == 0 { 0 } else { 1 << 63 };
    (bits >> 127 != 0, exponent, leading | stored)
}

#[cfg(not(target_arch = "x86_64"))]
fn join(sign: u128, exponent: u128, fraction: u64) -> u128 {
    sign << 127 | exponent << 112 | (u128::from(fraction) << 65) >> 16
}
