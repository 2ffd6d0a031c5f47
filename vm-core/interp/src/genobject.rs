//! Generators and coroutines: a frame inside an object, resumed by the bytecode loop or natively.
//!
//! The frame's header is at `gi_iframe`, its registers behind the struct. While it runs, `previous` links it to whoever
//! resumed it and `gi_exc_state` is on the thread's stack of handled exceptions.

use crate::errors;
use crate::eval::{self, field_a};
use crate::frame::*;
use adder_compiler::bytecode::opcode::NO_REG;
use adder_runtime::abi::*;
use adder_runtime::args::SendResult;
use adder_runtime::error;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::{self, decref};
use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;
use adder_runtime::thread::{ThreadState, check_native_stack, thread_state};
use std::mem::offset_of;
use std::ptr::null_mut;

/// How a step of a generator ended.
pub enum Sent {
    Yield(Ref),
    Return(Ref),
}

const FRAME_OFFSET: usize = offset_of!(PyGenObject, gi_iframe);

#[inline(always)]
pub fn frame_of(generator: *mut PyGenObject) -> *mut Frame {
    generator.wrapping_byte_add(FRAME_OFFSET).cast()
}

#[inline(always)]
fn generator_of(frame: *mut Frame) -> *mut PyGenObject {
    frame.wrapping_byte_sub(FRAME_OFFSET).cast()
}

fn is_exactly(object: &PyObject, ty: &'static PyTypeObject) -> bool {
    std::ptr::eq(object.ty(), ty)
}

pub fn is_generator(object: &PyObject) -> bool {
    is_exactly(object, &PyGen_Type)
}
pub fn is_coroutine(object: &PyObject) -> bool {
    is_exactly(object, &PyCoro_Type)
}
pub fn is_async_generator(object: &PyObject) -> bool {
    is_exactly(object, &crate::asyncgen::PyAsyncGen_Type)
}

/// What messages call an object of the family.
fn kind_name(generator: &PyGenObject) -> &'static str {
    let object = as_object(generator);
    if is_coroutine(object) {
        "coroutine"
    } else if is_async_generator(object) {
        "async generator"
    } else {
        "generator"
    }
}

#[inline(always)]
pub fn as_object(generator: &PyGenObject) -> &PyObject {
    &generator.ob_base
}

/// RETURN_GENERATOR: an object that takes the frame over. The caller gives the frame's room back.
///
/// # Safety
/// `frame` is the innermost frame on the stack and stands at RETURN_GENERATOR.
pub unsafe fn make_from_frame(ts: &ThreadState, frame: *mut Frame) -> PyResult {
    // SAFETY: the object has room for the frame; everything the frame owns moves.
    unsafe {
        let flags = (*frame).code().co_flags.get();
        let ty: &'static PyTypeObject = if flags & CO_COROUTINE != 0 {
            &PyCoro_Type
        } else if flags & CO_ASYNC_GENERATOR != 0 {
            &crate::asyncgen::PyAsyncGen_Type
        } else {
            &PyGen_Type
        };
        let words = HEADER_WORDS + (*frame).n_registers();
        let object = memory::alloc_object(ty, FRAME_OFFSET + words * 8)?;
        let generator = object.cast::<PyGenObject>();
        let target = frame_of(generator);
        std::ptr::copy_nonoverlapping(frame.cast::<u64>(), target.cast::<u64>(), words);
        (*target).owner = FrameOwner::Generator;
        (*target).previous = null_mut();
        if !(*target).frame_obj.is_null() {
            (*(*target).frame_obj).f_frame.set(target.cast());
        }
        let func = (*target).func();
        (*generator)
            .gi_name
            .set((*func.func_name.get()).to_ref().into_raw());
        (*generator)
            .gi_qualname
            .set((*func.func_qualname.get()).to_ref().into_raw());
        (*generator).gi_frame_state.set(FRAME_CREATED);
        if flags & CO_COROUTINE != 0 {
            let depth = ts.base.coroutine_origin_tracking_depth.get();
            if depth > 0 {
                let origin = coroutine_origin((*frame).previous, depth as usize);
                (*generator).gi_origin_or_finalizer.set(origin.into_raw());
            }
        }
        memory::gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

/// `cr_origin`: where a coroutine was made, innermost first.
fn coroutine_origin(frame: *mut Frame, depth: usize) -> Ref {
    let mut entries = Vec::new();
    // SAFETY: linked frames are alive.
    for entry in unsafe { call_stack(frame).take(depth).map(|entry| &*entry) } {
        let code = entry.code();
        let line = PyLongObject::from_i64(i64::from(entry.line().unwrap_or(0))).into_object();
        let parts = vec![code.filename().to_object(), line, code.name().to_object()];
        entries.push(PyTupleObject::from_vec(parts).into_object());
    }
    PyTupleObject::from_vec(entries).into_object()
}

/// The object as a generator or coroutine that can be resumed now.
#[inline(always)]
pub fn resumable(object: &PyObject) -> Option<*mut PyGenObject> {
    if is_generator(object) || is_coroutine(object) {
        let generator = object.as_ptr().cast::<PyGenObject>();
        // SAFETY: the types have this layout.
        if unsafe { (*generator).gi_frame_state.get() } < FRAME_EXECUTING {
            return Some(generator);
        }
    }
    None
}

/// Prepares a suspended frame to go on with `value` (borrowed). The caller links it.
///
/// # Safety
/// The generator is `resumable`, and stays alive while it runs.
#[inline(always)]
pub unsafe fn resume_frame(
    ts: &ThreadState,
    generator: *mut PyGenObject,
    value: *mut PyObject,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        if (*generator).gi_frame_state.get() == FRAME_CREATED {
            if !is_none(&*value) {
                return Err(raise!(
                    TypeError,
                    "can't send non-None value to a just-started {}",
                    kind_name(&*generator)
                ));
            }
            enter_call(ts)?;
            let frame = frame_of(generator);
            (*frame).pc = (*frame).pc.add(1);
        } else {
            enter_call(ts)?;
            let frame = frame_of(generator);
            let register = field_a(*(*frame).pc);
            if register != NO_REG {
                (*value).incref();
                eval::set_register(Frame::registers(frame).add(register as usize), value);
            }
            (*frame).pc = (*frame).pc.add(1);
        }
        push_exc_state(ts, generator);
        Ok(frame_of(generator))
    }
}

