//! Arguments of system calls: paths (str, bytes, path-like objects, descriptors), `dir_fd`, descriptors, owners; and the
//! errors that name them.

use adder_runtime::args::{FromArg, Signature};
use adder_runtime::exceptions::{self, exc};
use adder_runtime::objects::codecs::utf_8;
use adder_runtime::prelude::*;
use std::ffi::{CStr, CString};

/// The C library's error number of this thread.
pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Raises OSError for the current error number.
#[cold]
pub fn posix_error() -> Raised {
    exceptions::os_error_from_errno(errno(), None, None)
}

/// Text -> the bytes that the file system knows: UTF-8 with surrogate escapes.
pub fn fs_encode(text: &PyUnicodeObject) -> PyResult<Ref<PyBytesObject>> {
    utf_8::encode(text, "surrogateescape")
}

/// Bytes of the file system -> text.
pub fn fs_decode(bytes: &[u8]) -> PyResult<Ref<PyUnicodeObject>> {
    if bytes.is_ascii() {
        return Ok(PyUnicodeObject::from_ascii(bytes));
    }
    Ok(utf_8::decode(bytes, "surrogateescape", true)?.0)
}

/// `os.fspath`: str and bytes as they are, others by `__fspath__`.
pub fn fspath(path: &PyObject) -> PyResult {
    if is_text(path) {
        return Ok(path.to_ref());
    }
    match path.lookup_special(identifier!("__fspath__"))? {
        Some(method) if !is_none(&method) => checked_fspath(path, &method),
        _ => Err(raise!(
            TypeError,
            "expected str, bytes or os.PathLike object, not {}",
            path.ty().short_name()
        )),
    }
}

fn is_text(object: &PyObject) -> bool {
    object.type_has(Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS)
}

fn checked_fspath(path: &PyObject, method: &PyObject) -> PyResult {
    let result = method.call0()?;
    if is_text(&result) {
        return Ok(result);
    }
    Err(raise!(
        TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        path.ty().short_name(),
        result.ty().short_name()
    ))
}

/// A str or bytes object as the file system's bytes.
fn text_bytes(object: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    match object.downcast::<PyUnicodeObject>() {
        Some(text) => fs_encode(text),
        // SAFETY: the callers have checked that it is str or bytes.
        None => Ok(unsafe { object.cast_unchecked::<PyBytesObject>() }.to_ref()),
    }
}

/// `PyUnicode_FSConverter`: the bytes of a path without NUL.
pub fn fs_converter(path: &PyObject) -> PyResult<CString> {
    let bytes = text_bytes(&*fspath(path)?)?;
    CString::new(bytes.as_bytes()).map_err(|_| raise!(ValueError, "embedded null byte"))
}

/// `PyUnicode_FSConverter` as a parameter type.
pub struct FsBytes(pub CString);

impl<'a> FromArg<'a> for FsBytes {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        fs_converter(arg).map(FsBytes)
    }
}

impl FsBytes {
    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr()
    }
}

/// `PyUnicode_FSDecoder` as a parameter type: the path as text.
pub struct FsText(pub Ref<PyUnicodeObject>);

impl<'a> FromArg<'a> for FsText {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        let path = fspath(arg)?;
        let text = match path.downcast::<PyUnicodeObject>() {
            Ok(text) => text,
            Err(bytes) => fs_decode(text_bytes(&bytes)?.as_bytes())?,
        };
        if text.code_points().any(|code| code == 0) {
            return Err(raise!(ValueError, "embedded null character"));
        }
        Ok(FsText(text))
    }
}

/// A path argument. With `FD` an open descriptor may be given in its place; with `NULLABLE` None, for the current
/// directory.
pub struct Path<const FD: bool = false, const NULLABLE: bool = false> {
    /// What errors name; none for None.
    object: Option<Ref>,
    name: CString,
    /// -1 when a name is given.
    pub fd: c_int,
    by_fd: bool,
    /// Whether results are to be bytes.
    pub is_bytes: bool,
}

/// A path or a descriptor.
pub type PathOrFd = Path<true, false>;

