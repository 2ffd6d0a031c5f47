//! `Future`: a result that is there later, and who is to be told. States, callbacks, cancellation, and who awaits whom.

use super::waiting::FutureIter;
use super::*;
use adder_runtime::error;
use adder_runtime::exceptions;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use std::cell::{Cell, RefCell};
use std::mem::offset_of;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Cancelled,
    Finished,
}

/// A function to be called, and the context to call it in.
type Callback = (Ref, Ref);

/// Most futures have one callback.
#[derive(Default)]
struct Callbacks {
    first: Option<Callback>,
    more: Vec<Callback>,
}

impl Callbacks {
    fn push(&mut self, callback: Callback) {
        if self.first.is_none() && self.more.is_empty() {
            self.first = Some(callback);
        } else {
            self.more.push(callback);
        }
    }
    fn iter(&self) -> impl Iterator<Item = &Callback> {
        self.first.iter().chain(&self.more)
    }
}

#[repr(C)]
pub struct Future {
    ob_base: PyObject,
    dict: Cell<*mut PyObject>,
    weakreflist: Cell<*mut PyObject>,
    /// None until `__init__` was called.
    event_loop: ObjectCell,
    callbacks: RefCell<Callbacks>,
    exception: ObjectCell,
    exception_traceback: ObjectCell,
    result: ObjectCell,
    source_traceback: ObjectCell,
    cancel_message: ObjectCell,
    /// The exception that ended a cancelled task.
    cancelled_exception: ObjectCell,
    /// Who awaits this: one object, or a set of several.
    awaited_by: ObjectCell,
    awaited_by_is_set: Cell<bool>,
    state: Cell<State>,
    pub blocking: Cell<bool>,
    log_traceback: Cell<bool>,
}

// SAFETY: as every object, used under the GIL.
unsafe impl Sync for Future {}

impl Drop for Future {
    fn drop(&mut self) {
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.get()) });
    }
}

/// What a finished future has.
pub enum Outcome {
    Value(Ref),
    Exception(Ref),
}

fn uninitialized() -> Raised {
    raise!(RuntimeError, "Future object is not initialized.")
}

