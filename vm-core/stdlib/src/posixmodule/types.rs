//! The struct sequences of `posix`: made once, when they are first asked for.

use crate::module_parts::{LazyType, struct_sequences};
use adder_runtime::objects::structseq::{self, Desc, Field};
use adder_runtime::prelude::*;

struct_sequences! {
    statvfs_result = "os.statvfs_result", "What statvfs and fstatvfs give.", 10: [
        "f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_flag",
        "f_namemax", "f_fsid",
    ];
    times_result = "posix.times_result", "What os.times gives, in seconds.", 5: [
        ("user", "user time"), ("system", "system time"), ("children_user", "user time of children"),
        ("children_system", "system time of children"), ("elapsed", "elapsed time since an arbitrary point in the past"),
    ];
    uname_result = "posix.uname_result", "What os.uname gives.", 5: [
        ("sysname", "operating system name"), ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"), ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ];
    waitid_result = "posix.waitid_result", "What os.waitid gives.", 5: [
        "si_pid", "si_uid", "si_signo", "si_status", "si_code",
    ];
    terminal_size = "os.terminal_size", "The width and height of a terminal, in characters.", 2: [
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ];
    sched_param_base = "posix.sched_param", "Currently has only one field: sched_priority", 1: [
        ("sched_priority", "the scheduling priority"),
    ];
}

/// `os.stat_result`: times are items as ints and attributes as floats; missing floats are made from the ints.
pub fn stat_result() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| {
        const FIELDS: [Field; 19] = [
            Field::new("st_mode", "protection bits"),
            Field::new("st_ino", "inode"),
            Field::new("st_dev", "device"),
            Field::new("st_nlink", "number of hard links"),
            Field::new("st_uid", "user ID of owner"),
            Field::new("st_gid", "group ID of owner"),
            Field::new("st_size", "total size, in bytes"),
            Field::unnamed("integer time of last access"),
            Field::unnamed("integer time of last modification"),
            Field::unnamed("integer time of last change"),
            Field::new("st_atime", "time of last access"),
            Field::new("st_mtime", "time of last modification"),
            Field::new("st_ctime", "time of last change"),
            Field::new("st_atime_ns", "time of last access in nanoseconds"),
            Field::new("st_mtime_ns", "time of last modification in nanoseconds"),
            Field::new("st_ctime_ns", "time of last change in nanoseconds"),
            Field::new("st_blksize", "blocksize for filesystem I/O"),
            Field::new("st_blocks", "number of blocks allocated"),
            Field::new("st_rdev", "device type (if inode device)"),
        ];
        let ty = structseq::new_type(&Desc {
            name: "os.stat_result",
            doc: "What stat, fstat and lstat give: a tuple (mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime), \
                  and further attributes.",
            fields: &FIELDS,
            n_in_sequence: 10,
            instantiable: true,
        })?;
        ty.tp_new.set(Some(stat_result_new));
        Ok(ty)
    })
}

const INT_TIMES: usize = 7;
const FLOAT_TIMES: usize = 10;

unsafe extern "C" fn stat_result_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    adder_runtime::args::boundary_obj(|| {
        // SAFETY: the slot's own arguments are passed on.
        let object = unsafe {
            let made = structseq::struct_new(cls, args, kwargs);
            Ref::from_owned_opt(made).ok_or_else(|| Raised::from_c("stat_result"))?
        };
        for idx in 0..3 {
            let missing =
                structseq::get_field(&object, FLOAT_TIMES + idx).is_none_or(|value| is_none(&value));
            if missing && let Some(value) = structseq::get_field(&object, INT_TIMES + idx) {
                structseq::set_field(&object, FLOAT_TIMES + idx, value);
            }
        }
        Ok(object)
    })
}

/// `os.sched_param`, which is made from one priority.
pub fn sched_param() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| {
        let ty = sched_param_base()?;
        ty.tp_new.set(Some(sched_param_new));
        for method in &SCHED_PARAM_METHODS {
            adder_runtime::objects::descrobject::add_method(ty, method)?;
        }
        adder_runtime::types::modified(ty);
        Ok(ty)
    })
}

/// Carries the methods of `sched_param`.
#[repr(transparent)]
pub struct SchedParam(PyTupleObject);

#[pymethods(part = SCHED_PARAM)]
impl SchedParam {
    /// State for pickling.
    #[method("($self, /)", coexist)]
    fn __reduce__(this: &PyObject) -> PyResult {
        let priority = structseq::get_field(this, 0).unwrap_or_else(none_ref);
        let args = PyTupleObject::from_vec(vec![priority]).into_object();
        Ok(PyTupleObject::from_vec(vec![this.ty().to_object(), args]).into_object())
    }
}

unsafe extern "C" fn sched_param_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    adder_runtime::args::boundary_obj(|| {
        // SAFETY: `tp_new` gets its type, a tuple and NULL or a dict.
        let (cls, args, kwargs) = unsafe {
            (
                &*cls,
                &*args.cast::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        let by_name = kwargs.and_then(|kwargs| kwargs.get_str(identifier!("sched_priority")));
        let n_given = args.len() + kwargs.map_or(0, PyDictObject::len);
        match args.get(0).or(by_name) {
            Some(priority) if n_given == 1 => structseq::new_instance(cls, vec![priority]),
            None => Err(raise!(
                TypeError,
                "sched_param() missing required argument 'sched_priority' (pos 1)"
            )),
            Some(_) => Err(raise!(
                TypeError,
                "sched_param() takes at most 1 argument ({n_given} given)"
            )),
        }
    })
}
