//! `enumerate` and `reversed`.

use super::freelist::alloc_instance;
use super::iterobject::IndexIterator;
use super::tupleobject::reuse_pair;
use crate::args::Kwargs;
use crate::exceptions::exc;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;

/// The iterator that `enumerate` makes.
#[repr(C)]
pub struct PyEnumerate {
    ob_base: PyObject,
    en_index: Cell<isize>,
    /// The iterator over the items.
    en_sit: Cell<*mut PyObject>,
    /// The pair made last.
    en_result: Cell<*mut PyTupleObject>,
    /// The index once it is beyond `en_index`; else null.
    en_longindex: Cell<*mut PyObject>,
}

impl PyEnumerate {
    #[cold]
    fn next_long(&self, item: Ref) -> PyResult {
        let old = self.en_longindex.get();
        // SAFETY: null or owned by the iterator.
        let index = match unsafe { Ref::from_borrowed_opt(old) } {
            Some(index) => index,
            None => PyLongObject::from_isize(isize::MAX).into_object(),
        };
        let next = crate::protocol::number::add(&index, PyLongObject::from_isize(1).as_object())?;
        let old = self.en_longindex.replace(next.into_raw());
        // SAFETY: the iterator owned the old index.
        unsafe { memory::xdecref(old) };
        Ok(reuse_pair(&self.en_result, index, item))
    }
}

#[pytype(name = "enumerate", static_name = PyEnum_Type, flags = BASETYPE | HAVE_GC)]
/// An iterator of pairs: a count, from start on, and the next item of the iterable.
impl PyEnumerate {
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        // SAFETY: these are the vectorcall's own arguments: the keywords' values follow.
        let keywords = unsafe {
            Kwargs::new(
                args.as_ptr().cast(),
                args.len() as isize,
                kwnames.map_or(std::ptr::null_mut(), TypedObject::as_ptr),
            )
        };
        let n_given = args.len() + keywords.len();
        if n_given == 0 || n_given > 2 {
            return Err(match args.len() {
                0 => raise!(TypeError, "enumerate() missing required argument 'iterable'"),
                _ => raise!(
                    TypeError,
                    "enumerate() takes at most 2 arguments ({n_given} given)"
                ),
            });
        }
        let (mut iterable, mut start) = (args.first().copied(), args.get(1).copied());
        for (name, value) in keywords.iter() {
            let slot = match name.str()?.to_string_lossy().as_str() {
                "iterable" if iterable.is_none() => &mut iterable,
                "start" if start.is_none() && n_given == 2 => &mut start,
                other => {
                    return Err(raise!(
                        TypeError,
                        "'{other}' is an invalid keyword argument for enumerate()"
                    ));
                }
            };
            *slot = Some(value);
        }
        match iterable {
            Some(iterable) => PyEnumerate::new(cls, iterable, start),
            None => Err(raise!(
                TypeError,
                "enumerate() missing required argument 'iterable'"
            )),
        }
    }
    #[new("(iterable, start=0)")]
    fn new(cls: &PyTypeObject, iterable: &PyObject, start: Option<&PyObject>) -> PyResult {
        let (mut index, mut long) = (0, std::ptr::null_mut());
        if let Some(start) = start {
            let start = start.index()?;
            match start.to_i64() {
                Some(value) if value < i64::MAX => index = value as isize,
                _ => (index, long) = (isize::MAX, start.into_object_raw()),
            }
        }
        // SAFETY: null or the count taken above.
        let long = unsafe { Ref::from_owned_opt(long) };
        let iterator = iterable.iter()?;
        let object = alloc_instance(cls, 0)?;
        // SAFETY: an instance of enumerate or of a subclass.
        let this = unsafe { object.cast_unchecked::<PyEnumerate>() };
        this.en_index.set(index);
        this.en_longindex
            .set(long.map_or(std::ptr::null_mut(), Ref::into_raw));
        this.en_sit.set(iterator.into_raw());
        Ok(object)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead and owned these.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).en_sit.get());
            memory::xdecref((*this).en_result.get().cast());
            memory::xdecref((*this).en_longindex.get());
            super::freelist::free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [
            self.en_sit.get(),
            self.en_result.get().cast(),
            self.en_longindex.get(),
        ] {
            let stop = visitor.visit(object);
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        // SAFETY: the iterator owns it from its making to its end.
        let iterator = unsafe { &*self.en_sit.get() };
        let Some(item) = iterator.next()? else {
            return Ok(None);
        };
        let index = self.en_index.get();
        if index == isize::MAX {
            return self.next_long(item).map(Some);
        }
        self.en_index.set(index + 1);
        Ok(Some(reuse_pair(
            &self.en_result,
            PyLongObject::from_isize(index).into_object(),
            item,
        )))
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: the fields are null or owned by the iterator.
        let (iterator, long) = unsafe {
            (
                Ref::from_borrowed(self.en_sit.get()),
                Ref::from_borrowed_opt(self.en_longindex.get()),
            )
        };
        let index = long.unwrap_or_else(|| PyLongObject::from_isize(self.en_index.get()).into_object());
        let args = PyTupleObject::from_vec(vec![iterator, index]).into_object();
        Ok(PyTupleObject::from_vec(vec![self.as_object().ty().to_object(), args]).into_object())
    }
    /// enumerate[item type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// The iterator that `reversed` makes over a sequence; `it_index` is the next position, -1 at the end.
