//! Python functions, `classmethod`, `staticmethod`. What a call does is the interpreter's: `hooks::function_vectorcall`.

use crate::memory;
use crate::objects::dictobject::instance::new_dict_of;
use crate::objects::watchers::{self, FunctionEvent};
use crate::prelude::*;
use crate::protocol::attributes;
use std::cell::Cell;
use std::mem::offset_of;

thread_local! {
    /// Versions of functions, for inline caches; 0 says 'none'.
    static NEXT_VERSION: Cell<u32> = const { Cell::new(1) };
}

fn name_attr() -> &'static PyUnicodeObject {
    identifier!("__name__")
}

/// Puts `value` into an owned field and drops what was there.
fn replace(field: &Cell<*mut PyObject>, value: *mut PyObject) {
    let old = field.replace(value);
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old) });
}

fn get_or_none(field: &Cell<*mut PyObject>) -> Ref {
    // SAFETY: an owned field or null.
    unsafe { Ref::from_borrowed_opt(field.get()) }.unwrap_or_else(none_ref)
}

impl PyFunctionObject {
    /// A function of `code` in `globals`, without defaults or closure.
    pub fn from_code(
        code: &PyCodeObject,
        globals: &PyDictObject,
        builtins: &PyObject,
    ) -> PyResult<Ref<PyFunctionObject>> {
        let function = PyFunctionObject::zeroed();
        function.func_globals.set(globals.to_object().into_raw());
        function.func_builtins.set(builtins.to_ref().into_raw());
        function.func_name.set(code.name().to_object().into_raw());
        function.func_qualname.set(code.qualname().to_object().into_raw());
        function.func_code.set(code.to_object().into_raw());
        let doc = match code.consts().as_slice().first() {
            Some(doc) if code.co_flags.get() & CO_HAS_DOCSTRING != 0 => doc.to_ref(),
            _ => none_ref(),
        };
        function.func_doc.set(doc.into_raw());
        if let Some(module) = globals.get_str(name_attr()) {
            function.func_module.set(module.into_raw());
        }
        let Some(hooks) = crate::hooks::get() else {
            return Err(raise!(SystemError, "there is no interpreter to run functions"));
        };
        function.vectorcall.set(Some(hooks.function_vectorcall));
        let function = Ref::new(function)?;
        if watchers::FUNCTIONS.is_active() {
            watchers::function_event(FunctionEvent::Create, &function, None);
        }
        Ok(function)
    }
    #[inline(always)]
    pub fn code(&self) -> &PyCodeObject {
        // SAFETY: a code object since creation.
        unsafe { &*self.func_code.get().cast() }
    }
    #[inline(always)]
    pub fn globals(&self) -> &PyDictObject {
        // SAFETY: a dict since creation.
        unsafe { &*self.func_globals.get().cast() }
    }
    pub fn qualname(&self) -> &PyUnicodeObject {
        // SAFETY: a str since creation.
        unsafe { &*self.func_qualname.get().cast() }
    }
    /// The tuple of default values.
    #[inline(always)]
    pub fn defaults(&self) -> Option<&PyTupleObject> {
        // SAFETY: a tuple or null.
        unsafe { self.func_defaults.get().cast::<PyTupleObject>().as_ref() }
    }
    #[inline(always)]
    pub fn kwdefaults(&self) -> Option<&PyDictObject> {
        // SAFETY: a dict or null.
        unsafe { self.func_kwdefaults.get().cast::<PyDictObject>().as_ref() }
    }
    #[inline(always)]
    pub fn closure(&self) -> Option<&PyTupleObject> {
        // SAFETY: a tuple or null.
        unsafe { self.func_closure.get().cast::<PyTupleObject>().as_ref() }
    }
    /// A number that changes with the code and the defaults; 0 when none is to be had.
    pub fn version(&self) -> u32 {
        if self.func_version.get() == 0 {
            let next = NEXT_VERSION.get();
            if next == 0 {
                return 0;
            }
            NEXT_VERSION.set(next.wrapping_add(1));
            self.func_version.set(next);
        }
        self.func_version.get()
    }
    fn changed(&self) {
        self.func_version.set(0);
    }
    /// Tells the watchers what is about to be assigned.
    #[inline(always)]
    fn tell(&self, event: FunctionEvent, value: Option<&PyObject>) {
        if watchers::FUNCTIONS.is_active() {
            watchers::function_event(event, self, value);
        }
    }
    pub fn set_defaults(&self, defaults: Option<Ref>) {
        self.changed();
        replace(
            &self.func_defaults,
            defaults.map_or(std::ptr::null_mut(), Ref::into_raw),
        );
    }
    pub fn set_kwdefaults(&self, defaults: Option<Ref>) {
        self.changed();
        replace(
            &self.func_kwdefaults,
            defaults.map_or(std::ptr::null_mut(), Ref::into_raw),
        );
    }
    pub fn set_closure(&self, closure: Option<Ref>) {
        self.changed();
        replace(
            &self.func_closure,
            closure.map_or(std::ptr::null_mut(), Ref::into_raw),
        );
    }
    pub fn set_annotations(&self, annotations: Option<Ref>) {
        replace(
            &self.func_annotations,
            annotations.map_or(std::ptr::null_mut(), Ref::into_raw),
        );
    }
    pub fn set_annotate(&self, annotate: Option<Ref>) {
        replace(
            &self.func_annotate,
            annotate.map_or(std::ptr::null_mut(), Ref::into_raw),
        );
    }
    pub fn set_type_params(&self, params: Ref) {
        replace(&self.func_typeparams, params.into_raw());
    }

