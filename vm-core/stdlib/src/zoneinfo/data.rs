//! What a TZif file says -> the offset at a time: by its changes, before and after them.

use super::rules::{After, Offset, parse};
use adder_runtime::prelude::*;

/// The changes of a zone's offset, in order.
pub struct ZoneData {
    changes_utc: Vec<i64>,
    /// In local time: when an ambiguous or missing time is over, for each fold.
    changes_local: [Vec<i64>; 2],
    /// The offset after each change.
    offsets: Vec<Offset>,
    before: Option<Offset>,
    after: After,
    /// The offset, where it never changes.
    pub fixed: Option<Offset>,
}

/// A tuple of ints.
fn numbers(object: &PyObject) -> PyResult<Vec<i64>> {
    let mut numbers = Vec::new();
    object.for_each(|item| {
        numbers.push(item.index()?.as_i64()?);
        Ok(())
    })?;
    Ok(numbers)
}

/// How much of each offset is daylight saving, which files do not say: the difference to a neighbour that is none.
fn saved_seconds(order: &[usize], offsets: &[i64], is_dst: &[bool]) -> Vec<i64> {
    let mut saved = vec![0; offsets.len()];
    for (at, &kind) in order.iter().enumerate().skip(1) {
        if !is_dst[kind] || saved[kind] != 0 {
            continue;
        }
        let previous = order[at - 1];
        if !is_dst[previous] {
            saved[kind] = offsets[kind] - offsets[previous];
        }
        if saved[kind] == 0
            && kind + 1 < offsets.len()
            && let Some(&next) = order.get(at + 1)
            && !is_dst[next]
        {
            saved[kind] = offsets[kind] - offsets[next];
        }
    }
    for (seconds, is_dst) in saved.iter_mut().zip(is_dst) {
        // An hour is a better guess than nothing.
        if *is_dst && *seconds == 0 {
            *seconds = 3600;
        }
    }
    saved
}

fn local_changes(order: &[usize], utc: &[i64], offsets: &[i64]) -> [Vec<i64>; 2] {
    let mut local = [utc.to_vec(), utc.to_vec()];
    for at in 0..utc.len() {
        let before = if at == 0 { 0 } else { order[at - 1] };
        let (a, b) = (offsets[before], offsets[order[at]]);
        local[0][at] += a.max(b);
        local[1][at] += a.min(b);
    }
    local
}

impl ZoneData {
    /// From what `zoneinfo._common.load_data()` gives.
    pub fn new(parts: &PyObject) -> PyResult<ZoneData> {
        let parts = parts.to_tuple()?;
        let [order, changes, offsets, is_dst, names, rule] = parts.as_slice() else {
            return Err(raise!(ValueError, "Invalid TZif file"));
        };
        let order: Vec<usize> = numbers(order)?.into_iter().map(|at| at as usize).collect();
        let changes_utc = numbers(changes)?;
        let seconds = numbers(offsets)?;
        let is_dst: Vec<bool> = numbers(is_dst)?.into_iter().map(|flag| flag != 0).collect();
        let names = names.collect()?;
        let n = seconds.len();
        if order.len() != changes_utc.len() || n != is_dst.len() || n != names.len() || order.iter().any(|at| *at >= n) {
            return Err(raise!(ValueError, "Invalid TZif file"));
        }
        let saved = saved_seconds(&order, &seconds, &is_dst);
        let mut kinds = Vec::with_capacity(n);
        for (at, name) in names.iter().enumerate() {
            kinds.push(Offset {
                seconds: seconds[at],
                dst: saved[at],
                name: name.str()?.to_string_lossy(),
            });
        }
        let after = match rule.downcast::<PyBytesObject>().map(PyBytesObject::as_bytes) {
            None | Some([]) => match order.last().map(|at| &kinds[*at]).or(kinds.last()) {
                Some(last) => After::Fixed(last.clone()),
                None => return Err(raise!(ValueError, "No time zone information found.")),
            },
            Some(text) => match parse(text) {
                Some(after) => after,
                None => {
                    let shown = rule.repr()?.to_string_lossy();
                    return Err(raise!(ValueError, "Invalid TZ string: {shown}"));
                }
            },
        };
        let first_standard = is_dst.iter().position(|is_dst| !is_dst);
        let before = first_standard.or(order.first().copied());
        let fixed = match (&after, kinds.as_slice()) {
            (After::Fixed(after), []) => Some(after.clone()),
            (After::Fixed(after), [only]) if only == after => Some(after.clone()),
            _ => None,
        };
        Ok(ZoneData {
            changes_local: local_changes(&order, &changes_utc, &seconds),
            changes_utc,
            offsets: order.iter().map(|at| kinds[*at].clone()).collect(),
            before: before.map(|at| kinds[at].clone()),
            after,
            fixed,
        })
    }
    /// The offset at seconds of local time since 1970.
    pub fn at_local(&self, seconds: i64, year: i32, fold: bool) -> &Offset {
        let changes = &self.changes_local[usize::from(fold)];
        let n_before = changes.partition_point(|change| *change <= seconds);
        match (&self.before, &self.after) {
            (Some(before), _) if n_before == 0 && !changes.is_empty() => before,
            (_, After::Rule(rule)) if changes.last().is_none_or(|last| seconds > *last) => {
                rule.at_local(seconds, year, fold)
            }
            (_, After::Fixed(after)) if changes.last().is_none_or(|last| seconds > *last) => after,
            _ => &self.offsets[n_before - 1],
        }
    }
    /// The offset at seconds of UTC since 1970, and whether the local time is the second such one.
    pub fn at_utc(&self, seconds: i64, year: i32) -> (&Offset, bool) {
        let changes = &self.changes_utc;
        let is_after = changes.last().is_none_or(|last| seconds > *last);
        match &self.after {
            After::Rule(rule) if is_after => return rule.at_utc(seconds, year),
            After::Fixed(after) if changes.is_empty() => return (after, false),
            _ => {}
        }
        let n_before = changes.partition_point(|change| *change <= seconds);
        let first = self.before.as_ref().unwrap_or(&self.offsets[0]);
        let (previous, offset) = match n_before {
            0 => return (first, false),
            1 => (first, &self.offsets[0]),
            n => (&self.offsets[n - 2], &self.offsets[n - 1]),
        };
        let since = seconds - changes[n_before - 1];
        (offset, previous.seconds - offset.seconds > since)
    }
}
