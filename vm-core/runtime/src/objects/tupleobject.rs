//! `tuple`: items in the object itself. Small ones come from free lists; the empty one is a static.
//!
//! A tuple is tracked by the collector only when one of its items may be part of a cycle, as in CPython 3.14.

use super::dictobject::hash_of;
use super::freelist::{FreeList, alloc_instance, free_instance};
use super::indices::{Subscript, checked_index, search_argument, search_bounds, slice_range, subscript};
use super::reprs::guarded_repr;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;

const MAX_FREE_SIZE: usize = 20;
static FREE_TUPLES: [FreeList; MAX_FREE_SIZE] = [const { FreeList::new(2000) }; MAX_FREE_SIZE];

pub(super) fn clear_free_list(closed: bool) {
    for list in &FREE_TUPLES {
        list.clear(&PyTuple_Type, closed);
    }
}

/// The empty tuple, with the collector's header before it as before any tuple.
#[repr(C)]
struct EmptyTuple {
    gc: PyGC_Head,
    tuple: PyTupleObject,
}
// SAFETY: never written after start-up but for its cached hash, under the GIL.
unsafe impl Sync for EmptyTuple {}
static EMPTY_TUPLE: EmptyTuple = EmptyTuple {
    gc: PyGC_Head {
        _gc_next: Cell::new(0),
        _gc_prev: Cell::new(0),
    },
    tuple: PyTupleObject {
        ob_base: PyVarObject::immortal((&raw const PyTuple_Type).cast_mut(), 0),
        ob_hash: Cell::new(-1),
        ob_item: [Cell::new(std::ptr::null_mut())],
    },
};

impl PyTupleObject {
    /// The empty tuple.
    #[inline]
    pub fn empty() -> Ref<PyTupleObject> {
        EMPTY_TUPLE.tuple.to_ref()
    }

    /// Memory for `n` > 0 items, which are still to be written; untracked. Null when memory is out.
    #[inline]
    pub fn alloc_uninit(n: usize) -> *mut PyTupleObject {
        let tuple = Self::alloc_quick(n);
        if tuple.is_null() {
            Self::alloc_general(n)
        } else {
            tuple
        }
    }

    /// As `alloc_uninit`, of a tuple that died; null when there is none.
    #[inline(always)]
    pub fn alloc_quick(n: usize) -> *mut PyTupleObject {
        let Some(list) = FREE_TUPLES.get(n.wrapping_sub(1)) else {
            return std::ptr::null_mut();
        };
        let object = list.pop();
        if object.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: memory of a tuple of n items.
        unsafe { Self::begin(object, n) }
    }

    #[inline(never)]
    fn alloc_general(n: usize) -> *mut PyTupleObject {
        let Some(size) = n
            .checked_mul(size_of::<*mut PyObject>())
            .and_then(|size| size.checked_add(48))
        else {
            return std::ptr::null_mut();
        };
        let block = memory::raw_malloc(size).cast::<u8>();
        if block.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: the block begins with room for the collector's header, which says 'untracked'.
        unsafe {
            block.write_bytes(0, memory::GC_HEAD_SIZE);
            Self::begin(block.add(memory::GC_HEAD_SIZE).cast::<PyObject>(), n)
        }
    }

    /// # Safety
    /// Memory for a tuple of `n` items, after the collector's header.
    #[inline(always)]
    unsafe fn begin(object: *mut PyObject, n: usize) -> *mut PyTupleObject {
        // SAFETY: the caller's contract.
        unsafe {
            memory::init_static(object, &PyTuple_Type);
            let tuple = object.cast::<PyTupleObject>();
            (*tuple).ob_base.ob_size.set(n as isize);
            (*tuple).ob_hash.set(-1);
            tuple
        }
    }

    /// As `alloc_uninit`, where running out of memory ends the process.
    #[inline]
    fn alloc_or_abort(n: usize) -> *mut PyTupleObject {
        memory::insist(|| std::ptr::NonNull::new(Self::alloc_uninit(n))).as_ptr()
    }

    /// Takes over memory from `alloc_uninit` whose items are written now; tracks it if need be.
    ///
    /// # Safety
    /// All items are owned and not null.
    #[inline]
    pub unsafe fn finish(tuple: *mut PyTupleObject) -> Ref<PyTupleObject> {
        // SAFETY: the caller's contract.
        unsafe {
            if (*tuple).may_be_in_cycle() {
                gc::track(tuple.cast());
            }
            Ref::from_owned(tuple)
        }
    }

