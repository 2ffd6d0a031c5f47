//! dictobject.h.

use crate::export::{Borrowed, Name, OutRef, Reported, Void, bad_internal_call, given, opt, put};
use crate::object::give_optional;
use adder_runtime::objects::dictobject::OnDuplicate;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// The dict keeps the value that is lent.
fn lend(value: Option<Ref>) -> Borrowed {
    Borrowed(value.map_or(std::ptr::null_mut(), |value| value.as_raw()))
}

/// The value of `key`; an exception that was set before stays.
fn get_with_pending(dict: &PyObject, key: &PyObject) -> Reported<Borrowed> {
    let Some(dict) = dict.downcast::<PyDictObject>() else {
        return Reported(Ok(lend(None)));
    };
    let pending = adder_runtime::error::fetch();
    // A key without a hash is not called a dict key here.
    let value = key.hash().and_then(|_| dict.get(key)).map(lend);
    let Some(exception) = pending else {
        return Reported(value);
    };
    let value = value.unwrap_or_else(|raised| {
        adder_runtime::error::write_unraisable(raised, None, None);
        lend(None)
    });
    let _ = adder_runtime::error::restore(exception);
    Reported(Ok(value))
}

/// Stores the value found or the default; 1 when it was there, 0 when not.
fn set_default(dict: &PyDictObject, key: &PyObject, default: &PyObject) -> PyResult<(Ref, bool)> {
    if let Some(value) = dict.get(key)? {
        return Ok((value, true));
    }
    dict.set(key, default)?;
    Ok((default.to_ref(), false))
}

fn dict_list(dict: &PyDictObject, pick: impl Fn(&PyObject, &PyObject) -> Ref) -> Ref<PyListObject> {
    let list = PyListObject::with_capacity(dict.len());
    let mut position = 0;
    while let Some((key, value, _)) = dict.next_entry(&mut position) {
        list.push(pick(key, value));
    }
    list
}

