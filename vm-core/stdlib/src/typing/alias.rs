//! `TypeAliasType`: what a `type` statement makes.

use super::params::{Lazy, ParamSpec, TypeVar, TypeVarTuple};
use super::{NO_DEFAULT, caller_module, unpack_typevartuples};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::prelude::*;

#[repr(C)]
pub struct TypeAliasType {
    ob_base: PyObject,
    name: Ref<PyUnicodeObject>,
    type_params: Option<Ref<PyTupleObject>>,
    value: Lazy,
    module: Option<Ref>,
}

/// The type parameters, when there are any: those without a default come first.
fn check_type_params(params: Option<&PyObject>) -> PyResult<Option<Ref<PyTupleObject>>> {
    let Some(params) = params else { return Ok(None) };
    let Some(params) = params.downcast::<PyTupleObject>() else {
        return Err(raise!(TypeError, "type_params must be a tuple"));
    };
    let mut default_seen = false;
    for param in params.as_slice() {
        let is_param = param.downcast::<TypeVar>().is_some()
            || param.downcast::<ParamSpec>().is_some()
            || param.downcast::<TypeVarTuple>().is_some();
        if !is_param {
            return Err(raise!(TypeError, "Expected a type param, got {}", param.repr()?.to_string_lossy()));
        }
        if !param.get_attr(identifier!("__default__"))?.is(&NO_DEFAULT) {
            default_seen = true;
        } else if default_seen {
            let shown = param.repr()?.to_string_lossy();
            return Err(raise!(TypeError, "non-default type parameter '{shown}' follows default type parameter"));
        }
    }
    Ok(Some(params.to_ref()).filter(|params| !params.as_slice().is_empty()))
}

#[pytype(name = "typing.TypeAliasType", static_name = TYPEALIAS_TYPE, flags = HAVE_GC)]
/// Type alias.
///
/// Type aliases are created through the type statement; the value is evaluated when it is asked for.
impl TypeAliasType {
    #[new("~(name, value, *, type_params=())")]
    fn new(
        cls: &PyTypeObject,
        name: &PyUnicodeObject,
        value: &PyObject,
        type_params: Option<&PyObject>,
    ) -> PyResult<Ref<TypeAliasType>> {
        let alias = TypeAliasType {
            ob_base: blank_header(),
            name: name.to_ref(),
            type_params: check_type_params(type_params)?,
            value: Lazy::value(Some(value)),
            module: caller_module(),
        };
        Ref::new_in(cls, alias)
    }
    /// From a `type` statement: name, type parameters or None, and the function that computes the value.
    pub fn from_statement(name: &PyUnicodeObject, params: &PyObject, evaluate: &PyObject) -> PyResult<Ref<Self>> {
        Ref::new(TypeAliasType {
            ob_base: blank_header(),
            name: name.to_ref(),
            type_params: params.downcast::<PyTupleObject>().map(TypedObject::to_ref),
            value: Lazy::function(evaluate),
            module: None,
        })
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.value.visit(visitor);
        if status != 0 { status } else { visitor.visit_ref(&self.type_params) }
    }
    #[slot]
    fn tp_clear(&self) {
        self.value.clear();
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        self.name.clone()
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        PyTupleObject::from_vec(vec![super::unpack(self.as_object())?]).as_object().iter()
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        super::make_union(a, b)
    }
    #[slot]
    fn mp_subscript(&self, args: &PyObject) -> PyResult {
        if self.type_params.is_none() {
            return Err(raise!(TypeError, "Only generic type aliases are subscriptable"));
        }
        new_generic_alias(self.as_object(), args)
    }
    #[getter]
    fn __name__(&self) -> Ref<PyUnicodeObject> {
        self.name.clone()
    }
    #[getter]
    fn __parameters__(&self) -> PyResult {
        match &self.type_params {
            Some(params) => unpack_typevartuples(params),
            None => Ok(PyTupleObject::empty().into_object()),
        }
    }
    #[getter]
    fn __type_params__(&self) -> Ref<PyTupleObject> {
        self.type_params.clone().unwrap_or_else(PyTupleObject::empty)
    }
    #[getter]
    fn __value__(&self) -> PyResult<Option<Ref>> {
        self.value.get()
    }
    #[getter]
    fn evaluate_value(&self) -> PyResult<Option<Ref>> {
        self.value.evaluator()
    }
    #[getter]
    fn __module__(&self) -> PyResult<Option<Ref>> {
        if let Some(module) = &self.module {
            return Ok(Some(module.clone()));
        }
        match self.value.function_object() {
            Some(function) => function.get_attr_opt(identifier!("__module__")),
            None => Ok(None),
        }
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyUnicodeObject> {
        self.name.clone()
    }
}
