//! The machinery of buffered streams: one buffer between a raw stream and its user.
//!
//! Positions count from the buffer's start: `pos` is the user's, `raw_pos` the raw stream's. `read_end` and `write_end`
//! are -1 while nothing valid to read, or to be written, is in the buffer. A lock keeps other threads out while the raw
//! stream works without the GIL.

use super::fileio::{FILEIO_TYPE, FileIO};
use super::*;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::thread::{INTERPRETER, allow_threads, thread_state};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The struct of BufferedReader, BufferedWriter and BufferedRandom.
#[repr(C)]
pub struct Buffered {
    pub head: IoHead,
    pub raw: ObjectCell,
    pub ok: Cell<bool>,
    pub detached: Cell<bool>,
    pub readable: Cell<bool>,
    pub writable: Cell<bool>,
    pub finalizing: Cell<c_char>,
    /// The raw stream is an exact FileIO and this stream's type is exact: closedness is the descriptor's.
    pub fast: Cell<bool>,
    /// The raw stream's absolute position, -1 when unknown.
    pub abs_pos: Cell<i64>,
    /// `buffer_size` bytes, or NULL.
    pub buffer: Cell<*mut u8>,
    pub buffer_size: Cell<usize>,
    pub pos: Cell<i64>,
    pub raw_pos: Cell<i64>,
    pub read_end: Cell<i64>,
    pub write_pos: Cell<i64>,
    pub write_end: Cell<i64>,
    /// The thread state that is inside, 0 for none.
    owner: Cell<usize>,
    n_waiting: Cell<usize>,
}

impl Drop for Buffered {
    fn drop(&mut self) {
        self.free_buffer();
    }
}

struct Waiters {
    lock: Mutex<()>,
    left: Condvar,
}
/// Threads that wait to get into any buffered stream.
static WAITERS: Waiters = Waiters {
    lock: Mutex::new(()),
    left: Condvar::new(),
};
/// A waiter looks again after this time in any case.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long the end of the interpreter waits for a daemon thread that may never leave.
const PATIENCE_AT_EXIT: Duration = Duration::from_secs(1);

/// The calling thread is inside; dropping it leaves.
pub struct Inside<'a>(&'a Buffered);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.owner.set(0);
        if self.0.n_waiting.get() > 0 {
            WAITERS.left.notify_all();
        }
    }
}

/// What a raw read or write gave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    Bytes(usize),
    WouldBlock,
}

/// BlockingIOError of a write that could not be finished.
#[cold]
fn would_block(n_written: usize) -> Raised {
    let errno = PyLongObject::from_i64(i64::from(libc::EAGAIN)).into_object();
    let text = PyUnicodeObject::from_str("write could not complete without blocking").into_object();
    let written = PyLongObject::from_usize(n_written).into_object();
    match exc::BlockingIOError.as_object().call(&[&errno, &text, &written]) {
        Ok(exception) => adder_runtime::error::raise_exception(exception),
        Err(raised) => raised,
    }
}

