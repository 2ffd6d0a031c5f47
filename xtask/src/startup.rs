//! what starting runs, as valgrind sees it -> `startup.ld`, which puts these functions next to each other in the command: a start
//! touches a fifth of the code, and pages of the rest need be neither read nor counted as the process's memory.
//!
//! Most names are without the compiler's hash, so the list outlives most changes; what it does not name is placed as ever.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::process::Command;

use crate::{Context, Project, Result, process};

/// What is started: nothing, a `site` of its own, and imports of the usual size.
const PROGRAMS: [&[&str]; 3] = [
    &["-S", "-c", "pass"],
    &["-c", "pass"],
    &["-c", "import json, re, asyncio, typing"],
];
/// A name without its hash stands for every instance of a generic function; of so many, those that run are listed one by one.
const MOST_INSTANCES: u32 = 8;
const HEAD: &str = "/* The functions that run when adder starts: next to each other in the command. Made by `cargo xtask startup`. */
SECTIONS
{
  .text.startup_order :
  {
";
const FOOT: &str = "  }
}
INSERT BEFORE .text;
";

/// `cargo xtask startup`.
pub fn command(project: &Project) -> Result<bool> {
    let adder = project.adder()?;
    let adder = adder.running()?;
    let dir = project.dir("startup")?;
    let mut used = BTreeSet::new();
    for (number, program) in PROGRAMS.iter().enumerate() {
        // Once before, for the `.pyc` files.
        process::succeeds(Command::new(adder).args(*program))?;
        let data = dir.join(format!("callgrind.{number}"));
        let mut record = Command::new("valgrind");
        record.args(["--tool=callgrind", "--demangle=no"]);
        record.arg(format!("--callgrind-out-file={}", data.display()));
        if !process::succeeds(record.arg(adder).args(*program))? {
            return Ok(false);
        }
        let text = std::fs::read(&data).context(data.display())?;
        used.extend(String::from_utf8_lossy(&text).lines().filter_map(function_of));
    }
    let symbols = Command::new("nm")
        .arg("--defined-only")
        .arg(adder)
        .output()
        .context("nm")?;
    let symbols = String::from_utf8_lossy(&symbols.stdout);
    let mut n_instances = HashMap::new();
    for name in symbols.lines().filter_map(|line| line.split(' ').nth(2)) {
        *n_instances.entry(without_hash(name)).or_insert(0) += 1;
    }
    let patterns: BTreeSet<&str> = used
        .iter()
        .filter_map(|name| match n_instances.get(without_hash(name))? {
            1..=MOST_INSTANCES => Some(without_hash(name)),
            _ => name.split(".llvm.").next(),
        })
        .collect();
    let mut script = String::from(HEAD);
    for pattern in &patterns {
        writeln!(script, "    *(.text*.{pattern}*)").expect("a string grows");
    }
    script.push_str(FOOT);
    let path = project.root.join("startup.ld");
    std::fs::write(&path, script).context(path.display())?;
    println!("{} functions run at a start: {}", used.len(), path.display());
    Ok(true)
}

/// The function that a line of callgrind's output names for the first time.
fn function_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("))?;
    // Recursion is numbered: `name'2`.
    let name = rest.split_once(") ")?.1.split('\'').next()?;
    (name.starts_with("_ZN") || name.starts_with("_R")).then(|| name.to_owned())
}

/// A mangled name of the older kind up to its hash.
fn without_hash(name: &str) -> &str {
    match name.rfind("17h") {
        Some(at) if name.starts_with("_ZN") => &name[..at + 3],
        _ => name,
    }
}
