//! The iterators over a dict: keys, values and items, forwards and backwards.

use crate::memory::{self, gc};
use crate::objects::freelist::alloc_static;
use crate::objects::tupleobject::reuse_pair;
use crate::prelude::*;
use std::cell::Cell;

/// Any of the six iterators.
#[repr(C)]
pub struct DictIterator {
    pub ob_base: PyObject,
    /// Null when exhausted.
    pub di_dict: Cell<*mut PyDictObject>,
    /// The dict's size at the start; -1 after its change was reported.
    pub di_used: Cell<isize>,
    pub di_pos: Cell<usize>,
    /// The pair made last, used again when nobody else has it; items only.
    pub di_result: Cell<*mut PyTupleObject>,
    /// Entries left.
    pub len: Cell<isize>,
}

/// What an iterator gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Keys,
    Values,
    Items,
}

impl DictIterator {
    fn make(dict: &PyDictObject, ty: &'static PyTypeObject, position: usize) -> Ref {
        let object = alloc_static(ty, size_of::<DictIterator>());
        // SAFETY: memory for the iterator, its header set; the iterator owns a count of the dict.
        unsafe {
            let this = &*object.cast::<DictIterator>();
            this.di_dict.set(dict.to_ref().into_raw());
            this.di_used.set(dict.ma_used.get());
            this.di_pos.set(position);
            this.di_result.set(std::ptr::null_mut());
            this.len.set(dict.ma_used.get());
            gc::track(object);
            Ref::from_owned(object)
        }
    }

    #[inline(always)]
    fn next(&self, what: What, reverse: bool) -> PyResult<Option<Ref>> {
        // SAFETY: null or the dict that the iterator owns.
        let Some(dict) = (unsafe { self.di_dict.get().as_ref() }) else {
            return Ok(None);
        };
        if self.di_used.get() != dict.ma_used.get() {
            self.di_used.set(-1);
            return Err(raise!(RuntimeError, "dictionary changed size during iteration"));
        }
        let mut position = self.di_pos.get();
        let entry = if reverse {
            dict.previous_entry(&mut position)
        } else {
            dict.next_entry(&mut position).map(|(key, value, _)| (key, value))
        };
        let Some((key, value)) = entry else {
            self.finish();
            return Ok(None);
        };
        if self.len.get() == 0 {
            self.finish();
            return Err(raise!(RuntimeError, "dictionary keys changed during iteration"));
        }
        self.di_pos.set(position);
        self.len.set(self.len.get() - 1);
        Ok(Some(match what {
            What::Keys => key.to_ref(),
            What::Values => value.to_ref(),
            What::Items => reuse_pair(&self.di_result, key.to_ref(), value.to_ref()),
        }))
    }

    fn finish(&self) {
        // SAFETY: the iterator owned the dict.
        unsafe { memory::xdecref(self.di_dict.replace(std::ptr::null_mut()).cast()) };
    }

    fn length_hint(&self) -> isize {
        // SAFETY: null or the dict that the iterator owns.
        match unsafe { self.di_dict.get().as_ref() } {
            Some(dict) if dict.ma_used.get() == self.di_used.get() => self.len.get(),
            _ => 0,
        }
    }

    /// `(iter, (list of what is left,))`; the iterator itself stays where it is.
    fn reduce(&self, what: What, reverse: bool) -> PyResult {
        // SAFETY: null or the dict that the iterator owns.
        let dict = unsafe { Ref::from_borrowed_opt(self.di_dict.get()) };
        let scratch = DictIterator {
            ob_base: memory::blank_header(),
            di_dict: Cell::new(dict.map_or(std::ptr::null_mut(), Ref::into_raw)),
            di_used: Cell::new(self.di_used.get()),
            di_pos: Cell::new(self.di_pos.get()),
            di_result: Cell::new(std::ptr::null_mut()),
            len: Cell::new(self.len.get()),
        };
        let list = PyListObject::new();
        let result = loop {
            match scratch.next(what, reverse) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => break Ok(()),
                Err(raised) => break Err(raised),
            }
        };
        scratch.finish();
        // SAFETY: the scratch iterator owned its last pair.
        unsafe { memory::xdecref(scratch.di_result.replace(std::ptr::null_mut()).cast()) };
        result?;
        let args = PyTupleObject::from_vec(vec![list.into_object()]);
        Ok(PyTupleObject::from_vec(vec![crate::module::builtin("iter")?, args.into_object()]).into_object())
    }

    /// # Safety
    /// The iterator is dead.
    unsafe fn dealloc(this: *mut DictIterator) {
        // SAFETY: the caller's contract; the iterator owned these.
        unsafe {
            gc::untrack(this.cast());
            (*this).finish();
            memory::xdecref((*this).di_result.get().cast());
            memory::free_object(this.cast());
        }
    }

    fn traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.di_dict.get()) {
            0 => visitor.visit(self.di_result.get()),
            stop => stop,
        }
    }
}

macro_rules! dict_iterator {
    ($struct:ident, $name:literal, $static:ident, $what:expr, $reverse:literal) => {
        #[repr(transparent)]
        pub struct $struct(DictIterator);

        #[pytype(name = $name, static_name = $static, flags = HAVE_GC)]
        impl $struct {
            #[slot]
            unsafe fn tp_dealloc(this: *mut Self) {
                // SAFETY: the slot's contract.
                unsafe { DictIterator::dealloc(this.cast()) }
            }
            #[slot]
            fn tp_traverse(&self, visitor: &Visitor) -> c_int {
                self.0.traverse(visitor)
            }
            #[slot]
            fn tp_iter(&self) -> PyResult {
                Ok(self.to_object())
            }
            #[slot]
            fn tp_iternext(&self) -> PyResult<Option<Ref>> {
                self.0.next($what, $reverse)
            }
            /// How many items are probably left.
            #[method("($self, /)")]
            fn __length_hint__(&self) -> isize {
                self.0.length_hint()
            }
            /// State for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self) -> PyResult {
                self.0.reduce($what, $reverse)
            }
        }
    };
}

dict_iterator!(
    PyDictKeyIterator,
    "dict_keyiterator",
    PyDictIterKey_Type,
    What::Keys,
    false
);
dict_iterator!(
    PyDictValueIterator,
    "dict_valueiterator",
    PyDictIterValue_Type,
    What::Values,
    false
);
dict_iterator!(
    PyDictItemIterator,
    "dict_itemiterator",
    PyDictIterItem_Type,
    What::Items,
    false
);
dict_iterator!(
    PyDictReverseKeyIterator,
    "dict_reversekeyiterator",
    PyDictRevIterKey_Type,
    What::Keys,
    true
);
dict_iterator!(
    PyDictReverseValueIterator,
    "dict_reversevalueiterator",
    PyDictRevIterValue_Type,
    What::Values,
    true
);
dict_iterator!(
    PyDictReverseItemIterator,
    "dict_reverseitemiterator",
    PyDictRevIterItem_Type,
    What::Items,
    true
);

pub fn keys_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictIterKey_Type, 0)
}
pub fn values_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictIterValue_Type, 0)
}
pub fn items_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictIterItem_Type, 0)
}
pub fn reverse_keys_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictRevIterKey_Type, dict.end_position())
}
pub fn reverse_values_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictRevIterValue_Type, dict.end_position())
}
pub fn reverse_items_iterator(dict: &PyDictObject) -> Ref {
    DictIterator::make(dict, &PyDictRevIterItem_Type, dict.end_position())
}
