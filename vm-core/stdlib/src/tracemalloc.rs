//! `_tracemalloc`: the runtime's table of traced blocks -> the tuples that `tracemalloc` makes snapshots of. The interpreter's
//! frames are read here, since the table's crate does not know them.

use adder_interp::frame::{call_stack, current_frame};
use adder_runtime::memory::trace::{self, Frames, Traceback};
use adder_runtime::prelude::*;
use adder_runtime::thread::try_thread_state;

/// The calling thread's frames, innermost first: at most `limit` of them, and how many there are. Allocates nothing from Python's
/// memory.
fn capture(frames: &mut Frames, limit: usize) -> usize {
    let Some(state) = try_thread_state() else { return 0 };
    let mut n_total = 0;
    // SAFETY: the frames of the calling thread are alive, and so is the code that each runs.
    for frame in unsafe { call_stack(current_frame(state)).map(|frame| &*frame) } {
        n_total += 1;
        if frames.len() < limit {
            let line = frame.line().unwrap_or(0).max(0);
            frames.push((frame.code().co_filename.get(), line));
        }
    }
    n_total.min(trace::MAX_FRAMES)
}

/// Begins to trace with so many frames a traceback.
pub fn start(n_frames: usize) {
    trace::start(n_frames, capture);
}

/// `((filename, lineno), ...)`, innermost first; a block without Python frames has one that says so.
pub fn frames_of(traceback: &Traceback) -> PyResult<Ref<PyTupleObject>> {
    let pair = |name: &PyObject, line: i32| {
        PyTupleObject::from_vec(vec![name.to_ref(), PyLongObject::from_i64(line.into()).into_object()])
            .into_object()
    };
    if traceback.frames.is_empty() {
        let unknown = PyUnicodeObject::from_str("<unknown>");
        return Ok(PyTupleObject::from_vec(vec![pair(unknown.as_object(), 0)]));
    }
    let frames = traceback.frames.iter();
    Ok(PyTupleObject::from_vec(
        frames.map(|(name, line)| pair(name, *line)).collect(),
    ))
}

/// Debug module to trace memory blocks allocated by Python.
#[pymodule(name = "_tracemalloc", types = [])]
pub mod _tracemalloc {
    use super::*;

    /// Return True if the tracemalloc module is tracing Python memory allocations.
    #[pyfunction("($module, /)")]
    fn is_tracing() -> bool {
        trace::is_tracing()
    }
    /// Clear traces of memory blocks allocated by Python.
    #[pyfunction("($module, /)")]
    fn clear_traces() {
        trace::clear();
    }
    /// Set the peak size of memory blocks traced by tracemalloc to the current size.
    #[pyfunction("($module, /)")]
    fn reset_peak() {
        trace::reset_peak();
    }
    /// Stop tracing Python memory allocations.
    #[pyfunction("($module, /)")]
    fn stop() {
        trace::stop();
    }
    /// Start tracing Python memory allocations.
    #[pyfunction("($module, nframe=1, /)")]
    fn start(nframe: Option<i32>) -> PyResult<()> {
        match usize::try_from(nframe.unwrap_or(1)) {
            Ok(n_frames @ 1..=trace::MAX_FRAMES) => super::start(n_frames),
            _ => return Err(raise!(ValueError, "the number of frames must be in range [1; 65535]")),
        }
        Ok(())
    }
    /// Get the maximum number of frames stored in the traceback of a trace.
    #[pyfunction("($module, /)")]
    fn get_traceback_limit() -> usize {
        trace::limit()
    }
    /// Get the memory usage in bytes of the tracemalloc module.
    #[pyfunction("($module, /)")]
    fn get_tracemalloc_memory() -> usize {
        trace::own_memory()
    }
    /// Get the current size and peak size of memory blocks traced by tracemalloc.
    #[pyfunction("($module, /)")]
    fn get_traced_memory() -> (usize, usize) {
        trace::traced_memory()
    }
    /// Get traces of all memory blocks allocated by Python: (domain, size, frames, number of frames) each.
    #[pyfunction("($module, /)")]
    fn _get_traces() -> PyResult<Ref<PyListObject>> {
        let traces = PyListObject::new();
        if !trace::is_tracing() {
            return Ok(traces);
        }
        trace::visit(frames_of, |domain, size, frames, n_total| {
            let row = PyTupleObject::from_vec(vec![
                PyLongObject::from_u64(domain.into()).into_object(),
                PyLongObject::from_usize(size).into_object(),
                frames.as_object().to_ref(),
                PyLongObject::from_usize(n_total).into_object(),
            ]);
            traces.push(row.into_object());
            Ok(())
        })?;
        Ok(traces)
    }
    /// Get the traceback where the Python object was allocated, or None.
    #[pyfunction("($module, obj, /)")]
    fn _get_object_traceback(obj: &PyObject) -> PyResult<Option<Ref<PyTupleObject>>> {
        let block = (&raw const *obj)
            .cast::<u8>()
            .wrapping_sub(obj.ty().prehead_size());
        trace::traceback_of(trace::DEFAULT_DOMAIN, block.cast(), frames_of)
    }
}
