//! descrobject.h: descriptors and the tables that make them.
use super::*;

pub type getter = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> *mut PyObject;
pub type setter = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void) -> c_int;
pub type wrapperfunc = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void) -> *mut PyObject;
pub type wrapperfunc_kwds =
    unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void, *mut PyObject) -> *mut PyObject;

c_structs! {
    plain PyGetSetDef {
        name: StrCell,
        get: Cell<Option<getter>>,
        set: Cell<Option<setter>>,
        doc: StrCell,
        closure: Cell<*mut c_void>,
    }
    plain PyMemberDef {
        name: StrCell,
        r#type: Cell<c_int>,
        offset: Cell<Py_ssize_t>,
        flags: Cell<c_int>,
        doc: StrCell,
    }
    plain wrapperbase = "struct wrapperbase" {
        name: StrCell,
        offset: Cell<c_int>,
        function: Cell<*mut c_void>,
        wrapper: Cell<Option<wrapperfunc>>,
        doc: StrCell,
        flags: Cell<c_int>,
        name_strobj: ObjCell,
    }
    object PyDescrObject {
        ob_base: PyObject,
        d_type: Cell<*mut PyTypeObject>,
        d_name: ObjCell,
        d_qualname: ObjCell,
    }
    object PyMethodDescrObject {
        d_common: PyDescrObject,
        d_method: Cell<*mut PyMethodDef>,
        vectorcall: Cell<Option<vectorcallfunc>>,
    }
    object PyMemberDescrObject {
        d_common: PyDescrObject,
        d_member: Cell<*mut PyMemberDef>,
    }
    object PyGetSetDescrObject {
        d_common: PyDescrObject,
        d_getset: Cell<*mut PyGetSetDef>,
    }
    object PyWrapperDescrObject {
        d_common: PyDescrObject,
        d_base: Cell<*mut wrapperbase>,
        d_wrapped: Cell<*mut c_void>,
    }
}

c_consts! {
    c_int {
        PyWrapperFlag_KEYWORDS = 1,
    }
}

impl PyGetSetDef {
    pub const fn new(
        name: *const c_char,
        get: Option<getter>,
        set: Option<setter>,
        doc: *const c_char,
        closure: *mut c_void,
    ) -> Self {
        PyGetSetDef {
            name: Cell::new(name),
            get: Cell::new(get),
            set: Cell::new(set),
            doc: Cell::new(doc),
            closure: Cell::new(closure),
        }
    }
}

impl PyMemberDef {
    pub const fn new(
        name: *const c_char,
        member_type: c_int,
        offset: Py_ssize_t,
        flags: c_int,
        doc: *const c_char,
    ) -> Self {
        PyMemberDef {
            name: Cell::new(name),
            r#type: Cell::new(member_type),
            offset: Cell::new(offset),
            flags: Cell::new(flags),
            doc: Cell::new(doc),
        }
    }
}
