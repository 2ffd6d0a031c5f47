//! CPython 3.14's C structs -> #[repr(C)] Rust structs: layouts, flags, slot numbers. No behaviour beyond what the headers inline.
//!
//! Every field that can change after creation is a `Cell`, and every struct is `Sync` by decree: the GIL orders all access.
//! One list (`c_structs!`) makes each struct and its row in [`LAYOUT`]; one list (`c_consts!`) makes each constant and its row in
//! [`CONSTANTS`]; `tests/layout.rs` compares both with CPython's own headers by compiling C.
#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]

#[macro_use]
mod layout;

pub mod boolobject;
pub mod bytearrayobject;
pub mod bytesobject;
pub mod capsule;
pub mod cellobject;
pub mod classobject;
pub mod code;
pub mod compile;
pub mod complexobject;
pub mod datetime;
pub mod descrobject;
pub mod dictobject;
pub mod floatobject;
pub mod frameobject;
pub mod funcobject;
pub mod genobject;
pub mod import;
pub mod initconfig;
pub mod listobject;
pub mod longobject;
pub mod memoryobject;
pub mod methodobject;
pub mod modsupport;
pub mod moduleobject;
pub mod object;
pub mod objimpl;
pub mod pybuffer;
pub mod pyerrors;
pub mod pyhash;
pub mod pymem;
pub mod pystate;
pub mod setobject;
pub mod sliceobject;
pub mod structmember;
pub mod structseq;
pub mod traceback;
pub mod tupleobject;
pub mod typeobject;
pub mod typeslots;
pub mod unicodeobject;
pub mod weakrefobject;

pub use bytearrayobject::*;
pub use bytesobject::*;
pub use capsule::*;
pub use cellobject::*;
pub use classobject::*;
pub use code::*;
pub use compile::*;
pub use complexobject::*;
pub use datetime::*;
pub use descrobject::*;
pub use dictobject::*;
pub use floatobject::*;
pub use frameobject::*;
pub use funcobject::*;
pub use genobject::*;
pub use import::*;
pub use initconfig::*;
pub use layout::{CStruct, FieldLayout, StructLayout};
pub use listobject::*;
pub use longobject::*;
pub use memoryobject::*;
pub use methodobject::*;
pub use modsupport::*;
pub use moduleobject::*;
pub use object::*;
pub use objimpl::*;
pub use pybuffer::*;
pub use pyerrors::*;
pub use pyhash::*;
pub use pymem::*;
pub use pystate::*;
pub use setobject::*;
pub use sliceobject::*;
pub use structmember::*;
pub use structseq::*;
pub use traceback::*;
pub use tupleobject::*;
pub use typeobject::*;
pub use typeslots::*;
pub use unicodeobject::*;
pub use weakrefobject::*;

pub use std::cell::Cell;
pub use std::ffi::{
    c_char, c_double, c_int, c_long, c_longlong, c_short, c_uchar, c_uint, c_ulong, c_ulonglong, c_ushort,
    c_void,
};

pub type Py_ssize_t = isize;
pub type Py_hash_t = isize;
pub type Py_uhash_t = usize;
pub type Py_UCS4 = u32;
pub type Py_UCS2 = u16;
pub type Py_UCS1 = u8;
pub type wchar_t = i32;

pub const PY_SSIZE_T_MAX: Py_ssize_t = isize::MAX;
pub const PY_SSIZE_T_MIN: Py_ssize_t = isize::MIN;

/// A field that holds an object pointer (owned, borrowed or null as the struct's documentation says).
pub type ObjCell = Cell<*mut PyObject>;
/// A field that holds a C string pointer.
pub type StrCell = Cell<*const c_char>;

/// The layouts of all structs, a row per struct, in the order of the headers.
pub const LAYOUT: &[&[StructLayout]] = &[
    object::LAYOUT,
    typeobject::LAYOUT,
    longobject::LAYOUT,
    floatobject::LAYOUT,
    complexobject::LAYOUT,
    unicodeobject::LAYOUT,
    bytesobject::LAYOUT,
    bytearrayobject::LAYOUT,
    tupleobject::LAYOUT,
    listobject::LAYOUT,
    dictobject::LAYOUT,
    setobject::LAYOUT,
    sliceobject::LAYOUT,
    cellobject::LAYOUT,
    funcobject::LAYOUT,
    methodobject::LAYOUT,
    classobject::LAYOUT,
    descrobject::LAYOUT,
    moduleobject::LAYOUT,
    code::LAYOUT,
    compile::LAYOUT,
    frameobject::LAYOUT,
    genobject::LAYOUT,
    traceback::LAYOUT,
    pyerrors::LAYOUT,
    pybuffer::LAYOUT,
    memoryobject::LAYOUT,
    weakrefobject::LAYOUT,
    pystate::LAYOUT,
    structseq::LAYOUT,
    datetime::LAYOUT,
    import::LAYOUT,
    initconfig::LAYOUT,
    modsupport::LAYOUT,
    pyhash::LAYOUT,
    pymem::LAYOUT,
];

/// All constants that the headers define too, by name.
pub const CONSTANTS: &[&[(&str, i128)]] = &[
    object::CONSTANTS,
    typeobject::CONSTANTS,
    typeslots::CONSTANTS,
    methodobject::CONSTANTS,
    structmember::CONSTANTS,
    descrobject::CONSTANTS,
    moduleobject::CONSTANTS,
    code::CONSTANTS,
    compile::CONSTANTS,
    longobject::CONSTANTS,
    unicodeobject::CONSTANTS,
    pybuffer::CONSTANTS,
    memoryobject::CONSTANTS,
    setobject::CONSTANTS,
    pystate::CONSTANTS,
    frameobject::CONSTANTS,
    genobject::CONSTANTS,
    pyhash::CONSTANTS,
];
