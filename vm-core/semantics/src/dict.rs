//! Dicts: entries by the version of the keys (globals, built-ins, modules), items.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyDictObject, PyObject};
use adder_runtime::error::PyResult;
use adder_runtime::object::TypedObject;
use adder_runtime::objects::dictobject::api::key_error;
use adder_runtime::objects::dictobject::keys::{DictKeys, UnicodeEntry};
use std::mem::offset_of;

#[inline(always)]
fn guard_keys<M: Machine>(m: &mut M, dict: M::Obj, version: u32) -> Fast<M::Int> {
    let keys = m.load_field(dict, offset_of!(PyDictObject, ma_keys));
    let found = m.raw_load_u32(keys, offset_of!(DictKeys, version));
    let version = m.version(version);
    let unchanged = m.int_compare(Cmp::Eq, found, version);
    m.guard(unchanged)?;
    Ok(keys)
}

/// The value of entry `index` of a combined table of strings, whose set of keys has not changed; borrowed.
#[inline(always)]
pub fn entry_value<M: Machine>(m: &mut M, dict: M::Obj, version: u32, index: usize) -> Fast<M::Obj> {
    let keys = guard_keys(m, dict, version)?;
    // The entries follow the array of indices, which follows the head.
    let log2_index_bytes = m.raw_load_u8(keys, offset_of!(DictKeys, log2_index_bytes));
    let one = m.int(1);
    let index_bytes = m.int_lshift(one, log2_index_bytes);
    let entries = m.int_add_ovf(keys, index_bytes)?;
    let value = m.raw_load_object(
        entries,
        size_of::<DictKeys>() + size_of::<UnicodeEntry>() * index + offset_of!(UnicodeEntry, value),
    );
    m.guard_not_null(value)?;
    Ok(value)
}

/// A built-in that no global hides; borrowed.
#[inline(always)]
pub fn builtin_value<M: Machine>(
    m: &mut M,
    globals: M::Obj,
    globals_version: u32,
    builtins: M::Obj,
    builtins_version: u32,
    index: usize,
) -> Fast<M::Obj> {
    guard_keys(m, globals, globals_version)?;
    entry_value(m, builtins, builtins_version, index)
}

fn lookup([dict, key]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: live objects; the type was guarded.
    let (dict, key) = unsafe { (&*dict.cast::<PyDictObject>(), &*key) };
    match dict.get(key)? {
        Some(value) => Ok(value),
        None => Err(key_error(key)),
    }
}

/// `dict[key]`, owned.
#[inline(always)]
pub fn item<M: Machine>(m: &mut M, dict: M::Obj, key: M::Obj) -> Fast<M::Obj> {
    m.guard_type(dict, PyDictObject::type_object())?;
    m.call("dict_item", [dict, key], lookup)
}

fn store([dict, key, value]: [*mut PyObject; 3]) -> PyResult {
    // SAFETY: live objects; the type was guarded.
    let (dict, key, value) = unsafe { (&*dict.cast::<PyDictObject>(), &*key, &*value) };
    dict.set(key, value)?;
    Ok(adder_runtime::object::none().to_ref())
}

/// `dict[key] = value`.
#[inline(always)]
pub fn store_item<M: Machine>(m: &mut M, dict: M::Obj, key: M::Obj, value: M::Obj) -> Fast<()> {
    m.guard_type(dict, PyDictObject::type_object())?;
    m.call("dict_store_item", [dict, key, value], store)?;
    Ok(())
}
