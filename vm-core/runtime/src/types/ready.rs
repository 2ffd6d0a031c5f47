//! `PyType_Ready`: fills in what a type inherits, its MRO, its dict with descriptors and slot wrappers.

use super::{TypeSpec, lookup, slotdefs, subclasses, typeobject};
use crate::objects::descrobject;
use crate::objects::object::PyBaseObject_Type;
use crate::prelude::*;

/// Readies a type: a static one of ours with all the tables of its declaration.
pub fn ready(ty: &PyTypeObject) -> PyResult<()> {
    if ty.has_flag(Py_TPFLAGS_READY) {
        return Ok(());
    }
    if ty.tp_name.get().is_null() {
        return Err(raise!(SystemError, "Type does not define the tp_name field."));
    }
    ty.set_flag(Py_TPFLAGS_READYING);
    if !ty.is_heap_type() && !ty.as_object().is_immortal() {
        ty.as_object().set_immortal();
    }
    let result = ready_steps(ty, super::registry::spec_of(ty));
    ty.clear_flag(Py_TPFLAGS_READYING);
    if result.is_ok() {
        ty.set_flag(Py_TPFLAGS_READY);
    }
    result
}

fn ready_steps(ty: &PyTypeObject, spec: Option<&TypeSpec>) -> PyResult<()> {
    let is_object = std::ptr::eq(ty, &PyBaseObject_Type);
    if !ty.is_heap_type() {
        // Static types of C too.
        ty.set_flag(Py_TPFLAGS_IMMUTABLETYPE);
    }
    if ty.tp_base.get().is_null() && !is_object {
        ty.tp_base.set((&raw const PyBaseObject_Type).cast_mut());
        if ty.is_heap_type() {
            PyBaseObject_Type.as_object().incref();
        }
    }
    if let Some(base) = ty.base()
        && !base.has_flag(Py_TPFLAGS_READY)
    {
        if base.has_flag(Py_TPFLAGS_READYING) {
            return Err(typeobject::incomplete(base));
        }
        ready(base)?;
    }
    if ty.as_object().ob_type.get().is_null() {
        let metatype = ty.base().map_or(&typeobject::PyType_Type as *const _, |base| {
            base.as_object().ob_type.get()
        });
        ty.as_object().ob_type.set(metatype.cast_mut());
    }
    let metatype = ty.as_object().ty();
    if !std::ptr::eq(metatype, &typeobject::PyType_Type) && !metatype.has_flag(Py_TPFLAGS_READY) {
        ready(metatype)?;
    }
    if ty.tp_bases.get().is_null() {
        let bases = match ty.base() {
            Some(base) => PyTupleObject::from_slice(&[base.as_object()]),
            None => PyTupleObject::empty(),
        };
        ty.tp_bases.set(bases.into_object_raw());
    }
    if ty.tp_dict.get().is_null() {
        ty.tp_dict.set(PyDictObject::new().into_object_raw());
    }
    slotdefs::add_operators(ty)?;
    add_tables(ty, spec)?;
    set_doc(ty)?;
    set_new(ty)?;
    typeobject::compute_mro(ty)?;
    inherit(ty)?;
    set_hash(ty)?;
    check_consistency(ty)?;
    if let Some(bases) = ty.bases() {
        for base in bases.as_slice() {
            if let Some(base) = base.downcast::<PyTypeObject>() {
                subclasses::add(base, ty);
            }
        }
    }
    lookup::modified(ty);
    Ok(())
}

