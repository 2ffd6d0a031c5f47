//! a command line -> how it ended, what it printed, how long it took; with time and memory limits, and several at once.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::{Context, Result};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    Signal(i32),
    /// Killed by us after its time was up.
    Timeout,
    /// Killed by us because the file that it should write to stopped growing.
    Stalled,
}

impl End {
    pub fn is_success(self) -> bool {
        self == End::Exit(0)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            End::Exit(code) => write!(f, "exit status {code}"),
            End::Signal(11) => write!(f, "killed by signal 11 (segmentation fault)"),
            End::Signal(6) => write!(f, "killed by signal 6 (abort)"),
            End::Signal(n) => write!(f, "killed by signal {n}"),
            End::Timeout => write!(f, "timed out"),
            End::Stalled => write!(f, "hung"),
        }
    }
}

pub struct Run {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
    pub seconds: f64,
}

/// Kills a process whose result file does not grow for so long.
pub struct Watch<'a> {
    pub file: &'a Path,
    pub patience: Duration,
}

/// Runs a command whose output belongs on the terminal.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().context(command.get_program().display())?;
    Ok(status.success())
}

/// Runs a command and returns its standard output; its failure is an error with the last line that it wrote.
pub fn output(command: &mut Command) -> Result<String> {
    let what = command.get_program().display().to_string();
    let out = command.stdin(Stdio::null()).output().context(&what)?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&out.stderr);
    Err(format!(
        "{what}: {}",
        stderr
            .trim_end()
            .lines()
            .last()
            .unwrap_or("failed without a word")
    ))
}

/// Runs a command with a limit on its time.
pub fn run(command: &mut Command, timeout: Duration) -> Result<Run> {
    run_watched(command, timeout, None)
}

/// As [`run`], in a process group of its own that is killed as a whole.
pub fn run_watched(command: &mut Command, timeout: Duration, watch: Option<Watch<'_>>) -> Result<Run> {
    static SERIAL: AtomicUsize = AtomicUsize::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let base = std::env::temp_dir().join(format!("xtask-{}-{serial}", std::process::id()));
    // Files, not pipes: a grandchild that lives on cannot keep us waiting.
    let (out, err) = (base.with_extension("out"), base.with_extension("err"));
    command.stdin(Stdio::null());
    command.stdout(File::create(&out).context(out.display())?);
    command.stderr(File::create(&err).context(err.display())?);
    command.process_group(0);
    let started = Instant::now();
    let mut child = command.spawn().context(command.get_program().display())?;
    let end = wait(&mut child, started + timeout, watch)?;
    let run = Run {
        end,
        stdout: take(&out),
        stderr: take(&err),
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok(run)
}

fn wait(child: &mut Child, deadline: Instant, watch: Option<Watch<'_>>) -> Result<End> {
    let mut pause = Duration::from_millis(1);
    let mut seen = (0, Instant::now());
    loop {
        if let Some(status) = child.try_wait().context("wait")? {
            return Ok(match status.code() {
                Some(code) => End::Exit(code),
                None => End::Signal(status.signal().unwrap_or(0)),
            });
        }
        let now = Instant::now();
        if let Some(watch) = &watch {
            let size = std::fs::metadata(watch.file).map_or(0, |meta| meta.len());
            if size != seen.0 {
                seen = (size, now);
            } else if now - seen.1 > watch.patience {
                kill(child);
                return Ok(End::Stalled);
            }
        }
        if now > deadline {
            kill(child);
            return Ok(End::Timeout);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn kill(child: &mut Child) {
    let group = format!("-{}", child.id());
    // A failure means that it is gone already.
    let _ = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stderr(Stdio::null())
        .status();
    let _ = child.wait();
}

fn take(path: &Path) -> String {
    // What runs away prints without end: the beginning is enough.
    const MOST: u64 = 8 << 20;
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    let _ = std::fs::remove_file(path);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A command with its address space limited, so that a test that runs away does not take the machine with it, and with the
/// keyboard's signals not ignored, as they are in what a shell started in the background: tests send them to themselves.
pub fn limited(program: &Path, megabytes: u32) -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -v \"$1\"; shift; exec env --default-signal=INT,QUIT \"$@\"",
        "sh",
    ]);
    command
        .arg((u64::from(megabytes) * 1024).to_string())
        .arg(program);
    command
}

/// Removes what the caller's Python settings would change in the interpreters under test.
pub fn plain_python(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PYTHON") || text.starts_with("PYTEST") || text == "ADDERLOG" {
            command.env_remove(&name);
        }
    }
    command
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TERM", "dumb")
        .env("NO_COLOR", "1")
}

/// Applies `work` to each item with up to `jobs` threads; the results come in the order of the items.
pub fn parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()).max(1) {
            scope.spawn(|| {
                loop {
                    let idx = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(idx) else { return };
                    let result = work(item);
                    results.lock().expect("a worker panicked").push((idx, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("a worker panicked");
    results.sort_by_key(|(idx, _)| *idx);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A new empty folder for one run, removed when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Result<Scratch> {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("xtask-{}-{name}-{serial}", std::process::id()));
        std::fs::create_dir_all(&dir).context(dir.display())?;
        Ok(Scratch(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
