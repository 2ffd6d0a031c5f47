//! odictobject.h: dicts that keep an order of their own.

use adder_runtime::objects::odictobject::PyODictObject;
use adder_runtime::prelude::*;

fn ordered(object: &PyObject) -> PyResult<&PyODictObject> {
    object
        .downcast::<PyODictObject>()
        .ok_or_else(crate::export::bad_internal_call)
}

capi! {
    fn PyODict_New() -> PyResult<Ref<PyODictObject>> { PyODictObject::new() }
    fn PyODict_SetItem(dict: &PyObject, key: &PyObject, value: &PyObject) -> PyResult<()> { ordered(dict)?.set(key, value) }
    fn PyODict_DelItem(dict: &PyObject, key: &PyObject) -> PyResult<()> { ordered(dict)?.delete(key) }
}
