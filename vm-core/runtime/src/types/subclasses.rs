//! The classes that derive directly from a type: weak, kept in `tp_subclasses`, which is opaque to C.

use crate::prelude::*;

type List = Vec<*const PyTypeObject>;

fn list(ty: &PyTypeObject) -> Option<&mut List> {
    // SAFETY: the field holds a boxed list of ours or null; the GIL orders its use and no borrow is kept.
    unsafe { ty.tp_subclasses.get().cast::<List>().as_mut() }
}

/// Notes that `subclass` has `base` among its bases.
pub fn add(base: &PyTypeObject, subclass: &PyTypeObject) {
    if list(base).is_none() {
        base.tp_subclasses
            .set(Box::into_raw(Box::<List>::default()).cast());
    }
    if let Some(list) = list(base)
        && !list.iter().any(|known| std::ptr::eq(*known, subclass))
    {
        list.push(subclass);
    }
}

/// Forgets `subclass`: it dies or gets other bases.
pub fn remove(base: &PyTypeObject, subclass: &PyTypeObject) {
    if let Some(list) = list(base) {
        list.retain(|known| !std::ptr::eq(*known, subclass));
    }
}

/// The direct subclasses, oldest first.
pub fn of(ty: &PyTypeObject) -> Vec<Ref<PyTypeObject>> {
    match list(ty) {
        // SAFETY: a type that dies removes itself first.
        Some(list) => list
            .iter()
            .filter(|class| unsafe { (***class).ob_base.ob_base.ob_refcnt.get() } != 0)
            .map(|class| unsafe { Ref::from_borrowed(class.cast_mut()) })
            .collect(),
        None => Vec::new(),
    }
}

/// Gives the list back.
pub fn free(ty: &PyTypeObject) {
    let list = ty.tp_subclasses.replace(std::ptr::null_mut()).cast::<List>();
    if !list.is_null() {
        // SAFETY: made by `Box::into_raw` above.
        drop(unsafe { Box::from_raw(list) });
    }
}
