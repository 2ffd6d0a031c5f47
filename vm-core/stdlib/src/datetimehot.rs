//! `_datetime`: what programs do most with dates, natively; the library's Python code has the rest.
//!
//! `install` puts these methods in place of those that the library's classes have, which stay behind them: a method here answers
//! the usual case (instances of the very classes, plain ints, no time zone to ask) and leaves every other to the one that it replaced,
//! errors among them. So there is one text of the rules, and a short way through it.

use crate::datetimemodule::CAPI;
use adder_runtime::args::Kwargs;
use adder_runtime::objects::descrobject::{new_class_method, new_method_descriptor};
use adder_runtime::objects::funcobject::new_staticmethod;
use adder_runtime::objects::methodobject::new_function;
use adder_runtime::prelude::*;

/// The methods that were replaced, by `class.method`.
static REPLACED: ObjectCell<PyDictObject> = ObjectCell::new(None);

const MAX_ORDINAL: i64 = 3_652_059;
const US_PER_SECOND: i128 = 1_000_000;
const US_PER_DAY: i128 = 86_400 * US_PER_SECOND;
const MAX_DELTA_DAYS: i128 = 999_999_999;
const DAYS_BEFORE_MONTH: [i64; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH: [i64; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[cold]
fn replaced(key: &'static PyUnicodeObject) -> PyResult {
    match REPLACED.borrow().and_then(|table| table.get_str(key)) {
        Some(function) => Ok(function),
        None => Err(raise!(SystemError, "no {} in the library", key.to_string_lossy())),
    }
}

#[cold]
fn ask(key: &'static PyUnicodeObject, args: &[&PyObject]) -> PyResult {
    replaced(key)?.call(args)
}

/// Calls what was replaced with arguments as they came.
#[cold]
fn ask_raw(
    key: &'static PyUnicodeObject,
    first: Option<&PyObject>,
    args: &[&PyObject],
    kwargs: Kwargs<'_>,
) -> PyResult {
    let all: Vec<&PyObject> = first.into_iter().chain(args.iter().copied()).collect();
    let kwargs = kwargs.to_dict()?;
    replaced(key)?.call_tuple(&PyTupleObject::from_slice(&all), kwargs.as_deref())
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    if month == 2 && is_leap(year) {
        29
    } else {
        DAYS_IN_MONTH[month as usize]
    }
}

/// Day 1 is 1 January of year 1.
fn ordinal(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_day = i64::from(month > 2 && is_leap(year));
    before * 365 + before / 4 - before / 100
        + before / 400
        + DAYS_BEFORE_MONTH[month as usize]
        + leap_day
        + day
}

/// Year, month and day of an ordinal, by years that begin in March.
fn from_ordinal(ordinal: i64) -> [i64; 3] {
    let days = ordinal + 305;
    let (era, in_era) = (days / 146_097, days % 146_097);
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    [year_of_era + era * 400 + i64::from(month <= 2), month, day]
}

fn class(cell: &Cell<*mut PyTypeObject>) -> &'static PyTypeObject {
    // SAFETY: `install` runs when the table is filled, with classes that live as long as the process.
    unsafe { &*cell.get() }
}

fn is_a(object: &PyObject, cell: &Cell<*mut PyTypeObject>) -> bool {
    std::ptr::eq(object.ty(), cell.get()) || object.ty().is_subtype(class(cell))
}

fn delta_of(object: &PyObject) -> Option<&PyDateTime_Delta> {
    // SAFETY: instances of the class have the layout.
    is_a(object, &CAPI.DeltaType).then(|| unsafe { object.cast_unchecked() })
}

/// A date that is no datetime.
fn date_of(object: &PyObject) -> Option<&PyDateTime_Date> {
    // SAFETY: instances of the class have the layout.
    std::ptr::eq(object.ty(), CAPI.DateType.get()).then(|| unsafe { object.cast_unchecked() })
}

fn datetime_of(object: &PyObject) -> Option<&PyDateTime_DateTime> {
    // SAFETY: instances of the class have the layout.
    is_a(object, &CAPI.DateTimeType).then(|| unsafe { object.cast_unchecked() })
}

fn bytes_of<const N: usize>(data: &[Cell<u8>; N]) -> [u8; N] {
    std::array::from_fn(|at| data[at].get())
}

fn ymd(data: &[u8]) -> [i64; 3] {
    [
        i64::from(data[0]) << 8 | i64::from(data[1]),
        data[2].into(),
        data[3].into(),
    ]
}

fn ordinal_of(data: &[u8]) -> i64 {
    let [year, month, day] = ymd(data);
    ordinal(year, month, day)
}

/// Microseconds since midnight.
fn time_us(data: &[u8; 10]) -> i128 {
    let seconds = i128::from(data[4]) * 3600 + i128::from(data[5]) * 60 + i128::from(data[6]);
    let us = i128::from(data[7]) << 16 | i128::from(data[8]) << 8 | i128::from(data[9]);
    seconds * US_PER_SECOND + us
}

fn delta_us(delta: &PyDateTime_Delta) -> i128 {
    let seconds = i128::from(delta.days.get()) * 86_400 + i128::from(delta.seconds.get());
    seconds * US_PER_SECOND + i128::from(delta.microseconds.get())
}

fn new_delta(cls: &PyTypeObject, us: i128) -> PyResult {
    let (days, rest) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY));
    if days.abs() > MAX_DELTA_DAYS {
        return Err(raise!(
            OverflowError,
            "days={days}; must have magnitude <= 999999999"
        ));
    }
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of the class.
    let delta: &PyDateTime_Delta = unsafe { object.cast_unchecked() };
    delta.days.set(days as c_int);
    delta.seconds.set((rest / US_PER_SECOND) as c_int);
    delta.microseconds.set((rest % US_PER_SECOND) as c_int);
    delta.hashcode.set(-1);
    Ok(object)
}

