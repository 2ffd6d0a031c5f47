//! UnicodeEncodeError, UnicodeDecodeError and UnicodeTranslateError: what could not be converted, where and why.

use super::base::init_args;
use super::layout::{self, alloc, load, load_or_none, peek, store};
use super::types::{_PyExc_UnicodeError, exc};
use crate::error::raise_exception;
use crate::prelude::*;
use std::mem::offset_of;

fn text_argument(args: &[&PyObject], idx: usize) -> PyResult<Ref> {
    if PyUnicodeObject::check(args[idx]) {
        return Ok(args[idx].to_ref());
    }
    let found = if is_none(args[idx]) {
        "None"
    } else {
        args[idx].ty().full_name()
    };
    Err(raise!(TypeError, "argument {} must be str, not {found}", idx + 1))
}

fn index_argument(value: &PyObject) -> PyResult<isize> {
    value.index_subclass()?.as_isize()
}

fn expect(args: &PyTupleObject, wanted: usize) -> PyResult<()> {
    if args.len() == wanted {
        return Ok(());
    }
    Err(raise!(
        TypeError,
        "function takes exactly {wanted} arguments ({} given)",
        args.len()
    ))
}

/// A code point as it is written in an escape.
fn escape(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

impl PyUnicodeErrorObject {
    fn object_len(&self) -> usize {
        match peek(&self.object) {
            Some(object) => match (
                object.downcast::<PyUnicodeObject>(),
                object.downcast::<PyBytesObject>(),
            ) {
                (Some(text), _) => text.len(),
                (_, Some(bytes)) => bytes.as_bytes().len(),
                _ => 0,
            },
            None => 0,
        }
    }
    /// What could not be converted.
    pub fn object_ref(&self) -> Ref {
        load_or_none(&self.object)
    }
    pub fn encoding_ref(&self) -> Option<Ref> {
        load(&self.encoding)
    }
    pub fn reason_ref(&self) -> Option<Ref> {
        load(&self.reason)
    }
    /// `object` as a str, or TypeError.
    pub fn text(&self) -> PyResult<Ref<PyUnicodeObject>> {
        match load(&self.object) {
            None => Err(raise!(TypeError, "object attribute not set")),
            Some(object) => object
                .downcast::<PyUnicodeObject>()
                .map_err(|_| raise!(TypeError, "object attribute must be unicode")),
        }
    }
    /// `object` as bytes, or TypeError.
    pub fn bytes(&self) -> PyResult<Ref<PyBytesObject>> {
        match load(&self.object) {
            None => Err(raise!(TypeError, "object attribute not set")),
            Some(object) => object
                .downcast::<PyBytesObject>()
                .map_err(|_| raise!(TypeError, "object attribute must be bytes")),
        }
    }
    /// The start of the part that failed, within the object.
    pub fn start_index(&self) -> usize {
        let len = self.object_len();
        (self.start.get().max(0) as usize).min(len.saturating_sub(1))
    }
    /// The end of the part that failed, within the object.
    pub fn end_index(&self) -> usize {
        let len = self.object_len();
        (self.end.get().max(1) as usize).min(len)
    }
    pub fn set_start(&self, start: isize) {
        self.start.set(start);
    }
    pub fn set_end(&self, end: isize) {
        self.end.set(end);
    }
    pub fn set_reason(&self, reason: &PyUnicodeObject) {
        store(&self.reason, Some(reason.to_object()));
    }

    fn fill(&self, encoding: Option<Ref>, object: Ref, start: isize, end: isize, reason: Ref) {
        if encoding.is_some() {
            store(&self.encoding, encoding);
        }
        store(&self.object, Some(object));
        self.start.set(start);
        self.end.set(end);
        store(&self.reason, Some(reason));
    }

    /// The message: `one` describes a single item (given its value), `many` a range.
    fn message(
        &self,
        one: impl FnOnce(u32) -> String,
        many: &str,
        of_bytes: bool,
    ) -> PyResult<Ref<PyUnicodeObject>> {
        if self.object.get().is_null() {
            return Ok(PyUnicodeObject::empty());
        }
        let reason = load_or_none(&self.reason).str()?;
        let mut out = PyUnicodeObject::writer(64);
        if let Some(encoding) = load(&self.encoding) {
            out.push_str("'");
            out.push_object(&*encoding.str()?);
            out.push_str("' codec ");
        }
        // The texts' own methods may have changed the error.
        if of_bytes {
            self.bytes()?;
        } else {
            self.text()?;
        }
        let (start, end) = (self.start.get(), self.end.get());
        let item = self.single();
        match item {
            Some(item) => out.push_str(&format!("{} in position {start}: ", one(item))),
            None => out.push_str(&format!("{many} in position {start}-{}: ", end.wrapping_sub(1))),
        }
        out.push_object(&reason);
        out.finish()
    }

    /// The only item of the part that failed, if it is one item within the object.
    fn single(&self) -> Option<u32> {
        let (start, end) = (self.start.get(), self.end.get());
        let len = self.object_len() as isize;
        if !(0..len).contains(&start) || !(0..=len).contains(&end) || end != start + 1 {
            return None;
        }
        let object = peek(&self.object)?;
        if let Some(text) = object.downcast::<PyUnicodeObject>() {
            return Some(text.char_at(start as usize));
        }
        object
            .downcast::<PyBytesObject>()
            .map(|bytes| u32::from(bytes.as_bytes()[start as usize]))
    }
}

macro_rules! unicode_errors {
    ($($(#[$doc:meta])* $marker:ident, $name:literal, $static_name:ident {
        init($this:ident, $args:ident) $init:block
        str($self_:ident) $str:block
    })*) => {$(
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $marker(PyUnicodeErrorObject);

        $(#[$doc])*
        #[pytype(
            name = $name,
            static_name = $static_name,
            export = false,
            base = _PyExc_UnicodeError,
            flags = BASETYPE | HAVE_GC,
            members = [
                ("encoding", _Py_T_OBJECT, offset_of!(PyUnicodeErrorObject, encoding), 0, "the encoding's name"),
                ("object", _Py_T_OBJECT, offset_of!(PyUnicodeErrorObject, object), 0, "what is converted"),
                ("start", Py_T_PYSSIZET, offset_of!(PyUnicodeErrorObject, start), 0, "the start of what failed"),
                ("end", Py_T_PYSSIZET, offset_of!(PyUnicodeErrorObject, end), 0, "the end of what failed"),
                ("reason", _Py_T_OBJECT, offset_of!(PyUnicodeErrorObject, reason), 0, "why it failed"),
            ],
            slots = [
                tp_new = super::base::base_new,
                tp_traverse = layout::traverse::<PyUnicodeErrorObject>,
                tp_clear = layout::clear::<PyUnicodeErrorObject>,
                tp_dealloc = layout::dealloc::<PyUnicodeErrorObject>,
            ],
        )]
        impl $marker {
            #[slot]
            fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
                init_args(self.as_object(), args, kwargs)?;
                let ($this, $args) = (&self.0, args);
                $init
            }
            #[slot]
            fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
                let $self_ = &self.0;
                $str
            }
        }

        impl std::ops::Deref for $marker {
            type Target = PyUnicodeErrorObject;
            fn deref(&self) -> &PyUnicodeErrorObject {
                &self.0
            }
        }
    )*};
}

