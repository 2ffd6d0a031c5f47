//! Unicode text -> the ASCII that number parsers read: decimal digits and spaces of all scripts become ASCII ones.

use super::unicodectype;
use crate::prelude::*;

/// The decimal digit that a code point stands for.
pub fn decimal_value(c: u32) -> Option<u8> {
    unicodectype::to_decimal(c).map(|digit| digit as u8)
}

/// `_PyUnicode_TransformDecimalAndSpaceToASCII`: what is neither ASCII, digit nor space ends the text as `?`.
pub fn to_ascii(code_points: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut text = Vec::with_capacity(code_points.size_hint().0);
    for c in code_points {
        if c < 127 {
            text.push(c as u8);
        } else if unicodectype::is_space(c) {
            text.push(b' ');
        } else if let Some(digit) = decimal_value(c) {
            text.push(b'0' + digit);
        } else {
            text.push(b'?');
            break;
        }
    }
    text
}

/// Whether an object offers its memory through the buffer protocol.
pub fn has_buffer(object: &PyObject) -> bool {
    // SAFETY: a type's suites live as long as the type.
    unsafe { object.ty().tp_as_buffer.get().as_ref() }.is_some_and(|procs| procs.bf_getbuffer.get().is_some())
}

/// A copy of the bytes of an object with a simple buffer; None when it has none.
pub fn buffer_text(object: &PyObject) -> PyResult<Option<Vec<u8>>> {
    // SAFETY: a type's suites live as long as the type.
    let Some(procs) = (unsafe { object.ty().tp_as_buffer.get().as_ref() }) else {
        return Ok(None);
    };
    let Some(get) = procs.bf_getbuffer.get() else {
        return Ok(None);
    };
    let mut view = std::mem::MaybeUninit::<Py_buffer>::zeroed();
    // SAFETY: a buffer that was got is read within its length, then released.
    unsafe {
        if get(object.as_ptr(), view.as_mut_ptr(), PyBUF_SIMPLE) < 0 {
            let raised = Raised::from_c("bf_getbuffer");
            // What cannot give a simple buffer is no text: the caller's own message says so.
            raised.clear();
            return Ok(None);
        }
        let view = view.assume_init();
        let data = view.buf.get().cast::<u8>();
        let len = view.len.get().max(0) as usize;
        let bytes = if len == 0 {
            Vec::new()
        } else {
            std::slice::from_raw_parts(data, len).to_vec()
        };
        if let Some(release) = procs.bf_releasebuffer.get() {
            release(object.as_ptr(), (&raw const view).cast_mut());
        }
        drop(Ref::from_owned_opt(view.obj.get()));
        Ok(Some(bytes))
    }
}
