//! `string.templatelib.Interpolation`: a value in a t-string, with its text, conversion and format specification (PEP 750).

use crate::prelude::*;
use std::mem::offset_of;

#[repr(C)]
pub struct Interpolation {
    ob_base: PyObject,
    value: Ref,
    expression: Ref,
    /// `None`, or a string of one letter.
    conversion: Ref,
    format_spec: Ref,
}

impl Interpolation {
    /// What a t-string makes of a field. `conversion` is one of `s`, `r`, `a`.
    pub fn build(
        value: &PyObject,
        expression: &PyObject,
        conversion: Option<u8>,
        format_spec: &PyObject,
    ) -> PyResult<Ref<Interpolation>> {
        let conversion = match conversion {
            Some(letter) => PyUnicodeObject::from_ascii(&[letter]).into_object(),
            None => none_ref(),
        };
        Ref::new(Interpolation {
            ob_base: crate::memory::blank_header(),
            value: value.to_ref(),
            expression: expression.to_ref(),
            conversion,
            format_spec: format_spec.to_ref(),
        })
    }
    pub fn value(&self) -> &PyObject {
        &self.value
    }
}

#[pytype(
    name = "string.templatelib.Interpolation",
    static_name = _PyInterpolation_Type,
    flags = HAVE_GC,
    members = [
        ("value", _Py_T_OBJECT, offset_of!(Interpolation, value), Py_READONLY, "Value"),
        ("expression", _Py_T_OBJECT, offset_of!(Interpolation, expression), Py_READONLY, "Expression"),
        ("conversion", _Py_T_OBJECT, offset_of!(Interpolation, conversion), Py_READONLY, "Conversion"),
        ("format_spec", _Py_T_OBJECT, offset_of!(Interpolation, format_spec), Py_READONLY, "Format specifier"),
    ],
)]
/// A value in a template string.
impl Interpolation {
    #[new("(value, expression='', conversion=None, format_spec='')")]
    fn new(
        cls: &PyTypeObject,
        value: &PyObject,
        expression: Option<&PyUnicodeObject>,
        conversion: Option<&PyObject>,
        format_spec: Option<&PyUnicodeObject>,
    ) -> PyResult<Ref<Interpolation>> {
        let conversion = match conversion {
            None => none_ref(),
            Some(given) => {
                let Some(text) = given.downcast::<PyUnicodeObject>() else {
                    let ty = given.ty().full_name();
                    return Err(raise!(
                        TypeError,
                        "Interpolation() argument 'conversion' must be str, not {ty}"
                    ));
                };
                if !["s", "a", "r"].iter().any(|known| text.eq_str(known)) {
                    return Err(raise!(
                        ValueError,
                        "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"
                    ));
                }
                given.to_ref()
            }
        };
        let text = |given: Option<&PyUnicodeObject>| {
            given.map_or_else(|| PyUnicodeObject::empty().into_object(), |text| text.to_object())
        };
        Ref::new_in(
            cls,
            Interpolation {
                ob_base: crate::memory::blank_header(),
                value: value.to_ref(),
                expression: text(expression),
                conversion,
                format_spec: text(format_spec),
            },
        )
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for part in [&self.value, &self.expression, &self.conversion, &self.format_spec] {
            let stop = visitor.visit(part.as_raw());
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let shown = |part: &Ref| part.repr().map(|text| text.to_string_lossy());
        let (value, expression) = (shown(&self.value)?, shown(&self.expression)?);
        let (conversion, format_spec) = (shown(&self.conversion)?, shown(&self.format_spec)?);
        Ok(format!(
            "Interpolation({value}, {expression}, {conversion}, {format_spec})"
        ))
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let cls = self.as_object().ty().as_object().to_ref();
        let parts = [&self.value, &self.expression, &self.conversion, &self.format_spec];
        let args = PyTupleObject::from_vec(parts.into_iter().cloned().collect());
        PyTupleObject::from_vec(vec![cls, args.into_object()])
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        crate::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// Puts `__match_args__` into the type's dict, once it is ready.
pub fn add_match_args() -> PyResult<()> {
    let names = ["value", "expression", "conversion", "format_spec"];
    let names = names
        .iter()
        .map(|name| PyUnicodeObject::intern_immortal(name).to_object());
    let names = PyTupleObject::from_vec(names.collect());
    let dict = _PyInterpolation_Type.dict().expect("a ready type has a dict");
    dict.set_str(identifier!("__match_args__"), names.as_object())
}
