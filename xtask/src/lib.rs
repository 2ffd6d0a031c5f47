//! The parts of `cargo xtask`: what finds, builds, runs and compares. `numpy-fork-tests` uses them too.
//!
//! In: the repository, the `adder` command, the reference interpreters. Out: tables on standard output and a [`Tally`] per stage.
//! It knows nothing about the inside of the VM: everything here would work for any command that is a Python.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod bench;
pub mod conformance;
pub mod demo;
pub mod differential;
pub mod fuzz;
pub mod internals;
pub mod known;
pub mod leaks;
pub mod micro;
pub mod oracle;
pub mod pip;
pub mod process;
pub mod profile;
pub mod programs;
pub mod project;
pub mod report;
pub mod startup;
pub mod suite;
pub mod tally;
pub mod test;
pub mod tidy;
pub mod wheels;

pub use known::Known;
pub use oracle::Oracle;
pub use project::Project;
pub use tally::Tally;

/// What goes wrong here is told to a person, so an error is a sentence.
pub type Result<T = ()> = std::result::Result<T, String>;

/// Adds to an I/O error what was being done.
pub trait Context<T> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T>;
}

impl<T, E: std::fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T> {
        self.map_err(|err| format!("{doing}: {err}"))
    }
}
