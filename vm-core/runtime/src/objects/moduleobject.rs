//! Modules: their dict, `__getattr__` (PEP 562), annotations, and the messages for attributes that are not there.

use crate::exceptions::exc;
use crate::exceptions::layout::{load, store};
use crate::hooks;
use crate::memory::{Visitor, gc, raw_free};
use crate::prelude::*;
use crate::protocol::attributes::{attribute_name, generic_get_attr_opt};
use crate::types::heap::{allocate_instance, free_instance};
use std::mem::offset_of;
use std::sync::RwLock;

/// The marker of `moduledef`, the type of module definitions.
#[repr(transparent)]
pub struct ModuleDefMarker(PyModuleDef);

#[pytype(name = "moduledef", static_name = PyModuleDef_Type, dealloc = inherit, flags = DISALLOW_INSTANTIATION)]
impl ModuleDefMarker {}

/// What `sys.path[0]` was at start: a module there may shadow one of the standard library.
static SYS_PATH_0: RwLock<Option<std::ffi::OsString>> = RwLock::new(None);

/// Tells what `sys.path[0]` is at start; `None` when nothing of the script's is put there.
pub fn set_sys_path_0(path: Option<std::ffi::OsString>) {
    *SYS_PATH_0
        .write()
        .unwrap_or_else(|poisoned| poisoned.into_inner()) = path;
}

/// Whether a module file lies where the script's own modules do, so that it may hide a library's module.
pub fn is_possibly_shadowing(origin: &str) -> bool {
    let guard = SYS_PATH_0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(sys_path_0) = guard.as_deref() else {
        return false;
    };
    let Some((mut root, file)) = origin.rsplit_once('/') else {
        return false;
    };
    if file == "__init__.py" {
        let Some((parent, _)) = root.rsplit_once('/') else {
            return false;
        };
        root = parent;
    }
    if sys_path_0.is_empty() {
        return std::env::current_dir().is_ok_and(|dir| dir.as_os_str() == root);
    }
    sys_path_0 == root
}

/// `spec.name` as truth; `false` when it is missing.
fn spec_flag(spec: &PyObject, name: &'static PyUnicodeObject) -> PyResult<bool> {
    match spec.get_attr_opt(name)? {
        Some(value) => value.is_true(),
        None => Ok(false),
    }
}

/// Whether a module is still being imported.
pub fn is_initializing(spec: &PyObject) -> PyResult<bool> {
    if is_none(spec) {
        Ok(false)
    } else {
        spec_flag(spec, identifier!("_initializing"))
    }
}

/// The file that a spec says its module is from.
pub fn file_origin(spec: &PyObject) -> PyResult<Option<Ref<PyUnicodeObject>>> {
    if !spec_flag(spec, identifier!("has_location"))? {
        return Ok(None);
    }
    Ok(spec
        .get_attr_opt(identifier!("origin"))?
        .and_then(|origin| origin.downcast::<PyUnicodeObject>().ok()))
}

/// Whether `sys.stdlib_module_names` has the name.
pub fn is_stdlib_name(name: &PyObject) -> PyResult<bool> {
    if hooks::get().is_none() {
        return Ok(false);
    }
    let sys = hooks::import_module("sys")?;
    match sys.get_attr_opt(identifier!("stdlib_module_names"))? {
        Some(names) if PySetObject::check(&names) || is_frozenset(&names) => names.contains(name),
        _ => Ok(false),
    }
}

fn is_frozenset(object: &PyObject) -> bool {
    object.ty().full_name() == "frozenset"
}

/// The message for a missing attribute of a module with a spec.
fn missing_with_spec(
    module_name: &PyUnicodeObject,
    name: &PyUnicodeObject,
    spec: &PyObject,
) -> PyResult<String> {
    let origin = file_origin(spec)?.map(|origin| origin.to_string_lossy());
    let (module, attribute) = (module_name.to_string_lossy(), name.to_string_lossy());
    let shadowing = origin.as_deref().is_some_and(is_possibly_shadowing);
    let plain = format!("module '{module}' has no attribute '{attribute}'");
    let origin_text = origin.as_deref().unwrap_or_default();
    if shadowing && is_stdlib_name(module_name.as_object())? {
        return Ok(format!(
            "{plain} (consider renaming '{origin_text}' since it has the same name as the standard library module named \
             '{module}' and prevents importing that standard library module)"
        ));
    }
    if is_initializing(spec)? {
        return Ok(match origin {
            Some(_) if shadowing => format!(
                "{plain} (consider renaming '{origin_text}' if it has the same name as a library you intended to import)"
            ),
            Some(_) => format!(
                "partially initialized module '{module}' from '{origin_text}' has no attribute '{attribute}' (most likely \
                 due to a circular import)"
            ),
            None => format!(
                "partially initialized module '{module}' has no attribute '{attribute}' (most likely due to a circular \
                 import)"
            ),
        });
    }
    if let Some(pending) = spec.get_attr_opt(identifier!("_uninitialized_submodules"))?
        && pending.contains(name.as_object())?
    {
        return Ok(format!(
            "cannot access submodule '{attribute}' of module '{module}' (most likely due to a circular import)"
        ));
    }
    Ok(plain)
}

