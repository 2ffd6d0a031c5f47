//! tests/programs/*.py -> adder must print, byte for byte, what CPython prints.
//!
//! A program whose first line is `# compare: stderr` must also write the same to standard error (tracebacks).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Run, plain_python};
use crate::{Context, Known, Oracle, Project, Result, Tally, project};

const TIMEOUT: Duration = Duration::from_secs(120);

pub fn command(project: &Project, args: &[String]) -> Result<bool> {
    let oracle = Oracle::install()?;
    let adder = project.adder()?;
    let (options, names) = match args {
        [jit, parameters, names @ ..] if jit == "--jit" => (vec!["--jit", parameters.as_str()], names),
        _ => (Vec::new(), args),
    };
    let tally = run(project, oracle.cpython()?, adder.running()?, &options, names)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// The `.py` files of a folder of the repository, those with the given names or all.
pub fn files(dir: &Path, names: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).context(dir.display())? {
        let path = entry.context(dir.display())?.path();
        let stem = stem(&path);
        let wanted = names.is_empty() || names.iter().any(|name| name.trim_end_matches(".py") == stem);
        if path.extension().is_some_and(|extension| extension == "py") && !stem.starts_with('_') && wanted {
            files.push(path);
        }
    }
    files.sort();
    for name in names {
        if !files
            .iter()
            .any(|path| stem(path) == name.trim_end_matches(".py"))
        {
            return Err(format!("no program {name} in {}", dir.display()));
        }
    }
    Ok(files)
}

pub fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Parameters under which everything is traced at once: what the JIT gets wrong shows in the shortest program.
pub const EAGER_JIT: [&str; 2] = ["--jit", "threshold=1,function_threshold=1,trace_eagerness=1"];

/// Does the command take the JIT's parameters?
pub fn has_jit(adder: &Path) -> Result {
    let mut command = Command::new(adder);
    command.args(EAGER_JIT).args(["-c", "print(1)"]);
    let run = process::run(&mut command, TIMEOUT)?;
    if run.end.is_success() {
        Ok(())
    } else {
        Err(format!("adder does not take {}", EAGER_JIT.join(" ")))
    }
}

/// Runs the programs, on adder with the given options.
pub fn run(
    project: &Project,
    cpython: &Path,
    adder: &Path,
    options: &[&str],
    names: &[String],
) -> Result<Tally> {
    let dir = project.root.join("tests/programs");
    let files = files(&dir, names)?;
    let outcomes = process::parallel(&files, project::jobs(), |file| -> Result<Option<String>> {
        let text = std::fs::read_to_string(file).context(file.display())?;
        let compare_stderr = text.starts_with("# compare: stderr");
        let start = |python: &Path, options: &[&str]| {
            let mut command = process::limited(python, 4096);
            let name = file.file_name().unwrap_or_default();
            plain_python(&mut command)
                .current_dir(&dir)
                .args(options)
                .arg(name);
            process::run(&mut command, TIMEOUT)
        };
        let (expected, got) = (start(cpython, &[])?, start(adder, options)?);
        Ok(difference(&expected, &got, compare_stderr))
    });
    let known = Known::load(project)?;
    let mut tally = Tally::default();
    for (file, outcome) in files.iter().zip(outcomes) {
        let outcome = outcome?;
        known.judge(&format!("programs/{}", stem(file)), outcome, &mut tally);
    }
    Ok(tally)
}

/// Says where two runs differ first.
pub fn difference(expected: &Run, got: &Run, compare_stderr: bool) -> Option<String> {
    let tail = || match got.stderr.trim_end().lines().last() {
        Some(line) => format!("\n  it wrote: {line}"),
        None => String::new(),
    };
    if let Some(text) = first_difference(&expected.stdout, &got.stdout) {
        return Some(format!("{text}{}", tail()));
    }
    if expected.end != got.end {
        return Some(format!(
            "ends with {}, CPython with {}{}",
            got.end,
            expected.end,
            tail()
        ));
    }
    if compare_stderr {
        return first_difference(&expected.stderr, &got.stderr).map(|text| format!("standard error {text}"));
    }
    None
}

fn first_difference(expected_text: &str, got_text: &str) -> Option<String> {
    if expected_text == got_text {
        return None;
    }
    let (mut theirs, mut ours) = (expected_text.lines(), got_text.lines());
    for number in 1.. {
        let (expected, got) = (theirs.next(), ours.next());
        if expected != got || expected.is_none() {
            let end = "(the end)";
            let same = expected_text
                .lines()
                .zip(got_text.lines())
                .filter(|(a, b)| a == b)
                .count();
            let all = expected_text.lines().count();
            return Some(format!(
                "differs first at line {number}; {same} of {all} lines are the same\n  expected: {}\n  got:      {}",
                expected.unwrap_or(end),
                got.unwrap_or(end)
            ));
        }
    }
    None
}

/// A command that runs a program with the packages of a folder on its search path.
pub fn with_packages(python: &Path, packages: &Path, program: &Path) -> Command {
    let mut command = Command::new(python);
    plain_python(&mut command)
        .env("PYTHONPATH", packages)
        .arg(program);
    command
}
