//! System calls: made without the GIL, tried again when a signal interrupts them, their failure an OSError.

use super::path::{errno, posix_error};
use adder_runtime::hooks;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

/// Makes the call without the GIL; -1 raises.
pub fn call(f: impl FnOnce() -> c_int) -> PyResult<c_int> {
    match allow_threads(f) {
        result if result < 0 => Err(posix_error()),
        result => Ok(result),
    }
}

/// Makes a quick call with the GIL held; -1 raises.
pub fn quick(result: c_int) -> PyResult<c_int> {
    if result < 0 {
        Err(posix_error())
    } else {
        Ok(result)
    }
}

/// Makes the call without the GIL until no signal interrupts it, running the signal handlers between. The result may
/// still be -1, with `errno` set.
pub fn until_done(mut f: impl FnMut() -> isize) -> PyResult<isize> {
    loop {
        let result = allow_threads(&mut f);
        if result >= 0 || errno() != libc::EINTR {
            return Ok(result);
        }
        hooks::run_pending_signals()?;
    }
}

/// As `until_done`; -1 raises.
pub fn retry(f: impl FnMut() -> isize) -> PyResult<isize> {
    match until_done(f)? {
        result if result < 0 => Err(posix_error()),
        result => Ok(result),
    }
}

/// The most bytes that one call moves.
pub const MAX_TRANSFER: usize = isize::MAX as usize;

/// Reads into memory that nobody else touches meanwhile. -1 with `errno` set when that fails.
///
/// # Safety
/// `len` bytes can be written at `data`.
pub unsafe fn read_raw(fd: c_int, data: *mut u8, len: usize) -> PyResult<isize> {
    // SAFETY: the caller's contract.
    let result = until_done(|| unsafe { libc::read(fd, data.cast(), len.min(MAX_TRANSFER)) })?;
    after_transfer(result)
}

/// Writes bytes that stay in place meanwhile. -1 with `errno` set when that fails.
pub fn write_raw(fd: c_int, data: &[u8]) -> PyResult<isize> {
    // SAFETY: the slice is readable.
    let result =
        until_done(|| unsafe { libc::write(fd, data.as_ptr().cast(), data.len().min(MAX_TRANSFER)) })?;
    after_transfer(result)
}

/// A signal may have cut a transfer short: its handler runs now, not only at the next call or jump.
fn after_transfer(result: isize) -> PyResult<isize> {
    if result >= 0 {
        hooks::run_pending_signals()?;
    }
    Ok(result)
}

/// Sets whether `exec` closes the descriptor.
pub fn set_inheritable(fd: c_int, inheritable: bool) -> c_int {
    // SAFETY: plain system calls on a descriptor.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFD);
        if flags < 0 {
            return flags;
        }
        let wanted = if inheritable {
            flags & !libc::FD_CLOEXEC
        } else {
            flags | libc::FD_CLOEXEC
        };
        if wanted == flags {
            0
        } else {
            libc::fcntl(fd, libc::F_SETFD, wanted)
        }
    }
}
