//! Instances of heap types: allocation, traversal, clearing and deallocation; and of static types of ours that hold
//! Rust values.

use crate::error;
use crate::memory::{self, MANAGED_WEAKREF_OFFSET, Visitor, gc};
use crate::objects::dictobject::instance;
use crate::objects::weakrefobject;
use crate::prelude::*;
use std::cell::Cell;

/// `PyType_GenericAlloc`: zeroed, tracked when the type is a GC type.
pub unsafe extern "C" fn generic_alloc(ty: *mut PyTypeObject, n_items: isize) -> *mut PyObject {
    // SAFETY: C's contract: a ready type.
    let ty = unsafe { &*ty };
    match allocate_instance(ty, n_items) {
        Ok(object) => object.into_raw(),
        Err(_) => std::ptr::null_mut(),
    }
}

/// A zeroed instance of `ty` with room for `n_items` items.
#[inline]
pub fn allocate_instance(ty: &PyTypeObject, n_items: isize) -> PyResult {
    let (basic, item) = (ty.tp_basicsize.get(), ty.tp_itemsize.get());
    // One item more: some variable-size types (str, bytes) use it as a terminator.
    let size = n_items
        .checked_add((item != 0) as isize)
        .and_then(|n_items| item.checked_mul(n_items))
        .and_then(|items| items.checked_add(basic))
        .and_then(|size| size.checked_add(7))
        .ok_or_else(memory::no_memory)?
        & !7;
    let has_inline_values = ty.has_flag(Py_TPFLAGS_INLINE_VALUES);
    let inline = if has_inline_values {
        instance::inline_values_size(ty)
    } else {
        0
    };
    // SAFETY: the size covers the type's basic size; the object is fresh.
    unsafe {
        let object = memory::alloc_object(ty, size as usize + inline)?;
        if has_inline_values {
            instance::init_inline_values(&*object, ty);
        }
        if item != 0 {
            (*object.cast::<PyVarObject>()).ob_size.set(n_items);
        }
        if ty.is_gc() {
            gc::track(object);
        }
        Ok(Ref::from_owned(object))
    }
}

impl PyTypeObject {
    /// A new instance by `tp_alloc`, with room for `n_items` items.
    pub fn alloc_instance(&self, n_items: isize) -> PyResult {
        let alloc = self.tp_alloc.get().unwrap_or(generic_alloc);
        // SAFETY: the type's own allocator.
        unsafe {
            crate::protocol::from_slot(
                alloc((self as *const PyTypeObject).cast_mut(), n_items),
                "tp_alloc",
            )
        }
    }
}

/// `tp_free` of every type here: `PyObject_Free` and `PyObject_GC_Del` alike.
pub unsafe extern "C" fn object_free(object: *mut c_void) {
    // SAFETY: C's contract: an object that came from the allocator above.
    unsafe { memory::free_object(object.cast()) }
}

/// `tp_dealloc` of a static type whose instances hold Rust values: drops them, frees the memory.
pub unsafe extern "C" fn dealloc_payload<T: TypedObject>(object: *mut PyObject) {
    // SAFETY: the object is dead and has layout T.
    unsafe {
        let ty = (*object).ty();
        if ty.is_gc() {
            gc::untrack(object);
        }
        let own = T::type_object();
        if own.tp_weaklistoffset.get() > 0 {
            weakrefobject::clear_weakrefs(&*object);
        }
        std::ptr::drop_in_place(object.cast::<T>());
        free_instance(object);
    }
}

/// Calls `tp_free`.
///
/// # Safety
/// The object is dead, untracked, and what it owned is given back.
pub unsafe fn free_instance(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        match (*object).ty().tp_free.get() {
            Some(free) => free(object.cast()),
            None => memory::free_object(object),
        }
    }
}

