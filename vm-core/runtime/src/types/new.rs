//! `type(name, bases, dict)`: picks the metaclass and the native base, lays out the slots, fills the heap type.

use super::super::{heap, lookup, ready, slotdefs, subclasses};
use super::{PyType_Type, add_dict_and_weakref_getsets};
use crate::memory;
use crate::objects::object::PyBaseObject_Type;
use crate::prelude::*;
use crate::protocol::from_slot;
use crate::types::typeobject;

/// The most derived metatype among `metatype` and those of the bases.
pub fn calculate_metaclass(metatype: &PyTypeObject, bases: &PyTupleObject) -> PyResult<Ref<PyTypeObject>> {
    let mut winner = metatype.to_ref();
    for base in bases.as_slice() {
        let candidate = base.ty();
        if winner.is_subtype(candidate) {
            continue;
        }
        if candidate.is_subtype(&winner) {
            winner = candidate.to_ref();
            continue;
        }
        return Err(raise!(
            TypeError,
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses \
             of all its bases"
        ));
    }
    Ok(winner)
}

/// The base in `ty`'s ancestry that adds something to the instance's layout.
pub fn solid_base(ty: &'static PyTypeObject) -> &'static PyTypeObject {
    let base = match ty.base() {
        Some(base) => solid_base(base),
        None => &PyBaseObject_Type,
    };
    if shape_differs(ty, base) { ty } else { base }
}

/// Whether `ty`'s instances have more than `base`'s. Dict and weak references of Python's classes are in front of the object and do
/// not count; a C class that has them among its fields has more.
fn shape_differs(ty: &PyTypeObject, base: &PyTypeObject) -> bool {
    ty.tp_itemsize.get() != base.tp_itemsize.get() || ty.tp_basicsize.get() != base.tp_basicsize.get()
}

/// The base whose layout the new class extends; all others must be compatible with it.
pub fn best_base(bases: &PyTupleObject) -> PyResult<&'static PyTypeObject> {
    let mut best: Option<(&'static PyTypeObject, &'static PyTypeObject)> = None;
    for base in bases.as_slice() {
        let Some(base) = base.downcast_type() else {
            return Err(raise!(TypeError, "bases must be types"));
        };
        // SAFETY: the class that is being made owns its bases.
        let base: &'static PyTypeObject = unsafe { &*(base as *const PyTypeObject) };
        if !base.has_flag(Py_TPFLAGS_READY | Py_TPFLAGS_READYING) {
            ready(base)?;
        }
        if !base.has_flag(Py_TPFLAGS_BASETYPE) {
            return Err(raise!(
                TypeError,
                "type '{}' is not an acceptable base type",
                base.full_name()
            ));
        }
        let candidate = solid_base(base);
        best = match best {
            None => Some((base, candidate)),
            Some((_, solid)) if solid.is_subtype(candidate) => best,
            Some((_, solid)) if candidate.is_subtype(solid) => Some((base, candidate)),
            Some(_) => {
                return Err(raise!(TypeError, "multiple bases have instance lay-out conflict"));
            }
        };
    }
    Ok(best.map_or(&PyBaseObject_Type, |(base, _)| base))
}

