//! pycapsule.h: only the destructor's type is visible.
use super::*;

pub type PyCapsule_Destructor = unsafe extern "C" fn(*mut PyObject);
