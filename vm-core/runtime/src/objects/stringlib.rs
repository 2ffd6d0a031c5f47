//! Searching, splitting and stripping of runs of units: what `str` (in three kinds), `bytes` and `bytearray` share.
//!
//! Runs of bytes are searched by `memchr`; wider units by the same search over their bytes, with matches that are not
//! on a unit's boundary passed over.

use super::unicodeobject::CodeUnit;
use memchr::memmem;

#[inline]
fn as_bytes<T: CodeUnit>(units: &[T]) -> &[u8] {
    // SAFETY: units are plain integers.
    unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
}

/// Where the unit first occurs.
#[inline]
pub fn find_unit<T: CodeUnit>(units: &[T], wanted: T) -> Option<usize> {
    if T::KIND == 1 {
        return memchr::memchr(wanted.into() as u8, as_bytes(units));
    }
    // Chunks without an early exit are compared many at a time.
    const CHUNK: usize = 16;
    let mut start = 0;
    for chunk in units.chunks(CHUNK) {
        if chunk.iter().fold(false, |any, &unit| any | (unit == wanted)) {
            return chunk
                .iter()
                .position(|&unit| unit == wanted)
                .map(|idx| start + idx);
        }
        start += CHUNK;
    }
    None
}

/// Where the unit last occurs.
#[inline]
pub fn rfind_unit<T: CodeUnit>(units: &[T], wanted: T) -> Option<usize> {
    if T::KIND == 1 {
        return memchr::memrchr(wanted.into() as u8, as_bytes(units));
    }
    units.iter().rposition(|&unit| unit == wanted)
}

/// Where `needle` first occurs in `units`.
pub fn find<T: CodeUnit>(units: &[T], needle: &[T]) -> Option<usize> {
    match needle {
        [] => return Some(0),
        [unit] => return find_unit(units, *unit),
        _ if needle.len() > units.len() => return None,
        _ => {}
    }
    let (bytes, wanted) = (as_bytes(units), as_bytes(needle));
    if T::KIND == 1 {
        return memmem::find(bytes, wanted);
    }
    let finder = memmem::Finder::new(wanted);
    let mut start = 0;
    loop {
        let at = start + finder.find(&bytes[start..])?;
        if at % T::KIND == 0 {
            return Some(at / T::KIND);
        }
        start = at + 1;
    }
}

/// Where `needle` last occurs in `units`.
pub fn rfind<T: CodeUnit>(units: &[T], needle: &[T]) -> Option<usize> {
    match needle {
        [] => return Some(units.len()),
        [unit] => return rfind_unit(units, *unit),
        _ if needle.len() > units.len() => return None,
        _ => {}
    }
    let (bytes, wanted) = (as_bytes(units), as_bytes(needle));
    let finder = memmem::FinderRev::new(wanted);
    let mut end = bytes.len();
    loop {
        let at = finder.rfind(&bytes[..end])?;
        if at % T::KIND == 0 {
            return Some(at / T::KIND);
        }
        end = at + wanted.len() - 1;
    }
}

/// The places of `needle`, one after the other without overlap. The needle is not empty.
pub struct Matches<'a, T> {
    units: &'a [T],
    needle: &'a [T],
    finder: memmem::Finder<'a>,
    start: usize,
}

impl<'a, T: CodeUnit> Matches<'a, T> {
    pub fn new(units: &'a [T], needle: &'a [T]) -> Matches<'a, T> {
        debug_assert!(!needle.is_empty());
        Matches {
            units,
            needle,
            finder: memmem::Finder::new(as_bytes(needle)),
            start: 0,
        }
    }
}

impl<T: CodeUnit> Iterator for Matches<'_, T> {
    type Item = usize;
    #[inline]
    fn next(&mut self) -> Option<usize> {
        let rest = &self.units[self.start..];
        let found = match self.needle {
            [unit] => find_unit(rest, *unit)?,
            _ => {
                let bytes = as_bytes(rest);
                let mut at = self.finder.find(bytes)?;
                while at % T::KIND != 0 {
                    at += 1 + self.finder.find(&bytes[at + 1..])?;
                }
                at / T::KIND
            }
        };
        let place = self.start + found;
        self.start = place + self.needle.len();
        Some(place)
    }
}

