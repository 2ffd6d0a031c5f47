//! object.h, types: readying static types of C, making heap types from specifications, asking types about themselves.

use crate::export::{Borrowed, OutRef, Void, bad_internal_call, opt, put, str_from_utf8};
use crate::typeslots::{slot_place, slot_value};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::types::typeobject::new as type_new;
use adder_runtime::types::{self, heap};
use std::ffi::CStr;
use std::mem::offset_of;

/// The size up to which the part of a base is aligned before the part of a type follows (negative basicsize).
const DATA_ALIGNMENT: isize = 16;

fn align(size: isize) -> isize {
    (size + DATA_ALIGNMENT - 1) & !(DATA_ALIGNMENT - 1)
}

/// The slots of a specification, up to the one numbered 0.
fn spec_slots(spec: &PyType_Spec) -> impl Iterator<Item = (c_int, *mut c_void)> {
    let mut next = spec.slots.get();
    std::iter::from_fn(move || {
        // SAFETY: C gives an array that ends with slot 0.
        let slot = unsafe { next.as_ref()? };
        if slot.slot.get() == 0 {
            return None;
        }
        next = next.wrapping_add(1);
        Some((slot.slot.get(), slot.pfunc.get()))
    })
}

fn find_slot(spec: &PyType_Spec, wanted: c_int) -> *mut c_void {
    spec_slots(spec)
        .find(|(slot, _)| *slot == wanted)
        .map_or(std::ptr::null_mut(), |(_, pfunc)| pfunc)
}

/// The bases: those given, those of the specification, or `object`.
fn spec_bases(spec: &PyType_Spec, bases: Option<&PyObject>) -> PyResult<Ref<PyTupleObject>> {
    // SAFETY: a specification's slots hold live objects.
    let (slot_bases, slot_base) = unsafe {
        (
            opt(find_slot(spec, Py_tp_bases).cast()),
            opt(find_slot(spec, Py_tp_base).cast()),
        )
    };
    let Some(bases) = bases.or(slot_bases).or(slot_base) else {
        return Ok(PyTupleObject::from_slice(&[PyObject::type_object().as_object()]));
    };
    match bases.downcast::<PyTupleObject>() {
        Some(bases) => Ok(bases.to_ref()),
        None if PyTypeObject::check(bases) => Ok(PyTupleObject::from_slice(&[bases])),
        None => Err(raise!(SystemError, "Py_tp_bases is not a tuple")),
    }
}

/// A C string that a type keeps forever.
fn keep_text(text: &[u8]) -> *mut c_char {
    std::ffi::CString::new(text).unwrap_or_default().into_raw()
}

/// A specification's members: rows with offsets resolved, and the offsets that three special names carry.
struct SpecMembers {
    rows: Vec<PyMemberDef>,
    weaklist_offset: isize,
    dict_offset: isize,
    vectorcall_offset: isize,
}

fn spec_members(spec: &PyType_Spec, base_size: isize) -> PyResult<SpecMembers> {
    let mut members = SpecMembers {
        rows: Vec::new(),
        weaklist_offset: 0,
        dict_offset: 0,
        vectorcall_offset: 0,
    };
    let mut next = find_slot(spec, Py_tp_members).cast::<PyMemberDef>();
    // SAFETY: C gives an array that ends with a NULL name.
    while let Some(row) = unsafe { next.as_ref() }.filter(|row| !row.name.get().is_null()) {
        // SAFETY: a terminated name.
        let name = unsafe { CStr::from_ptr(row.name.get()) };
        let relative = row.flags.get() & Py_RELATIVE_OFFSET != 0;
        let room = spec.basicsize.get();
        if relative && room > 0 {
            return Err(raise!(
                SystemError,
                "With Py_RELATIVE_OFFSET, basicsize must be negative."
            ));
        }
        if relative && !(0..-room as isize).contains(&row.offset.get()) {
            return Err(raise!(SystemError, "Member offset out of range (0..-basicsize)"));
        }
        let offset = row.offset.get() + if relative { align(base_size) } else { 0 };
        if let b"__weaklistoffset__" | b"__dictoffset__" | b"__vectorcalloffset__" = name.to_bytes() {
            let name = name.to_string_lossy();
            if row.r#type.get() != Py_T_PYSSIZET {
                return Err(raise!(SystemError, "type of {name} must be Py_T_PYSSIZET"));
            }
            if row.flags.get() & !Py_RELATIVE_OFFSET != Py_READONLY {
                return Err(raise!(
                    SystemError,
                    "flags for {name} must be Py_READONLY or (Py_READONLY | Py_RELATIVE_OFFSET)"
                ));
            }
        }
        match name.to_bytes() {
            b"__weaklistoffset__" => members.weaklist_offset = offset,
            b"__dictoffset__" => members.dict_offset = offset,
            b"__vectorcalloffset__" => members.vectorcall_offset = offset,
            _ => {}
        }
        let flags = row.flags.get() & !Py_RELATIVE_OFFSET;
        members.rows.push(PyMemberDef::new(
            row.name.get(),
            row.r#type.get(),
            offset,
            flags,
            row.doc.get(),
        ));
        next = next.wrapping_add(1);
    }
    Ok(members)
}