#[inline(always)]
unsafe fn push_exc_state(ts: &ThreadState, generator: *mut PyGenObject) {
    // SAFETY: a live generator.
    unsafe {
        (*generator).gi_frame_state.set(FRAME_EXECUTING);
        (*generator)
            .gi_exc_state
            .previous_item
            .set(ts.base.exc_info.get());
        ts.base
            .exc_info
            .set((&raw const (*generator).gi_exc_state).cast_mut());
    }
}

#[inline(always)]
unsafe fn pop_exc_state(ts: &ThreadState, generator: *mut PyGenObject) {
    // SAFETY: a live generator whose state is the innermost.
    unsafe {
        let item = &(*generator).gi_exc_state;
        ts.base.exc_info.set(item.previous_item.replace(null_mut()));
    }
}

/// YIELD_VALUE: unlinks what `resume_frame` linked, but for `current_frame`.
///
/// # Safety
/// `frame` is the running frame of a generator.
#[inline(always)]
pub unsafe fn suspend_frame(ts: &ThreadState, frame: *mut Frame, is_yield_from: bool) {
    // SAFETY: the caller's contract.
    unsafe {
        let generator = generator_of(frame);
        let state = if is_yield_from {
            FRAME_SUSPENDED_YIELD_FROM
        } else {
            FRAME_SUSPENDED
        };
        (*generator).gi_frame_state.set(state);
        pop_exc_state(ts, generator);
        (*frame).previous = null_mut();
        leave_call(ts);
    }
}

/// The frame of a generator is over: it returned or raised.
///
/// # Safety
/// `frame` is the frame of a generator, unlinked as `current_frame`.
pub unsafe fn finish_frame(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the caller's contract.
    unsafe {
        let generator = generator_of(frame);
        (*generator).gi_frame_state.set(FRAME_COMPLETED);
        pop_exc_state(ts, generator);
        (*frame).previous = null_mut();
        leave_call(ts);
        let handled = (*generator).gi_exc_state.exc_value.replace(null_mut());
        memory::xdecref(handled);
        clear_frame_but_code(frame);
    }
}

/// The object that a suspended generator waits for.
pub fn yield_from(generator: &PyGenObject) -> Option<Ref> {
    if generator.gi_frame_state.get() != FRAME_SUSPENDED_YIELD_FROM {
        return None;
    }
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: a suspended frame stands at YIELD_VALUE, whose c is the register of the awaited object.
    unsafe {
        let register = eval::field_c(*(*frame).pc);
        if register == NO_REG {
            return None;
        }
        Ref::from_borrowed_opt(*Frame::registers(frame).add(register as usize))
    }
}

