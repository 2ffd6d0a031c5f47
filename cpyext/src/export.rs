//! The boundary: C arguments -> Rust types -> `PyResult` -> C's error convention, with panics turned into SystemError.
//!
//! `capi! { fn PyObject_GetAttr(object: &PyObject, name: &PyObject) -> PyResult { … } }` declares an exported function. Its Rust types
//! state the manual's contract: `&T` is a borrowed argument, `Ref` a stolen one, `Option` may be NULL; the result is a new reference
//! (`PyResult`), a borrowed one (`PyResult<Borrowed>`), a status (`PyResult<()>`: 0 or -1), a truth value (`PyResult<bool>`: 1, 0, -1),
//! a number (-1 on error) or, without `PyResult`, a value that cannot fail. `tests/exports.rs` reads these declarations.

use adder_runtime::prelude::*;
use std::any::Any;
use std::ffi::{CStr, c_double, c_longlong, c_short, c_uchar, c_ulonglong, c_ushort};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A type that stands for an argument that C gives.
pub trait CArg: Sized {
    type C;
    /// # Safety
    /// `value` keeps the manual's contract for this kind of argument.
    unsafe fn from_c(value: Self::C) -> PyResult<Self>;
    /// Called for all arguments before any is converted: a place for a result holds its error value when another argument fails.
    ///
    /// # Safety
    /// As `from_c`.
    #[inline(always)]
    unsafe fn reset(_value: &Self::C) {}
}

/// A place for an object, which holds NULL until something is given. It may itself be NULL when the manual says so.
#[derive(Clone, Copy)]
pub struct OutRef(pub *mut *mut PyObject);

impl CArg for OutRef {
    type C = *mut *mut PyObject;
    #[inline(always)]
    unsafe fn from_c(value: Self::C) -> PyResult<OutRef> {
        Ok(OutRef(value))
    }
    #[inline(always)]
    unsafe fn reset(value: &Self::C) {
        if !value.is_null() {
            // SAFETY: C gives a place.
            unsafe { **value = std::ptr::null_mut() };
        }
    }
}

/// A place for a number, which holds `INITIAL` until something is given.
#[derive(Clone, Copy)]
pub struct OutNumber<T, const INITIAL: i8>(pub *mut T);

impl<T: From<i8>, const INITIAL: i8> CArg for OutNumber<T, INITIAL> {
    type C = *mut T;
    #[inline(always)]
    unsafe fn from_c(value: Self::C) -> PyResult<Self> {
        Ok(OutNumber(value))
    }
    #[inline(always)]
    unsafe fn reset(value: &Self::C) {
        if !value.is_null() {
            // SAFETY: C gives a place.
            unsafe { **value = T::from(INITIAL) };
        }
    }
}

