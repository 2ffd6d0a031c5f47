//! everything that must pass -> one table and one line.
//!
//! A stage that cannot run (the VM does not run Python yet, a reference interpreter cannot be installed) is skipped, says why, and is
//! counted with what it would have run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::conformance::{self, Options};
use crate::programs::{self, files};
use crate::project::Adder;
use crate::{Context, Oracle, Project, Result, Tally, bench, leaks, report, tidy, wheels};

struct Stage {
    name: &'static str,
    /// Counts, or why it could not run and how many tests that leaves out.
    outcome: std::result::Result<Tally, (String, usize)>,
    seconds: f64,
}

pub fn run(project: &Project) -> Result<bool> {
    let mut stages = Vec::new();
    let mut stage = |name: &'static str, size: usize, work: &mut dyn FnMut() -> Result<Tally>| {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = work().map_err(|why| (why, size));
        let seconds = started.elapsed().as_secs_f64();
        match &outcome {
            Ok(tally) => println!("{name}: {tally} in {seconds:.0} s"),
            Err((why, _)) => println!("{name}: skipped: {why}"),
        }
        stages.push(Stage {
            name,
            outcome,
            seconds,
        });
    };

    stage("tidy", 1, &mut || {
        let mut tally = Tally::default();
        tally.count(tidy::run(project)?);
        Ok(tally)
    });
    stage("cargo test", 1, &mut || cargo_test(project));

    // A build that fails is a failure of the tests, not something to skip.
    let adder = project.adder()?;
    let oracle = Oracle::install()?;
    oracle.describe();
    let n_programs = files(&project.root.join("tests/programs"), &[])?.len();
    stage("programs", n_programs, &mut || {
        programs::run(project, oracle.cpython()?, adder.running()?, &[], &[])
    });
    stage("programs, all traced", n_programs, &mut || {
        programs::has_jit(adder.running()?)?;
        programs::run(
            project,
            oracle.cpython()?,
            adder.running()?,
            &programs::EAGER_JIT,
            &[],
        )
    });
    stage("benchmarks agree", bench::count(project)?, &mut || {
        bench::check(project, oracle.cpython()?, adder.running()?)
    });
    stage("leaks", leaks::count(project)?, &mut || {
        leaks::run(project, oracle.cpython()?, adder.running()?, &[])
    });
    stage("valgrind", 1, &mut || leaks::valgrind(project, adder.running()?));
    stage("conformance", 1, &mut || {
        let options = Options {
            files: Vec::new(),
            baseline: true,
            bless: false,
            all: false,
            list: 40,
            timeout: Duration::from_secs(300),
        };
        let mut tally = conformance::run(
            project,
            &oracle,
            adder.running()?,
            &conformance::CPYTHON,
            &options,
        )?;
        tally.add(conformance::run(
            project,
            &oracle,
            adder.running()?,
            &conformance::CAPI,
            &options,
        )?);
        Ok(tally)
    });
    stage("wheels", wheels::count(project)?, &mut || {
        wheels::run(project, &oracle, adder.running()?, &[])
    });
    stage("numpy", 1, &mut || numpy(project, &adder));
    Ok(conclude(&stages))
}

fn cargo_test(project: &Project) -> Result<Tally> {
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    let out = cargo.stderr(Stdio::inherit()).output().context("cargo test")?;
    let text = String::from_utf8_lossy(&out.stdout);
    for line in text
        .lines()
        .filter(|line| !line.ends_with("... ok") && !line.trim().is_empty())
    {
        println!("{line}");
    }
    let mut tally = Tally::read(&text).unwrap_or_default();
    if !out.status.success() && tally.failed == 0 {
        tally.failed = 1; // it does not build
    }
    Ok(tally)
}

fn numpy(project: &Project, adder: &Adder) -> Result<Tally> {
    let path = adder.running()?;
    let mut cargo = project.cargo();
    cargo.args([
        "run",
        "--quiet",
        "-p",
        "numpy-fork-tests",
        "--",
        "--baseline",
        "--list",
        "40",
    ]);
    let out = cargo
        .env("ADDER", path)
        .stderr(Stdio::inherit())
        .output()
        .context("numpy-fork-tests")?;
    let text = String::from_utf8_lossy(&out.stdout);
    print!("{text}");
    let last = text.trim_end().lines().last().unwrap_or_default();
    Tally::read(last).ok_or_else(|| format!("numpy-fork-tests: {}", out.status))
}

fn conclude(stages: &[Stage]) -> bool {
    let mut rows = vec![report::row([
        &"stage", &"passed", &"failed", &"skipped", &"known", &"seconds",
    ])];
    let mut total = Tally::default();
    for stage in stages {
        let tally = match &stage.outcome {
            Ok(tally) => *tally,
            Err((_, size)) => Tally::skipped(*size),
        };
        total.add(tally);
        let seconds = format!("{:.0}", stage.seconds);
        rows.push(report::row([
            &stage.name,
            &tally.passed,
            &tally.failed,
            &tally.skipped,
            &tally.known,
            &seconds,
        ]));
    }
    println!("\n{}", report::table(&rows));
    for stage in stages {
        if let Err((why, size)) = &stage.outcome {
            println!("skipped {} ({size}): {why}", stage.name);
        }
    }
    if total.known > 0 {
        println!(
            "{} of the skipped ran and do not pass; no recorded baseline has them",
            total.known
        );
    }
    println!("{total}");
    total.failed == 0
}
