//! Calls of C functions: Python arguments -> libffi -> a Python result.

use super::cdata::{CData, from_base, is_plain_simple};
use super::info::*;
use super::simple;
use adder_runtime::prelude::*;
use adder_runtime::thread;
use libffi_sys as ffi;
use std::cell::{Cell, UnsafeCell};
use std::ffi::{CStr, CString};

/// The most arguments of a call.
pub const MAX_ARGUMENTS: usize = 1024;

thread_local! {
    /// `ctypes.get_errno()`: this thread's copy of C's errno.
    static ERRNO: Cell<c_int> = const { Cell::new(0) };
}

pub fn swap_errno_copy(value: c_int) -> c_int {
    ERRNO.replace(value)
}

pub fn errno_copy() -> c_int {
    ERRNO.get()
}

/// Exchanges C's errno with the copy, around calls that ask for it.
pub fn swap_errno() {
    // SAFETY: the C library's thread-local.
    unsafe {
        let place = libc::__errno_location();
        *place = ERRNO.replace(*place);
    }
}

/// The address of a symbol, or what the loader says.
pub fn symbol(handle: usize, name: &str) -> Result<*mut c_void, String> {
    let Ok(name) = CString::new(name) else {
        return Err("embedded null character".to_string());
    };
    // SAFETY: plain calls of the loader; the caller vouches for the handle.
    unsafe {
        libc::dlerror();
        let address = libc::dlsym(handle as *mut c_void, name.as_ptr());
        let message = libc::dlerror();
        if !message.is_null() {
            return Err(CStr::from_ptr(message).to_string_lossy().into_owned());
        }
        if address.is_null() {
            return Err(format!("symbol '{}' not found", name.to_string_lossy()));
        }
        Ok(address)
    }
}

/// A parameter that is ready for C: what `byref` and `from_param` make.
#[repr(C)]
pub struct CParam {
    ob_base: PyObject,
    pub object: ObjectCell,
    pub tag: Cell<u8>,
    ffi: Cell<*mut ffi::ffi_type>,
    /// An aggregate's bytes are elsewhere.
    pub elsewhere: Cell<*mut u8>,
    pub value: UnsafeCell<[u64; 4]>,
}

impl CParam {
    pub fn new(tag: u8, ffi: *mut ffi::ffi_type) -> Ref<CParam> {
        let made = CPARAM_TYPE.alloc_instance(0).expect("memory for a parameter");
        let Ok(param) = made.downcast::<CParam>() else { unreachable!("allocated as one") };
        param.tag.set(tag);
        param.ffi.set(ffi);
        param
    }
}

#[pytype(name = "_ctypes.CArgObject", static_name = CPARAM_TYPE, flags = HAVE_GC)]
impl CParam {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.object.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.object.set(None);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let tag = self.tag.get();
        let place = self.value.get().cast::<u8>();
        let text = match tag {
            b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'l' | b'L' | b'q' | b'Q' | b'f' | b'd' => {
                simple::read(tag, false, place, 0)?.repr()?.to_string_lossy()
            }
            b'c' => {
                let byte = simple::read(tag, false, place, 0)?.repr()?.to_string_lossy();
                byte.trim_start_matches('b').to_string()
            }
            b'z' | b'Z' | b'P' => {
                // SAFETY: a parameter's value has a pointer's room.
                format!("{:#x}", unsafe { place.cast::<usize>().read() })
            }
            _ => return Ok(format!("<cparam '{}' at {:#x}>", tag as char, self as *const CParam as usize)),
        };
        Ok(format!("<cparam '{}' ({text})>", tag as char))
    }
    /// the wrapped object
    #[getter]
    fn _obj(&self) -> Option<Ref> {
        self.object.get()
    }
}

/// A pointer to an instance's memory as a parameter.
pub fn byref(object: &PyObject, offset: isize) -> PyResult {
    let Some(data) = CData::of(object) else {
        return Err(raise!(TypeError, "byref() argument 1 must be _ctypes._CData, not {}", object.ty().name()));
    };
    let param = CParam::new(b'P', &raw mut ffi::ffi_type_pointer);
    // SAFETY: a parameter's value has a pointer's room.
    unsafe { param.value.get().cast::<*mut u8>().write(data.ptr.get().wrapping_offset(offset)) };
    param.object.set(Some(object.to_ref()));
    Ok(param.into_object())
}

/// `exception: message` of what is in flight as a new exception with a prefix.
pub fn extend_error(raised: Raised, class: &PyTypeObject, prefix: &str) -> Raised {
    let original = raised.take();
    let text = original.str().map(|text| text.to_string_lossy()).unwrap_or_else(|raised| {
        raised.clear();
        "???".to_string()
    });
    let message = PyUnicodeObject::from_string(format!("{prefix}{}: {text}", original.ty().short_name()));
    adder_runtime::error::set_object(class.as_object(), Some(message.as_object()))
}

