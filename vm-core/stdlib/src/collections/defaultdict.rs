//! `collections.defaultdict`.

use adder_runtime::prelude::*;

#[repr(C)]
pub struct DefaultDict {
    dict: PyDictObject,
    default_factory: ObjectCell,
}

/// The plain dict's own slots, which this type extends.
fn base() -> &'static PyTypeObject {
    PyDictObject::type_object()
}

unsafe extern "C" fn traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: the collector passes live objects of this type.
    unsafe {
        let status = (*object.cast::<DefaultDict>()).default_factory.visit(&Visitor { visit, arg });
        if status != 0 {
            return status;
        }
        base().tp_traverse.get().map_or(0, |traverse| traverse(object, visit, arg))
    }
}

unsafe extern "C" fn clear(object: *mut PyObject) -> c_int {
    // SAFETY: the collector passes live objects of this type.
    unsafe {
        (*object.cast::<DefaultDict>()).default_factory.set(None);
        base().tp_clear.get().map_or(0, |clear| clear(object))
    }
}

unsafe extern "C" fn dealloc(object: *mut PyObject) {
    // SAFETY: the object is dead; the factory is given back, then the dict's own deallocator does the rest.
    unsafe {
        (*object.cast::<DefaultDict>()).default_factory.set(None);
        if let Some(dealloc) = base().tp_dealloc.get() {
            dealloc(object);
        }
    }
}

#[pytype(
    name = "collections.defaultdict",
    static_name = DEFAULTDICT_TYPE,
    base = adder_runtime::objects::dictobject::PyDict_Type,
    flags = BASETYPE | HAVE_GC,
    dealloc = inherit,
    slots = [tp_traverse = traverse, tp_clear = clear, tp_dealloc = dealloc],
)]
/// A dict that makes missing values by calling its default_factory.
impl DefaultDict {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let (factory, rest) = match args.as_slice() {
            [] => (None, &[][..]),
            [factory, rest @ ..] => {
                if !is_none(factory) && !factory.is_callable() {
                    return Err(raise!(TypeError, "first argument must be callable or None"));
                }
                (Some(*factory).filter(|factory| !is_none(factory)), rest)
            }
        };
        self.default_factory.set(factory.map(PyObject::to_ref));
        let rest = PyTupleObject::from_slice(rest);
        let raw_kwargs = kwargs.map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        match base().tp_init.get() {
            // SAFETY: the base's own slot.
            Some(init) => adder_runtime::protocol::from_status(
                unsafe { init(self.as_ptr(), rest.as_ptr(), raw_kwargs) },
                "dict.__init__",
            ),
            None => Ok(()),
        }
    }
    /// Makes, stores and returns the value of a missing key.
    #[method("($self, key, /)")]
    fn __missing__(&self, key: &PyObject) -> PyResult {
        let Some(factory) = self.default_factory.get() else {
            let args = PyTupleObject::from_slice(&[key]);
            return Err(raise!(KeyError, value => args.as_object()));
        };
        let value = factory.call0()?;
        // What the factory itself may have stored stays.
        Ok(self.dict.set_default(key, &value)?.0)
    }
    fn copy_of(&self) -> PyResult {
        let factory = self.default_factory.get().unwrap_or_else(none_ref);
        self.as_object().ty().as_object().call(&[&factory, self.as_object()])
    }
    /// A shallow copy.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        self.copy_of()
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> PyResult {
        self.copy_of()
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let args = match self.default_factory.get() {
            Some(factory) => PyTupleObject::from_vec(vec![factory]),
            None => PyTupleObject::empty(),
        };
        let items = self.as_object().call_method(identifier!("items"), &[])?.iter()?;
        Ok(PyTupleObject::from_slice(&[
            self.as_object().ty().as_object(),
            args.as_object(),
            none(),
            none(),
            &items,
        ])
        .into_object())
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
    #[getter(name = "default_factory")]
    fn get_default_factory(&self) -> PyResult {
        Ok(self.default_factory.get().unwrap_or_else(none_ref))
    }
    #[setter(name = "default_factory")]
    fn set_default_factory(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.default_factory.set(value.filter(|value| !is_none(value)).map(PyObject::to_ref));
        Ok(())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let name = self.as_object().ty().short_name();
        let dict = match base().tp_repr.get() {
            // SAFETY: the base's own slot.
            Some(repr) => unsafe { adder_runtime::protocol::from_slot(repr(self.as_ptr()), "dict.__repr__")? },
            None => none_ref(),
        };
        let dict = dict.str()?.to_string_lossy();
        let factory = match self.default_factory.get() {
            None => "None".to_string(),
            Some(factory) => adder_runtime::protocol::with_repr_guard(&factory, || Ok(factory.repr()?.to_string_lossy()))?
                .unwrap_or_else(|| "...".to_string()),
        };
        Ok(PyUnicodeObject::from_string(format!("{name}({factory}, {dict})")).into_object())
    }
    #[slot]
    fn nb_or(left: &PyObject, right: &PyObject) -> PyResult {
        let (own, other) = match left.downcast::<DefaultDict>() {
            Some(own) => (own, right),
            None => match right.downcast::<DefaultDict>() {
                Some(own) => (own, left),
                None => return Ok(not_implemented().to_ref()),
            },
        };
        if !PyDictObject::check(other) {
            return Ok(not_implemented().to_ref());
        }
        let factory = own.default_factory.get().unwrap_or_else(none_ref);
        let result = own.as_object().ty().as_object().call(&[&factory, left])?;
        result.call_method(identifier!("update"), &[right])?;
        Ok(result)
    }
}
