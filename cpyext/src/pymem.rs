//! pymem.h: raw memory: the raw domain by the C library's allocator, the others from the pool. Domains can be replaced (`PyMem_SetAllocator`) and tell what they are.

use crate::export::{Void, put};
use adder_runtime::memory::{pool, trace};
use adder_runtime::prelude::*;
use std::ffi::CStr;

const N_DOMAINS: usize = 3;

/// Tells of a block of the raw domain while allocations are traced.
#[inline]
fn trace_raw(freed: *mut c_void, new: *mut c_void, size: usize) {
    if trace::is_tracing() {
        trace::tell_unattached(freed, new, size);
    }
}

unsafe extern "C" fn default_malloc(_ctx: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: malloc takes any size.
    let block = unsafe { libc::malloc(size.max(1)) };
    trace_raw(std::ptr::null_mut(), block, size);
    block
}
unsafe extern "C" fn default_calloc(_ctx: *mut c_void, n_items: usize, size: usize) -> *mut c_void {
    let (n_items, size) = if n_items == 0 || size == 0 {
        (1, 1)
    } else {
        (n_items, size)
    };
    // SAFETY: calloc takes any sizes.
    let block = unsafe { libc::calloc(n_items, size) };
    trace_raw(std::ptr::null_mut(), block, n_items.saturating_mul(size));
    block
}
unsafe extern "C" fn default_realloc(_ctx: *mut c_void, block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the block came from this allocator.
    let new = unsafe { libc::realloc(block, size.max(1)) };
    if !new.is_null() {
        trace_raw(block, new, size);
    }
    new
}
unsafe extern "C" fn default_free(_ctx: *mut c_void, block: *mut c_void) {
    // Told first: afterwards the address may be another thread's block.
    if !block.is_null() {
        trace_raw(block, std::ptr::null_mut(), 0);
    }
    // SAFETY: the block came from this allocator.
    unsafe { libc::free(block) }
}

unsafe extern "C" fn pool_malloc(_ctx: *mut c_void, size: usize) -> *mut c_void {
    pool::direct(|| pool::malloc(size))
}
unsafe extern "C" fn pool_calloc(_ctx: *mut c_void, n_items: usize, size: usize) -> *mut c_void {
    // The caller checked that the product fits.
    pool::direct(|| pool::calloc(n_items * size))
}
unsafe extern "C" fn pool_realloc(_ctx: *mut c_void, block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the block came from this allocator.
    pool::direct(|| unsafe { pool::realloc(block, size.max(1)) })
}
unsafe extern "C" fn pool_free(_ctx: *mut c_void, block: *mut c_void) {
    // SAFETY: the block came from this allocator.
    pool::direct(|| unsafe { pool::free(block) })
}

/// Objects come from the domain of objects, whatever C has put there.
fn use_object_domain() {
    let default = pool_malloc as unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void as usize;
    let is_default = ALLOCATORS[2]
        .malloc
        .get()
        .is_some_and(|malloc| malloc as usize == default);
    pool::replace((!is_default).then_some(pool::Replacement {
        // SAFETY: malloc takes any size.
        malloc: |size| unsafe { PyObject_Malloc(size) },
        // SAFETY: the caller's contract.
        realloc: |block, size| unsafe { PyObject_Realloc(block, size) },
        // SAFETY: the caller's contract.
        free: |block| unsafe { PyObject_Free(block) },
    }));
}

/// Of the domains that ask for the GIL.
const fn pool_allocator() -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: Cell::new(std::ptr::null_mut()),
        malloc: Cell::new(Some(pool_malloc)),
        calloc: Cell::new(Some(pool_calloc)),
        realloc: Cell::new(Some(pool_realloc)),
        free: Cell::new(Some(pool_free)),
    }
}

const fn default_allocator() -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: Cell::new(std::ptr::null_mut()),
        malloc: Cell::new(Some(default_malloc)),
        calloc: Cell::new(Some(default_calloc)),
        realloc: Cell::new(Some(default_realloc)),
        free: Cell::new(Some(default_free)),
    }
}

