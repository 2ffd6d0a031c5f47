//! Attributes of instances whose class shares keys: values inline after the object, a `__dict__` made on demand.
//!
//! A class with `Py_TPFLAGS_INLINE_VALUES` owns shared keys (`ht_cached_keys`). Each instance has room for their values
//! at `tp_basicsize`. While the values are valid, attributes are read and written there and the managed dict, if there
//! is one, is a split dict over the same memory. They become invalid when an attribute does not fit the shared keys;
//! from then on the managed dict alone has the attributes.

use super::keys::*;
use super::table::str_hash;
use super::values::DictValues;
use super::watch;
use crate::memory::{self, MANAGED_DICT_OFFSET};
use crate::prelude::*;
use std::cell::Cell;

/// Bytes after the basic size of an instance of `ty`, which has inline values.
#[inline]
pub fn inline_values_size(ty: &PyTypeObject) -> usize {
    DictValues::size_bytes(shared_keys(ty).shared_capacity())
}

/// Gives a new heap type shared keys. The compiler notes in `__static_attributes__` which attributes a class's methods
/// set; these and the bases' have their places from the start.
pub fn init_shared_keys(ty: &PyHeapTypeObject) {
    let mut names: Vec<Ref> = Vec::new();
    let mro = ty.ht_type.mro().map_or(&[][..], PyTupleObject::as_slice);
    for class in mro.iter().rev() {
        let Some(class) = class.downcast::<PyTypeObject>() else {
            continue;
        };
        let Some(declared) = class
            .dict()
            .and_then(|dict| dict.get_str(identifier!("__static_attributes__")))
        else {
            continue;
        };
        if let Some(declared) = (*declared).downcast::<PyTupleObject>() {
            names.extend(
                declared
                    .as_slice()
                    .iter()
                    .filter(|name| PyUnicodeObject::check_exact(name))
                    .map(|n| n.to_ref()),
            );
        }
    }
    let n_names = (0..names.len())
        .filter(|at| !names[..*at].iter().any(|earlier| earlier.is(&names[*at])))
        .count();
    let keys = DictKeys::new_for_class(n_names);
    if keys.is_null() {
        return;
    }
    for name in names {
        // SAFETY: fresh shared keys; an exact str, hashed first.
        unsafe {
            let hash = str_hash(name.cast_unchecked());
            if (*keys).shared_index(name.as_raw(), hash).is_none() {
                break;
            }
        }
    }
    ty.ht_cached_keys.set(keys.cast());
    ty.ht_type
        .tp_flags
        .set(ty.ht_type.tp_flags.get() | Py_TPFLAGS_INLINE_VALUES);
}

/// Takes the shared keys away from a dying heap type.
pub fn clear_shared_keys(ty: &PyHeapTypeObject) {
    let keys = ty.ht_cached_keys.replace(std::ptr::null_mut()).cast::<DictKeys>();
    if !keys.is_null() {
        // SAFETY: the type owned a share.
        unsafe { DictKeys::decref(keys) };
    }
}

/// The shared keys of a type with inline values.
#[inline(always)]
pub fn shared_keys(ty: &PyTypeObject) -> &DictKeys {
    debug_assert!(ty.tp_flags.get() & Py_TPFLAGS_INLINE_VALUES != 0);
    // SAFETY: only heap types have the flag, and with it they have keys.
    unsafe {
        &*(*(ty as *const PyTypeObject).cast::<PyHeapTypeObject>())
            .ht_cached_keys
            .get()
            .cast::<DictKeys>()
    }
}

/// The inline values of an instance whose type has them.
#[inline(always)]
pub fn inline_values(object: &PyObject) -> &DictValues {
    let offset = object.ty().tp_basicsize.get();
    // SAFETY: the type's allocation function leaves room at this offset.
    unsafe { &*object.as_ptr().byte_offset(offset).cast::<DictValues>() }
}

/// The inline values when the instance has them and they are valid.
#[inline(always)]
pub fn valid_inline_values(object: &PyObject) -> Option<&DictValues> {
    if object.ty().tp_flags.get() & Py_TPFLAGS_INLINE_VALUES == 0 {
        return None;
    }
    let values = inline_values(object);
    (values.valid.get() != 0).then_some(values)
}

/// Makes the zeroed memory after a new instance into empty values.
#[inline]
pub fn init_inline_values(object: &PyObject, ty: &PyTypeObject) {
    inline_values(object).init(shared_keys(ty).shared_capacity(), true);
}

/// Where an instance with a managed dict keeps it.
#[inline(always)]
pub fn managed_dict_slot(object: &PyObject) -> &Cell<*mut PyDictObject> {
    debug_assert!(object.ty().tp_flags.get() & Py_TPFLAGS_MANAGED_DICT != 0);
    // SAFETY: the flag says that the word is there.
    unsafe { &*object.as_ptr().byte_offset(MANAGED_DICT_OFFSET).cast() }
}

