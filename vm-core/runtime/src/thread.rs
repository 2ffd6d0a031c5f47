//! Thread states, the interpreter state and the GIL.
//!
//! The public part of a thread state is `PyThreadState`; what is ours follows it in `ThreadState`. The GIL is a real
//! lock: a thread that waits for it asks the holder to let go after the switch interval, by the eval breaker.

use crate::abi::*;
use crate::object::Ref;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Duration;

/// `sys.getrecursionlimit()` at the start of an interpreter.
const RECURSION_LIMIT: i32 = 1000;

/// One thread's state: what C sees first, then ours.
#[repr(C)]
pub struct ThreadState {
    pub base: PyThreadState,
    /// Objects whose `repr` is under way.
    pub repr_stack: RefCell<Vec<*mut PyObject>>,
    /// The event loop that runs in this thread, and its task that is being executed: `_asyncio`'s.
    pub asyncio_loop: RefCell<Option<Ref>>,
    pub asyncio_task: RefCell<Option<Ref>>,
    /// `sys.settrace` / `sys.setprofile` functions, kept by the interpreter.
    pub trace_func: RefCell<Option<Ref>>,
    pub profile_func: RefCell<Option<Ref>>,
    pub thread_ident: Cell<u64>,
    /// How deep the native stack may go: the lowest address that calls may reach.
    pub stack_limit: Cell<usize>,
    /// Where the native stack began when the thread started to run Python.
    pub stack_top: Cell<usize>,
}

// SAFETY: used only by its own thread, or under the GIL.
unsafe impl Sync for ThreadState {}

impl ThreadState {
    /// Python calls under way.
    pub fn recursion_depth(&self) -> i32 {
        self.base.py_recursion_limit.get() - self.base.py_recursion_remaining.get()
    }
    /// The current `contextvars.Context`.
    pub fn context(&self) -> Option<Ref> {
        // SAFETY: null, or an object that the state owns.
        unsafe { Ref::from_borrowed_opt(self.base.context.get()) }
    }
    /// Makes a context the current one; gives the one before.
    pub fn replace_context(&self, context: Option<Ref>) -> Option<Ref> {
        let version = &self.base.context_ver;
        version.set(version.get().wrapping_add(1));
        let new = context.map_or(std::ptr::null_mut(), Ref::into_raw);
        // SAFETY: the state owned it.
        unsafe { Ref::from_owned_opt(self.base.context.replace(new)) }
    }
    /// Sets, or takes away, the exception that is to be raised in this thread when it looks (`PyThreadState_SetAsyncExc`);
    /// gives the one before.
    pub fn replace_async_exc(&self, exception: Option<Ref>) -> Option<Ref> {
        let new = exception.map_or(std::ptr::null_mut(), Ref::into_raw);
        let old = self.base.async_exc.replace(new);
        if !new.is_null() {
            EVAL_BREAKER.fetch_or(breaker::ASYNC_EXCEPTION, Ordering::Relaxed);
        } else if !old.is_null()
            && all_thread_states()
                .iter()
                .all(|state| state.base.async_exc.get().is_null())
        {
            EVAL_BREAKER.fetch_and(!breaker::ASYNC_EXCEPTION, Ordering::Relaxed);
        }
        // SAFETY: the state owned it.
        unsafe { Ref::from_owned_opt(old) }
    }
    /// Drops the objects that the state owns.
    fn drop_objects(&self) {
        let base = &self.base;
        for field in [&base.current_exception, &base.exc_state.exc_value, &base.dict] {
            // SAFETY: the state owned the object.
            drop(unsafe { Ref::from_owned_opt(field.replace(std::ptr::null_mut())) });
        }
        drop(self.replace_async_exc(None));
        drop(self.replace_context(None));
        for field in [
            &self.asyncio_task,
            &self.asyncio_loop,
            &self.trace_func,
            &self.profile_func,
        ] {
            drop(field.take());
        }
    }
}

thread_local! {
    static CURRENT: Cell<*const ThreadState> = const { Cell::new(std::ptr::null()) };
    /// The state with which this native thread first let the GIL go: the one that `PyGILState_Ensure` takes up again.
    static HOME: Cell<*const ThreadState> = const { Cell::new(std::ptr::null()) };
}

