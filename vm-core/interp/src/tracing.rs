//! `sys.settrace` and `sys.setprofile`: events of frames whose thread is traced. While nobody traces, nothing here runs:
//! `eval::run` looks at the instruction stream through a mask that leads here only then.

use crate::eval::{self, op};
use crate::frame::*;
use crate::frameobject::object_of;
use crate::monitoring::event;
use adder_compiler::bytecode::opcode::NO_REG;
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
    new_function: Option<Py_tracefunc>,
    value: Option<&PyObject>,
) {
    let new = value.map_or(null_mut(), |value| value.to_ref().into_raw());
    function.set(new_function);
    if new_function.is_some() {
        eval::TRACED_EVER.store(true, Ordering::Relaxed);
    }
    EVAL_BREAKER.fetch_or(crate::pending::MODE_CHANGED, Ordering::Relaxed);
    let old = object.replace(new);
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old) });
}

/// `sys.settrace` for every thread.
pub fn set_trace_of_all(function: Option<&PyObject>) {
    for ts in adder_runtime::thread::all_thread_states() {
        set_trace_of(ts, function);
    }
}

/// `sys.setprofile` for every thread.
pub fn set_profile_of_all(function: Option<&PyObject>) {
    for ts in adder_runtime::thread::all_thread_states() {
        set_profile_of(ts, function);
    }
}

pub fn set_trace(function: Option<&PyObject>) {
    set_trace_of(thread_state(), function);
}

fn set_trace_of(ts: &ThreadState, function: Option<&PyObject>) {
    install(
        &ts.base.c_tracefunc,
        &ts.base.c_traceobj,
        function.map(|_| trace_trampoline as Py_tracefunc),
        function,
    );
}

/// `PyEval_SetTrace`.
pub fn set_c_trace(function: Option<Py_tracefunc>, object: Option<&PyObject>) {
    let base = &thread_state().base;
    install(&base.c_tracefunc, &base.c_traceobj, function, object);
}

/// `PyEval_SetProfile`.
pub fn set_c_profile(function: Option<Py_tracefunc>, object: Option<&PyObject>) {
    let base = &thread_state().base;
    install(&base.c_profilefunc, &base.c_profileobj, function, object);
}

pub fn set_profile(function: Option<&PyObject>) {
    set_profile_of(thread_state(), function);
}

