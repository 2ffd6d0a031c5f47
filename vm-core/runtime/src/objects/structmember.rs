//! `PyMemberDef` fields: reading and writing C struct members as Python values.

use crate::exceptions::exc;
use crate::prelude::*;
use std::cell::Cell;

unsafe fn place<T>(object: &PyObject, def: &PyMemberDef) -> *mut T {
    let mut offset = def.offset.get();
    if def.flags.get() & Py_RELATIVE_OFFSET != 0 {
        offset += object.ty().tp_basicsize.get();
    }
    // SAFETY: the caller's contract: the member lies in the object.
    unsafe { object.as_ptr().byte_offset(offset).cast() }
}

fn member_name(def: &PyMemberDef) -> String {
    // SAFETY: names in tables are C strings that live as long as the table.
    unsafe { std::ffi::CStr::from_ptr(def.name.get()) }
        .to_string_lossy()
        .into_owned()
}

/// Reads the member.
///
/// # Safety
/// `def` describes `object`'s type.
pub unsafe fn get(object: &PyObject, def: &PyMemberDef) -> PyResult {
    macro_rules! number {
        ($ty:ty, $make:ident) => {
            Ok(PyLongObject::$make(place::<$ty>(object, def).read_unaligned().into()).into_object())
        };
    }
    // SAFETY: the definition says what lies there, here and in the macro.
    unsafe {
        match def.r#type.get() {
            Py_T_BOOL => Ok(py_bool(*place::<u8>(object, def) != 0)),
            Py_T_BYTE => number!(i8, from_i64),
            Py_T_UBYTE => number!(u8, from_u64),
            Py_T_SHORT => number!(i16, from_i64),
            Py_T_USHORT => number!(u16, from_u64),
            Py_T_INT => number!(i32, from_i64),
            Py_T_UINT => number!(u32, from_u64),
            Py_T_LONG | Py_T_LONGLONG => number!(i64, from_i64),
            Py_T_ULONG | Py_T_ULONGLONG => number!(u64, from_u64),
            Py_T_PYSSIZET => Ok(PyLongObject::from_isize(*place::<isize>(object, def)).into_object()),
            Py_T_FLOAT => Ok(PyFloatObject::from_f64(f64::from(*place::<f32>(object, def))).into_object()),
            Py_T_DOUBLE => Ok(PyFloatObject::from_f64(*place::<f64>(object, def)).into_object()),
            Py_T_STRING => {
                let text = *place::<*const c_char>(object, def);
                if text.is_null() {
                    return Ok(none_ref());
                }
                Ok(
                    PyUnicodeObject::from_str(&std::ffi::CStr::from_ptr(text).to_string_lossy())
                        .into_object(),
                )
            }
            Py_T_STRING_INPLACE => {
                let text = std::ffi::CStr::from_ptr(place::<c_char>(object, def)).to_string_lossy();
                Ok(PyUnicodeObject::from_str(&text).into_object())
            }
            Py_T_CHAR => Ok(PyUnicodeObject::from_char(u32::from(*place::<u8>(object, def))).into_object()),
            _Py_T_OBJECT => Ok(
                Ref::from_borrowed_opt((*place::<Cell<*mut PyObject>>(object, def)).get())
                    .unwrap_or_else(none_ref),
            ),
            Py_T_OBJECT_EX => {
                match Ref::from_borrowed_opt((*place::<Cell<*mut PyObject>>(object, def)).get()) {
                    Some(value) => Ok(value),
                    None => {
                        let raised = raise!(
                            AttributeError,
                            "'{}' object has no attribute '{}'",
                            object.ty().fully_qualified_name(),
                            member_name(def)
                        );
                        let name = PyUnicodeObject::from_string(member_name(def));
                        Err(crate::protocol::attributes::with_attribute_context(
                            raised, object, &name,
                        ))
                    }
                }
            }
            _Py_T_NONE => Ok(none_ref()),
            _ => Err(raise!(
                SystemError,
                "bad memberdescr type for {}",
                member_name(def)
            )),
        }
    }
}

const NEGATIVE: &str = "Writing negative value into unsigned field";

fn lossy(message: &str) -> PyResult<()> {
    crate::exceptions::warn(exc::RuntimeWarning, message, 1)
}