static ALLOCATORS: [PyMemAllocatorEx; N_DOMAINS] = [default_allocator(), pool_allocator(), pool_allocator()];

/// No C object is larger than a Py_ssize_t can say.
const MAX_SIZE: usize = isize::MAX as usize;

/// Exports malloc, calloc, realloc and free of a domain. They are called without the GIL, so nothing may be raised.
macro_rules! domain_functions {
    ($($domain:literal: $malloc:ident $calloc:ident $realloc:ident $free:ident;)*) => {$(
        /// # Safety
        /// As C's malloc.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $malloc(size: usize) -> *mut c_void {
            let domain = &ALLOCATORS[$domain];
            match domain.malloc.get() {
                // The one that is there nearly always is not called for: the pool gives nothing beyond what there can be.
                Some(function)
                    if $domain != 0 && function as usize == pool_malloc as *const () as usize && !pool::is_replaced() =>
                {
                    pool::malloc(size)
                }
                // SAFETY: the allocator's own function and context.
                Some(function) if size <= MAX_SIZE => unsafe { function(domain.ctx.get(), size) },
                _ => std::ptr::null_mut(),
            }
        }
        /// # Safety
        /// As C's calloc.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $calloc(n_items: usize, size: usize) -> *mut c_void {
            let domain = &ALLOCATORS[$domain];
            let fits = n_items.checked_mul(size).is_some_and(|total| total <= MAX_SIZE);
            match domain.calloc.get() {
                // SAFETY: the allocator's own function and context.
                Some(function) if fits => unsafe { function(domain.ctx.get(), n_items, size) },
                _ => std::ptr::null_mut(),
            }
        }
        /// # Safety
        /// As C's realloc.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $realloc(block: *mut c_void, size: usize) -> *mut c_void {
            let domain = &ALLOCATORS[$domain];
            match domain.realloc.get() {
                // SAFETY: the allocator's own function, context and block.
                Some(function) if size <= MAX_SIZE => unsafe { function(domain.ctx.get(), block, size) },
                _ => std::ptr::null_mut(),
            }
        }
        /// # Safety
        /// As C's free.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $free(block: *mut c_void) {
            let domain = &ALLOCATORS[$domain];
            match domain.free.get() {
                Some(function)
                    if $domain != 0 && function as usize == pool_free as *const () as usize && !pool::is_replaced() =>
                {
                    // SAFETY: the block came from this allocator.
                    unsafe { pool::free(block) }
                }
                // SAFETY: the allocator's own function, context and block.
                Some(function) => unsafe { function(domain.ctx.get(), block) },
                None => {}
            }
        }
    )*};
}

domain_functions! {
    0: PyMem_RawMalloc PyMem_RawCalloc PyMem_RawRealloc PyMem_RawFree;
    1: PyMem_Malloc PyMem_Calloc PyMem_Realloc PyMem_Free;
    2: PyObject_Malloc PyObject_Calloc PyObject_Realloc PyObject_Free;
}

/// Memory for C, or MemoryError.
#[allow(non_snake_case)]
pub fn PyMem_Malloc_checked(size: usize) -> PyResult<*mut c_void> {
    // SAFETY: malloc takes any size.
    let block = unsafe { PyMem_Malloc(size) };
    if block.is_null() {
        Err(adder_runtime::memory::no_memory())
    } else {
        Ok(block)
    }
}

fn duplicate(text: &CStr, raw: bool) -> *mut c_char {
    let bytes = text.to_bytes_with_nul();
    // SAFETY: the new block has room for the text.
    unsafe {
        let block = if raw {
            PyMem_RawMalloc(bytes.len())
        } else {
            PyMem_Malloc(bytes.len())
        };
        if !block.is_null() {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), block.cast(), bytes.len());
        }
        block.cast()
    }
}

