//! moduleobject.h, modsupport.h's module half: definitions -> modules, their content and state.

use crate::export::{Borrowed, Name, bad_internal_call, str_from_c};
use adder_runtime::exceptions::exc;
use adder_runtime::module as runtime_module;
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// The Python version that an extension was compiled for must not be newer than this in its major part.
const PYTHON_API_VERSION: c_int = 1013;
const PYTHON_ABI_VERSION: c_int = 3;

fn module(object: &PyObject) -> PyResult<&PyModuleObject> {
    object
        .downcast::<PyModuleObject>()
        .ok_or_else(|| raise!(TypeError, "bad argument type for built-in operation"))
}

pub fn dict_of(object: &PyObject) -> PyResult<&PyDictObject> {
    object
        .downcast::<PyModuleObject>()
        .map(PyModuleObject::dict)
        .ok_or_else(bad_internal_call)
}

/// PyModule_GetState, for what is known to be a module.
pub fn state_of(module: &PyObject) -> *mut c_void {
    module
        .downcast::<PyModuleObject>()
        .map_or(std::ptr::null_mut(), |module| module.md_state.get())
}

fn new_module(name: &PyObject) -> PyResult {
    Ok(PyModuleObject::with_name_object(name)?.into_object())
}

/// A definition that C gives: it is static.
///
/// # Safety
/// As said.
unsafe fn definition(def: *mut PyModuleDef) -> &'static PyModuleDef {
    // SAFETY: the caller's contract.
    unsafe { &*def }
}

