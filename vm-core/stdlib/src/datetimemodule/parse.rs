//! ISO 8601 text -> numbers: `fromisoformat()`. `None` is text of another form; ranges are checked by who makes the object.

use super::calendar::{Hms, IsoError, Ymd, from_iso_calendar};
use super::delta::new_delta;
use super::zone::{TimeZone, utc};
use adder_runtime::prelude::*;

/// A text as bytes, with 0 where it is not ASCII: no form has that anywhere but as the separator.
pub fn ascii_of(text: &PyUnicodeObject) -> Vec<u8> {
    let ascii = |code: u32| u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(0);
    text.code_points().map(ascii).collect()
}

#[cold]
pub fn invalid(text: &PyObject) -> Raised {
    match text.repr() {
        Ok(shown) => raise!(
            ValueError,
            "Invalid isoformat string: {}",
            shown.to_string_lossy()
        ),
        Err(raised) => raised,
    }
}

/// The argument of `fromisoformat()`.
pub fn text_of(object: &PyObject) -> PyResult<&PyUnicodeObject> {
    object
        .downcast()
        .ok_or_else(|| raise!(TypeError, "fromisoformat: argument must be str"))
}

/// Takes digits from the front.
fn digits(text: &mut &[u8], count: usize) -> Option<i32> {
    let (number, rest) = text.split_at_checked(count)?;
    let mut value = 0;
    for byte in number {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i32::from(byte - b'0');
    }
    *text = rest;
    Some(value)
}

/// Takes one byte from the front if it is this one.
fn skip(text: &mut &[u8], byte: u8) -> bool {
    match text.split_first() {
        Some((first, rest)) if *first == byte => {
            *text = rest;
            true
        }
        _ => false,
    }
}

/// `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www-D`, `YYYYWwwD`, the weeks also without a day.
pub fn date(mut text: &[u8]) -> Option<Ymd> {
    let year = digits(&mut text, 4)?;
    let separated = skip(&mut text, b'-');
    if skip(&mut text, b'W') {
        let week = digits(&mut text, 2)?;
        let mut weekday = 1;
        if !text.is_empty() {
            if separated && !skip(&mut text, b'-') {
                return None;
            }
            weekday = digits(&mut text, 1)?;
        }
        let day = match from_iso_calendar([year, week, weekday]) {
            Ok(day) => day,
            Err(IsoError::Year | IsoError::Week | IsoError::Weekday) => return None,
        };
        return text.is_empty().then_some(day);
    }
    let month = digits(&mut text, 2)?;
    if separated && !skip(&mut text, b'-') {
        return None;
    }
    let day = digits(&mut text, 2)?;
    text.is_empty().then_some([year, month, day])
}

/// `HH[:MM[:SS[.f…]]]`, with colons or without.
fn clock(mut text: &[u8]) -> Option<Hms> {
    let mut parts = [0; 4];
    let mut separated = true;
    for at in 0..3 {
        parts[at] = digits(&mut text, 2)?;
        let Some(&next) = text.first() else {
            return Some(parts);
        };
        if at == 0 {
            separated = next == b':';
        }
        if separated && next == b':' {
            if at == 2 {
                return None;
            }
            text = &text[1..];
        } else if next == b'.' || next == b',' {
            if at < 2 {
                return None;
            }
            text = &text[1..];
        } else if separated {
            return None;
        }
    }
    let n_digits = text.len().min(6);
    if n_digits == 0 {
        return None;
    }
    let fraction = digits(&mut text, n_digits)?;
    parts[3] = fraction * 10_i32.pow(6 - n_digits as u32);
    text.iter().all(u8::is_ascii_digit).then_some(parts)
}

/// A time of day, and the microseconds of its offset from UTC if it has one.
pub fn time(text: &[u8]) -> Option<(Hms, Option<i64>)> {
    let zone_at = text
        .iter()
        .position(|byte| matches!(byte, b'+' | b'-' | b'Z'))
        .unwrap_or(text.len());
    let (before, zone) = text.split_at(zone_at);
    let time = clock(before)?;
    let offset = match zone {
        [] => None,
        [b'Z'] => Some(0),
        [b'Z', ..] => return None,
        [sign, zone @ ..] => {
            let [hour, minute, second, us] = clock(zone)?;
            let us = i64::from(hour * 3600 + minute * 60 + second) * 1_000_000 + i64::from(us);
            Some(if *sign == b'-' { -us } else { us })
        }
    };
    Some((time, offset))
}

/// The zone of an offset that a text had.
pub fn zone(offset_us: Option<i64>) -> PyResult<Option<Ref<TimeZone>>> {
    match offset_us {
        None => Ok(None),
        Some(0) => utc().map(Some),
        Some(us) => TimeZone::create(&*new_delta(0, 0, us)?, None).map(Some),
    }
}

/// Midnight at the end of a day, written as 24:00: `true` when it is that.
pub fn is_end_of_day([hour, minute, second, us]: Hms) -> PyResult<bool> {
    if hour != 24 {
        return Ok(false);
    }
    if (minute, second, us) != (0, 0, 0) {
        return Err(raise!(
            ValueError,
            "minute, second, and microsecond must be 0 when hour is 24"
        ));
    }
    Ok(true)
}

/// Where the date of a date and time ends; the text is at least 7 long.
pub fn separator(text: &[u8]) -> Option<usize> {
    if text.len() == 7 {
        return Some(7);
    }
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    if text[4] == b'-' {
        if text[5] != b'W' {
            return Some(10);
        }
        if text.len() > 8 && text[8] == b'-' {
            if text.len() == 9 {
                return None;
            }
            // YYYY-Www-DD…: the hyphen is the separator, as what follows is an hour.
            return Some(if is_digit(10) { 8 } else { 10 });
        }
        return Some(8);
    }
    if text[4] != b'W' {
        return Some(8);
    }
    // After YYYYWww an even number of digits is the time, an odd one begins with the weekday.
    let end = (7..text.len()).find(|at| !is_digit(*at)).unwrap_or(text.len());
    Some(match end {
        0..9 => end,
        end if end % 2 == 0 => 7,
        _ => 8,
    })
}
