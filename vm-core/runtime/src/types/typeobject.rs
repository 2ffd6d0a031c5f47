//! `type` itself: calling, attributes, MRO. New classes are made in `new.rs`.

use super::{lookup, slotdefs, subclasses};
use crate::args::{boundary_obj, boundary_status};
use crate::exceptions::exc;
use crate::memory::{Visitor, gc};
use crate::objects::descrobject;
use crate::objects::dictobject::instance::new_dict_of;
use crate::objects::object::PyBaseObject_Type;
use crate::prelude::*;
use crate::protocol::{attributes, from_slot, from_status};
use std::mem::offset_of;

#[path = "new.rs"]
pub mod new;

// ---- attributes ----

/// `type.__getattribute__` as a slot.
pub unsafe extern "C" fn type_getattro(ty: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: slots get live objects, here a type.
        let (ty, name) = unsafe { ((*ty).cast_unchecked::<PyTypeObject>(), &*name) };
        let name = attributes::attribute_name(name)?;
        match ty.type_get_attr_opt(name)? {
            Some(value) => Ok(value),
            None => Err(no_type_attribute(ty, name)),
        }
    })
}

#[cold]
fn no_type_attribute(ty: &PyTypeObject, name: &PyUnicodeObject) -> Raised {
    let raised = raise!(
        AttributeError,
        "type object '{}' has no attribute '{}'",
        ty.name(),
        name.to_string_lossy()
    );
    attributes::with_attribute_context(raised, ty.as_object(), name)
}

/// `type.__setattr__` as a slot.
pub unsafe extern "C" fn type_setattro(
    ty: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    boundary_status(|| {
        // SAFETY: slots get live objects, here a type; a null value means deletion.
        let (ty, name, value) = unsafe { ((*ty).cast_unchecked::<PyTypeObject>(), &*name, value.as_ref()) };
        ty.type_set_attr(attributes::attribute_name(name)?, value)
    })
}

impl PyTypeObject {
    /// `self(*args, **kwargs)` by `tp_new` and `tp_init`: what `type.__call__` does for all but `type` itself.
    pub fn instantiate(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let Some(new) = self.tp_new.get() else {
            return Err(raise!(
                TypeError,
                "cannot create '{}' instances",
                self.full_name()
            ));
        };
        let raw_kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        let cls = (self as *const PyTypeObject).cast_mut();
        // SAFETY: the type's own slots.
        unsafe {
            let object = from_slot(new(cls, args.as_ptr(), raw_kwargs), "__new__")?;
            let ty = object.ty();
            if !std::ptr::eq(ty, self) && !ty.is_subtype(self) {
                return Ok(object);
            }
            // `object.__init__` only looks whether there are arguments.
            let is_trivial = args.is_empty()
                && raw_kwargs.is_null()
                && ty.tp_init.get().map(|slot| slot as usize)
                    == PyBaseObject_Type.tp_init.get().map(|slot| slot as usize);
            if !is_trivial && let Some(init) = ty.tp_init.get() {
                from_status(init(object.as_raw(), args.as_ptr(), raw_kwargs), "__init__")?;
            }
            Ok(object)
        }
    }
    /// `type.__getattribute__`: data descriptors of the metatype, then the type's own MRO, then the metatype's rest.
    pub fn type_get_attr_opt(&self, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
        if !self.has_flag(Py_TPFLAGS_READY | Py_TPFLAGS_READYING) {
            super::ready(self)?;
        }
        let metatype = self.as_object().ty();
        let meta_attribute = metatype.lookup(name).map(PyObject::to_ref);
        let mut meta_get = None;
        if let Some(attribute) = &meta_attribute {
            meta_get = attribute.ty().tp_descr_get.get();
            if let Some(get) = meta_get
                && attribute.ty().tp_descr_set.get().is_some()
            {
                // SAFETY: the descriptor's own slot.
                let value = unsafe {
                    from_slot(
                        get(attribute.as_raw(), self.as_ptr(), metatype.as_ptr()),
                        "__get__",
                    )
                };
                return match value {
                    Ok(value) => Ok(Some(value)),
                    Err(raised) => raised.clear_if(exc::AttributeError).map(|()| None),
                };
            }
        }
        if let Some(attribute) = self.lookup(name).map(PyObject::to_ref) {
            return match attribute.ty().tp_descr_get.get() {
                // SAFETY: the descriptor's own slot.
                Some(get) => unsafe {
                    from_slot(
                        get(attribute.as_raw(), std::ptr::null_mut(), self.as_ptr()),
                        "__get__",
                    )
                    .map(Some)
                },
                None => Ok(Some(attribute)),
            };
        }
        match (meta_attribute, meta_get) {
            (Some(attribute), Some(get)) => {
                // SAFETY: the descriptor's own slot.
                let value = unsafe {
                    from_slot(
                        get(attribute.as_raw(), self.as_ptr(), metatype.as_ptr()),
                        "__get__",
                    )?
                };
                Ok(Some(value))
            }
            (attribute, _) => Ok(attribute),
        }
    }

