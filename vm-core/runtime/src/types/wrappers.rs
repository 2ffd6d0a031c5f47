//! How Python calls a slot: one wrapper a signature, which checks the arguments and calls the C function.

use crate::prelude::*;
use crate::protocol::{from_slot, from_status};

/// Calls the slot function with `self`, the positional arguments and the keywords.
pub type Wrapper = fn(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult;

fn expect(args: &PyTupleObject, kwargs: Option<&PyDictObject>, n: usize) -> PyResult<()> {
    expect_of("", args, kwargs, n)
}

/// As `expect`, for those wrappers whose message names them.
fn expect_of(name: &str, args: &PyTupleObject, kwargs: Option<&PyDictObject>, n: usize) -> PyResult<()> {
    no_keywords(kwargs)?;
    if args.len() != n {
        let plural = if n == 1 { "" } else { "s" };
        let space = if name.is_empty() { "" } else { " " };
        return Err(raise!(
            TypeError,
            "{name}{space}expected {n} argument{plural}, got {}",
            args.len()
        ));
    }
    Ok(())
}

fn no_keywords(kwargs: Option<&PyDictObject>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
        return Err(raise!(TypeError, "wrapper doesn't take keyword arguments"));
    }
    Ok(())
}

/// The slot function with its true signature.
macro_rules! slot {
    ($function:expr, $ty:ty) => {
        // SAFETY: the row of the slot table says that this slot has this signature.
        unsafe { std::mem::transmute::<*const c_void, $ty>($function) }
    };
}

pub fn unary(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, unaryfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr()), "slot") }
}

pub fn next(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, unaryfunc);
    // SAFETY: the slot's own signature.
    match unsafe { Ref::from_owned_opt(function(object.as_ptr())) } {
        Some(item) => Ok(item),
        None if crate::error::occurred() => Err(Raised::assume()),
        None => Err(raise!(StopIteration)),
    }
}

pub fn binary(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let function = slot!(function, binaryfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr(), args.as_slice()[0].as_ptr()), "slot") }
}

pub fn binary_left(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    binary(function, object, args, kwargs)
}

pub fn binary_right(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let function = slot!(function, binaryfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(args.as_slice()[0].as_ptr(), object.as_ptr()), "slot") }
}

fn power_arguments<'a>(
    args: &'a PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult<(&'a PyObject, &'a PyObject)> {
    no_keywords(kwargs)?;
    match args.as_slice() {
        [other] => Ok((other, none())),
        [other, modulus] => Ok((other, modulus)),
        other => Err(raise!(
            TypeError,
            "expected 1 or 2 arguments, got {}",
            other.len()
        )),
    }
}

pub fn power_left(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    let (other, modulus) = power_arguments(args, kwargs)?;
    let function = slot!(function, ternaryfunc);
    // SAFETY: the slot's own signature.
    unsafe {
        from_slot(
            function(object.as_ptr(), other.as_ptr(), modulus.as_ptr()),
            "slot",
        )
    }
}

pub fn power_right(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    let (other, modulus) = power_arguments(args, kwargs)?;
    let function = slot!(function, ternaryfunc);
    // SAFETY: the slot's own signature.
    unsafe {
        from_slot(
            function(other.as_ptr(), object.as_ptr(), modulus.as_ptr()),
            "slot",
        )
    }
}

pub fn inquiry(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, crate::abi::inquiry);
    // SAFETY: the slot's own signature.
    let status = unsafe { function(object.as_ptr()) };
    from_status(status, "slot")?;
    Ok(py_bool(status != 0))
}

pub fn hash(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, hashfunc);
    // SAFETY: the slot's own signature.
    match unsafe { function(object.as_ptr()) } {
        -1 => Err(Raised::from_c("__hash__")),
        hash => Ok(PyLongObject::from_isize(hash).into_object()),
    }
}

pub fn length(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, lenfunc);
    // SAFETY: the slot's own signature.
    match unsafe { function(object.as_ptr()) } {
        length if length < 0 => Err(Raised::from_c("__len__")),
        length => Ok(PyLongObject::from_isize(length).into_object()),
    }
}

pub fn call(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    let function = slot!(function, ternaryfunc);
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr(), args.as_ptr(), kwargs), "__call__") }
}

pub fn richcompare<const OP: c_int>(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let function = slot!(function, richcmpfunc);
    // SAFETY: the slot's own signature.
    unsafe {
        from_slot(
            function(object.as_ptr(), args.as_slice()[0].as_ptr(), OP),
            "comparison",
        )
    }
}

pub fn init(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    let function = slot!(function, initproc);
    let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
    // SAFETY: the slot's own signature.
    let status = unsafe { function(object.as_ptr(), args.as_ptr(), kwargs) };
    from_status(status, "__init__")?;
    Ok(none_ref())
}

pub fn finalize(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 0)?;
    let function = slot!(function, destructor);
    // SAFETY: the slot's own signature.
    unsafe { function(object.as_ptr()) };
    Ok(none_ref())
}