/// The getters and setters find the module's own dict.
fn require_dict(module: &PyModuleObject) -> PyResult<Ref<PyDictObject>> {
    match module
        .as_object()
        .get_attr(identifier!("__dict__"))?
        .downcast::<PyDictObject>()
    {
        Ok(dict) => Ok(dict),
        Err(_) => Err(raise!(TypeError, "<module>.__dict__ is not a dictionary")),
    }
}

/// A module.
#[pytype(
    name = "module",
    static_name = PyModule_Type,
    flags = BASETYPE | HAVE_GC,
    dictoffset = offset_of!(PyModuleObject, md_dict),
    weaklistoffset = offset_of!(PyModuleObject, md_weaklist),
    members = [("__dict__", _Py_T_OBJECT, offset_of!(PyModuleObject, md_dict), Py_READONLY)],
    slots = [tp_getattro = module_getattro, tp_dealloc = module_dealloc],
    doc = "The type of modules: module(name, doc=None).",
)]
impl PyModuleObject {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let object = allocate_instance(cls, 0)?;
        // SAFETY: a module type's instance.
        let module = unsafe { object.cast_unchecked::<PyModuleObject>() };
        store(&module.md_dict, Some(PyDictObject::new().into_object()));
        Ok(object)
    }
    #[init("(name, doc=None)")]
    fn init(&self, name: &PyUnicodeObject, doc: Option<&PyObject>) -> PyResult<()> {
        if self.md_dict.get().is_null() {
            store(&self.md_dict, Some(PyDictObject::new().into_object()));
        }
        self.set_up(name.as_object(), doc)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        if hooks::get().is_some() {
            let importlib = hooks::import_module("_frozen_importlib")?;
            return importlib.call_method(identifier!("_module_repr"), &[self.as_object()]);
        }
        let name = self.name()?.as_object().repr()?.to_string_lossy();
        Ok(PyUnicodeObject::from_string(format!("<module {name}>")).into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        if let Some(def) = self.def_with_state()
            && let Some(traverse) = def.m_traverse.get()
        {
            // SAFETY: the definition's own function, on its module.
            let status = unsafe { traverse(self.as_object().as_ptr(), visitor.visit, visitor.arg) };
            if status != 0 {
                return status;
            }
        }
        visitor.visit(self.md_dict.get())
    }
    #[slot]
    fn tp_clear(&self) -> PyResult<()> {
        if let Some(def) = self.def_with_state()
            && let Some(clear) = def.m_clear.get()
        {
            // SAFETY: the definition's own function, on its module.
            if unsafe { clear(self.as_object().as_ptr()) } != 0 {
                return Err(Raised::from_c("m_clear"));
            }
        }
        store(&self.md_dict, None);
        Ok(())
    }

    /// The names of the module's attributes.
    #[method("($self, /)")]
    fn __dir__(&self) -> PyResult {
        let dict = require_dict(self)?;
        match dict.get_str(identifier!("__dir__")) {
            Some(function) => function.call0(),
            None => {
                let names = PyListObject::new();
                let mut position = 0;
                while let Some((name, _, _)) = dict.next_entry(&mut position) {
                    names.push(name.to_ref());
                }
                Ok(names.into_object())
            }
        }
    }

    #[getter(name = "__annotations__")]
    fn annotations(&self) -> PyResult {
        let dict = require_dict(self)?;
        if let Some(annotations) = dict.get_str(identifier!("__annotations__")) {
            return Ok(annotations);
        }
        let initializing = match dict.get_str(identifier!("__spec__")) {
            Some(spec) => is_initializing(&spec)?,
            None => false,
        };
        let annotate = dict.get_str(identifier!("__annotate__"));
        let annotations = match annotate.filter(|annotate| annotate.is_callable()) {
            Some(annotate) => {
                let one = PyLongObject::from_i64(1);
                let annotations = annotate.call1(one.as_object())?;
                if !PyDictObject::check(&annotations) {
                    let found = annotations.ty().full_name();
                    return Err(raise!(
                        TypeError,
                        "__annotate__ returned non-dict of type '{found}'"
                    ));
                }
                annotations
            }
            None => PyDictObject::new().into_object(),
        };
        // While the module is being imported, more annotations may come.
        if !initializing {
            dict.set_str(identifier!("__annotations__"), &annotations)?;
        }
        Ok(annotations)
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(&self, value: Option<&PyObject>) -> PyResult<()> {
        let dict = require_dict(self)?;
        match value {
            Some(value) => dict.set_str(identifier!("__annotations__"), value)?,
            None => {
                if !dict.remove(identifier!("__annotations__").as_object())? {
                    return Err(raise!(AttributeError, "__annotations__"));
                }
            }
        }
        dict.remove(identifier!("__annotate__").as_object())?;
        Ok(())
    }
    #[getter(name = "__annotate__")]
    fn annotate(&self) -> PyResult {
        let dict = require_dict(self)?;
        if let Some(annotate) = dict.get_str(identifier!("__annotate__")) {
            return Ok(annotate);
        }
        dict.set_str(identifier!("__annotate__"), none())?;
        Ok(none_ref())
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "cannot delete __annotate__ attribute"));
        };
        if !is_none(value) && !value.is_callable() {
            return Err(raise!(TypeError, "__annotate__ must be callable or None"));
        }
        let dict = require_dict(self)?;
        dict.set_str(identifier!("__annotate__"), value)?;
        if !is_none(value) {
            dict.remove(identifier!("__annotations__").as_object())?;
        }
        Ok(())
    }
}

