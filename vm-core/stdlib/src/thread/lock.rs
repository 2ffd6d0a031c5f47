//! `_thread.lock` and `_thread.RLock`: waits let the GIL go, and signals interrupt them in the main thread.

use adder_runtime::prelude::*;
use adder_runtime::thread as vm;
use std::cell::Cell;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// The longest wait, in seconds.
pub const TIMEOUT_MAX_S: f64 = 9223372036.0;
/// How long a wait goes on before signal handlers get a chance.
const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A lock that another thread may release.
#[derive(Default)]
pub struct RawLock {
    locked: Mutex<bool>,
    released: Condvar,
}

impl RawLock {
    /// Takes the lock if it is free.
    pub fn try_acquire(&self) -> bool {
        let mut locked = self.locked.lock().unwrap();
        !std::mem::replace(&mut *locked, true)
    }
    /// Waits for the lock until the deadline, without the GIL. Exceptions come from signal handlers.
    pub fn acquire(&self, deadline: Option<Instant>) -> PyResult<bool> {
        if self.try_acquire() {
            return Ok(true);
        }
        loop {
            let got = vm::allow_threads(|| self.wait_once(deadline));
            adder_runtime::hooks::run_pending_signals()?;
            if got {
                return Ok(true);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(false);
            }
        }
    }
    fn wait_once(&self, deadline: Option<Instant>) -> bool {
        let until = Instant::now() + SIGNAL_CHECK_INTERVAL;
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        let mut locked = self.locked.lock().unwrap();
        while *locked {
            let now = Instant::now();
            if now >= until {
                return false;
            }
            locked = self.released.wait_timeout(locked, until - now).unwrap().0;
        }
        *locked = true;
        true
    }
    /// False when the lock was not held.
    pub fn release(&self) -> bool {
        let was_locked = std::mem::replace(&mut *self.locked.lock().unwrap(), false);
        self.released.notify_one();
        was_locked
    }
    pub fn is_locked(&self) -> bool {
        *self.locked.lock().unwrap()
    }
}

/// The deadline of `acquire(blocking, timeout)`; `Err` for bad combinations; `Ok(None)` waits for ever.
pub enum Wait {
    Never,
    Until(Option<Instant>),
}

/// The rules of `acquire`'s arguments.
pub fn parse_wait(blocking: Option<bool>, timeout: Option<f64>) -> PyResult<Wait> {
    let blocking = blocking.unwrap_or(true);
    let timeout = timeout.unwrap_or(-1.0);
    if !blocking {
        if timeout != -1.0 {
            return Err(raise!(ValueError, "can't specify a timeout for a non-blocking call"));
        }
        return Ok(Wait::Never);
    }
    if timeout == -1.0 {
        return Ok(Wait::Until(None));
    }
    if timeout < 0.0 {
        return Err(raise!(ValueError, "timeout value must be a non-negative number"));
    }
    if timeout > TIMEOUT_MAX_S || timeout.is_nan() {
        return Err(raise!(OverflowError, "timeout value is too large"));
    }
    Ok(Wait::Until(Some(Instant::now() + Duration::from_secs_f64(timeout))))
}

/// `_thread.lock`.
#[repr(C)]
pub struct Lock {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    raw: RawLock,
}

/// A new lock, free.
pub fn new_lock() -> PyResult {
    let lock = Lock {
        ob_base: adder_runtime::memory::blank_header(),
        weakreflist: Cell::new(std::ptr::null_mut()),
        raw: RawLock::default(),
    };
    Ok(Ref::new(lock)?.into_object())
}

