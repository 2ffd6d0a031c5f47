//! pythonrun.h, marshal.h and fileobject.h on C streams: running programs from files, objects in files.

use crate::export::{Void, str_from_c};
use crate::osmodule::fs_text;
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
    let code = crate::ceval::compile(&source, fs_text(filename).as_object(), start, flags, -1)?;
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
            globals.set_str(identifier!("__file__"), fs_text(filename).as_object())?;
        }
        if filename != c"<stdin>" {
            let loader = crate::import::import_module("importlib._bootstrap_external")?.call_method(
                identifier!("SourceFileLoader"),
                &[
                    PyUnicodeObject::from_str("__main__").as_object(),
                    fs_text(filename).as_object(),
                ],
            )?;
            globals.set_str(identifier!("__loader__"), &loader)?;
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
            adder_runtime::error::preserving_exception(|| {
                globals
                    .remove(identifier!("__file__").as_object())
                    .map_or_else(|_| crate::pylifecycle::print_and_clear(), drop);
            });
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

/// One line of a C stream, with its end; empty at the end of the stream.
fn read_line(file: *mut libc::FILE) -> Vec<u8> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        // SAFETY: C gives an open stream.
        match unsafe { libc::fgetc(file) } {
            libc::EOF => break,
            byte => line.push(byte as u8),
        }
    }
    line
}

/// Shows `sys.ps1` or `sys.ps2`.
fn prompt(name: &PyUnicodeObject, default: &str) {
    let text =
        crate::sysmodule::sys_attribute_opt(name).and_then(|text| text.str().map_err(Raised::clear).ok());
    eprint!(
        "{}",
        text.map_or_else(|| default.to_owned(), |text| text.to_string_lossy())
    );
}

/// The next statement of a prompt's stream, compiled; `None` at its end.
fn read_statement(
    file: *mut libc::FILE,
    filename: &PyObject,
    flags: *const PyCompilerFlags,
) -> PyResult<Option<Ref>> {
    if !PyUnicodeObject::check(filename) {
        return Err(raise!(
            TypeError,
            "filename must be a string, not {}",
            filename.ty().name()
        ));
    }
    let single = PyUnicodeObject::from_str("single");
    let mut source = Vec::new();
    prompt(identifier!("ps1"), ">>> ");
    loop {
        let line = read_line(file);
        let at_end = line.is_empty();
        if at_end && source.is_empty() {
            return Ok(None);
        }
        source.extend(line);
        if at_end {
            let Ok(source) = CString::new(source) else {
                return Err(raise!(SyntaxError, "source code cannot contain null bytes"));
            };
            return crate::ceval::compile(&source, filename, Py_single_input, flags, -1).map(Some);
        }
        let text = PyUnicodeObject::from_str(&String::from_utf8_lossy(&source));
        let code = crate::import::import_module("codeop")?.call_method(
            identifier!("compile_command"),
            &[text.as_object(), filename, single.as_object()],
        )?;
        if !is_none(&code) {
            return Ok(Some(code));
        }
        prompt(identifier!("ps2"), "... ");
    }
}

/// What `PyRun_InteractiveOne` gives at the end of the stream.
const AT_END: c_int = 11;

/// Runs one statement of a prompt's stream: values are printed, errors shown.
fn interactive_one(file: *mut libc::FILE, filename: &PyObject, flags: *const PyCompilerFlags) -> c_int {
    let result = read_statement(file, filename, flags).and_then(|code| {
        let Some(code) = code else { return Ok(AT_END) };
        let main = crate::import::import_module("__main__")?;
        let globals = crate::moduleobject::dict_of(&main)?.to_ref();
        crate::ceval::eval_code(&code, globals.as_object(), None).map(|_| 0)
    });
    result.unwrap_or_else(|_| {
        crate::pylifecycle::print_and_clear();
        -1
    })
}

/// Runs the statements of a stream up to its end.
fn interactive_loop(file: *mut libc::FILE, filename: Option<&CStr>, flags: *const PyCompilerFlags) -> c_int {
    let filename = fs_text(filename.unwrap_or(c"<stdin>"));
    while interactive_one(file, filename.as_object(), flags) != AT_END {}
    0
}

