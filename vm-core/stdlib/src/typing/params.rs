//! `TypeVar`, `ParamSpec` and `TypeVarTuple`: names with lazily evaluated bounds, constraints and defaults (PEP 695, 696, 649).

use super::{ConstEvaluator, NO_DEFAULT, call_typing, caller_module};
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

/// A value, or the function that computes it when it is asked for.
pub struct Lazy {
    value: ObjectCell,
    evaluate: ObjectCell,
}

impl Lazy {
    pub fn value(value: Option<&PyObject>) -> Lazy {
        Lazy { value: ObjectCell::new(value.map(PyObject::to_ref)), evaluate: ObjectCell::new(None) }
    }
    pub fn function(function: &PyObject) -> Lazy {
        Lazy { value: ObjectCell::new(None), evaluate: ObjectCell::new(Some(function.to_ref())) }
    }
    /// The value, computed once.
    pub fn get(&self) -> PyResult<Option<Ref>> {
        if let Some(value) = self.value.get() {
            return Ok(Some(value));
        }
        let Some(function) = self.evaluate.get() else { return Ok(None) };
        // The format VALUE of annotationlib.
        let value = function.call1(PyLongObject::from_i64(1).as_object())?;
        self.value.set(Some(value.clone()));
        Ok(Some(value))
    }
    /// What `evaluate_…` attributes show: a callable that takes a format.
    pub fn evaluator(&self) -> PyResult<Option<Ref>> {
        if let Some(function) = self.evaluate.get() {
            return Ok(Some(function));
        }
        self.value.get().map(|value| Ok(ConstEvaluator::of(value)?.into_object())).transpose()
    }
    pub fn function_object(&self) -> Option<Ref> {
        self.evaluate.get()
    }
    fn set_function(&self, function: &PyObject) {
        self.evaluate.set(Some(function.to_ref()));
        self.value.set(None);
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        let status = self.value.visit(visitor);
        if status != 0 { status } else { self.evaluate.visit(visitor) }
    }
    pub fn clear(&self) {
        self.value.set(None);
        self.evaluate.set(None);
    }
}

/// What the three kinds have in common.
#[repr(C)]
pub struct Param {
    ob_base: PyObject,
    dict: Cell<*mut PyObject>,
    weakreflist: Cell<*mut PyObject>,
    name: Ref<PyUnicodeObject>,
    bound: Lazy,
    constraints: Lazy,
    default: Lazy,
    covariant: Cell<u8>,
    contravariant: Cell<u8>,
    infer_variance: Cell<u8>,
}

impl Drop for Param {
    fn drop(&mut self) {
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.get()) });
    }
}

#[derive(Clone, Copy, Default)]
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}

impl Variance {
    const INFERRED: Variance = Variance { covariant: false, contravariant: false, infer: true };
    fn check(self) -> PyResult<Variance> {
        if self.covariant && self.contravariant {
            return Err(raise!(ValueError, "Bivariant types are not supported."));
        }
        if self.infer && (self.covariant || self.contravariant) {
            return Err(raise!(ValueError, "Variance cannot be specified with infer_variance."));
        }
        Ok(self)
    }
}

