//! The sources of the C API -> the executable's dynamic table: whatever is declared as exported must be found there by `dlopen`ed
//! extension modules, in every build profile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs" || ext == "c") {
            found.push(path);
        }
    }
}

fn is_c_api(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py")
}

/// The identifier at the start of `text`.
fn identifier(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or("")
}

/// Names that a Rust file exports: functions in `capi!` and items under `#[unsafe(no_mangle)]`.
fn rust_exports(text: &str, names: &mut BTreeSet<String>) {
    let (mut in_capi, mut no_mangle) = (false, false);
    for line in text.lines() {
        in_capi = line.starts_with("capi! {") || (in_capi && !line.starts_with('}'));
        let code = line.trim_start();
        if code.starts_with("#[unsafe(no_mangle)]") {
            no_mangle = true;
        }
        let counts = no_mangle || in_capi && line.starts_with("    fn ");
        if !counts {
            continue;
        }
        for keyword in ["fn ", "static mut ", "static "] {
            if let Some((before, after)) = code.split_once(keyword)
                && before
                    .split_whitespace()
                    .all(|word| ["pub", "unsafe", "extern", "\"C\"", "#[unsafe(no_mangle)]"].contains(&word))
            {
                let name = identifier(after);
                if is_c_api(name) {
                    names.insert(name.to_string());
                }
                no_mangle = false;
                break;
            }
        }
    }
}

/// Names that a shim defines: functions whose line starts with `PyAPI_FUNC(type) name(` and ends without `;`.
fn c_exports(text: &str, names: &mut BTreeSet<String>) {
    for line in text.lines().filter(|line| line.starts_with("EXPORT(")) {
        if let Some((_, after)) = line.split_once(") ") {
            names.insert(identifier(after).to_string());
        }
    }
}

#[test]
fn every_declared_symbol_is_in_the_dynamic_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for dir in ["cpyext/src", "cpyext/shims", "vm-core/runtime/src"] {
        sources(&root.join(dir), &mut files);
    }
    let mut declared = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        match file.extension().and_then(|ext| ext.to_str()) {
            Some("rs") => rust_exports(&text, &mut declared),
            _ => c_exports(&text, &mut declared),
        }
    }
    let output = Command::new("nm")
        .args(["-D", "--defined-only", env!("CARGO_BIN_EXE_adder")])
        .output();
    let Ok(output) = output else {
        println!("skipped: no nm on this machine");
        return;
    };
    let listing = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<&str> = listing
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    let missing: Vec<&String> = declared
        .iter()
        .filter(|name| !exported.contains(name.as_str()))
        .collect();
    assert!(declared.contains("PyOS_snprintf"));
    assert!(
        missing.is_empty(),
        "{} of {} are not exported: {missing:?}",
        missing.len(),
        declared.len()
    );
}
