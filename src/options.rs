//! Flags and environment variables -> `Config`, as `python3.14` reads them.

use crate::{locale, paths};
use adder_interp::Config;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What to run.
#[derive(Clone, Debug)]
pub enum Program {
    Command(String),
    Module(String),
    Script(OsString),
    Stdin,
    Prompt,
}

/// The parsed command line.
pub struct Options {
    pub config: Config,
    pub program: Program,
    /// `--dump=STAGE`.
    pub dump: Option<String>,
    /// `-x`.
    pub skip_first_line: bool,
}

/// The command line ends the program: help, version, or a mistake.
pub struct End {
    pub text: String,
    pub status: i32,
}

const USAGE: &str = "usage: adder [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";

const HELP: &str = "\
Options:
-b     : issue warnings about converting bytes/bytearray to str and comparing them with str or int; -bb: errors
-B     : don't write .pyc files on import (also PYTHONDONTWRITEBYTECODE=x)
-c cmd : run the program given as a string (ends the options)
-d     : debug output of the parser (also PYTHONDEBUG=x)
-E     : ignore PYTHON* environment variables
-h     : this help (also --help)
-i     : give a prompt after the program (also PYTHONINSPECT=x)
-I     : isolate from the user's environment (implies -E, -P and -s)
-m mod : run a library module as a script (ends the options)
-O     : leave assert statements out (also PYTHONOPTIMIZE=x)
-OO    : as -O, and leave docstrings out
-P     : don't put a possibly unsafe path in front of sys.path (also PYTHONSAFEPATH)
-q     : no version message at the prompt
-s     : don't add the user's site folder to sys.path (also PYTHONNOUSERSITE=x)
-S     : don't imply 'import site'
-u     : unbuffered stdout and stderr (also PYTHONUNBUFFERED=x)
-v     : say what is imported (also PYTHONVERBOSE=x)
-V     : the version (also --version); -VV: more of it
-W arg : control of warnings: action:message:category:module:lineno (also PYTHONWARNINGS=arg)
-x     : skip the first line of the source
-X opt : an implementation option: utf8, dev, int_max_str_digits=N, importtime[=2], frozen_modules, pycache_prefix=PATH, no_debug_ranges, ...
--dump=STAGE : print a stage (ast, bytecode; trace of the first loop of `run`) in place of running
file   : the program
-      : the program from standard input (the default; a prompt if that is a terminal)
arg ...: arguments of the program, in sys.argv[1:]
";

const HELP_ENVIRONMENT: &str = "\
Environment variables that change behaviour:
PYTHON_CPU_COUNT: what os.cpu_count() says (-X cpu_count)
PYTHONFAULTHANDLER: dump the traceback when the process dies (-X faulthandler)
PYTHONHASHSEED: the seed of string hashes, or 'random' (-R)
PYTHONHOME: read by other Pythons; the library of this one is built in
PYTHONINTMAXSTRDIGITS: limit of digits in conversions between int and str (-X int_max_str_digits)
PYTHONIOENCODING: encoding[:errors] of the standard streams
PYTHONNODEBUGRANGES: code objects keep no columns (-X no_debug_ranges)
PYTHONPATH: folders in front of the library, separated by ':'
PYTHONPYCACHEPREFIX: where .pyc files go (-X pycache_prefix)
PYTHONTRACEMALLOC: trace allocations (-X tracemalloc)
PYTHONUTF8: UTF-8 mode (-X utf8)
PYTHONWARNDEFAULTENCODING: warn of files opened without encoding (-X warn_default_encoding)
PYTHONWARNINGS: control of warnings (-W)

These variables have equivalent options:
PYTHONDEBUG: -d
PYTHONDEVMODE: -X dev
PYTHONDONTWRITEBYTECODE: -B
PYTHONINSPECT: -i
PYTHONNOUSERSITE: -s
PYTHONOPTIMIZE: -O
PYTHONSAFEPATH: -P
PYTHONUNBUFFERED: -u
PYTHONVERBOSE: -v
";

const HELP_X_OPTIONS: &str = "\
Implementation options:
-X cpu_count=N : what os.cpu_count() says; 'default' for what there is (also PYTHON_CPU_COUNT)
-X dev : development mode (also PYTHONDEVMODE)
-X faulthandler : dump the traceback when the process dies (also PYTHONFAULTHANDLER)
-X int_max_str_digits=N : limit of digits in conversions between int and str; 0 for none (also PYTHONINTMAXSTRDIGITS)
-X no_debug_ranges : code objects keep no columns (also PYTHONNODEBUGRANGES)
-X pycache_prefix=PATH : where .pyc files go (also PYTHONPYCACHEPREFIX)
-X tracemalloc[=N] : trace allocations with N frames each (also PYTHONTRACEMALLOC)
-X utf8[=0|1] : UTF-8 mode (also PYTHONUTF8)
-X warn_default_encoding : warn of files opened without encoding (also PYTHONWARNDEFAULTENCODING)
";

