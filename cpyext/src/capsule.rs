//! pycapsule.h.

use adder_runtime::objects::capsule::PyCapsule;
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// The capsule behind an object; another object is a ValueError that names the function.
fn capsule<'a>(object: Option<&'a PyObject>, function: &str) -> PyResult<&'a PyCapsule> {
    object
        .and_then(PyObject::downcast_exact::<PyCapsule>)
        .filter(|capsule| !capsule.pointer.get().is_null())
        .ok_or_else(|| raise!(ValueError, "{function} called with invalid PyCapsule object"))
}

fn has_name(capsule: &PyCapsule, name: *const c_char) -> bool {
    // SAFETY: C gives a terminated name or NULL.
    unsafe { capsule.has_name(name) }
}

/// PyCapsule_Import: `package.module.attribute`, by importing and by attributes.
pub fn import(name: &CStr) -> PyResult<*mut c_void> {
    let text = name.to_string_lossy();
    let mut parts = name.to_bytes().split(|&byte| byte == b'.');
    let first = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let mut object = match crate::import::import_module(&first) {
        Ok(module) => module,
        Err(raised) => {
            raised.clear();
            return Err(raise!(
                ImportError,
                "PyCapsule_Import could not import module \"{first}\""
            ));
        }
    };
    for part in parts {
        object = object.get_attr(&*crate::export::str_from_utf8(part)?)?;
    }
    match object.downcast_exact::<PyCapsule>() {
        Some(capsule) if has_name(capsule, name.as_ptr()) => Ok(capsule.pointer.get()),
        _ => Err(raise!(AttributeError, "PyCapsule_Import \"{text}\" is not valid")),
    }
}

/// A callable that calls `function` of C with `data`, for `atexit`.
pub fn call_at_exit(function: *mut c_void, data: *mut c_void) -> PyResult {
    type ExitFunction = unsafe extern "C" fn(*mut c_void);
    unsafe extern "C" fn call(capsule: *mut PyObject, _args: *mut PyObject) -> *mut PyObject {
        // SAFETY: the capsule that is made below holds both pointers.
        unsafe {
            let [function, data] = *(*capsule)
                .cast_unchecked::<PyCapsule>()
                .pointer
                .get()
                .cast::<[*mut c_void; 2]>();
            std::mem::transmute::<*mut c_void, ExitFunction>(function)(data);
        }
        none_ref().into_raw()
    }
    unsafe extern "C" fn free(capsule: *mut PyObject) {
        // SAFETY: as above; called once.
        drop(unsafe {
            Box::from_raw(
                (*capsule)
                    .cast_unchecked::<PyCapsule>()
                    .pointer
                    .get()
                    .cast::<[*mut c_void; 2]>(),
            )
        });
    }
    static DEF: PyMethodDef = PyMethodDef::new(c"at_exit".as_ptr(), call, METH_NOARGS, std::ptr::null());
    let pointers = Box::into_raw(Box::new([function, data])).cast();
    let capsule = PyCapsule::new(pointers, std::ptr::null(), Some(free))?;
    adder_runtime::objects::methodobject::new_function(&DEF, Some(capsule.as_object()), None)
}

capi! {
    fn PyCapsule_New(pointer: *mut c_void, name: *const c_char, destructor: *mut c_void) -> PyResult<Ref<PyCapsule>> {
        // SAFETY: C gives a PyCapsule_Destructor or NULL.
        let destructor = unsafe { std::mem::transmute::<*mut c_void, Option<PyCapsule_Destructor>>(destructor) };
        PyCapsule::new(pointer, name, destructor)
    }
    fn PyCapsule_IsValid(object: Option<&PyObject>, name: *const c_char) -> c_int {
        let capsule = object.and_then(PyObject::downcast_exact::<PyCapsule>);
        c_int::from(capsule.is_some_and(|capsule| !capsule.pointer.get().is_null() && has_name(capsule, name)))
    }
    fn PyCapsule_GetPointer(object: Option<&PyObject>, name: *const c_char) -> PyResult<*mut c_void> {
        let capsule = capsule(object, "PyCapsule_GetPointer")?;
        if !has_name(capsule, name) {
            return Err(raise!(ValueError, "PyCapsule_GetPointer called with incorrect name"));
        }
        Ok(capsule.pointer.get())
    }
    fn PyCapsule_GetName(object: Option<&PyObject>) -> PyResult<*const c_char> {
        Ok(capsule(object, "PyCapsule_GetName")?.name.get())
    }
    fn PyCapsule_GetDestructor(object: Option<&PyObject>) -> PyResult<*mut c_void> {
        let destructor = capsule(object, "PyCapsule_GetDestructor")?.destructor.get();
        Ok(destructor.map_or(std::ptr::null_mut(), |destructor| destructor as *mut c_void))
    }
    fn PyCapsule_GetContext(object: Option<&PyObject>) -> PyResult<*mut c_void> {
        Ok(capsule(object, "PyCapsule_GetContext")?.context.get())
    }
    fn PyCapsule_SetPointer(object: Option<&PyObject>, pointer: *mut c_void) -> PyResult<()> {
        let capsule = capsule(object, "PyCapsule_SetPointer")?;
        if pointer.is_null() {
            return Err(raise!(ValueError, "PyCapsule_SetPointer called with null pointer"));
        }
        capsule.pointer.set(pointer);
        Ok(())
    }
    fn PyCapsule_SetName(object: Option<&PyObject>, name: *const c_char) -> PyResult<()> {
        capsule(object, "PyCapsule_SetName")?.name.set(name);
        Ok(())
    }
    fn PyCapsule_SetDestructor(object: Option<&PyObject>, destructor: *mut c_void) -> PyResult<()> {
        // SAFETY: C gives a PyCapsule_Destructor or NULL.
        let destructor = unsafe { std::mem::transmute::<*mut c_void, Option<PyCapsule_Destructor>>(destructor) };
        capsule(object, "PyCapsule_SetDestructor")?.destructor.set(destructor);
        Ok(())
    }
    fn PyCapsule_SetContext(object: Option<&PyObject>, context: *mut c_void) -> PyResult<()> {
        capsule(object, "PyCapsule_SetContext")?.context.set(context);
        Ok(())
    }
    fn _PyCapsule_SetTraverse(object: Option<&PyObject>, traverse: *mut c_void, clear: *mut c_void) -> PyResult<()> {
        let capsule = capsule(object, "_PyCapsule_SetTraverse")?;
        // SAFETY: C gives a traverseproc and an inquiry.
        unsafe {
            capsule.traverse_func.set(std::mem::transmute::<*mut c_void, Option<traverseproc>>(traverse));
            capsule.clear_func.set(std::mem::transmute::<*mut c_void, Option<inquiry>>(clear));
        }
        Ok(())
    }
    fn PyCapsule_Import(name: &CStr, _no_block: c_int) -> PyResult<*mut c_void> { import(name) }
}