pub fn type_new(metatype: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
    let [name, bases, namespace] = args.as_slice() else {
        return Err(raise!(
            TypeError,
            "type.__new__() takes exactly 3 arguments ({} given)",
            args.len()
        ));
    };
    let argument = |at: usize, expected: &str, got: &PyObject| {
        raise!(
            TypeError,
            "type.__new__() argument {at} must be {expected}, not {}",
            got.ty().name()
        )
    };
    let Some(name) = name.downcast::<PyUnicodeObject>() else {
        return Err(argument(1, "str", name));
    };
    let Some(bases) = bases.downcast::<PyTupleObject>() else {
        return Err(argument(2, "tuple", bases));
    };
    let Some(namespace) = namespace.downcast::<PyDictObject>() else {
        return Err(argument(3, "dict", namespace));
    };
    for base in bases.as_slice() {
        if !PyTypeObject::check(base) && base.get_attr_opt(identifier!("__mro_entries__"))?.is_some() {
            return Err(raise!(
                TypeError,
                "type() doesn't support MRO entry resolution; use types.new_class()"
            ));
        }
    }
    let winner = calculate_metaclass(metatype, bases)?;
    if !std::ptr::eq(&*winner, metatype)
        && winner.tp_new.get().map(|new| new as usize) != PyType_Type.tp_new.get().map(|new| new as usize)
    {
        let Some(new) = winner.tp_new.get() else {
            return Err(raise!(TypeError, "cannot create '{}' instances", winner.name()));
        };
        let kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        // SAFETY: the metatype's own slot.
        return unsafe { from_slot(new(winner.as_raw(), args.as_ptr(), kwargs), "__new__") };
    }
    let bases = if bases.len() == 0 {
        PyTupleObject::from_slice(&[PyBaseObject_Type.as_object()])
    } else {
        bases.to_ref()
    };
    let base = best_base(&bases)?;
    let class = new_class(&winner, name, &bases, base, namespace)?;
    set_names(&class)?;
    init_subclass(&class, kwargs)?;
    Ok(class.into_object())
}

/// What `__slots__` asks for.
struct Slots {
    /// Mangled, sorted names.
    names: Vec<Ref<PyUnicodeObject>>,
    add_dict: bool,
    add_weakref: bool,
    declared: Option<Ref<PyTupleObject>>,
}

fn read_slots(
    name: &PyUnicodeObject,
    bases: &PyTupleObject,
    base: &PyTypeObject,
    dict: &PyDictObject,
) -> PyResult<Slots> {
    let may_add_dict = base.tp_dictoffset.get() == 0;
    let may_add_weakref = base.tp_weaklistoffset.get() == 0 && base.tp_itemsize.get() == 0;
    let Some(declared) = dict.get_str(identifier!("__slots__")) else {
        return Ok(Slots {
            names: Vec::new(),
            add_dict: may_add_dict,
            add_weakref: may_add_weakref,
            declared: None,
        });
    };
    let declared = if PyUnicodeObject::check(&declared) {
        PyTupleObject::from_vec(vec![declared])
    } else {
        declared.to_tuple()?
    };
    if declared.len() > 0 && base.tp_itemsize.get() != 0 {
        return Err(raise!(
            TypeError,
            "nonempty __slots__ not supported for subtype of '{}'",
            base.name()
        ));
    }
    let mut slots = Slots {
        names: Vec::new(),
        add_dict: false,
        add_weakref: false,
        declared: None,
    };
    for slot in declared.as_slice() {
        let Some(slot) = slot.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "__slots__ items must be strings, not '{}'",
                slot.ty().name()
            ));
        };
        if !slot.is_identifier() {
            return Err(raise!(TypeError, "__slots__ must be identifiers"));
        }
        if slot.eq_str("__dict__") {
            if !may_add_dict || slots.add_dict {
                return Err(raise!(TypeError, "__dict__ slot disallowed: we already got one"));
            }
            slots.add_dict = true;
            continue;
        }
        if slot.eq_str("__weakref__") {
            if !may_add_weakref || slots.add_weakref {
                return Err(raise!(
                    TypeError,
                    "__weakref__ slot disallowed: we already got one"
                ));
            }
            slots.add_weakref = true;
            continue;
        }
        let mangled = mangle(name, slot);
        if dict.get_str(&mangled).is_some()
            && !slot.eq_str("__qualname__")
            && !slot.eq_str("__classcell__")
            && !slot.eq_str("__classdictcell__")
        {
            return Err(raise!(
                ValueError,
                "{} in __slots__ conflicts with class variable",
                slot.as_object().repr()?.to_string_lossy()
            ));
        }
        slots.names.push(mangled);
    }
    slots.names.sort_by(|a, b| a.compare(b));
    if bases.len() > 1 {
        // A base beside the first may bring a dict or weak references.
        for other in bases.as_slice() {
            let Some(other) = other.downcast_type() else {
                continue;
            };
            if std::ptr::eq(other, base) {
                continue;
            }
            slots.add_dict |= may_add_dict && other.tp_dictoffset.get() != 0;
            slots.add_weakref |= may_add_weakref && other.tp_weaklistoffset.get() != 0;
        }
    }
    // Sorted, so that classes with the same slots are known to be alike.
    if !slots.names.is_empty() {
        let sorted = slots.names.iter().map(|name| name.to_object());
        slots.declared = Some(PyTupleObject::from_vec(sorted.collect()));
    }
    Ok(slots)
}

