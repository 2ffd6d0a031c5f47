//! Frames: a header and registers, contiguous in chunks of a per-thread stack, or inside a generator object.
//!
//! Registers are `[localsplus | temporaries]` of owned pointers, null when empty. A frame is linked to the one that it
//! returns to by `previous`; `ThreadState::current_frame` is the innermost. The stack's bounds are in `PyThreadState`
//! (`datastack_*`), as in CPython.

use adder_runtime::memory;
use adder_runtime::objects::codeobject::CodeData;
use adder_runtime::prelude::*;
use adder_runtime::thread::ThreadState;
use std::mem::offset_of;
use std::ptr::NonNull;

/// Where a frame's memory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FrameOwner {
    /// The thread's frame stack.
    Thread,
    /// A generator object.
    Generator,
    /// A frame object: the frame is over, somebody kept its object.
    FrameObject,
}

/// What becomes of the value with which a frame ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FrameExit {
    /// It is the result of the native call of `eval::run`.
    Native,
    /// It goes to the register `a` of the instruction at which the caller stands.
    Register,
    /// It must be None: the result is the instance in `extra`, whose `__init__` ran.
    Init,
    /// The caller stands at FOR_ITER: a yielded value goes on, a returned one ends the loop.
    ForIter,
    /// The caller stands at SEND.
    Send,
}

/// The header of a frame: 11 words, the room that `PyGenObject::gi_iframe` has for it. What both have is where CPython's
/// `_PyInterpreterFrame` has it: greenlet walks the frames of a stack that it puts aside, and links them anew.
#[repr(C)]
pub struct Frame {
    /// Owned: a function's code can be replaced while it runs.
    pub code: *mut PyCodeObject,
    pub previous: *mut Frame,
    /// Owned.
    pub func: *mut PyFunctionObject,
    /// Borrowed from the function.
    pub globals: *mut PyDictObject,
    /// Borrowed from the function: a dict nearly always.
    pub builtins: *mut PyObject,
    /// Owned: the locals mapping of modules and class bodies; null for functions.
    pub locals: *mut PyObject,
    /// Owned: the frame object, when somebody asked for it.
    pub frame_obj: *mut PyFrameObject,
    /// The instruction at which the frame stands.
    pub pc: *const u64,
    /// The code's, where CPython has the top of the frame's stack.
    pub data: *const CodeData,
    pub owner: FrameOwner,
    pub exit: FrameExit,
    /// The owner as CPython counts them. A generator's frame is never taken for one that has not begun, whatever `pc` is.
    pub c_owner: u8,
    /// The line of the last `line` event; -1 before the first.
    pub traced_line: i32,
    /// Owned: the instance whose `__init__` this is; else null.
    pub extra: *mut PyObject,
}

pub const HEADER_WORDS: usize = size_of::<Frame>() / 8;
const _: () = assert!(HEADER_WORDS == 11);
const _: () = assert!(offset_of!(Frame, previous) == 8 && offset_of!(Frame, frame_obj) == 48);
const _: () = assert!(offset_of!(Frame, pc) == 56 && offset_of!(Frame, c_owner) == 74);
/// CPython's `FRAME_OWNED_BY_GENERATOR`.
pub const C_OWNER: u8 = 1;

/// Words in an ordinary chunk of the frame stack.
const CHUNK_WORDS: usize = 16 * 1024;

impl Frame {
    #[inline(always)]
    pub fn registers(this: *mut Frame) -> *mut *mut PyObject {
        // The registers follow the header.
        this.cast::<*mut PyObject>().wrapping_add(HEADER_WORDS)
    }
    /// The word index at which the frame stands.
    #[inline]
    pub fn index(&self) -> i32 {
        // SAFETY: a frame's data lives as long as its code.
        let base = unsafe { (*self.data).words.as_ptr() };
        ((self.pc as usize).wrapping_sub(base as usize) / 8) as i32
    }
    #[inline]
    pub fn code(&self) -> &PyCodeObject {
        // SAFETY: owned by the frame.
        unsafe { &*self.code }
    }
    #[inline]
    pub fn func(&self) -> &PyFunctionObject {
        // SAFETY: owned by the frame.
        unsafe { &*self.func }
    }
    pub fn globals(&self) -> &PyDictObject {
        // SAFETY: the function's, which the frame owns.
        unsafe { &*self.globals }
    }
    /// The line at which the frame stands.
    pub fn line(&self) -> Option<i32> {
        self.code().line_at(self.index())
    }
    pub fn n_registers(&self) -> usize {
        // SAFETY: a frame's data lives as long as its code.
        unsafe { (*self.data).n_registers as usize }
    }
    pub fn n_localsplus(&self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.data).n_localsplus as usize }
    }
    /// The function's first instruction has not run: arguments are bound, nothing else.
    pub fn is_incomplete(&self) -> bool {
        self.owner == FrameOwner::Thread && self.index() < self.code()._co_firsttraceable.get()
    }
    /// The value of a `localsplus` entry, cells looked into; `None` when unbound.
    pub fn local_value(this: *mut Frame, index: usize) -> Option<Ref> {
        // SAFETY: the index is below n_localsplus; registers hold live objects.
        unsafe {
            let value = *Frame::registers(this).add(index);
            let kind = (&(*(*this).data).kinds)[index];
            if value.is_null() {
                return None;
            }
            if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0
                && let Some(cell) = (*value).downcast_exact::<PyCellObject>()
            {
                return Ref::from_borrowed_opt(cell.ob_ref.get());
            }
            Some(Ref::from_borrowed(value))
        }
    }
}

