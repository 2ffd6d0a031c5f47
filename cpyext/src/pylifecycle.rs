//! pylifecycle.h, intrcheck.h: is it running, which version, ending the process, pending calls, signals.

use crate::export::Void;
use adder_runtime::prelude::*;
use adder_runtime::thread::INTERPRETER;
use std::ffi::CStr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// Runs the handlers of signals that have arrived; the first exception ends it.
pub fn check_signals() -> PyResult<()> {
    adder_interp::pending::run_signal_handlers()
}

/// Prints the exception that is set and forgets it.
pub fn print_and_clear() {
    // SAFETY: the calling thread is attached.
    unsafe { crate::pyerrors::PyErr_PrintEx(1) }
}

/// Ends the process as the SystemExit that is set says.
pub fn exit_by_exception() {
    let Some(exception) = adder_runtime::error::fetch() else {
        return;
    };
    let code = exception.get_attr(identifier!("code")).unwrap_or_else(|raised| {
        raised.clear();
        none_ref()
    });
    let status = if is_none(&code) {
        0
    } else if PyLongObject::check(&code) {
        crate::longobject::as_mask(&code).unwrap_or(1) as c_int
    } else {
        if let Ok(text) = code.str() {
            eprintln!("{}", text.to_string_lossy());
        }
        1
    };
    finish_and_exit(status);
}

/// Runs `atexit` functions, flushes the streams, ends the process.
fn finish_and_exit(status: c_int) -> ! {
    if let Ok(atexit) = crate::import::import_module("atexit")
        && let Err(raised) = atexit.call_method(identifier!("_run_exitfuncs"), &[])
    {
        raised.clear();
    }
    for name in [identifier!("stdout"), identifier!("stderr")] {
        if let Some(stream) = crate::sysmodule::sys_attribute_opt(name)
            && let Err(raised) = stream.call_method(identifier!("flush"), &[])
        {
            raised.clear();
        }
    }
    run_exit_functions();
    std::process::exit(status)
}

type ExitFunction = unsafe extern "C" fn();
static EXIT_FUNCTIONS: Mutex<Vec<ExitFunction>> = Mutex::new(Vec::new());

/// Calls what C registered with Py_AtExit, last first. Python is gone by then.
pub fn run_exit_functions() {
    let functions = std::mem::take(
        &mut *EXIT_FUNCTIONS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    );
    for function in functions.into_iter().rev() {
        // SAFETY: the function's contract is C's.
        unsafe { function() };
    }
}

/// Interpreter, function, data: for the end of interpreters that are not the main one.
static AT_EXIT: Mutex<Vec<[usize; 3]>> = Mutex::new(Vec::new());

/// Calls what C registered for the end of an interpreter, last first.
pub fn run_interpreter_exit(interpreter: *mut PyInterpreterState) {
    let take = || {
        let mut all = AT_EXIT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let at = all
            .iter()
            .rposition(|[owner, ..]| *owner == interpreter as usize)?;
        Some(all.remove(at))
    };
    while let Some([_, function, data]) = take() {
        // SAFETY: C gave a function of one pointer, and that pointer.
        unsafe {
            std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void)>(function)(data as *mut c_void)
        };
    }
}

type PendingCall = unsafe extern "C" fn(*mut c_void) -> c_int;

pub fn fatal_error(function: Option<&CStr>, message: Option<&CStr>) -> ! {
    let message = message.map_or("<message not set>".into(), CStr::to_string_lossy);
    match function {
        Some(function) => eprintln!("Fatal Python error: {}: {message}", function.to_string_lossy()),
        None => eprintln!("Fatal Python error: {message}"),
    }
    if let Some(dump) = adder_interp::pylifecycle::FATAL_ERROR_DUMP.get() {
        dump();
    }
    std::process::abort()
}

/// Text that C may keep for the life of the process.
fn keep(text: String) -> *const c_char {
    std::ffi::CString::new(text).unwrap_or_default().into_raw()
}

/// A wide text that C may keep for the life of the process; the same text is kept once.
fn keep_wide(text: &str) -> *const wchar_t {
    static KEPT: Mutex<Vec<&'static [wchar_t]>> = Mutex::new(Vec::new());
    let wide: Vec<wchar_t> = text.chars().map(|c| c as wchar_t).chain([0]).collect();
    let mut kept = KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(known) = kept.iter().find(|known| ***known == *wide) {
        return known.as_ptr();
    }
    let wide: &'static [wchar_t] = Box::leak(wide.into_boxed_slice());
    kept.push(wide);
    wide.as_ptr()
}

fn wide_attribute(name: &str) -> *const wchar_t {
    keep_wide(&crate::sysmodule::sys_text(name))
}