capi! {
    fn PyDict_New() -> PyResult<Ref<PyDictObject>> { Ok(PyDictObject::new()) }
    fn _PyDict_NewPresized(_n_items: isize) -> PyResult<Ref<PyDictObject>> { Ok(PyDictObject::new()) }
    fn PyDict_Size(dict: &PyDictObject) -> PyResult<isize> { Ok(dict.len() as isize) }
    fn PyDict_GetItem(dict: &PyObject, key: &PyObject) -> Reported<Borrowed> { get_with_pending(dict, key) }
    fn PyDict_GetItemString(dict: &PyObject, key: Name) -> Reported<Borrowed> { get_with_pending(dict, key.as_object()) }
    fn PyDict_GetItemWithError(dict: &PyDictObject, key: &PyObject) -> PyResult<Borrowed> => {
        // SAFETY: C gives live objects or NULL.
        let (dict, key) = unsafe { (given::<PyDictObject>(dict)?, opt(key)?) };
        dict.find_same(key).map(Cell::get)
    } else {
        dict.borrow(key).map(Borrowed)
    }
    fn _PyDict_GetItemStringWithError(dict: &PyDictObject, key: Name) -> PyResult<Borrowed> {
        dict.get(key.as_object()).map(lend)
    }
    fn _PyDict_GetItem_KnownHash(dict: &PyDictObject, key: &PyObject, _hash: isize) -> PyResult<Borrowed> {
        dict.get(key).map(lend)
    }
    fn PyDict_GetItemRef(dict: &PyObject, key: &PyObject, result: OutRef) -> PyResult<bool> => {
        // SAFETY: C gives live objects or NULL, and a place.
        unsafe {
            let found = given::<PyDictObject>(dict)?.find_same(opt(key)?)?.get();
            if result.is_null() {
                return None;
            }
            (*found).incref();
            put(result, found);
        }
        Some(1)
    } else {
        let value = dict.downcast::<PyDictObject>().ok_or_else(bad_internal_call).and_then(|dict| dict.get(key));
        give_optional(result, value)
    }
    fn PyDict_GetItemStringRef(dict: &PyObject, key: Name, result: OutRef) -> PyResult<bool> {
        let value = dict.downcast::<PyDictObject>().ok_or_else(bad_internal_call);
        give_optional(result, value.and_then(|dict| dict.get(key.as_object())))
    }
    fn PyDict_SetItem(dict: &PyDictObject, key: &PyObject, value: &PyObject) -> PyResult<()> => {
        // SAFETY: C gives live objects or NULL.
        let (dict, key, value) = unsafe { (given::<PyDictObject>(dict)?, opt(key)?, opt(value)?) };
        dict.replace_same(key, value).then_some(0)
    } else {
        dict.set(key, value)
    }
    fn PyDict_SetItemString(dict: &PyDictObject, key: Name, value: &PyObject) -> PyResult<()> {
        dict.set(key.as_object(), value)
    }
    fn _PyDict_SetItem_KnownHash(dict: &PyDictObject, key: &PyObject, value: &PyObject, _hash: isize) -> PyResult<()> {
        dict.set(key, value)
    }
    fn _PyDict_SetItem_KnownHash_LockHeld(dict: &PyDictObject, key: &PyObject, value: &PyObject, _hash: isize) -> PyResult<()> {
        dict.set(key, value)
    }
    fn PyDict_DelItem(dict: &PyDictObject, key: &PyObject) -> PyResult<()> {
        if dict.remove(key)? { Ok(()) } else { Err(raise!(KeyError, value => key)) }
    }
    fn PyDict_DelItemString(dict: &PyDictObject, key: Name) -> PyResult<()> {
        if dict.remove(key.as_object())? { Ok(()) } else { Err(raise!(KeyError, value => key.as_object())) }
    }
    fn PyDict_Contains(dict: &PyDictObject, key: &PyObject) -> PyResult<bool> => {
        // SAFETY: C gives live objects or NULL.
        let (dict, key) = unsafe { (given::<PyDictObject>(dict)?, opt(key)?) };
        dict.find_same(key).map(|_| 1)
    } else {
        dict.contains(key)
    }
    fn PyDict_ContainsString(dict: &PyDictObject, key: Name) -> PyResult<bool> { dict.contains(key.as_object()) }
    fn PyDict_SetDefault(dict: &PyDictObject, key: &PyObject, default: &PyObject) -> PyResult<Borrowed> {
        set_default(dict, key, default).map(|(value, _)| lend(Some(value)))
    }
    fn PyDict_SetDefaultRef(
        dict: &PyObject, key: &PyObject, default: &PyObject, result: OutRef
    ) -> PyResult<bool> {
        let stored = dict.downcast::<PyDictObject>().ok_or_else(bad_internal_call)
            .and_then(|dict| set_default(dict, key, default));
        let (raw, found) = match stored {
            Ok((value, found)) => (value.into_raw(), Ok(found)),
            Err(raised) => (std::ptr::null_mut(), Err(raised)),
        };
        if result.0.is_null() {
            // SAFETY: the count is ours.
            drop(unsafe { Ref::from_owned_opt(raw) });
        } else {
            // SAFETY: C gives a place for the result.
            unsafe { put(result.0, raw) };
        }
        found
    }
    fn PyDict_Pop(dict: &PyObject, key: Option<&PyObject>, result: OutRef) -> PyResult<bool> { pop(dict, key, result) }
    fn PyDict_PopString(dict: &PyObject, key: Name, result: OutRef) -> PyResult<bool> {
        pop(dict, Some(key.as_object()), result)
    }
    fn _PyDict_Pop(dict: &PyDictObject, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        match (dict.pop(key)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(raise!(KeyError, value => key)),
        }
    }
    fn PyDict_Clear(dict: &PyObject) -> Void {
        if let Some(dict) = dict.downcast::<PyDictObject>() {
            dict.clear();
        }
        Void
    }
    fn PyDict_Next(
        dict: &PyObject, position: *mut isize, key: *mut *mut PyObject, value: *mut *mut PyObject
    ) -> c_int {
        next(dict, position, key, value, std::ptr::null_mut())
    }
    fn _PyDict_Next(
        dict: &PyObject, position: *mut isize, key: *mut *mut PyObject, value: *mut *mut PyObject, hash: *mut isize
    ) -> c_int {
        next(dict, position, key, value, hash)
    }
    fn PyDict_Keys(dict: &PyDictObject) -> PyResult<Ref<PyListObject>> { Ok(dict_list(dict, |key, _| key.to_ref())) }
    fn PyDict_Values(dict: &PyDictObject) -> PyResult<Ref<PyListObject>> { Ok(dict_list(dict, |_, value| value.to_ref())) }
    fn PyDict_Items(dict: &PyDictObject) -> PyResult<Ref<PyListObject>> {
        Ok(dict_list(dict, |key, value| PyTupleObject::from_slice(&[key, value]).into_object()))
    }
    fn PyDict_Copy(dict: &PyDictObject) -> PyResult<Ref<PyDictObject>> { dict.copy() }
    fn PyDict_Update(dict: &PyDictObject, other: &PyObject) -> PyResult<()> { dict.merge(other, OnDuplicate::Replace) }
    fn PyDict_Merge(dict: &PyDictObject, other: &PyObject, replace: c_int) -> PyResult<()> { dict.merge(other, if replace != 0 { OnDuplicate::Replace } else { OnDuplicate::Keep }) }
    fn PyDict_MergeFromSeq2(dict: &PyDictObject, pairs: &PyObject, replace: c_int) -> PyResult<()> {
        merge_pairs(dict, pairs, replace != 0)
    }
    fn _PyDict_SizeOf(dict: &PyDictObject) -> PyResult<isize> {
        crate::longobject::as_ssize(&*dict.as_object().call_method(identifier!("__sizeof__"), &[])?)
    }
}

