//! `bytes`: immutable runs of bytes, in the object itself with a NUL behind them.
//!
//! One-byte objects and the empty one exist once, immortal. What `bytes` and `bytearray` share is in
//! `bytes_methods`. Tests: `tests/bytes.rs`.

use crate::exceptions::exc;
use crate::memory;
use crate::objects::buffer::{self, Buffer};
use crate::objects::{bytes_format, bytes_methods, codecs, indices};
use crate::prelude::*;
use crate::pyhash;
use std::cell::Cell;
use std::mem::offset_of;

pub use super::byteiter::{BytesIterator, PyBytesIter_Type};

pub(super) const HEADER_SIZE: usize = offset_of!(PyBytesObject, ob_sval);

#[repr(C, align(8))]
struct StaticBytes {
    base: PyVarObject,
    ob_shash: Cell<Py_hash_t>,
    bytes: [u8; 8],
}
// SAFETY: as every object: touched only under the GIL.
unsafe impl Sync for StaticBytes {}

const fn static_bytes(len: isize, byte: u8) -> StaticBytes {
    StaticBytes {
        base: PyVarObject::immortal((&raw const PyBytes_Type).cast_mut(), len),
        ob_shash: Cell::new(-1),
        bytes: [byte, 0, 0, 0, 0, 0, 0, 0],
    }
}

static EMPTY: StaticBytes = static_bytes(0, 0);
static CHARACTERS: [StaticBytes; 256] = {
    let mut all = [const { static_bytes(1, 0) }; 256];
    let mut code = 0;
    while code < 256 {
        all[code].bytes[0] = code as u8;
        code += 1;
    }
    all
};

/// The immortal object of one byte.
#[inline]
pub fn one_byte(byte: u8) -> &'static PyBytesObject {
    // SAFETY: the same layout.
    unsafe { &*(&raw const CHARACTERS[usize::from(byte)]).cast() }
}

/// The immortal empty object.
#[inline]
pub fn empty_bytes() -> &'static PyBytesObject {
    // SAFETY: the same layout.
    unsafe { &*(&raw const EMPTY).cast() }
}

impl PyBytesObject {
    #[inline]
    pub fn empty() -> Ref<PyBytesObject> {
        empty_bytes().to_ref()
    }
    /// An object of `len` bytes that are not yet written. MemoryError when there is no room.
    ///
    /// # Safety
    /// The caller writes them before anybody reads them.
    #[inline]
    pub unsafe fn alloc(len: usize) -> PyResult<Ref<PyBytesObject>> {
        let size = len
            .checked_add(HEADER_SIZE + 1)
            .filter(|size| *size <= isize::MAX as usize);
        let Some(size) = size else {
            return Err(raise!(OverflowError, "byte string is too large"));
        };
        let block = memory::raw_malloc(size).cast::<PyBytesObject>();
        if block.is_null() {
            return Err(memory::no_memory());
        }
        // SAFETY: the block has room for the header, the bytes and the NUL.
        unsafe {
            memory::init_static(block.cast(), &PyBytes_Type);
            (&raw mut (*block).ob_base.ob_size).write(Cell::new(len as isize));
            (&raw mut (*block).ob_shash).write(Cell::new(-1));
            block.cast::<u8>().add(HEADER_SIZE + len).write(0);
            Ok(Ref::from_owned(block))
        }
    }
    /// An object of `len` bytes that `fill` writes; they are zero before.
    pub fn with_len(len: usize, fill: impl FnOnce(&mut [u8])) -> PyResult<Ref<PyBytesObject>> {
        if len == 0 {
            return Ok(PyBytesObject::empty());
        }
        // SAFETY: zeroed before anything reads; nobody else has the object yet.
        let object = unsafe {
            let object = PyBytesObject::alloc(len)?;
            let data = object.data_ptr();
            std::ptr::write_bytes(data, 0, len);
            fill(std::slice::from_raw_parts_mut(data, len));
            object
        };
        if len == 1 {
            return Ok(one_byte(object.as_bytes()[0]).to_ref());
        }
        Ok(object)
    }
    /// A copy of the bytes.
    #[inline]
    pub fn from_slice(bytes: &[u8]) -> Ref<PyBytesObject> {
        match bytes {
            [] => PyBytesObject::empty(),
            [byte] => one_byte(*byte).to_ref(),
            // SAFETY: the bytes are written at once.
            _ => unsafe {
                let object = memory::insist_on(|| PyBytesObject::alloc(bytes.len()));
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), object.data_ptr(), bytes.len());
                object
            },
        }
    }
    pub fn from_vec(bytes: Vec<u8>) -> Ref<PyBytesObject> {
        PyBytesObject::from_slice(&bytes)
    }
    #[inline]
    pub fn hash(&self) -> Py_hash_t {
        match self.ob_shash.get() {
            -1 => {
                let hash = pyhash::hash_bytes(self.as_bytes());
                self.ob_shash.set(hash);
                hash
            }
            hash => hash,
        }
    }
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn eq(&self, other: &PyBytesObject) -> bool {
        self.as_bytes() == other.as_bytes()
    }
    /// This object when it is exact `bytes`, else a copy of its bytes.
    pub fn to_exact(&self) -> Ref<PyBytesObject> {
        if PyBytesObject::check_exact(self.as_object()) {
            self.to_ref()
        } else {
            PyBytesObject::from_slice(self.as_bytes())
        }
    }
    fn new_in_subclass(cls: &PyTypeObject, bytes: &[u8]) -> PyResult<Ref<PyBytesObject>> {
        // SAFETY: tp_alloc gives a zeroed instance with room for the bytes and the NUL.
        unsafe {
            let object = crate::objects::unicodeobject::construct::alloc_instance(cls, bytes.len())?;
            let object = object.cast::<PyBytesObject>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), object.data_ptr(), bytes.len());
            object.ob_shash.set(-1);
            Ok(object)
        }
    }
}

