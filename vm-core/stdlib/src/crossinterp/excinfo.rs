//! An exception -> what other interpreters are told of it: its type's names, its message and the text of its traceback.

use adder_runtime::hooks::import_module;
use adder_runtime::objects::namespaceobject::new_namespace;
use adder_runtime::prelude::*;

/// A snapshot of an exception.
pub struct Captured {
    name: String,
    qualname: String,
    module: Option<String>,
    message: Ref<PyUnicodeObject>,
    /// As `traceback` prints it, without the end of the last line.
    display: Option<Ref<PyUnicodeObject>>,
}

fn text_attribute(object: &PyObject, name: &str) -> PyResult<Option<String>> {
    let value = object.get_attr_str(name)?;
    Ok(value
        .downcast::<PyUnicodeObject>()
        .ok()
        .map(|text| text.to_string_lossy()))
}

fn str_object(text: &str) -> Ref {
    PyUnicodeObject::from_str(text).into_object()
}

/// The text that `traceback` prints.
fn display(exception: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
    let class = import_module("traceback")?.get_attr_str("TracebackException")?;
    let traceback = class.call_method(identifier!("from_exception"), &[exception])?;
    let lines = traceback.call_method(identifier!("format"), &[])?;
    let text = PyUnicodeObject::empty()
        .as_object()
        .call_method(identifier!("join"), &[&lines])?;
    let text = text.str()?;
    let n = text.len();
    Ok(match n > 0 && text.char_at(n - 1) == u32::from('\n') {
        true => text.substring(0, n - 1),
        false => text,
    })
}

impl Captured {
    /// Of an exception of the current interpreter.
    pub fn of(exception: &PyObject) -> PyResult<Captured> {
        let class = exception.ty().as_object();
        Ok(Captured {
            name: text_attribute(class, "__name__")?.unwrap_or_default(),
            qualname: text_attribute(class, "__qualname__")?.unwrap_or_default(),
            module: text_attribute(class, "__module__")?,
            message: exception.str()?,
            // Without the module `traceback` there is none.
            display: display(exception).map_err(Raised::clear).ok(),
        })
    }

    /// As `of`; what goes wrong meanwhile leaves the type's name alone.
    pub fn of_any(exception: &PyObject) -> Captured {
        Captured::of(exception).unwrap_or_else(|raised| {
            raised.clear();
            let name = exception.ty().short_name();
            Captured {
                qualname: name.clone(),
                name,
                module: Some("builtins".to_owned()),
                message: PyUnicodeObject::from_str("<exception str() failed>"),
                display: None,
            }
        })
    }

    /// `module.Class: message`.
    pub fn formatted(&self) -> String {
        let message = self.message.to_string_lossy();
        let name = &self.qualname;
        match self.module.as_deref() {
            None | Some("builtins" | "__main__") => format!("{name}: {message}"),
            Some(module) => format!("{module}.{name}: {message}"),
        }
    }

    /// An exception of the current interpreter that tells of this one, as a cause.
    pub fn as_exception(&self) -> PyResult {
        let text = match &self.display {
            Some(text) => text.clone(),
            None => PyUnicodeObject::from_string(self.formatted()),
        };
        adder_runtime::exceptions::exc::Exception
            .as_object()
            .call1(text.as_object())
    }

    /// The namespace that `_interpreters.exec` and its like give.
    pub fn to_namespace(&self) -> PyResult {
        let class = PyDictObject::new();
        let module = self.module.as_deref().map_or_else(none_ref, str_object);
        let rows = [
            ("__name__", str_object(&self.name)),
            ("__qualname__", str_object(&self.qualname)),
            ("__module__", module),
        ];
        for (name, value) in rows {
            class.set(&str_object(name), &value)?;
        }
        let all = PyDictObject::new();
        let mut rows = vec![
            ("type", new_namespace(&class)?),
            ("msg", self.message.clone().into_object()),
            ("formatted", str_object(&self.formatted())),
        ];
        rows.extend(
            self.display
                .clone()
                .map(|text| ("errdisplay", text.into_object())),
        );
        for (name, value) in rows {
            all.set(&str_object(name), &value)?;
        }
        new_namespace(&all)
    }
}
