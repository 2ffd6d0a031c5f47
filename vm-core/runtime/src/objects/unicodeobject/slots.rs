//! The type `str`: its slots and its constructor. The methods are in the parts beside this file.

use super::iter::StrIterator;
use super::{case, search, split, text, translate};
use crate::memory;
use crate::objects::{codecs, indices, unicode_format};
use crate::per_kind;
use crate::prelude::*;
use std::cmp::Ordering;

impl PyUnicodeObject {
    /// Which comes first, by code points.
    pub fn compare(&self, other: &PyUnicodeObject) -> Ordering {
        match (self.latin1(), other.latin1()) {
            (Some(left), Some(right)) => left.cmp(right),
            _ => self.code_points().cmp(other.code_points()),
        }
    }
    /// The items that a slice takes.
    fn slice(&self, slice: &PySliceObject) -> PyResult<Ref<PyUnicodeObject>> {
        let range = indices::slice_range(slice, || self.len())?;
        if range.step == 1 {
            return Ok(self.substring(range.start as usize, range.start as usize + range.count));
        }
        Ok(per_kind!(self.data(), units => {
            let taken: Vec<_> = range.positions().map(|place| units[place]).collect();
            PyUnicodeObject::from_units(&taken)
        }))
    }
}

#[pytype(
    name = "str",
    static_name = PyUnicode_Type,
    flags = BASETYPE | UNICODE_SUBCLASS | MATCH_SELF,
    parts = [search::UNICODE_SEARCH, split::UNICODE_SPLIT, case::UNICODE_CASE, text::UNICODE_TEXT, translate::UNICODE_TRANSLATE],
)]
/// str(object='') -> str
/// str(bytes_or_buffer[, encoding[, errors]]) -> str
///
/// The text of an object, or text decoded from bytes. The encoding is UTF-8 and errors are 'strict' unless said
/// otherwise.
impl PyUnicodeObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let mut given = [None; 3];
        check_count(args.as_slice().len(), kwargs.map_or(0, |kwargs| kwargs.len()))?;
        place_positional(&mut given, args.as_slice())?;
        let mut place = 0;
        while let Some((name, value, _)) = kwargs.and_then(|kwargs| kwargs.next_entry(&mut place)) {
            place_keyword(&mut given, name, value)?;
        }
        let text = new_text(given)?;
        if std::ptr::eq(cls, &PyUnicode_Type) {
            return Ok(text.into_object());
        }
        Ok(PyUnicodeObject::new_in_subclass(cls, &text)?.into_object())
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        debug_assert!(std::ptr::eq(cls, &PyUnicode_Type));
        if let ([object], None) = (args, kwnames) {
            return Ok(object.str()?.into_object());
        }
        let names = kwnames.map_or(&[][..], |names| names.as_slice());
        let mut given = [None; 3];
        check_count(args.len(), names.len())?;
        place_positional(&mut given, args)?;
        // SAFETY: in a vectorcall the values of the names follow the positional arguments.
        let values = unsafe { std::slice::from_raw_parts(args.as_ptr().add(args.len()), names.len()) };
        names
            .iter()
            .zip(values)
            .try_for_each(|(name, value)| place_keyword(&mut given, name, value))?;
        Ok(new_text(given)?.into_object())
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyUnicodeObject) {
        // SAFETY: the object is dying; what it owns goes with it, then its block by its type's own way.
        unsafe {
            (*this).release();
            let ty = (*this.cast::<PyObject>()).ty();
            if std::ptr::eq(ty, &PyUnicode_Type) {
                memory::raw_free(this.cast());
            } else if let Some(tp_free) = ty.tp_free.get() {
                tp_free(this.cast());
            }
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.repr()
    }
    #[slot]
    fn tp_str(&self) -> Ref<PyUnicodeObject> {
        self.to_exact()
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(self.hash())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        StrIterator::over(self.to_ref())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyUnicodeObject>() else {
            return Ok(not_implemented().to_ref());
        };
        Ok(py_bool(match op {
            CompareOp::Eq => self.eq(other),
            CompareOp::Ne => !self.eq(other),
            _ => op.holds(self.compare(other)),
        }))
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        match a.downcast::<PyUnicodeObject>() {
            Some(format) => Ok(unicode_format::format(format, b)?.into_object()),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        match other.downcast::<PyUnicodeObject>() {
            Some(other) => self.concat(other),
            None => Err(raise!(
                TypeError,
                "can only concatenate str (not \"{}\") to str",
                other.ty().full_name()
            )),
        }
    }
    #[slot]
    fn sq_repeat(&self, n: isize) -> PyResult<Ref<PyUnicodeObject>> {
        self.repeat(n)
    }
    #[slot]
    fn sq_item(&self, n: isize) -> PyResult<Ref<PyUnicodeObject>> {
        match usize::try_from(n) {
            Ok(place) if place < self.len() => Ok(PyUnicodeObject::from_char(self.char_at(place))),
            _ => Err(raise!(IndexError, "string index out of range")),
        }
    }
    #[slot]
    fn sq_contains(&self, other: &PyObject) -> PyResult<bool> {
        match other.downcast::<PyUnicodeObject>() {
            Some(other) => Ok(self.contains(other)),
            None => Err(raise!(
                TypeError,
                "'in <string>' requires string as left operand, not {}",
                other.ty().full_name()
            )),
        }
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        if let Some(slice) = key.downcast::<PySliceObject>() {
            return self.slice(slice);
        }
        if !key.has_index() {
            return Err(raise!(
                TypeError,
                "string indices must be integers, not '{}'",
                key.ty().full_name()
            ));
        }
        let index = key.to_index(crate::exceptions::exc::IndexError)?;
        match indices::checked_index(index, self.len()) {
            Some(place) => Ok(PyUnicodeObject::from_char(self.char_at(place))),
            None => Err(raise!(IndexError, "string index out of range")),
        }
    }
}

/// The arguments of `str(…)`: object, encoding, errors.
type Given<'a> = [Option<&'a PyObject>; 3];