    /// Whether an item's type takes part in garbage collection.
    #[inline]
    pub fn may_be_in_cycle(&self) -> bool {
        self.as_slice()
            .iter()
            .any(|item| item.type_has(Py_TPFLAGS_HAVE_GC))
    }

    /// For the collector: stops tracking a tuple all of whose items are settled as atoms.
    pub fn maybe_untrack(&self) {
        let settled = self.as_slice().iter().all(|item| {
            !gc::is_gc_object(item) || (PyTupleObject::check_exact(item) && !gc::is_tracked(item.as_ptr()))
        });
        if settled && PyTupleObject::check_exact(self.as_object()) {
            gc::untrack(self.as_ptr());
        }
    }

    pub fn from_vec(items: Vec<Ref>) -> Ref<PyTupleObject> {
        if items.is_empty() {
            return Self::empty();
        }
        let tuple = Self::alloc_or_abort(items.len());
        // SAFETY: a `Ref` is a pointer that owns; the items move into the tuple, the vector forgets them.
        unsafe {
            let mut items = std::mem::ManuallyDrop::new(items);
            std::ptr::copy_nonoverlapping(items.as_ptr().cast(), (*tuple).items_ptr(), items.len());
            items.set_len(0);
            drop(std::mem::ManuallyDrop::into_inner(items));
            Self::finish(tuple)
        }
    }

    pub fn from_slice(items: &[&PyObject]) -> Ref<PyTupleObject> {
        if items.is_empty() {
            return Self::empty();
        }
        // SAFETY: room for as many items.
        unsafe { Self::fill(Self::alloc_or_abort(items.len()), items) }
    }

    /// As `from_slice`, in the memory of a tuple that died.
    #[inline(always)]
    pub fn from_slice_quick(items: &[&PyObject]) -> Option<Ref<PyTupleObject>> {
        let tuple = Self::alloc_quick(items.len());
        // SAFETY: room for as many items.
        (!tuple.is_null()).then(|| unsafe { Self::fill(tuple, items) })
    }

    /// A pair in the memory of one that died.
    #[inline(always)]
    pub fn pair_quick(first: &PyObject, second: &PyObject) -> Option<Ref<PyTupleObject>> {
        let tuple = Self::alloc_quick(2);
        if tuple.is_null() {
            return None;
        }
        // SAFETY: room for two items; each gets a count of its own.
        unsafe {
            let target = (*tuple).items_ptr();
            first.incref();
            *target = first.as_ptr();
            second.incref();
            *target.add(1) = second.as_ptr();
            let flags = first.ty().tp_flags.get() | second.ty().tp_flags.get();
            if flags & Py_TPFLAGS_HAVE_GC != 0 {
                gc::track(tuple.cast());
            }
            Some(Ref::from_owned(tuple))
        }
    }

    /// # Safety
    /// Memory for as many items, from `alloc_uninit`.
    #[inline(always)]
    unsafe fn fill(tuple: *mut PyTupleObject, items: &[&PyObject]) -> Ref<PyTupleObject> {
        let mut flags = 0;
        // SAFETY: the caller's contract; each item gets a count of its own.
        unsafe {
            let target = (*tuple).items_ptr();
            for (idx, item) in items.iter().enumerate() {
                flags |= item.ty().tp_flags.get();
                item.incref();
                *target.add(idx) = item.as_ptr();
            }
            if flags & Py_TPFLAGS_HAVE_GC != 0 {
                gc::track(tuple.cast());
            }
            Ref::from_owned(tuple)
        }
    }

    /// A tuple of `n` items that `f` makes. When `f` panics, the items so far leak.
    pub fn with_len_and(n: usize, mut f: impl FnMut(usize) -> Ref) -> Ref<PyTupleObject> {
        if n == 0 {
            return Self::empty();
        }
        let tuple = Self::alloc_or_abort(n);
        // SAFETY: room for n items; each is written once.
        unsafe {
            for idx in 0..n {
                let item = f(idx).into_raw();
                *(*tuple).items_ptr().add(idx) = item;
            }
            Self::finish(tuple)
        }
    }

