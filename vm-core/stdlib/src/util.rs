//! What several modules need: exception classes made at import, and objects that live as long as the process.

use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;

/// An object that is made once and kept for ever.
#[derive(Default)]
pub struct Kept(ObjectCell);

impl adder_runtime::per_interpreter::Exchange for Kept {
    fn exchange(&self, other: &Kept) {
        self.0.exchange(&other.0);
    }
}

impl Kept {
    pub const fn new() -> Kept {
        Kept(ObjectCell::new(None))
    }
    /// What is kept; made first when nothing is.
    pub fn get_or_make(&self, make: impl FnOnce() -> PyResult) -> PyResult {
        if let Some(object) = self.0.get() {
            return Ok(object);
        }
        let object = make()?;
        self.0.set(Some(object.clone()));
        Ok(object)
    }
    pub fn get(&self) -> Option<Ref> {
        self.0.get()
    }
    pub fn set(&self, object: Ref) {
        self.0.set(Some(object));
    }
}

/// An exception class of a module, made on first use in each interpreter.
pub struct ExceptionClass {
    name: &'static str,
    base: fn() -> &'static PyTypeObject,
    class: PerInterpreter<Kept>,
}

impl ExceptionClass {
    /// `name` is `module.Class`.
    pub const fn new(name: &'static str, base: fn() -> &'static PyTypeObject) -> ExceptionClass {
        ExceptionClass {
            name,
            base,
            class: PerInterpreter::new(Kept::new()),
        }
    }
    pub fn get(&'static self) -> PyResult {
        self.class
            .here()
            .get_or_make(|| new_class(self.name, (self.base)()))
    }
    /// The class as a type, which lives as long as the interpreter.
    pub fn ty(&'static self) -> PyResult<&'static PyTypeObject> {
        // SAFETY: `type()` made the class, and the interpreter keeps it.
        self.get()
            .map(|class| unsafe { &*class.as_raw().cast::<PyTypeObject>() })
    }
    /// Whether the exception in flight is one of this class.
    pub fn matches(&'static self, raised: &Raised) -> bool {
        self.class.here().get().is_some_and(|class| {
            // SAFETY: as in `ty`.
            raised.matches(unsafe { &*class.as_raw().cast::<PyTypeObject>() })
        })
    }
    #[cold]
    pub fn raise(&'static self, message: impl AsRef<str>) -> Raised {
        match self.get() {
            Ok(class) => {
                let text = PyUnicodeObject::from_str(message.as_ref());
                adder_runtime::error::set_object(&class, Some(text.as_object()))
            }
            Err(raised) => raised,
        }
    }
}

/// `type(name, (base,), {"__module__": module})`.
pub fn new_class(name: &str, base: &PyTypeObject) -> PyResult {
    let (module, name) = name.rsplit_once('.').unwrap_or(("builtins", name));
    let dict = PyDictObject::new();
    dict.set_str(
        identifier!("__module__"),
        PyUnicodeObject::from_str(module).as_object(),
    )?;
    let bases = PyTupleObject::from_slice(&[base.as_object()]);
    adder_runtime::PyType_Type.as_object().call(&[
        PyUnicodeObject::from_str(name).as_object(),
        bases.as_object(),
        dict.as_object(),
    ])
}

/// An argument that may be a bytes-like object or an ASCII string.
pub enum AsciiBuffer<'a> {
    Text(&'a [u8]),
    Bytes(adder_runtime::objects::buffer::BytesArg<'a>),
}

impl AsciiBuffer<'_> {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            AsciiBuffer::Text(text) => text,
            AsciiBuffer::Bytes(bytes) => bytes.as_bytes(),
        }
    }
}

impl<'a> adder_runtime::args::FromArg<'a> for AsciiBuffer<'a> {
    fn from_arg(arg: &'a PyObject, _: &'static adder_runtime::args::Signature, _: usize) -> PyResult<Self> {
        if let Some(text) = arg.downcast::<PyUnicodeObject>() {
            return match text.ascii_str() {
                Some(text) => Ok(AsciiBuffer::Text(text.as_bytes())),
                None => Err(raise!(
                    ValueError,
                    "string argument should contain only ASCII characters"
                )),
            };
        }
        if !adder_runtime::objects::buffer::has_buffer(arg) {
            let found = arg.ty().full_name();
            return Err(raise!(
                TypeError,
                "argument should be bytes, buffer or ASCII string, not '{found}'"
            ));
        }
        Ok(AsciiBuffer::Bytes(adder_runtime::objects::buffer::BytesArg::of(
            arg,
        )?))
    }
}
