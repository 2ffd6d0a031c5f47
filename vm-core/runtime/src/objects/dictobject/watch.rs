//! Dict watchers: C callbacks that hear of changes of the dicts that they watch (`PyDict_AddWatcher` and its kin).

use crate::abi::*;
use crate::error::PyResult;
use crate::object::TypedObject;
use crate::objects::watchers::DICTS;

/// The low bits of `_ma_watcher_tag`: a bit per watcher.
pub const WATCHER_MASK: u64 = 0xff;

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

pub fn watch(id: isize, dict: &PyDictObject) -> PyResult<()> {
    let bit = 1 << DICTS.validate(id)?;
    dict._ma_watcher_tag.set(dict._ma_watcher_tag.get() | bit);
    Ok(())
}

pub fn unwatch(id: isize, dict: &PyDictObject) -> PyResult<()> {
    let bit = 1 << DICTS.validate(id)?;
    dict._ma_watcher_tag.set(dict._ma_watcher_tag.get() & !bit);
    Ok(())
}

#[cold]
pub(super) fn notify(dict: &PyDictObject, event: Event, key: Option<&PyObject>, value: Option<&PyObject>) {
    let as_ptr = |object: Option<&PyObject>| object.map_or(std::ptr::null_mut(), PyObject::as_ptr);
    DICTS.call(
        (dict._ma_watcher_tag.get() & WATCHER_MASK) as u8,
        // SAFETY: a registered callback takes borrowed objects; they are alive during the call.
        |callback| unsafe {
            callback(
                event as PyDict_WatchEvent,
                dict.as_ptr(),
                as_ptr(key),
                as_ptr(value),
            )
        },
        // The dict may be dying, so its address stands for it.
        |_| {
            format!(
                "{} watcher callback for <dict at {:p}>",
                event.name(),
                dict.as_ptr()
            )
        },
    );
}