/// One argument as libffi takes it, with what must live until the call is over.
pub struct Argument {
    ffi: *mut ffi::ffi_type,
    value: [u64; 4],
    /// Where the value is when it is not here.
    place: *mut c_void,
    _keep: Option<Ref>,
}

impl Argument {
    fn pointer(address: usize, keep: Option<Ref>) -> Argument {
        let value = [address as u64, 0, 0, 0];
        Argument { ffi: &raw mut ffi::ffi_type_pointer, value, place: std::ptr::null_mut(), _keep: keep }
    }
}

/// A Python object without a declared type, or what `from_param` made, as an argument.
fn convert(object: &PyObject, number: usize) -> PyResult<Argument> {
    if let Some(data) = CData::of(object) {
        let info = instance_info(object)?;
        let mut argument = Argument::pointer(0, Some(object.to_ref()));
        argument.ffi = info.ffi();
        match info.kind {
            Kind::Array => argument.value[0] = data.ptr.get() as u64,
            Kind::Struct | Kind::Union => {
                // A copy: the callee may write to it.
                let copy = PyBytesObject::from_slice(data.bytes());
                argument.place = copy.as_bytes().as_ptr() as *mut c_void;
                argument._keep = Some(copy.into_object());
            }
            // SAFETY: the instance has its type's size, and all these types fit the value.
            _ => unsafe {
                let n_bytes = info.size.get().min(size_of::<[u64; 4]>());
                std::ptr::copy_nonoverlapping(data.ptr.get(), argument.value.as_mut_ptr().cast(), n_bytes);
            },
        }
        return Ok(argument);
    }
    if let Some(param) = object.as_object().downcast::<CParam>() {
        // SAFETY: nobody writes to the value meanwhile.
        let value = unsafe { *param.value.get() };
        let place = param.elsewhere.get().cast();
        return Ok(Argument { ffi: param.ffi.get(), value, place, _keep: Some(object.to_ref()) });
    }
    if is_none(object) {
        return Ok(Argument::pointer(0, None));
    }
    if let Some(number) = object.as_object().downcast::<PyLongObject>() {
        let Some(value) = number.to_i64().filter(|value| i32::try_from(*value).is_ok() || u32::try_from(*value).is_ok()) else {
            return match number.to_i128().filter(|value| *value >= i64::MIN.into() && *value <= u64::MAX.into()) {
                Some(value) => {
                    let mut argument = Argument::pointer(0, None);
                    argument.ffi = &raw mut ffi::ffi_type_sint32;
                    argument.value[0] = value as i32 as u64;
                    Ok(argument)
                }
                None => Err(raise!(OverflowError, "int too long to convert")),
            };
        };
        let mut argument = Argument::pointer(0, None);
        argument.ffi = &raw mut ffi::ffi_type_sint32;
        argument.value[0] = value as u64;
        return Ok(argument);
    }
    if let Some(bytes) = object.as_object().downcast::<PyBytesObject>() {
        return Ok(Argument::pointer(bytes.as_bytes().as_ptr() as usize, Some(object.to_ref())));
    }
    if let Some(text) = object.as_object().downcast::<PyUnicodeObject>() {
        let wide = simple::wide_bytes(text);
        return Ok(Argument::pointer(wide.as_bytes().as_ptr() as usize, Some(wide.into_object())));
    }
    if let Some(inner) = object.get_attr_opt(identifier!("_as_parameter_"))? {
        adder_runtime::protocol::enter_native_call(" while processing _as_parameter_")?;
        return convert(&inner, number);
    }
    Err(raise!(TypeError, "Don't know how to convert parameter {number}"))
}

/// What a function's result becomes.
fn result_of(restype: Option<&PyObject>, checker: Option<&PyObject>, result: *mut u8) -> PyResult {
    // SAFETY: libffi wrote a result of the type at the place, at least a word.
    let as_int = || PyLongObject::from_i64(unsafe { result.cast::<c_int>().read() }.into()).into_object();
    let Some(restype) = restype else { return Ok(as_int()) };
    if is_none(restype) {
        return Ok(none().to_ref());
    }
    let Some(info) = info_of_object(restype) else {
        return restype.call1(&as_int());
    };
    let class = restype.downcast_type().expect("it has an info");
    let value = if info.kind == Kind::Simple && is_plain_simple(class) {
        let value = simple::read(info.code.get(), info.swapped.get(), result, info.size.get())?;
        if info.code.get() == b'O' {
            // The function gave a count with it.
            drop(unsafe_owned(&value));
        }
        value
    } else {
        from_base(class, None, 0, result)?
    };
    match checker {
        Some(checker) => checker.call1(&value),
        None => Ok(value),
    }
}

