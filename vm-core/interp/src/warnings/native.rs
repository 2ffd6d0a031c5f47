//! The `_warnings` module: filters, registries, `warn` and `warn_explicit`.

use crate::frame::{Frame, current_frame};
use crate::import::loaded_module;
use crate::state::{self, GilCell};
use adder_runtime::abi::*;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::thread_state;

static FILTERS: GilCell<Option<Ref<PyListObject>>> = GilCell::new(None);
static ONCE: GilCell<Option<Ref<PyDictObject>>> = GilCell::new(None);
static VERSION: GilCell<i64> = GilCell::new(0);
static LOCK_DEPTH: GilCell<usize> = GilCell::new(0);

fn text(value: &str) -> Ref {
    PyUnicodeObject::from_str(value).into_object()
}

/// An attribute of the `warnings` module, when that is imported.
fn warnings_attr(name: &PyUnicodeObject) -> PyResult<Option<Ref>> {
    match loaded_module(identifier!("warnings")) {
        Some(module) => module.get_attr_opt(name),
        None => Ok(None),
    }
}

fn filter_row(action: &str, category: &PyTypeObject, module: Option<&str>) -> Ref {
    let zero = PyLongObject::from_i64(0).into_object();
    let module = module.map_or_else(none_ref, text);
    PyTupleObject::from_vec(vec![text(action), none_ref(), category.to_object(), module, zero]).into_object()
}

fn default_filters() -> Ref<PyListObject> {
    PyListObject::from_vec(vec![
        filter_row("default", exc::DeprecationWarning, Some("__main__")),
        filter_row("ignore", exc::DeprecationWarning, None),
        filter_row("ignore", exc::PendingDeprecationWarning, None),
        filter_row("ignore", exc::ImportWarning, None),
        filter_row("ignore", exc::ResourceWarning, None),
    ])
}

fn own_filters() -> Ref<PyListObject> {
    FILTERS.with(|filters| filters.get_or_insert_with(default_filters).clone())
}

fn own_once() -> Ref<PyDictObject> {
    ONCE.with(|once| once.get_or_insert_with(PyDictObject::new).clone())
}

/// Whether a pattern of a filter (None, a str, or a compiled expression) fits the text.
fn matches(pattern: &PyObject, text: &PyObject) -> PyResult<bool> {
    if is_none(pattern) {
        return Ok(true);
    }
    if PyUnicodeObject::check_exact(pattern) {
        return pattern.eq(text);
    }
    pattern.call_method(identifier!("match"), &[text])?.is_true()
}

/// The action of the first filter that fits, and that filter.
fn find_action(category: &PyObject, message: &PyObject, line: i64, module: &PyObject) -> PyResult<(String, Ref)> {
    let filters = match warnings_attr(identifier!("filters"))? {
        Some(filters) => match filters.downcast::<PyListObject>() {
            Ok(filters) => filters,
            Err(_) => return Err(raise!(ValueError, "warnings.filters must be a list")),
        },
        None => own_filters(),
    };
    let mut index = 0;
    while let Some(item) = filters.get(index) {
        let Some(row) = (*item).downcast::<PyTupleObject>().filter(|row| row.len() == 5) else {
            return Err(raise!(ValueError, "warnings.filters item {index} isn't a 5-tuple"));
        };
        let [action, pattern, wanted, wanted_module, wanted_line] = row.as_slice() else { break };
        if !PyUnicodeObject::check_exact(action) {
            return Err(raise!(TypeError, "action must be a string, not '{}'", action.ty().name()));
        }
        let wanted_line = wanted_line.index()?.to_i64().unwrap_or(0);
        if matches(pattern, message)?
            && category.is_subclass(wanted)?
            && matches(wanted_module, module)?
            && (wanted_line == 0 || wanted_line == line)
        {
            return Ok((action.str()?.to_string_lossy(), item.clone()));
        }
        index += 1;
    }
    let action = match warnings_attr(identifier!("defaultaction"))? {
        Some(action) => action.str()?.to_string_lossy(),
        None => "default".to_owned(),
    };
    Ok((action, none_ref()))
}

