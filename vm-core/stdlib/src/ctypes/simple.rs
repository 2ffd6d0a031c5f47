//! Simple types: the C form of Python values by type code, and `_SimpleCData`.

use super::call;
use super::cdata::{CData, CDATA_TYPE, is_plain_simple, keep_reference, new_instance};
use super::info::*;
use super::longdouble;
use adder_runtime::objects::complexobject::as_parts;
use adder_runtime::prelude::*;
use libffi_sys as ffi;

/// The codes of simple types.
pub const CODES: &str = "cbBhHiIlLdDFGfuzZqQPOv?g";

pub fn ffi_type_of(code: u8) -> Option<ffi::ffi_type> {
    use ffi::*;
    Some(copy_of(match code {
        b'c' | b'b' => &raw const ffi_type_sint8,
        b'B' | b'?' => &raw const ffi_type_uint8,
        b'h' | b'v' => &raw const ffi_type_sint16,
        b'H' => &raw const ffi_type_uint16,
        b'i' | b'u' => &raw const ffi_type_sint32,
        b'I' => &raw const ffi_type_uint32,
        b'l' | b'q' => &raw const ffi_type_sint64,
        b'L' | b'Q' => &raw const ffi_type_uint64,
        b'f' => &raw const ffi_type_float,
        b'd' => &raw const ffi_type_double,
        b'g' => &raw const ffi_type_longdouble,
        b'F' => &raw const ffi_type_complex_float,
        b'D' => &raw const ffi_type_complex_double,
        b'G' => &raw const ffi_type_complex_longdouble,
        b'z' | b'Z' | b'P' | b'O' => &raw const ffi_type_pointer,
        _ => return None,
    }))
}

pub fn has_swapped(code: u8) -> bool {
    b"bBhHiIlLqQdfFD?".contains(&code)
}

/// The buffer protocol's format of a code.
pub fn format_of(code: u8, swapped: bool) -> String {
    let order = if swapped == cfg!(target_endian = "little") { '>' } else { '<' };
    let letter = match code {
        b'l' => 'q',
        b'L' => 'Q',
        other => other as char,
    };
    format!("{order}{letter}")
}

/// # Safety
/// `place` has N bytes.
unsafe fn load<const N: usize>(place: *const u8, swapped: bool) -> [u8; N] {
    // SAFETY: the caller's contract.
    let mut bytes = unsafe { place.cast::<[u8; N]>().read_unaligned() };
    if swapped {
        bytes.reverse();
    }
    bytes
}

/// # Safety
/// `place` has N bytes.
unsafe fn keep<const N: usize>(place: *mut u8, mut bytes: [u8; N], swapped: bool) {
    if swapped {
        bytes.reverse();
    }
    // SAFETY: the caller's contract.
    unsafe { place.cast::<[u8; N]>().write_unaligned(bytes) }
}

