//! tests/robustness/*.py -> each program must end by itself and find its own assertions true. They hold what once crashed, hung or
//! ran away, and what would crash other Pythons, too: so nothing is compared.

use std::path::Path;
use std::process::Command;

#[test]
fn programs_survive() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/robustness");
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut broken = Vec::new();
    for path in paths {
        // With a limit on its memory, so that what asks for too much is told so before the machine suffers.
        let mut adder = Command::new("sh");
        adder.args([
            "-c",
            "ulimit -v 4000000; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_adder"),
        ]);
        let output = adder.arg(&path).output().expect("adder starts");
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            broken.push(format!("{}: {}\n{stderr}", path.display(), output.status));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
