//! Rust results, errors and panics -> what C expects: `IntoPy`, the `boundary_*` functions, rows of method tables.

use crate::memory::Visitor;
use crate::prelude::*;
use std::any::Any;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

/// A Rust value that a native function can return as an object.
pub trait IntoPy {
    fn into_py(self) -> PyResult;
}

impl<T: TypedObject> IntoPy for Ref<T> {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(self.into_object())
    }
}

impl<T: TypedObject> IntoPy for &T {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(self.as_object().to_ref())
    }
}

impl<T: IntoPy> IntoPy for PyResult<T> {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        self?.into_py()
    }
}

/// `None` is `None`.
impl<T: IntoPy> IntoPy for Option<T> {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        match self {
            Some(value) => value.into_py(),
            None => Ok(none_ref()),
        }
    }
}

impl IntoPy for () {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(none_ref())
    }
}

impl IntoPy for bool {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(py_bool(self))
    }
}

macro_rules! integers {
    ($($constructor:ident as $wide:ty: $($ty:ty)+;)+) => {$($(
        impl IntoPy for $ty {
            #[inline(always)]
            fn into_py(self) -> PyResult {
                Ok(PyLongObject::$constructor(self as $wide).into_object())
            }
        }
    )+)+};
}

integers! {
    from_i64 as i64: i8 i16 i32 i64 isize u8 u16 u32;
    from_u64 as u64: u64 usize;
}

impl IntoPy for f64 {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(PyFloatObject::from_f64(self).into_object())
    }
}

impl IntoPy for &str {
    #[inline]
    fn into_py(self) -> PyResult {
        Ok(PyUnicodeObject::from_str(self).into_object())
    }
}

impl IntoPy for String {
    #[inline]
    fn into_py(self) -> PyResult {
        Ok(PyUnicodeObject::from_string(self).into_object())
    }
}

/// The result of an operation that does not know its operands: the `NotImplemented` object.
#[derive(Clone, Copy, Debug)]
pub struct NotImplemented;

impl IntoPy for NotImplemented {
    #[inline(always)]
    fn into_py(self) -> PyResult {
        Ok(not_implemented().to_ref())
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {$(
        /// A tuple of the converted items.
        impl<$($name: IntoPy),+> IntoPy for ($($name,)+) {
            #[allow(non_snake_case)]
            fn into_py(self) -> PyResult {
                let ($($name,)+) = self;
                Ok(PyTupleObject::from_vec(vec![$($name.into_py()?),+]).into_object())
            }
        }
    )+};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
}

/// A slot's result: plain, or in a `PyResult`.
pub trait Fallible<T> {
    fn into_result(self) -> PyResult<T>;
}

impl<T> Fallible<T> for PyResult<T> {
    #[inline(always)]
    fn into_result(self) -> PyResult<T> {
        self
    }
}

impl<T> Fallible<T> for T {
    #[inline(always)]
    fn into_result(self) -> PyResult<T> {
        Ok(self)
    }
}

/// The result of `tp_iternext`; `None` ends the iteration.
pub trait IntoNext {
    fn into_next(self) -> PyResult<Option<Ref>>;
}

impl<T: IntoPy> IntoNext for Option<T> {
    #[inline(always)]
    fn into_next(self) -> PyResult<Option<Ref>> {
        self.map(IntoPy::into_py).transpose()
    }
}

impl<T: IntoPy> IntoNext for PyResult<Option<T>> {
    #[inline(always)]
    fn into_next(self) -> PyResult<Option<Ref>> {
        self?.into_next()
    }
}

/// The result of `am_send`.
pub enum SendResult {
    Next(Ref),
    Return(Ref),
}

/// Turns a panic into SystemError: it must not unwind into C.
#[cold]
#[inline(never)]
fn panicked(payload: Box<dyn Any + Send>) -> Raised {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "no message",
    };
    raise!(SystemError, "internal error: {message}")
}

/// Runs `f`; a panic is an error.
#[inline(always)]
pub fn catch<T>(f: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result,
        Err(payload) => Err(panicked(payload)),
    }
}

/// A new reference, or NULL with an exception.
#[inline(always)]
pub fn boundary_obj(f: impl FnOnce() -> PyResult) -> *mut PyObject {
    match catch(f) {
        Ok(object) => object.into_raw(),
        Err(_) => null_mut(),
    }
}

/// A new reference, or NULL at the end of the iteration or with an exception.
#[inline(always)]
pub fn boundary_iternext(f: impl FnOnce() -> PyResult<Option<Ref>>) -> *mut PyObject {
    match catch(f) {
        Ok(Some(object)) => object.into_raw(),
        Ok(None) | Err(_) => null_mut(),
    }
}