fn new_date(cls: &PyTypeObject, [year, month, day]: [i64; 3]) -> PyResult {
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of the class.
    let date: &PyDateTime_Date = unsafe { object.cast_unchecked() };
    let bytes = [(year >> 8) as u8, year as u8, month as u8, day as u8];
    date.data
        .iter()
        .zip(bytes)
        .for_each(|(cell, byte)| cell.set(byte));
    date.hashcode.set(-1);
    Ok(object)
}

/// A datetime from its day and the microseconds in it.
fn new_datetime(
    cls: &PyTypeObject,
    [year, month, day]: [i64; 3],
    us: i128,
    tzinfo: Option<&PyObject>,
    fold: u8,
) -> PyResult {
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of the class.
    let made: &PyDateTime_DateTime = unsafe { object.cast_unchecked() };
    let (seconds, us) = ((us / US_PER_SECOND) as u32, (us % US_PER_SECOND) as u32);
    let [_, a, b, c] = us.to_be_bytes();
    let bytes = [
        (year >> 8) as u8,
        year as u8,
        month as u8,
        day as u8,
        (seconds / 3600) as u8,
        (seconds / 60 % 60) as u8,
        (seconds % 60) as u8,
        a,
        b,
        c,
    ];
    made.data
        .iter()
        .zip(bytes)
        .for_each(|(cell, byte)| cell.set(byte));
    made.hashcode.set(-1);
    made.fold.set(fold);
    if let Some(tzinfo) = tzinfo {
        made.hastzinfo.set(1);
        made.tzinfo.set(tzinfo.to_ref().into_raw());
    }
    Ok(object)
}

/// A date or datetime whose day has moved out of range.
fn date_range() -> Raised {
    raise!(OverflowError, "date value out of range")
}

fn small_int(object: &PyObject) -> Option<i64> {
    object
        .downcast_exact::<PyLongObject>()?
        .to_i64()
        .filter(|value| value.abs() < 1 << 40)
}

fn is_date(year: i64, month: i64, day: i64) -> bool {
    (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day)
}

