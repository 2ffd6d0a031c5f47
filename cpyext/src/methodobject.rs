//! methodobject.h, classobject.h, funcobject.h, cellobject.h: C functions, bound methods, Python functions, cells.

use crate::export::{Borrowed, bad_internal_call, opt};
use crate::pyerrors::set_field;
use adder_runtime::objects::classobject::{PyInstanceMethod_Type, PyMethod_Type};
use adder_runtime::objects::funcobject::{PyClassMethod_Type, PyFunction_Type, PyStaticMethod_Type};
use adder_runtime::objects::methodobject::{PyCFunction_Type, new_method};
use adder_runtime::prelude::*;

fn c_function(object: &PyObject) -> PyResult<&PyCFunctionObject> {
    if !object.ty().is_subtype(&PyCFunction_Type) {
        return Err(bad_internal_call());
    }
    // SAFETY: the type has this layout.
    Ok(unsafe { object.cast_unchecked() })
}

fn function(object: &PyObject) -> PyResult<&PyFunctionObject> {
    object
        .downcast::<PyFunctionObject>()
        .ok_or_else(bad_internal_call)
}

fn borrowed(field: &ObjCell) -> Borrowed {
    Borrowed(field.get())
}

fn new_c_function(
    def: *mut PyMethodDef,
    object: Option<&PyObject>,
    module: Option<&PyObject>,
    class: Option<&PyTypeObject>,
) -> PyResult {
    // SAFETY: C gives a definition that outlives the function.
    new_method(unsafe { &*def }, object, module, class)
}

/// Sets a field of a function to what C gives; None stands for nothing where `none_is_null`.
fn assign(field: &ObjCell, value: Option<&PyObject>, none_is_null: bool) {
    let value = value.filter(|value| !(none_is_null && is_none(value)));
    set_field(field, value.map(PyObject::to_ref));
}

