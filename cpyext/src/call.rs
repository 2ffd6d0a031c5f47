//! abstract.h, call.h: calls without open arguments, vectorcall.

use crate::export::{bad_internal_call, opt};
use adder_runtime::objects::methodobject::call_noargs;
use adder_runtime::prelude::*;
use adder_runtime::protocol::call as protocol;

/// Runs a call whose arguments C gives as an array.
///
/// # Safety
/// `args` has as many objects as `nargsf` and `kwnames` say.
unsafe fn vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: the caller's contract.
    unsafe { protocol::vectorcall(&*callable, args, nargsf, kwnames) }
}

/// PyObject_Vectorcall: the callee guards itself; a panic in it was turned into an exception by its own wrapper.
///
/// # Safety
/// As the manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_Vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { vectorcall(callable, args, nargsf, kwnames) }.map_or(std::ptr::null_mut(), Ref::into_raw)
}

/// # Safety
/// As the manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_CallNoArgs(callable: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let Some(function) = (*callable).ty().vectorcall_of(&*callable) else {
            return call_no_args_general(callable);
        };
        // In memory, as a register would have to be saved for it in any case, and restored before the caller can go on.
        let mut called = std::mem::MaybeUninit::<*mut PyObject>::uninit();
        called.as_mut_ptr().write_volatile(callable);
        let result = match call_noargs(callable, function) {
            Some(result) => result,
            None => function(callable, std::ptr::null(), 0, std::ptr::null_mut()),
        };
        if result.is_null() || adder_runtime::error::occurred() {
            return ended(called.as_ptr().read_volatile(), result);
        }
        result
    }
}

/// What a call that failed gives, or that gave a result although an exception is set.
///
/// # Safety
/// `result` is a new reference or NULL.
#[cold]
#[inline(never)]
unsafe extern "C" fn ended(callable: *mut PyObject, result: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { protocol::checked_result(&*callable, result) }.map_or(std::ptr::null_mut(), Ref::into_raw)
}

#[inline(never)]
unsafe extern "C" fn call_no_args_general(callable: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { vectorcall(callable, std::ptr::null(), 0, std::ptr::null_mut()) }
        .map_or(std::ptr::null_mut(), Ref::into_raw)
}

/// # Safety
/// As the manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_CallOneArg(callable: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
    let args = [std::ptr::null_mut(), arg];
    let nargsf = 1 | PY_VECTORCALL_ARGUMENTS_OFFSET;
    // SAFETY: the caller's contract; the place before the argument is ours.
    unsafe { vectorcall(callable, args.as_ptr().add(1), nargsf, std::ptr::null_mut()) }
        .map_or(std::ptr::null_mut(), Ref::into_raw)
}

/// The vectorcall function of an object, if its type has one.
///
/// # Safety
/// `callable` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyVectorcall_Function(callable: *mut PyObject) -> Option<vectorcallfunc> {
    // SAFETY: the caller's contract; the type says where the function pointer is.
    unsafe {
        let ty = (*callable).ty();
        if !ty.has_feature(Py_TPFLAGS_HAVE_VECTORCALL) {
            return None;
        }
        *callable
            .byte_offset(ty.tp_vectorcall_offset.get())
            .cast::<Option<vectorcallfunc>>()
    }
}

/// # Safety
/// As PyVectorcall_Function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyVectorcall_Function(callable: *mut PyObject) -> Option<vectorcallfunc> {
    // SAFETY: the caller's contract.
    unsafe { PyVectorcall_Function(callable) }
}

/// `tp_call` of types that have a vectorcall: the tuple and dict become an array and names.
///
/// # Safety
/// As a `tp_call` slot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyVectorcall_Call(
    callable: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { call_through_vectorcall(callable, args, kwargs) }.map_or(std::ptr::null_mut(), Ref::into_raw)
}

/// # Safety
/// As a `tp_call` slot.
unsafe fn call_through_vectorcall(
    callable: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> PyResult {
    // SAFETY: the caller's contract.
    unsafe {
        // A subclass with its own `__call__` has not got the flag, but has the function.
        let offset = (*callable).ty().tp_vectorcall_offset.get();
        let function = if offset > 0 {
            *callable.byte_offset(offset).cast::<Option<vectorcallfunc>>()
        } else {
            None
        };
        let Some(function) = function else {
            return Err(raise!(
                TypeError,
                "'{}' object does not support vectorcall",
                (*callable).ty().name()
            ));
        };
        let args = opt(args)
            .and_then(PyObject::downcast::<PyTupleObject>)
            .ok_or_else(bad_internal_call)?;
        let mut array: Vec<*mut PyObject> = vec![std::ptr::null_mut()];
        array.extend(args.as_slice().iter().map(|arg| arg.as_ptr()));
        let mut names = Vec::new();
        let mut values = Vec::new();
        if let Some(kwargs) = opt(kwargs).and_then(PyObject::downcast::<PyDictObject>) {
            let mut position = 0;
            while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
                if !PyUnicodeObject::check(key) {
                    return Err(raise!(TypeError, "keywords must be strings"));
                }
                names.push(key.to_ref());
                values.push(value.to_ref());
            }
        }
        array.extend(values.iter().map(|value| value.as_raw()));
        let names = (!names.is_empty()).then(|| PyTupleObject::from_vec(names));
        let kwnames = names
            .as_ref()
            .map_or(std::ptr::null_mut(), |names| names.as_raw().cast());
        let nargsf = args.len() | PY_VECTORCALL_ARGUMENTS_OFFSET;
        protocol::check_result(function(callable, array.as_ptr().add(1), nargsf, kwnames))
    }
}

