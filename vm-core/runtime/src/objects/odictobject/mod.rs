//! `collections.OrderedDict`: a dict that keeps the order of its keys itself, so that a key can be moved to either end.
//!
//! The order is a doubly linked list of nodes, one for each key; `by_entry` has the node of each entry of the dict's table and
//! is made anew when the table is another. What changes the dict behind this type's back (`dict.pop(ordered, key)`) leaves a node
//! without a value, which shows as KeyError. `od_state` changes with each change of the order: iterators compare it.

use crate::memory::{self, gc};
use crate::objects::dictobject::api::key_error;
use crate::objects::dictobject::instance::new_dict_of;
use crate::objects::dictobject::keys::usable_fraction;
use crate::objects::dictobject::table::hash_key;
use crate::objects::dictobject::{PyDict_Type, from_keys};
use crate::objects::freelist::free_instance;
use crate::objects::weakrefobject;
use crate::prelude::*;
use crate::protocol::from_slot;
use std::cell::{Cell, RefCell};
use std::mem::offset_of;

mod iter;
pub use iter::*;

/// No node.
const NONE: u32 = u32::MAX;

struct Node {
    /// `None` in a node that is not used.
    key: Option<Ref>,
    hash: Py_hash_t,
    previous: u32,
    next: u32,
}

struct Order {
    nodes: Vec<Node>,
    vacant: Vec<u32>,
    first: u32,
    last: u32,
    /// The table that `by_entry` is of.
    keys: *mut c_void,
    by_entry: Vec<u32>,
}

impl Order {
    fn new() -> Order {
        Order {
            nodes: Vec::new(),
            vacant: Vec::new(),
            first: NONE,
            last: NONE,
            keys: std::ptr::null_mut(),
            by_entry: Vec::new(),
        }
    }
    fn len(&self) -> usize {
        self.nodes.len() - self.vacant.len()
    }
    fn node(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }
    /// A new node that is not in the list yet.
    fn add(&mut self, key: &PyObject, hash: Py_hash_t) -> u32 {
        let node = Node {
            key: Some(key.to_ref()),
            hash,
            previous: NONE,
            next: NONE,
        };
        match self.vacant.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        }
    }
    fn link_last(&mut self, at: u32) {
        let last = std::mem::replace(&mut self.last, at);
        (self.node(at).previous, self.node(at).next) = (last, NONE);
        match last {
            NONE => self.first = at,
            _ => self.node(last).next = at,
        }
    }
    fn link_first(&mut self, at: u32) {
        let first = std::mem::replace(&mut self.first, at);
        (self.node(at).previous, self.node(at).next) = (NONE, first);
        match first {
            NONE => self.last = at,
            _ => self.node(first).previous = at,
        }
    }
    fn unlink(&mut self, at: u32) {
        let (previous, next) = (self.node(at).previous, self.node(at).next);
        match previous {
            NONE => self.first = next,
            _ => self.node(previous).next = next,
        }
        match next {
            NONE => self.last = previous,
            _ => self.node(next).previous = previous,
        }
    }
}

#[repr(C)]
pub struct PyODictObject {
    od_dict: PyDictObject,
    od_inst_dict: Cell<*mut PyObject>,
    od_weakreflist: Cell<*mut PyObject>,
    od_state: Cell<usize>,
    /// Made when it is needed; null at first.
    od_order: Cell<*mut RefCell<Order>>,
}

impl PyODictObject {
    pub fn new() -> PyResult<Ref<PyODictObject>> {
        let object = PyODict_Type.as_object().call0()?;
        object
            .downcast::<PyODictObject>()
            .map_err(|_| raise!(SystemError, "OrderedDict() did not return an OrderedDict"))
    }
    pub fn as_dict(&self) -> &PyDictObject {
        &self.od_dict
    }
    fn order(&self) -> &RefCell<Order> {
        if self.od_order.get().is_null() {
            self.od_order
                .set(Box::into_raw(Box::new(RefCell::new(Order::new()))));
        }
        // SAFETY: made once, and given back with the object.
        unsafe { &*self.od_order.get() }
    }
    fn changed(&self) {
        self.od_state.set(self.od_state.get().wrapping_add(1));
    }
    fn mutated() -> Raised {
        raise!(RuntimeError, "OrderedDict mutated during iteration")
    }

