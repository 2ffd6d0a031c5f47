//! `pwd` and `grp`: the databases of users and groups.

use crate::module_parts::{add_ready_type, struct_sequences};
use crate::posixmodule::path::{fs_decode, fs_encode, gid_of, owner_to_py, uid_of};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::ffi::{CStr, CString};

struct_sequences! {
    struct_passwd = "pwd.struct_passwd", "A row of the database of users.", 7: [
        ("pw_name", "user name"), ("pw_passwd", "password"), ("pw_uid", "user id"), ("pw_gid", "group id"),
        ("pw_gecos", "real name"), ("pw_dir", "home directory"), ("pw_shell", "shell program"),
    ];
    struct_group = "grp.struct_group", "A row of the database of groups.", 4: [
        ("gr_name", "group name"), ("gr_passwd", "password"), ("gr_gid", "group id"), ("gr_mem", "group members"),
    ];
}

fn text(pointer: *const c_char) -> PyResult {
    if pointer.is_null() {
        return Ok(none_ref());
    }
    // SAFETY: the C library's text, which stays until the next row is asked for.
    Ok(fs_decode(unsafe { CStr::from_ptr(pointer) }.to_bytes())?.into_object())
}

fn passwd_row(row: &libc::passwd) -> PyResult {
    let fields = vec![
        text(row.pw_name)?,
        text(row.pw_passwd)?,
        owner_to_py(row.pw_uid),
        owner_to_py(row.pw_gid),
        text(row.pw_gecos)?,
        text(row.pw_dir)?,
        text(row.pw_shell)?,
    ];
    structseq::new_instance(struct_passwd()?, fields)
}

fn group_row(row: &libc::group) -> PyResult {
    let members = PyListObject::new();
    let mut member = row.gr_mem;
    // SAFETY: a table of texts ended by NULL; it may lie unaligned in the buffer.
    unsafe {
        while !member.is_null() {
            let name = member.read_unaligned();
            if name.is_null() {
                break;
            }
            members.push(text(name)?);
            member = member.add(1);
        }
    }
    let fields = vec![
        text(row.gr_name)?,
        text(row.gr_passwd)?,
        owner_to_py(row.gr_gid),
        members.into_object(),
    ];
    structseq::new_instance(struct_group()?, fields)
}

/// Asks for a row with a buffer that is made large enough: `Ok(None)` when there is none.
fn ask<T, R>(
    mut query: impl FnMut(*mut T, *mut c_char, usize, *mut *mut T) -> c_int,
    convert: impl FnOnce(&T) -> PyResult<R>,
) -> PyResult<Option<R>> {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0u8; size];
        let mut row = std::mem::MaybeUninit::<T>::uninit();
        let mut found = std::ptr::null_mut();
        let status = allow_threads(|| query(row.as_mut_ptr(), buffer.as_mut_ptr().cast(), size, &mut found));
        if status == libc::ERANGE && size < 1 << 24 {
            size *= 2;
            continue;
        }
        // SAFETY: when found it points to the row, whose texts are in the buffer.
        return match unsafe { found.as_ref() } {
            None if matches!(status, 0 | libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM) => Ok(None),
            None => Err(adder_runtime::exceptions::os_error_from_errno(status, None, None)),
            Some(row) => convert(row).map(Some),
        };
    }
}

/// A name as a C string.
fn name_of(name: &PyUnicodeObject) -> PyResult<CString> {
    CString::new(fs_encode(name)?.as_bytes()).map_err(|_| raise!(ValueError, "embedded null byte"))
}

fn not_found(function: &str, kind: &str, what: &PyObject) -> Raised {
    match what.repr() {
        Ok(shown) => {
            let message = PyUnicodeObject::from_string(format!(
                "{function}: {kind} not found: {}",
                shown.to_string_lossy()
            ));
            raise!(KeyError, value => message.into_object())
        }
        Err(raised) => raised,
    }
}

/// The database of users.
#[pymodule(name = "pwd")]
pub mod pwd {
    use super::*;

    /// The row of a user number.
    #[pyfunction("($module, uidobj, /)")]
    fn getpwuid(uidobj: &PyObject) -> PyResult {
        let uid = match uid_of(uidobj) {
            Ok(uid) => uid,
            Err(raised) => {
                raised.clear_if(exc::OverflowError)?;
                return Err(not_found("getpwuid()", "uid", uidobj));
            }
        };
        // SAFETY: room for what is filled.
        let row = ask(
            |row, data, len, found| unsafe { libc::getpwuid_r(uid, row, data, len, found) },
            passwd_row,
        )?;
        row.ok_or_else(|| not_found("getpwuid()", "uid", &owner_to_py(uid)))
    }
    /// The row of a user name.
    #[pyfunction("($module, name, /)")]
    fn getpwnam(name: &PyUnicodeObject) -> PyResult {
        let text = name_of(name)?;
        // SAFETY: a C string, and room for what is filled.
        let row = ask(
            |row, data, len, found| unsafe { libc::getpwnam_r(text.as_ptr(), row, data, len, found) },
            passwd_row,
        )?;
        row.ok_or_else(|| not_found("getpwnam()", "name", name.as_object()))
    }
    /// All rows.
    #[pyfunction("($module, /)")]
    fn getpwall() -> PyResult<Ref<PyListObject>> {
        let rows = PyListObject::new();
        // SAFETY: the GIL keeps others out of the C library's one cursor; each row is copied at once.
        let result = unsafe {
            libc::setpwent();
            loop {
                match libc::getpwent().as_ref() {
                    None => break Ok(()),
                    Some(row) => match passwd_row(row) {
                        Ok(row) => rows.push(row),
                        Err(raised) => break Err(raised),
                    },
                }
            }
        };
        // SAFETY: as above.
        unsafe { libc::endpwent() };
        result.map(|()| rows)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        add_ready_type(module, struct_passwd()?)
    }
}

/// The database of groups.
#[pymodule(name = "grp")]
pub mod grp {
    use super::*;

    /// The row of a group number.
    #[pyfunction("($module, /, id)")]
    fn getgrgid(id: &PyObject) -> PyResult {
        let gid = gid_of(id)?;
        // SAFETY: room for what is filled.
        let row = ask(
            |row, data, len, found| unsafe { libc::getgrgid_r(gid, row, data, len, found) },
            group_row,
        )?;
        row.ok_or_else(|| not_found("getgrgid()", "gid", &owner_to_py(gid)))
    }
    /// The row of a group name.
    #[pyfunction("($module, /, name)")]
    fn getgrnam(name: &PyUnicodeObject) -> PyResult {
        let text = name_of(name)?;
        // SAFETY: a C string, and room for what is filled.
        let row = ask(
            |row, data, len, found| unsafe { libc::getgrnam_r(text.as_ptr(), row, data, len, found) },
            group_row,
        )?;
        row.ok_or_else(|| not_found("getgrnam()", "name", name.as_object()))
    }
    /// All rows.
    #[pyfunction("($module, /)")]
    fn getgrall() -> PyResult<Ref<PyListObject>> {
        let rows = PyListObject::new();
        // SAFETY: the GIL keeps others out of the C library's one cursor; each row is copied at once.
        let result = unsafe {
            libc::setgrent();
            loop {
                match libc::getgrent().as_ref() {
                    None => break Ok(()),
                    Some(row) => match group_row(row) {
                        Ok(row) => rows.push(row),
                        Err(raised) => break Err(raised),
                    },
                }
            }
        };
        // SAFETY: as above.
        unsafe { libc::endgrent() };
        result.map(|()| rows)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        add_ready_type(module, struct_group()?)
    }
}
