//! Arithmetic on constants, with the size limits that CPython's folding has. `None`: leave it to the interpreter, which
//! also raises the error if there is one.

use crate::ast::{Operator, UnaryOp};
use crate::bytecode::{Constant, PyStr};
use crate::parse::convert::big_constant;
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION: usize = 256;
const MAX_STR: usize = 4096;

/// The Python type's name.
pub fn type_name(value: &Constant) -> &'static str {
    match value {
        Constant::None => "NoneType",
        Constant::True | Constant::False => "bool",
        Constant::Ellipsis => "ellipsis",
        Constant::Int(_) | Constant::BigInt(_) => "int",
        Constant::Float(_) => "float",
        Constant::Complex(..) => "complex",
        Constant::Str(_) => "str",
        Constant::Bytes(_) => "bytes",
        Constant::Tuple(_) => "tuple",
        Constant::FrozenSet(_) => "frozenset",
        Constant::Slice(_) => "slice",
        Constant::Code(_) => "code",
    }
}

/// The truth value.
pub fn is_true(value: &Constant) -> bool {
    match value {
        Constant::None | Constant::False => false,
        Constant::Int(value) => *value != 0,
        Constant::Float(value) => *value != 0.0,
        Constant::Complex(re, im) => *re != 0.0 || *im != 0.0,
        Constant::Str(text) => !text.is_empty(),
        Constant::Bytes(bytes) => !bytes.is_empty(),
        Constant::Tuple(items) | Constant::FrozenSet(items) => !items.is_empty(),
        _ => true,
    }
}

fn as_int(value: &Constant) -> Option<BigInt> {
    match value {
        Constant::True => Some(1.into()),
        Constant::False => Some(0.into()),
        Constant::Int(value) => Some((*value).into()),
        Constant::BigInt(value) => Some((**value).clone()),
        _ => None,
    }
}

fn as_float(value: &Constant) -> Option<f64> {
    match value {
        Constant::Float(value) => Some(*value),
        _ => as_int(value)?.to_f64().filter(|f| f.is_finite()),
    }
}

pub fn unary(op: UnaryOp, value: &Constant) -> Option<Constant> {
    match (op, value) {
        (UnaryOp::Not, value) => Some(if is_true(value) {
            Constant::False
        } else {
            Constant::True
        }),
        (UnaryOp::Invert, Constant::True | Constant::False) => None, // deprecated: warns when run
        (UnaryOp::Invert, value) => Some(big_constant(!as_int(value)?)),
        (UnaryOp::USub, Constant::Float(value)) => Some(Constant::Float(-value)),
        (UnaryOp::USub, Constant::Complex(re, im)) => Some(Constant::Complex(-re, -im)),
        (UnaryOp::USub, value) => Some(big_constant(-as_int(value)?)),
        (UnaryOp::UAdd, Constant::Float(_) | Constant::Complex(..)) => Some(value.clone()),
        (UnaryOp::UAdd, value) => Some(big_constant(as_int(value)?)),
    }
}

pub fn binary(left: &Constant, op: Operator, right: &Constant) -> Option<Constant> {
    if let (Some(l), Some(r)) = (as_int(left), as_int(right)) {
        let bools = matches!(
            (left, right),
            (Constant::True | Constant::False, Constant::True | Constant::False)
        );
        let bits = match op {
            Operator::BitOr if bools => l | r,
            Operator::BitAnd if bools => l & r,
            Operator::BitXor if bools => l ^ r,
            _ => return int_binary(l, op, r),
        };
        return Some(if bits.is_zero() {
            Constant::False
        } else {
            Constant::True
        });
    }
    match (left, right) {
        (Constant::Complex(..), _) | (_, Constant::Complex(..)) => complex_binary(left, op, right),
        (Constant::Float(_), _) | (_, Constant::Float(_)) => {
            float_binary(as_float(left)?, op, as_float(right)?)
        }
        _ => sequence_binary(left, op, right),
    }
}

