//! `time`: clocks (`clocks`), and calendar time here: seconds since the epoch <-> `struct_time` <-> text.

pub mod clocks;

use crate::module_parts::{add_int, add_part, add_ready_type, struct_sequences};
use crate::posixmodule::path::fs_decode;
use crate::pytime::{Rounding, whole_seconds};
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use std::ffi::{CStr, CString};

struct_sequences! {
    struct_time = "time.struct_time", "A moment, as gmtime(), localtime() and strptime() give it.", 9: [
        ("tm_year", "year, for example, 1993"), ("tm_mon", "month of year, range [1, 12]"),
        ("tm_mday", "day of month, range [1, 31]"), ("tm_hour", "hours, range [0, 23]"),
        ("tm_min", "minutes, range [0, 59]"), ("tm_sec", "seconds, range [0, 61])"),
        ("tm_wday", "day of week, range [0, 6], Monday is 0"), ("tm_yday", "day of year, range [1, 366]"),
        ("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        ("tm_zone", "abbreviation of timezone name"), ("tm_gmtoff", "offset from UTC in seconds"),
    ];
}

/// C's broken-down time.
struct Moment {
    tm: libc::tm,
    /// Keeps `tm_zone` alive.
    _zone: Option<CString>,
}

fn zeroed_tm() -> libc::tm {
    // SAFETY: plain numbers and a null pointer.
    unsafe { std::mem::zeroed() }
}

fn zone_of(tm: &libc::tm) -> String {
    if tm.tm_zone.is_null() {
        return String::new();
    }
    // SAFETY: the C library's text.
    unsafe { CStr::from_ptr(tm.tm_zone) }
        .to_string_lossy()
        .into_owned()
}

fn tm_to_py(tm: &libc::tm, zone: &str, gmtoff: i64) -> PyResult {
    let numbers = [
        i64::from(tm.tm_year) + 1900,
        i64::from(tm.tm_mon) + 1,
        i64::from(tm.tm_mday),
        i64::from(tm.tm_hour),
        i64::from(tm.tm_min),
        i64::from(tm.tm_sec),
        (i64::from(tm.tm_wday) + 6) % 7,
        i64::from(tm.tm_yday) + 1,
        i64::from(tm.tm_isdst),
    ];
    let mut fields: Vec<Ref> = numbers
        .iter()
        .map(|number| PyLongObject::from_i64(*number).into_object())
        .collect();
    fields.push(PyUnicodeObject::from_str(zone).into_object());
    fields.push(PyLongObject::from_i64(gmtoff).into_object());
    structseq::new_instance(struct_time()?, fields)
}

/// Seconds since the epoch, the current ones without an argument.
fn seconds_of(object: Option<&PyObject>) -> PyResult<libc::time_t> {
    let Some(object) = object.filter(|object| !is_none(object)) else {
        return Ok(clocks::clock_ns(libc::CLOCK_REALTIME)?.div_euclid(clocks::NS_PER_S));
    };
    whole_seconds(object, Rounding::Floor)
}

fn os_error() -> Raised {
    let error = match crate::posixmodule::path::errno() {
        0 => libc::EINVAL,
        error => error,
    };
    adder_runtime::exceptions::os_error_from_errno(error, None, None)
}

fn local(seconds: libc::time_t) -> PyResult<libc::tm> {
    let mut tm = zeroed_tm();
    // SAFETY: structs of ours.
    if unsafe { libc::localtime_r(&seconds, &mut tm) }.is_null() {
        return Err(os_error());
    }
    Ok(tm)
}

fn utc(seconds: libc::time_t) -> PyResult<libc::tm> {
    let mut tm = zeroed_tm();
    // SAFETY: structs of ours.
    if unsafe { libc::gmtime_r(&seconds, &mut tm) }.is_null() {
        return Err(os_error());
    }
    Ok(tm)
}

/// The nine items of a tuple as C's broken-down time.
fn moment_of(object: &PyObject, function: &str) -> PyResult<Moment> {
    let Some(tuple) = object.downcast::<PyTupleObject>() else {
        return Err(raise!(TypeError, "Tuple or struct_time argument required"));
    };
    if tuple.len() != 9 {
        return Err(raise!(TypeError, "{function}(): illegal time tuple argument"));
    }
    let mut items = [0i32; 9];
    for (target, item) in items.iter_mut().zip(tuple.as_slice()) {
        let (value, overflow) = item.index()?.as_i64_and_overflow();
        *target = match c_int::try_from(value) {
            Ok(value) if overflow == 0 => value,
            _ if overflow < 0 || value < 0 => {
                return Err(raise!(OverflowError, "signed integer is less than minimum"));
            }
            _ => return Err(raise!(OverflowError, "signed integer is greater than maximum")),
        };
    }
    let [year, mon, mday, hour, min, sec, wday, yday, isdst] = items;
    if year < c_int::MIN + 1900 {
        return Err(raise!(OverflowError, "year out of range"));
    }
    let mut tm = zeroed_tm();
    tm.tm_year = year - 1900;
    tm.tm_mon = mon.wrapping_sub(1);
    tm.tm_mday = mday;
    tm.tm_hour = hour;
    tm.tm_min = min;
    tm.tm_sec = sec;
    tm.tm_wday = wday.wrapping_add(1) % 7;
    tm.tm_yday = yday.wrapping_sub(1);
    tm.tm_isdst = isdst;
    let mut zone = None;
    if std::ptr::eq(object.ty(), struct_time()?) {
        let name = structseq::get_field(object, 9).filter(|name| !is_none(name));
        if let Some(Ok(name)) = name.map(|name| name.downcast::<PyUnicodeObject>()) {
            let name = CString::new(name.to_str()?).unwrap_or_default();
            tm.tm_zone = name.as_ptr();
            zone = Some(name);
        }
        if let Some(offset) = structseq::get_field(object, 10).filter(|offset| !is_none(offset)) {
            tm.tm_gmtoff = offset.index()?.as_i64()?;
        }
    }
    Ok(Moment { tm, _zone: zone })
}

/// Refuses fields that C's functions would take for something else; a month or day of 0 is taken as 1.
fn check_fields(tm: &mut libc::tm) -> PyResult<()> {
    let wrong = |what: &str| Err(raise!(ValueError, "{what} out of range"));
    match tm.tm_mon {
        -1 => tm.tm_mon = 0,
        0..=11 => {}
        _ => return wrong("month"),
    }
    match tm.tm_mday {
        0 => tm.tm_mday = 1,
        1..=31 => {}
        _ => return wrong("day of month"),
    }
    if !(0..=23).contains(&tm.tm_hour) {
        return wrong("hour");
    }
    if !(0..=59).contains(&tm.tm_min) {
        return wrong("minute");
    }
    if !(0..=61).contains(&tm.tm_sec) {
        return wrong("seconds");
    }
    if tm.tm_wday < 0 {
        return wrong("day of week");
    }
    match tm.tm_yday {
        -1 => tm.tm_yday = 0,
        0..=365 => {}
        _ => return wrong("day of year"),
    }
    Ok(())
}

fn moment_or_now(object: Option<&PyObject>, function: &str) -> PyResult<Moment> {
    match object {
        None => Ok(Moment {
            tm: local(seconds_of(None)?)?,
            _zone: None,
        }),
        Some(object) => {
            let mut moment = moment_of(object, function)?;
            check_fields(&mut moment.tm)?;
            Ok(moment)
        }
    }
}

fn as_text(tm: &libc::tm) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    format!(
        "{} {} {:>2} {:02}:{:02}:{:02} {}",
        DAYS[tm.tm_wday as usize % 7],
        MONTHS[tm.tm_mon as usize % 12],
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        i64::from(tm.tm_year) + 1900
    )
}

