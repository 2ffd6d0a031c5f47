//! Running code: code objects in namespaces, source text and files as `__main__`, what becomes of their exceptions.

use crate::code;
use crate::state;
use adder_compiler::{CompileOpts, Mode};
use adder_runtime::abi::*;
use adder_runtime::error;
use adder_runtime::exceptions::exc;
use adder_runtime::hooks::sys_attribute;
use adder_runtime::prelude::*;

/// Runs code that is no function in a namespace.
pub fn run_code(code: &PyCodeObject, globals: &PyDictObject, locals: Option<Ref>) -> PyResult {
    run_code_with_closure(code, globals, locals, None)
}

pub fn run_code_with_closure(
    code: &PyCodeObject,
    globals: &PyDictObject,
    locals: Option<Ref>,
    closure: Option<&PyObject>,
) -> PyResult {
    let builtins = match globals.get_str(identifier!("__builtins__")) {
        Some(builtins) => adder_runtime::objects::funcobject::builtins_dict(builtins)?,
        None => match state::builtins_dict() {
            Some(builtins) => builtins.into_object(),
            None => PyDictObject::new().into_object(),
        },
    };
    let function = PyFunctionObject::from_code(code, globals, &builtins)?;
    function.set_closure(closure.map(PyObject::to_ref));
    let locals = locals.unwrap_or_else(|| globals.to_object());
    crate::call::run_in_locals(function, locals)
}

/// The dict of `__main__`, which is made on demand.
pub fn main_dict() -> PyResult<Ref<PyDictObject>> {
    let modules = crate::import::modules()?;
    let name = identifier!("__main__");
    if let Some(module) = crate::import::loaded_module(name)
        && let Ok(module) = module.downcast::<PyModuleObject>()
    {
        return Ok(module.dict().to_ref());
    }
    let module = PyModuleObject::new("__main__")?;
    let dict = module.dict();
    if let Some(builtins) = state::BUILTINS.get() {
        dict.set_str(identifier!("__builtins__"), builtins.as_object())?;
    }
    let loader = match crate::import::loaded_module(identifier!("_frozen_importlib")) {
        Some(importlib) => importlib.get_attr(identifier!("BuiltinImporter"))?,
        None => none_ref(),
    };
    dict.set_str(identifier!("__loader__"), &loader)?;
    modules.set_item(name.as_object(), module.as_object())?;
    Ok(dict.to_ref())
}

/// Compiles and runs text as `__main__`. Tracebacks show its lines.
pub fn run_string(source: &str, filename: &str) -> PyResult {
    let filename = PyUnicodeObject::from_str(filename);
    let linecache = adder_runtime::hooks::import_module("linecache")?;
    let opts = CompileOpts {
        optimize: crate::pylifecycle::config().optimize,
        ..CompileOpts::default()
    };
    let code = code::compile_text(source, filename.as_object(), Mode::Exec, &opts)?;
    let globals = main_dict()?;
    let text = PyUnicodeObject::from_str(source);
    linecache.call_method(
        identifier!("_register_code"),
        &[code.as_object(), text.as_object(), filename.as_object()],
    )?;
    run_code(&code, &globals, None)
}

/// Compiles and runs encoded source as `__main__`.
pub fn run_bytes(source: &[u8], filename: &str) -> PyResult {
    let text = code::decode_source(source, PyUnicodeObject::from_str(filename).as_object())?;
    run_string(&text, filename)
}

/// The dict of `__main__`, which gets the name of its file and a loader of a class of importlib's.
pub fn name_main_file(filename: &PyUnicodeObject, loader: &PyUnicodeObject) -> PyResult<Ref<PyDictObject>> {
    let globals = main_dict()?;
    globals.set_str(identifier!("__file__"), filename.as_object())?;
    globals.set_str(identifier!("__cached__"), none())?;
    if let Some(external) = crate::import::loaded_module(identifier!("_frozen_importlib_external")) {
        let loader = external
            .get_attr(loader)?
            .call(&[identifier!("__main__").as_object(), filename.as_object()])?;
        globals.set_str(identifier!("__loader__"), &loader)?;
    }
    Ok(globals)
}

/// Runs a script's source as `__main__`, which gets the file's name and loader.
pub fn run_file_source(bytes: &[u8], filename: &PyUnicodeObject) -> PyResult {
    let globals = name_main_file(filename, identifier!("SourceFileLoader"))?;
    let text = code::decode_file(bytes, filename.as_object())?;
    let opts = CompileOpts {
        optimize: crate::pylifecycle::config().optimize,
        ..CompileOpts::default()
    };
    let code = code::compile_text(&text, filename.as_object(), Mode::Exec, &opts)?;
    run_code(&code, &globals, None)
}

