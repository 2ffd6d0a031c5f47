//! A shared library -> a module: dlopen, the init function, both ways of initialising (PEP 489), and what `PyState_*` remembers.

use crate::export::str_from_utf8;
use adder_interp::interpreters;
use adder_runtime::module::{
    check_definition_allowed, check_extensions_allowed, exec_def, from_def_and_spec, swap_package_context,
};
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};

/// Modules of single-phase definitions in an interpreter, by definition.
type StateModules = RefCell<Option<HashMap<usize, Ref>>>;
static STATE_MODULES: PerInterpreter<StateModules> = PerInterpreter::new(RefCell::new(None));

/// What the loader remembers for the process; the GIL orders all access.
#[derive(Default)]
struct Loaded {
    /// Single-phase modules by path and name.
    single_phase: HashMap<(String, String), SinglePhase>,
}

/// What a further import of a single-phase module needs.
struct SinglePhase {
    init: PyModInitFunction,
    def: usize,
    /// The module's dict after its init function, for modules that cannot be initialised twice.
    contents: Option<Ref<PyDictObject>>,
}

struct Registry(RefCell<Option<Loaded>>);
// SAFETY: the GIL orders all access.
unsafe impl Sync for Registry {}
static LOADED: Registry = Registry(RefCell::new(None));

fn with_loaded<T>(f: impl FnOnce(&mut Loaded) -> T) -> T {
    f(LOADED.0.borrow_mut().get_or_insert_default())
}

/// The module that belongs to a definition; borrowed.
pub fn state_module(def: *mut PyModuleDef) -> *mut PyObject {
    let modules = STATE_MODULES.here().borrow();
    let module = modules.as_ref().and_then(|modules| modules.get(&(def as usize)));
    module.map_or(std::ptr::null_mut(), |module| module.as_raw())
}

pub fn set_state_module(def: *mut PyModuleDef, module: Option<Ref>) {
    let mut modules = STATE_MODULES.here().borrow_mut();
    let known = modules.get_or_insert_default();
    let old = match module {
        Some(module) => known.insert(def as usize, module),
        None => known.remove(&(def as usize)),
    };
    drop(modules);
    drop(old);
}

/// `PyInit_name`, or `PyInitU_…` with punycode for a name that is not ASCII.
fn init_function_name(module_name: &str) -> CString {
    let last = module_name.rsplit('.').next().unwrap_or(module_name);
    let name = if last.is_ascii() {
        format!("PyInit_{last}")
    } else {
        format!("PyInitU_{}", punycode(last).replace('-', "_"))
    };
    CString::new(name).unwrap_or_default()
}

/// RFC 3492: the ASCII characters, then the others as differences.
fn punycode(text: &str) -> String {
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let n_basic = out.len() as u32;
    if n_basic > 0 {
        out.push('-');
    }
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    let (mut code, mut delta, mut bias, mut n_handled) = (128u32, 0u32, 72u32, n_basic);
    while (n_handled as usize) < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= code).min().unwrap_or(code);
        delta += (next - code) * (n_handled + 1);
        code = next;
        for &c in &chars {
            if c < code {
                delta += 1;
            }
            if c == code {
                push_variable(&mut out, delta, bias);
                bias = adapt(delta, n_handled + 1, n_handled == n_basic);
                delta = 0;
                n_handled += 1;
            }
        }
        delta += 1;
        code += 1;
    }
    out
}

fn push_variable(out: &mut String, mut value: u32, bias: u32) {
    let digit = |value: u32| {
        (if value < 26 {
            b'a' + value as u8
        } else {
            b'0' + value as u8 - 26
        }) as char
    };
    let mut k = 36;
    loop {
        let threshold = k.max(bias + 1).min(bias + 26) - bias;
        if value < threshold {
            out.push(digit(value));
            return;
        }
        out.push(digit(threshold + (value - threshold) % (36 - threshold)));
        value = (value - threshold) / (36 - threshold);
        k += 36;
    }
}

