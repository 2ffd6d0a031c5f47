//! Definite assignment of locals: finds the CHECK_BOUNDs that cannot fail. A forward dataflow analysis over basic blocks;
//! the state is the set of locals that are certainly bound.

use super::ir::*;
use crate::bytecode::{Opcode, Operand};

/// A set of locals.
#[derive(Clone, PartialEq)]
struct Bound(Box<[u64]>);

impl Bound {
    fn insert(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }
    fn remove(&mut self, index: u32) {
        self.0[index as usize / 64] &= !(1 << (index % 64));
    }
    fn contains(&self, index: u32) -> bool {
        self.0[index as usize / 64] >> (index % 64) & 1 != 0
    }
    /// Intersection; whether this set changed.
    fn meet(&mut self, other: &Bound) -> bool {
        let mut changed = false;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            let both = *mine & theirs;
            changed |= both != *mine;
            *mine = both;
        }
        changed
    }
}

struct Flow<'a> {
    code: &'a Code,
    /// State on entry of the block that starts at an instruction.
    entry: Vec<Option<Bound>>,
    work: Vec<usize>,
}

impl Flow<'_> {
    fn reach(&mut self, at: usize, state: &Bound) {
        let changed = match &mut self.entry[at] {
            Some(old) => old.meet(state),
            empty => {
                *empty = Some(state.clone());
                true
            }
        };
        if changed {
            self.work.push(at);
        }
    }

    fn label(&self, label: Label) -> usize {
        self.code.labels[label.0 as usize] as usize
    }
}

/// Clears `keep` for the checks that cannot fail.
pub(super) fn drop_proven_checks(code: &Code, reachable: &[bool], n_arguments: u32, keep: &mut [bool]) {
    if !code.ins.iter().any(|ins| ins.op == Opcode::CHECK_BOUND) {
        return;
    }
    let n_locals = code.locals.len();
    let mut start = Bound(vec![0; n_locals.div_ceil(64)].into());
    (0..n_arguments).for_each(|index| start.insert(index));
    let mut leader = vec![false; code.ins.len() + 1];
    for label in &code.labels {
        if let Some(flag) = leader.get_mut(*label as usize) {
            *flag = true;
        }
    }
    let mut flow = Flow {
        code,
        entry: vec![None; code.ins.len() + 1],
        work: Vec::new(),
    };
    flow.reach(0, &start);
    while let Some(block) = flow.work.pop() {
        let Some(mut state) = flow.entry[block].clone() else {
            continue;
        };
        let mut at = block;
        let mut told = NO_HANDLER;
        while let Some(ins) = code.ins.get(at) {
            if at != block && leader[at] {
                flow.reach(at, &state);
                break;
            }
            // The state only grows until something is unbound, so the handler needs to hear of the smallest ones.
            if ins.handler != NO_HANDLER && told != ins.handler {
                let handler = flow.label(code.handlers[ins.handler as usize].label);
                flow.reach(handler, &state);
                told = ins.handler;
            }
            if ins.target != Label::NONE {
                flow.reach(flow.label(ins.target), &state);
            }
            if apply(ins, &mut state) {
                told = NO_HANDLER;
            }
            if ins.op.ends_block() {
                break;
            }
            at += 1;
        }
    }
    // With the entry states settled, walk each block once more and judge the checks.
    for block in 0..code.ins.len() {
        let Some(mut state) = flow.entry[block].clone() else {
            continue;
        };
        let mut at = block;
        while let Some(ins) = code.ins.get(at) {
            if at != block && leader[at] {
                break;
            }
            if ins.op == Opcode::CHECK_BOUND && reachable[at] && state.contains(ins.a.index()) {
                keep[at] = false;
            }
            apply(ins, &mut state);
            if ins.op.ends_block() {
                break;
            }
            at += 1;
        }
    }
}

/// The state after an instruction; whether something was unbound.
fn apply(ins: &Ins, state: &mut Bound) -> bool {
    match ins.op {
        Opcode::CHECK_BOUND => {
            state.insert(ins.a.index());
            return false;
        }
        Opcode::DELETE_FAST => {
            state.remove(ins.a.index());
            return true;
        }
        Opcode::CLEAR if ins.a.is_local() => {
            state.remove(ins.a.index());
            return true;
        }
        Opcode::MOVE => {
            if ins.a.is_local() {
                // `ext_count`: what comes back may be empty.
                if ins.ext_count != 0 {
                    state.remove(ins.a.index());
                    return true;
                }
                state.insert(ins.a.index());
            }
            if ins.b.is_local() {
                state.remove(ins.b.index());
                return true;
            }
            return false;
        }
        Opcode::UNPACK_SEQUENCE if ins.a.is_local() => {
            (ins.a.index()..ins.a.index() + ins.c.index()).for_each(|index| state.insert(index));
            return false;
        }
        _ => {}
    }
    if ins.op.info().a == Operand::Dst && ins.a.is_local() {
        state.insert(ins.a.index());
    }
    false
}