/// `bytes(source, encoding, errors)` as an exact object.
fn new_bytes(
    source: Option<&PyObject>,
    encoding: Option<&PyUnicodeObject>,
    errors: Option<&PyUnicodeObject>,
) -> PyResult<Ref<PyBytesObject>> {
    if let Some(text) = bytes_methods::text_source(source, encoding, errors)? {
        let encoded = codecs::encode_text(text, encoding, errors)?;
        // SAFETY: encode_text gives bytes.
        return Ok(unsafe { encoded.cast::<PyBytesObject>() });
    }
    let Some(source) = source else {
        return Ok(PyBytesObject::empty());
    };
    if let Some(bytes) = source.downcast_exact::<PyBytesObject>() {
        return Ok(bytes.to_ref());
    }
    if let Some(result) = source.call_special(identifier!("__bytes__"), &[])? {
        return result.downcast::<PyBytesObject>().map_err(|result| {
            raise!(
                TypeError,
                "__bytes__ returned non-bytes (type {})",
                result.ty().full_name()
            )
        });
    }
    if source.downcast::<PyUnicodeObject>().is_some() {
        return Err(raise!(TypeError, "string argument without an encoding"));
    }
    if let Some(count) = bytes_methods::count_source(source)? {
        return zeros(count);
    }
    from_object(source)
}

fn zeros(count: usize) -> PyResult<Ref<PyBytesObject>> {
    PyBytesObject::with_len(count, |_| {})
}

/// `PyBytes_FromObject`: the bytes of a bytes-like object, or of an iterable of integers.
pub fn from_object(source: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    if let Some(bytes) = source.downcast_exact::<PyBytesObject>() {
        return Ok(bytes.to_ref());
    }
    if buffer::has_buffer(source) {
        let view = Buffer::get(source, PyBUF_FULL_RO)?;
        return Ok(PyBytesObject::from_vec(bytes_methods::contiguous_bytes(&view)));
    }
    let is_iterable = source.ty().tp_iter.get().is_some() || source.is_sequence();
    if source.downcast::<PyUnicodeObject>().is_some() || !is_iterable {
        return Err(raise!(
            TypeError,
            "cannot convert '{}' object to bytes",
            source.ty().full_name()
        ));
    }
    let mut bytes = Vec::with_capacity(source.length_hint(64)?.min(1 << 20));
    source.for_each(|item| {
        bytes.push(bytes_methods::byte_value(
            &item,
            "bytes must be in range(0, 256)",
        )?);
        Ok(())
    })?;
    Ok(PyBytesObject::from_vec(bytes))
}