/// How many references the innermost frame's temporaries hold to an object that one of its locals holds too. CPython's
/// interpreter lends such an object to a call without counting it, and C code that asks for counts expects that.
pub fn lent_references(object: &PyObject) -> usize {
    let Some(state) = adder_runtime::thread::try_thread_state() else {
        return 0;
    };
    let frame = current_frame(state);
    if frame.is_null() {
        return 0;
    }
    // SAFETY: the innermost frame is alive and its registers hold live objects or null.
    let (n_locals, registers) = unsafe {
        let registers = std::slice::from_raw_parts(Frame::registers(frame), (*frame).n_registers());
        ((*frame).n_localsplus(), registers)
    };
    let count =
        |registers: &[*mut PyObject]| registers.iter().filter(|held| **held == object.as_ptr()).count();
    if count(&registers[..n_locals]) == 0 {
        return 0;
    }
    count(&registers[n_locals..])
}

pub use adder_runtime::objects::codeobject::{CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN, CO_FAST_LOCAL};

/// The innermost frame of a thread.
#[inline(always)]
pub fn current_frame(ts: &ThreadState) -> *mut Frame {
    ts.base.current_frame.get().cast()
}

/// The frames from one outwards, without those whose function has not begun.
///
/// # Safety
/// The frame is null or alive, with those that it returns to, for as long as the iterator is used.
pub unsafe fn call_stack(innermost: *mut Frame) -> impl Iterator<Item = *mut Frame> {
    // SAFETY: the caller's contract.
    std::iter::successors(NonNull::new(innermost), |frame| unsafe {
        NonNull::new(frame.as_ref().previous)
    })
    .filter(|frame| unsafe { !frame.as_ref().code.is_null() && !frame.as_ref().is_incomplete() })
    .map(NonNull::as_ptr)
}

/// Room for `n_words` on the frame stack; null when memory is out.
#[inline(always)]
fn reserve(ts: &ThreadState, n_words: usize) -> *mut u64 {
    let top = ts.base.datastack_top.get().cast::<u64>();
    let limit = ts.base.datastack_limit.get() as usize;
    let new_top = top.wrapping_add(n_words);
    if new_top as usize > limit || top.is_null() {
        return reserve_in_new_chunk(ts, n_words);
    }
    ts.base.datastack_top.set(new_top.cast());
    top
}

#[cold]
#[inline(never)]
fn reserve_in_new_chunk(ts: &ThreadState, n_words: usize) -> *mut u64 {
    let words = CHUNK_WORDS.max(2 * n_words);
    let header = size_of::<_PyStackChunk>() / 8;
    // SAFETY: the chunk has its header and the words; the fields are plain numbers and pointers.
    unsafe {
        let chunk = memory::raw_malloc((header + words) * 8).cast::<_PyStackChunk>();
        if chunk.is_null() {
            return std::ptr::null_mut();
        }
        let previous = ts.base.datastack_chunk.get();
        if !previous.is_null() {
            (*previous).top.set(ts.base.datastack_top.get() as usize);
        }
        (*chunk).previous.set(previous);
        (*chunk).size.set((header + words) * 8);
        let start = chunk.cast::<u64>().add(header);
        ts.base.datastack_chunk.set(chunk);
        ts.base.datastack_limit.set(start.add(words).cast());
        ts.base.datastack_top.set(start.add(n_words).cast());
        start
    }
}

/// Gives the room of the innermost frame back.
#[inline(always)]
fn release(ts: &ThreadState, frame: *mut Frame) {
    let chunk = ts.base.datastack_chunk.get();
    let header = size_of::<_PyStackChunk>() / 8;
    let start = chunk.cast::<u64>().wrapping_add(header);
    if frame.cast::<u64>() == start {
        return release_chunk(ts, chunk);
    }
    ts.base.datastack_top.set(frame.cast());
}

#[cold]
#[inline(never)]
fn release_chunk(ts: &ThreadState, chunk: *mut _PyStackChunk) {
    let header = size_of::<_PyStackChunk>() / 8;
    // SAFETY: the innermost chunk, whose only frame ends; the one before kept its top.
    unsafe {
        let previous = (*chunk).previous.get();
        if previous.is_null() {
            ts.base.datastack_top.set(chunk.cast::<u64>().add(header).cast());
            return;
        }
        ts.base.datastack_chunk.set(previous);
        ts.base.datastack_top.set((*previous).top.get() as *mut _);
        let limit = previous.byte_add((*previous).size.get());
        ts.base.datastack_limit.set(limit.cast());
        memory::raw_free(chunk.cast());
    }
}

