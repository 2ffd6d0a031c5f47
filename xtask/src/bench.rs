//! benches/python/*.py -> the same programs timed on adder, CPython and PyPy, pinned to one processor, as ratios.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{self, plain_python};
use crate::programs::{files, stem};
use crate::{Known, Oracle, Project, Result, Tally, project, report};

const TIMEOUT: Duration = Duration::from_secs(600);
const DRIVER: &str = "_driver.py";

struct Options {
    names: Vec<String>,
    runs: usize,
    quick: bool,
}

/// What one program did on one interpreter.
struct Timing {
    first: f64,
    steady: f64,
    peak_mb: f64,
    checksum: String,
}

pub fn command(project: &Project, args: &[String]) -> Result<bool> {
    let mut options = Options {
        names: Vec::new(),
        runs: 5,
        quick: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--runs" => {
                let runs = args.next().and_then(|text| text.parse().ok());
                options.runs = runs.filter(|&runs| runs > 0).ok_or("--runs needs a number")?;
            }
            _ if arg.starts_with('-') => return Err(format!("no such option: {arg}")),
            _ => options.names.push(arg.clone()),
        }
    }
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let mut pythons: Vec<(&str, PathBuf)> = Vec::new();
    match adder.running() {
        Ok(path) => pythons.push(("adder", path.to_path_buf())),
        Err(why) => println!("adder is left out: {why}"),
    }
    for (name, path) in [("CPython", &oracle.cpython), ("PyPy", &oracle.pypy)] {
        match path {
            Some(path) => pythons.push((name, path.clone())),
            None => println!("{name} is left out: {}", oracle.why_missing()),
        }
    }
    time_all(project, &pythons, &options)
}

fn dir(project: &Project) -> PathBuf {
    project.root.join("benches/python")
}

pub fn count(project: &Project) -> Result<usize> {
    Ok(files(&dir(project), &[])?.len())
}

/// Runs each program once at its smallest size: the checksums of adder and of CPython must agree.
pub fn check(project: &Project, cpython: &Path, adder: &Path) -> Result<Tally> {
    let files = files(&dir(project), &[])?;
    let outcomes = process::parallel(&files, project::jobs(), |file| {
        let one = |python: &Path| measure(python, file, 1, true, false);
        (one(cpython), one(adder))
    });
    let known = Known::load(project)?;
    let mut tally = Tally::default();
    for (file, (theirs, ours)) in files.iter().zip(outcomes) {
        let theirs = theirs?.checksum;
        let failure = match ours {
            Ok(ours) if ours.checksum == theirs => None,
            Ok(ours) => Some(format!("checksum {}, on CPython {theirs}", ours.checksum)),
            Err(why) => Some(why),
        };
        known.judge(&format!("benches/{}", stem(file)), failure, &mut tally);
    }
    Ok(tally)
}

fn measure(python: &Path, file: &Path, runs: usize, quick: bool, pinned: bool) -> Result<Timing> {
    let driver = file.with_file_name(DRIVER);
    let mut command = if pinned {
        // The last processor has the least of the machine's own work.
        let mut command = Command::new("taskset");
        command
            .arg("-c")
            .arg((project::jobs() - 1).to_string())
            .arg(python);
        command
    } else {
        Command::new(python)
    };
    plain_python(&mut command)
        .arg(&driver)
        .arg(stem(file))
        .arg(runs.to_string());
    command.arg(if quick { "quick" } else { "full" });
    let run = process::run(&mut command, TIMEOUT)?;
    let last = |text: &str| text.trim_end().lines().last().unwrap_or_default().to_string();
    if !run.end.is_success() {
        return Err(format!("{}: {}", run.end, last(&run.stderr)));
    }
    let value: Value = serde_json::from_str(&last(&run.stdout)).map_err(|err| format!("driver: {err}"))?;
    let number = |name: &str| value[name].as_f64().ok_or_else(|| format!("driver: no {name}"));
    Ok(Timing {
        first: number("first_s")?,
        steady: number("steady_s")?,
        peak_mb: number("peak_kb")? / 1024.0,
        checksum: value["checksum"].to_string(),
    })
}

