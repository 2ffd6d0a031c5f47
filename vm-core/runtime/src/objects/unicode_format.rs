//! `str % arguments`.

#![allow(clippy::useless_conversion)] // code per kind

use crate::exceptions::exc;
use crate::objects::cformat::{Arguments, Reader, Spec, number_text, unsupported};
use crate::objects::unicodeobject::search::has_char;
use crate::objects::unicodeobject::{MAX_CODE_POINT, UnicodeWriter};
use crate::per_kind;
use crate::prelude::*;

const PERCENT: u32 = 0x25;

/// `format % args`.
pub fn format(format: &PyUnicodeObject, args: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
    let is_text = args.downcast::<PyUnicodeObject>().is_some();
    let mut arguments = Arguments::new(args, is_text);
    let (data, len) = (format.data(), format.len());
    if !has_char(data, PERCENT) {
        arguments.finish("string")?;
        return Ok(format.to_exact());
    }
    let mut writer = PyUnicodeObject::writer(len + 32);
    let mut reader = Reader::new(len, |idx| data.at(idx));
    while reader.peek().is_some() {
        let start = reader.place();
        let n_plain = per_kind!(data, units => {
            units[start..].iter().position(|&unit| u32::from(unit) == PERCENT).unwrap_or(len - start)
        });
        writer.push_range(format, start, start + n_plain);
        reader.go_to(start + n_plain);
        if n_plain == len - start {
            break;
        }
        reader.go_to(start + n_plain + 1);
        if reader.peek() == Some(PERCENT) {
            reader.go_to(reader.place() + 1);
            writer.push(PERCENT);
            continue;
        }
        let spec = reader.spec(&mut arguments, |start, end| {
            format.substring(start, end).into_object()
        })?;
        let value = arguments.take()?;
        write_value(&mut writer, &value, &spec)?;
    }
    arguments.finish("string")?;
    writer.finish()
}

fn write_value(writer: &mut UnicodeWriter, value: &PyObject, spec: &Spec) -> PyResult<()> {
    let text = match u8::try_from(spec.conversion) {
        Ok(b's') => value.str()?,
        Ok(b'r') => value.repr()?,
        Ok(b'a') => value.ascii()?,
        Ok(b'c') => {
            let text = PyUnicodeObject::from_char(character(value)?);
            return write_padded(writer, &text, spec, None);
        }
        _ => match number_text(value, spec, None)? {
            Some(text) => {
                writer.push_ascii(text.as_bytes());
                return Ok(());
            }
            None => return Err(unsupported(spec)),
        },
    };
    write_padded(writer, &text, spec, spec.precision)
}

fn write_padded(
    writer: &mut UnicodeWriter,
    text: &PyUnicodeObject,
    spec: &Spec,
    precision: Option<usize>,
) -> PyResult<()> {
    let len = precision.map_or(text.len(), |precision| precision.min(text.len()));
    let n_missing = spec.width.unwrap_or(0).saturating_sub(len);
    if !spec.left {
        writer.push_repeated(0x20, n_missing);
    }
    if len == text.len() {
        writer.push_object(text)
    } else {
        writer.push_range(text, 0, len)
    }
    if spec.left {
        writer.push_repeated(0x20, n_missing);
    }
    Ok(())
}

/// The character of `%c`: a string of one character, or a code point.
fn character(value: &PyObject) -> PyResult<u32> {
    if let Some(text) = value.downcast::<PyUnicodeObject>() {
        if text.len() == 1 {
            return Ok(text.char_at(0));
        }
        let len = text.len();
        return Err(raise!(
            TypeError,
            "%c requires an int or a unicode character, not a string of length {len}"
        ));
    }
    let code = match value.index_subclass() {
        Ok(code) => code,
        Err(raised) => {
            raised.clear_if(exc::TypeError)?;
            return Err(raise!(
                TypeError,
                "%c requires an int or a unicode character, not {}",
                value.ty().fully_qualified_name()
            ));
        }
    };
    match code.to_i64() {
        Some(code) if (0..=i64::from(MAX_CODE_POINT)).contains(&code) => Ok(code as u32),
        _ => Err(raise!(OverflowError, "%c arg not in range(0x110000)")),
    }
}
