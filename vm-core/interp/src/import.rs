//! The import statement, `__import__`, and the native half of importlib: the `_imp` module.

use crate::frame::Frame;
use crate::state::{self, GilCell};
use adder_pylib::{FROZEN, FrozenModule};
use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::module;
use adder_runtime::prelude::*;
use std::sync::OnceLock;

/// A native module: its name, and what C calls to initialise it.
pub type ModuleInit = (&'static str, unsafe extern "C" fn() -> *mut PyObject);

/// The table of built-in modules.
static INITTAB: GilCell<Vec<ModuleInit>> = GilCell::new(Vec::new());

/// Adds to the table of built-in modules; done before `initialize`.
pub fn extend_inittab(modules: &[ModuleInit]) {
    INITTAB.with(|table| table.extend_from_slice(modules));
}

pub fn builtin_module_names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = INITTAB.with(|table| table.iter().map(|row| row.0).collect());
    names.extend(["builtins", "sys"]);
    names.sort_unstable();
    names.dedup();
    names
}

/// Loads a shared object: set by the C API. Arguments: the spec and the file name.
pub static DYNAMIC_LOADER: OnceLock<fn(&PyObject, &PyObject) -> PyResult> = OnceLock::new();

/// Forgets what is kept of a single-phase extension module, by name and path: set by the C API, for tests.
pub static FORGET_EXTENSION: OnceLock<fn(&str, &str)> = OnceLock::new();

/// `sys.modules`.
pub fn modules() -> PyResult<Ref> {
    let found = state::sys_dict().and_then(|dict| dict.get_str(identifier!("modules")));
    found.ok_or_else(|| raise!(RuntimeError, "lost sys.modules"))
}

/// A module that has been imported.
pub fn loaded_module(name: &PyUnicodeObject) -> Option<Ref> {
    let modules = modules().map_err(Raised::clear).ok()?;
    match get_module(&modules, name.as_object()) {
        Ok(module) => module.filter(|module| !is_none(module)),
        Err(raised) => {
            raised.clear();
            None
        }
    }
}

pub fn get_module(modules: &PyObject, name: &PyObject) -> PyResult<Option<Ref>> {
    if let Some(dict) = modules.downcast_exact::<PyDictObject>() {
        return dict.get(name);
    }
    match modules.get_item(name) {
        Ok(module) => Ok(Some(module)),
        Err(raised) => raised.clear_if(exc::KeyError).map(|()| None),
    }
}

/// IMPORT_NAME.
pub fn import_name(
    frame: *mut Frame,
    name: &PyUnicodeObject,
    fromlist: &PyObject,
    level: &PyObject,
) -> PyResult {
    // SAFETY: the running frame.
    let (globals, builtins, locals) =
        unsafe { ((*frame).globals(), &*(*frame).builtins, (*frame).locals.as_ref()) };
    let function = match builtins.downcast::<PyDictObject>() {
        Some(dict) => dict.get_str(identifier!("__import__")),
        None => builtins
            .get_item(identifier!("__import__").as_object())
            .map_err(Raised::clear)
            .ok(),
    };
    let Some(function) = function else {
        return Err(raise!(ImportError, "__import__ not found"));
    };
    let own = state::IMPORT_FUNCTION.with(|own| own.as_ref().is_some_and(|own| own.is(&function)));
    if own {
        let level = match level.downcast::<PyLongObject>() {
            Some(level) => level.as_i64()?,
            None => 0,
        };
        return import_module_level(name.as_object(), Some(globals.as_object()), fromlist, level);
    }
    function.call(&[
        name.as_object(),
        globals.as_object(),
        locals.unwrap_or(none()),
        fromlist,
        level,
    ])
}

