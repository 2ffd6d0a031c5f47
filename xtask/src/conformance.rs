//! CPython's own test files, unmodified -> what adder makes of them, beside what CPython does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::internals::Internals;
use crate::process::{self, Scratch};
use crate::suite::{self, FileReport, Job};
use crate::{Context, Oracle, Project, Result, Tally, baseline, project, report};

/// The language and its central types: what a program meets first.
const FILES: &[&str] = &[
    "test_grammar",
    "test_syntax",
    "test_scope",
    "test_generators",
    "test_coroutines",
    "test_asyncgen",
    "test_descr",
    "test_class",
    "test_super",
    "test_metaclass",
    "test_exceptions",
    "test_except_star",
    "test_exception_group",
    "test_raise",
    "test_with",
    "test_patma",
    "test_type_params",
    "test_type_annotations",
    "test_annotationlib",
    "test_fstring",
    "test_tstring",
    "test_named_expressions",
    "test_positional_only_arg",
    "test_extcall",
    "test_call",
    "test_unpack",
    "test_unpack_ex",
    "test_dict",
    "test_dictviews",
    "test_list",
    "test_tuple",
    "test_set",
    "test_int",
    "test_long",
    "test_float",
    "test_complex",
    "test_bool",
    "test_str",
    "test_bytes",
    "test_memoryview",
    "test_slice",
    "test_range",
    "test_enumerate",
    "test_iter",
    "test_itertools",
    "test_functools",
    "test_operator",
    "test_collections",
    "test_deque",
    "test_defaultdict",
    "test_ordered_dict",
    "test_userdict",
    "test_enum",
    "test_dataclasses",
    "test_typing",
    "test_contextlib",
    "test_weakref",
    "test_weakset",
    "test_gc",
    "test_finalization",
    "test_copy",
    "test_pickle",
    "test_json",
    "test_re",
    "test_struct",
    "test_array",
    "test_math",
    "test_cmath",
    "test_random",
    "test_statistics",
    "test_fractions",
    "test_decimal",
    "test_datetime",
    "test_string",
    "test_textwrap",
    "test_format",
    "test_codecs",
    "test_unicodedata",
    "test_io",
    "test_fileio",
    "test_memoryio",
    "test_os",
    "test_posix",
    "test_pathlib",
    "test_tempfile",
    "test_threading",
    "test_time",
    "test_strptime",
    "test_calendar",
    "test_zoneinfo",
    "test_warnings",
    "test_traceback",
    "test_sys",
    "test_import",
    "test_importlib",
    "test_zipimport",
    "test_ast",
    "test_compile",
    "test_code",
    "test_builtin",
    "test_unittest",
    "test_argparse",
    "test_hashlib",
    "test_zlib",
    "test_csv",
    "test_marshal",
    "test_bisect",
    "test_heapq",
    "test_abc",
    "test_property",
    "test_types",
    "test_inspect",
    "test_sys_settrace",
    "test_monitoring",
    "test_buffer",
];

/// The C API, with CPython's own extension modules that call it.
const CAPI_FILES: &[&str] = &[
    "test_capi.test_abstract",
    "test_capi.test_bytearray",
    "test_capi.test_bytes",
    "test_capi.test_capsule",
    "test_capi.test_codecs",
    "test_capi.test_complex",
    "test_capi.test_config",
    "test_capi.test_dict",
    "test_capi.test_eval",
    "test_capi.test_eval_code_ex",
    "test_capi.test_exceptions",
    "test_capi.test_file",
    "test_capi.test_float",
    "test_capi.test_frame",
    "test_capi.test_function",
    "test_capi.test_getargs",
    "test_capi.test_hash",
    "test_capi.test_immortal",
    "test_capi.test_import",
    "test_capi.test_list",
    "test_capi.test_long",
    "test_capi.test_mem",
    "test_capi.test_misc",
    "test_capi.test_number",
    "test_capi.test_object",
    "test_capi.test_pyatomic",
    "test_capi.test_run",
    "test_capi.test_set",
    "test_capi.test_slice",
    "test_capi.test_structmembers",
    "test_capi.test_sys",
    "test_capi.test_time",
    "test_capi.test_tuple",
    "test_capi.test_type",
    "test_capi.test_unicode",
    "test_capi.test_watchers",
    "test_capi.test_weakref",
];

/// Files of tests with a table and a record of their own.
pub struct Suite {
    title: &'static str,
    files: &'static [&'static str],
    record: &'static str,
}

pub const CPYTHON: Suite = Suite {
    title: "CPython's own tests",
    files: FILES,
    record: "conformance/cpython-baseline.txt",
};
pub const CAPI: Suite = Suite {
    title: "CPython's own tests of its C API",
    files: CAPI_FILES,
    record: "conformance/capi-baseline.txt",
};

