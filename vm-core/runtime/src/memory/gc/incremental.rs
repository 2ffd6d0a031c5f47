//! The oldest generation -> its garbage, in steps of a few milliseconds while the program runs on.
//!
//! A cycle goes over the generation twice. *Subtract*: each object is traversed once, and from the count of everything that
//! it refers to one is taken, so that what is left tells of references from elsewhere. *Mark*: objects with such
//! references, and all that is reachable from them, are alive. What remains are candidates. The program changes things
//! between the steps, and no barrier tells us; so all of this is a guess, which is cheap to check: `collect_list` finds the
//! truth about any list of objects at once, and the candidates are few. Objects that come into the generation during a
//! cycle are not part of it, and what is taken for alive by mistake is met again in the next.
//!
//! When there are more candidates than can be checked at once, the two passes are repeated over them, as long as that
//! helps; then they are checked in groups that are closed under reachability.
//!
//! Objects of the cycle are *white*, finished ones *black*; the two colours change places with each cycle, so that no pass
//! is needed to begin with. Young and frozen objects have no colour. A count is kept in 14 bits, one more than its value: 0 is
//! 'not counted yet', and a count that does not fit is in a table.

use super::collect::{Outcome, collect_list};
use super::*;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const COLOUR_SHIFT: u32 = 62;
const COLOUR_BITS: usize = 3 << COLOUR_SHIFT;
const COUNT_SHIFT: u32 = 48;
/// The count is in the table.
const COUNT_MAX: usize = (1 << 14) - 1;
const COUNT_BITS: usize = COUNT_MAX << COUNT_SHIFT;

/// References looked at in a step, and how long it may take at most. A step runs when two thousand objects are new.
const STEP_REFERENCES: usize = 200_000;
const STEP_TIME: Duration = Duration::from_millis(3);
/// References between two looks at the clock: 0.1 to 0.8 ms when none of them is in the cache.
const CLOCK_INTERVAL: usize = 1_000;
/// Candidates that are checked at once.
const GROUP: usize = 2_000;
/// How often the passes are repeated over many candidates, and how often candidates are checked again.
const MAX_ROUNDS: usize = 8;
/// Containers with more elements are traversed in parts.
const HUGE: usize = 8_192;
/// Elements of such a part.
const PART: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Subtract,
    Mark,
    Reclaim,
}

pub struct Cycle {
    phase: Cell<Phase>,
    /// The colour of objects that the cycle is not, or no more, about.
    black: Cell<usize>,
    /// White objects before and after their references were subtracted.
    pending: PyGC_Head,
    counted: PyGC_Head,
    /// Black objects whose references are not marked yet.
    grey: PyGC_Head,
    /// White objects that nothing was found to refer to; and those that a check did not prove to be garbage.
    candidates: PyGC_Head,
    unproven: PyGC_Head,
    n_candidates: Cell<usize>,
    candidates_before: Cell<usize>,
    rounds: Cell<usize>,
    freed_in_round: Cell<usize>,
    outcome: Cell<Outcome>,
    /// The huge container that is traversed in parts, and how far that is.
    part_of: Cell<Head>,
    part_at: Cell<usize>,
    /// References looked at in this step.
    work: Cell<usize>,
    /// Counts that do not fit in their bits. What an object leaves here when it dies is no harm: one that comes to its
    /// place is 'not counted yet'.
    large_counts: RefCell<Option<HashMap<Head, usize>>>,
}

// SAFETY: used only under the GIL.
unsafe impl Sync for Cycle {}

impl Cycle {
    pub const fn new() -> Cycle {
        Cycle {
            phase: Cell::new(Phase::Idle),
            black: Cell::new(1),
            pending: unused_list(),
            counted: unused_list(),
            grey: unused_list(),
            candidates: unused_list(),
            unproven: unused_list(),
            n_candidates: Cell::new(0),
            candidates_before: Cell::new(0),
            rounds: Cell::new(0),
            freed_in_round: Cell::new(0),
            outcome: Cell::new(Outcome {
                survivors: 0,
                collected: 0,
                uncollectable: 0,
            }),
            part_of: Cell::new(std::ptr::null()),
            part_at: Cell::new(0),
            work: Cell::new(0),
            large_counts: RefCell::new(None),
        }
    }
    pub fn exchange(&self, other: &Cycle) {
        for (mine, theirs) in self.lists().into_iter().zip(other.lists()) {
            exchange_lists(mine, theirs);
        }
        self.phase.swap(&other.phase);
        self.black.swap(&other.black);
        self.n_candidates.swap(&other.n_candidates);
        self.candidates_before.swap(&other.candidates_before);
        self.rounds.swap(&other.rounds);
        self.freed_in_round.swap(&other.freed_in_round);
        self.outcome.swap(&other.outcome);
        self.part_of.swap(&other.part_of);
        self.part_at.swap(&other.part_at);
        self.work.swap(&other.work);
        self.large_counts.swap(&other.large_counts);
    }
    pub fn lists(&self) -> [&PyGC_Head; 5] {
        [
            &self.pending,
            &self.counted,
            &self.grey,
            &self.candidates,
            &self.unproven,
        ]
    }
}

