//! NumPy's own tests, out of its unmodified wheel -> what adder makes of them, beside what CPython does.
//!
//! One process per file, under pytest from the package index, with a small plugin of ours (`xtask/python/adder_pytest.py`) that writes
//! a line per test. `baseline.txt` records the tests that pass; with `--baseline` it is a failure when one of them stops passing.
//! `--all` runs the whole suite (`-m "not slow"`), which has a record of its own, `baseline-all.txt`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use xtask::conformance::{self, Options};
use xtask::internals::Internals;
use xtask::process::{self, Scratch, plain_python};
use xtask::suite::{self, FileReport, Job};
use xtask::{Context, Oracle, Project, Result, demo, pip, project};

const TESTERS: &[&str] = &["pytest", "hypothesis"];

/// Below the package `numpy`; of a folder every file counts.
const FILES: &[&str] = &[
    "_core/tests/test_numeric.py",
    "_core/tests/test_umath.py",
    "_core/tests/test_indexing.py",
    "_core/tests/test_scalarmath.py",
    "_core/tests/test_shape_base.py",
    "_core/tests/test_multiarray.py",
    "_core/tests/test_dtype.py",
    "linalg/tests",
    "fft/tests",
];

/// What `--all` leaves out: `f2py` needs a Fortran compiler.
const NOT_HERE: &[&str] = &["f2py"];

const RESULTS: &str = include_str!("../../xtask/python/adder_results.py");
const PLUGIN: &str = include_str!("../../xtask/python/adder_pytest.py");

/// NumPy's own tests allocate some gigabytes, and OpenBLAS reserves address space for each of its threads.
const MEMORY_MB: u32 = 12 * 1024;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("numpy-fork-tests: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<bool> {
    let options = Options::parse(args)?;
    let project = Project::find()?;
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let adder = adder.running()?;
    let mut packages = vec![demo::NUMPY];
    packages.extend(TESTERS);
    let packages = pip::environment(&project, "numpy-tests", &packages)?;
    let names = match options.all && options.files.is_empty() {
        true => all_names(&packages)?,
        false => names(&packages, &options.files)?,
    };

    let logs = project.dir("numpy-tests/logs")?;
    let cache = conformance::cached_dir(&project, oracle.cpython()?, "numpy-tests", PLUGIN)?;
    let plugin = Scratch::new("plugin")?;
    std::fs::write(plugin.0.join("adder_results.py"), RESULTS).context("plugin")?;
    std::fs::write(plugin.0.join("adder_pytest.py"), PLUGIN).context("plugin")?;

    let pairs = process::parallel(
        &names,
        project::jobs(),
        |name| -> Result<(FileReport, FileReport)> {
            let flat = name.replace('/', ".");
            let one = |python: &Path, who: &str| {
                let log = logs.join(format!("{flat}.{who}.log"));
                run_file(name, python, &packages, &plugin.0, log, &options)
            };
            let selection = if options.all { ".not-slow" } else { "" };
            let theirs = conformance::cached(&cache.join(format!("{flat}{selection}.json")), || {
                one(oracle.cpython()?, "cpython")
            })?;
            let ours = one(adder, "adder")?;
            eprintln!("{}", conformance::progress(&ours));
            Ok((ours, theirs))
        },
    );
    let pairs = pairs.into_iter().collect::<Result<Vec<_>>>()?;
    let (ours, theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let record = if options.all {
        "numpy-fork-tests/baseline-all.txt"
    } else {
        "numpy-fork-tests/baseline.txt"
    };
    let record = project.root.join(record);
    let tally = conformance::conclude(
        "NumPy's own tests",
        &ours,
        &theirs,
        &record,
        &Internals::default(),
        &options,
    )?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// Every file of tests of the package, relative to it.
fn all_names(packages: &Path) -> Result<Vec<String>> {
    let numpy = packages.join("numpy");
    let mut names = Vec::new();
    let mut dirs = vec![numpy.clone()];
    while let Some(dir) = dirs.pop() {
        let is_tests = dir.file_name().is_some_and(|name| name == "tests");
        for entry in std::fs::read_dir(&dir).context(dir.display())? {
            let path = entry.context(dir.display())?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                // Folders inside folders of tests hold what the tests read.
                if !is_tests && !NOT_HERE.contains(&name.as_str()) {
                    dirs.push(path);
                }
            } else if is_tests && name.starts_with("test_") && name.ends_with(".py") {
                let relative = path.strip_prefix(&numpy).context(path.display())?;
                names.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

/// The files to run, relative to the package: the default ones, or those whose path ends with a name given.
fn names(packages: &Path, wanted: &[String]) -> Result<Vec<String>> {
    let numpy = packages.join("numpy");
    let mut names = Vec::new();
    for entry in FILES {
        let path = numpy.join(entry);
        if !path.is_dir() {
            names.push(entry.to_string());
            continue;
        }
        let mut files = Vec::new();
        for file in std::fs::read_dir(&path).context(path.display())? {
            let name = file
                .context(path.display())?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if name.starts_with("test_") && name.ends_with(".py") {
                files.push(format!("{entry}/{name}"));
            }
        }
        files.sort();
        names.extend(files);
    }
    if wanted.is_empty() {
        return Ok(names);
    }
    let mut chosen = Vec::new();
    for want in wanted {
        let want = want.strip_prefix("numpy/").unwrap_or(want);
        let stem = |name: &str| {
            name.trim_end_matches(".py")
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_string()
        };
        let matches = |name: &&String| name.starts_with(want) || stem(name) == stem(want);
        let found: Vec<String> = names.iter().filter(matches).cloned().collect();
        if !found.is_empty() {
            chosen.extend(found);
        } else if numpy.join(want).is_file() {
            chosen.push(want.to_string());
        } else {
            return Err(format!("no test file {want} in NumPy"));
        }
    }
    Ok(chosen)
}

fn run_file(
    name: &str,
    python: &Path,
    packages: &Path,
    plugin: &Path,
    log: PathBuf,
    options: &Options,
) -> Result<FileReport> {
    let search_path = std::env::join_paths([packages, plugin]).context("search path")?;
    let command = || -> Command {
        let mut command = process::limited(python, MEMORY_MB);
        plain_python(&mut command)
            .env("PYTHONPATH", &search_path)
            .env("OPENBLAS_NUM_THREADS", "1");
        command.args([
            "-m",
            "pytest",
            "-p",
            "adder_pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "--tb=short",
        ]);
        command
            .args(["--hypothesis-seed=0", "-c", "/dev/null", "--rootdir"])
            .arg(packages.join("numpy"));
        if options.all {
            command.args(["-m", "not slow"]);
        }
        command.arg(packages.join("numpy").join(name));
        command
    };
    suite::run(&Job {
        name,
        command: &command,
        timeout: options.timeout,
        patience: Duration::from_secs(180),
        log,
    })
}
