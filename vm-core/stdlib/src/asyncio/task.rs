//! `Task`: a coroutine that an event loop drives. What a coroutine yields decides when its next step comes; its end is the future's.

use super::future::{FUTURE_TYPE, Future, Outcome, add_awaited_by, dealloc, discard_awaited_by};
use super::running::{Links, enter_task, leave_task, link, register_eager, swap_current_task, unlink, unregister_eager};
use super::*;
use crate::contextvars::Context;
use adder_interp::genobject::{is_coroutine, is_generator, send, stop_iteration_value};
use adder_runtime::args::{boundary_obj, method_def_o};
use adder_runtime::error;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::methodobject::new_function;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

#[repr(C)]
pub struct Task {
    pub future: Future,
    coroutine: ObjectCell,
    name: ObjectCell,
    /// The number in the name, for a task that was given none.
    number: Cell<u64>,
    context: ObjectCell,
    /// What the task waits for.
    waits_for: ObjectCell,
    n_cancels: Cell<usize>,
    must_cancel: Cell<bool>,
    log_destroy_pending: Cell<bool>,
    pub links: Links,
}

static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);

/// How a step of the coroutine went.
enum Stepped {
    Yielded(Ref),
    Returned(Ref),
    Raised(Ref),
}

impl Task {
    fn blank() -> Task {
        Task {
            future: Future::blank(),
            coroutine: ObjectCell::new(None),
            name: ObjectCell::new(None),
            number: Cell::new(0),
            context: ObjectCell::new(None),
            waits_for: ObjectCell::new(None),
            n_cancels: Cell::new(0),
            must_cancel: Cell::new(false),
            log_destroy_pending: Cell::new(false),
            links: Links::new(),
        }
    }
    fn context(&self) -> Ref {
        self.context.get().unwrap_or_else(none_ref)
    }
    /// Has the loop make the next step, with an exception if there is one.
    fn step_soon(&self, exception: Option<Ref>) -> PyResult<()> {
        let step = Ref::new(Step {
            ob_base: blank_header(),
            task: ObjectCell::new(Some(self.to_ref())),
            exception: ObjectCell::new(exception),
        })?;
        call_soon(&*self.future.loop_or_raise()?, step.as_object(), None, &self.context())
    }
    /// The next step raises RuntimeError.
    fn complain(&self, message: String) -> PyResult<()> {
        self.step_soon(Some(raise!(RuntimeError, "{message}").take()))
    }
    fn wakeup(&self) -> PyResult {
        new_function(&WAKEUP, Some(self.as_object()), None)
    }
    /// `Task.__init__` after the future's.
    fn set_up(
        &self,
        coroutine: &PyObject,
        name: Option<&PyObject>,
        context: Option<&PyObject>,
        eager_start: bool,
    ) -> PyResult<()> {
        if !is_coroutine(coroutine) && !IS_COROUTINE.get()?.call1(coroutine)?.is_true()? {
            self.log_destroy_pending.set(false);
            let shown = coroutine.repr()?.to_string_lossy();
            return Err(raise!(TypeError, "a coroutine was expected, got {shown}"));
        }
        self.context.set(Some(match context {
            Some(context) => context.to_ref(),
            None => crate::contextvars::copy_current()?.into_object(),
        }));
        self.waits_for.set(None);
        self.must_cancel.set(false);
        self.log_destroy_pending.set(true);
        self.n_cancels.set(0);
        self.coroutine.set(Some(coroutine.to_ref()));
        match name {
            Some(name) => self.name.set(Some(name.str()?.into_object())),
            None => {
                self.name.set(None);
                self.number.set(LAST_NUMBER.fetch_add(1, Ordering::Relaxed) + 1);
            }
        }
        if eager_start {
            let event_loop = self.future.loop_or_raise()?;
            if event_loop.call_method(identifier!("is_running"), &[])?.is_true()? {
                return self.start(&event_loop);
            }
        }
        self.step_soon(None)?;
        link(self);
        Ok(())
    }
    /// The first step, at once.
    fn start(&self, event_loop: &PyObject) -> PyResult<()> {
        let object = self.as_object();
        let previous = swap_current_task(event_loop, Some(object))?;
        let stepped = self.first_step(object);
        let failure = stepped.err().map(Raised::take);
        let restored = swap_current_task(event_loop, Some(&*previous).filter(|task| !is_none(task)));
        if self.future.is_done() {
            self.coroutine.set(None);
        } else {
            link(self);
        }
        match failure {
            Some(exception) => {
                error::clear();
                Err(error::restore(exception))
            }
            None => restored.map(drop),
        }
    }
    fn first_step(&self, object: &PyObject) -> PyResult<()> {
        register_eager(object)?;
        let context = self.context();
        let stepped = match context.downcast_ref_context() {
            Some(context) => context.enter().and_then(|()| {
                let stepped = self.run_step(None);
                let failure = stepped.err().map(Raised::take);
                let left = context.exit();
                match failure {
                    Some(exception) => Err(error::restore(exception)),
                    None => left,
                }
            }),
            None => Err(raise!(TypeError, "an instance of Context was expected")),
        };
        let failure = stepped.err().map(Raised::take);
        let unregistered = unregister_eager(object);
        match failure {
            Some(exception) => Err(error::restore(exception)),
            None => unregistered,
        }
    }
    /// A step while the task is the current one.
    fn step(&self, exception: Option<Ref>) -> PyResult<()> {
        let event_loop = self.future.loop_or_raise()?;
        let object = self.as_object();
        enter_task(&event_loop, object)?;
        match self.run_step(exception) {
            Ok(()) => leave_task(&event_loop, object),
            Err(raised) => {
                let failure = raised.take();
                leave_task(&event_loop, object)?;
                Err(error::restore(failure))
            }
        }
    }
    fn advance(&self, exception: Option<Ref>) -> PyResult<Stepped> {
        let Some(coroutine) = self.coroutine.get() else {
            return Err(raise!(RuntimeError, "uninitialized Task object"));
        };
        let stepped = match exception {
            None => send(&coroutine, none()),
            Some(exception) => match coroutine.call_method(identifier!("throw"), &[&exception]) {
                Ok(value) => Ok((value, false)),
                Err(raised) if raised.matches(exc::StopIteration) => {
                    stop_iteration_value(raised.take()).map(|value| (value, true))
                }
                Err(raised) => Err(raised),
            },
        };
        Ok(match stepped {
            Ok((value, false)) => Stepped::Yielded(value),
            Ok((value, true)) => Stepped::Returned(value),
            Err(raised) => Stepped::Raised(raised.take()),
        })
    }
    fn run_step(&self, exception: Option<Ref>) -> PyResult<()> {
        if self.future.is_done() {
            let task = self.as_object().repr()?.to_string_lossy();
            let exception = exception.unwrap_or_else(none_ref).repr()?.to_string_lossy();
            return Err(INVALID_STATE_ERROR.raise(&format!("__step(): already done: {task} {exception}")));
        }
        let mut exception = exception;
        if self.must_cancel.get() {
            let is_cancellation = match &exception {
                Some(exception) => CANCELLED_ERROR.is_class_of(exception)?,
                None => false,
            };
            if !is_cancellation {
                exception = Some(self.future.cancelled_error()?);
            }
            self.must_cancel.set(false);
        }
        self.waits_for.set(None);
        match self.advance(exception)? {
            Stepped::Yielded(value) => self.wait_for(value),
            Stepped::Returned(_) if self.must_cancel.get() => {
                // The task was cancelled right before the coroutine stopped.
                self.must_cancel.set(false);
                let message = self.future.cancel_message();
                self.future.cancel_with(message.as_deref()).map(drop)
            }
            Stepped::Returned(value) => self.future.finish(value),
            Stepped::Raised(exception) => {
                if CANCELLED_ERROR.is_class_of(&exception)? {
                    self.future.set_cancelled_exception(exception);
                    return self.future.cancel_with(None).map(drop);
                }
                self.future.fail(&exception)?;
                if exception.is_instance_of(exc::KeyboardInterrupt) || exception.is_instance_of(exc::SystemExit) {
                    return Err(error::restore(exception));
                }
                Ok(())
            }
        }
    }
    /// What the coroutine yielded says when it goes on.
    fn wait_for(&self, value: Ref) -> PyResult<()> {
        if is_none(&value) {
            return self.step_soon(None);
        }
        if let Some(future) = as_plain_future(&value) {
            let same_loop = match (future.event_loop(), self.future.event_loop()) {
                (Some(its), Some(own)) => its.is(&own),
                _ => false,
            };
            let is_blocking = future.blocking.get();
            if !self.check_awaited(&value, same_loop, is_blocking)? {
                return Ok(());
            }
            add_awaited_by(&value, self.as_object())?;
            future.blocking.set(false);
            future.add_callback(&*self.wakeup()?, &self.context())?;
        } else {
            let blocking = value.get_attr_opt(identifier!("_asyncio_future_blocking"))?;
            let Some(blocking) = blocking.filter(|blocking| !is_none(blocking)) else {
                let (task, shown) = (self.as_object().repr()?.to_string_lossy(), value.repr()?.to_string_lossy());
                return self.complain(if is_generator(&value) {
                    format!("yield was used instead of yield from for generator in task {task} with {shown}")
                } else {
                    format!("Task got bad yield: {shown}")
                });
            };
            let same_loop = loop_of(&value)?.is(&*self.future.loop_or_raise()?);
            if !self.check_awaited(&value, same_loop, blocking.is_true()?)? {
                return Ok(());
            }
            add_awaited_by(&value, self.as_object())?;
            value.set_attr(identifier!("_asyncio_future_blocking"), false_())?;
            let wakeup = self.wakeup()?;
            call_with_context(&value, identifier!("add_done_callback"), &[&wakeup], &self.context())?;
        }
        self.waits_for.set(Some(value.clone()));
        if self.must_cancel.get() && self.cancel_awaited(&value, self.future.cancel_message().as_deref())? {
            self.must_cancel.set(false);
        }
        Ok(())
    }
    /// Whether the future can be waited for; if not, the task is told.
    fn check_awaited(&self, value: &PyObject, same_loop: bool, is_blocking: bool) -> PyResult<bool> {
        let message = match (same_loop, is_blocking) {
            (false, _) => "got Future",
            (true, false) => "yield",
            (true, true) if value.is(self.as_object()) => "itself",
            (true, true) => return Ok(true),
        };
        let task = self.as_object().repr()?.to_string_lossy();
        let shown = value.repr()?.to_string_lossy();
        self.complain(match message {
            "got Future" => format!("Task {task} got Future {shown} attached to a different loop"),
            "yield" => format!("yield was used instead of yield from in task {task} with {shown}"),
            _ => format!("Task cannot await on itself: {task}"),
        })?;
        Ok(false)
    }
    fn cancel_awaited(&self, awaited: &PyObject, message: Option<&PyObject>) -> PyResult<bool> {
        awaited
            .get_attr(identifier!("cancel"))?
            .call_kw(&[], &[("msg", message.unwrap_or(none()))])?
            .is_true()
    }
    /// What the task waited for is done.
    fn woken(&self, awaited: &PyObject) -> PyResult<()> {
        discard_awaited_by(awaited, self.as_object())?;
        let exception = match as_plain_future(awaited) {
            Some(future) => match future.outcome() {
                Ok(Outcome::Value(_)) => None,
                Ok(Outcome::Exception(exception)) => Some(exception),
                Err(raised) => Some(raised.take()),
            },
            None => awaited
                .call_method(identifier!("result"), &[])
                .err()
                .map(Raised::take),
        };
        self.step(exception)
    }
    fn name_object(&self) -> Option<Ref> {
        if let Some(name) = self.name.get() {
            return Some(name);
        }
        if self.number.get() == 0 {
            return None;
        }
        let name = PyUnicodeObject::from_string(format!("Task-{}", self.number.get())).into_object();
        self.name.set(Some(name.clone()));
        Some(name)
    }
}

