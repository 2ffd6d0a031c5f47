//! Modules from definitions: what C's `PyModule_…` functions and the `#[pymodule]` attribute do. A `PyModuleDef` comes in;
//! a module with its functions, docstring and state goes out.

use crate::objects::methodobject::new_function;
use crate::objects::moduleobject::PyModuleDef_Type;
use crate::prelude::*;
use std::cell::RefCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicIsize, Ordering};

pub use crate::abi::PyModuleDef as ModuleDef;

/// Indices are given to definitions when they are first used; 0 is 'none yet'.
static NEXT_INDEX: AtomicIsize = AtomicIsize::new(1);

thread_local! {
    /// The full name of the extension module whose init function runs: single-phase modules know only their last part.
    static PACKAGE_CONTEXT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sets the full name for single-phase initialisation; returns the one before.
pub fn swap_package_context(name: Option<String>) -> Option<String> {
    PACKAGE_CONTEXT.replace(name)
}

fn resolve_name(name: &str) -> String {
    PACKAGE_CONTEXT.with_borrow_mut(|context| match context {
        Some(full) if full.rsplit('.').next() == Some(name) => context.take().unwrap_or_default(),
        _ => name.to_owned(),
    })
}

/// Adds an attribute.
pub fn add_object(module: &PyModuleObject, name: &str, value: Ref) -> PyResult<()> {
    module.add(name, value)
}

/// Readies a type and adds it under the last part of its name.
pub fn add_type(module: &PyModuleObject, ty: &'static PyTypeObject) -> PyResult<()> {
    crate::types::ready(ty)?;
    module.add(&ty.short_name(), ty.as_object().to_ref())
}

/// `PyModuleDef_Init`: makes the definition an object that the import system understands.
pub fn def_init(def: &'static ModuleDef) -> *mut PyObject {
    init_def(def);
    def.m_base.ob_base.as_ptr()
}

fn init_def(def: &ModuleDef) {
    let head = &def.m_base;
    if head.m_index.get() == 0 {
        head.m_index.set(NEXT_INDEX.fetch_add(1, Ordering::Relaxed));
        head.ob_base.set_immortal();
        head.ob_base.ob_type.set((&raw const PyModuleDef_Type).cast_mut());
    }
}

fn c_text(text: *const c_char) -> Option<String> {
    // SAFETY: definitions have C strings or NULL.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// The rows of a slot table up to its end.
fn slots_of(def: &ModuleDef) -> Vec<(c_int, *mut c_void)> {
    let mut rows = Vec::new();
    let mut row = def.m_slots.get();
    // SAFETY: a table is NULL or ends with a row whose slot is 0.
    unsafe {
        while !row.is_null() && (*row).slot.get() != 0 {
            rows.push(((*row).slot.get(), (*row).value.get()));
            row = row.add(1);
        }
    }
    rows
}

#[derive(Default)]
struct Plan {
    create: Option<*mut c_void>,
    has_exec: bool,
}

/// Checks a slot table.
fn plan(def: &ModuleDef, name: &str) -> PyResult<Plan> {
    let mut plan = Plan::default();
    let (mut has_interpreters, mut has_gil) = (false, false);
    for (slot, value) in slots_of(def) {
        match slot {
            Py_mod_create => {
                if plan.create.replace(value).is_some() {
                    return Err(raise!(SystemError, "module {name} has multiple create slots"));
                }
            }
            Py_mod_exec => plan.has_exec = true,
            Py_mod_multiple_interpreters => {
                if std::mem::replace(&mut has_interpreters, true) {
                    return Err(raise!(
                        SystemError,
                        "module {name} has more than one 'multiple interpreters' slots"
                    ));
                }
            }
            Py_mod_gil => {
                if std::mem::replace(&mut has_gil, true) {
                    return Err(raise!(SystemError, "module {name} has more than one 'gil' slot"));
                }
            }
            other => return Err(raise!(SystemError, "module {name} uses unknown slot ID {other}")),
        }
    }
    Ok(plan)
}

/// `PyModule_FromDefAndSpec`: the create phase of a module. The result may be any object when the definition has a
/// create slot.
pub fn from_def_and_spec(def: &ModuleDef, spec: &PyObject) -> PyResult {
    init_def(def);
    let name_object = spec.get_attr(identifier!("name"))?;
    let Some(name_text) = (*name_object).downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "expected str, got {}", name_object.ty().name()));
    };
    let name = name_text.to_str()?.to_owned();
    if def.m_size.get() < 0 {
        return Err(raise!(
            SystemError,
            "module {name}: m_size may not be negative for multi-phase initialization"
        ));
    }
    let plan = plan(def, &name)?;
    let object = match plan.create {
        Some(create) => call_create(create, spec, def, &name)?,
        None => PyModuleObject::with_name_object(&name_object)?.into_object(),
    };
    match (*object).downcast::<PyModuleObject>() {
        Some(module) => {
            module.md_state.set(std::ptr::null_mut());
            module.md_def.set((def as *const ModuleDef).cast_mut());
        }
        None => {
            let wants_state = def.m_size.get() > 0
                || def.m_traverse.get().is_some()
                || def.m_clear.get().is_some()
                || def.m_free.get().is_some();
            if wants_state {
                return Err(raise!(
                    SystemError,
                    "module {name} is not a module object, but requests module state"
                ));
            }
            if plan.has_exec {
                return Err(raise!(
                    SystemError,
                    "module {name} specifies execution slots, but did not create a ModuleType instance"
                ));
            }
        }
    }
    add_functions(&object, &name_object, def.m_methods.get())?;
    if let Some(doc) = c_text(def.m_doc.get()) {
        set_doc(&object, &doc)?;
    }
    Ok(object)
}

