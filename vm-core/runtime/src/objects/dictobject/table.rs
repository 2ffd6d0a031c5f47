//! dict, key, hash -> entry: lookup, insertion, deletion and resizing, for combined and for split tables.
//!
//! Comparing keys may run Python code that changes the dict: a lookup notices and starts again, and nothing here keeps
//! a borrowed pointer into the table over a comparison or a drop.

use super::keys::*;
use super::values::DictValues;
use super::watch::{self, Event};
use crate::abi::*;
use crate::error::PyResult;
use crate::memory;
use crate::object::{CompareOp, Ref, TypedObject};
use std::cell::Cell;

/// The hash of a key: strings and small ints without a call.
#[inline(always)]
pub fn hash_of(key: &PyObject) -> PyResult<Py_hash_t> {
    if PyUnicodeObject::check_exact(key) {
        // SAFETY: checked to be a str.
        return Ok(str_hash(unsafe { key.cast_unchecked() }));
    }
    if let Some(long) = key.downcast_exact::<PyLongObject>() {
        if long.is_compact() {
            // -1 says that there is no hash.
            let value = long.compact_value();
            return Ok(if value == -1 { -2 } else { value });
        }
        return Ok(hash_of_long(long));
    }
    key.hash()
}

#[cold]
#[inline(never)]
fn hash_of_long(long: &PyLongObject) -> Py_hash_t {
    long.hash_value()
}

/// The hash of a string, computed when it is not cached.
#[inline(always)]
pub fn str_hash(key: &PyUnicodeObject) -> Py_hash_t {
    // SAFETY: a live str.
    let hash = unsafe { str_hash_cell(key.as_ptr()) };
    if hash != -1 { hash } else { key.hash() }
}

/// The hash of a key for a dict; an unhashable key is reported as such.
#[inline(always)]
pub fn hash_key(key: &PyObject) -> PyResult<Py_hash_t> {
    hash_of(key).map_err(|raised| unhashable(raised, key, "a dict key"))
}

/// Says for what an unhashable object was to be used.
#[cold]
pub fn unhashable(raised: crate::Raised, key: &PyObject, usage: &str) -> crate::Raised {
    if !raised.matches(crate::exceptions::exc::TypeError) {
        return raised;
    }
    let exception = raised.take();
    match exception.str() {
        Ok(text) => crate::raise!(
            TypeError,
            "cannot use '{}' as {usage} ({})",
            key.ty().fully_qualified_name(),
            text.to_string_lossy()
        ),
        Err(raised) => raised,
    }
}

/// Whether two keys with equal hashes are equal, when that is known without running code.
///
/// # Safety
/// Both are live objects.
#[inline(always)]
pub unsafe fn quick_eq(a: *mut PyObject, b: *mut PyObject) -> Option<bool> {
    // SAFETY: the caller's contract; layouts are checked.
    unsafe {
        let ty = (*a).ob_type.get();
        if ty != (*b).ob_type.get() {
            return None;
        }
        if std::ptr::eq(ty, PyUnicodeObject::type_object()) {
            return Some(str_eq(a, b));
        }
        if std::ptr::eq(ty, PyLongObject::type_object()) {
            let (a, b) = (&*a.cast::<PyLongObject>(), &*b.cast::<PyLongObject>());
            return Some(a.long_value.lv_tag.get() == b.long_value.lv_tag.get() && a.digits() == b.digits());
        }
        None
    }
}

impl PyDictObject {
    #[inline(always)]
    pub fn keys_table(&self) -> &DictKeys {
        // SAFETY: a dict always has a table.
        unsafe { &*self.ma_keys.get().cast::<DictKeys>() }
    }

    #[inline(always)]
    pub(super) fn values_table(&self) -> Option<&DictValues> {
        // SAFETY: null or the values of this split dict.
        unsafe { self.ma_values.get().cast::<DictValues>().as_ref() }
    }

    #[inline(always)]
    pub fn is_split(&self) -> bool {
        !self.ma_values.get().is_null()
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ma_used.get() as usize
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.ma_used.get() == 0
    }

    /// For inline caches: changes whenever the set of keys may have changed; 0 when there is none to be had.
    /// The value of entry `index` may change without it.
    #[inline]
    pub fn keys_version(&self) -> u32 {
        self.keys_table().version()
    }

