//! IR with labels -> `CodeObject`: drops unreachable code, proven CHECK_BOUNDs and idle NOPs, lays out localsplus and words,
//! builds the exception and location tables.

use super::ir::*;
use super::{bound, cold};
use crate::bytecode::code_flags;
use crate::bytecode::opcode::{NO_REG, SRC_CONST, SRC_TAKE};
use crate::bytecode::{
    CodeObject, Constant, ExceptionEntry, Ext, Instr, LocalKind, LocationTable, Opcode, Operand, Position,
    PyStr,
};
use crate::error::{CompileError, ErrorKind, Result};

/// What the code object needs to know beyond its instructions.
pub struct Meta {
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub flags: u32,
    pub name: PyStr,
    pub qualname: PyStr,
    pub filename: PyStr,
    pub firstlineno: u32,
}

struct Layout {
    n_locals: u32,
    /// Register of each cell.
    cell_regs: Vec<u32>,
    first_free: u32,
    first_temp: u32,
}

pub fn assemble(mut code: Code, meta: Meta) -> Result<CodeObject> {
    if let Some(message) = code.overflow {
        return Err(CompileError::plain(ErrorKind::OverflowError, message));
    }
    for at in 0..code.ins.len() {
        let ins = &mut code.ins[at];
        if ins.op == Opcode::JUMP && code.labels[ins.target.0 as usize] as usize <= at {
            ins.op = Opcode::JUMP_BACKWARD;
        }
    }
    thread_jumps(&mut code);
    duplicate_exits(&mut code);
    let reachable = reachable(&code);
    let mut keep = reachable.clone();
    bound::drop_proven_checks(&code, &reachable, n_arguments(&code), &mut keep);
    spread_positions(&mut code, &keep);
    cold::move_cold_to_end(&mut code, &mut keep);
    drop_idle(&mut code, &mut keep);

    prune_constants(&mut code, &keep, meta.flags & code_flags::HAS_DOCSTRING != 0);
    let (layout, names, kinds) = lay_out(&code);
    if u64::from(layout.first_temp) + u64::from(code.max_depth) > 0x3FFF {
        return Err(CompileError::plain(
            ErrorKind::OverflowError,
            "too many local variables and temporaries",
        ));
    }
    let mut word_of = Vec::with_capacity(code.ins.len() + 1);
    let mut n_words = 0u32;
    for (ins, keep) in code.ins.iter().zip(&keep) {
        word_of.push(n_words);
        if *keep {
            n_words += ins.op.words() as u32;
        }
    }
    word_of.push(n_words);

    let target = |label: Label| word_of[code.labels[label.0 as usize] as usize];
    let mut instructions = Vec::with_capacity(n_words as usize);
    let mut locations = LocationTable::default();
    let mut exception_table: Vec<ExceptionEntry> = Vec::new();
    for (at, ins) in code.ins.iter().enumerate() {
        if !keep[at] {
            continue;
        }
        let start = instructions.len() as u32;
        locations.push(start, ins.pos);
        encode(ins, &layout, &target, &mut instructions);
        if ins.handler != NO_HANDLER {
            let handler = code.handlers[ins.handler as usize];
            let entry = ExceptionEntry {
                start,
                end: instructions.len() as u32,
                handler: target(handler.label),
                depth: handler.depth as u16,
                lasti: handler.lasti,
            };
            match exception_table.last_mut() {
                Some(last)
                    if last.end == start
                        && (last.handler, last.depth, last.lasti)
                            == (entry.handler, entry.depth, entry.lasti) =>
                {
                    last.end = entry.end;
                }
                _ => exception_table.push(entry),
            }
        }
    }
    Ok(CodeObject {
        argcount: meta.argcount,
        posonlyargcount: meta.posonlyargcount,
        kwonlyargcount: meta.kwonlyargcount,
        flags: meta.flags,
        name: meta.name,
        qualname: meta.qualname,
        filename: meta.filename,
        firstlineno: meta.firstlineno,
        names: code.names.keys().map(|name| PyStr::from(name.as_str())).collect(),
        localsplus_names: names,
        localsplus_kinds: kinds,
        nlocals: layout.n_locals,
        n_temps: code.max_depth,
        consts: code.consts.into_iter().collect::<Vec<Constant>>(),
        instructions,
        exception_table,
        locations,
    })
}

