//! Allocation, deallocation and the collector's header. Objects are what `PyObject_Malloc` gives, so that C and
//! Rust may free each other's.
//!
//! A GC object is preceded by `PyGC_Head`; a type with a managed dict or weak-reference list has two more words
//! before that, at the offsets that CPython uses (-24 and -32).

use crate::abi::*;
use crate::error::PyResult;
use crate::object::{Ref, TypedObject};
use std::cell::Cell;
use std::ffi::{c_int, c_void};

pub mod gc;
pub mod pool;
pub mod trace;

/// Bytes before a GC object.
pub const GC_HEAD_SIZE: usize = PyGC_Head::SIZE;
/// The managed dict's place relative to the object.
pub const MANAGED_DICT_OFFSET: isize = -24;
/// The managed weak-reference list's place relative to the object.
pub const MANAGED_WEAKREF_OFFSET: isize = -32;
/// How deep deallocations may nest natively before they are put off.
const MAX_DEALLOC_DEPTH: usize = 50;

/// What `tp_traverse` calls on each object that it owns.
#[derive(Clone, Copy)]
pub struct Visitor {
    pub visit: visitproc,
    pub arg: *mut c_void,
}

impl Visitor {
    /// Visits one owned pointer, which may be null. Non-zero stops the traversal.
    #[inline]
    pub fn visit<T>(&self, object: *mut T) -> c_int {
        if object.is_null() {
            return 0;
        }
        // SAFETY: a traverse function passes live objects that it owns.
        unsafe { (self.visit)(object.cast(), self.arg) }
    }
    #[inline]
    pub fn visit_ref<T>(&self, object: &Option<Ref<T>>) -> c_int {
        object.as_ref().map_or(0, |object| self.visit(object.as_raw()))
    }
}

/// Gives one count back; the object dies with its last.
///
/// # Safety
/// `object` is live and the caller owns a count of it.
#[inline]
pub unsafe fn decref(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let count = (*object).ob_refcnt.get();
        if (count as i32) < 0 {
            return;
        }
        (*object).ob_refcnt.set(count - 1);
        if count == 1 {
            dealloc(object);
        }
    }
}

/// `decref` for a pointer that may be null.
///
/// # Safety
/// As `decref`, when not null.
#[inline]
pub unsafe fn xdecref(object: *mut PyObject) {
    if !object.is_null() {
        // SAFETY: the caller's contract.
        unsafe { decref(object) }
    }
}

thread_local! {
    static DEALLOC_DEPTH: Cell<usize> = const { Cell::new(0) };
    static HAS_PUT_OFF: Cell<bool> = const { Cell::new(false) };
    static PUT_OFF: Cell<Vec<*mut PyObject>> = const { Cell::new(Vec::new()) };
}

/// `_Py_Dealloc`: runs the type's deallocator. Containers that die inside each other beyond a depth are put off
/// until the outermost is done, so that a long chain does not exhaust the native stack.
///
/// C's convention says that it does not unwind, so that who drops an object need not be ready for that.
///
/// # Safety
/// The object's count is zero and nobody uses it any more.
#[inline(never)]
pub unsafe extern "C" fn dealloc(object: *mut PyObject) {
    // SAFETY: the object's memory is still whole; its type is alive.
    unsafe {
        let ty = (*object).ty();
        let Some(tp_dealloc) = ty.tp_dealloc.get() else {
            return;
        };
        // Most that die are not the collector's. What is called last here is a jump, and nothing is kept in registers over
        // the other calls: saving registers in each of nested functions is what waiting for memory there comes from.
        if ty.tp_flags.get() & Py_TPFLAGS_HAVE_GC == 0 {
            tp_dealloc(object)
        } else {
            dealloc_nested(object, tp_dealloc)
        }
    }
}

/// # Safety
/// As `dealloc`; the deallocator is that of the object's type.
#[inline(always)]
unsafe fn dealloc_nested(object: *mut PyObject, tp_dealloc: destructor) {
    let depth = DEALLOC_DEPTH.get();
    // SAFETY: the caller's contract.
    unsafe {
        if depth >= MAX_DEALLOC_DEPTH {
            return put_off(object);
        }
        DEALLOC_DEPTH.set(depth + 1);
        tp_dealloc(object);
        let depth = DEALLOC_DEPTH.get() - 1;
        DEALLOC_DEPTH.set(depth);
        if depth == 0 && HAS_PUT_OFF.get() {
            dealloc_put_off();
        }
    }
}

