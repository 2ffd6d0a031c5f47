//! The Python part of the standard library: where the folder is that the build put together.
//!
//! `build.rs` takes the files of the `rustpython-pylib` crate, lays those of `Lib/` over them (modules that describe this virtual
//! machine) and takes back the few lines in which the crate's files name another one.
#![forbid(unsafe_code)]

/// The library that this build made. An installed command has its own copy below its prefix.
pub const PATH: &str = concat!(env!("OUT_DIR"), "/Lib");

/// A module whose code is part of the command.
pub struct FrozenModule {
    pub name: &'static str,
    pub is_package: bool,
    /// The module of the library that it was made from; a module without does not know a file.
    pub original: Option<&'static str>,
    /// In `marshal`'s form.
    pub code: &'static [u8],
}

// `FROZEN`, from `freeze.rs`.
include!(concat!(env!("OUT_DIR"), "/frozen.rs"));
