//! `_sysconfigdata__linux_<platform>`: what CPython's Makefile knows, for `sysconfig` and programs that build extension
//! modules.

use adder_runtime::prelude::*;

#[cfg(target_arch = "x86_64")]
macro_rules! multiarch {
    () => {
        "x86_64-linux-gnu"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! multiarch {
    () => {
        "aarch64-linux-gnu"
    };
}

/// What a Makefile would know: for programs that build extension modules.
const BUILD_VARS: &[(&str, &str)] = &[
    ("AR", "ar"),
    ("ARFLAGS", "rcs"),
    ("BLDSHARED", "cc -shared"),
    ("CC", "cc"),
    ("CCSHARED", "-fPIC"),
    ("CFLAGS", "-fno-strict-overflow -DNDEBUG -O2 -Wall"),
    ("CONFIG_ARGS", ""),
    ("CPPFLAGS", ""),
    ("CXX", "c++"),
    ("EXE", ""),
    ("EXT_SUFFIX", concat!(".cpython-314-", multiarch!(), ".so")),
    ("HOST_GNU_TYPE", multiarch!()),
    ("LDCXXSHARED", "c++ -shared"),
    ("LDSHARED", "cc -shared"),
    ("LDFLAGS", ""),
    ("LDLIBRARY", "libpython3.14.a"),
    ("LDVERSION", "3.14"),
    ("LIBRARY", "libpython3.14.a"),
    ("LIBS", ""),
    ("MULTIARCH", multiarch!()),
    ("OPT", "-DNDEBUG -O2 -Wall"),
    ("PY_CFLAGS", "-fno-strict-overflow -DNDEBUG -O2 -Wall"),
    ("PYTHONFRAMEWORK", ""),
    ("SHLIB_SUFFIX", ".so"),
    ("SOABI", concat!("cpython-314-", multiarch!())),
    ("SYSLIBS", "-lm"),
    ("TZPATH", "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"),
    ("VERSION", "3.14"),
    ("abiflags", ""),
];

/// As `BUILD_VARS`, of numbers.
const BUILD_NUMBERS: &[(&str, i64)] = &[
    ("HAVE_FORK", 1),
    ("HAVE_GETENTROPY", 1),
    ("HAVE_GETRANDOM", 1),
    ("HAVE_GETRANDOM_SYSCALL", 1),
    ("Py_DEBUG", 0),
    ("Py_ENABLE_SHARED", 0),
    ("Py_GIL_DISABLED", 0),
    ("SIZEOF_VOID_P", size_of::<*const ()>() as i64),
    ("WITH_DOC_STRINGS", 1),
];

/// Where things are: for builds, which look here for CPython's headers. Those beside the command come first, then the system's.
fn places() -> Vec<(&'static str, String)> {
    const HEADERS: &str = "include/python3.14";
    let base = adder_runtime::hooks::get()
        .and_then(|hooks| (hooks.sys_dict)())
        .and_then(|sys| sys.get_str(identifier!("base_prefix")))
        .and_then(|prefix| prefix.str().map_err(Raised::clear).ok())
        .map_or_else(|| "/usr".to_owned(), |prefix| prefix.to_string_lossy());
    let own = format!("{base}/{HEADERS}");
    let candidates = [own.clone(), format!("/usr/local/{HEADERS}"), format!("/usr/{HEADERS}")];
    let has_headers = |dir: &&String| std::path::Path::new(dir.as_str()).join("Python.h").exists();
    let headers = candidates.iter().find(has_headers).unwrap_or(&own).clone();
    let include = headers.trim_end_matches("/python3.14").to_owned();
    let library = format!("{base}/lib");
    vec![
        ("BINDIR", format!("{base}/bin")),
        ("CONFINCLUDEDIR", include.clone()),
        ("CONFINCLUDEPY", headers.clone()),
        ("INCLUDEDIR", include),
        ("INCLUDEPY", headers),
        ("LIBDEST", format!("{library}/python3.14")),
        ("LIBDIR", library.clone()),
        ("LIBPL", format!("{library}/python3.14/config-3.14-{}", multiarch!())),
        ("BINLIBDEST", format!("{library}/python3.14")),
        ("datarootdir", format!("{base}/share")),
    ]
}

/// Facts of the build.
#[pymodule(name = "_sysconfigdata")]
pub mod _sysconfigdata {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let vars = PyDictObject::new();
        for (name, value) in BUILD_VARS {
            vars.set_str(
                &PyUnicodeObject::from_str(name),
                PyUnicodeObject::from_str(value).as_object(),
            )?;
        }
        for (name, value) in BUILD_NUMBERS {
            vars.set_str(
                &PyUnicodeObject::from_str(name),
                PyLongObject::from_i64(*value).as_object(),
            )?;
        }
        for (name, value) in places() {
            vars.set_str(
                &PyUnicodeObject::from_str(name),
                PyUnicodeObject::from_str(&value).as_object(),
            )?;
        }
        module.add("build_time_vars", vars.into_object())
    }
}

/// The module by the name that `sysconfig` looks for on this platform.
pub mod platform {
    pub const INIT: crate::ModuleInit = (
        concat!("_sysconfigdata__linux_", multiarch!()),
        super::_sysconfigdata::INIT.1,
    );
}