/// Runs a finalizer or a callback of an object that dies: what dies meanwhile is at the first level again, so that it
/// dies at once, and a finalizer that makes its like runs into the limit of recursion, not into a loop without an end. Near the
/// end of the native stack, all that dies is put off.
pub fn at_first_level<T>(run: impl FnOnce() -> T) -> T {
    let depth = DEALLOC_DEPTH.get();
    let level = if crate::thread::has_native_stack() {
        depth.min(1)
    } else {
        MAX_DEALLOC_DEPTH
    };
    DEALLOC_DEPTH.set(level);
    let result = run();
    DEALLOC_DEPTH.set(depth);
    result
}

#[cold]
#[inline(never)]
fn put_off(object: *mut PyObject) {
    // The collector must not meet it: it has no count, and may not be brought back to life.
    gc::untrack(object);
    HAS_PUT_OFF.set(true);
    let mut list = PUT_OFF.take();
    list.push(object);
    PUT_OFF.set(list);
}

/// # Safety
/// Called by the outermost deallocation.
#[cold]
#[inline(never)]
unsafe fn dealloc_put_off() {
    // What dies inside is not the outermost.
    DEALLOC_DEPTH.set(1);
    loop {
        let mut list = PUT_OFF.take();
        let Some(next) = list.pop() else { break };
        PUT_OFF.set(list);
        // SAFETY: an object that was to be deallocated, deep inside.
        unsafe {
            if let Some(tp_dealloc) = (*next).ty().tp_dealloc.get() {
                tp_dealloc(next);
            }
        }
    }
    HAS_PUT_OFF.set(false);
    DEALLOC_DEPTH.set(0);
}

/// Zero-size-safe allocation in `PyMem_Malloc`'s domain, under the GIL; null when memory is out.
#[inline(always)]
pub fn raw_malloc(size: usize) -> *mut c_void {
    pool::malloc(size)
}

/// As `raw_malloc`, zeroed.
#[inline]
pub fn raw_calloc(size: usize) -> *mut c_void {
    pool::calloc(size)
}

/// # Safety
/// `ptr` came from this module's raw allocation (or is null).
#[inline]
pub unsafe fn raw_realloc(ptr: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's contract.
    unsafe { pool::realloc(ptr, size.max(1)) }
}

/// # Safety
/// `ptr` came from this module's raw allocation or the C library (or is null), and is not used afterwards.
#[inline(always)]
pub unsafe fn raw_free(ptr: *mut c_void) {
    // SAFETY: the caller's contract.
    unsafe { pool::free(ptr) }
}

/// MemoryError unless there is room for that many bytes: asked before Rust's own collections grow to a length that the
/// program chose, as they end the process when they cannot. Small lengths are not looked at.
#[inline]
pub fn ensure_room(n_bytes: usize) -> PyResult<()> {
    if n_bytes < 1 << 24 {
        Ok(())
    } else {
        find_room(n_bytes)
    }
}

#[cold]
fn find_room(n_bytes: usize) -> PyResult<()> {
    match Vec::<u8>::new().try_reserve_exact(n_bytes) {
        Ok(()) => Ok(()),
        Err(_) => Err(no_memory()),
    }
}

#[cold]
pub fn no_memory() -> crate::Raised {
    pool::direct(|| crate::raise!(MemoryError))
}

/// For what cannot fail: asks the pool itself when the allocator that C put in its place refuses. When both do, the process
/// ends.
#[inline]
pub fn insist<T>(allocate: impl Fn() -> Option<T>) -> T {
    match allocate() {
        Some(made) => made,
        None => insist_directly(allocate),
    }
}

#[cold]
#[inline(never)]
fn insist_directly<T>(allocate: impl Fn() -> Option<T>) -> T {
    match pool::direct(allocate) {
        Some(made) => made,
        None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<T>()),
    }
}

/// As `insist`, for what raises MemoryError.
#[inline]
pub fn insist_on<T>(allocate: impl Fn() -> PyResult<T>) -> T {
    insist(|| match allocate() {
        Ok(made) => Some(made),
        Err(raised) => {
            raised.clear();
            None
        }
    })
}

/// An empty vector with room for `n` items, or MemoryError.
pub fn vec_with_room<T>(n: usize) -> crate::PyResult<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(n).map_err(|_| no_memory())?;
    Ok(items)
}

/// Allocates `size` zeroed bytes for an instance of `ty`, header set, one count; a GC object is not yet tracked.
/// A heap type gains a count, as its instances own their type.
///
/// # Safety
/// `size` is at least the type's basic size.
#[inline]
pub unsafe fn alloc_object(ty: &PyTypeObject, size: usize) -> PyResult<*mut PyObject> {
    let pre = ty.prehead_size();
    let Some(total) = size
        .checked_add(pre)
        .filter(|total| *total <= isize::MAX as usize)
    else {
        return Err(no_memory());
    };
    let block = raw_calloc(total).cast::<u8>();
    if block.is_null() {
        return Err(no_memory());
    }
    // SAFETY: the block holds the pre-header and the object.
    unsafe {
        let object = block.add(pre).cast::<PyObject>();
        init_object(object, ty);
        Ok(object)
    }
}

