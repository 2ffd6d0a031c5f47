//! `_ctypes`: C types as Python classes, calls of C functions through libffi, callbacks.
//!
//! `info` has what a class is in C, `metatypes` make such classes, `cdata` is their instances; then a file per kind of type, and
//! `call`, `function`, `callback` for the ways between the languages. Layouts of structures come from `ctypes._layout`.

mod arrays;
mod call;
mod callback;
mod cdata;
mod function;
mod info;
mod longdouble;
mod metatypes;
mod pointers;
mod simple;
mod structures;

use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use cdata::CData;
use info::{info_of_object, instance_info};

static ARGUMENT_ERROR: ExceptionClass = ExceptionClass::new("ctypes.ArgumentError", || exc::Exception);

fn argument_error(message: &str) -> Raised {
    ARGUMENT_ERROR.raise(message)
}

fn argument_error_class() -> PyResult {
    ARGUMENT_ERROR.get()
}

/// What `string_at` calls, by its address.
unsafe extern "C" fn string_at(text: *const u8, size: c_int) -> *mut PyObject {
    // SAFETY: the caller of ctypes vouches for the address.
    unsafe {
        let len = match usize::try_from(size) {
            Ok(len) => len,
            Err(_) => libc::strlen(text.cast()),
        };
        PyBytesObject::from_slice(std::slice::from_raw_parts(text, len)).into_object_raw()
    }
}

unsafe extern "C" fn wstring_at(text: *const u32, size: c_int) -> *mut PyObject {
    // SAFETY: the caller of ctypes vouches for the address.
    let made = unsafe {
        let len = match usize::try_from(size) {
            Ok(len) => len,
            Err(_) => simple::wide_len(text),
        };
        simple::wide_text(text, len)
    };
    made.map_or(std::ptr::null_mut(), Ref::into_raw)
}

unsafe extern "C" fn cast(address: *mut u8, source: *mut PyObject, class: *mut PyObject) -> *mut PyObject {
    // SAFETY: ctypes gives live objects.
    unsafe { pointers::cast(address, &*source, &*class) }.map_or(std::ptr::null_mut(), Ref::into_raw)
}

unsafe extern "C" fn memoryview_at(address: *mut c_void, size: isize, readonly: c_int) -> *mut PyObject {
    let view = Py_buffer::zeroed();
    // SAFETY: the view is fresh; the caller of ctypes vouches for the address.
    let filled = unsafe {
        adder_runtime::objects::buffer::fill_info(
            (&raw const view).cast_mut(),
            None,
            address.cast(),
            size.max(0) as usize,
            readonly != 0,
            PyBUF_FULL_RO,
        )
    };
    filled
        .and_then(|()| PyMemoryViewObject::from_buffer(&view))
        .map_or(std::ptr::null_mut(), |view| view.into_object_raw())
}

fn data_argument<'a>(object: &'a PyObject, function: &str) -> PyResult<&'a CData> {
    CData::of(object)
        .ok_or_else(|| raise!(TypeError, "{function} must be _ctypes._CData, not {}", object.ty().name()))
}

/// Create and manipulate C compatible data types in Python.
#[pymodule(name = "_ctypes", types = [STRUCTURE_TYPE, UNION_TYPE, POINTER_TYPE, ARRAY_TYPE, SIMPLE_TYPE, FUNCTION_TYPE, CFIELD_TYPE])]
pub mod _ctypes {
    use super::arrays::ARRAY_TYPE;
    use super::function::FUNCTION_TYPE;
    use super::pointers::POINTER_TYPE;
    use super::simple::SIMPLE_TYPE;
    use super::structures::{CFIELD_TYPE, STRUCTURE_TYPE, UNION_TYPE};
    use super::*;
    use std::ffi::{CStr, CString};

    #[pyconst]
    const FUNCFLAG_CDECL: u32 = info::FUNCFLAG_CDECL;
    #[pyconst]
    const FUNCFLAG_PYTHONAPI: u32 = info::FUNCFLAG_PYTHONAPI;
    #[pyconst]
    const FUNCFLAG_USE_ERRNO: u32 = info::FUNCFLAG_USE_ERRNO;
    #[pyconst]
    const FUNCFLAG_USE_LASTERROR: u32 = info::FUNCFLAG_USE_LASTERROR;
    #[pyconst]
    const RTLD_LOCAL: i32 = libc::RTLD_LOCAL;
    #[pyconst]
    const RTLD_GLOBAL: i32 = libc::RTLD_GLOBAL;
    #[pyconst]
    const CTYPES_MAX_ARGCOUNT: i64 = call::MAX_ARGUMENTS as i64;
    #[pyconst]
    const SIZEOF_TIME_T: i64 = size_of::<libc::time_t>() as i64;
    #[pyconst]
    const __version__: &str = "1.1.0";

