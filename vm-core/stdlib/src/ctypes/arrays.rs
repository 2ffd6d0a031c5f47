//! Arrays: items side by side, of a length that is part of the type.

use super::cdata::{CDATA_TYPE, CData, get_value, new_instance, set_value};
use super::info::*;
use super::simple;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::objects::descrobject;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;

/// The type of arrays of so many items of a type: the same one while somebody has it.
pub fn array_type_of(item: &PyTypeObject, length: usize) -> PyResult {
    let info = info_of(item).ok_or_else(|| raise!(TypeError, "Expected a type object"))?;
    let key = PyLongObject::from_usize(length);
    if let Some(arrays) = info.arrays.get()
        && let Some(known) = arrays.get(key.as_object())?
        && let Some(class) = weakrefobject::referent(&known)
    {
        return Ok(class);
    }
    let name = PyUnicodeObject::from_string(format!("{}_Array_{length}", item.short_name()));
    let dict = PyDictObject::new();
    dict.set_str(identifier!("_length_"), key.as_object())?;
    dict.set_str(identifier!("_type_"), item.as_object())?;
    let bases = PyTupleObject::from_slice(&[ARRAY_TYPE.as_object()]);
    let class = super::metatypes::ARRAY_META.as_object().call(&[name.as_object(), bases.as_object(), dict.as_object()])?;
    let arrays = match info.arrays.get() {
        Some(arrays) => arrays,
        None => {
            let arrays = PyDictObject::new();
            info.arrays.set(Some(arrays.clone()));
            arrays
        }
    };
    let reference = weakrefobject::new_ref(&class, None)?;
    arrays.set(key.as_object(), &reference)?;
    Ok(class)
}

fn data_of(this: &PyObject) -> PyResult<&CData> {
    CData::of(this).ok_or_else(|| raise!(TypeError, "not a ctype instance"))
}

struct Item {
    proto: Ref,
    size: usize,
    code: u8,
}

fn item_of(this: &PyObject) -> PyResult<Item> {
    let proto = instance_info(this)?.proto.get().ok_or_else(abstract_class)?;
    let info = info_of_object(&proto).ok_or_else(abstract_class)?;
    let code = if info.kind == Kind::Simple { info.code.get() } else { 0 };
    let size = info.size.get();
    Ok(Item { proto, size, code })
}

fn get_item(this: &PyObject, index: isize) -> PyResult {
    let data = data_of(this)?;
    if index < 0 || index as usize >= data.length.get() {
        return Err(raise!(IndexError, "invalid index"));
    }
    let item = item_of(this)?;
    let place = data.ptr.get().wrapping_add(index as usize * item.size);
    get_value(&item.proto, 0, data, index as usize, item.size, place)
}

fn set_item(this: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let data = data_of(this)?;
    let Some(value) = value else {
        return Err(raise!(TypeError, "Array does not support item deletion"));
    };
    if index < 0 || index as usize >= data.length.get() {
        return Err(raise!(IndexError, "invalid index"));
    }
    let item = item_of(this)?;
    let place = data.ptr.get().wrapping_add(index as usize * item.size);
    set_value(data, &item.proto, 0, value, index as usize, item.size, place)
}

fn index_of(this: &PyObject, key: &PyObject) -> PyResult<isize> {
    let index = key.to_index(adder_runtime::exceptions::exc::IndexError)?;
    Ok(if index < 0 { index + data_of(this)?.length.get() as isize } else { index })
}

