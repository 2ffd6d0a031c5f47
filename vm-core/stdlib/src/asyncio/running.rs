//! Which loop and which task run in each thread, and which tasks there are.
//!
//! Native tasks are in a list through the tasks themselves, which costs nothing to enter and to leave; what others registered is in
//! a weak set, and what is being started eagerly, in a set.

use super::task::Task;
use super::{GET_POLICY, WEAK_SET, loop_of};
use crate::util::Kept;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use adder_runtime::thread::{all_thread_states, thread_state};
use std::cell::Cell;
use std::ptr::{null, null_mut};

pub fn running_loop() -> Option<Ref> {
    thread_state().asyncio_loop.borrow().clone()
}

pub fn running_loop_or_raise() -> PyResult {
    running_loop().ok_or_else(|| raise!(RuntimeError, "no running event loop"))
}

pub fn set_running_loop(event_loop: Option<&PyObject>) {
    let old = thread_state().asyncio_loop.replace(event_loop.map(PyObject::to_ref));
    drop(old);
}

pub fn event_loop() -> PyResult {
    match running_loop() {
        Some(event_loop) => Ok(event_loop),
        None => GET_POLICY.get()?.call0()?.call_method(identifier!("get_event_loop"), &[]),
    }
}

fn check_running(event_loop: &PyObject) -> PyResult<()> {
    let is_running = thread_state()
        .asyncio_loop
        .borrow()
        .as_ref()
        .is_some_and(|running| running.is(event_loop));
    if is_running {
        return Ok(());
    }
    let shown = event_loop.repr()?.to_string_lossy();
    Err(raise!(RuntimeError, "loop {shown} is not the running loop"))
}

fn running_task() -> Option<Ref> {
    thread_state().asyncio_task.borrow().clone()
}

fn set_running_task(task: Option<&PyObject>) -> Option<Ref> {
    thread_state().asyncio_task.replace(task.map(PyObject::to_ref))
}

/// Drops what is noted of the task that runs in this thread.
pub fn forget_running_task() {
    drop(set_running_task(None));
}

pub fn enter_task(event_loop: &PyObject, task: &PyObject) -> PyResult<()> {
    check_running(event_loop)?;
    if let Some(current) = running_task() {
        let (task, current) = (task.repr()?.to_string_lossy(), current.repr()?.to_string_lossy());
        return Err(raise!(
            RuntimeError,
            "Cannot enter into task {task} while another task {current} is being executed."
        ));
    }
    set_running_task(Some(task));
    Ok(())
}

pub fn leave_task(event_loop: &PyObject, task: &PyObject) -> PyResult<()> {
    check_running(event_loop)?;
    let current = running_task();
    if !current.as_ref().is_some_and(|current| current.is(task)) {
        let current = current.unwrap_or_else(none_ref).repr()?.to_string_lossy();
        let task = task.repr()?.to_string_lossy();
        return Err(raise!(
            RuntimeError,
            "Invalid attempt to leave task {task} while task {current} is entered."
        ));
    }
    drop(set_running_task(None));
    Ok(())
}

pub fn swap_current_task(event_loop: &PyObject, task: Option<&PyObject>) -> PyResult {
    check_running(event_loop)?;
    Ok(set_running_task(task).unwrap_or_else(none_ref))
}

pub fn current_task(event_loop: Option<&PyObject>) -> PyResult {
    let event_loop = match event_loop {
        Some(event_loop) => event_loop.to_ref(),
        None => running_loop_or_raise()?,
    };
    // A loop runs in at most one thread.
    for state in all_thread_states() {
        let is_here = state
            .asyncio_loop
            .borrow()
            .as_ref()
            .is_some_and(|running| running.is(&event_loop));
        if is_here {
            return Ok(state.asyncio_task.borrow().clone().unwrap_or_else(none_ref));
        }
    }
    Ok(none_ref())
}

// ---- all tasks ----

