//! The rest: the environment, times, the machine.

use super::path::*;
use super::syscall::quick;
use super::types;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// Sets an environment variable of this process.
    #[pyfunction("($module, name, value, /)")]
    fn putenv(name: FsBytes, value: FsBytes) -> PyResult<()> {
        if name.0.as_bytes().contains(&b'=') {
            return Err(raise!(ValueError, "illegal environment variable name"));
        }
        // SAFETY: C strings; the GIL orders changes of the environment.
        quick(unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) }).map(drop)
    }
    /// Removes an environment variable of this process.
    #[pyfunction("($module, name, /)")]
    fn unsetenv(name: FsBytes) -> PyResult<()> {
        // SAFETY: a C string; the GIL orders changes of the environment.
        quick(unsafe { libc::unsetenv(name.as_ptr()) }).map(drop)
    }
    /// The text of an error number.
    #[pyfunction("($module, code, /)")]
    fn strerror(code: i32) -> String {
        adder_runtime::exceptions::os_error::strerror(code)
    }
    /// What the system calls itself.
    #[pyfunction("($module, /)")]
    fn uname() -> PyResult {
        // SAFETY: plain bytes, filled by the call.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours.
        quick(unsafe { libc::uname(&mut names) })?;
        let text = |bytes: &[c_char]| -> PyResult {
            let bytes: Vec<u8> = bytes
                .iter()
                .map(|byte| *byte as u8)
                .take_while(|byte| *byte != 0)
                .collect();
            Ok(fs_decode(&bytes)?.into_object())
        };
        let fields = vec![
            text(&names.sysname)?,
            text(&names.nodename)?,
            text(&names.release)?,
            text(&names.version)?,
            text(&names.machine)?,
        ];
        structseq::new_instance(types::uname_result()?, fields)
    }
    /// The times that this process and its children have used.
    #[pyfunction("($module, /)")]
    fn times() -> PyResult {
        // SAFETY: plain numbers, filled by the call.
        let mut times: libc::tms = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours, and a plain query.
        let (elapsed, per_second) =
            unsafe { (libc::times(&mut times), libc::sysconf(libc::_SC_CLK_TCK) as f64) };
        if elapsed == -1 {
            return Err(posix_error());
        }
        let seconds = |ticks: libc::clock_t| PyFloatObject::from_f64(ticks as f64 / per_second).into_object();
        let fields = [
            times.tms_utime,
            times.tms_stime,
            times.tms_cutime,
            times.tms_cstime,
            elapsed,
        ];
        structseq::new_instance(types::times_result()?, fields.map(seconds).into())
    }
    /// How many processors there are; None when that cannot be told.
    #[pyfunction("($module, /)")]
    fn cpu_count() -> Option<i64> {
        let configured = adder_runtime::hooks::CPU_COUNT.load(std::sync::atomic::Ordering::Relaxed);
        if configured > 0 {
            return Some(configured);
        }
        // SAFETY: a plain query.
        Some(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).filter(|count| *count >= 1)
    }
    /// How many processes were ready to run, on average over 1, 5 and 15 minutes.
    #[pyfunction("($module, /)")]
    fn getloadavg() -> PyResult<(f64, f64, f64)> {
        let mut loads = [0.0; 3];
        // SAFETY: room for three.
        if unsafe { libc::getloadavg(loads.as_mut_ptr(), 3) } != 3 {
            return Err(raise!(OSError, "Load averages are unobtainable"));
        }
        Ok((loads[0], loads[1], loads[2]))
    }
    /// The name of this process's terminal.
    #[pyfunction("($module, /)")]
    fn ctermid() -> &'static str {
        "/dev/tty"
    }
    /// Runs the input hook: there is none.
    #[pyfunction("($module, /)")]
    fn _inputhook() -> i32 {
        0
    }
    /// Whether an input hook is installed.
    #[pyfunction("($module, /)")]
    fn _is_inputhook_installed() -> bool {
        false
    }
}
