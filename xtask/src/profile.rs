//! a Python program -> where adder spends its time: `perf` with its clock, else `valgrind --tool=callgrind`, and a table of
//! functions. docs/PROFILING.md says how to read it.

use std::process::Command;

use crate::process;
use crate::{Project, Result};

const HZ: &str = "2000";
const N_ROWS: usize = 45;

pub fn command(project: &Project, args: &[String]) -> Result<bool> {
    let Some((program, arguments)) = args.split_first() else {
        return Err("profile: a program, or -c CODE, and its arguments".into());
    };
    let adder = project.adder()?;
    let adder = adder.running()?;
    let dir = project.dir("profile")?;
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if has("perf") {
        let data = dir.join("perf.data");
        let mut record = Command::new("perf");
        record.args(["record", "--event", "cpu-clock", "--freq", HZ, "--output"]);
        record
            .arg(&data)
            .arg("--")
            .arg(adder)
            .arg(program)
            .args(arguments);
        if !process::succeeds(&mut record)? {
            return Ok(false);
        }
        let mut report = Command::new("perf");
        report
            .args(["report", "--stdio", "--no-children", "--input"])
            .arg(&data);
        let output = report.output().map_err(|error| format!("perf: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = text
            .lines()
            .filter(|line| line.contains('%') && !line.starts_with('#'));
        for row in rows.take(N_ROWS) {
            println!("{row}");
        }
        println!("more: perf annotate --stdio --input {}", data.display());
        return Ok(true);
    }
    if !has("valgrind") {
        return Err("profile: neither perf nor valgrind is installed".into());
    }
    let data = dir.join("callgrind.out");
    let mut record = Command::new("valgrind");
    record.arg("--tool=callgrind");
    record.arg(format!("--callgrind-out-file={}", data.display()));
    record.arg(adder).arg(program).args(arguments);
    if !process::succeeds(&mut record)? {
        return Ok(false);
    }
    process::succeeds(Command::new("callgrind_annotate").arg(&data))
}