unicode_errors! {
    /// A text cannot be encoded.
    UnicodeEncodeError, "UnicodeEncodeError", _PyExc_UnicodeEncodeError {
        init(this, args) {
            expect(args, 5)?;
            let items = args.as_slice();
            let encoding = text_argument(items, 0)?;
            let object = text_argument(items, 1)?;
            let (start, end) = (index_argument(items[2])?, index_argument(items[3])?);
            this.fill(Some(encoding), object, start, end, text_argument(items, 4)?);
            Ok(())
        }
        str(this) {
            let one = |code| format!("can't encode character '{}'", escape(code));
            this.message(one, "can't encode characters", false)
        }
    }
    /// Bytes cannot be decoded.
    UnicodeDecodeError, "UnicodeDecodeError", _PyExc_UnicodeDecodeError {
        init(this, args) {
            expect(args, 5)?;
            let items = args.as_slice();
            let encoding = text_argument(items, 0)?;
            let (start, end) = (index_argument(items[2])?, index_argument(items[3])?);
            let reason = text_argument(items, 4)?;
            let object = if PyBytesObject::check(items[1]) {
                items[1].to_ref()
            } else {
                bytes_of_buffer(items[1])?
            };
            this.fill(Some(encoding), object, start, end, reason);
            Ok(())
        }
        str(this) {
            let one = |byte| format!("can't decode byte 0x{byte:02x}");
            this.message(one, "can't decode bytes", true)
        }
    }
    /// A text cannot be translated.
    UnicodeTranslateError, "UnicodeTranslateError", _PyExc_UnicodeTranslateError {
        init(this, args) {
            expect(args, 4)?;
            let items = args.as_slice();
            let object = text_argument(items, 0)?;
            let (start, end) = (index_argument(items[1])?, index_argument(items[2])?);
            this.fill(None, object, start, end, text_argument(items, 3)?);
            Ok(())
        }
        str(this) {
            let one = |code| format!("can't translate character '{}'", escape(code));
            this.message(one, "can't translate characters", false)
        }
    }
}

