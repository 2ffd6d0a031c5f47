//! `_opcode`: what `Lib/opcode.py` asks about the opcodes of `Lib/_opcode_metadata.py`.
//!
//! These are CPython 3.14's opcodes, which `dis` and `opcode` document. Adder's own register bytecode has no stack, so
//! `stack_effect` says that it cannot tell.

use adder_runtime::prelude::*;

/// Ranges of opcodes, both ends included.
type Ranges = &'static [(i64, i64)];

const ARG: Ranges = &[
    (44, 120), (128, 128), (143, 153), (155, 195), (197, 197), (200, 200), (209, 211), (237, 237), (239, 239), (241, 245),
    (247, 251), (253, 253), (255, 255), (257, 261), (263, 266),
];
const CONST: Ranges = &[(82, 82), (190, 191)];
const EXC: Ranges = &[(263, 265)];
const FREE: Ranges = &[(62, 62), (90, 90), (97, 97), (111, 111)];
const JUMP: Ranges = &[
    (68, 68), (70, 70), (75, 77), (100, 103), (106, 106), (172, 176), (237, 237), (248, 248), (257, 260),
];
const LOCAL: Ranges = &[(3, 3), (63, 63), (83, 89), (112, 114), (261, 261), (266, 266)];
const NAME: Ranges = &[
    (61, 61), (64, 65), (72, 73), (80, 80), (91, 93), (96, 96), (110, 110), (115, 116), (179, 179), (189, 189), (194, 195),
    (200, 200), (249, 249),
];
const VALID: Ranges = &[(0, 120), (128, 211), (234, 266)];

const NB_OPS: [(&str, &str); 27] = [
    ("NB_ADD", "+"),
    ("NB_AND", "&"),
    ("NB_FLOOR_DIVIDE", "//"),
    ("NB_LSHIFT", "<<"),
    ("NB_MATRIX_MULTIPLY", "@"),
    ("NB_MULTIPLY", "*"),
    ("NB_REMAINDER", "%"),
    ("NB_OR", "|"),
    ("NB_POWER", "**"),
    ("NB_RSHIFT", ">>"),
    ("NB_SUBTRACT", "-"),
    ("NB_TRUE_DIVIDE", "/"),
    ("NB_XOR", "^"),
    ("NB_INPLACE_ADD", "+="),
    ("NB_INPLACE_AND", "&="),
    ("NB_INPLACE_FLOOR_DIVIDE", "//="),
    ("NB_INPLACE_LSHIFT", "<<="),
    ("NB_INPLACE_MATRIX_MULTIPLY", "@="),
    ("NB_INPLACE_MULTIPLY", "*="),
    ("NB_INPLACE_REMAINDER", "%="),
    ("NB_INPLACE_OR", "|="),
    ("NB_INPLACE_POWER", "**="),
    ("NB_INPLACE_RSHIFT", ">>="),
    ("NB_INPLACE_SUBTRACT", "-="),
    ("NB_INPLACE_TRUE_DIVIDE", "/="),
    ("NB_INPLACE_XOR", "^="),
    ("NB_SUBSCR", "[]"),
];

fn within(ranges: Ranges, opcode: i32) -> bool {
    let opcode = i64::from(opcode);
    ranges.iter().any(|(low, high)| (*low..=*high).contains(&opcode))
}

fn names(names: &[&str]) -> Ref<PyListObject> {
    PyListObject::from_vec(names.iter().map(|name| PyUnicodeObject::from_str(name).into_object()).collect())
}

/// Opcode support module.
#[pymodule(name = "_opcode", types = [])]
pub mod _opcode {
    use super::*;

    #[pyconst]
    const ENABLE_SPECIALIZATION: i32 = 1;
    #[pyconst]
    const ENABLE_SPECIALIZATION_FT: i32 = 1;

