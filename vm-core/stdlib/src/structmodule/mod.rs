//! `_struct`: Python values <-> bytes laid out as C structs.

mod layout;

use crate::util::{ExceptionClass, Kept};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::{Buffer, BytesArg};
use adder_runtime::prelude::*;
use layout::Layout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub static ERROR: ExceptionClass = ExceptionClass::new("struct.error", || adder_runtime::exceptions::exc::Exception);

#[repr(C)]
pub struct Struct {
    ob_base: PyObject,
    // C code that knows CPython's struct reads these two fields.
    size: Cell<isize>,
    n_values: Cell<isize>,
    weakreflist: Cell<*mut PyObject>,
    layout: RefCell<Option<Rc<Layout>>>,
    format: ObjectCell<PyBytesObject>,
}

/// The bytes of a format argument.
fn format_bytes(format: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    if let Some(text) = format.downcast::<PyUnicodeObject>() {
        if let Some(ascii) = text.ascii_str() {
            return Ok(PyBytesObject::from_slice(ascii.as_bytes()));
        }
        let encoding = PyUnicodeObject::from_str("ascii");
        let encoded = format.call_method(identifier!("encode"), &[encoding.as_object()])?;
        return encoded.downcast::<PyBytesObject>().map_err(|_| raise!(TypeError, "encode() did not return bytes"));
    }
    match format.downcast::<PyBytesObject>() {
        Some(bytes) => Ok(bytes.to_ref()),
        None => {
            let found = format.ty().full_name();
            Err(raise!(TypeError, "Struct() argument 1 must be a str or bytes object, not {found}"))
        }
    }
}