struct Array;
#[pytype(
    name = "_ctypes.Array", static_name = ARRAY_TYPE, base = CDATA_TYPE, metatype = super::metatypes::ARRAY_META,
    basicsize = size_of::<CData>() as isize, flags = BASETYPE, typed = false, dealloc = inherit,
    doc = "Abstract base class for arrays.\n\nThe recommended way to create concrete array types is by multiplying any\nctypes data type with a non-negative integer. Alternatively, you can subclass\nthis type and define _length_ and _type_ class variables. Array elements can\nbe read and written using standard subscript and slice accesses for slice\nreads, the resulting object is not itself an Array.",
)]
impl Array {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        new_instance(cls)
    }
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult<()> {
        for (index, value) in args.as_slice().iter().enumerate() {
            set_item(this, index as isize, Some(value))?;
        }
        Ok(())
    }
    #[slot]
    fn sq_length(this: &PyObject) -> PyResult<usize> {
        Ok(data_of(this)?.length.get())
    }
    #[slot]
    fn mp_length(this: &PyObject) -> PyResult<usize> {
        Ok(data_of(this)?.length.get())
    }
    #[slot]
    fn sq_item(this: &PyObject, index: isize) -> PyResult {
        get_item(this, index)
    }
    #[slot]
    fn sq_ass_item(this: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        set_item(this, index, value)
    }
    #[slot]
    fn mp_subscript(this: &PyObject, key: &PyObject) -> PyResult {
        if key.has_index() {
            return get_item(this, index_of(this, key)?);
        }
        let Some(slice) = key.as_object().downcast::<PySliceObject>() else {
            return Err(raise!(TypeError, "indices must be integers"));
        };
        let data = data_of(this)?;
        let indices = slice.resolve(|| data.length.get())?;
        let places: Vec<usize> = (0..indices.count).map(|at| (indices.start + at as isize * indices.step) as usize).collect();
        let item = item_of(this)?;
        match item.code {
            b'c' => Ok(PyBytesObject::from_vec(places.iter().map(|at| data.bytes()[*at]).collect()).into_object()),
            b'u' => {
                let word = |at: &usize| {
                    let bytes = &data.bytes()[4 * at..4 * at + 4];
                    u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
                };
                let codes: Vec<u32> = places.iter().map(word).collect();
                Ok(PyUnicodeObject::from_code_points(&codes).into_object())
            }
            _ => {
                let mut items = Vec::with_capacity(places.len());
                for at in places {
                    items.push(get_item(this, at as isize)?);
                }
                Ok(PyListObject::from_vec(items).into_object())
            }
        }
    }
    #[slot]
    fn mp_ass_subscript(this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "Array does not support item deletion"));
        };
        if key.has_index() {
            return set_item(this, index_of(this, key)?, Some(value));
        }
        let Some(slice) = key.as_object().downcast::<PySliceObject>() else {
            return Err(raise!(TypeError, "indices must be integer"));
        };
        let indices = slice.resolve(|| data_of(this).map_or(0, |data| data.length.get()))?;
        let places: Vec<usize> = (0..indices.count).map(|at| (indices.start + at as isize * indices.step) as usize).collect();
        if value.len()? != places.len() {
            return Err(raise!(ValueError, "Can only assign sequence of same size"));
        }
        for (at, place) in places.into_iter().enumerate() {
            set_item(this, place as isize, Some(&*value.get_index(at as isize)?))?;
        }
        Ok(())
    }
    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, item: &PyObject) -> PyResult {
        Ok(new_generic_alias(cls.as_object(), item)?.into_object())
    }
}

struct CharArray;
#[pymethods(part = CHAR_ATTRIBUTES)]
impl CharArray {
    /// value
    #[getter(name = "raw")]
    fn raw(this: &PyObject) -> PyResult {
        Ok(PyBytesObject::from_slice(data_of(this)?.bytes()).into_object())
    }
    #[setter(name = "raw")]
    fn set_raw(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(AttributeError, "cannot delete attribute"));
        };
        let data = data_of(this)?;
        let bytes = Buffer::simple(value)?;
        if bytes.len() > data.size.get() {
            return Err(raise!(ValueError, "byte string too long"));
        }
        // SAFETY: the array has the room.
        unsafe { std::ptr::copy(bytes.as_bytes().as_ptr(), data.ptr.get(), bytes.len()) };
        Ok(())
    }
    /// string value
    #[getter(name = "value")]
    fn char_value(this: &PyObject) -> PyResult {
        let data = data_of(this)?;
        simple::read(b's', false, data.ptr.get(), data.bytes().len())
    }
    #[setter(name = "value")]
    fn set_char_value(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete attribute"));
        };
        let data = data_of(this)?;
        let Some(bytes) = value.as_object().downcast::<PyBytesObject>() else {
            return Err(raise!(TypeError, "bytes expected instead of {} instance", value.ty().name()));
        };
        if bytes.as_bytes().len() > data.size.get() {
            return Err(raise!(ValueError, "byte string too long"));
        }
        simple::write(b's', false, data.ptr.get(), value, data.size.get()).map(drop)
    }
}

struct WideArray;
#[pymethods(part = WIDE_ATTRIBUTES)]
impl WideArray {
    /// string value
    #[getter(name = "value")]
    fn wide_value(this: &PyObject) -> PyResult {
        let data = data_of(this)?;
        simple::read(b'U', false, data.ptr.get(), data.bytes().len())
    }
    #[setter(name = "value")]
    fn set_wide_value(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete attribute"));
        };
        let data = data_of(this)?;
        let Some(text) = value.as_object().downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "unicode string expected instead of {} instance", value.ty().name()));
        };
        if text.len() > data.size.get() / 4 {
            return Err(raise!(ValueError, "string too long"));
        }
        simple::write(b'U', false, data.ptr.get(), value, data.size.get()).map(drop)
    }
}

fn add_attributes(class: &PyTypeObject, rows: &'static [PyGetSetDef]) -> PyResult<()> {
    for row in rows {
        // SAFETY: a row's name is a C string.
        let name = unsafe { std::ffi::CStr::from_ptr(row.name.get()) }.to_string_lossy();
        let descriptor = descrobject::new_getset(class, row)?;
        class.as_object().set_attr_str(&name, &descriptor)?;
    }
    Ok(())
}

/// `raw` and `value` of arrays of `c_char`.
pub fn add_char_attributes(class: &PyTypeObject) -> PyResult<()> {
    add_attributes(class, &CHAR_ATTRIBUTES_GETSET)
}

/// `value` of arrays of `c_wchar`.
pub fn add_wchar_attributes(class: &PyTypeObject) -> PyResult<()> {
    add_attributes(class, &WIDE_ATTRIBUTES_GETSET)
}