    /// Whether the opcode is one.
    #[pyfunction("($module, /, opcode)")]
    fn is_valid(opcode: i32) -> bool {
        within(VALID, opcode)
    }
    /// Whether the opcode uses its argument.
    #[pyfunction("($module, /, opcode)")]
    fn has_arg(opcode: i32) -> bool {
        within(ARG, opcode)
    }
    /// Whether the opcode loads a constant.
    #[pyfunction("($module, /, opcode)")]
    fn has_const(opcode: i32) -> bool {
        within(CONST, opcode)
    }
    /// Whether the opcode has an attribute or variable by name.
    #[pyfunction("($module, /, opcode)")]
    fn has_name(opcode: i32) -> bool {
        within(NAME, opcode)
    }
    /// Whether the opcode has a jump target.
    #[pyfunction("($module, /, opcode)")]
    fn has_jump(opcode: i32) -> bool {
        within(JUMP, opcode)
    }
    /// Whether the opcode uses a free variable.
    #[pyfunction("($module, /, opcode)")]
    fn has_free(opcode: i32) -> bool {
        within(FREE, opcode)
    }
    /// Whether the opcode uses a local variable.
    #[pyfunction("($module, /, opcode)")]
    fn has_local(opcode: i32) -> bool {
        within(LOCAL, opcode)
    }
    /// Whether the opcode sets an exception handler.
    #[pyfunction("($module, /, opcode)")]
    fn has_exc(opcode: i32) -> bool {
        within(EXC, opcode)
    }
    /// The effect of an opcode on the stack: register bytecode has none.
    #[pyfunction("($module, opcode, oparg=None, /, *, jump=None)")]
    fn stack_effect(opcode: i32, _oparg: Option<&PyObject>, _jump: Option<&PyObject>) -> PyResult<i32> {
        if !within(VALID, opcode) {
            return Err(raise!(ValueError, "invalid opcode or oparg"));
        }
        Err(raise!(NotImplementedError, "stack_effect: Adder's bytecode works on registers, not on a stack"))
    }
    /// Statistics of specialization, if they are gathered.
    #[pyfunction("($module, /)")]
    fn get_specialization_stats() {}
    /// Names and symbols of binary operators.
    #[pyfunction("($module, /)")]
    fn get_nb_ops() -> PyResult<Ref<PyListObject>> {
        let list = PyListObject::with_capacity(NB_OPS.len());
        for (name, symbol) in NB_OPS {
            let pair = [PyUnicodeObject::from_str(name).into_object(), PyUnicodeObject::from_str(symbol).into_object()];
            list.push(PyTupleObject::from_vec(pair.into()).into_object());
        }
        Ok(list)
    }
    /// Names of the unary intrinsics.
    #[pyfunction("($module, /)")]
    fn get_intrinsic1_descs() -> Ref<PyListObject> {
        names(&[
            "INTRINSIC_1_INVALID",
            "INTRINSIC_PRINT",
            "INTRINSIC_IMPORT_STAR",
            "INTRINSIC_STOPITERATION_ERROR",
            "INTRINSIC_ASYNC_GEN_WRAP",
            "INTRINSIC_UNARY_POSITIVE",
            "INTRINSIC_LIST_TO_TUPLE",
            "INTRINSIC_TYPEVAR",
            "INTRINSIC_PARAMSPEC",
            "INTRINSIC_TYPEVARTUPLE",
            "INTRINSIC_SUBSCRIPT_GENERIC",
            "INTRINSIC_TYPEALIAS",
        ])
    }
    /// Names of the binary intrinsics.
    #[pyfunction("($module, /)")]
    fn get_intrinsic2_descs() -> Ref<PyListObject> {
        names(&[
            "INTRINSIC_2_INVALID",
            "INTRINSIC_PREP_RERAISE_STAR",
            "INTRINSIC_TYPEVAR_WITH_BOUND",
            "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
            "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
            "INTRINSIC_SET_TYPEPARAM_DEFAULT",
        ])
    }
    /// Names of the special methods that with statements use.
    #[pyfunction("($module, /)")]
    fn get_special_method_names() -> Ref<PyListObject> {
        names(&["__enter__", "__exit__", "__aenter__", "__aexit__"])
    }
    /// The executor at an offset: there are none of CPython's kind.
    #[pyfunction("($module, /, code, offset)")]
    fn get_executor(code: &PyObject, offset: i32) -> PyResult<()> {
        let _ = (code, offset);
        Err(raise!(RuntimeError, "Executors are not available in this build"))
    }
}
