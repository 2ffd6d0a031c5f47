//! Objects -> instructions: atoms, strings and the built-in containers.
//!
//! The state of one `dump` call is `Dump`. An object is written once, remembered in the memo, and referred to by its
//! number after that.

use super::memo::SaveMemo;
use super::opcode::*;
use super::output::Output;
use super::pickler::Settings;
use super::{LINKS, PICKLING_ERROR, noted};
use adder_runtime::objects::buffer::{Buffer, is_contiguous};
use adder_runtime::objects::bytearrayobject::PyByteArray_Type;
use adder_runtime::objects::bytesobject::PyBytes_Type;
use adder_runtime::objects::codecs;
use adder_runtime::objects::funcobject::PyFunction_Type;
use adder_runtime::objects::picklebufobject::PickleBuffer;
use adder_runtime::objects::setobject::{PyFrozenSet_Type, PySet_Type};
use adder_runtime::prelude::*;
use adder_runtime::protocol::enter_native_call;

/// How deep containers may nest in fast mode before cycles are looked for.
const FAST_NESTING_LIMIT: usize = 50;

pub struct Dump<'a> {
    pub settings: &'a Settings,
    pub out: Output,
    pub proto: u8,
    pub bin: bool,
    fast: bool,
    pub persistent_id: Option<Ref>,
    pub reducer_override: Option<Ref>,
    /// The pickler's own; none for that of `copyreg`.
    pub dispatch_table: Option<Ref>,
    fast_nesting: usize,
    fast_seen: Vec<*mut PyObject>,
}

impl<'a> Dump<'a> {
    pub fn new(settings: &'a Settings, write: Option<Ref>) -> Dump<'a> {
        Dump {
            settings,
            out: Output::new(write),
            proto: settings.proto.get(),
            bin: settings.bin.get() != 0,
            fast: settings.fast.get() != 0,
            persistent_id: None,
            reducer_override: None,
            dispatch_table: None,
            fast_nesting: 0,
            fast_seen: Vec::new(),
        }
    }
    fn run(&mut self, object: &PyObject) -> PyResult<()> {
        if self.proto >= 2 {
            self.out.op_u8(PROTO, self.proto);
            self.out.framing = self.proto >= 4;
        }
        self.save(object)?;
        self.out.op(STOP);
        self.out.end_frame();
        self.out.framing = false;
        Ok(())
    }
    pub fn finish_to_file(mut self, object: &PyObject) -> PyResult<()> {
        self.run(object)?;
        self.out.flush()
    }
    pub fn finish_to_bytes(mut self, object: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        self.run(object)?;
        Ok(self.out.into_bytes())
    }

    /// Writes an object, or the persistent id that it has.
    #[inline]
    pub fn save(&mut self, object: &PyObject) -> PyResult<()> {
        if self.persistent_id.is_some() && self.save_persistent(object)? {
            return Ok(());
        }
        self.save_plain(object)
    }
    /// Writes an object that has no persistent id.
    pub fn save_plain(&mut self, object: &PyObject) -> PyResult<()> {
        self.out.at_boundary()?;
        if is_none(object) {
            self.out.op(NONE);
            return Ok(());
        }
        if object.is(true_()) || object.is(false_()) {
            self.save_bool(object.is(true_()));
            return Ok(());
        }
        if let Some(int) = object.downcast_exact::<PyLongObject>() {
            return self.save_int(int);
        }
        if let Some(float) = object.downcast_exact::<PyFloatObject>() {
            self.save_float(float.value());
            return Ok(());
        }
        if self.recall(object)? {
            return Ok(());
        }
        if let Some(text) = object.downcast_exact::<PyUnicodeObject>() {
            return self.save_str(text);
        }
        if let Some(bytes) = object.downcast_exact::<PyBytesObject>() {
            return self.save_bytes(bytes);
        }
        enter_native_call(" while pickling an object")?;
        if let Some(dict) = object.downcast_exact::<PyDictObject>() {
            return self.nested(object, |dump| dump.save_dict(dict));
        }
        if let Some(list) = object.downcast_exact::<PyListObject>() {
            return self.nested(object, |dump| dump.save_list(list));
        }
        if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
            return self.save_tuple(tuple);
        }
        self.save_rarer(object)
    }
    fn save_rarer(&mut self, object: &PyObject) -> PyResult<()> {
        let ty = object.ty();
        if std::ptr::eq(ty, &PySet_Type) {
            return self.save_set(object);
        }
        if std::ptr::eq(ty, &PyFrozenSet_Type) {
            return self.nested(object, |dump| dump.save_frozenset(object));
        }
        if let Some(bytes) = object.downcast_exact::<PyByteArrayObject>() {
            return self.save_bytearray(bytes);
        }
        if let Some(buffer) = object.downcast_exact::<PickleBuffer>() {
            return self.save_pickle_buffer(object, buffer);
        }
        if let Some(reducer) = self.reducer_override.clone() {
            let reduced = reducer.call1(object)?;
            if !reduced.is(not_implemented()) {
                return self.save_reduced(&reduced, object);
            }
        }
        if std::ptr::eq(ty, &adder_runtime::PyType_Type) {
            return self.save_type(object);
        }
        if std::ptr::eq(ty, &PyFunction_Type) {
            return self.save_global(object, None);
        }
        self.save_by_reduction(object)
    }

