//! Capsules: a C pointer with a name and a destructor, as extension modules hand their C API to each other.

use crate::memory::{Visitor, gc};
use crate::prelude::*;
use crate::types::heap::{allocate_instance, free_instance};
use std::ffi::CStr;

/// A capsule's fields; C reaches them through functions only.
#[repr(C)]
pub struct PyCapsule {
    pub ob_base: PyObject,
    pub pointer: Cell<*mut c_void>,
    pub name: StrCell,
    pub context: Cell<*mut c_void>,
    pub destructor: Cell<Option<PyCapsule_Destructor>>,
    pub traverse_func: Cell<Option<traverseproc>>,
    pub clear_func: Cell<Option<inquiry>>,
}

// SAFETY: as every object, used under the GIL.
unsafe impl Sync for PyCapsule {}

/// A C pointer within a Python object.
#[pytype(
    name = "PyCapsule",
    static_name = PyCapsule_Type,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    slots = [tp_dealloc = capsule_dealloc],
)]
impl PyCapsule {
    #[slot]
    fn tp_repr(&self) -> String {
        match self.name_text() {
            Some(name) => format!("<capsule object \"{}\" at {:p}>", name.to_string_lossy(), self),
            None => format!("<capsule object NULL at {:p}>", self),
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match self.traverse_func.get() {
            // SAFETY: the function that the capsule's maker gave for it.
            Some(traverse) => unsafe { traverse(self.as_object().as_ptr(), visitor.visit, visitor.arg) },
            None => 0,
        }
    }
    #[slot]
    fn tp_clear(&self) -> PyResult<()> {
        match self.clear_func.get() {
            // SAFETY: as above.
            Some(clear) if unsafe { clear(self.as_object().as_ptr()) } != 0 => {
                Err(Raised::from_c("a capsule's clear"))
            }
            _ => Ok(()),
        }
    }
}

impl PyCapsule {
    /// A capsule around `pointer`, which is not null. `name` (or null) lives as long as the capsule.
    pub fn new(
        pointer: *mut c_void,
        name: *const c_char,
        destructor: Option<PyCapsule_Destructor>,
    ) -> PyResult<Ref<PyCapsule>> {
        if pointer.is_null() {
            return Err(raise!(ValueError, "PyCapsule_New called with null pointer"));
        }
        let object = allocate_instance(&PyCapsule_Type, 0)?;
        // Tracked from when it has functions to be traversed by.
        gc::untrack(object.as_raw());
        // SAFETY: an instance of this type.
        let capsule: Ref<PyCapsule> = unsafe { object.cast() };
        capsule.pointer.set(pointer);
        capsule.name.set(name);
        capsule.destructor.set(destructor);
        Ok(capsule)
    }

    /// The name, if there is one.
    pub fn name_text(&self) -> Option<&CStr> {
        let name = self.name.get();
        // SAFETY: the capsule's maker keeps the name alive.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
    }

    /// Whether the name is `name` (null is equal to null only).
    ///
    /// # Safety
    /// `name` is a C string or null.
    pub unsafe fn has_name(&self, name: *const c_char) -> bool {
        if self.name.get() == name {
            return true;
        }
        match self.name_text() {
            None => name.is_null(),
            // SAFETY: the caller's contract.
            Some(own) => !name.is_null() && own == unsafe { CStr::from_ptr(name) },
        }
    }

    /// Lets the collector see what the capsule owns.
    pub fn set_traverse(&self, traverse: traverseproc, clear: inquiry) {
        if !gc::is_tracked(self.as_object().as_ptr()) {
            gc::track(self.as_object().as_ptr());
        }
        self.traverse_func.set(Some(traverse));
        self.clear_func.set(Some(clear));
    }
}

unsafe extern "C" fn capsule_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead capsule; its destructor sees it whole.
    unsafe {
        gc::untrack(object);
        if let Some(destructor) = (*object.cast::<PyCapsule>()).destructor.get() {
            destructor(object);
        }
        free_instance(object);
    }
}
