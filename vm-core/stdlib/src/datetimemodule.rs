//! `_datetime`: the classes of `Lib/_pydatetime.py` on CPython's object layouts, and the C API's function table.
//!
//! C extensions read dates straight from memory (`PyDateTime_GET_YEAR` is a byte access), so the layout must be `datetime.h`'s; what
//! the methods do is written in Python, in the library. Its module is run with a class builder that puts a native base with C's
//! fields below `timedelta`, `date`, `time` and `datetime`, whose attributes `_year`, `_days`, … then are those fields. Tests:
//! `test_datetime`, and the C probes in `cpyext/tests/c`.

use adder_runtime::abi::*;
use adder_runtime::objects::capsule::PyCapsule;
use adder_runtime::objects::object::PyBaseObject_Type;
use adder_runtime::prelude::*;
use adder_runtime::{hooks, memory, types};
use std::mem::offset_of;
use std::ptr::null_mut;

/// How a field is stored.
#[derive(Clone, Copy)]
enum Kind {
    Byte,
    /// Big-endian, as `datetime.h` has the year and the microseconds.
    Bytes2,
    Bytes3,
    Int,
    Hash,
    /// An owned object or null, with the flag `hastzinfo`.
    Object,
}

struct Field {
    offset: usize,
    kind: Kind,
}

impl Field {
    const fn new(offset: usize, kind: Kind) -> Field {
        Field { offset, kind }
    }

    const fn row(&'static self, name: &'static std::ffi::CStr) -> PyGetSetDef {
        let closure = (self as *const Field).cast_mut().cast();
        PyGetSetDef::new(
            name.as_ptr(),
            Some(get_field),
            Some(set_field),
            std::ptr::null(),
            closure,
        )
    }
}

/// # Safety
/// As a getter of a type whose instances have the field that `closure` describes.
unsafe extern "C" fn get_field(object: *mut PyObject, closure: *mut c_void) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let field = &*closure.cast::<Field>();
        let place = object.cast::<u8>().add(field.offset);
        let number = match field.kind {
            Kind::Byte => *place as i64,
            Kind::Bytes2 => i64::from(u16::from_be_bytes(*place.cast())),
            Kind::Bytes3 => {
                let [a, b, c] = *place.cast::<[u8; 3]>();
                i64::from(u32::from_be_bytes([0, a, b, c]))
            }
            Kind::Int => i64::from(*place.cast::<c_int>()),
            Kind::Hash => *place.cast::<isize>() as i64,
            Kind::Object => {
                let value = place.cast::<*mut PyObject>().read().as_ref();
                return value.unwrap_or(none()).to_ref().into_raw();
            }
        };
        PyLongObject::from_i64(number).into_object_raw()
    }
}

/// # Safety
/// As a setter of a type whose instances have the field that `closure` describes.
unsafe extern "C" fn set_field(object: *mut PyObject, value: *mut PyObject, closure: *mut c_void) -> c_int {
    // SAFETY: the caller's contract.
    unsafe {
        let Some(value) = value.as_ref() else {
            let _ = raise!(AttributeError, "fields of dates cannot be deleted");
            return -1;
        };
        let field = &*closure.cast::<Field>();
        let place = object.cast::<u8>().add(field.offset);
        if let Kind::Object = field.kind {
            let tzinfo = (!is_none(value)).then(|| value.to_ref());
            *object.cast::<u8>().add(offset_of!(_PyDateTime_BaseTZInfo, hastzinfo)) = u8::from(tzinfo.is_some());
            let old = place
                .cast::<*mut PyObject>()
                .replace(tzinfo.map_or(null_mut(), Ref::into_raw));
            memory::xdecref(old);
            return 0;
        }
        let Ok(number) = value.index_subclass().and_then(|number| number.as_i64()) else {
            return -1;
        };
        match field.kind {
            Kind::Byte => *place = number as u8,
            Kind::Bytes2 => *place.cast() = (number as u16).to_be_bytes(),
            Kind::Bytes3 => {
                let [_, a, b, c] = (number as u32).to_be_bytes();
                *place.cast() = [a, b, c];
            }
            Kind::Int => *place.cast::<c_int>() = number as c_int,
            Kind::Hash | Kind::Object => *place.cast::<isize>() = number as isize,
        }
        0
    }
}

