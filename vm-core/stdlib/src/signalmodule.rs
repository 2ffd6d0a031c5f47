//! `_signal`: signals of the system and their handlers in Python.
//!
//! The C handler only notes that a signal came (`trip`); the main thread runs the Python handler when the eval breaker
//! asks it to (`run_handlers`), and system calls that were interrupted do the same.

use crate::module_parts::{
    LazyType, add_ready_type, int_constants, libc_constants, new_exception, struct_sequences,
};
use crate::posixmodule::path::{errno, owner_to_py, posix_error};
use crate::posixmodule::spawn::signal_set;
use crate::posixmodule::syscall::{call, quick};
use crate::timemodule::clocks::{NS_PER_S, Round, clock_ns, ns_from_seconds};
use adder_interp::pylifecycle::handles_signals;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, allow_threads, breaker};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

const NSIG: usize = 65;
const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;

struct_sequences! {
    struct_siginfo = "signal.struct_siginfo", "What sigwaitinfo and sigtimedwait give.", 7: [
        ("si_signo", "signal number"), ("si_code", "signal code"), ("si_errno", "errno associated with this signal"),
        ("si_pid", "sending process ID"), ("si_uid", "real user ID of sending process"),
        ("si_status", "exit value or signal"), ("si_band", "band event for SIGPOLL"),
    ];
}

struct Slot {
    tripped: AtomicBool,
    /// What `getsignal` gives: a callable, SIG_DFL, SIG_IGN, or nothing for a handler that Python did not install.
    handler: ObjectCell,
}

static SIGNALS: [Slot; NSIG] = [const {
    Slot {
        tripped: AtomicBool::new(false),
        handler: ObjectCell::new(None),
    }
}; NSIG];
static ANY_TRIPPED: AtomicBool = AtomicBool::new(false);
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
static WARN_ON_FULL_BUFFER: AtomicBool = AtomicBool::new(true);
/// The error number of a write to the wakeup descriptor that failed.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);

/// Notes that a signal came. Nothing but atomics and system calls: it runs inside signal handlers.
fn trip(signum: c_int) {
    let Some(slot) = SIGNALS.get(signum as usize) else {
        return;
    };
    slot.tripped.store(true, Ordering::Relaxed);
    ANY_TRIPPED.store(true, Ordering::Release);
    EVAL_BREAKER.fetch_or(breaker::SIGNALS, Ordering::Relaxed);
    let fd = WAKEUP_FD.load(Ordering::Relaxed);
    if fd >= 0 {
        let byte = signum as u8;
        // SAFETY: one byte of ours.
        let written = unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
        if written < 0 {
            let error = errno();
            let is_full = error == libc::EWOULDBLOCK || error == libc::EAGAIN;
            if !is_full || WARN_ON_FULL_BUFFER.load(Ordering::Relaxed) {
                WAKEUP_ERROR.store(error, Ordering::Relaxed);
            }
        }
    }
}

unsafe extern "C" fn c_handler(signum: c_int) {
    // SAFETY: the C library's thread-local, which the interrupted code must not see changed.
    unsafe {
        let saved = *libc::__errno_location();
        trip(signum);
        *libc::__errno_location() = saved;
    }
}

/// A simulated arrival, unless the signal is ignored or not handled.
fn simulate(signum: i32) {
    let Some(slot) = SIGNALS.get(signum as usize) else {
        return;
    };
    let is_handled = slot.handler.borrow().is_some_and(PyObject::is_callable);
    if is_handled {
        trip(signum);
    }
}

/// Runs the handlers of the signals that came. Called in the main thread.
pub fn run_handlers() -> PyResult<()> {
    if !ANY_TRIPPED.swap(false, Ordering::Acquire) || !handles_signals() {
        return Ok(());
    }
    report_wakeup_error();
    let frame = match adder_runtime::hooks::get() {
        Some(hooks) => (hooks.current_frame)()?,
        None => None,
    };
    for (signum, slot) in SIGNALS.iter().enumerate() {
        if !slot.tripped.swap(false, Ordering::Relaxed) {
            continue;
        }
        let handler = slot.handler.get().filter(|handler| handler.is_callable());
        let Some(handler) = handler else {
            // The handler was taken away between the signal and now.
            let raised = raise!(OSError, "Signal {signum} ignored due to race condition");
            adder_runtime::error::write_unraisable(raised, None, None);
            continue;
        };
        let number = PyLongObject::from_usize(signum);
        let frame = frame.as_deref().unwrap_or(none());
        if let Err(raised) = handler.call(&[number.as_object(), frame]) {
            // The rest waits for the next time.
            ANY_TRIPPED.store(true, Ordering::Release);
            EVAL_BREAKER.fetch_or(breaker::SIGNALS, Ordering::Relaxed);
            return Err(raised);
        }
    }
    Ok(())
}