    /// Return the size in bytes of a C instance.
    #[pyfunction("($module, obj, /)")]
    fn sizeof(obj: &PyObject) -> PyResult<usize> {
        if let Some(info) = info_of_object(obj) {
            return Ok(info.size.get());
        }
        match CData::of(obj) {
            Some(data) => Ok(data.size.get()),
            None => Err(raise!(TypeError, "this type has no size")),
        }
    }
    /// Return the alignment requirements of a C instance.
    #[pyfunction("($module, obj, /)")]
    fn alignment(obj: &PyObject) -> PyResult<usize> {
        if let Some(info) = info_of_object(obj) {
            return Ok(info.align.get());
        }
        match CData::of(obj) {
            Some(_) => Ok(instance_info(obj)?.align.get()),
            None => Err(raise!(TypeError, "no alignment info")),
        }
    }
    /// Return the address of the C instance internal buffer
    #[pyfunction("($module, obj, /)")]
    fn addressof(obj: &PyObject) -> PyResult<usize> {
        let data = data_argument(obj, "addressof() argument")?;
        adder_runtime::hooks::audit("ctypes.addressof", &[obj])?;
        Ok(data.ptr.get() as usize)
    }
    /// Return a pointer lookalike to a C instance, only usable as function argument.
    #[pyfunction("($module, obj, offset=0, /)")]
    fn byref(obj: &PyObject, offset: isize) -> PyResult {
        call::byref(obj, offset)
    }
    /// Resize the memory buffer of a ctypes instance.
    #[pyfunction("($module, obj, size, /)")]
    fn resize(obj: &PyObject, size: isize) -> PyResult<()> {
        let data = data_argument(obj, "resize() argument 1")?;
        let least = instance_info(obj)?.size.get();
        if size < least as isize {
            return Err(raise!(ValueError, "minimum size is {least}"));
        }
        if !data.owns.get() {
            return Err(raise!(
                ValueError,
                "Memory cannot be resized because this object doesn't own it"
            ));
        }
        data.resize(size as usize)
    }
    #[pyfunction("($module, /)")]
    fn get_errno() -> PyResult<i32> {
        adder_runtime::hooks::audit("ctypes.get_errno", &[])?;
        Ok(call::errno_copy())
    }
    #[pyfunction("($module, value, /)")]
    fn set_errno(value: i32) -> PyResult<i32> {
        let object = PyLongObject::from_i64(value.into());
        adder_runtime::hooks::audit("ctypes.set_errno", &[object.as_object()])?;
        Ok(call::swap_errno_copy(value))
    }
    /// Open a shared library; its handle.
    #[pyfunction("($module, name, flag=RTLD_NOW, /)")]
    fn dlopen(name: &PyObject, flag: Option<i32>) -> PyResult<usize> {
        let mut path = None;
        if !is_none(name) {
            let given = crate::posixmodule::path::fspath(name)?;
            let bytes = match given.as_object().downcast::<PyUnicodeObject>() {
                Some(text) => crate::posixmodule::path::fs_encode(text)?.as_bytes().to_vec(),
                None => given.as_object().downcast::<PyBytesObject>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default(),
            };
            path = Some(CString::new(bytes).map_err(|_| raise!(ValueError, "embedded null byte"))?);
        }
        adder_runtime::hooks::audit("ctypes.dlopen", &[name])?;
        let flag = flag.unwrap_or(0) | libc::RTLD_NOW;
        // SAFETY: the loader runs the library's constructors, which is what the caller asked for.
        unsafe {
            libc::dlerror();
            let handle = libc::dlopen(path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()), flag);
            if handle.is_null() {
                let message = libc::dlerror();
                let message = match message.is_null() {
                    true => "dlopen() error".to_string(),
                    false => CStr::from_ptr(message).to_string_lossy().into_owned(),
                };
                return Err(raise!(OSError, "{message}"));
            }
            Ok(handle as usize)
        }
    }
    /// Close a shared library.
    #[pyfunction("($module, handle, /)")]
    fn dlclose(handle: usize) -> PyResult<()> {
        // SAFETY: the caller vouches for the handle.
        if unsafe { libc::dlclose(handle as *mut c_void) } != 0 {
            // SAFETY: after an error there is a message.
            let message = unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy().into_owned();
            return Err(raise!(OSError, "{message}"));
        }
        Ok(())
    }
    /// The address of a symbol in a shared library.
    #[pyfunction("($module, handle, name, /)")]
    fn dlsym(handle: usize, name: &str) -> PyResult<usize> {
        let (number, text) = (PyLongObject::from_usize(handle), PyUnicodeObject::from_str(name));
        adder_runtime::hooks::audit("ctypes.dlsym/handle", &[number.as_object(), text.as_object()])?;
        match call::symbol(handle, name) {
            Ok(address) => Ok(address as usize),
            Err(why) => Err(raise!(OSError, "{why}")),
        }
    }
    /// The paths of the shared libraries that are loaded.
    #[pyfunction("($module, /)")]
    fn dllist() -> PyResult {
        unsafe extern "C" fn note(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
            // SAFETY: the loader gives a name, we gave a vector.
            unsafe {
                let names = &mut *data.cast::<Vec<Vec<u8>>>();
                names.push(CStr::from_ptr((*info).dlpi_name).to_bytes().to_vec());
            }
            0
        }
        let mut names: Vec<Vec<u8>> = Vec::new();
        // SAFETY: the callback takes what is given here.
        unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut names).cast()) };
        let mut list = Vec::new();
        for name in names {
            list.push(crate::posixmodule::path::fs_decode(&name)?.into_object());
        }
        Ok(PyListObject::from_vec(list).into_object())
    }
    /// Return buffer interface information
    #[pyfunction("($module, o, /)")]
    fn buffer_info(o: &PyObject) -> PyResult {
        let info = match info_of_object(o) {
            Some(info) => info,
            None if CData::of(o).is_some() => instance_info(o)?,
            None => return Err(raise!(TypeError, "not a ctypes type or object")),
        };
        let shape = info.shape.borrow();
        let sizes = shape.iter().map(|size| PyLongObject::from_isize(*size).into_object()).collect();
        Ok(PyTupleObject::from_vec(vec![
            PyUnicodeObject::from_string(info.format_text()).into_object(),
            PyLongObject::from_usize(shape.len()).into_object(),
            PyTupleObject::from_vec(sizes).into_object(),
        ])
        .into_object())
    }
    #[pyfunction("($module, typ, state, /)")]
    fn _unpickle(typ: &PyObject, state: &PyTupleObject) -> PyResult {
        let made = typ.call_method(identifier!("__new__"), &[typ])?;
        made.call_method(identifier!("__setstate__"), state.as_slice())?;
        Ok(made)
    }
    fn call_at(address: usize, args: &PyTupleObject, flags: u32) -> PyResult {
        let signature = call::Signature { flags, converters: None, restype: None, checker: None };
        call::call(address as *mut c_void, args.as_slice(), &signature)
    }
    #[pyfunction("($module, address, arguments, /)")]
    fn call_function(address: usize, arguments: &PyTupleObject) -> PyResult {
        call_at(address, arguments, 0)
    }
    #[pyfunction("($module, address, arguments, /)")]
    fn call_cdeclfunction(address: usize, arguments: &PyTupleObject) -> PyResult {
        call_at(address, arguments, info::FUNCFLAG_CDECL)
    }
    #[pyfunction("($module, address, /)")]
    fn PyObj_FromPtr(address: usize) -> PyResult {
        let number = PyLongObject::from_usize(address);
        adder_runtime::hooks::audit("ctypes.PyObj_FromPtr", &[number.as_object()])?;
        // SAFETY: the caller vouches for the address.
        Ok(unsafe { Ref::from_borrowed(address as *mut PyObject) })
    }
    #[pyfunction("($module, object, /)")]
    fn Py_INCREF(object: &PyObject) -> Ref {
        object.incref();
        object.to_ref()
    }
    #[pyfunction("($module, object, /)")]
    fn Py_DECREF(object: &PyObject) -> Ref {
        let kept = object.to_ref();
        // SAFETY: the caller says that there is a count to give up.
        drop(unsafe { Ref::from_owned(object.as_ptr()) });
        kept
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let address = |name: &str, address: usize| {
            adder_runtime::module::add_object(module, name, PyLongObject::from_usize(address).into_object())
        };
        address("_memmove_addr", libc::memmove as *const () as usize)?;
        address("_memset_addr", libc::memset as *const () as usize)?;
        address("_string_at_addr", string_at as *const () as usize)?;
        address("_wstring_at_addr", wstring_at as *const () as usize)?;
        address("_cast_addr", super::cast as *const () as usize)?;
        address("_memoryview_at_addr", memoryview_at as *const () as usize)?;
        adder_runtime::module::add_object(module, "ArgumentError", argument_error_class()?)
    }
}