/// `__x` in class `C` as `_C__x`.
fn mangle(class: &PyUnicodeObject, name: &PyUnicodeObject) -> Ref<PyUnicodeObject> {
    let (class_text, text) = (class.to_string_lossy(), name.to_string_lossy());
    let class_text = class_text.trim_start_matches('_');
    let interned = |text: &str| PyUnicodeObject::intern(PyUnicodeObject::from_str(text));
    if !text.starts_with("__") || text.ends_with("__") || text.contains('.') || class_text.is_empty() {
        return interned(&text);
    }
    interned(&format!("_{class_text}{text}"))
}

/// Copies text into memory that the type owns.
fn owned_c_string(text: &[u8]) -> PyResult<*mut c_char> {
    let copy = memory::raw_malloc(text.len() + 1).cast::<u8>();
    if copy.is_null() {
        return Err(memory::no_memory());
    }
    // SAFETY: the block has room for the text and its end.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        *copy.add(text.len()) = 0;
    }
    Ok(copy.cast())
}

fn new_class(
    metatype: &PyTypeObject,
    name: &PyUnicodeObject,
    bases: &Ref<PyTupleObject>,
    base: &PyTypeObject,
    namespace: &PyDictObject,
) -> PyResult<Ref<PyTypeObject>> {
    let name_text = name.to_str()?;
    if name_text.contains('\0') {
        return Err(raise!(ValueError, "type name must not contain null characters"));
    }
    let dict = if PyDictObject::check_exact(namespace.as_object()) {
        namespace.copy()?
    } else {
        // In the order that a subclass gives its items.
        let dict = PyDictObject::new();
        dict.update(namespace.as_object())?;
        dict
    };
    let slots = read_slots(name, bases, base, &dict)?;
    let alloc = metatype.tp_alloc.get().unwrap_or(heap::generic_alloc);
    // SAFETY: the metatype's allocator; its instances begin with a heap type.
    let class: Ref<PyTypeObject> = unsafe {
        let object = alloc(
            (metatype as *const PyTypeObject).cast_mut(),
            slots.names.len() as isize,
        );
        from_slot(object, "tp_alloc")?.cast()
    };
    class
        .tp_flags
        .set(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE);
    // SAFETY: as above.
    let heap_type = unsafe { class.as_object().cast_unchecked::<PyHeapTypeObject>() };
    set_suites(&class, heap_type);
    heap_type
        .ht_name
        .set(PyUnicodeObject::intern(name.to_ref()).into_object_raw());
    heap_type._ht_tpname.set(owned_c_string(name_text.as_bytes())?);
    class.tp_name.set(heap_type._ht_tpname.get());
    class.tp_bases.set(bases.clone().into_object_raw());
    base.as_object().incref();
    class.tp_base.set((base as *const PyTypeObject).cast_mut());
    class.tp_dict.set(dict.clone().into_object_raw());
    class.tp_dealloc.set(Some(heap::subtype_dealloc));
    class.tp_alloc.set(Some(heap::generic_alloc));
    class.tp_free.set(Some(heap::object_free));
    lay_out(&class, base, slots)?;
    fill_dict(&class, heap_type, name, &dict)?;
    give_cell(&dict, identifier!("__classcell__"), class.as_object())?;
    give_cell(&dict, identifier!("__classdictcell__"), dict.as_object())?;
    ready(&class)?;
    warn_of_strange_keys(&class, &dict)?;
    // SAFETY: only borrowed for the call; the class is alive.
    give_shared_keys(unsafe { &*class.as_raw() }, heap_type);
    set_attribute_access(&class);
    slotdefs::fix_up_slots(&class);
    lookup::modified(&class);
    Ok(class)
}

