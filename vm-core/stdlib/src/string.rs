//! `_string`: how `str.format` reads its formats, for `string.Formatter`.

#[adder_macros::pymodule(name = "_string", types = [])]
pub mod _string {
    use adder_runtime::objects::string_format::{self, FormatterIterator};
    use adder_runtime::prelude::*;

    fn text_of(object: &PyObject) -> PyResult<&PyUnicodeObject> {
        object
            .downcast()
            .ok_or_else(|| raise!(TypeError, "expected str, got {}", object.ty().full_name()))
    }

    /// An iterator over the literal texts and fields of a format.
    #[pyfunction("($module, string, /)")]
    fn formatter_parser(string: &PyObject) -> PyResult<Ref<FormatterIterator>> {
        string_format::formatter_parser(text_of(string)?)
    }
    /// The first part of a field's name, and an iterator over the steps that follow it.
    #[pyfunction("($module, string, /)")]
    fn formatter_field_name_split(string: &PyObject) -> PyResult<Ref<PyTupleObject>> {
        string_format::formatter_field_name_split(text_of(string)?)
    }
}
