//! The cycle collector: finds groups of objects that only refer to each other, through `tp_traverse`, and breaks them
//! through `tp_clear`.
//!
//! Tracked objects are on circular lists, one a generation, linked through their `PyGC_Head`; here are the lists and what
//! the rest of the program asks for. `collect.rs` finds and breaks the garbage of one list at once; `incremental.rs` goes
//! over the oldest generation in steps, so that nobody waits long; `interpreters.rs` gives each interpreter its own.
//!
//! `_gc_prev` holds more than the back link: two flags below it, and above it, where no address of ours has bits, the
//! object's colour and a count of references for `incremental.rs`.

use super::Visitor;
use crate::prelude::*;
use crate::thread::{EVAL_BREAKER, breaker};
use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;

mod collect;
mod incremental;
mod interpreters;

use collect::{Outcome, collect_list};
pub use interpreters::one_per_interpreter;

/// `tp_finalize` has been called.
const FINALIZED: usize = 1;
/// In the generation that is being collected.
const COLLECTING: usize = 2;
/// The back link in `_gc_prev`; the two flags are below it.
const POINTER_BITS: usize = 0x0000_FFFF_FFFF_FFFC;

/// Number of generations, the youngest first.
pub const N_GENERATIONS: usize = 3;

/// Objects in the middle generation that make its collection due.
const MIDDLE_MAX: usize = 8_000;

/// What `gc.get_stats()` tells of a generation.
#[derive(Clone, Copy, Default)]
pub struct GenerationStats {
    pub collections: usize,
    pub collected: usize,
    pub uncollectable: usize,
}

struct Generation {
    head: PyGC_Head,
    threshold: Cell<usize>,
    count: Cell<usize>,
    stats: Cell<GenerationStats>,
}

struct Collector {
    generations: [Generation; N_GENERATIONS],
    permanent: PyGC_Head,
    enabled: Cell<bool>,
    collecting: Cell<bool>,
    debug: Cell<c_int>,
    /// Objects that survived the last full collection, and those that have come into the oldest generation since.
    long_lived_total: Cell<usize>,
    long_lived_pending: Cell<usize>,
    /// Objects in the middle generation, as far as collections brought them there.
    middle_total: Cell<usize>,
    garbage: RefCell<Option<Ref>>,
    callbacks: RefCell<Option<Ref>>,
}

// SAFETY: used only under the GIL.
unsafe impl Sync for Collector {}

/// A list that is empty, once `ensure_init` was there.
const fn unused_list() -> PyGC_Head {
    PyGC_Head {
        _gc_next: Cell::new(0),
        _gc_prev: Cell::new(0),
    }
}

const fn generation(threshold: usize) -> Generation {
    Generation {
        head: unused_list(),
        threshold: Cell::new(threshold),
        count: Cell::new(0),
        stats: Cell::new(GenerationStats {
            collections: 0,
            collected: 0,
            uncollectable: 0,
        }),
    }
}

impl Collector {
    const fn new() -> Collector {
        Collector {
            generations: [generation(2000), generation(10), generation(10)],
            permanent: unused_list(),
            enabled: Cell::new(true),
            collecting: Cell::new(false),
            debug: Cell::new(0),
            long_lived_total: Cell::new(0),
            long_lived_pending: Cell::new(0),
            middle_total: Cell::new(0),
            garbage: RefCell::new(None),
            callbacks: RefCell::new(None),
        }
    }
    fn exchange(&self, other: &Collector) {
        for (mine, theirs) in self.generations.iter().zip(&other.generations) {
            exchange_lists(&mine.head, &theirs.head);
            mine.threshold.swap(&theirs.threshold);
            mine.count.swap(&theirs.count);
            mine.stats.swap(&theirs.stats);
        }
        exchange_lists(&self.permanent, &other.permanent);
        self.enabled.swap(&other.enabled);
        self.collecting.swap(&other.collecting);
        self.debug.swap(&other.debug);
        self.long_lived_total.swap(&other.long_lived_total);
        self.long_lived_pending.swap(&other.long_lived_pending);
        self.middle_total.swap(&other.middle_total);
        self.garbage.swap(&other.garbage);
        self.callbacks.swap(&other.callbacks);
    }
}

