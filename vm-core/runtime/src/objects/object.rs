//! `object`: construction, representation, comparison, attribute access, pickling support.

use crate::exceptions::exc;
use crate::prelude::*;
use crate::protocol::attributes::{self, generic_get_attr_slot, generic_set_attr_slot};
use crate::types::heap::allocate_instance;
use crate::types::typeobject::{self, merge_class_dict};

/// Whether `tp_new` or `tp_init` of the type are `object`'s own.
fn overrides(ty: &PyTypeObject) -> (bool, bool) {
    let same_new =
        ty.tp_new.get().map(|slot| slot as usize) == PyBaseObject_Type.tp_new.get().map(|slot| slot as usize);
    let same_init = ty.tp_init.get().map(|slot| slot as usize)
        == PyBaseObject_Type.tp_init.get().map(|slot| slot as usize);
    (!same_new, !same_init)
}

/// `tp_new` of `object`: types that want just this name it, as `object.__new__` asks whether it is overridden.
pub unsafe extern "C" fn object_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: the slot's contract: a type, a tuple, a dict or null.
        let (cls, args, kwargs) = unsafe {
            (
                &*cls,
                &*args.cast::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        PyObject::new_instance(cls, args, kwargs)
    })
}

fn excess(args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> bool {
    args.len() != 0 || kwargs.is_some_and(|kwargs| kwargs.len() != 0)
}

#[pytype(
    name = "object",
    static_name = PyBaseObject_Type,
    base = None,
    flags = BASETYPE,
    typed = false,
    doc = "object()\n--\n\nThe base of all classes.",
    slots = [tp_getattro = generic_get_attr_slot, tp_setattro = generic_set_attr_slot,
        tp_new = object_new, tp_alloc = crate::types::generic_alloc, tp_free = crate::types::object_free],
)]
impl PyObject {
    /// `object.__new__`.
    fn new_instance(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if excess(args, kwargs) {
            let (own_new, own_init) = overrides(cls);
            if own_new {
                return Err(raise!(
                    TypeError,
                    "object.__new__() takes exactly one argument (the type to instantiate)"
                ));
            }
            if !own_init {
                return Err(raise!(TypeError, "{}() takes no arguments", cls.name()));
            }
        }
        if cls.has_flag(Py_TPFLAGS_IS_ABSTRACT) {
            return Err(abstract_class(cls));
        }
        let alloc = cls.tp_alloc.get().unwrap_or(crate::types::generic_alloc);
        // SAFETY: the class's own allocator.
        unsafe { crate::protocol::from_slot(alloc((cls as *const PyTypeObject).cast_mut(), 0), "tp_alloc") }
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if excess(args, kwargs) {
            let (own_new, own_init) = overrides(self.ty());
            if own_init {
                return Err(raise!(
                    TypeError,
                    "object.__init__() takes exactly one argument (the instance to initialize)"
                ));
            }
            if !own_new {
                return Err(raise!(
                    TypeError,
                    "{}.__init__() takes exactly one argument (the instance to initialize)",
                    self.ty().name()
                ));
            }
        }
        Ok(())
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyObject) {
        // SAFETY: nothing but memory is left.
        unsafe {
            if (*this).ty().is_gc() {
                crate::memory::gc::untrack(this);
            }
            crate::types::heap::free_instance(this);
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let ty = self.ty();
        let qualname = typeobject::qualname(ty).to_string_lossy();
        let module = match typeobject::module_of(ty) {
            Ok(module) => module.downcast::<PyUnicodeObject>().ok(),
            Err(raised) => {
                raised.clear();
                None
            }
        };
        let text = match module {
            Some(module) if !module.eq_str("builtins") => {
                format!(
                    "<{}.{qualname} object at {:p}>",
                    module.to_string_lossy(),
                    self.as_ptr()
                )
            }
            _ => format!("<{qualname} object at {:p}>", self.as_ptr()),
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[slot]
    fn tp_str(&self) -> PyResult {
        Ok(self.repr()?.into_object())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok((self.as_ptr() as usize).rotate_right(4) as Py_hash_t)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match op {
            CompareOp::Eq if self.is(other) => Ok(true_().to_ref()),
            CompareOp::Ne => {
                let Some(compare) = self.ty().tp_richcompare.get() else {
                    return Ok(not_implemented().to_ref());
                };
                // SAFETY: a slot of this object's type.
                let equal = unsafe {
                    crate::protocol::from_slot(compare(self.as_ptr(), other.as_ptr(), Py_EQ), "__eq__")?
                };
                if equal.is(not_implemented()) {
                    return Ok(equal);
                }
                Ok(py_bool(!equal.is_true()?))
            }
            _ => Ok(not_implemented().to_ref()),
        }
    }

    #[getter(name = "__class__")]
    fn get_class(this: &PyObject) -> PyResult {
        Ok(this.ty().to_object())
    }
    #[setter(name = "__class__")]
    fn set_class(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete __class__ attribute"));
        };
        let Some(new) = value.downcast_type() else {
            return Err(raise!(
                TypeError,
                "__class__ must be set to a class, not '{}' object",
                value.ty().name()
            ));
        };
        let old = this.ty();
        crate::hooks::audit(
            "object.__setattr__",
            &[this, identifier!("__class__").as_object(), value],
        )?;
        let both_modules =
            old.is_subtype(PyModuleObject::type_object()) && new.is_subtype(PyModuleObject::type_object());
        if !both_modules && (new.has_flag(Py_TPFLAGS_IMMUTABLETYPE) || old.has_flag(Py_TPFLAGS_IMMUTABLETYPE))
        {
            return Err(raise!(
                TypeError,
                "__class__ assignment only supported for mutable types or ModuleType subclasses"
            ));
        }
        // SAFETY: types that are instances' classes live long enough; the old one is given back below.
        let new: &'static PyTypeObject = unsafe { &*(new as *const PyTypeObject) };
        typeobject::new::compatible_layout(old, new, "__class__")?;
        if old.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            crate::objects::dictobject::instance::leave_inline_values(this)?;
        }
        if new.is_heap_type() {
            new.as_object().incref();
        }
        this.ob_type.set((new as *const PyTypeObject).cast_mut());
        use crate::types::slotdefs::descriptor_kind;
        if descriptor_kind(new) != descriptor_kind(old) {
            crate::types::lookup::descriptors_changed();
        }
        if old.is_heap_type() {
            // SAFETY: the instance owned its old class.
            unsafe { crate::memory::decref(old.as_ptr()) };
        }
        Ok(())
    }
    /// Format according to the specification, which must be empty here.
    #[method("($self, format_spec, /)")]
    fn __format__(this: &PyObject, format_spec: &PyUnicodeObject) -> PyResult {
        if format_spec.len() != 0 {
            return Err(raise!(
                TypeError,
                "unsupported format string passed to {}.__format__",
                this.ty().name()
            ));
        }
        Ok(this.str()?.into_object())
    }
    /// The size of the object in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(this: &PyObject) -> PyResult<usize> {
        let ty = this.ty();
        let mut size = ty.tp_basicsize.get();
        if ty.tp_itemsize.get() > 0 {
            // SAFETY: variable-size objects have the count in their header.
            let count = unsafe { (*this.as_ptr().cast::<PyVarObject>()).ob_size.get() };
            size += count.abs() * ty.tp_itemsize.get();
        }
        Ok(size as usize)
    }
    /// The names of the attributes.
    #[method("($self, /)")]
    fn __dir__(this: &PyObject) -> PyResult {
        let names = PyDictObject::new();
        if let Some(dict) = this.get_attr_opt(identifier!("__dict__"))?
            && PyDictObject::check(&dict)
        {
            names.update(&dict)?;
        }
        if let Some(class) = this.get_attr_opt(identifier!("__class__"))? {
            merge_class_dict(&names, &class)?;
        }
        Ok(names.keys_list().into_object())
    }
    /// Customises the subclasses; does nothing by default.
    #[classmethod("($type, /)")]
    fn __init_subclass__(_cls: &PyTypeObject) -> PyResult<()> {
        Ok(())
    }
    /// `issubclass` for abstract classes: NotImplemented leaves the decision to the usual algorithm.
    #[classmethod("($type, object, /)")]
    fn __subclasshook__(_cls: &PyTypeObject, _object: &PyObject) -> PyResult {
        Ok(not_implemented().to_ref())
    }
    /// Helper for pickle.
    #[method("($self, /)")]
    fn __reduce__(this: &PyObject) -> PyResult {
        reduce_by_copyreg(this, 0)
    }
    /// Helper for pickle.
    #[method("($self, protocol, /)")]
    fn __reduce_ex__(this: &PyObject, protocol: i32) -> PyResult {
        // `__reduce__` given by the class wins over the default.
        let reduce = this.get_attr(identifier!("__reduce__"))?;
        let class_reduce = this.ty().as_object().get_attr(identifier!("__reduce__"))?;
        let base_reduce = PyBaseObject_Type
            .as_object()
            .get_attr(identifier!("__reduce__"))?;
        if !class_reduce.is(&base_reduce) {
            return reduce.call0();
        }
        reduce_by_copyreg(this, protocol)
    }
    /// The state of the object for pickle.
    #[method("($self, /)")]
    fn __getstate__(this: &PyObject) -> PyResult {
        default_getstate(this, false)
    }
}

