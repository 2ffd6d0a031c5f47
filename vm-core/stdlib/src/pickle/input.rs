//! A buffer, or `file.read`, `readline`, `readinto` and `peek` -> the bytes of instructions.
//!
//! A file is left standing behind the STOP that ends a pickle: what was only peeked at is skipped with a `read` later.

use super::UNPICKLING_ERROR;
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;

/// How much is asked of a file that can peek.
const PREFETCH: usize = 128 * 1024;

struct File {
    read: Ref,
    readline: Ref,
    readinto: Option<Ref>,
    peek: Option<Ref>,
}

/// Who keeps the bytes that are being read.
enum Owner {
    Nobody,
    Buffer(#[allow(dead_code, reason = "kept for its bytes")] Buffer),
    Bytes(Ref<PyBytesObject>),
}

pub struct Input {
    /// Bytes of `owner`.
    data: *const u8,
    len: usize,
    pos: usize,
    /// What may be read without further ado ends here: at the end of the frame, or of the data.
    limit: usize,
    framed: bool,
    /// How much of the bytes the file itself has moved past.
    taken: usize,
    owner: Owner,
    file: Option<File>,
}

#[cold]
pub fn truncated() -> Raised {
    UNPICKLING_ERROR.raise("pickle data was truncated")
}

impl Input {
    pub fn from_buffer(object: &PyObject) -> PyResult<Input> {
        let buffer = Buffer::simple(object)?;
        let bytes = buffer.as_bytes();
        let (data, len) = (bytes.as_ptr(), bytes.len());
        Ok(Input {
            data,
            len,
            pos: 0,
            limit: len,
            framed: false,
            taken: len,
            owner: Owner::Buffer(buffer),
            file: None,
        })
    }
    pub fn from_file(file: &PyObject) -> PyResult<Input> {
        let peek = file.get_attr_opt(identifier!("peek"))?;
        let readinto = file.get_attr_opt(identifier!("readinto"))?;
        let read = file.get_attr_opt(identifier!("read"))?;
        let readline = file.get_attr_opt(identifier!("readline"))?;
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(raise!(AttributeError, "file must have 'read' and 'readline' attributes"));
        };
        Ok(Input {
            data: std::ptr::NonNull::dangling().as_ptr(),
            len: 0,
            pos: 0,
            limit: 0,
            framed: false,
            taken: 0,
            owner: Owner::Nobody,
            file: Some(File {
                read,
                readline,
                readinto,
                peek,
            }),
        })
    }
    fn rest(&self) -> &[u8] {
        // SAFETY: `owner` keeps `len` bytes at `data`; `pos` is at most `limit`, and that at most `len`.
        unsafe { std::slice::from_raw_parts(self.data.add(self.pos), self.limit - self.pos) }
    }
    fn hold(&mut self, object: Ref, method: &str) -> PyResult<()> {
        let bytes = object.downcast::<PyBytesObject>().map_err(|object| match object.repr() {
            Ok(shown) => {
                let shown = shown.to_string_lossy();
                raise!(ValueError, "{method}() returned non-bytes object ({shown})")
            }
            Err(raised) => raised,
        })?;
        (self.data, self.len) = (bytes.as_bytes().as_ptr(), bytes.as_bytes().len());
        self.pos = 0;
        self.limit = self.len;
        self.framed = false;
        self.taken = self.len;
        self.owner = Owner::Bytes(bytes);
        Ok(())
    }
    /// Moves the file past what was read of the peeked bytes.
    pub fn skip_consumed(&mut self) -> PyResult<()> {
        let consumed = self.pos.saturating_sub(self.taken);
        if let Some(file) = &self.file
            && consumed > 0
        {
            self.taken = self.pos;
            file.read.call1(PyLongObject::from_usize(consumed).as_object())?;
        }
        Ok(())
    }
    /// Leaves a frame that was read to its end.
    fn end_frame(&mut self) -> PyResult<()> {
        if self.framed {
            if self.pos < self.limit {
                return Err(UNPICKLING_ERROR.raise("pickle exhausted before end of frame"));
            }
            self.framed = false;
            self.limit = self.len;
        }
        Ok(())
    }
    /// Gets at least `n` bytes to `data`, whose rest is too short.
    #[cold]
    fn fill(&mut self, n: usize) -> PyResult<()> {
        self.end_frame()?;
        if n <= self.limit - self.pos {
            return Ok(());
        }
        self.skip_consumed()?;
        let Some(file) = &mut self.file else { return Err(truncated()) };
        if n < PREFETCH
            && let Some(peek) = file.peek.clone()
        {
            match peek.call1(PyLongObject::from_usize(PREFETCH).as_object()) {
                Ok(bytes) => {
                    self.hold(bytes, "peek")?;
                    self.taken = 0;
                    if self.len >= n {
                        return Ok(());
                    }
                }
                Err(raised) => {
                    raised.clear_if(exc::NotImplementedError)?;
                    file.peek = None;
                }
            }
        }
        let Some(file) = &self.file else { return Err(truncated()) };
        let bytes = file.read.clone().call1(PyLongObject::from_usize(n).as_object())?;
        self.hold(bytes, "read")?;
        if self.len < n {
            return Err(truncated());
        }
        Ok(())
    }
    #[inline]
    pub fn read(&mut self, n: usize) -> PyResult<&[u8]> {
        if n > self.limit - self.pos {
            self.fill(n)?;
        }
        let start = self.pos;
        self.pos += n;
        // SAFETY: there are `n` bytes at `pos`, which `owner` keeps.
        Ok(unsafe { std::slice::from_raw_parts(self.data.add(start), n) })
    }
    #[inline]
    pub fn read_array<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.read(N)?);
        Ok(array)
    }
    #[inline]
    pub fn read_u8(&mut self) -> PyResult<u8> {
        let [byte] = self.read_array()?;
        Ok(byte)
    }
    /// Bytes as an object; without a copy, when the file gave just these.
    pub fn read_bytes(&mut self, n: usize) -> PyResult<Ref<PyBytesObject>> {
        if n > self.limit - self.pos {
            self.fill(n)?;
        }
        if let Owner::Bytes(bytes) = &self.owner
            && self.pos == 0
            && self.len == n
            && PyBytesObject::check_exact(bytes.as_object())
        {
            self.pos = n;
            return Ok(bytes.clone());
        }
        Ok(PyBytesObject::from_slice(self.read(n)?))
    }
    /// A fresh bytearray, read into directly where the file can do that.
    pub fn read_bytearray(&mut self, n: usize) -> PyResult<Ref<PyByteArrayObject>> {
        if n > self.limit - self.pos {
            self.end_frame()?;
        }
        let there = self.limit - self.pos;
        let readinto = self.file.as_ref().and_then(|file| file.readinto.clone());
        let (Some(readinto), true) = (readinto, n > there) else {
            return PyByteArrayObject::try_from_slice(self.read(n)?);
        };
        let array = PyByteArrayObject::try_from_slice(self.read(there)?)?;
        array.resize(n)?;
        self.skip_consumed()?;
        let view = PyMemoryViewObject::type_object().as_object().call1(array.as_object())?;
        let bounds = [Some(there), None, None].map(|bound| bound.map(|n| PyLongObject::from_usize(n).into_object()));
        let slice = adder_runtime::objects::sliceobject::PySlice_Type.as_object();
        let bounds = bounds.map(|bound| bound.unwrap_or_else(none_ref));
        let target = view.get_item(&*slice.call(&[&bounds[0], &bounds[1], &bounds[2]])?)?;
        let n_read = readinto.call1(&target)?.index()?.as_isize()?;
        target.call_method(identifier!("release"), &[])?;
        view.call_method(identifier!("release"), &[])?;
        if n_read < 0 {
            return Err(raise!(ValueError, "readinto() returned negative size"));
        }
        if (n_read as usize) < n - there {
            return Err(truncated());
        }
        Ok(array)
    }
    /// A line, without its end.
    pub fn read_line(&mut self) -> PyResult<&[u8]> {
        let mut end = memchr::memchr(b'\n', self.rest());
        if end.is_none() && self.framed {
            self.end_frame()?;
            end = memchr::memchr(b'\n', self.rest());
        }
        if end.is_none() {
            self.skip_consumed()?;
            // What was peeked at but not read is still the file's.
            if let Some(file) = &self.file {
                let line = file.readline.clone().call0()?;
                self.hold(line, "readline")?;
                end = memchr::memchr(b'\n', self.rest());
            }
        }
        let Some(end) = end else { return Err(truncated()) };
        let line = self.read(end + 1)?;
        Ok(&line[..end])
    }
    /// A frame of `n` bytes: they are got at once, and then read piece by piece.
    pub fn start_frame(&mut self, n: usize) -> PyResult<()> {
        if self.framed && self.pos < self.limit {
            return Err(UNPICKLING_ERROR.raise("beginning of a new frame before end of current frame"));
        }
        if n > self.limit - self.pos {
            self.fill(n)?;
        }
        self.framed = true;
        self.limit = self.pos + n;
        Ok(())
    }
}

impl Input {
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        let Some(file) = &self.file else { return 0 };
        for method in [Some(&file.read), Some(&file.readline), file.readinto.as_ref(), file.peek.as_ref()] {
            let status = method.map_or(0, |method| visitor.visit(method.as_raw()));
            if status != 0 {
                return status;
            }
        }
        0
    }
}
