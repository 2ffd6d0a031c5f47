//! one file of tests and an interpreter -> a record per test, whatever happens to the process.
//!
//! The process appends a JSON line when a test starts and when it ends (`xtask/python/adder_results.py`). When it dies or hangs, the
//! test that had started is `crashed`, and a new process goes on with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{self, End, Scratch, Watch};
use crate::{Context, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Passed,
    Skipped,
    Failed,
    Error,
    Crashed,
}

impl Outcome {
    const ALL: [Outcome; 5] = [
        Outcome::Passed,
        Outcome::Skipped,
        Outcome::Failed,
        Outcome::Error,
        Outcome::Crashed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
            Outcome::Error => "error",
            Outcome::Crashed => "crashed",
        }
    }

    fn parse(name: &str) -> Outcome {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
            .unwrap_or(Outcome::Error)
    }
}

#[derive(Clone, Debug)]
pub struct Record {
    pub outcome: Outcome,
    pub reason: String,
}

/// What one file of tests did.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    pub name: String,
    /// By the test's id.
    pub records: BTreeMap<String, Record>,
    /// Why the file as a whole could not be run to its end.
    pub broken: Option<String>,
    /// The file asked to be skipped as a whole.
    pub skipped: Option<String>,
    pub seconds: f64,
}

impl FileReport {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.records
            .values()
            .filter(|record| record.outcome == outcome)
            .count()
    }

    /// The file was run to its end.
    pub fn ran(&self) -> bool {
        self.broken.is_none() && (!self.records.is_empty() || self.skipped.is_some())
    }

    pub(crate) fn note(&mut self, id: &str, outcome: Outcome, reason: &str) {
        let record = Record {
            outcome,
            reason: reason.to_string(),
        };
        // The same id may stand for several tests: the worst counts.
        let kept = self
            .records
            .entry(id.to_string())
            .or_insert_with(|| record.clone());
        if record.outcome > kept.outcome {
            *kept = record;
        }
    }

    pub fn save(&self, path: &Path) -> Result {
        let records: Vec<Value> = self
            .records
            .iter()
            .map(|(id, record)| json!([id, record.outcome.name(), record.reason]))
            .collect();
        let value = json!({
            "name": self.name, "broken": self.broken, "skipped": self.skipped, "seconds": self.seconds,
            "records": records,
        });
        std::fs::write(path, value.to_string()).context(path.display())
    }

    /// A saved report; `None` when there is none that can be read.
    pub fn load(path: &Path) -> Option<FileReport> {
        let value: Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_string);
        let mut report = FileReport {
            name: text("name")?,
            broken: text("broken"),
            skipped: text("skipped"),
            seconds: value["seconds"].as_f64()?,
            ..FileReport::default()
        };
        for row in value["records"].as_array()? {
            report.note(
                row[0].as_str()?,
                Outcome::parse(row[1].as_str()?),
                row[2].as_str()?,
            );
        }
        Some(report)
    }
}

/// How to run one file of tests.
pub struct Job<'a> {
    pub name: &'a str,
    /// Makes the command, to which the names of the files of results are added as environment variables.
    pub command: &'a (dyn Fn() -> Command + Sync),
    /// For the file as a whole.
    pub timeout: Duration,
    /// For one test.
    pub patience: Duration,
    /// Where what the processes printed goes.
    pub log: PathBuf,
}

/// So many times a file is taken up again after a crash.
const MOST_RESTARTS: usize = 25;

pub fn run(job: &Job<'_>) -> Result<FileReport> {
    let scratch = Scratch::new("suite")?;
    let mut report = FileReport {
        name: job.name.to_string(),
        ..FileReport::default()
    };
    let started = Instant::now();
    let mut log = String::new();
    for attempt in 0..=MOST_RESTARTS {
        let left = job.timeout.saturating_sub(started.elapsed());
        let (end, progress) = run_once(job, &scratch.0, attempt, left, &mut report, &mut log)?;
        if progress.done || report.broken.is_some() {
            break;
        }
        // It died between tests, before the first one, or once too often: another process would not get further.
        let stuck = progress.interrupted.is_none() && progress.finished == 0;
        let timed_out = end == End::Timeout;
        if let Some(id) = progress.interrupted {
            report.note(&id, Outcome::Crashed, &end.to_string());
        }
        if stuck || timed_out || attempt == MOST_RESTARTS {
            report.broken = Some(format!("{end}{}", last_line(&log)));
            break;
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    std::fs::write(&job.log, log).context(job.log.display())?;
    Ok(report)
}

#[derive(Default)]
struct Progress {
    done: bool,
    finished: usize,
    interrupted: Option<String>,
}

fn run_once(
    job: &Job<'_>,
    scratch: &Path,
    attempt: usize,
    left: Duration,
    report: &mut FileReport,
    log: &mut String,
) -> Result<(End, Progress)> {
    let results = scratch.join(format!("results-{attempt}"));
    let done = scratch.join("done");
    let cwd = scratch.join(format!("cwd-{attempt}"));
    std::fs::create_dir_all(&cwd).context(cwd.display())?;
    std::fs::write(&results, "").context(results.display())?;
    let ids: BTreeSet<&str> = report.records.keys().map(String::as_str).collect();
    std::fs::write(&done, ids.into_iter().collect::<Vec<_>>().join("\n")).context(done.display())?;

    let mut command = (job.command)();
    command
        .env("ADDER_RESULTS", &results)
        .env("ADDER_DONE", &done)
        .env("TMPDIR", &cwd)
        .current_dir(&cwd);
    let watch = Watch {
        file: &results,
        patience: job.patience,
    };
    let run = process::run_watched(&mut command, left, Some(watch))?;
    log.push_str(&run.stdout);
    log.push_str(&run.stderr);
    log.push_str(&format!("-- {}\n", run.end));
    let text = std::fs::read_to_string(&results).context(results.display())?;
    Ok((run.end, read(&text, report)))
}

fn read(text: &str, report: &mut FileReport) -> Progress {
    let mut progress = Progress::default();
    // A line that cannot be read was cut off by the crash.
    for line in text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let field = |name: &str| line[name].as_str().unwrap_or("");
        match field("event") {
            "start" => progress.interrupted = Some(field("id").to_string()),
            "end" => {
                progress.interrupted = None;
                progress.finished += 1;
                report.note(field("id"), Outcome::parse(field("outcome")), field("reason"));
            }
            "fixture" => report.note(field("id"), Outcome::parse(field("outcome")), field("reason")),
            "collect-error" => report.note(field("id"), Outcome::Error, field("reason")),
            "import-error" => report.broken = Some(field("reason").to_string()),
            "module-skipped" => report.skipped = Some(field("reason").to_string()),
            "done" => progress.done = true,
            _ => {}
        }
    }
    progress
}

fn last_line(log: &str) -> String {
    match log
        .lines()
        .rev()
        .find(|line| !line.starts_with("-- ") && !line.trim().is_empty())
    {
        Some(line) => format!(": {}", line.trim().chars().take(200).collect::<String>()),
        None => String::new(),
    }
}

#[cfg(test)]
#[path = "tests/suite.rs"]
mod tests;
