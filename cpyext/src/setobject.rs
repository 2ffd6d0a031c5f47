//! setobject.h.

use crate::export::bad_internal_call;
use adder_runtime::objects::setobject::{PyFrozenSet_Type, PySet_Type};
use adder_runtime::prelude::*;

fn any_set(object: &PyObject) -> PyResult<&PySetObject> {
    let ty = object.ty();
    if ty.is_subtype(&PySet_Type) || ty.is_subtype(&PyFrozenSet_Type) {
        // SAFETY: both kinds have one layout.
        return Ok(unsafe { object.cast_unchecked() });
    }
    Err(bad_internal_call())
}

fn mutable_set(object: &PyObject) -> PyResult<&PySetObject> {
    any_set(object).and_then(|set| {
        if object.ty().is_subtype(&PySet_Type) {
            Ok(set)
        } else {
            Err(bad_internal_call())
        }
    })
}

fn new_of(ty: &PyTypeObject, items: Option<&PyObject>) -> PyResult {
    match items {
        Some(items) => ty.as_object().call1(items),
        None => ty.as_object().call0(),
    }
}

capi! {
    fn PySet_New(items: Option<&PyObject>) -> PyResult { new_of(&PySet_Type, items) }
    fn PyFrozenSet_New(items: Option<&PyObject>) -> PyResult { new_of(&PyFrozenSet_Type, items) }
    fn PySet_Size(set: &PyObject) -> PyResult<isize> { any_set(set).map(|set| set.len() as isize) }
    fn PySet_Contains(set: &PyObject, key: &PyObject) -> PyResult<bool> { any_set(set)?.contains(key) }
    /// A frozenset may be filled while nobody else has it.
    fn PySet_Add(set: &PyObject, key: &PyObject) -> PyResult<()> {
        let target = any_set(set)?;
        if !set.ty().is_subtype(&PySet_Type) && set.refcnt() != 1 {
            return Err(bad_internal_call());
        }
        target.add(key).map(drop)
    }
    fn PySet_Discard(set: &PyObject, key: &PyObject) -> PyResult<bool> { mutable_set(set)?.discard(key) }
    fn PySet_Pop(set: &PyObject) -> PyResult {
        mutable_set(set)?;
        set.call_method(identifier!("pop"), &[])
    }
    fn PySet_Clear(set: &PyObject) -> PyResult<()> {
        mutable_set(set)?;
        set.call_method(identifier!("clear"), &[]).map(drop)
    }
    fn _PySet_NextEntry(set: &PyObject, position: *mut isize, key: *mut *mut PyObject, hash: *mut isize) -> PyResult<bool> {
        next_entry(any_set(set)?, position, key, hash, false)
    }
    fn _PySet_NextEntryRef(set: &PyObject, position: *mut isize, key: *mut *mut PyObject, hash: *mut isize) -> PyResult<bool> {
        next_entry(any_set(set)?, position, key, hash, true)
    }
    fn _PySet_Update(set: &PyObject, items: &PyObject) -> PyResult<()> {
        mutable_set(set)?;
        set.call_method(identifier!("update"), &[items]).map(drop)
    }
}

fn next_entry(
    set: &PySetObject,
    position: *mut isize,
    key: *mut *mut PyObject,
    hash: *mut isize,
    owned: bool,
) -> PyResult<bool> {
    // SAFETY: C gives the position and the places; the table has mask + 1 entries.
    unsafe {
        let mut at = *position;
        while at <= set.mask.get() {
            let entry = &*set.table.get().add(at as usize);
            at += 1;
            if !entry.key.get().is_null() && entry.hash.get() != -1 {
                *position = at;
                *key = entry.key.get();
                *hash = entry.hash.get();
                if owned {
                    (**key).incref();
                }
                return Ok(true);
            }
        }
        *position = at;
    }
    Ok(false)
}