/// As `alloc_object`, but only what precedes the object is zeroed.
///
/// # Safety
/// As `alloc_object`; the caller writes all of the object.
#[inline]
unsafe fn alloc_blank(ty: &PyTypeObject, size: usize) -> PyResult<*mut PyObject> {
    let pre = ty.prehead_size();
    let block = raw_malloc(size + pre).cast::<u8>();
    if block.is_null() {
        return Err(no_memory());
    }
    // SAFETY: the block holds the pre-header (two words, or four) and the object.
    unsafe {
        if pre != 0 {
            block.cast::<[usize; 2]>().write([0; 2]);
            if pre > size_of::<[usize; 2]>() {
                block.cast::<[usize; 2]>().add(1).write([0; 2]);
            }
        }
        let object = block.add(pre).cast::<PyObject>();
        init_object(object, ty);
        Ok(object)
    }
}

/// Sets the header of fresh memory: one count, the type (which gains a count when it is a heap type).
///
/// # Safety
/// `object` points to memory for an instance of `ty`.
#[inline]
pub unsafe fn init_object(object: *mut PyObject, ty: &PyTypeObject) {
    if ty.tp_flags.get() & Py_TPFLAGS_HEAPTYPE != 0 {
        ty.as_object().incref();
    }
    // SAFETY: the caller's contract.
    unsafe { write_header(object, ty) }
}

/// As `init_object`, for a static type: it is immortal, so that nobody counts it.
///
/// # Safety
/// As `init_object`.
#[inline(always)]
pub unsafe fn init_static(object: *mut PyObject, ty: &'static PyTypeObject) {
    debug_assert!(ty.tp_flags.get() & Py_TPFLAGS_HEAPTYPE == 0);
    // SAFETY: the caller's contract.
    unsafe { write_header(object, ty) }
}

/// # Safety
/// `object` points to memory for an instance of `ty`, whose count has been taken.
#[inline(always)]
unsafe fn write_header(object: *mut PyObject, ty: &PyTypeObject) {
    // SAFETY: the caller's contract.
    unsafe {
        (*object).ob_refcnt.set(1);
        (*object).ob_overflow.set(0);
        (*object).ob_flags.set(0);
        (*object).ob_type.set((ty as *const PyTypeObject).cast_mut());
    }
}

/// Gives an object's memory back, whatever precedes it. It must be untracked.
///
/// # Safety
/// The object came from `alloc_object` and is not used afterwards.
pub unsafe fn free_object(object: *mut PyObject) {
    // SAFETY: the type says what precedes the object.
    unsafe { free_object_of(object, (*object).ty()) }
}

/// # Safety
/// As `free_object`; `ty` has the pre-header that the object was allocated with.
pub unsafe fn free_object_of(object: *mut PyObject, ty: &PyTypeObject) {
    // SAFETY: the caller's contract.
    unsafe { raw_free(object.cast::<u8>().sub(ty.prehead_size()).cast()) }
}

impl<T: TypedObject> Ref<T> {
    /// A new instance of `cls` (which is `T`'s type or a subtype of it) that holds `value`, whose header is set here.
    /// GC objects are tracked. Static types use `Ref::new`.
    pub fn new_in(cls: &PyTypeObject, value: T) -> PyResult<Ref<T>> {
        debug_assert!(cls.is_subtype(T::type_object()));
        // SAFETY: tp_basicsize is at least T's size; the header of `value` is replaced by the right one, and the
        // bytes after T (a subclass's slots) stay zero.
        unsafe {
            let size = cls.tp_basicsize.get().max(size_of::<T>() as isize) as usize;
            let object = if size == size_of::<T>() {
                alloc_blank(cls, size)?
            } else {
                alloc_object(cls, size)?
            };
            let target = object.cast::<T>();
            std::ptr::write(target, value);
            (*object).ob_refcnt.set(1);
            (*object).ob_overflow.set(0);
            (*object).ob_flags.set(0);
            (*object).ob_type.set((cls as *const PyTypeObject).cast_mut());
            if cls.tp_flags.get() & Py_TPFLAGS_HAVE_GC != 0 {
                gc::track(object);
            }
            Ok(Ref::from_owned(target))
        }
    }
    /// A new instance of `T`'s own type that holds `value`.
    pub fn new(value: T) -> PyResult<Ref<T>> {
        Ref::new_in(T::type_object(), value)
    }
}

/// A header to put into a struct literal; `Ref::new_in` sets the real one.
#[inline]
pub const fn blank_header() -> PyObject {
    PyObject::immortal(std::ptr::null_mut())
}