/// The `__dict__` of an instance with a managed dict, made now if it is not there.
pub fn managed_dict(object: &PyObject) -> Ref<PyDictObject> {
    let slot = managed_dict_slot(object);
    if slot.get().is_null() {
        let dict = match valid_inline_values(object) {
            Some(values) => {
                let keys = shared_keys(object.ty());
                keys.incref();
                PyDictObject::new_split(
                    (keys as *const DictKeys).cast_mut(),
                    (&raw const *values).cast_mut(),
                )
            }
            None => PyDictObject::new(),
        };
        slot.set(dict.into_raw());
    }
    // SAFETY: the slot owns a dict.
    unsafe { Ref::from_borrowed(slot.get()) }
}

/// Replaces the `__dict__` (by None: takes it away). The inline values are dropped.
pub fn set_managed_dict(object: &PyObject, dict: Option<Ref<PyDictObject>>) -> PyResult<()> {
    let slot = managed_dict_slot(object);
    let new = dict.map_or(std::ptr::null_mut(), Ref::into_raw);
    let Some(values) = valid_inline_values(object) else {
        let old = slot.replace(new);
        // SAFETY: the slot owned the old dict.
        unsafe { memory::xdecref(old.cast()) };
        return Ok(());
    };
    // SAFETY: null or the slot's dict, whose count is taken out.
    if let Some(old) = unsafe { Ref::from_owned_opt(slot.replace(new)) } {
        if let Err(raised) = detach(&old, values) {
            let new = slot.replace(old.into_raw());
            // SAFETY: the new dict's count was the slot's.
            unsafe { memory::xdecref(new.cast()) };
            return Err(raised);
        }
        return Ok(());
    }
    values.valid.set(0);
    values.clear();
    Ok(())
}

/// Moves the embedded values of an instance into its dict.
fn detach(dict: &PyDictObject, values: &DictValues) -> PyResult<()> {
    if std::ptr::eq(dict.ma_values.get().cast::<DictValues>(), values) {
        if dict.as_object().refcnt() == 1 {
            drop_embedded(dict, values);
            return Ok(());
        }
        dict.make_combined()?;
    }
    values.valid.set(0);
    Ok(())
}

/// Empties values and the dict over them, of which nobody else has a count.
fn drop_embedded(dict: &PyDictObject, values: &DictValues) {
    values.valid.set(0);
    dict.ma_used.set(0);
    let keys = dict.ma_keys.replace(empty_keys().cast()).cast();
    dict.ma_values.set(std::ptr::null_mut());
    values.clear();
    // SAFETY: the dict owned a share of the keys.
    unsafe { DictKeys::decref(keys) };
}

/// The entry number of an attribute in the shared keys of a type, for inline caches; it never changes.
#[inline]
pub fn shared_index_of(ty: &PyTypeObject, name: &PyUnicodeObject) -> Option<u32> {
    if ty.tp_flags.get() & Py_TPFLAGS_INLINE_VALUES == 0 || !PyUnicodeObject::check_exact(name.as_object()) {
        return None;
    }
    // SAFETY: an exact, hashed str in a table of such.
    u32::try_from(unsafe { shared_keys(ty).lookup_str(name.as_ptr(), str_hash(name)) }).ok()
}

/// An attribute of an instance with a managed dict; neither descriptors nor the type are asked.
#[inline]
pub fn get_attribute(object: &PyObject, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
    if let Some(values) = valid_inline_values(object)
        && PyUnicodeObject::check_exact(name.as_object())
    {
        // SAFETY: an exact, hashed str in a table of such; the values have room for each of its entries.
        unsafe {
            let ix = shared_keys(object.ty()).lookup_str(name.as_ptr(), str_hash(name));
            return Ok(if ix < 0 {
                None
            } else {
                Ref::from_borrowed_opt(values.value(ix).get())
            });
        }
    }
    // SAFETY: null or the slot's dict.
    match unsafe { Ref::from_borrowed_opt(managed_dict_slot(object).get()) } {
        Some(dict) => dict.get(name.as_object()),
        None if valid_inline_values(object).is_some() => managed_dict(object).get(name.as_object()),
        None => Ok(None),
    }
}