/// The state that the calling native thread takes up when C asks for the GIL without naming one; null when it has none.
pub fn home_state() -> *const ThreadState {
    HOME.get()
}

/// See [`home_state`].
pub fn set_home_state(state: *const ThreadState) {
    HOME.set(state);
}

/// The calling thread's state. It must have one: native threads get theirs in `attach_new`.
#[inline(always)]
pub fn thread_state() -> &'static ThreadState {
    let state = CURRENT.get();
    debug_assert!(!state.is_null(), "this thread has no thread state");
    // SAFETY: set by `set_current` to a state that lives as long as the thread holds the GIL.
    unsafe { &*state }
}

/// The calling thread's state, if it has one.
#[inline]
pub fn try_thread_state() -> Option<&'static ThreadState> {
    // SAFETY: null, or as in `thread_state`.
    unsafe { CURRENT.get().as_ref() }
}

/// Makes `state` the calling thread's; returns the one before.
pub fn set_current(state: *const ThreadState) -> *const ThreadState {
    CURRENT.replace(state)
}

/// An interpreter (opaque in C: `PyInterpreterState`). The main one has the list of threads and what ends the process.
#[repr(C)]
pub struct InterpreterState {
    pub id: i64,
    threads: Mutex<Vec<usize>>,
    next_thread_id: AtomicU64,
    pub recursion_limit: AtomicI32,
    pub finalizing: AtomicBool,
    /// The native thread that ends the interpreter; 0 before that.
    pub finalizer: AtomicU64,
    /// What made it: one of `whence`.
    pub whence: AtomicI64,
    /// What its configuration allows: bits of `feature`.
    pub features: AtomicU32,
    /// Overrides `feature::CHECK_EXTENSIONS`: 0 does not, 1 and -1 set it.
    pub extensions_check: AtomicI32,
    /// How many uses are counted, and whether it ends with the last.
    pub n_uses: AtomicI64,
    pub ends_unused: AtomicBool,
    /// The state of the thread that runs its `__main__`; null when none does.
    pub running_main: AtomicPtr<ThreadState>,
    /// Whether it was made to its end.
    pub is_ready: AtomicBool,
    /// The threads that `_thread` started in it and that run.
    pub n_threads: AtomicUsize,
}

/// What made an interpreter, as `_interpreters.WHENCE_…` has it.
pub mod whence {
    pub const UNKNOWN: i64 = 0;
    pub const RUNTIME: i64 = 1;
    pub const LEGACY_CAPI: i64 = 2;
    pub const CAPI: i64 = 3;
    pub const XI: i64 = 4;
    pub const STDLIB: i64 = 5;
}

/// What an interpreter may do, and how it was configured.
pub mod feature {
    pub const FORK: u32 = 1;
    pub const EXEC: u32 = 2;
    pub const THREADS: u32 = 4;
    pub const DAEMON_THREADS: u32 = 8;
    /// Extension modules that do not say that they can be in several interpreters are refused.
    pub const CHECK_EXTENSIONS: u32 = 16;
    /// Asked for, and answered when the configuration is: all interpreters have one allocator.
    pub const MAIN_OBMALLOC: u32 = 32;
    /// Asked for a GIL of its own: extension modules must say that they can do with that. There is one GIL all the same.
    pub const OWN_GIL: u32 = 64;
    /// What the main interpreter has, and those of `Py_NewInterpreter`.
    pub const LEGACY: u32 = FORK | EXEC | THREADS | DAEMON_THREADS | MAIN_OBMALLOC;
}

pub static INTERPRETER: InterpreterState = InterpreterState {
    id: 0,
    threads: Mutex::new(Vec::new()),
    next_thread_id: AtomicU64::new(1),
    recursion_limit: AtomicI32::new(RECURSION_LIMIT),
    finalizing: AtomicBool::new(false),
    finalizer: AtomicU64::new(0),
    whence: AtomicI64::new(whence::RUNTIME),
    features: AtomicU32::new(feature::LEGACY | feature::OWN_GIL),
    extensions_check: AtomicI32::new(0),
    n_uses: AtomicI64::new(0),
    ends_unused: AtomicBool::new(false),
    running_main: AtomicPtr::new(std::ptr::null_mut()),
    is_ready: AtomicBool::new(true),
    n_threads: AtomicUsize::new(0),
};

