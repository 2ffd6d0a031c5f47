//! `_warnings`: filters, registries and the issuing of warnings.
//!
//! Comes in: `warn` and `warn_explicit`, also from native code by way of the interpreter. Goes out: `warnings._showwarnmsg`,
//! an exception, or nothing, as the filters say.

use crate::contextvars::ContextVar;
use crate::util::Kept;
use adder_runtime::exceptions::exc;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::sync::{Condvar, Mutex};

static FILTERS: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
static ONCE_REGISTRY: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
static DEFAULT_ACTION: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
static CONTEXT: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());

struct Version(Cell<i64>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Version {}
static FILTERS_VERSION: Version = Version(Cell::new(0));

fn filters() -> PyResult {
    FILTERS.here().get_or_make(|| {
        let entry = |action: &str, category: &PyTypeObject, module: Option<&str>| {
            let module = module.map_or_else(none_ref, |module| PyUnicodeObject::from_str(module).into_object());
            PyTupleObject::from_vec(vec![
                PyUnicodeObject::from_str(action).into_object(),
                none_ref(),
                category.to_object(),
                module,
                PyLongObject::from_i64(0).into_object(),
            ])
            .into_object()
        };
        Ok(PyListObject::from_vec(vec![
            entry("default", exc::DeprecationWarning, Some("__main__")),
            entry("ignore", exc::DeprecationWarning, None),
            entry("ignore", exc::PendingDeprecationWarning, None),
            entry("ignore", exc::ImportWarning, None),
            entry("ignore", exc::ResourceWarning, None),
        ])
        .into_object())
    })
}

fn once_registry() -> PyResult {
    ONCE_REGISTRY.here().get_or_make(|| Ok(PyDictObject::new().into_object()))
}

fn default_action() -> PyResult {
    DEFAULT_ACTION.here().get_or_make(|| Ok(PyUnicodeObject::from_str("default").into_object()))
}

fn context_var() -> PyResult {
    CONTEXT.here().get_or_make(|| Ok(ContextVar::make(&PyUnicodeObject::from_str("_warnings_context"), None)?.into_object()))
}

/// An attribute of `warnings`, if that module is there; it is imported only when that is asked for.
fn warnings_attribute(name: &PyUnicodeObject, import: bool) -> PyResult<Option<Ref>> {
    let module = if import {
        match adder_runtime::hooks::import_module("warnings") {
            Ok(module) => module,
            Err(raised) => {
                raised.clear_if(exc::ImportError)?;
                return Ok(None);
            }
        }
    } else {
        let Some(modules) = adder_runtime::hooks::sys_attribute(identifier!("modules")) else { return Ok(None) };
        let modules = modules.as_object().downcast::<PyDictObject>().map(TypedObject::to_ref);
        match modules.map(|modules| modules.get(identifier!("warnings").as_object())).transpose()?.flatten() {
            Some(module) => module,
            None => return Ok(None),
        }
    };
    module.get_attr_opt(name)
}

/// The filters of the current context, when it has any.
fn context_filters() -> PyResult<Option<Ref>> {
    let var = context_var()?;
    let Some(var) = var.as_object().downcast::<ContextVar>() else { return Ok(None) };
    let Some(context) = var.value_or(None)?.filter(|context| !is_none(context)) else { return Ok(None) };
    let filters = context.get_attr(identifier!("_filters"))?;
    if filters.as_object().downcast::<PyListObject>().is_none() {
        return Err(raise!(ValueError, "_filters of warnings._warnings_context must be a list"));
    }
    Ok(Some(filters))
}

/// Whether a pattern of a filter admits a text: none admits all, an exact str only itself, others are asked to match.
fn admits(pattern: &PyObject, text: &PyObject) -> PyResult<bool> {
    if is_none(pattern) {
        return Ok(true);
    }
    if pattern.downcast_exact::<PyUnicodeObject>().is_some() {
        return pattern.eq(text);
    }
    pattern.call_method(identifier!("match"), &[text])?.is_true()
}

/// The action of the first filter that applies, and the filter.
fn search(
    filters: &PyObject,
    what: &str,
    category: &PyObject,
    text: &PyObject,
    lineno: i64,
    module: &PyObject,
) -> PyResult<Option<(Ref, Ref)>> {
    let Some(list) = filters.downcast::<PyListObject>() else {
        return Err(raise!(ValueError, "{what} must be a list"));
    };
    let mut index = 0;
    while let Some(item) = list.get(index) {
        let parts = item.as_object().downcast::<PyTupleObject>().map(TypedObject::to_ref);
        let Some([action, message, wanted, wanted_module, line]) = parts.as_deref().map(PyTupleObject::as_slice) else {
            return Err(raise!(ValueError, "warnings.filters item {index} isn't a 5-tuple"));
        };
        if action.downcast::<PyUnicodeObject>().is_none() {
            return Err(raise!(TypeError, "action must be a string, not '{}'", action.ty().name()));
        }
        if admits(message, text)? && admits(wanted_module, module)? && category.is_subclass(wanted)? {
            let line = line.index()?.as_i64()?;
            if line == 0 || line == lineno {
                return Ok(Some((action.to_ref(), item.clone())));
            }
        }
        index += 1;
    }
    Ok(None)
}

fn action_for(category: &PyObject, text: &PyObject, lineno: i64, module: &PyObject) -> PyResult<(Ref, Ref)> {
    if let Some(filters) = context_filters()?
        && let Some(found) = search(&filters, "_warnings_context _filters", category, text, lineno, module)?
    {
        return Ok(found);
    }
    let filters = match warnings_attribute(identifier!("filters"), false)? {
        Some(filters) => {
            FILTERS.here().set(filters.clone());
            filters
        }
        None => filters()?,
    };
    if let Some(found) = search(&filters, "_warnings.filters", category, text, lineno, module)? {
        return Ok(found);
    }
    let action = match warnings_attribute(identifier!("defaultaction"), false)? {
        Some(action) if action.as_object().downcast::<PyUnicodeObject>().is_none() => {
            return Err(raise!(TypeError, "_warnings.defaultaction must be a string, not '{}'", action.ty().name()));
        }
        Some(action) => action,
        None => default_action()?,
    };
    Ok((action, none_ref()))
}

/// Whether a registry has the key; the registry is emptied when the filters have changed since it was filled.
fn already_warned(registry: &PyDictObject, key: &PyObject, set: bool) -> PyResult<bool> {
    let version = FILTERS_VERSION.0.get();
    let known = registry.get(identifier!("version").as_object())?;
    let same = known.is_some_and(|known| {
        known.as_object().downcast::<PyLongObject>().and_then(PyLongObject::to_i64) == Some(version)
    });
    if !same {
        registry.clear();
        registry.set_str(identifier!("version"), PyLongObject::from_i64(version).as_object())?;
    } else if let Some(found) = registry.get(key)?
        && found.is_true()?
    {
        return Ok(true);
    }
    if set {
        registry.set(key, true_())?;
    }
    Ok(false)
}

/// The module name that a file name suggests.
fn module_of(filename: &PyObject) -> Ref {
    let Some(name) = filename.downcast::<PyUnicodeObject>() else { return filename.to_ref() };
    if name.is_empty() {
        return PyUnicodeObject::from_str("<unknown>").into_object();
    }
    match name.to_string_lossy().ends_with(".py") {
        true => name.substring(0, name.len() - 3).into_object(),
        false => name.to_object(),
    }
}

/// One warning, with its place.
struct Place<'a> {
    filename: &'a PyObject,
    lineno: i64,
    module: Option<&'a PyObject>,
    registry: Option<&'a PyObject>,
    source_line: Option<Ref>,
    source: Option<&'a PyObject>,
}

