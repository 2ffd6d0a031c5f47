//! `sendmsg` and `recvmsg`: several buffers, and ancillary data beside them.

use super::address::{self, Address};
use super::{Socket, Wait, view_of};
use crate::io::WritableBuffer;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;

const MAX_CONTROL: usize = c_int::MAX as usize;

/// The room that `len` bytes of ancillary data take, without padding behind them.
fn control_len(len: usize) -> Option<usize> {
    let len = libc::c_uint::try_from(len).ok()?;
    // SAFETY: plain arithmetic.
    let total = unsafe { libc::CMSG_LEN(len) } as usize;
    (total >= len as usize && total <= MAX_CONTROL).then_some(total)
}

/// The room that `len` bytes of ancillary data take, with padding.
fn control_space(len: usize) -> Option<usize> {
    // SAFETY: plain arithmetic.
    let smallest = unsafe { libc::CMSG_SPACE(1) } as usize;
    let len = libc::c_uint::try_from(len)
        .ok()
        .filter(|len| *len as usize <= MAX_CONTROL - smallest)?;
    // SAFETY: plain arithmetic.
    let total = unsafe { libc::CMSG_SPACE(len) } as usize;
    (total >= len as usize && total <= MAX_CONTROL).then_some(total)
}

fn blank_message() -> libc::msghdr {
    // SAFETY: plain numbers and null pointers.
    unsafe { std::mem::zeroed() }
}

/// Ancillary data as the system wants it, and how many bytes of that count: items are (level, type, bytes).
fn build_control(ancillary: &PyObject) -> PyResult<(Vec<u64>, usize)> {
    struct Item {
        level: c_int,
        kind: c_int,
        view: Buffer,
    }
    let mut items = Vec::new();
    let mut total = 0usize;
    for item in ancillary
        .to_fast_sequence("sendmsg() argument 2 must be an iterable")?
        .collect()?
    {
        let parts = item
            .as_object()
            .downcast::<PyTupleObject>()
            .map(PyTupleObject::as_slice);
        let Some([level, kind, data]) = parts else {
            return Err(raise!(
                TypeError,
                "[sendmsg() ancillary data items] must be a tuple of 3 elements"
            ));
        };
        let (level, kind) = (level.index()?.as_i32()?, kind.index()?.as_i32()?);
        let view = view_of(data)?;
        let Some(space) = control_space(view.len()) else {
            return Err(raise!(OSError, "ancillary data item too large"));
        };
        total += space;
        if total > MAX_CONTROL {
            return Err(raise!(OSError, "too much ancillary data"));
        }
        items.push(Item { level, kind, view });
    }
    // Words, so that the headers are aligned.
    let mut control = vec![0u64; total.div_ceil(8)];
    let mut message = blank_message();
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = total as _;
    // SAFETY: the buffer has room for all items, as was added up.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        for item in &items {
            if header.is_null() {
                return Err(raise!(RuntimeError, "unexpected NULL result from CMSG_NXTHDR"));
            }
            let bytes = item.view.as_bytes();
            (*header).cmsg_level = item.level;
            (*header).cmsg_type = item.kind;
            (*header).cmsg_len = control_len(bytes.len()).unwrap_or(0) as _;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), libc::CMSG_DATA(header), bytes.len());
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    Ok((control, total))
}