fn report_wakeup_error() {
    let error = WAKEUP_ERROR.swap(0, Ordering::Relaxed);
    if error != 0 {
        let raised = adder_runtime::exceptions::os_error_from_errno(error, None, None);
        let context = "Exception ignored while trying to write to the signal wakeup fd";
        adder_runtime::error::write_unraisable(raised, Some(context), None);
    }
}

/// Signals of the parent are not the child's.
pub fn after_fork_in_child() {
    ANY_TRIPPED.store(false, Ordering::Relaxed);
    for slot in &SIGNALS {
        slot.tripped.store(false, Ordering::Relaxed);
    }
}

fn check_signum(signum: i32) -> PyResult<usize> {
    if (1..NSIG as i32).contains(&signum) {
        return Ok(signum as usize);
    }
    Err(raise!(ValueError, "signal number out of range"))
}

/// Installs a C handler; false leaves the error number.
fn install(signum: c_int, handler: libc::sighandler_t) -> bool {
    // SAFETY: a struct of ours, filled before use.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        // On the thread's alternate stack where there is one.
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signum, &action, std::ptr::null_mut()) == 0
    }
}

fn current_action(signum: c_int) -> Option<libc::sighandler_t> {
    // SAFETY: a struct of ours.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(signum, std::ptr::null(), &mut action) == 0).then_some(action.sa_sigaction)
    }
}

fn set_to_py(set: &libc::sigset_t) -> PyResult<Ref<PySetObject>> {
    let numbers = PySetObject::new_set();
    for signum in 1..NSIG as c_int {
        // SAFETY: a set of ours.
        if unsafe { libc::sigismember(set, signum) } == 1 {
            numbers.add(PyLongObject::from_i64(i64::from(signum)).as_object())?;
        }
    }
    Ok(numbers)
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: initialised at once.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    }
}

fn siginfo_to_py(info: &libc::siginfo_t) -> PyResult {
    // SAFETY: the members of the union are plain numbers.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    let number = |value: i32| PyLongObject::from_i64(i64::from(value)).into_object();
    // SAFETY: SIGPOLL's member of the union comes first, behind three numbers and padding.
    let band = unsafe { (info as *const libc::siginfo_t).cast::<i64>().add(2).read() };
    let fields = vec![
        number(info.si_signo),
        number(info.si_code),
        number(info.si_errno),
        number(pid),
        owner_to_py(uid),
        number(status),
        PyLongObject::from_i64(band).into_object(),
    ];
    structseq::new_instance(struct_siginfo()?, fields)
}

fn itimer_error_type() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| new_exception("signal", "ItimerError", &[exc::OSError.as_object()]))
}

#[cold]
fn itimer_error() -> Raised {
    match itimer_error_type() {
        Ok(ty) => adder_runtime::exceptions::raise_os_error(ty, errno(), None, None),
        Err(raised) => raised,
    }
}

fn timeval(ns: i64) -> libc::timeval {
    libc::timeval {
        tv_sec: ns.div_euclid(NS_PER_S),
        tv_usec: ns.rem_euclid(NS_PER_S) / 1000,
    }
}

fn itimer_to_py(timer: &libc::itimerval) -> (f64, f64) {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    (seconds(timer.it_value), seconds(timer.it_interval))
}

