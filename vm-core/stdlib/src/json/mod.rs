//! `_json`: the native half of `json`.

mod encode;
mod scan;

use adder_runtime::prelude::*;

/// The two arguments of a call, by position or by name.
fn two_arguments(
    function: &str,
    names: [&str; 2],
    args: &PyTupleObject,
    kwargs: Option<&PyDictObject>,
) -> PyResult<(Ref, Ref)> {
    let given = args.as_slice();
    let n_keywords = kwargs.map_or(0, |kwargs| kwargs.len());
    if given.len() + n_keywords > 2 {
        let n_given = given.len() + n_keywords;
        return Err(raise!(TypeError, "{function}() takes at most 2 arguments ({n_given} given)"));
    }
    let argument = |index: usize| -> PyResult {
        if let Some(argument) = given.get(index) {
            return Ok(argument.to_ref());
        }
        let name = PyUnicodeObject::from_str(names[index]);
        match kwargs.map(|kwargs| kwargs.get(name.as_object())).transpose()?.flatten() {
            Some(argument) => Ok(argument),
            None => {
                let (name, position) = (names[index], index + 1);
                Err(raise!(TypeError, "{function}() missing required argument '{name}' (pos {position})"))
            }
        }
    };
    Ok((argument(0)?, argument(1)?))
}

/// json speedups
#[pymodule(name = "_json", types = [])]
pub mod _json {
    use super::*;

    #[pyconst]
    fn make_scanner() -> Ref {
        scan::SCANNER_TYPE.to_object()
    }
    #[pyconst]
    fn make_encoder() -> Ref {
        encode::ENCODER_TYPE.to_object()
    }
    /// scanstring(string, end, strict=True) -> (string, end)
    /// The string literal whose opening quote is before end, and the index behind it.
    #[pyfunction(raw, "(...)")]
    fn scanstring(args: &[&PyObject]) -> PyResult<(Ref<PyUnicodeObject>, usize)> {
        let (document, end, strict) = match args {
            [document, end] => (document, end, true),
            [document, end, strict] => (document, end, strict.is_true()?),
            _ if args.len() > 3 => {
                return Err(raise!(TypeError, "scanstring() takes at most 3 arguments ({} given)", args.len()));
            }
            _ => return Err(raise!(TypeError, "scanstring() takes at least 2 arguments ({} given)", args.len())),
        };
        let end = end.to_index(adder_runtime::exceptions::exc::OverflowError)?;
        scan::scanstring(document, end, strict)
    }
    /// The string as a JSON literal.
    #[pyfunction("($self, object, /)")]
    fn encode_basestring(object: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        encode::literal(object, false)
    }
    /// The string as a JSON literal of ASCII characters.
    #[pyfunction("($self, object, /)")]
    fn encode_basestring_ascii(object: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        encode::literal(object, true)
    }
    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        if let Some(function) = module.get(identifier!("encode_basestring_ascii")) {
            encode::ENCODE_ASCII.here().set(function);
        }
        if let Some(function) = module.get(identifier!("encode_basestring")) {
            encode::ENCODE.here().set(function);
        }
        Ok(())
    }
}
