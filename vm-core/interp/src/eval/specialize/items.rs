//! Forms of LOAD_SUBSCR and STORE_SUBSCR: items of lists, tuples, dicts and strings.

use super::*;

#[inline(always)]
pub unsafe fn load_subscr(pc: *const u64, object: &PyObject, key: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if !tick(pc) {
            return;
        }
        let ty = object.ty();
        let int = is_compact_int(key);
        let opcode = if std::ptr::eq(ty, PyListObject::type_object()) && int {
            op::LOAD_SUBSCR_LIST_INT
        } else if std::ptr::eq(ty, PyTupleObject::type_object()) && int {
            op::LOAD_SUBSCR_TUPLE_INT
        } else if std::ptr::eq(ty, PyDictObject::type_object()) {
            op::LOAD_SUBSCR_DICT
        } else if std::ptr::eq(ty, PyUnicodeObject::type_object()) && int {
            op::LOAD_SUBSCR_STR_INT
        } else {
            return give_up(pc);
        };
        set_opcode(pc, opcode);
    }
}

#[inline(always)]
pub fn list_item(list: &PyObject, index: &PyObject) -> Option<Ref> {
    owned(fast(subscript::list_item(
        &mut Direct,
        list.as_ptr(),
        index.as_ptr(),
    )))
}

#[inline(always)]
pub fn tuple_item(tuple: &PyObject, index: &PyObject) -> Option<Ref> {
    owned(fast(subscript::tuple_item(
        &mut Direct,
        tuple.as_ptr(),
        index.as_ptr(),
    )))
}

/// `dict[key]`: `None` when it is no dict; a missing key is a KeyError.
#[inline(always)]
pub fn dict_item(dict: &PyObject, key: &PyObject) -> Option<PyResult> {
    match dict::item(&mut Direct, dict.as_ptr(), key.as_ptr()) {
        // SAFETY: fast paths return owned objects.
        Ok(value) => Some(Ok(unsafe { Ref::from_owned(value) })),
        Err(Exit::Miss) => None,
        Err(Exit::Raised(raised)) => Some(Err(raised)),
    }
}

/// `str[index]`.
#[inline(always)]
pub fn str_item(text: &PyObject, index: &PyObject) -> Option<Ref> {
    owned(fast(subscript::str_item(
        &mut Direct,
        text.as_ptr(),
        index.as_ptr(),
    )))
}

#[inline(always)]
pub unsafe fn store_subscr(pc: *const u64, object: &PyObject, key: &PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        if !tick(pc) {
            return;
        }
        let ty = object.ty();
        if std::ptr::eq(ty, PyListObject::type_object()) && is_compact_int(key) {
            set_opcode(pc, op::STORE_SUBSCR_LIST_INT);
        } else if std::ptr::eq(ty, PyDictObject::type_object()) {
            set_opcode(pc, op::STORE_SUBSCR_DICT);
        } else {
            give_up(pc);
        }
    }
}

/// `list[index] = value` (borrowed); false on a miss.
#[inline(always)]
pub fn set_list_item(list: &PyObject, index: &PyObject, value: *mut PyObject) -> bool {
    subscript::store_list_item(&mut Direct, list.as_ptr(), index.as_ptr(), value).is_ok()
}
