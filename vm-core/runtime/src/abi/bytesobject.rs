//! cpython/bytesobject.h.
use super::*;

c_structs! {
    object PyBytesObject {
        ob_base: PyVarObject,
        ob_shash: Cell<Py_hash_t>,
        /// `ob_size` bytes and a final 0.
        ob_sval: [Cell<c_char>; 1],
    }
}

/// What a bytes object costs beyond its bytes (the final 0 included).
pub const PyBytesObject_SIZE: usize = std::mem::offset_of!(PyBytesObject, ob_sval) + 1;

impl PyBytesObject {
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        (self as *const Self as *mut u8).wrapping_add(std::mem::offset_of!(PyBytesObject, ob_sval))
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: a bytes object has ob_size bytes and they do not change once it is visible.
        unsafe { std::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }
}
