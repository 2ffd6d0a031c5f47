//! `select`: waiting for descriptors, by select, poll and epoll.

use crate::module_parts::libc_constants;
use crate::posixmodule::path::{Fildes, as_file_descriptor, errno, posix_error};
use crate::timemodule::clocks::{NS_PER_S, Round, clock_ns, ns_from_seconds, timestamp_overflow};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// When a wait ends: never, or at this time of the monotonic clock.
struct Deadline(Option<i64>);

impl Deadline {
    fn after(timeout_ns: Option<i64>) -> PyResult<Deadline> {
        match timeout_ns {
            Some(timeout) => Ok(Deadline(Some(
                clock_ns(libc::CLOCK_MONOTONIC)?.saturating_add(timeout),
            ))),
            None => Ok(Deadline(None)),
        }
    }
    fn left_ns(&self) -> PyResult<Option<i64>> {
        match self.0 {
            Some(deadline) => Ok(Some((deadline - clock_ns(libc::CLOCK_MONOTONIC)?).max(0))),
            None => Ok(None),
        }
    }
}

/// Nanoseconds as milliseconds for the system, rounded up; -1 waits for ever.
fn milliseconds(ns: Option<i64>) -> c_int {
    ns.map_or(-1, |ns| {
        ((ns + 999_999) / 1_000_000).min(i64::from(c_int::MAX)) as c_int
    })
}

/// Makes the call until no signal interrupts it; it gets the milliseconds that are left.
fn wait(timeout_ns: Option<i64>, mut f: impl FnMut(c_int) -> c_int) -> PyResult<usize> {
    let deadline = Deadline::after(timeout_ns)?;
    let mut left = timeout_ns;
    loop {
        let timeout = milliseconds(left);
        let result = allow_threads(|| f(timeout));
        if result >= 0 {
            return Ok(result as usize);
        }
        if errno() != libc::EINTR {
            return Err(posix_error());
        }
        adder_runtime::hooks::run_pending_signals()?;
        left = deadline.left_ns()?;
    }
}

/// The descriptors of one of select's arguments, with the objects that they came from.
struct Watched {
    entries: Vec<(c_int, Ref)>,
}

impl Watched {
    fn of(sequence: &PyObject) -> PyResult<Watched> {
        let sequence = sequence.to_fast_sequence("arguments 1-3 must be sequences")?;
        let mut entries = Vec::new();
        // A list may change while its items are asked for their descriptors.
        let mut idx = 0;
        while idx < sequence.len()? {
            let object = sequence.get_index(idx as isize)?;
            idx += 1;
            let fd = as_file_descriptor(&object)?;
            if fd as usize >= libc::FD_SETSIZE {
                return Err(raise!(ValueError, "filedescriptor out of range in select()"));
            }
            if entries.len() >= libc::FD_SETSIZE {
                return Err(raise!(ValueError, "too many file descriptors in select()"));
            }
            entries.push((fd, object));
        }
        Ok(Watched { entries })
    }
    fn set(&self) -> libc::fd_set {
        // SAFETY: initialised at once; the descriptors are in range.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::FD_ZERO(&mut set);
            for (fd, _) in &self.entries {
                libc::FD_SET(*fd, &mut set);
            }
            set
        }
    }
    fn max(&self) -> c_int {
        self.entries.iter().map(|(fd, _)| *fd).max().unwrap_or(-1)
    }
    fn ready(&self, set: &libc::fd_set) -> Ref {
        // SAFETY: the descriptors are in range.
        let ready = self
            .entries
            .iter()
            .filter(|(fd, _)| unsafe { libc::FD_ISSET(*fd, set) });
        PyListObject::from_vec(ready.map(|(_, object)| object.clone()).collect()).into_object()
    }
}

/// `select.poll`.
#[repr(C)]
pub struct Poll {
    ob_base: PyObject,
    watched: RefCell<BTreeMap<c_int, u16>>,
    is_polling: Cell<bool>,
}

fn key_error(fd: c_int) -> Raised {
    raise!(KeyError, value => PyLongObject::from_i64(i64::from(fd)).into_object())
}

