//! `set` and `frozenset`: one layout and one table (`table`), two Python types (here), and their iterator.

pub mod table;

use super::freelist::{alloc_instance, alloc_static, free_instance};
use super::reprs::guarded_repr;
use super::weakrefobject;
use crate::memory::{self, gc};
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;
use table::hash_element;

#[pytype(
    name = "set",
    static_name = PySet_Type,
    flags = BASETYPE | HAVE_GC | MATCH_SELF,
    weaklistoffset = offset_of!(PySetObject, weakreflist),
    slots = [
        tp_dealloc = set_dealloc,
        tp_traverse = set_traverse,
        tp_clear = set_clear,
        tp_repr = set_repr,
        tp_richcompare = set_richcompare,
        tp_iter = set_iter,
        tp_hash = crate::types::hash_not_implemented,
        sq_length = set_len,
        sq_contains = set_contains,
        nb_subtract = set_sub,
        nb_and = set_and,
        nb_xor = set_xor,
        nb_or = set_or,
    ],
    parts = [ANY_SET]
)]
/// An unordered collection of different elements.
impl PySetObject {
    #[new(raw, "(iterable=(), /)")]
    fn py_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        new_instance(cls)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "set() takes no keyword arguments"));
        }
        let iterable = constructor_argument("set", args.as_slice(), None)?;
        self.clear();
        self.hash.set(-1);
        match iterable {
            Some(iterable) => self.update(iterable),
            None => Ok(()),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let iterable = constructor_argument("set", args, kwnames)?;
        let set = new_instance(cls)?;
        if let Some(iterable) = iterable {
            // SAFETY: an instance of set.
            unsafe { set.cast_unchecked::<PySetObject>() }.update(iterable)?;
        }
        Ok(set)
    }
    #[slot]
    fn nb_inplace_or(&self, other: &PyObject) -> PyResult {
        self.in_place(other, |this, other| this.update(other))
    }
    #[slot]
    fn nb_inplace_and(&self, other: &PyObject) -> PyResult {
        self.in_place(other, |this, other| this.keep_only(&[other]))
    }
    #[slot]
    fn nb_inplace_subtract(&self, other: &PyObject) -> PyResult {
        self.in_place(other, |this, other| this.difference_update(other))
    }
    #[slot]
    fn nb_inplace_xor(&self, other: &PyObject) -> PyResult {
        self.in_place(other, |this, other| this.symmetric_difference_update(other))
    }

    /// Adds an element.
    #[method("($self, object, /)", name = "add")]
    fn py_add(&self, object: &PyObject) -> PyResult<()> {
        self.add(object)
    }
    /// Removes all elements.
    #[method("($self, /)", name = "clear")]
    fn py_clear(&self) {
        self.clear();
    }
    /// Removes some element and returns it; KeyError if there is none.
    #[method("($self, /)")]
    fn pop(&self) -> PyResult {
        self.pop_any()
            .ok_or_else(|| raise!(KeyError, "pop from an empty set"))
    }
    /// Removes an element; KeyError if it is not there.
    #[method("($self, object, /)")]
    fn remove(&self, object: &PyObject) -> PyResult<()> {
        if self.with_key(object, |key| self.discard(key))? {
            return Ok(());
        }
        Err(super::dictobject::key_error(object))
    }
    /// Removes an element if it is there.
    #[method("($self, object, /)", name = "discard")]
    fn py_discard(&self, object: &PyObject) -> PyResult<()> {
        self.with_key(object, |key| self.discard(key)).map(drop)
    }
    /// Adds the elements of all others.
    #[method("($self, /, *others)", name = "update")]
    fn py_update(&self, others: &[&PyObject]) -> PyResult<()> {
        others.iter().try_for_each(|other| self.update(other))
    }
    /// Keeps only what all others have too.
    #[method("($self, /, *others)")]
    fn intersection_update(&self, others: &[&PyObject]) -> PyResult<()> {
        self.keep_only(others)
    }
    /// Removes what any other has.
    #[method("($self, /, *others)", name = "difference_update")]
    fn py_difference_update(&self, others: &[&PyObject]) -> PyResult<()> {
        others.iter().try_for_each(|other| self.difference_update(other))
    }
    /// Keeps what only one of the two has.
    #[method("($self, other, /)", name = "symmetric_difference_update")]
    fn py_symmetric_difference_update(&self, other: &PyObject) -> PyResult<()> {
        self.symmetric_difference_update(other)
    }
    /// A shallow copy.
    #[method("($self, /)", name = "copy")]
    fn py_copy(&self) -> PyResult {
        Ok(self.copy()?.into_object())
    }
}