capi! {
    fn PyObject_Call(callable: &PyObject, args: &PyObject, kwargs: Option<&PyObject>) -> PyResult {
        let Some(args) = args.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "argument list must be a tuple"));
        };
        callable.call_tuple(args, kwargs.and_then(PyObject::downcast::<PyDictObject>))
    }
    fn PyObject_CallObject(callable: &PyObject, args: Option<&PyObject>) -> PyResult { call_object(callable, args, None) }
    fn PyEval_CallObjectWithKeywords(callable: &PyObject, args: Option<&PyObject>, kwargs: Option<&PyObject>) -> PyResult {
        call_object(callable, args, kwargs)
    }
    fn PyCFunction_Call(callable: &PyObject, args: Option<&PyObject>, kwargs: Option<&PyObject>) -> PyResult {
        call_object(callable, args, kwargs)
    }
    fn PyObject_VectorcallDict(
        callable: &PyObject, args: *const *mut PyObject, nargsf: usize, kwargs: Option<&PyObject>
    ) -> PyResult {
        vectorcall_dict(callable, args, nargsf, kwargs)
    }
    fn PyObject_VectorcallMethod(
        name: &PyUnicodeObject, args: *const *mut PyObject, nargsf: usize, kwnames: *mut PyObject
    ) -> PyResult {
        vectorcall_method(name, args, nargsf, kwnames)
    }
    fn _PyObject_MakeTpCall(
        _state: *mut PyThreadState, callable: &PyObject, args: *const *mut PyObject, n_args: isize, keywords: *mut PyObject
    ) -> PyResult {
        // SAFETY: C gives that many arguments.
        unsafe { vectorcall(callable.as_ptr(), args, n_args as usize, keywords) }
    }
    fn _Py_CheckFunctionResult(
        _state: *mut PyThreadState, _callable: *mut PyObject, result: *mut PyObject, _place: *const c_char
    ) -> PyResult {
        // SAFETY: C gives its result away.
        unsafe { protocol::check_result(result) }
    }
}

fn call_object(callable: &PyObject, args: Option<&PyObject>, kwargs: Option<&PyObject>) -> PyResult {
    let kwargs = match kwargs {
        Some(kwargs) => Some(
            kwargs
                .downcast::<PyDictObject>()
                .ok_or_else(|| raise!(TypeError, "keyword list must be a dictionary"))?,
        ),
        None => None,
    };
    match args {
        Some(args) => match args.downcast::<PyTupleObject>() {
            Some(args) => callable.call_tuple(args, kwargs),
            None => Err(raise!(TypeError, "argument list must be a tuple")),
        },
        None => callable.call_tuple(&PyTupleObject::empty(), kwargs),
    }
}

fn vectorcall_dict(
    callable: &PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwargs: Option<&PyObject>,
) -> PyResult {
    let kwargs = kwargs
        .and_then(PyObject::downcast::<PyDictObject>)
        .filter(|kwargs| kwargs.len() > 0);
    let Some(kwargs) = kwargs else {
        // SAFETY: C gives that many arguments.
        return unsafe { vectorcall(callable.as_ptr(), args, nargsf, std::ptr::null_mut()) };
    };
    // SAFETY: as above.
    let args = unsafe { protocol::slice_of(args, adder_runtime::abi::PyVectorcall_NARGS(nargsf)) };
    callable.call_tuple(&PyTupleObject::from_slice(args), Some(kwargs))
}

fn vectorcall_method(
    name: &PyUnicodeObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    let n_args = adder_runtime::abi::PyVectorcall_NARGS(nargsf);
    if n_args < 1 {
        return Err(bad_internal_call());
    }
    // SAFETY: C gives at least the object, then the other arguments and the keyword values.
    unsafe {
        let (method, is_function) = (**args).get_method(name)?;
        if is_function {
            // The function takes the object as its first argument.
            vectorcall(method.as_raw(), args, n_args, kwnames)
        } else {
            vectorcall(method.as_raw(), args.add(1), n_args - 1, kwnames)
        }
    }
}
