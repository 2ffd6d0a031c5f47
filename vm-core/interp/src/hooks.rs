//! The interpreter's answers to the runtime (`adder_runtime::hooks`).

use crate::frame::{CO_FAST_CELL, CO_FAST_FREE, Frame, call_stack, current_frame};
use crate::{builtins, import, state};
use adder_runtime::abi::*;
use adder_runtime::hooks::Hooks;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, breaker, thread_state};
use std::sync::atomic::Ordering;

pub fn install() {
    adder_runtime::hooks::install(&HOOKS);
}

static HOOKS: Hooks = Hooks {
    current_globals: builtins::current_globals,
    current_builtins: builtins::current_builtins,
    function_vectorcall: crate::call::function_vectorcall,
    warn: crate::warnings::warn,
    unraisable: crate::pythonrun::unraisable,
    super_arguments,
    import_module,
    audit: crate::sysmodule::audit_event,
    trip_signal,
    run_pending_signals,
    code_words: crate::code::pristine_words,
    code_branches: crate::code::branches,
    check_code: crate::code::check_foreign,
    sys_dict: state::sys_dict,
    current_locals: builtins::current_locals,
    current_frame: current_frame_object,
};

fn import_module(name: &PyUnicodeObject) -> PyResult {
    if name.len() == 0 {
        return Err(raise!(ValueError, "Empty module name"));
    }
    import::import_full(name.as_object())
}

fn trip_signal(signum: i32) {
    match crate::pending::TRIP_SIGNAL.get() {
        Some(trip) => trip(signum),
        None => drop(EVAL_BREAKER.fetch_or(breaker::SIGNALS, Ordering::Relaxed)),
    }
}

fn run_pending_signals() -> PyResult<()> {
    if EVAL_BREAKER.load(Ordering::Relaxed) == 0 {
        Ok(())
    } else {
        crate::pending::handle_eval_breaker()
    }
}

fn current_frame_object() -> PyResult<Option<Ref>> {
    // SAFETY: the thread's frames are alive.
    unsafe {
        let frame = call_stack(current_frame(thread_state())).next();
        frame
            .map(|frame| Ok(crate::frameobject::object_of(frame)?.cast()))
            .transpose()
    }
}

/// What `super()` means in the innermost frame.
fn super_arguments() -> PyResult<(Ref<PyTypeObject>, Ref)> {
    let frame = current_frame(thread_state());
    if frame.is_null() {
        return Err(raise!(RuntimeError, "super(): no current frame"));
    }
    // SAFETY: the innermost frame is alive; register numbers are in range.
    unsafe {
        let code = (*frame).code();
        let data = code.data();
        if data.n_args == 0 {
            return Err(raise!(RuntimeError, "super(): no arguments"));
        }
        let registers = Frame::registers(frame);
        let mut first = (*registers).as_ref().map(PyObject::to_ref);
        if data.kinds[0] & CO_FAST_CELL != 0
            && let Some(cell) = (*registers)
                .as_ref()
                .and_then(|value| value.downcast_exact::<PyCellObject>())
        {
            first = Ref::from_borrowed_opt(cell.ob_ref.get());
        }
        let Some(first) = first else {
            return Err(raise!(RuntimeError, "super(): arg[0] deleted"));
        };
        for index in 0..data.n_localsplus as usize {
            if data.kinds[index] & CO_FAST_FREE == 0 || !code.local_name(index).eq_str("__class__") {
                continue;
            }
            let Some(cell) = (*registers.add(index))
                .as_ref()
                .and_then(|cell| cell.downcast_exact::<PyCellObject>())
            else {
                return Err(raise!(RuntimeError, "super(): bad __class__ cell"));
            };
            let Some(class) = Ref::from_borrowed_opt(cell.ob_ref.get()) else {
                return Err(raise!(RuntimeError, "super(): empty __class__ cell"));
            };
            return match class.downcast::<PyTypeObject>() {
                Ok(class) => Ok((class, first)),
                Err(other) => Err(raise!(
                    RuntimeError,
                    "super(): __class__ is not a type ({})",
                    other.ty().name()
                )),
            };
        }
        Err(raise!(RuntimeError, "super(): __class__ cell not found"))
    }
}
