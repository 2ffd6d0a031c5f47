//! Checks a code object: operands in range, jump targets at instructions, and the discipline of the temporaries. Goes out,
//! too: what each temporary holds before each instruction (`temporaries`), for debuggers that move a frame.

use super::code::SrcOperand;
use super::opcode::NO_REG;
use super::{CodeObject, Constant, Ext, Instr, Opcode, Operand};

/// What is known about a temporary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Empty,
    /// Some value.
    Full,
    /// The iterator of a loop.
    Iterator,
    /// The exception that was handled before, which PUSH_EXC_INFO saved.
    Handled,
    /// The exception of a handler.
    Raised,
    /// The word index that a handler wants.
    Lasti,
    Maybe,
}

impl State {
    pub fn is_full(self) -> bool {
        !matches!(self, State::Empty | State::Maybe)
    }
    fn join(self, other: State) -> State {
        if self == other {
            self
        } else if self.is_full() && other.is_full() {
            State::Full
        } else {
            State::Maybe
        }
    }
}

/// What each temporary holds.
pub type Temps = Vec<State>;
type Check<T = ()> = Result<T, String>;

struct Verifier<'a> {
    code: &'a CodeObject,
    first_temp: u16,
    /// Where instructions start.
    starts: Vec<bool>,
    states: Vec<Option<Temps>>,
    work: Vec<usize>,
}

/// Verifies a code object and those in its constants.
pub fn verify(code: &CodeObject) -> Check {
    for constant in &code.consts {
        if let Constant::Code(inner) = constant {
            verify(inner)?;
        }
    }
    let context = |message: String| {
        format!(
            "{} (line {}): {message}",
            code.qualname.as_str().unwrap_or("?"),
            code.firstlineno
        )
    };
    let mut verifier = Verifier::new(code);
    verifier.operands().map_err(context)?;
    verifier.flow().map_err(context)
}

/// What the temporaries hold before each word; `None`: no instruction, or one that is never reached.
pub fn temporaries(code: &CodeObject) -> Check<Vec<Option<Temps>>> {
    let mut verifier = Verifier::new(code);
    let mut at = 0;
    while at < code.instructions.len() {
        verifier.starts[at] = true;
        let op = Opcode::from_u8(code.instructions[at].op).ok_or("no opcode")?;
        at += op.words();
    }
    verifier.flow()?;
    Ok(verifier.states)
}

