//! `datetime` as Python sees it: slots, attributes and methods.

use super::arguments::{bind, bind_vector, c_int_of, c_int_or, exactly, signature, text, wrong_type, zone_of};
use super::calendar::days_in_month;
use super::date::{DATE_TYPE, Date, make_date, struct_time, strptime};
use super::datetime::{
    DateTime, at_timestamp, in_zone, make_datetime, new_datetime_in, of_parts, of_state,
};
use super::delta::{Delta, new_delta};
use super::local::{Clock, now, timestamp_us};
use super::time::{TIME_TYPE, Time, new_time_in};
use super::zone::{ask_dst, ask_name, dealloc_with_zone};
use super::{format, parse};
use adder_runtime::args::Signature;
use adder_runtime::exceptions::exc;
use adder_runtime::hooks;
use adder_runtime::prelude::*;

const FIELDS: &[&str] = &[
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "microsecond",
    "tzinfo",
    "fold",
];
static NEW: Signature = signature("", FIELDS, 8, 3);
static REPLACE: Signature = signature("replace", FIELDS, 8, 0);
static FROM_TIMESTAMP: Signature = signature("fromtimestamp", &["timestamp", "tz"], 2, 1);
static COMBINE: Signature = signature("combine", &["date", "time", "tzinfo"], 3, 2);
static ISO_FORMAT: Signature = signature("isoformat", &["sep", "timespec"], 2, 0);
static AS_TIMEZONE: Signature = signature("astimezone", &["tz"], 1, 0);

/// The one character that `sep` is.
fn separator(sep: Option<&PyObject>) -> PyResult<u32> {
    let Some(sep) = sep else { return Ok('T' as u32) };
    let Some(text) = sep.downcast::<PyUnicodeObject>() else {
        return Err(wrong_type("isoformat", 1, "a unicode character", sep));
    };
    match text.len() {
        1 => Ok(text.char_at(0)),
        len => Err(raise!(
            TypeError,
            "isoformat() argument 1 must be a unicode character, not a string of length {len}"
        )),
    }
}

fn deprecated(function: &str, instead: &str) -> PyResult<()> {
    let message = format!(
        "datetime.datetime.{function}() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: {instead}."
    );
    hooks::warn(exc::DeprecationWarning, &message, 1)
}

impl DateTime {
    fn replaced(&self, fields: [Option<&PyObject>; 9]) -> PyResult {
        let (mut date, mut time) = (self.ymd(), self.hms());
        for (number, field) in date.iter_mut().chain(&mut time).zip(fields) {
            *number = c_int_or(field, *number)?;
        }
        let zone = match fields[7] {
            None => self.zone(),
            given => zone_of(given)?,
        };
        let fold = c_int_or(fields[8], self.fold_value())?;
        make_datetime(self.as_object().ty(), date, time, zone, fold)
    }
}

/// `datetime.fromtimestamp`, as C calls it too.
pub fn from_timestamp(cls: &PyTypeObject, timestamp: &PyObject, zone: Option<&PyObject>) -> PyResult {
    let zone = zone_of(zone)?;
    in_zone(cls, timestamp_us(timestamp)?, zone)
}

/// As `from_timestamp`, with the arguments of a call.
pub fn from_timestamp_args(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
    let [timestamp, zone] = bind(&FROM_TIMESTAMP, args, kwargs)?;
    from_timestamp(cls, timestamp.unwrap_or(none()), zone)
}

