//! Asynchronous generators: `__anext__`, `asend`, `athrow`, `aclose` as awaitables that step the generator's frame.
//!
//! A value that the generator yields to `async for` comes wrapped (`AsyncGenWrappedValue`); a bare value is what an `await`
//! inside it yields to the event loop.

use crate::genobject::{self, Sent, generator_struct, step, throw, thrown_exception};
use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::memory;
use adder_runtime::prelude::*;
use adder_runtime::thread::thread_state;
use std::cell::Cell;
use std::mem::offset_of;

generator_struct!(AsyncGenerator);

/// Where an awaitable stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Init,
    Iter,
    Closed,
}

/// A value yielded to the consumer of the generator.
#[repr(C)]
pub struct WrappedValue {
    ob_base: PyObject,
    value: Option<Ref>,
}

#[pytype(name = "async_generator_wrapped_value", static_name = _PyAsyncGenWrappedValue_Type, flags = HAVE_GC)]
impl WrappedValue {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit_ref(&self.value)
    }
}

/// ASYNC_GEN_WRAP.
pub fn wrap_value(value: &PyObject) -> PyResult {
    Ok(Ref::new(WrappedValue {
        ob_base: memory::blank_header(),
        value: Some(value.to_ref()),
    })?
    .into_object())
}

/// What a step of the generator means to the awaitable: a wrapped value ends the await with StopIteration(value).
fn unwrap(generator: &PyGenObject, sent: PyResult<Sent>) -> PyResult {
    let value = match sent {
        Ok(Sent::Yield(value)) => value,
        Ok(Sent::Return(_)) => {
            generator.gi_closed.set(1);
            generator.gi_running_async.set(0);
            return Err(raise!(StopAsyncIteration));
        }
        Err(raised) => {
            if raised.matches(exc::StopAsyncIteration) || raised.matches(exc::GeneratorExit) {
                generator.gi_closed.set(1);
            }
            generator.gi_running_async.set(0);
            return Err(raised);
        }
    };
    match value.downcast::<WrappedValue>() {
        Ok(wrapped) => {
            generator.gi_running_async.set(0);
            let value = wrapped.value.clone().unwrap_or_else(none_ref);
            Err(genobject::raise_stop_iteration(&value))
        }
        Err(value) => Ok(value),
    }
}

/// The event loop's hooks, on the first use.
fn init_hooks(generator: &PyGenObject) -> PyResult<()> {
    if generator.gi_hooks_inited.get() != 0 {
        return Ok(());
    }
    generator.gi_hooks_inited.set(1);
    let ts = thread_state();
    // SAFETY: owned fields of the thread state, or null.
    unsafe {
        if let Some(finalizer) = Ref::from_borrowed_opt(ts.base.async_gen_finalizer.get()) {
            generator.gi_origin_or_finalizer.set(finalizer.into_raw());
        }
        if let Some(first) = Ref::from_borrowed_opt(ts.base.async_gen_firstiter.get()) {
            first.call1(genobject::as_object(generator))?;
        }
    }
    Ok(())
}

fn reference(generator: &PyGenObject) -> Ref<PyGenObject> {
    // SAFETY: a live object of this layout.
    unsafe { genobject::as_object(generator).to_ref().cast() }
}

fn new_asend(generator: &PyGenObject, value: Option<&PyObject>) -> PyResult {
    init_hooks(generator)?;
    let asend = Ref::new(ASend {
        ob_base: memory::blank_header(),
        generator: reference(generator),
        value: value.map(PyObject::to_ref),
        state: Cell::new(State::Init),
        weakrefs: Cell::new(std::ptr::null_mut()),
    })?;
    Ok(asend.into_object())
}

fn new_athrow(generator: &PyGenObject, args: Option<(Ref, Option<Ref>, Option<Ref>)>) -> PyResult {
    init_hooks(generator)?;
    let athrow = Ref::new(AThrow {
        ob_base: memory::blank_header(),
        generator: reference(generator),
        args,
        state: Cell::new(State::Init),
    })?;
    Ok(athrow.into_object())
}

