//! Dead objects of one size -> new ones: an intrusive list through `ob_type`, short enough to inline into machine code.
//!
//! An object in the list keeps its memory with whatever precedes it (`PyGC_Head`); it is untracked.

use crate::abi::*;
use crate::error::{PyResult, Raised};
use crate::memory;
use crate::object::Ref;
use std::cell::Cell;

/// At most `max` dead objects, linked through their `ob_type` words.
#[repr(C)]
pub struct FreeList {
    head: Cell<*mut PyObject>,
    n_items: Cell<u32>,
    max: u32,
}

// SAFETY: touched only by the thread that holds the GIL.
unsafe impl Sync for FreeList {}

impl FreeList {
    pub const fn new(max: u32) -> FreeList {
        FreeList {
            head: Cell::new(std::ptr::null_mut()),
            n_items: Cell::new(0),
            max,
        }
    }

    /// A dead object's memory, its header still to be set; null when there is none.
    #[inline(always)]
    pub fn pop(&self) -> *mut PyObject {
        let object = self.head.get();
        if !object.is_null() {
            // SAFETY: an object in the list has its successor in `ob_type`.
            self.head.set(unsafe { (*object).ob_type.get() }.cast());
            self.n_items.set(self.n_items.get() - 1);
        }
        object
    }

    /// Keeps the memory of a dead object, unless the list is full.
    ///
    /// # Safety
    /// `object` is dead, untracked, of this list's size, and nobody uses it any more when this returns true.
    #[inline(always)]
    pub unsafe fn push(&self, object: *mut PyObject) -> bool {
        if self.n_items.get() >= self.max {
            return false;
        }
        // SAFETY: the memory is the list's now.
        unsafe { (*object).ob_type.set(self.head.get().cast()) };
        self.head.set(object);
        self.n_items.set(self.n_items.get() + 1);
        true
    }

    /// Gives the memory of dead objects of `ty` back. With `closed` none is kept from now on, so that each object's birth and
    /// death is its block's.
    pub fn clear(&self, ty: &PyTypeObject, closed: bool) {
        loop {
            let object = self.pop();
            if object.is_null() {
                break;
            }
            // SAFETY: a dead object of that type, which the list owned.
            unsafe { memory::free_object_of(object, ty) };
        }
        self.n_items.set(if closed { self.max } else { 0 });
    }
}

/// Opens or closes the lists of all types.
pub fn close_all(closed: bool) {
    super::tupleobject::clear_free_list(closed);
    super::listobject::clear_free_list(closed);
}

/// Zeroed memory of `size` bytes for an instance of a static type, header set, untracked. Without memory for so small
/// an object the process ends.
#[inline]
pub fn alloc_static(ty: &'static PyTypeObject, size: usize) -> *mut PyObject {
    // SAFETY: the caller's struct has this size, which is at least the basic size.
    memory::insist_on(|| unsafe { memory::alloc_object(ty, size) })
}

/// A new instance of `cls` by its `tp_alloc`: zeroed after the header, and tracked when it is a GC type.
pub fn alloc_instance(cls: &PyTypeObject, n_items: usize) -> PyResult<Ref> {
    let Some(alloc) = cls.tp_alloc.get() else {
        return Err(crate::raise!(
            TypeError,
            "cannot create '{}' instances",
            cls.name()
        ));
    };
    // SAFETY: the slot of this type, which is ready; it gives a new reference or NULL.
    match unsafe { Ref::from_owned_opt(alloc((cls as *const PyTypeObject).cast_mut(), n_items as isize)) } {
        Some(object) => Ok(object),
        None => Err(Raised::from_c("tp_alloc")),
    }
}

/// Frees the memory of a dead object by its type's `tp_free`.
///
/// # Safety
/// The object is dead and untracked, and nobody uses it afterwards.
#[inline]
pub unsafe fn free_instance(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        match (*object).ty().tp_free.get() {
            Some(free) => free(object.cast()),
            None => memory::free_object(object),
        }
    }
}