    /// `type.__setattr__` and `__delattr__`.
    pub fn type_set_attr(&self, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<()> {
        if self.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return Err(raise!(
                TypeError,
                "cannot set '{}' attribute of immutable type '{}'",
                name.to_string_lossy(),
                self.name()
            ));
        }
        let interned = PyUnicodeObject::intern(name.to_ref());
        let metatype = self.as_object().ty();
        if let Some(descriptor) = metatype.lookup(&interned).map(PyObject::to_ref)
            && let Some(set) = descriptor.ty().tp_descr_set.get()
        {
            let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
            // SAFETY: the descriptor's own slot.
            from_status(unsafe { set(descriptor.as_raw(), self.as_ptr(), raw) }, "__set__")?;
            lookup::modified(self);
            return Ok(());
        }
        let dict = self.dict().expect("a ready type has a dict").to_ref();
        lookup::modified(self);
        match value {
            Some(value) => dict.set_str(&interned, value)?,
            None => {
                if !dict.remove(interned.as_object())? {
                    return Err(no_type_attribute(self, &interned));
                }
            }
        }
        lookup::modified(self);
        slotdefs::update_slots_for(self, &interned);
        Ok(())
    }
}

// ---- MRO ----

/// Computes `tp_mro`: `mro()` of a metaclass that has its own, C3 otherwise. False when a `mro()` method has meanwhile
/// caused the MRO to be computed anew: the newer one stays.
pub fn compute_mro(ty: &PyTypeObject) -> PyResult<bool> {
    let before = ty.tp_mro.get();
    // SAFETY: null or the type's MRO; kept so that no other takes its address.
    let _kept = unsafe { Ref::<PyObject>::from_borrowed_opt(before) };
    let metatype = ty.as_object().ty();
    let own_mro = |metatype: &PyTypeObject| metatype.lookup(identifier!("mro")).map(|method| method.as_ptr());
    let has_metaclass = !std::ptr::eq(metatype, &PyType_Type)
        && !metatype.ob_base.ob_base.ob_type.get().is_null()
        && own_mro(metatype) != own_mro(&PyType_Type);
    let mut mro = None;
    if has_metaclass && let Some(method) = ty.as_object().lookup_special(identifier!("mro"))? {
        let result = method.call0()?.to_tuple()?;
        check_mro(ty, &result)?;
        mro = Some(result);
    }
    let is_custom = mro.is_some();
    let mro = match mro {
        Some(mro) => mro,
        None => PyTupleObject::from_vec(c3(ty)?),
    };
    if ty.tp_mro.get() != before {
        return Ok(false);
    }
    set_mro(ty, mro);
    if is_custom {
        lookup::check_custom_mro(ty);
    }
    Ok(true)
}

/// Replaces the MRO.
pub fn set_mro(ty: &PyTypeObject, mro: Ref<PyTupleObject>) {
    let old = ty.tp_mro.replace(mro.into_object_raw());
    lookup::modified(ty);
    // SAFETY: the type owned its old MRO.
    unsafe { crate::memory::xdecref(old) };
}

/// What a `mro()` method returned must be classes whose instances are laid out like a base's.
fn check_mro(ty: &PyTypeObject, mro: &PyTupleObject) -> PyResult<()> {
    // SAFETY: borrowed for the call only; the class is alive.
    let solid = new::solid_base(unsafe { &*(ty as *const PyTypeObject) });
    for class in mro.as_slice() {
        let Some(class) = class.downcast_type() else {
            return Err(raise!(
                TypeError,
                "mro() returned a non-class ('{}')",
                class.ty().name()
            ));
        };
        // SAFETY: as above; the tuple keeps the class alive.
        if !solid.is_subtype(new::solid_base(unsafe { &*(class as *const PyTypeObject) })) {
            return Err(raise!(
                TypeError,
                "mro() returned base with unsuitable layout ('{}')",
                class.name()
            ));
        }
    }
    Ok(())
}

#[cold]
pub fn incomplete(class: &PyTypeObject) -> Raised {
    raise!(TypeError, "Cannot extend an incomplete type '{}'", class.name())
}

fn mro_of(class: &PyObject) -> PyResult<Vec<Ref>> {
    let Some(class) = class.downcast::<PyTypeObject>() else {
        return Err(raise!(TypeError, "bases must be types"));
    };
    if class.mro().is_none() && !class.has_flag(Py_TPFLAGS_READYING) {
        super::ready(class)?;
    }
    match class.mro() {
        Some(mro) => Ok(mro.as_slice().iter().map(|class| class.to_ref()).collect()),
        None => Err(incomplete(class)),
    }
}