/// The full name of a relative import.
fn resolve_name(name: &PyUnicodeObject, globals: &PyObject, level: i64) -> PyResult<Ref<PyUnicodeObject>> {
    let Some(globals) = globals.downcast::<PyDictObject>() else {
        return Err(raise!(TypeError, "globals must be a dict"));
    };
    let mut package = globals
        .get_str(identifier!("__package__"))
        .filter(|package| !is_none(package));
    let spec = globals
        .get_str(identifier!("__spec__"))
        .filter(|spec| !is_none(spec));
    if let Some(package) = &package {
        if !PyUnicodeObject::check(package) {
            return Err(raise!(TypeError, "package must be a string"));
        }
        if let Some(spec) = &spec {
            let parent = spec.get_attr(identifier!("parent"))?;
            if !package.eq(&parent)? {
                let message = "__package__ != __spec__.parent";
                adder_runtime::hooks::warn(exc::DeprecationWarning, message, 1)?;
            }
        }
    } else if let Some(spec) = &spec {
        let parent = spec.get_attr(identifier!("parent"))?;
        if !PyUnicodeObject::check(&parent) {
            return Err(raise!(TypeError, "__spec__.parent must be a string"));
        }
        package = Some(parent);
    } else {
        let message =
            "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__";
        adder_runtime::hooks::warn(exc::ImportWarning, message, 1)?;
        let Some(own) = globals.get_str(identifier!("__name__")) else {
            return Err(raise!(KeyError, "'__name__' not in globals"));
        };
        let Ok(own) = own.downcast::<PyUnicodeObject>() else {
            return Err(raise!(TypeError, "__name__ must be a string"));
        };
        package = if globals.get_str(identifier!("__path__")).is_some() {
            Some(own.into_object())
        } else {
            let text = own.to_string_lossy();
            let parent = text.rsplit_once('.').map_or("", |(parent, _)| parent);
            Some(PyUnicodeObject::from_str(parent).into_object())
        };
    }
    let package = package.map(|package| package.str()).transpose()?;
    let package = package
        .map(|package| package.to_string_lossy())
        .unwrap_or_default();
    if package.is_empty() {
        return Err(raise!(
            ImportError,
            "attempted relative import with no known parent package"
        ));
    }
    let mut base = package.as_str();
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((parent, _)) => base = parent,
            None => {
                return Err(raise!(
                    ImportError,
                    "attempted relative import beyond top-level package"
                ));
            }
        }
    }
    let name = name.to_string_lossy();
    let full = if name.is_empty() {
        base.to_owned()
    } else {
        format!("{base}.{name}")
    };
    Ok(PyUnicodeObject::intern(PyUnicodeObject::from_string(full)))
}

fn importlib() -> PyResult {
    state::IMPORTLIB
        .get()
        .ok_or_else(|| raise!(ImportError, "importlib is not initialized"))
}

/// Waits for another thread that is importing the module; whether there was one.
fn ensure_initialized(module: &PyObject, name: &PyObject) -> PyResult<bool> {
    let Some(spec) = module.get_attr_opt(identifier!("__spec__"))? else {
        return Ok(false);
    };
    if is_none(&spec) || !adder_runtime::objects::moduleobject::is_initializing(&spec)? {
        return Ok(false);
    }
    importlib()?.call_method(identifier!("_lock_unlock_module"), &[name])?;
    Ok(true)
}

/// Imports a module by its full name and returns it.
pub fn import_full(name: &PyObject) -> PyResult {
    let modules = modules()?;
    if let Some(module) = get_module(&modules, name)?
        && !is_none(&module)
    {
        // An import that failed meanwhile has taken the module out again: it is tried anew.
        let is_there = |other: Option<Ref>| other.is_some_and(|other| other.is(&module));
        if !ensure_initialized(&module, name)? || is_there(get_module(&modules, name)?) {
            if crate::pylifecycle::config().import_time > 1 {
                crate::importtime::cached(name);
            }
            return Ok(module);
        }
    }
    let Some(importlib) = state::IMPORTLIB.get() else {
        return import_early(name);
    };
    if get_module(&modules, name)?.is_some() || PyUnicodeObject::check(name) {
        let function = import_function()?;
        let find = || importlib.call_method(identifier!("_find_and_load"), &[name, &function]);
        let found = match crate::pylifecycle::config().import_time {
            0 => find(),
            _ => crate::importtime::timed(name, find),
        };
        return found.map_err(without_importlib_frames);
    }
    Err(raise!(TypeError, "module name must be a string"))
}

