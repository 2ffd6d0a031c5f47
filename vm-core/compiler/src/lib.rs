//! source text -> AST -> symbol tables -> register bytecode. Knows nothing of the runtime.
#![forbid(unsafe_code)]

pub mod ast;
pub mod bytecode;
mod codegen;
pub mod compile;
pub mod error;
mod fold;
mod fold_ops;
pub mod future;
pub mod parse;
pub mod symtable;
pub mod unparse;

pub use bytecode::{CodeObject, Constant};
pub use compile::{CompileOpts, Compiled, compile_ast, compile_source, optimize_ast, parse_source};
pub use error::{CompileError, CompileWarning, ErrorKind};
pub use parse::Mode;
pub use parse::source::{Decoded, decode_source};
