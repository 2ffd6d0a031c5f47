//! `types.GenericAlias`: `list[int]`; and the substitution of type parameters that unions use too.
//!
//! PEP 585, PEP 604, PEP 646. What type variables do is asked of them by the `__typing_*__` protocol of `typing`.

use super::freelist::{alloc_instance, free_instance};
use super::reprs::ReprBuilder;
use super::weakrefobject;
use crate::memory::{self, gc};
use crate::prelude::*;
use crate::types::PyType_Type;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct PyGenericAlias {
    ob_base: PyObject,
    origin: Cell<*mut PyObject>,
    args: Cell<*mut PyTupleObject>,
    /// Made on demand; null before.
    parameters: Cell<*mut PyTupleObject>,
    weakreflist: Cell<*mut PyObject>,
    /// Whether this is `*tuple[int]`.
    starred: Cell<bool>,
    vectorcall: Cell<Option<vectorcallfunc>>,
}

/// Attributes that are the alias's own; all others are the origin's.
const OWN_ATTRIBUTES: [&str; 9] = [
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];
/// Attributes that the origin must not answer for.
const BLOCKED_ATTRIBUTES: [&str; 3] = ["__bases__", "__copy__", "__deepcopy__"];

/// `Py_GenericAlias`: `origin[args]`; a single argument that is no tuple is taken as one.
pub fn new_generic_alias(origin: &PyObject, args: &PyObject) -> PyResult {
    make(&Py_GenericAliasType, origin, args)
}

fn make(cls: &PyTypeObject, origin: &PyObject, args: &PyObject) -> PyResult {
    let args = match args.downcast::<PyTupleObject>() {
        Some(args) => args.to_ref(),
        None => PyTupleObject::from_slice(&[args]),
    };
    let object = alloc_instance(cls, 0)?;
    // SAFETY: an instance of the type or of a subclass, zeroed.
    let this = unsafe { object.cast_unchecked::<PyGenericAlias>() };
    this.origin.set(origin.to_ref().into_raw());
    this.args.set(args.into_raw());
    this.vectorcall.set(Some(call_alias));
    Ok(object)
}

impl PyGenericAlias {
    pub fn origin(&self) -> &PyObject {
        // SAFETY: an alias owns its origin.
        unsafe { &*self.origin.get() }
    }
    pub fn args(&self) -> &PyTupleObject {
        // SAFETY: an alias owns its arguments.
        unsafe { &*self.args.get() }
    }
    fn parameters(&self) -> PyResult<Ref<PyTupleObject>> {
        if self.parameters.get().is_null() {
            let parameters = make_parameters(self.args())?;
            if self.parameters.get().is_null() {
                self.parameters.set(parameters.into_raw());
            }
        }
        // SAFETY: set above, owned by the alias.
        Ok(unsafe { Ref::from_borrowed(self.parameters.get()) })
    }
}

/// The type parameters in a list of arguments, each once, in order.
pub fn make_parameters(args: &PyTupleObject) -> PyResult<Ref<PyTupleObject>> {
    let mut found: Vec<Ref> = Vec::new();
    collect_parameters(args.as_slice(), &mut found)?;
    Ok(PyTupleObject::from_vec(found))
}

fn collect_parameters(args: &[&PyObject], found: &mut Vec<Ref>) -> PyResult<()> {
    crate::thread::check_native_stack(" in __parameter__ calculation")?;
    let add = |found: &mut Vec<Ref>, parameter: &PyObject| {
        if !found.iter().any(|other| other.is(parameter)) {
            found.push(parameter.to_ref());
        }
    };
    let args: Vec<Ref> = args.iter().map(|arg| arg.to_ref()).collect();
    for arg in &args {
        if PyTypeObject::check(arg) {
            continue;
        }
        if PyTupleObject::check_exact(arg) || PyListObject::check_exact(arg) {
            collect_parameters(super::tupleobject::fast_items(arg), found)?;
            continue;
        }
        if arg.get_attr_opt(identifier!("__typing_subst__"))?.is_some() {
            add(found, arg);
            continue;
        }
        if let Some(inner) = arg.get_attr_opt(identifier!("__parameters__"))?
            && let Some(inner) = inner.downcast::<PyTupleObject>().ok()
        {
            for parameter in inner.as_slice() {
                add(found, parameter);
            }
        }
    }
    Ok(())
}

