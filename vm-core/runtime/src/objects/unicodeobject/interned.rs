//! Equal strings -> one object. The table holds its strings without counts: a mortal one leaves it when it dies.
//!
//! One-character Latin-1 strings and the empty string are not in the table: there is only one of each.

use super::{empty_str, latin1_char, state};
use crate::prelude::*;
use std::cell::UnsafeCell;

/// An open-addressed set of borrowed strings, by their cached hash.
struct Table {
    slots: Vec<*const PyUnicodeObject>,
    n_used: usize,
    /// Slots that are used or were.
    n_filled: usize,
}

struct Shared(UnsafeCell<Table>);
// SAFETY: the table is touched only by the thread that holds the GIL.
unsafe impl Sync for Shared {}

static TABLE: Shared = Shared(UnsafeCell::new(Table {
    slots: Vec::new(),
    n_used: 0,
    n_filled: 0,
}));

/// Marks a slot whose string died.
const GONE: *const PyUnicodeObject = std::ptr::without_provenance(8);

fn with_table<R>(work: impl FnOnce(&mut Table) -> R) -> R {
    // SAFETY: the GIL is held, and no work on the table runs Python code or comes back here.
    work(unsafe { &mut *TABLE.0.get() })
}

impl Table {
    fn grow(&mut self) {
        let capacity = (self.n_used * 4).next_power_of_two().max(4096);
        let old = std::mem::replace(&mut self.slots, vec![std::ptr::null(); capacity]);
        self.n_filled = self.n_used;
        for entry in old.into_iter().filter(|entry| !entry.is_null() && *entry != GONE) {
            // SAFETY: the table's strings are alive.
            let mut idx = unsafe { (*entry).hash() } as usize & (capacity - 1);
            while !self.slots[idx].is_null() {
                idx = (idx + 1) & (capacity - 1);
            }
            self.slots[idx] = entry;
        }
    }
    /// The string of the table that equals `object`, which is added when there is none.
    fn find_or_add(&mut self, object: &PyUnicodeObject) -> &'static PyUnicodeObject {
        if (self.n_filled + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let hash = object.hash();
        let mut idx = hash as usize & mask;
        let mut free = None;
        loop {
            let entry = self.slots[idx];
            if entry.is_null() {
                break;
            }
            if entry == GONE {
                free.get_or_insert(idx);
            } else {
                // SAFETY: the table's strings are alive.
                let found = unsafe { &*entry };
                if found.hash() == hash && found.eq(object) {
                    return found;
                }
            }
            idx = (idx + 1) & mask;
        }
        if free.is_none() {
            self.n_filled += 1;
        }
        self.slots[free.unwrap_or(idx)] = object;
        self.n_used += 1;
        // SAFETY: the string takes itself out of the table when it dies.
        unsafe { &*(object as *const PyUnicodeObject) }
    }
    fn remove(&mut self, object: &PyUnicodeObject) {
        let mask = self.slots.len() - 1;
        let mut idx = object.hash() as usize & mask;
        while !std::ptr::eq(self.slots[idx], object) {
            if self.slots[idx].is_null() {
                debug_assert!(false, "an interned string is not in the table");
                return;
            }
            idx = (idx + 1) & mask;
        }
        self.slots[idx] = GONE;
        self.n_used -= 1;
    }
}

/// The interned equal of `object`; instances of subclasses are given back as they are.
pub(super) fn intern(object: Ref<PyUnicodeObject>, immortal: bool) -> Ref<PyUnicodeObject> {
    if object.interned_state() == state::NOT_INTERNED {
        if !PyUnicodeObject::check_exact(object.as_object()) {
            return object;
        }
        match object.latin1() {
            Some([]) => return empty_str().to_ref(),
            Some([code]) => return latin1_char(*code).to_ref(),
            _ => {}
        }
        let found = with_table(|table| table.find_or_add(&object));
        if !std::ptr::eq(found, &*object) {
            return make_immortal_if(found.to_ref(), immortal);
        }
        object.set_interned(state::INTERNED_MORTAL);
    }
    make_immortal_if(object, immortal)
}

fn make_immortal_if(object: Ref<PyUnicodeObject>, immortal: bool) -> Ref<PyUnicodeObject> {
    if immortal && object.interned_state() == state::INTERNED_MORTAL {
        object.set_interned(state::INTERNED_IMMORTAL);
        object.as_object().set_immortal();
    }
    object
}

/// Takes a dying mortal string out of the table.
#[cold]
pub(super) fn forget(object: &PyUnicodeObject) {
    object.set_interned(state::NOT_INTERNED);
    with_table(|table| table.remove(object));
}

/// How many strings are interned, for `sys._debugmallocstats` and tests.
pub fn n_interned() -> usize {
    with_table(|table| table.n_used)
}