    /// The items, borrowed from the tuple.
    #[inline(always)]
    pub fn as_slice(&self) -> &[&PyObject] {
        // SAFETY: a finished tuple has this many items, none null; a reference is a non-null pointer.
        unsafe { std::slice::from_raw_parts(self.items_ptr().cast(), self.len()) }
    }

    #[inline]
    pub fn get(&self, index: usize) -> Option<Ref> {
        self.as_slice().get(index).map(|item| item.to_ref())
    }

    /// A tuple of some of the items; the tuple itself when that is all of an exact tuple.
    pub fn slice(&self, start: usize, stop: usize) -> Ref<PyTupleObject> {
        let stop = stop.min(self.len());
        if start == 0 && stop == self.len() && PyTupleObject::check_exact(self.as_object()) {
            return self.to_ref();
        }
        Self::from_slice(self.as_slice().get(start..stop).unwrap_or_default())
    }

    /// An instance of a subclass with these items.
    pub fn in_subclass(cls: &PyTypeObject, items: &[&PyObject]) -> PyResult {
        let object = alloc_instance(cls, items.len())?;
        // SAFETY: an instance of a tuple subclass with room for the items.
        unsafe {
            let tuple = &*object.as_raw().cast::<PyTupleObject>();
            tuple.ob_hash.set(-1);
            for (idx, item) in items.iter().enumerate() {
                item.incref();
                *tuple.items_ptr().add(idx) = item.as_ptr();
            }
        }
        Ok(object)
    }

    fn concat(&self, other: &PyTupleObject) -> PyResult {
        if self.is_empty() && PyTupleObject::check_exact(other.as_object()) {
            return Ok(other.to_object());
        }
        if other.is_empty() && PyTupleObject::check_exact(self.as_object()) {
            return Ok(self.to_object());
        }
        let n = self.len() + other.len();
        if n == 0 {
            return Ok(Self::empty().into_object());
        }
        let tuple = Self::alloc_uninit(n);
        if tuple.is_null() {
            return Err(memory::no_memory());
        }
        // SAFETY: room for the items of both.
        unsafe {
            let target = (*tuple).items_ptr();
            for (idx, item) in self.as_slice().iter().chain(other.as_slice()).enumerate() {
                item.incref();
                *target.add(idx) = item.as_ptr();
            }
            Ok(Self::finish(tuple).into_object())
        }
    }

    fn repeat(&self, count: isize) -> PyResult {
        if (self.is_empty() || count == 1) && PyTupleObject::check_exact(self.as_object()) {
            return Ok(self.to_object());
        }
        if self.is_empty() || count <= 0 {
            return Ok(Self::empty().into_object());
        }
        let Some(n) = self
            .len()
            .checked_mul(count as usize)
            .filter(|n| *n <= isize::MAX as usize / 8)
        else {
            return Err(memory::no_memory());
        };
        let tuple = Self::alloc_uninit(n);
        if tuple.is_null() {
            return Err(memory::no_memory());
        }
        // SAFETY: room for n items.
        unsafe {
            let target = (*tuple).items_ptr();
            for idx in 0..n {
                let item = self.as_slice()[idx % self.len()];
                item.incref();
                *target.add(idx) = item.as_ptr();
            }
            Ok(Self::finish(tuple).into_object())
        }
    }

    fn compute_hash(&self) -> PyResult<Py_hash_t> {
        const P1: usize = 11400714785074694791;
        const P2: usize = 14029467366897019727;
        const P5: usize = 2870177450012600261;
        let mut acc = P5;
        for item in self.as_slice() {
            let lane = hash_of(item)? as usize;
            acc = acc
                .wrapping_add(lane.wrapping_mul(P2))
                .rotate_left(31)
                .wrapping_mul(P1);
        }
        acc = acc.wrapping_add(self.len() ^ (P5 ^ 3527539));
        let hash = if acc == usize::MAX {
            1546275796
        } else {
            acc as Py_hash_t
        };
        self.ob_hash.set(hash);
        Ok(hash)
    }
}

