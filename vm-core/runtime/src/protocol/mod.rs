//! The abstract object protocol: what CPython's manual calls the abstract objects layer, as methods of `PyObject`.

pub mod attributes;
pub mod call;
pub mod compare;
pub mod iteration;
pub mod number;
pub mod sequence;

use crate::prelude::*;
use crate::thread::{check_native_stack, thread_state};

/// The guard for native recursion through slots: fails with RecursionError near the end of the native stack.
#[inline]
pub fn enter_native_call(place: &str) -> PyResult<()> {
    check_native_stack(place)
}

/// Marks `object` as being printed. False when it already is: the caller then prints an ellipsis.
pub fn repr_enter(object: &PyObject) -> bool {
    let mut stack = thread_state().repr_stack.borrow_mut();
    if stack.contains(&object.as_ptr()) {
        return false;
    }
    stack.push(object.as_ptr());
    true
}

/// Ends what `repr_enter` began.
pub fn repr_leave(object: &PyObject) {
    let mut stack = thread_state().repr_stack.borrow_mut();
    if let Some(at) = stack.iter().rposition(|entry| *entry == object.as_ptr()) {
        stack.remove(at);
    }
}

/// Runs `f` with `object` marked as being printed, or gives `None` when it already is.
pub fn with_repr_guard<T>(object: &PyObject, f: impl FnOnce() -> PyResult<T>) -> PyResult<Option<T>> {
    if !repr_enter(object) {
        return Ok(None);
    }
    let result = f();
    repr_leave(object);
    result.map(Some)
}

impl PyObject {
    /// `repr(self)`.
    pub fn repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let Some(tp_repr) = self.ty().tp_repr.get() else {
            return Ok(PyUnicodeObject::from_string(format!(
                "<{} object at {:p}>",
                self.ty().full_name(),
                self.as_ptr()
            )));
        };
        enter_native_call(" while getting the repr of an object")?;
        // SAFETY: a slot of this object's type.
        let result = unsafe { from_slot(tp_repr(self.as_ptr()), "__repr__")? };
        result.downcast::<PyUnicodeObject>().map_err(|other| {
            raise!(
                TypeError,
                "__repr__ returned non-string (type {})",
                other.ty().full_name()
            )
        })
    }

    /// `str(self)`.
    pub fn str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        if let Some(text) = self.downcast_exact::<PyUnicodeObject>() {
            return Ok(text.to_ref());
        }
        let Some(tp_str) = self.ty().tp_str.get() else {
            return self.repr();
        };
        enter_native_call(" while getting the str of an object")?;
        // SAFETY: a slot of this object's type.
        let result = unsafe { from_slot(tp_str(self.as_ptr()), "__str__")? };
        result.downcast::<PyUnicodeObject>().map_err(|other| {
            raise!(
                TypeError,
                "__str__ returned non-string (type {})",
                other.ty().full_name()
            )
        })
    }

    /// `ascii(self)`.
    pub fn ascii(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.repr()?.escape_non_ascii()
    }

    /// `hash(self)`.
    #[inline]
    pub fn hash(&self) -> PyResult<Py_hash_t> {
        if let Some(text) = self.downcast_exact::<PyUnicodeObject>() {
            return Ok(text.hash());
        }
        let Some(tp_hash) = self.ty().tp_hash.get() else {
            return Err(raise!(TypeError, "unhashable type: '{}'", self.ty().full_name()));
        };
        enter_native_call(" while hashing an object")?;
        // SAFETY: a slot of this object's type.
        match unsafe { tp_hash(self.as_ptr()) } {
            -1 => Err(Raised::from_c("__hash__")),
            hash => Ok(hash),
        }
    }

    /// `bool(self)`.
    #[inline]
    pub fn is_true(&self) -> PyResult<bool> {
        if self.is(true_()) {
            return Ok(true);
        }
        if self.is(false_()) || is_none(self) {
            return Ok(false);
        }
        self.is_true_by_slots()
    }

    fn is_true_by_slots(&self) -> PyResult<bool> {
        let ty = self.ty();
        // SAFETY: slots of this object's type.
        let result = unsafe {
            if let Some(nb_bool) = ty.number_slot(|slots| slots.nb_bool.get()) {
                nb_bool(self.as_ptr()) as isize
            } else if let Some(length) = ty.mapping_slot(|slots| slots.mp_length.get()) {
                length(self.as_ptr())
            } else if let Some(length) = ty.sequence_slot(|slots| slots.sq_length.get()) {
                length(self.as_ptr())
            } else {
                return Ok(true);
            }
        };
        if result < 0 {
            Err(Raised::from_c("__bool__"))
        } else {
            Ok(result > 0)
        }
    }

    /// `len(self)`.
    #[inline]
    pub fn len(&self) -> PyResult<usize> {
        let ty = self.ty();
        let slot = ty
            .sequence_slot(|slots| slots.sq_length.get())
            .or_else(|| ty.mapping_slot(|slots| slots.mp_length.get()));
        let Some(length) = slot else {
            return Err(raise!(
                TypeError,
                "object of type '{}' has no len()",
                ty.full_name()
            ));
        };
        // SAFETY: a slot of this object's type.
        let length = unsafe { length(self.as_ptr()) };
        usize::try_from(length).map_err(|_| Raised::from_c("__len__"))
    }

    /// `format(self, spec)`.
    pub fn format(&self, spec: Option<&PyUnicodeObject>) -> PyResult<Ref<PyUnicodeObject>> {
        if spec.is_none_or(|spec| spec.len() == 0) {
            if let Some(text) = self.downcast_exact::<PyUnicodeObject>() {
                return Ok(text.to_ref());
            }
            if self.downcast_exact::<PyLongObject>().is_some() {
                return self.str();
            }
        }
        if let Some(spec) = spec {
            use crate::objects::formatter;
            if let Some(text) = self.downcast_exact::<PyUnicodeObject>() {
                return formatter::format_str(text, spec);
            }
            if let Some(int) = self.downcast_exact::<PyLongObject>() {
                return formatter::format_int(int, spec);
            }
            if let Some(float) = self.downcast_exact::<PyFloatObject>() {
                return formatter::format_float(float, spec);
            }
        }
        let Some(method) = self.lookup_special(identifier!("__format__"))? else {
            return Err(raise!(
                TypeError,
                "Type {} doesn't define __format__",
                self.ty().full_name()
            ));
        };
        let empty = PyUnicodeObject::empty();
        let spec = spec.unwrap_or(&empty);
        let result = method.call(&[spec.as_object()])?;
        result.downcast::<PyUnicodeObject>().map_err(|other| {
            raise!(
                TypeError,
                "__format__ must return a str, not {}",
                other.ty().full_name()
            )
        })
    }

    /// `isinstance(self, class)` for one type, by its MRO only.
    #[inline]
    pub fn is_instance_of(&self, ty: &PyTypeObject) -> bool {
        self.ty().is_subtype(ty)
    }

    pub fn is_callable(&self) -> bool {
        self.ty().tp_call.get().is_some()
    }
}

