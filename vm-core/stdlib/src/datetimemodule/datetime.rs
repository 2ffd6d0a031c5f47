//! `datetime`: what it is made of, made from, and how it moves and compares. The methods of Python are in `datetime_type`.

use super::arguments::{c_int_of, c_int_or, state_bytes, state_zone, zone_of};
use super::calendar::{
    Hms, Ymd, check_date, check_time, checked_from_ordinal, hms_of_us, ordinal, seconds_of,
};
use super::date::{bytes_of, date_bytes, set_bytes, ymd_of};
use super::delta::{Delta, new_delta};
use super::local::{Clock, EPOCH_S, date_of, fold_of, seconds_at, utc_of_local};
use super::time::{hms_of, time_bytes};
use super::zone::{TimeZone, ask_utcoffset, utc};
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cmp::Ordering;
use std::ffi::CStr;
use std::ptr::null_mut;

pub use super::datetime_type::DATETIME_TYPE;

#[repr(transparent)]
pub struct DateTime(pub PyDateTime_DateTime);

impl std::ops::Deref for DateTime {
    type Target = PyDateTime_DateTime;
    fn deref(&self) -> &PyDateTime_DateTime {
        &self.0
    }
}

/// A datetime as it is in memory.
fn datetime_bytes(date: Ymd, time: Hms) -> [u8; 10] {
    let (date, time) = (date_bytes(date), time_bytes(time));
    std::array::from_fn(|at| if at < 4 { date[at] } else { time[at - 4] })
}

/// A datetime of this class; raises when it is out of range.
pub fn new_datetime_in(cls: &PyTypeObject, date: Ymd, time: Hms, zone: Option<&PyObject>, fold: i32) -> PyResult {
    check_date(date)?;
    check_time(time, fold)?;
    let zone = zone_of(zone)?;
    datetime_of_bytes(cls, datetime_bytes(date, time), zone, fold as u8)
}

fn datetime_of_bytes(cls: &PyTypeObject, bytes: [u8; 10], zone: Option<&PyObject>, fold: u8) -> PyResult {
    let owned_zone = || zone.map_or(null_mut(), |zone| zone.to_ref().into_raw());
    if std::ptr::eq(cls, &DATETIME_TYPE) {
        let datetime = DateTime(PyDateTime_DateTime {
            ob_base: blank_header(),
            hashcode: Cell::new(-1),
            hastzinfo: Cell::new(zone.is_some().into()),
            data: bytes.map(Cell::new),
            fold: Cell::new(fold),
            tzinfo: Cell::new(owned_zone()),
        });
        return Ok(Ref::new(datetime)?.into_object());
    }
    let object = cls.alloc_instance(0)?;
    // SAFETY: a fresh instance of a subclass.
    let datetime: &DateTime = unsafe { object.cast_unchecked() };
    datetime.hashcode.set(-1);
    datetime.hastzinfo.set(zone.is_some().into());
    set_bytes(&datetime.data, bytes);
    datetime.fold.set(fold);
    datetime.tzinfo.set(owned_zone());
    Ok(object)
}

/// What a class makes of a datetime: a subclass is called.
pub fn make_datetime(cls: &PyTypeObject, date: Ymd, time: Hms, zone: Option<&PyObject>, fold: i32) -> PyResult {
    if std::ptr::eq(cls, &DATETIME_TYPE) {
        return new_datetime_in(cls, date, time, zone, fold);
    }
    let parts: Vec<Ref<PyLongObject>> = date
        .iter()
        .chain(&time)
        .map(|part| PyLongObject::from_i64((*part).into()))
        .collect();
    let mut args: Vec<&PyObject> = parts.iter().map(|part| part.as_object()).collect();
    args.push(zone.unwrap_or(none()));
    let made = cls.as_object().call(&args)?;
    if let Some(made) = (*made).downcast::<DateTime>()
        && fold != 0
    {
        check_time(time, fold)?;
        made.fold.set(fold as u8);
    }
    Ok(made)
}