/// One piece of a format, without NUL.
fn format_piece(piece: &[u8], tm: &libc::tm, out: &mut Vec<u8>) -> PyResult<()> {
    if piece.is_empty() {
        return Ok(());
    }
    // A blank in front tells an empty result from a full buffer.
    let mut format = vec![b' '];
    format.extend_from_slice(piece);
    let format = CString::new(format).map_err(|_| raise!(ValueError, "embedded null byte"))?;
    let mut size = 1024;
    loop {
        let mut buffer = vec![0u8; size];
        // SAFETY: the buffer has the size that is said.
        let len = unsafe { libc::strftime(buffer.as_mut_ptr().cast(), size, format.as_ptr(), tm) };
        if len > 0 {
            out.extend_from_slice(&buffer[1..len]);
            return Ok(());
        }
        if size > 256 * format.as_bytes().len().max(4) {
            return Ok(());
        }
        size *= 2;
    }
}

/// `timezone`, `altzone`, `daylight` and `tzname` for the current zone.
fn add_zone(module: &PyModuleObject) -> PyResult<()> {
    const YEAR: libc::time_t = (365 * 24 + 6) * 3600;
    let start = seconds_of(None)? / YEAR * YEAR;
    let (january, july) = (local(start)?, local(start + YEAR / 2)?);
    let (january_zone, july_zone) = (-january.tm_gmtoff, -july.tm_gmtoff);
    let (winter, summer, winter_name, summer_name) = if january_zone < july_zone {
        (july_zone, january_zone, zone_of(&july), zone_of(&january))
    } else {
        (january_zone, july_zone, zone_of(&january), zone_of(&july))
    };
    add_int(module, "timezone", winter)?;
    add_int(module, "altzone", summer)?;
    add_int(module, "daylight", i64::from(winter != summer))?;
    let names = [winter_name, summer_name].map(|name| PyUnicodeObject::from_string(name).into_object());
    module.add("tzname", PyTupleObject::from_vec(names.into()).into_object())
}

