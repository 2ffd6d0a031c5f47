//! The interpreter: bytecode -> behaviour. Frames, calls, the bytecode loop, generators, `builtins`, `sys`, imports.
//!
//! Comes in: code objects (from the compiler, `.pyc` files or Python) and calls of Python functions through vectorcall.
//! Goes out: calls of the runtime's slots. `initialize` starts it, `pythonrun` runs programs, `finalize` ends it.
#![allow(non_upper_case_globals, non_camel_case_types)]

pub mod asyncgen;
pub mod builtins;
pub mod call;
pub mod code;
pub mod errors;
pub mod eval;
pub mod frame;
pub mod framelocals;
pub mod frameobject;
pub mod genobject;
pub mod groups;
pub mod hooks;
pub mod import;
mod importtime;
pub mod interpreters;
pub mod linejump;
pub mod matching;
pub mod monitoring;
pub mod pending;
pub mod pylifecycle;
pub mod pythonrun;
pub mod remote_debug;
pub mod state;
pub mod streams;
pub use adder_runtime::suggestions;
pub mod sysmodule;
pub mod template;
pub mod traceback;
pub mod tracing;
pub mod typing_hooks;
pub mod warnings;

pub use pylifecycle::{Config, finalize, initialize};

/// The built-in modules of this crate.
pub const MODULES: &[import::ModuleInit] = &[import::_imp::INIT];
