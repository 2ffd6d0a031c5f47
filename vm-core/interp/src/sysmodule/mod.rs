//! The `sys` module: what the interpreter tells of itself, hooks, streams' names, frames.

pub mod audit;
pub mod info;

use crate::config;
use crate::state;
use adder_runtime::exceptions::{self, exc};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, thread_state};
use std::sync::atomic::Ordering;

/// What Adder is compatible with: CPython's version, in the parts of `sys.version_info`.
pub const VERSION: (u32, u32, u32) = (3, 14, 8);
pub const VERSION_TEXT: &str = "3.14.8";
pub const HEXVERSION: u32 = 0x030e_08f0;
/// Adder's own version.
pub const ADDER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the module and fills what does not need imports.
pub fn create() -> PyResult<Ref<PyModuleObject>> {
    adder_runtime::module::load_without_spec(&sys::DEF)
}

fn text(value: &str) -> Ref {
    PyUnicodeObject::from_str(value).into_object()
}

fn text_list(values: &[String]) -> Ref {
    PyListObject::from_vec(values.iter().map(|value| text(value)).collect()).into_object()
}

/// A path or argument from the operating system, undecodable bytes as surrogates.
pub fn os_text(value: &std::ffi::OsStr) -> Ref {
    use std::os::unix::ffi::OsStrExt;
    match adder_runtime::objects::codecs::decode_text(value.as_bytes(), "utf-8", Some("surrogateescape")) {
        Ok(text) => text.into_object(),
        Err(raised) => {
            raised.clear();
            text(&value.to_string_lossy())
        }
    }
}

