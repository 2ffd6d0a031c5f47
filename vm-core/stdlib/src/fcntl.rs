//! `fcntl`: control of descriptors, devices and file locks.

use crate::module_parts::int_constants;
use crate::posixmodule::path::{Fildes, posix_error};
use crate::posixmodule::syscall::{retry, until_done};
use adder_runtime::objects::buffer::{Buffer, has_buffer};
use adder_runtime::prelude::*;

/// Longer arguments are not copied.
const BUFFER_SIZE: usize = 1024;
/// What is put behind an argument, to see whether the call wrote beyond it.
const GUARD: [u8; 8] = [0x00, 0xfa, 0x69, 0xc4, 0x67, 0xa3, 0x6c, 0x58];

/// The bytes of an argument (text as UTF-8).
fn argument_bytes(arg: &PyObject) -> PyResult<Vec<u8>> {
    if let Some(text) = arg.downcast::<PyUnicodeObject>() {
        return Ok(text.to_str()?.as_bytes().to_vec());
    }
    Ok(Buffer::simple(arg)?.as_bytes().to_vec())
}

fn is_bytes_like(arg: &PyObject) -> bool {
    PyUnicodeObject::check(arg) || has_buffer(arg)
}

/// A copy of the argument with a guard behind it, and room.
fn guarded(bytes: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(BUFFER_SIZE + GUARD.len());
    copy.extend_from_slice(bytes);
    copy.extend_from_slice(&GUARD);
    copy.resize(BUFFER_SIZE + GUARD.len(), 0);
    copy
}

fn check_guard(copy: &[u8], len: usize) -> PyResult<()> {
    if copy[len..len + GUARD.len()] != GUARD {
        return Err(raise!(SystemError, "buffer overflow"));
    }
    Ok(())
}

fn integer_argument(arg: Option<&PyObject>) -> PyResult<u64> {
    arg.map_or(Ok(0), |arg| Ok(arg.index()?.as_u64_mask()))
}

#[cold]
fn too_long(function: &str) -> Raised {
    raise!(ValueError, "{function} argument 3 is too long")
}

/// Control of descriptors.
#[pymodule(name = "fcntl")]
pub mod fcntl {
    use super::*;

