//! Pointers to C types.

use super::cdata::{CDATA_TYPE, CData, get_value, keep_reference, new_instance, set_value};
use super::info::*;
use super::metatypes::part_of;
use adder_runtime::prelude::*;

fn data_of(this: &PyObject) -> PyResult<&CData> {
    CData::of(this).ok_or_else(|| raise!(TypeError, "not a ctype instance"))
}

/// The type that a pointer points to, and its size.
fn target(this: &PyObject) -> PyResult<(Ref, usize)> {
    let proto = instance_info(this)?.proto.get().ok_or_else(abstract_class)?;
    let size = info_of_object(&proto).ok_or_else(abstract_class)?.size.get();
    Ok((proto, size))
}

fn null_access() -> Raised {
    raise!(ValueError, "NULL pointer access")
}

fn item_place(this: &PyObject, index: isize) -> PyResult<(Ref, usize, *mut u8)> {
    let pointer = data_of(this)?.pointer();
    if pointer.is_null() {
        return Err(null_access());
    }
    let (proto, size) = target(this)?;
    Ok((proto, size, pointer.wrapping_offset(index * size as isize)))
}

fn get_item(this: &PyObject, index: isize) -> PyResult {
    let (proto, size, place) = item_place(this, index)?;
    get_value(&proto, 0, data_of(this)?, index as usize, size, place)
}

fn set_contents(this: &PyObject, value: &PyObject) -> PyResult<()> {
    let (proto, _) = target(this)?;
    // As in CPython, any C data will do.
    let Some(source) = CData::of(value) else {
        return Err(raise!(
            TypeError,
            "expected {} instead of {}",
            proto.downcast_type().map(PyTypeObject::name).unwrap_or_default(),
            value.ty().name()
        ));
    };
    let data = data_of(this)?;
    data.set_pointer(source.ptr.get());
    keep_reference(data, 1, value)?;
    keep_reference(data, 0, &source.kept())
}

struct Pointer;
#[pytype(
    name = "_ctypes._Pointer", static_name = POINTER_TYPE, base = CDATA_TYPE, metatype = super::metatypes::POINTER_META,
    basicsize = size_of::<CData>() as isize, flags = BASETYPE, typed = false, dealloc = inherit,
    doc = "XXX to be provided",
)]
impl Pointer {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        match info_of(cls) {
            Some(info) if info.proto.is_some() => new_instance(cls),
            _ => Err(raise!(TypeError, "Cannot create instance: has no _type_")),
        }
    }
    #[slot]
    fn tp_init(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        match args.as_slice() {
            [] if kwargs.is_none_or(|kwargs| kwargs.len() == 0) => Ok(()),
            [value] if kwargs.is_none_or(|kwargs| kwargs.len() == 0) => set_contents(this, value),
            many => Err(raise!(TypeError, "POINTER expected at most 1 argument, got {}", many.len())),
        }
    }
    #[slot]
    fn nb_bool(this: &PyObject) -> PyResult<bool> {
        Ok(!data_of(this)?.pointer().is_null())
    }
    #[slot]
    fn sq_item(this: &PyObject, index: isize) -> PyResult {
        get_item(this, index)
    }
    #[slot]
    fn sq_ass_item(this: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "Pointer does not support item deletion"));
        };
        let (proto, size, place) = item_place(this, index)?;
        set_value(data_of(this)?, &proto, 0, value, index as usize, size, place)
    }
    #[slot]
    fn mp_subscript(this: &PyObject, key: &PyObject) -> PyResult {
        if key.has_index() {
            return get_item(this, key.to_index(adder_runtime::exceptions::exc::IndexError)?);
        }
        let Some(slice) = key.as_object().downcast::<PySliceObject>() else {
            return Err(raise!(TypeError, "Pointer indices must be integer"));
        };
        let bound = |object: &PyObject| object.to_index(adder_runtime::exceptions::exc::ValueError);
        let step = match is_none(slice.step_object()) {
            true => 1,
            false => bound(slice.step_object())?,
        };
        if step == 0 {
            return Err(raise!(ValueError, "slice step cannot be zero"));
        }
        let start = match is_none(slice.start_object()) {
            true if step < 0 => return Err(raise!(ValueError, "slice start is required for step < 0")),
            true => 0,
            false => bound(slice.start_object())?,
        };
        if is_none(slice.stop_object()) {
            return Err(raise!(ValueError, "slice stop is required"));
        }
        let stop = bound(slice.stop_object())?;
        let mut indices = Vec::new();
        let mut at = start;
        while (step > 0 && at < stop) || (step < 0 && at > stop) {
            indices.push(at);
            at += step;
        }
        let mut items = Vec::with_capacity(indices.len());
        for at in indices {
            items.push(get_item(this, at)?);
        }
        let (proto, _) = target(this)?;
        let code = info_of_object(&proto).filter(|info| info.kind == Kind::Simple).map(|info| info.code.get());
        match code {
            Some(b'c') => {
                let byte = |item: &Ref| item.as_object().downcast::<PyBytesObject>().and_then(|bytes| bytes.as_bytes().first().copied());
                Ok(PyBytesObject::from_vec(items.iter().filter_map(byte).collect()).into_object())
            }
            Some(b'u') => {
                let code = |item: &Ref| item.as_object().downcast::<PyUnicodeObject>().map(|text| text.char_at(0));
                let codes: Vec<u32> = items.iter().filter_map(code).collect();
                Ok(PyUnicodeObject::from_code_points(&codes).into_object())
            }
            _ => Ok(PyListObject::from_vec(items).into_object()),
        }
    }
    #[slot]
    fn mp_ass_subscript(this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "Pointer does not support item deletion"));
        };
        if !key.has_index() {
            return Err(raise!(TypeError, "Pointer indices must be integer"));
        }
        let index = key.to_index(adder_runtime::exceptions::exc::IndexError)?;
        let (proto, size, place) = item_place(this, index)?;
        set_value(data_of(this)?, &proto, 0, value, index as usize, size, place)
    }
    /// the object this pointer points to (read-write)
    #[getter]
    fn contents(this: &PyObject) -> PyResult {
        let data = data_of(this)?;
        if data.pointer().is_null() {
            return Err(null_access());
        }
        let (proto, _) = target(this)?;
        part_of(&proto, data, 0, data.pointer())
    }
    #[setter(name = "contents")]
    fn set_contents_(this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => set_contents(this, value),
            None => Err(raise!(TypeError, "Pointer does not support item deletion")),
        }
    }
}

/// A pointer type's instance that points where an address says: what `cast` gives.
pub fn cast(address: *mut u8, source: &PyObject, class: &PyObject) -> PyResult {
    let fits = info_of_object(class).is_some_and(|info| {
        matches!(info.kind, Kind::Pointer | Kind::Function)
            || (info.kind == Kind::Simple && b"sPzUZXO".contains(&info.code.get()))
    });
    if !fits {
        return Err(match class.downcast_type() {
            Some(class) => raise!(TypeError, "cast() argument 2 must be a pointer type, not {}", class.name()),
            None => raise!(TypeError, "cast() argument 2 must be a pointer type, not {}", class.ty().name()),
        });
    }
    let made = class.call0()?;
    let data = data_of(&made)?;
    if let Some(from) = CData::of(source) {
        // Whatever the source keeps is kept for both.
        let kept = from.kept();
        data.objects.set(Some(kept.clone()));
        if let Some(dict) = kept.as_object().downcast::<PyDictObject>() {
            let key = PyLongObject::from_usize(source.as_ptr() as usize);
            dict.set(key.as_object(), source)?;
        }
    }
    data.set_pointer(address);
    Ok(made)
}
