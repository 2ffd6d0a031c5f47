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
    ("CXX", "c++"),
    ("EXE", ""),
    ("EXT_SUFFIX", concat!(".cpython-314-", multiarch!(), ".so")),
    ("HOST_GNU_TYPE", multiarch!()),
    ("LDCXXSHARED", "c++ -shared"),
    ("LDSHARED", "cc -shared"),
    ("LDVERSION", "3.14"),
    ("MULTIARCH", multiarch!()),
    ("OPT", "-DNDEBUG -O2 -Wall"),
    ("PY_CFLAGS", "-fno-strict-overflow -DNDEBUG -O2 -Wall"),
    ("SHLIB_SUFFIX", ".so"),
    ("SOABI", concat!("cpython-314-", multiarch!())),
    ("VERSION", "3.14"),
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
