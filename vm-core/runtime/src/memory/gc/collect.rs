//! One list of objects -> what is reachable from outside of it, and garbage, which is finalized and broken. All at once.
//!
//! While a list is split, an object's `_gc_prev` holds the count of references from outside the list in place of the back
//! link; the lists are made whole again afterwards. The order is CPython's: weak references with callbacks die first and
//! the callbacks run, then finalizers, once each; what they brought back to life is spared; then the other weak references
//! die, and the rest is taken apart.

use super::*;
use crate::objects::weakrefobject;
use crate::types::heap;

/// References from outside are counted above the flags.
const COUNT_SHIFT: usize = 2;

/// What a collection found.
#[derive(Clone, Copy, Default)]
pub struct Outcome {
    pub survivors: usize,
    pub collected: usize,
    pub uncollectable: usize,
}

fn refs(head: Head) -> usize {
    // SAFETY: the head is on the list being split.
    unsafe { (*head)._gc_prev.get() >> COUNT_SHIFT }
}

fn is_collecting(head: Head) -> bool {
    // SAFETY: GC objects have a head.
    unsafe { (*head)._gc_prev.get() & COLLECTING != 0 }
}

unsafe extern "C" fn visit_decref(object: *mut PyObject, _arg: *mut c_void) -> c_int {
    // SAFETY: traverse functions pass live objects.
    unsafe {
        if is_gc_object(&*object) {
            let head = head_of(object);
            if is_collecting(head) && refs(head) > 0 {
                (*head)._gc_prev.set((*head)._gc_prev.get() - (1 << COUNT_SHIFT));
            }
        }
    }
    0
}

/// Takes the mark from an object and queues it for its own traversal.
unsafe extern "C" fn visit_reachable(object: *mut PyObject, arg: *mut c_void) -> c_int {
    // SAFETY: traverse functions pass live objects; `arg` is the caller's queue.
    unsafe {
        if is_gc_object(&*object) {
            let head = head_of(object);
            if is_collecting(head) {
                (*head)._gc_prev.set((*head)._gc_prev.get() & !COLLECTING);
                (*arg.cast::<Vec<Head>>()).push(head);
            }
        }
    }
    0
}

/// Splits a list: what is reachable from outside stays on it, the rest moves to `unreachable`. Both are whole afterwards,
/// and every object has the colour given.
unsafe fn split(list: Head, unreachable: Head, colour: usize) -> usize {
    // SAFETY: every head on the list is live, here and below.
    unsafe {
        let mut members = Vec::new();
        let mut head = next(list);
        while head != list {
            let count = (*object_of(head)).ob_refcnt.get();
            let count = if (count as i32) < 0 {
                1 << 20
            } else {
                count as usize
            };
            let finalized = (*head)._gc_prev.get() & FINALIZED;
            (*head)
                ._gc_prev
                .set((count << COUNT_SHIFT) | COLLECTING | finalized);
            members.push(head);
            head = next(head);
        }
        for head in &members {
            traverse(object_of(*head), visit_decref, std::ptr::null_mut());
        }
        let mut queue: Vec<Head> = Vec::new();
        for head in &members {
            if refs(*head) > 0 && is_collecting(*head) {
                (**head)._gc_prev.set((**head)._gc_prev.get() & !COLLECTING);
                queue.push(*head);
                while let Some(reachable) = queue.pop() {
                    traverse(object_of(reachable), visit_reachable, (&raw mut queue).cast());
                }
            }
        }
        init_list(list);
        init_list(unreachable);
        let mut n_survivors = members.len();
        for head in members {
            let garbage = is_collecting(head);
            (*head)._gc_prev.set((*head)._gc_prev.get() & FINALIZED | colour);
            n_survivors -= usize::from(garbage);
            append(head, if garbage { unreachable } else { list });
            // Tuples of atoms cannot be part of a cycle: many are constants or records that live long.
            if !garbage && let Some(tuple) = (*object_of(head)).downcast_exact::<PyTupleObject>() {
                tuple.maybe_untrack();
            }
        }
        n_survivors
    }
}

/// Moves objects that have the old kind of finalizer, and all that these need, from `garbage` to `legacy`.
unsafe fn move_legacy_finalizers(garbage: Head, legacy: Head) {
    // SAFETY: whole lists of live objects; the marks are taken back below.
    unsafe {
        let has_finalizer = |head: Head| (*object_of(head)).ty().tp_del.get().is_some();
        if !heads(garbage).into_iter().any(has_finalizer) {
            return;
        }
        let members = heads(garbage);
        let mut queue = Vec::new();
        for head in &members {
            let marked = (**head)._gc_prev.get() | COLLECTING;
            (**head)._gc_prev.set(marked);
        }
        for head in &members {
            if has_finalizer(*head) && is_collecting(*head) {
                (**head)._gc_prev.set((**head)._gc_prev.get() & !COLLECTING);
                queue.push(*head);
            }
            while let Some(reachable) = queue.pop() {
                traverse(object_of(reachable), visit_reachable, (&raw mut queue).cast());
            }
        }
        for head in members {
            if is_collecting(head) {
                (*head)._gc_prev.set((*head)._gc_prev.get() & !COLLECTING);
            } else {
                unlink(head);
                append(head, legacy);
            }
        }
    }
}