#[pytype(
    name = "_struct.Struct",
    static_name = STRUCT_TYPE,
    flags = BASETYPE | HAVE_GC,
    weaklistoffset = std::mem::offset_of!(Struct, weakreflist) as isize,
)]
/// Struct(fmt) --> compiled struct object
impl Struct {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        Ok(Ref::new_in(
            cls,
            Struct {
                ob_base: blank_header(),
                weakreflist: Cell::new(std::ptr::null_mut()),
                size: Cell::new(-1),
                n_values: Cell::new(-1),
                layout: RefCell::new(None),
                format: ObjectCell::new(None),
            },
        )?
        .into_object())
    }
    #[init("(format)")]
    fn init(&self, format: &PyObject) -> PyResult<()> {
        let format = format_bytes(format)?;
        let layout = Layout::parse(format.as_bytes())?;
        self.size.set(layout.size as isize);
        self.n_values.set(layout.n_values as isize);
        self.layout.replace(Some(Rc::new(layout)));
        self.format.set(Some(format));
        Ok(())
    }
    #[slot]
    fn tp_traverse(&self, _visitor: &Visitor) -> c_int {
        0
    }
    fn layout(&self) -> PyResult<Rc<Layout>> {
        match &*self.layout.borrow() {
            Some(layout) => Ok(layout.clone()),
            None => Err(raise!(RuntimeError, "Struct object is not initialized")),
        }
    }
    fn format_text(&self) -> PyResult<Ref<PyUnicodeObject>> {
        match self.format.get() {
            Some(format) => Ok(PyUnicodeObject::from_latin1(format.as_bytes())),
            None => Err(raise!(RuntimeError, "Struct object is not initialized")),
        }
    }
    fn pack_values(&self, name: &str, layout: &Layout, values: &[&PyObject]) -> PyResult<()> {
        if values.len() == layout.n_values {
            return Ok(());
        }
        Err(ERROR.raise(format!("{name} expected {} items for packing (got {})", layout.n_values, values.len())))
    }
    /// S.pack(v1, v2, ...) -> bytes
    /// The values, packed by the format.
    #[method(raw, "(...)")]
    fn pack(&self, values: &[&PyObject]) -> PyResult<Ref<PyBytesObject>> {
        let layout = self.layout()?;
        self.pack_values("pack", &layout, values)?;
        if layout.size == 0 {
            layout.pack(values, &mut [])?;
        }
        let mut status = Ok(());
        let bytes = PyBytesObject::with_len(layout.size, |bytes| status = layout.pack(values, bytes))?;
        status.map(|()| bytes)
    }
    /// S.pack_into(buffer, offset, v1, v2, ...)
    /// Packs the values into a writable buffer.
    #[method(raw, "(...)")]
    fn pack_into(&self, args: &[&PyObject]) -> PyResult<()> {
        let layout = self.layout()?;
        let (buffer, offset, values) = match args {
            [] => return Err(ERROR.raise("pack_into expected buffer argument")),
            [_] => return Err(ERROR.raise("pack_into expected offset argument")),
            [buffer, offset, values @ ..] => (*buffer, *offset, values),
        };
        self.pack_values("pack_into", &layout, values)?;
        let target = Buffer::writable(buffer).map_err(|raised| {
            if raised.matches(adder_runtime::exceptions::exc::SystemError) {
                return raised;
            }
            raised.clear();
            raise!(TypeError, "argument must be read-write bytes-like object, not {}", buffer.ty().full_name())
        })?;
        let offset = offset.to_index(adder_runtime::exceptions::exc::IndexError)?;
        let start = place(
            &layout,
            offset,
            target.len(),
            |size| format!("no space to pack {size} bytes at offset {offset}"),
            "pack_into",
            "packing",
        )?;
        // SAFETY: a writable view; the bytes are written without running Python code in between, but for the
        // conversions of the values, which cannot move a buffer that is held.
        let bytes = unsafe { target.as_bytes_mut() };
        layout.pack(values, &mut bytes[start..start + layout.size])
    }
    /// The unpacked values of a buffer of this size.
    #[method("($self, buffer, /)")]
    fn unpack(&self, buffer: BytesArg<'_>) -> PyResult<Ref<PyTupleObject>> {
        let layout = self.layout()?;
        let bytes = buffer.as_bytes();
        if bytes.len() != layout.size {
            return Err(ERROR.raise(format!("unpack requires a buffer of {} bytes", layout.size)));
        }
        layout.unpack(bytes)
    }
    /// The unpacked values of a part of a buffer.
    #[method("($self, /, buffer, offset=0)")]
    fn unpack_from(&self, buffer: BytesArg<'_>, offset: Option<isize>) -> PyResult<Ref<PyTupleObject>> {
        let layout = self.layout()?;
        let (bytes, offset) = (buffer.as_bytes(), offset.unwrap_or(0));
        let start = place(
            &layout,
            offset,
            bytes.len(),
            |size| format!("not enough data to unpack {size} bytes at offset {offset}"),
            "unpack_from",
            "unpacking",
        )?;
        layout.unpack(&bytes[start..start + layout.size])
    }
    /// An iterator over the tuples of a buffer.
    #[method("($self, buffer, /)")]
    fn iter_unpack(&self, buffer: &PyObject) -> PyResult {
        let layout = self.layout()?;
        if layout.size == 0 {
            return Err(ERROR.raise("cannot iteratively unpack with a struct of length 0"));
        }
        let view = Buffer::simple(buffer)?;
        if view.len() % layout.size != 0 {
            let size = layout.size;
            return Err(ERROR.raise(format!("iterative unpacking requires a buffer of a multiple of {size} bytes")));
        }
        let iterator = UnpackIterator {
            ob_base: blank_header(),
            layout,
            view: RefCell::new(Some(view)),
            at: Cell::new(0),
        };
        Ok(Ref::new(iterator)?.into_object())
    }
    /// The size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> PyResult<usize> {
        let n_items = self.layout()?.items.len();
        Ok(self.as_object().ty().tp_basicsize.get() as usize + n_items * size_of::<layout::Item>())
    }
    /// struct format string
    #[getter(name = "format")]
    fn get_format(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.format_text()
    }
    /// struct size in bytes
    #[getter(name = "size")]
    fn get_size(&self) -> isize {
        self.size.get()
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let format = self.format_text()?.as_object().repr()?.to_string_lossy();
        let name = self.as_object().ty().name();
        Ok(format!("{}({format})", name.rsplit('.').next().unwrap_or(&name)))
    }
}

/// Where in a buffer an operation starts, or the complaint that there is no room.
fn place(
    layout: &Layout,
    offset: isize,
    len: usize,
    no_room: impl FnOnce(usize) -> String,
    function: &str,
    action: &str,
) -> PyResult<usize> {
    let size = layout.size;
    let mut start = offset;
    if offset < 0 {
        if offset.saturating_add_unsigned(size) > 0 {
            return Err(ERROR.raise(no_room(size)));
        }
        start = offset.saturating_add_unsigned(len);
        if start < 0 {
            return Err(ERROR.raise(format!("offset {offset} out of range for {len}-byte buffer")));
        }
    }
    let start = start as usize;
    if len < start || len - start < size {
        let needed = size.saturating_add(start);
        return Err(ERROR.raise(format!(
            "{function} requires a buffer of at least {needed} bytes for {action} {size} bytes at offset {start} \
             (actual buffer size is {len})"
        )));
    }
    Ok(start)
}

#[repr(C)]
pub struct UnpackIterator {
    ob_base: PyObject,
    layout: Rc<Layout>,
    view: RefCell<Option<Buffer>>,
    at: Cell<usize>,
}

