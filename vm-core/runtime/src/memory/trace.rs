//! Allocations -> where they were made, for `tracemalloc`: a table of the live blocks with their sizes and tracebacks.
//!
//! `pool.rs` and the raw domain of the C API tell of their blocks while tracing is on; C tells of others
//! (`PyTraceMalloc_Track`). Tables live in memory of the C library, so that tracing does not meet itself. Whoever calls holds
//! the GIL. A traceback is kept once, however many blocks were allocated there.

use super::pool;
use crate::object::Ref;
use crate::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_uint, c_void};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

/// The domain of Python's own allocators.
pub const DEFAULT_DOMAIN: c_uint = 0;
/// The most frames that may be asked for.
pub const MAX_FRAMES: usize = 65535;

/// Addresses, of files' names and lines, from the innermost frame out.
pub type Frames = Vec<(*mut PyObject, i32)>;
/// Writes at most so many frames of the calling thread, and gives how many there are. Nothing may be allocated from the pool.
pub type Capture = fn(frames: &mut Frames, limit: usize) -> usize;

/// Spreads addresses, whose low bits are alike.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }
    fn write_i32(&mut self, value: i32) {
        self.write_u64(value as u64);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

type Table<K, V> = HashMap<K, V, BuildHasherDefault<AddressHasher>>;

/// Where blocks were allocated.
pub struct Traceback {
    /// From the innermost frame out: the file's name, which is owned, and the line.
    pub frames: Vec<(Ref, i32)>,
    /// How many frames there were, also those beyond the limit.
    pub n_total: usize,
}

#[derive(Clone, Copy)]
struct Block {
    size: usize,
    traceback: u32,
}

#[derive(Default)]
struct Tracer {
    blocks: Table<(c_uint, usize), Block>,
    tracebacks: Vec<Traceback>,
    known: Table<Vec<(usize, i32)>, u32>,
    traced: usize,
    peak: usize,
}

struct State {
    tracer: RefCell<Tracer>,
    scratch: RefCell<Frames>,
    limit: Cell<usize>,
    capture: Cell<Option<Capture>>,
    /// New blocks are not entered: the tables are being read or written.
    is_busy: Cell<bool>,
}

struct Shared(std::sync::LazyLock<State>);
// SAFETY: used only under the GIL, but for the flag below.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

static STATE: Shared = Shared(std::sync::LazyLock::new(|| State {
    tracer: RefCell::default(),
    scratch: RefCell::default(),
    limit: Cell::new(1),
    capture: Cell::new(None),
    is_busy: Cell::new(false),
}));
static IS_TRACING: AtomicBool = AtomicBool::new(false);

fn state() -> &'static State {
    let shared: &'static Shared = &STATE;
    &shared.0
}

/// Whether allocations are traced. May be asked without the GIL.
#[inline]
pub fn is_tracing() -> bool {
    IS_TRACING.load(Ordering::Relaxed)
}

/// How many frames are kept of a traceback.
pub fn limit() -> usize {
    state().limit.get()
}

/// Begins to trace; nothing happens when that has begun.
pub fn start(limit: usize, capture: Capture) {
    if is_tracing() {
        return;
    }
    state().limit.set(limit);
    state().capture.set(Some(capture));
    // Blocks of dead objects that wait for new ones would keep the traceback of the dead.
    crate::objects::freelist::close_all(true);
    pool::set_tracing(true);
    IS_TRACING.store(true, Ordering::Relaxed);
}

/// Ends tracing and forgets all.
pub fn stop() {
    if !is_tracing() {
        return;
    }
    IS_TRACING.store(false, Ordering::Relaxed);
    pool::set_tracing(false);
    crate::objects::freelist::close_all(false);
    clear();
}

/// Forgets the blocks so far.
pub fn clear() {
    let old = std::mem::take(&mut *state().tracer.borrow_mut());
    // The names of files may die with it, which is told again.
    drop(old);
}

/// The traceback of the calling thread's frames, which is made when it is new.
fn current_traceback(state: &State, tracer: &mut Tracer) -> u32 {
    let mut frames = state.scratch.borrow_mut();
    frames.clear();
    let n_total = match state.capture.get() {
        Some(capture) => capture(&mut frames, state.limit.get()),
        None => 0,
    };
    let key: Vec<(usize, i32)> = frames
        .iter()
        .map(|(name, line)| (*name as usize, *line))
        .collect();
    if let Some(known) = tracer.known.get(&key) {
        return *known;
    }
    let number = tracer.tracebacks.len() as u32;
    tracer.tracebacks.push(Traceback {
        frames: frames
            .iter()
            // SAFETY: names of code objects that are running.
            .map(|(name, line)| (unsafe { (**name).to_ref() }, *line))
            .collect(),
        n_total,
    });
    tracer.known.insert(key, number);
    number
}