    fn fields(&self) -> [&Cell<*mut PyObject>; 14] {
        [
            &self.func_globals,
            &self.func_builtins,
            &self.func_name,
            &self.func_qualname,
            &self.func_code,
            &self.func_defaults,
            &self.func_kwdefaults,
            &self.func_closure,
            &self.func_doc,
            &self.func_dict,
            &self.func_module,
            &self.func_annotations,
            &self.func_annotate,
            &self.func_typeparams,
        ]
    }

    /// `__annotations__`: made by `__annotate__` on first demand, from then on a dict.
    pub fn annotations(&self) -> PyResult<Option<Ref>> {
        // SAFETY: an owned field or null.
        if let Some(annotations) = unsafe { Ref::from_borrowed_opt(self.func_annotations.get()) } {
            let Ok(tuple) = annotations.clone().downcast::<PyTupleObject>() else {
                return Ok(Some(annotations));
            };
            let dict = PyDictObject::new();
            for pair in tuple.as_slice().chunks_exact(2) {
                dict.set(pair[0], pair[1])?;
            }
            self.set_annotations(Some(dict.to_object()));
            return Ok(Some(dict.into_object()));
        }
        // SAFETY: an owned field or null.
        let Some(annotate) = (unsafe { Ref::from_borrowed_opt(self.func_annotate.get()) }) else {
            return Ok(None);
        };
        if !annotate.is_callable() {
            return Ok(None);
        }
        let one = PyLongObject::from_i64(1);
        let annotations = annotate.call1(one.as_object())?;
        if !PyDictObject::check(&annotations) {
            return Err(raise!(
                TypeError,
                "__annotate__ returned non-dict of type '{}'",
                annotations.ty().name()
            ));
        }
        self.set_annotations(Some(annotations.clone()));
        Ok(Some(annotations))
    }
}

