//! `FileIO`: a raw stream on a descriptor.

use super::iobase::{RAWIOBASE_TYPE, base_close};
use super::*;
use crate::posixmodule::path::{errno, fs_converter, posix_error};
use crate::posixmodule::syscall::{self, MAX_TRANSFER, until_done};
use adder_runtime::error;
use adder_runtime::exceptions::{self, exc};
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::thread::allow_threads;

/// Reads without a known size start with this many bytes.
const SMALLCHUNK: usize = DEFAULT_BUFFER_SIZE;
const LARGE_BUFFER_CUTOFF: usize = 65536;

/// `_io.FileIO`.
#[repr(C)]
pub struct FileIO {
    head: IoHead,
    /// -1 when closed.
    fd: Cell<c_int>,
    created: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    appending: Cell<bool>,
    /// None while nobody has asked.
    seekable: Cell<Option<bool>>,
    closefd: Cell<bool>,
    finalizing: Cell<c_char>,
    blksize: Cell<usize>,
    /// What the file was when it was opened: mode and size.
    at_open: Cell<Option<(u32, i64)>>,
}

#[cold]
fn closed_error() -> Raised {
    raise!(ValueError, "I/O operation on closed file")
}

#[cold]
fn mode_error(action: &str) -> Raised {
    unsupported(&format!("File not open for {action}"))
}

struct Mode {
    flags: c_int,
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
}

fn parse_mode(mode: &str) -> PyResult<Mode> {
    let mut parsed = Mode {
        flags: 0,
        created: false,
        readable: false,
        writable: false,
        appending: false,
    };
    let (mut rwa, mut plus, mut bad) = (false, false, false);
    for ch in mode.chars() {
        match ch {
            'x' | 'r' | 'w' | 'a' => {
                bad |= rwa;
                rwa = true;
                match ch {
                    'x' => {
                        parsed.created = true;
                        parsed.writable = true;
                        parsed.flags |= libc::O_EXCL | libc::O_CREAT;
                    }
                    'r' => parsed.readable = true,
                    'w' => {
                        parsed.writable = true;
                        parsed.flags |= libc::O_CREAT | libc::O_TRUNC;
                    }
                    _ => {
                        parsed.writable = true;
                        parsed.appending = true;
                        parsed.flags |= libc::O_APPEND | libc::O_CREAT;
                    }
                }
            }
            'b' => {}
            '+' => {
                bad |= plus;
                parsed.readable = true;
                parsed.writable = true;
                plus = true;
            }
            _ => return Err(raise!(ValueError, "invalid mode: {mode}")),
        }
        if bad {
            break;
        }
    }
    if bad || !rwa {
        return Err(raise!(
            ValueError,
            "Must have exactly one of create/read/write/append mode and at most one plus"
        ));
    }
    parsed.flags |= match (parsed.readable, parsed.writable) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    Ok(parsed)
}

/// The error of a failed call about a file with this name.
fn error_with_name(name: &PyObject) -> Raised {
    exceptions::os_error_from_errno(errno(), Some(name), None)
}