/// The struct as a frozenset.
#[repr(transparent)]
pub struct PyFrozenSet(PySetObject);

impl PyFrozenSet {
    pub fn elements(&self) -> &PySetObject {
        &self.0
    }
}

#[pytype(
    name = "frozenset",
    static_name = PyFrozenSet_Type,
    flags = BASETYPE | HAVE_GC | MATCH_SELF,
    weaklistoffset = offset_of!(PySetObject, weakreflist),
    slots = [
        tp_dealloc = set_dealloc,
        tp_traverse = set_traverse,
        tp_clear = set_clear,
        tp_repr = set_repr,
        tp_richcompare = set_richcompare,
        tp_iter = set_iter,
        sq_length = set_len,
        sq_contains = set_contains,
        nb_subtract = set_sub,
        nb_and = set_and,
        nb_xor = set_xor,
        nb_or = set_or,
    ],
    parts = [ANY_SET]
)]
/// An immutable unordered collection of different elements.
impl PyFrozenSet {
    #[new("(iterable=(), /)", vectorcall)]
    fn new(cls: &PyTypeObject, iterable: Option<&PyObject>) -> PyResult {
        if std::ptr::eq(cls, &PyFrozenSet_Type)
            && let Some(same) = iterable.filter(|iterable| PyFrozenSet::check_exact(iterable))
        {
            return Ok(same.to_ref());
        }
        let set = new_instance(cls)?;
        if let Some(iterable) = iterable {
            // SAFETY: an instance of frozenset.
            unsafe { set.cast_unchecked::<PySetObject>() }.update(iterable)?;
        }
        Ok(set)
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(self.0.frozen_hash())
    }
    /// The frozenset itself, or a frozenset of a subclass's elements.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        if PyFrozenSet::check_exact(self.as_object()) {
            return Ok(self.to_object());
        }
        Ok(self.0.copy()?.into_object())
    }
}

