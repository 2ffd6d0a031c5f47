//! C calls Python: closures of libffi whose code turns C arguments into Python objects and the result back.

use super::call::swap_errno;
use super::cdata::{CData, is_plain_simple};
use super::info::*;
use super::simple;
use adder_runtime::prelude::*;
use adder_runtime::thread;
use libffi_sys as ffi;

/// A function pointer of C that calls a Python object. It lives as long as the function pointer's instance.
pub struct Callback {
    closure: *mut ffi::ffi_closure,
    pub code: *mut c_void,
    body: Box<Body>,
}

struct Body {
    cif: ffi::ffi_cif,
    types: Vec<*mut ffi::ffi_type>,
    callable: Ref,
    argtypes: Ref<PyTupleObject>,
    restype: Option<Ref>,
    flags: u32,
}

impl Callback {
    pub fn new(callable: &PyObject, argtypes: &PyTupleObject, restype: Option<&PyObject>, flags: u32) -> PyResult<Callback> {
        let mut types = Vec::with_capacity(argtypes.len());
        for ty in argtypes.as_slice() {
            let Some(info) = info_of_object(ty) else {
                return Err(raise!(TypeError, "item {} in _argtypes_ is not a C type", types.len() + 1));
            };
            types.push(info.ffi());
        }
        let restype = restype.filter(|restype| !is_none(restype));
        let result = match restype {
            None => &raw mut ffi::ffi_type_void,
            Some(restype) => match info_of_object(restype) {
                Some(info) if info.kind == Kind::Simple => info.ffi(),
                Some(info) if restype.downcast_type().is_some_and(is_plain_simple) => info.ffi(),
                _ => return Err(raise!(TypeError, "invalid result type for callback function")),
            },
        };
        // SAFETY: plain C structs; libffi is given places that live as long as the closure.
        unsafe {
            let mut body = Box::new(Body {
                cif: std::mem::zeroed(),
                types,
                callable: callable.to_ref(),
                argtypes: argtypes.to_ref(),
                restype: restype.map(PyObject::to_ref),
                flags,
            });
            let n_args = body.types.len() as u32;
            let types = body.types.as_mut_ptr();
            let status = ffi::ffi_prep_cif(&mut body.cif, ffi::ffi_abi_FFI_DEFAULT_ABI, n_args, result, types);
            if status != ffi::ffi_status_FFI_OK {
                return Err(raise!(RuntimeError, "ffi_prep_cif failed with {status}"));
            }
            let mut code = std::ptr::null_mut();
            let closure = ffi::ffi_closure_alloc(size_of::<ffi::ffi_closure>(), &mut code).cast::<ffi::ffi_closure>();
            if closure.is_null() {
                return Err(adder_runtime::memory::no_memory());
            }
            let made = Callback { closure, code, body };
            let data = (&raw const *made.body).cast_mut().cast::<c_void>();
            let cif = (&raw const made.body.cif).cast_mut();
            let status = ffi::ffi_prep_closure_loc(made.closure, cif, Some(enter), data, made.code);
            if status != ffi::ffi_status_FFI_OK {
                return Err(raise!(RuntimeError, "ffi_prep_closure failed with {status}"));
            }
            Ok(made)
        }
    }
    pub fn visit(&self, visitor: &Visitor) -> c_int {
        for object in [Some(&self.body.callable), self.body.restype.as_ref()].into_iter().flatten() {
            let status = visitor.visit(object.as_raw());
            if status != 0 {
                return status;
            }
        }
        visitor.visit(self.body.argtypes.as_raw())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: the closure is ours; C must not call it any more.
        unsafe { ffi::ffi_closure_free(self.closure.cast()) }
    }
}

