//! `OSError`: its construction (by `__new__`, which chooses the subclass by errno), and errors of system calls.

use super::base::{args_of, base_str, dict_of, no_keywords, reduce_with};
use super::layout::{self, alloc, load, peek, store};
use super::types::{_PyExc_BlockingIOError, _PyExc_Exception, exc};
use crate::prelude::*;
use std::mem::offset_of;

/// The subclass for an error number.
fn subclass_of_errno(errno: i64) -> Option<&'static PyTypeObject> {
    Some(match i32::try_from(errno).ok()? {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => exc::BlockingIOError,
        libc::EPIPE | libc::ESHUTDOWN => exc::BrokenPipeError,
        libc::ECHILD => exc::ChildProcessError,
        libc::ECONNABORTED => exc::ConnectionAbortedError,
        libc::ECONNREFUSED => exc::ConnectionRefusedError,
        libc::ECONNRESET => exc::ConnectionResetError,
        libc::EEXIST => exc::FileExistsError,
        libc::ENOENT => exc::FileNotFoundError,
        libc::EISDIR => exc::IsADirectoryError,
        libc::ENOTDIR => exc::NotADirectoryError,
        libc::EINTR => exc::InterruptedError,
        libc::EACCES | libc::EPERM => exc::PermissionError,
        libc::ESRCH => exc::ProcessLookupError,
        libc::ETIMEDOUT => exc::TimeoutError,
        _ => return None,
    })
}

/// What the arguments say, when there are two to five.
#[derive(Clone, Copy, Default)]
struct Parsed<'a> {
    errno: Option<&'a PyObject>,
    strerror: Option<&'a PyObject>,
    filename: Option<&'a PyObject>,
    filename2: Option<&'a PyObject>,
}

fn parse<'a>(args: &[&'a PyObject]) -> Parsed<'a> {
    if !(2..=5).contains(&args.len()) {
        return Parsed::default();
    }
    // The fourth is Windows' error number.
    let at = |idx: usize| args.get(idx).copied();
    Parsed {
        errno: at(0),
        strerror: at(1),
        filename: at(2),
        filename2: at(4),
    }
}

/// A subclass that overrides `__init__` but not `__new__` is set up by its `__init__`.
fn uses_init(cls: &PyTypeObject) -> bool {
    let address = |slot: Option<initproc>| slot.map_or(0, |slot| slot as usize);
    let new_address = |slot: Option<newfunc>| slot.map_or(0, |slot| slot as usize);
    let ours: &PyTypeObject = &_PyExc_OSError;
    address(cls.tp_init.get()) != address(ours.tp_init.get())
        && new_address(cls.tp_new.get()) == new_address(ours.tp_new.get())
}

fn set_up(this: &PyOSErrorObject, args: &PyTupleObject, parsed: Parsed<'_>) -> PyResult<()> {
    let mut kept = args.to_ref();
    if let Some(filename) = parsed.filename.filter(|filename| !is_none(filename)) {
        let is_blocking = std::ptr::eq(this.as_object().ty(), &_PyExc_BlockingIOError);
        if is_blocking && is_number(filename) {
            this.written.set(filename.to_index(exc::ValueError)?);
        } else {
            store(&this.filename, Some(filename.to_ref()));
            if let Some(filename2) = parsed.filename2.filter(|filename2| !is_none(filename2)) {
                store(&this.filename2, Some(filename2.to_ref()));
            }
            kept = PyTupleObject::from_slice(&args.as_slice()[..2]);
        }
    }
    store(&this.myerrno, parsed.errno.map(PyObject::to_ref));
    store(&this.strerror, parsed.strerror.map(PyObject::to_ref));
    store(&this.args, Some(kept.into_object()));
    Ok(())
}

/// `PyNumber_Check`.
fn is_number(object: &PyObject) -> bool {
    object
        .ty()
        .number_slot(|slots| {
            (slots.nb_index.get().is_some() || slots.nb_int.get().is_some() || slots.nb_float.get().is_some())
                .then_some(())
        })
        .is_some()
}

