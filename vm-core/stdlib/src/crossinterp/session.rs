//! Running something in another interpreter: the calling thread goes there, runs `__main__`, comes back with data.

use super::excinfo::Captured;
use super::{Fallback, Item, not_shareable, share};
use crate::interpreters::INTERPRETER_ERROR;
use adder_compiler::Mode;
use adder_interp::interpreters::{Entered, enter};
use adder_interp::pythonrun::{main_dict, run_code};
use adder_runtime::objects::methodobject::PyCFunction_Type;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, InterpreterState};
use std::sync::atomic::Ordering;

/// The calling thread in an interpreter whose `__main__` it runs.
struct Session {
    interpreter: &'static InterpreterState,
    _entered: Entered,
}

impl Session {
    fn begin(interpreter: &'static InterpreterState) -> PyResult<Session> {
        let entered = enter(interpreter);
        if !interpreter.running_main.load(Ordering::Relaxed).is_null() {
            drop(entered);
            return Err(INTERPRETER_ERROR.raise("interpreter already running"));
        }
        let state = std::ptr::from_ref(thread::thread_state()).cast_mut();
        interpreter.running_main.store(state, Ordering::Relaxed);
        Ok(Session {
            interpreter,
            _entered: entered,
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.interpreter
            .running_main
            .store(std::ptr::null_mut(), Ordering::Relaxed);
    }
}

/// The data of objects by their names.
pub fn share_namespace(namespace: &PyDictObject) -> PyResult<Vec<(Ref<PyUnicodeObject>, Item)>> {
    let mut items = Vec::new();
    let mut position = 0;
    let mut pairs = Vec::new();
    while let Some((name, value, _)) = namespace.next_entry(&mut position) {
        pairs.push((name.to_ref(), value.to_ref()));
    }
    for (name, value) in pairs {
        let Ok(name) = name.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "bad argument type for built-in operation"));
        };
        if name.to_str()?.contains('\0') {
            return Err(raise!(ValueError, "embedded null character"));
        }
        items.push((name, share(&value, Fallback::ShareableOnly)?));
    }
    Ok(items)
}

/// Binds names in `__main__` of another interpreter and runs code there, if any. What is not caught there is given.
pub fn run(
    interpreter: &'static InterpreterState,
    names: &[(Ref<PyUnicodeObject>, Item)],
    code: Option<&Item>,
) -> PyResult<Option<Captured>> {
    let session = Session::begin(interpreter)?;
    let result = (|| {
        let main = main_dict()?;
        for (name, item) in names {
            main.set(name.as_object(), &*item.receive()?)?;
        }
        let Some(code) = code else { return Ok(()) };
        match code.receive()?.downcast::<PyCodeObject>() {
            Ok(code) => run_code(&code, &main, None).map(drop),
            Err(_) => Err(raise!(TypeError, "a script is code")),
        }
    })();
    let captured = result.err().map(|raised| Captured::of_any(&raised.take()));
    drop(session);
    Ok(captured)
}

/// What became of a call.
enum Outcome {
    Returned(Item),
    Raised(Captured),
    /// With the message of the error.
    NotShareable(&'static str, Captured),
}

/// Calls a callable with arguments, all given as data, in another interpreter: what it gave, or what it raised.
pub fn call(
    interpreter: &'static InterpreterState,
    callable: &Item,
    args: Option<&Item>,
    kwargs: Option<&Item>,
) -> PyResult<Result<Ref, Captured>> {
    let session = Session::begin(interpreter)?;
    let outcome = call_here(callable, args, kwargs).unwrap_or_else(|outcome| outcome);
    drop(session);
    match outcome {
        Outcome::Returned(item) => item.receive().map(Ok),
        Outcome::Raised(captured) => Ok(Err(captured)),
        Outcome::NotShareable(message, captured) => {
            Err(not_shareable(message, Some(captured.as_exception()?)))
        }
    }
}

fn call_here(callable: &Item, args: Option<&Item>, kwargs: Option<&Item>) -> Result<Outcome, Outcome> {
    let failed = |message: &'static str| {
        move |raised: Raised| Outcome::NotShareable(message, Captured::of_any(&raised.take()))
    };
    let callable = callable.receive().map_err(failed("func not shareable"))?;
    let args = args
        .map(Item::receive)
        .transpose()
        .map_err(failed("args not shareable"))?;
    let kwargs = kwargs
        .map(Item::receive)
        .transpose()
        .map_err(failed("kwargs not shareable"))?;
    let args = args
        .and_then(|args| args.downcast::<PyTupleObject>().ok())
        .unwrap_or_else(PyTupleObject::empty);
    let kwargs = kwargs.and_then(|kwargs| kwargs.downcast::<PyDictObject>().ok());
    let result = match std::ptr::eq(callable.ty(), &PyCFunction_Type) {
        true => call_from_main(&callable, &args, kwargs.as_deref()),
        false => callable.call_tuple(&args, kwargs.as_deref()),
    };
    let result = result.map_err(|raised| Outcome::Raised(Captured::of_any(&raised.take())))?;
    let item = share(&result, Fallback::Full);
    item.map(Outcome::Returned)
        .map_err(failed("object does not support cross-interpreter data"))
}

/// Calls a builtin function from code of `__main__`: some ask for the namespaces of whoever calls them.
fn call_from_main(callable: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
    let partial = adder_runtime::hooks::import_module("_functools")?.get_attr_str("partial")?;
    let mut bound = vec![callable.to_ref()];
    bound.extend(args.as_slice().iter().map(|arg| arg.to_ref()));
    let call = partial.call_tuple(&PyTupleObject::from_vec(bound), kwargs)?;
    let main = main_dict()?;
    adder_interp::builtins::evaluate::ensure_builtins(&main)?;
    let builtins = PyDictObject::new();
    builtins.set_str(identifier!("__call_from_interpreter__"), &call)?;
    let filename = PyUnicodeObject::from_str("<call>");
    let opts = adder_compiler::CompileOpts::default();
    let code = adder_interp::code::compile_text(
        "__call_from_interpreter__()",
        filename.as_object(),
        Mode::Eval,
        &opts,
    )?;
    let function = PyFunctionObject::from_code(&code, &main, builtins.as_object())?;
    // Its own entry in the traceback is nobody's.
    adder_interp::call::run_in_locals(function, main.to_object()).map_err(|raised| {
        let exception = raised.take();
        let inner = adder_interp::errors::traceback_of(&exception)
            .and_then(|traceback| traceback.downcast::<PyTracebackObject>().ok())
            .and_then(|traceback| traceback.next().map(|next| next.to_object()));
        adder_interp::errors::set_traceback(&exception, inner);
        adder_runtime::error::restore(exception)
    })
}