/// The first base whose `tp_dealloc` is not the heap types' own.
pub(super) fn native_base(ty: &'static PyTypeObject) -> &'static PyTypeObject {
    let mut base = ty;
    while base
        .tp_dealloc
        .get()
        .is_some_and(|slot| slot as usize == subtype_dealloc as *const () as usize)
    {
        match base.base() {
            Some(next) => base = next,
            None => break,
        }
    }
    base
}

/// The `__slots__` members of one heap type: the object pointers that its instances own.
fn slot_members(ty: &PyTypeObject) -> &[PyMemberDef] {
    // SAFETY: a class made from Python has its member rows behind its heap type struct, `ob_size` of them.
    unsafe {
        if !ty.is_heap_type() || ty.tp_members.get().is_null() {
            return &[];
        }
        let rows = item_data(ty);
        if rows != ty.tp_members.get() {
            return &[];
        }
        let count = ty.ob_base.ob_size.get().max(0) as usize;
        std::slice::from_raw_parts(rows, count)
    }
}

/// The place behind a type object (whose metatype may extend the struct) where its member rows lie.
pub fn item_data(ty: &PyTypeObject) -> *mut PyMemberDef {
    let offset = ty.as_object().ty().tp_basicsize.get();
    // SAFETY: only an address is computed.
    unsafe { ty.as_ptr().byte_offset((offset + 7) & !7) }.cast()
}

unsafe fn slot_place(object: *mut PyObject, offset: isize) -> *const Cell<*mut PyObject> {
    // SAFETY: the caller's contract: a member's or header's offset of this object's type.
    unsafe { object.byte_offset(offset).cast::<Cell<*mut PyObject>>() }
}

/// `tp_traverse` of heap types made by `class`.
pub unsafe extern "C" fn subtype_traverse(
    object: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    let visitor = Visitor { visit, arg };
    // SAFETY: the collector passes live objects.
    unsafe {
        let ty = (*object).ty();
        let mut base = ty;
        let base_traverse = loop {
            let slot = base.tp_traverse.get();
            if slot.is_none_or(|slot| slot as usize != subtype_traverse as *const () as usize) {
                break slot;
            }
            for member in slot_members(base) {
                if member.r#type.get() == Py_T_OBJECT_EX {
                    let status = visitor.visit((*slot_place(object, member.offset.get())).get());
                    if status != 0 {
                        return status;
                    }
                }
            }
            match base.base() {
                Some(next) => base = next,
                None => break None,
            }
        };
        if ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            let status = instance::visit_managed_dict(&*object, &visitor);
            if status != 0 {
                return status;
            }
        } else if ty.tp_dictoffset.get() != base.tp_dictoffset.get()
            && let Some(slot) = (*object).dict_slot()
        {
            let status = visitor.visit(slot.get());
            if status != 0 {
                return status;
            }
        }
        if ty.is_heap_type() && (!base.is_heap_type() || base_traverse.is_none()) {
            let status = visitor.visit((ty as *const PyTypeObject).cast_mut());
            if status != 0 {
                return status;
            }
        }
        base_traverse.map_or(0, |traverse| traverse(object, visit, arg))
    }
}

/// `tp_clear` of heap types made by `class`.
pub unsafe extern "C" fn subtype_clear(object: *mut PyObject) -> c_int {
    // SAFETY: the collector passes live objects.
    unsafe {
        let ty = (*object).ty();
        let mut base = ty;
        let base_clear = loop {
            let slot = base.tp_clear.get();
            if slot.is_none_or(|slot| slot as usize != subtype_clear as *const () as usize) {
                break slot;
            }
            clear_slots(object, base);
            match base.base() {
                Some(next) => base = next,
                None => break None,
            }
        };
        if ty.tp_dictoffset.get() != base.tp_dictoffset.get() || ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            clear_dict(object);
        }
        base_clear.map_or(0, |clear| clear(object))
    }
}

unsafe fn clear_slots(object: *mut PyObject, class: &PyTypeObject) {
    for member in slot_members(class) {
        if member.r#type.get() == Py_T_OBJECT_EX {
            // SAFETY: the member's place in this object.
            unsafe {
                let old = (*slot_place(object, member.offset.get())).replace(std::ptr::null_mut());
                memory::xdecref(old);
            }
        }
    }
}

unsafe fn clear_dict(object: *mut PyObject) {
    // SAFETY: the object is live; the slot owns its dict.
    unsafe {
        if (*object).ty().has_flag(Py_TPFLAGS_MANAGED_DICT) {
            instance::clear_managed_dict(&*object);
        } else if let Some(slot) = (*object).dict_slot() {
            memory::xdecref(slot.replace(std::ptr::null_mut()));
        }
    }
}

