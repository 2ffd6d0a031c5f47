//! `_weakref`: weak references and proxies.

use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;

/// Weak references and proxies.
#[pymodule(name = "_weakref")]
pub mod _weakref {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("ref", weakrefobject::_PyWeakref_RefType.to_object())?;
        module.add("ReferenceType", weakrefobject::_PyWeakref_RefType.to_object())?;
        module.add("ProxyType", weakrefobject::_PyWeakref_ProxyType.to_object())?;
        module.add("CallableProxyType", weakrefobject::_PyWeakref_CallableProxyType.to_object())
    }

    /// How many weak references and proxies of the object exist.
    #[pyfunction("($module, object, /)")]
    fn getweakrefcount(object: &PyObject) -> usize {
        weakrefobject::references(object).len()
    }
    /// The weak references and proxies of the object.
    #[pyfunction("($module, object, /)")]
    fn getweakrefs(object: &PyObject) -> PyResult {
        Ok(PyListObject::from_vec(weakrefobject::references(object)).into_object())
    }
    /// A proxy that refers weakly to the object.
    #[pyfunction("($module, object, callback=None, /)")]
    fn proxy(object: &PyObject, callback: Option<&PyObject>) -> PyResult {
        weakrefobject::new_proxy(object, callback)
    }
    /// Removes an item when its value is still a dead weak reference.
    #[pyfunction("($module, dct, key, /)")]
    fn _remove_dead_weakref(dct: &PyDictObject, key: &PyObject) -> PyResult<()> {
        if let Some(value) = dct.get(key)?
            && weakrefobject::is_reference(&value)
            && weakrefobject::referent(&value).is_none()
        {
            dct.remove(key)?;
        }
        Ok(())
    }
}
