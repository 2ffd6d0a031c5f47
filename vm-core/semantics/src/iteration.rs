//! Steps of iterators over ranges, lists and tuples.

use crate::machine::{Cmp, Fast, Machine};
use adder_runtime::abi::{PyListObject, PyTupleObject, PyVarObject};
use adder_runtime::object::TypedObject;
use adder_runtime::objects::iterobject::IndexIterator;
use adder_runtime::objects::rangeobject::PyRangeIterator;
use std::mem::offset_of;

/// What a step gave: `None` at the end.
pub type Step<T> = Fast<Option<T>>;

/// `next` of a range iterator.
#[inline(always)]
pub fn range_next<M: Machine>(m: &mut M, iterator: M::Obj) -> Step<M::Obj> {
    m.guard_type(iterator, PyRangeIterator::type_object())?;
    let left = m.load_field(iterator, PyRangeIterator::LEN_OFFSET);
    let (zero, one) = (m.int(0), m.int(1));
    let more = m.int_compare(Cmp::Gt, left, zero);
    if m.guard(more).is_err() {
        return Ok(None);
    }
    let value = m.load_field(iterator, PyRangeIterator::START_OFFSET);
    let step = m.load_field(iterator, PyRangeIterator::STEP_OFFSET);
    let left = m.int_sub_ovf(left, one)?;
    // The iterator's numbers were checked to stay in 64 bits, but for what comes after the last item.
    let next = match m.int_add_ovf(value, step) {
        Ok(next) => next,
        Err(_) => value,
    };
    m.store_field(iterator, PyRangeIterator::START_OFFSET, next);
    m.store_field(iterator, PyRangeIterator::LEN_OFFSET, left);
    Ok(Some(m.new_int(value)))
}

/// `next` of an iterator over a list or tuple that has items left, which are where `items` says; `Miss` at the end, which the
/// slot handles.
#[inline(always)]
fn next_item<M: Machine>(
    m: &mut M,
    iterator: M::Obj,
    iterator_type: &'static adder_runtime::abi::PyTypeObject,
    items: impl FnOnce(&mut M, M::Obj) -> M::Int,
) -> Fast<M::Obj> {
    m.guard_type(iterator, iterator_type)?;
    let zero = m.int(0);
    let raw = m.load_field(iterator, offset_of!(IndexIterator, it_seq));
    let alive = m.int_compare(Cmp::Ne, raw, zero);
    m.guard(alive)?;
    let sequence = m.load_object(iterator, offset_of!(IndexIterator, it_seq));
    let length = m.load_field(sequence, offset_of!(PyVarObject, ob_size));
    let index = m.load_field(iterator, offset_of!(IndexIterator, it_index));
    let more = m.int_compare(Cmp::Lt, index, length);
    m.guard(more)?;
    let items = items(m, sequence);
    let item = m.load_item(items, index);
    let one = m.int(1);
    let next = m.int_add_ovf(index, one)?;
    m.incref(item);
    m.store_field(iterator, offset_of!(IndexIterator, it_index), next);
    Ok(item)
}

/// `next` of a list iterator, as `next_item`.
#[inline(always)]
pub fn list_next<M: Machine>(
    m: &mut M,
    iterator: M::Obj,
    iterator_type: &'static adder_runtime::abi::PyTypeObject,
) -> Fast<M::Obj> {
    next_item(m, iterator, iterator_type, |m, list| {
        m.load_field(list, offset_of!(PyListObject, ob_item))
    })
}

/// `next` of a tuple iterator, as `next_item`.
#[inline(always)]
pub fn tuple_next<M: Machine>(
    m: &mut M,
    iterator: M::Obj,
    iterator_type: &'static adder_runtime::abi::PyTypeObject,
) -> Fast<M::Obj> {
    next_item(m, iterator, iterator_type, |m, tuple| {
        m.field_address(tuple, offset_of!(PyTupleObject, ob_item))
    })
}