/// The interpreter whose thread has the GIL, or had it last.
static CURRENT_INTERPRETER: AtomicPtr<InterpreterState> = AtomicPtr::new((&raw const INTERPRETER).cast_mut());
/// Puts one interpreter's modules in place of another's; there is none before there is a second interpreter.
static SWITCH: OnceLock<InterpreterSwitch> = OnceLock::new();

/// From, which may be null, to.
pub type InterpreterSwitch = fn(*const InterpreterState, *const InterpreterState);

pub fn set_interpreter_switch(switch: InterpreterSwitch) {
    SWITCH.get_or_init(|| switch);
}

/// The id of the interpreter that is made next.
static NEXT_ID: AtomicI64 = AtomicI64::new(1);

/// See [`NEXT_ID`].
pub fn next_interpreter_id() -> i64 {
    NEXT_ID.load(Ordering::Relaxed)
}

impl InterpreterState {
    /// Another interpreter than the main one; its record is never freed.
    pub fn new_other(features: u32, whence: i64) -> &'static InterpreterState {
        crate::memory::gc::one_per_interpreter();
        Box::leak(Box::new(InterpreterState {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            threads: Mutex::new(Vec::new()),
            next_thread_id: AtomicU64::new(1),
            recursion_limit: AtomicI32::new(RECURSION_LIMIT),
            finalizing: AtomicBool::new(false),
            finalizer: AtomicU64::new(0),
            whence: AtomicI64::new(whence),
            features: AtomicU32::new(features),
            extensions_check: AtomicI32::new(0),
            n_uses: AtomicI64::new(0),
            ends_unused: AtomicBool::new(false),
            running_main: AtomicPtr::new(std::ptr::null_mut()),
            is_ready: AtomicBool::new(false),
            n_threads: AtomicUsize::new(0),
        }))
    }
    pub fn as_c(&self) -> *mut PyInterpreterState {
        std::ptr::from_ref(self).cast_mut().cast()
    }
    pub fn is_main(&self) -> bool {
        std::ptr::eq(self, &INTERPRETER)
    }
    pub fn allows(&self, feature: u32) -> bool {
        self.features.load(Ordering::Relaxed) & feature != 0
    }
    /// Whether extension modules are refused that do not say that they can be in several interpreters.
    pub fn checks_extensions(&self) -> bool {
        match self.extensions_check.load(Ordering::Relaxed) {
            0 => self.allows(feature::CHECK_EXTENSIONS),
            choice => choice > 0,
        }
    }
    /// `sys.setrecursionlimit`: how deep Python calls may go in its threads.
    pub fn set_recursion_limit(&self, limit: i32) {
        self.recursion_limit.store(limit, Ordering::Relaxed);
        for state in self.thread_states() {
            let depth = state.recursion_depth();
            state.base.py_recursion_limit.set(limit);
            state.base.py_recursion_remaining.set(limit - depth);
        }
    }
    /// The states of its threads, oldest first.
    pub fn thread_states(&self) -> Vec<&'static ThreadState> {
        let mut states = all_thread_states();
        states.retain(|state| state.base.interp.get() == self.as_c());
        states
    }
}

/// The interpreter of the calling thread, which is attached.
#[inline]
pub fn interpreter() -> &'static InterpreterState {
    // SAFETY: a state's interpreter is one of ours, whose record lives for ever.
    unsafe { &*thread_state().base.interp.get().cast::<InterpreterState>() }
}

/// The interpreter of the thread that has the GIL.
pub fn current_interpreter() -> *const InterpreterState {
    CURRENT_INTERPRETER.load(Ordering::Relaxed)
}

/// The calling thread's interpreter is gone: who takes the GIL next puts its own in place.
pub fn leave_interpreter() {
    CURRENT_INTERPRETER.store(std::ptr::null_mut(), Ordering::Relaxed);
}