impl Future {
    pub fn blank() -> Future {
        Future {
            ob_base: blank_header(),
            dict: Cell::new(std::ptr::null_mut()),
            weakreflist: Cell::new(std::ptr::null_mut()),
            event_loop: ObjectCell::new(None),
            callbacks: RefCell::new(Callbacks::default()),
            exception: ObjectCell::new(None),
            exception_traceback: ObjectCell::new(None),
            result: ObjectCell::new(None),
            source_traceback: ObjectCell::new(None),
            cancel_message: ObjectCell::new(None),
            cancelled_exception: ObjectCell::new(None),
            awaited_by: ObjectCell::new(None),
            awaited_by_is_set: Cell::new(false),
            state: Cell::new(State::Pending),
            blocking: Cell::new(false),
            log_traceback: Cell::new(false),
        }
    }
    pub fn event_loop(&self) -> Option<Ref> {
        self.event_loop.get()
    }
    pub fn loop_or_raise(&self) -> PyResult {
        self.event_loop().ok_or_else(uninitialized)
    }
    pub fn is_done(&self) -> bool {
        self.state.get() != State::Pending
    }
    pub fn source_traceback(&self) -> Option<Ref> {
        self.source_traceback.get()
    }
    pub fn cancel_message(&self) -> Option<Ref> {
        self.cancel_message.get()
    }
    pub fn set_cancel_message(&self, message: Option<&PyObject>) {
        self.cancel_message.set(message.map(PyObject::to_ref));
    }
    pub fn set_cancelled_exception(&self, exception: Ref) {
        self.cancelled_exception.set(Some(exception));
    }
    pub fn forget_traceback(&self) {
        self.log_traceback.set(false);
    }
    /// `Future.__init__`.
    pub fn set_up(&self, event_loop: Option<&PyObject>) -> PyResult<()> {
        let event_loop = match event_loop {
            Some(event_loop) => event_loop.to_ref(),
            None => running::event_loop()?,
        };
        self.clear();
        self.state.set(State::Pending);
        self.blocking.set(false);
        self.log_traceback.set(false);
        self.event_loop.set(Some(event_loop.clone()));
        if event_loop.call_method(identifier!("get_debug"), &[])?.is_true()? {
            self.source_traceback.set(Some(EXTRACT_STACK.get()?.call0()?));
        }
        Ok(())
    }
    pub fn clear(&self) {
        self.event_loop.set(None);
        drop(self.callbacks.take());
        for field in [
            &self.exception,
            &self.exception_traceback,
            &self.result,
            &self.source_traceback,
            &self.cancel_message,
            &self.cancelled_exception,
            &self.awaited_by,
        ] {
            field.set(None);
        }
        self.awaited_by_is_set.set(false);
    }
    pub fn traverse(&self, visitor: &Visitor) -> c_int {
        let fields = [
            &self.event_loop,
            &self.exception,
            &self.exception_traceback,
            &self.result,
            &self.source_traceback,
            &self.cancel_message,
            &self.cancelled_exception,
            &self.awaited_by,
        ];
        for field in fields {
            let status = field.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        let status = visitor.visit(self.dict.get());
        if status != 0 {
            return status;
        }
        let Ok(callbacks) = self.callbacks.try_borrow() else { return 0 };
        for (function, context) in callbacks.iter() {
            for object in [function, context] {
                let status = visitor.visit(object.as_raw());
                if status != 0 {
                    return status;
                }
            }
        }
        0
    }
    /// Has the loop call all callbacks, which are then forgotten.
    fn schedule_callbacks(&self) -> PyResult<()> {
        let event_loop = self.loop_or_raise()?;
        let callbacks = self.callbacks.take();
        for (function, context) in callbacks.iter() {
            call_soon(&event_loop, function, Some(self.as_object()), context)?;
        }
        Ok(())
    }
    /// Adds a callback; if the future is done, the loop calls it soon.
    pub fn add_callback(&self, function: &PyObject, context: &PyObject) -> PyResult<()> {
        let event_loop = self
            .event_loop()
            .ok_or_else(|| raise!(RuntimeError, "uninitialized Future object"))?;
        if self.is_done() {
            return call_soon(&event_loop, function, Some(self.as_object()), context);
        }
        self.callbacks
            .borrow_mut()
            .push((function.to_ref(), context.to_ref()));
        Ok(())
    }
    fn check_pending(&self) -> PyResult<()> {
        if self.is_done() {
            return Err(INVALID_STATE_ERROR.raise("invalid state"));
        }
        Ok(())
    }
    pub fn finish(&self, result: Ref) -> PyResult<()> {
        self.loop_or_raise()?;
        self.check_pending()?;
        self.result.set(Some(result));
        self.state.set(State::Finished);
        self.schedule_callbacks()
    }
    pub fn fail(&self, exception: &PyObject) -> PyResult<()> {
        self.loop_or_raise()?;
        self.check_pending()?;
        let mut exception = if exceptions::is_exception_class(exception) {
            exception.call0()?
        } else {
            exception.to_ref()
        };
        if !exceptions::is_exception_instance(&exception) {
            return Err(raise!(TypeError, "invalid exception object"));
        }
        if exception.is_instance_of(exc::StopIteration) {
            let other = raise!(
                RuntimeError,
                "StopIteration interacts badly with generators and cannot be raised into a Future"
            )
            .take();
            exceptions::set_cause(&other, Some(exception.clone()));
            exceptions::set_context(&other, Some(exception));
            exception = other;
        }
        self.exception_traceback.set(exceptions::get_traceback(&exception));
        self.exception.set(Some(exception));
        self.state.set(State::Finished);
        self.schedule_callbacks()?;
        self.log_traceback.set(true);
        Ok(())
    }
    /// Marks the future cancelled, unless it is done.
    pub fn cancel_with(&self, message: Option<&PyObject>) -> PyResult<bool> {
        self.log_traceback.set(false);
        if self.is_done() {
            return Ok(false);
        }
        self.loop_or_raise()?;
        self.state.set(State::Cancelled);
        self.set_cancel_message(message);
        self.schedule_callbacks()?;
        Ok(true)
    }
    /// The exception that a cancellation is told by.
    pub fn cancelled_error(&self) -> PyResult {
        if let Some(exception) = self.cancelled_exception.take() {
            return Ok(exception);
        }
        let class = CANCELLED_ERROR.get()?;
        match self.cancel_message().filter(|message| !is_none(message)) {
            Some(message) => class.call1(&message),
            None => class.call0(),
        }
    }
    /// What came out; raises when nothing did yet, or when the future was cancelled.
    pub fn outcome(&self) -> PyResult<Outcome> {
        match self.state.get() {
            State::Cancelled => Err(error::raise_exception(self.cancelled_error()?)),
            State::Pending if self.event_loop.borrow().is_none() => {
                Err(INVALID_STATE_ERROR.raise("Future object is not initialized."))
            }
            State::Pending => Err(INVALID_STATE_ERROR.raise("Result is not set.")),
            State::Finished => {
                self.log_traceback.set(false);
                Ok(match self.exception.get() {
                    Some(exception) => {
                        exceptions::set_traceback(&exception, self.exception_traceback.get());
                        Outcome::Exception(exception)
                    }
                    None => Outcome::Value(self.result.get().unwrap_or_else(none_ref)),
                })
            }
        }
    }
    pub fn result_or_raise(&self) -> PyResult {
        match self.outcome()? {
            Outcome::Value(value) => Ok(value),
            Outcome::Exception(exception) => Err(error::raise_exception(exception)),
        }
    }
    pub fn iterate(&self) -> PyResult<Ref<FutureIter>> {
        self.loop_or_raise()?;
        FutureIter::new(self)
    }
    /// What `__del__` does: an exception that nobody asked for is reported.
    pub fn finalize(&self) {
        if !self.log_traceback.replace(false) {
            return;
        }
        let (Some(event_loop), Some(exception)) = (self.event_loop(), self.exception.get()) else { return };
        let message = format!("{} exception was never retrieved", self.as_object().ty().short_name());
        let message = PyUnicodeObject::from_string(message);
        let source = self.source_traceback();
        let mut facts = vec![
            ("message", message.as_object()),
            ("exception", &*exception),
            ("future", self.as_object()),
        ];
        if let Some(source) = &source {
            facts.push(("source_traceback", source));
        }
        report(&event_loop, self.as_object(), &facts);
    }
}

/// The object is dead; its finalizer may bring it back.
///
/// # Safety
/// As `tp_dealloc`, of an object with layout `T`.
pub unsafe fn dealloc<T: TypedObject>(object: *mut PyObject, before: impl FnOnce()) {
    // SAFETY: the caller's contract.
    unsafe {
        if adder_runtime::types::heap::call_finalizer_from_dealloc(object) {
            before();
            adder_runtime::types::dealloc_payload::<T>(object);
        }
    }
}

/// An optional argument that may also be None.
fn context_or_copy(context: Option<&PyObject>) -> PyResult {
    match context {
        Some(context) => Ok(context.to_ref()),
        None => Ok(crate::contextvars::copy_current()?.into_object()),
    }
}

#[pytype(
    name = "_asyncio.Future",
    static_name = FUTURE_TYPE,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(Future, dict) as isize,
    weaklistoffset = offset_of!(Future, weakreflist) as isize,
)]
/// A result that is there later. As concurrent.futures.Future, but not for several threads, and without waiting.
impl Future {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, Future::blank())?.into_object())
    }
    #[init("(*, loop=None)")]
    fn init(&self, r#loop: Option<&PyObject>) -> PyResult<()> {
        self.set_up(r#loop)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { dealloc::<Future>(this.cast(), || ()) }
    }
    #[slot]
    fn tp_finalize(&self) {
        self.finalize();
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.traverse(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.clear();
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.replace(std::ptr::null_mut())) });
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.loop_or_raise()?;
        FUTURE_REPR.get()?.call1(self.as_object())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult<Ref<FutureIter>> {
        self.iterate()
    }
    #[slot]
    fn am_await(&self) -> PyResult<Ref<FutureIter>> {
        self.iterate()
    }
    /// Return the result this future represents, or raise its exception, CancelledError or InvalidStateError.
    #[method("($self, /)")]
    fn result(&self) -> PyResult {
        self.result_or_raise()
    }
    /// Return the exception that was set on this future, or None.
    #[method("($self, /)")]
    fn exception(&self) -> PyResult {
        match self.state.get() {
            State::Cancelled => Err(error::raise_exception(self.cancelled_error()?)),
            State::Pending if self.event_loop.borrow().is_none() => {
                Err(INVALID_STATE_ERROR.raise("Future object is not initialized."))
            }
            State::Pending => Err(INVALID_STATE_ERROR.raise("Exception is not set.")),
            State::Finished => {
                self.log_traceback.set(false);
                Ok(self.exception.get().unwrap_or_else(none_ref))
            }
        }
    }
    /// Mark the future done and set its result.
    #[method("($self, result, /)")]
    fn set_result(&self, result: &PyObject) -> PyResult<()> {
        self.finish(result.to_ref())
    }
    /// Mark the future done and set an exception.
    #[method("($self, exception, /)")]
    fn set_exception(&self, exception: &PyObject) -> PyResult<()> {
        self.fail(exception)
    }
    /// Add a callback to be run when the future becomes done.
    #[method("($self, fn, /, *, context=<unrepresentable>)")]
    fn add_done_callback(&self, r#fn: &PyObject, context: Option<&PyObject>) -> PyResult<()> {
        self.add_callback(r#fn, &*context_or_copy(context)?)
    }
    /// Remove all instances of a callback from the "call when done" list; return how many there were.
    #[method("($self, fn, /)")]
    fn remove_done_callback(&self, r#fn: &PyObject) -> PyResult<usize> {
        self.loop_or_raise()?;
        let all: Vec<Callback> = self.callbacks.borrow().iter().cloned().collect();
        let mut removed = Vec::new();
        for callback in all {
            // This may run code that changes the callbacks.
            if callback.0.eq(r#fn)? {
                removed.push(callback);
            }
        }
        let is_removed = |callback: &Callback| {
            let is_same = |other: &Callback| other.0.is(&callback.0) && other.1.is(&callback.1);
            removed.iter().any(is_same)
        };
        let (mut gone, mut kept) = (Vec::new(), Callbacks::default());
        let old = self.callbacks.take();
        for callback in old.first.into_iter().chain(old.more) {
            if is_removed(&callback) {
                gone.push(callback);
            } else {
                kept.push(callback);
            }
        }
        self.callbacks.replace(kept);
        Ok(gone.len())
    }
    /// Cancel the future and schedule callbacks; return False if it is done already.
    #[method("($self, /, msg=None)")]
    fn cancel(&self, msg: Option<&PyObject>) -> PyResult<bool> {
        self.loop_or_raise()?;
        self.cancel_with(msg)
    }
    /// Return True if the future was cancelled.
    #[method("($self, /)")]
    fn cancelled(&self) -> bool {
        self.state.get() == State::Cancelled
    }
    /// Return True if the future is done: there is a result or an exception, or it was cancelled.
    #[method("($self, /)")]
    fn done(&self) -> bool {
        self.is_done()
    }
    /// Return the event loop the Future is bound to.
    #[method("($self, /)")]
    fn get_loop(&self) -> PyResult {
        self.loop_or_raise()
    }
    /// Create the CancelledError to raise if the Future is cancelled.
    #[method("($self, /)")]
    fn _make_cancelled_error(&self) -> PyResult {
        self.cancelled_error()
    }
    /// Futures are generic over the type of their results.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    #[getter(name = "_state")]
    fn get_state(&self) -> PyResult<&'static str> {
        self.loop_or_raise()?;
        Ok(match self.state.get() {
            State::Pending => "PENDING",
            State::Cancelled => "CANCELLED",
            State::Finished => "FINISHED",
        })
    }
    #[getter(name = "_asyncio_future_blocking")]
    fn get_blocking(&self) -> bool {
        self.event_loop.is_some() && self.blocking.get()
    }
    #[setter(name = "_asyncio_future_blocking")]
    fn set_blocking(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.loop_or_raise()?;
        let Some(value) = value else {
            return Err(raise!(AttributeError, "cannot delete attribute"));
        };
        self.blocking.set(value.is_true()?);
        Ok(())
    }
    #[getter(name = "_loop")]
    fn get_event_loop(&self) -> Option<Ref> {
        self.event_loop()
    }
    #[getter(name = "_callbacks")]
    fn get_callbacks(&self) -> PyResult {
        self.loop_or_raise()?;
        let all: Vec<Callback> = self.callbacks.borrow().iter().cloned().collect();
        if all.is_empty() {
            return Ok(none_ref());
        }
        let pair = |(function, context)| PyTupleObject::from_vec(vec![function, context]).into_object();
        Ok(PyListObject::from_vec(all.into_iter().map(pair).collect()).into_object())
    }
    #[getter(name = "_result")]
    fn get_result(&self) -> PyResult<Option<Ref>> {
        self.loop_or_raise()?;
        Ok(self.result.get())
    }
    #[getter(name = "_exception")]
    fn get_exception(&self) -> PyResult<Option<Ref>> {
        self.loop_or_raise()?;
        Ok(self.exception.get())
    }
    #[getter(name = "_log_traceback")]
    fn get_log_traceback(&self) -> PyResult<bool> {
        self.loop_or_raise()?;
        Ok(self.log_traceback.get())
    }
    #[setter(name = "_log_traceback")]
    fn set_log_traceback(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(AttributeError, "cannot delete attribute"));
        };
        if value.is_true()? {
            return Err(raise!(ValueError, "_log_traceback can only be set to False"));
        }
        self.log_traceback.set(false);
        Ok(())
    }
    #[getter(name = "_source_traceback")]
    fn get_source_traceback(&self) -> PyResult<Option<Ref>> {
        self.loop_or_raise()?;
        Ok(self.source_traceback())
    }
    #[getter(name = "_cancel_message")]
    fn get_cancel_message(&self) -> Option<Ref> {
        self.cancel_message()
    }
    #[setter(name = "_cancel_message")]
    fn put_cancel_message(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(AttributeError, "cannot delete attribute"));
        };
        self.set_cancel_message(Some(value));
        Ok(())
    }
    #[getter(name = "_asyncio_awaited_by")]
    fn get_awaited_by(&self) -> PyResult<Option<Ref>> {
        let Some(awaiting) = self.awaited_by.get() else { return Ok(None) };
        let found = PySetObject::new_frozenset();
        if self.awaited_by_is_set.get() {
            let iterator = awaiting.iter()?;
            while let Some(one) = iterator.next()? {
                found.add(&one)?;
            }
        } else {
            found.add(&awaiting)?;
        }
        Ok(Some(found.into_object()))
    }
}