/// Waits for events on descriptors that are registered.
#[pytype(name = "select.poll", static_name = POLL_TYPE, flags = DISALLOW_INSTANTIATION)]
impl Poll {
    /// Registers a descriptor, or changes its events.
    #[method("($self, fd,\n         eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)")]
    fn register(&self, fd: Fildes, eventmask: Option<u16>) {
        let default = (libc::POLLIN | libc::POLLPRI | libc::POLLOUT) as u16;
        self.watched
            .borrow_mut()
            .insert(fd.0, eventmask.unwrap_or(default));
    }
    /// Changes the events of a registered descriptor.
    #[method("($self, fd, eventmask, /)")]
    fn modify(&self, fd: Fildes, eventmask: u16) -> PyResult<()> {
        match self.watched.borrow_mut().get_mut(&fd.0) {
            Some(events) => {
                *events = eventmask;
                Ok(())
            }
            None => Err(adder_runtime::exceptions::os_error_from_errno(
                libc::ENOENT,
                None,
                None,
            )),
        }
    }
    /// Forgets a descriptor.
    #[method("($self, fd, /)")]
    fn unregister(&self, fd: Fildes) -> PyResult<()> {
        match self.watched.borrow_mut().remove(&fd.0) {
            Some(_) => Ok(()),
            None => Err(key_error(fd.0)),
        }
    }
    /// Waits for events, at most so many milliseconds: a list of pairs of a descriptor and its events.
    #[method("($self, timeout=None, /)")]
    fn poll(&self, timeout: Option<&PyObject>) -> PyResult<Ref<PyListObject>> {
        let timeout = match timeout {
            None => None,
            Some(timeout) => Some(milliseconds_argument(timeout)?).filter(|timeout| *timeout >= 0),
        };
        if timeout.is_some_and(|timeout| timeout / 1_000_000 > i64::from(c_int::MAX)) {
            return Err(raise!(OverflowError, "timeout is too large"));
        }
        if self.is_polling.get() {
            return Err(raise!(RuntimeError, "concurrent poll() invocation"));
        }
        let mut fds: Vec<libc::pollfd> = self
            .watched
            .borrow()
            .iter()
            .map(|(fd, events)| libc::pollfd {
                fd: *fd,
                events: *events as i16,
                revents: 0,
            })
            .collect();
        self.is_polling.set(true);
        // SAFETY: so many structs of ours.
        let waited = wait(timeout, |timeout| unsafe {
            libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout)
        });
        self.is_polling.set(false);
        waited?;
        let ready = PyListObject::new();
        for entry in fds.iter().filter(|entry| entry.revents != 0) {
            let fd = PyLongObject::from_i64(i64::from(entry.fd)).into_object();
            let events = PyLongObject::from_i64(i64::from(entry.revents as u16)).into_object();
            ready.push(PyTupleObject::from_vec(vec![fd, events]).into_object());
        }
        Ok(ready)
    }
}

/// A timeout in milliseconds, int or float, in nanoseconds.
fn milliseconds_argument(timeout: &PyObject) -> PyResult<i64> {
    if let Some(float) = timeout.downcast::<PyFloatObject>() {
        let ns = float.value() * 1e6;
        if ns.is_nan() {
            return Err(raise!(ValueError, "Invalid value NaN (not a number)"));
        }
        let ns = if ns >= 0.0 { ns.ceil() } else { ns.floor() };
        if ns.abs() > 9.2e18 {
            return Err(timestamp_overflow());
        }
        return Ok(ns as i64);
    }
    if !timeout.has_index() {
        return Err(raise!(TypeError, "timeout must be an integer or None"));
    }
    let value = timeout.index()?.to_i64();
    value
        .and_then(|value| value.checked_mul(1_000_000))
        .ok_or_else(timestamp_overflow)
}

/// `select.epoll`.
#[repr(C)]
pub struct Epoll {
    ob_base: PyObject,
    fd: Cell<c_int>,
}

