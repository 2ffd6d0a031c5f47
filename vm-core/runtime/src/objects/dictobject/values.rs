//! The values half of a split table: a class's instances keep theirs in memory after the object, or detached on the heap
//! when a dict outlives its object.
//!
//! Layout: head, `capacity` value pointers, `capacity` bytes with the entry numbers in the order of insertion.

use super::keys::{DictKeys, KeysKind};
use crate::abi::*;
use crate::memory::{self, Visitor};
use std::cell::Cell;
use std::ffi::c_int;

#[repr(C)]
pub struct DictValues {
    pub capacity: Cell<u8>,
    /// Values that are set, in the order list.
    pub size: Cell<u8>,
    /// In the memory of an instance; else a block of its own.
    pub embedded: Cell<u8>,
    /// 0 when the instance's attributes have moved to its `__dict__`.
    pub valid: Cell<u8>,
    _pad: [u8; 4],
}

impl DictValues {
    /// Where the values start, relative to the head.
    pub const VALUES_OFFSET: usize = size_of::<DictValues>();

    /// Bytes for `capacity` values.
    #[inline(always)]
    pub const fn size_bytes(capacity: usize) -> usize {
        Self::VALUES_OFFSET + capacity * size_of::<*mut PyObject>() + capacity.next_multiple_of(8)
    }

    /// Makes zeroed memory of `size_bytes(capacity)` into empty values.
    #[inline]
    pub fn init(&self, capacity: usize, embedded: bool) {
        self.capacity.set(capacity as u8);
        self.size.set(0);
        self.embedded.set(u8::from(embedded));
        self.valid.set(1);
    }

    /// A detached block of empty values; null when memory is out.
    pub fn alloc(capacity: usize) -> *mut DictValues {
        let values = memory::raw_calloc(Self::size_bytes(capacity)).cast::<DictValues>();
        if !values.is_null() {
            // SAFETY: fresh zeroed memory of the right size.
            unsafe { (*values).init(capacity, false) };
        }
        values
    }

    /// # Safety
    /// `ix` is below the capacity.
    #[inline(always)]
    pub unsafe fn value(&self, ix: isize) -> &Cell<*mut PyObject> {
        debug_assert!((ix as usize) < usize::from(self.capacity.get()));
        // SAFETY: the caller's contract.
        unsafe {
            &*(self as *const DictValues)
                .add(1)
                .cast::<Cell<*mut PyObject>>()
                .offset(ix)
        }
    }

    #[inline(always)]
    fn order(&self) -> *const Cell<u8> {
        let values = (self as *const DictValues)
            .wrapping_add(1)
            .cast::<*mut PyObject>();
        values.wrapping_add(usize::from(self.capacity.get())).cast()
    }

    /// The entry number of the value that was set as number `position`.
    #[inline(always)]
    pub fn order_at(&self, position: usize) -> isize {
        debug_assert!(position < usize::from(self.capacity.get()));
        // SAFETY: the order list has `capacity` bytes.
        isize::from(unsafe { &*self.order().add(position) }.get())
    }

    /// A value that was null has been set.
    #[inline(always)]
    pub fn push_order(&self, ix: isize) {
        let size = self.size.get();
        debug_assert!(size < self.capacity.get());
        // SAFETY: each entry is at most once in the list, so size < capacity.
        unsafe { &*self.order().add(usize::from(size)) }.set(ix as u8);
        self.size.set(size + 1);
    }

    /// A value has become null.
    pub fn remove_order(&self, ix: isize) {
        let size = usize::from(self.size.get());
        // SAFETY: `size` bytes of the list are in use.
        let list = unsafe { std::slice::from_raw_parts(self.order(), size) };
        let at = list
            .iter()
            .position(|cell| isize::from(cell.get()) == ix)
            .expect("the value was set");
        for position in at..size - 1 {
            list[position].set(list[position + 1].get());
        }
        self.size.set((size - 1) as u8);
    }

    /// Takes all values out, and only then drops them: a destructor may look at the values or set some. The memory stays.
    pub fn clear(&self) {
        self.size.set(0);
        let mut taken = [const { std::ptr::null_mut() }; SHARED_KEYS_MAX_SIZE];
        let n = usize::from(self.capacity.get());
        for (ix, place) in taken.iter_mut().enumerate().take(n) {
            // SAFETY: below the capacity; the value's count is moved out.
            *place = unsafe { self.value(ix as isize) }.replace(std::ptr::null_mut());
        }
        for value in &taken[..n] {
            // SAFETY: the count that was the table's, or null.
            unsafe { memory::xdecref(*value) };
        }
    }

    /// Drops the values and the block.
    ///
    /// # Safety
    /// The block is detached and the caller owns it.
    pub unsafe fn free(this: *mut DictValues) {
        // SAFETY: the caller's contract.
        unsafe {
            debug_assert!((*this).embedded.get() == 0);
            (*this).clear();
            memory::raw_free(this.cast());
        }
    }

    pub fn traverse(&self, visitor: &Visitor) -> c_int {
        for ix in 0..isize::from(self.capacity.get()) {
            // SAFETY: below the capacity.
            let stop = visitor.visit(unsafe { self.value(ix) }.get());
            if stop != 0 {
                return stop;
            }
        }
        0
    }
}

/// How many attributes of its instances a class describes by shared keys.
pub const SHARED_KEYS_MAX_SIZE: usize = 30;
const LOG2_SHARED_KEYS_SIZE: u8 = 6;

impl DictKeys {
    /// Keys for the instances of a class that is expected to set `n_expected` attributes: there is room for one or two more,
    /// which fills an instance's block.
    pub fn new_for_class(n_expected: usize) -> *mut DictKeys {
        let keys = DictKeys::alloc(LOG2_SHARED_KEYS_SIZE, KeysKind::Split);
        if !keys.is_null() {
            let usable = ((n_expected | 1) + 1).clamp(4, SHARED_KEYS_MAX_SIZE);
            // SAFETY: just allocated.
            unsafe { (*keys).usable.set(usable as isize) };
        }
        keys
    }

    /// How many values instances have room for; constant for a class.
    #[inline(always)]
    pub fn shared_capacity(&self) -> usize {
        (self.n_entries.get() + self.usable.get()) as usize
    }

    /// How many names the keys have.
    pub fn shared_used(&self) -> usize {
        self.n_entries.get() as usize
    }

    /// The entry of this name in shared keys, added when there is room.
    ///
    /// # Safety
    /// The keys are split and `name` is an exact `str` with this hash.
    #[inline]
    pub unsafe fn shared_index(&self, name: *mut PyObject, hash: Py_hash_t) -> Option<isize> {
        // SAFETY: the caller's contract.
        let ix = unsafe { self.lookup_str(name, hash) };
        if ix >= 0 {
            Some(ix)
        } else {
            self.add_shared(name, hash)
        }
    }

    #[cold]
    fn add_shared(&self, name: *mut PyObject, hash: Py_hash_t) -> Option<isize> {
        if self.usable.get() <= 0 {
            return None;
        }
        let ix = self.n_entries.get();
        self.version.set(0);
        // SAFETY: there is room for one more entry; the table gets its own count of the name.
        unsafe {
            (*name).incref();
            self.unicode_entry(ix).key.set(name);
        }
        self.add_index(hash, ix);
        self.n_entries.set(ix + 1);
        self.usable.set(self.usable.get() - 1);
        Some(ix)
    }
}
