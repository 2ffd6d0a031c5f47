//! Operations on descriptors.

use super::path::*;
use super::syscall::{MAX_TRANSFER, call, quick, retry, set_inheritable, until_done};
use adder_runtime::objects::buffer::{Buffer, BytesArg};
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

/// Opens a file so that child processes do not inherit it.
fn open_file(path: &Path, flags: i32, mode: i32, dir_fd: c_int) -> PyResult<i32> {
    let mode_object = none();
    let flags_object = PyLongObject::from_i64(i64::from(flags));
    adder_runtime::hooks::audit(
        "open",
        &[
            path.object().unwrap_or(none()),
            mode_object,
            flags_object.as_object(),
        ],
    )?;
    // SAFETY: a C string.
    let fd = until_done(|| unsafe {
        libc::openat(
            dir_fd,
            path.as_ptr(),
            flags | libc::O_CLOEXEC,
            mode as libc::c_uint,
        ) as isize
    })?;
    if fd < 0 { Err(path.error()) } else { Ok(fd as i32) }
}

/// A bytes object of what `fill` puts into a buffer of `length` bytes (it says how much).
fn read_into_bytes(length: isize, fill: impl FnMut(*mut u8, usize) -> isize) -> PyResult<Ref<PyBytesObject>> {
    let Ok(length) = usize::try_from(length) else {
        // SAFETY: the C library's thread-local.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return Err(posix_error());
    };
    let length = length.min(MAX_TRANSFER);
    let mut fill = fill;
    // Small reads go through the stack; the rest straight into the object.
    // SAFETY: what is not written is cut off before anybody sees the object.
    let bytes = unsafe { PyBytesObject::alloc(length)? };
    let data = bytes.as_bytes().as_ptr().cast_mut();
    let n_read = retry(|| fill(data, length))? as usize;
    if n_read == length {
        return Ok(bytes);
    }
    Ok(PyBytesObject::from_slice(&bytes.as_bytes()[..n_read]))
}

/// The buffers of a sequence, as the system wants them.
struct Vectors {
    views: Vec<Buffer>,
    iov: Vec<libc::iovec>,
}

impl Vectors {
    fn of(buffers: &PyObject, function: &str, writable: bool) -> PyResult<Vectors> {
        if !buffers.is_sequence() {
            return Err(raise!(TypeError, "{function}() arg 2 must be a sequence"));
        }
        let len = buffers.sequence_len()?;
        let mut views = Vec::with_capacity(len);
        for idx in 0..len {
            let item = buffers.get_index(idx as isize)?;
            views.push(if writable {
                Buffer::writable(&item)?
            } else {
                Buffer::simple(&item)?
            });
        }
        let iov = views
            .iter()
            .map(|view| libc::iovec {
                iov_base: view.as_bytes().as_ptr().cast_mut().cast(),
                iov_len: view.len(),
            })
            .collect();
        Ok(Vectors { views, iov })
    }
    fn count(&self) -> c_int {
        self.views.len() as c_int
    }
}

/// An offset that may be None.
fn offset_or_none(object: Option<&PyObject>) -> PyResult<Option<i64>> {
    match object {
        None => Ok(None),
        Some(object) if is_none(object) => Ok(None),
        Some(object) => object.index()?.as_i64().map(Some),
    }
}

fn offset_ptr(offset: &mut Option<i64>) -> *mut i64 {
    offset
        .as_mut()
        .map_or(std::ptr::null_mut(), |offset| offset as *mut i64)
}