/// A task's place in the list of native tasks.
pub struct Links {
    is_listed: Cell<bool>,
    previous: Cell<*const Task>,
    next: Cell<*const Task>,
}

impl Links {
    pub const fn new() -> Links {
        Links { is_listed: Cell::new(false), previous: Cell::new(null()), next: Cell::new(null()) }
    }
}

/// The first of the native tasks, of whatever interpreter: their loops tell them apart.
struct First(Cell<*const Task>);

// SAFETY: used under the GIL.
unsafe impl Sync for First {}

static FIRST: First = First(Cell::new(null()));
/// What is no native task.
static OTHERS: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
static EAGER: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());

fn others() -> PyResult {
    OTHERS.here().get_or_make(|| WEAK_SET.get()?.call0())
}

fn eager() -> PyResult {
    EAGER.here().get_or_make(|| Ok(PySetObject::new_set().into_object()))
}

pub fn link(task: &Task) {
    let links = &task.links;
    if links.is_listed.replace(true) {
        return;
    }
    let first = FIRST.0.replace(task);
    links.next.set(first);
    links.previous.set(null());
    // SAFETY: what is in the list is alive: a task leaves it before it is freed.
    if let Some(first) = unsafe { first.as_ref() } {
        first.links.previous.set(task);
    }
}

pub fn unlink(task: &Task) {
    let links = &task.links;
    if !links.is_listed.replace(false) {
        return;
    }
    let (previous, next) = (links.previous.replace(null_mut()), links.next.replace(null_mut()));
    // SAFETY: the neighbours are in the list, so they are alive.
    unsafe {
        match previous.as_ref() {
            Some(previous) => previous.links.next.set(next),
            None => FIRST.0.set(next),
        }
        if let Some(next) = next.as_ref() {
            next.links.previous.set(previous);
        }
    }
}

pub fn register(task: &PyObject) -> PyResult<()> {
    match task.downcast::<Task>() {
        Some(task) => link(task),
        None => drop(others()?.call_method(identifier!("add"), &[task])?),
    }
    Ok(())
}

pub fn unregister(task: &PyObject) -> PyResult<()> {
    match task.downcast::<Task>() {
        Some(task) => unlink(task),
        None => drop(others()?.call_method(identifier!("discard"), &[task])?),
    }
    Ok(())
}

pub fn register_eager(task: &PyObject) -> PyResult<()> {
    eager()?.call_method(identifier!("add"), &[task]).map(drop)
}

pub fn unregister_eager(task: &PyObject) -> PyResult<()> {
    eager()?.call_method(identifier!("discard"), &[task]).map(drop)
}

/// The native tasks that are in the list and not about to die.
fn listed() -> Vec<Ref> {
    let mut tasks = Vec::new();
    let mut place = FIRST.0.get();
    // SAFETY: as in `link`.
    while let Some(task) = unsafe { place.as_ref() } {
        if task.as_object().refcnt() > 0 {
            tasks.push(task.to_object());
        }
        place = task.links.next.get();
    }
    tasks
}

pub fn all_tasks(event_loop: Option<&PyObject>) -> PyResult {
    let event_loop = match event_loop {
        Some(event_loop) => event_loop.to_ref(),
        None => running_loop_or_raise()?,
    };
    let candidates = PyListObject::new();
    if let Some(eager) = EAGER.here().get() {
        candidates.extend(&eager)?;
    }
    for task in listed() {
        candidates.push(task);
    }
    if let Some(others) = OTHERS.here().get() {
        candidates.extend(&others)?;
    }
    let found = PySetObject::new_set();
    let mut index = 0;
    while let Some(task) = candidates.get(index) {
        index += 1;
        if loop_of(&task)?.is(&event_loop) && !is_done(&task)? {
            found.add(&task)?;
        }
    }
    Ok(found.into_object())
}

fn is_done(task: &PyObject) -> PyResult<bool> {
    match super::as_plain_future(task) {
        Some(future) => Ok(future.is_done()),
        None => task.call_method(identifier!("done"), &[])?.is_true(),
    }
}