#[pytype(
    name = "function",
    static_name = PyFunction_Type,
    flags = HAVE_GC | HAVE_VECTORCALL | METHOD_DESCRIPTOR,
    weaklistoffset = offset_of!(PyFunctionObject, func_weakreflist),
    dictoffset = offset_of!(PyFunctionObject, func_dict),
    vectorcall_offset = offset_of!(PyFunctionObject, vectorcall),
    slots = [tp_call = crate::protocol::call::call_by_vectorcall],
    members = [
        ("__closure__", _Py_T_OBJECT, offset_of!(PyFunctionObject, func_closure), Py_READONLY),
        ("__doc__", _Py_T_OBJECT, offset_of!(PyFunctionObject, func_doc), 0),
        ("__globals__", _Py_T_OBJECT, offset_of!(PyFunctionObject, func_globals), Py_READONLY),
        ("__module__", _Py_T_OBJECT, offset_of!(PyFunctionObject, func_module), 0),
        ("__builtins__", _Py_T_OBJECT, offset_of!(PyFunctionObject, func_builtins), Py_READONLY)
    ]
)]
/// Create a function object from a code object and a dict of globals.
impl PyFunctionObject {
    #[new("(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)")]
    fn py_new(
        cls: &PyTypeObject,
        code: &PyCodeObject,
        globals: &PyDictObject,
        name: Option<&PyObject>,
        argdefs: Option<&PyObject>,
        closure: Option<&PyObject>,
        kwdefaults: Option<&PyObject>,
    ) -> PyResult<Ref<PyFunctionObject>> {
        let _ = cls;
        let given = |value: Option<&PyObject>| value.filter(|value| !is_none(value)).map(PyObject::to_ref);
        let n_free = code.co_nfreevars.get() as usize;
        if given(name).is_some_and(|name| !PyUnicodeObject::check(&name)) {
            return Err(raise!(TypeError, "arg 3 (name) must be None or string"));
        }
        if given(argdefs).is_some_and(|defaults| !PyTupleObject::check(&defaults)) {
            return Err(raise!(TypeError, "arg 4 (defaults) must be None or tuple"));
        }
        if given(kwdefaults).is_some_and(|defaults| !PyDictObject::check(&defaults)) {
            return Err(raise!(TypeError, "arg 6 (kwdefaults) must be None or dict"));
        }
        match given(closure).map(|closure| closure.downcast::<PyTupleObject>()) {
            None if n_free != 0 => return Err(raise!(TypeError, "arg 5 (closure) must be tuple")),
            Some(Err(_)) => return Err(raise!(TypeError, "arg 5 (closure) must be None or tuple")),
            Some(Ok(cells)) if cells.len() != n_free => {
                return Err(raise!(
                    ValueError,
                    "{} requires closure of length {n_free}, not {}",
                    code.name().to_string_lossy(),
                    cells.len()
                ));
            }
            Some(Ok(cells)) => {
                for cell in cells.as_slice() {
                    if !PyCellObject::check(cell) {
                        return Err(raise!(
                            TypeError,
                            "arg 5 (closure) expected cell, found {}",
                            cell.ty().name()
                        ));
                    }
                }
            }
            None => {}
        }
        let builtins = match globals.get_str(identifier!("__builtins__")) {
            Some(builtins) => builtins_dict(builtins)?,
            None => match crate::hooks::get().and_then(|hooks| (hooks.current_builtins)()) {
                Some(builtins) => builtins,
                None => PyDictObject::new().into_object(),
            },
        };
        let function = PyFunctionObject::from_code(code, globals, &builtins)?;
        if let Some(name) = given(name) {
            replace(&function.func_name, name.into_raw());
        }
        function.set_defaults(given(argdefs));
        function.set_kwdefaults(given(kwdefaults));
        function.set_closure(given(closure));
        Ok(function)
    }

    #[slot]
    unsafe fn tp_dealloc(this: *mut PyFunctionObject) {
        // SAFETY: called once; every field was owned.
        unsafe {
            let function = &*this;
            if watchers::FUNCTIONS.is_active() {
                let tell = || watchers::function_event(FunctionEvent::Destroy, function, None);
                if !watchers::tell_of_death(function.as_object(), tell) {
                    return;
                }
            }
            memory::gc::untrack(this.cast());
            if !function.func_weakreflist.get().is_null() {
                crate::objects::weakrefobject::clear_weakrefs(function.as_object());
            }
            for field in function.fields() {
                memory::xdecref(field.replace(std::ptr::null_mut()));
            }
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.fields()
            .iter()
            .map(|field| visitor.visit(field.get()))
            .find(|status| *status != 0)
            .unwrap_or(0)
    }
    #[slot]
    fn tp_clear(&self) {
        // Names and code stay: a function that is being torn down may still be called or printed.
        for field in [
            &self.func_defaults,
            &self.func_kwdefaults,
            &self.func_closure,
            &self.func_doc,
            &self.func_dict,
            &self.func_module,
            &self.func_annotations,
            &self.func_annotate,
            &self.func_typeparams,
        ] {
            replace(field, std::ptr::null_mut());
        }
    }
    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_string(format!(
            "<function {} at {:p}>",
            self.qualname().to_string_lossy(),
            self.as_ptr()
        ))
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
        match object {
            Some(object) if !is_none(object) => {
                crate::objects::classobject::new_method(self.as_object(), object)
            }
            _ => Ok(self.to_object()),
        }
    }

