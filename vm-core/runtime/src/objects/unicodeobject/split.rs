//! `split`, `rsplit`, `splitlines`, `strip` and `join`: taking strings apart and putting them together.

use super::StrData;
use super::search::{has_char, same_kind};
use crate::objects::{stringlib, unicodectype};
use crate::per_kind;
use crate::prelude::*;

fn separator_arg(sep: Option<&PyObject>) -> PyResult<Option<&PyUnicodeObject>> {
    match sep {
        None => Ok(None),
        Some(sep) if is_none(sep) => Ok(None),
        Some(sep) => match sep.downcast::<PyUnicodeObject>() {
            Some(sep) => Ok(Some(sep)),
            None => Err(raise!(
                TypeError,
                "must be str or None, not {}",
                sep.ty().full_name()
            )),
        },
    }
}

/// Collects pieces, given as ranges, into a list.
struct Pieces<'a> {
    text: &'a PyUnicodeObject,
    items: Vec<Ref>,
}

impl Pieces<'_> {
    #[inline]
    fn add(&mut self, start: usize, end: usize) {
        self.items.push(self.text.substring(start, end).into_object());
    }
    fn into_list(self) -> Ref<PyListObject> {
        PyListObject::from_vec(self.items)
    }
    fn into_reversed_list(mut self) -> Ref<PyListObject> {
        self.items.reverse();
        PyListObject::from_vec(self.items)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Left,
    Right,
    Both,
}

impl Sides {
    fn method(self) -> &'static str {
        match self {
            Sides::Left => "lstrip",
            Sides::Right => "rstrip",
            Sides::Both => "strip",
        }
    }
}

impl PyUnicodeObject {
    /// The pieces between occurrences of `separator` (of white space for `None`).
    pub fn split(
        &self,
        separator: Option<&PyUnicodeObject>,
        max_split: isize,
    ) -> PyResult<Ref<PyListObject>> {
        let limit = usize::try_from(max_split).unwrap_or(usize::MAX);
        let mut pieces = Pieces {
            text: self,
            items: Vec::new(),
        };
        match separator {
            None => match self.data() {
                StrData::Latin1(units) if self.is_ascii() => {
                    stringlib::split_whitespace(units, is_ascii_space, limit, |start, end| {
                        pieces.add(start, end)
                    });
                }
                data => per_kind!(data, units => {
                    stringlib::split_whitespace(units, |unit| unicodectype::is_space(unit.into()), limit, |start, end| pieces.add(start, end));
                }),
            },
            Some(separator) if separator.is_empty() => return Err(raise!(ValueError, "empty separator")),
            Some(separator) => same_kind!(self, separator, pieces.add(0, self.len()), |units, wanted| {
                stringlib::split(units, wanted, limit, |start, end| pieces.add(start, end));
            }),
        }
        Ok(pieces.into_list())
    }
    /// As `split`, counted from the end.
    pub fn rsplit(
        &self,
        separator: Option<&PyUnicodeObject>,
        max_split: isize,
    ) -> PyResult<Ref<PyListObject>> {
        let limit = usize::try_from(max_split).unwrap_or(usize::MAX);
        let mut pieces = Pieces {
            text: self,
            items: Vec::new(),
        };
        match separator {
            None => per_kind!(self.data(), units => {
                stringlib::rsplit_whitespace(units, |unit| unicodectype::is_space(unit.into()), limit, |start, end| pieces.add(start, end));
            }),
            Some(separator) if separator.is_empty() => return Err(raise!(ValueError, "empty separator")),
            Some(separator) => same_kind!(self, separator, pieces.add(0, self.len()), |units, wanted| {
                stringlib::rsplit(units, wanted, limit, |start, end| pieces.add(start, end));
            }),
        }
        Ok(pieces.into_reversed_list())
    }
    pub fn split_lines(&self, keep_ends: bool) -> Ref<PyListObject> {
        let mut pieces = Pieces {
            text: self,
            items: Vec::new(),
        };
        per_kind!(self.data(), units => {
            stringlib::split_lines(units, |unit| unicodectype::is_linebreak(unit.into()), keep_ends, |start, end| pieces.add(start, end));
        });
        pieces.into_list()
    }
    fn strip_sides(&self, chars: Option<&PyObject>, sides: Sides) -> PyResult<Ref<PyUnicodeObject>> {
        let (left, right) = (sides != Sides::Right, sides != Sides::Left);
        let (start, end) = match chars.filter(|chars| !is_none(chars)) {
            None => per_kind!(self.data(), units => {
                stringlib::strip(units, left, right, |unit| unicodectype::is_space(unit.into()))
            }),
            Some(chars) => {
                let Some(chars) = chars.downcast::<PyUnicodeObject>() else {
                    return Err(raise!(TypeError, "{} arg must be None or str", sides.method()));
                };
                let wanted = chars.data();
                per_kind!(self.data(), units => {
                    stringlib::strip(units, left, right, |unit| has_char(wanted, unit.into()))
                })
            }
        };
        Ok(self.substring(start, end))
    }
    /// Without white space at both ends.
    pub fn strip_whitespace(&self) -> Ref<PyUnicodeObject> {
        let (start, end) = per_kind!(self.data(), units => {
            stringlib::strip(units, true, true, |unit| unicodectype::is_space(unit.into()))
        });
        self.substring(start, end)
    }
    /// `self.join(iterable)`.
    pub fn join_iterable(&self, iterable: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        let sequence = iterable.to_fast_sequence("can only join an iterable")?;
        let items = fast_items(&sequence);
        let mut texts: Vec<&PyUnicodeObject> = Vec::with_capacity(items.len());
        for (idx, item) in items.iter().enumerate() {
            let Some(text) = item.downcast::<PyUnicodeObject>() else {
                let ty = item.ty().full_name();
                return Err(raise!(
                    TypeError,
                    "sequence item {idx}: expected str instance, {ty} found"
                ));
            };
            texts.push(text);
        }
        self.join(&texts)
    }
}

