//! `scandir`: the entries of a directory, with what the directory itself knows about them.

use super::path::*;
use super::stat::stat_result;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::cell::RefCell;

/// An open directory stream.
pub struct Dir {
    stream: *mut libc::DIR,
    /// A stream on the caller's descriptor starts at its beginning again when it is closed.
    rewind: bool,
}

/// One entry as the directory has it.
pub struct RawEntry {
    pub name: Vec<u8>,
    pub inode: u64,
    pub d_type: u8,
}

/// Opens a directory given by path or descriptor (which is duplicated).
pub fn open_dir(path: &Path<true, true>) -> PyResult<Dir> {
    let stream = if path.is_fd() {
        // SAFETY: plain system calls; the duplicate is closed when no stream takes it.
        allow_threads(|| unsafe {
            let fd = libc::fcntl(path.fd, libc::F_DUPFD_CLOEXEC, 0);
            if fd < 0 {
                return std::ptr::null_mut();
            }
            let stream = libc::fdopendir(fd);
            if stream.is_null() {
                let error = errno();
                libc::close(fd);
                *libc::__errno_location() = error;
            }
            stream
        })
    } else {
        // SAFETY: a C string.
        allow_threads(|| unsafe { libc::opendir(path.as_ptr()) })
    };
    if stream.is_null() {
        return Err(path.error());
    }
    Ok(Dir {
        stream,
        rewind: path.is_fd(),
    })
}

impl Dir {
    /// The next entry, without `.` and `..`; `Err` leaves the error number.
    pub fn next_entry(&self) -> Result<Option<RawEntry>, ()> {
        loop {
            // SAFETY: the stream is open; the entry is copied before the next call.
            let entry = allow_threads(|| unsafe {
                *libc::__errno_location() = 0;
                let entry = libc::readdir64(self.stream);
                if entry.is_null() {
                    return if errno() == 0 { Ok(None) } else { Err(()) };
                }
                let name = std::ffi::CStr::from_ptr((*entry).d_name.as_ptr()).to_bytes();
                Ok(Some(RawEntry {
                    name: name.to_vec(),
                    inode: (*entry).d_ino,
                    d_type: (*entry).d_type,
                }))
            })?;
            match entry {
                Some(entry) if entry.name == b"." || entry.name == b".." => {}
                entry => return Ok(entry),
            }
        }
    }
    pub fn close(self) {
        // SAFETY: the stream is open and not used again.
        allow_threads(|| unsafe {
            if self.rewind {
                libc::rewinddir(self.stream);
            }
            libc::closedir(self.stream);
        });
    }
}

/// `posix.DirEntry`.
#[repr(C)]
pub struct DirEntry {
    ob_base: PyObject,
    name: Ref,
    path: Ref,
    inode: u64,
    d_type: u8,
    /// Relative to this open directory, when the scan was by descriptor.
    dir_fd: c_int,
    stat: ObjectCell,
    lstat: ObjectCell,
}

const S_IFMT: u32 = libc::S_IFMT;

