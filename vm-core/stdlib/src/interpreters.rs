//! `_interpreters`: making, running and ending interpreters beside the main one (PEP 734).
//!
//! Comes in: ids of interpreters, scripts, callables. Goes out: what `crossinterp` brings back. An interpreter that was made here
//! with counted uses ends with the last of them.

use crate::crossinterp::config::Config;
use crate::crossinterp::excinfo::Captured;
use crate::crossinterp::{
    Fallback, Item, code, id_of, is_shareable as can_be_shared, session, share, share_callable,
};
use crate::util::ExceptionClass;
use adder_interp::interpreters;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::memoryobject::view::{OwnedBuffer, copy_fields};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, InterpreterState, whence as origin};
use std::cell::Cell;
use std::sync::atomic::Ordering;

pub static INTERPRETER_ERROR: ExceptionClass =
    ExceptionClass::new("concurrent.interpreters.InterpreterError", || exc::Exception);
pub static INTERPRETER_NOT_FOUND: ExceptionClass =
    ExceptionClass::new("concurrent.interpreters.InterpreterNotFoundError", || {
        INTERPRETER_ERROR.ty().unwrap_or(exc::Exception)
    });
pub static NOT_SHAREABLE: ExceptionClass =
    ExceptionClass::new("concurrent.interpreters.NotShareableError", || exc::TypeError);

/// The living interpreter of an id; InterpreterNotFoundError.
pub fn interpreter_of(id: &PyObject) -> PyResult<&'static InterpreterState> {
    let id = id_of("interpreter", id)?;
    interpreters::find(id)
        .ok_or_else(|| INTERPRETER_NOT_FOUND.raise(format!("unrecognized interpreter ID {id}")))
}

/// As `interpreter_of`, of one that is ready, and when `restrict` of one that was made by this module.
fn resolve(
    id: &PyObject,
    restrict: bool,
    ready: bool,
    operation: &str,
) -> PyResult<&'static InterpreterState> {
    let interpreter = interpreter_of(id)?;
    let id = interpreter.id;
    if ready && !interpreter.is_ready.load(Ordering::Relaxed) {
        return Err(INTERPRETER_ERROR.raise(format!("cannot {operation} interpreter {id} (not ready)")));
    }
    if restrict && interpreter.whence.load(Ordering::Relaxed) != origin::STDLIB {
        return Err(INTERPRETER_ERROR.raise(format!("cannot {operation} unrecognized interpreter {id}")));
    }
    Ok(interpreter)
}

/// `(id, whence)`.
fn summary(interpreter: &InterpreterState) -> Ref {
    let numbers = [interpreter.id, interpreter.whence.load(Ordering::Relaxed)];
    let numbers = numbers.map(|number| PyLongObject::from_i64(number).into_object());
    PyTupleObject::from_vec(numbers.into()).into_object()
}

fn runs_main(interpreter: &InterpreterState) -> bool {
    interpreter.is_main() || !interpreter.running_main.load(Ordering::Relaxed).is_null()
}

/// Ends an interpreter that runs nothing; InterpreterError for another.
pub fn end(interpreter: &'static InterpreterState) -> PyResult<()> {
    if std::ptr::eq(interpreter, thread::interpreter()) {
        return Err(INTERPRETER_ERROR.raise("cannot destroy the current interpreter"));
    }
    if runs_main(interpreter) {
        return Err(INTERPRETER_ERROR.raise("interpreter running"));
    }
    interpreters::destroy(interpreter);
    Ok(())
}

/// Counts a use of an interpreter.
pub fn add_use(interpreter: &InterpreterState, implies_link: bool) {
    if implies_link {
        interpreter.ends_unused.store(true, Ordering::Relaxed);
    }
    interpreter.n_uses.fetch_add(1, Ordering::Relaxed);
}

