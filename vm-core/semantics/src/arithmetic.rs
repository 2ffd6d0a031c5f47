//! Binary operators on small ints and floats.

use crate::machine::{Cmp, Exit, Fast, Machine};

/// CPython's `NB_` numbers of the plain operators; an in-place one is its plain one plus 13.
pub mod nb {
    pub const ADD: u8 = 0;
    pub const AND: u8 = 1;
    pub const FLOOR_DIVIDE: u8 = 2;
    pub const LSHIFT: u8 = 3;
    pub const MULTIPLY: u8 = 5;
    pub const REMAINDER: u8 = 6;
    pub const OR: u8 = 7;
    pub const POWER: u8 = 8;
    pub const RSHIFT: u8 = 9;
    pub const SUBTRACT: u8 = 10;
    pub const TRUE_DIVIDE: u8 = 11;
    pub const XOR: u8 = 12;
    pub const N_PLAIN: u8 = 13;
}

/// The plain operator of an in-place one: numbers are immutable.
#[inline(always)]
pub fn plain(operator: u8) -> u8 {
    if operator >= nb::N_PLAIN {
        operator - nb::N_PLAIN
    } else {
        operator
    }
}

#[inline(always)]
pub fn int_add<M: Machine>(m: &mut M, left: M::Obj, right: M::Obj) -> Fast<M::Obj> {
    let (left, right) = (m.compact_int(left)?, m.compact_int(right)?);
    let sum = m.int_add_ovf(left, right)?;
    Ok(m.new_int(sum))
}

#[inline(always)]
pub fn int_subtract<M: Machine>(m: &mut M, left: M::Obj, right: M::Obj) -> Fast<M::Obj> {
    let (left, right) = (m.compact_int(left)?, m.compact_int(right)?);
    let difference = m.int_sub_ovf(left, right)?;
    Ok(m.new_int(difference))
}

#[inline(always)]
pub fn int_multiply<M: Machine>(m: &mut M, left: M::Obj, right: M::Obj) -> Fast<M::Obj> {
    let (left, right) = (m.compact_int(left)?, m.compact_int(right)?);
    let product = m.int_mul_ovf(left, right)?;
    Ok(m.new_int(product))
}

/// The other operators of small ints.
#[inline(always)]
pub fn int_binary<M: Machine>(m: &mut M, operator: u8, left: M::Obj, right: M::Obj) -> Fast<M::Obj> {
    let operator = plain(operator);
    let (left, right) = (m.compact_int(left)?, m.compact_int(right)?);
    let value = match operator {
        nb::ADD => m.int_add_ovf(left, right)?,
        nb::SUBTRACT => m.int_sub_ovf(left, right)?,
        nb::MULTIPLY => m.int_mul_ovf(left, right)?,
        nb::AND => m.int_and(left, right),
        nb::OR => m.int_or(left, right),
        nb::XOR => m.int_xor(left, right),
        nb::FLOOR_DIVIDE | nb::REMAINDER | nb::TRUE_DIVIDE => {
            let zero = m.int(0);
            let divisible = m.int_compare(Cmp::Ne, right, zero);
            m.guard(divisible)?;
            if operator == nb::TRUE_DIVIDE {
                let (left, right) = (m.int_to_float(left), m.int_to_float(right));
                let quotient = m.float_div(left, right);
                return Ok(m.new_float(quotient));
            }
            if operator == nb::FLOOR_DIVIDE {
                m.int_floor_divide(left, right)
            } else {
                m.int_modulo(left, right)
            }
        }
        nb::LSHIFT => {
            // One digit shifted by at most 32 places stays in 64 bits.
            let (zero, limit) = (m.int(0), m.int(32));
            let not_negative = m.int_compare(Cmp::Ge, right, zero);
            m.guard(not_negative)?;
            let small = m.int_compare(Cmp::Le, right, limit);
            m.guard(small)?;
            m.int_lshift(left, right)
        }
        nb::RSHIFT => {
            let (zero, limit) = (m.int(0), m.int(63));
            let not_negative = m.int_compare(Cmp::Ge, right, zero);
            m.guard(not_negative)?;
            let small = m.int_compare(Cmp::Le, right, limit);
            m.guard(small)?;
            m.int_rshift(left, right)
        }
        _ => return Err(Exit::Miss),
    };
    Ok(m.new_int(value))
}

/// The values of two floats, or of a float and a small int. Two ints are a miss: their result is no float.
#[inline(always)]
fn float_operands<M: Machine>(m: &mut M, left: M::Obj, right: M::Obj) -> Fast<(M::Float, M::Float)> {
    match m.exact_float(left) {
        Ok(left) => match m.exact_float(right) {
            Ok(right) => Ok((left, right)),
            Err(Exit::Miss) => {
                let right = m.compact_int(right)?;
                Ok((left, m.int_to_float(right)))
            }
            Err(exit) => Err(exit),
        },
        Err(Exit::Miss) => {
            let right = m.exact_float(right)?;
            let left = m.compact_int(left)?;
            Ok((m.int_to_float(left), right))
        }
        Err(exit) => Err(exit),
    }
}

/// Operators with at least one float.
#[inline(always)]
pub fn float_binary<M: Machine>(m: &mut M, operator: u8, left: M::Obj, right: M::Obj) -> Fast<M::Obj> {
    let value = float_value(m, operator, left, right)?;
    Ok(m.new_float(value))
}

/// As `float_binary`, not yet an object.
#[inline(always)]
pub fn float_value<M: Machine>(m: &mut M, operator: u8, left: M::Obj, right: M::Obj) -> Fast<M::Float> {
    let (left, right) = float_operands(m, left, right)?;
    let value = match plain(operator) {
        nb::ADD => m.float_add(left, right),
        nb::SUBTRACT => m.float_sub(left, right),
        nb::MULTIPLY => m.float_mul(left, right),
        nb::TRUE_DIVIDE => {
            let zero = m.float_const(0.0);
            let divisible = m.float_compare(Cmp::Ne, right, zero);
            m.guard(divisible)?;
            m.float_div(left, right)
        }
        _ => return Err(Exit::Miss),
    };
    Ok(value)
}