fn hash_bytes(cell: &Cell<Py_hash_t>, bytes: &[u8]) -> Py_hash_t {
    if cell.get() == -1 {
        cell.set(PyBytesObject::from_slice(bytes).hash());
    }
    cell.get()
}

fn same_zone(a: &PyDateTime_DateTime, b: &PyDateTime_DateTime) -> bool {
    std::ptr::eq(a.tzinfo.get(), b.tzinfo.get())
}

fn is_naive(object: &PyDateTime_DateTime) -> bool {
    object.tzinfo.get().is_null()
}

/// The datetime `us` microseconds after another.
fn shifted(this: &PyObject, datetime: &PyDateTime_DateTime, us: i128) -> PyResult {
    let data = bytes_of(&datetime.data);
    let total = i128::from(ordinal_of(&data)) * US_PER_DAY + time_us(&data) + us;
    let (day, rest) = (total.div_euclid(US_PER_DAY), total.rem_euclid(US_PER_DAY));
    if day < 1 || day > MAX_ORDINAL.into() {
        return Err(date_range());
    }
    // SAFETY: null or an object that the datetime owns.
    let tzinfo = unsafe { datetime.tzinfo.get().as_ref() };
    new_datetime(this.ty(), from_ordinal(day as i64), rest, tzinfo, 0)
}

/// Seconds of local time since the start of year 1, at a time of the epoch.
fn local_seconds(time: i64) -> Option<i64> {
    // SAFETY: a struct of numbers and a pointer, which the call fills.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both are there during the call.
    if unsafe { libc::localtime_r(&time, &mut parts).is_null() } {
        return None;
    }
    let year = i64::from(parts.tm_year) + 1900;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let days = ordinal(year, i64::from(parts.tm_mon) + 1, parts.tm_mday.into());
    let seconds =
        i64::from(parts.tm_hour) * 3600 + i64::from(parts.tm_min) * 60 + i64::from(parts.tm_sec.min(59));
    Some(days * 86_400 + seconds)
}

/// Local time now: seconds since year 1, microseconds, and whether it is the second such time of a fold.
fn local_now() -> Option<(i64, i128, u8)> {
    const MAX_FOLD_S: i64 = 24 * 3600;
    // SAFETY: a struct of numbers.
    let mut now: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the struct to fill.
    if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut now) } != 0 {
        return None;
    }
    let seconds = local_seconds(now.tv_sec)?;
    let before = local_seconds(now.tv_sec - MAX_FOLD_S)?;
    let transition = seconds - before - MAX_FOLD_S;
    let fold = transition < 0 && local_seconds(now.tv_sec + transition)? == seconds;
    Some((seconds, i128::from(now.tv_nsec / 1000), fold.into()))
}

fn compare_deltas(this: &PyObject, other: &PyObject) -> Option<std::cmp::Ordering> {
    Some(delta_us(delta_of(this)?).cmp(&delta_us(delta_of(other)?)))
}

fn compare_dates(this: &PyObject, other: &PyObject) -> Option<std::cmp::Ordering> {
    Some(bytes_of(&date_of(this)?.data).cmp(&bytes_of(&date_of(other)?.data)))
}

fn compare_datetimes(this: &PyObject, other: &PyObject) -> Option<std::cmp::Ordering> {
    let (a, b) = (datetime_of(this)?, datetime_of(other)?);
    same_zone(a, b).then(|| bytes_of(&a.data).cmp(&bytes_of(&b.data)))
}

/// The number that ASCII digits write.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// `YYYY-MM-DD`.
fn iso_date(text: &[u8]) -> Option<[i64; 3]> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let date = [
        digits(y).filter(|_| y.len() == 4)?,
        digits(&[*m1, *m2])?,
        digits(&[*d1, *d2])?,
    ];
    is_date(date[0], date[1], date[2]).then_some(date)
}