/// Drops the constants that no kept instruction uses; the first stays if it is the docstring.
fn prune_constants(code: &mut Code, keep: &[bool], documented: bool) {
    let mut used = vec![false; code.consts.len()];
    if let Some(first) = used.first_mut() {
        *first = documented;
    }
    let direct = |ins: &Ins| match (ins.op, ins.op.info().ext) {
        (Opcode::LOAD_CONST, _) => Some(ins.b.index()),
        (_, Ext::Const(_)) => Some(ins.ext.index()),
        _ => None,
    };
    for (ins, _) in code.ins.iter().zip(keep).filter(|(_, keep)| **keep) {
        for opnd in [ins.a, ins.b, ins.c, ins.ext] {
            if opnd.space() == Space::Const {
                used[opnd.index() as usize] = true;
            }
        }
        if let Some(index) = direct(ins) {
            used[index as usize] = true;
        }
    }
    if used.iter().all(|used| *used) {
        return;
    }
    let mut number = 0;
    let renumbered: Vec<u32> = used
        .iter()
        .map(|used| {
            number += u32::from(*used);
            number.saturating_sub(1)
        })
        .collect();
    let mut kept = used.iter();
    code.consts.retain(|_| kept.next().copied().unwrap_or(false));
    for (ins, _) in code.ins.iter_mut().zip(keep).filter(|(_, keep)| **keep) {
        if let Some(index) = direct(ins) {
            let new = Opnd::raw(renumbered[index as usize]);
            if ins.op == Opcode::LOAD_CONST {
                ins.b = new;
            } else {
                ins.ext = new;
            }
        }
        for opnd in [&mut ins.a, &mut ins.b, &mut ins.c, &mut ins.ext] {
            if opnd.space() == Space::Const {
                *opnd = Opnd::new(Space::Const, renumbered[opnd.index() as usize]);
            }
        }
    }
}

fn n_arguments(code: &Code) -> u32 {
    code.locals.iter().filter(|(_, info)| info.kind != 0).count() as u32
}

fn lay_out(code: &Code) -> (Layout, Vec<PyStr>, Vec<LocalKind>) {
    let mut names: Vec<PyStr> = Vec::new();
    let mut kinds: Vec<LocalKind> = Vec::new();
    for (name, info) in &code.locals {
        names.push(PyStr::from(name.as_str()));
        let hidden = if info.hidden { LocalKind::HIDDEN } else { 0 };
        kinds.push(LocalKind(info.kind | hidden | LocalKind::LOCAL));
    }
    let n_locals = names.len() as u32;
    let mut cell_regs = Vec::new();
    for (name, info) in &code.cells {
        let parameter = match code.local_index.get(name) {
            Some(index) if !info.hidden && code.locals[*index as usize].1.kind != 0 => Some(*index),
            _ => None,
        };
        match parameter {
            Some(index) => {
                kinds[index as usize].0 |= LocalKind::CELL;
                cell_regs.push(index);
            }
            None => {
                cell_regs.push(names.len() as u32);
                names.push(PyStr::from(name.as_str()));
                let hidden = if info.hidden { LocalKind::HIDDEN } else { 0 };
                kinds.push(LocalKind(LocalKind::CELL | hidden));
            }
        }
    }
    let first_free = names.len() as u32;
    for name in &code.frees {
        names.push(PyStr::from(name.as_str()));
        kinds.push(LocalKind(LocalKind::FREE));
    }
    let first_temp = names.len() as u32;
    (
        Layout {
            n_locals,
            cell_regs,
            first_free,
            first_temp,
        },
        names,
        kinds,
    )
}

