//! Huge ints <-> texts, quotients and remainders by `Lib/_pylong.py`, whose algorithms cost less than the square of the
//! length; from the sizes on from which CPython calls them too.

use crate::prelude::*;

type Int = Ref<PyLongObject>;

/// Ints of more digits than this have their decimal text made there.
pub const TO_TEXT_DIGITS: usize = 1000;
/// Texts of more decimal digits than this are read there.
pub const FROM_TEXT_DIGITS: usize = 6000;

/// Whether a division is long in both its divisor and its quotient.
#[inline]
pub fn divides_long(dividend: &[u32], divisor: &[u32]) -> bool {
    divisor.len() > 300 && dividend.len() > divisor.len() + 150
}

fn call(function: &str, args: &[&PyObject]) -> PyResult {
    let name = PyUnicodeObject::from_str(function);
    crate::hooks::import_module("_pylong")?
        .get_attr(&name)?
        .call(args)
}

/// The decimal text with its sign.
#[cold]
pub fn decimal_string(number: &PyLongObject) -> PyResult<String> {
    let text = call("int_to_decimal_string", &[number.as_object()])?;
    match (*text).downcast::<PyUnicodeObject>() {
        Some(text) => Ok(text.to_str()?.to_string()),
        None => Err(raise!(
            TypeError,
            "_pylong.int_to_decimal_string did not return a str"
        )),
    }
}

/// The int of decimal digits, given as values 0 to 9.
#[cold]
pub fn from_decimal(negative: bool, values: &[u8]) -> PyResult<Int> {
    let text: String = values.iter().map(|value| char::from(b'0' + value)).collect();
    let text = PyUnicodeObject::from_string(text);
    let number = call("int_from_string", &[text.as_object()])?;
    let Some(number) = (*number).downcast::<PyLongObject>() else {
        return Err(raise!(TypeError, "_pylong.int_from_string did not return an int"));
    };
    if negative {
        super::arith::neg(number)
    } else {
        Ok(number.to_ref())
    }
}

/// Quotient and remainder of the floor division.
#[cold]
pub fn divmod(dividend: &PyLongObject, divisor: &PyLongObject) -> PyResult<(Int, Int)> {
    let pair = call("int_divmod", &[dividend.as_object(), divisor.as_object()])?;
    let Some(pair) = (*pair).downcast::<PyTupleObject>() else {
        return Err(raise!(ValueError, "tuple is required from int_divmod()"));
    };
    let [quotient, rest] = pair.as_slice() else {
        return Err(raise!(
            ValueError,
            "tuple of length 2 is required from int_divmod()"
        ));
    };
    match (
        quotient.downcast::<PyLongObject>(),
        rest.downcast::<PyLongObject>(),
    ) {
        (Some(quotient), Some(rest)) => Ok((quotient.to_ref(), rest.to_ref())),
        _ => Err(raise!(ValueError, "tuple of int is required from int_divmod()")),
    }
}
