//! `_sysconfig`: what `sysconfig` asks of the build.

use adder_runtime::prelude::*;

/// A helper for the sysconfig module.
#[pymodule(name = "_sysconfig", types = [])]
pub mod _sysconfig {
    use super::*;

    /// Values of config variables that are known to the program itself.
    #[pyfunction("($module, /)")]
    fn config_vars() -> PyResult<Ref<PyDictObject>> {
        let vars = PyDictObject::new();
        for name in ["Py_GIL_DISABLED", "Py_DEBUG"] {
            vars.set_str(&PyUnicodeObject::from_str(name), PyLongObject::from_i64(0).as_object())?;
        }
        Ok(vars)
    }
}
