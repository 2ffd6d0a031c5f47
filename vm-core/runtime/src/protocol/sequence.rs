//! Subscripts, slices, containment and the sequence operators.

use super::{from_slot, from_status};
use crate::prelude::*;

impl PyObject {
    /// `self[key]` of a list by a position that it has, or of a dict by a key that is found at once.
    #[inline(always)]
    pub fn get_item_quick(&self, key: &PyObject) -> Option<Ref> {
        if let Some(list) = self.downcast_exact::<PyListObject>() {
            let index = key.downcast_exact::<PyLongObject>()?;
            if !index.is_compact() {
                return None;
            }
            return Some(list.as_slice().get(index.compact_value() as usize)?.to_ref());
        }
        let value = self.downcast_exact::<PyDictObject>()?.find_same(key)?.get();
        // SAFETY: the dict's value.
        Some(unsafe { Ref::from_borrowed(value) })
    }
    /// `self[key]`.
    pub fn get_item(&self, key: &PyObject) -> PyResult {
        let ty = self.ty();
        if let Some(item) = self.get_item_quick(key) {
            return Ok(item);
        }
        // SAFETY: slots of this object's type, and the layout of exact dicts.
        unsafe {
            if std::ptr::eq(ty, PyDictObject::type_object()) {
                let value = self.cast_unchecked::<PyDictObject>().get(key)?;
                return value.ok_or_else(|| crate::objects::dictobject::api::key_error(key));
            }
            if let Some(subscript) = ty.mapping_slot(|slots| slots.mp_subscript.get()) {
                return from_slot(subscript(self.as_ptr(), key.as_ptr()), "__getitem__");
            }
        }
        if let Some(item) = ty.sequence_slot(|slots| slots.sq_item.get()) {
            if let Some(index) = key.downcast_exact::<PyLongObject>()
                && index.is_compact()
                && !index.is_negative()
            {
                // SAFETY: a slot of this object's type.
                return unsafe { from_slot(item(self.as_ptr(), index.compact_value()), "__getitem__") };
            }
            if key.has_index() {
                let index = key.to_index_clipped(crate::exceptions::exc::IndexError)?;
                return self.get_index(index);
            }
            return Err(raise!(
                TypeError,
                "sequence index must be integer, not '{}'",
                key.ty().full_name()
            ));
        }
        if let Some(class) = self.downcast::<PyTypeObject>() {
            if std::ptr::eq(class, PyTypeObject::type_object()) {
                return crate::objects::genericaliasobject::new_generic_alias(self, key);
            }
            if let Some(method) = self.get_attr_opt(identifier!("__class_getitem__"))?
                && !is_none(&method)
            {
                return method.call1(key);
            }
            return Err(raise!(
                TypeError,
                "type '{}' is not subscriptable",
                class.full_name()
            ));
        }
        Err(raise!(
            TypeError,
            "'{}' object is not subscriptable",
            ty.full_name()
        ))
    }
    /// `self[key] = value`.
    pub fn set_item(&self, key: &PyObject, value: &PyObject) -> PyResult<()> {
        self.assign_item(key, Some(value))
    }
    /// `del self[key]`.
    pub fn del_item(&self, key: &PyObject) -> PyResult<()> {
        self.assign_item(key, None)
    }
    fn assign_item(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let ty = self.ty();
        let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
        // SAFETY: slots of this object's type.
        unsafe {
            if let Some(assign) = ty.mapping_slot(|slots| slots.mp_ass_subscript.get()) {
                return from_status(assign(self.as_ptr(), key.as_ptr(), raw), "__setitem__");
            }
        }
        let verb = if value.is_some() { "assignment" } else { "deletion" };
        if ty.sequence_slot(|slots| slots.sq_ass_item.get()).is_some() {
            if key.has_index() {
                let index = key.to_index_clipped(crate::exceptions::exc::IndexError)?;
                return self.assign_index(index, value);
            }
            return Err(raise!(
                TypeError,
                "sequence index must be integer, not '{}'",
                key.ty().full_name()
            ));
        }
        Err(raise!(
            TypeError,
            "'{}' object does not support item {verb}",
            ty.full_name()
        ))
    }
    /// `PySequence_GetItem`: negative indices count from the end when the type has a length.
    pub fn get_index(&self, mut index: isize) -> PyResult {
        let ty = self.ty();
        let Some(item) = ty.sequence_slot(|slots| slots.sq_item.get()) else {
            if ty.mapping_slot(|slots| slots.mp_subscript.get()).is_some() {
                return Err(raise!(TypeError, "{} is not a sequence", ty.full_name()));
            }
            return Err(raise!(
                TypeError,
                "'{}' object does not support indexing",
                ty.full_name()
            ));
        };
        if index < 0 && ty.sequence_slot(|slots| slots.sq_length.get()).is_some() {
            index += self.sequence_len()? as isize;
        }
        // SAFETY: a slot of this object's type.
        unsafe { from_slot(item(self.as_ptr(), index), "__getitem__") }
    }
    /// `PySequence_SetItem` / `PySequence_DelItem`.
    pub fn assign_index(&self, mut index: isize, value: Option<&PyObject>) -> PyResult<()> {
        let ty = self.ty();
        let verb = if value.is_some() { "assignment" } else { "deletion" };
        let Some(assign) = ty.sequence_slot(|slots| slots.sq_ass_item.get()) else {
            return Err(raise!(
                TypeError,
                "'{}' object does not support item {verb}",
                ty.full_name()
            ));
        };
        if index < 0 && ty.sequence_slot(|slots| slots.sq_length.get()).is_some() {
            index += self.sequence_len()? as isize;
        }
        let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
        // SAFETY: a slot of this object's type.
        from_status(unsafe { assign(self.as_ptr(), index, raw) }, "__setitem__")
    }
    /// `PySequence_Size`.
    pub fn sequence_len(&self) -> PyResult<usize> {
        let ty = self.ty();
        let Some(length) = ty.sequence_slot(|slots| slots.sq_length.get()) else {
            if ty.mapping_slot(|slots| slots.mp_length.get()).is_some() {
                return Err(raise!(TypeError, "{} is not a sequence", ty.full_name()));
            }
            return Err(raise!(
                TypeError,
                "object of type '{}' has no len()",
                ty.full_name()
            ));
        };
        // SAFETY: a slot of this object's type.
        usize::try_from(unsafe { length(self.as_ptr()) }).map_err(|_| Raised::from_c("__len__"))
    }
    /// `item in self`.
    pub fn contains(&self, item: &PyObject) -> PyResult<bool> {
        let ty = self.ty();
        if let Some(contains) = ty.sequence_slot(|slots| slots.sq_contains.get()) {
            // SAFETY: a slot of this object's type.
            return match unsafe { contains(self.as_ptr(), item.as_ptr()) } {
                status if status < 0 => Err(Raised::from_c("__contains__")),
                status => Ok(status != 0),
            };
        }
        let iterator = match self.iter() {
            Ok(iterator) => iterator,
            Err(raised) => {
                if raised.matches(crate::exceptions::exc::TypeError) && ty.tp_iter.get().is_none() {
                    raised.clear();
                    return Err(raise!(
                        TypeError,
                        "argument of type '{}' is not a container or iterable",
                        ty.full_name()
                    ));
                }
                return Err(raised);
            }
        };
        while let Some(candidate) = iterator.next()? {
            if candidate.eq(item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    /// How many of the items are equal to `item`.
    pub fn count_of(&self, item: &PyObject) -> PyResult<usize> {
        let iterator = self.searched()?;
        let mut count = 0;
        while let Some(candidate) = iterator.next()? {
            count += usize::from(candidate.eq(item)?);
        }
        Ok(count)
    }
    /// The place of the first item that is equal to `item`.
    pub fn index_of(&self, item: &PyObject) -> PyResult<usize> {
        let iterator = self.searched()?;
        let mut at = 0;
        while let Some(candidate) = iterator.next()? {
            if candidate.eq(item)? {
                return Ok(at);
            }
            at += 1;
        }
        Err(raise!(ValueError, "sequence.index(x): x not in sequence"))
    }
    fn searched(&self) -> PyResult {
        self.iter().map_err(|raised| {
            if !raised.matches(crate::exceptions::exc::TypeError) {
                return raised;
            }
            raised.clear();
            raise!(
                TypeError,
                "argument of type '{}' is not iterable",
                self.ty().name()
            )
        })
    }
    /// `PySequence_Concat`.
    pub fn sequence_concat(&self, other: &PyObject) -> PyResult {
        let ty = self.ty();
        if let Some(concat) = ty.sequence_slot(|slots| slots.sq_concat.get()) {
            // SAFETY: a slot of this object's type.
            return unsafe { from_slot(concat(self.as_ptr(), other.as_ptr()), "+") };
        }
        if self.is_sequence() && other.is_sequence() {
            let result = super::number::binary_op1(self, other, |slots| slots.nb_add.get())?;
            if !result.is(not_implemented()) {
                return Ok(result);
            }
        }
        Err(raise!(
            TypeError,
            "'{}' object can't be concatenated",
            ty.full_name()
        ))
    }
    /// `PySequence_Repeat`.
    pub fn sequence_repeat(&self, count: isize) -> PyResult {
        let ty = self.ty();
        if let Some(repeat) = ty.sequence_slot(|slots| slots.sq_repeat.get()) {
            // SAFETY: a slot of this object's type.
            return unsafe { from_slot(repeat(self.as_ptr(), count), "*") };
        }
        if self.is_sequence() {
            let count = PyLongObject::from_isize(count);
            let result = super::number::binary_op1(self, count.as_object(), |slots| slots.nb_multiply.get())?;
            if !result.is(not_implemented()) {
                return Ok(result);
            }
        }
        Err(raise!(TypeError, "'{}' object can't be repeated", ty.full_name()))
    }
}
