//! The channels of the process: who is at their ends, what is in them, who waits for it to be received.
//!
//! An interpreter is at an end once it has used it. A channel is open while somebody is at an end and has not released it, or
//! while nobody ever was. Closing the sending end of one that is not empty leaves it closing until it is empty.

use crate::crossinterp::{Fallback, Item, Unbound};
use crate::thread::lock::RawLock;
use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub static CHANNEL_ERROR: ExceptionClass =
    ExceptionClass::new("_interpchannels.ChannelError", || exc::RuntimeError);
fn base() -> &'static PyTypeObject {
    CHANNEL_ERROR.ty().unwrap_or(exc::RuntimeError)
}
pub static CHANNEL_NOT_FOUND: ExceptionClass =
    ExceptionClass::new("_interpchannels.ChannelNotFoundError", base);
pub static CHANNEL_CLOSED: ExceptionClass = ExceptionClass::new("_interpchannels.ChannelClosedError", base);
pub static CHANNEL_EMPTY: ExceptionClass = ExceptionClass::new("_interpchannels.ChannelEmptyError", base);
pub static CHANNEL_NOT_EMPTY: ExceptionClass =
    ExceptionClass::new("_interpchannels.ChannelNotEmptyError", base);

/// What went wrong with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    NotFound,
    Closed,
    /// The interpreter has released its end.
    Released,
    Empty,
    NotEmpty,
}

impl Problem {
    #[cold]
    pub fn raise(self, id: i64) -> Raised {
        match self {
            Problem::NotFound => CHANNEL_NOT_FOUND.raise(format!("channel {id} not found")),
            Problem::Closed => CHANNEL_CLOSED.raise(format!("channel {id} is closed")),
            Problem::Released => CHANNEL_CLOSED.raise(format!("channel {id} is already closed")),
            Problem::Empty => CHANNEL_EMPTY.raise(format!("channel {id} is empty")),
            Problem::NotEmpty => CHANNEL_NOT_EMPTY.raise(format!(
                "channel {id} may not be closed if not empty (try force=True)"
            )),
        }
    }
}

/// Whoever waits until what was sent is received. The lock is free when that is decided.
#[derive(Default)]
pub struct Receipt {
    pub decided: RawLock,
    pub is_received: AtomicBool,
}

impl Receipt {
    fn decide(&self, is_received: bool) {
        self.is_received.store(is_received, Ordering::Release);
        self.decided.release();
    }
}

pub struct Sent {
    /// Nothing when the interpreter that sent it has ended.
    pub item: Option<Item>,
    pub interpreter: i64,
    pub unbound: Unbound,
    pub receipt: Option<Arc<Receipt>>,
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(receipt) = self.receipt.take() {
            receipt.decide(false);
        }
    }
}

/// An interpreter at an end, which it may have released.
#[derive(Clone, Copy)]
struct User {
    interpreter: i64,
    is_open: bool,
}

#[derive(Default)]
struct End {
    users: Vec<User>,
}

impl End {
    /// Notes that an interpreter uses the end.
    fn associate(&mut self, interpreter: i64) -> Result<(), Problem> {
        match self.users.iter().find(|user| user.interpreter == interpreter) {
            Some(user) if user.is_open => Ok(()),
            Some(_) => Err(Problem::Released),
            None => {
                self.users.push(User {
                    interpreter,
                    is_open: true,
                });
                Ok(())
            }
        }
    }
    fn is_user(&self, interpreter: i64) -> bool {
        self.users
            .iter()
            .any(|user| user.interpreter == interpreter && user.is_open)
    }
    /// Releases the end for an interpreter, also for one that never used it.
    fn release(&mut self, interpreter: i64) {
        match self.users.iter_mut().find(|user| user.interpreter == interpreter) {
            Some(user) => user.is_open = false,
            None => self.users.push(User {
                interpreter,
                is_open: false,
            }),
        }
    }
    fn is_open(&self) -> bool {
        self.users.iter().any(|user| user.is_open)
    }
}

pub struct Channel {
    items: VecDeque<Sent>,
    send: End,
    recv: End,
    pub unbound: Unbound,
    pub fallback: Fallback,
    is_open: bool,
    is_closing: bool,
}

impl Channel {
    /// Whether somebody is at an end, or nobody ever was.
    fn has_users(&self) -> bool {
        self.send.is_open() || self.recv.is_open() || self.send.users.is_empty() && self.recv.users.is_empty()
    }
}

/// A channel's place, which stays when it is closed.
struct Entry {
    id: i64,
    n_ids: usize,
    channel: Option<Channel>,
}

