//! `_posixsubprocess`: fork and exec in one step, for `subprocess`.
//!
//! Everything that needs memory or the interpreter is done before the fork; the child makes system calls only, unless
//! there is a `preexec_fn`. What goes wrong in the child is written to a pipe: `OSError:HEX_ERRNO:where`.

use crate::posixmodule::path::{errno, fs_converter, gid_of, uid_of};
use crate::posixmodule::process::{
    CStrings, after_fork_in_child, after_fork_in_parent, before_fork, warn_of_threads,
};
use crate::posixmodule::syscall::set_inheritable;
use adder_runtime::prelude::*;
use adder_runtime::thread::INTERPRETER;
use std::ffi::CString;
use std::sync::atomic::Ordering;

/// What the child has to do.
struct Plan<'a> {
    executables: Vec<CString>,
    argv: CStrings,
    /// NULL for the parent's.
    env: Option<CStrings>,
    cwd: Option<CString>,
    /// stdin, stdout and stderr of the child: its ends, then the parent's.
    p2cread: c_int,
    p2cwrite: c_int,
    c2pread: c_int,
    c2pwrite: c_int,
    errread: c_int,
    errwrite: c_int,
    errpipe_read: c_int,
    errpipe_write: c_int,
    close_fds: bool,
    /// In ascending order.
    keep_fds: Vec<c_int>,
    restore_signals: bool,
    setsid: bool,
    pgid: c_int,
    groups: Option<Vec<libc::gid_t>>,
    gid: Option<libc::gid_t>,
    uid: Option<libc::uid_t>,
    umask: c_int,
    preexec_fn: Option<&'a PyObject>,
}

/// Where the child failed.
enum Failure {
    Chdir,
    BeforeExec,
    Exec(c_int),
    Preexec,
}

/// -1 fails.
fn check(result: c_int) -> Result<c_int, Failure> {
    if result < 0 {
        Err(Failure::BeforeExec)
    } else {
        Ok(result)
    }
}

/// Gives the descriptor the number that a standard stream has.
fn place(fd: c_int, target: c_int) -> Result<(), Failure> {
    if fd == target {
        check(set_inheritable(fd, true))?;
    } else if fd != -1 {
        // SAFETY: a plain system call.
        check(unsafe { libc::dup2(fd, target) })?;
    }
    Ok(())
}

/// Closes the descriptors from 3 on that are not to be kept.
fn close_others(keep: &[c_int]) {
    let mut first = 3;
    let close = |first: c_int, last: c_uint| {
        if last as i64 >= i64::from(first) {
            // SAFETY: plain system calls.
            unsafe {
                if libc::syscall(libc::SYS_close_range, first, last, 0) < 0 {
                    for fd in first..(last.min(65535) as c_int) {
                        libc::close(fd);
                    }
                }
            }
        }
    };
    for fd in keep.iter().filter(|fd| **fd >= 3) {
        if *fd > first {
            close(first, *fd as c_uint - 1);
        }
        first = fd + 1;
    }
    close(first, c_uint::MAX);
}