/// ImportError when the calling thread's interpreter refuses modules that cannot be in several interpreters.
pub fn check_extensions_allowed(name: &str) -> PyResult<()> {
    if !crate::thread::interpreter().checks_extensions() {
        return Ok(());
    }
    Err(raise!(
        ImportError,
        "module {name} does not support loading in subinterpreters"
    ))
}

/// As [`check_extensions_allowed`], for a module of several phases, whose definition says where it can be.
pub fn check_definition_allowed(def: &ModuleDef, name: &str) -> PyResult<()> {
    let interpreter = crate::thread::interpreter();
    if interpreter.is_main() {
        return Ok(());
    }
    let slots = slots_of(def);
    let said = slots
        .iter()
        .find(|(slot, _)| *slot == Py_mod_multiple_interpreters);
    // Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED, ..._SUPPORTED, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED.
    match said.map_or(1, |(_, value)| *value as usize) {
        0 => check_extensions_allowed(name),
        2 => Ok(()),
        _ if interpreter.allows(crate::thread::feature::OWN_GIL) => check_extensions_allowed(name),
        _ => Ok(()),
    }
}

fn call_create(create: *mut c_void, spec: &PyObject, def: &ModuleDef, name: &str) -> PyResult {
    type Create = unsafe extern "C" fn(*mut PyObject, *mut PyModuleDef) -> *mut PyObject;
    // SAFETY: the create slot's signature; it gives a new reference or NULL.
    let made = unsafe {
        let create = std::mem::transmute::<*mut c_void, Create>(create);
        Ref::from_owned_opt(create(spec.as_ptr(), (def as *const ModuleDef).cast_mut()))
    };
    match made {
        None if crate::error::occurred() => Err(Raised::assume()),
        None => Err(raise!(
            SystemError,
            "creation of module {name} failed without setting an exception"
        )),
        Some(_) if crate::error::occurred() => Err(raise_from(format!(
            "creation of module {name} raised unreported exception"
        ))),
        Some(object) => Ok(object),
    }
}

/// SystemError caused by the exception in flight.
pub fn raise_from(message: String) -> Raised {
    let cause = Raised::assume().take();
    let raised = raise!(SystemError, "{message}");
    crate::exceptions::set_cause_of_current(raised, cause)
}

/// Adds a table of functions to a module or to what stands for one.
pub fn add_functions(object: &PyObject, name: &PyObject, methods: *mut PyMethodDef) -> PyResult<()> {
    let mut row = methods;
    // SAFETY: a table is NULL or ends with a row without a name.
    while let Some(def) = unsafe { row.as_ref() }.filter(|def| !def.ml_name.get().is_null()) {
        if def.ml_flags.get() & (METH_CLASS | METH_STATIC) != 0 {
            return Err(raise!(
                ValueError,
                "module functions cannot set METH_CLASS or METH_STATIC"
            ));
        }
        let function = new_function(def, Some(object), Some(name))?;
        let function_name = c_text(def.ml_name.get()).unwrap_or_default();
        object.set_attr_str(&function_name, &function)?;
        // SAFETY: not the end yet.
        row = unsafe { row.add(1) };
    }
    Ok(())
}

/// `PyModule_SetDocString`.
pub fn set_doc(object: &PyObject, doc: &str) -> PyResult<()> {
    object.set_attr(identifier!("__doc__"), PyUnicodeObject::from_str(doc).as_object())
}