/// Runs a generator natively: with a value, or (`None`) with the exception that is set.
pub fn step(generator: &PyGenObject, value: Option<&PyObject>, closing: bool) -> PyResult<Sent> {
    let ts = thread_state();
    let state = generator.gi_frame_state.get();
    if state == FRAME_EXECUTING {
        let name = kind_name(generator);
        error::clear();
        return Err(raise!(ValueError, "{name} already executing"));
    }
    if state > FRAME_EXECUTING {
        if is_coroutine(as_object(generator)) && !closing {
            error::clear();
            return Err(raise!(RuntimeError, "cannot reuse already awaited coroutine"));
        }
        return match value {
            Some(_) => Ok(Sent::Return(none_ref())),
            None => Err(Raised::assume()),
        };
    }
    check_native_stack("")?;
    let pointer = (generator as *const PyGenObject).cast_mut();
    let alive = as_object(generator).to_ref();
    // SAFETY: the generator is resumable and `alive` keeps it.
    let result = unsafe {
        let frame = match value {
            Some(value) => resume_frame(ts, pointer, value.as_ptr())?,
            None => {
                let exception = error::fetch();
                enter_call(ts)?;
                push_exc_state(ts, pointer);
                if let Some(exception) = exception {
                    let _ = chain_and_restore(ts, exception);
                }
                frame_of(pointer)
            }
        };
        (*frame).exit = FrameExit::Native;
        (*frame).previous = current_frame(ts);
        ts.base.current_frame.set(frame.cast());
        Ref::from_owned_opt(eval::run(ts, frame, value.is_none()))
    };
    drop(alive);
    match result {
        None => Err(Raised::assume()),
        Some(value) if generator.gi_frame_state.get() < FRAME_EXECUTING => Ok(Sent::Yield(value)),
        Some(value) => Ok(Sent::Return(value)),
    }
}

/// The exception thrown into a generator gets what the generator handles as its context.
fn chain_and_restore(ts: &ThreadState, exception: Ref) -> Raised {
    if errors::context_of(&exception).is_none()
        && let Some(handled) = errors::handled_exception(ts)
        && !handled.is(&exception)
    {
        return error::raise_exception(exception);
    }
    error::restore(exception)
}

/// StopIteration with a value as its argument.
pub fn raise_stop_iteration(value: &PyObject) -> Raised {
    if is_none(value) {
        return raise!(StopIteration);
    }
    // A tuple or an exception must not be taken for the arguments.
    match exc::StopIteration.as_object().call1(value) {
        Ok(exception) => error::raise_exception(exception),
        Err(raised) => raised,
    }
}

/// The value of a StopIteration; any other exception is raised again.
pub fn stop_iteration_value(exception: Ref) -> PyResult {
    if !exception.is_instance_of(exc::StopIteration) {
        return Err(error::restore(exception));
    }
    // SAFETY: StopIteration and its subclasses have this layout.
    unsafe {
        let fields = exception.cast_unchecked::<PyStopIterationObject>();
        Ok(Ref::from_borrowed_opt(fields.value.get()).unwrap_or_else(none_ref))
    }
}

/// As `step`, in the terms of `send` methods: the returned value as StopIteration.
fn step_or_stop(generator: &PyGenObject, sent: PyResult<Sent>) -> PyResult {
    match sent? {
        Sent::Yield(value) => Ok(value),
        Sent::Return(value) => {
            if is_async_generator(as_object(generator)) {
                return Err(raise!(StopAsyncIteration));
            }
            Err(raise_stop_iteration(&value))
        }
    }
}

/// SEND on anything: the value, and whether it is the final one.
pub fn send(receiver: &PyObject, value: &PyObject) -> PyResult<(Ref, bool)> {
    if is_generator(receiver) || is_coroutine(receiver) {
        // SAFETY: the types have this layout.
        let generator = unsafe { receiver.cast_unchecked::<PyGenObject>() };
        return match step(generator, Some(value), false)? {
            Sent::Yield(value) => Ok((value, false)),
            Sent::Return(value) => Ok((value, true)),
        };
    }
    if let Some(am_send) = receiver.ty().async_slot(|slots| slots.am_send.get()) {
        let mut result = null_mut();
        // SAFETY: a slot of the receiver's type, with its contract.
        unsafe {
            let status = am_send(receiver.as_ptr(), value.as_ptr(), &mut result);
            let result = Ref::from_owned_opt(result);
            return match (status, result) {
                (PYGEN_NEXT, Some(value)) => Ok((value, false)),
                (PYGEN_RETURN, Some(value)) => Ok((value, true)),
                _ => Err(Raised::from_c("am_send")),
            };
        }
    }
    let result = if is_none(value) && receiver.is_iterator() {
        match receiver.ty().tp_iternext.get() {
            // SAFETY: a slot of the receiver's type.
            Some(next) => match unsafe { Ref::from_owned_opt(next(receiver.as_ptr())) } {
                Some(value) => Ok(value),
                None if !error::occurred() => return Ok((none_ref(), true)),
                None => Err(Raised::assume()),
            },
            None => Err(raise!(SystemError, "no iternext")),
        }
    } else {
        receiver.call_method(identifier!("send"), &[value])
    };
    match result {
        Ok(value) => Ok((value, false)),
        Err(raised) => Ok((stop_iteration_value(raised.take())?, true)),
    }
}

/// Closes what a generator waits for.
fn close_iterator(awaited: &PyObject) -> PyResult<()> {
    if is_generator(awaited) || is_coroutine(awaited) {
        // SAFETY: the types have this layout.
        return close(unsafe { awaited.cast_unchecked::<PyGenObject>() }).map(drop);
    }
    match awaited.get_attr_opt(identifier!("close")) {
        Ok(Some(method)) => method.call0().map(drop),
        Ok(None) => Ok(()),
        Err(raised) => {
            error::write_unraisable(raised, None, Some(awaited));
            Ok(())
        }
    }
}

