//! The record finds what stopped passing, and survives being written and read.

use super::{bless, load, regressions, tally};
use crate::Tally;
use crate::process::Scratch;
use crate::suite::{FileReport, Outcome};

fn report(outcomes: &[(&str, Outcome)]) -> FileReport {
    let mut report = FileReport {
        name: "file".into(),
        ..FileReport::default()
    };
    for (id, outcome) in outcomes {
        report.note(id, *outcome, "because");
    }
    report
}

#[test]
fn what_stops_passing_is_told() {
    let scratch = Scratch::new("baseline-test").expect("a folder");
    let path = scratch.0.join("baseline.txt");
    let before = report(&[
        ("a", Outcome::Passed),
        ("b", Outcome::Passed),
        ("c", Outcome::Failed),
        ("d", Outcome::Passed),
    ]);
    bless(&path, std::slice::from_ref(&before)).expect("written");
    let baseline = load(&path).expect("read");
    let theirs = std::slice::from_ref(&before);
    assert!(regressions(&baseline, theirs, theirs).is_empty());

    let after = report(&[
        ("a", Outcome::Passed),
        ("b", Outcome::Error),
        ("c", Outcome::Failed),
    ]);
    let lost = regressions(&baseline, std::slice::from_ref(&after), theirs);
    assert_eq!(lost, ["b: error: because", "d: did not run: no such test"]);
    // Nor does CPython pass `b` on this machine.
    let elsewhere = report(&[
        ("a", Outcome::Passed),
        ("b", Outcome::Skipped),
        ("d", Outcome::Passed),
    ]);
    let lost_here = regressions(&baseline, std::slice::from_ref(&after), &[elsewhere]);
    assert_eq!(lost_here, ["d: did not run: no such test"]);
    let counts = tally(&[after], &[before], Some(lost.len()));
    assert_eq!(
        counts,
        Tally {
            passed: 1,
            failed: 2,
            skipped: 1,
            known: 1
        }
    );
}

#[test]
fn the_worst_of_several_outcomes_counts() {
    let report = report(&[
        ("a", Outcome::Passed),
        ("a", Outcome::Failed),
        ("a", Outcome::Passed),
    ]);
    assert_eq!(report.count(Outcome::Failed), 1);
    assert!(report.ran());
}