/// Writes text to `sys.stderr`, or to the file descriptor when that is gone.
pub fn write_stderr(text: &str) {
    let stream = sys_attribute(identifier!("stderr")).filter(|stream| !is_none(stream));
    if let Some(stream) = stream {
        let object = PyUnicodeObject::from_str(text);
        match stream.call_method(identifier!("write"), &[object.as_object()]) {
            Ok(_) => return,
            Err(raised) => raised.clear(),
        }
    }
    eprint!("{text}");
}

/// Whether a program closed the stream itself.
fn is_closed(stream: &PyObject) -> bool {
    let closed = stream
        .get_attr(identifier!("closed"))
        .and_then(|closed| closed.is_true());
    closed.unwrap_or_else(|raised| {
        raised.clear();
        false
    })
}

fn flush(name: &'static PyUnicodeObject) -> PyResult<()> {
    match sys_attribute(name) {
        Some(stream) if !is_none(&stream) && !is_closed(&stream) => {
            stream.call_method(identifier!("flush"), &[]).map(drop)
        }
        _ => Ok(()),
    }
}

/// Flushes standard output and error. False when output could not be written.
pub fn flush_streams() -> bool {
    let stdout = flush(identifier!("stdout"));
    let written = stdout.is_ok();
    if let Err(raised) = stdout {
        error::write_unraisable(raised, Some("Exception ignored while flushing sys.stdout"), None);
    }
    let _ = flush(identifier!("stderr")).map_err(Raised::clear);
    written
}

/// What SystemExit says: the exit status, after its message is printed.
fn exit_status(exception: &PyObject) -> i32 {
    let code = match exception.get_attr(identifier!("code")) {
        Ok(code) => code,
        Err(raised) => {
            raised.clear();
            return 1;
        }
    };
    if is_none(&code) {
        return 0;
    }
    if let Some(number) = (*code).downcast::<PyLongObject>() {
        return number.to_i64().unwrap_or(-1) as i32;
    }
    let _ = flush(identifier!("stdout")).map_err(Raised::clear);
    // The stream knows its encoding and what to do with what that does not have.
    let stderr = adder_runtime::hooks::sys_attribute(identifier!("stderr")).filter(|stream| !is_none(stream));
    if let Some(stream) = stderr {
        let newline = PyUnicodeObject::from_str("\n");
        let written = code
            .str()
            .and_then(|text| stream.call_method(identifier!("write"), &[text.as_object()]))
            .and_then(|_| stream.call_method(identifier!("write"), &[newline.as_object()]));
        let _ = written.map_err(Raised::clear);
        let _ = flush(identifier!("stderr")).map_err(Raised::clear);
        return 1;
    }
    let text = code
        .str()
        .map(|text| text.to_string_lossy())
        .unwrap_or_else(|raised| {
            raised.clear();
            String::new()
        });
    write_stderr(&format!("{text}\n"));
    1
}

/// Handles an exception that left the main program: SystemExit ends quietly, others are printed. The exit status.
pub fn handle_uncaught(raised: Raised) -> i32 {
    let exception = raised.take();
    if exception.is_instance_of(exc::SystemExit) {
        return exit_status(&exception);
    }
    let interrupted = exception.is_instance_of(exc::KeyboardInterrupt);
    print_exception(exception);
    if interrupted {
        UNHANDLED_INTERRUPT.store(true, std::sync::atomic::Ordering::Relaxed);
        return 130;
    }
    1
}

