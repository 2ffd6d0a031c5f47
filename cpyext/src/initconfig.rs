//! cpython/initconfig.h, first half: options of the running interpreter by name (`PyConfig_Get`, `PyConfig_Set`, `PyConfig_Names`) and
//! the global variables that older code reads (`Py_VerboseFlag`, …). What embeds an interpreter is in `embedding.rs`.
//!
//! One table says of each option what type it has, where its value lives and whether it can be set.

use crate::export::put;
use adder_interp::pylifecycle::{Config, config};
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, Ordering};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    UInt,
    Bool,
    Str,
    OptStr,
    StrList,
    /// `sys._xoptions`.
    Dict,
}

/// Where the value of an option is.
#[derive(Clone, Copy)]
pub enum Place {
    /// An attribute of `sys`.
    Sys(&'static str),
    /// `sys.flags`: the field, whether the option says the opposite, the global variable that follows it.
    Flag(&'static str, bool, Option<&'static AtomicI32>),
    /// Fixed when the interpreter started.
    Fixed(fn(&Config) -> Value),
    /// `PYTHON_CPU_COUNT`.
    CpuCount,
}

/// A value without an object.
pub enum Value {
    Int(i64),
    Text(String),
    Nothing,
}

pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub place: Place,
    /// It belongs to `PyPreConfig`, or was used up at the start.
    read_only: bool,
}

const fn sys(name: &'static str, kind: Kind, attribute: &'static str) -> Row {
    Row {
        name,
        kind,
        place: Place::Sys(attribute),
        read_only: false,
    }
}
const fn flag(
    name: &'static str,
    kind: Kind,
    field: &'static str,
    global: Option<&'static AtomicI32>,
) -> Row {
    Row {
        name,
        kind,
        place: Place::Flag(field, false, global),
        read_only: global.is_none(),
    }
}
const fn not_flag(name: &'static str, field: &'static str, global: Option<&'static AtomicI32>) -> Row {
    Row {
        name,
        kind: Kind::Bool,
        place: Place::Flag(field, true, global),
        read_only: global.is_none(),
    }
}
const fn fixed(name: &'static str, kind: Kind, value: fn(&Config) -> Value) -> Row {
    Row {
        name,
        kind,
        place: Place::Fixed(value),
        read_only: true,
    }
}

fn off(_config: &Config) -> Value {
    Value::Int(0)
}
fn on(_config: &Config) -> Value {
    Value::Int(1)
}
fn nothing(_config: &Config) -> Value {
    Value::Nothing
}
fn xoption(config: &Config, name: &str) -> Value {
    Value::Int(i64::from(config.xoptions.iter().any(|(known, _)| known == name)))
}
fn text_of(text: &str) -> Value {
    Value::Text(text.to_owned())
}