impl Verifier<'_> {
    fn new(code: &CodeObject) -> Verifier<'_> {
        Verifier {
            code,
            first_temp: code.first_temp(),
            starts: vec![false; code.instructions.len()],
            states: vec![None; code.instructions.len()],
            work: Vec::new(),
        }
    }

    fn operands(&mut self) -> Check {
        let mut at = 0;
        while at < self.code.instructions.len() {
            self.starts[at] = true;
            let ins = self.code.instructions[at];
            let op = Opcode::from_u8(ins.op).ok_or_else(|| format!("{at}: no opcode {}", ins.op))?;
            let info = op.info();
            if info.a == Operand::Dst && ins.a == NO_REG && !op.may_drop_value() {
                return Err(format!("{at}: {}: nowhere to write", info.name));
            }
            for (kind, raw) in [(info.a, ins.a), (info.b, ins.b), (info.c, ins.c)] {
                self.operand(kind, raw)
                    .map_err(|message| format!("{at}: {}: {message}", info.name))?;
            }
            at += op.words();
        }
        if at != self.code.instructions.len() {
            return Err("the last instruction is cut off".into());
        }
        Ok(())
    }

    fn operand(&self, kind: Operand, raw: u16) -> Check {
        let n_registers = u32::from(self.first_temp) + self.code.n_temps;
        let register = |reg: u16| {
            if u32::from(reg) < n_registers {
                Ok(())
            } else {
                Err(format!("register {reg} out of range"))
            }
        };
        match kind {
            Operand::No | Operand::Count | Operand::Imm | Operand::Target => Ok(()),
            Operand::Dst => {
                if raw == NO_REG {
                    Ok(())
                } else {
                    register(raw)
                }
            }
            Operand::Reg if raw == NO_REG => Ok(()),
            Operand::Reg | Operand::Cell => register(raw),
            Operand::Base => {
                if u32::from(raw) <= n_registers {
                    Ok(())
                } else {
                    register(raw)
                }
            }
            Operand::Name => {
                if (raw as usize) < self.code.names.len() {
                    Ok(())
                } else {
                    Err(format!("name {raw} out of range"))
                }
            }
            Operand::Src | Operand::SrcOpt => match SrcOperand::decode(raw) {
                SrcOperand::Absent if kind == Operand::SrcOpt => Ok(()),
                SrcOperand::Absent => Err("operand is absent".into()),
                SrcOperand::Const(index) => {
                    if (index as usize) < self.code.consts.len() {
                        Ok(())
                    } else {
                        Err(format!("constant {index} out of range"))
                    }
                }
                SrcOperand::Take(reg) if reg < self.first_temp => Err(format!("takes local {reg}")),
                SrcOperand::Take(reg) | SrcOperand::Borrow(reg) => register(reg),
            },
        }
    }

    fn flow(&mut self) -> Check {
        let start = vec![State::Empty; self.code.n_temps as usize];
        self.reach(0, start, "entry")?;
        while let Some(at) = self.work.pop() {
            let Some(state) = self.states[at].clone() else {
                continue;
            };
            self.step(at, state)?;
        }
        Ok(())
    }

    fn reach(&mut self, at: usize, state: Temps, from: &str) -> Check {
        if !self.starts.get(at).copied().unwrap_or(false) {
            return Err(format!("jump from {from} to {at}, which is no instruction"));
        }
        match &mut self.states[at] {
            None => {
                self.states[at] = Some(state);
                self.work.push(at);
            }
            Some(old) => {
                let mut changed = false;
                for (mine, theirs) in old.iter_mut().zip(&state) {
                    let joined = mine.join(*theirs);
                    changed |= joined != *mine;
                    *mine = joined;
                }
                if changed {
                    self.work.push(at);
                }
            }
        }
        Ok(())
    }

    fn temp(&self, reg: u16) -> Option<usize> {
        (reg != NO_REG && reg >= self.first_temp).then(|| (reg - self.first_temp) as usize)
    }

    fn step(&mut self, at: usize, mut state: Temps) -> Check {
        let ins = self.code.instructions[at];
        let Some(op) = Opcode::from_u8(ins.op) else {
            return Err(format!("{at}: bad opcode"));
        };
        let fail = |message: String| format!("{at}: {op:?}: {message}");
        if let Some(entry) = self.code.handler_at(at as u32).copied() {
            let mut handler: Temps = state.clone();
            handler.truncate(entry.depth as usize);
            handler.extend(entry.lasti.then_some(State::Lasti));
            handler.push(State::Raised);
            handler.resize(self.code.n_temps as usize, State::Empty);
            self.reach(entry.handler as usize, handler, &format!("{at} (handler)"))?;
        }
        // Operands.
        let ext = self.code.instructions.get(at + 1).map_or(0, |word| word.to_u64());
        let info = op.info();
        let mut sources = Vec::new();
        for (kind, raw) in [(info.a, ins.a), (info.b, ins.b), (info.c, ins.c)] {
            if matches!(kind, Operand::Src | Operand::SrcOpt) {
                sources.push(raw);
            }
        }
        if matches!(info.ext, Ext::Src(_) | Ext::SrcCount(_)) {
            sources.push(ext as u16);
        }
        for raw in &sources {
            if let SrcOperand::Take(reg) | SrcOperand::Borrow(reg) = SrcOperand::decode(*raw)
                && let Some(temp) = self.temp(reg)
                && !state[temp].is_full()
            {
                return Err(fail(format!("temporary t{temp} is {:?}", state[temp])));
            }
        }
        for raw in &sources {
            if let SrcOperand::Take(reg) = SrcOperand::decode(*raw)
                && let Some(temp) = self.temp(reg)
            {
                state[temp] = State::Empty;
            }
        }
        let target = match info.ext {
            Ext::Target(_) => Some(ext as u32),
            _ if info.b == Operand::Target && op != Opcode::LOAD_CONST => Some(ins.target()),
            _ => None,
        };
        let mut taken = state.clone();
        self.effects(op, ins, ext, &mut state, &mut taken).map_err(fail)?;
        if let Some(target) = target {
            self.reach(target as usize, taken, &at.to_string())?;
        }
        if !op.ends_block() {
            self.reach(at + op.words(), state, &at.to_string())?;
        }
        Ok(())
    }

    /// The change to the temporaries beyond `Src` operands; `taken`: the state when the instruction jumps.
    fn effects(&self, op: Opcode, ins: Instr, _ext: u64, state: &mut Temps, taken: &mut Temps) -> Check {
        use Opcode::*;
        let need = |state: &Temps, reg: u16| match self.temp(reg) {
            Some(temp) if !state[temp].is_full() => Err(format!("temporary t{temp} is {:?}", state[temp])),
            _ => Ok(()),
        };
        let set = |state: &mut Temps, reg: u16, value: State| -> Check {
            if let Some(temp) = self.temp(reg) {
                if temp >= state.len() {
                    return Err(format!("temporary t{temp} does not exist"));
                }
                state[temp] = value;
            }
            Ok(())
        };
        let consume = |state: &mut Temps, base: u16, count: u16| -> Check {
            for reg in base..base + count {
                need(state, reg)?;
                set(state, reg, State::Empty)?;
            }
            Ok(())
        };
        let dst = |state: &mut Temps, reg: u16| -> Check {
            if let Some(temp) = self.temp(reg)
                && state[temp] != State::Empty
            {
                return Err(format!("writes to temporary t{temp}, which is {:?}", state[temp]));
            }
            set(state, reg, State::Full)
        };
        match op {
            COPY | GET_ANEXT | FOR_ITER | CHECK_EXC_MATCH => {
                need(state, ins.b)?;
            }
            MOVE => {
                let from = self.temp(ins.b).map_or(State::Maybe, |temp| state[temp]);
                set(state, ins.b, State::Empty)?;
                if let Some(temp) = self.temp(ins.a) {
                    if state[temp] != State::Empty {
                        return Err(format!("moves to temporary t{temp}, which is {:?}", state[temp]));
                    }
                    state[temp] = from;
                }
                return Ok(());
            }
            SWAP => return Err("SWAP is not verified".into()),
            CLEAR | END_FOR => set(state, ins.a, State::Empty)?,
            LOAD_METHOD | LOAD_SPECIAL => {
                dst(state, ins.a)?;
                dst(state, ins.a + 1)?;
                set(state, ins.a + 1, State::Maybe)?;
                return Ok(());
            }
            LOAD_SUPER_ATTR => consume(state, ins.b, 3)?,
            LOAD_SUPER_METHOD => {
                consume(state, ins.b, 3)?;
                set(state, ins.a, State::Full)?;
                set(state, ins.a + 1, State::Maybe)?;
            }
            CALL | CALL_KW => {
                need(state, ins.b)?;
                set(state, ins.b, State::Empty)?;
                set(state, ins.b + 1, State::Empty)?;
                consume(state, ins.b + 2, ins.c)?;
            }
            CALL_EX => {
                need(state, ins.b)?;
                set(state, ins.b, State::Empty)?;
                consume(state, ins.b + 2, 1 + u16::from(ins.x))?;
            }
            BUILD_TUPLE | BUILD_LIST | BUILD_SET | BUILD_STRING => consume(state, ins.b, ins.c)?,
            BUILD_MAP => consume(state, ins.b, ins.c * 2)?,
            BUILD_INTERPOLATION => consume(state, ins.b, 2 + u16::from(ins.x >> 2 & 1))?,
            LIST_APPEND
            | LIST_EXTEND
            | SET_ADD
            | SET_UPDATE
            | MAP_ADD
            | DICT_UPDATE
            | SET_FUNCTION_ATTRIBUTE => {
                need(state, ins.a)?;
            }
            DICT_MERGE => {
                need(state, ins.a)?;
                need(state, ins.c)?;
            }
            UNPACK_SEQUENCE | UNPACK_EX => {
                let count = if op == UNPACK_EX {
                    u16::from(ins.x) + 1 + ins.c
                } else {
                    ins.c
                };
                for reg in ins.a..ins.a + count {
                    dst(state, reg)?;
                }
            }
            SEND => {
                need(state, ins.a)?;
                need(state, ins.b)?;
            }
            CLEANUP_THROW => {
                need(state, ins.a)?;
                need(state, ins.c)?;
                set(state, ins.a, State::Empty)?;
                set(state, ins.c, State::Empty)?;
                set(state, ins.b, State::Full)?;
            }
            END_ASYNC_FOR => consume(state, ins.a, 1).and_then(|()| consume(state, ins.b, 1))?,
            PUSH_EXC_INFO => {
                need(state, ins.a)?;
                set(state, ins.a, State::Handled)?;
                dst(state, ins.a + 1)?;
                set(state, ins.a + 1, State::Raised)?;
            }
            POP_EXCEPT => consume(state, ins.a, 1)?,
            CHECK_EG_MATCH => {
                need(state, ins.a)?;
                dst(state, ins.b)?;
            }
            RERAISE => {
                need(state, ins.a)?;
                need(state, ins.b)?;
            }
            WITH_EXCEPT_START => {
                need(state, ins.b)?;
                need(state, ins.c)?;
            }
            _ => {}
        }
        if op == FOR_ITER {
            taken.clone_from(state);
        }
        if op.info().a == Operand::Dst {
            dst(state, ins.a)?;
            if matches!(op, GET_ITER | GET_AITER) {
                set(state, ins.a, State::Iterator)?;
            }
        }
        if !matches!(op, FOR_ITER) {
            taken.clone_from(state);
        }
        Ok(())
    }
}