/// A result as C sees it.
pub trait CReturn {
    type C;
    fn into_c(self, function: &'static str) -> Self::C;
    /// What C gets when `raised` is set.
    fn raised(raised: Raised, function: &'static str) -> Self::C;
}

/// A value that has a C form and an error value.
pub trait CValue {
    type C;
    const ERROR: Self::C;
    fn into_c(self) -> Self::C;
}

impl<T: CValue> CReturn for PyResult<T> {
    type C = T::C;
    #[inline(always)]
    fn into_c(self, _function: &'static str) -> T::C {
        match self {
            Ok(value) => value.into_c(),
            Err(_) => T::ERROR,
        }
    }
    #[inline(always)]
    fn raised(_raised: Raised, _function: &'static str) -> T::C {
        T::ERROR
    }
}

impl<T: CValue> CReturn for T {
    type C = T::C;
    #[inline(always)]
    fn into_c(self, _function: &'static str) -> T::C {
        CValue::into_c(self)
    }
    fn raised(_raised: Raised, _function: &'static str) -> T::C {
        T::ERROR
    }
}

/// The answer of a function that has no way to say that it failed: an error goes to `sys.unraisablehook`, and C
/// gets the answer for "not found".
pub struct Reported<T>(pub PyResult<T>);

/// A value of [`Reported`].
pub trait Answer: CValue {
    const NOT_FOUND: Self::C;
}
impl Answer for bool {
    const NOT_FOUND: c_int = 0;
}
impl Answer for Borrowed {
    const NOT_FOUND: *mut PyObject = std::ptr::null_mut();
}

impl<T: Answer> CReturn for Reported<T> {
    type C = T::C;
    #[inline(always)]
    fn into_c(self, function: &'static str) -> T::C {
        match self.0 {
            Ok(value) => value.into_c(),
            Err(raised) => Self::raised(raised, function),
        }
    }
    #[cold]
    fn raised(raised: Raised, function: &'static str) -> T::C {
        let instead = match function {
            "PyDict_GetItem" => "; consider using PyDict_GetItemRef() or PyDict_GetItemWithError()",
            "PyDict_GetItemString" => "; consider using PyDict_GetItemStringRef()",
            "PyObject_HasAttr" => {
                "; consider using PyObject_HasAttrWithError(), PyObject_GetOptionalAttr() or PyObject_GetAttr()"
            }
            "PyObject_HasAttrString" => {
                "; consider using PyObject_HasAttrStringWithError(), PyObject_GetOptionalAttrString() or \
                 PyObject_GetAttrString()"
            }
            "PyMapping_HasKey" => {
                "; consider using PyMapping_HasKeyWithError(), PyMapping_GetOptionalItem() or PyObject_GetItem()"
            }
            "PyMapping_HasKeyString" => {
                "; consider using PyMapping_HasKeyStringWithError(), PyMapping_GetOptionalItemString() or \
                 PyMapping_GetItemString()"
            }
            _ => "",
        };
        let message = format!("Exception ignored in {function}(){instead}");
        adder_runtime::error::write_unraisable(raised, Some(&message), None);
        T::NOT_FOUND
    }
}

/// A borrowed reference given to C: somebody else owns the object.
pub struct Borrowed(pub *mut PyObject);

impl From<&PyObject> for Borrowed {
    fn from(object: &PyObject) -> Borrowed {
        Borrowed(object.as_ptr())
    }
}

macro_rules! plain_values {
    ($($ty:ty = $error:expr;)*) => {$(
        impl CValue for $ty {
            type C = $ty;
            const ERROR: $ty = $error;
            #[inline(always)]
            fn into_c(self) -> $ty { self }
        }
        impl CArg for $ty {
            type C = $ty;
            #[inline(always)]
            unsafe fn from_c(value: $ty) -> PyResult<$ty> { Ok(value) }
        }
    )*};
}

plain_values! {
    isize = -1;
    usize = usize::MAX;
    i8 = -1;
    c_uchar = u8::MAX;
    c_short = -1;
    c_ushort = u16::MAX;
    c_int = -1;
    c_uint = u32::MAX;
    c_longlong = -1;
    c_ulonglong = u64::MAX;
    c_double = -1.0;
    f32 = -1.0;
}

impl CValue for () {
    type C = c_int;
    const ERROR: c_int = -1;
    #[inline(always)]
    fn into_c(self) -> c_int {
        0
    }
}
impl CValue for bool {
    type C = c_int;
    const ERROR: c_int = -1;
    #[inline(always)]
    fn into_c(self) -> c_int {
        c_int::from(self)
    }
}
impl<T> CValue for Ref<T> {
    type C = *mut T;
    const ERROR: *mut T = std::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut T {
        self.into_raw()
    }
}
/// NULL without an exception for `None`.
impl<T> CValue for Option<Ref<T>> {
    type C = *mut T;
    const ERROR: *mut T = std::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut T {
        self.map_or(std::ptr::null_mut(), Ref::into_raw)
    }
}
impl CValue for Borrowed {
    type C = *mut PyObject;
    const ERROR: *mut PyObject = std::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut PyObject {
        self.0
    }
}
impl<T> CValue for *mut T {
    type C = *mut T;
    const ERROR: *mut T = std::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut T {
        self
    }
}
impl<T> CValue for *const T {
    type C = *const T;
    const ERROR: *const T = std::ptr::null();
    #[inline(always)]
    fn into_c(self) -> *const T {
        self
    }
}
/// A C function that returns nothing: what it could not do is reported as unraisable.
pub struct Void;
impl CValue for Void {
    type C = ();
    const ERROR: () = ();
    fn into_c(self) {}
}

#[cold]
#[inline(never)]
fn null_argument() -> Raised {
    if adder_runtime::error::occurred() {
        return Raised::assume();
    }
    raise!(SystemError, "null argument to internal routine")
}

/// PyErr_BadInternalCall.
#[cold]
#[inline(never)]
pub fn bad_internal_call() -> Raised {
    raise!(SystemError, "bad argument to internal function")
}

impl<'a> CArg for &'a PyObject {
    type C = *mut PyObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyObject) -> PyResult<&'a PyObject> {
        // SAFETY: C gives a live object or NULL.
        unsafe { value.as_ref() }.ok_or_else(null_argument)
    }
}
impl CArg for Option<&PyObject> {
    type C = *mut PyObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyObject) -> PyResult<Self> {
        // SAFETY: C gives a live object or NULL.
        Ok(unsafe { value.as_ref() })
    }
}
impl CArg for &PyTypeObject {
    type C = *mut PyTypeObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyTypeObject) -> PyResult<Self> {
        // SAFETY: C gives a live type or NULL.
        unsafe { value.as_ref() }.ok_or_else(null_argument)
    }
}
impl CArg for Option<&PyTypeObject> {
    type C = *mut PyTypeObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyTypeObject) -> PyResult<Self> {
        // SAFETY: C gives a live type or NULL.
        Ok(unsafe { value.as_ref() })
    }
}
/// A stolen reference.
impl CArg for Ref {
    type C = *mut PyObject;
    unsafe fn from_c(value: *mut PyObject) -> PyResult<Ref> {
        // SAFETY: C gives its count away.
        unsafe { Ref::from_owned_opt(value) }.ok_or_else(null_argument)
    }
}
impl CArg for Option<Ref> {
    type C = *mut PyObject;
    unsafe fn from_c(value: *mut PyObject) -> PyResult<Self> {
        // SAFETY: C gives its count away.
        Ok(unsafe { Ref::from_owned_opt(value) })
    }
}
impl<T> CArg for *mut T {
    type C = *mut T;
    #[inline(always)]
    unsafe fn from_c(value: *mut T) -> PyResult<Self> {
        Ok(value)
    }
}
impl<T> CArg for *const T {
    type C = *const T;
    #[inline(always)]
    unsafe fn from_c(value: *const T) -> PyResult<Self> {
        Ok(value)
    }
}
impl CArg for &CStr {
    type C = *const c_char;
    unsafe fn from_c(value: *const c_char) -> PyResult<Self> {
        if value.is_null() {
            return Err(null_argument());
        }
        // SAFETY: C gives a terminated string.
        Ok(unsafe { CStr::from_ptr(value) })
    }
}
impl CArg for Option<&CStr> {
    type C = *const c_char;
    unsafe fn from_c(value: *const c_char) -> PyResult<Self> {
        // SAFETY: C gives a terminated string or NULL.
        Ok((!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }))
    }
}

