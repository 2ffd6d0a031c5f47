//! `_socket`: sockets. `address` has the addresses, `resolve` the names, `message` sendmsg and recvmsg, `constants` the
//! numbers; here is the type.
//!
//! A socket with a timeout is non-blocking for the system; calls wait with poll, without the GIL, and run signal handlers.

pub mod address;
pub mod constants;
pub mod message;
pub mod resolve;

use crate::io::WritableBuffer;
use crate::posixmodule::path::{errno, posix_error};
use crate::posixmodule::syscall::quick;
use crate::timemodule::clocks::{Round, clock_ns, ns_from_seconds};
use adder_runtime::exceptions::{self, exc};
use adder_runtime::objects::buffer::{Buffer, BytesArg};
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use address::Address;
use std::cell::Cell;
use std::mem::offset_of;
use std::sync::atomic::{AtomicI64, Ordering};

/// The timeout of new sockets, in nanoseconds; -1 for none.
static DEFAULT_TIMEOUT: AtomicI64 = AtomicI64::new(-1);

/// `_socket.socket`.
#[repr(C)]
pub struct Socket {
    ob_base: PyObject,
    fd: Cell<c_int>,
    family: Cell<c_int>,
    kind: Cell<c_int>,
    proto: Cell<c_int>,
    /// Nanoseconds; -1 waits for ever, 0 never waits.
    timeout_ns: Cell<i64>,
}

#[cold]
fn timed_out() -> Raised {
    raise!(TimeoutError, "timed out")
}

fn set_blocking(fd: c_int, blocking: bool) -> PyResult<()> {
    // SAFETY: plain system calls.
    let result = allow_threads(|| unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags < 0 {
            return flags;
        }
        let wanted = if blocking {
            flags & !libc::O_NONBLOCK
        } else {
            flags | libc::O_NONBLOCK
        };
        if wanted == flags {
            0
        } else {
            libc::fcntl(fd, libc::F_SETFL, wanted)
        }
    });
    quick(result).map(drop)
}

/// A timeout argument: None, or seconds that are not negative.
fn parse_timeout(timeout: &PyObject) -> PyResult<i64> {
    if is_none(timeout) {
        return Ok(-1);
    }
    match ns_from_seconds(timeout, Round::Timeout)? {
        ns if ns < 0 => Err(raise!(ValueError, "Timeout value out of range")),
        ns => Ok(ns),
    }
}

fn timeout_to_py(ns: i64) -> Option<f64> {
    (ns >= 0).then(|| ns as f64 / 1e9)
}

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Read,
    Write,
    Connect,
}

