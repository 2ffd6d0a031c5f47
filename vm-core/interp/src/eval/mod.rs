//! The bytecode loop: one native `run` for any number of Python frames.
//!
//! `run` starts at the innermost frame, pushes frames for calls of Python functions and for generators that are
//! iterated, and leaves when the frame with `FrameExit::Native` ends. Each handler decodes, acts, continues; whatever is
//! long is in `ops`, `call`, `unwind`, `genobject`. The opcode table of the compiler says what each instruction means.

// tidy: long because the dispatch match has an arm for each opcode.
use crate::call;
use crate::frame::*;
use crate::genobject;
use adder_compiler::bytecode::Opcode;
use adder_compiler::bytecode::opcode::{NO_REG, SRC_CONST, SRC_INDEX, SRC_TAKE};
use adder_runtime::memory::decref;
use adder_runtime::object::{false_, is_none, none, true_};
use adder_runtime::objects::codeobject::CodeData;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, ThreadState, eval_breaker_set};
use adder_semantics::{Exit, arithmetic, attribute, dict, subscript};
use direct::Direct;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

pub mod direct;
pub mod ic;
pub mod ops;
pub mod specialize;
pub mod unwind;

/// Opcodes as the numbers that `match` wants.
#[allow(non_upper_case_globals, dead_code)]
pub mod op {
    use super::Opcode;
    macro_rules! numbers {
        (generic: $($name:ident,)* ; specialised: $($sname:ident,)* ;) => {
            $(pub const $name: u8 = Opcode::$name as u8;)*
            $(pub const $sname: u8 = Opcode::$sname as u8;)*
        };
    }
    adder_compiler::for_each_opcode!(numbers);
    /// What every opcode becomes while the frame is traced.
    pub const TRACED: u8 = 0xFF;
}

/// Words of each instruction.
pub static WORDS: [u8; 256] = {
    let mut words = [1; 256];
    let mut number = 0;
    while number < adder_compiler::bytecode::opcode::OPCODES.len() {
        words[number] = 1 + adder_compiler::bytecode::opcode::OPCODES[number].ext.words() as u8;
        number += 1;
    }
    words
};

/// Why the innermost loop was left.
enum Flow {
    /// An exception is set; a traceback entry is due.
    Raise,
    /// An exception is set that has its entry for this frame already.
    Reraise,
    /// The frame ends with a value.
    Return(*mut PyObject),
    /// The generator is suspended with a value.
    Yield(*mut PyObject),
}

/// The field `a` of an instruction word.
#[inline(always)]
pub fn field_a(word: u64) -> u16 {
    (word >> 16) as u16
}
#[inline(always)]
pub fn field_b(word: u64) -> u16 {
    (word >> 32) as u16
}
#[inline(always)]
pub fn field_c(word: u64) -> u16 {
    (word >> 48) as u16
}
#[inline(always)]
pub fn field_x(word: u64) -> u8 {
    (word >> 8) as u8
}

/// Writes a register; drops what it held.
///
/// # Safety
/// `value` is owned; `register` holds an owned object or null.
#[inline(always)]
pub unsafe fn set_register(register: *mut *mut PyObject, value: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let old = std::ptr::replace(register, value);
        if !old.is_null() {
            decref(old);
        }
    }
}

/// The registers of the innermost frame; a debug build looks whether there are as many.
#[derive(Clone, Copy)]
struct Registers {
    first: *mut *mut PyObject,
    #[cfg(debug_assertions)]
    n: usize,
}

impl Registers {
    /// # Safety
    /// The frame is alive.
    #[inline(always)]
    unsafe fn of(frame: *mut Frame) -> Registers {
        Registers {
            first: Frame::registers(frame),
            #[cfg(debug_assertions)]
            // SAFETY: the caller's contract.
            n: unsafe { (*frame).n_registers() },
        }
    }
    /// Where a register is, or the end.
    #[inline(always)]
    #[track_caller]
    fn add(self, index: usize) -> *mut *mut PyObject {
        #[cfg(debug_assertions)]
        assert!(index <= self.n, "there is no register {index}");
        self.first.wrapping_add(index)
    }
}

/// What a loop gives back when the other one goes on: the innermost frame stands at its next instruction.
const OTHER_LOOP: *mut PyObject = std::ptr::without_provenance_mut(1);

/// Somebody traced, profiled or monitored something, ever: until then nothing need be looked at to know that nobody does.
pub static TRACED_EVER: AtomicBool = AtomicBool::new(false);

/// Runs `frame`, which is linked as the innermost frame and has `FrameExit::Native`, until it returns or yields.
/// With `raising`, the exception that is set is raised at the instruction where the frame stands.
/// NULL: an exception is set.
///
/// # Safety
/// The frame is complete and the calling thread holds the GIL.
pub unsafe fn run(ts: &'static ThreadState, entry: *mut Frame, raising: bool) -> *mut PyObject {
    let mask = trace_mask(ts);
    // SAFETY: the caller's contract.
    let result = unsafe { run_loops(ts, entry, raising) };
    // The loop that called native code which called this one has yet to notice.
    if trace_mask(ts) != mask {
        EVAL_BREAKER.fetch_or(crate::pending::MODE_CHANGED, Ordering::Relaxed);
    }
    result
}

/// `run`, in the one loop or the other.
///
/// # Safety
/// As `run`.
unsafe fn run_loops(ts: &'static ThreadState, entry: *mut Frame, raising: bool) -> *mut PyObject {
    let (mut frame, mut raising) = (entry, raising);
    loop {
        // SAFETY: the caller's contract; a loop that leaves to the other one has linked its frame.
        let value = unsafe {
            if trace_mask(ts) == 0 {
                run_loop::<false>(ts, frame, raising)
            } else {
                run_loop::<true>(ts, frame, raising)
            }
        };
        if value != OTHER_LOOP {
            return value;
        }
        frame = current_frame(ts);
        raising = false;
    }
}

