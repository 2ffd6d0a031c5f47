//! Watchers of dicts, types, code, functions and contexts: C callbacks that hear of what happens to such objects. (Which dict is
//! watched by which of them, and the events of dicts, are in `dictobject/watch.rs`.)
//!
//! A registry has eight places. Who makes an event looks at `is_active` first: one load while nobody watches.

use crate::abi::*;
use crate::error::{self, PyResult, Raised};
use crate::object::TypedObject;
use crate::prelude::none;
use crate::raise;
use std::cell::Cell;

pub const MAX_WATCHERS: usize = 8;

/// The callbacks of one kind.
pub struct Registry<F: Copy + 'static> {
    callbacks: [Cell<Option<F>>; MAX_WATCHERS],
    active: Cell<u8>,
    /// The first place that is given away; what is below is the VM's own, as in CPython.
    first: usize,
    kind: &'static str,
    capital: bool,
}

// SAFETY: touched only by the thread that holds the GIL.
unsafe impl<F: Copy + 'static> Sync for Registry<F> {}

impl<F: Copy + 'static> Registry<F> {
    const fn new(kind: &'static str, first: usize, capital: bool) -> Registry<F> {
        Registry {
            callbacks: [const { Cell::new(None) }; MAX_WATCHERS],
            active: Cell::new(0),
            first,
            kind,
            capital,
        }
    }
    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.active.get() != 0
    }
    /// Registers a callback and gives its number.
    pub fn add(&self, callback: F) -> PyResult<usize> {
        for (id, place) in self.callbacks.iter().enumerate().skip(self.first) {
            if place.get().is_none() {
                place.set(Some(callback));
                self.active.set(self.active.get() | 1 << id);
                return Ok(id);
            }
        }
        Err(raise!(
            RuntimeError,
            "no more {} watcher IDs available",
            self.kind
        ))
    }
    pub fn validate(&self, id: isize) -> PyResult<usize> {
        let (invalid, none) = if self.capital {
            ("Invalid", "No")
        } else {
            ("invalid", "no")
        };
        match usize::try_from(id) {
            Ok(idx) if idx < MAX_WATCHERS => match self.callbacks[idx].get() {
                Some(_) => Ok(idx),
                None => Err(raise!(ValueError, "{none} {} watcher set for ID {id}", self.kind)),
            },
            _ => Err(raise!(ValueError, "{invalid} {} watcher ID {id}", self.kind)),
        }
    }
    pub fn clear(&self, id: isize) -> PyResult<()> {
        let idx = self.validate(id)?;
        self.callbacks[idx].set(None);
        self.active.set(self.active.get() & !(1 << idx));
        Ok(())
    }
    /// Calls those of the callbacks whose bit is in `bits`, with no exception set; one that fails is reported with what `place` says.
    pub(super) fn call(&self, bits: u8, call: impl Fn(F) -> c_int, place: impl Fn(usize) -> String) {
        error::preserving_exception(|| {
            for (id, callback) in self.callbacks.iter().enumerate() {
                let Some(callback) = callback.get().filter(|_| bits & 1 << id != 0) else {
                    continue;
                };
                if call(callback) < 0 {
                    let message = format!("Exception ignored in {}", place(id));
                    error::write_unraisable(Raised::assume(), Some(&message), None);
                }
            }
        });
    }
}

pub static DICTS: Registry<PyDict_WatchCallback> = Registry::new("dict", 2, true);
pub static TYPES: Registry<PyType_WatchCallback> = Registry::new("type", 1, true);
pub static CODE: Registry<PyCode_WatchCallback> = Registry::new("code", 0, true);
pub static FUNCTIONS: Registry<PyFunction_WatchCallback> = Registry::new("func", 0, false);
pub static CONTEXTS: Registry<PyContext_WatchCallback> = Registry::new("context", 0, true);

fn shown(object: &PyObject) -> String {
    match object.repr() {
        Ok(text) => text.to_string_lossy(),
        Err(raised) => {
            raised.clear();
            format!("<{} at {:p}>", object.ty().name(), object.as_ptr())
        }
    }
}

/// Tells the watchers of a type that it was modified.
#[cold]
pub fn type_modified(ty: &PyTypeObject) {
    TYPES.call(
        ty.tp_watched.get(),
        // SAFETY: a registered callback takes a live type.
        |callback| unsafe { callback(std::ptr::from_ref(ty).cast_mut()) },
        |id| format!("type watcher callback #{id} for {}", shown(ty.as_object())),
    );
}

/// `PyCodeEvent`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum CodeEvent {
    Create = 0,
    Destroy = 1,
}

#[cold]
pub fn code_event(event: CodeEvent, code: &PyCodeObject) {
    let name = match event {
        CodeEvent::Create => "PY_CODE_EVENT_CREATE",
        CodeEvent::Destroy => "PY_CODE_EVENT_DESTROY",
    };
    CODE.call(
        u8::MAX,
        // SAFETY: a registered callback takes a live code object.
        |callback| unsafe { callback(event as PyCodeEvent, std::ptr::from_ref(code).cast_mut()) },
        |_| format!("{name} watcher callback for {}", shown(code.as_object())),
    );
}

/// `PyFunction_WatchEvent`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum FunctionEvent {
    Create = 0,
    Destroy = 1,
    ModifyCode = 2,
    ModifyDefaults = 3,
    ModifyKwdefaults = 4,
    ModifyQualname = 5,
}

#[cold]
pub fn function_event(event: FunctionEvent, function: &PyFunctionObject, value: Option<&PyObject>) {
    let name = match event {
        FunctionEvent::Create => "CREATE",
        FunctionEvent::Destroy => "DESTROY",
        FunctionEvent::ModifyCode => "MODIFY_CODE",
        FunctionEvent::ModifyDefaults => "MODIFY_DEFAULTS",
        FunctionEvent::ModifyKwdefaults => "MODIFY_KWDEFAULTS",
        FunctionEvent::ModifyQualname => "MODIFY_QUALNAME",
    };
    let value = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
    FUNCTIONS.call(
        u8::MAX,
        // SAFETY: a registered callback takes a live function and a live object or NULL.
        |callback| unsafe {
            callback(
                event as PyFunction_WatchEvent,
                std::ptr::from_ref(function).cast_mut(),
                value,
            )
        },
        |_| {
            let qualname = function.qualname().to_string_lossy();
            format!(
                "PyFunction_EVENT_{name} watcher callback for function {qualname} at {:p}",
                function.as_ptr()
            )
        },
    );
}

/// Tells the watchers that `context` is the thread's current one now; None: the thread has none.
#[cold]
pub fn context_switched(context: Option<&PyObject>) {
    const SWITCHED: PyContextEvent = 1;
    let object = context.map_or(none().as_ptr(), PyObject::as_ptr);
    CONTEXTS.call(
        u8::MAX,
        // SAFETY: a registered callback takes a live context or None.
        |callback| unsafe { callback(SWITCHED, object) },
        |_| {
            let shown = context.map_or_else(|| "None".to_owned(), shown);
            format!("Py_CONTEXT_SWITCHED watcher callback for {shown}")
        },
    );
}

/// Gives the dying `object` one count for the time of `tell`. False when somebody keeps it: then it lives on.
///
/// # Safety
/// Called by the destructor of an object whose parts are all in place.
pub unsafe fn tell_of_death(object: &PyObject, tell: impl FnOnce()) -> bool {
    object.ob_refcnt.set(1);
    tell();
    let left = object.ob_refcnt.get() - 1;
    object.ob_refcnt.set(left);
    left == 0
}
