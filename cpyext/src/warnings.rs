//! warnings.h: warnings from C.

use crate::export::{str_from_c, str_from_utf8};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// Issues a warning: `warnings.warn(message, category, stacklevel, source)`.
pub fn warn(
    category: Option<&PyObject>,
    message: &PyObject,
    stack_level: isize,
    source: Option<&PyObject>,
) -> PyResult<()> {
    let category = category.unwrap_or(exc::RuntimeWarning.as_object());
    let level = PyLongObject::from_i64(stack_level as i64);
    let Some(warnings) = adder_interp::warnings::native() else {
        return Ok(());
    };
    let mut args = vec![message, category, level.as_object()];
    args.extend(source);
    warnings.call_method(identifier!("warn"), &args).map(drop)
}

pub fn warn_explicit(
    category: Option<&PyObject>,
    message: &PyObject,
    filename: &PyObject,
    line: c_int,
    module: Option<&PyObject>,
    registry: Option<&PyObject>,
) -> PyResult<()> {
    let category = category.unwrap_or(exc::RuntimeWarning.as_object());
    let line = PyLongObject::from_i64(line as i64);
    let Some(warnings) = adder_interp::warnings::native() else {
        return Ok(());
    };
    let args = [
        message,
        category,
        filename,
        line.as_object(),
        module.unwrap_or(none()),
        registry.unwrap_or(none()),
    ];
    warnings
        .call_method(identifier!("warn_explicit"), &args)
        .map(drop)
}

capi! {
    fn PyErr_WarnEx(category: Option<&PyObject>, message: &CStr, stack_level: isize) -> PyResult<()> {
        warn(category, str_from_c(message)?.as_object(), stack_level, None)
    }
    fn PyErr_Warn(category: Option<&PyObject>, message: &CStr) -> PyResult<()> {
        warn(category, str_from_c(message)?.as_object(), 1, None)
    }
    fn PyErr_WarnExplicit(
        category: Option<&PyObject>, message: &CStr, filename: &CStr, line: c_int, module: Option<&CStr>,
        registry: Option<&PyObject>
    ) -> PyResult<()> {
        let (message, filename) = (str_from_c(message)?, str_from_utf8(filename.to_bytes())?);
        let module = module.map(str_from_c).transpose()?;
        warn_explicit(
            category, message.as_object(), filename.as_object(), line, module.as_ref().map(|module| module.as_object()), registry,
        )
    }
    fn PyErr_WarnExplicitObject(
        category: Option<&PyObject>, message: &PyObject, filename: &PyObject, line: c_int, module: Option<&PyObject>,
        registry: Option<&PyObject>
    ) -> PyResult<()> {
        warn_explicit(category, message, filename, line, module, registry)
    }
}