/// Ancillary data that came, as Python has it.
fn read_control(message: &libc::msghdr) -> PyResult<Ref<PyListObject>> {
    let list = PyListObject::new();
    if message.msg_controllen == 0 {
        return Ok(list);
    }
    // SAFETY: the system filled the buffer; a header that was cut short ends the walk.
    unsafe {
        let end = message
            .msg_control
            .cast::<u8>()
            .add(message.msg_controllen);
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            let data = libc::CMSG_DATA(header);
            let begin = data.offset_from(header.cast::<u8>()) as usize;
            let len = ((*header).cmsg_len as usize).saturating_sub(begin);
            let room = (end as usize).saturating_sub(data as usize);
            let bytes = std::slice::from_raw_parts(data, len.min(room));
            let number = |value: c_int| PyLongObject::from_i64(i64::from(value)).into_object();
            list.push(
                PyTupleObject::from_vec(vec![
                    number((*header).cmsg_level),
                    number((*header).cmsg_type),
                    PyBytesObject::from_slice(bytes).into_object(),
                ])
                .into_object(),
            );
            if len > room {
                break;
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    Ok(list)
}

struct Received {
    count: usize,
    control: Ref<PyListObject>,
    flags: c_int,
    sender: Ref,
}

impl Socket {
    fn receive_message(
        &self,
        iov: &mut [libc::iovec],
        control_size: Option<isize>,
        flags: c_int,
    ) -> PyResult<Received> {
        let control_size = control_size.unwrap_or(0);
        let Some(control_size) = usize::try_from(control_size)
            .ok()
            .filter(|size| *size <= MAX_CONTROL)
        else {
            return Err(raise!(ValueError, "invalid ancillary data buffer length"));
        };
        let mut control = vec![0u64; control_size.div_ceil(8)];
        let mut sender = Address::room();
        let room = sender.len;
        let mut message = blank_message();
        let count = self.call_within(Wait::Read, |fd| {
            message = blank_message();
            message.msg_name = sender.as_mut_ptr().cast();
            message.msg_namelen = room;
            message.msg_iov = iov.as_mut_ptr();
            message.msg_iovlen = iov.len() as _;
            message.msg_control = if control_size > 0 {
                control.as_mut_ptr().cast()
            } else {
                std::ptr::null_mut()
            };
            message.msg_controllen = control_size as _;
            // SAFETY: a struct that points to memory of ours.
            unsafe { libc::recvmsg(fd, &mut message, flags) }
        })?;
        sender.len = message.msg_namelen;
        Ok(Received {
            count: count as usize,
            control: read_control(&message)?,
            flags: message.msg_flags,
            sender: address::to_py(&sender)?,
        })
    }
}

#[pymethods(part = SOCKET_MESSAGES)]
impl Socket {
    /// Sends buffers and ancillary data; returns how many bytes of the buffers were sent.
    #[method("($self, buffers, ancdata=(), flags=0, address=None, /)")]
    fn sendmsg(
        &self,
        buffers: &PyObject,
        ancdata: Option<&PyObject>,
        flags: Option<i32>,
        address: Option<&PyObject>,
    ) -> PyResult<isize> {
        let sequence = buffers.to_fast_sequence("sendmsg() argument 1 must be an iterable")?;
        let views: Vec<Buffer> = sequence
            .collect()?
            .iter()
            .map(|item| view_of(item))
            .collect::<PyResult<_>>()?;
        let mut iov: Vec<libc::iovec> = views
            .iter()
            .map(|view| libc::iovec {
                iov_base: view.as_bytes().as_ptr().cast_mut().cast(),
                iov_len: view.len(),
            })
            .collect();
        let mut target = match address.filter(|address| !is_none(address)) {
            Some(given) => {
                let parsed = address::parse(given, self.family.get(), "sendmsg")?;
                adder_runtime::hooks::audit("socket.sendmsg", &[self.as_object(), given])?;
                Some(parsed)
            }
            None => None,
        };
        let (mut control, control_size) = match ancdata {
            Some(ancdata) => build_control(ancdata)?,
            None => (Vec::new(), 0),
        };
        let mut message = blank_message();
        if let Some(target) = &mut target {
            message.msg_name = target.as_mut_ptr().cast();
            message.msg_namelen = target.len;
        }
        message.msg_iov = iov.as_mut_ptr();
        message.msg_iovlen = iov.len() as _;
        if control_size > 0 {
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = control_size as _;
        }
        // SAFETY: a struct that points to memory of ours, and to views that are held.
        self.call_within(Wait::Write, |fd| unsafe {
            libc::sendmsg(fd, &message, flags.unwrap_or(0))
        })
    }
    /// Receives bytes and ancillary data: (data, ancdata, msg_flags, address).
    #[method("($self, bufsize, ancbufsize=0, flags=0, /)")]
    fn recvmsg(
        &self,
        bufsize: isize,
        ancbufsize: Option<isize>,
        flags: Option<i32>,
    ) -> PyResult<(Ref<PyBytesObject>, Ref<PyListObject>, i32, Ref)> {
        let Ok(size) = usize::try_from(bufsize) else {
            return Err(raise!(ValueError, "negative buffer size in recvmsg()"));
        };
        let mut data = vec![0u8; size];
        let mut iov = [libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: size,
        }];
        let received = self.receive_message(&mut iov, ancbufsize, flags.unwrap_or(0))?;
        data.truncate(received.count);
        Ok((
            PyBytesObject::from_vec(data),
            received.control,
            received.flags,
            received.sender,
        ))
    }
    /// Receives into buffers, and ancillary data: (nbytes, ancdata, msg_flags, address).
    #[method("($self, buffers, ancbufsize=0, flags=0, /)")]
    fn recvmsg_into(
        &self,
        buffers: &PyObject,
        ancbufsize: Option<isize>,
        flags: Option<i32>,
    ) -> PyResult<(usize, Ref<PyListObject>, i32, Ref)> {
        let sequence = buffers.to_fast_sequence("recvmsg_into() argument 1 must be an iterable")?;
        let mut views = Vec::new();
        for item in sequence.collect()? {
            views.push(WritableBuffer(Buffer::writable(&item).map_err(|raised| {
                raised.clear();
                raise!(
                    TypeError,
                    "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"
                )
            })?));
        }
        let mut iov: Vec<libc::iovec> = views
            .iter()
            .map(|view| libc::iovec {
                iov_base: view.data().cast(),
                iov_len: view.len(),
            })
            .collect();
        let received = self.receive_message(&mut iov, ancbufsize, flags.unwrap_or(0))?;
        Ok((received.count, received.control, received.flags, received.sender))
    }
}

#[pymodule(name = "_socket")]
#[allow(non_snake_case)]
pub mod part {
    use super::*;

    /// The length of an item of ancillary data, without padding behind it.
    #[pyfunction("($module, length, /)")]
    fn CMSG_LEN(length: isize) -> PyResult<usize> {
        usize::try_from(length)
            .ok()
            .and_then(control_len)
            .ok_or_else(|| raise!(OverflowError, "CMSG_LEN() argument out of range"))
    }
    /// The room that an item of ancillary data takes.
    #[pyfunction("($module, length, /)")]
    fn CMSG_SPACE(length: isize) -> PyResult<usize> {
        usize::try_from(length)
            .ok()
            .and_then(control_space)
            .ok_or_else(|| raise!(OverflowError, "CMSG_SPACE() argument out of range"))
    }
}
