//! `_decimal`: decimal floating-point arithmetic.
//!
//! `number`, `arith` and `transcendental` are the arithmetic and know nothing of Python; `object` and `context` are the two types,
//! `convert` and `format` what goes in and comes out as Python objects, `signals` the exceptions.

pub mod arith;
pub mod context;
pub mod convert;
pub mod format;
pub mod number;
pub mod object;
pub mod signals;
pub mod transcendental;

#[cfg(test)]
mod tests;

use crate::util::Kept;
use adder_runtime::hooks::import_module;
use adder_runtime::prelude::*;

/// The widest interchange format that `IEEEContext` knows.
const IEEE_MAX_BITS: i64 = 512;

/// The named tuple of a number's parts.
fn decimal_tuple() -> PyResult {
    static CLASS: Kept = Kept::new();
    CLASS.get_or_make(|| {
        let namedtuple = import_module("collections")?.get_attr_str("namedtuple")?;
        let name = PyUnicodeObject::from_str("DecimalTuple");
        let fields = PyUnicodeObject::from_str("sign digits exponent");
        let module = PyUnicodeObject::from_str("decimal");
        namedtuple.call_kw(
            &[name.as_object(), fields.as_object()],
            &[("module", module.as_object())],
        )
    })
}

/// Decimal floating-point arithmetic.
#[pymodule(name = "_decimal", types = [super::object::DECIMAL_TYPE, super::context::CONTEXT_TYPE])]
pub mod _decimal {
    use super::*;
    use adder_runtime::module::add_object;

    #[pyconst]
    const MAX_PREC: i64 = number::MAX_PREC;
    #[pyconst]
    const MAX_EMAX: i64 = number::MAX_EMAX;
    #[pyconst]
    const MIN_EMIN: i64 = number::MIN_EMIN;
    #[pyconst]
    const MIN_ETINY: i64 = number::MIN_ETINY;
    #[pyconst]
    const IEEE_CONTEXT_MAX_BITS: i64 = IEEE_MAX_BITS;
    #[pyconst]
    const HAVE_THREADS: bool = true;
    #[pyconst]
    const HAVE_CONTEXTVAR: bool = true;
    /// The version of the specification.
    #[pyconst]
    const __version__: &str = "1.70";
    /// The version of the C library whose behaviour this is.
    #[pyconst]
    const __libmpdec_version__: &str = "2.5.1";

    /// The current context.
    #[pyfunction("($module, /)")]
    fn getcontext() -> PyResult<Ref<context::Context>> {
        context::current()
    }
    /// Makes a context the current one.
    #[pyfunction("($module, context, /)")]
    fn setcontext(context: &PyObject) -> PyResult<()> {
        context::set_current(context)
    }
    /// A manager that makes a copy of ctx, or of the current context, the current one; keywords change its attributes.
    #[pyfunction("($module, /, ctx=None, **kwargs)")]
    fn localcontext(ctx: Option<&PyObject>, kwargs: Option<&PyDictObject>) -> PyResult<Ref<context::ContextManager>> {
        context::local(ctx, kwargs)
    }
    /// A context for the IEEE 754 interchange format of so many bits.
    #[pyfunction("($module, bits, /)", name = "IEEEContext")]
    fn ieee_context(bits: &PyObject) -> PyResult<Ref<context::Context>> {
        context::ieee(bits)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        signals::add_classes(module)?;
        for (name, _) in number::Rounding::ALL {
            add_object(module, name, PyUnicodeObject::intern_immortal(name).to_ref().into_object())?;
        }
        add_object(module, "DecimalTuple", decimal_tuple()?)?;
        let number = import_module("numbers")?.get_attr_str("Number")?;
        number.call_method(identifier!("register"), &[object::DECIMAL_TYPE.as_object()])?;
        context::add_templates(module)
    }
}
