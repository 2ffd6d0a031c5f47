//! reports of tests + the recorded ids that passed -> what stopped passing; and the rewriting of the record.
//!
//! The record is a text file with one id per line, sorted, each under the name of its file: `FILE` on a line of its own, then its ids,
//! indented. So a change of it reads well in a diff.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::suite::{FileReport, Outcome};
use crate::{Context, Result, Tally};

pub type Baseline = BTreeMap<String, BTreeSet<String>>;

/// The record; empty when there is none yet.
pub fn load(path: &Path) -> Result<Baseline> {
    let mut baseline = Baseline::new();
    if !path.exists() {
        return Ok(baseline);
    }
    let mut file = String::new();
    for line in std::fs::read_to_string(path).context(path.display())?.lines() {
        match line.strip_prefix("  ") {
            Some(id) => drop(baseline.entry(file.clone()).or_default().insert(id.to_string())),
            None if line.starts_with('#') || line.is_empty() => {}
            None => file = line.to_string(),
        }
    }
    Ok(baseline)
}

/// Rewrites the record for the files that ran, and keeps the others.
pub fn bless(path: &Path, reports: &[FileReport]) -> Result {
    let mut baseline = load(path)?;
    for report in reports {
        baseline.insert(report.name.clone(), passing(report));
    }
    let mut text = String::from(
        "# Tests that pass, by file. Rewritten with --bless; --baseline fails when one stops passing.\n",
    );
    for (file, ids) in &baseline {
        text.push_str(&format!("{file}\n"));
        for id in ids {
            text.push_str(&format!("  {id}\n"));
        }
    }
    std::fs::write(path, text).context(path.display())
}

fn passing(report: &FileReport) -> BTreeSet<String> {
    let passed = report
        .records
        .iter()
        .filter(|(_, record)| record.outcome == Outcome::Passed);
    passed.map(|(id, _)| id.clone()).collect()
}

/// The recorded tests of the files that ran which do not pass any more, with the reason. What CPython (`expected`) does not pass
/// here and now either is the machine's doing: a test that wants a terminal, a signal that is not ignored, more time.
pub fn regressions(baseline: &Baseline, reports: &[FileReport], expected: &[FileReport]) -> Vec<String> {
    let mut lost = Vec::new();
    for (report, theirs) in reports.iter().zip(expected) {
        let Some(ids) = baseline.get(&report.name) else {
            continue;
        };
        for id in ids {
            if theirs
                .records
                .get(id)
                .is_none_or(|record| record.outcome != Outcome::Passed)
            {
                continue;
            }
            match report.records.get(id) {
                Some(record) if record.outcome == Outcome::Passed => {}
                Some(record) => lost.push(format!("{id}: {}: {}", record.outcome.name(), record.reason)),
                None => {
                    let why = report
                        .broken
                        .as_deref()
                        .or(report.skipped.as_deref())
                        .unwrap_or("no such test");
                    lost.push(format!("{id}: did not run: {why}"));
                }
            }
        }
    }
    lost
}

/// Counts for the last line. Against a record only what stopped passing has failed, and what never passed is known and among the
/// skipped; without one everything that does not pass has failed.
pub fn tally(reports: &[FileReport], expected: &[FileReport], regressions: Option<usize>) -> Tally {
    let sum = |outcome| reports.iter().map(|report| report.count(outcome)).sum::<usize>();
    let not_run: usize = expected
        .iter()
        .zip(reports)
        .map(|(theirs, ours)| {
            theirs
                .records
                .keys()
                .filter(|id| !ours.records.contains_key(*id))
                .count()
        })
        .sum();
    let bad = sum(Outcome::Failed) + sum(Outcome::Error) + sum(Outcome::Crashed) + not_run;
    let failed = regressions.unwrap_or(bad);
    let known = bad.saturating_sub(failed);
    Tally {
        passed: sum(Outcome::Passed),
        failed,
        skipped: sum(Outcome::Skipped) + known,
        known,
    }
}

#[cfg(test)]
#[path = "tests/baseline.rs"]
mod tests;
