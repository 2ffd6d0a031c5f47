//! `_abc`: the registry and caches of abstract base classes (PEP 3119).

use adder_runtime::exceptions::exc;
use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// Incremented on each `register`: negative caches from before are stale.
static INVALIDATION_COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn counter() -> u64 {
    INVALIDATION_COUNTER.load(std::sync::atomic::Ordering::Relaxed)
}

/// Weak references to classes, as a set.
#[derive(Default)]
struct WeakClasses(RefCell<Option<Ref<PySetObject>>>);

impl WeakClasses {
    fn contains(&self, class: &PyObject) -> PyResult<bool> {
        let Some(set) = self.0.borrow().clone() else { return Ok(false) };
        if set.len() == 0 {
            return Ok(false);
        }
        match weakrefobject::new_ref(class, None) {
            Ok(reference) => set.contains(&reference),
            Err(raised) => raised.clear_if(exc::TypeError).map(|()| false),
        }
    }
    fn add(&self, class: &PyObject) -> PyResult<()> {
        let set = match &*self.0.borrow() {
            Some(set) => set.clone(),
            None => PySetObject::new_set(),
        };
        *self.0.borrow_mut() = Some(set.clone());
        // Dead entries go when they are met next.
        let reference = weakrefobject::new_ref(class, None)?;
        set.add(&reference)
    }
    fn clear(&self) {
        *self.0.borrow_mut() = None;
    }
    fn live(&self) -> Vec<Ref> {
        let Some(set) = self.0.borrow().clone() else { return Vec::new() };
        let mut classes = Vec::new();
        let mut position = 0;
        while let Some((reference, _)) = set.next_entry(&mut position) {
            if let Some(class) = weakrefobject::referent(reference) {
                classes.push(class);
            }
        }
        classes
    }
    fn to_set(&self) -> PyResult {
        match &*self.0.borrow() {
            Some(set) => set.as_object().call_method(identifier!("copy"), &[]),
            None => Ok(PySetObject::new_set().into_object()),
        }
    }
}

/// What an abstract class keeps in `_abc_impl`.
#[repr(C)]
pub struct AbcData {
    ob_base: PyObject,
    registry: WeakClasses,
    cache: WeakClasses,
    negative_cache: WeakClasses,
    negative_cache_version: Cell<u64>,
}

#[pytype(name = "_abc._abc_data", static_name = ABC_DATA_TYPE)]
/// Internal state of an abstract base class.
impl AbcData {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let data = AbcData {
            ob_base: adder_runtime::memory::blank_header(),
            registry: WeakClasses::default(),
            cache: WeakClasses::default(),
            negative_cache: WeakClasses::default(),
            negative_cache_version: Cell::new(counter()),
        };
        Ok(Ref::new_in(cls, data)?.into_object())
    }
}

fn data_of(class: &PyObject) -> PyResult<Ref<AbcData>> {
    class
        .get_attr(identifier!("_abc_impl"))?
        .downcast::<AbcData>()
        .map_err(|_| raise!(TypeError, "_abc_impl is set to a wrong type"))
}

/// The names that are abstract in the class: its own and those of its bases that it does not override.
fn compute_abstract_methods(class: &PyObject) -> PyResult<()> {
    let abstracts = PySetObject::new_set();
    let is_abstract = |value: &PyObject| -> PyResult<bool> {
        match value.get_attr_opt(identifier!("__isabstractmethod__"))? {
            Some(flag) => flag.is_true(),
            None => Ok(false),
        }
    };
    let namespace = class.get_attr(identifier!("__dict__"))?;
    for item in namespace.call_method(identifier!("items"), &[])?.collect()? {
        let pair = item.to_tuple()?;
        let [name, value] = pair.as_slice() else { continue };
        if is_abstract(value)? {
            abstracts.add(name)?;
        }
    }
    for base in class.get_attr(identifier!("__bases__"))?.collect()? {
        let Some(names) = base.get_attr_opt(identifier!("__abstractmethods__"))? else { continue };
        for name in names.collect()? {
            let text = adder_runtime::protocol::attributes::attribute_name(&name)?;
            if let Some(value) = class.get_attr_opt(text)?
                && is_abstract(&value)?
            {
                abstracts.add(&name)?;
            }
        }
    }
    let frozen = PySetObject::new_frozenset();
    frozen.merge_set(&abstracts)?;
    class.set_attr(identifier!("__abstractmethods__"), frozen.as_object())
}

/// Support for abstract base classes.
#[pymodule(name = "_abc")]
pub mod _abc {
    use super::*;

    /// A number that changes whenever the registry of any class does.
    #[pyfunction("($module, /)")]
    fn get_cache_token() -> u64 {
        counter()
    }

    /// Sets up a class as an abstract one.
    #[pyfunction("($module, self, /)")]
    fn _abc_init(class: &PyObject) -> PyResult<()> {
        compute_abstract_methods(class)?;
        let data = ABC_DATA_TYPE.as_object().call0()?;
        class.set_attr(identifier!("_abc_impl"), &data)?;
        if let Some(ty) = class.downcast_type() {
            const COLLECTION: c_ulong = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
            if let Some(dict) = ty.dict()
                && let Some(flags) = dict.pop(identifier!("__abc_tpflags__").as_object())?
                && let Ok(flags) = flags.downcast::<PyLongObject>()
            {
                let value = flags.as_i64()? as c_ulong;
                if value & COLLECTION == COLLECTION {
                    return Err(raise!(
                        TypeError,
                        "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"
                    ));
                }
                ty.set_flag(value & COLLECTION);
            }
        }
        Ok(())
    }