/// The C3 linearisation of a class over its bases.
pub fn c3(ty: &PyTypeObject) -> PyResult<Vec<Ref>> {
    let bases: Vec<Ref> = ty.bases().map_or(Vec::new(), |bases| {
        bases.as_slice().iter().map(|base| base.to_ref()).collect()
    });
    let mut result = vec![ty.to_object()];
    if let [base] = &bases[..] {
        result.extend(mro_of(base)?);
        return Ok(result);
    }
    for (at, base) in bases.iter().enumerate() {
        if bases[..at].iter().any(|other| other.is(base)) {
            // SAFETY: `mro_of` below would refuse anything else; names are read from types only.
            let name = base
                .downcast_exact::<PyTypeObject>()
                .map_or_else(|| base.ty().name(), |base| base.name());
            return Err(raise!(TypeError, "duplicate base class {name}"));
        }
    }
    let mut lists: Vec<Vec<Ref>> = Vec::new();
    for base in &bases {
        lists.push(mro_of(base)?);
    }
    lists.push(bases);
    let mut starts = vec![0; lists.len()];
    loop {
        let mut done = true;
        let mut chosen: Option<Ref> = None;
        for (list, start) in lists.iter().zip(&starts) {
            let Some(candidate) = list.get(*start) else {
                continue;
            };
            done = false;
            let blocked = lists.iter().zip(&starts).any(|(other, other_start)| {
                other
                    .get(other_start + 1..)
                    .is_some_and(|tail| tail.iter().any(|class| class.is(candidate)))
            });
            if !blocked {
                chosen = Some(candidate.clone());
                break;
            }
        }
        if done {
            return Ok(result);
        }
        let Some(chosen) = chosen else {
            return Err(inconsistent_mro(&lists, &starts));
        };
        for (list, start) in lists.iter().zip(&mut starts) {
            if list.get(*start).is_some_and(|class| class.is(&chosen)) {
                *start += 1;
            }
        }
        result.push(chosen);
    }
}

fn inconsistent_mro(lists: &[Vec<Ref>], starts: &[usize]) -> Raised {
    let mut names: Vec<String> = Vec::new();
    for (list, start) in lists.iter().zip(starts) {
        if let Some(class) = list.get(*start).and_then(|class| class.downcast_type()) {
            let name = class.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    raise!(
        TypeError,
        "Cannot create a consistent method resolution order (MRO) for bases {}",
        names.join(", ")
    )
}

impl PyObject {
    /// This object as a type, when it is one.
    #[inline]
    pub fn downcast_type(&self) -> Option<&PyTypeObject> {
        // SAFETY: types and only types have the flag.
        self.type_has(Py_TPFLAGS_TYPE_SUBCLASS)
            .then(|| unsafe { self.cast_unchecked() })
    }
}

// ---- tp_new in dicts ----

/// The first base whose `tp_new` is not that of classes written in Python.
fn native_new_base(class: &PyTypeObject) -> &PyTypeObject {
    let is_written = |new: newfunc| new as usize == super::slots::new_slot as newfunc as usize;
    let mut native = class;
    while native.tp_new.get().is_some_and(is_written) {
        match native.base() {
            Some(base) => native = base,
            None => break,
        }
    }
    native
}

unsafe extern "C" fn tp_new_wrapper(
    owner: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: the function's self is the type that it was made for; args is a tuple, kwargs a dict or null.
        let (owner, args) = unsafe {
            (
                (*owner).cast_unchecked::<PyTypeObject>(),
                (*args).cast_unchecked::<PyTupleObject>(),
            )
        };
        let owner_name = owner.name();
        let Some(class) = args.as_slice().first() else {
            return Err(raise!(TypeError, "{owner_name}.__new__(): not enough arguments"));
        };
        let Some(class) = class.downcast_type() else {
            return Err(raise!(
                TypeError,
                "{owner_name}.__new__(X): X is not a type object ({})",
                class.ty().name()
            ));
        };
        if !class.is_subtype(owner) {
            return Err(raise!(
                TypeError,
                "{owner_name}.__new__({0}): {0} is not a subtype of {owner_name}",
                class.name()
            ));
        }
        // The native base must be the one that this `tp_new` is for: object.__new__(dict) is refused.
        let owners = owner.tp_new.get();
        let native = native_new_base(class);
        let own = native.tp_new.get();
        if own.is_none() || class.tp_flags.get() & Py_TPFLAGS_DISALLOW_INSTANTIATION != 0 {
            return Err(raise!(TypeError, "cannot create '{}' instances", class.name()));
        }
        if own.map(|new| new as usize) != owners.map(|new| new as usize) {
            return Err(raise!(
                TypeError,
                "{owner_name}.__new__({}) is not safe, use {}.__new__()",
                class.name(),
                native.name()
            ));
        }
        let Some(new) = owners else {
            return Err(raise!(TypeError, "cannot create '{owner_name}' instances"));
        };
        let rest = PyTupleObject::from_slice(&args.as_slice()[1..]);
        // SAFETY: the type's own slot.
        unsafe {
            from_slot(
                new((class as *const PyTypeObject).cast_mut(), rest.as_ptr(), kwargs),
                "__new__",
            )
        }
    })
}

static TP_NEW_DEF: PyMethodDef = PyMethodDef::keywords(
    c"__new__".as_ptr(),
    tp_new_wrapper,
    0,
    c"__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature."
        .as_ptr(),
);