#[cold]
fn abstract_class(cls: &PyTypeObject) -> Raised {
    let names = || -> PyResult<String> {
        let methods = cls.as_object().get_attr(identifier!("__abstractmethods__"))?;
        let mut names = Vec::new();
        for name in methods.collect()? {
            names.push(name.str()?.to_string_lossy());
        }
        names.sort();
        Ok(names.join("', '"))
    };
    match names() {
        Ok(names) => {
            let plural = if names.contains(", ") { "s" } else { "" };
            raise!(
                TypeError,
                "Can't instantiate abstract class {} without an implementation for abstract method{plural} '{names}'",
                cls.name()
            )
        }
        Err(raised) => raised,
    }
}

fn copyreg() -> PyResult {
    crate::hooks::import_module("copyreg")
}

fn reduce_by_copyreg(object: &PyObject, protocol: i32) -> PyResult {
    if protocol >= 2 {
        return reduce_newobj(object);
    }
    let protocol = PyLongObject::from_i64(protocol.into());
    copyreg()?.call_method(identifier!("_reduce_ex"), &[object, protocol.as_object()])
}

/// `(args, kwargs)` for `__new__`, from `__getnewargs_ex__` or `__getnewargs__`.
fn new_arguments(object: &PyObject) -> PyResult<(Option<Ref<PyTupleObject>>, Option<Ref>)> {
    if let Some(method) = object.lookup_special(identifier!("__getnewargs_ex__"))? {
        let result = method.call0()?;
        let Some(pair) = result.downcast::<PyTupleObject>().ok() else {
            return Err(raise!(TypeError, "__getnewargs_ex__ should return a tuple"));
        };
        let [args, kwargs] = pair.as_slice() else {
            return Err(raise!(
                ValueError,
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                pair.len()
            ));
        };
        let Some(args) = args.downcast::<PyTupleObject>() else {
            return Err(raise!(
                TypeError,
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                args.ty().name()
            ));
        };
        if !PyDictObject::check(kwargs) {
            return Err(raise!(
                TypeError,
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                kwargs.ty().name()
            ));
        }
        return Ok((Some(args.to_ref()), Some(kwargs.to_ref())));
    }
    if let Some(method) = object.lookup_special(identifier!("__getnewargs__"))? {
        let result = method.call0()?;
        return match result.downcast::<PyTupleObject>() {
            Ok(args) => Ok((Some(args), None)),
            Err(other) => Err(raise!(
                TypeError,
                "__getnewargs__ should return a tuple, not '{}'",
                other.ty().name()
            )),
        };
    }
    Ok((None, None))
}