/// `HH:MM`, with seconds or without, in microseconds.
fn iso_time(text: &[u8]) -> Option<i128> {
    let (text, fraction) = match text {
        [whole @ .., b'.', a, b, c, d, e, f] => (whole, digits(&[*a, *b, *c, *d, *e, *f])?),
        _ => (text, 0),
    };
    let (hour, minute, second) = match text {
        [a, b, b':', c, d] if fraction == 0 => (digits(&[*a, *b])?, digits(&[*c, *d])?, 0),
        [a, b, b':', c, d, b':', e, f] => (digits(&[*a, *b])?, digits(&[*c, *d])?, digits(&[*e, *f])?),
        _ => return None,
    };
    let in_range = hour < 24 && minute < 60 && second < 60;
    in_range.then(|| i128::from(hour * 3600 + minute * 60 + second) * US_PER_SECOND + i128::from(fraction))
}

/// What `int()` would take and ISO 8601 does not: signs, spaces and underscores within numbers, digits of other scripts.
fn is_iso_like(text: &[u8], separators: &[usize]) -> bool {
    let mut previous = b'0';
    for (at, byte) in text.iter().enumerate() {
        let known = byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'W' | b'.' | b',' | b'+' | b'Z');
        let is_sign =
            matches!(byte, b'-' | b'+') && matches!(previous, b':' | b'.' | b',' | b'-' | b'+' | b'W');
        if is_sign || !known && !separators.contains(&at) {
            return false;
        }
        previous = *byte;
    }
    true
}

#[cold]
fn invalid_iso(text: &PyObject) -> Raised {
    match text.repr() {
        Ok(shown) => raise!(
            ValueError,
            "Invalid isoformat string: {}",
            shown.to_string_lossy()
        ),
        Err(raised) => raised,
    }
}

struct HotDelta;

#[pymethods(part = DELTA_HOT)]
impl HotDelta {
    #[staticmethod(raw, "(...)", name = "__new__")]
    fn new(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
        /// In the order of the parameters; then those that only keywords give as often.
        const UNITS: [(&str, i128); 7] = [
            ("days", US_PER_DAY),
            ("seconds", US_PER_SECOND),
            ("microseconds", 1),
            ("milliseconds", 1000),
            ("minutes", 60 * US_PER_SECOND),
            ("hours", 3600 * US_PER_SECOND),
            ("weeks", 7 * US_PER_DAY),
        ];
        let total = || {
            let mut total = 0i128;
            for (argument, (_, unit)) in args.get(1..)?.iter().zip(UNITS) {
                total += i128::from(small_int(argument)?) * unit;
            }
            for (name, value) in kwargs.iter() {
                let name = name.downcast_exact::<PyUnicodeObject>()?;
                let at = UNITS.iter().position(|(known, _)| name.eq_str(known))?;
                // One that was given by its place too is an error.
                total += i128::from(small_int(value).filter(|_| at + 1 >= args.len())?) * UNITS[at].1;
            }
            (args.len() <= UNITS.len() + 1).then_some(total)
        };
        match (args.first().and_then(|cls| cls.downcast_type()), total()) {
            (Some(cls), Some(us))
                if cls.is_subtype(class(&CAPI.DeltaType)) && (us / US_PER_DAY).abs() < MAX_DELTA_DAYS =>
            {
                new_delta(cls, us)
            }
            _ => ask_raw(identifier!("timedelta.__new__"), None, args, kwargs),
        }
    }
    #[method("($self, other, /)", name = "__add__")]
    fn add(this: &PyObject, other: &PyObject) -> PyResult {
        match (delta_of(this), delta_of(other)) {
            (Some(a), Some(b)) => new_delta(class(&CAPI.DeltaType), delta_us(a) + delta_us(b)),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[method("($self, other, /)", name = "__sub__")]
    fn sub(this: &PyObject, other: &PyObject) -> PyResult {
        match (delta_of(this), delta_of(other)) {
            (Some(a), Some(b)) => new_delta(class(&CAPI.DeltaType), delta_us(a) - delta_us(b)),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[method("($self, /)", name = "__bool__")]
    fn bool(this: &PyObject) -> bool {
        delta_of(this).is_some_and(|delta| delta_us(delta) != 0)
    }
    #[method("($self, /)", name = "__hash__")]
    fn hash(this: &PyObject) -> PyResult {
        let Some(delta) = delta_of(this) else {
            return ask(identifier!("timedelta.__hash__"), &[this]);
        };
        let hash = hash_bytes(&delta.hashcode, &delta_us(delta).to_le_bytes());
        Ok(PyLongObject::from_isize(hash).into_object())
    }
    /// Total seconds in the duration.
    #[method("($self, /)")]
    fn total_seconds(this: &PyObject) -> PyResult {
        match delta_of(this).map(delta_us) {
            // Both operands of the division are exact.
            Some(us) if us.abs() < 1 << 53 => Ok(PyFloatObject::from_f64(us as f64 / 1e6).into_object()),
            _ => ask(identifier!("timedelta.total_seconds"), &[this]),
        }
    }
    #[method("($self, other, /)", name = "__eq__")]
    fn eq(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_deltas(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Eq.holds(order))),
            None => ask(identifier!("timedelta.__eq__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__lt__")]
    fn lt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_deltas(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Lt.holds(order))),
            None => ask(identifier!("timedelta.__lt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__le__")]
    fn le(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_deltas(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Le.holds(order))),
            None => ask(identifier!("timedelta.__le__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__gt__")]
    fn gt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_deltas(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Gt.holds(order))),
            None => ask(identifier!("timedelta.__gt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__ge__")]
    fn ge(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_deltas(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Ge.holds(order))),
            None => ask(identifier!("timedelta.__ge__"), &[this, other]),
        }
    }
}

