//! Instructions -> objects on a stack: the loop, atoms, strings, and the memo.
//!
//! The state of one `load` call is `Load`. Its stack is cut by marks; nothing reaches below the last one.

use super::input::{Input, truncated};
use super::opcode::*;
use super::unpickler::{LoadSettings, no_persistent_load};
use super::{LINKS, UNPICKLING_ERROR, attribute_path, linked, replace_error, split_dotted};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::codecs;
use adder_runtime::objects::longobject::new::from_literal_bytes;
use adder_runtime::prelude::*;

pub struct Load<'a> {
    pub input: Input,
    settings: &'a LoadSettings,
    pub stack: Vec<Ref>,
    marks: Vec<usize>,
    /// The last mark: the bottom of what may be popped.
    fence: usize,
    pub persistent_load: Option<Ref>,
    /// The method of a subclass.
    pub find_class: Option<Ref>,
}

#[cold]
pub fn fail<T>(message: &str) -> PyResult<T> {
    Err(UNPICKLING_ERROR.raise(message))
}

impl<'a> Load<'a> {
    pub fn new(input: Input, settings: &'a LoadSettings) -> Load<'a> {
        Load {
            input,
            settings,
            stack: Vec::new(),
            marks: Vec::new(),
            fence: 0,
            persistent_load: None,
            find_class: None,
        }
    }
    #[cold]
    pub fn underflow<T>(&self) -> PyResult<T> {
        fail(if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" })
    }
    #[inline]
    pub fn pop(&mut self) -> PyResult {
        if self.stack.len() <= self.fence {
            return self.underflow();
        }
        match self.stack.pop() {
            Some(object) => Ok(object),
            None => self.underflow(),
        }
    }
    #[inline]
    pub fn top(&self) -> PyResult<&Ref> {
        match self.stack.last() {
            Some(object) if self.stack.len() > self.fence => Ok(object),
            _ => self.underflow(),
        }
    }
    pub fn fence(&self) -> usize {
        self.fence
    }
    /// Takes the last mark away; the result is where it stood.
    #[inline]
    pub fn pop_mark(&mut self) -> PyResult<usize> {
        let Some(mark) = self.marks.pop() else { return fail("could not find MARK") };
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(mark)
    }
    /// The objects from a place up, as a tuple.
    pub fn pop_tuple(&mut self, start: usize) -> PyResult<Ref<PyTupleObject>> {
        if start < self.fence || start > self.stack.len() {
            return self.underflow();
        }
        let mut items = self.stack.drain(start..);
        let n = items.len();
        Ok(PyTupleObject::with_len_and(n, |_| items.next().unwrap_or_else(none_ref)))
    }
    #[inline]
    fn push(&mut self, object: Ref) {
        self.stack.push(object);
    }
    fn pop_short_tuple(&mut self, n: usize) -> PyResult<()> {
        let Some(start) = self.stack.len().checked_sub(n) else { return self.underflow() };
        let tuple = self.pop_tuple(start)?;
        self.push(tuple.into_object());
        Ok(())
    }

    /// Reads one pickle.
    pub fn run(&mut self) -> PyResult {
        self.settings.proto.set(0);
        let result = self.instructions();
        match result {
            Ok(object) => {
                self.input.skip_consumed()?;
                Ok(object)
            }
            Err(raised) => Err(raised),
        }
    }
    fn instructions(&mut self) -> PyResult {
        loop {
            let op = match self.input.read_u8() {
                Ok(op) => op,
                Err(raised) => {
                    let class = UNPICKLING_ERROR.get()?;
                    return match class.as_object().downcast_type() {
                        Some(class) if raised.matches(class) => {
                            raised.clear();
                            Err(raise!(EOFError, "Ran out of input"))
                        }
                        _ => Err(raised),
                    };
                }
            };
            match op {
                NONE => self.push(none_ref()),
                BININT => {
                    let value = i32::from_le_bytes(self.input.read_array()?);
                    self.push(PyLongObject::from_i64(value.into()).into_object());
                }
                BININT1 => {
                    let value = self.input.read_u8()?;
                    self.push(PyLongObject::from_i64(value.into()).into_object());
                }
                BININT2 => {
                    let value = u16::from_le_bytes(self.input.read_array()?);
                    self.push(PyLongObject::from_i64(value.into()).into_object());
                }
                INT => self.load_int()?,
                LONG => self.load_long()?,
                LONG1 => {
                    let n = self.input.read_u8()?;
                    self.load_counted_long(n.into())?;
                }
                LONG4 => {
                    let n = i32::from_le_bytes(self.input.read_array()?);
                    let Ok(n) = usize::try_from(n) else { return fail("LONG pickle has negative byte count") };
                    self.load_counted_long(n)?;
                }
                FLOAT => self.load_float()?,
                BINFLOAT => {
                    let value = f64::from_be_bytes(self.input.read_array()?);
                    self.push(PyFloatObject::from_f64(value).into_object());
                }
                SHORT_BINBYTES => {
                    let n = self.input.read_u8()?;
                    self.load_bytes(n.into())?;
                }
                BINBYTES => {
                    let n = u32::from_le_bytes(self.input.read_array()?);
                    self.load_bytes(n as usize)?;
                }
                BINBYTES8 => {
                    let n = self.read_size("BINBYTES exceeds system's maximum size of")?;
                    self.load_bytes(n)?;
                }
                BYTEARRAY8 => {
                    let n = self.read_size("BYTEARRAY8 exceeds system's maximum size of")?;
                    let array = self.input.read_bytearray(n)?;
                    self.push(array.into_object());
                }
                NEXT_BUFFER => self.load_next_buffer()?,
                READONLY_BUFFER => self.load_readonly_buffer()?,
                SHORT_BINSTRING => {
                    let n = self.input.read_u8()?;
                    self.load_counted_string(n.into())?;
                }
                BINSTRING => {
                    let n = i32::from_le_bytes(self.input.read_array()?);
                    let Ok(n) = usize::try_from(n) else { return fail("BINSTRING pickle has negative byte count") };
                    self.load_counted_string(n)?;
                }
                STRING => self.load_string()?,
                UNICODE => {
                    let line = self.input.read_line()?;
                    let (text, _) = codecs::escape::decode_raw_unicode_escape(line, "strict", true)?;
                    self.push(text.into_object());
                }
                SHORT_BINUNICODE => {
                    let n = self.input.read_u8()?;
                    self.load_text(n.into())?;
                }
                BINUNICODE => {
                    let n = u32::from_le_bytes(self.input.read_array()?);
                    self.load_text(n as usize)?;
                }
                BINUNICODE8 => {
                    let n = self.read_size("BINUNICODE exceeds system's maximum size of")?;
                    self.load_text(n)?;
                }
                EMPTY_TUPLE => self.push(PyTupleObject::empty().into_object()),
                TUPLE1 => self.pop_short_tuple(1)?,
                TUPLE2 => self.pop_short_tuple(2)?,
                TUPLE3 => self.pop_short_tuple(3)?,
                TUPLE => {
                    let mark = self.pop_mark()?;
                    let tuple = self.pop_tuple(mark)?;
                    self.push(tuple.into_object());
                }
                EMPTY_LIST => self.push(PyListObject::new().into_object()),
                EMPTY_DICT => self.push(PyDictObject::new().into_object()),
                EMPTY_SET => self.push(PySetObject::new_set().into_object()),
                LIST => {
                    let mark = self.pop_mark()?;
                    let list = PyListObject::from_vec(self.stack.drain(mark..).collect());
                    self.push(list.into_object());
                }
                DICT => self.load_dict()?,
                FROZENSET => self.load_frozenset()?,
                APPEND => self.append_from(self.stack.len().wrapping_sub(1))?,
                APPENDS => {
                    let mark = self.pop_mark()?;
                    self.append_from(mark)?;
                }
                SETITEM => self.set_items_from(self.stack.len().wrapping_sub(2))?,
                SETITEMS => {
                    let mark = self.pop_mark()?;
                    self.set_items_from(mark)?;
                }
                ADDITEMS => self.load_add_items()?,
                GLOBAL => self.load_global()?,
                STACK_GLOBAL => self.load_stack_global()?,
                INST => self.load_inst()?,
                OBJ => self.load_obj()?,
                NEWOBJ => self.load_newobj(false)?,
                NEWOBJ_EX => self.load_newobj(true)?,
                REDUCE => self.load_reduce()?,
                BUILD => self.load_build()?,
                PERSID => self.load_persistent_id()?,
                BINPERSID => {
                    let Some(load) = self.persistent_load.clone() else { return Err(no_persistent_load()) };
                    let id = self.pop()?;
                    let object = load.call1(&id)?;
                    self.push(object);
                }
                MARK => {
                    self.fence = self.stack.len();
                    self.marks.push(self.fence);
                }
                POP => self.load_pop()?,
                POP_MARK => {
                    let mark = self.pop_mark()?;
                    self.stack.truncate(mark);
                }
                DUP => {
                    let object = self.top()?.clone();
                    self.push(object);
                }
                GET => {
                    let number = from_literal_bytes(self.input.read_line()?, 10)?;
                    match number.to_i64() {
                        Some(number) if number >= 0 => self.load_get(number as usize)?,
                        _ => {
                            let shown = number.to_decimal_string()?;
                            return fail(&format!("Memo value not found at index {shown}"));
                        }
                    }
                }
                BINGET => {
                    let number = self.input.read_u8()?;
                    self.load_get(number.into())?;
                }
                LONG_BINGET => {
                    let number = u32::from_le_bytes(self.input.read_array()?);
                    self.load_get(number as usize)?;
                }
                PUT => {
                    let number = from_literal_bytes(self.input.read_line()?, 10)?;
                    if self.stack.len() <= self.fence {
                        return self.underflow();
                    }
                    if number.is_negative() {
                        return Err(raise!(ValueError, "negative PUT argument"));
                    }
                    self.load_put(number.as_isize()? as usize)?;
                }
                BINPUT => {
                    let number = self.input.read_u8()?;
                    self.load_put(number.into())?;
                }
                LONG_BINPUT => {
                    let number = u32::from_le_bytes(self.input.read_array()?);
                    self.load_put(number as usize)?;
                }
                MEMOIZE => {
                    let number = self.settings.memo.borrow().len();
                    self.load_put(number)?;
                }
                EXT1 => {
                    let code = self.input.read_u8()?;
                    self.load_extension(code.into())?;
                }
                EXT2 => {
                    let code = u16::from_le_bytes(self.input.read_array()?);
                    self.load_extension(code.into())?;
                }
                EXT4 => {
                    let code = i32::from_le_bytes(self.input.read_array()?);
                    self.load_extension(code.into())?;
                }
                FRAME => {
                    let n = self.read_size("FRAME length exceeds system's maximum of")?;
                    self.input.start_frame(n)?;
                }
                PROTO => {
                    let proto = self.input.read_u8()?;
                    if proto > HIGHEST_PROTOCOL {
                        return Err(raise!(ValueError, "unsupported pickle protocol: {proto}"));
                    }
                    self.settings.proto.set(proto);
                }
                NEWTRUE => self.push(true_().to_object()),
                NEWFALSE => self.push(false_().to_object()),
                STOP => return self.pop(),
                other => return Err(invalid_key(other)),
            }
        }
    }

    fn read_size(&mut self, too_big: &str) -> PyResult<usize> {
        let size = u64::from_le_bytes(self.input.read_array()?);
        match isize::try_from(size) {
            Ok(size) => Ok(size as usize),
            Err(_) => Err(raise!(OverflowError, "{too_big} {} bytes", isize::MAX)),
        }
    }
    fn load_int(&mut self) -> PyResult<()> {
        let line = self.input.read_line()?;
        if line.is_empty() {
            return Err(truncated());
        }
        let object = match line {
            b"00" => false_().to_object(),
            b"01" => true_().to_object(),
            _ => from_literal_bytes(line, 10)
                .map_err(|raised| {
                    raised.clear();
                    raise!(ValueError, "could not convert string to int")
                })?
                .into_object(),
        };
        self.push(object);
        Ok(())
    }
    fn load_long(&mut self) -> PyResult<()> {
        let line = self.input.read_line()?;
        if line.is_empty() {
            return Err(truncated());
        }
        let int = from_literal_bytes(line.strip_suffix(b"L").unwrap_or(line), 10)?;
        self.push(int.into_object());
        Ok(())
    }
    fn load_counted_long(&mut self, n: usize) -> PyResult<()> {
        let int = PyLongObject::from_bytes(self.input.read(n)?, true, true)?;
        self.push(int.into_object());
        Ok(())
    }
    fn load_float(&mut self) -> PyResult<()> {
        let line = self.input.read_line()?;
        if line.is_empty() {
            return Err(truncated());
        }
        let text = PyBytesObject::from_slice(line);
        let value = adder_runtime::objects::floatobject::from_text_like(text.as_object())?;
        self.push(PyFloatObject::from_f64(value).into_object());
        Ok(())
    }
    fn load_bytes(&mut self, n: usize) -> PyResult<()> {
        let bytes = self.input.read_bytes(n)?;
        self.push(bytes.into_object());
        Ok(())
    }
    #[inline]
    fn load_text(&mut self, n: usize) -> PyResult<()> {
        let bytes = self.input.read(n)?;
        let (text, _) = codecs::utf_8::decode(bytes, "surrogatepass", true)?;
        self.push(text.into_object());
        Ok(())
    }
    /// A string of Python 2: bytes, or what its encoding makes of them.
    fn push_string(&mut self, bytes: &[u8]) -> PyResult<()> {
        let object = PyBytesObject::from_slice(bytes);
        let encoding = self.settings.encoding.borrow().clone();
        if encoding == "bytes" {
            self.push(object.into_object());
            return Ok(());
        }
        let errors = self.settings.errors.borrow().clone();
        let text = codecs::decode_by_name(object.as_object(), object.as_bytes(), &encoding, Some(&errors))?;
        self.push(text.into_object());
        Ok(())
    }
    fn load_counted_string(&mut self, n: usize) -> PyResult<()> {
        let bytes = self.input.read(n)?.to_vec();
        self.push_string(&bytes)
    }
    fn load_string(&mut self) -> PyResult<()> {
        let inside = match self.input.read_line()? {
            [b'"', inside @ .., b'"'] | [b'\'', inside @ .., b'\''] => inside,
            _ => return fail("the STRING opcode argument must be quoted"),
        };
        let bytes = codecs::escape::decode_bytes_escape(inside, "strict")?;
        self.push_string(&bytes)
    }
    fn load_next_buffer(&mut self) -> PyResult<()> {
        let Some(buffers) = self.settings.buffers.get() else {
            return fail("pickle stream refers to out-of-band data but no *buffers* argument was given");
        };
        match buffers.next()? {
            Some(buffer) => {
                self.push(buffer);
                Ok(())
            }
            None => fail("not enough out-of-band buffers"),
        }
    }
    fn load_readonly_buffer(&mut self) -> PyResult<()> {
        let view = PyMemoryViewObject::type_object().as_object().call1(self.top()?)?;
        if !view.get_attr(identifier!("readonly"))?.is_true()? {
            let readonly = view.call_method(identifier!("toreadonly"), &[])?;
            self.pop()?;
            self.push(readonly);
        }
        Ok(())
    }
    fn load_persistent_id(&mut self) -> PyResult<()> {
        let Some(load) = self.persistent_load.clone() else { return Err(no_persistent_load()) };
        let line = self.input.read_line()?;
        if !line.is_ascii() {
            return fail("persistent IDs in protocol 0 must be ASCII strings");
        }
        let id = PyUnicodeObject::from_ascii(line);
        let object = load.call1(id.as_object())?;
        self.push(object);
        Ok(())
    }
    /// Takes off the top, be it an object or a mark.
    fn load_pop(&mut self) -> PyResult<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.pop_mark()?;
            return Ok(());
        }
        self.pop().map(drop)
    }
    #[inline]
    fn load_get(&mut self, number: usize) -> PyResult<()> {
        let object = self.settings.memo.borrow().get(number).cloned();
        match object {
            Some(object) => {
                self.push(object);
                Ok(())
            }
            None => fail(&format!("Memo value not found at index {number}")),
        }
    }
    #[inline]
    fn load_put(&mut self, number: usize) -> PyResult<()> {
        let object = self.top()?.clone();
        let old = self.settings.memo.borrow_mut().set(number, object);
        drop(old);
        Ok(())
    }
    fn load_extension(&mut self, code: i64) -> PyResult<()> {
        let key = PyLongObject::from_i64(code);
        if let Some(object) = linked(&LINKS.here().extension_cache, key.as_object())? {
            self.push(object);
            return Ok(());
        }
        let Some(pair) = linked(&LINKS.here().inverted_registry, key.as_object())? else {
            if code <= 0 {
                return fail("EXT specifies code <= 0");
            }
            return Err(raise!(ValueError, "unregistered extension code {code}"));
        };
        let pair = pair.as_object().downcast::<PyTupleObject>().map(PyTupleObject::as_slice);
        let (module_name, name) = match pair {
            Some([module_name, name])
                if PyUnicodeObject::check(module_name) && PyUnicodeObject::check(name) =>
            {
                (module_name.to_ref(), name.to_ref())
            }
            _ => return Err(raise!(ValueError, "_inverted_registry[{code}] isn't a 2-tuple of strings")),
        };
        let object = self.class_named(&module_name, &name)?;
        if let Some(cache) = LINKS.here().extension_cache.get() {
            cache.set(key.as_object(), &object)?;
        }
        self.push(object);
        Ok(())
    }
    /// `self.find_class(module_name, name)`.
    pub fn class_named(&self, module_name: &PyObject, name: &PyObject) -> PyResult {
        match &self.find_class {
            Some(find_class) => find_class.call(&[module_name, name]),
            None => find_class(module_name, name, self.settings.proto.get(), self.settings.fix_imports.get()),
        }
    }
}

