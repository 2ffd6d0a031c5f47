//! The constant parts of `sys`: versions, flags, limits.

use super::{ADDER_VERSION, HEXVERSION, VERSION};
use crate::config::Config;
use adder_runtime::objects::namespaceobject;
use adder_runtime::objects::structseq::{Desc, Field, new_instance, new_type};
use adder_runtime::prelude::*;
use std::sync::OnceLock;

fn int(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}
fn float(value: f64) -> Ref {
    PyFloatObject::from_f64(value).into_object()
}
fn text(value: &str) -> Ref {
    PyUnicodeObject::from_str(value).into_object()
}

/// One struct sequence of a type of its own.
fn record(name: &str, doc: &str, fields: &[(&'static str, Ref)]) -> PyResult {
    let names: Vec<Field> = fields.iter().map(|(name, _)| Field::new(name, "")).collect();
    let desc = Desc { name, doc, fields: &names, n_in_sequence: names.len(), instantiable: false };
    let ty = new_type(&desc)?;
    new_instance(ty, fields.iter().map(|(_, value)| value.clone()).collect())
}

pub fn version_info() -> PyResult {
    let (major, minor, micro) = VERSION;
    record(
        "sys.version_info",
        "Version information as a named tuple.",
        &[
            ("major", int(major.into())),
            ("minor", int(minor.into())),
            ("micro", int(micro.into())),
            ("releaselevel", text("final")),
            ("serial", int(0)),
        ],
    )
}

pub fn flags(config: &Config) -> PyResult {
    let int = |value: u8| int(value.into());
    let bit = |value: bool| int(u8::from(value));
    record(
        "sys.flags",
        "The flags of the command line.",
        &[
            ("debug", int(config.debug)),
            ("inspect", bit(config.inspect)),
            ("interactive", bit(config.interactive)),
            ("optimize", int(config.optimize)),
            ("dont_write_bytecode", bit(config.dont_write_bytecode)),
            ("no_user_site", bit(config.no_user_site)),
            ("no_site", bit(config.no_site)),
            ("ignore_environment", bit(config.ignore_environment)),
            ("verbose", int(config.verbose)),
            ("bytes_warning", int(config.bytes_warning)),
            ("quiet", bit(config.quiet)),
            ("hash_randomization", bit(config.hash_seed != Some(0))),
            ("isolated", bit(config.isolated)),
            ("dev_mode", py_bool(config.dev_mode)),
            ("utf8_mode", bit(config.utf8_mode)),
            ("warn_default_encoding", bit(config.warn_default_encoding)),
            ("safe_path", py_bool(config.safe_path)),
            (
                "int_max_str_digits",
                PyLongObject::from_usize(adder_runtime::objects::longobject::max_str_digits()).into_object(),
            ),
            ("gil", int(1)),
            ("thread_inherit_context", int(0)),
            ("context_aware_warnings", int(0)),
        ],
    )
}

pub fn float_info() -> PyResult {
    record(
        "sys.float_info",
        "The properties of the float type.",
        &[
            ("max", float(f64::MAX)),
            ("max_exp", int(1024)),
            ("max_10_exp", int(308)),
            ("min", float(f64::MIN_POSITIVE)),
            ("min_exp", int(-1021)),
            ("min_10_exp", int(-307)),
            ("dig", int(15)),
            ("mant_dig", int(53)),
            ("epsilon", float(f64::EPSILON)),
            ("radix", int(2)),
            ("rounds", int(1)),
        ],
    )
}

pub fn int_info() -> PyResult {
    record(
        "sys.int_info",
        "The representation of ints.",
        &[
            ("bits_per_digit", int(30)),
            ("sizeof_digit", int(4)),
            ("default_max_str_digits", int(4300)),
            ("str_digits_check_threshold", int(640)),
        ],
    )
}

pub fn hash_info() -> PyResult {
    record(
        "sys.hash_info",
        "The parameters of hashing.",
        &[
            ("width", int(64)),
            ("modulus", int((1 << 61) - 1)),
            ("inf", int(314159)),
            ("nan", int(0)),
            ("imag", int(1_000_003)),
            ("algorithm", text("siphash13")),
            ("hash_bits", int(64)),
            ("seed_bits", int(128)),
            ("cutoff", int(0)),
        ],
    )
}

pub fn thread_info() -> PyResult {
    record(
        "sys.thread_info",
        "The thread implementation.",
        &[("name", text("pthread")), ("lock", text("semaphore")), ("version", none_ref())],
    )
}

/// To the ecosystem Adder is a CPython 3.14; `sys._adder` says what it is.
pub fn implementation(version: &PyObject) -> PyResult {
    let namespace = PyDictObject::new();
    let set = |name: &str, value: Ref| namespace.set_str(&PyUnicodeObject::from_str(name), &value);
    set("name", text("cpython"))?;
    set("cache_tag", text("adder-314"))?;
    set("version", version.to_ref())?;
    set("hexversion", int(HEXVERSION.into()))?;
    set("_multiarch", text(if cfg!(target_arch = "aarch64") { "aarch64-linux-gnu" } else { "x86_64-linux-gnu" }))?;
    set("supports_isolated_interpreters", py_bool(false))?;
    namespaceobject::new_namespace(Some(&namespace))
}

pub fn adder(major: u32, minor: u32, micro: u32) -> PyResult {
    let namespace = PyDictObject::new();
    let set = |name: &str, value: Ref| namespace.set_str(&PyUnicodeObject::from_str(name), &value);
    set("version", text(ADDER_VERSION))?;
    set("python", text(&format!("{major}.{minor}.{micro}")))?;
    set("jit", none_ref())?;
    namespaceobject::new_namespace(Some(&namespace))
}

static ASYNCGEN_HOOKS: OnceLock<&'static PyTypeObject> = OnceLock::new();
static UNRAISABLE_ARGS: OnceLock<&'static PyTypeObject> = OnceLock::new();

/// Makes the types of what functions of `sys` return.
pub fn init_types() -> PyResult<()> {
    let fields = [Field::new("firstiter", ""), Field::new("finalizer", "")];
    let desc = Desc {
        name: "sys.asyncgen_hooks",
        doc: "The hooks of asynchronous generators.",
        fields: &fields,
        n_in_sequence: 2,
        instantiable: false,
    };
    let _ = ASYNCGEN_HOOKS.set(new_type(&desc)?);
    let fields =
        ["exc_type", "exc_value", "exc_traceback", "err_msg", "object"].map(|name| Field::new(name, ""));
    let desc = Desc {
        name: "UnraisableHookArgs",
        doc: "What sys.unraisablehook gets.",
        fields: &fields,
        n_in_sequence: 5,
        instantiable: true,
    };
    let _ = UNRAISABLE_ARGS.set(new_type(&desc)?);
    Ok(())
}

fn made(ty: &OnceLock<&'static PyTypeObject>, fields: Vec<Ref>) -> PyResult {
    match ty.get() {
        Some(ty) => new_instance(ty, fields),
        None => Err(raise!(SystemError, "sys is not initialised")),
    }
}

pub fn asyncgen_hooks(fields: Vec<Ref>) -> PyResult {
    made(&ASYNCGEN_HOOKS, fields)
}

pub fn unraisable_args(fields: Vec<Ref>) -> PyResult {
    made(&UNRAISABLE_ARGS, fields)
}

/// The names of all modules that 3.14's library has on any platform.
pub static STDLIB_MODULE_NAMES: &[&str] = &include!("stdlib_module_names.in");
