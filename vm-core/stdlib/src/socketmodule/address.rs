//! Socket addresses: Python's tuples, strings and bytes <-> the system's structs, by family.

use super::resolve::{Host, resolve_host};
use crate::posixmodule::path::{fs_decode, fs_encode, posix_error};
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::ffi::CString;
use std::mem::{offset_of, size_of};

/// An address of any family.
pub struct Address {
    pub storage: libc::sockaddr_storage,
    pub len: libc::socklen_t,
}

impl Address {
    /// Room for any address.
    pub fn room() -> Address {
        Address {
            // SAFETY: plain numbers.
            storage: unsafe { std::mem::zeroed() },
            len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }
    /// An address that is a struct of one family.
    pub fn of<T: Copy>(value: T, len: usize) -> Address {
        let mut address = Address::room();
        assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>());
        // SAFETY: the storage is large enough and aligned for every family.
        unsafe { (&raw mut address.storage).cast::<T>().write(value) };
        address.len = len as libc::socklen_t;
        address
    }
    pub fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }
    pub fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }
    /// # Safety
    /// The address is of the family whose struct is `T`.
    pub unsafe fn get<T>(&self) -> &T {
        // SAFETY: the caller's contract; the storage is aligned for every family.
        unsafe { &*(&raw const self.storage).cast() }
    }
    pub fn family(&self) -> c_int {
        c_int::from(self.storage.ss_family)
    }
}

fn port_of(object: &PyObject, function: &str) -> PyResult<u16> {
    let value = object.index()?.to_i64().unwrap_or(-1);
    u16::try_from(value).map_err(|_| raise!(OverflowError, "{function}(): port must be 0-65535."))
}

fn tuple_of<'a>(object: &'a PyObject, function: &str, family: &str) -> PyResult<&'a [&'a PyObject]> {
    match object.downcast::<PyTupleObject>() {
        Some(tuple) => Ok(tuple.as_slice()),
        None => Err(raise!(
            TypeError,
            "{function}(): {family} address must be tuple, not {}",
            object.ty().full_name()
        )),
    }
}

fn number<T: TryFrom<i64>>(object: &PyObject, what: &str) -> PyResult<T> {
    let value = object.index()?.to_i64();
    value
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| raise!(OverflowError, "{what} out of range"))
}

/// The system's form of an address that Python gave to `function`.
pub fn parse(object: &PyObject, family: c_int, function: &str) -> PyResult<Address> {
    match family {
        libc::AF_INET => parse_inet(object, function),
        libc::AF_INET6 => parse_inet6(object, function),
        libc::AF_UNIX => parse_unix(object),
        libc::AF_NETLINK => parse_netlink(object, function),
        libc::AF_PACKET => parse_packet(object, function),
        libc::AF_VSOCK => parse_vsock(object, function),
        libc::AF_CAN => parse_can(object, function),
        _ => Err(raise!(OSError, "{function}(): bad family")),
    }
}

fn parse_inet(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_INET")?;
    let [host, port] = items else {
        return Err(raise!(
            TypeError,
            "{function}(): AF_INET address must be a pair (host, port)"
        ));
    };
    let host = Host::of(host, function)?;
    let mut address = resolve_host(&host, libc::AF_INET)?;
    let port = port_of(port, function)?;
    // SAFETY: the resolver gives the family that was asked for.
    unsafe { (*address.as_mut_ptr().cast::<libc::sockaddr_in>()).sin_port = port.to_be() };
    Ok(address)
}

fn parse_inet6(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_INET6")?;
    let (host, port, rest) = match items {
        [host, port, rest @ ..] if rest.len() <= 2 => (host, port, rest),
        _ => {
            return Err(raise!(
                TypeError,
                "{function}(): AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
            ));
        }
    };
    let flowinfo: u32 = rest
        .first()
        .map_or(Ok(0), |flowinfo| number(flowinfo, "flowinfo"))?;
    let scope_id: u32 = rest.get(1).map_or(Ok(0), |scope| number(scope, "scope_id"))?;
    let host = Host::of(host, function)?;
    let mut address = resolve_host(&host, libc::AF_INET6)?;
    let port = port_of(port, function)?;
    if flowinfo > 0xfffff {
        return Err(raise!(OverflowError, "{function}(): flowinfo must be 0-1048575."));
    }
    // SAFETY: the resolver gives the family that was asked for.
    unsafe {
        let inet6 = &mut *address.as_mut_ptr().cast::<libc::sockaddr_in6>();
        inet6.sin6_port = port.to_be();
        inet6.sin6_flowinfo = flowinfo.to_be();
        if rest.len() == 2 {
            inet6.sin6_scope_id = scope_id;
        }
    }
    Ok(address)
}