#[pytype(
    name = "async_generator",
    static_name = PyAsyncGen_Type,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(PyGenObject, gi_weakreflist),
)]
impl AsyncGenerator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut AsyncGenerator) {
        // SAFETY: the slot's contract.
        unsafe { genobject::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        genobject::traverse(self, visitor)
    }
    #[slot]
    fn tp_finalize(&self) {
        genobject::finalize(self);
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        genobject::repr(self, "async_generator")
    }
    #[slot]
    fn am_aiter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn am_anext(&self) -> PyResult {
        new_asend(self, None)
    }
    #[slot]
    fn am_send(&self, value: &PyObject) -> PyResult<adder_runtime::args::SendResult> {
        genobject::send_result(self, value)
    }
    /// An awaitable that sends a value into the generator and gives what it yields.
    #[method("($self, value, /)")]
    fn asend(&self, value: &PyObject) -> PyResult {
        new_asend(self, Some(value))
    }
    /// An awaitable that raises an exception in the generator.
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn athrow(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        genobject::warn_old_throw(val, tb, "a")?;
        new_athrow(
            self,
            Some((typ.to_ref(), val.map(PyObject::to_ref), tb.map(PyObject::to_ref))),
        )
    }
    /// An awaitable that raises GeneratorExit in the generator.
    #[method]
    fn aclose(&self) -> PyResult {
        new_athrow(self, None)
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter]
    fn ag_frame(&self) -> PyResult {
        genobject::frame_attribute(self)
    }
    #[getter]
    fn ag_code(&self) -> Ref {
        genobject::code_attribute(self)
    }
    #[getter]
    fn ag_running(&self) -> bool {
        self.gi_running_async.get() != 0
    }
    #[getter]
    fn ag_suspended(&self) -> bool {
        genobject::is_suspended(self)
    }
    /// object being awaited on, or None
    #[getter]
    fn ag_await(&self) -> Option<Ref> {
        genobject::yield_from(self)
    }
    /// name of the async generator
    #[getter(name = "__name__")]
    fn get_name(&self) -> Ref {
        genobject::name_of(self)
    }
    #[setter(name = "__name__")]
    fn put_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        genobject::put_name_of(self, value)
    }
    /// qualified name of the async generator
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> Ref {
        genobject::qualname_of(self)
    }
    #[setter(name = "__qualname__")]
    fn put_qualname(&self, value: Option<&PyObject>) -> PyResult<()> {
        genobject::put_qualname_of(self, value)
    }
}

/// The awaitable of `__anext__` and `asend`.
#[repr(C)]
pub struct ASend {
    ob_base: PyObject,
    generator: Ref<PyGenObject>,
    value: Option<Ref>,
    state: Cell<State>,
    weakrefs: Cell<*mut PyObject>,
}

impl ASend {
    fn begin(&self) -> PyResult<()> {
        if self.state.get() == State::Init {
            if self.generator.gi_running_async.get() != 0 {
                self.state.set(State::Closed);
                return Err(raise!(
                    RuntimeError,
                    "anext(): asynchronous generator is already running"
                ));
            }
            self.state.set(State::Iter);
        }
        self.generator.gi_running_async.set(1);
        Ok(())
    }

    fn advance(&self, arg: &PyObject) -> PyResult {
        if self.state.get() == State::Closed {
            return Err(raise!(
                RuntimeError,
                "cannot reuse already awaited __anext__()/asend()"
            ));
        }
        let first = self.state.get() == State::Init;
        self.begin()?;
        let value = match &self.value {
            Some(value) if first && is_none(arg) => &**value,
            _ => arg,
        };
        let result = unwrap(&self.generator, step(&self.generator, Some(value), false));
        if result.is_err() {
            self.state.set(State::Closed);
        }
        result
    }
}

#[pytype(
    name = "async_generator_asend",
    static_name = _PyAsyncGenASend_Type,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(ASend, weakrefs),
)]
impl ASend {
    #[slot]
    unsafe fn tp_dealloc(this: *mut ASend) {
        // SAFETY: called once; the fields are dropped with the payload.
        unsafe {
            if !adder_runtime::types::heap::call_finalizer_from_dealloc(this.cast()) {
                return;
            }
            if !(*this).weakrefs.get().is_null() {
                adder_runtime::objects::weakrefobject::clear_weakrefs(&*this.cast::<PyObject>());
            }
            adder_runtime::types::dealloc_payload::<ASend>(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.generator.as_raw()) {
            0 => visitor.visit_ref(&self.value),
            status => status,
        }
    }
    #[slot]
    fn tp_finalize(this: &PyObject) {
        // SAFETY: the slot's type.
        let asend = unsafe { this.cast_unchecked::<ASend>() };
        if asend.state.get() == State::Init {
            crate::warnings::warn_unawaited_agen_method(&asend.generator, "asend");
        }
    }
    #[slot]
    fn am_await(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.advance(none()).map(Some)
    }
    /// Steps the generator.
    #[method("($self, arg, /)")]
    fn send(&self, arg: &PyObject) -> PyResult {
        self.advance(arg)
    }
    /// Raises an exception in the generator.
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        if self.state.get() == State::Closed {
            return Err(raise!(
                RuntimeError,
                "cannot reuse already awaited __anext__()/asend()"
            ));
        }
        self.begin()?;
        let exception = thrown_exception(typ, val, tb)?;
        let result = unwrap(&self.generator, throw(&self.generator, exception, false));
        if result.is_err() {
            self.state.set(State::Closed);
        }
        result
    }
    /// Closes the awaitable.
    #[method]
    fn close(&self) -> PyResult<()> {
        if self.state.get() == State::Closed {
            return Ok(());
        }
        match self.throw(exc::GeneratorExit.as_object(), None, None) {
            Ok(_) => Err(raise!(RuntimeError, "coroutine ignored GeneratorExit")),
            Err(raised) => finish_close(raised),
        }
    }
}