impl Plan<'_> {
    /// Runs in the child; returns only when that fails.
    fn run(&self) -> Failure {
        match self.prepare() {
            Err(failure) => failure,
            Ok(()) => self.exec(),
        }
    }
    fn prepare(&self) -> Result<(), Failure> {
        for fd in &self.keep_fds {
            if *fd != self.errpipe_write {
                check(set_inheritable(*fd, true))?;
            }
        }
        // SAFETY: plain system calls, to the end of the function.
        unsafe {
            for fd in [self.p2cwrite, self.c2pread, self.errread, self.errpipe_read] {
                if fd != -1 {
                    check(libc::close(fd))?;
                }
            }
            // A descriptor that has the number of a standard stream must not be overwritten before it is placed.
            let mut c2pwrite = self.c2pwrite;
            if c2pwrite == 0 {
                c2pwrite = check(libc::dup(c2pwrite))?;
            }
            let mut errwrite = self.errwrite;
            while errwrite == 0 || errwrite == 1 {
                errwrite = check(libc::dup(errwrite))?;
            }
            place(self.p2cread, 0)?;
            place(c2pwrite, 1)?;
            place(errwrite, 2)?;
            if let Some(cwd) = &self.cwd
                && libc::chdir(cwd.as_ptr()) < 0
            {
                return Err(Failure::Chdir);
            }
            if self.umask >= 0 {
                libc::umask(self.umask as libc::mode_t);
            }
            if self.restore_signals {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            }
            if self.setsid {
                check(libc::setsid())?;
            }
            if self.pgid >= 0 {
                check(libc::setpgid(0, self.pgid))?;
            }
            if let Some(groups) = &self.groups {
                check(libc::setgroups(groups.len(), groups.as_ptr()))?;
            }
            if let Some(gid) = self.gid {
                check(libc::setregid(gid, gid))?;
            }
            if let Some(uid) = self.uid {
                check(libc::setreuid(uid, uid))?;
            }
        }
        if let Some(preexec_fn) = self.preexec_fn
            && let Err(raised) = preexec_fn.call0()
        {
            raised.clear();
            return Err(Failure::Preexec);
        }
        if self.close_fds {
            close_others(&self.keep_fds);
        }
        Ok(())
    }
    fn exec(&self) -> Failure {
        let mut first_error = 0;
        let mut error = 0;
        for executable in &self.executables {
            // SAFETY: C strings and tables ended by NULL.
            unsafe {
                match &self.env {
                    Some(env) => libc::execve(executable.as_ptr(), self.argv.as_ptr(), env.as_ptr()),
                    None => libc::execv(executable.as_ptr(), self.argv.as_ptr()),
                };
            }
            error = errno();
            // That a directory of PATH has no such file is no news.
            if error != libc::ENOENT && error != libc::ENOTDIR && first_error == 0 {
                first_error = error;
            }
        }
        Failure::Exec(if first_error != 0 { first_error } else { error })
    }
    /// Tells the parent; without memory from the heap.
    fn report(&self, failure: &Failure) {
        let write = |bytes: &[u8]| {
            // SAFETY: bytes of ours.
            unsafe { libc::write(self.errpipe_write, bytes.as_ptr().cast(), bytes.len()) };
        };
        let (error, place): (c_int, &[u8]) = match failure {
            Failure::Preexec => return write(b"SubprocessError:0:Exception occurred in preexec_fn."),
            Failure::Exec(error) => (*error, b""),
            Failure::Chdir => (errno(), b"noexec:chdir"),
            Failure::BeforeExec => (errno(), b"noexec"),
        };
        let mut digits = [0u8; 8];
        let mut at = digits.len();
        let mut rest = error as u32;
        while rest != 0 && at > 0 {
            at -= 1;
            digits[at] = b"0123456789ABCDEF"[(rest & 15) as usize];
            rest >>= 4;
        }
        write(b"OSError:");
        write(&digits[at..]);
        write(b":");
        write(place);
    }
}

/// The items of a sequence of bytes as C strings.
fn byte_strings(sequence: &PyObject) -> PyResult<Vec<CString>> {
    let n_items = sequence.sequence_len()?;
    if n_items >= isize::MAX as usize / size_of::<*const c_char>() {
        return Err(adder_runtime::memory::no_memory());
    }
    let mut texts = Vec::new();
    for item_idx in 0..n_items {
        let item = sequence.get_index(item_idx as isize)?;
        let Some(bytes) = item.as_object().downcast::<PyBytesObject>() else {
            return Err(raise!(
                TypeError,
                "expected bytes, {} found",
                item.ty().full_name()
            ));
        };
        texts.push(CString::new(bytes.as_bytes()).map_err(|_| raise!(ValueError, "embedded null byte"))?);
    }
    Ok(texts)
}

/// The descriptors to keep: ascending and not negative.
fn kept(tuple: &PyObject) -> PyResult<Vec<c_int>> {
    let bad = || raise!(ValueError, "bad value(s) in fds_to_keep");
    let mut fds = Vec::new();
    for item in tuple.collect()? {
        let Some(number) = item.as_object().downcast::<PyLongObject>() else {
            return Err(bad());
        };
        match number.to_i64().and_then(|fd| c_int::try_from(fd).ok()) {
            Some(fd) if fd >= 0 && fds.last().is_none_or(|last| *last < fd) => fds.push(fd),
            _ => return Err(bad()),
        }
    }
    Ok(fds)
}

