//! Names of hosts and services, through the C library.

use super::address::{Address, inet_text, inet6_text, to_py};
use crate::module_parts::{LazyType, new_exception};
use crate::posixmodule::path::{fs_decode, posix_error};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;
use std::ffi::{CStr, CString};

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        row: *mut libc::hostent,
        buffer: *mut c_char,
        len: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn gethostbyaddr_r(
        address: *const c_void,
        address_len: libc::socklen_t,
        family: c_int,
        row: *mut libc::hostent,
        buffer: *mut c_char,
        len: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn hstrerror(error: c_int) -> *const c_char;
}

pub fn gaierror_type() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| new_exception("socket", "gaierror", &[exc::OSError.as_object()]))
}

pub fn herror_type() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| new_exception("socket", "herror", &[exc::OSError.as_object()]))
}

/// Raises `ty(code, text)`.
#[cold]
fn raise_pair(ty: PyResult<&'static PyTypeObject>, code: c_int, text: *const c_char) -> Raised {
    let ty = match ty {
        Ok(ty) => ty,
        Err(raised) => return raised,
    };
    // SAFETY: the C library's static text.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let args = PyTupleObject::from_vec(vec![
        PyLongObject::from_i64(i64::from(code)).into_object(),
        PyUnicodeObject::from_string(text).into_object(),
    ]);
    adder_runtime::error::set_object(ty.as_object(), Some(args.as_object()))
}

#[cold]
pub fn gaierror(code: c_int) -> Raised {
    if code == libc::EAI_SYSTEM {
        return posix_error();
    }
    // SAFETY: the C library's static text.
    raise_pair(gaierror_type(), code, unsafe { libc::gai_strerror(code) })
}

#[cold]
fn herror(code: c_int) -> Raised {
    // SAFETY: the C library's static text.
    raise_pair(herror_type(), code, unsafe { hstrerror(code) })
}

/// The name of a host as the resolver wants it.
pub struct Host(pub CString);

impl Host {
    /// From str (by IDNA where it is not ASCII), bytes or bytearray.
    pub fn of(object: &PyObject, function: &str) -> PyResult<Host> {
        let bytes = if let Some(text) = object.downcast::<PyUnicodeObject>() {
            match text.ascii_str() {
                Some(ascii) => ascii.as_bytes().to_vec(),
                None => idna(text)?,
            }
        } else if object.type_has(Py_TPFLAGS_BYTES_SUBCLASS) || PyByteArrayObject::check(object) {
            Buffer::simple(object)?.as_bytes().to_vec()
        } else {
            return Err(raise!(
                TypeError,
                "{function}(): host name must be str, bytes or bytearray, not {}",
                object.ty().name()
            ));
        };
        match CString::new(bytes) {
            Ok(name) => Ok(Host(name)),
            Err(_) => Err(raise!(TypeError, "host name must not contain null character")),
        }
    }
}

fn idna(text: &PyUnicodeObject) -> PyResult<Vec<u8>> {
    let encoded = adder_runtime::objects::codecs::encode_by_name(text, "idna", None)?;
    Ok(Buffer::simple(&encoded)?.as_bytes().to_vec())
}

/// What `getaddrinfo` gave, given back on drop.
pub struct AddrInfo(*mut libc::addrinfo);

impl Drop for AddrInfo {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: what `getaddrinfo` gave.
            unsafe { libc::freeaddrinfo(self.0) }
        }
    }
}

impl AddrInfo {
    pub fn query(host: Option<&CStr>, service: Option<&CStr>, hints: &libc::addrinfo) -> PyResult<AddrInfo> {
        let mut found = std::ptr::null_mut();
        let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        let (host, service) = (pointer(host), pointer(service));
        // SAFETY: C strings or NULL, and a struct of ours.
        let error = allow_threads(|| unsafe { libc::getaddrinfo(host, service, hints, &mut found) });
        if error != 0 {
            return Err(gaierror(error));
        }
        Ok(AddrInfo(found))
    }
    pub fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: a list that ends with NULL, alive as long as this.
        let mut next = unsafe { self.0.as_ref() };
        std::iter::from_fn(move || {
            let current = next?;
            // SAFETY: as above.
            next = unsafe { current.ai_next.as_ref() };
            Some(current)
        })
    }
}