fn not_negative(count: isize) -> PyResult<usize> {
    usize::try_from(count).map_err(|_| raise!(ValueError, "negative value for 'count' not allowed"))
}

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// Opens a file; returns a descriptor that child processes do not inherit.
    #[pyfunction("($module, /, path, flags, mode=511, *, dir_fd=None)")]
    fn open(path: Path, flags: i32, mode: Option<i32>, dir_fd: Option<DirFd>) -> PyResult<i32> {
        open_file(&path, flags, mode.unwrap_or(0o777), DirFd::or_current(dir_fd))
    }
    /// Closes a descriptor.
    #[pyfunction("($module, /, fd)")]
    fn close(fd: i32) -> PyResult<()> {
        // A signal does not keep the descriptor open, so the call is not made again.
        // SAFETY: a plain system call.
        let result = allow_threads(|| unsafe { libc::close(fd) });
        if result < 0 && errno() != libc::EINTR {
            Err(posix_error())
        } else {
            Ok(())
        }
    }
    /// Closes all descriptors from fd_low (included) to fd_high (not included); errors are ignored.
    #[pyfunction("($module, fd_low, fd_high, /)")]
    fn closerange(fd_low: i32, fd_high: i32) {
        let first = fd_low.max(0);
        if first >= fd_high {
            return;
        }
        // SAFETY: plain system calls.
        allow_threads(|| unsafe {
            if libc::syscall(libc::SYS_close_range, first, fd_high - 1, 0) < 0 {
                for fd in first..fd_high {
                    libc::close(fd);
                }
            }
        });
    }
    /// A duplicate of a descriptor, which child processes do not inherit.
    #[pyfunction("($module, fd, /)")]
    fn dup(fd: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
    }
    /// Duplicates a descriptor to a given number.
    #[pyfunction("($module, /, fd, fd2, inheritable=True)")]
    fn dup2(fd: i32, fd2: i32, inheritable: bool) -> PyResult<i32> {
        if fd < 0 || fd2 < 0 {
            // SAFETY: the C library's thread-local.
            unsafe { *libc::__errno_location() = libc::EBADF };
            return Err(posix_error());
        }
        // SAFETY: plain system calls.
        call(|| unsafe {
            if inheritable || fd == fd2 {
                let result = libc::dup2(fd, fd2);
                if result >= 0 && !inheritable {
                    set_inheritable(fd2, false).min(result)
                } else {
                    result
                }
            } else {
                libc::dup3(fd, fd2, libc::O_CLOEXEC)
            }
        })
        .map(|_| fd2)
    }
    /// Moves the position in a file; returns it.
    #[pyfunction("($module, fd, position, whence, /)")]
    fn lseek(fd: i32, position: i64, whence: i32) -> PyResult<i64> {
        // SAFETY: a plain system call.
        match allow_threads(|| unsafe { libc::lseek(fd, position, whence) }) {
            result if result < 0 => Err(posix_error()),
            result => Ok(result),
        }
    }
    /// Reads at most so many bytes.
    #[pyfunction("($module, fd, length, /)")]
    fn read(fd: i32, length: isize) -> PyResult<Ref<PyBytesObject>> {
        // SAFETY: the buffer has the size that is said.
        read_into_bytes(length, |data, len| unsafe { libc::read(fd, data.cast(), len) })
    }
    /// Reads into a writable buffer; returns how many bytes.
    #[pyfunction("($module, fd, buffer, /)")]
    fn readinto(fd: i32, buffer: crate::io::WritableBuffer) -> PyResult<isize> {
        let view = buffer.0;
        let (data, len) = (view.as_bytes().as_ptr().cast_mut(), view.len().min(MAX_TRANSFER));
        // SAFETY: the view is writable and held.
        retry(|| unsafe { libc::read(fd, data.cast(), len) })
    }
    /// Writes bytes; returns how many.
    #[pyfunction("($module, fd, data, /)")]
    fn write(fd: i32, data: BytesArg<'_>) -> PyResult<isize> {
        let bytes = data.as_bytes();
        // SAFETY: the bytes are held.
        retry(|| unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len().min(MAX_TRANSFER)) })
    }
    /// Reads at an offset, without moving the position.
    #[pyfunction("($module, fd, length, offset, /)")]
    fn pread(fd: i32, length: i32, offset: i64) -> PyResult<Ref<PyBytesObject>> {
        // SAFETY: the buffer has the size that is said.
        read_into_bytes(length as isize, |data, len| unsafe {
            libc::pread(fd, data.cast(), len, offset)
        })
    }
    /// Writes at an offset, without moving the position.
    #[pyfunction("($module, fd, buffer, offset, /)")]
    fn pwrite(fd: i32, buffer: BytesArg<'_>, offset: i64) -> PyResult<isize> {
        let bytes = buffer.as_bytes();
        // SAFETY: the bytes are held.
        retry(|| unsafe { libc::pwrite(fd, bytes.as_ptr().cast(), bytes.len().min(MAX_TRANSFER), offset) })
    }
    /// Reads into several writable buffers.
    #[pyfunction("($module, fd, buffers, /)")]
    fn readv(fd: i32, buffers: &PyObject) -> PyResult<isize> {
        let vectors = Vectors::of(buffers, "readv", true)?;
        // SAFETY: the views are writable and held.
        retry(|| unsafe { libc::readv(fd, vectors.iov.as_ptr(), vectors.count()) })
    }
    /// Writes several buffers.
    #[pyfunction("($module, fd, buffers, /)")]
    fn writev(fd: i32, buffers: &PyObject) -> PyResult<isize> {
        let vectors = Vectors::of(buffers, "writev", false)?;
        // SAFETY: the views are held.
        retry(|| unsafe { libc::writev(fd, vectors.iov.as_ptr(), vectors.count()) })
    }
    /// Reads into several writable buffers at an offset.
    #[pyfunction("($module, fd, buffers, offset, flags=0, /)")]
    fn preadv(fd: i32, buffers: &PyObject, offset: i64, flags: i32) -> PyResult<isize> {
        let vectors = Vectors::of(buffers, "preadv2", true)?;
        // SAFETY: the views are writable and held.
        retry(|| unsafe { libc::preadv2(fd, vectors.iov.as_ptr(), vectors.count(), offset, flags) })
    }
    /// Writes several buffers at an offset.
    #[pyfunction("($module, fd, buffers, offset, flags=0, /)")]
    fn pwritev(fd: i32, buffers: &PyObject, offset: i64, flags: i32) -> PyResult<isize> {
        let vectors = Vectors::of(buffers, "pwritev2", false)?;
        // SAFETY: the views are held.
        retry(|| unsafe { libc::pwritev2(fd, vectors.iov.as_ptr(), vectors.count(), offset, flags) })
    }
    /// Copies between descriptors within the kernel; offset None moves the position of in_fd.
    #[pyfunction("($module, /, out_fd, in_fd, offset, count)")]
    fn sendfile(out_fd: i32, in_fd: i32, offset: &PyObject, count: isize) -> PyResult<isize> {
        let mut offset = offset_or_none(Some(offset))?;
        // SAFETY: the offset is ours or NULL.
        retry(|| unsafe { libc::sendfile(out_fd, in_fd, offset_ptr(&mut offset), count as usize) })
    }
    /// Copies between files within the kernel.
    #[pyfunction("($module, /, src, dst, count, offset_src=None,\n                offset_dst=None)")]
    fn copy_file_range(
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<&PyObject>,
        offset_dst: Option<&PyObject>,
    ) -> PyResult<isize> {
        let count = not_negative(count)?;
        let (mut from, mut to) = (offset_or_none(offset_src)?, offset_or_none(offset_dst)?);
        // SAFETY: the offsets are ours or NULL.
        retry(|| unsafe {
            libc::copy_file_range(src, offset_ptr(&mut from), dst, offset_ptr(&mut to), count, 0)
        })
    }
    /// Moves data between a pipe and a file within the kernel.
    #[pyfunction("($module, /, src, dst, count, offset_src=None, offset_dst=None,\n       flags=0)")]
    fn splice(
        src: i32,
        dst: i32,
        count: isize,
        offset_src: Option<&PyObject>,
        offset_dst: Option<&PyObject>,
        flags: u32,
    ) -> PyResult<isize> {
        let count = not_negative(count)?;
        let (mut from, mut to) = (offset_or_none(offset_src)?, offset_or_none(offset_dst)?);
        // SAFETY: the offsets are ours or NULL.
        retry(|| unsafe { libc::splice(src, offset_ptr(&mut from), dst, offset_ptr(&mut to), count, flags) })
    }
    /// A pipe: descriptors to read from and to write to, not inherited by child processes.
    #[pyfunction("($module, /)")]
    fn pipe() -> PyResult<(i32, i32)> {
        pipe2(libc::O_CLOEXEC)
    }
    /// A pipe with flags.
    #[pyfunction("($module, flags, /)")]
    fn pipe2(flags: i32) -> PyResult<(i32, i32)> {
        let mut fds = [0; 2];
        // SAFETY: room for two descriptors.
        quick(unsafe { libc::pipe2(fds.as_mut_ptr(), flags) })?;
        Ok((fds[0], fds[1]))
    }
    /// Whether the descriptor is a terminal.
    #[pyfunction("($module, fd, /)")]
    fn isatty(fd: i32) -> bool {
        // SAFETY: a plain system call.
        allow_threads(|| unsafe { libc::isatty(fd) }) == 1
    }
    /// The encoding of a terminal, None for what is none.
    #[pyfunction("($module, /, fd)")]
    fn device_encoding(fd: i32) -> PyResult<Option<&'static str>> {
        // SAFETY: a plain system call.
        if allow_threads(|| unsafe { libc::isatty(fd) }) != 1 {
            return Ok(None);
        }
        // SAFETY: the C library's static text.
        let codeset = unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
        Ok(Some(codeset.to_str().unwrap_or("utf-8")))
    }
    /// Makes an open file exactly so long.
    #[pyfunction("($module, fd, length, /)")]
    fn ftruncate(fd: i32, length: i64) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::ftruncate(fd, length) } as isize).map(drop)
    }
    /// Writes the file to disk.
    #[pyfunction("($module, /, fd)")]
    fn fsync(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::fsync(fd.0) } as isize).map(drop)
    }
    /// Writes the file's data to disk.
    #[pyfunction("($module, /, fd)")]
    fn fdatasync(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::fdatasync(fd.0) } as isize).map(drop)
    }
    /// Locks, tests or unlocks a section of a file.
    #[pyfunction("($module, fd, command, length, /)")]
    fn lockf(fd: i32, command: i32, length: i64) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::lockf(fd, command, length) } as isize).map(drop)
    }
    /// Makes sure that disk space is there.
    #[pyfunction("($module, fd, offset, length, /)")]
    fn posix_fallocate(fd: i32, offset: i64, length: i64) -> PyResult<()> {
        loop {
            // SAFETY: a plain system call.
            match allow_threads(|| unsafe { libc::posix_fallocate(fd, offset, length) }) {
                0 => return Ok(()),
                libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
                error => return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
            }
        }
    }
    /// Says how a file will be accessed.
    #[pyfunction("($module, fd, offset, length, advice, /)")]
    fn posix_fadvise(fd: i32, offset: i64, length: i64, advice: i32) -> PyResult<()> {
        loop {
            // SAFETY: a plain system call.
            match allow_threads(|| unsafe { libc::posix_fadvise(fd, offset, length, advice) }) {
                0 => return Ok(()),
                libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
                error => return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
            }
        }
    }
    /// Whether child processes inherit the descriptor.
    #[pyfunction("($module, fd, /)")]
    fn get_inheritable(fd: i32) -> PyResult<bool> {
        // SAFETY: a plain system call.
        Ok(quick(unsafe { libc::fcntl(fd, libc::F_GETFD) })? & libc::FD_CLOEXEC == 0)
    }
    /// Sets whether child processes inherit the descriptor.
    #[pyfunction("($module, fd, inheritable, /)", name = "set_inheritable")]
    fn set_inheritable_(fd: i32, inheritable: i32) -> PyResult<()> {
        quick(set_inheritable(fd, inheritable != 0)).map(drop)
    }
    /// Whether operations on the descriptor wait.
    #[pyfunction("($module, fd, /)")]
    fn get_blocking(fd: i32) -> PyResult<bool> {
        // SAFETY: a plain system call.
        Ok(call(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })? & libc::O_NONBLOCK == 0)
    }
    /// Sets whether operations on the descriptor wait.
    #[pyfunction("($module, fd, blocking, /)")]
    fn set_blocking(fd: i32, blocking: bool) -> PyResult<()> {
        // SAFETY: plain system calls.
        call(|| unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFL);
            if flags < 0 {
                return flags;
            }
            let wanted = if blocking {
                flags & !libc::O_NONBLOCK
            } else {
                flags | libc::O_NONBLOCK
            };
            libc::fcntl(fd, libc::F_SETFL, wanted)
        })
        .map(drop)
    }
    /// A file in memory only.
    #[pyfunction("($module, /, name, flags=MFD_CLOEXEC)")]
    fn memfd_create(name: FsBytes, flags: Option<u32>) -> PyResult<i32> {
        // SAFETY: a C string.
        call(|| unsafe { libc::memfd_create(name.as_ptr(), flags.unwrap_or(libc::MFD_CLOEXEC)) })
    }
    /// An event counter.
    #[pyfunction("($module, /, initval, flags=EFD_CLOEXEC)")]
    fn eventfd(initval: u32, flags: Option<i32>) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::eventfd(initval, flags.unwrap_or(libc::EFD_CLOEXEC)) })
    }
    /// Reads an event counter.
    #[pyfunction("($module, /, fd)")]
    fn eventfd_read(fd: Fildes) -> PyResult<u64> {
        let mut value = 0;
        // SAFETY: room for the value.
        call(|| unsafe { libc::eventfd_read(fd.0, &mut value) })?;
        Ok(value)
    }
    /// Adds to an event counter.
    #[pyfunction("($module, /, fd, value)")]
    fn eventfd_write(fd: Fildes, value: u64) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::eventfd_write(fd.0, value) }).map(drop)
    }
    /// Random bytes from the system's generator.
    #[pyfunction("($module, /, size, flags=0)")]
    fn getrandom(size: isize, flags: i32) -> PyResult<Ref<PyBytesObject>> {
        // SAFETY: the buffer has the size that is said.
        read_into_bytes(size, |data, len| unsafe {
            libc::getrandom(data.cast(), len, flags as libc::c_uint)
        })
    }
    /// So many random bytes, good for cryptography.
    #[pyfunction("($module, size, /)")]
    fn urandom(size: isize) -> PyResult<Ref<PyBytesObject>> {
        let Ok(size) = usize::try_from(size) else {
            return Err(raise!(ValueError, "negative argument not allowed"));
        };
        let mut failed = false;
        let bytes = PyBytesObject::with_len(size, |data| failed = !fill_random(data))?;
        if failed { Err(posix_error()) } else { Ok(bytes) }
    }
    /// The size of the terminal at the descriptor, by default standard output's.
    #[pyfunction("($module, fd=<unrepresentable>, /)")]
    fn get_terminal_size(fd: Option<i32>) -> PyResult {
        // SAFETY: plain numbers.
        let mut size: libc::winsize = unsafe { std::mem::zeroed() };
        // SAFETY: the struct that the request fills.
        quick(unsafe { libc::ioctl(fd.unwrap_or(1), libc::TIOCGWINSZ, &mut size) })?;
        let number = |value: u16| PyLongObject::from_i64(i64::from(value)).into_object();
        adder_runtime::objects::structseq::new_instance(
            super::super::types::terminal_size()?,
            vec![number(size.ws_col), number(size.ws_row)],
        )
    }
    /// The value of an extended attribute.
    #[pyfunction("($module, /, path, attribute, *, follow_symlinks=True)")]
    fn getxattr(path: PathOrFd, attribute: Path, follow_symlinks: bool) -> PyResult<Ref<PyBytesObject>> {
        no_fd_with_nofollow("getxattr", path.is_fd(), follow_symlinks)?;
        let value = xattr_value(&path, |data, len| {
            // SAFETY: C strings, and a buffer of the size that is said.
            unsafe {
                if path.is_fd() {
                    libc::fgetxattr(path.fd, attribute.as_ptr(), data, len)
                } else if follow_symlinks {
                    libc::getxattr(path.as_ptr(), attribute.as_ptr(), data, len)
                } else {
                    libc::lgetxattr(path.as_ptr(), attribute.as_ptr(), data, len)
                }
            }
        })?;
        Ok(PyBytesObject::from_vec(value))
    }
    /// Sets an extended attribute.
    #[pyfunction("($module, /, path, attribute, value, flags=0, *,\n         follow_symlinks=True)")]
    fn setxattr(
        path: PathOrFd,
        attribute: Path,
        value: BytesArg<'_>,
        flags: i32,
        follow_symlinks: bool,
    ) -> PyResult<()> {
        no_fd_with_nofollow("setxattr", path.is_fd(), follow_symlinks)?;
        let bytes = value.as_bytes();
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: C strings, and bytes that are held.
        path.check(allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fsetxattr(path.fd, attribute.as_ptr(), data, len, flags)
            } else if follow_symlinks {
                libc::setxattr(path.as_ptr(), attribute.as_ptr(), data, len, flags)
            } else {
                libc::lsetxattr(path.as_ptr(), attribute.as_ptr(), data, len, flags)
            }
        }))
    }
    /// Removes an extended attribute.
    #[pyfunction("($module, /, path, attribute, *, follow_symlinks=True)")]
    fn removexattr(path: PathOrFd, attribute: Path, follow_symlinks: bool) -> PyResult<()> {
        no_fd_with_nofollow("removexattr", path.is_fd(), follow_symlinks)?;
        // SAFETY: C strings.
        path.check(allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fremovexattr(path.fd, attribute.as_ptr())
            } else if follow_symlinks {
                libc::removexattr(path.as_ptr(), attribute.as_ptr())
            } else {
                libc::lremovexattr(path.as_ptr(), attribute.as_ptr())
            }
        }))
    }
    /// The names of a file's extended attributes.
    #[pyfunction("($module, /, path=None, *, follow_symlinks=True)")]
    fn listxattr(path: Option<Path<true, true>>, follow_symlinks: bool) -> PyResult<Ref<PyListObject>> {
        let path = path.unwrap_or_else(Path::current_dir);
        no_fd_with_nofollow("listxattr", path.is_fd(), follow_symlinks)?;
        let names = xattr_value(&path, |data, len| {
            // SAFETY: a C string, and a buffer of the size that is said.
            unsafe {
                if path.is_fd() {
                    libc::flistxattr(path.fd, data.cast(), len)
                } else if follow_symlinks {
                    libc::listxattr(path.as_ptr(), data.cast(), len)
                } else {
                    libc::llistxattr(path.as_ptr(), data.cast(), len)
                }
            }
        })?;
        let list = PyListObject::new();
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            list.push(fs_decode(name)?.into_object());
        }
        Ok(list)
    }
    /// A stream of timer expirations.
    #[pyfunction("($module, clockid, /, *, flags=0)")]
    fn timerfd_create(clockid: i32, flags: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::timerfd_create(clockid, flags | libc::TFD_CLOEXEC) })
    }
    /// Starts or stops a timer; returns what it was set to, in seconds.
    #[pyfunction("($module, fd, /, *, flags=0, initial=0.0, interval=0.0)")]
    fn timerfd_settime(
        fd: Fildes,
        flags: i32,
        initial: Option<&PyObject>,
        interval: Option<&PyObject>,
    ) -> PyResult<(f64, f64)> {
        let zero = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let part =
            |object: Option<&PyObject>| object.map_or(Ok(zero), super::super::fs::timespec_from_object);
        set_timer(fd.0, flags, part(initial)?, part(interval)?).map(in_seconds)
    }
    /// As timerfd_settime(), in nanoseconds.
    #[pyfunction("($module, fd, /, *, flags=0, initial=0, interval=0)")]
    fn timerfd_settime_ns(
        fd: Fildes,
        flags: i32,
        initial: Option<i64>,
        interval: Option<i64>,
    ) -> PyResult<(i64, i64)> {
        let part = |ns: Option<i64>| {
            let ns = ns.unwrap_or(0);
            libc::timespec {
                tv_sec: ns.div_euclid(1_000_000_000),
                tv_nsec: ns.rem_euclid(1_000_000_000),
            }
        };
        set_timer(fd.0, flags, part(initial), part(interval)).map(in_nanoseconds)
    }
    /// What a timer is set to, in seconds.
    #[pyfunction("($module, fd, /)")]
    fn timerfd_gettime(fd: Fildes) -> PyResult<(f64, f64)> {
        get_timer(fd.0).map(in_seconds)
    }
    /// What a timer is set to, in nanoseconds.
    #[pyfunction("($module, fd, /)")]
    fn timerfd_gettime_ns(fd: Fildes) -> PyResult<(i64, i64)> {
        get_timer(fd.0).map(in_nanoseconds)
    }
}