fn finish_close(raised: Raised) -> PyResult<()> {
    if raised.matches(exc::StopIteration)
        || raised.matches(exc::StopAsyncIteration)
        || raised.matches(exc::GeneratorExit)
    {
        raised.clear();
        return Ok(());
    }
    Err(raised)
}

/// The awaitable of `athrow` and (without arguments) `aclose`.
#[repr(C)]
pub struct AThrow {
    ob_base: PyObject,
    generator: Ref<PyGenObject>,
    args: Option<(Ref, Option<Ref>, Option<Ref>)>,
    state: Cell<State>,
}

const REUSED: &str = "cannot reuse already awaited aclose()/athrow()";
const IGNORED: &str = "async generator ignored GeneratorExit";

impl AThrow {
    fn begin(&self) -> PyResult<()> {
        if self.generator.gi_running_async.get() != 0 {
            self.state.set(State::Closed);
            let what = if self.args.is_none() { "aclose" } else { "athrow" };
            return Err(raise!(
                RuntimeError,
                "{what}(): asynchronous generator is already running"
            ));
        }
        self.state.set(State::Iter);
        self.generator.gi_running_async.set(1);
        Ok(())
    }

    fn advance(&self, arg: &PyObject) -> PyResult {
        let generator = &*self.generator;
        match self.state.get() {
            State::Closed => Err(raise!(RuntimeError, "{REUSED}")),
            State::Init => {
                if generator.gi_frame_state.get() > FRAME_EXECUTING {
                    self.state.set(State::Closed);
                    return Err(raise!(StopIteration));
                }
                if generator.gi_closed.get() != 0 {
                    self.state.set(State::Closed);
                    return Err(raise!(StopAsyncIteration));
                }
                if !is_none(arg) {
                    return Err(raise!(
                        RuntimeError,
                        "can't send non-None value to a just-started coroutine"
                    ));
                }
                self.begin()?;
                let sent = match &self.args {
                    None => {
                        generator.gi_closed.set(1);
                        throw(generator, exc::GeneratorExit.as_object().call0()?, false)
                    }
                    Some((ty, value, traceback)) => {
                        let exception = thrown_exception(ty, value.as_deref(), traceback.as_deref())?;
                        throw(generator, exception, false)
                    }
                };
                self.judge(sent)
            }
            State::Iter => self.judge(step(generator, Some(arg), false)),
        }
    }

    /// What a step means: for `aclose` a yielded value is an error, the end is success.
    fn judge(&self, sent: PyResult<Sent>) -> PyResult {
        let generator = &*self.generator;
        if self.args.is_some() {
            let result = unwrap(generator, sent);
            if result.is_err() {
                self.state.set(State::Closed);
            }
            return result;
        }
        match sent {
            Ok(Sent::Yield(value)) if value.downcast_exact::<WrappedValue>().is_some() => {
                generator.gi_running_async.set(0);
                self.state.set(State::Closed);
                Err(raise!(RuntimeError, "{IGNORED}"))
            }
            Ok(Sent::Yield(value)) => Ok(value),
            Ok(Sent::Return(_)) => {
                generator.gi_running_async.set(0);
                self.state.set(State::Closed);
                Err(raise!(StopIteration))
            }
            Err(raised) => {
                generator.gi_running_async.set(0);
                self.state.set(State::Closed);
                if raised.matches(exc::StopAsyncIteration) || raised.matches(exc::GeneratorExit) {
                    raised.clear();
                    return Err(raise!(StopIteration));
                }
                Err(raised)
            }
        }
    }
}