#[repr(transparent)]
pub struct PyReversed(IndexIterator);

#[pytype(name = "reversed", static_name = PyReversed_Type, flags = BASETYPE | HAVE_GC)]
/// An iterator over a sequence, last item first.
impl PyReversed {
    #[new("(object, /)", vectorcall)]
    fn new(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        match object.lookup_special(identifier!("__reversed__"))? {
            Some(method) if is_none(&method) => {}
            Some(method) => return method.call0(),
            None if object.is_sequence() => {
                let index = object.sequence_len()? as isize - 1;
                let new = alloc_instance(cls, 0)?;
                // SAFETY: an instance of reversed or of a subclass.
                let this = unsafe { new.cast_unchecked::<PyReversed>() };
                this.0.it_index.set(index);
                this.0.it_seq.set(object.to_ref().into_raw());
                return Ok(new);
            }
            None => {}
        }
        Err(raise!(
            TypeError,
            "'{}' object is not reversible",
            object.ty().full_name()
        ))
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead and owned its sequence.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).0.it_seq.get());
            super::freelist::free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.0.it_seq.get())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let index = self.0.it_index.get();
        if index >= 0
            && let Some(seq) = self.0.sequence()
        {
            let seq = seq.to_ref();
            match seq.get_index(index) {
                Ok(item) => {
                    self.0.it_index.set(index - 1);
                    return Ok(Some(item));
                }
                Err(raised) if raised.matches(exc::IndexError) || raised.matches(exc::StopIteration) => {
                    raised.clear()
                }
                Err(raised) => return Err(raised),
            }
        }
        self.0.it_index.set(-1);
        self.0.finish();
        Ok(None)
    }
    /// How many items are probably left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult<isize> {
        let Some(seq) = self.0.sequence() else {
            return Ok(0);
        };
        let position = self.0.it_index.get() + 1;
        let len = seq.to_ref().sequence_len()? as isize;
        Ok(if len < position { 0 } else { position })
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let class = self.as_object().ty().to_object();
        let Some(seq) = self.0.sequence() else {
            let args = PyTupleObject::from_vec(vec![PyTupleObject::empty().into_object()]).into_object();
            return Ok(PyTupleObject::from_vec(vec![class, args]).into_object());
        };
        let args = PyTupleObject::from_slice(&[seq]).into_object();
        let index = PyLongObject::from_isize(self.0.it_index.get()).into_object();
        Ok(PyTupleObject::from_vec(vec![class, args, index]).into_object())
    }
    /// Restores a pickled position.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        let index = super::iterobject::state_index(state)?;
        if let Some(seq) = self.0.sequence() {
            let len = seq.to_ref().sequence_len()? as isize;
            self.0.it_index.set(index.clamp(-1, len - 1));
        }
        Ok(())
    }
}