capi! {
    fn PyCMethod_New(
        def: *mut PyMethodDef, object: Option<&PyObject>, module: Option<&PyObject>, class: Option<&PyTypeObject>
    ) -> PyResult {
        new_c_function(def, object, module, class)
    }
    fn PyCFunction_NewEx(def: *mut PyMethodDef, object: Option<&PyObject>, module: Option<&PyObject>) -> PyResult {
        new_c_function(def, object, module, None)
    }
    fn PyCFunction_New(def: *mut PyMethodDef, object: Option<&PyObject>) -> PyResult { new_c_function(def, object, None, None) }
    fn PyCFunction_GetFunction(object: &PyObject) -> PyResult<*mut c_void> {
        // SAFETY: a C function's definition outlives it.
        let def = unsafe { &*c_function(object)?.m_ml.get() };
        Ok(def.ml_meth.get().map_or(std::ptr::null_mut(), |function| function as *mut c_void))
    }
    fn PyCFunction_GetSelf(object: &PyObject) -> PyResult<Borrowed> {
        let function = c_function(object)?;
        // SAFETY: as above.
        let is_static = unsafe { &*function.m_ml.get() }.ml_flags.get() & METH_STATIC != 0;
        Ok(if is_static { Borrowed(std::ptr::null_mut()) } else { borrowed(&function.m_self) })
    }
    fn PyCFunction_GetFlags(object: &PyObject) -> PyResult<c_int> {
        // SAFETY: as above.
        Ok(unsafe { &*c_function(object)?.m_ml.get() }.ml_flags.get())
    }

    fn PyMethod_New(function: &PyObject, object: &PyObject) -> PyResult { PyMethod_Type.as_object().call(&[function, object]) }
    fn PyMethod_Function(method: &PyObject) -> PyResult<Borrowed> {
        let method = method.downcast::<PyMethodObject>().ok_or_else(bad_internal_call)?;
        Ok(borrowed(&method.im_func))
    }
    fn PyMethod_Self(method: &PyObject) -> PyResult<Borrowed> {
        let method = method.downcast::<PyMethodObject>().ok_or_else(bad_internal_call)?;
        Ok(borrowed(&method.im_self))
    }
    fn PyInstanceMethod_New(function: &PyObject) -> PyResult { PyInstanceMethod_Type.as_object().call1(function) }
    fn PyInstanceMethod_Function(method: &PyObject) -> PyResult<Borrowed> {
        if !std::ptr::eq(method.ty(), &PyInstanceMethod_Type) {
            return Err(bad_internal_call());
        }
        // SAFETY: just checked.
        Ok(borrowed(&unsafe { method.cast_unchecked::<PyInstanceMethodObject>() }.func))
    }
    fn PyClassMethod_New(function: &PyObject) -> PyResult { PyClassMethod_Type.as_object().call1(function) }
    fn PyStaticMethod_New(function: &PyObject) -> PyResult { PyStaticMethod_Type.as_object().call1(function) }

    fn PyFunction_New(code: &PyObject, globals: &PyObject) -> PyResult { PyFunction_Type.as_object().call(&[code, globals]) }
    fn PyFunction_NewWithQualName(code: &PyObject, globals: &PyObject, qualname: Option<&PyObject>) -> PyResult {
        let made = PyFunction_Type.as_object().call(&[code, globals])?;
        if let Some(qualname) = qualname {
            made.set_attr(identifier!("__qualname__"), qualname)?;
        }
        Ok(made)
    }
    fn PyFunction_GetCode(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_code)) }
    fn PyFunction_GetGlobals(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_globals)) }
    fn PyFunction_GetModule(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_module)) }
    fn PyFunction_GetDefaults(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_defaults)) }
    fn PyFunction_GetKwDefaults(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_kwdefaults)) }
    fn PyFunction_GetClosure(object: &PyObject) -> PyResult<Borrowed> { function(object).map(|function| borrowed(&function.func_closure)) }
    fn PyFunction_GetAnnotations(object: &PyObject) -> PyResult<Borrowed> {
        let function = function(object)?;
        if function.func_annotations.get().is_null() && function.func_annotate.get().is_null() {
            return Ok(Borrowed(none().as_ptr()));
        }
        let annotations = object.get_attr(identifier!("__annotations__"))?;
        // The function keeps its annotations.
        Ok(Borrowed(annotations.as_raw()))
    }
    fn PyFunction_SetDefaults(object: &PyObject, value: &PyObject) -> PyResult<()> {
        if !is_none(value) && !PyTupleObject::check(value) {
            return Err(raise!(SystemError, "non-tuple default args"));
        }
        function(object)?.as_object().set_attr(identifier!("__defaults__"), value)
    }
    fn PyFunction_SetKwDefaults(object: &PyObject, value: &PyObject) -> PyResult<()> {
        if !is_none(value) && !PyDictObject::check(value) {
            return Err(raise!(SystemError, "non-dict keyword only default args"));
        }
        function(object)?.as_object().set_attr(identifier!("__kwdefaults__"), value)
    }
    fn PyFunction_SetClosure(object: &PyObject, value: &PyObject) -> PyResult<()> {
        if !is_none(value) && !PyTupleObject::check(value) {
            return Err(raise!(SystemError, "expected tuple for closure, got '{}'", value.ty().name()));
        }
        assign(&function(object)?.func_closure, Some(value), true);
        Ok(())
    }
    fn PyFunction_SetAnnotations(object: &PyObject, value: &PyObject) -> PyResult<()> {
        if !is_none(value) && !PyDictObject::check(value) {
            return Err(raise!(SystemError, "non-dict annotations"));
        }
        function(object)?.as_object().set_attr(identifier!("__annotations__"), value)
    }
    fn PyFunction_SetVectorcall(object: *mut PyFunctionObject, vectorcall: *mut c_void) -> crate::export::Void {
        // SAFETY: C gives a function and a vectorcallfunc.
        unsafe { (*object).vectorcall.set(std::mem::transmute::<*mut c_void, Option<vectorcallfunc>>(vectorcall)) };
        crate::export::Void
    }

    fn PyCell_New(value: Option<&PyObject>) -> PyResult {
        let cell = adder_runtime::objects::cellobject::PyCell_Type.as_object().call0()?;
        // SAFETY: just made as a cell.
        assign(&unsafe { cell.cast_unchecked::<PyCellObject>() }.ob_ref, value, false);
        Ok(cell)
    }
    fn PyCell_Get(object: &PyObject) -> PyResult<Option<Ref>> {
        let cell = object.downcast::<PyCellObject>().ok_or_else(bad_internal_call)?;
        // SAFETY: the cell owns its content.
        Ok(unsafe { opt(cell.ob_ref.get()) }.map(PyObject::to_ref))
    }
    fn PyCell_Set(object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        let cell = object.downcast::<PyCellObject>().ok_or_else(bad_internal_call)?;
        assign(&cell.ob_ref, value, false);
        Ok(())
    }
}