/// The address of an entry.
pub fn address_of(entry: &libc::addrinfo) -> Address {
    let mut address = Address::room();
    let len = (entry.ai_addrlen as usize).min(size_of::<libc::sockaddr_storage>());
    // SAFETY: the entry has so many bytes, and there is room for them.
    unsafe { std::ptr::copy_nonoverlapping(entry.ai_addr.cast::<u8>(), address.as_mut_ptr().cast(), len) };
    address.len = len as libc::socklen_t;
    address
}

pub fn no_hints() -> libc::addrinfo {
    // SAFETY: plain numbers and null pointers.
    unsafe { std::mem::zeroed() }
}

/// The address of a host, of the family that is asked for; the port is 0.
pub fn resolve_host(host: &Host, family: c_int) -> PyResult<Address> {
    let name = host.0.as_bytes();
    let mut hints = no_hints();
    hints.ai_family = family;
    if name.is_empty() {
        hints.ai_socktype = libc::SOCK_DGRAM;
        hints.ai_flags = libc::AI_PASSIVE;
        let found = AddrInfo::query(None, Some(c"0"), &hints)?;
        let mut entries = found.iter();
        return match (entries.next(), entries.next()) {
            (Some(entry), None) => Ok(address_of(entry)),
            _ => Err(raise!(OSError, "wildcard resolved to multiple address")),
        };
    }
    if name == b"<broadcast>" || name == b"255.255.255.255" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return Err(raise!(OSError, "address family mismatched"));
        }
        // SAFETY: plain numbers.
        let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        address.sin_family = libc::AF_INET as libc::sa_family_t;
        address.sin_addr.s_addr = libc::INADDR_BROADCAST;
        return Ok(Address::of(address, size_of::<libc::sockaddr_in>()));
    }
    let found = AddrInfo::query(Some(&host.0), None, &hints)?;
    match found.iter().next() {
        Some(entry) => Ok(address_of(entry)),
        None => Err(gaierror(libc::EAI_NONAME)),
    }
}

fn host_text(address: &Address) -> String {
    // SAFETY: the family says which struct it is.
    unsafe {
        match address.family() {
            libc::AF_INET6 => inet6_text(&address.get::<libc::sockaddr_in6>().sin6_addr),
            _ => inet_text(&address.get::<libc::sockaddr_in>().sin_addr),
        }
    }
}

fn table_of_texts(mut table: *mut *mut c_char) -> PyResult<Ref<PyListObject>> {
    let list = PyListObject::new();
    // SAFETY: a table of C strings that ends with NULL, or none.
    unsafe {
        while !table.is_null() && !(*table).is_null() {
            list.push(fs_decode(CStr::from_ptr(*table).to_bytes())?.into_object());
            table = table.add(1);
        }
    }
    Ok(list)
}

/// `(name, aliases, addresses)` of a row of the database of hosts.
fn host_row(row: &libc::hostent) -> PyResult<(Ref, Ref, Ref)> {
    let addresses = PyListObject::new();
    let mut entry = row.h_addr_list;
    // SAFETY: a table of addresses of the row's family that ends with NULL.
    unsafe {
        while !entry.is_null() && !(*entry).is_null() {
            let text = match row.h_addrtype {
                libc::AF_INET6 => inet6_text(&*(*entry).cast::<libc::in6_addr>()),
                _ => inet_text(&(*entry).cast::<libc::in_addr>().read_unaligned()),
            };
            addresses.push(PyUnicodeObject::from_string(text).into_object());
            entry = entry.add(1);
        }
        let name = fs_decode(CStr::from_ptr(row.h_name).to_bytes())?.into_object();
        Ok((
            name,
            table_of_texts(row.h_aliases)?.into_object(),
            addresses.into_object(),
        ))
    }
}

/// Asks with a buffer that is made large enough.
fn ask_host(
    mut query: impl FnMut(*mut libc::hostent, *mut c_char, usize, *mut *mut libc::hostent, *mut c_int) -> c_int,
) -> PyResult<(Ref, Ref, Ref)> {
    let mut size = 16 * 1024;
    loop {
        let mut buffer = vec![0u8; size];
        let mut row = std::mem::MaybeUninit::<libc::hostent>::uninit();
        let mut found = std::ptr::null_mut();
        let mut error = 0;
        let status = allow_threads(|| {
            query(
                row.as_mut_ptr(),
                buffer.as_mut_ptr().cast(),
                size,
                &mut found,
                &mut error,
            )
        });
        if status == libc::ERANGE && size < 1 << 22 {
            size *= 2;
            continue;
        }
        // SAFETY: when found it points to the row, whose parts are in the buffer.
        return match unsafe { found.as_ref() } {
            Some(row) => host_row(row),
            None => Err(herror(error)),
        };
    }
}