/// Adds `__new__`, a native function that calls the type's `tp_new`.
pub fn add_tp_new_wrapper(ty: &PyTypeObject) -> PyResult<()> {
    let dict = ty.dict().expect("set before");
    let name = identifier!("__new__");
    if dict.get_str(name).is_some() {
        return Ok(());
    }
    let function = crate::objects::methodobject::new_function(&TP_NEW_DEF, Some(ty.as_object()), None)?;
    dict.set_str(name, &function)
}

/// Whether `object` is a `__new__` that `add_tp_new_wrapper` made.
pub fn is_tp_new_wrapper(object: &PyObject) -> bool {
    object
        .downcast_exact::<PyCFunctionObject>()
        .is_some_and(|function| std::ptr::eq(function.m_ml.get(), &TP_NEW_DEF))
}

// ---- names ----

fn own_attribute(ty: &PyTypeObject, name: &PyUnicodeObject) -> Option<Ref> {
    ty.dict().and_then(|dict| dict.get_str(name))
}

/// `__qualname__`.
pub fn qualname(ty: &PyTypeObject) -> Ref<PyUnicodeObject> {
    if let Some(heap) = ty.as_heap()
        && !heap.ht_qualname.get().is_null()
    {
        // SAFETY: a heap type owns its qualname, a str.
        return unsafe { Ref::from_borrowed(heap.ht_qualname.get().cast()) };
    }
    PyUnicodeObject::from_string(ty.short_name())
}

/// `__module__`.
pub fn module_of(ty: &PyTypeObject) -> PyResult {
    if ty.is_heap_type() {
        return match own_attribute(ty, identifier!("__module__")) {
            Some(module) => Ok(module),
            None => Err(no_type_attribute(ty, identifier!("__module__"))),
        };
    }
    let full = ty.full_name();
    let module = full.rsplit_once('.').map_or("builtins", |(module, _)| module);
    Ok(PyUnicodeObject::intern(PyUnicodeObject::from_str(module)).into_object())
}

fn check_assignable(ty: &PyTypeObject, name: &str, value: Option<&PyObject>) -> PyResult<()> {
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        return Err(raise!(
            TypeError,
            "cannot set '{name}' attribute of immutable type '{}'",
            ty.name()
        ));
    }
    if value.is_none() {
        return Err(raise!(
            TypeError,
            "cannot delete '{name}' attribute of immutable type '{}'",
            ty.name()
        ));
    }
    let attribute = PyUnicodeObject::from_str(name);
    let value = value.unwrap_or_else(|| none());
    crate::hooks::audit(
        "object.__setattr__",
        &[ty.as_object(), attribute.as_object(), value],
    )
}

/// Calls the descriptor `value` for the class itself: docs and annotations may be descriptors.
fn bind_to_class(value: Ref, ty: &PyTypeObject) -> PyResult {
    match value.ty().tp_descr_get.get() {
        // SAFETY: the descriptor's own slot.
        Some(get) => unsafe { from_slot(get(value.as_raw(), std::ptr::null_mut(), ty.as_ptr()), "__get__") },
        None => Ok(value),
    }
}

