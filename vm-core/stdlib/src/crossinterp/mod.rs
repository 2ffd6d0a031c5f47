//! What crosses from one interpreter to another: objects -> data that belongs to none of them -> new objects (PEP 734).
//!
//! All interpreters have one GIL and one heap, so data may refer to immutable objects; what is received is a new object all the
//! same, unless it is one that there is only one of. `share` makes the data in the sender, `Item::receive` the object in the
//! receiver. What is not shareable by itself goes as a function without state (`code`) or pickled (`pickled`).
//! `session` runs something in another interpreter, `excinfo` is what is told of an exception that nobody caught there.

pub mod code;
pub mod config;
pub mod excinfo;
pub mod for_tests;
pub mod pickled;
pub mod session;

use crate::interpchannels::identity::{ChannelEnd, ChannelIdentity};
use crate::interpreters::{NOT_SHAREABLE, XIBUFFERVIEW_TYPE};
use adder_interp::errors::set_cause;
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;

/// What is tried for an object that is not shareable by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    ShareableOnly,
    /// Functions go by their code, all else pickled.
    Full,
}

/// An object on its way between interpreters.
pub enum Item {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Ref<PyUnicodeObject>),
    Bytes(Ref<PyBytesObject>),
    Tuple(Vec<Item>),
    /// The exporter of a memoryview's bytes.
    Buffer(Ref),
    /// The marshalled code of a function without state.
    Function(Vec<u8>),
    Code(Vec<u8>),
    Marshalled(Vec<u8>),
    Pickled(pickled::Pickled),
    Queue(crate::interpqueues::Binding),
    Channel(ChannelIdentity),
    ChannelEnd(ChannelIdentity, ChannelEnd),
}

/// NotShareableError with a cause, if there is one.
#[cold]
pub fn not_shareable(message: &str, cause: Option<Ref>) -> Raised {
    let raised = NOT_SHAREABLE.raise(message);
    if cause.is_none() {
        return raised;
    }
    let exception = raised.take();
    set_cause(&exception, cause);
    adder_runtime::error::restore(exception)
}

#[cold]
fn unsupported(object: &PyObject, cause: Option<Ref>) -> Raised {
    match object.str() {
        Ok(text) => {
            let text = text.to_string_lossy();
            not_shareable(&format!("{text} does not support cross-interpreter data"), cause)
        }
        Err(raised) => raised,
    }
}

/// Whether objects of this kind can go to another interpreter without pickling.
pub fn is_shareable(object: &PyObject) -> bool {
    is_none(object)
        || object.is(true_())
        || object.is(false_())
        || PyLongObject::check_exact(object)
        || PyFloatObject::check_exact(object)
        || PyUnicodeObject::check_exact(object)
        || PyBytesObject::check_exact(object)
        || PyTupleObject::check_exact(object)
        || PyMemoryViewObject::check_exact(object)
        || registered(object).is_ok_and(|item| item.is_some())
}

/// Objects of classes that are registered for the current interpreter: queues, channels and their ends.
fn registered(object: &PyObject) -> PyResult<Option<Item>> {
    match crate::interpqueues::shared(object)? {
        Some(item) => Ok(Some(item)),
        None => crate::interpchannels::identity::shared(object),
    }
}

/// The data of a shareable object; the error of one that is not.
fn share_plain(object: &PyObject, fallback: Fallback) -> PyResult<Item> {
    if is_none(object) {
        return Ok(Item::None);
    }
    if object.is(true_()) || object.is(false_()) {
        return Ok(Item::Bool(object.is(true_())));
    }
    if let Some(number) = object.downcast_exact::<PyLongObject>() {
        return number.to_i64().map(Item::Int).ok_or_else(|| {
            let cause = raise!(OverflowError, "try sending as bytes").take();
            unsupported(object, Some(cause))
        });
    }
    if let Some(number) = object.downcast_exact::<PyFloatObject>() {
        return Ok(Item::Float(number.value()));
    }
    if let Some(text) = object.downcast_exact::<PyUnicodeObject>() {
        return Ok(Item::Str(text.to_ref()));
    }
    if let Some(bytes) = object.downcast_exact::<PyBytesObject>() {
        return Ok(Item::Bytes(bytes.to_ref()));
    }
    if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
        enter_native_call(" while sharing a tuple")?;
        let items = tuple.as_slice().iter().map(|item| share(item, fallback));
        return items
            .collect::<PyResult<Vec<Item>>>()
            .map(Item::Tuple)
            .map_err(|raised| unsupported(object, Some(raised.take())));
    }
    if PyMemoryViewObject::check_exact(object) {
        return share_buffer(object);
    }
    match registered(object)? {
        Some(item) => Ok(item),
        None => Err(unsupported(object, None)),
    }
}

/// The memory of an object, to be seen as a memoryview.
pub fn share_buffer(object: &PyObject) -> PyResult<Item> {
    crate::interpreters::buffer_view(object).map(Item::Buffer)
}