impl<const FD: bool, const NULLABLE: bool> Path<FD, NULLABLE> {
    /// The current directory, given by None or by nothing.
    pub fn current_dir() -> Self {
        Path {
            object: None,
            name: c".".to_owned(),
            fd: -1,
            by_fd: false,
            is_bytes: false,
        }
    }
    pub fn as_ptr(&self) -> *const c_char {
        self.name.as_ptr()
    }
    pub fn as_cstr(&self) -> &CStr {
        &self.name
    }
    pub fn is_fd(&self) -> bool {
        self.by_fd
    }
    /// The path as it was given (by `__fspath__` where that was used).
    pub fn object(&self) -> Option<&PyObject> {
        self.object.as_deref()
    }
    /// OSError for the current error number, naming this path.
    #[cold]
    pub fn error(&self) -> Raised {
        exceptions::os_error_from_errno(errno(), self.object(), None)
    }
    /// As `error`, naming a second path too.
    #[cold]
    pub fn error2<const FD2: bool, const N2: bool>(&self, other: &Path<FD2, N2>) -> Raised {
        exceptions::os_error_from_errno(errno(), self.object(), other.object())
    }
    /// -1 raises.
    pub fn check(&self, result: c_int) -> PyResult<()> {
        if result < 0 { Err(self.error()) } else { Ok(()) }
    }
    #[cold]
    fn wrong_type(arg: &PyObject, function: &str, parameter: &str) -> Raised {
        let allowed = match (FD, NULLABLE) {
            (true, true) => "string, bytes, os.PathLike, integer or None",
            (true, false) => "string, bytes, os.PathLike or integer",
            (false, true) => "string, bytes, os.PathLike or None",
            (false, false) => "string, bytes or os.PathLike",
        };
        raise!(
            TypeError,
            "{function}: {parameter} should be {allowed}, not {}",
            arg.ty().short_name()
        )
    }
    /// Converts the argument `parameter` of `function`.
    pub fn convert(arg: &PyObject, function: &str, parameter: &str) -> PyResult<Self> {
        if NULLABLE && is_none(arg) {
            return Ok(Self::current_dir());
        }
        let object = if is_text(arg) {
            arg.to_ref()
        } else if FD && arg.has_index() {
            let fd = plain_fd(arg)?;
            return Ok(Path {
                object: Some(arg.to_ref()),
                name: CString::default(),
                fd,
                by_fd: true,
                is_bytes: false,
            });
        } else {
            match arg.lookup_special(identifier!("__fspath__"))? {
                Some(method) if !is_none(&method) => checked_fspath(arg, &method)?,
                _ => return Err(Self::wrong_type(arg, function, parameter)),
            }
        };
        let is_bytes = object.type_has(Py_TPFLAGS_BYTES_SUBCLASS);
        let name = CString::new(text_bytes(&object)?.as_bytes())
            .map_err(|_| raise!(ValueError, "{function}: embedded null character in {parameter}"))?;
        Ok(Path {
            object: Some(object),
            name,
            fd: -1,
            by_fd: false,
            is_bytes,
        })
    }
}

impl<'a, const FD: bool, const NULLABLE: bool> FromArg<'a> for Path<FD, NULLABLE> {
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        Self::convert(arg, signature.name, signature.params[index])
    }
}

/// An integer that is taken for a descriptor.
fn plain_fd(arg: &PyObject) -> PyResult<c_int> {
    if arg.is(true_()) || arg.is(false_()) {
        exceptions::warn(exc::RuntimeWarning, "bool is used as a file descriptor", 1)?;
    }
    let (value, overflow) = arg.index()?.as_i64_and_overflow();
    if overflow > 0 || value > i64::from(c_int::MAX) {
        return Err(raise!(OverflowError, "fd is greater than maximum"));
    }
    if overflow < 0 || value < i64::from(c_int::MIN) {
        return Err(raise!(OverflowError, "fd is less than minimum"));
    }
    Ok(value as c_int)
}

/// `dir_fd`: a descriptor, or the current directory.
#[derive(Clone, Copy)]
pub struct DirFd(pub c_int);

impl DirFd {
    pub const CURRENT: DirFd = DirFd(libc::AT_FDCWD);

    pub fn or_current(given: Option<DirFd>) -> c_int {
        given.unwrap_or(DirFd::CURRENT).0
    }
}

impl<'a> FromArg<'a> for DirFd {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        if is_none(arg) {
            return Ok(DirFd::CURRENT);
        }
        if arg.has_index() {
            return plain_fd(arg).map(DirFd);
        }
        Err(raise!(
            TypeError,
            "argument should be integer or None, not {}",
            arg.ty().short_name()
        ))
    }
}