#[pytype(name = "async_generator_athrow", static_name = _PyAsyncGenAThrow_Type, flags = HAVE_GC)]
impl AThrow {
    #[slot]
    unsafe fn tp_dealloc(this: *mut AThrow) {
        // SAFETY: called once; the fields are dropped with the payload.
        unsafe {
            if adder_runtime::types::heap::call_finalizer_from_dealloc(this.cast()) {
                adder_runtime::types::dealloc_payload::<AThrow>(this.cast());
            }
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let mut status = visitor.visit(self.generator.as_raw());
        if let Some((ty, value, traceback)) = &self.args
            && status == 0
        {
            status = visitor.visit(ty.as_raw());
            for part in [value, traceback] {
                if status == 0 {
                    status = visitor.visit_ref(part);
                }
            }
        }
        status
    }
    #[slot]
    fn tp_finalize(this: &PyObject) {
        // SAFETY: the slot's type.
        let athrow = unsafe { this.cast_unchecked::<AThrow>() };
        if athrow.state.get() == State::Init {
            let what = if athrow.args.is_none() { "aclose" } else { "athrow" };
            crate::warnings::warn_unawaited_agen_method(&athrow.generator, what);
        }
    }
    #[slot]
    fn am_await(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.advance(none()).map(Some)
    }
    /// Steps the generator.
    #[method("($self, arg, /)")]
    fn send(&self, arg: &PyObject) -> PyResult {
        self.advance(arg)
    }
    /// Raises an exception in the generator.
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        match self.state.get() {
            State::Closed => return Err(raise!(RuntimeError, "{REUSED}")),
            State::Init => self.begin()?,
            State::Iter => {}
        }
        let exception = thrown_exception(typ, val, tb)?;
        self.judge(throw(&self.generator, exception, false))
    }
    /// Closes the awaitable.
    #[method]
    fn close(&self) -> PyResult<()> {
        if self.state.get() == State::Closed {
            return Ok(());
        }
        match self.throw(exc::GeneratorExit.as_object(), None, None) {
            Ok(_) => Err(raise!(RuntimeError, "coroutine ignored GeneratorExit")),
            Err(raised) => finish_close(raised),
        }
    }
}

/// The awaitable of the builtin `anext` with a default.
#[repr(C)]
pub struct ANextAwaitable {
    ob_base: PyObject,
    wrapped: Ref,
    default: Ref,
}

pub fn new_anext_awaitable(wrapped: Ref, default: &PyObject) -> PyResult {
    let awaitable = Ref::new(ANextAwaitable {
        ob_base: memory::blank_header(),
        wrapped,
        default: default.to_ref(),
    })?;
    Ok(awaitable.into_object())
}

impl ANextAwaitable {
    /// The iterator that the awaited object's `__await__` gives.
    fn iterator(&self) -> PyResult {
        let iterator = genobject::awaitable_iter(&self.wrapped)?;
        if iterator.is_iterator() {
            return Ok(iterator);
        }
        match iterator.ty().async_slot(|slots| slots.am_await.get()) {
            // SAFETY: a slot of the iterator's type.
            Some(am_await) => unsafe {
                adder_runtime::protocol::from_slot(am_await(iterator.as_raw()), "__await__")
            },
            None => Err(raise!(TypeError, "__await__() must return an iterator")),
        }
    }
    /// StopAsyncIteration becomes the default.
    fn judge(&self, result: PyResult) -> PyResult {
        match result {
            Err(raised) if raised.matches(exc::StopAsyncIteration) => {
                raised.clear();
                Err(genobject::raise_stop_iteration(&self.default))
            }
            other => other,
        }
    }
}

#[pytype(name = "anext_awaitable", static_name = _PyAnextAwaitable_Type, flags = HAVE_GC)]
impl ANextAwaitable {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.wrapped.as_raw()) {
            0 => visitor.visit(self.default.as_raw()),
            status => status,
        }
    }
    #[slot]
    fn am_await(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iter(this: &PyObject) -> Ref {
        this.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let iterator = self.iterator()?;
        let Some(slot) = iterator.ty().tp_iternext.get() else {
            return Err(raise!(
                TypeError,
                "'{}' object is not an iterator",
                iterator.ty().name()
            ));
        };
        // SAFETY: a slot of the iterator's type. The value of StopIteration is the result of the await.
        let result = match unsafe { Ref::from_owned_opt(slot(iterator.as_raw())) } {
            Some(value) => return Ok(Some(value)),
            None if adder_runtime::error::occurred() => Err(Raised::assume()),
            None => Err(raise!(StopIteration)),
        };
        self.judge(result).map(Some)
    }
    /// Steps the awaitable.
    #[method("($self, arg, /)")]
    fn send(&self, arg: &PyObject) -> PyResult {
        let iterator = self.iterator()?;
        self.judge(iterator.call_method(identifier!("send"), &[arg]))
    }
    /// Raises an exception in the awaitable.
    #[method("($self, *args)")]
    fn throw(&self, args: &[&PyObject]) -> PyResult {
        let iterator = self.iterator()?;
        self.judge(iterator.call_method(identifier!("throw"), args))
    }
    /// Closes the awaitable.
    #[method]
    fn close(&self) -> PyResult {
        let iterator = self.iterator()?;
        self.judge(iterator.call_method(identifier!("close"), &[]))
    }
}
