//! `faulthandler`: tracebacks of Python and C when the process crashes, on a signal, or after a time.
//!
//! What runs inside signal handlers writes with a small buffer on the stack and takes no memory. It reads the frames as
//! they are; a crash may have left them half made, so nothing more than pointers is believed of them.

use crate::posixmodule::path::posix_error;
use crate::timemodule::clocks::{Round, ns_from_seconds};
use adder_interp::frame::{call_stack, current_frame};
use adder_runtime::prelude::*;
use adder_runtime::thread::{self as vm, ThreadState};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const MAX_FRAMES: usize = 100;
const MAX_CHARS: usize = 500;
const NSIG: usize = 65;

// ---- writing ----

/// Text to a descriptor, through a buffer on the stack.
struct Out {
    fd: c_int,
    buffer: [u8; 256],
    len: usize,
}

impl Out {
    fn new(fd: c_int) -> Out {
        Out {
            fd,
            buffer: [0; 256],
            len: 0,
        }
    }
    fn flush(&mut self) {
        let mut from = 0;
        while from < self.len {
            // SAFETY: bytes of the buffer.
            let n = unsafe { libc::write(self.fd, self.buffer.as_ptr().add(from).cast(), self.len - from) };
            if n <= 0 {
                break;
            }
            from += n as usize;
        }
        self.len = 0;
    }
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.len == self.buffer.len() {
                self.flush();
            }
            self.buffer[self.len] = *byte;
            self.len += 1;
        }
    }
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
    fn decimal(&mut self, mut value: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.bytes(&digits[at..]);
    }
    fn hex(&mut self, value: u64, width: usize) {
        let n_digits = (64 - value.leading_zeros() as usize)
            .div_ceil(4)
            .max(width)
            .max(1);
        for idx in (0..n_digits).rev() {
            let digit = if idx >= 16 { 0 } else { (value >> (idx * 4)) & 15 };
            self.bytes(&[b"0123456789abcdef"[digit as usize]]);
        }
    }
    /// A str, with escapes for what is not printable ASCII.
    fn object(&mut self, object: *mut PyObject) {
        // SAFETY: a code object's texts, if they are.
        let text = unsafe { object.as_ref() }.and_then(|object| object.downcast_exact::<PyUnicodeObject>());
        let Some(text) = text else { return self.text("???") };
        for code in text.code_points().take(MAX_CHARS) {
            match code {
                0x20..=0x7e => self.bytes(&[code as u8]),
                0..=0xff => {
                    self.text("\\x");
                    self.hex(u64::from(code), 2);
                }
                0x100..=0xffff => {
                    self.text("\\u");
                    self.hex(u64::from(code), 4);
                }
                _ => {
                    self.text("\\U");
                    self.hex(u64::from(code), 8);
                }
            }
        }
        if text.len() > MAX_CHARS {
            self.text("...");
        }
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        self.flush();
    }
}

fn dump_frames(out: &mut Out, state: &ThreadState) {
    let innermost = current_frame(state);
    if innermost.is_null() {
        out.text("  <no Python frame>\n");
        return;
    }
    // SAFETY: frames of a live thread.
    let mut frames = unsafe { call_stack(innermost).map(|frame| &*frame) };
    for frame in frames.by_ref().take(MAX_FRAMES) {
        out.text("  File \"");
        out.object(frame.code().co_filename.get());
        out.text("\", line ");
        match frame.line() {
            Some(line) => out.decimal(line.max(0) as u64),
            None => out.text("???"),
        }
        out.text(" in ");
        out.object(frame.code().co_name.get());
        out.text("\n");
    }
    if frames.next().is_some() {
        out.text("  ...\n");
    }
}

fn dump_thread(out: &mut Out, state: &ThreadState, is_current: bool) {
    out.text(if is_current {
        "Current thread 0x"
    } else {
        "Thread 0x"
    });
    let ident = state.thread_ident.get();
    out.hex(ident, 16);
    let mut name = [0u8; 32];
    // SAFETY: a buffer of the size that is said, and a live thread.
    if ident != 0 && unsafe { libc::pthread_getname_np(ident, name.as_mut_ptr().cast(), name.len()) } == 0 {
        let len = name.iter().position(|byte| *byte == 0).unwrap_or(0);
        if len > 0 {
            out.text(" [");
            out.bytes(&name[..len]);
            out.text("]");
        }
    }
    out.text(" (most recent call first):\n");
    dump_frames(out, state);
}

