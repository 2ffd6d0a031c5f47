//! the repository -> its paths and the `adder` command, built when nobody gave one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Context, Result, process};

/// Where things are. Everything that is made goes under `target`.
pub struct Project {
    pub root: PathBuf,
    pub target: PathBuf,
}

/// The command under test, with the answer to whether it runs Python at all.
pub struct Adder {
    pub path: PathBuf,
    /// `Err` says why not.
    pub answers: Result,
}

/// Flags of release builds, as `cargo build --release --config` wants them. Each handler of the bytecode loop gets a jump of its
/// own to the next one, in place of one jump for all, which a processor predicts worse: it gains 6 to 15 %. And the command is at
/// a fixed address, as CPython's is: what another crate defines is called and read directly, the handlers' addresses are in the
/// table as they are, and nothing need be relocated at start-up. Libraries that the build itself runs cannot have that, so the
/// target is named (`--target`), which leaves them out. Functions begin at a cache line: where the linker puts one changes its
/// speed by up to a third otherwise, from one build to the next.
pub const RELEASE_FLAGS: &str = "build.rustflags=['-C', 'relocation-model=static', \
    '-C', 'llvm-args=-tail-dup-pred-size=2000 -tail-dup-succ-size=2000 -align-all-functions=6']";

/// The target that rustc builds for when none is named.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().context("rustc")?;
    String::from_utf8_lossy(&version.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc does not tell its host".into())
}

impl Project {
    pub fn find() -> Result<Project> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start = match here {
            Some(dir) => dir,
            None => std::env::current_dir().context("current directory")?,
        };
        let root = start
            .ancestors()
            .find(|dir| dir.join("xtask/Cargo.toml").is_file())
            .ok_or_else(|| format!("{} is not in the repository", start.display()))?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Project { root, target })
    }

    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        // What cargo says of the crate that is running must not be taken for the crate that it starts.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        cargo
    }

    /// A folder under `target`, made when it is not there.
    pub fn dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.target.join(name);
        std::fs::create_dir_all(&dir).context(dir.display())?;
        Ok(dir)
    }

    /// `$ADDER`, else the release build of the command.
    pub fn adder(&self) -> Result<Adder> {
        let path = match std::env::var_os("ADDER") {
            Some(path) => std::path::absolute(path).context("ADDER")?,
            None => {
                eprintln!("building adder (release)");
                let host = host()?;
                let mut cargo = self.cargo();
                cargo.args(["build", "--release", "--package", "adder", "--target", &host]);
                cargo.args(["--config", RELEASE_FLAGS]);
                if !process::succeeds(&mut cargo)? {
                    return Err("adder does not build".into());
                }
                let built = self.target.join(host).join("release/adder");
                let path = self.dir("release")?.join("adder");
                let _ = std::fs::remove_file(&path);
                std::fs::hard_link(&built, &path).context(path.display())?;
                path
            }
        };
        let answers = answers(&path);
        Ok(Adder { path, answers })
    }
}

impl Adder {
    /// The command, or the reason why what needs it cannot run.
    pub fn running(&self) -> Result<&Path> {
        match &self.answers {
            Ok(()) => Ok(&self.path),
            Err(why) => Err(why.clone()),
        }
    }
}

/// Does the command run the smallest of programs?
fn answers(adder: &Path) -> Result {
    let mut command = Command::new(adder);
    command.args(["-c", "print(1)"]);
    let run = process::run(&mut command, Duration::from_secs(60))?;
    if run.end.is_success() && run.stdout == "1\n" {
        return Ok(());
    }
    let last = run.stderr.lines().last().unwrap_or("it printed nothing");
    Err(format!(
        "adder -c 'print(1)' does not work yet ({}: {last})",
        run.end
    ))
}

/// The number of processes that tests may use at once.
pub fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