/// The items of what `to_fast_sequence` gave, which is a list or a tuple.
pub(crate) fn fast_items(sequence: &PyObject) -> &[&PyObject] {
    match sequence.downcast::<PyListObject>() {
        Some(list) => list.as_slice(),
        // SAFETY: a fast sequence is a list or a tuple.
        None => unsafe { sequence.cast_unchecked::<PyTupleObject>() }.as_slice(),
    }
}

#[inline]
fn is_ascii_space(unit: u8) -> bool {
    matches!(unit, 0x09..=0x0D | 0x1C..=0x20)
}

#[pymethods(part = UNICODE_SPLIT)]
impl PyUnicodeObject {
    /// A list of the pieces between occurrences of sep, or of white space.
    #[method("($self, /, sep=None, maxsplit=-1)", name = "split")]
    fn py_split(&self, sep: Option<&PyObject>, maxsplit: isize) -> PyResult<Ref<PyListObject>> {
        self.split(separator_arg(sep)?, maxsplit)
    }
    /// As split, counted from the end.
    #[method("($self, /, sep=None, maxsplit=-1)", name = "rsplit")]
    fn py_rsplit(&self, sep: Option<&PyObject>, maxsplit: isize) -> PyResult<Ref<PyListObject>> {
        self.rsplit(separator_arg(sep)?, maxsplit)
    }
    /// A list of the lines, with their ends if asked for.
    #[method("($self, /, keepends=False)")]
    fn splitlines(&self, keepends: bool) -> Ref<PyListObject> {
        self.split_lines(keepends)
    }
    /// Without leading and trailing white space, or characters of chars.
    #[method("($self, chars=None, /)")]
    fn strip(&self, chars: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        self.strip_sides(chars, Sides::Both)
    }
    /// Without leading white space, or characters of chars.
    #[method("($self, chars=None, /)")]
    fn lstrip(&self, chars: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        self.strip_sides(chars, Sides::Left)
    }
    /// Without trailing white space, or characters of chars.
    #[method("($self, chars=None, /)")]
    fn rstrip(&self, chars: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        self.strip_sides(chars, Sides::Right)
    }
    /// The strings of the iterable, with this string between them.
    #[method("($self, iterable, /)", name = "join")]
    fn py_join(&self, iterable: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        self.join_iterable(iterable)
    }
}
