//! What is called: a Python function, a bound method, a native function or method, by the instruction's cache.
//!
//! Guards only: the interpreter then pushes a frame, and the recorder goes on in the callee.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyFunctionObject, PyMethodObject, PyObject};
use adder_runtime::objects::classobject::PyMethod_Type;
use adder_runtime::objects::funcobject::PyFunction_Type;
use std::mem::offset_of;

/// A Python function with this version: its code and defaults are what they were.
#[inline(always)]
pub fn guard_function<M: Machine>(m: &mut M, callable: M::Obj, version: u32) -> Fast<()> {
    m.guard_type(callable, &PyFunction_Type)?;
    let found = m.load_u32(callable, offset_of!(PyFunctionObject, func_version));
    let version = m.version(version);
    let unchanged = m.int_compare(Cmp::Eq, found, version);
    m.guard(unchanged)
}

/// One certain object, which the cache keeps alive.
#[inline(always)]
pub fn guard_callable<M: Machine>(m: &mut M, callable: M::Obj, expected: *mut PyObject) -> Fast<()> {
    let expected = m.constant(expected);
    let same = m.is(callable, expected);
    m.guard(same)
}

/// The function and the `self` of a bound method, both borrowed.
#[inline(always)]
pub fn unpack_method<M: Machine>(m: &mut M, method: M::Obj) -> Fast<(M::Obj, M::Obj)> {
    m.guard_type(method, &PyMethod_Type)?;
    let function = m.load_object(method, offset_of!(PyMethodObject, im_func));
    let this = m.load_object(method, offset_of!(PyMethodObject, im_self));
    Ok((function, this))
}