#[pytype(
    name = "bytes",
    static_name = PyBytes_Type,
    flags = BASETYPE | BYTES_SUBCLASS | MATCH_SELF,
    basicsize = PyBytesObject_SIZE,
    itemsize = 1,
    parts = [bytes_methods::BYTES_METHODS, bytes_methods::BYTES_SEARCH],
)]
/// bytes(source=b'', encoding='utf-8', errors='strict') -> bytes
///
/// An immutable sequence of bytes: of a count of zeros, of a bytes-like object, of integers, or of encoded text.
impl PyBytesObject {
    #[new(
        "~(source=<unrepresentable>, encoding=<unrepresentable>, errors=<unrepresentable>)",
        vectorcall
    )]
    fn py_new(
        cls: &PyTypeObject,
        source: Option<&PyObject>,
        encoding: Option<&PyUnicodeObject>,
        errors: Option<&PyUnicodeObject>,
    ) -> PyResult<Ref<PyBytesObject>> {
        let bytes = new_bytes(source, encoding, errors)?;
        if std::ptr::eq(cls, &PyBytes_Type) {
            return Ok(bytes);
        }
        PyBytesObject::new_in_subclass(cls, bytes.as_bytes())
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyBytesObject) {
        // SAFETY: the object is dying; its block goes by its type's own way.
        unsafe {
            let ty = (*this.cast::<PyObject>()).ty();
            if std::ptr::eq(ty, &PyBytes_Type) {
                memory::raw_free(this.cast());
            } else if let Some(tp_free) = ty.tp_free.get() {
                tp_free(this.cast());
            }
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        bytes_methods::repr(self.as_bytes(), "")
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        crate::hooks::warn_of_bytes("str() on a bytes instance")?;
        bytes_methods::repr(self.as_bytes(), "")
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(self.hash())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult<Ref<BytesIterator>> {
        BytesIterator::over(self.to_ref())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyBytesObject>() else {
            if matches!(op, CompareOp::Eq | CompareOp::Ne) {
                warn_of_comparison(other)?;
            }
            return Ok(not_implemented().to_ref());
        };
        Ok(py_bool(match op {
            CompareOp::Eq => self.eq(other),
            CompareOp::Ne => !self.eq(other),
            _ => op.holds(self.as_bytes().cmp(other.as_bytes())),
        }))
    }
    #[slot]
    fn nb_remainder(a: &PyObject, b: &PyObject) -> PyResult {
        match a.downcast::<PyBytesObject>() {
            Some(format) => {
                Ok(PyBytesObject::from_vec(bytes_format::format(format.as_bytes(), b)?).into_object())
            }
            None => Ok(not_implemented().to_ref()),
        }
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn sq_concat(this: &PyObject, other: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        concat(this, other)
    }
    #[slot]
    fn sq_repeat(&self, n: isize) -> PyResult<Ref<PyBytesObject>> {
        let bytes = self.as_bytes();
        if n == 1 && PyBytesObject::check_exact(self.as_object()) {
            return Ok(self.to_ref());
        }
        let Some(len) = bytes
            .len()
            .checked_mul(n.max(0) as usize)
            .filter(|len| *len <= isize::MAX as usize)
        else {
            return Err(raise!(OverflowError, "repeated bytes are too long"));
        };
        PyBytesObject::with_len(len, |target| bytes_methods::fill_repeated(target, bytes))
    }
    #[slot]
    fn sq_item(&self, n: isize) -> PyResult<Ref<PyLongObject>> {
        match usize::try_from(n)
            .ok()
            .and_then(|place| self.as_bytes().get(place))
        {
            Some(byte) => Ok(PyLongObject::from_i64(i64::from(*byte))),
            None => Err(raise!(IndexError, "index out of range")),
        }
    }
    #[slot]
    fn sq_contains(&self, other: &PyObject) -> PyResult<bool> {
        bytes_methods::contains(self, other)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        let bytes = self.as_bytes();
        if let Some(slice) = key.downcast::<PySliceObject>() {
            let range = indices::slice_range(slice, || bytes.len())?;
            if range.step == 1 {
                if range.count == bytes.len() && PyBytesObject::check_exact(self.as_object()) {
                    return Ok(self.to_object());
                }
                let start = range.start as usize;
                return Ok(PyBytesObject::from_slice(&bytes[start..start + range.count]).into_object());
            }
            let taken: Vec<u8> = range.positions().map(|place| bytes[place]).collect();
            return Ok(PyBytesObject::from_slice(&taken).into_object());
        }
        if !key.has_index() {
            return Err(raise!(
                TypeError,
                "byte indices must be integers or slices, not {}",
                key.ty().full_name()
            ));
        }
        match indices::checked_index(key.to_index(exc::IndexError)?, bytes.len()) {
            Some(place) => Ok(PyLongObject::from_i64(i64::from(bytes[place])).into_object()),
            None => Err(raise!(IndexError, "index out of range")),
        }
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: the view is the caller's; the bytes stay while the object lives, and the view holds it.
        unsafe {
            buffer::fill_info(
                view,
                Some(self.as_object()),
                self.data_ptr().cast(),
                self.len(),
                true,
                flags,
            )
        }
    }
    /// These bytes.
    #[method("($self, /)")]
    fn __bytes__(&self) -> Ref<PyBytesObject> {
        self.to_exact()
    }
    /// The arguments from which copy and pickle make the object anew.
    #[method("($self, /)")]
    fn __getnewargs__(&self) -> Ref<PyTupleObject> {
        PyTupleObject::from_vec(vec![PyBytesObject::from_slice(self.as_bytes()).into_object()])
    }
    /// The bytes that a text of hexadecimal digits stands for; white space between pairs is passed over.
    #[classmethod("($type, string, /)")]
    fn fromhex(cls: &PyTypeObject, string: &PyObject) -> PyResult {
        let bytes = PyBytesObject::from_vec(bytes_methods::parse_hex(string)?);
        if std::ptr::eq(cls, &PyBytes_Type) {
            return Ok(bytes.into_object());
        }
        cls.as_object().call1(bytes.as_object())
    }
}

/// `bytes + bytes-like`.
pub fn concat(left: &PyObject, right: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    use crate::objects::buffer::BytesArg;
    let wrong = |raised: Raised| match raised.clear_if(exc::TypeError) {
        Ok(()) => raise!(
            TypeError,
            "can't concat {} to {}",
            right.ty().full_name(),
            left.ty().full_name()
        ),
        Err(raised) => raised,
    };
    let (first, second) = (
        BytesArg::of(left).map_err(wrong)?,
        BytesArg::of(right).map_err(wrong)?,
    );
    let (first, second) = (first.as_bytes(), second.as_bytes());
    if second.is_empty()
        && let Some(left) = left.downcast_exact::<PyBytesObject>()
    {
        return Ok(left.to_ref());
    }
    if first.is_empty()
        && let Some(right) = right.downcast_exact::<PyBytesObject>()
    {
        return Ok(right.to_ref());
    }
    let Some(len) = first.len().checked_add(second.len()) else {
        return Err(memory::no_memory());
    };
    // SAFETY: both halves are written.
    unsafe {
        let object = PyBytesObject::alloc(len)?;
        std::ptr::copy_nonoverlapping(first.as_ptr(), object.data_ptr(), first.len());
        std::ptr::copy_nonoverlapping(second.as_ptr(), object.data_ptr().add(first.len()), second.len());
        Ok(object)
    }
}

/// `-b`: bytes are compared for equality with a str or an int, and are never equal.
pub(crate) fn warn_of_comparison(other: &PyObject) -> PyResult<()> {
    if PyUnicodeObject::check(other) {
        crate::hooks::warn_of_bytes("Comparison between bytes and string")
    } else if PyLongObject::check(other) {
        crate::hooks::warn_of_bytes("Comparison between bytes and int")
    } else {
        Ok(())
    }
}
