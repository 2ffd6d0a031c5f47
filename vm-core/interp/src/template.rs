//! Template strings (PEP 750): `string.templatelib.Template` and `Interpolation`.

use adder_runtime::abi::*;
use adder_runtime::memory;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

fn owned(value: &PyObject) -> Cell<*mut PyObject> {
    Cell::new(value.to_ref().into_raw())
}

fn clear(field: &ObjCell) {
    let old = field.replace(std::ptr::null_mut());
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old) });
}

#[repr(C)]
pub struct Template {
    ob_base: PyObject,
    strings: ObjCell,
    interpolations: ObjCell,
}

#[repr(C)]
pub struct Interpolation {
    ob_base: PyObject,
    value: ObjCell,
    expression: ObjCell,
    conversion: ObjCell,
    format_spec: ObjCell,
}

/// A template of a tuple of strings and a tuple of interpolations, one fewer.
pub fn new_template(strings: &PyObject, interpolations: &PyObject) -> PyResult {
    let template = Template {
        ob_base: memory::blank_header(),
        strings: owned(strings),
        interpolations: owned(interpolations),
    };
    Ok(Ref::new(template)?.into_object())
}

pub fn new_interpolation(
    value: &PyObject,
    expression: &PyObject,
    conversion: Option<&str>,
    format_spec: Option<&PyObject>,
) -> PyResult {
    let conversion = conversion.map_or_else(none_ref, |text| PyUnicodeObject::from_str(text).into_object());
    let empty = PyUnicodeObject::empty();
    let interpolation = Interpolation {
        ob_base: memory::blank_header(),
        value: owned(value),
        expression: owned(expression),
        conversion: owned(&conversion),
        format_spec: owned(format_spec.unwrap_or(empty.as_object())),
    };
    Ok(Ref::new(interpolation)?.into_object())
}

impl Template {
    fn tuples(&self) -> (Ref<PyTupleObject>, Ref<PyTupleObject>) {
        // SAFETY: tuples since creation.
        unsafe { (Ref::from_borrowed(self.strings.get().cast()), Ref::from_borrowed(self.interpolations.get().cast())) }
    }
}

