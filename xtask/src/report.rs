//! reports of tests, ours and CPython's -> tables and lists for people.

use crate::internals::Internals;
use crate::suite::{FileReport, Outcome};

/// Rows of cells as aligned text: the first column to the left, the others to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let gap = if column == 0 { "" } else { "  " };
            line += &if column == 0 {
                format!("{cell}{pad}")
            } else {
                format!("{gap}{pad}{cell}")
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

pub fn row<const N: usize>(cells: [&dyn std::fmt::Display; N]) -> Vec<String> {
    cells.iter().map(|cell| cell.to_string()).collect()
}

/// A line per file, ours beside CPython's, a line for all, and what it comes to.
pub fn files(ours: &[FileReport], theirs: &[FileReport], internals: &Internals) -> String {
    let mut rows = vec![row([
        &"file",
        &"tests",
        &"passed",
        &"failed",
        &"errors",
        &"crashed",
        &"skipped",
        &"not run",
        &"seconds",
        &"whole",
        &"| CPython passed",
        &"skipped",
        &"seconds",
    ])];
    let mut total = vec![0_usize; 9];
    let (mut seconds, mut their_seconds) = (0.0, 0.0);
    let (mut whole_files, mut score, mut apart) = (0, (0, 0), 0);
    for (our, their) in ours.iter().zip(theirs) {
        let not_run = their
            .records
            .keys()
            .filter(|id| !our.records.contains_key(*id))
            .count();
        let numbers = [
            our.records.len().max(their.records.len()),
            our.count(Outcome::Passed),
            our.count(Outcome::Failed),
            our.count(Outcome::Error),
            our.count(Outcome::Crashed),
            our.count(Outcome::Skipped),
            not_run,
            their.count(Outcome::Passed),
            their.count(Outcome::Skipped),
        ];
        total
            .iter_mut()
            .zip(numbers)
            .for_each(|(sum, number)| *sum += number);
        (seconds, their_seconds) = (seconds + our.seconds, their_seconds + their.seconds);
        let (passed, of) = internals.score(our, their);
        let is_whole = our.ran() && passed == of;
        let whole = if is_whole { "yes" } else { "no" };
        whole_files += usize::from(is_whole);
        score = (score.0 + passed, score.1 + of);
        apart += internals.apart(our).count();
        rows.push(numbers_row(
            &our.name,
            &numbers,
            our.seconds,
            whole,
            their.seconds,
        ));
    }
    rows.push(numbers_row(
        "all",
        &total,
        seconds,
        &format!("{whole_files}/{}", ours.len()),
        their_seconds,
    ));
    let share = 100.0 * score.0 as f64 / score.1.max(1) as f64;
    let mut text = table(&rows);
    text += &format!(
        "{} of the {} tests that pass on CPython pass here ({share:.1} %); {whole_files} of {} files are whole",
        score.0,
        score.1,
        ours.len()
    );
    if apart > 0 {
        text += &format!("; {apart} tests of CPython's internals are listed apart");
    }
    text + "\n"
}

fn numbers_row(name: &str, n: &[usize], seconds: f64, whole: &str, their_seconds: f64) -> Vec<String> {
    let seconds = format!("{seconds:.1}");
    let (theirs, their_seconds) = (format!("| {}", n[7]), format!("{their_seconds:.1}"));
    row([
        &name,
        &n[0],
        &n[1],
        &n[2],
        &n[3],
        &n[4],
        &n[5],
        &n[6],
        &seconds,
        &whole,
        &theirs,
        &n[8],
        &their_seconds,
    ])
}

/// Everything that does not pass here, by name with the reason; what CPython fails as well says so.
pub fn failures(ours: &[FileReport], theirs: &[FileReport], internals: &Internals, most: usize) -> String {
    let mut lines = Vec::new();
    for (our, their) in ours.iter().zip(theirs) {
        if let Some(why) = &our.broken {
            lines.push(format!("{}: stopped: {why}", our.name));
        }
        for (id, record) in &our.records {
            let passes_there = their
                .records
                .get(id)
                .is_none_or(|record| record.outcome == Outcome::Passed);
            let note = if passes_there {
                ""
            } else {
                " (not on CPython either)"
            };
            match record.outcome {
                Outcome::Passed => {}
                Outcome::Skipped if !passes_there => {}
                _ if internals.reason(id).is_some() => {}
                outcome => lines.push(format!("{id}: {}: {}{note}", outcome.name(), record.reason)),
            }
        }
    }
    let left_out = lines.len().saturating_sub(most);
    lines.truncate(most);
    if left_out > 0 {
        lines.push(format!("... and {left_out} more"));
    }
    let apart = ours.iter().flat_map(|our| internals.apart(our));
    lines.extend(apart.map(|(id, reason)| format!("{id}: apart: {reason}")));
    let needless = ours.iter().flat_map(|our| internals.needless(our));
    lines.extend(needless.map(|id| format!("{id}: passes, and is listed among CPython's internals")));
    lines.join("\n")
}
