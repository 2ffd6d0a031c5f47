//! `types.SimpleNamespace`: an object that has only attributes.

use super::dictobject::OnDuplicate;
use super::freelist::{alloc_instance, free_instance};
use super::reprs::guarded_repr;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct PySimpleNamespace {
    ob_base: PyObject,
    ns_dict: Cell<*mut PyDictObject>,
}

/// `_PyNamespace_New`: a namespace with the attributes of a dict.
pub fn new_namespace(attributes: &PyDictObject) -> PyResult {
    let namespace = PySimpleNamespace::new_instance(&_PyNamespace_Type)?;
    // SAFETY: just made of this type.
    unsafe { namespace.cast_unchecked::<PySimpleNamespace>() }
        .dict()
        .merge_dict(attributes, OnDuplicate::Replace)?;
    Ok(namespace)
}

impl PySimpleNamespace {
    fn new_instance(cls: &PyTypeObject) -> PyResult {
        let object = alloc_instance(cls, 0)?;
        // SAFETY: an instance of the type or of a subclass.
        unsafe { object.cast_unchecked::<PySimpleNamespace>() }
            .ns_dict
            .set(PyDictObject::new().into_raw());
        Ok(object)
    }
    fn dict(&self) -> Ref<PyDictObject> {
        // SAFETY: the namespace owns its dict, but for after tp_clear.
        unsafe { Ref::from_borrowed_opt(self.ns_dict.get()) }.unwrap_or_else(PyDictObject::new)
    }
}

/// Attributes have strings for names.
fn check_names(names: &PyDictObject) -> PyResult<()> {
    let mut position = 0;
    while let Some((name, _, _)) = names.next_entry(&mut position) {
        if !PyUnicodeObject::check(name) {
            return Err(raise!(TypeError, "keywords must be strings"));
        }
    }
    Ok(())
}

#[pytype(
    name = "types.SimpleNamespace",
    static_name = _PyNamespace_Type,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(PySimpleNamespace, ns_dict),
    members = [("__dict__", _Py_T_OBJECT, offset_of!(PySimpleNamespace, ns_dict), Py_READONLY)],
    slots = [tp_hash = crate::types::hash_not_implemented],
    doc = "SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n--\n\nAn object with the attributes given."
)]
impl PySimpleNamespace {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Self::new_instance(cls)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let attributes = self.dict();
        match args.as_slice() {
            [] => {}
            [source] => {
                let names = match source.downcast::<PyDictObject>() {
                    Some(dict) => dict.to_ref(),
                    None => {
                        let dict = PyDictObject::new();
                        dict.update(source)?;
                        dict
                    }
                };
                check_names(&names)?;
                attributes.merge_dict(&names, OnDuplicate::Replace)?;
            }
            more => {
                let name = self.as_object().ty().name();
                let name = name.rsplit('.').next().unwrap_or_default();
                return Err(raise!(
                    TypeError,
                    "{name} expected at most 1 argument, got {}",
                    more.len()
                ));
            }
        }
        match kwargs {
            Some(kwargs) => {
                check_names(kwargs)?;
                attributes.merge_dict(kwargs, OnDuplicate::Replace)
            }
            None => Ok(()),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the namespace is dead and owned its dict.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).ns_dict.get().cast());
            free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.ns_dict.get())
    }
    #[slot]
    fn tp_clear(&self) {
        // SAFETY: the namespace owned its dict.
        unsafe { memory::xdecref(self.ns_dict.replace(std::ptr::null_mut()).cast()) };
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let object = self.as_object();
        let name = if PySimpleNamespace::check_exact(object) {
            "namespace".into()
        } else {
            object.ty().name()
        };
        guarded_repr(object, &format!("{name}(...)"), &format!("{name}("), |out| {
            let dict = self.dict();
            let mut first = true;
            for key in dict.keys_list().as_slice() {
                let Some(text) = key.downcast::<PyUnicodeObject>().filter(|text| !text.is_empty()) else {
                    continue;
                };
                let Some(value) = dict.get(key)? else { continue };
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                out.push(text);
                out.push_str("=");
                out.push_repr(&value)?;
            }
            out.push_str(")");
            Ok(())
        })
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match other.downcast::<PySimpleNamespace>() {
            Some(other) => self.dict().as_object().rich_compare(other.dict().as_object(), op),
            None => Ok(not_implemented().to_ref()),
        }
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let class = self.as_object().ty().to_object();
        let parts = vec![
            class,
            PyTupleObject::empty().into_object(),
            self.dict().into_object(),
        ];
        Ok(PyTupleObject::from_vec(parts).into_object())
    }
    /// A copy with some attributes changed.
    #[method(raw, "($self, /, **changes)")]
    fn __replace__(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        if !args.is_empty() {
            return Err(raise!(TypeError, "__replace__() takes no positional arguments"));
        }
        let new = self.as_object().ty().as_object().call0()?;
        let Some(target) = new.clone().downcast::<PySimpleNamespace>().ok() else {
            return Err(raise!(
                TypeError,
                "expect types.SimpleNamespace type, but {}() returned '{}' object",
                self.as_object().ty().fully_qualified_name(),
                new.ty().fully_qualified_name()
            ));
        };
        let attributes = target.dict();
        attributes.merge_dict(&self.dict(), OnDuplicate::Replace)?;
        attributes.take_keywords(args, kwnames)?;
        Ok(target.into_object())
    }
}
