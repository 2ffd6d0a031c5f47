//! Start and end of the interpreter.

use crate::hooks;
use crate::import;
use crate::state;
use adder_runtime::abi::*;
use adder_runtime::error;
use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, thread_state};
use std::ffi::OsString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the command line and the environment say.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sys.argv`.
    pub argv: Vec<OsString>,
    /// The whole command line.
    pub orig_argv: Vec<OsString>,
    pub executable: String,
    /// The executable outside of the virtual environment.
    pub base_executable: String,
    pub prefix: String,
    pub base_prefix: String,
    /// The folder of the standard library's Python files.
    pub stdlib_dir: String,
    /// 0, 1 (-O), 2 (-OO).
    pub optimize: u8,
    pub debug: i64,
    pub inspect: i64,
    pub interactive: i64,
    pub isolated: bool,
    pub ignore_environment: bool,
    pub no_site: bool,
    pub no_user_site: bool,
    pub safe_path: bool,
    pub verbose: i64,
    pub quiet: bool,
    pub bytes_warning: i64,
    pub dont_write_bytecode: bool,
    pub dev_mode: bool,
    /// Whether `faulthandler` is enabled from the start.
    pub faulthandler: bool,
    /// How many frames `tracemalloc` keeps from the start; 0 when it is not on.
    pub tracemalloc: usize,
    /// Whether to print how long imports take; 2: those that find their module loaded too.
    pub import_time: u8,
    pub utf8_mode: i64,
    /// The error handler of standard input and output.
    pub stdio_errors: &'static str,
    pub warn_default_encoding: i64,
    pub unbuffered: bool,
    pub warnoptions: Vec<String>,
    /// `-X` options: name, value.
    pub xoptions: Vec<(String, Option<String>)>,
    /// Whether code objects keep columns and last lines.
    pub code_debug_ranges: bool,
    pub hash_seed: Option<u32>,
    /// What goes before the rest of `sys.path`.
    pub path0: Option<OsString>,
    pub pythonpath: Option<OsString>,
    pub int_max_str_digits: i64,
    pub pycache_prefix: Option<String>,
    /// Whether to run `site`.
    pub import_site: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            argv: vec![OsString::new()],
            orig_argv: std::env::args_os().collect(),
            executable: std::env::current_exe()
                .map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default(),
            base_executable: String::new(),
            prefix: "/usr".to_owned(),
            base_prefix: "/usr".to_owned(),
            stdlib_dir: PINNED_LIB.to_owned(),
            optimize: 0,
            debug: 0,
            inspect: 0,
            interactive: 0,
            isolated: false,
            ignore_environment: false,
            no_site: false,
            no_user_site: false,
            safe_path: false,
            verbose: 0,
            quiet: false,
            bytes_warning: 0,
            dont_write_bytecode: false,
            dev_mode: false,
            faulthandler: false,
            tracemalloc: 0,
            import_time: 0,
            utf8_mode: 1,
            stdio_errors: "strict",
            warn_default_encoding: 0,
            unbuffered: false,
            warnoptions: Vec::new(),
            xoptions: Vec::new(),
            code_debug_ranges: true,
            hash_seed: None,
            path0: None,
            pythonpath: None,
            int_max_str_digits: 4300,
            pycache_prefix: None,
            import_site: true,
        }
    }
}

static CONFIG: OnceLock<Config> = OnceLock::new();
/// Calls what `atexit` has registered.
static EXIT_FUNCTIONS: OnceLock<fn()> = OnceLock::new();

/// Prints the state of the machine after the message of a fatal error.
pub static FATAL_ERROR_DUMP: OnceLock<fn()> = OnceLock::new();

/// Says how the functions registered for the end are called.
pub fn set_exit_functions(run: fn()) {
    let _ = EXIT_FUNCTIONS.set(run);
}

static MAIN_THREAD: AtomicU64 = AtomicU64::new(0);

/// What `initialize` was given.
pub fn config() -> &'static Config {
    CONFIG.get_or_init(Config::default)
}

/// The library that this command was built with.
pub const PINNED_LIB: &str = adder_pylib::PATH;

/// The folder of the standard library's Python files.
pub fn stdlib_dir() -> &'static str {
    &config().stdlib_dir
}

/// Whether the calling thread is the main one and runs the main interpreter: where signals are handled.
pub fn handles_signals() -> bool {
    is_main_thread() && thread::try_thread_state().is_none_or(|_| thread::interpreter().is_main())
}

pub fn is_main_thread() -> bool {
    // SAFETY: always succeeds.
    MAIN_THREAD.load(Ordering::Relaxed) == unsafe { libc::pthread_self() }
}

/// After `fork` the calling thread is the main thread.
pub fn set_main_thread() {
    // SAFETY: always succeeds.
    MAIN_THREAD.store(unsafe { libc::pthread_self() }, Ordering::Relaxed);
}

/// The number of `-X cpu_count=N`, else of PYTHON_CPU_COUNT; None for `default`.
fn cpu_count(config: &Config) -> Option<i64> {
    let option = config.xoptions.iter().find(|(name, _)| name == "cpu_count");
    let text = match option {
        Some((_, value)) => value.clone(),
        None if config.ignore_environment => None,
        None => std::env::var("PYTHON_CPU_COUNT").ok(),
    };
    text?.parse().ok().filter(|count| *count > 0)
}

/// Makes the thread state, types, `sys`, `builtins` and importlib. On failure an exception is set, or there is not even a
/// thread state and the message says why.
pub fn initialize(config: Config) -> PyResult<()> {
    let seed = match config.hash_seed {
        Some(seed) => adder_runtime::pyhash::Seed::Fixed(seed),
        None => adder_runtime::pyhash::seed_from_environment().unwrap_or(adder_runtime::pyhash::Seed::Random),
    };
    adder_runtime::pyhash::init(seed);
    adder_runtime::hooks::DEV_MODE.store(config.dev_mode, std::sync::atomic::Ordering::Relaxed);
    adder_runtime::hooks::BYTES_WARNING.store(config.bytes_warning > 0, std::sync::atomic::Ordering::Relaxed);
    let has_option = config
        .xoptions
        .iter()
        .any(|(name, _)| name == "disable-remote-debug");
    let is_said = !config.ignore_environment
        && std::env::var_os("PYTHON_DISABLE_REMOTE_DEBUG").is_some_and(|value| !value.is_empty());
    if !has_option && !is_said {
        crate::remote_debug::enable();
    }
    if let Some(count) = cpu_count(&config) {
        adder_runtime::hooks::CPU_COUNT.store(count, Ordering::Relaxed);
    }
    adder_runtime::objects::moduleobject::set_sys_path_0(config.path0.clone());
    let max_digits = usize::try_from(config.int_max_str_digits).unwrap_or(0);
    crate::sysmodule::set_max_str_digits(max_digits);
    let _ = CONFIG.set(config);
    set_main_thread();
    let ts = thread::new_thread_state();
    thread::init_native_thread(ts);
    thread::acquire_gil(ts);
    // Whoever starts the process runs its `__main__`, too.
    thread::INTERPRETER
        .running_main
        .store(std::ptr::from_ref(ts).cast_mut(), Ordering::Relaxed);
    hooks::install();
    import::extend_inittab(crate::MODULES);
    adder_runtime::types::registry::ready_all()?;
    adder_runtime::exceptions::init()?;
    make_core()
}

/// What each interpreter has of its own: `sys`, `builtins`, importlib.
pub fn make_core() -> PyResult<()> {
    let sys = crate::sysmodule::create()?;
    let builtins = adder_runtime::module::load_without_spec(&crate::builtins::builtins::DEF)?;
    crate::builtins::add_types(&builtins)?;
    crate::builtins::share_len(&builtins)?;
    let modules = import::modules()?;
    modules.set_item(identifier!("sys").as_object(), sys.as_object())?;
    modules.set_item(identifier!("builtins").as_object(), builtins.as_object())?;
    state::IMPORT_FUNCTION.set(builtins.dict().get_str(identifier!("__import__")));
    state::BUILTINS.set(Some(builtins));
    crate::streams::install_native()?;
    import::init_importlib()?;
    Ok(())
}

/// The second half, once files can be imported: external importlib, real streams, site.
pub fn initialize_imports() -> PyResult<()> {
    import::init_external_importlib()?;
    import::import_full(identifier!("encodings").as_object())?;
    crate::streams::install_io()?;
    // It installs the handler that raises KeyboardInterrupt.
    import::import_full(identifier!("_signal").as_object())?;
    crate::pythonrun::main_dict()?;
    if config().tracemalloc > 0 {
        let n_frames = PyLongObject::from_usize(config().tracemalloc);
        adder_runtime::hooks::import_module("_tracemalloc")?
            .call_method(identifier!("start"), &[n_frames.as_object()])?;
    }
    if !config().warnoptions.is_empty() {
        import::import_full(identifier!("warnings").as_object())?;
    }
    if config().faulthandler || config().dev_mode {
        adder_runtime::hooks::import_module("faulthandler")?.call_method(identifier!("enable"), &[])?;
    }
    if config().import_site && !config().no_site {
        import::import_full(identifier!("site").as_object())?;
    }
    // `site` must not make it absolute.
    if let Some(path0) = &config().path0
        && let Some(path) = adder_runtime::hooks::sys_attribute(identifier!("path"))
        && let Some(path) = (*path).downcast::<PyListObject>()
    {
        path.insert(0, PyUnicodeObject::from_os_str(path0).into_object())?;
    }
    Ok(())
}

/// Calls what the current interpreter registered for its end.
pub fn run_exit_functions() {
    if let Some(run) = EXIT_FUNCTIONS.get() {
        run();
    }
}

/// Runs what was registered for the end, and drops modules. False when output could not be flushed.
pub fn finalize() -> bool {
    if let Some(threading) = import::loaded_module(identifier!("threading"))
        && let Err(raised) = threading.call_method(identifier!("_shutdown"), &[])
    {
        error::write_unraisable(
            raised,
            Some("Exception ignored on threading shutdown"),
            Some(&threading),
        );
    }
    run_exit_functions();
    crate::interpreters::end_all();
    thread::begin_finalizing();
    let flushed = crate::pythonrun::flush_streams();
    finalize_modules(&|_| false);
    adder_runtime::memory::gc::collect(2);
    adder_runtime::memory::trace::stop();
    crate::eval::ic::report();
    flushed & crate::pythonrun::flush_streams()
}

/// What `sys` and `builtins` hold of the program, and what imports need: nothing is imported from here on. The standard
/// streams are those of the start again.
fn forget_what_sys_holds() {
    let text = |name: &str| PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
    if let Some(builtins) = state::builtins_dict() {
        let _ = builtins.set_str(&text("_"), none()).map_err(Raised::clear);
    }
    let Some(sys) = state::sys_dict() else { return };
    for name in [
        "path",
        "argv",
        "ps1",
        "ps2",
        "last_exc",
        "last_type",
        "last_value",
        "last_traceback",
        "path_hooks",
        "path_importer_cache",
        "meta_path",
    ] {
        let _ = sys.set_str(&text(name), none()).map_err(Raised::clear);
    }
    for name in ["stdin", "stdout", "stderr"] {
        let original = sys.get_str(&text(&format!("__{name}__")));
        let original = original.unwrap_or_else(none_ref);
        let _ = sys.set_str(&text(name), &original).map_err(Raised::clear);
    }
}

/// Takes the modules apart: `__main__` first, those that others need last. Modules that `is_shared` are only let go.
pub fn finalize_modules(is_shared: &dyn Fn(&PyObject) -> bool) {
    let Ok(modules) = import::modules().map_err(Raised::clear) else {
        return;
    };
    let Some(dict) = modules.downcast::<PyDictObject>().ok() else {
        return;
    };
    forget_what_sys_holds();
    crate::warnings::keep_native();
    let warnings = import::loaded_module(identifier!("_warnings"));
    let mut held = Vec::new();
    let mut position = 0;
    while let Some((name, module, _)) = dict.next_entry(&mut position) {
        let kept = name.downcast::<PyUnicodeObject>().is_some_and(|name| {
            ["sys", "builtins", "_warnings"]
                .iter()
                .any(|kept| name.eq_str(kept))
        });
        if !kept
            && PyModuleObject::check(module)
            && !is_shared(module)
            && let Ok(reference) = weakrefobject::new_ref(module, None).map_err(Raised::clear)
        {
            held.push(reference);
        }
    }
    dict.clear();
    if let (Some(sys), Some(builtins)) = (state::SYS.get(), state::BUILTINS.get()) {
        let _ = dict
            .set_str(identifier!("sys"), sys.as_object())
            .map_err(Raised::clear);
        let _ = dict
            .set_str(identifier!("builtins"), builtins.as_object())
            .map_err(Raised::clear);
    }
    // Modules that nobody else holds die by their count or with their cycles, and finalizers still see their globals;
    // what is left is cleared by name.
    adder_runtime::memory::gc::collect(2);
    tell_of_uncollectable(warnings.as_deref());
    for reference in held.iter().rev() {
        if let Some(module) = weakrefobject::referent(reference)
            && let Some(module) = (*module).downcast::<PyModuleObject>()
        {
            clear_module(module);
        }
    }
}

/// Warns of objects in `gc.garbage`, and lists them when the collector was asked to.
fn tell_of_uncollectable(warnings: Option<&PyObject>) {
    use adder_runtime::memory::gc;
    let garbage = gc::garbage_list();
    let n = garbage.len().map_err(Raised::clear).unwrap_or(0);
    let flags = gc::debug_flags();
    if n == 0 || flags & gc::DEBUG_SAVEALL != 0 {
        return;
    }
    let listed = flags & gc::DEBUG_UNCOLLECTABLE != 0;
    let advice = if listed {
        ""
    } else {
        "; use gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them"
    };
    let message = format!("gc: {n} uncollectable objects at shutdown{advice}");
    let category = adder_runtime::exceptions::exc::ResourceWarning;
    let text = PyUnicodeObject::from_str(&message);
    let file = PyUnicodeObject::from_str("gc");
    let line = PyLongObject::from_i64(0);
    let arguments = [
        text.as_object(),
        category.as_object(),
        file.as_object(),
        line.as_object(),
    ];
    if let Some(warnings) = warnings
        && let Err(raised) = warnings.call_method(identifier!("warn_explicit"), &arguments)
    {
        error::write_unraisable(raised, Some("in garbage collection"), None);
    }
    if listed {
        match garbage.repr() {
            Ok(text) => gc::report(&format!("      {}\n", text.to_string_lossy())),
            Err(raised) => error::write_unraisable(raised, None, Some(&garbage)),
        }
    }
}

/// Sets the names of a module to None: those that begin with one underscore first.
pub fn clear_module(module: &PyModuleObject) {
    let dict = module.dict();
    for private in [true, false] {
        let mut names = Vec::new();
        let mut position = 0;
        while let Some((name, value, _)) = dict.next_entry(&mut position) {
            let Some(text) = name.downcast::<PyUnicodeObject>() else {
                continue;
            };
            let text = text.to_string_lossy();
            let is_private = text.starts_with('_') && !text.starts_with("__");
            if !is_none(value) && is_private == private && text != "__builtins__" {
                names.push(name.to_ref());
            }
        }
        for name in names {
            let _ = dict.set(&name, none()).map_err(Raised::clear);
        }
    }
}

/// A thread of Python's: a state for the calling native thread, with the GIL held.
pub fn attach_thread() -> &'static thread::ThreadState {
    let ts = thread::new_thread_state();
    thread::init_native_thread(ts);
    thread::acquire_gil(ts);
    ts
}

/// Ends what `attach_thread` began.
pub fn detach_thread() {
    let ts = thread_state();
    let state = std::ptr::from_ref(ts);
    // SAFETY: the thread uses its state no more; the GIL is held until the state is gone.
    unsafe { thread::delete_thread_state(state) };
    thread::release_gil();
}
