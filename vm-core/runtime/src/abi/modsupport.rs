//! cpython/modsupport.h: a parser made once per argument list (old Cython and Argument Clinic code has static ones).
use super::*;

c_structs! {
    plain _PyArg_Parser {
        format: StrCell,
        keywords: Cell<*const *const c_char>,
        fname: StrCell,
        custom_msg: StrCell,
        once: Cell<u8>,
        is_kwtuple_owned: Cell<c_int>,
        pos: Cell<c_int>,
        min: Cell<c_int>,
        max: Cell<c_int>,
        kwtuple: ObjCell,
        next: Cell<*mut _PyArg_Parser>,
    }
}