    /// Registers a virtual subclass.
    #[pyfunction("($module, self, subclass, /)")]
    fn _abc_register(class: &PyObject, subclass: &PyObject) -> PyResult {
        let Some(subtype) = subclass.downcast_type() else {
            return Err(raise!(TypeError, "Can only register classes"));
        };
        if subclass.is_subclass(class)? {
            return Ok(subclass.to_ref());
        }
        if class.is_subclass(subclass)? {
            return Err(raise!(RuntimeError, "Refusing to create an inheritance cycle"));
        }
        data_of(class)?.registry.add(subclass)?;
        INVALIDATION_COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(ty) = class.downcast_type() {
            let flags = ty.tp_flags.get() & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING);
            if flags != 0 {
                set_collection_flags(subtype, flags);
                adder_runtime::types::modified(subtype);
            }
        }
        Ok(subclass.to_ref())
    }

    /// `isinstance` for an abstract class.
    #[pyfunction("($module, self, instance, /)")]
    fn _abc_instancecheck(class: &PyObject, instance: &PyObject) -> PyResult {
        let data = data_of(class)?;
        // One without a class of its own making has that of its type.
        let subclass = match instance.get_attr_opt(identifier!("__class__"))? {
            Some(class) => class,
            None => instance.ty().to_object(),
        };
        if data.cache.contains(&subclass)? {
            return Ok(true_().to_ref());
        }
        let subtype = instance.ty().as_object();
        if subtype.is(&subclass) {
            if data.negative_cache_version.get() == counter() && data.negative_cache.contains(&subclass)? {
                return Ok(false_().to_ref());
            }
            return class.call_method(identifier!("__subclasscheck__"), &[&subclass]);
        }
        let result = class.call_method(identifier!("__subclasscheck__"), &[&subclass])?;
        if result.is_true()? {
            return Ok(result);
        }
        class.call_method(identifier!("__subclasscheck__"), &[subtype])
    }

    /// `issubclass` for an abstract class.
    #[pyfunction("($module, self, subclass, /)")]
    fn _abc_subclasscheck(class: &PyObject, subclass: &PyObject) -> PyResult<bool> {
        let Some(subtype) = subclass.downcast_type() else {
            return Err(raise!(TypeError, "issubclass() arg 1 must be a class"));
        };
        let data = data_of(class)?;
        if data.cache.contains(subclass)? {
            return Ok(true);
        }
        if data.negative_cache_version.get() < counter() {
            data.negative_cache.clear();
            data.negative_cache_version.set(counter());
        } else if data.negative_cache.contains(subclass)? {
            return Ok(false);
        }
        let hook = class.call_method(identifier!("__subclasshook__"), &[subclass])?;
        if hook.is(true_()) {
            data.cache.add(subclass)?;
            return Ok(true);
        }
        if hook.is(false_()) {
            data.negative_cache.add(subclass)?;
            return Ok(false);
        }
        if !hook.is(not_implemented()) {
            return Err(raise!(AssertionError, "__subclasshook__ must return either False, True, or NotImplemented"));
        }
        if class.downcast_type().is_some_and(|ty| subtype.is_subtype(ty)) {
            data.cache.add(subclass)?;
            return Ok(true);
        }
        for registered in data.registry.live() {
            if subclass.is_subclass(&registered)? {
                data.cache.add(subclass)?;
                return Ok(true);
            }
        }
        for child in class.call_method(identifier!("__subclasses__"), &[])?.collect()? {
            if subclass.is_subclass(&child)? {
                data.cache.add(subclass)?;
                return Ok(true);
            }
        }
        data.negative_cache.add(subclass)?;
        Ok(false)
    }

    /// The registry and the caches, for debugging.
    #[pyfunction("($module, self, /)")]
    fn _get_dump(class: &PyObject) -> PyResult {
        let data = data_of(class)?;
        let version = PyLongObject::from_u64(data.negative_cache_version.get()).into_object();
        let parts = vec![data.registry.to_set()?, data.cache.to_set()?, data.negative_cache.to_set()?, version];
        Ok(PyTupleObject::from_vec(parts).into_object())
    }
    #[pyfunction("($module, self, /)")]
    fn _reset_registry(class: &PyObject) -> PyResult<()> {
        data_of(class)?.registry.clear();
        Ok(())
    }
    #[pyfunction("($module, self, /)")]
    fn _reset_caches(class: &PyObject) -> PyResult<()> {
        let data = data_of(class)?;
        data.cache.clear();
        data.negative_cache.clear();
        Ok(())
    }
}

/// Collection flags reach all subclasses that are not themselves immutable types.
fn set_collection_flags(ty: &PyTypeObject, flags: c_ulong) {
    const COLLECTION: c_ulong = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
    if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) || ty.tp_flags.get() & COLLECTION == flags {
        return;
    }
    ty.clear_flag(COLLECTION);
    ty.set_flag(flags);
    for subclass in adder_runtime::types::subclasses::of(ty) {
        set_collection_flags(&subclass, flags);
    }
}
