//! What the runtime asks of the interpreter, which it does not know: set once at start.

use crate::prelude::*;
use std::cell::Cell;

/// How often the interpreter runs an instruction before it specialises it, and how often more after a miss.
pub const SPECIALIZATION_THRESHOLD: u32 = 2;
pub const SPECIALIZATION_COOLDOWN: u32 = 60;

/// The interpreter's answers.
pub struct Hooks {
    /// The globals of the innermost Python frame.
    pub current_globals: fn() -> Option<Ref<PyDictObject>>,
    /// The builtins of the innermost Python frame: any mapping.
    pub current_builtins: fn() -> Option<Ref>,
    /// The vectorcall of functions written in Python.
    pub function_vectorcall: vectorcallfunc,
    /// `warnings.warn` with a category, a stack level and the object that it is about.
    pub warn: fn(
        category: &PyTypeObject,
        message: &PyObject,
        stack_level: isize,
        source: Option<&PyObject>,
    ) -> PyResult<()>,
    /// `sys.unraisablehook` with the exception in flight, a message and an object.
    pub unraisable: fn(context: Option<&str>, object: Option<&PyObject>),
    /// The first argument and the class cell of the innermost Python frame, for `super()`.
    pub super_arguments: fn() -> PyResult<(Ref<PyTypeObject>, Ref)>,
    /// `__import__(name)` and the submodule it names.
    pub import_module: fn(name: &PyUnicodeObject) -> PyResult,
    /// Raises an audit event with its arguments.
    pub audit: fn(event: &str, args: &[&PyObject]) -> PyResult<()>,
    /// Notes that a signal arrived; its handler runs in the main thread.
    pub trip_signal: fn(signum: i32),
    /// Runs the handlers of signals that arrived, in the main thread.
    pub run_pending_signals: fn() -> PyResult<()>,
    /// The words of a code object without what the interpreter cached in them.
    pub code_words: fn(data: &crate::objects::codeobject::CodeData) -> Vec<u64>,
    /// The conditional jumps of a code object: (jump, where it goes on, where it leads), as word indices.
    pub code_branches: fn(data: &crate::objects::codeobject::CodeData) -> Vec<[u32; 3]>,
    /// Whether code that anybody may have made can run: ValueError if not.
    pub check_code: fn(parts: &crate::objects::codeobject::CodeParts) -> PyResult<()>,
    /// The `sys` module's dict.
    pub sys_dict: fn() -> Option<Ref<PyDictObject>>,
    /// The locals of the innermost Python frame: a mapping, or a write-through proxy.
    pub current_locals: fn() -> PyResult,
    /// The innermost Python frame's object.
    pub current_frame: fn() -> PyResult<Option<Ref>>,
}

/// What `_contextvars` does for C, set when it is loaded.
pub struct ContextHooks {
    pub enter: fn(context: &PyObject) -> PyResult<()>,
    pub exit: fn(context: &PyObject) -> PyResult<()>,
    /// The value of a variable, else the default given, else its own.
    pub get: fn(var: &PyObject, default: Option<&PyObject>) -> PyResult<Option<Ref>>,
}

pub static CONTEXT: std::sync::OnceLock<ContextHooks> = std::sync::OnceLock::new();

struct Installed(Cell<Option<&'static Hooks>>);
// SAFETY: set once before any other thread runs.
unsafe impl Sync for Installed {}
static HOOKS: Installed = Installed(Cell::new(None));

/// Installs the interpreter's answers.
pub fn install(hooks: &'static Hooks) {
    HOOKS.0.set(Some(hooks));
}

/// The interpreter's answers; `None` before it is there.
pub fn get() -> Option<&'static Hooks> {
    HOOKS.0.get()
}

pub fn current_globals() -> Option<Ref<PyDictObject>> {
    get().and_then(|hooks| (hooks.current_globals)())
}

/// Imports a module by its full name and returns it (not its package); one that another thread is importing is waited for.
pub fn import_module(name: &str) -> PyResult {
    import_named(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)))
}

/// [`import_module`] by a name that may be no valid Unicode.
pub fn import_named(name: &PyUnicodeObject) -> PyResult {
    match get() {
        Some(hooks) => (hooks.import_module)(name),
        None => Err(raise!(
            ImportError,
            "no interpreter to import {}",
            name.to_string_lossy()
        )),
    }
}

/// How many processors `os.cpu_count()` tells of (`-X cpu_count`, `PYTHON_CPU_COUNT`); -1: as many as there are.
pub static CPU_COUNT: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(-1);

/// Whether `-b` was given.
pub static BYTES_WARNING: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether `-X dev` was given.
pub static DEV_MODE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// A BytesWarning, when `-b` was given.
pub fn warn_of_bytes(message: &str) -> PyResult<()> {
    if BYTES_WARNING.load(std::sync::atomic::Ordering::Relaxed) {
        return warn(crate::exceptions::exc::BytesWarning, message, 1);
    }
    Ok(())
}

pub fn audit(event: &str, args: &[&PyObject]) -> PyResult<()> {
    get().map_or(Ok(()), |hooks| (hooks.audit)(event, args))
}

pub fn trip_signal(signum: i32) {
    if let Some(hooks) = get() {
        (hooks.trip_signal)(signum);
    }
}

pub fn run_pending_signals() -> PyResult<()> {
    get().map_or(Ok(()), |hooks| (hooks.run_pending_signals)())
}

/// `sys.name`, if there is a `sys` module and it has it.
pub fn sys_attribute(name: &PyUnicodeObject) -> Option<Ref> {
    (get()?.sys_dict)()?.get_str(name)
}

/// `warnings.warn(message, category, stacklevel)`.
pub fn warn(category: &PyTypeObject, message: &str, stack_level: isize) -> PyResult<()> {
    let message = PyUnicodeObject::from_str(message);
    get().map_or(Ok(()), |hooks| {
        (hooks.warn)(category, message.as_object(), stack_level, None)
    })
}
