//! The command offers the C API to the extension modules that it loads: every C-API symbol goes into its dynamic table.
//!
//! rustc keeps `#[no_mangle]` items of the linked crates; the linker would still drop and hide them in an executable. The list of
//! patterns makes them roots and exports them, and leaves Rust's own symbols out. `tests/exports.rs` compares the result with the
//! sources.
//!
//! Releases keep the functions that run at a start next to each other: `startup.ld`, which `cargo xtask startup` writes.

use std::path::PathBuf;

const EXPORTED: &str = "{ Py*; _Py*; };\n";

fn main() {
    let list = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("exports.list");
    std::fs::write(&list, EXPORTED).expect("OUT_DIR is writable");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Wl,--dynamic-list={}", list.display());
    println!("cargo:rerun-if-changed=startup.ld");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let root =
            PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
        println!(
            "cargo:rustc-link-arg-bins=-Wl,-T,{}",
            root.join("startup.ld").display()
        );
    }
}
