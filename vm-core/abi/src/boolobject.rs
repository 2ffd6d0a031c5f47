//! boolobject.h: True and False are two `PyLongObject`s of type bool.
pub use crate::longobject::PyLongObject as PyBoolObject;