/// Takes the import machinery's own entries out of the traceback of the exception in flight: of an ImportError all, of
/// others those that only pass the exception on.
#[cold]
fn without_importlib_frames(raised: Raised) -> Raised {
    if crate::pylifecycle::config().verbose > 0 {
        return raised;
    }
    let exception = raised.take();
    let always = exception.is_instance_of(exc::ImportError);
    let Some(traceback) = crate::errors::traceback_of(&exception) else {
        return adder_runtime::error::restore(exception);
    };
    let mut entries: Vec<Ref<PyTracebackObject>> = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    let (mut inside, mut chunk_start) = (false, 0);
    let mut next = traceback.downcast::<PyTracebackObject>().ok();
    while let Some(entry) = next {
        next = entry.next().map(TypedObject::to_ref);
        let index = entries.len();
        let (file, name) = crate::traceback::place_of(&entry);
        let internal =
            file == "<frozen importlib._bootstrap>" || file == "<frozen importlib._bootstrap_external>";
        if internal && !inside {
            chunk_start = kept.len();
        }
        inside = internal;
        kept.push(index);
        if inside && (always || name == "_call_with_frames_removed") {
            kept.truncate(chunk_start);
        }
        entries.push(entry);
    }
    if kept.len() != entries.len() {
        let mut rest: Option<Ref<PyTracebackObject>> = None;
        for index in kept.into_iter().rev() {
            let entry = entries[index].clone();
            let raw = rest.map_or(std::ptr::null_mut(), Ref::into_raw);
            let old = entry.tb_next.replace(raw);
            // SAFETY: the field owned it.
            drop(unsafe { Ref::from_owned_opt(old) });
            rest = Some(entry);
        }
        crate::errors::set_traceback(&exception, rest.map(Ref::into_object));
    }
    adder_runtime::error::restore(exception)
}

fn import_function() -> PyResult {
    state::IMPORT_FUNCTION
        .get()
        .ok_or_else(|| raise!(ImportError, "__import__ not found"))
}

/// Before importlib is there, only built-in modules can be imported.
fn import_early(name: &PyObject) -> PyResult {
    let text = name.str()?.to_string_lossy();
    match load_builtin(&text)? {
        Some(module) => {
            modules()?.set_item(name, &module)?;
            Ok(module)
        }
        None => Err(raise!(ModuleNotFoundError, "No module named '{text}'")),
    }
}

/// Makes and runs a built-in module without a spec.
pub fn load_builtin(name: &str) -> PyResult<Option<Ref>> {
    let init = INITTAB.with(|table| table.iter().find(|row| row.0 == name).map(|row| row.1));
    let Some(init) = init else { return Ok(None) };
    // SAFETY: the table's functions are module init functions.
    let made =
        unsafe { Ref::from_owned_opt(init()) }.ok_or_else(|| Raised::from_c("a module's init function"))?;
    let definition = made.as_raw().cast::<PyModuleDef>();
    if std::ptr::eq(made.ty(), &adder_runtime::objects::moduleobject::PyModuleDef_Type) {
        // SAFETY: definitions are static.
        return Ok(Some(
            module::load_without_spec(unsafe { &*definition })?.into_object(),
        ));
    }
    Ok(Some(made))
}

/// `__import__(name, globals, None, fromlist, level)`.
pub fn import_module_level(
    name: &PyObject,
    globals: Option<&PyObject>,
    fromlist: &PyObject,
    level: i64,
) -> PyResult {
    let Some(name_text) = name.downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "module name must be a string"));
    };
    if level < 0 {
        return Err(raise!(ValueError, "level must be >= 0"));
    }
    let full = if level > 0 {
        let Some(globals) = globals.filter(|globals| !is_none(globals)) else {
            return Err(raise!(KeyError, "'__name__' not in globals"));
        };
        resolve_name(name_text, globals, level)?
    } else {
        if name_text.len() == 0 {
            return Err(raise!(ValueError, "Empty module name"));
        }
        name_text.to_ref()
    };
    let module = import_full(full.as_object())?;
    let has_fromlist = !is_none(fromlist) && fromlist.is_true()?;
    if has_fromlist {
        if module.get_attr_opt(identifier!("__path__"))?.is_some() {
            let import = import_function()?;
            return importlib()?
                .call_method(identifier!("_handle_fromlist"), &[&module, fromlist, &import])
                .map_err(without_importlib_frames);
        }
        return Ok(module);
    }
    let text = name_text.to_string_lossy();
    let Some((front, _)) = text.split_once('.') else {
        return Ok(module);
    };
    if level == 0 {
        let front = PyUnicodeObject::intern(PyUnicodeObject::from_str(front));
        return import_full(front.as_object());
    }
    if text.is_empty() {
        return Ok(module);
    }
    let cut = text.len() - front.len();
    let full_text = full.to_string_lossy();
    let front = PyUnicodeObject::from_str(&full_text[..full_text.len() - cut]);
    match get_module(&*modules()?, front.as_object())? {
        Some(module) => Ok(module),
        None => Err(raise!(
            KeyError,
            "'{}' not in sys.modules as expected",
            front.to_string_lossy()
        )),
    }
}

