//! benches/{capi,numpy,memory,start,pause}: figures by name from a program run on adder and on CPython -> a table of ratios.
//!
//! Each folder has a program `_run.py` that prints one line of JSON, name to figure. The interpreters take turns, pinned to one
//! processor. Where figures are compared with a reference in the same process (benches/_measure.py), the median of the turns counts;
//! of plain times it is the smallest, as what disturbs a run only makes it longer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::demo::NUMPY;
use crate::process::{self, plain_python};
use crate::{Context, Oracle, Project, Result, pip, project, report};

const TIMEOUT: Duration = Duration::from_secs(900);
const TURNS: usize = 5;

/// A folder of benches/: its name, the unit of its figures, the most that a ratio should be.
struct Kind {
    name: &'static str,
    unit: &'static str,
    limit: f64,
    turns: usize,
    /// Figures are relative to a reference: errors go both ways.
    is_relative: bool,
    /// PyPy's figures are shown below: it does the same in another way altogether.
    with_pypy: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "capi",
        unit: "ns",
        limit: 1.05,
        turns: TURNS,
        is_relative: true,
        with_pypy: false,
    },
    Kind {
        name: "numpy",
        unit: "ns",
        limit: 1.2,
        turns: TURNS,
        is_relative: true,
        with_pypy: false,
    },
    Kind {
        name: "memory",
        unit: "kB",
        limit: 1.05,
        turns: 1,
        is_relative: false,
        with_pypy: false,
    },
    Kind {
        name: "start",
        unit: "ms",
        limit: 1.1,
        turns: TURNS,
        is_relative: false,
        with_pypy: false,
    },
    Kind {
        name: "pause",
        unit: "ms",
        limit: 1.0,
        turns: 3,
        is_relative: false,
        with_pypy: true,
    },
];

pub fn command(project: &Project, name: &str) -> Result<bool> {
    let kind = KINDS.iter().find(|kind| kind.name == name);
    let kind = kind.ok_or_else(|| format!("no such benchmark: {name}"))?;
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let (adder, cpython) = (adder.running()?, oracle.cpython()?);
    let packages = packages(project, &oracle, kind)?;
    let program = project.root.join("benches").join(kind.name).join("_run.py");
    let mut all: [BTreeMap<String, Vec<f64>>; 2] = Default::default();
    let mut order = Vec::new();
    for turn in 0..kind.turns {
        eprintln!("  turn {} of {}", turn + 1, kind.turns);
        for (idx, python) in [adder, cpython].into_iter().enumerate() {
            // `start` is timed from outside, by CPython both times.
            let runner = if kind.name == "start" { cpython } else { python };
            for (name, figure) in figures(runner, python, &program, packages.as_deref())? {
                if !order.contains(&name) {
                    order.push(name.clone());
                }
                all[idx].entry(name).or_default().push(figure);
            }
        }
    }
    let typical = all.map(|figures| {
        figures
            .into_iter()
            .map(|(name, mut values)| {
                values.sort_by(f64::total_cmp);
                let at = if kind.is_relative { values.len() / 2 } else { 0 };
                (name, values[at])
            })
            .collect()
    });
    let is_within = show(kind, &order, &typical);
    if let Some(pypy) = oracle.pypy.as_ref().filter(|_| kind.with_pypy) {
        println!("PyPy:");
        for (name, figure) in figures(pypy, pypy, &program, None)? {
            println!("  {name}: {figure:.1} {}", kind.unit);
        }
    }
    Ok(is_within)
}

/// What the program needs on its search path.
fn packages(project: &Project, oracle: &Oracle, kind: &Kind) -> Result<Option<PathBuf>> {
    match kind.name {
        "numpy" => pip::environment(project, "numpy-bench", &[NUMPY]).map(Some),
        "capi" => compile(project, oracle).map(Some),
        _ => Ok(None),
    }
}

/// The extension module of benches/capi, compiled against CPython's headers.
fn compile(project: &Project, oracle: &Oracle) -> Result<PathBuf> {
    let headers = oracle.root.join("headers");
    let dir = project.dir("bench-capi")?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-std=c11", "-shared", "-fPIC"])
        .arg("-I")
        .arg(headers.join("python3.14"))
        .arg("-I")
        .arg(&headers)
        .arg(project.root.join("benches/capi/boundary.c"))
        .arg("-o")
        .arg(dir.join("boundary.so"));
    process::output(&mut cc)?;
    Ok(dir)
}

fn figures(
    runner: &Path,
    python: &Path,
    program: &Path,
    packages: Option<&Path>,
) -> Result<Vec<(String, f64)>> {
    // The last processor has the least of the machine's own work.
    let mut command = Command::new("taskset");
    command
        .arg("-c")
        .arg((project::jobs() - 1).to_string())
        .arg(runner)
        .arg(program);
    if runner != python || program.parent().is_some_and(|dir| dir.ends_with("start")) {
        command.arg(python);
    }
    plain_python(&mut command);
    if let Some(packages) = packages {
        command.env("PYTHONPATH", packages);
    }
    // Compiled files are part of an environment that is used.
    command.env_remove("PYTHONDONTWRITEBYTECODE");
    // One thread of OpenBLAS: the others would share the processor.
    command.env("OPENBLAS_NUM_THREADS", "1");
    let run = process::run(&mut command, TIMEOUT)?;
    if !run.end.is_success() {
        return Err(format!("{}: {}\n{}", python.display(), run.end, run.stderr));
    }
    let line = run.stdout.trim_end().lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(line).context(python.display())?;
    let map = value.as_object().ok_or("the program prints no figures")?;
    let mut figures: Vec<(String, f64)> = map
        .iter()
        .filter_map(|(name, figure)| Some((name.clone(), figure.as_f64()?)))
        .collect();
    // In the program's order.
    figures.sort_by_key(|(name, _)| line.find(&format!("\"{name}\":")));
    Ok(figures)
}

fn show(kind: &Kind, order: &[String], typical: &[BTreeMap<String, f64>; 2]) -> bool {
    let mut rows = vec![report::row([&kind.unit, &"adder", &"CPython", &"ratio", &""])];
    let mut ratios = Vec::new();
    let mut n_over = 0;
    for name in order {
        let (Some(ours), Some(theirs)) = (typical[0].get(name), typical[1].get(name)) else {
            continue;
        };
        let ratio = ours / theirs.max(1e-9);
        ratios.push(ratio);
        let over = ratio > kind.limit;
        n_over += usize::from(over);
        rows.push(report::row([
            name,
            &format!("{ours:.2}"),
            &format!("{theirs:.2}"),
            &format!("{ratio:.2}"),
            &if over { "over" } else { "" },
        ]));
    }
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    let mean = (sum / ratios.len().max(1) as f64).exp();
    rows.push(report::row([
        &"geometric mean",
        &"",
        &"",
        &format!("{mean:.2}"),
        &"",
    ]));
    println!("{}", report::table(&rows));
    println!("{n_over} of {} over {}", ratios.len(), kind.limit);
    n_over == 0
}