/// The result of a C slot as a `PyResult`; NULL without an exception becomes SystemError.
///
/// # Safety
/// `result` is a new reference or NULL.
#[inline]
pub unsafe fn from_slot(result: *mut PyObject, what: &str) -> PyResult {
    // SAFETY: the caller's contract.
    unsafe { Ref::from_owned_opt(result) }.ok_or_else(|| Raised::from_c(what))
}

/// As `from_slot` for functions that return -1 on error.
#[inline]
pub fn from_status(status: c_int, what: &str) -> PyResult<()> {
    if status < 0 {
        Err(Raised::from_c(what))
    } else {
        Ok(())
    }
}

impl PyTypeObject {
    /// One slot of the number suite, when the type has the suite and the slot.
    #[inline(always)]
    pub fn number_slot<F>(&self, slot: impl FnOnce(&PyNumberMethods) -> Option<F>) -> Option<F> {
        // SAFETY: a type's suites live as long as the type.
        unsafe { self.tp_as_number.get().as_ref() }.and_then(slot)
    }
    #[inline(always)]
    pub fn sequence_slot<F>(&self, slot: impl FnOnce(&PySequenceMethods) -> Option<F>) -> Option<F> {
        // SAFETY: a type's suites live as long as the type.
        unsafe { self.tp_as_sequence.get().as_ref() }.and_then(slot)
    }
    #[inline(always)]
    pub fn mapping_slot<F>(&self, slot: impl FnOnce(&PyMappingMethods) -> Option<F>) -> Option<F> {
        // SAFETY: a type's suites live as long as the type.
        unsafe { self.tp_as_mapping.get().as_ref() }.and_then(slot)
    }
    #[inline(always)]
    pub fn async_slot<F>(&self, slot: impl FnOnce(&PyAsyncMethods) -> Option<F>) -> Option<F> {
        // SAFETY: a type's suites live as long as the type.
        unsafe { self.tp_as_async.get().as_ref() }.and_then(slot)
    }
}
