//! programs repeated in one process -> nothing grows that does not grow on CPython; NumPy under valgrind -> no errors.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::demo::NUMPY;
use crate::process::{self, plain_python};
use crate::programs::{files, stem};
use crate::{Known, Oracle, Project, Result, Tally, pip, project};

const TIMEOUT: Duration = Duration::from_secs(600);
/// Runs that fill caches, and runs that are looked at.
const WARM: usize = 8;
const RUNS: usize = 6;
/// Memory may grow by so much in `RUNS` runs before it is more than the allocator's own affair.
const SLACK_KB: i64 = 512;

/// Programs that end the process, or that are about what happens when it ends: they cannot be repeated.
const ONCE: [&str; 3] = ["system_exit", "tracebacks", "uncaught_syntax"];

pub fn command(project: &Project, names: &[String]) -> Result<bool> {
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let tally = run(project, oracle.cpython()?, adder.running()?, names)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// The programs of tests/programs, and the smoke program of NumPy, with the packages that it needs.
fn programs(project: &Project, names: &[String]) -> Result<Vec<(PathBuf, Option<PathBuf>)>> {
    let wanted = |path: &PathBuf| {
        let stem = stem(path);
        !ONCE.contains(&stem.as_str())
            && (names.is_empty() || names.iter().any(|name| name.trim_end_matches(".py") == stem))
    };
    let mut programs = Vec::new();
    for path in files(&project.root.join("tests/programs"), &[])? {
        if wanted(&path) {
            programs.push((path, None));
        }
    }
    let numpy = project.root.join("wheel-tests/numpy_arrays.py");
    if wanted(&numpy) {
        match pip::environment(project, "numpy_arrays", &[NUMPY]) {
            Ok(packages) => programs.push((numpy, Some(packages))),
            Err(why) => println!("leaks/numpy_arrays: skipped: {why}"),
        }
    }
    Ok(programs)
}

pub fn count(project: &Project) -> Result<usize> {
    Ok(files(&project.root.join("tests/programs"), &[])?.len() - ONCE.len() + 1)
}

pub fn run(project: &Project, cpython: &Path, adder: &Path, names: &[String]) -> Result<Tally> {
    let driver = project.root.join("tests/leaks/_driver.py");
    let programs = programs(project, names)?;
    let outcomes = process::parallel(&programs, project::jobs(), |(path, packages)| {
        let ours = measure(adder, &driver, path, packages.as_deref());
        match &ours {
            Ok(growth) if !growth.is_any() => Ok(None),
            Ok(growth) => {
                // Some programs leave something behind by their nature; as much as on CPython is right.
                let theirs = measure(cpython, &driver, path, packages.as_deref())?;
                Ok(growth.beyond(&theirs))
            }
            Err(why) => Ok(Some(why.clone())),
        }
    });
    let known = Known::load(project)?;
    let mut tally = Tally::default();
    for ((path, _), outcome) in programs.iter().zip(outcomes) {
        let outcome: Result<Option<String>> = outcome;
        known.judge(&format!("leaks/{}", stem(path)), outcome?, &mut tally);
    }
    Ok(tally)
}

/// What a program left behind in `RUNS - 1` runs.
struct Growth {
    objects: i64,
    blocks: i64,
    resident_kb: i64,
}

impl Growth {
    fn is_any(&self) -> bool {
        self.objects > 0 || self.blocks > 0 || self.resident_kb > SLACK_KB
    }

    fn beyond(&self, theirs: &Growth) -> Option<String> {
        // The driver's own lists may count once or twice.
        let few = RUNS as i64 / 2;
        let mut what = Vec::new();
        for (name, ours, theirs) in [
            ("objects", self.objects, theirs.objects + few),
            ("blocks", self.blocks, theirs.blocks + few),
            ("kB", self.resident_kb, theirs.resident_kb + SLACK_KB),
        ] {
            if ours > theirs {
                what.push(format!("{ours} {name} more after {} runs", RUNS - 1));
            }
        }
        (!what.is_empty()).then(|| what.join(", "))
    }
}

fn measure(python: &Path, driver: &Path, program: &Path, packages: Option<&Path>) -> Result<Growth> {
    let mut command = Command::new(python);
    plain_python(&mut command)
        .arg(driver)
        .arg(program)
        .args([WARM.to_string(), RUNS.to_string()]);
    if let Some(packages) = packages {
        command.env("PYTHONPATH", packages);
    }
    let run = process::run(&mut command, TIMEOUT)?;
    let last = |text: &str| text.trim_end().lines().last().unwrap_or_default().to_string();
    if !run.end.is_success() {
        return Err(format!("{}: {}", run.end, last(&run.stderr)));
    }
    let value: Value = serde_json::from_str(&last(&run.stdout)).map_err(|err| format!("driver: {err}"))?;
    // Growth that lasts: from the least of the first half to the least of the second.
    let growth = |name: &str| -> Result<i64> {
        let counts = value[name].as_array().ok_or("driver: no counts")?;
        let counts: Vec<i64> = counts.iter().filter_map(Value::as_i64).collect();
        let (first, second) = counts.split_at(counts.len() / 2);
        let least = |part: &[i64]| part.iter().copied().min().unwrap_or(0);
        Ok(least(second) - least(first))
    };
    Ok(Growth {
        objects: growth("objects")?,
        blocks: growth("blocks")?,
        resident_kb: growth("rss_kb")?,
    })
}

/// A NumPy program under valgrind's memcheck; skipped by name where there is no valgrind.
pub fn valgrind(project: &Project, adder: &Path) -> Result<Tally> {
    process::output(Command::new("valgrind").arg("--version"))
        .map_err(|_| "this machine has no valgrind".to_string())?;
    let packages = pip::environment(project, "numpy_arrays", &[NUMPY])?;
    let suppressions = project.root.join("tests/leaks/valgrind.supp");
    let program = project.root.join("tests/leaks/_numpy.py");
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--num-callers=20"])
        .args([
            "--leak-check=full",
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ])
        .arg(format!("--suppressions={}", suppressions.display()))
        .arg(adder)
        .arg(&program);
    plain_python(&mut command)
        .env("PYTHONPATH", &packages)
        // Blocks of the pool are not told apart by a tool that watches malloc.
        .env("PYTHONMALLOC", "malloc")
        .env("PYTHONMALLOC", "malloc")
        .env("OPENBLAS_NUM_THREADS", "1");
    let run = process::run(&mut command, TIMEOUT)?;
    let mut tally = Tally::default();
    tally.count(run.end.is_success());
    if !run.end.is_success() {
        println!("{}: {}", stem(&program), run.end);
        for line in run.stderr.lines().take(60) {
            println!("  {line}");
        }
    }
    Ok(tally)
}

pub fn valgrind_command(project: &Project) -> Result<bool> {
    let adder = project.adder()?;
    let tally = match valgrind(project, adder.running()?) {
        Ok(tally) => tally,
        Err(why) => {
            println!("valgrind: skipped: {why}");
            Tally::skipped(1)
        }
    };
    println!("{tally}");
    Ok(tally.failed == 0)
}