const NAMES: [&str; 3] = ["object", "encoding", "errors"];

fn check_count(n_args: usize, n_keywords: usize) -> PyResult<()> {
    let n_given = n_args + n_keywords;
    if n_keywords > 0 && n_given > 3 {
        return Err(raise!(
            TypeError,
            "str() takes at most 3 arguments ({n_given} given)"
        ));
    }
    Ok(())
}

fn place_positional<'a>(given: &mut Given<'a>, args: &[&'a PyObject]) -> PyResult<()> {
    if args.len() > 3 {
        return Err(raise!(
            TypeError,
            "str expected at most 3 arguments, got {}",
            args.len()
        ));
    }
    args.iter().zip(given).for_each(|(arg, place)| *place = Some(arg));
    Ok(())
}

fn place_keyword<'a>(given: &mut Given<'a>, name: &PyObject, value: &'a PyObject) -> PyResult<()> {
    let text = name.str()?.to_string_lossy();
    let Some(idx) = NAMES.iter().position(|known| *known == text) else {
        return Err(raise!(
            TypeError,
            "str() got an unexpected keyword argument '{text}'"
        ));
    };
    if given[idx].is_some() {
        let place = idx + 1;
        return Err(raise!(
            TypeError,
            "argument for str() given by name ('{text}') and position ({place})"
        ));
    }
    given[idx] = Some(value);
    Ok(())
}

/// `str(…)` as an exact string.
fn new_text(given: Given<'_>) -> PyResult<Ref<PyUnicodeObject>> {
    let text = |idx: usize| match given[idx] {
        None => Ok(None),
        Some(arg) => arg.downcast::<PyUnicodeObject>().map(Some).ok_or_else(|| {
            raise!(
                TypeError,
                "str() argument '{}' must be str, not {}",
                NAMES[idx],
                arg.ty().full_name()
            )
        }),
    };
    let (encoding, errors) = (text(1)?, text(2)?);
    match given[0] {
        None => Ok(PyUnicodeObject::empty()),
        Some(object) if encoding.is_none() && errors.is_none() => object.str(),
        Some(object) => from_encoded_object(object, encoding, errors),
    }
}

/// `str(bytes-like, encoding, errors)`.
pub fn from_encoded_object(
    object: &PyObject,
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult<Ref<PyUnicodeObject>> {
    if object.type_has(Py_TPFLAGS_UNICODE_SUBCLASS) {
        return Err(raise!(TypeError, "decoding str is not supported"));
    }
    if let Some(bytes) = object.downcast::<PyBytesObject>() {
        return codecs::decode_text(bytes.as_object(), bytes.as_bytes(), encoding, errors);
    }
    if !crate::objects::buffer::has_buffer(object) {
        let ty = object.ty().full_name();
        return Err(raise!(
            TypeError,
            "decoding to str: need a bytes-like object, {ty} found"
        ));
    }
    let view = crate::objects::buffer::Buffer::simple(object)?;
    codecs::decode_text(object, view.as_bytes(), encoding, errors)
}
