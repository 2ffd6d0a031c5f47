//! tests/known-failures.txt -> whether a program's failure is news.

use std::collections::BTreeMap;

use crate::{Context, Project, Result, Tally};

/// The reasons by `FOLDER/NAME`.
pub struct Known(BTreeMap<String, String>);

impl Known {
    pub fn load(project: &Project) -> Result<Known> {
        let path = project.root.join("tests/known-failures.txt");
        let text = std::fs::read_to_string(&path).context(path.display())?;
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let entry = |line: &str| match line.split_once(": ") {
            Some((name, reason)) if !reason.trim().is_empty() => Ok((name.to_string(), reason.to_string())),
            _ => Err(format!("{}: not `FOLDER/NAME: reason`: {line}", path.display())),
        };
        Ok(Known(lines.map(entry).collect::<Result<_>>()?))
    }

    /// Counts one program, and says what is worth saying of it.
    pub fn judge(&self, name: &str, failure: Option<String>, tally: &mut Tally) {
        match (failure, self.0.get(name)) {
            (None, None) => tally.passed += 1,
            (Some(failure), None) => {
                tally.failed += 1;
                println!("{name}: {failure}");
            }
            (Some(failure), Some(reason)) => {
                tally.skipped += 1;
                tally.known += 1;
                println!(
                    "{name}: known: {reason}\n  {}",
                    failure.lines().next().unwrap_or_default()
                );
            }
            (None, Some(_)) => {
                tally.failed += 1;
                println!("{name}: passes; take it out of tests/known-failures.txt");
            }
        }
    }
}

#[cfg(test)]
#[path = "tests/known.rs"]
mod tests;