/// All threads, newest first; the current one is marked.
fn dump_threads(out: &mut Out, current: Option<&ThreadState>) {
    let states = vm::all_thread_states();
    for (idx, state) in states.iter().rev().enumerate() {
        if idx > 0 {
            out.text("\n");
        }
        dump_thread(
            out,
            state,
            current.is_some_and(|current| std::ptr::eq(current, *state)),
        );
    }
}

fn dump(fd: c_int, all_threads: bool) {
    let mut out = Out::new(fd);
    let current = vm::try_thread_state();
    if all_threads {
        dump_threads(&mut out, current);
    } else if let Some(current) = current {
        out.text("Stack (most recent call first):\n");
        dump_frames(&mut out, current);
    }
}

/// What a fatal error of C code tells beside its message: the state of the machine and the thread's frames.
pub fn dump_for_fatal_error() {
    let mut out = Out::new(2);
    let finalizing = vm::INTERPRETER.finalizing.load(Ordering::Relaxed);
    out.text(if finalizing {
        "Python runtime state: finalizing\n\n"
    } else {
        "Python runtime state: initialized\n\n"
    });
    if let Some(current) = vm::try_thread_state() {
        dump_thread(&mut out, current, true);
    } else {
        out.text("<no Python thread state>\n");
    }
}

/// The extension modules that are loaded and no part of the standard library.
fn dump_extension_modules(out: &mut Out) {
    let Some(sys) = adder_runtime::hooks::get().and_then(|hooks| (hooks.sys_dict)()) else {
        return;
    };
    let modules = sys.get_str(identifier!("modules"));
    let Some(modules) = modules.as_deref().and_then(|modules| modules.downcast::<PyDictObject>()) else {
        return;
    };
    let library = sys.get_str(identifier!("stdlib_module_names"));
    let library = library.as_deref().and_then(|names| names.downcast::<PySetObject>());
    let (mut position, mut n_listed) = (0, 0);
    while let Some((name, module, _)) = modules.next_entry(&mut position) {
        let is_extension = module
            .downcast::<PyModuleObject>()
            .is_some_and(|module| !module.md_def.get().is_null());
        let in_library = library.is_some_and(|library| library.contains(name).unwrap_or(true));
        if !is_extension || in_library {
            continue;
        }
        out.text(if n_listed == 0 { "\nExtension modules: " } else { ", " });
        out.object(name.as_ptr());
        n_listed += 1;
    }
    if n_listed > 0 {
        out.text(" (total: ");
        out.decimal(n_listed);
        out.text(")\n");
    }
}

fn dump_native_stack(fd: c_int) {
    let mut addresses = [std::ptr::null_mut::<c_void>(); 32];
    // SAFETY: room for so many addresses.
    let count = unsafe { libc::backtrace(addresses.as_mut_ptr(), addresses.len() as c_int) };
    let mut out = Out::new(fd);
    out.text("Current thread's C stack trace (most recent call first):\n");
    for address in &addresses[..count.max(0) as usize] {
        // SAFETY: a struct that the call fills with static texts.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            out.text("  Binary file \"");
            if libc::dladdr(*address, &mut info) != 0 && !info.dli_fname.is_null() {
                out.bytes(std::ffi::CStr::from_ptr(info.dli_fname).to_bytes());
                out.text("\"");
                let (name, base) = if info.dli_sname.is_null() {
                    (&b""[..], info.dli_fbase)
                } else {
                    (
                        std::ffi::CStr::from_ptr(info.dli_sname).to_bytes(),
                        info.dli_saddr,
                    )
                };
                out.text(", at ");
                out.bytes(&name[..name.len().min(MAX_CHARS)]);
                out.text("+0x");
                out.hex((*address as u64).wrapping_sub(base as u64), 1);
            } else {
                out.text("<unknown>\"");
            }
            out.text(" [0x");
            out.hex(*address as u64, 1);
            out.text("]\n");
        }
    }
}

// ---- fatal signals ----