    /// Runs the writer of a container; in fast mode, where no memo ends a cycle, the nesting is watched.
    fn nested(&mut self, object: &PyObject, write: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        if !self.fast {
            return write(self);
        }
        self.fast_nesting += 1;
        let watched = self.fast_nesting >= FAST_NESTING_LIMIT;
        if watched {
            if self.fast_seen.contains(&object.as_ptr()) {
                self.fast_nesting = 0;
                let class = object.ty().full_name();
                let place = object.as_ptr();
                return Err(raise!(
                    ValueError,
                    "fast mode: can't pickle cyclic objects including object type {class} at {place:p}"
                ));
            }
            self.fast_seen.push(object.as_ptr());
        }
        let result = write(self);
        if watched {
            self.fast_seen.pop();
        }
        self.fast_nesting = self.fast_nesting.saturating_sub(1);
        result
    }

    /// Writes a reference to an object that was written before; false when it was not.
    #[inline]
    fn recall(&mut self, object: &PyObject) -> PyResult<bool> {
        let number = self.settings.memo.borrow().get(object);
        match number {
            Some(number) => self.write_get(number).map(|()| true),
            None => Ok(false),
        }
    }
    pub fn write_get(&mut self, number: usize) -> PyResult<()> {
        if !self.bin {
            self.out.push(format!("g{number}\n").as_bytes());
        } else if let Ok(number) = u8::try_from(number) {
            self.out.op_u8(BINGET, number);
        } else if let Ok(number) = u32::try_from(number) {
            self.out.op_u32(LONG_BINGET, number);
        } else {
            return Err(PICKLING_ERROR.raise("memo id too large for LONG_BINGET"));
        }
        Ok(())
    }
    pub fn number_of(&self, object: &PyObject) -> Option<usize> {
        self.settings.memo.borrow().get(object)
    }
    /// Remembers the object that is on top of the reader's stack.
    #[inline]
    pub fn memoize(&mut self, object: &PyObject) -> PyResult<()> {
        if self.fast {
            return Ok(());
        }
        let mut memo = self.settings.memo.borrow_mut();
        let number = SaveMemo::len(&memo);
        memo.set(object.to_ref(), number);
        drop(memo);
        if self.proto >= 4 {
            self.out.op(MEMOIZE);
        } else if !self.bin {
            self.out.push(format!("p{number}\n").as_bytes());
        } else if let Ok(number) = u8::try_from(number) {
            self.out.op_u8(BINPUT, number);
        } else if let Ok(number) = u32::try_from(number) {
            self.out.op_u32(LONG_BINPUT, number);
        } else {
            return Err(PICKLING_ERROR.raise("memo id too large for LONG_BINPUT"));
        }
        Ok(())
    }