/// The arguments of a subscript, with `*tuple[...]` spread out.
fn unpack_args(item: &PyObject) -> PyResult<Ref<PyTupleObject>> {
    let items: Vec<Ref> = match item.downcast::<PyTupleObject>() {
        Some(items) => items.as_slice().iter().map(|item| item.to_ref()).collect(),
        None => vec![item.to_ref()],
    };
    let mut unpacked = Vec::with_capacity(items.len());
    for item in items {
        if !PyTypeObject::check(&item)
            && let Some(inner) = item.get_attr_opt(identifier!("__typing_unpacked_tuple_args__"))?
            && let Some(inner) = inner.downcast::<PyTupleObject>().ok()
        {
            let open_ended = inner.as_slice().last().is_some_and(|last| last.is(ellipsis()));
            if !open_ended {
                unpacked.extend(inner.as_slice().iter().map(|item| item.to_ref()));
                continue;
            }
        }
        unpacked.push(item);
    }
    Ok(PyTupleObject::from_vec(unpacked))
}

fn position_of(parameters: &PyTupleObject, parameter: &PyObject) -> Option<usize> {
    parameters.as_slice().iter().position(|other| other.is(parameter))
}

/// `obj[...]` with its own parameters replaced.
fn substitute_inside(obj: &PyObject, parameters: &PyTupleObject, items: &[Ref]) -> PyResult {
    let Some(own) = obj.get_attr_opt(identifier!("__parameters__"))? else {
        return Ok(obj.to_ref());
    };
    let Some(own) = own.downcast::<PyTupleObject>().ok().filter(|own| !own.is_empty()) else {
        return Ok(obj.to_ref());
    };
    let mut args = Vec::with_capacity(own.len());
    for parameter in own.as_slice() {
        match position_of(parameters, parameter) {
            Some(idx) => {
                let item = &items[idx];
                // A TypeVarTuple stands for several.
                if parameter.ty().tp_iter.get().is_some()
                    && let Some(several) = (**item).downcast::<PyTupleObject>()
                {
                    args.extend(several.as_slice().iter().map(|item| item.to_ref()));
                } else {
                    args.push(item.clone());
                }
            }
            None => args.push(parameter.to_ref()),
        }
    }
    let args = PyTupleObject::from_vec(args);
    obj.get_item(args.as_object())
}

fn is_unpacked_typevartuple(arg: &PyObject) -> PyResult<bool> {
    if PyTypeObject::check(arg) {
        return Ok(false);
    }
    match arg.get_attr_opt(identifier!("__typing_is_unpacked_typevartuple__"))? {
        Some(flag) => flag.is_true(),
        None => Ok(false),
    }
}

/// The new arguments of an alias or union `alias` that is subscripted with `item`.
pub fn substitute_parameters(
    alias: &PyObject,
    args: &PyTupleObject,
    parameters: &PyTupleObject,
    item: &PyObject,
) -> PyResult<Ref<PyTupleObject>> {
    if parameters.is_empty() {
        return Err(raise!(
            TypeError,
            "{} is not a generic class",
            alias.repr()?.to_string_lossy()
        ));
    }
    let mut item = unpack_args(item)?;
    for parameter in parameters.as_slice() {
        if let Some(prepare) = parameter.get_attr_opt(identifier!("__typing_prepare_subst__"))?
            && !is_none(&prepare)
        {
            let prepared = prepare.call(&[alias, item.as_object()])?;
            item = match prepared.downcast::<PyTupleObject>() {
                Ok(prepared) => prepared,
                Err(other) => PyTupleObject::from_vec(vec![other]),
            };
        }
    }
    if item.len() != parameters.len() {
        return Err(raise!(
            TypeError,
            "Too {} arguments for {}; actual {}, expected {}",
            if item.len() > parameters.len() {
                "many"
            } else {
                "few"
            },
            alias.repr()?.to_string_lossy(),
            item.len(),
            parameters.len()
        ));
    }
    let items: Vec<Ref> = item.as_slice().iter().map(|item| item.to_ref()).collect();
    Ok(PyTupleObject::from_vec(substitute_args(
        args.as_slice(),
        parameters,
        &items,
    )?))
}

