//! context.h: context variables, by the module `_contextvars`.

use crate::export::{Name, OutRef, put};
use adder_runtime::prelude::*;

fn class(name: &PyUnicodeObject) -> PyResult {
    crate::import::import_module("_contextvars")?.get_attr(name)
}

capi! {
    fn PyContext_New() -> PyResult { class(identifier!("Context"))?.call0() }
    fn PyContext_Copy(context: &PyObject) -> PyResult { context.call_method(identifier!("copy"), &[]) }
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
        let value = match default {
            Some(default) => var.call_method(identifier!("get"), &[default]).map(Some),
            None => match var.call_method(identifier!("get"), &[]) {
                Ok(value) => Ok(Some(value)),
                Err(raised) => raised.clear_if(adder_runtime::exceptions::exc::LookupError).map(|()| None),
            },
        };
        let (raw, result) = match value {
            Ok(value) => (value.map_or(std::ptr::null_mut(), Ref::into_raw), Ok(())),
            Err(raised) => (std::ptr::null_mut(), Err(raised)),
        };
        // SAFETY: C gives a place.
        unsafe { put(place.0, raw) };
        result
    }
    fn PyContextVar_Set(var: &PyObject, value: &PyObject) -> PyResult { var.call_method(identifier!("set"), &[value]) }
    fn PyContextVar_Reset(var: &PyObject, token: &PyObject) -> PyResult<()> {
        var.call_method(identifier!("reset"), &[token]).map(drop)
    }
}
