//! cpython/initconfig.h: what the embedding functions exchange by value.
use super::*;

c_structs! {
    plain PyStatus {
        _type: Cell<c_int>,
        func: StrCell,
        err_msg: StrCell,
        exitcode: Cell<c_int>,
    }
    plain PyWideStringList {
        length: Cell<Py_ssize_t>,
        items: Cell<*mut *mut wchar_t>,
    }
}
