//! `functools.lru_cache`'s wrapper: a dict of results, with the order of use in a linked list of slots.

use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::mem::offset_of;

/// One remembered call.
struct Entry {
    key: Ref,
    result: Ref,
    newer: usize,
    older: usize,
}

/// No entry.
const NONE: usize = usize::MAX;

/// Entries in the order of their use, linked by index.
struct Order {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    newest: usize,
    oldest: usize,
}

impl Order {
    const fn new() -> Order {
        Order { entries: Vec::new(), free: Vec::new(), newest: NONE, oldest: NONE }
    }
    fn entry(&mut self, at: usize) -> &mut Entry {
        self.entries[at].as_mut().expect("a linked entry is there")
    }
    fn unlink(&mut self, at: usize) {
        let (newer, older) = (self.entry(at).newer, self.entry(at).older);
        match newer {
            NONE => self.newest = older,
            newer => self.entry(newer).older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entry(older).newer = newer,
        }
    }
    fn link_newest(&mut self, at: usize) {
        let old_newest = self.newest;
        self.entry(at).newer = NONE;
        self.entry(at).older = old_newest;
        if old_newest == NONE {
            self.oldest = at;
        } else {
            self.entry(old_newest).newer = at;
        }
        self.newest = at;
    }
    fn add(&mut self, key: Ref, result: Ref) -> usize {
        let entry = Entry { key, result, newer: NONE, older: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at] = Some(entry);
                at
            }
            None => {
                self.entries.push(Some(entry));
                self.entries.len() - 1
            }
        };
        self.link_newest(at);
        at
    }
    fn remove(&mut self, at: usize) -> Option<Entry> {
        self.unlink(at);
        self.free.push(at);
        self.entries[at].take()
    }
}

#[repr(C)]
pub struct LruCache {
    ob_base: PyObject,
    dict: Cell<*mut PyObject>,
    weakreflist: Cell<*mut PyObject>,
    function: Ref,
    typed: bool,
    /// `None`: without bound.
    maxsize: Option<usize>,
    cache_info_type: Ref,
    /// Key to result (unbounded) or to the index of its entry (bounded).
    cache: Ref<PyDictObject>,
    order: RefCell<Order>,
    hits: Cell<u64>,
    misses: Cell<u64>,
}

impl Drop for LruCache {
    fn drop(&mut self) {
        // SAFETY: the field owned its dict.
        drop(unsafe { Ref::from_owned_opt(self.dict.get()) });
    }
}

/// Separates positional from keyword arguments in keys.
fn keyword_mark() -> Ref {
    static MARK: std::sync::OnceLock<Ref> = std::sync::OnceLock::new();
    MARK.get_or_init(|| {
        adder_runtime::objects::object::new_object().unwrap_or_else(|raised| {
            raised.clear();
            none_ref()
        })
    })
    .clone()
}

