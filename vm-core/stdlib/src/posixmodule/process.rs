//! Processes: fork and exec, waiting, signals to processes, identity of processes.

use super::path::*;
use super::syscall::{quick, retry};
use super::types;
use adder_runtime::hooks;
use adder_runtime::objects::structseq;
use adder_runtime::per_interpreter::{Exchange, PerInterpreter};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self as vm, allow_threads};
use std::cell::RefCell;
use std::ffi::CString;

#[derive(Default)]
struct ForkHooks {
    before: RefCell<Vec<Ref>>,
    after_in_parent: RefCell<Vec<Ref>>,
    after_in_child: RefCell<Vec<Ref>>,
}
impl Exchange for ForkHooks {
    fn exchange(&self, other: &ForkHooks) {
        self.before.swap(&other.before);
        self.after_in_parent.swap(&other.after_in_parent);
        self.after_in_child.swap(&other.after_in_child);
    }
}
static FORK_HOOKS: PerInterpreter<ForkHooks> = PerInterpreter::new(ForkHooks {
    before: RefCell::new(Vec::new()),
    after_in_parent: RefCell::new(Vec::new()),
    after_in_child: RefCell::new(Vec::new()),
});

fn run_hooks(list: &RefCell<Vec<Ref>>, reversed: bool) {
    let mut hooks = list.borrow().clone();
    if reversed {
        hooks.reverse();
    }
    for hook in hooks {
        if let Err(raised) = hook.call0() {
            adder_runtime::error::write_unraisable(
                raised,
                Some("Exception ignored in fork hook"),
                Some(&hook),
            );
        }
    }
}

/// `PyOS_BeforeFork`.
pub fn before_fork() {
    run_hooks(&FORK_HOOKS.here().before, true);
    // No other thread is in the middle of an import when the child begins.
    adder_interp::import::acquire_import_lock();
}

/// `PyOS_AfterFork_Parent`.
pub fn after_fork_in_parent() {
    adder_interp::import::release_import_lock();
    run_hooks(&FORK_HOOKS.here().after_in_parent, false);
}

/// `PyOS_AfterFork_Child`: only the calling thread is left.
pub fn after_fork_in_child() {
    vm::after_fork_in_child();
    vm::reinit_gil_after_fork();
    adder_interp::pylifecycle::set_main_thread();
    adder_interp::import::release_import_lock();
    crate::asyncio::after_fork_in_child();
    crate::signalmodule::after_fork_in_child();
    crate::thread::handle::after_fork_in_child();
    run_hooks(&FORK_HOOKS.here().after_in_child, false);
}

/// Threads of this process that the system knows, whoever started them.
fn n_system_threads() -> Option<usize> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses that may have anything in it; the count is the 20th.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(17)?.parse().ok()
}

/// Forking while other threads run is dangerous: their locks stay locked in the child.
pub fn warn_of_threads(function: &str) -> PyResult<()> {
    if n_system_threads().unwrap_or_else(|| vm::all_thread_states().len()) <= 1 {
        return Ok(());
    }
    // SAFETY: always succeeds.
    let pid = unsafe { libc::getpid() };
    adder_runtime::exceptions::warn(
        adder_runtime::exceptions::exc::DeprecationWarning,
        &format!(
            "This process (pid={pid}) is multi-threaded, use of {function}() may lead to deadlocks in the child."
        ),
        1,
    )
}

/// Whether the interpreter may fork.
pub fn check_may_fork(which: &str) -> PyResult<()> {
    if vm::interpreter().allows(vm::feature::FORK) {
        return Ok(());
    }
    Err(raise!(RuntimeError, "fork not supported for {which}subinterpreters"))
}

/// Whether the interpreter may become another program.
fn check_may_exec() -> PyResult<()> {
    if vm::interpreter().allows(vm::feature::EXEC) {
        return Ok(());
    }
    Err(raise!(RuntimeError, "exec not supported for isolated subinterpreters"))
}

/// Forks by `f`, with the hooks around it.
fn forking(function: &str, f: impl FnOnce() -> libc::pid_t) -> PyResult<libc::pid_t> {
    if vm::INTERPRETER
        .finalizing
        .load(std::sync::atomic::Ordering::Relaxed)
    {
        return Err(raise!(
            PythonFinalizationError,
            "can't fork at interpreter shutdown"
        ));
    }
    check_may_fork(if function == "forkpty" { "" } else { "isolated " })?;
    before_fork();
    let pid = vm::fork_with_locks(f);
    let error = errno();
    if pid == 0 {
        after_fork_in_child();
    } else {
        after_fork_in_parent();
        if pid > 0 {
            warn_of_threads(function)?;
        }
    }
    if pid < 0 {
        return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None));
    }
    Ok(pid)
}