/// Of the interpreter that runs.
pub static CYCLE: Cycle = Cycle::new();

fn oldest() -> Head {
    &COLLECTOR.generations[N_GENERATIONS - 1].head
}

pub fn is_under_way() -> bool {
    CYCLE.phase.get() != Phase::Idle
}

/// The bits of an object that no cycle is about.
pub fn settled_colour() -> usize {
    CYCLE.black.get() << COLOUR_SHIFT
}

fn white() -> usize {
    (3 - CYCLE.black.get()) << COLOUR_SHIFT
}

/// Gives all objects of a list a colour.
pub fn paint(list: Head, colour: usize) {
    for head in heads(list) {
        set_colour(head, colour);
    }
}

fn set_colour(head: Head, colour: usize) {
    // SAFETY: the head of a live object on a whole list.
    unsafe {
        (*head)
            ._gc_prev
            .set((*head)._gc_prev.get() & !(COLOUR_BITS | COUNT_BITS) | colour);
    }
}

/// The objects of the oldest generation that a cycle has on its own lists.
pub fn objects_under_way() -> Vec<Ref> {
    if !is_under_way() {
        return Vec::new();
    }
    CYCLE
        .lists()
        .into_iter()
        .flat_map(|list| objects_on(list))
        .collect()
}

/// Ends a cycle without a result: all its objects are settled ones of the oldest generation again.
pub fn abandon() {
    if is_under_way() {
        for list in CYCLE.lists() {
            paint(list, settled_colour());
            // SAFETY: whole lists.
            unsafe { merge(list, oldest()) };
        }
        CYCLE.large_counts.take();
        CYCLE.phase.set(Phase::Idle);
    }
}

/// Begins a cycle over what the oldest generation has now.
pub fn start() {
    for list in CYCLE.lists() {
        ensure_init(list);
    }
    // Until now the objects had the colour of finished ones.
    CYCLE.black.set(3 - CYCLE.black.get());
    // SAFETY: whole lists.
    unsafe { merge(oldest(), &CYCLE.pending) };
    let row = &COLLECTOR.generations[N_GENERATIONS - 1];
    row.count.set(0);
    COLLECTOR.long_lived_pending.set(0);
    CYCLE.phase.set(Phase::Subtract);
    CYCLE.rounds.set(0);
    CYCLE.candidates_before.set(usize::MAX);
    CYCLE.freed_in_round.set(0);
    CYCLE.outcome.set(Outcome::default());
    COLLECTOR.long_lived_total.set(0);
}

/// Does a part of the cycle.
pub fn step() {
    let state = &COLLECTOR;
    state.collecting.set(true);
    let saved = crate::error::fetch();
    let before = CYCLE.outcome.get();
    let oldest = N_GENERATIONS - 1;
    let _ = invoke_callbacks("start", oldest, Outcome::default());
    CYCLE.work.set(0);
    let started = Instant::now();
    let mut next_look = CLOCK_INTERVAL;
    while is_under_way() && CYCLE.work.get() < STEP_REFERENCES {
        if CYCLE.work.get() >= next_look {
            next_look = CYCLE.work.get() + CLOCK_INTERVAL;
            if started.elapsed() >= STEP_TIME {
                break;
            }
        }
        // SAFETY: the lists are whole between any two of these.
        unsafe {
            match CYCLE.phase.get() {
                Phase::Idle => break,
                Phase::Subtract => subtract_one(),
                Phase::Mark => mark_one(),
                Phase::Reclaim => {
                    reclaim_group();
                    next_look = 0;
                }
            }
        }
    }
    let now = CYCLE.outcome.get();
    let outcome = Outcome {
        survivors: 0,
        collected: now.collected - before.collected,
        uncollectable: now.uncollectable - before.uncollectable,
    };
    if !is_under_way() {
        note_collection(oldest, now);
    }
    let _ = invoke_callbacks("stop", oldest, outcome);
    if let Some(saved) = saved {
        let _ = crate::error::restore(saved);
    }
    state.collecting.set(false);
}

fn count_work() {
    CYCLE.work.set(CYCLE.work.get() + 1);
}

fn is_white(head: Head) -> bool {
    // SAFETY: GC objects have a head.
    unsafe { (*head)._gc_prev.get() & COLOUR_BITS == white() }
}