#[cold]
#[inline(never)]
pub fn recursion_error() -> Raised {
    let ts = adder_runtime::thread::thread_state();
    let remaining = ts.base.py_recursion_remaining.get();
    // Making the exception must not fail for the same reason.
    ts.base.py_recursion_remaining.set(remaining + 50);
    let raised = raise!(RecursionError, "maximum recursion depth exceeded");
    ts.base.py_recursion_remaining.set(remaining);
    raised
}

/// Counts a Python call; RecursionError beyond `sys.getrecursionlimit()`.
#[inline(always)]
pub fn enter_call(ts: &ThreadState) -> PyResult<()> {
    let remaining = ts.base.py_recursion_remaining.get();
    if remaining <= 0 {
        return Err(recursion_error());
    }
    ts.base.py_recursion_remaining.set(remaining - 1);
    Ok(())
}

#[inline(always)]
pub fn leave_call(ts: &ThreadState) {
    let remaining = &ts.base.py_recursion_remaining;
    remaining.set(remaining.get().wrapping_add(1));
}

/// A new frame for `func` (whose count moves into it) with empty registers. It is not linked yet.
///
/// # Safety
/// `func` is an owned, live function.
#[inline(always)]
pub unsafe fn push_frame(
    ts: &ThreadState,
    func: *mut PyFunctionObject,
    locals: *mut PyObject,
    n_filled: usize,
) -> PyResult<*mut Frame> {
    if let Err(raised) = enter_call(ts) {
        // SAFETY: the counts were given to us.
        unsafe {
            memory::decref(func.cast());
            memory::xdecref(locals);
        }
        return Err(raised);
    }
    // SAFETY: the caller's contract; the reserved room holds header and registers.
    unsafe {
        let code = (*func).func_code.get().cast::<PyCodeObject>();
        let data = (*code).adder_code.get().cast::<CodeData>();
        let n_registers = (*data).n_registers as usize;
        let frame = reserve(ts, HEADER_WORDS + n_registers).cast::<Frame>();
        if frame.is_null() {
            leave_call(ts);
            memory::decref(func.cast());
            memory::xdecref(locals);
            return Err(memory::no_memory());
        }
        (*code.cast::<PyObject>()).incref();
        (&raw mut *frame).write(Frame {
            previous: std::ptr::null_mut(),
            func,
            code,
            data,
            globals: (*func).func_globals.get().cast(),
            builtins: (*func).func_builtins.get(),
            locals,
            pc: (*data).words.as_ptr().cast(),
            frame_obj: std::ptr::null_mut(),
            owner: FrameOwner::Thread,
            exit: FrameExit::Native,
            c_owner: C_OWNER,
            traced_line: -1,
            extra: std::ptr::null_mut(),
        });
        let registers = Frame::registers(frame);
        for index in n_filled..n_registers {
            *registers.add(index) = std::ptr::null_mut();
        }
        Ok(frame)
    }
}

/// Drops everything that a frame owns, but not its memory. A frame object that others hold takes the values over.
///
/// # Safety
/// The frame is over: nobody runs it.
#[inline(always)]
pub unsafe fn clear_frame(frame: *mut Frame) {
    // SAFETY: the fields are owned and not used afterwards.
    unsafe {
        clear_frame_but_code(frame);
        memory::decref((*frame).code.cast());
    }
}

/// As `clear_frame`; the code stays owned by the frame.
///
/// # Safety
/// As `clear_frame`.
#[inline(always)]
pub unsafe fn clear_frame_but_code(frame: *mut Frame) {
    // SAFETY: the fields are owned and not used afterwards.
    unsafe {
        if !(*frame).frame_obj.is_null() && crate::frameobject::take_over(frame) {
            return;
        }
        let registers = Frame::registers(frame);
        // From the top down, as a stack is emptied.
        for index in (0..(*(*frame).data).n_registers as usize).rev() {
            let value = *registers.add(index);
            if !value.is_null() {
                *registers.add(index) = std::ptr::null_mut();
                memory::decref(value);
            }
        }
        if !(*frame).locals.is_null() {
            memory::decref(std::mem::replace(&mut (*frame).locals, std::ptr::null_mut()));
        }
        if !(*frame).extra.is_null() {
            memory::decref(std::mem::replace(&mut (*frame).extra, std::ptr::null_mut()));
        }
        memory::decref((*frame).func.cast());
    }
}

/// Ends a frame of the thread's stack: its values are dropped and its room is given back.
///
/// # Safety
/// `frame` is the innermost frame on the stack and already unlinked.
#[inline(always)]
pub unsafe fn pop_frame(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the caller's contract.
    unsafe { clear_frame(frame) };
    release(ts, frame);
    leave_call(ts);
}

/// Gives the room of a frame back whose contents have moved elsewhere.
pub fn release_moved_frame(ts: &ThreadState, frame: *mut Frame) {
    release(ts, frame);
    leave_call(ts);
}
