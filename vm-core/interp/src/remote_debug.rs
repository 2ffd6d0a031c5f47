//! `sys.remote_exec` (PEP 768): a file that another process names is run here, between two bytecodes of the main thread.
//!
//! The asker finds `ADDER_REMOTE_DEBUG` in the target's memory: at the same offset in the same executable. It writes the file's
//! name there, then the request, then the bit of the eval breaker that makes the target look.

use crate::pylifecycle::handles_signals;
use adder_runtime::error::write_unraisable;
use adder_runtime::hooks::import_module;
use adder_runtime::prelude::*;
use adder_runtime::thread::{EVAL_BREAKER, breaker};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};

const COOKIE: [u8; 16] = *b"adder-debug-3.14";
/// Bytes of the file's name, with the zero that ends it.
const PATH_SIZE: usize = 512;

/// What other processes read and write.
#[repr(C)]
pub struct Area {
    cookie: [u8; 16],
    enabled: AtomicU32,
    pending: AtomicI32,
    path: [AtomicU8; PATH_SIZE],
}

#[unsafe(no_mangle)]
pub static ADDER_REMOTE_DEBUG: Area = Area {
    cookie: COOKIE,
    enabled: AtomicU32::new(0),
    pending: AtomicI32::new(0),
    path: [const { AtomicU8::new(0) }; PATH_SIZE],
};

/// Lets other processes ask for files to be run here.
pub fn enable() {
    ADDER_REMOTE_DEBUG.enabled.store(1, Ordering::Relaxed);
}

pub fn is_enabled() -> bool {
    ADDER_REMOTE_DEBUG.enabled.load(Ordering::Relaxed) != 0
}

/// Runs the file that was asked for, if the calling thread is the one to do so.
#[cold]
pub fn run_pending() {
    if !handles_signals() {
        return;
    }
    EVAL_BREAKER.fetch_and(!breaker::REMOTE_SCRIPT, Ordering::Relaxed);
    let area = &ADDER_REMOTE_DEBUG;
    if !is_enabled() || area.pending.swap(0, Ordering::Acquire) == 0 {
        return;
    }
    let bytes = area.path.iter().map(|byte| byte.load(Ordering::Relaxed));
    let path: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    if let Err(raised) = run_file(&path) {
        let path = String::from_utf8_lossy(&path);
        write_unraisable(
            raised,
            Some(&format!("Error executing debugger script {path}")),
            None,
        );
    }
}

fn run_file(path: &[u8]) -> PyResult<()> {
    let os = import_module("os")?;
    let bytes = PyBytesObject::from_slice(path);
    let name = os.call_method(identifier!("fsdecode"), &[bytes.as_object()])?;
    adder_runtime::hooks::audit("cpython.remote_debugger_script", &[&name])?;
    let open = import_module("io")?.get_attr_str("open_code")?;
    let source = match open
        .call1(&name)
        .and_then(|file| {
            let source = file.call_method(identifier!("read"), &[]);
            file.call_method(identifier!("close"), &[]).and(source)
        })
        .map(|source| source.downcast::<PyBytesObject>())
    {
        Ok(Ok(source)) => source,
        Ok(Err(_)) => return Err(raise!(TypeError, "open_code() did not give bytes")),
        Err(raised) => {
            let path = String::from_utf8_lossy(path);
            write_unraisable(raised, Some(&format!("Can't open debugger script {path}")), None);
            return Ok(());
        }
    };
    let file = PyUnicodeObject::from_str("<string>");
    let text = crate::code::decode_source(source.as_bytes(), file.as_object())?;
    let opts = adder_compiler::CompileOpts::default();
    let code = crate::code::compile_text(&text, file.as_object(), adder_compiler::Mode::Exec, &opts)?;
    let globals = PyDictObject::new();
    if let Some(builtins) = crate::state::BUILTINS.get() {
        globals.set_str(identifier!("__builtins__"), builtins.as_object())?;
    }
    crate::pythonrun::run_code(&code, &globals, None).map(drop)
}

#[cold]
fn not_enabled() -> Raised {
    raise!(
        RuntimeError,
        "Remote debugging is not enabled in the remote process"
    )
}

