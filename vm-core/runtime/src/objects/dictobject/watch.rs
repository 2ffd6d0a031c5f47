//! Dict watchers: C callbacks that hear of changes of the dicts that they watch (`PyDict_AddWatcher` and its kin).

use crate::abi::*;
use crate::error::{self, PyResult};
use crate::object::TypedObject;
use std::cell::Cell;

/// The low bits of `_ma_watcher_tag`: a bit per watcher.
pub const WATCHER_MASK: u64 = 0xff;
pub const MAX_WATCHERS: usize = 8;

/// `PyDict_WatchEvent`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Event {
    Added = 0,
    Modified = 1,
    Deleted = 2,
    Cloned = 3,
    Cleared = 4,
    Deallocated = 5,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Event::Added => "PyDict_EVENT_ADDED",
            Event::Modified => "PyDict_EVENT_MODIFIED",
            Event::Deleted => "PyDict_EVENT_DELETED",
            Event::Cloned => "PyDict_EVENT_CLONED",
            Event::Cleared => "PyDict_EVENT_CLEARED",
            Event::Deallocated => "PyDict_EVENT_DEALLOCATED",
        }
    }
}

struct Watchers([Cell<Option<PyDict_WatchCallback>>; MAX_WATCHERS]);
// SAFETY: touched only by the thread that holds the GIL.
unsafe impl Sync for Watchers {}
static WATCHERS: Watchers = Watchers([const { Cell::new(None) }; MAX_WATCHERS]);

/// Registers a callback; the number is what `watch` takes. Two numbers are kept for the VM itself, as in CPython.
pub fn add_watcher(callback: PyDict_WatchCallback) -> PyResult<usize> {
    for id in 2..MAX_WATCHERS {
        if WATCHERS.0[id].get().is_none() {
            WATCHERS.0[id].set(Some(callback));
            return Ok(id);
        }
    }
    Err(crate::raise!(RuntimeError, "no more dict watcher IDs available"))
}

fn validate(id: isize) -> PyResult<usize> {
    match usize::try_from(id) {
        Ok(idx) if idx < MAX_WATCHERS => match WATCHERS.0[idx].get() {
            Some(_) => Ok(idx),
            None => Err(crate::raise!(ValueError, "No dict watcher set for ID {id}")),
        },
        _ => Err(crate::raise!(ValueError, "Invalid dict watcher ID {id}")),
    }
}

pub fn clear_watcher(id: isize) -> PyResult<()> {
    WATCHERS.0[validate(id)?].set(None);
    Ok(())
}

pub fn watch(id: isize, dict: &PyDictObject) -> PyResult<()> {
    let bit = 1 << validate(id)?;
    dict._ma_watcher_tag.set(dict._ma_watcher_tag.get() | bit);
    Ok(())
}

pub fn unwatch(id: isize, dict: &PyDictObject) -> PyResult<()> {
    let bit = 1 << validate(id)?;
    dict._ma_watcher_tag.set(dict._ma_watcher_tag.get() & !bit);
    Ok(())
}

#[cold]
pub(super) fn notify(dict: &PyDictObject, event: Event, key: Option<&PyObject>, value: Option<&PyObject>) {
    let as_ptr = |object: Option<&PyObject>| object.map_or(std::ptr::null_mut(), PyObject::as_ptr);
    for (id, watcher) in WATCHERS.0.iter().enumerate() {
        if dict._ma_watcher_tag.get() & (1 << id) == 0 {
            continue;
        }
        let Some(callback) = watcher.get() else { continue };
        // SAFETY: a registered callback takes borrowed objects; they are alive during the call.
        let failed = unsafe {
            callback(
                event as PyDict_WatchEvent,
                dict.as_ptr(),
                as_ptr(key),
                as_ptr(value),
            )
        } < 0;
        if failed {
            // The dict may be dying, so its address stands for it.
            let context = format!(
                "Exception ignored in {} watcher callback for <dict at {:p}>",
                event.name(),
                dict.as_ptr()
            );
            error::write_unraisable(error::Raised::assume(), Some(&context), None);
        }
    }
}