/// Sets (or, without a value, deletes) an attribute of an instance with a managed dict; false when there was nothing to
/// delete.
pub fn set_attribute(object: &PyObject, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<bool> {
    if let Some(values) = valid_inline_values(object)
        && PyUnicodeObject::check_exact(name.as_object())
        && let Some(done) = set_inline(object, values, name, value)
    {
        return Ok(done);
    }
    let dict = managed_dict(object);
    match value {
        Some(value) => dict.set(name.as_object(), value).map(|()| true),
        None => dict.remove(name.as_object()),
    }
}

/// The value of an attribute by its place (`CacheEntry::place_in`), null when the instance has it not; `None` unless it has inline
/// values.
#[inline(always)]
pub fn get_at_place(object: &PyObject, entry: &crate::types::lookup::CacheEntry) -> Option<*mut PyObject> {
    let values = valid_inline_values(object)?;
    let place = entry.place_in(object.ty());
    if place < 0 {
        return Some(std::ptr::null_mut());
    }
    // SAFETY: the values have room for each entry of the shared keys.
    Some(unsafe { values.value(place) }.get())
}

/// Replaces the value of an attribute by its place; false when the instance has no inline values or not this one, or somebody
/// watches its dict.
#[inline(always)]
pub fn replace_at_place(
    object: &PyObject,
    entry: &crate::types::lookup::CacheEntry,
    value: &PyObject,
) -> bool {
    let Some(values) = valid_inline_values(object) else {
        return false;
    };
    let place = entry.place_in(object.ty());
    // SAFETY: null or the slot's dict; nothing runs code while the borrow lasts.
    let dict = unsafe { managed_dict_slot(object).get().as_ref() };
    if place < 0 || dict.is_some_and(|dict| dict._ma_watcher_tag.get() & watch::WATCHER_MASK != 0) {
        return false;
    }
    // SAFETY: the values have room for each entry of the shared keys.
    let cell = unsafe { values.value(place) };
    if cell.get().is_null() {
        return false;
    }
    value.incref();
    // SAFETY: the values owned the old one.
    unsafe { memory::decref(cell.replace(value.as_ptr())) };
    true
}

/// `None` when the attribute does not fit the shared keys, or somebody watches the dict.
#[inline]
fn set_inline(
    object: &PyObject,
    values: &DictValues,
    name: &PyUnicodeObject,
    value: Option<&PyObject>,
) -> Option<bool> {
    // SAFETY: null or the slot's dict; nothing runs code while the borrow lasts.
    let dict = unsafe { managed_dict_slot(object).get().as_ref() };
    if dict.is_some_and(|dict| dict._ma_watcher_tag.get() & watch::WATCHER_MASK != 0) {
        return None;
    }
    let keys = shared_keys(object.ty());
    let hash = str_hash(name);
    // SAFETY: an exact, hashed str in a table of such; the values have room for each of its entries.
    unsafe {
        let ix = match value {
            Some(_) => keys.shared_index(name.as_ptr(), hash)?,
            None => match keys.lookup_str(name.as_ptr(), hash) {
                ix if ix >= 0 => ix,
                _ => return Some(false),
            },
        };
        let new = value.map_or(std::ptr::null_mut(), |value| value.to_ref().into_raw());
        let old = values.value(ix).replace(new);
        if old.is_null() && value.is_some() {
            values.push_order(ix);
        } else if !old.is_null() && value.is_none() {
            values.remove_order(ix);
        }
        if let Some(dict) = dict {
            dict.ma_used.set(isize::from(values.size.get()));
        }
        let existed = !old.is_null();
        memory::xdecref(old);
        Some(existed || value.is_some())
    }
}

/// Moves the attributes of an instance to its dict for good: its class is about to change.
pub fn leave_inline_values(object: &PyObject) -> PyResult<()> {
    if let Some(values) = valid_inline_values(object) {
        managed_dict(object).make_combined()?;
        values.valid.set(0);
    }
    Ok(())
}

/// `PyObject_VisitManagedDict`.
pub fn visit_managed_dict(object: &PyObject, visitor: &Visitor) -> c_int {
    if object.ty().tp_flags.get() & Py_TPFLAGS_MANAGED_DICT == 0 {
        return 0;
    }
    // A dict over inline values visits them: it may have become the `__dict__` of another object too.
    let dict = managed_dict_slot(object).get();
    match valid_inline_values(object) {
        Some(values) if dict.is_null() => values.traverse(visitor),
        _ => visitor.visit(dict),
    }
}

/// `PyObject_ClearManagedDict`: drops attributes and dict of an instance that is dying or being torn out of a cycle.
pub fn clear_managed_dict(object: &PyObject) {
    if object.ty().tp_flags.get() & Py_TPFLAGS_MANAGED_DICT == 0 {
        return;
    }
    let slot = managed_dict_slot(object);
    // SAFETY: the slot's count is moved out.
    let dict = unsafe { Ref::from_owned_opt(slot.replace(std::ptr::null_mut())) };
    match (valid_inline_values(object), dict) {
        (Some(values), None) => {
            values.valid.set(0);
            values.clear();
        }
        (Some(values), Some(dict)) => {
            if let Err(raised) = detach(&dict, values) {
                // Out of memory while others hold the dict: it becomes empty rather than dangling.
                drop_embedded(&dict, values);
                let context = "Exception ignored while clearing an object managed dict";
                crate::error::write_unraisable(raised, Some(context), None);
            }
        }
        (None, dict) => drop(dict),
    }
}

/// What `__dict__` is set to: a dict. Deleting it raises.
pub fn new_dict_of(value: Option<&PyObject>) -> PyResult<&PyDictObject> {
    match value {
        None => Err(raise!(TypeError, "cannot delete __dict__")),
        Some(value) => value.downcast::<PyDictObject>().ok_or_else(|| {
            let found = value.ty().full_name();
            raise!(TypeError, "__dict__ must be set to a dictionary, not a '{found}'")
        }),
    }
}
