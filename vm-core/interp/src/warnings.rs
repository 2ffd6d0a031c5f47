//! Warnings from native code: through the `_warnings` module.

use adder_runtime::abi::*;
use adder_runtime::error;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

/// `_warnings` once it was there: what dies after the modules warns, too.
static NATIVE: crate::state::GilCell<Option<Ref>> = crate::state::GilCell::new(None);

/// `_warnings`, which importlib's bootstrap loads; nothing before.
pub fn native() -> Option<Ref> {
    let loaded = crate::import::loaded_module(identifier!("_warnings"));
    NATIVE.with(|kept| {
        if kept.is_none() {
            kept.clone_from(&loaded);
        }
        loaded.or_else(|| kept.clone())
    })
}

/// Notes the module that shows warnings before all modules go.
pub fn keep_native() {
    drop(native());
}

/// `warnings.warn(message, category, stacklevel, source)`.
pub fn warn(
    category: &PyTypeObject,
    message: &PyObject,
    stack_level: isize,
    source: Option<&PyObject>,
) -> PyResult<()> {
    let Some(module) = native() else { return Ok(()) };
    let level = PyLongObject::from_isize(stack_level);
    let mut args = vec![message, category.as_object(), level.as_object()];
    args.extend(source);
    module.call_method(identifier!("warn"), &args).map(drop)
}

/// A SyntaxWarning or the like of the compiler, at a place of a file that is being compiled.
pub fn warn_explicit(
    category: &PyTypeObject,
    message: &str,
    filename: &PyObject,
    line: usize,
    module: Option<&PyObject>,
) -> PyResult<()> {
    let Some(warnings) = native() else { return Ok(()) };
    let text = PyUnicodeObject::from_str(message);
    let line = PyLongObject::from_usize(line);
    let mut args = vec![text.as_object(), category.as_object(), filename, line.as_object()];
    args.extend(module);
    warnings
        .call_method(identifier!("warn_explicit"), &args)
        .map(drop)
}

/// "coroutine … was never awaited".
pub fn warn_unawaited_coroutine(coroutine: &PyObject) {
    let mut warned = false;
    let by_module = (|| -> PyResult<()> {
        if let Some(module) = crate::import::loaded_module(identifier!("warnings"))
            && let Some(function) = module.get_attr_opt(identifier!("_warn_unawaited_coroutine"))?
        {
            function.call1(coroutine)?;
            warned = true;
        }
        Ok(())
    })();
    if let Err(raised) = by_module {
        warned |= raised.matches(exc::RuntimeWarning);
        crate::genobject::unraisable(raised, "finalizing coroutine", coroutine);
    }
    if warned {
        return;
    }
    let result = coroutine.get_attr(identifier!("__qualname__")).and_then(|name| {
        let name = name.str()?.to_string_lossy();
        let text = PyUnicodeObject::from_string(format!("coroutine '{name}' was never awaited"));
        warn(exc::RuntimeWarning, text.as_object(), 1, None)
    });
    if let Err(raised) = result {
        crate::genobject::unraisable(raised, "finalizing coroutine", coroutine);
    }
}

/// "coroutine method 'asend' of … was never awaited".
pub fn warn_unawaited_agen_method(generator: &PyGenObject, method: &str) {
    let name = crate::genobject::qualname_of(generator);
    let name = name.repr().map(|text| text.to_string_lossy()).unwrap_or_default();
    let text =
        PyUnicodeObject::from_string(format!("coroutine method '{method}' of {name} was never awaited"));
    if let Err(raised) = warn(exc::RuntimeWarning, text.as_object(), 1, None) {
        error::write_unraisable(raised, None, None);
    }
}
