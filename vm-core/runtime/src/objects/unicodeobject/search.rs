//! `find`, `index`, `count`, `startswith`, `in`, `replace`, `partition`: what looks for one string in another.

use super::{CodeUnit, MAX_CODE_POINT, StrData};
use crate::objects::slice_args::bounds;
use crate::objects::stringlib::{self, adjust_indices};
use crate::per_kind;
use crate::prelude::*;

/// A needle brought to the haystack's kind: short ones stay on the stack.
pub(super) struct Widened<T> {
    inline: [T; 16],
    heap: Vec<T>,
    len: usize,
}

impl<T: CodeUnit> Widened<T> {
    pub(super) fn new<S: CodeUnit>(units: &[S]) -> Widened<T> {
        let mut widened = Widened {
            inline: [T::default(); 16],
            heap: Vec::new(),
            len: units.len(),
        };
        let wide = units.iter().map(|&unit| T::truncate(unit.into()));
        if units.len() <= 16 {
            wide.zip(&mut widened.inline)
                .for_each(|(unit, place)| *place = unit);
        } else {
            widened.heap = wide.collect();
        }
        widened
    }
    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        if self.len <= 16 {
            &self.inline[..self.len]
        } else {
            &self.heap
        }
    }
}

/// Runs `$body` with both strings as runs of the haystack's kind, or gives `$missing` when the needle has characters
/// that the haystack's kind cannot hold.
macro_rules! same_kind {
    ($hay:expr, $needle:expr, $missing:expr, |$h:ident, $n:ident| $body:expr) => {
        match ($hay.data(), $needle.data()) {
            (StrData::Latin1($h), StrData::Latin1($n)) => $body,
            (StrData::Ucs2($h), StrData::Ucs2($n)) => $body,
            (StrData::Ucs4($h), StrData::Ucs4($n)) => $body,
            (StrData::Ucs2($h), StrData::Latin1(narrow)) => {
                let wide = $crate::objects::unicodeobject::search::Widened::<u16>::new(narrow);
                let $n = wide.as_slice();
                $body
            }
            (StrData::Ucs4($h), StrData::Latin1(narrow)) => {
                let wide = $crate::objects::unicodeobject::search::Widened::<u32>::new(narrow);
                let $n = wide.as_slice();
                $body
            }
            (StrData::Ucs4($h), StrData::Ucs2(narrow)) => {
                let wide = $crate::objects::unicodeobject::search::Widened::<u32>::new(narrow);
                let $n = wide.as_slice();
                $body
            }
            _ => $missing,
        }
    };
}
pub(super) use same_kind;

/// Which occurrence is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    First,
    Last,
}

/// Where `needle` is between the bounds (which are as Python's), counted from the string's beginning.
pub(crate) fn find_between(
    text: &PyUnicodeObject,
    needle: &PyUnicodeObject,
    start: isize,
    end: isize,
    which: End,
) -> Option<usize> {
    let (start, end) = adjust_indices(start, end, text.len());
    if end < start || (end - start) < needle.len() as isize {
        return None;
    }
    let (start, end) = (start as usize, end as usize);
    let found = same_kind!(text, needle, None, |units, wanted| match which {
        End::First => stringlib::find(&units[start..end], wanted),
        End::Last => stringlib::rfind(&units[start..end], wanted),
    });
    found.map(|place| start + place)
}

/// Whether `part` stands at the beginning (or the end) of what is between the bounds.
pub(crate) fn tail_match(
    text: &PyUnicodeObject,
    part: &PyUnicodeObject,
    start: isize,
    end: isize,
    which: End,
) -> bool {
    let (start, end) = adjust_indices(start, end, text.len());
    if end - start < part.len() as isize {
        return false;
    }
    let (start, end) = (start as usize, end as usize);
    same_kind!(text, part, part.is_empty(), |units, wanted| match which {
        End::First => units[start..end].starts_with(wanted),
        End::Last => units[start..end].ends_with(wanted),
    })
}

/// `TypeError: must be str, not …`.
pub(super) fn must_be_str(object: &PyObject) -> PyResult<&PyUnicodeObject> {
    object
        .downcast()
        .ok_or_else(|| raise!(TypeError, "must be str, not {}", object.ty().full_name()))
}

