//! Small C modules, compiled against CPython 3.14's headers, run by CPython and by `adder`: each function must give the same result
//! or the same exception in both.
//!
//! `cpyext/tests/c` has a module per chapter of the C API. Its functions take no arguments and are run in the order of their names.
//! `ADDER_CAPI=c_types` runs one module. The headers and the interpreter are found under `$ORACLE_ROOT` or `~/.cache/adder-oracle`;
//! without them the test says that it is skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

fn oracle() -> Option<PathBuf> {
    let root = std::env::var_os("ORACLE_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/adder-oracle")))?;
    if root.join("headers/python3.14/Python.h").exists() && python(&root).exists() {
        return Some(root);
    }
    println!("skipped: no CPython 3.14 under {}", root.display());
    None
}

fn python(root: &Path) -> PathBuf {
    root.join("usr/bin/python3.14")
}

fn compile(root: &Path, source: &Path, library: &Path) {
    let headers = root.join("headers");
    let output = Command::new("cc")
        .args([
            "-std=c11",
            "-O1",
            "-g",
            "-Wno-deprecated-declarations",
            "-shared",
            "-fPIC",
        ])
        .arg("-I")
        .arg(headers.join("python3.14"))
        .arg("-I")
        .arg(&headers)
        .arg(source)
        .arg("-o")
        .arg(library)
        .output()
        .expect("cc runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const RUNNER: &str = "
import sys
sys.path.insert(0, sys.argv[1])
module = __import__(sys.argv[2])
for name in sorted(vars(module)):
    function = getattr(module, name)
    if name.startswith('_') or not type(function) is type(len):
        continue
    try:
        print(name + ': ' + repr(function()), flush=True)
    except BaseException as error:
        print(name + ': ' + type(error).__name__ + ': ' + str(error), flush=True)
";

/// The lines that a module's functions print; a crash is a line too.
fn run(interpreter: &Path, dir: &Path, name: &str) -> Vec<String> {
    let output = Command::new(interpreter)
        .args(["-c", RUNNER])
        .arg(dir)
        .arg(name)
        .output()
        .unwrap();
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_string)
        .collect();
    if !output.status.success() {
        lines.push(format!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    lines
}

/// Modules that are known to differ; `ADDER_CAPI=NAME` runs one all the same.
const KNOWN: &[(&str, &str)] = &[
    (
        "c_errors",
        "frames of compiled code differ in what an unraisable error shows",
    ),
    (
        "c_objects",
        "an unraisable error of compiled code may lack its traceback",
    ),
];

#[test]
fn c_modules_give_the_same_here_and_in_cpython() {
    let Some(root) = oracle() else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("cpyext/tests/c");
    let dir = std::env::temp_dir().join(format!("adder-capi-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let only = std::env::var("ADDER_CAPI").ok();
    let mut differences = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(sources)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for source in paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "c"))
    {
        let name = source.file_stem().unwrap().to_str().unwrap().to_string();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        if only.is_none()
            && let Some((_, reason)) = KNOWN.iter().find(|(known, _)| *known == name)
        {
            println!("skipped: {name}: {reason}");
            continue;
        }
        compile(&root, &source, &dir.join(format!("{name}.so")));
        let expected = run(&python(&root), &dir, &name);
        let ours = run(Path::new(env!("CARGO_BIN_EXE_adder")), &dir, &name);
        assert!(!expected.is_empty(), "{name} has no functions");
        for line_idx in 0..expected.len().max(ours.len()) {
            let line = |lines: &[String]| lines.get(line_idx).cloned().unwrap_or_default();
            if line(&expected) != line(&ours) {
                differences.push(format!(
                    "{name}\n  cpython: {}\n  adder:   {}",
                    line(&expected),
                    line(&ours)
                ));
            }
        }
    }
    std::fs::remove_dir_all(&dir).ok();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
