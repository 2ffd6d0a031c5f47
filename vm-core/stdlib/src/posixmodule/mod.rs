//! `posix`: what the operating system offers, as `os` presents it.
//!
//! Parts: `path` (arguments and errors), `syscall` (waiting and signals), `stat`, `fs` (names), `fd` (descriptors),
//! `scandir`, `process`, `spawn`, `sched`, `sysconf`, `users` and `misc`. Tests: CPython's test_os, test_posix.

pub mod constants;
pub mod fd;
pub mod fs;
pub mod misc;
pub mod path;
pub mod process;
pub mod scandir;
pub mod sched;
pub mod spawn;
pub mod stat;
pub mod syscall;
pub mod sysconf;
pub mod types;
pub mod users;

use crate::module_parts::add_part;
use adder_runtime::prelude::*;

/// The environment as a dict of bytes.
pub fn environ() -> PyResult<Ref<PyDictObject>> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    let dict = PyDictObject::new();
    // SAFETY: the C library's table ends with NULL; the GIL keeps others from changing it.
    unsafe {
        let mut row = environ;
        while !row.is_null() && !(*row).is_null() {
            let entry = std::ffi::CStr::from_ptr(*row).to_bytes();
            row = row.add(1);
            let Some(at) = entry.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let name = PyBytesObject::from_slice(&entry[..at]);
            let value = PyBytesObject::from_slice(&entry[at + 1..]);
            dict.set_default(name.as_object(), value.as_object())?;
        }
    }
    Ok(dict)
}

/// What the operating system offers; use `os`.
#[pymodule(name = "posix")]
pub mod posix {
    use super::*;

    /// The environment as it is now, as a dict of bytes.
    #[pyfunction("($module, /)")]
    fn _create_environ() -> PyResult<Ref<PyDictObject>> {
        environ()
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        for part in [
            &stat::part::DEF,
            &fs::part::DEF,
            &fd::part::DEF,
            &scandir::part::DEF,
            &process::part::DEF,
            &spawn::part::DEF,
            &sched::part::DEF,
            &users::part::DEF,
            &sysconf::part::DEF,
            &misc::part::DEF,
        ] {
            add_part(module, part)?;
        }
        constants::add(module)?;
        module.add("environ", environ()?.into_object())?;
        module.add(
            "error",
            adder_runtime::exceptions::exc::OSError.as_object().to_ref(),
        )?;
        for ty in [
            types::stat_result()?,
            types::statvfs_result()?,
            types::times_result()?,
            types::uname_result()?,
            types::waitid_result()?,
            types::terminal_size()?,
            types::sched_param()?,
        ] {
            crate::module_parts::add_ready_type(module, ty)?;
        }
        let names = [
            "HAVE_EVENTFD",
            "HAVE_TIMERFD_CREATE",
            "HAVE_FACCESSAT",
            "HAVE_FCHDIR",
            "HAVE_FCHMOD",
            "HAVE_FCHMODAT",
            "HAVE_FCHOWN",
            "HAVE_FCHOWNAT",
            "HAVE_FEXECVE",
            "HAVE_FDOPENDIR",
            "HAVE_FPATHCONF",
            "HAVE_FSTATAT",
            "HAVE_FSTATVFS",
            "HAVE_FTRUNCATE",
            "HAVE_FUTIMENS",
            "HAVE_FUTIMES",
            "HAVE_FUTIMESAT",
            "HAVE_LINKAT",
            "HAVE_LCHOWN",
            "HAVE_LSTAT",
            "HAVE_LUTIMES",
            "HAVE_MEMFD_CREATE",
            "HAVE_MKDIRAT",
            "HAVE_MKFIFOAT",
            "HAVE_MKNODAT",
            "HAVE_OPENAT",
            "HAVE_READLINKAT",
            "HAVE_RENAMEAT",
            "HAVE_SYMLINKAT",
            "HAVE_UNLINKAT",
            "HAVE_UTIMENSAT",
            "HAVE_PTSNAME_R",
        ];
        let names = names
            .iter()
            .map(|name| PyUnicodeObject::from_str(name).into_object())
            .collect();
        module.add("_have_functions", PyListObject::from_vec(names).into_object())
    }
}
