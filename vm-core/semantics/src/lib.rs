//! Fast paths of bytecodes and built-in types, written once over a `Machine`.
//!
//! Comes in: the operands of an instruction. Goes out: the result, or `Exit::Miss` when the operands are not what the
//! fast path is for; whoever called then makes the residual call of the slot. All guards stand before the first effect.
//! For the interpreter's `Direct` a primitive is the operation itself; for the JIT's recorder it is also noted.
#![allow(non_upper_case_globals)]

pub mod arithmetic;
pub mod attribute;
pub mod call;
pub mod compare;
pub mod dict;
pub mod iteration;
pub mod machine;
pub mod subscript;
pub mod truth;

pub use machine::{Exit, Fast, Machine};