impl Param {
    fn new(name: &PyUnicodeObject, bound: Lazy, constraints: Lazy, default: Lazy, variance: Variance) -> Param {
        Param {
            ob_base: blank_header(),
            dict: Cell::new(std::ptr::null_mut()),
            weakreflist: Cell::new(std::ptr::null_mut()),
            name: name.to_ref(),
            bound,
            constraints,
            default,
            covariant: Cell::new(u8::from(variance.covariant)),
            contravariant: Cell::new(u8::from(variance.contravariant)),
            infer_variance: Cell::new(u8::from(variance.infer)),
        }
    }
    /// As the type parameter syntax makes them.
    fn bare(name: &PyUnicodeObject) -> Param {
        Param::new(name, Lazy::value(None), Lazy::value(None), Lazy::value(None), Variance::INFERRED)
    }
    /// The module that the call came from; None when there is none.
    fn set_module(&self, object: &PyObject, module: Option<Ref>) -> PyResult<()> {
        object.set_attr(identifier!("__module__"), &module.unwrap_or_else(none_ref))
    }
    fn default_value(&self) -> PyResult {
        Ok(self.default.get()?.unwrap_or_else(|| NO_DEFAULT.to_ref()))
    }
    fn has_default(&self) -> bool {
        self.default.evaluate.is_some() || self.default.value.borrow().is_some_and(|value| !value.is(&NO_DEFAULT))
    }
    fn default_evaluator(&self) -> PyResult<Option<Ref>> {
        if self.has_default() { self.default.evaluator() } else { Ok(None) }
    }
    fn repr(&self) -> String {
        let name = self.name.to_string_lossy();
        let sign = match (self.infer_variance.get(), self.covariant.get(), self.contravariant.get()) {
            (1, _, _) => return name,
            (_, 1, _) => '+',
            (_, _, 1) => '-',
            _ => '~',
        };
        format!("{sign}{name}")
    }
    fn traverse(&self, visitor: &Visitor) -> c_int {
        for lazy in [&self.bound, &self.constraints, &self.default] {
            let status = lazy.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        visitor.visit(self.dict.get())
    }
    fn clear(&self) {
        for lazy in [&self.bound, &self.constraints, &self.default] {
            lazy.clear();
        }
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.replace(std::ptr::null_mut())) });
    }
}

#[cold]
pub fn cannot_subclass(what: &str) -> Raised {
    raise!(TypeError, "Cannot subclass an instance of {what}")
}

/// A bound or the like, which must be a type; `None` stands for its type.
fn type_check(arg: &PyObject, message: &str) -> PyResult {
    if is_none(arg) {
        return Ok(none().ty().to_object());
    }
    call_typing("_type_check", &[arg, PyUnicodeObject::from_str(message).as_object()])
}

#[repr(transparent)]
pub struct TypeVar(pub Param);
#[repr(transparent)]
pub struct ParamSpec(pub Param);
#[repr(transparent)]
pub struct TypeVarTuple(pub Param);