fn parse_unix(object: &PyObject) -> PyResult<Address> {
    let bytes = match object.downcast::<PyUnicodeObject>() {
        Some(text) => fs_encode(text)?.as_bytes().to_vec(),
        None => Buffer::simple(object)?.as_bytes().to_vec(),
    };
    // SAFETY: plain bytes.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let path_at = offset_of!(libc::sockaddr_un, sun_path);
    // A name that begins with NUL is not in the file system, and needs no NUL at its end.
    let is_abstract = bytes.is_empty() || bytes[0] == 0;
    let room = address.sun_path.len();
    if bytes.len() > room || (!is_abstract && bytes.len() == room) {
        return Err(raise!(OSError, "AF_UNIX path too long"));
    }
    if !is_abstract && bytes.contains(&0) {
        return Err(raise!(ValueError, "embedded null byte"));
    }
    for (target, byte) in address.sun_path.iter_mut().zip(&bytes) {
        *target = *byte as c_char;
    }
    let len = path_at + bytes.len() + usize::from(!is_abstract);
    Ok(Address::of(address, len))
}

fn parse_netlink(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_NETLINK")?;
    let [pid, groups] = items else {
        return Err(raise!(
            TypeError,
            "{function}(): AF_NETLINK address must be a pair (pid, groups)"
        ));
    };
    // SAFETY: plain numbers.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = pid.index()?.as_u64_mask() as u32;
    address.nl_groups = groups.index()?.as_u64_mask() as u32;
    Ok(Address::of(address, size_of::<libc::sockaddr_nl>()))
}

fn interface_index(object: &PyObject) -> PyResult<c_uint> {
    let name = match object.downcast::<PyUnicodeObject>() {
        Some(text) => fs_encode(text)?.as_bytes().to_vec(),
        None => Buffer::simple(object)?.as_bytes().to_vec(),
    };
    if name.is_empty() {
        return Ok(0);
    }
    let name = CString::new(name).map_err(|_| raise!(ValueError, "embedded null byte"))?;
    // SAFETY: a C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(posix_error()),
        index => Ok(index),
    }
}

fn parse_packet(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_PACKET")?;
    if !(2..=5).contains(&items.len()) {
        return Err(raise!(
            TypeError,
            "{function}(): AF_PACKET address must be a tuple of two to five elements"
        ));
    }
    // SAFETY: plain numbers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = interface_index(items[0])? as c_int;
    let protocol: u16 = number(items[1], "proto").map_err(|_| {
        adder_runtime::error::clear();
        raise!(OverflowError, "{function}(): proto must be 0-65535.")
    })?;
    address.sll_protocol = protocol.to_be();
    if let Some(kind) = items.get(2) {
        address.sll_pkttype = number(kind, "pkttype")?;
    }
    if let Some(hardware) = items.get(3) {
        address.sll_hatype = number(hardware, "hatype")?;
    }
    if let Some(bytes) = items.get(4) {
        let view = Buffer::simple(bytes)?;
        if view.len() > 8 {
            return Err(raise!(ValueError, "Hardware address must be 8 bytes or less"));
        }
        address.sll_addr[..view.len()].copy_from_slice(view.as_bytes());
        address.sll_halen = view.len() as u8;
    }
    Ok(Address::of(address, size_of::<libc::sockaddr_ll>()))
}

fn parse_vsock(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_VSOCK")?;
    let [cid, port] = items else {
        return Err(raise!(
            TypeError,
            "{function}(): AF_VSOCK address must be a pair (cid, port)"
        ));
    };
    // SAFETY: plain numbers.
    let mut address: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
    address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
    address.svm_cid = cid.index()?.as_u64_mask() as u32;
    address.svm_port = port.index()?.as_u64_mask() as u32;
    Ok(Address::of(address, size_of::<libc::sockaddr_vm>()))
}

fn parse_can(object: &PyObject, function: &str) -> PyResult<Address> {
    let items = tuple_of(object, function, "AF_CAN")?;
    let [interface] = items else {
        return Err(raise!(
            TypeError,
            "{function}(): AF_CAN address must be a tuple (interface, )"
        ));
    };
    // SAFETY: plain numbers.
    let mut address: libc::sockaddr_can = unsafe { std::mem::zeroed() };
    address.can_family = libc::AF_CAN as libc::sa_family_t;
    address.can_ifindex = interface_index(interface)? as c_int;
    Ok(Address::of(address, size_of::<libc::sockaddr_can>()))
}