/// A pair, in the memory of the one that `last` holds when nobody else has it: for iterators that give pairs.
#[inline]
pub fn reuse_pair(last: &Cell<*mut PyTupleObject>, first: Ref, second: Ref) -> Ref {
    let old = last.get();
    // SAFETY: the caller owns its last pair; with one count nobody else sees it change.
    unsafe {
        if !old.is_null() && (*old).as_object().refcnt() == 1 {
            let items = (*old).items_ptr();
            let (old_first, old_second) = (*items, *items.add(1));
            *items = first.into_raw();
            *items.add(1) = second.into_raw();
            (*old).ob_hash.set(-1);
            let result = Ref::from_borrowed(old.cast::<PyObject>());
            // The collector may have stopped tracking it for its old items.
            if !gc::is_tracked(result.as_raw()) {
                gc::track(result.as_raw());
            }
            memory::decref(old_first);
            memory::decref(old_second);
            return result;
        }
        let tuple = PyTupleObject::alloc_or_abort(2);
        *(*tuple).items_ptr() = first.into_raw();
        *(*tuple).items_ptr().add(1) = second.into_raw();
        let pair = PyTupleObject::finish(tuple);
        memory::xdecref(last.replace(pair.clone().into_raw()).cast());
        pair.into_object()
    }
}

/// The items of a list or tuple (an instance of either or of a subclass), borrowed.
pub fn fast_items(sequence: &PyObject) -> &[&PyObject] {
    if let Some(tuple) = sequence.downcast::<PyTupleObject>() {
        return tuple.as_slice();
    }
    match sequence.downcast::<PyListObject>() {
        Some(list) => list.as_slice(),
        None => &[],
    }
}

/// Compares two sequences item by item: the first difference decides. `items` must give the items that are there now,
/// as comparing may change them.
pub fn compare_sequences<'a>(
    op: CompareOp,
    a: impl Fn() -> &'a [&'a PyObject],
    b: impl Fn() -> &'a [&'a PyObject],
) -> PyResult {
    let mut idx = 0;
    while let (Some(x), Some(y)) = (a().get(idx), b().get(idx)) {
        if x.is(y) {
            idx += 1;
            continue;
        }
        let (x, y) = (x.to_ref(), y.to_ref());
        if !x.compare_bool(&y, CompareOp::Eq)? {
            return match op {
                // Lists that the comparison has shortened are compared by their lengths.
                _ if idx >= a().len() || idx >= b().len() => break,
                CompareOp::Eq => Ok(py_bool(false)),
                CompareOp::Ne => Ok(py_bool(true)),
                _ => x.rich_compare(&y, op),
            };
        }
        idx += 1;
    }
    Ok(py_bool(op.holds(a().len().cmp(&b().len()))))
}