    #[getter(name = "__code__")]
    fn get_code(&self) -> Ref {
        self.code().to_object()
    }
    #[setter(name = "__code__")]
    fn set_code(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(code) = value.and_then(|value| value.downcast::<PyCodeObject>()) else {
            return Err(raise!(TypeError, "__code__ must be set to a code object"));
        };
        let n_closure = self.closure().map_or(0, |closure| closure.len());
        if code.co_nfreevars.get() as usize != n_closure {
            return Err(raise!(
                ValueError,
                "{}() requires a code object with {n_closure} free vars, not {}",
                self.qualname().to_string_lossy(),
                code.co_nfreevars.get()
            ));
        }
        let kind =
            |code: &PyCodeObject| code.co_flags.get() & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
        if kind(code) != kind(self.code()) {
            crate::hooks::warn(
                crate::exceptions::exc::DeprecationWarning,
                "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)",
                1,
            )?;
        }
        self.tell(FunctionEvent::ModifyCode, value);
        self.changed();
        replace(&self.func_code, code.to_object().into_raw());
        Ok(())
    }
    #[getter(name = "__defaults__")]
    fn get_defaults(&self) -> Ref {
        get_or_none(&self.func_defaults)
    }
    #[setter(name = "__defaults__")]
    fn py_set_defaults(&self, value: Option<&PyObject>) -> PyResult<()> {
        let value = value.filter(|value| !is_none(value));
        if value.is_some_and(|value| !PyTupleObject::check(value)) {
            return Err(raise!(TypeError, "__defaults__ must be set to a tuple object"));
        }
        self.tell(FunctionEvent::ModifyDefaults, value);
        self.set_defaults(value.map(PyObject::to_ref));
        Ok(())
    }
    #[getter(name = "__kwdefaults__")]
    fn get_kwdefaults(&self) -> Ref {
        get_or_none(&self.func_kwdefaults)
    }
    #[setter(name = "__kwdefaults__")]
    fn py_set_kwdefaults(&self, value: Option<&PyObject>) -> PyResult<()> {
        let value = value.filter(|value| !is_none(value));
        if value.is_some_and(|value| !PyDictObject::check(value)) {
            return Err(raise!(TypeError, "__kwdefaults__ must be set to a dict object"));
        }
        self.tell(FunctionEvent::ModifyKwdefaults, value);
        self.set_kwdefaults(value.map(PyObject::to_ref));
        Ok(())
    }
    #[getter(name = "__annotations__")]
    fn get_annotations(&self) -> PyResult {
        match self.annotations()? {
            Some(annotations) => Ok(annotations),
            None => {
                let dict = PyDictObject::new();
                self.set_annotations(Some(dict.to_object()));
                Ok(dict.into_object())
            }
        }
    }
    #[setter(name = "__annotations__")]
    fn py_set_annotations(&self, value: Option<&PyObject>) -> PyResult<()> {
        let value = value.filter(|value| !is_none(value));
        if value.is_some_and(|value| !PyDictObject::check(value)) {
            return Err(raise!(TypeError, "__annotations__ must be set to a dict object"));
        }
        self.set_annotations(value.map(PyObject::to_ref));
        self.set_annotate(None);
        Ok(())
    }
    #[getter(name = "__annotate__")]
    fn get_annotate(&self) -> Ref {
        get_or_none(&self.func_annotate)
    }
    #[setter(name = "__annotate__")]
    fn py_set_annotate(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "__annotate__ cannot be deleted"));
        };
        if is_none(value) {
            self.set_annotate(Some(none_ref()));
            return Ok(());
        }
        if !value.is_callable() {
            return Err(raise!(TypeError, "__annotate__ must be callable or None"));
        }
        self.set_annotate(Some(value.to_ref()));
        self.set_annotations(None);
        Ok(())
    }
    #[getter(name = "__name__")]
    fn get_name(&self) -> Ref {
        get_or_none(&self.func_name)
    }
    #[setter(name = "__name__")]
    fn set_name(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value.filter(|value| PyUnicodeObject::check(value)) {
            Some(value) => {
                replace(&self.func_name, value.to_ref().into_raw());
                Ok(())
            }
            None => Err(raise!(TypeError, "__name__ must be set to a string object")),
        }
    }
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> Ref {
        get_or_none(&self.func_qualname)
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value.filter(|value| PyUnicodeObject::check(value)) {
            Some(value) => {
                self.tell(FunctionEvent::ModifyQualname, Some(value));
                replace(&self.func_qualname, value.to_ref().into_raw());
                Ok(())
            }
            None => Err(raise!(TypeError, "__qualname__ must be set to a string object")),
        }
    }
    #[getter(name = "__type_params__")]
    fn get_type_params(&self) -> Ref {
        // SAFETY: an owned field or null.
        unsafe { Ref::from_borrowed_opt(self.func_typeparams.get()) }
            .unwrap_or_else(|| PyTupleObject::empty().into_object())
    }
    #[setter(name = "__type_params__")]
    fn py_set_type_params(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value.filter(|value| PyTupleObject::check(value)) {
            Some(value) => {
                self.set_type_params(value.to_ref());
                Ok(())
            }
            None => Err(raise!(TypeError, "__type_params__ must be set to a tuple")),
        }
    }
    #[getter(name = "__dict__")]
    fn get_dict(&self) -> Ref {
        if self.func_dict.get().is_null() {
            self.func_dict.set(PyDictObject::new().into_object_raw());
        }
        get_or_none(&self.func_dict)
    }
    #[setter(name = "__dict__")]
    fn set_dict(&self, value: Option<&PyObject>) -> PyResult<()> {
        let dict = new_dict_of(value)?;
        replace(&self.func_dict, dict.to_object().into_raw());
        Ok(())
    }
}