/// The metatype of the new type: the most derived of the one given and those of the bases.
fn spec_metatype(metatype: Option<&PyTypeObject>, bases: &PyTupleObject) -> PyResult<Ref<PyTypeObject>> {
    let metatype = type_new::calculate_metaclass(metatype.unwrap_or(PyTypeObject::type_object()), bases)?;
    let own_new = metatype.tp_new.get().map(|function| function as usize);
    if own_new.is_some()
        && own_new
            != PyTypeObject::type_object()
                .tp_new
                .get()
                .map(|function| function as usize)
    {
        return Err(raise!(
            TypeError,
            "Metaclasses with custom tp_new are not supported."
        ));
    }
    Ok(metatype)
}

/// PyType_FromMetaclass.
pub fn from_spec(
    metatype: Option<&PyTypeObject>,
    module: Option<&PyObject>,
    spec: &PyType_Spec,
    bases: Option<&PyObject>,
) -> PyResult {
    if spec.name.get().is_null() {
        return Err(raise!(SystemError, "Type spec does not define the name field."));
    }
    // SAFETY: not NULL; C gives a terminated name.
    let full_name = unsafe { CStr::from_ptr(spec.name.get()) };
    let bases = spec_bases(spec, bases)?;
    let metatype = spec_metatype(metatype, &bases)?;
    let base = type_new::best_base(&bases)?;
    let base_size = base.tp_basicsize.get();
    let members = spec_members(spec, base_size)?;
    let flags = c_ulong::from(spec.flags.get());
    if spec.basicsize.get() < 0
        && base.tp_itemsize.get() != 0
        && (base.tp_flags.get() | flags) & Py_TPFLAGS_ITEMS_AT_END == 0
    {
        return Err(raise!(
            SystemError,
            "Cannot extend variable-size class without Py_TPFLAGS_ITEMS_AT_END."
        ));
    }
    if flags & Py_TPFLAGS_IMMUTABLETYPE != 0 {
        let mutable = |base: &&PyObject| {
            base.downcast::<PyTypeObject>()
                .is_some_and(|base| !base.has_flag(Py_TPFLAGS_IMMUTABLETYPE))
        };
        if let Some(base) = bases.as_slice().iter().find(|base| mutable(base)) {
            let base = base
                .downcast::<PyTypeObject>()
                .map_or_else(String::new, |base| base.fully_qualified_name());
            return Err(raise!(
                TypeError,
                "Creating immutable type {} from mutable base {base}",
                full_name.to_string_lossy()
            ));
        }
    }

    let alloc = metatype.tp_alloc.get().unwrap_or(heap::generic_alloc);
    // SAFETY: the metatype's allocator; its instances begin with a heap type.
    let class: Ref<PyTypeObject> =
        unsafe { adder_runtime::protocol::from_slot(alloc(metatype.as_raw(), 0), "tp_alloc")?.cast() };
    // SAFETY: as above.
    let heap_type = unsafe { class.as_object().cast_unchecked::<PyHeapTypeObject>() };
    class
        .tp_flags
        .set(c_ulong::from(spec.flags.get()) | Py_TPFLAGS_HEAPTYPE);
    type_new::set_suites(&class, heap_type);
    let text = full_name.to_bytes();
    let (module_name, name) = match text.iter().rposition(|byte| *byte == b'.') {
        Some(dot) => (Some(&text[..dot]), &text[dot + 1..]),
        None => (None, text),
    };
    let name = str_from_utf8(name)?;
    heap_type.ht_qualname.set(name.clone().into_raw().cast());
    heap_type.ht_name.set(name.into_raw().cast());
    heap_type._ht_tpname.set(keep_text(text));
    class.tp_name.set(heap_type._ht_tpname.get());
    class.tp_bases.set(bases.into_raw().cast());
    class.tp_base.set(base.to_ref().into_raw());
    heap_type
        .ht_module
        .set(module.map_or(std::ptr::null_mut(), |module| module.to_ref().into_raw()));

    class.tp_basicsize.set(match spec.basicsize.get() as isize {
        0 => base_size,
        size if size < 0 => align(base_size) + align(-size),
        size => size,
    });
    class.tp_itemsize.set(match spec.itemsize.get() as isize {
        0 => base.tp_itemsize.get(),
        size => size,
    });
    fill_slots(&class, heap_type, spec)?;
    if class.tp_dealloc.get().is_none() {
        // A type without its own destructor is destroyed as one that a class statement makes.
        class.tp_dealloc.set(Some(heap::subtype_dealloc));
    }
    if !members.rows.is_empty() {
        let mut rows = members.rows;
        rows.push(PyMemberDef::zeroed());
        class
            .tp_members
            .set(Box::leak(rows.into_boxed_slice()).as_mut_ptr());
    }
    for (field, offset) in [
        (&class.tp_weaklistoffset, members.weaklist_offset),
        (&class.tp_dictoffset, members.dict_offset),
        (&class.tp_vectorcall_offset, members.vectorcall_offset),
    ] {
        if offset != 0 {
            field.set(offset);
        }
    }
    types::ready(&class)?;
    set_module_name(&class, module_name, full_name)?;
    Ok(class.into_object())
}