struct HotDate;

#[pymethods(part = DATE_HOT)]
impl HotDate {
    #[staticmethod(raw, "(...)", name = "__new__")]
    fn new(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
        if let [cls, year, month, day] = args
            && kwargs.is_empty()
            && let Some(cls) = cls.downcast_type()
            && cls.is_subtype(class(&CAPI.DateType))
            && let (Some(year), Some(month), Some(day)) = (small_int(year), small_int(month), small_int(day))
            && is_date(year, month, day)
        {
            return new_date(cls, [year, month, day]);
        }
        ask_raw(identifier!("date.__new__"), None, args, kwargs)
    }
    #[method("($self, other, /)", name = "__add__")]
    fn add(this: &PyObject, other: &PyObject) -> PyResult {
        let (Some(date), Some(delta)) = (date_of(this), delta_of(other)) else {
            return ask(identifier!("date.__add__"), &[this, other]);
        };
        let day = ordinal_of(&bytes_of(&date.data)) + i64::from(delta.days.get());
        if !(1..=MAX_ORDINAL).contains(&day) {
            return Err(date_range());
        }
        new_date(this.ty(), from_ordinal(day))
    }
    #[method("($self, other, /)", name = "__sub__")]
    fn sub(this: &PyObject, other: &PyObject) -> PyResult {
        let (Some(a), Some(b)) = (date_of(this), date_of(other)) else {
            return ask(identifier!("date.__sub__"), &[this, other]);
        };
        let days = ordinal_of(&bytes_of(&a.data)) - ordinal_of(&bytes_of(&b.data));
        new_delta(class(&CAPI.DeltaType), i128::from(days) * US_PER_DAY)
    }
    #[method("($self, /)", name = "__hash__")]
    fn hash(this: &PyObject) -> PyResult {
        // SAFETY: every date has this layout; a datetime has a method of its own.
        let date: &PyDateTime_Date = unsafe { this.cast_unchecked() };
        let hash = hash_bytes(&date.hashcode, &bytes_of(&date.data));
        Ok(PyLongObject::from_isize(hash).into_object())
    }
    /// Construct a date from a string in ISO 8601 format.
    #[classmethod("($type, string, /)")]
    fn fromisoformat(cls: &PyTypeObject, string: &PyObject) -> PyResult {
        if let Some(text) = string.downcast::<PyUnicodeObject>() {
            let Some(ascii) = text.ascii_str() else {
                return Err(invalid_iso(string));
            };
            if let Some(date) = iso_date(ascii.as_bytes()).filter(|_| std::ptr::eq(cls, CAPI.DateType.get()))
            {
                return new_date(cls, date);
            }
            if !is_iso_like(ascii.as_bytes(), &[]) {
                return Err(invalid_iso(string));
            }
        }
        ask(identifier!("date.fromisoformat"), &[cls.as_object(), string])
    }
    /// Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.
    #[method("($self, /)")]
    fn toordinal(this: &PyObject) -> i64 {
        // SAFETY: every date has this layout, and a datetime begins with it.
        ordinal_of(&bytes_of(
            &unsafe { this.cast_unchecked::<PyDateTime_Date>() }.data,
        ))
    }
    /// Return the day of the week represented by the date.
    ///
    /// Monday == 0 ... Sunday == 6
    #[method("($self, /)")]
    fn weekday(this: &PyObject) -> i64 {
        (HotDate::toordinal(this) + 6) % 7
    }
    /// Return string in ISO 8601 format, YYYY-MM-DD.
    #[method("($self, /)")]
    fn isoformat(this: &PyObject) -> String {
        // SAFETY: every date has this layout, and a datetime begins with it.
        let [year, month, day] = ymd(&bytes_of(
            &unsafe { this.cast_unchecked::<PyDateTime_Date>() }.data,
        ));
        format!("{year:04}-{month:02}-{day:02}")
    }
    #[method("($self, other, /)", name = "__eq__")]
    fn eq(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_dates(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Eq.holds(order))),
            None => ask(identifier!("date.__eq__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__lt__")]
    fn lt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_dates(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Lt.holds(order))),
            None => ask(identifier!("date.__lt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__le__")]
    fn le(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_dates(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Le.holds(order))),
            None => ask(identifier!("date.__le__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__gt__")]
    fn gt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_dates(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Gt.holds(order))),
            None => ask(identifier!("date.__gt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__ge__")]
    fn ge(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_dates(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Ge.holds(order))),
            None => ask(identifier!("date.__ge__"), &[this, other]),
        }
    }
}

