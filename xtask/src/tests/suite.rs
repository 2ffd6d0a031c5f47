//! A process that dies or hangs costs the one test that it was in.

use std::process::Command;
use std::time::Duration;

use super::{Job, Outcome, run};
use crate::process::Scratch;

/// A shell script in the place of an interpreter: it runs the tests named, and does to itself what their names say.
const SCRIPT: &str = r#"
for id in $TESTS; do
  grep -qxF "$id" "$ADDER_DONE" && continue
  echo "{\"event\": \"start\", \"id\": \"$id\"}" >> "$ADDER_RESULTS"
  case $id in
    crash*) kill -SEGV $$ ;;
    hang*) sleep 60 ;;
    fail*) outcome=failed ;;
    *) outcome=passed ;;
  esac
  echo "{\"event\": \"end\", \"id\": \"$id\", \"outcome\": \"$outcome\", \"reason\": \"r\"}" >> "$ADDER_RESULTS"
done
[ "$TESTS" = late ] && exit 3
echo '{"event": "done"}' >> "$ADDER_RESULTS"
"#;

fn check(tests: &str, expected: &[(&str, Outcome)], broken: bool) {
    let scratch = Scratch::new("suite-test").expect("a folder");
    let command = || {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).env("TESTS", tests);
        command
    };
    let job = Job {
        name: "script",
        command: &command,
        timeout: Duration::from_secs(20),
        patience: Duration::from_millis(700),
        log: scratch.0.join("log"),
    };
    let report = run(&job).expect("runs");
    let got: Vec<(&str, Outcome)> = report
        .records
        .iter()
        .map(|(id, record)| (id.as_str(), record.outcome))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(report.broken.is_some(), broken, "{:?}", report.broken);
}

#[test]
fn all_run_to_the_end() {
    check(
        "a b fail1",
        &[
            ("a", Outcome::Passed),
            ("b", Outcome::Passed),
            ("fail1", Outcome::Failed),
        ],
        false,
    );
}

#[test]
fn what_follows_a_crash_or_a_hang_is_run() {
    let expected = [
        ("a", Outcome::Passed),
        ("b", Outcome::Passed),
        ("c", Outcome::Passed),
        ("crash1", Outcome::Crashed),
        ("crash2", Outcome::Crashed),
        ("hang1", Outcome::Crashed),
    ];
    check("a crash1 b hang1 crash2 c", &expected, false);
}

#[test]
fn a_process_that_gets_nowhere_is_not_started_for_ever() {
    check("late", &[("late", Outcome::Passed)], true);
}
