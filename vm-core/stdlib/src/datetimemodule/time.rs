//! `time`: a time of day, with a time zone or without.

use super::arguments::{
    bind, bind_vector, c_int_of, c_int_or, exactly, signature, state_bytes, state_zone, text, zone_of,
};
use super::calendar::{Hms, check_time, seconds_of};
use super::date::{STRFTIME, bytes_of, format_by_strftime, set_bytes, strptime};
use super::delta::{Delta, new_delta};
use super::zone::{ask_dst, ask_name, ask_utcoffset, dealloc_with_zone};
use super::{format, parse};
use adder_runtime::args::Signature;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use adder_runtime::pyhash::hash_bytes;
use std::ptr::null_mut;

#[repr(transparent)]
pub struct Time(PyDateTime_Time);

impl std::ops::Deref for Time {
    type Target = PyDateTime_Time;
    fn deref(&self) -> &PyDateTime_Time {
        &self.0
    }
}

/// A time of day as it is in memory, the microseconds big-endian.
pub fn time_bytes([hour, minute, second, us]: Hms) -> [u8; 6] {
    let [_, a, b, c] = us.to_be_bytes();
    [hour as u8, minute as u8, second as u8, a, b, c]
}

pub fn hms_of(data: &[Cell<u8>]) -> Hms {
    let byte = |at: usize| i32::from(data[at].get());
    [
        byte(0),
        byte(1),
        byte(2),
        byte(3) << 16 | byte(4) << 8 | byte(5),
    ]
}

impl Time {
    pub fn hms(&self) -> Hms {
        hms_of(&self.data)
    }
    pub fn zone(&self) -> Option<&PyObject> {
        // SAFETY: with the flag the time owns an object.
        (self.hastzinfo.get() != 0)
            .then(|| unsafe { self.tzinfo.get().as_ref() })
            .flatten()
    }
    fn utc_offset(&self) -> PyResult<Option<Ref<Delta>>> {
        ask_utcoffset(self.zone(), none())
    }
    fn replaced(&self, fields: [Option<&PyObject>; 6]) -> PyResult {
        let mut time = self.hms();
        for (number, field) in time.iter_mut().zip(fields) {
            *number = c_int_or(field, *number)?;
        }
        let fold = c_int_or(fields[5], self.fold.get().into())?;
        let zone = match fields[4] {
            None => self.zone(),
            given => zone_of(given)?,
        };
        make_time(self.as_object().ty(), time, zone, fold)
    }
    fn state(&self, protocol: i32) -> Ref<PyTupleObject> {
        let mut bytes = bytes_of(&self.data);
        if protocol > 3 && self.fold.get() != 0 {
            bytes[0] |= 0x80;
        }
        let bytes = PyBytesObject::from_slice(&bytes);
        let state = match self.zone() {
            None => PyTupleObject::from_slice(&[bytes.as_object()]),
            Some(zone) => PyTupleObject::from_slice(&[bytes.as_object(), zone]),
        };
        PyTupleObject::from_slice(&[self.as_object().ty().as_object(), state.as_object()])
    }
}

/// A time of this class; raises when it is out of range.
pub fn new_time_in(cls: &PyTypeObject, time: Hms, zone: Option<&PyObject>, fold: i32) -> PyResult {
    check_time(time, fold)?;
    let zone = zone_of(zone)?;
    time_of_bytes(cls, time_bytes(time), zone, fold as u8)
}

fn time_of_bytes(cls: &PyTypeObject, bytes: [u8; 6], zone: Option<&PyObject>, fold: u8) -> PyResult {
    let owned_zone = || zone.map_or(null_mut(), |zone| zone.to_ref().into_raw());
    if std::ptr::eq(cls, &TIME_TYPE) {
        let time = Time(PyDateTime_Time {
            ob_base: blank_header(),
            hashcode: Cell::new(-1),
            hastzinfo: Cell::new(zone.is_some().into()),
            data: bytes.map(Cell::new),
            fold: Cell::new(fold),
            tzinfo: Cell::new(owned_zone()),
        });
        return Ok(Ref::new(time)?.into_object());
    }
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of a subclass.
    let time: &Time = unsafe { object.cast_unchecked() };
    time.hashcode.set(-1);
    time.hastzinfo.set(zone.is_some().into());
    set_bytes(&time.data, bytes);
    time.fold.set(fold);
    time.tzinfo.set(owned_zone());
    Ok(object)
}

