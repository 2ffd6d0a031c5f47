//! `resource`: limits and use of resources.

use crate::module_parts::{int_constants, libc_constants, struct_sequences};
use crate::posixmodule::path::errno;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;

struct_sequences! {
    rusage_type = "resource.struct_rusage", "What getrusage gives.", 16: [
        ("ru_utime", "user time used"), ("ru_stime", "system time used"), ("ru_maxrss", "max. resident set size"),
        ("ru_ixrss", "shared memory size"), ("ru_idrss", "unshared data size"), ("ru_isrss", "unshared stack size"),
        ("ru_minflt", "page faults not requiring I/O"), ("ru_majflt", "page faults requiring I/O"),
        ("ru_nswap", "number of swap outs"), ("ru_inblock", "block input operations"),
        ("ru_oublock", "block output operations"), ("ru_msgsnd", "IPC messages sent"),
        ("ru_msgrcv", "IPC messages received"), ("ru_nsignals", "signals received"),
        ("ru_nvcsw", "voluntary context switches"), ("ru_nivcsw", "involuntary context switches"),
    ];
}

/// The `struct_rusage` of what the system says.
pub fn struct_rusage(usage: &libc::rusage) -> PyResult {
    let seconds = |time: libc::timeval| {
        PyFloatObject::from_f64(time.tv_sec as f64 + time.tv_usec as f64 * 1e-6).into_object()
    };
    let mut fields = vec![seconds(usage.ru_utime), seconds(usage.ru_stime)];
    let numbers = [
        usage.ru_maxrss,
        usage.ru_ixrss,
        usage.ru_idrss,
        usage.ru_isrss,
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nswap,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_msgsnd,
        usage.ru_msgrcv,
        usage.ru_nsignals,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
    ];
    fields.extend(
        numbers
            .iter()
            .map(|number| PyLongObject::from_i64(*number).into_object()),
    );
    structseq::new_instance(rusage_type()?, fields)
}

const N_LIMITS: i32 = 16;

fn os_error() -> Raised {
    adder_runtime::exceptions::os_error_from_errno(errno(), None, None)
}

fn check_resource(resource: i32) -> PyResult<()> {
    if !(0..N_LIMITS).contains(&resource) {
        return Err(raise!(ValueError, "invalid resource specified"));
    }
    Ok(())
}

fn limit_to_py(limit: libc::rlim_t) -> Ref {
    if limit == libc::RLIM_INFINITY {
        return PyLongObject::from_i64(-1).into_object();
    }
    PyLongObject::from_u64(limit).into_object()
}

fn limit_of(object: &PyObject) -> PyResult<libc::rlim_t> {
    let number = object.index()?;
    if number.to_i64() == Some(-1) {
        return Ok(libc::RLIM_INFINITY);
    }
    if number.sign() < 0 {
        return Err(raise!(ValueError, "Cannot convert negative int"));
    }
    number
        .to_u64()
        .ok_or_else(|| raise!(OverflowError, "Python int too large to convert to C rlim_t"))
}

fn limits_of(limits: &PyObject) -> PyResult<libc::rlimit> {
    let pair = limits.to_tuple()?;
    let [soft, hard] = pair.as_slice() else {
        return Err(raise!(ValueError, "expected a tuple of 2 integers"));
    };
    Ok(libc::rlimit {
        rlim_cur: limit_of(soft)?,
        rlim_max: limit_of(hard)?,
    })
}

fn limit_error() -> Raised {
    match errno() {
        libc::EINVAL => raise!(ValueError, "current limit exceeds maximum limit"),
        libc::EPERM => raise!(ValueError, "not allowed to raise maximum limit"),
        _ => os_error(),
    }
}

/// Limits and use of resources.
#[pymodule(name = "resource")]
pub mod resource {
    use super::*;

    /// The resources that have been used.
    #[pyfunction("($module, who, /)")]
    fn getrusage(who: i32) -> PyResult {
        // SAFETY: plain numbers, filled by the call.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours.
        if unsafe { libc::getrusage(who, &mut usage) } == -1 {
            if errno() == libc::EINVAL {
                return Err(raise!(ValueError, "invalid who parameter"));
            }
            return Err(os_error());
        }
        struct_rusage(&usage)
    }
    /// The soft and the hard limit of a resource.
    #[pyfunction("($module, resource, /)")]
    fn getrlimit(resource: i32) -> PyResult<(Ref, Ref)> {
        check_resource(resource)?;
        let mut limits = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: a struct of ours.
        if unsafe { libc::getrlimit(resource as _, &mut limits) } == -1 {
            return Err(os_error());
        }
        Ok((limit_to_py(limits.rlim_cur), limit_to_py(limits.rlim_max)))
    }
    /// Sets the soft and the hard limit of a resource.
    #[pyfunction("($module, resource, limits, /)")]
    fn setrlimit(resource: i32, limits: &PyObject) -> PyResult<()> {
        check_resource(resource)?;
        let limits = limits_of(limits)?;
        // SAFETY: a struct of ours.
        if unsafe { libc::setrlimit(resource as _, &limits) } == -1 {
            return Err(limit_error());
        }
        Ok(())
    }
    /// The limits of a process, before they are set to others.
    #[pyfunction("($module, pid, resource, limits=None, /)")]
    fn prlimit(pid: i32, resource: i32, limits: Option<&PyObject>) -> PyResult<(Ref, Ref)> {
        check_resource(resource)?;
        let new = limits.map(limits_of).transpose()?;
        let mut old = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        let new = new.as_ref().map_or(std::ptr::null(), |new| &raw const *new);
        // SAFETY: structs of ours, or NULL.
        if unsafe { libc::prlimit(pid, resource as _, new, &mut old) } == -1 {
            return Err(if errno() == libc::EINVAL {
                raise!(ValueError, "current limit exceeds maximum limit")
            } else {
                os_error()
            });
        }
        Ok((limit_to_py(old.rlim_cur), limit_to_py(old.rlim_max)))
    }
    /// The size of a memory page.
    #[pyfunction("($module, /)")]
    fn getpagesize() -> i64 {
        // SAFETY: a plain query.
        unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        libc_constants!(module;
            RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
            RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING,
            RLIMIT_STACK, RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD,
        );
        int_constants!(module; RLIMIT_OFILE = libc::RLIMIT_NOFILE, RLIM_INFINITY = -1);
        module.add("error", exc::OSError.as_object().to_ref())?;
        crate::module_parts::add_ready_type(module, rusage_type()?)
    }
}