fn add_tables(ty: &PyTypeObject, spec: Option<&TypeSpec>) -> PyResult<()> {
    // SAFETY: C tables end with a row whose name is null.
    unsafe {
        let mut method = ty.tp_methods.get();
        while !method.is_null() && !(*method).ml_name.get().is_null() {
            descrobject::add_method(ty, &*method)?;
            method = method.add(1);
        }
        let mut member = ty.tp_members.get();
        while !member.is_null() && !(*member).name.get().is_null() {
            descrobject::add_member(ty, &*member)?;
            member = member.add(1);
        }
        let mut getset = ty.tp_getset.get();
        while !getset.is_null() && !(*getset).name.get().is_null() {
            descrobject::add_getset(ty, &*getset)?;
            getset = getset.add(1);
        }
    }
    let Some(spec) = spec else { return Ok(()) };
    for row in spec.methods.iter().flat_map(|table| table.iter()) {
        if !row.ml_name.get().is_null() {
            descrobject::add_method(ty, row)?;
        }
    }
    for row in spec.members.iter().flat_map(|table| table.iter()) {
        if !row.name.get().is_null() {
            descrobject::add_member(ty, row)?;
        }
    }
    for row in spec.getsets.iter().flat_map(|table| table.iter()) {
        if !row.name.get().is_null() {
            descrobject::add_getset(ty, row)?;
        }
    }
    Ok(())
}

/// `__doc__` from `tp_doc`, without the text signature in front.
fn set_doc(ty: &PyTypeObject) -> PyResult<()> {
    let dict = ty.dict().expect("set before");
    let name = identifier!("__doc__");
    if dict.get_str(name).is_some() {
        return Ok(());
    }
    if ty.tp_doc.get().is_null() {
        return dict.set_str(name, none());
    }
    // SAFETY: a C string that lives as long as the type.
    let full = unsafe { std::ffi::CStr::from_ptr(ty.tp_doc.get()) }.to_string_lossy();
    let (_, doc) = crate::objects::methodobject::split_doc(ty.tp_short_name(), &full);
    dict.set_str(name, PyUnicodeObject::from_str(doc).as_object())
}

/// `__new__` in the dict when the type has a `tp_new` of its own.
fn set_new(ty: &PyTypeObject) -> PyResult<()> {
    let is_object = std::ptr::eq(ty, &PyBaseObject_Type);
    let base_is_object = ty.tp_base.get().cast_const() == &raw const PyBaseObject_Type;
    if ty.tp_new.get().is_none() && base_is_object && !ty.is_heap_type() {
        // A static type directly below `object` does not inherit `object.__new__`.
        ty.set_flag(Py_TPFLAGS_DISALLOW_INSTANTIATION);
    }
    if ty.has_flag(Py_TPFLAGS_DISALLOW_INSTANTIATION) {
        ty.tp_new.set(None);
        return Ok(());
    }
    if ty.tp_new.get().is_some() || is_object {
        if ty.tp_new.get().is_some() {
            typeobject::add_tp_new_wrapper(ty)?;
        }
    } else {
        ty.tp_new.set(ty.base().and_then(|base| base.tp_new.get()));
    }
    Ok(())
}

/// Types without `__hash__` that define comparison are not hashable.
fn set_hash(ty: &PyTypeObject) -> PyResult<()> {
    let dict = ty.dict().expect("set before");
    if ty.tp_hash.get().is_none() {
        if dict.get_str(identifier!("__hash__")).is_none() {
            dict.set_str(identifier!("__hash__"), none())?;
        }
        ty.tp_hash.set(Some(super::hash_not_implemented));
    }
    Ok(())
}

fn check_consistency(ty: &PyTypeObject) -> PyResult<()> {
    if ty.is_gc() && ty.tp_traverse.get().is_none() {
        return Err(raise!(
            SystemError,
            "type {} has the Py_TPFLAGS_HAVE_GC flag but has no traverse function",
            ty.full_name()
        ));
    }
    Ok(())
}

/// Copies a slot from `base` when `ty` has none and `base`'s differs from what `base` itself inherits.
macro_rules! inherit_slots {
    ($ty:expr, $base:expr; $($slot:ident)*) => {
        $(
            if $ty.$slot.get().is_none() {
                $ty.$slot.set($base.$slot.get());
            }
        )*
    };
}

macro_rules! inherit_suite {
    ($ty:expr, $base:expr, $suite:ident; $($slot:ident)*) => {
        // SAFETY: suites live as long as their types.
        let suites = unsafe { ($ty.$suite.get().as_ref(), $base.$suite.get().as_ref()) };
        if let (Some(suite), Some(base_suite)) = suites {
            $(
                if suite.$slot.get().is_none() {
                    suite.$slot.set(base_suite.$slot.get());
                }
            )*
        }
    };
}

