//! Names -> codecs and error handlers: the registry behind the module `codecs`.

use super::errors::{Handler, run_handler};
use crate::args::{boundary_obj, method_def_o};
use crate::per_interpreter::PerInterpreter;
use crate::prelude::*;
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
struct Registry {
    search_functions: Vec<Ref>,
    /// By normalised name.
    codecs: Option<HashMap<String, Ref>>,
    error_handlers: Option<HashMap<String, Ref>>,
}

// The lock is never held while Python code runs.
static REGISTRY: PerInterpreter<Mutex<Registry>> = PerInterpreter::new(Mutex::new(Registry {
    search_functions: Vec::new(),
    codecs: None,
    error_handlers: None,
}));

fn with<R>(work: impl FnOnce(&mut Registry) -> R) -> R {
    work(
        &mut REGISTRY
            .here()
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    )
}

/// Adds a function that finds codecs by name.
pub fn register(search_function: &PyObject) -> PyResult<()> {
    if !search_function.is_callable() {
        return Err(raise!(TypeError, "argument must be callable"));
    }
    with(|registry| registry.search_functions.push(search_function.to_ref()));
    Ok(())
}

/// Takes a search function out, and forgets what was found.
pub fn unregister(search_function: &PyObject) {
    let dropped = with(|registry| {
        let place = registry
            .search_functions
            .iter()
            .position(|known| known.is(search_function))?;
        Some((registry.search_functions.remove(place), registry.codecs.take()))
    });
    drop(dropped);
}

/// Lower case, with each run of other characters than letters, digits and dots as one underscore.
pub fn normalize(encoding: &str) -> String {
    let mut name = String::with_capacity(encoding.len());
    let mut pending = false;
    for c in encoding.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if pending && !name.is_empty() {
                name.push('_');
            }
            pending = false;
            name.push(c.to_ascii_lowercase());
        } else {
            pending = true;
        }
    }
    name
}

/// Names are C's: a NUL would end one.
fn check_name(name: &str) -> PyResult<()> {
    if name.contains('\0') {
        return Err(raise!(ValueError, "embedded null character"));
    }
    Ok(())
}

/// The codec's tuple of four.
pub fn lookup(encoding: &str) -> PyResult {
    check_name(encoding)?;
    let name = normalize(encoding);
    let known = with(|registry| {
        registry
            .codecs
            .as_ref()
            .and_then(|codecs| codecs.get(&name).cloned())
    });
    if let Some(codec) = known {
        return Ok(codec);
    }
    if with(|registry| registry.search_functions.is_empty()) {
        crate::hooks::import_module("encodings")?;
    }
    let functions = with(|registry| registry.search_functions.clone());
    if functions.is_empty() {
        return Err(raise!(
            LookupError,
            "no codec search functions registered: can't find encoding"
        ));
    }
    let asked = PyUnicodeObject::from_str(&name);
    for function in &functions {
        let found = function.call1(asked.as_object())?;
        if is_none(&found) {
            continue;
        }
        if found
            .as_object()
            .downcast::<PyTupleObject>()
            .is_none_or(|tuple| tuple.as_slice().len() != 4)
        {
            return Err(raise!(TypeError, "codec search functions must return 4-tuples"));
        }
        let old = with(|registry| {
            registry
                .codecs
                .get_or_insert_default()
                .insert(name, found.clone())
        });
        drop(old);
        return Ok(found);
    }
    Err(raise!(LookupError, "unknown encoding: {encoding}"))
}

/// One of the codec's functions, of a codec between text and bytes.
fn text_codec(encoding: &str, alternate: &str) -> PyResult {
    let codec = lookup(encoding)?;
    if codec.downcast_exact::<PyTupleObject>().is_none()
        && let Some(is_text) = codec.get_attr_opt(identifier!("_is_text_encoding"))?
        && !is_text.is_true()?
    {
        return Err(raise!(
            LookupError,
            "'{encoding}' is not a text encoding; use {alternate} to handle arbitrary codecs"
        ));
    }
    Ok(codec)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Encode,
    Decode,
}