/// Notes that `future` is awaited by `waiter`. Only native futures and tasks know of this.
pub fn add_awaited_by(future: &PyObject, waiter: &PyObject) -> PyResult<()> {
    let (Some(future), Some(_)) = (as_future(future), as_future(waiter)) else { return Ok(()) };
    match future.awaited_by.get() {
        None => future.awaited_by.set(Some(waiter.to_ref())),
        Some(set) if future.awaited_by_is_set.get() => drop(set.call_method(identifier!("add"), &[waiter])?),
        Some(other) if other.is(waiter) => {}
        Some(other) => {
            let set = PySetObject::new_set();
            set.add(&other)?;
            set.add(waiter)?;
            future.awaited_by.set(Some(set.into_object()));
            future.awaited_by_is_set.set(true);
        }
    }
    Ok(())
}

pub fn discard_awaited_by(future: &PyObject, waiter: &PyObject) -> PyResult<()> {
    let (Some(future), Some(_)) = (as_future(future), as_future(waiter)) else { return Ok(()) };
    match future.awaited_by.get() {
        None => {}
        Some(set) if future.awaited_by_is_set.get() => drop(set.call_method(identifier!("discard"), &[waiter])?),
        Some(other) if other.is(waiter) => future.awaited_by.set(None),
        Some(_) => {}
    }
    Ok(())
}
