//! `_thread`: locks, thread-local data, starting and joining threads.
//!
//! A thread state exists from before its native thread starts until after its last object is gone. Blocking waits let
//! the GIL go.

pub mod handle;
pub mod local;
pub mod lock;

use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread as vm;
use std::sync::atomic::{AtomicUsize, Ordering};

static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The stack of a thread whose size nobody set: enough for deep native recursion.
const DEFAULT_STACK_SIZE: usize = 16 << 20;

fn native_ident() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_self() }
}

/// Starts a native thread that runs `function(*args, **kwargs)` with its own thread state; `done` runs last, with the
/// GIL held.
fn spawn(
    function: Ref,
    args: Ref<PyTupleObject>,
    kwargs: Option<Ref<PyDictObject>>,
    done: impl FnOnce() + Send + 'static,
    started: impl FnOnce(u64) + Send + 'static,
) -> PyResult<()> {
    if vm::INTERPRETER.finalizing.load(Ordering::Relaxed) {
        return Err(raise!(PythonFinalizationError, "can't create new thread at interpreter shutdown"));
    }
    if !vm::interpreter().allows(vm::feature::THREADS) {
        return Err(raise!(RuntimeError, "thread is not supported for isolated subinterpreters"));
    }
    if vm::interpreter().finalizing.load(Ordering::Relaxed) {
        return Err(raise!(PythonFinalizationError, "can't create new thread at interpreter shutdown"));
    }
    let state = vm::new_thread_state();
    let stack_size = match STACK_SIZE.load(Ordering::Relaxed) {
        0 => DEFAULT_STACK_SIZE,
        // What the virtual machine keeps for itself comes on top of what the program asked for.
        size => size.saturating_add(2 * vm::STACK_RESERVE),
    };
    let body = move || {
        vm::init_native_thread(state);
        vm::acquire_gil(state);
        started(native_ident());
        vm::interpreter().n_threads.fetch_add(1, Ordering::Relaxed);
        run(function, args, kwargs);
        vm::interpreter().n_threads.fetch_sub(1, Ordering::Relaxed);
        done();
        local::forget_thread(state);
        let pointer: *const vm::ThreadState = state;
        // SAFETY: the thread is at its end; nobody else uses its state.
        unsafe { vm::delete_thread_state_of_current(pointer) };
    };
    match std::thread::Builder::new().stack_size(stack_size).spawn(body) {
        Ok(_detached) => Ok(()),
        Err(_) => {
            // SAFETY: the thread that would have used the state does not exist.
            unsafe { vm::delete_thread_state(state) };
            Err(raise!(RuntimeError, "can't start new thread"))
        }
    }
}

/// Runs a thread's function; SystemExit ends it silently, anything else is unraisable.
fn run(function: Ref, args: Ref<PyTupleObject>, kwargs: Option<Ref<PyDictObject>>) {
    if let Err(raised) = function.call_tuple(&args, kwargs.as_deref()) {
        if raised.matches(exc::SystemExit) {
            raised.clear();
        } else {
            adder_runtime::error::write_unraisable(
                raised,
                Some("Exception ignored in thread started by"),
                Some(&function),
            );
        }
    }
}

crate::module_parts::struct_sequences! {
    except_hook_args = "_thread._ExceptHookArgs", "Type used to pass arguments to threading.excepthook.", 4: [
        ("exc_type", "Exception type"), ("exc_value", "Exception value"), ("exc_traceback", "Exception traceback"),
        ("thread", "Thread"),
    ];
}

/// Low-level threads.
#[pymodule(name = "_thread", types = [lock::PyThread_lock_Type, lock::RLOCK_TYPE, local::LOCAL_TYPE, handle::HANDLE_TYPE])]
pub mod _thread {
    use super::*;

    /// Bytes of a thread's name that the system keeps.
    #[pyconst]
    const _NAME_MAXLEN: i64 = 15;
    #[pyconst]
    fn TIMEOUT_MAX() -> f64 {
        lock::TIMEOUT_MAX_S
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        vm::AT_STATE_END.get_or_init(|| local::forget_thread);
        module.add("error", exc::RuntimeError.to_object())?;
        module.add("_ExceptHookArgs", super::except_hook_args()?.to_object())?;
        module.add("LockType", lock::PyThread_lock_Type.to_object())?;
        module.add("_excepthook", module.dict().get_str(identifier!("_excepthook")).unwrap_or_else(none_ref))
    }

