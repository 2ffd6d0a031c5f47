//! Users and groups of this process.

use super::path::*;
use super::syscall::quick;
use adder_runtime::prelude::*;

fn groups_list(groups: &[libc::gid_t]) -> Ref<PyListObject> {
    PyListObject::from_vec(groups.iter().map(|group| owner_to_py(*group)).collect())
}

/// A C string from text.
fn c_text(text: &str) -> PyResult<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(|_| raise!(ValueError, "embedded null character"))
}

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// The user of this process.
    #[pyfunction("($module, /)")]
    fn getuid() -> Ref {
        // SAFETY: always succeeds.
        owner_to_py(unsafe { libc::getuid() })
    }
    /// The effective user of this process.
    #[pyfunction("($module, /)")]
    fn geteuid() -> Ref {
        // SAFETY: always succeeds.
        owner_to_py(unsafe { libc::geteuid() })
    }
    /// The group of this process.
    #[pyfunction("($module, /)")]
    fn getgid() -> Ref {
        // SAFETY: always succeeds.
        owner_to_py(unsafe { libc::getgid() })
    }
    /// The effective group of this process.
    #[pyfunction("($module, /)")]
    fn getegid() -> Ref {
        // SAFETY: always succeeds.
        owner_to_py(unsafe { libc::getegid() })
    }
    /// The real, effective and saved user.
    #[pyfunction("($module, /)")]
    fn getresuid() -> PyResult<(Ref, Ref, Ref)> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: room for the numbers.
        quick(unsafe { libc::getresuid(&mut real, &mut effective, &mut saved) })?;
        Ok((owner_to_py(real), owner_to_py(effective), owner_to_py(saved)))
    }
    /// The real, effective and saved group.
    #[pyfunction("($module, /)")]
    fn getresgid() -> PyResult<(Ref, Ref, Ref)> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: room for the numbers.
        quick(unsafe { libc::getresgid(&mut real, &mut effective, &mut saved) })?;
        Ok((owner_to_py(real), owner_to_py(effective), owner_to_py(saved)))
    }
    /// Sets the user.
    #[pyfunction("($module, uid, /)")]
    fn setuid(uid: Uid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setuid(uid.0) }).map(drop)
    }
    /// Sets the effective user.
    #[pyfunction("($module, euid, /)")]
    fn seteuid(euid: Uid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::seteuid(euid.0) }).map(drop)
    }
    /// Sets the group.
    #[pyfunction("($module, gid, /)")]
    fn setgid(gid: Gid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setgid(gid.0) }).map(drop)
    }
    /// Sets the effective group.
    #[pyfunction("($module, egid, /)")]
    fn setegid(egid: Gid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setegid(egid.0) }).map(drop)
    }
    /// Sets the real and the effective user.
    #[pyfunction("($module, ruid, euid, /)")]
    fn setreuid(ruid: Uid, euid: Uid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setreuid(ruid.0, euid.0) }).map(drop)
    }
    /// Sets the real and the effective group.
    #[pyfunction("($module, rgid, egid, /)")]
    fn setregid(rgid: Gid, egid: Gid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setregid(rgid.0, egid.0) }).map(drop)
    }
    /// Sets the real, effective and saved user.
    #[pyfunction("($module, ruid, euid, suid, /)")]
    fn setresuid(ruid: Uid, euid: Uid, suid: Uid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setresuid(ruid.0, euid.0, suid.0) }).map(drop)
    }
    /// Sets the real, effective and saved group.
    #[pyfunction("($module, rgid, egid, sgid, /)")]
    fn setresgid(rgid: Gid, egid: Gid, sgid: Gid) -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::setresgid(rgid.0, egid.0, sgid.0) }).map(drop)
    }
    /// The supplementary groups of this process.
    #[pyfunction("($module, /)")]
    fn getgroups() -> PyResult<Ref<PyListObject>> {
        // SAFETY: asks for the number only.
        let count = quick(unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
        let mut groups = vec![0; count as usize];
        // SAFETY: room for so many.
        let count = quick(unsafe { libc::getgroups(count, groups.as_mut_ptr()) })?;
        Ok(groups_list(&groups[..count as usize]))
    }
    /// Sets the supplementary groups of this process.
    #[pyfunction("($module, groups, /)")]
    fn setgroups(groups: &PyObject) -> PyResult<()> {
        if !groups.is_sequence() {
            return Err(raise!(TypeError, "setgroups argument must be a sequence"));
        }
        let count = groups.sequence_len()?;
        if count > 65536 {
            return Err(raise!(ValueError, "too many groups"));
        }
        let mut numbers = Vec::with_capacity(count);
        for idx in 0..count {
            let group = groups.get_index(idx as isize)?;
            if !PyLongObject::check(&group) {
                return Err(raise!(TypeError, "groups must be integers"));
            }
            numbers.push(super::super::path::gid_of(&group)?);
        }
        // SAFETY: so many numbers.
        quick(unsafe { libc::setgroups(numbers.len(), numbers.as_ptr()) }).map(drop)
    }
    /// The groups that a user belongs to.
    #[pyfunction("($module, user, group, /)")]
    fn getgrouplist(user: &str, group: Gid) -> PyResult<Ref<PyListObject>> {
        let user = c_text(user)?;
        let mut groups: Vec<libc::gid_t> = vec![0; 64];
        loop {
            let mut count = groups.len() as c_int;
            // SAFETY: room for so many.
            let result =
                unsafe { libc::getgrouplist(user.as_ptr(), group.0, groups.as_mut_ptr(), &mut count) };
            if result >= 0 {
                return Ok(groups_list(&groups[..count as usize]));
            }
            groups.resize(groups.len() * 2, 0);
        }
    }
    /// Sets the groups of a user, and another one, for this process.
    #[pyfunction("($module, username, gid, /)")]
    fn initgroups(username: FsBytes, gid: Gid) -> PyResult<()> {
        // SAFETY: a C string.
        quick(unsafe { libc::initgroups(username.as_ptr(), gid.0) }).map(drop)
    }
    /// The name of the user who logged in.
    #[pyfunction("($module, /)")]
    fn getlogin() -> PyResult<Ref<PyUnicodeObject>> {
        unsafe extern "C" {
            fn getlogin_r(name: *mut c_char, size: usize) -> c_int;
        }
        let mut name = [0u8; 256];
        // SAFETY: the buffer has the size that is said.
        match unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) } {
            0 => fs_decode(name.split(|byte| *byte == 0).next().unwrap_or_default()),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
}
