//! `memoryview`: a window on another object's memory. Geometry and life time are in `view`, items in `format`, the
//! Python type here. PEP 3118.

pub mod format;
pub mod python_buffer;
pub mod view;

use super::freelist::{alloc_static, free_instance};
use super::indices::{Subscript, checked_index, search_argument, search_bounds, slice_range};
use super::weakrefobject;
use crate::memory::{self, gc};
use crate::prelude::*;
use format::Native;
use std::cell::Cell;
use std::ffi::CStr;
use std::mem::offset_of;
use view::*;

#[pytype(name = "managedbuffer", static_name = _PyManagedBuffer_Type, flags = HAVE_GC)]
impl _PyManagedBufferObject {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the object is dead; it owned its exporter's buffer.
        unsafe {
            release_managed(&*this);
            gc::untrack(this.cast());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.master.obj.get())
    }
    #[slot]
    fn tp_clear(&self) {
        release_managed(self);
    }
}

pub use python_buffer::{export_python_buffer, release_python_buffer, release_view_of};

/// What a subscript of a memoryview means.
enum Key<'a> {
    One(Subscript<'a>),
    Many(Vec<isize>),
    ManySlices,
}

fn parse_key(key: &PyObject) -> PyResult<Key<'_>> {
    if key.has_index() {
        let index = key.to_index_clipped(crate::exceptions::exc::IndexError)?;
        return Ok(Key::One(Subscript::Index(index)));
    }
    if let Some(slice) = key.downcast::<PySliceObject>() {
        return Ok(Key::One(Subscript::Slice(slice)));
    }
    if let Some(tuple) = key.downcast::<PyTupleObject>() {
        if tuple.as_slice().iter().all(|item| item.has_index()) {
            let indices = tuple
                .as_slice()
                .iter()
                .map(|item| item.to_index_clipped(crate::exceptions::exc::IndexError));
            return Ok(Key::Many(indices.collect::<PyResult<_>>()?));
        }
        if !tuple.is_empty() && tuple.as_slice().iter().all(|item| PySliceObject::check(item)) {
            return Ok(Key::ManySlices);
        }
    }
    Err(raise!(TypeError, "memoryview: invalid slice key"))
}

impl PyMemoryViewObject {
    /// Where an item is.
    fn item_ptr(&self, indices: &[isize]) -> PyResult<*mut u8> {
        let geometry = self.geometry();
        let mut ptr = geometry.buf;
        for (dim, index) in indices.iter().enumerate() {
            let Some(index) = checked_index(*index, geometry.shape[dim] as usize) else {
                return Err(raise!(IndexError, "index out of bounds on dimension {}", dim + 1));
            };
            // SAFETY: within the dimension.
            ptr = unsafe { geometry.step(ptr, dim, index as isize) };
        }
        Ok(ptr)
    }

    /// The item at an index of a one-dimensional view.
    fn item(&self, index: isize) -> PyResult {
        let native = self.native_format()?;
        match self.view.ndim.get() {
            0 => Err(raise!(TypeError, "invalid indexing of 0-dim memory")),
            // SAFETY: an item of the view, of the size of its format.
            1 => Ok(unsafe { native.unpack(self.item_ptr(&[index])?) }),
            _ => Err(raise!(
                NotImplementedError,
                "multi-dimensional sub-views are not implemented"
            )),
        }
    }

    /// Checks an index per dimension.
    fn check_indices(&self, indices: &[isize]) -> PyResult<()> {
        let ndim = self.view.ndim.get() as usize;
        if indices.len() < ndim {
            return Err(raise!(NotImplementedError, "sub-views are not implemented"));
        }
        if indices.len() > ndim {
            return Err(raise!(
                TypeError,
                "cannot index {ndim}-dimension view with {}-element tuple",
                indices.len()
            ));
        }
        Ok(())
    }

    /// A view of a slice of the first dimension.
    fn sliced(&self, slice: &PySliceObject) -> PyResult<Ref<PyMemoryViewObject>> {
        let new = self.share(&self.view)?;
        let mut geometry = self.geometry();
        let range = slice_range(slice, || geometry.shape[0] as usize)?;
        let offset = range.start * geometry.strides[0];
        // SAFETY: an offset to a part of the view, or to its end when the slice is empty.
        new.view
            .buf
            .set(unsafe { self.view.buf.get().cast::<u8>().offset(offset) }.cast());
        geometry.shape[0] = range.count as isize;
        geometry.strides[0] *= range.step;
        new.set_geometry(&geometry.shape, &geometry.strides, &geometry.suboffsets);
        new.view.len.set(geometry.n_items() as isize * geometry.itemsize);
        new.init_flags();
        Ok(new)
    }