/// A conditional or forward jump to a forward jump goes where that one goes.
fn thread_jumps(code: &mut Code) {
    for at in 0..code.ins.len() {
        let mut hops = 0;
        loop {
            let ins = &code.ins[at];
            if ins.target == Label::NONE || matches!(ins.op, Opcode::FOR_ITER | Opcode::SEND) {
                break;
            }
            let to = code.labels[ins.target.0 as usize] as usize;
            let Some(next) = code.ins.get(to) else { break };
            if next.op != Opcode::JUMP || to <= at || hops > 8 {
                break;
            }
            let beyond = code.labels[next.target.0 as usize] as usize;
            if beyond <= to || next.pos.line >= 0 && next.pos.line != ins.pos.line {
                break;
            }
            code.ins[at].target = next.target;
            hops += 1;
        }
    }
}

fn reachable(code: &Code) -> Vec<bool> {
    let mut seen = vec![false; code.ins.len()];
    let mut handler_seen = vec![false; code.handlers.len()];
    let mut work = vec![0usize];
    while let Some(mut at) = work.pop() {
        while let Some(ins) = code.ins.get(at) {
            if std::mem::replace(&mut seen[at], true) {
                break;
            }
            if ins.handler != NO_HANDLER && !std::mem::replace(&mut handler_seen[ins.handler as usize], true)
            {
                work.push(code.labels[code.handlers[ins.handler as usize].label.0 as usize] as usize);
            }
            if ins.target != Label::NONE {
                work.push(code.labels[ins.target.0 as usize] as usize);
            }
            if ins.op.ends_block() {
                break;
            }
            at += 1;
        }
    }
    seen
}

/// Each way to an implicit `return None` (and the few instructions before it) gets its own, so that it shows the line it was
/// reached from.
fn duplicate_exits(code: &mut Code) {
    const MAX_LEN: usize = 6;
    let exit_at = |code: &Code, start: usize| -> Option<Vec<Ins>> {
        let mut exit = Vec::new();
        for ins in code.ins.iter().skip(start).take(MAX_LEN) {
            if ins.pos != Position::NONE || ins.target != Label::NONE {
                return None;
            }
            exit.push(*ins);
            if ins.op == Opcode::RETURN_VALUE {
                return Some(exit);
            }
        }
        None
    };
    let mut copies: Vec<(usize, i32, Label, Vec<Ins>)> = Vec::new();
    for at in 0..code.ins.len() {
        let ins = code.ins[at];
        if ins.target == Label::NONE {
            continue;
        }
        let start = code.labels[ins.target.0 as usize] as usize;
        let Some(mut exit) = exit_at(code, start) else {
            continue;
        };
        if ins.op == Opcode::JUMP && exit.len() == 1 {
            code.ins[at] = Ins {
                pos: ins.pos,
                ..exit[0]
            };
            continue;
        }
        let known = copies
            .iter()
            .find(|copy| copy.0 == start && copy.1 == ins.pos.line && copy.1 >= 0);
        let known = known.map(|copy| copy.2);
        code.ins[at].target = known.unwrap_or_else(|| {
            code.labels.push(u32::MAX);
            let label = Label(code.labels.len() as u32 - 1);
            exit.iter_mut().for_each(|copy| copy.pos = ins.pos);
            copies.push((start, ins.pos.line, label, exit));
            label
        });
    }
    for (.., label, exit) in copies {
        code.labels[label.0 as usize] = code.ins.len() as u32;
        code.ins.extend(exit);
    }
}

/// Gives instructions without a position that of the only instruction that leads to them; those that several lead to have
/// no line of their own.
fn spread_positions(code: &mut Code, keep: &[bool]) {
    let n = code.ins.len();
    let mut n_jumps = vec![0u32; n + 1];
    let mut from_jump: Vec<Position> = vec![Position::NONE; n + 1];
    for (ins, _) in code.ins.iter().zip(keep).filter(|(_, keep)| **keep) {
        if ins.target != Label::NONE {
            n_jumps[code.labels[ins.target.0 as usize] as usize] += 1;
        }
    }
    // A label may stand before dropped instructions.
    let mut last: Option<Position> = None;
    let mut pending = 0;
    let mut pending_from = Position::NONE;
    for at in 0..n {
        pending += n_jumps[at];
        if from_jump[at] != Position::NONE {
            pending_from = from_jump[at];
        }
        if !keep[at] {
            continue;
        }
        if code.ins[at].pos == Position::NONE {
            match (last, pending) {
                (Some(pos), 0) => code.ins[at].pos = pos,
                (None, 1) => code.ins[at].pos = pending_from,
                _ => {}
            }
        }
        (pending, pending_from) = (0, Position::NONE);
        let ins = &code.ins[at];
        last = (!ins.op.ends_block()).then_some(ins.pos);
        if ins.target != Label::NONE {
            let to = code.labels[ins.target.0 as usize] as usize;
            if from_jump[to] == Position::NONE {
                from_jump[to] = ins.pos;
            }
        }
    }
}