    /// Where the value of an entry is.
    ///
    /// # Safety
    /// `ix` is below the table's `n_entries`.
    #[inline(always)]
    pub(super) unsafe fn value_cell(&self, ix: isize) -> &Cell<*mut PyObject> {
        // SAFETY: the caller's contract; values have room for every entry of shared keys.
        unsafe {
            match self.values_table() {
                Some(values) => values.value(ix),
                None => self.keys_table().cells(ix).1,
            }
        }
    }

    /// The entry of a key: negative when it has none. In a split dict the entry's value may be null.
    #[inline]
    pub(crate) fn lookup(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<isize> {
        let keys = self.keys_table();
        if PyUnicodeObject::check_exact(key) {
            if !keys.is_general() {
                // SAFETY: an exact, hashed str in a table of such.
                return Ok(unsafe { keys.lookup_str(key.as_ptr(), hash) });
            }
        } else if keys.n_entries.get() == 0 {
            return Ok(DKIX_EMPTY);
        }
        self.lookup_slow(key, hash)
    }

    fn lookup_slow(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<isize> {
        loop {
            let keys = self.keys_table();
            let found = if keys.is_general() {
                with_index_type!(keys, I => self.lookup_general::<I>(keys, key, hash))
            } else {
                with_index_type!(keys, I => self.lookup_in_str_table::<I>(keys, key, hash))
            };
            match found? {
                Some(ix) => return Ok(ix),
                None => continue,
            }
        }
    }

    /// `None` when a comparison changed the dict.
    fn lookup_general<I: Index>(
        &self,
        keys: &DictKeys,
        key: &PyObject,
        hash: Py_hash_t,
    ) -> PyResult<Option<isize>> {
        let mut probe = Probe::new(keys, hash);
        loop {
            // SAFETY: the probe is masked to the array; an index names a live entry; after `keys_equal` nothing is
            // read from the table unless it is still the dict's.
            unsafe {
                let ix = (*keys.indices::<I>().add(probe.at)).get();
                if ix >= 0 {
                    let entry = keys.entry(ix);
                    let found = entry.key.get();
                    if found == key.as_ptr() {
                        return Ok(Some(ix));
                    }
                    if entry.hash.get() == hash {
                        match quick_eq(found, key.as_ptr()) {
                            Some(true) => return Ok(Some(ix)),
                            Some(false) => {}
                            None => match self.keys_equal(ix, found, key)? {
                                None => return Ok(None),
                                Some(true) => return Ok(Some(ix)),
                                Some(false) => {}
                            },
                        }
                    }
                } else if ix == DKIX_EMPTY {
                    return Ok(Some(DKIX_EMPTY));
                }
            }
            probe.advance();
        }
    }

    /// As `lookup_general`, for a key that is no exact `str` in a table of such.
    #[cold]
    fn lookup_in_str_table<I: Index>(
        &self,
        keys: &DictKeys,
        key: &PyObject,
        hash: Py_hash_t,
    ) -> PyResult<Option<isize>> {
        let mut probe = Probe::new(keys, hash);
        loop {
            // SAFETY: as in `lookup_general`.
            unsafe {
                let ix = (*keys.indices::<I>().add(probe.at)).get();
                if ix >= 0 {
                    let found = keys.unicode_entry(ix).key.get();
                    if found == key.as_ptr() {
                        return Ok(Some(ix));
                    }
                    if str_hash_cell(found) == hash {
                        match self.keys_equal(ix, found, key)? {
                            None => return Ok(None),
                            Some(true) => return Ok(Some(ix)),
                            Some(false) => {}
                        }
                    }
                } else if ix == DKIX_EMPTY {
                    return Ok(Some(DKIX_EMPTY));
                }
            }
            probe.advance();
        }
    }

    /// Compares by `==`; `None` when that changed the dict so that the probe must start again.
    fn keys_equal(&self, ix: isize, found: *mut PyObject, key: &PyObject) -> PyResult<Option<bool>> {
        let before = self.ma_keys.get();
        let (log2_size, kind) = (self.keys_table().log2_size.get(), self.keys_table().kind.get());
        // SAFETY: the entry owns the key until code runs; from then on we do.
        let found = unsafe { Ref::from_borrowed(found) };
        let equal = found.compare_bool(key, CompareOp::Eq)?;
        let keys = self.keys_table();
        let same = self.ma_keys.get() == before
            && (keys.log2_size.get(), keys.kind.get()) == (log2_size, kind)
            && ix < keys.n_entries.get()
            // SAFETY: `ix` is an entry of the table that the dict has now.
            && unsafe { keys.cells(ix) }.0.get() == found.as_raw();
        Ok(same.then_some(equal))
    }

    /// Where the value of `key` is, when the table has this very object at the first place that its hash points to; such are
    /// most lookups by interned names and by small ints. `None` when more must be looked at.
    #[inline(always)]
    pub fn find_same(&self, key: &PyObject) -> Option<&Cell<*mut PyObject>> {
        let hash = if PyUnicodeObject::check_exact(key) {
            // SAFETY: checked to be a str. Without a hash it is -1, whose place is as good as any: only the same object counts.
            unsafe { str_hash_cell(key.as_ptr()) }
        } else {
            let int = key.downcast_exact::<PyLongObject>()?;
            if !int.is_compact() {
                return None;
            }
            int.compact_value()
        };
        let keys = self.keys_table();
        let log2_size = keys.log2_size.get();
        // SAFETY: the place is masked to the array; an index names an entry, which is live or has null for its key.
        unsafe {
            let at = hash as usize & keys.mask();
            let ix = if log2_size < 8 {
                (*keys.indices::<i8>().add(at)).get()
            } else if log2_size < 16 {
                (*keys.indices::<i16>().add(at)).get()
            } else {
                return None;
            };
            if ix < 0 {
                return None;
            }
            let (found, value) = keys.cells(ix);
            if found.get() != key.as_ptr() {
                return None;
            }
            let value = match self.values_table() {
                Some(values) => values.value(ix),
                None => value,
            };
            (!value.get().is_null()).then_some(value)
        }
    }

    /// Replaces the value of a key as `find_same` finds it; false when the general way must be taken.
    #[inline(always)]
    pub fn replace_same(&self, key: &PyObject, value: &PyObject) -> bool {
        if self._ma_watcher_tag.get() & watch::WATCHER_MASK != 0 {
            return false;
        }
        let Some(cell) = self.find_same(key) else {
            return false;
        };
        // SAFETY: the table owned the old value.
        drop(unsafe { Ref::from_owned(cell.replace(value.to_ref().into_raw())) });
        true
    }

    /// Borrowed value of a key with a known hash, null when absent.
    #[inline(always)]
    pub(super) fn find(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<*mut PyObject> {
        let ix = self.lookup(key, hash)?;
        if ix < 0 {
            return Ok(std::ptr::null_mut());
        }
        // SAFETY: an entry of the table.
        Ok(unsafe { self.value_cell(ix) }.get())
    }

    /// Sets a key to a value.
    #[inline]
    pub fn insert(&self, key: &PyObject, hash: Py_hash_t, value: Ref) -> PyResult<()> {
        let ix = self.lookup(key, hash)?;
        if ix >= 0 {
            // SAFETY: an entry of the table.
            let cell = unsafe { self.value_cell(ix) };
            if !cell.get().is_null() {
                self.notify(Event::Modified, Some(key), Some(&value));
                // SAFETY: the table owned the old value.
                drop(unsafe { Ref::from_owned(cell.replace(value.into_raw())) });
                return Ok(());
            }
        }
        self.insert_new(key, hash, value, ix)
    }

    /// Adds a key that the dict has not; `ix` is its entry when shared keys have the name without a value.
    pub(super) fn insert_new(&self, key: &PyObject, hash: Py_hash_t, value: Ref, ix: isize) -> PyResult<()> {
        self.notify(Event::Added, Some(key), Some(&value));
        let is_str = PyUnicodeObject::check_exact(key);
        if let Some(values) = self.values_table() {
            let ix = match (is_str, ix) {
                // Another object that equals a shared name becomes the key itself.
                (false, _) => None,
                (true, 0..) => Some(ix),
                // SAFETY: shared keys, and an exact, hashed str.
                (true, _) => unsafe { self.keys_table().shared_index(key.as_ptr(), hash) },
            };
            if let Some(ix) = ix {
                // SAFETY: shared keys have no more entries than the values have room for.
                unsafe { values.value(ix) }.set(value.into_raw());
                values.push_order(ix);
                self.ma_used.set(self.ma_used.get() + 1);
                return Ok(());
            }
            self.resize(calculate_log2_keysize(self.len() * 3), !is_str)?;
        }
        let mut keys = self.keys_table();
        if !is_str && !keys.is_general() {
            let grow = if keys.usable.get() <= 0 {
                calculate_log2_keysize(self.len() * 3)
            } else {
                0
            };
            self.resize(grow.max(keys.log2_size.get()).max(LOG2_MINSIZE), true)?;
            keys = self.keys_table();
        } else if keys.usable.get() <= 0 {
            self.resize(calculate_log2_keysize(self.len() * 3), keys.is_general())?;
            keys = self.keys_table();
        }
        self.append_entry(keys, key.to_ref(), hash, value);
        Ok(())
    }

    /// Adds an entry for a key that is absent, to a combined table with room and of the right kind.
    #[inline(always)]
    pub(super) fn append_entry(&self, keys: &DictKeys, key: Ref, hash: Py_hash_t, value: Ref) {
        debug_assert!(keys.usable.get() > 0);
        keys.version.set(0);
        let ix = keys.n_entries.get();
        // SAFETY: there is room for the entry; the table takes over the counts.
        unsafe {
            if keys.is_general() {
                let entry = keys.entry(ix);
                entry.hash.set(hash);
                entry.key.set(key.into_raw());
                entry.value.set(value.into_raw());
            } else {
                let entry = keys.unicode_entry(ix);
                entry.key.set(key.into_raw());
                entry.value.set(value.into_raw());
            }
        }
        keys.add_index(hash, ix);
        keys.n_entries.set(ix + 1);
        keys.usable.set(keys.usable.get() - 1);
        self.ma_used.set(self.ma_used.get() + 1);
    }

    /// Takes an entry with a value out and returns that.
    ///
    /// # Safety
    /// `ix` was found for a key with this hash, and its value is not null.
    pub(super) unsafe fn delete_at(&self, hash: Py_hash_t, ix: isize) -> Ref {
        let keys = self.keys_table();
        self.ma_used.set(self.ma_used.get() - 1);
        // SAFETY: the caller's contract; key and value counts are moved out of the entry.
        unsafe {
            let value = Ref::from_owned(self.value_cell(ix).replace(std::ptr::null_mut()));
            if let Some(values) = self.values_table() {
                values.remove_order(ix);
                return value;
            }
            keys.version.set(0);
            keys.set_index(keys.find_index(hash, ix), DKIX_DUMMY);
            let key = keys.cells(ix).0.replace(std::ptr::null_mut());
            if keys.is_general() {
                keys.entry(ix).hash.set(0);
            }
            memory::decref(key);
            value
        }
    }

    /// Moves the entries into a new table, which is combined.
    pub(super) fn resize(&self, log2_size: u8, general: bool) -> PyResult<()> {
        let old_ptr = self.ma_keys.get().cast::<DictKeys>();
        let old = self.keys_table();
        let kind = if general {
            KeysKind::General
        } else {
            KeysKind::Unicode
        };
        let new_ptr = DictKeys::alloc(log2_size, kind);
        if new_ptr.is_null() {
            return Err(memory::no_memory());
        }
        // SAFETY: just allocated, ours alone until it is put into the dict.
        let new = unsafe { &*new_ptr };
        let put = |key: *mut PyObject, hash: Py_hash_t, value: *mut PyObject| {
            let ix = new.n_entries.get();
            // SAFETY: the new table has room for all entries of the old one.
            unsafe {
                if general {
                    let entry = new.entry(ix);
                    entry.hash.set(hash);
                    entry.key.set(key);
                    entry.value.set(value);
                } else {
                    let entry = new.unicode_entry(ix);
                    entry.key.set(key);
                    entry.value.set(value);
                }
            }
            new.add_index(hash, ix);
            new.n_entries.set(ix + 1);
            new.usable.set(new.usable.get() - 1);
        };
        // SAFETY: entries and values are read below their counts; what is moved is not dropped from the old place.
        unsafe {
            if let Some(values) = self.values_table() {
                let values_ptr = self.ma_values.get().cast::<DictValues>();
                for position in 0..usize::from(values.size.get()) {
                    let ix = values.order_at(position);
                    let key = old.unicode_entry(ix).key.get();
                    (*key).incref();
                    put(
                        key,
                        str_hash_cell(key),
                        values.value(ix).replace(std::ptr::null_mut()),
                    );
                }
                values.size.set(0);
                self.ma_keys.set(new_ptr.cast());
                self.ma_values.set(std::ptr::null_mut());
                if values.embedded.get() != 0 {
                    values.valid.set(0);
                } else {
                    memory::raw_free(values_ptr.cast());
                }
                DictKeys::decref(old_ptr);
            } else {
                for ix in 0..old.n_entries.get() {
                    let (key, value) = old.cells(ix);
                    if !value.get().is_null() {
                        put(key.get(), old.hash_at(ix), value.get());
                    }
                }
                self.ma_keys.set(new_ptr.cast());
                if old.refcnt.get() >= 0 {
                    DictKeys::free(old_ptr);
                }
            }
        }
        Ok(())
    }

    /// Makes a split dict combined.
    pub(super) fn make_combined(&self) -> PyResult<()> {
        if self.is_split() {
            self.resize(estimate_log2_keysize(self.len().max(5)), false)
        } else {
            Ok(())
        }
    }

    /// Room for `n` entries in a dict that is empty and combined.
    pub(super) fn reserve_empty(&self, n: usize, general: bool) -> PyResult<()> {
        self.resize(estimate_log2_keysize(n), general)
    }

    /// The entry at or after `*position` in the order of insertion, borrowed; moves the position beyond it.
    #[inline]
    pub fn next_entry(&self, position: &mut usize) -> Option<(&PyObject, &PyObject, Py_hash_t)> {
        let keys = self.keys_table();
        // SAFETY: positions are checked against the counts; an entry with a value has a key.
        unsafe {
            if let Some(values) = self.values_table() {
                if *position >= usize::from(values.size.get()) {
                    return None;
                }
                let ix = values.order_at(*position);
                *position += 1;
                let key = keys.unicode_entry(ix).key.get();
                return Some((&*key, &*values.value(ix).get(), str_hash_cell(key)));
            }
            let n_entries = keys.n_entries.get() as usize;
            let mut at = *position;
            if keys.is_general() {
                while at < n_entries {
                    let entry = keys.entry(at as isize);
                    at += 1;
                    if !entry.value.get().is_null() {
                        *position = at;
                        return Some((&*entry.key.get(), &*entry.value.get(), entry.hash.get()));
                    }
                }
            } else {
                while at < n_entries {
                    let entry = keys.unicode_entry(at as isize);
                    at += 1;
                    if !entry.value.get().is_null() {
                        *position = at;
                        let key = entry.key.get();
                        return Some((&*key, &*entry.value.get(), str_hash_cell(key)));
                    }
                }
            }
            *position = at;
            None
        }
    }

    /// The entry before `*position`, borrowed; moves the position to it.
    pub(super) fn previous_entry(&self, position: &mut usize) -> Option<(&PyObject, &PyObject)> {
        // A table that has become shorter than the position has been replaced.
        if *position > self.end_position() {
            return None;
        }
        while *position > 0 {
            *position -= 1;
            let at = *position;
            // SAFETY: a position is at most the count of entries when the walk starts; it is checked again here.
            unsafe {
                let ix = match self.values_table() {
                    Some(values) if at < usize::from(values.size.get()) => values.order_at(at),
                    Some(_) => continue,
                    None => at as isize,
                };
                if ix >= self.keys_table().n_entries.get() {
                    continue;
                }
                let value = self.value_cell(ix).get();
                if !value.is_null() {
                    return Some((&*self.keys_table().cells(ix).0.get(), &*value));
                }
            }
        }
        None
    }

    /// One more than the largest position of `next_entry`.
    pub(super) fn end_position(&self) -> usize {
        match self.values_table() {
            Some(values) => usize::from(values.size.get()),
            None => self.keys_table().n_entries.get() as usize,
        }
    }

    /// Tells watchers, if the dict has any.
    #[inline(always)]
    pub(super) fn notify(&self, event: Event, key: Option<&PyObject>, value: Option<&PyObject>) {
        if self._ma_watcher_tag.get() & watch::WATCHER_MASK != 0 {
            watch::notify(self, event, key, value);
        }
    }
}