/// Objects with the old kind of finalizer become the program's business, in `gc.garbage`.
fn hand_over_legacy(legacy: Head) -> usize {
    let objects = objects_on(legacy);
    for object in &objects {
        if COLLECTOR.debug.get() & DEBUG_UNCOLLECTABLE != 0 {
            debug_object("uncollectable", object);
        }
        if object.ty().tp_del.get().is_some() || COLLECTOR.debug.get() & DEBUG_SAVEALL != 0 {
            add_garbage(object);
        }
    }
    objects.len()
}

fn debug_object(what: &str, object: &PyObject) {
    report(&format!(
        "gc: {what} <{} {:p}>\n",
        object.ty().name(),
        object.as_ptr()
    ));
}

/// Weak references that have a callback and refer to garbage die, as do those that are garbage themselves; the callbacks of
/// the others are called. False when no Python code ran.
fn handle_callbacks(garbage: &[Ref]) -> bool {
    let mut callbacks = Vec::new();
    let mut dying = None;
    for object in garbage {
        if weakrefobject::is_any_weakref(object) {
            // SAFETY: references and proxies have this layout.
            unsafe { object.cast_unchecked::<PyWeakReference>() }.clear_keeping_callback();
        }
        if weakrefobject::has_callbacks(object) {
            let dying = dying.get_or_insert_with(|| {
                garbage
                    .iter()
                    .map(Ref::as_raw)
                    .collect::<std::collections::HashSet<_>>()
            });
            weakrefobject::clear_for_collector(object, &mut callbacks, &|reference| {
                dying.contains(&reference.as_ptr())
            });
        }
    }
    let ran = !callbacks.is_empty();
    for (reference, callback) in callbacks {
        weakrefobject::call_callback(&reference, &callback);
    }
    ran
}

/// Calls the finalizers of garbage that have not run yet; false when there were none.
fn run_finalizers(garbage: &[Ref]) -> bool {
    let mut ran = false;
    for object in garbage {
        let Some(finalize) = object.ty().tp_finalize.get() else {
            continue;
        };
        if !is_finalized(object.as_raw()) {
            ran = true;
            set_finalized(object.as_raw());
            // SAFETY: a slot of the object's type; `garbage` keeps it alive.
            unsafe { heap::run_finalizer(object, finalize) };
        }
    }
    ran
}

/// Collects the garbage of a whole list. What survives goes behind `survivors` and has the colour given.
///
/// # Safety
/// `COLLECTOR.collecting` is set; the lists are whole.
pub unsafe fn collect_list(list: Head, survivors: Head, colour: usize) -> Outcome {
    let state = &COLLECTOR;
    let lists = [blank_list(), blank_list(), blank_list()];
    let (unreachable, legacy, still): (Head, Head, Head) = (&*lists[0], &*lists[1], &*lists[2]);
    // SAFETY: the lists are whole; garbage is kept alive by `garbage` while Python code may see it.
    unsafe {
        let n_survivors = split(list, unreachable, colour);
        merge(list, survivors);
        let broken = if is_plain(unreachable) {
            unreachable
        } else {
            finalize(unreachable, legacy, still, survivors, colour)
        };
        let garbage = objects_on(broken);
        let collected = garbage.len();
        for object in &garbage {
            if state.debug.get() & DEBUG_SAVEALL != 0 {
                add_garbage(object);
            } else if let Some(clear) = object.ty().tp_clear.get() {
                clear(object.as_raw());
                if crate::error::occurred() {
                    let context = format!("Exception ignored in tp_clear of {}", object.ty().name());
                    crate::error::write_unraisable(Raised::assume(), Some(&context), None);
                }
            }
        }
        drop(garbage);
        merge(broken, survivors);
        let uncollectable = hand_over_legacy(legacy);
        merge(legacy, survivors);
        Outcome {
            survivors: n_survivors,
            collected,
            uncollectable,
        }
    }
}

/// Whether garbage can be taken apart as it is: no object has a finalizer to run or weak references, and nobody watches.
unsafe fn is_plain(garbage: Head) -> bool {
    if COLLECTOR.debug.get() != 0 {
        return false;
    }
    // SAFETY: a whole list of live objects.
    unsafe {
        let mut head = next(garbage);
        while head != garbage {
            let object = &*object_of(head);
            let ty = object.ty();
            if ty.tp_del.get().is_some()
                || ty.tp_finalize.get().is_some() && !is_finalized(object.as_ptr())
                || weakrefobject::has_references(object)
                || weakrefobject::is_any_weakref(object)
            {
                return false;
            }
            head = next(head);
        }
    }
    true
}

/// Weak references and finalizers, in the order above. Gives the list of what is still unreachable: `unreachable` or `still`.
unsafe fn finalize(unreachable: Head, legacy: Head, still: Head, survivors: Head, colour: usize) -> Head {
    let state = &COLLECTOR;
    // SAFETY: as in `collect_list`.
    unsafe {
        move_legacy_finalizers(unreachable, legacy);
        let garbage = objects_on(unreachable);
        if state.debug.get() & DEBUG_COLLECTABLE != 0 {
            for object in &garbage {
                debug_object("collectable", object);
            }
        }
        let mut ran_code = handle_callbacks(&garbage);
        ran_code |= run_finalizers(&garbage);
        // Those of objects that came back to life, too.
        for object in &garbage {
            weakrefobject::clear_silently(object);
        }
        // Only what is still unreachable is broken. Our own counts go first.
        drop(garbage);
        if ran_code {
            split(unreachable, still, colour);
            merge(unreachable, survivors);
            still
        } else {
            unreachable
        }
    }
}
