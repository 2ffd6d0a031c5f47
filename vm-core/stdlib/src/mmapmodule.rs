//! `mmap`: files as memory.

use crate::module_parts::{int_constants, libc_constants};
use crate::posixmodule::path::posix_error;
use crate::posixmodule::syscall::{quick, set_inheritable};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::{Buffer, fill_info};
use adder_runtime::objects::indices;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::cell::Cell;
use std::mem::offset_of;

const ACCESS_DEFAULT: c_int = 0;
const ACCESS_READ: c_int = 1;
const ACCESS_WRITE: c_int = 2;
const ACCESS_COPY: c_int = 3;

/// `mmap.mmap`.
#[repr(C)]
pub struct Mmap {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    /// NULL when closed.
    data: Cell<*mut u8>,
    size: Cell<usize>,
    pos: Cell<usize>,
    offset: i64,
    n_exports: Cell<usize>,
    /// A duplicate of the file's descriptor, -1 for none.
    fd: Cell<c_int>,
    flags: c_int,
    access: c_int,
    trackfd: bool,
}

impl Drop for Mmap {
    fn drop(&mut self) {
        self.unmap();
    }
}

impl Mmap {
    fn unmap(&self) {
        let data = self.data.replace(std::ptr::null_mut());
        let (size, fd) = (self.size.get(), self.fd.replace(-1));
        // SAFETY: a mapping and a descriptor of ours, given back once.
        unsafe {
            if !data.is_null() {
                libc::munmap(data.cast(), size);
            }
            if fd >= 0 {
                libc::close(fd);
            }
        }
    }
    fn check_open(&self) -> PyResult<()> {
        if self.data.get().is_null() {
            return Err(raise!(ValueError, "mmap closed or invalid"));
        }
        Ok(())
    }
    fn check_writable(&self) -> PyResult<()> {
        if self.access == ACCESS_READ {
            return Err(raise!(TypeError, "mmap can't modify a readonly memory map."));
        }
        Ok(())
    }
    fn check_resizable(&self) -> PyResult<()> {
        if self.n_exports.get() > 0 {
            return Err(raise!(
                BufferError,
                "mmap can't resize with extant pointers exported."
            ));
        }
        if self.access != ACCESS_WRITE && self.access != ACCESS_DEFAULT {
            return Err(raise!(
                TypeError,
                "mmap can't resize a readonly or copy-on-write memory map."
            ));
        }
        if self.fd.get() < 0 && !self.trackfd {
            return Err(raise!(ValueError, "mmap can't resize with trackfd=False."));
        }
        Ok(())
    }
    /// The bytes. Other processes may change them at any time; what is made of them is copied at once.
    fn bytes(&self) -> &[u8] {
        match self.data.get() {
            data if data.is_null() => &[],
            // SAFETY: the mapping has so many bytes.
            data => unsafe { std::slice::from_raw_parts(data, self.size.get()) },
        }
    }
    fn store(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.size.get());
        // SAFETY: within the mapping; the source may overlap.
        unsafe { std::ptr::copy(bytes.as_ptr(), self.data.get().add(at), bytes.len()) }
    }
    fn take(&self, len: usize) -> Ref<PyBytesObject> {
        let pos = self.pos.get();
        let bytes = PyBytesObject::from_slice(&self.bytes()[pos..pos + len]);
        self.pos.set(pos + len);
        bytes
    }
    fn n_left(&self) -> usize {
        self.size.get().saturating_sub(self.pos.get())
    }
    /// Where `needle` is found between bounds that are given as for slices; the default start is the position.
    fn search(
        &self,
        needle: &PyObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
        last: bool,
    ) -> PyResult<isize> {
        self.check_open()?;
        let view = Buffer::simple(needle)?;
        let len = self.size.get() as isize;
        let clip = |given: Option<&PyObject>, default: isize| -> PyResult<isize> {
            let value = match given.filter(|given| !is_none(given)) {
                None => return Ok(default),
                Some(given) => given.to_index(exc::OverflowError)?,
            };
            Ok((if value < 0 { value + len } else { value }).clamp(0, len))
        };
        let (start, end) = (clip(start, self.pos.get() as isize)?, clip(end, len)?);
        self.check_open()?;
        if start > end {
            return Ok(-1);
        }
        let (start, end) = (start.min(len) as usize, end as usize);
        let haystack = &self.bytes()[start.min(end)..end];
        let found = if last {
            memchr::memmem::rfind(haystack, view.as_bytes())
        } else {
            memchr::memmem::find(haystack, view.as_bytes())
        };
        Ok(found.map_or(-1, |at| (start + at) as isize))
    }
}

