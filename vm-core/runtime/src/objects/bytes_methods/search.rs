//! `find`, `count`, `startswith`, `split`, `strip`, `replace`, `partition` of bytes.

use super::{ByteString, byte_value, is_space, part};
use crate::objects::buffer::{BytesArg, has_buffer};
use crate::objects::slice_args::bounds;
use crate::objects::stringlib::{self, adjust_indices};
use crate::prelude::*;

pub use crate::objects::unicodeobject::search::End;

/// What is looked for: one byte given as an integer, or a run of bytes.
pub(super) enum Wanted<'a> {
    Byte([u8; 1]),
    Run(BytesArg<'a>),
}

impl<'a> Wanted<'a> {
    fn of(arg: &'a PyObject) -> PyResult<Wanted<'a>> {
        if let Some(bytes) = arg.downcast_exact::<PyBytesObject>() {
            return Ok(Wanted::Run(BytesArg::Bytes(bytes)));
        }
        if has_buffer(arg) {
            return Ok(Wanted::Run(BytesArg::of(arg)?));
        }
        if arg.has_index() {
            return Ok(Wanted::Byte([byte_value(arg, "byte must be in range(0, 256)")?]));
        }
        Err(raise!(
            TypeError,
            "argument should be integer or bytes-like object, not '{}'",
            arg.ty().full_name()
        ))
    }
    fn as_bytes(&self) -> &[u8] {
        match self {
            Wanted::Byte(byte) => byte,
            Wanted::Run(run) => run.as_bytes(),
        }
    }
}

pub(super) fn find<T: ByteString>(
    this: &T,
    sub: &PyObject,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
    which: End,
) -> PyResult<Option<usize>> {
    let _held = this.hold();
    let (start, end) = bounds(start, end)?;
    let wanted = Wanted::of(sub)?;
    let (bytes, wanted) = (this.bytes(), wanted.as_bytes());
    let (start, end) = adjust_indices(start, end, bytes.len());
    if end < start || end - start < wanted.len() as isize {
        return Ok(None);
    }
    let (start, end) = (start as usize, end as usize);
    let found = match which {
        End::First => stringlib::find(&bytes[start..end], wanted),
        End::Last => stringlib::rfind(&bytes[start..end], wanted),
    };
    Ok(found.map(|place| start + place))
}

pub(super) fn index<T: ByteString>(
    this: &T,
    sub: &PyObject,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
    which: End,
) -> PyResult<usize> {
    find(this, sub, start, end, which)?.ok_or_else(|| raise!(ValueError, "subsection not found"))
}

pub(super) fn count<T: ByteString>(
    this: &T,
    sub: &PyObject,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
) -> PyResult<usize> {
    let _held = this.hold();
    let (start, end) = bounds(start, end)?;
    let wanted = Wanted::of(sub)?;
    let (bytes, wanted) = (this.bytes(), wanted.as_bytes());
    let (start, end) = adjust_indices(start, end, bytes.len());
    if end < start || end - start < wanted.len() as isize {
        return Ok(0);
    }
    Ok(stringlib::count(
        &bytes[start as usize..end as usize],
        wanted,
        usize::MAX,
    ))
}

pub(super) fn affix_test<T: ByteString>(
    this: &T,
    affix: &PyObject,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
    which: End,
) -> PyResult<bool> {
    let _held = this.hold();
    let (start, end) = bounds(start, end)?;
    let matches = |affix: &PyObject| -> PyResult<bool> {
        let affix = BytesArg::of(affix)?;
        let (bytes, affix) = (this.bytes(), affix.as_bytes());
        let (start, end) = adjust_indices(start, end, bytes.len());
        if end - start < affix.len() as isize {
            return Ok(false);
        }
        let range = &bytes[start as usize..end as usize];
        Ok(if which == End::First {
            range.starts_with(affix)
        } else {
            range.ends_with(affix)
        })
    };
    if let Some(affixes) = affix.downcast::<PyTupleObject>() {
        for affix in affixes.as_slice() {
            if matches(affix)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if !has_buffer(affix) {
        let method = if which == End::First {
            "startswith"
        } else {
            "endswith"
        };
        let ty = affix.ty().full_name();
        return Err(raise!(
            TypeError,
            "{method} first arg must be bytes or a tuple of bytes, not {ty}"
        ));
    }
    matches(affix)
}

/// `split` and `rsplit`.
pub(super) fn split<T: ByteString>(
    this: &T,
    sep: Option<&PyObject>,
    max_split: isize,
    which: End,
) -> PyResult<Ref<PyListObject>> {
    let _held = this.hold();
    let limit = usize::try_from(max_split).unwrap_or(usize::MAX);
    let separator = sep.filter(|sep| !is_none(sep)).map(BytesArg::of).transpose()?;
    let bytes = this.bytes();
    let mut ranges = Vec::new();
    let mut add = |start, end| ranges.push((start, end));
    match &separator {
        None if which == End::First => stringlib::split_whitespace(bytes, is_space, limit, &mut add),
        None => stringlib::rsplit_whitespace(bytes, is_space, limit, &mut add),
        Some(separator) if separator.as_bytes().is_empty() => {
            return Err(raise!(ValueError, "empty separator"));
        }
        Some(separator) if which == End::First => {
            stringlib::split(bytes, separator.as_bytes(), limit, &mut add)
        }
        Some(separator) => stringlib::rsplit(bytes, separator.as_bytes(), limit, &mut add),
    }
    if which == End::Last {
        ranges.reverse();
    }
    Ok(list_of(this, &ranges))
}

fn list_of<T: ByteString>(this: &T, ranges: &[(usize, usize)]) -> Ref<PyListObject> {
    PyListObject::from_vec(
        ranges
            .iter()
            .map(|&(start, end)| part(this, start, end).into_object())
            .collect(),
    )
}

pub(super) fn split_lines<T: ByteString>(this: &T, keep_ends: bool) -> Ref<PyListObject> {
    let mut ranges = Vec::new();
    let is_end = |byte| byte == b'\n' || byte == b'\r';
    stringlib::split_lines(this.bytes(), is_end, keep_ends, |start, end| {
        ranges.push((start, end))
    });
    list_of(this, &ranges)
}

pub(super) fn strip<T: ByteString>(
    this: &T,
    chars: Option<&PyObject>,
    left: bool,
    right: bool,
) -> PyResult<Ref<T>> {
    let chars = chars
        .filter(|chars| !is_none(chars))
        .map(BytesArg::of)
        .transpose()?;
    let (start, end) = match &chars {
        None => stringlib::strip(this.bytes(), left, right, is_space),
        Some(chars) => {
            let chars = chars.as_bytes();
            stringlib::strip(this.bytes(), left, right, |byte| {
                memchr::memchr(byte, chars).is_some()
            })
        }
    };
    Ok(part(this, start, end))
}

pub(super) fn replace<T: ByteString>(
    this: &T,
    old: &BytesArg<'_>,
    new: &BytesArg<'_>,
    max_count: isize,
) -> PyResult<Ref<T>> {
    let limit = usize::try_from(max_count).unwrap_or(usize::MAX);
    let (bytes, old, new) = (this.bytes(), old.as_bytes(), new.as_bytes());
    let n_found = if old.len() > bytes.len() {
        0
    } else {
        stringlib::count(bytes, old, limit)
    };
    if n_found == 0 || old == new {
        return Ok(this.whole());
    }
    let n_kept = bytes.len() - n_found * old.len();
    let total = new
        .len()
        .checked_mul(n_found)
        .and_then(|len| len.checked_add(n_kept));
    let Some(total) = total.filter(|len| *len <= isize::MAX as usize) else {
        return Err(raise!(OverflowError, "replace bytes is too long"));
    };
    let mut replaced = Vec::new();
    if replaced.try_reserve_exact(total).is_err() {
        return Err(crate::memory::no_memory());
    }
    if old.is_empty() {
        for (idx, byte) in bytes.iter().enumerate() {
            if idx < n_found {
                replaced.extend_from_slice(new);
            }
            replaced.push(*byte);
        }
        if n_found > bytes.len() {
            replaced.extend_from_slice(new);
        }
        return Ok(T::make(replaced));
    }
    let mut start = 0;
    for place in stringlib::Matches::new(bytes, old).take(n_found) {
        replaced.extend_from_slice(&bytes[start..place]);
        replaced.extend_from_slice(new);
        start = place + old.len();
    }
    replaced.extend_from_slice(&bytes[start..]);
    Ok(T::make(replaced))
}

pub(super) fn partition<T: ByteString>(this: &T, sep: &PyObject, which: End) -> PyResult<Ref<PyTupleObject>> {
    let separator = BytesArg::of(sep)?;
    let bytes = this.bytes();
    if separator.as_bytes().is_empty() {
        return Err(raise!(ValueError, "empty separator"));
    }
    let found = match which {
        End::First => stringlib::find(bytes, separator.as_bytes()),
        End::Last => stringlib::rfind(bytes, separator.as_bytes()),
    };
    let parts = match found {
        Some(place) => {
            let middle = if T::NAME == "bytes" {
                sep.to_ref()
            } else {
                T::make_from(separator.as_bytes()).into_object()
            };
            let after = place + separator.as_bytes().len();
            vec![
                part(this, 0, place).into_object(),
                middle,
                part(this, after, bytes.len()).into_object(),
            ]
        }
        None => {
            let (whole, empty) = (this.whole().into_object(), || T::make_from(&[]).into_object());
            if which == End::First {
                vec![whole, empty(), empty()]
            } else {
                vec![empty(), empty(), whole]
            }
        }
    };
    Ok(PyTupleObject::from_vec(parts))
}

pub(super) fn remove_affix<T: ByteString>(this: &T, affix: &BytesArg<'_>, which: End) -> Ref<T> {
    let (bytes, affix) = (this.bytes(), affix.as_bytes());
    match which {
        End::First if bytes.starts_with(affix) => part(this, affix.len(), bytes.len()),
        End::Last if bytes.ends_with(affix) => part(this, 0, bytes.len() - affix.len()),
        _ => this.whole(),
    }
}
