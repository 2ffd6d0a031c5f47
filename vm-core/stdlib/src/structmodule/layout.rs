//! A format string -> the list of items with their offsets, and the conversion of each item.

use super::ERROR;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

/// One code of a format, with its repeat count applied as the code asks.
#[derive(Clone, Copy)]
pub struct Item {
    pub code: u8,
    pub offset: usize,
    pub size: usize,
    pub repeat: usize,
}

pub struct Layout {
    pub items: Vec<Item>,
    pub size: usize,
    /// How many Python values there are.
    pub n_values: usize,
    pub little_endian: bool,
}

fn native_size(code: u8) -> Option<(usize, usize)> {
    Some(match code {
        b'x' | b'c' | b'b' | b'B' | b'?' | b's' | b'p' => (1, 1),
        b'h' | b'H' | b'e' => (2, 2),
        b'i' | b'I' | b'f' => (4, 4),
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => (8, 8),
        b'F' => (8, 4),
        b'D' => (16, 8),
        _ => return None,
    })
}

fn standard_size(code: u8) -> Option<(usize, usize)> {
    match code {
        b'l' | b'L' => Some((4, 1)),
        b'n' | b'N' | b'P' => None,
        _ => native_size(code).map(|(size, _)| (size, 1)),
    }
}

impl Layout {
    pub fn parse(format: &[u8]) -> PyResult<Layout> {
        if format.contains(&0) {
            return Err(ERROR.raise("embedded null character"));
        }
        let (native, little_endian, codes) = match format.first() {
            Some(b'<') => (false, true, &format[1..]),
            Some(b'>' | b'!') => (false, false, &format[1..]),
            Some(b'=') => (false, cfg!(target_endian = "little"), &format[1..]),
            Some(b'@') => (true, cfg!(target_endian = "little"), &format[1..]),
            _ => (true, cfg!(target_endian = "little"), format),
        };
        let size_of = if native { native_size } else { standard_size };
        let too_long = || ERROR.raise("total struct size too long");
        let mut layout = Layout { items: Vec::new(), size: 0, n_values: 0, little_endian };
        let mut at = 0;
        while at < codes.len() {
            if matches!(codes[at], b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
                at += 1;
                continue;
            }
            let mut repeat = 1usize;
            if codes[at].is_ascii_digit() {
                repeat = 0;
                while at < codes.len() && codes[at].is_ascii_digit() {
                    repeat = repeat
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(usize::from(codes[at] - b'0')))
                        .filter(|n| *n <= isize::MAX as usize)
                        .ok_or_else(too_long)?;
                    at += 1;
                }
                if at == codes.len() {
                    return Err(ERROR.raise("repeat count given without format specifier"));
                }
            }
            let code = codes[at];
            at += 1;
            let Some((size, align)) = size_of(code) else {
                return Err(ERROR.raise("bad char in struct format"));
            };
            let offset = layout.size.checked_next_multiple_of(align).ok_or_else(too_long)?;
            let (item_size, item_repeat, n_values) = match code {
                b's' | b'p' => (repeat, 1, 1),
                b'x' => (repeat, 0, 0),
                _ => (size, repeat, repeat),
            };
            layout.size = size
                .checked_mul(repeat)
                .and_then(|n| n.checked_add(offset))
                .filter(|n| *n <= isize::MAX as usize)
                .ok_or_else(too_long)?;
            layout.n_values += n_values;
            if item_repeat > 0 {
                layout.items.push(Item { code, offset, size: item_size, repeat: item_repeat });
            }
        }
        Ok(layout)
    }

    /// The values, from `size` bytes.
    pub fn unpack(&self, bytes: &[u8]) -> PyResult<Ref<PyTupleObject>> {
        let mut values = adder_runtime::memory::vec_with_room(self.n_values)?;
        for item in &self.items {
            let mut offset = item.offset;
            for _ in 0..item.repeat {
                values.push(self.load(item.code, &bytes[offset..offset + item.size])?);
                offset += item.size;
            }
        }
        Ok(PyTupleObject::from_vec(values))
    }
    fn unsigned(&self, bytes: &[u8]) -> u64 {
        let mut word = [0; 8];
        if self.little_endian {
            word[..bytes.len()].copy_from_slice(bytes);
        } else {
            for (to, from) in word.iter_mut().zip(bytes.iter().rev()) {
                *to = *from;
            }
        }
        u64::from_le_bytes(word)
    }
    fn float(&self, bytes: &[u8]) -> f64 {
        let bits = self.unsigned(bytes);
        match bytes.len() {
            8 => f64::from_bits(bits),
            4 => f64::from(f32::from_bits(bits as u32)),
            _ => half_to_f64(bits as u16),
        }
    }
    #[inline]
    fn load(&self, code: u8, bytes: &[u8]) -> PyResult {
        Ok(match code {
            b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
                let unused = 64 - 8 * bytes.len() as u32;
                let value = ((self.unsigned(bytes) << unused) as i64) >> unused;
                PyLongObject::from_i64(value).into_object()
            }
            b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'P' => PyLongObject::from_u64(self.unsigned(bytes)).into_object(),
            b'?' => py_bool(bytes[0] != 0),
            b'c' | b's' => PyBytesObject::from_slice(bytes).into_object(),
            b'p' => match bytes.split_first() {
                Some((len, rest)) => {
                    let len = usize::from(*len).min(rest.len());
                    PyBytesObject::from_slice(&rest[..len]).into_object()
                }
                None => PyBytesObject::empty().into_object(),
            },
            b'F' | b'D' => {
                let (real, imag) = bytes.split_at(bytes.len() / 2);
                PyComplexObject::from_parts(self.float(real), self.float(imag)).into_object()
            }
            _ => PyFloatObject::from_f64(self.float(bytes)).into_object(),
        })
    }

    /// Writes the values into `size` bytes, all of them.
    pub fn pack(&self, values: &[&PyObject], bytes: &mut [u8]) -> PyResult<()> {
        bytes.fill(0);
        let mut values = values.iter();
        for item in &self.items {
            let mut offset = item.offset;
            for _ in 0..item.repeat {
                let Some(value) = values.next() else { return Ok(()) };
                self.store(item.code, value, &mut bytes[offset..offset + item.size])?;
                offset += item.size;
            }
        }
        Ok(())
    }
    fn write(&self, word: u64, bytes: &mut [u8]) {
        let len = bytes.len();
        bytes.copy_from_slice(&word.to_le_bytes()[..len]);
        if !self.little_endian {
            bytes.reverse();
        }
    }
    fn write_float(&self, code: u8, value: f64, bytes: &mut [u8]) -> PyResult<()> {
        let word = match bytes.len() {
            8 => value.to_bits(),
            4 => {
                let narrow = value as f32;
                if narrow.is_infinite() && value.is_finite() && code != b'F' {
                    return Err(raise!(OverflowError, "float too large to pack with f format"));
                }
                u64::from(narrow.to_bits())
            }
            _ => match f64_to_half(value) {
                Some(half) => u64::from(half),
                None => return Err(raise!(OverflowError, "float too large to pack with e format")),
            },
        };
        self.write(word, bytes);
        Ok(())
    }
    #[inline]
    fn store(&self, code: u8, value: &PyObject, bytes: &mut [u8]) -> PyResult<()> {
        match code {
            b'b' | b'h' | b'i' | b'l' | b'q' | b'n' | b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'P' => {
                let word = self.integer(code, value, bytes.len())?;
                self.write(word, bytes);
            }
            b'?' => bytes[0] = u8::from(value.is_true()?),
            b'c' => match value.downcast::<PyBytesObject>().map(PyBytesObject::as_bytes) {
                Some([byte]) => bytes[0] = *byte,
                _ => return Err(ERROR.raise("char format requires a bytes object of length 1")),
            },
            b's' | b'p' => {
                let source = match value.downcast::<PyBytesObject>() {
                    Some(source) => source.as_bytes(),
                    None => match value.downcast::<PyByteArrayObject>() {
                        Some(source) => source.as_bytes(),
                        None => {
                            let code = char::from(code);
                            return Err(ERROR.raise(format!("argument for '{code}' must be a bytes object")));
                        }
                    },
                };
                if code == b's' {
                    let len = source.len().min(bytes.len());
                    bytes[..len].copy_from_slice(&source[..len]);
                } else if let Some((first, rest)) = bytes.split_first_mut() {
                    let len = source.len().min(rest.len());
                    rest[..len].copy_from_slice(&source[..len]);
                    *first = len.min(255) as u8;
                }
            }
            b'F' | b'D' => {
                let Ok((real, imag)) = adder_runtime::objects::complexobject::as_parts(value).map_err(Raised::clear) else {
                    return Err(ERROR.raise("required argument is not a complex"));
                };
                let half = bytes.len() / 2;
                self.write_float(code, real, &mut bytes[..half])?;
                self.write_float(code, imag, &mut bytes[half..])?;
            }
            _ => {
                let stored = match value.to_f64() {
                    Ok(number) => self.write_float(code, number, bytes),
                    Err(raised) => {
                        raised.clear();
                        return Err(ERROR.raise("required argument is not a float"));
                    }
                };
                if let Err(raised) = stored {
                    if value.downcast::<PyLongObject>().is_none() {
                        return Err(raised);
                    }
                    raised.clear_if(exc::OverflowError)?;
                    return Err(ERROR.raise("int too large to convert"));
                }
            }
        }
        Ok(())
    }
    fn integer(&self, code: u8, value: &PyObject, size: usize) -> PyResult<u64> {
        let held;
        let long = match value.downcast::<PyLongObject>() {
            Some(long) => long,
            None if value.has_index() => {
                held = value.index()?;
                &held
            }
            None => return Err(ERROR.raise("required argument is not an integer")),
        };
        let bits = 8 * size as u32;
        if code == b'P' {
            return match (long.to_u64(), long.to_i64()) {
                (Some(word), _) => Ok(word),
                (None, Some(word)) => Ok(word as u64),
                (None, None) => Err(ERROR.raise("int too large to convert")),
            };
        }
        if code.is_ascii_lowercase() {
            let (low, high) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
            return match long.to_i64() {
                Some(word) if (low..=high).contains(&word) => Ok(word as u64),
                _ => Err(out_of_range(code, low as i128, high as i128)),
            };
        }
        let high = u64::MAX >> (64 - bits);
        match long.to_u64() {
            Some(word) if word <= high => Ok(word),
            _ => Err(out_of_range(code, 0, high as i128)),
        }
    }
}