fn adapt(delta: u32, n_chars: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / n_chars;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

fn import_error(message: String, name: &str, path: &str) -> Raised {
    let (name, path) = (PyUnicodeObject::from_str(name), PyUnicodeObject::from_str(path));
    let message = PyUnicodeObject::from_string(message);
    let class = adder_runtime::exceptions::exc::ImportError.as_object();
    match class.call_kw(
        &[message.as_object()],
        &[("name", name.as_object()), ("path", path.as_object())],
    ) {
        Ok(exception) => adder_runtime::error::set_object(class, Some(&exception)),
        Err(raised) => raised,
    }
}

/// Opens the library and finds its init function.
fn find_init(name: &str, path: &str) -> PyResult<PyModInitFunction> {
    let function_name = init_function_name(name);
    // A path without a slash would be searched for along the library path.
    let file = if path.contains('/') {
        path.to_string()
    } else {
        format!("./{path}")
    };
    let Ok(c_path) = CString::new(file) else {
        return Err(raise!(ValueError, "embedded null byte"));
    };
    let flags = crate::sysmodule::dlopen_flags();
    // SAFETY: a terminated path; the library's initialisers run as they would anywhere.
    let handle = unsafe { libc::dlopen(c_path.as_ptr(), flags) };
    if handle.is_null() {
        // SAFETY: dlerror gives a terminated text after a failure.
        let message = unsafe { CStr::from_ptr(libc::dlerror()) }
            .to_string_lossy()
            .into_owned();
        return Err(import_error(message, name, path));
    }
    // SAFETY: the handle is open.
    let function = unsafe { libc::dlsym(handle, function_name.as_ptr()) };
    if function.is_null() {
        let message = format!(
            "dynamic module does not define module export function ({})",
            function_name.to_string_lossy()
        );
        return Err(import_error(message, name, path));
    }
    // SAFETY: a module's export function has this type.
    Ok(unsafe { std::mem::transmute::<*mut c_void, PyModInitFunction>(function) })
}

/// `_imp.create_dynamic(spec, file)`: a module, or for single-phase modules the finished one.
pub fn create_dynamic(spec: &PyObject, origin: &PyObject) -> PyResult {
    static FLAGS: std::sync::Once = std::sync::Once::new();
    FLAGS.call_once(crate::initconfig::init_flags);
    let name_object = spec.get_attr(identifier!("name"))?;
    let name = name_object.str()?.to_string_lossy();
    let has_null = |text: &PyObject| {
        text.downcast::<PyUnicodeObject>()
            .is_some_and(|text| text.code_points().any(|code| code == 0))
    };
    if has_null(&name_object) || has_null(origin) {
        return Err(raise!(ValueError, "embedded null character"));
    }
    let path = crate::osmodule::fs_bytes(origin)?;
    let path = String::from_utf8_lossy(path.as_bytes()).into_owned();
    let key = (path, name);
    let known = with_loaded(|loaded| {
        loaded
            .single_phase
            .get(&key)
            .map(|known| (known.init, known.def, known.contents.clone()))
    });
    if let Some((init, def, contents)) = known {
        check_extensions_allowed(&key.1)?;
        return load_again(&name_object, &key, init, def, contents);
    }
    let init = find_init(&key.1, &key.0)?;
    if thread::interpreter().is_main() {
        return match start(init, key)? {
            Started::Phases(def) => from_def_and_spec(def, spec),
            Started::Finished(module) => Ok(module),
        };
    }
    // A module may be initialised in one phase, which is done in the main interpreter first, so that what it makes but once
    // does not end with another one.
    let started = {
        let entered = interpreters::enter(&INTERPRETER);
        let started = start(init, key.clone()).map(|started| match started {
            Started::Phases(def) => Some(def),
            Started::Finished(_) => None,
        });
        let started = started.map_err(|raised| {
            adder_runtime::error::write_unraisable(raised, None, None);
        });
        drop(entered);
        started
    };
    match started {
        Ok(Some(def)) => {
            check_definition_allowed(def, &key.1)?;
            from_def_and_spec(def, spec)
        }
        Ok(None) => {
            check_extensions_allowed(&key.1)?;
            create_dynamic(spec, origin)
        }
        Err(()) => Err(raise!(
            ImportError,
            "failed to import from subinterpreter due to exception"
        )),
    }
}

/// What an init function gave.
enum Started {
    /// A definition, whose slots are still to be run.
    Phases(&'static PyModuleDef),
    /// A module, remembered for further imports.
    Finished(Ref),
}

fn start(init: PyModInitFunction, key: (String, String)) -> PyResult<Started> {
    let result = run_init(init, &key.1)?;
    if std::ptr::eq(
        result.ty(),
        &adder_runtime::objects::moduleobject::PyModuleDef_Type,
    ) {
        // SAFETY: the type says so; definitions are static.
        return Ok(Started::Phases(unsafe {
            &*result.as_raw().cast::<PyModuleDef>()
        }));
    }
    finish_single_phase(result, key, init).map(Started::Finished)
}

/// Calls a module's init function.
fn run_init(init: PyModInitFunction, name: &str) -> PyResult {
    let outer = swap_package_context(Some(name.to_owned()));
    // SAFETY: the init function's contract is the manual's.
    let result = unsafe { init() };
    swap_package_context(outer);
    if result.is_null() {
        if adder_runtime::error::occurred() {
            return Err(Raised::assume());
        }
        return Err(raise!(
            SystemError,
            "initialization of {name} failed without raising an exception"
        ));
    }
    // SAFETY: an object, or memory that should have become one by `PyModuleDef_Init`.
    if unsafe { (*result).ob_type.get().is_null() } {
        return Err(raise!(
            SystemError,
            "init function of {name} returned uninitialized object"
        ));
    }
    // SAFETY: a new reference.
    let result = unsafe { Ref::from_owned(result) };
    if adder_runtime::error::occurred() {
        return Err(adder_runtime::module::raise_from(format!(
            "initialization of {name} raised unreported exception"
        )));
    }
    Ok(result)
}

/// A further import of a single-phase module. One without state of its own (`m_size` of -1) is not initialised again: it gets
/// what the first had in its dict.
fn load_again(
    name: &PyObject,
    key: &(String, String),
    init: PyModInitFunction,
    def: usize,
    contents: Option<Ref<PyDictObject>>,
) -> PyResult {
    let modules = adder_interp::import::modules()?;
    let module = match contents {
        Some(contents) => {
            let known = adder_interp::import::get_module(&modules, name)?;
            let module = match known.filter(|known| known.downcast_ref_module().is_some()) {
                Some(known) => known,
                None => PyModuleObject::with_name_object(name)?.into_object(),
            };
            crate::moduleobject::dict_of(&module)?.update(contents.as_object())?;
            module
        }
        None => run_init(init, &key.1)?,
    };
    modules.set_item(name, &module)?;
    if let Some(object) = module.downcast_ref_module() {
        if object.md_def.get().is_null() {
            object.md_def.set(def as *mut PyModuleDef);
        }
        let file = str_from_utf8(key.0.as_bytes())?;
        module.set_attr(identifier!("__file__"), file.as_object())?;
    }
    if def != 0 {
        set_state_module(def as *mut PyModuleDef, Some(module.clone()));
    }
    Ok(module)
}

/// Forgets a single-phase module, so that it is loaded as if for the first time.
pub fn forget(name: &str, path: &str) {
    let key = (path.to_owned(), name.to_owned());
    let known = with_loaded(|loaded| loaded.single_phase.remove(&key));
    if let Some(known) = known {
        set_state_module(known.def as *mut PyModuleDef, None);
    }
}

/// Remembers a module that its init function has filled.
fn finish_single_phase(result: Ref, key: (String, String), init: PyModInitFunction) -> PyResult {
    let def = match result.downcast_ref_module() {
        Some(module) => module.md_def.get(),
        None => {
            let name = &key.1;
            return Err(raise!(
                SystemError,
                "initialization of {name} did not return an extension module"
            ));
        }
    };
    let file = str_from_utf8(key.0.as_bytes())?;
    result.set_attr(identifier!("__file__"), file.as_object())?;
    if !def.is_null() {
        set_state_module(def, Some(result.clone()));
    }
    // SAFETY: definitions are static.
    let is_stateless = unsafe { def.as_ref() }.is_none_or(|def| def.m_size.get() == -1);
    let contents = match is_stateless {
        true => Some(crate::moduleobject::dict_of(&result)?.copy()?),
        false => None,
    };
    let known = SinglePhase {
        init,
        def: def as usize,
        contents,
    };
    with_loaded(|loaded| loaded.single_phase.insert(key, known));
    Ok(result)
}

trait AsModule {
    fn downcast_ref_module(&self) -> Option<&PyModuleObject>;
}
impl AsModule for PyObject {
    fn downcast_ref_module(&self) -> Option<&PyModuleObject> {
        self.downcast::<PyModuleObject>()
    }
}

/// `_imp.exec_dynamic(module)`: runs the execution slots, once.
pub fn exec_dynamic(module: &PyObject) -> PyResult<()> {
    let Some(object) = module.downcast::<PyModuleObject>() else {
        return Ok(());
    };
    // SAFETY: definitions are static.
    let Some(def) = (unsafe { object.md_def.get().as_ref() }) else {
        return Ok(());
    };
    if !object.md_state.get().is_null() {
        // The state is made just before the slots run: they have run already.
        return Ok(());
    }
    exec_def(module, def)
}

/// Lets the import system load extension modules.
pub fn install() {
    crate::pystate::install();
    adder_interp::import::DYNAMIC_LOADER.get_or_init(|| create_dynamic);
    adder_interp::import::FORGET_EXTENSION.get_or_init(|| forget);
}
