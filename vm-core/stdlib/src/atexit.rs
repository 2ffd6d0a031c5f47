//! `atexit`: functions to call when the interpreter ends.

use adder_runtime::prelude::*;
use std::cell::RefCell;

struct Callback {
    function: Ref,
    args: Ref<PyTupleObject>,
    kwargs: Option<Ref<PyDictObject>>,
}

struct Callbacks(RefCell<Vec<Callback>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Callbacks {}
static CALLBACKS: Callbacks = Callbacks(RefCell::new(Vec::new()));

/// Calls the registered functions, last first; exceptions are reported and do not stop the rest.
pub fn run() {
    loop {
        let Some(callback) = CALLBACKS.0.borrow_mut().pop() else { return };
        if let Err(raised) = callback.function.call_tuple(&callback.args, callback.kwargs.as_deref()) {
            adder_runtime::error::write_unraisable(
                raised,
                Some("Exception ignored in atexit callback"),
                Some(&callback.function),
            );
        }
    }
}

/// Functions to call at exit.
#[pymodule(name = "atexit")]
pub mod atexit {
    use super::*;

    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        adder_interp::pylifecycle::set_exit_functions(run);
        Ok(())
    }

    /// Registers a function with its arguments; returns it.
    #[pyfunction("($module, func, /, *args, **kwargs)")]
    fn register(func: &PyObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
        if !func.is_callable() {
            return Err(raise!(TypeError, "the first argument must be callable"));
        }
        CALLBACKS.0.borrow_mut().push(Callback {
            function: func.to_ref(),
            args: PyTupleObject::from_slice(args),
            kwargs: kwargs.map(|kwargs| kwargs.to_ref()),
        });
        Ok(func.to_ref())
    }
    /// Forgets all registered functions.
    #[pyfunction("($module, /)")]
    fn _clear() {
        let dropped = CALLBACKS.0.take();
        drop(dropped);
    }
    /// Calls all registered functions now.
    #[pyfunction("($module, /)")]
    fn _run_exitfuncs() {
        run();
    }
    /// How many functions are registered.
    #[pyfunction("($module, /)")]
    fn _ncallbacks() -> usize {
        CALLBACKS.0.borrow().len()
    }
    /// Forgets a function.
    #[pyfunction("($module, func, /)")]
    fn unregister(func: &PyObject) -> PyResult<()> {
        let mut at = 0;
        loop {
            let candidate = match CALLBACKS.0.borrow().get(at) {
                Some(callback) => callback.function.clone(),
                None => return Ok(()),
            };
            if func.eq(&candidate)? {
                let removed = CALLBACKS.0.borrow_mut().remove(at);
                drop(removed);
            } else {
                at += 1;
            }
        }
    }
}