fn set_profile_of(ts: &ThreadState, function: Option<&PyObject>) {
    install(
        &ts.base.c_profilefunc,
        &ts.base.c_profileobj,
        function.map(|_| profile_trampoline as Py_tracefunc),
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

/// Notes for `f_lineno` which event of which frame is told, until it is dropped.
pub struct Telling<'a> {
    ts: &'a ThreadState,
    event: c_int,
    frame: *mut Frame,
}

thread_local! {
    /// The frame whose event is being told.
    static EVENT_FRAME: Cell<*mut Frame> = const { Cell::new(null_mut()) };
}

/// The frame whose event is being told; null when there is none.
pub fn event_frame() -> *mut Frame {
    EVENT_FRAME.get()
}

impl<'a> Telling<'a> {
    pub fn start(ts: &'a ThreadState, frame: *mut Frame, event: u8) -> Telling<'a> {
        ts.base.tracing.set(ts.base.tracing.get() + 1);
        Telling {
            ts,
            event: ts.base.what_event.replace(event.into()),
            frame: EVENT_FRAME.replace(frame),
        }
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.ts.base.tracing.set(self.ts.base.tracing.get() - 1);
        self.ts.base.what_event.set(self.event);
        EVENT_FRAME.set(self.frame);
    }
}

/// Tells both functions of an event; `number` is what `sys.monitoring` calls it.
fn emit(ts: &ThreadState, frame: *mut Frame, number: u8, what: c_int, arg: *mut PyObject) -> PyResult<()> {
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
            // Only a return by an exception has no argument.
            let arg = if arg.is_null() && what != PyTrace_RETURN {
                none().as_ptr()
            } else {
                arg
            };
            let telling = Telling::start(ts, frame, number);
            let status = function(context, object.as_raw(), what, arg);
            drop(telling);
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
            let pc = (*frame).pc;
            crate::monitoring::before_instruction(ts, frame, opcode, starts_line.then_some(line))?;
            if (*frame).pc != pc {
                return Ok(());
            }
        }
        if opcode == op::RESUME {
            // After a yield the rest of its line is no new line.
            let number = if eval::field_x(word) == 0 {
                (*frame).traced_line = -1;
                event::PY_START
            } else {
                event::PY_RESUME
            };
            return emit(ts, frame, number, PyTrace_CALL, null_mut());
        }
        let object = (*frame).frame_obj;
        let wants = |flag: fn(&PyFrameObject) -> bool| !object.is_null() && flag(&*object);
        if ts.base.c_tracefunc.get().is_some() {
            let pc = (*frame).pc;
            if starts_line && (object.is_null() || (*object).f_trace_lines.get() != 0) {
                emit(ts, frame, event::LINE, PyTrace_LINE, null_mut())?;
            }
            if (*frame).pc == pc && wants(|object| object.f_trace_opcodes.get() != 0) {
                emit(ts, frame, event::INSTRUCTION, PyTrace_OPCODE, null_mut())?;
            }
            if (*frame).pc != pc {
                return Ok(());
            }
        }
        match opcode {
            // The line at the head of the loop begins anew.
            op::JUMP_BACKWARD => (*frame).traced_line = -1,
            op::CALL | op::CALL_KW | op::CALL_EX if ts.base.c_profilefunc.get().is_some() => {
                let callable = *Frame::registers(frame).add(eval::field_b(word) as usize);
                if is_c_function(&*callable, opcode) {
                    emit(ts, frame, event::CALL, PyTrace_C_CALL, callable)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What `c_call` events are about. Only plain calls look into bound methods.
fn is_c_function(callable: &PyObject, opcode: u8) -> bool {
    let callable = match callable.downcast_exact::<PyMethodObject>() {
        Some(method) if opcode == op::CALL => method.function(),
        _ => callable,
    };
    let ty = callable.ty();
    ty.is_subtype(&adder_runtime::objects::methodobject::PyCFunction_Type)
        || std::ptr::eq(ty, &adder_runtime::objects::descrobject::PyMethodDescr_Type)
}

/// A call that was no Python function's returned or raised. An exception in flight stays in flight.
///
/// # Safety
/// `frame` is running; `registers` are those of the call, with live objects or null.
#[cold]
pub unsafe fn after_c_call(
    ts: &ThreadState,
    frame: *mut Frame,
    registers: *mut *mut PyObject,
    raised: bool,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let Some(callable) = (unsafe { Ref::from_borrowed_opt(*registers) }) else {
        return Ok(());
    };
    let exception = if raised { error::fetch() } else { None };
    let result = (|| {
        if crate::monitoring::is_active() {
            // SAFETY: the caller's contract.
            unsafe { crate::monitoring::after_c_call(ts, frame, &callable, registers, raised)? };
        }
        // SAFETY: the caller's contract.
        let opcode = generic_opcode(unsafe { *(*frame).pc } as u8);
        if ts.base.c_profilefunc.get().is_some() && is_c_function(&callable, opcode) {
            let (number, what) = if raised {
                (event::C_RAISE, PyTrace_C_EXCEPTION)
            } else {
                (event::C_RETURN, PyTrace_C_RETURN)
            };
            emit(ts, frame, number, what, callable.as_raw())?;
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

/// The result of a call was dropped or became a variable: where values are on a stack, an instruction of its own.
///
/// # Safety
/// `frame` stands at the instruction, which is complete.
#[cold]
pub unsafe fn after_result(ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
    // SAFETY: the caller's contract.
    unsafe {
        let pc = (*frame).pc;
        let register = eval::field_a(*pc);
        if register != NO_REG && usize::from(register) >= (*frame).n_localsplus() {
            return Ok(());
        }
        if crate::monitoring::is_active() {
            crate::monitoring::at_instruction(ts, frame)?;
        }
        let object = (*frame).frame_obj;
        if (*frame).pc == pc && !object.is_null() && (*object).f_trace_opcodes.get() != 0 {
            emit(ts, frame, event::INSTRUCTION, PyTrace_OPCODE, null_mut())?;
        }
        Ok(())
    }
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
    let number = if yields { event::PY_YIELD } else { event::PY_RETURN };
    emit(ts, frame, number, PyTrace_RETURN, value)
}

/// A generator is resumed by an exception, which stays in flight unless a tracer raises another.
///
/// # Safety
/// `frame` is running and an exception is set.
#[cold]
pub unsafe fn on_throw(ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_exception(ts, frame, event::PY_THROW) };
    }
    let Some(exception) = error::fetch() else {
        return Ok(());
    };
    emit(ts, frame, event::PY_THROW, PyTrace_CALL, null_mut())?;
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
        unsafe { crate::monitoring::on_exception(ts, frame, event::RAISE) };
    }
    // SAFETY: the caller's contract.
    unsafe { tell_exception(ts, frame) };
}

/// `exception` events for the exception in flight.
unsafe fn tell_exception(ts: &ThreadState, frame: *mut Frame) {
    if ts.base.c_tracefunc.get().is_none() {
        return;
    }
    let Some(exception) = error::fetch() else { return };
    let traceback = crate::errors::traceback_of(&exception).unwrap_or_else(none_ref);
    let parts = vec![exception.ty().to_object(), exception.clone(), traceback];
    let arg = PyTupleObject::from_vec(parts);
    if emit(ts, frame, event::RAISE, PyTrace_EXCEPTION, arg.as_ptr()).is_ok() {
        let _ = error::restore(exception);
    }
}

/// An iterator that the frame advances ends with `value`, or with the StopIteration that is given. What was told as a
/// raised exception goes on only if a tracer raised another.
///
/// # Safety
/// `frame` is running, no exception is set.
#[cold]
pub unsafe fn on_stop_iteration(
    ts: &ThreadState,
    frame: *mut Frame,
    exception: Ref,
    raised: bool,
) -> PyResult<()> {
    let _ = error::restore(exception.clone());
    // SAFETY: the caller's contract.
    unsafe {
        if crate::monitoring::is_active() {
            let number = if raised {
                event::RAISE
            } else {
                event::STOP_ITERATION
            };
            crate::monitoring::on_exception(ts, frame, number);
        }
        tell_exception(ts, frame);
    }
    match error::fetch() {
        Some(other) if !other.is(&exception) => Err(error::restore(other)),
        _ => Ok(()),
    }
}

/// A generator or coroutine that the frame advances returned `value`. A loop notices only values other than None.
///
/// # Safety
/// `frame` is running, no exception is set.
#[cold]
pub unsafe fn on_generator_end(
    ts: &ThreadState,
    frame: *mut Frame,
    value: &PyObject,
    sends: bool,
) -> PyResult<()> {
    if !sends && is_none(value) {
        return Ok(());
    }
    let exception = crate::genobject::raise_stop_iteration(value).take();
    // SAFETY: the caller's contract.
    unsafe { on_stop_iteration(ts, frame, exception, !sends) }
}

/// What a traced frame waits for returned `value`.
///
/// # Safety
/// As `on_generator_end`.
#[cold]
pub unsafe fn on_send_end(
    ts: &ThreadState,
    frame: *mut Frame,
    receiver: &PyObject,
    value: &PyObject,
) -> PyResult<()> {
    // A plain iterator that is exhausted raises nothing.
    if is_none(value) && receiver.ty().async_slot(|slots| slots.am_await.get()).is_none() {
        return Ok(());
    }
    // SAFETY: the caller's contract.
    unsafe { on_generator_end(ts, frame, value, true) }
}

/// The next item of a loop in a traced frame; a StopIteration that ends it is told.
///
/// # Safety
/// `frame` is running.
#[cold]
pub unsafe fn iterate(ts: &ThreadState, frame: *mut Frame, iterator: &PyObject) -> PyResult<Option<Ref>> {
    let Some(next) = iterator.ty().tp_iternext.get() else {
        return iterator.next();
    };
    // SAFETY: a slot of the object's type; the caller's contract.
    unsafe {
        if let Some(item) = Ref::from_owned_opt(next(iterator.as_ptr())) {
            return Ok(Some(item));
        }
        match error::fetch() {
            Some(exception) if exception.is_instance_of(adder_runtime::exceptions::exc::StopIteration) => {
                on_stop_iteration(ts, frame, exception, true).map(|()| None)
            }
            Some(exception) => Err(error::restore(exception)),
            None => Ok(None),
        }
    }
}

/// The line of an instruction that was begun before the frame was traced is no new line.
///
/// # Safety
/// `frame` is alive.
#[cold]
#[inline(never)]
pub unsafe fn note_line(frame: *mut Frame) {
    // SAFETY: the caller's contract.
    unsafe { (*frame).traced_line = (*frame).line().unwrap_or(-1) };
}

/// The frame ends by an exception.
///
/// # Safety
/// `frame` is running and an exception is set.
#[cold]
pub unsafe fn on_unwind(ts: &ThreadState, frame: *mut Frame) {
    if crate::monitoring::is_active() {
        // SAFETY: the caller's contract.
        unsafe { crate::monitoring::on_exception(ts, frame, event::PY_UNWIND) };
    }
    let Some(exception) = error::fetch() else { return };
    if emit(ts, frame, event::PY_UNWIND, PyTrace_RETURN, null_mut()).is_ok() {
        let _ = error::restore(exception);
    }
}

/// Whether the thread is traced at all.
pub fn is_active(ts: &ThreadState) -> bool {
    eval::trace_mask(ts) != 0
}
