//! a code object from outside (`marshal`, `code.replace`) -> whether the interpreter may run it. The interpreter trusts its
//! bytecode; `verify` checks what the compiler made, this file what anybody may have made: numbers in range, registers that
//! are filled where they are read, and of the right kind where the interpreter does not look.
//!
//! Each register has the set of kinds that it may hold at each instruction, found by following all paths. What a debugger
//! may change, a local, is known only to be empty, a cell or anything else.

use super::opcode::{N_GENERIC, NO_REG, SRC_CONST, SRC_INDEX, SRC_TAKE};
use super::{BinaryOp, ExceptionEntry, Ext, FunctionAttribute, Instr, LocalKind, Opcode, Operand};
use std::collections::HashMap;

/// What a register or constant may hold: a set of the bits of `kind`.
pub type Kinds = u16;

pub mod kind {
    use super::Kinds;
    pub const EMPTY: Kinds = 1;
    pub const OTHER: Kinds = 2;
    pub const NONE: Kinds = 4;
    pub const LIST: Kinds = 8;
    pub const SET: Kinds = 16;
    pub const DICT: Kinds = 32;
    pub const TUPLE: Kinds = 64;
    /// A tuple of strings.
    pub const NAMES: Kinds = 128;
    /// A tuple of cells.
    pub const CELLS: Kinds = 256;
    pub const CELL: Kinds = 512;
    pub const STR: Kinds = 1024;
    pub const CODE: Kinds = 2048;
    pub const FUNCTION: Kinds = 4096;
    pub const EXCEPTION: Kinds = 8192;
    /// The word index that a handler wanted.
    pub const LASTI: Kinds = 16384;
    pub const ANY_TUPLE: Kinds = TUPLE | NAMES | CELLS;
}
use kind::*;

/// What is to be known of a code object.
pub struct Foreign<'a> {
    pub instructions: &'a [Instr],
    /// Kind and, of a tuple, length.
    pub consts: &'a [(Kinds, usize)],
    pub n_names: usize,
    /// `CO_FAST_*` bits of the local variables.
    pub local_kinds: &'a [u8],
    pub n_temps: usize,
    /// Local variables that a call fills.
    pub n_args: usize,
    /// Whether its flags say that it is a generator or coroutine.
    pub is_generator: bool,
    pub exceptions: &'a [ExceptionEntry],
}

type Check<T = ()> = Result<T, String>;

/// What is known before an instruction.
#[derive(Clone, PartialEq)]
struct State {
    registers: Vec<Kinds>,
    /// Whether the frame has become a generator's.
    generator: bool,
    /// The registers with what was being handled before each PUSH_EXC_INFO that no POP_EXCEPT has undone.
    handling: Vec<u16>,
}

/// Says what is wrong with a code object, if anything is.
pub fn admit(code: &Foreign<'_>) -> Check {
    let n_registers = code.local_kinds.len() + code.n_temps;
    if n_registers > SRC_INDEX as usize {
        return Err("too many registers".into());
    }
    let is_variable = |kinds: &u8| kinds & LocalKind::LOCAL != 0;
    if code.n_args > code.local_kinds.len() || !code.local_kinds[..code.n_args].iter().all(is_variable) {
        return Err("parameters that are no local variables".into());
    }
    let mut flow = Flow {
        code,
        n_registers,
        starts: vec![false; code.instructions.len()],
        reached: HashMap::new(),
        is_joint: vec![false; code.instructions.len()],
        work: Vec::new(),
    };
    flow.instructions()?;
    flow.exceptions()?;
    flow.follow()?;
    flow.loops()
}

struct Flow<'a> {
    code: &'a Foreign<'a>,
    n_registers: usize,
    /// Where instructions start.
    starts: Vec<bool>,
    /// States before the instructions that several others lead to.
    reached: HashMap<usize, State>,
    is_joint: Vec<bool>,
    work: Vec<usize>,
}

/// Where an instruction leads to, with the state there.
struct Next {
    falls: Option<State>,
    jumps: Option<(usize, State)>,
}

