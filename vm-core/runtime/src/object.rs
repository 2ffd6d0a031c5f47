//! References: `&T` borrows an object, `Ref<T>` owns one count of it. Everything else is built on these two.
//!
//! `Ref<T>` has the layout of a non-null pointer, so `Option<Ref<T>>` and `PyResult<Ref<T>>` have the layout of C's
//! nullable `PyObject *`. Tests: `tests/refs.rs`.

use crate::abi::*;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// An owned reference: one count of the object, given back on drop.
#[repr(transparent)]
pub struct Ref<T = PyObject> {
    ptr: NonNull<T>,
    _owns: PhantomData<T>,
}

// SAFETY: objects are touched only by the thread that holds the GIL; moving a reference between threads is how
// threads share them.
unsafe impl<T> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Ref<T> {}

/// A struct that begins with the object header, and whose Python type is known.
///
/// # Safety
/// The struct is `repr(C)` and its first field is a `PyObject` or `PyVarObject` (or starts with one), and every
/// instance of `type_object()` has this layout.
pub unsafe trait TypedObject: Sized {
    /// The `tp_flags` bit that this type and all its subtypes have, and no other type; 0 when there is none.
    const FAMILY: std::ffi::c_ulong = 0;

    /// The static type object of this struct.
    fn type_object() -> &'static PyTypeObject;

    /// Whether `object` is an instance of this type or of a subtype.
    #[inline(always)]
    fn check(object: &PyObject) -> bool {
        if Self::FAMILY != 0 {
            return object.type_has(Self::FAMILY);
        }
        object.ty().is_subtype(Self::type_object())
    }
    #[inline]
    fn check_exact(object: &PyObject) -> bool {
        std::ptr::eq(object.ty(), Self::type_object())
    }
    #[inline]
    fn as_object(&self) -> &PyObject {
        // SAFETY: the trait's contract: the header comes first.
        unsafe { &*(self as *const Self).cast::<PyObject>() }
    }
    #[inline]
    fn as_ptr(&self) -> *mut PyObject {
        (self as *const Self).cast::<PyObject>().cast_mut()
    }
    /// A new owned reference to this object.
    #[inline]
    fn to_ref(&self) -> Ref<Self> {
        self.as_object().incref();
        // SAFETY: the count was just taken.
        unsafe { Ref::from_owned((self as *const Self).cast_mut()) }
    }
    /// A new owned reference to this object, as a plain object.
    #[inline]
    fn to_object(&self) -> Ref {
        self.as_object().to_ref()
    }
}

impl<T> Ref<T> {
    /// Takes over a count that the caller owns.
    ///
    /// # Safety
    /// `ptr` is a live object of layout `T` and the caller gives its count away.
    #[inline]
    pub unsafe fn from_owned(ptr: *mut T) -> Ref<T> {
        debug_assert!(!ptr.is_null());
        Ref {
            // SAFETY: the caller's contract says non-null.
            ptr: unsafe { NonNull::new_unchecked(ptr) },
            _owns: PhantomData,
        }
    }
    /// As `from_owned`, with null as `None`.
    ///
    /// # Safety
    /// As `from_owned`, when not null.
    #[inline]
    pub unsafe fn from_owned_opt(ptr: *mut T) -> Option<Ref<T>> {
        NonNull::new(ptr).map(|ptr| Ref {
            ptr,
            _owns: PhantomData,
        })
    }
    /// Takes a new count of a borrowed pointer.
    ///
    /// # Safety
    /// `ptr` is a live object of layout `T`.
    #[inline]
    pub unsafe fn from_borrowed(ptr: *mut T) -> Ref<T> {
        // SAFETY: the caller's contract; every `T` starts with the header.
        unsafe {
            (*ptr.cast::<PyObject>()).incref();
            Ref::from_owned(ptr)
        }
    }
    /// As `from_borrowed`, with null as `None`.
    ///
    /// # Safety
    /// As `from_borrowed`, when not null.
    #[inline]
    pub unsafe fn from_borrowed_opt(ptr: *mut T) -> Option<Ref<T>> {
        if ptr.is_null() {
            None
        } else {
            // SAFETY: not null, and the caller's contract.
            Some(unsafe { Ref::from_borrowed(ptr) })
        }
    }
    /// Gives the count away: to C, or into a field that owns it.
    #[inline]
    pub fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).ptr.as_ptr()
    }
    #[inline]
    pub fn as_raw(&self) -> *mut T {
        self.ptr.as_ptr()
    }
    /// The same reference with another layout.
    ///
    /// # Safety
    /// The object has layout `U`.
    #[inline]
    pub unsafe fn cast<U>(self) -> Ref<U> {
        // SAFETY: the count moves along; the caller vouches for the layout.
        unsafe { Ref::from_owned(self.into_raw().cast::<U>()) }
    }
    /// The same reference as a plain object, with its count given away.
    #[inline]
    pub fn into_object_raw(self) -> *mut PyObject {
        self.into_raw().cast()
    }
}

impl<T: TypedObject> Ref<T> {
    #[inline]
    pub fn into_object(self) -> Ref {
        // SAFETY: every typed object starts with the header.
        unsafe { self.cast() }
    }
}

impl Ref<PyObject> {
    /// The same reference as a `T`, or itself back when it is not an instance of `T`'s type.
    #[inline]
    pub fn downcast<T: TypedObject>(self) -> Result<Ref<T>, Ref> {
        if T::check(&self) {
            // SAFETY: just checked.
            Ok(unsafe { self.cast() })
        } else {
            Err(self)
        }
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: an owned count keeps the object alive.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T> Clone for Ref<T> {
    #[inline]
    fn clone(&self) -> Ref<T> {
        // SAFETY: alive, and every T starts with the header.
        unsafe { Ref::from_borrowed(self.ptr.as_ptr()) }
    }
}

impl<T> Drop for Ref<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this count is ours to give back.
        unsafe { crate::memory::decref(self.ptr.as_ptr().cast()) }
    }
}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<object at {:p}>", self.ptr)
    }
}

