//! Audit hooks (PEP 578): nothing happens while there is none.

use crate::state::GilCell;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// A hook of C's: `PySys_AddAuditHook`.
pub type NativeHook = unsafe extern "C" fn(*const c_char, *mut PyObject, *mut c_void) -> c_int;

static HOOKS: GilCell<Vec<Ref>> = GilCell::new(Vec::new());
static NATIVE: GilCell<Vec<(NativeHook, usize)>> = GilCell::new(Vec::new());

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
}

static ANY: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Adds a hook of C's.
pub fn add_native_hook(hook: NativeHook, data: *mut c_void) {
    NATIVE.with(|hooks| hooks.push((hook, data as usize)));
    ANY.store(true, std::sync::atomic::Ordering::Relaxed);
}

/// Adds a Python hook; existing ones may veto that by an exception.
pub fn add_hook(hook: &PyObject) -> PyResult<()> {
    if let Err(raised) = raise_event("sys.addaudithook", &[]) {
        return raised.clear_if(exc::RuntimeError);
    }
    HOOKS.with(|hooks| hooks.push(hook.to_ref()));
    ANY.store(true, std::sync::atomic::Ordering::Relaxed);
    Ok(())
}

/// Calls all hooks with an event and the tuple of its arguments.
#[inline]
pub fn raise_event(event: &str, args: &[&PyObject]) -> PyResult<()> {
    if !ANY.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(());
    }
    call_hooks(event, args)
}

#[cold]
fn call_hooks(event: &str, args: &[&PyObject]) -> PyResult<()> {
    if ACTIVE.replace(true) {
        return Ok(());
    }
    let result = (|| {
        let tuple = PyTupleObject::from_slice(args);
        let c_event = std::ffi::CString::new(event).unwrap_or_default();
        for (hook, data) in NATIVE.get() {
            // SAFETY: C's own hook with its own data.
            if unsafe { hook(c_event.as_ptr(), tuple.as_ptr(), data as *mut c_void) } != 0 {
                return Err(Raised::from_c("audit hook"));
            }
        }
        let name = PyUnicodeObject::from_str(event);
        for hook in HOOKS.get() {
            hook.call(&[name.as_object(), tuple.as_object()])?;
        }
        Ok(())
    })();
    ACTIVE.set(false);
    result
}