#[pytype(
    name = "type",
    static_name = PyType_Type,
    flags = BASETYPE | HAVE_GC | TYPE_SUBCLASS | HAVE_VECTORCALL | ITEMS_AT_END,
    basicsize = size_of::<PyHeapTypeObject>() as isize,
    itemsize = size_of::<PyMemberDef>() as isize,
    vectorcall_offset = offset_of!(PyTypeObject, tp_vectorcall) as isize,
    weaklistoffset = offset_of!(PyTypeObject, tp_weaklist) as isize,
    dictoffset = offset_of!(PyTypeObject, tp_dict) as isize,
    members = [
        ("__basicsize__", Py_T_PYSSIZET, offset_of!(PyTypeObject, tp_basicsize), Py_READONLY),
        ("__itemsize__", Py_T_PYSSIZET, offset_of!(PyTypeObject, tp_itemsize), Py_READONLY),
        ("__flags__", Py_T_ULONG, offset_of!(PyTypeObject, tp_flags), Py_READONLY),
        ("__weakrefoffset__", Py_T_PYSSIZET, offset_of!(PyTypeObject, tp_weaklistoffset), Py_READONLY),
        ("__dictoffset__", Py_T_PYSSIZET, offset_of!(PyTypeObject, tp_dictoffset), Py_READONLY),
        ("__base__", _Py_T_OBJECT, offset_of!(PyTypeObject, tp_base), Py_READONLY),
        ("__mro__", _Py_T_OBJECT, offset_of!(PyTypeObject, tp_mro), Py_READONLY),
    ],
)]
/// type(object) is the type of object; type(name, bases, dict, **kwds) makes a new type.
impl PyTypeObject {
    #[slot]
    fn tp_new(metatype: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        new::type_new(metatype, args, kwargs)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        match args.len() {
            1 if kwargs.is_some_and(|kwargs| kwargs.len() != 0) => {
                Err(raise!(TypeError, "type.__init__() takes no keyword arguments"))
            }
            1 | 3 => Ok(()),
            _ => Err(raise!(TypeError, "type.__init__() takes 1 or 3 arguments")),
        }
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if std::ptr::eq(self, &PyType_Type) {
            if let [object] = args.as_slice() {
                if kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
                    return Err(raise!(TypeError, "type() takes no keyword arguments"));
                }
                return Ok(object.ty().to_object());
            }
            if args.len() != 3 {
                return Err(raise!(TypeError, "type() takes 1 or 3 arguments"));
            }
        }
        self.instantiate(args, kwargs)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let kind = "class";
        let name = qualname(self).to_string_lossy();
        let module = match module_of(self) {
            Ok(module) => module.downcast::<PyUnicodeObject>().ok(),
            Err(raised) => {
                raised.clear();
                None
            }
        };
        let text = match module {
            Some(module) if !module.eq_str("builtins") => {
                format!("<{kind} '{}.{name}'>", module.to_string_lossy())
            }
            _ => format!("<{kind} '{name}'>"),
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[slot]
    fn nb_or(left: &PyObject, right: &PyObject) -> PyResult {
        crate::objects::unionobject::union_of(left, right)
    }
    /// Static types have no collector's head in front of them.
    #[slot]
    fn tp_is_gc(&self) -> bool {
        self.is_heap_type()
    }
    #[slot]
    fn tp_traverse(&self, visit: &Visitor) -> c_int {
        if !self.is_heap_type() {
            return 0;
        }
        let heap = self.as_heap().expect("just checked");
        for place in [
            &self.tp_dict,
            &self.tp_cache,
            &self.tp_mro,
            &self.tp_bases,
            &heap.ht_module,
        ] {
            let status = visit.visit(place.get());
            if status != 0 {
                return status;
            }
        }
        visit.visit(self.tp_base.get())
    }
    #[slot]
    fn tp_clear(&self) {
        let Some(heap) = self.as_heap() else { return };
        lookup::modified(self);
        if let Some(dict) = self.dict() {
            dict.to_ref().clear();
        }
        // SAFETY: the type owned its module and MRO.
        unsafe {
            crate::memory::xdecref(heap.ht_module.replace(std::ptr::null_mut()));
            crate::memory::xdecref(self.tp_mro.replace(std::ptr::null_mut()));
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyTypeObject) {
        // SAFETY: only heap types die; everything below is what one owns.
        unsafe {
            let ty = &*this;
            gc::untrack(this.cast());
            if let Some(bases) = ty.bases() {
                for base in bases.as_slice() {
                    if let Some(base) = base.downcast_type() {
                        subclasses::remove(base, ty);
                    }
                }
            }
            lookup::modified(ty);
            crate::objects::weakrefobject::clear_weakrefs(ty.as_object());
            subclasses::free(ty);
            let heap = &*this.cast::<PyHeapTypeObject>();
            for place in [
                &ty.tp_dict,
                &ty.tp_bases,
                &ty.tp_mro,
                &ty.tp_cache,
                &heap.ht_name,
                &heap.ht_qualname,
                &heap.ht_slots,
                &heap.ht_module,
            ] {
                crate::memory::xdecref(place.replace(std::ptr::null_mut()));
            }
            crate::memory::xdecref(ty.tp_base.replace(std::ptr::null_mut()).cast());
            crate::objects::dictobject::instance::clear_shared_keys(heap);
            if !heap._ht_tpname.get().is_null() {
                crate::memory::raw_free(heap._ht_tpname.get().cast());
            }
            if !ty.tp_doc.get().is_null() {
                crate::memory::raw_free(ty.tp_doc.get().cast_mut().cast());
            }
            // The count of a metatype that is a heap type is given back by `subtype_dealloc`, which called this.
            super::heap::free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        // SAFETY: the function is this slot's true form.
        unsafe { from_slot(type_getattro(self.as_ptr(), name.as_ptr()), "__getattribute__") }
    }
    #[slot]
    fn tp_setattro(&self, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        self.type_set_attr(attributes::attribute_name(name)?, value)
    }

    /// The method resolution order computed anew.
    #[method("($self, /)", name = "mro")]
    fn py_mro(&self) -> PyResult {
        Ok(PyListObject::from_vec(c3(self)?).into_object())
    }
    /// The immediate subclasses that are alive.
    #[method("($self, /)")]
    fn __subclasses__(&self) -> PyResult {
        let classes = subclasses::of(self).into_iter().map(Ref::into_object).collect();
        Ok(PyListObject::from_vec(classes).into_object())
    }
    /// The namespace for a class body.
    #[classmethod(raw, "($cls, name, bases, /, **kwds)")]
    fn __prepare__(_cls: &PyTypeObject, _args: &[&PyObject], _kwnames: Option<&PyTupleObject>) -> PyResult {
        Ok(PyDictObject::new().into_object())
    }
    #[method("($self, instance, /)")]
    fn __instancecheck__(&self, instance: &PyObject) -> PyResult<bool> {
        instance.real_is_instance(self.as_object())
    }
    #[method("($self, subclass, /)")]
    fn __subclasscheck__(&self, subclass: &PyObject) -> PyResult<bool> {
        subclass.real_is_subclass(self.as_object())
    }
    /// The names of the attributes of the class and of its bases.
    #[method("($self, /)")]
    fn __dir__(&self) -> PyResult {
        let names = PyDictObject::new();
        merge_class_dict(&names, self.as_object())?;
        Ok(names.keys_list().into_object())
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> PyResult<usize> {
        Ok(if self.is_heap_type() {
            size_of::<PyHeapTypeObject>()
        } else {
            size_of::<PyTypeObject>()
        })
    }

    #[getter]
    fn __name__(&self) -> PyResult {
        if let Some(heap) = self.as_heap() {
            // SAFETY: a heap type owns its name.
            return Ok(unsafe { Ref::from_borrowed(heap.ht_name.get()) });
        }
        Ok(PyUnicodeObject::intern(PyUnicodeObject::from_string(self.short_name())).into_object())
    }
    #[setter(name = "__name__")]
    fn set_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__name__", value)?;
        let value = value.expect("just checked");
        let Some(name) = value.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "can only assign string to {}.__name__, not '{}'",
                self.name(),
                value.ty().name()
            ));
        };
        new::set_type_name(self, name)
    }
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> PyResult {
        Ok(qualname(self).into_object())
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__qualname__", value)?;
        let value = value.expect("just checked");
        if !PyUnicodeObject::check(value) {
            return Err(raise!(
                TypeError,
                "can only assign string to {}.__qualname__, not '{}'",
                self.name(),
                value.ty().name()
            ));
        }
        if let Some(heap) = self.as_heap() {
            let old = heap.ht_qualname.replace(value.to_ref().into_raw());
            // SAFETY: the type owned its old qualname.
            unsafe { crate::memory::xdecref(old) };
        }
        Ok(())
    }
    #[getter(name = "__module__")]
    fn get_module(&self) -> PyResult {
        module_of(self)
    }
    #[setter(name = "__module__")]
    fn set_module(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__module__", value)?;
        lookup::modified(self);
        let dict = self.dict().expect("ready").to_ref();
        dict.set_str(identifier!("__module__"), value.expect("just checked"))?;
        dict.pop(identifier!("__firstlineno__").as_object())?;
        Ok(())
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        if !self.is_heap_type() && !self.tp_doc.get().is_null() {
            // SAFETY: a C string that lives as long as the type.
            let full = unsafe { std::ffi::CStr::from_ptr(self.tp_doc.get()) }.to_string_lossy();
            let (_, doc) = crate::objects::methodobject::split_doc(&self.short_name(), &full);
            return Ok(PyUnicodeObject::from_str(doc).into_object());
        }
        match own_attribute(self, identifier!("__doc__")) {
            Some(doc) => bind_to_class(doc, self),
            None => Ok(none_ref()),
        }
    }
    #[setter(name = "__doc__")]
    fn set_doc(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__doc__", value)?;
        lookup::modified(self);
        self.dict()
            .expect("ready")
            .to_ref()
            .set_str(identifier!("__doc__"), value.expect("just checked"))
    }
    #[getter(name = "__text_signature__")]
    fn get_text_signature(&self) -> PyResult {
        if self.tp_doc.get().is_null() {
            return Ok(none_ref());
        }
        // SAFETY: a C string that lives as long as the type.
        let full = unsafe { std::ffi::CStr::from_ptr(self.tp_doc.get()) }.to_string_lossy();
        let (signature, _) = crate::objects::methodobject::split_doc(&self.short_name(), &full);
        Ok(signature.map_or_else(none_ref, |signature| {
            PyUnicodeObject::from_str(signature).into_object()
        }))
    }
    #[getter(name = "__dict__")]
    fn get_dict(&self) -> PyResult {
        match self.dict() {
            Some(dict) => crate::objects::mappingproxy::mapping_proxy(dict.as_object()),
            None => Ok(none_ref()),
        }
    }
    #[getter(name = "__bases__")]
    fn get_bases(&self) -> PyResult {
        Ok(self.bases().map_or_else(none_ref, |bases| bases.to_object()))
    }
    #[setter(name = "__bases__")]
    fn set_bases(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__bases__", value)?;
        new::assign_bases(self, value.expect("just checked"))
    }
    #[getter(name = "__abstractmethods__")]
    fn get_abstractmethods(&self) -> PyResult {
        let name = identifier!("__abstractmethods__");
        if std::ptr::eq(self, &PyType_Type) {
            return Err(raise!(AttributeError, value => name.as_object()));
        }
        match own_attribute(self, name) {
            Some(methods) => Ok(methods),
            None => Err(raise!(AttributeError, value => name.as_object())),
        }
    }
    #[setter(name = "__abstractmethods__")]
    fn set_abstractmethods(&self, value: Option<&PyObject>) -> PyResult<()> {
        let name = identifier!("__abstractmethods__");
        let dict = self.dict().expect("ready").to_ref();
        let abstract_now = match value {
            Some(value) => {
                let truth = value.is_true()?;
                dict.set_str(name, value)?;
                truth
            }
            None => {
                if !dict.remove(name.as_object())? {
                    return Err(raise!(AttributeError, value => name.as_object()));
                }
                false
            }
        };
        lookup::modified(self);
        if abstract_now {
            self.set_flag(Py_TPFLAGS_IS_ABSTRACT);
        } else {
            self.clear_flag(Py_TPFLAGS_IS_ABSTRACT);
        }
        Ok(())
    }
    #[getter(name = "__annotate__")]
    fn get_annotate(&self) -> PyResult {
        if !self.is_heap_type() {
            return Err(no_type_attribute(self, identifier!("__annotate__")));
        }
        if let Some(annotate) = own_attribute(self, identifier!("__annotate__"))
            .or_else(|| own_attribute(self, identifier!("__annotate_func__")))
        {
            return bind_to_class(annotate, self);
        }
        Ok(none_ref())
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "cannot delete __annotate__ attribute"));
        };
        if self.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return Err(raise!(
                TypeError,
                "cannot set '__annotate__' attribute of immutable type '{}'",
                self.name()
            ));
        }
        if !is_none(value) && !value.is_callable() {
            return Err(raise!(TypeError, "__annotate__ must be callable or None"));
        }
        let dict = self.dict().expect("ready").to_ref();
        dict.set_str(identifier!("__annotate_func__"), value)?;
        if !is_none(value) {
            dict.pop(identifier!("__annotations_cache__").as_object())?;
        }
        lookup::modified(self);
        Ok(())
    }
    #[getter(name = "__annotations__")]
    fn get_annotations(&self) -> PyResult {
        if !self.is_heap_type() {
            return Err(no_type_attribute(self, identifier!("__annotations__")));
        }
        let dict = self.dict().expect("ready").to_ref();
        if let Some(annotations) = own_attribute(self, identifier!("__annotations__"))
            .or_else(|| own_attribute(self, identifier!("__annotations_cache__")))
        {
            return bind_to_class(annotations, self);
        }
        let annotate = self.get_annotate()?;
        let annotations = if annotate.is_callable() {
            let format = PyLongObject::from_i64(1);
            let annotations = annotate.call1(format.as_object())?;
            if !PyDictObject::check(&annotations) {
                return Err(raise!(
                    TypeError,
                    "__annotate__ returned non-dict of type '{}'",
                    annotations.ty().name()
                ));
            }
            annotations
        } else {
            PyDictObject::new().into_object()
        };
        dict.set_str(identifier!("__annotations_cache__"), &annotations)?;
        lookup::modified(self);
        Ok(annotations)
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(&self, value: Option<&PyObject>) -> PyResult<()> {
        if self.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return Err(raise!(
                TypeError,
                "cannot set '__annotations__' attribute of immutable type '{}'",
                self.name()
            ));
        }
        let dict = self.dict().expect("ready").to_ref();
        let own = dict.get_str(identifier!("__annotations__")).is_some();
        let name = if own {
            identifier!("__annotations__")
        } else {
            identifier!("__annotations_cache__")
        };
        match value {
            Some(value) => dict.set_str(name, value)?,
            None => {
                if !dict.remove(name.as_object())? {
                    return Err(raise!(AttributeError, value => identifier!("__annotations__").as_object()));
                }
            }
        }
        dict.pop(identifier!("__annotate_func__").as_object())?;
        dict.pop(identifier!("__annotate__").as_object())?;
        lookup::modified(self);
        Ok(())
    }
    #[getter(name = "__type_params__")]
    fn get_type_params(&self) -> PyResult {
        if std::ptr::eq(self, &PyType_Type) {
            return Ok(PyTupleObject::empty().into_object());
        }
        Ok(own_attribute(self, identifier!("__type_params__"))
            .unwrap_or_else(|| PyTupleObject::empty().into_object()))
    }
    #[setter(name = "__type_params__")]
    fn set_type_params(&self, value: Option<&PyObject>) -> PyResult<()> {
        check_assignable(self, "__type_params__", value)?;
        self.dict()
            .expect("ready")
            .to_ref()
            .set_str(identifier!("__type_params__"), value.expect("just checked"))?;
        lookup::modified(self);
        Ok(())
    }
}

