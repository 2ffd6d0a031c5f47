//! `marshal`: values and code objects as bytes, for `.pyc` files.
//!
//! Values have CPython's format, so that data can be exchanged. Code objects have our own (type `c` with our bytecode):
//! the magic number of `.pyc` files keeps the two apart. Bad data raises. Code is checked before it can run, which takes longer
//! than reading it; so `dumps` puts a seal before a code object (type `C`: a hash of what follows), and bytes whose seal holds
//! are those that this version wrote, from code that runs. Embedded code needs no seal.

use adder_runtime::exceptions::exc;
use adder_runtime::hooks;
use adder_runtime::memory::gc;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::objects::codeobject::{
    CodeParts, decode_linetable, encode_linetable,
};
use adder_runtime::objects::setobject::{PyFrozenSet_Type, PySet_Type};
use adder_runtime::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;

/// The version of the format that `dump` writes by default.
const VERSION: i64 = 5;
/// How deep values may nest.
const MAX_DEPTH: usize = 2000;
/// Set on a type byte: the object goes into the table of references.
const FLAG_REF: u8 = 0x80;
/// The seal before a code object: how long the object is (4 bytes) and the hash of it (8 bytes).
const SEAL: u8 = b'C';
const SEAL_LEN: usize = 1 + 4 + 8;

// ---- writing ----

