//! `sys.settrace` and `sys.setprofile`: events of frames whose thread is traced. While nobody traces, nothing here runs:
//! `eval::run` looks at the instruction stream through a mask that leads here only then.

use crate::eval::{self, op};
use crate::frame::*;
use crate::frameobject::{FrameObject, object_of};
use adder_runtime::abi::*;
use adder_runtime::error;
use adder_runtime::memory;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, ThreadState, thread_state};
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

fn event_name(what: c_int) -> &'static PyUnicodeObject {
    match what {
        PyTrace_CALL => identifier!("call"),
        PyTrace_EXCEPTION => identifier!("exception"),
        PyTrace_LINE => identifier!("line"),
        PyTrace_RETURN => identifier!("return"),
        PyTrace_C_CALL => identifier!("c_call"),
        PyTrace_C_EXCEPTION => identifier!("c_exception"),
        PyTrace_C_RETURN => identifier!("c_return"),
        _ => identifier!("opcode"),
    }
}

/// What `sys.settrace` installs: calls the frame's own trace function, or at a call the global one.
unsafe extern "C" fn trace_trampoline(
    function: *mut PyObject,
    frame: *mut PyFrameObject,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    // SAFETY: the tracer's contract: live objects, `arg` null for None.
    unsafe {
        let callback = if what == PyTrace_CALL {
            function
        } else {
            (*frame).f_trace.get()
        };
        let Some(callback) = Ref::from_borrowed_opt(callback) else {
            return 0;
        };
        let frame_ref = &*frame.cast::<PyObject>();
        let arg = arg.as_ref().unwrap_or(none());
        match callback.call(&[frame_ref, event_name(what).as_object(), arg]) {
            Ok(result) => {
                if !is_none(&result) {
                    memory::xdecref((*frame).f_trace.replace(result.into_raw()));
                }
                0
            }
            Err(_) => {
                let exception = error::fetch();
                set_trace(None);
                memory::xdecref((*frame).f_trace.replace(null_mut()));
                if let Some(exception) = exception {
                    let _ = error::restore(exception);
                }
                -1
            }
        }
    }
}

/// What `sys.setprofile` installs.
unsafe extern "C" fn profile_trampoline(
    function: *mut PyObject,
    frame: *mut PyFrameObject,
    what: c_int,
    arg: *mut PyObject,
) -> c_int {
    if what == PyTrace_LINE || what == PyTrace_EXCEPTION || what == PyTrace_OPCODE {
        return 0;
    }
    // SAFETY: as above.
    unsafe {
        let arg = arg.as_ref().unwrap_or(none());
        let function = (*function).to_ref();
        match function.call(&[&*frame.cast::<PyObject>(), event_name(what).as_object(), arg]) {
            Ok(_) => 0,
            Err(_) => {
                let exception = error::fetch();
                set_profile(None);
                if let Some(exception) = exception {
                    let _ = error::restore(exception);
                }
                -1
            }
        }
    }
}

fn install(
    function: &Cell<Option<Py_tracefunc>>,
    object: &Cell<*mut PyObject>,
    trampoline: Py_tracefunc,
    value: Option<&PyObject>,
) {
    let new = value.map_or(null_mut(), |value| value.to_ref().into_raw());
    function.set(value.map(|_| trampoline));
    EVAL_BREAKER.fetch_or(crate::pending::MODE_CHANGED, Ordering::Relaxed);
    let old = object.replace(new);
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old) });
}

pub fn set_trace(function: Option<&PyObject>) {
    let ts = thread_state();
    install(
        &ts.base.c_tracefunc,
        &ts.base.c_traceobj,
        trace_trampoline,
        function,
    );
}

pub fn set_profile(function: Option<&PyObject>) {
    let ts = thread_state();
    install(
        &ts.base.c_profilefunc,
        &ts.base.c_profileobj,
        profile_trampoline,
        function,
    );
}

pub fn get_trace() -> Ref {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(thread_state().base.c_traceobj.get()) }.unwrap_or_else(none_ref)
}

pub fn get_profile() -> Ref {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(thread_state().base.c_profileobj.get()) }.unwrap_or_else(none_ref)
}

/// Tells both functions of an event.
fn emit(ts: &ThreadState, frame: *mut Frame, what: c_int, arg: *mut PyObject) -> PyResult<()> {
    if ts.base.tracing.get() != 0 {
        return Ok(());
    }
    // SAFETY: the frame is alive; the functions are the thread's.
    unsafe {
        let object = object_of(frame)?;
        let pairs = [
            (ts.base.c_tracefunc.get(), ts.base.c_traceobj.get()),
            (ts.base.c_profilefunc.get(), ts.base.c_profileobj.get()),
        ];
        for (index, (function, context)) in pairs.into_iter().enumerate() {
            let Some(function) = function else { continue };
            if index == 1 && matches!(what, PyTrace_LINE | PyTrace_EXCEPTION | PyTrace_OPCODE) {
                continue;
            }
            let held = Ref::from_borrowed_opt(context);
            ts.base.tracing.set(ts.base.tracing.get() + 1);
            let status = function(context, object.as_raw(), what, arg);
            ts.base.tracing.set(ts.base.tracing.get() - 1);
            drop(held);
            if status != 0 {
                return Err(Raised::from_c("a trace function"));
            }
        }
    }
    Ok(())
}

