//! pythonrun.h, marshal.h and fileobject.h on C streams: running programs from files, objects in files.

use crate::export::{Void, str_from_c};
use adder_runtime::prelude::*;
use std::ffi::{CStr, CString};

/// Everything that is left in a C stream.
fn read_all(file: *mut libc::FILE) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut block = [0u8; 8192];
    loop {
        // SAFETY: C gives an open stream.
        let n_read = unsafe { libc::fread(block.as_mut_ptr().cast(), 1, block.len(), file) };
        if n_read == 0 {
            return bytes;
        }
        bytes.extend_from_slice(&block[..n_read]);
    }
}

fn close_if(file: *mut libc::FILE, close: c_int) {
    if close != 0 {
        // SAFETY: C gives the stream away.
        unsafe { libc::fclose(file) };
    }
}

/// Runs a file's text with names that C gives.
fn run_file(
    file: *mut libc::FILE,
    filename: &CStr,
    start: c_int,
    globals: &PyObject,
    locals: Option<&PyObject>,
    close: c_int,
    flags: *const PyCompilerFlags,
) -> PyResult {
    let source = read_all(file);
    close_if(file, close);
    let Ok(source) = CString::new(source) else {
        return Err(raise!(SyntaxError, "source code cannot contain null bytes"));
    };
    let code = crate::ceval::compile(&source, str_from_c(filename)?.as_object(), start, flags, -1)?;
    crate::ceval::eval_code(&code, globals, locals)
}

/// Runs a file in `__main__` and prints what it raises.
fn run_simple_file(
    file: *mut libc::FILE,
    filename: Option<&CStr>,
    close: c_int,
    flags: *const PyCompilerFlags,
) -> c_int {
    let filename = filename.unwrap_or(c"???");
    let result = crate::import::import_module("__main__").and_then(|main| {
        let globals = crate::moduleobject::dict_of(&main)?.to_ref();
        let had_file = globals.get_str(identifier!("__file__")).is_some();
        if !had_file {
            globals.set_str(identifier!("__file__"), str_from_c(filename)?.as_object())?;
        }
        let result = run_file(
            file,
            filename,
            Py_file_input,
            globals.as_object(),
            None,
            close,
            flags,
        );
        if !had_file {
            let pending = adder_runtime::error::fetch();
            globals.remove(identifier!("__file__").as_object())?;
            if let Some(exception) = pending {
                let _ = adder_runtime::error::restore(exception);
            }
        }
        result
    });
    match result {
        Ok(_) => 0,
        Err(_) => {
            crate::pylifecycle::print_and_clear();
            -1
        }
    }
}

/// Runs the rest of a stream as one input of the prompt: values are printed, errors shown.
fn interactive(
    file: *mut libc::FILE,
    filename: Option<&CStr>,
    flags: *const PyCompilerFlags,
) -> PyResult<c_int> {
    let source = read_all(file);
    let Ok(source) = CString::new(source) else {
        return Ok(-1);
    };
    let main = crate::import::import_module("__main__")?;
    let globals = crate::moduleobject::dict_of(&main)?.to_ref();
    let filename = str_from_c(filename.unwrap_or(c"<stdin>"))?;
    let code = crate::ceval::compile(&source, filename.as_object(), Py_single_input, flags, -1);
    let result = code.and_then(|code| crate::ceval::eval_code(&code, globals.as_object(), None));
    if result.is_err() {
        crate::pylifecycle::print_and_clear();
        return Ok(-1);
    }
    Ok(0)
}

/// `marshal.loads` of the rest of a stream, which is left behind the object.
fn read_object(file: *mut libc::FILE) -> PyResult {
    // SAFETY: C gives an open stream.
    let at = unsafe { libc::ftell(file) };
    let bytes = read_all(file);
    let reader = crate::import::import_module("io")?.call_method(
        identifier!("BytesIO"),
        &[PyBytesObject::from_slice(&bytes).as_object()],
    )?;
    let object = crate::import::import_module("marshal")?.call_method(identifier!("load"), &[&reader])?;
    let n_used = crate::longobject::as_c_long(&*reader.call_method(identifier!("tell"), &[])?)?;
    if at >= 0 {
        // SAFETY: as above.
        unsafe { libc::fseek(file, at + n_used, libc::SEEK_SET) };
    }
    Ok(object)
}

/// A little-endian number of `N` bytes.
fn read_number<const N: usize>(file: *mut libc::FILE) -> PyResult<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: C gives an open stream.
    if unsafe { libc::fread(bytes.as_mut_ptr().cast(), 1, N, file) } < N {
        return Err(raise!(EOFError, "EOF read where data expected"));
    }
    Ok(bytes)
}

fn write_bytes(file: *mut libc::FILE, bytes: &[u8]) {
    // SAFETY: C gives an open stream.
    unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), file) };
}