impl PyModuleObject {
    /// A new module, with `__name__` and the other names that every module has.
    pub fn new(name: &str) -> PyResult<Ref<PyModuleObject>> {
        PyModuleObject::with_name_object(PyUnicodeObject::from_str(name).as_object())
    }
    /// As `new`.
    pub fn with_name_object(name: &PyObject) -> PyResult<Ref<PyModuleObject>> {
        let object = allocate_instance(&PyModule_Type, 0)?;
        // SAFETY: a module type's instance.
        let module: Ref<PyModuleObject> = unsafe { object.cast() };
        store(&module.md_dict, Some(PyDictObject::new().into_object()));
        module.set_up(name, None)?;
        Ok(module)
    }

    fn set_up(&self, name: &PyObject, doc: Option<&PyObject>) -> PyResult<()> {
        let dict = self.dict();
        dict.set_str(identifier!("__name__"), name)?;
        dict.set_str(identifier!("__doc__"), doc.unwrap_or(none()))?;
        dict.set_str(identifier!("__package__"), none())?;
        dict.set_str(identifier!("__loader__"), none())?;
        dict.set_str(identifier!("__spec__"), none())?;
        if name.downcast_exact::<PyUnicodeObject>().is_some() {
            store(&self.md_name, Some(name.to_ref()));
        }
        Ok(())
    }

    /// The module's namespace, while it has one.
    #[inline(always)]
    pub fn dict_if_any(&self) -> Option<&PyDictObject> {
        // SAFETY: null or a dict, which the module keeps.
        unsafe { self.md_dict.get().cast::<PyDictObject>().as_ref() }
    }
    /// The module's namespace. A module that the collector has cleared gets an empty one.
    pub fn dict(&self) -> &PyDictObject {
        if self.md_dict.get().is_null() {
            store(&self.md_dict, Some(PyDictObject::new().into_object()));
        }
        // SAFETY: a dict, which the module keeps.
        unsafe { &*self.md_dict.get().cast::<PyDictObject>() }
    }
    /// Adds an attribute.
    pub fn add(&self, name: &str, value: Ref) -> PyResult<()> {
        let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
        self.dict().set_str(&name, &value)
    }
    /// An attribute of the namespace.
    pub fn get(&self, name: &PyUnicodeObject) -> Option<Ref> {
        self.dict().get_str(name)
    }
    /// `__name__`: `PyModule_GetNameObject`.
    pub fn name(&self) -> PyResult<Ref<PyUnicodeObject>> {
        match self
            .dict()
            .get_str(identifier!("__name__"))
            .map(Ref::downcast::<PyUnicodeObject>)
        {
            Some(Ok(name)) => Ok(name),
            _ => Err(raise!(SystemError, "nameless module")),
        }
    }
    /// `__file__`: `PyModule_GetFilenameObject`.
    pub fn filename(&self) -> PyResult<Ref<PyUnicodeObject>> {
        match self
            .dict()
            .get_str(identifier!("__file__"))
            .map(Ref::downcast::<PyUnicodeObject>)
        {
            Some(Ok(name)) => Ok(name),
            _ => Err(raise!(SystemError, "module filename missing")),
        }
    }
    /// The definition that the module was made from.
    pub fn def(&self) -> Option<&PyModuleDef> {
        // SAFETY: a definition outlives its modules.
        unsafe { self.md_def.get().as_ref() }
    }
    /// The memory that the definition asked for.
    pub fn state(&self) -> *mut c_void {
        self.md_state.get()
    }
    /// The definition, when its functions may be called: not before the state that they use is there.
    fn def_with_state(&self) -> Option<&PyModuleDef> {
        self.def()
            .filter(|def| def.m_size.get() <= 0 || !self.md_state.get().is_null())
    }

