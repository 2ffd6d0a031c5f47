//! `array`: sequences of C numbers or characters in one block of memory.

mod items;
mod pickling;
mod storage;

use adder_runtime::args::CodePoint;
use adder_runtime::exceptions::exc;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::{Buffer, fill_info};
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::objects::indices::{checked_index, search_bounds};
use adder_runtime::prelude::*;
use items::{Descr, descriptor};
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct Array {
    ob_base: PyVarObject,
    items: Cell<*mut u8>,
    allocated: Cell<isize>,
    descr: Cell<&'static Descr>,
    weakreflist: Cell<*mut PyObject>,
    exports: Cell<isize>,
}

/// Another array of the same type code.
fn same_kind<'a>(array: &Array, other: &'a PyObject) -> Option<&'a Array> {
    other.downcast::<Array>().filter(|other| std::ptr::eq(other.descr.get(), array.descr.get()))
}

#[cold]
fn bad_kind() -> Raised {
    raise!(TypeError, "bad argument type for built-in operation")
}

fn type_code(argument: &PyObject) -> PyResult<u32> {
    match argument.downcast::<PyUnicodeObject>() {
        Some(text) if text.len() == 1 => Ok(text.char_at(0)),
        Some(text) => Err(raise!(
            TypeError,
            "array() argument 1 must be a unicode character, not a string of length {}",
            text.len()
        )),
        None => {
            let found = argument.ty().full_name();
            Err(raise!(TypeError, "array() argument 1 must be a unicode character, not {found}"))
        }
    }
}

