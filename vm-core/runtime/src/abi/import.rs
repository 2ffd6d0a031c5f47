//! cpython/import.h: tables of built-in and frozen modules.
use super::*;

c_structs! {
    plain _inittab = "struct _inittab" {
        name: StrCell,
        initfunc: Cell<Option<PyModInitFunction>>,
    }
    plain _frozen = "struct _frozen" {
        name: StrCell,
        code: Cell<*const c_uchar>,
        size: Cell<c_int>,
        is_package: Cell<c_int>,
    }
}