/// IMPORT_FROM.
pub fn import_from(module: &PyObject, name: &PyUnicodeObject) -> PyResult {
    if let Some(value) = module.get_attr_opt(name)? {
        return Ok(value);
    }
    // In a circular import the submodule may be in sys.modules before it is an attribute.
    let package = module
        .get_attr_opt(identifier!("__name__"))?
        .filter(|package| PyUnicodeObject::check(package));
    if let Some(package) = &package {
        let full = format!("{}.{}", package.str()?.to_string_lossy(), name.to_string_lossy());
        let full = PyUnicodeObject::from_string(full);
        if let Some(found) = get_module(&*modules()?, full.as_object())? {
            return Ok(found);
        }
    }
    Err(cannot_import(module, name, package)?)
}

#[cold]
fn cannot_import(module: &PyObject, name: &PyUnicodeObject, package: Option<Ref>) -> PyResult<Raised> {
    let name_text = name.to_string_lossy();
    let package_text = match &package {
        Some(package) => package.str()?.to_string_lossy(),
        None => "<unknown module name>".to_owned(),
    };
    let spec = module
        .get_attr_opt(identifier!("__spec__"))?
        .filter(|spec| !is_none(spec));
    let origin = match &spec {
        Some(spec) => adder_runtime::objects::moduleobject::file_origin(spec)?,
        None => None,
    };
    let origin = match origin {
        Some(origin) => Some(origin.into_object()),
        None => module
            .get_attr_opt(identifier!("__file__"))?
            .filter(|file| PyUnicodeObject::check(file)),
    };
    let place = match &origin {
        Some(origin) => origin.str()?.to_string_lossy(),
        None => "unknown location".to_owned(),
    };
    let initializing = match &spec {
        Some(spec) => adder_runtime::objects::moduleobject::is_initializing(spec)?,
        None => false,
    };
    let shadowing = origin
        .as_ref()
        .is_some_and(|_| adder_runtime::objects::moduleobject::is_possibly_shadowing(&place));
    let shadows_library = match &package {
        Some(package) if shadowing => adder_runtime::objects::moduleobject::is_stdlib_name(package)?,
        _ => false,
    };
    let message = if shadows_library {
        format!(
            "cannot import name '{name_text}' from '{package_text}' (consider renaming '{place}' since it has the same name as \
             the standard library module named '{package_text}' and prevents importing that standard library module)"
        )
    } else if initializing && shadowing {
        format!(
            "cannot import name '{name_text}' from '{package_text}' (consider renaming '{place}' if it has the same name as a \
             library you intended to import)"
        )
    } else if initializing {
        format!(
            "cannot import name '{name_text}' from partially initialized module '{package_text}' (most likely due to a circular import) ({place})"
        )
    } else {
        format!("cannot import name '{name_text}' from '{package_text}' ({place})")
    };
    let raised = raise!(ImportError, "{message}");
    let exception = raised.take();
    exception.set_attr(identifier!("name"), &package.unwrap_or_else(none_ref))?;
    exception.set_attr(identifier!("path"), &origin.unwrap_or_else(none_ref))?;
    exception.set_attr(identifier!("name_from"), name.as_object())?;
    Ok(adder_runtime::error::restore(exception))
}