/// Undoes `add_use`; an interpreter that is for its users only ends with the last of them.
pub fn drop_use(interpreter: &'static InterpreterState) {
    let before = interpreter.n_uses.fetch_sub(1, Ordering::Relaxed);
    let is_unused = before <= 1 && interpreter.ends_unused.load(Ordering::Relaxed);
    if is_unused && !std::ptr::eq(interpreter, thread::interpreter()) && !runs_main(interpreter) {
        interpreters::destroy(interpreter);
    }
}

/// The namespace that tells of an exception, or None.
fn told(captured: Option<Captured>) -> PyResult {
    captured.map_or_else(|| Ok(none_ref()), |captured| captured.to_namespace())
}

/// An argument that is to be of a type when it is given; `place` says which of which function.
fn typed<'a, T: TypedObject>(
    value: Option<&'a PyObject>,
    place: &str,
    name: &str,
) -> PyResult<Option<&'a T>> {
    let Some(value) = value else { return Ok(None) };
    match value.downcast::<T>() {
        Some(value) => Ok(Some(value)),
        None if is_none(value) => Err(raise!(
            TypeError,
            "_interpreters.{place} must be {name}, not None"
        )),
        None => Err(raise!(
            TypeError,
            "_interpreters.{place} must be {name}, not {}",
            value.ty().name()
        )),
    }
}

fn run_code(interpreter: &'static InterpreterState, code: &Item, shared: Option<&PyDictObject>) -> PyResult {
    let names = shared
        .map(session::share_namespace)
        .transpose()?
        .unwrap_or_default();
    told(session::run(interpreter, &names, Some(code))?)
}

/// The bytes of another interpreter's object, as an exporter of buffers.
#[repr(C)]
pub struct BufferView {
    ob_base: PyObject,
    buffer: OwnedBuffer,
}

/// An exporter of the memory of an object, for other interpreters.
pub fn buffer_view(object: &PyObject) -> PyResult {
    let buffer = OwnedBuffer::get(object, PyBUF_FULL_RO)?;
    let view = Ref::new(BufferView {
        ob_base: adder_runtime::memory::blank_header(),
        buffer,
    })?;
    Ok(view.into_object())
}

#[pytype(
    name = "_interpreters.CrossInterpreterBufferView",
    static_name = XIBUFFERVIEW_TYPE,
    flags = BASETYPE | DISALLOW_INSTANTIATION,
)]
impl BufferView {
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, _flags: c_int) -> PyResult<()> {
        // SAFETY: the caller gives a place for a view, which owns its exporter.
        unsafe {
            (*view).obj.set(std::ptr::null_mut());
            copy_fields(&*view, &self.buffer.0);
            (*view).obj.set(self.as_object().to_ref().into_raw());
            (*view).internal.set(std::ptr::null_mut());
        }
        Ok(())
    }
}

/// An exception type as C reads it: NULL until `_interpreters` was imported.
#[repr(transparent)]
pub struct ExceptionSlot(Cell<*mut PyObject>);
// SAFETY: written under the GIL.
unsafe impl Sync for ExceptionSlot {}
impl ExceptionSlot {
    fn set(&self, class: &PyObject) {
        let old = self.0.replace(class.to_ref().into_raw());
        // SAFETY: the slot owned its type.
        drop(unsafe { Ref::from_owned_opt(old) });
    }
}
#[unsafe(no_mangle)]
pub static PyExc_InterpreterError: ExceptionSlot = ExceptionSlot(Cell::new(std::ptr::null_mut()));
#[unsafe(no_mangle)]
pub static PyExc_InterpreterNotFoundError: ExceptionSlot = ExceptionSlot(Cell::new(std::ptr::null_mut()));

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpreters", types = [XIBUFFERVIEW_TYPE])]
pub mod _interpreters {
    use super::*;

