//! Where things are: the executable, the prefix (with `pyvenv.cfg` beside or above the executable), the library.

use adder_interp::Config;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Fills the paths of the configuration.
pub fn find(config: &mut Config, argv0: &OsStr) {
    let executable = executable(argv0);
    config.executable = executable.to_string_lossy().into_owned();
    config.base_executable = config.executable.clone();
    let base = base_prefix(&executable);
    config.base_prefix = base.to_string_lossy().into_owned();
    config.prefix = config.base_prefix.clone();
    config.stdlib_dir = library(config, &base).to_string_lossy().into_owned();
    if let Some((folder, home)) = virtual_environment(&executable) {
        config.prefix = folder.to_string_lossy().into_owned();
        if let Some(name) = executable.file_name() {
            let original = home.join(name);
            if original.exists() {
                config.base_executable = original.to_string_lossy().into_owned();
            }
        }
    }
}

/// The path by which the command was started, made absolute but without following links: a virtual environment's
/// `bin/python` is one.
fn executable(argv0: &OsStr) -> PathBuf {
    let given = Path::new(argv0);
    if argv0.as_bytes().contains(&b'/') {
        return std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
    }
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(given))
            .find(|candidate| candidate.is_file())
    });
    found
        .or_else(|| std::env::current_exe().ok())
        .unwrap_or_else(|| given.to_owned())
}

/// The folder above the real executable's `bin`, or the executable's own.
fn base_prefix(executable: &Path) -> PathBuf {
    let real = std::env::current_exe()
        .or_else(|_| executable.canonicalize())
        .unwrap_or_else(|_| executable.to_owned());
    let folder = real.parent().unwrap_or(Path::new("/"));
    match folder.file_name() {
        Some(name) if name == "bin" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    }
}

/// The standard library: ADDER_LIB, `lib/adder3.14` below the prefix, or the pinned crate's folder that this command was
/// built with.
fn library(config: &Config, base: &Path) -> PathBuf {
    if !config.ignore_environment
        && let Some(folder) = std::env::var_os("ADDER_LIB").filter(|folder| !folder.is_empty())
    {
        return PathBuf::from(folder);
    }
    let installed = base.join("lib").join("adder3.14");
    if installed.join("os.py").is_file() {
        return installed;
    }
    PathBuf::from(adder_interp::pylifecycle::PINNED_LIB)
}

/// The environment's folder and its `home`, when a `pyvenv.cfg` stands beside the executable or one folder up.
fn virtual_environment(executable: &Path) -> Option<(PathBuf, PathBuf)> {
    let bin = executable.parent()?;
    let candidates = [Some(bin), bin.parent()];
    let folder = candidates
        .into_iter()
        .flatten()
        .find(|folder| folder.join("pyvenv.cfg").is_file())?;
    let text = std::fs::read_to_string(folder.join("pyvenv.cfg")).ok()?;
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim().eq_ignore_ascii_case("home")).then(|| PathBuf::from(value.trim()))
    })?;
    Some((folder.to_owned(), home))
}
