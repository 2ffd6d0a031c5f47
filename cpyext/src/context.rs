//! context.h: context variables, by the module `_contextvars`.

use crate::export::{Name, OutRef, put};
use adder_runtime::hooks::{CONTEXT, ContextHooks};
use adder_runtime::prelude::*;

fn class(name: &PyUnicodeObject) -> PyResult {
    crate::import::import_module("_contextvars")?.get_attr(name)
}

fn hooks() -> PyResult<&'static ContextHooks> {
    if CONTEXT.get().is_none() {
        crate::import::import_module("_contextvars")?;
    }
    CONTEXT
        .get()
        .ok_or_else(|| raise!(SystemError, "_contextvars is not there"))
}

capi! {
    fn PyContext_New() -> PyResult { class(identifier!("Context"))?.call0() }
    fn PyContext_Copy(context: &PyObject) -> PyResult { context.call_method(identifier!("copy"), &[]) }
    fn PyContext_Enter(context: &PyObject) -> PyResult<()> { (hooks()?.enter)(context) }
    fn PyContext_Exit(context: &PyObject) -> PyResult<()> { (hooks()?.exit)(context) }
    fn PyContext_CopyCurrent() -> PyResult { class(identifier!("copy_context"))?.call0() }
    fn PyContextVar_New(name: Name, default: Option<&PyObject>) -> PyResult {
        let class = class(identifier!("ContextVar"))?;
        match default {
            Some(default) => class.call_kw(&[name.as_object()], &[("default", default)]),
            None => class.call1(name.as_object()),
        }
    }
    /// NULL without an exception when the variable has neither value nor default.
    fn PyContextVar_Get(var: &PyObject, default: Option<&PyObject>, place: OutRef) -> PyResult<()> {
        // Compiled code asks with an exception set, which stays.
        let pending = adder_runtime::error::fetch();
        let value = hooks().and_then(|hooks| (hooks.get)(var, default));
        let (raw, result) = match value {
            Ok(value) => (value.map_or(std::ptr::null_mut(), Ref::into_raw), Ok(())),
            Err(raised) => (std::ptr::null_mut(), Err(raised)),
        };
        // SAFETY: C gives a place.
        unsafe { put(place.0, raw) };
        if let (true, Some(exception)) = (result.is_ok(), pending) {
            let _ = adder_runtime::error::restore(exception);
        }
        result
    }
    fn PyContextVar_Set(var: &PyObject, value: &PyObject) -> PyResult { var.call_method(identifier!("set"), &[value]) }
    fn PyContextVar_Reset(var: &PyObject, token: &PyObject) -> PyResult<()> {
        var.call_method(identifier!("reset"), &[token]).map(drop)
    }
}