/// Adds a value to a module; NULL with an exception set fails with that exception.
fn add(object: &PyObject, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<()> {
    if object.downcast::<PyModuleObject>().is_none() {
        return Err(raise!(
            TypeError,
            "PyModule_AddObjectRef() first argument must be a module"
        ));
    }
    let Some(value) = value else {
        if adder_runtime::error::occurred() {
            return Err(Raised::assume());
        }
        return Err(raise!(
            SystemError,
            "PyModule_AddObjectRef() must be called with an exception raised if value is NULL"
        ));
    };
    dict_of(object)?.set_str(name, value)
}

fn check_api_version(name: &CStr, api_version: c_int) -> PyResult<()> {
    if api_version == PYTHON_API_VERSION || api_version == PYTHON_ABI_VERSION {
        return Ok(());
    }
    let message = PyUnicodeObject::from_string(format!(
        "Python C API version mismatch for module {}: This Python has API version {PYTHON_API_VERSION}, module {0} has version {api_version}.",
        name.to_string_lossy()
    ));
    crate::warnings::warn(
        Some(exc::RuntimeWarning.as_object()),
        message.as_object(),
        1,
        None,
    )
}

capi! {
    fn PyModuleDef_Init(def: *mut PyModuleDef) -> *mut PyObject {
        // SAFETY: C gives a static definition.
        runtime_module::def_init(unsafe { definition(def) })
    }
    fn PyModule_Create2(def: *mut PyModuleDef, api_version: c_int) -> PyResult {
        // SAFETY: C gives a static definition.
        let def = unsafe { definition(def) };
        // SAFETY: a terminated name.
        check_api_version(unsafe { CStr::from_ptr(def.m_name.get()) }, api_version)?;
        Ok(runtime_module::create(def)?.into_object())
    }
    fn PyModule_FromDefAndSpec2(def: *mut PyModuleDef, spec: &PyObject, api_version: c_int) -> PyResult {
        // SAFETY: C gives a static definition.
        let def = unsafe { definition(def) };
        check_api_version(c"?", api_version)?;
        runtime_module::from_def_and_spec(def, spec)
    }
    fn PyModule_ExecDef(object: &PyObject, def: *mut PyModuleDef) -> PyResult<()> {
        // SAFETY: C gives a static definition.
        runtime_module::exec_def(object, unsafe { definition(def) })
    }
    fn PyModule_NewObject(name: &PyObject) -> PyResult { new_module(name) }
    fn PyModule_New(name: Name) -> PyResult { new_module(name.as_object()) }
    fn PyModule_GetDict(object: &PyObject) -> PyResult<Borrowed> { dict_of(object).map(|dict| dict.as_object().into()) }
    fn PyModule_GetNameObject(object: &PyObject) -> PyResult<Ref<PyUnicodeObject>> { module(object)?.name() }
    fn PyModule_GetName(object: &PyObject) -> PyResult<*const c_char> {
        // The module's dict keeps the name.
        crate::unicodeobject::utf8(&*module(object)?.name()?).map(|name| name.as_ptr().cast())
    }
    fn PyModule_GetFilenameObject(object: &PyObject) -> PyResult<Ref<PyUnicodeObject>> { module(object)?.filename() }
    fn PyModule_GetFilename(object: &PyObject) -> PyResult<*const c_char> {
        crate::unicodeobject::utf8(&*module(object)?.filename()?).map(|name| name.as_ptr().cast())
    }
    fn PyModule_GetDef(object: &PyObject) -> PyResult<*mut PyModuleDef> { Ok(module(object)?.md_def.get()) }
    fn PyModule_GetState(object: &PyObject) -> PyResult<*mut c_void> { Ok(module(object)?.md_state.get()) }
    fn PyModule_AddFunctions(object: &PyObject, table: *mut PyMethodDef) -> PyResult<()> {
        let name = module(object)?.name()?;
        runtime_module::add_functions(object, name.as_object(), table)
    }
    fn PyModule_SetDocString(object: &PyObject, doc: &CStr) -> PyResult<()> {
        object.set_attr(identifier!("__doc__"), str_from_c(doc)?.as_object())
    }
    fn PyModule_AddObjectRef(object: &PyObject, name: Name, value: Option<&PyObject>) -> PyResult<()> { add(object, &name, value) }
    /// Steals `value` only when it succeeds.
    fn PyModule_AddObject(object: &PyObject, name: Name, value: Option<&PyObject>) -> PyResult<()> {
        add(object, &name, value)?;
        if let Some(value) = value {
            // SAFETY: C gives its count away; the module has its own.
            unsafe { adder_runtime::memory::decref(value.as_ptr()) };
        }
        Ok(())
    }
    fn PyModule_Add(object: &PyObject, name: Name, value: Option<Ref>) -> PyResult<()> { add(object, &name, value.as_deref()) }
    fn PyModule_AddIntConstant(object: &PyObject, name: Name, value: i64) -> PyResult<()> {
        add(object, &name, Some(PyLongObject::from_i64(value).as_object()))
    }
    fn PyModule_AddStringConstant(object: &PyObject, name: Name, value: &CStr) -> PyResult<()> {
        add(object, &name, Some(str_from_c(value)?.as_object()))
    }
    fn PyModule_AddType(object: &PyObject, ty: &PyTypeObject) -> PyResult<()> {
        adder_runtime::types::ready(ty)?;
        let name = ty.as_object().get_attr(identifier!("__name__"))?;
        match name.downcast::<PyUnicodeObject>() {
            Ok(name) => add(object, &PyUnicodeObject::intern(name), Some(ty.as_object())),
            Err(_) => Err(bad_internal_call()),
        }
    }
    fn PyUnstable_Module_SetGIL(_object: *mut PyObject, _gil: *mut c_void) -> PyResult<()> { Ok(()) }

    fn PyState_FindModule(def: *mut PyModuleDef) -> Borrowed {
        Borrowed(if has_slots(def) { std::ptr::null_mut() } else { crate::loader::state_module(def) })
    }
    fn PyState_AddModule(object: &PyObject, def: *mut PyModuleDef) -> PyResult<()> { add_state_module(object, def) }
    fn _PyState_AddModule(_state: *mut PyThreadState, object: &PyObject, def: *mut PyModuleDef) -> PyResult<()> {
        add_state_module(object, def)
    }
    fn PyState_RemoveModule(def: *mut PyModuleDef) -> PyResult<()> {
        if has_slots(def) {
            return Err(raise!(SystemError, "PyState_RemoveModule called on module with slots"));
        }
        crate::loader::set_state_module(def, None);
        Ok(())
    }
}

/// Whether a definition is of multi-phase initialisation: such modules are not found by their definition.
fn has_slots(def: *mut PyModuleDef) -> bool {
    // SAFETY: C gives a static definition or NULL.
    unsafe { def.as_ref() }.is_some_and(|def| !def.m_slots.get().is_null())
}

fn add_state_module(object: &PyObject, def: *mut PyModuleDef) -> PyResult<()> {
    if has_slots(def) {
        return Err(raise!(
            SystemError,
            "PyState_AddModule called on module with slots"
        ));
    }
    crate::loader::set_state_module(def, Some(object.to_ref()));
    Ok(())
}