fn int_binary(l: BigInt, op: Operator, r: BigInt) -> Option<Constant> {
    let value = match op {
        Operator::Add => l + r,
        Operator::Sub => l - r,
        Operator::Mult => {
            if !l.is_zero() && !r.is_zero() && l.bits() + r.bits() > MAX_INT_BITS {
                return None;
            }
            l * r
        }
        Operator::Div => {
            let exact = |v: &BigInt| {
                v.to_i64()
                    .filter(|v| v.unsigned_abs() <= 1 << 53)
                    .map(|v| v as f64)
            };
            let (l, r) = (exact(&l)?, exact(&r)?);
            return (r != 0.0).then(|| Constant::Float(l / r));
        }
        Operator::FloorDiv if !r.is_zero() => l.div_floor(&r),
        Operator::Mod if !r.is_zero() => l.mod_floor(&r),
        Operator::Pow => return int_pow(l, r),
        Operator::LShift => {
            let shift = r.to_u64()?;
            if shift > MAX_INT_BITS || !l.is_zero() && l.bits() + shift > MAX_INT_BITS {
                return None;
            }
            l << shift
        }
        Operator::RShift => l >> r.to_u64()?,
        Operator::BitOr => l | r,
        Operator::BitXor => l ^ r,
        Operator::BitAnd => l & r,
        _ => return None,
    };
    Some(big_constant(value))
}

fn int_pow(base: BigInt, exponent: BigInt) -> Option<Constant> {
    if exponent.sign() == Sign::Minus {
        if base.is_zero() {
            return None;
        }
        return float_binary(base.to_f64()?, Operator::Pow, exponent.to_f64()?);
    }
    let exponent = exponent.to_u64()?;
    if base.bits() > 1 && base.bits().checked_mul(exponent)? > MAX_INT_BITS || exponent > u32::MAX.into() {
        return None;
    }
    Some(big_constant(base.pow(exponent as u32)))
}

fn float_binary(l: f64, op: Operator, r: f64) -> Option<Constant> {
    let value = match op {
        Operator::Add => l + r,
        Operator::Sub => l - r,
        Operator::Mult => l * r,
        Operator::Div if r != 0.0 => l / r,
        Operator::FloorDiv if r != 0.0 => floor_div_mod(l, r).0,
        Operator::Mod if r != 0.0 => floor_div_mod(l, r).1,
        Operator::Pow => {
            // Zero to a negative power raises, a negative base may give a complex number, overflow raises.
            if l == 0.0 && r < 0.0 || l < 0.0 && r.fract() != 0.0 {
                return None;
            }
            let value = l.powf(r);
            if value.is_infinite() && l.is_finite() && r.is_finite() {
                return None;
            }
            value
        }
        _ => return None,
    };
    Some(Constant::Float(value))
}

/// Python's `divmod` of floats.
fn floor_div_mod(l: f64, r: f64) -> (f64, f64) {
    let mut modulo = l % r;
    let mut div = (l - modulo) / r;
    if modulo != 0.0 {
        if (r < 0.0) != (modulo < 0.0) {
            modulo += r;
            div -= 1.0;
        }
    } else {
        modulo = 0.0f64.copysign(r);
    }
    let floor = if div != 0.0 {
        let floor = div.floor();
        if div - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0.0f64.copysign(l / r)
    };
    (floor, modulo)
}

/// Only sums: they are what complex literals are made of. A real operand has no imaginary part, not a zero one.
fn complex_binary(left: &Constant, op: Operator, right: &Constant) -> Option<Constant> {
    let (re, im) = match (left, right) {
        (Constant::Complex(lr, li), Constant::Complex(rr, ri)) => match op {
            Operator::Add => (lr + rr, li + ri),
            Operator::Sub => (lr - rr, li - ri),
            _ => return None,
        },
        (Constant::Complex(lr, li), real) => match op {
            Operator::Add => (lr + as_float(real)?, *li),
            Operator::Sub => (lr - as_float(real)?, *li),
            _ => return None,
        },
        (real, Constant::Complex(rr, ri)) => match op {
            Operator::Add => (as_float(real)? + rr, *ri),
            Operator::Sub => (as_float(real)? - rr, -ri),
            _ => return None,
        },
        _ => return None,
    };
    Some(Constant::Complex(re, im))
}