fn issue(category: &PyObject, message: &PyObject, place: &Place<'_>) -> PyResult<()> {
    // At shutdown a module's name may be gone.
    if place.module.is_some_and(is_none) {
        return Ok(());
    }
    let registry = match place.registry.filter(|registry| !is_none(registry)) {
        None => None,
        Some(registry) => match registry.downcast::<PyDictObject>() {
            Some(registry) => Some(registry),
            None => return Err(raise!(TypeError, "'registry' must be a dict or None")),
        },
    };
    let module = place.module.map_or_else(|| module_of(place.filename), PyObject::to_ref);
    let (text, message, category) = if message.is_instance(exc::Warning.as_object())? {
        (message.str()?.into_object(), message.to_ref(), message.ty().to_object())
    } else {
        (message.to_ref(), category.call1(message)?, category.to_ref())
    };
    let lineno = PyLongObject::from_i64(place.lineno);
    let key = PyTupleObject::from_slice(&[&text, &category, lineno.as_object()]);
    if let Some(registry) = registry
        && already_warned(registry, key.as_object(), false)?
    {
        return Ok(());
    }
    let (action, item) = action_for(&category, &text, place.lineno, &module)?;
    let action_text = action.str()?.to_string_lossy();
    match action_text.as_str() {
        "error" => return Err(adder_runtime::error::set_object(&category, Some(&message))),
        "ignore" => return Ok(()),
        "always" | "all" => {}
        other => {
            if let Some(registry) = registry {
                registry.set(key.as_object(), true_())?;
            }
            let pair = PyTupleObject::from_slice(&[&text, &category]);
            let seen = match other {
                "once" => match registry {
                    Some(registry) => already_warned(registry, pair.as_object(), true)?,
                    None => {
                        let once = match warnings_attribute(identifier!("onceregistry"), false)? {
                            Some(once) => once,
                            None => once_registry()?,
                        };
                        let Some(once) = once.as_object().downcast::<PyDictObject>() else {
                            return Err(raise!(
                                TypeError,
                                "_warnings.onceregistry must be a dict, not '{}'",
                                once.ty().name()
                            ));
                        };
                        already_warned(once, pair.as_object(), true)?
                    }
                },
                "module" => match registry {
                    Some(registry) => already_warned(registry, pair.as_object(), true)?,
                    None => false,
                },
                "default" => false,
                _ => {
                    let (action, item) = (action.repr()?.to_string_lossy(), item.repr()?.to_string_lossy());
                    return Err(raise!(RuntimeError, "Unrecognized action ({action}) in warnings.filters:\n {item}"));
                }
            };
            if seen {
                return Ok(());
            }
        }
    }
    show(&category, &text, &message, place, lineno.as_object())
}