fn time_all(project: &Project, pythons: &[(&str, PathBuf)], options: &Options) -> Result<bool> {
    let mut header = vec!["first and steady iteration (s), peak memory (MB)".to_string()];
    for (name, _) in pythons {
        header.extend([format!("| {name} first"), "steady".to_string()]);
        if *name != "CPython" {
            header.extend(["first/CPython".to_string(), "steady/CPython".to_string()]);
        }
        header.push("MB".to_string());
    }
    let mut rows = vec![header];
    let mut agree = true;
    // Per interpreter: the ratios to CPython of the first and of the steady iterations, and of the peak memory.
    let mut ratios = vec![[Vec::new(), Vec::new(), Vec::new()]; pythons.len()];
    for file in files(&dir(project), &options.names)? {
        let name = stem(&file);
        eprintln!("  {name}");
        let timings: Vec<Result<Timing>> = pythons
            .iter()
            .map(|(_, path)| measure(path, &file, options.runs, options.quick, true))
            .collect();
        agree &= checksums_agree(&name, pythons, &timings);
        let reference = pythons.iter().position(|(name, _)| *name == "CPython");
        let reference = reference.and_then(|idx| timings[idx].as_ref().ok());
        let mut row = vec![name];
        for (idx, timing) in timings.iter().enumerate() {
            let is_reference = pythons[idx].0 == "CPython";
            let Ok(timing) = timing else {
                row.extend(vec!["-".to_string(); if is_reference { 3 } else { 5 }]);
                continue;
            };
            row.extend([format!("| {:.3}", timing.first), format!("{:.3}", timing.steady)]);
            if !is_reference {
                let ratio = |value: f64, base: Option<f64>| base.map(|base| value / base.max(1e-6));
                let first = ratio(timing.first, reference.map(|timing| timing.first));
                let steady = ratio(timing.steady, reference.map(|timing| timing.steady));
                let peak = ratio(timing.peak_mb, reference.map(|timing| timing.peak_mb));
                for (ratios, ratio) in ratios[idx].iter_mut().zip([first, steady, peak]) {
                    ratios.extend(ratio);
                }
                row.extend(
                    [first, steady].map(|ratio| ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"))),
                );
            }
            row.push(format!("{:.0}", timing.peak_mb));
        }
        rows.push(row);
    }
    let mut means = vec!["geometric mean of the ratios".to_string()];
    for (idx, (name, _)) in pythons.iter().enumerate() {
        means.extend(["|".to_string(), String::new()]);
        if *name == "CPython" {
            means.push(String::new());
        } else {
            means.extend(ratios[idx].iter().map(|ratios| geometric_mean(ratios)));
        }
    }
    rows.push(means);
    println!("{}", report::table(&rows));
    println!(
        "A ratio below 1 is faster than CPython. Steady: the median of the later iterations, in processor time."
    );
    Ok(agree)
}

fn checksums_agree(name: &str, pythons: &[(&str, PathBuf)], timings: &[Result<Timing>]) -> bool {
    let mut agree = true;
    let mut expected = None;
    for ((python, _), timing) in pythons.iter().zip(timings).rev() {
        match timing {
            Ok(timing) => {
                let expected = expected.get_or_insert_with(|| timing.checksum.clone());
                if *expected != timing.checksum {
                    println!("{name}: {python} computes {}, not {expected}", timing.checksum);
                    agree = false;
                }
            }
            Err(why) => {
                println!("{name}: {python}: {why}");
                agree = false;
            }
        }
    }
    agree
}

fn geometric_mean(values: &[f64]) -> String {
    if values.is_empty() {
        return "-".into();
    }
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    format!("{:.2}", (sum / values.len() as f64).exp())
}
