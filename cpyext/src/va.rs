//! C's open arguments -> Rust values: a `va_list` behind its address, read through the functions of `shims/va.c`.

use adder_runtime::prelude::*;
use std::ffi::{CStr, c_double, c_longlong};

unsafe extern "C" {
    fn adder_va_int(args: *mut c_void) -> c_int;
    fn adder_va_uint(args: *mut c_void) -> c_uint;
    fn adder_va_long(args: *mut c_void) -> c_long;
    fn adder_va_longlong(args: *mut c_void) -> c_longlong;
    fn adder_va_ssize(args: *mut c_void) -> Py_ssize_t;
    fn adder_va_double(args: *mut c_void) -> c_double;
    fn adder_va_ptr(args: *mut c_void) -> *mut c_void;
}

/// A `va_list *`. Each call fetches the next argument: the format says which type the caller passed.
#[derive(Clone, Copy)]
pub struct VaList(*mut c_void);

impl crate::export::CArg for VaList {
    type C = *mut c_void;
    unsafe fn from_c(value: *mut c_void) -> PyResult<VaList> {
        Ok(VaList(value))
    }
}

macro_rules! fetchers {
    ($($(#[$attr:meta])* $name:ident: $ty:ty = $function:ident;)*) => {$(
        $(#[$attr])*
        pub fn $name(&self) -> $ty {
            // SAFETY: the shim passed a live list; the format promises an argument of this type.
            unsafe { $function(self.0) }
        }
    )*};
}

impl VaList {
    fetchers! {
        int: c_int = adder_va_int;
        uint: c_uint = adder_va_uint;
        long: c_long = adder_va_long;
        longlong: c_longlong = adder_va_longlong;
        ssize: Py_ssize_t = adder_va_ssize;
        double: c_double = adder_va_double;
    }

    pub fn ptr<T>(&self) -> *mut T {
        // SAFETY: as above.
        unsafe { adder_va_ptr(self.0) }.cast()
    }

    /// The next argument as an object that the caller keeps alive.
    pub fn object<'a>(&self) -> Option<&'a PyObject> {
        // SAFETY: the format promises an object or NULL.
        unsafe { self.ptr::<PyObject>().as_ref() }
    }

    pub fn c_str<'a>(&self) -> Option<&'a CStr> {
        let text = self.ptr::<c_char>();
        // SAFETY: the format promises a terminated string or NULL.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    }

    /// Object arguments up to a NULL.
    pub fn objects_until_null<'a>(&self) -> Vec<&'a PyObject> {
        std::iter::from_fn(|| self.object()).collect()
    }

    /// Stores `value` where the next argument, a pointer, says.
    pub fn store<T>(&self, value: T) {
        // SAFETY: the format promises a pointer to a T.
        unsafe { std::ptr::write(self.ptr::<T>(), value) }
    }
}
