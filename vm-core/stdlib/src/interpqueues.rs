//! `_interpqueues`: queues that all interpreters see. Objects come in as `crossinterp::Item`s and go out as new objects.
//!
//! A queue lives while it is bound: by `bind`, or by an item somewhere that is the queue itself. What an interpreter put into a
//! queue is unbound when that interpreter ends; what becomes of it was said when it was put.

use crate::crossinterp::{Fallback, Item, Unbound, id_of, share};
use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::hooks::import_module;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use adder_runtime::thread;
use std::cell::RefCell;
use std::collections::VecDeque;

static QUEUE_ERROR: ExceptionClass =
    ExceptionClass::new("concurrent.interpreters.QueueError", || exc::RuntimeError);
static QUEUE_NOT_FOUND: ExceptionClass =
    ExceptionClass::new("concurrent.interpreters.QueueNotFoundError", || {
        QUEUE_ERROR.ty().unwrap_or(exc::RuntimeError)
    });

/// What a queue is seen as in an interpreter, and its errors: classes of `concurrent.interpreters`.
static QUEUE_CLASS: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));
static EMPTY_CLASS: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));
static FULL_CLASS: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));

struct Waiting {
    /// Nothing when the interpreter that put it has ended.
    item: Option<Item>,
    /// The id of that interpreter.
    interpreter: i64,
    unbound: Unbound,
}

struct Queue {
    id: i64,
    /// At most so many items; no limit when it is not positive.
    max_size: i64,
    unbound: Unbound,
    fallback: Fallback,
    items: VecDeque<Waiting>,
    n_bindings: usize,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.max_size > 0 && self.items.len() as i64 >= self.max_size
    }
}

#[derive(Default)]
struct Queues {
    /// Oldest first.
    all: Vec<Queue>,
    n_made: i64,
}

struct Shared(RefCell<Queues>);
// SAFETY: used only under the GIL. Items are dropped when nothing is borrowed.
unsafe impl Sync for Shared {}
static QUEUES: Shared = Shared(RefCell::new(Queues {
    all: Vec::new(),
    n_made: 0,
}));

fn with_queue<T>(id: i64, f: impl FnOnce(&mut Queue) -> T) -> PyResult<T> {
    let mut queues = QUEUES.0.borrow_mut();
    match queues.all.iter_mut().find(|queue| queue.id == id) {
        Some(queue) => Ok(f(queue)),
        None => {
            drop(queues);
            Err(QUEUE_NOT_FOUND.raise(format!("queue {id} not found")))
        }
    }
}

fn remove(id: i64) -> PyResult<()> {
    let removed = {
        let mut queues = QUEUES.0.borrow_mut();
        let at = queues.all.iter().position(|queue| queue.id == id);
        at.map(|at| queues.all.remove(at))
    };
    match removed {
        Some(queue) => {
            drop(queue);
            Ok(())
        }
        None => Err(QUEUE_NOT_FOUND.raise(format!("queue {id} not found"))),
    }
}

/// Undoes a binding; the last takes the queue with it.
fn unbind(id: i64) -> PyResult<()> {
    let left = with_queue(id, |queue| {
        let left = queue.n_bindings.checked_sub(1);
        queue.n_bindings = left.unwrap_or(0);
        left
    })?;
    match left {
        None => Err(QUEUE_ERROR.raise(format!("queue {id} never bound"))),
        Some(0) => remove(id),
        Some(_) => Ok(()),
    }
}

/// A queue on its way to another interpreter, bound until it is there.
pub struct Binding(i64);

impl Drop for Binding {
    fn drop(&mut self) {
        let id = self.0;
        adder_runtime::error::preserving_exception(|| {
            if let Err(raised) = unbind(id) {
                raised.clear();
            }
        });
    }
}

/// The data of a queue; nothing for what is none.
pub fn shared(object: &PyObject) -> PyResult<Option<Item>> {
    let is_queue = QUEUE_CLASS
        .here()
        .borrow()
        .is_some_and(|class| class.is(object.ty().as_object()));
    if !is_queue {
        return Ok(None);
    }
    let id = id_of("queue", &*object.get_attr(identifier!("_id"))?)?;
    with_queue(id, |queue| queue.n_bindings += 1)?;
    Ok(Some(Item::Queue(Binding(id))))
}