/// A C string that names an attribute, key or module: an interned str.
pub struct Name(pub Ref<PyUnicodeObject>);
impl std::ops::Deref for Name {
    type Target = PyUnicodeObject;
    fn deref(&self) -> &PyUnicodeObject {
        &self.0
    }
}
impl CArg for Name {
    type C = *const c_char;
    unsafe fn from_c(value: *const c_char) -> PyResult<Self> {
        // SAFETY: C gives a terminated string or NULL.
        let text = unsafe { <&CStr>::from_c(value)? };
        Ok(Name(PyUnicodeObject::intern(str_from_c(text)?)))
    }
}

/// Arguments whose type the function checks itself: another type is a bad internal call.
macro_rules! checked_arguments {
    ($($ty:ty),*) => {$(
        impl<'a> CArg for &'a $ty {
            type C = *mut PyObject;
            #[inline(always)]
            unsafe fn from_c(value: *mut PyObject) -> PyResult<Self> {
                // SAFETY: C gives a live object or NULL.
                match unsafe { value.as_ref() }.and_then(PyObject::downcast::<$ty>) {
                    Some(object) => Ok(object),
                    None => Err(bad_internal_call()),
                }
            }
        }
    )*};
}
checked_arguments!(PyListObject, PyTupleObject, PyDictObject, PyBaseExceptionObject);

/// A str argument: another type is a TypeError, as in unicodeobject.c.
impl CArg for &PyUnicodeObject {
    type C = *mut PyObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyObject) -> PyResult<Self> {
        // SAFETY: C gives a live object or NULL.
        match unsafe { value.as_ref() }.and_then(PyObject::downcast::<PyUnicodeObject>) {
            Some(object) => Ok(object),
            None => Err(raise!(TypeError, "bad argument type for built-in operation")),
        }
    }
}

/// The name of an attribute.
pub struct AttrName<'a>(&'a PyUnicodeObject);

impl std::ops::Deref for AttrName<'_> {
    type Target = PyUnicodeObject;
    fn deref(&self) -> &PyUnicodeObject {
        self.0
    }
}

impl CArg for AttrName<'_> {
    type C = *mut PyObject;
    #[inline(always)]
    unsafe fn from_c(value: *mut PyObject) -> PyResult<Self> {
        // SAFETY: C gives a live object or NULL.
        let name = unsafe { value.as_ref() }.ok_or_else(null_argument)?;
        name.downcast::<PyUnicodeObject>().map(AttrName).ok_or_else(|| {
            raise!(
                TypeError,
                "attribute name must be string, not '{}'",
                name.ty().name()
            )
        })
    }
}

/// The str that a C string spells in UTF-8.
pub fn str_from_c(text: &CStr) -> PyResult<Ref<PyUnicodeObject>> {
    str_from_utf8(text.to_bytes())
}