    fn save_bool(&mut self, value: bool) {
        if self.proto >= 2 {
            self.out.op(if value { NEWTRUE } else { NEWFALSE });
        } else {
            self.out.push(if value { b"I01\n" } else { b"I00\n" });
        }
    }
    fn save_int(&mut self, int: &PyLongObject) -> PyResult<()> {
        if let Some(small) = int.to_i64().and_then(|value| i32::try_from(value).ok()) {
            if !self.bin {
                self.out.push(format!("I{small}\n").as_bytes());
            } else if let Ok(byte) = u8::try_from(small) {
                self.out.op_u8(BININT1, byte);
            } else if let Ok(word) = u16::try_from(small) {
                let [low, high] = word.to_le_bytes();
                self.out.push(&[BININT2, low, high]);
            } else {
                self.out.op_u32(BININT, small as u32);
            }
            return Ok(());
        }
        if self.proto < 2 {
            let text = int.to_decimal_string()?;
            self.out.push(format!("L{text}L\n").as_bytes());
            return Ok(());
        }
        let mut bytes = vec![0; (int.bit_length() / 8) as usize + 1];
        int.write_bytes_wrapping(&mut bytes, true);
        if int.is_negative() && bytes.len() > 1 && bytes[bytes.len() - 1] == 0xff && bytes[bytes.len() - 2] & 0x80 != 0 {
            bytes.pop();
        }
        if let Ok(len) = u8::try_from(bytes.len()) {
            self.out.op_u8(LONG1, len);
        } else if bytes.len() <= i32::MAX as usize {
            self.out.op_u32(LONG4, bytes.len() as u32);
        } else {
            return Err(raise!(OverflowError, "int too large to pickle"));
        }
        self.out.push(&bytes);
        Ok(())
    }
    fn save_float(&mut self, value: f64) {
        if self.bin {
            let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
            self.out.push(&[BINFLOAT, a, b, c, d, e, f, g, h]);
        } else {
            let text = adder_runtime::objects::floatobject::float_repr(value);
            self.out.push(format!("F{text}\n").as_bytes());
        }
    }