/// The dict behind a `__builtins__` value, which may be the module.
pub fn builtins_dict(builtins: Ref) -> PyResult {
    match builtins.downcast::<PyModuleObject>() {
        Ok(module) => Ok(module.dict().to_object()),
        Err(other) => Ok(other),
    }
}

// ---- classmethod and staticmethod ----

/// The object of both `classmethod` and `staticmethod`.
#[repr(C)]
pub struct ClassMethodObject {
    pub ob_base: PyObject,
    pub cm_callable: ObjCell,
    pub cm_dict: ObjCell,
}
// SAFETY: by decree: the GIL orders all access.
unsafe impl Sync for ClassMethodObject {}

/// As `ClassMethodObject`.
#[repr(C)]
pub struct StaticMethodObject {
    pub ob_base: PyObject,
    pub sm_callable: ObjCell,
    pub sm_dict: ObjCell,
}
// SAFETY: by decree: the GIL orders all access.
unsafe impl Sync for StaticMethodObject {}

/// Copies the attributes that a wrapper takes over from what it wraps.
fn copy_wrapper_attributes(wrapper: &PyObject, wrapped: &PyObject) -> PyResult<()> {
    for name in [
        identifier!("__module__"),
        identifier!("__name__"),
        identifier!("__qualname__"),
        identifier!("__doc__"),
    ] {
        if let Some(value) = wrapped.get_attr_opt(name)? {
            attributes::generic_set_attr(wrapper, name, Some(&value))?;
        }
    }
    Ok(())
}

