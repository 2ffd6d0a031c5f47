//! `posix_spawn`: a program started by the C library, with what is to be done to its descriptors, signals and scheduling.

use super::path::*;
use super::process::{CStrings, argument_list, environment};
use super::sched::priority_of;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::ffi::CString;

const POSIX_SPAWN_OPEN: i64 = 0;
const POSIX_SPAWN_CLOSE: i64 = 1;
const POSIX_SPAWN_DUP2: i64 = 2;
const POSIX_SPAWN_CLOSEFROM: i64 = 3;

unsafe extern "C" {
    fn posix_spawn_file_actions_addclosefrom_np(
        actions: *mut libc::posix_spawn_file_actions_t,
        from: c_int,
    ) -> c_int;
}

/// A non-zero result of a `posix_spawn…` function is the error number.
fn check(error: c_int) -> PyResult<()> {
    match error {
        0 => Ok(()),
        error => Err(adder_runtime::exceptions::os_error_from_errno(error, None, None)),
    }
}

struct Attributes(libc::posix_spawnattr_t);
impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised when it was made.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

struct Actions {
    actions: libc::posix_spawn_file_actions_t,
    /// Names that the actions point to.
    names: Vec<CString>,
}
impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised when it was made.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.actions) };
    }
}

/// A set of signals from an iterable of their numbers.
pub fn signal_set(signals: &PyObject) -> PyResult<libc::sigset_t> {
    // SAFETY: the set is initialised at once.
    let mut set = unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    };
    signals.for_each(|signal| {
        let number = signal.index()?;
        let number = match number.to_i64() {
            Some(number @ 1..=64) => number,
            _ => {
                let shown = number.to_decimal_string()?;
                return Err(raise!(ValueError, "signal number {shown} out of range [1; 64]"));
            }
        };
        // Numbers that the C library keeps for itself are left out.
        // SAFETY: the set is ours.
        unsafe { libc::sigaddset(&mut set, number as c_int) };
        Ok(())
    })?;
    Ok(set)
}

struct Options<'a> {
    setpgroup: Option<&'a PyObject>,
    resetids: bool,
    setsid: bool,
    setsigmask: Option<&'a PyObject>,
    setsigdef: Option<&'a PyObject>,
    scheduler: Option<&'a PyObject>,
}

fn attributes(function: &str, options: &Options<'_>) -> PyResult<Attributes> {
    // SAFETY: initialised by the call.
    let mut attributes = Attributes(unsafe { std::mem::zeroed() });
    // SAFETY: the struct is ours, from here to the end.
    check(unsafe { libc::posix_spawnattr_init(&mut attributes.0) })?;
    let mut flags: c_int = 0;
    if let Some(group) = options.setpgroup {
        let group = group.index()?.as_i32()?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setpgroup(&mut attributes.0, group) })?;
        flags |= libc::POSIX_SPAWN_SETPGROUP as c_int;
    }
    if options.resetids {
        flags |= libc::POSIX_SPAWN_RESETIDS as c_int;
    }
    if options.setsid {
        const POSIX_SPAWN_SETSID: c_int = 0x80;
        flags |= POSIX_SPAWN_SETSID;
    }
    if let Some(signals) = options.setsigmask {
        let set = signal_set(signals)?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setsigmask(&mut attributes.0, &set) })?;
        flags |= libc::POSIX_SPAWN_SETSIGMASK as c_int;
    }
    if let Some(signals) = options.setsigdef {
        let set = signal_set(signals)?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setsigdefault(&mut attributes.0, &set) })?;
        flags |= libc::POSIX_SPAWN_SETSIGDEF as c_int;
    }
    if let Some(scheduler) = options.scheduler.filter(|scheduler| !is_none(scheduler)) {
        let Some(pair) = scheduler.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "{function}: scheduler must be a tuple or None"));
        };
        let [policy, param] = pair.as_slice() else {
            return Err(raise!(
                TypeError,
                "{function}: scheduler must be a tuple of two items"
            ));
        };
        let param = libc::sched_param {
            sched_priority: priority_of(param)?,
        };
        if !is_none(policy) {
            let policy = policy.index()?.as_i32()?;
            // SAFETY: as above.
            check(unsafe { libc::posix_spawnattr_setschedpolicy(&mut attributes.0, policy) })?;
            flags |= libc::POSIX_SPAWN_SETSCHEDULER as c_int;
        }
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setschedparam(&mut attributes.0, &param) })?;
        flags |= libc::POSIX_SPAWN_SETSCHEDPARAM as c_int;
    }
    // SAFETY: as above.
    check(unsafe { libc::posix_spawnattr_setflags(&mut attributes.0, flags as libc::c_short) })?;
    Ok(attributes)
}