/// `from module import *` into `locals`.
pub fn import_star(locals: &PyObject, module: &PyObject) -> PyResult<()> {
    let (names, skip_private) = match module.get_attr_opt(identifier!("__all__"))? {
        Some(all) => (all, false),
        None => match module.get_attr_opt(identifier!("__dict__"))? {
            Some(dict) => (dict.call_method(identifier!("keys"), &[])?, true),
            None => {
                return Err(raise!(
                    ImportError,
                    "from-import-* object has no __dict__ and no __all__"
                ));
            }
        },
    };
    for name in names.collect()? {
        let Some(text) = name.downcast::<PyUnicodeObject>().ok() else {
            let owner = module.get_attr(identifier!("__name__"))?.str()?.to_string_lossy();
            return Err(if skip_private {
                raise!(TypeError, "Key in {owner}.__dict__ must be str")
            } else {
                raise!(TypeError, "Item in {owner}.__all__ must be str")
            });
        };
        if skip_private && text.len() > 0 && text.char_at(0) == u32::from('_') {
            continue;
        }
        let value = module.get_attr(&text)?;
        match locals.downcast_exact::<PyDictObject>() {
            Some(dict) => dict.set(text.as_object(), &value)?,
            None => locals.set_item(text.as_object(), &value)?,
        }
    }
    Ok(())
}

// ---- importlib ----

/// Reads marshalled code: the frozen modules are in that form.
static CODE_READER: OnceLock<fn(&[u8]) -> PyResult> = OnceLock::new();

/// Gives what reads the code of frozen modules; done before `initialize`.
pub fn set_code_reader(read: fn(&[u8]) -> PyResult) {
    let _ = CODE_READER.set(read);
}

fn read_code(bytes: &[u8]) -> PyResult {
    match CODE_READER.get() {
        Some(read) => read(bytes),
        None => Err(raise!(ImportError, "nothing reads frozen code")),
    }
}

/// Set by `-X frozen_modules=off` and by tests: only what import itself needs is frozen then.
pub static FROZEN_OVERRIDE: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

/// A frozen module that may be used now.
fn find_frozen_module(name: &str) -> Option<&'static FrozenModule> {
    const ESSENTIAL: [&str; 3] = ["_frozen_importlib", "_frozen_importlib_external", "zipimport"];
    let module = FROZEN.iter().find(|module| module.name == name)?;
    let off = match FROZEN_OVERRIDE.load(std::sync::atomic::Ordering::Relaxed) {
        0 => {
            let options = &crate::pylifecycle::config().xoptions;
            let last = options
                .iter()
                .rev()
                .find(|(option, _)| option == "frozen_modules");
            last.is_some_and(|(_, value)| value.as_deref() == Some("off"))
        }
        choice => choice < 0,
    };
    (!off || ESSENTIAL.contains(&name)).then_some(module)
}

fn frozen_code(name: &str) -> PyResult<Option<Ref<PyCodeObject>>> {
    let Some(module) = find_frozen_module(name) else {
        return Ok(None);
    };
    match read_code(module.code)?.downcast::<PyCodeObject>() {
        Ok(code) => Ok(Some(code)),
        Err(_) => Err(raise!(ImportError, "frozen {name} is not code")),
    }
}

/// Runs frozen code as a module.
fn import_frozen(name: &str) -> PyResult<Option<Ref>> {
    let Some(code) = frozen_code(name)? else {
        return Ok(None);
    };
    let name_object = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
    let modules = modules()?;
    let module = match get_module(&modules, name_object.as_object())? {
        Some(module) => module,
        None => {
            let module = PyModuleObject::new(name)?.into_object();
            modules.set_item(name_object.as_object(), &module)?;
            module
        }
    };
    let Some(dict) = module
        .downcast::<PyModuleObject>()
        .ok()
        .map(|module| module.dict().to_ref())
    else {
        return Err(raise!(SystemError, "a frozen module is not a module"));
    };
    if let Some(builtins) = state::BUILTINS.get() {
        dict.set_str(identifier!("__builtins__"), builtins.as_object())?;
    }
    dict.set_str(identifier!("__origname__"), name_object.as_object())?;
    crate::pythonrun::run_code(&code, &dict, None)?;
    get_module(&modules, name_object.as_object())
}

/// Loads importlib's bootstrap and lets it install itself.
pub fn init_importlib() -> PyResult<()> {
    let Some(bootstrap) = import_frozen("_frozen_importlib")? else {
        return Err(raise!(ImportError, "no frozen importlib"));
    };
    let imp = match load_builtin("_imp")? {
        Some(imp) => imp,
        None => return Err(raise!(ImportError, "no _imp")),
    };
    let modules = modules()?;
    modules.set_item(identifier!("_imp").as_object(), &imp)?;
    let Some(sys) = state::SYS.get() else {
        return Err(raise!(ImportError, "no sys"));
    };
    bootstrap.call_method(identifier!("_install"), &[sys.as_object(), &imp])?;
    state::IMPORTLIB.set(Some(bootstrap));
    Ok(())
}