    fn assign_slice(&self, slice: &PySliceObject, value: &PyObject) -> PyResult<()> {
        let source = OwnedBuffer::get(value, PyBUF_FULL_RO)?;
        let target = self.sliced(slice)?;
        // The indices of the slice may have released the view.
        self.check_released()?;
        let (from, to) = (Geometry::of(&source.0), target.geometry());
        let plain = |format: &CStr| {
            format
                .to_bytes()
                .strip_prefix(b"@")
                .unwrap_or(format.to_bytes())
                .to_vec()
        };
        let same = from.itemsize == to.itemsize
            && plain(format_of(&source.0)) == plain(format_of(&target.view))
            && from.shape == to.shape;
        if !same {
            return Err(raise!(
                ValueError,
                "memoryview assignment: lvalue and rvalue have different structures"
            ));
        }
        // The two may overlap, so the bytes go through a copy.
        to.write_bytes(&from.to_bytes(false));
        Ok(())
    }

    fn to_list(&self, geometry: &Geometry, native: Native, ptr: *mut u8, dim: usize) -> Ref {
        if dim == geometry.ndim() {
            // SAFETY: an item of the view.
            return unsafe { native.unpack(ptr) };
        }
        let parts = (0..geometry.shape[dim]).map(|index| {
            // SAFETY: within the dimension.
            self.to_list(
                geometry,
                native,
                unsafe { geometry.step(ptr, dim, index) },
                dim + 1,
            )
        });
        PyListObject::from_vec(parts.collect()).into_object()
    }

    fn cast_format(&self, format: &str) -> PyResult<Ref<PyMemoryViewObject>> {
        let from = Native::parse(format_of(&self.view));
        let text = std::ffi::CString::new(format).unwrap_or_default();
        let Some(to) = Native::parse(&text) else {
            return Err(raise!(
                ValueError,
                "memoryview: destination format must be a native single character format prefixed with an optional '@'"
            ));
        };
        if !from.is_some_and(Native::is_byte) && !to.is_byte() {
            return Err(raise!(
                TypeError,
                "memoryview: cannot cast between two non-byte formats"
            ));
        }
        let size = to.size().expect("a native format has a size") as isize;
        if self.view.len.get() % size != 0 {
            return Err(raise!(
                TypeError,
                "memoryview: length is not a multiple of itemsize"
            ));
        }
        let new = self.cast_target(1)?;
        new.view
            .format
            .set(static_format(to, format.starts_with('@')).as_ptr().cast_mut());
        new.view.itemsize.set(size);
        new.set_geometry(&[self.view.len.get() / size], &[size], &[]);
        new.init_flags();
        Ok(new)
    }

    /// A copy of this view with room for `ndim` dimensions.
    fn cast_target(&self, ndim: usize) -> PyResult<Ref<PyMemoryViewObject>> {
        self.check_restricted()?;
        let new = alloc_view(ndim)?;
        copy_fields(&new.view, &self.view);
        // SAFETY: a view owns its managed buffer.
        let managed = unsafe { &*self.mbuf.get() };
        new.mbuf.set(managed.to_ref().into_raw());
        managed.exports.set(managed.exports.get() + 1);
        Ok(new)
    }

