//! code object -> its instructions as tuples, which `Lib/dis.py` of this crate shows. The texts are the compiler's.

use adder_compiler::bytecode::code::SrcOperand;
use adder_compiler::bytecode::opcode::NO_REG;
use adder_compiler::bytecode::{
    CodeObject, Constant, Ext, Instr, LocalKind, OpInfo, Opcode, Operand, PyStr, disasm,
};
use adder_runtime::prelude::*;

/// Byte offsets that Python sees count two a word.
pub const BYTES_PER_WORD: usize = 2;

fn int(value: usize) -> Ref {
    PyLongObject::from_usize(value).into_object()
}

fn text(value: &str) -> Ref {
    PyUnicodeObject::from_str(value).into_object()
}

fn py_str(object: &PyObject) -> PyStr {
    object
        .downcast::<PyUnicodeObject>()
        .map_or_else(PyStr::default, |text| PyStr::from_wtf8(text.to_wtf8()))
}

/// What an operand's text needs to know of a constant.
fn constant(object: &PyObject) -> PyResult<Constant> {
    if let Some(code) = object.downcast::<PyCodeObject>() {
        let inner = CodeObject {
            name: py_str(code.name().as_object()),
            ..CodeObject::default()
        };
        return Ok(Constant::Code(Box::new(inner)));
    }
    match crate::ast::constant(object) {
        Ok(constant) => Ok(constant),
        // Not one that source text can have: `code.replace` took it.
        Err(raised) => {
            raised.clear();
            Ok(Constant::Str(py_str(object.repr()?.as_object())))
        }
    }
}

/// The parts of a code object that its disassembly shows.
fn shown_code(code: &PyCodeObject, adaptive: bool) -> PyResult<CodeObject> {
    let data = code.data();
    let words = if adaptive {
        data.words.iter().map(|word| word.get()).collect()
    } else {
        data.pristine_words()
    };
    let names = |names: &PyTupleObject| names.as_slice().iter().map(|name| py_str(name)).collect();
    Ok(CodeObject {
        names: names(code.names()),
        localsplus_names: names(code.localsplus_names()),
        localsplus_kinds: data.kinds.iter().map(|kind| LocalKind(*kind)).collect(),
        consts: code
            .consts()
            .as_slice()
            .iter()
            .map(|item| constant(item))
            .collect::<PyResult<_>>()?,
        instructions: words.into_iter().map(Instr::from_u64).collect(),
        ..CodeObject::default()
    })
}

/// All instructions of a code object: (name, opcode, operands, argval, argrepr, word offset, words, jump target or None).
/// `operands` is a tuple of (kind, value): ('name', 'x'), ('const', object), ('register', 'x'), ('target', offset),
/// ('number', 3), ('none', None).
pub fn instructions(code: &PyCodeObject, adaptive: bool) -> PyResult<Ref<PyListObject>> {
    let shown = shown_code(code, adaptive)?;
    let list = PyListObject::new();
    let mut at = 0;
    while at < shown.instructions.len() {
        let ins = shown.instructions[at];
        let Some(op) = Opcode::from_u8(ins.op) else {
            return Err(raise!(ValueError, "code has an invalid opcode: {}", ins.op));
        };
        let info = op.info();
        let operands = operands(code, &shown, at, info);
        let full = disasm::instruction(&shown, at);
        let argrepr = full.strip_prefix(info.name).unwrap_or(&full).trim_start();
        let find = |kind: &str| {
            operands
                .iter()
                .find(|operand| operand.0 == kind)
                .map(|operand| operand.1.clone())
        };
        let target = find("target");
        let loads_constant = matches!(info.generic, Opcode::LOAD_CONST | Opcode::RETURN_VALUE);
        let argval = find("name")
            .or_else(|| target.clone())
            .or_else(|| find("const").filter(|_| loads_constant))
            .unwrap_or_else(|| {
                if argrepr.is_empty() {
                    none_ref()
                } else {
                    text(argrepr)
                }
            });
        let operands = operands
            .into_iter()
            .map(|(kind, value)| PyTupleObject::from_vec(vec![text(kind), value]).into_object())
            .collect();
        let words = op.words().max(1);
        list.push(
            PyTupleObject::from_vec(vec![
                text(info.name),
                int(usize::from(ins.op)),
                PyTupleObject::from_vec(operands).into_object(),
                argval,
                text(argrepr),
                int(at * BYTES_PER_WORD),
                int(words),
                target.unwrap_or_else(none_ref),
            ])
            .into_object(),
        );
        at += words;
    }
    Ok(list)
}

type ShownOperand = (&'static str, Ref);

fn operands(code: &PyCodeObject, shown: &CodeObject, at: usize, info: &OpInfo) -> Vec<ShownOperand> {
    let ins = shown.instructions[at];
    let ext = shown.instructions.get(at + 1).map_or(0, |word| word.to_u64());
    let register = |raw: u16| -> ShownOperand {
        if raw == NO_REG {
            return ("none", none_ref());
        }
        match code.localsplus_names().as_slice().get(usize::from(raw)) {
            Some(name) => ("register", name.to_ref()),
            None => ("register", text(&format!("t{}", raw - shown.first_temp()))),
        }
    };
    let named = |index: usize| ("name", code.names().get(index).unwrap_or_else(none_ref));
    let constant = |index: usize| ("const", code.consts().get(index).unwrap_or_else(none_ref));
    let source = |raw: u16| match SrcOperand::decode(raw) {
        SrcOperand::Const(index) => constant(usize::from(index)),
        SrcOperand::Borrow(reg) | SrcOperand::Take(reg) => register(reg),
        SrcOperand::Absent => ("none", none_ref()),
    };
    let target = |word: u32| ("target", int(word as usize * BYTES_PER_WORD));
    let mut operands = Vec::new();
    for (kind, raw) in [(info.a, ins.a), (info.b, ins.b), (info.c, ins.c)] {
        operands.push(match kind {
            Operand::No => continue,
            Operand::Dst | Operand::Reg | Operand::Cell | Operand::Base => register(raw),
            Operand::Src | Operand::SrcOpt => source(raw),
            Operand::Name => named(usize::from(raw)),
            Operand::Count | Operand::Imm => ("number", int(usize::from(raw))),
            Operand::Target if info.generic == Opcode::LOAD_CONST => constant(ins.target() as usize),
            Operand::Target => target(ins.target()),
        });
    }
    if info.x {
        operands.push(("number", int(usize::from(ins.x))));
    }
    match info.ext {
        Ext::Target(_) => operands.push(target(ext as u32)),
        Ext::Const(_) => operands.push(constant(ext as u32 as usize)),
        Ext::Name(_) => operands.push(named(ext as u32 as usize)),
        Ext::Src(_) => operands.push(source(ext as u16)),
        Ext::SrcCount(_) => {
            operands.push(source(ext as u16));
            operands.push(("number", int(usize::from((ext >> 16) as u16))));
        }
        Ext::Cache(_) | Ext::No => {}
    }
    operands
}