#[pytype(name = "_struct.unpack_iterator", static_name = UNPACK_ITERATOR_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// The tuples of a buffer, one after the other.
impl UnpackIterator {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match self.view.try_borrow() {
            Ok(view) => view.as_ref().map_or(0, |view| visitor.visit(view.view().obj.get())),
            Err(_) => 0,
        }
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        let mut view = self.view.borrow_mut();
        let Some(buffer) = view.as_ref() else { return Ok(None) };
        let at = self.at.get();
        if at >= buffer.len() {
            view.take();
            return Ok(None);
        }
        let values = self.layout.unpack(&buffer.as_bytes()[at..at + self.layout.size])?;
        self.at.set(at + self.layout.size);
        Ok(Some(values.into_object()))
    }
    #[method("($self, /)")]
    fn __length_hint__(&self) -> usize {
        self.view.borrow().as_ref().map_or(0, |view| (view.len() - self.at.get()) / self.layout.size)
    }
}

// Formats that are str, and that are bytes: those are not compared with each other, which -b would warn of.
static CACHES: [Kept; 2] = [Kept::new(), Kept::new()];
const MAX_CACHE: usize = 100;

fn cache(of_bytes: bool) -> PyResult<Ref<PyDictObject>> {
    let dict = CACHES[usize::from(of_bytes)].get_or_make(|| Ok(PyDictObject::new().into_object()))?;
    dict.downcast::<PyDictObject>().map_err(|_| raise!(SystemError, "the cache of struct formats is not a dict"))
}

/// The compiled form of a format, from the cache when it is there.
fn cached(format: &PyObject) -> PyResult<Ref<Struct>> {
    let cache = cache(!PyUnicodeObject::check(format))?;
    if let Some(found) = cache.get(format)?
        && let Ok(found) = found.downcast::<Struct>()
    {
        return Ok(found);
    }
    let made = STRUCT_TYPE.as_object().call1(format)?;
    if cache.len() >= MAX_CACHE {
        cache.clear();
    }
    cache.set(format, &made)?;
    made.downcast::<Struct>().map_err(|_| raise!(SystemError, "Struct() did not return a Struct"))
}

/// Functions to convert between Python values and C structs.
#[pymodule(name = "_struct", types = [STRUCT_TYPE])]
pub mod _struct {
    use super::*;
    pub use super::STRUCT_TYPE;

    #[pyconst]
    fn error() -> PyResult {
        ERROR.get()
    }
    /// Clears the internal cache.
    #[pyfunction("($module, /)")]
    fn _clearcache() -> PyResult<()> {
        cache(false)?.clear();
        cache(true)?.clear();
        Ok(())
    }
    /// The size in bytes of the struct that the format describes.
    #[pyfunction("($module, format, /)")]
    fn calcsize(format: &PyObject) -> PyResult<isize> {
        Ok(cached(format)?.size.get())
    }
    /// pack(format, v1, v2, ...) -> bytes
    /// The values, packed by the format.
    #[pyfunction(raw, "(...)")]
    fn pack(args: &[&PyObject]) -> PyResult<Ref<PyBytesObject>> {
        let Some((format, values)) = args.split_first() else {
            return Err(raise!(TypeError, "missing format argument"));
        };
        cached(format)?.pack(values)
    }
    /// pack_into(format, buffer, offset, v1, v2, ...)
    /// Packs the values into a writable buffer.
    #[pyfunction(raw, "(...)")]
    fn pack_into(args: &[&PyObject]) -> PyResult<()> {
        let Some((format, rest)) = args.split_first() else {
            return Err(raise!(TypeError, "missing format argument"));
        };
        cached(format)?.pack_into(rest)
    }
    /// The unpacked values of a buffer of the format's size.
    #[pyfunction("($module, format, buffer, /)")]
    fn unpack(format: &PyObject, buffer: BytesArg<'_>) -> PyResult<Ref<PyTupleObject>> {
        cached(format)?.unpack(buffer)
    }
    /// The unpacked values of a part of a buffer.
    #[pyfunction("($module, format, /, buffer, offset=0)")]
    fn unpack_from(format: &PyObject, buffer: BytesArg<'_>, offset: Option<isize>) -> PyResult<Ref<PyTupleObject>> {
        cached(format)?.unpack_from(buffer, offset)
    }
    /// An iterator over the tuples of a buffer.
    #[pyfunction("($module, format, buffer, /)")]
    fn iter_unpack(format: &PyObject, buffer: &PyObject) -> PyResult {
        cached(format)?.iter_unpack(buffer)
    }
}
