//! compile.h: compiler flags and start symbols.
use super::*;

c_structs! {
    plain PyCompilerFlags {
        cf_flags: Cell<c_int>,
        cf_feature_version: Cell<c_int>,
    }
}

c_consts! {
    c_int {
        Py_single_input = 256,
        Py_file_input = 257,
        Py_eval_input = 258,
        Py_func_type_input = 345,
        PyCF_SOURCE_IS_UTF8 = 0x0100,
        PyCF_DONT_IMPLY_DEDENT = 0x0200,
        PyCF_ONLY_AST = 0x0400,
        PyCF_IGNORE_COOKIE = 0x0800,
        PyCF_TYPE_COMMENTS = 0x1000,
        PyCF_ALLOW_TOP_LEVEL_AWAIT = 0x2000,
        PyCF_ALLOW_INCOMPLETE_INPUT = 0x4000,
        PyCF_OPTIMIZED_AST = 0x8000 | PyCF_ONLY_AST,
    }
}