impl DirEntry {
    fn fetch_stat(&self, follow_symlinks: bool) -> PyResult {
        // SAFETY: plain numbers.
        let mut st: libc::stat = unsafe { std::mem::zeroed() };
        let flags = if follow_symlinks {
            0
        } else {
            libc::AT_SYMLINK_NOFOLLOW
        };
        let (dir_fd, object) = match self.dir_fd {
            -1 => (libc::AT_FDCWD, &self.path),
            fd => (fd, &self.name),
        };
        let name = fs_converter(object)?;
        // SAFETY: a C string and a struct of ours.
        let result = allow_threads(|| unsafe { libc::fstatat(dir_fd, name.as_ptr(), &mut st, flags) });
        if result != 0 {
            return Err(adder_runtime::exceptions::os_error_from_errno(
                errno(),
                Some(&self.path),
                None,
            ));
        }
        stat_result(&st)
    }
    fn cached_lstat(&self) -> PyResult {
        if let Some(known) = self.lstat.get() {
            return Ok(known);
        }
        let fetched = self.fetch_stat(false)?;
        self.lstat.set(Some(fetched.clone()));
        Ok(fetched)
    }
    fn cached_stat(&self, follow_symlinks: bool) -> PyResult {
        if !follow_symlinks {
            return self.cached_lstat();
        }
        if let Some(known) = self.stat.get() {
            return Ok(known);
        }
        let fetched = if self.is_link()? {
            self.fetch_stat(true)?
        } else {
            self.cached_lstat()?
        };
        self.stat.set(Some(fetched.clone()));
        Ok(fetched)
    }
    fn is_link(&self) -> PyResult<bool> {
        if self.d_type != libc::DT_UNKNOWN {
            return Ok(self.d_type == libc::DT_LNK);
        }
        self.test_mode(false, libc::S_IFLNK)
    }
    /// Whether the file's kind is `kind`; a file that is gone is of no kind.
    fn test_mode(&self, follow_symlinks: bool, kind: u32) -> PyResult<bool> {
        let known_kind = if self.d_type == libc::DT_UNKNOWN {
            None
        } else {
            Some(self.d_type)
        };
        let need_stat = match known_kind {
            None => true,
            Some(d_type) => follow_symlinks && d_type == libc::DT_LNK,
        };
        if !need_stat {
            let d_type = self.d_type;
            return Ok(match kind {
                libc::S_IFDIR => d_type == libc::DT_DIR,
                libc::S_IFREG => d_type == libc::DT_REG,
                _ => d_type == libc::DT_LNK,
            });
        }
        let stat = match self.cached_stat(follow_symlinks) {
            Ok(stat) => stat,
            Err(raised) => {
                raised.clear_if(exc::FileNotFoundError)?;
                return Ok(false);
            }
        };
        let mode = stat.get_attr(identifier!("st_mode"))?.index()?.as_i64()? as u32;
        Ok(mode & S_IFMT == kind)
    }
}

/// What a directory knows about one of its entries.
#[pytype(
    name = "posix.DirEntry",
    static_name = DIR_ENTRY_TYPE,
    flags = DISALLOW_INSTANTIATION,
    members = [
        ("name", Py_T_OBJECT_EX, std::mem::offset_of!(DirEntry, name), Py_READONLY, "the entry's base filename, relative to scandir() \"path\" argument"),
        ("path", Py_T_OBJECT_EX, std::mem::offset_of!(DirEntry, path), Py_READONLY, "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)"),
    ],
)]
impl DirEntry {
    /// Whether the entry is a directory.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn is_dir(&self, follow_symlinks: bool) -> PyResult<bool> {
        self.test_mode(follow_symlinks, libc::S_IFDIR)
    }
    /// Whether the entry is a regular file.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn is_file(&self, follow_symlinks: bool) -> PyResult<bool> {
        self.test_mode(follow_symlinks, libc::S_IFREG)
    }
    /// Whether the entry is a symbolic link.
    #[method("($self, /)")]
    fn is_symlink(&self) -> PyResult<bool> {
        self.is_link()
    }
    /// Whether the entry is a junction: never on this system.
    #[method("($self, /)")]
    fn is_junction(&self) -> bool {
        false
    }
    /// The entry's stat_result; kept after the first call.
    #[method("($self, /, *, follow_symlinks=True)")]
    fn stat(&self, follow_symlinks: bool) -> PyResult {
        self.cached_stat(follow_symlinks)
    }
    /// The entry's inode number.
    #[method("($self, /)")]
    fn inode(&self) -> u64 {
        self.inode
    }
    /// The entry's path.
    #[method("($self, /)")]
    fn __fspath__(&self) -> Ref {
        self.path.clone()
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(format!("<DirEntry {}>", self.name.repr()?.to_string_lossy()))
    }
    /// Generic in the type of its paths.
    #[classmethod("($cls, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// `posix.ScandirIterator`.
#[repr(C)]
pub struct ScandirIterator {
    ob_base: PyObject,
    path: Path<true, true>,
    dir: RefCell<Option<Dir>>,
    /// The path with a separator behind it, to be put before names.
    prefix: Vec<u8>,
}

