//! Iteration from Rust: `iter`, `next`, and helpers that drain an iterable.

use super::{enter_native_call, from_slot};
use crate::exceptions::exc;
use crate::prelude::*;

impl PyObject {
    /// `iter(self)`.
    pub fn iter(&self) -> PyResult {
        let ty = self.ty();
        let Some(tp_iter) = ty.tp_iter.get() else {
            if self.is_sequence() {
                return Ok(crate::objects::iterobject::sequence_iterator(self));
            }
            return Err(raise!(TypeError, "'{}' object is not iterable", ty.full_name()));
        };
        // SAFETY: a slot of this object's type.
        let iterator = unsafe { from_slot(tp_iter(self.as_ptr()), "__iter__")? };
        if !iterator.is_iterator() {
            return Err(raise!(
                TypeError,
                "iter() returned non-iterator of type '{}'",
                iterator.ty().full_name()
            ));
        }
        Ok(iterator)
    }
    /// Whether this object has a usable `__next__`.
    pub fn is_iterator(&self) -> bool {
        self.ty()
            .tp_iternext
            .get()
            .is_some_and(|slot| slot as usize != crate::types::next_not_implemented as *const () as usize)
    }
    /// `next(self)`: `None` at the end.
    #[inline]
    pub fn next(&self) -> PyResult<Option<Ref>> {
        let Some(iternext) = self.ty().tp_iternext.get() else {
            return Err(raise!(
                TypeError,
                "'{}' object is not an iterator",
                self.ty().full_name()
            ));
        };
        enter_native_call(" while iterating")?;
        // SAFETY: a slot of this object's type.
        let result = unsafe { Ref::from_owned_opt(iternext(self.as_ptr())) };
        match result {
            Some(item) => Ok(Some(item)),
            None => ended(),
        }
    }
    /// Whether `self[0]`-style access is supported: `PySequence_Check`.
    pub fn is_sequence(&self) -> bool {
        !self.type_has(Py_TPFLAGS_DICT_SUBCLASS)
            && self.ty().sequence_slot(|slots| slots.sq_item.get()).is_some()
    }
    /// Calls `f` with each item of the iterable.
    pub fn for_each(&self, f: impl FnMut(Ref) -> PyResult<()>) -> PyResult<()> {
        self.iter()?.for_each_left(f)
    }
    fn for_each_left(&self, mut f: impl FnMut(Ref) -> PyResult<()>) -> PyResult<()> {
        while let Some(item) = self.next()? {
            f(item)?;
        }
        Ok(())
    }
    /// The items of the iterable.
    pub fn collect(&self) -> PyResult<Vec<Ref>> {
        if let Some(list) = self.downcast_exact::<PyListObject>() {
            return Ok(list.as_slice().iter().map(|item| item.to_ref()).collect());
        }
        if let Some(tuple) = self.downcast_exact::<PyTupleObject>() {
            return Ok(tuple.as_slice().iter().map(|item| item.to_ref()).collect());
        }
        let iterator = self.iter()?;
        let mut items = Vec::with_capacity(self.length_hint(0)?.min(1 << 20));
        iterator.for_each_left(|item| {
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }
    /// `tuple(self)`.
    pub fn to_tuple(&self) -> PyResult<Ref<PyTupleObject>> {
        if let Some(tuple) = self.downcast_exact::<PyTupleObject>() {
            return Ok(tuple.to_ref());
        }
        Ok(PyTupleObject::from_vec(self.collect()?))
    }
    /// A list or tuple as it is, any other iterable as a new list; `message` is the TypeError's when it is none.
    pub fn to_fast_sequence(&self, message: &str) -> PyResult<Ref> {
        if PyListObject::check_exact(self) || PyTupleObject::check_exact(self) {
            return Ok(self.to_ref());
        }
        let iterator = match self.iter() {
            Ok(iterator) => iterator,
            Err(raised) => {
                raised.clear_if(exc::TypeError)?;
                return Err(raise!(TypeError, "{message}"));
            }
        };
        Ok(PyListObject::from_vec(iterator.collect()?).into_object())
    }
    /// `operator.length_hint(self, default)`.
    pub fn length_hint(&self, default: usize) -> PyResult<usize> {
        Ok(self.known_length_hint()?.unwrap_or(default))
    }
    /// `operator.length_hint(self)`, None when the object tells none.
    pub fn known_length_hint(&self) -> PyResult<Option<usize>> {
        let ty = self.ty();
        let has_len = ty.sequence_slot(|slots| slots.sq_length.get()).is_some()
            || ty.mapping_slot(|slots| slots.mp_length.get()).is_some();
        if has_len {
            match self.len() {
                Ok(length) => return Ok(Some(length)),
                Err(raised) => raised.clear_if(exc::TypeError)?,
            }
        }
        let Some(method) = self.lookup_special(identifier!("__length_hint__"))? else {
            return Ok(None);
        };
        enter_native_call(" in __length_hint__")?;
        let hint = match method.call0() {
            Ok(hint) => hint,
            Err(raised) => {
                raised.clear_if(exc::TypeError)?;
                return Ok(None);
            }
        };
        if hint.is(not_implemented()) {
            return Ok(None);
        }
        let Some(hint) = hint.downcast::<PyLongObject>().ok() else {
            return Err(raise!(
                TypeError,
                "__length_hint__ must be an integer, not {}",
                ty.full_name()
            ));
        };
        let hint = hint.as_isize()?;
        usize::try_from(hint)
            .map(Some)
            .map_err(|_| raise!(ValueError, "__length_hint__() should return >= 0"))
    }
}

/// After a `tp_iternext` that gave nothing: the end, which StopIteration may say too, or an exception.
fn ended() -> PyResult<Option<Ref>> {
    if crate::error::occurred() {
        Raised::assume().clear_if(exc::StopIteration)?;
    }
    Ok(None)
}

/// `ended` as C sees it: NULL, with an exception when there was one that does not say just that.
#[cold]
#[inline(never)]
pub extern "C" fn no_next() -> *mut PyObject {
    let _ = ended();
    std::ptr::null_mut()
}