impl Flow<'_> {
    fn op_at(&self, at: usize) -> Check<Opcode> {
        let number = self.code.instructions[at].op;
        Opcode::from_u8(number)
            .filter(|op| (*op as usize) < N_GENERIC)
            .ok_or_else(|| format!("{at}: no opcode {number}"))
    }

    /// The extension word, 0 when there is none.
    fn ext(&self, at: usize) -> u64 {
        self.code.instructions.get(at + 1).map_or(0, |word| word.to_u64())
    }

    fn target(&self, at: usize, op: Opcode) -> Option<usize> {
        let info = op.info();
        match info.ext {
            Ext::Target(_) => Some(self.ext(at) as u32 as usize),
            _ if info.b == Operand::Target && op != Opcode::LOAD_CONST => {
                Some(self.code.instructions[at].target() as usize)
            }
            _ => None,
        }
    }

    /// Opcodes, and operands that need no state.
    fn instructions(&mut self) -> Check {
        let (mut at, code) = (0, self.code);
        while at < code.instructions.len() {
            self.starts[at] = true;
            let op = self.op_at(at)?;
            let (info, ins, ext) = (op.info(), code.instructions[at], self.ext(at) as u32 as usize);
            let names = [(info.a, ins.a), (info.b, ins.b), (info.c, ins.c)];
            let mut fits = names
                .iter()
                .all(|(kind, raw)| *kind != Operand::Name || (*raw as usize) < code.n_names);
            fits &= match info.ext {
                Ext::Name(_) => ext < code.n_names,
                Ext::Const(_) => ext < code.consts.len(),
                _ => true,
            };
            fits &= op != Opcode::LOAD_CONST || (ins.target() as usize) < code.consts.len();
            if !fits {
                return Err(format!("{at}: {}: an index is out of range", info.name));
            }
            at += op.words();
        }
        if at != code.instructions.len() {
            return Err("the last instruction is cut off".into());
        }
        for at in 0..code.instructions.len() {
            if self.starts[at]
                && let Some(target) = self.target(at, self.op_at(at)?)
            {
                self.mark(target)?;
            }
        }
        Ok(())
    }

    fn mark(&mut self, target: usize) -> Check {
        if !self.starts.get(target).copied().unwrap_or(false) {
            return Err(format!("a jump to {target}, which is no instruction"));
        }
        self.is_joint[target] = true;
        Ok(())
    }

    fn exceptions(&mut self) -> Check {
        let mut end = 0;
        for entry in self.code.exceptions {
            let needs = entry.depth as usize + usize::from(entry.lasti) + 1;
            if entry.start < end || entry.end <= entry.start || needs > self.code.n_temps {
                return Err("a bad entry in the exception table".into());
            }
            end = entry.end;
            self.mark(entry.handler as usize)?;
        }
        Ok(())
    }

    fn follow(&mut self) -> Check {
        let mut registers = vec![EMPTY; self.n_registers];
        registers[..self.code.n_args].fill(OTHER);
        if self.code.instructions.is_empty() {
            return Err("no instructions".into());
        }
        self.is_joint[0] = true;
        self.reach(
            0,
            State {
                registers,
                generator: false,
                handling: Vec::new(),
            },
        )?;
        while let Some(start) = self.work.pop() {
            let (mut at, mut state) = (start, self.reached[&start].clone());
            loop {
                let next = self.step(at, &state).map_err(|message| {
                    let name =
                        Opcode::from_u8(self.code.instructions[at].op).map_or("?", |op| op.info().name);
                    format!("{at}: {name}: {message}")
                })?;
                self.handle(at, &state, &next)?;
                if let Some((target, state)) = next.jumps {
                    self.reach(target, state)?;
                }
                let Some(falls) = next.falls else { break };
                at += self.op_at(at)?.words();
                if !self.starts.get(at).copied().unwrap_or(false) {
                    return Err("the end is left without a return".into());
                }
                if self.is_joint[at] {
                    self.reach(at, falls)?;
                    break;
                }
                state = falls;
            }
        }
        Ok(())
    }

    fn reach(&mut self, at: usize, state: State) -> Check {
        match self.reached.get_mut(&at) {
            None => {
                self.reached.insert(at, state);
                self.work.push(at);
            }
            Some(known) => {
                if known.generator != state.generator {
                    return Err(format!("{at}: reached as a generator and as none"));
                }
                if known.handling != state.handling {
                    return Err(format!("{at}: reached with different exceptions being handled"));
                }
                let mut changed = false;
                for (mine, theirs) in known.registers.iter_mut().zip(&state.registers) {
                    changed |= *mine | *theirs != *mine;
                    *mine |= *theirs;
                }
                if changed {
                    self.work.push(at);
                }
            }
        }
        Ok(())
    }

    fn handler(&self, at: usize) -> Option<ExceptionEntry> {
        let entries = self.code.exceptions;
        let n = entries.partition_point(|entry| entry.start as usize <= at);
        let entry = entries[n.checked_sub(1)?];
        (at < entry.end as usize).then_some(entry)
    }

    /// Each loop but one that waits for another iterator must pass an instruction that looks for signals, or it could not be
    /// interrupted.
    fn loops(&self) -> Check {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            OnPath,
            Done,
        }
        let mut seen = vec![Seen::Not; self.starts.len()];
        let mut path: Vec<(usize, [Option<usize>; 3])> = Vec::new();
        for root in 0..self.starts.len() {
            if self.starts[root] && seen[root] == Seen::Not {
                seen[root] = Seen::OnPath;
                path.push((root, self.uninterrupted(root)?));
            }
            while let Some((at, ways)) = path.last_mut() {
                let Some(next) = ways.iter_mut().find_map(Option::take) else {
                    seen[*at] = Seen::Done;
                    path.pop();
                    continue;
                };
                match seen[next] {
                    Seen::OnPath => return Err(format!("{next}: a loop that cannot be interrupted")),
                    Seen::Not => {
                        seen[next] = Seen::OnPath;
                        path.push((next, self.uninterrupted(next)?));
                    }
                    Seen::Done => {}
                }
            }
        }
        Ok(())
    }

    /// Where the instruction may lead to before signals are looked for.
    fn uninterrupted(&self, at: usize) -> Check<[Option<usize>; 3]> {
        let op = self.op_at(at)?;
        let handler = self.handler(at).map(|entry| entry.handler as usize);
        // What is never reached may fall off the end.
        let after = at + op.words();
        let falls = (!op.ends_block() && after < self.starts.len()).then_some(after);
        let jumps = self.target(at, op);
        Ok(match op {
            Opcode::JUMP_BACKWARD => [handler, None, None],
            Opcode::RESUME if self.code.instructions[at].x < 2 => [handler, None, None],
            Opcode::JUMP_BACKWARD_NO_INTERRUPT if self.waits(at, jumps)? => [handler, None, None],
            _ => [handler, jumps, falls],
        })
    }

    /// Whether the jump is the last of the four instructions that wait for another iterator: SEND, which leaves them when
    /// that ends, YIELD_VALUE, RESUME and the jump.
    fn waits(&self, at: usize, send: Option<usize>) -> Check<bool> {
        let send = send.unwrap_or(at);
        let mut next = send;
        for op in [Opcode::SEND, Opcode::YIELD_VALUE, Opcode::RESUME] {
            if !self.starts.get(next).copied().unwrap_or(false) || self.op_at(next)? != op {
                return Ok(false);
            }
            next += op.words();
        }
        let end = self.target(send, Opcode::SEND);
        Ok(next == at && end.is_some_and(|end| !(send..=at).contains(&end)))
    }

    /// An instruction may raise before, during and after its effects.
    fn handle(&mut self, at: usize, before: &State, next: &Next) -> Check {
        let unfinished = |handling: &[u16]| match self.op_at(at)?.info().raises && !handling.is_empty() {
            true => Err(format!(
                "{at}: an exception would leave another one being handled"
            )),
            false => Ok(()),
        };
        let Some(entry) = self.handler(at) else {
            return unfinished(&before.handling);
        };
        let mut state = before.clone();
        for after in [next.falls.as_ref(), next.jumps.as_ref().map(|jump| &jump.1)]
            .into_iter()
            .flatten()
        {
            for (mine, theirs) in state.registers.iter_mut().zip(&after.registers) {
                *mine |= *theirs;
            }
            state.generator = after.generator;
            state.handling.clone_from(&after.handling);
        }
        let mut temp = self.code.local_kinds.len() + entry.depth as usize;
        let kept = state
            .handling
            .partition_point(|register| (*register as usize) < temp);
        unfinished(&state.handling.split_off(kept))?;
        state.registers[temp..].fill(EMPTY);
        if entry.lasti {
            state.registers[temp] = LASTI;
            temp += 1;
        }
        state.registers[temp] = EXCEPTION;
        self.reach(entry.handler as usize, state)
    }

    fn step(&self, at: usize, before: &State) -> Check<Next> {
        let op = self.op_at(at)?;
        let mut step = Step {
            code: self.code,
            ins: self.code.instructions[at],
            ext: self.ext(at),
            state: before.clone(),
        };
        let result = step.effects(op)?;
        let mut jumped = step.state.clone();
        if op.info().a == Operand::Dst {
            if step.ins.a == NO_REG && !op.may_drop_value() {
                return Err("its value goes nowhere".into());
            }
            step.write(step.ins.a, result)?;
            if op != Opcode::FOR_ITER {
                jumped.clone_from(&step.state);
            }
        }
        if let Opcode::POP_JUMP_IF_NONE | Opcode::POP_JUMP_IF_NOT_NONE = op {
            // What is borrowed is known to be None on one way, and not to be on the other.
            let (none, rest) = match op {
                Opcode::POP_JUMP_IF_NONE => (&mut jumped, &mut step.state),
                _ => (&mut step.state, &mut jumped),
            };
            let register = step.ins.a as usize;
            if step.ins.a & (SRC_CONST | SRC_TAKE) == 0 && register >= self.code.local_kinds.len() {
                none.registers[register] &= NONE | OTHER;
                rest.registers[register] &= !NONE;
            }
        }
        if op == Opcode::YIELD_VALUE {
            let resumes = self.starts.get(at + 1).copied().unwrap_or(false)
                && self.op_at(at + 1)? == Opcode::RESUME
                && self.code.instructions[at + 1].x > 0;
            if !resumes {
                return Err("no RESUME follows".into());
            }
        }
        let target = self.target(at, op);
        if op == Opcode::FOR_ITER
            && let Some(target) = target
            && self.op_at(target)? != Opcode::END_FOR
        {
            return Err("its end is no END_FOR".into());
        }
        Ok(Next {
            falls: (!op.ends_block()).then_some(step.state),
            jumps: target.map(|target| (target, jumped)),
        })
    }
}

