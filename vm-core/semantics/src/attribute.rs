//! Attributes: values inline in instances, `__slots__`, what the type has, entries of a module's dict.
//!
//! Versions, offsets and numbers come from the instruction's cache. A value that is read is borrowed.

use crate::dict;
use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyHeapTypeObject, PyModuleObject, PyObject, PyTypeObject};
use adder_runtime::memory::MANAGED_DICT_OFFSET;
use adder_runtime::object::TypedObject;
use adder_runtime::objects::dictobject::keys::DictKeys;
use adder_runtime::objects::dictobject::values::DictValues;
use std::mem::offset_of;

/// Where the managed dict is, as an offset from the object.
const MANAGED_DICT: usize = MANAGED_DICT_OFFSET as usize;

#[inline(always)]
fn guard_valid_values<M: Machine>(m: &mut M, object: M::Obj, values: usize) -> Fast<()> {
    let valid = m.load_u8(object, values + offset_of!(DictValues, valid));
    let zero = m.int(0);
    let is_valid = m.int_compare(Cmp::Ne, valid, zero);
    m.guard(is_valid)
}

/// Value `index` of the inline values, which are at the offset `values` of the instance.
#[inline(always)]
pub fn inline_value<M: Machine>(
    m: &mut M,
    object: M::Obj,
    version: u32,
    values: usize,
    index: usize,
) -> Fast<M::Obj> {
    m.guard_version(object, version)?;
    guard_valid_values(m, object, values)?;
    let value = m.load_nullable(object, values + DictValues::VALUES_OFFSET + 8 * index);
    m.guard_not_null(value)?;
    Ok(value)
}

/// Stores (its own count of) `value` among the inline values, where no `__dict__` shares them.
#[inline(always)]
pub fn store_inline_value<M: Machine>(
    m: &mut M,
    object: M::Obj,
    version: u32,
    values: usize,
    index: usize,
    value: M::Obj,
) -> Fast<()> {
    m.guard_version(object, version)?;
    guard_valid_values(m, object, values)?;
    let zero = m.int(0);
    let dict = m.load_field(object, MANAGED_DICT);
    let no_dict = m.int_compare(Cmp::Eq, dict, zero);
    m.guard(no_dict)?;
    let place = values + DictValues::VALUES_OFFSET + 8 * index;
    let old = m.load_nullable(object, place);
    let replaces = m.guard_not_null(old).is_ok();
    m.incref(value);
    m.store_object(object, place, value);
    if replaces {
        m.decref(old);
    } else {
        // The order of insertion is a list of numbers behind the values.
        let capacity = m.load_u8(object, values + offset_of!(DictValues, capacity));
        let size = m.load_u8(object, values + offset_of!(DictValues, size));
        let (one, three) = (m.int(1), m.int(3));
        let list = m.field_address(object, values + DictValues::VALUES_OFFSET);
        let n_bytes = m.int_lshift(capacity, three);
        let list = m.int_add_ovf(list, n_bytes)?;
        let end = m.int_add_ovf(list, size)?;
        let number = m.int(index as i64);
        m.raw_store_u8(end, 0, number);
        let size = m.int_add_ovf(size, one)?;
        m.store_u8(object, values + offset_of!(DictValues, size), size);
    }
    Ok(())
}

/// A member of `__slots__`.
#[inline(always)]
pub fn slot_value<M: Machine>(m: &mut M, object: M::Obj, version: u32, offset: usize) -> Fast<M::Obj> {
    m.guard_version(object, version)?;
    let value = m.load_nullable(object, offset);
    m.guard_not_null(value)?;
    Ok(value)
}

#[inline(always)]
pub fn store_slot<M: Machine>(
    m: &mut M,
    object: M::Obj,
    version: u32,
    offset: usize,
    value: M::Obj,
) -> Fast<()> {
    m.guard_version(object, version)?;
    let old = m.load_nullable(object, offset);
    let replaces = m.guard_not_null(old).is_ok();
    m.incref(value);
    m.store_object(object, offset, value);
    if replaces {
        m.decref(old);
    }
    Ok(())
}

/// An attribute of one class: the object must be that class, unchanged.
#[inline(always)]
pub fn class_value<M: Machine>(
    m: &mut M,
    object: M::Obj,
    class: *mut PyObject,
    version: u32,
    value: *mut PyObject,
) -> Fast<M::Obj> {
    let class = m.constant(class);
    let same = m.is(object, class);
    m.guard(same)?;
    let found = m.load_u32(object, offset_of!(PyTypeObject, tp_version_tag));
    let version = m.version(version);
    let unchanged = m.int_compare(Cmp::Eq, found, version);
    m.guard(unchanged)?;
    Ok(m.constant(value))
}

/// Why an instance has no attribute of its own with the name.
#[derive(Clone, Copy)]
pub enum Own {
    /// It has no place for one.
    Never,
    /// The keys that its class shares, in this version, do not have the name.
    Keys(u32),
}

/// What the type has, unless the instance hides it: a method, or a plain value.
#[inline(always)]
pub fn type_value<M: Machine>(
    m: &mut M,
    object: M::Obj,
    version: u32,
    own: Own,
    value: *mut PyObject,
) -> Fast<M::Obj> {
    m.guard_version(object, version)?;
    if let Own::Keys(keys_version) = own {
        let ty = m.load_object(object, offset_of!(PyObject, ob_type));
        let zero = m.int(0);
        // The inline values follow the object.
        let values = m.load_field(ty, offset_of!(PyTypeObject, tp_basicsize));
        let address = m.field_address(object, 0);
        let values = m.int_add_ovf(address, values)?;
        let valid = m.raw_load_u8(values, offset_of!(DictValues, valid));
        let is_valid = m.int_compare(Cmp::Ne, valid, zero);
        m.guard(is_valid)?;
        let keys = m.load_field(ty, offset_of!(PyHeapTypeObject, ht_cached_keys));
        let found = m.raw_load_u32(keys, offset_of!(DictKeys, version));
        let keys_version = m.version(keys_version);
        let unchanged = m.int_compare(Cmp::Eq, found, keys_version);
        m.guard(unchanged)?;
    }
    Ok(m.constant(value))
}

/// Entry `index` of a module's dict.
#[inline(always)]
pub fn module_value<M: Machine>(m: &mut M, module: M::Obj, version: u32, index: usize) -> Fast<M::Obj> {
    m.guard_type(module, PyModuleObject::type_object())?;
    let dict = m.load_object(module, offset_of!(PyModuleObject, md_dict));
    dict::entry_value(m, dict, version, index)
}