fn sequence_binary(left: &Constant, op: Operator, right: &Constant) -> Option<Constant> {
    match (left, op, right) {
        (Constant::Str(l), Operator::Add, Constant::Str(r)) => Some(Constant::Str(PyStr::from_wtf8(
            [l.as_wtf8(), r.as_wtf8()].concat(),
        ))),
        (Constant::Bytes(l), Operator::Add, Constant::Bytes(r)) => {
            Some(Constant::Bytes([&l[..], &r[..]].concat().into()))
        }
        (Constant::Tuple(l), Operator::Add, Constant::Tuple(r)) => {
            Some(Constant::Tuple([&l[..], &r[..]].concat().into()))
        }
        (sequence, Operator::Mult, count) if as_int(count).is_some() => repeat(sequence, &as_int(count)?),
        (count, Operator::Mult, sequence) if as_int(count).is_some() => repeat(sequence, &as_int(count)?),
        _ => None,
    }
}

fn repeat(sequence: &Constant, count: &BigInt) -> Option<Constant> {
    let count = if count.is_negative() { 0 } else { count.to_usize()? };
    let fits = |len: usize, max: usize| len.checked_mul(count).is_some_and(|total| total <= max);
    match sequence {
        Constant::Str(text) if fits(text.as_wtf8().len(), MAX_STR) => {
            Some(Constant::Str(PyStr::from_wtf8(text.as_wtf8().repeat(count))))
        }
        Constant::Bytes(bytes) if fits(bytes.len(), MAX_STR) => {
            Some(Constant::Bytes(bytes.repeat(count).into()))
        }
        Constant::Tuple(items) if fits(items.len(), MAX_COLLECTION) => {
            let flat = items
                .iter()
                .all(|item| !matches!(item, Constant::Tuple(inner) if inner.len() > 16));
            flat.then(|| Constant::Tuple(items.iter().cloned().cycle().take(items.len() * count).collect()))
        }
        _ => None,
    }
}

pub fn subscript(object: &Constant, index: &Constant) -> Option<Constant> {
    let index = as_int(index)?.to_i64()?;
    let at = |len: usize| {
        let index = if index < 0 {
            index.checked_add(len as i64)?
        } else {
            index
        };
        usize::try_from(index).ok().filter(|i| *i < len)
    };
    match object {
        Constant::Str(text) => {
            let points: Vec<u32> = text.code_points().collect();
            let point = points[at(points.len())?];
            Some(Constant::Str(PyStr::from_code_points([point])))
        }
        Constant::Bytes(bytes) => Some(Constant::Int(bytes[at(bytes.len())?].into())),
        Constant::Tuple(items) => Some(items[at(items.len())?].clone()),
        _ => None,
    }
}

/// A part of a `%` format.
pub enum FormatPiece {
    Text(PyStr),
    Field { conversion: char, spec: String },
}

/// Splits a `%` format that uses only `%s`, `%r`, `%a` (with `-`, width, precision) and `%%`.
pub fn parse_percent_format(text: &PyStr) -> Option<Vec<FormatPiece>> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let points: Vec<u32> = text.code_points().collect();
    let get = |i: usize| points.get(i).and_then(|p| char::from_u32(*p)).unwrap_or('\0');
    let mut i = 0;
    while i < points.len() {
        if get(i) != '%' {
            literal.push(points[i]);
            i += 1;
            continue;
        }
        i += 1;
        if get(i) == '%' {
            literal.push('%' as u32);
            i += 1;
            continue;
        }
        let left_justify = get(i) == '-';
        if left_justify {
            i += 1;
        }
        let mut digits = String::new();
        while get(i).is_ascii_digit() && digits.len() < 3 {
            digits.push(get(i));
            i += 1;
        }
        let mut precision = String::new();
        if get(i) == '.' {
            precision.push('.');
            i += 1;
            while get(i).is_ascii_digit() && precision.len() < 3 {
                precision.push(get(i));
                i += 1;
            }
            if precision == "." {
                precision.push('0');
            }
        }
        let conversion = get(i);
        if !matches!(conversion, 's' | 'r' | 'a') || digits.starts_with('0') {
            return None;
        }
        i += 1;
        if !literal.is_empty() {
            pieces.push(FormatPiece::Text(PyStr::from_code_points(std::mem::take(
                &mut literal,
            ))));
        }
        let align = if !digits.is_empty() && !left_justify {
            ">"
        } else {
            ""
        };
        pieces.push(FormatPiece::Field {
            conversion,
            spec: format!("{align}{digits}{precision}"),
        });
    }
    if !literal.is_empty() {
        pieces.push(FormatPiece::Text(PyStr::from_code_points(literal)));
    }
    Some(pieces)
}
