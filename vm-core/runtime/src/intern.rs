//! Names that the runtime itself uses: each is interned once, immortal, and found without a hash.

use crate::abi::PyUnicodeObject;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A lazily interned, immortal `str`; made by `identifier!`.
pub struct Identifier {
    text: &'static str,
    object: AtomicPtr<PyUnicodeObject>,
}

impl Identifier {
    pub const fn new(text: &'static str) -> Identifier {
        Identifier {
            text,
            object: AtomicPtr::new(std::ptr::null_mut()),
        }
    }
    #[inline]
    pub fn get(&'static self) -> &'static PyUnicodeObject {
        let ptr = self.object.load(Ordering::Relaxed);
        if ptr.is_null() {
            return self.make();
        }
        // SAFETY: set only to an immortal interned string.
        unsafe { &*ptr }
    }
    #[cold]
    fn make(&'static self) -> &'static PyUnicodeObject {
        let object = PyUnicodeObject::intern_immortal(self.text);
        self.object
            .store((object as *const PyUnicodeObject).cast_mut(), Ordering::Relaxed);
        object
    }
}

/// `identifier!("__init__")`: a `&'static PyUnicodeObject`, interned once per place.
#[macro_export]
macro_rules! identifier {
    ($text:expr) => {{
        static NAME: $crate::intern::Identifier = $crate::intern::Identifier::new($text);
        NAME.get()
    }};
}
