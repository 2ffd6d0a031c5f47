//! The perf map of cpython/ceval.h: names of machine code for `perf`, in /tmp/perf-PID.map.

use crate::export::Void;
use adder_runtime::prelude::*;
use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;

static MAP: Mutex<Option<File>> = Mutex::new(None);

/// Runs `f` on the file, which is opened when it is not yet; -1 when that fails.
fn with_map(f: impl FnOnce(&mut File) -> std::io::Result<()>) -> c_int {
    let mut map = MAP.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if map.is_none() {
        let path = format!("/tmp/perf-{}.map", std::process::id());
        let opened = File::options().create(true).append(true).open(path);
        *map = opened.ok();
    }
    match map.as_mut().map(f) {
        Some(Ok(())) => 0,
        _ => -1,
    }
}

capi! {
    fn PyUnstable_PerfMapState_Init() -> c_int { with_map(|_| Ok(())) }
    fn PyUnstable_PerfMapState_Fini() -> Void {
        *MAP.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
        Void
    }
    fn PyUnstable_WritePerfMapEntry(address: *const c_void, n_bytes: c_uint, name: &CStr) -> c_int {
        let line = format!("{:x} {n_bytes:x} {}\n", address as usize, name.to_string_lossy());
        with_map(|map| map.write_all(line.as_bytes()))
    }
    /// Appends the map of another process: a forked child's parent.
    fn PyUnstable_CopyPerfMapFile(path: &CStr) -> c_int {
        match std::fs::read(&*path.to_string_lossy()) {
            Ok(text) => with_map(|map| map.write_all(&text)),
            Err(_) => 0,
        }
    }
    /// The interpreter has no trampolines for `perf`: there is nothing to compile.
    fn PyUnstable_PerfTrampoline_CompileCode(_code: *mut PyObject) -> c_int { 0 }
    fn PyUnstable_PerfTrampoline_SetPersistAfterFork(_enable: c_int) -> c_int { 0 }
}