/// Reads the C value at a place. `size` counts for arrays of characters.
pub fn read(code: u8, swapped: bool, place: *mut u8, size: usize) -> PyResult {
    // SAFETY: the place has the room of the code's type, as its owner says; strings end with a zero.
    unsafe {
        Ok(match code {
            b'c' => PyBytesObject::from_slice(&[*place]).into_object(),
            b'b' => PyLongObject::from_i64((*place as i8).into()).into_object(),
            b'B' => PyLongObject::from_i64((*place).into()).into_object(),
            b'?' => py_bool(*place != 0),
            b'v' => py_bool(load::<2>(place, false) != [0, 0]),
            b'h' => PyLongObject::from_i64(i16::from_ne_bytes(load(place, swapped)).into()).into_object(),
            b'H' => PyLongObject::from_i64(u16::from_ne_bytes(load(place, swapped)).into()).into_object(),
            b'i' => PyLongObject::from_i64(i32::from_ne_bytes(load(place, swapped)).into()).into_object(),
            b'I' => PyLongObject::from_i64(u32::from_ne_bytes(load(place, swapped)).into()).into_object(),
            b'l' | b'q' => PyLongObject::from_i64(i64::from_ne_bytes(load(place, swapped))).into_object(),
            b'L' | b'Q' => PyLongObject::from_u64(u64::from_ne_bytes(load(place, swapped))).into_object(),
            b'f' => PyFloatObject::from_f64(f32::from_ne_bytes(load(place, swapped)).into()).into_object(),
            b'd' => PyFloatObject::from_f64(f64::from_ne_bytes(load(place, swapped))).into_object(),
            b'g' => PyFloatObject::from_f64(longdouble::to_f64(load(place, false))).into_object(),
            b'F' => PyComplexObject::from_parts(
                f32::from_ne_bytes(load(place, swapped)).into(),
                f32::from_ne_bytes(load(place.add(4), swapped)).into(),
            )
            .into_object(),
            b'D' => PyComplexObject::from_parts(
                f64::from_ne_bytes(load(place, swapped)),
                f64::from_ne_bytes(load(place.add(8), swapped)),
            )
            .into_object(),
            b'G' => PyComplexObject::from_parts(
                longdouble::to_f64(load(place, false)),
                longdouble::to_f64(load(place.add(16), false)),
            )
            .into_object(),
            b'u' => wide_text(place.cast(), 1)?,
            b'z' => match place.cast::<*const c_char>().read_unaligned() {
                text if text.is_null() => none().to_ref(),
                text => PyBytesObject::from_slice(std::ffi::CStr::from_ptr(text).to_bytes()).into_object(),
            },
            b'Z' => match place.cast::<*const u32>().read_unaligned() {
                text if text.is_null() => none().to_ref(),
                text => wide_text(text, wide_len(text))?,
            },
            b'P' => match place.cast::<usize>().read_unaligned() {
                0 => none().to_ref(),
                address => PyLongObject::from_usize(address).into_object(),
            },
            b'O' => match place.cast::<*mut PyObject>().read_unaligned() {
                object if object.is_null() => return Err(raise!(ValueError, "PyObject is NULL")),
                object => Ref::from_borrowed(object),
            },
            b's' => {
                let bytes = std::slice::from_raw_parts(place, size);
                let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(size);
                PyBytesObject::from_slice(&bytes[..len]).into_object()
            }
            b'U' => {
                let most = size / 4;
                let text = place.cast::<u32>();
                let len = (0..most).position(|at| text.add(at).read_unaligned() == 0).unwrap_or(most);
                wide_text(text, len)?
            }
            _ => return Err(raise!(SystemError, "no such C type code: {}", code as char)),
        })
    }
}

/// # Safety
/// A zero ends the text.
pub unsafe fn wide_len(text: *const u32) -> usize {
    let mut len = 0;
    // SAFETY: the caller's contract.
    while unsafe { text.add(len).read_unaligned() } != 0 {
        len += 1;
    }
    len
}

/// # Safety
/// `text` has `len` characters.
pub unsafe fn wide_text(text: *const u32, len: usize) -> PyResult {
    // SAFETY: the caller's contract.
    let codes: Vec<u32> = (0..len).map(|at| unsafe { text.add(at).read_unaligned() }).collect();
    if let Some(bad) = codes.iter().find(|code| **code > 0x10ffff) {
        return Err(raise!(ValueError, "character U+{bad:x} is not in range [U+0000; U+10ffff]"));
    }
    Ok(PyUnicodeObject::from_code_points(&codes).into_object())
}

/// A text as C's wide characters with a zero at the end, in a bytes object that keeps them.
pub fn wide_bytes(text: &PyUnicodeObject) -> Ref<PyBytesObject> {
    let bytes: Vec<u8> = text.code_points().chain([0]).flat_map(u32::to_ne_bytes).collect();
    PyBytesObject::from_slice(&bytes)
}

fn integer(value: &PyObject) -> PyResult<u64> {
    Ok(value.index()?.as_u64_mask())
}

fn character(value: &PyObject) -> PyResult<u8> {
    if let Some(bytes) = value.as_object().downcast::<PyBytesObject>().map(|bytes| bytes.as_bytes()).or_else(|| value.as_object().downcast::<PyByteArrayObject>().map(|bytes| bytes.as_bytes())) {
        if let [byte] = bytes {
            return Ok(*byte);
        }
        return Err(raise!(
            TypeError,
            "one character bytes, bytearray, or an integer in range(256) expected, not {} of length {}",
            if value.as_object().downcast::<PyBytesObject>().is_some() { "bytes" } else { "bytearray" },
            bytes.len()
        ));
    }
    if let Some(number) = value.as_object().downcast::<PyLongObject>() {
        return match number.to_i64().and_then(|number| u8::try_from(number).ok()) {
            Some(byte) => Ok(byte),
            None => Err(raise!(TypeError, "integer not in range(256)")),
        };
    }
    Err(raise!(
        TypeError,
        "one character bytes, bytearray, or an integer in range(256) expected, not {}",
        value.ty().full_name()
    ))
}