fn groups_of(object: &PyObject) -> PyResult<Option<Vec<libc::gid_t>>> {
    if is_none(object) {
        return Ok(None);
    }
    if !object.type_has(Py_TPFLAGS_LIST_SUBCLASS) {
        return Err(raise!(TypeError, "setgroups argument must be a list"));
    }
    let mut groups = Vec::new();
    for item in object.collect()? {
        if !PyLongObject::check(&item) {
            return Err(raise!(TypeError, "extra_groups must be integers"));
        }
        groups.push(gid_of(&item).map_err(|raised| {
            raised.clear();
            raise!(ValueError, "invalid group id")
        })?);
    }
    if groups.len() > 65536 {
        return Err(raise!(ValueError, "too many extra_groups"));
    }
    Ok(Some(groups))
}

/// Fork and exec in one step.
#[pymodule(name = "_posixsubprocess")]
pub mod _posixsubprocess {
    use super::*;

    /// Starts a program in a new process; returns its number.
    #[pyfunction(
        "($module, args, executable_list, close_fds, pass_fds, cwd,\n          env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,\n          errpipe_read, errpipe_write, restore_signals, call_setsid,\n          pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn,\n          /)"
    )]
    fn fork_exec(
        args: &PyObject,
        executable_list: &PyObject,
        close_fds: bool,
        pass_fds: &PyTupleObject,
        cwd: &PyObject,
        env: &PyObject,
        p2cread: i32,
        p2cwrite: i32,
        c2pread: i32,
        c2pwrite: i32,
        errread: i32,
        errwrite: i32,
        errpipe_read: i32,
        errpipe_write: i32,
        restore_signals: bool,
        call_setsid: bool,
        pgid_to_set: i32,
        gid: &PyObject,
        extra_groups: &PyObject,
        uid: &PyObject,
        child_umask: i32,
        preexec_fn: &PyObject,
    ) -> PyResult<i32> {
        if !is_none(preexec_fn) && INTERPRETER.finalizing.load(Ordering::Relaxed) {
            return Err(raise!(
                PythonFinalizationError,
                "preexec_fn not supported at interpreter shutdown"
            ));
        }
        if !is_none(preexec_fn) && !adder_runtime::thread::interpreter().is_main() {
            return Err(raise!(RuntimeError, "preexec_fn not supported within subinterpreters"));
        }
        if close_fds && errpipe_write < 3 {
            return Err(raise!(ValueError, "errpipe_write must be >= 3"));
        }
        let executables = byte_strings(executable_list)?;
        let argv = args.to_fast_sequence("argv must be a tuple")?;
        let argv: Vec<CString> = argv
            .collect()?
            .iter()
            .map(|item| fs_converter(item))
            .collect::<PyResult<_>>()?;
        adder_runtime::hooks::audit("_posixsubprocess.fork_exec", &[executable_list, args, env])?;
        let or_none = |object: &'_ PyObject| !is_none(object);
        let plan = Plan {
            executables,
            argv: CStrings::new(argv),
            env: if is_none(env) {
                None
            } else {
                Some(CStrings::new(byte_strings(env)?))
            },
            cwd: if is_none(cwd) {
                None
            } else {
                Some(fs_converter(cwd)?)
            },
            p2cread,
            p2cwrite,
            c2pread,
            c2pwrite,
            errread,
            errwrite,
            errpipe_read,
            errpipe_write,
            close_fds,
            keep_fds: kept(pass_fds.as_object())?,
            restore_signals,
            setsid: call_setsid,
            pgid: pgid_to_set,
            groups: groups_of(extra_groups)?,
            gid: if is_none(gid) { None } else { Some(gid_of(gid)?) },
            uid: if is_none(uid) { None } else { Some(uid_of(uid)?) },
            umask: child_umask,
            preexec_fn: Some(preexec_fn).filter(|function| or_none(function)),
        };
        if plan.preexec_fn.is_some() {
            before_fork();
        }
        // SAFETY: without a preexec_fn the child makes system calls only, until it execs or exits.
        let pid = unsafe { libc::fork() };
        let error = errno();
        if pid == 0 {
            if plan.preexec_fn.is_some() {
                after_fork_in_child();
            }
            let failure = plan.run();
            plan.report(&failure);
            // SAFETY: ends the child.
            unsafe { libc::_exit(255) }
        }
        if plan.preexec_fn.is_some() {
            after_fork_in_parent();
        }
        if pid < 0 {
            return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None));
        }
        if plan.preexec_fn.is_some() {
            warn_of_threads("fork")?;
        }
        Ok(pid)
    }
}