/// What both types have.
#[pymethods(part = ANY_SET)]
impl PySetObject {
    /// Whether the set has the element.
    #[method("($self, object, /)", coexist)]
    fn __contains__(&self, object: &PyObject) -> PyResult<bool> {
        self.has(object)
    }
    /// A new set of what this set or any other has.
    #[method("($self, /, *others)")]
    fn union(&self, others: &[&PyObject]) -> PyResult {
        let result = self.copy()?;
        others.iter().try_for_each(|other| result.update(other))?;
        Ok(result.into_object())
    }
    /// A new set of what this set and all others have.
    #[method("($self, /, *others)", name = "intersection")]
    fn py_intersection(&self, others: &[&PyObject]) -> PyResult {
        Ok(self.intersection_of(others)?.into_object())
    }
    /// A new set of what this set has and no other has.
    #[method("($self, /, *others)", name = "difference")]
    fn py_difference(&self, others: &[&PyObject]) -> PyResult {
        let Some((first, others)) = others.split_first() else {
            return Ok(self.copy()?.into_object());
        };
        let result = self.difference(first)?;
        others
            .iter()
            .try_for_each(|other| result.difference_update(other))?;
        Ok(result.into_object())
    }
    /// A new set of what only one of the two has.
    #[method("($self, other, /)", name = "symmetric_difference")]
    fn py_symmetric_difference(&self, other: &PyObject) -> PyResult {
        Ok(self.symmetric_difference(other)?.into_object())
    }
    /// Whether the two have no element in common.
    #[method("($self, other, /)")]
    fn isdisjoint(&self, other: &PyObject) -> PyResult<bool> {
        self.is_disjoint(other)
    }
    /// Whether the other has all elements of this set.
    #[method("($self, other, /)")]
    fn issubset(&self, other: &PyObject) -> PyResult<bool> {
        match PySetObject::from_any(other) {
            Some(other) => self.is_subset_of(other),
            None => {
                // As many common elements as there are elements.
                Ok(self.intersection(other)?.len() == self.len())
            }
        }
    }
    /// Whether this set has all elements of the other.
    #[method("($self, other, /)")]
    fn issuperset(&self, other: &PyObject) -> PyResult<bool> {
        if let Some(other) = PySetObject::from_any(other) {
            return other.is_subset_of(self);
        }
        let iterator = other.iter()?;
        while let Some(key) = iterator.next()? {
            if !self.contains(&key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// State for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let elements = PyListObject::from_vec(self.as_object().collect()?).into_object();
        let args = PyTupleObject::from_vec(vec![elements]).into_object();
        let state = self.as_object().call_method(identifier!("__getstate__"), &[])?;
        let class = self.as_object().ty().to_object();
        Ok(PyTupleObject::from_vec(vec![class, args, state]).into_object())
    }
    /// The size of the set in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        self.as_object().ty().tp_basicsize.get() as usize + self.outside_bytes()
    }
    /// set[element type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

fn new_instance(cls: &PyTypeObject) -> PyResult {
    if std::ptr::eq(cls, &PySet_Type) {
        return Ok(PySetObject::new_set().into_object());
    }
    if std::ptr::eq(cls, &PyFrozenSet_Type) {
        return Ok(PySetObject::new_frozenset().into_object());
    }
    let set = alloc_instance(cls, 0)?;
    // SAFETY: an instance of a subclass of set or frozenset, zeroed.
    unsafe { set.cast_unchecked::<PySetObject>() }.init_table();
    Ok(set)
}

fn constructor_argument<'a>(
    name: &str,
    args: &[&'a PyObject],
    kwnames: Option<&PyTupleObject>,
) -> PyResult<Option<&'a PyObject>> {
    if kwnames.is_some_and(|names| !names.is_empty()) {
        return Err(raise!(TypeError, "{name}() takes no keyword arguments"));
    }
    if args.len() > 1 {
        return Err(raise!(
            TypeError,
            "{name} expected at most 1 argument, got {}",
            args.len()
        ));
    }
    Ok(args.first().copied())
}

impl PySetObject {
    /// `f` with the key, or with a frozenset of its elements when the key is a set, which has no hash.
    fn with_key<T>(&self, key: &PyObject, f: impl Fn(&PyObject) -> PyResult<T>) -> PyResult<T> {
        match f(key) {
            Err(raised) if PySetObject::check(key) && raised.matches(crate::exceptions::exc::TypeError) => {
                raised.clear();
                let frozen = PySetObject::new_frozenset();
                frozen.update(key)?;
                f(frozen.as_object())
            }
            result => result,
        }
    }
    fn has(&self, key: &PyObject) -> PyResult<bool> {
        self.with_key(key, |key| self.contains_known_hash(key, hash_element(key)?))
    }
    fn in_place(&self, other: &PyObject, f: impl FnOnce(&Self, &PyObject) -> PyResult<()>) -> PyResult {
        if !PySetObject::is_any_set(other) {
            return Ok(not_implemented().to_ref());
        }
        f(self, other)?;
        Ok(self.to_object())
    }
    fn intersection_of(&self, others: &[&PyObject]) -> PyResult<Ref<PySetObject>> {
        let Some((first, others)) = others.split_first() else {
            return self.copy();
        };
        let mut result = self.intersection(first)?;
        for other in others {
            result = result.intersection(other)?;
        }
        Ok(result)
    }
    fn keep_only(&self, others: &[&PyObject]) -> PyResult<()> {
        let kept = self.intersection_of(others)?;
        self.swap_contents(&kept);
        Ok(())
    }
    fn symmetric_difference(&self, other: &PyObject) -> PyResult<Ref<PySetObject>> {
        let result = self.new_like();
        result.update(other)?;
        result.symmetric_difference_update(self.as_object())?;
        Ok(result)
    }
    fn equals(&self, other: &PySetObject) -> PyResult<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        let (mine, theirs) = (self.hash.get(), other.hash.get());
        if mine != -1 && theirs != -1 && mine != theirs {
            return Ok(false);
        }
        self.is_subset_of(other)
    }
}

