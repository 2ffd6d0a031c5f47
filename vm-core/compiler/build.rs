//! The sources of the compiler and of the form that code has in files -> a number: `.pyc` files of another compiler are told by
//! it, so that a change of the bytecode, of what is generated or of how it is written never meets stale files.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// How code is written into files.
const FORMS: [&str; 2] = [
    "../runtime/src/objects/codeobject/lines.rs",
    "../stdlib/src/marshal.rs",
];

fn main() {
    let mut files = Vec::from(FORMS.map(PathBuf::from));
    for file in ["src"].iter().chain(&FORMS) {
        println!("cargo:rerun-if-changed={file}");
    }
    sources(Path::new("src"), &mut files);
    files.sort();
    // FNV-1a.
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for file in files {
        for byte in std::fs::read(&file).unwrap_or_default() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
    }
    println!(
        "cargo:rustc-env=ADDER_COMPILER_HASH={}",
        hash as u16 ^ (hash >> 16) as u16 ^ (hash >> 32) as u16
    );
}