/// Protocols 2 and up: `copyreg.__newobj__` with state, list items and dict items.
fn reduce_newobj(object: &PyObject) -> PyResult {
    let ty = object.ty();
    if ty.tp_new.get().is_none() {
        return Err(raise!(TypeError, "cannot pickle '{}' object", ty.name()));
    }
    let (args, kwargs) = new_arguments(object)?;
    let copyreg = copyreg()?;
    let has_args = args.is_some();
    let class = object.get_attr(identifier!("__class__"))?;
    let keywords = kwargs.filter(|kwargs| kwargs.len().is_ok_and(|count| count > 0));
    let (function, arguments) = match keywords {
        None => {
            let mut all = vec![class];
            all.extend(
                args.iter()
                    .flat_map(|args| args.as_slice())
                    .map(|arg| arg.to_ref()),
            );
            (
                copyreg.get_attr(identifier!("__newobj__"))?,
                PyTupleObject::from_vec(all),
            )
        }
        Some(kwargs) => {
            let args = args.unwrap_or_else(PyTupleObject::empty);
            let all = PyTupleObject::from_slice(&[&class, args.as_object(), &kwargs]);
            (copyreg.get_attr(identifier!("__newobj_ex__"))?, all)
        }
    };
    let is_list = object.downcast::<PyListObject>().is_some();
    let is_dict = object.downcast::<PyDictObject>().is_some();
    let state = getstate(object, !(has_args || is_list || is_dict))?;
    let list_items = if is_list { object.iter()? } else { none_ref() };
    let dict_items = if is_dict {
        object.call_method(identifier!("items"), &[])?.iter()?
    } else {
        none_ref()
    };
    Ok(PyTupleObject::from_vec(vec![
        function,
        arguments.into_object(),
        state,
        list_items,
        dict_items,
    ])
    .into_object())
}

