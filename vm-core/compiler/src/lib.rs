//! source text -> AST -> symbol tables -> register bytecode. Knows nothing of the runtime.
#![forbid(unsafe_code)]

pub mod bytecode;
pub mod unparse;

pub use bytecode::{CodeObject, Constant};
