//! `stat`, `lstat`, `fstat`, `statvfs`, `access` and their results.

use super::path::*;
use super::types;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

const NS_PER_S: i128 = 1_000_000_000;

fn int(value: impl Into<i128>) -> Ref {
    let value = value.into();
    match i64::try_from(value) {
        Ok(value) => PyLongObject::from_i64(value).into_object(),
        Err(_) => PyLongObject::from_i128(value).into_object(),
    }
}

/// The `os.stat_result` of what the system says about a file.
pub fn stat_result(st: &libc::stat) -> PyResult {
    let times = [
        (st.st_atime, st.st_atime_nsec),
        (st.st_mtime, st.st_mtime_nsec),
        (st.st_ctime, st.st_ctime_nsec),
    ];
    let mut fields = Vec::with_capacity(19);
    fields.push(int(st.st_mode));
    fields.push(PyLongObject::from_u64(st.st_ino).into_object());
    fields.push(device_to_py(st.st_dev));
    fields.push(int(st.st_nlink));
    fields.push(owner_to_py(st.st_uid));
    fields.push(owner_to_py(st.st_gid));
    fields.push(int(st.st_size));
    fields.extend(times.iter().map(|(sec, _)| int(*sec)));
    fields.extend(
        times
            .iter()
            .map(|(sec, nsec)| PyFloatObject::from_f64(*sec as f64 + 1e-9 * *nsec as f64).into_object()),
    );
    fields.extend(
        times
            .iter()
            .map(|(sec, nsec)| int(i128::from(*sec) * NS_PER_S + i128::from(*nsec))),
    );
    fields.push(int(st.st_blksize));
    fields.push(int(st.st_blocks));
    fields.push(device_to_py(st.st_rdev));
    structseq::new_instance(types::stat_result()?, fields)
}

fn zeroed_stat() -> libc::stat {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

/// What `stat` and `lstat` do.
fn do_stat(function: &str, path: &PathOrFd, dir_fd: c_int, follow_symlinks: bool) -> PyResult {
    no_fd_with_dir_fd(function, dir_fd, path.is_fd())?;
    no_fd_with_nofollow(function, path.is_fd(), follow_symlinks)?;
    let mut st = zeroed_stat();
    let flags = if follow_symlinks {
        0
    } else {
        libc::AT_SYMLINK_NOFOLLOW
    };
    // SAFETY: the path is a C string; the struct is ours.
    let result = allow_threads(|| unsafe {
        if path.is_fd() {
            libc::fstat(path.fd, &mut st)
        } else {
            libc::fstatat(dir_fd, path.as_ptr(), &mut st, flags)
        }
    });
    path.check(result)?;
    stat_result(&st)
}

fn statvfs_result(st: &libc::statvfs) -> PyResult {
    let fields = [
        st.f_bsize,
        st.f_frsize,
        st.f_blocks,
        st.f_bfree,
        st.f_bavail,
        st.f_files,
        st.f_ffree,
        st.f_favail,
        st.f_flag,
        st.f_namemax,
        st.f_fsid,
    ];
    structseq::new_instance(
        types::statvfs_result()?,
        fields
            .iter()
            .map(|field| PyLongObject::from_u64(*field).into_object())
            .collect(),
    )
}

fn zeroed_statvfs() -> libc::statvfs {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// Information about a file, given by path or descriptor.
    #[pyfunction("($module, /, path, *, dir_fd=None, follow_symlinks=True)")]
    fn stat(path: PathOrFd, dir_fd: Option<DirFd>, follow_symlinks: bool) -> PyResult {
        do_stat("stat", &path, DirFd::or_current(dir_fd), follow_symlinks)
    }
    /// As stat(), without following symbolic links.
    #[pyfunction("($module, /, path, *, dir_fd=None)")]
    fn lstat(path: Path, dir_fd: Option<DirFd>) -> PyResult {
        let mut st = zeroed_stat();
        let dir_fd = DirFd::or_current(dir_fd);
        // SAFETY: the path is a C string; the struct is ours.
        let result = allow_threads(|| unsafe {
            libc::fstatat(dir_fd, path.as_ptr(), &mut st, libc::AT_SYMLINK_NOFOLLOW)
        });
        path.check(result)?;
        stat_result(&st)
    }
    /// Information about an open file.
    #[pyfunction("($module, /, fd)")]
    fn fstat(fd: i32) -> PyResult {
        let mut st = zeroed_stat();
        // SAFETY: the struct is ours.
        let result = super::super::syscall::until_done(|| unsafe { libc::fstat(fd, &mut st) } as isize)?;
        if result < 0 {
            return Err(posix_error());
        }
        stat_result(&st)
    }
    /// Information about the file system of a path.
    #[pyfunction("($module, /, path)")]
    fn statvfs(path: PathOrFd) -> PyResult {
        let mut st = zeroed_statvfs();
        // SAFETY: the path is a C string; the struct is ours.
        let result = allow_threads(|| unsafe {
            if path.is_fd() {
                libc::fstatvfs(path.fd, &mut st)
            } else {
                libc::statvfs(path.as_ptr(), &mut st)
            }
        });
        path.check(result)?;
        statvfs_result(&st)
    }
    /// Information about the file system of an open file.
    #[pyfunction("($module, fd, /)")]
    fn fstatvfs(fd: i32) -> PyResult {
        let mut st = zeroed_statvfs();
        // SAFETY: the struct is ours.
        let result = super::super::syscall::until_done(|| unsafe { libc::fstatvfs(fd, &mut st) } as isize)?;
        if result < 0 {
            return Err(posix_error());
        }
        statvfs_result(&st)
    }
    /// Whether the real user (or the effective one) may access a path in the given mode.
    #[pyfunction(
        "($module, /, path, mode, *, dir_fd=None, effective_ids=False,\n       follow_symlinks=True)"
    )]
    fn access(
        path: Path,
        mode: i32,
        dir_fd: Option<DirFd>,
        effective_ids: bool,
        follow_symlinks: bool,
    ) -> bool {
        let mut flags = 0;
        if !follow_symlinks {
            flags |= libc::AT_SYMLINK_NOFOLLOW;
        }
        if effective_ids {
            flags |= libc::AT_EACCESS;
        }
        let dir_fd = DirFd::or_current(dir_fd);
        // SAFETY: the path is a C string.
        let result = allow_threads(|| unsafe { libc::faccessat(dir_fd, path.as_ptr(), mode, flags) });
        result == 0
    }
}
