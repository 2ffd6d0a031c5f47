//! `_interpqueues`: queues between interpreters, of which there is one: so there are none.

use crate::interpreters::fail;
use crate::module_parts::new_exception;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

/// Queues between interpreters.
#[pymodule(name = "_interpqueues")]
pub mod _interpqueues {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let error = new_exception("concurrent.interpreters", "QueueError", &[exc::RuntimeError.as_object()])?;
        let not_found = new_exception("concurrent.interpreters", "QueueNotFoundError", &[error.as_object()])?;
        module.add("QueueError", error.to_object())?;
        module.add("QueueNotFoundError", not_found.to_object())
    }

    /// Makes a queue: there is no other interpreter that it could lead to.
    #[pyfunction("($module, /, maxsize, unboundop=-1, fallback=-1)", module)]
    fn create(module: &PyModuleObject, maxsize: i64, unboundop: i64, fallback: i64) -> PyResult<()> {
        let _ = (maxsize, unboundop, fallback);
        fail(module, "QueueError", "create: Adder has no interpreters beside the main one")
    }
    /// All queues: none.
    #[pyfunction("($module, /)")]
    fn list_all() -> Ref {
        PyListObject::new().into_object()
    }
    /// The classes that queues are seen as in other interpreters.
    #[pyfunction("($module, queuetype, emptyerror, fullerror, /)")]
    fn _register_heap_types(queuetype: &PyTypeObject, emptyerror: &PyTypeObject, fullerror: &PyTypeObject) {
        let _ = (queuetype, emptyerror, fullerror);
    }
}