#[pytype(
    name = "string.templatelib.Template",
    static_name = _PyTemplate_Type,
    flags = HAVE_GC,
    members = [
        ("strings", _Py_T_OBJECT, offset_of!(Template, strings), Py_READONLY),
        ("interpolations", _Py_T_OBJECT, offset_of!(Template, interpolations), Py_READONLY)
    ]
)]
/// A template string: its literal parts and its interpolations.
impl Template {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let _ = cls;
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "Template.__new__ only accepts *args arguments"));
        }
        let (mut strings, mut interpolations): (Vec<Ref>, Vec<Ref>) = Default::default();
        let mut last_was_string = false;
        for part in args.as_slice() {
            if let Some(text) = part.downcast::<PyUnicodeObject>() {
                match strings.last_mut() {
                    Some(last) if last_was_string => {
                        *last = adder_runtime::protocol::number::add(last, text.as_object())?;
                    }
                    _ => strings.push(text.to_object()),
                }
                last_was_string = true;
            } else if Interpolation::check(part) {
                if !last_was_string {
                    strings.push(PyUnicodeObject::empty().into_object());
                }
                interpolations.push(part.to_ref());
                last_was_string = false;
            } else {
                return Err(raise!(
                    TypeError,
                    "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {}",
                    part.ty().name()
                ));
            }
        }
        if !last_was_string {
            strings.push(PyUnicodeObject::empty().into_object());
        }
        new_template(
            PyTupleObject::from_vec(strings).as_object(),
            PyTupleObject::from_vec(interpolations).as_object(),
        )
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Template) {
        // SAFETY: called once; the fields are owned.
        unsafe {
            memory::gc::untrack(this.cast());
            clear(&(*this).strings);
            clear(&(*this).interpolations);
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.strings.get()) {
            0 => visitor.visit(self.interpolations.get()),
            status => status,
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let (strings, interpolations) = self.tuples();
        Ok(format!(
            "Template(strings={}, interpolations={})",
            strings.as_object().repr()?.to_string_lossy(),
            interpolations.as_object().repr()?.to_string_lossy()
        ))
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        let (strings, interpolations) = self.tuples();
        let mut parts = Vec::new();
        for (index, text) in strings.as_slice().iter().enumerate() {
            if text.len()? != 0 {
                parts.push(text.to_ref());
            }
            if let Some(interpolation) = interpolations.as_slice().get(index) {
                parts.push(interpolation.to_ref());
            }
        }
        PyListObject::from_vec(parts).as_object().iter()
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult {
        let Some(other) = other.downcast::<Template>() else {
            return Err(raise!(
                TypeError,
                "can only concatenate string.templatelib.Template (not \"{}\") to string.templatelib.Template",
                other.ty().name()
            ));
        };
        let ((left, left_items), (right, right_items)) = (self.tuples(), other.tuples());
        let mut strings: Vec<Ref> = left.as_slice().iter().map(|text| text.to_ref()).collect();
        if let (Some(last), [first, rest @ ..]) = (strings.pop(), right.as_slice()) {
            strings.push(adder_runtime::protocol::number::add(&last, first)?);
            strings.extend(rest.iter().map(|text| text.to_ref()));
        }
        let items = left_items.as_slice().iter().chain(right_items.as_slice()).map(|item| item.to_ref()).collect();
        new_template(
            PyTupleObject::from_vec(strings).as_object(),
            PyTupleObject::from_vec(items).as_object(),
        )
    }
    /// The values of the interpolations.
    #[getter]
    fn values(&self) -> PyResult<Ref<PyTupleObject>> {
        let (_, interpolations) = self.tuples();
        let values = interpolations.as_slice().iter().map(|item| item.get_attr(identifier!("value")));
        Ok(PyTupleObject::from_vec(values.collect::<PyResult<_>>()?))
    }
    #[method]
    fn __reduce__(&self) -> PyResult {
        let module = adder_runtime::hooks::import_module("string.templatelib")?;
        let function = module.get_attr(identifier!("_template_unpickle"))?;
        let (strings, interpolations) = self.tuples();
        let args = PyTupleObject::from_vec(vec![strings.into_object(), interpolations.into_object()]);
        Ok(PyTupleObject::from_vec(vec![function, args.into_object()]).into_object())
    }
}

#[pytype(
    name = "string.templatelib.Interpolation",
    static_name = _PyInterpolation_Type,
    flags = HAVE_GC,
    members = [
        ("value", _Py_T_OBJECT, offset_of!(Interpolation, value), Py_READONLY),
        ("expression", _Py_T_OBJECT, offset_of!(Interpolation, expression), Py_READONLY),
        ("conversion", _Py_T_OBJECT, offset_of!(Interpolation, conversion), Py_READONLY),
        ("format_spec", _Py_T_OBJECT, offset_of!(Interpolation, format_spec), Py_READONLY)
    ]
)]
/// A value of a template string, with the text of its expression.
impl Interpolation {
    #[new("(value, expression='', conversion=None, format_spec='')")]
    fn py_new(
        cls: &PyTypeObject,
        value: &PyObject,
        expression: Option<&PyUnicodeObject>,
        conversion: Option<&PyObject>,
        format_spec: Option<&PyUnicodeObject>,
    ) -> PyResult {
        let _ = cls;
        let conversion = match conversion.filter(|conversion| !is_none(conversion)) {
            None => None,
            Some(conversion) => match conversion.downcast::<PyUnicodeObject>().map(|text| text.to_string_lossy()).as_deref() {
                Some("s") => Some("s"),
                Some("r") => Some("r"),
                Some("a") => Some("a"),
                Some(_) => {
                    return Err(raise!(
                        ValueError,
                        "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"
                    ));
                }
                None => {
                    return Err(raise!(
                        TypeError,
                        "Interpolation() argument 'conversion' must be str, not {}",
                        conversion.ty().name()
                    ));
                }
            },
        };
        let empty = PyUnicodeObject::empty();
        let expression = expression.unwrap_or(&empty);
        new_interpolation(value, expression.as_object(), conversion, format_spec.map(|spec| spec.as_object()))
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Interpolation) {
        // SAFETY: called once; the fields are owned.
        unsafe {
            memory::gc::untrack(this.cast());
            for field in [&(*this).value, &(*this).expression, &(*this).conversion, &(*this).format_spec] {
                clear(field);
            }
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.value.get())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let mut parts = Vec::new();
        for field in [&self.value, &self.expression, &self.conversion, &self.format_spec] {
            // SAFETY: owned since creation.
            parts.push(unsafe { (*field.get()).repr()? }.to_string_lossy());
        }
        Ok(format!("Interpolation({})", parts.join(", ")))
    }
    /// See PEP 585.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter(name = "__match_args__")]
    fn match_args(&self) -> Ref<PyTupleObject> {
        let names = ["value", "expression", "conversion", "format_spec"];
        PyTupleObject::from_vec(names.iter().map(|name| PyUnicodeObject::from_str(name).into_object()).collect())
    }
    #[method]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: owned since creation.
        let fields = unsafe {
            [&self.value, &self.expression, &self.conversion, &self.format_spec]
                .map(|field| Ref::from_borrowed(field.get()))
        };
        let args = PyTupleObject::from_vec(fields.into());
        let ty = Interpolation::type_object().to_object();
        Ok(PyTupleObject::from_vec(vec![ty, args.into_object()]).into_object())
    }
}
