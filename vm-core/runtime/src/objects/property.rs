//! `property`: an attribute computed by functions.

use crate::exceptions::exc;
use crate::exceptions::layout::{load, load_or_none, peek, store};
use crate::memory::{Visitor, gc};
use crate::prelude::*;
use crate::types::heap::free_instance;
use std::mem::offset_of;

/// A property's fields; the layout is ours.
#[repr(C)]
pub struct PyPropertyObject {
    pub ob_base: PyObject,
    pub prop_get: ObjCell,
    pub prop_set: ObjCell,
    pub prop_del: ObjCell,
    pub prop_doc: ObjCell,
    pub prop_name: ObjCell,
    /// The docstring is the getter's.
    pub getter_doc: Cell<bool>,
}

// SAFETY: as every object, used under the GIL.
unsafe impl Sync for PyPropertyObject {}

/// Whether a function is marked as abstract.
pub fn is_abstract(object: &PyObject) -> PyResult<bool> {
    match object.get_attr_opt(identifier!("__isabstractmethod__"))? {
        Some(flag) => flag.is_true(),
        None => Ok(false),
    }
}

impl PyPropertyObject {
    /// The name given by `__set_name__` or assignment, or else the getter's.
    fn find_name(&self) -> PyResult<Option<Ref>> {
        if let Some(name) = load(&self.prop_name) {
            return Ok(Some(name));
        }
        match load(&self.prop_get) {
            Some(getter) => getter.get_attr_opt(identifier!("__name__")),
            None => Ok(None),
        }
    }

    /// AttributeError for a function that the property does not have.
    #[cold]
    fn missing(&self, object: &PyObject, what: &str) -> Raised {
        let text = || -> PyResult<String> {
            let name = self.find_name()?;
            let qualname = object.ty().as_object().get_attr(identifier!("__qualname__"))?;
            let owner = qualname.repr()?.to_string_lossy();
            Ok(match name {
                Some(name) => format!(
                    "property {} of {owner} object has no {what}",
                    name.repr()?.to_string_lossy()
                ),
                None => format!("property of {owner} object has no {what}"),
            })
        };
        match text() {
            Ok(text) => raise!(AttributeError, "{text}"),
            Err(raised) => raised,
        }
    }

    /// A copy with other functions; `None` keeps the one that is there.
    fn copy(&self, get: Option<&PyObject>, set: Option<&PyObject>, del: Option<&PyObject>) -> PyResult {
        let choose = |new: Option<&PyObject>, old: &ObjCell| match new.filter(|new| !is_none(new)) {
            Some(new) => new.to_ref(),
            None => load_or_none(old),
        };
        let (get, set, del) = (
            choose(get, &self.prop_get),
            choose(set, &self.prop_set),
            choose(del, &self.prop_del),
        );
        // A docstring that came from the getter comes from the new getter.
        let doc = if self.getter_doc.get() && !is_none(&get) {
            none_ref()
        } else {
            load_or_none(&self.prop_doc)
        };
        let copy = self
            .as_object()
            .ty()
            .as_object()
            .call(&[&get, &set, &del, &doc])?;
        if let Some(copy) = (*copy).downcast::<PyPropertyObject>() {
            store(&copy.prop_name, load(&self.prop_name));
        }
        Ok(copy)
    }

    fn set_functions(&self, fget: Option<&PyObject>, fset: Option<&PyObject>, fdel: Option<&PyObject>) {
        store(&self.prop_get, fget.map(PyObject::to_ref));
        store(&self.prop_set, fset.map(PyObject::to_ref));
        store(&self.prop_del, fdel.map(PyObject::to_ref));
        store(&self.prop_doc, None);
        store(&self.prop_name, None);
        self.getter_doc.set(false);
    }
}

