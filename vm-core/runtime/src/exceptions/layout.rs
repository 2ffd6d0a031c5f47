//! The memory of exception objects: allocation, and traversal, clearing and deallocation made from one list of fields a
//! struct.

use crate::memory::{self, Visitor, gc};
use crate::prelude::*;
use std::mem::offset_of;

/// An exception struct: BaseException's fields, then object fields at these offsets.
pub trait Layout {
    const EXTRA: &'static [usize];
}

macro_rules! layouts {
    ($($ty:ident { $($field:ident)* })*) => {$(
        impl Layout for $ty {
            const EXTRA: &'static [usize] = &[$(offset_of!($ty, $field)),*];
        }
    )*};
}

layouts! {
    PyBaseExceptionObject {}
    PyBaseExceptionGroupObject { msg excs excs_str }
    PySyntaxErrorObject { msg filename lineno offset end_lineno end_offset text print_file_and_line metadata }
    PyImportErrorObject { msg name path name_from }
    PyUnicodeErrorObject { encoding object reason }
    PySystemExitObject { code }
    PyOSErrorObject { myerrno strerror filename filename2 }
    PyStopIterationObject { value }
    PyNameErrorObject { name }
    PyAttributeErrorObject { obj name }
}

const BASE: [usize; 6] = [
    offset_of!(PyBaseExceptionObject, dict),
    offset_of!(PyBaseExceptionObject, args),
    offset_of!(PyBaseExceptionObject, notes),
    offset_of!(PyBaseExceptionObject, traceback),
    offset_of!(PyBaseExceptionObject, cause),
    offset_of!(PyBaseExceptionObject, context),
];

/// # Safety
/// `object` has an object field at `offset`.
unsafe fn field<'a>(object: *mut PyObject, offset: usize) -> &'a ObjCell {
    // SAFETY: the caller's contract.
    unsafe { &*object.byte_add(offset).cast::<ObjCell>() }
}

/// `tp_traverse`.
///
/// # Safety
/// `object` has layout `T`.
pub unsafe extern "C" fn traverse<T: Layout>(
    object: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    let visitor = Visitor { visit, arg };
    for offset in BASE.iter().chain(T::EXTRA) {
        // SAFETY: the caller's contract; the offsets are the struct's.
        let status = visitor.visit(unsafe { field(object, *offset) }.get());
        if status != 0 {
            return status;
        }
    }
    0
}

/// `tp_clear`.
///
/// # Safety
/// `object` has layout `T`.
pub unsafe extern "C" fn clear<T: Layout>(object: *mut PyObject) -> c_int {
    for offset in T::EXTRA.iter().chain(&BASE) {
        // SAFETY: the caller's contract; the offsets are the struct's, and the field owned what it held.
        unsafe {
            let field = field(object, *offset);
            let held = field.get();
            if !held.is_null() {
                field.set(std::ptr::null_mut());
                memory::decref(held);
            }
        }
    }
    0
}

/// `tp_dealloc`.
///
/// # Safety
/// `object` has layout `T` and is dead.
pub unsafe extern "C" fn dealloc<T: Layout>(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        gc::untrack(object);
        if (*object).ty().has_flag(Py_TPFLAGS_MANAGED_WEAKREF) {
            crate::objects::weakrefobject::clear_weakrefs(&*object);
        }
        // Nobody can see the fields any more.
        for offset in T::EXTRA {
            memory::xdecref(field(object, *offset).get());
        }
        let base = &*object.cast::<PyBaseExceptionObject>();
        for held in [
            &base.dict,
            &base.args,
            &base.notes,
            &base.traceback,
            &base.cause,
            &base.context,
        ] {
            memory::xdecref(held.get());
        }
        let ty = (*object).ty();
        if ty
            .tp_free
            .get()
            .is_some_and(|free| free as usize == crate::types::heap::object_free as *const () as usize)
        {
            memory::free_object_of(object, ty);
        } else {
            crate::types::heap::free_instance(object);
        }
    }
}

/// An instance of a static type that adds no fields to BaseException.
fn alloc_plain(cls: &PyTypeObject) -> PyResult {
    const SIZE: usize = memory::GC_HEAD_SIZE + size_of::<PyBaseExceptionObject>();
    let block = memory::raw_malloc(SIZE).cast::<u8>();
    if block.is_null() {
        return Err(memory::no_memory());
    }
    // SAFETY: the block has that size; a collector's header of zeroes says 'untracked', fields of zeroes are empty.
    unsafe {
        block.cast::<[u8; SIZE]>().write([0; SIZE]);
        let object = block.add(memory::GC_HEAD_SIZE).cast::<PyObject>();
        memory::init_object(object, cls);
        gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

/// A new instance of `cls` by its `tp_alloc`, all fields zero.
pub fn alloc(cls: &PyTypeObject) -> PyResult {
    let Some(tp_alloc) = cls.tp_alloc.get() else {
        return crate::types::heap::allocate_instance(cls, 0);
    };
    if tp_alloc as usize == crate::types::heap::generic_alloc as *const () as usize {
        const PLAIN_SIZE: usize = size_of::<PyBaseExceptionObject>();
        return if cls.tp_basicsize.get() == PLAIN_SIZE as isize && !cls.has_flag(Py_TPFLAGS_HEAPTYPE) {
            alloc_plain(cls)
        } else {
            crate::types::heap::allocate_instance(cls, 0)
        };
    }
    // SAFETY: the slot of this type; a new reference or NULL.
    let object = unsafe { Ref::from_owned_opt(tp_alloc((cls as *const PyTypeObject).cast_mut(), 0)) };
    object.ok_or_else(|| Raised::from_c("tp_alloc"))
}

/// Puts `value` into a field that owns its object.
#[inline]
pub fn store(cell: &ObjCell, value: Option<Ref>) {
    let old = cell.replace(value.map_or(std::ptr::null_mut(), Ref::into_raw));
    // SAFETY: the field owned its old object.
    unsafe { memory::xdecref(old) }
}

/// What a field holds, as a new reference.
#[inline]
pub fn load(cell: &ObjCell) -> Option<Ref> {
    // SAFETY: the field owns a live object or is null.
    unsafe { Ref::from_borrowed_opt(cell.get()) }
}

/// What a field holds; valid until something may change the field.
#[inline]
pub fn peek(cell: &ObjCell) -> Option<&PyObject> {
    // SAFETY: the field owns a live object or is null.
    unsafe { cell.get().as_ref() }
}

/// What a field holds, `None` for an empty one.
#[inline]
pub fn load_or_none(cell: &ObjCell) -> Ref {
    load(cell).unwrap_or_else(none_ref)
}
