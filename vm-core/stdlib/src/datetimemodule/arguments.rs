//! Arguments as CPython's own parsers take them: binding by name, C ints, time zones.

use super::zone::TzInfo;
use adder_runtime::args::Signature;
use adder_runtime::prelude::*;
use std::ptr::null_mut;

/// Parameters, of which the first `n_pos` can be given by position and the first `n_required` must be given.
pub const fn signature(
    name: &'static str,
    params: &'static [&'static str],
    n_pos: usize,
    n_required: usize,
) -> Signature {
    Signature {
        name,
        params,
        n_posonly: 0,
        n_pos,
        n_required,
        required: (1 << n_required) - 1,
        varargs: false,
        varkw: false,
    }
}

/// The arguments of `tp_new`.
pub fn bind<'a, const N: usize>(
    signature: &Signature,
    args: &'a PyTupleObject,
    kwargs: Option<&'a PyDictObject>,
) -> PyResult<[Option<&'a PyObject>; N]> {
    let mut slots = [None; N];
    let kwargs = kwargs.map_or(null_mut(), |kwargs| kwargs.as_object().as_ptr());
    // SAFETY: a tuple and a dict that live during 'a.
    unsafe { signature.bind_tuple(args.as_object().as_ptr(), kwargs, &mut slots)? };
    Ok(slots)
}

/// The arguments of a vectorcall: the values of `kwnames` follow `args` in memory, as they do for every native function.
pub fn bind_vector<'a, const N: usize>(
    signature: &Signature,
    args: &'a [&'a PyObject],
    kwnames: Option<&'a PyTupleObject>,
) -> PyResult<[Option<&'a PyObject>; N]> {
    let mut slots = [None; N];
    let kwnames = kwnames.map_or(null_mut(), |names| names.as_object().as_ptr());
    // SAFETY: the vectorcall protocol; a reference is a pointer in memory.
    unsafe {
        let values = args.as_ptr().cast::<*mut PyObject>();
        signature.bind_vectorcall(values, args.len() as isize, kwnames, &mut slots)?;
    }
    Ok(slots)
}

/// Arguments by position only, all of them needed.
pub fn exactly<'a, const N: usize>(name: &str, args: &[&'a PyObject]) -> PyResult<[&'a PyObject; N]> {
    <[&PyObject; N]>::try_from(args).map_err(|_| {
        let s = if N == 1 { "" } else { "s" };
        raise!(
            TypeError,
            "{name}() takes exactly {N} argument{s} ({} given)",
            args.len()
        )
    })
}

/// What CPython calls "U": a str.
pub fn text<'a>(name: &str, position: usize, object: &'a PyObject) -> PyResult<&'a PyUnicodeObject> {
    object
        .downcast()
        .ok_or_else(|| wrong_type(name, position, "str", object))
}

#[cold]
pub fn wrong_type(name: &str, position: usize, expected: &str, object: &PyObject) -> Raised {
    let found = if is_none(object) { "None" } else { object.ty().full_name() };
    raise!(
        TypeError,
        "{name}() argument {position} must be {expected}, not {found}"
    )
}

/// What CPython calls "i": a C int.
pub fn c_int_of(object: &PyObject) -> PyResult<i32> {
    if let Some(number) = object.downcast_exact::<PyLongObject>()
        && number.is_compact()
        && let Ok(number) = i32::try_from(number.compact_value())
    {
        return Ok(number);
    }
    let number = object.index_subclass()?;
    match number.as_i64_and_overflow() {
        (value, 0) => match i32::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) if value < 0 => Err(raise!(OverflowError, "signed integer is less than minimum")),
            Err(_) => Err(raise!(OverflowError, "signed integer is greater than maximum")),
        },
        _ => Err(raise!(
            OverflowError,
            "Python int too large to convert to C long"
        )),
    }
}

/// A C int, or a default where nothing was given.
pub fn c_int_or(object: Option<&PyObject>, default: i32) -> PyResult<i32> {
    object.map_or(Ok(default), c_int_of)
}

/// A time zone; None is none.
pub fn zone_of(object: Option<&PyObject>) -> PyResult<Option<&PyObject>> {
    match object.filter(|object| !is_none(object)) {
        Some(zone) if zone.downcast::<TzInfo>().is_none() => Err(raise!(
            TypeError,
            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
            zone.ty().full_name()
        )),
        zone => Ok(zone),
    }
}

/// The bytes of a pickled state: `bytes`, or the latin-1 text that Python 2 wrote and `encoding='latin1'` has read.
pub fn state_bytes<const N: usize>(
    object: &PyObject,
    class_name: &str,
    is_state: impl Fn(u8) -> bool,
    sign: usize,
) -> PyResult<Option<[u8; N]>> {
    if let Some(bytes) = object.downcast::<PyBytesObject>() {
        let bytes = <[u8; N]>::try_from(bytes.as_bytes()).ok();
        return Ok(bytes.filter(|bytes| is_state(bytes[sign])));
    }
    let Some(text) = object.downcast::<PyUnicodeObject>() else {
        return Ok(None);
    };
    if text.len() != N || !u8::try_from(text.char_at(sign)).is_ok_and(is_state) {
        return Ok(None);
    }
    let Some(bytes) = text.latin1() else {
        return Err(raise!(
            ValueError,
            "Failed to encode latin1 string when unpickling a {class_name} object. pickle.load(data, encoding='latin1') is assumed."
        ));
    };
    Ok(<[u8; N]>::try_from(bytes).ok())
}

/// The `tzinfo` of a pickled state.
pub fn state_zone(object: Option<&PyObject>) -> PyResult<Option<&PyObject>> {
    let zone = object.filter(|object| !is_none(object));
    match zone {
        Some(zone) if zone.downcast::<TzInfo>().is_none() => Err(raise!(TypeError, "bad tzinfo state arg")),
        zone => Ok(zone),
    }
}