/// Importers of files: importlib's second half.
pub fn init_external_importlib() -> PyResult<()> {
    importlib()?.call_method(identifier!("_install_external_importers"), &[])?;
    let Some(sys) = state::sys_dict() else {
        return Ok(());
    };
    // The zip importer comes first among the path hooks.
    let zipimport = match import_full(identifier!("zipimport").as_object()) {
        Ok(zipimport) => zipimport,
        // What it needs may be missing: files are imported all the same.
        Err(raised) => return raised.clear_if(exc::ImportError),
    };
    let importer = zipimport.get_attr(identifier!("zipimporter"))?;
    if let Some(hooks) = sys.get_str(identifier!("path_hooks"))
        && let Some(hooks) = (*hooks).downcast::<PyListObject>()
    {
        hooks.insert(0, importer)?;
    }
    Ok(())
}

/// The import system's native part.
#[pymodule(name = "_imp")]
pub mod _imp {
    use super::*;

    #[pyconst]
    const pyc_magic_number_token: i64 = super::PYC_MAGIC;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add(
            "check_hash_based_pycs",
            PyUnicodeObject::from_str("default").into_object(),
        )
    }

    /// The suffixes of extension modules.
    #[pyfunction("($module, /)")]
    fn extension_suffixes() -> Ref<PyListObject> {
        let suffixes = super::EXTENSION_SUFFIXES.iter();
        PyListObject::from_vec(
            suffixes
                .map(|suffix| PyUnicodeObject::from_str(suffix).into_object())
                .collect(),
        )
    }
    /// Whether the import lock is held.
    #[pyfunction("($module, /)")]
    fn lock_held() -> bool {
        super::IMPORT_LOCK.with(|lock| lock.depth > 0)
    }
    /// Takes the import lock; its owner may do so again.
    #[pyfunction("($module, /)")]
    fn acquire_lock() {
        super::acquire_import_lock();
    }
    /// Gives the import lock back.
    #[pyfunction("($module, /)")]
    fn release_lock() -> PyResult<()> {
        if super::release_import_lock() {
            Ok(())
        } else {
            Err(raise!(RuntimeError, "not holding the import lock"))
        }
    }
    /// 1 for a built-in module, -1 for one that cannot be made again, 0 for others.
    #[pyfunction("($module, name, /)")]
    fn is_builtin(name: &PyUnicodeObject) -> i32 {
        let name = name.to_string_lossy();
        if name == "sys" || name == "builtins" {
            return -1;
        }
        i32::from(INITTAB.with(|table| table.iter().any(|row| row.0 == name)))
    }
    /// Whether the module's code is part of the command.
    #[pyfunction("($module, name, /)")]
    fn is_frozen(name: &PyUnicodeObject) -> bool {
        super::find_frozen_module(&name.to_string_lossy()).is_some()
    }
    /// Whether the frozen module is a package.
    #[pyfunction("($module, name, /)")]
    fn is_frozen_package(name: &PyUnicodeObject) -> PyResult<bool> {
        match super::find_frozen_module(&name.to_string_lossy()) {
            Some(module) => Ok(module.is_package),
            None => Err(no_frozen(name)),
        }
    }
    fn no_frozen(name: &PyUnicodeObject) -> Raised {
        let message = format!("No such frozen object named {}", name.to_string_lossy());
        import_error(&message, name)
    }
    fn import_error(message: &str, name: &PyUnicodeObject) -> Raised {
        let raised = raise!(ImportError, "{message}");
        let exception = raised.take();
        match exception.set_attr(identifier!("name"), name.as_object()) {
            Ok(()) => adder_runtime::error::restore(exception),
            Err(raised) => raised,
        }
    }
    /// (data, is package, original name) of a frozen module, or None.
    #[pyfunction("($module, name, /, *, withdata=False)")]
    fn find_frozen(name: &PyUnicodeObject, withdata: bool) -> PyResult {
        let Some(module) = super::find_frozen_module(&name.to_string_lossy()) else {
            return Ok(none_ref());
        };
        let data = if withdata {
            let bytes = PyBytesObject::from_slice(module.code);
            PyMemoryViewObject::from_object(bytes.as_object())?.into_object()
        } else {
            none_ref()
        };
        let original = module.original.map_or_else(none_ref, |original| {
            PyUnicodeObject::from_str(original).into_object()
        });
        Ok(PyTupleObject::from_vec(vec![data, py_bool(module.is_package), original]).into_object())
    }
    /// The code of a frozen module, or that of the marshalled data.
    #[pyfunction("($module, name, data=None, /)")]
    fn get_frozen_object(name: &PyUnicodeObject, data: Option<&PyObject>) -> PyResult {
        if let Some(data) = data.filter(|data| !is_none(data)) {
            let buffer = adder_runtime::objects::buffer::Buffer::simple(data)?;
            return match super::read_code(buffer.as_bytes()) {
                Ok(code) if PyCodeObject::check(&code) => Ok(code),
                Ok(_) => Err(raise!(
                    TypeError,
                    "frozen object {} is not code",
                    name.repr()?.to_string_lossy()
                )),
                Err(raised) => {
                    raised.clear();
                    let message = format!(
                        "Frozen object named {} is invalid",
                        name.repr()?.to_string_lossy()
                    );
                    Err(import_error(&message, name))
                }
            };
        }
        match frozen_code(&name.to_string_lossy())? {
            Some(code) => Ok(code.into_object()),
            None => Err(no_frozen(name)),
        }
    }
    /// Makes a frozen module.
    #[pyfunction("($module, name, /)")]
    fn init_frozen(name: &PyUnicodeObject) -> PyResult {
        Ok(import_frozen(&name.to_string_lossy())?.unwrap_or_else(none_ref))
    }
    #[pyfunction("($module, /)")]
    fn _frozen_module_names() -> Ref<PyListObject> {
        let names = FROZEN
            .iter()
            .map(|module| PyUnicodeObject::from_str(module.name).into_object());
        PyListObject::from_vec(names.collect())
    }
    #[pyfunction("($module, override, /)")]
    fn _override_frozen_modules_for_tests(override_: i64) {
        super::FROZEN_OVERRIDE.store(override_.signum() as i32, std::sync::atomic::Ordering::Relaxed);
    }
    /// Whether this interpreter refuses extension modules that cannot be in several: 1 and -1 say so, 0 leaves it to its
    /// configuration. Gives the choice before.
    #[pyfunction("($module, override, /)")]
    fn _override_multi_interp_extensions_check(override_: i64) -> PyResult<i32> {
        let interpreter = adder_runtime::thread::interpreter();
        if interpreter.is_main() {
            return Err(raise!(
                RuntimeError,
                "_imp._override_multi_interp_extensions_check() cannot be used in the main interpreter"
            ));
        }
        let choice = override_.signum() as i32;
        Ok(interpreter
            .extensions_check
            .swap(choice, std::sync::atomic::Ordering::Relaxed))
    }
    /// Changes the file name of a code object and of those inside it.
    #[pyfunction("($module, code, path, /)")]
    fn _fix_co_filename(code: &PyCodeObject, path: &PyUnicodeObject) {
        let old = code.filename().to_ref();
        if !old.eq(path) {
            super::fix_filename(code, &old, path);
        }
    }
    /// Makes a built-in module of a spec.
    #[pyfunction("($module, spec, /)")]
    fn create_builtin(spec: &PyObject) -> PyResult {
        let name = spec.get_attr(identifier!("name"))?;
        let text = name.str()?.to_string_lossy();
        if text == "sys" || text == "builtins" {
            return match get_module(&*modules()?, &name)? {
                Some(module) => Ok(module),
                None => Err(raise!(ImportError, "cannot make {text} again")),
            };
        }
        let init = INITTAB.with(|table| table.iter().find(|row| row.0 == text).map(|row| row.1));
        let Some(init) = init else { return Ok(none_ref()) };
        // SAFETY: the table's functions are module init functions; definitions are static.
        unsafe {
            let made =
                Ref::from_owned_opt(init()).ok_or_else(|| Raised::from_c("a module's init function"))?;
            if std::ptr::eq(made.ty(), &adder_runtime::objects::moduleobject::PyModuleDef_Type) {
                return module::from_def_and_spec(&*made.as_raw().cast::<PyModuleDef>(), spec);
            }
            Ok(made)
        }
    }
    /// Runs a built-in module that `create_builtin` made.
    #[pyfunction("($module, mod, /)")]
    fn exec_builtin(mod_: &PyObject) -> PyResult<i32> {
        exec_module(mod_)
    }
    /// Loads an extension module's shared object.
    #[pyfunction("($module, spec, file=None, /)")]
    fn create_dynamic(spec: &PyObject, file: Option<&PyObject>) -> PyResult {
        let origin = match file {
            Some(file) => file.to_ref(),
            None => spec.get_attr(identifier!("origin"))?,
        };
        match DYNAMIC_LOADER.get() {
            Some(load) => load(spec, &origin),
            None => Err(raise!(
                ImportError,
                "dynamic modules need the C API, which is not linked in"
            )),
        }
    }
    /// Runs an extension module that `create_dynamic` made.
    #[pyfunction("($module, mod, /)")]
    fn exec_dynamic(mod_: &PyObject) -> PyResult<i32> {
        exec_module(mod_)
    }
    fn exec_module(module: &PyObject) -> PyResult<i32> {
        let Some(module) = module.downcast::<PyModuleObject>() else {
            return Ok(0);
        };
        // SAFETY: definitions are static.
        let Some(definition) = (unsafe { module.md_def.get().as_ref() }) else {
            return Ok(0);
        };
        if !module.md_state.get().is_null() {
            return Ok(0);
        }
        module::exec_def(module.as_object(), definition)?;
        Ok(0)
    }
    /// The hash of source text in hash-based `.pyc` files.
    #[pyfunction("($module, key, source)")]
    fn source_hash(key: i64, source: &PyBytesObject) -> Ref<PyBytesObject> {
        let hash = adder_runtime::pyhash::siphash13(key as u64, 0, source.as_bytes());
        PyBytesObject::from_slice(&hash.to_le_bytes())
    }
}