fn inherit(ty: &PyTypeObject) -> PyResult<()> {
    if let Some(base) = ty.base() {
        inherit_special(ty, base);
    }
    let mro: Vec<&PyObject> = match ty.mro() {
        Some(mro) => mro.as_slice()[1..].to_vec(),
        None => Vec::new(),
    };
    for class in &mro {
        // SAFETY: an MRO holds types only.
        let class = unsafe { class.cast_unchecked::<PyTypeObject>() };
        inherit_slots_from(ty, class);
    }
    // Suites that a static type does not have are its base's.
    if let Some(base) = ty.base() {
        if ty.tp_as_async.get().is_null() {
            ty.tp_as_async.set(base.tp_as_async.get());
        }
        if ty.tp_as_number.get().is_null() {
            ty.tp_as_number.set(base.tp_as_number.get());
        }
        if ty.tp_as_sequence.get().is_null() {
            ty.tp_as_sequence.set(base.tp_as_sequence.get());
        }
        if ty.tp_as_mapping.get().is_null() {
            ty.tp_as_mapping.set(base.tp_as_mapping.get());
        }
        if ty.tp_as_buffer.get().is_null() {
            ty.tp_as_buffer.set(base.tp_as_buffer.get());
        }
    }
    inherit_collection_flags(ty, &mro);
    Ok(())
}

/// Sizes, offsets and the flags that say which built-in family a type belongs to.
fn inherit_special(ty: &PyTypeObject, base: &PyTypeObject) {
    if !ty.is_gc() && base.is_gc() && ty.tp_traverse.get().is_none() && ty.tp_clear.get().is_none() {
        ty.set_flag(Py_TPFLAGS_HAVE_GC);
        ty.tp_traverse.set(base.tp_traverse.get());
        ty.tp_clear.set(base.tp_clear.get());
    }
    ty.set_flag(base.tp_flags.get() & Py_TPFLAGS_PREHEADER);
    if ty.tp_basicsize.get() == 0 {
        ty.tp_basicsize.set(base.tp_basicsize.get());
    }
    if ty.tp_itemsize.get() == 0 {
        ty.tp_itemsize.set(base.tp_itemsize.get());
    }
    if ty.tp_weaklistoffset.get() == 0 {
        ty.tp_weaklistoffset.set(base.tp_weaklistoffset.get());
    }
    if ty.tp_dictoffset.get() == 0 {
        ty.tp_dictoffset.set(base.tp_dictoffset.get());
    }
    const FAMILIES: c_ulong = Py_TPFLAGS_LONG_SUBCLASS
        | Py_TPFLAGS_LIST_SUBCLASS
        | Py_TPFLAGS_TUPLE_SUBCLASS
        | Py_TPFLAGS_BYTES_SUBCLASS
        | Py_TPFLAGS_UNICODE_SUBCLASS
        | Py_TPFLAGS_DICT_SUBCLASS
        | Py_TPFLAGS_BASE_EXC_SUBCLASS
        | Py_TPFLAGS_TYPE_SUBCLASS
        | Py_TPFLAGS_ITEMS_AT_END
        | _Py_TPFLAGS_MATCH_SELF;
    ty.set_flag(base.tp_flags.get() & FAMILIES);
}

/// `Py_TPFLAGS_SEQUENCE` and `Py_TPFLAGS_MAPPING` come from the first class of the MRO that has either.
fn inherit_collection_flags(ty: &PyTypeObject, mro: &[&PyObject]) {
    const COLLECTION: c_ulong = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
    if ty.has_flag(COLLECTION) {
        return;
    }
    for class in mro {
        // SAFETY: an MRO holds types only.
        let flags = unsafe { class.cast_unchecked::<PyTypeObject>() }.tp_flags.get() & COLLECTION;
        if flags != 0 {
            ty.set_flag(flags);
            return;
        }
    }
}