macro_rules! global_flags {
    ($($(#[$attr:meta])* $name:ident)*) => {$(
        $(#[$attr])*
        #[unsafe(no_mangle)]
        pub static $name: AtomicI32 = AtomicI32::new(0);
    )*};
}
// C reads and writes them as `int`; the interpreter itself asks its configuration.
global_flags! {
    Py_BytesWarningFlag Py_DebugFlag Py_DontWriteBytecodeFlag Py_FrozenFlag Py_HashRandomizationFlag Py_IgnoreEnvironmentFlag
    Py_InspectFlag Py_InteractiveFlag Py_IsolatedFlag Py_NoSiteFlag Py_NoUserSiteDirectory Py_OptimizeFlag Py_QuietFlag
    Py_UnbufferedStdioFlag Py_VerboseFlag
    /// Follows `sys.flags.int_max_str_digits`; not C's.
    ADDER_INT_MAX_STR_DIGITS
}

use Kind::*;
#[rustfmt::skip]
pub static OPTIONS: [Row; 67] = [
    fixed("allocator", Int, off),
    sys("argv", StrList, "argv"),
    sys("base_exec_prefix", OptStr, "base_exec_prefix"),
    sys("base_executable", OptStr, "_base_executable"),
    sys("base_prefix", OptStr, "base_prefix"),
    fixed("buffered_stdio", Bool, |config| Value::Int(i64::from(!config.unbuffered))),
    flag("bytes_warning", UInt, "bytes_warning", Some(&Py_BytesWarningFlag)),
    fixed("check_hash_pycs_mode", Str, |_| text_of("default")),
    fixed("code_debug_ranges", Bool, |config| Value::Int(i64::from(config.code_debug_ranges))),
    fixed("coerce_c_locale", Bool, off),
    fixed("coerce_c_locale_warn", Bool, off),
    fixed("configure_c_stdio", Bool, on),
    fixed("configure_locale", Bool, on),
    flag("context_aware_warnings", Int, "context_aware_warnings", None),
    Row { name: "cpu_count", kind: Int, place: Place::CpuCount, read_only: false },
    flag("dev_mode", Bool, "dev_mode", None),
    fixed("dump_refs", Bool, off),
    fixed("dump_refs_file", OptStr, nothing),
    sys("exec_prefix", OptStr, "exec_prefix"),
    sys("executable", OptStr, "executable"),
    fixed("faulthandler", Bool, |config| Value::Int(i64::from(config.faulthandler || config.dev_mode))),
    fixed("filesystem_encoding", Str, |_| text_of("utf-8")),
    fixed("filesystem_errors", Str, |_| text_of("surrogateescape")),
    fixed("hash_seed", Int, |config| Value::Int(config.hash_seed.map_or(0, i64::from))),
    fixed("home", OptStr, |_| std::env::var("PYTHONHOME").map_or(Value::Nothing, Value::Text)),
    fixed("import_time", Int, |config| Value::Int(config.import_time.into())),
    flag("inspect", Bool, "inspect", Some(&Py_InspectFlag)),
    fixed("install_signal_handlers", Bool, on),
    flag("int_max_str_digits", UInt, "int_max_str_digits", Some(&ADDER_INT_MAX_STR_DIGITS)),
    flag("interactive", Bool, "interactive", Some(&Py_InteractiveFlag)),
    flag("isolated", Bool, "isolated", None),
    fixed("malloc_stats", Bool, off),
    sys("module_search_paths", StrList, "path"),
    flag("optimization_level", UInt, "optimize", Some(&Py_OptimizeFlag)),
    sys("orig_argv", StrList, "orig_argv"),
    fixed("parse_argv", Bool, on),
    flag("parser_debug", Bool, "debug", Some(&Py_DebugFlag)),
    fixed("pathconfig_warnings", Bool, on),
    fixed("perf_profiling", Int, off),
    sys("platlibdir", Str, "platlibdir"),
    sys("prefix", OptStr, "prefix"),
    fixed("program_name", Str, |config| text_of(&config.executable)),
    sys("pycache_prefix", OptStr, "pycache_prefix"),
    flag("quiet", Bool, "quiet", Some(&Py_QuietFlag)),
    fixed("remote_debug", Int, off),
    fixed("run_command", OptStr, nothing),
    fixed("run_filename", OptStr, nothing),
    fixed("run_module", OptStr, nothing),
    flag("safe_path", Bool, "safe_path", None),
    fixed("show_ref_count", Bool, |config| xoption(config, "showrefcount")),
    not_flag("site_import", "no_site", None),
    fixed("skip_source_first_line", Bool, off),
    fixed("stdio_encoding", Str, |_| text_of("utf-8")),
    fixed("stdio_errors", Str, |config| text_of(config.stdio_errors)),
    sys("stdlib_dir", OptStr, "_stdlib_dir"),
    flag("thread_inherit_context", Int, "thread_inherit_context", None),
    fixed("tracemalloc", Int, |config| xoption(config, "tracemalloc")),
    not_flag("use_environment", "ignore_environment", Some(&Py_IgnoreEnvironmentFlag)),
    fixed("use_frozen_modules", Bool, on),
    fixed("use_hash_seed", Bool, |config| Value::Int(i64::from(config.hash_seed.is_some()))),
    not_flag("user_site_directory", "no_user_site", None),
    flag("utf8_mode", Bool, "utf8_mode", None),
    flag("verbose", UInt, "verbose", Some(&Py_VerboseFlag)),
    flag("warn_default_encoding", Bool, "warn_default_encoding", None),
    sys("warnoptions", StrList, "warnoptions"),
    not_flag("write_bytecode", "dont_write_bytecode", Some(&Py_DontWriteBytecodeFlag)),
    sys("xoptions", Dict, "_xoptions"),
];

pub fn row(name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.name == name)
}

fn known(name: &CStr) -> PyResult<&'static Row> {
    let name = name.to_string_lossy();
    row(&name).ok_or_else(|| raise!(ValueError, "unknown config option name: {name}"))
}