/// Instances of a class that adds a dict to `object` keep their attributes inline, described by keys of the class.
fn give_shared_keys(class: &'static PyTypeObject, heap_type: &PyHeapTypeObject) {
    let is_plain =
        std::ptr::eq(heap::native_base(class), &crate::PyBaseObject_Type) && class.tp_itemsize.get() == 0;
    if is_plain && class.has_flag(Py_TPFLAGS_MANAGED_DICT) {
        crate::objects::dictobject::instance::init_shared_keys(heap_type);
    }
}

/// Points the suites of a heap type at those inside it.
pub fn set_suites(class: &PyTypeObject, heap_type: &PyHeapTypeObject) {
    class.tp_as_async.set((&raw const heap_type.as_async).cast_mut());
    class
        .tp_as_number
        .set((&raw const heap_type.as_number).cast_mut());
    class
        .tp_as_sequence
        .set((&raw const heap_type.as_sequence).cast_mut());
    class
        .tp_as_mapping
        .set((&raw const heap_type.as_mapping).cast_mut());
    class
        .tp_as_buffer
        .set((&raw const heap_type.as_buffer).cast_mut());
}

/// Sizes, offsets and member rows; GC support.
fn lay_out(class: &Ref<PyTypeObject>, base: &PyTypeObject, slots: Slots) -> PyResult<()> {
    let mut offset = base.tp_basicsize.get();
    let rows = heap::item_data(class);
    for (at, name) in slots.names.iter().enumerate() {
        // SAFETY: the type was allocated with a row for each name; the names are interned and owned by `ht_slots`.
        unsafe {
            let row = &*rows.add(at);
            // The text of a string ends in a zero byte.
            row.name.set(name.to_str()?.as_ptr().cast());
            row.r#type.set(Py_T_OBJECT_EX);
            row.offset.set(offset);
        }
        offset += size_of::<*mut PyObject>() as isize;
    }
    if !slots.names.is_empty() {
        class.tp_members.set(rows);
    }
    class.tp_basicsize.set(offset);
    class.tp_itemsize.set(base.tp_itemsize.get());
    class.tp_dictoffset.set(base.tp_dictoffset.get());
    class.tp_weaklistoffset.set(base.tp_weaklistoffset.get());
    if slots.add_dict {
        class.set_flag(Py_TPFLAGS_MANAGED_DICT);
        class.tp_dictoffset.set(-1);
    }
    if slots.add_weakref {
        class.set_flag(Py_TPFLAGS_MANAGED_WEAKREF);
        class.tp_weaklistoffset.set(memory::MANAGED_WEAKREF_OFFSET);
    }
    class.set_flag(base.tp_flags.get() & Py_TPFLAGS_PREHEADER);
    // Every instance refers to its class at least.
    class.set_flag(Py_TPFLAGS_HAVE_GC);
    class.tp_traverse.set(Some(heap::subtype_traverse));
    class.tp_clear.set(Some(heap::subtype_clear));
    let heap_type = class.as_heap().expect("it is one");
    if let Some(declared) = slots.declared {
        heap_type.ht_slots.set(declared.into_object_raw());
    }
    let has_dict = slots.add_dict;
    let has_weakref = slots.add_weakref;
    add_dict_and_weakref_getsets(class, has_dict, has_weakref)
}