/// Copies the functions and tables of a specification into the type.
fn fill_slots(class: &PyTypeObject, heap_type: &PyHeapTypeObject, spec: &PyType_Spec) -> PyResult<()> {
    let mut filled = [false; 96];
    for (slot, pfunc) in spec_slots(spec) {
        let Some(place) = slot_place(heap_type, slot) else {
            return Err(raise!(RuntimeError, "invalid slot offset"));
        };
        if std::mem::replace(&mut filled[slot as usize], true) && (slot == Py_tp_doc || slot == Py_tp_members)
        {
            return Err(raise!(
                SystemError,
                "Multiple Py_tp_{} slots are not supported.",
                if slot == Py_tp_doc { "doc" } else { "members" }
            ));
        }
        match slot {
            Py_tp_base | Py_tp_bases | Py_tp_members => {}
            Py_tp_doc if pfunc.is_null() => {}
            Py_tp_doc => {
                // SAFETY: C gives a terminated text.
                class
                    .tp_doc
                    .set(keep_text(unsafe { CStr::from_ptr(pfunc.cast()) }.to_bytes()));
            }
            // A token of NULL (Py_TP_USE_SPEC) stands for the specification itself.
            Py_tp_token if pfunc.is_null() => place.set(spec as *const PyType_Spec as *mut c_void),
            _ => place.set(pfunc),
        }
    }
    Ok(())
}

fn set_module_name(class: &PyTypeObject, module: Option<&[u8]>, full_name: &CStr) -> PyResult<()> {
    let Some(dict) = class.dict() else { return Ok(()) };
    if dict.contains(identifier!("__module__").as_object())? {
        return Ok(());
    }
    match module {
        Some(module) => dict.set_str(identifier!("__module__"), str_from_utf8(module)?.as_object()),
        None => {
            let message = format!(
                "builtin type {} has no __module__ attribute",
                full_name.to_string_lossy()
            );
            let message = PyUnicodeObject::from_string(message);
            crate::warnings::warn(
                Some(exc::DeprecationWarning.as_object()),
                message.as_object(),
                1,
                None,
            )
        }
    }
}

fn heap_type(ty: &PyTypeObject) -> Option<&PyHeapTypeObject> {
    // SAFETY: the flag says that it has the longer layout.
    ty.is_heap_type()
        .then(|| unsafe { ty.as_object().cast_unchecked() })
}

/// The module of a type that was made with one.
fn module_of(ty: &PyTypeObject) -> PyResult<&'static PyObject> {
    let Some(heap_type) = heap_type(ty) else {
        return Err(raise!(
            TypeError,
            "PyType_GetModule: Type '{}' is not a heap type",
            ty.name()
        ));
    };
    // SAFETY: the type owns its module.
    unsafe { opt(heap_type.ht_module.get()) }.ok_or_else(|| {
        raise!(
            TypeError,
            "PyType_GetModule: Type '{}' has no associated module",
            ty.name()
        )
    })
}