/// The tables of the layout bases: names as `_pydatetime` has them.
macro_rules! fields {
    ($($table:ident[$count:literal] = $($name:literal $offset:expr, $kind:ident;)*)*) => {$(
        static $table: [PyGetSetDef; $count] = [
            $({
                static FIELD: Field = Field::new($offset, Kind::$kind);
                FIELD.row($name)
            },)*
            PyGetSetDef::zeroed(),
        ];
    )*};
}

const DATE_DATA: usize = offset_of!(PyDateTime_Date, data);
const TIME_DATA: usize = offset_of!(PyDateTime_Time, data);

fields! {
    DELTA_FIELDS[5] =
        c"_hashcode" offset_of!(PyDateTime_Delta, hashcode), Hash;
        c"_days" offset_of!(PyDateTime_Delta, days), Int;
        c"_seconds" offset_of!(PyDateTime_Delta, seconds), Int;
        c"_microseconds" offset_of!(PyDateTime_Delta, microseconds), Int;
    DATE_FIELDS[5] =
        c"_hashcode" offset_of!(PyDateTime_Date, hashcode), Hash;
        c"_year" DATE_DATA, Bytes2;
        c"_month" DATE_DATA + 2, Byte;
        c"_day" DATE_DATA + 3, Byte;
    TIME_FIELDS[8] =
        c"_hashcode" offset_of!(PyDateTime_Time, hashcode), Hash;
        c"_hour" TIME_DATA, Byte;
        c"_minute" TIME_DATA + 1, Byte;
        c"_second" TIME_DATA + 2, Byte;
        c"_microsecond" TIME_DATA + 3, Bytes3;
        c"_fold" offset_of!(PyDateTime_Time, fold), Byte;
        c"_tzinfo" offset_of!(PyDateTime_Time, tzinfo), Object;
    DELTA_PUBLIC[4] =
        c"days" offset_of!(PyDateTime_Delta, days), Int;
        c"seconds" offset_of!(PyDateTime_Delta, seconds), Int;
        c"microseconds" offset_of!(PyDateTime_Delta, microseconds), Int;
    DATE_PUBLIC[4] =
        c"year" DATE_DATA, Bytes2;
        c"month" DATE_DATA + 2, Byte;
        c"day" DATE_DATA + 3, Byte;
    TIME_PUBLIC[7] =
        c"hour" TIME_DATA, Byte;
        c"minute" TIME_DATA + 1, Byte;
        c"second" TIME_DATA + 2, Byte;
        c"microsecond" TIME_DATA + 3, Bytes3;
        c"fold" offset_of!(PyDateTime_Time, fold), Byte;
        c"tzinfo" offset_of!(PyDateTime_Time, tzinfo), Object;
    DATETIME_PUBLIC[7] =
        c"hour" DATE_DATA + 4, Byte;
        c"minute" DATE_DATA + 5, Byte;
        c"second" DATE_DATA + 6, Byte;
        c"microsecond" DATE_DATA + 7, Bytes3;
        c"fold" offset_of!(PyDateTime_DateTime, fold), Byte;
        c"tzinfo" offset_of!(PyDateTime_DateTime, tzinfo), Object;
    DATETIME_FIELDS[7] =
        c"_hour" DATE_DATA + 4, Byte;
        c"_minute" DATE_DATA + 5, Byte;
        c"_second" DATE_DATA + 6, Byte;
        c"_microsecond" DATE_DATA + 7, Bytes3;
        c"_fold" offset_of!(PyDateTime_DateTime, fold), Byte;
        c"_tzinfo" offset_of!(PyDateTime_DateTime, tzinfo), Object;
}

/// # Safety
/// The object is dead; its `tzinfo` is at `OFFSET`.
unsafe extern "C" fn dealloc_with_tzinfo<const OFFSET: usize>(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let place = object.cast::<u8>().add(OFFSET).cast::<*mut PyObject>();
        memory::xdecref(place.replace(null_mut()));
        types::free_instance(object);
    }
}

