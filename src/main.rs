//! command line -> runtime: the `adder` command. `options` reads flags and the environment, `paths` finds the library and
//! the prefix, this file runs what was asked for and turns the end into an exit status.

mod locale;
mod options;
mod paths;

use adder_interp::{import, pylifecycle, pythonrun};
use adder_runtime::prelude::*;
use options::{Options, Program};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU8, Ordering};

/// Bit `n` is set when descriptor `n` was not open at the start.
static CLOSED_AT_START: AtomicU8 = AtomicU8::new(0);

/// Runs before `main`, where Rust opens what is closed of the descriptors 0 to 2.
extern "C" fn note_closed_descriptors() {
    for fd in 0..3 {
        // SAFETY: only asks about the descriptor.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            CLOSED_AT_START.fetch_or(1 << fd, Ordering::Relaxed);
        }
    }
}

#[used]
// SAFETY: the section holds addresses of C functions without arguments that are read.
#[unsafe(link_section = ".init_array")]
static NOTE_CLOSED_DESCRIPTORS: extern "C" fn() = note_closed_descriptors;

/// A program that was started without a standard stream shall not meet another in its place.
fn close_again() {
    for fd in 0..3 {
        if CLOSED_AT_START.load(Ordering::Relaxed) & 1 << fd != 0 {
            // SAFETY: nobody uses the descriptor yet.
            unsafe { libc::close(fd) };
        }
    }
}

fn main() {
    close_again();
    // A reader that goes away shows as an error of the write, as in CPython.
    // SAFETY: sets a disposition before any thread is started.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let options = match Options::from_command_line(std::env::args_os().collect()) {
        Ok(options) => options,
        Err(end) => {
            if end.status == 0 {
                print!("{}", end.text);
            } else {
                eprint!("{}", end.text);
            }
            std::process::exit(end.status);
        }
    };
    std::process::exit(run(options));
}

fn run(options: Options) -> i32 {
    let Options {
        mut config,
        program,
        dump,
        skip_first_line,
    } = options;
    // A trace is of a program that runs; the stages before it are of its text.
    let dumps_trace = dump.as_deref() == Some("trace");
    if let Some(stage) = dump
        && !dumps_trace
    {
        return dump_program(&stage, &program);
    }
    config.path0 = path0(&config, &program);
    let inspect = config.inspect != 0 && !matches!(program, Program::Prompt);
    import::extend_inittab(adder_stdlib::MODULES);
    import::set_code_reader(adder_stdlib::marshal::loads_embedded);
    adder_cpyext::loader::install();
    pylifecycle::FATAL_ERROR_DUMP.get_or_init(|| adder_stdlib::faulthandler::dump_for_fatal_error);
    let started = adder_interp::initialize(config).and_then(|()| pylifecycle::initialize_imports());
    if let Err(raised) = started {
        eprintln!("Fatal Python error: the interpreter could not be initialized");
        pythonrun::handle_uncaught(raised);
        return 1;
    }
    if dumps_trace {
        return dump_trace(&program);
    }
    let mut status = run_program(&program, skip_first_line).map_or_else(pythonrun::handle_uncaught, |()| 0);
    if inspect {
        status = pythonrun::run_interactive(false).map_or_else(pythonrun::handle_uncaught, |()| 0);
    }
    if !adder_interp::finalize() && status == 0 {
        status = 120;
    }
    pythonrun::die_if_interrupted();
    status
}

/// What goes in front of `sys.path`: the script's folder, or the current one.
fn path0(config: &adder_interp::Config, program: &Program) -> Option<std::ffi::OsString> {
    if let Program::Script(path) = program
        && is_package_like(path)
    {
        return Some(path.clone());
    }
    if config.safe_path {
        return None;
    }
    match program {
        Program::Script(path) => {
            let path = std::path::Path::new(path);
            let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            path.parent().map(|folder| folder.as_os_str().to_owned())
        }
        Program::Module(_) => std::env::current_dir()
            .ok()
            .map(std::path::PathBuf::into_os_string),
        _ => Some(std::ffi::OsString::new()),
    }
}

/// A folder, a zip archive or a folder in one: its `__main__` is run.
fn is_package_like(path: &std::ffi::OsStr) -> bool {
    let path = std::path::Path::new(path);
    path.is_dir()
        || path
            .ancestors()
            .find(|ancestor| ancestor.exists())
            .is_some_and(is_zip_archive)
}

