//! what starts and programs run, as valgrind sees it -> `startup.ld`, which puts these functions next to each other in the command:
//! a start touches a third of the code, and pages of the rest need be neither read nor counted as the process's memory.
//!
//! The names are without the compiler's hashes, so the list outlives most changes; what it does not name is placed as ever.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::{Context, Project, Result};

/// What is started: nothing, a `site` of its own, and imports of the usual size.
const STARTS: [&[&str]; 3] = [
    &["-S", "-c", "pass"],
    &["-c", "pass"],
    &["-c", "import json, re, asyncio, typing"],
];
const HEAD: &str = "/* The functions that run when adder starts, then those of the programs in tests/programs: next to each other in the command. Made by
   `cargo xtask startup`. */
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
    let mut starts = BTreeSet::new();
    for start in STARTS {
        functions(project, adder, start, &mut starts)?;
    }
    let mut programs = BTreeSet::new();
    for program in crate::programs::files(&project.root.join("tests/programs"), &[])? {
        functions(project, adder, &[&program.to_string_lossy()], &mut programs)?;
    }
    let mut script = String::from(HEAD);
    for name in starts.iter().chain(programs.difference(&starts)) {
        writeln!(script, "    *(.text*.{name}*)").expect("a string grows");
    }
    script.push_str(FOOT);
    let path = project.root.join("startup.ld");
    std::fs::write(&path, script).context(path.display())?;
    let n_more = programs.difference(&starts).count();
    println!(
        "{} functions run at a start, {n_more} more in programs: {}",
        starts.len(),
        path.display()
    );
    Ok(true)
}

/// Adds the names of the functions that run.
fn functions(project: &Project, adder: &Path, args: &[&str], names: &mut BTreeSet<String>) -> Result<()> {
    // Once before, for the `.pyc` files. Some programs end with an error.
    Command::new(adder).args(args).output().context(adder.display())?;
    let data = project.dir("startup")?.join("callgrind.out");
    let mut record = Command::new("valgrind");
    record.args(["--tool=callgrind", "--demangle=no"]);
    record.arg(format!("--callgrind-out-file={}", data.display()));
    record.arg(adder).args(args).output().context("valgrind")?;
    let text = std::fs::read(&data).context(data.display())?;
    names.extend(String::from_utf8_lossy(&text).lines().filter_map(function_of));
    Ok(())
}

/// The function that a line of callgrind's output names for the first time, without what differs between builds: the hash of an
/// older kind of mangled names, the number of a part that the optimiser made.
fn function_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("))?;
    // Recursion is numbered: `name'2`.
    let name = rest.split_once(") ")?.1.split('\'').next()?;
    let end = match name.get(..2)? {
        "_Z" => name.rfind("17h")? + 3,
        "_R" => name.find(".llvm.").unwrap_or(name.len()),
        _ => return None,
    };
    Some(name[..end].to_owned())
}