struct Writer {
    bytes: Vec<u8>,
    version: i64,
    depth: usize,
    allow_code: bool,
    /// Object to index in the reader's table.
    seen: HashMap<usize, u32>,
    /// Slices and code objects that are being written: the reader makes them last, so nothing may refer back to them.
    open: Vec<usize>,
    /// Keeps the objects of `seen` alive: their addresses must stay theirs.
    held: Vec<Ref>,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
    fn long(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }
    fn size(&mut self, size: usize) -> PyResult<()> {
        let Ok(size) = i32::try_from(size) else { return Err(unmarshallable()) };
        self.long(size);
        Ok(())
    }
    fn sized(&mut self, bytes: &[u8]) -> PyResult<()> {
        self.size(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a reference when the object was written before; true then. Otherwise the returned flag goes on its type.
    fn reference(&mut self, object: &PyObject) -> PyResult<Option<u8>> {
        if self.version < 3 || object.refcnt() == 1 {
            return Ok(Some(0));
        }
        let address = object.as_ptr() as usize;
        if let Some(index) = self.seen.get(&address).copied() {
            if self.open.contains(&address) {
                return Err(unmarshallable());
            }
            self.byte(b'r');
            self.long(index as i32);
            return Ok(None);
        }
        let index = self.seen.len() as u32;
        self.seen.insert(address, index);
        self.held.push(object.to_ref());
        Ok(Some(FLAG_REF))
    }

    fn object(&mut self, object: &PyObject) -> PyResult<()> {
        if self.depth >= MAX_DEPTH {
            return Err(raise!(ValueError, "object too deeply nested to marshal"));
        }
        self.depth += 1;
        let result = self.object_inner(object);
        self.depth -= 1;
        result
    }

    fn object_inner(&mut self, object: &PyObject) -> PyResult<()> {
        let simple = if is_none(object) {
            Some(b'N')
        } else if object.is(true_()) {
            Some(b'T')
        } else if object.is(false_()) {
            Some(b'F')
        } else if object.is(ellipsis()) {
            Some(b'.')
        } else if object.is(exc::StopIteration.as_object()) {
            Some(b'S')
        } else {
            None
        };
        if let Some(byte) = simple {
            self.byte(byte);
            return Ok(());
        }
        let Some(flag) = self.reference(object)? else { return Ok(()) };
        let made_last = PySliceObject::check_exact(object) || PyCodeObject::check_exact(object);
        if made_last {
            self.open.push(object.as_ptr() as usize);
        }
        let result = self.complex_object(object, flag);
        if made_last {
            self.open.pop();
        }
        result
    }

    fn complex_object(&mut self, object: &PyObject, flag: u8) -> PyResult<()> {
        if let Some(number) = object.downcast_exact::<PyLongObject>() {
            return self.int(number, flag);
        }
        if let Some(number) = object.downcast_exact::<PyFloatObject>() {
            return self.float(number.value(), flag);
        }
        if let Some(number) = object.downcast_exact::<PyComplexObject>() {
            let (real, imag) = number.value();
            self.byte(b'y' | flag);
            self.bytes.extend_from_slice(&real.to_le_bytes());
            self.bytes.extend_from_slice(&imag.to_le_bytes());
            return Ok(());
        }
        if let Some(bytes) = object.downcast_exact::<PyBytesObject>() {
            self.byte(b's' | flag);
            return self.sized(bytes.as_bytes());
        }
        if let Some(text) = object.downcast_exact::<PyUnicodeObject>() {
            return self.text(text, flag);
        }
        if let Some(tuple) = object.downcast_exact::<PyTupleObject>() {
            match u8::try_from(tuple.len()) {
                Ok(n) if self.version >= 4 => {
                    self.byte(b')' | flag);
                    self.byte(n);
                }
                _ => {
                    self.byte(b'(' | flag);
                    self.size(tuple.len())?;
                }
            }
            for item in tuple.as_slice() {
                self.object(item)?;
            }
            return Ok(());
        }
        if let Some(list) = object.downcast_exact::<PyListObject>() {
            self.byte(b'[' | flag);
            self.size(list.len())?;
            let mut at = 0;
            while let Some(item) = list.get(at) {
                self.object(&item)?;
                at += 1;
            }
            return Ok(());
        }
        if let Some(dict) = object.downcast_exact::<PyDictObject>() {
            self.byte(b'{' | flag);
            let mut position = 0;
            while let Some((key, value, _)) = dict.next_entry(&mut position) {
                let (key, value) = (key.to_ref(), value.to_ref());
                self.object(&key)?;
                self.object(&value)?;
            }
            self.byte(b'0');
            return Ok(());
        }
        if (std::ptr::eq(object.ty(), &PySet_Type) || std::ptr::eq(object.ty(), &PyFrozenSet_Type))
            && let Some(set) = PySetObject::from_any(object)
        {
            return self.set(set, flag);
        }
        if let Some(slice) = object.downcast_exact::<PySliceObject>() {
            if self.version < 5 {
                return Err(unmarshallable());
            }
            self.byte(b':' | flag);
            for name in [identifier!("start"), identifier!("stop"), identifier!("step")] {
                let part = slice.as_object().get_attr(name)?;
                self.object(&part)?;
            }
            return Ok(());
        }
        if let Some(code) = object.downcast_exact::<PyCodeObject>() {
            return self.code(code, flag);
        }
        let is_number = object.type_has(Py_TPFLAGS_LONG_SUBCLASS);
        match Buffer::simple(object) {
            Ok(buffer) if !is_number => {
                self.byte(b's' | flag);
                self.sized(buffer.as_bytes())
            }
            Ok(_) => Err(unmarshallable()),
            Err(raised) => {
                raised.clear();
                Err(unmarshallable())
            }
        }
    }

    fn int(&mut self, number: &PyLongObject, flag: u8) -> PyResult<()> {
        if let Some(small) = number.to_i64().and_then(|value| i32::try_from(value).ok()) {
            self.byte(b'i' | flag);
            self.long(small);
            return Ok(());
        }
        // Digits of 15 bits, least significant first; the sign is the count's.
        self.byte(b'l' | flag);
        let value = number.to_bigint();
        let negative = value.sign() == num_bigint::Sign::Minus;
        let digits = value.magnitude().to_radix_le_15();
        let count = i32::try_from(digits.len()).map_err(|_| unmarshallable())?;
        self.long(if negative { -count } else { count });
        for digit in digits {
            self.bytes.extend_from_slice(&digit.to_le_bytes());
        }
        Ok(())
    }

    fn float(&mut self, value: f64, flag: u8) -> PyResult<()> {
        if self.version > 1 {
            self.byte(b'g' | flag);
            self.bytes.extend_from_slice(&value.to_le_bytes());
            return Ok(());
        }
        self.byte(b'f' | flag);
        let text = adder_runtime::objects::floatobject::float_repr(value);
        self.byte(text.len() as u8);
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn text(&mut self, text: &PyUnicodeObject, flag: u8) -> PyResult<()> {
        let interned = text.is_interned();
        if self.version >= 4 && text.is_ascii() {
            let bytes = text.to_str()?.as_bytes();
            if let Ok(length) = u8::try_from(bytes.len()) {
                self.byte(if interned { b'Z' } else { b'z' } | flag);
                self.byte(length);
                self.bytes.extend_from_slice(bytes);
                return Ok(());
            }
            self.byte(if interned { b'A' } else { b'a' } | flag);
            return self.sized(bytes);
        }
        self.byte(if self.version >= 3 && interned { b't' } else { b'u' } | flag);
        let encoded = adder_runtime::objects::codecs::Builtin::Utf8.encode(text, "surrogatepass")?;
        self.sized(encoded.as_bytes())
    }

    /// Elements in the order of their marshalled bytes, so that equal sets give equal files.
    fn set(&mut self, set: &PySetObject, flag: u8) -> PyResult<()> {
        self.byte(if set.is_frozen() { b'>' } else { b'<' } | flag);
        self.size(set.len())?;
        let mut items = Vec::with_capacity(set.len());
        let mut position = 0;
        while let Some((item, _)) = set.next_entry(&mut position) {
            items.push(item.to_ref());
        }
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            keyed.push((dumps(&item, self.version, self.allow_code)?, item));
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, item) in keyed {
            self.object(&item)?;
        }
        Ok(())
    }

    fn code(&mut self, code: &PyCodeObject, flag: u8) -> PyResult<()> {
        if !self.allow_code {
            return Err(raise!(ValueError, "marshalling code objects is disallowed"));
        }
        let parts = code.to_parts();
        self.byte(b'c' | flag);
        for number in
            [parts.argcount, parts.posonlyargcount, parts.kwonlyargcount, parts.stacksize, parts.flags, parts.firstlineno]
        {
            self.long(number);
        }
        let words: Vec<u8> = parts.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.sized(&words)?;
        self.sized(&parts.localsplus_kinds)?;
        self.sized(parts.exceptiontable.as_bytes())?;
        self.sized(parts.linetable.as_bytes())?;
        self.object(parts.consts.as_object())?;
        self.object(parts.names.as_object())?;
        self.object(parts.localsplus_names.as_object())?;
        self.object(&parts.filename)?;
        self.object(&parts.name)?;
        self.object(&parts.qualname)
    }
}

fn unmarshallable() -> Raised {
    raise!(ValueError, "unmarshallable object")
}

/// The marshalled form of an object.
pub fn dumps(object: &PyObject, version: i64, allow_code: bool) -> PyResult<Vec<u8>> {
    let mut writer =
        Writer { bytes: Vec::new(), version, depth: 0, allow_code, seen: HashMap::new(), open: Vec::new(), held: Vec::new() };
    if !PyCodeObject::check_exact(object) {
        writer.object(object)?;
        return Ok(writer.bytes);
    }
    writer.bytes.resize(SEAL_LEN, SEAL);
    writer.object(object)?;
    let (head, code) = writer.bytes.split_at_mut(SEAL_LEN);
    let Ok(len) = u32::try_from(code.len()) else { return Err(unmarshallable()) };
    head[1..5].copy_from_slice(&len.to_le_bytes());
    head[5..].copy_from_slice(&seal_of(code).to_le_bytes());
    Ok(writer.bytes)
}

/// Another compiler's code has another seal.
fn seal_of(code: &[u8]) -> u64 {
    adder_runtime::pyhash::siphash13(u64::from(adder_compiler::BYTECODE_VERSION), 0, code)
}

/// Magnitudes in digits of 15 bits.
trait Radix15 {
    fn to_radix_le_15(&self) -> Vec<u16>;
}

impl Radix15 for num_bigint::BigUint {
    fn to_radix_le_15(&self) -> Vec<u16> {
        let bytes = self.to_bytes_le();
        let mut digits = Vec::with_capacity(bytes.len() * 8 / 15 + 1);
        let (mut accumulator, mut n_bits) = (0u32, 0);
        for byte in bytes {
            accumulator |= u32::from(byte) << n_bits;
            n_bits += 8;
            if n_bits >= 15 {
                digits.push((accumulator & 0x7fff) as u16);
                accumulator >>= 15;
                n_bits -= 15;
            }
        }
        if n_bits > 0 {
            digits.push(accumulator as u16);
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        digits
    }
}

// ---- reading ----

/// Where the bytes come from: memory, or a file's `readinto`.
enum Source<'a> {
    Memory(&'a [u8]),
    File(&'a PyObject),
}

struct Reader<'a> {
    source: Source<'a>,
    depth: usize,
    allow_code: bool,
    /// Whether the code objects are known to run.
    is_trusted: bool,
    /// Objects that were flagged; `None` while one is being read.
    table: Vec<Option<Ref>>,
    /// The containers that are being read, outermost first; not those that take no part in what [`Reader::may_close`] asks.
    open: Vec<Open>,
}

/// A container that is being read, with its place in the table.
enum Open {
    Tuple(usize),
    Mutable(Option<usize>),
    Code,
}

fn too_short() -> Raised {
    raise!(EOFError, "marshal data too short")
}

fn bad_data(what: &str) -> Raised {
    raise!(ValueError, "bad marshal data ({what})")
}

impl<'a> Reader<'a> {
    fn new(source: Source<'a>, allow_code: bool) -> Reader<'a> {
        Reader { source, depth: 0, allow_code, is_trusted: false, table: Vec::new(), open: Vec::new() }
    }

    fn take(&mut self, n: usize) -> PyResult<Cow<'a, [u8]>> {
        match &mut self.source {
            Source::Memory(rest) => {
                if rest.len() < n {
                    return Err(too_short());
                }
                let (taken, left) = rest.split_at(n);
                *rest = left;
                Ok(Cow::Borrowed(taken))
            }
            Source::File(file) => {
                let target = PyByteArrayObject::try_from_slice(&[])?;
                target.resize(n)?;
                let view = PyMemoryViewObject::type_object().as_object().call1(target.as_object())?;
                let n_read = file.call_method(identifier!("readinto"), &[&*view])?.index()?.as_isize()?;
                if n_read > n as isize {
                    return Err(raise!(
                        ValueError,
                        "read() returned too much data: {n} bytes requested, {n_read} returned"
                    ));
                }
                if n_read != n as isize {
                    return Err(raise!(EOFError, "EOF read where not expected"));
                }
                Ok(Cow::Owned(target.as_bytes().to_vec()))
            }
        }
    }
    fn array<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        if let Source::Memory(rest) = &mut self.source {
            let Some((taken, left)) = rest.split_first_chunk::<N>() else { return Err(too_short()) };
            *rest = left;
            return Ok(*taken);
        }
        let taken = self.take(N)?;
        <[u8; N]>::try_from(&taken[..]).map_err(|_| too_short())
    }
    fn byte(&mut self) -> PyResult<u8> {
        match &mut self.source {
            Source::Memory([]) => Err(raise!(EOFError, "EOF read where object expected")),
            _ => self.array::<1>().map(|[byte]| byte),
        }
    }
    fn long(&mut self) -> PyResult<i32> {
        self.array().map(i32::from_le_bytes)
    }
    fn double(&mut self) -> PyResult<f64> {
        self.array().map(f64::from_le_bytes)
    }
    fn size(&mut self, what: &str) -> PyResult<usize> {
        let size = self.long()?;
        usize::try_from(size).map_err(|_| bad_data(&format!("{what} size out of range")))
    }
    fn sized(&mut self, what: &str) -> PyResult<Cow<'a, [u8]>> {
        let size = self.size(what)?;
        self.take(size)
    }
    fn text_number(&mut self) -> PyResult<f64> {
        let length = self.byte()?;
        let text = self.take(length.into())?;
        let number = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| bad_data("float text"))
    }

