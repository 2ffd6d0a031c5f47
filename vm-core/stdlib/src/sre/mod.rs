//! `_sre`: the regular expression engine behind `re`.
//!
//! Comes in: the code lists of `Lib/re/_compiler.py` and subjects. Goes out: `Pattern`, `Match`, scanners and templates.
//! The engine is the crate `rustpython-sre_engine` (with mends: `vendor/README.md`); `drive.rs` shows it our strings without copying,
//! `admit.rs` lets in only code that it can run.

mod admit;
mod drive;
mod matched;
mod pattern;
mod scanner;
mod template;

use adder_runtime::objects::unicodectype::{self, CaseMapping};
use adder_runtime::prelude::*;

/// What a character's full case mapping begins with.
fn first(code: u32, mapping: CaseMapping) -> u32 {
    unicodectype::map_full(code, mapping).0[0]
}

/// As many groups as a pattern may have.
const MAX_GROUPS: usize = (i32::MAX / 2) as usize;

/// Support for regular expressions.
#[pymodule(name = "_sre", types = [])]
pub mod _sre {
    use super::*;

    #[pyconst]
    const MAGIC: usize = rustpython_sre_engine::SRE_MAGIC;
    #[pyconst]
    const CODESIZE: usize = rustpython_sre_engine::CODESIZE;
    #[pyconst]
    const MAXREPEAT: usize = rustpython_sre_engine::MAXREPEAT;
    #[pyconst]
    const MAXGROUPS: usize = MAX_GROUPS;

    #[pyfunction("($module, /)")]
    fn getcodesize() -> usize {
        rustpython_sre_engine::CODESIZE
    }
    #[pyfunction("($module, character, /)")]
    fn ascii_iscased(character: i32) -> bool {
        u8::try_from(character).is_ok_and(|byte| byte.is_ascii_alphabetic())
    }
    #[pyfunction("($module, character, /)")]
    fn unicode_iscased(character: i32) -> bool {
        let code = character as u32;
        first(code, CaseMapping::Lower) != code || first(code, CaseMapping::Upper) != code
    }
    #[pyfunction("($module, character, /)")]
    fn ascii_tolower(character: i32) -> i32 {
        u8::try_from(character).map_or(character, |byte| i32::from(byte.to_ascii_lowercase()))
    }
    #[pyfunction("($module, character, /)")]
    fn unicode_tolower(character: i32) -> i32 {
        first(character as u32, CaseMapping::Lower) as i32
    }
    #[pyfunction("($module, /, pattern, flags, code, groups, groupindex, indexgroup)")]
    fn compile(
        pattern: &PyObject,
        flags: i32,
        code: &PyListObject,
        groups: isize,
        groupindex: &PyDictObject,
        indexgroup: &PyTupleObject,
    ) -> PyResult {
        super::pattern::compile(pattern, flags, code, groups, groupindex, indexgroup)
    }
    /// A replacement string, parsed: literals and group numbers in turn.
    #[pyfunction("($module, pattern, template, /)")]
    fn template(pattern: &PyObject, template: &PyListObject) -> PyResult {
        let _ = pattern;
        super::template::compile(template)
    }
}
