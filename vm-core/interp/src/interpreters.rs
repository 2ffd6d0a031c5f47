//! Interpreters beside the main one (`Py_NewInterpreter`): each has its own `sys`, `builtins`, modules and importlib; types, objects
//! and the GIL are shared by all.
//!
//! What there is once per interpreter is in the cells of `state`. When a thread of another interpreter takes the GIL, the cells
//! of the interpreter before are put aside and those of its own put in place (`switch`, called by `thread::acquire_gil`).

use crate::state::{self, GilCell};
use crate::{import, pylifecycle, sysmodule};
use adder_runtime::objects::longobject;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, InterpreterState, ThreadState, feature};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// What an interpreter that does not run has of what `state` and others keep for the one that does.
struct Cells {
    sys: Option<Ref<PyModuleObject>>,
    builtins: Option<Ref<PyModuleObject>>,
    importlib: Option<Ref>,
    import_function: Option<Ref>,
    audit_hooks: Vec<Ref>,
    dlopen_flags: i32,
    frozen_override: i32,
    max_str_digits: usize,
}

impl Default for Cells {
    /// What a new interpreter starts with.
    fn default() -> Cells {
        Cells {
            sys: None,
            builtins: None,
            importlib: None,
            import_function: None,
            audit_hooks: Vec::new(),
            dlopen_flags: libc::RTLD_NOW,
            frozen_override: 0,
            max_str_digits: usize::try_from(pylifecycle::config().int_max_str_digits).unwrap_or(0),
        }
    }
}

impl Cells {
    /// Empties the cells.
    fn take() -> Cells {
        Cells {
            sys: state::SYS.with(Option::take),
            builtins: state::BUILTINS.with(Option::take),
            importlib: state::IMPORTLIB.with(Option::take),
            import_function: state::IMPORT_FUNCTION.with(Option::take),
            audit_hooks: sysmodule::AUDIT_HOOKS.with(std::mem::take),
            dlopen_flags: sysmodule::DLOPEN_FLAGS.get(),
            frozen_override: import::FROZEN_OVERRIDE.load(Ordering::Relaxed),
            max_str_digits: longobject::max_str_digits(),
        }
    }
    fn put(self) {
        state::SYS.set(self.sys);
        state::BUILTINS.set(self.builtins);
        state::IMPORTLIB.set(self.importlib);
        state::IMPORT_FUNCTION.set(self.import_function);
        sysmodule::AUDIT_HOOKS.set(self.audit_hooks);
        sysmodule::DLOPEN_FLAGS.set(self.dlopen_flags);
        import::FROZEN_OVERRIDE.store(self.frozen_override, Ordering::Relaxed);
        sysmodule::set_max_str_digits(self.max_str_digits);
    }
}

/// By the address of the interpreter.
static ASIDE: GilCell<Vec<(usize, Cells)>> = GilCell::new(Vec::new());
/// All interpreters but the main one, newest first.
static OTHERS: GilCell<Vec<&'static InterpreterState>> = GilCell::new(Vec::new());
/// What else is to be done for an interpreter that ends, before its modules go: set by the C API.
pub static AT_END: OnceLock<fn(&'static InterpreterState)> = OnceLock::new();
/// Called with the id of an interpreter whose modules are gone: what crosses interpreters lets go what was its.
pub static AFTER_END: OnceLock<fn(i64)> = OnceLock::new();

/// Called with the GIL held when it goes from a thread of one interpreter to one of another. Nothing is dropped here.
fn switch(from: *const InterpreterState, to: *const InterpreterState) {
    if !from.is_null() {
        let cells = Cells::take();
        ASIDE.with(|aside| aside.push((from as usize, cells)));
    }
    let found = ASIDE.with(|aside| {
        let at = aside.iter().position(|(owner, _)| *owner == to as usize)?;
        Some(aside.swap_remove(at).1)
    });
    found.unwrap_or_default().put();
}

/// All interpreters but the main one, newest first.
pub fn others() -> Vec<&'static InterpreterState> {
    OTHERS.with(|others| others.clone())
}

/// The interpreter of an id, if it is alive.
pub fn find(id: i64) -> Option<&'static InterpreterState> {
    match id {
        0 => Some(&INTERPRETER),
        id => others().into_iter().find(|interpreter| interpreter.id == id),
    }
}

/// The calling thread in another interpreter than its own, until this is dropped.
pub struct Entered {
    before: *const ThreadState,
    state: Option<&'static ThreadState>,
}

/// Takes the calling thread, which is attached, into an interpreter, with a state of its own there.
pub fn enter(interpreter: &'static InterpreterState) -> Entered {
    if std::ptr::eq(thread::interpreter(), interpreter) {
        return Entered {
            before: std::ptr::null(),
            state: None,
        };
    }
    let before = thread::release_gil();
    let state = thread::new_thread_state_of(interpreter);
    thread::init_native_thread(state);
    thread::acquire_gil(state);
    Entered {
        before,
        state: Some(state),
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some(state) = self.state else { return };
        thread::clear_state(state);
        thread::release_gil();
        // SAFETY: the state is cleared and nobody's; the one before is the calling thread's.
        unsafe {
            thread::delete_thread_state(state);
            thread::acquire_gil(&*self.before);
        }
    }
}

/// Whether a configuration can be had; the message says why not.
pub fn check_features(features: u32) -> Result<(), &'static str> {
    if features & (feature::MAIN_OBMALLOC | feature::CHECK_EXTENSIONS) == 0 {
        return Err("per-interpreter obmalloc does not support single-phase init extension modules");
    }
    Ok(())
}

