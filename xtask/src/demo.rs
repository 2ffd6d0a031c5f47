//! examples/*.py and NumPy's wheel -> a guided tour, with a picture at the end.

use std::process::Command;
use std::time::Instant;

use crate::process::plain_python;
use crate::programs::{files, stem};
use crate::{Context, Project, Result, pip};

/// The version whose wheel the examples are run on.
pub const NUMPY: &str = "numpy==2.5.5";

pub fn run(project: &Project) -> Result<bool> {
    println!("1. Build the command (cargo build --release).");
    let adder = project.adder()?;
    println!("   {}", adder.path.display());
    println!("2. Make a folder with the wheel of {NUMPY} that CPython 3.14 would get, unchanged.");
    let packages = pip::environment(project, "demo", &[NUMPY])?;
    println!("   {}", packages.display());
    let adder = adder.running()?;
    let out = project.dir("demo")?;

    let examples = files(&project.root.join("examples"), &[])?;
    let mut failed = 0;
    for (idx, file) in examples.iter().enumerate() {
        let text = std::fs::read_to_string(file).context(file.display())?;
        println!(
            "\n{}. {} ({} of {})",
            idx + 3,
            about(&text),
            idx + 1,
            examples.len()
        );
        println!("   adder examples/{}.py", stem(file));
        let started = Instant::now();
        let mut command = Command::new(adder);
        plain_python(&mut command)
            .env("PYTHONPATH", &packages)
            .arg(file)
            .current_dir(&out);
        let status = command.status().context(adder.display())?;
        if status.success() {
            println!("   done in {:.2} s", started.elapsed().as_secs_f64());
        } else {
            println!("   FAILED: {status}");
            failed += 1;
        }
    }
    println!();
    let picture = out.join("mandelbrot.png");
    if picture.is_file() {
        println!("The picture: {}", picture.display());
    }
    println!("{} examples, {failed} failed", examples.len());
    Ok(failed == 0)
}

/// The first line of the program's docstring.
fn about(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("\"\"\"")
        .trim_end_matches("\"\"\"")
        .trim()
}