#[cold]
fn out_of_range(code: u8, low: i128, high: i128) -> Raised {
    let code = char::from(code);
    ERROR.raise(format!("'{code}' format requires {low} <= number <= {high}"))
}

pub fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 != 0 { -1.0 } else { 1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f64::from(half & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        0x1f if half & 0x3ff == 0 => sign * f64::INFINITY,
        0x1f => {
            let payload = u64::from(half & 0x3ff) << 42;
            f64::from_bits((u64::from(half & 0x8000) << 48) | 0x7ff0_0000_0000_0000 | payload)
        }
        _ => sign * (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// The nearest half-precision number, ties to even. `None` when a finite number is too large.
pub fn f64_to_half(value: f64) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    if value.is_nan() {
        let payload = (bits >> 42) as u16 & 0x3ff;
        return Some(sign | 0x7c00 | if payload == 0 { 0x200 } else { payload });
    }
    if value.is_infinite() {
        return Some(sign | 0x7c00);
    }
    // Scaled so that one unit is the spacing of halves around the value.
    let magnitude = value.abs();
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(-14);
    let units = (magnitude * 2f64.powi(10 - exponent)).round_ties_even();
    let word = if units >= 1024.0 {
        // A carry out of the fraction goes into the exponent by itself.
        ((exponent + 14) as u32) * 1024 + units as u32
    } else {
        units as u32
    };
    if word >= 0x7c00 { None } else { Some(sign | word as u16) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_trip() {
        for half in 0..=u16::MAX {
            let value = half_to_f64(half);
            if !value.is_nan() {
                assert_eq!(f64_to_half(value), Some(half), "{half:#x} {value}");
            }
        }
        assert_eq!(f64_to_half(65519.0), Some(0x7bff));
        assert_eq!(f64_to_half(65520.0), None);
    }
}