/// Gives the module zeroed state of the size that its definition asks for, unless it has state already.
fn alloc_state(module: &PyModuleObject, def: &ModuleDef) -> PyResult<()> {
    if def.m_size.get() < 0 || !module.md_state.get().is_null() {
        return Ok(());
    }
    let state = crate::memory::raw_calloc(def.m_size.get() as usize);
    if state.is_null() {
        return Err(crate::memory::no_memory());
    }
    module.md_state.set(state);
    Ok(())
}

/// `PyModule_ExecDef`: the exec phase.
pub fn exec_def(object: &PyObject, def: &ModuleDef) -> PyResult<()> {
    let name = module_name(object)?;
    if let Some(module) = object.downcast::<PyModuleObject>() {
        alloc_state(module, def)?;
    }
    type Exec = unsafe extern "C" fn(*mut PyObject) -> c_int;
    for (slot, value) in slots_of(def) {
        if slot != Py_mod_exec {
            continue;
        }
        // SAFETY: the exec slot's signature.
        let status = unsafe { std::mem::transmute::<*mut c_void, Exec>(value)(object.as_ptr()) };
        let occurred = crate::error::occurred();
        if status != 0 {
            if occurred {
                return Err(Raised::assume());
            }
            return Err(raise!(
                SystemError,
                "execution of module {name} failed without setting an exception"
            ));
        }
        if occurred {
            return Err(raise_from(format!(
                "execution of module {name} raised unreported exception"
            )));
        }
    }
    Ok(())
}

/// `PyModule_GetName` for a module; the type's name for what stands for one.
fn module_name(object: &PyObject) -> PyResult<String> {
    match object.downcast::<PyModuleObject>() {
        Some(module) => Ok(module.name()?.to_string_lossy()),
        None => Ok(object.ty().name()),
    }
}

/// `PyModule_Create2`: a module by single-phase initialisation.
pub fn create(def: &'static ModuleDef) -> PyResult<Ref<PyModuleObject>> {
    init_def(def);
    let name = c_text(def.m_name.get()).unwrap_or_default();
    // SAFETY: a slot table is NULL or has at least its end row.
    if unsafe { def.m_slots.get().as_ref() }.is_some() {
        return Err(raise!(
            SystemError,
            "module {name}: PyModule_Create is incompatible with m_slots"
        ));
    }
    let name = resolve_name(&name);
    let name_object = PyUnicodeObject::from_str(&name).into_object();
    let module = PyModuleObject::with_name_object(&name_object)?;
    if def.m_size.get() > 0 {
        alloc_state(&module, def)?;
    }
    add_functions(module.as_object(), &name_object, def.m_methods.get())?;
    if let Some(doc) = c_text(def.m_doc.get()) {
        set_doc(module.as_object(), &doc)?;
    }
    module.md_def.set((def as *const ModuleDef).cast_mut());
    Ok(module)
}

/// Both phases of one of our own modules, without an import: for modules that must be there before importlib is.
pub fn load_builtin(def: &'static ModuleDef, spec: &PyObject) -> PyResult {
    let module = from_def_and_spec(def, spec)?;
    exec_def(&module, def)?;
    Ok(module)
}

/// As `load_builtin`, with no spec: the name is the definition's.
pub fn load_without_spec(def: &'static ModuleDef) -> PyResult<Ref<PyModuleObject>> {
    init_def(def);
    let name = PyUnicodeObject::from_string(c_text(def.m_name.get()).unwrap_or_default()).into_object();
    let module = PyModuleObject::with_name_object(&name)?;
    module.md_def.set((def as *const ModuleDef).cast_mut());
    add_functions(module.as_object(), &name, def.m_methods.get())?;
    if let Some(doc) = c_text(def.m_doc.get()) {
        set_doc(module.as_object(), &doc)?;
    }
    exec_def(module.as_object(), def)?;
    Ok(module)
}

/// A name of the builtins of the innermost frame, for `__reduce__` methods.
pub fn builtin(name: &str) -> PyResult {
    let Some(builtins) = crate::hooks::get().and_then(|hooks| (hooks.current_builtins)()) else {
        return crate::hooks::import_module("builtins")?.get_attr_str(name);
    };
    let key = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
    let found = match builtins.as_object().downcast::<PyDictObject>() {
        Some(dict) => dict.get(key.as_object())?,
        None => match builtins.get_item(key.as_object()) {
            Ok(found) => Some(found),
            Err(raised) => {
                raised.clear_if(crate::exceptions::exc::KeyError)?;
                None
            }
        },
    };
    found.ok_or_else(|| raise!(AttributeError, "{name}"))
}