    fn cast_shape(&self, shape: &PyObject) -> PyResult<Ref<PyMemoryViewObject>> {
        let items = super::tupleobject::fast_items(shape);
        let mut extents = Vec::with_capacity(items.len());
        let mut product = self.view.itemsize.get();
        for item in items {
            let Some(extent) = item.downcast::<PyLongObject>() else {
                return Err(raise!(
                    TypeError,
                    "memoryview.cast(): elements of shape must be integers"
                ));
            };
            let extent = extent.as_isize()?;
            if extent <= 0 {
                return Err(raise!(
                    ValueError,
                    "memoryview.cast(): elements of shape must be integers > 0"
                ));
            }
            product = product
                .checked_mul(extent)
                .ok_or_else(|| raise!(ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX"))?;
            extents.push(extent);
        }
        if product != self.view.len.get() {
            return Err(raise!(
                TypeError,
                "memoryview: product(shape) * itemsize != buffer size"
            ));
        }
        let new = self.cast_target(extents.len())?;
        new.set_geometry(&extents, &c_strides(&extents, self.view.itemsize.get()), &[]);
        new.init_flags();
        Ok(new)
    }

    /// The items of two buffers of one shape are equal; `None` when their formats cannot be read.
    fn equals(&self, other: &Py_buffer) -> PyResult<Option<bool>> {
        let (a, b) = (self.geometry(), Geometry::of(other));
        if a.shape != b.shape {
            return Ok(Some(false));
        }
        let (a_format, b_format) = (format_of(&self.view), format_of(other));
        let (a_native, b_native) = (Native::parse(a_format), Native::parse(b_format));
        if let (Some(a_native), Some(b_native)) = (a_native, b_native)
            && a_native == b_native
            && !matches!(a_native.0, b'e' | b'f' | b'd' | b'F' | b'D' | b'?')
        {
            return Ok(Some(a.to_bytes(false) == b.to_bytes(false)));
        }
        let (Some(a_reader), Some(b_reader)) = (ItemReader::new(a_format)?, ItemReader::new(b_format)?)
        else {
            return Ok(None);
        };
        let (a_bytes, b_bytes) = (a.to_bytes(false), b.to_bytes(false));
        let (a_size, b_size) = ((a.itemsize as usize).max(1), (b.itemsize as usize).max(1));
        for (a_item, b_item) in a_bytes.chunks_exact(a_size).zip(b_bytes.chunks_exact(b_size)) {
            let (a_item, b_item) = (a_reader.read(a_item)?, b_reader.read(b_item)?);
            if !a_item.rich_compare(&b_item, CompareOp::Eq)?.is_true()? {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }

    fn dimensions(&self, ptr: *mut isize) -> Ref<PyTupleObject> {
        if ptr.is_null() {
            return PyTupleObject::empty();
        }
        // SAFETY: an array of `ndim` numbers.
        let numbers = unsafe { std::slice::from_raw_parts(ptr, self.view.ndim.get() as usize) };
        PyTupleObject::from_vec(
            numbers
                .iter()
                .map(|n| PyLongObject::from_isize(*n).into_object())
                .collect(),
        )
    }
}

/// Reads items of any format: native ones here, others by `struct`.
enum ItemReader {
    Native(Native),
    Struct(Ref),
}

impl ItemReader {
    fn new(format: &CStr) -> PyResult<Option<ItemReader>> {
        if let Some(native) = Native::parse(format) {
            return Ok(Some(ItemReader::Native(native)));
        }
        let module = crate::hooks::import_module("struct")?;
        let text = PyUnicodeObject::from_string(format.to_string_lossy().into_owned());
        let error = module.get_attr(identifier!("error"))?;
        match module.call_method(identifier!("Struct"), &[text.as_object()]) {
            Ok(reader) => Ok(Some(ItemReader::Struct(reader))),
            Err(raised) => match error.downcast::<PyTypeObject>() {
                Ok(error) => raised.clear_if(&error).map(|()| None),
                Err(_) => Err(raised),
            },
        }
    }
    fn read(&self, bytes: &[u8]) -> PyResult {
        match self {
            // SAFETY: an item has the size of its format.
            ItemReader::Native(native) => Ok(unsafe { native.unpack(bytes.as_ptr()) }),
            ItemReader::Struct(reader) => {
                let bytes = PyBytesObject::from_slice(bytes);
                let values = reader.call_method(identifier!("unpack"), &[bytes.as_object()])?;
                match values.downcast::<PyTupleObject>() {
                    Ok(values) if values.len() == 1 => Ok(values.as_slice()[0].to_ref()),
                    Ok(values) => Ok(values.into_object()),
                    Err(other) => Ok(other),
                }
            }
        }
    }
}

/// A format as a C string that lives for ever.
fn static_format(native: Native, with_at: bool) -> &'static CStr {
    const PLAIN: [&CStr; 19] = [
        c"c", c"b", c"B", c"?", c"h", c"H", c"i", c"I", c"l", c"L", c"q", c"Q", c"n", c"N", c"f", c"d", c"e",
        c"P", c"F",
    ];
    const AT: [&CStr; 19] = [
        c"@c", c"@b", c"@B", c"@?", c"@h", c"@H", c"@i", c"@I", c"@l", c"@L", c"@q", c"@Q", c"@n", c"@N",
        c"@f", c"@d", c"@e", c"@P", c"@F",
    ];
    let at = PLAIN.iter().position(|plain| plain.to_bytes()[0] == native.0);
    match (at, with_at) {
        (Some(at), false) => PLAIN[at],
        (Some(at), true) => AT[at],
        (None, false) => c"D",
        (None, true) => c"@D",
    }
}

#[pytype(
    name = "memoryview",
    static_name = PyMemoryView_Type,
    flags = HAVE_GC | SEQUENCE,
    basicsize = offset_of!(PyMemoryViewObject, ob_array),
    itemsize = size_of::<isize>(),
    weaklistoffset = offset_of!(PyMemoryViewObject, weakreflist)
)]
/// A view of the memory of an object that exports its buffer.
impl PyMemoryViewObject {
    #[new("(object)")]
    fn new(_cls: &PyTypeObject, object: &PyObject) -> PyResult<Ref<PyMemoryViewObject>> {
        Self::from_object(object)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the view is dead; whoever has a buffer from it keeps it alive, so that releasing succeeds.
        unsafe {
            let view = &*this;
            gc::untrack(this.cast());
            if let Err(raised) = view.release_view() {
                raised.clear();
            }
            memory::xdecref(view.mbuf.replace(std::ptr::null_mut()).cast());
            if !view.weakreflist.get().is_null() {
                weakrefobject::clear_weakrefs(view.as_object());
            }
            free_instance(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.mbuf.get())
    }
    #[slot]
    fn tp_clear(&self) -> PyResult<()> {
        if self.exports.get() == 0 {
            self.release_view()?;
            // SAFETY: the view owned its managed buffer.
            unsafe { memory::xdecref(self.mbuf.replace(std::ptr::null_mut()).cast()) };
        }
        Ok(())
    }
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: the caller gives a view to be filled.
        let target = unsafe { &*view };
        target.obj.set(std::ptr::null_mut());
        self.check_released()?;
        self.check_restricted()?;
        copy_fields(target, &self.view);
        target.obj.set(std::ptr::null_mut());
        let has = |wanted: c_int| flags & wanted == wanted;
        let (is_c, is_f) = (
            self.flags.get() & _Py_MEMORYVIEW_C != 0,
            self.flags.get() & _Py_MEMORYVIEW_FORTRAN != 0,
        );
        let refuse = |message: &str| {
            Err(raise!(
                BufferError,
                "memoryview: underlying buffer is not {message}"
            ))
        };
        if has(PyBUF_WRITABLE) && self.view.readonly.get() != 0 {
            return refuse("writable");
        }
        // Only the base information is given to who did not ask for more.
        if !has(PyBUF_FORMAT) {
            target.format.set(std::ptr::null_mut());
        }
        if has(PyBUF_C_CONTIGUOUS) && !is_c {
            return refuse("C-contiguous");
        }
        if has(PyBUF_F_CONTIGUOUS) && !is_f {
            return refuse("Fortran contiguous");
        }
        if has(PyBUF_ANY_CONTIGUOUS) && !is_c && !is_f {
            return refuse("contiguous");
        }
        if !has(PyBUF_INDIRECT) && self.flags.get() & _Py_MEMORYVIEW_PIL != 0 {
            return refuse("C-contiguous");
        }
        if !has(PyBUF_STRIDES) {
            if !is_c {
                return refuse("C-contiguous");
            }
            target.strides.set(std::ptr::null_mut());
        }
        if !has(PyBUF_ND) {
            if !target.format.get().is_null() {
                return Err(raise!(
                    BufferError,
                    "memoryview: cannot cast to unsigned bytes if the format flag is present"
                ));
            }
            target.ndim.set(1);
            target.shape.set(std::ptr::null_mut());
        }
        target.obj.set(self.to_object().into_raw());
        self.exports.set(self.exports.get() + 1);
        Ok(())
    }
    #[slot]
    fn bf_releasebuffer(&self, _view: *mut Py_buffer) {
        self.exports.set(self.exports.get() - 1);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let what = if self.flags.get() & _Py_MEMORYVIEW_RELEASED != 0 {
            "released memory"
        } else {
            "memory"
        };
        Ok(PyUnicodeObject::from_string(format!("<{what} at {:p}>", self.as_ptr())).into_object())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        if self.hash.get() != -1 {
            return Ok(self.hash.get());
        }
        self.check_released()?;
        if self.view.readonly.get() == 0 {
            return Err(raise!(ValueError, "cannot hash writable memoryview object"));
        }
        if !Native::parse(format_of(&self.view)).is_some_and(Native::is_byte) {
            return Err(raise!(
                ValueError,
                "memoryview: hashing is restricted to formats 'B', 'b' or 'c'"
            ));
        }
        // SAFETY: null or the exporter, which the managed buffer keeps alive.
        if let Some(exporter) = unsafe { self.view.obj.get().as_ref() } {
            let _held = self.hold();
            exporter.hash()?;
        }
        let hash = crate::pyhash::hash_bytes(&self.geometry().to_bytes(false));
        self.hash.set(hash);
        Ok(hash)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let answer = |equal: bool| Ok(py_bool(equal == (op == CompareOp::Eq)));
        let same = std::ptr::eq(self.as_object(), other);
        if self.is_released() {
            return answer(same);
        }
        if let Some(view) = other.downcast::<PyMemoryViewObject>() {
            if view.is_released() {
                return answer(same);
            }
            return answer(self.equals(&view.view)?.unwrap_or(false));
        }
        let buffer = match OwnedBuffer::get(other, PyBUF_FULL_RO) {
            Ok(buffer) => buffer,
            Err(raised) => {
                raised.clear();
                return Ok(not_implemented().to_ref());
            }
        };
        answer(self.equals(&buffer.0)?.unwrap_or(false))
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        self.check_released()?;
        match self.view.ndim.get() {
            0 => return Err(raise!(TypeError, "invalid indexing of 0-dim memory")),
            1 => {}
            _ => {
                return Err(raise!(
                    NotImplementedError,
                    "multi-dimensional sub-views are not implemented"
                ));
            }
        }
        self.native_format()?;
        let object = alloc_static(&_PyMemoryIter_Type, size_of::<PyMemoryIterator>());
        // SAFETY: memory for the iterator, its header set.
        unsafe {
            let this = &*object.cast::<PyMemoryIterator>();
            this.it_seq.set(self.to_ref().into_raw());
            this.it_length.set(*self.view.shape.get());
            gc::track(object);
            Ok(Ref::from_owned(object))
        }
    }
    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        self.check_released()?;
        if self.view.ndim.get() == 0 {
            return Err(raise!(TypeError, "0-dim memory has no length"));
        }
        // SAFETY: a view with dimensions has a shape.
        Ok(unsafe { *self.view.shape.get() } as usize)
    }
    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        self.sq_length()
    }
    #[slot]
    fn sq_item(&self, index: isize) -> PyResult {
        self.check_released()?;
        self.item(index)
    }
    #[slot]
    fn mp_subscript(&self, key: &PyObject) -> PyResult {
        self.check_released()?;
        if self.view.ndim.get() == 0 {
            if key
                .downcast::<PyTupleObject>()
                .is_some_and(|tuple| tuple.is_empty())
            {
                // SAFETY: a view without dimensions has one item.
                return Ok(unsafe { self.native_format()?.unpack(self.view.buf.get().cast()) });
            }
            if key.is(ellipsis()) {
                return Ok(self.to_object());
            }
            return Err(raise!(TypeError, "invalid indexing of 0-dim memory"));
        }
        match parse_key(key)? {
            Key::One(Subscript::Index(index)) => {
                self.check_released()?;
                self.item(index)
            }
            Key::One(Subscript::Slice(slice)) => Ok(self.sliced(slice)?.into_object()),
            Key::Many(indices) => {
                self.check_released()?;
                let native = self.native_format()?;
                self.check_indices(&indices)?;
                // SAFETY: an item of the view.
                Ok(unsafe { native.unpack(self.item_ptr(&indices)?) })
            }
            Key::ManySlices => Err(raise!(
                NotImplementedError,
                "multi-dimensional slicing is not implemented"
            )),
        }
    }
    #[slot]
    fn mp_ass_subscript(&self, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        self.check_released()?;
        let native = self.native_format()?;
        if self.view.readonly.get() != 0 {
            return Err(raise!(TypeError, "cannot modify read-only memory"));
        }
        let Some(value) = value else {
            return Err(raise!(TypeError, "cannot delete memory"));
        };
        let ndim = self.view.ndim.get();
        if ndim == 0 {
            let is_empty = key
                .downcast::<PyTupleObject>()
                .is_some_and(|tuple| tuple.is_empty());
            if is_empty || key.is(ellipsis()) {
                // SAFETY: a view without dimensions has one item.
                return unsafe { native.pack(self.view.buf.get().cast(), value) };
            }
            return Err(raise!(TypeError, "invalid indexing of 0-dim memory"));
        }
        match parse_key(key)? {
            Key::One(Subscript::Index(_)) if ndim > 1 => {
                Err(raise!(NotImplementedError, "sub-views are not implemented"))
            }
            Key::One(Subscript::Index(index)) => self.pack_at(&[index], native, value),
            Key::One(Subscript::Slice(slice)) if ndim == 1 => self.assign_slice(slice, value),
            Key::Many(indices) => {
                self.check_indices(&indices)?;
                self.pack_at(&indices, native, value)
            }
            _ => Err(raise!(
                NotImplementedError,
                "memoryview slice assignments are currently restricted to ndim = 1"
            )),
        }
    }

    /// Lets the buffer go; the view cannot be used any more.
    #[method("($self, /)")]
    fn release(&self) -> PyResult<()> {
        self.release_view()
    }
    /// The bytes of the view; order 'C', 'F' or 'A' says which dimension goes fastest.
    #[method("($self, /, order='C')")]
    fn tobytes(&self, order: Option<&PyObject>) -> PyResult {
        self.check_released()?;
        let order = match order.filter(|order| !is_none(order)) {
            None => "C".to_owned(),
            Some(order) => match order.downcast::<PyUnicodeObject>() {
                Some(order) => order.to_string_lossy(),
                None => {
                    return Err(raise!(
                        TypeError,
                        "tobytes() argument 'order' must be str or None, not {}",
                        order.ty().full_name()
                    ));
                }
            },
        };
        let geometry = self.geometry();
        let fortran = match order.as_str() {
            "C" => false,
            "F" => true,
            "A" => !geometry.is_c_contiguous() && geometry.is_f_contiguous(),
            _ => return Err(raise!(ValueError, "order must be 'C', 'F' or 'A'")),
        };
        Ok(PyBytesObject::from_slice(&geometry.to_bytes(fortran)).into_object())
    }
    /// The bytes as hexadecimal digits, with a separator every bytes_per_sep bytes.
    ///
    /// >>> value = memoryview(bytes([0xc0, 0xff, 0xee]))
    /// >>> value.hex()
    /// 'c0ffee'
    /// >>> value.hex('-')
    /// 'c0-ff-ee'
    /// >>> value.hex('_', 2)
    /// 'c0_ffee'
    /// >>> value.hex('_', -2)
    /// 'c0ff_ee'
    #[method("($self, /, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hex(&self, sep: Option<&PyObject>, bytes_per_sep: Option<&PyObject>) -> PyResult {
        self.check_released()?;
        let _held = self.hold();
        let bytes = PyBytesObject::from_slice(&self.geometry().to_bytes(false));
        let args: Vec<&PyObject> = sep.into_iter().chain(bytes_per_sep).collect();
        bytes.as_object().call_method(identifier!("hex"), &args)
    }
    /// The items as a list, nested for several dimensions.
    #[method("($self, /)")]
    fn tolist(&self) -> PyResult {
        self.check_released()?;
        let native = self.native_format()?;
        let geometry = self.geometry();
        Ok(self.to_list(&geometry, native, geometry.buf, 0))
    }
    /// A view of the same bytes with another format or shape.
    #[method("($self, /, format, shape=<unrepresentable>)")]
    fn cast(&self, format: &PyObject, shape: Option<&PyObject>) -> PyResult {
        self.check_released()?;
        if self.flags.get() & _Py_MEMORYVIEW_C == 0 {
            return Err(raise!(
                TypeError,
                "memoryview: casts are restricted to C-contiguous views"
            ));
        }
        let geometry = self.geometry();
        if (shape.is_some() || geometry.ndim() != 1) && geometry.shape.contains(&0) {
            return Err(raise!(
                TypeError,
                "memoryview: cannot cast view with zeros in shape or strides"
            ));
        }
        if let Some(shape) = shape {
            if !PyListObject::check(shape) && !PyTupleObject::check(shape) {
                return Err(raise!(TypeError, "shape must be a list or a tuple"));
            }
            let ndim = super::tupleobject::fast_items(shape).len();
            if ndim > MAX_NDIM {
                return Err(raise!(
                    ValueError,
                    "memoryview: number of dimensions must not exceed {MAX_NDIM}"
                ));
            }
            if geometry.ndim() != 1 && ndim != 1 {
                return Err(raise!(TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D"));
            }
        }
        let Some(format) = format.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "cast() argument 'format' must be str, not {}",
                format.ty().full_name()
            ));
        };
        let flat = self.cast_format(format.to_str()?)?;
        match shape {
            Some(shape) => Ok(flat.cast_shape(shape)?.into_object()),
            None => Ok(flat.into_object()),
        }
    }
    /// A read-only view of the same memory.
    #[method("($self, /)")]
    fn toreadonly(&self) -> PyResult {
        self.check_released()?;
        let new = self.share(&self.view)?;
        new.view.readonly.set(1);
        Ok(new.into_object())
    }
    /// How many items are equal to the value.
    #[method("($self, value, /)")]
    fn count(&self, value: &PyObject) -> PyResult<usize> {
        let iterator = self.as_object().iter()?;
        let mut count = 0;
        while let Some(item) = iterator.next()? {
            count += usize::from(item.compare_bool(value, CompareOp::Eq)?);
        }
        Ok(count)
    }
    /// The first position of the value; ValueError if it is not there.
    #[method("($self, value, start=0, stop=sys.maxsize, /)")]
    fn index(&self, value: &PyObject, start: Option<&PyObject>, stop: Option<&PyObject>) -> PyResult<usize> {
        self.check_released()?;
        match self.view.ndim.get() {
            0 => return Err(raise!(TypeError, "invalid lookup on 0-dim memory")),
            1 => {}
            _ => {
                return Err(raise!(
                    NotImplementedError,
                    "multi-dimensional lookup is not implemented"
                ));
            }
        }
        let (start, stop) = (search_argument(start, 0)?, search_argument(stop, isize::MAX)?);
        let len = self.sq_length()?;
        let (start, stop) = search_bounds(start, stop, len);
        for idx in start..stop.min(len) {
            self.check_released()?;
            if self.item(idx as isize)?.compare_bool(value, CompareOp::Eq)? {
                return Ok(idx);
            }
        }
        Err(raise!(ValueError, "memoryview.index(x): x not found"))
    }
    #[method("($self, /)")]
    fn __enter__(&self) -> PyResult {
        self.check_released()?;
        Ok(self.to_object())
    }
    #[method("($self, /, *exc_info)")]
    fn __exit__(&self, _exc_info: &[&PyObject]) -> PyResult<()> {
        self.release_view()
    }
    /// A view of the object's buffer, asked for with these flags.
    #[classmethod("($type, /, object, flags)")]
    fn _from_flags(_cls: &PyTypeObject, object: &PyObject, flags: i32) -> PyResult<Ref<PyMemoryViewObject>> {
        Self::from_object_with_flags(object, flags)
    }
    /// memoryview[item type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }

    /// The object whose memory this is.
    #[getter]
    fn obj(&self) -> PyResult {
        self.check_released()?;
        // SAFETY: null or the exporter, which the managed buffer keeps alive.
        Ok(unsafe { Ref::from_borrowed_opt(self.view.obj.get()) }.unwrap_or_else(none_ref))
    }
    /// The bytes that the items take, one after the other.
    #[getter]
    fn nbytes(&self) -> PyResult<isize> {
        self.check_released()?;
        Ok(self.view.len.get())
    }
    /// Whether the memory is read-only.
    #[getter]
    fn readonly(&self) -> PyResult<bool> {
        self.check_released()?;
        Ok(self.view.readonly.get() != 0)
    }
    /// The bytes of an item.
    #[getter]
    fn itemsize(&self) -> PyResult<isize> {
        self.check_released()?;
        Ok(self.view.itemsize.get())
    }
    /// The format of an item, as `struct` has it.
    #[getter]
    fn format(&self) -> PyResult {
        self.check_released()?;
        Ok(PyUnicodeObject::from_string(format_of(&self.view).to_string_lossy().into_owned()).into_object())
    }
    /// The number of dimensions.
    #[getter]
    fn ndim(&self) -> PyResult<i32> {
        self.check_released()?;
        Ok(self.view.ndim.get())
    }
    /// The length of each dimension.
    #[getter]
    fn shape(&self) -> PyResult<Ref<PyTupleObject>> {
        self.check_released()?;
        Ok(self.dimensions(self.view.shape.get()))
    }
    /// The bytes from an item to the next in each dimension.
    #[getter]
    fn strides(&self) -> PyResult<Ref<PyTupleObject>> {
        self.check_released()?;
        Ok(self.dimensions(self.view.strides.get()))
    }
    /// The offsets after following a pointer in each dimension, for arrays of pointers.
    #[getter]
    fn suboffsets(&self) -> PyResult<Ref<PyTupleObject>> {
        self.check_released()?;
        Ok(self.dimensions(self.view.suboffsets.get()))
    }
    /// Whether the items lie one after the other, the last dimension fastest.
    #[getter]
    fn c_contiguous(&self) -> PyResult<bool> {
        self.check_released()?;
        Ok(self.flags.get() & _Py_MEMORYVIEW_C != 0)
    }
    /// Whether the items lie one after the other, the first dimension fastest.
    #[getter]
    fn f_contiguous(&self) -> PyResult<bool> {
        self.check_released()?;
        Ok(self.flags.get() & _Py_MEMORYVIEW_FORTRAN != 0)
    }
    /// Whether the items lie one after the other.
    #[getter]
    fn contiguous(&self) -> PyResult<bool> {
        self.check_released()?;
        Ok(self.flags.get() & (_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN) != 0)
    }
}