/// Writes a Python value as C; gives what must live as long as the C value, or None.
pub fn write(code: u8, swapped: bool, place: *mut u8, value: &PyObject, size: usize) -> PyResult {
    let pointer = |address: usize| {
        // SAFETY: the place has a pointer's room.
        unsafe { place.cast::<usize>().write_unaligned(address) }
    };
    // SAFETY: the place has the room of the code's type, as its owner says.
    unsafe {
        match code {
            b'c' => *place = character(value)?,
            b'b' | b'B' => *place = integer(value)? as u8,
            b'?' => *place = value.is_true()?.into(),
            b'v' => keep(place, (if value.is_true()? { -1i16 } else { 0 }).to_ne_bytes(), false),
            b'h' | b'H' => keep(place, (integer(value)? as u16).to_ne_bytes(), swapped),
            b'i' | b'I' => keep(place, (integer(value)? as u32).to_ne_bytes(), swapped),
            b'l' | b'q' | b'L' | b'Q' => keep(place, integer(value)?.to_ne_bytes(), swapped),
            b'f' => {
                let number = value.to_f64()?;
                let narrow = number as f32;
                if narrow.is_infinite() && number.is_finite() {
                    return Err(raise!(OverflowError, "float too large to pack with f format"));
                }
                keep(place, narrow.to_ne_bytes(), swapped);
            }
            b'd' => keep(place, value.to_f64()?.to_ne_bytes(), swapped),
            b'g' => keep(place, longdouble::from_f64(value.to_f64()?), false),
            b'F' => {
                let parts = as_parts(value)?;
                keep(place, (parts.0 as f32).to_ne_bytes(), swapped);
                keep(place.add(4), (parts.1 as f32).to_ne_bytes(), swapped);
            }
            b'D' => {
                let parts = as_parts(value)?;
                keep(place, parts.0.to_ne_bytes(), swapped);
                keep(place.add(8), parts.1.to_ne_bytes(), swapped);
            }
            b'G' => {
                let parts = as_parts(value)?;
                keep(place, longdouble::from_f64(parts.0), false);
                keep(place.add(16), longdouble::from_f64(parts.1), false);
            }
            b'u' => {
                let Some(text) = value.as_object().downcast::<PyUnicodeObject>() else {
                    return Err(raise!(TypeError, "a unicode character expected, not instance of {}", value.ty().name()));
                };
                if text.len() != 1 {
                    return Err(raise!(TypeError, "a unicode character expected, not a string of length {}", text.len()));
                }
                keep(place, text.char_at(0).to_ne_bytes(), false);
            }
            b'z' => {
                if is_none(value) {
                    pointer(0);
                } else if let Some(bytes) = value.as_object().downcast::<PyBytesObject>() {
                    pointer(bytes.as_bytes().as_ptr() as usize);
                    return Ok(value.to_ref());
                } else if let Some(address) = value.as_object().downcast::<PyLongObject>() {
                    pointer(address.as_u64_mask() as usize);
                } else {
                    return Err(raise!(
                        TypeError,
                        "bytes or integer address expected instead of {} instance",
                        value.ty().name()
                    ));
                }
            }
            b'Z' => {
                if is_none(value) {
                    pointer(0);
                } else if let Some(text) = value.as_object().downcast::<PyUnicodeObject>() {
                    let wide = wide_bytes(text);
                    pointer(wide.as_bytes().as_ptr() as usize);
                    return Ok(wide.into_object());
                } else if let Some(address) = value.as_object().downcast::<PyLongObject>() {
                    pointer(address.as_u64_mask() as usize);
                } else {
                    return Err(raise!(
                        TypeError,
                        "unicode string or integer address expected instead of {} instance",
                        value.ty().name()
                    ));
                }
            }
            b'P' => {
                if is_none(value) {
                    pointer(0);
                } else if let Some(address) = value.as_object().downcast::<PyLongObject>() {
                    pointer(address.as_u64_mask() as usize);
                } else {
                    return Err(raise!(TypeError, "cannot be converted to pointer"));
                }
            }
            b'O' => {
                pointer(value.as_ptr() as usize);
                return Ok(value.to_ref());
            }
            b's' => {
                let Some(bytes) = value.as_object().downcast::<PyBytesObject>() else {
                    return Err(raise!(TypeError, "expected bytes, {} found", value.ty().full_name()));
                };
                let bytes = bytes.as_bytes();
                if bytes.len() > size {
                    return Err(raise!(ValueError, "bytes too long ({}, maximum length {size})", bytes.len()));
                }
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
                if bytes.len() < size {
                    *place.add(bytes.len()) = 0;
                }
            }
            b'U' => {
                let Some(text) = value.as_object().downcast::<PyUnicodeObject>() else {
                    return Err(raise!(
                        TypeError,
                        "unicode string expected instead of {} instance",
                        value.ty().name()
                    ));
                };
                let most = size / 4;
                if text.len() > most {
                    return Err(raise!(ValueError, "string too long ({}, maximum length {most})", text.len()));
                }
                for (at, code) in text.code_points().chain([0]).take(most).enumerate() {
                    keep(place.add(4 * at), code.to_ne_bytes(), false);
                }
            }
            _ => return Err(raise!(SystemError, "no such C type code: {}", code as char)),
        }
    }
    Ok(none().to_ref())
}

