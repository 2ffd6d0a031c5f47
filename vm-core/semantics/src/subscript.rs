//! Items of lists, tuples and strings by small ints; pairs taken apart.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyListObject, PyLongObject, PyObject, PyTupleObject, PyUnicodeObject, PyVarObject};
use adder_runtime::error::PyResult;
use adder_runtime::object::TypedObject;
use std::mem::offset_of;

/// `index` counted from the front; `Miss` when it is out of range.
#[inline(always)]
fn item_index<M: Machine>(m: &mut M, index: M::Obj, length: M::Int) -> Fast<M::Int> {
    let index = m.compact_int(index)?;
    let zero = m.int(0);
    // Negative indices are common enough for constants; the recorder sees one of the two ways.
    let not_negative = m.int_compare(Cmp::Ge, index, zero);
    let index = match m.guard(not_negative) {
        Ok(()) => index,
        Err(_) => {
            let index = m.int_add_ovf(index, length)?;
            let not_negative = m.int_compare(Cmp::Ge, index, zero);
            m.guard(not_negative)?;
            index
        }
    };
    let in_range = m.int_compare(Cmp::Lt, index, length);
    m.guard(in_range)?;
    Ok(index)
}

/// `list[index]`, owned.
#[inline(always)]
pub fn list_item<M: Machine>(m: &mut M, list: M::Obj, index: M::Obj) -> Fast<M::Obj> {
    m.guard_type(list, PyListObject::type_object())?;
    let length = m.load_field(list, offset_of!(PyVarObject, ob_size));
    let index = item_index(m, index, length)?;
    let items = m.load_field(list, offset_of!(PyListObject, ob_item));
    let item = m.load_item(items, index);
    m.incref(item);
    Ok(item)
}

/// `tuple[index]`, owned.
#[inline(always)]
pub fn tuple_item<M: Machine>(m: &mut M, tuple: M::Obj, index: M::Obj) -> Fast<M::Obj> {
    m.guard_type(tuple, PyTupleObject::type_object())?;
    let length = m.load_field(tuple, offset_of!(PyVarObject, ob_size));
    let index = item_index(m, index, length)?;
    let items = m.field_address(tuple, offset_of!(PyTupleObject, ob_item));
    let item = m.load_item(items, index);
    m.incref(item);
    Ok(item)
}

/// `list[index] = value`, which gets a count of its own.
#[inline(always)]
pub fn store_list_item<M: Machine>(m: &mut M, list: M::Obj, index: M::Obj, value: M::Obj) -> Fast<()> {
    m.guard_type(list, PyListObject::type_object())?;
    let length = m.load_field(list, offset_of!(PyVarObject, ob_size));
    let index = item_index(m, index, length)?;
    let items = m.load_field(list, offset_of!(PyListObject, ob_item));
    let old = m.load_item(items, index);
    m.incref(value);
    m.store_item(items, index, value);
    m.decref(old);
    Ok(())
}

fn character([text, index]: [*mut PyObject; 2]) -> PyResult {
    // SAFETY: live objects; types and range were guarded.
    let (text, index) = unsafe { (&*text.cast::<PyUnicodeObject>(), &*index.cast::<PyLongObject>()) };
    let index = index.compact_value();
    let index = if index < 0 {
        index + text.len() as isize
    } else {
        index
    };
    Ok(PyUnicodeObject::from_char(text.char_at(index as usize)).into_object())
}

/// `str[index]`, owned.
#[inline(always)]
pub fn str_item<M: Machine>(m: &mut M, text: M::Obj, index: M::Obj) -> Fast<M::Obj> {
    m.guard_type(text, PyUnicodeObject::type_object())?;
    // The length of a string is right behind its header.
    let length = m.load_field(text, size_of::<PyObject>());
    item_index(m, index, length)?;
    m.call("str_item", [text, index], character)
}

/// The items of a tuple of two, owned.
#[inline(always)]
pub fn pair_items<M: Machine>(m: &mut M, tuple: M::Obj) -> Fast<(M::Obj, M::Obj)> {
    m.guard_type(tuple, PyTupleObject::type_object())?;
    let length = m.load_field(tuple, offset_of!(PyVarObject, ob_size));
    let two = m.int(2);
    let is_pair = m.int_compare(Cmp::Eq, length, two);
    m.guard(is_pair)?;
    let items = offset_of!(PyTupleObject, ob_item);
    let (first, second) = (m.load_object(tuple, items), m.load_object(tuple, items + 8));
    m.incref(first);
    m.incref(second);
    Ok((first, second))
}