/// A new interpreter with a thread state for the calling thread, attached. When it cannot be made, the exception is given
/// as text and the calling thread has the state that it had before.
pub fn enter_new(features: u32, whence: i64) -> Result<&'static ThreadState, String> {
    let before = match thread::try_thread_state() {
        Some(_) => thread::release_gil(),
        None => std::ptr::null(),
    };
    thread::set_interpreter_switch(switch);
    let interpreter = InterpreterState::new_other(features, whence);
    let state = thread::new_thread_state_of(interpreter);
    thread::init_native_thread(state);
    thread::acquire_gil(state);
    OTHERS.with(|others| others.insert(0, interpreter));
    let made = check_features(features)
        .map_err(|why| raise!(RuntimeError, "{why}"))
        .and_then(|()| pylifecycle::make_core())
        .and_then(|()| pylifecycle::initialize_imports());
    let Err(raised) = made else {
        interpreter.is_ready.store(true, Ordering::Relaxed);
        return Ok(state);
    };
    let exception = raised.take();
    let why = exception.repr().map(|text| text.to_string_lossy());
    let why = why.unwrap_or_else(|raised| {
        raised.clear();
        exception.ty().full_name().to_owned()
    });
    drop(exception);
    end(state);
    // SAFETY: null, or the state that the thread had.
    if let Some(before) = unsafe { before.as_ref() } {
        thread::acquire_gil(before);
    }
    Err(why)
}

/// Makes an interpreter and leaves the calling thread, which is attached, where it was.
pub fn make(features: u32, whence: i64) -> Result<&'static InterpreterState, String> {
    let before = thread::thread_state();
    let state = enter_new(features, whence)?;
    let interpreter = thread::interpreter();
    drop(Entered {
        before,
        state: Some(state),
    });
    Ok(interpreter)
}

/// Ends another interpreter than that of the calling thread.
pub fn destroy(interpreter: &'static InterpreterState) {
    let before = thread::release_gil();
    let state = thread::new_thread_state_of(interpreter);
    thread::init_native_thread(state);
    thread::acquire_gil(state);
    end(state);
    // SAFETY: the state that the calling thread had.
    thread::acquire_gil(unsafe { &*before });
}

/// Ends all interpreters but the main one, which ends itself.
pub fn end_all() {
    if others().is_empty() {
        return;
    }
    let message = "remaining subinterpreters; close them with Interpreter.close()";
    if let Err(raised) =
        adder_runtime::hooks::warn(adder_runtime::exceptions::exc::RuntimeWarning, message, 0)
    {
        adder_runtime::error::write_unraisable(raised, Some("subinterpreters"), None);
    }
    for interpreter in others() {
        destroy(interpreter);
    }
}

/// The addresses of the modules of all interpreters but the current one.
fn modules_elsewhere() -> Vec<usize> {
    ASIDE.with(|aside| {
        let mut found = Vec::new();
        for sys in aside.iter().filter_map(|(_, cells)| cells.sys.as_ref()) {
            let Some(modules) = sys.dict().get_str(identifier!("modules")) else {
                continue;
            };
            let Some(modules) = (*modules).downcast::<PyDictObject>() else {
                continue;
            };
            let mut position = 0;
            while let Some((_, module, _)) = modules.next_entry(&mut position) {
                found.push(module.as_ptr() as usize);
            }
        }
        found
    })
}

/// Ends the interpreter of `state`, which is the calling thread's and its only one. The GIL is let go.
pub fn end(state: &'static ThreadState) {
    let interpreter = thread::interpreter();
    if let Some(threading) = import::loaded_module(identifier!("threading"))
        && let Err(raised) = threading.call_method(identifier!("_shutdown"), &[])
    {
        adder_runtime::error::write_unraisable(
            raised,
            Some("Exception ignored on threading shutdown"),
            Some(&threading),
        );
    }
    pylifecycle::run_exit_functions();
    if let Some(at_end) = AT_END.get() {
        at_end(interpreter);
    }
    // Threads that are left, daemons and those that are inside, run nothing of this interpreter any more.
    thread::begin_finalizing_of(interpreter);
    crate::pythonrun::flush_streams();
    // Modules that other interpreters have as well (those of C that can be made only once) are let go, not taken apart.
    let elsewhere = modules_elsewhere();
    pylifecycle::finalize_modules(&|module| elsewhere.contains(&(module.as_ptr() as usize)));
    adder_runtime::memory::gc::collect(2);
    let cells = Cells::take();
    for module in [&cells.sys, &cells.builtins].into_iter().flatten() {
        pylifecycle::clear_module(module);
    }
    drop(cells);
    adder_runtime::per_interpreter::forget_current();
    adder_runtime::memory::gc::collect(2);
    OTHERS.with(|others| others.retain(|other| !std::ptr::eq(*other, interpreter)));
    crate::pending::forget_interpreter(interpreter.id);
    if let Some(after) = AFTER_END.get() {
        after(interpreter.id);
    }
    thread::clear_state(state);
    // What died meanwhile may have made some of it anew.
    adder_runtime::per_interpreter::forget_current();
    thread::leave_interpreter();
    thread::release_gil();
    // SAFETY: the state is cleared and nobody's; the interpreter's record stays, since C may still compare its address.
    unsafe { thread::delete_thread_state(state) };
}
