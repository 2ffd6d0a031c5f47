//! `SyntaxError`: the message and the place of the error.

use super::base::init_args;
use super::layout::{self, load_or_none, peek, store};
use super::types::_PyExc_Exception;
use crate::prelude::*;
use std::mem::offset_of;

impl PySyntaxErrorObject {
    fn set_details(&self, details: &PyTupleObject) -> PyResult<()> {
        let details = details.as_slice();
        let given = details.len();
        if !(4..=7).contains(&given) {
            let (bound, wanted) = if given < 4 {
                ("at least", 4)
            } else {
                ("at most", 7)
            };
            return Err(raise!(
                TypeError,
                "function takes {bound} {wanted} arguments ({given} given)"
            ));
        }
        let fields = [
            &self.filename,
            &self.lineno,
            &self.offset,
            &self.text,
            &self.end_lineno,
            &self.end_offset,
            &self.metadata,
        ];
        store(&self.end_lineno, None);
        store(&self.end_offset, None);
        for (field, value) in fields.iter().zip(details) {
            store(field, Some(value.to_ref()));
        }
        if !self.end_lineno.get().is_null() && self.end_offset.get().is_null() {
            return Err(raise!(
                TypeError,
                "end_offset must be provided when end_lineno is provided"
            ));
        }
        Ok(())
    }
}

/// The source text is not valid.
#[pytype(
    name = "SyntaxError",
    static_name = _PyExc_SyntaxError,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("msg", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, msg), 0, "the message"),
        ("filename", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, filename), 0, "the file"),
        ("lineno", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, lineno), 0, "the line, from 1"),
        ("offset", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, offset), 0, "the column, from 1"),
        ("text", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, text), 0, "the source line"),
        ("end_lineno", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, end_lineno), 0, "the last line"),
        ("end_offset", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, end_offset), 0, "the column of the end"),
        (
            "print_file_and_line", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, print_file_and_line), 0,
            "set when the message has the place already"
        ),
        ("_metadata", _Py_T_OBJECT, offset_of!(PySyntaxErrorObject, metadata), 0, "what only the interpreter uses"),
    ],
    slots = [
        tp_traverse = layout::traverse::<PySyntaxErrorObject>,
        tp_clear = layout::clear::<PySyntaxErrorObject>,
        tp_dealloc = layout::dealloc::<PySyntaxErrorObject>,
    ],
)]
impl PySyntaxErrorObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, kwargs)?;
        if let Some(msg) = args.as_slice().first() {
            store(&self.msg, Some(msg.to_ref()));
        }
        if let [_, details] = args.as_slice() {
            let details = details.to_tuple()?;
            self.set_details(&details)?;
        }
        Ok(())
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let filename = peek(&self.filename)
            .and_then(|name| name.downcast::<PyUnicodeObject>())
            .map(basename);
        let lineno = peek(&self.lineno)
            .and_then(|lineno| lineno.downcast_exact::<PyLongObject>())
            .map(|lineno| lineno.to_i64().unwrap_or(-1));
        let msg = load_or_none(&self.msg).str()?;
        if filename.is_none() && lineno.is_none() {
            return Ok(msg);
        }
        let mut out = PyUnicodeObject::writer(msg.len() + 24);
        out.push_object(&msg);
        out.push_str(" (");
        if let Some(filename) = &filename {
            out.push_object(filename);
        }
        if let Some(lineno) = lineno {
            out.push_str(if filename.is_some() { ", line " } else { "line " });
            out.push_str(&lineno.to_string());
        }
        out.push_str(")");
        out.finish()
    }
}

/// What follows the last slash.
fn basename(path: &PyUnicodeObject) -> Ref<PyUnicodeObject> {
    let start = (0..path.len())
        .rev()
        .find(|idx| path.char_at(*idx) == u32::from('/'))
        .map_or(0, |slash| slash + 1);
    if start == 0 {
        path.to_ref()
    } else {
        path.substring(start, path.len())
    }
}

/// Where a syntax error is: line and column from 1, the end the same way.
pub struct SyntaxErrorPlace<'a> {
    pub filename: &'a PyObject,
    pub lineno: isize,
    pub offset: isize,
    pub end_lineno: isize,
    pub end_offset: isize,
    /// The source line.
    pub text: Option<&'a PyObject>,
}

/// Raises SyntaxError or a subclass of it.
pub fn raise_syntax_error(ty: &PyTypeObject, message: &str, place: &SyntaxErrorPlace<'_>) -> Raised {
    let number = |value: isize| PyLongObject::from_isize(value).into_object();
    let details = PyTupleObject::from_vec(vec![
        place.filename.to_ref(),
        number(place.lineno),
        number(place.offset),
        place.text.map_or_else(none_ref, PyObject::to_ref),
        number(place.end_lineno),
        number(place.end_offset),
    ]);
    let message = PyUnicodeObject::from_str(message);
    let args = PyTupleObject::from_vec(vec![message.into_object(), details.into_object()]);
    crate::error::set_object(ty.as_object(), Some(args.as_object()))
}