fn affix_test(
    text: &PyUnicodeObject,
    affix: &PyObject,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
    which: End,
) -> PyResult<bool> {
    let (start, end) = bounds(start, end)?;
    let method = if which == End::First {
        "startswith"
    } else {
        "endswith"
    };
    if let Some(affix) = affix.downcast::<PyUnicodeObject>() {
        return Ok(tail_match(text, affix, start, end, which));
    }
    let Some(affixes) = affix.downcast::<PyTupleObject>() else {
        let ty = affix.ty().full_name();
        return Err(raise!(
            TypeError,
            "{method} first arg must be str or a tuple of str, not {ty}"
        ));
    };
    for affix in affixes.as_slice() {
        let Some(affix) = affix.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "tuple for {method} must only contain str, not {}",
                affix.ty().full_name()
            ));
        };
        if tail_match(text, affix, start, end, which) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl PyUnicodeObject {
    /// Where `needle` first occurs.
    pub fn find(&self, needle: &PyUnicodeObject) -> Option<usize> {
        find_between(self, needle, 0, isize::MAX, End::First)
    }
    pub fn rfind(&self, needle: &PyUnicodeObject) -> Option<usize> {
        find_between(self, needle, 0, isize::MAX, End::Last)
    }
    /// Whether `needle` occurs.
    #[inline]
    pub fn contains(&self, needle: &PyUnicodeObject) -> bool {
        self.find(needle).is_some()
    }
    pub fn starts_with(&self, prefix: &PyUnicodeObject) -> bool {
        tail_match(self, prefix, 0, isize::MAX, End::First)
    }
    pub fn ends_with(&self, suffix: &PyUnicodeObject) -> bool {
        tail_match(self, suffix, 0, isize::MAX, End::Last)
    }
    /// How often `needle` occurs between the bounds, without overlap.
    pub fn count_between(&self, needle: &PyUnicodeObject, start: isize, end: isize) -> usize {
        let (start, end) = adjust_indices(start, end, self.len());
        if end < start || end - start < needle.len() as isize {
            return 0;
        }
        let (start, end) = (start as usize, end as usize);
        same_kind!(self, needle, 0, |units, wanted| stringlib::count(
            &units[start..end],
            wanted,
            usize::MAX
        ))
    }
    /// The string with up to `max_count` occurrences of `old` replaced (all when negative).
    pub fn replace(
        &self,
        old: &PyUnicodeObject,
        new: &PyUnicodeObject,
        max_count: isize,
    ) -> PyResult<Ref<PyUnicodeObject>> {
        let limit = usize::try_from(max_count).unwrap_or(usize::MAX);
        if limit == 0 || old.len() > self.len() || old.eq(new) {
            return Ok(self.to_exact());
        }
        if old.is_empty() {
            return self.interleave(new, limit);
        }
        let n_found = same_kind!(self, old, 0, |units, wanted| stringlib::count(
            units, wanted, limit
        ));
        if n_found == 0 {
            return Ok(self.to_exact());
        }
        if let (Some(units), [from], [to]) = (self.ascii_str(), old.raw_bytes(), new.raw_bytes())
            && new.is_ascii()
        {
            return replace_byte(units.as_bytes(), *from, *to, n_found);
        }
        let n_kept = self.len() - n_found * old.len();
        let Some(len) = new
            .len()
            .checked_mul(n_found)
            .and_then(|len| len.checked_add(n_kept))
            .filter(|len| *len <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "replace string is too long"));
        };
        let mut writer = PyUnicodeObject::writer(len);
        same_kind!(self, old, (), |units, wanted| {
            let mut start = 0;
            for place in stringlib::Matches::new(units, wanted).take(n_found) {
                writer.push_range(self, start, place);
                writer.push_object(new);
                start = place + wanted.len();
            }
            writer.push_range(self, start, units.len());
        });
        writer.finish()
    }
    /// `new` before each of the first characters, and at the end when the limit reaches it.
    fn interleave(&self, new: &PyUnicodeObject, limit: usize) -> PyResult<Ref<PyUnicodeObject>> {
        let len = self.len();
        let n_inserted = limit.min(len + 1);
        let Some(total) = new
            .len()
            .checked_mul(n_inserted)
            .and_then(|n| n.checked_add(len))
            .filter(|len| *len <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "replace string is too long"));
        };
        let mut writer = PyUnicodeObject::writer(total);
        for (idx, code) in self.code_points().enumerate() {
            if idx == n_inserted {
                writer.push_range(self, idx, len);
                return writer.finish();
            }
            writer.push_object(new);
            writer.push(code);
        }
        if n_inserted > len {
            writer.push_object(new);
        }
        writer.finish()
    }
    /// The three parts around the first (or last) `separator`.
    pub fn partition_at(&self, separator: &PyUnicodeObject, which: End) -> PyResult<Ref<PyTupleObject>> {
        if separator.is_empty() {
            return Err(raise!(ValueError, "empty separator"));
        }
        let parts = match find_between(self, separator, 0, isize::MAX, which) {
            Some(place) => [
                self.substring(0, place),
                separator.to_ref(),
                self.substring(place + separator.len(), self.len()),
            ],
            None if which == End::First => [
                self.to_exact(),
                PyUnicodeObject::empty(),
                PyUnicodeObject::empty(),
            ],
            None => [
                PyUnicodeObject::empty(),
                PyUnicodeObject::empty(),
                self.to_exact(),
            ],
        };
        Ok(PyTupleObject::from_vec(
            parts.into_iter().map(Ref::into_object).collect(),
        ))
    }
}