pub fn descr_get(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    no_keywords(kwargs)?;
    let (instance, owner) = match args.as_slice() {
        [instance] => (*instance, none()),
        [instance, owner] => (*instance, *owner),
        [] => return Err(raise!(TypeError, "__get__ expected at least 1 argument, got 0")),
        more => {
            return Err(raise!(
                TypeError,
                "__get__ expected at most 2 arguments, got {}",
                more.len()
            ));
        }
    };
    if is_none(instance) && is_none(owner) {
        return Err(raise!(TypeError, "__get__(None, None) is invalid"));
    }
    let raw = |object: &PyObject| {
        if is_none(object) {
            std::ptr::null_mut()
        } else {
            object.as_ptr()
        }
    };
    let function = slot!(function, descrgetfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr(), raw(instance), raw(owner)), "__get__") }
}

fn set_by(function: *const c_void, object: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult {
    let function = slot!(function, objobjargproc);
    let value = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
    // SAFETY: the slot's own signature.
    from_status(unsafe { function(object.as_ptr(), key.as_ptr(), value) }, "slot")?;
    Ok(none_ref())
}

pub fn descr_set(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    set_two("__set__", function, object, args, kwargs)
}

fn set_two(
    name: &str,
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect_of(name, args, kwargs, 2)?;
    set_by(function, object, args.as_slice()[0], Some(args.as_slice()[1]))
}

pub fn descr_delete(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    set_by(function, object, args.as_slice()[0], None)
}

pub fn set_item(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    set_two("__setitem__", function, object, args, kwargs)
}

pub fn del_item(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    descr_delete(function, object, args, kwargs)
}

/// `object.__setattr__` may not be used to get around the `__setattr__` of a more derived native type.
fn check_setattr(function: *const c_void, object: &PyObject, what: &str) -> PyResult<()> {
    let mut ty = object.ty();
    while ty.is_heap_type() {
        match ty.base() {
            Some(base) => ty = base,
            None => break,
        }
    }
    let own = ty
        .tp_setattro
        .get()
        .map_or(std::ptr::null(), |slot| slot as *const c_void);
    if own != function && !own.is_null() && own != super::slots::setattro_slot as *const c_void {
        return Err(raise!(
            TypeError,
            "can't apply this {what} to {} object",
            object.ty().name()
        ));
    }
    Ok(())
}

pub fn setattr(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect_of("__setattr__", args, kwargs, 2)?;
    check_setattr(function, object, "__setattr__")?;
    set_by(function, object, args.as_slice()[0], Some(args.as_slice()[1]))
}

pub fn delattr(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    check_setattr(function, object, "__delattr__")?;
    set_by(function, object, args.as_slice()[0], None)
}

pub fn index_argument(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let count = args.as_slice()[0].to_index(crate::exceptions::exc::OverflowError)?;
    let function = slot!(function, ssizeargfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr(), count), "slot") }
}

/// An index argument, with negative ones counted from the end.
fn sequence_index(object: &PyObject, index: &PyObject) -> PyResult<isize> {
    let mut index = index.to_index(crate::exceptions::exc::OverflowError)?;
    if index < 0 && object.ty().sequence_slot(|slots| slots.sq_length.get()).is_some() {
        index += object.sequence_len()? as isize;
    }
    Ok(index)
}

pub fn sequence_item(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let index = sequence_index(object, args.as_slice()[0])?;
    let function = slot!(function, ssizeargfunc);
    // SAFETY: the slot's own signature.
    unsafe { from_slot(function(object.as_ptr(), index), "slot") }
}

pub fn sequence_set_item(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect_of("__setitem__", args, kwargs, 2)?;
    let index = sequence_index(object, args.as_slice()[0])?;
    let function = slot!(function, ssizeobjargproc);
    // SAFETY: the slot's own signature.
    let status = unsafe { function(object.as_ptr(), index, args.as_slice()[1].as_ptr()) };
    from_status(status, "slot")?;
    Ok(none_ref())
}

pub fn sequence_del_item(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let index = sequence_index(object, args.as_slice()[0])?;
    let function = slot!(function, ssizeobjargproc);
    // SAFETY: the slot's own signature.
    let status = unsafe { function(object.as_ptr(), index, std::ptr::null_mut()) };
    from_status(status, "slot")?;
    Ok(none_ref())
}

pub fn contains(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect(args, kwargs, 1)?;
    let function = slot!(function, objobjproc);
    // SAFETY: the slot's own signature.
    let status = unsafe { function(object.as_ptr(), args.as_slice()[0].as_ptr()) };
    from_status(status, "__contains__")?;
    Ok(py_bool(status != 0))
}

pub fn buffer(
    function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect_of("__buffer__", args, kwargs, 1)?;
    let flags = args.as_slice()[0].to_index(crate::exceptions::exc::OverflowError)?;
    let flags = c_int::try_from(flags).map_err(|_| raise!(OverflowError, "buffer flags out of range"))?;
    let function = slot!(function, getbufferproc);
    // SAFETY: the slot of a class that the object is an instance of.
    Ok(unsafe { PyMemoryViewObject::from_object_by(function, object, flags)? }.into_object())
}

pub fn release_buffer(
    _function: *const c_void,
    object: &PyObject,
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult {
    expect_of("__release_buffer__", args, kwargs, 1)?;
    crate::objects::memoryobject::release_view_of(object, args.as_slice()[0])
}