struct HotDatetime;

#[pymethods(part = DATETIME_HOT)]
impl HotDatetime {
    #[staticmethod(raw, "(...)", name = "__new__")]
    fn new(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
        let made = || {
            let cls = args.first()?.downcast_type()?;
            if !(4..=9).contains(&args.len()) || !cls.is_subtype(class(&CAPI.DateTimeType)) {
                return None;
            }
            let mut parts = [0i64; 7];
            for (part, argument) in parts.iter_mut().zip(&args[1..]) {
                *part = small_int(argument)?;
            }
            let mut tzinfo = args.get(8).copied();
            for (name, value) in kwargs.iter() {
                let is_tzinfo = name.downcast_exact::<PyUnicodeObject>()?.eq_str("tzinfo");
                if !is_tzinfo || tzinfo.is_some() {
                    return None;
                }
                tzinfo = Some(value);
            }
            let tzinfo = tzinfo.filter(|tzinfo| !is_none(tzinfo));
            if tzinfo.is_some_and(|tzinfo| !is_a(tzinfo, &CAPI.TZInfoType)) {
                return None;
            }
            let [year, month, day, hour, minute, second, us] = parts;
            let in_range = is_date(year, month, day)
                && (0..24).contains(&hour)
                && (0..60).contains(&minute)
                && (0..60).contains(&second)
                && (0..1_000_000).contains(&us);
            let total = i128::from(hour * 3600 + minute * 60 + second) * US_PER_SECOND + i128::from(us);
            in_range.then(|| new_datetime(cls, [year, month, day], total, tzinfo, 0))
        };
        made().unwrap_or_else(|| ask_raw(identifier!("datetime.__new__"), None, args, kwargs))
    }
    #[method("($self, other, /)", name = "__add__")]
    fn add(this: &PyObject, other: &PyObject) -> PyResult {
        match (datetime_of(this), delta_of(other)) {
            (Some(datetime), Some(delta)) if std::ptr::eq(this.ty(), CAPI.DateTimeType.get()) => {
                shifted(this, datetime, delta_us(delta))
            }
            _ => ask(identifier!("datetime.__add__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__sub__")]
    fn sub(this: &PyObject, other: &PyObject) -> PyResult {
        if let Some(a) = datetime_of(this) {
            if let Some(delta) = delta_of(other)
                && std::ptr::eq(this.ty(), CAPI.DateTimeType.get())
            {
                return shifted(this, a, -delta_us(delta));
            }
            if let Some(b) = datetime_of(other)
                && same_zone(a, b)
            {
                let (a, b) = (bytes_of(&a.data), bytes_of(&b.data));
                let days = i128::from(ordinal_of(&a) - ordinal_of(&b));
                return new_delta(
                    class(&CAPI.DeltaType),
                    days * US_PER_DAY + time_us(&a) - time_us(&b),
                );
            }
        }
        ask(identifier!("datetime.__sub__"), &[this, other])
    }
    #[method("($self, /)", name = "__hash__")]
    fn hash(this: &PyObject) -> PyResult {
        match datetime_of(this) {
            Some(datetime) if is_naive(datetime) => {
                let hash = hash_bytes(&datetime.hashcode, &bytes_of(&datetime.data));
                Ok(PyLongObject::from_isize(hash).into_object())
            }
            _ => ask(identifier!("datetime.__hash__"), &[this]),
        }
    }
    /// Returns new datetime object representing current time local to tz.
    ///
    ///   tz
    ///     Timezone object.
    ///
    /// If no tz is specified, uses local timezone.
    #[classmethod("($type, /, tz=None)")]
    fn now(cls: &PyTypeObject, tz: Option<&PyObject>) -> PyResult {
        match local_now() {
            Some((seconds, us, fold)) if tz.is_none() && std::ptr::eq(cls, CAPI.DateTimeType.get()) => {
                let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
                let us = i128::from(rest) * US_PER_SECOND + us;
                new_datetime(cls, from_ordinal(days), us, None, fold)
            }
            _ => ask(
                identifier!("datetime.now"),
                &[cls.as_object(), tz.unwrap_or(none())],
            ),
        }
    }
    /// Construct a date from a string in ISO 8601 format.
    #[classmethod("($type, string, /)")]
    fn fromisoformat(cls: &PyTypeObject, string: &PyObject) -> PyResult {
        if let Some(text) = string.downcast::<PyUnicodeObject>()
            && let Some(ascii) = text.ascii_str()
        {
            let bytes = ascii.as_bytes();
            let (date, time) = bytes.split_at(bytes.len().min(10));
            let date = iso_date(date).filter(|_| std::ptr::eq(cls, CAPI.DateTimeType.get()));
            let time = match time {
                [] => Some(0),
                [_, time @ ..] => iso_time(time),
            };
            if let (Some(date), Some(us)) = (date, time) {
                return new_datetime(cls, date, us, None, 0);
            }
            if !is_iso_like(bytes, &[7, 8, 10]) {
                return Err(invalid_iso(string));
            }
        }
        ask(identifier!("datetime.fromisoformat"), &[cls.as_object(), string])
    }
    /// Return date object with same year, month and day.
    #[method("($self, /)")]
    fn date(this: &PyObject) -> PyResult {
        match datetime_of(this) {
            Some(datetime) => new_date(class(&CAPI.DateType), ymd(&bytes_of(&datetime.data))),
            None => ask(identifier!("datetime.date"), &[this]),
        }
    }
    /// [sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    ///
    /// sep is used to separate the year from the time, and defaults to 'T'.  The optional argument timespec specifies the number of
    /// additional terms of the time to include.
    #[method(raw, "($self, /, sep='T', timespec='auto')")]
    fn isoformat(this: &PyObject, args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult {
        let datetime = datetime_of(this).filter(|datetime| is_naive(datetime));
        let (Some(datetime), [], true) = (datetime, args, kwargs.is_empty()) else {
            return ask_raw(identifier!("datetime.isoformat"), Some(this), args, kwargs);
        };
        let data = bytes_of(&datetime.data);
        let [year, month, day] = ymd(&data);
        let us = time_us(&data) % US_PER_SECOND;
        let mut text = format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            data[4], data[5], data[6]
        );
        if us != 0 {
            text.push_str(&format!(".{us:06}"));
        }
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[method("($self, other, /)", name = "__eq__")]
    fn eq(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_datetimes(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Eq.holds(order))),
            None => ask(identifier!("datetime.__eq__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__lt__")]
    fn lt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_datetimes(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Lt.holds(order))),
            None => ask(identifier!("datetime.__lt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__le__")]
    fn le(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_datetimes(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Le.holds(order))),
            None => ask(identifier!("datetime.__le__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__gt__")]
    fn gt(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_datetimes(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Gt.holds(order))),
            None => ask(identifier!("datetime.__gt__"), &[this, other]),
        }
    }
    #[method("($self, other, /)", name = "__ge__")]
    fn ge(this: &PyObject, other: &PyObject) -> PyResult {
        match compare_datetimes(this, other) {
            Some(order) => Ok(py_bool(CompareOp::Ge.holds(order))),
            None => ask(identifier!("datetime.__ge__"), &[this, other]),
        }
    }
}