/// The bytes of an object with the buffer protocol, contiguous, as a bytes object.
fn bytes_of_buffer(object: &PyObject) -> PyResult {
    // SAFETY: the suite lives as long as the type.
    let procs = unsafe { object.ty().tp_as_buffer.get().as_ref() };
    let Some(getbuffer) = procs.and_then(|procs| procs.bf_getbuffer.get()) else {
        return Err(raise!(
            TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().full_name()
        ));
    };
    let view = Py_buffer::zeroed();
    let view_ptr = (&raw const view).cast_mut();
    // SAFETY: the object's own slots, with a view that is filled by the first and given back to the second.
    unsafe {
        if getbuffer(object.as_ptr(), view_ptr, 0) < 0 {
            return Err(Raised::from_c("__buffer__"));
        }
        let (data, len) = (view.buf.get().cast::<u8>(), view.len.get() as usize);
        let bytes = PyBytesObject::from_slice(if len == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(data, len)
        })
        .into_object();
        if let Some(release) = procs.and_then(|procs| procs.bf_releasebuffer.get()) {
            release(object.as_ptr(), view_ptr);
        }
        drop(Ref::from_owned_opt(view.obj.replace(std::ptr::null_mut())));
        Ok(bytes)
    }
}

fn make(
    ty: &PyTypeObject,
    encoding: Option<&str>,
    object: &PyObject,
    start: usize,
    end: usize,
    reason: &str,
) -> PyResult {
    let exception = alloc(ty)?;
    // SAFETY: the three types have this layout.
    let this = unsafe { exception.cast_unchecked::<PyUnicodeErrorObject>() };
    let encoding = encoding.map(|encoding| PyUnicodeObject::from_str(encoding).into_object());
    let reason = PyUnicodeObject::from_str(reason).into_object();
    let (start, end) = (start as isize, end as isize);
    let mut args: Vec<Ref> = encoding.iter().cloned().collect();
    args.push(object.to_ref());
    args.extend([start, end].map(|index| PyLongObject::from_isize(index).into_object()));
    args.push(reason.clone());
    store(&this.args, Some(PyTupleObject::from_vec(args).into_object()));
    this.fill(encoding, object.to_ref(), start, end, reason);
    Ok(exception)
}

/// A new UnicodeEncodeError, for an error handler or to be raised.
pub fn unicode_encode_error(
    encoding: &str,
    object: &PyUnicodeObject,
    start: usize,
    end: usize,
    reason: &str,
) -> PyResult {
    make(
        exc::UnicodeEncodeError,
        Some(encoding),
        object.as_object(),
        start,
        end,
        reason,
    )
}

/// A new UnicodeDecodeError over a bytes object.
pub fn unicode_decode_error(
    encoding: &str,
    object: &PyObject,
    start: usize,
    end: usize,
    reason: &str,
) -> PyResult {
    make(
        exc::UnicodeDecodeError,
        Some(encoding),
        object,
        start,
        end,
        reason,
    )
}

/// A new UnicodeTranslateError.
pub fn unicode_translate_error(object: &PyUnicodeObject, start: usize, end: usize, reason: &str) -> PyResult {
    make(
        exc::UnicodeTranslateError,
        None,
        object.as_object(),
        start,
        end,
        reason,
    )
}

pub fn raise_unicode_encode_error(
    encoding: &str,
    object: &PyUnicodeObject,
    start: usize,
    end: usize,
    reason: &str,
) -> Raised {
    unicode_encode_error(encoding, object, start, end, reason).map_or_else(|raised| raised, raise_exception)
}

pub fn raise_unicode_decode_error(
    encoding: &str,
    object: &PyObject,
    start: usize,
    end: usize,
    reason: &str,
) -> Raised {
    unicode_decode_error(encoding, object, start, end, reason).map_or_else(|raised| raised, raise_exception)
}

impl PyObject {
    /// This object as a UnicodeEncodeError, UnicodeDecodeError or UnicodeTranslateError.
    pub fn as_unicode_error(&self) -> Option<&PyUnicodeErrorObject> {
        let types = [
            exc::UnicodeEncodeError,
            exc::UnicodeDecodeError,
            exc::UnicodeTranslateError,
        ];
        // SAFETY: the three types have this layout.
        types
            .iter()
            .any(|ty| self.ty().is_subtype(ty))
            .then(|| unsafe { self.cast_unchecked() })
    }
}
