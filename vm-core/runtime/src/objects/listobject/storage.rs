//! The items of a list in memory: growth, insertion, removal, and the Rust interface built on them.
//!
//! No code runs while the list is between states: what is removed is dropped only after the list is whole again.

use super::{FREE_LISTS, PyList_Type};
use crate::memory::{self, gc};
use crate::objects::freelist::alloc_static;
use crate::objects::indices::SliceRange;
use crate::objects::tupleobject::fast_items;
use crate::prelude::*;

const ITEM: usize = size_of::<*mut PyObject>();
/// Items that an assignment to a slice keeps on the native stack until it is done.
const MAX_SWAPPED: usize = 16;
const MAX_ITEMS: usize = isize::MAX as usize / ITEM;

impl PyListObject {
    /// An empty list.
    #[inline]
    pub fn new() -> Ref<PyListObject> {
        let mut object = FREE_LISTS.pop();
        if object.is_null() {
            object = alloc_static(&PyList_Type, size_of::<PyListObject>());
        } else {
            // SAFETY: memory of a dead list.
            unsafe { memory::init_static(object, &PyList_Type) };
        }
        // SAFETY: memory for a list, with its header set.
        unsafe {
            let list = object.cast::<PyListObject>();
            (*list).ob_base.ob_size.set(0);
            (*list).ob_item.set(std::ptr::null_mut());
            (*list).allocated.set(0);
            gc::track(object);
            Ref::from_owned(list)
        }
    }

    /// An empty list with room for exactly `n` items.
    pub fn try_with_capacity(n: usize) -> PyResult<Ref<PyListObject>> {
        let list = Self::new();
        if n > 0 {
            list.allocate_exact(n)?;
        }
        Ok(list)
    }

    /// As `try_with_capacity`; the room is a hint.
    pub fn with_capacity(n: usize) -> Ref<PyListObject> {
        Self::try_with_capacity(n).unwrap_or_else(|raised| {
            raised.clear();
            Self::new()
        })
    }

    fn allocate_exact(&self, n: usize) -> PyResult<()> {
        debug_assert!(self.ob_item.get().is_null());
        let block = if n <= MAX_ITEMS {
            memory::raw_malloc(n * ITEM)
        } else {
            std::ptr::null_mut()
        };
        if block.is_null() {
            return Err(memory::no_memory());
        }
        self.ob_item.set(block.cast());
        self.allocated.set(n as isize);
        Ok(())
    }

    pub fn from_vec(items: Vec<Ref>) -> Ref<PyListObject> {
        let list = Self::new();
        if items.is_empty() {
            return list;
        }
        memory::insist_on(|| list.allocate_exact(items.len()));
        list.fill(items);
        list
    }

    /// As `from_vec`, or MemoryError.
    pub fn try_from_vec(items: Vec<Ref>) -> PyResult<Ref<PyListObject>> {
        let list = Self::try_with_capacity(items.len())?;
        list.fill(items);
        Ok(list)
    }

    /// The items of an empty list with room for them.
    fn fill(&self, items: Vec<Ref>) {
        // SAFETY: room for the items, which move into the list; the vector forgets them.
        unsafe {
            let n = items.len();
            let mut items = std::mem::ManuallyDrop::new(items);
            std::ptr::copy_nonoverlapping(items.as_ptr().cast(), self.ob_item.get(), n);
            items.set_len(0);
            drop(std::mem::ManuallyDrop::into_inner(items));
            self.ob_base.ob_size.set(n as isize);
        }
    }

    pub fn from_slice(items: &[&PyObject]) -> Ref<PyListObject> {
        let list = Self::new();
        if items.is_empty() {
            return list;
        }
        memory::insist_on(|| list.allocate_exact(items.len()));
        // SAFETY: room for the items, each with a count of its own.
        unsafe {
            let target = list.ob_item.get();
            for (idx, item) in items.iter().enumerate() {
                item.incref();
                *target.add(idx) = item.as_ptr();
            }
        }
        list.ob_base.ob_size.set(items.len() as isize);
        list
    }

    /// The items, borrowed from the list: nothing may run Python code while the slice is used.
    #[inline(always)]
    pub fn as_slice(&self) -> &[&PyObject] {
        if self.is_empty() {
            return &[];
        }
        // SAFETY: a list has this many items, none null; a reference is a non-null pointer.
        unsafe { std::slice::from_raw_parts(self.ob_item.get().cast(), self.len()) }
    }

