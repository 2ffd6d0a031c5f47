//! command line -> runtime: the `adder` command.

use adder_cpyext as _; // linked for the C API that it exports
use adder_interp::{Config, pylifecycle, pythonrun};
use std::process::exit;

/// What is to be run.
enum Program {
    Command(String),
    Module(String),
    File(String),
    Stdin,
}

fn usage() -> ! {
    eprintln!("usage: adder [-c command | -m module | file | -] [arguments]");
    exit(2)
}

fn parse(args: &[String], config: &mut Config) -> Program {
    let mut rest = args.iter().enumerate();
    let with_argv = |config: &mut Config, first: &str, from: usize| {
        config.argv = std::iter::once(first.to_owned()).chain(args[from..].iter().cloned()).collect();
    };
    while let Some((index, arg)) = rest.next() {
        match arg.as_str() {
            "-c" | "-m" => {
                let Some((_, value)) = rest.next() else { usage() };
                with_argv(config, arg, index + 2);
                config.path0 = Some(String::new());
                return if arg == "-c" { Program::Command(value.clone()) } else { Program::Module(value.clone()) };
            }
            "-S" => config.no_site = true,
            "-B" => config.dont_write_bytecode = true,
            "-O" => config.optimize = config.optimize.max(1),
            "-OO" => config.optimize = 2,
            "-u" => config.unbuffered = true,
            "-E" => config.ignore_environment = true,
            "-" => {
                with_argv(config, "-", index + 1);
                return Program::Stdin;
            }
            other if other.starts_with('-') => usage(),
            file => {
                with_argv(config, file, index + 1);
                let parent = std::path::Path::new(file).parent().filter(|parent| !parent.as_os_str().is_empty());
                let parent = parent.map_or_else(|| ".".into(), std::path::Path::to_path_buf);
                let parent = parent.canonicalize().unwrap_or(parent);
                config.path0 = Some(parent.to_string_lossy().into_owned());
                return Program::File(file.to_owned());
            }
        }
    }
    config.path0 = Some(String::new());
    Program::Stdin
}

fn run() -> i32 {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut config = Config { pythonpath: std::env::var("PYTHONPATH").ok(), ..Config::default() };
    let program = parse(&args, &mut config);
    adder_interp::import::extend_inittab(adder_stdlib::MODULES);
    let started = adder_interp::initialize(config).and_then(|()| pylifecycle::initialize_imports());
    if let Err(raised) = started {
        eprintln!("Fatal Python error: the interpreter could not be initialized");
        pythonrun::handle_uncaught(raised);
        return 1;
    }
    let result = match program {
        Program::Command(source) => pythonrun::run_string(&source, "<string>").map(drop),
        Program::Module(name) => pythonrun::run_module(&name),
        Program::File(path) => pythonrun::run_file(&path).map(drop),
        Program::Stdin => match std::io::read_to_string(std::io::stdin()) {
            Ok(source) => pythonrun::run_string(&source, "<stdin>").map(drop),
            Err(error) => Err(adder_runtime::exceptions::from_io_error(&error, None)),
        },
    };
    let status = result.map_or_else(pythonrun::handle_uncaught, |()| 0);
    if adder_interp::finalize() { status } else { 120 }
}

fn main() {
    exit(run())
}