    /// The entry of a key in the dict's table, which `by_entry` is of then. What the keys' `__eq__` do to the dict is noticed.
    fn entry_of(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Option<usize>> {
        loop {
            self.follow_table()?;
            let entry = self.od_dict.lookup(key, hash)?;
            if self.order().borrow().keys == self.od_dict.ma_keys.get().cast() {
                return Ok(usize::try_from(entry).ok());
            }
        }
    }
    /// Makes `by_entry` that of the dict's table.
    fn follow_table(&self) -> PyResult<()> {
        loop {
            let keys = self.od_dict.ma_keys.get().cast::<c_void>();
            let n_entries = usable_fraction(1 << self.od_dict.keys_table().log2_size.get());
            let order = self.order().borrow();
            if order.keys == keys && order.by_entry.len() == n_entries {
                return Ok(());
            }
            let mut nodes = Vec::with_capacity(order.len());
            let mut at = order.first;
            while at != NONE {
                let node = &order.nodes[at as usize];
                nodes.extend(node.key.clone().map(|key| (at, key, node.hash)));
                at = node.next;
            }
            drop(order);
            let state = self.od_state.get();
            let mut by_entry = vec![NONE; n_entries];
            for (at, key, hash) in &nodes {
                let entry = self.od_dict.lookup(key, *hash)?;
                if let Some(place) = usize::try_from(entry)
                    .ok()
                    .and_then(|entry| by_entry.get_mut(entry))
                {
                    *place = *at;
                }
            }
            if self.od_state.get() == state && self.od_dict.ma_keys.get().cast() == keys {
                let mut order = self.order().borrow_mut();
                (order.keys, order.by_entry) = (keys, by_entry);
                return Ok(());
            }
        }
    }
    /// The entry and the node of a key.
    fn find(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Option<(usize, u32)>> {
        if self.order().borrow().first == NONE {
            return Ok(None);
        }
        let Some(entry) = self.entry_of(key, hash)? else {
            return Ok(None);
        };
        let at = self.order().borrow().by_entry.get(entry).copied();
        Ok(at.filter(|at| *at != NONE).map(|at| (entry, at)))
    }
    /// Adds a key that the dict has to the end of the order, unless it is in it.
    fn add_node(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<()> {
        let Some(entry) = self.entry_of(key, hash)? else {
            return Err(key_error(key));
        };
        let mut order = self.order().borrow_mut();
        if order.by_entry.get(entry).is_some_and(|at| *at == NONE) {
            let at = order.add(key, hash);
            order.by_entry[entry] = at;
            order.link_last(at);
            self.changed();
        }
        Ok(())
    }
    /// Takes a key out of the order.
    fn drop_node(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<bool> {
        let Some((entry, at)) = self.find(key, hash)? else {
            return Ok(false);
        };
        let mut order = self.order().borrow_mut();
        order.by_entry[entry] = NONE;
        order.unlink(at);
        let key = order.node(at).key.take();
        order.vacant.push(at);
        drop(order);
        self.changed();
        drop(key);
        Ok(true)
    }
    fn drop_nodes(&self) {
        let order = std::mem::replace(&mut *self.order().borrow_mut(), Order::new());
        self.changed();
        drop(order);
    }

    /// Sets a key to a value; a new key is the last.
    pub fn set(&self, key: &PyObject, value: &PyObject) -> PyResult<()> {
        self.set_known_hash(key, hash_key(key)?, value)
    }
    fn set_known_hash(&self, key: &PyObject, hash: Py_hash_t, value: &PyObject) -> PyResult<()> {
        self.od_dict.insert(key, hash, value.to_ref())?;
        let Err(raised) = self.add_node(key, hash) else {
            return Ok(());
        };
        // A key without a node must not stay.
        let exception = raised.take();
        if let Err(second) = self.od_dict.pop_known_hash(key, hash) {
            second.clear();
        }
        Err(crate::error::restore(exception))
    }
    /// Takes a key out. KeyError when it is not there.
    pub fn delete(&self, key: &PyObject) -> PyResult<()> {
        let hash = hash_key(key)?;
        self.drop_node(key, hash)?;
        match self.od_dict.pop_known_hash(key, hash)? {
            Some(_) => Ok(()),
            None => Err(key_error(key)),
        }
    }
    /// Takes a key out and gives its value.
    fn pop_value(&self, key: &PyObject, hash: Py_hash_t) -> PyResult<Option<Ref>> {
        if self.drop_node(key, hash)? {
            return self.od_dict.pop_known_hash(key, hash);
        }
        Ok(None)
    }
    fn end(&self, last: bool) -> Option<(Ref, Py_hash_t, u32)> {
        let order = self.order().borrow();
        let at = if last { order.last } else { order.first };
        let node = order.nodes.get(at as usize)?;
        Some((node.key.clone()?, node.hash, at))
    }
    /// The key, hash and number of the node after another; of the first for `NONE`.
    fn after(&self, at: u32, reverse: bool) -> Option<(Ref, Py_hash_t, u32)> {
        let order = self.order().borrow();
        let next = match (order.nodes.get(at as usize), reverse) {
            (None, false) => order.first,
            (None, true) => order.last,
            (Some(node), false) => node.next,
            (Some(node), true) => node.previous,
        };
        let node = order.nodes.get(next as usize)?;
        Some((node.key.clone()?, node.hash, next))
    }
    /// The value of a key of the order. Its hash is asked for anew: a key may have changed.
    fn value(&self, key: &PyObject) -> PyResult {
        match self.od_dict.get(key)? {
            Some(value) => Ok(value),
            None => Err(key_error(key)),
        }
    }
    fn is_exact(&self) -> bool {
        std::ptr::eq(self.as_object().ty(), &PyODict_Type)
    }

    /// The same keys in the same order.
    fn same_order(&self, other: &PyODictObject) -> PyResult<bool> {
        let (state, other_state) = (self.od_state.get(), other.od_state.get());
        let (mut at, mut other_at) = (NONE, NONE);
        loop {
            let (key, other_key) = match (self.after(at, false), other.after(other_at, false)) {
                (None, None) => return Ok(true),
                (Some((key, _, next)), Some((other_key, _, other_next))) => {
                    (at, other_at) = (next, other_next);
                    (key, other_key)
                }
                _ => return Ok(false),
            };
            let equal = key.compare_bool(&other_key, CompareOp::Eq)?;
            if (self.od_state.get(), other.od_state.get()) != (state, other_state) {
                return Err(Self::mutated());
            }
            if !equal {
                return Ok(false);
            }
        }
    }

    /// Takes the entries of a mapping or of an iterable of pairs, by `self[key] = value`.
    fn take(&self, other: &PyObject) -> PyResult<()> {
        let this = self.as_object();
        if let Some(dict) = other.downcast_exact::<PyDictObject>() {
            return self.take_pairs(dict.items_list().as_object());
        }
        if let Some(keys) = other.get_attr_opt(identifier!("keys"))? {
            return keys
                .call0()?
                .for_each(|key| this.set_item(&key, &*other.get_item(&key)?));
        }
        match other.get_attr_opt(identifier!("items"))? {
            Some(items) => self.take_pairs(&*items.call0()?),
            None => self.take_pairs(other),
        }
    }
    fn take_pairs(&self, pairs: &PyObject) -> PyResult<()> {
        pairs.for_each(|pair| {
            let iterator = pair.iter()?;
            let short = |n: &str| raise!(ValueError, "need more than {n} to unpack");
            let Some(key) = iterator.next()? else {
                return Err(short("0 values"));
            };
            let Some(value) = iterator.next()? else {
                return Err(short("1 value"));
            };
            if iterator.next()?.is_some() {
                return Err(raise!(ValueError, "too many values to unpack (expected 2)"));
            }
            self.as_object().set_item(&key, &value)
        })
    }
    fn take_keywords_of(&self, keywords: Option<&PyDictObject>) -> PyResult<()> {
        match keywords {
            Some(keywords) => self.take_pairs(keywords.items_list().as_object()),
            None => Ok(()),
        }
    }
    fn state_of(&self) -> PyResult {
        self.as_object().call_method(identifier!("__getstate__"), &[])
    }
}

unsafe extern "C" fn traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: the collector passes live objects of this type.
    unsafe {
        let this = &*object.cast::<PyODictObject>();
        let visitor = Visitor { visit, arg };
        let mut status = visitor.visit(this.od_inst_dict.get());
        if let Some(order) = this.od_order.get().as_ref()
            && let Ok(order) = order.try_borrow()
        {
            for node in &order.nodes {
                if status == 0 {
                    status = visitor.visit_ref(&node.key);
                }
            }
        }
        if status != 0 {
            return status;
        }
        PyDict_Type
            .tp_traverse
            .get()
            .map_or(0, |traverse| traverse(object, visit, arg))
    }
}

unsafe extern "C" fn clear(object: *mut PyObject) -> c_int {
    // SAFETY: the collector passes live objects of this type, which own these.
    unsafe {
        let this = &*object.cast::<PyODictObject>();
        memory::xdecref(this.od_inst_dict.replace(std::ptr::null_mut()));
        this.od_dict.clear();
        this.drop_nodes();
    }
    0
}

unsafe extern "C" fn dealloc(object: *mut PyObject) {
    // SAFETY: the object is dead and owned these; then the dict's own deallocator does the rest.
    unsafe {
        let this = &*object.cast::<PyODictObject>();
        gc::untrack(object);
        memory::xdecref(this.od_inst_dict.replace(std::ptr::null_mut()));
        if !this.od_weakreflist.get().is_null() {
            weakrefobject::clear_weakrefs(this.as_object());
        }
        let order = this.od_order.replace(std::ptr::null_mut());
        if !order.is_null() {
            drop(Box::from_raw(order));
        }
        match PyDict_Type.tp_dealloc.get() {
            Some(dealloc) => dealloc(object),
            None => free_instance(object),
        }
    }
}

#[pytype(
    name = "collections.OrderedDict",
    static_name = PyODict_Type,
    base = PyDict_Type,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(PyODictObject, od_inst_dict) as isize,
    weaklistoffset = offset_of!(PyODictObject, od_weakreflist) as isize,
    dealloc = inherit,
    slots = [
        tp_traverse = traverse, tp_clear = clear, tp_dealloc = dealloc, tp_hash = crate::types::hash_not_implemented
    ],
)]
/// Dictionary that remembers insertion order
impl PyODictObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if args.len() > 1 {
            return Err(raise!(
                TypeError,
                "expected at most 1 argument, got {}",
                args.len()
            ));
        }
        if let [other] = args.as_slice() {
            self.take(other)?;
        }
        self.take_keywords_of(kwargs)
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => self.set(key, value),
            None => self.delete(key),
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        ODictIterator::make(self, iter::KEYS)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let name = self.as_object().ty().short_name();
        if self.od_dict.is_empty() {
            return Ok(PyUnicodeObject::from_string(format!("{name}()")).into_object());
        }
        let text = crate::protocol::with_repr_guard(self.as_object(), || {
            let copy = PyDictObject::new();
            copy.update(self.as_object())?;
            let inner = copy.as_object().repr()?;
            PyUnicodeObject::from_string(format!("{name}("))
                .concat(&inner)?
                .concat(&PyUnicodeObject::from_str(")"))
        })?;
        Ok(text
            .unwrap_or_else(|| PyUnicodeObject::from_str("..."))
            .into_object())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) || !PyDictObject::check(other) {
            return Ok(not_implemented().to_ref());
        }
        let mut equal = match PyDict_Type.tp_richcompare.get() {
            // SAFETY: the base's own slot.
            Some(compare) => unsafe {
                from_slot(
                    compare(self.as_ptr(), other.as_ptr(), CompareOp::Eq as c_int),
                    "dict.__eq__",
                )?
            }
            .is_true()?,
            None => false,
        };
        if equal && let Some(other) = other.downcast::<PyODictObject>() {
            equal = self.same_order(other)?;
        }
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn nb_or(left: &PyObject, right: &PyObject) -> PyResult {
        let (class, other) = if PyODictObject::check(left) {
            (left.ty(), right)
        } else {
            (right.ty(), left)
        };
        if !PyDictObject::check(other) {
            return Ok(not_implemented().to_ref());
        }
        let new = class.as_object().call1(left)?;
        match new.downcast::<PyODictObject>() {
            Ok(new) => {
                new.take(right)?;
                Ok(new.into_object())
            }
            Err(new) => Err(raise!(
                TypeError,
                "{}() must return an OrderedDict, not {}",
                class.name(),
                new.ty().name()
            )),
        }
    }
    #[slot]
    fn nb_inplace_or(&self, other: &PyObject) -> PyResult {
        self.take(other)?;
        Ok(self.to_object())
    }

    #[getter(name = "__dict__")]
    fn get_dict(&self) -> PyResult {
        if self.od_inst_dict.get().is_null() {
            self.od_inst_dict
                .set(PyDictObject::new().into_object().into_raw());
        }
        // SAFETY: the object owns it.
        Ok(unsafe { Ref::from_borrowed(self.od_inst_dict.get()) })
    }
    #[setter(name = "__dict__")]
    fn set_dict(&self, value: Option<&PyObject>) -> PyResult<()> {
        let dict = new_dict_of(value)?;
        let old = self.od_inst_dict.replace(dict.to_object().into_raw());
        // SAFETY: null or owned until now.
        unsafe { memory::xdecref(old) };
        Ok(())
    }
    /// Create a new ordered dictionary with keys from iterable and values set to value.
    #[classmethod("($type, /, iterable, value=None)")]
    fn fromkeys(cls: &PyTypeObject, iterable: &PyObject, value: Option<&PyObject>) -> PyResult {
        from_keys(cls, iterable, value.unwrap_or(none()))
    }
    #[method("($self, /)")]
    fn __sizeof__(&self) -> PyResult<usize> {
        let size = PyDict_Type
            .as_object()
            .get_attr(identifier!("__sizeof__"))?
            .call1(self.as_object())?
            .index()?
            .as_usize()?;
        let order = self.order().borrow();
        Ok(size + order.by_entry.capacity() * size_of::<u32>() + order.nodes.capacity() * size_of::<Node>())
    }
    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let state = self.state_of()?;
        let items = self.as_object().call_method(identifier!("items"), &[])?.iter()?;
        let (class, args) = (self.as_object().ty().as_object(), PyTupleObject::empty());
        Ok(PyTupleObject::from_slice(&[class, args.as_object(), &state, none(), &items]).into_object())
    }
    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[method("($self, /, key, default=None)")]
    fn setdefault(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        let default = default.unwrap_or(none());
        if self.is_exact() {
            let hash = hash_key(key)?;
            if let Some(value) = self.od_dict.get_known_hash(key, hash)? {
                return Ok(value);
            }
            self.set_known_hash(key, hash, default)?;
            return Ok(default.to_ref());
        }
        let this = self.as_object();
        if this.contains(key)? {
            return this.get_item(key);
        }
        this.set_item(key, default)?;
        Ok(default.to_ref())
    }
    /// od.pop(key[,default]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[method("($self, /, key, default=<unrepresentable>)")]
    fn pop(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        match (self.pop_value(key, hash_key(key)?)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(key_error(key)),
        }
    }
    /// Remove and return a (key, value) pair from the dictionary.
    ///
    /// Pairs are returned in LIFO order if last is true or FIFO order if false.
    #[method("($self, /, last=True)")]
    fn popitem(&self, last: Option<bool>) -> PyResult {
        let Some((key, hash, _)) = self.end(last.unwrap_or(true)) else {
            return Err(raise!(KeyError, "dictionary is empty"));
        };
        match self.pop_value(&key, hash)? {
            Some(value) => Ok(PyTupleObject::from_vec(vec![key, value]).into_object()),
            None => Err(key_error(&key)),
        }
    }
    /// A set-like view of the keys.
    #[method("($self, /)")]
    fn keys(&self) -> PyResult {
        iter::view(self, &PyODictKeys_Type)
    }
    /// A view of the values.
    #[method("($self, /)")]
    fn values(&self) -> PyResult {
        iter::view(self, &PyODictValues_Type)
    }
    /// A set-like view of the items.
    #[method("($self, /)")]
    fn items(&self) -> PyResult {
        iter::view(self, &PyODictItems_Type)
    }
    /// Takes the items of a mapping or an iterable of pairs, then those given by name.
    #[method(raw, "(...)")]
    fn update(&self, args: &[&PyObject], kwargs: crate::args::Kwargs<'_>) -> PyResult<()> {
        if args.len() > 1 {
            return Err(raise!(
                TypeError,
                "update() takes at most 1 positional argument ({} given)",
                args.len()
            ));
        }
        if let [other] = args {
            self.take(other)?;
        }
        for (name, value) in kwargs.iter() {
            self.as_object().set_item(name, value)?;
        }
        Ok(())
    }
    /// Remove all items from ordered dict.
    #[method("($self, /)", name = "clear")]
    fn py_clear(&self) {
        self.od_dict.clear();
        self.drop_nodes();
    }
    /// A shallow copy of ordered dict.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        let copy = self.as_object().ty().as_object().call0()?;
        let own = copy
            .as_object()
            .downcast::<PyODictObject>()
            .filter(|_| self.is_exact());
        let state = self.od_state.get();
        let mut at = NONE;
        while let Some((key, hash, next)) = self.after(at, false) {
            at = next;
            match own {
                Some(own) => own.set_known_hash(&key, hash, &*self.value(&key)?)?,
                None => {
                    let value = self.as_object().get_item(&key)?;
                    if self.od_state.get() != state {
                        return Err(Self::mutated());
                    }
                    copy.set_item(&key, &value)?;
                }
            }
            if self.od_state.get() != state {
                return Err(Self::mutated());
            }
        }
        Ok(copy)
    }
    /// Return an iterator over the keys, last first.
    #[method("($self, /)")]
    fn __reversed__(&self) -> PyResult {
        ODictIterator::make(self, iter::KEYS | iter::REVERSED)
    }
    /// Move an existing element to the end (or beginning if last is false).
    ///
    /// Raise KeyError if the element does not exist.
    #[method("($self, /, key, last=True)")]
    fn move_to_end(&self, key: &PyObject, last: Option<bool>) -> PyResult<()> {
        let last = last.unwrap_or(true);
        let Some((end, _, _)) = self.end(last) else {
            return Err(key_error(key));
        };
        if end.as_object().is(key) {
            return Ok(());
        }
        let Some((_, at)) = self.find(key, hash_key(key)?)? else {
            return Err(key_error(key));
        };
        if self.end(last).is_some_and(|(_, _, end)| end == at) {
            return Ok(());
        }
        let mut order = self.order().borrow_mut();
        order.unlink(at);
        if last {
            order.link_last(at);
        } else {
            order.link_first(at);
        }
        self.changed();
        Ok(())
    }
}
