//! Facts in `sys`: versions, paths, flags, the named tuples.

use super::text;
use crate::pylifecycle::config;
use crate::state::GilCell;
use adder_runtime::abi::*;
use adder_runtime::objects::structseq::{Desc, Field, new_instance, new_type};
use adder_runtime::prelude::*;

/// The version of Python that we are to the ecosystem.
pub const MAJOR: u32 = 3;
pub const MINOR: u32 = 14;
pub const MICRO: u32 = 8;
/// `MAJOR.MINOR.MICRO`.
pub fn version_text() -> String {
    format!("{MAJOR}.{MINOR}.{MICRO}")
}

pub const HEX_VERSION: u32 = MAJOR << 24 | MINOR << 16 | MICRO << 8 | 0xF0;

#[cfg(target_arch = "x86_64")]
pub const MULTIARCH: &str = "x86_64-linux-gnu";
#[cfg(target_arch = "aarch64")]
pub const MULTIARCH: &str = "aarch64-linux-gnu";

static ASYNCGEN_HOOKS: GilCell<Option<&'static PyTypeObject>> = GilCell::new(None);
static UNRAISABLE: GilCell<Option<&'static PyTypeObject>> = GilCell::new(None);

fn int(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}

fn float(value: f64) -> Ref {
    PyFloatObject::from_f64(value).into_object()
}

