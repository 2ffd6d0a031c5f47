//! Line ends: their translation while decoding (`IncrementalNewlineDecoder`), and where a line ends.

use super::*;
use adder_runtime::objects::unicodeobject::{CodeUnit, UnicodeWriter};
use adder_runtime::per_kind;

const SEEN_CR: u8 = 1;
const SEEN_LF: u8 = 2;
const SEEN_CRLF: u8 = 4;

/// Translates line ends piece by piece, and remembers which there were.
#[derive(Default)]
pub struct Newlines {
    pub translate: Cell<bool>,
    /// A `\r` at the end of the last piece: it may be the first half of `\r\n`.
    pub pending_cr: Cell<bool>,
    seen: Cell<u8>,
}

impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines {
            translate: Cell::new(translate),
            ..Newlines::default()
        }
    }
    pub fn reset(&self) {
        self.seen.set(0);
        self.pending_cr.set(false);
    }
    /// The next piece, translated.
    pub fn decode(&self, text: Ref<PyUnicodeObject>, is_final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        let mut text = text;
        if self.pending_cr.get() && (is_final || !text.is_empty()) {
            text = PyUnicodeObject::from_char(u32::from(b'\r')).concat(&text)?;
            self.pending_cr.set(false);
        }
        // `\r\n` is never cut apart.
        if !is_final && !text.is_empty() && text.char_at(text.len() - 1) == u32::from(b'\r') {
            text = text.substring(0, text.len() - 1);
            self.pending_cr.set(true);
        }
        if text.is_empty() {
            return Ok(text);
        }
        let has_cr = adder_runtime::objects::unicodeobject::search::has_char(text.data(), u32::from(b'\r'));
        if !has_cr {
            let has_lf = self.seen.get() & SEEN_LF == 0
                && adder_runtime::objects::unicodeobject::search::has_char(text.data(), u32::from(b'\n'));
            if has_lf {
                self.seen.set(self.seen.get() | SEEN_LF);
            }
            return Ok(text);
        }
        if !self.translate.get() {
            per_kind!(text.data(), units => self.note(units));
            return Ok(text);
        }
        let mut out = UnicodeWriter::with_capacity(text.len());
        per_kind!(text.data(), units => self.translate_units(units, &mut out));
        out.finish()
    }
    fn note<T: CodeUnit>(&self, units: &[T]) {
        let mut seen = self.seen.get();
        let mut idx = 0;
        while idx < units.len() {
            let code: u32 = units[idx].into();
            idx += 1;
            match code {
                0x0a => seen |= SEEN_LF,
                0x0d if idx < units.len() && units[idx].into() == 0x0au32 => {
                    seen |= SEEN_CRLF;
                    idx += 1;
                }
                0x0d => seen |= SEEN_CR,
                _ => {}
            }
        }
        self.seen.set(seen);
    }
    fn translate_units<T: CodeUnit>(&self, units: &[T], out: &mut UnicodeWriter) {
        let mut seen = self.seen.get();
        let max_char = adder_runtime::objects::unicodeobject::construct::max_char_of(units);
        let mut start = 0;
        let mut idx = 0;
        while idx < units.len() {
            let code: u32 = units[idx].into();
            idx += 1;
            if code == 0x0a {
                seen |= SEEN_LF;
            } else if code == 0x0d {
                out.push_units(&units[start..idx - 1], max_char);
                out.push(0x0a);
                if idx < units.len() && units[idx].into() == 0x0au32 {
                    seen |= SEEN_CRLF;
                    idx += 1;
                } else {
                    seen |= SEEN_CR;
                }
                start = idx;
            }
        }
        out.push_units(&units[start..], max_char);
        self.seen.set(seen);
    }
    /// The line ends met so far: None, one, or a tuple.
    pub fn seen_object(&self) -> Ref {
        let seen = self.seen.get();
        let kinds: Vec<Ref> = [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")]
            .iter()
            .filter(|(bit, _)| seen & bit != 0)
            .map(|(_, text)| PyUnicodeObject::from_str(text).into_object())
            .collect();
        match kinds.len() {
            0 => none_ref(),
            1 => kinds[0].clone(),
            _ => PyTupleObject::from_vec(kinds).into_object(),
        }
    }
}