const fn layout_base(name: &'static std::ffi::CStr, size: usize, fields: &'static [PyGetSetDef]) -> PyTypeObject {
    PyTypeObject {
        ob_base: PyVarObject::immortal(null_mut(), 0),
        tp_name: Cell::new(name.as_ptr()),
        tp_basicsize: Cell::new(size as isize),
        tp_flags: Cell::new(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE),
        tp_getset: Cell::new(fields.as_ptr().cast_mut()),
        ..PyTypeObject::zeroed()
    }
}

static DELTA_BASE: PyTypeObject = layout_base(c"_datetime._timedelta", size_of::<PyDateTime_Delta>(), &DELTA_FIELDS);
static DATE_BASE: PyTypeObject = layout_base(c"_datetime._date", size_of::<PyDateTime_Date>(), &DATE_FIELDS);
static TIME_BASE: PyTypeObject = layout_base(c"_datetime._time", size_of::<PyDateTime_Time>(), &TIME_FIELDS);
static DATETIME_BASE: PyTypeObject = layout_base(
    c"_datetime._datetime",
    size_of::<PyDateTime_DateTime>(),
    &DATETIME_FIELDS,
);

fn ready_bases() -> PyResult<()> {
    DATETIME_BASE.tp_base.set((&raw const DATE_BASE).cast_mut());
    TIME_BASE
        .tp_dealloc
        .set(Some(dealloc_with_tzinfo::<{ offset_of!(PyDateTime_Time, tzinfo) }>));
    DATETIME_BASE
        .tp_dealloc
        .set(Some(dealloc_with_tzinfo::<{ offset_of!(PyDateTime_DateTime, tzinfo) }>));
    for base in [&DELTA_BASE, &DATE_BASE, &TIME_BASE, &DATETIME_BASE] {
        // The classes make their instances with `object.__new__`.
        base.tp_new.set(PyBaseObject_Type.tp_new.get());
        types::ready(base)?;
    }
    Ok(())
}

/// The layout below a class of the library's module.
fn base_of(class: &PyUnicodeObject) -> Option<&'static PyTypeObject> {
    ["timedelta", "date", "time", "datetime"]
        .into_iter()
        .zip([&DELTA_BASE, &DATE_BASE, &TIME_BASE, &DATETIME_BASE])
        .find_map(|(name, base)| class.eq_str(name).then_some(base))
}

/// The code of `Lib/_pydatetime.py`, from where the import system finds it.
fn library_code() -> PyResult {
    let finder = hooks::import_module("_frozen_importlib_external")?.get_attr_str("PathFinder")?;
    let name = PyUnicodeObject::from_str("_pydatetime");
    let spec = finder.call_method(identifier!("find_spec"), &[name.as_object()])?;
    if is_none(&spec) {
        return Err(raise!(ModuleNotFoundError, "No module named '_pydatetime'"));
    }
    spec.get_attr(identifier!("loader"))?
        .call_method(identifier!("get_code"), &[name.as_object()])
}

/// The C API's table. Its objects live as long as the process.
pub static CAPI: PyDateTime_CAPI = PyDateTime_CAPI::zeroed();

fn into_c(result: PyResult) -> *mut PyObject {
    result.map_or(null_mut(), Ref::into_raw)
}

/// Calls a class with numbers, then objects.
///
/// # Safety
/// The pointers are live objects; `fold` is not given when negative.
unsafe fn make(class: *mut PyTypeObject, numbers: &[c_int], tzinfo: *mut PyObject, fold: c_int) -> *mut PyObject {
    let numbers: Vec<Ref> = numbers
        .iter()
        .map(|number| PyLongObject::from_i64(i64::from(*number)).into_object())
        .collect();
    let mut args: Vec<&PyObject> = numbers.iter().map(|number| &**number).collect();
    // SAFETY: the caller's contract.
    let class = unsafe {
        args.extend(tzinfo.as_ref());
        (*class).as_object()
    };
    if fold < 0 {
        return into_c(class.call(&args));
    }
    let fold = PyLongObject::from_i64(i64::from(fold));
    into_c(class.call_kw(&args, &[("fold", fold.as_object())]))
}

unsafe extern "C" fn date_from_date(year: c_int, month: c_int, day: c_int, class: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: C gives a live class.
    unsafe { make(class, &[year, month, day], null_mut(), -1) }
}

