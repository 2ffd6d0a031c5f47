//! Code objects -> text: what `--dump=bytecode` and the golden tests print.

use super::code::SrcOperand;
use super::opcode::NO_REG;
use super::*;
use crate::unparse;
use std::fmt::Write;

/// A code object and, below it, those in its constants.
pub fn disassemble(code: &CodeObject) -> String {
    let mut out = String::new();
    one(&mut out, code);
    for constant in &code.consts {
        if let Constant::Code(inner) = constant {
            out.push('\n');
            out.push_str(&disassemble(inner));
        }
    }
    out
}

fn text(value: &PyStr) -> String {
    String::from_utf8_lossy(value.as_wtf8()).into_owned()
}

fn one(out: &mut String, code: &CodeObject) {
    let _ = writeln!(
        out,
        "{}: line {}, args {}+{}+{}, flags {:#x}, temps {}",
        text(&code.qualname),
        code.firstlineno,
        code.posonlyargcount,
        code.argcount - code.posonlyargcount,
        code.kwonlyargcount,
        code.flags,
        code.n_temps
    );
    if !code.localsplus_names.is_empty() {
        let names: Vec<String> = code
            .localsplus_names
            .iter()
            .zip(&code.localsplus_kinds)
            .map(|(name, kind)| {
                let mark = match kind {
                    k if k.is_free() => "^",
                    k if k.is_cell() => "&",
                    k if k.is_hidden() => "~",
                    _ => "",
                };
                format!("{mark}{}", text(name))
            })
            .collect();
        let _ = writeln!(out, "  locals: {}", names.join(" "));
    }
    let targets = jump_targets(code);
    let mut at = 0;
    let mut line = 0;
    while at < code.instructions.len() {
        let position = code.locations.at(at as u32);
        let shown = if position.line != line {
            position.line.to_string()
        } else {
            String::new()
        };
        line = position.line;
        let mark = if targets.contains(&(at as u32)) { ">>" } else { "" };
        let _ = writeln!(out, "{shown:>5} {mark:>2} {at:>4}  {}", instruction(code, at));
        at += Opcode::from_u8(code.instructions[at].op).map_or(1, Opcode::words);
    }
    for entry in &code.exception_table {
        let lasti = if entry.lasti { " lasti" } else { "" };
        let _ = writeln!(
            out,
            "  except {}..{} -> {} depth {}{lasti}",
            entry.start, entry.end, entry.handler, entry.depth
        );
    }
}

fn target_of(code: &CodeObject, at: usize) -> Option<u32> {
    let ins = code.instructions[at];
    let op = Opcode::from_u8(ins.op)?;
    match op.info().ext {
        Ext::Target(_) => Some(code.instructions[at + 1].ext_low()),
        _ if op.info().b == Operand::Target && op.info().generic != Opcode::LOAD_CONST => Some(ins.target()),
        _ => None,
    }
}

fn jump_targets(code: &CodeObject) -> Vec<u32> {
    let mut targets = Vec::new();
    let mut at = 0;
    while at < code.instructions.len() {
        targets.extend(target_of(code, at));
        at += Opcode::from_u8(code.instructions[at].op).map_or(1, Opcode::words);
    }
    targets.extend(code.exception_table.iter().map(|entry| entry.handler));
    targets
}

fn register(code: &CodeObject, reg: u16) -> String {
    if reg == NO_REG {
        return "_".into();
    }
    match code.localsplus_names.get(reg as usize) {
        Some(name) => text(name),
        None => format!("t{}", reg - code.first_temp()),
    }
}

fn source(code: &CodeObject, raw: u16) -> String {
    match SrcOperand::decode(raw) {
        SrcOperand::Const(index) => constant(code, index.into()),
        SrcOperand::Borrow(reg) => register(code, reg),
        SrcOperand::Take(reg) => format!("{}!", register(code, reg)),
        SrcOperand::Absent => "-".into(),
    }
}

fn constant(code: &CodeObject, index: u32) -> String {
    code.consts
        .get(index as usize)
        .map_or_else(|| format!("const?{index}"), unparse::constant)
}

/// What `x` means, where it has a name.
fn immediate(op: Opcode, x: u8) -> String {
    let named = match op {
        Opcode::BINARY_OP => BinaryOp::from_u8(x).map(|v| v.text()),
        Opcode::COMPARE_OP => CmpOp::from_u8(x).map(|v| v.text()),
        Opcode::CALL_INTRINSIC_1 => Intrinsic1::from_u8(x).map(|v| v.text()),
        Opcode::CALL_INTRINSIC_2 => Intrinsic2::from_u8(x).map(|v| v.text()),
        Opcode::LOAD_COMMON_CONSTANT => CommonConstant::from_u8(x).map(|v| v.text()),
        Opcode::LOAD_SPECIAL => SpecialMethod::from_u8(x).map(|v| v.text()),
        Opcode::SET_FUNCTION_ATTRIBUTE => FunctionAttribute::from_u8(x).map(|v| v.text()),
        Opcode::COMPARE_JUMP => {
            let op = CmpOp::from_u8(x & 7).map_or("?", |v| v.text());
            return if x & 8 != 0 {
                op.into()
            } else {
                format!("not {op}")
            };
        }
        _ => None,
    };
    named.map_or_else(|| x.to_string(), str::to_owned)
}

/// One instruction.
pub fn instruction(code: &CodeObject, at: usize) -> String {
    let ins = code.instructions[at];
    let Some(op) = Opcode::from_u8(ins.op) else {
        return format!("?{}", ins.op);
    };
    let info = op.info();
    let mut parts = Vec::new();
    for (kind, raw) in [(info.a, ins.a), (info.b, ins.b), (info.c, ins.c)] {
        parts.push(match kind {
            Operand::No => continue,
            Operand::Dst | Operand::Reg | Operand::Cell | Operand::Base => register(code, raw),
            Operand::Src | Operand::SrcOpt => source(code, raw),
            Operand::Name => code
                .names
                .get(raw as usize)
                .map_or("name?".into(), |name| format!(".{}", text(name))),
            Operand::Count | Operand::Imm => raw.to_string(),
            Operand::Target if info.generic == Opcode::LOAD_CONST => constant(code, ins.target()),
            Operand::Target => format!("->{}", ins.target()),
        });
    }
    if info.x {
        parts.push(format!("[{}]", immediate(info.generic, ins.x)));
    }
    let ext = code.instructions.get(at + 1).map_or(0, |word| word.to_u64());
    match info.ext {
        Ext::Target(_) => parts.push(format!("->{}", ext as u32)),
        Ext::Const(_) => parts.push(constant(code, ext as u32)),
        Ext::Name(_) => {
            parts.push(
                code.names
                    .get(ext as u32 as usize)
                    .map_or("name?".into(), |name| format!(".{}", text(name))),
            );
        }
        Ext::Src(_) => parts.push(source(code, ext as u16)),
        Ext::SrcCount(_) => parts.push(format!("{} {}", source(code, ext as u16), (ext >> 16) as u16)),
        Ext::Cache(_) | Ext::No => {}
    }
    format!("{:<22} {}", info.name, parts.join(", "))
        .trim_end()
        .to_owned()
}
