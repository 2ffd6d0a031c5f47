//! bytecode -> trace: runs a function up to its first loop with `Recording`, notes one way through the loop, and hands the frame
//! back to the interpreter.
//!
//! Registers are the frame's own, so what is recorded has really happened; beside them stands the number that each value has
//! in the trace. A Python call is followed into its callee. An instruction that is not known here ends the recording.

use crate::recording::{Obj, Recording, raised};
use crate::trace::{Operand, Trace};
use adder_compiler::bytecode::Opcode;
use adder_compiler::bytecode::opcode::{NO_REG, SRC_CONST, SRC_INDEX, SRC_TAKE};
use adder_interp::eval::{self, WORDS, field_a, field_b, field_c, field_x, op, ops, specialize};
use adder_interp::frame::{Frame, FrameExit, current_frame, pop_frame, push_frame};
use adder_interp::{call as calls, pending};
use adder_runtime::objects::listobject::iter::PyListIter_Type;
use adder_runtime::objects::tupleobject::PyTupleIter_Type;
use adder_runtime::prelude::*;
use adder_runtime::thread::{eval_breaker_set, thread_state};
use adder_semantics::machine::Cmp;
use adder_semantics::{
    Exit, Fast, Machine, arithmetic, attribute, call, compare, dict, iteration, subscript, truth,
};
use std::ptr::null_mut;

/// What `record` gives.
pub struct Recorded {
    pub trace: Trace,
    /// Why the recording ended early; `None`: the loop is closed.
    pub aborted: Option<String>,
    /// What the function returned.
    pub result: PyResult,
}

/// What becomes of the recording after an instruction.
enum Next {
    Go,
    /// The interpreter goes on at the current instruction.
    Stop(Option<String>),
    /// The instruction raised.
    Raise,
}

struct Recorder {
    m: Recording,
    frame: *mut Frame,
    pc: *const u64,
    /// The numbers of the registers' values, a row a frame, the innermost last. `None`: not read in the loop yet.
    shadows: Vec<Vec<Option<Operand>>>,
    /// The first instruction of the loop, once it is known.
    start: *const u64,
}

/// Calls `function`, which takes no arguments, and records its first loop.
pub fn record(function: &PyFunctionObject) -> Recorded {
    let ts = thread_state();
    // SAFETY: the function is live; a frame of a function without arguments is complete.
    let frame = unsafe {
        let function = function.to_ref().into_raw();
        calls::push_call(ts, function, null_mut(), 0, None)
    };
    let frame = match frame {
        Ok(frame) => frame,
        Err(raised) => {
            return Recorded {
                trace: Trace::default(),
                aborted: Some("the call failed".to_owned()),
                result: Err(raised),
            };
        }
    };
    // SAFETY: the frame is complete and linked before it runs; the recorder keeps the rules of the opcode table.
    unsafe {
        (*frame).exit = FrameExit::Native;
        (*frame).previous = current_frame(ts);
        ts.base.current_frame.set(frame.cast());
        let mut recorder = Recorder {
            m: Recording::default(),
            frame,
            pc: (*frame).pc,
            shadows: vec![vec![None; (*frame).n_registers()]],
            start: std::ptr::null(),
        };
        let (aborted, raising) = loop {
            (*recorder.frame).pc = recorder.pc;
            match recorder.step() {
                Next::Go => {}
                Next::Stop(reason) => break (reason, false),
                Next::Raise => break (Some("an exception".to_owned()), true),
            }
        };
        (*recorder.frame).pc = recorder.pc;
        let result = eval::run(ts, recorder.frame, raising);
        Recorded {
            trace: recorder.m.trace,
            aborted,
            result: Ref::from_owned_opt(result).ok_or_else(Raised::assume),
        }
    }
}

fn no_result<T>(fast: &Fast<T>) -> bool {
    matches!(fast, Err(Exit::Miss))
}

