//! `-X importtime`: how long each import took -> lines on stderr, the innermost first, as CPython prints them. With 2,
//! what was in `sys.modules` already has a line too.

use adder_runtime::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Imports within imports.
static DEPTH: AtomicUsize = AtomicUsize::new(0);
/// What the imports within the present one took, in ns.
static INNER_NS: AtomicU64 = AtomicU64::new(0);
static HEADER: AtomicBool = AtomicBool::new(true);

/// The name as it can be printed.
fn shown(name: &PyObject) -> String {
    let Some(name) = name.downcast::<PyUnicodeObject>() else {
        return String::new();
    };
    let code_points = name.code_points();
    let shown = |code: u32| match char::from_u32(code) {
        Some(c) => c.to_string(),
        None => format!("\\u{code:04x}"),
    };
    code_points.into_iter().map(shown).collect()
}

/// Runs an import, and says how long it took.
#[cold]
pub fn timed(name: &PyObject, import: impl FnOnce() -> PyResult) -> PyResult {
    if HEADER.swap(false, Relaxed) {
        eprintln!("import time: self [us] | cumulative | imported package");
    }
    DEPTH.fetch_add(1, Relaxed);
    let before = INNER_NS.swap(0, Relaxed);
    let start = Instant::now();
    let imported = import();
    let all_ns = start.elapsed().as_nanos() as u64;
    let depth = DEPTH.fetch_sub(1, Relaxed) - 1;
    let inner_ns = INNER_NS.swap(before + all_ns, Relaxed);
    let microseconds = |ns: u64| Duration::from_nanos(ns).as_nanos().div_ceil(1000);
    eprintln!(
        "import time: {:9} | {:10} | {:indent$}{}",
        microseconds(all_ns.saturating_sub(inner_ns)),
        microseconds(all_ns),
        "",
        shown(name),
        indent = depth * 2
    );
    imported
}

/// Says that an import had nothing to do.
#[cold]
pub fn cached(name: &PyObject) {
    let indent = DEPTH.load(Relaxed) * 2;
    eprintln!(
        "import time: cached    | cached     | {:indent$}{}",
        "",
        shown(name)
    );
}