struct Channels(RefCell<(Vec<Entry>, i64)>);
// SAFETY: used only under the GIL. Items are dropped when nothing is borrowed.
unsafe impl Sync for Channels {}
/// Oldest first, with the number of the next.
static CHANNELS: Channels = Channels(RefCell::new((Vec::new(), 0)));

fn with_entry<T>(id: i64, f: impl FnOnce(&mut Entry) -> T) -> Option<T> {
    CHANNELS
        .0
        .borrow_mut()
        .0
        .iter_mut()
        .find(|entry| entry.id == id)
        .map(f)
}

/// An open channel.
pub fn with_channel<T>(id: i64, f: impl FnOnce(&mut Channel) -> Result<T, Problem>) -> Result<T, Problem> {
    let found = with_entry(id, |entry| match &mut entry.channel {
        Some(channel) if channel.is_open => f(channel),
        _ => Err(Problem::Closed),
    });
    found.unwrap_or(Err(Problem::NotFound))
}

pub fn create(unbound: Unbound, fallback: Fallback) -> i64 {
    let mut channels = CHANNELS.0.borrow_mut();
    let id = channels.1;
    channels.1 += 1;
    let channel = Channel {
        items: VecDeque::new(),
        send: End::default(),
        recv: End::default(),
        unbound,
        fallback,
        is_open: true,
        is_closing: false,
    };
    channels.0.push(Entry {
        id,
        n_ids: 0,
        channel: Some(channel),
    });
    id
}

pub fn destroy(id: i64) -> Result<(), Problem> {
    let mut channels = CHANNELS.0.borrow_mut();
    let Some(at) = channels.0.iter().position(|entry| entry.id == id) else {
        return Err(Problem::NotFound);
    };
    let entry = channels.0.remove(at);
    drop(channels);
    drop(entry);
    Ok(())
}

/// Counts an id of a channel; false when there is no such channel.
pub fn add_id(id: i64) -> bool {
    with_entry(id, |entry| entry.n_ids += 1).is_some()
}

/// Undoes `add_id`; the channel goes with its last id.
pub fn drop_id(id: i64) {
    let left = with_entry(id, |entry| {
        entry.n_ids = entry.n_ids.saturating_sub(1);
        entry.n_ids
    });
    if left == Some(0) {
        let _ = destroy(id);
    }
}

/// Those that were not closed, newest last: id, what becomes of unbound items, fallback.
pub fn list() -> Vec<(i64, Unbound, Fallback)> {
    let channels = CHANNELS.0.borrow();
    let rows = channels.0.iter().filter_map(|entry| {
        entry
            .channel
            .as_ref()
            .map(|channel| (entry.id, channel.unbound, channel.fallback))
    });
    rows.collect()
}

/// What a sender needs to know before it makes an item.
pub fn defaults(id: i64) -> Result<(Unbound, Fallback), Problem> {
    with_channel(id, |channel| Ok((channel.unbound, channel.fallback)))
}

/// Whether an interpreter may send.
pub fn check_sending(id: i64) -> Result<(), Problem> {
    with_channel(id, |channel| {
        if channel.is_closing {
            Err(Problem::Closed)
        } else {
            Ok(())
        }
    })
}

pub fn send(id: i64, sent: Sent) -> Result<(), Problem> {
    let mut sent = Some(sent);
    let result = with_channel(id, |channel| {
        if channel.is_closing {
            return Err(Problem::Closed);
        }
        let interpreter = sent.as_ref().map_or(0, |sent| sent.interpreter);
        channel.send.associate(interpreter)?;
        channel.items.extend(sent.take());
        Ok(())
    });
    drop(sent);
    result
}

/// The first item of a channel.
pub fn receive(id: i64, interpreter: i64) -> Result<(Option<Item>, Unbound), Problem> {
    let found = with_entry(id, |entry| {
        let Some(channel) = entry.channel.as_mut().filter(|channel| channel.is_open) else {
            return Err(Problem::Closed);
        };
        channel.recv.associate(interpreter)?;
        let first = channel.items.pop_front();
        // A channel that is closing is closed with its last item.
        let finished = match channel.items.is_empty() && channel.is_closing {
            true => entry.channel.take(),
            false => None,
        };
        Ok((first, finished))
    });
    let (first, finished) = found.unwrap_or(Err(Problem::NotFound))?;
    drop(finished);
    let Some(mut sent) = first else {
        return Err(Problem::Empty);
    };
    if let Some(receipt) = sent.receipt.take() {
        receipt.decide(true);
    }
    Ok((sent.item.take(), sent.unbound))
}