/// The first module along the MRO that comes from `def`.
fn module_by_def(ty: &PyTypeObject, def: *mut PyModuleDef) -> Option<&'static PyObject> {
    mro_types(ty).find_map(|class| {
        // SAFETY: the type owns its module.
        let module = unsafe { opt(heap_type(class)?.ht_module.get())? };
        let module_object = module.downcast::<PyModuleObject>()?;
        std::ptr::eq(module_object.md_def.get(), def).then_some(module)
    })
}

fn mro_types(ty: &PyTypeObject) -> impl Iterator<Item = &PyTypeObject> {
    ty.mro()
        .map(|mro| mro.as_slice().to_vec())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|class| {
            // The MRO tuple keeps the class as long as the type lives.
            class.downcast::<PyTypeObject>()
        })
}

/// The first of a type and its bases, in depth, that is asked for: for a type that is not ready yet.
fn base_where<'a>(ty: &'a PyTypeObject, wanted: &dyn Fn(&PyTypeObject) -> bool) -> Option<&'a PyTypeObject> {
    if wanted(ty) {
        return Some(ty);
    }
    // SAFETY: the tuple of bases, which live as long as the type.
    let bases = unsafe { ty.tp_bases.get().as_ref() }.and_then(PyObject::downcast::<PyTupleObject>)?;
    let bases = bases
        .as_slice()
        .iter()
        .filter_map(|base| base.downcast::<PyTypeObject>());
    bases.into_iter().find_map(|base| base_where(base, wanted))
}

