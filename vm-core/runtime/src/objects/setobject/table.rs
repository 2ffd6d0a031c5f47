//! The hash table of sets: open addressing with short linear probes, in the layout that C sees; and the Rust interface.
//!
//! Probing, growth and placement are CPython's, so sets iterate in the same order.

use super::{PyFrozenSet_Type, PySet_Type};
use crate::memory::{self, gc};
use crate::objects::dictobject::{hash_of, unhashable};
use crate::objects::freelist::alloc_static;
use crate::prelude::*;
use std::cell::Cell;

const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;

/// What stands in the place of a removed key.
static DUMMY: PyObject =
    PyObject::immortal((&raw const crate::objects::object::PyBaseObject_Type).cast_mut());

#[inline(always)]
fn dummy() -> *mut PyObject {
    (&raw const DUMMY).cast_mut()
}

/// The hash of an element; an unhashable one is reported as such.
#[inline(always)]
pub fn hash_element(key: &PyObject) -> PyResult<Py_hash_t> {
    hash_of(key).map_err(|raised| unhashable(raised, key, "a set element"))
}

/// The walk over the places where a hash may be: a place and its neighbours, then a jump.
struct Walk {
    at: usize,
    probes: usize,
    base: usize,
    perturb: usize,
    mask: usize,
}

impl Walk {
    #[inline(always)]
    fn new(hash: Py_hash_t, mask: usize) -> Walk {
        let base = hash as usize & mask;
        Walk {
            at: base,
            probes: Self::probes(base, mask),
            base,
            perturb: hash as usize,
            mask,
        }
    }
    #[inline(always)]
    fn probes(base: usize, mask: usize) -> usize {
        if base + LINEAR_PROBES <= mask {
            LINEAR_PROBES
        } else {
            0
        }
    }
    #[inline(always)]
    fn advance(&mut self) {
        if self.probes > 0 {
            self.probes -= 1;
            self.at += 1;
        } else {
            self.perturb >>= PERTURB_SHIFT;
            self.base = self
                .base
                .wrapping_mul(5)
                .wrapping_add(1)
                .wrapping_add(self.perturb)
                & self.mask;
            self.probes = Self::probes(self.base, self.mask);
            self.at = self.base;
        }
    }
}

/// Where a key is, or where it may be put: the last dummy on its walk, else the unused place where that ended.
enum Found {
    Active(usize),
    Dummy(usize),
    Unused(usize),
}

impl PySetObject {
    /// An empty set.
    pub fn new_set() -> Ref<PySetObject> {
        Self::make(&PySet_Type)
    }
    /// An empty frozenset, to be filled before others see it.
    pub fn new_frozenset() -> Ref<PySetObject> {
        Self::make(&PyFrozenSet_Type)
    }
    fn make(ty: &'static PyTypeObject) -> Ref<PySetObject> {
        let object = alloc_static(ty, size_of::<PySetObject>());
        // SAFETY: zeroed memory for a set, its header set.
        unsafe {
            (*object.cast::<PySetObject>()).init_table();
            gc::track(object);
            Ref::from_owned(object.cast())
        }
    }
    /// Makes zeroed memory an empty set.
    pub(super) fn init_table(&self) {
        self.mask.set(PySet_MINSIZE as isize - 1);
        self.table.set(self.small_table());
        self.hash.set(-1);
    }
    #[inline(always)]
    fn small_table(&self) -> *mut setentry {
        self.smalltable.as_ptr().cast_mut()
    }

