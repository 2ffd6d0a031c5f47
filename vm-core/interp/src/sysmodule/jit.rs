//! `sys._jit`: whether code is compiled. The JIT's crate sets the two facts.

use adder_runtime::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// There is a JIT in this executable.
pub static AVAILABLE: AtomicBool = AtomicBool::new(false);
/// It is turned on.
pub static ENABLED: AtomicBool = AtomicBool::new(false);

/// What the just-in-time compiler does.
#[pymodule(name = "sys._jit")]
pub mod _jit {
    use super::*;

    /// Return True if the current executable supports JIT compilation, and False otherwise.
    #[pyfunction("($module, /)")]
    fn is_available() -> bool {
        AVAILABLE.load(Ordering::Relaxed)
    }
    /// Return True if JIT compilation is enabled for the current process, and False otherwise.
    #[pyfunction("($module, /)")]
    fn is_enabled() -> bool {
        ENABLED.load(Ordering::Relaxed)
    }
    /// Return True if the topmost Python frame runs compiled code, and False otherwise.
    #[pyfunction("($module, /)")]
    fn is_active() -> bool {
        false
    }
}
