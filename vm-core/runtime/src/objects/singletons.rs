//! `None`, `NotImplemented`, `Ellipsis`, and access to `True` and `False`.

use crate::objects::boolobject::{_Py_FalseStruct, _Py_TrueStruct};
use crate::prelude::*;

#[unsafe(no_mangle)]
pub static _Py_NoneStruct: PyObject = PyObject::immortal((&raw const _PyNone_Type).cast_mut());
#[unsafe(no_mangle)]
pub static _Py_NotImplementedStruct: PyObject =
    PyObject::immortal((&raw const _PyNotImplemented_Type).cast_mut());
#[unsafe(no_mangle)]
pub static _Py_EllipsisObject: PyObject = PyObject::immortal((&raw const PyEllipsis_Type).cast_mut());

/// `None`, borrowed.
#[inline(always)]
pub fn none() -> &'static PyObject {
    &_Py_NoneStruct
}
/// `None`, owned.
#[inline(always)]
pub fn none_ref() -> Ref {
    _Py_NoneStruct.to_ref()
}
#[inline(always)]
pub fn is_none(object: &PyObject) -> bool {
    std::ptr::eq(object, &_Py_NoneStruct)
}
/// `NotImplemented`, borrowed.
#[inline(always)]
pub fn not_implemented() -> &'static PyObject {
    &_Py_NotImplementedStruct
}
/// `Ellipsis`, borrowed.
#[inline(always)]
pub fn ellipsis() -> &'static PyObject {
    &_Py_EllipsisObject
}
#[inline(always)]
pub fn true_() -> &'static PyObject {
    // SAFETY: an int object starts with the header.
    unsafe { &*(&raw const _Py_TrueStruct).cast::<PyObject>() }
}
#[inline(always)]
pub fn false_() -> &'static PyObject {
    // SAFETY: an int object starts with the header.
    unsafe { &*(&raw const _Py_FalseStruct).cast::<PyObject>() }
}
/// `True` or `False`, owned.
#[inline(always)]
pub fn py_bool(value: bool) -> Ref {
    if value {
        true_().to_ref()
    } else {
        false_().to_ref()
    }
}

macro_rules! singleton {
    ($(#[$doc:meta])* $marker:ident, $name:literal, $type:ident, $object:ident, $repr:literal, $hash:expr, { $($more:tt)* }) => {
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $marker(PyObject);

        #[pytype(name = $name, static_name = $type)]
        $(#[$doc])*
        impl $marker {
            #[slot]
            fn tp_repr(&self) -> PyResult {
                Ok(PyUnicodeObject::from_str($repr).into_object())
            }
            #[slot]
            fn tp_hash(&self) -> PyResult<Py_hash_t> {
                Ok($hash)
            }
            // With a hash of its own the type does not inherit `object`'s comparison.
            #[slot]
            fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
                Ok(match (op, other.is(self.as_object())) {
                    (CompareOp::Eq, true) => true_().to_ref(),
                    (CompareOp::Ne, true) => false_().to_ref(),
                    _ => not_implemented().to_ref(),
                })
            }
            $($more)*
            #[new(raw, "()")]
            fn py_new(_cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
                if args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
                    return Err(raise!(TypeError, concat!($name, " takes no arguments")));
                }
                Ok($object.to_ref())
            }
            #[slot]
            unsafe fn tp_dealloc(_this: *mut Self) {}
            #[method("($self, /)")]
            fn __reduce__(&self) -> PyResult {
                Ok(PyUnicodeObject::from_str($repr).into_object())
            }
        }
    };
}

singleton!(
    /// The type of the None singleton.
    PyNone, "NoneType", _PyNone_Type, _Py_NoneStruct, "None",
    // A constant, so that hashes of tuples with None do not depend on addresses.
    0xFCA8_6420,
    {
        #[slot]
        fn nb_bool(&self) -> bool {
            false
        }
    }
);
singleton!(
    /// The type of the NotImplemented singleton.
    PyNotImplemented, "NotImplementedType", _PyNotImplemented_Type, _Py_NotImplementedStruct, "NotImplemented",
    crate::objects::numeric_hash::hash_pointer(&raw const _Py_NotImplementedStruct) as Py_hash_t,
    {
        #[slot]
        fn nb_bool(&self) -> PyResult<bool> {
            Err(raise!(TypeError, "NotImplemented should not be used in a boolean context"))
        }
    }
);
singleton!(
    /// The type of the Ellipsis singleton.
    PyEllipsis, "ellipsis", PyEllipsis_Type, _Py_EllipsisObject, "Ellipsis",
    crate::objects::numeric_hash::hash_pointer(&raw const _Py_EllipsisObject) as Py_hash_t,
    {}
);