    #[pyconst]
    const WHENCE_UNKNOWN: i64 = origin::UNKNOWN;
    #[pyconst]
    const WHENCE_RUNTIME: i64 = origin::RUNTIME;
    #[pyconst]
    const WHENCE_LEGACY_CAPI: i64 = origin::LEGACY_CAPI;
    #[pyconst]
    const WHENCE_CAPI: i64 = origin::CAPI;
    #[pyconst]
    const WHENCE_XI: i64 = origin::XI;
    #[pyconst]
    const WHENCE_STDLIB: i64 = origin::STDLIB;

    #[pyexec]
    fn exec_module(module: &PyModuleObject) -> PyResult<()> {
        let error = INTERPRETER_ERROR.get()?;
        let not_found = INTERPRETER_NOT_FOUND.get()?;
        for (class, doc) in [
            (&error, "A cross-interpreter operation failed"),
            (&not_found, "An interpreter was not found"),
        ] {
            class.set_attr(identifier!("__doc__"), PyUnicodeObject::from_str(doc).as_object())?;
        }
        if thread::interpreter().is_main() {
            PyExc_InterpreterError.set(&error);
            PyExc_InterpreterNotFoundError.set(&not_found);
        }
        module.add("InterpreterError", error)?;
        module.add("InterpreterNotFoundError", not_found)?;
        module.add("NotShareableError", NOT_SHAREABLE.get()?)
    }

