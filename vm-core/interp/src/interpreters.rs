//! Interpreters beside the main one (`Py_NewInterpreter`): each has its own `sys`, `builtins`, modules and importlib; types, objects
//! and the GIL are shared by all.
//!
//! What there is once per interpreter is in the cells of `state`. When a thread of another interpreter takes the GIL, the cells
//! of the interpreter before are put aside and those of its own put in place (`switch`, called by `thread::acquire_gil`).

use crate::state::{self, GilCell};
use crate::{import, pylifecycle};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, InterpreterState, ThreadState};

/// The contents of the cells of `state` of an interpreter that does not run.
#[derive(Default)]
struct Cells {
    sys: Option<Ref<PyModuleObject>>,
    builtins: Option<Ref<PyModuleObject>>,
    importlib: Option<Ref>,
    import_function: Option<Ref>,
}

impl Cells {
    /// Empties the cells of `state`.
    fn take() -> Cells {
        Cells {
            sys: state::SYS.with(Option::take),
            builtins: state::BUILTINS.with(Option::take),
            importlib: state::IMPORTLIB.with(Option::take),
            import_function: state::IMPORT_FUNCTION.with(Option::take),
        }
    }
    fn put(self) {
        state::SYS.set(self.sys);
        state::BUILTINS.set(self.builtins);
        state::IMPORTLIB.set(self.importlib);
        state::IMPORT_FUNCTION.set(self.import_function);
    }
}

/// By the address of the interpreter.
static ASIDE: GilCell<Vec<(usize, Cells)>> = GilCell::new(Vec::new());
/// All interpreters but the main one, newest first.
static OTHERS: GilCell<Vec<&'static InterpreterState>> = GilCell::new(Vec::new());

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

/// A new interpreter with a thread state for the calling thread, attached. When it cannot be made, the exception is given
/// as text and the calling thread has the state that it had before.
pub fn enter_new() -> Result<&'static ThreadState, String> {
    let before = match thread::try_thread_state() {
        Some(_) => thread::release_gil(),
        None => std::ptr::null(),
    };
    thread::set_interpreter_switch(switch);
    let interpreter = InterpreterState::new_other();
    let state = thread::new_thread_state();
    state.base.interp.set(interpreter.as_c());
    thread::init_native_thread(state);
    thread::acquire_gil(state);
    OTHERS.with(|others| others.insert(0, interpreter));
    let Err(raised) = pylifecycle::make_core().and_then(|()| pylifecycle::initialize_imports()) else {
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
    adder_runtime::memory::gc::collect(2);
    let interpreter = state.base.interp.get();
    OTHERS.with(|others| others.retain(|other| other.as_c() != interpreter));
    thread::clear_state(state);
    thread::leave_interpreter();
    thread::release_gil();
    // SAFETY: the state is cleared and nobody's; the interpreter's record stays, since C may still compare its address.
    unsafe { thread::delete_thread_state(state) };
}