#[pytype(
    name = "typing.TypeVar",
    static_name = TYPEVAR_TYPE,
    flags = HAVE_GC,
    dictoffset = offset_of!(Param, dict) as isize,
    weaklistoffset = offset_of!(Param, weakreflist) as isize,
    members = [
        ("__covariant__", Py_T_BOOL, offset_of!(Param, covariant), Py_READONLY),
        ("__contravariant__", Py_T_BOOL, offset_of!(Param, contravariant), Py_READONLY),
        ("__infer_variance__", Py_T_BOOL, offset_of!(Param, infer_variance), Py_READONLY),
    ],
)]
/// Type variable.
///
/// Made by the syntax for generic functions, classes and type aliases, or by a call.
impl TypeVar {
    #[new("~(name, *constraints, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)")]
    fn new(
        cls: &PyTypeObject,
        name: &PyUnicodeObject,
        constraints: &[&PyObject],
        bound: Option<&PyObject>,
        default: Option<&PyObject>,
        covariant: bool,
        contravariant: bool,
        infer_variance: bool,
    ) -> PyResult<Ref<TypeVar>> {
        let variance = Variance { covariant, contravariant, infer: infer_variance }.check()?;
        let bound = bound.map(|bound| type_check(bound, "Bound must be a type.")).transpose()?;
        let constraints = match constraints.len() {
            0 => None,
            1 => return Err(raise!(TypeError, "A single constraint is not allowed")),
            _ if bound.is_some() => {
                return Err(raise!(TypeError, "Constraints cannot be combined with bound=..."));
            }
            _ => {
                let message = "TypeVar(name, constraint, ...): constraints must be types.";
                let checked: PyResult<Vec<Ref>> = constraints.iter().map(|arg| type_check(arg, message)).collect();
                Some(PyTupleObject::from_vec(checked?).into_object())
            }
        };
        let param = Param::new(
            name,
            Lazy::value(bound.as_deref()),
            Lazy::value(constraints.as_deref()),
            Lazy::value(default),
            variance,
        );
        let this = Ref::new_in(cls, TypeVar(param))?;
        this.0.set_module(this.as_object(), caller_module())?;
        Ok(this)
    }
    pub fn bare(name: &PyUnicodeObject) -> PyResult<Ref<TypeVar>> {
        Ref::new(TypeVar(Param::bare(name)))
    }
    pub fn with_bound(name: &PyUnicodeObject, evaluate: &PyObject) -> PyResult<Ref<TypeVar>> {
        let nothing = || Lazy::value(None);
        Ref::new(TypeVar(Param::new(name, Lazy::function(evaluate), nothing(), nothing(), Variance::INFERRED)))
    }
    pub fn with_constraints(name: &PyUnicodeObject, evaluate: &PyObject) -> PyResult<Ref<TypeVar>> {
        let nothing = || Lazy::value(None);
        Ref::new(TypeVar(Param::new(name, nothing(), Lazy::function(evaluate), nothing(), Variance::INFERRED)))
    }
    pub fn set_default(&self, evaluate: &PyObject) {
        self.0.default.set_function(evaluate);
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.0.traverse(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.0.clear();
    }
    #[slot]
    fn tp_repr(&self) -> String {
        self.0.repr()
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        super::make_union(a, b)
    }
    #[getter]
    fn __name__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[getter]
    fn __bound__(&self) -> PyResult<Option<Ref>> {
        self.0.bound.get()
    }
    #[getter]
    fn __constraints__(&self) -> PyResult {
        Ok(self.0.constraints.get()?.unwrap_or_else(|| PyTupleObject::empty().into_object()))
    }
    #[getter]
    fn __default__(&self) -> PyResult {
        self.0.default_value()
    }
    #[getter]
    fn evaluate_bound(&self) -> PyResult<Option<Ref>> {
        self.0.bound.evaluator()
    }
    #[getter]
    fn evaluate_constraints(&self) -> PyResult<Option<Ref>> {
        self.0.constraints.evaluator()
    }
    #[getter]
    fn evaluate_default(&self) -> PyResult<Option<Ref>> {
        self.0.default_evaluator()
    }
    #[method("($self, arg, /)")]
    fn __typing_subst__(&self, arg: &PyObject) -> PyResult {
        call_typing("_typevar_subst", &[self.as_object(), arg])
    }
    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &PyObject, args: &PyObject) -> PyResult {
        let args = args.to_tuple()?;
        let parameters = alias.get_attr(identifier!("__parameters__"))?.to_tuple()?;
        let index = parameters.as_slice().iter().position(|parameter| parameter.is(self.as_object()));
        let n_args = args.as_slice().len();
        match index {
            Some(index) if index < n_args => return Ok(args.to_object()),
            Some(index) if index == n_args => {
                let default = self.0.default_value()?;
                if !default.is(&NO_DEFAULT) {
                    let mut all: Vec<Ref> = args.as_slice().iter().map(|arg| arg.to_ref()).collect();
                    all.push(default);
                    return Ok(PyTupleObject::from_vec(all).into_object());
                }
            }
            _ => {}
        }
        Err(raise!(
            TypeError,
            "Too few arguments for {}; actual {n_args}, expected at least {}",
            alias.str()?.to_string_lossy(),
            index.map_or(1, |index| index + 1)
        ))
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.0.has_default()
    }
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &PyObject) -> PyResult<()> {
        Err(cannot_subclass("TypeVar"))
    }
}