const FATAL: [(c_int, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

struct Saved([std::cell::Cell<Option<libc::sigaction>>; NSIG]);
// SAFETY: written under the GIL; read by handlers after that.
unsafe impl Sync for Saved {}

/// The actions before ours.
static BEFORE_FATAL: Saved = Saved([const { std::cell::Cell::new(None) }; NSIG]);
static BEFORE_USER: Saved = Saved([const { std::cell::Cell::new(None) }; NSIG]);
static FATAL_ENABLED: AtomicBool = AtomicBool::new(false);
static FATAL_FD: AtomicI32 = AtomicI32::new(2);
static FATAL_ALL_THREADS: AtomicBool = AtomicBool::new(true);
static IN_FATAL: AtomicBool = AtomicBool::new(false);

struct Kept(std::cell::RefCell<Vec<(usize, Ref)>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Kept {}
/// The file objects whose descriptors are in use, by signal (0 for fatal ones, NSIG for the timer).
static FILES: Kept = Kept(std::cell::RefCell::new(Vec::new()));

fn keep_file(place: usize, file: Option<Ref>) {
    let mut files = FILES.0.borrow_mut();
    let old = files
        .iter()
        .position(|(at, _)| *at == place)
        .map(|idx| files.swap_remove(idx));
    files.extend(file.map(|file| (place, file)));
    drop(files);
    drop(old);
}

fn restore(saved: &Saved, signum: c_int) {
    if let Some(action) = saved.0[signum as usize].take() {
        // SAFETY: an action that the system gave.
        unsafe { libc::sigaction(signum, &action, std::ptr::null_mut()) };
    }
}

unsafe extern "C" fn fatal_handler(signum: c_int) {
    // SAFETY: the C library's thread-local, and plain calls.
    unsafe {
        let saved_errno = *libc::__errno_location();
        restore(&BEFORE_FATAL, signum);
        let fd = FATAL_FD.load(Ordering::Relaxed);
        {
            let mut out = Out::new(fd);
            out.text("Fatal Python error: ");
            out.text(
                FATAL
                    .iter()
                    .find(|(known, _)| *known == signum)
                    .map_or("", |(_, name)| name),
            );
            out.text("\n\n");
        }
        // A crash while crashes are reported is reported no further.
        if !IN_FATAL.swap(true, Ordering::Relaxed) {
            dump(fd, FATAL_ALL_THREADS.load(Ordering::Relaxed));
            Out::new(fd).text("\n");
            dump_native_stack(fd);
            dump_extension_modules(&mut Out::new(fd));
            IN_FATAL.store(false, Ordering::Relaxed);
        }
        *libc::__errno_location() = saved_errno;
        // The handler before ours may be that of Rust's library, which expects the faulting instruction to run again.
        libc::signal(signum, libc::SIG_DFL);
        libc::raise(signum);
    }
}

fn install(signum: c_int, handler: usize, flags: c_int, saved: &Saved) -> PyResult<()> {
    // SAFETY: structs of ours.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigemptyset(&mut action.sa_mask);
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signum, &action, &mut before) != 0 {
            return Err(posix_error());
        }
        saved.0[signum as usize].set(Some(before));
    }
    Ok(())
}

// ---- signals that the user registers ----

struct UserSignal {
    fd: AtomicI32,
    all_threads: AtomicBool,
    chain: AtomicBool,
}
static USER: [UserSignal; NSIG] = [const {
    UserSignal {
        fd: AtomicI32::new(-1),
        all_threads: AtomicBool::new(true),
        chain: AtomicBool::new(false),
    }
}; NSIG];

unsafe extern "C" fn user_handler(signum: c_int) {
    let Some(user) = USER.get(signum as usize) else {
        return;
    };
    // SAFETY: the C library's thread-local, and plain calls.
    unsafe {
        let saved_errno = *libc::__errno_location();
        dump(
            user.fd.load(Ordering::Relaxed),
            user.all_threads.load(Ordering::Relaxed),
        );
        if user.chain.load(Ordering::Relaxed)
            && let Some(before) = BEFORE_USER.0[signum as usize].get()
        {
            // The handler before gets the signal too, then ours is put back.
            let mut ours: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signum, &before, &mut ours);
            *libc::__errno_location() = saved_errno;
            libc::raise(signum);
            libc::sigaction(signum, &ours, std::ptr::null_mut());
        }
        *libc::__errno_location() = saved_errno;
    }
}

// ---- after a time ----

/// Told to a waiting thread: do not dump any more.
type Cancel = Arc<(Mutex<bool>, Condvar)>;
static LATER: Mutex<Option<(Cancel, std::thread::JoinHandle<()>)>> = Mutex::new(None);

fn cancel_later() {
    let later = LATER.lock().unwrap().take();
    if let Some((cancel, thread)) = later {
        *cancel.0.lock().unwrap() = true;
        cancel.1.notify_all();
        let _ = vm::allow_threads(|| thread.join());
    }
    keep_file(NSIG, None);
}

fn watch(cancel: &Cancel, timeout: Duration, header: &str, repeat: bool, fd: c_int, exit: bool) {
    loop {
        let guard = cancel.0.lock().unwrap();
        let (cancelled, _) = cancel
            .1
            .wait_timeout_while(guard, timeout, |cancelled| !*cancelled)
            .unwrap();
        if *cancelled {
            return;
        }
        drop(cancelled);
        {
            let mut out = Out::new(fd);
            out.text(header);
            dump_threads(&mut out, None);
        }
        if exit {
            // SAFETY: ends the process.
            unsafe { libc::_exit(1) }
        }
        if !repeat {
            return;
        }
    }
}