impl Array {
    fn fill(&self, initial: &PyObject) -> PyResult<()> {
        let descr = self.descr.get();
        if let Some(text) = initial.downcast::<PyUnicodeObject>() {
            return self.extend_text(text);
        }
        if let Some(other) = same_kind(self, initial) {
            return self.extend_bytes(&other.to_bytes());
        }
        if let Some(other) = initial.downcast::<Array>()
            && other.descr.get().is_char()
            && descr.is_char()
        {
            return self.extend_bytes(&other.to_bytes());
        }
        if PyBytesObject::check(initial) || PyByteArrayObject::check(initial) {
            let view = Buffer::simple(initial)?;
            return self.extend_raw(view.as_bytes());
        }
        if PyListObject::check(initial) || PyTupleObject::check(initial) {
            let n_items = adder_runtime::objects::tupleobject::fast_items(initial).len();
            if self.len() == 0 && n_items > 0 {
                // Just as much memory as is needed.
                self.resize(n_items)?;
                self.ob_base.ob_size.set(0);
            }
            let mut index = 0;
            while let Some(item) = adder_runtime::objects::tupleobject::fast_items(initial).get(index) {
                self.push(&item.to_ref())?;
                index += 1;
            }
            return Ok(());
        }
        self.extend_iterable(initial)
    }
    fn extend_iterable(&self, iterable: &PyObject) -> PyResult<()> {
        let iterator = iterable.iter()?;
        while let Some(item) = iterator.next()? {
            self.push(&item)?;
        }
        Ok(())
    }
    fn extend_raw(&self, bytes: &[u8]) -> PyResult<()> {
        if !bytes.len().is_multiple_of(self.item_size()) {
            return Err(raise!(ValueError, "bytes length not a multiple of item size"));
        }
        self.extend_bytes(bytes)
    }
    fn extend_text(&self, text: &PyUnicodeObject) -> PyResult<()> {
        let units: Vec<u8> = text.code_points().flat_map(u32::to_ne_bytes).collect();
        self.extend_bytes(&units)
    }
    fn text(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let mut codes = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            let code = self.word(index).0 as u32;
            items::check_char(code)?;
            codes.push(code);
        }
        Ok(PyUnicodeObject::from_code_points(&codes))
    }
    /// A range of items as a new array of the base type.
    fn slice(&self, start: usize, stop: usize) -> PyResult<Ref<Array>> {
        let made = Array::empty(&ARRAY_TYPE, self.descr.get())?;
        let size = self.item_size();
        made.extend_bytes(&self.bytes()[start * size..stop.max(start) * size])?;
        Ok(made)
    }
    fn find(&self, value: &PyObject, start: usize, stop: usize) -> PyResult<Option<usize>> {
        let mut index = start;
        // A comparison may change the array.
        while index < stop.min(self.len()) {
            if self.item(index)?.eq(value)? {
                return Ok(Some(index));
            }
            index += 1;
        }
        Ok(None)
    }
    fn assign_slice(&self, slice: &PySliceObject, value: Option<&PyObject>) -> PyResult<()> {
        let replacement = match value {
            None => Vec::new(),
            Some(value) => match value.downcast::<Array>() {
                None => {
                    let found = value.ty().name();
                    return Err(raise!(TypeError, "can only assign array (not \"{found}\") to array slice"));
                }
                Some(other) if !std::ptr::eq(other.descr.get(), self.descr.get()) => return Err(bad_kind()),
                Some(other) => other.bytes().to_vec(),
            },
        };
        let range = slice.resolve(|| self.len())?;
        let size = self.item_size();
        let n_new = replacement.len() / size;
        if range.step == 1 {
            let start = range.start as usize;
            return self.replace_range(start, start + range.count, &replacement);
        }
        if value.is_none() {
            self.check_exports()?;
            let mut positions: Vec<usize> = range.positions().collect();
            positions.sort_unstable();
            let mut kept = Vec::with_capacity(self.bytes().len());
            let mut next = positions.iter().peekable();
            for (index, item) in self.bytes().chunks_exact(size).enumerate() {
                if next.peek() == Some(&&index) {
                    next.next();
                } else {
                    kept.extend_from_slice(item);
                }
            }
            return self.replace_range(0, self.len(), &kept);
        }
        if n_new != range.count {
            let count = range.count;
            return Err(raise!(
                ValueError,
                "attempt to assign array of size {n_new} to extended slice of size {count}"
            ));
        }
        for (position, item) in range.positions().zip(replacement.chunks_exact(size)) {
            // SAFETY: positions are within the array.
            unsafe { std::ptr::copy_nonoverlapping(item.as_ptr(), self.place(position), size) };
        }
        Ok(())
    }
    fn assign_index(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        let out_of_range = || raise!(IndexError, "array assignment index out of range");
        match value {
            Some(value) => {
                checked_index(index, self.len()).ok_or_else(out_of_range)?;
                let word = self.descr.get().word(value)?;
                // The conversion may have run Python code.
                let index = checked_index(index, self.len()).ok_or_else(out_of_range)?;
                self.set_word(index, word);
                Ok(())
            }
            None => {
                let index = checked_index(index, self.len()).ok_or_else(out_of_range)?;
                self.replace_range(index, index + 1, &[])
            }
        }
    }
    fn compare(&self, other: &Array, op: CompareOp) -> PyResult {
        let differ = self.len() != other.len();
        if differ && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(py_bool(op == CompareOp::Ne));
        }
        let same = std::ptr::eq(self.descr.get(), other.descr.get());
        let mut index = 0;
        while index < self.len().min(other.len()) {
            if same {
                match self.descr.get().compare(self.word(index), other.word(index)) {
                    Some(std::cmp::Ordering::Equal) => {
                        index += 1;
                        continue;
                    }
                    Some(ordering) => return Ok(py_bool(op.holds(ordering))),
                    None => {}
                }
            }
            let (a, b) = (self.item(index)?, other.item(index)?);
            if !a.rich_compare(&b, CompareOp::Eq)?.is_true()? {
                return match op {
                    CompareOp::Eq => Ok(py_bool(false)),
                    CompareOp::Ne => Ok(py_bool(true)),
                    _ => a.rich_compare(&b, op),
                };
            }
            index += 1;
        }
        Ok(py_bool(op.holds(self.len().cmp(&other.len()))))
    }
}

