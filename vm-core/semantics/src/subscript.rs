//! Items of lists and tuples by small ints.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyListObject, PyTupleObject, PyVarObject};
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