/// `PyObject_AsFileDescriptor`: an int, or an object with `fileno()`.
#[derive(Clone, Copy)]
pub struct Fildes(pub c_int);

/// The descriptor of an int or of an object with `fileno()`.
pub fn as_file_descriptor(object: &PyObject) -> PyResult<c_int> {
    let fd = if let Some(number) = object.downcast::<PyLongObject>() {
        if object.is(true_()) || object.is(false_()) {
            exceptions::warn(exc::RuntimeWarning, "bool is used as a file descriptor", 1)?;
        }
        number.as_i32()?
    } else if let Some(method) = object.get_attr_opt(identifier!("fileno"))? {
        let number = method.call0()?;
        let Some(number) = number.as_object().downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "fileno() returned a non-integer"));
        };
        number.as_i32()?
    } else {
        return Err(raise!(
            TypeError,
            "argument must be an int, or have a fileno() method."
        ));
    };
    if fd < 0 {
        return Err(raise!(
            ValueError,
            "file descriptor cannot be a negative integer ({fd})"
        ));
    }
    Ok(fd)
}

impl<'a> FromArg<'a> for Fildes {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        as_file_descriptor(arg).map(Fildes)
    }
}

/// A user or group number; -1 stands for 'leave it'.
fn owner(arg: &PyObject, kind: &str) -> PyResult<u32> {
    if !arg.has_index() {
        return Err(raise!(
            TypeError,
            "{kind} should be integer, not {}",
            arg.ty().short_name()
        ));
    }
    let (value, overflow) = arg.index()?.as_i64_and_overflow();
    if overflow == 0 && value == -1 {
        return Ok(u32::MAX);
    }
    if overflow > 0 {
        return Err(raise!(OverflowError, "{kind} is greater than maximum"));
    }
    // What fits a C long but not the type is said to be too small, whatever its sign.
    u32::try_from(value)
        .ok()
        .filter(|_| overflow == 0)
        .ok_or_else(|| raise!(OverflowError, "{kind} is less than minimum"))
}

#[derive(Clone, Copy)]
pub struct Uid(pub u32);
#[derive(Clone, Copy)]
pub struct Gid(pub u32);

impl<'a> FromArg<'a> for Uid {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        owner(arg, "uid").map(Uid)
    }
}
impl<'a> FromArg<'a> for Gid {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        owner(arg, "gid").map(Gid)
    }
}

/// A user or group number as Python sees it: -1 is signed.
pub fn owner_to_py(number: u32) -> Ref {
    let value = if number == u32::MAX { -1 } else { i64::from(number) };
    PyLongObject::from_i64(value).into_object()
}

/// A device number: any bits of an unsigned long, or -1.
#[derive(Clone, Copy)]
pub struct Device(pub libc::dev_t);

impl<'a> FromArg<'a> for Device {
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        let number = arg.index()?;
        if number.to_i64() == Some(-1) {
            return Ok(Device(libc::dev_t::MAX));
        }
        if number.sign() < 0 {
            return Err(raise!(
                ValueError,
                "can't convert negative value to unsigned long"
            ));
        }
        number.as_u64().map(Device)
    }
}

/// A device number as Python sees it.
pub fn device_to_py(device: libc::dev_t) -> Ref {
    if device == libc::dev_t::MAX {
        return PyLongObject::from_i64(-1).into_object();
    }
    PyLongObject::from_u64(device).into_object()
}

/// Refuses `dir_fd` beside a descriptor.
pub fn no_fd_with_dir_fd(function: &str, dir_fd: c_int, path_is_fd: bool) -> PyResult<()> {
    if dir_fd != libc::AT_FDCWD && path_is_fd {
        return Err(raise!(
            ValueError,
            "{function}: can't specify dir_fd without matching path"
        ));
    }
    Ok(())
}

/// Refuses `follow_symlinks=False` beside a descriptor.
pub fn no_fd_with_nofollow(function: &str, path_is_fd: bool, follow_symlinks: bool) -> PyResult<()> {
    if path_is_fd && !follow_symlinks {
        return Err(raise!(
            ValueError,
            "{function}: cannot use fd and follow_symlinks together"
        ));
    }
    Ok(())
}

/// The number of a group.
pub fn gid_of(object: &PyObject) -> PyResult<u32> {
    owner(object, "gid")
}

/// The number of a user.
pub fn uid_of(object: &PyObject) -> PyResult<u32> {
    owner(object, "uid")
}
