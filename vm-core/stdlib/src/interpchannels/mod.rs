//! `_interpchannels`: channels between interpreters, with an end to send to and one to receive from.

pub mod identity;
pub mod state;

use crate::crossinterp::{Fallback, Item, Unbound, share, share_buffer};
use crate::thread::lock::{Wait, parse_wait};
use adder_interp::interpreters;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use adder_runtime::thread;
use identity::{ChannelEnd, channel_id};
use state::{Problem, Receipt, Sent};
use std::sync::Arc;
use std::sync::atomic::Ordering;

crate::module_parts::struct_sequences! {
    channel_info = "_interpchannels.ChannelInfo", "A named tuple of a channel's state.", 8: [
        ("open", "both ends are open"), ("closing", "send is closed, recv is non-empty"), ("closed", "both ends are closed"),
        ("count", "queued objects"), ("num_interp_send", "interpreters bound to the send end"),
        ("num_interp_send_released", "interpreters bound to the send end and released"),
        ("num_interp_recv", "interpreters bound to the recv end"),
        ("num_interp_recv_released", "interpreters bound to the recv end and released"),
        ("num_interp_both", "interpreters bound to both ends"),
        ("num_interp_both_recv_released", "interpreters bound to both ends and released_from_the recv end"),
        ("num_interp_both_send_released", "interpreters bound to both ends and released_from_the send end"),
        ("num_interp_both_released", "interpreters bound to both ends and released_from_both"),
    ];
}

/// Has interpreters that end unbind what they put into channels and queues.
pub fn watch_interpreters() {
    interpreters::AFTER_END.get_or_init(|| {
        |interpreter| {
            state::forget_interpreter(interpreter);
            crate::interpqueues::forget_interpreter(interpreter);
        }
    });
}

fn here() -> i64 {
    thread::interpreter().id
}

/// Adds an item to a channel; when that is to block, waits until it is received.
fn send_item(
    id: i64,
    item: Item,
    unbound: Unbound,
    blocking: Option<bool>,
    timeout: Option<f64>,
) -> PyResult<()> {
    let deadline = match parse_wait(blocking, timeout)? {
        Wait::Never => {
            let sent = Sent {
                item: Some(item),
                interpreter: here(),
                unbound,
                receipt: None,
            };
            return state::send(id, sent).map_err(|problem| problem.raise(id));
        }
        Wait::Until(deadline) => deadline,
    };
    let receipt = Arc::new(Receipt::default());
    receipt.decided.try_acquire();
    let sent = Sent {
        item: Some(item),
        interpreter: here(),
        unbound,
        receipt: Some(receipt.clone()),
    };
    state::send(id, sent).map_err(|problem| problem.raise(id))?;
    let decided = receipt.decided.acquire(deadline);
    if !matches!(decided, Ok(true)) {
        state::take_back(id, &receipt);
    }
    if !decided? {
        return Err(raise!(TimeoutError, "timed out"));
    }
    match receipt.is_received.load(Ordering::Acquire) {
        true => Ok(()),
        false => Err(Problem::Closed.raise(id)),
    }
}

