//! listobject.h.

use crate::export::{Borrowed, bad_internal_call, given, opt};
use adder_runtime::prelude::*;

#[cold]
#[inline(never)]
fn out_of_range() -> Raised {
    raise!(IndexError, "list index out of range")
}

#[cold]
#[inline(never)]
fn assignment_out_of_range() -> Raised {
    raise!(IndexError, "list assignment index out of range")
}

/// The item at an index that does not count from the end.
fn item(list: &PyListObject, index: isize) -> PyResult<Ref> {
    usize::try_from(index)
        .ok()
        .and_then(|index| list.get(index))
        .ok_or_else(out_of_range)
}

/// A new list of `n` empty places, which C fills before anybody looks.
fn new_unfilled(n_items: isize) -> PyResult<Ref<PyListObject>> {
    if n_items < 0 {
        return Err(bad_internal_call());
    }
    let list = PyListObject::with_capacity(n_items as usize);
    if n_items > 0 {
        // SAFETY: the list has room for n_items; NULL is what C expects in them.
        unsafe { std::ptr::write_bytes(list.ob_item.get(), 0, n_items as usize) };
        list.ob_base.ob_size.set(n_items);
    }
    Ok(list)
}

capi! {
    fn PyList_New(n_items: isize) -> PyResult<Ref<PyListObject>> { new_unfilled(n_items) }
    fn PyList_Size(list: &PyListObject) -> PyResult<isize> { Ok(list.len() as isize) }
    fn PyList_GetItem(list: &PyListObject, index: isize) -> PyResult<Borrowed> {
        if index < 0 || index >= list.ob_base.ob_size.get() {
            return Err(out_of_range());
        }
        // SAFETY: the index is in range; the list keeps the item.
        Ok(Borrowed(unsafe { *list.ob_item.get().add(index as usize) }))
    }
    fn PyList_GetItemRef(list: &PyObject, index: isize) -> PyResult {
        match list.downcast::<PyListObject>() {
            Some(list) => item(list, index),
            None => Err(raise!(TypeError, "expected a list")),
        }
    }
    /// Steals `value` also when it fails.
    fn PyList_SetItem(list: &PyObject, index: isize, value: Option<Ref>) -> PyResult<()> {
        let Some(list) = list.downcast::<PyListObject>() else { return Err(bad_internal_call()) };
        if index < 0 || index >= list.len() as isize {
            return Err(assignment_out_of_range());
        }
        let value = value.map_or(std::ptr::null_mut(), Ref::into_raw);
        // SAFETY: the index is in range; the list owned the old item.
        unsafe { drop(Ref::from_owned_opt(list.ob_item.get().add(index as usize).replace(value))) };
        Ok(())
    }
    fn PyList_Insert(list: &PyListObject, index: isize, value: &PyObject) -> PyResult<()> {
        let len = list.len() as isize;
        let index = if index < 0 { (index + len).max(0) } else { index.min(len) };
        list.insert(index as usize, value.to_ref())
    }
    fn PyList_Append(list: &PyListObject, value: &PyObject) -> PyResult<()> => {
        // SAFETY: C gives live objects or NULL.
        let (list, value) = unsafe { (given::<PyListObject>(list)?, opt(value)?) };
        list.push_within(value).then_some(0)
    } else {
        list.push(value.to_ref());
        Ok(())
    }
    fn PyList_Extend(list: &PyListObject, iterable: &PyObject) -> PyResult<()> { list.extend(iterable) }
    fn PyList_Clear(list: &PyListObject) -> PyResult<()> {
        list.as_object().call_method(identifier!("clear"), &[]).map(drop)
    }
    fn PyList_GetSlice(list: &PyListObject, low: isize, high: isize) -> PyResult {
        let len = list.len() as isize;
        let low = low.clamp(0, len);
        let high = high.clamp(low, len);
        let items = list.as_slice()[low as usize..high as usize].iter().map(|item| item.to_ref()).collect();
        Ok(PyListObject::from_vec(items).into_object())
    }
    fn PyList_SetSlice(list: &PyListObject, low: isize, high: isize, items: Option<&PyObject>) -> PyResult<()> {
        let (low, high) = (PyLongObject::from_i64(low.max(0) as i64), PyLongObject::from_i64(high.max(0) as i64));
        let slice = crate::sliceobject::new_slice(Some(low.as_object()), Some(high.as_object()), None)?;
        match items {
            Some(items) => list.as_object().set_item(&slice, items),
            None => list.as_object().del_item(&slice),
        }
    }
    fn PyList_Sort(list: &PyListObject) -> PyResult<()> {
        list.as_object().call_method(identifier!("sort"), &[]).map(drop)
    }
    fn PyList_Reverse(list: &PyListObject) -> PyResult<()> {
        list.as_object().call_method(identifier!("reverse"), &[]).map(drop)
    }
    fn PyList_AsTuple(list: &PyListObject) -> PyResult<Ref<PyTupleObject>> {
        Ok(PyTupleObject::from_slice(list.as_slice()))
    }
    fn _PyList_Extend(list: &PyListObject, iterable: &PyObject) -> PyResult {
        list.extend(iterable)?;
        Ok(none_ref())
    }
    fn _PyList_AsTupleAndClear(list: &PyListObject) -> PyResult<Ref<PyTupleObject>> {
        let tuple = PyTupleObject::from_slice(list.as_slice());
        list.as_object().call_method(identifier!("clear"), &[])?;
        Ok(tuple)
    }
}