/// Sets `sys.argv` and, when asked, puts the script's directory in front of `sys.path`.
fn set_argv(n_args: c_int, args: *mut *mut wchar_t, update_path: bool) {
    // SAFETY: C gives that many wide texts.
    let args = (0..n_args.max(0) as usize)
        .map(|arg_idx| crate::unicodeobject::from_wide(unsafe { *args.add(arg_idx) }, -1));
    let result = args.collect::<PyResult<Vec<_>>>().and_then(|args| {
        let first = args
            .first()
            .map(|first| first.to_string_lossy())
            .unwrap_or_default();
        let args = args.into_iter().map(Ref::into_object).collect();
        crate::sysmodule::set_sys_attribute(identifier!("argv"), PyListObject::from_vec(args).as_object())?;
        if update_path {
            let directory = first.rsplit_once('/').map_or("", |(directory, _)| directory);
            let path = crate::sysmodule::sys_attribute(identifier!("path"))?;
            let directory = PyUnicodeObject::from_str(directory);
            path.call_method(
                identifier!("insert"),
                &[PyLongObject::from_i64(0).as_object(), directory.as_object()],
            )?;
        }
        Ok(())
    });
    if let Err(raised) = result {
        raised.clear();
    }
}

/// `sys.hexversion`.
#[unsafe(no_mangle)]
pub static Py_Version: u64 = adder_interp::sysmodule::info::HEX_VERSION as u64;

