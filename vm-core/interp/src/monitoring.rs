//! `sys.monitoring` (PEP 669): events of code for up to six tools. As with tracing, nothing here runs while no tool wants
//! events: frames look at the instruction stream through the mask that leads to `tracing` only then.

use crate::eval::{WORDS, op};
use crate::frame::Frame;
use crate::state::GilCell;
use adder_runtime::abi::*;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, ThreadState};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// Event numbers; a set has the bit `1 << number`.
pub mod event {
    pub const PY_START: u8 = 0;
    pub const PY_RESUME: u8 = 1;
    pub const PY_RETURN: u8 = 2;
    pub const PY_YIELD: u8 = 3;
    pub const CALL: u8 = 4;
    pub const LINE: u8 = 5;
    pub const INSTRUCTION: u8 = 6;
    pub const JUMP: u8 = 7;
    pub const BRANCH_LEFT: u8 = 8;
    pub const BRANCH_RIGHT: u8 = 9;
    pub const STOP_ITERATION: u8 = 10;
    pub const RAISE: u8 = 11;
    pub const EXCEPTION_HANDLED: u8 = 12;
    pub const PY_UNWIND: u8 = 13;
    pub const PY_THROW: u8 = 14;
    pub const RERAISE: u8 = 15;
    pub const C_RETURN: u8 = 16;
    pub const C_RAISE: u8 = 17;
    pub const BRANCH: u8 = 18;
    pub const COUNT: usize = 19;
    /// Events below this number happen at a place of the code and can be set for one code object.
    pub const N_LOCAL: u8 = 11;
}

const NAMES: [&str; event::COUNT] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH_LEFT",
    "BRANCH_RIGHT",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
    "BRANCH",
];

/// Tools that Python can use; two more are the interpreter's.
const N_TOOLS: usize = 6;

/// What tools want of one code object, and the places where they want no more events.
struct Local {
    code: Ref,
    sets: [u32; N_TOOLS],
    disabled: HashSet<(i32, u8, u8)>,
}

#[derive(Default)]
struct Tool {
    name: Option<Ref>,
    events: u32,
    callbacks: [Option<Ref>; event::COUNT],
}

#[derive(Default)]
struct Tools {
    tools: [Tool; N_TOOLS],
    local: Option<HashMap<usize, Local>>,
    disable: Option<Ref>,
    missing: Option<Ref>,
    /// A conditional jump that was just run: its frame, its place, and where it leads when it falls through.
    branch: Option<(usize, u32, u32)>,
    version: u64,
}

static TOOLS: GilCell<Option<Box<Tools>>> = GilCell::new(None);
static ACTIVE: AtomicBool = AtomicBool::new(false);

fn with<R>(f: impl FnOnce(&mut Tools) -> R) -> R {
    TOOLS.with(|tools| f(tools.get_or_insert_default()))
}

/// Whether any tool wants any event.
#[inline(always)]
pub fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed)
}

/// Looks again whether there are events to tell; running frames notice at their next check of the eval breaker.
fn update() {
    let active = with(|tools| {
        tools.version += 1;
        tools.tools.iter().any(|tool| tool.events != 0)
            || tools
                .local
                .iter()
                .flatten()
                .any(|(_, local)| local.sets.iter().any(|set| *set != 0))
    });
    ACTIVE.store(active, Ordering::Relaxed);
    if active {
        crate::eval::TRACED_EVER.store(true, Ordering::Relaxed);
    }
    EVAL_BREAKER.fetch_or(crate::pending::MODE_CHANGED, Ordering::Relaxed);
}

fn constant(which: fn(&mut Tools) -> &mut Option<Ref>) -> PyResult {
    if let Some(known) = with(|tools| which(tools).clone()) {
        return Ok(known);
    }
    let object = adder_runtime::objects::object::new_object()?;
    with(|tools| *which(tools) = Some(object.clone()));
    Ok(object)
}

fn disable_object() -> PyResult {
    constant(|tools| &mut tools.disable)
}

fn missing_object() -> PyResult {
    constant(|tools| &mut tools.missing)
}

fn int(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}