fn pop(dict: &PyObject, key: Option<&PyObject>, result: OutRef) -> PyResult<bool> {
    // The key of an empty dict is not looked at.
    let value = dict
        .downcast::<PyDictObject>()
        .ok_or_else(bad_internal_call)
        .and_then(|dict| match key {
            _ if dict.is_empty() => Ok(None),
            Some(key) => dict.pop(key),
            None => Err(bad_internal_call()),
        });
    if result.0.is_null() {
        return value.map(|value| value.is_some());
    }
    give_optional(result, value)
}

/// Lends the next entry; the position starts at 0 and means nothing to C.
fn next(
    dict: &PyObject,
    position: *mut isize,
    key: *mut *mut PyObject,
    value: *mut *mut PyObject,
    hash: *mut isize,
) -> c_int {
    let Some(dict) = dict.downcast::<PyDictObject>() else {
        return 0;
    };
    // SAFETY: C gives a position, and places or NULL.
    unsafe {
        let mut at = *position as usize;
        let Some((found_key, found_value, found_hash)) = dict.next_entry(&mut at) else {
            return 0;
        };
        *position = at as isize;
        if let Some(place) = key.as_mut() {
            *place = found_key.as_ptr();
        }
        if let Some(place) = value.as_mut() {
            *place = found_value.as_ptr();
        }
        if let Some(place) = hash.as_mut() {
            *place = found_hash;
        }
    }
    1
}

fn merge_pairs(dict: &PyDictObject, pairs: &PyObject, replace: bool) -> PyResult<()> {
    let mut pair_idx = 0;
    pairs.for_each(|pair| {
        let message = format!("cannot convert dictionary update sequence element #{pair_idx} to a sequence");
        let items = pair.to_fast_sequence(&message)?.to_tuple()?;
        let [key, value] = items.as_slice()[..] else {
            return Err(raise!(
                ValueError,
                "dictionary update sequence element #{pair_idx} has length {}; 2 is required",
                items.len()
            ));
        };
        pair_idx += 1;
        if replace || !dict.contains(key)? {
            dict.set(key, value)?;
        }
        Ok(())
    })
}