fn fill_dict(
    class: &Ref<PyTypeObject>,
    heap_type: &PyHeapTypeObject,
    name: &PyUnicodeObject,
    dict: &PyDictObject,
) -> PyResult<()> {
    if dict.get_str(identifier!("__module__")).is_none()
        && let Some(module) =
            crate::hooks::current_globals().and_then(|globals| globals.get_str(identifier!("__name__")))
    {
        dict.set_str(identifier!("__module__"), &module)?;
    }
    match dict.pop(identifier!("__qualname__").as_object())? {
        Some(qualname) if PyUnicodeObject::check(&qualname) => heap_type.ht_qualname.set(qualname.into_raw()),
        Some(other) => {
            return Err(raise!(
                TypeError,
                "type __qualname__ must be a str, not {}",
                other.ty().name()
            ));
        }
        None => heap_type.ht_qualname.set(name.to_ref().into_object_raw()),
    }
    if let Some(doc) = dict.get_str(identifier!("__doc__"))
        && let Some(doc) = doc.downcast::<PyUnicodeObject>().ok()
    {
        // C sees it up to the first null character.
        let text = doc.to_str()?;
        let text = text.split('\0').next().unwrap_or_default();
        class.tp_doc.set(owned_c_string(text.as_bytes())?);
    }
    let is_function = |object: &Ref| crate::objects::funcobject::is_python_function(object);
    if let Some(new) = dict.get_str(identifier!("__new__")).filter(is_function) {
        dict.set_str(
            identifier!("__new__"),
            &*crate::objects::funcobject::new_staticmethod(&new)?,
        )?;
    }
    for method in [identifier!("__init_subclass__"), identifier!("__class_getitem__")] {
        if let Some(function) = dict.get_str(method).filter(is_function) {
            dict.set_str(method, &*crate::objects::funcobject::new_classmethod(&function)?)?;
        }
    }
    Ok(())
}

/// Classes get generic attribute access unless a base has something else.
fn set_attribute_access(class: &PyTypeObject) {
    use crate::protocol::attributes::{generic_get_attr_slot, generic_set_attr_slot};
    if class.tp_getattro.get().is_none() && class.tp_getattr.get().is_none() {
        class.tp_getattro.set(Some(generic_get_attr_slot));
    }
    if class.tp_setattro.get().is_none() && class.tp_setattr.get().is_none() {
        class.tp_setattro.set(Some(generic_set_attr_slot));
    }
}

/// Stores the class (or its namespace) in the cell that the class body left.
fn give_cell(dict: &PyDictObject, name: &PyUnicodeObject, value: &PyObject) -> PyResult<()> {
    let Some(cell) = dict.get_str(name) else {
        return Ok(());
    };
    let Some(cell) = cell.downcast_exact::<PyCellObject>() else {
        return Err(raise!(
            TypeError,
            "{} must be a nonlocal cell, not {}",
            name.to_string_lossy(),
            cell.as_object().repr()?.to_string_lossy()
        ));
    };
    cell.set(Some(value.to_ref()));
    dict.remove(name.as_object())?;
    Ok(())
}

/// Attributes are found by strings: other keys are most likely a mistake.
fn warn_of_strange_keys(class: &PyTypeObject, dict: &PyDictObject) -> PyResult<()> {
    let mut position = 0;
    while let Some((key, _, _)) = dict.next_entry(&mut position) {
        if !PyUnicodeObject::check(key) {
            let message = format!("non-string key in the __dict__ of class {}", class.name());
            return crate::hooks::warn(crate::exceptions::exc::RuntimeWarning, &message, 1);
        }
    }
    Ok(())
}

/// Calls `__set_name__` of everything in the class's namespace.
fn set_names(class: &Ref<PyTypeObject>) -> PyResult<()> {
    let dict = class.dict().expect("a class has a dict").copy()?;
    let mut position = 0;
    while let Some((name, value, _)) = dict.next_entry(&mut position) {
        let (name, value) = (name.to_ref(), value.to_ref());
        let Some(method) = value.lookup_special(identifier!("__set_name__"))? else {
            continue;
        };
        if let Err(raised) = method.call(&[class.as_object(), &name]) {
            let exception = raised.take();
            let note = format!(
                "Error calling __set_name__ on '{}' instance {} in '{}'",
                value.ty().name(),
                name.repr()?.to_string_lossy(),
                class.name()
            );
            crate::exceptions::add_note(&exception, &note)?;
            return Err(crate::error::restore(exception));
        }
    }
    Ok(())
}

/// `super(class, class).__init_subclass__(**kwargs)`.
fn init_subclass(class: &Ref<PyTypeObject>, kwargs: Option<&PyDictObject>) -> PyResult<()> {
    let function =
        crate::objects::superobject::lookup(class, class.as_object(), identifier!("__init_subclass__"))?;
    function.call_tuple(&PyTupleObject::empty(), kwargs)?;
    Ok(())
}