fn substitute_args(args: &[&PyObject], parameters: &PyTupleObject, items: &[Ref]) -> PyResult<Vec<Ref>> {
    let args: Vec<Ref> = args.iter().map(|arg| arg.to_ref()).collect();
    let mut new_args = Vec::with_capacity(args.len());
    for arg in args {
        if PyTypeObject::check(&arg) {
            new_args.push(arg);
            continue;
        }
        // Lists of arguments, as for a ParamSpec.
        if PyTupleObject::check_exact(&arg) {
            let inner = substitute_args(super::tupleobject::fast_items(&arg), parameters, items)?;
            new_args.push(PyTupleObject::from_vec(inner).into_object());
            continue;
        }
        if PyListObject::check_exact(&arg) {
            let inner = substitute_args(super::tupleobject::fast_items(&arg), parameters, items)?;
            new_args.push(PyListObject::from_vec(inner).into_object());
            continue;
        }
        let unpack = is_unpacked_typevartuple(&arg)?;
        let new = match arg.get_attr_opt(identifier!("__typing_subst__"))? {
            Some(substitute) => match position_of(parameters, &arg) {
                Some(idx) => substitute.call1(&items[idx])?,
                // It became a parameter after the alias had counted its parameters.
                None => {
                    return Err(raise!(
                        TypeError,
                        "argument {} with __typing_subst__ was not found in __parameters__",
                        arg.repr()?.to_string_lossy()
                    ));
                }
            },
            None => substitute_inside(&arg, parameters, items)?,
        };
        if !unpack {
            new_args.push(new);
            continue;
        }
        match new.downcast::<PyTupleObject>() {
            Ok(several) => new_args.extend(several.as_slice().iter().map(|item| item.to_ref())),
            Err(other) => {
                return Err(raise!(
                    TypeError,
                    "expected __typing_subst__ of typevartuple objects to return a tuple, not {}",
                    other.ty().fully_qualified_name()
                ));
            }
        }
    }
    Ok(new_args)
}

/// A type as it stands in the repr of an alias or union.
pub fn push_type_repr(out: &mut ReprBuilder, object: &PyObject) -> PyResult<()> {
    if object.is(ellipsis()) {
        out.push_str("...");
        return Ok(());
    }
    if object.is(super::singletons::_PyNone_Type.as_object()) {
        out.push_str("None");
        return Ok(());
    }
    let is_alias = object.has_attr(identifier!("__origin__"))? && object.has_attr(identifier!("__args__"))?;
    if is_alias {
        return out.push_repr(object);
    }
    let Some(qualname) = object.get_attr_opt(identifier!("__qualname__"))? else {
        return out.push_repr(object);
    };
    match object.get_attr_opt(identifier!("__module__"))? {
        Some(module) if !is_none(&module) => {
            let (module, qualname) = (module.str()?, qualname.str()?);
            if !module.eq_str("builtins") {
                out.push(&module);
                out.push_str(".");
            }
            out.push(&qualname);
            Ok(())
        }
        _ => out.push_repr(object),
    }
}

fn push_list_repr(out: &mut ReprBuilder, list: &PyListObject) -> PyResult<()> {
    out.push_str("[");
    for idx in 0..list.len() {
        if idx > 0 {
            out.push_str(", ");
        }
        // An item's repr may shorten the list.
        let Some(item) = list.get(idx) else {
            return Err(raise!(IndexError, "list index out of range"));
        };
        push_type_repr(out, &item)?;
    }
    out.push_str("]");
    Ok(())
}

/// Marks an instance with the alias that made it, where it takes attributes.
fn set_orig_class(result: PyResult, alias: &PyObject) -> PyResult {
    use crate::exceptions::exc;
    let object = result?;
    if let Err(raised) = object.set_attr(identifier!("__orig_class__"), alias) {
        if !raised.matches(exc::AttributeError) && !raised.matches(exc::TypeError) {
            return Err(raised);
        }
        raised.clear();
    }
    Ok(object)
}

unsafe extern "C" fn call_alias(
    this: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: vectorcall passes the alias and valid arguments, which are passed on.
        unsafe {
            let alias = &*this.cast::<PyGenericAlias>();
            let origin = alias.origin().to_ref();
            let result = crate::protocol::call::vectorcall(&origin, args, nargsf, kwnames);
            set_orig_class(result, alias.as_object())
        }
    })
}