unsafe extern "C" fn arena_alloc(_ctx: *mut c_void, size: usize) -> *mut c_void {
    adder_runtime::memory::raw_malloc(size).cast()
}
unsafe extern "C" fn arena_free(_ctx: *mut c_void, block: *mut c_void, _size: usize) {
    // SAFETY: C gives back a block of `arena_alloc`, or a chunk of a frame stack.
    unsafe { adder_runtime::memory::raw_free(block.cast()) };
}

/// What C may ask for and replace. Objects do not come from arenas here; the chunks of frame stacks can be freed as if they did,
/// which greenlet does.
static ARENAS: PyObjectArenaAllocator = PyObjectArenaAllocator {
    ctx: Cell::new(std::ptr::null_mut()),
    alloc: Cell::new(Some(arena_alloc)),
    free: Cell::new(Some(arena_free)),
};

capi! {
    fn _PyMem_Strdup(text: &CStr) -> *mut c_char { duplicate(text, false) }
    fn _PyMem_RawStrdup(text: &CStr) -> *mut c_char { duplicate(text, true) }
    fn PyMem_GetAllocator(domain: c_uint, allocator: *mut PyMemAllocatorEx) -> Void {
        if let Some(current) = ALLOCATORS.get(domain as usize) {
            // SAFETY: C gives a struct to fill.
            unsafe { copy_allocator(current, &*allocator) };
        }
        Void
    }
    fn PyMem_SetAllocator(domain: c_uint, allocator: *mut PyMemAllocatorEx) -> Void {
        if let Some(current) = ALLOCATORS.get(domain as usize) {
            // SAFETY: C gives a filled struct.
            unsafe { copy_allocator(&*allocator, current) };
        }
        if domain == 2 {
            use_object_domain();
        }
        Void
    }
    fn PyMem_SetupDebugHooks() -> Void { Void }
    fn PyObject_GetArenaAllocator(allocator: *mut PyObjectArenaAllocator) -> Void {
        // SAFETY: C gives a struct to fill.
        unsafe {
            put(allocator, PyObjectArenaAllocator {
                ctx: Cell::new(ARENAS.ctx.get()), alloc: Cell::new(ARENAS.alloc.get()), free: Cell::new(ARENAS.free.get()),
            });
        }
        Void
    }
    fn PyObject_SetArenaAllocator(allocator: *mut PyObjectArenaAllocator) -> Void {
        // SAFETY: C gives a filled struct.
        let allocator = unsafe { &*allocator };
        ARENAS.ctx.set(allocator.ctx.get());
        ARENAS.alloc.set(allocator.alloc.get());
        ARENAS.free.set(allocator.free.get());
        Void
    }
}

/// What the two functions below return when nobody traces memory.
const TRACING_IS_OFF: c_int = -2;

/// Runs `f` attached to the interpreter if memory is traced.
fn while_tracing(f: impl FnOnce() -> bool) -> c_int {
    if !trace::is_tracing() {
        return TRACING_IS_OFF;
    }
    let attached = adder_runtime::thread::ensure_attached();
    let told = f();
    adder_runtime::thread::release_attached(attached);
    if told { 0 } else { TRACING_IS_OFF }
}

/// # Safety
/// The interpreter is initialised; the calling thread may be without the GIL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyTraceMalloc_Track(domain: c_uint, pointer: usize, size: usize) -> c_int {
    while_tracing(|| trace::track(domain, pointer as *mut c_void, size))
}

/// # Safety
/// As `PyTraceMalloc_Track`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyTraceMalloc_Untrack(domain: c_uint, pointer: usize) -> c_int {
    while_tracing(|| trace::untrack(domain, pointer as *mut c_void))
}

fn copy_allocator(from: &PyMemAllocatorEx, to: &PyMemAllocatorEx) {
    to.ctx.set(from.ctx.get());
    to.malloc.set(from.malloc.get());
    to.calloc.set(from.calloc.get());
    to.realloc.set(from.realloc.get());
    to.free.set(from.free.get());
}
