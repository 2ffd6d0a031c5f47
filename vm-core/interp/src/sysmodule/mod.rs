//! The `sys` module: state of the interpreter, hooks, and what concerns frames and threads.

use crate::errors;
use crate::frame::{Frame, call_stack, current_frame};
use crate::frameobject::object_of;
use crate::pylifecycle::config;
use crate::state::{self, GilCell};
use adder_runtime::abi::*;
use adder_runtime::args::Kwargs;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, thread_state};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::Ordering;

pub mod info;
pub mod jit;
mod stdlib_names;

/// Of the interpreter that runs.
pub static AUDIT_HOOKS: GilCell<Vec<Ref>> = GilCell::new(Vec::new());

/// Raises an audit event.
pub fn audit_event(event: &str, args: &[&PyObject]) -> PyResult<()> {
    if AUDIT_HOOKS.with(|hooks| hooks.is_empty()) {
        return Ok(());
    }
    let hooks = AUDIT_HOOKS.get();
    let name = PyUnicodeObject::from_str(event);
    let args = PyTupleObject::from_slice(args);
    let ts = thread_state();
    for hook in hooks {
        // Hooks are not traced unless they ask for it.
        let traced = match hook.get_attr_opt(identifier!("__cantrace__"))? {
            Some(wish) => wish.is_true()?,
            None => false,
        };
        let tracing = ts.base.tracing.get();
        ts.base.tracing.set(if traced { tracing } else { tracing + 1 });
        let result = hook.call(&[name.as_object(), args.as_object()]);
        ts.base.tracing.set(tracing);
        result?;
    }
    Ok(())
}

fn text(value: &str) -> Ref {
    PyUnicodeObject::from_str(value).into_object()
}

fn get(name: &'static PyUnicodeObject) -> Option<Ref> {
    state::sys_dict()?.get_str(name)
}

/// The frame that is `depth` calls above the innermost.
fn frame_at(depth: usize) -> PyResult<*mut Frame> {
    // SAFETY: the thread's frames are alive.
    let frame = unsafe { call_stack(current_frame(thread_state())).nth(depth) };
    frame.ok_or_else(|| raise!(ValueError, "call stack is not deep enough"))
}

/// System-specific parameters and functions.
#[pymodule(name = "sys")]
pub mod sys {
    use super::*;