/// `generator.throw(exception)`.
pub fn throw(generator: &PyGenObject, exception: Ref, close_on_exit: bool) -> PyResult<Sent> {
    let Some(awaited) = yield_from(generator) else {
        return throw_here(generator, exception);
    };
    let state = generator.gi_frame_state.get();
    if exception.is_instance_of(exc::GeneratorExit) && close_on_exit {
        generator.gi_frame_state.set(FRAME_EXECUTING);
        let closed = close_iterator(&awaited);
        generator.gi_frame_state.set(state);
        return match closed {
            Ok(()) => throw_here(generator, exception),
            Err(_) => step(generator, None, false),
        };
    }
    let method = if is_generator(&awaited) || is_coroutine(&awaited) {
        None
    } else {
        match awaited.get_attr_opt(identifier!("throw"))? {
            None => return throw_here(generator, exception),
            method => method,
        }
    };
    let ts = thread_state();
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: the frame is linked only while the call lasts, so that those who look see it.
    let delegated = unsafe {
        (*frame).previous = current_frame(ts);
        ts.base.current_frame.set(frame.cast());
        generator.gi_frame_state.set(FRAME_EXECUTING);
        let result = match method {
            None => throw(awaited.cast_unchecked::<PyGenObject>(), exception, close_on_exit),
            Some(method) => method.call1(&exception).map(Sent::Yield),
        };
        generator.gi_frame_state.set(state);
        ts.base.current_frame.set((*frame).previous.cast());
        (*frame).previous = null_mut();
        result
    };
    match delegated {
        Ok(Sent::Yield(value)) => Ok(Sent::Yield(value)),
        Ok(Sent::Return(value)) => {
            let _ = raise_stop_iteration(&value);
            step(generator, None, false)
        }
        Err(_) => step(generator, None, false),
    }
}

fn throw_here(generator: &PyGenObject, exception: Ref) -> PyResult<Sent> {
    let _ = error::restore(exception);
    step(generator, None, false)
}

/// The arguments of `throw` as an exception instance with its traceback set.
pub fn thrown_exception(ty: &PyObject, value: Option<&PyObject>, traceback: Option<&PyObject>) -> PyResult {
    let traceback = traceback.filter(|traceback| !is_none(traceback));
    if let Some(traceback) = traceback
        && PyTracebackObject::check(traceback).eq(&false)
    {
        return Err(raise!(
            TypeError,
            "throw() third argument must be a traceback object"
        ));
    }
    let value = value.filter(|value| !is_none(value));
    let is_class = ty
        .downcast::<PyTypeObject>()
        .is_some_and(|class| class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS));
    let exception = if is_class {
        // A class that makes no exception of itself raises its TypeError inside the generator.
        adder_runtime::exceptions::normalize(ty, value).unwrap_or_else(Raised::take)
    } else if ty.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) {
        if value.is_some() {
            return Err(raise!(
                TypeError,
                "instance exception may not have a separate value"
            ));
        }
        ty.to_ref()
    } else {
        return Err(raise!(
            TypeError,
            "exceptions must be classes or instances deriving from BaseException, not {}",
            ty.ty().name()
        ));
    };
    if let Some(traceback) = traceback {
        errors::set_traceback(&exception, Some(traceback.to_ref()));
    }
    Ok(exception)
}

pub fn warn_old_throw(value: Option<&PyObject>, traceback: Option<&PyObject>, kind: &str) -> PyResult<()> {
    if value.is_none() && traceback.is_none() {
        return Ok(());
    }
    adder_runtime::hooks::warn(
        exc::DeprecationWarning,
        &format!(
            "the (type, exc, tb) signature of {kind}throw() is deprecated, use the single-arg signature instead."
        ),
        1,
    )
}

/// `generator.close()`: the value that it returned on the way.
pub fn close(generator: &PyGenObject) -> PyResult {
    let state = generator.gi_frame_state.get();
    if state == FRAME_CREATED {
        mark_completed(generator);
        return Ok(none_ref());
    }
    if state > FRAME_EXECUTING {
        return Ok(none_ref());
    }
    let mut failed = false;
    if let Some(awaited) = yield_from(generator) {
        generator.gi_frame_state.set(FRAME_EXECUTING);
        failed = close_iterator(&awaited).is_err();
        generator.gi_frame_state.set(state);
    }
    if !failed {
        let _ = raise!(GeneratorExit);
    }
    match step(generator, None, true) {
        Ok(Sent::Yield(_)) => Err(raise!(
            RuntimeError,
            "{} ignored GeneratorExit",
            kind_name(generator)
        )),
        Ok(Sent::Return(value)) => Ok(value),
        Err(raised) => {
            if raised.matches(exc::StopIteration) || raised.matches(exc::GeneratorExit) {
                raised.clear();
                return Ok(none_ref());
            }
            Err(raised)
        }
    }
}