/// What a class makes of a time: a subclass is called.
fn make_time(cls: &PyTypeObject, time: Hms, zone: Option<&PyObject>, fold: i32) -> PyResult {
    if std::ptr::eq(cls, &TIME_TYPE) {
        return new_time_in(cls, time, zone, fold);
    }
    let parts = time.map(|part| PyLongObject::from_i64(part.into()));
    let mut args: Vec<&PyObject> = parts.iter().map(|part| part.as_object()).collect();
    args.push(zone.unwrap_or(none()));
    let made = cls.as_object().call(&args)?;
    if let Some(made) = (*made).downcast::<Time>()
        && fold != 0
    {
        check_time(time, fold)?;
        made.fold.set(fold as u8);
    }
    Ok(made)
}

static NEW: Signature = signature(
    "",
    &["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    5,
    0,
);
static REPLACE: Signature = signature(
    "replace",
    &["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    5,
    0,
);
static ISO_FORMAT: Signature = signature("isoformat", &["timespec"], 1, 0);

fn of_state(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult<Option<Ref>> {
    if !(1..=2).contains(&args.len()) {
        return Ok(None);
    }
    let Some(mut bytes) = state_bytes::<6>(args[0], "time", |hour| hour & 0x7F < 24, 0)? else {
        return Ok(None);
    };
    let zone = state_zone(args.get(1).copied())?;
    let fold = bytes[0] >> 7;
    bytes[0] &= 0x7F;
    time_of_bytes(cls, bytes, zone, fold).map(Some)
}

fn of_parts(cls: &PyTypeObject, parts: [Option<&PyObject>; 6]) -> PyResult {
    let mut time = [0; 4];
    for (number, part) in time.iter_mut().zip(parts) {
        *number = c_int_or(part, 0)?;
    }
    new_time_in(cls, time, parts[4], c_int_or(parts[5], 0)?)
}

#[pytype(name = "datetime.time", static_name = TIME_TYPE, flags = BASETYPE)]
/// time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object
///
/// All arguments are optional. tzinfo may be None, or an instance of
/// a tzinfo subclass. The remaining arguments may be ints.
impl Time {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        match of_state(cls, args.as_slice())? {
            Some(time) => Ok(time),
            None => of_parts(cls, bind(&NEW, args, kwargs)?),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        match of_state(cls, args)? {
            Some(time) => Ok(time),
            None => of_parts(cls, bind_vector(&NEW, args, kwnames)?),
        }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the time is dead and owned its zone.
        unsafe { dealloc_with_zone(this.cast(), &(*this).0.tzinfo) }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let [hour, minute, second, us] = self.hms();
        let mut text = format!("{}({hour}, {minute}", self.as_object().ty().full_name());
        if us != 0 {
            text.push_str(&format!(", {second}, {us}"));
        } else if second != 0 {
            text.push_str(&format!(", {second}"));
        }
        if let Some(zone) = self.zone() {
            text.push_str(&format!(", tzinfo={}", zone.repr()?.to_string_lossy()));
        }
        if self.fold.get() != 0 {
            text.push_str(", fold=1");
        }
        text.push(')');
        Ok(text)
    }
    #[slot]
    fn tp_str(&self) -> PyResult {
        self.as_object().call_method(identifier!("isoformat"), &[])
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        if self.hashcode.get() != -1 {
            return Ok(self.hashcode.get());
        }
        // Equal times have equal hashes, whatever their fold.
        let first = match self.fold.get() {
            0 => self.as_object().to_ref(),
            _ => new_time_in(&TIME_TYPE, self.hms(), self.zone(), 0)?,
        };
        let offset = match (*first).downcast::<Time>() {
            Some(first) => first.utc_offset()?,
            None => None,
        };
        let hash = match offset {
            None => hash_bytes(&bytes_of(&self.data)),
            Some(offset) => {
                let time = self.hms();
                let since_midnight = new_delta(0, seconds_of(time).into(), time[3].into())?;
                since_midnight.minus(&offset)?.hash_value()?
            }
        };
        self.hashcode.set(hash);
        Ok(hash)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<Time>() else {
            return Ok(not_implemented().to_ref());
        };
        let by_fields = || {
            Ok(py_bool(
                op.holds(bytes_of(&self.data).cmp(&bytes_of(&other.data))),
            ))
        };
        if self.zone().map(PyObject::as_ptr) == other.zone().map(PyObject::as_ptr) {
            return by_fields();
        }
        match (self.utc_offset()?, other.utc_offset()?) {
            (None, None) => by_fields(),
            (Some(a), Some(b)) if a.parts() == b.parts() => by_fields(),
            (Some(a), Some(b)) => {
                let utc = |time: Hms, offset: &Delta| {
                    (
                        i64::from(seconds_of(time)) - offset.whole_seconds(),
                        time[3],
                    )
                };
                Ok(py_bool(
                    op.holds(utc(self.hms(), &a).cmp(&utc(other.hms(), &b))),
                ))
            }
            _ if matches!(op, CompareOp::Eq | CompareOp::Ne) => Ok(py_bool(op == CompareOp::Ne)),
            _ => Err(raise!(
                TypeError,
                "can't compare offset-naive and offset-aware times"
            )),
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
        self.fold.get().into()
    }
    /// string, format -> new time parsed from a string (like time.strptime()).
    #[classmethod(raw, "(...)", name = "strptime")]
    fn parsed(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult {
        strptime(identifier!("_strptime_datetime_time"), cls, args)
    }
    /// Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    ///
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[method(raw, "(...)")]
    fn isoformat(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult<String> {
        let [timespec]: [_; 1] = bind_vector(&ISO_FORMAT, args, kwnames)?;
        let timespec = timespec
            .map(|timespec| text("isoformat", 1, timespec))
            .transpose()?;
        let mut out = String::with_capacity(24);
        format::push_time(&mut out, self.hms(), timespec)?;
        format::push_utcoffset(&mut out, self.zone(), none(), ":")?;
        Ok(out)
    }
    /// format -> strftime() style string.
    #[method(raw, "(...)")]
    fn strftime(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let [format]: [_; 1] = bind_vector(&STRFTIME, args, kwnames)?;
        let format = text("strftime", 1, format.unwrap_or(none()))?;
        let [hour, minute, second, _] = self.hms();
        let fields = [1900, 1, 1, hour, minute, second, 0, 1, -1];
        let fields = fields.map(|field| PyLongObject::from_i64(field.into()).into_object());
        let tuple = PyTupleObject::from_vec(fields.into());
        format::strftime(self.as_object(), format, tuple.as_object())
    }
    /// Formats self with strftime.
    #[method(raw, "(...)")]
    fn __format__(this: &PyObject, args: &[&PyObject]) -> PyResult {
        format_by_strftime(this, args)
    }
    /// Return self.tzinfo.utcoffset(self).
    #[method("($self, /)")]
    fn utcoffset(&self) -> PyResult<Option<Ref<Delta>>> {
        self.utc_offset()
    }
    /// Return self.tzinfo.tzname(self).
    #[method("($self, /)")]
    fn tzname(&self) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        ask_name(self.zone(), none())
    }
    /// Return self.tzinfo.dst(self).
    #[method("($self, /)")]
    fn dst(&self) -> PyResult<Option<Ref<Delta>>> {
        ask_dst(self.zone(), none())
    }
    /// Return time with new specified fields.
    #[method(
        raw,
        "($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    fn replace(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        self.replaced(bind_vector(&REPLACE, args, kwnames)?)
    }
    /// The same as replace().
    #[method(raw, "($self, /, **changes)")]
    fn __replace__(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        self.replaced(bind_vector(&REPLACE, args, kwnames)?)
    }
    /// string -> time from a string in ISO 8601 format
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        let text = parse::ascii_of(parse::text_of(object)?);
        let text = text.strip_prefix(b"T").unwrap_or(&text);
        let (mut time, offset) = parse::time(text).ok_or_else(|| parse::invalid(object))?;
        if parse::is_end_of_day(time)? {
            time[0] = 0;
        }
        let zone = parse::zone(offset)?;
        make_time(cls, time, zone.as_ref().map(|zone| zone.as_object()), 0)
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

/// The attributes of the type that are times.
pub fn add_attributes() -> PyResult<()> {
    let last = [23, 59, 59, 999_999];
    super::add_attribute(&TIME_TYPE, "min", new_time_in(&TIME_TYPE, [0; 4], None, 0)?)?;
    super::add_attribute(&TIME_TYPE, "max", new_time_in(&TIME_TYPE, last, None, 0)?)?;
    super::add_attribute(&TIME_TYPE, "resolution", new_delta(0, 0, 1)?.into_object())
}