    fn object(&mut self) -> PyResult {
        match self.object_or_null()? {
            Some(object) => Ok(object),
            None => Err(raise!(TypeError, "NULL object in marshal data for object")),
        }
    }

    fn object_or_null(&mut self) -> PyResult<Option<Ref>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            return Err(bad_data("recursion limit exceeded"));
        }
        let result = self.any();
        self.depth -= 1;
        result
    }

    /// Reads `n` items, keeping a place in the table for the object that they make up.
    fn items(&mut self, n: usize) -> PyResult<Vec<Ref>> {
        let mut items = Vec::with_capacity(n.min(1 << 16));
        for _ in 0..n {
            items.push(self.object()?);
        }
        Ok(items)
    }

    fn any(&mut self) -> PyResult<Option<Ref>> {
        let code = self.byte()?;
        let (kind, flagged) = (code & !FLAG_REF, code & FLAG_REF != 0);
        let place = flagged.then(|| {
            self.table.push(None);
            self.table.len() - 1
        });
        let object = match kind {
            b'0' => return Ok(None),
            b'N' => none_ref(),
            b'T' => true_().to_ref(),
            b'F' => false_().to_ref(),
            b'.' => ellipsis().to_ref(),
            b'S' => exc::StopIteration.to_object(),
            b'r' => {
                let index = usize::try_from(self.long()?).ok();
                let found = index.filter(|index| self.may_close(*index)).and_then(|index| self.table.get(index)?.clone());
                return found.map(Some).ok_or_else(|| bad_data("invalid reference"));
            }
            b'(' | b')' if let Some(place) = place => {
                return self.within(Open::Tuple(place), |reader| reader.tuple(kind, place)).map(Some);
            }
            b'[' | b'{' | b'<' => {
                return self.within(Open::Mutable(place), |reader| reader.mutable(kind, place)).map(Some);
            }
            _ => self.value(kind)?,
        };
        if let Some(place) = place {
            self.table[place] = Some(object.clone());
        }
        Ok(Some(object))
    }

    /// Whether the collector could free the cycle that a reference to this place makes, if it makes one: no code object may be
    /// in it, and not only tuples.
    fn may_close(&self, place: usize) -> bool {
        let is_it = |open: &Open| match open {
            Open::Tuple(other) | Open::Mutable(Some(other)) => *other == place,
            Open::Mutable(None) | Open::Code => false,
        };
        let Some(start) = self.open.iter().rposition(is_it) else {
            return true;
        };
        let cycle = &self.open[start..];
        cycle.iter().any(|open| matches!(open, Open::Mutable(_))) && !cycle.iter().any(|open| matches!(open, Open::Code))
    }

    fn within<R>(&mut self, open: Open, read: impl FnOnce(&mut Self) -> R) -> R {
        self.open.push(open);
        let result = read(self);
        self.open.pop();
        result
    }

    /// A tuple that may contain itself, indirectly: it is in the table before its items are read.
    fn tuple(&mut self, kind: u8, place: usize) -> PyResult {
        let n = if kind == b')' { self.byte()?.into() } else { self.size("tuple")? };
        if matches!(&self.source, Source::Memory(rest) if rest.len() < n) {
            return Err(too_short());
        }
        let tuple = PyTupleObject::with_len_and(n, |_| none_ref());
        self.table[place] = Some(tuple.to_object());
        let filled: PyResult<()> = (0..n).try_for_each(|at| {
            let item = self.object()?;
            // SAFETY: the tuple has `n` items, of which this one is still the immortal None; the table alone knows it.
            unsafe { *tuple.items_ptr().add(at) = item.into_raw() };
            Ok(())
        });
        // Its items were atoms when it was made.
        if tuple.may_be_in_cycle() && !gc::is_tracked(tuple.as_ptr()) {
            gc::track(tuple.as_ptr());
        }
        filled?;
        Ok(tuple.into_object())
    }

    /// Containers that may contain themselves: they are in the table before their items are read.
    fn mutable(&mut self, kind: u8, place: Option<usize>) -> PyResult {
        let enter = |table: &mut Vec<Option<Ref>>, object: &Ref| {
            if let Some(place) = place {
                table[place] = Some(object.clone());
            }
        };
        match kind {
            b'[' => {
                let n = self.size("list")?;
                let list = PyListObject::new();
                enter(&mut self.table, &list.to_object());
                for _ in 0..n {
                    list.push(self.object()?);
                }
                Ok(list.into_object())
            }
            b'{' => {
                let dict = PyDictObject::new();
                enter(&mut self.table, &dict.to_object());
                while let Some(key) = self.object_or_null()? {
                    let Some(value) = self.object_or_null()? else { break };
                    dict.set(&key, &value)?;
                }
                Ok(dict.into_object())
            }
            _ => {
                let n = self.size("set")?;
                let set = PySetObject::new_set();
                enter(&mut self.table, &set.to_object());
                for _ in 0..n {
                    let item = self.object()?;
                    set.add(&item)?;
                }
                Ok(set.into_object())
            }
        }
    }

    fn value(&mut self, kind: u8) -> PyResult {
        match kind {
            b'i' => Ok(PyLongObject::from_i64(self.long()?.into()).into_object()),
            b'I' => Ok(PyLongObject::from_i64(i64::from_le_bytes(self.array()?)).into_object()),
            b'l' => self.big_int(),
            b'f' => Ok(PyFloatObject::from_f64(self.text_number()?).into_object()),
            b'g' => Ok(PyFloatObject::from_f64(self.double()?).into_object()),
            b'x' => {
                let (real, imag) = (self.text_number()?, self.text_number()?);
                Ok(PyComplexObject::from_parts(real, imag).into_object())
            }
            b'y' => {
                let (real, imag) = (self.double()?, self.double()?);
                Ok(PyComplexObject::from_parts(real, imag).into_object())
            }
            b's' => Ok(PyBytesObject::from_slice(&self.sized("bytes object")?).into_object()),
            b'z' | b'Z' => {
                let length = self.byte()?;
                let bytes = self.take(length.into())?;
                Ok(ascii_text(&bytes, kind == b'Z'))
            }
            b'a' | b'A' => {
                let bytes = self.sized("string")?;
                Ok(ascii_text(&bytes, kind == b'A'))
            }
            b'u' | b't' => {
                let bytes = self.sized("string")?;
                let text = adder_runtime::objects::codecs::Builtin::Utf8.decode(&bytes, "surrogatepass")?;
                Ok(if kind == b't' { PyUnicodeObject::intern(text) } else { text }.into_object())
            }
            b')' => {
                let n = self.byte()?;
                Ok(PyTupleObject::from_vec(self.items(n.into())?).into_object())
            }
            b'(' => {
                let n = self.size("tuple")?;
                Ok(PyTupleObject::from_vec(self.items(n)?).into_object())
            }
            b'>' => {
                let n = self.size("set")?;
                let set = PySetObject::new_frozenset();
                for item in self.items(n)? {
                    set.add(&item)?;
                }
                Ok(set.into_object())
            }
            b':' => {
                let parts = self.items(3)?;
                Ok(PySliceObject::new_slice(Some(&parts[0]), Some(&parts[1]), Some(&parts[2]))?.into_object())
            }
            b'c' => self.within(Open::Code, Self::code),
            SEAL => self.sealed_code(),
            _ => Err(bad_data("unknown type code")),
        }
    }

    fn big_int(&mut self) -> PyResult {
        let count = self.long()?;
        let n = count.unsigned_abs() as usize;
        let mut magnitude = num_bigint::BigUint::default();
        let bytes = self.take(n.checked_mul(2).ok_or_else(|| bad_data("long size out of range"))?)?;
        let (mut packed, mut accumulator, mut n_bits) = (Vec::with_capacity(bytes.len()), 0u32, 0);
        for pair in bytes.chunks_exact(2) {
            let digit = u16::from_le_bytes([pair[0], pair[1]]);
            if digit > 0x7fff {
                return Err(bad_data("digit out of range in long"));
            }
            accumulator |= u32::from(digit) << n_bits;
            n_bits += 15;
            while n_bits >= 8 {
                packed.push(accumulator as u8);
                accumulator >>= 8;
                n_bits -= 8;
            }
        }
        packed.push(accumulator as u8);
        if bytes.ends_with(&[0, 0]) {
            return Err(bad_data("unnormalized long data"));
        }
        magnitude += num_bigint::BigUint::from_bytes_le(&packed);
        let sign = if count < 0 { num_bigint::Sign::Minus } else { num_bigint::Sign::Plus };
        Ok(PyLongObject::from_bigint(&num_bigint::BigInt::from_biguint(sign, magnitude))?.into_object())
    }

    fn text_object(&mut self) -> PyResult {
        let object = self.object()?;
        if PyUnicodeObject::check_exact(&object) { Ok(object) } else { Err(bad_data("a name is not a string")) }
    }
    fn tuple_object(&mut self) -> PyResult<Ref<PyTupleObject>> {
        self.object()?.downcast::<PyTupleObject>().map_err(|_| bad_data("a table is not a tuple"))
    }

    /// Checks a seal; a broken one is no error, but then the code is checked as a stranger's. What refers to objects outside is a
    /// stranger's too.
    fn sealed_code(&mut self) -> PyResult {
        let len = u32::from_le_bytes(self.array()?) as usize;
        let seal = u64::from_le_bytes(self.array()?);
        let code = match &self.source {
            Source::Memory(rest) if self.table.is_empty() => rest.get(..len),
            _ => None,
        };
        let is_trusted = self.is_trusted;
        self.is_trusted |= code.is_some_and(|code| seal_of(code) == seal);
        let object = self.object();
        self.is_trusted = is_trusted;
        object
    }

    fn code(&mut self) -> PyResult {
        if !self.allow_code {
            return Err(raise!(ValueError, "unmarshalling code objects is disallowed"));
        }
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = self.long()?;
        }
        let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno] = numbers;
        let words = self.sized("code")?;
        if words.is_empty() || words.len() % 8 != 0 {
            return Err(bad_data("code is not made of words"));
        }
        let words: Vec<u64> =
            words.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))).collect();
        let localsplus_kinds = self.sized("kinds")?.into_owned();
        let exceptiontable = PyBytesObject::from_slice(&self.sized("exception table")?);
        let linetable = shown_linetable(&self.sized("line table")?, firstlineno, words.len() as u32);
        let parts = CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            firstlineno,
            words,
            consts: self.tuple_object()?,
            names: self.tuple_object()?,
            localsplus_names: self.tuple_object()?,
            localsplus_kinds,
            filename: self.text_object()?,
            name: self.text_object()?,
            qualname: self.text_object()?,
            exceptiontable,
            linetable,
        };
        if parts.localsplus_names.len() != parts.localsplus_kinds.len() {
            return Err(bad_data("damaged tables of a code object"));
        }
        let code = if self.is_trusted {
            PyCodeObject::from_parts(parts)
        } else {
            PyCodeObject::from_foreign_parts(parts)
        };
        Ok(code?.into_object())
    }
}