/// ASCII text with the first occurrences of one character exchanged for another.
fn replace_byte(text: &[u8], from: u8, to: u8, count: usize) -> PyResult<Ref<PyUnicodeObject>> {
    // SAFETY: all bytes are copied; the exchanged ones are ASCII too.
    unsafe {
        PyUnicodeObject::with_fill(text.len(), 0x7F, |target| {
            std::ptr::copy_nonoverlapping(text.as_ptr(), target, text.len());
            memchr::memchr_iter(from, text)
                .take(count)
                .for_each(|place| *target.add(place) = to);
        })
    }
}

#[pymethods(part = UNICODE_SEARCH)]
impl PyUnicodeObject {
    /// The lowest place of sub between start and end, or -1.
    #[method("($self, sub[, start[, end]], /)", name = "find")]
    fn py_find(
        &self,
        sub: &PyUnicodeObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<isize> {
        let (start, end) = bounds(start, end)?;
        Ok(find_between(self, sub, start, end, End::First).map_or(-1, |place| place as isize))
    }
    /// The highest place of sub between start and end, or -1.
    #[method("($self, sub[, start[, end]], /)", name = "rfind")]
    fn py_rfind(
        &self,
        sub: &PyUnicodeObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<isize> {
        let (start, end) = bounds(start, end)?;
        Ok(find_between(self, sub, start, end, End::Last).map_or(-1, |place| place as isize))
    }
    /// The lowest place of sub between start and end; ValueError when it is not there.
    #[method("($self, sub[, start[, end]], /)", name = "index")]
    fn py_index(
        &self,
        sub: &PyUnicodeObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<usize> {
        let (start, end) = bounds(start, end)?;
        find_between(self, sub, start, end, End::First)
            .ok_or_else(|| raise!(ValueError, "substring not found"))
    }
    /// The highest place of sub between start and end; ValueError when it is not there.
    #[method("($self, sub[, start[, end]], /)", name = "rindex")]
    fn py_rindex(
        &self,
        sub: &PyUnicodeObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<usize> {
        let (start, end) = bounds(start, end)?;
        find_between(self, sub, start, end, End::Last)
            .ok_or_else(|| raise!(ValueError, "substring not found"))
    }
    /// How often sub occurs between start and end, without overlap.
    #[method("($self, sub[, start[, end]], /)", name = "count")]
    fn py_count(
        &self,
        sub: &PyUnicodeObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<usize> {
        let (start, end) = bounds(start, end)?;
        Ok(self.count_between(sub, start, end))
    }
    /// Whether the string begins with the prefix, or with one of a tuple of them.
    #[method("($self, prefix[, start[, end]], /)")]
    fn startswith(
        &self,
        prefix: &PyObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<bool> {
        affix_test(self, prefix, start, end, End::First)
    }
    /// Whether the string ends with the suffix, or with one of a tuple of them.
    #[method("($self, suffix[, start[, end]], /)")]
    fn endswith(
        &self,
        suffix: &PyObject,
        start: Option<&PyObject>,
        end: Option<&PyObject>,
    ) -> PyResult<bool> {
        affix_test(self, suffix, start, end, End::Last)
    }
    /// A copy with old replaced by new, at most count times.
    #[method("($self, old, new, /, count=-1)", name = "replace")]
    fn py_replace(
        &self,
        old: &PyUnicodeObject,
        new: &PyUnicodeObject,
        count: isize,
    ) -> PyResult<Ref<PyUnicodeObject>> {
        self.replace(old, new, count)
    }
    /// The part before the first sep, sep, and the part after it.
    #[method("($self, sep, /)")]
    fn partition(&self, sep: &PyObject) -> PyResult<Ref<PyTupleObject>> {
        self.partition_at(must_be_str(sep)?, End::First)
    }
    /// The part before the last sep, sep, and the part after it.
    #[method("($self, sep, /)")]
    fn rpartition(&self, sep: &PyObject) -> PyResult<Ref<PyTupleObject>> {
        self.partition_at(must_be_str(sep)?, End::Last)
    }
    /// The string without the prefix, if it is there.
    #[method("($self, prefix, /)")]
    fn removeprefix(&self, prefix: &PyUnicodeObject) -> Ref<PyUnicodeObject> {
        if self.starts_with(prefix) {
            self.substring(prefix.len(), self.len())
        } else {
            self.to_exact()
        }
    }
    /// The string without the suffix, if it is there.
    #[method("($self, suffix, /)")]
    fn removesuffix(&self, suffix: &PyUnicodeObject) -> Ref<PyUnicodeObject> {
        let n_suffix = suffix.len();
        if n_suffix > 0 && self.ends_with(suffix) {
            self.substring(0, self.len() - n_suffix)
        } else {
            self.to_exact()
        }
    }
}

/// Whether a run has the character; for callers that hold a `StrData`.
pub fn has_char(data: StrData<'_>, code: u32) -> bool {
    debug_assert!(code <= MAX_CODE_POINT);
    match data {
        StrData::Latin1(_) if code > 0xFF => false,
        StrData::Ucs2(_) if code > 0xFFFF => false,
        data => per_kind!(data, units => stringlib::find_unit(units, CodeUnit::truncate(code)).is_some()),
    }
}