/// Runs `finalize`, the object's `tp_finalize`. The exception in flight stays, so that finalizers need not care; one that they leave is
/// reported.
///
/// # Safety
/// `finalize` is a slot of the object's type.
pub unsafe fn run_finalizer(object: &PyObject, finalize: destructor) {
    error::preserving_exception(|| {
        // SAFETY: the caller's contract.
        unsafe { finalize(object.as_ptr()) };
        if error::occurred() {
            error::write_unraisable(Raised::assume(), None, Some(object));
        }
    });
}

/// Runs `tp_finalize` (`__del__`), once for an object that the collector knows.
pub fn call_finalizer(object: &PyObject) {
    let Some(finalize) = object.ty().tp_finalize.get() else {
        return;
    };
    let is_gc = gc::is_gc_object(object);
    if is_gc && gc::is_finalized(object.as_ptr()) {
        return;
    }
    // SAFETY: the slot of the object's type.
    unsafe { run_finalizer(object, finalize) };
    if is_gc {
        gc::set_finalized(object.as_ptr());
    }
}

/// [`call_finalizer`] for an object without a count. False when it was brought back to life.
pub unsafe fn call_finalizer_from_dealloc(object: *mut PyObject) -> bool {
    // SAFETY: the object is whole; it gets a temporary count while Python code may see it.
    unsafe {
        (*object).ob_refcnt.set(1);
        memory::at_first_level(|| call_finalizer(&*object));
        let count = (*object).ob_refcnt.get() - 1;
        (*object).ob_refcnt.set(count);
        if count == 0 {
            return true;
        }
        if (*object).ty().is_gc() && !gc::is_tracked(object) {
            gc::track(object);
        }
        false
    }
}

/// `tp_dealloc` of heap types made by `class`: finalizer, weak references, slots, dict, then the native base's.
pub unsafe extern "C" fn subtype_dealloc(object: *mut PyObject) {
    // SAFETY: the object is dead; everything below gives back what it owned, each once.
    unsafe {
        let ty = (*object).ty();
        let base = native_base(ty);
        if ty.tp_finalize.get().is_some() && !call_finalizer_from_dealloc(object) {
            return;
        }
        let gc = ty.is_gc();
        // Callbacks may run the collector, which must not meet an object without a count.
        if gc {
            gc::untrack(object);
        }
        if ty.tp_weaklistoffset.get() != 0 && base.tp_weaklistoffset.get() == 0 {
            weakrefobject::clear_weakrefs(&*object);
        }
        if let Some(del) = ty.tp_del.get() {
            if gc {
                gc::track(object);
            }
            // It gives itself a count for the time of the call, and keeps it when it comes back to life.
            del(object);
            if (*object).ob_refcnt.get() != 0 {
                return;
            }
        }
        if gc {
            gc::untrack(object);
        }
        let mut class = ty;
        while !std::ptr::eq(class, base) {
            clear_slots(object, class);
            match class.base() {
                Some(next) => class = next,
                None => break,
            }
        }
        if ty.has_flag(Py_TPFLAGS_MANAGED_DICT)
            || (ty.tp_dictoffset.get() != 0 && base.tp_dictoffset.get() == 0)
        {
            clear_dict(object);
        }
        let type_of_object = (*object).ob_type.get();
        // The native base's deallocator expects the object to be tracked as it would be itself.
        if gc && base.is_gc() {
            gc::track(object);
        }
        match base.tp_dealloc.get() {
            Some(dealloc) => dealloc(object),
            None => free_instance(object),
        }
        if (*type_of_object).is_heap_type() && !base.is_heap_type() {
            memory::decref(type_of_object.cast());
        }
    }
}

/// The managed weak-reference list's place, or the one at `tp_weaklistoffset`.
pub fn weaklist_slot(object: &PyObject) -> Option<&Cell<*mut PyObject>> {
    let ty = object.ty();
    let offset = if ty.has_flag(Py_TPFLAGS_MANAGED_WEAKREF) {
        MANAGED_WEAKREF_OFFSET
    } else {
        ty.tp_weaklistoffset.get()
    };
    if offset == 0 {
        return None;
    }
    // SAFETY: the type says that a list head is at this offset.
    Some(unsafe { &*slot_place(object.as_ptr(), offset) })
}

pub use instance::{clear_managed_dict, visit_managed_dict};