fn file_actions(sequence: &PyObject) -> PyResult<Actions> {
    let mut actions = Actions {
        // SAFETY: initialised by the call below.
        actions: unsafe { std::mem::zeroed() },
        names: Vec::new(),
    };
    // SAFETY: the struct is ours, from here to the end.
    check(unsafe { libc::posix_spawn_file_actions_init(&mut actions.actions) })?;
    let sequence = sequence.to_fast_sequence("file_actions must be a sequence or None")?;
    for action in sequence.collect()? {
        let items = action
            .as_object()
            .downcast::<PyTupleObject>()
            .map(PyTupleObject::as_slice);
        let Some([tag, rest @ ..]) = items else {
            return Err(raise!(
                TypeError,
                "Each file_actions element must be a non-empty tuple"
            ));
        };
        let number = |object: &PyObject| object.index()?.as_i32();
        match (tag.index()?.as_i64()?, rest) {
            (POSIX_SPAWN_OPEN, [fd, path, flags, mode]) => {
                let (fd, path) = (number(fd)?, fs_converter(path)?);
                let (flags, mode) = (number(flags)?, number(mode)? as libc::mode_t);
                // SAFETY: as above; the name is kept.
                check(unsafe {
                    libc::posix_spawn_file_actions_addopen(
                        &mut actions.actions,
                        fd,
                        path.as_ptr(),
                        flags,
                        mode,
                    )
                })?;
                actions.names.push(path);
            }
            (POSIX_SPAWN_OPEN, _) => {
                return Err(raise!(TypeError, "A open file_action tuple must have 5 elements"));
            }
            (POSIX_SPAWN_CLOSE, [fd]) => {
                let fd = number(fd)?;
                // SAFETY: as above.
                check(unsafe { libc::posix_spawn_file_actions_addclose(&mut actions.actions, fd) })?;
            }
            (POSIX_SPAWN_CLOSE, _) => {
                return Err(raise!(
                    TypeError,
                    "A close file_action tuple must have 2 elements"
                ));
            }
            (POSIX_SPAWN_DUP2, [from, to]) => {
                let (from, to) = (number(from)?, number(to)?);
                // SAFETY: as above.
                check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut actions.actions, from, to) })?;
            }
            (POSIX_SPAWN_DUP2, _) => {
                return Err(raise!(TypeError, "A dup2 file_action tuple must have 3 elements"));
            }
            (POSIX_SPAWN_CLOSEFROM, [fd]) => {
                let fd = number(fd)?;
                // SAFETY: as above.
                check(unsafe { posix_spawn_file_actions_addclosefrom_np(&mut actions.actions, fd) })?;
            }
            (POSIX_SPAWN_CLOSEFROM, _) => {
                return Err(raise!(
                    TypeError,
                    "A closefrom file_action tuple must have 2 elements"
                ));
            }
            _ => return Err(raise!(TypeError, "Unknown file_actions identifier")),
        }
    }
    Ok(actions)
}

