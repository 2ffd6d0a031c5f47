//! `_queue`: an unbounded FIFO queue whose `put` may be called from destructors and signal handlers.

use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

static EMPTY: ExceptionClass = ExceptionClass::new("_queue.Empty", || exc::Exception);

/// How long a wait goes on before signal handlers get a chance.
const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(50);

#[repr(C)]
pub struct SimpleQueue {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    items: RefCell<VecDeque<Ref>>,
    /// How many items were ever put: waiters look for a change.
    n_put: Mutex<u64>,
    put: Condvar,
}

impl SimpleQueue {
    fn n_put(&self) -> u64 {
        *self.n_put.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits, without the GIL, until something was put after `seen`.
    fn wait(&self, seen: u64, deadline: Option<Instant>) {
        adder_runtime::thread::allow_threads(|| {
            let until = Instant::now() + SIGNAL_CHECK_INTERVAL;
            let until = deadline.map_or(until, |deadline| deadline.min(until));
            let mut n_put = self.n_put.lock().unwrap_or_else(PoisonError::into_inner);
            while *n_put == seen {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                n_put = self.put.wait_timeout(n_put, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
    }
    fn take(&self, block: bool, timeout: Option<&PyObject>) -> PyResult {
        let deadline = match timeout {
            Some(timeout) if block => {
                let seconds = timeout.to_f64()?;
                if seconds.is_nan() {
                    return Err(raise!(ValueError, "Invalid value NaN (not a number)"));
                }
                if seconds < 0.0 {
                    return Err(raise!(ValueError, "'timeout' must be a non-negative number"));
                }
                if seconds > crate::thread::lock::TIMEOUT_MAX_S {
                    return Err(raise!(OverflowError, "timeout value is too large"));
                }
                Some(Instant::now() + Duration::from_secs_f64(seconds))
            }
            _ => None,
        };
        loop {
            let seen = self.n_put();
            let item = self.items.borrow_mut().pop_front();
            if let Some(item) = item {
                return Ok(item);
            }
            if !block || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let class = EMPTY.get()?;
                return Err(adder_runtime::error::set_object(&class, None));
            }
            self.wait(seen, deadline);
            adder_runtime::hooks::run_pending_signals()?;
        }
    }
}

#[pytype(
    name = "_queue.SimpleQueue",
    static_name = SIMPLE_QUEUE_TYPE,
    flags = BASETYPE | HAVE_GC,
    weaklistoffset = std::mem::offset_of!(SimpleQueue, weakreflist) as isize,
)]
/// Simple, unbounded, reentrant FIFO queue.
impl SimpleQueue {
    #[new("()")]
    fn new(cls: &PyTypeObject) -> PyResult<Ref<SimpleQueue>> {
        Ref::new_in(
            cls,
            SimpleQueue {
                ob_base: blank_header(),
                weakreflist: Cell::new(std::ptr::null_mut()),
                items: RefCell::new(VecDeque::new()),
                n_put: Mutex::new(0),
                put: Condvar::new(),
            },
        )
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let Ok(items) = self.items.try_borrow() else { return 0 };
        for item in items.iter() {
            let status = visitor.visit(item.as_raw());
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        drop(self.items.take());
    }
    /// Return True if the queue is empty, False otherwise (not reliable!).
    #[method("($self, /)")]
    fn empty(&self) -> bool {
        self.items.borrow().is_empty()
    }
    /// Return the approximate size of the queue (not reliable!).
    #[method("($self, /)")]
    fn qsize(&self) -> usize {
        self.items.borrow().len()
    }
    /// Put the item on the queue. It never blocks.
    #[method("($self, /, item, block=True, timeout=None)")]
    fn put(&self, item: &PyObject, _block: Option<&PyObject>, _timeout: Option<&PyObject>) {
        self.items.borrow_mut().push_back(item.to_ref());
        *self.n_put.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.put.notify_one();
    }
    /// Put an item into the queue without blocking.
    #[method("($self, /, item)")]
    fn put_nowait(&self, item: &PyObject) {
        self.put(item, None, None);
    }
    /// Remove and return an item from the queue.
    #[method("($self, /, block=True, timeout=None)")]
    fn get(&self, block: bool, timeout: Option<&PyObject>) -> PyResult {
        self.take(block, timeout)
    }
    /// Remove and return an item from the queue without blocking.
    #[method("($self, /)")]
    fn get_nowait(&self) -> PyResult {
        self.take(false, None)
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
}

/// C implementation of the Python queue module.
#[pymodule(name = "_queue", types = [SIMPLE_QUEUE_TYPE])]
pub mod _queue {
    pub use super::SIMPLE_QUEUE_TYPE;
    use super::*;

    #[pyconst]
    fn Empty() -> PyResult {
        EMPTY.get()
    }
}