/// How lines end in decoded text.
#[derive(Clone, Copy)]
pub enum LineEnd<'a> {
    /// By `\n` only.
    Lf,
    /// By `\n`, `\r` or `\r\n`.
    Universal,
    /// By this text.
    Exactly(&'a str),
}

/// Where the first line ends (behind its line end), or from where to search when more text comes.
pub fn find_line_end<T: CodeUnit>(units: &[T], end: LineEnd<'_>) -> Result<usize, usize> {
    let find = |wanted: u32| units.iter().position(|unit| (*unit).into() == wanted);
    match end {
        LineEnd::Lf => match as_bytes(units) {
            Some(bytes) => memchr::memchr(b'\n', bytes).map(|at| at + 1).ok_or(units.len()),
            None => find(0x0a).map(|at| at + 1).ok_or(units.len()),
        },
        LineEnd::Universal => {
            let found = match as_bytes(units) {
                Some(bytes) => memchr::memchr2(b'\n', b'\r', bytes),
                None => units
                    .iter()
                    .position(|unit| matches!((*unit).into(), 0x0a | 0x0d)),
            };
            let Some(at) = found else { return Err(units.len()) };
            let is_pair =
                units[at].into() == 0x0d && units.get(at + 1).is_some_and(|next| (*next).into() == 0x0a);
            Ok(at + if is_pair { 2 } else { 1 })
        }
        LineEnd::Exactly(text) => {
            let wanted: Vec<u32> = text.chars().map(u32::from).collect();
            let Some((first, rest)) = wanted.split_first() else {
                return Err(units.len());
            };
            let mut from = 0;
            while let Some(offset) = units[from..].iter().position(|unit| (*unit).into() == *first) {
                let at = from + offset;
                let behind = &units[at + 1..];
                if behind.len() < rest.len() {
                    return Err(at);
                }
                if behind
                    .iter()
                    .zip(rest)
                    .all(|(unit, code)| (*unit).into() == *code)
                {
                    return Ok(at + wanted.len());
                }
                from = at + 1;
            }
            Err(units.len())
        }
    }
}

fn as_bytes<T: CodeUnit>(units: &[T]) -> Option<&[u8]> {
    // SAFETY: units of one byte are bytes.
    (size_of::<T>() == 1).then(|| unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), units.len()) })
}

/// `_io.IncrementalNewlineDecoder`.
#[repr(C)]
pub struct IncrementalNewlineDecoder {
    ob_base: PyObject,
    decoder: ObjectCell,
    errors: ObjectCell,
    newlines: Newlines,
}

impl IncrementalNewlineDecoder {
    fn decoder(&self) -> PyResult<Ref> {
        self.decoder
            .get()
            .ok_or_else(|| raise!(ValueError, "IncrementalNewlineDecoder.__init__() not called"))
    }
}