/// Events due before the instruction at which the frame stands.
///
/// # Safety
/// `frame` is running.
#[cold]
pub unsafe fn before_instruction(ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
    // SAFETY: the caller's contract.
    unsafe {
        let word = *(*frame).pc;
        let opcode = generic_opcode(word as u8);
        let line = (*frame).line().unwrap_or(-1);
        let starts_line = line >= 0
            && line != (*frame).traced_line
            && !matches!(
                opcode,
                op::RESUME | op::RETURN_GENERATOR | op::COPY_FREE_VARS | op::MAKE_CELL
            );
        if starts_line {
            (*frame).traced_line = line;
        }
        if crate::monitoring::is_active() {
            crate::monitoring::before_instruction(ts, frame, opcode, starts_line.then_some(line))?;
        }
        if opcode == op::RESUME {
            // After a yield the rest of its line is no new line.
            if eval::field_x(word) == 0 {
                (*frame).traced_line = -1;
            }
            return emit(ts, frame, PyTrace_CALL, null_mut());
        }
        let object = (*frame).frame_obj;
        let wants = |flag: fn(&PyFrameObject) -> bool| !object.is_null() && flag(&*object);
        if ts.base.c_tracefunc.get().is_some() {
            if starts_line && wants(|object| object.f_trace_lines.get() != 0) {
                emit(ts, frame, PyTrace_LINE, null_mut())?;
            }
            if wants(|object| object.f_trace_opcodes.get() != 0) {
                emit(ts, frame, PyTrace_OPCODE, null_mut())?;
            }
        }
        match opcode {
            // The line at the head of the loop begins anew.
            op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => (*frame).traced_line = -1,
            op::CALL | op::CALL_KW | op::CALL_EX if ts.base.c_profilefunc.get().is_some() => {
                let callable = *Frame::registers(frame).add(eval::field_b(word) as usize);
                if is_c_function(&*callable) {
                    emit(ts, frame, PyTrace_C_CALL, callable)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What `c_call` events are about.
fn is_c_function(callable: &PyObject) -> bool {
    let callable = match callable.downcast_exact::<PyMethodObject>() {
        Some(method) => method.function(),
        None => callable,
    };
    let ty = callable.ty();
    ty.is_subtype(&adder_runtime::objects::methodobject::PyCFunction_Type)
        || std::ptr::eq(ty, &adder_runtime::objects::descrobject::PyMethodDescr_Type)
}

/// A call that was no Python function's returned or raised. An exception in flight stays in flight.
///
/// # Safety
/// `frame` is running; `callable` is live or null.
#[cold]
pub unsafe fn after_c_call(
    ts: &ThreadState,
    frame: *mut Frame,
    callable: *mut PyObject,
    raised: bool,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let Some(callable) = (unsafe { Ref::from_borrowed_opt(callable) }) else {
        return Ok(());
    };
    let exception = if raised { error::fetch() } else { None };
    let result = (|| {
        if crate::monitoring::is_active() {
            // SAFETY: the caller's contract.
            unsafe { crate::monitoring::after_c_call(ts, frame, &callable, raised)? };
        }
        if ts.base.c_profilefunc.get().is_some() && is_c_function(&callable) {
            let what = if raised {
                PyTrace_C_EXCEPTION
            } else {
                PyTrace_C_RETURN
            };
            emit(ts, frame, what, callable.as_raw())?;
        }
        Ok(())
    })();
    if let Some(exception) = exception
        && result.is_ok()
    {
        let _ = error::restore(exception);
    }
    result
}

/// The generic opcode that a specialised one stands for.
pub fn generic_opcode(opcode: u8) -> u8 {
    match adder_compiler::bytecode::Opcode::from_u8(opcode) {
        Some(opcode) => opcode.info().generic as u8,
        None => opcode,
    }
}

/// The frame returns or yields `value`.
///
/// # Safety
/// `frame` is running, `value` is live.
#[cold]
pub unsafe fn on_return(
    ts: &ThreadState,
    frame: *mut Frame,
    value: *mut PyObject,
    yields: bool,
) -> PyResult<()> {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_return(ts, frame, value, yields)? };
    }
    emit(ts, frame, PyTrace_RETURN, value)
}

/// A generator is resumed by an exception, which stays in flight unless a tracer raises another.
///
/// # Safety
/// `frame` is running and an exception is set.
#[cold]
pub unsafe fn on_throw(ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_exception(ts, frame, crate::monitoring::event::PY_THROW) };
    }
    let Some(exception) = error::fetch() else {
        return Ok(());
    };
    emit(ts, frame, PyTrace_CALL, null_mut())?;
    let _ = error::restore(exception);
    Ok(())
}

/// An exception is raised in, or came into, the frame. It may be replaced by one of the trace function's.
///
/// # Safety
/// `frame` is running and an exception is set.
#[cold]
pub unsafe fn on_exception(ts: &ThreadState, frame: *mut Frame) {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_exception(ts, frame, crate::monitoring::event::RAISE) };
    }
    if ts.base.c_tracefunc.get().is_none() {
        return;
    }
    let Some(exception) = error::fetch() else { return };
    let traceback = crate::errors::traceback_of(&exception).unwrap_or_else(none_ref);
    let parts = vec![exception.ty().to_object(), exception.clone(), traceback];
    let arg = PyTupleObject::from_vec(parts);
    if emit(ts, frame, PyTrace_EXCEPTION, arg.as_ptr()).is_ok() {
        let _ = error::restore(exception);
    }
}