// ---- slots that both types share ----

unsafe extern "C" fn set_dealloc(object: *mut PyObject) {
    // SAFETY: the set is dead and owned its table.
    unsafe {
        let set = &*object.cast::<PySetObject>();
        gc::untrack(object);
        if !set.weakreflist.get().is_null() {
            weakrefobject::clear_weakrefs(&*object);
        }
        set.drop_table();
        free_instance(object);
    }
}

unsafe extern "C" fn set_traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    let visitor = Visitor { visit, arg };
    // SAFETY: the collector passes live sets; one without a table is still being made.
    let set = unsafe { &*object.cast::<PySetObject>() };
    if set.table.get().is_null() {
        return 0;
    }
    let mut position = 0;
    while let Some((key, _)) = set.next_entry(&mut position) {
        let stop = visitor.visit(key.as_ptr());
        if stop != 0 {
            return stop;
        }
    }
    0
}

unsafe extern "C" fn set_clear(object: *mut PyObject) -> c_int {
    // SAFETY: slots get live objects of their type.
    unsafe { &*object.cast::<PySetObject>() }.clear();
    0
}

/// # Safety
/// `object` is an instance of set or frozenset.
unsafe fn as_set<'a>(object: *mut PyObject) -> &'a PySetObject {
    // SAFETY: the caller's contract.
    unsafe { &*object.cast::<PySetObject>() }
}

unsafe extern "C" fn set_len(object: *mut PyObject) -> isize {
    // SAFETY: slots get live objects of their type.
    unsafe { as_set(object) }.used.get()
}

unsafe extern "C" fn set_contains(object: *mut PyObject, key: *mut PyObject) -> c_int {
    // SAFETY: slots get live objects of their type.
    crate::args::boundary_bool(|| unsafe { as_set(object).has(&*key) })
}

unsafe extern "C" fn set_iter(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slots get live objects of their type.
    crate::args::boundary_obj(|| Ok(PySetIterator::make(unsafe { as_set(object) })))
}

unsafe extern "C" fn set_repr(object: *mut PyObject) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: slots get live objects of their type.
        let (set, object) = unsafe { (as_set(object), &*object) };
        let name = object.ty().full_name();
        if set.is_empty() {
            return Ok(PyUnicodeObject::from_string(format!("{name}()")).into_object());
        }
        let plain = PySetObject::check_exact(object);
        let start = if plain {
            "{".to_owned()
        } else {
            format!("{name}({{")
        };
        guarded_repr(object, &format!("{name}(...)"), &start, |out| {
            for (idx, element) in object.collect()?.iter().enumerate() {
                if idx > 0 {
                    out.push_str(", ");
                }
                out.push_repr(element)?;
            }
            out.push_str(if plain { "}" } else { "})" });
            Ok(())
        })
    })
}

unsafe extern "C" fn set_richcompare(a: *mut PyObject, b: *mut PyObject, op: c_int) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: slots get live objects; the first is of their type.
        let (a, b) = unsafe { (as_set(a), &*b) };
        let (Some(b), Some(op)) = (PySetObject::from_any(b), CompareOp::from_c(op)) else {
            return Ok(not_implemented().to_ref());
        };
        let result = match op {
            CompareOp::Eq => a.equals(b)?,
            CompareOp::Ne => !a.equals(b)?,
            CompareOp::Le => a.is_subset_of(b)?,
            CompareOp::Ge => b.is_subset_of(a)?,
            CompareOp::Lt => a.len() < b.len() && a.is_subset_of(b)?,
            CompareOp::Gt => b.len() < a.len() && b.is_subset_of(a)?,
        };
        Ok(py_bool(result))
    })
}

