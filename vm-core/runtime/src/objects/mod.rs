//! The built-in types, a file or folder per `Objects/*.c`.

pub mod object;
pub mod singletons;
pub mod stringlib;
pub mod unicodectype;
pub mod unicodeobject;