#[cold]
fn switch_interpreter(to: *mut InterpreterState) {
    let from = CURRENT_INTERPRETER.swap(to, Ordering::Relaxed);
    crate::per_interpreter::switch(from as usize, to as usize);
    if let Some(switch) = SWITCH.get() {
        switch(from, to);
    }
}

/// A new thread state, registered, not yet current, of the calling thread's interpreter or else of the main one.
pub fn new_thread_state() -> &'static ThreadState {
    match try_thread_state() {
        Some(_) => new_thread_state_of(interpreter()),
        None => new_thread_state_of(&INTERPRETER),
    }
}

/// A new thread state of an interpreter, registered, not yet current.
pub fn new_thread_state_of(interpreter: &'static InterpreterState) -> &'static ThreadState {
    let layout = std::alloc::Layout::new::<ThreadState>();
    // SAFETY: a zeroed block is a valid start: every pointer null, every `Option` none; the cells that are not
    // valid as zeroes are written below before anybody reads them.
    let state = unsafe {
        let state = std::alloc::alloc_zeroed(layout).cast::<ThreadState>();
        if state.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        std::ptr::write(&raw mut (*state).repr_stack, RefCell::new(Vec::new()));
        std::ptr::write(&raw mut (*state).asyncio_loop, RefCell::new(None));
        std::ptr::write(&raw mut (*state).asyncio_task, RefCell::new(None));
        std::ptr::write(&raw mut (*state).trace_func, RefCell::new(None));
        std::ptr::write(&raw mut (*state).profile_func, RefCell::new(None));
        &*state
    };
    state.base.interp.set(interpreter.as_c());
    let limit = interpreter.recursion_limit.load(Ordering::Relaxed);
    state.base.py_recursion_limit.set(limit);
    state.base.py_recursion_remaining.set(limit);
    state
        .base
        .exc_info
        .set((&raw const state.base.exc_state).cast_mut());
    // One use that is not PyGILState's, so that its last release does not end a state that it did not make.
    state.base.gilstate_counter.set(1);
    state
        .base
        .id
        .set(INTERPRETER.next_thread_id.fetch_add(1, Ordering::Relaxed));
    INTERPRETER
        .threads
        .lock()
        .unwrap()
        .push(state as *const ThreadState as usize);
    state
}

/// All thread states, oldest first.
pub fn all_thread_states() -> Vec<&'static ThreadState> {
    // SAFETY: states are removed from the list before they are freed, under the GIL.
    INTERPRETER
        .threads
        .lock()
        .unwrap()
        .iter()
        .map(|state| unsafe { &*(*state as *const ThreadState) })
        .collect()
}

/// Forgets all thread states but the calling thread's: a forked child has only that thread.
pub fn after_fork_in_child() {
    let current = CURRENT.get() as usize;
    INTERPRETER
        .threads
        .lock()
        .unwrap()
        .retain(|state| *state == current);
}

/// Drops what a thread state owns and unregisters it. The memory is given back.
///
/// # Safety
/// No thread uses `state` any more; the GIL is held.
pub unsafe fn delete_thread_state(state: *const ThreadState) {
    if HOME.get() == state {
        HOME.set(std::ptr::null());
    }
    INTERPRETER
        .threads
        .lock()
        .unwrap()
        .retain(|other| *other != state as usize);
    // SAFETY: the caller's contract; the state came from `new_thread_state`.
    unsafe {
        (*state).drop_objects();
        free_stack(&*state);
        std::alloc::dealloc(state.cast_mut().cast(), std::alloc::Layout::new::<ThreadState>());
    }
}

/// Frees the chunks of frames of a thread that ends.
fn free_stack(state: &ThreadState) {
    let mut chunk = state.base.datastack_chunk.replace(std::ptr::null_mut());
    state.base.datastack_top.set(std::ptr::null_mut());
    state.base.datastack_limit.set(std::ptr::null_mut());
    while !chunk.is_null() {
        // SAFETY: chunks came from raw_malloc and nobody uses them any more.
        unsafe {
            let previous = (*chunk).previous.get();
            crate::memory::raw_free(chunk.cast());
            chunk = previous;
        }
    }
}