impl Epoll {
    fn open_fd(&self) -> PyResult<c_int> {
        match self.fd.get() {
            fd if fd < 0 => Err(raise!(ValueError, "I/O operation on closed epoll object")),
            fd => Ok(fd),
        }
    }
    fn control(&self, operation: c_int, fd: c_int, events: u32) -> PyResult<()> {
        let epoll = self.open_fd()?;
        let mut event = libc::epoll_event {
            events,
            u64: fd as u64,
        };
        // SAFETY: a struct of ours.
        match allow_threads(|| unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) }) {
            result if result < 0 => Err(posix_error()),
            _ => Ok(()),
        }
    }
    fn close_fd(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        // SAFETY: a descriptor of ours.
        if fd >= 0 && allow_threads(|| unsafe { libc::close(fd) }) < 0 {
            return Err(posix_error());
        }
        Ok(())
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        if self.fd.get() >= 0 {
            // SAFETY: a descriptor of ours.
            unsafe { libc::close(self.fd.get()) };
        }
    }
}

fn new_epoll(cls: &PyTypeObject, fd: c_int) -> PyResult {
    let epoll = Epoll {
        ob_base: adder_runtime::memory::blank_header(),
        fd: Cell::new(fd),
    };
    Ok(Ref::new_in(cls, epoll)?.into_object())
}

/// Waits for events on descriptors, by the system's epoll.
#[pytype(name = "select.epoll", static_name = EPOLL_TYPE)]
impl Epoll {
    #[new("(sizehint=-1, flags=0)")]
    fn new(cls: &PyTypeObject, sizehint: Option<i32>, flags: Option<i32>) -> PyResult {
        let sizehint = sizehint.unwrap_or(-1);
        if sizehint != -1 && sizehint <= 0 {
            return Err(raise!(ValueError, "negative sizehint"));
        }
        if !matches!(flags.unwrap_or(0), 0 | libc::EPOLL_CLOEXEC) {
            return Err(raise!(OSError, "invalid flags"));
        }
        // SAFETY: a plain system call.
        let fd = allow_threads(|| unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) });
        if fd < 0 {
            return Err(posix_error());
        }
        new_epoll(cls, fd)
    }
    /// An epoll object of a descriptor.
    #[classmethod("($type, fd, /)")]
    fn fromfd(cls: &PyTypeObject, fd: i32) -> PyResult {
        new_epoll(cls, fd)
    }
    /// Closes the descriptor.
    #[method("($self, /)")]
    fn close(&self) -> PyResult<()> {
        self.close_fd()
    }
    /// The descriptor.
    #[method("($self, /)")]
    fn fileno(&self) -> PyResult<i32> {
        self.open_fd()
    }
    /// Registers a descriptor.
    #[method("($self, /, fd,\n         eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)")]
    fn register(&self, fd: Fildes, eventmask: Option<u32>) -> PyResult<()> {
        let default = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32;
        self.control(libc::EPOLL_CTL_ADD, fd.0, eventmask.unwrap_or(default))
    }
    /// Changes the events of a registered descriptor.
    #[method("($self, /, fd, eventmask)")]
    fn modify(&self, fd: Fildes, eventmask: u32) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_MOD, fd.0, eventmask)
    }
    /// Forgets a descriptor.
    #[method("($self, /, fd)")]
    fn unregister(&self, fd: Fildes) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_DEL, fd.0, 0)
    }
    /// Waits for events, at most so many seconds: a list of pairs of a descriptor and its events.
    #[method("($self, /, timeout=None, maxevents=-1)")]
    fn poll(&self, timeout: Option<&PyObject>, maxevents: Option<i32>) -> PyResult<Ref<PyListObject>> {
        let epoll = self.open_fd()?;
        let timeout = match timeout {
            None => None,
            Some(timeout) => match ns_from_seconds(timeout, Round::Timeout) {
                Ok(timeout) => Some(timeout).filter(|timeout| *timeout >= 0),
                Err(raised) => {
                    raised.clear_if(exc::TypeError)?;
                    return Err(raise!(TypeError, "timeout must be an integer or None"));
                }
            },
        };
        let maxevents = match maxevents.unwrap_or(-1) {
            -1 => libc::FD_SETSIZE as i32 - 1,
            count if count < 1 => {
                return Err(raise!(
                    ValueError,
                    "maxevents must be greater than 0, got {count}"
                ));
            }
            count => count,
        };
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; maxevents as usize];
        // SAFETY: so many structs of ours.
        let count = wait(timeout, |timeout| unsafe {
            libc::epoll_wait(epoll, events.as_mut_ptr(), maxevents, timeout)
        })?;
        let ready = PyListObject::with_capacity(count);
        for event in &events[..count] {
            let (fd, events) = (event.u64 as c_int, event.events);
            let fd = PyLongObject::from_i64(i64::from(fd)).into_object();
            let events = PyLongObject::from_i64(i64::from(events)).into_object();
            ready.push(PyTupleObject::from_vec(vec![fd, events]).into_object());
        }
        Ok(ready)
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult<Ref> {
        self.open_fd()?;
        Ok(self.to_object())
    }
    #[method(raw, "(...)")]
    fn __exit__(&self, _args: &[&PyObject]) -> PyResult {
        self.as_object().call_method(identifier!("close"), &[])
    }
    #[getter]
    fn closed(&self) -> bool {
        self.fd.get() < 0
    }
}

