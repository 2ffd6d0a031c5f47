//! the machine's own package sources -> the reference interpreters that adder is compared with, once per machine.
//!
//! They are Debian packages, fetched by name through the mirror that the machine's `apt` is set up for, unpacked into a folder of
//! their own and patched so that they run on the host directly: `subprocess`, `venv` and paths behave as usual. The folder is
//! `$ORACLE_ROOT`, else `$XDG_CACHE_HOME/adder-oracle`, else `~/.cache/adder-oracle`:
//!
//! - `usr/bin/python3.14`: CPython with its headers, its own tests and `_testcapi`;
//! - `usr/bin/pypy3`: PyPy;
//! - `venv/bin/python`: the same CPython with NumPy, cffi, pytest and hypothesis;
//! - `headers/`: CPython's headers without the C library's, for `cc -IORACLE/headers/python3.14 -IORACLE/headers`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Context, Result, pip, process};

const PACKAGES: &str = "python3.14,python3.14-dev,libpython3.14-testsuite,pypy3,pypy3-dev";
/// The release of Debian that has those packages.
const SUITE: &str = "forky";
const VENV: &[&str] = &[
    "numpy==2.5.5",
    "cffi==2.1.1",
    "pygame-ce",
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "pyperformance",
    "setuptools",
];

/// The reference interpreters that are there, and the sentences that say why others are not.
pub struct Oracle {
    pub root: PathBuf,
    pub cpython: Option<PathBuf>,
    pub pypy: Option<PathBuf>,
    pub venv: Option<PathBuf>,
    pub missing: Vec<String>,
}

impl Oracle {
    pub fn root() -> Result<PathBuf> {
        let var = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(root) = var("ORACLE_ROOT") {
            return Ok(root);
        }
        let cache = match (var("XDG_CACHE_HOME"), var("HOME")) {
            (Some(cache), _) => cache,
            (None, Some(home)) => home.join(".cache"),
            (None, None) => return Err("neither ORACLE_ROOT, XDG_CACHE_HOME nor HOME is set".into()),
        };
        Ok(cache.join("adder-oracle"))
    }

    /// Installs what is not there. What cannot be installed is said in `missing`; that is not an error.
    pub fn install() -> Result<Oracle> {
        let root = Oracle::root()?;
        let (cpython, pypy) = (root.join("usr/bin/python3.14"), root.join("usr/bin/pypy3"));
        let mut missing = Vec::new();
        if !(runs(&cpython, "pass") && runs(&pypy, "pass")) {
            eprintln!(
                "installing the reference interpreters into {} (about two minutes)",
                root.display()
            );
            if let Err(why) = bootstrap(&root, &cpython, &pypy) {
                missing.push(format!("reference interpreters: {why}"));
            }
        }
        let mut oracle = Oracle {
            root,
            cpython: None,
            pypy: None,
            venv: None,
            missing,
        };
        if runs(&cpython, "pass") {
            if let Err(why) = link_headers(&oracle.root) {
                oracle.missing.push(format!("CPython's headers: {why}"));
            }
            match make_venv(&oracle.root, &cpython) {
                Ok(venv) => oracle.venv = Some(venv),
                Err(why) => oracle
                    .missing
                    .push(format!("CPython with NumPy and pytest: {why}")),
            }
            oracle.cpython = Some(cpython);
        }
        if runs(&pypy, "pass") {
            oracle.pypy = Some(pypy);
        }
        Ok(oracle)
    }

    /// Prints what is there and what is not; true when everything is.
    pub fn describe(&self) -> bool {
        let numpy = "import sys, numpy; print('CPython', sys.version.split()[0], 'numpy', numpy.__version__)";
        let python = "import sys; print('CPython', sys.version.split()[0])";
        let pypy = "import sys; print('PyPy', '.'.join(map(str, sys.pypy_version_info[:3])), 'Python', \
                    sys.version.split()[0])";
        for (interpreter, says) in [(&self.cpython, python), (&self.venv, numpy), (&self.pypy, pypy)] {
            if let Some(path) = interpreter {
                let said = process::output(Command::new(path).args(["-c", says]));
                println!(
                    "{:<32} {}",
                    said.unwrap_or_else(|err| err).trim_end(),
                    path.display()
                );
            }
        }
        for why in &self.missing {
            println!("missing: {why}");
        }
        println!(
            "{} of 3 reference interpreters, {} skipped",
            self.present(),
            3 - self.present()
        );
        println!("{}", self.root.display());
        self.missing.is_empty()
    }

    fn present(&self) -> usize {
        [&self.cpython, &self.pypy, &self.venv]
            .into_iter()
            .flatten()
            .count()
    }

    /// The reason to give when a comparison cannot run.
    pub fn why_missing(&self) -> String {
        self.missing
            .first()
            .cloned()
            .unwrap_or_else(|| "the reference interpreter is not installed".into())
    }

    pub fn cpython(&self) -> Result<&Path> {
        self.cpython.as_deref().ok_or_else(|| self.why_missing())
    }