/// `cls.__name__ = name`.
pub fn set_type_name(ty: &PyTypeObject, name: &PyUnicodeObject) -> PyResult<()> {
    let text = name.to_str()?;
    if text.contains('\0') {
        return Err(raise!(ValueError, "type name must not contain null characters"));
    }
    let Some(heap_type) = ty.as_heap() else {
        return Ok(());
    };
    let copy = owned_c_string(text.as_bytes())?;
    let old = heap_type._ht_tpname.replace(copy);
    ty.tp_name.set(copy);
    let old_name = heap_type.ht_name.replace(name.to_ref().into_object_raw());
    // SAFETY: the type owned both.
    unsafe {
        memory::raw_free(old.cast());
        memory::xdecref(old_name);
    }
    lookup::modified(ty);
    Ok(())
}

/// `cls.__bases__ = bases`.
pub fn assign_bases(ty: &PyTypeObject, value: &PyObject) -> PyResult<()> {
    let Some(bases) = value.downcast::<PyTupleObject>() else {
        return Err(raise!(
            TypeError,
            "can only assign tuple to {}.__bases__, not {}",
            ty.name(),
            value.ty().name()
        ));
    };
    if bases.len() == 0 {
        return Err(raise!(
            TypeError,
            "can only assign non-empty tuple to {}.__bases__, not ()",
            ty.name()
        ));
    }
    for base in bases.as_slice() {
        let Some(base) = base.downcast_type() else {
            return Err(raise!(
                TypeError,
                "{}.__bases__ must be tuple of classes, not '{}'",
                ty.name(),
                base.ty().name()
            ));
        };
        if base.is_subtype(ty) || base.mro().is_some() && is_on_base_chain(base, ty) {
            return Err(raise!(TypeError, "a __bases__ item causes an inheritance cycle"));
        }
    }
    let new_base = best_base(bases)?;
    if let Some(old_base) = ty.base() {
        compatible_layout(old_base, new_base, "__bases__")?;
    }
    let bases = bases.to_ref();
    // SAFETY: null or the type's base; both old ones are kept here until the end.
    let old_base = unsafe { Ref::from_owned_opt(ty.tp_base.replace(new_base.to_ref().into_raw())) };
    // SAFETY: as above.
    let old_bases: Option<Ref<PyTupleObject>> =
        unsafe { Ref::from_owned_opt(ty.tp_bases.replace(bases.clone().into_object_raw()).cast()) };
    let mut changed = Vec::new();
    if let Err(raised) = recompute_mros(ty, &mut changed) {
        let exception = raised.take();
        for (class, new, old) in changed {
            // What a `mro()` method has computed since then stays.
            if class.tp_mro.get() == new.as_ptr() {
                typeobject::set_mro(&class, old);
            }
        }
        if ty.tp_bases.get() == bases.as_ptr() {
            let dropped = ty
                .tp_bases
                .replace(old_bases.map_or(std::ptr::null_mut(), Ref::into_object_raw));
            let dropped_base = ty
                .tp_base
                .replace(old_base.map_or(std::ptr::null_mut(), Ref::into_raw));
            // SAFETY: the type owned both, for the time of the attempt.
            unsafe {
                memory::xdecref(dropped);
                memory::xdecref(dropped_base.cast());
            }
        }
        return Err(crate::error::restore(exception));
    }
    // A `mro()` method may have given the type other bases, and seen to the rest.
    if ty.tp_bases.get() != bases.as_ptr() {
        return Ok(());
    }
    for base in old_bases.iter().flat_map(|bases| bases.as_slice()) {
        if let Some(base) = base.downcast_type() {
            subclasses::remove(base, ty);
        }
    }
    for base in bases.as_slice() {
        if let Some(base) = base.downcast_type() {
            subclasses::add(base, ty);
        }
    }
    let kind = slotdefs::descriptor_kind(ty);
    refresh_slots(ty);
    if slotdefs::descriptor_kind(ty) != kind {
        lookup::descriptors_changed();
    }
    Ok(())
}

fn is_on_base_chain(class: &PyTypeObject, wanted: &PyTypeObject) -> bool {
    let mut base = class.base();
    while let Some(class) = base {
        if std::ptr::eq(class, wanted) {
            return true;
        }
        base = class.base();
    }
    false
}

