//! A known failure is not news, but its passing is.

use super::Known;
use crate::Tally;

#[test]
fn each_case_is_counted_once() {
    let known = Known([("programs/a".to_string(), "why".to_string())].into());
    let mut tally = Tally::default();
    known.judge("programs/a", Some("differs".into()), &mut tally);
    assert_eq!(
        tally,
        Tally {
            skipped: 1,
            known: 1,
            ..Tally::default()
        }
    );
    known.judge("programs/b", None, &mut tally);
    assert_eq!(tally.passed, 1);
    known.judge("programs/b", Some("differs".into()), &mut tally);
    known.judge("programs/a", None, &mut tally);
    assert_eq!(tally.failed, 2);
}