    /// new_config(name='isolated', /, **overrides) -> types.SimpleNamespace
    ///
    /// What an interpreter of a named configuration would be like.
    #[pyfunction("($module, name='isolated', /, **overrides)")]
    fn new_config(name: Option<&str>, overrides: Option<&PyDictObject>) -> PyResult {
        let mut config = Config::named(name.unwrap_or(""))?;
        if let Some(overrides) = overrides {
            config.update(overrides, false)?;
        }
        config.to_namespace()
    }
    /// create([config], *, reqrefs=False) -> ID
    ///
    /// Makes an interpreter; with `reqrefs` it ends with the last use that is counted.
    #[pyfunction("($module, config='isolated', /, *, reqrefs=False)")]
    fn create(config: Option<&PyObject>, reqrefs: bool) -> PyResult<i64> {
        let config = Config::of(config)?;
        let made = interpreters::make(config.features(), origin::STDLIB);
        let interpreter = made.map_err(|why| {
            failed_to_make(INTERPRETER_ERROR.raise(format!("sub-interpreter creation failed: {why}")))
        })?;
        interpreter.ends_unused.store(reqrefs, Ordering::Relaxed);
        Ok(interpreter.id)
    }
    fn failed_to_make(raised: Raised) -> Raised {
        let reason = raised.take();
        let exception = INTERPRETER_ERROR.raise("interpreter creation failed").take();
        adder_interp::errors::set_context(&exception, Some(reason));
        adder_runtime::error::restore(exception)
    }
    /// destroy(id, *, restrict=False)
    ///
    /// Ends an interpreter, which must be neither the current one nor running.
    #[pyfunction("($module, /, id, *, restrict=False)")]
    fn destroy(id: &PyObject, restrict: bool) -> PyResult<()> {
        super::end(resolve(id, restrict, false, "destroy")?)
    }
    /// list_all() -> [(ID, whence)]
    ///
    /// All interpreters, oldest first.
    #[pyfunction("($module, /, *, require_ready=False)")]
    fn list_all(require_ready: bool) -> Ref {
        let mut all = interpreters::others();
        all.push(&INTERPRETER);
        all.reverse();
        all.retain(|interpreter| !require_ready || interpreter.is_ready.load(Ordering::Relaxed));
        PyListObject::from_vec(all.into_iter().map(summary).collect()).into_object()
    }
    /// get_current() -> (ID, whence)
    #[pyfunction("($module, /)")]
    fn get_current() -> Ref {
        summary(thread::interpreter())
    }
    /// get_main() -> (ID, whence)
    #[pyfunction("($module, /)")]
    fn get_main() -> Ref {
        summary(&INTERPRETER)
    }
    /// set___main___attrs(id, ns, *, restrict=False)
    ///
    /// Binds names in an interpreter's `__main__`.
    #[pyfunction("($module, /, id, updates, *, restrict=False)")]
    fn set___main___attrs(id: &PyObject, updates: &PyObject, restrict: bool) -> PyResult<()> {
        let updates = typed::<PyDictObject>(Some(updates), "set___main___attrs() argument 2", "dict")?;
        let interpreter = resolve(id, restrict, true, "update __main__ for")?;
        let Some(updates) = updates else { return Ok(()) };
        if updates.len() == 0 {
            return Err(raise!(ValueError, "arg 2 must be a non-empty dict"));
        }
        let names = session::share_namespace(updates)?;
        match session::run(interpreter, &names, None)? {
            None => Ok(()),
            Some(captured) => Err(INTERPRETER_ERROR.raise(captured.formatted())),
        }
    }
    /// call(id, callable, args=None, kwargs=None, *, restrict=False)
    ///
    /// Calls an object in an interpreter: (result, None), or (None, what tells of the exception).
    #[pyfunction(
        "($module, /, id, callable, args=<unrepresentable>, kwargs=<unrepresentable>, *, preserve_exc=False, restrict=False)"
    )]
    fn call(
        id: &PyObject,
        callable: &PyObject,
        args: Option<&PyObject>,
        kwargs: Option<&PyObject>,
        preserve_exc: bool,
        restrict: bool,
    ) -> PyResult {
        let _ = preserve_exc;
        let args = typed::<PyTupleObject>(args, "call() argument 3", "tuple")?;
        let kwargs = typed::<PyDictObject>(kwargs, "call() argument 4", "dict")?;
        let interpreter = resolve(id, restrict, true, "make a call in")?;
        if !callable.is_callable() {
            return Err(raise!(
                TypeError,
                "expected a callable, got {}",
                callable.repr()?.to_string_lossy()
            ));
        }
        let function = share_callable(callable)?;
        let args = args.filter(|args| args.len() > 0);
        let args = args
            .map(|args| share(args.as_object(), Fallback::Full))
            .transpose()?;
        let kwargs = kwargs.filter(|kwargs| kwargs.len() > 0);
        let kwargs = kwargs
            .map(|kwargs| share(kwargs.as_object(), Fallback::Full))
            .transpose()?;
        let (result, captured) = match session::call(interpreter, &function, args.as_ref(), kwargs.as_ref())?
        {
            Ok(result) => (result, None),
            Err(captured) => (none_ref(), Some(captured)),
        };
        Ok(PyTupleObject::from_vec(vec![result, told(captured)?]).into_object())
    }
    /// exec(id, code, shared=None, *, restrict=False)
    ///
    /// Runs a script in an interpreter's `__main__`: text, or a function without arguments, result and closure. Gives None, or
    /// what tells of the exception that it raised.
    #[pyfunction("($module, /, id, code, shared=<unrepresentable>, *, restrict=False)")]
    fn exec(id: &PyObject, code: &PyObject, shared: Option<&PyObject>, restrict: bool) -> PyResult {
        let shared = typed(shared, "exec() argument 3", "dict")?;
        let interpreter = resolve(id, restrict, true, "exec code for")?;
        run_code(interpreter, &code::share_script(code, false)?, shared)
    }
    /// run_string(id, script, shared=None, *, restrict=False)
    ///
    /// As `exec`, of text.
    #[pyfunction("($module, /, id, script, shared=<unrepresentable>, *, restrict=False)")]
    fn run_string(id: &PyObject, script: &PyObject, shared: Option<&PyObject>, restrict: bool) -> PyResult {
        let shared = typed(shared, "run_string() argument 3", "dict")?;
        let interpreter = resolve(id, restrict, true, "run a string in")?;
        if !PyUnicodeObject::check(script) {
            let found = script.ty().name();
            return Err(raise!(
                TypeError,
                "_interpreters.run_string() argument 2 must be str, not {found}"
            ));
        }
        run_code(interpreter, &code::share_script(script, false)?, shared)
    }
    /// run_func(id, func, shared=None, *, restrict=False)
    ///
    /// As `exec`, of a function or its code.
    #[pyfunction("($module, /, id, func, shared=<unrepresentable>, *, restrict=False)")]
    fn run_func(id: &PyObject, func: &PyObject, shared: Option<&PyObject>, restrict: bool) -> PyResult {
        let shared = typed(shared, "run_func() argument 3", "dict")?;
        let interpreter = resolve(id, restrict, true, "run a function in")?;
        if func.downcast::<PyFunctionObject>().is_none() && func.downcast::<PyCodeObject>().is_none() {
            let found = func.ty().name();
            return Err(raise!(
                TypeError,
                "_interpreters.run_func() argument 2 must be a function, not {found}"
            ));
        }
        run_code(interpreter, &code::share_script(func, false)?, shared)
    }
    /// is_shareable(obj) -> bool
    ///
    /// Whether an object can go to another interpreter without being pickled.
    #[pyfunction("($module, /, obj)")]
    fn is_shareable(obj: &PyObject) -> bool {
        can_be_shared(obj)
    }
    /// is_running(id, *, restrict=False) -> bool
    ///
    /// Whether an interpreter runs its `__main__`.
    #[pyfunction("($module, /, id, *, restrict=False)")]
    fn is_running(id: &PyObject, restrict: bool) -> PyResult<bool> {
        resolve(id, restrict, true, "check if running for").map(runs_main)
    }
    /// get_config(id, *, restrict=False) -> types.SimpleNamespace
    #[pyfunction("($module, /, id, *, restrict=False)")]
    fn get_config(id: Option<&PyObject>, restrict: bool) -> PyResult {
        let interpreter = match id {
            Some(id) => resolve(id, restrict, false, "get the config of")?,
            None => thread::interpreter(),
        };
        Config::of_interpreter(interpreter).to_namespace()
    }
    /// whence(id) -> int
    ///
    /// What made an interpreter.
    #[pyfunction("($module, /, id)")]
    fn whence(id: &PyObject) -> PyResult<i64> {
        Ok(interpreter_of(id)?.whence.load(Ordering::Relaxed))
    }
    /// Counts a use of an interpreter.
    #[pyfunction("($module, /, id, *, implieslink=False, restrict=False)")]
    fn incref(id: &PyObject, implieslink: bool, restrict: bool) -> PyResult<()> {
        add_use(resolve(id, restrict, true, "incref")?, implieslink);
        Ok(())
    }
    /// Undoes `incref`.
    #[pyfunction("($module, /, id, *, restrict=False)")]
    fn decref(id: &PyObject, restrict: bool) -> PyResult<()> {
        drop_use(resolve(id, restrict, true, "decref")?);
        Ok(())
    }
    /// capture_exception(exc=None) -> types.SimpleNamespace
    ///
    /// What tells of an exception; None when there is none.
    #[pyfunction("($module, /, exc=None)")]
    fn capture_exception(exc: Option<&PyObject>) -> PyResult {
        let Some(exception) = exc.filter(|exc| !is_none(exc)) else {
            return Ok(none_ref());
        };
        if !exception.is_instance_of(adder_runtime::exceptions::exc::BaseException) {
            return Err(raise!(
                TypeError,
                "expected exception, got {}",
                exception.repr()?.to_string_lossy()
            ));
        }
        match Captured::of(exception) {
            Ok(captured) => captured.to_namespace(),
            Err(raised) => {
                let cause = raised.take();
                let exception = raise!(Exception, "error while formatting exception").take();
                adder_interp::errors::set_cause(&exception, Some(cause));
                Err(adder_runtime::error::restore(exception))
            }
        }
    }
}
