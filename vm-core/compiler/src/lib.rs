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
pub mod names;
pub mod parse;
pub mod symtable;
pub mod unparse;

/// Differs between compilers that make different bytecode: a hash of the sources, from `build.rs`.
pub const BYTECODE_VERSION: u16 = {
    let digits = env!("ADDER_COMPILER_HASH").as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < digits.len() {
        value = value * 10 + (digits[at] - b'0') as u16;
        at += 1;
    }
    value
};

pub use bytecode::{CodeObject, Constant};
pub use compile::{
    CompileOpts, Compiled, compile_ast, compile_source, optimize_ast, parse_source, symbol_table,
};
pub use error::{CompileError, CompileWarning, ErrorKind};
pub use parse::Mode;
pub use parse::source::{Decoded, decode_source};