struct Step<'a> {
    code: &'a Foreign<'a>,
    ins: Instr,
    ext: u64,
    state: State,
}

impl Step<'_> {
    fn index(&self, register: usize) -> Check<usize> {
        if register < self.state.registers.len() {
            Ok(register)
        } else {
            Err(format!("there is no register {register}"))
        }
    }

    fn kinds(&self, register: u16) -> Check<Kinds> {
        Ok(self.state.registers[self.index(register as usize)?])
    }

    /// What a filled register holds.
    fn full(&self, register: u16) -> Check<Kinds> {
        match self.kinds(register)? {
            kinds if kinds & EMPTY != 0 => Err(format!("register {register} may be empty")),
            kinds => Ok(kinds),
        }
    }

    fn want(&self, kinds: Kinds, wanted: Kinds) -> Check {
        if kinds & !wanted == 0 {
            Ok(())
        } else {
            Err(format!(
                "an operand of kinds {kinds:#x} where {wanted:#x} are wanted"
            ))
        }
    }

    /// A register of the evaluation stack, which no debugger changes.
    fn temp(&self, register: u16) -> Check {
        if (register as usize) < self.code.local_kinds.len() {
            return Err(format!("register {register} is a local variable"));
        }
        self.index(register as usize).map(drop)
    }

    fn local(&self, register: u16) -> Check {
        if (register as usize) < self.code.local_kinds.len() {
            Ok(())
        } else {
            Err(format!("register {register} is no local variable"))
        }
    }

    fn set(&mut self, register: usize, kinds: Kinds) -> Check {
        let at = self.index(register)?;
        let is_local = at < self.code.local_kinds.len();
        let kept = if is_local { EMPTY | CELL } else { !0 };
        self.state.registers[at] = kinds & kept | if kinds & !kept != 0 { OTHER } else { 0 };
        Ok(())
    }

    /// Writes to a `Dst`.
    fn write(&mut self, register: u16, kinds: Kinds) -> Check {
        if register == NO_REG {
            return Ok(());
        }
        self.set(register as usize, kinds)
    }

    /// Reads a `Src`, and takes it where it says so.
    fn source(&mut self, raw: u16) -> Check<Kinds> {
        let index = (raw & SRC_INDEX) as usize;
        if raw & SRC_CONST != 0 {
            let constant = self.code.consts.get(index).filter(|_| raw != NO_REG);
            return constant
                .map(|constant| constant.0)
                .ok_or_else(|| "a constant is out of range".to_owned());
        }
        let kinds = self.full(index as u16)?;
        if raw & SRC_TAKE != 0 {
            self.temp(index as u16)?;
            self.set(index, EMPTY)?;
        }
        Ok(kinds)
    }

    /// Consumes `n` filled temporaries.
    fn consume(&mut self, base: u16, n: usize) -> Check<Kinds> {
        let mut all = 0;
        if base as usize + n > self.state.registers.len() {
            return Err(format!("there are no {n} registers at {base}"));
        }
        for register in base as usize..base as usize + n {
            self.temp(register as u16)?;
            all |= self.full(register as u16)?;
            self.set(register, EMPTY)?;
        }
        Ok(all)
    }

    /// The change to the registers but for a `Dst`, whose kinds are the result.
    fn effects(&mut self, op: Opcode) -> Check<Kinds> {
        use Opcode::*;
        let Instr { x, a, b, c, .. } = self.ins;
        let info = op.info();
        let mut sources = [0; 4];
        let mut n_sources = 0;
        let words = [(info.a, a), (info.b, b), (info.c, c)];
        let ext = match info.ext {
            Ext::Src(_) => Some((Operand::SrcOpt, self.ext as u16)),
            Ext::SrcCount(_) => Some((Operand::Src, self.ext as u16)),
            _ => None,
        };
        for (kind, raw) in words.into_iter().chain(ext) {
            match kind {
                Operand::SrcOpt if raw == NO_REG => n_sources += 1,
                Operand::Src | Operand::SrcOpt => {
                    sources[n_sources] = self.source(raw)?;
                    n_sources += 1;
                }
                Operand::Cell if op != MAKE_CELL => {
                    self.local(raw)?;
                    let kinds = self.kinds(raw)?;
                    self.want(kinds, CELL)?;
                }
                _ => {}
            }
        }
        let valid = match op {
            BINARY_OP => BinaryOp::from_u8(x).is_some(),
            COMPARE_OP => x <= 5,
            COMPARE_JUMP => x & 7 <= 5,
            CONVERT_VALUE => (1..=3).contains(&x),
            RAISE_VARARGS => x <= 2 && (x == 0 || a != NO_REG) && (x < 2 || b != NO_REG),
            // An absent bound of these is the constant None.
            BINARY_SLICE | STORE_SLICE => self.ext as u16 != NO_REG,
            _ => true,
        };
        if !valid {
            return Err(format!("no variant {x}"));
        }
        Ok(match op {
            RETURN_GENERATOR => {
                if !self.code.is_generator || self.state.generator {
                    return Err("no generator begins here".into());
                }
                self.state.generator = true;
                0
            }
            YIELD_VALUE => {
                if !self.state.generator {
                    return Err("only a generator may".into());
                }
                if x & 1 != 0 {
                    self.temp(c)?;
                    self.full(c)?;
                }
                OTHER
            }
            COPY_FREE_VARS => {
                let n = self.code.local_kinds.len();
                let n_free = self
                    .code
                    .local_kinds
                    .iter()
                    .rev()
                    .take_while(|kinds| **kinds & LocalKind::FREE != 0)
                    .count();
                if n_free != a as usize {
                    return Err(format!("{n_free} free variables, not {a}"));
                }
                for register in n - n_free..n {
                    self.set(register, CELL)?;
                }
                0
            }
            MAKE_CELL => {
                self.local(a)?;
                if self.code.local_kinds[a as usize] & LocalKind::CELL == 0 {
                    return Err(format!("variable {a} is no cell"));
                }
                self.set(a as usize, CELL)?;
                0
            }
            LOAD_CONST => self.code.consts[self.ins.target() as usize].0,
            COPY => self.full(b)?,
            MOVE => {
                let kinds = self.kinds(b)?;
                self.set(b as usize, EMPTY)?;
                kinds
            }
            SWAP => {
                let (left, right) = (self.kinds(a)?, self.kinds(b)?);
                self.set(a as usize, right)?;
                self.set(b as usize, left)?;
                0
            }
            CLEAR | END_FOR => {
                self.set(a as usize, EMPTY)?;
                0
            }
            CHECK_BOUND => {
                self.local(a)?;
                self.state.registers[a as usize] &= !EMPTY;
                if self.state.registers[a as usize] == 0 {
                    // Always raises: what follows is of no matter, but for the rules.
                    self.state.registers[a as usize] = OTHER;
                }
                0
            }
            DELETE_FAST => {
                self.local(a)?;
                self.set(a as usize, EMPTY)?;
                0
            }
            LOAD_METHOD | LOAD_SPECIAL => {
                self.set(a as usize, OTHER)?;
                self.set(a as usize + 1, EMPTY | OTHER)?;
                0
            }
            LOAD_SUPER_ATTR => {
                self.consume(b, 3)?;
                OTHER
            }
            LOAD_SUPER_METHOD => {
                self.consume(b, 3)?;
                if a != b {
                    return Err("its registers differ".into());
                }
                self.set(a as usize, OTHER)?;
                self.set(a as usize + 1, EMPTY | OTHER)?;
                0
            }
            FOR_ITER | SEND => {
                let (value, iterator) = (a, b);
                self.temp(iterator)?;
                self.full(iterator)?;
                if value == iterator {
                    return Err("its registers are the same".into());
                }
                if op == SEND {
                    self.temp(value)?;
                    self.full(value)?;
                    self.set(value as usize, OTHER)?;
                }
                OTHER
            }
            GET_ANEXT => {
                self.full(b)?;
                OTHER
            }
            CLEANUP_THROW => {
                self.want(self.full(c)?, EXCEPTION)?;
                self.set(c as usize, EMPTY)?;
                self.set(a as usize, EMPTY)?;
                self.set(b as usize, OTHER)?;
                0
            }
            END_ASYNC_FOR => {
                self.want(self.full(b)?, EXCEPTION)?;
                self.set(b as usize, EMPTY)?;
                self.set(a as usize, EMPTY)?;
                0
            }
            CALL | CALL_KW => {
                if op == CALL_KW {
                    let (kinds, n) = self.code.consts[self.ext as u32 as usize];
                    self.want(kinds, NAMES)?;
                    if n > c as usize {
                        return Err("more names than arguments".into());
                    }
                }
                self.consume(b, 1)?;
                self.set(b as usize + 1, EMPTY)?;
                self.index(b as usize + 2 + c as usize - 1)?;
                if c > 0 {
                    self.consume(b + 2, c as usize)?;
                }
                OTHER
            }
            CALL_EX => {
                self.consume(b, 1)?;
                self.set(b as usize + 1, EMPTY)?;
                self.consume(b + 2, 1)?;
                if x & 1 != 0 {
                    let keywords = self.consume(b + 3, 1)?;
                    self.want(keywords, DICT)?;
                } else if b as usize + 3 < self.state.registers.len() {
                    // Looked at, and empty.
                    self.want(self.kinds(b + 3)?, EMPTY)?;
                }
                OTHER
            }
            CALL_INTRINSIC_1 => match super::Intrinsic1::from_u8(x) {
                Some(super::Intrinsic1::ListToTuple) => {
                    self.want(sources[0], LIST)?;
                    TUPLE
                }
                Some(super::Intrinsic1::StopIterationError) => {
                    self.want(sources[0], EXCEPTION)?;
                    EXCEPTION
                }
                Some(_) => OTHER,
                None => return Err(format!("no intrinsic {x}")),
            },
            CALL_INTRINSIC_2 => match super::Intrinsic2::from_u8(x) {
                Some(super::Intrinsic2::PrepReraiseStar) => {
                    self.want(sources[0], EXCEPTION | NONE)?;
                    self.want(sources[1], LIST)?;
                    EXCEPTION | NONE
                }
                Some(super::Intrinsic2::SetFunctionTypeParams) => sources[0],
                Some(_) => OTHER,
                None => return Err(format!("no intrinsic {x}")),
            },
            MAKE_FUNCTION => {
                self.want(sources[0], CODE)?;
                FUNCTION
            }
            SET_FUNCTION_ATTRIBUTE => {
                self.temp(a)?;
                self.want(self.full(a)?, FUNCTION)?;
                let wanted = match FunctionAttribute::from_u8(x) {
                    // A generic function's come as arguments; the interpreter looks.
                    Some(FunctionAttribute::Defaults) => ANY_TUPLE | OTHER,
                    Some(FunctionAttribute::KwDefaults) => DICT | OTHER,
                    Some(FunctionAttribute::Annotations) => ANY_TUPLE | DICT,
                    Some(FunctionAttribute::Closure) => CELLS,
                    Some(FunctionAttribute::Annotate) => FUNCTION,
                    None => return Err(format!("no attribute {x}")),
                };
                self.want(sources[0], wanted)?;
                0
            }
            BUILD_TUPLE => match self.consume(b, c as usize)? {
                CELL => CELLS,
                STR => NAMES,
                _ => TUPLE,
            },
            BUILD_LIST => {
                self.consume(b, c as usize)?;
                LIST
            }
            BUILD_SET => {
                self.consume(b, c as usize)?;
                SET
            }
            BUILD_MAP => {
                self.consume(b, 2 * c as usize)?;
                DICT
            }
            BUILD_STRING => {
                let parts = self.consume(b, c as usize)?;
                self.want(parts, STR)?;
                STR
            }
            BUILD_INTERPOLATION => {
                self.consume(b, 2 + usize::from(x >> 2 & 1))?;
                OTHER
            }
            CONVERT_VALUE | FORMAT_SIMPLE | FORMAT_WITH_SPEC => STR,
            LIST_APPEND | LIST_EXTEND => {
                self.temp(a)?;
                self.want(self.full(a)?, LIST)?;
                0
            }
            SET_ADD => {
                self.full(a)?;
                0
            }
            SET_UPDATE => {
                self.temp(a)?;
                self.want(self.full(a)?, SET)?;
                0
            }
            MAP_ADD | DICT_UPDATE | DICT_MERGE => {
                self.temp(a)?;
                self.want(self.full(a)?, DICT)?;
                if op == DICT_MERGE {
                    self.full(c)?;
                }
                0
            }
            UNPACK_SEQUENCE | UNPACK_EX => {
                let n = if op == UNPACK_EX { x as usize + 1 } else { 0 } + c as usize;
                for register in a as usize..a as usize + n {
                    self.set(register, OTHER)?;
                }
                0
            }
            PUSH_EXC_INFO => {
                self.temp(a)?;
                self.want(self.full(a)?, EXCEPTION)?;
                self.set(a as usize, EXCEPTION | NONE)?;
                self.set(a as usize + 1, EXCEPTION)?;
                if self.state.handling.last().is_some_and(|outer| *outer >= a) {
                    return Err("the registers of what is being handled do not ascend".into());
                }
                self.state.handling.push(a);
                0
            }
            POP_EXCEPT => {
                self.temp(a)?;
                self.want(self.full(a)?, EXCEPTION | NONE)?;
                self.set(a as usize, EMPTY)?;
                if self.state.handling.pop() != Some(a) {
                    return Err("this is not what was being handled before".into());
                }
                0
            }
            RETURN_VALUE if !self.state.handling.is_empty() => {
                return Err("an exception is still being handled".into());
            }
            CHECK_EXC_MATCH => {
                self.want(self.full(b)?, EXCEPTION)?;
                OTHER
            }
            CHECK_EG_MATCH => {
                self.temp(a)?;
                self.temp(b)?;
                self.want(self.full(a)?, EXCEPTION | NONE)?;
                self.set(b as usize, EXCEPTION | NONE)?;
                self.set(a as usize, EXCEPTION | NONE)?;
                0
            }
            RERAISE => {
                self.temp(a)?;
                self.want(self.full(a)?, EXCEPTION)?;
                if b != NO_REG {
                    self.want(self.full(b)?, LASTI)?;
                }
                0
            }
            WITH_EXCEPT_START => {
                self.full(b)?;
                self.index(b as usize + 1)?;
                self.want(self.full(c)?, EXCEPTION)?;
                OTHER
            }
            MATCH_CLASS => {
                self.want(sources[2], NAMES)?;
                OTHER
            }
            _ => OTHER,
        })
    }
}
