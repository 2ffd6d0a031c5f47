//! Reading the counts of other commands.

use super::Tally;

#[test]
fn cargo_lines_are_summed() {
    let text = "\
running 2 tests
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
    assert_eq!(
        Tally::read(text),
        Some(Tally {
            passed: 5,
            failed: 4,
            skipped: 1,
            known: 0
        })
    );
}

#[test]
fn our_own_line_is_read_back() {
    let tally = Tally {
        passed: 7,
        failed: 1,
        skipped: 2,
        known: 0,
    };
    assert_eq!(Tally::read(&format!("words\n{tally}\n")), Some(tally));
    assert_eq!(Tally::read("7 passed"), None);
}
