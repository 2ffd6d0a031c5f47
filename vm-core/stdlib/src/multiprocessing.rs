//! `_multiprocessing` and `_posixshmem`: semaphores and memory that processes share by name.

use crate::posixmodule::path::{FsBytes, errno, posix_error};
use crate::posixmodule::syscall::quick;
use crate::timemodule::clocks::{NS_PER_S, Round, clock_ns, ns_from_seconds};
use adder_runtime::prelude::*;
use adder_runtime::thread::{allow_threads, thread_state};
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::mem::offset_of;

const RECURSIVE_MUTEX: c_int = 0;
const SEMAPHORE: c_int = 1;

/// `_multiprocessing.SemLock`.
#[repr(C)]
pub struct SemLock {
    ob_base: PyObject,
    handle: Cell<*mut libc::sem_t>,
    last_thread: Cell<u64>,
    count: Cell<c_int>,
    maxvalue: c_int,
    kind: c_int,
    name: RefCell<Option<CString>>,
    name_object: ObjectCell,
}

impl Drop for SemLock {
    fn drop(&mut self) {
        if !self.handle.get().is_null() {
            // SAFETY: a semaphore of ours, closed once.
            unsafe { libc::sem_close(self.handle.get()) };
        }
    }
}

fn new_sem_lock(
    cls: &PyTypeObject,
    handle: *mut libc::sem_t,
    kind: c_int,
    maxvalue: c_int,
    name: Option<CString>,
) -> PyResult {
    let name_object = match &name {
        Some(name) => crate::posixmodule::path::fs_decode(name.as_bytes())?.into_object(),
        None => none_ref(),
    };
    let lock = SemLock {
        ob_base: adder_runtime::memory::blank_header(),
        handle: Cell::new(handle),
        last_thread: Cell::new(0),
        count: Cell::new(0),
        maxvalue,
        kind,
        name: RefCell::new(name),
        name_object: ObjectCell::new(Some(name_object)),
    };
    Ok(Ref::new_in(cls, lock)?.into_object())
}

impl SemLock {
    fn this_thread() -> u64 {
        thread_state().thread_ident.get()
    }
    fn is_mine(&self) -> bool {
        self.count.get() > 0 && self.last_thread.get() == Self::this_thread()
    }
    fn value(&self) -> PyResult<c_int> {
        let mut value = 0;
        // SAFETY: an open semaphore, and room for the number.
        quick(unsafe { libc::sem_getvalue(self.handle.get(), &mut value) })?;
        Ok(value.max(0))
    }
    fn wait(&self, blocking: bool, timeout: Option<&PyObject>) -> PyResult<bool> {
        let handle = self.handle.get();
        let deadline = match timeout.filter(|timeout| blocking && !is_none(timeout)) {
            Some(timeout) => {
                let timeout = ns_from_seconds(timeout, Round::Timeout)?.max(0);
                let deadline = clock_ns(libc::CLOCK_REALTIME)?.saturating_add(timeout);
                Some(libc::timespec {
                    tv_sec: deadline / NS_PER_S,
                    tv_nsec: deadline % NS_PER_S,
                })
            }
            None => None,
        };
        // SAFETY: an open semaphore.
        if unsafe { libc::sem_trywait(handle) } == 0 {
            return Ok(true);
        }
        if errno() == libc::EAGAIN && !blocking {
            return Ok(false);
        }
        loop {
            // SAFETY: an open semaphore and a struct of ours.
            let result = allow_threads(|| unsafe {
                match &deadline {
                    Some(deadline) => libc::sem_timedwait(handle, deadline),
                    None => libc::sem_wait(handle),
                }
            });
            if result == 0 {
                return Ok(true);
            }
            match errno() {
                libc::EAGAIN | libc::ETIMEDOUT => return Ok(false),
                libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
                _ => return Err(posix_error()),
            }
        }
    }
}

