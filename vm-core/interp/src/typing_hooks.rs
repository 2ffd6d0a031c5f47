//! Type parameters: the intrinsics of the compiler call functions of the native `_typing` module by their names.

use adder_runtime::abi::*;
use adder_runtime::prelude::*;

/// `_typing.name(*args)`.
pub fn call(name: &str, args: &[&PyObject]) -> PyResult {
    let module = adder_runtime::hooks::import_module("_typing")?;
    let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
    module.get_attr(&name)?.call(args)
}