/// Gives the global variables the values that the command line says.
pub fn init_flags() {
    let config = config();
    for (flag, value) in [
        (&Py_BytesWarningFlag, config.bytes_warning),
        (&Py_DebugFlag, config.debug),
        (&Py_DontWriteBytecodeFlag, config.dont_write_bytecode.into()),
        (&Py_HashRandomizationFlag, (config.hash_seed != Some(0)).into()),
        (&Py_IgnoreEnvironmentFlag, config.ignore_environment.into()),
        (&Py_InspectFlag, config.inspect),
        (&Py_InteractiveFlag, config.interactive),
        (&Py_IsolatedFlag, config.isolated.into()),
        (&Py_NoSiteFlag, config.no_site.into()),
        (&Py_NoUserSiteDirectory, config.no_user_site.into()),
        (&Py_OptimizeFlag, config.optimize.into()),
        (&Py_QuietFlag, config.quiet.into()),
        (&Py_UnbufferedStdioFlag, config.unbuffered.into()),
        (&Py_VerboseFlag, config.verbose),
        (&ADDER_INT_MAX_STR_DIGITS, config.int_max_str_digits),
    ] {
        flag.store(value as i32, Ordering::Relaxed);
    }
}

fn name_of(text: &str) -> Ref<PyUnicodeObject> {
    PyUnicodeObject::intern(PyUnicodeObject::from_str(text))
}

fn sys_value(attribute: &str) -> PyResult {
    crate::sysmodule::sys_attribute(&name_of(attribute))
}

fn object_of(value: Value, kind: Kind) -> Ref {
    match value {
        Value::Int(value) if kind == Bool => py_bool(value != 0),
        Value::Int(value) => PyLongObject::from_i64(value).into_object(),
        Value::Text(text) => PyUnicodeObject::from_string(text).into_object(),
        Value::Nothing => none_ref(),
    }
}

/// The value of an option, as `PyConfig_Get` gives it.
pub fn get(row: &Row) -> PyResult {
    match row.place {
        Place::Sys(attribute) => sys_value(attribute),
        // What Python code may have set goes before what the command line said.
        Place::Flag("dont_write_bytecode", ..) => {
            let dont = sys_value("dont_write_bytecode")?.is_true()?;
            Ok(py_bool(!dont))
        }
        Place::Flag(field, negated, _) => {
            let value = sys_value("flags")?.get_attr(&name_of(field))?;
            match (row.kind, negated) {
                (Bool, true) => Ok(py_bool(!value.is_true()?)),
                (Bool, false) => Ok(py_bool(value.is_true()?)),
                // A number of its own for each who asks.
                _ => Ok(PyLongObject::from_i64(crate::longobject::as_c_int(&value)?.into()).into_object()),
            }
        }
        Place::Fixed(value) => Ok(object_of(value(config()), row.kind)),
        Place::CpuCount => {
            let count = adder_runtime::hooks::CPU_COUNT.load(Ordering::Relaxed);
            Ok(PyLongObject::from_i64(count).into_object())
        }
    }
}

/// Puts another value into a field of `sys.flags`, which is a new object then.
fn set_sys_flag(field: &str, value: Ref) -> PyResult<()> {
    let old = sys_value("flags")?;
    let mut fields = Vec::new();
    while let Some(field) = structseq::get_field(&old, fields.len()) {
        fields.push(field);
    }
    let names = structseq::field_names(old.ty());
    let Some((_, at)) = names.into_iter().find(|(name, _)| name == field) else {
        return Err(raise!(SystemError, "sys.flags has no field {field}"));
    };
    fields[at] = value;
    let flags = structseq::new_instance(old.ty(), fields)?;
    crate::sysmodule::set_sys_attribute(identifier!("flags"), &flags)
}

fn number(row: &Row, value: &PyObject) -> PyResult<i64> {
    if !PyLongObject::check(value) {
        return Err(raise!(
            TypeError,
            "expected int or bool, got {}",
            value.ty().name()
        ));
    }
    let number = i64::from(crate::longobject::as_c_int(value)?);
    if number < 0 && row.kind != Int {
        return Err(raise!(ValueError, "value must be >= 0"));
    }
    Ok(number)
}