/// The collector of the interpreter that runs; `interpreters` has those of the others.
static COLLECTOR: Collector = Collector::new();

pub const DEBUG_STATS: c_int = 1;
pub const DEBUG_COLLECTABLE: c_int = 2;
pub const DEBUG_UNCOLLECTABLE: c_int = 4;
pub const DEBUG_SAVEALL: c_int = 32;

type Head = *const PyGC_Head;

#[inline]
fn head_of(object: *mut PyObject) -> Head {
    // SAFETY: GC objects have their head right before them.
    unsafe { object.cast::<PyGC_Head>().sub(1) }
}

#[inline]
fn object_of(head: Head) -> *mut PyObject {
    // SAFETY: the object is right behind its head.
    unsafe { head.add(1) }.cast_mut().cast()
}

#[inline]
unsafe fn next(head: Head) -> Head {
    // SAFETY: the caller's head is on a list.
    unsafe { (*head)._gc_next.get() as Head }
}

#[inline]
unsafe fn prev(head: Head) -> Head {
    // SAFETY: the caller's head is on a whole list.
    unsafe { ((*head)._gc_prev.get() & POINTER_BITS) as Head }
}

#[inline]
unsafe fn set_prev(head: Head, prev: Head) {
    // SAFETY: the caller's head is live.
    unsafe {
        (*head)
            ._gc_prev
            .set((prev as usize) | ((*head)._gc_prev.get() & !POINTER_BITS))
    }
}

fn init_list(list: Head) {
    // SAFETY: list heads are static, the caller's, or do not move.
    unsafe {
        (*list)._gc_next.set(list as usize);
        (*list)._gc_prev.set(list as usize);
    }
}

fn ensure_init(list: &PyGC_Head) {
    if list._gc_next.get() == 0 {
        init_list(list);
    }
}

fn list_is_empty(list: Head) -> bool {
    // SAFETY: list heads are live.
    unsafe { (*list)._gc_next.get() == list as usize }
}

unsafe fn append(head: Head, list: Head) {
    // SAFETY: both are live, `list` is whole.
    unsafe {
        let last = prev(list);
        set_prev(head, last);
        (*last)._gc_next.set(head as usize);
        (*head)._gc_next.set(list as usize);
        set_prev(list, head);
    }
}

unsafe fn unlink(head: Head) {
    // SAFETY: the head is on a whole list.
    unsafe {
        let (before, after) = (prev(head), next(head));
        (*before)._gc_next.set(after as usize);
        set_prev(after, before);
    }
}

/// Moves all of `from` behind `to`.
unsafe fn merge(from: Head, to: Head) {
    // SAFETY: both lists are whole.
    unsafe {
        if !list_is_empty(from) {
            let (to_last, from_first, from_last) = (prev(to), next(from), prev(from));
            (*to_last)._gc_next.set(from_first as usize);
            set_prev(from_first, to_last);
            (*from_last)._gc_next.set(to as usize);
            set_prev(to, from_last);
        }
        init_list(from);
    }
}

fn exchange_lists(one: &PyGC_Head, other: &PyGC_Head) {
    ensure_init(one);
    ensure_init(other);
    let between = unused_list();
    init_list(&between);
    // SAFETY: whole lists.
    unsafe {
        merge(one, &between);
        merge(other, one);
        merge(&between, other);
    }
}

/// Puts an object under the collector's eyes.
#[inline]
pub fn track(object: *mut PyObject) {
    let head = head_of(object);
    let young = &COLLECTOR.generations[0];
    ensure_init(&young.head);
    // SAFETY: the object is live and not tracked.
    unsafe {
        debug_assert!((*head)._gc_next.get() == 0, "object is tracked already");
        append(head, &young.head);
    }
    let count = young.count.get() + 1;
    young.count.set(count);
    if count > young.threshold.get() && young.threshold.get() != 0 && COLLECTOR.enabled.get() {
        EVAL_BREAKER.fetch_or(breaker::GC, Ordering::Relaxed);
    }
}

/// Takes an object out of the collector's eyes; nothing happens when it is out already.
#[inline]
pub fn untrack(object: *mut PyObject) {
    let head = head_of(object);
    // SAFETY: GC objects have a head; a tracked one is on a list.
    unsafe {
        if (*head)._gc_next.get() == 0 {
            return;
        }
        unlink(head);
        (*head)._gc_next.set(0);
        (*head)._gc_prev.set((*head)._gc_prev.get() & FINALIZED);
    }
    let young = &COLLECTOR.generations[0];
    young.count.set(young.count.get().saturating_sub(1));
}