/// What a simple type takes as a parameter: its instances, values that it can hold, and what `_as_parameter_` gives.
pub fn from_param(class: &PyTypeObject, value: &PyObject) -> PyResult {
    if value.is_instance(class.as_object())? {
        return Ok(value.to_ref());
    }
    let info = info_of(class).ok_or_else(abstract_class)?;
    let param = call::CParam::new(info.code.get(), info.ffi());
    let place = param.value.get().cast::<u8>();
    match write(info.code.get(), info.swapped.get(), place, value, 0) {
        Ok(kept) => {
            param.object.set(Some(kept));
            Ok(param.into_object())
        }
        Err(raised) => {
            let original = raised.take();
            match value.get_attr_opt(identifier!("_as_parameter_"))? {
                Some(inner) => {
                    adder_runtime::protocol::enter_native_call(" while processing _as_parameter_")?;
                    class.as_object().call_method(identifier!("from_param"), &[&inner])
                }
                None => Err(adder_runtime::error::restore(original)),
            }
        }
    }
}

/// Pointers to text and to anything take more kinds of arguments than their setters do.
fn pointer_from_param(class: &PyTypeObject, value: &PyObject) -> PyResult {
    if is_none(value) {
        return Ok(none().to_ref());
    }
    let info = info_of(class).ok_or_else(abstract_class)?;
    let code = info.code.get();
    let made = |tag: u8, address: usize, object: Option<Ref>| {
        let param = call::CParam::new(tag, info.ffi());
        // SAFETY: a parameter's value has a pointer's room.
        unsafe { param.value.get().cast::<usize>().write(address) };
        param.object.set(object);
        Ok(param.into_object())
    };
    if code != b'Z'
        && let Some(bytes) = value.as_object().downcast::<PyBytesObject>()
    {
        return made(b'z', bytes.as_bytes().as_ptr() as usize, Some(value.to_ref()));
    }
    if code != b'z'
        && let Some(text) = value.as_object().downcast::<PyUnicodeObject>()
    {
        let wide = wide_bytes(text);
        let address = wide.as_bytes().as_ptr() as usize;
        return made(b'Z', address, Some(wide.into_object()));
    }
    if code == b'P'
        && let Some(address) = value.as_object().downcast::<PyLongObject>()
    {
        return made(b'P', address.as_u64_mask() as usize, Some(none().to_ref()));
    }
    if value.is_instance(class.as_object())? {
        return Ok(value.to_ref());
    }
    let own_code = |object: &PyObject| {
        info_of(object.ty()).filter(|info| info.kind == Kind::Simple).map(|info| info.code.get())
    };
    if let Some(data) = CData::of(value)
        && let Some(theirs) = info_of(value.ty())
    {
        let item_code = theirs.proto.borrow().and_then(info_of_object).map(|item| item.code.get());
        match (code, theirs.kind) {
            // A pointer to, or an array of, the characters.
            (b'z' | b'Z', Kind::Array | Kind::Pointer)
                if item_code == Some(if code == b'z' { b'c' } else { b'u' }) =>
            {
                return Ok(value.to_ref());
            }
            (b'P', Kind::Array | Kind::Pointer) => return Ok(value.to_ref()),
            (b'P', Kind::Function) => {
                let address = data.pointer() as usize;
                return made(b'P', address, Some(value.to_ref()));
            }
            (b'P', Kind::Simple) if matches!(own_code(value), Some(b'z' | b'Z')) => {
                let address = data.pointer() as usize;
                return made(b'Z', address, Some(value.to_ref()));
            }
            _ => {}
        }
    }
    if let Some(param) = value.as_object().downcast::<call::CParam>() {
        if code == b'P' && param.tag.get() == b'P' {
            return Ok(value.to_ref());
        }
        // byref(character)
        if let Some(object) = param.object.borrow()
            && own_code(object) == Some(if code == b'z' { b'c' } else { b'u' })
        {
            return Ok(value.to_ref());
        }
    }
    if let Some(inner) = value.get_attr_opt(identifier!("_as_parameter_"))? {
        adder_runtime::protocol::enter_native_call(" while processing _as_parameter_")?;
        return pointer_from_param(class, &inner);
    }
    Err(raise!(
        TypeError,
        "'{}' object cannot be interpreted as ctypes.{}",
        value.ty().full_name(),
        match code {
            b'z' => "c_char_p",
            b'Z' => "c_wchar_p",
            _ => "c_void_p",
        }
    ))
}

