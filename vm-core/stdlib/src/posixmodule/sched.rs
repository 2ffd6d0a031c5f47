//! Scheduling: policies, priorities, processors.

use super::path::posix_error;
use super::syscall::quick;
use super::types;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

/// The priority in a `sched_param`.
pub fn priority_of(param: &PyObject) -> PyResult<c_int> {
    if !std::ptr::eq(param.ty(), types::sched_param()?) {
        return Err(raise!(TypeError, "must have a sched_param object"));
    }
    let Some(priority) = structseq::get_field(param, 0) else {
        return Err(raise!(TypeError, "must have a sched_param object"));
    };
    match priority
        .index()?
        .to_i64()
        .and_then(|priority| c_int::try_from(priority).ok())
    {
        Some(priority) => Ok(priority),
        None => Err(raise!(OverflowError, "sched_priority out of range")),
    }
}

const BITS: usize = 64;

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// Lets others run.
    #[pyfunction("($module, /)")]
    fn sched_yield() -> PyResult<()> {
        // SAFETY: a plain system call.
        quick(allow_threads(|| unsafe { libc::sched_yield() })).map(drop)
    }
    /// The highest priority of a policy.
    #[pyfunction("($module, /, policy)")]
    fn sched_get_priority_max(policy: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::sched_get_priority_max(policy) })
    }
    /// The lowest priority of a policy.
    #[pyfunction("($module, /, policy)")]
    fn sched_get_priority_min(policy: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::sched_get_priority_min(policy) })
    }
    /// The policy of a process, 0 for this one.
    #[pyfunction("($module, pid, /)")]
    fn sched_getscheduler(pid: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::sched_getscheduler(pid) })
    }
    /// Sets the policy and parameters of a process.
    #[pyfunction("($module, pid, policy, param, /)")]
    fn sched_setscheduler(pid: i32, policy: i32, param: &PyObject) -> PyResult<()> {
        let param = libc::sched_param {
            sched_priority: priority_of(param)?,
        };
        // SAFETY: a struct of ours.
        quick(unsafe { libc::sched_setscheduler(pid, policy, &param) }).map(drop)
    }
    /// The scheduling parameters of a process.
    #[pyfunction("($module, pid, /)")]
    fn sched_getparam(pid: i32) -> PyResult {
        let mut param = libc::sched_param { sched_priority: 0 };
        // SAFETY: a struct of ours.
        quick(unsafe { libc::sched_getparam(pid, &mut param) })?;
        let priority = PyLongObject::from_i64(i64::from(param.sched_priority)).into_object();
        structseq::new_instance(types::sched_param()?, vec![priority])
    }
    /// Sets the scheduling parameters of a process.
    #[pyfunction("($module, pid, param, /)")]
    fn sched_setparam(pid: i32, param: &PyObject) -> PyResult<()> {
        let param = libc::sched_param {
            sched_priority: priority_of(param)?,
        };
        // SAFETY: a struct of ours.
        quick(unsafe { libc::sched_setparam(pid, &param) }).map(drop)
    }
    /// The round-robin interval of a process, in seconds.
    #[pyfunction("($module, pid, /)")]
    fn sched_rr_get_interval(pid: i32) -> PyResult<f64> {
        let mut interval = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a struct of ours.
        quick(unsafe { libc::sched_rr_get_interval(pid, &mut interval) })?;
        Ok(interval.tv_sec as f64 + 1e-9 * interval.tv_nsec as f64)
    }
    /// Restricts a process to processors.
    #[pyfunction("($module, pid, mask, /)")]
    fn sched_setaffinity(pid: i32, mask: &PyObject) -> PyResult<()> {
        let mut words = vec![0u64; 16];
        mask.for_each(|cpu| {
            let Some(number) = cpu.as_object().downcast::<PyLongObject>() else {
                let shown = cpu.ty().as_object().repr()?.to_string_lossy();
                return Err(raise!(
                    TypeError,
                    "expected an iterator of ints, but iterator yielded {shown}"
                ));
            };
            let number = number.as_i64()?;
            if number < 0 {
                return Err(raise!(ValueError, "negative CPU number"));
            }
            if number > i64::from(c_int::MAX) - 1 {
                return Err(raise!(OverflowError, "CPU number too large"));
            }
            let (word, bit) = (number as usize / BITS, number as usize % BITS);
            if word >= words.len() {
                words.resize(word + 1, 0);
            }
            words[word] |= 1 << bit;
            Ok(())
        })?;
        // SAFETY: the size of the words is said.
        quick(unsafe { libc::sched_setaffinity(pid, words.len() * 8, words.as_ptr().cast()) }).map(drop)
    }
    /// The processors that a process may use.
    #[pyfunction("($module, pid, /)")]
    fn sched_getaffinity(pid: i32) -> PyResult<Ref<PySetObject>> {
        let mut words = vec![0u64; 16];
        loop {
            // SAFETY: the size of the words is said.
            if unsafe { libc::sched_getaffinity(pid, words.len() * 8, words.as_mut_ptr().cast()) } == 0 {
                break;
            }
            if super::super::path::errno() != libc::EINVAL || words.len() > 1 << 16 {
                return Err(posix_error());
            }
            words.resize(words.len() * 2, 0);
        }
        let set = PySetObject::new_set();
        for (idx, word) in words.iter().enumerate() {
            for bit in (0..BITS).filter(|bit| word & (1 << bit) != 0) {
                set.add(PyLongObject::from_usize(idx * BITS + bit).as_object())?;
            }
        }
        Ok(set)
    }
}