#[pytype(
    name = "typing.ParamSpec",
    static_name = PARAMSPEC_TYPE,
    flags = HAVE_GC,
    dictoffset = offset_of!(Param, dict) as isize,
    weaklistoffset = offset_of!(Param, weakreflist) as isize,
    members = [
        ("__covariant__", Py_T_BOOL, offset_of!(Param, covariant), Py_READONLY),
        ("__contravariant__", Py_T_BOOL, offset_of!(Param, contravariant), Py_READONLY),
        ("__infer_variance__", Py_T_BOOL, offset_of!(Param, infer_variance), Py_READONLY),
    ],
)]
/// Parameter specification variable.
///
/// Stands for the parameters of a callable; its args and kwargs annotate *args and **kwargs.
///
/// >>> P = ParamSpec('P')
/// >>> P.__name__, P.args, P.kwargs
/// ('P', P.args, P.kwargs)
impl ParamSpec {
    #[new("~(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)")]
    fn new(
        cls: &PyTypeObject,
        name: &PyUnicodeObject,
        bound: Option<&PyObject>,
        default: Option<&PyObject>,
        covariant: bool,
        contravariant: bool,
        infer_variance: bool,
    ) -> PyResult<Ref<ParamSpec>> {
        let variance = Variance { covariant, contravariant, infer: infer_variance }.check()?;
        let param =
            Param::new(name, Lazy::value(bound), Lazy::value(None), Lazy::value(default), variance);
        let this = Ref::new_in(cls, ParamSpec(param))?;
        this.0.set_module(this.as_object(), caller_module())?;
        Ok(this)
    }
    pub fn bare(name: &PyUnicodeObject) -> PyResult<Ref<ParamSpec>> {
        Ref::new(ParamSpec(Param::bare(name)))
    }
    pub fn set_default(&self, evaluate: &PyObject) {
        self.0.default.set_function(evaluate);
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.0.traverse(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.0.clear();
    }
    #[slot]
    fn tp_repr(&self) -> String {
        self.0.repr()
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        super::make_union(a, b)
    }
    #[getter]
    fn __name__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[getter]
    fn __bound__(&self) -> PyResult<Option<Ref>> {
        self.0.bound.get()
    }
    /// Represents positional arguments.
    #[getter]
    fn args(&self) -> PyResult<Ref<ParamSpecArgs>> {
        Ref::new(ParamSpecArgs(Part::of(self.as_object())))
    }
    /// Represents keyword arguments.
    #[getter]
    fn kwargs(&self) -> PyResult<Ref<ParamSpecKwargs>> {
        Ref::new(ParamSpecKwargs(Part::of(self.as_object())))
    }
    #[getter]
    fn __default__(&self) -> PyResult {
        self.0.default_value()
    }
    #[getter]
    fn evaluate_default(&self) -> PyResult<Option<Ref>> {
        self.0.default_evaluator()
    }
    #[method("($self, arg, /)")]
    fn __typing_subst__(&self, arg: &PyObject) -> PyResult {
        call_typing("_paramspec_subst", &[self.as_object(), arg])
    }
    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &PyObject, args: &PyObject) -> PyResult {
        call_typing("_paramspec_prepare_subst", &[self.as_object(), alias, args])
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.0.has_default()
    }
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &PyObject) -> PyResult<()> {
        Err(cannot_subclass("ParamSpec"))
    }
}

#[pytype(
    name = "typing.TypeVarTuple",
    static_name = TYPEVARTUPLE_TYPE,
    flags = HAVE_GC,
    dictoffset = offset_of!(Param, dict) as isize,
    weaklistoffset = offset_of!(Param, weakreflist) as isize,
)]
/// Type variable tuple: stands for any number of types.
impl TypeVarTuple {
    #[new("~(name, *, default=typing.NoDefault)")]
    fn new(cls: &PyTypeObject, name: &PyUnicodeObject, default: Option<&PyObject>) -> PyResult<Ref<TypeVarTuple>> {
        let param =
            Param::new(name, Lazy::value(None), Lazy::value(None), Lazy::value(default), Variance::default());
        let this = Ref::new_in(cls, TypeVarTuple(param))?;
        this.0.set_module(this.as_object(), caller_module())?;
        Ok(this)
    }
    pub fn bare(name: &PyUnicodeObject) -> PyResult<Ref<TypeVarTuple>> {
        Ref::new(TypeVarTuple(Param::bare(name)))
    }
    pub fn set_default(&self, evaluate: &PyObject) {
        self.0.default.set_function(evaluate);
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.0.traverse(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.0.clear();
    }
    #[slot]
    fn tp_repr(&self) -> String {
        self.0.name.to_string_lossy()
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        PyTupleObject::from_vec(vec![super::unpack(self.as_object())?]).as_object().iter()
    }
    #[getter]
    fn __name__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[getter]
    fn __default__(&self) -> PyResult {
        self.0.default_value()
    }
    #[getter]
    fn evaluate_default(&self) -> PyResult<Option<Ref>> {
        self.0.default_evaluator()
    }
    #[method("($self, arg, /)")]
    fn __typing_subst__(&self, _arg: &PyObject) -> PyResult {
        Err(raise!(TypeError, "Substitution of bare TypeVarTuple is not supported"))
    }
    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &PyObject, args: &PyObject) -> PyResult {
        call_typing("_typevartuple_prepare_subst", &[self.as_object(), alias, args])
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyUnicodeObject> {
        self.0.name.clone()
    }
    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.0.has_default()
    }
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &PyObject) -> PyResult<()> {
        Err(cannot_subclass("TypeVarTuple"))
    }
}