/// Takes back what was sent with a receipt and not received.
pub fn take_back(id: i64, receipt: &Arc<Receipt>) {
    let taken = with_entry(id, |entry| {
        let items = &mut entry.channel.as_mut()?.items;
        let is_it = |sent: &Sent| {
            sent.receipt
                .as_ref()
                .is_some_and(|other| Arc::ptr_eq(other, receipt))
        };
        let at = items.iter().position(is_it)?;
        items.remove(at)
    });
    drop(taken);
}

/// Closes a channel, or only its sending end while it is not empty.
pub fn close(id: i64, only_send: bool, force: bool) -> Result<(), Problem> {
    let result = with_entry(id, |entry| {
        let Some(channel) = &mut entry.channel else {
            return Err(Problem::Closed);
        };
        if !channel.is_open || !force && only_send && channel.is_closing {
            return Err(Problem::Closed);
        }
        if !force && !channel.items.is_empty() {
            if only_send {
                channel.is_closing = true;
                return Ok(None);
            }
            return Err(Problem::NotEmpty);
        }
        Ok(entry.channel.take())
    });
    result.unwrap_or(Err(Problem::NotFound)).map(drop)
}

/// Releases an interpreter's hold on ends; a channel that nobody holds is closed.
pub fn release(id: i64, interpreter: i64, send: bool, recv: bool) -> Result<(), Problem> {
    with_channel(id, |channel| {
        if send {
            channel.send.release(interpreter);
        }
        if recv {
            channel.recv.release(interpreter);
        }
        channel.is_open = channel.has_users();
        Ok(())
    })
}

pub fn count(id: i64) -> Result<usize, Problem> {
    with_channel(id, |channel| Ok(channel.items.len()))
}

/// Whether an interpreter is at an end.
pub fn is_associated(id: i64, interpreter: i64, send: bool) -> Result<bool, Problem> {
    with_channel(id, |channel| {
        if send && channel.is_closing {
            return Err(Problem::Closed);
        }
        let end = if send { &channel.send } else { &channel.recv };
        Ok(end.is_user(interpreter))
    })
}

/// What `get_info` tells: open, closing, closed, then numbers in the order of `ChannelInfo`.
pub fn info(id: i64) -> Result<([bool; 3], [usize; 9]), Problem> {
    let found = with_entry(id, |entry| {
        let mut numbers = [0; 9];
        let Some(channel) = entry.channel.as_ref().filter(|channel| channel.is_open) else {
            return ([false, false, true], numbers);
        };
        numbers[0] = channel.items.len();
        let other = |end: &End, user: &User| {
            end.users
                .iter()
                .find(|other| other.interpreter == user.interpreter)
                .map(|other| other.is_open)
        };
        for user in &channel.send.users {
            let at = match (user.is_open, other(&channel.recv, user)) {
                (true, None) => 1,
                (false, None) => 2,
                (true, Some(true)) => 5,
                (false, Some(true)) => 6,
                (true, Some(false)) => 7,
                (false, Some(false)) => 8,
            };
            numbers[at] += 1;
        }
        for user in channel
            .recv
            .users
            .iter()
            .filter(|user| other(&channel.send, user).is_none())
        {
            numbers[if user.is_open { 3 } else { 4 }] += 1;
        }
        ([!channel.is_closing, channel.is_closing, false], numbers)
    });
    found.ok_or(Problem::NotFound)
}

/// Unbinds what an interpreter that has ended sent, and takes it from the ends.
pub fn forget_interpreter(interpreter: i64) {
    let mut dropped = Vec::new();
    for entry in &mut CHANNELS.0.borrow_mut().0 {
        let Some(channel) = &mut entry.channel else {
            continue;
        };
        let sent_by = |sent: &Sent| sent.interpreter == interpreter;
        for sent in channel.items.iter_mut().filter(|sent| sent_by(sent)) {
            dropped.extend(sent.item.take());
            if let Some(receipt) = sent.receipt.take() {
                receipt.decide(false);
            }
        }
        channel
            .items
            .retain(|sent| !(sent_by(sent) && sent.unbound == Unbound::Remove));
        for end in [&mut channel.send, &mut channel.recv] {
            if let Some(user) = end.users.iter_mut().find(|user| user.interpreter == interpreter) {
                user.is_open = false;
            }
        }
        channel.is_open &= channel.has_users();
    }
    drop(dropped);
}
