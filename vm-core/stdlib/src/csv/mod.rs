//! `_csv`: reading and writing comma-separated values.

mod dialect;
mod reader;
mod writer;

use crate::util::{ExceptionClass, Kept};
use adder_runtime::args::Kwargs;
use adder_runtime::exceptions::exc;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use dialect::Dialect;
use std::sync::atomic::{AtomicI64, Ordering};

static ERROR: ExceptionClass = ExceptionClass::new("_csv.Error", || exc::Exception);
static DIALECTS: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
static FIELD_LIMIT: AtomicI64 = AtomicI64::new(128 * 1024);

fn field_limit() -> i64 {
    FIELD_LIMIT.load(Ordering::Relaxed)
}

fn dialects() -> PyResult<Ref<PyDictObject>> {
    let dict = DIALECTS.here().get_or_make(|| Ok(PyDictObject::new().into_object()))?;
    dict.downcast::<PyDictObject>().map_err(|_| raise!(SystemError, "the registry of dialects is not a dict"))
}

/// The arguments of `reader` and `writer`: a first one, a dialect, and parameters of the dialect.
fn arguments<'a>(name: &str, args: &[&'a PyObject], kwargs: Kwargs<'_>) -> PyResult<(&'a PyObject, Ref<Dialect>)> {
    let (first, dialect) = match args {
        [] => return Err(raise!(TypeError, "{name} expected at least 1 argument, got 0")),
        [first] => (*first, None),
        [first, dialect] => (*first, Some(*dialect)),
        more => return Err(raise!(TypeError, "{name} expected at most 2 arguments, got {}", more.len())),
    };
    Ok((first, dialect::make(dialect, kwargs.to_dict()?.as_deref())?))
}

/// CSV parsing and writing.
#[pymodule(name = "_csv", types = [DIALECT_TYPE])]
pub mod _csv {
    pub use super::dialect::DIALECT_TYPE;
    use super::reader::{READER_TYPE, Reader};
    use super::writer::{WRITER_TYPE, Writer};
    use super::*;

    #[pyconst]
    const QUOTE_MINIMAL: i32 = 0;
    #[pyconst]
    const QUOTE_ALL: i32 = 1;
    #[pyconst]
    const QUOTE_NONNUMERIC: i32 = 2;
    #[pyconst]
    const QUOTE_NONE: i32 = 3;
    #[pyconst]
    const QUOTE_STRINGS: i32 = 4;
    #[pyconst]
    const QUOTE_NOTNULL: i32 = 5;
    #[pyconst]
    fn Error() -> PyResult {
        ERROR.get()
    }
    #[pyconst]
    fn _dialects() -> PyResult<Ref<PyDictObject>> {
        dialects()
    }
    #[pyconst]
    fn Reader() -> Ref {
        READER_TYPE.to_object()
    }
    #[pyconst]
    fn Writer() -> Ref {
        WRITER_TYPE.to_object()
    }
    /// Return a reader object that will process lines from the given iterable.
    #[pyfunction(raw, "($module, iterable, /, dialect='excel', **fmtparams)")]
    fn reader(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult<Ref<Reader>> {
        let (iterable, dialect) = arguments("reader", args, kwargs)?;
        Reader::over(iterable, dialect)
    }
    /// Return a writer object that will write user data on the given file object.
    #[pyfunction(raw, "($module, fileobj, /, dialect='excel', **fmtparams)")]
    fn writer(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult<Ref<Writer>> {
        let (file, dialect) = arguments("writer", args, kwargs)?;
        Writer::to(file, dialect)
    }
    /// Return a list of all known dialect names.
    #[pyfunction("($module, /)")]
    fn list_dialects() -> PyResult<Ref<PyListObject>> {
        Ok(dialects()?.keys_list())
    }
    /// Create a mapping from a string name to a CVS dialect.
    #[pyfunction(raw, "($module, name, /, dialect='excel', **fmtparams)")]
    fn register_dialect(args: &[&PyObject], kwargs: Kwargs<'_>) -> PyResult<()> {
        let Some(name) = args.first() else {
            return Err(raise!(TypeError, "register_dialect expected at least 1 argument, got 0"));
        };
        if name.downcast::<PyUnicodeObject>().is_none() {
            return Err(raise!(TypeError, "dialect name must be a string"));
        }
        let (name, dialect) = arguments("register_dialect", args, kwargs)?;
        dialects()?.set(name, dialect.as_object())
    }
    /// Delete the name/dialect mapping associated with a string name.
    #[pyfunction("($module, /, name)")]
    fn unregister_dialect(name: &PyObject) -> PyResult<()> {
        if dialects()?.remove(name)? { Ok(()) } else { Err(ERROR.raise("unknown dialect")) }
    }
    /// Return the dialect instance associated with name.
    #[pyfunction("($module, /, name)")]
    fn get_dialect(name: &PyObject) -> PyResult {
        dialect::registered(name)
    }
    /// Sets an upper limit on parsed fields.
    #[pyfunction("($module, /, new_limit=<unrepresentable>)")]
    fn field_size_limit(new_limit: Option<&PyObject>) -> PyResult<i64> {
        let old = field_limit();
        if let Some(limit) = new_limit {
            let Some(limit) = limit.downcast_exact::<PyLongObject>() else {
                return Err(raise!(TypeError, "limit must be an integer"));
            };
            FIELD_LIMIT.store(limit.as_i64()?, Ordering::Relaxed);
        }
        Ok(old)
    }
}
