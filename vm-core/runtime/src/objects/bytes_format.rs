//! `bytes % arguments` and `bytearray % arguments`.

use crate::objects::buffer::{Buffer, has_buffer};
use crate::objects::bytes_methods::contiguous_bytes;
use crate::objects::cformat::{Arguments, Reader, Spec, number_text, unsupported};
use crate::prelude::*;

/// The bytes of `format % args`.
pub fn format(format: &[u8], args: &PyObject) -> PyResult<Vec<u8>> {
    let is_text = args.downcast::<PyUnicodeObject>().is_some()
        || args.downcast::<PyBytesObject>().is_some()
        || args.downcast::<PyByteArrayObject>().is_some();
    let mut arguments = Arguments::new(args, is_text);
    let mut bytes = Vec::with_capacity(format.len() + 32);
    let mut reader = Reader::new(format.len(), |idx| u32::from(format[idx]));
    loop {
        let start = reader.place();
        let Some(n_plain) = memchr::memchr(b'%', &format[start..]) else {
            bytes.extend_from_slice(&format[start..]);
            break;
        };
        bytes.extend_from_slice(&format[start..start + n_plain]);
        reader.go_to(start + n_plain + 1);
        if reader.peek() == Some(u32::from(b'%')) {
            reader.go_to(reader.place() + 1);
            bytes.push(b'%');
            continue;
        }
        let spec = reader.spec(&mut arguments, |start, end| {
            PyBytesObject::from_slice(&format[start..end]).into_object()
        })?;
        let value = arguments.take()?;
        write_value(&mut bytes, &value, &spec)?;
    }
    arguments.finish("bytes")?;
    Ok(bytes)
}

fn write_value(bytes: &mut Vec<u8>, value: &PyObject, spec: &Spec) -> PyResult<()> {
    match u8::try_from(spec.conversion) {
        Ok(b'r' | b'a') => {
            let text = value.ascii()?;
            write_padded(bytes, text.raw_bytes(), spec, spec.precision)?;
        }
        Ok(b's' | b'b') => {
            let run = run_of(value)?;
            write_padded(bytes, &run, spec, spec.precision)?;
        }
        Ok(b'c') => write_padded(bytes, &[one_byte(value)?], spec, None)?,
        _ => match number_text(value, spec, Some("float argument required"))? {
            Some(text) => bytes.extend_from_slice(text.as_bytes()),
            None => return Err(unsupported(spec)),
        },
    }
    Ok(())
}

fn write_padded(bytes: &mut Vec<u8>, run: &[u8], spec: &Spec, precision: Option<usize>) -> PyResult<()> {
    let run = &run[..precision.map_or(run.len(), |precision| precision.min(run.len()))];
    let n_missing = spec.width.unwrap_or(0).saturating_sub(run.len());
    if bytes.try_reserve(n_missing).is_err() {
        return Err(crate::memory::no_memory());
    }
    if !spec.left {
        bytes.resize(bytes.len() + n_missing, b' ');
    }
    bytes.extend_from_slice(run);
    if spec.left {
        bytes.resize(bytes.len() + n_missing, b' ');
    }
    Ok(())
}

/// The bytes of `%b`.
fn run_of(value: &PyObject) -> PyResult<Vec<u8>> {
    if let Some(bytes) = value.downcast::<PyBytesObject>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Some(array) = value.downcast::<PyByteArrayObject>() {
        return Ok(array.as_bytes().to_vec());
    }
    if let Some(result) = value.call_special(identifier!("__bytes__"), &[])? {
        return match result.as_object().downcast::<PyBytesObject>() {
            Some(bytes) => Ok(bytes.as_bytes().to_vec()),
            None => Err(raise!(
                TypeError,
                "__bytes__ returned non-bytes (type {})",
                result.ty().full_name()
            )),
        };
    }
    if has_buffer(value) {
        return Ok(contiguous_bytes(&Buffer::get(value, PyBUF_FULL_RO)?));
    }
    Err(raise!(
        TypeError,
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        value.ty().full_name()
    ))
}

/// The byte of `%c`.
fn one_byte(value: &PyObject) -> PyResult<u8> {
    let run = if let Some(bytes) = value.downcast::<PyBytesObject>() {
        Some(("bytes", bytes.as_bytes()))
    } else {
        value
            .downcast::<PyByteArrayObject>()
            .map(|array| ("bytearray", array.as_bytes()))
    };
    match run {
        Some((_, [byte])) => return Ok(*byte),
        Some((kind, run)) => {
            let len = run.len();
            return Err(raise!(
                TypeError,
                "%c requires an integer in range(256) or a single byte, not a {kind} object of length {len}"
            ));
        }
        None => {}
    }
    if !value.has_index() {
        let ty = value.ty().fully_qualified_name();
        return Err(raise!(
            TypeError,
            "%c requires an integer in range(256) or a single byte, not {ty}"
        ));
    }
    match value.index_subclass()?.to_i64().map(u8::try_from) {
        Some(Ok(byte)) => Ok(byte),
        _ => Err(raise!(OverflowError, "%c arg not in range(256)")),
    }
}
