//! `_pickle`: objects -> a stream of instructions for a stack machine, and back.
//!
//! `save` and `save_object` write through `output`; `load` and `load_object` read through `input`; `pickler` and `unpickler` are
//! the Python types around them. `pickle` in Lib has the same in Python, whose words this follows. Tests: CPython's
//! `test_pickle`, `test_pickletools`, `test_copyreg`.

mod input;
mod load;
mod load_object;
mod memo;
mod opcode;
mod output;
mod pickler;
mod save;
mod save_object;
mod unpickler;

use crate::util::{ExceptionClass, Kept};
use adder_runtime::exceptions::{add_note, exc};
use adder_runtime::objects::picklebufobject::PyPickleBuffer_Type;
use adder_runtime::per_interpreter::{Exchange, PerInterpreter};
use adder_runtime::prelude::*;

static PICKLE_ERROR: ExceptionClass = ExceptionClass::new("_pickle.PickleError", || exc::Exception);
static PICKLING_ERROR: ExceptionClass = ExceptionClass::new("_pickle.PicklingError", pickle_error_type);
static UNPICKLING_ERROR: ExceptionClass = ExceptionClass::new("_pickle.UnpicklingError", pickle_error_type);

/// The base of the two errors; `exec` makes it first.
fn pickle_error_type() -> &'static PyTypeObject {
    match PICKLE_ERROR.get() {
        // SAFETY: `PICKLE_ERROR` keeps the class as long as the interpreter is there, and what `type()` made is a type.
        Ok(class) => unsafe { &*class.as_raw().cast::<PyTypeObject>() },
        Err(raised) => {
            raised.clear();
            exc::Exception
        }
    }
}

/// What pickling needs from the library's Python modules: read once in an interpreter, when the module is made.
#[derive(Default)]
struct Links {
    dispatch_table: ObjectCell<PyDictObject>,
    extension_registry: ObjectCell<PyDictObject>,
    inverted_registry: ObjectCell<PyDictObject>,
    extension_cache: ObjectCell<PyDictObject>,
    name_mapping: ObjectCell<PyDictObject>,
    import_mapping: ObjectCell<PyDictObject>,
    reverse_name_mapping: ObjectCell<PyDictObject>,
    reverse_import_mapping: ObjectCell<PyDictObject>,
    encode: Kept,
    partial: Kept,
    getattr: Kept,
}

static LINKS: PerInterpreter<Links> = PerInterpreter::new(Links {
    dispatch_table: ObjectCell::new(None),
    extension_registry: ObjectCell::new(None),
    inverted_registry: ObjectCell::new(None),
    extension_cache: ObjectCell::new(None),
    name_mapping: ObjectCell::new(None),
    import_mapping: ObjectCell::new(None),
    reverse_name_mapping: ObjectCell::new(None),
    reverse_import_mapping: ObjectCell::new(None),
    encode: Kept::new(),
    partial: Kept::new(),
    getattr: Kept::new(),
});

impl Exchange for Links {
    fn exchange(&self, other: &Links) {
        self.dispatch_table.exchange(&other.dispatch_table);
        self.extension_registry.exchange(&other.extension_registry);
        self.inverted_registry.exchange(&other.inverted_registry);
        self.extension_cache.exchange(&other.extension_cache);
        self.name_mapping.exchange(&other.name_mapping);
        self.import_mapping.exchange(&other.import_mapping);
        self.reverse_name_mapping.exchange(&other.reverse_name_mapping);
        self.reverse_import_mapping.exchange(&other.reverse_import_mapping);
        self.encode.exchange(&other.encode);
        self.partial.exchange(&other.partial);
        self.getattr.exchange(&other.getattr);
    }
}

impl Links {
    fn fill(&self) -> PyResult<()> {
        let copyreg = [
            ("dispatch_table", &self.dispatch_table),
            ("_extension_registry", &self.extension_registry),
            ("_inverted_registry", &self.inverted_registry),
            ("_extension_cache", &self.extension_cache),
        ];
        let compat = [
            ("NAME_MAPPING", &self.name_mapping),
            ("IMPORT_MAPPING", &self.import_mapping),
            ("REVERSE_NAME_MAPPING", &self.reverse_name_mapping),
            ("REVERSE_IMPORT_MAPPING", &self.reverse_import_mapping),
        ];
        for (module_name, attributes) in [("copyreg", copyreg), ("_compat_pickle", compat)] {
            let module = adder_runtime::hooks::import_module(module_name)?;
            for (name, cell) in attributes {
                let value = module.get_attr_str(name)?;
                let dict = value.downcast::<PyDictObject>().map_err(|value| {
                    let found = value.ty().full_name();
                    raise!(RuntimeError, "{module_name}.{name} should be a dict, not {found}")
                })?;
                cell.set(Some(dict));
            }
        }
        let attribute = |module: &str, name: &str| adder_runtime::hooks::import_module(module)?.get_attr_str(name);
        self.encode.set(attribute("codecs", "encode")?);
        self.partial.set(attribute("functools", "partial")?);
        self.getattr.set(attribute("builtins", "getattr")?);
        Ok(())
    }
}