/// The lock of `_imp.acquire_lock`: whose it is, and how often it was taken. The GIL orders its use.
struct ImportLock {
    owner: u64,
    depth: usize,
}

static IMPORT_LOCK: GilCell<ImportLock> = GilCell::new(ImportLock { owner: 0, depth: 0 });

fn this_thread() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_self() }
}

/// Takes the import lock, waiting without the GIL while another thread has it.
pub fn acquire_import_lock() {
    let me = this_thread();
    loop {
        let taken = IMPORT_LOCK.with(|lock| {
            let free = lock.depth == 0 || lock.owner == me;
            if free {
                lock.owner = me;
                lock.depth += 1;
            }
            free
        });
        if taken {
            return;
        }
        adder_runtime::thread::allow_threads(|| std::thread::sleep(std::time::Duration::from_micros(200)));
    }
}

/// Gives the import lock back; false when the calling thread does not have it.
pub fn release_import_lock() -> bool {
    let me = this_thread();
    IMPORT_LOCK.with(|lock| {
        let held = lock.depth > 0 && lock.owner == me;
        lock.depth -= usize::from(held);
        held
    })
}

/// `.pyc` files of ours begin with this.
pub const PYC_MAGIC: i64 = 0x0A0D_0000 | adder_compiler::BYTECODE_VERSION as i64;

/// The suffixes of extension modules, the most special first.
#[cfg(target_arch = "x86_64")]
pub const EXTENSION_SUFFIXES: [&str; 3] = [".cpython-314-x86_64-linux-gnu.so", ".abi3.so", ".so"];
#[cfg(target_arch = "aarch64")]
pub const EXTENSION_SUFFIXES: [&str; 3] = [".cpython-314-aarch64-linux-gnu.so", ".abi3.so", ".so"];

fn fix_filename(code: &PyCodeObject, old: &PyUnicodeObject, new: &PyUnicodeObject) {
    if !code.filename().eq(old) {
        return;
    }
    let replaced = code.co_filename.replace(new.to_object().into_raw());
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(replaced) });
    for constant in code.consts().as_slice() {
        if let Some(inner) = constant.downcast_exact::<PyCodeObject>() {
            fix_filename(inner, old, new);
        }
    }
}