/// `-X no_debug_ranges` holds for code that was compiled without it too.
fn shown_linetable(bytes: &[u8], firstlineno: i32, n_words: u32) -> Ref<PyBytesObject> {
    if adder_interp::pylifecycle::config().code_debug_ranges {
        return PyBytesObject::from_slice(bytes);
    }
    let mut locations = decode_linetable(bytes, firstlineno);
    for location in &mut locations {
        (location.end_line, location.col, location.end_col) = (location.line, -1, -1);
    }
    PyBytesObject::from_slice(&encode_linetable(&locations, firstlineno, n_words))
}

fn ascii_text(bytes: &[u8], interned: bool) -> Ref {
    let text = PyUnicodeObject::from_latin1(bytes);
    if interned { PyUnicodeObject::intern(text) } else { text }.into_object()
}

/// The object that embedded bytes stand for, which the build made; what follows it is ignored.
pub fn loads_embedded(bytes: &[u8]) -> PyResult {
    Reader { is_trusted: true, ..Reader::new(Source::Memory(bytes), true) }.object()
}

/// The object that marshalled bytes stand for; what follows it is ignored.
pub fn loads(bytes: &[u8], allow_code: bool) -> PyResult {
    Reader::new(Source::Memory(bytes), allow_code).object()
}

/// Values and code objects as bytes.
#[pymodule(name = "marshal")]
pub mod marshal {
    use super::*;

