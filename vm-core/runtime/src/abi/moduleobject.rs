//! moduleobject.h: module definitions. The module object itself is opaque to C.
use super::*;

pub type PyModInitFunction = unsafe extern "C" fn() -> *mut PyObject;

c_structs! {
    object PyModuleDef_Base {
        ob_base: PyObject,
        m_init: Cell<Option<PyModInitFunction>>,
        m_index: Cell<Py_ssize_t>,
        m_copy: ObjCell,
    }
    plain PyModuleDef_Slot {
        slot: Cell<c_int>,
        value: Cell<*mut c_void>,
    }
    object PyModuleDef {
        m_base: PyModuleDef_Base,
        m_name: StrCell,
        m_doc: StrCell,
        m_size: Cell<Py_ssize_t>,
        m_methods: Cell<*mut PyMethodDef>,
        m_slots: Cell<*mut PyModuleDef_Slot>,
        m_traverse: Cell<Option<traverseproc>>,
        m_clear: Cell<Option<inquiry>>,
        m_free: Cell<Option<freefunc>>,
    }
    /// CPython's module object (Include/internal); C reaches it through functions only.
    object PyModuleObject {
        ob_base: PyObject,
        md_dict: ObjCell,
        md_def: Cell<*mut PyModuleDef>,
        md_state: Cell<*mut c_void>,
        md_weaklist: ObjCell,
        md_name: ObjCell,
    }
}

c_consts! {
    c_int {
        Py_mod_create = 1,
        Py_mod_exec = 2,
        Py_mod_multiple_interpreters = 3,
        Py_mod_gil = 4,
        _Py_mod_LAST_SLOT = 4,
    }
    isize {
        Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED = 0,
        Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED = 1,
        Py_MOD_PER_INTERPRETER_GIL_SUPPORTED = 2,
        Py_MOD_GIL_USED = 0,
        Py_MOD_GIL_NOT_USED = 1,
    }
}

impl PyModuleDef {
    /// PyModuleDef_HEAD_INIT with a name; the other fields are zero.
    pub const fn new(name: *const c_char, doc: *const c_char, size: Py_ssize_t) -> Self {
        let def = Self::zeroed();
        PyModuleDef {
            m_base: PyModuleDef_Base {
                ob_base: PyObject::immortal(std::ptr::null_mut()),
                ..def.m_base
            },
            m_name: Cell::new(name),
            m_doc: Cell::new(doc),
            m_size: Cell::new(size),
            ..Self::zeroed()
        }
    }
}