/// Whether the key is in the registry already; notes it when `set`. A registry of an older version of the filters is
/// emptied.
fn already_warned(registry: &PyDictObject, key: &PyObject, set: bool) -> PyResult<bool> {
    let version = VERSION.get();
    let name = identifier!("version");
    let known = registry.get_str(name).and_then(|known| (*known).downcast::<PyLongObject>()?.to_i64());
    if known != Some(version) {
        registry.clear();
        registry.set_str(name, PyLongObject::from_i64(version).as_object())?;
    } else if let Some(seen) = registry.get(key)?
        && seen.is_true()?
    {
        return Ok(true);
    }
    if set {
        registry.set(key, true_())?;
    }
    Ok(false)
}

/// Notes (text, category, 0) in a registry: whether it was there.
fn update_registry(registry: &PyDictObject, text: &PyObject, category: &PyObject, with_zero: bool) -> PyResult<bool> {
    let mut parts = vec![text.to_ref(), category.to_ref()];
    if with_zero {
        parts.push(PyLongObject::from_i64(0).into_object());
    }
    already_warned(registry, PyTupleObject::from_vec(parts).as_object(), true)
}

fn show(
    filename: &PyObject,
    line: i64,
    text: &PyObject,
    category: &PyObject,
    message: &PyObject,
    source: Option<&PyObject>,
) -> PyResult<()> {
    let show = match warnings_attr(identifier!("_showwarnmsg"))? {
        Some(show) => show,
        None => {
            let name = category.downcast::<PyTypeObject>().map_or_else(String::new, |category| category.name());
            let line_text = format!(
                "{}:{line}: {name}: {}\n",
                filename.str()?.to_string_lossy(),
                text.str()?.to_string_lossy()
            );
            crate::pythonrun::write_stderr(&line_text);
            return Ok(());
        }
    };
    if !show.is_callable() {
        return Err(raise!(TypeError, "warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = warnings_attr(identifier!("WarningMessage"))? else {
        return Err(raise!(RuntimeError, "unable to get warnings.WarningMessage"));
    };
    let line = PyLongObject::from_i64(line);
    let message = class.call(&[
        message,
        category,
        filename,
        line.as_object(),
        none(),
        none(),
        source.unwrap_or(none()),
    ])?;
    show.call1(&message).map(drop)
}

/// The name of a module from its file's.
fn module_of(filename: &PyObject) -> PyResult {
    let name = filename.str()?.to_string_lossy();
    if name.is_empty() {
        return Ok(text("<unknown>"));
    }
    Ok(text(name.strip_suffix(".py").unwrap_or(&name)))
}

pub fn warn_explicit(
    category: &PyObject,
    message: &PyObject,
    filename: &PyObject,
    line: i64,
    module: Option<&PyObject>,
    registry: Option<&PyObject>,
    source: Option<&PyObject>,
) -> PyResult<()> {
    if module.is_some_and(is_none) {
        return Ok(());
    }
    let registry = match registry.filter(|registry| !is_none(registry)) {
        None => None,
        Some(registry) => match registry.downcast::<PyDictObject>() {
            Some(registry) => Some(registry),
            None => return Err(raise!(TypeError, "'registry' must be a dict or None, not '{}'", registry.ty().name())),
        },
    };
    let module = match module {
        Some(module) => module.to_ref(),
        None => module_of(filename)?,
    };
    let (text, category, message) = if message.is_instance(exc::Warning.as_object())? {
        (message.str()?.into_object(), message.ty().to_object(), message.to_ref())
    } else {
        (message.str()?.into_object(), category.to_ref(), category.call1(message)?)
    };
    let line_object = PyLongObject::from_i64(line).into_object();
    let key = PyTupleObject::from_vec(vec![text.clone(), category.clone(), line_object]);
    if let Some(registry) = registry
        && already_warned(registry, key.as_object(), false)?
    {
        return Ok(());
    }
    let (action, item) = find_action(&category, &text, line, &module)?;
    let mut seen = false;
    match action.as_str() {
        "error" => return Err(adder_runtime::error::set_object(&category, Some(&message))),
        "ignore" => return Ok(()),
        "always" | "all" => {}
        "once" | "module" | "default" => {
            if let Some(registry) = registry {
                registry.set(key.as_object(), true_())?;
            }
            match action.as_str() {
                "once" => {
                    let once = match warnings_attr(identifier!("onceregistry"))? {
                        Some(once) => match once.downcast::<PyDictObject>() {
                            Ok(once) => once,
                            Err(_) => return Err(raise!(TypeError, "warnings.onceregistry must be a dict")),
                        },
                        None => own_once(),
                    };
                    seen = update_registry(&once, &text, &category, false)?;
                }
                "module" => {
                    if let Some(registry) = registry {
                        seen = update_registry(registry, &text, &category, true)?;
                    }
                }
                _ => {}
            }
        }
        _ => {
            return Err(raise!(
                RuntimeError,
                "Unrecognized action ({}) in warnings.filters:\n {}",
                action,
                item.repr()?.to_string_lossy()
            ));
        }
    }
    if seen { Ok(()) } else { show(filename, line, &text, &category, &message, source) }
}

fn filename_of(frame: *mut Frame) -> String {
    // SAFETY: linked frames are alive.
    unsafe { (*frame).code() }.filename().to_string_lossy()
}

/// A frame of the import machinery, which `stacklevel` does not count.
fn is_internal(frame: *mut Frame) -> bool {
    let name = filename_of(frame);
    name.contains("importlib") && name.contains("_bootstrap")
}

fn next_external(mut frame: *mut Frame, prefixes: &[String]) -> *mut Frame {
    loop {
        // SAFETY: linked frames are alive.
        frame = unsafe { (*frame).previous };
        if frame.is_null() || !(is_internal(frame) || skipped(frame, prefixes)) {
            return frame;
        }
    }
}

fn skipped(frame: *mut Frame, prefixes: &[String]) -> bool {
    let name = filename_of(frame);
    prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
}

/// `warnings.warn`: at the place `stack_level` calls up.
pub fn warn(
    message: &PyObject,
    category: Option<&PyObject>,
    mut stack_level: isize,
    source: Option<&PyObject>,
    prefixes: &[String],
) -> PyResult<()> {
    let category = category.filter(|category| !is_none(category));
    let category = if message.is_instance(exc::Warning.as_object())? {
        message.ty().as_object()
    } else {
        category.unwrap_or(exc::UserWarning.as_object())
    };
    let good = PyTypeObject::check(category) && category.is_subclass(exc::Warning.as_object())?;
    if !good {
        let name = match category.downcast::<PyTypeObject>() {
            Some(class) => class.name(),
            None => category.ty().name(),
        };
        return Err(raise!(TypeError, "category must be a Warning subclass, not '{name}'"));
    }
    let mut frame = current_frame(thread_state());
    if !prefixes.is_empty() && stack_level < 2 {
        stack_level = 2;
    }
    if !frame.is_null() {
        if stack_level <= 0 || is_internal(frame) {
            while stack_level > 1 && !frame.is_null() {
                // SAFETY: linked frames are alive.
                frame = unsafe { (*frame).previous };
                stack_level -= 1;
            }
        } else {
            while stack_level > 1 && !frame.is_null() {
                frame = next_external(frame, prefixes);
                stack_level -= 1;
            }
        }
    }
    let (globals, filename, line) = if frame.is_null() {
        let Some(globals) = state::sys_dict() else { return Ok(()) };
        (globals, text("<sys>"), 0)
    } else {
        // SAFETY: linked frames are alive.
        unsafe {
            let globals = (*frame).globals().to_ref();
            (globals, (*frame).code().filename().to_object(), i64::from((*frame).line().unwrap_or(0)))
        }
    };
    let registry_name = identifier!("__warningregistry__");
    let registry = match globals.get_str(registry_name) {
        Some(registry) => registry,
        None => {
            let registry = PyDictObject::new().into_object();
            globals.set_str(registry_name, &registry)?;
            registry
        }
    };
    let module = match globals.get_str(identifier!("__name__")) {
        Some(module) if is_none(&module) || PyUnicodeObject::check(&module) => module,
        _ => text("<string>"),
    };
    warn_explicit(category, message, &filename, line, Some(&module), Some(&registry), source)
}

/// The native part of the warnings module.
#[pymodule(name = "_warnings")]
pub mod _warnings {
    use super::*;

    /// Issue a warning, or maybe ignore it or raise an exception.
    #[pyfunction("($module, /, message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())")]
    fn warn(
        message: &PyObject,
        category: Option<&PyObject>,
        stacklevel: isize,
        source: Option<&PyObject>,
        skip_file_prefixes: Option<&PyTupleObject>,
    ) -> PyResult<()> {
        let mut prefixes = Vec::new();
        for prefix in skip_file_prefixes.map_or(&[] as &[&PyObject], |prefixes| prefixes.as_slice()) {
            match prefix.downcast::<PyUnicodeObject>() {
                Some(prefix) => prefixes.push(prefix.to_string_lossy()),
                None => {
                    return Err(raise!(
                        TypeError,
                        "Found non-str '{}' in skip_file_prefixes.",
                        prefix.ty().name()
                    ));
                }
            }
        }
        super::warn(message, category, stacklevel, source, &prefixes)
    }
    /// Issue a warning, or maybe ignore it or raise an exception.
    #[pyfunction("($module, /, message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)")]
    #[allow(clippy::too_many_arguments)]
    fn warn_explicit(
        message: &PyObject,
        category: &PyObject,
        filename: &PyUnicodeObject,
        lineno: i32,
        module: Option<&PyObject>,
        registry: Option<&PyObject>,
        module_globals: Option<&PyObject>,
        source: Option<&PyObject>,
    ) -> PyResult<()> {
        if let Some(globals) = module_globals.filter(|globals| !is_none(globals))
            && !PyDictObject::check(globals)
        {
            return Err(raise!(TypeError, "module_globals must be a dict, not '{}'", globals.ty().name()));
        }
        super::warn_explicit(category, message, filename.as_object(), i64::from(lineno), module, registry, source)
    }
    /// The filters have changed: registries of before do not count any more.
    #[pyfunction("($module, /)")]
    fn _filters_mutated_lock_held() -> PyResult<()> {
        if LOCK_DEPTH.get() == 0 {
            return Err(raise!(RuntimeError, "warnings._lock mutex is not held"));
        }
        VERSION.with(|version| *version += 1);
        Ok(())
    }
    #[pyfunction("($module, /)")]
    fn _acquire_lock() {
        LOCK_DEPTH.with(|depth| *depth += 1);
    }
    #[pyfunction("($module, /)")]
    fn _release_lock() -> PyResult<()> {
        if LOCK_DEPTH.get() == 0 {
            return Err(raise!(RuntimeError, "cannot release un-acquired lock"));
        }
        LOCK_DEPTH.with(|depth| *depth -= 1);
        Ok(())
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("filters", own_filters().into_object())?;
        module.add("_onceregistry", own_once().into_object())?;
        module.add("_defaultaction", text("default"))?;
        // The filters of a context, when `-X context_aware_warnings` asks for them.
        let context = match crate::import::load_builtin("_contextvars")? {
            Some(contextvars) => {
                crate::import::modules()?.set_item(identifier!("_contextvars").as_object(), &contextvars)?;
                contextvars.get_attr(identifier!("ContextVar"))?.call1(&text("warnings_context"))?
            }
            None => none_ref(),
        };
        module.add("_warnings_context", context)
    }
}
