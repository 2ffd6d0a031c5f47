//! Exceptions in flight: stored in the thread state, where compiled C code also looks for them.
//!
//! `Raised` proves that one is set. Whoever gets an `Err(Raised)` passes it on, or takes the exception out with
//! `fetch`, `clear` or `matches`.

use crate::abi::*;
use crate::object::{Ref, TypedObject};
use crate::thread::thread_state;
use std::fmt;

/// Proof that an exception is set in the thread state.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Raised(());

/// A result whose error is the exception set in the thread state.
pub type PyResult<T = Ref<PyObject>> = Result<T, Raised>;

impl Raised {
    /// For callers of C functions that report an exception by their return value. When none is set, C broke its
    /// contract and a SystemError says so.
    #[inline]
    pub fn from_c(what: &str) -> Raised {
        if thread_state().base.current_exception.get().is_null() {
            return no_exception_set(what);
        }
        Raised(())
    }
    /// The caller knows that an exception is set.
    #[inline]
    pub fn assume() -> Raised {
        debug_assert!(occurred());
        Raised(())
    }
    /// Takes the exception out of the thread state.
    pub fn take(self) -> Ref {
        fetch().expect("Raised without an exception")
    }
    /// Whether the exception in flight is an instance of `ty`.
    pub fn matches(&self, ty: &PyTypeObject) -> bool {
        occurred_is(ty)
    }
    /// Drops the exception in flight.
    pub fn clear(self) {
        clear();
    }
    /// Drops the exception when it is an instance of `ty`, passes it on otherwise.
    pub fn clear_if(self, ty: &PyTypeObject) -> Result<(), Raised> {
        if self.matches(ty) {
            clear();
            Ok(())
        } else {
            Err(self)
        }
    }
}

#[cold]
fn no_exception_set(what: &str) -> Raised {
    crate::raise!(SystemError, "{what} returned NULL without setting an exception")
}

/// Whether an exception is set.
#[inline]
pub fn occurred() -> bool {
    !thread_state().base.current_exception.get().is_null()
}

/// Whether the exception that is set is an instance of `ty`.
pub fn occurred_is(ty: &PyTypeObject) -> bool {
    let current = thread_state().base.current_exception.get();
    // SAFETY: the thread state owns the exception.
    !current.is_null() && unsafe { (*current).ty() }.is_subtype(ty)
}

/// Runs `f` with the exception in flight put aside; it is in flight again afterwards, whatever `f` did.
pub fn preserving_exception<T>(f: impl FnOnce() -> T) -> T {
    let saved = fetch();
    let result = f();
    if let Some(saved) = saved {
        let _ = restore(saved);
    }
    result
}

/// Takes the exception out of the thread state.
pub fn fetch() -> Option<Ref> {
    // SAFETY: the thread state owned the count; it is moved out.
    unsafe {
        Ref::from_owned_opt(
            thread_state()
                .base
                .current_exception
                .replace(std::ptr::null_mut()),
        )
    }
}

/// Drops the exception that is set, if one is.
pub fn clear() {
    drop(fetch());
}

/// Puts an exception instance back as it is: no context is added.
pub fn restore(exception: Ref) -> Raised {
    let old = thread_state()
        .base
        .current_exception
        .replace(exception.into_raw());
    // SAFETY: the thread state owned the old one.
    drop(unsafe { Ref::from_owned_opt(old) });
    Raised(())
}

/// Raises `ty(message)`. Use through `raise!`.
#[cold]
#[inline(never)]
pub fn raise_message(ty: &PyTypeObject, message: fmt::Arguments<'_>) -> Raised {
    let text = PyUnicodeObject::from_string(message.to_string());
    set_object(ty.as_object(), Some(text.as_object()))
}

/// Raises `ty` with `value` as its argument (an instance, a tuple of arguments, or one argument), chained to the
/// exception that is being handled: the rules of `PyErr_SetObject`.
pub fn set_object(ty: &PyObject, value: Option<&PyObject>) -> Raised {
    if let Some(class) = ty.downcast::<PyTypeObject>()
        && let Some(text) = value.filter(|value| PyUnicodeObject::check_exact(value))
        && crate::exceptions::base::is_simple(class)
    {
        return crate::exceptions::raise_simple(class, text);
    }
    set_object_general(ty, value)
}

#[cold]
#[inline(never)]
fn set_object_general(ty: &PyObject, value: Option<&PyObject>) -> Raised {
    match crate::exceptions::normalize(ty, value) {
        Ok(exception) => raise_exception(exception),
        Err(raised) => match ty.downcast::<PyTypeObject>() {
            Some(class)
                if class.has_flag(Py_TPFLAGS_BASE_EXC_SUBCLASS)
                    && value.is_some_and(|value| !crate::exceptions::is_exception_instance(value)) =>
            {
                crate::exceptions::note_failed_normalization(raised, class, value)
            }
            _ => raised,
        },
    }
}

/// Raises an exception instance, with the handled exception as its `__context__`.
pub fn raise_exception(exception: Ref) -> Raised {
    crate::exceptions::chain_context(&exception);
    restore(exception)
}

/// `raise!(TypeError, "… {}", x)`: sets the exception and evaluates to `Raised`. The name is that of a built-in
/// exception. `raise!(StopIteration, value => obj)` gives an object as the argument; `raise!(KeyboardInterrupt)` none.
#[macro_export]
macro_rules! raise {
    ($ty:ident, value => $value:expr) => {
        $crate::error::set_object(
            $crate::object::TypedObject::as_object($crate::exceptions::exc::$ty),
            Some(&*$value),
        )
    };
    ($ty:ident, $($arg:tt)+) => {
        $crate::error::raise_message($crate::exceptions::exc::$ty, format_args!($($arg)+))
    };
    ($ty:ident) => {
        $crate::error::set_object($crate::object::TypedObject::as_object($crate::exceptions::exc::$ty), None)
    };
}

/// An exception that nobody can receive (in a destructor, a callback): reported through `sys.unraisablehook`.
pub fn write_unraisable(_raised: Raised, context: Option<&str>, object: Option<&PyObject>) {
    crate::exceptions::report_unraisable(context, object);
}
