//! POSIX TZ strings (`EST5EDT,M3.2.0,M11.1.0`) -> offsets and the rules for when they change, and what a rule says about a
//! time. The grammar is RFC 8536's, hours of rules from -167 to 167.

use crate::datetimemodule::calendar::{days_in_month, is_leap, ordinal, weekday};

const EPOCH_ORDINAL: i64 = 719_163;

/// An offset and its abbreviation; `dst` is what the offset has more than standard time.
#[derive(Clone, PartialEq, Eq)]
pub struct Offset {
    pub seconds: i64,
    pub dst: i64,
    pub name: String,
}

/// The day of the year on which a rule changes the offset.
enum Day {
    /// From 0, with 29 February.
    OfYear(i64),
    /// From 1, without 29 February.
    Julian(i64),
    /// Month, week (5 is the last), weekday (0 is Sunday).
    OfMonth(i32, i32, i32),
}

struct Change {
    day: Day,
    second: i64,
}

impl Change {
    /// Seconds of local time since 1970.
    fn in_year(&self, year: i32) -> i64 {
        let before = ordinal([year, 1, 1]) - 1 - EPOCH_ORDINAL;
        let day = match self.day {
            // As CPython counts: a day before what POSIX says for the first form, from 28 February for the second.
            Day::OfYear(day) => before + day,
            Day::Julian(day) => before + day + i64::from(day >= 59 && is_leap(year)),
            Day::OfMonth(month, week, day) => {
                let first = (weekday([year, month, 1]) + 1) % 7;
                let mut date = (day - first).rem_euclid(7) + 1 + (week - 1) * 7;
                if date > days_in_month(year, month) {
                    date -= 7;
                }
                ordinal([year, month, date]) - EPOCH_ORDINAL
            }
        };
        day * 86_400 + self.second
    }
}

/// Standard and daylight saving time, and when they begin.
pub struct Rule {
    pub std: Offset,
    pub dst: Offset,
    start: Change,
    end: Change,
}

impl Rule {
    fn is_between(at: i64, start: i64, end: i64) -> bool {
        if start < end { (start..end).contains(&at) } else { !(end..start).contains(&at) }
    }
    /// The offset at a local time.
    pub fn at_local(&self, seconds: i64, year: i32, fold: bool) -> &Offset {
        let (mut start, mut end) = (self.start.in_year(year), self.end.in_year(year));
        // The boundaries are those of the time with the smaller offset for fold 0, of the other for 1.
        let saved = self.dst.dst;
        if fold == (saved >= 0) {
            end -= saved;
        } else {
            start += saved;
        }
        if Rule::is_between(seconds, start, end) { &self.dst } else { &self.std }
    }
    /// The offset at a time in UTC, and whether the local time is the second such one.
    pub fn at_utc(&self, seconds: i64, year: i32) -> (&Offset, bool) {
        let start = self.start.in_year(year) - self.std.seconds;
        let end = self.end.in_year(year) - self.dst.seconds;
        let saved = self.dst.dst;
        let ambiguous = if saved > 0 { end..end + saved } else { start..start - saved };
        let offset = if Rule::is_between(seconds, start, end) { &self.dst } else { &self.std };
        (offset, ambiguous.contains(&seconds))
    }
}

/// What holds after the last change of a file.
pub enum After {
    Fixed(Offset),
    Rule(Box<Rule>),
}

/// The rest of a text that is being read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }
    /// As many bytes as are of a kind.
    fn run(&mut self, is_kind: impl Fn(u8) -> bool) -> String {
        let end = self.0.iter().position(|byte| !is_kind(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken.iter().map(|byte| *byte as char).collect()
    }
    fn number(&mut self, min_digits: usize, max_digits: usize) -> Option<i64> {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let n_digits = self.0.iter().take(max_digits).take_while(is_digit).count();
        if n_digits < min_digits {
            return None;
        }
        let (digits, rest) = self.0.split_at(n_digits);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }
    fn abbreviation(&mut self) -> Option<String> {
        let name = if self.skip(b'<') {
            let name = self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
            self.expect(b'>')?;
            name
        } else {
            self.run(|byte| byte.is_ascii_alphabetic())
        };
        (!name.is_empty()).then_some(name)
    }
    /// `[+-]hhh[:mm[:ss]]` in seconds.
    fn time(&mut self, max_hours: i64) -> Option<i64> {
        let negative = self.skip(b'-');
        if !negative {
            self.skip(b'+');
        }
        let hours = self.number(1, 3).filter(|hours| *hours <= max_hours)?;
        let mut seconds = hours * 3600;
        if self.skip(b':') {
            seconds += self.number(2, 2)? * 60;
            if self.skip(b':') {
                seconds += self.number(2, 2)?;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }
    /// West is positive in a TZ string.
    fn offset(&mut self) -> Option<i64> {
        self.time(24).map(|seconds| -seconds)
    }
    fn change(&mut self) -> Option<Change> {
        let day = if self.skip(b'M') {
            let month = self.number(1, 2).filter(|month| (1..=12).contains(month))?;
            self.expect(b'.')?;
            let week = self.number(1, 1).filter(|week| (1..=5).contains(week))?;
            self.expect(b'.')?;
            let day = self.number(1, 1).filter(|day| *day <= 6)?;
            Day::OfMonth(month as i32, week as i32, day as i32)
        } else if self.skip(b'J') {
            Day::Julian(self.number(1, 3).filter(|day| (1..=365).contains(day))?)
        } else {
            Day::OfYear(self.number(1, 3).filter(|day| *day <= 365)?)
        };
        let second = if self.skip(b'/') { self.time(167)? } else { 2 * 3600 };
        Some(Change { day, second })
    }
}

/// A whole TZ string; `None` is no such text.
pub fn parse(text: &[u8]) -> Option<After> {
    let mut reader = Reader(text);
    let name = reader.abbreviation()?;
    let seconds = reader.offset()?;
    let std = Offset { seconds, dst: 0, name };
    if reader.0.is_empty() {
        return Some(After::Fixed(std));
    }
    let name = reader.abbreviation()?;
    let seconds = match reader.0.first()? {
        b',' => std.seconds + 3600,
        _ => reader.offset()?,
    };
    let dst = Offset {
        seconds,
        dst: seconds - std.seconds,
        name,
    };
    reader.expect(b',')?;
    let start = reader.change()?;
    reader.expect(b',')?;
    let end = reader.change()?;
    reader.0.is_empty().then(|| After::Rule(Box::new(Rule { std, dst, start, end })))
}