macro_rules! binary_slots {
    ($($slot:ident = $f:expr;)*) => { $(
        unsafe extern "C" fn $slot(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
            crate::args::boundary_obj(|| {
                // SAFETY: slots get live objects.
                let (a, b) = unsafe { (&*a, &*b) };
                let (Some(a), Some(_)) = (PySetObject::from_any(a), PySetObject::from_any(b)) else {
                    return Ok(not_implemented().to_ref());
                };
                let f: fn(&PySetObject, &PyObject) -> PyResult<Ref<PySetObject>> = $f;
                Ok(f(a, b)?.into_object())
            })
        }
    )* };
}
binary_slots! {
    set_sub = PySetObject::difference;
    set_and = PySetObject::intersection;
    set_xor = PySetObject::symmetric_difference;
    set_or = |a, b| {
        let result = a.copy()?;
        result.update(b)?;
        Ok(result)
    };
}

/// The iterator over a set.
#[repr(C)]
pub struct PySetIterator {
    ob_base: PyObject,
    /// Null when exhausted.
    si_set: Cell<*mut PySetObject>,
    /// The set's size at the start; -1 after its change was reported.
    si_used: Cell<isize>,
    si_pos: Cell<usize>,
    len: Cell<isize>,
}

impl PySetIterator {
    fn make(set: &PySetObject) -> Ref {
        let object = alloc_static(&PySetIter_Type, size_of::<PySetIterator>());
        // SAFETY: memory for the iterator, its header set; the iterator owns a count of the set.
        unsafe {
            let this = &*object.cast::<PySetIterator>();
            // A frozenset has the same layout.
            this.si_set.set(set.to_object().into_raw().cast());
            this.si_used.set(set.used_cell().get());
            this.si_pos.set(0);
            this.len.set(set.used_cell().get());
            gc::track(object);
            Ref::from_owned(object)
        }
    }
    fn finish(&self) {
        // SAFETY: the iterator owned the set.
        unsafe { memory::xdecref(self.si_set.replace(std::ptr::null_mut()).cast()) };
    }
    fn advance(&self) -> PyResult<Option<Ref>> {
        // SAFETY: null or the set that the iterator owns.
        let Some(set) = (unsafe { self.si_set.get().as_ref() }) else {
            return Ok(None);
        };
        if self.si_used.get() != set.used.get() {
            self.si_used.set(-1);
            return Err(raise!(RuntimeError, "Set changed size during iteration"));
        }
        let mut position = self.si_pos.get();
        let found = set.next_entry(&mut position).map(|(key, _)| key.to_ref());
        self.si_pos.set(position);
        match found {
            Some(key) => {
                self.len.set(self.len.get() - 1);
                Ok(Some(key))
            }
            None => {
                self.finish();
                Ok(None)
            }
        }
    }
}

#[pytype(name = "set_iterator", static_name = PySetIter_Type, flags = HAVE_GC)]
impl PySetIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead.
        unsafe {
            gc::untrack(this.cast());
            (*this).finish();
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.si_set.get())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        self.advance()
    }
    /// How many elements are left.
    #[method("($self, /)")]
    fn __length_hint__(&self) -> isize {
        // SAFETY: null or the set that the iterator owns.
        match unsafe { self.si_set.get().as_ref() } {
            Some(set) if set.used.get() == self.si_used.get() => self.len.get(),
            _ => 0,
        }
    }
    /// State for pickling: an iterator over a list of what is left.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        // SAFETY: null or the set that the iterator owns; the copy gets its own count.
        let copy = unsafe { self.si_set.get().as_ref() }.map(PySetIterator::make);
        let rest = PyListObject::new();
        if let Some(copy) = &copy {
            // SAFETY: `make` gives an iterator.
            let copy = unsafe { copy.cast_unchecked::<PySetIterator>() };
            copy.si_used.set(self.si_used.get());
            copy.si_pos.set(self.si_pos.get());
            while let Some(key) = copy.advance()? {
                rest.push(key);
            }
        }
        let args = PyTupleObject::from_vec(vec![rest.into_object()]).into_object();
        Ok(PyTupleObject::from_vec(vec![crate::module::builtin("iter")?, args]).into_object())
    }
}