/// Adds the names of a class's attributes, and of its bases', to `names`.
pub fn merge_class_dict(names: &PyDictObject, class: &PyObject) -> PyResult<()> {
    if let Some(dict) = class.get_attr_opt(identifier!("__dict__"))? {
        names.update(&dict)?;
    }
    if let Some(bases) = class.get_attr_opt(identifier!("__bases__"))? {
        for base in bases.collect()? {
            merge_class_dict(names, &base)?;
        }
    }
    Ok(())
}

/// The descriptors that every class with a managed dict or weak-reference list gets.
pub fn add_dict_and_weakref_getsets(ty: &PyTypeObject, dict: bool, weakref: bool) -> PyResult<()> {
    if dict {
        descrobject::add_getset(ty, &DICT_GETSET)?;
    }
    if weakref {
        descrobject::add_getset(ty, &WEAKREF_GETSET)?;
    }
    Ok(())
}

static DICT_GETSET: PyGetSetDef = PyGetSetDef::new(
    c"__dict__".as_ptr(),
    Some(subtype_dict),
    Some(subtype_set_dict),
    c"dictionary for instance variables".as_ptr(),
    std::ptr::null_mut(),
);
static WEAKREF_GETSET: PyGetSetDef = PyGetSetDef::new(
    c"__weakref__".as_ptr(),
    Some(subtype_weakref),
    None,
    c"list of weak references to the object".as_ptr(),
    std::ptr::null_mut(),
);

