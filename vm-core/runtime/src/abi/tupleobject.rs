//! cpython/tupleobject.h.
use super::*;

c_structs! {
    object PyTupleObject {
        ob_base: PyVarObject,
        /// -1 while not computed.
        ob_hash: Cell<Py_hash_t>,
        ob_item: [ObjCell; 1],
    }
}

impl PyTupleObject {
    /// The bytes before the first item.
    pub const ITEMS_OFFSET: usize = std::mem::offset_of!(PyTupleObject, ob_item);

    #[inline(always)]
    pub fn items_ptr(&self) -> *mut *mut PyObject {
        (self as *const Self as *mut u8).wrapping_add(Self::ITEMS_OFFSET) as *mut *mut PyObject
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