/// Address space for one process of tests. Some tests expect a `MemoryError` for what no machine has.
const MEMORY_MB: u32 = 6 * 1024;

/// What the command line asks for; shared with `numpy-fork-tests`.
pub struct Options {
    pub files: Vec<String>,
    pub baseline: bool,
    pub bless: bool,
    /// Every file there is, not only the recorded ones.
    pub all: bool,
    pub list: usize,
    pub timeout: Duration,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Options> {
        let mut options = Options {
            files: Vec::new(),
            baseline: false,
            bless: false,
            all: false,
            list: usize::MAX,
            timeout: Duration::from_secs(600),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<u64> {
                let text = args.next().ok_or_else(|| format!("{arg} needs a number"))?;
                text.parse()
                    .map_err(|_| format!("{arg} needs a number, not {text}"))
            };
            match arg.as_str() {
                "--baseline" => options.baseline = true,
                "--bless" => options.bless = true,
                "--all" => options.all = true,
                "--list" => options.list = number()? as usize,
                "--timeout" => options.timeout = Duration::from_secs(number()?),
                _ if arg.starts_with('-') => return Err(format!("no such option: {arg}")),
                _ => options.files.push(arg.clone()),
            }
        }
        Ok(options)
    }
}

pub fn command(project: &Project, group: &Suite, args: &[String]) -> Result<bool> {
    let options = Options::parse(args)?;
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let tally = run(project, &oracle, adder.running()?, group, &options)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

pub fn run(
    project: &Project,
    oracle: &Oracle,
    adder: &Path,
    group: &Suite,
    options: &Options,
) -> Result<Tally> {
    let names: Vec<String> = if options.files.is_empty() {
        group.files.iter().map(|name| name.to_string()).collect()
    } else {
        options.files.iter().map(|name| file_stem(name)).collect()
    };
    let logs = project.dir("conformance/logs")?;
    let theirs_dir = cached_dir(project, oracle.cpython()?, "conformance", RUNNER)?;
    let scratch = Scratch::new("environment")?;
    let runner = write_runner(&scratch.0)?;
    let adder = environment(oracle, adder, &scratch.0.join("adder"))?;

    let pairs = process::parallel(&names, project::jobs(), |name| {
        let theirs = cached(&theirs_dir.join(format!("{name}.json")), || {
            one(name, oracle.cpython()?, &runner, &logs, "cpython", options)
        })?;
        let ours = one(name, &adder, &runner, &logs, "adder", options)?;
        eprintln!("{}", progress(&ours));
        Ok((ours, theirs))
    });
    let pairs = pairs
        .into_iter()
        .collect::<Result<Vec<(FileReport, FileReport)>>>()?;
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    conclude(
        group.title,
        &ours,
        &theirs,
        &project.root.join(group.record),
        &Internals::load(&project.root.join("conformance/internals.txt"))?,
        options,
    )
}

/// CPython's extension modules that its tests use, as it built them: adder loads them like any wheel's.
const TEST_EXTENSIONS: &[&str] = &[
    "_testbuffer",
    "_testcapi",
    "_testclinic_limited",
    "_testimportmultiple",
    "_testlimitedcapi",
    "_testmultiphase",
    "_testsinglephase",
    "xxlimited",
    "xxlimited_35",
    "xxsubtype",
];

/// An installation of adder, as CPython's beside it is one: its library has CPython's `test` package and its extension modules, so
/// that the processes that tests start find them too, isolated or not. Gives its command.
fn environment(oracle: &Oracle, adder: &Path, dir: &Path) -> Result<PathBuf> {
    use std::os::unix::fs::symlink;
    let (bin, library) = (dir.join("bin"), dir.join("lib/adder3.14"));
    for dir in [&bin, &dir.join("lib/python3.14/site-packages")] {
        std::fs::create_dir_all(dir).context(dir.display())?;
    }
    let command = bin.join("adder");
    let real = adder.canonicalize().context(adder.display())?;
    // What the command is a link to would be taken for the installation.
    if std::fs::hard_link(&real, &command).is_err() {
        std::fs::copy(&real, &command).context(command.display())?;
    }
    link_tree(&library_of(&real)?, &library)?;
    link_tree(&oracle.test_package()?, &library.join("test"))?;
    let built = oracle.dynload()?;
    for entry in std::fs::read_dir(&built).context(built.display())? {
        let file = entry.context(built.display())?.path();
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let module = name.split('.').next().unwrap_or_default();
        if TEST_EXTENSIONS.contains(&module) {
            symlink(&file, library.join(name)).context(file.display())?;
        }
    }
    Ok(command)
}

/// The folder of the standard library that adder uses where it stands.
fn library_of(adder: &Path) -> Result<PathBuf> {
    let told = Command::new(adder)
        .args(["-I", "-S", "-c", "import os; print(os.path.dirname(os.__file__))"])
        .output()
        .context(adder.display())?;
    let text = String::from_utf8_lossy(&told.stdout);
    let folder = PathBuf::from(text.trim());
    match folder.join("os.py").is_file() {
        true => Ok(folder),
        false => Err(format!("{} does not say where its library is", adder.display())),
    }
}

/// The same files in folders of their own, so that a process that works in one of them is inside this environment. What
/// was compiled is shared.
fn link_tree(from: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::symlink;
    std::fs::create_dir_all(to).context(to.display())?;
    let compiled = from.join("__pycache__");
    if from.join("__init__.py").is_file() {
        std::fs::create_dir_all(&compiled).context(compiled.display())?;
    }
    for entry in std::fs::read_dir(from).context(from.display())? {
        let entry = entry.context(from.display())?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().context(source.display())?;
        if kind.is_dir() && source != compiled {
            link_tree(&source, &target)?;
        } else if kind.is_file() && std::fs::hard_link(&source, &target).is_ok() {
            continue;
        } else {
            symlink(&source, &target).context(target.display())?;
        }
    }
    Ok(())
}

/// `Lib/test/test_NAME.py`, `test.test_NAME` and `NAME` are all the file `test_NAME`.
fn file_stem(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_suffix(".py").unwrap_or(name);
    let name = name.strip_prefix("test.").unwrap_or(name);
    if name.starts_with("test_") {
        name.to_string()
    } else {
        format!("test_{name}")
    }
}

const RESULTS: &str = include_str!("../python/adder_results.py");
const RUNNER: &str = include_str!("../python/adder_unittest.py");

/// The runner in a folder by itself, away from the modules that tests import by name.
fn write_runner(dir: &Path) -> Result<PathBuf> {
    let dir = dir.join("runner");
    std::fs::create_dir_all(&dir).context(dir.display())?;
    std::fs::write(dir.join("adder_results.py"), RESULTS).context(dir.display())?;
    let runner = dir.join("adder_unittest.py");
    std::fs::write(&runner, RUNNER).context(dir.display())?;
    Ok(runner)
}

fn one(
    name: &str,
    python: &Path,
    runner: &Path,
    logs: &Path,
    who: &str,
    options: &Options,
) -> Result<FileReport> {
    let command = || -> Command {
        let mut command = process::limited(python, MEMORY_MB);
        process::plain_python(&mut command)
            .arg(runner)
            .arg(format!("test.{name}"));
        command
    };
    suite::run(&Job {
        name,
        command: &command,
        timeout: options.timeout,
        patience: Duration::from_secs(120),
        log: logs.join(format!("{name}.{who}.log")),
    })
}

pub fn progress(report: &FileReport) -> String {
    let broken = report
        .broken
        .as_deref()
        .map(|why| format!(" ({why})"))
        .unwrap_or_default();
    format!(
        "  {:<28} {:>5} of {:>5} passed in {:.1} s{broken}",
        report.name,
        report.count(suite::Outcome::Passed),
        report.records.len(),
        report.seconds
    )
}

/// Where CPython's results are kept: one folder per version of CPython and of what runs the tests.
pub fn cached_dir(project: &Project, python: &Path, what: &str, runner: &str) -> Result<PathBuf> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let version =
        process::output(Command::new(python).args(["-c", "import sys; print(sys.version.split()[0])"]))?;
    let mut hasher = DefaultHasher::new();
    (RESULTS, runner).hash(&mut hasher);
    project.dir(&format!(
        "{what}/cpython-{}-{:016x}",
        version.trim(),
        hasher.finish()
    ))
}

pub fn cached(path: &Path, make: impl FnOnce() -> Result<FileReport>) -> Result<FileReport> {
    if let Some(report) = FileReport::load(path) {
        return Ok(report);
    }
    let report = make()?;
    report.save(path)?;
    Ok(report)
}

/// Prints the table, the failures and what stopped passing, and records when asked.
pub fn conclude(
    title: &str,
    ours: &[FileReport],
    theirs: &[FileReport],
    record: &Path,
    internals: &Internals,
    options: &Options,
) -> Result<Tally> {
    println!("\n{title}\n{}", report::files(ours, theirs, internals));
    let failures = report::failures(ours, theirs, internals, options.list);
    if !failures.is_empty() {
        println!("{failures}\n");
    }
    if options.bless {
        baseline::bless(record, ours)?;
        println!("recorded in {}", record.display());
    }
    if !options.baseline {
        return Ok(baseline::tally(ours, theirs, None));
    }
    let lost = baseline::regressions(&baseline::load(record)?, ours, theirs);
    for line in &lost {
        println!("STOPPED PASSING {line}");
    }
    Ok(baseline::tally(ours, theirs, Some(lost.len())))
}