capi! {
    fn Py_CompileStringFlags(source: &CStr, filename: &CStr, start: c_int, flags: *mut PyCompilerFlags) -> PyResult {
        crate::ceval::compile(source, str_from_c(filename)?.as_object(), start, flags, -1)
    }
    fn PyRun_File(file: *mut libc::FILE, name: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>) -> PyResult {
        run_file(file, name, start, globals, locals, 0, std::ptr::null())
    }
    fn PyRun_FileEx(
        file: *mut libc::FILE, name: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>, close: c_int
    ) -> PyResult {
        run_file(file, name, start, globals, locals, close, std::ptr::null())
    }
    fn PyRun_FileFlags(
        file: *mut libc::FILE, name: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>, flags: *mut PyCompilerFlags
    ) -> PyResult {
        run_file(file, name, start, globals, locals, 0, flags)
    }
    fn PyRun_FileExFlags(
        file: *mut libc::FILE, name: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>, close: c_int,
        flags: *mut PyCompilerFlags
    ) -> PyResult {
        run_file(file, name, start, globals, locals, close, flags)
    }
    fn PyRun_SimpleFile(file: *mut libc::FILE, name: Option<&CStr>) -> c_int { run_simple_file(file, name, 0, std::ptr::null()) }
    fn PyRun_SimpleFileEx(file: *mut libc::FILE, name: Option<&CStr>, close: c_int) -> c_int {
        run_simple_file(file, name, close, std::ptr::null())
    }
    fn PyRun_SimpleFileExFlags(file: *mut libc::FILE, name: Option<&CStr>, close: c_int, flags: *mut PyCompilerFlags) -> c_int {
        run_simple_file(file, name, close, flags)
    }
    fn PyRun_AnyFile(file: *mut libc::FILE, name: Option<&CStr>) -> c_int { run_simple_file(file, name, 0, std::ptr::null()) }
    fn PyRun_AnyFileEx(file: *mut libc::FILE, name: Option<&CStr>, close: c_int) -> c_int {
        run_simple_file(file, name, close, std::ptr::null())
    }
    fn PyRun_AnyFileFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> c_int {
        run_simple_file(file, name, 0, flags)
    }
    fn PyRun_AnyFileExFlags(file: *mut libc::FILE, name: Option<&CStr>, close: c_int, flags: *mut PyCompilerFlags) -> c_int {
        run_simple_file(file, name, close, flags)
    }
    fn PyRun_InteractiveOne(file: *mut libc::FILE, name: Option<&CStr>) -> PyResult<c_int> { interactive(file, name, std::ptr::null()) }
    fn PyRun_InteractiveOneFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> PyResult<c_int> {
        interactive(file, name, flags)
    }
    fn PyRun_InteractiveOneObject(file: *mut libc::FILE, _name: *mut PyObject, flags: *mut PyCompilerFlags) -> PyResult<c_int> {
        interactive(file, None, flags)
    }
    fn PyRun_InteractiveLoop(file: *mut libc::FILE, name: Option<&CStr>) -> PyResult<c_int> { interactive(file, name, std::ptr::null()) }
    fn PyRun_InteractiveLoopFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> PyResult<c_int> {
        interactive(file, name, flags)
    }

    fn PyMarshal_ReadObjectFromFile(file: *mut libc::FILE) -> PyResult { read_object(file) }
    fn PyMarshal_ReadLastObjectFromFile(file: *mut libc::FILE) -> PyResult { read_object(file) }
    fn PyMarshal_ReadLongFromFile(file: *mut libc::FILE) -> PyResult<i64> {
        Ok(i64::from(i32::from_le_bytes(read_number(file)?)))
    }
    fn PyMarshal_ReadShortFromFile(file: *mut libc::FILE) -> PyResult<c_int> {
        Ok(c_int::from(i16::from_le_bytes(read_number(file)?)))
    }
    fn PyMarshal_WriteLongToFile(value: i64, file: *mut libc::FILE, _version: c_int) -> Void {
        write_bytes(file, &(value as i32).to_le_bytes());
        Void
    }
    fn PyMarshal_WriteObjectToFile(object: &PyObject, file: *mut libc::FILE, version: c_int) -> Void {
        let written = crate::import::import_module("marshal").and_then(|marshal| {
            let version = PyLongObject::from_i64(version as i64);
            marshal.call_method(identifier!("dumps"), &[object, version.as_object()])
        });
        if let Some(bytes) = written.as_ref().ok().and_then(|bytes| (**bytes).downcast::<PyBytesObject>()) {
            write_bytes(file, bytes.as_bytes());
        }
        Void
    }
    fn PyFile_OpenCode(path: &CStr) -> PyResult { open_code(str_from_c(path)?.as_object()) }
    fn PyFile_OpenCodeObject(path: &PyObject) -> PyResult { open_code(path) }
    fn Py_FdIsInteractive(file: *mut libc::FILE, _name: *const c_char) -> c_int {
        // SAFETY: C gives an open stream.
        unsafe { libc::isatty(libc::fileno(file)) }
    }
    fn Py_GETENV(name: &CStr) -> *mut c_char {
        // SAFETY: a terminated name.
        unsafe { libc::getenv(name.as_ptr()) }
    }
    fn PyErr_ProgramTextObject(_filename: *mut PyObject, _line: c_int) -> Option<Ref> { None }
    fn PyConfig_Get(name: &CStr) -> PyResult { config_value(name) }
    fn PyConfig_GetInt(name: &CStr, place: *mut c_int) -> PyResult<()> {
        let value = config_value(name)?;
        if !PyLongObject::check(&value) {
            return Err(raise!(TypeError, "config option {} is not an int", name.to_string_lossy()));
        }
        let value = crate::longobject::as_c_int(&value)?;
        // SAFETY: C gives a place.
        unsafe { crate::export::put(place, value) };
        Ok(())
    }
    fn PyStatus_Ok() -> PyStatusValue { PyStatusValue { kind: 0, func: std::ptr::null(), message: std::ptr::null(), exitcode: 0 } }
    fn PyStatus_Error(message: *const c_char) -> PyStatusValue {
        PyStatusValue { kind: 1, func: std::ptr::null(), message, exitcode: 0 }
    }
    fn PyStatus_NoMemory() -> PyStatusValue {
        PyStatusValue { kind: 1, func: std::ptr::null(), message: c"memory allocation failed".as_ptr(), exitcode: 0 }
    }
    fn PyStatus_Exit(exitcode: c_int) -> PyStatusValue {
        PyStatusValue { kind: 2, func: std::ptr::null(), message: std::ptr::null(), exitcode }
    }
    fn PyStatus_Exception(status: PyStatusValue) -> c_int { c_int::from(status.kind != 0) }
    fn PyStatus_IsError(status: PyStatusValue) -> c_int { c_int::from(status.kind == 1) }
    fn PyStatus_IsExit(status: PyStatusValue) -> c_int { c_int::from(status.kind == 2) }
}

