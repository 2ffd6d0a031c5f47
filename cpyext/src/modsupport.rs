//! modsupport.h, building side: C values -> objects, as a format string says (Py_BuildValue), and the calls that use such formats.

use crate::export::{Name, bad_internal_call, str_from_utf8};
use crate::va::VaList;
use adder_runtime::prelude::*;
use std::ffi::CStr;

struct Builder<'f> {
    rest: &'f [u8],
    args: VaList,
}

fn unmatched() -> Raised {
    raise!(SystemError, "unmatched paren in format")
}

/// The number of items up to `close` (0: the end of the format).
fn count_items(format: &[u8], close: u8) -> PyResult<usize> {
    let (mut n_items, mut depth) = (0, 0);
    for &byte in format {
        if depth == 0 && byte == close {
            return Ok(n_items);
        }
        match byte {
            b'(' | b'[' | b'{' => {
                n_items += usize::from(depth == 0);
                depth += 1;
            }
            b')' | b']' | b'}' => depth -= 1,
            b'#' | b'&' | b',' | b':' | b' ' | b'\t' => {}
            _ => n_items += usize::from(depth == 0),
        }
    }
    if close == 0 { Ok(n_items) } else { Err(unmatched()) }
}

impl Builder<'_> {
    fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.rest = self.rest.get(1..).unwrap_or(&[]);
        byte
    }

    /// The items up to `close`, which is passed. All are built even after a failure: `N` arguments must be consumed.
    fn items(&mut self, close: u8) -> PyResult<Vec<Ref>> {
        let n_items = count_items(self.rest, close)?;
        let mut items = Vec::with_capacity(n_items);
        let mut first_error = None;
        for _ in 0..n_items {
            let pending = first_error
                .as_ref()
                .and_then(|_: &Raised| adder_runtime::error::fetch());
            match self.value() {
                Ok(item) => items.push(item),
                Err(raised) => {
                    first_error.get_or_insert(raised);
                }
            }
            if let Some(exception) = pending {
                let _ = adder_runtime::error::restore(exception);
            }
        }
        if close != 0 {
            self.skip_separators();
            if self.take() != close {
                return Err(unmatched());
            }
        }
        match first_error {
            Some(raised) => Err(raised),
            None => Ok(items),
        }
    }

    fn skip_separators(&mut self) {
        while matches!(self.peek(), b',' | b':' | b' ' | b'\t') {
            self.take();
        }
    }

    fn dict(&mut self) -> PyResult {
        let items = self.items(b'}')?;
        if items.len() % 2 != 0 {
            return Err(raise!(SystemError, "Bad dict format"));
        }
        let dict = PyDictObject::new();
        for pair in items.chunks_exact(2) {
            dict.set(&pair[0], &pair[1])?;
        }
        Ok(dict.into_object())
    }

    /// The bytes that a pointer and, after `#`, a length give; `None` for NULL.
    fn text<'a>(&mut self) -> Option<&'a [u8]> {
        let start = self.args.ptr::<u8>();
        let len = if self.peek() == b'#' {
            self.take();
            Some(self.args.ssize())
        } else {
            None
        };
        if start.is_null() {
            return None;
        }
        // SAFETY: the format promises that many bytes, or a terminated string.
        Some(unsafe {
            match len {
                Some(len) if len >= 0 => std::slice::from_raw_parts(start, len as usize),
                _ => CStr::from_ptr(start.cast()).to_bytes(),
            }
        })
    }

    fn object(&mut self, steals: bool) -> PyResult {
        if self.peek() == b'&' {
            self.take();
            type Maker = unsafe extern "C" fn(*mut c_void) -> *mut PyObject;
            // SAFETY: the format promises a function that makes an object of the next argument.
            let result = unsafe {
                let make = std::mem::transmute::<*mut c_void, Maker>(self.args.ptr());
                Ref::from_owned_opt(make(self.args.ptr()))
            };
            return result.ok_or_else(|| Raised::from_c("converter"));
        }
        let object = self.args.ptr::<PyObject>();
        // SAFETY: the format promises an object, given away with `N`, lent with `O` and `S`.
        let object = unsafe {
            if steals {
                Ref::from_owned_opt(object)
            } else {
                Ref::from_borrowed_opt(object)
            }
        };
        object.ok_or_else(|| {
            if adder_runtime::error::occurred() {
                return Raised::assume();
            }
            raise!(SystemError, "NULL object passed to Py_BuildValue")
        })
    }

    fn value(&mut self) -> PyResult {
        self.skip_separators();
        let int = |value: i64| Ok(PyLongObject::from_i64(value).into_object());
        match self.take() {
            b'(' => Ok(PyTupleObject::from_vec(self.items(b')')?).into_object()),
            b'[' => Ok(PyListObject::from_vec(self.items(b']')?).into_object()),
            b'{' => self.dict(),
            b'b' | b'B' | b'h' | b'i' => int(self.args.int() as i64),
            b'H' => int(self.args.int() as u16 as i64),
            b'I' => int(self.args.uint() as i64),
            b'n' => int(self.args.ssize() as i64),
            b'l' => int(self.args.long()),
            b'L' => int(self.args.longlong()),
            b'k' => Ok(PyLongObject::from_u64(self.args.long() as u64).into_object()),
            b'K' => Ok(PyLongObject::from_u64(self.args.longlong() as u64).into_object()),
            b'd' | b'f' => Ok(PyFloatObject::from_f64(self.args.double()).into_object()),
            b'D' => {
                // SAFETY: the format promises a pointer to a complex number.
                let value = unsafe { *self.args.ptr::<Py_complex>() };
                Ok(PyComplexObject::from_parts(value.real, value.imag).into_object())
            }
            b'c' => Ok(PyBytesObject::from_slice(&[self.args.int() as u8]).into_object()),
            b'C' => crate::unicodeobject::from_ordinal(self.args.int()),
            b'p' => Ok(py_bool(self.args.int() != 0)),
            b's' | b'z' | b'U' => match self.text() {
                Some(text) => Ok(str_from_utf8(text)?.into_object()),
                None => Ok(none_ref()),
            },
            b'y' => match self.text() {
                Some(bytes) => Ok(PyBytesObject::from_slice(bytes).into_object()),
                None => Ok(none_ref()),
            },
            b'u' => self.wide_text(),
            b'O' | b'S' => self.object(false),
            b'N' => self.object(true),
            _ => Err(raise!(SystemError, "bad format char passed to Py_BuildValue")),
        }
    }

    fn wide_text(&mut self) -> PyResult {
        let start = self.args.ptr::<i32>();
        let len = if self.peek() == b'#' {
            self.take();
            self.args.ssize()
        } else {
            -1
        };
        if start.is_null() {
            return Ok(none_ref());
        }
        crate::unicodeobject::from_wide(start, len).map(Ref::into_object)
    }
}