/// An export of a view, counted while code runs that must not release it.
struct Held<'a>(&'a PyMemoryViewObject);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.exports.set(self.0.exports.get() - 1);
    }
}

impl PyMemoryViewObject {
    fn hold(&self) -> Held<'_> {
        self.exports.set(self.exports.get() + 1);
        Held(self)
    }
    fn pack_at(&self, indices: &[isize], native: Native, value: &PyObject) -> PyResult<()> {
        // Converting the value may run code that releases the view, so it is converted first.
        let mut bytes = [0u8; 16];
        // SAFETY: no native item is longer; then the item is within the view.
        unsafe {
            self.check_released()?;
            self.item_ptr(indices)?;
            native.pack(bytes.as_mut_ptr(), value)?;
            self.check_released()?;
            let ptr = self.item_ptr(indices)?;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), ptr, native.size().unwrap_or(0));
        }
        Ok(())
    }
}

/// The iterator over a one-dimensional view.
#[repr(C)]
pub struct PyMemoryIterator {
    ob_base: PyObject,
    it_index: Cell<isize>,
    /// Null when exhausted.
    it_seq: Cell<*mut PyMemoryViewObject>,
    it_length: Cell<isize>,
}

#[pytype(name = "memory_iterator", static_name = _PyMemoryIter_Type, flags = HAVE_GC)]
impl PyMemoryIterator {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the iterator is dead and owned its view.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).it_seq.get().cast());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.it_seq.get())
    }
    #[slot]
    fn tp_iter(&self) -> PyResult {
        Ok(self.to_object())
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        // SAFETY: null or the view that the iterator owns.
        let Some(view) = (unsafe { self.it_seq.get().as_ref() }) else {
            return Ok(None);
        };
        let index = self.it_index.get();
        if index < self.it_length.get() {
            self.it_index.set(index + 1);
            view.check_released()?;
            return view.item(index).map(Some);
        }
        // SAFETY: the iterator owned the view.
        unsafe { memory::xdecref(self.it_seq.replace(std::ptr::null_mut()).cast()) };
        Ok(None)
    }
}