/// A lock that processes share by a name.
#[pytype(
    name = "_multiprocessing.SemLock",
    static_name = SEM_LOCK_TYPE,
    flags = BASETYPE,
    members = [
        ("handle", Py_T_ULONG, offset_of!(SemLock, handle), Py_READONLY),
        ("kind", Py_T_INT, offset_of!(SemLock, kind), Py_READONLY),
        ("maxvalue", Py_T_INT, offset_of!(SemLock, maxvalue), Py_READONLY),
        ("name", _Py_T_OBJECT, offset_of!(SemLock, name_object), Py_READONLY),
    ],
)]
impl SemLock {
    #[new("(kind, value, maxvalue, name, unlink)")]
    fn new(cls: &PyTypeObject, kind: i32, value: i32, maxvalue: i32, name: &str, unlink: bool) -> PyResult {
        if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
            return Err(raise!(ValueError, "unrecognized kind"));
        }
        let name = CString::new(name).map_err(|_| raise!(ValueError, "embedded null character"))?;
        // SAFETY: a C string.
        let handle = unsafe {
            libc::sem_open(
                name.as_ptr(),
                libc::O_CREAT | libc::O_EXCL,
                0o600,
                value as c_uint,
            )
        };
        if handle == libc::SEM_FAILED {
            return Err(posix_error());
        }
        // SAFETY: as above.
        if unlink && unsafe { libc::sem_unlink(name.as_ptr()) } < 0 {
            let raised = posix_error();
            // SAFETY: a semaphore of ours.
            unsafe { libc::sem_close(handle) };
            return Err(raised);
        }
        new_sem_lock(cls, handle, kind, maxvalue, (!unlink).then_some(name))
    }
    /// Another process's lock by its name.
    #[classmethod("($type, handle, kind, maxvalue, name, /)")]
    fn _rebuild(cls: &PyTypeObject, handle: u64, kind: i32, maxvalue: i32, name: Option<&str>) -> PyResult {
        let name = name
            .map(|name| CString::new(name).map_err(|_| raise!(ValueError, "embedded null character")))
            .transpose()?;
        let handle = match &name {
            Some(name) => {
                // SAFETY: a C string.
                let handle = unsafe { libc::sem_open(name.as_ptr(), 0) };
                if handle == libc::SEM_FAILED {
                    return Err(posix_error());
                }
                handle
            }
            None => handle as *mut libc::sem_t,
        };
        new_sem_lock(cls, handle, kind, maxvalue, name)
    }
    /// Takes the lock; returns whether that succeeded.
    #[method("($self, /, block=True, timeout=None)")]
    fn acquire(&self, block: bool, timeout: Option<&PyObject>) -> PyResult<bool> {
        if self.kind == RECURSIVE_MUTEX && self.is_mine() {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        if !self.wait(block, timeout)? {
            return Ok(false);
        }
        self.count.set(self.count.get() + 1);
        self.last_thread.set(Self::this_thread());
        Ok(true)
    }
    /// Lets the lock go.
    #[method("($self, /)")]
    fn release(&self) -> PyResult<()> {
        if self.kind == RECURSIVE_MUTEX {
            if !self.is_mine() {
                return Err(raise!(
                    AssertionError,
                    "attempt to release recursive lock not owned by thread"
                ));
            }
            if self.count.get() > 1 {
                self.count.set(self.count.get() - 1);
                return Ok(());
            }
        } else if self.value()? >= self.maxvalue {
            return Err(raise!(ValueError, "semaphore or lock released too many times"));
        }
        // SAFETY: an open semaphore.
        quick(unsafe { libc::sem_post(self.handle.get()) })?;
        self.count.set(self.count.get() - 1);
        Ok(())
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<bool> {
        self.acquire(true, None)
    }
    #[method("($self, exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(
        &self,
        exc_type: Option<&PyObject>,
        exc_value: Option<&PyObject>,
        exc_tb: Option<&PyObject>,
    ) -> PyResult<()> {
        let _ = (exc_type, exc_value, exc_tb);
        self.release()
    }
    /// How often this process holds the lock.
    #[method("($self, /)")]
    fn _count(&self) -> i32 {
        self.count.get()
    }
    /// Whether this thread holds the lock.
    #[method("($self, /)", name = "_is_mine")]
    fn is_mine_(&self) -> bool {
        self.is_mine()
    }
    /// The value of the semaphore.
    #[method("($self, /)")]
    fn _get_value(&self) -> PyResult<i32> {
        self.value()
    }
    /// Whether the value of the semaphore is zero.
    #[method("($self, /)")]
    fn _is_zero(&self) -> PyResult<bool> {
        Ok(self.value()? == 0)
    }
    /// In a forked child nobody holds the lock.
    #[method("($self, /)")]
    fn _after_fork(&self) {
        self.count.set(0);
    }
}

/// Semaphores that processes share.
#[pymodule(name = "_multiprocessing", types = [SEM_LOCK_TYPE])]
pub mod _multiprocessing {
    use super::*;

    /// Removes the name of a semaphore.
    #[pyfunction("($module, name, /)")]
    fn sem_unlink(name: FsBytes) -> PyResult<()> {
        // SAFETY: a C string.
        quick(unsafe { libc::sem_unlink(name.as_ptr()) }).map(drop)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        if let Some(dict) = SEM_LOCK_TYPE.dict() {
            let max = PyLongObject::from_i64(i64::from(c_int::MAX));
            dict.set_str(identifier!("SEM_VALUE_MAX"), max.as_object())?;
            adder_runtime::types::modified(&SEM_LOCK_TYPE);
        }
        let flags = PyDictObject::new();
        let one = PyLongObject::from_i64(1);
        flags.set_str(identifier!("HAVE_SEM_OPEN"), one.as_object())?;
        flags.set_str(identifier!("HAVE_SEM_TIMEDWAIT"), one.as_object())?;
        module.add("flags", flags.into_object())
    }
}

/// Memory that processes share.
#[pymodule(name = "_posixshmem")]
pub mod _posixshmem {
    use super::*;

    /// Opens shared memory; returns its descriptor.
    #[pyfunction("($module, /, path, flags, mode=511)")]
    fn shm_open(path: &PyUnicodeObject, flags: i32, mode: Option<i32>) -> PyResult<i32> {
        let name = crate::posixmodule::path::fs_converter(path.as_object())?;
        let mode = mode.unwrap_or(0o777) as libc::mode_t;
        let opened = crate::posixmodule::syscall::until_done(|| {
            // SAFETY: a C string.
            unsafe { libc::shm_open(name.as_ptr(), flags, mode) as isize }
        })?;
        if opened < 0 {
            Err(error_about(path))
        } else {
            Ok(opened as i32)
        }
    }
    /// Removes the name of shared memory.
    #[pyfunction("($module, path, /)")]
    fn shm_unlink(path: &PyUnicodeObject) -> PyResult<()> {
        let name = crate::posixmodule::path::fs_converter(path.as_object())?;
        // SAFETY: a C string.
        let result =
            crate::posixmodule::syscall::until_done(|| unsafe { libc::shm_unlink(name.as_ptr()) as isize })?;
        if result < 0 {
            Err(error_about(path))
        } else {
            Ok(())
        }
    }

    fn error_about(path: &PyUnicodeObject) -> Raised {
        adder_runtime::exceptions::os_error_from_errno(errno(), Some(path.as_object()), None)
    }
}