fn text(text: String) -> Ref {
    PyUnicodeObject::from_string(text).into_object()
}

fn int(value: impl Into<i64>) -> Ref {
    PyLongObject::from_i64(value.into()).into_object()
}

/// The numeric text of an IPv4 address.
pub fn inet_text(address: &libc::in_addr) -> String {
    std::net::Ipv4Addr::from(u32::from_be(address.s_addr)).to_string()
}

/// The numeric text of an IPv6 address, as the C library writes it.
pub fn inet6_text(address: &libc::in6_addr) -> String {
    unsafe extern "C" {
        fn inet_ntop(
            family: c_int,
            address: *const c_void,
            text: *mut c_char,
            len: libc::socklen_t,
        ) -> *const c_char;
    }
    let mut buffer = [0u8; 64];
    // SAFETY: a buffer of the size that is said.
    unsafe {
        inet_ntop(
            libc::AF_INET6,
            (address as *const libc::in6_addr).cast(),
            buffer.as_mut_ptr().cast(),
            buffer.len() as libc::socklen_t,
        );
    }
    let len = buffer.iter().position(|byte| *byte == 0).unwrap_or(0);
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

fn unix_path(address: &Address) -> PyResult {
    // SAFETY: an address of this family.
    let unix: &libc::sockaddr_un = unsafe { address.get() };
    let path_at = offset_of!(libc::sockaddr_un, sun_path);
    let len = (address.len as usize)
        .saturating_sub(path_at)
        .min(unix.sun_path.len());
    let bytes: Vec<u8> = unix.sun_path[..len].iter().map(|byte| *byte as u8).collect();
    if bytes.first() == Some(&0) {
        return Ok(PyBytesObject::from_vec(bytes).into_object());
    }
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Ok(fs_decode(&bytes[..end])?.into_object())
}

fn interface_name(index: c_int) -> String {
    let mut name = [0u8; libc::IF_NAMESIZE];
    // SAFETY: a buffer of the size that the call wants.
    let found = unsafe { libc::if_indextoname(index as c_uint, name.as_mut_ptr().cast()) };
    if found.is_null() {
        return String::new();
    }
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..len]).into_owned()
}

/// Python's form of an address; None when there is none.
pub fn to_py(address: &Address) -> PyResult {
    if address.len == 0 {
        return Ok(none_ref());
    }
    let tuple = |items: Vec<Ref>| Ok(PyTupleObject::from_vec(items).into_object());
    // SAFETY: the family says which struct it is.
    unsafe {
        match address.family() {
            libc::AF_INET => {
                let inet: &libc::sockaddr_in = address.get();
                tuple(vec![
                    text(inet_text(&inet.sin_addr)),
                    int(u16::from_be(inet.sin_port)),
                ])
            }
            libc::AF_INET6 => {
                let inet6: &libc::sockaddr_in6 = address.get();
                let host = inet6_text(&inet6.sin6_addr);
                tuple(vec![
                    text(host),
                    int(u16::from_be(inet6.sin6_port)),
                    int(u32::from_be(inet6.sin6_flowinfo)),
                    int(inet6.sin6_scope_id),
                ])
            }
            libc::AF_UNIX => unix_path(address),
            libc::AF_NETLINK => {
                let netlink: &libc::sockaddr_nl = address.get();
                tuple(vec![int(netlink.nl_pid), int(netlink.nl_groups)])
            }
            libc::AF_PACKET => {
                let packet: &libc::sockaddr_ll = address.get();
                let hardware = &packet.sll_addr[..usize::from(packet.sll_halen).min(8)];
                tuple(vec![
                    text(interface_name(packet.sll_ifindex)),
                    int(u16::from_be(packet.sll_protocol)),
                    int(packet.sll_pkttype),
                    int(packet.sll_hatype),
                    PyBytesObject::from_slice(hardware).into_object(),
                ])
            }
            libc::AF_VSOCK => {
                let vsock: &libc::sockaddr_vm = address.get();
                tuple(vec![int(vsock.svm_cid), int(vsock.svm_port)])
            }
            libc::AF_CAN => {
                let can: &libc::sockaddr_can = address.get();
                tuple(vec![text(interface_name(can.can_ifindex))])
            }
            family => {
                let generic: &libc::sockaddr = address.get();
                let data: Vec<u8> = generic.sa_data.iter().map(|byte| *byte as u8).collect();
                tuple(vec![int(family), PyBytesObject::from_vec(data).into_object()])
            }
        }
    }
}