capi! {
    fn Py_IsInitialized() -> c_int { 1 }
    fn Py_IsFinalizing() -> c_int { c_int::from(INTERPRETER.finalizing.load(Ordering::Relaxed)) }
    fn Py_Initialize() -> Void { Void }
    fn Py_InitializeEx(_signals: c_int) -> Void { Void }
    fn Py_FinalizeEx() -> c_int { 0 }
    fn Py_Finalize() -> Void { Void }
    fn Py_AtExit(function: *mut c_void) -> c_int {
        // SAFETY: C gives a function without arguments.
        let function = unsafe { std::mem::transmute::<*mut c_void, ExitFunction>(function) };
        EXIT_FUNCTIONS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(function);
        0
    }
    /// Called when the interpreter ends, while Python is still there.
    fn PyUnstable_AtExit(interpreter: *mut c_void, function: *mut c_void, data: *mut c_void) -> PyResult<()> {
        if !std::ptr::eq(interpreter.cast(), &INTERPRETER) {
            AT_EXIT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push([interpreter as usize, function as usize, data as usize]);
            return Ok(());
        }
        let capsule = crate::capsule::call_at_exit(function, data)?;
        crate::import::import_module("atexit")?.call_method(identifier!("register"), &[&capsule]).map(drop)
    }
    fn Py_Exit(status: c_int) -> Void { finish_and_exit(status) }
    fn Py_FatalError(message: Option<&CStr>) -> Void { fatal_error(None, message) }
    fn _Py_FatalErrorFunc(function: Option<&CStr>, message: Option<&CStr>) -> Void { fatal_error(function, message) }
    fn Py_GetVersion() -> *const c_char {
        static VERSION: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        *VERSION.get_or_init(|| keep(crate::sysmodule::sys_text("version")) as usize) as *const c_char
    }
    fn Py_GetPlatform() -> *const c_char { c"linux".as_ptr() }
    fn Py_GetCopyright() -> *const c_char { c"See sys.copyright".as_ptr() }
    fn Py_GetCompiler() -> *const c_char { c"[Rust]".as_ptr() }
    fn Py_GetBuildInfo() -> *const c_char { c"adder".as_ptr() }
    fn Py_PACK_FULL_VERSION(x: c_int, y: c_int, z: c_int, level: c_int, serial: c_int) -> c_uint {
        let part = |value: c_int, mask: c_uint, shift: u32| (value as c_uint & mask) << shift;
        part(x, 0xff, 24) | part(y, 0xff, 16) | part(z, 0xff, 8) | part(level, 0xf, 4) | part(serial, 0xf, 0)
    }
    fn Py_PACK_VERSION(x: c_int, y: c_int) -> c_uint { (x as c_uint & 0xff) << 24 | (y as c_uint & 0xff) << 16 }

    fn Py_GetPrefix() -> *const wchar_t { wide_attribute("prefix") }
    fn Py_GetExecPrefix() -> *const wchar_t { wide_attribute("exec_prefix") }
    fn Py_GetProgramFullPath() -> *const wchar_t { wide_attribute("executable") }
    fn Py_GetProgramName() -> *const wchar_t { wide_attribute("executable") }
    fn Py_GetPythonHome() -> *const wchar_t { std::ptr::null() }
    fn Py_GetPath() -> *const wchar_t {
        let path = crate::sysmodule::sys_attribute_opt(identifier!("path"));
        let joined = path.and_then(|path| {
            path.to_tuple().map_err(Raised::clear).ok().map(|path| {
                let parts: Vec<String> = path.as_slice().iter().filter_map(|part| part.str().ok()).map(|part| part.to_string_lossy()).collect();
                parts.join(":")
            })
        });
        keep_wide(&joined.unwrap_or_default())
    }
    fn Py_SetPath(_path: *const wchar_t) -> Void { Void }
    fn Py_SetProgramName(_name: *const wchar_t) -> Void { Void }
    fn Py_SetPythonHome(_home: *const wchar_t) -> Void { Void }
    fn PySys_SetPath(path: *const wchar_t) -> Void {
        let path = crate::unicodeobject::from_wide(path, -1).and_then(|path| {
            let parts = path.to_string_lossy();
            let parts = parts.split(':').map(|part| PyUnicodeObject::from_str(part).into_object()).collect();
            crate::sysmodule::set_sys_attribute(identifier!("path"), PyListObject::from_vec(parts).as_object())
        });
        if let Err(raised) = path {
            raised.clear();
        }
        Void
    }
    fn PySys_SetArgv(n_args: c_int, args: *mut *mut wchar_t) -> Void { set_argv(n_args, args, true); Void }
    fn PySys_SetArgvEx(n_args: c_int, args: *mut *mut wchar_t, update_path: c_int) -> Void {
        set_argv(n_args, args, update_path != 0);
        Void
    }
    fn PySys_AddXOption(_option: *const wchar_t) -> Void { Void }
    fn Py_GetArgcArgv(n_args: *mut c_int, args: *mut *mut *mut wchar_t) -> Void {
        // SAFETY: C gives places.
        unsafe {
            crate::export::put(n_args, 0);
            crate::export::put(args, std::ptr::null_mut());
        }
        Void
    }
    fn PyImport_AppendInittab(_name: *const c_char, _init: *mut c_void) -> c_int { -1 }
    fn Py_AddPendingCall(function: *mut c_void, arg: *mut c_void) -> c_int {
        // SAFETY: C gives a function of one pointer.
        let function = unsafe { std::mem::transmute::<*mut c_void, PendingCall>(function) };
        let arg = arg as usize;
        let call = move || {
            // SAFETY: the function's contract is C's.
            match unsafe { function(arg as *mut c_void) } {
                0 => Ok(()),
                _ => Err(Raised::from_c("pending call")),
            }
        };
        if adder_interp::pending::add_pending_call(true, Box::new(call)) { 0 } else { -1 }
    }
    fn Py_MakePendingCalls() -> PyResult<()> { adder_interp::pending::make_pending_calls() }
    fn PyErr_CheckSignals() -> PyResult<()> { check_signals() }
    fn PyErr_SetInterrupt() -> Void {
        // SAFETY: raising a signal in this process.
        unsafe { libc::raise(libc::SIGINT) };
        Void
    }
    fn PyErr_SetInterruptEx(signal: c_int) -> c_int {
        // SAFETY: raising a signal in this process.
        if (1..65).contains(&signal) { unsafe { libc::raise(signal) } } else { -1 }
    }
    fn PyOS_InterruptOccurred() -> c_int { 0 }
    fn PyOS_BeforeFork() -> Void { Void }
    fn PyOS_AfterFork_Parent() -> Void { Void }
    fn PyOS_AfterFork_Child() -> Void {
        adder_runtime::thread::after_fork_in_child();
        adder_runtime::thread::reinit_gil_after_fork();
        Void
    }
    fn PyOS_AfterFork() -> Void {
        adder_runtime::thread::after_fork_in_child();
        adder_runtime::thread::reinit_gil_after_fork();
        Void
    }
    /// The descriptor before; -1 when there was none or `fd` is not good.
    fn PySignal_SetWakeupFd(fd: c_int) -> c_int {
        let set = crate::import::import_module("_signal").and_then(|signal| {
            let old = signal.call_method(identifier!("set_wakeup_fd"), &[PyLongObject::from_i64(fd.into()).as_object()])?;
            crate::longobject::as_c_int(&old)
        });
        set.unwrap_or_else(|raised| {
            raised.clear();
            -1
        })
    }
    fn PyUnstable_ThreadState_SetStackProtection(state: *mut PyThreadState, start: *mut c_void, n_bytes: usize) -> PyResult<()> {
        let reserve = adder_runtime::thread::STACK_RESERVE;
        if n_bytes < 2 * reserve {
            return Err(raise!(ValueError, "stack_size must be at least {} bytes", 2 * reserve));
        }
        // SAFETY: C gives a state of ours.
        let state = unsafe { &*state.cast::<adder_runtime::thread::ThreadState>() };
        state.stack_limit.set(start as usize + reserve);
        state.stack_top.set(start as usize + n_bytes);
        Ok(())
    }
    fn PyUnstable_ThreadState_ResetStackProtection(state: *mut PyThreadState) -> Void {
        // SAFETY: C gives the calling thread's state.
        adder_runtime::thread::init_native_thread(unsafe { &*state.cast::<adder_runtime::thread::ThreadState>() });
        Void
    }
    fn PyOS_getsig(signal: c_int) -> *mut c_void {
        // SAFETY: a query.
        unsafe {
            let mut action = std::mem::zeroed::<libc::sigaction>();
            if libc::sigaction(signal, std::ptr::null(), &mut action) != 0 {
                return libc::SIG_ERR as *mut c_void;
            }
            action.sa_sigaction as *mut c_void
        }
    }
    fn PyOS_setsig(signal: c_int, handler: *mut c_void) -> *mut c_void {
        // SAFETY: C gives a handler.
        unsafe { libc::signal(signal, handler as usize) as *mut c_void }
    }
}

/// Read by a terminal loop that polls while it waits for input: nobody does here.
#[unsafe(no_mangle)]
pub static PyOS_InputHook: [usize; 1] = [0];