fn mistake(text: String) -> End {
    End {
        text: format!("{text}\n{USAGE}Try `adder -h' for more information.\n"),
        status: 2,
    }
}

/// A non-empty environment variable that may be looked at.
fn variable(config: &Config, name: &str) -> Option<String> {
    if config.ignore_environment {
        return None;
    }
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}

/// A variable that counts: a number, or 1 for any text.
fn level(config: &Config, name: &str) -> u8 {
    variable(config, name).map_or(0, |value| value.parse::<u8>().unwrap_or(1))
}

struct Parser {
    config: Config,
    args: std::vec::IntoIter<OsString>,
    version: u8,
    dump: Option<String>,
    program: Option<Program>,
    skip_first_line: bool,
    /// `-R`.
    random_hashes: bool,
}

impl Parser {
    /// The argument of a flag: the rest of its word, or the next word.
    fn argument(&mut self, flag: char, rest: &[u8]) -> Result<OsString, End> {
        if !rest.is_empty() {
            return Ok(OsStr::from_bytes(rest).to_owned());
        }
        self.args
            .next()
            .ok_or_else(|| mistake(format!("Argument expected for the -{flag} option")))
    }

    fn long_option(&mut self, word: &str) -> Result<(), End> {
        if let Some(stage) = word.strip_prefix("--dump=") {
            self.dump = Some(stage.to_owned());
            return Ok(());
        }
        match word {
            "--help" => Err(End {
                text: format!("{USAGE}{HELP}"),
                status: 0,
            }),
            "--version" => {
                self.version = self.version.max(1);
                Ok(())
            }
            "--check-hash-based-pycs" => {
                let mode = self.args.next().unwrap_or_default();
                match mode.to_str() {
                    Some("always" | "never" | "default") => Ok(()),
                    _ => Err(mistake(
                        "--check-hash-based-pycs must be one of 'default', 'always', or 'never'".to_owned(),
                    )),
                }
            }
            "--help-env" | "--help-xoptions" | "--help-all" => {
                let mut text = String::new();
                if word == "--help-all" {
                    text += USAGE;
                    text += HELP;
                }
                if word != "--help-xoptions" {
                    text += HELP_ENVIRONMENT;
                }
                if word != "--help-env" {
                    text += HELP_X_OPTIONS;
                }
                Err(End { text, status: 0 })
            }
            _ => Err(mistake(format!("Unknown option: {word}"))),
        }
    }

    /// One word of flags. True when the options end with it.
    fn flags(&mut self, word: &[u8]) -> Result<bool, End> {
        let mut at = 1;
        while at < word.len() {
            let flag = word[at] as char;
            let rest = &word[at + 1..];
            at += 1;
            let config = &mut self.config;
            match flag {
                'b' => config.bytes_warning += 1,
                'B' => config.dont_write_bytecode = true,
                'd' => config.debug += 1,
                'E' => config.ignore_environment = true,
                'h' | '?' => {
                    return Err(End {
                        text: format!("{USAGE}{HELP}"),
                        status: 0,
                    });
                }
                'i' => {
                    config.inspect = 1;
                    config.interactive = 1;
                }
                'I' => {
                    config.isolated = true;
                    config.ignore_environment = true;
                    config.no_user_site = true;
                    config.safe_path = true;
                }
                'O' => config.optimize += 1,
                'P' => config.safe_path = true,
                'q' => config.quiet = true,
                'R' => self.random_hashes = true,
                's' => config.no_user_site = true,
                'S' => config.no_site = true,
                'u' => config.unbuffered = true,
                'v' => config.verbose += 1,
                'V' => self.version += 1,
                'x' => self.skip_first_line = true,
                'c' => {
                    let command = self.argument('c', rest)?;
                    self.program = Some(Program::Command(command.to_string_lossy().into_owned() + "\n"));
                    return Ok(true);
                }
                'm' => {
                    let module = self.argument('m', rest)?;
                    self.program = Some(Program::Module(module.to_string_lossy().into_owned()));
                    return Ok(true);
                }
                'W' => {
                    let option = self.argument('W', rest)?;
                    self.config
                        .warnoptions
                        .push(option.to_string_lossy().into_owned());
                    return Ok(false);
                }
                'X' => {
                    let option = self.argument('X', rest)?.to_string_lossy().into_owned();
                    let (name, value) = match option.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (option, None),
                    };
                    self.config.xoptions.push((name, value));
                    return Ok(false);
                }
                _ => return Err(mistake(format!("Unknown option: -{flag}"))),
            }
        }
        Ok(false)
    }

    fn words(&mut self) -> Result<(), End> {
        while let Some(word) = self.args.as_slice().first().cloned() {
            let bytes = word.as_bytes();
            if bytes == b"-" || !bytes.starts_with(b"-") {
                break;
            }
            self.args.next();
            if bytes == b"--" {
                break;
            }
            if bytes.starts_with(b"--") {
                self.long_option(&word.to_string_lossy())?;
            } else if self.flags(bytes)? {
                break;
            }
        }
        Ok(())
    }
}