#[pytype(
    name = "tuple",
    static_name = PyTuple_Type,
    flags = BASETYPE | HAVE_GC | TUPLE_SUBCLASS | MATCH_SELF | SEQUENCE,
    basicsize = PyTupleObject::ITEMS_OFFSET,
    itemsize = size_of::<*mut PyObject>()
)]
/// An immutable sequence of the iterable's items; without an argument, the empty tuple.
impl PyTupleObject {
    #[new("(iterable=(), /)", vectorcall)]
    fn new(cls: &PyTypeObject, iterable: Option<&PyObject>) -> PyResult {
        let items = match iterable {
            None => Self::empty(),
            Some(iterable) => iterable.to_tuple()?,
        };
        if std::ptr::eq(cls, &PyTuple_Type) {
            return Ok(items.into_object());
        }
        Self::in_subclass(cls, items.as_slice())
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the tuple is dead and owned its items; one that is still being built may have null items.
        unsafe {
            let tuple = &*this;
            let n = tuple.len();
            if n == 0 && std::ptr::eq(this, &raw const EMPTY_TUPLE.tuple) {
                return;
            }
            gc::untrack(this.cast());
            let items = tuple.items_ptr();
            for idx in (0..n).rev() {
                memory::xdecref(*items.add(idx));
            }
            let exact = std::ptr::eq(tuple.ob_base.ob_base.ob_type.get(), &PyTuple_Type);
            if exact && n <= MAX_FREE_SIZE && n > 0 && FREE_TUPLES[n - 1].push(this.cast()) {
                return;
            }
            free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for idx in 0..self.len() {
            // SAFETY: below the length; a null item of a tuple being built is skipped by `visit`.
            let stop = visitor.visit(unsafe { *self.items_ptr().add(idx) });
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        if self.is_empty() {
            return Ok(PyUnicodeObject::from_str("()").into_object());
        }
        guarded_repr(self.as_object(), "(...)", "(", |out| {
            for idx in 0..self.len() {
                if idx > 0 {
                    out.push_str(", ");
                }
                // SAFETY: within the tuple; a place that C has not filled is null.
                unsafe { out.push_repr_at(*self.items_ptr().add(idx))? };
            }
            out.push_str(if self.len() == 1 { ",)" } else { ")" });
            Ok(())
        })
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        match self.ob_hash.get() {
            -1 => self.compute_hash(),
            hash => Ok(hash),
        }
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyTupleObject>() else {
            return Ok(not_implemented().to_ref());
        };
        compare_sequences(op, || self.as_slice(), || other.as_slice())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(super::iterobject::index_iterator(
            self.as_object(),
            &PyTupleIter_Type,
            0,
        ))
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn sq_concat(&self, other: &PyObject) -> PyResult {
        match other.downcast::<PyTupleObject>() {
            Some(other) => self.concat(other),
            None => Err(raise!(
                TypeError,
                "can only concatenate tuple (not \"{}\") to tuple",
                other.ty().full_name()
            )),
        }
    }
    #[slot]
    fn sq_repeat(&self, count: isize) -> PyResult {
        self.repeat(count)
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult {
        match self.as_slice().get(index as usize) {
            Some(item) if index >= 0 => Ok(item.to_ref()),
            _ => Err(raise!(IndexError, "tuple index out of range")),
        }
    }
    #[slot]
    fn sq_contains(&self, item: &PyObject) -> PyResult<bool> {
        for other in self.as_slice() {
            if other.compare_bool(item, CompareOp::Eq)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        match subscript(key, "tuple")? {
            Subscript::Index(index) => match checked_index(index, self.len()) {
                Some(idx) => Ok(self.as_slice()[idx].to_ref()),
                None => Err(raise!(IndexError, "tuple index out of range")),
            },
            Subscript::Slice(slice) => {
                let range = slice_range(slice, || self.len())?;
                if range.step == 1 {
                    let start = range.start as usize;
                    return Ok(self.slice(start, start + range.count).into_object());
                }
                let items: Vec<_> = range.positions().map(|idx| self.as_slice()[idx]).collect();
                Ok(Self::from_slice(&items).into_object())
            }
        }
    }

    /// The arguments for `tuple.__new__` that make an equal tuple.
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref {
        let copy = Self::from_slice(self.as_slice());
        Self::from_vec(vec![copy.into_object()]).into_object()
    }
    /// The first position of the value; ValueError if it is not there.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(&self, value: &PyObject, start: Option<&PyObject>, stop: Option<&PyObject>) -> PyResult<usize> {
        let start = search_argument(start, 0)?;
        let stop = search_argument(stop, isize::MAX)?;
        let (start, stop) = search_bounds(start, stop, self.len());
        for idx in start..stop.min(self.len()) {
            if self.as_slice()[idx].compare_bool(value, CompareOp::Eq)? {
                return Ok(idx);
            }
        }
        Err(raise!(ValueError, "tuple.index(x): x not in tuple"))
    }
    /// How many items are equal to the value.
    #[method("($self, value, /)")]
    fn count(&self, value: &PyObject) -> PyResult<usize> {
        let mut count = 0;
        for item in self.as_slice() {
            count += usize::from(item.compare_bool(value, CompareOp::Eq)?);
        }
        Ok(count)
    }
    /// tuple[item type, ...], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// The iterator over a tuple.
#[repr(transparent)]
pub struct PyTupleIterator(super::iterobject::IndexIterator);

#[pytype(name = "tuple_iterator", static_name = PyTupleIter_Type, flags = HAVE_GC)]
impl PyTupleIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { super::iterobject::IndexIterator::dealloc(this.cast()) }
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
        let Some(seq) = self.0.sequence() else {
            return Ok(None);
        };
        // SAFETY: made over a tuple only.
        let tuple = unsafe { seq.cast_unchecked::<PyTupleObject>() };
        let idx = self.0.it_index.get() as usize;
        match tuple.as_slice().get(idx) {
            Some(item) => {
                self.0.it_index.set(idx as isize + 1);
                Ok(Some(item.to_ref()))
            }
            None => {
                self.0.finish();
                Ok(None)
            }
        }
    }
    /// How many items are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> PyResult<isize> {
        self.0.length_hint()
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.0.reduce(crate::module::builtin("iter")?)
    }
    /// Restores a pickled position.
    #[method("($self, object, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        self.0.set_state(state)
    }
}