/// The references from elsewhere, as far as they are counted.
fn count_of(head: Head) -> usize {
    // SAFETY: the head of a live object of the cycle.
    let (count, refcnt) = unsafe {
        (
            ((*head)._gc_prev.get() & COUNT_BITS) >> COUNT_SHIFT,
            (*object_of(head)).ob_refcnt.get(),
        )
    };
    match count {
        0 if (refcnt as i32) < 0 => usize::MAX,
        0 => refcnt as usize,
        COUNT_MAX => {
            let counts = CYCLE.large_counts.borrow();
            let count = counts.as_ref().and_then(|counts| counts.get(&head));
            count.copied().unwrap_or(usize::MAX)
        }
        _ => count - 1,
    }
}

unsafe extern "C" fn visit_subtract(object: *mut PyObject, _arg: *mut c_void) -> c_int {
    count_work();
    // SAFETY: traverse functions pass live objects.
    unsafe {
        if is_gc_object(&*object) {
            let head = head_of(object);
            if is_white(head) {
                let count = count_of(head);
                // Immortal objects stay uncounted.
                if count != usize::MAX {
                    set_count(head, count.saturating_sub(1));
                }
            }
        }
    }
    0
}

fn set_count(head: Head, count: usize) {
    let bits = (count + 1).min(COUNT_MAX);
    if bits == COUNT_MAX {
        let mut counts = CYCLE.large_counts.borrow_mut();
        counts.get_or_insert_default().insert(head, count);
    }
    // SAFETY: the head of a live object of the cycle.
    unsafe {
        let rest = (*head)._gc_prev.get() & !COUNT_BITS;
        (*head)._gc_prev.set(rest | (bits << COUNT_SHIFT));
    }
}

unsafe extern "C" fn visit_mark(object: *mut PyObject, _arg: *mut c_void) -> c_int {
    count_work();
    // SAFETY: traverse functions pass live objects; a white one is on a list of the cycle.
    unsafe {
        if is_gc_object(&*object) {
            let head = head_of(object);
            if is_white(head) {
                unlink(head);
                set_colour(head, settled_colour());
                append(head, &CYCLE.grey);
            }
        }
    }
    0
}

/// How many elements an object of a type that we can traverse in parts has; 0 for others.
fn length_of_container(object: &PyObject) -> usize {
    if let Some(list) = object.downcast_exact::<PyListObject>() {
        list.len()
    } else if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
        tuple.len()
    } else if let Some(dict) = object.downcast_exact::<PyDictObject>() {
        dict.len()
    } else if let Some(set) = object.downcast_exact::<PySetObject>() {
        set.len()
    } else {
        0
    }
}

/// Visits up to `PART` elements of a container from `at` on. The place to go on at, or `None` at the end.
fn traverse_part(object: &PyObject, at: usize, visit: visitproc) -> Option<usize> {
    let see = |object: &PyObject| {
        // SAFETY: a live element; these visitors take no argument.
        unsafe { visit(object.as_ptr(), std::ptr::null_mut()) };
    };
    let items = if let Some(list) = object.downcast_exact::<PyListObject>() {
        list.as_slice()
    } else if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
        tuple.as_slice()
    } else {
        let mut at = at;
        for _ in 0..PART {
            if let Some(dict) = object.downcast_exact::<PyDictObject>() {
                let (key, value, _) = dict.next_entry(&mut at)?;
                see(key);
                see(value);
            } else {
                let (key, _) = object.downcast_exact::<PySetObject>()?.next_entry(&mut at)?;
                see(key);
            }
        }
        return Some(at);
    };
    let end = (at + PART).min(items.len());
    items.get(at..end)?.iter().for_each(|item| see(item));
    (end < items.len()).then_some(end)
}

/// Traverses an object, of a huge container a part; true when that was all.
unsafe fn traverse_some(head: Head, visit: visitproc) -> bool {
    // SAFETY: a live object.
    let object = unsafe { &*object_of(head) };
    count_work();
    if length_of_container(object) <= HUGE {
        traverse(object.as_ptr(), visit, std::ptr::null_mut());
        return true;
    }
    let at = if CYCLE.part_of.get() == head {
        CYCLE.part_at.get()
    } else {
        0
    };
    match traverse_part(object, at, visit) {
        Some(at) => {
            CYCLE.part_of.set(head);
            CYCLE.part_at.set(at);
            false
        }
        None => {
            CYCLE.part_of.set(std::ptr::null());
            true
        }
    }
}

unsafe fn subtract_one() {
    // SAFETY: the lists are whole and their objects alive.
    unsafe {
        if list_is_empty(&CYCLE.pending) {
            CYCLE.n_candidates.set(0);
            CYCLE.part_of.set(std::ptr::null());
            CYCLE.phase.set(Phase::Mark);
            return;
        }
        let head = next(&CYCLE.pending);
        if traverse_some(head, visit_subtract) {
            unlink(head);
            append(head, &CYCLE.counted);
        }
    }
}

