//! `_typing`: the parts of `typing` that the compiler and the built-in types know.
//!
//! Comes in: calls from `typing` and, for the type parameter syntax, from the interpreter (`_make_…`, `_subscript_generic`).

mod alias;
mod params;

use adder_runtime::memory::blank_header;
use adder_runtime::objects::genericaliasobject::push_type_repr;
use adder_runtime::objects::reprs::ReprBuilder;
use adder_runtime::prelude::*;

/// `typing.name(*args)`.
pub fn call_typing(name: &str, args: &[&PyObject]) -> PyResult {
    adder_runtime::hooks::import_module("typing")?.get_attr_str(name)?.call(args)
}

/// The module that calls.
fn caller_module() -> Option<Ref> {
    adder_runtime::hooks::current_globals()?.get_str(identifier!("__name__"))
}

fn make_union(a: &PyObject, b: &PyObject) -> PyResult {
    let members = PyTupleObject::from_slice(&[a, b]);
    adder_runtime::objects::unionobject::union_from_subscript(members.as_object())
}

/// `typing.Unpack[object]`.
fn unpack(object: &PyObject) -> PyResult {
    adder_runtime::hooks::import_module("typing")?.get_attr(identifier!("Unpack"))?.get_item(object)
}

/// Type parameters as what a class or alias is generic over: tuples of type variables are unpacked.
fn unpack_typevartuples(params: &PyTupleObject) -> PyResult {
    if !params.as_slice().iter().any(|param| param.downcast::<params::TypeVarTuple>().is_some()) {
        return Ok(params.to_object());
    }
    let unpacked: PyResult<Vec<Ref>> = params
        .as_slice()
        .iter()
        .map(|param| if param.downcast::<params::TypeVarTuple>().is_some() { unpack(param) } else { Ok(param.to_ref()) })
        .collect();
    Ok(PyTupleObject::from_vec(unpacked?).into_object())
}

/// The type of `NoDefault`.
#[repr(transparent)]
pub struct NoDefault(PyObject);

pub static NO_DEFAULT: PyObject = PyObject::immortal((&raw const NODEFAULT_TYPE).cast_mut());

#[pytype(name = "NoDefaultType", static_name = NODEFAULT_TYPE)]
/// The type of the NoDefault singleton.
impl NoDefault {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "NoDefaultType takes no arguments"));
        }
        Ok(NO_DEFAULT.to_ref())
    }
    #[slot]
    unsafe fn tp_dealloc(_this: *mut Self) {}
    #[slot]
    fn tp_repr(&self) -> PyResult<&str> {
        Ok("typing.NoDefault")
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<&str> {
        Ok("NoDefault")
    }
}

/// A callable like the functions that compute bounds and defaults, for a value that is there already.
#[repr(C)]
pub struct ConstEvaluator {
    ob_base: PyObject,
    value: Ref,
}

#[pytype(name = "_typing._ConstEvaluator", static_name = CONSTEVALUATOR_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// Gives its value in a format of annotationlib.
impl ConstEvaluator {
    pub fn of(value: Ref) -> PyResult<Ref<ConstEvaluator>> {
        Ref::new(ConstEvaluator { ob_base: blank_header(), value })
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.value.as_raw())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(format!("<constevaluator {}>", self.value.repr()?.to_string_lossy()))
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "constevaluator.__call__() takes no keyword arguments"));
        }
        let [format] = args.as_slice() else {
            let n_given = args.as_slice().len();
            return Err(raise!(TypeError, "constevaluator.__call__() takes exactly 1 argument ({n_given} given)"));
        };
        const STRING: i64 = 4;
        if format.index()?.as_i64()? != STRING {
            return Ok(self.value.clone());
        }
        let Some(tuple) = self.value.as_object().downcast::<PyTupleObject>() else {
            let mut text = ReprBuilder::new("");
            push_type_repr(&mut text, &self.value)?;
            return Ok(text.finish());
        };
        let mut text = ReprBuilder::new("(");
        for (index, item) in tuple.as_slice().iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            push_type_repr(&mut text, item)?;
        }
        text.push_str(")");
        Ok(text.finish())
    }
}


/// `typing.name(cls, *args, **kwargs)`.
fn forward(name: &str, cls: &PyTypeObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
    let mut all = vec![cls.as_object()];
    all.extend_from_slice(args);
    let function = adder_runtime::hooks::import_module("typing")?.get_attr_str(name)?;
    function.call_tuple(&PyTupleObject::from_slice(&all), kwargs)
}

/// Primitives and accelerators for the typing module.
#[pymodule(name = "_typing", types = [TYPEVAR_TYPE, PARAMSPEC_TYPE, TYPEVARTUPLE_TYPE, PARAMSPECARGS_TYPE, PARAMSPECKWARGS_TYPE, TYPEALIAS_TYPE])]
pub mod _typing {
    pub use super::alias::TYPEALIAS_TYPE;
    use super::alias::TypeAliasType;
    pub use super::params::{PARAMSPEC_TYPE, PARAMSPECARGS_TYPE, PARAMSPECKWARGS_TYPE, TYPEVAR_TYPE, TYPEVARTUPLE_TYPE};
    use super::params::{ParamSpec, TypeVar, TypeVarTuple};
    use super::*;

