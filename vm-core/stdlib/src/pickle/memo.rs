//! What a pickler has seen (object -> number) and what an unpickler has made (number -> object).

use adder_runtime::prelude::*;
use std::collections::BTreeMap;

/// The objects that a pickler has written, by address. Each is kept alive, so that its address stays its own.
#[derive(Default)]
pub struct SaveMemo {
    entries: Vec<(Ref, usize)>,
    /// Positions in `entries` plus one, found by linear probing; zero is free. The length is a power of two, or zero.
    table: Vec<u32>,
}

const MIN_TABLE_SIZE: usize = 64;

impl SaveMemo {
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// The bytes that it takes beside its own struct.
    pub fn size_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(Ref, usize)>() + self.table.len() * size_of::<u32>()
    }
    /// Empties the memo; the objects die after it is in order again.
    #[must_use = "dropping the entries may run Python code"]
    pub fn take(&mut self) -> Vec<(Ref, usize)> {
        self.table.clear();
        std::mem::take(&mut self.entries)
    }
    pub fn entries(&self) -> &[(Ref, usize)] {
        &self.entries
    }
    #[inline]
    fn slot_of(&self, object: *mut PyObject) -> usize {
        let hash = (object as u64 >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mask = self.table.len() - 1;
        let mut slot = (hash >> 32) as usize & mask;
        loop {
            let position = self.table[slot];
            if position == 0 || self.entries[position as usize - 1].0.as_raw() == object {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }
    /// The number under which the object was written.
    #[inline]
    pub fn get(&self, object: &PyObject) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        match self.table[self.slot_of(object.as_ptr())] {
            0 => None,
            position => Some(self.entries[position as usize - 1].1),
        }
    }
    #[cold]
    fn grow(&mut self) {
        let size = (self.table.len() * 4).max(MIN_TABLE_SIZE);
        self.table.clear();
        self.table.resize(size, 0);
        for at in 0..self.entries.len() {
            let slot = self.slot_of(self.entries[at].0.as_raw());
            self.table[slot] = at as u32 + 1;
        }
    }
    /// Gives the object a number.
    #[inline]
    pub fn set(&mut self, object: Ref, number: usize) {
        if (self.entries.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let slot = self.slot_of(object.as_raw());
        match self.table[slot] {
            0 => {
                self.entries.push((object, number));
                self.table[slot] = self.entries.len() as u32;
            }
            position => self.entries[position as usize - 1].1 = number,
        }
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        for (object, _) in &self.entries {
            let status = visitor.visit(object.as_raw());
            if status != 0 {
                return status;
            }
        }
        0
    }
}

/// Numbers above this that do not continue the row go to a map: a stream may name any 32-bit number.
const DENSE_LIMIT: usize = 1 << 16;

/// The objects that an unpickler has made.
#[derive(Default)]
pub struct LoadMemo {
    row: Vec<Option<Ref>>,
    far: BTreeMap<usize, Ref>,
    n_entries: usize,
}

impl LoadMemo {
    pub fn len(&self) -> usize {
        self.n_entries
    }
    pub fn size_bytes(&self) -> usize {
        self.row.capacity() * size_of::<Option<Ref>>() + self.far.len() * size_of::<(usize, Ref)>()
    }
    #[inline]
    pub fn get(&self, number: usize) -> Option<&Ref> {
        match self.row.get(number) {
            Some(entry) => entry.as_ref(),
            None if self.far.is_empty() => None,
            None => self.far.get(&number),
        }
    }
    /// Sets an entry; the result is what it replaces.
    #[inline]
    pub fn set(&mut self, number: usize, object: Ref) -> Option<Ref> {
        if number == self.row.len() && self.far.is_empty() {
            self.row.push(Some(object));
            self.n_entries += 1;
            return None;
        }
        self.set_anywhere(number, object)
    }
    fn set_anywhere(&mut self, number: usize, object: Ref) -> Option<Ref> {
        let old = if number < self.row.len() {
            self.row[number].replace(object)
        } else if number < DENSE_LIMIT {
            self.row.resize_with(number, || None);
            self.row.push(Some(object));
            None
        } else {
            self.far.insert(number, object)
        };
        self.n_entries += usize::from(old.is_none());
        old
    }
    pub fn entries(&self) -> impl Iterator<Item = (usize, &Ref)> {
        let row = self.row.iter().enumerate();
        let row = row.filter_map(|(number, entry)| entry.as_ref().map(|object| (number, object)));
        row.chain(self.far.iter().map(|(number, object)| (*number, object)))
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        for (_, object) in self.entries() {
            let status = visitor.visit(object.as_raw());
            if status != 0 {
                return status;
            }
        }
        0
    }
}
