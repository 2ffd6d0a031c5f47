//! `atexit`: functions to call when the interpreter ends.

use adder_runtime::prelude::*;
use std::cell::RefCell;

struct Callback {
    /// The address of the interpreter that ends with this call.
    interpreter: usize,
    /// Told apart by this while others are removed.
    id: u64,
    function: Ref,
    args: Ref<PyTupleObject>,
    kwargs: Option<Ref<PyDictObject>>,
}

struct Callbacks(RefCell<Vec<Callback>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Callbacks {}
static NEXT_ID: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
static CALLBACKS: Callbacks = Callbacks(RefCell::new(Vec::new()));

/// The current interpreter.
fn here() -> usize {
    adder_runtime::thread::current_interpreter() as usize
}

fn take_last() -> Option<Callback> {
    let mut callbacks = CALLBACKS.0.borrow_mut();
    let at = callbacks.iter().rposition(|callback| callback.interpreter == here())?;
    Some(callbacks.remove(at))
}

/// Calls the registered functions, last first; exceptions are reported and do not stop the rest.
pub fn run() {
    loop {
        let Some(callback) = take_last() else { return };
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
            interpreter: here(),
            id: NEXT_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            function: func.to_ref(),
            args: PyTupleObject::from_slice(args),
            kwargs: kwargs.map(|kwargs| kwargs.to_ref()),
        });
        Ok(func.to_ref())
    }
    /// Forgets all registered functions.
    #[pyfunction("($module, /)")]
    fn _clear() {
        let mut kept = Vec::new();
        let mut dropped = CALLBACKS.0.take();
        kept.extend(dropped.extract_if(.., |callback| callback.interpreter != here()));
        *CALLBACKS.0.borrow_mut() = kept;
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
        CALLBACKS.0.borrow().iter().filter(|callback| callback.interpreter == here()).count()
    }
    /// Forgets a function.
    #[pyfunction("($module, func, /)")]
    fn unregister(func: &PyObject) -> PyResult<()> {
        // Comparing may register and unregister functions.
        let own = |callback: &&Callback| callback.interpreter == here();
        let ids: Vec<u64> = CALLBACKS.0.borrow().iter().filter(own).map(|callback| callback.id).collect();
        for id in ids.into_iter().rev() {
            let place = || CALLBACKS.0.borrow().iter().position(|callback| callback.id == id);
            let Some(at) = place() else { continue };
            let candidate = CALLBACKS.0.borrow()[at].function.clone();
            if func.eq(&candidate)?
                && let Some(at) = place()
            {
                let removed = CALLBACKS.0.borrow_mut().remove(at);
                drop(removed);
            }
        }
        Ok(())
    }
}