/// The number for an unsigned member, and whether it was negative: then it wraps around.
fn unsigned(value: &PyObject) -> PyResult<(u64, bool)> {
    let number = value.index_subclass()?;
    match number.to_u64() {
        Some(wide) => Ok((wide, false)),
        None => number.as_i64().map(|wide| (wide as u64, true)),
    }
}

/// Writes the member, or deletes it when there is no value.
///
/// # Safety
/// `def` describes `object`'s type.
pub unsafe fn set(object: &PyObject, def: &PyMemberDef, value: Option<&PyObject>) -> PyResult<()> {
    if def.flags.get() & Py_READONLY != 0 {
        return Err(raise!(AttributeError, "readonly attribute"));
    }
    let kind = def.r#type.get();
    // SAFETY: the definition says what lies there, here and below.
    unsafe {
        if kind == Py_T_OBJECT_EX || kind == _Py_T_OBJECT {
            let slot = &*place::<Cell<*mut PyObject>>(object, def);
            if kind == Py_T_OBJECT_EX && value.is_none() && slot.get().is_null() {
                let raised = raise!(AttributeError, "{}", member_name(def));
                let name = PyUnicodeObject::from_string(member_name(def));
                return Err(crate::protocol::attributes::with_attribute_context(
                    raised, object, &name,
                ));
            }
            let old = slot.replace(value.map_or(std::ptr::null_mut(), |value| value.to_ref().into_raw()));
            crate::memory::xdecref(old);
            return Ok(());
        }
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete numeric/char attribute"));
        };
        macro_rules! number {
            ($ty:ty, $name:literal) => {{
                let wide = value.index_subclass()?.as_i64()?;
                place::<$ty>(object, def).write_unaligned(wide as $ty);
                if <$ty>::try_from(wide).is_err() {
                    lossy(concat!("Truncation of value to ", $name))?;
                }
            }};
        }
        match kind {
            Py_T_BOOL => {
                if !value.is(true_()) && !value.is(false_()) {
                    return Err(raise!(TypeError, "attribute value type must be bool"));
                }
                place::<u8>(object, def).write(value.is(true_()) as u8);
            }
            Py_T_BYTE => number!(i8, "char"),
            Py_T_UBYTE => number!(u8, "unsigned char"),
            Py_T_SHORT => number!(i16, "short"),
            Py_T_USHORT => number!(u16, "unsigned short"),
            Py_T_INT => number!(i32, "int"),
            Py_T_UINT => {
                let (wide, is_negative) = unsigned(value)?;
                place::<u32>(object, def).write(wide as u32);
                if is_negative {
                    lossy(NEGATIVE)?;
                } else if wide > u32::MAX as u64 {
                    lossy("Truncation of value to unsigned int")?;
                }
            }
            Py_T_PYSSIZET => {
                let Some(number) = value.downcast::<PyLongObject>() else {
                    return Err(raise!(TypeError, "an integer is required"));
                };
                place::<i64>(object, def).write(number.as_i64()?);
            }
            Py_T_LONG | Py_T_LONGLONG => {
                let number = value.index_subclass()?;
                place::<i64>(object, def).write(number.as_i64()?);
            }
            Py_T_ULONG | Py_T_ULONGLONG => {
                let (wide, is_negative) = unsigned(value)?;
                place::<u64>(object, def).write(wide);
                if is_negative {
                    lossy(NEGATIVE)?;
                }
            }
            Py_T_FLOAT => place::<f32>(object, def).write(value.to_f64()? as f32),
            Py_T_DOUBLE => place::<f64>(object, def).write(value.to_f64()?),
            Py_T_CHAR => match value.downcast::<PyUnicodeObject>().map(|text| (text.len(), text)) {
                Some((1, text)) if text.char_at(0) < 256 => {
                    place::<u8>(object, def).write(text.char_at(0) as u8)
                }
                _ => return Err(raise!(TypeError, "bad argument type for built-in operation")),
            },
            Py_T_STRING | Py_T_STRING_INPLACE => return Err(raise!(TypeError, "readonly attribute")),
            _ => {
                return Err(raise!(
                    SystemError,
                    "bad memberdescr type for {}",
                    member_name(def)
                ));
            }
        }
    }
    Ok(())
}
