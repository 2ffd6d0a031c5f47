//! boolobject.h: True and False are two `PyLongObject`s of type bool.
pub use super::longobject::PyLongObject as PyBoolObject;