fn getstate(object: &PyObject, required: bool) -> PyResult {
    let method = object.get_attr(identifier!("__getstate__"))?;
    let is_default = method
        .downcast_exact::<PyCFunctionObject>()
        .is_some_and(|function| {
            function.def().name_text() == "__getstate__"
                && object
                    .ty()
                    .lookup(identifier!("__getstate__"))
                    .is_some_and(|found| {
                        PyBaseObject_Type
                            .lookup(identifier!("__getstate__"))
                            .is_some_and(|base| base.is(found))
                    })
        });
    if is_default {
        return default_getstate(object, required);
    }
    method.call0()
}

/// The instance's dict, with the slots' values beside it when there are any.
fn default_getstate(object: &PyObject, required: bool) -> PyResult {
    let ty = object.ty();
    if required && ty.tp_itemsize.get() != 0 {
        return Err(raise!(TypeError, "cannot pickle '{}' object", ty.name()));
    }
    let state = match object.get_attr_opt(identifier!("__dict__"))? {
        Some(dict)
            if object.instance_dict().is_some_and(|dict| dict.len() != 0) || !PyDictObject::check(&dict) =>
        {
            dict
        }
        Some(dict) => {
            if dict.len()? == 0 {
                none_ref()
            } else {
                dict
            }
        }
        None => none_ref(),
    };
    let slot_names = slot_names(ty)?;
    if required {
        let mut basic = PyBaseObject_Type.tp_basicsize.get();
        if ty.tp_dictoffset.get() > 0 {
            basic += 8;
        }
        if ty.tp_weaklistoffset.get() > 0 {
            basic += 8;
        }
        basic += 8 * slot_names.len() as isize;
        if ty.tp_basicsize.get() > basic {
            return Err(raise!(TypeError, "cannot pickle '{}' object", ty.name()));
        }
    }
    if slot_names.is_empty() {
        return Ok(state);
    }
    let slots = PyDictObject::new();
    for name in &slot_names {
        let name = attributes::attribute_name(name)?;
        match object.get_attr(name) {
            Ok(value) => slots.set(name.as_object(), &value)?,
            Err(raised) => raised.clear_if(exc::AttributeError)?,
        }
    }
    if slots.len() == 0 {
        return Ok(state);
    }
    Ok(PyTupleObject::from_slice(&[&state, slots.as_object()]).into_object())
}

/// `copyreg._slotnames(cls)`, cached in `__slotnames__`.
fn slot_names(ty: &PyTypeObject) -> PyResult<Vec<Ref>> {
    if let Some(cached) = ty
        .dict()
        .and_then(|dict| dict.get_str(identifier!("__slotnames__")))
    {
        return if is_none(&cached) {
            Ok(Vec::new())
        } else {
            cached.collect()
        };
    }
    let names = copyreg()?.call_method(identifier!("_slotnames"), &[ty.as_object()])?;
    if is_none(&names) {
        Ok(Vec::new())
    } else {
        names.collect()
    }
}

/// A new plain `object()`.
pub fn new_object() -> PyResult {
    allocate_instance(&PyBaseObject_Type, 0)
}