// Residual calls, for what a fast path does not take.
fn get_item([object, key]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: live operands, here and below.
    unsafe { (*object).get_item(&*key) }
}
fn get_attribute([object, name]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: as above; names are strings.
    unsafe { (*object).get_attr((*name).cast_unchecked()) }
}
fn iterator([object]: [*mut PyObject; 1]) -> PyResult {
    // SAFETY: as above.
    unsafe { (*object).iter() }
}
fn concatenate([left, right]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: as above.
    unsafe { ops::binary_op(arithmetic::nb::ADD, &*left, &*right) }
}
fn extend([list, items]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: as above.
    unsafe { ops::list_extend(&*list, &*items)? };
    Ok(none_ref())
}
fn negative([object]: [*mut PyObject; 1]) -> PyResult {
    // SAFETY: as above.
    unsafe { ops::negative(&*object) }
}

impl Recorder {
    fn shadow(&mut self) -> &mut Vec<Option<Operand>> {
        self.shadows.last_mut().expect("a row for each frame")
    }
    fn slot(&self, register: usize) -> *mut *mut PyObject {
        Frame::registers(self.frame).wrapping_add(register)
    }
    /// The value of a register, borrowed.
    unsafe fn register(&mut self, register: usize) -> Obj {
        // SAFETY: a register of the frame.
        let raw = unsafe { *self.slot(register) };
        let id = match self.shadow()[register] {
            Some(id) => id,
            None => {
                let id = self.m.value("load_register", &[Operand::Int(register as i64)]);
                if self.m.is_on {
                    self.shadow()[register] = Some(id);
                }
                id
            }
        };
        Obj { raw, id }
    }
    unsafe fn source(&mut self, raw: u16) -> Obj {
        let index = (raw & SRC_INDEX) as usize;
        // SAFETY: a constant or a filled register of the frame.
        unsafe {
            if raw & SRC_CONST != 0 {
                let constant = *(*(*self.frame).data).consts.add(index);
                return self.m.constant(constant);
            }
            self.register(index)
        }
    }
    unsafe fn name(&self, index: u16) -> &'static PyUnicodeObject {
        // SAFETY: a name of the frame's code, which lives as long as the recording.
        unsafe { &*(*(*(*self.frame).data).names.add(index as usize)).cast::<PyUnicodeObject>() }
    }
    /// Leaves a register empty; its count is the caller's.
    unsafe fn take_register(&mut self, register: usize) -> Obj {
        // SAFETY: a filled register.
        unsafe {
            let value = self.register(register);
            *self.slot(register) = null_mut();
            self.shadow()[register] = None;
            value
        }
    }
    unsafe fn drop_source(&mut self, raw: u16) {
        if raw & (SRC_CONST | SRC_TAKE) == SRC_TAKE {
            // SAFETY: a filled register that the instruction takes.
            unsafe {
                let value = self.take_register((raw & SRC_INDEX) as usize);
                self.m.decref(value);
            }
        }
    }
    unsafe fn owned_source(&mut self, raw: u16) -> Obj {
        // SAFETY: as above.
        unsafe {
            if raw & (SRC_CONST | SRC_TAKE) == SRC_TAKE {
                return self.take_register((raw & SRC_INDEX) as usize);
            }
            let value = self.source(raw);
            self.m.incref(value);
            value
        }
    }
    /// Writes an owned value; what the register held is dropped.
    unsafe fn set_register(&mut self, register: usize, value: Obj) {
        // SAFETY: a register of the frame, which owns what it holds.
        unsafe {
            let held = *self.slot(register);
            let old = (!held.is_null()).then(|| self.register(register));
            *self.slot(register) = value.raw;
            self.shadow()[register] = self.m.is_on.then_some(value.id);
            if let Some(old) = old {
                self.m.decref(old);
            }
        }
    }
    unsafe fn set_target(&mut self, a: u16, value: Obj) {
        // SAFETY: as above.
        unsafe {
            if a == NO_REG {
                self.m.decref(value);
            } else {
                self.set_register(a as usize, value);
            }
        }
    }
    /// The value of a register that may be empty; being empty is guarded on.
    unsafe fn optional_register(&mut self, register: usize) -> Option<Obj> {
        // SAFETY: as above.
        unsafe { (!(*self.slot(register)).is_null()).then(|| self.register(register)) }
    }

    fn advance(&mut self, word: u64) -> Next {
        self.pc = self.pc.wrapping_add(WORDS[word as u8 as usize] as usize);
        Next::Go
    }
    unsafe fn jump(&mut self, target: u32) -> Next {
        // SAFETY: a target within the code.
        unsafe {
            let base: *const u64 = (*(*self.frame).data).words.as_ptr().cast();
            self.pc = base.add(target as usize);
        }
        Next::Go
    }
    /// Writes the owned result of an instruction whose operands are `sources`.
    unsafe fn finish(&mut self, word: u64, result: Fast<Obj>, sources: &[u16]) -> Next {
        // SAFETY: as above.
        unsafe {
            match result {
                Ok(value) => {
                    for source in sources {
                        self.drop_source(*source);
                    }
                    self.set_target(field_a(word), value);
                    self.advance(word)
                }
                Err(Exit::Raised(_)) => Next::Raise,
                Err(Exit::Miss) => Next::Stop(Some(format!("a miss at {}", opcode_name(word)))),
            }
        }
    }
    unsafe fn finish_store(&mut self, word: u64, result: Fast<()>, sources: &[u16]) -> Next {
        // SAFETY: as above.
        unsafe {
            match result {
                Ok(()) => {
                    for source in sources {
                        self.drop_source(*source);
                    }
                    self.advance(word)
                }
                Err(Exit::Raised(_)) => Next::Raise,
                Err(Exit::Miss) => Next::Stop(Some(format!("a miss at {}", opcode_name(word)))),
            }
        }
    }
    /// A borrowed value becomes an owned one.
    fn owned(&mut self, value: Fast<Obj>) -> Fast<Obj> {
        let value = value?;
        self.m.incref(value);
        Ok(value)
    }

    /// One instruction.
    unsafe fn step(&mut self) -> Next {
        // SAFETY: `pc` is at an instruction; operands are what the opcode table says, here and in what it calls.
        unsafe {
            let word = *self.pc;
            if self.start.is_null() {
                // The first jump back closes a way through the loop that nobody noted; its target is where recording begins.
                if word as u8 == op::JUMP_BACKWARD && self.shadows.len() == 1 {
                    let next = self.jump((word >> 32) as u32);
                    self.start = self.pc;
                    self.m.is_on = true;
                    self.m.note(|| "loop".to_owned());
                    return next;
                }
            } else {
                self.m.note(|| opcode_name(word).to_owned());
            }
            match word as u8 {
                op::NOP | op::RESUME => self.advance(word),
                op::JUMP => self.jump((word >> 32) as u32),
                op::JUMP_BACKWARD => {
                    self.m.effect("guard_no_signal", &[]);
                    if eval_breaker_set() && pending::handle_eval_breaker().is_err() {
                        return Next::Raise;
                    }
                    let next = self.jump((word >> 32) as u32);
                    if self.pc == self.start && self.shadows.len() == 1 {
                        self.m.effect("jump", &[]);
                        return Next::Stop(None);
                    }
                    next
                }
                op::RETURN_VALUE => self.return_value(word),
                op::LOAD_CONST..=op::CLEAR => self.step_move(word),
                op::BUILD_TUPLE | op::BUILD_LIST | op::BUILD_MAP | op::UNPACK_SEQUENCE_PAIR => {
                    self.step_display(word)
                }
                op::LIST_EXTEND => {
                    let (list, items) = (self.register(field_a(word) as usize), self.source(field_b(word)));
                    let result = self.m.call("list_extend", [list, items], extend).map(|_| ());
                    self.finish_store(word, result, &[field_b(word)])
                }
                op::CALL | op::CALL_CLASS_INIT => self.step_residual_call(word),
                op::CALL_PY_EXACT
                | op::CALL_BOUND_METHOD
                | op::CALL_BUILTIN_O
                | op::CALL_BUILTIN_FAST
                | op::CALL_LEN
                | op::CALL_METHOD_DESCRIPTOR => self.step_call(word),
                op::LOAD_ATTR..=op::STORE_ATTR
                | op::LOAD_ATTR_INSTANCE..=op::STORE_ATTR_SLOT
                | op::LOAD_ATTR_DESCRIPTOR
                | op::STORE_ATTR_DESCRIPTOR => self.step_attribute(word),
                op::LOAD_GLOBAL_MODULE | op::LOAD_GLOBAL_BUILTIN => self.step_global(word),
                op::LOAD_SUBSCR..=op::STORE_SUBSCR | op::LOAD_SUBSCR_LIST_INT..=op::STORE_SUBSCR_DICT => {
                    self.step_item(word)
                }
                op::BINARY_OP_ADD_INT..=op::COMPARE_OP_FAST
                | op::IS_OP
                | op::UNARY_NEGATIVE
                | op::UNARY_NOT => self.step_operator(word),
                op::POP_JUMP_IF_TRUE..=op::IS_JUMP | op::COMPARE_JUMP_FAST => self.step_jump(word),
                op::GET_ITER | op::END_FOR | op::FOR_ITER_LIST..=op::FOR_ITER_RANGE => {
                    self.step_iteration(word)
                }
                _ => Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            }
        }
    }

    unsafe fn step_move(&mut self, word: u64) -> Next {
        let (a, b) = (field_a(word), field_b(word));
        // SAFETY: as in `step`.
        unsafe {
            match word as u8 {
                op::LOAD_CONST => {
                    let value = self.source(SRC_CONST | (word >> 32) as u16);
                    self.m.incref(value);
                    self.set_target(a, value);
                }
                op::COPY => {
                    let value = self.register(b as usize);
                    self.m.incref(value);
                    self.set_target(a, value);
                }
                op::MOVE => {
                    if !(*self.slot(b as usize)).is_null() {
                        let value = self.take_register(b as usize);
                        self.set_target(a, value);
                    }
                }
                op::SWAP => {
                    std::ptr::swap(self.slot(a as usize), self.slot(b as usize));
                    self.shadow().swap(a as usize, b as usize);
                }
                op::CLEAR => {
                    if !(*self.slot(a as usize)).is_null() {
                        let value = self.take_register(a as usize);
                        self.m.decref(value);
                    }
                }
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            }
            self.advance(word)
        }
    }

    unsafe fn step_global(&mut self, word: u64) -> Next {
        // SAFETY: as in `step`; the form has its words.
        unsafe {
            let cache = *self.pc.add(1);
            let (version, index) = ((cache >> 32) as u32, cache as u32 as usize);
            let globals = self.m.constant((*self.frame).globals.cast());
            let value = if word as u8 == op::LOAD_GLOBAL_MODULE {
                dict::entry_value(&mut self.m, globals, version, index)
            } else {
                let builtins = self.m.constant((*self.frame).builtins);
                let builtins_version = (*self.pc.add(2) >> 32) as u32;
                dict::builtin_value(&mut self.m, globals, version, builtins, builtins_version, index)
            };
            let value = self.owned(value);
            self.finish(word, value, &[])
        }
    }

    unsafe fn step_attribute(&mut self, word: u64) -> Next {
        let (a, b, c) = (field_a(word), field_b(word), field_c(word));
        // SAFETY: as in `step`; the forms have their words.
        unsafe {
            let (cache, extra) = (*self.pc.add(1), *self.pc.add(2) as usize);
            let (version, index) = ((cache >> 32) as u32, cache as u32 as usize);
            let opcode = word as u8;
            if matches!(opcode, op::STORE_ATTR_INSTANCE | op::STORE_ATTR_SLOT) {
                let (object, value) = (self.source(a), self.source(b));
                let stored = if opcode == op::STORE_ATTR_SLOT {
                    attribute::store_slot(&mut self.m, object, version, extra, value)
                } else {
                    attribute::store_inline_value(&mut self.m, object, version, extra, index, value)
                };
                return self.finish_store(word, stored, &[b, a]);
            }
            let object = self.source(b);
            let found = match opcode {
                op::LOAD_ATTR_INSTANCE => attribute::inline_value(&mut self.m, object, version, extra, index),
                op::LOAD_ATTR_SLOT => attribute::slot_value(&mut self.m, object, version, extra),
                op::LOAD_ATTR_CLASS => {
                    let value = *self.pc.add(3) as *mut PyObject;
                    attribute::class_value(&mut self.m, object, extra as *mut PyObject, version, value)
                }
                op::LOAD_ATTR_MODULE | op::LOAD_METHOD_MODULE => {
                    attribute::module_value(&mut self.m, object, version, index)
                }
                op::LOAD_ATTR_TYPE_VALUE | op::LOAD_METHOD_CACHED => match specialize::own_of(self.pc) {
                    Some(own) => {
                        let value = *self.pc.add(3) as *mut PyObject;
                        attribute::type_value(&mut self.m, object, version, own, value)
                    }
                    None => Err(Exit::Miss),
                },
                op::LOAD_ATTR | op::LOAD_ATTR_DESCRIPTOR => Err(Exit::Miss),
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            };
            let is_method = matches!(opcode, op::LOAD_METHOD_CACHED | op::LOAD_METHOD_MODULE);
            let found = if no_result(&found) && !is_method {
                let name = self.name(c);
                let name = self.m.constant(name.as_ptr());
                self.m.call("get_attribute", [object, name], get_attribute)
            } else {
                self.owned(found)
            };
            if !is_method {
                return self.finish(word, found, &[b]);
            }
            match found {
                Ok(function) => {
                    if opcode == op::LOAD_METHOD_CACHED {
                        let this = self.owned_source(b);
                        self.set_register(a as usize + 1, this);
                    } else {
                        self.drop_source(b);
                    }
                    self.set_register(a as usize, function);
                    self.advance(word)
                }
                Err(_) => Next::Stop(Some(format!("a miss at {}", opcode_name(word)))),
            }
        }
    }

    unsafe fn step_item(&mut self, word: u64) -> Next {
        let (a, b, c) = (field_a(word), field_b(word), field_c(word));
        // SAFETY: as in `step`.
        unsafe {
            if matches!(word as u8, op::STORE_SUBSCR_LIST_INT | op::STORE_SUBSCR_DICT) {
                let (object, key, value) = (self.source(a), self.source(b), self.source(c));
                let stored = if word as u8 == op::STORE_SUBSCR_DICT {
                    dict::store_item(&mut self.m, object, key, value)
                } else {
                    subscript::store_list_item(&mut self.m, object, key, value)
                };
                return self.finish_store(word, stored, &[a, b, c]);
            }
            let (object, key) = (self.source(b), self.source(c));
            let found = match word as u8 {
                op::LOAD_SUBSCR_LIST_INT => subscript::list_item(&mut self.m, object, key),
                op::LOAD_SUBSCR_TUPLE_INT => subscript::tuple_item(&mut self.m, object, key),
                op::LOAD_SUBSCR_DICT => dict::item(&mut self.m, object, key),
                op::LOAD_SUBSCR_STR_INT => subscript::str_item(&mut self.m, object, key),
                op::LOAD_SUBSCR => Err(Exit::Miss),
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            };
            let found = if no_result(&found) {
                self.m.call("get_item", [object, key], get_item)
            } else {
                found
            };
            self.finish(word, found, &[b, c])
        }
    }

    unsafe fn step_operator(&mut self, word: u64) -> Next {
        let (b, c, x) = (field_b(word), field_c(word), field_x(word));
        // SAFETY: as in `step`.
        unsafe {
            let left = self.source(b);
            match word as u8 {
                op::UNARY_NEGATIVE => {
                    let result = self.m.call("negative", [left], negative);
                    return self.finish(word, result, &[b]);
                }
                op::UNARY_NOT => {
                    let result = truth::truth(&mut self.m, left).map(|truth| {
                        let negated = self.m.not(truth);
                        self.m.new_bool(negated)
                    });
                    return self.finish(word, result, &[b]);
                }
                _ => {}
            }
            let right = self.source(c);
            let m = &mut self.m;
            let result = match word as u8 {
                op::BINARY_OP_ADD_INT => arithmetic::int_add(m, left, right),
                op::BINARY_OP_SUBTRACT_INT => arithmetic::int_subtract(m, left, right),
                op::BINARY_OP_MULTIPLY_INT => arithmetic::int_multiply(m, left, right),
                op::BINARY_OP_INT => arithmetic::int_binary(m, x, left, right),
                op::BINARY_OP_FLOAT => arithmetic::float_binary(m, x, left, right),
                op::BINARY_OP_ADD_STR => m.call("concatenate", [left, right], concatenate),
                op::COMPARE_OP_FAST => {
                    let truth = compare::compare(m, Cmp::from_number(x), left, right);
                    truth.map(|truth| m.new_bool(truth))
                }
                op::IS_OP => {
                    let same = m.is(left, right);
                    let same = if x == 0 { same } else { m.not(same) };
                    Ok(m.new_bool(same))
                }
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            };
            self.finish(word, result, &[b, c])
        }
    }

    unsafe fn step_jump(&mut self, word: u64) -> Next {
        let (a, b, x) = (field_a(word), field_b(word), field_x(word));
        // SAFETY: as in `step`.
        unsafe {
            let left = self.source(a);
            let none = self.m.constant(none().as_ptr());
            let (condition, sense) = match word as u8 {
                op::POP_JUMP_IF_TRUE => (truth::truth(&mut self.m, left), true),
                op::POP_JUMP_IF_FALSE => (truth::truth(&mut self.m, left), false),
                op::POP_JUMP_IF_NONE => (Ok(self.m.is(left, none)), true),
                op::POP_JUMP_IF_NOT_NONE => (Ok(self.m.is(left, none)), false),
                op::IS_JUMP => {
                    let right = self.source(b);
                    (Ok(self.m.is(left, right)), x & 1 != 0)
                }
                op::COMPARE_JUMP_FAST => {
                    let right = self.source(b);
                    let cmp = Cmp::from_number(x & 7);
                    (compare::compare(&mut self.m, cmp, left, right), x & 8 != 0)
                }
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            };
            let Ok(condition) = condition else {
                return Next::Stop(Some(format!("a miss at {}", opcode_name(word))));
            };
            // Which way the loop went is guarded on.
            let _ = self.m.guard(condition);
            self.drop_source(a);
            let has_two = matches!(word as u8, op::IS_JUMP | op::COMPARE_JUMP_FAST);
            if has_two {
                self.drop_source(b);
            }
            if condition.value != sense {
                return self.advance(word);
            }
            let target = if has_two {
                *self.pc.add(1) as u32
            } else {
                (word >> 32) as u32
            };
            self.jump(target)
        }
    }

    unsafe fn step_iteration(&mut self, word: u64) -> Next {
        let (a, b) = (field_a(word), field_b(word));
        // SAFETY: as in `step`.
        unsafe {
            match word as u8 {
                op::GET_ITER => {
                    let object = self.source(b);
                    let result = self.m.call("get_iterator", [object], iterator);
                    return self.finish(word, result, &[b]);
                }
                op::END_FOR => {
                    let iterator = self.take_register(a as usize);
                    self.m.decref(iterator);
                    return self.advance(word);
                }
                _ => {}
            }
            let iterator = self.register(b as usize);
            let item = match word as u8 {
                op::FOR_ITER_RANGE => match iteration::range_next(&mut self.m, iterator) {
                    Ok(Some(item)) => Ok(item),
                    Ok(None) => return self.jump(*self.pc.add(1) as u32),
                    Err(exit) => Err(exit),
                },
                op::FOR_ITER_LIST => iteration::list_next(&mut self.m, iterator, &PyListIter_Type),
                op::FOR_ITER_TUPLE => iteration::tuple_next(&mut self.m, iterator, &PyTupleIter_Type),
                _ => return Next::Stop(Some(format!("{} is not recorded", opcode_name(word)))),
            };
            // The end of a sequence is the interpreter's, and the end of a recording.
            if no_result(&item) {
                return Next::Stop(Some("the loop ended".to_owned()));
            }
            self.finish(word, item, &[])
        }
    }

    unsafe fn step_display(&mut self, word: u64) -> Next {
        let (a, b, c) = (field_a(word), field_b(word), field_c(word));
        // SAFETY: as in `step`.
        unsafe {
            if word as u8 == op::UNPACK_SEQUENCE_PAIR {
                let tuple = self.source(b);
                let Ok((first, second)) = subscript::pair_items(&mut self.m, tuple) else {
                    return Next::Stop(Some(format!("a miss at {}", opcode_name(word))));
                };
                self.drop_source(b);
                self.set_register(a as usize, first);
                self.set_register(a as usize + 1, second);
                return self.advance(word);
            }
            let mut operands = Vec::new();
            let n = if word as u8 == op::BUILD_MAP { 2 * c } else { c };
            for register in b..b + n {
                let id = self.register(register as usize).id;
                operands.push(id);
                self.shadow()[register as usize] = None;
            }
            let registers = self.slot(b as usize);
            let (name, raw) = match word as u8 {
                op::BUILD_TUPLE => {
                    let tuple = ops::tuple_of_registers(registers, c as usize);
                    ("new_tuple", tuple.into_raw().cast::<PyObject>())
                }
                op::BUILD_LIST => match ops::list_of_registers(registers, c as usize) {
                    Ok(list) => ("new_list", list.into_raw().cast::<PyObject>()),
                    Err(_) => return Next::Raise,
                },
                _ => match ops::dict_of_registers(registers, c as usize) {
                    Ok(dict) => ("new_dict", dict.into_raw().cast::<PyObject>()),
                    Err(_) => return Next::Raise,
                },
            };
            let id = self.m.value(name, &operands);
            self.set_target(a, Obj { raw, id });
            self.advance(word)
        }
    }

    /// A call without a form that the recorder follows: whatever it does, it is one operation.
    unsafe fn step_residual_call(&mut self, word: u64) -> Next {
        let (b, c) = (field_b(word) as usize, field_c(word) as usize);
        // SAFETY: as in `step_call`.
        unsafe {
            let mut operands = Vec::new();
            for register in b..b + 2 + c {
                operands.extend(self.optional_register(register).map(|value| value.id));
            }
            let callable = &**self.slot(b);
            if callable.downcast::<PyFunctionObject>().is_some()
                || callable.downcast::<PyMethodObject>().is_some()
            {
                return Next::Stop(Some("a call of another Python function".to_owned()));
            }
            let raw = match calls::call(thread_state(), self.slot(b), c) {
                calls::Called::Value(raw) => raw,
                calls::Called::Frame(_) => unreachable!("only calls of Python functions push frames"),
                calls::Called::Raised => return Next::Raise,
            };
            let id = self.m.value("call_object", &operands);
            self.m.effect("guard_no_exception", &[]);
            for register in b..b + 2 + c {
                if !(*self.slot(register)).is_null() {
                    let value = self.take_register(register);
                    self.m.decref(value);
                }
            }
            self.finish(word, Ok(Obj { raw, id }), &[])
        }
    }

    unsafe fn step_call(&mut self, word: u64) -> Next {
        let (b, c) = (field_b(word) as usize, field_c(word) as usize);
        // SAFETY: as in `step`; the registers from `b` hold the callable, `self` or nothing, and the arguments.
        unsafe {
            let mut callable = self.register(b);
            let mut this = self.optional_register(b + 1);
            if word as u8 == op::CALL_BOUND_METHOD {
                let Ok((function, own)) = call::unpack_method(&mut self.m, callable) else {
                    return Next::Stop(Some(format!("a miss at {}", opcode_name(word))));
                };
                self.m.incref(function);
                self.m.incref(own);
                self.set_register(b, function);
                self.set_register(b + 1, own);
                (callable, this) = (function, Some(own));
            }
            if matches!(word as u8, op::CALL_PY_EXACT | op::CALL_BOUND_METHOD) {
                let version = (*self.pc.add(1) >> 32) as u32;
                let n_args = c + usize::from(this.is_some());
                let guarded = call::guard_function(&mut self.m, callable, version);
                if guarded.is_ok() && n_args < *self.pc.add(2) as u32 as usize {
                    return Next::Stop(Some("a call that wants defaults".to_owned()));
                }
                if guarded.is_err() || n_args != *self.pc.add(2) as u32 as usize {
                    return Next::Stop(Some(format!("a miss at {}", opcode_name(word))));
                }
                return self.enter(b, n_args, this.is_some());
            }
            let result = self.call_native(word, callable, this, b, c);
            if raised(&result) {
                return Next::Raise;
            }
            if result.is_err() {
                return Next::Stop(Some(format!("a miss at {}", opcode_name(word))));
            }
            for register in b..b + 2 + c {
                if !(*self.slot(register)).is_null() {
                    let value = self.take_register(register);
                    self.m.decref(value);
                }
            }
            self.finish(word, result, &[])
        }
    }

    unsafe fn call_native(
        &mut self,
        word: u64,
        callable: Obj,
        this: Option<Obj>,
        b: usize,
        c: usize,
    ) -> Fast<Obj> {
        // SAFETY: as in `step_call`; the guards say which convention the function has.
        unsafe {
            let args = self.slot(b + 2);
            let one = matches!(word as u8, op::CALL_BUILTIN_O | op::CALL_LEN);
            let (name, raw) = match (word as u8, this) {
                (op::CALL_METHOD_DESCRIPTOR, Some(this)) => {
                    call::guard_callable(&mut self.m, callable, *self.pc.add(2) as *mut PyObject)?;
                    let result = calls::call_method_descriptor(callable.raw, this.raw, args, c);
                    ("call_method", result)
                }
                (op::CALL_BUILTIN_O | op::CALL_BUILTIN_FAST | op::CALL_LEN, None)
                    if calls::is_builtin(callable.raw, one, c) =>
                {
                    call::guard_callable(&mut self.m, callable, callable.raw)?;
                    ("call_builtin", calls::call_builtin(callable.raw, args, c, one))
                }
                _ => return Err(Exit::Miss),
            };
            let raw = raw.ok_or_else(Raised::assume)?;
            let mut operands = vec![self.callable_text(callable.raw)];
            operands.extend(this.map(|this| this.id));
            for register in b + 2..b + 2 + c {
                operands.push(self.register(register).id);
            }
            let id = self.m.value(name, &operands);
            self.m.effect("guard_no_exception", &[]);
            Ok(Obj { raw, id })
        }
    }

    unsafe fn callable_text(&mut self, callable: *mut PyObject) -> Operand {
        // SAFETY: a live callable.
        let name = unsafe { (*callable).get_attr(identifier!("__qualname__")) };
        let name = name
            .and_then(|name| name.str())
            .map(|name| name.to_string_lossy());
        let name = name.unwrap_or_else(|raised| {
            raised.clear();
            "?".to_owned()
        });
        self.m.text(&name)
    }

    /// A frame for the function in register `b`; the arguments move into it.
    unsafe fn enter(&mut self, b: usize, n_args: usize, has_self: bool) -> Next {
        let ts = thread_state();
        // SAFETY: as in `step_call`; the function wants just these arguments.
        unsafe {
            let function = self.take_register(b);
            let name = self.callable_text(function.raw);
            let Ok(new) = push_frame(ts, function.raw.cast(), null_mut(), n_args) else {
                return Next::Raise;
            };
            let first = if has_self { b + 1 } else { b + 2 };
            let mut shadow = vec![None; (*new).n_registers()];
            let mut operands = vec![name];
            for (index, noted) in shadow.iter_mut().enumerate().take(n_args) {
                let argument = self.take_register(first + index);
                *Frame::registers(new).add(index) = argument.raw;
                *noted = self.m.is_on.then_some(argument.id);
                operands.push(argument.id);
            }
            self.m.effect("enter", &operands);
            (*new).exit = FrameExit::Register;
            (*new).previous = self.frame;
            ts.base.current_frame.set(new.cast());
            self.frame = new;
            self.pc = (*new).pc;
            self.shadows.push(shadow);
            Next::Go
        }
    }

    unsafe fn return_value(&mut self, word: u64) -> Next {
        if self.shadows.len() == 1 {
            return Next::Stop(Some("the function returned".to_owned()));
        }
        let ts = thread_state();
        // SAFETY: as in `step`; the frame is one that `enter` pushed.
        unsafe {
            let value = self.owned_source(field_a(word));
            // What the frame still holds is dropped with it.
            for register in (0..(*self.frame).n_registers()).rev() {
                if let Some(held) = self.optional_register(register) {
                    self.m.effect("decref", &[held.id]);
                }
            }
            self.m.effect("leave", &[value.id]);
            let frame = self.frame;
            self.frame = (*frame).previous;
            ts.base.current_frame.set(self.frame.cast());
            pop_frame(ts, frame);
            self.shadows.pop();
            self.pc = (*self.frame).pc;
            let call = *self.pc;
            self.set_target(field_a(call), value);
            self.advance(call)
        }
    }
}

fn opcode_name(word: u64) -> &'static str {
    Opcode::from_u8(word as u8).map_or("?", |opcode| opcode.info().name)
}