#[inline]
pub fn is_tracked(object: *mut PyObject) -> bool {
    // SAFETY: GC objects have a head.
    unsafe { (*head_of(object))._gc_next.get() != 0 }
}

#[inline]
pub fn is_finalized(object: *mut PyObject) -> bool {
    // SAFETY: GC objects have a head.
    unsafe { (*head_of(object))._gc_prev.get() & FINALIZED != 0 }
}

pub fn set_finalized(object: *mut PyObject) {
    // SAFETY: GC objects have a head.
    unsafe {
        let head = head_of(object);
        (*head)._gc_prev.set((*head)._gc_prev.get() | FINALIZED);
    }
}

/// `PyObject_IS_GC`.
#[inline]
pub fn is_gc_object(object: &PyObject) -> bool {
    let ty = object.ty();
    ty.is_gc()
        && match ty.tp_is_gc.get() {
            // SAFETY: a slot of the object's type.
            Some(is_gc) => unsafe { is_gc(object.as_ptr()) != 0 },
            None => true,
        }
}

fn blank_list() -> Box<PyGC_Head> {
    let list = Box::new(unused_list());
    init_list(&*list);
    list
}

fn heads(list: Head) -> Vec<Head> {
    let mut heads = Vec::new();
    // SAFETY: a whole list of live objects.
    unsafe {
        let mut head = next(list);
        while head != list {
            heads.push(head);
            head = next(head);
        }
    }
    heads
}

fn objects_on(list: Head) -> Vec<Ref> {
    // SAFETY: heads of live objects.
    heads(list)
        .into_iter()
        .map(|head| unsafe { Ref::from_borrowed(object_of(head)) })
        .collect()
}

fn traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: tracked objects are whole and their types traverse them.
    unsafe {
        (*object)
            .ty()
            .tp_traverse
            .get()
            .map_or(0, |function| function(object, visit, arg))
    }
}

fn count_objects(list: Head) -> usize {
    let mut count = 0;
    // SAFETY: a whole list.
    unsafe {
        let mut head = next(list);
        while head != list {
            count += 1;
            head = next(head);
        }
    }
    count
}

/// Text for `sys.stderr`.
pub fn report(text: &str) {
    let stream = crate::hooks::sys_attribute(&PyUnicodeObject::from_str("stderr"));
    let Some(stream) = stream.filter(|stream| !is_none(stream)) else {
        return;
    };
    let text = PyUnicodeObject::from_str(text);
    let _ = stream
        .call_method(identifier!("write"), &[text.as_object()])
        .map_err(Raised::clear);
}

/// Collects a generation and all younger ones, at once. Returns how many unreachable objects were found.
pub fn collect(generation: usize) -> usize {
    collect_now(generation, true)
}

fn collect_now(generation: usize, asked_for: bool) -> usize {
    let state = &COLLECTOR;
    if state.collecting.replace(true) {
        return 0;
    }
    for list in &state.generations {
        ensure_init(&list.head);
    }
    let saved = crate::error::fetch();
    let started = std::time::Instant::now();
    if state.debug.get() & DEBUG_STATS != 0 {
        let [young, middle, old] = std::array::from_fn(|at| objects(Some(at)).len());
        report(&format!(
            "gc: collecting generation {generation}...\ngc: objects in each generation: {young} {middle} {old}\n\
             gc: objects in permanent generation: {}\n",
            freeze_count()
        ));
    }
    let _ = invoke_callbacks("start", generation, Outcome::default());
    let outcome = collect_generations(generation, asked_for);
    if state.debug.get() & DEBUG_STATS != 0 {
        report(&format!(
            "gc: done, {} unreachable, {} uncollectable, {:.4}s elapsed\n",
            outcome.collected + outcome.uncollectable,
            outcome.uncollectable,
            started.elapsed().as_secs_f64()
        ));
    }
    let _ = invoke_callbacks("stop", generation, outcome);
    if let Some(saved) = saved {
        let _ = crate::error::restore(saved);
    }
    state.collecting.set(false);
    outcome.collected + outcome.uncollectable
}