/// Interpreter state and functions.
#[pymodule(name = "sys")]
pub mod sys {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let config = config::get();
        let (major, minor, micro) = VERSION;
        let compiled = concat!("[Adder ", env!("CARGO_PKG_VERSION"), ", Rust]");
        module.add("version", text(&format!("{VERSION_TEXT} (Adder {ADDER_VERSION}) {compiled}")))?;
        module.add("hexversion", PyLongObject::from_u64(HEXVERSION.into()).into_object())?;
        module.add("api_version", PyLongObject::from_i64(1013).into_object())?;
        module.add(
            "copyright",
            text("Adder is a Python virtual machine by its authors.\nIts standard library is the Python Software Foundation's.\nAll Rights Reserved."),
        )?;
        module.add("platform", text("linux"))?;
        module.add("byteorder", text("little"))?;
        module.add("maxsize", PyLongObject::from_isize(isize::MAX).into_object())?;
        module.add("maxunicode", PyLongObject::from_i64(0x10ffff).into_object())?;
        module.add("executable", text(&config.executable))?;
        module.add("_base_executable", text(&config.base_executable))?;
        for (name, value) in [("prefix", &config.prefix), ("exec_prefix", &config.prefix)] {
            module.add(name, text(value))?;
        }
        for name in ["base_prefix", "base_exec_prefix"] {
            module.add(name, text(&config.base_prefix))?;
        }
        module.add("platlibdir", text("lib"))?;
        module.add("_stdlib_dir", text(&config.stdlib_dir))?;
        module.add("pycache_prefix", config.pycache_prefix.as_deref().map_or_else(none_ref, text))?;
        module.add("float_repr_style", text("short"))?;
        module.add("abiflags", text(""))?;
        module.add("_framework", text(""))?;
        module.add("_git", PyTupleObject::from_vec(vec![text("Adder"), text(""), text("")]).into_object())?;
        module.add("dont_write_bytecode", py_bool(config.dont_write_bytecode))?;
        module.add("warnoptions", text_list(&config.warn_options))?;
        let x_options = PyDictObject::new();
        for (name, value) in &config.x_options {
            let value = value.as_deref().map_or_else(|| py_bool(true), text);
            x_options.set(&text(name), &value)?;
        }
        module.add("_xoptions", x_options.into_object())?;
        let arguments = |list: &[std::ffi::OsString]| {
            PyListObject::from_vec(list.iter().map(|argument| os_text(argument)).collect()).into_object()
        };
        module.add("argv", arguments(&config.argv))?;
        module.add("orig_argv", arguments(&config.orig_argv))?;
        module.add("path", PyListObject::new().into_object())?;
        module.add("meta_path", PyListObject::new().into_object())?;
        module.add("path_hooks", PyListObject::new().into_object())?;
        module.add("path_importer_cache", PyDictObject::new().into_object())?;
        module.add("modules", PyDictObject::new().into_object())?;
        let names = crate::import::builtin_module_names();
        let names = names.into_iter().map(text).collect();
        module.add("builtin_module_names", PyTupleObject::from_vec(names).into_object())?;
        let names = super::info::STDLIB_MODULE_NAMES.iter().map(|name| text(name)).collect::<Vec<_>>();
        let stdlib = PySetObject::new_frozenset();
        for name in &names {
            stdlib.add(name)?;
        }
        module.add("stdlib_module_names", stdlib.into_object())?;
        let version_info = super::info::version_info()?;
        module.add("version_info", version_info.clone())?;
        module.add("flags", super::info::flags(config)?)?;
        module.add("float_info", super::info::float_info()?)?;
        module.add("int_info", super::info::int_info()?)?;
        module.add("hash_info", super::info::hash_info()?)?;
        module.add("thread_info", super::info::thread_info()?)?;
        module.add("implementation", super::info::implementation(&version_info)?)?;
        module.add("_adder", super::info::adder(major, minor, micro)?)?;
        super::info::init_types()?;
        for hook in ["displayhook", "excepthook", "breakpointhook", "unraisablehook"] {
            if let Some(function) = module.dict().get_str(&PyUnicodeObject::from_str(hook)) {
                module.add(&format!("__{hook}__"), function)?;
            }
        }
        Ok(())
    }

    /// Adds a hook that is called with every audit event.
    #[pyfunction("($module, /, hook)")]
    fn addaudithook(hook: &PyObject) -> PyResult<()> {
        super::audit::add_hook(hook)
    }
    /// Raises an audit event with its arguments.
    #[pyfunction(raw, "($module, event, /, *args)")]
    fn audit(args: &[&PyObject]) -> PyResult<()> {
        let [event, rest @ ..] = args else {
            return Err(raise!(TypeError, "audit expected at least 1 argument, got 0"));
        };
        let Some(event) = event.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "expected str for argument 'event', not {}", event.ty().name()));
        };
        super::audit::raise_event(event.to_str()?, rest)
    }
    /// Calls `sys.breakpointhook`'s default: `pdb.set_trace`, or what PYTHONBREAKPOINT names.
    #[pyfunction(raw, "($module, /, *args, **kws)")]
    fn breakpointhook(args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let wanted = std::env::var("PYTHONBREAKPOINT").ok().filter(|value| !value.is_empty());
        let wanted = wanted.unwrap_or_else(|| "pdb.set_trace".to_string());
        if wanted == "0" {
            return Ok(none_ref());
        }
        let (module, name) = wanted.rsplit_once('.').unwrap_or(("builtins", &wanted));
        let hook = adder_runtime::hooks::import_module(module)?.get_attr_str(name)?;
        match kwnames {
            Some(names) => hook.call_keywords(args, names),
            None => hook.call(args),
        }
    }
    /// Prints a value as the prompt does, and keeps it in `builtins._`.
    #[pyfunction("($module, object, /)")]
    fn displayhook(object: &PyObject) -> PyResult<()> {
        let builtins = crate::builtins::dict()?;
        if is_none(object) {
            return Ok(());
        }
        builtins.set_str(identifier!("_"), none())?;
        let Some(stdout) = stream(identifier!("stdout")) else {
            return Err(raise!(RuntimeError, "lost sys.stdout"));
        };
        let shown = object.repr()?;
        if let Err(raised) = stdout.call_method(identifier!("write"), &[shown.as_object()]) {
            raised.clear_if(exc::UnicodeEncodeError)?;
            let ascii = object.ascii()?;
            stdout.call_method(identifier!("write"), &[ascii.as_object()])?;
        }
        stdout.call_method(identifier!("write"), &[&text("\n")])?;
        builtins.set_str(identifier!("_"), object)
    }
    /// The exception that is being handled, or None.
    #[pyfunction("($module, /)")]
    fn exception() -> PyResult {
        Ok(exceptions::handled_exception().unwrap_or_else(none_ref))
    }
    /// The type, value and traceback of the exception that is being handled.
    #[pyfunction("($module, /)")]
    fn exc_info() -> PyResult {
        let Some(exception) = exceptions::handled_exception() else {
            return Ok(PyTupleObject::from_slice(&[none(), none(), none()]).into_object());
        };
        let traceback = exceptions::get_traceback(&exception).unwrap_or_else(none_ref);
        let ty = exception.ty().to_object();
        Ok(PyTupleObject::from_vec(vec![ty, exception, traceback]).into_object())
    }
    /// Prints an exception with its traceback.
    #[pyfunction("($module, exctype, value, traceback, /)")]
    fn excepthook(_exctype: &PyObject, value: &PyObject, traceback: &PyObject) -> PyResult<()> {
        if exceptions::is_exception_instance(value) && exceptions::get_traceback(value).is_none() && !is_none(traceback) {
            exceptions::set_traceback(value, Some(traceback.to_ref()));
        }
        crate::pythonrun::display_exception(value);
        Ok(())
    }
    /// Reports an exception that nobody can receive.
    #[pyfunction("($module, unraisable, /)")]
    fn unraisablehook(unraisable: &PyObject) -> PyResult<()> {
        crate::pythonrun::default_unraisable_hook(unraisable)
    }
    /// Ends the interpreter by SystemExit.
    #[pyfunction("($module, status=None, /)")]
    fn exit(status: Option<&PyObject>) -> PyResult<()> {
        match status {
            None => Err(raise!(SystemExit)),
            Some(status) => Err(raise!(SystemExit, value => status)),
        }
    }
    #[pyfunction("($module, /)")]
    fn getdefaultencoding() -> &'static str {
        "utf-8"
    }
    #[pyfunction("($module, /)")]
    fn getfilesystemencoding() -> &'static str {
        "utf-8"
    }
    #[pyfunction("($module, /)")]
    fn getfilesystemencodeerrors() -> &'static str {
        "surrogateescape"
    }
    /// Returns the one string with this text.
    #[pyfunction("($module, string, /)")]
    fn intern(string: &PyUnicodeObject) -> PyResult {
        if !PyUnicodeObject::check_exact(string.as_object()) {
            return Err(raise!(TypeError, "can't intern {}", string.as_object().ty().name()));
        }
        Ok(PyUnicodeObject::intern(string.to_ref()).into_object())
    }
    #[pyfunction("($module, string, /)")]
    fn _is_interned(string: &PyUnicodeObject) -> bool {
        string.is_interned()
    }
    #[pyfunction("($module, op, /)")]
    fn _is_immortal(op: &PyObject) -> bool {
        op.is_immortal()
    }
    #[pyfunction("($module, /)")]
    fn _is_gil_enabled() -> bool {
        true
    }
    /// Whether the interpreter is shutting down.
    #[pyfunction("($module, /)")]
    fn is_finalizing() -> bool {
        INTERPRETER.finalizing.load(Ordering::Relaxed)
    }
    #[pyfunction("($module, /)")]
    fn is_stack_trampoline_active() -> bool {
        false
    }
    /// The number of references to the object, with that of the call.
    #[pyfunction("($module, object, /)")]
    fn getrefcount(object: &PyObject) -> u32 {
        object.refcnt()
    }
    /// How deep Python calls may nest.
    #[pyfunction("($module, /)")]
    fn getrecursionlimit() -> usize {
        INTERPRETER.recursion_limit.load(Ordering::Relaxed)
    }
    /// Sets how deep Python calls may nest.
    #[pyfunction("($module, limit, /)")]
    fn setrecursionlimit(limit: i32) -> PyResult<()> {
        if limit < 1 {
            return Err(raise!(ValueError, "recursion limit must be greater or equal than 1"));
        }
        let depth = thread_state().recursion_depth.get();
        if depth >= limit as usize {
            return Err(raise!(
                RecursionError,
                "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
            ));
        }
        INTERPRETER.recursion_limit.store(limit as usize, Ordering::Relaxed);
        Ok(())
    }
    /// The size of the object in bytes.
    #[pyfunction("($module, object, default=<unrepresentable>)")]
    fn getsizeof(object: &PyObject, default: Option<&PyObject>) -> PyResult {
        match sizeof(object) {
            Ok(size) => Ok(PyLongObject::from_usize(size).into_object()),
            Err(raised) => match default {
                Some(default) => {
                    raised.clear_if(exc::TypeError)?;
                    Ok(default.to_ref())
                }
                None => Err(raised),
            },
        }
    }
    /// How long a thread may hold the GIL while others wait, in seconds.
    #[pyfunction("($module, /)")]
    fn getswitchinterval() -> f64 {
        thread::switch_interval_us() as f64 / 1e6
    }
    #[pyfunction("($module, interval, /)")]
    fn setswitchinterval(interval: f64) -> PyResult<()> {
        if interval <= 0.0 || interval.is_nan() {
            return Err(raise!(ValueError, "switch interval must be strictly positive"));
        }
        thread::set_switch_interval_us((interval * 1e6) as u64);
        Ok(())
    }
    /// The limit of digits in conversions between int and str.
    #[pyfunction("($module, /)")]
    fn get_int_max_str_digits() -> usize {
        adder_runtime::objects::longobject::max_str_digits()
    }
    #[pyfunction("($module, /, maxdigits)")]
    fn set_int_max_str_digits(maxdigits: i32) -> PyResult<()> {
        if maxdigits != 0 && maxdigits < 640 {
            return Err(raise!(ValueError, "maxdigits must be 0 or larger than 640"));
        }
        adder_runtime::objects::longobject::set_max_str_digits(maxdigits as usize);
        Ok(())
    }
    #[pyfunction("($module, /)")]
    fn getallocatedblocks() -> usize {
        adder_runtime::memory::allocated_blocks()
    }
    #[pyfunction("($module, /)")]
    fn getunicodeinternedsize() -> usize {
        PyUnicodeObject::interned_count()
    }
    /// The flags that `os.dlopen` uses for extension modules.
    #[pyfunction("($module, /)")]
    fn getdlopenflags() -> i32 {
        super::DLOPEN_FLAGS.load(Ordering::Relaxed)
    }
    #[pyfunction("($module, flags, /)")]
    fn setdlopenflags(flags: i32) {
        super::DLOPEN_FLAGS.store(flags, Ordering::Relaxed);
    }
    #[pyfunction("($module, /)")]
    fn _clear_type_cache() {}
    #[pyfunction("($module, /)")]
    fn _clear_internal_caches() {}
    #[pyfunction("($module, /)")]
    fn _get_cpu_count_config() -> i32 {
        -1
    }
    /// The frame that is `depth` calls below the caller's.
    #[pyfunction("($module, depth=0, /)")]
    fn _getframe(depth: Option<i32>) -> PyResult {
        let frame = crate::frameobject::frame_at(depth.unwrap_or(0).max(0) as usize)?;
        let Some(frame) = frame else { return Err(raise!(ValueError, "call stack is not deep enough")) };
        super::audit::raise_event("sys._getframe", &[&frame])?;
        Ok(frame)
    }
    /// The name of the module of the frame that is `depth` calls below.
    #[pyfunction("($module, /, depth=0)")]
    fn _getframemodulename(depth: Option<i32>) -> PyResult {
        let depth = depth.unwrap_or(0).max(0) as usize;
        match crate::frameobject::function_at(depth) {
            Some(function) => {
                let module = function.get_attr_opt(identifier!("__module__"))?;
                Ok(module.unwrap_or_else(none_ref))
            }
            None => Ok(none_ref()),
        }
    }
    /// Each thread's innermost frame.
    #[pyfunction("($module, /)")]
    fn _current_frames() -> PyResult {
        super::audit::raise_event("sys._current_frames", &[])?;
        let result = PyDictObject::new();
        for state in thread::all_thread_states() {
            if let Some(frame) = crate::frameobject::innermost_of(state)? {
                result.set(PyLongObject::from_u64(state.thread_ident.get()).as_object(), &frame)?;
            }
        }
        Ok(result.into_object())
    }
    /// Each thread's handled exception.
    #[pyfunction("($module, /)")]
    fn _current_exceptions() -> PyResult {
        super::audit::raise_event("sys._current_exceptions", &[])?;
        let result = PyDictObject::new();
        for state in thread::all_thread_states() {
            let exception = exceptions::handled_exception_of(state).unwrap_or_else(none_ref);
            result.set(PyLongObject::from_u64(state.thread_ident.get()).as_object(), &exception)?;
        }
        Ok(result.into_object())
    }
    /// Sets the function that is told of calls, lines, returns and exceptions.
    #[pyfunction("($module, function, /)")]
    fn settrace(function: &PyObject) {
        crate::tracing::set_trace(Some(function).filter(|function| !is_none(function)));
    }
    #[pyfunction("($module, /)")]
    fn gettrace() -> PyResult {
        Ok(crate::tracing::get_trace())
    }
    /// Sets the function that is told of calls and returns.
    #[pyfunction("($module, function, /)")]
    fn setprofile(function: &PyObject) {
        crate::tracing::set_profile(Some(function).filter(|function| !is_none(function)));
    }
    #[pyfunction("($module, /)")]
    fn getprofile() -> PyResult {
        Ok(crate::tracing::get_profile())
    }
    /// Sets how many frames of a coroutine's origin are kept.
    #[pyfunction("($module, /, depth)")]
    fn set_coroutine_origin_tracking_depth(depth: i32) -> PyResult<()> {
        if depth < 0 {
            return Err(raise!(ValueError, "depth must be >= 0"));
        }
        thread_state().base.coroutine_origin_tracking_depth.set(depth);
        Ok(())
    }
    #[pyfunction("($module, /)")]
    fn get_coroutine_origin_tracking_depth() -> i32 {
        thread_state().base.coroutine_origin_tracking_depth.get()
    }
    /// Sets the hooks of asynchronous generators of this thread.
    #[pyfunction("($module, /, firstiter=<unrepresentable>, finalizer=<unrepresentable>)")]
    fn set_asyncgen_hooks(firstiter: Option<&PyObject>, finalizer: Option<&PyObject>) -> PyResult<()> {
        let base = &thread_state().base;
        for (value, name) in [(finalizer, "finalizer"), (firstiter, "firstiter")] {
            if let Some(value) = value
                && !is_none(value)
                && !value.is_callable()
            {
                return Err(raise!(TypeError, "callable {name} expected, got {}", value.ty().name()));
            }
        }
        for (value, place) in [(finalizer, &base.async_gen_finalizer), (firstiter, &base.async_gen_firstiter)] {
            if let Some(value) = value {
                let new = if is_none(value) { std::ptr::null_mut() } else { value.to_ref().into_raw() };
                // SAFETY: the thread state owned the old hook.
                drop(unsafe { Ref::from_owned_opt(place.replace(new)) });
            }
        }
        Ok(())
    }
    #[pyfunction("($module, /)")]
    fn get_asyncgen_hooks() -> PyResult {
        let base = &thread_state().base;
        // SAFETY: fields of the thread state: objects or null.
        let hooks = [&base.async_gen_firstiter, &base.async_gen_finalizer]
            .map(|place| unsafe { Ref::from_borrowed_opt(place.get()) }.unwrap_or_else(none_ref));
        super::info::asyncgen_hooks(hooks.to_vec())
    }
    #[pyfunction("($module, /)")]
    fn activate_stack_trampoline() -> PyResult<()> {
        Err(raise!(ValueError, "perf trampoline not available"))
    }
    #[pyfunction("($module, /)")]
    fn deactivate_stack_trampoline() {}
    #[pyfunction("($module, /)")]
    fn _debugmallocstats() {}
    /// Calls a function of Python with arguments and keywords; for tests.
    #[pyfunction("($module, func, args, /)")]
    fn call_tracing(func: &PyObject, args: &PyTupleObject) -> PyResult {
        func.call_tuple(args, None)
    }
}

/// `RTLD_NOW`: how extension modules are loaded.
static DLOPEN_FLAGS: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(libc::RTLD_NOW);

/// The flags for loading extension modules.
pub fn dlopen_flags() -> i32 {
    DLOPEN_FLAGS.load(Ordering::Relaxed)
}

/// `sys.NAME` when it is there and not None.
pub fn stream(name: &PyUnicodeObject) -> Option<Ref> {
    state::sys_dict()?.get_str(name).filter(|stream| !is_none(stream))
}

fn sizeof(object: &PyObject) -> PyResult<usize> {
    let Some(method) = object.lookup_special(identifier!("__sizeof__"))? else {
        return Err(raise!(TypeError, "Type {} doesn't define __sizeof__", object.ty().name()));
    };
    let size = method.call0()?;
    let Some(size) = (*size).downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "'{}' object cannot be interpreted as an integer", size.ty().name()));
    };
    let size = size.as_isize()?;
    let size = usize::try_from(size).map_err(|_| raise!(ValueError, "__sizeof__() should return >= 0"))?;
    Ok(size + object.ty().prehead_size())
}