#[pytype(name = "datetime.datetime", static_name = DATETIME_TYPE, base = DATE_TYPE, flags = BASETYPE)]
/// datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])
///
/// The year, month and day arguments are required. tzinfo may be None, or an
/// instance of a tzinfo subclass. The remaining arguments may be ints.
impl DateTime {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        match of_state(cls, args.as_slice())? {
            Some(datetime) => Ok(datetime),
            None => of_parts(cls, bind(&NEW, args, kwargs)?),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        match of_state(cls, args)? {
            Some(datetime) => Ok(datetime),
            None => of_parts(cls, bind_vector(&NEW, args, kwnames)?),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the datetime is dead and owned its zone.
        unsafe { dealloc_with_zone(this.cast(), &(*this).0.tzinfo) }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let ([year, month, day], [hour, minute, second, us]) = (self.ymd(), self.hms());
        let class = self.as_object().ty().full_name();
        let mut text = format!("{class}({year}, {month}, {day}, {hour}, {minute}");
        if us != 0 {
            text.push_str(&format!(", {second}, {us}"));
        } else if second != 0 {
            text.push_str(&format!(", {second}"));
        }
        if self.fold_value() != 0 {
            text.push_str(", fold=1");
        }
        if let Some(zone) = self.zone() {
            text.push_str(&format!(", tzinfo={}", zone.repr()?.to_string_lossy()));
        }
        text.push(')');
        Ok(text)
    }
    #[slot]
    fn tp_str(&self) -> PyResult {
        let blank = PyUnicodeObject::from_char(' ' as u32);
        self.as_object()
            .call_method(identifier!("isoformat"), &[blank.as_object()])
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        self.hash_value()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match other.downcast::<DateTime>() {
            Some(other) => self.compare(other, op),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        let (datetime, delta) = match a.downcast::<DateTime>() {
            Some(datetime) => (Some(datetime), b),
            None => (b.downcast::<DateTime>(), a),
        };
        match (datetime, delta.downcast::<Delta>()) {
            (Some(datetime), Some(delta)) => datetime.shifted(delta, 1),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        let Some(datetime) = a.downcast::<DateTime>() else {
            return Ok(not_implemented().to_ref());
        };
        if let Some(other) = b.downcast::<DateTime>() {
            return Ok(datetime.minus(other)?.into_object());
        }
        match b.downcast::<Delta>() {
            Some(delta) => datetime.shifted(delta, -1),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[getter]
    fn hour(&self) -> i32 {
        self.hms()[0]
    }
    #[getter]
    fn minute(&self) -> i32 {
        self.hms()[1]
    }
    #[getter]
    fn second(&self) -> i32 {
        self.hms()[2]
    }
    #[getter]
    fn microsecond(&self) -> i32 {
        self.hms()[3]
    }
    #[getter]
    fn tzinfo(&self) -> Ref {
        self.zone().unwrap_or(none()).to_ref()
    }
    #[getter]
    fn fold(&self) -> i32 {
        self.fold_value()
    }
    /// Returns new datetime object representing current time local to tz.
    ///
    ///   tz
    ///     Timezone object.
    ///
    /// If no tz is specified, uses local timezone.
    #[classmethod("($type, /, tz=None)", name = "now")]
    fn now_in(cls: &PyTypeObject, tz: Option<&PyObject>) -> PyResult {
        let zone = zone_of(tz)?;
        in_zone(cls, now()?, zone)
    }
    /// Return a new datetime representing UTC day and time.
    #[classmethod("($type, /)")]
    fn utcnow(cls: &PyTypeObject) -> PyResult {
        deprecated("utcnow", "datetime.datetime.now(datetime.UTC)")?;
        at_timestamp(cls, Clock::Utc, now()?, None)
    }
    /// timestamp[, tz] -> tz's local time from POSIX timestamp.
    #[classmethod(raw, "(...)")]
    fn fromtimestamp(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [timestamp, zone]: [_; 2] = bind_vector(&FROM_TIMESTAMP, args, kwnames)?;
        from_timestamp(cls, timestamp.unwrap_or(none()), zone)
    }
    /// Construct a naive UTC datetime from a POSIX timestamp.
    #[classmethod(raw, "(...)")]
    fn utcfromtimestamp(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
        deprecated(
            "utcfromtimestamp",
            "datetime.datetime.fromtimestamp(timestamp, datetime.UTC)",
        )?;
        let [timestamp] = exactly("utcfromtimestamp", args)?;
        at_timestamp(cls, Clock::Utc, timestamp_us(timestamp)?, None)
    }
    /// string, format -> new datetime parsed from a string (like time.strptime()).
    #[classmethod(raw, "(...)", name = "strptime")]
    fn parsed(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
        strptime(identifier!("_strptime_datetime_datetime"), cls, args)
    }
    /// date, time -> datetime with same date and time fields
    #[classmethod(raw, "(...)")]
    fn combine(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [date, time, zone]: [_; 3] = bind_vector(&COMBINE, args, kwnames)?;
        let (date, time) = (date.unwrap_or(none()), time.unwrap_or(none()));
        let date = date
            .downcast::<Date>()
            .ok_or_else(|| wrong_type("combine", 1, "datetime.date", date))?;
        let time = time
            .downcast::<Time>()
            .ok_or_else(|| wrong_type("combine", 2, "datetime.time", time))?;
        let zone = match zone {
            None => time.zone(),
            given => zone_of(given)?,
        };
        make_datetime(cls, date.ymd(), time.hms(), zone, time.fold.get().into())
    }
    /// string -> datetime from a string in most ISO 8601 formats
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        let text = parse::ascii_of(parse::text_of(object)?);
        let parts = || {
            let end = parse::separator(&text).filter(|_| text.len() >= 7)?;
            let date = parse::date(text.get(..end)?)?;
            let (time, offset) = match text.get(end + 1..) {
                Some(time) => parse::time(time)?,
                None => ([0; 4], None),
            };
            Some((date, time, offset))
        };
        if text.len() < 7 {
            return Err(parse::invalid(object));
        }
        let (mut date, mut time, offset) = parts().ok_or_else(|| parse::invalid(object))?;
        let zone = parse::zone(offset)?;
        let [year, month, day] = date;
        // What is no day at all is complained of below.
        if (1..=12).contains(&month) && day <= days_in_month(year, month) && parse::is_end_of_day(time)? {
            time[0] = 0;
            date = match day + 1 {
                next if next <= days_in_month(year, month) => [year, month, next],
                _ if month < 12 => [year, month + 1, 1],
                _ => [year + 1, 1, 1],
            };
        }
        make_datetime(cls, date, time, zone.as_ref().map(|zone| zone.as_object()), 0)
    }
    /// Return date object with same year, month and day.
    #[method("($self, /)")]
    fn date(&self) -> PyResult {
        make_date(&DATE_TYPE, self.ymd())
    }
    /// Return time object with same time but with tzinfo=None.
    #[method("($self, /)")]
    fn time(&self) -> PyResult {
        new_time_in(&TIME_TYPE, self.hms(), None, self.fold_value())
    }
    /// Return time object with same time and tzinfo.
    #[method("($self, /)")]
    fn timetz(&self) -> PyResult {
        new_time_in(&TIME_TYPE, self.hms(), self.zone(), self.fold_value())
    }
    /// Return ctime() style string.
    #[method("($self, /)")]
    fn ctime(&self) -> String {
        format::ctime(self.ymd(), self.hms())
    }
    /// Return time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn timetuple(&self) -> PyResult {
        let dst = ask_dst(self.zone(), self.as_object())?;
        let is_dst = dst.map_or(-1, |dst| i32::from(!dst.is_zero()));
        struct_time(self.ymd(), self.hms(), is_dst)
    }
    /// Return POSIX timestamp as float.
    #[method("($self, /)")]
    fn timestamp(&self) -> PyResult<f64> {
        self.posix_timestamp()
    }
    /// Return UTC time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn utctimetuple(&self) -> PyResult {
        let (date, time) = match self.utc_offset()? {
            None => (self.ymd(), self.hms()),
            Some(offset) => self.moved(&offset, -1)?,
        };
        struct_time(date, time, 0)
    }
    /// [sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    /// sep is used to separate the year from the time, and defaults to 'T'.
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[method(raw, "(...)")]
    fn isoformat(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult<Ref<PyUnicodeObject>> {
        let [sep, timespec]: [_; 2] = bind_vector(&ISO_FORMAT, args, kwnames)?;
        let sep = separator(sep)?;
        let timespec = timespec
            .map(|timespec| text("isoformat", 2, timespec))
            .transpose()?;
        let mut out = String::with_capacity(40);
        format::push_date(&mut out, self.ymd());
        let ascii = char::from_u32(sep).filter(char::is_ascii);
        out.push(ascii.unwrap_or('T'));
        format::push_time(&mut out, self.hms(), timespec)?;
        format::push_utcoffset(&mut out, self.zone(), self.as_object(), ":")?;
        if ascii.is_some() {
            return Ok(PyUnicodeObject::from_string(out));
        }
        let mut codes: Vec<u32> = out.bytes().map(u32::from).collect();
        codes[10] = sep;
        Ok(PyUnicodeObject::from_code_points(&codes))
    }
    /// Return self.tzinfo.utcoffset(self).
    #[method("($self, /)")]
    fn utcoffset(&self) -> PyResult<Option<Ref<Delta>>> {
        self.utc_offset()
    }
    /// Return self.tzinfo.tzname(self).
    #[method("($self, /)")]
    fn tzname(&self) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        ask_name(self.zone(), self.as_object())
    }
    /// Return self.tzinfo.dst(self).
    #[method("($self, /)")]
    fn dst(&self) -> PyResult<Option<Ref<Delta>>> {
        ask_dst(self.zone(), self.as_object())
    }
    /// Return datetime with new specified fields.
    #[method(
        raw,
        "($self, /, year=unchanged, month=unchanged, day=unchanged,\n        hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    fn replace(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        self.replaced(bind_vector(&REPLACE, args, kwnames)?)
    }
    /// The same as replace().
    #[method(raw, "($self, /, **changes)")]
    fn __replace__(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        self.replaced(bind_vector(&REPLACE, args, kwnames)?)
    }
    /// tz -> convert to local time in new timezone tz
    #[method(raw, "(...)")]
    fn astimezone(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [zone]: [_; 1] = bind_vector(&AS_TIMEZONE, args, kwnames)?;
        self.in_other_zone(zone_of(zone)?)
    }
    /// __reduce_ex__(proto) -> (cls, state)
    #[method(raw, "(...)")]
    fn __reduce_ex__(&self, args: &[&PyObject]) -> PyResult<Ref<PyTupleObject>> {
        let [protocol] = exactly("__reduce_ex__", args)?;
        Ok(self.state(c_int_of(protocol)?))
    }
    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        self.state(2)
    }
}

/// The attributes of the type that are datetimes.
pub fn add_attributes() -> PyResult<()> {
    let make = |date, time| new_datetime_in(&DATETIME_TYPE, date, time, None, 0);
    let last = make([9999, 12, 31], [23, 59, 59, 999_999])?;
    super::add_attribute(&DATETIME_TYPE, "min", make([1, 1, 1], [0; 4])?)?;
    super::add_attribute(&DATETIME_TYPE, "max", last)?;
    super::add_attribute(&DATETIME_TYPE, "resolution", new_delta(0, 0, 1)?.into_object())
}
