//! A module in several files: each part is a `#[pymodule]` of its own, whose functions and constants the main part adds
//! to itself.

use adder_runtime::module::{ModuleDef, add_functions, add_object, exec_def};
use adder_runtime::prelude::*;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Adds the functions, constants and types of a part.
pub fn add_part(module: &PyModuleObject, part: &'static ModuleDef) -> PyResult<()> {
    let name = module.name()?;
    add_functions(module.as_object(), name.as_object(), part.m_methods.get())?;
    exec_def(module.as_object(), part)
}

/// Adds integer constants of the C library by their own names: `libc_constants!(module; O_RDONLY, O_CREAT)`.
macro_rules! libc_constants {
    ($module:expr; $($name:ident),* $(,)?) => {
        for (name, value) in [$((stringify!($name), libc::$name as i64)),*] {
            $crate::module_parts::add_int($module, name, value)?;
        }
    };
}

/// Adds integer constants given as `NAME = value`.
macro_rules! int_constants {
    ($module:expr; $($name:ident = $value:expr),* $(,)?) => {
        for (name, value) in [$((stringify!($name), $value as i64)),*] {
            $crate::module_parts::add_int($module, name, value)?;
        }
    };
}

/// Adds one integer constant.
pub fn add_int(module: &PyModuleObject, name: &str, value: i64) -> PyResult<()> {
    add_object(module, name, PyLongObject::from_i64(value).into_object())
}

/// Adds a type under the last part of its name.
pub fn add_ready_type(module: &PyModuleObject, ty: &'static PyTypeObject) -> PyResult<()> {
    module.add(&ty.short_name(), ty.as_object().to_ref())
}

/// A type that is made on first use and lives for ever.
pub struct LazyType(AtomicPtr<PyTypeObject>);

impl LazyType {
    pub const fn new() -> LazyType {
        LazyType(AtomicPtr::new(std::ptr::null_mut()))
    }
    pub fn get(
        &self,
        make: impl FnOnce() -> PyResult<&'static PyTypeObject>,
    ) -> PyResult<&'static PyTypeObject> {
        let known = self.0.load(Ordering::Acquire);
        if !known.is_null() {
            // SAFETY: set only to a type that lives for ever.
            return Ok(unsafe { &*known });
        }
        let ty = make()?;
        self.0
            .store((ty as *const PyTypeObject).cast_mut(), Ordering::Release);
        Ok(ty)
    }
}

impl Default for LazyType {
    fn default() -> Self {
        LazyType::new()
    }
}

/// Declares functions that give struct sequence types.
macro_rules! struct_sequences {
    ($($function:ident = $name:literal, $doc:literal, $n_in_sequence:literal: [$($field:tt),* $(,)?];)*) => {$(
        pub fn $function() -> PyResult<&'static PyTypeObject> {
            static TYPE: $crate::module_parts::LazyType = $crate::module_parts::LazyType::new();
            TYPE.get(|| adder_runtime::objects::structseq::new_type(&adder_runtime::objects::structseq::Desc {
                name: $name,
                doc: $doc,
                fields: &[$($crate::module_parts::struct_field!($field)),*],
                n_in_sequence: $n_in_sequence,
                instantiable: true,
            }))
        }
    )*};
}

/// A field: its name, with or without a docstring, or `_` for none.
macro_rules! struct_field {
    (_) => {
        adder_runtime::objects::structseq::Field::unnamed("")
    };
    ($name:literal) => {
        adder_runtime::objects::structseq::Field::new($name, "")
    };
    (($name:literal, $doc:literal)) => {
        adder_runtime::objects::structseq::Field::new($name, $doc)
    };
}

pub(crate) use {int_constants, libc_constants, struct_field, struct_sequences};

/// A new exception class, as a `class` statement would make it.
pub fn new_exception(module: &str, name: &str, bases: &[&PyObject]) -> PyResult<&'static PyTypeObject> {
    let bases = PyTupleObject::from_slice(bases);
    let namespace = PyDictObject::new();
    namespace.set_str(
        identifier!("__module__"),
        PyUnicodeObject::from_str(module).as_object(),
    )?;
    let name = PyUnicodeObject::from_str(name);
    let class = adder_runtime::PyType_Type.as_object().call(&[
        name.as_object(),
        bases.as_object(),
        namespace.as_object(),
    ])?;
    // SAFETY: `type(...)` made a type; its count is kept for ever.
    Ok(unsafe { &*class.into_raw().cast::<PyTypeObject>() })
}