/// `P.args` or `P.kwargs`.
#[repr(C)]
pub struct Part {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    origin: Ref,
}

impl Part {
    fn of(origin: &PyObject) -> Part {
        Part { ob_base: blank_header(), weakreflist: Cell::new(std::ptr::null_mut()), origin: origin.to_ref() }
    }
    fn repr(&self, name: &str) -> PyResult<String> {
        if let Some(spec) = self.origin.as_object().downcast::<ParamSpec>() {
            return Ok(format!("{}.{name}", spec.0.name.to_string_lossy()));
        }
        Ok(format!("{}.{name}", self.origin.repr()?.to_string_lossy()))
    }
    fn compare(&self, other: Option<&Part>, op: CompareOp) -> PyResult {
        match other {
            Some(other) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                self.origin.rich_compare(&other.origin, op)
            }
            _ => Ok(not_implemented().to_ref()),
        }
    }
}

#[repr(transparent)]
pub struct ParamSpecArgs(Part);
#[repr(transparent)]
pub struct ParamSpecKwargs(Part);

#[pytype(
    name = "typing.ParamSpecArgs",
    static_name = PARAMSPECARGS_TYPE,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(Part, weakreflist) as isize,
)]
/// The args for a ParamSpec object.
///
/// >>> P = ParamSpec('P')
/// >>> P.args.__origin__ is P
/// True
impl ParamSpecArgs {
    #[new("~(origin)")]
    fn new(cls: &PyTypeObject, origin: &PyObject) -> PyResult<Ref<ParamSpecArgs>> {
        Ref::new_in(cls, ParamSpecArgs(Part::of(origin)))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.origin.as_raw())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        self.0.repr("args")
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        self.0.compare(other.downcast::<ParamSpecArgs>().map(|other| &other.0), op)
    }
    #[getter]
    fn __origin__(&self) -> Ref {
        self.0.origin.clone()
    }
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &PyObject) -> PyResult<()> {
        Err(cannot_subclass("ParamSpecArgs"))
    }
}

#[pytype(
    name = "typing.ParamSpecKwargs",
    static_name = PARAMSPECKWARGS_TYPE,
    flags = HAVE_GC,
    weaklistoffset = offset_of!(Part, weakreflist) as isize,
)]
/// The kwargs for a ParamSpec object.
///
/// >>> P = ParamSpec('P')
/// >>> P.kwargs.__origin__ is P
/// True
impl ParamSpecKwargs {
    #[new("~(origin)")]
    fn new(cls: &PyTypeObject, origin: &PyObject) -> PyResult<Ref<ParamSpecKwargs>> {
        Ref::new_in(cls, ParamSpecKwargs(Part::of(origin)))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.origin.as_raw())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        self.0.repr("kwargs")
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        self.0.compare(other.downcast::<ParamSpecKwargs>().map(|other| &other.0), op)
    }
    #[getter]
    fn __origin__(&self) -> Ref {
        self.0.origin.clone()
    }
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &PyObject) -> PyResult<()> {
        Err(cannot_subclass("ParamSpecKwargs"))
    }
}
