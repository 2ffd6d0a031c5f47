//! Small blocks by size class: a block is taken from, and given back to, the list of its class in a few instructions.
//!
//! One range of addresses is reserved at the first allocation, a region of it for each class, so that a block's class is computed
//! from its address: no memory need be read to know to which list a block goes. A block from anywhere else is the C library's.
//! Whoever calls holds the GIL: this is what `PyMem_Malloc` and `PyObject_Malloc` ask for too. `PYTHONMALLOC=malloc` leaves
//! everything to the C library, as tools that watch allocations want it.
//!
//! While allocations are traced (`trace.rs`), or C has put another allocator in the place of this one (`Replacement`), the lists
//! that `malloc` looks at are empty and `free` takes no block for ours, so that every call ends in a cold function here, which
//! does the work on other lists; otherwise neither costs anything.

use super::trace;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// Blocks up to this size are ours.
pub const MAX_SIZE_BYTES: usize = 512;
const CLASS_SHIFT: u32 = 4;
const N_CLASSES: usize = (MAX_SIZE_BYTES >> CLASS_SHIFT) + 1;
const PAGE_BYTES: usize = 1 << 16;
/// The range has so many regions: a power of two, not all of which are used.
const LOG2_REGIONS: u32 = 6;
/// Addresses to reserve, if the system has them; memory is used only where pages are.
const RESERVED_BYTES: usize = 1 << 40;
const LEAST_RESERVED_BYTES: usize = 1 << 28;
/// Pages are made accessible so many at a time.
const COMMIT_BYTES: usize = 1 << 20;
/// A list that runs empty is filled with about so much.
const BATCH_BYTES: usize = 4096;

/// A free block: its first word links to the next.
type Block = *mut *mut c_void;

/// What C put in the place of this allocator (`PyMem_SetAllocator`). It may come back here by `direct`.
#[derive(Clone, Copy)]
pub struct Replacement {
    pub malloc: fn(usize) -> *mut c_void,
    /// # Safety
    /// As C's realloc.
    pub realloc: unsafe fn(*mut c_void, usize) -> *mut c_void,
    /// # Safety
    /// As C's free.
    pub free: unsafe fn(*mut c_void),
}

struct Pool {
    lists: [Cell<*mut c_void>; N_CLASSES],
    /// Blocks of each class that were never used: from here to the end of the class's newest page.
    fresh: [Cell<*mut u8>; N_CLASSES],
    fresh_end: [Cell<*mut u8>; N_CLASSES],
    base: Cell<usize>,
    /// Bytes of the range in which pages may be; 0 before the first allocation and when the C library does it all.
    n_reserved: Cell<usize>,
    /// As `n_reserved`, but 0 while allocations are watched: where `free` may give a block back without telling anybody.
    n_direct: Cell<usize>,
    is_tracing: Cell<bool>,
    /// Traced, or replaced.
    is_watched: Cell<bool>,
    is_replaced: Cell<bool>,
    replacement: Cell<Option<Replacement>>,
    /// What `lists` are, while allocations are watched.
    kept: [Cell<*mut c_void>; N_CLASSES],
    /// Regions are `1 << region_shift` bytes.
    region_shift: Cell<u32>,
    /// Bytes of each region that are in pages, and that are accessible.
    n_used: [Cell<usize>; N_CLASSES],
    n_committed: [Cell<usize>; N_CLASSES],
    is_off: Cell<bool>,
}

// SAFETY: touched only by the thread that holds the GIL.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    lists: [const { Cell::new(null_mut()) }; N_CLASSES],
    fresh: [const { Cell::new(null_mut()) }; N_CLASSES],
    fresh_end: [const { Cell::new(null_mut()) }; N_CLASSES],
    base: Cell::new(0),
    n_reserved: Cell::new(0),
    n_direct: Cell::new(0),
    is_tracing: Cell::new(false),
    is_watched: Cell::new(false),
    is_replaced: Cell::new(false),
    replacement: Cell::new(None),
    kept: [const { Cell::new(null_mut()) }; N_CLASSES],
    region_shift: Cell::new(0),
    n_used: [const { Cell::new(0) }; N_CLASSES],
    n_committed: [const { Cell::new(0) }; N_CLASSES],
    is_off: Cell::new(false),
};