#[pytype(
    name = "types.GenericAlias",
    static_name = Py_GenericAliasType,
    export = true,
    flags = BASETYPE | HAVE_GC | HAVE_VECTORCALL,
    weaklistoffset = offset_of!(PyGenericAlias, weakreflist),
    vectorcall_offset = offset_of!(PyGenericAlias, vectorcall),
    members = [
        ("__origin__", _Py_T_OBJECT, offset_of!(PyGenericAlias, origin), Py_READONLY),
        ("__args__", _Py_T_OBJECT, offset_of!(PyGenericAlias, args), Py_READONLY),
        ("__unpacked__", Py_T_BOOL, offset_of!(PyGenericAlias, starred), Py_READONLY),
    ],
    slots = [tp_call = crate::protocol::call::vectorcall_call],
    doc = "GenericAlias(origin, args, /)\n--\n\nA generic type with arguments, such as list[int]."
)]
impl PyGenericAlias {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "GenericAlias() takes no keyword arguments"));
        }
        match args.as_slice() {
            [origin, args] => make(cls, origin, args),
            other => Err(raise!(
                TypeError,
                "GenericAlias expected 2 arguments, got {}",
                other.len()
            )),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the alias is dead and owned these.
        unsafe {
            gc::untrack(this.cast());
            if !(*this).weakreflist.get().is_null() {
                weakrefobject::clear_weakrefs((*this).as_object());
            }
            memory::xdecref((*this).origin.get());
            memory::xdecref((*this).args.get().cast());
            memory::xdecref((*this).parameters.get().cast());
            free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [
            self.origin.get(),
            self.args.get().cast(),
            self.parameters.get().cast(),
        ] {
            let stop = visitor.visit(object);
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let mut out = ReprBuilder::new(if self.starred.get() { "*" } else { "" });
        push_type_repr(&mut out, self.origin())?;
        out.push_str("[");
        for (idx, arg) in self.args().as_slice().iter().enumerate() {
            if idx > 0 {
                out.push_str(", ");
            }
            match arg.downcast_exact::<PyListObject>() {
                Some(list) => push_list_repr(&mut out, list)?,
                None => push_type_repr(&mut out, arg)?,
            }
        }
        out.push_str(if self.args().is_empty() { "()]" } else { "]" });
        Ok(out.finish())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let hash = self.origin().hash()? ^ self.args().as_object().hash()?;
        Ok(if hash == -1 { -2 } else { hash })
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyGenericAlias>() else {
            return Ok(not_implemented().to_ref());
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let equal = self.starred.get() == other.starred.get()
            && self.origin().compare_bool(other.origin(), CompareOp::Eq)?
            && self
                .args()
                .as_object()
                .compare_bool(other.args().as_object(), CompareOp::Eq)?;
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        if let Some(text) = name.downcast_exact::<PyUnicodeObject>() {
            let own = OWN_ATTRIBUTES
                .iter()
                .chain(&BLOCKED_ATTRIBUTES)
                .any(|own| text.eq_str(own));
            if !own {
                return self.origin().get_attr(text);
            }
        }
        let name = crate::protocol::attributes::attribute_name(name)?;
        crate::protocol::attributes::generic_get_attr(self.as_object(), name)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(Ref::new(PyGenericAliasIterator {
            ob_base: memory::blank_header(),
            obj: Cell::new(self.to_object().into_raw()),
        })?
        .into_object())
    }
    #[slot]
    fn mp_subscript(&self, item: &PyObject) -> PyResult {
        let parameters = self.parameters()?;
        let args = substitute_parameters(self.as_object(), self.args(), &parameters, item)?;
        let new = make(&Py_GenericAliasType, self.origin(), args.as_object())?;
        // SAFETY: just made.
        unsafe { new.cast_unchecked::<PyGenericAlias>() }
            .starred
            .set(self.starred.get());
        Ok(new)
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        super::unionobject::union_of(a, b)
    }
    /// The type parameters in the arguments.
    #[getter(name = "__parameters__")]
    fn get_parameters(&self) -> PyResult<Ref<PyTupleObject>> {
        self.parameters()
    }
    /// The arguments of a starred tuple; otherwise None.
    #[getter(name = "__typing_unpacked_tuple_args__")]
    fn get_unpacked_tuple_args(&self) -> Option<Ref> {
        let is_tuple = self.origin().is(super::tupleobject::PyTuple_Type.as_object());
        (self.starred.get() && is_tuple).then(|| self.args().to_object())
    }
    /// The bases that stand for the alias in a class statement.
    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _bases: &PyObject) -> Ref<PyTupleObject> {
        PyTupleObject::from_slice(&[self.origin()])
    }
    /// Refused: the arguments cannot be checked.
    #[method("($self, object, /)")]
    fn __instancecheck__(&self, _instance: &PyObject) -> PyResult {
        Err(raise!(
            TypeError,
            "isinstance() argument 2 cannot be a parameterized generic"
        ))
    }
    /// Refused: the arguments cannot be checked.
    #[method("($self, object, /)")]
    fn __subclasscheck__(&self, _class: &PyObject) -> PyResult {
        Err(raise!(
            TypeError,
            "issubclass() argument 2 cannot be a parameterized generic"
        ))
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let parts = vec![self.origin().to_ref(), self.args().to_object()];
        let parts = PyTupleObject::from_vec(parts);
        if !self.starred.get() {
            let class = Py_GenericAliasType.to_object();
            return Ok(PyTupleObject::from_vec(vec![class, parts.into_object()]).into_object());
        }
        let plain = new_generic_alias(self.origin(), self.args().as_object())?;
        let next = crate::module::builtin("next")?;
        let args = PyTupleObject::from_vec(vec![plain.iter()?]).into_object();
        Ok(PyTupleObject::from_vec(vec![next, args]).into_object())
    }
    /// The names of the origin's attributes and of the alias's own.
    #[method("($self, /)")]
    fn __dir__(&self) -> PyResult {
        // Looked up on the origin's class: the origin is most often a class itself.
        let names = match self.origin().lookup_special(identifier!("__dir__"))? {
            Some(dir) => dir.call0()?,
            None => return Err(raise!(TypeError, "object does not provide __dir__")),
        };
        let names = PyListObject::from_vec(names.collect()?);
        for name in OWN_ATTRIBUTES {
            let name = PyUnicodeObject::from_str(name);
            if !names.as_object().contains(name.as_object())? {
                names.push(name.into_object());
            }
        }
        Ok(names.into_object())
    }
}

/// Gives the starred form of an alias, once.
#[repr(C)]
pub struct PyGenericAliasIterator {
    ob_base: PyObject,
    obj: Cell<*mut PyObject>,
}

#[pytype(name = "generic_alias_iterator", static_name = _Py_GenericAliasIterType, export = true, flags = HAVE_GC)]
impl PyGenericAliasIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead and owned its alias.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).obj.get());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.obj.get())
    }
    #[slot]
    fn tp_clear(&self) {
        // SAFETY: the iterator owned its alias.
        unsafe { memory::xdecref(self.obj.replace(std::ptr::null_mut())) };
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        // SAFETY: the iterator owned its alias.
        let Some(alias) = (unsafe { Ref::from_owned_opt(self.obj.replace(std::ptr::null_mut())) }) else {
            return Ok(None);
        };
        // SAFETY: made over an alias only.
        let alias = unsafe { alias.cast_unchecked::<PyGenericAlias>() };
        let new = new_generic_alias(alias.origin(), alias.args().as_object())?;
        // SAFETY: just made.
        unsafe { new.cast_unchecked::<PyGenericAlias>() }
            .starred
            .set(true);
        Ok(Some(new))
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let iter = crate::module::builtin("iter")?;
        // SAFETY: null or owned by the iterator.
        let args = match unsafe { Ref::from_borrowed_opt(self.obj.get()) } {
            Some(alias) => PyTupleObject::from_vec(vec![alias]),
            None => PyTupleObject::from_vec(vec![PyTupleObject::empty().into_object()]),
        };
        Ok(PyTupleObject::from_vec(vec![iter, args.into_object()]).into_object())
    }
}

/// Whether an object is of the metatype's family that `isinstance(_, type)` accepts; for unions.
pub fn is_class(object: &PyObject) -> bool {
    object.is_instance_of(&PyType_Type)
}
