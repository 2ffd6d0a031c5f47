//! What Rust does with dicts: construction, access by key, merging and copying.

use super::keys::*;
use super::table::*;
use super::values::DictValues;
use super::watch::Event;
use super::{FREE_DICTS, PyDict_Type};
use crate::memory::{self, gc};
use crate::objects::freelist::alloc_static;
use crate::prelude::*;

/// What a merge does with a key that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    Keep,
    Replace,
    /// KeyError with the key: for `f(**a, **b)`.
    Fail,
}

/// `KeyError(key)`, also when the key is a tuple.
#[cold]
pub fn key_error(key: &PyObject) -> Raised {
    let args = PyTupleObject::from_slice(&[key]);
    raise!(KeyError, value => args.as_object())
}

/// Adds a note to the exception in flight.
#[cold]
fn with_note(raised: Raised, note: &str) -> Raised {
    let exception = raised.take();
    let note = PyUnicodeObject::from_str(note);
    match exception.call_method(identifier!("add_note"), &[note.as_object()]) {
        Ok(_) => crate::error::restore(exception),
        Err(raised) => raised,
    }
}

impl PyDictObject {
    /// An empty dict.
    #[inline]
    pub fn new() -> Ref<PyDictObject> {
        Self::with_table(empty_keys())
    }

    /// An empty dict with room for `n` entries.
    pub fn with_capacity(n: usize) -> Ref<PyDictObject> {
        if n <= usable_fraction(1 << LOG2_MINSIZE) && n != 0 {
            let keys = DictKeys::alloc(LOG2_MINSIZE, KeysKind::Unicode);
            return if keys.is_null() {
                Self::new()
            } else {
                Self::with_table(keys)
            };
        }
        let dict = Self::new();
        if n != 0
            && let Err(raised) = dict.reserve_empty(n, false)
        {
            // The room is a hint: the dict grows when it must.
            raised.clear();
        }
        dict
    }

    /// A new dict that takes over a table.
    #[inline]
    fn with_table(keys: *mut DictKeys) -> Ref<PyDictObject> {
        let mut object = FREE_DICTS.pop();
        if object.is_null() {
            object = alloc_static(&PyDict_Type, size_of::<PyDictObject>());
        } else {
            // SAFETY: memory of a dead dict.
            unsafe { memory::init_static(object, &PyDict_Type) };
        }
        // SAFETY: memory for a dict, with its header set.
        unsafe {
            let dict = object.cast::<PyDictObject>();
            (*dict).ma_used.set(0);
            (*dict)._ma_watcher_tag.set(0);
            (*dict).ma_keys.set(keys.cast());
            (*dict).ma_values.set(std::ptr::null_mut());
            gc::track(object);
            Ref::from_owned(dict)
        }
    }

    /// A split dict over shared keys and values; `self` owns the keys' count that is given, not embedded values.
    pub(super) fn new_split(keys: *mut DictKeys, values: *mut DictValues) -> Ref<PyDictObject> {
        let dict = Self::with_table(keys);
        dict.ma_values.set(values.cast());
        // SAFETY: the caller gives live values.
        dict.ma_used.set(unsafe { isize::from((*values).size.get()) });
        dict
    }

    /// A dict of these pairs.
    pub fn from_pairs(pairs: &[(&PyObject, &PyObject)]) -> PyResult<Ref<PyDictObject>> {
        let dict = Self::with_capacity(pairs.len());
        for (key, value) in pairs {
            dict.set(key, value)?;
        }
        Ok(dict)
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &PyObject) -> PyResult<Option<Ref>> {
        let value = self.find(key, hash_key(key)?)?;
        // SAFETY: the table's value, or null.
        Ok(unsafe { Ref::from_borrowed_opt(value) })
    }

    /// As `get`, borrowed from the dict, null when absent.
    #[inline]
    pub fn borrow(&self, key: &PyObject) -> PyResult<*mut PyObject> {
        self.find(key, hash_key(key)?)
    }