/// The types of this module's named tuples, which all interpreters share.
static TYPES: GilCell<Vec<(String, &'static PyTypeObject)>> = GilCell::new(Vec::new());

/// A type of the description, made once.
fn known_type(desc: &Desc<'_>) -> PyResult<&'static PyTypeObject> {
    let known = TYPES.with(|types| {
        types
            .iter()
            .find(|(name, _)| name == desc.name)
            .map(|(_, ty)| *ty)
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let ty = new_type(desc)?;
    TYPES.with(|types| types.push((desc.name.to_owned(), ty)));
    Ok(ty)
}

/// A named tuple type that cannot be instantiated from Python, and its one value.
fn singleton(name: &str, doc: &str, fields: &[(&'static str, &'static str)], values: Vec<Ref>) -> PyResult {
    let fields: Vec<Field> = fields.iter().map(|(name, doc)| Field::new(name, doc)).collect();
    let desc = Desc {
        name,
        doc,
        n_in_sequence: fields.len(),
        fields: &fields,
        instantiable: false,
    };
    new_instance(known_type(&desc)?, values)
}

fn version_info() -> PyResult {
    let fields = [
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("micro", "Patch release number"),
        ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
        ("serial", "Serial release number"),
    ];
    let values = vec![
        int(MAJOR.into()),
        int(MINOR.into()),
        int(MICRO.into()),
        text("final"),
        int(0),
    ];
    singleton(
        "sys.version_info",
        "Version information as a named tuple.",
        &fields,
        values,
    )
}

fn flags() -> PyResult {
    let config = config();
    let flag = |value: bool| int(i64::from(value));
    let rows: [(&'static str, &'static str, Ref); 18] = [
        ("debug", "-d", int(config.debug)),
        ("inspect", "-i", int(config.inspect)),
        ("interactive", "-i", int(config.interactive)),
        ("optimize", "-O or -OO", int(config.optimize.into())),
        ("dont_write_bytecode", "-B", flag(config.dont_write_bytecode)),
        ("no_user_site", "-s", flag(config.no_user_site)),
        ("no_site", "-S", flag(config.no_site)),
        ("ignore_environment", "-E", flag(config.ignore_environment)),
        ("verbose", "-v", int(config.verbose)),
        ("bytes_warning", "-b", int(config.bytes_warning)),
        ("quiet", "-q", flag(config.quiet)),
        ("hash_randomization", "-R", flag(config.hash_seed != Some(0))),
        ("isolated", "-I", flag(config.isolated)),
        ("dev_mode", "-X dev", py_bool(config.dev_mode)),
        ("utf8_mode", "-X utf8", int(config.utf8_mode)),
        (
            "warn_default_encoding",
            "-X warn_default_encoding",
            int(config.warn_default_encoding),
        ),
        ("safe_path", "-P", py_bool(config.safe_path)),
        (
            "int_max_str_digits",
            "-X int_max_str_digits",
            int(config.int_max_str_digits),
        ),
    ];
    let mut fields: Vec<Field> = rows.iter().map(|(name, doc, _)| Field::new(name, doc)).collect();
    fields.push(Field::new("gil", "-X gil"));
    fields.push(Field::new("thread_inherit_context", "-X thread_inherit_context"));
    fields.push(Field::new("context_aware_warnings", "-X context_aware_warnings"));
    let desc = Desc {
        name: "sys.flags",
        doc: "Flags provided through command line arguments or environment vars.",
        fields: &fields,
        n_in_sequence: rows.len(),
        instantiable: false,
    };
    let mut values: Vec<Ref> = rows.into_iter().map(|row| row.2).collect();
    values.extend([int(1), int(0), int(0)]);
    new_instance(known_type(&desc)?, values)
}

fn implementation(version_info: &PyObject) -> PyResult {
    let dict = PyDictObject::new();
    dict.set(&text("name"), &text("cpython"))?;
    dict.set(&text("cache_tag"), &text("adder-314"))?;
    dict.set(&text("version"), version_info)?;
    dict.set(&text("hexversion"), &int(HEX_VERSION.into()))?;
    dict.set(&text("_multiarch"), &text(MULTIARCH))?;
    dict.set(&text("supports_isolated_interpreters"), true_())?;
    adder_runtime::objects::namespaceobject::new_namespace(&dict)
}

fn float_info() -> PyResult {
    let fields = [
        ("max", "DBL_MAX -- maximum representable finite float"),
        ("max_exp", "DBL_MAX_EXP"),
        ("max_10_exp", "DBL_MAX_10_EXP"),
        ("min", "DBL_MIN -- minimum positive normalized float"),
        ("min_exp", "DBL_MIN_EXP"),
        ("min_10_exp", "DBL_MIN_10_EXP"),
        (
            "dig",
            "DBL_DIG -- maximum number of decimal digits that can be represented",
        ),
        ("mant_dig", "DBL_MANT_DIG -- mantissa digits"),
        (
            "epsilon",
            "DBL_EPSILON -- difference between 1 and the next representable float",
        ),
        ("radix", "FLT_RADIX -- radix of exponent"),
        (
            "rounds",
            "FLT_ROUNDS -- rounding mode used for arithmetic operations",
        ),
    ];
    let values = vec![
        float(f64::MAX),
        int(1024),
        int(308),
        float(f64::MIN_POSITIVE),
        int(-1021),
        int(-307),
        int(15),
        int(53),
        float(f64::EPSILON),
        int(2),
        int(1),
    ];
    singleton(
        "sys.float_info",
        "A named tuple holding information about the float type.",
        &fields,
        values,
    )
}

fn hash_info() -> PyResult {
    let fields = [
        ("width", "width of the type used for hashing, in bits"),
        (
            "modulus",
            "prime number giving the modulus on which the hash function is based",
        ),
        ("inf", "value to be used for hash of a positive infinity"),
        ("nan", "value to be used for hash of a nan"),
        (
            "imag",
            "multiplier used for the imaginary part of a complex number",
        ),
        (
            "algorithm",
            "name of the algorithm for hashing of str, bytes and memoryviews",
        ),
        ("hash_bits", "internal output size of hash algorithm"),
        ("seed_bits", "seed size of hash algorithm"),
        ("cutoff", "small string optimization cutoff"),
    ];
    let values = vec![
        int(64),
        int((1 << 61) - 1),
        int(314_159),
        int(0),
        int(1_000_003),
        text("siphash13"),
        int(64),
        int(128),
        int(0),
    ];
    singleton(
        "sys.hash_info",
        "Hash parameters used for computing hash values.",
        &fields,
        values,
    )
}

fn int_info() -> PyResult {
    let fields = [
        ("bits_per_digit", "size of a digit in bits"),
        (
            "sizeof_digit",
            "size in bytes of the C type used to represent a digit",
        ),
        (
            "default_max_str_digits",
            "maximum string conversion digits limitation",
        ),
        (
            "str_digits_check_threshold",
            "minimum positive value for int_max_str_digits",
        ),
    ];
    let values = vec![int(30), int(4), int(4300), int(640)];
    singleton(
        "sys.int_info",
        "Information about Python's internal representation of integers.",
        &fields,
        values,
    )
}

fn thread_info() -> PyResult {
    let fields = [
        ("name", "name of the thread implementation"),
        ("lock", "name of the lock implementation"),
        ("version", "name and version of the thread library"),
    ];
    let values = vec![text("pthread"), text("semaphore"), none_ref()];
    singleton(
        "sys.thread_info",
        "Information about the thread implementation.",
        &fields,
        values,
    )
}

/// `sys.get_asyncgen_hooks()`.
pub fn asyncgen_hooks(values: Vec<Ref>) -> PyResult {
    if ASYNCGEN_HOOKS.get().is_none() {
        let fields = [Field::new("firstiter", ""), Field::new("finalizer", "")];
        let desc = Desc {
            name: "sys.asyncgen_hooks",
            doc: "Hooks that asynchronous generators call.",
            fields: &fields,
            n_in_sequence: 2,
            instantiable: false,
        };
        ASYNCGEN_HOOKS.set(Some(known_type(&desc)?));
    }
    match ASYNCGEN_HOOKS.get() {
        Some(ty) => new_instance(ty, values),
        None => Err(raise!(SystemError, "no type for the hooks")),
    }
}

/// The argument of `sys.unraisablehook`.
pub fn unraisable(values: Vec<Ref>) -> PyResult {
    if UNRAISABLE.get().is_none() {
        let fields = [
            Field::new("exc_type", "Exception type"),
            Field::new("exc_value", "Exception value"),
            Field::new("exc_traceback", "Exception traceback"),
            Field::new("err_msg", "Error message"),
            Field::new("object", "Object causing the exception"),
        ];
        let desc = Desc {
            name: "UnraisableHookArgs",
            doc: "Information about an exception that nobody can receive.",
            fields: &fields,
            n_in_sequence: 5,
            instantiable: true,
        };
        UNRAISABLE.set(Some(known_type(&desc)?));
    }
    match UNRAISABLE.get() {
        Some(ty) => new_instance(ty, values),
        None => Err(raise!(SystemError, "no type for the hook's argument")),
    }
}

/// Whether an object is what `unraisable` makes.
pub fn is_unraisable_args(object: &PyObject) -> bool {
    UNRAISABLE.get().is_some_and(|ty| std::ptr::eq(ty, object.ty()))
}

/// Adds the facts to the module.
pub fn fill(module: &PyModuleObject) -> PyResult<()> {
    let version_info = version_info()?;
    module.add("implementation", implementation(&version_info)?)?;
    module.add("version_info", version_info)?;
    module.add("hexversion", int(HEX_VERSION.into()))?;
    let version = format!(
        "{MAJOR}.{MINOR}.{MICRO} (Adder {}, {}) [Rust]",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    module.add("version", text(&version))?;
    module.add("api_version", int(1013))?;
    module.add(
        "copyright",
        text("Adder is free software under the MIT and Apache licences."),
    )?;
    module.add("platform", text("linux"))?;
    module.add("byteorder", text("little"))?;
    module.add("maxsize", int(i64::MAX))?;
    module.add("maxunicode", int(0x10_FFFF))?;
    module.add("float_repr_style", text("short"))?;
    module.add("abiflags", text(""))?;
    module.add("platlibdir", text("lib"))?;
    let adder = PyDictObject::new();
    adder.set(&text("name"), &text("adder"))?;
    adder.set(&text("version"), &text(env!("CARGO_PKG_VERSION")))?;
    module.add(
        "_adder",
        adder_runtime::objects::namespaceobject::new_namespace(&adder)?,
    )?;
    let nothing = || text("");
    module.add(
        "_git",
        PyTupleObject::from_vec(vec![text("Adder"), nothing(), nothing()]).into_object(),
    )?;
    module.add("_framework", nothing())?;
    let config = config();
    module.add("executable", text(&config.executable))?;
    module.add("_base_executable", text(&config.base_executable))?;
    for name in ["prefix", "exec_prefix"] {
        module.add(name, text(&config.prefix))?;
    }
    for name in ["base_prefix", "base_exec_prefix"] {
        module.add(name, text(&config.base_prefix))?;
    }
    module.add("_home", none_ref())?;
    module.add("_stdlib_dir", text(crate::pylifecycle::stdlib_dir()))?;
    module.add("flags", flags()?)?;
    module.add("float_info", float_info()?)?;
    module.add("hash_info", hash_info()?)?;
    module.add("int_info", int_info()?)?;
    module.add("thread_info", thread_info()?)
}