/// Ends a generator that does not run, without running it.
fn mark_completed(generator: &PyGenObject) {
    generator.gi_frame_state.set(FRAME_COMPLETED);
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: the frame is suspended and will not run any more.
    unsafe { clear_frame_but_code(frame) };
}

/// STOPITERATION_ERROR: what leaves a generator in place of StopIteration.
pub fn stop_iteration_error(frame: *mut Frame, exception: &PyObject) -> PyResult {
    // SAFETY: the running frame.
    let flags = unsafe { (*frame).code() }.co_flags.get();
    let message = if exception.is_instance_of(exc::StopIteration) {
        if flags & CO_ASYNC_GENERATOR != 0 {
            "async generator raised StopIteration"
        } else if flags & CO_COROUTINE != 0 {
            "coroutine raised StopIteration"
        } else {
            "generator raised StopIteration"
        }
    } else if flags & CO_ASYNC_GENERATOR != 0 && exception.is_instance_of(exc::StopAsyncIteration) {
        "async generator raised StopAsyncIteration"
    } else {
        return Ok(exception.to_ref());
    };
    let message = PyUnicodeObject::from_str(message);
    let error = exc::RuntimeError.as_object().call1(message.as_object())?;
    errors::set_cause(&error, Some(exception.to_ref()));
    errors::set_context(&error, Some(exception.to_ref()));
    Ok(error)
}

/// GET_YIELD_FROM_ITER.
pub fn yield_from_iter(frame: *mut Frame, object: &PyObject) -> PyResult {
    if is_coroutine(object) {
        // SAFETY: the running frame.
        let flags = unsafe { (*frame).code() }.co_flags.get();
        if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) == 0 {
            return Err(raise!(
                TypeError,
                "cannot 'yield from' a coroutine object in a non-coroutine generator"
            ));
        }
        return Ok(object.to_ref());
    }
    if is_generator(object) {
        return Ok(object.to_ref());
    }
    object.iter()
}

/// Whether a generator was made a coroutine by `types.coroutine`.
fn is_iterable_coroutine(object: &PyObject) -> bool {
    if !is_generator(object) {
        return false;
    }
    let frame = frame_of(object.as_ptr().cast());
    // SAFETY: a generator's frame keeps its code to the end.
    unsafe { (*frame).code() }.co_flags.get() & CO_ITERABLE_COROUTINE != 0
}

/// The iterator of `await object`.
pub fn awaitable_iter(object: &PyObject) -> PyResult {
    if is_coroutine(object) || is_iterable_coroutine(object) {
        return Ok(object.to_ref());
    }
    let ty = object.ty();
    let Some(am_await) = ty.async_slot(|slots| slots.am_await.get()) else {
        return Err(raise!(TypeError, "'{}' object can't be awaited", ty.name()));
    };
    // SAFETY: a slot of the object's type.
    let iterator = unsafe { adder_runtime::protocol::from_slot(am_await(object.as_ptr()), "__await__")? };
    if is_coroutine(&iterator) || is_iterable_coroutine(&iterator) {
        return Err(raise!(TypeError, "__await__() returned a coroutine"));
    }
    if !iterator.is_iterator() {
        return Err(raise!(
            TypeError,
            "__await__() returned non-iterator of type '{}'",
            iterator.ty().full_name()
        ));
    }
    Ok(iterator)
}

/// GET_AWAITABLE.
pub fn get_awaitable(object: &PyObject, x: u8) -> PyResult {
    let iterator = match awaitable_iter(object) {
        Ok(iterator) => iterator,
        Err(raised) => {
            let method = match x {
                1 => "__aenter__",
                2 => "__aexit__",
                _ => return Err(raised),
            };
            if object.ty().async_slot(|slots| slots.am_await.get()).is_some() {
                return Err(raised);
            }
            raised.clear();
            return Err(raise!(
                TypeError,
                "'async with' received an object from {method} that does not implement __await__: {}",
                object.ty().name()
            ));
        }
    };
    if is_coroutine(&iterator) {
        // SAFETY: coroutines have this layout.
        let coroutine = unsafe { iterator.cast_unchecked::<PyGenObject>() };
        if yield_from(coroutine).is_some() {
            return Err(raise!(RuntimeError, "coroutine is being awaited already"));
        }
    }
    Ok(iterator)
}

// ---- the parts that the three types share ----

fn set_name(field: &ObjCell, value: Option<&PyObject>, name: &str) -> PyResult<()> {
    match value.filter(|value| PyUnicodeObject::check(value)) {
        Some(value) => {
            let old = field.replace(value.to_ref().into_raw());
            // SAFETY: the field owned it.
            drop(unsafe { Ref::from_owned_opt(old) });
            Ok(())
        }
        None => Err(raise!(TypeError, "{name} must be set to a string object")),
    }
}

pub fn owned(field: &ObjCell) -> Ref {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(field.get()) }.unwrap_or_else(none_ref)
}

