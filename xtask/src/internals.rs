//! conformance/internals.txt -> the tests that assert CPython's own bytecode or internals, which are listed apart.
//!
//! `TEST_ID: reason` a line. What is here is not expected to pass: our design makes it different on purpose.

use std::collections::BTreeMap;
use std::path::Path;

use crate::suite::{FileReport, Outcome};
use crate::{Context, Result};

/// The reasons by test id.
#[derive(Default)]
pub struct Internals(BTreeMap<String, String>);

impl Internals {
    pub fn load(path: &Path) -> Result<Internals> {
        let text = std::fs::read_to_string(path).context(path.display())?;
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let entry = |line: &str| match line.split_once(": ") {
            Some((id, reason)) if !reason.trim().is_empty() => Ok((id.to_string(), reason.to_string())),
            _ => Err(format!("{}: not `TEST_ID: reason`: {line}", path.display())),
        };
        Ok(Internals(lines.map(entry).collect::<Result<_>>()?))
    }

    pub fn reason(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// Whether a test that CPython passes counts: it is not listed here.
    pub fn counts(&self, id: &str, theirs: &FileReport) -> bool {
        self.reason(id).is_none()
            && theirs
                .records
                .get(id)
                .is_some_and(|record| record.outcome == Outcome::Passed)
    }

    /// The ids that count, and how many of them pass.
    pub fn score(&self, ours: &FileReport, theirs: &FileReport) -> (usize, usize) {
        let mut score = (0, 0);
        for id in theirs.records.keys().filter(|id| self.counts(id, theirs)) {
            let passes = ours
                .records
                .get(id)
                .is_some_and(|record| record.outcome == Outcome::Passed);
            score = (score.0 + usize::from(passes), score.1 + 1);
        }
        score
    }

    /// The listed tests that do not pass, of one file.
    pub fn apart<'a>(&'a self, ours: &'a FileReport) -> impl Iterator<Item = (&'a str, &'a str)> {
        let listed = |(id, record): (&'a String, &'a crate::suite::Record)| {
            let reason = self.reason(id)?;
            (record.outcome != Outcome::Passed).then_some((id.as_str(), reason))
        };
        ours.records.iter().filter_map(listed)
    }

    /// The listed tests that pass: they need not be listed.
    pub fn needless<'a>(&'a self, ours: &'a FileReport) -> impl Iterator<Item = &'a str> {
        let passes = |(id, record): (&'a String, &'a crate::suite::Record)| {
            (record.outcome == Outcome::Passed && self.reason(id).is_some()).then_some(id.as_str())
        };
        ours.records.iter().filter_map(passes)
    }
}

#[cfg(test)]
#[path = "tests/internals.rs"]
mod tests;
