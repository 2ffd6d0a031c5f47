//! UTF-8.

#![allow(clippy::useless_conversion)] // code per kind

use super::errors::{DecodeErrors, EncodeErrors, Replacement};
use super::{Decoded, Step, decode_each};
use crate::objects::unicodeobject::push_wtf8;
use crate::per_kind;
use crate::prelude::*;

const NO_SURROGATES: &str = "surrogates not allowed";

pub fn encode(text: &PyUnicodeObject, errors: &str) -> PyResult<Ref<PyBytesObject>> {
    if let Some(ascii) = text.ascii_str() {
        return Ok(PyBytesObject::from_slice(ascii.as_bytes()));
    }
    if !text._base.utf8.get().is_null()
        && let Some(cached) = text.as_str()
    {
        return Ok(PyBytesObject::from_slice(cached.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(text.len() * 2);
    let mut place = 0;
    let mut handling: Option<EncodeErrors<'_>> = None;
    let is_surrogate = |code: u32| (0xD800..0xE000).contains(&code);
    loop {
        let stop = per_kind!(text.data(), units => {
            let rest = &units[place..];
            let mut n_done = rest.len();
            for (idx, &unit) in rest.iter().enumerate() {
                let code: u32 = unit.into();
                if is_surrogate(code) {
                    n_done = idx;
                    break;
                }
                push_wtf8(&mut bytes, code);
            }
            place + n_done
        });
        if stop == text.len() {
            return Ok(PyBytesObject::from_slice(&bytes));
        }
        let n_bad = text
            .code_points()
            .skip(stop)
            .take_while(|&code| is_surrogate(code))
            .count();
        let errors = handling.get_or_insert_with(|| EncodeErrors::new("utf-8", text, errors));
        let (replacement, next) = errors.handle(stop, stop + n_bad, NO_SURROGATES)?;
        match replacement {
            Replacement::Bytes(replacement) => bytes.extend_from_slice(&replacement),
            Replacement::Text(replacement) => match replacement.ascii_str() {
                Some(ascii) => bytes.extend_from_slice(ascii.as_bytes()),
                None => return Err(errors.raise(stop, stop + n_bad, NO_SURROGATES)),
            },
        }
        place = next;
    }
}

pub fn decode(bytes: &[u8], errors: &str, is_final: bool) -> PyResult<Decoded> {
    if bytes.is_ascii() {
        return Ok((PyUnicodeObject::from_ascii(bytes), bytes.len()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((PyUnicodeObject::from_str(text), bytes.len()));
    }
    decode_each(
        DecodeErrors::new("utf-8", bytes, errors),
        is_final,
        0,
        |bytes, at, writer| {
            let (valid, wrong) = match std::str::from_utf8(&bytes[at..]) {
                Ok(text) => (text.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            // SAFETY: valid up to there, as was just said.
            writer.push_str(unsafe { std::str::from_utf8_unchecked(&bytes[at..at + valid]) });
            let start = at + valid;
            match wrong {
                None => Step::Next(start),
                // A surrogate may be about to be whole, for handlers that take it.
                _ if !is_final && matches!(bytes[start..], [0xED, 0xA0..=0xBF]) => {
                    Step::Incomplete(start, "")
                }
                Some(None) => Step::Incomplete(start, "unexpected end of data"),
                Some(Some(n_bad)) => {
                    let is_start = matches!(bytes[start], 0xC2..=0xF4);
                    let reason = if is_start {
                        "invalid continuation byte"
                    } else {
                        "invalid start byte"
                    };
                    Step::Wrong(start, start + n_bad, reason)
                }
            }
        },
    )
}