unsafe extern "C" fn datetime_from_parts(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    us: c_int,
    tzinfo: *mut PyObject,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives live objects.
    unsafe { make(class, &[year, month, day, hour, minute, second, us], tzinfo, -1) }
}

#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn datetime_from_parts_and_fold(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    us: c_int,
    tzinfo: *mut PyObject,
    fold: c_int,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives live objects.
    unsafe { make(class, &[year, month, day, hour, minute, second, us], tzinfo, fold) }
}

unsafe extern "C" fn time_from_time(
    hour: c_int,
    minute: c_int,
    second: c_int,
    us: c_int,
    tzinfo: *mut PyObject,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives live objects.
    unsafe { make(class, &[hour, minute, second, us], tzinfo, -1) }
}

unsafe extern "C" fn time_from_time_and_fold(
    hour: c_int,
    minute: c_int,
    second: c_int,
    us: c_int,
    tzinfo: *mut PyObject,
    fold: c_int,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives live objects.
    unsafe { make(class, &[hour, minute, second, us], tzinfo, fold) }
}

unsafe extern "C" fn delta_from_delta(
    days: c_int,
    seconds: c_int,
    us: c_int,
    _normalize: c_int,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives a live class.
    unsafe { make(class, &[days, seconds, us], null_mut(), -1) }
}

unsafe extern "C" fn timezone_from_offset(offset: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: C gives live objects; the name may be NULL.
    unsafe {
        let mut args = vec![&*offset];
        args.extend(name.as_ref());
        into_c(hooks::import_module("datetime").and_then(|module| module.get_attr_str("timezone")?.call(&args)))
    }
}

unsafe extern "C" fn datetime_from_timestamp(
    class: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: C gives live objects; the keywords may be NULL.
    unsafe {
        let method = (*class).get_attr(identifier!("fromtimestamp"));
        into_c(method.and_then(|method| {
            method.call_tuple(
                (*args).cast_unchecked(),
                kwargs.as_ref().and_then(PyObject::downcast::<PyDictObject>),
            )
        }))
    }
}

unsafe extern "C" fn date_from_timestamp(class: *mut PyObject, args: *mut PyObject) -> *mut PyObject {
    // SAFETY: as above.
    unsafe { datetime_from_timestamp(class, args, null_mut()) }
}

/// The attributes that programs read: the fields themselves, where the library has properties.
fn publish_fields() -> PyResult<()> {
    let tables: [(&Cell<*mut PyTypeObject>, &'static [PyGetSetDef]); 4] = [
        (&CAPI.DeltaType, &DELTA_PUBLIC),
        (&CAPI.DateType, &DATE_PUBLIC),
        (&CAPI.TimeType, &TIME_PUBLIC),
        (&CAPI.DateTimeType, &DATETIME_PUBLIC),
    ];
    for (class, table) in tables {
        // SAFETY: the table was just filled with classes that live as long as the process.
        let class = unsafe { &*class.get() };
        for def in table.iter().take_while(|def| !def.name.get().is_null()) {
            // Read only.
            def.set.set(None);
            let descriptor = adder_runtime::objects::descrobject::new_getset(class, def)?;
            // SAFETY: the rows have C strings.
            let name = unsafe { std::ffi::CStr::from_ptr(def.name.get()) }.to_string_lossy();
            let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(&name));
            class.type_set_attr(&name, Some(&descriptor))?;
        }
    }
    Ok(())
}

