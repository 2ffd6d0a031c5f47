//! The proleptic Gregorian calendar: year, month, day <-> ordinal, ISO weeks. Plain numbers; what is out of range raises.

use adder_runtime::prelude::*;

pub const MIN_YEAR: i32 = 1;
pub const MAX_YEAR: i32 = 9999;
/// The ordinal of 31 December 9999.
pub const MAX_ORDINAL: i64 = 3_652_059;

const DAYS_BEFORE_MONTH: [i32; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH: [i32; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Year, month, day.
pub type Ymd = [i32; 3];
/// Hour, minute, second, microsecond.
pub type Hms = [i32; 4];

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub fn days_in_month(year: i32, month: i32) -> i32 {
    if month == 2 && is_leap(year) {
        29
    } else {
        DAYS_IN_MONTH[month as usize]
    }
}

fn days_before_month(year: i32, month: i32) -> i32 {
    DAYS_BEFORE_MONTH[month as usize] + i32::from(month > 2 && is_leap(year))
}

/// Day 1 is 1 January of year 1.
pub fn ordinal([year, month, day]: Ymd) -> i64 {
    let before = year - 1;
    let days = before * 365 + before / 4 - before / 100 + before / 400;
    i64::from(days + days_before_month(year, month) + day)
}

/// The day that a positive ordinal stands for, by years that begin in March.
pub fn from_ordinal(ordinal: i64) -> Ymd {
    let days = ordinal + 305;
    let (era, in_era) = (days / 146_097, days % 146_097);
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    [year as i32, month as i32, day as i32]
}

/// Monday is 0.
pub fn weekday(day: Ymd) -> i32 {
    ((ordinal(day) + 6) % 7) as i32
}

/// 1 January is 1.
pub fn day_of_year([year, month, day]: Ymd) -> i32 {
    days_before_month(year, month) + day
}

/// The ordinal of the Monday that begins an ISO year.
pub fn iso_week1_monday(year: i32) -> i64 {
    const THURSDAY: i64 = 3;
    let first = ordinal([year, 1, 1]);
    let first_weekday = (first + 6) % 7;
    let monday = first - first_weekday;
    if first_weekday > THURSDAY { monday + 7 } else { monday }
}

/// ISO year, week and weekday (Monday is 1).
pub fn iso_calendar(day: Ymd) -> Ymd {
    let ordinal = ordinal(day);
    let mut year = day[0];
    let mut monday = iso_week1_monday(year);
    if ordinal < monday {
        year -= 1;
        monday = iso_week1_monday(year);
    } else if year < MAX_YEAR + 1 && ordinal >= iso_week1_monday(year + 1) {
        year += 1;
        monday = iso_week1_monday(year);
    }
    let days = (ordinal - monday) as i32;
    [year, days / 7 + 1, days % 7 + 1]
}

/// What is wrong with an ISO year, week and weekday.
pub enum IsoError {
    Year,
    Week,
    Weekday,
}

/// The day of an ISO year, week and weekday; it can be one after year 9999.
pub fn from_iso_calendar([year, week, weekday]: Ymd) -> Result<Ymd, IsoError> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(IsoError::Year);
    }
    if !(1..=52).contains(&week) {
        // A year has 53 weeks when it begins on a Thursday, or is a leap year that begins on a Wednesday.
        let first = self::weekday([year, 1, 1]);
        let is_long = first == 3 || first == 2 && is_leap(year);
        if week != 53 || !is_long {
            return Err(IsoError::Week);
        }
    }
    if !(1..=7).contains(&weekday) {
        return Err(IsoError::Weekday);
    }
    let days = (week - 1) * 7 + weekday - 1;
    Ok(from_ordinal(iso_week1_monday(year) + i64::from(days)))
}

pub fn year_out_of_range(year: i32) -> Raised {
    raise!(
        ValueError,
        "year must be in {MIN_YEAR}..{MAX_YEAR}, not {year}"
    )
}

pub fn check_date([year, month, day]: Ymd) -> PyResult<()> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(year_out_of_range(year));
    }
    if !(1..=12).contains(&month) {
        return Err(raise!(ValueError, "month must be in 1..12, not {month}"));
    }
    let last = days_in_month(year, month);
    if !(1..=last).contains(&day) {
        return Err(raise!(
            ValueError,
            "day {day} must be in range 1..{last} for month {month} in year {year}"
        ));
    }
    Ok(())
}

pub fn check_time([hour, minute, second, us]: Hms, fold: i32) -> PyResult<()> {
    let wrong = |what: &str, last: i32, value: i32| {
        Err(raise!(ValueError, "{what} must be in 0..{last}, not {value}"))
    };
    if !(0..24).contains(&hour) {
        return wrong("hour", 23, hour);
    }
    if !(0..60).contains(&minute) {
        return wrong("minute", 59, minute);
    }
    if !(0..60).contains(&second) {
        return wrong("second", 59, second);
    }
    if !(0..1_000_000).contains(&us) {
        return wrong("microsecond", 999_999, us);
    }
    if fold != 0 && fold != 1 {
        return Err(raise!(ValueError, "fold must be either 0 or 1, not {fold}"));
    }
    Ok(())
}

/// A day that arithmetic has moved out of range.
#[cold]
pub fn date_overflow() -> Raised {
    raise!(OverflowError, "date value out of range")
}

/// The day of an ordinal, or OverflowError.
pub fn checked_from_ordinal(ordinal: i64) -> PyResult<Ymd> {
    if (1..=MAX_ORDINAL).contains(&ordinal) {
        Ok(from_ordinal(ordinal))
    } else {
        Err(date_overflow())
    }
}

/// Seconds since midnight.
pub fn seconds_of([hour, minute, second, _]: Hms) -> i32 {
    hour * 3600 + minute * 60 + second
}

/// The time of day at a microsecond of the day.
pub fn hms_of_us(us: i64) -> Hms {
    let (seconds, us) = ((us / 1_000_000) as i32, (us % 1_000_000) as i32);
    [seconds / 3600, seconds / 60 % 60, seconds % 60, us]
}