impl Socket {
    fn blank() -> Socket {
        Socket {
            ob_base: adder_runtime::memory::blank_header(),
            fd: Cell::new(-1),
            family: Cell::new(0),
            kind: Cell::new(0),
            proto: Cell::new(0),
            timeout_ns: Cell::new(-1),
        }
    }
    pub fn fd(&self) -> c_int {
        self.fd.get()
    }
    fn set_up(&self, fd: c_int, family: c_int, kind: c_int, proto: c_int) -> PyResult<()> {
        self.fd.set(fd);
        self.family.set(family);
        self.kind.set(kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC));
        self.proto.set(proto);
        if kind & libc::SOCK_NONBLOCK != 0 {
            self.timeout_ns.set(0);
            return Ok(());
        }
        let default = DEFAULT_TIMEOUT.load(Ordering::Relaxed);
        self.timeout_ns.set(default);
        if default >= 0 {
            set_blocking(fd, false)
        } else {
            Ok(())
        }
    }
    /// Waits until the socket is ready; false when the time is over, `Err` for a signal handler's exception.
    fn wait(&self, what: Wait, left_ns: i64) -> PyResult<bool> {
        let events = match what {
            Wait::Read => libc::POLLIN,
            Wait::Write => libc::POLLOUT,
            Wait::Connect => libc::POLLOUT | libc::POLLERR,
        };
        let mut entry = libc::pollfd {
            fd: self.fd.get(),
            events,
            revents: 0,
        };
        let timeout = if left_ns < 0 {
            -1
        } else {
            ((left_ns + 999_999) / 1_000_000).min(i64::from(c_int::MAX))
        };
        // SAFETY: a struct of ours.
        match allow_threads(|| unsafe { libc::poll(&mut entry, 1, timeout as c_int) }) {
            0 => Ok(false),
            count if count > 0 => Ok(true),
            _ if errno() == libc::EINTR => {
                adder_runtime::hooks::run_pending_signals()?;
                Ok(true)
            }
            _ => Err(posix_error()),
        }
    }
    /// Makes a call, waiting within the timeout until it can be made. `Ok` has its result, which is not negative.
    pub fn call(&self, what: Wait, timeout_ns: i64, mut f: impl FnMut(c_int) -> isize) -> PyResult<isize> {
        let deadline = if timeout_ns > 0 {
            Some(clock_ns(libc::CLOCK_MONOTONIC)?.saturating_add(timeout_ns))
        } else {
            None
        };
        loop {
            if timeout_ns > 0 || what == Wait::Connect {
                let left = match deadline {
                    Some(deadline) => {
                        let left = deadline - clock_ns(libc::CLOCK_MONOTONIC)?;
                        if left < 0 {
                            return Err(timed_out());
                        }
                        left
                    }
                    None => -1,
                };
                if !self.wait(what, left)? {
                    return Err(timed_out());
                }
            }
            let fd = self.fd.get();
            let result = allow_threads(|| f(fd));
            if result >= 0 {
                return Ok(result);
            }
            match errno() {
                libc::EINTR => adder_runtime::hooks::run_pending_signals()?,
                // The socket was ready, and is no more.
                libc::EAGAIN if timeout_ns > 0 => {}
                _ => return Err(posix_error()),
            }
        }
    }
    /// As `call`, with the socket's timeout.
    pub fn call_within(&self, what: Wait, f: impl FnMut(c_int) -> isize) -> PyResult<isize> {
        self.call(what, self.timeout_ns.get(), f)
    }
    fn parse_address(&self, object: &PyObject, function: &str) -> PyResult<Address> {
        address::parse(object, self.family.get(), function)
    }
    /// Connects; the error number, 0 when that succeeded.
    fn try_connect(&self, address: &Address) -> PyResult<c_int> {
        let fd = self.fd.get();
        // SAFETY: an address of the length that is said.
        if allow_threads(|| unsafe { libc::connect(fd, address.as_ptr(), address.len) }) == 0 {
            return Ok(0);
        }
        let error = errno();
        let goes_on = if error == libc::EINTR {
            adder_runtime::hooks::run_pending_signals()?;
            self.timeout_ns.get() != 0
        } else {
            self.timeout_ns.get() > 0 && error == libc::EINPROGRESS
        };
        if !goes_on {
            return Ok(error);
        }
        let mut status: c_int = 0;
        self.call_within(Wait::Connect, |fd| {
            let mut len = size_of::<c_int>() as libc::socklen_t;
            // SAFETY: room for the number.
            let result = unsafe {
                libc::getsockopt(
                    fd,
                    libc::SOL_SOCKET,
                    libc::SO_ERROR,
                    (&raw mut status).cast(),
                    &mut len,
                )
            };
            if result == 0 && status == libc::EISCONN {
                status = 0;
            }
            result as isize
        })?;
        Ok(status)
    }
    fn close_fd(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: a descriptor of ours.
            let result = allow_threads(|| unsafe { libc::close(fd) });
            // The peer's reset is no error of closing.
            if result < 0 && errno() != libc::ECONNRESET {
                return Err(posix_error());
            }
        }
        Ok(())
    }
    fn receive(&self, data: *mut u8, len: usize, flags: c_int) -> PyResult<usize> {
        if len == 0 {
            return Ok(0);
        }
        // SAFETY: the callers pass room for so many bytes.
        let count = self.call_within(Wait::Read, |fd| unsafe {
            libc::recv(fd, data.cast(), len, flags)
        })?;
        Ok(count as usize)
    }
    fn receive_from(&self, data: *mut u8, len: usize, flags: c_int) -> PyResult<(usize, Address)> {
        let mut address = Address::room();
        let room = address.len;
        let count = self.call_within(Wait::Read, |fd| {
            address.len = room;
            let (pointer, size) = (address.as_mut_ptr(), &raw mut address.len);
            // SAFETY: the callers pass room for so many bytes; the address is ours.
            unsafe { libc::recvfrom(fd, data.cast(), len, flags, pointer, size) }
        })?;
        // Stream sockets say nothing about the sender.
        if address.len as usize > size_of::<libc::sockaddr_storage>() || address.family() == 0 {
            address.len = 0;
        }
        Ok((count as usize, address))
    }
    fn send_slice(&self, bytes: &[u8], flags: c_int, timeout_ns: i64) -> PyResult<usize> {
        // SAFETY: so many bytes.
        let count = self.call(Wait::Write, timeout_ns, |fd| unsafe {
            libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags)
        })?;
        Ok(count as usize)
    }
    fn option_int(&self, level: c_int, option: c_int) -> PyResult<c_int> {
        option_int(self.fd.get(), level, option)
    }
}

