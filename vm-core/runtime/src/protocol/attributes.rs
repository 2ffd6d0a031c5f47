//! Attribute access: by `tp_getattro`/`tp_setattro`, and the generic lookup that most types have there.

use super::{from_slot, from_status};
use crate::error;
use crate::exceptions::exc;
use crate::memory::MANAGED_DICT_OFFSET;
use crate::objects::dictobject::instance;
use crate::prelude::*;

impl PyObject {
    /// `self.name` where it is found by what is known of the class: an instance's own attribute, a method, a C getter, a plain class
    /// attribute, a name in a module. Null with an exception when the getter failed; `None` when the general way must be taken.
    #[inline(always)]
    pub fn get_attr_quick(&self, name: &PyUnicodeObject) -> Option<*mut PyObject> {
        let ty = self.ty();
        let getattro = ty.tp_getattro.get()? as usize;
        let entry = ty.cached(name)?;
        // SAFETY: the version is current, so the class still holds the value; what is found is held by its owner until a count is
        // taken.
        unsafe {
            if getattro != generic_get_attr_slot as *const () as usize {
                if getattro != crate::objects::moduleobject::module_getattro as *const () as usize
                    || !entry.value().is_null()
                {
                    return None;
                }
                let dict = self.cast_unchecked::<PyModuleObject>().dict_if_any()?;
                let found = dict.find_same(name.as_object())?.get();
                (*found).incref();
                return Some(found);
            }
            let Some(descriptor) = entry.value().as_ref() else {
                let own = instance::get_at_place(self, entry)?.as_ref()?;
                own.incref();
                return Some(own.as_ptr());
            };
            let is_function = PyFunctionObject::check_exact(descriptor);
            if !is_function {
                if let Some((get, closure)) = plain_getter(descriptor, ty) {
                    let result = get(self.as_ptr(), closure);
                    return Some(if result.is_null() {
                        getter_failed(self, name)
                    } else {
                        result
                    });
                }
                if descriptor.ty().tp_descr_get.get().is_some() {
                    return None;
                }
            }
            let has_dict = ty.tp_dictoffset.get() != 0 || ty.tp_flags.get() & Py_TPFLAGS_MANAGED_DICT != 0;
            if has_dict && let Some(own) = instance::get_at_place(self, entry)?.as_ref() {
                own.incref();
                return Some(own.as_ptr());
            }
            if is_function {
                return Some(crate::objects::classobject::bind_function(descriptor, self));
            }
            descriptor.incref();
            Some(descriptor.as_ptr())
        }
    }
    /// `self.name`.
    #[inline]
    pub fn get_attr(&self, name: &PyUnicodeObject) -> PyResult {
        let ty = self.ty();
        // SAFETY: slots of this object's type.
        unsafe {
            if let Some(getattro) = ty.tp_getattro.get() {
                if getattro as usize == generic_get_attr_slot as *const () as usize {
                    let result = generic_get_attr(self, name);
                    return result.map_err(|raised| with_attribute_context(raised, self, name));
                }
                let result = from_slot(getattro(self.as_ptr(), name.as_ptr()), "__getattribute__");
                return result.map_err(|raised| with_attribute_context(raised, self, name));
            }
            if let Some(getattr) = ty.tp_getattr.get() {
                let text = std::ffi::CString::new(name.to_str()?).unwrap_or_default();
                return from_slot(
                    getattr(self.as_ptr(), text.as_ptr().cast_mut()),
                    "__getattribute__",
                );
            }
        }
        Err(no_attribute(self, name))
    }
    /// `getattr(self, name)` for any name object: TypeError unless it is a str.
    pub fn get_attr_object(&self, name: &PyObject) -> PyResult {
        self.get_attr(attribute_name(name)?)
    }
    /// `self.name` for a Rust name that is not worth an identifier.
    pub fn get_attr_str(&self, name: &str) -> PyResult {
        let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
        self.get_attr(&name)
    }
    /// `self.name`, or `None` when that raises AttributeError.
    pub fn get_attr_opt(&self, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
        let ty = self.ty();
        if has_generic_attributes(ty) {
            return generic_get_attr_opt(self, name, None);
        }
        if let Some(module) = self.downcast_exact::<PyModuleObject>() {
            return module.get_module_attr_opt(name);
        }
        if PyTypeObject::check(self) && crate::types::uses_type_getattro(ty) {
            // SAFETY: just checked.
            return unsafe { self.cast_unchecked::<PyTypeObject>() }.type_get_attr_opt(name);
        }
        match self.get_attr(name) {
            Ok(value) => Ok(Some(value)),
            Err(raised) => raised.clear_if(exc::AttributeError).map(|()| None),
        }
    }
    pub fn has_attr(&self, name: &PyUnicodeObject) -> PyResult<bool> {
        Ok(self.get_attr_opt(name)?.is_some())
    }
    /// `self.name = value`.
    pub fn set_attr(&self, name: &PyUnicodeObject, value: &PyObject) -> PyResult<()> {
        self.set_or_del_attr(name, Some(value))
    }
    pub fn set_attr_str(&self, name: &str, value: &PyObject) -> PyResult<()> {
        let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
        self.set_attr(&name, value)
    }
    /// `del self.name`.
    pub fn del_attr(&self, name: &PyUnicodeObject) -> PyResult<()> {
        self.set_or_del_attr(name, None)
    }
    /// `self.name = value` where that replaces an attribute of the instance by what is known of its class; false when the general
    /// way must be taken.
    #[inline(always)]
    pub fn set_attr_quick(&self, name: &PyUnicodeObject, value: &PyObject) -> bool {
        let ty = self.ty();
        if ty
            .tp_setattro
            .get()
            .is_none_or(|slot| slot as usize != generic_set_attr_slot as *const () as usize)
        {
            return false;
        }
        let Some(entry) = ty.cached(name) else {
            return false;
        };
        // SAFETY: the version is current, so the class still holds the value.
        let descriptor = unsafe { entry.value().as_ref() };
        if descriptor.is_some_and(|descriptor| descriptor.ty().tp_descr_set.get().is_some()) {
            return false;
        }
        instance::replace_at_place(self, entry, value)
    }
    pub fn set_or_del_attr(&self, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<()> {
        let ty = self.ty();
        let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
        // SAFETY: slots of this object's type.
        unsafe {
            if let Some(setattro) = ty.tp_setattro.get() {
                if setattro as usize == generic_set_attr_slot as *const () as usize {
                    return generic_set_attr(self, name, value);
                }
                return from_status(setattro(self.as_ptr(), name.as_ptr(), raw), "__setattr__");
            }
            if let Some(setattr) = ty.tp_setattr.get() {
                let text = std::ffi::CString::new(name.to_str()?).unwrap_or_default();
                return from_status(
                    setattr(self.as_ptr(), text.as_ptr().cast_mut(), raw),
                    "__setattr__",
                );
            }
        }
        let verb = if value.is_some() { "assign to" } else { "del" };
        let kind = if ty.tp_getattr.get().is_none() && ty.tp_getattro.get().is_none() {
            "has no attributes"
        } else {
            "has only read-only attributes"
        };
        Err(raise!(
            TypeError,
            "'{}' object {kind} ({verb} .{})",
            ty.full_name(),
            name.to_string_lossy()
        ))
    }

    /// The method descriptor `name` of the class, by what is known of that, where no attribute of the instance hides it. The class
    /// keeps it.
    #[inline(always)]
    fn get_function_quick(&self, name: &PyUnicodeObject) -> Option<&PyObject> {
        let ty = self.ty();
        let entry = ty.cached(name)?;
        // SAFETY: the version is current, so the class still holds the value.
        let function = unsafe { entry.value().as_ref() }?;
        if !function.type_has(Py_TPFLAGS_METHOD_DESCRIPTOR) {
            return None;
        }
        let has_dict = ty.tp_dictoffset.get() != 0 || ty.tp_flags.get() & Py_TPFLAGS_MANAGED_DICT != 0;
        let is_hidden = has_dict && !instance::get_at_place(self, entry)?.is_null();
        (!is_hidden).then_some(function)
    }
    /// The method `name` for a call: `(function, true)` when `self` is to be passed first, `(attribute, false)`
    /// otherwise. The rules of `_PyObject_GetMethod`.
    pub fn get_method(&self, name: &PyUnicodeObject) -> PyResult<(Ref, bool)> {
        let ty = self.ty();
        if !has_generic_attributes(ty) {
            return Ok((self.get_attr(name)?, false));
        }
        if let Some(function) = self.get_function_quick(name) {
            return Ok((function.to_ref(), true));
        }
        let descriptor = ty.lookup(name).map(PyObject::to_ref);
        let mut getter = None;
        let mut unbound = false;
        if let Some(descriptor) = &descriptor {
            let descriptor_type = descriptor.ty();
            if descriptor_type.tp_flags.get() & Py_TPFLAGS_METHOD_DESCRIPTOR != 0 {
                unbound = true;
            } else {
                getter = descriptor_type.tp_descr_get.get();
                if let Some(get) = getter
                    && descriptor_type.tp_descr_set.get().is_some()
                {
                    return Ok((call_getter(get, descriptor, self, ty)?, false));
                }
            }
        }
        if let Some(value) = self.instance_attribute(name)? {
            return Ok((value, false));
        }
        match descriptor {
            Some(function) if unbound => Ok((function, true)),
            Some(descriptor) => match getter {
                Some(get) => Ok((call_getter(get, &descriptor, self, ty)?, false)),
                None => Ok((descriptor, false)),
            },
            None => Err(no_attribute(self, name)),
        }
    }

    /// The special method `name` of the type, bound to `self`; instance attributes do not count.
    pub fn lookup_special(&self, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
        let ty = self.ty();
        let Some(found) = ty.lookup(name) else {
            return Ok(None);
        };
        let found = found.to_ref();
        match found.ty().tp_descr_get.get() {
            Some(get) => call_getter(get, &found, self, ty).map(Some),
            None => Ok(Some(found)),
        }
    }

    /// The slot that holds this instance's `__dict__`, when its type gives it one.
    #[inline]
    pub fn dict_slot(&self) -> Option<&std::cell::Cell<*mut PyObject>> {
        let ty = self.ty();
        let offset = if ty.tp_flags.get() & Py_TPFLAGS_MANAGED_DICT != 0 {
            MANAGED_DICT_OFFSET
        } else {
            let mut offset = ty.tp_dictoffset.get();
            if offset == 0 {
                return None;
            }
            if offset < 0 {
                // Counted from the end of a variable-size object.
                // SAFETY: only variable-size types have a negative offset.
                let size = unsafe { (*self.as_ptr().cast::<PyVarObject>()).ob_size.get() };
                let total = ty.tp_basicsize.get() + size.abs() * ty.tp_itemsize.get();
                offset += (total + 7) & !7;
            }
            offset
        };
        // SAFETY: the type says that a dict pointer is at this offset.
        Some(unsafe { &*self.as_ptr().byte_offset(offset).cast() })
    }
    /// This instance's `__dict__` if it has been made, or has attributes to show.
    #[inline]
    pub fn instance_dict(&self) -> Option<&PyDictObject> {
        if self.type_has(Py_TPFLAGS_MANAGED_DICT)
            && instance::valid_inline_values(self).is_some_and(|values| values.size.get() != 0)
        {
            drop(instance::managed_dict(self));
        }
        // SAFETY: the slot holds a dict or null.
        self.dict_slot()
            .and_then(|slot| unsafe { slot.get().cast::<PyDictObject>().as_ref() })
    }
    /// This instance's `__dict__`, made on demand; `None` when its type gives it none.
    pub fn instance_dict_or_make(&self) -> Option<Ref<PyDictObject>> {
        if self.type_has(Py_TPFLAGS_MANAGED_DICT) {
            return Some(instance::managed_dict(self));
        }
        let slot = self.dict_slot()?;
        if slot.get().is_null() {
            slot.set(PyDictObject::new().into_object_raw());
        }
        // SAFETY: just checked or set.
        Some(unsafe { Ref::from_borrowed(slot.get().cast()) })
    }
    /// The value of `name` in the instance's own attributes.
    #[inline]
    pub fn instance_attribute(&self, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
        let ty = self.ty();
        if ty.tp_dictoffset.get() == 0 && ty.tp_flags.get() & Py_TPFLAGS_MANAGED_DICT == 0 {
            return Ok(None);
        }
        if self.type_has(Py_TPFLAGS_MANAGED_DICT) {
            return instance::get_attribute(self, name);
        }
        match self.instance_dict() {
            Some(dict) => dict.get(name.as_object()),
            None => Ok(None),
        }
    }
}

/// The name of an attribute, or the TypeError that CPython raises.
pub fn attribute_name(name: &PyObject) -> PyResult<&PyUnicodeObject> {
    name.downcast::<PyUnicodeObject>().ok_or_else(|| {
        raise!(
            TypeError,
            "attribute name must be string, not '{}'",
            name.ty().full_name()
        )
    })
}

/// AttributeError for `object.name`, with `name` and `obj` set for suggestions.
#[cold]
pub fn no_attribute(object: &PyObject, name: &PyUnicodeObject) -> Raised {
    let ty = object.ty();
    let raised = raise!(
        AttributeError,
        "'{}' object has no attribute '{}'",
        ty.full_name(),
        name.to_string_lossy()
    );
    with_attribute_context(raised, object, name)
}

/// Sets `name` and `obj` of the AttributeError in flight where they are not set yet.
#[cold]
pub fn with_attribute_context(raised: Raised, object: &PyObject, name: &PyUnicodeObject) -> Raised {
    if error::occurred_is(exc::AttributeError) {
        let exception = raised.take();
        crate::exceptions::set_attribute_error_context(&exception, object, name);
        return error::restore(exception);
    }
    raised
}

#[inline]
fn call_getter(
    get: unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject,
    descriptor: &PyObject,
    object: &PyObject,
    ty: &PyTypeObject,
) -> PyResult {
    // SAFETY: the descriptor's own slot.
    unsafe { from_slot(get(descriptor.as_ptr(), object.as_ptr(), ty.as_ptr()), "__get__") }
}

/// `object.__getattribute__`, with `None` for 'no such attribute' where that can be told without an exception.
pub fn generic_get_attr_opt(
    object: &PyObject,
    name: &PyUnicodeObject,
    dict: Option<&PyDictObject>,
) -> PyResult<Option<Ref>> {
    let ty = object.ty();
    if ty.tp_dict.get().is_null() {
        crate::types::ready(ty)?;
    }
    let descriptor = ty.lookup(name).map(PyObject::to_ref);
    let mut getter = None;
    if let Some(descriptor) = &descriptor {
        getter = descriptor.ty().tp_descr_get.get();
        if let Some(get) = getter
            && descriptor.ty().tp_descr_set.get().is_some()
        {
            return match call_getter(get, descriptor, object, ty) {
                Ok(value) => Ok(Some(value)),
                Err(raised) => raised.clear_if(exc::AttributeError).map(|()| None),
            };
        }
    }
    let own = match dict {
        Some(dict) => dict.get(name.as_object())?,
        None => object.instance_attribute(name)?,
    };
    if own.is_some() {
        return Ok(own);
    }
    match (descriptor, getter) {
        (Some(descriptor), Some(get)) => match call_getter(get, &descriptor, object, ty) {
            Ok(value) => Ok(Some(value)),
            Err(raised) => raised.clear_if(exc::AttributeError).map(|()| None),
        },
        (descriptor, _) => Ok(descriptor),
    }
}

/// The C function behind a descriptor that the type itself made for a row of its table: a call of it needs no check.
#[inline(always)]
fn plain_getter(descriptor: &PyObject, ty: &PyTypeObject) -> Option<(getter, *mut c_void)> {
    let descriptor = descriptor.downcast_exact::<PyGetSetDescrObject>()?;
    if !std::ptr::eq(descriptor.d_common.d_type.get(), ty) {
        return None;
    }
    let def = descriptor.getset();
    Some((def.get.get()?, def.closure.get()))
}

/// After a getter that gave NULL: an AttributeError learns of what it speaks.
#[cold]
#[inline(never)]
fn getter_failed(object: &PyObject, name: &PyUnicodeObject) -> *mut PyObject {
    let _ = with_attribute_context(Raised::from_c("getter"), object, name);
    std::ptr::null_mut()
}

/// `object.__getattribute__`: data descriptors, then the instance's attributes, then the type's.
pub fn generic_get_attr(object: &PyObject, name: &PyUnicodeObject) -> PyResult {
    let ty = object.ty();
    if ty.tp_dict.get().is_null() {
        crate::types::ready(ty)?;
    }
    let descriptor = ty.lookup(name);
    let Some(descriptor) = descriptor else {
        return match object.instance_attribute(name)? {
            Some(value) => Ok(value),
            None => Err(no_attribute(object, name)),
        };
    };
    if let Some((get, closure)) = plain_getter(descriptor, ty) {
        // SAFETY: the getter of the object's own type.
        return unsafe { from_slot(get(object.as_ptr(), closure), "getter") };
    }
    let getter = descriptor.ty().tp_descr_get.get();
    // What runs may change the class: the descriptor is held from here on.
    let descriptor = descriptor.to_ref();
    if let Some(get) = getter
        && descriptor.ty().tp_descr_set.get().is_some()
    {
        return call_getter(get, &descriptor, object, ty);
    }
    if let Some(value) = object.instance_attribute(name)? {
        return Ok(value);
    }
    match getter {
        Some(get) => call_getter(get, &descriptor, object, ty),
        None => Ok(descriptor),
    }
}

/// `object.__setattr__` and `object.__delattr__` (no value).
pub fn generic_set_attr(object: &PyObject, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<()> {
    let ty = object.ty();
    if ty.tp_dict.get().is_null() {
        crate::types::ready(ty)?;
    }
    let descriptor = ty.lookup(name).map(PyObject::to_ref);
    if let Some(descriptor) = &descriptor
        && let Some(set) = descriptor.ty().tp_descr_set.get()
    {
        let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
        // SAFETY: the descriptor's own slot.
        return from_status(
            unsafe { set(descriptor.as_ptr(), object.as_ptr(), raw) },
            "__set__",
        );
    }
    if object.type_has(Py_TPFLAGS_MANAGED_DICT) {
        let found = instance::set_attribute(object, name, value)?;
        return if found {
            Ok(())
        } else {
            Err(no_attribute(object, name))
        };
    }
    let Some(slot) = object.dict_slot() else {
        return Err(cannot_set(object, name, descriptor.is_some()));
    };
    match value {
        Some(value) => {
            if slot.get().is_null() {
                slot.set(PyDictObject::new().into_object_raw());
            }
            // SAFETY: the slot holds a dict.
            let dict: Ref<PyDictObject> = unsafe { Ref::from_borrowed(slot.get().cast()) };
            if name.as_object().downcast_exact::<PyUnicodeObject>().is_some() {
                dict.set_str(name, value)
            } else {
                dict.set(name.as_object(), value)
            }
        }
        None => {
            let removed = match object.instance_dict() {
                Some(dict) => dict.to_ref().remove(name.as_object())?,
                None => false,
            };
            if removed {
                Ok(())
            } else {
                Err(no_attribute(object, name))
            }
        }
    }
}

#[cold]
fn cannot_set(object: &PyObject, name: &PyUnicodeObject, has_descriptor: bool) -> Raised {
    let ty = object.ty();
    let name_text = name.to_string_lossy();
    let raised = if has_descriptor {
        raise!(
            AttributeError,
            "'{}' object attribute '{name_text}' is read-only",
            ty.full_name()
        )
    } else {
        raise!(
            AttributeError,
            "'{}' object has no attribute '{name_text}' and no __dict__ for setting new attributes",
            ty.full_name()
        )
    };
    with_attribute_context(raised, object, name)
}

/// Whether attributes of instances are looked up as `object` does.
#[inline(always)]
pub fn has_generic_attributes(ty: &PyTypeObject) -> bool {
    let generic = generic_get_attr_slot as *const () as usize;
    ty.tp_getattro.get().is_some_and(|slot| slot as usize == generic)
}

/// `PyObject_GenericGetAttr` as a slot.
pub unsafe extern "C" fn generic_get_attr_slot(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: slots get live objects.
        let (object, name) = unsafe { (&*object, &*name) };
        generic_get_attr(object, attribute_name(name)?)
    })
}

/// `PyObject_GenericSetAttr` as a slot.
pub unsafe extern "C" fn generic_set_attr_slot(
    object: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    crate::args::boundary_status(|| {
        // SAFETY: slots get live objects; a null value means deletion.
        let (object, name, value) = unsafe { (&*object, &*name, value.as_ref()) };
        generic_set_attr(object, attribute_name(name)?, value)
    })
}