/// The loop, once for threads that are traced and once for those that are not, which looks at nothing that tracing needs.
///
/// # Safety
/// As `run`.
unsafe fn run_loop<const TRACED: bool>(
    ts: &'static ThreadState,
    entry: *mut Frame,
    raising: bool,
) -> *mut PyObject {
    let mut frame = entry;
    let mut flow_in = if raising { Some(Flow::Raise) } else { None };
    // SAFETY: (for the whole loop) the compiler's code obeys the opcode table: register and constant numbers are in
    // range, `Src` registers are filled, and each handler keeps to the ownership that its row states.
    unsafe {
        let mut pc: *const u64 = (*frame).pc;
        let mut regs = Registers::of(frame);
        let mut consts: *const *mut PyObject = (*(*frame).data).consts;
        let mut base: *const u64 = (*(*frame).data).words.as_ptr().cast();
        // All bits set while this thread is traced; always 0 in the loop for others.
        let mut mask: u8 = if TRACED { trace_mask(ts) } else { 0 };
        if raising && mask != 0 {
            // An exception of the tracer goes on in place of the one that was thrown in.
            let _ = crate::tracing::on_throw(ts, frame);
        }

        macro_rules! load_frame {
            () => {{
                pc = (*frame).pc;
                regs = Registers::of(frame);
                let data: *const CodeData = (*frame).data;
                consts = (*data).consts;
                base = (*data).words.as_ptr().cast();
                if TRACED {
                    mask = trace_mask(ts);
                    if mask != 0 {
                        crate::tracing::note_line(frame);
                    }
                } else if traced_ever() && trace_mask(ts) != 0 {
                    crate::tracing::note_line(frame);
                }
            }};
        }
        // Whether the thread is traced, though this loop may have yet to be left for that.
        macro_rules! is_traced {
            () => {
                if TRACED {
                    mask != 0
                } else {
                    traced_ever() && trace_mask(ts) != 0
                }
            };
        }
        // Where `pc` is the next instruction and tracing may have begun or ended: leaves to the other loop if so.
        macro_rules! choose_loop {
            () => {
                if TRACED {
                    if mask == 0 {
                        (*frame).pc = pc;
                        return OTHER_LOOP;
                    }
                } else if traced_ever() && trace_mask(ts) != 0 {
                    (*frame).pc = pc;
                    return OTHER_LOOP;
                }
            };
        }

        loop {
            let flow = match flow_in.take() {
                Some(flow) => flow,
                None => {
                    let mut w: u64 = *pc;
                    // Not always what the word says: the tracer comes first, and a form that misses ends in its generic one.
                    let mut opcode = w as u8 | mask;
                    'exec: loop {
                        (*frame).pc = pc;

                        // Operands are decoded where they are used: registers are scarce in this function.
                        macro_rules! a {
                            () => {
                                field_a(w)
                            };
                        }
                        macro_rules! b {
                            () => {
                                field_b(w)
                            };
                        }
                        macro_rules! c {
                            () => {
                                field_c(w)
                            };
                        }
                        macro_rules! x {
                            () => {
                                field_x(w)
                            };
                        }
                        macro_rules! fetch {
                            () => {{
                                w = *pc;
                                opcode = w as u8 | mask;
                                continue 'exec;
                            }};
                        }
                        macro_rules! next {
                            ($n:expr) => {{
                                pc = pc.add($n);
                                fetch!()
                            }};
                        }
                        macro_rules! jump {
                            ($target:expr) => {{
                                pc = base.add($target as usize);
                                fetch!()
                            }};
                        }
                        macro_rules! redispatch {
                            ($opcode:expr) => {{
                                opcode = $opcode;
                                continue 'exec;
                            }};
                        }
                        macro_rules! raise_here {
                            () => {
                                break 'exec Flow::Raise
                            };
                        }
                        macro_rules! reg {
                            ($i:expr) => {
                                *regs.add($i as usize)
                            };
                        }
                        macro_rules! src {
                            ($raw:expr) => {{
                                let raw: u16 = $raw;
                                if raw & SRC_CONST != 0 {
                                    *consts.add((raw & SRC_INDEX) as usize)
                                } else {
                                    let value = *regs.add((raw & SRC_INDEX) as usize);
                                    debug_assert!(!value.is_null(), "an empty register is read");
                                    value
                                }
                            }};
                        }
                        macro_rules! obj {
                            ($raw:expr) => {
                                &*src!($raw)
                            };
                        }
                        macro_rules! drop_src {
                            ($raw:expr) => {{
                                let raw: u16 = $raw;
                                if raw & (SRC_CONST | SRC_TAKE) == SRC_TAKE {
                                    let register = regs.add((raw & SRC_INDEX) as usize);
                                    let value = std::ptr::replace(register, null_mut());
                                    decref(value);
                                }
                            }};
                        }
                        // After a fast path that saw exact ints.
                        macro_rules! drop_int {
                            ($raw:expr) => {{
                                let raw: u16 = $raw;
                                if raw & (SRC_CONST | SRC_TAKE) == SRC_TAKE {
                                    let register = regs.add((raw & SRC_INDEX) as usize);
                                    PyLongObject::decref_exact(std::ptr::replace(register, null_mut()));
                                }
                            }};
                        }
                        macro_rules! finish_int {
                            ($value:expr) => {{
                                let value = $value.into_raw();
                                drop_int!(b!());
                                drop_int!(c!());
                                set_dst!(a!(), value.cast::<PyObject>());
                                next!(2)
                            }};
                        }
                        macro_rules! owned_src {
                            ($raw:expr) => {{
                                let raw: u16 = $raw;
                                if raw & SRC_CONST != 0 {
                                    let value = *consts.add((raw & SRC_INDEX) as usize);
                                    (*value).incref();
                                    value
                                } else {
                                    let register = regs.add((raw & SRC_INDEX) as usize);
                                    let value = *register;
                                    if raw & SRC_TAKE != 0 {
                                        *register = null_mut();
                                    } else {
                                        (*value).incref();
                                    }
                                    value
                                }
                            }};
                        }
                        macro_rules! set_dst {
                            ($a:expr, $value:expr) => {{
                                let value: *mut PyObject = $value;
                                set_register(regs.add($a as usize), value);
                            }};
                        }
                        // For calls, whose value may be wanted by nobody.
                        macro_rules! set_result {
                            ($a:expr, $value:expr) => {{
                                let value: *mut PyObject = $value;
                                if $a == NO_REG {
                                    decref(value);
                                } else {
                                    set_register(regs.add($a as usize), value);
                                }
                            }};
                        }
                        macro_rules! finish {
                        ($result:expr, $n:expr $(, $src:expr)*) => {
                            match $result {
                                Ok(value) => {
                                    let value = value.into_raw();
                                    $(drop_src!($src);)*
                                    set_dst!(a!(), value.cast::<PyObject>());
                                    next!($n)
                                }
                                Err(_) => raise_here!(),
                            }
                        };
                    }
                        macro_rules! finish_status {
                        ($result:expr, $n:expr $(, $src:expr)*) => {
                            match $result {
                                Ok(()) => {
                                    $(drop_src!($src);)*
                                    next!($n)
                                }
                                Err(_) => raise_here!(),
                            }
                        };
                    }
                        macro_rules! name {
                            ($index:expr) => {
                                &*(*(*(*frame).data).names.add($index as usize)).cast::<PyUnicodeObject>()
                            };
                        }
                        macro_rules! truth {
                            ($value:expr) => {{
                                let value: *mut PyObject = $value;
                                if value == true_().as_ptr() {
                                    true
                                } else if value == false_().as_ptr() {
                                    false
                                } else {
                                    match ops::truth(&*value) {
                                        -1 => raise_here!(),
                                        truth => truth != 0,
                                    }
                                }
                            }};
                        }
                        // Signals, other threads, tracing that was turned on or off. Gives the mask that holds now.
                        macro_rules! handle_breaker {
                            () => {{
                                let handled = crate::pending::handle_eval_breaker();
                                let traced = trace_mask(ts);
                                if traced > mask {
                                    crate::tracing::note_line(frame);
                                }
                                if TRACED {
                                    mask = traced;
                                }
                                if handled.is_err() {
                                    raise_here!()
                                }
                                traced
                            }};
                        }
                        macro_rules! go_on_at {
                            ($next:expr) => {{
                                pc = $next;
                                choose_loop!();
                                fetch!()
                            }};
                        }
                        macro_rules! check_breaker {
                            ($next:expr) => {
                                if eval_breaker_set() {
                                    let _ = handle_breaker!();
                                    go_on_at!($next)
                                }
                            };
                        }
                        // The result of a call has been dropped or stored, which the traced frame is told of.
                        macro_rules! tell_dropped {
                            () => {
                                if crate::tracing::after_result(ts, frame).is_err() {
                                    raise_here!()
                                }
                                if (*frame).pc != pc {
                                    go_on_at!((*frame).pc)
                                }
                            };
                        }
                        // After native code.
                        macro_rules! next_after_call {
                            ($n:expr) => {{
                                if eval_breaker_set() {
                                    if handle_breaker!() != 0 {
                                        tell_dropped!();
                                    }
                                    go_on_at!(pc.add($n))
                                }
                                next!($n)
                            }};
                        }
                        macro_rules! next_after_traced_call {
                            ($n:expr) => {{
                                if eval_breaker_set() {
                                    if handle_breaker!() != 0 {
                                        tell_dropped!();
                                    }
                                    go_on_at!(pc.add($n))
                                }
                                if mask != 0 {
                                    tell_dropped!();
                                }
                                next!($n)
                            }};
                        }
                        macro_rules! enter_frame {
                            ($new:expr, $exit:expr) => {{
                                let new: *mut Frame = $new;
                                (*new).exit = $exit;
                                (*new).previous = frame;
                                ts.base.current_frame.set(new.cast());
                                frame = new;
                                load_frame!();
                                choose_loop!();
                                fetch!()
                            }};
                        }

                        match opcode {
                            op::NOP => next!(1),
                            op::RESUME => {
                                // Signals that arrive meanwhile are for the generator that is waited for.
                                if field_x(w) < 2 {
                                    check_breaker!(pc.add(2));
                                }
                                next!(2)
                            }
                            op::RETURN_GENERATOR => match genobject::make_from_frame(ts, frame) {
                                Ok(generator) => {
                                    // The frame has moved into the generator; its room on the stack is free again.
                                    let exit = (*frame).exit;
                                    let previous = (*frame).previous;
                                    release_moved_frame(ts, frame);
                                    ts.base.current_frame.set(previous.cast());
                                    let value = generator.into_raw();
                                    if exit == FrameExit::Native {
                                        return value;
                                    }
                                    frame = previous;
                                    load_frame!();
                                    let w = *pc;
                                    set_result!(field_a(w), value);
                                    pc = pc.add(WORDS[w as u8 as usize] as usize);
                                    choose_loop!();
                                    fetch!()
                                }
                                Err(_) => raise_here!(),
                            },
                            op::RETURN_VALUE => {
                                let value = owned_src!(a!());
                                if is_traced!()
                                    || (*frame).owner != FrameOwner::Thread
                                    || (*frame).exit != FrameExit::Register
                                {
                                    break 'exec Flow::Return(value);
                                }
                                let previous = (*frame).previous;
                                ts.base.current_frame.set(previous.cast());
                                pop_frame(ts, frame);
                                frame = previous;
                                load_frame!();
                                let w = *pc;
                                set_result!(field_a(w), value);
                                pc = pc.add(WORDS[w as u8 as usize] as usize);
                                choose_loop!();
                                fetch!()
                            }
                            op::YIELD_VALUE => break 'exec Flow::Yield(owned_src!(b!())),
                            op::COPY_FREE_VARS => {
                                let closure = (*(*frame).func).func_closure.get().cast::<PyTupleObject>();
                                if closure.is_null() || (*closure).len() != a!() as usize {
                                    let _ = raise!(SystemError, "the closure does not fit the code");
                                    raise_here!()
                                }
                                let first = (*(*frame).data).n_localsplus as usize - a!() as usize;
                                for (index, cell) in (*closure).as_slice().iter().enumerate() {
                                    cell.incref();
                                    set_register(regs.add(first + index), cell.as_ptr());
                                }
                                next!(1)
                            }
                            op::MAKE_CELL => {
                                let held = std::ptr::replace(regs.add(a!() as usize), null_mut());
                                match ops::new_cell(Ref::from_owned_opt(held)) {
                                    Ok(cell) => {
                                        reg!(a!()) = cell.into_raw().cast();
                                        next!(1)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }

                            // ---- moves ----
                            op::LOAD_CONST => {
                                let value = *consts.add((w >> 32) as usize);
                                (*value).incref();
                                set_dst!(a!(), value);
                                next!(1)
                            }
                            op::COPY => {
                                // `f(x)` of two variables, which keep the function and the argument during the call: a value
                                // that is taken out of a running frame's variable is kept by the frame object.
                                if !TRACED
                                    && *pc.add(1) as u8 == op::COPY
                                    && *pc.add(2) as u8 == op::CALL_BUILTIN_O
                                {
                                    let (second, call) = (*pc.add(1), *pc.add(2));
                                    let args = field_b(call);
                                    let callable = reg!(b!());
                                    if a!() == args
                                        && field_a(second) == args + 2
                                        && call::is_builtin(callable, true, 1)
                                    {
                                        let mut argument = reg!(field_b(second));
                                        pc = pc.add(2);
                                        w = call;
                                        (*frame).pc = pc;
                                        match call::call_builtin(callable, &raw mut argument, 1, true) {
                                            Some(value) => {
                                                set_result!(a!(), value);
                                                next_after_call!(3)
                                            }
                                            None => raise_here!(),
                                        }
                                    }
                                }
                                let value = reg!(b!());
                                (*value).incref();
                                set_dst!(a!(), value);
                                // Arguments of a call are copied one after the other: a jump to here is saved.
                                if !TRACED && *pc.add(1) as u8 == op::COPY {
                                    pc = pc.add(1);
                                    w = *pc;
                                    (*frame).pc = pc;
                                    let value = reg!(b!());
                                    (*value).incref();
                                    set_dst!(a!(), value);
                                }
                                next!(1)
                            }
                            op::MOVE => {
                                let value = std::ptr::replace(regs.add(b!() as usize), null_mut());
                                if a!() == NO_REG {
                                    adder_runtime::memory::xdecref(value);
                                } else {
                                    set_register(regs.add(a!() as usize), value);
                                }
                                next!(1)
                            }
                            op::SWAP => {
                                std::ptr::swap(regs.add(a!() as usize), regs.add(b!() as usize));
                                next!(1)
                            }
                            op::CLEAR => {
                                set_register(regs.add(a!() as usize), null_mut());
                                next!(1)
                            }
                            op::CHECK_BOUND => {
                                if reg!(a!()).is_null() {
                                    let _ = ops::unbound_local(frame, a!() as usize);
                                    raise_here!()
                                }
                                next!(1)
                            }
                            op::DELETE_FAST => {
                                if reg!(a!()).is_null() {
                                    let _ = ops::unbound_local(frame, a!() as usize);
                                    raise_here!()
                                }
                                set_register(regs.add(a!() as usize), null_mut());
                                next!(1)
                            }

                            // ---- names ----
                            op::LOAD_NAME => finish!(ops::load_name(frame, name!(b!())), 3),
                            op::STORE_NAME => {
                                finish_status!(ops::store_name(frame, name!(b!()), obj!(a!())), 1, a!())
                            }
                            op::DELETE_NAME => finish_status!(ops::delete_name(frame, name!(b!())), 1),
                            op::LOAD_GLOBAL => {
                                specialize::load_global(frame, pc, name!(b!()));
                                finish!(ops::load_global(frame, name!(b!())), 3)
                            }
                            op::LOAD_GLOBAL_MODULE => {
                                let (version, index) =
                                    ((*pc.add(1) >> 32) as u32, *pc.add(1) as u32 as usize);
                                let globals = (*frame).globals.cast();
                                if let Ok(value) = dict::entry_value(&mut Direct, globals, version, index) {
                                    (*value).incref();
                                    set_dst!(a!(), value);
                                    next!(3)
                                }
                                specialize::reset(pc, op::LOAD_GLOBAL);
                                finish!(ops::load_global(frame, name!(b!())), 3)
                            }
                            op::LOAD_GLOBAL_BUILTIN => {
                                let found = dict::builtin_value(
                                    &mut Direct,
                                    (*frame).globals.cast(),
                                    (*pc.add(1) >> 32) as u32,
                                    (*frame).builtins,
                                    (*pc.add(2) >> 32) as u32,
                                    *pc.add(1) as u32 as usize,
                                );
                                if let Ok(value) = found {
                                    (*value).incref();
                                    set_dst!(a!(), value);
                                    next!(3)
                                }
                                specialize::reset(pc, op::LOAD_GLOBAL);
                                finish!(ops::load_global(frame, name!(b!())), 3)
                            }
                            op::STORE_GLOBAL => {
                                finish_status!((*(*frame).globals).set_str(name!(b!()), obj!(a!())), 2, a!())
                            }
                            op::DELETE_GLOBAL => finish_status!(ops::delete_global(frame, name!(b!())), 1),
                            op::LOAD_DEREF => {
                                let value = (*reg!(b!()).cast::<PyCellObject>()).ob_ref.get();
                                if value.is_null() {
                                    let _ = ops::unbound_deref(frame, b!() as usize);
                                    raise_here!()
                                }
                                (*value).incref();
                                set_dst!(a!(), value);
                                next!(1)
                            }
                            op::STORE_DEREF => {
                                let value = owned_src!(b!());
                                let old = (*reg!(a!()).cast::<PyCellObject>()).ob_ref.replace(value);
                                adder_runtime::memory::xdecref(old);
                                next!(1)
                            }
                            op::DELETE_DEREF => {
                                let old = (*reg!(a!()).cast::<PyCellObject>()).ob_ref.replace(null_mut());
                                if old.is_null() {
                                    let _ = ops::unbound_deref(frame, a!() as usize);
                                    raise_here!()
                                }
                                decref(old);
                                next!(1)
                            }
                            op::LOAD_FROM_DICT_OR_GLOBALS => {
                                finish!(
                                    ops::load_from_dict_or_globals(frame, obj!(b!()), name!(c!())),
                                    1,
                                    b!()
                                )
                            }
                            op::LOAD_FROM_DICT_OR_DEREF => {
                                finish!(
                                    ops::load_from_dict_or_deref(frame, obj!(b!()), c!() as usize),
                                    1,
                                    b!()
                                )
                            }
                            op::LOAD_LOCALS => finish!(ops::load_locals(frame), 1),
                            op::LOAD_BUILD_CLASS => finish!(ops::load_build_class(frame), 1),
                            op::LOAD_COMMON_CONSTANT => {
                                set_dst!(a!(), ops::common_constant(x!()).into_raw());
                                next!(1)
                            }
                            op::SETUP_ANNOTATIONS => finish_status!(ops::setup_annotations(frame), 1),

                            // ---- attributes and items ----
                            op::LOAD_ATTR => {
                                specialize::load_attr(pc, obj!(b!()), name!(c!()));
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_INSTANCE => {
                                let value = specialize::inline_attribute(obj!(b!()), pc, name!(c!()));
                                if !value.is_null() {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_WITH_HINT => {
                                let value = specialize::dict_attribute(obj!(b!()), pc, name!(c!()));
                                if !value.is_null() {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_SLOT => {
                                let (version, offset) = ((*pc.add(1) >> 32) as u32, *pc.add(2) as usize);
                                if let Ok(value) =
                                    attribute::slot_value(&mut Direct, src!(b!()), version, offset)
                                {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_CLASS => {
                                // The object itself is the type whose version is cached.
                                let found = attribute::class_value(
                                    &mut Direct,
                                    src!(b!()),
                                    *pc.add(2) as *mut PyObject,
                                    (*pc.add(1) >> 32) as u32,
                                    *pc.add(3) as *mut PyObject,
                                );
                                if let Ok(value) = found {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_TYPE_VALUE => {
                                // A plain value found on the type, nothing on the instance.
                                let value = specialize::type_value(obj!(b!()), pc, name!(c!()));
                                if !value.is_null() {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_MODULE => {
                                let value = specialize::module_attribute(obj!(b!()), pc);
                                if !value.is_null() {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_dst!(a!(), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_DESCRIPTOR => {
                                match specialize::descriptor_value(obj!(b!()), pc, name!(c!())) {
                                    Ok(value) => {
                                        drop_src!(b!());
                                        set_dst!(a!(), value);
                                        next!(4)
                                    }
                                    Err(Exit::Raised(_)) => raise_here!(),
                                    Err(Exit::Miss) => {}
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_ATTR_PROPERTY => {
                                let object = obj!(b!());
                                if (*object.ob_type.get()).tp_version_tag.get() == (*pc.add(1) >> 32) as u32 {
                                    let getter = *pc.add(2) as *mut PyFunctionObject;
                                    if (*getter).func_version.get() == *pc.add(1) as u32 {
                                        (*getter.cast::<PyObject>()).incref();
                                        match push_frame(ts, getter, null_mut(), 1) {
                                            Ok(new) => {
                                                *Frame::registers(new) = owned_src!(b!());
                                                enter_frame!(new, FrameExit::Register)
                                            }
                                            Err(_) => raise_here!(),
                                        }
                                    }
                                }
                                specialize::miss_again(pc, op::LOAD_ATTR);
                                finish!(obj!(b!()).get_attr(name!(c!())), 4, b!())
                            }
                            op::LOAD_METHOD => {
                                // A form that missed comes here too, and keeps its cache.
                                if w as u8 == op::LOAD_METHOD {
                                    specialize::load_method(pc, obj!(b!()), name!(c!()));
                                }
                                match obj!(b!()).get_method(name!(c!())) {
                                    Ok((function, unbound)) => {
                                        if unbound {
                                            let object = owned_src!(b!());
                                            set_register(regs.add(a!() as usize + 1), object);
                                        } else {
                                            drop_src!(b!());
                                            set_register(regs.add(a!() as usize + 1), null_mut());
                                        }
                                        set_register(regs.add(a!() as usize), function.into_raw());
                                        next!(4)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::LOAD_METHOD_CACHED => {
                                let function = specialize::type_value(obj!(b!()), pc, name!(c!()));
                                if !function.is_null() {
                                    (*function).incref();
                                    let object = owned_src!(b!());
                                    set_register(regs.add(a!() as usize + 1), object);
                                    set_register(regs.add(a!() as usize), function);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_METHOD);
                                redispatch!(op::LOAD_METHOD)
                            }
                            op::LOAD_METHOD_MODULE => {
                                let value = specialize::module_attribute(obj!(b!()), pc);
                                if !value.is_null() {
                                    (*value).incref();
                                    drop_src!(b!());
                                    set_register(regs.add(a!() as usize + 1), null_mut());
                                    set_register(regs.add(a!() as usize), value);
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::LOAD_METHOD);
                                redispatch!(op::LOAD_METHOD)
                            }
                            op::STORE_ATTR => {
                                specialize::store_attr(pc, obj!(a!()), name!(c!()));
                                finish_status!(obj!(a!()).set_attr(name!(c!()), obj!(b!())), 4, a!(), b!())
                            }
                            op::STORE_ATTR_DESCRIPTOR => {
                                match specialize::store_descriptor(obj!(a!()), pc, obj!(b!())) {
                                    Ok(()) => {
                                        drop_src!(a!());
                                        drop_src!(b!());
                                        next!(4)
                                    }
                                    Err(Exit::Raised(_)) => raise_here!(),
                                    Err(Exit::Miss) => {}
                                }
                                specialize::miss_again(pc, op::STORE_ATTR);
                                finish_status!(obj!(a!()).set_attr(name!(c!()), obj!(b!())), 4, a!(), b!())
                            }
                            op::STORE_ATTR_INSTANCE => {
                                if specialize::store_inline_attribute(obj!(a!()), pc, name!(c!()), src!(b!()))
                                {
                                    drop_src!(b!());
                                    drop_src!(a!());
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::STORE_ATTR);
                                finish_status!(obj!(a!()).set_attr(name!(c!()), obj!(b!())), 4, a!(), b!())
                            }
                            op::STORE_ATTR_WITH_HINT => {
                                if specialize::store_dict_attribute(obj!(a!()), pc, name!(c!()), src!(b!())) {
                                    drop_src!(b!());
                                    drop_src!(a!());
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::STORE_ATTR);
                                finish_status!(obj!(a!()).set_attr(name!(c!()), obj!(b!())), 4, a!(), b!())
                            }
                            op::STORE_ATTR_SLOT => {
                                let (version, offset) = ((*pc.add(1) >> 32) as u32, *pc.add(2) as usize);
                                let (object, value) = (src!(a!()), src!(b!()));
                                if attribute::store_slot(&mut Direct, object, version, offset, value).is_ok()
                                {
                                    drop_src!(b!());
                                    drop_src!(a!());
                                    next!(4)
                                }
                                specialize::miss_again(pc, op::STORE_ATTR);
                                finish_status!(obj!(a!()).set_attr(name!(c!()), obj!(b!())), 4, a!(), b!())
                            }
                            op::DELETE_ATTR => finish_status!(obj!(a!()).del_attr(name!(c!())), 1, a!()),
                            op::LOAD_SUPER_ATTR => {
                                match ops::load_super(
                                    frame,
                                    regs.add(b!() as usize),
                                    name!(c!()),
                                    x!(),
                                    false,
                                ) {
                                    Ok((value, _)) => {
                                        ops::clear_registers(regs.add(b!() as usize), 3);
                                        set_dst!(a!(), value.into_raw());
                                        next!(2)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::LOAD_SUPER_METHOD => {
                                match ops::load_super(frame, regs.add(b!() as usize), name!(c!()), x!(), true)
                                {
                                    Ok((value, unbound)) => {
                                        let this = std::ptr::replace(regs.add(b!() as usize + 2), null_mut());
                                        ops::clear_registers(regs.add(b!() as usize), 3);
                                        reg!(a!()) = value.into_raw();
                                        if unbound {
                                            reg!(a!() as usize + 1) = this;
                                        } else {
                                            decref(this);
                                        }
                                        next!(2)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::LOAD_SUBSCR => {
                                specialize::load_subscr(pc, obj!(b!()), obj!(c!()));
                                finish!(obj!(b!()).get_item(obj!(c!())), 2, b!(), c!())
                            }
                            op::LOAD_SUBSCR_LIST_INT => {
                                if let Some(value) = specialize::list_item(obj!(b!()), obj!(c!())) {
                                    finish!(Ok::<Ref, Raised>(value), 2, b!(), c!())
                                }
                                specialize::miss_again(pc, op::LOAD_SUBSCR);
                                finish!(obj!(b!()).get_item(obj!(c!())), 2, b!(), c!())
                            }
                            op::LOAD_SUBSCR_TUPLE_INT => {
                                if let Some(value) = specialize::tuple_item(obj!(b!()), obj!(c!())) {
                                    finish!(Ok::<Ref, Raised>(value), 2, b!(), c!())
                                }
                                specialize::miss_again(pc, op::LOAD_SUBSCR);
                                finish!(obj!(b!()).get_item(obj!(c!())), 2, b!(), c!())
                            }
                            op::LOAD_SUBSCR_DICT => {
                                match specialize::dict_item(obj!(b!()), obj!(c!())) {
                                    Some(Ok(value)) => finish!(Ok::<Ref, Raised>(value), 2, b!(), c!()),
                                    Some(Err(_)) => raise_here!(),
                                    None => {}
                                }
                                specialize::miss_again(pc, op::LOAD_SUBSCR);
                                finish!(obj!(b!()).get_item(obj!(c!())), 2, b!(), c!())
                            }
                            op::LOAD_SUBSCR_STR_INT => {
                                if let Some(value) = specialize::str_item(obj!(b!()), obj!(c!())) {
                                    finish!(Ok::<Ref, Raised>(value), 2, b!(), c!())
                                }
                                specialize::miss_again(pc, op::LOAD_SUBSCR);
                                finish!(obj!(b!()).get_item(obj!(c!())), 2, b!(), c!())
                            }
                            op::STORE_SUBSCR => {
                                specialize::store_subscr(pc, obj!(a!()), obj!(b!()));
                                finish_status!(
                                    obj!(a!()).set_item(obj!(b!()), obj!(c!())),
                                    2,
                                    a!(),
                                    b!(),
                                    c!()
                                )
                            }
                            op::STORE_SUBSCR_LIST_INT => {
                                if specialize::set_list_item(obj!(a!()), obj!(b!()), src!(c!())) {
                                    drop_src!(a!());
                                    drop_src!(b!());
                                    drop_src!(c!());
                                    next!(2)
                                }
                                specialize::miss_again(pc, op::STORE_SUBSCR);
                                finish_status!(
                                    obj!(a!()).set_item(obj!(b!()), obj!(c!())),
                                    2,
                                    a!(),
                                    b!(),
                                    c!()
                                )
                            }
                            op::STORE_SUBSCR_DICT => {
                                if let Some(dict) = obj!(a!()).downcast_exact::<PyDictObject>() {
                                    finish_status!(dict.set(obj!(b!()), obj!(c!())), 2, a!(), b!(), c!())
                                }
                                specialize::miss_again(pc, op::STORE_SUBSCR);
                                finish_status!(
                                    obj!(a!()).set_item(obj!(b!()), obj!(c!())),
                                    2,
                                    a!(),
                                    b!(),
                                    c!()
                                )
                            }
                            op::DELETE_SUBSCR => {
                                finish_status!(obj!(a!()).del_item(obj!(b!())), 1, a!(), b!())
                            }
                            op::BINARY_SLICE => {
                                let stop = *pc.add(1) as u16;
                                finish!(
                                    ops::binary_slice(obj!(b!()), obj!(c!()), obj!(stop)),
                                    2,
                                    b!(),
                                    c!(),
                                    stop
                                )
                            }
                            op::STORE_SLICE => {
                                let value = *pc.add(1) as u16;
                                finish_status!(
                                    ops::store_slice(obj!(a!()), obj!(b!()), obj!(c!()), obj!(value)),
                                    2,
                                    a!(),
                                    b!(),
                                    c!(),
                                    value
                                )
                            }
                            op::BUILD_SLICE => {
                                let step = *pc.add(1) as u16;
                                let step_value = if step == NO_REG { None } else { Some(obj!(step)) };
                                finish!(
                                    PySliceObject::new_slice(Some(obj!(b!())), Some(obj!(c!())), step_value),
                                    2,
                                    b!(),
                                    c!(),
                                    step
                                )
                            }

                            // ---- operators ----
                            op::BINARY_OP => {
                                specialize::binary_op(pc, x!(), obj!(b!()), obj!(c!()));
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_ADD_INT => {
                                if let Some(value) = specialize::add_int(obj!(b!()), obj!(c!())) {
                                    finish_int!(value)
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_SUBTRACT_INT => {
                                if let Some(value) = specialize::subtract_int(obj!(b!()), obj!(c!())) {
                                    finish_int!(value)
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_MULTIPLY_INT => {
                                if let Some(value) = specialize::multiply_int(obj!(b!()), obj!(c!())) {
                                    finish_int!(value)
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_INT => {
                                if let Some(value) = specialize::other_int(x!(), obj!(b!()), obj!(c!())) {
                                    finish_int!(value)
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_FLOAT => {
                                let (left, right) = (src!(b!()), src!(c!()));
                                if let Ok(value) = arithmetic::float_value(&mut Direct, x!(), left, right) {
                                    // A float that dies here takes the result.
                                    let result = if specialize::is_dying_float(b!(), left) {
                                        (*left.cast::<PyFloatObject>()).ob_fval.set(value);
                                        *regs.add((b!() & SRC_INDEX) as usize) = null_mut();
                                        drop_src!(c!());
                                        left
                                    } else if specialize::is_dying_float(c!(), right) {
                                        (*right.cast::<PyFloatObject>()).ob_fval.set(value);
                                        *regs.add((c!() & SRC_INDEX) as usize) = null_mut();
                                        drop_src!(b!());
                                        right
                                    } else {
                                        let result = PyFloatObject::from_f64(value).into_object_raw();
                                        drop_src!(b!());
                                        drop_src!(c!());
                                        result
                                    };
                                    set_dst!(a!(), result);
                                    next!(2)
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::BINARY_OP_ADD_STR => {
                                match specialize::add_str(regs.add(0), pc, a!(), b!(), c!(), consts) {
                                    Some(Ok(value)) => {
                                        drop_src!(b!());
                                        drop_src!(c!());
                                        set_dst!(a!(), value.into_raw());
                                        next!(2)
                                    }
                                    Some(Err(_)) => raise_here!(),
                                    None => {}
                                }
                                specialize::miss(pc, op::BINARY_OP);
                                finish!(ops::binary_op(x!(), obj!(b!()), obj!(c!())), 2, b!(), c!())
                            }
                            op::COMPARE_OP => {
                                specialize::compare_op(pc, obj!(b!()), obj!(c!()));
                                finish!(ops::compare(obj!(b!()), obj!(c!()), x!()), 2, b!(), c!())
                            }
                            op::COMPARE_OP_FAST => {
                                if let Some(truth) = specialize::compare_fast(x!(), obj!(b!()), obj!(c!())) {
                                    drop_src!(b!());
                                    drop_src!(c!());
                                    set_dst!(a!(), py_bool(truth).into_raw());
                                    next!(2)
                                }
                                specialize::miss(pc, op::COMPARE_OP);
                                finish!(ops::compare(obj!(b!()), obj!(c!()), x!()), 2, b!(), c!())
                            }
                            op::IS_OP => {
                                let same = (src!(b!()) == src!(c!())) == (x!() == 0);
                                drop_src!(b!());
                                drop_src!(c!());
                                set_dst!(a!(), py_bool(same).into_raw());
                                next!(1)
                            }
                            op::CONTAINS_OP => {
                                let found = obj!(c!())
                                    .contains(obj!(b!()))
                                    .map(|found| py_bool(found == (x!() == 0)));
                                finish!(found, 2, b!(), c!())
                            }
                            op::UNARY_NEGATIVE => finish!(ops::negative(obj!(b!())), 1, b!()),
                            op::UNARY_POSITIVE => finish!(ops::positive(obj!(b!())), 1, b!()),
                            op::UNARY_INVERT => finish!(ops::invert(obj!(b!())), 1, b!()),
                            op::UNARY_NOT => {
                                let truth = truth!(src!(b!()));
                                drop_src!(b!());
                                set_dst!(a!(), py_bool(!truth).into_raw());
                                next!(1)
                            }

                            // ---- jumps ----
                            op::JUMP | op::JUMP_BACKWARD_NO_INTERRUPT => jump!(w >> 32),
                            op::JUMP_BACKWARD => {
                                check_breaker!(base.add((w >> 32) as usize));
                                jump!(w >> 32)
                            }
                            op::POP_JUMP_IF_TRUE => {
                                let truth = truth!(src!(a!()));
                                drop_src!(a!());
                                if truth {
                                    jump!(w >> 32)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_FALSE => {
                                let truth = truth!(src!(a!()));
                                drop_src!(a!());
                                if !truth {
                                    jump!(w >> 32)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_NONE => {
                                let is = is_none(obj!(a!()));
                                drop_src!(a!());
                                if is {
                                    jump!(w >> 32)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_NOT_NONE => {
                                let is = is_none(obj!(a!()));
                                drop_src!(a!());
                                if !is {
                                    jump!(w >> 32)
                                }
                                next!(1)
                            }
                            op::COMPARE_JUMP => {
                                specialize::compare_jump(pc, obj!(a!()), obj!(b!()));
                                match ops::compare_truth(obj!(a!()), obj!(b!()), x!() & 7) {
                                    Ok(truth) => {
                                        drop_src!(a!());
                                        drop_src!(b!());
                                        if truth == (x!() & 8 != 0) {
                                            jump!(*pc.add(1) as u32)
                                        }
                                        next!(3)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::COMPARE_JUMP_FAST => {
                                if let Some(truth) =
                                    specialize::compare_fast(x!() & 7, obj!(a!()), obj!(b!()))
                                {
                                    drop_src!(a!());
                                    drop_src!(b!());
                                    if truth == (x!() & 8 != 0) {
                                        jump!(*pc.add(1) as u32)
                                    }
                                    next!(3)
                                }
                                specialize::miss(pc, op::COMPARE_JUMP);
                                redispatch!(op::COMPARE_JUMP)
                            }
                            op::IS_JUMP => {
                                let same = src!(a!()) == src!(b!());
                                drop_src!(a!());
                                drop_src!(b!());
                                if same == (x!() & 1 != 0) {
                                    jump!(*pc.add(1) as u32)
                                }
                                next!(2)
                            }
                            op::CONTAINS_JUMP => match obj!(b!()).contains(obj!(a!())) {
                                Ok(found) => {
                                    drop_src!(a!());
                                    drop_src!(b!());
                                    if found == (x!() & 1 != 0) {
                                        jump!(*pc.add(1) as u32)
                                    }
                                    next!(3)
                                }
                                Err(_) => raise_here!(),
                            },

                            // ---- iteration ----
                            op::GET_ITER => finish!(obj!(b!()).iter(), 2, b!()),
                            op::FOR_ITER => {
                                // A form that missed comes here too, and keeps its cache.
                                if w as u8 == op::FOR_ITER {
                                    specialize::for_iter(pc, &*reg!(b!()));
                                }
                                let item = if mask == 0 {
                                    ops::iterate(&*reg!(b!()))
                                } else {
                                    crate::tracing::iterate(ts, frame, &*reg!(b!()))
                                };
                                match item {
                                    Ok(Some(item)) => {
                                        set_dst!(a!(), item.into_raw());
                                        next!(3)
                                    }
                                    Ok(None) => jump!(*pc.add(1) as u32),
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::FOR_ITER_LIST => match specialize::list_next(&*reg!(b!())) {
                                Some(item) if !item.is_null() => {
                                    set_dst!(a!(), item);
                                    next!(3)
                                }
                                Some(_) => jump!(*pc.add(1) as u32),
                                None => {
                                    specialize::miss_again(pc, op::FOR_ITER);
                                    redispatch!(op::FOR_ITER)
                                }
                            },
                            op::FOR_ITER_TUPLE => match specialize::tuple_next(&*reg!(b!())) {
                                Some(item) if !item.is_null() => {
                                    set_dst!(a!(), item);
                                    next!(3)
                                }
                                Some(_) => jump!(*pc.add(1) as u32),
                                None => {
                                    specialize::miss_again(pc, op::FOR_ITER);
                                    redispatch!(op::FOR_ITER)
                                }
                            },
                            op::FOR_ITER_RANGE => match specialize::range_next(&*reg!(b!())) {
                                Some(item) if !item.is_null() => {
                                    set_dst!(a!(), item);
                                    next!(3)
                                }
                                Some(_) => jump!(*pc.add(1) as u32),
                                None => {
                                    specialize::miss_again(pc, op::FOR_ITER);
                                    redispatch!(op::FOR_ITER)
                                }
                            },
                            op::FOR_ITER_GENERATOR => {
                                if let Some(generator) = genobject::resumable(&*reg!(b!())) {
                                    match genobject::resume_frame(ts, generator, none().as_ptr()) {
                                        Ok(new) => enter_frame!(new, FrameExit::ForIter),
                                        Err(_) => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::FOR_ITER);
                                redispatch!(op::FOR_ITER)
                            }
                            op::END_FOR => {
                                set_register(regs.add(a!() as usize), null_mut());
                                next!(1)
                            }
                            op::GET_YIELD_FROM_ITER => {
                                finish!(genobject::yield_from_iter(frame, obj!(b!())), 1, b!())
                            }
                            op::GET_AWAITABLE => finish!(genobject::get_awaitable(obj!(b!()), x!()), 1, b!()),
                            op::GET_AITER => finish!(ops::get_aiter(obj!(b!())), 1, b!()),
                            op::GET_ANEXT => finish!(ops::get_anext(&*reg!(b!())), 1),
                            op::SEND => {
                                let receiver = reg!(b!());
                                if let Some(generator) = genobject::resumable(&*receiver) {
                                    match genobject::resume_frame(ts, generator, reg!(a!())) {
                                        Ok(new) => {
                                            set_register(regs.add(a!() as usize), null_mut());
                                            enter_frame!(new, FrameExit::Send)
                                        }
                                        Err(_) => raise_here!(),
                                    }
                                }
                                match genobject::send(&*receiver, &*reg!(a!())) {
                                    Ok((value, returned)) => {
                                        if mask != 0
                                            && returned
                                            && crate::tracing::on_send_end(ts, frame, &*receiver, &value)
                                                .is_err()
                                        {
                                            raise_here!()
                                        }
                                        set_register(regs.add(a!() as usize), value.into_raw());
                                        if returned {
                                            jump!(*pc.add(1) as u32)
                                        }
                                        next!(3)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::CLEANUP_THROW => {
                                let exception = std::ptr::replace(regs.add(c!() as usize), null_mut());
                                match genobject::stop_iteration_value(Ref::from_owned(exception)) {
                                    Ok(value) => {
                                        set_register(regs.add(a!() as usize), null_mut());
                                        set_register(regs.add(b!() as usize), value.into_raw());
                                        next!(1)
                                    }
                                    Err(_) => break 'exec Flow::Reraise,
                                }
                            }
                            op::END_ASYNC_FOR => {
                                let exception =
                                    Ref::from_owned(std::ptr::replace(regs.add(b!() as usize), null_mut()));
                                if exception
                                    .is_instance_of(adder_runtime::exceptions::exc::StopAsyncIteration)
                                {
                                    set_register(regs.add(a!() as usize), null_mut());
                                    drop(exception);
                                    next!(1)
                                }
                                let _ = adder_runtime::error::restore(exception);
                                break 'exec Flow::Reraise;
                            }

                            // ---- calls ----
                            op::CALL => {
                                let args = regs.add(b!() as usize);
                                // A form that missed comes here too, and keeps its cache.
                                if w as u8 == op::CALL {
                                    specialize::call(pc, args, c!() as usize);
                                }
                                match call::call(ts, args, c!() as usize) {
                                    call::Called::Value(value) => {
                                        if mask != 0
                                            && crate::tracing::after_c_call(ts, frame, args, false).is_err()
                                        {
                                            decref(value);
                                            raise_here!()
                                        }
                                        ops::clear_registers(args, c!() as usize + 2);
                                        set_result!(a!(), value);
                                        next_after_traced_call!(3)
                                    }
                                    call::Called::Frame(new) => enter_frame!(new, FrameExit::Register),
                                    call::Called::Raised => {
                                        if mask != 0 {
                                            let _ = crate::tracing::after_c_call(ts, frame, args, true);
                                        }
                                        raise_here!()
                                    }
                                }
                            }
                            op::CALL_PY_EXACT => {
                                let args = regs.add(b!() as usize);
                                let callable = *args;
                                let this = *args.add(1);
                                let version = (*pc.add(1) >> 32) as u32;
                                if adder_semantics::call::guard_function(&mut Direct, callable, version)
                                    .is_ok()
                                {
                                    let function = callable.cast::<PyFunctionObject>();
                                    {
                                        let n_args = c!() as usize + usize::from(!this.is_null());
                                        if n_args == *pc.add(2) as u32 as usize {
                                            let first =
                                                if this.is_null() { args.add(2) } else { args.add(1) };
                                            *args = null_mut();
                                            match push_frame(ts, function, null_mut(), n_args) {
                                                Ok(new) => {
                                                    let target = Frame::registers(new);
                                                    for index in 0..n_args {
                                                        *target.add(index) = *first.add(index);
                                                        *first.add(index) = null_mut();
                                                    }
                                                    enter_frame!(new, FrameExit::Register)
                                                }
                                                Err(_) => raise_here!(),
                                            }
                                        }
                                        let first = if this.is_null() { args.add(2) } else { args.add(1) };
                                        *args = null_mut();
                                        match call::push_call_short(ts, function, first, n_args) {
                                            Some(Ok(new)) => enter_frame!(new, FrameExit::Register),
                                            Some(Err(_)) => raise_here!(),
                                            None => *args = callable,
                                        }
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_BOUND_METHOD => {
                                let args = regs.add(b!() as usize);
                                let callable = *args;
                                if (*args.add(1)).is_null()
                                    && (*callable).ob_type.get() == (&raw const PyMethod_Type).cast_mut()
                                {
                                    call::unpack_method(args);
                                    redispatch!(op::CALL_PY_EXACT)
                                } else {
                                    specialize::miss_again(pc, op::CALL);
                                    redispatch!(op::CALL)
                                }
                            }
                            op::CALL_BUILTIN_O => {
                                let args = regs.add(b!() as usize);
                                let callable = *args;
                                if (*args.add(1)).is_null() && call::is_builtin(callable, true, 1) {
                                    match call::call_builtin(callable, args.add(2), 1, true) {
                                        Some(value) => {
                                            ops::clear_call_of_one(args);
                                            set_result!(a!(), value);
                                            next_after_call!(3)
                                        }
                                        None => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_BUILTIN_FAST => {
                                let args = regs.add(b!() as usize);
                                let callable = *args;
                                if (*args.add(1)).is_null()
                                    && call::is_builtin(callable, false, c!() as usize)
                                {
                                    match call::call_builtin(callable, args.add(2), c!() as usize, false) {
                                        Some(value) => {
                                            ops::clear_registers(args, c!() as usize + 2);
                                            set_result!(a!(), value);
                                            next_after_call!(3)
                                        }
                                        None => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_LEN => {
                                let args = regs.add(b!() as usize);
                                if *args as u64 == *pc.add(2) && (*args.add(1)).is_null() {
                                    match (**args.add(2)).len() {
                                        Ok(len) => {
                                            let value = PyLongObject::from_usize(len).into_object_raw();
                                            ops::clear_call_of_one(args);
                                            set_result!(a!(), value);
                                            next_after_call!(3)
                                        }
                                        Err(_) => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_METHOD_DESCRIPTOR => {
                                let args = regs.add(b!() as usize);
                                let callable = *args;
                                let this = *args.add(1);
                                if callable as u64 == *pc.add(2) && !this.is_null() {
                                    match call::call_method_descriptor(
                                        callable,
                                        this,
                                        args.add(2),
                                        c!() as usize,
                                    ) {
                                        Some(value) => {
                                            ops::clear_method_call(args, c!() as usize);
                                            set_result!(a!(), value);
                                            next_after_call!(3)
                                        }
                                        None => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_CLASS_INIT => {
                                let args = regs.add(b!() as usize);
                                let class = (*args).cast::<PyTypeObject>();
                                // No two classes have the same version.
                                if std::ptr::eq((**args).ty(), PyTypeObject::type_object())
                                    && (*args.add(1)).is_null()
                                    && (*class).tp_version_tag.get() == (*pc.add(1) >> 32) as u32
                                {
                                    let init = *pc.add(2) as *mut PyFunctionObject;
                                    match call::push_init(ts, class, init, args, c!() as usize) {
                                        Ok(new) => enter_frame!(new, FrameExit::Init),
                                        Err(_) => raise_here!(),
                                    }
                                }
                                specialize::miss_again(pc, op::CALL);
                                redispatch!(op::CALL)
                            }
                            op::CALL_KW => {
                                let args = regs.add(b!() as usize);
                                let names = *consts.add(*pc.add(1) as u32 as usize);
                                match call::call_keywords(ts, args, c!() as usize, names) {
                                    call::Called::Value(value) => {
                                        if mask != 0
                                            && crate::tracing::after_c_call(ts, frame, args, false).is_err()
                                        {
                                            decref(value);
                                            raise_here!()
                                        }
                                        ops::clear_registers(args, c!() as usize + 2);
                                        set_result!(a!(), value);
                                        next_after_traced_call!(3)
                                    }
                                    call::Called::Frame(new) => enter_frame!(new, FrameExit::Register),
                                    call::Called::Raised => {
                                        if mask != 0 {
                                            let _ = crate::tracing::after_c_call(ts, frame, args, true);
                                        }
                                        raise_here!()
                                    }
                                }
                            }
                            op::CALL_EX => {
                                let args = regs.add(b!() as usize);
                                match call::call_ex(ts, args, x!() & 1 != 0) {
                                    call::Called::Value(value) => {
                                        if mask != 0
                                            && crate::tracing::after_c_call(ts, frame, args, false).is_err()
                                        {
                                            decref(value);
                                            raise_here!()
                                        }
                                        ops::clear_registers(args, 4.min(2 + 1 + (x!() & 1) as usize));
                                        set_result!(a!(), value);
                                        next_after_traced_call!(2)
                                    }
                                    call::Called::Frame(new) => {
                                        enter_frame!(new, FrameExit::Register)
                                    }
                                    call::Called::Raised => {
                                        if mask != 0 {
                                            let _ = crate::tracing::after_c_call(ts, frame, args, true);
                                        }
                                        raise_here!()
                                    }
                                }
                            }
                            op::CALL_INTRINSIC_1 => match ops::intrinsic_1(frame, x!(), obj!(b!())) {
                                Ok(value) => {
                                    drop_src!(b!());
                                    set_result!(a!(), value.into_raw());
                                    next!(1)
                                }
                                Err(_) => raise_here!(),
                            },
                            op::CALL_INTRINSIC_2 => {
                                finish!(ops::intrinsic_2(x!(), obj!(b!()), obj!(c!())), 1, b!(), c!())
                            }
                            op::MAKE_FUNCTION => finish!(ops::make_function(frame, obj!(b!())), 1, b!()),
                            op::SET_FUNCTION_ATTRIBUTE => {
                                let value = Ref::from_owned(owned_src!(b!()));
                                match ops::set_function_attribute(&*reg!(a!()), x!(), value) {
                                    Ok(()) => next!(1),
                                    Err(_) => raise_here!(),
                                }
                            }

                            // ---- displays ----
                            op::BUILD_TUPLE => {
                                let tuple = ops::tuple_of_registers(regs.add(b!() as usize), c!() as usize);
                                set_dst!(a!(), tuple.into_raw());
                                next!(1)
                            }
                            op::BUILD_LIST => {
                                finish!(ops::list_of_registers(regs.add(b!() as usize), c!() as usize), 1)
                            }
                            op::BUILD_SET => {
                                finish!(ops::set_of_registers(regs.add(b!() as usize), c!() as usize), 1)
                            }
                            op::BUILD_MAP => {
                                finish!(ops::dict_of_registers(regs.add(b!() as usize), c!() as usize), 1)
                            }
                            op::BUILD_STRING => {
                                finish!(
                                    ops::string_of_registers(regs.add(b!() as usize), c!() as usize),
                                    1
                                )
                            }
                            op::BUILD_TEMPLATE => {
                                finish!(
                                    crate::template::new_template(obj!(b!()), obj!(c!())),
                                    1,
                                    b!(),
                                    c!()
                                )
                            }
                            op::BUILD_INTERPOLATION => {
                                match ops::build_interpolation(regs.add(b!() as usize), x!()) {
                                    Ok(value) => {
                                        ops::clear_registers(
                                            regs.add(b!() as usize),
                                            2 + usize::from(x!() & 4 != 0),
                                        );
                                        set_dst!(a!(), value.into_raw());
                                        next!(1)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::LIST_APPEND => {
                                let value = Ref::from_owned(owned_src!(b!()));
                                (*reg!(a!()).cast::<PyListObject>()).push(value);
                                next!(1)
                            }
                            op::LIST_EXTEND => {
                                finish_status!(ops::list_extend(&*reg!(a!()), obj!(b!())), 1, b!())
                            }
                            op::SET_ADD => {
                                finish_status!(ops::set_add(&*reg!(a!()), obj!(b!())), 1, b!())
                            }
                            op::SET_UPDATE => {
                                finish_status!(ops::set_update(&*reg!(a!()), obj!(b!())), 1, b!())
                            }
                            op::MAP_ADD => {
                                finish_status!(
                                    (*reg!(a!()).cast::<PyDictObject>()).set(obj!(b!()), obj!(c!())),
                                    1,
                                    b!(),
                                    c!()
                                )
                            }
                            op::DICT_UPDATE => {
                                finish_status!(ops::dict_update(&*reg!(a!()), obj!(b!())), 1, b!())
                            }
                            op::DICT_MERGE => {
                                finish_status!(
                                    ops::dict_merge(&*reg!(a!()), obj!(b!()), &*reg!(c!())),
                                    1,
                                    b!()
                                )
                            }
                            op::UNPACK_SEQUENCE => {
                                // The source may be in one of the registers that are written.
                                let value = Ref::from_owned(owned_src!(b!()));
                                if PyTupleObject::check_exact(&value) {
                                    specialize::unpack_sequence(pc, &value, c!() as usize);
                                }
                                match ops::unpack_sequence(regs.add(a!() as usize), &value, c!() as usize) {
                                    Ok(old) => {
                                        drop(value);
                                        drop(old);
                                        next!(2)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }
                            op::UNPACK_SEQUENCE_PAIR => {
                                let value = src!(b!());
                                if let Ok((first, second)) = subscript::pair_items(&mut Direct, value) {
                                    drop_src!(b!());
                                    set_register(regs.add(a!() as usize), first);
                                    set_register(regs.add(a!() as usize + 1), second);
                                    next!(2)
                                }
                                specialize::miss(pc, op::UNPACK_SEQUENCE);
                                redispatch!(op::UNPACK_SEQUENCE)
                            }
                            op::UNPACK_EX => {
                                let value = Ref::from_owned(owned_src!(b!()));
                                match ops::unpack_ex(
                                    regs.add(a!() as usize),
                                    &value,
                                    x!() as usize,
                                    c!() as usize,
                                ) {
                                    Ok(old) => {
                                        drop(value);
                                        drop(old);
                                        next!(1)
                                    }
                                    Err(_) => raise_here!(),
                                }
                            }

                            // ---- strings ----
                            op::CONVERT_VALUE => finish!(ops::convert_value(obj!(b!()), x!()), 1, b!()),
                            op::FORMAT_SIMPLE => finish!(obj!(b!()).format(None), 1, b!()),
                            op::FORMAT_WITH_SPEC => {
                                finish!(
                                    obj!(b!()).format(obj!(c!()).downcast::<PyUnicodeObject>()),
                                    1,
                                    b!(),
                                    c!()
                                )
                            }

                            // ---- exceptions ----
                            op::PUSH_EXC_INFO => {
                                let item = &*ts.base.exc_info.get();
                                let exception = reg!(a!());
                                (*exception).incref();
                                let mut old = item.exc_value.replace(exception);
                                if old.is_null() {
                                    old = none().as_ptr();
                                }
                                reg!(a!()) = old;
                                set_register(regs.add(a!() as usize + 1), exception);
                                next!(1)
                            }
                            op::POP_EXCEPT => {
                                let mut value = std::ptr::replace(regs.add(a!() as usize), null_mut());
                                if value == none().as_ptr() {
                                    value = null_mut();
                                }
                                let old = (*ts.base.exc_info.get()).exc_value.replace(value);
                                adder_runtime::memory::xdecref(old);
                                next!(1)
                            }
                            op::CHECK_EXC_MATCH => match ops::exception_matches(&*reg!(b!()), obj!(c!())) {
                                Ok(matches) => {
                                    drop_src!(c!());
                                    set_dst!(a!(), py_bool(matches).into_raw());
                                    next!(1)
                                }
                                Err(_) => raise_here!(),
                            },
                            op::CHECK_EG_MATCH => match ops::group_match(&*reg!(a!()), obj!(c!())) {
                                Ok((matched, rest)) => {
                                    drop_src!(c!());
                                    if !is_none(&matched) {
                                        let item = &*ts.base.exc_info.get();
                                        let old = item.exc_value.replace(matched.clone().into_raw());
                                        adder_runtime::memory::xdecref(old);
                                    }
                                    set_register(regs.add(b!() as usize), matched.into_raw());
                                    set_register(regs.add(a!() as usize), rest.into_raw());
                                    next!(1)
                                }
                                Err(_) => raise_here!(),
                            },
                            op::RERAISE => {
                                let exception = std::ptr::replace(regs.add(a!() as usize), null_mut());
                                if b!() != NO_REG
                                    && let Some(lasti) = (*reg!(b!())).downcast::<PyLongObject>()
                                {
                                    // The frame's place is told by tracebacks; the handler is found by `pc`.
                                    (*frame).pc = base.add(lasti.to_i64().unwrap_or(0) as usize);
                                }
                                let _ = adder_runtime::error::restore(Ref::from_owned(exception));
                                break 'exec Flow::Reraise;
                            }
                            op::RAISE_VARARGS => {
                                let exception = if x!() == 0 { null_mut() } else { owned_src!(a!()) };
                                let cause = if x!() == 2 { owned_src!(b!()) } else { null_mut() };
                                if ops::do_raise(ts, exception, cause) {
                                    break 'exec Flow::Reraise;
                                }
                                raise_here!()
                            }
                            op::WITH_EXCEPT_START => {
                                finish!(ops::with_except_start(regs.add(b!() as usize), &*reg!(c!())), 1)
                            }
                            op::LOAD_SPECIAL => match ops::load_special(obj!(b!()), x!()) {
                                Ok((method, unbound)) => {
                                    let this = owned_src!(b!());
                                    if unbound {
                                        set_register(regs.add(a!() as usize + 1), this);
                                    } else {
                                        decref(this);
                                    }
                                    set_register(regs.add(a!() as usize), method.into_raw());
                                    next!(1)
                                }
                                Err(_) => raise_here!(),
                            },

                            // ---- pattern matching ----
                            op::GET_LEN => {
                                let length = obj!(b!()).len().map(PyLongObject::from_usize);
                                finish!(length, 1, b!())
                            }
                            op::MATCH_MAPPING => {
                                let truth = obj!(b!()).type_has(Py_TPFLAGS_MAPPING);
                                drop_src!(b!());
                                set_dst!(a!(), py_bool(truth).into_raw());
                                next!(1)
                            }
                            op::MATCH_SEQUENCE => {
                                let truth = obj!(b!()).type_has(Py_TPFLAGS_SEQUENCE);
                                drop_src!(b!());
                                set_dst!(a!(), py_bool(truth).into_raw());
                                next!(1)
                            }
                            op::MATCH_KEYS => {
                                finish!(crate::matching::match_keys(obj!(b!()), obj!(c!())), 1, b!(), c!())
                            }
                            op::MATCH_CLASS => {
                                let names = *pc.add(1) as u16;
                                let n_positional = (*pc.add(1) >> 16) as u16 as usize;
                                finish!(
                                    crate::matching::match_class(
                                        obj!(b!()),
                                        obj!(c!()),
                                        n_positional,
                                        obj!(names)
                                    ),
                                    2,
                                    b!(),
                                    c!(),
                                    names
                                )
                            }

                            // ---- import ----
                            op::IMPORT_NAME => {
                                let name = name!(*pc.add(1) as u32);
                                finish!(
                                    crate::import::import_name(frame, name, obj!(c!()), obj!(b!())),
                                    2,
                                    b!(),
                                    c!()
                                )
                            }
                            op::IMPORT_FROM => {
                                finish!(crate::import::import_from(obj!(b!()), name!(c!())), 1, b!())
                            }

                            op::TRACED if TRACED => {
                                (*frame).pc = pc;
                                if crate::tracing::before_instruction(ts, frame).is_err() {
                                    raise_here!()
                                }
                                // A tracer may have moved the frame, by setting `f_lineno`.
                                if (*frame).pc != pc {
                                    pc = (*frame).pc;
                                    mask = trace_mask(ts);
                                    fetch!()
                                }
                                // Calls tell of C functions in their generic form.
                                let plain = w as u8;
                                if crate::tracing::generic_opcode(plain) == op::CALL && plain != op::CALL {
                                    specialize::miss(pc, op::CALL);
                                    redispatch!(op::CALL)
                                }
                                redispatch!(plain)
                            }
                            // SAFETY: code objects hold no other numbers.
                            _ => std::hint::unreachable_unchecked(),
                        }
                    }
                }
            };
            // Here a frame ends, is suspended, or looks for a handler.
            match flow {
                Flow::Return(value) => {
                    if mask != 0 && crate::tracing::on_return(ts, frame, value, false).is_err() {
                        decref(value);
                        flow_in = Some(Flow::Raise);
                        continue;
                    }
                    let exit = (*frame).exit;
                    let previous = (*frame).previous;
                    ts.base.current_frame.set(previous.cast());
                    let mut value = value;
                    if exit == FrameExit::Init {
                        let instance = std::ptr::replace(&mut (*frame).extra, null_mut());
                        if !is_none(&*value) {
                            let type_name = (*value).ty().name();
                            decref(instance);
                            decref(value);
                            pop_frame(ts, frame);
                            let _ = raise!(TypeError, "__init__() should return None, not '{type_name}'");
                            frame = previous;
                            load_frame!();
                            flow_in = Some(Flow::Raise);
                            continue;
                        }
                        value = instance;
                    }
                    if (*frame).owner == FrameOwner::Generator {
                        genobject::finish_frame(ts, frame);
                    } else {
                        pop_frame(ts, frame);
                    }
                    if exit == FrameExit::Native {
                        return value;
                    }
                    frame = previous;
                    load_frame!();
                    let w = *pc;
                    if mask != 0
                        && matches!(exit, FrameExit::ForIter | FrameExit::Send)
                        && crate::tracing::on_generator_end(ts, frame, &*value, exit == FrameExit::Send)
                            .is_err()
                    {
                        decref(value);
                        flow_in = Some(Flow::Raise);
                        continue;
                    }
                    match exit {
                        FrameExit::ForIter => {
                            decref(value);
                            pc = base.add(*pc.add(1) as u32 as usize);
                        }
                        FrameExit::Send => {
                            set_register(regs.add(field_a(w) as usize), value);
                            pc = base.add(*pc.add(1) as u32 as usize);
                        }
                        _ => {
                            let a = field_a(w);
                            if a == NO_REG {
                                decref(value);
                            } else {
                                set_register(regs.add(a as usize), value);
                            }
                            if is_traced!() {
                                if crate::tracing::after_result(ts, frame).is_err() {
                                    flow_in = Some(Flow::Raise);
                                    continue;
                                }
                                if (*frame).pc != pc {
                                    pc = (*frame).pc;
                                    choose_loop!();
                                    continue;
                                }
                            }
                            pc = pc.add(WORDS[w as u8 as usize] as usize);
                        }
                    }
                    choose_loop!();
                }
                Flow::Yield(value) => {
                    if mask != 0 {
                        if crate::tracing::on_return(ts, frame, value, true).is_err() {
                            decref(value);
                            flow_in = Some(Flow::Raise);
                            continue;
                        }
                        // A tracer may have moved the frame, which then does not yield.
                        if (*frame).pc != pc {
                            decref(value);
                            pc = (*frame).pc;
                            continue;
                        }
                    }
                    let exit = (*frame).exit;
                    let previous = (*frame).previous;
                    genobject::suspend_frame(ts, frame, field_x(*pc) & 1 != 0);
                    ts.base.current_frame.set(previous.cast());
                    if exit == FrameExit::Native {
                        return value;
                    }
                    frame = previous;
                    load_frame!();
                    let a = field_a(*pc);
                    if a == NO_REG {
                        decref(value);
                    } else {
                        set_register(regs.add(a as usize), value);
                    }
                    pc = pc.add(3);
                    choose_loop!();
                }
                Flow::Raise | Flow::Reraise => {
                    let fresh = matches!(flow, Flow::Raise);
                    match unwind::unwind(ts, frame, pc, fresh) {
                        unwind::Unwound::Handler(handler) => {
                            pc = handler;
                            choose_loop!();
                        }
                        unwind::Unwound::Caller(caller) => {
                            frame = caller;
                            load_frame!();
                            flow_in = Some(Flow::Raise);
                        }
                        unwind::Unwound::Native => return null_mut(),
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn traced_ever() -> bool {
    TRACED_EVER.load(Ordering::Relaxed)
}

/// 0, or all bits set when the thread is traced.
#[inline(always)]
pub fn trace_mask(ts: &ThreadState) -> u8 {
    let on = ts.base.c_tracefunc.get().is_some()
        | ts.base.c_profilefunc.get().is_some()
        | crate::monitoring::is_active();
    if on && ts.base.tracing.get() == 0 {
        op::TRACED
    } else {
        0
    }
}

use adder_runtime::objects::classobject::PyMethod_Type;