capi! {
    fn PyType_Ready(ty: &PyTypeObject) -> PyResult<()> { types::ready(ty) }
    fn PyType_FromSpec(spec: *mut PyType_Spec) -> PyResult {
        // SAFETY: C gives a specification.
        from_spec(None, None, unsafe { &*spec }, None)
    }
    fn PyType_FromSpecWithBases(spec: *mut PyType_Spec, bases: Option<&PyObject>) -> PyResult {
        // SAFETY: C gives a specification.
        from_spec(None, None, unsafe { &*spec }, bases)
    }
    fn PyType_FromModuleAndSpec(module: Option<&PyObject>, spec: *mut PyType_Spec, bases: Option<&PyObject>) -> PyResult {
        // SAFETY: C gives a specification.
        from_spec(None, module, unsafe { &*spec }, bases)
    }
    fn PyType_FromMetaclass(
        metatype: Option<&PyTypeObject>, module: Option<&PyObject>, spec: *mut PyType_Spec, bases: Option<&PyObject>
    ) -> PyResult {
        // SAFETY: C gives a specification.
        from_spec(metatype, module, unsafe { &*spec }, bases)
    }
    fn PyType_GetSlot(ty: &PyTypeObject, slot: c_int) -> PyResult<*mut c_void> {
        slot_value(ty, slot).ok_or_else(bad_internal_call)
    }
    fn PyType_GetFlags(ty: &PyTypeObject) -> u64 { ty.tp_flags.get() }
    fn PyType_GetName(ty: &PyTypeObject) -> PyResult { ty.as_object().get_attr(identifier!("__name__")) }
    fn PyType_GetQualName(ty: &PyTypeObject) -> PyResult { ty.as_object().get_attr(identifier!("__qualname__")) }
    fn PyType_GetModuleName(ty: &PyTypeObject) -> PyResult { ty.as_object().get_attr(identifier!("__module__")) }
    fn PyType_GetFullyQualifiedName(ty: &PyTypeObject) -> PyResult<Ref<PyUnicodeObject>> {
        Ok(PyUnicodeObject::from_string(crate::unicode_format::fully_qualified_name(ty, ".")?))
    }
    fn _PyType_Name(ty: &PyTypeObject) -> *const c_char {
        // SAFETY: a type has a terminated name.
        let name = unsafe { CStr::from_ptr(ty.tp_name.get()) }.to_bytes_with_nul();
        name.iter().rposition(|byte| *byte == b'.').map_or(name, |dot| &name[dot + 1..]).as_ptr().cast()
    }
    fn PyType_GetModule(ty: &PyTypeObject) -> PyResult<Borrowed> { module_of(ty).map(Borrowed::from) }
    fn PyType_GetModuleState(ty: &PyTypeObject) -> PyResult<*mut c_void> { Ok(crate::moduleobject::state_of(module_of(ty)?)) }
    fn PyType_GetModuleByDef(ty: &PyTypeObject, def: *mut PyModuleDef) -> PyResult<Borrowed> {
        module_by_def(ty, def).map(Borrowed::from).ok_or_else(|| {
            raise!(TypeError, "PyType_GetModuleByDef: No superclass of '{}' has the given module", ty.name())
        })
    }
    fn _PyType_GetModuleByDef2(left: &PyTypeObject, right: &PyTypeObject, def: *mut PyModuleDef) -> PyResult<Borrowed> {
        module_by_def(left, def).or_else(|| module_by_def(right, def)).map(Borrowed::from).ok_or_else(|| {
            raise!(TypeError, "PyType_GetModuleByDef: No superclass of '{}' nor '{}' has the given module", left.name(), right.name())
        })
    }
    fn PyType_GetBaseByToken(ty: &PyObject, token: *const c_void, result: OutRef) -> PyResult<bool> {
        let Some(ty) = ty.downcast::<PyTypeObject>() else {
            return Err(raise!(TypeError, "expected a type, got a '{}' object", ty.ty().name()));
        };
        if token.is_null() {
            return Err(raise!(SystemError, "PyType_GetBaseByToken called with token=NULL"));
        }
        let has_token = |class: &PyTypeObject| heap_type(class).is_some_and(|heap| heap.ht_token.get().cast_const() == token);
        let found = if ty.mro().is_some() { mro_types(ty).find(|class| has_token(class)) } else { base_where(ty, &has_token) };
        if let Some(class) = found && !result.0.is_null() {
            // SAFETY: C gives a place.
            unsafe { put(result.0, class.as_object().to_ref().into_raw()) };
        }
        Ok(found.is_some())
    }
    fn PyType_GetTypeDataSize(ty: &PyTypeObject) -> PyResult<isize> {
        // SAFETY: a type's base lives as long as the type.
        let base_size = unsafe { ty.tp_base.get().as_ref() }.map_or(0, |base| base.tp_basicsize.get());
        Ok((ty.tp_basicsize.get() - align(base_size)).max(0))
    }
    fn PyType_GetDict(ty: &PyTypeObject) -> Option<Ref> { ty.dict().map(|dict| dict.to_object()) }
    fn PyType_Modified(ty: &PyTypeObject) -> Void { types::modified(ty); Void }
    fn PyType_ClearCache() -> c_uint { 0 }
    fn PyType_Freeze(ty: &PyTypeObject) -> PyResult<()> {
        if let Some(base) = mro_types(ty).skip(1).find(|base| !base.has_flag(Py_TPFLAGS_IMMUTABLETYPE)) {
            return Err(raise!(
                TypeError, "Creating immutable type {} from mutable base {}", ty.name(), base.name()
            ));
        }
        ty.set_flag(Py_TPFLAGS_IMMUTABLETYPE);
        types::modified(ty);
        Ok(())
    }
    fn PyUnstable_Type_AssignVersionTag(ty: &PyTypeObject) -> bool { types::assign_version(ty) }
    fn _PyType_CalculateMetaclass(metatype: &PyTypeObject, bases: &PyTupleObject) -> PyResult<Borrowed> {
        // One of the metatypes given: the bases keep it.
        Ok(Borrowed(type_new::calculate_metaclass(metatype, bases)?.as_raw().cast()))
    }
}

// ---- without the guard of `capi!`: they cannot fail, and compiled code calls them all the time ----

/// # Safety
/// Both are live types.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyType_IsSubtype(ty: *mut PyTypeObject, base: *mut PyTypeObject) -> c_int {
    // SAFETY: the caller's contract.
    c_int::from(unsafe { (*ty).is_subtype(&*base) })
}
/// # Safety
/// `ty` is a live type, `name` a str. The result is borrowed from the type that has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyType_Lookup(ty: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { (*ty).lookup((*name).cast_unchecked()) }.map_or(std::ptr::null_mut(), PyObject::as_ptr)
}
/// # Safety
/// As `_PyType_Lookup`; the result is a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyType_LookupRef(ty: *mut PyTypeObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { (*ty).lookup((*name).cast_unchecked()) }
        .map_or(std::ptr::null_mut(), |found| found.to_ref().into_raw())
}

const _: () = assert!(offset_of!(PyHeapTypeObject, ht_type) == 0);