/// Functions about time.
#[pymodule(name = "time")]
pub mod time {
    use super::*;

    /// A moment in UTC.
    #[pyfunction("~($module, seconds=None, /)")]
    fn gmtime(seconds: Option<&PyObject>) -> PyResult {
        let tm = utc(seconds_of(seconds)?)?;
        tm_to_py(&tm, &zone_of(&tm), 0)
    }
    /// A moment in local time.
    #[pyfunction("~($module, seconds=None, /)")]
    fn localtime(seconds: Option<&PyObject>) -> PyResult {
        let tm = local(seconds_of(seconds)?)?;
        tm_to_py(&tm, &zone_of(&tm), tm.tm_gmtoff)
    }
    /// The seconds since the epoch of a moment in local time.
    #[pyfunction("($module, tuple, /)")]
    fn mktime(tuple: &PyObject) -> PyResult<f64> {
        let mut moment = moment_of(tuple, "mktime")?;
        // -1 is a good result too; only then is the day of the week set.
        moment.tm.tm_wday = -1;
        // SAFETY: a struct of ours.
        let seconds = unsafe { libc::mktime(&mut moment.tm) };
        if seconds == -1 && moment.tm.tm_wday == -1 {
            return Err(raise!(OverflowError, "mktime argument out of range"));
        }
        Ok(seconds as f64)
    }
    /// A moment as text.
    #[pyfunction("~($module, tuple=<unrepresentable>, /)")]
    fn asctime(tuple: Option<&PyObject>) -> PyResult<String> {
        Ok(as_text(&moment_or_now(tuple, "asctime")?.tm))
    }
    /// A local time as text.
    #[pyfunction("~($module, seconds=None, /)")]
    fn ctime(seconds: Option<&PyObject>) -> PyResult<String> {
        Ok(as_text(&local(seconds_of(seconds)?)?))
    }
    /// A moment as text in a given format.
    #[pyfunction("~($module, format, tuple=<unrepresentable>, /)")]
    fn strftime(format: &PyUnicodeObject, tuple: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let mut moment = moment_or_now(tuple, "strftime")?;
        moment.tm.tm_isdst = moment.tm.tm_isdst.clamp(-1, 1);
        let mut text = PyUnicodeObject::writer(format.len() + 16);
        let mut piece = Vec::new();
        // What is not ASCII is no business of the C library's.
        for code in format.code_points().map(Some).chain([None]) {
            match code {
                Some(code @ 1..=0x7f) => piece.push(code as u8),
                other => {
                    let mut formatted = Vec::new();
                    format_piece(&piece, &moment.tm, &mut formatted)?;
                    piece.clear();
                    text.push_object(&*fs_decode(&formatted)?);
                    if let Some(code) = other {
                        text.push(code);
                    }
                }
            }
        }
        text.finish()
    }
    /// A moment from text in a given format.
    #[pyfunction(raw, "(...)")]
    fn strptime(args: &[&PyObject]) -> PyResult {
        adder_runtime::hooks::import_module("_strptime")?.call_method(identifier!("_strptime_time"), args)
    }
    /// Takes note of a changed TZ in the environment.
    #[pyfunction("($module, /)", module)]
    fn tzset(module: &PyModuleObject) -> PyResult<()> {
        set_zone();
        add_zone(module)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        add_part(module, &clocks::part::DEF)?;
        set_zone();
        add_zone(module)?;
        add_int(module, "_STRUCT_TM_ITEMS", 11)?;
        add_ready_type(module, struct_time()?)
    }
}

fn set_zone() {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: reads the environment; the GIL keeps others from changing it.
    unsafe { tzset() }
}
