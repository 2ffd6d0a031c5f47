//! `_collections`: `deque`, `defaultdict`, and helpers of `collections`.

pub mod defaultdict;
pub mod deque;

use adder_runtime::objects::dictobject::PyDict_Type;
use adder_runtime::prelude::*;
use adder_runtime::protocol::number;

/// High-performance container types.
#[pymodule(name = "_collections", types = [deque::DEQUE_TYPE, defaultdict::DEFAULTDICT_TYPE, PyODict_Type, TUPLE_GETTER_TYPE])]
pub mod _collections {
    use super::*;
    pub use super::TUPLE_GETTER_TYPE;
    pub use adder_runtime::objects::odictobject::PyODict_Type;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("_deque_iterator", deque::DEQUE_ITERATOR_TYPE.to_object())?;
        module.add("_deque_reverse_iterator", deque::DEQUE_REVERSE_ITERATOR_TYPE.to_object())
    }

    /// Counts the items of an iterable in a mapping.
    #[pyfunction("($module, mapping, iterable, /)")]
    fn _count_elements(mapping: &PyObject, iterable: &PyObject) -> PyResult<()> {
        let one = PyLongObject::from_i64(1);
        // A Counter is a dict in this, unless a subclass says otherwise.
        let is_dicts = |name| {
            let found = |ty: &PyTypeObject| ty.find_in_mro(name).map(std::ptr::from_ref);
            found(mapping.ty()) == found(&PyDict_Type)
        };
        if let Some(dict) = mapping.downcast::<PyDictObject>()
            && is_dicts(identifier!("get"))
            && is_dicts(identifier!("__setitem__"))
        {
            return iterable.for_each(|item| {
                let hash = item.hash()?;
                let count = match dict.get_known_hash(&item, hash)? {
                    Some(count) => number::add(&count, one.as_object())?,
                    None => one.to_object(),
                };
                dict.insert(&item, hash, count)
            });
        }
        let get = mapping.get_attr(identifier!("get"))?;
        let zero = PyLongObject::from_i64(0);
        iterable.for_each(|item| {
            let count = get.call(&[&item, zero.as_object()])?;
            mapping.set_item(&item, &*number::add(&count, one.as_object())?)
        })
    }
}

/// A named tuple's field: the item at an index.
#[repr(C)]
pub struct TupleGetter {
    ob_base: PyObject,
    index: isize,
    doc: ObjectCell,
}

#[pytype(name = "collections._tuplegetter", static_name = TUPLE_GETTER_TYPE, flags = HAVE_GC)]
/// A descriptor for a named tuple's field.
impl TupleGetter {
    #[new("(index, doc, /)")]
    fn new(cls: &PyTypeObject, index: isize, doc: &PyObject) -> PyResult {
        let getter = TupleGetter {
            ob_base: adder_runtime::memory::blank_header(),
            index,
            doc: ObjectCell::new(Some(doc.to_ref())),
        };
        Ok(Ref::new_in(cls, getter)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.doc.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.doc.set(None);
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        let Some(object) = object else { return Ok(self.to_object()) };
        if is_none(object) {
            return Ok(self.to_object());
        }
        let Some(tuple) = object.downcast::<PyTupleObject>() else {
            return Err(raise!(
                TypeError,
                "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
                self.index,
                object.ty().name()
            ));
        };
        match usize::try_from(self.index).ok().and_then(|index| tuple.as_slice().get(index)) {
            Some(item) => Ok(item.to_ref()),
            None => Err(raise!(IndexError, "tuple index out of range")),
        }
    }
    #[slot]
    fn tp_descr_set(&self, _object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(_) => Err(raise!(AttributeError, "can't set attribute")),
            None => Err(raise!(AttributeError, "can't delete attribute")),
        }
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        Ok(self.doc.get().unwrap_or_else(none_ref))
    }
    #[setter(name = "__doc__")]
    fn set_doc(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.doc.set(value.map(PyObject::to_ref));
        Ok(())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let args = PyTupleObject::from_vec(vec![PyLongObject::from_isize(self.index).into_object(), self.get_doc()?]);
        Ok(PyTupleObject::from_slice(&[self.as_object().ty().as_object(), args.as_object()]).into_object())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let doc = self.get_doc()?.repr()?.to_string_lossy();
        let text = format!("{}({}, {doc})", self.as_object().ty().short_name(), self.index);
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
}