impl Options {
    pub fn from_command_line(all: Vec<OsString>) -> Result<Options, End> {
        let mut args = all.clone().into_iter();
        let argv0 = args.next().unwrap_or_else(|| OsString::from("adder"));
        let mut parser = Parser {
            config: Config::default(),
            args,
            version: 0,
            dump: None,
            program: None,
            skip_first_line: false,
            random_hashes: false,
        };
        parser.words()?;
        if parser.version > 0 {
            return Err(End {
                text: version_text(parser.version),
                status: 0,
            });
        }
        let Parser {
            mut config,
            mut args,
            dump,
            program,
            skip_first_line,
            random_hashes,
            ..
        } = parser;
        let mut argv = Vec::new();
        let program = match program {
            Some(program) => {
                argv.push(OsString::from(if matches!(program, Program::Command(_)) {
                    "-c"
                } else {
                    "-m"
                }));
                program
            }
            None => match args.next() {
                None => {
                    argv.push(OsString::new());
                    // SAFETY: only asks about the descriptor.
                    let is_terminal = unsafe { libc::isatty(0) } == 1;
                    if is_terminal || config.interactive != 0 {
                        Program::Prompt
                    } else {
                        Program::Stdin
                    }
                }
                Some(word) if word.as_bytes() == b"-" => {
                    argv.push(word);
                    Program::Stdin
                }
                Some(word) => {
                    argv.push(word.clone());
                    Program::Script(word)
                }
            },
        };
        argv.extend(args);
        config.argv = argv;
        config.orig_argv = all.clone();
        read_environment(&mut config)?;
        if random_hashes {
            config.hash_seed = None;
        }
        let utf8_mode = read_x_options(&mut config)?.or(utf8_variable(&config)?);
        let coerce = variable(&config, "PYTHONCOERCECLOCALE").as_deref() != Some("0");
        let text = locale::settle(utf8_mode, coerce);
        config.utf8_mode = text.utf8_mode.into();
        config.stdio_errors = text.stdio_errors;
        paths::find(&mut config, &argv0);
        Ok(Options {
            config,
            program,
            dump,
            skip_first_line,
        })
    }
}

fn version_text(level: u8) -> String {
    let python = adder_interp::sysmodule::info::version_text();
    let adder = env!("CARGO_PKG_VERSION");
    if level > 1 {
        return format!(
            "Python {python} (Adder {adder}) [Rust, {}]\n",
            std::env::consts::ARCH
        );
    }
    format!("Python {python} (Adder {adder})\n")
}

fn read_environment(config: &mut Config) -> Result<(), End> {
    config.debug |= i64::from(variable(config, "PYTHONDEBUG").is_some());
    config.verbose = config.verbose.max(level(config, "PYTHONVERBOSE").into());
    config.optimize = config.optimize.max(level(config, "PYTHONOPTIMIZE")).min(2);
    config.inspect |= i64::from(variable(config, "PYTHONINSPECT").is_some());
    config.dont_write_bytecode |= variable(config, "PYTHONDONTWRITEBYTECODE").is_some();
    config.no_user_site |= variable(config, "PYTHONNOUSERSITE").is_some();
    config.unbuffered |= variable(config, "PYTHONUNBUFFERED").is_some();
    config.safe_path |= variable(config, "PYTHONSAFEPATH").is_some();
    config.dev_mode |= variable(config, "PYTHONDEVMODE").is_some();
    config.faulthandler |= variable(config, "PYTHONFAULTHANDLER").is_some();
    config.code_debug_ranges &= variable(config, "PYTHONNODEBUGRANGES").is_none();
    config.warn_default_encoding = variable(config, "PYTHONWARNDEFAULTENCODING").is_some().into();
    config.pycache_prefix = variable(config, "PYTHONPYCACHEPREFIX");
    if let Some(warnings) = variable(config, "PYTHONWARNINGS") {
        let mut options: Vec<String> = warnings.split(',').map(str::to_owned).collect();
        options.append(&mut config.warnoptions);
        config.warnoptions = options;
    }
    if let Some(seed) = variable(config, "PYTHONHASHSEED").filter(|seed| seed != "random") {
        match seed.parse::<u32>() {
            Ok(seed) => config.hash_seed = Some(seed),
            Err(_) => {
                return Err(End {
                    text: "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range \
                           [0; 4294967295]\n"
                        .to_owned(),
                    status: 1,
                });
            }
        }
    }
    if let Some(n_frames) = variable(config, "PYTHONTRACEMALLOC") {
        config.tracemalloc = frames_limit("PYTHONTRACEMALLOC", &n_frames)?;
    }
    if let Some(value) = variable(config, "PYTHONPROFILEIMPORTTIME") {
        config.import_time = import_time("PYTHONPROFILEIMPORTTIME", &value)?;
    }
    if let Some(limit) = variable(config, "PYTHONINTMAXSTRDIGITS") {
        config.int_max_str_digits = digits_limit("PYTHONINTMAXSTRDIGITS", &limit)?;
    }
    if !config.ignore_environment
        && let Some(path) = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty())
    {
        config.pythonpath = Some(path);
    }
    Ok(())
}