/// Memory for `size` bytes, aligned to 16; null when there is none.
#[inline(always)]
pub fn malloc(size: usize) -> *mut c_void {
    if size > MAX_SIZE_BYTES {
        return large_malloc(size);
    }
    let list = &POOL.lists[(size + 15) >> CLASS_SHIFT];
    let block = list.get();
    if block.is_null() {
        return fill(size);
    }
    // SAFETY: a free block on a list links to the next.
    list.set(unsafe { *(block as Block) });
    block
}

#[inline(always)]
pub fn calloc(size: usize) -> *mut c_void {
    if size > MAX_SIZE_BYTES {
        return large_calloc(size);
    }
    let block = malloc(size);
    if !block.is_null() {
        // SAFETY: the block has at least that size.
        unsafe { zero(block.cast(), size) };
    }
    block
}

/// Zeroes a small block by a few stores that may overlap, where a call of memset would cost more.
///
/// # Safety
/// `block` has `size` bytes.
#[inline(always)]
unsafe fn zero(block: *mut u8, size: usize) {
    const PAIR: usize = size_of::<[u64; 2]>();
    // SAFETY: the caller's contract; each pair of words lies within the size.
    unsafe {
        let clear = |at: usize| block.add(at).cast::<[u64; 2]>().write_unaligned([0; 2]);
        if !(PAIR..=4 * PAIR).contains(&size) {
            block.write_bytes(0, size);
            return;
        }
        clear(0);
        clear(size - PAIR);
        if size > 2 * PAIR {
            clear(PAIR);
            clear(size - 2 * PAIR);
        }
    }
}

#[inline(never)]
extern "C" fn large_malloc(size: usize) -> *mut c_void {
    if let Some(other) = replacement() {
        return (other.malloc)(size);
    }
    // SAFETY: malloc takes any size.
    let block = unsafe { libc::malloc(size) };
    if POOL.is_tracing.get() {
        trace::track(trace::DEFAULT_DOMAIN, block, size);
    }
    block
}

fn large_calloc(size: usize) -> *mut c_void {
    if let Some(other) = replacement() {
        let block = (other.malloc)(size);
        if !block.is_null() {
            // SAFETY: the block has at least that size.
            unsafe { block.cast::<u8>().write_bytes(0, size) };
        }
        return block;
    }
    // SAFETY: calloc takes any size.
    let block = unsafe { libc::calloc(size, 1) };
    if POOL.is_tracing.get() {
        trace::track(trace::DEFAULT_DOMAIN, block, size);
    }
    block
}

/// The class of a block in the first `n_bytes` of the range, `None` for one from anywhere else.
#[inline(always)]
fn class_in(block: *mut c_void, n_bytes: usize) -> Option<usize> {
    let offset = (block as usize).wrapping_sub(POOL.base.get());
    (offset < n_bytes).then(|| offset >> POOL.region_shift.get())
}

/// # Safety
/// The block is of that class, and is not used afterwards.
#[inline(always)]
unsafe fn push(lists: &[Cell<*mut c_void>; N_CLASSES], class: usize, block: *mut c_void) {
    // SAFETY: the block is the list's now; a class is below N_CLASSES.
    unsafe {
        let list = lists.get_unchecked(class);
        *(block as Block) = list.get();
        list.set(block);
    }
}

/// # Safety
/// The block came from this module or from the C library (or is null), and is not used afterwards.
#[inline(always)]
pub unsafe fn free(block: *mut c_void) {
    match class_in(block, POOL.n_direct.get()) {
        // SAFETY: the caller's contract.
        Some(class) => unsafe { push(&POOL.lists, class, block) },
        // SAFETY: the caller's contract.
        None => unsafe { free_other(block) },
    }
}

/// A block of the C library's, or any block while allocations are watched.
///
/// # Safety
/// As `free`.
unsafe extern "C" fn free_other(block: *mut c_void) {
    if POOL.is_watched.get() {
        if let Some(other) = replacement() {
            // SAFETY: the caller's contract.
            return unsafe { (other.free)(block) };
        }
        if POOL.is_tracing.get() {
            trace::untrack(trace::DEFAULT_DOMAIN, block);
        }
        if let Some(class) = class_in(block, POOL.n_reserved.get()) {
            // SAFETY: the caller's contract.
            return unsafe { push(&POOL.kept, class, block) };
        }
    }
    // SAFETY: the C library's block.
    unsafe { libc::free(block) }
}

