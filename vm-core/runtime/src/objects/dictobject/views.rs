//! `dict.keys()`, `dict.values()`, `dict.items()`: live views, the first and last of which are set-like.

use super::iter;
use crate::memory::{self, gc};
use crate::objects::freelist::alloc_static;
use crate::objects::reprs::guarded_repr;
use crate::prelude::*;
use std::cell::Cell;

/// Any of the three views.
#[repr(C)]
pub struct DictView {
    pub ob_base: PyObject,
    pub dv_dict: Cell<*mut PyDictObject>,
}

fn make(dict: &PyObject, ty: &'static PyTypeObject) -> PyResult {
    let Some(dict) = dict.downcast::<PyDictObject>() else {
        return Err(raise!(
            TypeError,
            "{}() requires a dict argument, not '{}'",
            ty.full_name(),
            dict.ty().full_name()
        ));
    };
    let object = alloc_static(ty, size_of::<DictView>());
    // SAFETY: memory for the view, its header set; the view owns a count of the dict.
    unsafe {
        (*object.cast::<DictView>()).dv_dict.set(dict.to_ref().into_raw());
        gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

pub fn keys_view(dict: &PyObject) -> PyResult {
    make(dict, &PyDictKeys_Type)
}
pub fn values_view(dict: &PyObject) -> PyResult {
    make(dict, &PyDictValues_Type)
}
pub fn items_view(dict: &PyObject) -> PyResult {
    make(dict, &PyDictItems_Type)
}

impl DictView {
    #[inline(always)]
    fn dict(&self) -> &PyDictObject {
        // SAFETY: a view owns its dict, except between tp_clear and its end, when nobody asks.
        unsafe { &*self.dv_dict.get() }
    }
    /// # Safety
    /// The view is dead.
    unsafe fn dealloc(this: *mut DictView) {
        // SAFETY: the caller's contract; the view owned its dict.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).dv_dict.get().cast());
            memory::free_object(this.cast());
        }
    }
    fn mapping(&self) -> PyResult {
        crate::objects::mappingproxy::mapping_proxy(self.dict().as_object())
    }
    fn repr(&self, view: &PyObject) -> PyResult {
        let name = view.ty().full_name();
        guarded_repr(view, "...", &format!("{name}("), |out| {
            let list = PyListObject::from_vec(view.collect()?);
            out.push_repr(list.as_object())?;
            out.push_str(")");
            Ok(())
        })
    }
    /// `key: value` is an item.
    fn contains_item(&self, item: &PyObject) -> PyResult<bool> {
        let Some(pair) = item.downcast::<PyTupleObject>().filter(|pair| pair.len() == 2) else {
            return Ok(false);
        };
        let (key, value) = (pair.as_slice()[0], pair.as_slice()[1]);
        match self.dict().get(key)? {
            Some(found) => found.compare_bool(value, CompareOp::Eq),
            None => Ok(false),
        }
    }
}

/// Whether every element of `a` is in `b`.
fn all_contained_in(a: &PyObject, b: &PyObject) -> PyResult<bool> {
    let iterator = a.iter()?;
    while let Some(item) = iterator.next()? {
        if !b.contains(&item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_set_like(object: &PyObject) -> bool {
    PySetObject::is_any_set(object) || PyDictKeysView::check(object) || PyDictItemsView::check(object)
}

fn view_richcompare(view: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
    if !is_set_like(other) {
        return Ok(not_implemented().to_ref());
    }
    let (len, other_len) = (view.len()?, other.len()?);
    let result = match op {
        CompareOp::Eq | CompareOp::Ne => {
            let equal = len == other_len && all_contained_in(view, other)?;
            equal == (op == CompareOp::Eq)
        }
        CompareOp::Lt => len < other_len && all_contained_in(view, other)?,
        CompareOp::Le => len <= other_len && all_contained_in(view, other)?,
        CompareOp::Gt => len > other_len && all_contained_in(other, view)?,
        CompareOp::Ge => len >= other_len && all_contained_in(other, view)?,
    };
    Ok(py_bool(result))
}

/// A set of what a view has.
fn view_to_set(view: &PyObject) -> PyResult<Ref<PySetObject>> {
    let set = PySetObject::new_set();
    let source = match view.downcast::<PyDictKeysView>() {
        Some(view) => view.0.dict().as_object(),
        None => view,
    };
    set.update(source)?;
    Ok(set)
}

fn is_view(object: &PyObject) -> bool {
    PyDictKeysView::check(object) || PyDictItemsView::check(object)
}

fn view_sub(a: &PyObject, b: &PyObject) -> PyResult {
    let set = view_to_set(a)?;
    set.difference_update(b)?;
    Ok(set.into_object())
}

fn view_and(a: &PyObject, b: &PyObject) -> PyResult {
    // The operand that is a view comes first: the operation may be reflected.
    let (mut view, mut other) = if is_view(a) { (a, b) } else { (b, a) };
    let view_len = view.len()?;
    if PySetObject::check_exact(other) && view_len <= other.len()? {
        let other = other.downcast::<PySetObject>().expect("just checked");
        return Ok(other.intersection(view)?.into_object());
    }
    if is_view(other) && other.len()? > view_len {
        std::mem::swap(&mut view, &mut other);
    }
    let result = PySetObject::new_set();
    let iterator = other.iter()?;
    while let Some(item) = iterator.next()? {
        if view.contains(&item)? {
            result.add(&item)?;
        }
    }
    Ok(result.into_object())
}

fn view_or(a: &PyObject, b: &PyObject) -> PyResult {
    let set = view_to_set(a)?;
    set.update(b)?;
    Ok(set.into_object())
}

fn view_xor(a: &PyObject, b: &PyObject) -> PyResult {
    let set = view_to_set(a)?;
    set.symmetric_difference_update(b)?;
    Ok(set.into_object())
}

fn view_isdisjoint(view: &PyObject, other: &PyObject) -> PyResult<bool> {
    if view.is(other) {
        return Ok(view.len()? == 0);
    }
    let (mut small, mut large) = (other, view);
    if is_set_like(other) && other.len()? > view.len()? {
        std::mem::swap(&mut small, &mut large);
    }
    let iterator = small.iter()?;
    while let Some(item) = iterator.next()? {
        if large.contains(&item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

macro_rules! set_like_view {
    ($struct:ident, $name:literal, $static:ident, $iter:path, $reverse:path, $contains:expr) => {
        #[repr(transparent)]
        pub struct $struct(DictView);

        #[pytype(name = $name, static_name = $static, flags = HAVE_GC)]
        impl $struct {
            #[slot]
            unsafe fn tp_dealloc(this: *mut Self) {
                // SAFETY: the slot's contract.
                unsafe { DictView::dealloc(this.cast()) }
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                visitor.visit(self.0.dv_dict.get())
            }
            #[slot]
            fn tp_repr(&self) -> PyResult {
                self.0.repr(self.as_object())
            }
            #[slot]
            fn tp_iter(&self) -> PyResult {
                Ok($iter(self.0.dict()))
            }
            #[slot]
            fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
                view_richcompare(self.as_object(), other, op)
            }
            #[slot]
            fn sq_length(&self) -> PyResult<usize> {
                Ok(self.0.dict().len())
            }
            #[slot]
            fn sq_contains(&self, item: &PyObject) -> PyResult<bool> {
                let contains: fn(&DictView, &PyObject) -> PyResult<bool> = $contains;
                contains(&self.0, item)
            }
            #[slot]
            fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
                view_sub(a, b)
            }
            #[slot]
            fn nb_and(a: &PyObject, b: &PyObject) -> PyResult {
                view_and(a, b)
            }
            #[slot]
            fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
                view_or(a, b)
            }
            #[slot]
            fn nb_xor(a: &PyObject, b: &PyObject) -> PyResult {
                view_xor(a, b)
            }
            /// Whether the view and the iterable have no element in common.
            #[method("($self, object, /)")]
            fn isdisjoint(&self, other: &PyObject) -> PyResult<bool> {
                view_isdisjoint(self.as_object(), other)
            }
            /// An iterator over the view, last first.
            #[method("($self, /)")]
            fn __reversed__(&self) -> Ref {
                $reverse(self.0.dict())
            }
            /// The dict that this view is of, read-only.
            #[getter]
            fn mapping(&self) -> PyResult {
                self.0.mapping()
            }
        }
    };
}

set_like_view!(
    PyDictKeysView,
    "dict_keys",
    PyDictKeys_Type,
    iter::keys_iterator,
    iter::reverse_keys_iterator,
    |view, key| view.dict().contains(key)
);
set_like_view!(
    PyDictItemsView,
    "dict_items",
    PyDictItems_Type,
    iter::items_iterator,
    iter::reverse_items_iterator,
    DictView::contains_item
);

#[repr(transparent)]
pub struct PyDictValuesView(DictView);

#[pytype(name = "dict_values", static_name = PyDictValues_Type, flags = HAVE_GC)]
impl PyDictValuesView {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { DictView::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.dv_dict.get())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.0.repr(self.as_object())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(iter::values_iterator(self.0.dict()))
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.0.dict().len())
    }
    /// An iterator over the values, last first.
    #[method("($self, /)")]
    fn __reversed__(&self) -> Ref {
        iter::reverse_values_iterator(self.0.dict())
    }
    /// The dict that this view is of, read-only.
    #[getter]
    fn mapping(&self) -> PyResult {
        self.0.mapping()
    }
}