fn option_int(fd: c_int, level: c_int, option: c_int) -> PyResult<c_int> {
    let mut value: c_int = 0;
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: room for the number.
    quick(unsafe { libc::getsockopt(fd, level, option, (&raw mut value).cast(), &mut len) })?;
    Ok(value)
}

/// The descriptor of a `fileno` argument.
fn given_fd(object: &PyObject) -> PyResult<c_int> {
    if PyFloatObject::check(object) {
        return Err(raise!(TypeError, "integer argument expected, got float"));
    }
    let fd = object.index()?.as_i32()?;
    if fd < 0 {
        return Err(raise!(ValueError, "negative file descriptor"));
    }
    Ok(fd)
}

/// The family of an open socket.
fn family_of(fd: c_int) -> PyResult<c_int> {
    let mut address = Address::room();
    let mut len = address.len;
    // SAFETY: room for any address.
    quick(unsafe { libc::getsockname(fd, address.as_mut_ptr(), &mut len) })?;
    Ok(address.family())
}

/// A buffer that is filled, then cut to what was read.
fn fill(
    size: isize,
    function: &str,
    read: impl FnOnce(*mut u8, usize) -> PyResult<usize>,
) -> PyResult<Ref<PyBytesObject>> {
    let Ok(size) = usize::try_from(size) else {
        return Err(raise!(ValueError, "negative buffersize in {function}"));
    };
    // SAFETY: what is not written is cut off before anybody sees the object.
    let bytes = unsafe { PyBytesObject::alloc(size)? };
    let count = read(bytes.as_bytes().as_ptr().cast_mut(), size)?;
    if count == size {
        return Ok(bytes);
    }
    Ok(PyBytesObject::from_slice(&bytes.as_bytes()[..count]))
}

/// How much of a buffer is to be filled.
fn wanted_size(buffer: &WritableBuffer, nbytes: Option<isize>, function: &str) -> PyResult<usize> {
    let wanted = nbytes.unwrap_or(0);
    let Ok(wanted) = usize::try_from(wanted) else {
        return Err(raise!(ValueError, "negative buffersize in {function}"));
    };
    if wanted == 0 {
        return Ok(buffer.len());
    }
    if wanted > buffer.len() {
        let problem = if function == "recv_into" {
            "buffer too small for requested bytes"
        } else {
            "nbytes is greater than the length of the buffer"
        };
        return Err(raise!(ValueError, "{problem}"));
    }
    Ok(wanted)
}

