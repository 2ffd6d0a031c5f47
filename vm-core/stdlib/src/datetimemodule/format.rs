//! Dates and times -> text: ISO 8601, `ctime()`, and `strftime()` with the directives that C's does not know.

use super::calendar::{Hms, Ymd, weekday};
use super::datetime::DateTime;
use super::delta::Delta;
use super::time::Time;
use super::zone::{ask_name, ask_utcoffset};
use adder_runtime::hooks;
use adder_runtime::prelude::*;

pub fn push_two(text: &mut String, number: i32) {
    text.push((b'0' + (number / 10 % 10) as u8) as char);
    text.push((b'0' + (number % 10) as u8) as char);
}

pub fn push_date(text: &mut String, [year, month, day]: Ymd) {
    push_two(text, year / 100);
    push_two(text, year % 100);
    text.push('-');
    push_two(text, month);
    text.push('-');
    push_two(text, day);
}

fn push_us(text: &mut String, us: i32) {
    push_two(text, us / 10_000);
    push_two(text, us / 100 % 100);
    push_two(text, us % 100);
}

/// `HH:MM:SS`, with more or less of it as `timespec` wants.
pub fn push_time(text: &mut String, [hour, minute, second, us]: Hms, timespec: Option<&PyUnicodeObject>) -> PyResult<()> {
    let timespec = timespec.map_or(Ok("auto"), PyUnicodeObject::to_str)?;
    let n_parts = match timespec {
        "auto" if us == 0 => 3,
        "auto" | "microseconds" => 5,
        "milliseconds" => 4,
        "seconds" => 3,
        "minutes" => 2,
        "hours" => 1,
        _ => return Err(raise!(ValueError, "Unknown timespec value")),
    };
    push_two(text, hour);
    for part in [minute, second].iter().take(n_parts - 1) {
        text.push(':');
        push_two(text, *part);
    }
    match n_parts {
        4 => text.push_str(&format!(".{:03}", us / 1000)),
        5 => {
            text.push('.');
            push_us(text, us);
        }
        _ => {}
    }
    Ok(())
}

/// `+HH:MM`, with seconds and microseconds where there are any.
pub fn push_offset(text: &mut String, offset: &Delta, separator: &str) {
    let us = offset.us() as i64;
    text.push(if us < 0 { '-' } else { '+' });
    let (seconds, us) = ((us.abs() / 1_000_000) as i32, (us.abs() % 1_000_000) as i32);
    push_two(text, seconds / 3600);
    text.push_str(separator);
    push_two(text, seconds / 60 % 60);
    if seconds % 60 != 0 || us != 0 {
        text.push_str(separator);
        push_two(text, seconds % 60);
    }
    if us != 0 {
        text.push('.');
        push_us(text, us);
    }
}

/// The offset of a date or time in its zone, if it has one.
pub fn push_utcoffset(text: &mut String, zone: Option<&PyObject>, about: &PyObject, separator: &str) -> PyResult<()> {
    if let Some(offset) = ask_utcoffset(zone, about)? {
        push_offset(text, &offset, separator);
    }
    Ok(())
}

pub fn ctime(date: Ymd, [hour, minute, second, _]: Hms) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let [year, month, day] = date;
    format!(
        "{} {} {day:2} {hour:02}:{minute:02}:{second:02} {year:04}",
        DAYS[weekday(date) as usize],
        MONTHS[month as usize - 1]
    )
}

/// What `strftime()` is called on: its zone, and what the zone is asked about.
struct Subject<'a> {
    zone: Option<&'a PyObject>,
    about: &'a PyObject,
    us: i32,
}

impl<'a> Subject<'a> {
    fn new(object: &'a PyObject) -> Subject<'a> {
        if let Some(datetime) = object.downcast::<DateTime>() {
            return Subject {
                zone: datetime.zone(),
                about: object,
                us: datetime.hms()[3],
            };
        }
        let time = object.downcast::<Time>();
        Subject {
            zone: time.and_then(Time::zone),
            about: none(),
            us: time.map_or(0, |time| time.hms()[3]),
        }
    }
    fn offset(&self, separator: &str) -> PyResult<String> {
        let mut text = String::new();
        push_utcoffset(&mut text, self.zone, self.about, separator)?;
        Ok(text)
    }
}

/// A directive of the year, where C's function would not fill up with zeros.
fn year_directive(code: u32, tuple: &PyObject, strftime: &PyObject) -> PyResult<Option<String>> {
    let number = |at: isize| -> PyResult<i64> { tuple.get_index(at)?.index()?.as_i64() };
    let mut year = number(0)?;
    if year >= 1000 {
        return Ok(None);
    }
    if code == 'G' as u32 {
        let text = strftime.call(&[PyUnicodeObject::from_str("%G").as_object(), tuple])?;
        let text = text.str()?.to_string_lossy();
        year = text.trim().parse().unwrap_or(year);
    }
    Ok(Some(match char::from_u32(code) {
        Some('C') => format!("{:02}", year / 100),
        Some('F') => format!("{year:04}-{:02}-{:02}", number(1)?, number(2)?),
        _ => format!("{year:04}"),
    }))
}

/// A name whose `%` are doubled, as it goes through `strftime()` yet; by its own method where its class may have another.
fn escaped(name: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
    let (one, two) = (PyUnicodeObject::from_str("%"), PyUnicodeObject::from_str("%%"));
    let args = [one.as_object(), two.as_object()];
    let escaped = name.as_object().call_method(identifier!("replace"), &args)?;
    escaped
        .downcast::<PyUnicodeObject>()
        .map_err(|_| raise!(TypeError, "tzname.replace() did not return a string"))
}

/// `time.strftime()` of a format in which `%f`, `%z`, `%:z`, `%Z` and short years are replaced first.
pub fn strftime(object: &PyObject, format: &PyUnicodeObject, tuple: &PyObject) -> PyResult {
    let strftime = hooks::import_module("time")?.get_attr(identifier!("strftime"))?;
    let subject = Subject::new(object);
    let mut out = PyUnicodeObject::writer(format.len() + 16);
    let codes: Vec<u32> = format.code_points().collect();
    let mut at = 0;
    while let Some(&code) = codes.get(at) {
        at += 1;
        let directive = codes.get(at).copied();
        if code != '%' as u32 || directive.is_none() {
            out.push(code);
            continue;
        }
        at += 1;
        match directive.and_then(char::from_u32) {
            Some('f') => out.push_str(&format!("{:06}", subject.us)),
            Some('z') => out.push_str(&subject.offset("")?),
            Some(':') if codes.get(at) == Some(&('z' as u32)) => {
                at += 1;
                out.push_str(&subject.offset(":")?);
            }
            Some('Z') => {
                if let Some(name) = ask_name(subject.zone, subject.about)? {
                    out.push_object(&*escaped(&name)?);
                }
            }
            Some(c @ ('Y' | 'G' | 'F' | 'C')) => match year_directive(c as u32, tuple, &strftime)? {
                Some(text) => out.push_str(&text),
                None => {
                    out.push(code);
                    out.push(c as u32);
                }
            },
            _ => {
                out.push(code);
                out.push(codes[at - 1]);
            }
        }
    }
    strftime.call(&[out.finish()?.as_object(), tuple])
}