#[pytype(
    name = "_thread.lock",
    static_name = PyThread_lock_Type,
    export = false,
    weaklistoffset = std::mem::offset_of!(Lock, weakreflist) as isize,
)]
/// A lock; allocate_lock() makes one.
impl Lock {
    #[new(raw, "()")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "{}() takes no arguments", cls.name()));
        }
        new_lock()
    }
    /// Takes the lock; returns whether that succeeded.
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<bool>, timeout: Option<f64>) -> PyResult<bool> {
        match parse_wait(blocking, timeout)? {
            Wait::Never => Ok(self.raw.try_acquire()),
            Wait::Until(deadline) => self.raw.acquire(deadline),
        }
    }
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire_lock(&self, blocking: Option<bool>, timeout: Option<f64>) -> PyResult<bool> {
        self.acquire(blocking, timeout)
    }
    /// Lets the lock go; any thread may.
    #[method("($self, /)")]
    fn release(&self) -> PyResult<()> {
        if self.raw.release() { Ok(()) } else { Err(raise!(RuntimeError, "release unlocked lock")) }
    }
    #[method("($self, /)")]
    fn release_lock(&self) -> PyResult<()> {
        self.release()
    }
    #[method("($self, /)")]
    fn locked(&self) -> bool {
        self.raw.is_locked()
    }
    #[method("($self, /)")]
    fn locked_lock(&self) -> bool {
        self.raw.is_locked()
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<bool> {
        self.raw.acquire(None)
    }
    #[method("($self, exc_type, exc_value, exc_tb, /)")]
    fn __exit__(&self, _ty: &PyObject, _value: &PyObject, _traceback: &PyObject) -> PyResult<()> {
        self.release()
    }
    /// In a forked child nobody holds the lock any more.
    #[method("($self, /)")]
    fn _at_fork_reinit(&self) {
        self.raw.release();
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let state = if self.raw.is_locked() { "locked" } else { "unlocked" };
        let text =
            format!("<{state} {} object at {:p}>", self.as_object().ty().full_name(), self.as_object().as_ptr());
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
}

/// `_thread.RLock`.
#[repr(C)]
pub struct RLock {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    raw: RawLock,
    owner: Cell<u64>,
    count: Cell<u64>,
}

fn me() -> u64 {
    super::native_ident()
}

#[pytype(
    name = "_thread.RLock",
    static_name = RLOCK_TYPE,
    flags = BASETYPE,
    weaklistoffset = std::mem::offset_of!(RLock, weakreflist) as isize,
)]
/// A lock that its owner may take again.
impl RLock {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let has_arguments = args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0);
        if has_arguments && std::ptr::eq(cls, &RLOCK_TYPE) {
            adder_runtime::exceptions::warn(
                adder_runtime::exceptions::exc::DeprecationWarning,
                "Passing arguments to RLock is deprecated and will be removed in 3.15",
                1,
            )?;
        }
        let lock = RLock {
            ob_base: adder_runtime::memory::blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            raw: RawLock::default(),
            owner: Cell::new(0),
            count: Cell::new(0),
        };
        Ok(Ref::new_in(cls, lock)?.into_object())
    }
    #[slot]
    fn tp_init(&self, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<()> {
        Ok(())
    }
    fn is_mine(&self) -> bool {
        self.count.get() != 0 && self.owner.get() == me()
    }
    fn taken(&self, got: bool) -> bool {
        if got {
            self.owner.set(me());
            self.count.set(1);
        }
        got
    }
    /// Takes the lock, again if this thread has it.
    #[method("($self, /, blocking=True, timeout=-1)")]
    fn acquire(&self, blocking: Option<bool>, timeout: Option<f64>) -> PyResult<bool> {
        let wait = parse_wait(blocking, timeout)?;
        if self.is_mine() {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        let got = match wait {
            Wait::Never => self.raw.try_acquire(),
            Wait::Until(deadline) => self.raw.acquire(deadline)?,
        };
        Ok(self.taken(got))
    }
    #[method("($self, /)")]
    fn release(&self) -> PyResult<()> {
        if !self.is_mine() {
            return Err(raise!(RuntimeError, "cannot release un-acquired lock"));
        }
        let count = self.count.get() - 1;
        self.count.set(count);
        if count == 0 {
            self.owner.set(0);
            self.raw.release();
        }
        Ok(())
    }
    #[method("($self, /)")]
    fn locked(&self) -> bool {
        self.raw.is_locked()
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<bool> {
        self.acquire(None, None)
    }
    #[method("($self, exc_type, exc_value, exc_tb, /)")]
    fn __exit__(&self, _ty: &PyObject, _value: &PyObject, _traceback: &PyObject) -> PyResult<()> {
        self.release()
    }
    #[method("($self, /)")]
    fn _is_owned(&self) -> bool {
        self.is_mine()
    }
    #[method("($self, /)")]
    fn _recursion_count(&self) -> u64 {
        if self.is_mine() { self.count.get() } else { 0 }
    }
    /// Lets the lock go altogether; for condition variables.
    #[method("($self, /)")]
    fn _release_save(&self) -> PyResult<(u64, u64)> {
        if self.count.get() == 0 {
            return Err(raise!(RuntimeError, "cannot release un-acquired lock"));
        }
        let saved = (self.count.replace(0), self.owner.replace(0));
        self.raw.release();
        Ok(saved)
    }
    /// Takes the lock back as `_release_save` found it.
    #[method("($self, state, /)")]
    fn _acquire_restore(&self, state: &PyTupleObject) -> PyResult<()> {
        let [count, owner] = state.as_slice() else {
            return Err(raise!(TypeError, "_acquire_restore() argument must be a pair"));
        };
        let (count, owner) = (count.index()?.as_i64()?, owner.index()?);
        self.raw.acquire(None)?;
        self.count.set(count as u64);
        self.owner.set(owner.to_u64().unwrap_or(0));
        Ok(())
    }
    #[method("($self, /)")]
    fn _at_fork_reinit(&self) {
        self.count.set(0);
        self.owner.set(0);
        self.raw.release();
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let state = if self.count.get() != 0 { "locked" } else { "unlocked" };
        let text = format!(
            "<{state} {} object owner={} count={} at {:p}>",
            self.as_object().ty().full_name(),
            self.owner.get(),
            self.count.get(),
            self.as_object().as_ptr()
        );
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
}