    #[pyconst(name = "version")]
    const FORMAT_VERSION: i64 = VERSION;

    /// Writes the marshalled value to a file.
    #[pyfunction("($module, value, file, version=version, /, *, allow_code=True)")]
    fn dump(value: &PyObject, file: &PyObject, version: Option<i32>, allow_code: Option<bool>) -> PyResult {
        let bytes = dumps_audited(value, version, allow_code)?;
        file.call_method(identifier!("write"), &[PyBytesObject::from_slice(&bytes).as_object()])
    }
    /// The marshalled value as bytes.
    #[pyfunction("($module, value, version=version, /, *, allow_code=True)", name = "dumps")]
    fn py_dumps(value: &PyObject, version: Option<i32>, allow_code: Option<bool>) -> PyResult {
        Ok(PyBytesObject::from_slice(&dumps_audited(value, version, allow_code)?).into_object())
    }
    /// Reads one value from a file.
    #[pyfunction("($module, file, /, *, allow_code=True)")]
    fn load(file: &PyObject, allow_code: Option<bool>) -> PyResult {
        hooks::audit("marshal.load", &[])?;
        let probe = file.call_method(identifier!("read"), &[PyLongObject::from_i64(0).as_object()])?;
        if !PyBytesObject::check(&probe) {
            return Err(raise!(TypeError, "file.read() returned not bytes but {}", probe.ty().name()));
        }
        let allow_code = allow_code.unwrap_or(true);
        Reader::new(Source::File(file), allow_code).object()
    }
    /// The value that marshalled bytes stand for.
    #[pyfunction("($module, bytes, /, *, allow_code=True)", name = "loads")]
    fn py_loads(bytes: &PyObject, allow_code: Option<bool>) -> PyResult {
        let buffer = Buffer::simple(bytes)?;
        hooks::audit("marshal.loads", &[bytes])?;
        loads(buffer.as_bytes(), allow_code.unwrap_or(true))
    }
}

fn dumps_audited(value: &PyObject, version: Option<i32>, allow_code: Option<bool>) -> PyResult<Vec<u8>> {
    let version = version.map_or(VERSION, i64::from);
    let number = PyLongObject::from_i64(version);
    hooks::audit("marshal.dumps", &[value, number.as_object()])?;
    dumps(value, version, allow_code.unwrap_or(true))
}