fn show(category: &PyObject, text: &PyObject, message: &PyObject, place: &Place<'_>, lineno: &PyObject) -> PyResult<()> {
    // A source is shown with where it was allocated, which only the Python code can do.
    let source = place.source.filter(|source| !is_none(source));
    let Some(function) = warnings_attribute(identifier!("_showwarnmsg"), source.is_some())? else {
        return show_plainly(category, text, place);
    };
    if !function.is_callable() {
        return Err(raise!(TypeError, "warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = warnings_attribute(identifier!("WarningMessage"), false)? else {
        return Err(raise!(RuntimeError, "unable to get warnings.WarningMessage"));
    };
    // A file that can be read has the line itself.
    let filename = place.filename.str()?.to_string_lossy();
    let line = place.source_line.as_deref().filter(|_| !std::path::Path::new(&filename).exists());
    let record = class.call(&[
        message,
        category,
        place.filename,
        lineno,
        none(),
        line.unwrap_or(none()),
        source.unwrap_or(none()),
    ])?;
    function.call1(&record).map(drop)
}

/// `file:line: Category: text`, to `sys.stderr`, with the line of source when it can be read.
fn show_plainly(category: &PyObject, text: &PyObject, place: &Place<'_>) -> PyResult<()> {
    let Some(stderr) = adder_runtime::hooks::sys_attribute(identifier!("stderr")).filter(|file| !is_none(file)) else {
        return Ok(());
    };
    let filename = place.filename.str()?.to_string_lossy();
    let name = category.get_attr(identifier!("__name__"))?.str()?.to_string_lossy();
    let mut shown = format!("{filename}:{}: {name}: {}\n", place.lineno, text.str()?.to_string_lossy());
    let line = match &place.source_line {
        Some(line) => Some(line.str()?.to_string_lossy()),
        None => source_line_of_file(&filename, place.lineno),
    };
    if let Some(line) = line.as_deref().map(str::trim).filter(|line| !line.is_empty()) {
        shown.push_str(&format!("  {line}\n"));
    }
    let shown = PyUnicodeObject::from_string(shown);
    stderr.call_method(identifier!("write"), &[shown.as_object()]).map(drop)
}

fn source_line_of_file(filename: &str, lineno: i64) -> Option<String> {
    let index = usize::try_from(lineno.checked_sub(1)?).ok()?;
    let text = std::fs::read(filename).ok()?;
    let line = text.split(|byte| *byte == b'\n').nth(index)?;
    Some(String::from_utf8_lossy(line).into_owned())
}

/// Files of importlib's bootstrap do not count as callers.
fn is_internal(filename: &PyObject) -> bool {
    let Some(name) = filename.downcast::<PyUnicodeObject>() else { return false };
    let name = name.to_string_lossy();
    name.contains("importlib") && name.contains("_bootstrap")
}

fn filename_of(frame: &PyObject) -> PyResult {
    frame.get_attr(identifier!("f_code"))?.get_attr(identifier!("co_filename"))
}

fn back(frame: &PyObject) -> PyResult<Option<Ref>> {
    Ok(Some(frame.get_attr(identifier!("f_back"))?).filter(|frame| !is_none(frame)))
}

fn is_skipped(filename: &PyObject, prefixes: &[&PyObject]) -> bool {
    let Some(name) = filename.downcast::<PyUnicodeObject>() else { return false };
    prefixes
        .iter()
        .filter_map(|prefix| prefix.downcast::<PyUnicodeObject>())
        .any(|prefix| name.starts_with(prefix))
}

/// The frame that a stack level names: 1 is the caller's.
fn frame_at(mut stack_level: isize, prefixes: &[&PyObject]) -> PyResult<Option<Ref>> {
    if !prefixes.is_empty() {
        stack_level = stack_level.max(2);
    }
    let mut frame = match adder_runtime::hooks::get() {
        Some(hooks) => (hooks.current_frame)()?,
        None => None,
    };
    let plain = match &frame {
        Some(frame) => stack_level <= 0 || is_internal(&*filename_of(frame)?),
        None => true,
    };
    while stack_level > 1 {
        stack_level -= 1;
        let Some(here) = frame else { break };
        frame = back(&here)?;
        if !plain {
            while let Some(outer) = &frame {
                let filename = filename_of(outer)?;
                if !is_internal(&filename) && !is_skipped(&filename, prefixes) {
                    break;
                }
                frame = back(outer)?;
            }
        }
    }
    Ok(frame)
}

/// `warnings.warn`.
pub fn warn(
    message: &PyObject,
    category: &PyObject,
    stack_level: isize,
    source: Option<&PyObject>,
    prefixes: &[&PyObject],
) -> PyResult<()> {
    let frame = frame_at(stack_level, prefixes)?;
    let (globals, filename, lineno) = match &frame {
        Some(frame) => {
            let lineno = frame.get_attr(identifier!("f_lineno"))?;
            let lineno = if is_none(&lineno) { 0 } else { lineno.index()?.as_i64()? };
            (frame.get_attr(identifier!("f_globals"))?, filename_of(frame)?, lineno)
        }
        None => {
            let globals = adder_runtime::hooks::get().and_then(|hooks| (hooks.sys_dict)());
            let globals = globals.unwrap_or_else(PyDictObject::new).into_object();
            (globals, PyUnicodeObject::from_str("<sys>").into_object(), 0)
        }
    };
    let Some(globals) = globals.as_object().downcast::<PyDictObject>() else {
        return Err(raise!(TypeError, "the globals of a frame are not a dict"));
    };
    let registry_name = identifier!("__warningregistry__");
    let registry = match globals.get(registry_name.as_object())? {
        Some(registry) => registry,
        None => {
            let registry = PyDictObject::new().into_object();
            globals.set_str(registry_name, &registry)?;
            registry
        }
    };
    let module = globals
        .get(identifier!("__name__").as_object())?
        .filter(|module| is_none(module) || module.as_object().downcast::<PyUnicodeObject>().is_some())
        .unwrap_or_else(|| PyUnicodeObject::from_str("<string>").into_object());
    let place = Place {
        filename: &filename,
        lineno,
        module: Some(&module),
        registry: Some(&registry),
        source_line: None,
        source,
    };
    issue(category, message, &place)
}

/// The class of a warning: the message's own when it is an instance, else the one that is given.
fn category_of(message: &PyObject, category: Option<&PyObject>) -> PyResult {
    if message.is_instance(exc::Warning.as_object())? {
        return Ok(message.ty().to_object());
    }
    let Some(category) = category.filter(|category| !is_none(category)) else {
        return Ok(exc::UserWarning.to_object());
    };
    let is_class = category.downcast::<PyTypeObject>().is_some_and(|class| class.is_subtype(exc::Warning));
    if !is_class {
        return Err(raise!(TypeError, "category must be a Warning subclass, not '{}'", category.ty().name()));
    }
    Ok(category.to_ref())
}

/// The line of source that a module's loader has.
fn loaded_source_line(globals: &PyDictObject, lineno: i64) -> PyResult<Option<Ref>> {
    // Which loader counts, and what is deprecated about finding it, importlib knows.
    let external = adder_runtime::hooks::import_module("_frozen_importlib_external")?;
    let loader = external.call_method(identifier!("_bless_my_loader"), &[globals.as_object()])?;
    if is_none(&loader) {
        return Ok(None);
    }
    let Some(mut name) = globals.get(identifier!("__name__").as_object())? else { return Ok(None) };
    if name.as_object().downcast::<PyUnicodeObject>().is_some_and(|name| name.eq_str("__main__")) {
        // The loader knows the main module by the name in its spec.
        let spec = globals.get(identifier!("__spec__").as_object())?;
        match spec.map(|spec| spec.get_attr_opt(identifier!("name"))).transpose()?.flatten() {
            Some(real) => name = real,
            None => return Ok(None),
        }
    }
    let Some(get_source) = loader.get_attr_opt(identifier!("get_source"))? else { return Ok(None) };
    let source = get_source.call1(&name)?;
    let Some(source) = source.as_object().downcast::<PyUnicodeObject>() else { return Ok(None) };
    let lines = source.split_lines(false);
    Ok(usize::try_from(lineno - 1).ok().and_then(|index| lines.get(index)))
}

struct FilterLock {
    state: Mutex<(u64, usize)>,
    released: Condvar,
}
static LOCK: FilterLock = FilterLock { state: Mutex::new((0, 0)), released: Condvar::new() };

fn this_thread() -> u64 {
    adder_runtime::thread::thread_state().thread_ident.get()
}

/// _warnings provides basic warning filtering support.
#[pymodule(name = "_warnings", types = [])]
pub mod _warnings {
    use super::*;

    #[pyconst]
    fn filters() -> PyResult {
        super::filters()
    }
    #[pyconst]
    fn _onceregistry() -> PyResult {
        once_registry()
    }
    #[pyconst]
    fn _defaultaction() -> PyResult {
        default_action()
    }
    #[pyconst]
    fn _warnings_context() -> PyResult {
        context_var()
    }

    /// Issues a warning, or maybe ignores it or raises an exception.
    #[pyfunction("($module, /, message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())")]
    fn warn(
        message: &PyObject,
        category: Option<&PyObject>,
        stacklevel: Option<isize>,
        source: Option<&PyObject>,
        skip_file_prefixes: Option<&PyTupleObject>,
    ) -> PyResult<()> {
        let category = category_of(message, category)?;
        let prefixes = skip_file_prefixes.map_or(&[][..], PyTupleObject::as_slice);
        for prefix in prefixes {
            if prefix.downcast::<PyUnicodeObject>().is_none() {
                return Err(raise!(TypeError, "Found non-str '{}' in skip_file_prefixes.", prefix.ty().name()));
            }
        }
        super::warn(message, &category, stacklevel.unwrap_or(1), source, prefixes)
    }
    /// Issues a warning at a given place.
    #[pyfunction("($module, /, message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)")]
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
        let mut source_line = None;
        if let Some(globals) = module_globals.filter(|globals| !is_none(globals)) {
            let Some(globals) = globals.downcast::<PyDictObject>() else {
                let found = globals.ty().name();
                return Err(raise!(TypeError, "module_globals must be a dict, not '{found}'"));
            };
            source_line = loaded_source_line(globals, i64::from(lineno))?;
        }
        let category = category_of(message, Some(category))?;
        let place = Place {
            filename: filename.as_object(),
            lineno: i64::from(lineno),
            module,
            registry,
            source_line,
            source,
        };
        issue(&category, message, &place)
    }
    #[pyfunction("($module, /)")]
    fn _filters_mutated_lock_held() {
        FILTERS_VERSION.0.set(FILTERS_VERSION.0.get() + 1);
    }
    #[pyfunction("($module, /)")]
    fn _acquire_lock() {
        let me = this_thread();
        if let Ok(mut state) = LOCK.state.try_lock()
            && (state.1 == 0 || state.0 == me)
        {
            *state = (me, state.1 + 1);
            return;
        }
        adder_runtime::thread::allow_threads(|| {
            let Ok(mut state) = LOCK.state.lock() else { return };
            while state.1 != 0 && state.0 != me {
                match LOCK.released.wait(state) {
                    Ok(next) => state = next,
                    Err(_) => return,
                }
            }
            *state = (me, state.1 + 1);
        });
    }
    #[pyfunction("($module, /)")]
    fn _release_lock() -> PyResult<()> {
        let Ok(mut state) = LOCK.state.lock() else { return Ok(()) };
        if state.1 == 0 || state.0 != this_thread() {
            return Err(raise!(RuntimeError, "cannot release un-acquired lock"));
        }
        state.1 -= 1;
        if state.1 == 0 {
            LOCK.released.notify_one();
        }
        Ok(())
    }
}
