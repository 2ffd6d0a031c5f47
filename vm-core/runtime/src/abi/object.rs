//! object.h, refcount.h: the head of every object, its count, comparison codes.
use super::*;

c_structs! {
    /// The head of every object. `ob_flags` and `ob_overflow` are 0 on mortal objects: old abi3 code counts in all 64 bits.
    object PyObject {
        ob_refcnt: Cell<u32>,
        ob_overflow: Cell<u16>,
        ob_flags: Cell<u16>,
        ob_type: Cell<*mut PyTypeObject>,
    }
    /// The head of an object with a length.
    object PyVarObject {
        ob_base: PyObject,
        ob_size: Cell<Py_ssize_t>,
    }
    /// A C string that is interned on first use (old private API).
    plain _Py_Identifier {
        string: StrCell,
        index: Cell<Py_ssize_t>,
        mutex: Cell<u8>,
    }
    /// What stands in memory before a collected object. The headers do not show it; its use is ours.
    plain PyGC_Head = "" {
        _gc_next: Cell<usize>,
        _gc_prev: Cell<usize>,
    }
}

pub type unaryfunc = unsafe extern "C" fn(*mut PyObject) -> *mut PyObject;
pub type binaryfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
pub type ternaryfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
pub type inquiry = unsafe extern "C" fn(*mut PyObject) -> c_int;
pub type lenfunc = unsafe extern "C" fn(*mut PyObject) -> Py_ssize_t;
pub type ssizeargfunc = unsafe extern "C" fn(*mut PyObject, Py_ssize_t) -> *mut PyObject;
pub type ssizessizeargfunc = unsafe extern "C" fn(*mut PyObject, Py_ssize_t, Py_ssize_t) -> *mut PyObject;
pub type ssizeobjargproc = unsafe extern "C" fn(*mut PyObject, Py_ssize_t, *mut PyObject) -> c_int;
pub type ssizessizeobjargproc =
    unsafe extern "C" fn(*mut PyObject, Py_ssize_t, Py_ssize_t, *mut PyObject) -> c_int;
pub type objobjargproc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
pub type objobjproc = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> c_int;
pub type visitproc = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int;
pub type traverseproc = unsafe extern "C" fn(*mut PyObject, visitproc, *mut c_void) -> c_int;
pub type freefunc = unsafe extern "C" fn(*mut c_void);
pub type destructor = unsafe extern "C" fn(*mut PyObject);
pub type getattrfunc = unsafe extern "C" fn(*mut PyObject, *mut c_char) -> *mut PyObject;
pub type getattrofunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
pub type setattrfunc = unsafe extern "C" fn(*mut PyObject, *mut c_char, *mut PyObject) -> c_int;
pub type setattrofunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
pub type reprfunc = unsafe extern "C" fn(*mut PyObject) -> *mut PyObject;
pub type hashfunc = unsafe extern "C" fn(*mut PyObject) -> Py_hash_t;
pub type richcmpfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, c_int) -> *mut PyObject;
pub type getiterfunc = unsafe extern "C" fn(*mut PyObject) -> *mut PyObject;
pub type iternextfunc = unsafe extern "C" fn(*mut PyObject) -> *mut PyObject;
pub type descrgetfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
pub type descrsetfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
pub type initproc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
pub type newfunc = unsafe extern "C" fn(*mut PyTypeObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
pub type allocfunc = unsafe extern "C" fn(*mut PyTypeObject, Py_ssize_t) -> *mut PyObject;
pub type vectorcallfunc =
    unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;
/// Returns a `PYGEN_*` code; the result goes through the last pointer.
pub type sendfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut *mut PyObject) -> c_int;