fn digits_limit(source: &str, value: &str) -> Result<i64, End> {
    match value.parse::<i64>() {
        Ok(limit) if limit == 0 || limit >= 640 => Ok(limit),
        _ => Err(End {
            text: format!(
                "Fatal Python error: {source}: invalid limit; must be >= 640 or 0 for unlimited.\n"
            ),
            status: 1,
        }),
    }
}

/// 1 or 2; text that is no number means 1.
fn import_time(source: &str, value: &str) -> Result<u8, End> {
    match value.parse::<i64>() {
        Ok(1) | Err(_) => Ok(1),
        Ok(2) => Ok(2),
        Ok(_) => Err(End {
            text: format!(
                "Fatal Python error: config_init_import_time: {source}: values other than 1 and 2 are reserved for \
                 future use.\n"
            ),
            status: 1,
        }),
    }
}

/// How many frames of a traceback `tracemalloc` is to keep.
fn frames_limit(source: &str, value: &str) -> Result<usize, End> {
    match value.parse::<usize>() {
        Ok(n_frames) if (0..=65535).contains(&n_frames) => Ok(n_frames),
        _ => Err(End {
            text: format!(
                "Fatal Python error: config_init_tracemalloc: {source}: invalid number of frames\n"
            ),
            status: 1,
        }),
    }
}

/// What `PYTHONUTF8` says.
fn utf8_variable(config: &Config) -> Result<Option<bool>, End> {
    match variable(config, "PYTHONUTF8").as_deref() {
        None => Ok(None),
        Some("0") => Ok(Some(false)),
        Some("1") => Ok(Some(true)),
        Some(_) => Err(End {
            text: "Fatal Python error: preconfig_init_utf8_mode: invalid PYTHONUTF8 environment variable value\n".to_owned(),
            status: 1,
        }),
    }
}

/// Gives what `-X utf8` says.
fn read_x_options(config: &mut Config) -> Result<Option<bool>, End> {
    let mut utf8_mode = None;
    for (name, value) in config.xoptions.clone() {
        match name.as_str() {
            "dev" => config.dev_mode = true,
            "faulthandler" => config.faulthandler = true,
            "tracemalloc" => {
                config.tracemalloc = match value.as_deref() {
                    None => 1,
                    Some(n_frames) => frames_limit("-X tracemalloc=NFRAME", n_frames)?,
                };
            }
            "importtime" => {
                config.import_time = match value.as_deref() {
                    None => 1,
                    Some(value) => import_time("-X importtime", value)?,
                };
            }
            "no_debug_ranges" => config.code_debug_ranges = false,
            "utf8" => match value.as_deref() {
                None | Some("1") => utf8_mode = Some(true),
                Some("0") => utf8_mode = Some(false),
                Some(_) => {
                    return Err(End {
                        text: "Fatal Python error: preconfig_init_utf8_mode: invalid -X utf8 option value\n"
                            .to_owned(),
                        status: 1,
                    });
                }
            },
            "warn_default_encoding" => config.warn_default_encoding = 1,
            "pycache_prefix" => config.pycache_prefix = value.filter(|prefix| !prefix.is_empty()),
            "int_max_str_digits" => {
                config.int_max_str_digits =
                    digits_limit("-X int_max_str_digits", value.as_deref().unwrap_or_default())?;
            }
            _ => {}
        }
    }
    if config.dev_mode && !config.warnoptions.iter().any(|option| option == "default") {
        config.warnoptions.insert(0, "default".to_owned());
    }
    if config.bytes_warning > 0 {
        let action = if config.bytes_warning > 1 {
            "error"
        } else {
            "default"
        };
        config.warnoptions.push(format!("{action}::BytesWarning"));
    }
    Ok(utf8_mode)
}