    /// An attribute; `None` in place of AttributeError.
    pub fn get_module_attr_opt(&self, name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
        if let Some(found) = generic_get_attr_opt(self.as_object(), name, None)? {
            return Ok(Some(found));
        }
        let Some(function) = self.dict().get_str(identifier!("__getattr__")) else {
            return Ok(None);
        };
        match function.call1(name.as_object()) {
            Ok(found) => Ok(Some(found)),
            Err(raised) => raised.clear_if(exc::AttributeError).map(|()| None),
        }
    }

    /// An attribute, with the message that helps most when it is missing.
    pub fn get_module_attr(&self, name: &PyUnicodeObject) -> PyResult {
        if let Some(found) = generic_get_attr_opt(self.as_object(), name, None)? {
            return Ok(found);
        }
        match self.dict().get_str(identifier!("__getattr__")) {
            Some(function) => function.call1(name.as_object()),
            None => Err(self.missing(name)),
        }
    }

    #[cold]
    fn missing(&self, name: &PyUnicodeObject) -> Raised {
        let dict = self.dict();
        let module_name = dict
            .get_str(identifier!("__name__"))
            .map(Ref::downcast::<PyUnicodeObject>);
        let message = match (module_name, dict.get_str(identifier!("__spec__"))) {
            (Some(Ok(module_name)), Some(spec)) => missing_with_spec(&module_name, name, &spec),
            (Some(Ok(module_name)), None) => Ok(format!(
                "module '{}' has no attribute '{}'",
                module_name.to_string_lossy(),
                name.to_string_lossy()
            )),
            _ => Ok(format!("module has no attribute '{}'", name.to_string_lossy())),
        };
        match message {
            Ok(message) => {
                let raised = raise!(AttributeError, "{message}");
                crate::protocol::attributes::with_attribute_context(raised, self.as_object(), name)
            }
            Err(raised) => raised,
        }
    }
}

/// The module type's `tp_getattro`.
///
/// # Safety
/// The slot's contract: a module and a name.
pub unsafe extern "C" fn module_getattro(module: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: the caller's contract.
        let (module, name) = unsafe { (&*module.cast::<PyModuleObject>(), &*name) };
        module.get_module_attr(attribute_name(name)?)
    })
}

unsafe extern "C" fn module_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead module; what it owned is given back once.
    unsafe {
        gc::untrack(object);
        let module = &*object.cast::<PyModuleObject>();
        crate::objects::weakrefobject::clear_weakrefs(&*object);
        if let Some(def) = module.def_with_state()
            && let Some(free) = def.m_free.get()
        {
            free(object.cast());
        }
        store(&module.md_dict, None);
        store(&module.md_name, None);
        let state = module.md_state.replace(std::ptr::null_mut());
        if !state.is_null() {
            raw_free(state);
        }
        free_instance(object);
    }
}

/// The module's `__spec__`, if it has one.
pub fn spec_of(module: &PyModuleObject) -> Option<Ref> {
    module
        .dict()
        .get_str(identifier!("__spec__"))
        .filter(|spec| !is_none(spec))
}

/// `md_name`: the name that the module was made with, as C code asks for it without an exception.
pub fn initial_name(module: &PyModuleObject) -> Option<Ref> {
    load(&module.md_name)
}
