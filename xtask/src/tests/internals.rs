//! A list of internals and reports of tests -> what counts, what is apart, and which lines are refused.

use super::*;

fn report(tests: &[(&str, Outcome)]) -> FileReport {
    let mut report = FileReport::default();
    for (id, outcome) in tests {
        report.note(id, *outcome, "");
    }
    report
}

#[test]
fn what_is_listed_neither_counts_nor_is_lost() {
    let internals = Internals(BTreeMap::from([(
        "t.bytecode".to_string(),
        "opcodes of CPython".to_string(),
    )]));
    let theirs = report(&[
        ("t.a", Outcome::Passed),
        ("t.b", Outcome::Passed),
        ("t.bytecode", Outcome::Passed),
        ("t.skipped", Outcome::Skipped),
    ]);
    let ours = report(&[
        ("t.a", Outcome::Passed),
        ("t.b", Outcome::Skipped),
        ("t.bytecode", Outcome::Failed),
        ("t.skipped", Outcome::Failed),
    ]);
    assert_eq!(internals.score(&ours, &theirs), (1, 2));
    assert_eq!(
        internals.apart(&ours).collect::<Vec<_>>(),
        [("t.bytecode", "opcodes of CPython")]
    );
    assert_eq!(internals.needless(&ours).count(), 0);
    assert_eq!(internals.needless(&theirs).collect::<Vec<_>>(), ["t.bytecode"]);
}

#[test]
fn a_line_without_a_reason_is_refused() {
    let path = std::env::temp_dir().join(format!("adder-internals-{}", std::process::id()));
    std::fs::write(&path, "# comment\nt.a: why\nt.b\n").unwrap();
    let error = Internals::load(&path).err().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(error.to_string().contains("t.b"), "{error}");
}