    /// Controls a descriptor. With a bytes-like argument the result is what the call left in a copy of it.
    #[pyfunction("($module, fd, cmd, arg=0, /)", name = "fcntl")]
    fn fcntl_(fd: Fildes, cmd: i32, arg: Option<&PyObject>) -> PyResult {
        let fd = fd.0;
        if let Some(arg) = arg.filter(|arg| is_bytes_like(arg)) {
            let bytes = argument_bytes(arg)?;
            if bytes.len() > BUFFER_SIZE {
                return Err(too_long("fcntl"));
            }
            let mut copy = guarded(&bytes);
            // SAFETY: a buffer with room for what the call writes.
            retry(|| unsafe { libc::fcntl(fd, cmd, copy.as_mut_ptr()) } as isize)?;
            check_guard(&copy, bytes.len())?;
            return Ok(PyBytesObject::from_slice(&copy[..bytes.len()]).into_object());
        }
        let arg = integer_argument(arg)?;
        // SAFETY: an integer argument.
        let result = retry(|| unsafe { libc::fcntl(fd, cmd, arg as c_long) } as isize)?;
        Ok(PyLongObject::from_isize(result).into_object())
    }
    /// Controls a device. With a writable buffer and mutate_flag the buffer is changed in place.
    #[pyfunction("($module, fd, request, arg=0, mutate_flag=True, /)")]
    fn ioctl(fd: Fildes, request: &PyObject, arg: Option<&PyObject>, mutate_flag: bool) -> PyResult {
        let fd = fd.0;
        let request = request.index()?.as_u64_mask();
        let Some(arg) = arg.filter(|arg| is_bytes_like(arg)) else {
            let arg = integer_argument(arg)?;
            // SAFETY: an integer argument.
            let result = retry(|| unsafe { libc::ioctl(fd, request as _, arg) } as isize)?;
            return Ok(PyLongObject::from_isize(result).into_object());
        };
        let writable = if mutate_flag && has_buffer(arg) {
            match Buffer::writable(arg) {
                Ok(view) => Some(view),
                Err(raised) => {
                    raised.clear();
                    None
                }
            }
        } else {
            None
        };
        if let Some(view) = writable {
            let len = view.len();
            if len > BUFFER_SIZE {
                // SAFETY: a writable view that is held; whether it is large enough the caller knows.
                let result =
                    retry(|| unsafe { libc::ioctl(fd, request as _, view.as_bytes().as_ptr()) } as isize)?;
                return Ok(PyLongObject::from_isize(result).into_object());
            }
            let mut copy = guarded(view.as_bytes());
            // SAFETY: a buffer with room for what the call writes.
            let result = until_done(|| unsafe { libc::ioctl(fd, request as _, copy.as_mut_ptr()) } as isize)?;
            check_guard(&copy, len)?;
            // SAFETY: the view is writable and nobody else uses it now.
            unsafe { view.as_bytes_mut() }.copy_from_slice(&copy[..len]);
            if result < 0 {
                return Err(posix_error());
            }
            return Ok(PyLongObject::from_isize(result).into_object());
        }
        let bytes = argument_bytes(arg)?;
        if bytes.len() > BUFFER_SIZE {
            return Err(too_long("ioctl"));
        }
        let mut copy = guarded(&bytes);
        // SAFETY: a buffer with room for what the call writes.
        retry(|| unsafe { libc::ioctl(fd, request as _, copy.as_mut_ptr()) } as isize)?;
        check_guard(&copy, bytes.len())?;
        Ok(PyBytesObject::from_slice(&copy[..bytes.len()]).into_object())
    }
    /// Locks or unlocks a file.
    #[pyfunction("($module, fd, operation, /)")]
    fn flock(fd: Fildes, operation: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::flock(fd.0, operation) } as isize).map(drop)
    }
    /// Locks or unlocks a section of a file.
    #[pyfunction("($module, fd, cmd, len=0, start=0, whence=0, /)")]
    fn lockf(
        fd: Fildes,
        cmd: i32,
        len: Option<&PyObject>,
        start: Option<&PyObject>,
        whence: Option<i32>,
    ) -> PyResult<()> {
        // SAFETY: plain numbers.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = match cmd {
            libc::LOCK_UN => libc::F_UNLCK,
            cmd if cmd & libc::LOCK_SH != 0 => libc::F_RDLCK,
            cmd if cmd & libc::LOCK_EX != 0 => libc::F_WRLCK,
            _ => return Err(raise!(ValueError, "unrecognized lockf argument")),
        } as _;
        lock.l_start = start.map_or(Ok(0), |start| start.index()?.as_i64())?;
        lock.l_len = len.map_or(Ok(0), |len| len.index()?.as_i64())?;
        lock.l_whence = whence.unwrap_or(0) as _;
        let command = if cmd & libc::LOCK_NB != 0 {
            libc::F_SETLK
        } else {
            libc::F_SETLKW
        };
        // SAFETY: a struct of ours.
        retry(|| unsafe { libc::fcntl(fd.0, command, &lock) } as isize).map(drop)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        int_constants!(module;
            DN_ACCESS = 1, DN_ATTRIB = 32, DN_CREATE = 4, DN_DELETE = 8, DN_MODIFY = 2,
            DN_MULTISHOT = 2147483648, DN_RENAME = 16, FASYNC = 8192, FD_CLOEXEC = 1, FICLONE = 1074041865,
            FICLONERANGE = 1075876877, F_ADD_SEALS = 1033, F_DUPFD = 0, F_DUPFD_CLOEXEC = 1030,
            F_DUPFD_QUERY = 1027, F_EXLCK = 4, F_GETFD = 1, F_GETFL = 3, F_GETLEASE = 1025, F_GETLK = 5,
            F_GETLK64 = 5, F_GETOWN = 9, F_GETOWN_EX = 16, F_GETPIPE_SZ = 1032, F_GETSIG = 11,
            F_GET_FILE_RW_HINT = 1037, F_GET_RW_HINT = 1035, F_GET_SEALS = 1034, F_NOTIFY = 1026,
            F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_OWNER_PGRP = 2, F_OWNER_PID = 1,
            F_OWNER_TID = 0, F_RDLCK = 0, F_SEAL_FUTURE_WRITE = 16, F_SEAL_GROW = 4, F_SEAL_SEAL = 1,
            F_SEAL_SHRINK = 2, F_SEAL_WRITE = 8, F_SETFD = 2, F_SETFL = 4, F_SETLEASE = 1024, F_SETLK = 6,
            F_SETLK64 = 6, F_SETLKW = 7, F_SETLKW64 = 7, F_SETOWN = 8, F_SETOWN_EX = 15,
            F_SETPIPE_SZ = 1031, F_SETSIG = 10, F_SET_FILE_RW_HINT = 1038, F_SET_RW_HINT = 1036,
            F_SHLCK = 8, F_UNLCK = 2, F_WRLCK = 1, LOCK_EX = 2, LOCK_MAND = 32, LOCK_NB = 4, LOCK_READ = 64,
            LOCK_RW = 192, LOCK_SH = 1, LOCK_UN = 8, LOCK_WRITE = 128, RWH_WRITE_LIFE_EXTREME = 5,
            RWH_WRITE_LIFE_LONG = 4, RWH_WRITE_LIFE_MEDIUM = 3, RWH_WRITE_LIFE_NONE = 1,
            RWH_WRITE_LIFE_NOT_SET = 0, RWH_WRITE_LIFE_SHORT = 2,
        );
        Ok(())
    }
}