/// The frame ends by an exception.
///
/// # Safety
/// `frame` is running and an exception is set.
#[cold]
pub unsafe fn on_unwind(ts: &ThreadState, frame: *mut Frame) {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_exception(ts, frame, crate::monitoring::event::PY_UNWIND) };
    }
    let Some(exception) = error::fetch() else { return };
    if emit(ts, frame, PyTrace_RETURN, null_mut()).is_ok() {
        let _ = error::restore(exception);
    }
}

/// What surrounds a word: the loops whose bodies it is in, and its handler. Temporaries are the same where this is.
fn surroundings(code: &PyCodeObject, index: u32) -> (Vec<u32>, Option<(u32, u16)>) {
    let data = code.data();
    let mut loops = Vec::new();
    let mut at = 0;
    while at < data.words.len() {
        let opcode = generic_opcode(data.words[at].get() as u8);
        let n_words = eval::WORDS[opcode as usize] as usize;
        let end = match opcode {
            op::FOR_ITER | op::SEND => data.words.get(at + 1).map_or(0, |word| word.get() as u32),
            _ => 0,
        };
        if (at as u32..end).contains(&index) {
            loops.push(at as u32);
        }
        // The body of an `async for` ends with the jump back to its GET_ANEXT.
        if opcode == op::JUMP_BACKWARD {
            let start = (data.words[at].get() >> 32) as u32;
            let first = data
                .words
                .get(start as usize)
                .map_or(0, |word| generic_opcode(word.get() as u8));
            if first == op::GET_ANEXT && (start..=at as u32).contains(&index) {
                loops.push(start);
            }
        }
        at += n_words;
    }
    (
        loops,
        data.handler_at(index).map(|entry| (entry.handler, entry.depth)),
    )
}

/// `frame.f_lineno = line` of a trace function: goes on at the first instruction of the line that is inside the same
/// loops and handlers as the place where the frame stands.
pub fn jump_to_line(object: &FrameObject, line: i64) -> PyResult<()> {
    let ts = thread_state();
    if ts.base.tracing.get() == 0 || object.f_trace.get().is_null() {
        return Err(raise!(ValueError, "f_lineno can only be set by a trace function"));
    }
    let Some(frame) = object.frame() else {
        return Err(raise!(RuntimeError, "the frame is gone"));
    };
    // SAFETY: the frame is alive.
    unsafe {
        let code = (*frame).code();
        if line < i64::from(code.co_firstlineno.get()) {
            return Err(raise!(
                ValueError,
                "line {line} comes before the current code block"
            ));
        }
        let data = code.data();
        let mut wanted: Vec<(i64, u32)> = data
            .locations
            .iter()
            .map(|run| (i64::from(run.line), run.start))
            .filter(|(at, _)| *at >= line)
            .collect();
        wanted.sort_unstable();
        let Some((target_line, _)) = wanted.first().copied() else {
            return Err(raise!(
                ValueError,
                "line {line} comes after the current code block"
            ));
        };
        let here = surroundings(code, (*frame).index() as u32);
        let target = wanted
            .iter()
            .filter(|(at, _)| *at == target_line)
            .map(|(_, start)| *start)
            .find(|at| surroundings(code, *at) == here);
        match target {
            Some(target) => {
                (*frame).pc = data.words.as_ptr().add(target as usize).cast();
                (*frame).traced_line = -1;
                Ok(())
            }
            None => Err(raise!(ValueError, "can't jump into or out of a block")),
        }
    }
}

/// Whether the thread is traced at all.
pub fn is_active(ts: &ThreadState) -> bool {
    eval::trace_mask(ts) != 0
}
