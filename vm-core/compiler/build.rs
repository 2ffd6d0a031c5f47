//! The compiler's sources -> a number: `.pyc` files of another compiler are told by it, so that a change of the bytecode
//! or of what is generated never meets stale files.

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

fn main() {
    println!("cargo:rerun-if-changed=src");
    let mut files = Vec::new();
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