    /// Starts a thread that calls the function with the arguments; returns its identifier.
    #[pyfunction("($module, function, args, kwargs={}, /)")]
    fn start_new_thread(function: &PyObject, args: &PyObject, kwargs: Option<&PyObject>) -> PyResult<u64> {
        if !function.is_callable() {
            return Err(raise!(TypeError, "first arg must be callable"));
        }
        let Some(args) = args.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "2nd arg must be a tuple"));
        };
        let kwargs = match kwargs {
            None => None,
            Some(kwargs) => match kwargs.downcast::<PyDictObject>() {
                Some(kwargs) => Some(kwargs.to_ref()),
                None => return Err(raise!(TypeError, "optional 3rd arg must be a dictionary")),
            },
        };
        let audited = kwargs.as_ref().map_or(none(), |kwargs| kwargs.as_object());
        adder_runtime::hooks::audit("_thread.start_new_thread", &[function, args.as_object(), audited])?;
        let (sender, receiver) = std::sync::mpsc::channel();
        spawn(function.to_ref(), args.to_ref(), kwargs, || {}, move |ident| {
            let _ = sender.send(ident);
        })?;
        Ok(vm::allow_threads(|| receiver.recv()).unwrap_or(0))
    }
    /// An old name of `start_new_thread`.
    #[pyfunction("($module, function, args, kwargs={}, /)")]
    fn start_new(function: &PyObject, args: &PyObject, kwargs: Option<&PyObject>) -> PyResult<u64> {
        start_new_thread(function, args, kwargs)
    }
    /// Starts a thread that can be joined through its handle.
    #[pyfunction("($module, /, function, handle=None, daemon=True)")]
    fn start_joinable_thread(
        function: &PyObject,
        handle: Option<&PyObject>,
        daemon: Option<bool>,
    ) -> PyResult {
        if !function.is_callable() {
            return Err(raise!(TypeError, "thread function must be callable"));
        }
        let number = PyLongObject::from_i64(i64::from(daemon.unwrap_or(true)));
        let audited = [function, number.as_object(), handle.unwrap_or(none())];
        adder_runtime::hooks::audit("_thread.start_joinable_thread", &audited)?;
        let handle = match handle {
            None => handle::new()?,
            Some(handle) => match handle.downcast_exact::<handle::ThreadHandle>() {
                Some(handle) => handle.to_ref(),
                None => return Err(raise!(TypeError, "'handle' must be a _ThreadHandle")),
            },
        };
        handle::start(&handle, function, daemon.unwrap_or(true))?;
        Ok(handle.into_object())
    }
    /// Whether daemon threads may be started in this interpreter.
    #[pyfunction("($module, /)")]
    fn daemon_threads_allowed() -> bool {
        vm::interpreter().allows(vm::feature::DAEMON_THREADS)
    }
    /// A new lock.
    #[pyfunction("($module, /)")]
    fn allocate_lock() -> PyResult {
        lock::new_lock()
    }
    /// An old name of `allocate_lock`.
    #[pyfunction("($module, /)")]
    fn allocate() -> PyResult {
        lock::new_lock()
    }
    /// The identifier of the current thread.
    #[pyfunction("($module, /)")]
    fn get_ident() -> u64 {
        native_ident()
    }
    /// The kernel's identifier of the current thread.
    #[pyfunction("($module, /)")]
    fn get_native_id() -> i64 {
        // SAFETY: always succeeds.
        unsafe { libc::gettid().into() }
    }
    /// Ends the thread silently, by SystemExit.
    #[pyfunction("($module, /)")]
    fn exit() -> PyResult<()> {
        Err(raise!(SystemExit))
    }
    /// An old name of `exit`.
    #[pyfunction("($module, /)")]
    fn exit_thread() -> PyResult<()> {
        Err(raise!(SystemExit))
    }
    /// Simulates the arrival of a signal in the main thread.
    #[pyfunction("($module, signum=signal.SIGINT, /)")]
    fn interrupt_main(signum: Option<i32>) -> PyResult<()> {
        let signum = signum.unwrap_or(libc::SIGINT);
        if !(1..=64).contains(&signum) {
            return Err(raise!(ValueError, "signal number out of range"));
        }
        adder_runtime::hooks::trip_signal(signum);
        Ok(())
    }
    /// How many threads run that this module started.
    #[pyfunction("($module, /)")]
    fn _count() -> usize {
        vm::interpreter().n_threads.load(Ordering::Relaxed)
    }
    /// The stack size of new threads; sets it when an argument is given.
    #[pyfunction("($module, size=0, /)")]
    fn stack_size(size: Option<i64>) -> PyResult<usize> {
        let old = STACK_SIZE.load(Ordering::Relaxed);
        if let Some(size) = size {
            if size < 0 {
                return Err(raise!(ValueError, "size must be 0 or a positive value"));
            }
            if size != 0 && size < 32768 {
                return Err(raise!(ValueError, "size not valid: {size} bytes"));
            }
            STACK_SIZE.store(size as usize, Ordering::Relaxed);
        }
        Ok(old)
    }
    /// The identifier of the main thread.
    #[pyfunction("($module, /)")]
    fn _get_main_thread_ident() -> u64 {
        handle::main_thread_ident()
    }
    /// Whether the interpreter is the main one.
    #[pyfunction("($module, /)")]
    fn _is_main_interpreter() -> bool {
        vm::interpreter().is_main()
    }
    /// Waits for all threads that are not daemons.
    #[pyfunction("($module, /)")]
    fn _shutdown() -> PyResult<()> {
        handle::shutdown()
    }
    /// A handle for a thread that was started elsewhere.
    #[pyfunction("($module, ident, /)")]
    fn _make_thread_handle(ident: u64) -> PyResult {
        handle::for_running(ident)
    }
    /// Names the current thread for the operating system.
    #[pyfunction("($module, name, /)")]
    fn set_name(name: &PyUnicodeObject) -> PyResult<()> {
        let encoded = PyUnicodeObject::as_object(name).call_method(
            identifier!("encode"),
            &[
                PyUnicodeObject::from_str("utf-8").as_object(),
                PyUnicodeObject::from_str("replace").as_object(),
            ],
        )?;
        let Some(bytes) = (*encoded).downcast::<PyBytesObject>() else {
            return Ok(());
        };
        let text = bytes.as_bytes();
        let len = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        if let Ok(text) = std::ffi::CString::new(&text[..len.min(15)]) {
            // SAFETY: a C string of at most 15 bytes, for the calling thread.
            unsafe { libc::pthread_setname_np(libc::pthread_self(), text.as_ptr()) };
        }
        Ok(())
    }
    /// The name that the current thread has for the operating system.
    #[pyfunction("($module, /)")]
    fn _get_name() -> PyResult {
        let mut name = [0u8; 64];
        // SAFETY: a buffer of the size that is said, for the calling thread.
        let status = unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len()) };
        if status != 0 {
            return Err(adder_runtime::exceptions::os_error_from_errno(status, None, None));
        }
        let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let os = adder_runtime::hooks::import_module("os")?;
        os.call_method(identifier!("fsdecode"), &[PyBytesObject::from_slice(&name[..len]).as_object()])
    }
    /// Prints an exception that ended a thread: the default of `threading.excepthook`.
    #[pyfunction("($module, args, /)")]
    fn _excepthook(args: &PyObject) -> PyResult<()> {
        if !std::ptr::eq(args.ty(), super::except_hook_args()?) {
            return Err(raise!(TypeError, "_thread.excepthook argument type must be ExceptHookArgs"));
        }
        let fields = args.to_tuple()?;
        let [ty, value, traceback, thread] = fields.as_slice() else {
            return Err(raise!(TypeError, "_thread.excepthook argument type must be ExceptHookArgs"));
        };
        if ty.is(exc::SystemExit.as_object()) {
            return Ok(());
        }
        let name = if is_none(thread) {
            format!("{}", native_ident())
        } else {
            match thread.get_attr_opt(identifier!("_name"))? {
                Some(name) => name.str()?.to_string_lossy(),
                None => format!("{}", native_ident()),
            }
        };
        // Late in the process `sys.stderr` may be gone; the thread remembers what it was.
        let mut stderr = adder_runtime::hooks::sys_attribute(identifier!("stderr")).filter(|stream| !is_none(stream));
        if stderr.is_none() && !is_none(thread) {
            stderr = thread.get_attr_opt(identifier!("_stderr"))?.filter(|stream| !is_none(stream));
        }
        let Some(stderr) = stderr else {
            return Ok(());
        };
        let head = PyUnicodeObject::from_string(format!("Exception in thread {name}:\n"));
        stderr.call_method(identifier!("write"), &[head.as_object()])?;
        let traceback_module = adder_runtime::hooks::import_module("traceback")?;
        traceback_module.get_attr(identifier!("print_exception"))?.call_kw(
            &[ty, value, traceback],
            &[("file", &stderr)],
        )?;
        stderr.call_method(identifier!("flush"), &[])?;
        Ok(())
    }
}
