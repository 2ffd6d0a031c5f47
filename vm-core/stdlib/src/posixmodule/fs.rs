//! Operations on names in the file system: directories, links, modes, owners, times.

use super::path::*;
use super::syscall::{call, retry};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

/// `os.getcwd()` as bytes.
fn current_dir() -> PyResult<Vec<u8>> {
    let mut buffer = vec![0u8; 4096];
    loop {
        // SAFETY: the buffer has the size that is said.
        let result = allow_threads(|| unsafe { libc::getcwd(buffer.as_mut_ptr().cast(), buffer.len()) });
        if !result.is_null() {
            let len = buffer.iter().position(|byte| *byte == 0).unwrap_or(0);
            buffer.truncate(len);
            return Ok(buffer);
        }
        if errno() != libc::ERANGE {
            return Err(posix_error());
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}

/// The names in a directory, without `.` and `..`.
fn list(path: &Path<true, true>) -> PyResult<Ref<PyListObject>> {
    let dir = super::scandir::open_dir(path)?;
    let names = PyListObject::new();
    let result = loop {
        match dir.next_entry() {
            Ok(Some(entry)) => {
                let name = if path.is_bytes {
                    PyBytesObject::from_slice(&entry.name).into_object()
                } else {
                    match fs_decode(&entry.name) {
                        Ok(name) => name.into_object(),
                        Err(raised) => break Err(raised),
                    }
                };
                names.push(name);
            }
            Ok(None) => break Ok(()),
            Err(()) => break Err(path.error()),
        }
    };
    dir.close();
    result.map(|()| names)
}

fn rename_at(src: &Path, dst: &Path, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> PyResult<()> {
    let (src_dir, dst_dir) = (DirFd::or_current(src_dir_fd), DirFd::or_current(dst_dir_fd));
    // SAFETY: both are C strings.
    let result = allow_threads(|| unsafe { libc::renameat(src_dir, src.as_ptr(), dst_dir, dst.as_ptr()) });
    if result < 0 { Err(src.error2(dst)) } else { Ok(()) }
}

fn unlink_at(path: &Path, dir_fd: Option<DirFd>, flags: c_int) -> PyResult<()> {
    let dir_fd = DirFd::or_current(dir_fd);
    // SAFETY: a C string.
    path.check(allow_threads(|| unsafe {
        libc::unlinkat(dir_fd, path.as_ptr(), flags)
    }))
}

const NS_PER_S: i64 = 1_000_000_000;

fn timespec(sec: i64, nsec: i64) -> libc::timespec {
    libc::timespec {
        tv_sec: sec,
        tv_nsec: nsec,
    }
}

/// A time in seconds, int or float, rounded towards minus infinity.
pub fn timespec_from_object(object: &PyObject) -> PyResult<libc::timespec> {
    if let Some(float) = object.downcast::<PyFloatObject>() {
        let value = float.value();
        if value.is_nan() {
            return Err(raise!(ValueError, "Invalid value NaN (not a number)"));
        }
        let whole = value.floor();
        let mut nsec = ((value - whole) * NS_PER_S as f64).floor() as i64;
        let mut sec = whole;
        if nsec >= NS_PER_S {
            nsec -= NS_PER_S;
            sec += 1.0;
        }
        if !(-9.223372036854776e18..9.223372036854776e18).contains(&sec) {
            return Err(time_overflow());
        }
        return Ok(timespec(sec as i64, nsec));
    }
    if object.has_index() {
        return match object.index()?.to_i64() {
            Some(sec) => Ok(timespec(sec, 0)),
            None => Err(time_overflow()),
        };
    }
    Err(raise!(
        TypeError,
        "argument must be int or float, not {}",
        object.ty().name()
    ))
}

#[cold]
fn time_overflow() -> Raised {
    raise!(OverflowError, "timestamp out of range for platform time_t")
}

/// Nanoseconds, as an int, to seconds and the rest.
fn timespec_from_ns(object: &PyObject) -> PyResult<libc::timespec> {
    let ns = object.index()?;
    let ns = ns.to_i128().ok_or_else(time_overflow)?;
    let sec = i64::try_from(ns.div_euclid(i128::from(NS_PER_S))).map_err(|_| time_overflow())?;
    Ok(timespec(sec, ns.rem_euclid(i128::from(NS_PER_S)) as i64))
}

fn exact_pair(object: &PyObject) -> Option<(Ref, Ref)> {
    match object.downcast_exact::<PyTupleObject>()?.as_slice() {
        [first, second] => Some((first.to_ref(), second.to_ref())),
        _ => None,
    }
}

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// The current directory, as str.
    #[pyfunction("($module, /)")]
    fn getcwd() -> PyResult<Ref<PyUnicodeObject>> {
        fs_decode(&current_dir()?)
    }
    /// The current directory, as bytes.
    #[pyfunction("($module, /)")]
    fn getcwdb() -> PyResult<Ref<PyBytesObject>> {
        current_dir().map(PyBytesObject::from_vec)
    }
    /// Changes the current directory.
    #[pyfunction("($module, /, path)")]
    fn chdir(path: PathOrFd) -> PyResult<()> {
        adder_runtime::hooks::audit("os.chdir", &[path.object().unwrap_or(none())])?;
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fchdir(path.fd)
            } else {
                libc::chdir(path.as_ptr())
            }
        }))
    }
    /// Changes the current directory to an open one.
    #[pyfunction("($module, /, fd)")]
    fn fchdir(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::fchdir(fd.0) } as isize).map(drop)
    }
    /// Changes the root directory.
    #[pyfunction("($module, /, path)")]
    fn chroot(path: Path) -> PyResult<()> {
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe { libc::chroot(path.as_ptr()) }))
    }
    /// The names in a directory, in the order of the file system, without '.' and '..'.
    #[pyfunction("($module, /, path=None)")]
    fn listdir(path: Option<Path<true, true>>) -> PyResult<Ref<PyListObject>> {
        let path = path.unwrap_or_else(Path::current_dir);
        adder_runtime::hooks::audit("os.listdir", &[path.object().unwrap_or(none())])?;
        list(&path)
    }
    /// Makes a directory.
    #[pyfunction("($module, /, path, mode=511, *, dir_fd=None)")]
    fn mkdir(path: Path, mode: Option<i32>, dir_fd: Option<DirFd>) -> PyResult<()> {
        let (mode, dir_fd) = (mode.unwrap_or(0o777) as libc::mode_t, DirFd::or_current(dir_fd));
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe {
            libc::mkdirat(dir_fd, path.as_ptr(), mode)
        }))
    }
    /// Removes an empty directory.
    #[pyfunction("($module, /, path, *, dir_fd=None)")]
    fn rmdir(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
        unlink_at(&path, dir_fd, libc::AT_REMOVEDIR)
    }
    /// Removes a file.
    #[pyfunction("($module, /, path, *, dir_fd=None)")]
    fn unlink(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
        unlink_at(&path, dir_fd, 0)
    }
    /// Removes a file.
    #[pyfunction("($module, /, path, *, dir_fd=None)")]
    fn remove(path: Path, dir_fd: Option<DirFd>) -> PyResult<()> {
        unlink_at(&path, dir_fd, 0)
    }
    /// Renames a file or directory.
    #[pyfunction("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn rename(src: Path, dst: Path, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> PyResult<()> {
        rename_at(&src, &dst, src_dir_fd, dst_dir_fd)
    }
    /// Renames a file or directory, over what is there.
    #[pyfunction("($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)")]
    fn replace(src: Path, dst: Path, src_dir_fd: Option<DirFd>, dst_dir_fd: Option<DirFd>) -> PyResult<()> {
        rename_at(&src, &dst, src_dir_fd, dst_dir_fd)
    }
    /// Makes a hard link.
    #[pyfunction(
        "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None,\n     follow_symlinks=(os.name != 'nt'))"
    )]
    fn link(
        src: Path,
        dst: Path,
        src_dir_fd: Option<DirFd>,
        dst_dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
    ) -> PyResult<()> {
        let (src_dir, dst_dir) = (DirFd::or_current(src_dir_fd), DirFd::or_current(dst_dir_fd));
        let flags = if follow_symlinks.unwrap_or(true) {
            libc::AT_SYMLINK_FOLLOW
        } else {
            0
        };
        // SAFETY: both are C strings.
        let result =
            allow_threads(|| unsafe { libc::linkat(src_dir, src.as_ptr(), dst_dir, dst.as_ptr(), flags) });
        if result < 0 { Err(src.error2(&dst)) } else { Ok(()) }
    }
    /// Makes a symbolic link.
    #[pyfunction("($module, /, src, dst, target_is_directory=False, *, dir_fd=None)")]
    fn symlink(src: Path, dst: Path, target_is_directory: bool, dir_fd: Option<DirFd>) -> PyResult<()> {
        let _ = target_is_directory;
        let dir_fd = DirFd::or_current(dir_fd);
        // SAFETY: both are C strings.
        let result = allow_threads(|| unsafe { libc::symlinkat(src.as_ptr(), dir_fd, dst.as_ptr()) });
        if result < 0 { Err(src.error2(&dst)) } else { Ok(()) }
    }
    /// Where a symbolic link leads.
    #[pyfunction("($module, /, path, *, dir_fd=None)")]
    fn readlink(path: Path, dir_fd: Option<DirFd>) -> PyResult {
        let mut buffer = [0u8; libc::PATH_MAX as usize + 1];
        let dir_fd = DirFd::or_current(dir_fd);
        // SAFETY: the buffer has the size that is said.
        let len = allow_threads(|| unsafe {
            libc::readlinkat(
                dir_fd,
                path.as_ptr(),
                buffer.as_mut_ptr().cast(),
                libc::PATH_MAX as usize,
            )
        });
        if len < 0 {
            return Err(path.error());
        }
        let target = &buffer[..len as usize];
        if path.is_bytes {
            return Ok(PyBytesObject::from_slice(target).into_object());
        }
        Ok(fs_decode(target)?.into_object())
    }
    /// Changes the permissions of a file.
    #[pyfunction("($module, /, path, mode, *, dir_fd=None,\n      follow_symlinks=(os.name != 'nt'))")]
    fn chmod(
        path: PathOrFd,
        mode: i32,
        dir_fd: Option<DirFd>,
        follow_symlinks: Option<bool>,
    ) -> PyResult<()> {
        let (mode, dir_fd) = (mode as libc::mode_t, DirFd::or_current(dir_fd));
        let follow_symlinks = follow_symlinks.unwrap_or(true);
        let flags = if follow_symlinks {
            0
        } else {
            libc::AT_SYMLINK_NOFOLLOW
        };
        // SAFETY: a C string.
        let result = allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fchmod(path.fd, mode)
            } else {
                libc::fchmodat(dir_fd, path.as_ptr(), mode, flags)
            }
        });
        if result < 0 && !follow_symlinks && errno() == libc::EOPNOTSUPP && dir_fd == libc::AT_FDCWD {
            return Err(raise!(
                NotImplementedError,
                "chmod: follow_symlinks unavailable on this platform"
            ));
        }
        path.check(result)
    }
    /// Changes the permissions of an open file.
    #[pyfunction("($module, /, fd, mode)")]
    fn fchmod(fd: i32, mode: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::fchmod(fd, mode as libc::mode_t) } as isize).map(drop)
    }
    /// Changes the owner of a file.
    #[pyfunction("($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)")]
    fn chown(
        path: PathOrFd,
        uid: Uid,
        gid: Gid,
        dir_fd: Option<DirFd>,
        follow_symlinks: bool,
    ) -> PyResult<()> {
        let dir_fd = DirFd::or_current(dir_fd);
        no_fd_with_dir_fd("chown", dir_fd, path.is_fd())?;
        no_fd_with_nofollow("chown", path.is_fd(), follow_symlinks)?;
        let flags = if follow_symlinks {
            0
        } else {
            libc::AT_SYMLINK_NOFOLLOW
        };
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fchown(path.fd, uid.0, gid.0)
            } else {
                libc::fchownat(dir_fd, path.as_ptr(), uid.0, gid.0, flags)
            }
        }))
    }
    /// Changes the owner of an open file.
    #[pyfunction("($module, /, fd, uid, gid)")]
    fn fchown(fd: i32, uid: Uid, gid: Gid) -> PyResult<()> {
        // SAFETY: a plain system call.
        retry(|| unsafe { libc::fchown(fd, uid.0, gid.0) } as isize).map(drop)
    }
    /// Changes the owner of a file or of a symbolic link itself.
    #[pyfunction("($module, /, path, uid, gid)")]
    fn lchown(path: Path, uid: Uid, gid: Gid) -> PyResult<()> {
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe {
            libc::lchown(path.as_ptr(), uid.0, gid.0)
        }))
    }
    /// Sets the times of last access and modification: now, in seconds, or (ns) in nanoseconds.
    #[pyfunction(
        "($module, /, path, times=None, *, ns=<unrepresentable>,\n      dir_fd=None, follow_symlinks=True)"
    )]
    fn utime(
        path: PathOrFd,
        times: Option<&PyObject>,
        ns: Option<&PyObject>,
        dir_fd: Option<DirFd>,
        follow_symlinks: bool,
    ) -> PyResult<()> {
        if times.is_some() && ns.is_some() {
            return Err(raise!(
                ValueError,
                "utime: you may specify either 'times' or 'ns' but not both"
            ));
        }
        let stamps = if let Some(times) = times {
            let Some((atime, mtime)) = exact_pair(times) else {
                return Err(raise!(
                    TypeError,
                    "utime: 'times' must be either a tuple of two ints or None"
                ));
            };
            Some([timespec_from_object(&atime)?, timespec_from_object(&mtime)?])
        } else if let Some(ns) = ns {
            let Some((atime, mtime)) = exact_pair(ns) else {
                return Err(raise!(TypeError, "utime: 'ns' must be a tuple of two ints"));
            };
            Some([timespec_from_ns(&atime)?, timespec_from_ns(&mtime)?])
        } else {
            None
        };
        let dir_fd = DirFd::or_current(dir_fd);
        no_fd_with_dir_fd("utime", dir_fd, path.is_fd())?;
        no_fd_with_nofollow("utime", path.is_fd(), follow_symlinks)?;
        let flags = if follow_symlinks {
            0
        } else {
            libc::AT_SYMLINK_NOFOLLOW
        };
        let stamps = stamps.as_ref().map_or(std::ptr::null(), |stamps| stamps.as_ptr());
        // SAFETY: the path is a C string, the stamps are two or NULL for now.
        let result = unsafe {
            if path.is_fd() {
                libc::futimens(path.fd, stamps)
            } else {
                libc::utimensat(dir_fd, path.as_ptr(), stamps, flags)
            }
        };
        path.check(result)
    }
    /// Makes a file exactly so long.
    #[pyfunction("($module, /, path, length)")]
    fn truncate(path: PathOrFd, length: i64) -> PyResult<()> {
        if path.is_fd() {
            // SAFETY: a plain system call.
            return retry(|| unsafe { libc::ftruncate(path.fd, length) } as isize).map(drop);
        }
        // SAFETY: a C string.
        path.check(allow_threads(|| unsafe { libc::truncate(path.as_ptr(), length) }))
    }
    /// Makes a named pipe.
    #[pyfunction("($module, /, path, mode=438, *, dir_fd=None)")]
    fn mkfifo(path: Path, mode: Option<i32>, dir_fd: Option<DirFd>) -> PyResult<()> {
        let (mode, dir_fd) = (mode.unwrap_or(0o666) as libc::mode_t, DirFd::or_current(dir_fd));
        // SAFETY: a C string.
        retry(|| unsafe { libc::mkfifoat(dir_fd, path.as_ptr(), mode) } as isize).map(drop)
    }
    /// Makes a node in the file system: a file, device or named pipe.
    #[pyfunction("($module, /, path, mode=384, device=0, *, dir_fd=None)")]
    fn mknod(path: Path, mode: Option<i32>, device: Option<Device>, dir_fd: Option<DirFd>) -> PyResult<()> {
        let (mode, dir_fd) = (mode.unwrap_or(0o600) as libc::mode_t, DirFd::or_current(dir_fd));
        let device = device.map_or(0, |device| device.0);
        // SAFETY: a C string.
        retry(|| unsafe { libc::mknodat(dir_fd, path.as_ptr(), mode, device) } as isize).map(drop)
    }
    /// The major number of a device.
    #[pyfunction("($module, device, /)")]
    fn major(device: Device) -> Ref {
        if device.0 == libc::dev_t::MAX {
            return device_to_py(device.0);
        }
        PyLongObject::from_i64(i64::from(libc::major(device.0))).into_object()
    }
    /// The minor number of a device.
    #[pyfunction("($module, device, /)")]
    fn minor(device: Device) -> Ref {
        if device.0 == libc::dev_t::MAX {
            return device_to_py(device.0);
        }
        PyLongObject::from_i64(i64::from(libc::minor(device.0))).into_object()
    }
    /// A device number from its parts.
    #[pyfunction("($module, major, minor, /)")]
    fn makedev(major: Device, minor: Device) -> PyResult<Ref> {
        let part = |number: Device| match number.0 {
            libc::dev_t::MAX => Ok(u32::MAX),
            value => u32::try_from(value)
                .map_err(|_| raise!(OverflowError, "Python int too large to convert to C unsigned int")),
        };
        let (major, minor) = (part(major)?, part(minor)?);
        if (major, minor) == (u32::MAX, u32::MAX) {
            return Ok(device_to_py(libc::dev_t::MAX));
        }
        Ok(device_to_py(libc::makedev(major, minor)))
    }
    /// Writes everything to disk.
    #[pyfunction("($module, /)")]
    fn sync() {
        // SAFETY: a plain system call.
        allow_threads(|| unsafe { libc::sync() });
    }
    /// Sets the mask of permissions for new files; returns the one before.
    #[pyfunction("($module, mask, /)")]
    fn umask(mask: i32) -> i32 {
        // SAFETY: a plain system call.
        unsafe { libc::umask(mask as libc::mode_t) as i32 }
    }
    /// The file system path of a path-like object.
    #[pyfunction("($module, /, path)", name = "fspath")]
    fn os_fspath(path: &PyObject) -> PyResult {
        super::super::path::fspath(path)
    }
    /// Moves to a namespace.
    #[pyfunction("($module, /, fd, nstype=0)")]
    fn setns(fd: Fildes, nstype: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::setns(fd.0, nstype) }).map(drop)
    }
    /// Takes parts of the execution context for this process alone.
    #[pyfunction("($module, /, flags)")]
    fn unshare(flags: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::unshare(flags) }).map(drop)
    }

    /// Splits a path into drive, root and tail.
    #[pyfunction("($module, /, p)")]
    fn _path_splitroot_ex(p: AnyPath) -> PyResult {
        let n_slashes = p.count_leading_slashes();
        let root = match n_slashes {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        Ok(
            PyTupleObject::from_vec(vec![p.range(0, 0), p.range(0, root), p.range(root, usize::MAX)])
                .into_object(),
        )
    }
    /// A path without '.', '..' and doubled separators.
    #[pyfunction("($module, /, path)")]
    fn _path_normpath(path: AnyPath) -> PyResult {
        path.normalized()
    }
}