fn zeroed_itimer() -> libc::itimerval {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

/// Waits for a signal of the set, until the deadline if there is one.
fn wait_info(set: &libc::sigset_t, timeout_ns: Option<i64>) -> PyResult<Option<Ref>> {
    let deadline = match timeout_ns {
        Some(timeout) => Some(clock_ns(libc::CLOCK_MONOTONIC)?.saturating_add(timeout)),
        None => None,
    };
    loop {
        let left = match deadline {
            Some(deadline) => Some((deadline - clock_ns(libc::CLOCK_MONOTONIC)?).max(0)),
            None => None,
        };
        let left = left.map(|left| libc::timespec {
            tv_sec: left / NS_PER_S,
            tv_nsec: left % NS_PER_S,
        });
        // SAFETY: structs of ours; no timeout is NULL.
        let (signum, info) = allow_threads(|| unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let left = left.as_ref().map_or(std::ptr::null(), |left| &raw const *left);
            let signum = match deadline {
                Some(_) => libc::sigtimedwait(set, &mut info, left),
                None => libc::sigwaitinfo(set, &mut info),
            };
            (signum, info)
        });
        if signum >= 0 {
            return siginfo_to_py(&info).map(Some);
        }
        match errno() {
            libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
            libc::EAGAIN if deadline.is_some() => return Ok(None),
            _ => return Err(posix_error()),
        }
    }
}

fn default_handler_of(action: Option<libc::sighandler_t>) -> Option<Ref> {
    match action? {
        libc::SIG_DFL => Some(PyLongObject::from_i64(SIG_DFL).into_object()),
        libc::SIG_IGN => Some(PyLongObject::from_i64(SIG_IGN).into_object()),
        _ => None,
    }
}

/// Signals of the system.
#[pymodule(name = "_signal")]
pub mod _signal {
    use super::*;

