//! Template strings (PEP 750): the opcodes' side of `Template` and `Interpolation`.

use adder_runtime::abi::*;
use adder_runtime::objects::interpolationobject::Interpolation;
use adder_runtime::objects::templateobject::Template;
use adder_runtime::prelude::*;

/// BUILD_TEMPLATE: of a tuple of strings and a tuple of interpolations.
pub fn new_template(strings: &PyObject, interpolations: &PyObject) -> PyResult {
    Ok(Template::build(strings.to_tuple()?, interpolations.to_tuple()?)?.into_object())
}

/// BUILD_INTERPOLATION.
pub fn new_interpolation(
    value: &PyObject,
    expression: &PyObject,
    conversion: Option<u8>,
    format_spec: Option<&PyObject>,
) -> PyResult {
    let empty = PyUnicodeObject::empty();
    let spec = format_spec.unwrap_or(empty.as_object());
    Ok(Interpolation::build(value, expression, conversion, spec)?.into_object())
}