/// A pickled state: the bytes, with the fold in the month's highest bit, and the zone.
pub fn of_state(cls: &PyTypeObject, args: &[&PyObject]) -> PyResult<Option<Ref>> {
    if !(1..=2).contains(&args.len()) {
        return Ok(None);
    }
    let is_month = |month: u8| (1..=12).contains(&(month & 0x7F));
    let Some(mut bytes) = state_bytes::<10>(args[0], "datetime", is_month, 2)? else {
        return Ok(None);
    };
    let zone = state_zone(args.get(1).copied())?;
    let fold = bytes[2] >> 7;
    bytes[2] &= 0x7F;
    datetime_of_bytes(cls, bytes, zone, fold).map(Some)
}

/// From what the constructor's parameters were given.
pub fn of_parts(cls: &PyTypeObject, parts: [Option<&PyObject>; 9]) -> PyResult {
    let (mut date, mut time) = ([0; 3], [0; 4]);
    for (number, part) in date.iter_mut().zip(parts) {
        *number = c_int_of(part.unwrap_or(none()))?;
    }
    for (number, part) in time.iter_mut().zip(&parts[3..]) {
        *number = c_int_or(*part, 0)?;
    }
    new_datetime_in(cls, date, time, parts[7], c_int_or(parts[8], 0)?)
}

/// What a clock shows at a time since the epoch.
pub fn at_timestamp(cls: &PyTypeObject, clock: Clock, (seconds, us): (i64, i32), zone: Option<&PyObject>) -> PyResult {
    let tm = clock.read(seconds)?;
    let date = date_of(&tm);
    // A leap second is shown as the second before it.
    let time = [tm.tm_hour, tm.tm_min, tm.tm_sec.min(59), us];
    let mut fold = 0;
    if zone.is_none() && clock == Clock::Local {
        let shown = seconds_at(date, time[0], time[1], time[2])?;
        fold = fold_of(seconds, shown)?;
    }
    make_datetime(cls, date, time, zone, fold.into())
}

/// A time since the epoch in a zone, which turns UTC into its own time; without one, in local time.
pub fn in_zone(cls: &PyTypeObject, timestamp: (i64, i32), zone: Option<&PyObject>) -> PyResult {
    match zone {
        None => at_timestamp(cls, Clock::Local, timestamp, None),
        Some(zone) => {
            let datetime = at_timestamp(cls, Clock::Utc, timestamp, Some(zone))?;
            zone.call_method(identifier!("fromutc"), &[&datetime])
        }
    }
}

/// The local time zone at a time since the epoch: its offset and name then.
fn local_zone(seconds: i64) -> PyResult<Ref<TimeZone>> {
    let tm = Clock::Local.read(seconds)?;
    let offset = new_delta(0, tm.tm_gmtoff, 0)?;
    if tm.tm_zone.is_null() {
        return TimeZone::make(&offset, None);
    }
    // SAFETY: the C library's text, which outlives this.
    let name = unsafe { CStr::from_ptr(tm.tm_zone) };
    let name = crate::posixmodule::path::fs_decode(name.to_bytes())?;
    TimeZone::create(&offset, Some(&name))
}

/// Whether two zones are one object, or both there is none.
fn is_same_zone(a: &DateTime, b: &DateTime) -> bool {
    a.zone().map(PyObject::as_ptr) == b.zone().map(PyObject::as_ptr)
}

/// The offsets of two datetimes, which need not be asked for in one zone.
type Offsets = (Option<Ref<Delta>>, Option<Ref<Delta>>);