/// A socket: an endpoint of a connection.
#[pytype(
    name = "_socket.socket",
    static_name = SOCKET_TYPE,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("family", Py_T_INT, offset_of!(Socket, family), Py_READONLY, "the socket family"),
        ("type", Py_T_INT, offset_of!(Socket, kind), Py_READONLY, "the socket type"),
        ("proto", Py_T_INT, offset_of!(Socket, proto), Py_READONLY, "the socket protocol"),
    ],
    parts = [message::SOCKET_MESSAGES],
)]
impl Socket {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(cls, Socket::blank())?.into_object())
    }
    #[init("(family=-1, type=-1, proto=-1, fileno=None)")]
    fn init(
        &self,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        fileno: Option<&PyObject>,
    ) -> PyResult<()> {
        let (mut family, mut kind, mut proto) =
            (family.unwrap_or(-1), r#type.unwrap_or(-1), proto.unwrap_or(-1));
        let number = |value: c_int| PyLongObject::from_i64(i64::from(value)).into_object();
        let audited = [number(family), number(kind), number(proto)];
        adder_runtime::hooks::audit(
            "socket.__new__",
            &[self.as_object(), &audited[0], &audited[1], &audited[2]],
        )?;
        let fd = match fileno {
            Some(fileno) => {
                let fd = given_fd(fileno)?;
                // Also tells whether it is a socket at all.
                let actual = family_of(fd)?;
                if family == -1 {
                    family = actual;
                }
                if kind == -1 {
                    kind = option_int(fd, libc::SOL_SOCKET, libc::SO_TYPE)?;
                }
                if proto == -1 {
                    proto = option_int(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL)?;
                }
                fd
            }
            None => {
                family = if family == -1 { libc::AF_INET } else { family };
                kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
                proto = if proto == -1 { 0 } else { proto };
                // SAFETY: a plain system call.
                let fd = allow_threads(|| unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, proto) });
                if fd < 0 {
                    return Err(posix_error());
                }
                fd
            }
        };
        self.set_up(fd, family, kind, proto)
    }
    #[slot]
    fn tp_traverse(&self, _visitor: &Visitor) -> c_int {
        0
    }
    #[slot]
    fn tp_repr(&self) -> String {
        format!(
            "<socket object, fd={}, family={}, type={}, proto={}>",
            self.fd.get(),
            self.family.get(),
            self.kind.get(),
            self.proto.get()
        )
    }
    #[slot]
    fn tp_finalize(&self) {
        let fd = self.fd.get();
        if fd < 0 {
            return;
        }
        let object = self.as_object();
        let shown = object.repr().map(|repr| repr.to_string_lossy());
        let warned =
            shown.and_then(|shown| exceptions::warn_of_resource(object, &format!("unclosed {shown}")));
        if let Err(raised) = warned {
            if raised.matches(exc::Warning) {
                adder_runtime::error::write_unraisable(raised, None, Some(object));
            } else {
                raised.clear();
            }
        }
        if let Err(raised) = self.close_fd() {
            raised.clear();
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the object is dead but whole; the finalizer may bring it back.
        unsafe { crate::io::io_dealloc::<Self>(this.cast()) }
    }
    /// Waits for a connection: its descriptor and the peer's address.
    #[method("($self, /)")]
    fn _accept(&self) -> PyResult<(i32, Ref)> {
        let mut address = Address::room();
        let room = address.len;
        let fd = self.call_within(Wait::Read, |fd| {
            address.len = room;
            let (pointer, size) = (address.as_mut_ptr(), &raw mut address.len);
            // SAFETY: the address is ours.
            unsafe { libc::accept4(fd, pointer, size, libc::SOCK_CLOEXEC) as isize }
        })?;
        Ok((fd as i32, address::to_py(&address)?))
    }
    /// Binds the socket to an address.
    #[method("($self, address, /)")]
    fn bind(&self, address: &PyObject) -> PyResult<()> {
        let parsed = self.parse_address(address, "bind")?;
        adder_runtime::hooks::audit("socket.bind", &[self.as_object(), address])?;
        let fd = self.fd.get();
        // SAFETY: an address of the length that is said.
        quick(allow_threads(|| unsafe {
            libc::bind(fd, parsed.as_ptr(), parsed.len)
        }))
        .map(drop)
    }
    /// Closes the socket; a closed socket stays as it is.
    #[method("($self, /)")]
    fn close(&self) -> PyResult<()> {
        self.close_fd()
    }
    /// Connects the socket to an address.
    #[method("($self, address, /)")]
    fn connect(&self, address: &PyObject) -> PyResult<()> {
        let parsed = self.parse_address(address, "connect")?;
        adder_runtime::hooks::audit("socket.connect", &[self.as_object(), address])?;
        match self.try_connect(&parsed)? {
            0 => Ok(()),
            error => Err(exceptions::os_error_from_errno(error, None, None)),
        }
    }
    /// As connect(), but returns the error number.
    #[method("($self, address, /)")]
    fn connect_ex(&self, address: &PyObject) -> PyResult<i32> {
        let parsed = self.parse_address(address, "connect_ex")?;
        adder_runtime::hooks::audit("socket.connect", &[self.as_object(), address])?;
        match self.try_connect(&parsed) {
            Err(raised) if raised.matches(exc::TimeoutError) => {
                raised.clear();
                Ok(libc::EWOULDBLOCK)
            }
            result => result,
        }
    }
    /// Gives the descriptor away, without closing it.
    #[method("($self, /)")]
    fn detach(&self) -> i32 {
        self.fd.replace(-1)
    }
    /// The descriptor, -1 when closed.
    #[method("($self, /)")]
    fn fileno(&self) -> i32 {
        self.fd.get()
    }
    /// The peer's address.
    #[method("($self, /)")]
    fn getpeername(&self) -> PyResult {
        let mut address = Address::room();
        let fd = self.fd.get();
        let mut len = address.len;
        // SAFETY: room for any address.
        quick(allow_threads(|| unsafe {
            libc::getpeername(fd, address.as_mut_ptr(), &mut len)
        }))?;
        address.len = len;
        address::to_py(&address)
    }
    /// The socket's own address.
    #[method("($self, /)")]
    fn getsockname(&self) -> PyResult {
        let mut address = Address::room();
        let fd = self.fd.get();
        let mut len = address.len;
        // SAFETY: room for any address.
        quick(allow_threads(|| unsafe {
            libc::getsockname(fd, address.as_mut_ptr(), &mut len)
        }))?;
        address.len = len;
        address::to_py(&address)
    }
    /// An option's value: a number, or with a buffer length bytes.
    #[method("($self, level, option, buffersize=0, /)")]
    fn getsockopt(&self, level: i32, option: i32, buffersize: Option<i32>) -> PyResult {
        match buffersize.unwrap_or(0) {
            // Options of this family are numbers of 64 bits.
            0 if self.family.get() == libc::AF_VSOCK => {
                let mut number = 0u64;
                let mut len = size_of::<u64>() as libc::socklen_t;
                // SAFETY: room for such a number.
                quick(unsafe {
                    libc::getsockopt(self.fd.get(), level, option, (&raw mut number).cast(), &mut len)
                })?;
                Ok(PyLongObject::from_u64(number).into_object())
            }
            0 => Ok(PyLongObject::from_i64(i64::from(self.option_int(level, option)?)).into_object()),
            size @ 1..=1024 => {
                let mut buffer = [0u8; 1024];
                let mut len = size as libc::socklen_t;
                // SAFETY: room for so many bytes.
                quick(unsafe {
                    libc::getsockopt(self.fd.get(), level, option, buffer.as_mut_ptr().cast(), &mut len)
                })?;
                Ok(PyBytesObject::from_slice(&buffer[..len as usize]).into_object())
            }
            _ => Err(raise!(OSError, "getsockopt buflen out of range")),
        }
    }
    /// Sets an option to a number, to bytes, or (None with a length) to NULL.
    #[method("($self, level, option, value, optlen=<unrepresentable>, /)")]
    fn setsockopt(&self, level: i32, option: i32, value: &PyObject, optlen: Option<u32>) -> PyResult<()> {
        let fd = self.fd.get();
        if let Some(len) = optlen {
            if !is_none(value) {
                return Err(raise!(
                    TypeError,
                    "setsockopt() argument 3 must be None, not {}",
                    value.ty().name()
                ));
            }
            // SAFETY: NULL with the length that the caller wants.
            return quick(unsafe { libc::setsockopt(fd, level, option, std::ptr::null(), len) }).map(drop);
        }
        if level == libc::AF_VSOCK && value.has_index() {
            // A number of 64 bits, with or without a sign.
            let number = value.index()?;
            let number = number.to_u64().or_else(|| number.to_i64().map(|number| number as u64));
            let number = number.ok_or_else(|| raise!(OverflowError, "int too big to convert"))?;
            let len = size_of::<u64>() as libc::socklen_t;
            // SAFETY: a number of ours.
            return quick(unsafe { libc::setsockopt(fd, level, option, (&raw const number).cast(), len) })
                .map(drop);
        }
        if value.has_index() {
            let number = value.index()?;
            let number = match number.to_i64() {
                Some(number) if c_int::try_from(number).is_ok() || u32::try_from(number).is_ok() => {
                    number as c_int
                }
                _ => return Err(raise!(OverflowError, "signed integer is greater than maximum")),
            };
            let len = size_of::<c_int>() as libc::socklen_t;
            // SAFETY: a number of ours.
            return quick(unsafe { libc::setsockopt(fd, level, option, (&raw const number).cast(), len) })
                .map(drop);
        }
        if is_none(value) {
            return Err(raise!(
                TypeError,
                "setsockopt() takes exactly 4 arguments (3 given)"
            ));
        }
        let view = BytesArg::of(value)?;
        let bytes = view.as_bytes();
        let len = bytes.len() as libc::socklen_t;
        // SAFETY: so many bytes.
        quick(unsafe { libc::setsockopt(fd, level, option, bytes.as_ptr().cast(), len) }).map(drop)
    }
    /// Lets peers connect, so many of which may wait.
    #[method("($self, backlog=<unrepresentable>, /)")]
    fn listen(&self, backlog: Option<i32>) -> PyResult<()> {
        let backlog = backlog.unwrap_or(libc::SOMAXCONN.min(128)).max(0);
        let fd = self.fd.get();
        // SAFETY: a plain system call.
        quick(allow_threads(|| unsafe { libc::listen(fd, backlog) })).map(drop)
    }
    /// Receives at most so many bytes; none when the peer has closed.
    #[method("($self, buffersize, flags=0, /)")]
    fn recv(&self, buffersize: isize, flags: Option<i32>) -> PyResult<Ref<PyBytesObject>> {
        fill(buffersize, "recv", |data, len| {
            self.receive(data, len, flags.unwrap_or(0))
        })
    }
    /// Receives into a buffer; returns how many bytes.
    #[method("($self, /, buffer, nbytes=0, flags=0)")]
    fn recv_into(
        &self,
        buffer: WritableBuffer,
        nbytes: Option<isize>,
        flags: Option<i32>,
    ) -> PyResult<usize> {
        let size = wanted_size(&buffer, nbytes, "recv_into")?;
        self.receive(buffer.data(), size, flags.unwrap_or(0))
    }
    /// Receives at most so many bytes, and the sender's address.
    #[method("($self, buffersize, flags=0, /)")]
    fn recvfrom(&self, buffersize: isize, flags: Option<i32>) -> PyResult<(Ref<PyBytesObject>, Ref)> {
        let mut sender = None;
        let bytes = fill(buffersize, "recvfrom", |data, len| {
            let (count, address) = self.receive_from(data, len, flags.unwrap_or(0))?;
            sender = Some(address);
            Ok(count)
        })?;
        let sender = sender.as_ref().map_or_else(|| Ok(none_ref()), address::to_py)?;
        Ok((bytes, sender))
    }
    /// Receives into a buffer: how many bytes, and the sender's address.
    #[method("($self, /, buffer, nbytes=0, flags=0)")]
    fn recvfrom_into(
        &self,
        buffer: WritableBuffer,
        nbytes: Option<isize>,
        flags: Option<i32>,
    ) -> PyResult<(usize, Ref)> {
        let size = wanted_size(&buffer, nbytes, "recvfrom_into")?;
        let (count, address) = self.receive_from(buffer.data(), size, flags.unwrap_or(0))?;
        Ok((count, address::to_py(&address)?))
    }
    /// Sends bytes; returns how many were sent.
    #[method("($self, data, flags=0, /)")]
    fn send(&self, data: BytesArg<'_>, flags: Option<i32>) -> PyResult<usize> {
        self.send_slice(data.as_bytes(), flags.unwrap_or(0), self.timeout_ns.get())
    }
    /// Sends all of the bytes.
    #[method("($self, data, flags=0, /)")]
    fn sendall(&self, data: BytesArg<'_>, flags: Option<i32>) -> PyResult<()> {
        let mut bytes = data.as_bytes();
        let timeout = self.timeout_ns.get();
        let deadline = if timeout > 0 {
            Some(clock_ns(libc::CLOCK_MONOTONIC)?.saturating_add(timeout))
        } else {
            None
        };
        while !bytes.is_empty() {
            let left = match deadline {
                Some(deadline) => match deadline - clock_ns(libc::CLOCK_MONOTONIC)? {
                    left if left <= 0 => return Err(timed_out()),
                    left => left,
                },
                None => timeout,
            };
            let count = self.send_slice(bytes, flags.unwrap_or(0), left)?;
            bytes = &bytes[count..];
            adder_runtime::hooks::run_pending_signals()?;
        }
        Ok(())
    }
    /// Sends bytes to an address: sendto(data, address) or sendto(data, flags, address).
    #[method(raw, "(...)")]
    fn sendto(&self, args: &[&PyObject]) -> PyResult<isize> {
        let (data, flags, target) = match args {
            [data, target] => (data, 0, target),
            [data, flags, target] => (data, flags.index()?.as_i32()?, target),
            _ => {
                return Err(raise!(
                    TypeError,
                    "sendto() takes 2 or 3 arguments ({} given)",
                    args.len()
                ));
            }
        };
        let view = BytesArg::of(data)?;
        let bytes = view.as_bytes();
        let parsed = self.parse_address(target, "sendto")?;
        adder_runtime::hooks::audit("socket.sendto", &[self.as_object(), target])?;
        // SAFETY: so many bytes, and an address of the length that is said.
        self.call_within(Wait::Write, |fd| unsafe {
            libc::sendto(
                fd,
                bytes.as_ptr().cast(),
                bytes.len(),
                flags,
                parsed.as_ptr(),
                parsed.len,
            )
        })
    }
    /// Makes calls wait, or not.
    #[method("($self, flag, /)")]
    fn setblocking(&self, flag: bool) -> PyResult<()> {
        self.timeout_ns.set(if flag { -1 } else { 0 });
        set_blocking(self.fd.get(), flag)
    }
    /// Whether calls wait.
    #[method("($self, /)")]
    fn getblocking(&self) -> bool {
        self.timeout_ns.get() != 0
    }
    /// Sets how long calls wait, in seconds; None for ever.
    #[method("($self, timeout, /)")]
    fn settimeout(&self, timeout: &PyObject) -> PyResult<()> {
        let timeout = parse_timeout(timeout)?;
        self.timeout_ns.set(timeout);
        set_blocking(self.fd.get(), timeout < 0)
    }
    /// How long calls wait, in seconds; None for ever.
    #[method("($self, /)")]
    fn gettimeout(&self) -> Option<f64> {
        timeout_to_py(self.timeout_ns.get())
    }
    /// Ends one or both directions of the connection.
    #[method("($self, how, /)")]
    fn shutdown(&self, how: i32) -> PyResult<()> {
        let fd = self.fd.get();
        // SAFETY: a plain system call.
        quick(allow_threads(|| unsafe { libc::shutdown(fd, how) })).map(drop)
    }
    #[getter]
    fn timeout(&self) -> Option<f64> {
        timeout_to_py(self.timeout_ns.get())
    }
}