/// `PyStatus` by value.
#[repr(C)]
pub struct PyStatusValue {
    kind: c_int,
    func: *const c_char,
    message: *const c_char,
    exitcode: c_int,
}

impl crate::export::CArg for PyStatusValue {
    type C = PyStatusValue;
    unsafe fn from_c(value: PyStatusValue) -> PyResult<PyStatusValue> {
        Ok(value)
    }
}

impl crate::export::CValue for PyStatusValue {
    type C = PyStatusValue;
    const ERROR: PyStatusValue = PyStatusValue {
        kind: 1,
        func: std::ptr::null(),
        message: std::ptr::null(),
        exitcode: 0,
    };
    fn into_c(self) -> PyStatusValue {
        self
    }
}

fn open_code(path: &PyObject) -> PyResult {
    let mode = PyUnicodeObject::from_str("rb");
    crate::import::import_module("_io")?.call_method(identifier!("open"), &[path, mode.as_object()])
}

/// A configuration option that `sys` or `sys.flags` shows.
fn config_value(name: &CStr) -> PyResult {
    let name_text = name.to_string_lossy();
    let name = PyUnicodeObject::intern(str_from_c(name)?);
    let attribute = match &*name_text {
        "module_search_paths" => "path",
        "xoptions" => "_xoptions",
        other => other,
    };
    let sys = crate::import::import_module("sys")?;
    if let Some(value) = sys.get_attr_opt(&PyUnicodeObject::intern(PyUnicodeObject::from_str(attribute)))? {
        return Ok(value);
    }
    let flags = sys.get_attr(identifier!("flags"))?;
    match flags.get_attr_opt(&name)? {
        Some(value) => Ok(value),
        None if name_text == "code_debug_ranges" => {
            Ok(py_bool(adder_interp::pylifecycle::config().code_debug_ranges))
        }
        None => Err(raise!(ValueError, "unknown config option name: {name_text}")),
    }
}

/// Names that C must find defined although nothing here can be behind them: the one place that says so.
#[rustfmt::skip]
mod refused {
    use super::*;

    macro_rules! refused {
        ($($name:ident)*) => {
            capi! { $(fn $name() -> PyResult<c_int> { Err(raise!(NotImplementedError, concat!(stringify!($name), " is not supported"))) })* }
        };
    }
    refused! {
        PyConfig_Names PyConfig_Set PyCode_ClearWatcher PyContext_ClearWatcher PyDict_ClearWatcher PyDict_Unwatch PyDict_Watch
        PyFunction_ClearWatcher PyType_ClearWatcher PyType_Unwatch PyType_Watch
        PyRefTracer_SetTracer
    }
    capi! {
        fn PyFile_NewStdPrinter(_fd: c_int) -> PyResult {
            Err(raise!(NotImplementedError, "PyFile_NewStdPrinter is not supported"))
        }
        fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> *mut c_void {
            if !data.is_null() {
                // SAFETY: C gives a place.
                unsafe { crate::export::put(data, std::ptr::null_mut()) };
            }
            std::ptr::null_mut()
        }
    }
}