fn inherit_slots_from(ty: &PyTypeObject, base: &PyTypeObject) {
    inherit_suite!(ty, base, tp_as_number; nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_power nb_negative
        nb_positive nb_absolute nb_bool nb_invert nb_lshift nb_rshift nb_and nb_xor nb_or nb_int nb_float nb_inplace_add
        nb_inplace_subtract nb_inplace_multiply nb_inplace_remainder nb_inplace_power nb_inplace_lshift
        nb_inplace_rshift nb_inplace_and nb_inplace_xor nb_inplace_or nb_true_divide nb_floor_divide
        nb_inplace_true_divide nb_inplace_floor_divide nb_index nb_matrix_multiply nb_inplace_matrix_multiply);
    inherit_suite!(ty, base, tp_as_async; am_await am_aiter am_anext am_send);
    inherit_suite!(ty, base, tp_as_sequence; sq_length sq_concat sq_repeat sq_item sq_ass_item sq_contains
        sq_inplace_concat sq_inplace_repeat);
    inherit_suite!(ty, base, tp_as_mapping; mp_length mp_subscript mp_ass_subscript);
    inherit_suite!(ty, base, tp_as_buffer; bf_getbuffer bf_releasebuffer);
    inherit_slots!(ty, base; tp_dealloc);
    if ty.tp_getattr.get().is_none() && ty.tp_getattro.get().is_none() {
        ty.tp_getattr.set(base.tp_getattr.get());
        ty.tp_getattro.set(base.tp_getattro.get());
    }
    if ty.tp_setattr.get().is_none() && ty.tp_setattro.get().is_none() {
        ty.tp_setattr.set(base.tp_setattr.get());
        ty.tp_setattro.set(base.tp_setattro.get());
    }
    inherit_slots!(ty, base; tp_repr);
    if ty.tp_vectorcall_offset.get() == 0 {
        ty.tp_vectorcall_offset.set(base.tp_vectorcall_offset.get());
    }
    // A heap type that gets a new `__call__` loses it again.
    if ty.tp_call.get().is_none() && base.has_flag(Py_TPFLAGS_HAVE_VECTORCALL) {
        ty.set_flag(Py_TPFLAGS_HAVE_VECTORCALL);
    }
    inherit_slots!(ty, base; tp_call tp_str);
    inherit_hash_and_comparison(ty, base);
    inherit_slots!(ty, base; tp_iter tp_iternext tp_descr_get);
    if ty.tp_descr_set.get().is_none() {
        ty.tp_descr_set.set(base.tp_descr_set.get());
    }
    let is_inherited = match (ty.tp_descr_get.get(), base.tp_descr_get.get()) {
        (Some(own), Some(inherited)) => own as usize == inherited as usize,
        _ => false,
    };
    if is_inherited && base.has_flag(Py_TPFLAGS_METHOD_DESCRIPTOR) && ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
        ty.set_flag(Py_TPFLAGS_METHOD_DESCRIPTOR);
    }
    inherit_slots!(ty, base; tp_init tp_alloc tp_is_gc tp_finalize);
    if ty.tp_free.get().is_none() {
        ty.tp_free.set(match base.tp_free.get() {
            // A GC type below one that is not frees its header too.
            Some(_) if ty.is_gc() && !base.is_gc() => Some(super::object_free),
            free => free,
        });
    }
}

/// Comparison and hash come together, unless the type's own dict has equality or hash.
fn inherit_hash_and_comparison(ty: &PyTypeObject, base: &PyTypeObject) {
    if ty.tp_richcompare.get().is_some() || ty.tp_hash.get().is_some() {
        return;
    }
    let Some(dict) = ty.dict() else { return };
    let own = ["__eq__", "__hash__"];
    let overrides = own.iter().any(|name| {
        let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
        dict.get_str(&name).is_some()
    });
    if !overrides {
        ty.tp_richcompare.set(base.tp_richcompare.get());
        ty.tp_hash.set(base.tp_hash.get());
    }
}