macro_rules! method_wrapper {
    ($object:ident, $callable:ident, $dict:ident) => {
        impl $object {
            fn callable(&self) -> PyResult {
                // SAFETY: an owned field or null.
                unsafe { Ref::from_borrowed_opt(self.$callable.get()) }.ok_or_else(|| {
                    raise!(
                        RuntimeError,
                        "uninitialized {} object",
                        self.as_object().ty().name()
                    )
                })
            }
            unsafe fn free(this: *mut Self) {
                // SAFETY: called once, by tp_dealloc.
                unsafe {
                    memory::gc::untrack(this.cast());
                    memory::xdecref((*this).$callable.replace(std::ptr::null_mut()));
                    memory::xdecref((*this).$dict.replace(std::ptr::null_mut()));
                    crate::types::free_instance(this.cast());
                }
            }
            fn forwarded(&self, name: &PyUnicodeObject) -> PyResult {
                if let Some(dict) = unsafe_dict(&self.$dict)
                    && let Some(own) = dict.get_str(name)
                {
                    return Ok(own);
                }
                let value = self.callable()?.get_attr(name)?;
                self.own_dict().set_str(name, &value)?;
                Ok(value)
            }
            fn own_dict(&self) -> Ref<PyDictObject> {
                if self.$dict.get().is_null() {
                    self.$dict.set(PyDictObject::new().into_object_raw());
                }
                // SAFETY: a dict, as just made sure.
                unsafe { Ref::from_borrowed(self.$dict.get().cast()) }
            }
            fn set_forwarded(&self, name: &PyUnicodeObject, value: Option<&PyObject>) -> PyResult<()> {
                match value {
                    Some(value) => self.own_dict().set_str(name, value),
                    None if self.own_dict().remove_str(name)? => Ok(()),
                    None => Err(raise!(AttributeError, value => name.as_object())),
                }
            }
            fn is_abstract(&self) -> PyResult {
                match self
                    .callable()?
                    .get_attr_opt(identifier!("__isabstractmethod__"))?
                {
                    Some(value) => Ok(py_bool(value.is_true()?)),
                    None => Ok(py_bool(false)),
                }
            }
        }
    };
}

fn unsafe_dict(field: &ObjCell) -> Option<&PyDictObject> {
    // SAFETY: a dict or null.
    unsafe { field.get().cast::<PyDictObject>().as_ref() }
}

method_wrapper!(ClassMethodObject, cm_callable, cm_dict);
method_wrapper!(StaticMethodObject, sm_callable, sm_dict);

