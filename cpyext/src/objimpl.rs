//! objimpl.h: allocation of objects from C, and the collector.

use crate::export::Void;
use adder_runtime::memory::{self, gc};
use adder_runtime::prelude::*;
use adder_runtime::types;

/// A tuple of `n_items` > 0 empty places.
pub fn alloc_tuple(n_items: usize) -> PyResult<Ref<PyTupleObject>> {
    let tuple = PyTupleObject::alloc_uninit(n_items);
    if tuple.is_null() {
        return Err(memory::no_memory());
    }
    // SAFETY: fresh memory of a tuple with so many items; empty places are NULL, and the collector passes over them.
    unsafe {
        (*tuple).items_ptr().write_bytes(0, n_items);
        memory::gc::track(tuple.cast());
        Ok(Ref::from_owned(tuple))
    }
}

/// Bytes that C fills before anybody looks.
pub fn alloc_bytes(n_bytes: usize) -> PyResult<Ref<PyBytesObject>> {
    match n_bytes {
        0 => Ok(PyBytesObject::empty()),
        // SAFETY: C's contract is to write the bytes before they are read.
        _ => unsafe { PyBytesObject::alloc(n_bytes) },
    }
}

/// The size of an object of `ty` with `n_items` items and `extra` bytes.
fn size_of_instance(ty: &PyTypeObject, n_items: isize, extra: usize) -> PyResult<usize> {
    let items = ty.tp_itemsize.get().checked_mul(n_items);
    let size = items.and_then(|items| items.checked_add(ty.tp_basicsize.get()));
    size.and_then(|size| usize::try_from(size).ok()?.checked_add(extra + 7))
        .map(|size| size & !7)
        .ok_or_else(memory::no_memory)
}

/// A zeroed object that is not tracked yet: PyObject_New and its relatives.
fn new_object(ty: &PyTypeObject, n_items: Option<isize>, extra: usize) -> PyResult {
    let size = size_of_instance(ty, n_items.unwrap_or(0), extra)?;
    // SAFETY: the size covers the basic size; the object is fresh.
    unsafe {
        let object = memory::alloc_object(ty, size)?;
        if let Some(n_items) = n_items {
            (*object.cast::<PyVarObject>()).ob_size.set(n_items);
        }
        Ok(Ref::from_owned(object))
    }
}

capi! {
    fn _PyObject_New(ty: &PyTypeObject) -> PyResult { new_object(ty, None, 0) }
    fn _PyObject_NewVar(ty: &PyTypeObject, n_items: isize) -> PyResult { new_object(ty, Some(n_items), 0) }
    fn _PyObject_GC_New(ty: &PyTypeObject) -> PyResult { new_object(ty, None, 0) }
    fn _PyObject_GC_NewVar(ty: &PyTypeObject, n_items: isize) -> PyResult {
        if n_items < 0 {
            return Err(crate::export::bad_internal_call());
        }
        new_object(ty, Some(n_items), 0)
    }
    fn PyUnstable_Object_GC_NewWithExtraData(ty: &PyTypeObject, extra: usize) -> PyResult { new_object(ty, None, extra) }
    /// The object moves: only its one owner may resize it.
    fn _PyObject_GC_Resize(object: *mut PyVarObject, n_items: isize) -> PyResult<*mut PyVarObject> {
        // SAFETY: C gives an untracked object that nobody else has; its memory begins with the collector's head.
        unsafe {
            let ty = (*object).ob_base.ty();
            let size = size_of_instance(ty, n_items, 0)?;
            let ahead = ty.prehead_size();
            let block = memory::raw_realloc(object.cast::<u8>().sub(ahead).cast(), size + ahead);
            if block.is_null() {
                return Err(memory::no_memory());
            }
            let moved = block.cast::<u8>().add(ahead).cast::<PyVarObject>();
            (*moved).ob_size.set(n_items);
            Ok(moved)
        }
    }
    fn PyGC_Collect() -> isize {
        if !gc::is_enabled() {
            return 0;
        }
        gc::collect(2) as isize
    }
    fn PyGC_Enable() -> c_int { c_int::from(gc::set_enabled(true)) }
    fn PyGC_Disable() -> c_int { c_int::from(gc::set_enabled(false)) }
    fn PyGC_IsEnabled() -> c_int { c_int::from(gc::is_enabled()) }
    fn PyUnstable_GC_VisitObjects(callback: *mut c_void, arg: *mut c_void) -> Void {
        // SAFETY: C gives a gcvisitobjects_t.
        let callback = unsafe { std::mem::transmute::<*mut c_void, gcvisitobjects_t>(callback) };
        for object in gc::objects(None).into_iter().chain(gc::frozen_objects()) {
            // SAFETY: the callback's contract is C's.
            if unsafe { callback(object.as_raw(), arg) } == 0 {
                break;
            }
        }
        Void
    }
    fn PyType_GenericNew(ty: &PyTypeObject, _args: *mut PyObject, _keywords: *mut PyObject) -> PyResult {
        let alloc = ty.tp_alloc.get().unwrap_or(types::generic_alloc);
        // SAFETY: the type's own allocator.
        unsafe { adder_runtime::protocol::from_slot(alloc((ty as *const PyTypeObject).cast_mut(), 0), "tp_alloc") }
    }
}

// ---- without the guard of `capi!`: on every allocation path, and used as slots ----

/// # Safety
/// `ty` is a ready type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyType_GenericAlloc(ty: *mut PyTypeObject, n_items: isize) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { types::generic_alloc(ty, n_items) }
}
/// # Safety
/// `object` is fresh memory for an instance of `ty`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_Init(object: *mut PyObject, ty: *mut PyTypeObject) -> *mut PyObject {
    if object.is_null() {
        let _ = memory::no_memory();
        return object;
    }
    // SAFETY: the caller's contract.
    unsafe { memory::init_object(object, &*ty) };
    object
}
/// # Safety
/// As `PyObject_Init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_InitVar(
    object: *mut PyVarObject,
    ty: *mut PyTypeObject,
    n_items: isize,
) -> *mut PyVarObject {
    // SAFETY: the caller's contract.
    unsafe {
        if !PyObject_Init(object.cast(), ty).is_null() {
            (*object).ob_size.set(n_items);
        }
    }
    object
}
/// # Safety
/// `object` is dead and of a GC type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_Del(object: *mut c_void) {
    // SAFETY: the caller's contract; an object that is still tracked leaves the collector's list first.
    unsafe {
        if gc::is_tracked(object.cast()) {
            gc::untrack(object.cast());
        }
        memory::free_object(object.cast());
    }
}
/// # Safety
/// `object` is whole and of a GC type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_Track(object: *mut c_void) {
    if !gc::is_tracked(object.cast()) {
        gc::track(object.cast());
    }
}
/// # Safety
/// `object` is of a GC type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_UnTrack(object: *mut c_void) {
    gc::untrack(object.cast());
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_IsTracked(object: *mut PyObject) -> c_int {
    // SAFETY: the caller's contract.
    c_int::from(unsafe { gc::is_gc_object(&*object) } && gc::is_tracked(object))
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_IsFinalized(object: *mut PyObject) -> c_int {
    // SAFETY: the caller's contract.
    c_int::from(unsafe { gc::is_gc_object(&*object) } && gc::is_finalized(object))
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_IS_GC(object: *mut PyObject) -> c_int {
    // SAFETY: the caller's contract.
    c_int::from(unsafe { gc::is_gc_object(&*object) })
}