/// # Safety
/// As `free`; null allocates.
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if let Some(other) = replacement() {
        // SAFETY: the caller's contract.
        return unsafe { (other.realloc)(block, size) };
    }
    if block.is_null() {
        return malloc(size);
    }
    let Some(class) = class_in(block, POOL.n_reserved.get()) else {
        // SAFETY: the C library's block.
        let new = unsafe { libc::realloc(block, size) };
        if POOL.is_tracing.get() && !new.is_null() {
            trace::untrack(trace::DEFAULT_DOMAIN, block);
            trace::track(trace::DEFAULT_DOMAIN, new, size);
        }
        return new;
    };
    let room = class.max(1) << CLASS_SHIFT;
    if size <= room && size + (1 << CLASS_SHIFT) > room {
        if POOL.is_tracing.get() {
            trace::track(trace::DEFAULT_DOMAIN, block, size);
        }
        return block;
    }
    let new = malloc(size);
    if !new.is_null() {
        // SAFETY: both blocks have that many bytes; the old one is given up.
        unsafe {
            std::ptr::copy_nonoverlapping(block.cast::<u8>(), new.cast::<u8>(), room.min(size));
            free(block);
        }
    }
    new
}

/// The allocator that C put in the place of this one, unless this one is asked directly.
#[inline(always)]
fn replacement() -> Option<Replacement> {
    if POOL.is_replaced.get() {
        POOL.replacement.get()
    } else {
        None
    }
}

/// Whether C has put another allocator in the place of this one.
#[inline(always)]
pub fn is_replaced() -> bool {
    POOL.is_replaced.get()
}

/// Puts another allocator in the place of this one, or none.
pub fn replace(other: Option<Replacement>) {
    POOL.replacement.set(other);
    POOL.is_replaced.set(other.is_some());
    crate::objects::freelist::close_all(other.is_some() || POOL.is_tracing.get());
    watch();
}

/// Runs `f` with this allocator, also while there is another in its place.
#[inline]
pub fn direct<T>(f: impl FnOnce() -> T) -> T {
    if !POOL.is_replaced.get() {
        return f();
    }
    POOL.is_replaced.set(false);
    let result = f();
    POOL.is_replaced.set(true);
    result
}

/// Has every allocation told to `trace`, or no longer.
pub(super) fn set_tracing(on: bool) {
    POOL.is_tracing.set(on);
    watch();
}

/// Moves the free blocks to where they belong.
fn watch() {
    let on = POOL.is_tracing.get() || POOL.replacement.get().is_some();
    if POOL.is_watched.replace(on) == on {
        return;
    }
    let (from, to) = if on {
        (&POOL.lists, &POOL.kept)
    } else {
        (&POOL.kept, &POOL.lists)
    };
    for (from, to) in from.iter().zip(to) {
        to.set(from.replace(null_mut()));
    }
    POOL.n_direct.set(if on { 0 } else { POOL.n_reserved.get() });
}

/// Blocks that somebody has. They are counted when asked for: all of the pages, without those that wait on a list or were
/// never used.
pub fn n_allocated() -> usize {
    let mut n_blocks = 0;
    for (class, n_used) in POOL.n_used.iter().enumerate() {
        n_blocks += n_used.get() / PAGE_BYTES * (PAGE_BYTES / block_bytes_of(class));
    }
    let lists = if POOL.is_watched.get() {
        &POOL.kept
    } else {
        &POOL.lists
    };
    for (class, list) in lists.iter().enumerate() {
        let unused = POOL.fresh_end[class].get() as usize - POOL.fresh[class].get() as usize;
        let mut n_free = unused / block_bytes_of(class);
        let mut block = list.get();
        while !block.is_null() {
            n_free += 1;
            // SAFETY: a free block on a list links to the next.
            block = unsafe { *(block as Block) };
        }
        n_blocks = n_blocks.saturating_sub(n_free);
    }
    n_blocks
}

fn block_bytes_of(class: usize) -> usize {
    class.max(1) << CLASS_SHIFT
}