#[pytype(
    name = "classmethod",
    static_name = PyClassMethod_Type,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(ClassMethodObject, cm_dict),
    members = [
        ("__func__", _Py_T_OBJECT, offset_of!(ClassMethodObject, cm_callable), Py_READONLY),
        ("__wrapped__", _Py_T_OBJECT, offset_of!(ClassMethodObject, cm_callable), Py_READONLY)
    ]
)]
/// Convert a function to be a class method, which receives the class as its first argument.
impl ClassMethodObject {
    #[new("(function, /)")]
    fn py_new(cls: &PyTypeObject, function: &PyObject) -> PyResult<Ref<ClassMethodObject>> {
        let _ = function;
        Ref::new_in(
            cls,
            ClassMethodObject {
                ob_base: memory::blank_header(),
                cm_callable: Cell::new(none_ref().into_raw()),
                cm_dict: Cell::new(std::ptr::null_mut()),
            },
        )
    }
    #[init("(function, /)")]
    fn py_init(&self, function: &PyObject) -> PyResult<()> {
        replace(&self.cm_callable, function.to_ref().into_raw());
        copy_wrapper_attributes(self.as_object(), function)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut ClassMethodObject) {
        // SAFETY: the slot's contract.
        unsafe { Self::free(this) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.cm_dict.get()) {
            0 => visitor.visit(self.cm_callable.get()),
            status => status,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        replace(&self.cm_dict, std::ptr::null_mut());
        replace(&self.cm_callable, std::ptr::null_mut());
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, owner: Option<&PyObject>) -> PyResult {
        let callable = self.callable()?;
        let class = match (owner, object) {
            (Some(owner), _) => owner,
            (None, Some(object)) => object.ty().as_object(),
            (None, None) => return Err(raise!(TypeError, "__get__(None, None) is invalid")),
        };
        crate::objects::classobject::new_method(&callable, class)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let repr = self.callable()?.repr()?;
        Ok(PyUnicodeObject::from_string(format!(
            "<classmethod({})>",
            repr.to_string_lossy()
        )))
    }
    #[getter(name = "__isabstractmethod__")]
    fn isabstractmethod(&self) -> PyResult {
        self.is_abstract()
    }
    #[getter(name = "__dict__")]
    fn dict(&self) -> Ref<PyDictObject> {
        self.own_dict()
    }
    #[getter(name = "__annotations__")]
    fn annotations(&self) -> PyResult {
        self.forwarded(identifier!("__annotations__"))
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.set_forwarded(identifier!("__annotations__"), value)
    }
    #[getter(name = "__annotate__")]
    fn annotate(&self) -> PyResult {
        self.forwarded(identifier!("__annotate__"))
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.set_forwarded(identifier!("__annotate__"), value)
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        crate::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

#[pytype(
    name = "staticmethod",
    static_name = PyStaticMethod_Type,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(StaticMethodObject, sm_dict),
    members = [
        ("__func__", _Py_T_OBJECT, offset_of!(StaticMethodObject, sm_callable), Py_READONLY),
        ("__wrapped__", _Py_T_OBJECT, offset_of!(StaticMethodObject, sm_callable), Py_READONLY)
    ]
)]
/// Convert a function to be a static method, which receives no implicit first argument.
impl StaticMethodObject {
    #[new("(function, /)")]
    fn py_new(cls: &PyTypeObject, function: &PyObject) -> PyResult<Ref<StaticMethodObject>> {
        let _ = function;
        Ref::new_in(
            cls,
            StaticMethodObject {
                ob_base: memory::blank_header(),
                sm_callable: Cell::new(none_ref().into_raw()),
                sm_dict: Cell::new(std::ptr::null_mut()),
            },
        )
    }
    #[init("(function, /)")]
    fn py_init(&self, function: &PyObject) -> PyResult<()> {
        replace(&self.sm_callable, function.to_ref().into_raw());
        copy_wrapper_attributes(self.as_object(), function)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut StaticMethodObject) {
        // SAFETY: the slot's contract.
        unsafe { Self::free(this) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.sm_dict.get()) {
            0 => visitor.visit(self.sm_callable.get()),
            status => status,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        replace(&self.sm_dict, std::ptr::null_mut());
        replace(&self.sm_callable, std::ptr::null_mut());
    }
    #[slot]
    fn tp_descr_get(&self, _object: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
        self.callable()
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        self.callable()?.call_tuple(args, kwargs)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let repr = self.callable()?.repr()?;
        Ok(PyUnicodeObject::from_string(format!(
            "<staticmethod({})>",
            repr.to_string_lossy()
        )))
    }
    #[getter(name = "__isabstractmethod__")]
    fn isabstractmethod(&self) -> PyResult {
        self.is_abstract()
    }
    #[getter(name = "__dict__")]
    fn dict(&self) -> Ref<PyDictObject> {
        self.own_dict()
    }
    #[getter(name = "__annotations__")]
    fn annotations(&self) -> PyResult {
        self.forwarded(identifier!("__annotations__"))
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.set_forwarded(identifier!("__annotations__"), value)
    }
    #[getter(name = "__annotate__")]
    fn annotate(&self) -> PyResult {
        self.forwarded(identifier!("__annotate__"))
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.set_forwarded(identifier!("__annotate__"), value)
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        crate::objects::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}

/// Whether `object` is a function written in Python.
pub fn is_python_function(object: &PyObject) -> bool {
    object.downcast_exact::<PyFunctionObject>().is_some()
}

/// `classmethod(function)`.
pub fn new_classmethod(function: &PyObject) -> PyResult {
    PyTypeObject::as_object(&PyClassMethod_Type).call1(function)
}

/// `staticmethod(function)`.
pub fn new_staticmethod(function: &PyObject) -> PyResult {
    PyTypeObject::as_object(&PyStaticMethod_Type).call1(function)
}