/// Fills the table with the classes that the library's code made.
fn fill_capi(names: &PyDictObject) -> PyResult<()> {
    let class = |name: &str| -> PyResult<*mut PyTypeObject> {
        let class = names
            .get_str(&PyUnicodeObject::from_str(name))
            .ok_or_else(|| raise!(SystemError, "no class {name}"))?;
        Ok(class.into_raw().cast())
    };
    CAPI.DateType.set(class("date")?);
    CAPI.DateTimeType.set(class("datetime")?);
    CAPI.TimeType.set(class("time")?);
    CAPI.DeltaType.set(class("timedelta")?);
    CAPI.TZInfoType.set(class("tzinfo")?);
    CAPI.TimeZone_UTC.set(class("UTC")?.cast());
    CAPI.Date_FromDate.set(Some(date_from_date));
    CAPI.DateTime_FromDateAndTime.set(Some(datetime_from_parts));
    CAPI.Time_FromTime.set(Some(time_from_time));
    CAPI.Delta_FromDelta.set(Some(delta_from_delta));
    CAPI.TimeZone_FromTimeZone.set(Some(timezone_from_offset));
    CAPI.DateTime_FromTimestamp.set(Some(datetime_from_timestamp));
    CAPI.Date_FromTimestamp.set(Some(date_from_timestamp));
    CAPI.DateTime_FromDateAndTimeAndFold
        .set(Some(datetime_from_parts_and_fold));
    CAPI.Time_FromTimeAndFold.set(Some(time_from_time_and_fold));
    Ok(())
}

/// Dates and times.
#[pymodule(name = "_datetime")]
pub mod _datetime {
    use super::*;

    /// The class builder under which the library's code runs.
    #[pyfunction(raw, "(...)")]
    fn _build_class(args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let builder = hooks::import_module("builtins")?.get_attr(identifier!("__build_class__"))?;
        let name = args.get(1).and_then(|name| name.downcast::<PyUnicodeObject>());
        let Some(base) = name.and_then(base_of) else {
            return match kwnames {
                Some(kwnames) => builder.call_keywords(args, kwnames),
                None => builder.call(args),
            };
        };
        let metaclass = hooks::import_module("_datetime")?.get_attr_str("_make_class")?;
        let mut args = args.to_vec();
        args.push(base.as_object());
        builder.call_kw(&args, &[("metaclass", &metaclass)])
    }

    /// Makes a class whose slots are those of its layout.
    #[pyfunction("($module, name, bases, namespace, /)")]
    fn _make_class(name: &PyObject, bases: &PyObject, namespace: &PyDictObject) -> PyResult {
        namespace.set_str(identifier!("__slots__"), PyTupleObject::empty().as_object())?;
        PyTypeObject::type_object()
            .as_object()
            .call(&[name, bases, namespace.as_object()])
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        ready_bases()?;
        let names = module.dict();
        let builtins = hooks::import_module("builtins")?;
        let patched = match (*builtins).downcast::<PyModuleObject>() {
            Some(builtins) => builtins.dict().copy()?,
            None => return Err(raise!(SystemError, "builtins is not a module")),
        };
        let build_class = names.get_str(identifier!("_build_class")).unwrap_or_else(none_ref);
        patched.set_str(identifier!("__build_class__"), &build_class)?;
        names.set_str(identifier!("__builtins__"), patched.as_object())?;
        let own_name = names.get_str(identifier!("__name__")).unwrap_or_else(none_ref);
        let exec = builtins.get_attr(identifier!("exec"))?;
        exec.call(&[&*library_code()?, names.as_object()])?;
        names.set_str(identifier!("__builtins__"), &builtins)?;
        names.set_str(identifier!("__name__"), &own_name)?;
        fill_capi(names)?;
        publish_fields()?;
        crate::datetimehot::install(names)?;
        // Last, as setting attributes of a class fills its slots anew.
        for class in [&CAPI.DateType, &CAPI.DateTimeType, &CAPI.TimeType, &CAPI.DeltaType] {
            // SAFETY: the table was filled above with classes that live as long as the process.
            unsafe { &*class.get() }.tp_new.set(Some(types::slots::class_new_slot));
        }
        let capsule = PyCapsule::new(
            (&raw const CAPI).cast_mut().cast(),
            c"datetime.datetime_CAPI".as_ptr(),
            None,
        )?;
        names.set_str(identifier!("datetime_CAPI"), capsule.as_object())?;
        let public = names
            .get_str(identifier!("__all__"))
            .unwrap_or_else(|| PyTupleObject::empty().into_object());
        let capi_name = PyTupleObject::from_slice(&[identifier!("datetime_CAPI").as_object()]);
        let public = adder_runtime::protocol::number::add(&public, capi_name.as_object())?;
        names.set_str(identifier!("__all__"), &public)
    }
}
