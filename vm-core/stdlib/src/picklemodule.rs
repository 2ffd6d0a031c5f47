//! `_pickle`: the buffers. Pickling itself is what `pickle` has in Python.

use adder_runtime::objects::picklebufobject::PyPickleBuffer_Type;
use adder_runtime::prelude::*;

#[pymodule(name = "_pickle", types = [])]
pub mod _pickle {
    use super::*;

    #[pyconst]
    fn PickleBuffer() -> Ref {
        PyPickleBuffer_Type.to_object()
    }
    /// What `pickle` itself has, under a name of its own where it expects another here.
    #[pyfunction("($module, name, /)")]
    fn __getattr__(name: &PyUnicodeObject) -> PyResult {
        let own_name = match &*name.to_string_lossy() {
            "Pickler" => "_Pickler",
            "Unpickler" => "_Unpickler",
            "dump" => "_dump",
            "dumps" => "_dumps",
            "load" => "_load",
            "loads" => "_loads",
            "PickleError" => "PickleError",
            "PicklingError" => "PicklingError",
            "UnpicklingError" => "UnpicklingError",
            other => {
                return Err(raise!(
                    AttributeError,
                    "module '_pickle' has no attribute '{other}'"
                ));
            }
        };
        adder_runtime::hooks::import_module("pickle")?.get_attr(&PyUnicodeObject::from_str(own_name))
    }
}
