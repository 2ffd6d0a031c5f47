//! The watchers of cpython/dictobject.h, typeobject.h, code.h, funcobject.h and context.h: C callbacks -> the runtime's registries.

use adder_runtime::objects::dictobject::watch;
use adder_runtime::objects::watchers;
use adder_runtime::prelude::*;

fn as_id(id: usize) -> c_int {
    id as c_int
}

fn watched_dict(object: &PyObject) -> PyResult<&PyDictObject> {
    object
        .downcast::<PyDictObject>()
        .ok_or_else(|| raise!(ValueError, "Cannot watch non-dictionary"))
}

fn watched_type(object: &PyObject) -> PyResult<&PyTypeObject> {
    object
        .downcast::<PyTypeObject>()
        .ok_or_else(|| raise!(ValueError, "Cannot watch non-type"))
}

/// C's callback as what a registry keeps.
///
/// # Safety
/// `callback` is a function of type `F`, which is a function pointer.
unsafe fn function<F: Copy>(callback: *mut c_void) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the caller's contract.
    unsafe { std::mem::transmute_copy(&callback) }
}

capi! {
    fn PyDict_AddWatcher(callback: *mut c_void) -> PyResult<c_int> {
        // SAFETY: C gives a callback of this kind.
        watchers::DICTS.add(unsafe { function(callback) }).map(as_id)
    }
    fn PyDict_ClearWatcher(id: c_int) -> PyResult<()> { watchers::DICTS.clear(id as isize) }
    fn PyDict_Watch(id: c_int, dict: &PyObject) -> PyResult<()> { watch::watch(id as isize, watched_dict(dict)?) }
    fn PyDict_Unwatch(id: c_int, dict: &PyObject) -> PyResult<()> { watch::unwatch(id as isize, watched_dict(dict)?) }

    fn PyType_AddWatcher(callback: *mut c_void) -> PyResult<c_int> {
        // SAFETY: C gives a callback of this kind.
        watchers::TYPES.add(unsafe { function(callback) }).map(as_id)
    }
    fn PyType_ClearWatcher(id: c_int) -> PyResult<()> { watchers::TYPES.clear(id as isize) }
    fn PyType_Watch(id: c_int, ty: &PyObject) -> PyResult<()> {
        let ty = watched_type(ty)?;
        let id = watchers::TYPES.validate(id as isize)?;
        // Only a type that has a version hears that it is modified.
        adder_runtime::types::assign_version(ty);
        ty.tp_watched.set(ty.tp_watched.get() | 1 << id);
        Ok(())
    }
    fn PyType_Unwatch(id: c_int, ty: &PyObject) -> PyResult<()> {
        let ty = watched_type(ty)?;
        let id = watchers::TYPES.validate(id as isize)?;
        ty.tp_watched.set(ty.tp_watched.get() & !(1 << id));
        Ok(())
    }

    fn PyCode_AddWatcher(callback: *mut c_void) -> PyResult<c_int> {
        // SAFETY: C gives a callback of this kind.
        watchers::CODE.add(unsafe { function(callback) }).map(as_id)
    }
    fn PyCode_ClearWatcher(id: c_int) -> PyResult<()> { watchers::CODE.clear(id as isize) }

    fn PyFunction_AddWatcher(callback: *mut c_void) -> PyResult<c_int> {
        // SAFETY: C gives a callback of this kind.
        watchers::FUNCTIONS.add(unsafe { function(callback) }).map(as_id)
    }
    fn PyFunction_ClearWatcher(id: c_int) -> PyResult<()> { watchers::FUNCTIONS.clear(id as isize) }

    fn PyContext_AddWatcher(callback: *mut c_void) -> PyResult<c_int> {
        // SAFETY: C gives a callback of this kind.
        watchers::CONTEXTS.add(unsafe { function(callback) }).map(as_id)
    }
    fn PyContext_ClearWatcher(id: c_int) -> PyResult<()> { watchers::CONTEXTS.clear(id as isize) }
}
