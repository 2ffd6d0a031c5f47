//! `_asyncio`: futures, tasks and what is current in a thread, as `asyncio` has them in Python and, natively, faster.
//!
//! Comes in: coroutines, event loops (Python's own). Goes out: `Future` (`future.rs`), `Task` (`task.rs`), and which loop and which
//! task run in a thread (`running.rs`). Everything that reports or formats stays with the library's Python files.

mod future;
mod running;
mod task;
mod waiting;

use crate::util::Kept;
use adder_runtime::exceptions::exc;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use future::Future;
use task::Task;

/// A name of one of asyncio's Python modules. They import this one, so it is looked up when it is needed, and then kept, in each
/// interpreter.
struct Imported {
    module: &'static str,
    name: &'static str,
    object: PerInterpreter<Kept>,
}

impl Imported {
    const fn new(module: &'static str, name: &'static str) -> Imported {
        Imported { module, name, object: PerInterpreter::new(Kept::new()) }
    }
    fn get(&'static self) -> PyResult {
        self.object
            .here()
            .get_or_make(|| adder_runtime::hooks::import_module(self.module)?.get_attr_str(self.name))
    }
    /// Raises this exception class.
    fn raise(&'static self, message: &str) -> Raised {
        let text = PyUnicodeObject::from_str(message);
        match self.get() {
            Ok(class) => adder_runtime::error::set_object(&class, Some(text.as_object())),
            Err(raised) => raised,
        }
    }
    /// Whether the exception is of this class.
    fn is_class_of(&'static self, exception: &PyObject) -> PyResult<bool> {
        let class = self.get()?;
        Ok((*class)
            .downcast::<PyTypeObject>()
            .is_some_and(|class| exception.is_instance_of(class)))
    }
}

static CANCELLED_ERROR: Imported = Imported::new("asyncio.exceptions", "CancelledError");
static INVALID_STATE_ERROR: Imported = Imported::new("asyncio.exceptions", "InvalidStateError");
static GET_POLICY: Imported = Imported::new("asyncio.events", "_get_event_loop_policy");
static FUTURE_REPR: Imported = Imported::new("asyncio.base_futures", "_future_repr");
static TASK_REPR: Imported = Imported::new("asyncio.base_tasks", "_task_repr");
static TASK_GET_STACK: Imported = Imported::new("asyncio.base_tasks", "_task_get_stack");
static TASK_PRINT_STACK: Imported = Imported::new("asyncio.base_tasks", "_task_print_stack");
static IS_COROUTINE: Imported = Imported::new("asyncio.coroutines", "iscoroutine");
static EXTRACT_STACK: Imported = Imported::new("traceback", "extract_stack");
static WEAK_SET: Imported = Imported::new("weakref", "WeakSet");

/// The keyword of `loop.call_soon` and `future.add_done_callback`.
static CONTEXT_KEYWORD: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());

fn context_keyword() -> PyResult<Ref> {
    CONTEXT_KEYWORD.here().get_or_make(|| {
        let name = identifier!("context").to_object();
        Ok(PyTupleObject::from_vec(vec![name]).into_object())
    })
}

/// `object.method(*args, context=context)`.
fn call_with_context(object: &PyObject, method: &PyUnicodeObject, args: &[&PyObject], context: &PyObject) -> PyResult {
    let keyword = context_keyword()?;
    let Some(keyword) = keyword.downcast::<PyTupleObject>().ok() else {
        return Err(raise!(SystemError, "the keyword is no tuple"));
    };
    let (function, is_method) = object.get_method(method)?;
    let mut all = [none(); 4];
    let mut n = 0;
    let given = is_method.then_some(object).into_iter();
    for arg in given.chain(args.iter().copied()).chain([context]) {
        all[n] = arg;
        n += 1;
    }
    function.call_keywords(&all[..n], &keyword)
}

/// Has an event loop call something soon.
fn call_soon(event_loop: &PyObject, callback: &PyObject, arg: Option<&PyObject>, context: &PyObject) -> PyResult<()> {
    let name = identifier!("call_soon");
    match arg {
        Some(arg) => call_with_context(event_loop, name, &[callback, arg], context)?,
        None => call_with_context(event_loop, name, &[callback], context)?,
    };
    Ok(())
}

/// An event loop reports what nobody asked about. Called from destructors: whatever happens, they go on.
fn report(event_loop: &PyObject, about: &PyObject, facts: &[(&str, &PyObject)]) {
    let reported = (|| {
        let context = PyDictObject::new();
        for (name, value) in facts {
            context.set_str(&PyUnicodeObject::from_str(name), value)?;
        }
        event_loop.call_method(identifier!("call_exception_handler"), &[context.as_object()])
    })();
    if let Err(raised) = reported {
        adder_runtime::error::write_unraisable(raised, None, Some(about));
    }
}