/// C strings and the table of pointers to them, ended by NULL.
pub struct CStrings {
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl CStrings {
    pub fn new(texts: Vec<CString>) -> CStrings {
        let pointers = texts
            .iter()
            .map(|text| text.as_ptr())
            .chain([std::ptr::null()])
            .collect();
        CStrings {
            _texts: texts,
            pointers,
        }
    }
    pub fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
    pub fn as_mut_ptr(&self) -> *const *mut c_char {
        self.pointers.as_ptr().cast()
    }
}

/// The items of a list or tuple of arguments as file system bytes.
pub fn argument_list(argv: &PyObject) -> PyResult<Vec<CString>> {
    argv.collect()?.iter().map(|item| fs_converter(item)).collect()
}

fn is_list_or_tuple(object: &PyObject) -> bool {
    object.type_has(Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS)
}

/// A mapping as `NAME=value` texts.
pub fn environment(env: &PyObject) -> PyResult<CStrings> {
    let keys = env.call_method(identifier!("keys"), &[])?.collect()?;
    let values = env.call_method(identifier!("values"), &[])?.collect()?;
    let mut texts = Vec::with_capacity(keys.len());
    for (key, value) in keys.into_iter().zip(values) {
        let mut text = fs_converter(&key)?.into_bytes();
        // An empty name or one with '=' would be taken for another.
        if text.is_empty() || text[1..].contains(&b'=') {
            return Err(raise!(ValueError, "illegal environment variable name"));
        }
        text.push(b'=');
        text.extend_from_slice(fs_converter(&value)?.as_bytes());
        texts.push(CString::new(text).map_err(|_| raise!(ValueError, "embedded null byte"))?);
    }
    Ok(CStrings::new(texts))
}

fn is_mapping(object: &PyObject) -> bool {
    object
        .ty()
        .mapping_slot(|slots| slots.mp_subscript.get())
        .is_some()
}

fn wait_result(pid: i32, status: i32) -> (i32, i32) {
    (pid, status)
}

/// `(pid, status, usage)`.
fn wait_with_usage(f: impl Fn(*mut c_int, *mut libc::rusage) -> libc::pid_t) -> PyResult {
    // SAFETY: plain numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    let pid = retry(|| f(&mut status, &mut usage) as isize)?;
    let usage = crate::resource::struct_rusage(&usage)?;
    let number = |value: i64| PyLongObject::from_i64(value).into_object();
    Ok(PyTupleObject::from_vec(vec![number(pid as i64), number(i64::from(status)), usage]).into_object())
}

#[pymodule(name = "posix")]
#[allow(non_snake_case)]
pub mod part {
    use super::*;

