//! `_opcode`: the opcodes of the register bytecode, for `opcode` and `dis`.
//!
//! `Lib/` of this crate has `opcode.py`, `_opcode_metadata.py` and `dis.py` in place of CPython's, which describe a stack
//! machine. Names are the table's of `adder_compiler::bytecode::opcode`; operands are registers, constants, names.

mod instructions;

use adder_compiler::bytecode::opcode::{N_GENERIC, OPCODES};
use adder_compiler::bytecode::{Ext, Intrinsic1, Intrinsic2, OpInfo, Opcode, Operand, SpecialMethod};
use adder_runtime::prelude::*;

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

/// The row of an opcode that there is.
fn row(opcode: i32) -> Option<&'static OpInfo> {
    u8::try_from(opcode)
        .ok()
        .and_then(Opcode::from_u8)
        .map(Opcode::info)
}

fn has_operand(opcode: i32, wanted: impl Fn(Operand) -> bool) -> bool {
    row(opcode).is_some_and(|info| [info.a, info.b, info.c].into_iter().any(wanted))
}

/// Names by number; where a number is free, its own text.
fn numbered(zero: &str, name: impl Fn(u8) -> Option<String>) -> Ref<PyListObject> {
    let last = (0..=u8::MAX)
        .rev()
        .find(|number| name(*number).is_some())
        .unwrap_or(0);
    let names = (0..=last).map(|number| match name(number) {
        Some(name) => name,
        None if number == 0 => zero.to_owned(),
        None => format!("<{number}>"),
    });
    PyListObject::from_vec(
        names
            .map(|name| PyUnicodeObject::from_string(name).into_object())
            .collect(),
    )
}

