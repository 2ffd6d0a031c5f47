//! `ChannelID`: an int-like object that names a channel, or one end of it, and keeps it alive; and the classes of the ends.

use super::state::{self, CHANNEL_NOT_FOUND};
use crate::crossinterp::{Item, id_of};
use adder_runtime::hooks::import_module;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;

/// Which ends an id is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ChannelEnd {
    Both,
    Send,
    Recv,
}

/// A channel's id on its way to another interpreter.
#[derive(Clone, Copy)]
pub struct ChannelIdentity {
    id: i64,
    end: ChannelEnd,
    /// Whether it is received as an object of the end's class.
    resolves: bool,
}

#[repr(C)]
pub struct ChannelId {
    ob_base: PyObject,
    id: i64,
    end: ChannelEnd,
    resolves: bool,
    /// Whether it counts for the channel's life.
    is_counted: bool,
}

/// The classes of the ends in an interpreter.
static SEND_CLASS: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));
static RECV_CLASS: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));

/// Says what this interpreter sees the ends of channels as.
pub fn register_ends(send: &PyObject, recv: &PyObject) {
    SEND_CLASS.here().set(Some(send.to_ref()));
    RECV_CLASS.here().set(Some(recv.to_ref()));
}

/// The class of an end; the high-level module is imported when it was not.
fn end_class(end: ChannelEnd) -> PyResult {
    let cell = match end {
        ChannelEnd::Recv => &RECV_CLASS,
        _ => &SEND_CLASS,
    };
    if let Some(class) = cell.here().get() {
        return Ok(class);
    }
    if let Err(raised) = import_module("concurrent.interpreters.channels") {
        raised.clear_if(adder_runtime::exceptions::exc::ImportError)?;
        import_module("test.support.channels")?;
    }
    cell.here()
        .get()
        .ok_or_else(|| raise!(RuntimeError, "the classes of channels' ends are not registered"))
}

/// The number of a channel, given as a number or `ChannelID`.
pub fn channel_id(object: &PyObject) -> PyResult<i64> {
    match object.downcast::<ChannelId>() {
        Some(known) => Ok(known.id),
        None => id_of("channel", object),
    }
}

/// The data of ids and ends of channels; nothing for other objects.
pub fn shared(object: &PyObject) -> PyResult<Option<Item>> {
    if let Some(known) = object.downcast_exact::<ChannelId>() {
        return Ok(Some(Item::Channel(known.identity())));
    }
    for (cell, end) in [(&SEND_CLASS, ChannelEnd::Send), (&RECV_CLASS, ChannelEnd::Recv)] {
        if !cell
            .here()
            .borrow()
            .is_some_and(|class| class.is(object.ty().as_object()))
        {
            continue;
        }
        let id = object.get_attr(identifier!("_id"))?;
        let Some(known) = id.downcast_exact::<ChannelId>() else {
            return Err(raise!(TypeError, "the id of a channel's end is no ChannelID"));
        };
        return Ok(Some(Item::ChannelEnd(known.identity(), end)));
    }
    Ok(None)
}

/// An id in the current interpreter.
pub fn receive(identity: &ChannelIdentity) -> PyResult {
    let id = new(identity.id, identity.end, false, identity.resolves)?.into_object();
    match identity.resolves && identity.end != ChannelEnd::Both {
        true => end_class(identity.end)?.call1(&id),
        false => Ok(id),
    }
}

/// An end in the current interpreter.
pub fn receive_end(identity: &ChannelIdentity, end: ChannelEnd) -> PyResult {
    let id = new(identity.id, end, false, identity.resolves)?;
    end_class(end)?.call1(id.as_object())
}

/// An id of a channel that exists, or of any when `force`.
pub fn new(id: i64, end: ChannelEnd, force: bool, resolves: bool) -> PyResult<Ref<ChannelId>> {
    let is_counted = state::add_id(id);
    if !is_counted && !force {
        return Err(CHANNEL_NOT_FOUND.raise(format!("channel {id} not found")));
    }
    Ref::new(ChannelId {
        ob_base: adder_runtime::memory::blank_header(),
        id,
        end,
        resolves,
        is_counted,
    })
}

impl Drop for ChannelId {
    fn drop(&mut self) {
        if self.is_counted {
            state::drop_id(self.id);
        }
    }
}

impl ChannelId {
    fn identity(&self) -> ChannelIdentity {
        ChannelIdentity {
            id: self.id,
            end: self.end,
            resolves: self.resolves,
        }
    }
    fn number(&self) -> Ref {
        PyLongObject::from_i64(self.id).into_object()
    }
    fn as_end(&self, end: ChannelEnd) -> PyResult {
        new(self.id, end, true, self.resolves).map(Ref::into_object)
    }
}

#[pytype(
    name = "_interpchannels.ChannelID",
    static_name = CHANNEL_ID_TYPE,
    flags = BASETYPE | DISALLOW_INSTANTIATION,
)]
/// A channel ID identifies a channel and may be used as an int.
impl ChannelId {
    #[slot]
    fn tp_repr(&self) -> Ref {
        let id = self.id;
        let text = match self.end {
            ChannelEnd::Both => format!("ChannelID({id})"),
            ChannelEnd::Send => format!("ChannelID({id}, send=True)"),
            ChannelEnd::Recv => format!("ChannelID({id}, recv=True)"),
        };
        PyUnicodeObject::from_string(text).into_object()
    }
    #[slot]
    fn tp_str(&self) -> Ref {
        PyUnicodeObject::from_string(self.id.to_string()).into_object()
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        self.number().hash()
    }
    #[slot]
    fn nb_int(&self) -> Ref {
        self.number()
    }
    #[slot]
    fn nb_index(&self) -> Ref {
        self.number()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let is_equal = match other.downcast::<ChannelId>() {
            Some(other) => self.id == other.id && self.end == other.end,
            None if other.downcast::<PyLongObject>().is_some() => self.number().eq(other)?,
            None => {
                let result = self.number();
                return result.rich_compare(other, op);
            }
        };
        Ok(py_bool(is_equal == (op == CompareOp::Eq)))
    }
    /// 'send', 'recv', or 'both'
    #[getter]
    fn end(&self) -> &'static str {
        match self.end {
            ChannelEnd::Both => "both",
            ChannelEnd::Send => "send",
            ChannelEnd::Recv => "recv",
        }
    }
    /// the 'send' end of the channel
    #[getter]
    fn send(&self) -> PyResult {
        self.as_end(ChannelEnd::Send)
    }
    /// the 'recv' end of the channel
    #[getter]
    fn recv(&self) -> PyResult {
        self.as_end(ChannelEnd::Recv)
    }
}