/// Whether a KeyboardInterrupt left the main program.
static UNHANDLED_INTERRUPT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Ends the process as SIGINT would, when that is why the program ended: a shell that waits for it is to know.
pub fn die_if_interrupted() {
    if UNHANDLED_INTERRUPT.load(std::sync::atomic::Ordering::Relaxed) {
        // SAFETY: plain system calls.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }
}

/// The text without the white space that all its lines begin with; lines of white space only become empty.
pub fn dedent(source: &str) -> String {
    let mut common: Option<&str> = None;
    for line in source.split('\n') {
        let text = line.trim_start_matches([' ', '\t']);
        if text.is_empty() || text == "\r" {
            continue;
        }
        let indent = &line[..line.len() - text.len()];
        common = Some(match common {
            None => indent,
            Some(known) => {
                let len = known
                    .bytes()
                    .zip(indent.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                &known[..len]
            }
        });
    }
    let n_common = common.map_or(0, str::len);
    if n_common == 0 {
        return source.to_owned();
    }
    let lines = source.split('\n').map(|line| {
        if line.trim().is_empty() {
            ""
        } else {
            &line[n_common..]
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `PyErr_Print`: through `sys.excepthook`.
pub fn print_exception(exception: Ref) {
    if let Some(sys) = state::sys_dict() {
        let result = sys.set_str(identifier!("last_exc"), &exception);
        let ty = sys.set_str(identifier!("last_type"), exception.ty().as_object());
        let value = sys.set_str(identifier!("last_value"), &exception);
        let traceback = crate::errors::traceback_of(&exception).unwrap_or_else(none_ref);
        let traceback = sys.set_str(identifier!("last_traceback"), &traceback);
        for result in [result, ty, value, traceback] {
            let _ = result.map_err(Raised::clear);
        }
    }
    let _ = flush(identifier!("stdout")).map_err(Raised::clear);
    let hook = sys_attribute(identifier!("excepthook"));
    let traceback = crate::errors::traceback_of(&exception).unwrap_or_else(none_ref);
    match hook {
        Some(hook) => {
            let ty = exception.ty().as_object();
            let result =
                crate::sysmodule::audit_event("sys.excepthook", &[&hook, ty, &exception, &traceback])
                    .and_then(|()| hook.call(&[ty, &exception, &traceback]));
            if let Err(raised) = result {
                let other = raised.take();
                if other.is_instance_of(exc::SystemExit) {
                    let status = exit_status(&other);
                    flush_streams();
                    std::process::exit(status);
                }
                write_stderr("Error in sys.excepthook:\n");
                display_exception(&other);
                write_stderr("\nOriginal exception was:\n");
                display_exception(&exception);
            }
        }
        None => {
            write_stderr("sys.excepthook is missing\n");
            display_exception(&exception);
        }
    }
    let _ = flush(identifier!("stderr")).map_err(Raised::clear);
}

/// The default `sys.excepthook`: by the traceback module when it works, natively otherwise.
pub fn display_exception(exception: &PyObject) {
    if !exception.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) {
        let found = exception.ty().name();
        write_stderr(&format!(
            "TypeError: print_exception(): Exception expected for value, {found} found\n"
        ));
        return;
    }
    let by_module = (|| {
        let module = match crate::import::loaded_module(identifier!("traceback")) {
            Some(module) => module,
            None if state::IMPORTLIB.with(|importlib| importlib.is_some()) => {
                adder_runtime::hooks::import_module("traceback")?
            }
            None => return Err(raise!(ImportError, "no traceback module")),
        };
        module
            .get_attr(identifier!("_print_exception_bltin"))?
            .call1(exception)
    })();
    if let Err(raised) = by_module {
        raised.clear();
        crate::traceback::print_native(exception);
    }
}

/// `sys.unraisablehook` for the exception in flight.
pub fn unraisable(context: Option<&str>, object: Option<&PyObject>) {
    crate::traceback::add_current_entry();
    let Some(exception) = error::fetch() else { return };
    let hook = sys_attribute(identifier!("unraisablehook")).filter(|hook| !is_none(hook));
    let args = match crate::sysmodule::unraisable_args(&exception, context, object) {
        Ok(args) => args,
        Err(raised) => {
            raised.clear();
            return;
        }
    };
    let result = match &hook {
        Some(hook) => crate::sysmodule::audit_event("sys.unraisablehook", &[hook, &args])
            .and_then(|()| hook.call1(&args).map(drop)),
        None => crate::sysmodule::default_unraisablehook(&args),
    };
    let Err(raised) = result else { return };
    let failure = raised.take();
    let hook = hook.map_or_else(String::new, |hook| crate::sysmodule::shown(&hook));
    write_stderr(&format!("Exception ignored in sys.unraisablehook: {hook}\n"));
    crate::traceback::print_native(&failure);
}

/// `-m name`: by `runpy`. `alter_argv`: `sys.argv[0]` becomes the module's file.
pub fn run_module(name: &str, alter_argv: bool) -> PyResult<()> {
    let runpy = adder_runtime::hooks::import_module("runpy")?;
    let name = PyUnicodeObject::from_str(name);
    let alter_argv = if alter_argv { true_() } else { false_() };
    runpy
        .get_attr(identifier!("_run_module_as_main"))?
        .call(&[name.as_object(), alter_argv])
        .map(drop)
}

/// The prompt (`Lib/_baserepl.py`), after a program without a greeting: statements from standard input, exceptions are printed and it goes on.
pub fn run_interactive(greet: bool) -> PyResult<()> {
    main_dict()?;
    let banner = if crate::pylifecycle::config().quiet || !greet {
        String::new()
    } else {
        format!(
            "Adder {} (Python {}) on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.",
            env!("CARGO_PKG_VERSION"),
            crate::sysmodule::info::version_text()
        )
    };
    let banner = PyUnicodeObject::from_string(banner);
    adder_runtime::hooks::import_module("_baserepl")?
        .call_method(identifier!("interact"), &[banner.as_object()])
        .map(drop)
}
