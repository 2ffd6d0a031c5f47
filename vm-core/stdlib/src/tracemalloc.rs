//! `_tracemalloc`: memory blocks are not traced, and this says so. Asking whether tracing is on, clearing and stopping work.

use adder_runtime::prelude::*;

#[cold]
fn not_tracing() -> Raised {
    raise!(RuntimeError, "the tracemalloc module must be tracing memory allocations to take a snapshot")
}

/// Debug module to trace memory blocks allocated by Python.
#[pymodule(name = "_tracemalloc", types = [])]
pub mod _tracemalloc {
    use super::*;

    /// Whether memory allocations are traced: never.
    #[pyfunction("($module, /)")]
    fn is_tracing() -> bool {
        false
    }
    #[pyfunction("($module, /)")]
    fn clear_traces() {}
    #[pyfunction("($module, /)")]
    fn reset_peak() {}
    #[pyfunction("($module, /)")]
    fn stop() {}
    #[pyfunction("($module, nframe=1, /)")]
    fn start(nframe: Option<isize>) -> PyResult<()> {
        if !(1..=65535).contains(&nframe.unwrap_or(1)) {
            return Err(raise!(ValueError, "the number of frames must be in range [1; 65535]"));
        }
        Err(raise!(NotImplementedError, "tracemalloc.start: Adder does not trace memory allocations"))
    }
    #[pyfunction("($module, /)")]
    fn get_traceback_limit() -> isize {
        1
    }
    #[pyfunction("($module, /)")]
    fn get_tracemalloc_memory() -> usize {
        0
    }
    #[pyfunction("($module, /)")]
    fn get_traced_memory() -> (usize, usize) {
        (0, 0)
    }
    #[pyfunction("($module, /)")]
    fn _get_traces() -> PyResult {
        Err(not_tracing())
    }
    #[pyfunction("($module, obj, /)")]
    fn _get_object_traceback(_obj: &PyObject) {}
}