impl ScandirIterator {
    fn close_dir(&self) {
        let dir = self.dir.borrow_mut().take();
        if let Some(dir) = dir {
            dir.close();
        }
    }
    fn entry(&self, raw: RawEntry) -> PyResult {
        let text = |bytes: &[u8]| -> PyResult {
            if self.path.is_bytes {
                Ok(PyBytesObject::from_slice(bytes).into_object())
            } else {
                Ok(fs_decode(bytes)?.into_object())
            }
        };
        let name = text(&raw.name)?;
        let path = if self.path.is_fd() {
            name.clone()
        } else {
            let mut path = self.prefix.clone();
            path.extend_from_slice(&raw.name);
            text(&path)?
        };
        let entry = DirEntry {
            ob_base: adder_runtime::memory::blank_header(),
            name,
            path,
            inode: raw.inode,
            d_type: raw.d_type,
            dir_fd: self.path.fd,
            stat: ObjectCell::new(None),
            lstat: ObjectCell::new(None),
        };
        Ok(Ref::new(entry)?.into_object())
    }
}

/// The entries of a directory; close() or a `with` statement ends it early.
#[pytype(name = "posix.ScandirIterator", static_name = SCANDIR_ITERATOR_TYPE, flags = DISALLOW_INSTANTIATION)]
impl ScandirIterator {
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let next = match &*self.dir.borrow() {
            None => return Ok(None),
            Some(dir) => dir.next_entry(),
        };
        match next {
            Ok(Some(raw)) => match self.entry(raw) {
                Ok(entry) => Ok(Some(entry)),
                Err(raised) => {
                    self.close_dir();
                    Err(raised)
                }
            },
            Ok(None) => {
                self.close_dir();
                Ok(None)
            }
            Err(()) => {
                let raised = self.path.error();
                self.close_dir();
                Err(raised)
            }
        }
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> Ref {
        self.to_object()
    }
    #[method(raw, "(...)")]
    fn __exit__(&self, _args: &[&PyObject]) {
        self.close_dir();
    }
    /// Ends the iteration and lets the directory go.
    #[method("($self, /)")]
    fn close(&self) {
        self.close_dir();
    }
    #[slot]
    fn tp_finalize(&self) {
        if self.dir.borrow().is_none() {
            return;
        }
        let shown = match self.as_object().repr() {
            Ok(repr) => repr.to_string_lossy(),
            Err(raised) => {
                raised.clear();
                "scandir".to_owned()
            }
        };
        if let Err(raised) =
            crate::io::resource_warning(self.as_object(), &format!("unclosed scandir iterator {shown}"))
        {
            adder_runtime::error::write_unraisable(raised, None, Some(self.as_object()));
        }
        self.close_dir();
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the object is dead but whole; the finalizer may bring it back.
        unsafe {
            if adder_runtime::types::heap::call_finalizer_from_dealloc(this.cast()) {
                (*this).close_dir();
                adder_runtime::types::dealloc_payload::<Self>(this.cast());
            }
        }
    }
}

/// The file descriptor or path that is scanned, as an iterator of entries.
pub fn scan(path: Path<true, true>) -> PyResult {
    let dir = open_dir(&path)?;
    let mut prefix = path.as_cstr().to_bytes().to_vec();
    if !prefix.is_empty() && prefix.last() != Some(&b'/') {
        prefix.push(b'/');
    }
    let iterator = ScandirIterator {
        ob_base: adder_runtime::memory::blank_header(),
        path,
        dir: RefCell::new(Some(dir)),
        prefix,
    };
    Ok(Ref::new(iterator)?.into_object())
}

#[pymodule(name = "posix", types = [DIR_ENTRY_TYPE])]
pub mod part {
    use super::*;

    /// An iterator of DirEntry objects for a directory.
    #[pyfunction("($module, /, path=None)")]
    fn scandir(path: Option<Path<true, true>>) -> PyResult {
        let path = path.unwrap_or_else(Path::current_dir);
        adder_runtime::hooks::audit("os.scandir", &[path.object().unwrap_or(none())])?;
        scan(path)
    }

    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        adder_runtime::types::ready(&SCANDIR_ITERATOR_TYPE)
    }
}