/// `gi_frame` and its like: None when the generator is over.
pub fn frame_attribute(generator: &PyGenObject) -> PyResult {
    if generator.gi_frame_state.get() > FRAME_EXECUTING {
        return Ok(none_ref());
    }
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: the frame is alive.
    Ok(unsafe { crate::frameobject::object_of(frame)?.cast() })
}

pub fn code_attribute(generator: &PyGenObject) -> Ref {
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: a generator's frame keeps its code to the end.
    unsafe { (*frame).code() }.to_object()
}

pub fn is_suspended(generator: &PyGenObject) -> bool {
    matches!(
        generator.gi_frame_state.get(),
        FRAME_SUSPENDED | FRAME_SUSPENDED_YIELD_FROM
    )
}

pub fn is_running(generator: &PyGenObject) -> bool {
    generator.gi_frame_state.get() == FRAME_EXECUTING
}

pub fn repr(generator: &PyGenObject, kind: &str) -> Ref<PyUnicodeObject> {
    let qualname = owned(&generator.gi_qualname);
    let qualname = qualname
        .str()
        .map(|text| text.to_string_lossy())
        .unwrap_or_default();
    PyUnicodeObject::from_string(format!(
        "<{kind} object {qualname} at {:p}>",
        as_object(generator).as_ptr()
    ))
}

pub fn traverse(generator: &PyGenObject, visitor: &Visitor) -> c_int {
    for field in [
        &generator.gi_name,
        &generator.gi_qualname,
        &generator.gi_origin_or_finalizer,
    ] {
        let status = visitor.visit(field.get());
        if status != 0 {
            return status;
        }
    }
    if generator.gi_frame_state.get() < FRAME_EXECUTING {
        let frame = frame_of((generator as *const PyGenObject).cast_mut());
        // SAFETY: a suspended frame owns what it holds.
        let status = unsafe { crate::frameobject::traverse_frame(frame, visitor) };
        if status != 0 {
            return status;
        }
    }
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: a generator's frame keeps its code to the end.
    let status = visitor.visit(unsafe { (*frame).code });
    if status != 0 {
        return status;
    }
    visitor.visit(generator.gi_exc_state.exc_value.get())
}

/// `tp_finalize`: closes a suspended generator, tells of a coroutine that was never awaited.
pub fn finalize(generator: &PyGenObject) {
    if generator.gi_frame_state.get() > FRAME_EXECUTING {
        return;
    }
    let object = as_object(generator);
    if is_async_generator(object) {
        // SAFETY: an owned field or null.
        let finalizer = unsafe { Ref::from_borrowed_opt(generator.gi_origin_or_finalizer.get()) };
        if let Some(finalizer) = finalizer
            && generator.gi_closed.get() == 0
        {
            if let Err(raised) = finalizer.call1(object) {
                unraisable(raised, "finalizing async generator", object);
            }
            return;
        }
    }
    if is_coroutine(object) && generator.gi_frame_state.get() == FRAME_CREATED {
        crate::warnings::warn_unawaited_coroutine(object);
    }
    if generator.gi_frame_state.get() < FRAME_EXECUTING
        && let Err(raised) = close(generator)
    {
        unraisable(raised, "closing generator", object);
    }
}

/// Tells of an exception that a finalizer met.
pub fn unraisable(raised: Raised, doing: &str, object: &PyObject) {
    let exception = raised.take();
    let repr = object
        .repr()
        .map(|repr| repr.to_string_lossy())
        .unwrap_or_else(|raised| {
            raised.clear();
            "<object repr() failed>".to_owned()
        });
    let raised = error::restore(exception);
    error::write_unraisable(
        raised,
        Some(&format!("Exception ignored while {doing} {repr}")),
        None,
    );
}

/// # Safety
/// Called once, as `tp_dealloc`.
pub unsafe fn dealloc(this: *mut PyGenObject) {
    // SAFETY: the caller's contract; the object is whole until the frame is cleared.
    unsafe {
        let object = this.cast::<PyObject>();
        let generator = &*this;
        if !generator.gi_weakreflist.get().is_null() {
            weakrefobject::clear_weakrefs(&*object);
        }
        if !adder_runtime::types::heap::call_finalizer_from_dealloc(object) {
            return;
        }
        memory::gc::untrack(object);
        if generator.gi_frame_state.get() < FRAME_EXECUTING {
            mark_completed(generator);
        }
        memory::xdecref(generator.gi_exc_state.exc_value.replace(null_mut()));
        decref((*frame_of(this)).code.cast());
        memory::xdecref(generator.gi_name.replace(null_mut()));
        memory::xdecref(generator.gi_qualname.replace(null_mut()));
        memory::xdecref(generator.gi_origin_or_finalizer.replace(null_mut()));
        memory::free_object(object);
    }
}