    /// The handler of SIGINT: raises KeyboardInterrupt.
    #[pyfunction("($module, signalnum, frame, /)")]
    fn default_int_handler(signalnum: i32, frame: &PyObject) -> PyResult<()> {
        let _ = (signalnum, frame);
        Err(raise!(KeyboardInterrupt))
    }
    /// Sets the handler of a signal; returns the one before.
    #[pyfunction("($module, signalnum, handler, /)")]
    fn signal(signalnum: i32, handler: &PyObject) -> PyResult {
        if !handles_signals() {
            return Err(raise!(
                ValueError,
                "signal only works in main thread of the main interpreter"
            ));
        }
        let signum = check_signum(signalnum)?;
        let is_number = |wanted: i64| handler.eq(PyLongObject::from_i64(wanted).as_object());
        let c_handler: libc::sighandler_t = if handler.is_callable() {
            super::c_handler as *const () as libc::sighandler_t
        } else if is_number(SIG_IGN)? {
            libc::SIG_IGN
        } else if is_number(SIG_DFL)? {
            libc::SIG_DFL
        } else {
            return Err(raise!(
                TypeError,
                "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
            ));
        };
        // Signals that came are for the handler before.
        adder_runtime::hooks::run_pending_signals()?;
        if !install(signalnum, c_handler) {
            return Err(posix_error());
        }
        let old = SIGNALS[signum].handler.replace(Some(handler.to_ref()));
        Ok(old.unwrap_or_else(none_ref))
    }
    /// The handler of a signal.
    #[pyfunction("($module, signalnum, /)")]
    fn getsignal(signalnum: i32) -> PyResult<Ref> {
        Ok(SIGNALS[check_signum(signalnum)?]
            .handler
            .get()
            .unwrap_or_else(none_ref))
    }
    /// What the system calls a signal.
    #[pyfunction("($module, signalnum, /)")]
    fn strsignal(signalnum: i32) -> PyResult<Option<String>> {
        check_signum(signalnum)?;
        unsafe extern "C" {
            #[link_name = "strsignal"]
            fn c_strsignal(signum: c_int) -> *const c_char;
        }
        // SAFETY: the C library's text, copied at once.
        let text = unsafe {
            let text = c_strsignal(signalnum);
            if text.is_null() {
                return Ok(None);
            }
            std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned()
        };
        Ok(Some(text).filter(|text| !text.starts_with("Unknown signal")))
    }
    /// Whether a signal interrupts system calls.
    #[pyfunction("($module, signalnum, flag, /)")]
    fn siginterrupt(signalnum: i32, flag: i32) -> PyResult<()> {
        check_signum(signalnum)?;
        // SAFETY: structs of ours.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            quick(libc::sigaction(signalnum, std::ptr::null(), &mut action))?;
            if flag != 0 {
                action.sa_flags &= !libc::SA_RESTART;
            } else {
                action.sa_flags |= libc::SA_RESTART;
            }
            quick(libc::sigaction(signalnum, &action, std::ptr::null_mut())).map(drop)
        }
    }
    /// Asks for SIGALRM after so many seconds; returns what was left of the time before.
    #[pyfunction("($module, seconds, /)")]
    fn alarm(seconds: i32) -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::alarm(seconds as c_uint) }
    }
    /// Waits for a signal.
    #[pyfunction("($module, /)")]
    fn pause() -> PyResult<()> {
        // SAFETY: a plain system call.
        allow_threads(|| unsafe { libc::pause() });
        adder_runtime::hooks::run_pending_signals()
    }
    /// Sends a signal to this process.
    #[pyfunction("($module, signalnum, /)")]
    fn raise_signal(signalnum: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(allow_threads(|| unsafe { libc::raise(signalnum) }))?;
        adder_runtime::hooks::run_pending_signals()
    }
    /// Sends a signal to a thread.
    #[pyfunction("($module, thread_id, signalnum, /)")]
    fn pthread_kill(thread_id: u64, signalnum: i32) -> PyResult<()> {
        // SAFETY: a thread of this process, as the caller says.
        match unsafe { libc::pthread_kill(thread_id, signalnum) } {
            0 => adder_runtime::hooks::run_pending_signals(),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// Changes which signals this thread lets wait; returns the set before.
    #[pyfunction("($module, how, mask, /)")]
    fn pthread_sigmask(how: i32, mask: &PyObject) -> PyResult<Ref<PySetObject>> {
        let set = signal_set(mask)?;
        let mut old = empty_set();
        // SAFETY: sets of ours.
        let error = unsafe { libc::pthread_sigmask(how, &set, &mut old) };
        if error != 0 {
            return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None));
        }
        adder_runtime::hooks::run_pending_signals()?;
        set_to_py(&old)
    }
    /// The signals that wait.
    #[pyfunction("($module, /)")]
    fn sigpending() -> PyResult<Ref<PySetObject>> {
        let mut set = empty_set();
        // SAFETY: a set of ours.
        quick(unsafe { libc::sigpending(&mut set) })?;
        set_to_py(&set)
    }
    /// Waits for a signal of a set; returns its number.
    #[pyfunction("($module, sigset, /)")]
    fn sigwait(sigset: &PyObject) -> PyResult<i32> {
        let set = signal_set(sigset)?;
        let mut signum = 0;
        // SAFETY: a set of ours, and room for the number.
        match allow_threads(|| unsafe { libc::sigwait(&set, &mut signum) }) {
            0 => Ok(signum),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// Waits for a signal of a set; returns what is known about it.
    #[pyfunction("($module, sigset, /)")]
    fn sigwaitinfo(sigset: &PyObject) -> PyResult<Option<Ref>> {
        wait_info(&signal_set(sigset)?, None)
    }
    /// As sigwaitinfo(), with a timeout in seconds; None when it is over.
    #[pyfunction("($module, sigset, timeout, /)")]
    fn sigtimedwait(sigset: &PyObject, timeout: &PyObject) -> PyResult<Option<Ref>> {
        let timeout = ns_from_seconds(timeout, Round::Timeout)?;
        if timeout < 0 {
            return Err(raise!(ValueError, "timeout must be non-negative"));
        }
        wait_info(&signal_set(sigset)?, Some(timeout))
    }
    /// The signals that there are.
    #[pyfunction("($module, /)")]
    fn valid_signals() -> PyResult<Ref<PySetObject>> {
        let mut set = empty_set();
        // SAFETY: a set of ours.
        quick(unsafe { libc::sigfillset(&mut set) })?;
        set_to_py(&set)
    }
    /// Sets a timer; returns what it was set to.
    #[pyfunction("($module, which, seconds, interval=0.0, /)")]
    fn setitimer(which: i32, seconds: &PyObject, interval: Option<&PyObject>) -> PyResult<(f64, f64)> {
        let value = timeval(ns_from_seconds(seconds, Round::Timeout)?);
        let interval = interval.map_or(Ok(0), |interval| ns_from_seconds(interval, Round::Timeout))?;
        let new = libc::itimerval {
            it_value: value,
            it_interval: timeval(interval),
        };
        let mut old = zeroed_itimer();
        // SAFETY: structs of ours.
        if unsafe { libc::setitimer(which as _, &new, &mut old) } != 0 {
            return Err(itimer_error());
        }
        Ok(itimer_to_py(&old))
    }
    /// What a timer is set to.
    #[pyfunction("($module, which, /)")]
    fn getitimer(which: i32) -> PyResult<(f64, f64)> {
        let mut timer = zeroed_itimer();
        // SAFETY: a struct of ours.
        if unsafe { libc::getitimer(which as _, &mut timer) } != 0 {
            return Err(itimer_error());
        }
        Ok(itimer_to_py(&timer))
    }
    /// Sets the descriptor to which the numbers of signals that come are written; returns the one before.
    #[pyfunction("($module, fd, /, *, warn_on_full_buffer=True)")]
    fn set_wakeup_fd(fd: i32, warn_on_full_buffer: bool) -> PyResult<i32> {
        if !handles_signals() {
            return Err(raise!(
                ValueError,
                "set_wakeup_fd only works in main thread of the main interpreter"
            ));
        }
        if fd != -1 {
            // SAFETY: plain system calls.
            let flags = quick(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
            if flags & libc::O_NONBLOCK == 0 {
                return Err(raise!(ValueError, "the fd {fd} must be in non-blocking mode"));
            }
        }
        WARN_ON_FULL_BUFFER.store(warn_on_full_buffer, Ordering::Relaxed);
        Ok(WAKEUP_FD.swap(fd, Ordering::Relaxed))
    }
    /// Sends a signal to the process of a descriptor.
    #[pyfunction("($module, pidfd, signalnum, siginfo=None, flags=0, /)")]
    fn pidfd_send_signal(
        pidfd: i32,
        signalnum: i32,
        siginfo: Option<&PyObject>,
        flags: Option<i32>,
    ) -> PyResult<()> {
        if siginfo.is_some() {
            return Err(raise!(TypeError, "siginfo must be None"));
        }
        let flags = flags.unwrap_or(0);
        let nothing = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a plain system call.
        call(|| unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signalnum, nothing, flags) as c_int
        })
        .map(drop)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        libc_constants!(module;
            SIGABRT, SIGALRM, SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGIO, SIGIOT, SIGKILL, SIGPIPE,
            SIGPOLL, SIGPROF, SIGPWR, SIGQUIT, SIGSEGV, SIGSTKFLT, SIGSTOP, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP,
            SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ, SIG_BLOCK,
            SIG_SETMASK, SIG_UNBLOCK, ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF,
        );
        int_constants!(module;
            NSIG = NSIG, SIG_DFL = SIG_DFL, SIG_IGN = SIG_IGN, SIGCLD = libc::SIGCHLD, SIGRTMIN = libc::SIGRTMIN(),
            SIGRTMAX = libc::SIGRTMAX(),
        );
        module.add("ItimerError", itimer_error_type()?.as_object().to_ref())?;
        add_ready_type(module, struct_siginfo()?)?;
        for signum in 1..NSIG as c_int {
            let slot = &SIGNALS[signum as usize];
            if !slot.handler.is_some() {
                slot.handler.set(default_handler_of(current_action(signum)));
            }
        }
        let _ = adder_interp::pending::SIGNAL_HANDLERS.set(run_handlers);
        let _ = adder_interp::pending::TRIP_SIGNAL.set(simulate);
        if !adder_runtime::thread::interpreter().is_main() {
            return Ok(());
        }
        // Writing beyond a limit is an error to handle, not a reason to end.
        install(libc::SIGXFSZ, libc::SIG_IGN);
        let interrupt = &SIGNALS[libc::SIGINT as usize];
        let is_default = current_action(libc::SIGINT) == Some(libc::SIG_DFL);
        if is_default && let Some(handler) = module.get(identifier!("default_int_handler")) {
            interrupt.handler.set(Some(handler));
            install(libc::SIGINT, c_handler as *const () as libc::sighandler_t);
        }
        Ok(())
    }
}