#[pytype(
    name = "array.array",
    static_name = ARRAY_TYPE,
    flags = BASETYPE | SEQUENCE,
    weaklistoffset = offset_of!(Array, weakreflist) as isize,
    slots = [tp_hash = adder_runtime::types::hash_not_implemented],
    parts = [ARRAY_SEQUENCE, ARRAY_CONVERSION],
)]
/// array(typecode [, initializer]) -> array
///
/// A new array whose items are restricted by typecode, and
/// initialized from the optional initializer value, which must be a list,
/// string or iterable over elements of the appropriate type.
impl Array {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        if std::ptr::eq(cls, &ARRAY_TYPE) && kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "array.array() takes no keyword arguments"));
        }
        let (code, initial) = match args.as_slice() {
            [] => return Err(raise!(TypeError, "array() takes at least 1 argument (0 given)")),
            [code] => (type_code(code)?, None),
            [code, initial] => (type_code(code)?, Some(*initial)),
            more => return Err(raise!(TypeError, "array() takes at most 2 arguments ({} given)", more.len())),
        };
        if code == u32::from(b'u') {
            let message = "The 'u' type code is deprecated and will be removed in Python 3.16";
            adder_runtime::hooks::warn(exc::DeprecationWarning, message, 1)?;
        }
        let descr = descriptor(code);
        if let Some(initial) = initial
            && !descr.is_some_and(|descr| descr.is_char())
        {
            let code = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            if PyUnicodeObject::check(initial) {
                return Err(raise!(TypeError, "cannot use a str to initialize an array with typecode '{code}'"));
            }
            if initial.downcast::<Array>().is_some_and(|array| array.descr.get().is_char()) {
                return Err(raise!(
                    TypeError,
                    "cannot use a unicode array to initialize an array with typecode '{code}'"
                ));
            }
        }
        let Some(descr) = descr else {
            return Err(raise!(ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"));
        };
        let array = Array::empty(cls, descr)?;
        if let Some(initial) = initial {
            array.fill(initial)?;
        }
        Ok(array.into_object())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let name = self.as_object().ty().name();
        let name = name.rsplit('.').next().unwrap_or(&name);
        let code = char::from(self.descr.get().code);
        if self.len() == 0 {
            return Ok(format!("{name}('{code}')"));
        }
        let items = if self.descr.get().is_char() {
            self.text()?.as_object().repr()?
        } else {
            self.tolist()?.as_object().repr()?
        };
        Ok(format!("{name}('{code}', {})", items.to_string_lossy()))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match other.downcast::<Array>() {
            Some(other) => self.compare(other, op),
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(Ref::new(ArrayIterator {
            ob_base: blank_header(),
            array: ObjectCell::new(Some(self.to_ref())),
            index: Cell::new(0),
        })?
        .into_object())
    }
    #[slot]
    fn sq_length(&self) -> usize {
        self.len()
    }
    #[slot]
    fn mp_length(&self) -> usize {
        self.len()
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult {
        match usize::try_from(index) {
            Ok(index) if index < self.len() => self.item(index),
            _ => Err(raise!(IndexError, "array index out of range")),
        }
    }
    #[slot]
    fn sq_ass_item(&self, index: isize, value: Option<&PyObject>) -> PyResult<()> {
        if index < 0 {
            return Err(raise!(IndexError, "array assignment index out of range"));
        }
        self.assign_index(index, value)
    }
    #[slot]
    fn sq_contains(&self, value: &PyObject) -> PyResult<bool> {
        Ok(self.find(value, 0, usize::MAX)?.is_some())
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult {
        let Some(other_array) = other.downcast::<Array>() else {
            return Err(raise!(TypeError, "can only append array (not \"{}\") to array", other.ty().name()));
        };
        if same_kind(self, other).is_none() {
            return Err(bad_kind());
        }
        let made = Array::empty(&ARRAY_TYPE, self.descr.get())?;
        made.extend_bytes(self.bytes())?;
        made.extend_bytes(other_array.bytes())?;
        Ok(made.into_object())
    }
    #[slot]
    fn sq_inplace_concat(&self, other: &PyObject) -> PyResult {
        if other.downcast::<Array>().is_none() {
            return Err(raise!(TypeError, "can only extend with array (not \"{}\")", other.ty().name()));
        }
        self.extend(other)?;
        Ok(self.to_object())
    }
    #[slot]
    fn sq_repeat(&self, count: isize) -> PyResult {
        let made = Array::empty(&ARRAY_TYPE, self.descr.get())?;
        made.extend_bytes(&self.repeat_bytes(count)?)?;
        Ok(made.into_object())
    }
    #[slot]
    fn sq_inplace_repeat(&self, count: isize) -> PyResult {
        if self.len() > 0 && count != 1 {
            self.replace_range(0, self.len(), &self.repeat_bytes(count)?)?;
        }
        Ok(self.to_object())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        if key.has_index() {
            let index = key.to_index_clipped(exc::IndexError)?;
            return match checked_index(index, self.len()) {
                Some(index) => self.item(index),
                None => Err(raise!(IndexError, "array index out of range")),
            };
        }
        let Some(slice) = key.downcast::<PySliceObject>() else {
            return Err(raise!(TypeError, "array indices must be integers"));
        };
        let range = slice.resolve(|| self.len())?;
        if range.step == 1 {
            let start = range.start as usize;
            return Ok(self.slice(start, start + range.count)?.into_object());
        }
        let made = Array::with_len(&ARRAY_TYPE, self.descr.get(), range.count)?;
        for (index, position) in range.positions().enumerate() {
            made.set_word(index, self.word(position));
        }
        Ok(made.into_object())
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        if key.has_index() {
            return self.assign_index(key.to_index_clipped(exc::IndexError)?, value);
        }
        match key.downcast::<PySliceObject>() {
            Some(slice) => self.assign_slice(slice, value),
            None => Err(raise!(TypeError, "array indices must be integers")),
        }
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // An empty array has some address too.
        let items = if self.items.get().is_null() { std::ptr::dangling_mut() } else { self.items.get() };
        let size = self.item_size();
        // SAFETY: the view is the caller's; the items stay in place while the export is counted. The shape points to the
        // length in the array itself, which cannot change meanwhile.
        unsafe {
            fill_info(view, Some(self.as_object()), items.cast(), self.len() * size, false, flags)?;
            let view = &*view;
            view.itemsize.set(size as isize);
            if flags & PyBUF_ND != 0 {
                view.shape.set(self.ob_base.ob_size.as_ptr());
            }
            if flags & PyBUF_FORMAT != 0 {
                view.format.set(self.descr.get().format.as_ptr().cast_mut());
            }
        }
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }
    #[slot]
    fn bf_releasebuffer(&self, _view: *mut Py_buffer) {
        self.exports.set(self.exports.get() - 1);
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    /// the typecode character used to create the array
    #[getter]
    fn typecode(&self) -> String {
        char::from(self.descr.get().code).to_string()
    }
    /// the size, in bytes, of one array item
    #[getter]
    fn itemsize(&self) -> usize {
        self.item_size()
    }
}

#[pymethods(part = ARRAY_SEQUENCE)]
impl Array {
    /// Append new value v to the end of the array.
    #[method("($self, v, /)")]
    fn append(&self, v: &PyObject) -> PyResult<()> {
        self.push(v)
    }
    /// Remove all items from the array.
    #[method("($self, /)")]
    fn clear(&self) -> PyResult<()> {
        self.resize(0)
    }
    /// Append items to the end of the array.
    #[method("($self, bb, /)")]
    fn extend(&self, bb: &PyObject) -> PyResult<()> {
        match bb.downcast::<Array>() {
            None => self.extend_iterable(bb),
            Some(_) if same_kind(self, bb).is_none() => {
                Err(raise!(TypeError, "can only extend with array of same kind"))
            }
            Some(other) => self.extend_bytes(&other.to_bytes()),
        }
    }
    /// Insert a new item v into the array before position i.
    #[method("($self, i, v, /)")]
    fn insert(&self, i: isize, v: &PyObject) -> PyResult<()> {
        self.insert_item(i, v)
    }
    /// Return the i-th element and delete it from the array.
    #[method("($self, i=-1, /)")]
    fn pop(&self, i: Option<isize>) -> PyResult {
        if self.len() == 0 {
            return Err(raise!(IndexError, "pop from empty array"));
        }
        let Some(index) = checked_index(i.unwrap_or(-1), self.len()) else {
            return Err(raise!(IndexError, "pop index out of range"));
        };
        let item = self.item(index)?;
        self.replace_range(index, index + 1, &[])?;
        Ok(item)
    }
    /// Remove the first occurrence of v in the array.
    #[method("($self, v, /)")]
    fn remove(&self, v: &PyObject) -> PyResult<()> {
        match self.find(v, 0, usize::MAX)? {
            Some(index) if index < self.len() => self.replace_range(index, index + 1, &[]),
            _ => Err(raise!(ValueError, "array.remove(x): x not in array")),
        }
    }
    /// Return index of first occurrence of v in the array.
    #[method("($self, v, start=0, stop=sys.maxsize, /)")]
    fn index(&self, v: &PyObject, start: Option<&PyObject>, stop: Option<&PyObject>) -> PyResult<usize> {
        let bound = adder_runtime::objects::indices::search_argument;
        let (start, stop) = (bound(start, 0)?, bound(stop, isize::MAX)?);
        let (start, stop) = search_bounds(start, stop, self.len());
        match self.find(v, start, stop)? {
            Some(index) => Ok(index),
            None => Err(raise!(ValueError, "array.index(x): x not in array")),
        }
    }
    /// Return number of occurrences of v in the array.
    #[method("($self, v, /)")]
    fn count(&self, v: &PyObject) -> PyResult<usize> {
        let (mut count, mut index) = (0, 0);
        while index < self.len() {
            count += usize::from(self.item(index)?.eq(v)?);
            index += 1;
        }
        Ok(count)
    }
    /// Reverse the order of the items in the array.
    #[method("($self, /)")]
    fn reverse(&self) {
        let len = self.len();
        for index in 0..len / 2 {
            let (a, b) = (self.word(index), self.word(len - 1 - index));
            self.set_word(index, b);
            self.set_word(len - 1 - index, a);
        }
    }
    /// Return a copy of the array.
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult<Ref<Array>> {
        self.slice(0, self.len())
    }
    /// Return a copy of the array.
    #[method("($self, unused, /)")]
    fn __deepcopy__(&self, _unused: &PyObject) -> PyResult<Ref<Array>> {
        self.slice(0, self.len())
    }
}

#[pymethods(part = ARRAY_CONVERSION)]
impl Array {
    /// Return a tuple (address, length) giving the current memory address and the length in items of the buffer.
    #[method("($self, /)")]
    fn buffer_info(&self) -> (usize, usize) {
        (self.items.get() as usize, self.len())
    }
    /// Byteswap all items of the array.
    #[method("($self, /)")]
    fn byteswap(&self) {
        let unused = 64 - 8 * self.item_size() as u32;
        for index in 0..self.len() {
            let word = self.word(index).0;
            self.set_word(index, items::Word(word.swap_bytes() >> unused));
        }
    }
    /// Return the array converted to an ordinary list.
    #[method("($self, /)")]
    fn tolist(&self) -> PyResult<Ref<PyListObject>> {
        let mut items = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            items.push(self.item(index)?);
        }
        Ok(PyListObject::from_vec(items))
    }
    /// Append items to array from list.
    #[method("($self, list, /)")]
    fn fromlist(&self, list: &PyObject) -> PyResult<()> {
        let Some(list) = list.downcast::<PyListObject>() else {
            return Err(raise!(TypeError, "arg must be list"));
        };
        let (old_len, n_new) = (self.len(), list.len());
        for index in 0..n_new {
            let Some(item) = list.get(index) else {
                return Err(raise!(RuntimeError, "list changed size during iteration"));
            };
            if let Err(raised) = self.push(&item) {
                let exception = raised.take();
                self.resize(old_len)?;
                return Err(adder_runtime::error::restore(exception));
            }
            if list.len() != n_new {
                self.resize(old_len)?;
                return Err(raise!(RuntimeError, "list changed size during iteration"));
            }
        }
        Ok(())
    }
    /// Convert the array to an array of machine values and return the bytes representation.
    #[method("($self, /)")]
    fn tobytes(&self) -> Ref<PyBytesObject> {
        PyBytesObject::from_slice(self.bytes())
    }
    /// Appends items from the string, interpreting it as an array of machine values.
    #[method("($self, buffer, /)")]
    fn frombytes(&self, buffer: &PyObject) -> PyResult<()> {
        let view = Buffer::simple(buffer)?;
        if view.view().itemsize.get() != 1 {
            return Err(raise!(TypeError, "a bytes-like object is required"));
        }
        self.extend_raw(view.as_bytes())
    }
    /// Extends this array with data from the unicode string ustr.
    #[method("($self, ustr, /)")]
    fn fromunicode(&self, ustr: &PyUnicodeObject) -> PyResult<()> {
        if !self.descr.get().is_char() {
            return Err(raise!(
                ValueError,
                "fromunicode() may only be called on unicode type arrays ('u' or 'w')"
            ));
        }
        self.extend_text(ustr)
    }
    /// Extends this array with data from the unicode string ustr.
    #[method("($self, /)")]
    fn tounicode(&self) -> PyResult<Ref<PyUnicodeObject>> {
        if !self.descr.get().is_char() {
            return Err(raise!(ValueError, "tounicode() may only be called on unicode type arrays ('u' or 'w')"));
        }
        self.text()
    }
    /// Read n objects from the file object f and append them to the end of the array.
    #[method("($self, f, n, /)")]
    fn fromfile(&self, f: &PyObject, n: isize) -> PyResult<()> {
        let Ok(count) = usize::try_from(n) else { return Err(raise!(ValueError, "negative count")) };
        let Some(n_bytes) = count.checked_mul(self.item_size()).filter(|n| *n <= isize::MAX as usize) else {
            return Err(adder_runtime::memory::no_memory());
        };
        let n_bytes_object = PyLongObject::from_usize(n_bytes);
        let read = f.call_method(identifier!("read"), &[n_bytes_object.as_object()])?;
        let Some(bytes) = read.as_object().downcast::<PyBytesObject>() else {
            return Err(raise!(TypeError, "read() didn't return bytes"));
        };
        let bytes = bytes.as_bytes();
        self.extend_raw(bytes)?;
        if bytes.len() != n_bytes {
            return Err(raise!(EOFError, "read() didn't return enough bytes"));
        }
        Ok(())
    }
    /// Write all items (as machine values) to the file object f.
    #[method("($self, f, /)")]
    fn tofile(&self, f: &PyObject) -> PyResult<()> {
        const BLOCK: usize = 64 * 1024;
        let mut start = 0;
        while start < self.bytes().len() {
            let bytes = self.bytes();
            let end = (start + BLOCK).min(bytes.len());
            let chunk = PyBytesObject::from_slice(&bytes[start..end]);
            f.call_method(identifier!("write"), &[chunk.as_object()])?;
            start = end;
        }
        Ok(())
    }
    /// Size of the array in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        self.as_object().ty().tp_basicsize.get() as usize + self.allocated.get() as usize * self.item_size()
    }
    #[method("($self, value, /)")]
    fn __reduce_ex__(&self, value: &PyObject) -> PyResult {
        pickling::reduce(self, value)
    }
}

#[repr(C)]
pub struct ArrayIterator {
    ob_base: PyObject,
    array: ObjectCell<Array>,
    index: Cell<usize>,
}

#[pytype(name = "array.arrayiterator", static_name = ARRAY_ITERATOR_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
impl ArrayIterator {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.array.visit(visitor)
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let Some(array) = self.array.borrow() else { return Ok(None) };
        let index = self.index.get();
        if index < array.len() {
            self.index.set(index + 1);
            return array.item(index).map(Some);
        }
        self.array.set(None);
        Ok(None)
    }
    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let state = || Some((self.array.get()?.into_object(), self.index.get()));
        adder_runtime::objects::seqiter::reduce(state, PyTupleObject::empty().into_object())
    }
    /// Set state information for unpickling.
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let index = state.index()?.as_isize()?;
        if let Some(array) = self.array.borrow() {
            self.index.set((index.max(0) as usize).min(array.len()));
        }
        Ok(())
    }
}

/// This module defines an object type which can efficiently represent
/// an array of basic values: characters, integers, floating-point
/// numbers.
#[pymodule(name = "array", types = [ARRAY_TYPE])]
pub mod array {
    pub use super::ARRAY_TYPE;
    use super::*;

    #[pyconst]
    fn ArrayType() -> Ref {
        ARRAY_TYPE.to_object()
    }
    #[pyconst]
    fn typecodes() -> String {
        items::DESCRIPTORS.iter().map(|descr| char::from(descr.code)).collect()
    }
    /// Internal. Used for pickling support.
    #[pyfunction("($module, arraytype, typecode, mformat_code, items, /)")]
    fn _array_reconstructor(
        arraytype: &PyTypeObject,
        typecode: CodePoint,
        mformat_code: i32,
        items: &PyObject,
    ) -> PyResult {
        pickling::reconstruct(arraytype, typecode.0, mformat_code, items)
    }
    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        let abc = adder_runtime::hooks::import_module("collections.abc")?;
        let sequence = abc.get_attr(identifier!("MutableSequence"))?;
        sequence.call_method(identifier!("register"), &[ARRAY_TYPE.as_object()]).map(drop)
    }
}
