//! random calls of built-ins -> adder must print what CPython prints, until the time is up. The calls of a seed are always the
//! same ones, so a difference is found again by its seed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{self, plain_python};
use crate::{Context, Oracle, Project, Result};

const DEFAULT_SECONDS: u64 = 60;
const N_CALLS: &str = "4000";
const TIMEOUT: Duration = Duration::from_secs(120);
/// Address space for a Python: what asks for too much is told so.
const MEGABYTES: u32 = 4000;
const MOST_SHOWN: usize = 40;

/// `cargo xtask differential [--seconds N] [--seed N]`.
pub fn command(project: &Project, args: &[String]) -> Result<bool> {
    let (mut seconds, mut seed, mut is_one) = (DEFAULT_SECONDS, 1, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let number = || format!("differential: {arg} wants a number");
        let mut value = || args.next().and_then(|text| text.parse().ok()).ok_or_else(number);
        match arg.as_str() {
            "--seconds" => seconds = value()?,
            "--seed" => (seed, is_one) = (value()?, true),
            _ => return Err(format!("differential: no option {arg}")),
        }
    }
    let oracle = Oracle::install()?;
    let cpython = oracle.cpython()?;
    let adder = project.adder()?;
    let adder = adder.running()?;
    let calls = project.root.join("tests/differential/calls.py");
    let list = project.dir("differential")?.join("calls.txt");
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let (mut n_calls, mut n_different) = (0, 0);
    loop {
        let mut make = Command::new(cpython);
        make.arg(&calls).args(["make", &seed.to_string(), N_CALLS]);
        std::fs::write(&list, process::output(&mut make)?).context(list.display())?;
        let expected = answers(cpython, &calls, &list)?;
        let found = answers(adder, &calls, &list)?;
        let text = std::fs::read_to_string(&list).context(list.display())?;
        for (call, (expected, found)) in text.lines().zip(expected.lines().zip(found.lines())) {
            n_calls += 1;
            if expected != found {
                n_different += 1;
                if n_different <= MOST_SHOWN {
                    println!("{call}\n  CPython: {expected}\n  adder:   {found}");
                }
            }
        }
        // What one of them did not get to: it died, or its time was up.
        if found.lines().count() < expected.lines().count() {
            n_different += 1;
            let call = text.lines().nth(found.lines().count()).unwrap_or_default();
            println!("{call}\n  adder ended here");
        }
        if is_one || Instant::now() > deadline {
            break;
        }
        seed += 1;
    }
    println!("differential: {n_calls} calls, {n_different} differ; the last seed was {seed}");
    Ok(n_different == 0)
}

fn answers(python: &Path, calls: &Path, list: &Path) -> Result<String> {
    let mut command = process::limited(python, MEGABYTES);
    plain_python(&mut command).arg(calls).arg("run").arg(list);
    Ok(process::run(&mut command, TIMEOUT)?.stdout)
}
