//! datetime.h: date, time, datetime, timedelta objects and the capsule's function table.
use super::*;

c_structs! {
    object PyDateTime_Delta {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        days: Cell<c_int>,
        seconds: Cell<c_int>,
        microseconds: Cell<c_int>,
    }
    object PyDateTime_TZInfo {
        ob_base: PyObject,
    }
    object _PyDateTime_BaseTZInfo {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
    }
    object _PyDateTime_BaseTime {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
        data: [Cell<u8>; 6],
    }
    object PyDateTime_Time {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
        data: [Cell<u8>; 6],
        fold: Cell<u8>,
        tzinfo: ObjCell,
    }
    object PyDateTime_Date {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
        data: [Cell<u8>; 4],
    }
    object _PyDateTime_BaseDateTime {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
        data: [Cell<u8>; 10],
    }
    object PyDateTime_DateTime {
        ob_base: PyObject,
        hashcode: Cell<Py_hash_t>,
        hastzinfo: Cell<c_char>,
        data: [Cell<u8>; 10],
        fold: Cell<u8>,
        tzinfo: ObjCell,
    }
    /// What the capsule `datetime.datetime_CAPI` holds.
    plain PyDateTime_CAPI {
        DateType: Cell<*mut PyTypeObject>,
        DateTimeType: Cell<*mut PyTypeObject>,
        TimeType: Cell<*mut PyTypeObject>,
        DeltaType: Cell<*mut PyTypeObject>,
        TZInfoType: Cell<*mut PyTypeObject>,
        TimeZone_UTC: ObjCell,
        Date_FromDate: Cell<Option<unsafe extern "C" fn(c_int, c_int, c_int, *mut PyTypeObject) -> *mut PyObject>>,
        DateTime_FromDateAndTime: Cell<Option<unsafe extern "C" fn(
            c_int, c_int, c_int, c_int, c_int, c_int, c_int, *mut PyObject, *mut PyTypeObject,
        ) -> *mut PyObject>>,
        Time_FromTime: Cell<Option<unsafe extern "C" fn(
            c_int, c_int, c_int, c_int, *mut PyObject, *mut PyTypeObject,
        ) -> *mut PyObject>>,
        Delta_FromDelta: Cell<Option<unsafe extern "C" fn(
            c_int, c_int, c_int, c_int, *mut PyTypeObject,
        ) -> *mut PyObject>>,
        TimeZone_FromTimeZone: Cell<Option<unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject>>,
        DateTime_FromTimestamp: Cell<Option<unsafe extern "C" fn(
            *mut PyObject, *mut PyObject, *mut PyObject,
        ) -> *mut PyObject>>,
        Date_FromTimestamp: Cell<Option<unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject>>,
        DateTime_FromDateAndTimeAndFold: Cell<Option<unsafe extern "C" fn(
            c_int, c_int, c_int, c_int, c_int, c_int, c_int, *mut PyObject, c_int, *mut PyTypeObject,
        ) -> *mut PyObject>>,
        Time_FromTimeAndFold: Cell<Option<unsafe extern "C" fn(
            c_int, c_int, c_int, c_int, *mut PyObject, c_int, *mut PyTypeObject,
        ) -> *mut PyObject>>,
    }
}
