//! Compiles the C shims of the varargs functions. The whole archive is linked: nothing in Rust refers to most of it.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=shims");
    let mut shims: Vec<PathBuf> = std::fs::read_dir("shims")
        .expect("shims/ is there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "c"))
        .collect();
    shims.sort();
    cc::Build::new()
        .files(shims)
        .std("c11")
        .warnings(true)
        .link_lib_modifier("+whole-archive")
        .compile("adder_capi_shims");
}