fn run(
    codec: &PyObject,
    direction: Direction,
    object: &PyObject,
    encoding: &str,
    errors: Option<&str>,
) -> PyResult {
    let (idx, doing, who) = match direction {
        Direction::Encode => (0, "encoding", "encoder"),
        Direction::Decode => (1, "decoding", "decoder"),
    };
    let function = codec.get_index(idx)?;
    let called = match errors {
        None => function.call1(object),
        Some(errors) => function.call(&[object, PyUnicodeObject::from_str(errors).as_object()]),
    };
    let result = match called {
        Ok(result) => result,
        Err(raised) => {
            let error = raised.take();
            let note = PyUnicodeObject::from_string(format!("{doing} with '{encoding}' codec failed"));
            if error
                .call_method(identifier!("add_note"), &[note.as_object()])
                .is_err()
            {
                crate::error::clear();
            }
            return Err(crate::error::restore(error));
        }
    };
    match result
        .downcast::<PyTupleObject>()
        .as_ref()
        .map(|pair| pair.as_slice())
    {
        Ok([first, _]) => Ok(first.to_ref()),
        _ => Err(raise!(TypeError, "{who} must return a tuple (object, integer)")),
    }
}

/// `codecs.encode` / `codecs.decode`: any codec.
pub fn convert(direction: Direction, object: &PyObject, encoding: &str, errors: Option<&str>) -> PyResult {
    run(&*lookup(encoding)?, direction, object, encoding, errors)
}

/// As `convert`, for codecs between text and bytes only.
pub fn convert_text(
    direction: Direction,
    object: &PyObject,
    encoding: &str,
    errors: Option<&str>,
) -> PyResult {
    let alternate = if direction == Direction::Encode {
        "codecs.encode()"
    } else {
        "codecs.decode()"
    };
    run(
        &*text_codec(encoding, alternate)?,
        direction,
        object,
        encoding,
        errors,
    )
}

/// The handler that a name stands for; those of Python's own are never replaced.
#[inline]
pub fn effective_handler(name: &str) -> Handler {
    Handler::of(name)
}

pub fn register_error(name: &str, handler: &PyObject) -> PyResult<()> {
    check_name(name)?;
    if !handler.is_callable() {
        return Err(raise!(TypeError, "handler must be callable"));
    }
    let old = with(|registry| {
        registry
            .error_handlers
            .get_or_insert_default()
            .insert(name.to_owned(), handler.to_ref())
    });
    drop(old);
    Ok(())
}

/// Forgets a handler; false when there was none. Python's own stay.
pub fn unregister_error(name: &str) -> PyResult<bool> {
    check_name(name)?;
    if Handler::of(name) != Handler::Other {
        return Err(raise!(
            ValueError,
            "cannot un-register built-in error handler '{name}'"
        ));
    }
    let old = with(|registry| registry.error_handlers.get_or_insert_default().remove(name));
    Ok(old.is_some())
}

/// The callable of an error handler.
pub fn lookup_error(name: &str) -> PyResult {
    check_name(name)?;
    let known = with(|registry| registry.error_handlers.get_or_insert_default().get(name).cloned());
    if let Some(handler) = known {
        return Ok(handler);
    }
    let Some(place) = Handler::NAMED.iter().position(|(known, _)| *known == name) else {
        return Err(raise!(LookupError, "unknown error handler name '{name}'"));
    };
    let function = crate::objects::methodobject::new_function(&HANDLER_METHODS[place], None, None)?;
    register_error(name, &function)?;
    Ok(function)
}

macro_rules! handler_functions {
    ($($handler:ident, $function:ident, $name:literal, $doc:literal;)+) => {
        $(
            unsafe extern "C" fn $function(_module: *mut PyObject, error: *mut PyObject) -> *mut PyObject {
                // SAFETY: the caller passes a live object.
                boundary_obj(|| run_handler(Handler::$handler, unsafe { &*error }))
            }
        )+
        static HANDLER_METHODS: [PyMethodDef; 8] = [$(method_def_o($name, $function, 0, $doc)),+];
    };
}

// In the order of `Handler::NAMED`.
handler_functions! {
    Strict, strict_errors, c"strict_errors", c"Raises the exception.";
    Ignore, ignore_errors, c"ignore_errors", c"Leaves out what cannot be converted.";
    Replace, replace_errors, c"replace_errors", c"Puts a replacement mark in its place.";
    BackslashReplace, backslashreplace_errors, c"backslashreplace_errors", c"Puts an escape with a backslash in its place.";
    XmlCharRefReplace, xmlcharrefreplace_errors, c"xmlcharrefreplace_errors", c"Puts an XML character reference in its place.";
    NameReplace, namereplace_errors, c"namereplace_errors", c"Puts an escape with the character's name in its place.";
    SurrogateEscape, surrogateescape, c"surrogateescape", c"Carries bytes as lone surrogates.";
    SurrogatePass, surrogatepass, c"surrogatepass", c"Converts lone surrogates like other characters.";
}