/// Enters a block, in place of what its address had. A null block is none. False when memory is not traced.
pub fn track(domain: c_uint, block: *mut c_void, size: usize) -> bool {
    let state = state();
    if !is_tracing() {
        return false;
    }
    if block.is_null() || state.is_busy.replace(true) {
        return true;
    }
    {
        let mut tracer = state.tracer.borrow_mut();
        let traceback = current_traceback(state, &mut tracer);
        let old = tracer
            .blocks
            .insert((domain, block as usize), Block { size, traceback });
        tracer.traced = tracer.traced - old.map_or(0, |old| old.size) + size;
        tracer.peak = tracer.peak.max(tracer.traced);
    }
    state.is_busy.set(false);
    true
}

/// Forgets a block that is freed. False when memory is not traced.
pub fn untrack(domain: c_uint, block: *mut c_void) -> bool {
    if !is_tracing() {
        return false;
    }
    // While the tables are taken apart, they are not there.
    if let Ok(mut tracer) = state().tracer.try_borrow_mut()
        && let Some(old) = tracer.blocks.remove(&(domain, block as usize))
    {
        tracer.traced -= old.size;
    }
    true
}

/// As `track` and `untrack`, for a block of the default domain and a thread that may not hold the GIL.
pub fn tell_unattached(freed: *mut c_void, new: *mut c_void, size: usize) {
    let attached = crate::thread::ensure_attached();
    if !freed.is_null() {
        untrack(DEFAULT_DOMAIN, freed);
    }
    track(DEFAULT_DOMAIN, new, size);
    crate::thread::release_attached(attached);
}

/// Bytes in traced blocks now, and at most.
pub fn traced_memory() -> (usize, usize) {
    let tracer = state().tracer.borrow();
    (tracer.traced, tracer.peak)
}

/// The most traced bytes are counted anew.
pub fn reset_peak() {
    let mut tracer = state().tracer.borrow_mut();
    tracer.peak = tracer.traced;
}

/// About how much memory the tables use.
pub fn own_memory() -> usize {
    let tracer = state().tracer.borrow();
    let frames: usize = tracer
        .tracebacks
        .iter()
        .map(|traceback| size_of::<Traceback>() + traceback.frames.len() * 2 * size_of::<(Ref, i32)>())
        .sum();
    let block = size_of::<(c_uint, usize)>() + size_of::<Block>() + 1;
    frames + tracer.blocks.capacity() * block
}

/// Hands each traceback, once, and each block to the functions: what they allocate is not traced.
pub fn visit<T>(
    mut make: impl FnMut(&Traceback) -> PyResult<T>,
    mut visit: impl FnMut(c_uint, usize, &T, usize) -> PyResult<()>,
) -> PyResult<()> {
    let state = state();
    let was_busy = state.is_busy.replace(true);
    let (blocks, tracebacks) = {
        let tracer = state.tracer.borrow();
        let blocks: Vec<(c_uint, Block)> = tracer
            .blocks
            .iter()
            .map(|((domain, _), block)| (*domain, *block))
            .collect();
        let tracebacks: Vec<Traceback> = tracer
            .tracebacks
            .iter()
            .map(|traceback| Traceback {
                frames: traceback
                    .frames
                    .iter()
                    .map(|(name, line)| (name.clone(), *line))
                    .collect(),
                n_total: traceback.n_total,
            })
            .collect();
        (blocks, tracebacks)
    };
    let mut run = || {
        let made: Vec<T> = tracebacks.iter().map(&mut make).collect::<PyResult<_>>()?;
        for (domain, block) in &blocks {
            let number = block.traceback as usize;
            visit(*domain, block.size, &made[number], tracebacks[number].n_total)?;
        }
        Ok(())
    };
    let result = run();
    state.is_busy.set(was_busy);
    result
}

/// The traceback of a block, if it is known.
pub fn traceback_of<T>(
    domain: c_uint,
    block: *const c_void,
    make: impl FnOnce(&Traceback) -> PyResult<T>,
) -> PyResult<Option<T>> {
    let found = {
        let tracer = state().tracer.borrow();
        tracer.blocks.get(&(domain, block as usize)).map(|block| {
            let traceback = &tracer.tracebacks[block.traceback as usize];
            Traceback {
                frames: traceback
                    .frames
                    .iter()
                    .map(|(name, line)| (name.clone(), *line))
                    .collect(),
                n_total: traceback.n_total,
            }
        })
    };
    found.map(|traceback| make(&traceback)).transpose()
}
