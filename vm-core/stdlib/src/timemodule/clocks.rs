//! Clocks and waiting.

use crate::posixmodule::path::posix_error;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

pub const NS_PER_S: i64 = 1_000_000_000;

/// A clock's time in nanoseconds.
pub fn clock_ns(clock: libc::clockid_t) -> PyResult<i64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a struct of ours.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(posix_error());
    }
    Ok(time.tv_sec * NS_PER_S + time.tv_nsec)
}

pub fn seconds(ns: i64) -> f64 {
    // Whole seconds divide exactly.
    if ns % NS_PER_S == 0 {
        (ns / NS_PER_S) as f64
    } else {
        ns as f64 / 1e9
    }
}

#[cold]
pub fn timestamp_overflow() -> Raised {
    raise!(OverflowError, "timestamp out of range for C PyTime_t")
}

/// How a fraction of a nanosecond is rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Floor,
    /// Away from zero: a timeout is never too short.
    Timeout,
}

/// Seconds, as an int or a float, in nanoseconds.
pub fn ns_from_seconds(object: &PyObject, round: Round) -> PyResult<i64> {
    if let Some(float) = object.downcast::<PyFloatObject>() {
        let value = float.value();
        if value.is_nan() {
            return Err(raise!(ValueError, "Invalid value NaN (not a number)"));
        }
        let ns = value * 1e9;
        let ns = match round {
            Round::Floor => ns.floor(),
            Round::Timeout if ns >= 0.0 => ns.ceil(),
            Round::Timeout => ns.floor(),
        };
        if !(-9.223372036854775e18..=9.223372036854775e18).contains(&ns) {
            return Err(timestamp_overflow());
        }
        return Ok(ns as i64);
    }
    if !object.has_index() {
        return Err(raise!(
            TypeError,
            "'{}' object cannot be interpreted as an integer or float",
            object.ty().name()
        ));
    }
    let value = object.index()?;
    value
        .to_i64()
        .and_then(|value| value.checked_mul(NS_PER_S))
        .ok_or_else(timestamp_overflow)
}