/// A struct of `PyGenObject`'s layout for each of the types, so that each has its own methods.
macro_rules! generator_struct {
    ($name:ident) => {
        #[repr(transparent)]
        pub struct $name(pub PyGenObject);
        impl std::ops::Deref for $name {
            type Target = PyGenObject;
            #[inline(always)]
            fn deref(&self) -> &PyGenObject {
                &self.0
            }
        }
    };
}
pub(crate) use generator_struct;

generator_struct!(Generator);
generator_struct!(Coroutine);

#[pytype(
    name = "generator",
    static_name = PyGen_Type,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(PyGenObject, gi_weakreflist),
)]
impl Generator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Generator) {
        // SAFETY: the slot's contract.
        unsafe { dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        traverse(self, visitor)
    }
    #[slot]
    fn tp_finalize(&self) {
        finalize(self);
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        repr(self, "generator")
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        match step(self, Some(none()), false)? {
            Sent::Yield(value) => Ok(Some(value)),
            Sent::Return(value) if is_none(&value) => Ok(None),
            Sent::Return(value) => Err(raise_stop_iteration(&value)),
        }
    }
    #[slot]
    fn am_send(&self, value: &PyObject) -> PyResult<SendResult> {
        send_result(self, value)
    }
    /// Resumes the generator: the `yield` at which it stands has the value `arg`.
    #[method("($self, arg, /)")]
    fn send(&self, arg: &PyObject) -> PyResult {
        step_or_stop(self, step(self, Some(arg), false))
    }
    /// Raises an exception at the `yield` where the generator stands, and returns what it yields next.
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        warn_old_throw(val, tb, "generator.")?;
        let exception = thrown_exception(typ, val, tb)?;
        step_or_stop(self, throw(self, exception, true))
    }
    /// Raises GeneratorExit inside the generator.
    #[method]
    fn close(&self) -> PyResult {
        close(self)
    }
    #[method(name = "__del__")]
    fn del(&self) {
        finalize(self);
    }
    #[method]
    fn __sizeof__(&self) -> usize {
        size_of_generator(self)
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter]
    fn gi_frame(&self) -> PyResult {
        frame_attribute(self)
    }
    #[getter]
    fn gi_code(&self) -> Ref {
        code_attribute(self)
    }
    #[getter]
    fn gi_running(&self) -> bool {
        is_running(self)
    }
    #[getter]
    fn gi_suspended(&self) -> bool {
        is_suspended(self)
    }
    /// object being iterated by yield from, or None
    #[getter]
    fn gi_yieldfrom(&self) -> Option<Ref> {
        yield_from(self)
    }
    /// name of the generator
    #[getter(name = "__name__")]
    fn get_name(&self) -> Ref {
        owned(&self.gi_name)
    }
    #[setter(name = "__name__")]
    fn put_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&self.gi_name, value, "__name__")
    }
    /// qualified name of the generator
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> Ref {
        owned(&self.gi_qualname)
    }
    #[setter(name = "__qualname__")]
    fn put_qualname(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&self.gi_qualname, value, "__qualname__")
    }
}

pub fn send_result(generator: &PyGenObject, value: &PyObject) -> PyResult<SendResult> {
    Ok(match step(generator, Some(value), false)? {
        Sent::Yield(value) => SendResult::Next(value),
        Sent::Return(value) => SendResult::Return(value),
    })
}

fn size_of_generator(generator: &PyGenObject) -> usize {
    let frame = frame_of((generator as *const PyGenObject).cast_mut());
    // SAFETY: the frame's data lives as long as the generator's code.
    FRAME_OFFSET + (HEADER_WORDS + unsafe { (*frame).n_registers() }) * 8
}