    /// Return a frame object from the call stack.
    #[pyfunction("($module, depth=0, /)")]
    fn _getframe(depth: i32) -> PyResult {
        let frame = frame_at(usize::try_from(depth).unwrap_or(0))?;
        // SAFETY: linked frames are alive.
        let object: Ref = unsafe { object_of(frame)?.cast() };
        audit_event("sys._getframe", &[&object])?;
        Ok(object)
    }
    /// Return the name of the module for a calling frame.
    #[pyfunction("($module, /, depth=0)")]
    fn _getframemodulename(depth: i32) -> PyResult {
        let audited = PyLongObject::from_i64(i64::from(depth));
        audit_event("sys._getframemodulename", &[audited.as_object()])?;
        let Ok(frame) = frame_at(usize::try_from(depth).unwrap_or(0)).map_err(Raised::clear) else {
            return Ok(none_ref());
        };
        // SAFETY: linked frames are alive.
        let module = unsafe { Ref::from_borrowed_opt((*frame).func().func_module.get()) };
        Ok(module.unwrap_or_else(none_ref))
    }
    /// Return a dict mapping each thread's identifier to its current stack frame.
    #[pyfunction("($module, /)")]
    fn _current_frames() -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        for state in thread::interpreter().thread_states() {
            // SAFETY: no thread runs while we hold the GIL, so its frames stay; frame objects are objects.
            unsafe {
                let Some(frame) = call_stack(current_frame(state)).next() else {
                    continue;
                };
                let ident = PyLongObject::from_u64(state.thread_ident.get());
                dict.set(ident.as_object(), &object_of(frame)?.cast())?;
            }
        }
        Ok(dict)
    }
    /// Return a dict mapping each thread's identifier to its current raised exception.
    #[pyfunction("($module, /)")]
    fn _current_exceptions() -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        for state in thread::interpreter().thread_states() {
            let ident = PyLongObject::from_u64(state.thread_ident.get());
            let exception = errors::handled_exception(state).unwrap_or_else(none_ref);
            dict.set(ident.as_object(), &exception)?;
        }
        Ok(dict)
    }
    /// Return the current exception information: (type, value, traceback).
    #[pyfunction("($module, /)")]
    fn exc_info() -> Ref<PyTupleObject> {
        let parts = match errors::handled_exception(thread_state()) {
            None => vec![none_ref(), none_ref(), none_ref()],
            Some(exception) => {
                let traceback = errors::traceback_of(&exception).unwrap_or_else(none_ref);
                vec![exception.ty().to_object(), exception, traceback]
            }
        };
        PyTupleObject::from_vec(parts)
    }
    /// Return the current exception.
    #[pyfunction("($module, /)")]
    fn exception() -> Ref {
        errors::handled_exception(thread_state()).unwrap_or_else(none_ref)
    }
    /// Exit the interpreter by raising SystemExit(status).
    #[pyfunction("($module, status=None, /)")]
    fn exit(status: Option<&PyObject>) -> PyResult {
        Err(match status {
            None => raise!(SystemExit),
            Some(status) => adder_runtime::error::set_object(exc::SystemExit.as_object(), Some(status)),
        })
    }
    /// Return the reference count of object.
    #[pyfunction("($module, object, /)")]
    fn getrefcount(object: &PyObject) -> u32 {
        if object.is_immortal() {
            return object.ob_refcnt.get();
        }
        object.ob_refcnt.get() - crate::frame::lent_references(object) as u32
    }
    /// Return the current value of the recursion limit.
    #[pyfunction("($module, /)")]
    fn getrecursionlimit() -> i32 {
        thread::interpreter().recursion_limit.load(Ordering::Relaxed)
    }
    /// Set the maximum depth of the Python interpreter stack to n.
    #[pyfunction("($module, limit, /)")]
    fn setrecursionlimit(limit: i32) -> PyResult<()> {
        if limit < 1 {
            return Err(raise!(
                ValueError,
                "recursion limit must be greater or equal than 1"
            ));
        }
        let depth = thread_state().recursion_depth();
        if depth >= limit {
            return Err(raise!(
                RecursionError,
                "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
            ));
        }
        thread::interpreter().set_recursion_limit(limit);
        Ok(())
    }
    /// Return the size of object in bytes.
    #[pyfunction("~($module, /, object, default=<unrepresentable>)")]
    fn getsizeof(object: &PyObject, default: Option<&PyObject>) -> PyResult {
        let size = (|| {
            let Some(method) = object.lookup_special(identifier!("__sizeof__"))? else {
                return Err(raise!(
                    TypeError,
                    "Type {} doesn't define __sizeof__",
                    object.ty().name()
                ));
            };
            let size = method.call0()?.index()?.as_isize()?;
            if size < 0 {
                return Err(raise!(ValueError, "__sizeof__() should return >= 0"));
            }
            Ok(size as usize + object.ty().prehead_size())
        })();
        match (size, default) {
            (Ok(size), _) => Ok(PyLongObject::from_usize(size).into_object()),
            (Err(raised), Some(default)) => raised.clear_if(exc::TypeError).map(|()| default.to_ref()),
            (Err(raised), None) => Err(raised),
        }
    }
    /// Enter string into the table of interned strings and return it.
    #[pyfunction("($module, string, /)")]
    fn intern(string: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        if !PyUnicodeObject::check_exact(string.as_object()) {
            return Err(raise!(
                TypeError,
                "can't intern {}",
                string.as_object().ty().name()
            ));
        }
        Ok(PyUnicodeObject::intern(string.to_ref()))
    }
    #[pyfunction("($module, string, /)")]
    fn _is_interned(string: &PyUnicodeObject) -> bool {
        string.is_interned()
    }
    #[pyfunction("($module, op, /)")]
    fn _is_immortal(op: &PyObject) -> bool {
        op.is_immortal()
    }
    /// Return True if the interpreter is being finalized.
    #[pyfunction("($module, /)")]
    fn is_finalizing() -> bool {
        INTERPRETER.finalizing.load(Ordering::Relaxed)
            || thread::interpreter().finalizing.load(Ordering::Relaxed)
    }
    /// Set the global debug tracing function.
    #[pyfunction("($module, function, /)")]
    fn settrace(function: &PyObject) -> PyResult<()> {
        audit_event("sys.settrace", &[])?;
        crate::tracing::set_trace(Some(function).filter(|function| !is_none(function)));
        Ok(())
    }
    /// Return the global debug tracing function set with sys.settrace.
    #[pyfunction("($module, /)")]
    fn gettrace() -> Ref {
        crate::tracing::get_trace()
    }
    /// Set the profiling function.
    #[pyfunction("($module, function, /)")]
    fn setprofile(function: &PyObject) -> PyResult<()> {
        audit_event("sys.setprofile", &[])?;
        crate::tracing::set_profile(Some(function).filter(|function| !is_none(function)));
        Ok(())
    }
    /// Return the profiling function set with sys.setprofile.
    #[pyfunction("($module, /)")]
    fn getprofile() -> Ref {
        crate::tracing::get_profile()
    }
    #[pyfunction("($module, arg, /)")]
    fn _settraceallthreads(arg: &PyObject) -> PyResult<()> {
        audit_event("sys.settrace", &[])?;
        crate::tracing::set_trace_of_all(Some(arg).filter(|arg| !is_none(arg)));
        Ok(())
    }
    #[pyfunction("($module, arg, /)")]
    fn _setprofileallthreads(arg: &PyObject) -> PyResult<()> {
        audit_event("sys.setprofile", &[])?;
        crate::tracing::set_profile_of_all(Some(arg).filter(|arg| !is_none(arg)));
        Ok(())
    }
    /// Call func(*args), while tracing is enabled.
    #[pyfunction("($module, func, args, /)")]
    fn call_tracing(func: &PyObject, args: &PyTupleObject) -> PyResult {
        let ts = thread_state();
        let depth = ts.base.tracing.replace(0);
        let result = func.call_tuple(args, None);
        ts.base.tracing.set(depth);
        result
    }
    /// Return the current default encoding used by the Unicode implementation.
    #[pyfunction("($module, /)")]
    fn getdefaultencoding() -> &'static str {
        "utf-8"
    }
    /// Return the encoding used to convert Unicode filenames to OS filenames.
    #[pyfunction("($module, /)")]
    fn getfilesystemencoding() -> &'static str {
        "utf-8"
    }
    /// Return the error mode used for Unicode to OS filename conversion.
    #[pyfunction("($module, /)")]
    fn getfilesystemencodeerrors() -> &'static str {
        "surrogateescape"
    }
    /// Runs the basic prompt, without an editor, to the end of standard input.
    #[pyfunction("($module, /)")]
    fn _baserepl() -> PyResult {
        adder_runtime::hooks::import_module("_baserepl")?.call_method(identifier!("basic"), &[])
    }
    /// Print an object to sys.stdout and also save it in builtins._
    #[pyfunction("($module, object, /)")]
    fn displayhook(object: &PyObject) -> PyResult<()> {
        let Some(builtins) = state::builtins_dict() else {
            return Err(raise!(RuntimeError, "lost builtins module"));
        };
        if is_none(object) {
            return Ok(());
        }
        builtins.set_str(identifier!("_"), none())?;
        let Some(stdout) = get(identifier!("stdout")).filter(|stdout| !is_none(stdout)) else {
            return Err(raise!(RuntimeError, "lost sys.stdout"));
        };
        let repr = object.repr()?;
        if let Err(raised) = stdout.call_method(identifier!("write"), &[repr.as_object()]) {
            raised.clear_if(exc::UnicodeEncodeError)?;
            let ascii = object.ascii()?;
            stdout.call_method(identifier!("write"), &[ascii.as_object()])?;
        }
        stdout.call_method(identifier!("write"), &[identifier!("\n").as_object()])?;
        builtins.set_str(identifier!("_"), object)
    }
    /// Handle an exception by displaying it with a traceback on sys.stderr.
    #[pyfunction("($module, exctype, value, traceback, /)")]
    fn excepthook(exctype: &PyObject, value: &PyObject, traceback: &PyObject) {
        let _ = exctype;
        if value.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS)
            && PyTracebackObject::check(traceback)
            && errors::traceback_of(value).is_none()
        {
            errors::set_traceback(value, Some(traceback.to_ref()));
        }
        crate::pythonrun::display_exception(value);
    }
    /// Handle an unraisable exception.
    #[pyfunction("($module, unraisable, /)")]
    fn unraisablehook(unraisable: &PyObject) -> PyResult<()> {
        default_unraisablehook(unraisable)
    }
    /// This hook function is called by built-in breakpoint().
    #[pyfunction(raw, "($module, *args, **kws)")]
    fn breakpointhook(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
        let named = std::env::var("PYTHONBREAKPOINT").unwrap_or_default();
        let target = match named.as_str() {
            "0" => return Ok(none_ref()),
            "" => "pdb.set_trace",
            named => named,
        };
        let (module, name) = target.rsplit_once('.').unwrap_or(("builtins", target));
        let found = match module {
            "" => Err(raise!(ImportError, "no module before .{name}")),
            _ => adder_runtime::hooks::import_module(module).and_then(|module| module.get_attr_str(name)),
        };
        match found {
            Ok(function) => {
                function.call_tuple(&PyTupleObject::from_slice(args), kwargs.to_dict()?.as_deref())
            }
            Err(raised) => {
                raised
                    .clear_if(exc::ImportError)
                    .or_else(|raised| raised.clear_if(exc::AttributeError))?;
                let message = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{target}\"");
                adder_runtime::hooks::warn(exc::RuntimeWarning, &message, 0)?;
                Ok(none_ref())
            }
        }
    }
    /// Passes the event to any hooks that are attached.
    #[pyfunction(raw, "($module, event, /, *args)")]
    fn audit(args: &[&PyObject]) -> PyResult<()> {
        let [event, rest @ ..] = args else {
            return Err(raise!(TypeError, "audit expected at least 1 argument, got 0"));
        };
        let Some(event) = event.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "expected str for argument 'event', not {}",
                event.ty().name()
            ));
        };
        audit_event(&event.to_string_lossy(), rest)
    }
    /// Adds a new audit hook callback.
    #[pyfunction("($module, /, hook)")]
    fn addaudithook(hook: &PyObject) -> PyResult<()> {
        if let Err(raised) = audit_event("sys.addaudithook", &[]) {
            return raised.clear_if(exc::RuntimeError);
        }
        AUDIT_HOOKS.with(|hooks| hooks.push(hook.to_ref()));
        Ok(())
    }
    /// Return the current thread switch interval.
    #[pyfunction("($module, /)")]
    fn getswitchinterval() -> f64 {
        thread::switch_interval_us() as f64 / 1e6
    }
    /// Set the ideal thread switching delay inside the Python interpreter.
    #[pyfunction("($module, interval, /)")]
    fn setswitchinterval(interval: f64) -> PyResult<()> {
        if interval <= 0.0 {
            return Err(raise!(ValueError, "switch interval must be strictly positive"));
        }
        thread::set_switch_interval_us((interval * 1e6) as u64);
        Ok(())
    }
    /// Check status of origin tracking for coroutine objects in this thread.
    #[pyfunction("($module, /)")]
    fn get_coroutine_origin_tracking_depth() -> i32 {
        thread_state().base.coroutine_origin_tracking_depth.get()
    }
    /// Enable or disable origin tracking for coroutine objects in this thread.
    #[pyfunction("($module, /, depth)")]
    fn set_coroutine_origin_tracking_depth(depth: i32) -> PyResult<()> {
        if depth < 0 {
            return Err(raise!(ValueError, "depth must be >= 0"));
        }
        thread_state().base.coroutine_origin_tracking_depth.set(depth);
        Ok(())
    }
    /// Return the installed asynchronous generators hooks.
    #[pyfunction("($module, /)")]
    fn get_asyncgen_hooks() -> PyResult {
        let ts = thread_state();
        // SAFETY: owned fields of the thread state, or null.
        let hooks = unsafe {
            [&ts.base.async_gen_firstiter, &ts.base.async_gen_finalizer]
                .map(|field| Ref::from_borrowed_opt(field.get()).unwrap_or_else(none_ref))
        };
        info::asyncgen_hooks(hooks.into())
    }
    /// Set the hooks for asynchronous generators of this thread.
    #[pyfunction("~($module, /, firstiter=<unrepresentable>, finalizer=<unrepresentable>)")]
    fn set_asyncgen_hooks(firstiter: Option<&PyObject>, finalizer: Option<&PyObject>) -> PyResult<()> {
        let ts = thread_state();
        for (value, name) in [(firstiter, "firstiter"), (finalizer, "finalizer")] {
            if let Some(value) = value
                && !is_none(value)
                && !value.is_callable()
            {
                return Err(raise!(
                    TypeError,
                    "callable {name} expected, got {}",
                    value.ty().name()
                ));
            }
        }
        for (value, field) in [
            (firstiter, &ts.base.async_gen_firstiter),
            (finalizer, &ts.base.async_gen_finalizer),
        ] {
            if let Some(value) = value {
                let new = if is_none(value) {
                    std::ptr::null_mut()
                } else {
                    value.to_ref().into_raw()
                };
                // SAFETY: the field owned its old value.
                drop(unsafe { Ref::from_owned_opt(field.replace(new)) });
            }
        }
        Ok(())
    }
    /// Return the maximum string digits limit for non-binary int<->str conversions.
    #[pyfunction("($module, /)")]
    fn get_int_max_str_digits() -> usize {
        adder_runtime::objects::longobject::max_str_digits()
    }
    /// Set the maximum string digits limit for non-binary int<->str conversions.
    #[pyfunction("($module, /, maxdigits)")]
    fn set_int_max_str_digits(maxdigits: i32) -> PyResult<()> {
        if maxdigits != 0 && maxdigits < 640 {
            return Err(raise!(ValueError, "maxdigits must be 0 or larger than 640"));
        }
        super::set_max_str_digits(maxdigits as usize);
        Ok(())
    }
    /// Return the number of memory blocks currently allocated.
    #[pyfunction("($module, /)")]
    fn getallocatedblocks() -> usize {
        adder_runtime::memory::pool::n_allocated()
    }
    /// Return the number of elements of the unicode interned dictionary.
    #[pyfunction("($module, /, *, _only_immortal=False)")]
    fn getunicodeinternedsize(_only_immortal: bool) -> usize {
        adder_runtime::objects::unicodeobject::interned::n_interned()
    }
    /// Takes `__dict__` and `__weakref__` out of a class, for making it again with slots.
    #[pyfunction("($module, type, /)")]
    fn _clear_type_descriptors(ty: &PyTypeObject) -> PyResult<()> {
        if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return Err(raise!(TypeError, "argument is immutable"));
        }
        if let Some(dict) = ty.dict() {
            dict.remove_str(identifier!("__dict__"))?;
            dict.remove_str(identifier!("__weakref__"))?;
        }
        adder_runtime::types::modified(ty);
        Ok(())
    }
    /// Clear the internal type lookup cache.
    #[pyfunction("($module, /)")]
    fn _clear_type_cache() -> PyResult<()> {
        adder_runtime::hooks::warn(
            adder_runtime::exceptions::exc::DeprecationWarning,
            "sys._clear_type_cache() is deprecated and may be removed in a future version of Python.  Use \
             sys._clear_internal_caches() instead.",
            1,
        )
    }
    /// Clear all internal performance-related caches.
    #[pyfunction("($module, /)")]
    fn _clear_internal_caches() {}
    /// Print memory statistics to stderr.
    #[pyfunction("($module, /)")]
    fn _debugmallocstats() {
        use adder_runtime::memory::pool;
        eprintln!(
            "Small block threshold = {}, in classes of 16 bytes.",
            pool::MAX_SIZE_BYTES
        );
        eprintln!("{} blocks in use.", pool::n_allocated());
    }
    #[pyfunction("($module, /)")]
    fn is_stack_trampoline_active() -> bool {
        false
    }
    #[pyfunction("($module, backend, /)")]
    fn activate_stack_trampoline(backend: &PyObject) -> PyResult<()> {
        let _ = backend;
        Err(raise!(ValueError, "perf trampoline not available"))
    }
    #[pyfunction("($module, /)")]
    fn deactivate_stack_trampoline() {}
    /// Return True if the GIL is currently enabled.
    #[pyfunction("($module, /)")]
    fn _is_gil_enabled() -> bool {
        true
    }
    /// Return True if remote debugging is enabled, False otherwise.
    #[pyfunction("($module, /)")]
    fn is_remote_debug_enabled() -> bool {
        crate::remote_debug::is_enabled()
    }
    /// Have a Python process run a file.
    ///
    /// The main thread of the process runs it between two bytecodes, as it does with the handlers of signals;
    /// nothing says when. The process must run the same executable as this one.
    #[pyfunction("($module, /, pid, script)")]
    fn remote_exec(pid: i32, script: &PyObject) -> PyResult<()> {
        let encoded =
            adder_runtime::hooks::import_module("os")?.call_method(identifier!("fsencode"), &[script])?;
        let number = PyLongObject::from_i64(pid.into());
        audit_event("sys.remote_exec", &[number.as_object(), script])?;
        match encoded.downcast::<PyBytesObject>() {
            Ok(encoded) => crate::remote_debug::request(pid, encoded.as_bytes()),
            Err(_) => Err(raise!(TypeError, "os.fsencode() did not give bytes")),
        }
    }
    /// Return the flags used for dlopen calls.
    #[pyfunction("($module, /)")]
    fn getdlopenflags() -> i32 {
        DLOPEN_FLAGS.get()
    }
    /// Set the flags used for dlopen calls.
    #[pyfunction("($module, flags, /)")]
    fn setdlopenflags(flags: i32) {
        DLOPEN_FLAGS.set(flags);
    }
    #[pyfunction("($module, /)")]
    fn _get_cpu_count_config() -> i64 {
        adder_runtime::hooks::CPU_COUNT.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Sets the limit for conversions and for literals; 0 for none.
pub fn set_max_str_digits(limit: usize) {
    adder_runtime::objects::longobject::set_max_str_digits(limit);
    adder_compiler::parse::INT_MAX_STR_DIGITS.store(limit, Ordering::Relaxed);
}

/// What `dlopen` of extension modules is called with.
pub static DLOPEN_FLAGS: GilCell<i32> = GilCell::new(libc::RTLD_NOW);

/// The argument of `sys.unraisablehook`.
pub fn unraisable_args(exception: &PyObject, context: Option<&str>, object: Option<&PyObject>) -> PyResult {
    let traceback = errors::traceback_of(exception).unwrap_or_else(none_ref);
    // A context says what is wrong with the object; without one it is the hook that does.
    let message = match (context, object) {
        (Some(context), Some(object)) => text(&format!("{context} {}", shown(object))),
        (Some(context), None) => text(context),
        (None, _) => none_ref(),
    };
    let object = object
        .filter(|_| context.is_none())
        .map_or_else(none_ref, PyObject::to_ref);
    info::unraisable(vec![
        exception.ty().to_object(),
        exception.to_ref(),
        traceback,
        message,
        object,
    ])
}

/// An object's repr, whatever that meets.
pub fn shown(object: &PyObject) -> String {
    match object.repr() {
        Ok(repr) => repr.to_string_lossy(),
        Err(raised) => {
            raised.clear();
            "<object repr() failed>".to_owned()
        }
    }
}

/// The default `sys.unraisablehook`.
pub fn default_unraisablehook(args: &PyObject) -> PyResult<()> {
    if !info::is_unraisable_args(args) {
        return Err(raise!(
            TypeError,
            "sys.unraisablehook argument type must be UnraisableHookArgs"
        ));
    }
    let get = |name: &str| args.get_attr_str(name);
    let (exception, message, object) = (get("exc_value")?, get("err_msg")?, get("object")?);
    let head = match (is_none(&message), is_none(&object)) {
        (true, true) => String::new(),
        (true, false) => format!("Exception ignored in: {}\n", shown(&object)),
        (false, true) => format!("{}:\n", message.str()?.to_string_lossy()),
        (false, false) => format!("{}: {}\n", message.str()?.to_string_lossy(), shown(&object)),
    };
    crate::pythonrun::write_stderr(&head);
    if !is_none(&exception) {
        crate::traceback::print_native(&exception);
    }
    Ok(())
}

/// The module with everything in it that the command line decides.
pub fn create() -> PyResult<Ref<PyModuleObject>> {
    let module = adder_runtime::module::load_without_spec(&sys::DEF)?;
    state::SYS.set(Some(module.to_ref()));
    info::fill(&module)?;
    let monitoring = adder_runtime::module::load_without_spec(&crate::monitoring::monitoring::DEF)?;
    module.add("monitoring", monitoring.into_object())?;
    let jit = adder_runtime::module::load_without_spec(&jit::_jit::DEF)?;
    module.add("_jit", jit.into_object())?;
    let config = config();
    let strings = |items: &[String]| {
        PyListObject::from_vec(items.iter().map(|item| text(item)).collect()).into_object()
    };
    module.add("modules", PyDictObject::new().into_object())?;
    let words = |words: &[OsString]| {
        let words = words
            .iter()
            .map(|word| PyUnicodeObject::from_os_str(word).into_object());
        PyListObject::from_vec(words.collect()).into_object()
    };
    module.add("argv", words(&config.argv))?;
    module.add("orig_argv", words(&config.orig_argv))?;
    module.add("warnoptions", strings(&config.warnoptions))?;
    let xoptions = PyDictObject::new();
    for (name, value) in &config.xoptions {
        let value = value.as_ref().map_or_else(|| py_bool(true), |value| text(value));
        xoptions.set(&text(name), &value)?;
    }
    module.add("_xoptions", xoptions.into_object())?;
    let mut path: Vec<OsString> = Vec::new();
    if let Some(given) = &config.pythonpath {
        let parts = given.as_bytes().split(|byte| *byte == b':');
        path.extend(
            parts
                .filter(|part| !part.is_empty())
                .map(|part| OsStr::from_bytes(part).to_owned()),
        );
    }
    path.push(crate::pylifecycle::stdlib_dir().into());
    module.add("path", words(&path))?;
    for name in ["meta_path", "path_hooks"] {
        module.add(name, PyListObject::new().into_object())?;
    }
    module.add("path_importer_cache", PyDictObject::new().into_object())?;
    module.add("dont_write_bytecode", py_bool(config.dont_write_bytecode))?;
    module.add(
        "pycache_prefix",
        config.pycache_prefix.as_deref().map_or_else(none_ref, text),
    )?;
    let names = crate::import::builtin_module_names();
    let names = names.iter().map(|name| text(name)).collect();
    module.add(
        "builtin_module_names",
        PyTupleObject::from_vec(names).into_object(),
    )?;
    let all = PySetObject::new_frozenset();
    for name in stdlib_names::NAMES.split_ascii_whitespace() {
        all.add(&text(name))?;
    }
    module.add("stdlib_module_names", all.into_object())?;
    for name in ["displayhook", "excepthook", "unraisablehook", "breakpointhook"] {
        if let Some(hook) = module.dict().get_str(&PyUnicodeObject::from_str(name)) {
            module.add(&format!("__{name}__"), hook)?;
        }
    }
    Ok(module)
}