/// A native type among the bases that gives its instances a dict in its own way: `type` and `module` do.
fn native_base_with_dict(ty: &'static PyTypeObject) -> Option<&'static PyTypeObject> {
    let mut ty = ty;
    while let Some(base) = ty.base() {
        if ty.tp_dictoffset.get() != 0 && !ty.is_heap_type() {
            return Some(ty);
        }
        ty = base;
    }
    None
}

fn dict_descriptor(base: &PyTypeObject, object: &PyObject) -> PyResult {
    match base.lookup(identifier!("__dict__")) {
        Some(descriptor) if descriptor.ty().tp_descr_set.get().is_some() => Ok(descriptor.to_ref()),
        _ => Err(no_dict_descriptor(object)),
    }
}

/// Whether `__dict__` of a native type is read as those of classes are: it must not be asked again.
fn has_subtype_dict(base: &PyTypeObject) -> bool {
    let Some(descriptor) = base.lookup(identifier!("__dict__")) else {
        return false;
    };
    let Some(descriptor) = descriptor.downcast::<PyGetSetDescrObject>() else {
        return false;
    };
    // SAFETY: a descriptor's row lives as long as it.
    let get = unsafe { (*descriptor.d_getset.get()).get.get() };
    get.is_some_and(|get| get as usize == subtype_dict as *const () as usize)
}

#[cold]
fn no_dict_descriptor(object: &PyObject) -> Raised {
    raise!(
        TypeError,
        "this __dict__ descriptor does not support '{}' objects",
        object.ty().name()
    )
}

/// `object.__dict__` of instances whose type gives them one.
pub unsafe extern "C" fn subtype_dict(object: *mut PyObject, _closure: *mut c_void) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: getters get live objects.
        let object = unsafe { &*object };
        if let Some(base) = native_base_with_dict(object.ty()).filter(|base| !has_subtype_dict(base)) {
            let descriptor = dict_descriptor(base, object)?;
            let Some(get) = descriptor.ty().tp_descr_get.get() else {
                return Err(no_dict_descriptor(object));
            };
            // SAFETY: the descriptor's own slot.
            return unsafe {
                from_slot(
                    get(descriptor.as_raw(), object.as_ptr(), object.ty().as_ptr()),
                    "__get__",
                )
            };
        }
        match object.instance_dict_or_make() {
            Some(dict) => Ok(dict.into_object()),
            None => Err(raise!(AttributeError, "This object has no __dict__")),
        }
    })
}