/// A terminal is a prompt, anything else a program.
fn run_any_file(
    file: *mut libc::FILE,
    filename: Option<&CStr>,
    close: c_int,
    flags: *const PyCompilerFlags,
) -> c_int {
    // SAFETY: C gives an open stream.
    if unsafe { libc::isatty(libc::fileno(file)) } != 0 {
        let status = interactive_loop(file, filename, flags);
        close_if(file, close);
        return status;
    }
    run_simple_file(file, filename, close, flags)
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
        crate::ceval::compile(source, crate::osmodule::fs_text(filename).as_object(), start, flags, -1)
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
    fn PyRun_AnyFile(file: *mut libc::FILE, name: Option<&CStr>) -> c_int { run_any_file(file, name, 0, std::ptr::null()) }
    fn PyRun_AnyFileEx(file: *mut libc::FILE, name: Option<&CStr>, close: c_int) -> c_int {
        run_any_file(file, name, close, std::ptr::null())
    }
    fn PyRun_AnyFileFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> c_int {
        run_any_file(file, name, 0, flags)
    }
    fn PyRun_AnyFileExFlags(file: *mut libc::FILE, name: Option<&CStr>, close: c_int, flags: *mut PyCompilerFlags) -> c_int {
        run_any_file(file, name, close, flags)
    }
    fn PyRun_InteractiveOne(file: *mut libc::FILE, name: Option<&CStr>) -> c_int {
        interactive_one(file, fs_text(name.unwrap_or(c"<stdin>")).as_object(), std::ptr::null())
    }
    fn PyRun_InteractiveOneFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> c_int {
        interactive_one(file, fs_text(name.unwrap_or(c"<stdin>")).as_object(), flags)
    }
    fn PyRun_InteractiveOneObject(file: *mut libc::FILE, name: &PyObject, flags: *mut PyCompilerFlags) -> c_int {
        interactive_one(file, name, flags)
    }
    fn PyRun_InteractiveLoop(file: *mut libc::FILE, name: Option<&CStr>) -> c_int { interactive_loop(file, name, std::ptr::null()) }
    fn PyRun_InteractiveLoopFlags(file: *mut libc::FILE, name: Option<&CStr>, flags: *mut PyCompilerFlags) -> c_int {
        interactive_loop(file, name, flags)
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
    fn PyFile_NewStdPrinter(fd: c_int) -> PyResult {
        if fd != libc::STDOUT_FILENO && fd != libc::STDERR_FILENO {
            return Err(crate::export::bad_internal_call());
        }
        StdPrinter::new(fd).map(Ref::into_object)
    }
    /// -1 when there is a hook already.
    fn PyFile_SetOpenCodeHook(hook: *mut c_void, data: *mut c_void) -> c_int {
        // SAFETY: C gives a hook.
        let hook = unsafe { std::mem::transmute::<*mut c_void, OpenCodeHook>(hook) };
        if OPEN_CODE_HOOK.set((hook, data as usize)).is_ok() { 0 } else { -1 }
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
}

type OpenCodeHook = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> *mut PyObject;
/// What opens code in place of `open(path, "rb")`, and its argument.
static OPEN_CODE_HOOK: std::sync::OnceLock<(OpenCodeHook, usize)> = std::sync::OnceLock::new();

fn open_code(path: &PyObject) -> PyResult {
    if let Some((hook, data)) = OPEN_CODE_HOOK.get() {
        // SAFETY: the hook's contract is the manual's: a new reference, or NULL with an exception.
        return unsafe { Ref::from_owned_opt(hook(path.as_ptr(), *data as *mut c_void)) }
            .ok_or_else(|| Raised::from_c("open_code hook"));
    }
    let mode = PyUnicodeObject::from_str("rb");
    crate::import::import_module("_io")?.call_method(identifier!("open"), &[path, mode.as_object()])
}

/// What prints before there is an `io` module: text goes to a file descriptor, nothing is kept back.
#[repr(C)]
pub struct StdPrinter {
    ob_base: PyObject,
    fd: c_int,
}

#[pytype(
    name = "stderrprinter",
    static_name = PyStdPrinter_Type,
    flags = DISALLOW_INSTANTIATION,
)]
impl StdPrinter {
    fn new(fd: c_int) -> PyResult<Ref<StdPrinter>> {
        adder_runtime::types::ready(&PyStdPrinter_Type)?;
        Ref::new(StdPrinter {
            ob_base: adder_runtime::memory::blank_header(),
            fd,
        })
    }
    #[slot]
    fn tp_repr(&self) -> String {
        format!("<stdprinter(fd={}) object at {:p}>", self.fd, self)
    }
    /// Writes text, gives the number of bytes.
    #[method("($self, text, /)")]
    fn write(&self, text: &PyUnicodeObject) -> PyResult<usize> {
        let bytes = crate::unicodeobject::encode(text, "utf-8", Some(c"backslashreplace"))?;
        let bytes = bytes.as_bytes();
        let mut n_written = 0;
        while n_written < bytes.len() {
            let rest = &bytes[n_written..];
            // SAFETY: the pointer and the length are those of the slice.
            match unsafe { libc::write(self.fd, rest.as_ptr().cast(), rest.len()) } {
                n if n < 0 => return Err(crate::pyerrors::raise_errno(None, None)),
                n => n_written += n as usize,
            }
        }
        Ok(n_written)
    }
    /// Nothing is kept back.
    #[method("($self, /)")]
    fn flush(&self) {}
    /// The descriptor stays open.
    #[method("($self, /)")]
    fn close(&self) {}
    /// The file descriptor.
    #[method("($self, /)")]
    fn fileno(&self) -> i32 {
        self.fd
    }
    /// Whether it is a terminal.
    #[method("($self, /)")]
    fn isatty(&self) -> bool {
        // SAFETY: a query.
        unsafe { libc::isatty(self.fd) != 0 }
    }
    #[getter]
    fn closed(&self) -> bool {
        false
    }
    #[getter]
    fn encoding(&self) -> Option<Ref> {
        None
    }
    #[getter]
    fn mode(&self) -> &'static str {
        "w"
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
        PyRefTracer_SetTracer
    }
    capi! {
        fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> *mut c_void {
            if !data.is_null() {
                // SAFETY: C gives a place.
                unsafe { crate::export::put(data, std::ptr::null_mut()) };
            }
            std::ptr::null_mut()
        }
    }
}
