//! monitoring.h: extension modules tell `sys.monitoring` of events of their own code. A scope keeps an array with a state
//! for each event that it can have: which tools want it.

use adder_interp::monitoring::{event, fire_foreign, tools_of, version};
use adder_runtime::error;
use adder_runtime::prelude::*;

/// The tools that want an event, as bits.
#[repr(C)]
pub struct PyMonitoringState {
    active: u8,
    opaque: u8,
}

/// The first arguments of most callbacks.
fn place(offset: i32) -> PyResult {
    if offset < 0 {
        return Err(raise!(ValueError, "offset must be non-negative"));
    }
    Ok(PyLongObject::from_i64(offset.into()).into_object())
}

fn fire(state: *mut PyMonitoringState, number: u8, args: &[&PyObject]) -> PyResult<()> {
    // SAFETY: C passes a state of a scope that was entered.
    let state = unsafe { &mut *state };
    state.active = fire_foreign(state.active, number, args)?;
    Ok(())
}

fn fire_at(
    state: *mut PyMonitoringState,
    code: &PyObject,
    offset: i32,
    number: u8,
    rest: &[&PyObject],
) -> PyResult<()> {
    let place = place(offset)?;
    let mut args = vec![code, &*place];
    args.extend(rest);
    fire(state, number, &args)
}

/// Events about the exception that is set, which stays set.
fn fire_exception(state: *mut PyMonitoringState, code: &PyObject, offset: i32, number: u8) -> PyResult<()> {
    let Some(exception) = error::fetch() else {
        return Err(raise!(ValueError, "Firing event {number} with no exception set"));
    };
    fire_at(state, code, offset, number, &[&exception])?;
    let _ = error::restore(exception);
    Ok(())
}

capi! {
    fn PyMonitoring_EnterScope(
        states: *mut PyMonitoringState, seen: *mut u64, events: *const u8, length: isize
    ) -> PyResult<()> {
        // SAFETY: C passes arrays of that length and a place for the version.
        unsafe {
            if *seen == version() + 1 {
                return Ok(());
            }
            for index in 0..length as usize {
                (*states.add(index)).active = tools_of(*events.add(index));
            }
            // Zero is what a scope starts from.
            *seen = version() + 1;
        }
        Ok(())
    }
    fn PyMonitoring_ExitScope() -> c_int { 0 }
    fn _PyMonitoring_FirePyStartEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_at(state, code, offset, event::PY_START, &[])
    }
    fn _PyMonitoring_FirePyResumeEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_at(state, code, offset, event::PY_RESUME, &[])
    }
    fn _PyMonitoring_FirePyReturnEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, value: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::PY_RETURN, &[value]) }
    fn _PyMonitoring_FirePyYieldEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, value: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::PY_YIELD, &[value]) }
    fn _PyMonitoring_FireCallEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, callable: &PyObject, first: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::CALL, &[callable, first]) }
    fn _PyMonitoring_FireLineEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, line: c_int
    ) -> PyResult<()> {
        place(offset)?;
        let line = PyLongObject::from_i64(line.into());
        fire(state, event::LINE, &[code, line.as_object()])
    }
    fn _PyMonitoring_FireJumpEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, target: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::JUMP, &[target]) }
    fn _PyMonitoring_FireBranchEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, target: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::BRANCH, &[target]) }
    fn _PyMonitoring_FireBranchLeftEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, target: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::BRANCH_LEFT, &[target]) }
    fn _PyMonitoring_FireBranchRightEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, target: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::BRANCH_RIGHT, &[target]) }
    fn _PyMonitoring_FireCReturnEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, value: &PyObject
    ) -> PyResult<()> { fire_at(state, code, offset, event::C_RETURN, &[value]) }
    fn _PyMonitoring_FirePyThrowEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_exception(state, code, offset, event::PY_THROW)
    }
    fn _PyMonitoring_FireRaiseEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_exception(state, code, offset, event::RAISE)
    }
    fn _PyMonitoring_FireReraiseEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_exception(state, code, offset, event::RERAISE)
    }
    fn _PyMonitoring_FireExceptionHandledEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32
    ) -> PyResult<()> { fire_exception(state, code, offset, event::EXCEPTION_HANDLED) }
    fn _PyMonitoring_FireCRaiseEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_exception(state, code, offset, event::C_RAISE)
    }
    fn _PyMonitoring_FirePyUnwindEvent(state: *mut PyMonitoringState, code: &PyObject, offset: i32) -> PyResult<()> {
        fire_exception(state, code, offset, event::PY_UNWIND)
    }
    fn _PyMonitoring_FireStopIterationEvent(
        state: *mut PyMonitoringState, code: &PyObject, offset: i32, value: &PyObject
    ) -> PyResult<()> {
        let exception = adder_runtime::exceptions::exc::StopIteration.as_object().call1(value)?;
        fire_at(state, code, offset, event::STOP_ITERATION, &[&exception])
    }
}
