//! `bool(x)` of the common types.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{
    PyDictObject, PyListObject, PyLongObject, PyObject, PyTupleObject, PyTypeObject, PyUnicodeObject,
    PyVarObject,
};
use adder_runtime::object::{TypedObject, true_};
use adder_runtime::objects::boolobject::PyBool_Type;
use adder_runtime::objects::singletons::_PyNone_Type;
use std::mem::offset_of;

/// The bits of an int's tag that tell its sign, and what they are for zero.
const SIGN_MASK: i64 = 3;
const SIGN_ZERO: i64 = 1;

#[inline(always)]
fn has_items<M: Machine>(m: &mut M, object: M::Obj, ty: &'static PyTypeObject, size: usize) -> Fast<M::Bool> {
    m.guard_type(object, ty)?;
    let size = m.load_field(object, size);
    let zero = m.int(0);
    Ok(m.int_compare(Cmp::Ne, size, zero))
}

#[inline(always)]
pub fn truth<M: Machine>(m: &mut M, object: M::Obj) -> Fast<M::Bool> {
    if m.guard_type(object, &PyBool_Type).is_ok() {
        let yes = m.constant(true_().as_ptr());
        return Ok(m.is(object, yes));
    }
    if m.guard_type(object, PyLongObject::type_object()).is_ok() {
        let tag = m.load_field(object, offset_of!(PyLongObject, long_value));
        let mask = m.int(SIGN_MASK);
        let sign = m.int_and(tag, mask);
        let zero = m.int(SIGN_ZERO);
        return Ok(m.int_compare(Cmp::Ne, sign, zero));
    }
    if m.guard_type(object, &_PyNone_Type).is_ok() {
        let yes = m.constant(true_().as_ptr());
        return Ok(m.is(object, yes));
    }
    let n_items = offset_of!(PyVarObject, ob_size);
    if let Ok(truth) = has_items(m, object, PyListObject::type_object(), n_items) {
        return Ok(truth);
    }
    if let Ok(truth) = has_items(m, object, PyTupleObject::type_object(), n_items) {
        return Ok(truth);
    }
    if let Ok(truth) = has_items(
        m,
        object,
        PyDictObject::type_object(),
        offset_of!(PyDictObject, ma_used),
    ) {
        return Ok(truth);
    }
    // The length of a string is right behind its header, in each of its three kinds.
    has_items(m, object, PyUnicodeObject::type_object(), size_of::<PyObject>())
}
