//! The interpreter's own state: what there is once per process, under the GIL.

use adder_runtime::prelude::*;
use std::cell::RefCell;

/// A value that only the holder of the GIL touches.
pub struct GilCell<T>(RefCell<T>);

// SAFETY: the GIL orders all access.
unsafe impl<T> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub const fn new(value: T) -> GilCell<T> {
        GilCell(RefCell::new(value))
    }
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
    pub fn set(&self, value: T) {
        let old = self.0.replace(value);
        drop(old);
    }
}

impl<T: Clone> GilCell<T> {
    pub fn get(&self) -> T {
        self.0.borrow().clone()
    }
}

/// The `sys` module.
pub static SYS: GilCell<Option<Ref<PyModuleObject>>> = GilCell::new(None);
/// The `builtins` module.
pub static BUILTINS: GilCell<Option<Ref<PyModuleObject>>> = GilCell::new(None);
/// `importlib._bootstrap`, when it is there.
pub static IMPORTLIB: GilCell<Option<Ref>> = GilCell::new(None);
/// The builtin `__import__`, to tell whether it was replaced.
pub static IMPORT_FUNCTION: GilCell<Option<Ref>> = GilCell::new(None);

/// The dict of `sys`.
pub fn sys_dict() -> Option<Ref<PyDictObject>> {
    SYS.with(|sys| sys.as_ref().map(|sys| sys.dict().to_ref()))
}

/// The dict of `builtins`.
pub fn builtins_dict() -> Option<Ref<PyDictObject>> {
    BUILTINS.with(|builtins| builtins.as_ref().map(|builtins| builtins.dict().to_ref()))
}