#[pytype(
    name = "functools._lru_cache_wrapper",
    static_name = LRU_CACHE_TYPE,
    flags = BASETYPE | HAVE_GC | METHOD_DESCRIPTOR,
    dictoffset = offset_of!(LruCache, dict) as isize,
    weaklistoffset = offset_of!(LruCache, weakreflist) as isize,
)]
/// A function that remembers the results of its latest calls.
impl LruCache {
    #[new("(user_function, maxsize, typed, cache_info_type)")]
    fn new(
        cls: &PyTypeObject,
        user_function: &PyObject,
        maxsize: &PyObject,
        typed: bool,
        cache_info_type: &PyObject,
    ) -> PyResult {
        if !user_function.is_callable() {
            return Err(raise!(TypeError, "the first argument must be callable"));
        }
        let maxsize = if is_none(maxsize) {
            None
        } else if maxsize.has_index() {
            Some(maxsize.to_index(adder_runtime::exceptions::exc::OverflowError)?.max(0) as usize)
        } else {
            return Err(raise!(TypeError, "maxsize should be integer or None"));
        };
        let cache = LruCache {
            ob_base: adder_runtime::memory::blank_header(),
            dict: Cell::new(std::ptr::null_mut()),
            weakreflist: Cell::new(std::ptr::null_mut()),
            function: user_function.to_ref(),
            typed,
            maxsize,
            cache_info_type: cache_info_type.to_ref(),
            cache: PyDictObject::new(),
            order: RefCell::new(Order::new()),
            hits: Cell::new(0),
            misses: Cell::new(0),
        };
        Ok(Ref::new_in(cls, cache)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [self.function.as_raw(), self.cache_info_type.as_raw(), self.cache.as_raw().cast(), self.dict.get()] {
            let status = visitor.visit(object);
            if status != 0 {
                return status;
            }
        }
        if let Ok(order) = self.order.try_borrow() {
            for entry in order.entries.iter().flatten() {
                for object in [entry.key.as_raw(), entry.result.as_raw()] {
                    let status = visitor.visit(object);
                    if status != 0 {
                        return status;
                    }
                }
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        self.cache.clear();
        let dropped = self.order.replace(Order::new());
        drop(dropped);
    }
    /// One int or str argument is its own key; anything else is a tuple of arguments, keywords and types.
    fn make_key(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> Ref {
        let kwargs = kwargs.filter(|kwargs| kwargs.len() != 0);
        if !self.typed && kwargs.is_none() {
            if let [only] = args.as_slice()
                && (PyUnicodeObject::check_exact(only) || PyLongObject::check_exact(only))
            {
                return only.to_ref();
            }
            return args.to_object();
        }
        let mut parts: Vec<Ref> = args.as_slice().iter().map(|arg| arg.to_ref()).collect();
        if let Some(kwargs) = kwargs {
            parts.push(keyword_mark());
            let mut position = 0;
            while let Some((name, value, _)) = kwargs.next_entry(&mut position) {
                parts.push(name.to_ref());
                parts.push(value.to_ref());
            }
        }
        if self.typed {
            parts.extend(args.as_slice().iter().map(|arg| arg.ty().to_object()));
            let mut position = 0;
            while let Some((_, value, _)) = kwargs.and_then(|kwargs| kwargs.next_entry(&mut position)) {
                parts.push(value.ty().to_object());
            }
        }
        PyTupleObject::from_vec(parts).into_object()
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let Some(maxsize) = self.maxsize else { return self.call_unbounded(args, kwargs) };
        if maxsize == 0 {
            self.misses.set(self.misses.get() + 1);
            return self.function.call_tuple(args, kwargs);
        }
        self.call_bounded(args, kwargs, maxsize)
    }
    fn call_unbounded(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let key = self.make_key(args, kwargs);
        let hash = key.hash()?;
        if let Some(result) = self.cache.get_known_hash(&key, hash)? {
            self.hits.set(self.hits.get() + 1);
            return Ok(result);
        }
        self.misses.set(self.misses.get() + 1);
        let result = self.function.call_tuple(args, kwargs)?;
        self.cache.set(&key, &result)?;
        Ok(result)
    }
    fn call_bounded(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>, maxsize: usize) -> PyResult {
        let key = self.make_key(args, kwargs);
        let hash = key.hash()?;
        if let Some(index) = self.cache.get_known_hash(&key, hash)? {
            let at = entry_index(&index)?;
            let mut order = self.order.borrow_mut();
            order.unlink(at);
            order.link_newest(at);
            self.hits.set(self.hits.get() + 1);
            return Ok(order.entry(at).result.clone());
        }
        self.misses.set(self.misses.get() + 1);
        let result = self.function.call_tuple(args, kwargs)?;
        // The call itself may have stored this very key.
        if self.cache.get_known_hash(&key, hash)?.is_some() {
            return Ok(result);
        }
        let mut dropped = Vec::new();
        while self.cache.len() >= maxsize {
            let removed = {
                let mut order = self.order.borrow_mut();
                let oldest = order.oldest;
                if oldest == NONE { None } else { order.remove(oldest) }
            };
            let Some(removed) = removed else { break };
            self.cache.pop(&removed.key)?;
            dropped.push(removed);
        }
        let at = self.order.borrow_mut().add(key.clone(), result.clone());
        if let Err(raised) = self.cache.set(&key, PyLongObject::from_usize(at).as_object()) {
            let removed = self.order.borrow_mut().remove(at);
            drop(removed);
            return Err(raised);
        }
        drop(dropped);
        Ok(result)
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        match object {
            None => Ok(self.to_object()),
            Some(object) if is_none(object) => Ok(self.to_object()),
            Some(object) => adder_runtime::objects::classobject::new_method(self.as_object(), object),
        }
    }
    /// Hits, misses, the bound and the current size.
    #[method("($self, /)")]
    fn cache_info(&self) -> PyResult {
        let maxsize = self.maxsize.map_or_else(none_ref, |size| PyLongObject::from_usize(size).into_object());
        let (hits, misses) = (PyLongObject::from_u64(self.hits.get()), PyLongObject::from_u64(self.misses.get()));
        let size = PyLongObject::from_usize(self.cache.len());
        self.cache_info_type.call(&[hits.as_object(), misses.as_object(), &maxsize, size.as_object()])
    }
    /// Forgets everything.
    #[method("($self, /)")]
    fn cache_clear(&self) {
        self.hits.set(0);
        self.misses.set(0);
        let dropped = self.order.replace(Order::new());
        self.cache.clear();
        drop(dropped);
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        self.as_object().get_attr(identifier!("__qualname__"))
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &PyObject) -> PyResult {
        Ok(self.to_object())
    }
    #[getter(name = "__dict__")]
    fn get_dict(&self) -> PyResult {
        Ok(self.as_object().instance_dict_or_make().map_or_else(none_ref, Ref::into_object))
    }
}

fn entry_index(index: &PyObject) -> PyResult<usize> {
    match index.downcast_exact::<PyLongObject>().and_then(|index| index.to_i64()) {
        Some(index) => Ok(index as usize),
        None => Err(raise!(SystemError, "lru_cache entry is not an index")),
    }
}
