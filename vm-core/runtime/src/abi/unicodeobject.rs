//! cpython/unicodeobject.h: strings of 1, 2 or 4 bytes per code point.
use super::*;

c_structs! {
    /// A compact ASCII string; its characters follow directly.
    object PyASCIIObject {
        ob_base: PyObject,
        length: Cell<Py_ssize_t>,
        /// -1 while not computed.
        hash: Cell<Py_hash_t>,
        state: Cell<UnicodeState>,
    }
    /// A compact string of any kind; its characters follow directly.
    object PyCompactUnicodeObject {
        _base: PyASCIIObject,
        utf8_length: Cell<Py_ssize_t>,
        utf8: Cell<*mut c_char>,
    }
    /// An instance of a subclass: the characters are elsewhere.
    object PyUnicodeObject {
        _base: PyCompactUnicodeObject,
        data: Cell<*mut c_void>,
    }
}

c_consts! {
    u32 {
        SSTATE_NOT_INTERNED = 0,
        SSTATE_INTERNED_MORTAL = 1,
        SSTATE_INTERNED_IMMORTAL = 2,
        SSTATE_INTERNED_IMMORTAL_STATIC = 3,
        PyUnicode_1BYTE_KIND = 1,
        PyUnicode_2BYTE_KIND = 2,
        PyUnicode_4BYTE_KIND = 4,
    }
}

/// The bit field of a string: interned:2, kind:3, compact:1, ascii:1, statically_allocated:1.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnicodeState(pub u32);

impl UnicodeState {
    pub const COMPACT: u32 = 1 << 5;
    pub const ASCII: u32 = 1 << 6;
    pub const STATICALLY_ALLOCATED: u32 = 1 << 7;

    /// A compact string that is not interned.
    pub const fn compact(kind: u32, ascii: bool) -> Self {
        UnicodeState(kind << 2 | Self::COMPACT | if ascii { Self::ASCII } else { 0 })
    }

    /// A compact ASCII string in a static.
    pub const fn static_ascii() -> Self {
        UnicodeState(PyUnicode_1BYTE_KIND << 2 | Self::COMPACT | Self::ASCII | Self::STATICALLY_ALLOCATED)
    }

    #[inline(always)]
    pub const fn interned(self) -> u32 {
        self.0 & 3
    }
    #[inline(always)]
    pub const fn with_interned(self, interned: u32) -> Self {
        UnicodeState(self.0 & !3 | interned)
    }
    /// Bytes per character: 1, 2 or 4.
    #[inline(always)]
    pub const fn kind(self) -> u32 {
        self.0 >> 2 & 7
    }
    #[inline(always)]
    pub const fn is_compact(self) -> bool {
        self.0 & Self::COMPACT != 0
    }
    #[inline(always)]
    pub const fn is_ascii(self) -> bool {
        self.0 & Self::ASCII != 0
    }
    #[inline(always)]
    pub const fn is_compact_ascii(self) -> bool {
        self.0 & (Self::COMPACT | Self::ASCII) == Self::COMPACT | Self::ASCII
    }
    #[inline(always)]
    pub const fn is_statically_allocated(self) -> bool {
        self.0 & Self::STATICALLY_ALLOCATED != 0
    }
}

impl PyUnicodeObject {
    #[inline(always)]
    pub fn ascii(&self) -> &PyASCIIObject {
        &self._base._base
    }
}

impl PyASCIIObject {
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length.get() as usize
    }
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length.get() == 0
    }
    #[inline(always)]
    pub fn kind(&self) -> u32 {
        self.state.get().kind()
    }
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.state.get().is_ascii()
    }

    /// PyUnicode_DATA: the address of the first character.
    ///
    /// # Safety
    /// `self` is the head of a whole string object, as its state says.
    #[inline(always)]
    pub unsafe fn data(&self) -> *mut u8 {
        let state = self.state.get();
        let start = self as *const Self as *mut u8;
        if state.is_compact_ascii() {
            start.wrapping_add(size_of::<PyASCIIObject>())
        } else if state.is_compact() {
            start.wrapping_add(size_of::<PyCompactUnicodeObject>())
        } else {
            // SAFETY: a string that is not compact is a PyUnicodeObject.
            unsafe { (*(self as *const Self as *const PyUnicodeObject)).data.get() as *mut u8 }
        }
    }
}
