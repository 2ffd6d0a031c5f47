//! methodobject.h: C functions, their definitions and calling conventions.
use super::*;

pub type PyCFunction = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
pub type PyCFunctionFast =
    unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, Py_ssize_t) -> *mut PyObject;
pub type PyCFunctionWithKeywords =
    unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
pub type PyCFunctionFastWithKeywords =
    unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, Py_ssize_t, *mut PyObject) -> *mut PyObject;
pub type PyCMethod = unsafe extern "C" fn(
    *mut PyObject,
    *mut PyTypeObject,
    *const *mut PyObject,
    Py_ssize_t,
    *mut PyObject,
) -> *mut PyObject;

c_structs! {
    /// A C function with its name, convention (`METH_*`) and documentation. A row with a null name ends a table.
    plain PyMethodDef {
        ml_name: StrCell,
        ml_meth: Cell<Option<PyCFunction>>,
        ml_flags: Cell<c_int>,
        ml_doc: StrCell,
    }
    object PyCFunctionObject {
        ob_base: PyObject,
        m_ml: Cell<*mut PyMethodDef>,
        m_self: ObjCell,
        m_module: ObjCell,
        m_weakreflist: ObjCell,
        vectorcall: Cell<Option<vectorcallfunc>>,
    }
    object PyCMethodObject {
        func: PyCFunctionObject,
        mm_class: Cell<*mut PyTypeObject>,
    }
}

c_consts! {
    c_int {
        METH_VARARGS = 0x0001,
        METH_KEYWORDS = 0x0002,
        METH_NOARGS = 0x0004,
        METH_O = 0x0008,
        METH_CLASS = 0x0010,
        METH_STATIC = 0x0020,
        METH_COEXIST = 0x0040,
        METH_FASTCALL = 0x0080,
        METH_METHOD = 0x0200,
    }
}

impl PyMethodDef {
    /// A row for any convention; `flags` must agree with the function's true type.
    pub const fn new(name: *const c_char, meth: PyCFunction, flags: c_int, doc: *const c_char) -> Self {
        PyMethodDef {
            ml_name: Cell::new(name),
            ml_meth: Cell::new(Some(meth)),
            ml_flags: Cell::new(flags),
            ml_doc: Cell::new(doc),
        }
    }

    /// METH_FASTCALL.
    pub const fn fastcall(
        name: *const c_char,
        meth: PyCFunctionFast,
        flags: c_int,
        doc: *const c_char,
    ) -> Self {
        // SAFETY: a function pointer's representation does not depend on its signature; METH_FASTCALL restores the type.
        let meth = unsafe { std::mem::transmute::<PyCFunctionFast, PyCFunction>(meth) };
        Self::new(name, meth, flags | METH_FASTCALL, doc)
    }

    /// METH_FASTCALL | METH_KEYWORDS.
    pub const fn fastcall_keywords(
        name: *const c_char,
        meth: PyCFunctionFastWithKeywords,
        flags: c_int,
        doc: *const c_char,
    ) -> Self {
        // SAFETY: as in `fastcall`.
        let meth = unsafe { std::mem::transmute::<PyCFunctionFastWithKeywords, PyCFunction>(meth) };
        Self::new(name, meth, flags | METH_FASTCALL | METH_KEYWORDS, doc)
    }

    /// METH_VARARGS | METH_KEYWORDS.
    pub const fn keywords(
        name: *const c_char,
        meth: PyCFunctionWithKeywords,
        flags: c_int,
        doc: *const c_char,
    ) -> Self {
        // SAFETY: as in `fastcall`.
        let meth = unsafe { std::mem::transmute::<PyCFunctionWithKeywords, PyCFunction>(meth) };
        Self::new(name, meth, flags | METH_VARARGS | METH_KEYWORDS, doc)
    }

    /// METH_METHOD | METH_FASTCALL | METH_KEYWORDS.
    pub const fn method(name: *const c_char, meth: PyCMethod, flags: c_int, doc: *const c_char) -> Self {
        // SAFETY: as in `fastcall`.
        let meth = unsafe { std::mem::transmute::<PyCMethod, PyCFunction>(meth) };
        Self::new(
            name,
            meth,
            flags | METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
            doc,
        )
    }
}
