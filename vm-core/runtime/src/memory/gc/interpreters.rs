//! A collector for each interpreter: while one runs, the objects of another are not collected and their finalizers, which are its
//! code, do not run.

use super::incremental::{self, CYCLE, Cycle};
use super::{COLLECTOR, Collector, ensure_init, merge};
use crate::per_interpreter::{Exchange, PerInterpreter};
use std::cell::OnceCell;

/// The collector of an interpreter that does not run. That of the one that does is in the statics, and its cell is empty.
#[derive(Default)]
struct Aside(OnceCell<Box<(Collector, Cycle)>>);

static ASIDE: PerInterpreter<Aside> = PerInterpreter::new(Aside(OnceCell::new()));

/// Called before the first interpreter beside the main one runs.
pub fn one_per_interpreter() {
    ASIDE.here();
}

impl Exchange for Aside {
    /// `self`, which is the cell of the interpreter that runs, stands for the statics.
    fn exchange(&self, other: &Self) {
        let (collector, cycle) = &**other.0.get_or_init(|| Box::new((Collector::new(), Cycle::new())));
        COLLECTOR.exchange(collector);
        CYCLE.exchange(cycle);
    }
}

impl Drop for Aside {
    /// The objects that an interpreter leaves behind are young ones of the one that runs.
    fn drop(&mut self) {
        let Some(own) = self.0.get() else { return };
        let (collector, cycle) = &**own;
        let generations = collector.generations.iter().map(|generation| &generation.head);
        let young = &COLLECTOR.generations[0].head;
        ensure_init(young);
        for list in generations.chain([&collector.permanent]).chain(cycle.lists()) {
            ensure_init(list);
            incremental::paint(list, 0);
            // SAFETY: whole lists.
            unsafe { merge(list, young) };
        }
    }
}