    fn save_str(&mut self, text: &PyUnicodeObject) -> PyResult<()> {
        if !self.bin {
            self.out.op(UNICODE);
            let escaped = raw_unicode_escape(text);
            self.out.push(&escaped);
            self.out.op(b'\n');
            return self.memoize(text.as_object());
        }
        let wtf8;
        let bytes = match text.as_str() {
            Some(text) => text.as_bytes(),
            None => {
                wtf8 = text.to_wtf8();
                &wtf8
            }
        };
        match (u8::try_from(bytes.len()), u32::try_from(bytes.len())) {
            (Ok(len), _) if self.proto >= 4 => {
                self.out.op_u8(SHORT_BINUNICODE, len);
                self.out.push(bytes);
            }
            (_, Ok(len)) => {
                let [a, b, c, d] = len.to_le_bytes();
                self.out.push_payload(&[BINUNICODE, a, b, c, d], bytes, None)?;
            }
            _ if self.proto >= 4 => self.push_payload_u64(BINUNICODE8, bytes, None)?,
            _ => {
                return Err(raise!(
                    OverflowError,
                    "serializing a string larger than 4 GiB requires pickle protocol 4 or higher"
                ));
            }
        }
        self.memoize(text.as_object())
    }
    fn push_payload_u64(&mut self, op: u8, bytes: &[u8], object: Option<&PyObject>) -> PyResult<()> {
        let mut header = [op; 9];
        header[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.out.push_payload(&header, bytes, object)
    }
    /// Bytes of `object`, which is remembered; `payload` is an object that holds just these bytes.
    fn write_bytes(&mut self, object: &PyObject, bytes: &[u8], payload: Option<&PyObject>) -> PyResult<()> {
        match (u8::try_from(bytes.len()), u32::try_from(bytes.len())) {
            (Ok(len), _) => {
                self.out.op_u8(SHORT_BINBYTES, len);
                self.out.push(bytes);
            }
            (_, Ok(len)) => {
                let [a, b, c, d] = len.to_le_bytes();
                self.out.push_payload(&[BINBYTES, a, b, c, d], bytes, payload)?;
            }
            _ if self.proto >= 4 => self.push_payload_u64(BINBYTES8, bytes, payload)?,
            _ => {
                return Err(raise!(
                    OverflowError,
                    "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher"
                ));
            }
        }
        self.memoize(object)
    }
    fn save_bytes(&mut self, bytes: &PyBytesObject) -> PyResult<()> {
        let object = bytes.as_object();
        if self.proto >= 3 {
            return self.write_bytes(object, bytes.as_bytes(), Some(object));
        }
        // Python 2 has no such type; what it reads is a str.
        let reduced = if bytes.as_bytes().is_empty() {
            let class = PyBytes_Type.to_object();
            PyTupleObject::from_vec(vec![class, PyTupleObject::empty().into_object()])
        } else {
            let text = PyUnicodeObject::from_latin1(bytes.as_bytes()).into_object();
            let encoding = PyUnicodeObject::intern_immortal("latin1").to_object();
            let encode = LINKS.here().encode.get().unwrap_or_else(none_ref);
            PyTupleObject::from_vec(vec![encode, PyTupleObject::from_vec(vec![text, encoding]).into_object()])
        };
        self.save_reduce(&reduced, object)
    }
    fn save_bytearray(&mut self, array: &PyByteArrayObject) -> PyResult<()> {
        let object = array.as_object();
        if self.proto >= 5 {
            self.push_payload_u64(BYTEARRAY8, array.as_bytes(), Some(object))?;
            return self.memoize(object);
        }
        let arguments = if array.is_empty() {
            PyTupleObject::empty()
        } else {
            PyTupleObject::from_vec(vec![PyBytesObject::from_slice(array.as_bytes()).into_object()])
        };
        let reduced = PyTupleObject::from_vec(vec![PyByteArray_Type.to_object(), arguments.into_object()]);
        self.save_reduce(&reduced, object)
    }
    fn save_pickle_buffer(&mut self, object: &PyObject, buffer: &PickleBuffer) -> PyResult<()> {
        if self.proto < 5 {
            return Err(PICKLING_ERROR.raise("PickleBuffer can only be pickled with protocol >= 5"));
        }
        // SAFETY: the view is the buffer's, which the caller holds; it is looked at before Python code runs.
        let view = unsafe { &*buffer.view()? };
        if !view.suboffsets.get().is_null() || !is_contiguous(view, b'A') {
            let message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(PICKLING_ERROR.raise(message));
        }
        let readonly = view.readonly.get() != 0;
        // A view of its own: the callback may release the buffer.
        let held = Buffer::get(object, PyBUF_FULL_RO)?;
        let in_band = match self.settings.buffer_callback.get() {
            Some(callback) => callback.call1(object)?.is_true()?,
            None => true,
        };
        if !in_band {
            self.out.op(NEXT_BUFFER);
            if readonly {
                self.out.op(READONLY_BUFFER);
            }
            return Ok(());
        }
        let bytes = held.as_bytes();
        if readonly {
            self.write_bytes(object, bytes, None)
        } else {
            self.push_payload_u64(BYTEARRAY8, bytes, None)?;
            self.memoize(object)
        }
    }

    fn save_tuple(&mut self, tuple: &PyTupleObject) -> PyResult<()> {
        let object = tuple.as_object();
        let len = tuple.len();
        if len == 0 {
            self.out.push(if self.bin { &[EMPTY_TUPLE] } else { &[MARK, TUPLE] });
            return Ok(());
        }
        let short = len <= 3 && self.proto >= 2;
        if !short {
            self.out.op(MARK);
        }
        for (at, item) in tuple.as_slice().iter().enumerate() {
            let saved = self.save(item);
            noted(saved, || format!("when serializing {} item {at}", object.ty().fully_qualified_name()))?;
        }
        // A tuple that contains itself was written meanwhile: that one is taken.
        if let Some(number) = self.number_of(object) {
            if self.bin && !short {
                self.out.op(POP_MARK);
            } else {
                for _ in 0..len + usize::from(!short) {
                    self.out.op(POP);
                }
            }
            return self.write_get(number);
        }
        self.out.op(if short { [TUPLE1, TUPLE2, TUPLE3][len - 1] } else { TUPLE });
        self.memoize(object)
    }

    fn save_item(&mut self, container: &PyObject, at: usize, item: &PyObject) -> PyResult<()> {
        let saved = self.save(item);
        noted(saved, || format!("when serializing {} item {at}", container.ty().fully_qualified_name()))
    }
    fn save_list(&mut self, list: &PyListObject) -> PyResult<()> {
        let object = list.as_object();
        self.out.push(if self.bin { &[EMPTY_LIST] } else { &[MARK, LIST] });
        self.memoize(object)?;
        if list.len() == 0 {
            return Ok(());
        }
        if self.proto == 0 {
            let items = object.iter()?;
            return self.save_items(&items, object);
        }
        if list.len() == 1 {
            if let Some(item) = list.get(0) {
                self.save_item(object, 0, &item)?;
            }
            self.out.op(APPEND);
            return Ok(());
        }
        let mut at = 0;
        loop {
            self.out.op(MARK);
            let end = at + BATCH_SIZE;
            while at < end {
                let Some(item) = list.get(at) else { break };
                self.save_item(object, at, &item)?;
                at += 1;
            }
            self.out.op(APPENDS);
            if at >= list.len() {
                return Ok(());
            }
        }
    }
    /// The items that an iterator gives, to be appended to `object`.
    pub fn save_items(&mut self, items: &PyObject, object: &PyObject) -> PyResult<()> {
        let mut at = 0;
        if self.proto == 0 {
            while let Some(item) = items.next()? {
                self.save_item(object, at, &item)?;
                at += 1;
                self.out.op(APPEND);
            }
            return Ok(());
        }
        loop {
            let Some(first) = items.next()? else { return Ok(()) };
            let Some(second) = items.next()? else {
                self.save_item(object, at, &first)?;
                self.out.op(APPEND);
                return Ok(());
            };
            self.out.op(MARK);
            self.save_item(object, at, &first)?;
            at += 1;
            let (mut item, mut n) = (Some(second), 1);
            while let Some(next) = item {
                self.save_item(object, at, &next)?;
                at += 1;
                n += 1;
                item = if n == BATCH_SIZE { None } else { items.next()? };
            }
            self.out.op(APPENDS);
            if n != BATCH_SIZE {
                return Ok(());
            }
        }
    }

    fn save_value(&mut self, container: &PyObject, key: &PyObject, value: &PyObject) -> PyResult<()> {
        let saved = self.save(value);
        match saved {
            Ok(()) => Ok(()),
            Err(raised) => {
                let exception = raised.take();
                let key = match key.repr() {
                    Ok(key) => key.to_string_lossy(),
                    Err(raised) => {
                        raised.clear();
                        return Err(adder_runtime::error::restore(exception));
                    }
                };
                let raised = adder_runtime::error::restore(exception);
                noted(Err(raised), || {
                    format!("when serializing {} item {key}", container.ty().fully_qualified_name())
                })
            }
        }
    }
    fn save_dict(&mut self, dict: &PyDictObject) -> PyResult<()> {
        let object = dict.as_object();
        self.out.push(if self.bin { &[EMPTY_DICT] } else { &[MARK, DICT] });
        self.memoize(object)?;
        let len = dict.len();
        if len == 0 {
            return Ok(());
        }
        if self.proto == 0 {
            let items = object.call_method(identifier!("items"), &[])?.iter()?;
            return self.save_pairs(&items, object);
        }
        let mut position = 0;
        loop {
            if len != 1 {
                self.out.op(MARK);
            }
            let mut n = 0;
            while let Some((key, value, _)) = dict.next_entry(&mut position) {
                let (key, value) = (key.to_ref(), value.to_ref());
                self.save(&key)?;
                self.save_value(object, &key, &value)?;
                n += 1;
                if n == BATCH_SIZE {
                    break;
                }
            }
            self.out.op(if len == 1 { SETITEM } else { SETITEMS });
            if dict.len() != len {
                return Err(raise!(RuntimeError, "dictionary changed size during iteration"));
            }
            if n != BATCH_SIZE {
                return Ok(());
            }
        }
    }
    /// The pairs that an iterator gives, to be set in `object`.
    pub fn save_pairs(&mut self, pairs: &PyObject, object: &PyObject) -> PyResult<()> {
        if self.proto == 0 {
            while let Some(pair) = pairs.next()? {
                self.save_pair(&pair, object)?;
                self.out.op(SETITEM);
            }
            return Ok(());
        }
        loop {
            let Some(first) = pairs.next()? else { return Ok(()) };
            check_pair(&first)?;
            let Some(second) = pairs.next()? else {
                self.save_pair(&first, object)?;
                self.out.op(SETITEM);
                return Ok(());
            };
            self.out.op(MARK);
            self.save_pair(&first, object)?;
            let (mut pair, mut n) = (Some(second), 1);
            while let Some(next) = pair {
                self.save_pair(&next, object)?;
                n += 1;
                pair = if n == BATCH_SIZE { None } else { pairs.next()? };
            }
            self.out.op(SETITEMS);
            if n != BATCH_SIZE {
                return Ok(());
            }
        }
    }
    fn save_pair(&mut self, pair: &PyObject, object: &PyObject) -> PyResult<()> {
        let (key, value) = check_pair(pair)?;
        self.save(key)?;
        self.save_value(object, key, value)
    }

    fn save_set_by_list(&mut self, object: &PyObject) -> PyResult<()> {
        let items = PyListObject::from_vec(object.collect()?).into_object();
        let arguments = PyTupleObject::from_vec(vec![items]).into_object();
        let reduced = PyTupleObject::from_vec(vec![object.ty().to_object(), arguments]);
        self.save_reduce(&reduced, object)
    }
    fn save_element(&mut self, container: &PyObject, item: &PyObject) -> PyResult<()> {
        let saved = self.save(item);
        noted(saved, || format!("when serializing {} element", container.ty().fully_qualified_name()))
    }
    fn save_set(&mut self, object: &PyObject) -> PyResult<()> {
        let Some(set) = PySetObject::from_any(object).filter(|_| self.proto >= 4) else {
            return self.save_set_by_list(object);
        };
        self.out.op(EMPTY_SET);
        self.memoize(object)?;
        let len = set.len();
        if len == 0 {
            return Ok(());
        }
        let mut position = 0;
        loop {
            self.out.op(MARK);
            let mut n = 0;
            while let Some((item, _)) = set.next_entry(&mut position) {
                let item = item.to_ref();
                self.save_element(object, &item)?;
                n += 1;
                if n == BATCH_SIZE {
                    break;
                }
            }
            self.out.op(ADDITEMS);
            if set.len() != len {
                return Err(raise!(RuntimeError, "set changed size during iteration"));
            }
            if n != BATCH_SIZE {
                return Ok(());
            }
        }
    }
    fn save_frozenset(&mut self, object: &PyObject) -> PyResult<()> {
        let Some(set) = PySetObject::from_any(object).filter(|_| self.proto >= 4) else {
            return self.save_set_by_list(object);
        };
        self.out.op(MARK);
        let mut position = 0;
        while let Some((item, _)) = set.next_entry(&mut position) {
            self.save_element(object, item)?;
        }
        if let Some(number) = self.number_of(object) {
            self.out.op(POP_MARK);
            return self.write_get(number);
        }
        self.out.op(FROZENSET);
        self.memoize(object)
    }
}

fn check_pair(pair: &PyObject) -> PyResult<(&PyObject, &PyObject)> {
    match pair.downcast::<PyTupleObject>().map(PyTupleObject::as_slice) {
        Some([key, value]) => Ok((key, value)),
        _ => Err(raise!(TypeError, "dict items iterator must return 2-tuples")),
    }
}

/// The text in ASCII escapes of raw-unicode-escape, on one line: the backslash itself and line ends are escaped too.
fn raw_unicode_escape(text: &PyUnicodeObject) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for code in text.code_points() {
        match code {
            0x10000.. => out.extend_from_slice(format!("\\U{code:08x}").as_bytes()),
            0x100.. | 0 | 0x5c | 0x0a | 0x0d | 0x1a => out.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
            _ => out.push(code as u8),
        }
    }
    out
}

/// The bytes of a name in the encoding that a protocol has for names.
pub fn encode_name(name: &PyUnicodeObject, proto: u8) -> PyResult<Ref> {
    codecs::encode_by_name(name, if proto >= 3 { "utf-8" } else { "ascii" }, None)
}
