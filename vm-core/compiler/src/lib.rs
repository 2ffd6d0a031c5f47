//! source text -> AST -> symbol tables -> register bytecode. Knows nothing of the runtime.
#![forbid(unsafe_code)]

pub mod ast;
pub mod bytecode;
pub mod error;
pub mod parse;
pub mod symtable;
pub mod unparse;

pub use bytecode::{CodeObject, Constant};
pub use error::{CompileError, CompileWarning, ErrorKind};
pub use parse::Mode;