/// Ends the calling thread's Python life: drops its state and lets the GIL go.
///
/// # Safety
/// `state` is the calling thread's, and nothing of it is used afterwards.
pub unsafe fn delete_thread_state_of_current(state: *const ThreadState) {
    // SAFETY: the caller's contract. Objects die while the state is still current.
    unsafe {
        (*state).drop_objects();
        delete_thread_state(state);
    }
    release_gil();
    HOME.set(std::ptr::null());
}

/// Prepares the calling native thread to run Python: learns its stack's bounds.
pub fn init_native_thread(state: &ThreadState) {
    state.thread_ident.set(
        // SAFETY: always succeeds.
        unsafe { libc::pthread_self() },
    );
    state.base.thread_id.set(state.thread_ident.get());
    let marker = 0u8;
    state.stack_top.set(&raw const marker as usize);
    state.stack_limit.set(native_stack_limit());
}

/// How much of the native stack is kept in reserve, for C code and error handling.
pub const STACK_RESERVE: usize = 256 * 1024;

fn native_stack_limit() -> usize {
    // SAFETY: plain pthread queries on the calling thread.
    unsafe {
        let mut attr = std::mem::zeroed::<libc::pthread_attr_t>();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attr) != 0 {
            return 0;
        }
        let mut base = std::ptr::null_mut();
        let mut size = 0;
        libc::pthread_attr_getstack(&attr, &mut base, &mut size);
        libc::pthread_attr_destroy(&mut attr);
        // The main thread's stack grows up to its limit; an unlimited one is taken as 8 MiB.
        let top = base as usize + size;
        let usable = size.min(64 << 20);
        top - usable + STACK_RESERVE.min(usable / 2)
    }
}

/// Whether the native stack has room for another call.
#[inline(always)]
pub fn has_native_stack() -> bool {
    let marker = 0u8;
    (&raw const marker as usize) >= thread_state().stack_limit.get()
}

/// The guard for native recursion: `enter_recursive_call(" while calling a Python object")?`.
#[inline]
pub fn check_native_stack(place: &str) -> crate::PyResult<()> {
    if has_native_stack() {
        Ok(())
    } else {
        Err(native_stack_exhausted(place))
    }
}

#[cold]
fn native_stack_exhausted(place: &str) -> crate::Raised {
    let state = thread_state();
    let limit = state.stack_limit.get();
    // Room for making the exception itself.
    state.stack_limit.set(limit - STACK_RESERVE / 2);
    let marker = 0u8;
    let used = state.stack_top.get().saturating_sub(&raw const marker as usize) / 1024;
    let raised = crate::raise!(RecursionError, "Stack overflow (used {used} kB){place}");
    state.stack_limit.set(limit);
    raised
}

// ---- the eval breaker and the GIL ----

/// Bits of the eval breaker, which the interpreter looks at on backward jumps and calls.
pub mod breaker {
    pub const GIL_DROP_REQUEST: u32 = 1;
    pub const SIGNALS: u32 = 2;
    pub const PENDING_CALLS: u32 = 4;
    pub const ASYNC_EXCEPTION: u32 = 8;
    pub const GC: u32 = 16;
    /// Another process asks for a file to be run.
    pub const REMOTE_SCRIPT: u32 = 32;
}

pub static EVAL_BREAKER: AtomicU32 = AtomicU32::new(0);

#[inline(always)]
pub fn eval_breaker_set() -> bool {
    EVAL_BREAKER.load(Ordering::Relaxed) != 0
}

struct Gil {
    /// `HELD`, and `WANTED` while threads sleep until it is let go. Only under the lock is `WANTED` set or taken away, and the GIL
    /// taken or let go while it is set: so nobody is missed who begins to sleep. Without it both are one step each.
    state: AtomicU32,
    /// Counts how often it changed hands: written by who takes it.
    switches: AtomicU64,
    /// Threads that sleep.
    n_waiting: Mutex<usize>,
    released: Condvar,
}

const HELD: u32 = 1;
const WANTED: u32 = 2;

static GIL: Gil = Gil {
    state: AtomicU32::new(0),
    switches: AtomicU64::new(0),
    n_waiting: Mutex::new(0),
    released: Condvar::new(),
};