struct HotIsoCalendarDate;

#[pymethods(part = ISO_CALENDAR_DATE_HOT)]
impl HotIsoCalendarDate {
    #[method("($self, /)", name = "__repr__")]
    fn repr(this: &PyObject) -> PyResult {
        match this.downcast::<PyTupleObject>().map(PyTupleObject::as_slice) {
            Some([year, week, weekday]) => {
                let [year, week, weekday] =
                    [year.str()?, week.str()?, weekday.str()?].map(|part| part.to_string_lossy());
                let text = format!("datetime.IsoCalendarDate(year={year}, week={week}, weekday={weekday})");
                Ok(PyUnicodeObject::from_string(text).into_object())
            }
            _ => ask(identifier!("IsoCalendarDate.__repr__"), &[this]),
        }
    }
}

/// Puts the methods of a table into a class; those that were there are kept to be asked.
fn replace_methods(class: &PyTypeObject, class_name: &str, table: &[PyMethodDef]) -> PyResult<()> {
    let Some(kept) = REPLACED.get() else { return Ok(()) };
    let Some(names) = class.dict() else { return Ok(()) };
    for def in table.iter().take_while(|def| !def.ml_name.get().is_null()) {
        let name = def.name_text();
        let key = PyUnicodeObject::intern(PyUnicodeObject::from_str(&name));
        let Some(old) = names.get_str(&key) else { continue };
        let old = old.get_attr_opt(identifier!("__func__"))?.unwrap_or(old);
        let place = PyUnicodeObject::intern(PyUnicodeObject::from_string(format!("{class_name}.{name}")));
        kept.set_str(&place, &old)?;
        let flags = def.ml_flags.get();
        let descriptor = if flags & METH_STATIC != 0 {
            new_staticmethod(&*new_function(def, Some(class.as_object()), None)?)?
        } else if flags & METH_CLASS != 0 {
            new_class_method(class, def)?
        } else {
            new_method_descriptor(class, def)?
        };
        class.type_set_attr(&key, Some(&descriptor))?;
    }
    Ok(())
}

/// Replaces methods of the library's classes, which the C API's table has.
pub fn install(names: &PyDictObject) -> PyResult<()> {
    REPLACED.set(Some(PyDictObject::new()));
    let calendar = names.get_str(identifier!("_IsoCalendarDate"));
    if let Some(calendar) = calendar.as_deref().and_then(|calendar| calendar.downcast_type()) {
        replace_methods(calendar, "IsoCalendarDate", &ISO_CALENDAR_DATE_HOT_METHODS)?;
    }
    replace_methods(class(&CAPI.DeltaType), "timedelta", &DELTA_HOT_METHODS)?;
    replace_methods(class(&CAPI.DateType), "date", &DATE_HOT_METHODS)?;
    replace_methods(class(&CAPI.DateTimeType), "datetime", &DATETIME_HOT_METHODS)
}
