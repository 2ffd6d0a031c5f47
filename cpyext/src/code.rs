//! code.h, frameobject.h, pyframe.h, genobject.h, traceback.h: what C asks of code, frames, generators and tracebacks.

use crate::export::{Void, bad_internal_call, opt, put, str_from_c};
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn code_object(object: &PyObject) -> PyResult<&PyCodeObject> {
    object.downcast::<PyCodeObject>().ok_or_else(bad_internal_call)
}

/// The index under which C code keeps data on code objects.
static N_EXTRA: std::sync::atomic::AtomicIsize = std::sync::atomic::AtomicIsize::new(0);

pub fn request_extra_index() -> PyResult<isize> {
    Ok(N_EXTRA.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

/// An empty code object that only names a place, for tracebacks of compiled functions.
fn new_empty(filename: &CStr, function: &CStr, line: c_int) -> PyResult {
    let (filename, function) = (str_from_c(filename)?, str_from_c(function)?);
    let compile = crate::ceval::builtins_module_dict()?
        .get_str(identifier!("compile"))
        .ok_or_else(bad_internal_call)?;
    let (source, mode) = (PyUnicodeObject::from_str(""), PyUnicodeObject::from_str("exec"));
    let code = compile.call(&[source.as_object(), filename.as_object(), mode.as_object()])?;
    let line = PyLongObject::from_i64(line as i64);
    let replace = code.get_attr(identifier!("replace"))?;
    replace.call_kw(
        &[],
        &[
            ("co_name", function.as_object()),
            ("co_qualname", function.as_object()),
            ("co_firstlineno", line.as_object()),
        ],
    )
}

fn attribute(object: &PyObject, name: &PyUnicodeObject) -> PyResult {
    object.get_attr(name)
}

capi! {
    fn PyCode_NewEmpty(filename: &CStr, function: &CStr, line: c_int) -> PyResult { new_empty(filename, function, line) }
    fn PyCode_GetCode(code: &PyObject) -> PyResult { attribute(code, identifier!("co_code")) }
    fn PyCode_GetVarnames(code: &PyObject) -> PyResult { attribute(code, identifier!("co_varnames")) }
    fn PyCode_GetCellvars(code: &PyObject) -> PyResult { attribute(code, identifier!("co_cellvars")) }
    fn PyCode_GetFreevars(code: &PyObject) -> PyResult { attribute(code, identifier!("co_freevars")) }
    fn PyCode_Addr2Line(code: &PyObject, _offset: c_int) -> PyResult<c_int> { Ok(code_object(code)?.co_firstlineno.get()) }
    fn PyUnstable_Code_GetExtra(code: &PyObject, index: isize, place: *mut *mut c_void) -> PyResult<()> {
        let table = code_object(code)?.co_extra.get().cast::<Vec<*mut c_void>>();
        // SAFETY: the field is NULL or a table of ours; C gives a place.
        unsafe {
            let value = table.as_ref().and_then(|table| table.get(index as usize)).copied();
            put(place, value.unwrap_or(std::ptr::null_mut()));
        }
        Ok(())
    }
    fn PyUnstable_Code_SetExtra(code: &PyObject, index: isize, value: *mut c_void) -> PyResult<()> {
        let code = code_object(code)?;
        if code.co_extra.get().is_null() {
            code.co_extra.set(Box::into_raw(Box::new(Vec::<*mut c_void>::new())).cast());
        }
        // SAFETY: a table of ours.
        let table = unsafe { &mut *code.co_extra.get().cast::<Vec<*mut c_void>>() };
        if table.len() <= index as usize {
            table.resize(index as usize + 1, std::ptr::null_mut());
        }
        table[index as usize] = value;
        Ok(())
    }

    fn PyFrame_GetBack(frame: &PyObject) -> PyResult<Option<Ref>> {
        let back = attribute(frame, identifier!("f_back"))?;
        Ok(if is_none(&back) { None } else { Some(back) })
    }
    fn PyFrame_GetCode(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_code")) }
    fn PyFrame_GetLineNumber(frame: &PyObject) -> c_int {
        let line = attribute(frame, identifier!("f_lineno")).and_then(|line| {
            if is_none(&line) { Ok(-1) } else { crate::longobject::as_c_int(&line) }
        });
        line.unwrap_or_else(|raised| { raised.clear(); -1 })
    }
    fn PyFrame_GetLasti(frame: &PyObject) -> PyResult<c_int> {
        crate::longobject::as_c_int(&*attribute(frame, identifier!("f_lasti"))?)
    }
    fn PyFrame_GetLocals(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_locals")) }
    fn PyFrame_GetGlobals(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_globals")) }
    fn PyFrame_GetBuiltins(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_builtins")) }
    fn PyFrame_GetGenerator(frame: &PyObject) -> PyResult<Option<Ref>> {
        Ok(frame.get_attr_opt(identifier!("f_generator"))?.filter(|generator| !is_none(generator)))
    }
    fn PyFrame_GetVar(frame: &PyObject, name: &PyObject) -> PyResult { frame_var(frame, name) }
    fn PyFrame_GetVarString(frame: &PyObject, name: crate::export::Name) -> PyResult { frame_var(frame, name.as_object()) }
    fn PyFrame_FastToLocalsWithError(_frame: *mut PyObject) -> c_int { 0 }
    fn PyFrame_FastToLocals(_frame: *mut PyObject) -> Void { Void }
    fn PyFrame_LocalsToFast(_frame: *mut PyObject, _clear: c_int) -> Void { Void }

    fn PyGen_GetCode(generator: &PyObject) -> PyResult { attribute(generator, identifier!("gi_code")) }
    fn PyTraceBack_Print(traceback: Option<&PyObject>, file: &PyObject) -> PyResult<()> {
        let Some(traceback) = traceback else { return Ok(()) };
        let module = crate::import::import_module("traceback")?;
        module.call_method(identifier!("print_tb"), &[traceback, none(), file]).map(drop)
    }
    fn _PyGen_SetStopIterationValue(value: &PyObject) -> PyResult<()> {
        let exception = adder_runtime::exceptions::exc::StopIteration.as_object().call1(value)?;
        let _ = adder_runtime::error::raise_exception(exception);
        Ok(())
    }
    /// The value of the StopIteration that is set, None when nothing is; -1 for another exception.
    fn _PyGen_FetchStopIterationValue(place: *mut *mut PyObject) -> PyResult<()> {
        let value = if !adder_runtime::error::occurred() {
            none_ref()
        } else {
            let raised = Raised::assume();
            if !raised.matches(adder_runtime::exceptions::exc::StopIteration) {
                // SAFETY: C gives a place.
                unsafe { put(place, std::ptr::null_mut()) };
                return Err(raised);
            }
            let exception = raised.take();
            // SAFETY: a StopIteration owns its value.
            unsafe { opt(exception.cast_unchecked::<PyStopIterationObject>().value.get()) }.unwrap_or(none()).to_ref()
        };
        // SAFETY: C gives a place.
        unsafe { put(place, value.into_raw()) };
        Ok(())
    }
}

fn frame_var(frame: &PyObject, name: &PyObject) -> PyResult {
    let locals = attribute(frame, identifier!("f_locals"))?;
    match crate::abstract_::optional_item(&locals, name)? {
        Some(value) => Ok(value),
        None => Err(raise!(
            NameError,
            "variable {} does not exist",
            name.repr()?.to_string_lossy()
        )),
    }
}