fn collect_generations(generation: usize, asked_for: bool) -> Outcome {
    let state = &COLLECTOR;
    if generation + 1 < N_GENERATIONS {
        let older = &state.generations[generation + 1];
        older.count.set(older.count.get() + 1);
    }
    let oldest = N_GENERATIONS - 1;
    if generation == oldest {
        incremental::abandon();
    }
    let list: Head = &state.generations[generation].head;
    let target: Head = &state.generations[(generation + 1).min(oldest)].head;
    let colour = if generation + 1 < oldest {
        0
    } else {
        incremental::settled_colour()
    };
    let survivors = blank_list();
    // SAFETY: the lists are whole, and nothing else collects meanwhile.
    let outcome = unsafe {
        for younger in &state.generations[..generation] {
            younger.count.set(0);
            merge(&younger.head, list);
        }
        state.generations[generation].count.set(0);
        if !asked_for {
            incremental::spare_huge(list, &*survivors, colour);
        }
        let outcome = collect_list(list, &*survivors, colour);
        merge(&*survivors, target);
        outcome
    };
    note_collection(generation, outcome);
    state.middle_total.set(if generation == 0 {
        state.middle_total.get() + outcome.survivors
    } else {
        0
    });
    if generation == oldest {
        state.long_lived_pending.set(0);
        state.long_lived_total.set(outcome.survivors);
    } else if generation + 1 == oldest {
        let pending = &state.long_lived_pending;
        pending.set(pending.get() + outcome.survivors);
    }
    outcome
}

fn note_collection(generation: usize, outcome: Outcome) {
    let row = &COLLECTOR.generations[generation];
    let mut stats = row.stats.get();
    stats.collections += 1;
    stats.collected += outcome.collected;
    stats.uncollectable += outcome.uncollectable;
    row.stats.set(stats);
}

/// Runs the collections that are due, or a step of the one that is under way. Called by the interpreter when the eval
/// breaker says so.
pub fn collect_if_due() {
    EVAL_BREAKER.fetch_and(!breaker::GC, Ordering::Relaxed);
    let state = &COLLECTOR;
    if !state.enabled.get() || state.collecting.get() {
        return;
    }
    let is_due = |generation: usize| {
        let row = &state.generations[generation];
        row.threshold.get() != 0 && row.count.get() > row.threshold.get()
    };
    // The middle one is not left to grow until its collection takes long.
    if is_due(1) || state.middle_total.get() > MIDDLE_MAX {
        collect_now(1, false);
    } else if is_due(0) {
        collect_now(0, false);
        if incremental::is_under_way() {
            incremental::step();
        }
    }
    // The oldest generation is looked at again when it has grown by a quarter.
    if !incremental::is_under_way()
        && is_due(N_GENERATIONS - 1)
        && state.long_lived_pending.get() >= state.long_lived_total.get() / 4
    {
        incremental::start();
    }
}

fn invoke_callbacks(phase: &str, generation: usize, outcome: Outcome) -> PyResult<()> {
    let callbacks = COLLECTOR.callbacks.borrow().clone();
    let Some(callbacks) = callbacks else { return Ok(()) };
    let Some(list) = callbacks.downcast_exact::<PyListObject>() else {
        return Ok(());
    };
    if list.len() == 0 {
        return Ok(());
    }
    let info = PyDictObject::new();
    for (name, value) in [
        ("generation", generation),
        ("collected", outcome.collected),
        ("uncollectable", outcome.uncollectable),
    ] {
        info.set_str(
            &PyUnicodeObject::from_str(name),
            PyLongObject::from_usize(value).as_object(),
        )?;
    }
    let phase = PyUnicodeObject::from_str(phase);
    let mut at = 0;
    while let Some(callback) = list.get(at) {
        if let Err(raised) = callback.call(&[phase.as_object(), info.as_object()]) {
            crate::error::write_unraisable(
                raised,
                Some("Exception ignored while calling GC callback"),
                Some(&callback),
            );
        }
        at += 1;
    }
    Ok(())
}

fn add_garbage(object: &Ref) {
    if let Some(list) = garbage_list().downcast_exact::<PyListObject>() {
        list.push(object.clone());
    }
}