/// What `stack_effect` tells.
fn effect_of(info: &OpInfo, count: i32) -> i32 {
    use Opcode::*;
    let operand = |kind: Operand| match kind {
        Operand::Dst => 1,
        Operand::Src | Operand::SrcOpt => -1,
        _ => 0,
    };
    let plain = operand(info.a) + operand(info.b) + operand(info.c);
    let further = match info.generic {
        // The step counts where there is one.
        BUILD_SLICE if count != 3 => 0,
        _ => -i32::from(matches!(info.ext, Ext::Src(_) | Ext::SrcCount(_))),
    };
    let group = match info.generic {
        BUILD_TUPLE | BUILD_LIST | BUILD_SET | BUILD_STRING => -count,
        BUILD_MAP => -2 * count,
        CALL | CALL_KW => -2 - count,
        CALL_EX => -3 - (count & 1),
        LOAD_METHOD | LOAD_SPECIAL => 2,
        LOAD_SUPER_ATTR => -3,
        LOAD_SUPER_METHOD => -1,
        BUILD_INTERPOLATION => -2 - (count >> 2 & 1),
        UNPACK_SEQUENCE => count,
        UNPACK_EX => 1 + (count & 0xFF) + (count >> 8),
        CLEAR | END_FOR | POP_EXCEPT | RERAISE => -1,
        CLEANUP_THROW | END_ASYNC_FOR => -2,
        PUSH_EXC_INFO | CHECK_EG_MATCH => 1,
        _ => 0,
    };
    plain + further + group
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
        row(opcode).is_some()
    }
    /// Whether the opcode uses its argument.
    #[pyfunction("($module, /, opcode)")]
    fn has_arg(opcode: i32) -> bool {
        has_operand(opcode, |operand| operand != Operand::No)
    }
    /// Whether the opcode loads a constant.
    #[pyfunction("($module, /, opcode)")]
    fn has_const(opcode: i32) -> bool {
        row(opcode)
            .is_some_and(|info| info.generic == Opcode::LOAD_CONST || matches!(info.ext, Ext::Const(_)))
    }
    /// Whether the opcode has an attribute or variable by name.
    #[pyfunction("($module, /, opcode)")]
    fn has_name(opcode: i32) -> bool {
        has_operand(opcode, |operand| operand == Operand::Name)
            || row(opcode).is_some_and(|info| matches!(info.ext, Ext::Name(_)))
    }
    /// Whether the opcode has a jump target.
    #[pyfunction("($module, /, opcode)")]
    fn has_jump(opcode: i32) -> bool {
        let is_constant = row(opcode).is_some_and(|info| info.generic == Opcode::LOAD_CONST);
        !is_constant && has_operand(opcode, |operand| operand == Operand::Target)
            || row(opcode).is_some_and(|info| matches!(info.ext, Ext::Target(_)))
    }
    /// Whether the opcode uses a free variable.
    #[pyfunction("($module, /, opcode)")]
    fn has_free(opcode: i32) -> bool {
        has_operand(opcode, |operand| operand == Operand::Cell)
    }
    /// Whether the opcode uses a local variable.
    #[pyfunction("($module, /, opcode)")]
    fn has_local(opcode: i32) -> bool {
        has_operand(opcode, |operand| {
            matches!(
                operand,
                Operand::Reg | Operand::Src | Operand::SrcOpt | Operand::Dst
            )
        })
    }
    /// Whether the opcode sets an exception handler.
    #[pyfunction("($module, /, opcode)")]
    fn has_exc(opcode: i32) -> bool {
        // Handlers are in the exception table alone.
        let _ = opcode;
        false
    }
    /// How many temporaries more are in use after the opcode than before, when all its operands are temporaries that it
    /// takes. `oparg` is the count of an opcode that has one.
    #[pyfunction("($module, opcode, oparg=None, /, *, jump=None)")]
    fn stack_effect(opcode: i32, oparg: Option<&PyObject>, jump: Option<&PyObject>) -> PyResult<i32> {
        if jump.is_some_and(|jump| !jump.is(true_()) && !jump.is(false_())) {
            return Err(raise!(ValueError, "stack_effect: jump must be False, True or None"));
        }
        let count = match oparg {
            Some(oparg) => oparg.index()?.as_i64()?,
            None => 0,
        };
        match (row(opcode), i32::try_from(count)) {
            (Some(info), Ok(count)) if count >= 0 => Ok(effect_of(info, count)),
            _ => Err(raise!(ValueError, "invalid opcode or oparg")),
        }
    }
    /// All opcodes: (name, opcode that it is a form of, words) by number.
    #[pyfunction("($module, /)")]
    fn _table() -> Ref<PyTupleObject> {
        let rows = OPCODES.iter().enumerate().map(|(number, info)| {
            let generic = if number < N_GENERIC {
                number
            } else {
                info.generic as usize
            };
            PyTupleObject::from_vec(vec![
                PyUnicodeObject::from_str(info.name).into_object(),
                PyLongObject::from_usize(generic).into_object(),
                PyLongObject::from_usize(1 + info.ext.words()).into_object(),
            ])
            .into_object()
        });
        PyTupleObject::from_vec(rows.collect())
    }
    /// The instructions of a code object.
    #[pyfunction("($module, code, /, adaptive=False)")]
    fn _instructions(code: &PyCodeObject, adaptive: bool) -> PyResult<Ref<PyListObject>> {
        instructions::instructions(code, adaptive)
    }
    /// The exception handlers of a code object: (start, end, target, depth, lasti), in offsets.
    #[pyfunction("($module, code, /)")]
    fn _exception_entries(code: &PyCodeObject) -> Ref<PyListObject> {
        let offset =
            |word: u32| PyLongObject::from_usize(word as usize * instructions::BYTES_PER_WORD).into_object();
        let rows = code.data().exceptions.iter().map(|entry| {
            PyTupleObject::from_vec(vec![
                offset(entry.start),
                offset(entry.end),
                offset(entry.handler),
                PyLongObject::from_usize(usize::from(entry.depth)).into_object(),
                py_bool(entry.lasti),
            ])
            .into_object()
        });
        PyListObject::from_vec(rows.collect())
    }
    /// Statistics of specialization, if they are gathered.
    #[pyfunction("($module, /)")]
    fn get_specialization_stats() {}
    /// Names and symbols of binary operators.
    #[pyfunction("($module, /)")]
    fn get_nb_ops() -> PyResult<Ref<PyListObject>> {
        let list = PyListObject::with_capacity(NB_OPS.len());
        for (name, symbol) in NB_OPS {
            let pair = [
                PyUnicodeObject::from_str(name).into_object(),
                PyUnicodeObject::from_str(symbol).into_object(),
            ];
            list.push(PyTupleObject::from_vec(pair.into()).into_object());
        }
        Ok(list)
    }
    /// Names of the unary intrinsics.
    #[pyfunction("($module, /)")]
    fn get_intrinsic1_descs() -> Ref<PyListObject> {
        numbered("INTRINSIC_1_INVALID", |number| {
            Intrinsic1::from_u8(number).map(|intrinsic| format!("INTRINSIC_{}", intrinsic.text()))
        })
    }
    /// Names of the binary intrinsics.
    #[pyfunction("($module, /)")]
    fn get_intrinsic2_descs() -> Ref<PyListObject> {
        numbered("INTRINSIC_2_INVALID", |number| {
            Intrinsic2::from_u8(number).map(|intrinsic| format!("INTRINSIC_{}", intrinsic.text()))
        })
    }
    /// Names of the special methods that with statements use.
    #[pyfunction("($module, /)")]
    fn get_special_method_names() -> Ref<PyListObject> {
        let methods = (0..).map_while(SpecialMethod::from_u8);
        PyListObject::from_vec(
            methods
                .map(|method| PyUnicodeObject::from_str(method.text()).into_object())
                .collect(),
        )
    }
    /// The executor at an offset: there are none of CPython's kind.
    #[pyfunction("($module, /, code, offset)")]
    fn get_executor(code: &PyObject, offset: i32) -> PyResult<()> {
        let _ = (code, offset);
        Err(raise!(RuntimeError, "Executors are not available in this build"))
    }
}
