//! pythread.h, lock.h, critical_section.h: locks, thread-local keys, threads, the one-byte mutex.

use crate::export::Void;
use adder_runtime::prelude::*;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// A lock that any thread may release.
pub struct Lock {
    locked: Mutex<bool>,
    released: Condvar,
}

const PY_LOCK_FAILURE: c_int = 0;
const PY_LOCK_ACQUIRED: c_int = 1;

impl Lock {
    /// Waits `microseconds`, for ever when negative, not at all for 0.
    fn acquire(&self, microseconds: i64) -> c_int {
        let deadline = u64::try_from(microseconds)
            .ok()
            .map(|us| Instant::now() + Duration::from_micros(us));
        let mut locked = self
            .locked
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        while *locked {
            locked = match deadline {
                None => self
                    .released
                    .wait(locked)
                    .unwrap_or_else(|poisoned| poisoned.into_inner()),
                Some(deadline) => {
                    let Some(left) = deadline
                        .checked_duration_since(Instant::now())
                        .filter(|left| !left.is_zero())
                    else {
                        return PY_LOCK_FAILURE;
                    };
                    self.released
                        .wait_timeout(locked, left)
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .0
                }
            };
        }
        *locked = true;
        PY_LOCK_ACQUIRED
    }

    fn release(&self) {
        *self
            .locked
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = false;
        self.released.notify_one();
    }
}

/// # Safety
/// `lock` came from PyThread_allocate_lock.
unsafe fn lock_at<'a>(lock: *mut Lock) -> &'a Lock {
    // SAFETY: the caller's contract.
    unsafe { &*lock }
}

/// A thread-local key as C has it: statically initialised, then made.
#[repr(C)]
pub struct Py_tss_t {
    is_initialized: Cell<c_int>,
    key: Cell<libc::pthread_key_t>,
}

capi! {
    fn PyThread_init_thread() -> Void { Void }
    fn PyThread_get_thread_ident() -> u64 {
        // SAFETY: always succeeds.
        unsafe { libc::pthread_self() as u64 }
    }
    fn PyThread_get_thread_native_id() -> u64 {
        // SAFETY: always succeeds.
        unsafe { libc::syscall(libc::SYS_gettid) as u64 }
    }
    fn PyThread_get_stacksize() -> usize { 0 }
    fn PyThread_set_stacksize(_size: usize) -> c_int { -2 }
    fn PyThread_GetInfo() -> PyResult { crate::sysmodule::sys_attribute(identifier!("thread_info")) }
    fn PyThread_ReInitTLS() -> Void { Void }
    fn PyThread_start_new_thread(function: *mut c_void, arg: *mut c_void) -> u64 { start_thread(function, arg) }
    fn PyThread_allocate_lock() -> *mut Lock {
        Box::into_raw(Box::new(Lock { locked: Mutex::new(false), released: Condvar::new() }))
    }
    fn PyThread_free_lock(lock: *mut Lock) -> Void {
        // SAFETY: C gives the lock back.
        drop(unsafe { Box::from_raw(lock) });
        Void
    }
    fn PyThread_acquire_lock(lock: *mut Lock, wait: c_int) -> c_int {
        // SAFETY: C gives a lock.
        unsafe { lock_at(lock) }.acquire(if wait != 0 { -1 } else { 0 })
    }
    fn PyThread_acquire_lock_timed(lock: *mut Lock, microseconds: i64, _interruptible: c_int) -> c_int {
        // SAFETY: C gives a lock.
        unsafe { lock_at(lock) }.acquire(microseconds)
    }
    fn PyThread_release_lock(lock: *mut Lock) -> Void {
        // SAFETY: C gives a lock.
        unsafe { lock_at(lock) }.release();
        Void
    }

    fn PyThread_tss_alloc() -> *mut Py_tss_t {
        Box::into_raw(Box::new(Py_tss_t { is_initialized: Cell::new(0), key: Cell::new(0) }))
    }
    fn PyThread_tss_free(key: *mut Py_tss_t) -> Void {
        if !key.is_null() {
            // SAFETY: C gives back what PyThread_tss_alloc gave.
            unsafe {
                delete_key(&*key);
                drop(Box::from_raw(key));
            }
        }
        Void
    }
    fn PyThread_tss_is_created(key: *mut Py_tss_t) -> c_int {
        // SAFETY: C gives a key.
        c_int::from(unsafe { (*key).is_initialized.get() } != 0)
    }
    fn PyThread_tss_create(key: *mut Py_tss_t) -> c_int {
        // SAFETY: C gives a key.
        unsafe {
            let key = &*key;
            if key.is_initialized.get() != 0 {
                return 0;
            }
            if libc::pthread_key_create(key.key.as_ptr(), None) != 0 {
                return -1;
            }
            key.is_initialized.set(1);
            0
        }
    }
    fn PyThread_tss_delete(key: *mut Py_tss_t) -> Void {
        // SAFETY: C gives a key.
        delete_key(unsafe { &*key });
        Void
    }
    fn PyThread_tss_set(key: *mut Py_tss_t, value: *mut c_void) -> c_int {
        // SAFETY: C gives a key that was made.
        if unsafe { libc::pthread_setspecific((*key).key.get(), value) } == 0 { 0 } else { -1 }
    }
    fn PyThread_tss_get(key: *mut Py_tss_t) -> *mut c_void {
        // SAFETY: C gives a key that was made.
        unsafe { libc::pthread_getspecific((*key).key.get()) }
    }
    fn PyThread_create_key() -> c_int {
        let mut key = 0;
        // SAFETY: a new key.
        if unsafe { libc::pthread_key_create(&mut key, None) } == 0 { key as c_int } else { -1 }
    }
    fn PyThread_delete_key(key: c_int) -> Void {
        // SAFETY: C gives a key that was made.
        unsafe { libc::pthread_key_delete(key as libc::pthread_key_t) };
        Void
    }
    fn PyThread_set_key_value(key: c_int, value: *mut c_void) -> c_int {
        // SAFETY: C gives a key that was made.
        if unsafe { libc::pthread_setspecific(key as libc::pthread_key_t, value) } == 0 { 0 } else { -1 }
    }
    fn PyThread_get_key_value(key: c_int) -> *mut c_void {
        // SAFETY: C gives a key that was made.
        unsafe { libc::pthread_getspecific(key as libc::pthread_key_t) }
    }
    fn PyThread_delete_key_value(key: c_int) -> Void {
        // SAFETY: C gives a key that was made.
        unsafe { libc::pthread_setspecific(key as libc::pthread_key_t, std::ptr::null()) };
        Void
    }

    fn PyMutex_Lock(mutex: *mut u8) -> Void { lock_mutex(mutex); Void }
    fn PyMutex_Unlock(mutex: *mut u8) -> Void {
        // SAFETY: C gives a mutex, which is one byte.
        unsafe { AtomicU8::from_ptr(mutex) }.store(0, Ordering::Release);
        Void
    }
    fn PyMutex_IsLocked(mutex: *mut u8) -> c_int {
        // SAFETY: as above.
        c_int::from(unsafe { AtomicU8::from_ptr(mutex) }.load(Ordering::Relaxed) & 1)
    }
    fn PyCriticalSection_Begin(_section: *mut c_void, _object: *mut PyObject) -> Void { Void }
    fn PyCriticalSection_BeginMutex(_section: *mut c_void, _mutex: *mut c_void) -> Void { Void }
    fn PyCriticalSection2_BeginMutex(_section: *mut c_void, _a: *mut c_void, _b: *mut c_void) -> Void { Void }
    fn PyCriticalSection_End(_section: *mut c_void) -> Void { Void }
    fn PyCriticalSection2_Begin(_section: *mut c_void, _a: *mut PyObject, _b: *mut PyObject) -> Void { Void }
    fn PyCriticalSection2_End(_section: *mut c_void) -> Void { Void }
}

