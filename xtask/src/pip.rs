//! names of packages -> folders under `target/wheels` with their `cp314` wheels, through the machine's own pip.

use std::path::PathBuf;
use std::process::Command;

use crate::{Context, Project, Result, process};

/// The machine's pip, as it is set up here.
pub fn pip() -> Result<Command> {
    process::output(Command::new("python3").args(["-m", "pip", "--version"]))
        .map_err(|_| "this machine has no pip (python3 -m pip)".to_string())?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--disable-pip-version-check"]);
    Ok(pip)
}

/// The folder `target/wheels/NAME` with these packages as a CPython 3.14 on this machine would get them.
/// Nothing is fetched when the folder was made for the same list.
pub fn environment(project: &Project, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let dir = project.dir("wheels")?.join(name);
    let marker = dir.join(".packages");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|text| text == wanted) {
        return Ok(dir);
    }
    eprintln!("fetching {}", packages.join(" "));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).context(dir.display())?;
    }
    std::fs::create_dir_all(&dir).context(dir.display())?;
    let mut install = pip()?;
    install.args([
        "-q",
        "install",
        "--no-compile",
        "--only-binary=:all:",
        "--python-version",
        "3.14",
    ]);
    install.args([
        "--implementation",
        "cp",
        "--abi",
        "cp314",
        "--abi",
        "abi3",
        "--abi",
        "none",
    ]);
    // pip would compare what the packages require with the Python that it runs on, not with the one asked for.
    install.arg("--ignore-requires-python");
    for glibc in [
        "manylinux2014",
        "manylinux_2_17",
        "manylinux_2_24",
        "manylinux_2_26",
        "manylinux_2_27",
        "manylinux_2_28",
    ] {
        install
            .arg("--platform")
            .arg(format!("{glibc}_{}", std::env::consts::ARCH));
    }
    install.arg("--target").arg(&dir).args(packages);
    process::output(&mut install)?;
    std::fs::write(&marker, wanted).context(marker.display())?;
    Ok(dir)
}
