//! Objects -> JSON text: string literals and the encoder that `json.encoder` makes.

use crate::util::Kept;
use adder_runtime::exceptions::add_note;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::dtoa;
use adder_runtime::objects::unicodeobject::UnicodeWriter;
use adder_runtime::per_kind;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;
use std::cell::Cell;
use std::mem::offset_of;

/// The module's own string encoders, which the encoder runs without a call when it is given them.
pub static ENCODE_ASCII: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());
pub static ENCODE: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_u_escape(out: &mut UnicodeWriter, code: u32) {
    let digit = |shift: u32| HEX[(code >> shift & 0xf) as usize];
    out.push_ascii(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// The escape that a character needs in any literal.
#[inline(always)]
fn short_escape(code: u32) -> Option<&'static [u8]> {
    Some(match code {
        0x22 => b"\\\"",
        0x5c => b"\\\\",
        0x0a => b"\\n",
        0x0d => b"\\r",
        0x09 => b"\\t",
        0x0c => b"\\f",
        0x08 => b"\\b",
        _ => return None,
    })
}

/// Appends a string as a literal, with or without escapes for what is not ASCII.
pub fn push_string(out: &mut UnicodeWriter, text: &PyUnicodeObject, ascii: bool) {
    out.push_ascii(b"\"");
    per_kind!(text.data(), units => {
        let mut start = 0;
        for (at, unit) in units.iter().enumerate() {
            let code = u32::from(*unit);
            let plain = code >= 0x20 && code != 0x22 && code != 0x5c && (code < 0x7f || !ascii);
            if plain {
                continue;
            }
            out.push_range(text, start, at);
            start = at + 1;
            match short_escape(code) {
                Some(escape) => out.push_ascii(escape),
                None if code >= 0x10000 => {
                    push_u_escape(out, 0xd800 + ((code - 0x10000) >> 10));
                    push_u_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
                }
                None => push_u_escape(out, code),
            }
        }
        out.push_range(text, start, units.len());
    });
    out.push_ascii(b"\"");
}

/// `encode_basestring` and `encode_basestring_ascii`.
pub fn literal(object: &PyObject, ascii: bool) -> PyResult<Ref<PyUnicodeObject>> {
    let Some(text) = object.downcast::<PyUnicodeObject>() else {
        return Err(raise!(TypeError, "first argument must be a string, not {}", object.ty().name()));
    };
    let mut out = UnicodeWriter::with_capacity(text.len() + 2);
    push_string(&mut out, text, ascii);
    out.finish()
}

#[repr(C)]
pub struct Encoder {
    ob_base: PyObject,
    markers: Cell<*mut PyObject>,
    default: Cell<*mut PyObject>,
    encoder: Cell<*mut PyObject>,
    indent: Cell<*mut PyObject>,
    key_separator: Cell<*mut PyObject>,
    item_separator: Cell<*mut PyObject>,
    sort_keys: Cell<u8>,
    skipkeys: Cell<u8>,
    allow_nan: Cell<u8>,
}

impl Encoder {
    fn fields(&self) -> [&Cell<*mut PyObject>; 6] {
        [&self.markers, &self.default, &self.encoder, &self.indent, &self.key_separator, &self.item_separator]
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        for field in self.fields() {
            // SAFETY: the field owned its object.
            drop(unsafe { Ref::from_owned_opt(field.replace(std::ptr::null_mut())) });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Literals {
    Ascii,
    Plain,
    Called,
}

/// One run of an encoder.
struct Run {
    markers: Option<Ref<PyDictObject>>,
    default: Ref,
    encoder: Ref,
    indent: Option<Ref<PyUnicodeObject>>,
    key_separator: Ref<PyUnicodeObject>,
    item_separator: Ref<PyUnicodeObject>,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
    literals: Literals,
    out: UnicodeWriter,
}

impl Run {
    fn string(&mut self, text: &PyUnicodeObject) -> PyResult<()> {
        match self.literals {
            Literals::Ascii => push_string(&mut self.out, text, true),
            Literals::Plain => push_string(&mut self.out, text, false),
            Literals::Called => {
                let encoded = self.encoder.call1(text.as_object())?;
                match encoded.as_object().downcast::<PyUnicodeObject>() {
                    Some(encoded) => self.out.push_object(encoded),
                    None => {
                        let found = encoded.ty().name();
                        return Err(raise!(TypeError, "encoder() must return a string, not {found}"));
                    }
                }
            }
        }
        Ok(())
    }
    fn float(&self, object: &PyObject, value: f64) -> PyResult<String> {
        if value.is_finite() {
            return Ok(dtoa::float_repr(value));
        }
        if !self.allow_nan {
            let shown = object.repr()?.to_string_lossy();
            return Err(raise!(ValueError, "Out of range float values are not JSON compliant: {shown}"));
        }
        Ok(if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned())
    }
    /// Notes that a container is being encoded; the result is its key among the markers.
    fn enter(&self, object: &PyObject) -> PyResult<Option<Ref>> {
        let Some(markers) = &self.markers else { return Ok(None) };
        let id = PyLongObject::from_usize(object.as_ptr() as usize).into_object();
        if markers.contains(&id)? {
            return Err(raise!(ValueError, "Circular reference detected"));
        }
        markers.set(&id, object)?;
        Ok(Some(id))
    }
    fn leave(&self, id: Option<Ref>) -> PyResult<()> {
        if let (Some(markers), Some(id)) = (&self.markers, id) {
            markers.remove(&id)?;
        }
        Ok(())
    }
    fn newline(&mut self, level: usize) {
        if let Some(indent) = self.indent.clone() {
            self.out.push_ascii(b"\n");
            for _ in 0..level {
                self.out.push_object(&indent);
            }
        }
    }
    fn object(&mut self, object: &PyObject, level: usize) -> PyResult<()> {
        if is_none(object) {
            self.out.push_ascii(b"null");
        } else if object.is(true_()) {
            self.out.push_ascii(b"true");
        } else if object.is(false_()) {
            self.out.push_ascii(b"false");
        } else if let Some(text) = object.downcast::<PyUnicodeObject>() {
            return self.string(text);
        } else if let Some(int) = object.downcast::<PyLongObject>() {
            self.out.push_ascii(int.to_decimal_string()?.as_bytes());
        } else if let Some(float) = object.downcast::<PyFloatObject>() {
            let text = self.float(object, float.value())?;
            self.out.push_ascii(text.as_bytes());
        } else if object.downcast::<PyListObject>().is_some() || object.downcast::<PyTupleObject>().is_some() {
            enter_native_call(" while encoding a JSON object")?;
            return self.list(object, level);
        } else if object.downcast::<PyDictObject>().is_some() {
            enter_native_call(" while encoding a JSON object")?;
            return self.dict(object, level);
        } else {
            let id = self.enter(object)?;
            let replacement = self.default.call1(object)?;
            enter_native_call(" while encoding a JSON object")?;
            self.object(&replacement, level)
                .map_err(|raised| with_note(raised, || Ok(format!("when serializing {} object", type_name(object)))))?;
            self.leave(id)?;
        }
        Ok(())
    }
    fn list(&mut self, list: &PyObject, level: usize) -> PyResult<()> {
        let items = list.to_fast_sequence("_iterencode_list needs a sequence")?;
        let mut index = 0;
        let item_at = |index: usize| -> Option<Ref> {
            adder_runtime::objects::tupleobject::fast_items(&items).get(index).map(|item| item.to_ref())
        };
        if item_at(0).is_none() {
            self.out.push_ascii(b"[]");
            return Ok(());
        }
        let id = self.enter(list)?;
        self.out.push_ascii(b"[");
        self.newline(level + 1);
        while let Some(item) = item_at(index) {
            if index > 0 {
                let separator = self.item_separator.clone();
                self.out.push_object(&separator);
                self.newline(level + 1);
            }
            self.object(&item, level + 1).map_err(|raised| {
                with_note(raised, || Ok(format!("when serializing {} item {index}", type_name(list))))
            })?;
            index += 1;
        }
        self.leave(id)?;
        self.newline(level);
        self.out.push_ascii(b"]");
        Ok(())
    }
    fn dict(&mut self, object: &PyObject, level: usize) -> PyResult<()> {
        if object.len()? == 0 {
            self.out.push_ascii(b"{}");
            return Ok(());
        }
        let id = self.enter(object)?;
        self.out.push_ascii(b"{");
        let mut first = true;
        match object.downcast_exact::<PyDictObject>() {
            Some(dict) if !self.sort_keys => {
                let mut position = 0;
                while let Some((key, value, _)) = dict.next_entry(&mut position) {
                    let (key, value) = (key.to_ref(), value.to_ref());
                    self.pair(object, &key, &value, &mut first, level + 1)?;
                }
            }
            _ => {
                let items = object.call_method(identifier!("items"), &[])?.collect()?;
                let items = PyListObject::from_vec(items);
                if self.sort_keys {
                    items.sort(None, false)?;
                }
                let mut index = 0;
                while let Some(item) = items.get(index) {
                    index += 1;
                    let pair = item.as_object().downcast::<PyTupleObject>().map(PyTupleObject::as_slice);
                    let Some([key, value]) = pair else {
                        return Err(raise!(ValueError, "items must return 2-tuples"));
                    };
                    self.pair(object, key, value, &mut first, level + 1)?;
                }
            }
        }
        self.leave(id)?;
        if !first {
            self.newline(level);
        }
        self.out.push_ascii(b"}");
        Ok(())
    }
    fn pair(
        &mut self,
        dict: &PyObject,
        key: &PyObject,
        value: &PyObject,
        first: &mut bool,
        level: usize,
    ) -> PyResult<()> {
        let converted;
        let text = if let Some(text) = key.downcast::<PyUnicodeObject>() {
            text
        } else {
            let text = if let Some(float) = key.downcast::<PyFloatObject>() {
                self.float(key, float.value())?
            } else if key.is(true_()) {
                "true".to_owned()
            } else if key.is(false_()) {
                "false".to_owned()
            } else if is_none(key) {
                "null".to_owned()
            } else if let Some(int) = key.downcast::<PyLongObject>() {
                int.to_decimal_string()?
            } else if self.skipkeys {
                return Ok(());
            } else {
                let found = key.ty().name();
                return Err(raise!(TypeError, "keys must be str, int, float, bool or None, not {found}"));
            };
            converted = PyUnicodeObject::from_string(text);
            &*converted
        };
        if *first {
            *first = false;
        } else {
            let separator = self.item_separator.clone();
            self.out.push_object(&separator);
        }
        self.newline(level);
        self.string(text)?;
        let separator = self.key_separator.clone();
        self.out.push_object(&separator);
        self.object(value, level).map_err(|raised| {
            with_note(raised, || {
                Ok(format!("when serializing {} item {}", type_name(dict), key.repr()?.to_string_lossy()))
            })
        })
    }
}

fn type_name(object: &PyObject) -> String {
    object.ty().fully_qualified_name()
}

/// Adds a note to the exception in flight.
#[cold]
fn with_note(raised: Raised, note: impl FnOnce() -> PyResult<String>) -> Raised {
    let exception = raised.take();
    match note().and_then(|note| add_note(&exception, &note)) {
        Ok(()) => adder_runtime::error::restore(exception),
        Err(raised) => {
            raised.clear();
            adder_runtime::error::restore(exception)
        }
    }
}

#[pytype(
    name = "_json.Encoder",
    static_name = ENCODER_TYPE,
    flags = HAVE_GC,
    members = [
        ("markers", Py_T_OBJECT_EX, offset_of!(Encoder, markers), Py_READONLY, "markers"),
        ("default", Py_T_OBJECT_EX, offset_of!(Encoder, default), Py_READONLY, "default"),
        ("encoder", Py_T_OBJECT_EX, offset_of!(Encoder, encoder), Py_READONLY, "encoder"),
        ("indent", Py_T_OBJECT_EX, offset_of!(Encoder, indent), Py_READONLY, "indent"),
        ("key_separator", Py_T_OBJECT_EX, offset_of!(Encoder, key_separator), Py_READONLY, "key_separator"),
        ("item_separator", Py_T_OBJECT_EX, offset_of!(Encoder, item_separator), Py_READONLY, "item_separator"),
        ("sort_keys", Py_T_BOOL, offset_of!(Encoder, sort_keys), Py_READONLY, "sort_keys"),
        ("skipkeys", Py_T_BOOL, offset_of!(Encoder, skipkeys), Py_READONLY, "skipkeys"),
    ],
)]
/// Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)
impl Encoder {
    #[new("(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)")]
    fn new(
        cls: &PyTypeObject,
        markers: &PyObject,
        default: &PyObject,
        encoder: &PyObject,
        indent: &PyObject,
        key_separator: &PyUnicodeObject,
        item_separator: &PyUnicodeObject,
        sort_keys: bool,
        skipkeys: bool,
        allow_nan: bool,
    ) -> PyResult<Ref<Encoder>> {
        if !is_none(markers) && markers.downcast::<PyDictObject>().is_none() {
            return Err(raise!(
                TypeError,
                "make_encoder() argument 1 must be dict or None, not {}",
                markers.ty().name()
            ));
        }
        if !is_none(indent) && indent.downcast::<PyUnicodeObject>().is_none() {
            return Err(raise!(
                TypeError,
                "make_encoder() argument 4 must be str or None, not {}",
                indent.ty().name()
            ));
        }
        let field = |object: &PyObject| Cell::new(object.to_ref().into_raw());
        let this = Encoder {
            ob_base: blank_header(),
            markers: field(markers),
            default: field(default),
            encoder: field(encoder),
            indent: field(indent),
            key_separator: field(key_separator.as_object()),
            item_separator: field(item_separator.as_object()),
            sort_keys: Cell::new(u8::from(sort_keys)),
            skipkeys: Cell::new(u8::from(skipkeys)),
            allow_nan: Cell::new(u8::from(allow_nan)),
        };
        Ref::new_in(cls, this)
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for field in self.fields() {
            let status = visitor.visit(field.get());
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_clear(&self) {
        for field in self.fields() {
            // SAFETY: the field owned its object.
            drop(unsafe { Ref::from_owned_opt(field.replace(std::ptr::null_mut())) });
        }
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let (object, level) = super::two_arguments("_iterencode", ["obj", "_current_indent_level"], args, kwargs)?;
        let level = level.to_index(adder_runtime::exceptions::exc::OverflowError)?;
        // SAFETY: the fields own their objects; a cleared encoder has None for them.
        let get = |field: &Cell<*mut PyObject>| unsafe { Ref::from_borrowed_opt(field.get()) }.unwrap_or_else(none_ref);
        let text = |field| get(field).downcast::<PyUnicodeObject>().unwrap_or_else(|_| PyUnicodeObject::empty());
        let encoder = get(&self.encoder);
        let same = |kept: &Kept| kept.get().is_some_and(|function| function.is(&encoder));
        let literals = if same(ENCODE_ASCII.here()) {
            Literals::Ascii
        } else if same(ENCODE.here()) {
            Literals::Plain
        } else {
            Literals::Called
        };
        let mut run = Run {
            markers: get(&self.markers).downcast::<PyDictObject>().ok(),
            default: get(&self.default),
            encoder,
            indent: get(&self.indent).downcast::<PyUnicodeObject>().ok(),
            key_separator: text(&self.key_separator),
            item_separator: text(&self.item_separator),
            sort_keys: self.sort_keys.get() != 0,
            skipkeys: self.skipkeys.get() != 0,
            allow_nan: self.allow_nan.get() != 0,
            literals,
            out: UnicodeWriter::new(),
        };
        run.object(&object, level.max(0) as usize)?;
        let text = run.out.finish()?;
        Ok(PyTupleObject::from_vec(vec![text.into_object()]).into_object())
    }
}