impl FileIO {
    fn blank() -> FileIO {
        FileIO {
            head: IoHead::new(),
            fd: Cell::new(-1),
            created: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            appending: Cell::new(false),
            seekable: Cell::new(None),
            closefd: Cell::new(true),
            finalizing: Cell::new(0),
            blksize: Cell::new(0),
            at_open: Cell::new(None),
        }
    }
    pub fn fd(&self) -> c_int {
        self.fd.get()
    }
    pub fn is_closed(&self) -> bool {
        self.fd.get() < 0
    }
    fn open_fd(&self) -> PyResult<c_int> {
        match self.fd.get() {
            fd if fd < 0 => Err(closed_error()),
            fd => Ok(fd),
        }
    }
    /// Closes the descriptor.
    fn internal_close(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: a plain system call on a descriptor of ours.
            let result = allow_threads(|| unsafe { libc::close(fd) });
            if result < 0 {
                return Err(posix_error());
            }
        }
        Ok(())
    }
    /// Opens `file` by name.
    fn open_by_name(&self, file: &PyObject, flags: c_int, opener: Option<&PyObject>) -> PyResult<()> {
        let flags = flags | libc::O_CLOEXEC;
        let Some(opener) = opener else {
            let name = fs_converter(file)?;
            // SAFETY: a C string.
            let fd = until_done(|| unsafe { libc::open(name.as_ptr(), flags, 0o666) as isize })?;
            if fd < 0 {
                return Err(error_with_name(file));
            }
            self.fd.set(fd as c_int);
            return Ok(());
        };
        let flags = PyLongObject::from_i64(i64::from(flags));
        let fd = opener.call(&[file, flags.as_object()])?;
        let Some(fd) = fd.as_object().downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "expected integer from opener"));
        };
        let fd = fd.as_i32()?;
        if fd < 0 {
            return Err(raise!(ValueError, "opener returned {fd}"));
        }
        self.fd.set(fd);
        if syscall::set_inheritable(fd, false) < 0 {
            return Err(posix_error());
        }
        Ok(())
    }
    /// Looks at what was opened, and goes to the end of a file that is appended to.
    fn after_open(&self, file: &PyObject) -> PyResult<()> {
        let fd = self.fd.get();
        self.blksize.set(DEFAULT_BUFFER_SIZE);
        // SAFETY: plain numbers, filled by the call.
        let mut st: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours.
        if allow_threads(|| unsafe { libc::fstat(fd, &mut st) }) < 0 {
            if errno() == libc::EBADF {
                return Err(posix_error());
            }
        } else {
            if st.st_mode & libc::S_IFMT == libc::S_IFDIR {
                return Err(exceptions::os_error_from_errno(libc::EISDIR, Some(file), None));
            }
            if st.st_blksize > 1 {
                self.blksize.set(st.st_blksize as usize);
            }
            self.at_open.set(Some((st.st_mode, st.st_size)));
        }
        self.as_object().set_attr(identifier!("name"), file)?;
        if self.appending.get() {
            match self.lseek(0, libc::SEEK_END) {
                Ok(_) => {}
                // A pipe has no end to go to.
                Err(raised) => raised.clear(),
            }
        }
        Ok(())
    }
    fn lseek(&self, offset: i64, whence: c_int) -> PyResult<i64> {
        let fd = self.fd.get();
        // SAFETY: a plain system call.
        let result = allow_threads(|| unsafe { libc::lseek(fd, offset, whence) });
        if self.seekable.get().is_none() {
            self.seekable.set(Some(result >= 0));
        }
        if result < 0 {
            Err(posix_error())
        } else {
            Ok(result)
        }
    }
    pub fn tell_raw(&self) -> PyResult<i64> {
        self.open_fd()?;
        self.lseek(0, libc::SEEK_CUR)
    }
    pub fn seek_raw(&self, offset: i64, whence: c_int) -> PyResult<i64> {
        self.open_fd()?;
        self.lseek(offset, whence)
    }
    /// Reads into memory that nobody else touches; None when nothing is there yet.
    ///
    /// # Safety
    /// `len` bytes can be written at `data`.
    pub unsafe fn read_raw(&self, data: *mut u8, len: usize) -> PyResult<Option<usize>> {
        let fd = self.open_fd()?;
        if !self.readable.get() {
            return Err(mode_error("reading"));
        }
        // SAFETY: the caller's contract.
        match unsafe { syscall::read_raw(fd, data, len)? } {
            n_read if n_read >= 0 => Ok(Some(n_read as usize)),
            _ if errno() == libc::EAGAIN => Ok(None),
            _ => Err(posix_error()),
        }
    }
    /// Writes bytes; None when that would block.
    pub fn write_raw(&self, data: &[u8]) -> PyResult<Option<usize>> {
        let fd = self.open_fd()?;
        if !self.writable.get() {
            return Err(mode_error("writing"));
        }
        match syscall::write_raw(fd, data)? {
            n_written if n_written >= 0 => Ok(Some(n_written as usize)),
            _ if errno() == libc::EAGAIN => Ok(None),
            _ => Err(posix_error()),
        }
    }
    /// All that is left; None when nothing is there yet.
    pub fn readall_raw(&self) -> PyResult<Option<Ref<PyBytesObject>>> {
        let fd = self.open_fd()?;
        let expected = self.at_open.get().map_or(0, |(_, size)| size.max(0) as usize);
        let mut data: Vec<u8> = Vec::new();
        let first = if expected == 0 {
            SMALLCHUNK
        } else {
            let position = if expected > LARGE_BUFFER_CUTOFF {
                // SAFETY: a plain system call.
                unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }
            } else {
                0
            };
            expected.saturating_sub(position.max(0) as usize) + 1
        };
        reserve(&mut data, first)?;
        loop {
            if data.len() == data.capacity() {
                let more = data.len().clamp(SMALLCHUNK, 1 << 26);
                reserve(&mut data, more)?;
            }
            let room = (data.capacity() - data.len()).min(MAX_TRANSFER);
            // SAFETY: the spare room of the vector.
            let n_read = unsafe { syscall::read_raw(fd, data.as_mut_ptr().add(data.len()), room)? };
            match n_read {
                0 => break,
                // SAFETY: that many bytes were written.
                n_read if n_read > 0 => unsafe { data.set_len(data.len() + n_read as usize) },
                _ if errno() == libc::EAGAIN => {
                    if data.is_empty() {
                        return Ok(None);
                    }
                    break;
                }
                _ => return Err(posix_error()),
            }
        }
        Ok(Some(PyBytesObject::from_vec(data)))
    }
    fn mode_text(&self) -> &'static str {
        match (
            self.created.get(),
            self.appending.get(),
            self.readable.get(),
            self.writable.get(),
        ) {
            (true, _, true, _) => "xb+",
            (true, _, false, _) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, false, _) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        }
    }
    /// The warning about a stream that dies open.
    pub fn warn_unclosed(&self, source: &PyObject) -> PyResult<()> {
        if self.fd.get() < 0 || !self.closefd.get() {
            return Ok(());
        }
        error::preserving_exception(|| {
            let shown = source.repr().map(|repr| repr.to_string_lossy());
            let warned = shown.and_then(|shown| resource_warning(source, &format!("unclosed file {shown}")));
            if let Err(raised) = warned {
                // A warning that the filters make an error of has nobody to go to.
                if raised.matches(exc::Warning) {
                    error::write_unraisable(raised, None, Some(self.as_object()));
                } else {
                    raised.clear();
                }
            }
        });
        Ok(())
    }
}