/// The str that UTF-8 bytes spell; UnicodeDecodeError when they do not.
pub fn str_from_utf8(bytes: &[u8]) -> PyResult<Ref<PyUnicodeObject>> {
    if bytes.is_ascii() {
        return Ok(PyUnicodeObject::from_ascii(bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyUnicodeObject::from_str(text)),
        Err(_) => {
            let encoded = PyBytesObject::from_slice(bytes);
            let decoded = encoded.as_object().call_method(identifier!("decode"), &[])?;
            expect_str(decoded)
        }
    }
}

/// A result that must be a str.
pub fn expect_str(object: Ref) -> PyResult<Ref<PyUnicodeObject>> {
    object
        .downcast::<PyUnicodeObject>()
        .map_err(|other| raise!(TypeError, "expected str, not {}", other.ty().name()))
}

/// An argument as a `T`; `None` for NULL and for other types.
///
/// # Safety
/// `object` is live or NULL.
#[inline(always)]
pub unsafe fn given<'a, T: TypedObject>(object: *mut PyObject) -> Option<&'a T> {
    // SAFETY: the caller's contract.
    unsafe { object.as_ref() }?.downcast::<T>()
}

/// The object behind a pointer that may be NULL.
///
/// # Safety
/// `object` is a live object or NULL.
#[inline(always)]
pub unsafe fn opt<'a>(object: *mut PyObject) -> Option<&'a PyObject> {
    // SAFETY: the caller's contract.
    unsafe { object.as_ref() }
}

/// Stores a result through an out-pointer.
///
/// # Safety
/// `place` may be written.
#[inline(always)]
pub unsafe fn put<T>(place: *mut T, value: T) {
    // SAFETY: the caller's contract.
    unsafe { std::ptr::write(place, value) }
}

/// Runs the body of an exported function: a panic becomes a SystemError.
#[inline(always)]
pub fn export<R: CReturn>(name: &'static str, body: impl FnOnce() -> PyResult<R>) -> R::C {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(result)) => result.into_c(name),
        Ok(Err(raised)) => R::raised(raised, name),
        Err(panic) => R::raised(raise_panic(name, panic), name),
    }
}

#[cold]
fn raise_panic(name: &str, panic: Box<dyn Any + Send>) -> Raised {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_string());
    raise!(SystemError, "{name}: internal error: {message}")
}

/// Declares exported functions; see the head of this file.
///
/// `fn name(…) -> R => { fast } else { body }`: `fast` sees C's arguments as they are and answers what is common with C's result, or
/// `None`. It must not panic. What it calls last is a jump, as is what leads to the body, so that it needs no frame of its own.
#[macro_export]
macro_rules! capi {
    ($(
        $(#[$attr:meta])*
        fn $name:ident($($arg:ident : $ty:ty),* $(,)?) -> $ret:ty $(=> $fast:block else)? $body:block
    )*) => {$(
        $crate::capi_function! { [$($fast)?] $(#[$attr])* fn $name($($arg: $ty),*) -> $ret $body }
    )*};
}

/// One function of `capi!`.
#[doc(hidden)]
#[macro_export]
macro_rules! capi_function {
    (
        [] $(#[$attr:meta])* fn $name:ident($($arg:ident : $ty:ty),*) -> $ret:ty $body:block
    ) => {
        $(#[$attr])*
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            $($arg: <$ty as $crate::export::CArg>::C),*
        ) -> <$ret as $crate::export::CReturn>::C {
            $crate::export_body! { $name($($arg: $ty),*) -> $ret $body }
        }
    };
    (
        [$fast:block] $(#[$attr:meta])* fn $name:ident($($arg:ident : $ty:ty),*) -> $ret:ty $body:block
    ) => {
        $(#[$attr])*
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            $($arg: <$ty as $crate::export::CArg>::C),*
        ) -> <$ret as $crate::export::CReturn>::C {
            #[inline(never)]
            unsafe extern "C" fn general(
                $($arg: <$ty as $crate::export::CArg>::C),*
            ) -> <$ret as $crate::export::CReturn>::C {
                $crate::export_body! { $name($($arg: $ty),*) -> $ret $body }
            }
            let fast = || -> Option<<$ret as $crate::export::CReturn>::C> { $fast };
            match fast() {
                Some(result) => result,
                // SAFETY: the same arguments under the same contract.
                None => unsafe { general($($arg),*) },
            }
        }
    };
}

/// The body of one function of `capi!`, with its arguments converted.
#[doc(hidden)]
#[macro_export]
macro_rules! export_body {
    ($name:ident($($arg:ident : $ty:ty),*) -> $ret:ty $body:block) => {
        $crate::export::export::<$ret>(stringify!($name), || {
            $(
                // SAFETY: as below.
                unsafe { <$ty as $crate::export::CArg>::reset(&$arg) };
            )*
            $(
                // SAFETY: C keeps the manual's contract for this argument.
                let $arg: $ty = unsafe { <$ty as $crate::export::CArg>::from_c($arg)? };
            )*
            let run = || -> $ret { $body };
            Ok(run())
        })
    };
}
