//! Comparisons of small ints, floats and strings.

use crate::machine::{Cmp, Exit, Fast, Machine};

/// Of operands of one of the three kinds, both of the same; small ints compare with floats too.
#[inline(always)]
pub fn compare<M: Machine>(m: &mut M, cmp: Cmp, left: M::Obj, right: M::Obj) -> Fast<M::Bool> {
    match m.compact_int(left) {
        Ok(left_value) => {
            if let Ok(right_value) = m.compact_int(right) {
                return Ok(m.int_compare(cmp, left_value, right_value));
            }
            let right_value = m.exact_float(right)?;
            let left_value = m.int_to_float(left_value);
            return Ok(m.float_compare(cmp, left_value, right_value));
        }
        Err(Exit::Miss) => {}
        Err(exit) => return Err(exit),
    }
    if let Ok(left_value) = m.exact_float(left) {
        let right_value = match m.exact_float(right) {
            Ok(value) => value,
            Err(_) => {
                let value = m.compact_int(right)?;
                m.int_to_float(value)
            }
        };
        return Ok(m.float_compare(cmp, left_value, right_value));
    }
    m.str_compare(cmp, left, right)
}