    /// CPython's own `test` package.
    /// What a C compiler needs to find CPython's headers; nothing when they are not there.
    pub fn header_flags(&self) -> Option<String> {
        let headers = self.root.join("headers");
        let flags = format!(
            "-I{} -I{}",
            headers.join("python3.14").display(),
            headers.display()
        );
        headers.join("python3.14/Python.h").exists().then_some(flags)
    }

    pub fn test_package(&self) -> Result<PathBuf> {
        let dir = self.root.join("usr/lib/python3.14/test");
        if dir.join("__init__.py").is_file() {
            Ok(dir)
        } else {
            Err(self.why_missing())
        }
    }

    /// The folder of CPython's extension modules, those of its tests among them.
    pub fn dynload(&self) -> Result<PathBuf> {
        Ok(self.test_package()?.with_file_name("lib-dynload"))
    }
}

fn runs(python: &Path, program: &str) -> bool {
    Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn bootstrap(root: &Path, cpython: &Path, pypy: &Path) -> Result {
    for tool in ["apt-get", "id"] {
        process::output(Command::new(tool).arg("--version")).map_err(|_| format!("no {tool} here"))?;
    }
    if process::output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err("only root can unpack Debian packages; run it once as root, or set ORACLE_ROOT".into());
    }
    process::output(Command::new("apt-get").args(["update", "-qq"]))?;
    let tools = ["install", "-y", "-qq", "debootstrap", "patchelf", "file"];
    process::output(
        Command::new("apt-get")
            .args(tools)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    let mirror = debian_mirror()?;

    if let Some(parent) = root.parent() {
        std::fs::create_dir_all(parent).context(parent.display())?;
    }
    if root.exists() {
        std::fs::remove_dir_all(root).context(root.display())?;
    }
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args([
        "--no-check-gpg",
        "--variant=minbase",
        &format!("--include={PACKAGES}"),
        SUITE,
    ]);
    let out = debootstrap
        .arg(root)
        .arg(&mirror)
        .arg("sid")
        .output()
        .context("debootstrap")?;
    if !out.status.success() {
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        return Err(format!(
            "debootstrap: {}",
            text.trim_end().lines().last().unwrap_or("failed without a word")
        ));
    }
    for exe in [cpython, pypy] {
        let exe = exe.canonicalize().context(exe.display())?;
        patch(root, &exe)?;
    }
    // It is ours alone: pip may write to it.
    let marker = root.join("usr/lib/python3.14/EXTERNALLY-MANAGED");
    if marker.exists() {
        std::fs::remove_file(&marker).context(marker.display())?;
    }
    Ok(())
}

/// The mirror that this machine's `apt` fetches Debian from.
fn debian_mirror() -> Result<String> {
    let format = "$(ORIGIN) $(CODENAME) $(REPO_URI)";
    let targets = process::output(Command::new("apt-get").args(["indextargets", "--format", format]))?;
    for line in targets.lines() {
        if let ["Debian", codename, uri] = line.split_whitespace().collect::<Vec<_>>()[..]
            && !codename.contains('-')
        {
            return Ok(uri.to_string());
        }
    }
    Err("this machine's package sources have no Debian".into())
}

/// Lets an executable of the folder run on the host with the folder's own C library.
fn patch(root: &Path, exe: &Path) -> Result {
    let (loader, libraries) = match std::env::consts::ARCH {
        "x86_64" => ("lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"),
        "aarch64" => ("lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"),
        arch => return Err(format!("no reference interpreters for {arch}")),
    };
    let mut patchelf = Command::new("patchelf");
    patchelf.arg("--set-interpreter").arg(root.join(loader));
    patchelf
        .arg("--force-rpath")
        .arg("--set-rpath")
        .arg(root.join(libraries));
    process::output(patchelf.arg(exe)).map(drop)
}

fn link_headers(root: &Path) -> Result {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let headers = root.join("headers");
    std::fs::create_dir_all(headers.join(&triple)).context(headers.display())?;
    let links = [
        (
            "../usr/include/python3.14".to_string(),
            headers.join("python3.14"),
        ),
        (
            format!("../../usr/include/{triple}/python3.14"),
            headers.join(&triple).join("python3.14"),
        ),
    ];
    for (to, link) in links {
        if std::fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(&to, &link).context(link.display())?;
        }
    }
    Ok(())
}

fn make_venv(root: &Path, cpython: &Path) -> Result<PathBuf> {
    let dir = root.join("venv");
    let python = dir.join("bin/python");
    if runs(&python, "import numpy, pytest, hypothesis, cffi") {
        return Ok(python);
    }
    eprintln!(
        "installing NumPy, cffi, pytest and others for CPython into {}",
        dir.display()
    );
    process::output(
        Command::new(cpython)
            .args(["-m", "venv", "--without-pip"])
            .arg(&dir),
    )?;
    let mut install = pip::pip()?;
    install
        .arg("--python")
        .arg(&python)
        .args(["-q", "install"])
        .args(VENV);
    process::output(&mut install)?;
    Ok(python)
}