/// `gc.garbage`.
pub fn garbage_list() -> Ref {
    COLLECTOR
        .garbage
        .borrow_mut()
        .get_or_insert_with(|| PyListObject::new().into_object())
        .clone()
}

/// `gc.callbacks`.
pub fn callbacks_list() -> Ref {
    COLLECTOR
        .callbacks
        .borrow_mut()
        .get_or_insert_with(|| PyListObject::new().into_object())
        .clone()
}

pub fn is_enabled() -> bool {
    COLLECTOR.enabled.get()
}
/// Returns whether the collector was enabled before.
pub fn set_enabled(enabled: bool) -> bool {
    COLLECTOR.enabled.replace(enabled)
}
pub fn debug_flags() -> c_int {
    COLLECTOR.debug.get()
}
pub fn set_debug_flags(flags: c_int) {
    COLLECTOR.debug.set(flags);
}
pub fn thresholds() -> [usize; N_GENERATIONS] {
    std::array::from_fn(|generation| COLLECTOR.generations[generation].threshold.get())
}
pub fn set_threshold(generation: usize, threshold: usize) {
    COLLECTOR.generations[generation].threshold.set(threshold);
}
pub fn counts() -> [usize; N_GENERATIONS] {
    std::array::from_fn(|generation| COLLECTOR.generations[generation].count.get())
}
pub fn stats() -> [GenerationStats; N_GENERATIONS] {
    std::array::from_fn(|generation| COLLECTOR.generations[generation].stats.get())
}

/// All tracked objects, or those of one generation.
pub fn objects(generation: Option<usize>) -> Vec<Ref> {
    let mut all = Vec::new();
    for (number, row) in COLLECTOR.generations.iter().enumerate() {
        if generation.is_none_or(|wanted| wanted == number) {
            ensure_init(&row.head);
            all.extend(objects_on(&row.head));
            if number == N_GENERATIONS - 1 {
                all.extend(incremental::objects_under_way());
            }
        }
    }
    all
}

/// The objects that `gc.freeze()` set aside.
pub fn frozen_objects() -> Vec<Ref> {
    ensure_init(&COLLECTOR.permanent);
    let mut all = Vec::new();
    all.extend(objects_on(&COLLECTOR.permanent));
    all
}

/// `gc.freeze()`: everything tracked now is left alone from here on.
pub fn freeze() {
    incremental::abandon();
    ensure_init(&COLLECTOR.permanent);
    for row in &COLLECTOR.generations {
        ensure_init(&row.head);
        incremental::paint(&row.head, 0);
        // SAFETY: whole lists.
        unsafe { merge(&row.head, &COLLECTOR.permanent) };
        row.count.set(0);
    }
}

/// `gc.unfreeze()`.
pub fn unfreeze() {
    ensure_init(&COLLECTOR.permanent);
    let oldest = &COLLECTOR.generations[N_GENERATIONS - 1].head;
    ensure_init(oldest);
    incremental::paint(&COLLECTOR.permanent, incremental::settled_colour());
    // SAFETY: whole lists.
    unsafe { merge(&COLLECTOR.permanent, oldest) };
}

/// How many objects the generations have.
pub fn tracked_objects() -> usize {
    (0..N_GENERATIONS)
        .map(|generation| objects(Some(generation)).len())
        .sum()
}

pub fn freeze_count() -> usize {
    ensure_init(&COLLECTOR.permanent);
    count_objects(&COLLECTOR.permanent)
}

/// Calls `f` with each object that `object` refers to directly.
pub fn referents(object: &PyObject, f: &mut dyn FnMut(&PyObject)) {
    unsafe extern "C" fn call(object: *mut PyObject, arg: *mut c_void) -> c_int {
        // SAFETY: `arg` is the closure below; traverse functions pass live objects.
        unsafe { (*arg.cast::<&mut dyn FnMut(&PyObject)>())(&*object) };
        0
    }
    if is_gc_object(object) {
        let mut f = f;
        traverse(object.as_ptr(), call, (&raw mut f).cast());
    }
}

/// Visits with a `Visitor` made of a C pair: what `#[slot] tp_traverse` gets.
pub fn visitor(visit: visitproc, arg: *mut c_void) -> Visitor {
    Visitor { visit, arg }
}