fn reserve(data: &mut Vec<u8>, more: usize) -> PyResult<()> {
    data.try_reserve_exact(more)
        .map_err(|_| adder_runtime::memory::no_memory())
}

/// Opens a file, by name or descriptor, as a raw stream.
#[pytype(
    name = "_io.FileIO",
    static_name = FILEIO_TYPE,
    base = RAWIOBASE_TYPE,
    flags = BASETYPE | HAVE_GC,
    members = [("_finalizing", Py_T_BOOL, std::mem::offset_of!(FileIO, finalizing), 0)],
    slots = [tp_dealloc = io_dealloc::<FileIO>],
)]
impl FileIO {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, FileIO::blank())?.into_object())
    }
    #[init("(file, mode='r', closefd=True, opener=None)")]
    fn init(&self, file: &PyObject, mode: &str, closefd: bool, opener: Option<&PyObject>) -> PyResult<()> {
        if self.fd.get() >= 0 {
            if self.closefd.get() {
                self.internal_close()?;
            } else {
                self.fd.set(-1);
            }
        }
        if file.is(true_()) || file.is(false_()) {
            exceptions::warn(exc::RuntimeWarning, "bool is used as a file descriptor", 1)?;
        }
        let mut given_fd = -1;
        if let Some(number) = file.downcast::<PyLongObject>() {
            // An int that no descriptor can be is no path either, which is what will be said of it.
            if let Some(number) = number.to_i64().and_then(|number| i32::try_from(number).ok()) {
                if number < 0 {
                    return Err(raise!(ValueError, "negative file descriptor"));
                }
                given_fd = number;
            }
        }
        if given_fd < 0 {
            fs_converter(file)?;
        }
        let parsed = parse_mode(mode)?;
        self.created.set(parsed.created);
        self.readable.set(parsed.readable);
        self.writable.set(parsed.writable);
        self.appending.set(parsed.appending);
        self.seekable.set(None);
        self.at_open.set(None);
        self.closefd.set(closefd);
        let mode_object = PyUnicodeObject::from_str(mode);
        let flags_object = PyLongObject::from_i64(i64::from(parsed.flags));
        adder_runtime::hooks::audit("open", &[file, mode_object.as_object(), flags_object.as_object()])?;
        let opened = if given_fd >= 0 {
            self.fd.set(given_fd);
            Ok(())
        } else if !closefd {
            Err(raise!(ValueError, "Cannot use closefd=False with file name"))
        } else {
            self.open_by_name(file, parsed.flags, opener)
        };
        let done = opened.and_then(|()| self.after_open(file));
        if let Err(raised) = done {
            let exception = raised.take();
            if given_fd >= 0 {
                // The descriptor is the caller's.
                self.fd.set(-1);
            } else if let Err(raised) = self.internal_close() {
                raised.clear();
            }
            return Err(error::restore(exception));
        }
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.head.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.head.dict.set(None);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let this = self.as_object();
        let type_name = this.ty().full_name();
        if self.is_closed() {
            return Ok(format!("<{type_name} [closed]>"));
        }
        let closefd = if self.closefd.get() { "True" } else { "False" };
        let mode = self.mode_text();
        let Some(name) = this.get_attr_opt(identifier!("name"))? else {
            return Ok(format!(
                "<{type_name} fd={} mode='{mode}' closefd={closefd}>",
                self.fd.get()
            ));
        };
        match adder_runtime::protocol::with_repr_guard(this, || name.repr())? {
            Some(name) => Ok(format!(
                "<{type_name} name={} mode='{mode}' closefd={closefd}>",
                name.to_string_lossy()
            )),
            None => Err(raise!(RuntimeError, "reentrant call inside {type_name}.__repr__")),
        }
    }
    /// At most so many bytes, all that are left without a size; None when none are there yet.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<OptSize>) -> PyResult<Option<Ref<PyBytesObject>>> {
        self.open_fd()?;
        if !self.readable.get() {
            return Err(mode_error("reading"));
        }
        let Ok(size) = usize::try_from(size_or_all(size)) else {
            return self.readall_raw();
        };
        let size = size.min(MAX_TRANSFER);
        // SAFETY: what is not written is cut off before anybody sees the object.
        let bytes = unsafe { PyBytesObject::alloc(size)? };
        // SAFETY: a fresh object of that size.
        let n_read = unsafe { self.read_raw(bytes.as_bytes().as_ptr().cast_mut(), size)? };
        Ok(match n_read {
            None => None,
            Some(n_read) if n_read == size => Some(bytes),
            Some(n_read) => Some(PyBytesObject::from_slice(&bytes.as_bytes()[..n_read])),
        })
    }
    /// All that is left; None when nothing is there yet.
    #[method("($self, /)")]
    fn readall(&self) -> PyResult<Option<Ref<PyBytesObject>>> {
        self.readall_raw()
    }
    /// Reads into a buffer; returns how many bytes, None when none are there yet.
    #[method("($self, buffer, /)")]
    fn readinto(&self, buffer: &PyObject) -> PyResult<Option<usize>> {
        self.open_fd()?;
        if !self.readable.get() {
            return Err(mode_error("reading"));
        }
        let view = match adder_runtime::objects::buffer::Buffer::writable(buffer) {
            Ok(view) => view,
            Err(raised) => {
                raised.clear();
                return Err(raise!(
                    TypeError,
                    "readinto() argument 1 must be read-write bytes-like object, not {}",
                    buffer.ty().name()
                ));
            }
        };
        // SAFETY: the view is writable and held.
        unsafe { self.read_raw(view.as_bytes().as_ptr().cast_mut(), view.len()) }
    }
    /// Writes bytes; returns how many, None when that would block.
    #[method("($self, b, /)")]
    fn write(&self, b: &PyObject) -> PyResult<Option<usize>> {
        self.open_fd()?;
        if !self.writable.get() {
            return Err(mode_error("writing"));
        }
        self.write_raw(BytesArg::of(b)?.as_bytes())
    }
    /// Moves the position; returns it.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: &PyObject, whence: i32) -> PyResult<i64> {
        self.open_fd()?;
        self.lseek(as_offset(pos)?, whence)
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult<i64> {
        self.tell_raw()
    }
    /// Makes the file exactly so long, by default up to the position; returns the length.
    #[method("($self, size=None, /)")]
    fn truncate(&self, size: Option<&PyObject>) -> PyResult {
        let fd = self.open_fd()?;
        if !self.writable.get() {
            return Err(mode_error("writing"));
        }
        let size_object = match size {
            Some(size) => size.to_ref(),
            None => PyLongObject::from_i64(self.lseek(0, libc::SEEK_CUR)?).into_object(),
        };
        let size = as_offset(&size_object)?;
        // SAFETY: a plain system call.
        syscall::retry(|| unsafe { libc::ftruncate(fd, size) } as isize)?;
        self.at_open.set(None);
        Ok(size_object)
    }
    /// Closes the file; a closed file stays as it is.
    #[method("($self, /)")]
    fn close(&self) -> PyResult<()> {
        let this = self.as_object();
        let flushed = base_close(this);
        if !self.closefd.get() {
            self.fd.set(-1);
            return flushed;
        }
        let first = flushed.err().map(Raised::take);
        if self.finalizing.get() != 0 {
            self.warn_unclosed(this)?;
        }
        chain(first, self.internal_close()).map(drop)
    }
    /// Whether the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> PyResult<bool> {
        self.open_fd()?;
        if self.seekable.get().is_none()
            && let Err(raised) = self.lseek(0, libc::SEEK_CUR)
        {
            raised.clear();
        }
        Ok(self.seekable.get() == Some(true))
    }
    /// Whether the file was opened for reading.
    #[method("($self, /)")]
    fn readable(&self) -> PyResult<bool> {
        self.open_fd()?;
        Ok(self.readable.get())
    }
    /// Whether the file was opened for writing.
    #[method("($self, /)")]
    fn writable(&self) -> PyResult<bool> {
        self.open_fd()?;
        Ok(self.writable.get())
    }
    /// The descriptor.
    #[method("($self, /)")]
    fn fileno(&self) -> PyResult<i32> {
        self.open_fd()
    }
    /// Whether the file is a terminal.
    #[method("($self, /)")]
    pub fn isatty(&self) -> PyResult<bool> {
        let fd = self.open_fd()?;
        // SAFETY: a plain system call.
        Ok(allow_threads(|| unsafe { libc::isatty(fd) }) == 1)
    }
    /// As isatty(), but without asking when the file was no character device when it was opened.
    #[method("($self, /)")]
    fn _isatty_open_only(&self) -> PyResult<bool> {
        match self.at_open.get() {
            Some((mode, _)) if mode & libc::S_IFMT != libc::S_IFCHR => Ok(false),
            _ => self.isatty(),
        }
    }
    #[method("($self, object, /)")]
    fn _dealloc_warn(&self, object: &PyObject) -> PyResult<()> {
        self.warn_unclosed(object)
    }
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult<()> {
        Err(cannot_pickle(self.as_object()))
    }
    /// True if the file is closed
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed()
    }
    #[getter]
    fn closefd(&self) -> bool {
        self.closefd.get()
    }
    #[getter]
    fn mode(&self) -> &'static str {
        self.mode_text()
    }
    #[getter]
    fn _blksize(&self) -> usize {
        self.blksize.get()
    }
}