/// Waits without the GIL; signal handlers run, then the wait goes on.
pub fn sleep_ns(duration_ns: i64) -> PyResult<()> {
    let deadline = clock_ns(libc::CLOCK_MONOTONIC)?.saturating_add(duration_ns);
    let until = libc::timespec {
        tv_sec: deadline / NS_PER_S,
        tv_nsec: deadline % NS_PER_S,
    };
    loop {
        // SAFETY: a struct of ours.
        let error = allow_threads(|| unsafe {
            libc::clock_nanosleep(
                libc::CLOCK_MONOTONIC,
                libc::TIMER_ABSTIME,
                &until,
                std::ptr::null_mut(),
            )
        });
        match error {
            0 => return Ok(()),
            libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
            error => return Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
}

fn set_clock(clock: libc::clockid_t, ns: i64) -> PyResult<()> {
    let time = libc::timespec {
        tv_sec: ns.div_euclid(NS_PER_S),
        tv_nsec: ns.rem_euclid(NS_PER_S),
    };
    // SAFETY: a struct of ours.
    if unsafe { libc::clock_settime(clock, &time) } != 0 {
        Err(posix_error())
    } else {
        Ok(())
    }
}

#[pymodule(name = "time")]
pub mod part {
    use super::*;

    /// The time since the epoch, in seconds.
    #[pyfunction("($module, /)")]
    fn time() -> PyResult<f64> {
        clock_ns(libc::CLOCK_REALTIME).map(seconds)
    }
    /// The time since the epoch, in nanoseconds.
    #[pyfunction("($module, /)")]
    fn time_ns() -> PyResult<i64> {
        clock_ns(libc::CLOCK_REALTIME)
    }
    /// A clock that never goes backwards, in seconds.
    #[pyfunction("($module, /)")]
    fn monotonic() -> PyResult<f64> {
        clock_ns(libc::CLOCK_MONOTONIC).map(seconds)
    }
    /// A clock that never goes backwards, in nanoseconds.
    #[pyfunction("($module, /)")]
    fn monotonic_ns() -> PyResult<i64> {
        clock_ns(libc::CLOCK_MONOTONIC)
    }
    /// The clock for measuring short times, in seconds.
    #[pyfunction("($module, /)")]
    fn perf_counter() -> PyResult<f64> {
        clock_ns(libc::CLOCK_MONOTONIC).map(seconds)
    }
    /// The clock for measuring short times, in nanoseconds.
    #[pyfunction("($module, /)")]
    fn perf_counter_ns() -> PyResult<i64> {
        clock_ns(libc::CLOCK_MONOTONIC)
    }
    /// The processor time of this process, in seconds.
    #[pyfunction("($module, /)")]
    fn process_time() -> PyResult<f64> {
        clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID).map(seconds)
    }
    /// The processor time of this process, in nanoseconds.
    #[pyfunction("($module, /)")]
    fn process_time_ns() -> PyResult<i64> {
        clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
    }
    /// The processor time of this thread, in seconds.
    #[pyfunction("($module, /)")]
    fn thread_time() -> PyResult<f64> {
        clock_ns(libc::CLOCK_THREAD_CPUTIME_ID).map(seconds)
    }
    /// The processor time of this thread, in nanoseconds.
    #[pyfunction("($module, /)")]
    fn thread_time_ns() -> PyResult<i64> {
        clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
    }
    /// The time of a clock, in seconds.
    #[pyfunction("($module, clk_id, /)")]
    fn clock_gettime(clk_id: i32) -> PyResult<f64> {
        clock_ns(clk_id).map(seconds)
    }
    /// The time of a clock, in nanoseconds.
    #[pyfunction("($module, clk_id, /)")]
    fn clock_gettime_ns(clk_id: i32) -> PyResult<i64> {
        clock_ns(clk_id)
    }
    /// Sets a clock, in seconds.
    #[pyfunction("~($module, clk_id, time, /)")]
    fn clock_settime(clk_id: i32, time: &PyObject) -> PyResult<()> {
        set_clock(clk_id, ns_from_seconds(time, Round::Floor)?)
    }
    /// Sets a clock, in nanoseconds.
    #[pyfunction("~($module, clk_id, time, /)")]
    fn clock_settime_ns(clk_id: i32, time: &PyObject) -> PyResult<()> {
        let Some(time) = time.downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "expect int, got {}", time.ty().full_name()));
        };
        set_clock(clk_id, time.to_i64().ok_or_else(timestamp_overflow)?)
    }
    /// The resolution of a clock, in seconds.
    #[pyfunction("~($module, clk_id, /)")]
    fn clock_getres(clk_id: i32) -> PyResult<f64> {
        resolution(clk_id)
    }
    /// The processor time clock of a thread.
    #[pyfunction("~($module, thread_id, /)")]
    fn pthread_getcpuclockid(thread_id: u64) -> PyResult<i32> {
        let mut clock = 0;
        // SAFETY: room for the number.
        match unsafe { libc::pthread_getcpuclockid(thread_id, &mut clock) } {
            0 => Ok(clock),
            error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// Waits, in seconds.
    #[pyfunction("($module, seconds, /)")]
    fn sleep(seconds: &PyObject) -> PyResult<()> {
        adder_runtime::hooks::audit("time.sleep", &[seconds])?;
        let duration = ns_from_seconds(seconds, Round::Timeout)?;
        if duration < 0 {
            return Err(raise!(ValueError, "sleep length must be non-negative"));
        }
        sleep_ns(duration)
    }
    /// What is known about a clock.
    #[pyfunction("~($module, name, /)")]
    fn get_clock_info(name: &str) -> PyResult {
        let (clock, clock_name, monotonic) = match name {
            "time" => (libc::CLOCK_REALTIME, "CLOCK_REALTIME", false),
            "monotonic" | "perf_counter" => (libc::CLOCK_MONOTONIC, "CLOCK_MONOTONIC", true),
            "process_time" => (libc::CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID", true),
            "thread_time" => (libc::CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID", true),
            _ => return Err(raise!(ValueError, "unknown clock")),
        };
        let implementation = PyUnicodeObject::from_string(format!("clock_gettime({clock_name})"));
        let resolution = PyFloatObject::from_f64(resolution(clock)?);
        adder_runtime::objects::namespaceobject::_PyNamespace_Type
            .as_object()
            .call_kw(
                &[],
                &[
                    ("implementation", implementation.as_object()),
                    ("monotonic", &py_bool(monotonic)),
                    ("adjustable", &py_bool(!monotonic)),
                    ("resolution", resolution.as_object()),
                ],
            )
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        crate::module_parts::libc_constants!(module;
            CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
            CLOCK_BOOTTIME, CLOCK_TAI,
        );
        Ok(())
    }
}

fn resolution(clock: libc::clockid_t) -> PyResult<f64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a struct of ours.
    if unsafe { libc::clock_getres(clock, &mut time) } != 0 {
        return Err(posix_error());
    }
    Ok(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}