    /// Registers functions to be called around a fork.
    #[pyfunction(
        "($module, /, *, before=<unrepresentable>,\n                 after_in_child=<unrepresentable>,\n                 after_in_parent=<unrepresentable>)"
    )]
    fn register_at_fork(
        before: Option<&PyObject>,
        after_in_child: Option<&PyObject>,
        after_in_parent: Option<&PyObject>,
    ) -> PyResult<()> {
        let given = [
            ("before", before, &FORK_HOOKS.here().before),
            ("after_in_child", after_in_child, &FORK_HOOKS.here().after_in_child),
            ("after_in_parent", after_in_parent, &FORK_HOOKS.here().after_in_parent),
        ];
        if given.iter().all(|(_, hook, _)| hook.is_none()) {
            return Err(raise!(TypeError, "At least one argument is required."));
        }
        for (name, hook, _) in &given {
            if let Some(hook) = hook.filter(|hook| !hook.is_callable()) {
                return Err(raise!(
                    TypeError,
                    "'{name}' must be callable, not {}",
                    hook.ty().short_name()
                ));
            }
        }
        for (_, hook, list) in given {
            if let Some(hook) = hook {
                list.borrow_mut().push(hook.to_ref());
            }
        }
        Ok(())
    }
    /// Forks: 0 in the child, its process number in the parent.
    #[pyfunction("($module, /)")]
    fn fork() -> PyResult<i32> {
        hooks::audit("os.fork", &[])?;
        // SAFETY: the child goes on in this thread alone.
        forking("fork", || unsafe { libc::fork() })
    }
    /// Forks with a new terminal: the process number and the terminal's descriptor.
    #[pyfunction("($module, /)")]
    fn forkpty() -> PyResult<(i32, i32)> {
        hooks::audit("os.forkpty", &[])?;
        let mut fd = -1;
        // SAFETY: room for the descriptor; the rest may be NULL.
        let pid = forking("forkpty", || unsafe {
            libc::forkpty(&mut fd, std::ptr::null_mut(), std::ptr::null(), std::ptr::null())
        })?;
        Ok((pid, fd))
    }
    /// Runs another program in place of this one.
    #[pyfunction("($module, path, argv, /)")]
    fn execv(path: Path, argv: &PyObject) -> PyResult<()> {
        check_may_exec()?;
        if !is_list_or_tuple(argv) {
            return Err(raise!(TypeError, "execv() arg 2 must be a tuple or list"));
        }
        let arguments = argument_list(argv)?;
        match arguments.first() {
            None => return Err(raise!(ValueError, "execv() arg 2 must not be empty")),
            Some(first) if first.is_empty() => {
                return Err(raise!(ValueError, "execv() arg 2 first element cannot be empty"));
            }
            _ => {}
        }
        hooks::audit("os.exec", &[path.object().unwrap_or(none()), argv, none()])?;
        let arguments = CStrings::new(arguments);
        // SAFETY: C strings and a table ended by NULL.
        unsafe { libc::execv(path.as_ptr(), arguments.as_ptr()) };
        Err(posix_error())
    }
    /// Runs another program in place of this one, with an environment.
    #[pyfunction("($module, /, path, argv, env)")]
    fn execve(path: PathOrFd, argv: &PyObject, env: &PyObject) -> PyResult<()> {
        check_may_exec()?;
        if !is_list_or_tuple(argv) {
            return Err(raise!(TypeError, "execve: argv must be a tuple or list"));
        }
        if argv.len()? == 0 {
            return Err(raise!(ValueError, "execve: argv must not be empty"));
        }
        if !is_mapping(env) {
            return Err(raise!(TypeError, "execve: environment must be a mapping object"));
        }
        let arguments = argument_list(argv)?;
        if arguments.first().is_some_and(|first| first.is_empty()) {
            return Err(raise!(ValueError, "execve: argv first element cannot be empty"));
        }
        let arguments = CStrings::new(arguments);
        let environment = environment(env)?;
        hooks::audit("os.exec", &[path.object().unwrap_or(none()), argv, env])?;
        // SAFETY: C strings and tables ended by NULL.
        unsafe {
            if path.is_fd() {
                libc::fexecve(path.fd, arguments.as_ptr(), environment.as_ptr());
            } else {
                libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr());
            }
        }
        Err(path.error())
    }
    /// Ends the process at once, without cleaning up.
    #[pyfunction("($module, /, status)")]
    fn _exit(status: i32) {
        // SAFETY: ends the process.
        unsafe { libc::_exit(status) }
    }
    /// Ends the process with a core dump.
    #[pyfunction("($module, /)")]
    fn abort() {
        std::process::abort()
    }
    /// Runs a command by the shell; returns its status.
    #[pyfunction("($module, /, command)")]
    fn system(command: FsBytes) -> PyResult<i32> {
        // SAFETY: a C string.
        Ok(allow_threads(|| unsafe { libc::system(command.as_ptr()) }))
    }
    /// Waits for a child process: its number and status.
    #[pyfunction("($module, pid, options, /)")]
    fn waitpid(pid: i32, options: i32) -> PyResult<(i32, i32)> {
        let mut status = 0;
        // SAFETY: room for the status.
        let pid = retry(|| unsafe { libc::waitpid(pid, &mut status, options) } as isize)?;
        Ok(wait_result(pid as i32, status))
    }
    /// Waits for any child process: its number and status.
    #[pyfunction("($module, /)")]
    fn wait() -> PyResult<(i32, i32)> {
        waitpid(-1, 0)
    }
    /// Waits for any child process: its number, status and use of resources.
    #[pyfunction("($module, /, options)")]
    fn wait3(options: i32) -> PyResult {
        // SAFETY: room for what is filled.
        wait_with_usage(|status, usage| unsafe { libc::wait4(-1, status, options, usage) })
    }
    /// Waits for a child process: its number, status and use of resources.
    #[pyfunction("($module, /, pid, options)")]
    fn wait4(pid: i32, options: i32) -> PyResult {
        // SAFETY: room for what is filled.
        wait_with_usage(|status, usage| unsafe { libc::wait4(pid, status, options, usage) })
    }
    /// Waits for a change of child processes; None when there is none and WNOHANG was given.
    #[pyfunction("($module, idtype, id, options, /)")]
    fn waitid(idtype: i32, id: i32, options: i32) -> PyResult<Option<Ref>> {
        // SAFETY: plain numbers.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        retry(|| {
            // SAFETY: room for what is filled.
            (unsafe { libc::waitid(idtype as libc::idtype_t, id as libc::id_t, &mut info, options) }) as isize
        })?;
        // SAFETY: a child's state change fills these members.
        let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
        if pid == 0 {
            return Ok(None);
        }
        let number = |value: i64| PyLongObject::from_i64(value).into_object();
        let fields = vec![
            number(i64::from(pid)),
            owner_to_py(uid),
            number(i64::from(info.si_signo)),
            number(i64::from(status)),
            number(i64::from(info.si_code)),
        ];
        structseq::new_instance(types::waitid_result()?, fields).map(Some)
    }
    /// A descriptor for a process.
    #[pyfunction("($module, /, pid, flags=0)")]
    fn pidfd_open(pid: i32, flags: u32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) } as c_int)
    }
    /// Sends a signal to a process.
    #[pyfunction("($module, pid, signal, /)")]
    fn kill(pid: i32, signal: isize) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::kill(pid, signal as c_int) })?;
        // The signal may have been for this process.
        hooks::run_pending_signals()
    }
    /// Sends a signal to a process group.
    #[pyfunction("($module, pgid, signal, /)")]
    fn killpg(pgid: i32, signal: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::killpg(pgid, signal) })?;
        hooks::run_pending_signals()
    }
    /// Changes the priority of this process; returns the new one.
    #[pyfunction("($module, increment, /)")]
    fn nice(increment: i32) -> PyResult<i32> {
        // SAFETY: the C library's thread-local, and a plain system call.
        let value = unsafe {
            *libc::__errno_location() = 0;
            libc::nice(increment)
        };
        if value == -1 && errno() != 0 {
            Err(posix_error())
        } else {
            Ok(value)
        }
    }
    /// The scheduling priority of processes.
    #[pyfunction("($module, /, which, who)")]
    fn getpriority(which: i32, who: i32) -> PyResult<i32> {
        // SAFETY: the C library's thread-local, and a plain system call.
        let value = unsafe {
            *libc::__errno_location() = 0;
            libc::getpriority(which as _, who as libc::id_t)
        };
        if errno() != 0 {
            Err(posix_error())
        } else {
            Ok(value)
        }
    }
    /// Sets the scheduling priority of processes.
    #[pyfunction("($module, /, which, who, priority)")]
    fn setpriority(which: i32, who: i32, priority: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setpriority(which as _, who as libc::id_t, priority) }).map(drop)
    }
    /// The number of this process.
    #[pyfunction("($module, /)")]
    fn getpid() -> i32 {
        // SAFETY: always succeeds.
        unsafe { libc::getpid() }
    }
    /// The number of the parent process.
    #[pyfunction("($module, /)")]
    fn getppid() -> i32 {
        // SAFETY: always succeeds.
        unsafe { libc::getppid() }
    }
    /// The process group of a process.
    #[pyfunction("($module, /, pid)")]
    fn getpgid(pid: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::getpgid(pid) })
    }
    /// The process group of this process.
    #[pyfunction("($module, /)")]
    fn getpgrp() -> i32 {
        // SAFETY: always succeeds.
        unsafe { libc::getpgrp() }
    }
    /// Puts a process into a process group.
    #[pyfunction("($module, pid, pgrp, /)")]
    fn setpgid(pid: i32, pgrp: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setpgid(pid, pgrp) }).map(drop)
    }
    /// Makes this process the leader of its process group.
    #[pyfunction("($module, /)")]
    fn setpgrp() -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setpgid(0, 0) }).map(drop)
    }
    /// The session of a process.
    #[pyfunction("($module, pid, /)")]
    fn getsid(pid: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::getsid(pid) })
    }
    /// Begins a session.
    #[pyfunction("($module, /)")]
    fn setsid() -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setsid() }).map(drop)
    }
    /// The foreground process group of a terminal.
    #[pyfunction("($module, fd, /)")]
    fn tcgetpgrp(fd: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::tcgetpgrp(fd) })
    }
    /// Sets the foreground process group of a terminal.
    #[pyfunction("($module, fd, pgid, /)")]
    fn tcsetpgrp(fd: i32, pgid: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::tcsetpgrp(fd, pgid) }).map(drop)
    }
    /// A pair of terminal descriptors: the controlling side and the other.
    #[pyfunction("($module, /)")]
    fn openpty() -> PyResult<(i32, i32)> {
        let (mut controller, mut terminal) = (-1, -1);
        // SAFETY: room for the descriptors; the rest may be NULL.
        quick(unsafe {
            libc::openpty(
                &mut controller,
                &mut terminal,
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null(),
            )
        })?;
        for fd in [controller, terminal] {
            quick(super::super::syscall::set_inheritable(fd, false))?;
        }
        Ok((controller, terminal))
    }
    /// Makes a terminal the controlling one of this process, and its standard streams.
    #[pyfunction("($module, fd, /)")]
    fn login_tty(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::login_tty(fd.0) }).map(drop)
    }
    /// Opens the controlling side of a new terminal.
    #[pyfunction("($module, oflag, /)")]
    fn posix_openpt(oflag: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        let fd = quick(unsafe { libc::posix_openpt(oflag) })?;
        quick(super::super::syscall::set_inheritable(fd, false))?;
        Ok(fd)
    }
    /// Gives access to the other side of a terminal.
    #[pyfunction("($module, fd, /)")]
    fn grantpt(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::grantpt(fd.0) }).map(drop)
    }
    /// Unlocks the other side of a terminal.
    #[pyfunction("($module, fd, /)")]
    fn unlockpt(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::unlockpt(fd.0) }).map(drop)
    }
    /// The name of the other side of a terminal.
    #[pyfunction("($module, fd, /)")]
    fn ptsname(fd: Fildes) -> PyResult<Ref<PyUnicodeObject>> {
        let mut name = [0u8; 256];
        // SAFETY: the buffer has the size that is said.
        match unsafe { libc::ptsname_r(fd.0, name.as_mut_ptr().cast(), name.len()) } {
            0 => fs_decode(name.split(|byte| *byte == 0).next().unwrap_or_default()),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// The name of a terminal.
    #[pyfunction("($module, fd, /)")]
    fn ttyname(fd: i32) -> PyResult<Ref<PyUnicodeObject>> {
        let mut name = [0u8; 256];
        // SAFETY: the buffer has the size that is said.
        match allow_threads(|| unsafe { libc::ttyname_r(fd, name.as_mut_ptr().cast(), name.len()) }) {
            0 => fs_decode(name.split(|byte| *byte == 0).next().unwrap_or_default()),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// Whether a process left a core dump.
    #[pyfunction("($module, status, /)")]
    fn WCOREDUMP(status: i32) -> bool {
        libc::WCOREDUMP(status)
    }
    /// Whether a process was continued.
    #[pyfunction("($module, /, status)")]
    fn WIFCONTINUED(status: i32) -> bool {
        libc::WIFCONTINUED(status)
    }
    /// Whether a process was stopped.
    #[pyfunction("($module, /, status)")]
    fn WIFSTOPPED(status: i32) -> bool {
        libc::WIFSTOPPED(status)
    }
    /// Whether a process was ended by a signal.
    #[pyfunction("($module, /, status)")]
    fn WIFSIGNALED(status: i32) -> bool {
        libc::WIFSIGNALED(status)
    }
    /// Whether a process ended by itself.
    #[pyfunction("($module, /, status)")]
    fn WIFEXITED(status: i32) -> bool {
        libc::WIFEXITED(status)
    }
    /// The exit status of a process.
    #[pyfunction("($module, /, status)")]
    fn WEXITSTATUS(status: i32) -> i32 {
        libc::WEXITSTATUS(status)
    }
    /// The signal that ended a process.
    #[pyfunction("($module, /, status)")]
    fn WTERMSIG(status: i32) -> i32 {
        libc::WTERMSIG(status)
    }
    /// The signal that stopped a process.
    #[pyfunction("($module, /, status)")]
    fn WSTOPSIG(status: i32) -> i32 {
        libc::WSTOPSIG(status)
    }
    /// The exit code of a wait status: the exit status, or minus the signal.
    #[pyfunction("($module, /, status)")]
    fn waitstatus_to_exitcode(status: i32) -> PyResult<i32> {
        if libc::WIFEXITED(status) {
            return match libc::WEXITSTATUS(status) {
                code if code < 0 => Err(raise!(ValueError, "invalid WEXITSTATUS: {code}")),
                code => Ok(code),
            };
        }
        if libc::WIFSIGNALED(status) {
            return Ok(-libc::WTERMSIG(status));
        }
        if libc::WIFSTOPPED(status) {
            let signal = libc::WSTOPSIG(status);
            return Err(raise!(
                ValueError,
                "process stopped by delivery of signal {signal}"
            ));
        }
        Err(raise!(ValueError, "invalid wait status: {status}"))
    }
}