/// A class of the high-level module, which is imported when it was not.
fn class_of(cell: &'static PerInterpreter<ObjectCell>) -> PyResult {
    if let Some(class) = cell.here().get() {
        return Ok(class);
    }
    import_module("concurrent.interpreters._queues")?;
    cell.here()
        .get()
        .ok_or_else(|| raise!(RuntimeError, "the classes of queues are not registered"))
}

/// The queue as the current interpreter sees it.
pub fn receive(binding: &Binding) -> PyResult {
    class_of(&QUEUE_CLASS)?.call1(PyLongObject::from_i64(binding.0).as_object())
}

#[cold]
fn class_error(cell: &'static PerInterpreter<ObjectCell>, message: String) -> Raised {
    match class_of(cell) {
        Ok(class) => {
            let message = PyUnicodeObject::from_string(message);
            adder_runtime::error::set_object(&class, Some(message.as_object()))
        }
        Err(raised) => raised,
    }
}

/// Unbinds what an interpreter that has ended put into queues.
pub fn forget_interpreter(interpreter: i64) {
    let mut dropped = Vec::new();
    for queue in &mut QUEUES.0.borrow_mut().all {
        for waiting in &mut queue.items {
            if waiting.interpreter == interpreter {
                dropped.extend(waiting.item.take());
            }
        }
        queue
            .items
            .retain(|waiting| waiting.item.is_some() || waiting.unbound != Unbound::Remove);
    }
    drop(dropped);
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpqueues")]
pub mod _interpqueues {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        crate::interpchannels::watch_interpreters();
        module.add("QueueError", QUEUE_ERROR.get()?)?;
        module.add("QueueNotFoundError", QUEUE_NOT_FOUND.get()?)
    }

    /// create(maxsize, unboundop=-1, fallback=-1) -> qid
    ///
    /// Makes a queue, which nobody has bound yet.
    #[pyfunction("($module, /, maxsize, unboundop=-1, fallback=-1)")]
    fn create(maxsize: i64, unboundop: i64, fallback: i64) -> PyResult<i64> {
        let unbound = Unbound::parse(unboundop, Unbound::Replace)?;
        let fallback = Fallback::parse(fallback, Fallback::Full)?;
        let mut queues = QUEUES.0.borrow_mut();
        queues.n_made += 1;
        let id = queues.n_made;
        queues.all.push(Queue {
            id,
            max_size: maxsize,
            unbound,
            fallback,
            items: VecDeque::new(),
            n_bindings: 0,
        });
        Ok(id)
    }
    /// destroy(qid)
    ///
    /// Drops a queue with what is in it.
    #[pyfunction("($module, /, qid)")]
    fn destroy(qid: &PyObject) -> PyResult<()> {
        remove(id_of("queue", qid)?)
    }
    /// list_all() -> [(qid, unboundop, fallback)]
    ///
    /// All queues, newest first.
    #[pyfunction("($module, /)")]
    fn list_all() -> Ref {
        let rows = QUEUES
            .0
            .borrow()
            .all
            .iter()
            .rev()
            .map(|queue| [queue.id, queue.unbound as i64, queue.fallback as i64])
            .collect::<Vec<_>>();
        let rows = rows.into_iter().map(|row| {
            let row = row.map(|number| PyLongObject::from_i64(number).into_object());
            PyTupleObject::from_vec(row.into()).into_object()
        });
        PyListObject::from_vec(rows.collect()).into_object()
    }
    /// put(qid, obj, unboundop=-1)
    ///
    /// Adds an object at a queue's end.
    #[pyfunction("($module, /, qid, obj, unboundop=-1)")]
    fn put(qid: &PyObject, obj: &PyObject, unboundop: i64) -> PyResult<()> {
        let id = id_of("queue", qid)?;
        let (default, fallback) = with_queue(id, |queue| (queue.unbound, queue.fallback))?;
        let unbound = Unbound::parse(unboundop, default)?;
        let item = share(obj, fallback)?;
        let waiting = Waiting {
            item: Some(item),
            interpreter: thread::interpreter().id,
            unbound,
        };
        // Sharing may have run anything: whether there is room is asked now.
        let kept = with_queue(id, |queue| match queue.is_full() {
            true => Some(waiting),
            false => {
                queue.items.push_back(waiting);
                None
            }
        })?;
        match kept {
            None => Ok(()),
            Some(waiting) => {
                drop(waiting);
                Err(class_error(&FULL_CLASS, format!("queue {id} is full")))
            }
        }
    }
    /// get(qid) -> (obj, unboundop)
    ///
    /// A new object of what is at a queue's front. `obj` is None and `unboundop` is a number when that is unbound.
    #[pyfunction("($module, /, qid)")]
    fn get(qid: &PyObject) -> PyResult {
        let id = id_of("queue", qid)?;
        let Some(waiting) = with_queue(id, |queue| queue.items.pop_front())? else {
            return Err(class_error(&EMPTY_CLASS, format!("queue {id} is empty")));
        };
        received(waiting.item.as_ref(), waiting.unbound)
    }
    /// bind(qid)
    ///
    /// Keeps a queue alive until it is released.
    #[pyfunction("($module, /, qid)")]
    fn bind(qid: &PyObject) -> PyResult<()> {
        with_queue(id_of("queue", qid)?, |queue| queue.n_bindings += 1)
    }
    /// release(qid)
    ///
    /// Undoes `bind`; the queue goes with the last binding.
    #[pyfunction("($module, /, qid)")]
    fn release(qid: &PyObject) -> PyResult<()> {
        unbind(id_of("queue", qid)?)
    }
    /// get_maxsize(qid)
    #[pyfunction("($module, /, qid)")]
    fn get_maxsize(qid: &PyObject) -> PyResult<i64> {
        with_queue(id_of("queue", qid)?, |queue| queue.max_size)
    }
    /// get_queue_defaults(qid) -> (unboundop, fallback)
    #[pyfunction("($module, /, qid)")]
    fn get_queue_defaults(qid: &PyObject) -> PyResult<(i64, i64)> {
        with_queue(id_of("queue", qid)?, |queue| {
            (queue.unbound as i64, queue.fallback as i64)
        })
    }
    /// is_full(qid)
    #[pyfunction("($module, /, qid)")]
    fn is_full(qid: &PyObject) -> PyResult<bool> {
        with_queue(id_of("queue", qid)?, |queue| queue.is_full())
    }
    /// get_count(qid)
    #[pyfunction("($module, /, qid)")]
    fn get_count(qid: &PyObject) -> PyResult<usize> {
        with_queue(id_of("queue", qid)?, |queue| queue.items.len())
    }
    /// Registers what this interpreter sees queues as, and the errors of an empty and of a full one.
    #[pyfunction("($module, queuetype, emptyerror, fullerror, /)")]
    fn _register_heap_types(
        queuetype: &PyObject,
        emptyerror: &PyObject,
        fullerror: &PyObject,
    ) -> PyResult<()> {
        let rows = [
            ("queuetype", queuetype, &QUEUE_CLASS),
            ("emptyerror", emptyerror, &EMPTY_CLASS),
            ("fullerror", fullerror, &FULL_CLASS),
        ];
        for (name, class, _) in rows {
            if class.downcast::<PyTypeObject>().is_none() {
                return Err(raise!(TypeError, "expected a type for '{name}'"));
            }
        }
        for (_, class, cell) in rows {
            cell.here().set(Some(class.to_ref()));
        }
        Ok(())
    }
}

/// `(obj, None)`, or `(None, unboundop)` for what is not there any more.
pub fn received(item: Option<&Item>, unbound: Unbound) -> PyResult {
    let pair = match item {
        Some(item) => vec![item.receive()?, none_ref()],
        None => vec![none_ref(), PyLongObject::from_i64(unbound as i64).into_object()],
    };
    Ok(PyTupleObject::from_vec(pair).into_object())
}