trait AsContext {
    fn downcast_ref_context(&self) -> Option<&Context>;
}

impl AsContext for PyObject {
    fn downcast_ref_context(&self) -> Option<&Context> {
        self.downcast_exact::<Context>()
    }
}

#[pytype(name = "_asyncio.Task", static_name = TASK_TYPE, base = FUTURE_TYPE, flags = BASETYPE | HAVE_GC)]
/// A coroutine wrapped in a Future.
impl Task {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, Task::blank())?.into_object())
    }
    #[init("(coro, *, loop=None, name=None, context=None, eager_start=False)")]
    fn init(
        &self,
        coro: &PyObject,
        r#loop: Option<&PyObject>,
        name: Option<&PyObject>,
        context: Option<&PyObject>,
        eager_start: bool,
    ) -> PyResult<()> {
        self.future.set_up(r#loop)?;
        self.set_up(coro, name, context, eager_start)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract: dead, but whole until its memory is freed.
        unsafe { dealloc::<Task>(this.cast(), || unlink(&*this)) }
    }
    #[slot]
    fn tp_finalize(&self) {
        if !self.future.is_done()
            && self.log_destroy_pending.get()
            && let Some(event_loop) = self.future.event_loop()
        {
            let message = PyUnicodeObject::from_str("Task was destroyed but it is pending!");
            let source = self.future.source_traceback();
            let mut facts = vec![("task", self.as_object()), ("message", message.as_object())];
            if let Some(source) = &source {
                facts.push(("source_traceback", source));
            }
            report(&event_loop, self.as_object(), &facts);
        }
        self.future.finalize();
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for field in [&self.coroutine, &self.name, &self.context, &self.waits_for] {
            let status = field.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.future.traverse(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.future.clear();
        for field in [&self.coroutine, &self.context, &self.waits_for] {
            field.set(None);
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.future.loop_or_raise()?;
        TASK_REPR.get()?.call1(self.as_object())
    }
    #[method("($self, result, /)")]
    fn set_result(&self, result: &PyObject) -> PyResult<()> {
        let _ = result;
        Err(raise!(RuntimeError, "Task does not support set_result operation"))
    }
    #[method("($self, exception, /)")]
    fn set_exception(&self, exception: &PyObject) -> PyResult<()> {
        let _ = exception;
        Err(raise!(RuntimeError, "Task does not support set_exception operation"))
    }
    /// Request that this task cancel itself: CancelledError is thrown into the coroutine.
    #[method("($self, /, msg=None)")]
    fn cancel(&self, msg: Option<&PyObject>) -> PyResult<bool> {
        self.future.forget_traceback();
        if self.future.is_done() {
            return Ok(false);
        }
        self.n_cancels.set(self.n_cancels.get() + 1);
        // What is waited for may be a task that ignores this: it may have to be cancelled again.
        if let Some(awaited) = self.waits_for.get()
            && self.cancel_awaited(&awaited, msg)?
        {
            return Ok(true);
        }
        self.must_cancel.set(true);
        self.future.set_cancel_message(msg);
        Ok(true)
    }
    /// Return the count of the task's cancellation requests.
    #[method("($self, /)")]
    fn cancelling(&self) -> usize {
        self.n_cancels.get()
    }
    /// Decrement the task's count of cancellation requests; return the remaining number.
    #[method("($self, /)")]
    fn uncancel(&self) -> usize {
        let n_cancels = self.n_cancels.get();
        if n_cancels > 0 {
            self.n_cancels.set(n_cancels - 1);
            if n_cancels == 1 {
                self.must_cancel.set(false);
            }
        }
        self.n_cancels.get()
    }
    /// Return the list of stack frames for this task's coroutine.
    #[method("($self, /, *, limit=None)")]
    fn get_stack(&self, limit: Option<&PyObject>) -> PyResult {
        TASK_GET_STACK
            .get()?
            .call(&[self.as_object(), limit.unwrap_or(none())])
    }
    /// Print the stack or traceback for this task's coroutine.
    #[method("($self, /, *, limit=None, file=None)")]
    fn print_stack(&self, limit: Option<&PyObject>, file: Option<&PyObject>) -> PyResult {
        TASK_PRINT_STACK
            .get()?
            .call(&[self.as_object(), limit.unwrap_or(none()), file.unwrap_or(none())])
    }
    #[method("($self, /)")]
    fn get_name(&self) -> Option<Ref> {
        self.name_object()
    }
    #[method("($self, value, /)")]
    fn set_name(&self, value: &PyObject) -> PyResult<()> {
        self.name.set(Some(value.str()?.into_object()));
        Ok(())
    }
    #[method("($self, /)")]
    fn get_coro(&self) -> Option<Ref> {
        self.coroutine.get()
    }
    #[method("($self, /)")]
    fn get_context(&self) -> Option<Ref> {
        self.context.get()
    }
    /// Tasks are generic over the return type of their wrapped coroutines.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter(name = "_log_destroy_pending")]
    fn get_log_destroy_pending(&self) -> bool {
        self.log_destroy_pending.get()
    }
    #[setter(name = "_log_destroy_pending")]
    fn set_log_destroy_pending(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(AttributeError, "cannot delete attribute"));
        };
        self.log_destroy_pending.set(value.is_true()?);
        Ok(())
    }
    #[getter(name = "_must_cancel")]
    fn get_must_cancel(&self) -> bool {
        self.must_cancel.get()
    }
    #[getter(name = "_coro")]
    fn coroutine_or_none(&self) -> Option<Ref> {
        self.coroutine.get()
    }
    #[getter(name = "_fut_waiter")]
    fn get_waits_for(&self) -> Option<Ref> {
        self.waits_for.get()
    }
}

/// What the loop calls for a task's next step.
#[repr(C)]
struct Step {
    ob_base: PyObject,
    task: ObjectCell<Task>,
    exception: ObjectCell,
}

#[pytype(
    name = "_asyncio.TaskStepMethWrapper",
    static_name = STEP_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
)]
impl Step {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.task.visit(visitor);
        if status != 0 { status } else { self.exception.visit(visitor) }
    }
    #[slot]
    fn tp_clear(&self) {
        self.task.set(None);
        self.exception.set(None);
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "function takes no keyword arguments"));
        }
        if args.len() != 0 {
            return Err(raise!(TypeError, "function takes no positional arguments"));
        }
        match self.task.get() {
            Some(task) => task.step(self.exception.get()),
            None => Ok(()),
        }
    }
    #[getter]
    fn __self__(&self) -> Option<Ref<Task>> {
        self.task.get()
    }
}

unsafe extern "C" fn task_wakeup(task: *mut PyObject, awaited: *mut PyObject) -> *mut PyObject {
    // SAFETY: called with the task that the function was made for and one live argument.
    let (task, awaited) = unsafe { (&*task, &*awaited) };
    boundary_obj(|| match task.downcast::<Task>() {
        Some(task) => task.woken(awaited).map(|()| none_ref()),
        None => Err(raise!(TypeError, "a task is required, not {}", task.ty().name())),
    })
}

static WAKEUP: PyMethodDef = method_def_o(c"task_wakeup", task_wakeup, 0, c"");