fn byte_value(value: &PyObject) -> PyResult<u8> {
    if !value.has_index() {
        return Err(raise!(TypeError, "mmap item value must be an int"));
    }
    let value = value.to_index(exc::TypeError)?;
    u8::try_from(value).map_err(|_| raise!(ValueError, "mmap item value must be in range(0, 256)"))
}

fn unsigned(value: Option<isize>, default: isize, error: impl FnOnce() -> Raised) -> PyResult<usize> {
    usize::try_from(value.unwrap_or(default)).map_err(|_| error())
}

/// A file, or memory alone, as bytes in memory.
#[pytype(
    name = "mmap.mmap",
    static_name = MMAP_TYPE,
    flags = BASETYPE,
    weaklistoffset = offset_of!(Mmap, weakreflist) as isize,
)]
impl Mmap {
    #[new(
        "(fileno, length, flags=MAP_SHARED, prot=PROT_WRITE|PROT_READ,\n     access=ACCESS_DEFAULT, offset=0, *, trackfd=True)"
    )]
    fn new(
        cls: &PyTypeObject,
        fileno: i32,
        length: isize,
        flags: Option<i32>,
        prot: Option<i32>,
        access: Option<i32>,
        offset: Option<i64>,
        trackfd: bool,
    ) -> PyResult {
        const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;
        let mut flags = flags.unwrap_or(libc::MAP_SHARED);
        let mut prot = prot.unwrap_or(READ_WRITE);
        let mut access = access.unwrap_or(ACCESS_DEFAULT);
        let offset = offset.unwrap_or(0);
        let Ok(mut size) = usize::try_from(length) else {
            return Err(raise!(OverflowError, "memory mapped length must be positive"));
        };
        if offset < 0 {
            return Err(raise!(OverflowError, "memory mapped offset must be positive"));
        }
        if access != ACCESS_DEFAULT && (flags != libc::MAP_SHARED || prot != READ_WRITE) {
            return Err(raise!(
                ValueError,
                "mmap can't specify both access, flags & prot."
            ));
        }
        match access {
            ACCESS_READ => (flags, prot) = (libc::MAP_SHARED, libc::PROT_READ),
            ACCESS_WRITE => (flags, prot) = (libc::MAP_SHARED, READ_WRITE),
            ACCESS_COPY => (flags, prot) = (libc::MAP_PRIVATE, READ_WRITE),
            ACCESS_DEFAULT => {
                if prot & READ_WRITE != READ_WRITE {
                    access = if prot & libc::PROT_WRITE != 0 {
                        ACCESS_WRITE
                    } else {
                        ACCESS_READ
                    };
                }
            }
            _ => return Err(raise!(ValueError, "mmap invalid access parameter.")),
        }
        let audited = [i64::from(fileno), length as i64, i64::from(access), offset]
            .map(|value| PyLongObject::from_i64(value).into_object());
        adder_runtime::hooks::audit(
            "mmap.__new__",
            &[&audited[0], &audited[1], &audited[2], &audited[3]],
        )?;
        let mut own_fd = -1;
        if fileno == -1 {
            flags |= libc::MAP_ANONYMOUS;
        } else {
            size = checked_size(fileno, size, offset)?;
            if trackfd {
                // SAFETY: a plain system call.
                own_fd = quick(unsafe { libc::fcntl(fileno, libc::F_DUPFD_CLOEXEC, 0) })?;
                let _ = set_inheritable(own_fd, false);
            }
        }
        // SAFETY: a new mapping at a place that the system chooses.
        let data =
            allow_threads(|| unsafe { libc::mmap(std::ptr::null_mut(), size, prot, flags, fileno, offset) });
        if data == libc::MAP_FAILED {
            let raised = posix_error();
            if own_fd >= 0 {
                // SAFETY: a descriptor of ours.
                unsafe { libc::close(own_fd) };
            }
            return Err(raised);
        }
        let map = Mmap {
            ob_base: adder_runtime::memory::blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            data: Cell::new(data.cast()),
            size: Cell::new(size),
            pos: Cell::new(0),
            offset,
            n_exports: Cell::new(0),
            fd: Cell::new(own_fd),
            flags,
            access,
            trackfd,
        };
        Ok(Ref::new_in(cls, map)?.into_object())
    }
    #[slot]
    fn tp_repr(&self) -> String {
        if self.data.get().is_null() {
            return format!("<{} closed=True>", self.as_object().ty().full_name());
        }
        let access = match self.access {
            ACCESS_READ => "ACCESS_READ",
            ACCESS_WRITE => "ACCESS_WRITE",
            ACCESS_COPY => "ACCESS_COPY",
            _ => "ACCESS_DEFAULT",
        };
        format!(
            "<{} closed=False, access={access}, length={}, pos={}, offset={}>",
            self.as_object().ty().full_name(),
            self.size.get(),
            self.pos.get(),
            self.offset
        )
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        self.check_open()?;
        let readonly = self.access == ACCESS_READ;
        // SAFETY: the mapping stays while there are exports.
        unsafe {
            fill_info(
                view,
                Some(self.as_object()),
                self.data.get().cast(),
                self.size.get(),
                readonly,
                flags,
            )?
        };
        self.n_exports.set(self.n_exports.get() + 1);
        Ok(())
    }
    #[slot]
    fn bf_releasebuffer(&self, _view: *mut Py_buffer) {
        self.n_exports.set(self.n_exports.get() - 1);
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        self.check_open()?;
        Ok(self.size.get())
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        self.check_open()?;
        Ok(self.size.get())
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult<u8> {
        self.check_open()?;
        match usize::try_from(index)
            .ok()
            .and_then(|index| self.bytes().get(index))
        {
            Some(byte) => Ok(*byte),
            None => Err(raise!(IndexError, "mmap index out of range")),
        }
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        self.check_open()?;
        if let Some(slice) = key.downcast::<PySliceObject>() {
            let range = indices::slice_range(slice, || self.size.get())?;
            self.check_open()?;
            let bytes = self.bytes();
            let taken: Vec<u8> = range.positions().map(|place| bytes[place]).collect();
            return Ok(PyBytesObject::from_vec(taken).into_object());
        }
        if !key.has_index() {
            return Err(raise!(TypeError, "mmap indices must be integers"));
        }
        let index = key.to_index(exc::IndexError)?;
        self.check_open()?;
        match indices::checked_index(index, self.size.get()) {
            Some(place) => Ok(PyLongObject::from_i64(i64::from(self.bytes()[place])).into_object()),
            None => Err(raise!(IndexError, "mmap index out of range")),
        }
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        self.check_open()?;
        self.check_writable()?;
        if let Some(slice) = key.downcast::<PySliceObject>() {
            let range = indices::slice_range(slice, || self.size.get())?;
            let Some(value) = value else {
                return Err(raise!(TypeError, "mmap object doesn't support slice deletion"));
            };
            let view = Buffer::simple(value)?;
            if view.len() != range.count {
                return Err(raise!(IndexError, "mmap slice assignment is wrong size"));
            }
            self.check_open()?;
            for (place, byte) in range.positions().zip(view.as_bytes()) {
                self.store(place, std::slice::from_ref(byte));
            }
            return Ok(());
        }
        if !key.has_index() {
            return Err(raise!(TypeError, "mmap indices must be integers"));
        }
        let index = key.to_index(exc::IndexError)?;
        let Some(place) = indices::checked_index(index, self.size.get()) else {
            return Err(raise!(IndexError, "mmap index out of range"));
        };
        let Some(value) = value else {
            return Err(raise!(TypeError, "mmap doesn't support item deletion"));
        };
        let byte = byte_value(value)?;
        self.check_open()?;
        self.store(place, &[byte]);
        Ok(())
    }
    /// Ends the mapping.
    #[method("($self, /)")]
    fn close(&self) -> PyResult<()> {
        if self.n_exports.get() > 0 {
            return Err(raise!(BufferError, "cannot close exported pointers exist"));
        }
        self.unmap();
        Ok(())
    }
    /// Where bytes are found first, -1 when they are not.
    #[method("($self, view, start=None, end=None, /)")]
    fn find(&self, view: &PyObject, start: Option<&PyObject>, end: Option<&PyObject>) -> PyResult<isize> {
        self.search(view, start, end, false)
    }
    /// Where bytes are found last, -1 when they are not.
    #[method("($self, view, start=None, end=None, /)")]
    fn rfind(&self, view: &PyObject, start: Option<&PyObject>, end: Option<&PyObject>) -> PyResult<isize> {
        self.search(view, start, end, true)
    }
    /// Writes changes to the file.
    #[method("($self, offset=0, size=None, /)")]
    fn flush(&self, offset: Option<isize>, size: Option<&PyObject>) -> PyResult<()> {
        self.check_open()?;
        let wrong = || raise!(ValueError, "flush values out of range");
        let offset = unsigned(offset, 0, wrong)?;
        let total = self.size.get();
        let size = match size {
            None => total.checked_sub(offset).ok_or_else(wrong)?,
            Some(size) => unsigned(Some(size.to_index(exc::OverflowError)?), 0, wrong)?,
        };
        if offset > total || size > total - offset {
            return Err(wrong());
        }
        if self.access == ACCESS_READ || self.access == ACCESS_COPY {
            return Ok(());
        }
        let data = self.data.get();
        // SAFETY: within the mapping.
        quick(allow_threads(|| unsafe {
            libc::msync(data.add(offset).cast(), size, libc::MS_SYNC)
        }))
        .map(drop)
    }
    /// Says how the memory will be used.
    #[method("($self, option, start=0, length=None, /)")]
    fn madvise(&self, option: i32, start: Option<isize>, length: Option<&PyObject>) -> PyResult<()> {
        self.check_open()?;
        let total = self.size.get();
        let start = unsigned(start, 0, || raise!(ValueError, "madvise start out of bounds"))?;
        if start >= total {
            return Err(raise!(ValueError, "madvise start out of bounds"));
        }
        let length = match length {
            None => total,
            Some(length) => {
                let length = length.to_index(exc::OverflowError)?;
                unsigned(Some(length), 0, || raise!(ValueError, "madvise length invalid"))?
            }
        };
        if start.checked_add(length).is_none() {
            return Err(raise!(OverflowError, "madvise length too large"));
        }
        let length = length.min(total - start);
        // SAFETY: within the mapping.
        quick(unsafe { libc::madvise(self.data.get().add(start).cast(), length, option) }).map(drop)
    }
    /// Copies bytes within the mapping.
    #[method("($self, dest, src, count, /)")]
    fn r#move(&self, dest: isize, src: isize, count: isize) -> PyResult<()> {
        self.check_open()?;
        self.check_writable()?;
        let wrong = || raise!(ValueError, "source, destination, or count out of range");
        let (dest, src) = (unsigned(Some(dest), 0, wrong)?, unsigned(Some(src), 0, wrong)?);
        let count = unsigned(Some(count), 0, wrong)?;
        let total = self.size.get();
        if dest > total || src > total || count > total - dest || count > total - src {
            return Err(wrong());
        }
        self.store(dest, &self.bytes()[src..src + count]);
        Ok(())
    }
    /// At most so many bytes from the position.
    #[method("($self, n=None, /)")]
    fn read(&self, n: Option<&PyObject>) -> PyResult<Ref<PyBytesObject>> {
        self.check_open()?;
        let wanted = match n {
            None => usize::MAX,
            Some(n) => usize::try_from(crate::io::optional_size(n)?.unwrap_or(-1)).unwrap_or(usize::MAX),
        };
        self.check_open()?;
        Ok(self.take(wanted.min(self.n_left())))
    }
    /// The byte at the position.
    #[method("($self, /)")]
    fn read_byte(&self) -> PyResult<u8> {
        self.check_open()?;
        let Some(byte) = self.bytes().get(self.pos.get()).copied() else {
            return Err(raise!(ValueError, "read byte out of range"));
        };
        self.pos.set(self.pos.get() + 1);
        Ok(byte)
    }
    /// The line at the position.
    #[method("($self, /)")]
    fn readline(&self) -> PyResult<Ref<PyBytesObject>> {
        self.check_open()?;
        let rest = &self.bytes()[self.size.get() - self.n_left()..];
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        Ok(self.take(len))
    }
    /// Changes the size of the mapping and of the file.
    #[method("($self, newsize, /)")]
    fn resize(&self, newsize: isize) -> PyResult<()> {
        self.check_open()?;
        self.check_resizable()?;
        let size = usize::try_from(newsize)
            .ok()
            .filter(|_| (isize::MAX - newsize) as i64 >= self.offset);
        let Some(size) = size else {
            return Err(raise!(ValueError, "new size out of range"));
        };
        if self.fd.get() >= 0 {
            // SAFETY: a plain system call.
            quick(unsafe { libc::ftruncate(self.fd.get(), self.offset + size as i64) })?;
        } else if self.flags & libc::MAP_SHARED != 0 && size > self.size.get() {
            // The kernel would give pages beyond the end that cannot be used.
            return Err(raise!(
                ValueError,
                "mmap: can't expand a shared anonymous mapping on Linux"
            ));
        }
        // SAFETY: the mapping is ours, and nobody has a pointer into it.
        let data = unsafe {
            libc::mremap(
                self.data.get().cast(),
                self.size.get(),
                size,
                libc::MREMAP_MAYMOVE,
            )
        };
        if data == libc::MAP_FAILED {
            return Err(posix_error());
        }
        self.data.set(data.cast());
        self.size.set(size);
        Ok(())
    }
    /// Moves the position; returns it.
    #[method("($self, pos, whence=0, /)")]
    fn seek(&self, pos: isize, whence: Option<i32>) -> PyResult<usize> {
        self.check_open()?;
        let origin = match whence.unwrap_or(0) {
            0 => 0,
            1 => self.pos.get() as isize,
            2 => self.size.get() as isize,
            _ => return Err(raise!(ValueError, "unknown seek type")),
        };
        let target = origin
            .checked_add(pos)
            .and_then(|target| usize::try_from(target).ok());
        match target.filter(|target| *target <= self.size.get()) {
            Some(target) => {
                self.pos.set(target);
                Ok(target)
            }
            None => Err(raise!(ValueError, "seek out of range")),
        }
    }
    /// True: the position can be changed.
    #[method("($self, /)")]
    fn seekable(&self) -> bool {
        true
    }
    /// The size of the file.
    #[method("($self, /)")]
    fn size(&self) -> PyResult<i64> {
        self.check_open()?;
        if self.fd.get() >= 0 {
            return Ok(file_status(self.fd.get())?.st_size);
        }
        if self.trackfd {
            return Ok(self.size.get() as i64);
        }
        Err(raise!(ValueError, "can't get size with trackfd=False"))
    }
    /// The position.
    #[method("($self, /)")]
    fn tell(&self) -> PyResult<usize> {
        self.check_open()?;
        Ok(self.pos.get())
    }
    /// Writes bytes at the position; returns how many.
    #[method("($self, bytes, /)")]
    fn write(&self, bytes: Buffer) -> PyResult<usize> {
        self.check_open()?;
        self.check_writable()?;
        if bytes.len() > self.n_left() {
            return Err(raise!(ValueError, "data out of range"));
        }
        self.store(self.pos.get(), bytes.as_bytes());
        self.pos.set(self.pos.get() + bytes.len());
        Ok(bytes.len())
    }
    /// Writes a byte at the position.
    #[method("($self, byte, /)")]
    fn write_byte(&self, byte: u8) -> PyResult<()> {
        self.check_open()?;
        self.check_writable()?;
        if self.n_left() == 0 {
            return Err(raise!(ValueError, "write byte out of range"));
        }
        self.store(self.pos.get(), &[byte]);
        self.pos.set(self.pos.get() + 1);
        Ok(())
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<Ref> {
        self.check_open()?;
        Ok(self.to_object())
    }
    #[method("($self, exc_type, exc_value, traceback, /)")]
    fn __exit__(&self, exc_type: &PyObject, exc_value: &PyObject, traceback: &PyObject) -> PyResult {
        let _ = (exc_type, exc_value, traceback);
        self.as_object().call_method(identifier!("close"), &[])
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        size_of::<Mmap>()
    }
    #[getter]
    fn closed(&self) -> bool {
        self.data.get().is_null()
    }
}

