//! `datetime.datetime_CAPI`: the table of types and functions that C's `PyDateTime_IMPORT` gets. The functions that take a
//! class make its instances by its allocator, without calling it, as extensions' own `__new__`s expect.

use super::arguments::exactly;
use super::date::{DATE_TYPE, date_from_timestamp, new_date_in};
use super::datetime::{DATETIME_TYPE, new_datetime_in};
use super::datetime_type::from_timestamp_args;
use super::delta::{DELTA_TYPE, Delta, new_delta_in};
use super::time::{TIME_TYPE, new_time_in};
use super::zone::{TZINFO_TYPE, TimeZone, utc};
use adder_runtime::args::boundary_obj;
use adder_runtime::objects::capsule::PyCapsule;
use adder_runtime::prelude::*;

static CAPI: PyDateTime_CAPI = PyDateTime_CAPI::zeroed();

unsafe extern "C" fn date_from_date(year: c_int, month: c_int, day: c_int, class: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: C gives a live class.
    boundary_obj(|| new_date_in(unsafe { &*class }, [year, month, day]))
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
    unsafe { datetime_from_parts_and_fold(year, month, day, hour, minute, second, us, tzinfo, 0, class) }
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
    let (class, zone) = unsafe { (&*class, tzinfo.as_ref()) };
    let (date, time) = ([year, month, day], [hour, minute, second, us]);
    boundary_obj(|| new_datetime_in(class, date, time, zone, fold))
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
    unsafe { time_from_time_and_fold(hour, minute, second, us, tzinfo, 0, class) }
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
    let (class, zone) = unsafe { (&*class, tzinfo.as_ref()) };
    boundary_obj(|| new_time_in(class, [hour, minute, second, us], zone, fold))
}

/// Parts that C says are normal are made so again: it costs nothing and keeps the invariant.
unsafe extern "C" fn delta_from_delta(
    days: c_int,
    seconds: c_int,
    us: c_int,
    _normalize: c_int,
    class: *mut PyTypeObject,
) -> *mut PyObject {
    // SAFETY: C gives a live class.
    let class = unsafe { &*class };
    boundary_obj(|| new_delta_in(class, days.into(), seconds.into(), us.into()))
}

unsafe extern "C" fn timezone_from_offset(offset: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: C gives live objects; the name may be NULL.
    let (offset, name) = unsafe { (&*offset, name.as_ref()) };
    boundary_obj(|| {
        let Some(offset) = offset.downcast::<Delta>() else {
            return Err(raise!(TypeError, "the offset of a timezone must be a timedelta"));
        };
        let name = match name {
            None => None,
            Some(name) => match name.downcast::<PyUnicodeObject>() {
                Some(name) => Some(name),
                None => return Err(raise!(TypeError, "the name of a timezone must be a str")),
            },
        };
        Ok(TimeZone::create(offset, name)?.into_object())
    })
}

/// The class and the arguments that C gives as bare objects.
///
/// # Safety
/// Live objects, or NULL where C may leave it out.
unsafe fn class_and_args<'a>(class: *mut PyObject, args: *mut PyObject) -> PyResult<(&'a PyTypeObject, &'a PyTupleObject)> {
    // SAFETY: the caller's contract.
    let (class, args) = unsafe { (&*class, &*args) };
    match (class.downcast_type(), args.downcast::<PyTupleObject>()) {
        (Some(class), Some(args)) => Ok((class, args)),
        _ => Err(raise!(SystemError, "bad argument to internal function")),
    }
}

unsafe extern "C" fn datetime_from_timestamp(
    class: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: C gives live objects; the keywords may be NULL.
        let ((class, args), kwargs) = unsafe { (class_and_args(class, args)?, kwargs.as_ref()) };
        from_timestamp_args(class, args, kwargs.and_then(PyObject::downcast::<PyDictObject>))
    })
}

unsafe extern "C" fn date_from_timestamp_args(class: *mut PyObject, args: *mut PyObject) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: C gives live objects.
        let (class, args) = unsafe { class_and_args(class, args)? };
        let [timestamp] = exactly("fromtimestamp", args.as_slice())?;
        date_from_timestamp(class, timestamp)
    })
}

fn pointer(ty: &'static PyTypeObject) -> *mut PyTypeObject {
    (&raw const *ty).cast_mut()
}

/// The capsule, whose table lives as long as the process.
pub fn capsule() -> PyResult<Ref> {
    CAPI.DateType.set(pointer(&DATE_TYPE));
    CAPI.DateTimeType.set(pointer(&DATETIME_TYPE));
    CAPI.TimeType.set(pointer(&TIME_TYPE));
    CAPI.DeltaType.set(pointer(&DELTA_TYPE));
    CAPI.TZInfoType.set(pointer(&TZINFO_TYPE));
    CAPI.TimeZone_UTC.set(utc()?.into_object_raw());
    CAPI.Date_FromDate.set(Some(date_from_date));
    CAPI.DateTime_FromDateAndTime.set(Some(datetime_from_parts));
    CAPI.Time_FromTime.set(Some(time_from_time));
    CAPI.Delta_FromDelta.set(Some(delta_from_delta));
    CAPI.TimeZone_FromTimeZone.set(Some(timezone_from_offset));
    CAPI.DateTime_FromTimestamp.set(Some(datetime_from_timestamp));
    CAPI.Date_FromTimestamp.set(Some(date_from_timestamp_args));
    CAPI.DateTime_FromDateAndTimeAndFold
        .set(Some(datetime_from_parts_and_fold));
    CAPI.Time_FromTimeAndFold.set(Some(time_from_time_and_fold));
    let table = (&raw const CAPI).cast_mut().cast();
    let capsule = PyCapsule::new(table, c"datetime.datetime_CAPI".as_ptr(), None)?;
    Ok(capsule.into_object())
}
