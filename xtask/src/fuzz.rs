//! the targets of `fuzz/` -> each runs for a while on seeds and on what earlier runs found; what breaks is left in a file.
//!
//! `cargo fuzz` builds and runs them, with a nightly toolchain: stable ones offer neither sanitizers nor coverage counters.

use std::path::Path;
use std::process::Command;

use crate::{Context, Project, Result, process};

/// Every target, in the order in which they run.
pub const TARGETS: [&str; 6] = ["source", "marshal", "pickle", "struct", "re", "json"];
const DEFAULT_SECONDS: u32 = 300;
/// One input may take so long; code that can be interrupted stops itself earlier.
const TIMEOUT_SECONDS: u32 = 25;
const MOST_MEGABYTES: u32 = 3000;
const MOST_BYTES: u32 = 2048;

/// `cargo xtask fuzz [TARGET] [--seconds N]`.
pub fn command(project: &Project, args: &[String]) -> Result<bool> {
    let (mut wanted, mut seconds) = (Vec::new(), DEFAULT_SECONDS);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or("fuzz: --seconds wants a number")?;
        } else if let Some(target) = TARGETS.iter().find(|target| *target == arg) {
            wanted.push(*target);
        } else {
            return Err(format!("fuzz: no target {arg}; there are {}", TARGETS.join(", ")));
        }
    }
    if wanted.is_empty() {
        wanted.extend(TARGETS);
    }
    let toolchain = toolchain()?;
    let mut broken = Vec::new();
    for target in wanted {
        println!("fuzz: {target}, {seconds} s");
        if !run(project, toolchain, target, seconds)? {
            broken.push(target);
        }
    }
    if broken.is_empty() {
        println!("fuzz: nothing found");
    } else {
        let dir = project.root.join("fuzz/artifacts");
        println!(
            "fuzz: {} broke; the inputs are below {}",
            broken.join(", "),
            dir.display()
        );
    }
    Ok(broken.is_empty())
}

/// The variable that makes cargo and rustc take unstable flags; or what is missing.
fn toolchain() -> Result<(&'static str, &'static str)> {
    let answers = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if !answers(Command::new("cargo").args(["fuzz", "--version"])) {
        return Err("fuzz: cargo-fuzz is missing: cargo install cargo-fuzz".into());
    }
    let nightly = ("RUSTUP_TOOLCHAIN", "nightly");
    if answers(Command::new("rustc").env(nightly.0, nightly.1).arg("-V")) {
        return Ok(nightly);
    }
    println!("fuzz: there is no nightly toolchain (rustup toolchain install nightly); trying the stable one");
    Ok(("RUSTC_BOOTSTRAP", "1"))
}

fn run(project: &Project, (name, value): (&str, &str), target: &str, seconds: u32) -> Result<bool> {
    let fuzz = project.root.join("fuzz");
    let corpus = fuzz.join("corpus").join(target);
    std::fs::create_dir_all(&corpus).context(corpus.display())?;
    let mut command = Command::new("cargo");
    command
        .current_dir(&project.root)
        .env_remove("CARGO")
        .env(name, value)
        .args(["fuzz", "run", "--fuzz-dir"])
        .arg(&fuzz)
        .arg(target)
        .arg(&corpus)
        .arg(fuzz.join("seeds").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MOST_MEGABYTES}"))
        .arg(format!("-max_len={MOST_BYTES}"))
        .arg("-print_final_stats=1");
    if let Some(words) = dictionary(&fuzz, target) {
        command.arg(format!("-dict={words}"));
    }
    process::succeeds(&mut command)
}

fn dictionary(fuzz: &Path, target: &str) -> Option<String> {
    let path = fuzz.join("dictionaries").join(format!("{target}.dict"));
    path.is_file().then(|| path.display().to_string())
}
