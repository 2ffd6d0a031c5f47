//! `_symtable`: the compiler's symbol tables as objects, for `Lib/symtable.py`.

use adder_compiler::symtable::{Block, BlockKind, SymbolTable, flags};
use adder_compiler::{CompileOpts, Mode};
use adder_interp::builtins::evaluate;
use adder_interp::code::raise_compile_error;
use adder_runtime::prelude::*;
use std::mem::offset_of;

/// The compiler's symbol tables.
#[pymodule(name = "_symtable", types = [])]
pub mod _symtable {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        adder_runtime::types::ready(&SYMTABLE_ENTRY_TYPE)?;
        for (name, value) in CONSTANTS {
            module.add(name, PyLongObject::from_u64(u64::from(*value)).into_object())?;
        }
        Ok(())
    }

    /// Return symbol and scope dictionaries used internally by compiler.
    #[pyfunction("($module, source, filename, startstr, /)")]
    fn symtable(source: &PyObject, filename: &PyObject, startstr: &str) -> PyResult<Ref<SymtableEntry>> {
        let filename = evaluate::file_name(filename)?;
        let mode = match startstr {
            "exec" => Mode::Exec,
            "eval" => Mode::Eval,
            "single" => Mode::Single,
            _ => {
                return Err(raise!(
                    ValueError,
                    "symtable() arg 3 must be 'exec' or 'eval' or 'single'"
                ));
            }
        };
        let text = evaluate::source_text(source, "symtable", "string or bytes", &filename)?;
        match adder_compiler::symbol_table(&text, mode, &CompileOpts::default()) {
            Ok(table) => entry(&table, table.top),
            Err(error) => Err(raise_compile_error(&error, &filename)),
        }
    }
}

const CONSTANTS: &[(&str, u32)] = &[
    ("USE", flags::USE),
    ("DEF_GLOBAL", flags::DEF_GLOBAL),
    ("DEF_NONLOCAL", flags::DEF_NONLOCAL),
    ("DEF_LOCAL", flags::DEF_LOCAL),
    ("DEF_PARAM", flags::DEF_PARAM),
    ("DEF_TYPE_PARAM", flags::DEF_TYPE_PARAM),
    ("DEF_FREE_CLASS", flags::DEF_FREE_CLASS),
    ("DEF_IMPORT", flags::DEF_IMPORT),
    (
        "DEF_BOUND",
        flags::DEF_LOCAL | flags::DEF_PARAM | flags::DEF_IMPORT,
    ),
    ("DEF_ANNOT", flags::DEF_ANNOT),
    ("DEF_COMP_ITER", flags::DEF_COMP_ITER),
    ("DEF_COMP_CELL", flags::DEF_COMP_CELL),
    ("TYPE_FUNCTION", 0),
    ("TYPE_CLASS", 1),
    ("TYPE_MODULE", 2),
    ("TYPE_ANNOTATION", 3),
    ("TYPE_TYPE_ALIAS", 4),
    ("TYPE_TYPE_PARAMETERS", 5),
    ("TYPE_TYPE_VARIABLE", 6),
    ("LOCAL", 1),
    ("GLOBAL_EXPLICIT", 2),
    ("GLOBAL_IMPLICIT", 3),
    ("FREE", 4),
    ("CELL", 5),
    ("SCOPE_OFF", flags::SCOPE_OFFSET),
    ("SCOPE_MASK", 15),
];

/// One scope.
#[repr(C)]
pub struct SymtableEntry {
    ob_base: PyObject,
    id: Ref,
    name: Ref,
    symbols: Ref,
    varnames: Ref,
    children: Ref,
    nested: c_int,
    kind: c_int,
    lineno: c_int,
}

#[pytype(
    name = "symtable entry",
    static_name = SYMTABLE_ENTRY_TYPE,
    flags = DISALLOW_INSTANTIATION,
    members = [
        ("id", Py_T_OBJECT_EX, offset_of!(SymtableEntry, id), Py_READONLY),
        ("name", Py_T_OBJECT_EX, offset_of!(SymtableEntry, name), Py_READONLY),
        ("symbols", Py_T_OBJECT_EX, offset_of!(SymtableEntry, symbols), Py_READONLY),
        ("varnames", Py_T_OBJECT_EX, offset_of!(SymtableEntry, varnames), Py_READONLY),
        ("children", Py_T_OBJECT_EX, offset_of!(SymtableEntry, children), Py_READONLY),
        ("nested", Py_T_INT, offset_of!(SymtableEntry, nested), Py_READONLY),
        ("type", Py_T_INT, offset_of!(SymtableEntry, kind), Py_READONLY),
        ("lineno", Py_T_INT, offset_of!(SymtableEntry, lineno), Py_READONLY),
    ],
)]
impl SymtableEntry {
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(format!(
            "<symtable entry {}({}), line {}>",
            self.name.str()?.to_string_lossy(),
            self.id.str()?.to_string_lossy(),
            self.lineno
        ))
    }
}

fn interned(text: &str) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::intern(PyUnicodeObject::from_str(text))
}

fn kind_number(block: &Block) -> c_int {
    match block.kind {
        BlockKind::Function => 0,
        BlockKind::Class => 1,
        BlockKind::Module => 2,
        BlockKind::Annotation => 3,
        BlockKind::TypeAlias => 4,
        BlockKind::TypeParameters => 5,
        BlockKind::TypeVariable => 6,
    }
}

/// A scope and those inside it. Its block's address in the table identifies it.
fn entry(table: &SymbolTable, block_id: usize) -> PyResult<Ref<SymtableEntry>> {
    adder_runtime::protocol::enter_native_call(" in symtable")?;
    let block = &table.blocks[block_id];
    let symbols = PyDictObject::with_capacity(block.symbols.len());
    // The compiler makes the set of executed annotations known to the scope that looks at it; no program names it there.
    let is_hidden = |name: &str| block.kind == BlockKind::Annotation && name == "__conditional_annotations__";
    for (name, flags) in block.symbols.iter().filter(|(name, _)| !is_hidden(name)) {
        symbols.set_str(
            &interned(name),
            PyLongObject::from_u64(u64::from(*flags)).as_object(),
        )?;
    }
    let varnames = block
        .varnames
        .iter()
        .map(|name| interned(name).into_object())
        .collect();
    let children = PyListObject::new();
    for child in &block.children {
        children.push(entry(table, *child)?.into_object());
    }
    Ref::new(SymtableEntry {
        ob_base: adder_runtime::memory::blank_header(),
        id: PyLongObject::from_usize(std::ptr::from_ref(block) as usize).into_object(),
        // The table knows nameless functions by what they are.
        name: interned(block.name.trim_start_matches('<').trim_end_matches('>')).into_object(),
        symbols: symbols.into_object(),
        varnames: PyListObject::from_vec(varnames).into_object(),
        children: children.into_object(),
        nested: c_int::from(block.nested),
        kind: kind_number(block),
        lineno: if block.kind == BlockKind::Module {
            0
        } else {
            block.pos.line
        },
    })
}
