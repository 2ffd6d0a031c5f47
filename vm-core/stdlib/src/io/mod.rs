//! `_io`: streams.

use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

/// Issues a ResourceWarning about `source`.
pub fn resource_warning(source: &PyObject, message: &str) -> PyResult<()> {
    let _ = source;
    adder_runtime::exceptions::warn(exc::ResourceWarning, message, 1)
}
