//! Free lists: blocks of dead objects of one size, kept for the next object of that size.
//!
//! The GIL guards them. A block on a list is linked through its first word; it came from `memory`'s allocator and
//! goes back there when the list is full.

use crate::abi::PyObject;
use std::cell::Cell;
use std::ptr;

/// A list of at most `MAX` blocks.
pub struct FreeList<const MAX: usize> {
    head: Cell<*mut PyObject>,
    len: Cell<usize>,
}

// SAFETY: touched only by the thread that holds the GIL.
unsafe impl<const MAX: usize> Sync for FreeList<MAX> {}

impl<const MAX: usize> FreeList<MAX> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        FreeList { head: Cell::new(ptr::null_mut()), len: Cell::new(0) }
    }

    /// A block, or null when there is none. Its contents are garbage.
    #[inline(always)]
    pub fn pop(&self) -> *mut PyObject {
        let block = self.head.get();
        if !block.is_null() {
            // SAFETY: a block on the list holds the next one in its first word.
            self.head.set(unsafe { *block.cast::<*mut PyObject>() });
            self.len.set(self.len.get() - 1);
        }
        block
    }

    /// Keeps `block`; false when the list is full and the caller must free it.
    ///
    /// # Safety
    /// `block` is whole, of this list's size, and nobody uses it any more.
    #[inline(always)]
    pub unsafe fn push(&self, block: *mut PyObject) -> bool {
        if self.len.get() >= MAX {
            return false;
        }
        // SAFETY: the caller gives the block's memory to the list.
        unsafe { *block.cast::<*mut PyObject>() = self.head.get() };
        self.head.set(block);
        self.len.set(self.len.get() + 1);
        true
    }
}
