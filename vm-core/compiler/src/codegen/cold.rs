//! Moves code that only runs after an exception behind the rest, so that the normal path falls through.

use super::ir::*;
use crate::bytecode::{Opcode, Position};

/// Reorders the instructions; `keep` goes along. Unreachable instructions must not be kept.
pub(super) fn move_cold_to_end(code: &mut Code, keep: &mut Vec<bool>) {
    let n = code.ins.len();
    let warm = warm(code);
    if (0..n).all(|at| warm[at] || !keep[at]) {
        return;
    }
    // A label's new place is that of the instruction it stands before, kept or not.
    let is_cold = |at: usize| keep[at] && !warm[at];
    let mut order: Vec<Option<usize>> = Vec::with_capacity(n);
    let mut joins: Vec<(usize, Label)> = Vec::new();
    for pass_cold in [false, true] {
        let mut at = 0;
        while at < n {
            let start = at;
            let cold = is_cold(at);
            while at < n && is_cold(at) == cold {
                at += 1;
            }
            if cold != pass_cold {
                continue;
            }
            order.extend((start..at).map(Some));
            // A run that falls through into the other kind gets a jump.
            let last = (start..at).rev().find(|i| keep[*i]);
            let falls = last.is_some_and(|last| !code.ins[last].op.ends_block());
            if falls && at < n {
                let label = Label(code.labels.len() as u32 + joins.len() as u32);
                joins.push((at, label));
                order.push(None);
            }
        }
    }
    code.labels.extend(joins.iter().map(|(at, _)| *at as u32));
    let mut new_place = vec![0u32; n + 1];
    let mut next_join = joins.iter();
    let mut ins = Vec::with_capacity(order.len());
    let mut new_keep = Vec::with_capacity(order.len());
    for entry in &order {
        match entry {
            Some(at) => {
                new_place[*at] = ins.len() as u32;
                ins.push(code.ins[*at]);
                new_keep.push(keep[*at]);
            }
            None => {
                let Some((_, label)) = next_join.next() else {
                    continue;
                };
                ins.push(Ins {
                    op: Opcode::JUMP,
                    x: 0,
                    a: Opnd::NO,
                    b: Opnd::NO,
                    c: Opnd::NO,
                    ext: Opnd::NO,
                    ext_count: 0,
                    target: *label,
                    pos: Position::NONE,
                    handler: NO_HANDLER,
                });
                new_keep.push(true);
            }
        }
    }
    new_place[n] = ins.len() as u32;
    // A label before a dropped instruction means the next kept one, in the old order.
    let mut next_kept = vec![n; n + 1];
    for at in (0..n).rev() {
        next_kept[at] = if keep[at] { at } else { next_kept[at + 1] };
    }
    for label in &mut code.labels {
        if *label != u32::MAX {
            *label = new_place[next_kept[*label as usize]];
        }
    }
    code.ins = ins;
    *keep = new_keep;
    // Only the jumps that went backwards before are loops.
    for at in 0..code.ins.len() {
        let ins = &mut code.ins[at];
        if ins.op == Opcode::JUMP && code.labels[ins.target.0 as usize] as usize <= at {
            ins.op = Opcode::JUMP_BACKWARD_NO_INTERRUPT;
        }
    }
}

/// What is reached without an exception.
fn warm(code: &Code) -> Vec<bool> {
    let mut seen = vec![false; code.ins.len()];
    let mut work = vec![0usize];
    while let Some(mut at) = work.pop() {
        while let Some(ins) = code.ins.get(at) {
            if std::mem::replace(&mut seen[at], true) {
                break;
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