impl DateTime {
    pub fn ymd(&self) -> Ymd {
        ymd_of(&self.data)
    }
    pub fn hms(&self) -> Hms {
        hms_of(&self.data[4..])
    }
    pub fn zone(&self) -> Option<&PyObject> {
        // SAFETY: with the flag the datetime owns an object.
        (self.hastzinfo.get() != 0)
            .then(|| unsafe { self.tzinfo.get().as_ref() })
            .flatten()
    }
    pub fn utc_offset(&self) -> PyResult<Option<Ref<Delta>>> {
        ask_utcoffset(self.zone(), self.as_object())
    }
    pub fn fold_value(&self) -> i32 {
        self.fold.get().into()
    }
    fn seconds_of_day(&self) -> i64 {
        seconds_of(self.hms()).into()
    }
    /// Date and time of the moment `sign` times a timedelta later.
    pub fn moved(&self, delta: &Delta, sign: i64) -> PyResult<(Ymd, Hms)> {
        const US_PER_DAY: i64 = 86_400_000_000;
        let (days, seconds, us) = delta.parts();
        let seconds = self.seconds_of_day() + sign * i64::from(seconds);
        let us = seconds * 1_000_000 + i64::from(self.hms()[3]) + sign * i64::from(us);
        let day = ordinal(self.ymd()) + sign * i64::from(days) + us.div_euclid(US_PER_DAY);
        Ok((
            checked_from_ordinal(day)?,
            hms_of_us(us.rem_euclid(US_PER_DAY)),
        ))
    }
    /// The datetime `sign` times a timedelta later, of the same class and zone.
    pub fn shifted(&self, delta: &Delta, sign: i64) -> PyResult {
        let (date, time) = self.moved(delta, sign)?;
        make_datetime(self.as_object().ty(), date, time, self.zone(), 0)
    }
    fn offsets(&self, other: &DateTime) -> PyResult<Offsets> {
        if is_same_zone(self, other) {
            return Ok((None, None));
        }
        Ok((self.utc_offset()?, other.utc_offset()?))
    }
    pub fn minus(&self, other: &DateTime) -> PyResult<Ref<Delta>> {
        let offsets = self.offsets(other)?;
        if offsets.0.is_some() != offsets.1.is_some() {
            return Err(raise!(
                TypeError,
                "can't subtract offset-naive and offset-aware datetimes"
            ));
        }
        let difference = new_delta(
            ordinal(self.ymd()) - ordinal(other.ymd()),
            self.seconds_of_day() - other.seconds_of_day(),
            i64::from(self.hms()[3]) - i64::from(other.hms()[3]),
        )?;
        match offsets {
            (Some(a), Some(b)) if a.parts() != b.parts() => difference.minus(&*a.minus(&b)?),
            _ => Ok(difference),
        }
    }
    /// The same wall time with the other fold.
    fn flipped_offset(&self) -> PyResult<Option<Ref<Delta>>> {
        let fold = i32::from(self.fold.get() == 0);
        let flipped = new_datetime_in(&DATETIME_TYPE, self.ymd(), self.hms(), self.zone(), fold)?;
        ask_utcoffset(self.zone(), &flipped)
    }
    /// Whether the offset depends on the fold: such a time equals none of another zone (PEP 495).
    fn is_problematic(&self, offset: &Option<Ref<Delta>>) -> PyResult<bool> {
        let flipped = self.flipped_offset()?;
        Ok(flipped.as_ref().map(|delta| delta.parts()) != offset.as_ref().map(|delta| delta.parts()))
    }
    pub fn compare(&self, other: &DateTime, op: CompareOp) -> PyResult {
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        let by_fields = || bytes_of(&self.data).cmp(&bytes_of(&other.data));
        if is_same_zone(self, other) {
            return Ok(py_bool(op.holds(by_fields())));
        }
        let offsets = (self.utc_offset()?, other.utc_offset()?);
        let mut order = match &offsets {
            (None, None) => by_fields(),
            (Some(a), Some(b)) if a.parts() == b.parts() => by_fields(),
            (Some(_), Some(_)) => self.minus(other)?.parts().cmp(&(0, 0, 0)),
            _ if is_equality => return Ok(py_bool(op == CompareOp::Ne)),
            _ => {
                return Err(raise!(
                    TypeError,
                    "can't compare offset-naive and offset-aware datetimes"
                ));
            }
        };
        if is_equality
            && order == Ordering::Equal
            && (self.is_problematic(&offsets.0)? || other.is_problematic(&offsets.1)?)
        {
            order = Ordering::Greater;
        }
        Ok(py_bool(op.holds(order)))
    }
    pub fn hash_value(&self) -> PyResult<Py_hash_t> {
        if self.hashcode.get() != -1 {
            return Ok(self.hashcode.get());
        }
        // Equal datetimes have equal hashes, whatever their fold.
        let offset = match (self.zone(), self.fold.get()) {
            (None, _) => None,
            (Some(_), 0) => self.utc_offset()?,
            (Some(_), _) => self.flipped_offset()?,
        };
        let hash = match offset {
            None => adder_runtime::pyhash::hash_bytes(&bytes_of(&self.data)),
            Some(offset) => {
                let us = self.hms()[3].into();
                let since = new_delta(ordinal(self.ymd()), self.seconds_of_day(), us)?;
                since.minus(&offset)?.hash_value()?
            }
        };
        self.hashcode.set(hash);
        Ok(hash)
    }
    /// Seconds since the start of year 0 at which a local clock shows this.
    fn local_seconds(&self, fold: u8) -> PyResult<i64> {
        let [hour, minute, second, _] = self.hms();
        let shown = seconds_at(self.ymd(), hour, minute, second)?;
        utc_of_local(shown, fold)
    }
    /// The local zone when a local clock shows this; in a gap, of the side that the fold stands for.
    fn own_local_zone(&self) -> PyResult<Ref<TimeZone>> {
        let fold = self.fold.get();
        let (this, other) = (self.local_seconds(fold)?, self.local_seconds(1 - fold.min(1))?);
        let is_gap = this != other && (other > this) == (fold != 0);
        local_zone(if is_gap { other } else { this } - EPOCH_S)
    }
    pub fn posix_timestamp(&self) -> PyResult<f64> {
        if self.zone().is_none() {
            let seconds = self.local_seconds(self.fold.get())? - EPOCH_S;
            return Ok(seconds as f64 + f64::from(self.hms()[3]) / 1e6);
        }
        let utc = utc()?;
        let epoch = new_datetime_in(
            &DATETIME_TYPE,
            [1970, 1, 1],
            [0; 4],
            Some(utc.as_object()),
            0,
        )?;
        match (*epoch).downcast::<DateTime>() {
            Some(epoch) => self.minus(epoch)?.seconds_f64(),
            None => Err(raise!(SystemError, "the epoch is no datetime")),
        }
    }
    /// The same moment in another zone, or in the local one.
    pub fn in_other_zone(&self, zone: Option<&PyObject>) -> PyResult {
        let is_asked = |own: &PyObject| zone.is_some_and(|zone| zone.is(own));
        let mut offset = None;
        if let Some(own) = self.zone() {
            if is_asked(own) {
                return Ok(self.as_object().to_ref());
            }
            offset = self.utc_offset()?;
        }
        let offset = match offset {
            Some(offset) => offset,
            // Naive: local time.
            None => {
                let own = self.own_local_zone()?;
                if is_asked(own.as_object()) {
                    return Ok(self.as_object().to_ref());
                }
                match ask_utcoffset(Some(own.as_object()), self.as_object())? {
                    Some(offset) => offset,
                    None => return Err(raise!(SystemError, "a timezone without offset")),
                }
            }
        };
        let (date, time) = self.moved(&offset, -1)?;
        let local_zone_then;
        let zone = match zone {
            Some(zone) => zone,
            None => {
                let [hour, minute, second, _] = time;
                let seconds = seconds_at(date, hour, minute, second)?;
                local_zone_then = local_zone(seconds - EPOCH_S)?;
                local_zone_then.as_object()
            }
        };
        let utc_time = make_datetime(self.as_object().ty(), date, time, Some(zone), 0)?;
        zone.call_method(identifier!("fromutc"), &[&utc_time])
    }
    pub fn state(&self, protocol: i32) -> Ref<PyTupleObject> {
        let mut bytes = bytes_of(&self.data);
        if protocol > 3 && self.fold.get() != 0 {
            bytes[2] |= 0x80;
        }
        let bytes = PyBytesObject::from_slice(&bytes);
        let state = match self.zone() {
            None => PyTupleObject::from_slice(&[bytes.as_object()]),
            Some(zone) => PyTupleObject::from_slice(&[bytes.as_object(), zone]),
        };
        PyTupleObject::from_slice(&[self.as_object().ty().as_object(), state.as_object()])
    }
}