/// Sockets; use `socket`.
#[pymodule(name = "_socket", types = [SOCKET_TYPE])]
pub mod _socket {
    use super::*;

    /// Closes the descriptor of a socket.
    #[pyfunction("($module, fd, /)", name = "close")]
    fn close_(fd: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        let result = allow_threads(|| unsafe { libc::close(fd) });
        if result < 0 && errno() != libc::ECONNRESET {
            Err(posix_error())
        } else {
            Ok(())
        }
    }
    /// A duplicate of the descriptor of a socket, which child processes do not inherit.
    #[pyfunction("($module, fd, /)")]
    fn dup(fd: i32) -> PyResult<i32> {
        // SAFETY: a plain system call.
        quick(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })
    }
    /// A pair of connected sockets.
    #[pyfunction("($module, family=AF_UNIX, type=SOCK_STREAM, proto=0, /)")]
    fn socketpair(family: Option<i32>, r#type: Option<i32>, proto: Option<i32>) -> PyResult<(Ref, Ref)> {
        let (family, kind) = (
            family.unwrap_or(libc::AF_UNIX),
            r#type.unwrap_or(libc::SOCK_STREAM),
        );
        let proto = proto.unwrap_or(0);
        let mut fds = [-1; 2];
        // SAFETY: room for two descriptors.
        quick(allow_threads(|| unsafe {
            libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, fds.as_mut_ptr())
        }))?;
        let make = |fd: c_int| -> PyResult {
            let socket = Ref::new(Socket::blank())?;
            socket.set_up(fd, family, kind, proto)?;
            Ok(socket.into_object())
        };
        let first = make(fds[0])?;
        Ok((first, make(fds[1])?))
    }
    /// The timeout of new sockets, in seconds; None for none.
    #[pyfunction("($module, /)")]
    fn getdefaulttimeout() -> Option<f64> {
        timeout_to_py(DEFAULT_TIMEOUT.load(Ordering::Relaxed))
    }
    /// Sets the timeout of new sockets.
    #[pyfunction("($module, timeout, /)")]
    fn setdefaulttimeout(timeout: &PyObject) -> PyResult<()> {
        DEFAULT_TIMEOUT.store(parse_timeout(timeout)?, Ordering::Relaxed);
        Ok(())
    }

    unsafe extern "C" fn nothing_behind(_capsule: *mut PyObject, _visit: visitproc, _arg: *mut c_void) -> c_int {
        0
    }
    unsafe extern "C" fn nothing_to_clear(_capsule: *mut PyObject) -> c_int {
        0
    }
    /// The capsule of socketmodule.h: the socket type and two exceptions.
    fn c_api() -> PyResult {
        let api = [
            SOCKET_TYPE.as_object().as_ptr(),
            exc::OSError.as_object().as_ptr(),
            exc::TimeoutError.as_object().as_ptr(),
        ];
        let api = Box::into_raw(Box::new(api)).cast();
        let capsule = adder_runtime::objects::capsule::PyCapsule::new(api, c"_socket.CAPI".as_ptr(), None)?;
        // What it points to is static: the collector finds nothing behind it.
        capsule.set_traverse(nothing_behind, nothing_to_clear);
        Ok(capsule.into_object())
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        crate::module_parts::add_part(module, &resolve::part::DEF)?;
        crate::module_parts::add_part(module, &message::part::DEF)?;
        constants::add(module)?;
        module.add("SocketType", SOCKET_TYPE.as_object().to_ref())?;
        module.add("CAPI", c_api()?)?;
        module.add("error", exc::OSError.as_object().to_ref())?;
        module.add("timeout", exc::TimeoutError.as_object().to_ref())?;
        module.add("gaierror", resolve::gaierror_type()?.as_object().to_ref())?;
        module.add("herror", resolve::herror_type()?.as_object().to_ref())?;
        module.add("has_ipv6", py_bool(true))?;
        module.add(
            "BDADDR_ANY",
            PyUnicodeObject::from_str("00:00:00:00:00:00").into_object(),
        )?;
        module.add(
            "BDADDR_LOCAL",
            PyUnicodeObject::from_str("00:00:00:FF:FF:FF").into_object(),
        )
    }
}

/// A view of what is to be sent.
pub(crate) fn view_of(object: &PyObject) -> PyResult<Buffer> {
    Buffer::simple(object)
}