/// Tells all tools that want it of an event of `code` at a place; `args` follow the code and, for local events, the offset.
fn fire(ts: &ThreadState, frame: *mut Frame, index: i32, number: u8, args: &[&PyObject]) -> PyResult<()> {
    if ts.base.tracing.get() != 0 {
        return Ok(());
    }
    // SAFETY: callers pass a running frame.
    let code = unsafe { (*frame).code() }.to_ref();
    // The two C events are the other half of CALL, and the old BRANCH is either of the new ones.
    let bit = match number {
        event::C_RETURN | event::C_RAISE => 1 << event::CALL,
        number => 1u32 << number,
    };
    let key = code.as_ptr() as usize;
    for tool in 0..N_TOOLS {
        let callback = with(|tools| {
            let local = tools.local.as_ref().and_then(|local| local.get(&key));
            let wanted = tools.tools[tool].events | local.map_or(0, |local| local.sets[tool]);
            let old_branch = 1u32 << event::BRANCH;
            let as_branch =
                matches!(number, event::BRANCH_LEFT | event::BRANCH_RIGHT) && wanted & old_branch != 0;
            let disabled = local.is_some_and(|local| local.disabled.contains(&(index, tool as u8, number)));
            if disabled {
                None
            } else if wanted & bit != 0 {
                let callbacks = &tools.tools[tool].callbacks;
                let branch = matches!(number, event::BRANCH_LEFT | event::BRANCH_RIGHT);
                let old = callbacks[event::BRANCH as usize].as_ref().filter(|_| branch);
                callbacks[number as usize].as_ref().or(old).cloned()
            } else if as_branch {
                tools.tools[tool].callbacks[event::BRANCH as usize].clone()
            } else {
                None
            }
        });
        let Some(callback) = callback else { continue };
        let place = int(if number == event::LINE {
            i64::from(index)
        } else {
            i64::from(index) * 2
        });
        let mut all: Vec<&PyObject> = vec![code.as_object(), &place];
        all.extend(args);
        if call_tool(ts, frame, tool, number, &callback, &all)? {
            with(|tools| {
                let local = tools
                    .local
                    .get_or_insert_default()
                    .entry(key)
                    .or_insert_with(|| Local {
                        code: code.to_object(),
                        sets: [0; N_TOOLS],
                        disabled: HashSet::new(),
                    });
                local.disabled.insert((index, tool as u8, number));
            });
        }
    }
    Ok(())
}

/// Calls a tool's function: whether the tool wants no more of the event at this place.
fn call_tool(
    ts: &ThreadState,
    frame: *mut Frame,
    tool: usize,
    number: u8,
    callback: &PyObject,
    args: &[&PyObject],
) -> PyResult<bool> {
    let telling = crate::tracing::Telling::start(ts, frame, number);
    let result = callback.call(args);
    drop(telling);
    if !result?.is(&*disable_object()?) {
        return Ok(false);
    }
    if number >= event::N_LOCAL {
        with(|tools| tools.tools[tool].callbacks[number as usize] = None);
        return Err(raise!(
            ValueError,
            "Cannot disable {} events. Callback removed.",
            NAMES[number as usize]
        ));
    }
    Ok(true)
}

/// Changes whenever a tool may want other events than before.
pub fn version() -> u64 {
    with(|tools| tools.version)
}

/// The tools that want an event everywhere, as bits.
pub fn tools_of(number: u8) -> u8 {
    let mut bits = 1u32 << number;
    match number {
        event::C_RETURN | event::C_RAISE => bits = 1 << event::CALL,
        event::BRANCH_LEFT | event::BRANCH_RIGHT => bits |= 1 << event::BRANCH,
        _ => {}
    }
    with(|tools| {
        (0..N_TOOLS)
            .filter(|tool| tools.tools[*tool].events & bits != 0)
            .fold(0, |set, tool| set | 1 << tool)
    })
}

