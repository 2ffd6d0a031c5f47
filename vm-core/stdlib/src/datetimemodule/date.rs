//! `date`, whose layout and many of whose methods `datetime` has too, and the tuple that `isocalendar()` gives.

use super::arguments::{bind, bind_vector, c_int_of, exactly, signature, state_bytes, text};
use super::calendar::{
    Hms, IsoError, Ymd, check_date, checked_from_ordinal, day_of_year, from_iso_calendar,
    from_ordinal, iso_calendar, ordinal, weekday, year_out_of_range,
};
use super::datetime::{DATETIME_TYPE, DateTime, new_datetime_in};
use super::delta::{Delta, new_delta};
use super::{format, local, parse};
use adder_runtime::args::Signature;
use adder_runtime::hooks;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::structseq;
use adder_runtime::objects::tupleobject::PyTuple_Type;
use adder_runtime::prelude::*;
use adder_runtime::pyhash::hash_bytes;

#[repr(transparent)]
pub struct Date(PyDateTime_Date);

impl std::ops::Deref for Date {
    type Target = PyDateTime_Date;
    fn deref(&self) -> &PyDateTime_Date {
        &self.0
    }
}

pub fn bytes_of<const N: usize>(data: &[Cell<u8>; N]) -> [u8; N] {
    std::array::from_fn(|at| data[at].get())
}

pub fn set_bytes<const N: usize>(data: &[Cell<u8>; N], bytes: [u8; N]) {
    data.iter().zip(bytes).for_each(|(cell, byte)| cell.set(byte));
}

/// A day as it is in memory, the year big-endian.
pub fn date_bytes([year, month, day]: Ymd) -> [u8; 4] {
    [(year >> 8) as u8, year as u8, month as u8, day as u8]
}

pub fn ymd_of(data: &[Cell<u8>]) -> Ymd {
    let year = i32::from(data[0].get()) << 8 | i32::from(data[1].get());
    [year, data[2].get().into(), data[3].get().into()]
}

impl Date {
    pub fn ymd(&self) -> Ymd {
        ymd_of(&self.data)
    }
}

/// A date of this class; raises when it is out of range.
pub fn new_date_in(cls: &PyTypeObject, date: Ymd) -> PyResult {
    check_date(date)?;
    date_of_bytes(cls, date_bytes(date))
}

fn date_of_bytes(cls: &PyTypeObject, bytes: [u8; 4]) -> PyResult {
    if std::ptr::eq(cls, &DATE_TYPE) {
        let date = Date(PyDateTime_Date {
            ob_base: blank_header(),
            hashcode: Cell::new(-1),
            hastzinfo: Cell::new(0),
            data: bytes.map(Cell::new),
        });
        return Ok(Ref::new(date)?.into_object());
    }
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of a subclass.
    let date: &Date = unsafe { object.cast_unchecked() };
    date.hashcode.set(-1);
    set_bytes(&date.data, bytes);
    Ok(object)
}

/// What a class makes of a date: a subclass is called.
pub fn make_date(cls: &PyTypeObject, date: Ymd) -> PyResult {
    if std::ptr::eq(cls, &DATE_TYPE) {
        return new_date_in(cls, date);
    }
    if std::ptr::eq(cls, &DATETIME_TYPE) {
        return new_datetime_in(cls, date, [0; 4], None, 0);
    }
    let parts = date.map(|part| PyLongObject::from_i64(part.into()));
    let [year, month, day] = &parts;
    cls.as_object()
        .call(&[year.as_object(), month.as_object(), day.as_object()])
}

/// A date that is no datetime.
fn plain_date(object: &PyObject) -> Option<&Date> {
    object
        .downcast::<Date>()
        .filter(|_| object.downcast::<DateTime>().is_none())
}

/// The date some days on, of the same class.
fn shifted(date: &Date, delta: &Delta, sign: i64) -> PyResult {
    let moved = ordinal(date.ymd()) + sign * i64::from(delta.days.get());
    make_date(date.as_object().ty(), checked_from_ordinal(moved)?)
}

/// `time.struct_time` of a date and time.
pub fn struct_time(date: Ymd, [hour, minute, second, _]: Hms, is_dst: i32) -> PyResult {
    let [year, month, day] = date;
    let fields = [
        year,
        month,
        day,
        hour,
        minute,
        second,
        weekday(date),
        day_of_year(date),
        is_dst,
    ];
    let fields = fields.map(|field| PyLongObject::from_i64(field.into()).into_object());
    structseq::new_instance(crate::timemodule::struct_time()?, fields.into())
}