/// `sys.remote_exec`; the script's name is given as bytes.
pub fn request(pid: i32, script: &[u8]) -> PyResult<()> {
    if script.contains(&0) {
        return Err(raise!(ValueError, "embedded null byte"));
    }
    let path = Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(
        script,
    ));
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(raise!(FileNotFoundError, "Script file does not exist"));
        }
        Err(error) => return Err(os_error(&error)),
        Ok(_) if script.len() >= PATH_SIZE => return Err(raise!(ValueError, "Script path is too long")),
        Ok(_) => {}
    }
    // SAFETY: always succeeds.
    if pid == 0 || pid == unsafe { libc::getpid() } {
        return request_here(script);
    }
    let base = load_address(pid)?;
    let own_base = load_address(std::process::id() as i32)?;
    let there = |address: usize| base.wrapping_add(address.wrapping_sub(own_base));
    let area = there(&raw const ADDER_REMOTE_DEBUG as usize);
    let mut head = [0u8; 20];
    read(pid, area, &mut head)?;
    if head[..16] != COOKIE {
        return Err(raise!(RuntimeError, "The remote process runs another Python"));
    }
    if head[16..] == [0; 4] {
        return Err(not_enabled());
    }
    let mut name = script.to_vec();
    name.push(0);
    write(pid, area + std::mem::offset_of!(Area, path), &name)?;
    write(
        pid,
        area + std::mem::offset_of!(Area, pending),
        &1i32.to_ne_bytes(),
    )?;
    let breaker_address = there(&raw const EVAL_BREAKER as usize);
    let mut bits = [0u8; 4];
    read(pid, breaker_address, &mut bits)?;
    let bits = u32::from_ne_bytes(bits) | breaker::REMOTE_SCRIPT;
    write(pid, breaker_address, &bits.to_ne_bytes())
}

fn request_here(script: &[u8]) -> PyResult<()> {
    if !is_enabled() {
        return Err(not_enabled());
    }
    let area = &ADDER_REMOTE_DEBUG;
    for (place, byte) in area.path.iter().zip(script.iter().chain([&0])) {
        place.store(*byte, Ordering::Relaxed);
    }
    area.pending.store(1, Ordering::Release);
    EVAL_BREAKER.fetch_or(breaker::REMOTE_SCRIPT, Ordering::Relaxed);
    // The main thread need not come to a bytecode that looks before it asks what has happened.
    run_pending();
    Ok(())
}

#[cold]
fn os_error(error: &std::io::Error) -> Raised {
    adder_runtime::exceptions::os_error_from_errno(error.raw_os_error().unwrap_or(libc::EIO), None, None)
}

/// Where a process has the executable of this one.
fn load_address(pid: i32) -> PyResult<usize> {
    let identity = |path: &str| -> PyResult<(u64, u64)> {
        let data = std::fs::metadata(path).map_err(|error| os_error(&error))?;
        Ok((data.dev(), data.ino()))
    };
    let exe = format!("/proc/{pid}/exe");
    if identity(&exe)? != identity("/proc/self/exe")? {
        return Err(raise!(RuntimeError, "The remote process runs another executable"));
    }
    let file = std::fs::read_link(&exe).map_err(|error| os_error(&error))?;
    let file = file.to_string_lossy();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|error| os_error(&error))?;
    let first = maps.lines().find(|line| line.ends_with(&*file));
    let address = first
        .and_then(|line| line.split_once('-'))
        .map(|(start, _)| start);
    address
        .and_then(|start| usize::from_str_radix(start, 16).ok())
        .ok_or_else(|| {
            raise!(
                RuntimeError,
                "The executable of the remote process is not in its memory"
            )
        })
}

type Transfer = unsafe extern "C" fn(
    libc::pid_t,
    *const libc::iovec,
    libc::c_ulong,
    *const libc::iovec,
    libc::c_ulong,
    libc::c_ulong,
) -> isize;

fn transfer(by: Transfer, pid: i32, address: usize, here: *mut c_void, n_bytes: usize) -> PyResult<()> {
    let here = libc::iovec {
        iov_base: here,
        iov_len: n_bytes,
    };
    let there = libc::iovec {
        iov_base: address as *mut c_void,
        iov_len: n_bytes,
    };
    // SAFETY: our range is a buffer of that size; theirs is checked by the system.
    let done = unsafe { by(pid, &here, 1, &there, 1, 0) };
    if done == n_bytes as isize {
        return Ok(());
    }
    Err(os_error(&std::io::Error::last_os_error()))
}

fn read(pid: i32, address: usize, bytes: &mut [u8]) -> PyResult<()> {
    transfer(
        libc::process_vm_readv,
        pid,
        address,
        bytes.as_mut_ptr().cast(),
        bytes.len(),
    )
}

fn write(pid: i32, address: usize, bytes: &[u8]) -> PyResult<()> {
    let start = bytes.as_ptr().cast_mut().cast();
    transfer(libc::process_vm_writev, pid, address, start, bytes.len())
}