impl PyObject {
    #[inline]
    pub fn ty(&self) -> &'static PyTypeObject {
        // SAFETY: an object's type outlives it; the borrow is not kept over a change of `__class__` by convention.
        unsafe { &*self.ob_type.get() }
    }
    #[inline]
    pub fn as_ptr(&self) -> *mut PyObject {
        (self as *const PyObject).cast_mut()
    }
    #[inline]
    pub fn as_object(&self) -> &PyObject {
        self
    }
    /// A new owned reference to this object.
    #[inline]
    pub fn to_ref(&self) -> Ref {
        self.incref();
        // SAFETY: the count was just taken.
        unsafe { Ref::from_owned(self.as_ptr()) }
    }
    #[inline]
    pub fn is(&self, other: &PyObject) -> bool {
        std::ptr::eq(self, other)
    }
    /// This object as a `T`, when it is an instance of `T`'s type or of a subtype.
    #[inline]
    pub fn downcast<T: TypedObject>(&self) -> Option<&T> {
        if T::check(self) {
            // SAFETY: just checked.
            Some(unsafe { self.cast_unchecked() })
        } else {
            None
        }
    }
    /// This object as a `T`, when its type is exactly `T`'s.
    #[inline]
    pub fn downcast_exact<T: TypedObject>(&self) -> Option<&T> {
        if T::check_exact(self) {
            // SAFETY: just checked.
            Some(unsafe { self.cast_unchecked() })
        } else {
            None
        }
    }
    /// This object seen as a `T`.
    ///
    /// # Safety
    /// The object has layout `T`.
    #[inline]
    pub unsafe fn cast_unchecked<T>(&self) -> &T {
        // SAFETY: the caller's contract.
        unsafe { &*(self as *const PyObject).cast::<T>() }
    }
    /// The `tp_flags` test for built-in families (`Py_TPFLAGS_LONG_SUBCLASS` and the like).
    #[inline]
    pub fn type_has(&self, flag: std::ffi::c_ulong) -> bool {
        self.ty().tp_flags.get() & flag != 0
    }
}

// SAFETY: the header itself.
unsafe impl TypedObject for PyObject {
    fn type_object() -> &'static PyTypeObject {
        &crate::objects::object::PyBaseObject_Type
    }
    #[inline]
    fn check(_object: &PyObject) -> bool {
        true
    }
}

/// The six rich comparisons, with the numbers of `Py_LT` … `Py_GE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum CompareOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl CompareOp {
    pub fn from_c(op: std::ffi::c_int) -> Option<CompareOp> {
        use CompareOp::*;
        [Lt, Le, Eq, Ne, Gt, Ge].get(usize::try_from(op).ok()?).copied()
    }
    /// The comparison with its operands exchanged.
    pub fn swapped(self) -> CompareOp {
        use CompareOp::*;
        match self {
            Lt => Gt,
            Le => Ge,
            Eq => Eq,
            Ne => Ne,
            Gt => Lt,
            Ge => Le,
        }
    }
    pub fn symbol(self) -> &'static str {
        ["<", "<=", "==", "!=", ">", ">="][self as usize]
    }
    #[inline]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        use std::cmp::Ordering::*;
        match self {
            CompareOp::Lt => ordering == Less,
            CompareOp::Le => ordering != Greater,
            CompareOp::Eq => ordering == Equal,
            CompareOp::Ne => ordering != Equal,
            CompareOp::Gt => ordering == Greater,
            CompareOp::Ge => ordering != Less,
        }
    }
}

pub use crate::objects::singletons::{
    _Py_EllipsisObject, _Py_NoneStruct, _Py_NotImplementedStruct, ellipsis, false_, is_none, none, none_ref,
    not_implemented, py_bool, true_,
};

/// A field that owns an object or nothing, and changes: what native structs keep their objects in.
#[repr(transparent)]
pub struct ObjectCell<T = PyObject>(std::cell::Cell<Option<Ref<T>>>);

// SAFETY: used only under the GIL.
unsafe impl<T> Sync for ObjectCell<T> {}

impl<T> ObjectCell<T> {
    #[inline]
    pub const fn new(value: Option<Ref<T>>) -> ObjectCell<T> {
        ObjectCell(std::cell::Cell::new(value))
    }
    /// A new count of what is there.
    #[inline]
    pub fn get(&self) -> Option<Ref<T>> {
        // SAFETY: nobody else looks at the cell between these two.
        unsafe { (*self.0.as_ptr()).clone() }
    }
    /// What is there, borrowed: only while nothing can set the cell.
    #[inline]
    pub fn borrow(&self) -> Option<&T> {
        // SAFETY: the caller keeps to the rule above.
        unsafe { (*self.0.as_ptr()).as_deref() }
    }
    /// Sets the field, then drops what was there.
    #[inline]
    pub fn set(&self, value: Option<Ref<T>>) {
        drop(self.0.replace(value));
    }
    #[inline]
    pub fn replace(&self, value: Option<Ref<T>>) -> Option<Ref<T>> {
        self.0.replace(value)
    }
    #[inline]
    pub fn take(&self) -> Option<Ref<T>> {
        self.0.take()
    }
    pub fn is_some(&self) -> bool {
        self.borrow().is_some()
    }
    /// For `tp_traverse`.
    pub fn visit(&self, visitor: &crate::memory::Visitor) -> std::ffi::c_int {
        self.borrow()
            .map_or(0, |object| visitor.visit((object as *const T).cast_mut()))
    }
}