struct PointerParam;
/// The class method `from_param` of `c_char_p`, `c_wchar_p` and `c_void_p`.
#[pymethods(part = POINTER_PARAM)]
impl PointerParam {
    /// Convert a Python object into a function call parameter.
    #[classmethod("($type, value, /)", name = "from_param")]
    fn pointer_param(cls: &PyTypeObject, value: &PyObject) -> PyResult {
        pointer_from_param(cls, value)
    }
}

/// Gives a class of pointers its own `from_param`.
pub fn add_from_param(class: &PyTypeObject, code: u8) -> PyResult<()> {
    if !b"zZP".contains(&code) {
        return Ok(());
    }
    let descriptor = adder_runtime::objects::descrobject::new_class_method(class, &POINTER_PARAM_METHODS[0])?;
    class.as_object().set_attr(identifier!("from_param"), &descriptor)
}

struct SimpleCData;
#[pytype(
    name = "_ctypes._SimpleCData",
    static_name = SIMPLE_TYPE,
    base = CDATA_TYPE,
    metatype = super::metatypes::SIMPLE_META,
    basicsize = size_of::<CData>() as isize,
    flags = BASETYPE,
    typed = false,
    dealloc = inherit,
    doc = "XXX to be provided",
)]
impl SimpleCData {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        new_instance(cls)
    }
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<()> {
        match args.as_slice() {
            [] => Ok(()),
            [value] => set_instance(this, value),
            many => Err(raise!(
                TypeError,
                "__init__ expected at most 1 argument, got {}",
                many.len()
            )),
        }
    }
    #[slot]
    fn nb_bool(this: &PyObject) -> PyResult<bool> {
        Ok(data_of(this)?.bytes().iter().any(|byte| *byte != 0))
    }
    #[slot]
    fn tp_repr(this: &PyObject) -> PyResult {
        let class = this.ty();
        if !class.base().is_some_and(|base| std::ptr::eq(base, &SIMPLE_TYPE)) {
            let text = format!("<{} object at {:#x}>", class.fully_qualified_name(), this.as_ptr() as usize);
            return Ok(PyUnicodeObject::from_string(text).into_object());
        }
        let value = get_instance(this)?.repr()?;
        let mut text = PyUnicodeObject::from_string(format!("{}(", class.short_name()));
        text = text.concat(&value)?;
        Ok(text.concat(&PyUnicodeObject::from_str(")"))?.into_object())
    }
    /// current value
    #[getter]
    fn value(this: &PyObject) -> PyResult {
        get_instance(this)
    }
    #[setter(name = "value")]
    fn set_value(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => set_instance(this, value),
            None => Err(raise!(TypeError, "can't delete attribute")),
        }
    }
    /// Helper for the results of functions with output parameters.
    #[method("($self, /)", name = "__ctypes_from_outparam__")]
    fn from_outparam(this: &PyObject) -> PyResult {
        match is_plain_simple(this.ty()) {
            true => get_instance(this),
            false => Ok(this.to_ref()),
        }
    }
}

fn data_of(this: &PyObject) -> PyResult<&CData> {
    CData::of(this).ok_or_else(|| raise!(TypeError, "not a ctype instance"))
}

fn get_instance(this: &PyObject) -> PyResult {
    let (data, info) = (data_of(this)?, instance_info(this)?);
    read(info.code.get(), info.swapped.get(), data.ptr.get(), data.size.get())
}

fn set_instance(this: &PyObject, value: &PyObject) -> PyResult<()> {
    let (data, info) = (data_of(this)?, instance_info(this)?);
    let kept = write(info.code.get(), info.swapped.get(), data.ptr.get(), value, info.size.get())?;
    keep_reference(data, 0, &kept)
}
