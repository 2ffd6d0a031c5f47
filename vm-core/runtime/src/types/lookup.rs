//! Name lookup along the MRO, with a global cache keyed by type version and name.
//!
//! A version tag names one state of a type's attributes; it is given lazily and taken back by `modified` from the type
//! and all its subclasses. Inline caches and traces guard on it.

use crate::objects::dictobject::instance::shared_keys;
use crate::objects::dictobject::str_hash;
use crate::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

const CACHE_BITS: usize = 12;

/// What is known of a name of the class with this version.
pub struct CacheEntry {
    version: Cell<u32>,
    /// See [`CacheEntry::place_in`].
    place: Cell<i32>,
    name: Cell<*const PyUnicodeObject>,
    value: Cell<*mut PyObject>,
}

/// `place` before anybody asked.
const PLACE_UNKNOWN: i32 = i32::MIN;

impl CacheEntry {
    /// The class attribute, borrowed from the class that has it; null when there is none.
    #[inline(always)]
    pub fn value(&self) -> *mut PyObject {
        self.value.get()
    }
    /// Where the instances of the class, which have inline values, keep the attribute: its place in the keys that they share, or
    /// a negative number when it has none there yet. A place never changes; that there is none is true while the keys are as
    /// many as they were.
    #[inline(always)]
    pub fn place_in(&self, ty: &PyTypeObject) -> isize {
        let place = self.place.get() as isize;
        if place >= 0 || !place == shared_keys(ty).n_entries.get() {
            return place;
        }
        self.find_place(ty)
    }
    #[inline(never)]
    fn find_place(&self, ty: &PyTypeObject) -> isize {
        let keys = shared_keys(ty);
        // SAFETY: the entry keeps its name alive: interned names are exact strings.
        let found = unsafe { keys.lookup_str((*self.name.get()).as_ptr(), str_hash(&*self.name.get())) };
        let place = if found >= 0 { found } else { !keys.n_entries.get() };
        self.place.set(place as i32);
        place
    }
}

struct MethodCache([CacheEntry; 1 << CACHE_BITS]);

// SAFETY: used only under the GIL.
unsafe impl Sync for MethodCache {}

static CACHE: MethodCache = MethodCache(
    [const {
        CacheEntry {
            version: Cell::new(0),
            place: Cell::new(PLACE_UNKNOWN),
            name: Cell::new(std::ptr::null()),
            value: Cell::new(std::ptr::null_mut()),
        }
    }; 1 << CACHE_BITS],
);

/// 0 is 'no version'. When the numbers run out, types stay without one and are simply not cached.
static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

/// How many versions a class may use up. One that changes all the time is not worth caching.
const MAX_VERSIONS_OF_CLASS: u16 = 1000;
/// `tp_versions_used` of a class that must never have a version.
const NEVER: u16 = u16::MAX;

/// Whether the type's MRO has only its bases and theirs: `modified` then reaches it from every class of the MRO.
fn mro_is_inherited(ty: &PyTypeObject) -> bool {
    fn is_ancestor(ty: &PyTypeObject, class: &PyObject) -> bool {
        ty.as_object().is(class)
            || ty.bases().is_some_and(|bases| {
                bases
                    .as_slice()
                    .iter()
                    .filter_map(|base| base.downcast_type())
                    .any(|base| is_ancestor(base, class))
            })
    }
    ty.mro()
        .is_none_or(|mro| mro.as_slice().iter().all(|class| is_ancestor(ty, class)))
}

/// To be called when the MRO was not computed from the bases: a class that depends on others than those that know of it
/// is not cached, nor are its subclasses.
pub fn check_custom_mro(ty: &PyTypeObject) {
    if mro_is_inherited(ty) {
        if ty.tp_versions_used.get() == NEVER {
            ty.tp_versions_used.set(0);
        }
    } else {
        modified(ty);
        ty.tp_versions_used.set(NEVER);
    }
}

/// Gives the type this version, which may not be its own: for tests. Counted as one more.
pub fn set_version(ty: &PyTypeObject, version: u32) {
    modified(ty);
    let used = ty.tp_versions_used.get();
    if used >= MAX_VERSIONS_OF_CLASS {
        return;
    }
    ty.tp_versions_used.set(used + 1);
    ty.tp_version_tag.set(version);
    if version != 0 {
        ty.set_flag(Py_TPFLAGS_VALID_VERSION_TAG);
    }
}