/// Drops jumps to the next instruction and NOPs whose line is also a neighbour's.
fn drop_idle(code: &mut Code, keep: &mut [bool]) {
    let n = code.ins.len();
    // next_kept[i]: first kept instruction at or after i.
    let mut next_kept = vec![n; n + 1];
    for at in (0..n).rev() {
        let ins = code.ins[at];
        next_kept[at] = next_kept[at + 1];
        if !keep[at] {
            continue;
        }
        if ins.op == Opcode::JUMP
            && next_kept[code.labels[ins.target.0 as usize] as usize] == next_kept[at + 1]
            && code.labels[ins.target.0 as usize] as usize > at
        {
            code.ins[at].op = Opcode::NOP;
            code.ins[at].target = Label::NONE;
        }
        if code.ins[at].op == Opcode::NOP {
            let next_line = code.ins.get(next_kept[at + 1]).map(|next| next.pos.line);
            if ins.pos.line < 0 || next_line == Some(ins.pos.line) {
                keep[at] = false;
                continue;
            }
        }
        next_kept[at] = at;
    }
    let mut last_line = -1;
    for (ins, keep) in code.ins.iter().zip(keep).filter(|(_, keep)| **keep) {
        if ins.op == Opcode::NOP && ins.pos.line == last_line {
            *keep = false;
            continue;
        }
        last_line = if ins.op.ends_block() { -1 } else { ins.pos.line };
    }
}

fn encode(ins: &Ins, layout: &Layout, target: &impl Fn(Label) -> u32, out: &mut Vec<Instr>) {
    let info = ins.op.info();
    let register = |opnd: Opnd| -> u16 {
        let number = match opnd.space() {
            Space::Raw => opnd.index(),
            Space::Local => opnd.index(),
            Space::Cell => layout.cell_regs[opnd.index() as usize],
            Space::Free => layout.first_free + opnd.index(),
            Space::Temp => layout.first_temp + opnd.index(),
            Space::Const => opnd.index() | u32::from(SRC_CONST),
            Space::Absent => u32::from(NO_REG),
        };
        number as u16
    };
    let operand = |kind: Operand, opnd: Opnd| match kind {
        Operand::Src | Operand::SrcOpt if opnd.is_take() => register(opnd) | SRC_TAKE,
        _ => register(opnd),
    };
    let mut word = Instr {
        op: ins.op as u8,
        x: ins.x,
        a: operand(info.a, ins.a),
        b: operand(info.b, ins.b),
        c: operand(info.c, ins.c),
    };
    if info.b == Operand::Target {
        let number = if ins.target != Label::NONE {
            target(ins.target)
        } else {
            ins.b.index()
        };
        word.b = number as u16;
        word.c = (number >> 16) as u16;
    }
    out.push(word);
    let words = info.ext.words();
    if words == 0 {
        return;
    }
    let first = match info.ext {
        Ext::Target(_) => u64::from(target(ins.target)),
        Ext::Const(_) | Ext::Name(_) => u64::from(ins.ext.index()),
        Ext::Src(_) => u64::from(operand(Operand::SrcOpt, ins.ext)),
        Ext::SrcCount(_) => u64::from(operand(Operand::Src, ins.ext)) | u64::from(ins.ext_count) << 16,
        Ext::Cache(_) | Ext::No => 0,
    };
    out.push(Instr::from_u64(first));
    out.extend(std::iter::repeat_n(Instr::default(), words - 1));
}