    #[inline]
    pub fn get_known_hash(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Option<Ref>> {
        let value = self.find(key, hash)?;
        // SAFETY: the table's value, or null.
        Ok(unsafe { Ref::from_borrowed_opt(value) })
    }

    /// The value of a string key. An exception from the `__eq__` of another key is dropped; where that matters, use `get`.
    #[inline]
    pub fn get_str(&self, key: &PyUnicodeObject) -> Option<Ref> {
        // SAFETY: the table's value, or null.
        unsafe { Ref::from_borrowed_opt(self.borrow_str(key)) }
    }

    /// As `get_str`, borrowed from the dict, null when absent.
    #[inline]
    pub fn borrow_str(&self, key: &PyUnicodeObject) -> *mut PyObject {
        match self.find(key.as_object(), str_hash(key)) {
            Ok(value) => value,
            Err(raised) => {
                raised.clear();
                std::ptr::null_mut()
            }
        }
    }

    /// The entry number of a string key, for inline caches: valid while `keys_version()` stays, for a combined,
    /// all-`str` table.
    #[inline]
    pub fn index_of_str(&self, key: &PyUnicodeObject) -> Option<u32> {
        let keys = self.keys_table();
        if keys.is_general() || self.is_split() || !PyUnicodeObject::check_exact(key.as_object()) {
            return None;
        }
        // SAFETY: an exact, hashed str in a table of such.
        let ix = unsafe { keys.lookup_str(key.as_ptr(), str_hash(key)) };
        u32::try_from(ix).ok()
    }

    /// The value of entry `index`, as `index_of_str` gave it under the same keys version; borrowed, null when deleted.
    ///
    /// # Safety
    /// `keys_version()` is what it was, and not 0.
    #[inline(always)]
    pub unsafe fn value_at(&self, index: u32) -> *mut PyObject {
        // SAFETY: the same set of keys, so the same entry.
        unsafe { self.keys_table().unicode_entry(index as isize).value.get() }
    }

    /// Replaces the value of entry `index`; the key keeps its entry.
    ///
    /// # Safety
    /// As `value_at`, and the entry has a value.
    #[inline]
    pub unsafe fn set_value_at(&self, index: u32, value: Ref) {
        // SAFETY: as in `value_at`; the table owned the old value.
        unsafe {
            let entry = self.keys_table().unicode_entry(index as isize);
            self.notify(Event::Modified, Some(&*entry.key.get()), Some(&value));
            drop(Ref::from_owned(entry.value.replace(value.into_raw())));
        }
    }

    #[inline]
    pub fn set(&self, key: &PyObject, value: &PyObject) -> PyResult<()> {
        self.insert(key, hash_key(key)?, value.to_ref())
    }

    #[inline]
    pub fn set_str(&self, key: &PyUnicodeObject, value: &PyObject) -> PyResult<()> {
        self.insert(key.as_object(), str_hash(key), value.to_ref())
    }

    #[inline]
    pub fn set_owned(&self, key: &PyObject, value: Ref) -> PyResult<()> {
        self.insert(key, hash_key(key)?, value)
    }

    pub fn contains(&self, key: &PyObject) -> PyResult<bool> {
        Ok(!self.find(key, hash_key(key)?)?.is_null())
    }

    #[inline]
    pub fn contains_str(&self, key: &PyUnicodeObject) -> bool {
        !self.borrow_str(key).is_null()
    }

    /// Takes a key out and returns its value.
    pub fn pop(&self, key: &PyObject) -> PyResult<Option<Ref>> {
        if self.is_empty() {
            // An unhashable key is only reported when there is something to compare it with.
            return Ok(None);
        }
        self.pop_known_hash(key, hash_key(key)?)
    }

    pub fn pop_known_hash(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Option<Ref>> {
        let ix = self.lookup(key, hash)?;
        // SAFETY: an entry of the table.
        if ix < 0 || unsafe { self.value_cell(ix) }.get().is_null() {
            return Ok(None);
        }
        self.notify(Event::Deleted, Some(key), None);
        // SAFETY: just found, with a value.
        Ok(Some(unsafe { self.delete_at(hash, ix) }))
    }

    /// Takes a key out; says whether it was there.
    pub fn remove(&self, key: &PyObject) -> PyResult<bool> {
        Ok(self.pop_known_hash(key, hash_key(key)?)?.is_some())
    }

    pub fn remove_str(&self, key: &PyUnicodeObject) -> PyResult<bool> {
        Ok(self.pop_known_hash(key.as_object(), str_hash(key))?.is_some())
    }

    /// The value of a key, which is set to `default` when it has none; and whether it had one.
    pub fn set_default(&self, key: &PyObject, default: &PyObject) -> PyResult<(Ref, bool)> {
        let hash = hash_key(key)?;
        let ix = self.lookup(key, hash)?;
        if ix >= 0 {
            // SAFETY: an entry of the table.
            let value = unsafe { self.value_cell(ix) }.get();
            if !value.is_null() {
                // SAFETY: the table's value.
                return Ok((unsafe { Ref::from_borrowed(value) }, true));
            }
        }
        self.insert_new(key, hash, default.to_ref(), ix)?;
        Ok((default.to_ref(), false))
    }

    /// Takes the last entry out.
    pub fn pop_last(&self) -> PyResult<Option<(Ref, Ref)>> {
        if self.is_empty() {
            return Ok(None);
        }
        self.make_combined()?;
        let keys = self.keys_table();
        let mut ix = keys.n_entries.get() - 1;
        // SAFETY: a used dict has an entry with a value at or before the last.
        unsafe {
            while keys.cells(ix).1.get().is_null() {
                ix -= 1;
            }
            let hash = keys.hash_at(ix);
            let key = Ref::from_borrowed(keys.cells(ix).0.get());
            self.notify(Event::Deleted, Some(&key), None);
            let value = self.delete_at(hash, ix);
            keys.n_entries.set(ix);
            Ok(Some((key, value)))
        }
    }

    /// Takes everything out.
    pub fn clear(&self) {
        if self.is_empty() && self.ma_keys.get() == empty_keys().cast() {
            return;
        }
        self.notify(Event::Cleared, None, None);
        self.ma_used.set(0);
        let values = self.ma_values.get().cast::<DictValues>();
        // SAFETY: the dict's own table and values; nothing of the dict points at them when their contents are dropped.
        unsafe {
            if !values.is_null() {
                if (*values).embedded.get() != 0 {
                    // The instance goes on with its inline values, which are empty now.
                    (*values).clear();
                } else {
                    let keys = self.ma_keys.replace(empty_keys().cast()).cast();
                    self.ma_values.set(std::ptr::null_mut());
                    DictValues::free(values);
                    DictKeys::decref(keys);
                }
                return;
            }
            let keys = self.ma_keys.replace(empty_keys().cast()).cast();
            DictKeys::decref(keys);
        }
    }

    /// A copy of a combined table with few holes, or null.
    fn clone_table(&self) -> *mut DictKeys {
        let keys = self.keys_table();
        let new = DictKeys::alloc(keys.log2_size.get(), keys.kind.get());
        if new.is_null() {
            return new;
        }
        // SAFETY: both blocks have the same size and layout; the copy gets its own counts.
        unsafe {
            let head = size_of::<DictKeys>();
            let source = (keys as *const DictKeys).cast::<u8>().add(head);
            std::ptr::copy_nonoverlapping(source, new.cast::<u8>().add(head), keys.size_bytes() - head);
            (*new).n_entries.set(keys.n_entries.get());
            (*new).usable.set(keys.usable.get());
            for ix in 0..keys.n_entries.get() {
                let (key, value) = keys.cells(ix);
                if !value.get().is_null() {
                    (*key.get()).incref();
                    (*value.get()).incref();
                }
            }
        }
        new
    }

    fn may_clone_table(&self) -> bool {
        !self.is_split()
            && !self.is_empty()
            && self.ma_used.get() >= self.keys_table().n_entries.get() * 2 / 3
    }

    /// A new plain dict with the same entries.
    pub fn copy(&self) -> PyResult<Ref<PyDictObject>> {
        if self.is_empty() {
            return Ok(Self::new());
        }
        // A subclass may have an order of its own.
        if !super::has_dict_iter(self.as_object().ty()) {
            let dict = Self::new();
            dict.merge(self.as_object(), OnDuplicate::Replace)?;
            return Ok(dict);
        }
        if self.may_clone_table() {
            let keys = self.clone_table();
            if keys.is_null() {
                return Err(memory::no_memory());
            }
            let dict = Self::with_table(keys);
            dict.ma_used.set(self.ma_used.get());
            return Ok(dict);
        }
        let dict = Self::new();
        dict.merge_dict(self, OnDuplicate::Replace)?;
        Ok(dict)
    }

    /// `self.update(other)` for a dict, whatever its class.
    pub fn merge_dict(&self, other: &PyDictObject, on_duplicate: OnDuplicate) -> PyResult<()> {
        if std::ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        let is_dense = other.may_clone_table() && other.ma_used.get() == other.keys_table().n_entries.get();
        if is_dense && self.is_empty() && !self.is_split() {
            self.notify(Event::Cloned, Some(other.as_object()), None);
            let keys = other.clone_table();
            if keys.is_null() {
                return Err(memory::no_memory());
            }
            let old = self.ma_keys.replace(keys.cast()).cast::<DictKeys>();
            self.ma_used.set(other.ma_used.get());
            // SAFETY: the dict owned its empty table.
            unsafe { DictKeys::decref(old) };
            return Ok(());
        }
        if !self.is_split() && self.keys_table().usable.get() < other.ma_used.get() {
            let general = self.keys_table().is_general() || other.keys_table().is_general();
            if self.is_empty() {
                self.resize(estimate_log2_keysize(other.len()), general)?;
            } else if self.keys_table().usable.get() * 3 < other.ma_used.get() * 2 {
                self.resize(estimate_log2_keysize(self.len() + other.len()), general)?;
            }
        }
        let expected = other.ma_used.get();
        let mut position = 0;
        while let Some((key, value, hash)) = other.next_entry(&mut position) {
            let (key, value) = (key.to_ref(), value.to_ref());
            match on_duplicate {
                OnDuplicate::Replace => self.insert(&key, hash, value)?,
                OnDuplicate::Keep => {
                    if self.find(&key, hash)?.is_null() {
                        self.insert(&key, hash, value)?;
                    }
                }
                OnDuplicate::Fail => {
                    if !self.find(&key, hash)?.is_null() {
                        return Err(key_error(&key));
                    }
                    self.insert(&key, hash, value)?;
                }
            }
            if other.ma_used.get() != expected {
                return Err(raise!(RuntimeError, "dict mutated during update"));
            }
        }
        Ok(())
    }

    /// Takes the entries of any mapping.
    pub fn merge(&self, other: &PyObject, on_duplicate: OnDuplicate) -> PyResult<()> {
        if let Some(dict) = other.downcast::<PyDictObject>()
            && super::has_dict_iter(other.ty())
        {
            return self.merge_dict(dict, on_duplicate);
        }
        let keys = other.call_method(identifier!("keys"), &[])?;
        let iterator = keys.iter()?;
        drop(keys);
        while let Some(key) = iterator.next()? {
            if on_duplicate != OnDuplicate::Replace && self.contains(&key)? {
                if on_duplicate == OnDuplicate::Fail {
                    return Err(key_error(&key));
                }
                continue;
            }
            let value = other.get_item(&key)?;
            self.set_owned(&key, value)?;
        }
        Ok(())
    }

    /// Takes the entries of an iterable of pairs.
    pub fn merge_pairs(&self, pairs: &PyObject, replace: bool) -> PyResult<()> {
        let iterator = pairs.iter()?;
        let mut count = 0usize;
        while let Some(item) = iterator.next()? {
            let fast = item
                .to_fast_sequence("object is not iterable")
                .map_err(|raised| {
                    if !raised.matches(crate::exceptions::exc::TypeError) {
                        return raised;
                    }
                    let note =
                        format!("Cannot convert dictionary update sequence element #{count} to a sequence");
                    with_note(raised, &note)
                })?;
            let items = crate::objects::tupleobject::fast_items(&fast);
            if items.len() != 2 {
                return Err(raise!(
                    ValueError,
                    "dictionary update sequence element #{count} has length {}; 2 is required",
                    items.len()
                ));
            }
            let (key, value) = (items[0].to_ref(), items[1].to_ref());
            if replace {
                self.set_owned(&key, value)?;
            } else {
                self.set_default(&key, &value)?;
            }
            count += 1;
        }
        Ok(())
    }

    /// `self.update(other)`: a mapping when it has `keys`, else pairs.
    pub fn update(&self, other: &PyObject) -> PyResult<()> {
        if PyDictObject::check_exact(other) || other.has_attr(identifier!("keys"))? {
            return self.merge(other, OnDuplicate::Replace);
        }
        self.merge_pairs(other, true)
    }

    /// The keys as a list.
    pub fn keys_list(&self) -> Ref<PyListObject> {
        self.list_of(|key, _| key.to_ref())
    }
    pub fn values_list(&self) -> Ref<PyListObject> {
        self.list_of(|_, value| value.to_ref())
    }
    pub fn items_list(&self) -> Ref<PyListObject> {
        self.list_of(|key, value| PyTupleObject::from_slice(&[key, value]).into_object())
    }
    fn list_of(&self, f: impl Fn(&PyObject, &PyObject) -> Ref) -> Ref<PyListObject> {
        let mut items = Vec::with_capacity(self.len());
        let mut position = 0;
        while let Some((key, value, _)) = self.next_entry(&mut position) {
            items.push(f(key, value));
        }
        PyListObject::from_vec(items)
    }

    /// `self == other` for dicts.
    pub fn equals(&self, other: &PyDictObject) -> PyResult<bool> {
        if self.ma_used.get() != other.ma_used.get() {
            return Ok(false);
        }
        let mut position = 0;
        while let Some((key, value, hash)) = self.next_entry(&mut position) {
            let (key, value) = (key.to_ref(), value.to_ref());
            let Some(others) = other.get_known_hash(&key, hash)? else {
                return Ok(false);
            };
            if !value.compare_bool(&others, CompareOp::Eq)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