/// How often `needle` occurs without overlap, counted up to `max`.
pub fn count<T: CodeUnit>(units: &[T], needle: &[T], max: usize) -> usize {
    match needle {
        [] => (units.len() + 1).min(max),
        [unit] if T::KIND == 1 && max == usize::MAX => {
            memchr::memchr_iter((*unit).into() as u8, as_bytes(units)).count()
        }
        [unit] => units.iter().filter(|&other| other == unit).count().min(max),
        _ => Matches::new(units, needle).take(max).count(),
    }
}

/// The pieces between occurrences of `separator`, at most `max_split` + 1 of them.
pub fn split<'a, T: CodeUnit>(
    units: &'a [T],
    separator: &'a [T],
    max_split: usize,
    mut piece: impl FnMut(usize, usize),
) {
    let mut start = 0;
    for place in Matches::new(units, separator).take(max_split) {
        piece(start, place);
        start = place + separator.len();
    }
    piece(start, units.len());
}

/// As `split`, counted from the end; the pieces come last first.
pub fn rsplit<'a, T: CodeUnit>(
    units: &'a [T],
    separator: &'a [T],
    max_split: usize,
    mut piece: impl FnMut(usize, usize),
) {
    let mut end = units.len();
    for _ in 0..max_split {
        let Some(place) = rfind(&units[..end], separator) else {
            break;
        };
        piece(place + separator.len(), end);
        end = place;
    }
    piece(0, end);
}

/// The pieces between runs of white space; at the end what is left after `max_split` pieces.
pub fn split_whitespace<T: CodeUnit>(
    units: &[T],
    is_space: impl Fn(T) -> bool,
    max_split: usize,
    mut piece: impl FnMut(usize, usize),
) {
    let mut at = 0;
    let len = units.len();
    let mut n_left = max_split;
    loop {
        while at < len && is_space(units[at]) {
            at += 1;
        }
        if at == len {
            return;
        }
        if n_left == 0 {
            break;
        }
        n_left -= 1;
        let start = at;
        while at < len && !is_space(units[at]) {
            at += 1;
        }
        piece(start, at);
    }
    piece(at, len);
}

/// As `split_whitespace`, counted from the end; the pieces come last first.
pub fn rsplit_whitespace<T: CodeUnit>(
    units: &[T],
    is_space: impl Fn(T) -> bool,
    max_split: usize,
    mut piece: impl FnMut(usize, usize),
) {
    let mut end = units.len();
    let mut n_left = max_split;
    loop {
        while end > 0 && is_space(units[end - 1]) {
            end -= 1;
        }
        if end == 0 {
            return;
        }
        if n_left == 0 {
            break;
        }
        n_left -= 1;
        let stop = end;
        while end > 0 && !is_space(units[end - 1]) {
            end -= 1;
        }
        piece(end, stop);
    }
    piece(0, end);
}

/// The lines: `CR LF` counts as one end of a line.
pub fn split_lines<T: CodeUnit>(
    units: &[T],
    is_linebreak: impl Fn(T) -> bool,
    keep_ends: bool,
    mut piece: impl FnMut(usize, usize),
) {
    let (mut at, len) = (0, units.len());
    while at < len {
        let start = at;
        while at < len && !is_linebreak(units[at]) {
            at += 1;
        }
        let mut end = at;
        if at < len {
            let is_pair = units[at].into() == 0x0D && at + 1 < len && units[at + 1].into() == 0x0A;
            at += if is_pair { 2 } else { 1 };
            if keep_ends {
                end = at;
            }
        }
        piece(start, end);
    }
}

/// What is left when units that `drop` names are taken from the chosen ends.
#[inline]
pub fn strip<T: CodeUnit>(units: &[T], left: bool, right: bool, drop: impl Fn(T) -> bool) -> (usize, usize) {
    let (mut start, mut end) = (0, units.len());
    if left {
        while start < end && drop(units[start]) {
            start += 1;
        }
    }
    if right {
        while end > start && drop(units[end - 1]) {
            end -= 1;
        }
    }
    (start, end)
}

/// A slice's bounds as methods like `find` take them: negative ones count from the end, both are clipped.
/// The start may stay beyond the end, which then finds nothing.
#[inline]
pub fn adjust_indices(start: isize, end: isize, len: usize) -> (isize, isize) {
    let len = len as isize;
    let end = if end > len {
        len
    } else if end < 0 {
        (end + len).max(0)
    } else {
        end
    };
    let start = if start < 0 { (start + len).max(0) } else { start };
    (start, end)
}
