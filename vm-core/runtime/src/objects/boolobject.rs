//! The type `bool`: two ints of a subtype, `True` and `False`, and what differs from int's slots.

use super::longobject::PyLong_Type;
use super::longobject::digits::BitOp;
use crate::prelude::*;

/// The layout of a bool: an int's.
#[repr(transparent)]
pub struct PyBool(PyLongObject);

#[unsafe(no_mangle)]
pub static _Py_TrueStruct: PyLongObject = PyLongObject {
    ob_base: PyObject::immortal((&raw const PyBool_Type).cast_mut()),
    long_value: _PyLongValue::compact(1),
};
#[unsafe(no_mangle)]
pub static _Py_FalseStruct: PyLongObject = PyLongObject {
    ob_base: PyObject::immortal((&raw const PyBool_Type).cast_mut()),
    long_value: _PyLongValue::compact(0),
};

/// Whether `object` is True, when it is a bool at all.
#[inline]
pub fn as_bool(object: &PyObject) -> Option<bool> {
    if object.is(true_()) {
        Some(true)
    } else if object.is(false_()) {
        Some(false)
    } else {
        None
    }
}

/// Bitwise on two bools is a bool; otherwise int's slot decides.
#[inline]
fn bit_op(op: BitOp, a: &PyObject, b: &PyObject) -> PyResult {
    if let (Some(a), Some(b)) = (as_bool(a), as_bool(b)) {
        return Ok(py_bool(op.apply(a.into(), b.into()) != 0));
    }
    let (Some(a), Some(b)) = (a.downcast::<PyLongObject>(), b.downcast::<PyLongObject>()) else {
        return Ok(not_implemented().to_ref());
    };
    super::longobject::arith::bit_op(op, a, b).map(Ref::into_object)
}

/// Returns True when the argument is true, False otherwise.
/// The builtins True and False are the only two instances of the class bool.
/// The class bool is a subclass of the class int, and cannot be subclassed.
#[pytype(
    name = "bool",
    static_name = PyBool_Type,
    base = PyLong_Type,
    flags = LONG_SUBCLASS | MATCH_SELF,
    basicsize = super::longobject::DIGITS_OFFSET as isize,
    itemsize = size_of::<digit>() as isize
)]
impl PyBool {
    #[new("(object=False, /)", vectorcall)]
    fn new(_cls: &PyTypeObject, object: Option<&PyObject>) -> PyResult {
        match object {
            Some(object) => Ok(py_bool(object.is_true()?)),
            None => Ok(py_bool(false)),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(_this: *mut PyBool) {
        // The two bools are immortal.
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        Ok((if self.0.is_zero() {
            identifier!("False")
        } else {
            identifier!("True")
        })
        .to_ref())
    }
    #[slot]
    fn nb_invert(&self) -> PyResult<Ref<PyLongObject>> {
        crate::exceptions::warn(
            crate::exceptions::exc::DeprecationWarning,
            "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the \
             bitwise inversion of the underlying int object and is usually not what you expect from negating a \
             bool. Use the 'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion \
             of the underlying int.",
            1,
        )?;
        super::longobject::arith::invert(&self.0)
    }
    #[slot]
    fn nb_and(a: &PyObject, b: &PyObject) -> PyResult {
        bit_op(BitOp::And, a, b)
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        bit_op(BitOp::Or, a, b)
    }
    #[slot]
    fn nb_xor(a: &PyObject, b: &PyObject) -> PyResult {
        bit_op(BitOp::Xor, a, b)
    }
}