/// Where `malloc` found no free block: fills the list and takes one, or does what who watches asks for.
#[cold]
#[inline(never)]
extern "C" fn fill(size: usize) -> *mut c_void {
    if !POOL.is_watched.get() {
        return fill_list(&POOL.lists, size);
    }
    if let Some(other) = replacement() {
        return (other.malloc)(size);
    }
    let list = &POOL.kept[(size + 15) >> CLASS_SHIFT];
    let mut block = list.get();
    if block.is_null() {
        block = fill_list(&POOL.kept, size);
    } else {
        // SAFETY: a free block on a list links to the next.
        list.set(unsafe { *(block as Block) });
    }
    if POOL.is_tracing.get() {
        trace::track(trace::DEFAULT_DOMAIN, block, size);
    }
    block
}

/// Fills the list of the class of `size` and takes a block.
fn fill_list(lists: &[Cell<*mut c_void>; N_CLASSES], size: usize) -> *mut c_void {
    let class = (size + 15) >> CLASS_SHIFT;
    let block_bytes = block_bytes_of(class);
    let mut at = POOL.fresh[class].get();
    let mut end = POOL.fresh_end[class].get();
    if (end as usize) - (at as usize) < block_bytes {
        at = new_page(class);
        if at.is_null() {
            // SAFETY: malloc takes any size.
            return unsafe { libc::malloc(size.max(1)) };
        }
        end = at.wrapping_add(PAGE_BYTES);
        POOL.fresh_end[class].set(end);
    }
    let room = (end as usize - at as usize) / block_bytes;
    let n_blocks = (BATCH_BYTES / block_bytes).clamp(1, room);
    let stop = at.wrapping_add(n_blocks * block_bytes);
    POOL.fresh[class].set(stop);
    // The first block is the caller's; the rest are linked in the order of their addresses.
    let mut next: *mut c_void = null_mut();
    let mut block = stop.wrapping_sub(block_bytes);
    while block > at {
        // SAFETY: blocks of an accessible page that nobody has.
        unsafe { *(block as Block) = next };
        next = block.cast();
        block = block.wrapping_sub(block_bytes);
    }
    lists[class].set(next);
    at.cast()
}

/// A page for a class; null when the range is full or not there.
fn new_page(class: usize) -> *mut u8 {
    if POOL.n_reserved.get() == 0 && !reserve() {
        return null_mut();
    }
    let offset = POOL.n_used[class].get();
    let end = offset + PAGE_BYTES;
    let shift = POOL.region_shift.get();
    if end > 1 << shift {
        return null_mut();
    }
    let page = (POOL.base.get() + (class << shift) + offset) as *mut u8;
    if end > POOL.n_committed[class].get() {
        // SAFETY: a part of the reserved range.
        let status = unsafe { libc::mprotect(page.cast(), COMMIT_BYTES, libc::PROT_READ | libc::PROT_WRITE) };
        if status != 0 {
            return null_mut();
        }
        POOL.n_committed[class].set(offset + COMMIT_BYTES);
    }
    POOL.n_used[class].set(end);
    page
}

fn map(n_bytes: usize, protection: libc::c_int) -> *mut u8 {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping.
    let range = unsafe { libc::mmap(null_mut(), n_bytes, protection, flags, -1, 0) };
    if range == libc::MAP_FAILED {
        null_mut()
    } else {
        range.cast()
    }
}

/// Where the process's addresses are limited (`ulimit -v`), most are left to the stacks of threads and to what C maps.
fn bytes_to_reserve() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: a plain system call that fills `limit`.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) };
    let log2_quarter = (limit.rlim_cur / 4).max(1).ilog2();
    RESERVED_BYTES.min(1 << log2_quarter).max(LEAST_RESERVED_BYTES)
}

/// Reserves the range; false when the C library is to do it all.
#[cold]
fn reserve() -> bool {
    if POOL.is_off.get() {
        return false;
    }
    POOL.is_off.set(true);
    if std::env::var_os("PYTHONMALLOC").is_some_and(|name| name == "malloc" || name == "malloc_debug") {
        return false;
    }
    let mut n_bytes = bytes_to_reserve();
    while n_bytes >= LEAST_RESERVED_BYTES {
        let range = map(n_bytes, libc::PROT_NONE);
        if range.is_null() {
            n_bytes >>= 1;
            continue;
        }
        POOL.region_shift.set(n_bytes.ilog2() - LOG2_REGIONS);
        POOL.base.set(range as usize);
        POOL.n_reserved.set(n_bytes);
        if !POOL.is_watched.get() {
            POOL.n_direct.set(n_bytes);
        }
        return true;
    }
    false
}