c_consts! {
    u32 {
        /// The count that makes an object immortal: its sign bit as int32 is the test.
        _Py_IMMORTAL_INITIAL_REFCNT = 3 << 30,
        _Py_IMMORTAL_MINIMUM_REFCNT = 1 << 31,
    }
    u16 {
        _Py_IMMORTAL_FLAGS = 1,
        _Py_STATICALLY_ALLOCATED_FLAG = 4,
        _Py_STATIC_FLAG_BITS = _Py_STATICALLY_ALLOCATED_FLAG | _Py_IMMORTAL_FLAGS,
    }
    i64 {
        /// The first 8 bytes of a static object.
        _Py_STATIC_IMMORTAL_INITIAL_REFCNT =
            _Py_IMMORTAL_INITIAL_REFCNT as i64 | ((_Py_STATIC_FLAG_BITS as i64) << 48),
    }
    c_int {
        Py_LT = 0,
        Py_LE = 1,
        Py_EQ = 2,
        Py_NE = 3,
        Py_GT = 4,
        Py_GE = 5,
        Py_PRINT_RAW = 1,
        PYGEN_RETURN = 0,
        PYGEN_ERROR = -1,
        PYGEN_NEXT = 1,
    }
    c_uint {
        Py_CONSTANT_NONE = 0,
        Py_CONSTANT_FALSE = 1,
        Py_CONSTANT_TRUE = 2,
        Py_CONSTANT_ELLIPSIS = 3,
        Py_CONSTANT_NOT_IMPLEMENTED = 4,
        Py_CONSTANT_ZERO = 5,
        Py_CONSTANT_ONE = 6,
        Py_CONSTANT_EMPTY_STR = 7,
        Py_CONSTANT_EMPTY_BYTES = 8,
        Py_CONSTANT_EMPTY_TUPLE = 9,
    }
    usize {
        PY_VECTORCALL_ARGUMENTS_OFFSET = 1 << (usize::BITS - 1),
    }
}

/// The number of positional arguments in a vectorcall's `nargsf`.
#[inline(always)]
pub const fn PyVectorcall_NARGS(nargsf: usize) -> usize {
    nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET
}

impl PyObject {
    /// The head of a static object: immortal, flagged as statically allocated.
    pub const fn immortal(ty: *mut PyTypeObject) -> Self {
        PyObject {
            ob_refcnt: Cell::new(_Py_IMMORTAL_INITIAL_REFCNT),
            ob_overflow: Cell::new(0),
            ob_flags: Cell::new(_Py_STATIC_FLAG_BITS),
            ob_type: Cell::new(ty),
        }
    }

    /// The head of a new mortal object with one reference.
    pub const fn mortal(ty: *mut PyTypeObject) -> Self {
        PyObject {
            ob_refcnt: Cell::new(1),
            ob_overflow: Cell::new(0),
            ob_flags: Cell::new(0),
            ob_type: Cell::new(ty),
        }
    }

    #[inline(always)]
    pub fn is_type(&self, ty: *const PyTypeObject) -> bool {
        std::ptr::eq(self.ob_type.get(), ty)
    }

    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        (self.ob_refcnt.get() as i32) < 0
    }

    /// Py_INCREF: counts unless immortal.
    #[inline(always)]
    pub fn incref(&self) {
        let count = self.ob_refcnt.get();
        if count < _Py_IMMORTAL_INITIAL_REFCNT {
            self.ob_refcnt.set(count.wrapping_add(1));
        }
    }

    /// The counting half of Py_DECREF: true when the count reached zero and the caller must deallocate.
    ///
    /// # Safety
    /// The caller owns the reference that it gives up.
    #[inline(always)]
    #[must_use]
    pub unsafe fn decref_count(&self) -> bool {
        let count = self.ob_refcnt.get();
        if (count as i32) < 0 {
            return false;
        }
        let count = count.wrapping_sub(1);
        self.ob_refcnt.set(count);
        count == 0
    }

    #[inline(always)]
    pub fn refcnt(&self) -> u32 {
        self.ob_refcnt.get()
    }

    /// Py_SET_REFCNT: an immortal object stays immortal.
    #[inline]
    pub fn set_refcnt(&self, count: u32) {
        if !self.is_immortal() {
            self.ob_refcnt.set(count);
        }
    }

    /// Whether the object is part of the program rather than allocated.
    pub fn is_static_immortal(&self) -> bool {
        self.is_immortal() && self.ob_flags.get() & _Py_STATICALLY_ALLOCATED_FLAG != 0
    }
    /// Makes a mortal object immortal.
    #[inline]
    pub fn set_immortal(&self) {
        self.ob_refcnt.set(_Py_IMMORTAL_INITIAL_REFCNT);
        self.ob_flags.set(self.ob_flags.get() | _Py_IMMORTAL_FLAGS);
    }
}

impl PyVarObject {
    /// The head of a static object with a length.
    pub const fn immortal(ty: *mut PyTypeObject, size: Py_ssize_t) -> Self {
        PyVarObject {
            ob_base: PyObject::immortal(ty),
            ob_size: Cell::new(size),
        }
    }
}

impl PyGC_Head {
    /// The bytes between the start of a collected object's allocation and the object.
    pub const SIZE: usize = size_of::<PyGC_Head>();
}