/// The data of an object; NotShareableError.
pub fn share(object: &PyObject, fallback: Fallback) -> PyResult<Item> {
    if fallback == Fallback::ShareableOnly {
        return share_plain(object, fallback);
    }
    if let Some(function) = object.downcast_exact::<PyFunctionObject>() {
        match code::share_function(function) {
            Ok(item) => return Ok(item),
            Err(raised) => raised.clear(),
        }
    }
    let raised = match share_plain(object, fallback) {
        Ok(item) => return Ok(item),
        Err(raised) => raised,
    };
    if !NOT_SHAREABLE.matches(&raised) {
        return Err(raised);
    }
    let plain = raised.take();
    pickled::share_pickled(object).map_err(|raised| {
        raised.clear();
        adder_runtime::error::restore(plain)
    })
}

/// The data of what is to be called: a function by its code, or as `share` does it.
pub fn share_callable(callable: &PyObject) -> PyResult<Item> {
    let Some(function) = callable.downcast_exact::<PyFunctionObject>() else {
        return share(callable, Fallback::Full);
    };
    code::share_function(function).or_else(|raised| {
        let why = raised.take();
        pickled::share_pickled(callable).map_err(|raised| {
            raised.clear();
            adder_runtime::error::restore(why)
        })
    })
}

/// A string equal to another and not the same, unless there is only one.
fn copy_str(text: &PyUnicodeObject) -> Ref<PyUnicodeObject> {
    match text.latin1() {
        Some(bytes) => PyUnicodeObject::from_latin1(bytes),
        None => PyUnicodeObject::from_code_points(&text.code_points().collect::<Vec<u32>>()),
    }
}

impl Item {
    /// A new object of the data, in the current interpreter.
    pub fn receive(&self) -> PyResult {
        Ok(match self {
            Item::None => none_ref(),
            Item::Bool(value) => py_bool(*value),
            Item::Int(value) => PyLongObject::from_i64(*value).into_object(),
            Item::Float(value) => PyFloatObject::from_f64(*value).into_object(),
            Item::Str(text) => copy_str(text).into_object(),
            Item::Bytes(bytes) => PyBytesObject::from_slice(bytes.as_bytes()).into_object(),
            Item::Tuple(items) => {
                let items = items.iter().map(Item::receive).collect::<PyResult<Vec<Ref>>>()?;
                PyTupleObject::from_vec(items).into_object()
            }
            Item::Buffer(exporter) => {
                debug_assert!(std::ptr::eq(exporter.ty(), &XIBUFFERVIEW_TYPE));
                PyMemoryViewObject::from_object(exporter)?.into_object()
            }
            Item::Function(bytes) => code::receive_function(bytes)?,
            Item::Code(bytes) | Item::Marshalled(bytes) => crate::marshal::loads(bytes, true)?,
            Item::Pickled(pickled) => pickled.receive()?,
            Item::Queue(binding) => crate::interpqueues::receive(binding)?,
            Item::Channel(identity) => crate::interpchannels::identity::receive(identity)?,
            Item::ChannelEnd(identity, end) => crate::interpchannels::identity::receive_end(identity, *end)?,
        })
    }
}

/// The number of a thing of a kind that is told apart by its numbers: interpreters, queues, channels.
pub fn id_of(kind: &str, object: &PyObject) -> PyResult<i64> {
    let Ok(number) = object.index() else {
        adder_runtime::error::clear();
        return Err(raise!(
            TypeError,
            "{kind} ID must be an int, got {}",
            object.ty().name()
        ));
    };
    match number.to_i64() {
        Some(id) if id >= 0 => Ok(id),
        None if number.sign() > 0 => Err(raise!(OverflowError, "int too big to convert")),
        _ => Err(raise!(
            ValueError,
            "{kind} ID must be a non-negative int, got {}",
            object.str()?.to_string_lossy()
        )),
    }
}

/// What becomes of an item in a queue or channel when the interpreter that put it there ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unbound {
    Remove = 1,
    Error = 2,
    Replace = 3,
}

impl Unbound {
    /// -1 is the default.
    pub fn parse(number: i64, default: Unbound) -> PyResult<Unbound> {
        match number {
            -1 => Ok(default),
            1 => Ok(Unbound::Remove),
            2 => Ok(Unbound::Error),
            3 => Ok(Unbound::Replace),
            other => Err(raise!(ValueError, "unsupported unboundop {other}")),
        }
    }
}

impl Fallback {
    /// -1 is the default.
    pub fn parse(number: i64, default: Fallback) -> PyResult<Fallback> {
        match number {
            -1 => Ok(default),
            0 => Ok(Fallback::ShareableOnly),
            1 => Ok(Fallback::Full),
            other => Err(raise!(ValueError, "unsupported fallback {other}")),
        }
    }
}