impl Buffered {
    pub fn blank() -> Buffered {
        Buffered {
            head: IoHead::new(),
            raw: ObjectCell::new(None),
            ok: Cell::new(false),
            detached: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            finalizing: Cell::new(0),
            fast: Cell::new(false),
            abs_pos: Cell::new(0),
            buffer: Cell::new(std::ptr::null_mut()),
            buffer_size: Cell::new(0),
            pos: Cell::new(0),
            raw_pos: Cell::new(0),
            read_end: Cell::new(-1),
            write_pos: Cell::new(0),
            write_end: Cell::new(-1),
            owner: Cell::new(0),
            n_waiting: Cell::new(0),
        }
    }
    pub fn object(&self) -> &PyObject {
        &self.head.ob_base
    }
    pub fn free_buffer(&self) {
        let old = self.buffer.replace(std::ptr::null_mut());
        // SAFETY: the buffer came from raw_malloc, or is null.
        unsafe { adder_runtime::memory::raw_free(old.cast()) }
    }
    /// Sets the stream up on `raw`.
    pub fn set_up(
        &self,
        raw: &PyObject,
        buffer_size: isize,
        readable: bool,
        writable: bool,
        own: &PyTypeObject,
    ) -> PyResult<()> {
        self.raw.set(Some(raw.to_ref()));
        self.readable.set(readable);
        self.writable.set(writable);
        if buffer_size <= 0 {
            return Err(raise!(ValueError, "buffer size must be strictly positive"));
        }
        self.free_buffer();
        let buffer = adder_runtime::memory::raw_malloc(buffer_size as usize).cast::<u8>();
        if buffer.is_null() {
            return Err(adder_runtime::memory::no_memory());
        }
        self.buffer.set(buffer);
        self.buffer_size.set(buffer_size as usize);
        self.fast
            .set(std::ptr::eq(self.object().ty(), own) && std::ptr::eq(raw.ty(), &FILEIO_TYPE));
        self.pos.set(0);
        self.raw_pos.set(0);
        self.reader_reset();
        self.writer_reset();
        if let Err(raised) = self.raw_tell() {
            raised.clear();
        }
        self.detached.set(false);
        self.ok.set(true);
        Ok(())
    }

    // ---- checks ----

