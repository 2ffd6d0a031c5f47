//! C extension modules -> the runtime: CPython 3.14's C API, a file per header, exported from the executable.
