//! `types.MappingProxyType`: a read-only view of any mapping; what a class's `__dict__` is.

use super::freelist::alloc_static;
use crate::memory::{self, gc};
use crate::prelude::*;
use crate::protocol::number;
use std::cell::Cell;

#[repr(C)]
pub struct PyMappingProxy {
    ob_base: PyObject,
    mapping: Cell<*mut PyObject>,
}

/// `PyDictProxy_New`: a proxy for a mapping.
pub fn mapping_proxy(mapping: &PyObject) -> PyResult {
    let is_mapping = mapping
        .ty()
        .mapping_slot(|slots| slots.mp_subscript.get())
        .is_some();
    if !is_mapping || PyListObject::check(mapping) || PyTupleObject::check(mapping) {
        return Err(raise!(
            TypeError,
            "mappingproxy() argument must be a mapping, not {}",
            mapping.ty().full_name()
        ));
    }
    let object = alloc_static(&PyDictProxy_Type, size_of::<PyMappingProxy>());
    // SAFETY: memory for a proxy, its header set.
    unsafe {
        (*object.cast::<PyMappingProxy>())
            .mapping
            .set(mapping.to_ref().into_raw());
        gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

impl PyMappingProxy {
    #[inline]
    pub fn mapping(&self) -> &PyObject {
        // SAFETY: the proxy owns its mapping.
        unsafe { &*self.mapping.get() }
    }
    fn unwrap(object: &PyObject) -> &PyObject {
        match object.downcast_exact::<PyMappingProxy>() {
            Some(proxy) => proxy.mapping(),
            None => object,
        }
    }
}

#[pytype(name = "mappingproxy", static_name = PyDictProxy_Type, flags = HAVE_GC | MAPPING)]
/// A read-only view of a mapping.
impl PyMappingProxy {
    #[new("(mapping)")]
    fn new(_cls: &PyTypeObject, mapping: &PyObject) -> PyResult {
        mapping_proxy(mapping)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the proxy is dead and owned its mapping.
        unsafe {
            gc::untrack(this.cast());
            memory::decref((*this).mapping.get());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.mapping.get())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let mut text = super::reprs::ReprBuilder::new("mappingproxy(");
        text.push_repr(self.mapping())?;
        text.push_str(")");
        Ok(text.finish())
    }
    #[slot]
    fn tp_str(&self) -> PyResult {
        Ok(self.mapping().str()?.into_object())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        self.mapping().hash()
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        self.mapping().iter()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        self.mapping().rich_compare(Self::unwrap(other), op)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        self.mapping().len()
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        self.mapping().get_item(key)
    }
    #[slot]
    fn sq_contains(&self, key: &PyObject) -> PyResult<bool> {
        self.mapping().contains(key)
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        number::or(Self::unwrap(a), Self::unwrap(b))
    }
    #[slot]
    fn nb_inplace_or(&self, _other: &PyObject) -> PyResult {
        Err(raise!(
            TypeError,
            "'|=' is not supported by {}; use '|' instead",
            self.as_object().ty().full_name()
        ))
    }
    /// The value for key if the mapping has it, else default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        self.mapping()
            .call_method(identifier!("get"), &[key, default.unwrap_or(none())])
    }
    /// The mapping's keys.
    #[method("($self, /)")]
    fn keys(&self) -> PyResult {
        self.mapping().call_method(identifier!("keys"), &[])
    }
    /// The mapping's values.
    #[method("($self, /)")]
    fn values(&self) -> PyResult {
        self.mapping().call_method(identifier!("values"), &[])
    }
    /// The mapping's items.
    #[method("($self, /)")]
    fn items(&self) -> PyResult {
        self.mapping().call_method(identifier!("items"), &[])
    }
    /// A copy of the mapping.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        self.mapping().call_method(identifier!("copy"), &[])
    }
    /// mappingproxy[key type, value type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    /// An iterator over the mapping, last key first.
    #[method("($self, /)")]
    fn __reversed__(&self) -> PyResult {
        self.mapping().call_method(identifier!("__reversed__"), &[])
    }
}