    /// `Generic` is a class like those that Python code makes: what derives from it is laid out and pickled as its
    /// subclasses are.
    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let text = |text: &str| PyUnicodeObject::from_str(text).into_object();
        // What instances made without a module around them fall back on.
        for ty in [&params::TYPEVAR_TYPE, &params::PARAMSPEC_TYPE, &params::TYPEVARTUPLE_TYPE] {
            if let Some(dict) = ty.dict() {
                dict.set(&text("__module__"), &text("typing"))?;
                adder_runtime::types::modified(ty);
            }
        }
        let namespace = PyDictObject::new();
        namespace.set(&text("__module__"), &text("typing"))?;
        namespace.set(&text("__doc__"), &text("Abstract base class for generic types."))?;
        namespace.set(&text("__slots__"), PyTupleObject::empty().as_object())?;
        for (name, function) in
            [("__class_getitem__", "_generic_class_getitem"), ("__init_subclass__", "_generic_init_subclass")]
        {
            let function = module.as_object().get_attr_str(function)?;
            namespace.set(&text(name), &*adder_runtime::objects::funcobject::new_classmethod(&function)?)?;
        }
        let metatype = PyTypeObject::type_object().as_object();
        let bases = PyTupleObject::empty();
        let generic = metatype.call(&[&text("Generic"), bases.as_object(), namespace.as_object()])?;
        generic.del_attr(identifier!("__slots__"))?;
        module.add("Generic", generic)
    }
    /// Parameterizes a generic class.
    #[pyfunction("~($module, /, cls, *args, **kwargs)")]
    fn _generic_class_getitem(cls: &PyTypeObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
        forward("_generic_class_getitem", cls, args, kwargs)
    }
    /// Sets up the parameters of a subclass.
    #[pyfunction("~($module, /, cls, *args, **kwargs)")]
    fn _generic_init_subclass(cls: &PyTypeObject, args: &[&PyObject], kwargs: Option<&PyDictObject>) -> PyResult {
        forward("_generic_init_subclass", cls, args, kwargs)
    }

    #[pyconst]
    fn NoDefault() -> Ref {
        NO_DEFAULT.to_ref()
    }
    #[pyconst]
    fn Union() -> Ref {
        adder_runtime::objects::unionobject::_PyUnion_Type.to_object()
    }
    #[pyfunction("($module, x, /)")]
    fn _idfunc(x: &PyObject) -> Ref {
        x.to_ref()
    }
    /// A type variable of the type parameter syntax.
    #[pyfunction("($module, name, /)")]
    fn _make_typevar(name: &PyUnicodeObject) -> PyResult<Ref<TypeVar>> {
        TypeVar::bare(name)
    }
    /// A type variable with a function for its bound.
    #[pyfunction("($module, name, evaluate_bound, /)")]
    fn _make_typevar_with_bound(name: &PyUnicodeObject, evaluate_bound: &PyObject) -> PyResult<Ref<TypeVar>> {
        TypeVar::with_bound(name, evaluate_bound)
    }
    /// A type variable with a function for its constraints.
    #[pyfunction("($module, name, evaluate_constraints, /)")]
    fn _make_typevar_with_constraints(
        name: &PyUnicodeObject,
        evaluate_constraints: &PyObject,
    ) -> PyResult<Ref<TypeVar>> {
        TypeVar::with_constraints(name, evaluate_constraints)
    }
    #[pyfunction("($module, name, /)")]
    fn _make_paramspec(name: &PyUnicodeObject) -> PyResult<Ref<ParamSpec>> {
        ParamSpec::bare(name)
    }
    #[pyfunction("($module, name, /)")]
    fn _make_typevartuple(name: &PyUnicodeObject) -> PyResult<Ref<TypeVarTuple>> {
        TypeVarTuple::bare(name)
    }
    /// The alias of a type statement: (name, type parameters or None, function).
    #[pyfunction("($module, parts, /)")]
    fn _make_type_alias(parts: &PyTupleObject) -> PyResult<Ref<TypeAliasType>> {
        let [name, params, evaluate] = parts.as_slice() else {
            return Err(raise!(SystemError, "a type alias has a name, type parameters and a function"));
        };
        match name.downcast::<PyUnicodeObject>() {
            Some(name) => TypeAliasType::from_statement(name, params, evaluate),
            None => Err(raise!(SystemError, "the name of a type alias is a str")),
        }
    }
    /// Generic[params] for a class with type parameters.
    #[pyfunction("($module, params, /)")]
    fn _subscript_generic(params: &PyTupleObject) -> PyResult {
        let params = unpack_typevartuples(params)?;
        let generic = adder_runtime::hooks::import_module("typing")?.get_attr_str("Generic")?;
        call_typing("_GenericAlias", &[&generic, &params])
    }
    /// Gives a type parameter a function for its default.
    #[pyfunction("($module, typeparam, evaluate_default, /)")]
    fn _set_typeparam_default(typeparam: &PyObject, evaluate_default: &PyObject) -> PyResult {
        if let Some(param) = typeparam.downcast::<TypeVar>() {
            param.set_default(evaluate_default);
        } else if let Some(param) = typeparam.downcast::<ParamSpec>() {
            param.set_default(evaluate_default);
        } else if let Some(param) = typeparam.downcast::<TypeVarTuple>() {
            param.set_default(evaluate_default);
        } else {
            return Err(raise!(TypeError, "Expected a type param, got {}", typeparam.repr()?.to_string_lossy()));
        }
        Ok(typeparam.to_ref())
    }
}
