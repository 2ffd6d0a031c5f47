//! import.h.

use crate::export::{Borrowed, Name, bad_internal_call};
pub use adder_runtime::hooks::import_module;
use adder_runtime::hooks::import_named;
use adder_runtime::prelude::*;
use std::ffi::CStr;

/// `sys.modules`.
fn modules() -> PyResult {
    crate::sysmodule::sys_attribute_opt(identifier!("modules"))
        .ok_or_else(|| raise!(RuntimeError, "unable to get sys.modules"))
}

/// The module in `sys.modules`, a fresh one if there is none.
fn add_module(name: &PyObject) -> PyResult {
    let modules = modules()?;
    if let Some(module) = crate::abstract_::optional_item(&modules, name)?
        && PyModuleObject::check(&module)
    {
        return Ok(module);
    }
    let module = PyModuleObject::new("")?;
    module.dict().set_str(identifier!("__name__"), name)?;
    let module = module.into_object();
    modules.set_item(name, &module)?;
    Ok(module)
}

/// `__import__(name, globals, locals, fromlist, level)`.
fn import_level(
    name: &PyObject,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
    from: Option<&PyObject>,
    level: c_int,
) -> PyResult {
    let builtins = crate::ceval::builtins_module_dict()?;
    let import = builtins
        .get_str(identifier!("__import__"))
        .ok_or_else(|| raise!(ImportError, "__import__ not found"))?;
    let level = PyLongObject::from_i64(level as i64);
    let or_none = |object: Option<&PyObject>| object.map_or_else(none_ref, PyObject::to_ref);
    let (globals, locals) = (or_none(globals), or_none(locals));
    let from = from.map_or_else(|| PyTupleObject::empty().into_object(), PyObject::to_ref);
    import.call(&[name, &globals, &locals, &from, level.as_object()])
}

/// A path of C as the file system's text.
fn path_text(path: Option<&CStr>) -> PyResult<Option<Ref>> {
    let Some(path) = path else { return Ok(None) };
    let bytes = PyBytesObject::from_slice(path.to_bytes());
    import_module("os")?
        .call_method(identifier!("fsdecode"), &[bytes.as_object()])
        .map(Some)
}

/// As `exec_code_module`; without a file, the one that the cached file was made of.
fn exec_with_pathnames(
    name: &PyObject,
    code: &PyObject,
    file: Option<&CStr>,
    cached: Option<&CStr>,
) -> PyResult {
    let (mut file, cached) = (path_text(file)?, path_text(cached)?);
    if let (None, Some(cached)) = (&file, &cached) {
        let external = import_module("importlib._bootstrap_external")?;
        file = external
            .call_method(identifier!("_get_sourcefile"), &[cached])
            .map_err(Raised::clear)
            .ok();
    }
    exec_code_module(name, code, file.as_deref(), cached.as_deref())
}

/// Runs a code object as a module's content.
fn exec_code_module(
    name: &PyObject,
    code: &PyObject,
    file: Option<&PyObject>,
    cached: Option<&PyObject>,
) -> PyResult {
    let module = add_module(name)?;
    let dict = crate::moduleobject::dict_of(&module)?;
    let builtins = crate::ceval::builtins_module_dict()?;
    dict.set_str(identifier!("__builtins__"), builtins.as_object())?;
    let file = match file.filter(|file| !is_none(file)) {
        Some(file) => file.to_ref(),
        None => code.get_attr(identifier!("co_filename"))?,
    };
    let external = import_module("importlib._bootstrap_external")?;
    let mut args = vec![dict.as_object(), name, &file];
    args.extend(cached);
    external.call_method(identifier!("_fix_up_module"), &args)?;
    let exec = builtins
        .get_str(identifier!("exec"))
        .ok_or_else(bad_internal_call)?;
    if let Err(raised) = exec.call(&[code, dict.as_object()]) {
        let exception = raised.take();
        if let Err(raised) = modules().and_then(|modules| modules.del_item(name).map(|()| modules)) {
            raised.clear();
        }
        return Err(adder_runtime::error::restore(exception));
    }
    modules()?.get_item(name)
}

