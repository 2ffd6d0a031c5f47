//! Pickles of arrays: bytes in a named machine format from protocol 3 on, lists before.

use super::items::{Descr, Kind, Word, descriptor};
use super::{ARRAY_TYPE, Array};
use adder_runtime::prelude::*;

/// Machine formats, by their numbers in pickles.
struct Format {
    size: usize,
    signed: bool,
    kind: FormatKind,
    big_endian: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FormatKind {
    Int,
    Float,
    Utf16,
    Utf32,
}

fn format_of(code: i32) -> Option<Format> {
    use FormatKind::*;
    let (size, signed, kind, big_endian) = match code {
        0 => (1, false, Int, false),
        1 => (1, true, Int, false),
        2..=13 => {
            let rest = code - 2;
            (2 << (rest / 4), rest % 4 >= 2, Int, rest % 2 == 1)
        }
        14..=17 => (if code < 16 { 4 } else { 8 }, true, Float, code % 2 == 1),
        18 | 19 => (2, false, Utf16, code == 19),
        20 | 21 => (4, false, Utf32, code == 21),
        _ => return None,
    };
    Some(Format { size, signed, kind, big_endian })
}

fn machine_format(descr: &Descr) -> i32 {
    let big = i32::from(cfg!(target_endian = "big"));
    match (descr.kind, descr.size) {
        (Kind::Unsigned, 1) => 0,
        (Kind::Signed, 1) => 1,
        (Kind::Float, 4) => 14 + big,
        (Kind::Float, _) => 16 + big,
        (Kind::Char, _) => 20 + big,
        (kind, size) => {
            let row = size.trailing_zeros() as i32 - 1;
            2 + 4 * row + 2 * i32::from(kind == Kind::Signed) + big
        }
    }
}

pub fn reduce(array: &Array, protocol: &PyObject) -> PyResult {
    let Some(protocol) = protocol.downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "__reduce_ex__ argument should be an integer"));
    };
    let state = match array.as_object().get_attr_opt(identifier!("__dict__"))? {
        Some(dict) => dict,
        None => none_ref(),
    };
    let class = array.as_object().ty().to_object();
    let code = PyUnicodeObject::from_char(u32::from(array.descr.get().code)).into_object();
    if protocol.as_i64()? < 3 {
        let list = array.as_object().call_method(identifier!("tolist"), &[])?;
        let args = PyTupleObject::from_vec(vec![code, list]).into_object();
        return Ok(PyTupleObject::from_vec(vec![class, args, state]).into_object());
    }
    let function = adder_runtime::hooks::import_module("array")?.get_attr(identifier!("_array_reconstructor"))?;
    let format = PyLongObject::from_i64(i64::from(machine_format(array.descr.get()))).into_object();
    let bytes = PyBytesObject::from_slice(array.bytes()).into_object();
    let args = PyTupleObject::from_vec(vec![class, code, format, bytes]).into_object();
    Ok(PyTupleObject::from_vec(vec![function, args, state]).into_object())
}

pub fn reconstruct(class: &PyTypeObject, code: u32, format_code: i32, items: &PyObject) -> PyResult {
    if !class.is_subtype(&ARRAY_TYPE) {
        return Err(raise!(TypeError, "{} is not a subtype of array.array", class.name()));
    }
    let Some(mut descr) = descriptor(code) else {
        return Err(raise!(ValueError, "second argument must be a valid type code"));
    };
    let Some(format) = format_of(format_code) else {
        return Err(raise!(ValueError, "third argument must be a valid machine format code."));
    };
    let Some(bytes) = items.downcast::<PyBytesObject>() else {
        return Err(raise!(TypeError, "fourth argument should be bytes, not {}", items.ty().name()));
    };
    let bytes = bytes.as_bytes();
    if machine_format(descr) != format_code && format.kind == FormatKind::Int {
        // Another type code may hold what the items were on the machine that wrote them.
        let kind = if format.signed { Kind::Signed } else { Kind::Unsigned };
        let fitting = super::items::DESCRIPTORS.iter().find(|other| other.kind == kind && other.size == format.size);
        if !(descr.kind == kind && descr.size == format.size)
            && let Some(fitting) = fitting
        {
            descr = fitting;
        }
    }
    if bytes.len() % format.size != 0 {
        return Err(raise!(ValueError, "bytes length not a multiple of item size"));
    }
    let array = Array::empty(class, descr)?;
    if machine_format(descr) == format_code {
        array.extend_bytes(bytes)?;
        return Ok(array.into_object());
    }
    if format.kind == FormatKind::Utf16 {
        let encoding = PyUnicodeObject::from_str(if format.big_endian { "utf-16-be" } else { "utf-16-le" });
        let text = items.call_method(identifier!("decode"), &[encoding.as_object()])?;
        if let Some(text) = text.as_object().downcast::<PyUnicodeObject>() {
            let units: Vec<u8> = text.code_points().flat_map(u32::to_ne_bytes).collect();
            array.extend_bytes(&units)?;
        }
        return Ok(array.into_object());
    }
    for item in bytes.chunks_exact(format.size) {
        let mut word = [0u8; 8];
        for (index, byte) in item.iter().enumerate() {
            word[if format.big_endian { format.size - 1 - index } else { index }] = *byte;
        }
        let word = u64::from_le_bytes(word);
        let object = match format.kind {
            FormatKind::Float if format.size == 4 => {
                PyFloatObject::from_f64(f64::from(f32::from_bits(word as u32))).into_object()
            }
            FormatKind::Float => PyFloatObject::from_f64(f64::from_bits(word)).into_object(),
            FormatKind::Int if format.signed => {
                let unused = 64 - 8 * format.size as u32;
                PyLongObject::from_i64(((word << unused) as i64) >> unused).into_object()
            }
            FormatKind::Int => PyLongObject::from_u64(word).into_object(),
            _ => {
                super::items::check_char(word as u32)?;
                PyUnicodeObject::from_char(word as u32).into_object()
            }
        };
        let at = array.len();
        let value = descr.word(&object)?;
        array.resize(at + 1)?;
        array.set_word(at, Word(value.0));
    }
    Ok(array.into_object())
}
