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

use adder_interp::builtins::compile::{AstHooks, flags, install_ast};
use adder_runtime::prelude::*;

pub use to_object::to_object;

static HOOKS: AstHooks = AstHooks { is_ast: node::is_node, to_object, from_object: from_object::from_object };

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
        install_ast(&HOOKS);
        Ok(())
    }
}