/// An event of code that is no Python bytecode, for the tools `active`; gives back those that want to hear it again.
pub fn fire_foreign(active: u8, number: u8, args: &[&PyObject]) -> PyResult<u8> {
    let ts = adder_runtime::thread::thread_state();
    let mut active_after = active;
    if ts.base.tracing.get() != 0 {
        return Ok(active);
    }
    for tool in (0..N_TOOLS).filter(|tool| active & 1 << tool != 0) {
        let callback = with(|tools| {
            let tool = &tools.tools[tool];
            let branch = matches!(number, event::BRANCH_LEFT | event::BRANCH_RIGHT);
            let old_only = branch && tool.events & 1 << number == 0;
            tool.callbacks[if old_only { event::BRANCH } else { number } as usize].clone()
        });
        let Some(callback) = callback else { continue };
        if call_tool(ts, std::ptr::null_mut(), tool, number, &callback, args)? {
            active_after &= !(1 << tool);
        }
    }
    Ok(active_after)
}

/// Events before an instruction; `new_line` is told when the instruction begins a line.
///
/// # Safety
/// `frame` is running.
#[cold]
pub unsafe fn before_instruction(
    ts: &ThreadState,
    frame: *mut Frame,
    opcode: u8,
    new_line: Option<i32>,
) -> PyResult<()> {
    // SAFETY: the caller's contract; operands are where the opcode table says.
    unsafe {
        let index = (*frame).index();
        let word = *(*frame).pc;
        let pending = with(|tools| tools.branch.take());
        if let Some((owner, from, next)) = pending
            && owner == frame as usize
        {
            let number = if index as u32 == next {
                event::BRANCH_LEFT
            } else {
                event::BRANCH_RIGHT
            };
            let target = int(i64::from(index) * 2);
            // The frame still stands at the branch, which a callback may leave for another line.
            let arrival = (*frame).pc;
            let branch = (*(*frame).data).words.as_ptr().add(from as usize).cast();
            (*frame).pc = branch;
            let told = fire(ts, frame, from as i32, number, &[&target]);
            if (*frame).pc != branch {
                return told;
            }
            (*frame).pc = arrival;
            told?;
        }
        match opcode {
            op::RESUME => {
                let number = if crate::eval::field_x(word) == 0 {
                    event::PY_START
                } else {
                    event::PY_RESUME
                };
                return fire(ts, frame, index, number, &[]);
            }
            op::RETURN_GENERATOR | op::COPY_FREE_VARS | op::MAKE_CELL => return Ok(()),
            _ => {}
        }
        let pc = (*frame).pc;
        if let Some(line) = new_line {
            fire(ts, frame, line, event::LINE, &[])?;
        }
        if (*frame).pc == pc {
            fire(ts, frame, index, event::INSTRUCTION, &[])?;
        }
        if (*frame).pc != pc {
            return Ok(());
        }
        match opcode {
            op::JUMP | op::JUMP_BACKWARD => {
                let target = int((word >> 32) as i64 * 2);
                fire(ts, frame, index, event::JUMP, &[&target])?;
            }
            opcode if is_branch(opcode) => {
                let next = index as u32 + u32::from(WORDS[opcode as usize]);
                with(|tools| tools.branch = Some((frame as usize, index as u32, next)));
            }
            op::CLEAR if crate::code::end_of_async_for(&*(*frame).data, index as u32).is_some() => {
                with(|tools| tools.branch = Some((frame as usize, index as u32, index as u32 + 1)));
            }
            op::END_ASYNC_FOR => {
                let exception = *Frame::registers(frame).add(crate::eval::field_b(word) as usize);
                if (*exception).is_instance_of(adder_runtime::exceptions::exc::StopAsyncIteration)
                    && let Some(branch) = crate::code::branch_of_async_for(&*(*frame).data, index as u32)
                {
                    with(|tools| tools.branch = Some((frame as usize, branch, branch + 1)));
                }
            }
            op::LOAD_SUPER_ATTR | op::LOAD_SUPER_METHOD => {
                let (callable, first) = super_call(frame)?;
                fire(ts, frame, index, event::CALL, &[&callable, &first])?;
            }
            op::CALL | op::CALL_KW | op::CALL_EX => {
                let registers = Frame::registers(frame).add(crate::eval::field_b(word) as usize);
                let callable = Ref::from_borrowed(*registers);
                let first = first_argument(registers, word, opcode)?;
                fire(ts, frame, index, event::CALL, &[&callable, &first])?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// What `super` was called with in an instruction that does not really call it: the callable and its first argument.
///
/// # Safety
/// `frame` stands at such an instruction.
unsafe fn super_call(frame: *mut Frame) -> PyResult<(Ref, Ref)> {
    // SAFETY: the caller's contract: the callable and the class are in the registers from b on.
    unsafe {
        let word = *(*frame).pc;
        let registers = Frame::registers(frame).add(crate::eval::field_b(word) as usize);
        let callable = Ref::from_borrowed(*registers);
        let with_arguments = crate::eval::field_x(word) & 1 != 0;
        let class = Ref::from_borrowed_opt(*registers.add(1)).filter(|_| with_arguments);
        Ok((callable, class.map_or_else(missing_object, Ok)?))
    }
}

/// Tells what the call of `super` came to that an instruction stands for.
#[cold]
pub fn after_super(
    frame: *mut Frame,
    made: PyResult,
    callable: &PyObject,
    class: Option<&PyObject>,
) -> PyResult {
    if callable.downcast::<PyFunctionObject>().is_some() {
        return made;
    }
    let ts = adder_runtime::thread::thread_state();
    let missing;
    let first = match class {
        Some(class) => class,
        None => {
            missing = missing_object()?;
            &*missing
        }
    };
    // SAFETY: callers pass a running frame.
    let index = unsafe { (*frame).index() };
    match made {
        Ok(object) => {
            fire(ts, frame, index, event::C_RETURN, &[callable, first])?;
            Ok(object)
        }
        Err(raised) => {
            let exception = raised.take();
            fire(ts, frame, index, event::C_RAISE, &[callable, first])?;
            Err(adder_runtime::error::restore(exception))
        }
    }
}

/// Whether an instruction goes on behind it or at its target.
pub fn is_branch(opcode: u8) -> bool {
    matches!(
        opcode,
        op::POP_JUMP_IF_TRUE
            | op::POP_JUMP_IF_FALSE
            | op::POP_JUMP_IF_NONE
            | op::POP_JUMP_IF_NOT_NONE
            | op::COMPARE_JUMP
            | op::IS_JUMP
            | op::CONTAINS_JUMP
            | op::FOR_ITER
    )
}

/// The frame is at an instruction.
///
/// # Safety
/// `frame` is running.
pub unsafe fn at_instruction(ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let index = unsafe { (*frame).index() };
    fire(ts, frame, index, event::INSTRUCTION, &[])
}

/// The first argument of a call, or the MISSING object.
unsafe fn first_argument(registers: *mut *mut PyObject, word: u64, opcode: u8) -> PyResult {
    // SAFETY: the caller's contract: the registers of a call.
    unsafe {
        if let Some(this) = Ref::from_borrowed_opt(*registers.add(1)) {
            return Ok(this);
        }
        if opcode == op::CALL_EX {
            let args = Ref::from_borrowed_opt(*registers.add(2));
            if let Some(tuple) = args.as_deref().and_then(PyObject::downcast::<PyTupleObject>)
                && let Some(first) = tuple.as_slice().first()
            {
                return Ok(first.to_ref());
            }
        } else if crate::eval::field_c(word) > 0
            && let Some(first) = Ref::from_borrowed_opt(*registers.add(2))
        {
            return Ok(first);
        }
        missing_object()
    }
}

/// The frame returns or yields.
///
/// # Safety
/// `frame` is running, `value` is live.
pub unsafe fn on_return(
    ts: &ThreadState,
    frame: *mut Frame,
    value: *mut PyObject,
    yields: bool,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    unsafe {
        let number = if yields { event::PY_YIELD } else { event::PY_RETURN };
        fire(ts, frame, (*frame).index(), number, &[&*value])
    }
}

/// An event about the exception in flight, which stays in flight unless a callback raises another.
///
/// # Safety
/// `frame` is running and an exception is set.
pub unsafe fn on_exception(ts: &ThreadState, frame: *mut Frame, number: u8) {
    let Some(exception) = adder_runtime::error::fetch() else {
        return;
    };
    // SAFETY: the caller's contract.
    let index = unsafe { (*frame).index() };
    if fire(ts, frame, index, number, &[&exception]).is_ok() {
        let _ = adder_runtime::error::restore(exception);
    }
}

/// A C function that was called returned (`raised` false) or raised.
///
/// # Safety
/// `frame` is running.
pub unsafe fn after_c_call(
    ts: &ThreadState,
    frame: *mut Frame,
    callable: &PyObject,
    registers: *mut *mut PyObject,
    raised: bool,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let (index, first) = unsafe {
        let word = *(*frame).pc;
        let opcode = crate::tracing::generic_opcode(word as u8);
        ((*frame).index(), first_argument(registers, word, opcode)?)
    };
    let number = if raised { event::C_RAISE } else { event::C_RETURN };
    fire(ts, frame, index, number, &[callable, &first])
}

fn tool_index(id: i64) -> PyResult<usize> {
    match usize::try_from(id) {
        Ok(id) if id < N_TOOLS => Ok(id),
        _ => Err(raise!(ValueError, "invalid tool {id} (must be between 0 and 5)")),
    }
}

fn tool_in_use(id: i64) -> PyResult<usize> {
    let index = tool_index(id)?;
    if with(|tools| tools.tools[index].name.is_some()) {
        Ok(index)
    } else {
        Err(raise!(ValueError, "tool {id} is not in use"))
    }
}

const C_EVENTS: u32 = 1 << event::C_RETURN | 1 << event::C_RAISE;

fn check_set(set: i64) -> PyResult<u32> {
    if !(0..1 << event::COUNT).contains(&set) {
        return Err(raise!(ValueError, "invalid event set 0x{set:x}"));
    }
    let set = set as u32;
    if set & C_EVENTS != 0 {
        if set & 1 << event::CALL == 0 {
            return Err(raise!(
                ValueError,
                "cannot set C_RETURN or C_RAISE events independently"
            ));
        }
        return Ok(set & !C_EVENTS);
    }
    Ok(set)
}

/// Monitoring of execution events.
#[pymodule(name = "sys.monitoring")]
pub mod monitoring {
    use super::*;

    #[pyconst]
    const DEBUGGER_ID: i64 = 0;
    #[pyconst]
    const COVERAGE_ID: i64 = 1;
    #[pyconst]
    const PROFILER_ID: i64 = 2;
    #[pyconst]
    const OPTIMIZER_ID: i64 = 5;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("DISABLE", disable_object()?)?;
        module.add("MISSING", missing_object()?)?;
        let events = PyDictObject::new();
        for (number, name) in NAMES.iter().enumerate() {
            events.set(PyUnicodeObject::from_str(name).as_object(), &int(1 << number))?;
        }
        events.set(PyUnicodeObject::from_str("NO_EVENTS").as_object(), &int(0))?;
        module.add(
            "events",
            adder_runtime::objects::namespaceobject::new_namespace(&events)?,
        )
    }

    #[pyfunction("($module, tool_id, name, /)")]
    fn use_tool_id(tool_id: i64, name: &PyObject) -> PyResult<()> {
        let index = tool_index(tool_id)?;
        if !PyUnicodeObject::check(name) {
            return Err(raise!(ValueError, "tool name must be a str"));
        }
        with(|tools| {
            let tool = &mut tools.tools[index];
            if tool.name.is_some() {
                return Err(());
            }
            tool.name = Some(name.to_ref());
            Ok(())
        })
        .map_err(|()| raise!(ValueError, "tool {tool_id} is already in use"))
    }
    #[pyfunction("($module, tool_id, /)")]
    fn clear_tool_id(tool_id: i64) -> PyResult<()> {
        let index = tool_index(tool_id)?;
        let old = with(|tools| {
            if let Some(local) = &mut tools.local {
                for entry in local.values_mut() {
                    entry.sets[index] = 0;
                    entry.disabled.retain(|(_, tool, _)| *tool as usize != index);
                }
            }
            let tool = &mut tools.tools[index];
            let name = tool.name.take();
            let old = std::mem::take(tool);
            tool.name = name;
            old
        });
        drop(old);
        update();
        Ok(())
    }
    #[pyfunction("($module, tool_id, /)")]
    fn free_tool_id(tool_id: i64) -> PyResult<()> {
        clear_tool_id(tool_id)?;
        let index = tool_index(tool_id)?;
        let name = with(|tools| tools.tools[index].name.take());
        drop(name);
        Ok(())
    }
    #[pyfunction("($module, tool_id, /)")]
    fn get_tool(tool_id: i64) -> PyResult {
        let index = tool_index(tool_id)?;
        Ok(with(|tools| tools.tools[index].name.clone()).unwrap_or_else(none_ref))
    }
    #[pyfunction("($module, tool_id, event, func, /)")]
    fn register_callback(tool_id: i64, event: i64, func: &PyObject) -> PyResult {
        let index = tool_index(tool_id)?;
        if event <= 0 || event.count_ones() != 1 {
            return Err(raise!(
                ValueError,
                "The callback can only be set for one event at a time"
            ));
        }
        let number = event.trailing_zeros() as usize;
        if number >= event::COUNT {
            return Err(raise!(ValueError, "invalid event {event}"));
        }
        adder_runtime::hooks::audit("sys.monitoring.register_callback", &[func])?;
        let new = (!is_none(func)).then(|| func.to_ref());
        let old = with(|tools| std::mem::replace(&mut tools.tools[index].callbacks[number], new));
        Ok(old.unwrap_or_else(none_ref))
    }
    #[pyfunction("($module, tool_id, /)")]
    fn get_events(tool_id: i64) -> PyResult<u32> {
        let index = tool_index(tool_id)?;
        Ok(with(|tools| tools.tools[index].events))
    }
    #[pyfunction("($module, tool_id, event_set, /)")]
    fn set_events(tool_id: i64, event_set: i64) -> PyResult<()> {
        let index = tool_in_use(tool_id)?;
        let set = check_set(event_set)?;
        with(|tools| tools.tools[index].events = set);
        update();
        Ok(())
    }
    #[pyfunction("($module, tool_id, code, /)")]
    fn get_local_events(tool_id: i64, code: &PyObject) -> PyResult<u32> {
        let index = tool_index(tool_id)?;
        let Some(code) = code.downcast::<PyCodeObject>() else {
            return Err(raise!(TypeError, "code must be a code object"));
        };
        let key = code.as_ptr() as usize;
        Ok(with(|tools| {
            tools
                .local
                .as_ref()
                .and_then(|local| local.get(&key))
                .map_or(0, |local| local.sets[index])
        }))
    }
    #[pyfunction("($module, tool_id, code, event_set, /)")]
    fn set_local_events(tool_id: i64, code: &PyObject, event_set: i64) -> PyResult<()> {
        let index = tool_in_use(tool_id)?;
        let Some(code) = code.downcast::<PyCodeObject>() else {
            return Err(raise!(TypeError, "code must be a code object"));
        };
        let set = check_set(event_set)?;
        let allowed = ((1u32 << event::N_LOCAL) - 1) | (1 << event::BRANCH);
        if set & !allowed != 0 {
            return Err(raise!(ValueError, "invalid local event set 0x{set:x}"));
        }
        // The old event is either of the new ones.
        let set = match set & 1 << event::BRANCH {
            0 => set,
            old => set & !old | 1 << event::BRANCH_LEFT | 1 << event::BRANCH_RIGHT,
        };
        with(|tools| {
            let local = tools
                .local
                .get_or_insert_default()
                .entry(code.as_ptr() as usize)
                .or_insert_with(|| Local {
                    code: code.to_object(),
                    sets: [0; N_TOOLS],
                    disabled: HashSet::new(),
                });
            debug_assert!(local.code.is(code.as_object()));
            local.sets[index] = set;
        });
        update();
        Ok(())
    }
    /// Events that were disabled at their places happen again.
    #[pyfunction("($module, /)")]
    fn restart_events() {
        with(|tools| {
            for local in tools.local.iter_mut().flat_map(HashMap::values_mut) {
                local.disabled.clear();
            }
            tools.version += 1;
        });
    }
    #[pyfunction("($module, /)")]
    fn _all_events() -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        for (number, name) in NAMES.iter().enumerate() {
            let tools = with(|tools| {
                (0..N_TOOLS)
                    .filter(|tool| tools.tools[*tool].events & 1 << number != 0)
                    .fold(0, |set, tool| set | 1 << tool)
            });
            if tools != 0 {
                dict.set(PyUnicodeObject::from_str(name).as_object(), &int(tools))?;
            }
        }
        Ok(dict)
    }
}