fn delete_key(key: &Py_tss_t) {
    if key.is_initialized.replace(0) != 0 {
        // SAFETY: the key was made.
        unsafe { libc::pthread_key_delete(key.key.get()) };
    }
}

/// Waits for a one-byte mutex; while it waits, an attached thread lets the GIL go.
fn lock_mutex(mutex: *mut u8) {
    // SAFETY: C gives a mutex, which is one byte.
    let byte = unsafe { AtomicU8::from_ptr(mutex) };
    let try_lock = || {
        byte.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    };
    let wait = || {
        while !try_lock() {
            std::thread::sleep(Duration::from_micros(50));
        }
    };
    if try_lock() {
        return;
    }
    if adder_runtime::thread::try_thread_state().is_some() {
        adder_runtime::thread::allow_threads(wait);
    } else {
        wait();
    }
}

/// Starts a detached thread; its identity, or the largest number when it could not start.
fn start_thread(function: *mut c_void, arg: *mut c_void) -> u64 {
    extern "C" fn run(packed: *mut c_void) -> *mut c_void {
        // SAFETY: the starter packed a function and its argument.
        unsafe {
            let (function, arg) = *Box::from_raw(packed.cast::<(usize, usize)>());
            let function = std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void)>(function);
            function(arg as *mut c_void);
        }
        std::ptr::null_mut()
    }
    let packed = Box::into_raw(Box::new((function as usize, arg as usize)));
    // SAFETY: the thread takes the packed pair over; a failure leaves it to us.
    unsafe {
        let mut thread = std::mem::zeroed();
        if libc::pthread_create(&mut thread, std::ptr::null(), run, packed.cast()) != 0 {
            drop(Box::from_raw(packed));
            return u64::MAX;
        }
        libc::pthread_detach(thread);
        thread as u64
    }
}

/// Ends the calling thread.
///
/// # Safety
/// Nothing on its stack needs to be dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_exit_thread() -> ! {
    // SAFETY: the caller's contract.
    unsafe { libc::pthread_exit(std::ptr::null_mut()) }
}
