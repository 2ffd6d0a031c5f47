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
/// Runs that fill caches, and runs that are looked at in parts. What seems to grow is looked at for longer: a leak grows in every
/// part, while threads that happen to live at once make memory and caches grow once.
const WARM: usize = 8;
const PART: usize = 3;
const LONG_PART: usize = 6;
const LONG_PARTS: usize = 4;
/// Memory may grow by so much with each run before it is more than the allocator's own affair.
const SLACK_KB: i64 = 170;

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
        let look = |python, part, parts| measure(python, &driver, path, packages.as_deref(), part, parts);
        let seems_to_grow = match look(adder, PART, 2) {
            Ok(growth) => growth.is_any(),
            Err(why) => return Ok(Some(why)),
        };
        if !seems_to_grow {
            return Ok(None);
        }
        // Some programs leave something behind by their nature; as much as on CPython is right.
        let long_look = |python| look(python, LONG_PART, LONG_PARTS);
        Ok(long_look(adder)?.beyond(&long_look(cpython)?))
    });
    let known = Known::load(project)?;
    let mut tally = Tally::default();
    for ((path, _), outcome) in programs.iter().zip(outcomes) {
        let outcome: Result<Option<String>> = outcome;
        known.judge(&format!("leaks/{}", stem(path)), outcome?, &mut tally);
    }
    Ok(tally)
}

/// From the least count of one part to the least of the next: the smallest step, which is growth that lasts, and the largest.
struct Steps {
    smallest: i64,
    largest: i64,
}

/// What a program left behind in so many runs.
struct Growth {
    runs: usize,
    objects: Steps,
    blocks: Steps,
    memory_kb: Steps,
}

impl Growth {
    fn is_any(&self) -> bool {
        self.objects.smallest > 0 || self.blocks.smallest > 0 || self.memory_kb.smallest > self.slack_kb()
    }
    fn slack_kb(&self) -> i64 {
        SLACK_KB * self.runs as i64
    }

    fn beyond(&self, theirs: &Growth) -> Option<String> {
        // The driver's own lists may count once or twice.
        let few = 3;
        let mut what = Vec::new();
        for (name, ours, theirs, slack) in [
            ("objects", &self.objects, &theirs.objects, few),
            ("blocks", &self.blocks, &theirs.blocks, few),
            ("kB", &self.memory_kb, &theirs.memory_kb, self.slack_kb()),
        ] {
            let lasting = ours.smallest;
            if lasting > theirs.largest.max(0) + slack {
                what.push(format!("{lasting} {name} more after {} runs", self.runs));
            }
        }
        (!what.is_empty()).then(|| what.join(", "))
    }
}

fn measure(
    python: &Path,
    driver: &Path,
    program: &Path,
    packages: Option<&Path>,
    part: usize,
    parts: usize,
) -> Result<Growth> {
    let mut command = Command::new(python);
    plain_python(&mut command)
        .arg(driver)
        .arg(program)
        .args([WARM.to_string(), (part * parts).to_string()]);
    if let Some(packages) = packages {
        command.env("PYTHONPATH", packages);
    }
    let run = process::run(&mut command, TIMEOUT)?;
    let last = |text: &str| text.trim_end().lines().last().unwrap_or_default().to_string();
    if !run.end.is_success() {
        return Err(format!("{}: {}", run.end, last(&run.stderr)));
    }
    let value: Value = serde_json::from_str(&last(&run.stdout)).map_err(|err| format!("driver: {err}"))?;
    let growth = |name: &str| -> Result<Steps> {
        let counts = value[name].as_array().ok_or("driver: no counts")?;
        let counts: Vec<i64> = counts.iter().filter_map(Value::as_i64).collect();
        let leasts: Vec<i64> = counts
            .chunks(part)
            .filter_map(|part| part.iter().copied().min())
            .collect();
        let steps = leasts.windows(2).map(|pair| pair[1] - pair[0]);
        Ok(Steps {
            smallest: steps.clone().min().unwrap_or(0),
            largest: steps.max().unwrap_or(0),
        })
    };
    Ok(Growth {
        runs: part,
        objects: growth("objects")?,
        blocks: growth("blocks")?,
        memory_kb: growth("memory_kb")?,
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