/// 0, or -1 with an exception.
#[inline(always)]
pub fn boundary_status(f: impl FnOnce() -> PyResult<()>) -> c_int {
    match catch(f) {
        Ok(()) => 0,
        Err(_) => -1,
    }
}

/// 0 or 1, or -1 with an exception.
#[inline(always)]
pub fn boundary_bool(f: impl FnOnce() -> PyResult<bool>) -> c_int {
    match catch(f) {
        Ok(value) => c_int::from(value),
        Err(_) => -1,
    }
}

/// A length, or -1 with an exception.
#[inline(always)]
pub fn boundary_len(f: impl FnOnce() -> PyResult<usize>) -> isize {
    match catch(f) {
        Ok(len) => len as isize,
        Err(_) => -1,
    }
}

/// A hash, or -1 with an exception; a hash of -1 becomes -2.
#[inline(always)]
pub fn boundary_hash(f: impl FnOnce() -> PyResult<isize>) -> isize {
    match catch(f) {
        Ok(-1) => -2,
        Ok(hash) => hash,
        Err(_) => -1,
    }
}

/// Nothing is returned, so an error is reported as unraisable.
#[inline(always)]
pub fn boundary_void(f: impl FnOnce() -> PyResult<()>) {
    if let Err(raised) = catch(f) {
        crate::error::write_unraisable(raised, None, None);
    }
}

/// A `PYGEN_*` code, with the object through `out`.
///
/// # Safety
/// `out` can be written.
#[inline(always)]
pub unsafe fn boundary_send(out: *mut *mut PyObject, f: impl FnOnce() -> PyResult<SendResult>) -> c_int {
    let (code, object) = match catch(f) {
        Ok(SendResult::Next(object)) => (PYGEN_NEXT, object.into_raw()),
        Ok(SendResult::Return(object)) => (PYGEN_RETURN, object.into_raw()),
        Err(_) => (PYGEN_ERROR, null_mut()),
    };
    // SAFETY: the caller's contract.
    unsafe { out.write(object) };
    code
}

/// The comparison that `tp_richcompare` is asked for.
#[inline(always)]
pub fn compare_op(op: c_int) -> PyResult<CompareOp> {
    CompareOp::from_c(op).ok_or_else(|| raise!(SystemError, "bad comparison operator {op}"))
}

/// The visitor of `tp_traverse`.
#[inline(always)]
pub fn visitor(visit: visitproc, arg: *mut c_void) -> Visitor {
    Visitor { visit, arg }
}

/// The value for a setter that cannot delete.
#[inline]
pub fn setter_value<'a>(value: Option<&'a PyObject>, name: &str) -> PyResult<&'a PyObject> {
    value.ok_or_else(|| raise!(TypeError, "cannot delete attribute '{name}'"))
}

/// A row for a function without arguments.
pub const fn method_def_noargs(
    name: &'static CStr,
    meth: PyCFunction,
    flags: c_int,
    doc: &'static CStr,
) -> PyMethodDef {
    PyMethodDef::new(name.as_ptr(), meth, flags | METH_NOARGS, doc.as_ptr())
}

/// A row for a function with exactly one positional argument.
pub const fn method_def_o(
    name: &'static CStr,
    meth: PyCFunction,
    flags: c_int,
    doc: &'static CStr,
) -> PyMethodDef {
    PyMethodDef::new(name.as_ptr(), meth, flags | METH_O, doc.as_ptr())
}

/// A row for a function with positional arguments.
pub const fn method_def_fastcall(
    name: &'static CStr,
    meth: PyCFunctionFast,
    flags: c_int,
    doc: &'static CStr,
) -> PyMethodDef {
    PyMethodDef::fastcall(name.as_ptr(), meth, flags, doc.as_ptr())
}

/// A row for a function with positional and keyword arguments.
pub const fn method_def_fastcall_keywords(
    name: &'static CStr,
    meth: PyCFunctionFastWithKeywords,
    flags: c_int,
    doc: &'static CStr,
) -> PyMethodDef {
    PyMethodDef::fastcall_keywords(name.as_ptr(), meth, flags, doc.as_ptr())
}

/// A row for a method that is given the class that defines it.
pub const fn method_def_method(
    name: &'static CStr,
    meth: PyCMethod,
    flags: c_int,
    doc: &'static CStr,
) -> PyMethodDef {
    PyMethodDef::method(name.as_ptr(), meth, flags, doc.as_ptr())
}
