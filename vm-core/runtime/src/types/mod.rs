//! Types: how static ones are declared and readied, how lookups go, how slots and special methods correspond, how
//! `class` statements make new ones.
//!
//! `ready` fills what a type inherits; `lookup` finds names along the MRO through a cache that version tags guard;
//! `slotdefs` is the one table between dunder names and slots; `heap` makes and destroys heap types and their instances;
//! `typeobject` is `type` itself. Tests: `tests/types.rs`, CPython's `test_descr`.

pub mod heap;
pub mod lookup;
pub mod ready;
pub mod registry;
pub mod slotdefs;
pub mod slots;
pub mod subclasses;
pub mod typeobject;
pub mod wrappers;

use crate::prelude::*;

pub use heap::{dealloc_payload, free_instance, generic_alloc, object_free};
pub use lookup::{assign_version, modified};
pub use ready::ready;
pub use typeobject::PyType_Type;

/// What a `#[pytype]` declaration leaves for the runtime: the static type and all its tables.
pub struct TypeSpec {
    pub ty: &'static PyTypeObject,
    /// Method tables beside `tp_methods`, each without a terminating row.
    pub methods: &'static [&'static [PyMethodDef]],
    pub getsets: &'static [&'static [PyGetSetDef]],
    pub members: &'static [&'static [PyMemberDef]],
}

// SAFETY: the tables are static; the GIL orders their use.
unsafe impl Sync for TypeSpec {}

/// Whether instances of `metatype` (types) find attributes by `type.__getattribute__`.
pub fn uses_type_getattro(metatype: &PyTypeObject) -> bool {
    metatype
        .tp_getattro
        .get()
        .is_some_and(|slot| slot as usize == typeobject::type_getattro as *const () as usize)
}

/// What `tp_iternext` is on a class that sets `__next__ = None`-like absence: never an iterator.
pub unsafe extern "C" fn next_not_implemented(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots get live objects.
    let name = unsafe { (*object).ty() }.name();
    let _ = raise!(TypeError, "'{name}' object is not iterable");
    std::ptr::null_mut()
}

/// What `tp_hash` is on unhashable types: `PyObject_HashNotImplemented`.
pub unsafe extern "C" fn hash_not_implemented(object: *mut PyObject) -> Py_hash_t {
    // SAFETY: slots get live objects.
    let name = unsafe { (*object).ty() }.name();
    let _ = raise!(TypeError, "unhashable type: '{name}'");
    -1
}

impl PyTypeObject {
    /// `tp_name`, which messages show: with the module for types of C, the bare name for classes.
    pub fn name(&self) -> String {
        self.full_name().to_string()
    }
    /// The part of `tp_name` after the last dot: `__name__` of a static type. Heap types keep theirs in `ht_name`.
    pub fn short_name(&self) -> String {
        if self.is_heap_type() {
            // SAFETY: a heap type has the longer layout; its name is a str.
            unsafe {
                let heap = &*(self as *const PyTypeObject).cast::<PyHeapTypeObject>();
                if let Some(name) = heap.ht_name.get().cast::<PyUnicodeObject>().as_ref() {
                    return name.to_string_lossy();
                }
            }
        }
        self.tp_short_name().to_string()
    }
    /// `tp_name` without a module: also for a type that is not ready, whose heap fields may not be looked at
    /// (Cython calls a static type a heap type until it is ready).
    pub fn tp_short_name(&self) -> &str {
        let full = self.full_name();
        full.rsplit_once('.').map_or(full, |(_, name)| name)
    }
    /// `tp_name` as it stands.
    pub fn full_name(&self) -> &str {
        let name = self.tp_name.get();
        if name.is_null() {
            return "?";
        }
        // SAFETY: a C string that lives as long as the type.
        unsafe { std::ffi::CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }
    /// `module.qualname`, without the module for built-ins: `PyType_GetFullyQualifiedName`.
    pub fn fully_qualified_name(&self) -> String {
        if !self.is_heap_type() {
            return self.full_name().to_string();
        }
        let qualname = typeobject::qualname(self).to_string_lossy();
        match typeobject::module_of(self) {
            Ok(module) => match module.downcast::<PyUnicodeObject>() {
                Ok(module) if !module.eq_str("builtins") && !module.eq_str("__main__") => {
                    format!("{}.{qualname}", module.to_string_lossy())
                }
                _ => qualname,
            },
            Err(raised) => {
                raised.clear();
                qualname
            }
        }
    }
    /// `tp_base`.
    #[inline]
    pub fn base(&self) -> Option<&'static PyTypeObject> {
        // SAFETY: a type keeps its base alive.
        unsafe { self.tp_base.get().as_ref() }
    }
    /// `tp_mro` once the type is ready.
    #[inline]
    pub fn mro(&self) -> Option<&PyTupleObject> {
        // SAFETY: a tuple or null; the type owns it.
        unsafe { self.tp_mro.get().cast::<PyTupleObject>().as_ref() }
    }
    pub fn bases(&self) -> Option<&PyTupleObject> {
        // SAFETY: a tuple or null; the type owns it.
        unsafe { self.tp_bases.get().cast::<PyTupleObject>().as_ref() }
    }
    /// `tp_dict`.
    #[inline]
    pub fn dict(&self) -> Option<&PyDictObject> {
        // SAFETY: a dict or null; the type owns it.
        unsafe { self.tp_dict.get().cast::<PyDictObject>().as_ref() }
    }
    /// Whether this type is `other` or derives from it, by MRO (by bases before the type is ready).
    #[inline(always)]
    pub fn is_subtype(&self, other: &PyTypeObject) -> bool {
        std::ptr::eq(self, other) || self.derives_from(other)
    }
    #[inline(never)]
    fn derives_from(&self, other: &PyTypeObject) -> bool {
        match self.mro() {
            Some(mro) => mro
                .as_slice()
                .iter()
                .any(|class| std::ptr::eq(class.as_ptr(), other.as_ptr())),
            None => {
                let mut base = self.base();
                while let Some(class) = base {
                    if std::ptr::eq(class, other) {
                        return true;
                    }
                    base = class.base();
                }
                std::ptr::eq(other, &crate::objects::object::PyBaseObject_Type)
            }
        }
    }
    #[inline]
    pub fn has_flag(&self, flag: c_ulong) -> bool {
        self.tp_flags.get() & flag != 0
    }
    pub fn set_flag(&self, flag: c_ulong) {
        self.tp_flags.set(self.tp_flags.get() | flag);
    }
    pub fn clear_flag(&self, flag: c_ulong) {
        self.tp_flags.set(self.tp_flags.get() & !flag);
    }
    /// This type as a heap type.
    pub fn as_heap(&self) -> Option<&PyHeapTypeObject> {
        // SAFETY: heap types have the longer layout.
        self.is_heap_type()
            .then(|| unsafe { &*(self as *const PyTypeObject).cast::<PyHeapTypeObject>() })
    }
}