capi! {
    fn PyImport_ImportModule(name: &CStr) -> PyResult { import_named(&*crate::export::str_from_c(name)?) }
    fn PyImport_ImportModuleNoBlock(name: &CStr) -> PyResult {
        let message = PyUnicodeObject::from_str("PyImport_ImportModuleNoBlock() is deprecated: PyImport_ImportModule() does the same");
        let category = adder_runtime::exceptions::exc::DeprecationWarning.as_object();
        crate::warnings::warn(Some(category), message.as_object(), 1, None)?;
        import_named(&*crate::export::str_from_c(name)?)
    }
    fn PyImport_Import(name: &PyObject) -> PyResult {
        match name.downcast::<PyUnicodeObject>() {
            Some(name) => import_named(name),
            None => Err(raise!(TypeError, "module name must be a string")),
        }
    }
    fn PyImport_ImportModuleLevelObject(
        name: Option<&PyObject>, globals: Option<&PyObject>, locals: Option<&PyObject>, from: Option<&PyObject>, level: c_int
    ) -> PyResult {
        let Some(name) = name else {
            return Err(raise!(ValueError, "Empty module name"));
        };
        import_level(name, globals, locals, from, level)
    }
    fn PyImport_ImportModuleLevel(
        name: Name, globals: Option<&PyObject>, locals: Option<&PyObject>, from: Option<&PyObject>, level: c_int
    ) -> PyResult {
        import_level(name.as_object(), globals, locals, from, level)
    }
    fn PyImport_ImportModuleAttr(name: &PyObject, attribute: &PyObject) -> PyResult {
        match name.downcast::<PyUnicodeObject>() {
            Some(name) => import_named(name)?.get_attr_object(attribute),
            None => Err(raise!(TypeError, "module name must be a string")),
        }
    }
    fn PyImport_ImportModuleAttrString(name: Name, attribute: Name) -> PyResult { import_named(&name)?.get_attr(&attribute) }
    fn _PyImport_GetModuleAttrString(name: &CStr, attribute: Name) -> PyResult {
        import_module(&name.to_string_lossy())?.get_attr(&attribute)
    }
    fn PyImport_GetModuleDict() -> PyResult<Borrowed> {
        // The sys module keeps it.
        modules().map(|modules| Borrowed(modules.as_raw()))
    }
    fn PyImport_GetModule(name: &PyObject) -> PyResult<Option<Ref>> { crate::abstract_::optional_item(&*modules()?, name) }
    fn PyImport_AddModuleRef(name: Name) -> PyResult { add_module(name.as_object()) }
    fn PyImport_AddModuleObject(name: &PyObject) -> PyResult<Borrowed> {
        // sys.modules keeps it.
        add_module(name).map(|module| Borrowed(module.as_raw()))
    }
    fn PyImport_AddModule(name: Name) -> PyResult<Borrowed> {
        add_module(name.as_object()).map(|module| Borrowed(module.as_raw()))
    }
    fn PyImport_ReloadModule(module: &PyObject) -> PyResult {
        import_module("importlib")?.call_method(identifier!("reload"), &[module])
    }
    fn PyImport_ExecCodeModule(name: Name, code: &PyObject) -> PyResult { exec_with_pathnames(name.as_object(), code, None, None) }
    fn PyImport_ExecCodeModuleEx(name: Name, code: &PyObject, file: Option<&CStr>) -> PyResult {
        exec_with_pathnames(name.as_object(), code, file, None)
    }
    fn PyImport_ExecCodeModuleWithPathnames(
        name: Name, code: &PyObject, file: Option<&CStr>, cached: Option<&CStr>
    ) -> PyResult {
        exec_with_pathnames(name.as_object(), code, file, cached)
    }
    fn PyImport_ExecCodeModuleObject(
        name: &PyObject, code: &PyObject, file: Option<&PyObject>, cached: Option<&PyObject>
    ) -> PyResult {
        exec_code_module(name, code, file, cached)
    }
    fn PyImport_GetMagicNumber() -> PyResult<i64> {
        let magic = import_module("_imp")?.get_attr(identifier!("pyc_magic_number_token"))?;
        crate::longobject::as_c_long(&magic)
    }
    /// The `cache_tag` of `sys.implementation`.
    fn PyImport_GetMagicTag() -> *const c_char { c"adder-314".as_ptr() }
    fn PyImport_GetImporter(path: &PyObject) -> PyResult { import_module("pkgutil")?.call_method(identifier!("get_importer"), &[path]) }
    fn PyImport_ImportFrozenModule(name: Name) -> PyResult<c_int> { import_frozen(name.as_object()) }
    fn PyImport_ImportFrozenModuleObject(name: Option<&PyObject>) -> PyResult<c_int> {
        match name.filter(|name| PyUnicodeObject::check(name)) {
            Some(name) => import_frozen(name),
            None => Ok(0),
        }
    }
}

/// 1 when a frozen module was imported, 0 when there is none of that name.
fn import_frozen(name: &PyObject) -> PyResult<c_int> {
    let imp = import_module("_imp")?;
    if !imp.call_method(identifier!("is_frozen"), &[name])?.is_true()? {
        return Ok(0);
    }
    import_named(&*name.str()?)?;
    Ok(1)
}

/// Frozen modules of C: none; ours are known by name only.
#[unsafe(no_mangle)]
pub static PyImport_FrozenModules: crate::osmodule::CPointer = crate::osmodule::CPointer::null();
/// The table of built-in modules of C: none; ours are known by name only.
#[unsafe(no_mangle)]
pub static PyImport_Inittab: crate::osmodule::CPointer = crate::osmodule::CPointer::null();
