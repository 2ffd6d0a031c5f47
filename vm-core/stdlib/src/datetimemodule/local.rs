//! Seconds since the epoch <-> local time, by the C library; both directions of a fold and of a gap.

use super::calendar::{MAX_YEAR, MIN_YEAR, Ymd, ordinal, year_out_of_range};
use crate::posixmodule::path::errno;
use crate::pytime::{Rounding, seconds_and_part, whole_seconds};
use adder_runtime::prelude::*;

/// Seconds from the start of year 0 (as ordinals count) to 1970.
pub const EPOCH_S: i64 = 719_163 * 86_400;
/// No zone's clock goes back by more.
const MAX_FOLD_S: i64 = 24 * 3600;

#[cold]
fn os_error() -> Raised {
    let error = match errno() {
        0 => libc::EINVAL,
        error => error,
    };
    adder_runtime::exceptions::os_error_from_errno(error, None, None)
}

/// How seconds since the epoch become a date and time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Local,
    Utc,
}

impl Clock {
    pub fn read(self, seconds: i64) -> PyResult<libc::tm> {
        // SAFETY: a struct of numbers and a pointer, which the call fills.
        let mut tm: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both are there during the call.
        let done = unsafe {
            match self {
                Clock::Local => libc::localtime_r(&seconds, &mut tm),
                Clock::Utc => libc::gmtime_r(&seconds, &mut tm),
            }
        };
        if done.is_null() { Err(os_error()) } else { Ok(tm) }
    }
}

pub fn date_of(tm: &libc::tm) -> Ymd {
    [tm.tm_year.saturating_add(1900), tm.tm_mon + 1, tm.tm_mday]
}

/// Seconds since the start of year 0 of a date and seconds of the day.
pub fn seconds_at(date: Ymd, hour: i32, minute: i32, second: i32) -> PyResult<i64> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&date[0]) {
        return Err(year_out_of_range(date[0]));
    }
    Ok(ordinal(date) * 86_400 + i64::from(hour * 3600 + minute * 60 + second))
}

/// What a local clock shows at seconds since the start of year 0, in such seconds.
pub fn local(seconds: i64) -> PyResult<i64> {
    let tm = Clock::Local.read(seconds - EPOCH_S)?;
    seconds_at(date_of(&tm), tm.tm_hour, tm.tm_min, tm.tm_sec)
}

/// The seconds since the start of year 0 at which a local clock shows `shown`. In a fold the second such time for `fold`; in
/// a gap what the clock would show with the offset after it, or before it for `fold`.
pub fn utc_of_local(shown: i64, fold: u8) -> PyResult<i64> {
    let a = local(shown)? - shown;
    let first = shown - a;
    let at_first = local(first)?;
    let b = if at_first == shown {
        // A solution; an earlier or later one may be meant.
        let probe = if fold != 0 { first + MAX_FOLD_S } else { first - MAX_FOLD_S };
        let b = local(probe)? - probe;
        if a == b {
            return Ok(first);
        }
        b
    } else {
        at_first - first
    };
    let second = shown - b;
    if local(second)? == shown {
        return Ok(second);
    }
    if at_first == shown {
        return Ok(first);
    }
    Ok(if fold != 0 { first.min(second) } else { first.max(second) })
}

/// Whether a local time is the second of two that look alike; `shown` is what the clock shows at `seconds` since the epoch.
pub fn fold_of(seconds: i64, shown: i64) -> PyResult<u8> {
    let before = local(EPOCH_S + seconds - MAX_FOLD_S)?;
    let transition = shown - before - MAX_FOLD_S;
    if transition >= 0 {
        return Ok(0);
    }
    Ok((local(EPOCH_S + seconds + transition)? == shown).into())
}

/// Now: seconds since the epoch and microseconds.
pub fn now() -> PyResult<(i64, i32)> {
    let ns = crate::timemodule::clocks::clock_ns(libc::CLOCK_REALTIME)?;
    Ok((
        ns.div_euclid(1_000_000_000),
        (ns.rem_euclid(1_000_000_000) / 1000) as i32,
    ))
}

/// A timestamp as whole seconds, rounded down.
pub fn timestamp_seconds(object: &PyObject) -> PyResult<i64> {
    whole_seconds(object, Rounding::Floor)
}

/// A timestamp as seconds and microseconds, rounded half to even.
pub fn timestamp_us(object: &PyObject) -> PyResult<(i64, i32)> {
    seconds_and_part(object, 1_000_000, Rounding::HalfEven)
}