#[cold]
fn invalid_key(op: u8) -> Raised {
    let shown = match op {
        b' '..=b'~' if op != b'\'' && op != b'\\' => char::from(op).to_string(),
        _ => format!("\\x{op:02x}"),
    };
    UNPICKLING_ERROR.raise(format!("invalid load key, '{shown}'."))
}

fn mapped_text(object: Ref, place: &str) -> PyResult<Ref<PyUnicodeObject>> {
    object.downcast::<PyUnicodeObject>().map_err(|object| {
        let found = object.ty().name();
        raise!(RuntimeError, "_compat_pickle.{place} values should be strings, not {found}")
    })
}

/// What a module has under a name, the module being imported first. Names of Python 2 become those of today.
pub fn find_class(module_name: &PyObject, name: &PyObject, proto: u8, fix_imports: bool) -> PyResult {
    adder_runtime::hooks::audit("pickle.find_class", &[module_name, name])?;
    let as_text = |object: &PyObject| match object.downcast::<PyUnicodeObject>() {
        Some(text) => Ok(text.to_ref()),
        None => Err(raise!(TypeError, "find_class() arguments must be str, not {}", object.ty().name())),
    };
    let (mut module_name, mut name) = (as_text(module_name)?, as_text(name)?);
    if proto < 3 && fix_imports {
        let key = PyTupleObject::from_vec(vec![module_name.to_object(), name.to_object()]);
        if let Some(pair) = linked(&LINKS.here().name_mapping, key.as_object())? {
            match pair.as_object().downcast::<PyTupleObject>().map(PyTupleObject::as_slice) {
                Some([new_module, new_name]) => {
                    module_name = mapped_text(new_module.to_ref(), "NAME_MAPPING")?;
                    name = mapped_text(new_name.to_ref(), "NAME_MAPPING")?;
                }
                _ => {
                    let found = pair.ty().name();
                    return Err(raise!(
                        RuntimeError,
                        "_compat_pickle.NAME_MAPPING values should be 2-tuples, not {found}"
                    ));
                }
            }
        } else if let Some(new_module) = linked(&LINKS.here().import_mapping, module_name.as_object())? {
            module_name = mapped_text(new_module, "IMPORT_MAPPING")?;
        }
    }
    let module = adder_runtime::hooks::import_named(&module_name)?;
    if proto < 4 {
        return module.get_attr(&name);
    }
    let path = split_dotted(&name);
    if path.len() == 1 {
        return module.get_attr(&name);
    }
    attribute_path(&module, &path).map_err(|raised| {
        if !raised.matches(exc::AttributeError) {
            return raised;
        }
        replace_error(raised, || match (name.repr(), module_name.repr()) {
            (Ok(name), Ok(module_name)) => {
                let (name, module_name) = (name.to_string_lossy(), module_name.to_string_lossy());
                raise!(AttributeError, "Can't resolve path {name} on module {module_name}")
            }
            (Err(raised), _) | (_, Err(raised)) => raised,
        })
    })
}