/// A class, its new MRO and its old one.
type ChangedMro = (Ref<PyTypeObject>, Ref<PyTupleObject>, Ref<PyTupleObject>);

/// Computes the MROs of a class and of those below it; `changed` tells what to undo.
fn recompute_mros(ty: &PyTypeObject, changed: &mut Vec<ChangedMro>) -> PyResult<()> {
    let old = ty.mro().map(|mro| mro.to_ref());
    if !typeobject::compute_mro(ty)? {
        return Ok(());
    }
    if let (Some(new), Some(old)) = (ty.mro(), old) {
        changed.push((ty.to_ref(), new.to_ref(), old));
    }
    for subclass in subclasses::of(ty) {
        recompute_mros(&subclass, changed)?;
    }
    Ok(())
}

fn refresh_slots(ty: &PyTypeObject) {
    lookup::modified(ty);
    slotdefs::fix_up_slots(ty);
    for subclass in subclasses::of(ty) {
        refresh_slots(&subclass);
    }
}

/// Whether instances of `old` may become instances of `new` (`__class__` and `__bases__` assignment).
pub fn compatible_layout(old: &'static PyTypeObject, new: &'static PyTypeObject, what: &str) -> PyResult<()> {
    let free = |ty: &PyTypeObject| ty.tp_free.get().map(|function| function as usize);
    if free(old) != free(new) {
        return Err(raise!(
            TypeError,
            "{what} assignment: '{}' deallocator differs from '{}'",
            new.name(),
            old.name()
        ));
    }
    // Classes that add nothing to their base are as good as that.
    let (mut newer, mut older) = (new, old);
    while let Some(base) = newer.base().filter(|base| adds_nothing(newer, base)) {
        newer = base;
    }
    while let Some(base) = older.base().filter(|base| adds_nothing(older, base)) {
        older = base;
    }
    let same_shape = std::ptr::eq(newer, older)
        || (newer.tp_base.get() == older.tp_base.get()
            && same_slots_added(newer, older)
            && newer.tp_basicsize.get() == older.tp_basicsize.get());
    let same_header = old.tp_flags.get() & Py_TPFLAGS_PREHEADER == new.tp_flags.get() & Py_TPFLAGS_PREHEADER
        && old.is_gc() == new.is_gc()
        && (!new.has_flag(Py_TPFLAGS_INLINE_VALUES) || old.has_flag(Py_TPFLAGS_INLINE_VALUES))
        && old.tp_dictoffset.get() == new.tp_dictoffset.get()
        && old.tp_weaklistoffset.get() == new.tp_weaklistoffset.get();
    if !same_shape || !(same_header || what == "__bases__") {
        return Err(raise!(
            TypeError,
            "{what} assignment: '{}' object layout differs from '{}'",
            new.name(),
            old.name()
        ));
    }
    Ok(())
}

/// Whether instances of a class are laid out like its base's.
fn adds_nothing(class: &PyTypeObject, base: &PyTypeObject) -> bool {
    class.tp_basicsize.get() == base.tp_basicsize.get()
        && class.tp_itemsize.get() == base.tp_itemsize.get()
        && class.tp_dictoffset.get() == base.tp_dictoffset.get()
        && class.tp_weaklistoffset.get() == base.tp_weaklistoffset.get()
        && class.is_gc() == base.is_gc()
}

/// Whether two classes add the same `__slots__` to the same base.
fn same_slots_added(a: &PyTypeObject, b: &PyTypeObject) -> bool {
    let (Some(a), Some(b)) = (a.as_heap(), b.as_heap()) else {
        return false;
    };
    // SAFETY: tuples or null, owned by the types.
    let (a, b) = unsafe {
        (
            a.ht_slots.get().cast::<PyTupleObject>().as_ref(),
            b.ht_slots.get().cast::<PyTupleObject>().as_ref(),
        )
    };
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.as_object().eq(b.as_object()).unwrap_or_else(|raised| {
            raised.clear();
            false
        }),
        _ => false,
    }
}
