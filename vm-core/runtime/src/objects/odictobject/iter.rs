//! The iterator over an OrderedDict, and its views: those of a dict, but for the order.

use super::{NONE, PyODictObject};
use crate::memory::{self, gc};
use crate::objects::dictobject::views::{DictView, PyDictItems_Type, PyDictKeys_Type, PyDictValues_Type};
use crate::objects::freelist::alloc_static;
use crate::objects::tupleobject::reuse_pair;
use crate::prelude::*;
use std::cell::Cell;

pub(super) const KEYS: c_int = 1;
pub(super) const VALUES: c_int = 2;
const ITEMS: c_int = KEYS | VALUES;
pub(super) const REVERSED: c_int = 4;

#[repr(C)]
pub struct ODictIterator {
    ob_base: PyObject,
    kind: c_int,
    /// Null when exhausted.
    di_odict: Cell<*mut PyODictObject>,
    /// The dict's size at the start; -1 after its change was reported.
    di_size: Cell<isize>,
    di_state: Cell<usize>,
    /// The node given last.
    di_at: Cell<u32>,
    /// The pair made last; items only.
    di_result: Cell<*mut PyTupleObject>,
}

impl ODictIterator {
    pub(super) fn make(dict: &PyODictObject, kind: c_int) -> PyResult {
        let made = Self::fresh(dict, kind);
        Ok(Ref::new(made)?.into_object())
    }
    /// An iterator that owns a count of the dict.
    fn fresh(dict: &PyODictObject, kind: c_int) -> ODictIterator {
        ODictIterator {
            ob_base: memory::blank_header(),
            kind,
            di_odict: Cell::new(dict.to_ref().into_raw()),
            di_size: Cell::new(dict.od_dict.ma_used.get()),
            di_state: Cell::new(dict.od_state.get()),
            di_at: Cell::new(NONE),
            di_result: Cell::new(std::ptr::null_mut()),
        }
    }
    fn finish(&self) {
        // SAFETY: the iterator owned the dict.
        unsafe { memory::xdecref(self.di_odict.replace(std::ptr::null_mut()).cast()) };
    }
    fn next(&self) -> PyResult<Option<Ref>> {
        // SAFETY: null or the dict that the iterator owns.
        let Some(dict) = (unsafe { Ref::from_borrowed_opt(self.di_odict.get()) }) else {
            return Ok(None);
        };
        if dict.od_state.get() != self.di_state.get() {
            self.finish();
            return Err(PyODictObject::mutated());
        }
        if dict.od_dict.ma_used.get() != self.di_size.get() {
            self.di_size.set(-1);
            return Err(raise!(RuntimeError, "OrderedDict changed size during iteration"));
        }
        let Some((key, _, at)) = dict.after(self.di_at.get(), self.kind & REVERSED != 0) else {
            self.finish();
            return Ok(None);
        };
        self.di_at.set(at);
        if self.kind & ITEMS == KEYS {
            return Ok(Some(key));
        }
        let value = match dict.value(&key) {
            Ok(value) => value,
            Err(raised) => {
                self.finish();
                return Err(raised);
            }
        };
        Ok(Some(if self.kind & ITEMS == VALUES {
            value
        } else {
            reuse_pair(&self.di_result, key, value)
        }))
    }
}

#[pytype(name = "odict_iterator", static_name = PyODictIter_Type, flags = HAVE_GC)]
impl ODictIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead and owned these.
        unsafe {
            gc::untrack(this.cast());
            (*this).finish();
            memory::xdecref((*this).di_result.get().cast());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.di_odict.get()) {
            0 => visitor.visit(self.di_result.get()),
            stop => stop,
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.next()
    }
    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let list = PyListObject::new();
        // SAFETY: null or the dict that the iterator owns.
        if let Some(dict) = unsafe { Ref::from_borrowed_opt(self.di_odict.get()) } {
            let scratch = ODictIterator::fresh(&dict, self.kind);
            scratch.di_size.set(self.di_size.get());
            scratch.di_state.set(self.di_state.get());
            scratch.di_at.set(self.di_at.get());
            let result = loop {
                match scratch.next() {
                    Ok(Some(item)) => list.push(item),
                    Ok(None) => break Ok(()),
                    Err(raised) => break Err(raised),
                }
            };
            scratch.finish();
            // SAFETY: the scratch iterator owned its last pair.
            unsafe { memory::xdecref(scratch.di_result.replace(std::ptr::null_mut()).cast()) };
            result?;
        }
        let args = PyTupleObject::from_vec(vec![list.into_object()]);
        Ok(PyTupleObject::from_vec(vec![crate::module::builtin("iter")?, args.into_object()]).into_object())
    }
}

/// A view of one of the three types below.
pub(super) fn view(dict: &PyODictObject, ty: &'static PyTypeObject) -> PyResult {
    let object = alloc_static(ty, size_of::<DictView>());
    // SAFETY: memory for the view, its header set; the view owns a count of the dict.
    unsafe {
        (*object.cast::<DictView>())
            .dv_dict
            .set(dict.to_ref().into_raw().cast());
        gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

macro_rules! odict_view {
    ($struct:ident, $name:literal, $static:ident, $base:ident, $kind:expr) => {
        #[repr(transparent)]
        pub struct $struct(DictView);

        #[pytype(name = $name, static_name = $static, base = $base, dealloc = inherit)]
        impl $struct {
            fn over(&self) -> PyResult<&PyODictObject> {
                // SAFETY: a view owns its dict, except between tp_clear and its end, when nobody asks.
                unsafe { &*self.0.dv_dict.get() }
                    .as_object()
                    .downcast::<PyODictObject>()
                    .ok_or_else(|| raise!(TypeError, "the view is not of an OrderedDict"))
            }
            #[slot]
            fn tp_iter(&self) -> PyResult {
                ODictIterator::make(self.over()?, $kind)
            }
            /// An iterator over the view, last first.
            #[method("($self, /)")]
            fn __reversed__(&self) -> PyResult {
                ODictIterator::make(self.over()?, $kind | REVERSED)
            }
        }
    };
}

odict_view!(
    ODictKeysView,
    "odict_keys",
    PyODictKeys_Type,
    PyDictKeys_Type,
    KEYS
);
odict_view!(
    ODictValuesView,
    "odict_values",
    PyODictValues_Type,
    PyDictValues_Type,
    VALUES
);
odict_view!(
    ODictItemsView,
    "odict_items",
    PyODictItems_Type,
    PyDictItems_Type,
    ITEMS
);