/// The operating system reports an error.
#[pytype(
    name = "OSError",
    static_name = _PyExc_OSError,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("errno", _Py_T_OBJECT, offset_of!(PyOSErrorObject, myerrno), 0, "the error number"),
        ("strerror", _Py_T_OBJECT, offset_of!(PyOSErrorObject, strerror), 0, "the error's text"),
        ("filename", _Py_T_OBJECT, offset_of!(PyOSErrorObject, filename), 0, "the file"),
        ("filename2", _Py_T_OBJECT, offset_of!(PyOSErrorObject, filename2), 0, "the second file"),
    ],
    slots = [
        tp_traverse = layout::traverse::<PyOSErrorObject>,
        tp_clear = layout::clear::<PyOSErrorObject>,
        tp_dealloc = layout::dealloc::<PyOSErrorObject>,
    ],
)]
impl PyOSErrorObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let by_init = uses_init(cls);
        let mut chosen = cls;
        let mut parsed = Parsed::default();
        if !by_init {
            if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
                return Err(no_keywords(cls));
            }
            parsed = parse(args.as_slice());
            if std::ptr::eq(cls, &_PyExc_OSError)
                && let Some(errno) = parsed.errno.and_then(|errno| errno.downcast::<PyLongObject>())
                && let Some(subclass) = errno.to_i64().and_then(subclass_of_errno)
            {
                chosen = subclass;
            }
        }
        let object = alloc(chosen)?;
        // SAFETY: OSError and its subclasses have this layout.
        let this = unsafe { object.cast_unchecked::<PyOSErrorObject>() };
        this.written.set(-1);
        if by_init {
            store(&this.args, Some(PyTupleObject::empty().into_object()));
        } else {
            set_up(this, args, parsed)?;
        }
        Ok(object)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let cls = self.as_object().ty();
        if !uses_init(cls) {
            return Ok(());
        }
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(no_keywords(cls));
        }
        set_up(self, args, parse(args.as_slice()))
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let text = |cell: &ObjCell| layout::load_or_none(cell).str();
        let with_file = !self.filename.get().is_null();
        if !with_file && (self.myerrno.get().is_null() || self.strerror.get().is_null()) {
            return base_str(self.as_object());
        }
        let mut out = PyUnicodeObject::writer(40);
        out.push_str("[Errno ");
        out.push_object(&*text(&self.myerrno)?);
        out.push_str("] ");
        out.push_object(&*text(&self.strerror)?);
        if let Some(filename) = load(&self.filename) {
            out.push_str(": ");
            out.push_object(&*filename.repr()?);
            if let Some(filename2) = load(&self.filename2) {
                out.push_str(" -> ");
                out.push_object(&*filename2.repr()?);
            }
        }
        out.finish()
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let this = self.as_object();
        let mut args = args_of(this);
        if args.len() == 2
            && let Some(filename) = load(&self.filename)
        {
            let mut items: Vec<Ref> = args.as_slice().iter().map(|item| item.to_ref()).collect();
            items.push(filename);
            if let Some(filename2) = load(&self.filename2) {
                items.push(none_ref());
                items.push(filename2);
            }
            args = PyTupleObject::from_vec(items);
        }
        reduce_with(this, args, dict_of(this).map(Ref::into_object))
    }
    #[getter]
    fn characters_written(&self) -> PyResult<isize> {
        match self.written.get() {
            -1 => Err(raise!(AttributeError, "characters_written")),
            written => Ok(written),
        }
    }
    #[setter]
    fn set_characters_written(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            None if self.written.get() == -1 => Err(raise!(AttributeError, "characters_written")),
            None => {
                self.written.set(-1);
                Ok(())
            }
            Some(value) => {
                self.written.set(value.to_index(exc::ValueError)?);
                Ok(())
            }
        }
    }
}

impl PyOSErrorObject {
    /// The error number, when it is an int.
    pub fn errno_value(&self) -> Option<i64> {
        peek(&self.myerrno)
            .and_then(|errno| errno.downcast::<PyLongObject>())
            .and_then(|errno| errno.to_i64())
    }
}

/// The C library's text for an error number.
pub fn strerror(errno: i32) -> String {
    let mut buffer = [0 as c_char; 256];
    // SAFETY: the buffer has the size that is said; the text is terminated.
    unsafe {
        if libc::strerror_r(errno, buffer.as_mut_ptr(), buffer.len()) != 0 {
            return format!("Unknown error {errno}");
        }
        std::ffi::CStr::from_ptr(buffer.as_ptr())
            .to_string_lossy()
            .into_owned()
    }
}

/// Raises the OSError of a failed system call, with the files that it was about: `PyErr_SetFromErrno…`.
pub fn os_error_from_errno(errno: i32, filename: Option<&PyObject>, filename2: Option<&PyObject>) -> Raised {
    raise_os_error(exc::OSError, errno, filename, filename2)
}

/// As `os_error_from_errno`, of another class.
pub fn raise_os_error(
    ty: &PyTypeObject,
    errno: i32,
    filename: Option<&PyObject>,
    filename2: Option<&PyObject>,
) -> Raised {
    let number = PyLongObject::from_i64(i64::from(errno)).into_object();
    let text = PyUnicodeObject::from_string(strerror(errno)).into_object();
    let zero = PyLongObject::from_i64(0).into_object();
    let mut args: Vec<&PyObject> = vec![&number, &text];
    args.extend(filename);
    if let (Some(_), Some(filename2)) = (filename, filename2) {
        args.extend([&*zero, filename2]);
    }
    match ty.as_object().call(&args) {
        Ok(exception) => crate::error::raise_exception(exception),
        Err(raised) => raised,
    }
}

/// The OSError for the C library's `errno`.
pub fn last_os_error() -> Raised {
    os_error_from_errno(
        std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
        None,
        None,
    )
}

/// The OSError for an error of Rust's library.
pub fn from_io_error(error: &std::io::Error, filename: Option<&PyObject>) -> Raised {
    match error.raw_os_error() {
        Some(errno) => os_error_from_errno(errno, filename, None),
        None => raise!(OSError, "{error}"),
    }
}
