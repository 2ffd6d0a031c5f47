//! Objects that go pickled. What was pickled by a name of the sender's `__main__` is looked for in the receiver's; when it is not
//! there, the sender's script is run once in a module that stands for it, whose name says that it is none.

use super::{Item, not_shareable};
use adder_runtime::exceptions::exc;
use adder_runtime::hooks::import_module;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;

pub struct Pickled {
    bytes: Ref<PyBytesObject>,
    /// The script that the sender runs as `__main__`.
    main_file: Option<Ref<PyUnicodeObject>>,
}

const FAKE_MAIN: &str = "<fake __main__>";

/// By file, the modules that stand for the `__main__` of other interpreters.
static FAKE_MAINS: PerInterpreter<ObjectCell<PyDictObject>> = PerInterpreter::new(ObjectCell::new(None));

/// The pickled form of an object; NotShareableError.
pub fn share_pickled(object: &PyObject) -> PyResult<Item> {
    let dumped = import_module("pickle")?.call_method(identifier!("dumps"), &[object]);
    let dumped =
        dumped.map_err(|raised| not_shareable("object could not be pickled", Some(raised.take())))?;
    let Ok(bytes) = dumped.downcast::<PyBytesObject>() else {
        return Err(raise!(TypeError, "pickle.dumps() did not give bytes"));
    };
    let main_file = main_file()?;
    Ok(Item::Pickled(Pickled { bytes, main_file }))
}

/// `__main__.__file__`.
fn main_file() -> PyResult<Option<Ref<PyUnicodeObject>>> {
    let Some(main) = adder_interp::import::loaded_module(identifier!("__main__")) else {
        return Ok(None);
    };
    let file = main.get_attr_opt(identifier!("__file__"))?;
    Ok(file.and_then(|file| file.downcast::<PyUnicodeObject>().ok()))
}

/// Whether unpickling failed since `__main__` has not what was asked for.
fn is_missing_in_main(exception: &PyObject) -> bool {
    if !exception.is_instance_of(exc::AttributeError) {
        return false;
    }
    let text = exception.str().map(|text| text.to_string_lossy());
    let text = text.unwrap_or_else(|raised| {
        raised.clear();
        String::new()
    });
    text.contains("module '__main__'")
}

impl Pickled {
    fn loads(&self) -> PyResult {
        import_module("pickle")?.call_method(identifier!("loads"), &[self.bytes.as_object()])
    }

    pub fn receive(&self) -> PyResult {
        let exception = match self.loads() {
            Ok(object) => return Ok(object),
            Err(raised) => raised.take(),
        };
        let again = match &self.main_file {
            Some(file) if is_missing_in_main(&exception) => self.loads_with_fake_main(file),
            _ => Err(adder_runtime::error::restore(exception)),
        };
        again.map_err(|raised| not_shareable("object could not be unpickled", Some(raised.take())))
    }

    fn loads_with_fake_main(&self, file: &PyUnicodeObject) -> PyResult {
        let fake = fake_main(file)?;
        let modules = adder_interp::import::modules()?;
        let name = identifier!("__main__");
        let main = adder_interp::import::get_module(&modules, name.as_object())?;
        modules.set_item(name.as_object(), &fake)?;
        let result = self.loads();
        let restored = adder_runtime::error::preserving_exception(|| match &main {
            Some(main) => modules.set_item(name.as_object(), main),
            None => modules.del_item(name.as_object()),
        });
        result.and_then(|object| restored.map(|()| object))
    }
}

/// The module that stands for another interpreter's `__main__`.
fn fake_main(file: &PyUnicodeObject) -> PyResult {
    let cell = FAKE_MAINS.here();
    let known = cell.get().unwrap_or_else(|| {
        let known = PyDictObject::new();
        cell.set(Some(known.clone()));
        known
    });
    if let Some(fake) = known.get(file.as_object())? {
        return Ok(fake);
    }
    let name = PyUnicodeObject::from_str(FAKE_MAIN);
    let run_path = import_module("runpy")?.get_attr_str("run_path")?;
    let namespace = run_path.call_kw(&[file.as_object()], &[("run_name", name.as_object())])?;
    let module = PyModuleObject::new(FAKE_MAIN)?;
    module.dict().update(&namespace)?;
    known.set(file.as_object(), module.as_object())?;
    Ok(module.into_object())
}