/// A function of `_strptime` for a class.
pub fn strptime(function: &'static PyUnicodeObject, cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
    let [string, format] = exactly("strptime", args)?;
    text("strptime", 1, string)?;
    text("strptime", 2, format)?;
    hooks::import_module("_strptime")?.call_method(function, &[cls.as_object(), string, format])
}

/// `__format__` of dates and times.
pub fn format_by_strftime(this: &PyObject, args: &[&PyObject]) -> PyResult {
    let [spec] = exactly("__format__", args)?;
    if text("__format__", 1, spec)?.is_empty() {
        return Ok(this.str()?.into_object());
    }
    this.call_method(identifier!("strftime"), &[spec])
}

pub static STRFTIME: Signature = signature("strftime", &["format"], 1, 1);

static NEW: Signature = signature("", &["year", "month", "day"], 3, 3);
static FROM_ISO_CALENDAR: Signature = signature("fromisocalendar", &["year", "week", "day"], 3, 3);

fn of_state(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult<Option<Ref>> {
    let [state] = args else { return Ok(None) };
    match state_bytes(state, "date", |month| (1..=12).contains(&month), 2)? {
        Some(bytes) => date_of_bytes(cls, bytes).map(Some),
        None => Ok(None),
    }
}

fn of_parts(cls: &PyTypeObject, parts: [Option<&PyObject>; 3]) -> PyResult {
    let mut date = [0; 3];
    for (number, part) in date.iter_mut().zip(parts) {
        *number = c_int_of(part.unwrap_or(none()))?;
    }
    new_date_in(cls, date)
}

#[pytype(name = "datetime.date", static_name = DATE_TYPE, flags = BASETYPE, dealloc = inherit)]
/// date(year, month, day) --> date object
impl Date {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        match of_state(cls, args.as_slice())? {
            Some(date) => Ok(date),
            None => of_parts(cls, bind(&NEW, args, kwargs)?),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        match of_state(cls, args)? {
            Some(date) => Ok(date),
            None => of_parts(cls, bind_vector(&NEW, args, kwnames)?),
        }
    }
    #[slot]
    fn tp_repr(&self) -> String {
        let [year, month, day] = self.ymd();
        format!(
            "{}({year}, {month}, {day})",
            self.as_object().ty().full_name()
        )
    }
    #[slot]
    fn tp_str(&self) -> PyResult {
        self.as_object().call_method(identifier!("isoformat"), &[])
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        if self.hashcode.get() == -1 {
            self.hashcode.set(hash_bytes(&bytes_of(&self.data)));
        }
        Ok(self.hashcode.get())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        // A datetime is a date, but neither compares with the other.
        match plain_date(other) {
            Some(other) => Ok(py_bool(op.holds(bytes_of(&self.data).cmp(&bytes_of(&other.data))))),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_add(a: &PyObject, b: &PyObject) -> PyResult {
        let is_datetime = |object: &PyObject| object.downcast::<DateTime>().is_some();
        if is_datetime(a) || is_datetime(b) {
            return Ok(not_implemented().to_ref());
        }
        let (date, delta) = match a.downcast::<Date>() {
            Some(date) => (Some(date), b),
            None => (b.downcast::<Date>(), a),
        };
        match (date, delta.downcast::<Delta>()) {
            (Some(date), Some(delta)) => shifted(date, delta, 1),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn nb_subtract(a: &PyObject, b: &PyObject) -> PyResult {
        let Some(date) = plain_date(a) else {
            return Ok(not_implemented().to_ref());
        };
        if let Some(other) = plain_date(b) {
            let days = ordinal(date.ymd()) - ordinal(other.ymd());
            return Ok(new_delta(days, 0, 0)?.into_object());
        }
        match b.downcast::<Delta>() {
            Some(delta) => shifted(date, delta, -1),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[getter]
    fn year(&self) -> i32 {
        self.ymd()[0]
    }
    #[getter]
    fn month(&self) -> i32 {
        self.ymd()[1]
    }
    #[getter]
    fn day(&self) -> i32 {
        self.ymd()[2]
    }
    /// Create a date from a POSIX timestamp.
    ///
    /// The timestamp is a number, e.g. created via time.time(), that is
    /// interpreted as local time.
    #[classmethod("($type, timestamp, /)")]
    fn fromtimestamp(cls: &PyTypeObject, timestamp: &PyObject) -> PyResult {
        date_from_timestamp(cls, timestamp)
    }
    /// int -> date corresponding to a proleptic Gregorian ordinal.
    #[classmethod(raw, "(...)")]
    fn fromordinal(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
        let [number] = exactly("fromordinal", args)?;
        let number = c_int_of(number)?;
        if number < 1 {
            return Err(raise!(ValueError, "ordinal must be >= 1"));
        }
        make_date(cls, from_ordinal(number.into()))
    }
    /// str -> Construct a date from a string in ISO 8601 format.
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        let text = parse::ascii_of(parse::text_of(object)?);
        let date = match text.len() {
            7 | 8 | 10 => parse::date(&text),
            _ => None,
        };
        make_date(cls, date.ok_or_else(|| parse::invalid(object))?)
    }
    /// int, int, int -> Construct a date from the ISO year, week number and weekday.
    ///
    /// This is the inverse of the date.isocalendar() function
    #[classmethod(raw, "(...)")]
    fn fromisocalendar(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let parts: [_; 3] = bind_vector(&FROM_ISO_CALENDAR, args, kwnames)?;
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = match c_int_of(part.unwrap_or(none())) {
                Err(raised) if raised.matches(adder_runtime::exceptions::exc::OverflowError) => {
                    raised.clear();
                    return Err(raise!(ValueError, "ISO calendar component out of range"));
                }
                number => number?,
            };
        }
        let [year, week, weekday] = numbers;
        let date = from_iso_calendar(numbers).map_err(|error| match error {
            IsoError::Year => year_out_of_range(year),
            IsoError::Week => raise!(ValueError, "Invalid week: {week}"),
            IsoError::Weekday => raise!(ValueError, "Invalid weekday: {weekday} (range is [1, 7])"),
        })?;
        make_date(cls, date)
    }
    /// string, format -> new date parsed from a string (like time.strptime()).
    #[classmethod(raw, "(...)", name = "strptime")]
    fn parsed(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
        strptime(identifier!("_strptime_datetime_date"), cls, args)
    }
    /// Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).
    #[classmethod("($type, /)")]
    fn today(cls: &PyTypeObject) -> PyResult {
        if std::ptr::eq(cls, &DATE_TYPE) {
            let tm = local::Clock::Local.read(local::now()?.0)?;
            return new_date_in(cls, local::date_of(&tm));
        }
        let now = hooks::import_module("time")?.call_method(identifier!("time"), &[])?;
        cls.as_object().call_method(identifier!("fromtimestamp"), &[&now])
    }
    /// Return ctime() style string.
    #[method("($self, /)")]
    fn ctime(&self) -> String {
        format::ctime(self.ymd(), [0; 4])
    }
    /// format -> strftime() style string.
    #[method(raw, "(...)")]
    fn strftime(this: &PyObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [format]: [_; 1] = bind_vector(&STRFTIME, args, kwnames)?;
        let format = text("strftime", 1, format.unwrap_or(none()))?;
        let tuple = this.call_method(identifier!("timetuple"), &[])?;
        format::strftime(this, format, &tuple)
    }
    /// Formats self with strftime.
    #[method(raw, "(...)")]
    fn __format__(this: &PyObject, args: &[&PyObject]) -> PyResult {
        format_by_strftime(this, args)
    }
    /// Return time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn timetuple(&self) -> PyResult {
        struct_time(self.ymd(), [0; 4], -1)
    }
    /// Return a named tuple containing ISO year, week number, and weekday.
    #[method("($self, /)")]
    fn isocalendar(&self) -> PyResult {
        let parts = iso_calendar(self.ymd()).map(|part| PyLongObject::from_i64(part.into()));
        let [year, week, weekday] = &parts;
        IsoCalendarDate::make(
            &ISO_CALENDAR_DATE_TYPE,
            &[year.as_object(), week.as_object(), weekday.as_object()],
        )
    }
    /// Return string in ISO 8601 format, YYYY-MM-DD.
    #[method("($self, /)")]
    fn isoformat(&self) -> String {
        let mut text = String::with_capacity(10);
        format::push_date(&mut text, self.ymd());
        text
    }
    /// Return the day of the week represented by the date.
    /// Monday == 1 ... Sunday == 7
    #[method("($self, /)")]
    fn isoweekday(&self) -> i32 {
        weekday(self.ymd()) + 1
    }
    /// Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.
    #[method("($self, /)")]
    fn toordinal(&self) -> i64 {
        ordinal(self.ymd())
    }
    /// Return the day of the week represented by the date.
    /// Monday == 0 ... Sunday == 6
    #[method("($self, /)", name = "weekday")]
    fn day_of_week(&self) -> i32 {
        weekday(self.ymd())
    }
    /// Return date with new specified fields.
    #[method("($self, /, year=unchanged, month=unchanged, day=unchanged)")]
    fn replace(&self, year: Option<i32>, month: Option<i32>, day: Option<i32>) -> PyResult {
        let old = self.ymd();
        let date = [
            year.unwrap_or(old[0]),
            month.unwrap_or(old[1]),
            day.unwrap_or(old[2]),
        ];
        make_date(self.as_object().ty(), date)
    }
    /// The same as replace().
    #[method(raw, "($self, /, **changes)")]
    fn __replace__(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let fields: [_; 3] = bind_vector(&REPLACE, args, kwnames)?;
        let mut date = self.ymd();
        for (number, field) in date.iter_mut().zip(fields) {
            *number = super::arguments::c_int_or(field, *number)?;
        }
        make_date(self.as_object().ty(), date)
    }
    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let state = PyBytesObject::from_slice(&bytes_of(&self.data));
        let state = PyTupleObject::from_slice(&[state.as_object()]);
        PyTupleObject::from_slice(&[self.as_object().ty().as_object(), state.as_object()])
    }
}

static REPLACE: Signature = signature("replace", &["year", "month", "day"], 3, 0);

pub fn date_from_timestamp(cls: &PyTypeObject, timestamp: &PyObject) -> PyResult {
    let tm = local::Clock::Local.read(local::timestamp_seconds(timestamp)?)?;
    make_date(cls, local::date_of(&tm))
}

/// The result of `isocalendar()`: a tuple of three with names.
#[repr(transparent)]
pub struct IsoCalendarDate(PyTupleObject);

impl IsoCalendarDate {
    fn make(cls: &PyTypeObject, parts: &[&PyObject; 3]) -> PyResult {
        PyTupleObject::in_subclass(cls, parts)
    }
    fn part(&self, at: usize) -> PyResult {
        self.0
            .get(at)
            .ok_or_else(|| raise!(IndexError, "tuple index out of range"))
    }
}

#[pytype(
    name = "datetime.IsoCalendarDate",
    static_name = ISO_CALENDAR_DATE_TYPE,
    base = PyTuple_Type,
    flags = TUPLE_SUBCLASS | SEQUENCE,
    basicsize = PyTupleObject::ITEMS_OFFSET,
    itemsize = size_of::<*mut PyObject>(),
    dealloc = inherit,
)]
/// The result of date.isocalendar() or datetime.isocalendar()
///
/// This object may be accessed either as a tuple of
///   ((year, week, weekday)
/// or via the object attributes as named in the above tuple.
impl IsoCalendarDate {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let parts: [_; 3] = bind(&ISO_CALENDAR_DATE, args, kwargs)?;
        IsoCalendarDate::make(cls, &parts.map(|part| part.unwrap_or(none())))
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let class = self.as_object().ty().full_name();
        let shown = |at| -> PyResult<String> { Ok(self.part(at)?.str()?.to_string_lossy()) };
        let (year, week, weekday) = (shown(0)?, shown(1)?, shown(2)?);
        Ok(format!("{class}(year={year}, week={week}, weekday={weekday})"))
    }
    #[getter]
    fn year(&self) -> PyResult {
        self.part(0)
    }
    #[getter]
    fn week(&self) -> PyResult {
        self.part(1)
    }
    #[getter]
    fn weekday(&self) -> PyResult {
        self.part(2)
    }
    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        // Without this type, which programs cannot name.
        let items = PyTupleObject::from_slice(self.0.as_slice());
        let state = PyTupleObject::from_slice(&[items.as_object()]);
        PyTupleObject::from_slice(&[PyTuple_Type.as_object(), state.as_object()])
    }
}

static ISO_CALENDAR_DATE: Signature = signature("IsoCalendarDate", &["year", "week", "weekday"], 3, 3);

/// The attributes of the type that are dates.
pub fn add_attributes() -> PyResult<()> {
    super::add_attribute(&DATE_TYPE, "min", new_date_in(&DATE_TYPE, [1, 1, 1])?)?;
    super::add_attribute(&DATE_TYPE, "max", new_date_in(&DATE_TYPE, [9999, 12, 31])?)?;
    super::add_attribute(&DATE_TYPE, "resolution", new_delta(1, 0, 0)?.into_object())
}