/// Decodes by another decoder and recognises all line ends; with translate they become '\n'.
#[pytype(
    name = "_io.IncrementalNewlineDecoder",
    static_name = INCREMENTAL_NEWLINE_DECODER_TYPE,
    flags = BASETYPE | HAVE_GC,
)]
impl IncrementalNewlineDecoder {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        let decoder = IncrementalNewlineDecoder {
            ob_base: adder_runtime::memory::blank_header(),
            decoder: ObjectCell::new(None),
            errors: ObjectCell::new(None),
            newlines: Newlines::default(),
        };
        Ok(Ref::new_in(cls, decoder)?.into_object())
    }
    #[init("(decoder, translate, errors='strict')")]
    fn init(&self, decoder: &PyObject, translate: bool, errors: Option<&PyObject>) {
        self.decoder.set(Some(decoder.to_ref()));
        self.errors.set(errors.map(PyObject::to_ref));
        self.newlines.translate.set(translate);
        self.newlines.reset();
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = self.decoder.visit(visitor);
        if status != 0 {
            status
        } else {
            self.errors.visit(visitor)
        }
    }
    #[slot]
    fn tp_clear(&self) {
        self.decoder.set(None);
        self.errors.set(None);
    }
    /// Decodes the next piece.
    #[method("($self, /, input, final=False)")]
    fn decode(&self, input: &PyObject, r#final: bool) -> PyResult<Ref<PyUnicodeObject>> {
        let decoder = self.decoder()?;
        let text = if is_none(&decoder) {
            input.to_ref()
        } else {
            decoder.call_method(
                identifier!("decode"),
                &[input, if r#final { true_() } else { false_() }],
            )?
        };
        self.newlines.decode(decoded_text(text)?, r#final)
    }
    /// The state of the decoder and of the line ends.
    #[method("($self, /)")]
    fn getstate(&self) -> PyResult {
        let decoder = self.decoder()?;
        let (buffer, flag) = if is_none(&decoder) {
            (PyBytesObject::empty().into_object(), 0)
        } else {
            let state = decoder.call_method(identifier!("getstate"), &[])?;
            decoder_state(&state)?
        };
        let flag =
            PyLongObject::from_u64(flag << 1 | u64::from(self.newlines.pending_cr.get())).into_object();
        Ok(PyTupleObject::from_vec(vec![buffer, flag]).into_object())
    }
    /// Puts a state from getstate() back.
    #[method("($self, state, /)")]
    fn setstate(&self, state: &PyObject) -> PyResult<()> {
        let decoder = self.decoder()?;
        if !state.type_has(Py_TPFLAGS_TUPLE_SUBCLASS) {
            return Err(raise!(TypeError, "state argument must be a tuple"));
        }
        let (buffer, flag) = match state_parts(state) {
            Some((buffer, flag)) => (buffer, flag.as_u64_mask()),
            None => return Err(raise!(TypeError, "setstate(): illegal state argument")),
        };
        self.newlines.pending_cr.set(flag & 1 != 0);
        if !is_none(&decoder) {
            let flag = PyLongObject::from_u64(flag >> 1).into_object();
            let state = PyTupleObject::from_vec(vec![buffer, flag]);
            decoder.call_method(identifier!("setstate"), &[state.as_object()])?;
        }
        Ok(())
    }
    /// Forgets everything.
    #[method("($self, /)")]
    fn reset(&self) -> PyResult<()> {
        let decoder = self.decoder()?;
        self.newlines.reset();
        if !is_none(&decoder) {
            decoder.call_method(identifier!("reset"), &[])?;
        }
        Ok(())
    }
    #[getter]
    fn newlines(&self) -> PyResult<Ref> {
        self.decoder()?;
        Ok(self.newlines.seen_object())
    }
}

/// The text that a decoder must have given.
pub fn decoded_text(object: Ref) -> PyResult<Ref<PyUnicodeObject>> {
    object.downcast::<PyUnicodeObject>().map_err(|other| {
        raise!(
            TypeError,
            "decoder should return a string result, not '{}'",
            other.ty().full_name()
        )
    })
}

fn state_parts(state: &PyObject) -> Option<(Ref, Ref<PyLongObject>)> {
    match state.downcast::<PyTupleObject>()?.as_slice() {
        [buffer, flag] => Some((buffer.to_ref(), flag.downcast::<PyLongObject>()?.to_ref())),
        _ => None,
    }
}

/// The two parts of what a decoder's `getstate()` gave.
pub fn decoder_state(state: &PyObject) -> PyResult<(Ref, u64)> {
    if !state.type_has(Py_TPFLAGS_TUPLE_SUBCLASS) {
        return Err(raise!(TypeError, "illegal decoder state"));
    }
    match state_parts(state) {
        Some((buffer, flag)) => Ok((buffer, flag.as_u64_mask())),
        None => Err(raise!(TypeError, "illegal decoder state")),
    }
}