/// An attribute whose value is computed when it is read: by fget, fset and fdel, also as a decorator.
#[pytype(
    name = "property",
    static_name = PyProperty_Type,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("fget", _Py_T_OBJECT, offset_of!(PyPropertyObject, prop_get), Py_READONLY),
        ("fset", _Py_T_OBJECT, offset_of!(PyPropertyObject, prop_set), Py_READONLY),
        ("fdel", _Py_T_OBJECT, offset_of!(PyPropertyObject, prop_del), Py_READONLY),
        ("__doc__", _Py_T_OBJECT, offset_of!(PyPropertyObject, prop_doc), 0),
    ],
    slots = [tp_dealloc = property_dealloc],
)]
impl PyPropertyObject {
    #[init("(fget=None, fset=None, fdel=None, doc=None)")]
    fn init(
        &self,
        fget: Option<&PyObject>,
        fset: Option<&PyObject>,
        fdel: Option<&PyObject>,
        doc: Option<&PyObject>,
    ) -> PyResult<()> {
        self.set_functions(fget, fset, fdel);
        let mut docstring = doc.map(PyObject::to_ref);
        if let (None, Some(fget)) = (doc, fget) {
            docstring = fget
                .get_attr_opt(identifier!("__doc__"))?
                .filter(|doc| !is_none(doc));
            self.getter_doc.set(docstring.is_some());
        }
        if PyPropertyObject::check_exact(self.as_object()) {
            store(&self.prop_doc, docstring);
            return Ok(());
        }
        // A subclass has its own `__doc__`, which would hide the member: the instance gets one.
        let docstring = docstring.unwrap_or_else(none_ref);
        match self.as_object().set_attr(identifier!("__doc__"), &docstring) {
            Err(raised) if !self.getter_doc.get() => raised.clear_if(exc::AttributeError),
            result => result,
        }
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
        let Some(object) = object.filter(|object| !is_none(object)) else {
            return Ok(self.to_object());
        };
        match load(&self.prop_get) {
            Some(getter) => getter.call1(object),
            None => Err(self.missing(object, "getter")),
        }
    }
    #[slot]
    fn tp_descr_set(&self, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => match load(&self.prop_set) {
                Some(setter) => setter.call(&[object, value]).map(drop),
                None => Err(self.missing(object, "setter")),
            },
            None => match load(&self.prop_del) {
                Some(deleter) => deleter.call1(object).map(drop),
                None => Err(self.missing(object, "deleter")),
            },
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for cell in [
            &self.prop_get,
            &self.prop_set,
            &self.prop_del,
            &self.prop_doc,
            &self.prop_name,
        ] {
            let status = visitor.visit(cell.get());
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        store(&self.prop_doc, None);
    }

    /// A copy with another getter.
    #[method("($self, object, /)")]
    fn getter(&self, object: &PyObject) -> PyResult {
        self.copy(Some(object), None, None)
    }
    /// A copy with another setter.
    #[method("($self, object, /)")]
    fn setter(&self, object: &PyObject) -> PyResult {
        self.copy(None, Some(object), None)
    }
    /// A copy with another deleter.
    #[method("($self, object, /)")]
    fn deleter(&self, object: &PyObject) -> PyResult {
        self.copy(None, None, Some(object))
    }
    /// Tells the property its name in a class.
    #[method(raw, "($self, owner, name, /)")]
    fn __set_name__(&self, args: &[&PyObject]) -> PyResult<()> {
        let [_, name] = args else {
            let given = args.len();
            return Err(raise!(
                TypeError,
                "__set_name__() takes 2 positional arguments but {given} were given"
            ));
        };
        store(&self.prop_name, Some(name.to_ref()));
        Ok(())
    }
    #[getter(name = "__name__")]
    fn name(&self) -> PyResult {
        match self.find_name()? {
            Some(name) => Ok(name),
            None => Err(raise!(
                AttributeError,
                "'{}' object has no attribute '__name__'",
                self.as_object().ty().full_name()
            )),
        }
    }
    #[setter(name = "__name__")]
    fn set_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        store(&self.prop_name, value.map(PyObject::to_ref));
        Ok(())
    }
    #[getter(name = "__isabstractmethod__")]
    fn abstract_flag(&self) -> PyResult<bool> {
        for cell in [&self.prop_get, &self.prop_set, &self.prop_del] {
            if let Some(function) = load(cell)
                && is_abstract(&function)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl PyPropertyObject {
    /// The getter, for the interpreter to call directly.
    pub fn fget(&self) -> Option<&PyObject> {
        peek(&self.prop_get)
    }
}

unsafe extern "C" fn property_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead property; what it owned is given back once.
    unsafe {
        gc::untrack(object);
        let this = &*object.cast::<PyPropertyObject>();
        for cell in [
            &this.prop_get,
            &this.prop_set,
            &this.prop_del,
            &this.prop_doc,
            &this.prop_name,
        ] {
            store(cell, None);
        }
        free_instance(object);
    }
}