/// A second count that the C function gave.
fn unsafe_owned(object: &PyObject) -> Ref {
    // SAFETY: the caller has two counts of the object, this one among them.
    unsafe { Ref::from_owned(object.as_ptr()) }
}

/// What a function is called with besides its arguments.
pub struct Signature<'a> {
    pub flags: u32,
    pub converters: Option<&'a PyTupleObject>,
    pub restype: Option<&'a PyObject>,
    pub checker: Option<&'a PyObject>,
}

pub fn call(function: *mut c_void, args: &[&PyObject], signature: &Signature<'_>) -> PyResult {
    if args.len() > MAX_ARGUMENTS {
        return Err(super::argument_error(&format!(
            "too many arguments ({}), maximum is {MAX_ARGUMENTS}",
            args.len()
        )));
    }
    let converters = signature.converters.map_or(&[][..], PyTupleObject::as_slice);
    let mut arguments = Vec::with_capacity(args.len());
    for (at, arg) in args.iter().enumerate() {
        let converted = match converters.get(at) {
            Some(converter) => converter.call1(arg).and_then(|value| convert(&value, at + 1)),
            None => convert(arg, at + 1),
        };
        match converted {
            Ok(argument) => arguments.push(argument),
            Err(raised) => {
                let class = super::argument_error_class()?;
                let class = class.downcast_type().expect("an exception class");
                return Err(extend_error(raised, class, &format!("argument {}: ", at + 1)));
            }
        }
    }
    let result_type = match signature.restype {
        None => &raw mut ffi::ffi_type_sint32,
        Some(restype) if is_none(restype) => &raw mut ffi::ffi_type_void,
        Some(restype) => info_of_object(restype).map_or(&raw mut ffi::ffi_type_sint32, TypeInfo::ffi),
    };
    let mut types: Vec<*mut ffi::ffi_type> = arguments.iter().map(|argument| argument.ffi).collect();
    let mut places: Vec<*mut c_void> = arguments
        .iter_mut()
        .map(|argument| if argument.place.is_null() { argument.value.as_mut_ptr().cast() } else { argument.place })
        .collect();
    // SAFETY: the types describe the values; the result has the room of its type and of a word.
    let mut result = unsafe {
        let mut cif = std::mem::zeroed::<ffi::ffi_cif>();
        let n_fixed = converters.len();
        let status = if n_fixed != 0 && args.len() > n_fixed {
            ffi::ffi_prep_cif_var(
                &mut cif,
                ffi::ffi_abi_FFI_DEFAULT_ABI,
                n_fixed as u32,
                args.len() as u32,
                result_type,
                types.as_mut_ptr(),
            )
        } else {
            ffi::ffi_prep_cif(&mut cif, ffi::ffi_abi_FFI_DEFAULT_ABI, args.len() as u32, result_type, types.as_mut_ptr())
        };
        if status != ffi::ffi_status_FFI_OK {
            return Err(raise!(RuntimeError, "ffi_prep_cif failed with code {status}"));
        }
        let n_words = (*result_type).size.div_ceil(8).max(4);
        let mut result = vec![0u64; n_words];
        let function: unsafe extern "C" fn() = std::mem::transmute(function);
        let mut run = || {
            if signature.flags & FUNCFLAG_USE_ERRNO != 0 {
                swap_errno();
            }
            ffi::ffi_call(&mut cif, Some(function), result.as_mut_ptr().cast(), places.as_mut_ptr());
            if signature.flags & FUNCFLAG_USE_ERRNO != 0 {
                swap_errno();
            }
        };
        if signature.flags & FUNCFLAG_PYTHONAPI != 0 {
            run();
        } else {
            thread::allow_threads(run);
        }
        result
    };
    if signature.flags & FUNCFLAG_PYTHONAPI != 0 && adder_runtime::error::occurred() {
        return Err(Raised::assume());
    }
    result_of(signature.restype, signature.checker, result.as_mut_ptr().cast())
}

/// Checks that a type may be passed by value, when a function's `argtypes` are set.
pub fn check_argument_type(ty: &PyObject, at: usize) -> PyResult<()> {
    let Some(info) = info_of_object(ty) else { return Ok(()) };
    let what = if info.kind == Kind::Array || info.kind == Kind::Pointer {
        return Ok(());
    } else if info.has(TYPEFLAG_HASUNION) {
        "a union"
    } else if info.has(TYPEFLAG_HASBITFIELD) {
        "a struct/union with a bitfield"
    } else {
        return Ok(());
    };
    Err(raise!(
        TypeError,
        "item {at} in _argtypes_ passes {what} by value, which is unsupported."
    ))
}
