//! C extension modules -> the runtime: CPython 3.14's C API, a file per header, exported from the executable.
//!
//! `export.rs` has the conventions of the boundary; `loader.rs` opens extension modules; `../shims` has the functions with open
//! arguments, which end in the `adder_` functions here. The root's `tests/exports.rs` checks that everything is exported.
#![allow(non_snake_case, non_upper_case_globals, non_camel_case_types)]

#[macro_use]
pub mod export;

pub mod abstract_;
pub mod bytesobject;
pub mod call;
pub mod capsule;
pub mod ceval;
pub mod clinic;
pub mod code;
pub mod codecs;
pub mod complexobject;
pub mod context;
pub mod descrobject;
pub mod dictobject;
pub mod embedding;
pub mod floatobject;
pub mod getargs;
pub mod import;
pub mod initconfig;
pub mod listobject;
pub mod loader;
pub mod longobject;
pub mod memoryobject;
pub mod methodobject;
pub mod misc;
pub mod modsupport;
pub mod moduleobject;
pub mod monitoring;
pub mod object;
pub mod objimpl;
pub mod odictobject;
pub mod osmodule;
pub mod perf;
pub mod pyerrors;
pub mod pyhash;
pub mod pylifecycle;
pub mod pymem;
pub mod pystate;
pub mod pystrtod;
pub mod pythonrun;
pub mod pythread;
pub mod setobject;
pub mod sliceobject;
pub mod sysmodule;
pub mod tupleobject;
pub mod typeobject;
pub mod typeslots;
pub mod unicode_format;
pub mod unicodeobject;
pub mod va;
pub mod warnings;
pub mod watchers;
pub mod weakrefobject;
