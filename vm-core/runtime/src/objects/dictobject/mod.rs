//! `dict`: an insertion-ordered hash table (`keys`, `table`), its Rust interface (`api`), its Python type (here), views and
//! iterators, and the attributes of instances that share keys (`instance`, `values`).

pub mod api;
pub mod instance;
pub mod iter;
pub mod keys;
pub mod table;
pub mod values;
pub mod views;
pub mod watch;

pub use api::{OnDuplicate, key_error};
pub use table::{hash_key, hash_of, str_hash, unhashable};

use super::freelist::{FreeList, alloc_instance, free_instance};
use super::reprs::guarded_repr;
use super::setobject::PyFrozenSet;
use crate::memory::gc;
use crate::prelude::*;
use keys::{DictKeys, empty_keys};
use values::DictValues;
use watch::Event;

static FREE_DICTS: FreeList = FreeList::new(80);

/// Whether a subclass of dict iterates as dict does.
fn has_dict_iter(ty: &PyTypeObject) -> bool {
    ty.tp_iter.get().map(|slot| slot as usize) == PyDict_Type.tp_iter.get().map(|slot| slot as usize)
}

#[pytype(
    name = "dict",
    static_name = PyDict_Type,
    flags = BASETYPE | HAVE_GC | DICT_SUBCLASS | MATCH_SELF | MAPPING,
    slots = [tp_hash = crate::types::hash_not_implemented],
    doc = "dict() -> an empty dict\ndict(mapping) -> a dict with the mapping's items\ndict(iterable) -> a dict of the \
           (key, value) pairs in the iterable\ndict(**kwargs) -> a dict of the names and values given"
)]
impl PyDictObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        if std::ptr::eq(cls, &PyDict_Type) {
            return Ok(PyDictObject::new().into_object());
        }
        let object = alloc_instance(cls, 0)?;
        // SAFETY: an instance of a subclass of dict, zeroed after its header.
        let dict = unsafe { object.cast::<PyDictObject>() };
        dict.ma_keys.set(empty_keys().cast());
        Ok(dict.into_object())
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        self.init_from(args.as_slice(), "dict")?;
        match kwargs {
            Some(kwargs) => self.merge_dict(kwargs, OnDuplicate::Replace),
            None => Ok(()),
        }
    }
    #[slot]
    fn tp_vectorcall(cls: &PyTypeObject, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult {
        let dict = if std::ptr::eq(cls, &PyDict_Type) {
            PyDictObject::new().into_object()
        } else {
            let no_args = PyTupleObject::empty();
            PyDictObject::tp_new(cls, &no_args, None)?
        };
        // SAFETY: `tp_new` made an instance of dict.
        let this = unsafe { dict.cast_unchecked::<PyDictObject>() };
        this.init_from(args, "dict")?;
        this.take_keywords(args, kwnames)?;
        Ok(dict)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the object is dead; its table and values are its own share.
        unsafe {
            let dict = &*this;
            if dict._ma_watcher_tag.get() & watch::WATCHER_MASK != 0 {
                dict.ob_base.ob_refcnt.set(1);
                dict.notify(Event::Deallocated, None, None);
                if dict.ob_base.ob_refcnt.get() > 1 {
                    dict.ob_base.ob_refcnt.set(dict.ob_base.ob_refcnt.get() - 1);
                    return;
                }
                dict.ob_base.ob_refcnt.set(0);
            }
            gc::untrack(this.cast());
            let keys = dict.ma_keys.replace(empty_keys().cast()).cast::<DictKeys>();
            let values = dict.ma_values.replace(std::ptr::null_mut()).cast::<DictValues>();
            if !values.is_null() && (*values).embedded.get() == 0 {
                DictValues::free(values);
            }
            DictKeys::decref(keys);
            if !(std::ptr::eq(dict.ob_base.ob_type.get(), &PyDict_Type) && FREE_DICTS.push(this.cast())) {
                free_instance(this.cast());
            }
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        if self.ma_keys.get().is_null() {
            return 0;
        }
        if let Some(values) = self.values_table() {
            return values.traverse(visitor);
        }
        let mut position = 0;
        while let Some((key, value, _)) = self.next_entry(&mut position) {
            let mut stop = visitor.visit(value.as_ptr());
            if stop == 0 && self.keys_table().is_general() {
                stop = visitor.visit(key.as_ptr());
            }
            if stop != 0 {
                return stop;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        self.clear();
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        if self.is_empty() {
            return Ok(PyUnicodeObject::from_str("{}").into_object());
        }
        guarded_repr(self.as_object(), "{...}", "{", |out| {
            let mut position = 0;
            let mut first = true;
            while let Some((key, value, _)) = self.next_entry(&mut position) {
                let (key, value) = (key.to_ref(), value.to_ref());
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                out.push_repr(&key)?;
                out.push_str(": ");
                out.push_repr(&value)?;
            }
            out.push_str("}");
            Ok(())
        })
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyDictObject>() else {
            return Ok(not_implemented().to_ref());
        };
        match op {
            CompareOp::Eq => Ok(py_bool(self.equals(other)?)),
            CompareOp::Ne => Ok(py_bool(!self.equals(other)?)),
            _ => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(iter::keys_iterator(self))
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        if let Some(value) = self.get(key)? {
            return Ok(value);
        }
        if !PyDictObject::check_exact(self.as_object())
            && let Some(missing) = self.as_object().lookup_special(identifier!("__missing__"))?
        {
            return missing.call1(key);
        }
        Err(key_error(key))
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => self.set(key, value),
            None => {
                if self.remove(key)? {
                    Ok(())
                } else {
                    Err(key_error(key))
                }
            }
        }
    }
    #[slot]
    fn sq_contains(&self, key: &PyObject) -> PyResult<bool> {
        self.contains(key)
    }
    #[slot]
    fn nb_or(a: &PyObject, b: &PyObject) -> PyResult {
        let (Some(left), Some(right)) = (a.downcast::<PyDictObject>(), b.downcast::<PyDictObject>()) else {
            return Ok(not_implemented().to_ref());
        };
        let new = left.copy()?;
        new.update(right.as_object())?;
        Ok(new.into_object())
    }
    #[slot]
    fn nb_inplace_or(&self, other: &PyObject) -> PyResult {
        self.update(other)?;
        Ok(self.to_object())
    }

    /// Whether the dict has the key.
    #[method("($self, key, /)", coexist)]
    fn __contains__(&self, key: &PyObject) -> PyResult<bool> {
        self.contains(key)
    }
    /// self[key].
    #[method("($self, key, /)", coexist)]
    fn __getitem__(&self, key: &PyObject) -> PyResult {
        self.mp_subscript(key)
    }
    /// The size of the dict in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let mut size = self.as_object().ty().tp_basicsize.get() as usize;
        let keys = self.keys_table();
        if let Some(values) = self.values_table() {
            size += usize::from(values.capacity.get()) * size_of::<*mut PyObject>();
        } else if keys.refcnt.get() == 1 {
            size += keys.size_bytes();
        }
        size
    }
    /// An iterator over the keys, last first.
    #[method("($self, /)")]
    fn __reversed__(&self) -> Ref {
        iter::reverse_keys_iterator(self)
    }
    /// The value for key if the dict has it, else default.
    #[method("($self, key, default=None, /)", name = "get")]
    fn py_get(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        Ok(match self.get(key)? {
            Some(value) => value,
            None => default.unwrap_or(none()).to_ref(),
        })
    }
    /// The value for key, which is set to default if the dict has it not.
    #[method("($self, key, default=None, /)")]
    fn setdefault(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        Ok(self.set_default(key, default.unwrap_or(none()))?.0)
    }
    /// Removes the key and returns its value; without such a key, default if given, else KeyError.
    #[method("($self, key, default=<unrepresentable>, /)", name = "pop")]
    fn py_pop(&self, key: &PyObject, default: Option<&PyObject>) -> PyResult {
        match (self.pop(key)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(key_error(key)),
        }
    }
    /// Removes the last (key, value) pair and returns it; KeyError if the dict is empty.
    #[method("($self, /)")]
    fn popitem(&self) -> PyResult {
        match self.pop_last()? {
            Some((key, value)) => Ok(PyTupleObject::from_vec(vec![key, value]).into_object()),
            None => Err(raise!(KeyError, "popitem(): dictionary is empty")),
        }
    }
    /// A set-like view of the keys.
    #[method("($self, /)", name = "keys")]
    fn py_keys(&self) -> PyResult {
        views::keys_view(self.as_object())
    }
    /// A set-like view of the items.
    #[method("($self, /)", name = "items")]
    fn py_items(&self) -> PyResult {
        views::items_view(self.as_object())
    }
    /// A view of the values.
    #[method("($self, /)", name = "values")]
    fn py_values(&self) -> PyResult {
        views::values_view(self.as_object())
    }
    /// Takes the items of a mapping or an iterable of pairs, then those given by name.
    #[method(raw, "(...)", name = "update")]
    fn py_update(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult<()> {
        self.init_from(args, "update")?;
        self.take_keywords(args, kwnames)
    }
    /// A new dict of the iterable's items as keys, all with the same value.
    #[classmethod("($type, iterable, value=None, /)")]
    fn fromkeys(cls: &PyTypeObject, iterable: &PyObject, value: Option<&PyObject>) -> PyResult {
        from_keys(cls, iterable, value.unwrap_or(none()))
    }
    /// Removes everything.
    #[method("($self, /)", name = "clear")]
    fn py_clear(&self) {
        self.clear();
    }
    /// A shallow copy.
    #[method("($self, /)", name = "copy")]
    fn py_copy(&self) -> PyResult {
        Ok(self.copy()?.into_object())
    }
    /// dict[key type, value type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

impl PyDictObject {
    /// The positional part of `dict(...)` and `update(...)`.
    fn init_from(&self, args: &[&PyObject], name: &str) -> PyResult<()> {
        match args {
            [] => Ok(()),
            [other] => self.update(other),
            _ => Err(raise!(
                TypeError,
                "{name} expected at most 1 argument, got {}",
                args.len()
            )),
        }
    }

    /// The keywords of a vectorcall: their values stand after the positional arguments.
    pub fn take_keywords(&self, args: &[&PyObject], kwnames: Option<&PyTupleObject>) -> PyResult<()> {
        let Some(kwnames) = kwnames else { return Ok(()) };
        for (idx, name) in kwnames.as_slice().iter().enumerate() {
            // SAFETY: the vectorcall convention: a value per name, after the positional ones.
            let value = unsafe { *args.as_ptr().add(args.len() + idx) };
            self.set(name, value)?;
        }
        Ok(())
    }
}

pub(crate) fn from_keys(cls: &PyTypeObject, iterable: &PyObject, value: &PyObject) -> PyResult {
    let new = cls.as_object().call0()?;
    if let Some(dict) = new.downcast_exact::<PyDictObject>() {
        if dict.is_empty()
            && let Some(source) = iterable.downcast_exact::<PyDictObject>()
        {
            let mut position = 0;
            dict.reserve_empty(source.len().max(5), source.keys_table().is_general())?;
            while let Some((key, _, hash)) = source.next_entry(&mut position) {
                let key = key.to_ref();
                dict.insert(&key, hash, value.to_ref())?;
            }
            return Ok(new);
        }
        if let Some(set) = iterable
            .downcast_exact::<PySetObject>()
            .or_else(|| {
                iterable
                    .downcast_exact::<PyFrozenSet>()
                    .map(PyFrozenSet::elements)
            })
            .filter(|_| dict.is_empty())
        {
            let mut position = 0;
            while let Some((key, hash)) = set.next_entry(&mut position) {
                let key = key.to_ref();
                dict.insert(&key, hash, value.to_ref())?;
            }
            return Ok(new);
        }
        let iterator = iterable.iter()?;
        while let Some(key) = iterator.next()? {
            dict.set(&key, value)?;
        }
        return Ok(new);
    }
    let iterator = iterable.iter()?;
    while let Some(key) = iterator.next()? {
        new.set_item(&key, value)?;
    }
    Ok(new)
}
