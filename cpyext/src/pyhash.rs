//! pyhash.h.

use adder_runtime::objects::numeric_hash;
use adder_runtime::prelude::*;
use std::ffi::c_double;

/// The hash of bytes, as str and bytes have it; of none 0.
fn hash_buffer(start: *const c_void, n_bytes: isize) -> isize {
    if n_bytes <= 0 {
        return 0;
    }
    // SAFETY: C gives that many bytes.
    adder_runtime::pyhash::hash_bytes(unsafe { std::slice::from_raw_parts(start.cast(), n_bytes as usize) })
        as isize
}

unsafe extern "C" fn hash_function(start: *const c_void, n_bytes: isize) -> isize {
    hash_buffer(start, n_bytes)
}

static HASH_FUNCTION: PyHash_FuncDef = PyHash_FuncDef {
    hash: Some(hash_function),
    name: c"siphash13".as_ptr(),
    hash_bits: 64,
    seed_bits: 128,
};

capi! {
    fn Py_HashBuffer(start: *const c_void, n_bytes: isize) -> isize { hash_buffer(start, n_bytes) }
    fn _Py_HashBytes(start: *const c_void, n_bytes: isize) -> isize { hash_buffer(start, n_bytes) }
    fn _Py_HashDouble(object: *mut PyObject, value: c_double) -> isize {
        if value.is_nan() { crate::object::hash_pointer(object.cast()) } else { numeric_hash::hash_double(value) as isize }
    }
    fn PyHash_GetFuncDef() -> *const PyHash_FuncDef { &HASH_FUNCTION }
}
