//! cpython/pymem.h, cpython/objimpl.h: allocator tables.
use super::*;

pub type PyMemAllocatorDomain = c_uint;

c_structs! {
    plain PyMemAllocatorEx {
        ctx: Cell<*mut c_void>,
        malloc: Cell<Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>>,
        calloc: Cell<Option<unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void>>,
        realloc: Cell<Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void>>,
        free: Cell<Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>>,
    }
    plain PyObjectArenaAllocator {
        ctx: Cell<*mut c_void>,
        alloc: Cell<Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>>,
        free: Cell<Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize)>>,
    }
}