fn is_zip_archive(path: &std::path::Path) -> bool {
    use std::io::Read;
    let mut head = [0; 4];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut head))
        .is_ok_and(|()| head == *b"PK\x03\x04")
}

fn run_program(program: &Program, skip_first_line: bool) -> PyResult<()> {
    match program {
        Program::Command(source) => pythonrun::run_string(&pythonrun::dedent(source), "<string>").map(drop),
        Program::Module(name) => pythonrun::run_module(name, true),
        Program::Script(path) if is_package_like(path) => pythonrun::run_module("__main__", false),
        Program::Script(path) => run_script(path, skip_first_line),
        Program::Stdin => {
            let mut source = Vec::new();
            match std::io::Read::read_to_end(&mut std::io::stdin(), &mut source) {
                Ok(_) => pythonrun::run_bytes(&source, "<stdin>").map(drop),
                Err(problem) => Err(adder_runtime::exceptions::from_io_error(&problem, None)),
            }
        }
        Program::Prompt => pythonrun::run_interactive(true),
    }
}

fn run_script(path: &std::ffi::OsStr, skip_first_line: bool) -> PyResult<()> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let shown = PyUnicodeObject::from_os_str(absolute.as_os_str());
    let mut source = match std::fs::read(path) {
        Ok(source) => source,
        Err(problem) => {
            let number = problem.raw_os_error().unwrap_or(0);
            let reason = problem.to_string();
            let reason = reason.split(" (os error").next().unwrap_or_default().to_owned();
            eprintln!(
                "{}: can't open file '{}': [Errno {number}] {reason}",
                pylifecycle::config().executable,
                absolute.display()
            );
            let status = PyLongObject::from_i64(2);
            return Err(raise!(SystemExit, value => status.as_object()));
        }
    };
    if skip_first_line {
        let end = source
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(source.len());
        source.drain(..end);
    }
    if path.as_bytes().ends_with(b".pyc") {
        return run_compiled(&source, &shown);
    }
    pythonrun::run_file_source(&source, &shown).map(drop)
}

/// A `.pyc` file given as the script.
fn run_compiled(bytes: &[u8], path: &PyUnicodeObject) -> PyResult<()> {
    let magic =
        adder_runtime::hooks::import_module("importlib.util")?.get_attr(identifier!("MAGIC_NUMBER"))?;
    let fits = (*magic)
        .downcast::<PyBytesObject>()
        .is_some_and(|magic| bytes.starts_with(magic.as_bytes()));
    if !fits || bytes.len() < 16 {
        return Err(raise!(RuntimeError, "Bad magic number in .pyc file"));
    }
    let code = adder_stdlib::marshal::loads(&bytes[16..], true)?;
    match (*code).downcast::<PyCodeObject>() {
        Some(code) => {
            let globals = pythonrun::name_main_file(path, identifier!("SourcelessFileLoader"))?;
            pythonrun::run_code(code, &globals, None).map(drop)
        }
        None => Err(raise!(RuntimeError, "Bad code object in .pyc file")),
    }
}

/// The text of a program to dump, or the exit status.
fn source_of(program: &Program) -> Result<String, i32> {
    match program {
        Program::Command(source) => Ok(source.clone()),
        Program::Script(path) => match std::fs::read_to_string(path) {
            Ok(source) => Ok(source),
            Err(problem) => {
                eprintln!("adder: cannot read {}: {problem}", path.to_string_lossy());
                Err(2)
            }
        },
        _ => {
            eprintln!("adder: --dump wants a script or -c");
            Err(2)
        }
    }
}

/// Runs the program, calls its function `run` until that is warm, and prints the raw trace of its first loop.
fn dump_trace(program: &Program) -> i32 {
    let source = match source_of(program) {
        Ok(source) => source,
        Err(status) => return status,
    };
    match adder_jit::trace_of(&source) {
        Ok(text) => {
            print!("{text}");
            0
        }
        Err(raised) => pythonrun::handle_uncaught(raised),
    }
}

/// `--dump=STAGE`: prints a stage of the compiler for a program.
fn dump_program(stage: &str, program: &Program) -> i32 {
    let source = match source_of(program) {
        Ok(source) => source,
        Err(status) => return status,
    };
    match adder_interp::code::dump(stage, &source) {
        Ok(text) => {
            print!("{text}");
            0
        }
        Err(problem) => {
            eprintln!("adder: {problem}");
            1
        }
    }
}
