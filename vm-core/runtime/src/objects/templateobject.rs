//! `string.templatelib.Template`: what a t-string evaluates to, strings and interpolations in turn (PEP 750).
//!
//! Invariant: there is one string more than there are interpolations.

use super::interpolationobject::Interpolation;
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct Template {
    ob_base: PyObject,
    strings: Ref<PyTupleObject>,
    interpolations: Ref<PyTupleObject>,
}

impl Template {
    /// Of the strings and the interpolations between them.
    pub fn build(strings: Ref<PyTupleObject>, interpolations: Ref<PyTupleObject>) -> PyResult<Ref<Template>> {
        Ref::new(Template {
            ob_base: crate::memory::blank_header(),
            strings,
            interpolations,
        })
    }
    /// Both in a row: the last string of the first meets the first one of the second.
    fn joined(&self, other: &Template) -> PyResult<Ref<Template>> {
        let (left, right) = (self.strings.as_slice(), other.strings.as_slice());
        let (last, first) = (left[left.len() - 1], right[0]);
        let middle = match (
            last.downcast::<PyUnicodeObject>(),
            first.downcast::<PyUnicodeObject>(),
        ) {
            (Some(last), Some(first)) => last.concat(first)?,
            _ => return Err(raise!(SystemError, "a template's strings are not strings")),
        };
        let mut strings: Vec<Ref> = left[..left.len() - 1].iter().map(|item| item.to_ref()).collect();
        strings.push(middle.into_object());
        strings.extend(right[1..].iter().map(|item| item.to_ref()));
        let both = self
            .interpolations
            .as_slice()
            .iter()
            .chain(other.interpolations.as_slice());
        let interpolations = both.map(|item| item.to_ref()).collect();
        Template::build(
            PyTupleObject::from_vec(strings),
            PyTupleObject::from_vec(interpolations),
        )
    }
}

#[pytype(
    name = "string.templatelib.Template",
    static_name = _PyTemplate_Type,
    flags = HAVE_GC,
    members = [
        ("strings", _Py_T_OBJECT, offset_of!(Template, strings), Py_READONLY, "Strings"),
        ("interpolations", _Py_T_OBJECT, offset_of!(Template, interpolations), Py_READONLY, "Interpolations"),
    ],
)]
/// A template string: text and interpolations.
impl Template {
    #[slot]
    fn tp_new(
        cls: &PyTypeObject,
        args: &PyTupleObject,
        kwargs: Option<&PyDictObject>,
    ) -> PyResult<Ref<Template>> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "Template.__new__ only accepts *args arguments"));
        }
        let mut strings: Vec<Ref<PyUnicodeObject>> = Vec::new();
        let mut interpolations: Vec<Ref> = Vec::new();
        for arg in args.as_slice() {
            if let Some(text) = arg.downcast::<PyUnicodeObject>() {
                if strings.len() > interpolations.len() {
                    let last = strings.pop().expect("there is one more");
                    strings.push(last.concat(text)?);
                } else {
                    strings.push(text.to_ref());
                }
            } else if arg.downcast::<Interpolation>().is_some() {
                if strings.len() == interpolations.len() {
                    strings.push(PyUnicodeObject::empty());
                }
                interpolations.push(arg.to_ref());
            } else {
                let ty = arg.ty().full_name();
                return Err(raise!(
                    TypeError,
                    "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {ty}"
                ));
            }
        }
        if strings.len() == interpolations.len() {
            strings.push(PyUnicodeObject::empty());
        }
        Ref::new_in(
            cls,
            Template {
                ob_base: crate::memory::blank_header(),
                strings: PyTupleObject::from_vec(strings.into_iter().map(Ref::into_object).collect()),
                interpolations: PyTupleObject::from_vec(interpolations),
            },
        )
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.strings.as_raw()) {
            0 => visitor.visit(self.interpolations.as_raw()),
            stop => stop,
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let (strings, interpolations) = (
            self.strings.as_object().repr()?,
            self.interpolations.as_object().repr()?,
        );
        let (strings, interpolations) = (strings.to_string_lossy(), interpolations.to_string_lossy());
        Ok(format!(
            "Template(strings={strings}, interpolations={interpolations})"
        ))
    }
    #[slot]
    fn tp_iter(&self) -> PyResult<Ref<TemplateIterator>> {
        let ob_base = crate::memory::blank_header();
        Ref::new(TemplateIterator {
            ob_base,
            template: self.to_ref(),
            next: Cell::new(0),
        })
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult<Ref<Template>> {
        match other.downcast::<Template>() {
            Some(other) => self.joined(other),
            None => Err(raise!(
                TypeError,
                "can only concatenate string.templatelib.Template (not \"{}\") to string.templatelib.Template",
                other.ty().full_name()
            )),
        }
    }
    /// The values of the interpolations.
    #[getter]
    fn values(&self) -> Ref<PyTupleObject> {
        let values = self
            .interpolations
            .as_slice()
            .iter()
            .filter_map(|item| item.downcast::<Interpolation>());
        PyTupleObject::from_vec(values.map(|item| item.value().to_ref()).collect())
    }
    /// For pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let module = crate::hooks::import_module("string.templatelib")?;
        let function = module.get_attr(identifier!("_template_unpickle"))?;
        let args = vec![self.strings.to_object(), self.interpolations.to_object()];
        Ok(PyTupleObject::from_vec(vec![
            function,
            PyTupleObject::from_vec(args).into_object(),
        ]))
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        crate::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// Gives a template's strings, except empty ones, and interpolations in turn.
#[repr(C)]
pub struct TemplateIterator {
    ob_base: PyObject,
    template: Ref<Template>,
    /// Even places are strings.
    next: Cell<usize>,
}

#[pytype(name = "string.templatelib.TemplateIter", static_name = _PyTemplateIter_Type, flags = HAVE_GC)]
/// An iterator over a template.
impl TemplateIterator {
    #[slot]
    fn tp_iter(&self) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.template.as_raw())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        loop {
            let place = self.next.get();
            let items = if place.is_multiple_of(2) {
                &self.template.strings
            } else {
                &self.template.interpolations
            };
            let Some(item) = items.as_slice().get(place / 2) else {
                return Ok(None);
            };
            self.next.set(place + 1);
            if item
                .downcast::<PyUnicodeObject>()
                .is_none_or(|text| !text.is_empty())
            {
                return Ok(Some(item.to_ref()));
            }
        }
    }
}