/// Where C enters.
unsafe extern "C" fn enter(_cif: *mut ffi::ffi_cif, result: *mut c_void, args: *mut *mut c_void, data: *mut c_void) {
    let old = thread::ensure_attached();
    // SAFETY: libffi gives what the closure was prepared with; a panic ends the process rather than unwind into C.
    unsafe {
        let body = &*data.cast::<Body>();
        // The function pointer may go away while its function runs.
        let callable = body.callable.clone();
        if body.flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
        let outcome = arguments(body, args).and_then(|arguments| {
            let borrowed: Vec<&PyObject> = arguments.iter().map(|argument| &**argument).collect();
            callable.call(&borrowed)
        });
        if body.flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
        give_back(body, outcome, result.cast(), &callable);
    }
    thread::release_attached(old);
}

/// # Safety
/// `args` has a place for each argument type.
unsafe fn arguments(body: &Body, args: *mut *mut c_void) -> PyResult<Vec<Ref>> {
    let mut values = Vec::with_capacity(body.argtypes.len());
    for (at, ty) in body.argtypes.as_slice().iter().enumerate() {
        let info = info_of_object(ty).ok_or_else(abstract_class)?;
        let class = ty.downcast_type().expect("it has an info");
        // SAFETY: the caller's contract.
        let place = unsafe { *args.add(at) }.cast::<u8>();
        values.push(if info.kind == Kind::Simple && is_plain_simple(class) {
            simple::read(info.code.get(), info.swapped.get(), place, info.size.get())?
        } else {
            let made = ty.call0()?;
            let data = CData::of(&made).ok_or_else(abstract_class)?;
            // SAFETY: both have the type's size.
            unsafe { std::ptr::copy_nonoverlapping(place, data.ptr.get(), info.size.get()) };
            made
        });
    }
    Ok(values)
}

/// # Safety
/// `place` has the room of the result type, at least a word unless it is void.
unsafe fn give_back(body: &Body, outcome: PyResult, place: *mut u8, callable: &PyObject) {
    let unraisable = |raised: Raised, what: &str| {
        let name = callable.repr().map(|text| text.to_string_lossy()).unwrap_or_else(|raised| {
            raised.clear();
            "?".to_string()
        });
        adder_runtime::error::write_unraisable(raised, Some(&format!("Exception ignored {what} {name}")), None);
    };
    let info = body.restype.as_deref().and_then(info_of_object);
    if let Some(info) = info {
        // SAFETY: libffi widens small results to a word.
        unsafe { std::ptr::write_bytes(place, 0, info.size.get().max(size_of::<ffi::ffi_arg>())) };
    }
    let value = match outcome {
        Ok(value) => value,
        Err(raised) => return unraisable(raised, "while calling ctypes callback function"),
    };
    let Some(info) = info else { return };
    let code = info.code.get();
    match simple::write(code, info.swapped.get(), place, &value, info.size.get()) {
        Err(raised) => unraisable(raised, "while converting result of ctypes callback function"),
        // C gets a count of its own.
        Ok(kept) if code == b'O' => {
            let _ = kept.into_raw();
        }
        Ok(kept) if is_none(&kept) => {
            // Narrow signed results fill the word as C's own do.
            let widened = match code {
                // SAFETY: just written.
                b'b' => Some(unsafe { *place.cast::<i8>() } as i64),
                // SAFETY: as above.
                b'h' => Some(unsafe { *place.cast::<i16>() } as i64),
                // SAFETY: as above.
                b'i' => Some(unsafe { *place.cast::<i32>() } as i64),
                _ => None,
            };
            if let Some(word) = widened.filter(|_| !info.swapped.get()) {
                // SAFETY: the place has a word.
                unsafe { place.cast::<i64>().write_unaligned(word) };
            }
        }
        Ok(kept) => {
            if code == b'z' && kept.is(&value) {
                // The caller's own object lives on where it came from, as far as anybody can tell.
                return;
            }
            let category = adder_runtime::exceptions::exc::RuntimeWarning;
            if let Err(raised) = adder_runtime::hooks::warn(category, "memory leak in callback function.", 1) {
                unraisable(raised, "while converting result of ctypes callback function");
            }
            let _ = kept.into_raw();
        }
    }
}