/// Py_BuildValue: None for no item, the item for one, a tuple for more.
pub fn build_value(format: &CStr, args: VaList) -> PyResult {
    let mut builder = Builder {
        rest: format.to_bytes(),
        args,
    };
    match count_items(builder.rest, 0)? {
        0 => Ok(none_ref()),
        1 => builder.value(),
        _ => Ok(PyTupleObject::from_vec(builder.items(0)?).into_object()),
    }
}

/// The arguments that a call's format describes: a single tuple is the argument list itself.
fn call_arguments(format: Option<&CStr>, args: VaList) -> PyResult<Vec<Ref>> {
    let Some(format) = format.filter(|format| !format.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut builder = Builder {
        rest: format.to_bytes(),
        args,
    };
    if count_items(builder.rest, 0)? != 1 {
        return builder.items(0);
    }
    let value = builder.value()?;
    match value.downcast::<PyTupleObject>() {
        Ok(tuple) => Ok(tuple.as_slice().iter().map(|item| item.to_ref()).collect()),
        Err(value) => Ok(vec![value]),
    }
}

fn call(callable: &PyObject, args: &[Ref]) -> PyResult {
    let args: Vec<&PyObject> = args.iter().map(|arg| &**arg).collect();
    callable.call(&args)
}

fn call_method(object: &PyObject, name: &PyUnicodeObject, format: Option<&CStr>, args: VaList) -> PyResult {
    let method = object.get_attr(name)?;
    if !method.is_callable() {
        return Err(raise!(
            TypeError,
            "attribute of type '{}' is not callable",
            method.ty().name()
        ));
    }
    call(&method, &call_arguments(format, args)?)
}

capi! {
    fn adder_Py_BuildValue(format: &CStr, args: VaList) -> PyResult { build_value(format, args) }
    fn adder_PyObject_CallFunction(callable: &PyObject, format: Option<&CStr>, args: VaList) -> PyResult {
        call(callable, &call_arguments(format, args)?)
    }
    fn adder_PyObject_CallMethod(object: &PyObject, name: Name, format: Option<&CStr>, args: VaList) -> PyResult {
        call_method(object, &name, format, args)
    }
    fn adder_PyObject_CallMethodId(
        object: &PyObject, name: *mut _Py_Identifier, format: Option<&CStr>, args: VaList
    ) -> PyResult {
        call_method(object, &*crate::unicodeobject::from_id(name)?, format, args)
    }
    fn adder_PyObject_CallFunctionObjArgs(callable: &PyObject, args: VaList) -> PyResult {
        callable.call(&args.objects_until_null())
    }
    fn adder_PyObject_CallMethodObjArgs(object: &PyObject, name: &PyUnicodeObject, args: VaList) -> PyResult {
        object.call_method(name, &args.objects_until_null())
    }
    fn adder_PyTuple_Pack(n_items: isize, args: VaList) -> PyResult<Ref<PyTupleObject>> {
        if n_items < 0 {
            return Err(bad_internal_call());
        }
        if n_items > isize::MAX / 16 {
            return Err(adder_runtime::memory::no_memory());
        }
        let items = (0..n_items).filter_map(|_| args.object().map(PyObject::to_ref)).collect();
        Ok(PyTupleObject::from_vec(items))
    }
    fn adder_PySys_Audit(event: &CStr, format: Option<&CStr>, args: VaList) -> PyResult<()> {
        if !crate::sysmodule::has_audit_hooks() {
            return Ok(());
        }
        let args = PyTupleObject::from_vec(call_arguments(format, args)?);
        crate::sysmodule::audit(event, &args)
    }
}