/// What both ways of sending have in common: the id, what becomes of the item, how the object is shared.
fn prepare(
    cid: &PyObject,
    unboundop: i64,
    blocking: Option<bool>,
    timeout: Option<f64>,
) -> PyResult<(i64, Unbound, Fallback)> {
    let id = channel_id(cid)?;
    if timeout.is_some_and(|timeout| timeout < 0.0) && blocking.unwrap_or(true) {
        return Err(raise!(ValueError, "timeout value must be a non-negative number"));
    }
    parse_wait(blocking, timeout)?;
    let (default, fallback) = state::defaults(id).map_err(|problem| problem.raise(id))?;
    let unbound = Unbound::parse(unboundop, default)?;
    state::check_sending(id).map_err(|problem| problem.raise(id))?;
    Ok((id, unbound, fallback))
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpchannels", types = [identity::CHANNEL_ID_TYPE])]
pub mod _interpchannels {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        watch_interpreters();
        for (name, class) in [
            ("ChannelError", &state::CHANNEL_ERROR),
            ("ChannelNotFoundError", &state::CHANNEL_NOT_FOUND),
            ("ChannelClosedError", &state::CHANNEL_CLOSED),
            ("ChannelEmptyError", &state::CHANNEL_EMPTY),
            ("ChannelNotEmptyError", &state::CHANNEL_NOT_EMPTY),
        ] {
            module.add(name, class.get()?)?;
        }
        crate::module_parts::add_ready_type(module, channel_info()?)
    }

    /// create(unboundop=-1, fallback=-1) -> cid
    ///
    /// Makes a channel, which lives as long as there are ids of it.
    #[pyfunction("($module, /, unboundop=-1, fallback=-1)")]
    fn create(unboundop: i64, fallback: i64) -> PyResult {
        let unbound = Unbound::parse(unboundop, Unbound::Replace)?;
        let fallback = Fallback::parse(fallback, Fallback::Full)?;
        let id = state::create(unbound, fallback);
        identity::new(id, ChannelEnd::Both, false, false).map(Ref::into_object)
    }
    /// destroy(cid)
    ///
    /// Closes a channel and forgets it.
    #[pyfunction("($module, /, cid)")]
    fn destroy(cid: &PyObject) -> PyResult<()> {
        let id = channel_id(cid)?;
        state::destroy(id).map_err(|problem| problem.raise(id))
    }
    /// list_all() -> [(cid, unboundop, fallback)]
    #[pyfunction("($module, /)")]
    fn list_all() -> PyResult {
        let rows = state::list().into_iter().map(|(id, unbound, fallback)| {
            let id = identity::new(id, ChannelEnd::Both, false, false)?.into_object();
            let numbers =
                [unbound as i64, fallback as i64].map(|number| PyLongObject::from_i64(number).into_object());
            let [unbound, fallback] = numbers;
            Ok(PyTupleObject::from_vec(vec![id, unbound, fallback]).into_object())
        });
        Ok(PyListObject::from_vec(rows.collect::<PyResult<Vec<Ref>>>()?).into_object())
    }
    /// list_interpreters(cid, *, send) -> [id]
    ///
    /// The interpreters at an end.
    #[pyfunction("($module, /, cid, *, send)")]
    fn list_interpreters(cid: &PyObject, send: bool) -> PyResult {
        let id = channel_id(cid)?;
        let mut all: Vec<i64> = interpreters::others()
            .iter()
            .map(|interpreter| interpreter.id)
            .collect();
        all.push(0);
        let mut found = Vec::new();
        for interpreter in all {
            if state::is_associated(id, interpreter, send).map_err(|problem| problem.raise(id))? {
                found.push(PyLongObject::from_i64(interpreter).into_object());
            }
        }
        Ok(PyListObject::from_vec(found).into_object())
    }
    /// send(cid, obj, unboundop=-1, *, blocking=True, timeout=None)
    ///
    /// Adds an object to a channel; waits until it is received, unless it is not to block.
    #[pyfunction("($module, /, cid, obj, unboundop=-1, *, blocking=True, timeout=None)")]
    fn send(
        cid: &PyObject,
        obj: &PyObject,
        unboundop: i64,
        blocking: Option<bool>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let (id, unbound, fallback) = prepare(cid, unboundop, blocking, timeout)?;
        send_item(id, share(obj, fallback)?, unbound, blocking, timeout)
    }
    /// send_buffer(cid, obj, unboundop=-1, *, blocking=True, timeout=None)
    ///
    /// As `send`, of the object's memory, which is received as a memoryview.
    #[pyfunction("($module, /, cid, obj, unboundop=-1, *, blocking=True, timeout=None)")]
    fn send_buffer(
        cid: &PyObject,
        obj: &PyObject,
        unboundop: i64,
        blocking: Option<bool>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let (id, unbound, _) = prepare(cid, unboundop, blocking, timeout)?;
        let view = PyMemoryViewObject::from_object(obj)?;
        send_item(id, share_buffer(view.as_object())?, unbound, blocking, timeout)
    }
    /// recv(cid, [default]) -> (obj, unboundop)
    ///
    /// A new object of what was sent first, or the default when the channel is empty.
    #[pyfunction("($module, /, cid, default=<unrepresentable>)")]
    fn recv(cid: &PyObject, default: Option<&PyObject>) -> PyResult {
        let id = channel_id(cid)?;
        match (state::receive(id, here()), default) {
            (Ok((item, unbound)), _) => crate::interpqueues::received(item.as_ref(), unbound),
            (Err(Problem::Empty), Some(default)) => {
                Ok(PyTupleObject::from_vec(vec![default.to_ref(), none_ref()]).into_object())
            }
            (Err(problem), _) => Err(problem.raise(id)),
        }
    }
    /// close(cid, *, send=None, recv=None, force=False)
    ///
    /// Closes a channel for all interpreters; one with items only by force, or at its sending end.
    #[pyfunction("($module, /, cid, *, send=False, recv=False, force=False)")]
    fn close(cid: &PyObject, send: bool, recv: bool, force: bool) -> PyResult<()> {
        let id = channel_id(cid)?;
        state::close(id, send && !recv, force).map_err(|problem| problem.raise(id))
    }
    /// release(cid, *, send=None, recv=None, force=False)
    ///
    /// Closes a channel's ends for the current interpreter.
    #[pyfunction("($module, /, cid, *, send=False, recv=False, force=False)")]
    fn release(cid: &PyObject, send: bool, recv: bool, force: bool) -> PyResult<()> {
        let _ = force;
        let id = channel_id(cid)?;
        let both = !send && !recv;
        state::release(id, here(), send || both, recv || both).map_err(|problem| problem.raise(id))
    }
    /// get_count(cid)
    ///
    /// How many items are in a channel.
    #[pyfunction("($module, /, cid)")]
    fn get_count(cid: &PyObject) -> PyResult<usize> {
        let id = channel_id(cid)?;
        state::count(id).map_err(|problem| problem.raise(id))
    }
    /// get_info(cid)
    ///
    /// The state of a channel.
    #[pyfunction("($module, /, cid)")]
    fn get_info(cid: &PyObject) -> PyResult {
        let id = channel_id(cid)?;
        let (flags, numbers) = state::info(id).map_err(|problem| problem.raise(id))?;
        let flags = flags.into_iter().map(py_bool);
        let numbers = numbers
            .into_iter()
            .map(|number| PyLongObject::from_usize(number).into_object());
        structseq::new_instance(channel_info()?, flags.chain(numbers).collect())
    }
    /// get_channel_defaults(cid) -> (unboundop, fallback)
    #[pyfunction("($module, /, cid)")]
    fn get_channel_defaults(cid: &PyObject) -> PyResult<(i64, i64)> {
        let id = channel_id(cid)?;
        let (unbound, fallback) = state::defaults(id).map_err(|problem| problem.raise(id))?;
        Ok((unbound as i64, fallback as i64))
    }
    /// An id of a channel, or of one of its ends.
    #[pyfunction("($module, /, id, *, send=None, recv=None, force=False, _resolve=False)")]
    fn _channel_id(
        id: &PyObject,
        send: Option<&PyObject>,
        recv: Option<&PyObject>,
        force: bool,
        _resolve: bool,
    ) -> PyResult {
        let said = |value: Option<&PyObject>| {
            value
                .filter(|value| !is_none(value))
                .map(PyObject::is_true)
                .transpose()
        };
        let number = channel_id(id)?;
        let end = match (said(send)?, said(recv)?) {
            (Some(false), Some(false)) => {
                return Err(raise!(ValueError, "'send' and 'recv' cannot both be False"));
            }
            (Some(true), Some(true)) => ChannelEnd::Both,
            (Some(true), _) => ChannelEnd::Send,
            (_, Some(true)) => ChannelEnd::Recv,
            _ => ChannelEnd::Both,
        };
        identity::new(number, end, force, _resolve).map(Ref::into_object)
    }
    /// Registers the classes of channels' ends in this interpreter.
    #[pyfunction("($module, /, send, recv)")]
    fn _register_end_types(send: &PyTypeObject, recv: &PyTypeObject) {
        identity::register_ends(send.as_object(), recv.as_object());
    }
}