/// An entry of one of the dicts of `Links`.
fn linked(dict: &ObjectCell<PyDictObject>, key: &PyObject) -> PyResult<Option<Ref>> {
    match dict.get() {
        Some(dict) => dict.get(key),
        None => Ok(None),
    }
}

/// Adds a note to the exception of a failure.
#[inline]
fn noted<T>(result: PyResult<T>, note: impl FnOnce() -> String) -> PyResult<T> {
    match result {
        Ok(value) => Ok(value),
        Err(raised) => Err(add_note_to(raised, &note())),
    }
}

#[cold]
fn add_note_to(raised: Raised, note: &str) -> Raised {
    let exception = raised.take();
    if let Err(raised) = add_note(&exception, note) {
        raised.clear();
    }
    adder_runtime::error::restore(exception)
}

/// Raises another exception in place of the one in flight, which becomes its context.
#[cold]
fn replace_error(old: Raised, new: impl FnOnce() -> Raised) -> Raised {
    let old = old.take();
    let new = new().take();
    adder_runtime::exceptions::set_context(&new, Some(old));
    adder_runtime::error::restore(new)
}

/// `a.b.c` seen from an object.
fn attribute_path(object: &PyObject, path: &[Ref<PyUnicodeObject>]) -> PyResult {
    let mut object = object.to_ref();
    for name in path {
        object = object.get_attr(name)?;
    }
    Ok(object)
}

/// A dotted name, split.
fn split_dotted(name: &PyUnicodeObject) -> Vec<Ref<PyUnicodeObject>> {
    let mut parts = Vec::with_capacity(1);
    let mut start = 0;
    for at in 0..name.len() {
        if name.char_at(at) == u32::from(b'.') {
            parts.push(name.substring(start, at));
            start = at + 1;
        }
    }
    parts.push(if start == 0 { name.to_exact() } else { name.substring(start, name.len()) });
    parts
}

/// Optimized C implementation for the Python pickle module.
#[pymodule(name = "_pickle", types = [PICKLER_TYPE, UNPICKLER_TYPE])]
pub mod _pickle {
    pub use super::pickler::PICKLER_TYPE;
    pub use super::unpickler::UNPICKLER_TYPE;
    use super::*;
    use crate::pickle::pickler::Settings;
    use crate::pickle::unpickler::LoadSettings;

    #[pyconst]
    fn PickleBuffer() -> Ref {
        PyPickleBuffer_Type.to_object()
    }
    #[pyconst]
    fn PickleError() -> PyResult {
        PICKLE_ERROR.get()
    }
    #[pyconst]
    fn PicklingError() -> PyResult {
        PICKLING_ERROR.get()
    }
    #[pyconst]
    fn UnpicklingError() -> PyResult {
        UNPICKLING_ERROR.get()
    }
    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        LINKS.here().fill()
    }
    /// Write a pickled representation of obj to the open file object file.
    ///
    /// This is equivalent to Pickler(file, protocol).dump(obj), but may be more efficient.
    #[pyfunction("($module, /, obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dump(
        obj: &PyObject,
        file: &PyObject,
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<()> {
        let settings = Settings::new(protocol, fix_imports, buffer_callback)?;
        let write = pickler::write_of(file)?;
        let dump = save::Dump::new(&settings, Some(write));
        dump.finish_to_file(obj)
    }
    /// Return the pickled representation of the object as a bytes object.
    #[pyfunction("($module, /, obj, protocol=None, *, fix_imports=True, buffer_callback=None)")]
    fn dumps(
        obj: &PyObject,
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<Ref<PyBytesObject>> {
        let settings = Settings::new(protocol, fix_imports, buffer_callback)?;
        save::Dump::new(&settings, None).finish_to_bytes(obj)
    }
    /// Read and return an object from the pickle data stored in a file.
    ///
    /// This is equivalent to Unpickler(file).load(), but may be more efficient.
    #[pyfunction("($module, /, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn load(
        file: &PyObject,
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&PyObject>,
    ) -> PyResult {
        let settings = LoadSettings::new(fix_imports, encoding, errors, buffers)?;
        let input = input::Input::from_file(file)?;
        load::Load::new(input, &settings).run()
    }
    /// Read and return an object from the given pickle data.
    #[pyfunction("($module, data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
    fn loads(
        data: &PyObject,
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&PyObject>,
    ) -> PyResult {
        let settings = LoadSettings::new(fix_imports, encoding, errors, buffers)?;
        let input = input::Input::from_buffer(data)?;
        load::Load::new(input, &settings).run()
    }
}