/// `Timeout (H:MM:SS.ffffff)!`
fn timeout_header(ns: i64) -> String {
    let us = ns / 1000;
    let (seconds, us) = (us / 1_000_000, us % 1_000_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = if us != 0 {
        format!(".{us:06}")
    } else {
        String::new()
    };
    format!("Timeout ({hours}:{minutes:02}:{seconds:02}{fraction})!\n")
}

/// The descriptor of a file argument (sys.stderr without one), and the object to keep alive.
fn descriptor_of(file: Option<&PyObject>) -> PyResult<(c_int, Option<Ref>)> {
    let file = file.filter(|file| !is_none(file));
    let file = match file {
        Some(file) => file.to_ref(),
        None => {
            let sys = adder_runtime::hooks::import_module("sys")?;
            match sys.get_attr_opt(identifier!("stderr"))? {
                None => return Err(raise!(RuntimeError, "unable to get sys.stderr")),
                Some(stderr) if is_none(&stderr) => return Err(raise!(RuntimeError, "sys.stderr is None")),
                Some(stderr) => stderr,
            }
        }
    };
    if let Some(fd) = file.as_object().downcast::<PyLongObject>() {
        let fd = fd.as_i32()?;
        if fd < 0 {
            return Err(raise!(ValueError, "file is not a valid file descripter"));
        }
        return Ok((fd, None));
    }
    let fd = file.call_method(identifier!("fileno"), &[])?;
    let fd = match fd.as_object().downcast::<PyLongObject>() {
        Some(fd) => fd.to_i64().unwrap_or(-1),
        None => -1,
    };
    let Some(fd) = c_int::try_from(fd).ok().filter(|fd| *fd >= 0) else {
        return Err(raise!(
            RuntimeError,
            "file.fileno() is not a valid file descriptor"
        ));
    };
    if let Err(raised) = file.call_method(identifier!("flush"), &[]) {
        raised.clear();
    }
    Ok((fd, Some(file)))
}

fn check_signum(signum: i32) -> PyResult<usize> {
    if let Some((fatal, _)) = FATAL.iter().find(|(fatal, _)| *fatal == signum) {
        return Err(raise!(
            RuntimeError,
            "signal {fatal} cannot be registered, use enable() instead"
        ));
    }
    if !(1..NSIG as i32).contains(&signum) {
        return Err(raise!(ValueError, "signal number out of range"));
    }
    Ok(signum as usize)
}

/// Tracebacks when the process crashes, on a signal, or after a time.
#[pymodule(name = "faulthandler")]
pub mod faulthandler {
    use super::*;

    /// Writes the traceback of this thread, or of all.
    #[pyfunction("($module, /, file=sys.stderr, all_threads=True)")]
    fn dump_traceback(file: Option<&PyObject>, all_threads: bool) -> PyResult<()> {
        let (fd, _file) = descriptor_of(file)?;
        dump(fd, all_threads);
        Ok(())
    }
    /// Writes the stack of C functions of this thread.
    #[pyfunction("($module, /, file=sys.stderr)")]
    fn dump_c_stack(file: Option<&PyObject>) -> PyResult<()> {
        let (fd, _file) = descriptor_of(file)?;
        dump_native_stack(fd);
        Ok(())
    }
    /// Writes tracebacks when the process crashes.
    #[pyfunction("($module, /, file=sys.stderr, all_threads=True, c_stack=True)")]
    fn enable(file: Option<&PyObject>, all_threads: bool, c_stack: bool) -> PyResult<()> {
        let _ = c_stack;
        let (fd, file) = descriptor_of(file)?;
        keep_file(0, file);
        FATAL_FD.store(fd, Ordering::Relaxed);
        FATAL_ALL_THREADS.store(all_threads, Ordering::Relaxed);
        if !FATAL_ENABLED.swap(true, Ordering::Relaxed) {
            for (signum, _) in FATAL {
                install(
                    signum,
                    fatal_handler as *const () as usize,
                    libc::SA_NODEFER | libc::SA_ONSTACK,
                    &BEFORE_FATAL,
                )?;
            }
        }
        Ok(())
    }
    /// No tracebacks any more when the process crashes; returns whether there were.
    #[pyfunction("($module, /)")]
    fn disable() -> bool {
        let was_enabled = FATAL_ENABLED.swap(false, Ordering::Relaxed);
        if was_enabled {
            for (signum, _) in FATAL {
                restore(&BEFORE_FATAL, signum);
            }
        }
        keep_file(0, None);
        was_enabled
    }
    /// Whether tracebacks are written when the process crashes.
    #[pyfunction("($module, /)")]
    fn is_enabled() -> bool {
        FATAL_ENABLED.load(Ordering::Relaxed)
    }
    /// Writes the tracebacks of all threads after so many seconds.
    #[pyfunction("($module, /, timeout, repeat=False, file=sys.stderr, exit=False)")]
    fn dump_traceback_later(
        timeout: &PyObject,
        repeat: bool,
        file: Option<&PyObject>,
        exit: bool,
    ) -> PyResult<()> {
        let timeout = ns_from_seconds(timeout, Round::Timeout)?;
        if timeout < 1000 {
            return Err(raise!(ValueError, "timeout must be greater than 0"));
        }
        let (fd, file) = descriptor_of(file)?;
        cancel_later();
        keep_file(NSIG, file);
        let cancel: Cancel = Arc::default();
        let header = timeout_header(timeout);
        let theirs = cancel.clone();
        let thread = std::thread::Builder::new()
            .spawn(move || {
                // Signals are for the threads of Python.
                // SAFETY: a set of ours.
                unsafe {
                    let mut set = std::mem::zeroed();
                    libc::sigfillset(&mut set);
                    libc::pthread_sigmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
                }
                watch(
                    &theirs,
                    Duration::from_nanos(timeout as u64),
                    &header,
                    repeat,
                    fd,
                    exit,
                );
            })
            .map_err(|_| raise!(RuntimeError, "unable to start watchdog thread"))?;
        *LATER.lock().unwrap() = Some((cancel, thread));
        Ok(())
    }
    /// Ends what dump_traceback_later() began.
    #[pyfunction("($module, /)")]
    fn cancel_dump_traceback_later() {
        cancel_later();
    }
    /// Writes tracebacks when a signal comes.
    #[pyfunction("($module, /, signum, file=sys.stderr, all_threads=True, chain=False)")]
    fn register(signum: i32, file: Option<&PyObject>, all_threads: bool, chain: bool) -> PyResult<()> {
        let place = check_signum(signum)?;
        let (fd, file) = descriptor_of(file)?;
        let user = &USER[place];
        user.all_threads.store(all_threads, Ordering::Relaxed);
        user.chain.store(chain, Ordering::Relaxed);
        let was_registered = user.fd.swap(fd, Ordering::Relaxed) >= 0;
        keep_file(place, file);
        if !was_registered {
            let flags = if chain { libc::SA_NODEFER } else { libc::SA_RESTART };
            install(
                signum,
                user_handler as *const () as usize,
                flags | libc::SA_ONSTACK,
                &BEFORE_USER,
            )?;
        }
        Ok(())
    }
    /// No tracebacks any more for a signal; returns whether there were.
    #[pyfunction("($module, signum, /)")]
    fn unregister(signum: i32) -> PyResult<bool> {
        let place = check_signum(signum)?;
        let was_registered = USER[place].fd.swap(-1, Ordering::Relaxed) >= 0;
        if was_registered {
            restore(&BEFORE_USER, signum);
        }
        keep_file(place, None);
        Ok(was_registered)
    }

    /// Reads from NULL: a crash for tests.
    #[pyfunction("($module, /)")]
    fn _read_null() -> i32 {
        // SAFETY: none, on purpose: the process is to crash.
        unsafe { std::ptr::read_volatile(std::hint::black_box(std::ptr::null::<i32>())) }
    }
    /// Raises SIGSEGV: a crash for tests.
    #[pyfunction("($module, release_gil=False, /)")]
    fn _sigsegv(release_gil: bool) {
        let crash = || {
            // Without a handler of ours the first one only makes Rust's library give up its own.
            for _ in 0..2 {
                // SAFETY: a plain call.
                unsafe { libc::raise(libc::SIGSEGV) };
            }
        };
        if release_gil {
            vm::allow_threads(crash)
        } else {
            crash()
        }
    }
    /// Raises SIGABRT: a crash for tests.
    #[pyfunction("($module, /)")]
    fn _sigabrt() {
        std::process::abort()
    }
    /// Raises SIGFPE: a crash for tests.
    #[pyfunction("($module, /)")]
    fn _sigfpe() {
        // SAFETY: a plain call.
        unsafe { libc::raise(libc::SIGFPE) };
    }
}