fn set_number(row: &Row, value: &PyObject) -> PyResult<()> {
    let number = number(row, value)?;
    let Place::Flag(field, negated, global) = row.place else {
        adder_runtime::hooks::CPU_COUNT.store(number, Ordering::Relaxed);
        return Ok(());
    };
    if field == "int_max_str_digits" {
        sys_value("set_int_max_str_digits")?.call1(value)?;
    }
    let shown = match row.kind {
        Bool => i64::from((number != 0) != negated),
        _ => number,
    };
    if field == "dont_write_bytecode" {
        crate::sysmodule::set_sys_attribute(identifier!("dont_write_bytecode"), &py_bool(shown != 0))?;
    }
    set_sys_flag(field, PyLongObject::from_i64(shown).into_object())?;
    if let Some(global) = global {
        // The variable keeps what C gave.
        let stored = if negated { shown } else { number };
        global.store(stored as i32, Ordering::Relaxed);
    }
    Ok(())
}

/// The value for an attribute of `sys`: checked, lists copied.
fn checked(kind: Kind, value: &PyObject) -> PyResult {
    let got = value.ty().name();
    match kind {
        OptStr if is_none(value) => {}
        Str | OptStr if PyUnicodeObject::check(value) => {}
        Str => return Err(raise!(TypeError, "expected str, got {got}")),
        OptStr => return Err(raise!(TypeError, "expected str or None, got {got}")),
        StrList => {
            let Some(list) = value.downcast::<PyListObject>() else {
                return Err(raise!(TypeError, "expected list[str], got {got}"));
            };
            for (idx, item) in list.as_slice().iter().enumerate() {
                if !PyUnicodeObject::check(item) {
                    return Err(raise!(
                        TypeError,
                        "expected str, list item {idx} has type {}",
                        item.ty().name()
                    ));
                }
            }
            let items = list.as_slice().iter().map(|item| item.to_ref()).collect();
            return Ok(PyListObject::from_vec(items).into_object());
        }
        Dict => {
            let Some(dict) = value.downcast::<PyDictObject>() else {
                return Err(raise!(TypeError, "expected dict[str, str | bool], got {got}"));
            };
            let mut position = 0;
            while let Some((key, value, _)) = dict.next_entry(&mut position) {
                if !PyUnicodeObject::check(key) {
                    return Err(raise!(
                        TypeError,
                        "expected str, got dict key type {}",
                        key.ty().name()
                    ));
                }
                let is_bool = value.is(true_()) || value.is(false_());
                if !is_bool && !PyUnicodeObject::check(value) {
                    return Err(raise!(
                        TypeError,
                        "expected str or bool, got dict value type {}",
                        value.ty().name()
                    ));
                }
            }
        }
        Int | UInt | Bool => {}
    }
    Ok(value.to_ref())
}

capi! {
    fn PyConfig_Get(name: &CStr) -> PyResult { get(known(name)?) }
    fn PyConfig_GetInt(name: &CStr, place: *mut c_int) -> PyResult<()> {
        let value = get(known(name)?)?;
        if !PyLongObject::check(&value) {
            return Err(raise!(TypeError, "config option {} is not an int", name.to_string_lossy()));
        }
        let value = crate::longobject::as_c_int(&value)?;
        // SAFETY: C gives a place.
        unsafe { put(place, value) };
        Ok(())
    }
    fn PyConfig_Names() -> PyResult {
        let names = OPTIONS.iter().map(|row| PyUnicodeObject::from_str(row.name).into_object()).collect();
        adder_runtime::objects::setobject::PyFrozenSet_Type.as_object().call1(PyListObject::from_vec(names).as_object())
    }
    fn PyConfig_Set(name: &CStr, value: &PyObject) -> PyResult<()> {
        let row = known(name)?;
        if row.read_only {
            return Err(raise!(ValueError, "cannot set read-only option {}", row.name));
        }
        match row.place {
            Place::Sys(attribute) => {
                crate::sysmodule::set_sys_attribute(&name_of(attribute), &*checked(row.kind, value)?)
            }
            _ => set_number(row, value),
        }
    }
}