    pub fn check_ready(&self) -> PyResult<()> {
        if self.ok.get() {
            return Ok(());
        }
        Err(self.not_ready())
    }
    #[cold]
    fn not_ready(&self) -> Raised {
        if self.detached.get() {
            raise!(ValueError, "raw stream has been detached")
        } else {
            raise!(ValueError, "I/O operation on uninitialized object")
        }
    }
    pub fn raw(&self) -> PyResult<Ref> {
        self.check_ready()?;
        self.raw.get().ok_or_else(|| self.not_ready())
    }
    fn raw_fileio(&self) -> Option<Ref<FileIO>> {
        if !self.fast.get() {
            return None;
        }
        let raw = self.raw.get()?;
        // SAFETY: `fast` says that it is a FileIO.
        Some(unsafe { raw.cast() })
    }
    /// `self.raw.closed`.
    pub fn raw_closed(&self) -> PyResult<bool> {
        match self.raw_fileio() {
            Some(file) => Ok(file.is_closed()),
            None => self.raw()?.get_attr(identifier!("closed"))?.is_true(),
        }
    }
    pub fn is_closed(&self) -> PyResult<bool> {
        Ok(self.buffer.get().is_null() || self.raw_closed()?)
    }
    /// ValueError on a closed stream that has nothing left to read either.
    pub fn check_open(&self, message: &str) -> PyResult<()> {
        if self.is_closed()? && self.readahead() == 0 {
            return Err(raise!(ValueError, "{message}"));
        }
        Ok(())
    }
    /// Goes in; waits for another thread that is in.
    pub fn enter(&self) -> PyResult<Inside<'_>> {
        let me = thread_state() as *const _ as usize;
        if self.owner.get() != 0 {
            self.wait_to_enter(me)?;
        }
        self.owner.set(me);
        Ok(Inside(self))
    }
    #[cold]
    fn wait_to_enter(&self, me: usize) -> PyResult<()> {
        if self.owner.get() == me {
            let shown = self.object().repr()?.to_string_lossy();
            return Err(raise!(RuntimeError, "reentrant call inside {shown}"));
        }
        self.n_waiting.set(self.n_waiting.get() + 1);
        let began = std::time::Instant::now();
        while self.owner.get() != 0 {
            if INTERPRETER.finalizing.load(Ordering::Relaxed) && began.elapsed() > PATIENCE_AT_EXIT {
                let shown = self.object().repr()?.to_string_lossy();
                eprintln!(
                    "Fatal Python error: _enter_buffered_busy: could not acquire lock for {shown} at interpreter \
                     shutdown, possibly due to daemon threads"
                );
                std::process::abort();
            }
            allow_threads(|| {
                let guard = WAITERS.lock.lock().unwrap();
                drop(WAITERS.left.wait_timeout(guard, LOOK_AGAIN));
            });
        }
        self.n_waiting.set(self.n_waiting.get() - 1);
        Ok(())
    }

    // ---- the buffer ----

    #[inline]
    pub fn valid_read(&self) -> bool {
        self.readable.get() && self.read_end.get() != -1
    }
    #[inline]
    pub fn valid_write(&self) -> bool {
        self.writable.get() && self.write_end.get() != -1
    }
    /// How many bytes can be read without the raw stream.
    #[inline]
    pub fn readahead(&self) -> usize {
        if self.valid_read() {
            (self.read_end.get() - self.pos.get()).max(0) as usize
        } else {
            0
        }
    }
    /// How far the raw stream is ahead of the user.
    pub fn raw_offset(&self) -> i64 {
        if (self.valid_read() || self.valid_write()) && self.raw_pos.get() >= 0 {
            self.raw_pos.get() - self.pos.get()
        } else {
            0
        }
    }
    pub fn reader_reset(&self) {
        self.read_end.set(-1);
    }
    pub fn writer_reset(&self) {
        self.write_pos.set(0);
        self.write_end.set(-1);
    }
    fn adjust_position(&self, position: i64) {
        self.pos.set(position);
        if self.valid_read() && self.read_end.get() < position {
            self.read_end.set(position);
        }
    }
    /// Bytes of the buffer.
    ///
    /// # Safety
    /// The range is within the buffer, and nobody writes there while the slice is in use.
    pub unsafe fn slice(&self, start: usize, len: usize) -> &[u8] {
        debug_assert!(start + len <= self.buffer_size.get());
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts(self.buffer.get().add(start), len) }
    }
    /// Bytes that are ready to be read; they stay until the next change of the buffer.
    pub fn ahead(&self) -> &[u8] {
        match self.readahead() {
            0 => &[],
            // SAFETY: between `pos` and `read_end`, which are within the buffer.
            len => unsafe { self.slice(self.pos.get() as usize, len) },
        }
    }
    /// Takes so many of the bytes ahead, as an object.
    pub fn take_ahead(&self, len: usize) -> Ref<PyBytesObject> {
        let bytes = PyBytesObject::from_slice(&self.ahead()[..len]);
        self.pos.set(self.pos.get() + len as i64);
        bytes
    }
    fn store(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.buffer_size.get());
        // SAFETY: within the buffer; the source may be anywhere.
        unsafe { std::ptr::copy(bytes.as_ptr(), self.buffer.get().add(at), bytes.len()) }
    }

    // ---- the raw stream ----

    fn note_raw_position(&self, position: i64) -> PyResult<i64> {
        if position < 0 {
            return Err(raise!(OSError, "Raw stream returned invalid position {position}"));
        }
        self.abs_pos.set(position);
        Ok(position)
    }
    pub fn raw_tell(&self) -> PyResult<i64> {
        let position = match self.raw_fileio() {
            Some(file) => file.tell_raw(),
            None => self
                .raw
                .get()
                .ok_or_else(|| self.not_ready())?
                .call_method(identifier!("tell"), &[])
                .and_then(|position| as_offset(&position)),
        };
        match position {
            Ok(position) => self.note_raw_position(position),
            Err(raised) => {
                self.abs_pos.set(-1);
                Err(raised)
            }
        }
    }
    /// The raw position without a call when it is known.
    pub fn known_raw_position(&self) -> PyResult<i64> {
        match self.abs_pos.get() {
            -1 => self.raw_tell(),
            position => Ok(position),
        }
    }
    pub fn raw_seek(&self, target: i64, whence: c_int) -> PyResult<i64> {
        let position = match self.raw_fileio() {
            Some(file) => file.seek_raw(target, whence)?,
            None => {
                let target = PyLongObject::from_i64(target);
                let whence = PyLongObject::from_i64(i64::from(whence));
                let position = self
                    .raw()?
                    .call_method(identifier!("seek"), &[target.as_object(), whence.as_object()])?;
                as_offset(&position)?
            }
        };
        self.note_raw_position(position)
    }
    fn moved(&self, result: &PyObject, len: usize, what: &str) -> PyResult<Moved> {
        if is_none(result) {
            return Ok(Moved::WouldBlock);
        }
        let count = match result.to_index(exc::ValueError) {
            Ok(count) => count,
            Err(raised) => {
                let cause = raised.take();
                let raised = raise!(OSError, "raw {what} failed");
                return Err(adder_runtime::exceptions::set_cause_of_current(raised, cause));
            }
        };
        if count < 0 || count as usize > len {
            return Err(raise!(
                OSError,
                "raw {what} returned invalid length {count} (should have been between 0 and {len})"
            ));
        }
        Ok(Moved::Bytes(count as usize))
    }
    fn note_moved(&self, moved: Moved) -> Moved {
        if let Moved::Bytes(count) = moved
            && count > 0
            && self.abs_pos.get() != -1
        {
            self.abs_pos.set(self.abs_pos.get() + count as i64);
        }
        moved
    }
    /// Reads from the raw stream into memory that stays in place.
    ///
    /// # Safety
    /// `len` bytes can be written at `data`.
    pub unsafe fn raw_read(&self, data: *mut u8, len: usize) -> PyResult<Moved> {
        if let Some(file) = self.raw_fileio() {
            // SAFETY: the caller's contract.
            let count = unsafe { file.read_raw(data, len)? };
            return Ok(self.note_moved(count.map_or(Moved::WouldBlock, Moved::Bytes)));
        }
        // SAFETY: the view is not used after this call, but by who keeps it against the rules of readinto().
        let view = unsafe { PyMemoryViewObject::from_memory(data, len, true)? };
        let result = call_retrying(&*self.raw()?, identifier!("readinto"), &[view.as_object()])?;
        Ok(self.note_moved(self.moved(&result, len, "readinto()")?))
    }
    /// Writes to the raw stream.
    pub fn raw_write(&self, bytes: &[u8]) -> PyResult<Moved> {
        if let Some(file) = self.raw_fileio() {
            let count = file.write_raw(bytes)?;
            return Ok(self.note_moved(count.map_or(Moved::WouldBlock, Moved::Bytes)));
        }
        // SAFETY: as in raw_read.
        let view = unsafe { PyMemoryViewObject::from_memory(bytes.as_ptr().cast_mut(), bytes.len(), false)? };
        let result = call_retrying(&*self.raw()?, identifier!("write"), &[view.as_object()])?;
        Ok(self.note_moved(self.moved(&result, bytes.len(), "write()")?))
    }
    /// Reads once into the free part of the buffer.
    fn fill(&self) -> PyResult<Moved> {
        let start = if self.valid_read() {
            self.read_end.get() as usize
        } else {
            0
        };
        let len = self.buffer_size.get() - start;
        // SAFETY: within the buffer, which the lock keeps for this thread.
        let moved = unsafe { self.raw_read(self.buffer.get().add(start), len)? };
        if let Moved::Bytes(count) = moved
            && count > 0
        {
            self.read_end.set((start + count) as i64);
            self.raw_pos.set((start + count) as i64);
        }
        Ok(moved)
    }

    // ---- reading; the caller is inside ----

    /// All that is left; None when nothing is there yet.
    pub fn read_all(&self) -> PyResult {
        let n_ahead = self.readahead();
        let mut data = self.ahead().to_vec();
        self.pos.set(self.pos.get() + n_ahead as i64);
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        self.reader_reset();
        let raw = self.raw()?;
        if let Some(readall) = raw.get_attr_opt(identifier!("readall"))? {
            let rest = readall.call0()?;
            if is_none(&rest) {
                return Ok(if n_ahead == 0 {
                    rest
                } else {
                    PyBytesObject::from_vec(data).into_object()
                });
            }
            let rest = rest
                .downcast::<PyBytesObject>()
                .map_err(|_| raise!(TypeError, "readall() should return bytes"))?;
            if n_ahead == 0 {
                return Ok(rest.into_object());
            }
            data.extend_from_slice(rest.as_bytes());
            return Ok(PyBytesObject::from_vec(data).into_object());
        }
        loop {
            let chunk = call_retrying(&raw, identifier!("read"), &[])?;
            if is_none(&chunk) && data.is_empty() {
                return Ok(chunk);
            }
            let chunk = match chunk.downcast::<PyBytesObject>() {
                Ok(chunk) => chunk,
                Err(other) if is_none(&other) => break,
                Err(_) => return Err(raise!(TypeError, "read() should return bytes")),
            };
            if chunk.as_bytes().is_empty() {
                break;
            }
            data.extend_from_slice(chunk.as_bytes());
            if self.abs_pos.get() != -1 {
                self.abs_pos
                    .set(self.abs_pos.get() + chunk.as_bytes().len() as i64);
            }
        }
        Ok(PyBytesObject::from_vec(data).into_object())
    }
    /// At most `wanted` bytes, as many as come without the end or blocking; None when nothing is there yet.
    pub fn read_some(&self, wanted: usize) -> PyResult<Option<Ref<PyBytesObject>>> {
        let n_ahead = self.readahead();
        if wanted <= n_ahead {
            return Ok(Some(self.take_ahead(wanted)));
        }
        // SAFETY: what is not written is cut off before anybody sees the object.
        let result = unsafe { PyBytesObject::alloc(wanted)? };
        let out = result.as_bytes().as_ptr().cast_mut();
        let mut written = 0;
        let put = |written: usize, bytes: &[u8]| {
            debug_assert!(written + bytes.len() <= wanted);
            // SAFETY: within the new object.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.add(written), bytes.len()) }
        };
        let cut = |written: usize| -> Option<Ref<PyBytesObject>> {
            Some(if written == wanted {
                result.clone()
            } else {
                PyBytesObject::from_slice(&result.as_bytes()[..written])
            })
        };
        if n_ahead > 0 {
            put(0, self.ahead());
            written = n_ahead;
            self.pos.set(self.pos.get() + n_ahead as i64);
        }
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        self.reader_reset();
        let size = self.buffer_size.get();
        // Whole blocks go straight into the result.
        while wanted - written >= size {
            let whole = (wanted - written) / size * size;
            // SAFETY: within the new object.
            match unsafe { self.raw_read(out.add(written), whole)? } {
                Moved::Bytes(0) => return Ok(cut(written)),
                Moved::WouldBlock if written > 0 => return Ok(cut(written)),
                Moved::WouldBlock => return Ok(None),
                Moved::Bytes(count) => written += count,
            }
        }
        self.pos.set(0);
        self.raw_pos.set(0);
        self.read_end.set(0);
        // When the buffer has enough, the raw stream is not asked for more: it might block.
        while written < wanted && (self.read_end.get() as usize) < size {
            match self.fill()? {
                Moved::Bytes(0) => return Ok(cut(written)),
                Moved::WouldBlock if written > 0 => return Ok(cut(written)),
                Moved::WouldBlock => return Ok(None),
                Moved::Bytes(count) => {
                    let count = count.min(wanted - written);
                    put(written, &self.ahead()[..count]);
                    written += count;
                    self.pos.set(self.pos.get() + count as i64);
                }
            }
        }
        Ok(cut(written))
    }
    /// What is in the buffer, filled once when it is empty; nothing is taken.
    pub fn peek_ahead(&self) -> PyResult<Ref<PyBytesObject>> {
        if self.readahead() == 0 {
            self.reader_reset();
            let moved = self.fill()?;
            self.pos.set(0);
            if let Moved::WouldBlock | Moved::Bytes(0) = moved {
                return Ok(PyBytesObject::empty());
            }
        }
        Ok(PyBytesObject::from_slice(self.ahead()))
    }
    /// Fills a buffer; with `once` by at most one raw read. None when nothing is there yet.
    pub fn read_into(&self, buffer: &WritableBuffer, once: bool) -> PyResult<Option<usize>> {
        let n_ahead = self.readahead();
        let mut written = n_ahead.min(buffer.len());
        if n_ahead > 0 {
            buffer.write_at(0, &self.ahead()[..written]);
            self.pos.set(self.pos.get() + written as i64);
            if n_ahead >= buffer.len() {
                return Ok(Some(written));
            }
        }
        let _inside = self.enter()?;
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        self.reader_reset();
        self.pos.set(0);
        while written < buffer.len() {
            let remaining = buffer.len() - written;
            let moved = if remaining > self.buffer_size.get() {
                // SAFETY: within the view, which is writable and held.
                unsafe { self.raw_read(buffer.data().add(written), remaining)? }
            } else if !(once && written > 0) {
                let moved = self.fill()?;
                if let Moved::Bytes(count) = moved
                    && count > 0
                {
                    let count = count.min(remaining);
                    buffer.write_at(written, &self.ahead()[..count]);
                    self.pos.set(self.pos.get() + count as i64);
                    written += count;
                    continue;
                }
                moved
            } else {
                Moved::Bytes(0)
            };
            match moved {
                Moved::Bytes(0) => break,
                Moved::WouldBlock if written > 0 => break,
                Moved::WouldBlock => return Ok(None),
                Moved::Bytes(count) => written += count,
            }
            if once {
                break;
            }
        }
        Ok(Some(written))
    }
    /// A line of at most `limit` bytes (negative: any length).
    pub fn read_line(&self, limit: isize) -> PyResult<Ref<PyBytesObject>> {
        let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
        let ahead = self.ahead();
        let seen = &ahead[..ahead.len().min(left)];
        if let Some(at) = memchr::memchr(b'\n', seen) {
            return Ok(self.take_ahead(at + 1));
        }
        if seen.len() == left {
            return Ok(self.take_ahead(left));
        }
        let _inside = self.enter()?;
        let mut line = self.ahead().to_vec();
        self.pos.set(self.pos.get() + line.len() as i64);
        left -= line.len();
        if self.writable.get() {
            self.flush_and_rewind()?;
        }
        loop {
            self.reader_reset();
            let Moved::Bytes(1..) = self.fill()? else { break };
            self.pos.set(0);
            let ahead = self.ahead();
            let seen = &ahead[..ahead.len().min(left)];
            let end = memchr::memchr(b'\n', seen).map(|at| at + 1);
            let n_taken = end.unwrap_or(seen.len());
            line.extend_from_slice(&seen[..n_taken]);
            self.pos.set(n_taken as i64);
            left -= n_taken;
            if end.is_some() || left == 0 {
                break;
            }
        }
        Ok(PyBytesObject::from_vec(line))
    }

    // ---- writing; the caller is inside ----

    /// Writes the buffer's bytes to the raw stream.
    pub fn flush_writes(&self) -> PyResult<()> {
        if self.valid_write() && self.write_pos.get() != self.write_end.get() {
            let rewind = self.raw_offset() + (self.pos.get() - self.write_pos.get());
            if rewind != 0 {
                self.raw_seek(-rewind, 1)?;
                self.raw_pos.set(self.raw_pos.get() - rewind);
            }
            while self.write_pos.get() < self.write_end.get() {
                let (start, end) = (self.write_pos.get() as usize, self.write_end.get() as usize);
                // SAFETY: within the buffer, which the lock keeps for this thread.
                match self.raw_write(unsafe { self.slice(start, end - start) })? {
                    Moved::WouldBlock => return Err(would_block(0)),
                    Moved::Bytes(count) => {
                        self.write_pos.set((start + count) as i64);
                        self.raw_pos.set((start + count) as i64);
                    }
                }
                adder_runtime::hooks::run_pending_signals()?;
            }
        }
        // From here on there is nothing valid to be written.
        self.writer_reset();
        Ok(())
    }
    /// Writes the buffer's bytes, and puts the raw stream where the user is.
    pub fn flush_and_rewind(&self) -> PyResult<()> {
        self.flush_writes()?;
        if self.readable.get() {
            self.raw_seek(-self.raw_offset(), 1)?;
            self.reader_reset();
        }
        Ok(())
    }
    pub fn write_bytes(&self, bytes: &[u8]) -> PyResult<usize> {
        let size = self.buffer_size.get();
        if !self.valid_read() && !self.valid_write() {
            self.pos.set(0);
            self.raw_pos.set(0);
        }
        let start = self.pos.get() as usize;
        if bytes.len() <= size - start {
            self.store(start, bytes);
            if !self.valid_write() || self.write_pos.get() > self.pos.get() {
                self.write_pos.set(self.pos.get());
            }
            self.adjust_position((start + bytes.len()) as i64);
            if self.pos.get() > self.write_end.get() {
                self.write_end.set(self.pos.get());
            }
            return Ok(bytes.len());
        }
        if let Err(raised) = self.flush_writes() {
            if !raised.matches(exc::BlockingIOError) {
                return Err(raised);
            }
            return self.keep_what_fits(bytes, raised);
        }
        let offset = self.raw_offset();
        if offset != 0 {
            self.raw_seek(-offset, 1)?;
            self.raw_pos.set(self.raw_pos.get() - offset);
        }
        let mut written = 0;
        while bytes.len() - written > size {
            match self.raw_write(&bytes[written..])? {
                Moved::WouldBlock => {
                    self.store(0, &bytes[written..written + size]);
                    self.raw_pos.set(0);
                    self.adjust_position(size as i64);
                    self.write_pos.set(0);
                    self.write_end.set(size as i64);
                    return Err(would_block(written + size));
                }
                Moved::Bytes(count) => written += count,
            }
            adder_runtime::hooks::run_pending_signals()?;
        }
        if self.readable.get() {
            self.reader_reset();
        }
        let rest = &bytes[written..];
        self.store(0, rest);
        self.write_pos.set(0);
        self.write_end.set(rest.len() as i64);
        self.adjust_position(rest.len() as i64);
        self.raw_pos.set(0);
        Ok(bytes.len())
    }
    /// After a flush that would have blocked: buffers as much of `bytes` as there is room for.
    fn keep_what_fits(&self, bytes: &[u8], raised: Raised) -> PyResult<usize> {
        if self.readable.get() {
            self.reader_reset();
        }
        let size = self.buffer_size.get();
        let (start, end) = (self.write_pos.get(), self.write_end.get());
        // SAFETY: within the buffer.
        let pending = unsafe { self.slice(start as usize, (end - start) as usize) };
        self.store(0, pending);
        self.write_end.set(end - start);
        self.raw_pos.set(self.raw_pos.get() - start);
        self.pos.set(self.pos.get() - start);
        self.write_pos.set(0);
        let end = self.write_end.get() as usize;
        let n_kept = bytes.len().min(size - end);
        self.store(end, &bytes[..n_kept]);
        self.write_end.set((end + n_kept) as i64);
        self.pos.set(self.pos.get() + n_kept as i64);
        raised.clear();
        if n_kept == bytes.len() {
            Ok(n_kept)
        } else {
            Err(would_block(n_kept))
        }
    }

    // ---- positions ----

    pub fn tell_position(&self) -> PyResult<i64> {
        let position = self.raw_tell()?;
        // A device may have no position that moves.
        Ok((position - self.raw_offset()).max(0))
    }
    /// Moves the position; within the buffer without the raw stream.
    pub fn seek_to(&self, target: i64, whence: c_int) -> PyResult<i64> {
        if (whence == 0 || whence == 1) && self.readable.get() {
            let current = self.known_raw_position()?;
            let n_ahead = self.readahead() as i64;
            if n_ahead > 0 {
                let offset = if whence == 0 {
                    target - (current - self.raw_offset())
                } else {
                    target
                };
                if offset >= -self.pos.get() && offset <= n_ahead {
                    self.pos.set(self.pos.get() + offset);
                    return Ok((current - n_ahead + offset).max(0));
                }
            }
        }
        let _inside = self.enter()?;
        if self.writable.get() {
            self.flush_writes()?;
        }
        let target = if whence == 1 {
            target - self.raw_offset()
        } else {
            target
        };
        let position = self.raw_seek(target, whence)?;
        self.raw_pos.set(-1);
        if self.readable.get() {
            self.reader_reset();
        }
        Ok(position)
    }
    /// The object's buffer and its bytes, for a write.
    pub fn view_of(object: &PyObject) -> PyResult<Buffer> {
        Buffer::simple(object)
    }
}
