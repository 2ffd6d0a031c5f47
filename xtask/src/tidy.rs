//! the tree -> the rules of the house that a machine can check.
//!
//! Rust files open with `//!`; a file over 1,200 lines says why (`// tidy: long because …` within its first 30 lines); nothing
//! pretends to be there (`todo!`, `unimplemented!`); no file names a machine's paths or a registry's host. Files in `vendor/` are other
//! people's, and only the last rule is for them.

use std::path::Path;
use std::process::Command;

use crate::{Context, Project, Result, process};

const MOST_LINES: usize = 1200;
const REASON: &str = "// tidy: long because ";
const REASON_WITHIN: usize = 30;

pub fn run(project: &Project) -> Result<bool> {
    let mut git = Command::new("git");
    git.current_dir(&project.root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut complaints = Vec::new();
    let mut n_files = 0;
    for name in process::output(&mut git)?
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let path = project.root.join(name);
        if !path.is_file() {
            continue; // removed, but not from the index yet
        }
        let bytes = std::fs::read(&path).context(name)?;
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        n_files += 1;
        complaints.extend(check(name, &text));
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("tidy: {n_files} files, {} complaints", complaints.len());
    Ok(complaints.is_empty())
}

/// What is wrong with one file.
fn check(name: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_rust = !name.starts_with("vendor/")
        && Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "rs");
    if is_rust {
        let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
        if !lines.next().is_some_and(|line| line.starts_with("//!")) {
            complaints.push(format!(
                "{name}:1: does not open with //! and what comes in and goes out"
            ));
        }
        let n_lines = text.lines().count();
        let reason = text
            .lines()
            .take(REASON_WITHIN)
            .find_map(|line| line.trim().strip_prefix(REASON));
        if n_lines > MOST_LINES && reason.is_none_or(|why| why.trim().len() < 10) {
            complaints.push(format!(
                "{name}: {n_lines} lines; split it by topic, or say why not: `{REASON}…`"
            ));
        }
    }
    // Cargo writes where a package comes from into its own file.
    let is_lock = name == "Cargo.lock";
    for (idx, line) in text.lines().enumerate() {
        let mut complain = |what: &str| complaints.push(format!("{name}:{}: {what}", idx + 1));
        if is_rust && pretences().iter().any(|word| line.contains(word.as_str())) {
            complain("a stub that pretends; raise an error that names what is missing");
        }
        if !is_lock && machine_words().iter().any(|word| line.contains(word.as_str())) {
            complain("a path of one machine, or the host of a package registry");
        }
    }
    complaints
}

// The forbidden words are put together here, so that this file passes its own check.

fn pretences() -> [String; 2] {
    ["todo", "unimplemented"].map(|name| format!("{name}!("))
}

fn machine_words() -> [String; 8] {
    [
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/Use", "rs/"],
        ["/wo", "rk/"],
        ["pypi", ".org"],
        ["pythonho", "sted.org"],
        ["crates", ".io/"],
        ["deb.debi", "an.org"],
    ]
    .map(|halves| halves.concat())
}

#[cfg(test)]
#[path = "tests/tidy.rs"]
mod tests;