#[pytype(
    name = "coroutine",
    static_name = PyCoro_Type,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(PyGenObject, gi_weakreflist),
)]
impl Coroutine {
    #[slot(tp_dealloc)]
    unsafe fn coro_dealloc(this: *mut Coroutine) {
        // SAFETY: the slot's contract.
        unsafe { dealloc(this.cast()) }
    }
    #[slot(tp_traverse)]
    fn coro_traverse(&self, visitor: &Visitor) -> c_int {
        traverse(self, visitor)
    }
    #[slot(tp_finalize)]
    fn coro_finalize(&self) {
        finalize(self);
    }
    #[slot(tp_repr)]
    fn coro_repr(&self) -> Ref<PyUnicodeObject> {
        repr(self, "coroutine")
    }
    #[slot(am_await)]
    fn coro_await(&self) -> PyResult<Ref<CoroutineWrapper>> {
        CoroutineWrapper::of(self)
    }
    #[slot(am_send)]
    fn coro_am_send(&self, value: &PyObject) -> PyResult<SendResult> {
        send_result(self, value)
    }
    /// Sends 'arg' into coroutine: the await at which it stands gets that value. Returns what is yielded next.
    #[method("($self, arg, /)", name = "send")]
    fn coro_send(&self, arg: &PyObject) -> PyResult {
        step_or_stop(self, step(self, Some(arg), false))
    }
    /// Raises an exception in coroutine, at the await where it stands. Returns what is yielded next.
    #[method(
        "~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)",
        name = "throw"
    )]
    fn coro_throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        warn_old_throw(val, tb, "coroutine.")?;
        let exception = thrown_exception(typ, val, tb)?;
        step_or_stop(self, throw(self, exception, true))
    }
    /// Raises GeneratorExit inside coroutine.
    #[method(name = "close")]
    fn coro_close(&self) -> PyResult {
        close(self)
    }
    #[method(name = "__del__")]
    fn coro_del(&self) {
        finalize(self);
    }
    #[method(name = "__sizeof__")]
    fn coro_sizeof(&self) -> usize {
        size_of_generator(self)
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)", name = "__class_getitem__")]
    fn coro_class_getitem(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter]
    fn cr_frame(&self) -> PyResult {
        frame_attribute(self)
    }
    #[getter]
    fn cr_code(&self) -> Ref {
        code_attribute(self)
    }
    #[getter]
    fn cr_running(&self) -> bool {
        is_running(self)
    }
    #[getter]
    fn cr_suspended(&self) -> bool {
        is_suspended(self)
    }
    /// object being awaited on, or None
    #[getter]
    fn cr_await(&self) -> Option<Ref> {
        yield_from(self)
    }
    #[getter]
    fn cr_origin(&self) -> Ref {
        owned(&self.gi_origin_or_finalizer)
    }
    /// name of the coroutine
    #[getter(name = "__name__")]
    fn coro_get_name(&self) -> Ref {
        owned(&self.gi_name)
    }
    #[setter(name = "__name__")]
    fn coro_put_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&self.gi_name, value, "__name__")
    }
    /// qualified name of the coroutine
    #[getter(name = "__qualname__")]
    fn coro_get_qualname(&self) -> Ref {
        owned(&self.gi_qualname)
    }
    #[setter(name = "__qualname__")]
    fn coro_put_qualname(&self, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&self.gi_qualname, value, "__qualname__")
    }
}

pub use names::{name_of, put_name_of, put_qualname_of, qualname_of};

/// Names, for the asynchronous generator's getters.
mod names {
    use super::*;
    pub fn name_of(generator: &PyGenObject) -> Ref {
        owned(&generator.gi_name)
    }
    pub fn qualname_of(generator: &PyGenObject) -> Ref {
        owned(&generator.gi_qualname)
    }
    pub fn put_name_of(generator: &PyGenObject, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&generator.gi_name, value, "__name__")
    }
    pub fn put_qualname_of(generator: &PyGenObject, value: Option<&PyObject>) -> PyResult<()> {
        set_name(&generator.gi_qualname, value, "__qualname__")
    }
}

/// What `coroutine.__await__()` returns: an iterator over the coroutine.
#[repr(C)]
pub struct CoroutineWrapper {
    ob_base: PyObject,
    coroutine: Option<Ref<PyGenObject>>,
}

impl CoroutineWrapper {
    fn of(coroutine: &PyGenObject) -> PyResult<Ref<CoroutineWrapper>> {
        // SAFETY: the coroutine is a live object with this layout.
        let coroutine = unsafe { as_object(coroutine).to_ref().cast::<PyGenObject>() };
        Ref::new(CoroutineWrapper {
            ob_base: memory::blank_header(),
            coroutine: Some(coroutine),
        })
    }
    fn coroutine(&self) -> PyResult<&PyGenObject> {
        self.coroutine
            .as_deref()
            .ok_or_else(|| raise!(RuntimeError, "the coroutine is gone"))
    }
}

#[pytype(name = "coroutine_wrapper", static_name = _PyCoroWrapper_Type, flags = HAVE_GC)]
/// A wrapper object implementing __await__ for coroutines.
impl CoroutineWrapper {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit_ref(&self.coroutine)
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        match step(self.coroutine()?, Some(none()), false)? {
            Sent::Yield(value) => Ok(Some(value)),
            Sent::Return(value) if is_none(&value) => Ok(None),
            Sent::Return(value) => Err(raise_stop_iteration(&value)),
        }
    }
    #[slot]
    fn am_send(&self, value: &PyObject) -> PyResult<SendResult> {
        send_result(self.coroutine()?, value)
    }
    /// As the coroutine's.
    #[method("($self, arg, /)")]
    fn send(&self, arg: &PyObject) -> PyResult {
        {
            let coroutine = self.coroutine()?;
            step_or_stop(coroutine, step(coroutine, Some(arg), false))
        }
    }
    /// As the coroutine's.
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        {
            warn_old_throw(val, tb, "coroutine.")?;
            let exception = thrown_exception(typ, val, tb)?;
            let coroutine = self.coroutine()?;
            step_or_stop(coroutine, throw(coroutine, exception, true))
        }
    }
    /// As the coroutine's.
    #[method]
    fn close(&self) -> PyResult {
        close(self.coroutine()?)
    }
}