/// Gives the type a version tag if it has none. False when none is to be had.
pub fn assign_version(ty: &PyTypeObject) -> bool {
    if ty.tp_version_tag.get() != 0 {
        return true;
    }
    let used = ty.tp_versions_used.get();
    let limited = !ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE);
    if !ty.has_flag(Py_TPFLAGS_READY) || limited && used >= MAX_VERSIONS_OF_CLASS {
        return false;
    }
    // Bases first: a change in a base must reach this type, and `modified` stops at types without a version.
    if let Some(bases) = ty.bases() {
        for base in bases.as_slice() {
            let Some(base) = base.downcast::<PyTypeObject>() else {
                return false;
            };
            if !assign_version(base) {
                return false;
            }
        }
    }
    let version = NEXT_VERSION.load(Ordering::Relaxed);
    if version == u32::MAX {
        return false;
    }
    NEXT_VERSION.store(version + 1, Ordering::Relaxed);
    ty.tp_version_tag.set(version);
    ty.tp_versions_used.set(used.saturating_add(u16::from(limited)));
    ty.set_flag(Py_TPFLAGS_VALID_VERSION_TAG);
    true
}

/// `PyType_Modified`: takes back the version of the type and of its subclasses.
pub fn modified(ty: &PyTypeObject) {
    if ty.tp_version_tag.get() == 0 {
        return;
    }
    for subclass in super::subclasses::of(ty) {
        modified(&subclass);
    }
    if ty.tp_watched.get() != 0 {
        crate::objects::watchers::type_modified(ty);
    }
    ty.clear_flag(Py_TPFLAGS_VALID_VERSION_TAG);
    ty.tp_version_tag.set(0);
    if let Some(heap) = ty.as_heap() {
        heap._spec_cache.getitem.set(std::ptr::null_mut());
        heap._spec_cache.init.set(std::ptr::null_mut());
    }
}

/// Objects that may be class attributes have become descriptors, or are none any more: what caches know of any class
/// holds no longer. They trust that a value without `__get__` stays so.
pub fn descriptors_changed() {
    modified(&crate::objects::object::PyBaseObject_Type);
}

#[inline(always)]
fn cache_entry(version: u32, name: &PyUnicodeObject) -> &'static CacheEntry {
    let address = name as *const PyUnicodeObject as usize;
    &CACHE.0[(version as usize ^ (address >> 3)) & ((1 << CACHE_BITS) - 1)]
}

impl PyTypeObject {
    /// The attribute `name` found along the MRO, unbound: `_PyType_Lookup`. Borrowed from the class that has it.
    #[inline]
    pub fn lookup(&self, name: &PyUnicodeObject) -> Option<&PyObject> {
        match self.cached(name) {
            // SAFETY: the version is current, so the class still holds the value.
            Some(entry) => unsafe { entry.value.get().as_ref() },
            None => self.lookup_uncached(name),
        }
    }

    /// What is known of the name, if anything is. The entry is the name's until another name is looked up.
    #[inline(always)]
    pub fn cached(&self, name: &PyUnicodeObject) -> Option<&'static CacheEntry> {
        let version = self.tp_version_tag.get();
        let entry = cache_entry(version, name);
        let is_known = version != 0 && entry.version.get() == version && std::ptr::eq(entry.name.get(), name);
        is_known.then_some(entry)
    }

    #[inline(never)]
    fn lookup_uncached(&self, name: &PyUnicodeObject) -> Option<&PyObject> {
        let found = self.find_in_mro(name);
        if name.is_interned() && assign_version(self) {
            let version = self.tp_version_tag.get();
            let entry = cache_entry(version, name);
            entry.version.set(version);
            entry.place.set(PLACE_UNKNOWN);
            entry
                .value
                .set(found.map_or(std::ptr::null_mut(), PyObject::as_ptr));
            // The cache owns a count of the name, so that no other string can take its address.
            name.as_object().incref();
            let old = entry.name.replace(name).cast_mut();
            // SAFETY: the entry owned its old name.
            unsafe { crate::memory::xdecref(old.cast()) };
        }
        found
    }

    /// As `lookup`, without the cache.
    pub fn find_in_mro(&self, name: &PyUnicodeObject) -> Option<&PyObject> {
        let Some(mro) = self.mro() else {
            return self.dict().and_then(|dict| borrowed(dict, name));
        };
        // Comparing keys may run code that replaces the MRO.
        let mro = mro.to_ref();
        for class in mro.as_slice() {
            // SAFETY: an MRO holds types only; the value is borrowed from one that the caller's class keeps alive.
            let class = unsafe { &*class.as_ptr().cast::<PyTypeObject>() };
            if let Some(found) = class.dict().and_then(|dict| borrowed(dict, name)) {
                return Some(found);
            }
        }
        None
    }
}

/// The value in a class's dict as a borrowed reference, which lives as long as the class is not changed.
fn borrowed<'a>(dict: &'a PyDictObject, name: &PyUnicodeObject) -> Option<&'a PyObject> {
    let found = dict.get_str(name)?;
    // SAFETY: the dict keeps its own count.
    Some(unsafe { &*found.as_raw() })
}