/// Waiting for descriptors.
#[pymodule(name = "select", types = [EPOLL_TYPE])]
pub mod select {
    use super::*;

    /// Waits until descriptors can be read from, written to, or have something exceptional, at most so many seconds.
    #[pyfunction("($module, rlist, wlist, xlist, timeout=None, /)", name = "select")]
    fn select_(
        rlist: &PyObject,
        wlist: &PyObject,
        xlist: &PyObject,
        timeout: Option<&PyObject>,
    ) -> PyResult<(Ref, Ref, Ref)> {
        let timeout = match timeout {
            None => None,
            Some(timeout) => match ns_from_seconds(timeout, Round::Timeout) {
                Ok(timeout) if timeout < 0 => return Err(raise!(ValueError, "timeout must be non-negative")),
                Ok(timeout) => Some(timeout),
                Err(raised) => {
                    raised.clear_if(exc::TypeError)?;
                    return Err(raise!(TypeError, "timeout must be a float or None"));
                }
            },
        };
        let watched = [Watched::of(rlist)?, Watched::of(wlist)?, Watched::of(xlist)?];
        let count = watched.iter().map(Watched::max).max().unwrap_or(-1) + 1;
        let deadline = Deadline::after(timeout)?;
        let mut left = timeout;
        let sets = loop {
            let mut sets = [watched[0].set(), watched[1].set(), watched[2].set()];
            let mut limit = left.map(|left| libc::timeval {
                tv_sec: left / NS_PER_S,
                tv_usec: (left % NS_PER_S + 999) / 1000,
            });
            let [reads, writes, exceptional] = &mut sets;
            let limit = limit
                .as_mut()
                .map_or(std::ptr::null_mut(), |limit| &raw mut *limit);
            // SAFETY: sets and a limit of ours; no limit is NULL.
            let result = allow_threads(|| unsafe { libc::select(count, reads, writes, exceptional, limit) });
            if result >= 0 {
                break sets;
            }
            if errno() != libc::EINTR {
                return Err(posix_error());
            }
            adder_runtime::hooks::run_pending_signals()?;
            left = deadline.left_ns()?;
        };
        Ok((
            watched[0].ready(&sets[0]),
            watched[1].ready(&sets[1]),
            watched[2].ready(&sets[2]),
        ))
    }
    /// A new poll object.
    #[pyfunction("($module, /)")]
    fn poll() -> PyResult<Ref<Poll>> {
        Ref::new(Poll {
            ob_base: adder_runtime::memory::blank_header(),
            watched: RefCell::new(BTreeMap::new()),
            is_polling: Cell::new(false),
        })
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        adder_runtime::types::ready(&POLL_TYPE)?;
        libc_constants!(module;
            EPOLLERR, EPOLLEXCLUSIVE, EPOLLHUP, EPOLLIN, EPOLLMSG, EPOLLONESHOT, EPOLLOUT, EPOLLPRI, EPOLLRDBAND,
            EPOLLRDHUP, EPOLLRDNORM, EPOLLWAKEUP, EPOLLWRBAND, EPOLLWRNORM, EPOLL_CLOEXEC, PIPE_BUF, POLLERR, POLLHUP,
            POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM,
        );
        crate::module_parts::add_int(module, "POLLMSG", 1024)?;
        // The highest bit of an unsigned number.
        crate::module_parts::add_int(module, "EPOLLET", i64::from(libc::EPOLLET as u32))?;
        module.add("error", exc::OSError.as_object().to_ref())
    }
}
