//! `_interpreters`: there is one interpreter, the main one. What is asked about it is answered; what
//! would need another says that there can be none.

use crate::module_parts::new_exception;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// `whence` of the main interpreter: the start of the runtime.
const RUNTIME: i64 = 1;

fn number(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}

/// `(id, whence)` of the main interpreter.
fn main_interpreter() -> Ref {
    PyTupleObject::from_vec(vec![number(0), number(RUNTIME)]).into_object()
}

fn class(module: &PyModuleObject, name: &str) -> PyResult<Ref<PyTypeObject>> {
    match module.as_object().get_attr_str(name)?.downcast::<PyTypeObject>() {
        Ok(class) => Ok(class),
        Err(other) => Err(raise!(TypeError, "{name} is no class but a '{}'", other.ty().name())),
    }
}

pub fn fail<T>(module: &PyModuleObject, name: &str, message: &str) -> PyResult<T> {
    let class = class(module, name)?;
    let exception = class.as_object().call1(PyUnicodeObject::from_str(message).as_object())?;
    Err(adder_runtime::error::restore(exception))
}

fn only_one<T>(module: &PyModuleObject, what: &str) -> PyResult<T> {
    fail(module, "InterpreterError", &format!("{what}: Adder has no interpreters beside the main one"))
}

/// The main interpreter's id, or an error.
fn check_id(module: &PyModuleObject, id: i64) -> PyResult<()> {
    if id == 0 {
        return Ok(());
    }
    fail(module, "InterpreterNotFoundError", &format!("unrecognized interpreter ID {id}"))
}

/// Whether an object can be given to another interpreter: atoms, and tuples of such.
fn can_be_shared(object: &PyObject) -> bool {
    if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
        return tuple.as_slice().iter().all(|item| can_be_shared(item));
    }
    is_none(object)
        || object.ty().full_name() == "bool"
        || PyLongObject::check_exact(object)
        || PyFloatObject::check_exact(object)
        || PyUnicodeObject::check_exact(object)
        || PyBytesObject::check_exact(object)
        || PyMemoryViewObject::check_exact(object)
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

/// The interpreters of this process.
#[pymodule(name = "_interpreters")]
pub mod _interpreters {
    use super::*;

    #[pyconst]
    const WHENCE_UNKNOWN: i64 = 0;
    #[pyconst]
    const WHENCE_RUNTIME: i64 = RUNTIME;
    #[pyconst]
    const WHENCE_LEGACY_CAPI: i64 = 2;
    #[pyconst]
    const WHENCE_CAPI: i64 = 3;
    #[pyconst]
    const WHENCE_XI: i64 = 4;
    #[pyconst]
    const WHENCE_STDLIB: i64 = 5;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let error = new_exception("concurrent.interpreters", "InterpreterError", &[exc::Exception.as_object()])?;
        let not_found = new_exception("concurrent.interpreters", "InterpreterNotFoundError", &[error.as_object()])?;
        let not_shareable = new_exception("concurrent.interpreters", "NotShareableError", &[exc::TypeError.as_object()])?;
        PyExc_InterpreterError.set(error.as_object());
        PyExc_InterpreterNotFoundError.set(not_found.as_object());
        module.add("InterpreterError", error.to_object())?;
        module.add("InterpreterNotFoundError", not_found.to_object())?;
        module.add("NotShareableError", not_shareable.to_object())
    }

    /// The interpreter that runs: the main one.
    #[pyfunction("($module, /)")]
    fn get_current() -> Ref {
        main_interpreter()
    }
    /// The main interpreter.
    #[pyfunction("($module, /)")]
    fn get_main() -> Ref {
        main_interpreter()
    }
    /// All interpreters.
    #[pyfunction("($module, /, *, require_ready=False)")]
    fn list_all(require_ready: bool) -> Ref {
        let _ = require_ready;
        PyListObject::from_vec(vec![main_interpreter()]).into_object()
    }
    /// Whether an interpreter runs code.
    #[pyfunction("($module, /, id, *, restrict=False)", module)]
    fn is_running(module: &PyModuleObject, id: i64, restrict: bool) -> PyResult<bool> {
        let _ = restrict;
        check_id(module, id).map(|()| true)
    }
    /// What made an interpreter.
    #[pyfunction("($module, /, id)", module)]
    fn whence(module: &PyModuleObject, id: i64) -> PyResult<i64> {
        check_id(module, id).map(|()| RUNTIME)
    }
    /// Whether an object can be given to another interpreter.
    #[pyfunction("($module, /, obj)")]
    fn is_shareable(obj: &PyObject) -> bool {
        can_be_shared(obj)
    }
    /// Counts a use of an interpreter; the main one lives anyway.
    #[pyfunction("($module, /, id, *, implieslink=False, restrict=False)", module)]
    fn incref(module: &PyModuleObject, id: i64, implieslink: bool, restrict: bool) -> PyResult<()> {
        let _ = (implieslink, restrict);
        check_id(module, id)
    }
    /// Undoes `incref`.
    #[pyfunction("($module, /, id, *, restrict=False)", module)]
    fn decref(module: &PyModuleObject, id: i64, restrict: bool) -> PyResult<()> {
        let _ = restrict;
        check_id(module, id)
    }
    /// Makes another interpreter: that cannot be done.
    #[pyfunction("($module, /, config='isolated', *, reqrefs=False)", module)]
    fn create(module: &PyModuleObject, config: Option<&PyObject>, reqrefs: bool) -> PyResult<()> {
        let _ = (config, reqrefs);
        only_one(module, "create")
    }
    /// Ends an interpreter; the main one cannot be ended so.
    #[pyfunction("($module, /, id, *, restrict=False)", module)]
    fn destroy(module: &PyModuleObject, id: i64, restrict: bool) -> PyResult<()> {
        let _ = restrict;
        check_id(module, id)?;
        fail(module, "InterpreterError", "cannot destroy the current interpreter")
    }
}