fn file_status(fd: c_int) -> PyResult<libc::stat> {
    // SAFETY: plain numbers, filled by the call.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a struct of ours.
    quick(allow_threads(|| unsafe { libc::fstat(fd, &mut st) }))?;
    Ok(st)
}

/// The size of a mapping of a file: 0 stands for the rest of the file.
fn checked_size(fd: c_int, size: usize, offset: i64) -> PyResult<usize> {
    let st = file_status(fd)?;
    if st.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Ok(size);
    }
    if size == 0 {
        if st.st_size == 0 {
            return Err(raise!(ValueError, "cannot mmap an empty file"));
        }
        if offset >= st.st_size {
            return Err(raise!(ValueError, "mmap offset is greater than file size"));
        }
        return Ok((st.st_size - offset) as usize);
    }
    if offset > st.st_size || ((st.st_size - offset) as usize) < size {
        return Err(raise!(ValueError, "mmap length is greater than file size"));
    }
    Ok(size)
}

/// Files as memory.
#[pymodule(name = "mmap", types = [MMAP_TYPE])]
pub mod mmap {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        // SAFETY: a plain query.
        let page_size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        libc_constants!(module;
            PROT_EXEC, PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_ANON,
            MAP_ANONYMOUS, MAP_POPULATE, MAP_STACK, MAP_NORESERVE, MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL,
            MADV_WILLNEED, MADV_DONTNEED, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_HWPOISON, MADV_MERGEABLE,
            MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_FREE,
        );
        int_constants!(module;
            ACCESS_DEFAULT = ACCESS_DEFAULT, ACCESS_READ = ACCESS_READ, ACCESS_WRITE = ACCESS_WRITE,
            ACCESS_COPY = ACCESS_COPY, PAGESIZE = page_size, ALLOCATIONGRANULARITY = page_size,
        );
        #[cfg(target_arch = "x86_64")]
        libc_constants!(module; MAP_32BIT);
        module.add("error", exc::OSError.as_object().to_ref())
    }
}