/// A path that is only looked at: any characters are allowed.
pub enum AnyPath {
    Text(Ref<PyUnicodeObject>),
    Bytes(Ref<PyBytesObject>),
}

impl<'a> adder_runtime::args::FromArg<'a> for AnyPath {
    fn from_arg(
        arg: &'a PyObject,
        signature: &'static adder_runtime::args::Signature,
        _: usize,
    ) -> PyResult<Self> {
        let path = match fspath(arg) {
            Ok(path) => path,
            Err(raised)
                if raised.matches(exc::TypeError) && arg.ty().lookup(identifier!("__fspath__")).is_none() =>
            {
                raised.clear();
                let name = arg.ty().short_name();
                let function = signature.name;
                return Err(raise!(
                    TypeError,
                    "{function}: path should be string, bytes or os.PathLike, not {name}"
                ));
            }
            Err(raised) => return Err(raised),
        };
        match path.downcast::<PyUnicodeObject>() {
            Ok(text) => Ok(AnyPath::Text(text)),
            // SAFETY: fspath gives str or bytes.
            Err(bytes) => Ok(AnyPath::Bytes(unsafe { bytes.cast() })),
        }
    }
}

impl AnyPath {
    fn count_leading_slashes(&self) -> usize {
        match self {
            AnyPath::Text(text) => text
                .code_points()
                .take_while(|code| *code == u32::from(b'/'))
                .count(),
            AnyPath::Bytes(bytes) => bytes.as_bytes().iter().take_while(|byte| **byte == b'/').count(),
        }
    }
    fn range(&self, start: usize, end: usize) -> Ref {
        match self {
            AnyPath::Text(text) => text.substring(start, end.min(text.len())).into_object(),
            AnyPath::Bytes(bytes) => {
                let bytes = bytes.as_bytes();
                PyBytesObject::from_slice(&bytes[start..end.min(bytes.len())]).into_object()
            }
        }
    }
    fn normalized(&self) -> PyResult {
        match self {
            AnyPath::Text(text) => match text.ascii_str() {
                Some(ascii) => {
                    let normal = normalize(ascii.as_bytes(), b'/', b'.');
                    Ok(PyUnicodeObject::from_ascii(&normal).into_object())
                }
                None => {
                    let code_points: Vec<u32> = text.code_points().collect();
                    let normal = normalize(&code_points, u32::from(b'/'), u32::from(b'.'));
                    Ok(PyUnicodeObject::from_code_points(&normal).into_object())
                }
            },
            AnyPath::Bytes(bytes) => {
                Ok(PyBytesObject::from_vec(normalize(bytes.as_bytes(), b'/', b'.')).into_object())
            }
        }
    }
}

/// The rules of `posixpath.normpath`.
fn normalize<T: Copy + PartialEq>(path: &[T], slash: T, dot: T) -> Vec<T> {
    if path.is_empty() {
        return vec![dot];
    }
    let n_slashes = path.iter().take_while(|unit| **unit == slash).count();
    let n_initial = match n_slashes {
        0 => 0,
        2 => 2,
        _ => 1,
    };
    let parent = [dot, dot];
    let mut parts: Vec<&[T]> = Vec::new();
    for part in path.split(|unit| *unit == slash) {
        if part.is_empty() || part == [dot] {
            continue;
        }
        let keep_parent =
            n_initial == 0 && parts.is_empty() || parts.last().is_some_and(|last| *last == parent);
        if part != parent || keep_parent {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let mut normal = vec![slash; n_initial];
    for (idx, part) in parts.iter().enumerate() {
        if idx > 0 {
            normal.push(slash);
        }
        normal.extend_from_slice(part);
    }
    if normal.is_empty() {
        normal.push(dot);
    }
    normal
}