/// The loop of a future of any kind.
fn loop_of(future: &PyObject) -> PyResult {
    if let Some(future) = as_future(future) {
        return future.loop_or_raise();
    }
    match future.get_attr_opt(identifier!("get_loop"))? {
        Some(get_loop) => get_loop.call0(),
        None => future.get_attr(identifier!("_loop")),
    }
}

/// A future or task of this module, or of a class derived from one.
fn as_future(object: &PyObject) -> Option<&Future> {
    object.downcast::<Future>()
}

/// A future or task exactly of this module: nothing of it is overridden.
fn as_plain_future(object: &PyObject) -> Option<&Future> {
    match object.downcast_exact::<Task>() {
        Some(task) => Some(&task.future),
        None => object.downcast_exact::<Future>(),
    }
}

/// Neither the loop nor the task of the parent runs in the child.
pub fn after_fork_in_child() {
    running::set_running_loop(None);
    running::forget_running_task();
}

/// Futures, tasks and the running event loop.
#[pymodule(name = "_asyncio", types = [FUTURE_TYPE, TASK_TYPE])]
pub mod _asyncio {
    use super::*;
    pub use super::future::FUTURE_TYPE;
    pub use super::task::TASK_TYPE;

    /// The loop that runs in this thread; RuntimeError if there is none.
    #[pyfunction("($module, /)")]
    fn get_running_loop() -> PyResult {
        running::running_loop_or_raise()
    }
    /// The loop that runs in this thread, or None.
    #[pyfunction("($module, /)")]
    fn _get_running_loop() -> Option<Ref> {
        running::running_loop()
    }
    /// Sets the loop that runs in this thread.
    #[pyfunction("($module, loop, /)")]
    fn _set_running_loop(r#loop: &PyObject) {
        running::set_running_loop(Some(r#loop).filter(|event_loop| !is_none(event_loop)));
    }
    /// The running loop, or else that of the policy.
    #[pyfunction("($module, /)")]
    fn get_event_loop() -> PyResult {
        running::event_loop()
    }
    /// The task that runs now.
    #[pyfunction("($module, /, loop=None)")]
    fn current_task(r#loop: Option<&PyObject>) -> PyResult {
        running::current_task(r#loop)
    }
    /// All tasks of a loop that are not done.
    #[pyfunction("($module, /, loop=None)")]
    fn all_tasks(r#loop: Option<&PyObject>) -> PyResult {
        running::all_tasks(r#loop)
    }
    #[pyfunction("($module, /, loop, task)")]
    fn _enter_task(r#loop: &PyObject, task: &PyObject) -> PyResult<()> {
        running::enter_task(r#loop, task)
    }
    #[pyfunction("($module, /, loop, task)")]
    fn _leave_task(r#loop: &PyObject, task: &PyObject) -> PyResult<()> {
        running::leave_task(r#loop, task)
    }
    /// Makes a task the current one; returns the one before.
    #[pyfunction("($module, /, loop, task)")]
    fn _swap_current_task(r#loop: &PyObject, task: &PyObject) -> PyResult {
        running::swap_current_task(r#loop, Some(task).filter(|task| !is_none(task)))
    }
    #[pyfunction("($module, /, task)")]
    fn _register_task(task: &PyObject) -> PyResult<()> {
        running::register(task)
    }
    #[pyfunction("($module, /, task)")]
    fn _unregister_task(task: &PyObject) -> PyResult<()> {
        running::unregister(task)
    }
    #[pyfunction("($module, /, task)")]
    fn _register_eager_task(task: &PyObject) -> PyResult<()> {
        running::register_eager(task)
    }
    #[pyfunction("($module, /, task)")]
    fn _unregister_eager_task(task: &PyObject) -> PyResult<()> {
        running::unregister_eager(task)
    }
    /// Notes that a future is awaited by another.
    #[pyfunction("($module, fut, waiter, /)")]
    fn future_add_to_awaited_by(fut: &PyObject, waiter: &PyObject) -> PyResult<()> {
        future::add_awaited_by(fut, waiter)
    }
    /// Notes that a future is not awaited by another any more.
    #[pyfunction("($module, fut, waiter, /)")]
    fn future_discard_from_awaited_by(fut: &PyObject, waiter: &PyObject) -> PyResult<()> {
        future::discard_awaited_by(fut, waiter)
    }
}