fn spawn(
    function: &str,
    search: bool,
    path: &Path,
    argv: &PyObject,
    env: &PyObject,
    actions: Option<&PyObject>,
    options: &Options<'_>,
) -> PyResult<i32> {
    if !argv.type_has(Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS) {
        return Err(raise!(TypeError, "{function}: argv must be a tuple or list"));
    }
    if argv.len()? == 0 {
        return Err(raise!(ValueError, "{function}: argv must not be empty"));
    }
    let is_mapping = env.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_some();
    if !is_none(env) && !is_mapping {
        return Err(raise!(
            TypeError,
            "{function}: environment must be a mapping object or None"
        ));
    }
    let arguments = argument_list(argv)?;
    if arguments.first().is_some_and(|first| first.is_empty()) {
        return Err(raise!(
            ValueError,
            "{function}: argv first element cannot be empty"
        ));
    }
    let arguments = CStrings::new(arguments);
    unsafe extern "C" {
        static environ: *const *mut c_char;
    }
    let own;
    let env_table = if is_none(env) {
        // SAFETY: the C library's table.
        unsafe { environ }
    } else {
        own = environment(env)?;
        own.as_mut_ptr()
    };
    let actions = actions
        .filter(|actions| !is_none(actions))
        .map(file_actions)
        .transpose()?;
    let attributes = attributes(function, options)?;
    adder_runtime::hooks::audit("os.posix_spawn", &[path.object().unwrap_or(none()), argv, env])?;
    let actions_ptr = actions
        .as_ref()
        .map_or(std::ptr::null(), |actions| &raw const actions.actions);
    let mut pid = 0;
    // SAFETY: C strings, tables ended by NULL and initialised structs.
    let error = allow_threads(|| unsafe {
        let spawn = if search {
            libc::posix_spawnp
        } else {
            libc::posix_spawn
        };
        spawn(
            &mut pid,
            path.as_ptr(),
            actions_ptr,
            &attributes.0,
            arguments.as_mut_ptr(),
            env_table,
        )
    });
    if error != 0 {
        return Err(adder_runtime::exceptions::os_error_from_errno(
            error,
            path.object(),
            None,
        ));
    }
    Ok(pid)
}

#[pymodule(name = "posix")]
pub mod part {
    use super::*;

    /// Starts a program; returns its process number.
    #[pyfunction(
        "($module, path, argv, env, /, *, file_actions=(),\n            setpgroup=None, resetids=False, setsid=False,\n            setsigmask=(), setsigdef=(), scheduler=None)"
    )]
    fn posix_spawn(
        path: Path,
        argv: &PyObject,
        env: &PyObject,
        file_actions: Option<&PyObject>,
        setpgroup: Option<&PyObject>,
        resetids: bool,
        setsid: bool,
        setsigmask: Option<&PyObject>,
        setsigdef: Option<&PyObject>,
        scheduler: Option<&PyObject>,
    ) -> PyResult<i32> {
        let options = Options {
            setpgroup,
            resetids,
            setsid,
            setsigmask,
            setsigdef,
            scheduler,
        };
        spawn("posix_spawn", false, &path, argv, env, file_actions, &options)
    }
    /// Starts a program that is searched for in PATH; returns its process number.
    #[pyfunction(
        "($module, path, argv, env, /, *, file_actions=(),\n             setpgroup=None, resetids=False, setsid=False,\n             setsigmask=(), setsigdef=(), scheduler=None)"
    )]
    fn posix_spawnp(
        path: Path,
        argv: &PyObject,
        env: &PyObject,
        file_actions: Option<&PyObject>,
        setpgroup: Option<&PyObject>,
        resetids: bool,
        setsid: bool,
        setsigmask: Option<&PyObject>,
        setsigdef: Option<&PyObject>,
        scheduler: Option<&PyObject>,
    ) -> PyResult<i32> {
        let options = Options {
            setpgroup,
            resetids,
            setsid,
            setsigmask,
            setsigdef,
            scheduler,
        };
        spawn("posix_spawnp", true, &path, argv, env, file_actions, &options)
    }
}