/// Assignment to `__dict__`.
pub unsafe extern "C" fn subtype_set_dict(
    object: *mut PyObject,
    value: *mut PyObject,
    _closure: *mut c_void,
) -> c_int {
    boundary_status(|| {
        // SAFETY: setters get live objects; a null value means deletion.
        let (object, value) = unsafe { (&*object, value.as_ref()) };
        if let Some(base) = native_base_with_dict(object.ty()).filter(|base| !has_subtype_dict(base)) {
            let descriptor = dict_descriptor(base, object)?;
            let Some(set) = descriptor.ty().tp_descr_set.get() else {
                return Err(no_dict_descriptor(object));
            };
            let value = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
            // SAFETY: the descriptor's own slot.
            return from_status(
                unsafe { set(descriptor.as_raw(), object.as_ptr(), value) },
                "__set__",
            );
        }
        let Some(slot) = object.dict_slot() else {
            return Err(raise!(AttributeError, "This object has no __dict__"));
        };
        let new = match value {
            None => None,
            value => Some(new_dict_of(value)?.to_ref()),
        };
        if object.type_has(Py_TPFLAGS_MANAGED_DICT) {
            return crate::objects::dictobject::instance::set_managed_dict(object, new);
        }
        let old = slot.replace(new.map_or(std::ptr::null_mut(), Ref::into_object_raw));
        // SAFETY: the instance owned its old dict.
        unsafe { crate::memory::xdecref(old) };
        Ok(())
    })
}

unsafe extern "C" fn subtype_weakref(object: *mut PyObject, _closure: *mut c_void) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: getters get live objects.
        let object = unsafe { &*object };
        let head = super::heap::weaklist_slot(object).map_or(std::ptr::null_mut(), |slot| slot.get());
        // SAFETY: the list's head is a live reference object or null.
        Ok(unsafe { Ref::from_borrowed_opt(head) }.unwrap_or_else(none_ref))
    })
}

/// Whether `object` is the plain `object` type.
pub fn is_base_object(ty: &PyTypeObject) -> bool {
    std::ptr::eq(ty, &PyBaseObject_Type)
}
