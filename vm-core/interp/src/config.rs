//! How the interpreter was started: the command line and the environment, read once.

use std::sync::OnceLock;

/// The settings that `sys.flags` and the start-up look at.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub debug: u8,
    pub inspect: bool,
    pub interactive: bool,
    pub optimize: u8,
    pub dont_write_bytecode: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub ignore_environment: bool,
    pub verbose: u8,
    pub bytes_warning: u8,
    pub quiet: bool,
    pub isolated: bool,
    pub dev_mode: bool,
    pub utf8_mode: bool,
    pub warn_default_encoding: bool,
    pub safe_path: bool,
    pub unbuffered: bool,
    /// `None`: random.
    pub hash_seed: Option<u32>,
    pub int_max_str_digits: Option<usize>,
    pub tracemalloc: usize,
    pub import_time: bool,
    pub faulthandler: bool,
    pub no_debug_ranges: bool,
    pub frozen_modules: bool,
    pub pycache_prefix: Option<String>,
    pub warn_options: Vec<String>,
    pub x_options: Vec<(String, Option<String>)>,
    pub argv: Vec<std::ffi::OsString>,
    pub orig_argv: Vec<std::ffi::OsString>,
    pub executable: String,
    pub base_executable: String,
    pub prefix: String,
    pub base_prefix: String,
    /// The folder of the standard library.
    pub stdlib_dir: String,
    pub python_path: Vec<String>,
    /// The environment variable for a platform's library folder.
    pub platlibdir: String,
    pub dump: Option<String>,
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// Fixes the configuration. Done once, before anything else.
pub fn set(config: Config) {
    let _ = CONFIG.set(config);
}

/// The configuration.
pub fn get() -> &'static Config {
    CONFIG.get_or_init(Config::default)
}
