//! `_ast`: the abstract syntax tree as objects. `table` says which node classes there are, `types` makes them, `node` is
//! their base; `to_object` and `from_object` convert the compiler's tree, `validate` checks trees that programs built.
//!
//! `compile()` reaches the conversions through the hooks that are installed when the module is first imported.

mod from_object;
mod node;
mod table;
mod to_object;
mod types;
mod validate;

pub use from_object::constant;

use adder_compiler::parse::Extras;
use adder_compiler::{CompileOpts, Mode};
use adder_interp::builtins::evaluate::{AST, AstHooks, flags};
use adder_interp::code;
use adder_runtime::prelude::*;

/// Source text as nodes.
fn parse(
    source: &str,
    filename: &PyObject,
    mode: Mode,
    opts: &CompileOpts,
    given: i32,
    feature_version: i32,
) -> PyResult {
    let mut extras = Extras {
        type_comments: given & flags::TYPE_COMMENTS != 0,
        ..Extras::default()
    };
    if let Ok(minor) = u8::try_from(feature_version) {
        extras.feature_version = extras.feature_version.min(minor);
    }
    let raise = |error| code::raise_compile_error(&error, filename);
    let mut parsed = adder_compiler::parse_source(source, mode, opts, extras).map_err(raise)?;
    let mut warnings = std::mem::take(&mut parsed.warnings);
    if given & flags::OPTIMIZED_AST == flags::OPTIMIZED_AST {
        warnings.append(&mut adder_compiler::optimize_ast(&mut parsed.ast, opts).map_err(raise)?);
    }
    let result = code::issue_warnings(&warnings, filename, source).and_then(|()| to_object::to_object(&parsed.ast));
    adder_compiler::parse::drop_deep(parsed.ast);
    result
}

/// Nodes as code, or as folded nodes.
fn compile(
    object: &PyObject,
    filename: &PyObject,
    mode: Mode,
    opts: &CompileOpts,
    given: i32,
) -> PyResult<Option<Ref>> {
    if !node::is_node(object) {
        return Ok(None);
    }
    let raise = |error| code::raise_compile_error(&error, filename);
    let optimized = given & flags::OPTIMIZED_AST == flags::OPTIMIZED_AST;
    if given & flags::ONLY_AST != 0 && !optimized {
        from_object::check_mode(object, mode)?;
        return Ok(Some(object.to_ref()));
    }
    let mut tree = from_object::from_object(object, mode)?;
    if optimized {
        adder_compiler::optimize_ast(&mut tree, opts).map_err(raise)?;
        let result = to_object::to_object(&tree);
        adder_compiler::parse::drop_deep(tree);
        return result.map(Some);
    }
    let name = filename.str()?.to_string_lossy();
    let compiled = adder_compiler::compile_ast(tree, &name, opts).map_err(raise)?;
    code::issue_warnings(&compiled.warnings, filename, "")?;
    Ok(Some(code::code_object(&compiled.code)?.into_object()))
}

/// The abstract syntax tree.
#[pymodule(name = "_ast")]
pub mod _ast {
    use super::*;

    #[pyconst]
    const PyCF_ONLY_AST: i64 = flags::ONLY_AST as i64;
    #[pyconst]
    const PyCF_TYPE_COMMENTS: i64 = flags::TYPE_COMMENTS as i64;
    #[pyconst]
    const PyCF_ALLOW_TOP_LEVEL_AWAIT: i64 = flags::ALLOW_TOP_LEVEL_AWAIT as i64;
    #[pyconst]
    const PyCF_OPTIMIZED_AST: i64 = flags::OPTIMIZED_AST as i64;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let types = types::types()?;
        module.add("AST", node::AST_TYPE.to_object())?;
        for (row, class) in types.iter() {
            module.add(row.name, class.ty.to_object())?;
        }
        AST.get_or_init(|| AstHooks { parse, compile });
        Ok(())
    }
}