    /// The item at a position.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<Ref> {
        self.as_slice().get(index).map(|item| item.to_ref())
    }

    /// Slots in the items' block, as `sys.getsizeof` counts them.
    #[inline]
    pub fn ob_base_allocated(&self) -> usize {
        self.allocated.get().max(0) as usize
    }

    /// Makes the block fit `n` items, with slack when it grows, and sets the length. New slots are not written.
    fn resize(&self, n: usize) -> PyResult<()> {
        let allocated = self.allocated.get();
        if allocated >= n as isize && n as isize >= allocated >> 1 {
            self.ob_base.ob_size.set(n as isize);
            return Ok(());
        }
        let mut new_allocated = (n + (n >> 3) + 6) & !3;
        if n > self.len() && n - self.len() > new_allocated - n {
            new_allocated = (n + 3) & !3;
        }
        if n == 0 {
            new_allocated = 0;
        }
        if new_allocated > MAX_ITEMS {
            return Err(memory::no_memory());
        }
        let block = if new_allocated == 0 {
            // SAFETY: the list's own block; null is accepted.
            unsafe { memory::raw_free(self.ob_item.get().cast()) };
            std::ptr::null_mut()
        } else {
            // SAFETY: the list's own block, or null.
            let block = unsafe { memory::raw_realloc(self.ob_item.get().cast(), new_allocated * ITEM) };
            if block.is_null() {
                return Err(memory::no_memory());
            }
            block
        };
        self.ob_item.set(block.cast());
        self.ob_base.ob_size.set(n as isize);
        self.allocated.set(new_allocated as isize);
        Ok(())
    }

    /// Adds an item at the end.
    #[inline(always)]
    pub fn try_push(&self, item: Ref) -> PyResult<()> {
        let len = self.ob_base.ob_size.get();
        if len < self.allocated.get() {
            // SAFETY: there is a free slot.
            unsafe { *self.ob_item.get().add(len as usize) = item.into_raw() };
            self.ob_base.ob_size.set(len + 1);
            return Ok(());
        }
        self.push_growing(item)
    }

    #[cold]
    #[inline(never)]
    fn push_growing(&self, item: Ref) -> PyResult<()> {
        let len = self.len();
        self.resize(len + 1)?;
        // SAFETY: the last slot is new.
        unsafe { *self.ob_item.get().add(len) = item.into_raw() };
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn make_room(&self) {
        let len = self.len();
        memory::insist_on(|| self.resize(len + 1));
        self.ob_base.ob_size.set(len as isize);
    }

    /// Appends an item where there is room; false when there is none.
    #[inline(always)]
    pub fn push_within(&self, item: &PyObject) -> bool {
        let len = self.ob_base.ob_size.get();
        let has_room = len < self.allocated.get();
        if has_room {
            item.incref();
            // SAFETY: there is a free slot.
            unsafe { *self.ob_item.get().add(len as usize) = item.as_ptr() };
            self.ob_base.ob_size.set(len + 1);
        }
        has_room
    }

    /// As `try_push`, where running out of memory ends the process.
    #[inline]
    pub fn push(&self, item: Ref) {
        let len = self.ob_base.ob_size.get();
        if len >= self.allocated.get() {
            self.make_room();
        }
        // SAFETY: there is a free slot.
        unsafe { *self.ob_item.get().add(len as usize) = item.into_raw() };
        self.ob_base.ob_size.set(len + 1);
    }

    /// Puts an item at a position, which is at most the length.
    pub fn insert(&self, index: usize, item: Ref) -> PyResult<()> {
        let len = self.len();
        self.resize(len + 1)?;
        // SAFETY: the items from the index on move up by one into the new slot.
        unsafe {
            let place = self.ob_item.get().add(index);
            std::ptr::copy(place, place.add(1), len - index);
            *place = item.into_raw();
        }
        Ok(())
    }

    /// Puts an item in the place of another and returns that.
    #[inline]
    pub fn replace(&self, index: usize, item: Ref) -> Ref {
        assert!(index < self.len());
        // SAFETY: within the list, which owned the old item.
        unsafe { Ref::from_owned(std::ptr::replace(self.ob_item.get().add(index), item.into_raw())) }
    }

    /// `self[index] = item`; IndexError when out of range.
    pub fn set_item(&self, index: usize, item: Ref) -> PyResult<()> {
        if index >= self.len() {
            return Err(raise!(IndexError, "list assignment index out of range"));
        }
        drop(self.replace(index, item));
        Ok(())
    }

    /// Takes the item at a position out.
    #[inline]
    pub fn remove_at(&self, index: usize) -> PyResult {
        let len = self.len();
        assert!(index < len);
        // SAFETY: within the list; the items after it move down by one.
        unsafe {
            let place = self.ob_item.get().add(index);
            let item = Ref::from_owned(*place);
            std::ptr::copy(place.add(1), place, len - index - 1);
            // Shrinking the block may fail; the length is right then all the same.
            self.ob_base.ob_size.set(len as isize - 1);
            if ((len - 1) as isize) < self.allocated.get() >> 1
                && let Err(raised) = self.resize(len - 1)
            {
                raised.clear();
            }
            Ok(item)
        }
    }

    /// Takes the last item out.
    pub fn pop_last(&self) -> Option<Ref> {
        if self.is_empty() {
            None
        } else {
            self.remove_at(self.len() - 1).ok()
        }
    }

    /// Takes all items out.
    pub fn clear_items(&self) {
        // SAFETY: the block is the list's; the list is empty before anything is dropped.
        unsafe {
            let block = self.ob_item.replace(std::ptr::null_mut());
            let n = self.ob_base.ob_size.replace(0);
            self.allocated.set(0);
            drop_block(block, n as usize);
        }
    }

    /// # Safety
    /// The list is dead.
    pub(super) unsafe fn free_block(&self) {
        // SAFETY: the caller's contract; a list that was being built may have null items, which are skipped.
        unsafe { drop_block(self.ob_item.get(), self.len()) }
    }

    /// The items of `start..stop` as a new list.
    pub fn slice_list(&self, start: usize, stop: usize) -> Ref<PyListObject> {
        Self::from_slice(
            self.as_slice()
                .get(start..stop.min(self.len()))
                .unwrap_or_default(),
        )
    }

    /// As many new items as old ones, from `start` on: the old ones are dropped when the list is whole again.
    fn swap_range(&self, start: usize, items: &[&PyObject]) {
        let mut removed = [std::ptr::null_mut::<PyObject>(); MAX_SWAPPED];
        // SAFETY: the places are within the block, and what they held is owned here.
        unsafe {
            let block = self.ob_item.get().add(start);
            for (idx, item) in items.iter().enumerate() {
                item.incref();
                removed[idx] = std::ptr::replace(block.add(idx), item.as_ptr());
            }
            for old in &removed[..items.len()] {
                memory::decref(*old);
            }
        }
    }

    /// Replaces the items of `start..stop` by `items`, which are not borrowed from this list.
    pub fn assign_range(&self, start: usize, stop: usize, items: &[&PyObject]) -> PyResult<()> {
        let len = self.len();
        let start = start.min(len);
        let stop = stop.clamp(start, len);
        let n_new = len - (stop - start) + items.len();
        if n_new == 0 {
            self.clear_items();
            return Ok(());
        }
        if items.len() == stop - start && items.len() <= MAX_SWAPPED {
            self.swap_range(start, items);
            return Ok(());
        }
        // SAFETY: the removed items are moved out before their places are written; all places are within the block.
        unsafe {
            let removed: Vec<Ref> = (start..stop)
                .map(|idx| Ref::from_owned(*self.ob_item.get().add(idx)))
                .collect();
            if n_new > len
                && let Err(raised) = self.resize(n_new)
            {
                removed.into_iter().for_each(std::mem::forget);
                return Err(raised);
            }
            let block = self.ob_item.get();
            std::ptr::copy(block.add(stop), block.add(start + items.len()), len - stop);
            for (idx, item) in items.iter().enumerate() {
                *block.add(start + idx) = item.to_ref().into_raw();
            }
            if n_new < len {
                self.ob_base.ob_size.set(n_new as isize);
                if (n_new as isize) < self.allocated.get() >> 1
                    && let Err(raised) = self.resize(n_new)
                {
                    raised.clear();
                }
            }
            drop(removed);
        }
        Ok(())
    }

    /// Deletes the items at a slice's positions.
    pub(super) fn delete_positions(&self, range: SliceRange) -> PyResult<()> {
        if range.count == 0 {
            return Ok(());
        }
        let len = self.len();
        let (first, step) = if range.step < 0 {
            (
                (range.start + range.step * (range.count as isize - 1)) as usize,
                -range.step as usize,
            )
        } else {
            (range.start as usize, range.step as usize)
        };
        let mut removed = Vec::with_capacity(range.count);
        // SAFETY: positions are within the list; kept items move down over removed ones, in order.
        unsafe {
            let block = self.ob_item.get();
            let mut target = first;
            for idx in first..len {
                let item = *block.add(idx);
                let at = idx - first;
                if at % step == 0 && at / step < range.count {
                    removed.push(Ref::from_owned(item));
                } else {
                    *block.add(target) = item;
                    target += 1;
                }
            }
        }
        self.ob_base.ob_size.set((len - range.count) as isize);
        if let Err(raised) = self.resize(len - range.count) {
            raised.clear();
        }
        drop(removed);
        Ok(())
    }

    pub fn reverse(&self) {
        if self.len() > 1 {
            // SAFETY: the list's items; swapping pointers runs no code.
            unsafe { std::slice::from_raw_parts_mut(self.ob_item.get(), self.len()) }.reverse();
        }
    }

    /// Adds the items of an iterable.
    pub fn extend(&self, iterable: &PyObject) -> PyResult<()> {
        if PyListObject::check_exact(iterable) || PyTupleObject::check_exact(iterable) {
            let n = fast_items(iterable).len();
            if n == 0 {
                return Ok(());
            }
            let len = self.len();
            if self.ob_item.get().is_null() {
                self.allocate_exact(n)?;
                self.ob_base.ob_size.set(n as isize);
            } else {
                self.resize(len + n)?;
            }
            // The iterable may be this very list, whose block may have moved.
            // SAFETY: the source has its first n items still; the new slots take as many.
            unsafe {
                let source: *const *mut PyObject = fast_items(iterable).as_ptr().cast();
                let target = self.ob_item.get().add(len);
                for idx in 0..n {
                    let item = *source.add(idx);
                    (*item).incref();
                    *target.add(idx) = item;
                }
            }
            return Ok(());
        }
        let iterator = iterable.iter()?;
        let hint = iterable.length_hint(8)?;
        if self.ob_item.get().is_null() {
            if hint > 0 && hint <= MAX_ITEMS {
                self.allocate_exact(hint.next_multiple_of(2))?;
            }
        } else if let Some(wanted) = self.len().checked_add(hint)
            && wanted <= MAX_ITEMS
        {
            let len = self.len();
            self.resize(wanted)?;
            self.ob_base.ob_size.set(len as isize);
        }
        while let Some(item) = iterator.next()? {
            self.try_push(item)?;
        }
        if (self.len() as isize) < self.allocated.get() {
            self.resize(self.len())?;
        }
        Ok(())
    }

    pub fn repeat(&self, count: isize) -> PyResult<Ref<PyListObject>> {
        let count = count.max(0) as usize;
        let Some(n) = self.len().checked_mul(count).filter(|n| *n <= MAX_ITEMS) else {
            return Err(memory::no_memory());
        };
        let new = Self::try_with_capacity(n)?;
        let items = self.as_slice();
        // SAFETY: the new list has room for n items, each with its own count.
        unsafe {
            let target = new.ob_item.get();
            for idx in 0..n {
                let item = items[idx % items.len()];
                item.incref();
                *target.add(idx) = item.as_ptr();
            }
        }
        new.ob_base.ob_size.set(n as isize);
        Ok(new)
    }

    pub fn repeat_in_place(&self, count: isize) -> PyResult<()> {
        let len = self.len();
        if len == 0 || count == 1 {
            return Ok(());
        }
        if count < 1 {
            self.clear_items();
            return Ok(());
        }
        let Some(n) = len.checked_mul(count as usize).filter(|n| *n <= MAX_ITEMS) else {
            return Err(memory::no_memory());
        };
        self.resize(n)?;
        // SAFETY: the new slots repeat the first `len` items, each with its own count.
        unsafe {
            let block = self.ob_item.get();
            for idx in len..n {
                let item = *block.add(idx % len);
                (*item).incref();
                *block.add(idx) = item;
            }
        }
        Ok(())
    }

    /// The items as a tuple.
    pub fn to_tuple(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_slice(self.as_slice())
    }
}

/// Drops items from the last to the first and frees their block.
///
/// # Safety
/// The caller owns both; nobody else sees them.
unsafe fn drop_block(block: *mut *mut PyObject, n: usize) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller's contract.
    unsafe {
        for idx in (0..n).rev() {
            memory::xdecref(*block.add(idx));
        }
        memory::raw_free(block.cast());
    }
}
