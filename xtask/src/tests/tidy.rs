//! Each rule of the house complains about what it is for, and about nothing else.

use super::check;

#[test]
fn a_good_file_has_no_complaints() {
    assert_eq!(check("a.rs", "//! in -> out.\nfn f() {}\n"), Vec::<String>::new());
    assert_eq!(check("a.py", "print(1)\n"), Vec::<String>::new());
}

#[test]
fn a_rust_file_opens_with_its_arrow() {
    assert_eq!(check("a.rs", "fn f() {}\n").len(), 1);
    assert_eq!(check("a.rs", "").len(), 1);
}

#[test]
fn a_long_file_says_why() {
    let long = "fn f() {}\n".repeat(1300);
    assert_eq!(check("a.rs", &format!("//! x\n{long}")).len(), 1);
    assert_eq!(
        check(
            "a.rs",
            &format!("//! x\n// tidy: long because it is a generated table\n{long}")
        )
        .len(),
        0
    );
    assert_eq!(check("a.py", &long).len(), 0);
}

#[test]
fn other_peoples_files_are_as_they_came() {
    let long = "fn f() {}\n".repeat(1300);
    assert_eq!(check("vendor/crate/src/a.rs", &long).len(), 0);
    let path = format!("{}/somebody/x\n", ["/ho", "me"].concat());
    assert_eq!(check("vendor/crate/src/a.rs", &path).len(), 1);
}

#[test]
fn stubs_and_machines_are_named_with_their_line() {
    let stub = format!("//! x\nfn f() {{ {}!() }}\n", "todo");
    assert_eq!(
        check("a.rs", &stub),
        ["a.rs:2: a stub that pretends; raise an error that names what is missing"]
    );
    let path = format!("\n{}/somebody/x\n", ["/ho", "me"].concat());
    assert_eq!(check("a.md", &path).len(), 1);
    assert_eq!(check("Cargo.lock", &path).len(), 0);
}
