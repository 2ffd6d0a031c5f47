//! what starts, benches/python and tests/programs run, as valgrind sees it -> `startup.ld`, which puts these functions next to each
//! other in the command:
//! a start touches a third of the code, and pages of the rest need be neither read nor counted as the process's memory.
//!
//! Most names are without the compiler's hash, so the list outlives most changes; what it does not name is placed as ever.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::{Context, Project, Result, process};

/// What is started: nothing, with `site`, and imports of the usual size. Each adds its functions behind those of the one before.
const STARTS: [&[&str]; 3] = [
    &["-S", "-c", "pass"],
    &["-c", "pass"],
    &["-c", "import json, re, asyncio, typing"],
];
/// A name without its hash stands for every instance of a generic function; of so many, those that run are listed one by one.
const MOST_INSTANCES: u32 = 8;
const HEAD: &str = "/* The functions that run when adder starts, then those of the programs of benches/python and of tests/programs: next to each other in
   the command. Made by `cargo xtask startup`. */
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
    let symbols = process::output(Command::new("nm").arg("--defined-only").arg(adder))?;
    let mut n_instances = HashMap::new();
    for name in symbols.lines().filter_map(|line| line.split(' ').nth(2)) {
        *n_instances.entry(without_hash(name)).or_insert(0) += 1;
    }
    let mut script = String::from(HEAD);
    let mut listed = BTreeSet::new();
    let mut list = |names: BTreeSet<String>| {
        let patterns = names
            .iter()
            .map(|name| match n_instances.get(without_hash(name)) {
                Some(1..=MOST_INSTANCES) => without_hash(name),
                _ => name,
            });
        for pattern in patterns.collect::<BTreeSet<&str>>() {
            if listed.insert(pattern.to_owned()) {
                writeln!(script, "    *(.text*.{pattern}*)").expect("a string grows");
            }
        }
    };
    for start in STARTS {
        list(functions(project, adder, start)?);
    }
    let mut used = BTreeSet::new();
    let benches = project.root.join("benches/python");
    let driver = benches.join("_driver.py");
    for program in crate::programs::files(&benches, &[])? {
        let name = crate::programs::stem(&program);
        let args = [&*driver.to_string_lossy(), &name, "1", "quick"];
        used.append(&mut functions(project, adder, &args)?);
    }
    list(used);
    let mut used = BTreeSet::new();
    for program in crate::programs::files(&project.root.join("tests/programs"), &[])? {
        used.append(&mut functions(project, adder, &[&program.to_string_lossy()])?);
    }
    list(used);
    script.push_str(FOOT);
    let path = project.root.join("startup.ld");
    std::fs::write(&path, script).context(path.display())?;
    println!("{} functions: {}", listed.len(), path.display());
    Ok(true)
}

/// The names of the functions that run.
fn functions(project: &Project, adder: &Path, args: &[&str]) -> Result<BTreeSet<String>> {
    // Once before, for the `.pyc` files. Some programs end with an error.
    Command::new(adder).args(args).output().context(adder.display())?;
    let data = project.dir("startup")?.join("callgrind.out");
    let mut record = Command::new("valgrind");
    record.args(["--tool=callgrind", "--demangle=no"]);
    record.arg(format!("--callgrind-out-file={}", data.display()));
    record.arg(adder).args(args).output().context("valgrind")?;
    let text = std::fs::read(&data).context(data.display())?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter_map(function_of)
        .collect())
}

/// The function that a line of callgrind's output names for the first time.
fn function_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("))?;
    // Recursion is numbered: `name'2`; so are the parts that the optimiser makes of a function.
    let name = rest.split_once(") ")?.1.split('\'').next()?;
    let name = name.split(".llvm.").next()?;
    (name.starts_with("_ZN") || name.starts_with("_R")).then(|| name.to_owned())
}

/// A mangled name of the older kind without its hash.
fn without_hash(name: &str) -> &str {
    match name.rfind("17h") {
        Some(at) if name.starts_with("_ZN") => &name[..at + 3],
        _ => name,
    }
}
