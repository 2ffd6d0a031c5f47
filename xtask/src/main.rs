//! command line -> one of the project's chores: `cargo xtask COMMAND`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use xtask::{Project, Result};

const HELP: &str = "\
cargo xtask COMMAND

  demo                        build adder, run the programs of examples/ on NumPy, end with a picture
  test                        everything that must pass; the last line counts it
  oracle                      install the reference interpreters (CPython 3.14, PyPy) and say where they are
  conformance cpython [FILES] CPython's own test files; --baseline fails when a recorded one stops passing,
                              --bless records, --list N lists at most N failures, --timeout SECONDS per file
  conformance capi [FILES]    CPython's own tests of its C API (test_capi.test_NAME), with the same options
  numpy [FILES]               NumPy's own tests on adder and on CPython; --baseline, --bless, --list N as above;
                              --all: the whole suite but what is slow, with a record of its own
  bench python [NAMES]        the programs of benches/python on adder, CPython and PyPy; --runs N, --quick
  bench capi|numpy|memory|start|pause
                              small figures on adder beside CPython: the C boundary, NumPy's wheel, memory for many
                              objects, whole processes, the collector's pauses
  leaks [NAMES]               programs repeated in one process leave nothing behind
  valgrind                    a NumPy program has no errors under valgrind, when that is installed
  differential                random calls of built-ins give what they give on CPython; --seconds N (60), --seed N
  fuzz [TARGETS]              random inputs for the compiler, marshal, pickle, struct, re and json under a sanitizer;
                              --seconds N for each (300)
  profile PROGRAM [ARGS]      where adder spends its time on a program
  startup                     writes startup.ld anew: the functions that run at a start, which releases keep together
  wheels [NAMES]              the programs of wheel-tests/, each with wheels that nobody here built
  programs [NAMES]            the programs of tests/programs: adder must print what CPython prints;
                              --jit PARAMETERS (first) runs adder with them
  tidy                        the rules of the house that a machine can check

ADDER=PATH runs PATH in place of building adder (any Python will do).
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<bool> {
    let project = Project::find()?;
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo"] => xtask::demo::run(&project),
        ["test"] => xtask::test::run(&project),
        ["oracle"] => Ok(xtask::Oracle::install()?.describe()),
        ["conformance", "cpython", ..] => conformance(&project, &xtask::conformance::CPYTHON, &args[2..]),
        ["conformance", "capi", ..] => conformance(&project, &xtask::conformance::CAPI, &args[2..]),
        ["numpy", ..] => numpy(&project, &args[1..]),
        ["bench", "python", ..] => xtask::bench::command(&project, &args[2..]),
        ["bench", kind] => xtask::micro::command(&project, kind),
        ["leaks", ..] => xtask::leaks::command(&project, &args[1..]),
        ["valgrind"] => xtask::leaks::valgrind_command(&project),
        ["startup"] => xtask::startup::command(&project),
        ["profile", ..] => xtask::profile::command(&project, &args[1..]),
        ["differential", ..] => xtask::differential::command(&project, &args[1..]),
        ["fuzz", ..] => xtask::fuzz::command(&project, &args[1..]),
        ["wheels", ..] => xtask::wheels::command(&project, &args[1..]),
        ["programs", ..] => xtask::programs::command(&project, &args[1..]),
        ["tidy"] => xtask::tidy::run(&project),
        ["help" | "--help" | "-h"] | [] => {
            print!("{HELP}");
            Ok(!args.is_empty())
        }
        _ => Err(format!("no such command: {}\n\n{HELP}", args.join(" "))),
    }
}

fn conformance(project: &Project, suite: &xtask::conformance::Suite, args: &[String]) -> Result<bool> {
    xtask::conformance::command(project, suite, args)
}

/// `numpy-fork-tests` is a crate of its own that uses this one, so it is reached through cargo.
fn numpy(project: &Project, args: &[String]) -> Result<bool> {
    let mut cargo = project.cargo();
    cargo
        .args(["run", "--quiet", "-p", "numpy-fork-tests", "--"])
        .args(args);
    xtask::process::succeeds(&mut cargo)
}
