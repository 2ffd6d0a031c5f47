//! The runtime: memory, counts and collector; types and slots; the built-in types; exceptions; modules.
//!
//! Comes in: calls from the interpreter, from native modules and, through `cpyext`, from C. Goes out: CPython 3.14's
//! objects in memory (`abi`), with their reference counts. It knows nothing of bytecode, frames or the compiler:
//! it calls Python functions only through type slots and vectorcall.
#![allow(clippy::missing_safety_doc)]
#![allow(non_upper_case_globals, non_camel_case_types)]

extern crate self as adder_runtime;

pub mod abi;
pub mod args;
pub mod error;
pub mod exceptions;
pub mod hooks;
pub mod intern;
pub mod memory;
pub mod module;
pub mod object;
pub mod objects;
pub mod per_interpreter;
pub mod protocol;
pub mod pyhash;
pub mod suggestions;
pub mod thread;
pub mod types;

pub use adder_macros::{pymethods, pymodule, pytype};
pub use error::{PyResult, Raised};
pub use object::{CompareOp, Ref, TypedObject};
pub use objects::object::PyBaseObject_Type;
pub use types::PyType_Type;

/// What nearly every file of native code wants in scope.
pub mod prelude {
    pub use crate::abi::*;
    pub use crate::error::{PyResult, Raised};
    pub use crate::memory::Visitor;
    pub use crate::object::{
        CompareOp, ObjectCell, Ref, TypedObject, ellipsis, false_, is_none, none, none_ref, not_implemented,
        py_bool, true_,
    };
    pub use crate::{identifier, raise};
    pub use adder_macros::{pymethods, pymodule, pytype};
    pub use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};
}
