//! wheel-tests/*.py with wheels from the package index -> what they do on adder is what they do on CPython.
//!
//! The first line of a program says what it needs: `# wheels: NAME==VERSION …`.

use std::path::Path;
use std::time::Duration;

use crate::programs::{difference, files, stem, with_packages};
use crate::{Context, Known, Oracle, Project, Result, Tally, pip, process};

const TIMEOUT: Duration = Duration::from_secs(300);

pub fn command(project: &Project, names: &[String]) -> Result<bool> {
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let tally = run(project, &oracle, adder.running()?, names)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// How many programs there are.
pub fn count(project: &Project) -> Result<usize> {
    Ok(files(&project.root.join("wheel-tests"), &[])?.len())
}

pub fn run(project: &Project, oracle: &Oracle, adder: &Path, names: &[String]) -> Result<Tally> {
    let cpython = oracle.cpython()?;
    // Programs that compile extension modules find CPython's headers by this.
    let flags = oracle.header_flags();
    let command = |python: &Path, dir: &Path, file: &Path| {
        let mut command = with_packages(python, dir, file);
        command.envs(flags.iter().map(|flags| ("CFLAGS", flags)));
        command
    };
    let known = Known::load(project)?;
    let mut tally = Tally::default();
    for file in files(&project.root.join("wheel-tests"), names)? {
        let name = stem(&file);
        let text = std::fs::read_to_string(&file).context(file.display())?;
        let first = text.lines().next().unwrap_or_default();
        let needs = first
            .strip_prefix("# wheels: ")
            .ok_or_else(|| format!("{name}: no line `# wheels: NAME==VERSION`"))?;
        let packages: Vec<&str> = needs.split_whitespace().collect();
        let dir = match pip::environment(project, &name, &packages) {
            Ok(dir) => dir,
            Err(why) => {
                println!("wheel {name}: skipped: {why}");
                tally.skipped += 1;
                continue;
            }
        };
        let expected = process::run(&mut command(cpython, &dir, &file), TIMEOUT)?;
        if !expected.end.is_success() {
            return Err(format!(
                "wheel {name}: fails on CPython: {}\n{}",
                expected.end, expected.stderr
            ));
        }
        let got = process::run(&mut command(adder, &dir, &file), TIMEOUT)?;
        let difference = difference(&expected, &got, false);
        match &difference {
            None => println!("wheels/{name}: {:.1} s ({needs})", got.seconds),
            Some(_) => println!("{}", last_lines(&got.stderr)),
        }
        known.judge(&format!("wheels/{name}"), difference, &mut tally);
    }
    Ok(tally)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