fn c_string(text: &str) -> PyResult<CString> {
    CString::new(text).map_err(|_| raise!(ValueError, "embedded null character"))
}

#[pymodule(name = "_socket")]
pub mod part {
    use super::*;

    /// Resolves a host and a service: a list of (family, type, proto, canonname, sockaddr).
    #[pyfunction("($module, /, host, port, family=0, type=0, proto=0, flags=0)")]
    fn getaddrinfo(
        host: &PyObject,
        port: &PyObject,
        family: Option<i32>,
        r#type: Option<i32>,
        proto: Option<i32>,
        flags: Option<i32>,
    ) -> PyResult<Ref<PyListObject>> {
        let host = if is_none(host) {
            None
        } else if let Some(text) = host.downcast::<PyUnicodeObject>() {
            Some(idna(text)?)
        } else if host.type_has(Py_TPFLAGS_BYTES_SUBCLASS) {
            Some(Buffer::simple(host)?.as_bytes().to_vec())
        } else {
            return Err(raise!(
                TypeError,
                "getaddrinfo() argument 1 must be string or None"
            ));
        };
        let service = if is_none(port) {
            None
        } else if let Some(number) = port.downcast::<PyLongObject>() {
            Some(number.to_decimal_string()?.into_bytes())
        } else if let Some(text) = port.downcast::<PyUnicodeObject>() {
            Some(text.to_str()?.as_bytes().to_vec())
        } else if port.type_has(Py_TPFLAGS_BYTES_SUBCLASS) {
            Some(Buffer::simple(port)?.as_bytes().to_vec())
        } else {
            return Err(raise!(OSError, "Int or String expected"));
        };
        let c_text = |bytes: Option<Vec<u8>>| {
            bytes
                .map(|bytes| CString::new(bytes).map_err(|_| raise!(ValueError, "embedded null character")))
                .transpose()
        };
        let (host, service) = (c_text(host)?, c_text(service)?);
        let mut hints = no_hints();
        hints.ai_family = family.unwrap_or(0);
        hints.ai_socktype = r#type.unwrap_or(0);
        hints.ai_protocol = proto.unwrap_or(0);
        hints.ai_flags = flags.unwrap_or(0);
        let found = AddrInfo::query(host.as_deref(), service.as_deref(), &hints)?;
        let list = PyListObject::new();
        let int = |value: c_int| PyLongObject::from_i64(i64::from(value)).into_object();
        for entry in found.iter() {
            let canonical = if entry.ai_canonname.is_null() {
                PyUnicodeObject::empty()
            } else {
                // SAFETY: a C string of the list.
                fs_decode(unsafe { CStr::from_ptr(entry.ai_canonname) }.to_bytes())?
            };
            list.push(
                PyTupleObject::from_vec(vec![
                    int(entry.ai_family),
                    int(entry.ai_socktype),
                    int(entry.ai_protocol),
                    canonical.into_object(),
                    to_py(&address_of(entry))?,
                ])
                .into_object(),
            );
        }
        Ok(list)
    }
    /// The names of an address: (host, service).
    #[pyfunction("($module, sockaddr, flags, /)")]
    fn getnameinfo(sockaddr: &PyObject, flags: i32) -> PyResult<(Ref, Ref)> {
        let Some(tuple) = sockaddr.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "getnameinfo() argument 1 must be a tuple"));
        };
        let (host, port, rest) = match tuple.as_slice() {
            [host, port, rest @ ..] if rest.len() <= 2 => (host, port, rest),
            _ => return Err(raise!(TypeError, "getnameinfo(): illegal sockaddr argument")),
        };
        let Some(host) = host.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "getnameinfo(): illegal sockaddr argument"));
        };
        let port = port.index()?.as_i32()?;
        let flowinfo = rest
            .first()
            .map_or(Ok(0), |flowinfo| flowinfo.index()?.as_u32())?;
        let scope = rest.get(1).map_or(Ok(0), |scope| scope.index()?.as_u32())?;
        if flowinfo > 0xfffff {
            return Err(raise!(
                OverflowError,
                "getnameinfo(): flowinfo must be 0-1048575."
            ));
        }
        let (host, service) = (c_string(host.to_str()?)?, c_string(&port.to_string())?);
        let mut hints = no_hints();
        hints.ai_socktype = libc::SOCK_DGRAM;
        hints.ai_flags = libc::AI_NUMERICHOST;
        let found = AddrInfo::query(Some(&host), Some(&service), &hints)?;
        let mut entries = found.iter();
        let (Some(entry), None) = (entries.next(), entries.next()) else {
            return Err(raise!(OSError, "sockaddr resolved to multiple addresses"));
        };
        let mut address = address_of(entry);
        if address.family() == libc::AF_INET {
            if tuple.len() != 2 {
                return Err(raise!(OSError, "IPv4 sockaddr must be 2 tuple"));
            }
        } else if address.family() == libc::AF_INET6 {
            // SAFETY: the family says so.
            let inet6 = unsafe { &mut *address.as_mut_ptr().cast::<libc::sockaddr_in6>() };
            inet6.sin6_flowinfo = flowinfo.to_be();
            inet6.sin6_scope_id = scope;
        }
        let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
        // SAFETY: buffers of the sizes that are said.
        let error = allow_threads(|| unsafe {
            libc::getnameinfo(
                address.as_ptr(),
                address.len,
                host.as_mut_ptr().cast(),
                host.len() as libc::socklen_t,
                service.as_mut_ptr().cast(),
                service.len() as libc::socklen_t,
                flags,
            )
        });
        if error != 0 {
            return Err(gaierror(error));
        }
        let text = |bytes: &[u8]| -> PyResult {
            Ok(fs_decode(bytes.split(|byte| *byte == 0).next().unwrap_or_default())?.into_object())
        };
        Ok((text(&host)?, text(&service)?))
    }
    /// The IPv4 address of a host.
    #[pyfunction("($module, hostname, /)")]
    fn gethostbyname(hostname: &PyObject) -> PyResult<String> {
        let host = Host::of(hostname, "gethostbyname")?;
        Ok(host_text(&resolve_host(&host, libc::AF_INET)?))
    }
    /// The name, aliases and IPv4 addresses of a host.
    #[pyfunction("($module, hostname, /)")]
    fn gethostbyname_ex(hostname: &PyObject) -> PyResult<(Ref, Ref, Ref)> {
        let host = Host::of(hostname, "gethostbyname_ex")?;
        resolve_host(&host, libc::AF_INET)?;
        // SAFETY: a C string, and room for what is filled.
        ask_host(|row, buffer, len, found, error| unsafe {
            gethostbyname_r(host.0.as_ptr(), row, buffer, len, found, error)
        })
    }
    /// The name, aliases and addresses of a host given by address.
    #[pyfunction("($module, host, /)")]
    fn gethostbyaddr(host: &PyObject) -> PyResult<(Ref, Ref, Ref)> {
        let host = Host::of(host, "gethostbyaddr")?;
        let address = resolve_host(&host, libc::AF_UNSPEC)?;
        let family = address.family();
        // SAFETY: the family says which struct it is.
        let (pointer, len): (*const c_void, usize) = unsafe {
            match family {
                libc::AF_INET => ((&raw const address.get::<libc::sockaddr_in>().sin_addr).cast(), 4),
                libc::AF_INET6 => (
                    (&raw const address.get::<libc::sockaddr_in6>().sin6_addr).cast(),
                    16,
                ),
                _ => return Err(raise!(OSError, "unsupported address family")),
            }
        };
        // SAFETY: an address of that length, and room for what is filled.
        ask_host(|row, buffer, size, found, error| unsafe {
            gethostbyaddr_r(
                pointer,
                len as libc::socklen_t,
                family,
                row,
                buffer,
                size,
                found,
                error,
            )
        })
    }
    /// The port of a service.
    #[pyfunction("($module, servicename, protocolname=<unrepresentable>, /)")]
    fn getservbyname(servicename: &str, protocolname: Option<&str>) -> PyResult<u16> {
        let name = c_string(servicename)?;
        let protocol = protocolname.map(c_string).transpose()?;
        let protocol = protocol
            .as_ref()
            .map_or(std::ptr::null(), |protocol| protocol.as_ptr());
        // SAFETY: C strings or NULL; the GIL keeps others out of the C library's one row.
        match unsafe { libc::getservbyname(name.as_ptr(), protocol).as_ref() } {
            Some(row) => Ok(u16::from_be(row.s_port as u16)),
            None => Err(raise!(OSError, "service/proto not found")),
        }
    }
    /// The service of a port.
    #[pyfunction("($module, port, protocolname=<unrepresentable>, /)")]
    fn getservbyport(port: i32, protocolname: Option<&str>) -> PyResult<Ref<PyUnicodeObject>> {
        let Ok(port) = u16::try_from(port) else {
            return Err(raise!(OverflowError, "getservbyport: port must be 0-65535."));
        };
        let protocol = protocolname.map(c_string).transpose()?;
        let protocol = protocol
            .as_ref()
            .map_or(std::ptr::null(), |protocol| protocol.as_ptr());
        // SAFETY: a C string or NULL; the GIL keeps others out of the C library's one row.
        unsafe {
            match libc::getservbyport(c_int::from(port.to_be()), protocol).as_ref() {
                Some(row) => fs_decode(CStr::from_ptr(row.s_name).to_bytes()),
                None => Err(raise!(OSError, "port/proto not found")),
            }
        }
    }
    /// The number of a protocol.
    #[pyfunction("($module, protocolname, /)")]
    fn getprotobyname(protocolname: &str) -> PyResult<i32> {
        let name = c_string(protocolname)?;
        // SAFETY: a C string; the GIL keeps others out of the C library's one row.
        match unsafe { libc::getprotobyname(name.as_ptr()).as_ref() } {
            Some(row) => Ok(row.p_proto),
            None => Err(raise!(OSError, "protocol not found")),
        }
    }
    /// The name of this machine.
    #[pyfunction("($module, /)")]
    fn gethostname() -> PyResult<Ref<PyUnicodeObject>> {
        adder_runtime::hooks::audit("socket.gethostname", &[])?;
        let mut name = [0u8; 1024];
        // SAFETY: a buffer of the size that is said.
        if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } < 0 {
            return Err(posix_error());
        }
        fs_decode(name.split(|byte| *byte == 0).next().unwrap_or_default())
    }
    /// Sets the name of this machine.
    #[pyfunction("($module, name, /)")]
    fn sethostname(name: &PyObject) -> PyResult<()> {
        let name = match name.downcast::<PyUnicodeObject>() {
            Some(name) => crate::posixmodule::path::fs_encode(name)?.as_bytes().to_vec(),
            None => Buffer::simple(name)?.as_bytes().to_vec(),
        };
        // SAFETY: so many bytes.
        if unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } < 0 {
            return Err(posix_error());
        }
        Ok(())
    }
    /// The network interfaces: a list of (index, name).
    #[pyfunction("($module, /)")]
    fn if_nameindex() -> PyResult<Ref<PyListObject>> {
        // SAFETY: a table that ends with a row without index, given back below.
        unsafe {
            let table = libc::if_nameindex();
            if table.is_null() {
                return Err(posix_error());
            }
            let list = PyListObject::new();
            let mut row = table;
            let mut result = Ok(());
            while (*row).if_index != 0 && !(*row).if_name.is_null() {
                match fs_decode(CStr::from_ptr((*row).if_name).to_bytes()) {
                    Ok(name) => {
                        let index = PyLongObject::from_i64(i64::from((*row).if_index)).into_object();
                        list.push(PyTupleObject::from_vec(vec![index, name.into_object()]).into_object());
                    }
                    Err(raised) => result = Err(raised),
                }
                row = row.add(1);
            }
            libc::if_freenameindex(table);
            result.map(|()| list)
        }
    }
    /// The index of a network interface.
    #[pyfunction("($module, oname, /)")]
    fn if_nametoindex(oname: crate::posixmodule::path::FsBytes) -> PyResult<u32> {
        // SAFETY: a C string.
        match unsafe { libc::if_nametoindex(oname.as_ptr()) } {
            0 => Err(posix_error()),
            index => Ok(index),
        }
    }
    /// The name of a network interface.
    #[pyfunction("($module, if_index, /)")]
    fn if_indextoname(if_index: u32) -> PyResult<Ref<PyUnicodeObject>> {
        let index = if_index;
        let mut name = [0u8; libc::IF_NAMESIZE + 1];
        // SAFETY: a buffer of the size that the call wants.
        if unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) }.is_null() {
            return Err(posix_error());
        }
        fs_decode(name.split(|byte| *byte == 0).next().unwrap_or_default())
    }
    /// The bytes of an IPv4 address given as text.
    #[pyfunction("($module, ip_addr, /)")]
    fn inet_aton(ip_addr: &str) -> PyResult<Ref<PyBytesObject>> {
        unsafe extern "C" {
            #[link_name = "inet_aton"]
            fn c_inet_aton(text: *const c_char, address: *mut libc::in_addr) -> c_int;
        }
        let text = c_string(ip_addr)?;
        let mut address = libc::in_addr { s_addr: 0 };
        // SAFETY: a C string and a struct of ours.
        if unsafe { c_inet_aton(text.as_ptr(), &mut address) } == 0 {
            return Err(raise!(OSError, "illegal IP address string passed to inet_aton"));
        }
        Ok(PyBytesObject::from_slice(&address.s_addr.to_ne_bytes()))
    }
    /// The text of an IPv4 address given as bytes.
    #[pyfunction("($module, packed_ip, /)")]
    fn inet_ntoa(packed_ip: Buffer) -> PyResult<String> {
        let Ok(bytes) = <[u8; 4]>::try_from(packed_ip.as_bytes()) else {
            return Err(raise!(OSError, "packed IP wrong length"));
        };
        Ok(std::net::Ipv4Addr::from(bytes).to_string())
    }
    /// The bytes of an address given as text.
    #[pyfunction("($module, address_family, ip_string, /)")]
    fn inet_pton(address_family: i32, ip_string: &str) -> PyResult<Ref<PyBytesObject>> {
        let len = match address_family {
            libc::AF_INET => 4,
            libc::AF_INET6 => 16,
            _ => {
                return Err(adder_runtime::exceptions::os_error_from_errno(
                    libc::EAFNOSUPPORT,
                    None,
                    None,
                ));
            }
        };
        unsafe extern "C" {
            #[link_name = "inet_pton"]
            fn c_inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
        }
        let text = c_string(ip_string)?;
        let mut bytes = [0u8; 16];
        // SAFETY: a C string, and room for the address.
        if unsafe { c_inet_pton(address_family, text.as_ptr(), bytes.as_mut_ptr().cast()) } != 1 {
            return Err(raise!(OSError, "illegal IP address string passed to inet_pton"));
        }
        Ok(PyBytesObject::from_slice(&bytes[..len]))
    }
    /// The text of an address given as bytes.
    #[pyfunction("($module, address_family, packed_ip, /)")]
    fn inet_ntop(address_family: i32, packed_ip: Buffer) -> PyResult<String> {
        let bytes = packed_ip.as_bytes();
        let wrong_length = || raise!(ValueError, "invalid length of packed IP address string");
        match address_family {
            libc::AF_INET => {
                let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| wrong_length())?;
                Ok(std::net::Ipv4Addr::from(bytes).to_string())
            }
            libc::AF_INET6 => {
                let s6_addr = <[u8; 16]>::try_from(bytes).map_err(|_| wrong_length())?;
                Ok(inet6_text(&libc::in6_addr { s6_addr }))
            }
            _ => Err(raise!(ValueError, "unknown address family {address_family}")),
        }
    }
    /// A 16-bit number from network to host byte order.
    #[pyfunction("($module, integer, /)")]
    fn ntohs(integer: u16) -> u16 {
        u16::from_be(integer)
    }
    /// A 16-bit number from host to network byte order.
    #[pyfunction("($module, integer, /)")]
    fn htons(integer: u16) -> u16 {
        u16::to_be(integer)
    }
    /// A 32-bit number from network to host byte order.
    #[pyfunction("($module, integer, /)")]
    fn ntohl(integer: u32) -> u32 {
        u32::from_be(integer)
    }
    /// A 32-bit number from host to network byte order.
    #[pyfunction("($module, integer, /)")]
    fn htonl(integer: u32) -> u32 {
        u32::to_be(integer)
    }
}
