//! one argument -> a Rust value: `FromArg`, with the conversions and the messages of CPython's argument converters.

use super::Signature;
use crate::prelude::*;

/// A Rust type that a parameter of a native function can have. `signature` and `index` are for messages.
pub trait FromArg<'a>: Sized {
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self>;
}

/// A parameter with a default: `None` when it was not given.
#[inline(always)]
pub fn optional<'a, T: FromArg<'a>>(
    slot: Option<&'a PyObject>,
    signature: &'static Signature,
    index: usize,
) -> PyResult<Option<T>> {
    slot.map(|arg| T::from_arg(arg, signature, index)).transpose()
}

/// A parameter whose default is `None`: giving `None` is the same as not giving it.
#[inline(always)]
pub fn optional_or_none<'a, T: FromArg<'a>>(
    slot: Option<&'a PyObject>,
    signature: &'static Signature,
    index: usize,
) -> PyResult<Option<T>> {
    optional(slot.filter(|arg| !is_none(arg)), signature, index)
}

impl<'a, T: TypedObject> FromArg<'a> for &'a T {
    #[inline(always)]
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        match arg.downcast::<T>() {
            Some(arg) => Ok(arg),
            None => Err(signature.bad_argument(index, T::type_object().full_name(), arg)),
        }
    }
}

impl<'a, T: TypedObject> FromArg<'a> for Ref<T> {
    #[inline(always)]
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        <&T>::from_arg(arg, signature, index).map(TypedObject::to_ref)
    }
}

/// `None` is `None`.
impl<'a, T: FromArg<'a>> FromArg<'a> for Option<T> {
    #[inline(always)]
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        if is_none(arg) {
            Ok(None)
        } else {
            T::from_arg(arg, signature, index).map(Some)
        }
    }
}

impl<'a> FromArg<'a> for bool {
    #[inline]
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        arg.is_true()
    }
}

impl<'a> FromArg<'a> for f64 {
    #[inline]
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        match arg.downcast_exact::<PyFloatObject>() {
            Some(float) => Ok(float.ob_fval.get()),
            None => arg.to_f64(),
        }
    }
}

impl<'a> FromArg<'a> for f32 {
    #[inline]
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        f64::from_arg(arg, signature, index).map(|value| value as f32)
    }
}

impl<'a> FromArg<'a> for &'a str {
    #[inline]
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        let text = <&PyUnicodeObject>::from_arg(arg, signature, index)?.to_str()?;
        if text.contains('\0') {
            return Err(raise!(ValueError, "embedded null character"));
        }
        Ok(text)
    }
}

/// One character, given as a `str` of length 1; surrogates count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePoint(pub u32);

impl<'a> FromArg<'a> for CodePoint {
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        let Some(text) = arg.downcast::<PyUnicodeObject>() else {
            return Err(signature.bad_argument(index, "a unicode character", arg));
        };
        if text.len() == 1 {
            return Ok(CodePoint(text.char_at(0)));
        }
        let (name, argument, len) = (signature.name, signature.describe(index), text.len());
        Err(raise!(
            TypeError,
            "{name}(): {argument} must be a unicode character, not a string of length {len}"
        ))
    }
}

/// A value of a compact exact int, the common case.
#[inline(always)]
fn compact_int(arg: &PyObject) -> Option<isize> {
    arg.downcast_exact::<PyLongObject>()
        .filter(|long| long.is_compact())
        .map(|long| long.compact_value())
}

macro_rules! signed {
    ($($ty:ty, $c_name:literal;)+) => {$(
        impl<'a> FromArg<'a> for $ty {
            #[inline]
            fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
                if let Some(value) = compact_int(arg)
                    && let Ok(value) = <$ty>::try_from(value)
                {
                    return Ok(value);
                }
                let value = arg.index_subclass()?.to_i64();
                value.and_then(|value| <$ty>::try_from(value).ok()).ok_or_else(|| {
                    raise!(OverflowError, concat!("Python int too large to convert to C ", $c_name))
                })
            }
        }
    )+};
}

signed! {
    i32, "int";
    i64, "long";
    isize, "ssize_t";
}

macro_rules! unsigned {
    ($($ty:ty, $c_name:literal;)+) => {$(
        impl<'a> FromArg<'a> for $ty {
            #[inline]
            fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
                if let Some(value) = compact_int(arg)
                    && let Ok(value) = <$ty>::try_from(value)
                {
                    return Ok(value);
                }
                let long = arg.index_subclass()?;
                if long.sign() < 0 {
                    return Err(raise!(ValueError, "Cannot convert negative int"));
                }
                let value = long.to_u64();
                value.and_then(|value| <$ty>::try_from(value).ok()).ok_or_else(|| {
                    raise!(OverflowError, concat!("Python int too large for C ", $c_name))
                })
            }
        }
    )+};
}

unsigned! {
    u16, "unsigned short";
    u32, "unsigned int";
    u64, "unsigned long";
    usize, "size_t";
}

macro_rules! narrow {
    ($($ty:ty, $name:literal;)+) => {$(
        impl<'a> FromArg<'a> for $ty {
            fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
                let value = i64::from_arg(arg, signature, index)?;
                <$ty>::try_from(value).map_err(|_| {
                    if value < 0 {
                        raise!(OverflowError, concat!($name, " integer is less than minimum"))
                    } else {
                        raise!(OverflowError, concat!($name, " integer is greater than maximum"))
                    }
                })
            }
        }
    )+};
}

narrow! {
    u8, "unsigned byte";
    i16, "signed short";
}

/// A list index or a bound of a slice: `None` or an integer, clipped to the range of `isize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceIndex(pub isize);

impl<'a> FromArg<'a> for SliceIndex {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        if let Some(value) = compact_int(arg) {
            return Ok(SliceIndex(value));
        }
        if !arg.has_index() {
            return Err(raise!(
                TypeError,
                "slice indices must be integers or have an __index__ method"
            ));
        }
        arg.to_index_saturating().map(SliceIndex)
    }
}