    pub fn is_any_set(object: &PyObject) -> bool {
        PySetObject::check(object) || object.is_instance_of(&PyFrozenSet_Type)
    }
    /// An instance of set or frozenset or of a subclass.
    #[inline]
    pub fn from_any(object: &PyObject) -> Option<&PySetObject> {
        // SAFETY: sets and frozensets share the layout.
        Self::is_any_set(object).then(|| unsafe { object.cast_unchecked() })
    }
    #[inline]
    pub fn is_frozen(&self) -> bool {
        self.as_object().is_instance_of(&PyFrozenSet_Type)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.used.get() as usize
    }
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.used.get() == 0
    }
    #[inline(always)]
    fn mask(&self) -> usize {
        self.mask.get() as usize
    }
    /// # Safety
    /// `at` is at most the mask.
    #[inline(always)]
    unsafe fn entry(&self, at: usize) -> &setentry {
        // SAFETY: the caller's contract.
        unsafe { &*self.table.get().add(at) }
    }

    fn find(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Found> {
        'restart: loop {
            let table = self.table.get();
            let mask = self.mask();
            let mut walk = Walk::new(hash, mask);
            let mut dummy_at = None;
            loop {
                // SAFETY: the walk stays within the table, which is looked at again after code may have run.
                let entry = unsafe { &*table.add(walk.at) };
                let found = entry.key.get();
                if found.is_null() {
                    return Ok(dummy_at.map_or(Found::Unused(walk.at), Found::Dummy));
                }
                if entry.hash.get() == hash {
                    if found == key.as_ptr() {
                        return Ok(Found::Active(walk.at));
                    }
                    // SAFETY: an active entry's key is alive (a dummy's hash is -1, which no key has).
                    let equal =
                        match unsafe { crate::objects::dictobject::table::quick_eq(found, key.as_ptr()) } {
                            Some(equal) => equal,
                            None => {
                                // SAFETY: alive; from here on the count is ours.
                                let found = unsafe { Ref::from_borrowed(found) };
                                let equal = found.compare_bool(key, CompareOp::Eq)?;
                                let same = self.table.get() == table
                                && self.mask() == mask
                                // SAFETY: the same table of the same size.
                                && unsafe { self.entry(walk.at) }.key.get() == found.as_raw();
                                if !same {
                                    continue 'restart;
                                }
                                equal
                            }
                        };
                    if equal {
                        return Ok(Found::Active(walk.at));
                    }
                } else if entry.hash.get() == -1 {
                    dummy_at = Some(walk.at);
                }
                walk.advance();
            }
        }
    }

    /// Adds a key with a known hash; says whether it is new.
    pub fn add_known_hash(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<bool> {
        // The key may go away while it is compared.
        let key = key.to_ref();
        let (at, is_dummy) = match self.find(&key, hash)? {
            Found::Active(_) => return Ok(false),
            Found::Dummy(at) => (at, true),
            Found::Unused(at) => (at, false),
        };
        // SAFETY: `find` ended at this place, and no code ran since.
        let entry = unsafe { self.entry(at) };
        entry.key.set(key.into_raw());
        entry.hash.set(hash);
        self.used.set(self.used.get() + 1);
        if is_dummy {
            return Ok(true);
        }
        self.fill.set(self.fill.get() + 1);
        if (self.fill.get() as usize) * 5 < self.mask() * 3 {
            return Ok(true);
        }
        let used = self.len();
        self.resize(if used > 50000 { used * 2 } else { used * 4 })?;
        Ok(true)
    }

    pub fn add(&self, key: &PyObject) -> PyResult<()> {
        self.insert(key).map(drop)
    }
    /// As `add`; says whether the key is new.
    pub fn insert(&self, key: &PyObject) -> PyResult<bool> {
        self.add_known_hash(key, hash_element(key)?)
    }

    pub fn contains(&self, key: &PyObject) -> PyResult<bool> {
        if self.is_empty() && PyUnicodeObject::check_exact(key) {
            return Ok(false);
        }
        self.contains_known_hash(key, hash_element(key)?)
    }
    pub fn contains_known_hash(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<bool> {
        Ok(matches!(self.find(key, hash)?, Found::Active(_)))
    }

    /// Takes a key out; says whether it was there.
    pub fn discard(&self, key: &PyObject) -> PyResult<bool> {
        self.discard_known_hash(key, hash_element(key)?)
    }
    pub fn discard_known_hash(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<bool> {
        let Found::Active(at) = self.find(key, hash)? else {
            return Ok(false);
        };
        // SAFETY: an active entry, and no code ran since it was found.
        drop(unsafe { self.take_at(at) });
        Ok(true)
    }

    /// # Safety
    /// The entry at `at` is active.
    unsafe fn take_at(&self, at: usize) -> Ref {
        // SAFETY: the caller's contract; the key's count is moved out.
        unsafe {
            let entry = self.entry(at);
            let key = Ref::from_owned(entry.key.replace(dummy()));
            entry.hash.set(-1);
            self.used.set(self.used.get() - 1);
            key
        }
    }

    /// Takes some element out: the next after the one taken last.
    pub fn pop_any(&self) -> Option<Ref> {
        if self.is_empty() {
            return None;
        }
        let mut at = self.finger.get() as usize & self.mask();
        // SAFETY: the walk wraps within the table; a set in use has an active entry.
        unsafe {
            loop {
                let key = self.entry(at).key.get();
                if !key.is_null() && key != dummy() {
                    break;
                }
                at = if at == self.mask() { 0 } else { at + 1 };
            }
            self.finger.set(at as isize + 1);
            Some(self.take_at(at))
        }
    }

    /// Moves the entries into a table with more than `min_used` places.
    pub(super) fn resize(&self, min_used: usize) -> PyResult<()> {
        let mut size = PySet_MINSIZE;
        while size <= min_used {
            size <<= 1;
        }
        let (old, old_mask) = (self.table.get(), self.mask());
        let was_small = old == self.small_table();
        // SAFETY: the old entries are read from their table or from a copy of it; the new table is zeroed.
        unsafe {
            let mut saved: [std::mem::MaybeUninit<setentry>; PySet_MINSIZE] =
                [const { std::mem::MaybeUninit::uninit() }; PySet_MINSIZE];
            let mut source = old;
            let new = if size == PySet_MINSIZE {
                if was_small {
                    if self.fill.get() == self.used.get() {
                        return Ok(());
                    }
                    std::ptr::copy_nonoverlapping(old, saved.as_mut_ptr().cast(), PySet_MINSIZE);
                    source = saved.as_mut_ptr().cast();
                }
                self.small_table().write_bytes(0, PySet_MINSIZE);
                self.small_table()
            } else {
                let block = memory::raw_calloc(size * size_of::<setentry>()).cast::<setentry>();
                if block.is_null() {
                    return Err(memory::no_memory());
                }
                block
            };
            self.table.set(new);
            self.mask.set(size as isize - 1);
            self.fill.set(self.used.get());
            for at in 0..=old_mask {
                let entry = &*source.add(at);
                let key = entry.key.get();
                if !key.is_null() && key != dummy() {
                    self.place(key, entry.hash.get());
                }
            }
            if !was_small {
                memory::raw_free(old.cast());
            }
        }
        Ok(())
    }

    /// Puts a key that is not in the table into it; the counts are not touched.
    fn place(&self, key: *mut PyObject, hash: Py_hash_t) {
        let mut walk = Walk::new(hash, self.mask());
        loop {
            // SAFETY: the walk stays within the table.
            let entry = unsafe { self.entry(walk.at) };
            if entry.key.get().is_null() {
                entry.key.set(key);
                entry.hash.set(hash);
                return;
            }
            walk.advance();
        }
    }

    /// The element at or after `*position`, borrowed, with its hash; moves the position beyond it.
    #[inline]
    pub fn next_entry(&self, position: &mut usize) -> Option<(&PyObject, Py_hash_t)> {
        let mask = self.mask();
        let mut at = *position;
        while at <= mask {
            // SAFETY: within the table; an active entry's key is alive.
            unsafe {
                let entry = self.entry(at);
                at += 1;
                let key = entry.key.get();
                if !key.is_null() && key != dummy() {
                    *position = at;
                    return Some((&*key, entry.hash.get()));
                }
            }
        }
        *position = at;
        None
    }

    /// Takes everything out.
    pub fn clear(&self) {
        let (old, old_mask) = (self.table.get(), self.mask());
        if self.fill.get() == 0 && old == self.small_table() {
            return;
        }
        // SAFETY: the keys are moved out of the table, or of a copy, before any of them is dropped.
        unsafe {
            let mut saved: [std::mem::MaybeUninit<setentry>; PySet_MINSIZE] =
                [const { std::mem::MaybeUninit::uninit() }; PySet_MINSIZE];
            let small = old == self.small_table();
            let mut source = old;
            if small {
                std::ptr::copy_nonoverlapping(old, saved.as_mut_ptr().cast(), PySet_MINSIZE);
                source = saved.as_mut_ptr().cast();
            }
            self.small_table().write_bytes(0, PySet_MINSIZE);
            self.fill.set(0);
            self.used.set(0);
            self.finger.set(0);
            self.init_table();
            for at in 0..=old_mask {
                let key = (*source.add(at)).key.get();
                if !key.is_null() && key != dummy() {
                    memory::decref(key);
                }
            }
            if !small {
                memory::raw_free(old.cast());
            }
        }
    }

    /// Adds the elements of another set.
    pub fn merge_set(&self, other: &PySetObject) -> PyResult<()> {
        if std::ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        if (self.fill.get() + other.used.get()) as usize * 5 >= self.mask() * 3 {
            self.resize((self.len() + other.len()) * 2)?;
        }
        let mut position = 0;
        if self.fill.get() == 0 {
            if self.mask() == other.mask() && other.fill.get() == other.used.get() {
                for at in 0..=other.mask() {
                    // SAFETY: both tables have this size; an entry that is not unused is active, as there are no dummies.
                    unsafe {
                        let from = other.entry(at);
                        let key = from.key.get();
                        if !key.is_null() {
                            (*key).incref();
                            self.entry(at).key.set(key);
                            self.entry(at).hash.set(from.hash.get());
                        }
                    }
                }
            } else {
                while let Some((key, hash)) = other.next_entry(&mut position) {
                    self.place(key.to_ref().into_raw(), hash);
                }
            }
            self.fill.set(other.used.get());
            self.used.set(other.used.get());
            return Ok(());
        }
        while let Some((key, hash)) = other.next_entry(&mut position) {
            let key = key.to_ref();
            self.add_known_hash(&key, hash)?;
        }
        Ok(())
    }

    /// Adds the elements of any iterable.
    pub fn update(&self, other: &PyObject) -> PyResult<()> {
        if let Some(other) = Self::from_any(other) {
            return self.merge_set(other);
        }
        if let Some(dict) = other.downcast_exact::<PyDictObject>() {
            if (self.fill.get() as usize + dict.len()) * 5 >= self.mask() * 3 {
                self.resize((self.len() + dict.len()) * 2)?;
            }
            let mut position = 0;
            while let Some((key, _, hash)) = dict.next_entry(&mut position) {
                let key = key.to_ref();
                self.add_known_hash(&key, hash)?;
            }
            return Ok(());
        }
        let iterator = other.iter()?;
        while let Some(key) = iterator.next()? {
            self.add(&key)?;
        }
        Ok(())
    }

    /// A new set or frozenset, as this is one or the other, with the same elements.
    pub fn copy(&self) -> PyResult<Ref<PySetObject>> {
        let new = self.new_like();
        new.merge_set(self)?;
        Ok(new)
    }
    pub(super) fn new_like(&self) -> Ref<PySetObject> {
        if self.is_frozen() {
            Self::new_frozenset()
        } else {
            Self::new_set()
        }
    }

    pub fn intersection(&self, other: &PyObject) -> PyResult<Ref<PySetObject>> {
        if other.is(self.as_object()) {
            return self.copy();
        }
        let result = self.new_like();
        if let Some(other) = Self::from_any(other) {
            let (small, large) = if other.len() > self.len() {
                (self, other)
            } else {
                (other, self)
            };
            let mut position = 0;
            while let Some((key, hash)) = small.next_entry(&mut position) {
                let key = key.to_ref();
                if large.contains_known_hash(&key, hash)? {
                    result.add_known_hash(&key, hash)?;
                }
            }
            return Ok(result);
        }
        let iterator = other.iter()?;
        while let Some(key) = iterator.next()? {
            let hash = hash_element(&key)?;
            if self.contains_known_hash(&key, hash)? {
                result.add_known_hash(&key, hash)?;
            }
        }
        Ok(result)
    }

    pub fn difference_update(&self, other: &PyObject) -> PyResult<()> {
        if other.is(self.as_object()) {
            self.clear();
            return Ok(());
        }
        if let Some(other) = Self::from_any(other) {
            let mut position = 0;
            if (self.len() >> 3) > other.len() {
                while let Some((key, hash)) = other.next_entry(&mut position) {
                    let key = key.to_ref();
                    self.discard_known_hash(&key, hash)?;
                }
            } else {
                // Few elements here, so each is looked for there.
                while let Some((key, hash)) = self.next_entry(&mut position) {
                    let key = key.to_ref();
                    if other.contains_known_hash(&key, hash)? {
                        self.discard_known_hash(&key, hash)?;
                    }
                }
            }
        } else if let Some(dict) = other.downcast_exact::<PyDictObject>() {
            let mut position = 0;
            while let Some((key, _, hash)) = dict.next_entry(&mut position) {
                let key = key.to_ref();
                self.discard_known_hash(&key, hash)?;
            }
        } else {
            let iterator = other.iter()?;
            while let Some(key) = iterator.next()? {
                self.discard(&key)?;
            }
        }
        // Many removed entries make walks long.
        if (self.fill.get() - self.used.get()) as usize > self.mask() / 5 {
            self.resize(if self.used.get() > 50000 {
                self.len() * 2
            } else {
                self.len() * 4
            })?;
        }
        Ok(())
    }

    pub fn difference(&self, other: &PyObject) -> PyResult<Ref<PySetObject>> {
        let other_len = match (Self::from_any(other), other.downcast_exact::<PyDictObject>()) {
            (Some(set), _) => set.len(),
            (None, Some(dict)) => dict.len(),
            (None, None) => usize::MAX,
        };
        if other_len == usize::MAX || (self.len() >> 2) > other_len {
            let result = self.copy()?;
            result.difference_update(other)?;
            return Ok(result);
        }
        let result = self.new_like();
        let mut position = 0;
        while let Some((key, hash)) = self.next_entry(&mut position) {
            let key = key.to_ref();
            let there = match (Self::from_any(other), other.downcast::<PyDictObject>()) {
                (Some(set), _) => set.contains_known_hash(&key, hash)?,
                (None, Some(dict)) => dict.get_known_hash(&key, hash)?.is_some(),
                (None, None) => false,
            };
            if !there {
                result.add_known_hash(&key, hash)?;
            }
        }
        Ok(result)
    }

    pub fn symmetric_difference_update(&self, other: &PyObject) -> PyResult<()> {
        if other.is(self.as_object()) {
            self.clear();
            return Ok(());
        }
        let flip = |key: &PyObject, hash| -> PyResult<()> {
            if !self.discard_known_hash(key, hash)? {
                self.add_known_hash(key, hash)?;
            }
            Ok(())
        };
        let mut position = 0;
        if let Some(dict) = other.downcast_exact::<PyDictObject>() {
            while let Some((key, _, hash)) = dict.next_entry(&mut position) {
                let key = key.to_ref();
                flip(&key, hash)?;
            }
            return Ok(());
        }
        let elements;
        let other = match Self::from_any(other) {
            Some(set) => set,
            None => {
                elements = self.new_like();
                elements.update(other)?;
                &elements
            }
        };
        while let Some((key, hash)) = other.next_entry(&mut position) {
            let key = key.to_ref();
            flip(&key, hash)?;
        }
        Ok(())
    }

    /// Exchanges the contents of two sets.
    pub(super) fn swap_contents(&self, other: &PySetObject) {
        self.fill.swap(&other.fill);
        self.used.swap(&other.used);
        self.mask.swap(&other.mask);
        self.finger.swap(&other.finger);
        let (mine, theirs) = (self.table.get(), other.table.get());
        let (mine_small, theirs_small) = (mine == self.small_table(), theirs == other.small_table());
        if mine_small || theirs_small {
            for (a, b) in self.smalltable.iter().zip(&other.smalltable) {
                a.key.swap(&b.key);
                a.hash.swap(&b.hash);
            }
        }
        self.table
            .set(if theirs_small { self.small_table() } else { theirs });
        other
            .table
            .set(if mine_small { other.small_table() } else { mine });
        self.hash.set(-1);
        other.hash.set(-1);
    }

    pub fn is_subset_of(&self, other: &PySetObject) -> PyResult<bool> {
        if self.len() > other.len() {
            return Ok(false);
        }
        let mut position = 0;
        while let Some((key, hash)) = self.next_entry(&mut position) {
            let key = key.to_ref();
            if !other.contains_known_hash(&key, hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn is_disjoint(&self, other: &PyObject) -> PyResult<bool> {
        if other.is(self.as_object()) {
            return Ok(self.is_empty());
        }
        if let Some(other) = Self::from_any(other) {
            let (small, large) = if other.len() > self.len() {
                (self, other)
            } else {
                (other, self)
            };
            let mut position = 0;
            while let Some((key, hash)) = small.next_entry(&mut position) {
                let key = key.to_ref();
                if large.contains_known_hash(&key, hash)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let iterator = other.iter()?;
        while let Some(key) = iterator.next()? {
            if self.contains(&key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The hash of a frozenset: the order of its elements does not matter.
    pub(super) fn frozen_hash(&self) -> Py_hash_t {
        if self.hash.get() != -1 {
            return self.hash.get();
        }
        let shuffle = |hash: usize| ((hash ^ 89869747) ^ (hash << 16)).wrapping_mul(3644798167);
        let mut hash = 0;
        for at in 0..=self.mask() {
            // SAFETY: within the table.
            hash ^= shuffle(unsafe { self.entry(at) }.hash.get() as usize);
        }
        // Unused places and dummies have hashes too, which an even number of them takes out again.
        if (self.mask() + 1 - self.fill.get() as usize) & 1 != 0 {
            hash ^= shuffle(0);
        }
        if (self.fill.get() - self.used.get()) & 1 != 0 {
            hash ^= shuffle(usize::MAX);
        }
        hash ^= (self.len() + 1).wrapping_mul(1927868237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69069).wrapping_add(907133923);
        let hash = if hash == usize::MAX {
            590923713
        } else {
            hash as Py_hash_t
        };
        self.hash.set(hash);
        hash
    }

    /// Bytes of a table outside the object.
    pub(super) fn outside_bytes(&self) -> usize {
        if self.table.get() == self.small_table() {
            0
        } else {
            (self.mask() + 1) * size_of::<setentry>()
        }
    }

    /// # Safety
    /// The set is dead.
    pub(super) unsafe fn drop_table(&self) {
        let table = self.table.get();
        if table.is_null() {
            return;
        }
        let mut position = 0;
        // SAFETY: the caller's contract: nobody sees the entries any more.
        unsafe {
            while let Some((key, _)) = self.next_entry(&mut position) {
                memory::decref(key.as_ptr());
            }
            if table != self.small_table() {
                memory::raw_free(table.cast());
            }
        }
    }

    /// Where iteration starts over the table; for iterators.
    #[inline]
    pub(super) fn used_cell(&self) -> &Cell<isize> {
        &self.used
    }
}