unsafe fn mark_one() {
    // SAFETY: the lists are whole and their objects alive.
    unsafe {
        if !list_is_empty(&CYCLE.grey) {
            let head = next(&CYCLE.grey);
            if traverse_some(head, visit_mark) {
                unlink(head);
                append(head, oldest());
                let total = &COLLECTOR.long_lived_total;
                total.set(total.get() + 1);
            }
            return;
        }
        let head = next(&CYCLE.counted);
        if head == &raw const CYCLE.counted {
            CYCLE.part_of.set(std::ptr::null());
            after_marking();
            return;
        }
        count_work();
        unlink(head);
        if count_of(head) > 0 {
            set_colour(head, settled_colour());
            append(head, &CYCLE.grey);
        } else {
            // Counted anew when the passes are repeated.
            set_colour(head, white());
            append(head, &CYCLE.candidates);
            CYCLE.n_candidates.set(CYCLE.n_candidates.get() + 1);
        }
    }
}

/// Only candidates are left. If they are many, most of them may be the work of the program meanwhile.
unsafe fn after_marking() {
    let n_candidates = CYCLE.n_candidates.get();
    let improving = n_candidates < CYCLE.candidates_before.get() / 2;
    if n_candidates > GROUP && improving && CYCLE.rounds.get() < MAX_ROUNDS {
        CYCLE.candidates_before.set(n_candidates);
        // SAFETY: whole lists.
        unsafe { begin_round(&CYCLE.candidates) };
    } else {
        CYCLE.phase.set(Phase::Reclaim);
    }
}

/// The passes once more, over the objects of a list.
unsafe fn begin_round(list: Head) {
    CYCLE.rounds.set(CYCLE.rounds.get() + 1);
    // SAFETY: whole lists.
    unsafe { merge(list, &CYCLE.pending) };
    CYCLE.phase.set(Phase::Subtract);
}

struct Group {
    list: Head,
    queue: Vec<Head>,
    size: usize,
}

unsafe extern "C" fn visit_join(object: *mut PyObject, arg: *mut c_void) -> c_int {
    // SAFETY: traverse functions pass live objects; `arg` is the group below.
    unsafe {
        if is_gc_object(&*object) {
            let head = head_of(object);
            if is_white(head) {
                (*arg.cast::<Group>()).join(head);
            }
        }
    }
    0
}

impl Group {
    unsafe fn join(&mut self, head: Head) {
        // SAFETY: a white object is on one of the cycle's lists.
        unsafe {
            unlink(head);
            set_colour(head, settled_colour());
            append(head, self.list);
        }
        self.queue.push(head);
        self.size += 1;
    }
}

/// Checks a group of candidates, with everything among them that it needs, and frees what is garbage.
unsafe fn reclaim_group() {
    let list = blank_list();
    let survivors = blank_list();
    let mut group = Group {
        list: &*list,
        queue: Vec::new(),
        size: 0,
    };
    // SAFETY: the lists are whole; no code runs before `collect_list`.
    unsafe {
        while group.size < GROUP && !list_is_empty(&CYCLE.candidates) {
            group.join(next(&CYCLE.candidates));
            while let Some(head) = group.queue.pop() {
                traverse(object_of(head), visit_join, (&raw mut group).cast());
            }
        }
        if group.size > 0 {
            let found = collect_list(group.list, &*survivors, settled_colour());
            let mut outcome = CYCLE.outcome.get();
            outcome.collected += found.collected;
            outcome.uncollectable += found.uncollectable;
            CYCLE.outcome.set(outcome);
            CYCLE
                .freed_in_round
                .set(CYCLE.freed_in_round.get() + found.collected);
            merge(&*survivors, &CYCLE.unproven);
            return;
        }
        // What is held by garbage of another group may be garbage after that is gone.
        if CYCLE.freed_in_round.replace(0) > 0
            && !list_is_empty(&CYCLE.unproven)
            && CYCLE.rounds.get() < MAX_ROUNDS
        {
            paint(&CYCLE.unproven, white());
            begin_round(&CYCLE.unproven);
            return;
        }
        merge(&CYCLE.unproven, oldest());
    }
    CYCLE.large_counts.take();
    CYCLE.phase.set(Phase::Idle);
}

/// Moves containers that are too long to be traversed at once from a list of young objects to `survivors`; what they refer
/// to is then alive, as if referred to from elsewhere.
pub unsafe fn spare_huge(list: Head, survivors: Head, colour: usize) {
    // SAFETY: whole lists of live objects.
    unsafe {
        let mut head = next(list);
        while head != list {
            let following = next(head);
            if length_of_container(&*object_of(head)) > HUGE {
                unlink(head);
                set_colour(head, colour);
                append(head, survivors);
            }
            head = following;
        }
    }
}