impl Gil {
    fn is_held(&self) -> bool {
        self.state.load(Ordering::Relaxed) & HELD != 0
    }
    #[inline(always)]
    fn try_step(&self, from: u32, to: u32) -> bool {
        self.state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
    #[inline(always)]
    fn taken(&self) {
        let switches = self.switches.load(Ordering::Relaxed);
        self.switches.store(switches + 1, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn wait(&self, state: &ThreadState) {
        let mut n_waiting = self.n_waiting.lock().unwrap();
        loop {
            if is_left_behind(state) {
                drop(n_waiting);
                hang();
            }
            let held = self.state.load(Ordering::Relaxed);
            if held & HELD == 0 {
                if self.try_step(held, held | HELD) {
                    break;
                }
                continue;
            }
            if !self.try_step(held, held | WANTED) {
                continue;
            }
            let switches = self.switches.load(Ordering::Relaxed);
            *n_waiting += 1;
            let (guard, timeout) = self
                .released
                .wait_timeout(n_waiting, Duration::from_micros(switch_interval_us()))
                .unwrap();
            n_waiting = guard;
            *n_waiting -= 1;
            if *n_waiting == 0 {
                self.state.fetch_and(!WANTED, Ordering::Relaxed);
            }
            if timeout.timed_out() && self.is_held() && self.switches.load(Ordering::Relaxed) == switches {
                EVAL_BREAKER.fetch_or(breaker::GIL_DROP_REQUEST, Ordering::Relaxed);
            }
        }
        // Set under this lock, by a thread that wanted it.
        EVAL_BREAKER.fetch_and(!breaker::GIL_DROP_REQUEST, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn let_go_and_wake(&self) {
        let n_waiting = self.n_waiting.lock().unwrap();
        self.state.fetch_and(!HELD, Ordering::Release);
        let is_wanted = *n_waiting > 0;
        drop(n_waiting);
        if is_wanted {
            self.released.notify_one();
        }
    }
}
static SWITCH_INTERVAL_US: AtomicU64 = AtomicU64::new(5000);

pub fn switch_interval_us() -> u64 {
    SWITCH_INTERVAL_US.load(Ordering::Relaxed)
}
pub fn set_switch_interval_us(interval_us: u64) {
    SWITCH_INTERVAL_US.store(interval_us.max(1), Ordering::Relaxed);
}

/// From here on no thread but the calling one runs Python code: the others wait for ever where they would take the GIL.
pub fn begin_finalizing() {
    begin_finalizing_of(&INTERPRETER);
}

/// As [`begin_finalizing`], for the threads of one interpreter.
pub fn begin_finalizing_of(interpreter: &InterpreterState) {
    // SAFETY: always succeeds.
    interpreter
        .finalizer
        .store(unsafe { libc::pthread_self() }, Ordering::Relaxed);
    interpreter.finalizing.store(true, Ordering::SeqCst);
}

/// Whether the process or the state's interpreter ends, and not by the calling thread.
fn is_left_behind(state: &ThreadState) -> bool {
    let ends = |interpreter: &InterpreterState| {
        interpreter.finalizing.load(Ordering::Relaxed)
            // SAFETY: always succeeds.
            && interpreter.finalizer.load(Ordering::Relaxed) != unsafe { libc::pthread_self() }
    };
    // SAFETY: a state's interpreter is one of ours, whose record lives for ever.
    ends(&INTERPRETER) || ends(unsafe { &*state.base.interp.get().cast::<InterpreterState>() })
}

/// What a thread does that may run no Python code any more. Its stack must stay: others may refer to it.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// Takes the GIL for `state` and makes it the calling thread's.
pub fn acquire_gil(state: &ThreadState) {
    // SAFETY: a state's interpreter is one of ours, whose record lives for ever.
    let interpreter = unsafe { &*state.base.interp.get().cast::<InterpreterState>() };
    let may_end =
        INTERPRETER.finalizing.load(Ordering::Relaxed) || interpreter.finalizing.load(Ordering::Relaxed);
    if may_end || !GIL.try_step(0, HELD) {
        GIL.wait(state);
    }
    GIL.taken();
    set_current(state);
    let interpreter = state.base.interp.get().cast::<InterpreterState>();
    if interpreter != CURRENT_INTERPRETER.load(Ordering::Relaxed) {
        switch_interpreter(interpreter);
    }
}

/// Lets the GIL go. The calling thread has no current state afterwards.
pub fn release_gil() -> *const ThreadState {
    let state = set_current(std::ptr::null());
    if HOME.get().is_null() {
        HOME.set(state);
    }
    if !GIL.try_step(HELD, 0) {
        GIL.let_go_and_wake();
    }
    state
}

/// Attaches the calling native thread, whatever it is, with the state that it used last or a new one. The answer, for
/// [`release_attached`], is whether it was attached already.
pub fn ensure_attached() -> bool {
    if let Some(state) = try_thread_state() {
        let counter = &state.base.gilstate_counter;
        counter.set(counter.get() + 1);
        return true;
    }
    // SAFETY: null, or a state of this thread, which leaves its home when it ends.
    let state = match unsafe { home_state().as_ref() } {
        Some(known) => known,
        None => {
            let made = new_thread_state();
            made.base.gilstate_counter.set(0);
            init_native_thread(made);
            set_home_state(made);
            made
        }
    };
    acquire_gil(state);
    let counter = &state.base.gilstate_counter;
    counter.set(counter.get() + 1);
    false
}

/// Undoes the matching [`ensure_attached`]; a state that it made ends with its last use.
pub fn release_attached(was_attached: bool) {
    let state = thread_state();
    let counter = &state.base.gilstate_counter;
    counter.set(counter.get() - 1);
    if was_attached {
        return;
    }
    let is_last = counter.get() == 0;
    if is_last {
        // What the state owns is given back while it is still current.
        clear_state(state);
    }
    let state = release_gil();
    if is_last {
        // SAFETY: this thread made the state and nobody else uses it.
        unsafe { delete_thread_state(state) };
    }
}

/// Called when a state is cleared: drops what `threading.local` keeps for it.
pub static AT_STATE_END: OnceLock<fn(*const ThreadState)> = OnceLock::new();

/// Drops the exceptions and objects that a state owns.
pub fn clear_state(state: &ThreadState) {
    if let Some(at_end) = AT_STATE_END.get() {
        at_end(state);
    }
    state.drop_objects();
}

/// Lets another thread that asked for it have the GIL, then takes it back.
pub fn yield_gil() {
    let errno = errno_get();
    let switches = GIL.switches.load(Ordering::Relaxed);
    let state = release_gil();
    // Wait until the other thread really got it, so that the request is honoured.
    if !GIL.is_held() && GIL.switches.load(Ordering::Relaxed) == switches {
        std::thread::yield_now();
    }
    // SAFETY: the state is this thread's own.
    acquire_gil(unsafe { &*state });
    errno_set(errno);
}

/// Runs `f` without the GIL: for blocking calls and long kernels. `f` must not touch objects.
pub fn allow_threads<T>(f: impl FnOnce() -> T) -> T {
    let state = release_gil();
    let result = f();
    let errno = errno_get();
    // SAFETY: the state is this thread's own.
    acquire_gil(unsafe { &*state });
    errno_set(errno);
    result
}

fn errno_get() -> i32 {
    // SAFETY: the C library's thread-local.
    unsafe { *libc::__errno_location() }
}
fn errno_set(errno: i32) {
    // SAFETY: the C library's thread-local.
    unsafe { *libc::__errno_location() = errno }
}

/// Runs `fork` while no other thread can have hold of the locks here, so that the child finds them whole.
pub fn fork_with_locks<T>(fork: impl FnOnce() -> T) -> T {
    let threads = INTERPRETER.threads.lock().unwrap();
    let gil = GIL.n_waiting.lock().unwrap();
    let result = fork();
    drop(gil);
    drop(threads);
    result
}

/// In a forked child nobody waits for the GIL, which the calling thread holds.
pub fn reinit_gil_after_fork() {
    let mut n_waiting = GIL.n_waiting.lock().unwrap();
    GIL.state.store(HELD, Ordering::Relaxed);
    *n_waiting = 0;
    drop(n_waiting);
    EVAL_BREAKER.fetch_and(!breaker::GIL_DROP_REQUEST, Ordering::Relaxed);
}
