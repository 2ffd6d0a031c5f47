//! `rustpython-pylib`'s files, `Lib/` -> `$OUT_DIR/Lib`, and the code of what every start needs beside it.

mod edits;
mod freeze;

use edits::EDITS;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not for users of the library, or whose modules this machine does not have.
const LEFT_OUT: &[&str] = &["__pycache__", "idlelib", "turtledemo"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=edits.rs");
    println!("cargo::rerun-if-changed=freeze.rs");
    println!("cargo::rerun-if-changed=Lib");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    let target = out.join("Lib");
    if target.exists() {
        fs::remove_dir_all(&target).expect("the folder of the last build");
    }
    copy(Path::new(rustpython_pylib::LIB_PATH), &target);
    copy(Path::new("Lib"), &target);
    for (file, from, to) in EDITS {
        let path = target.join(file);
        let text = fs::read_to_string(&path).expect("a file of the library");
        assert!(text.contains(from), "{file} has no {from:?} any more");
        fs::write(&path, text.replace(from, to)).expect("a file of the library");
    }
    freeze::freeze_all(&target, &out);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder of the library");
    for entry in fs::read_dir(from).expect("a folder of the library") {
        let entry = entry.expect("an entry of the library");
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        if !source.is_dir() {
            // Contents only: the source may be read-only.
            fs::write(&target, fs::read(&source).expect("a file of the library"))
                .expect("a file of the library");
        } else if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            copy(&source, &target);
        }
    }
}
