//! weakrefobject.h.

use crate::export::{Borrowed, OutRef, bad_internal_call, opt, put};
use adder_runtime::objects::weakrefobject::{
    _PyWeakref_CallableProxyType, _PyWeakref_ProxyType, _PyWeakref_RefType,
};
use adder_runtime::prelude::*;

/// The reference or proxy behind an object.
fn reference(object: &PyObject) -> Option<&PyWeakReference> {
    let ty = object.ty();
    let is_weak = ty.is_subtype(&_PyWeakref_RefType)
        || std::ptr::eq(ty, &_PyWeakref_ProxyType)
        || std::ptr::eq(ty, &_PyWeakref_CallableProxyType);
    // SAFETY: the three types have one layout.
    is_weak.then(|| unsafe { object.cast_unchecked() })
}

/// What it refers to, while that lives.
fn referent(reference: &PyWeakReference) -> Option<Ref> {
    // SAFETY: an object tells its references before it goes.
    let object = unsafe { opt(reference.wr_object.get())? };
    (!is_none(object) && object.refcnt() > 0).then(|| object.to_ref())
}

capi! {
    fn PyWeakref_NewRef(object: &PyObject, callback: Option<&PyObject>) -> PyResult {
        let callback = callback.unwrap_or(none());
        _PyWeakref_RefType.as_object().call(&[object, callback])
    }
    fn PyWeakref_NewProxy(object: &PyObject, callback: Option<&PyObject>) -> PyResult {
        let weakref = crate::import::import_module("_weakref")?;
        weakref.call_method(identifier!("proxy"), &[object, callback.unwrap_or(none())])
    }
    fn PyWeakref_GetRef(object: Option<&PyObject>, place: OutRef) -> PyResult<bool> {
        let Some(object) = object else {
            return Err(bad_internal_call());
        };
        let Some(reference) = reference(object) else {
            return Err(raise!(TypeError, "expected a weakref"));
        };
        let referent = referent(reference);
        let found = referent.is_some();
        // SAFETY: C gives a place.
        unsafe { put(place.0, referent.map_or(std::ptr::null_mut(), Ref::into_raw)) };
        Ok(found)
    }
    fn PyWeakref_GetObject(object: &PyObject) -> PyResult<Borrowed> {
        let reference = reference(object).ok_or_else(bad_internal_call)?;
        // Lent by whoever keeps the object alive.
        Ok(referent(reference).map_or_else(|| none().into(), |referent| Borrowed(referent.as_raw())))
    }
    fn PyWeakref_IsDead(object: &PyObject) -> PyResult<bool> {
        match reference(object) {
            Some(reference) => Ok(referent(reference).is_none()),
            None => Err(raise!(TypeError, "expected a weakref, got {}", object.ty().name())),
        }
    }
}