fn zeroed_timer() -> libc::itimerspec {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

fn set_timer(
    fd: c_int,
    flags: c_int,
    initial: libc::timespec,
    interval: libc::timespec,
) -> PyResult<libc::itimerspec> {
    let wanted = libc::itimerspec {
        it_value: initial,
        it_interval: interval,
    };
    let mut old = zeroed_timer();
    // SAFETY: structs of ours.
    call(|| unsafe { libc::timerfd_settime(fd, flags, &wanted, &mut old) })?;
    Ok(old)
}

fn get_timer(fd: c_int) -> PyResult<libc::itimerspec> {
    let mut current = zeroed_timer();
    // SAFETY: a struct of ours.
    call(|| unsafe { libc::timerfd_gettime(fd, &mut current) })?;
    Ok(current)
}

fn in_seconds(timer: libc::itimerspec) -> (f64, f64) {
    let part = |time: libc::timespec| time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    (part(timer.it_value), part(timer.it_interval))
}

fn in_nanoseconds(timer: libc::itimerspec) -> (i64, i64) {
    let part = |time: libc::timespec| time.tv_sec * 1_000_000_000 + time.tv_nsec;
    (part(timer.it_value), part(timer.it_interval))
}

/// Fills memory from the system's random generator.
pub fn fill_random(mut data: &mut [u8]) -> bool {
    while !data.is_empty() {
        // SAFETY: the rest of the slice.
        let n_read = allow_threads(|| unsafe { libc::getrandom(data.as_mut_ptr().cast(), data.len(), 0) });
        if n_read < 0 {
            if errno() == libc::EINTR {
                continue;
            }
            return false;
        }
        data = &mut data[n_read as usize..];
    }
    true
}

/// What `get` puts into a buffer that is made large enough.
fn xattr_value<const FD: bool, const NULLABLE: bool>(
    path: &Path<FD, NULLABLE>,
    mut get: impl FnMut(*mut c_void, usize) -> isize,
) -> PyResult<Vec<u8>> {
    for size in [256, 65536] {
        let mut buffer = vec![0u8; size];
        let len = allow_threads(|| get(buffer.as_mut_ptr().cast(), size));
        if len >= 0 {
            buffer.truncate(len as usize);
            return Ok(buffer);
        }
        if errno() != libc::ERANGE {
            break;
        }
    }
    Err(path.error())
}
