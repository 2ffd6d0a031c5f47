//! What there is once per interpreter: a cell holds what the interpreter that runs has; what the others have is aside.
//!
//! Reading costs nothing more than reading a static. When the GIL goes from a thread of one interpreter to one of another
//! (`switch`, called under the GIL by `thread::acquire_gil`), the cells that were ever used exchange their contents; when an
//! interpreter ends (`forget_current`), what it had is dropped.

use crate::object::{ObjectCell, Ref};
use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

/// Cells that can exchange what is in them. Nothing is dropped by that.
pub trait Exchange: Default {
    fn exchange(&self, other: &Self);
}

impl<T> Default for ObjectCell<T> {
    fn default() -> ObjectCell<T> {
        ObjectCell::new(None)
    }
}
impl<T> Exchange for ObjectCell<T> {
    fn exchange(&self, other: &Self) {
        let mine: Option<Ref<T>> = self.take();
        let theirs = other.replace(mine);
        drop(self.replace(theirs));
    }
}
impl<T: Default> Exchange for Mutex<T> {
    fn exchange(&self, other: &Self) {
        let mut mine = self.lock().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = other.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *mine, &mut *theirs);
    }
}
impl<T: Default> Exchange for RefCell<T> {
    fn exchange(&self, other: &Self) {
        self.swap(other);
    }
}

/// A static that each interpreter has its own contents of. `C` starts as its default in every interpreter.
pub struct PerInterpreter<C: 'static> {
    here: C,
    /// By the address of the interpreter that does not run.
    aside: RefCell<Vec<(usize, C)>>,
    is_known: Cell<bool>,
}

// SAFETY: used only under the GIL, which orders all access.
unsafe impl<C> Sync for PerInterpreter<C> {}

impl<C: Exchange> PerInterpreter<C> {
    /// `start` is what `C::default()` gives.
    pub const fn new(start: C) -> PerInterpreter<C> {
        PerInterpreter {
            here: start,
            aside: RefCell::new(Vec::new()),
            is_known: Cell::new(false),
        }
    }
    /// The contents that belong to the interpreter that runs. Used with the GIL held.
    #[inline]
    pub fn here(&'static self) -> &'static C {
        if !self.is_known.get() {
            self.register();
        }
        &self.here
    }
    #[cold]
    fn register(&'static self) {
        self.is_known.set(true);
        KNOWN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Known(self));
    }
}

trait Switched {
    fn switch(&self, from: usize, to: usize);
    fn forget_current(&self);
}

impl<C: Exchange> Switched for PerInterpreter<C> {
    fn switch(&self, from: usize, to: usize) {
        let left = C::default();
        let mut aside = self.aside.borrow_mut();
        self.here.exchange(&left);
        if from != 0 {
            aside.push((from, left));
        }
        if let Some(at) = aside.iter().position(|(owner, _)| *owner == to) {
            let (_, own) = aside.swap_remove(at);
            self.here.exchange(&own);
        }
    }
    fn forget_current(&self) {
        let left = C::default();
        self.here.exchange(&left);
    }
}

struct Known(&'static dyn Switched);
// SAFETY: only statics that are used under the GIL are registered.
unsafe impl Send for Known {}
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// Called under the GIL when it goes from one interpreter (0 when that is gone) to another, by their addresses.
pub fn switch(from: usize, to: usize) {
    for cell in KNOWN.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        cell.0.switch(from, to);
    }
}

/// Drops what the interpreter that runs has in the cells: it ends.
pub fn forget_current() {
    let cells: Vec<&'static dyn Switched> = KNOWN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(|cell| cell.0)
        .collect();
    for cell in cells {
        cell.forget_current();
    }
}
