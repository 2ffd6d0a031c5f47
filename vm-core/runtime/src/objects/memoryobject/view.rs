//! Views in memory: the managed buffer that several views share, the shapes and strides of a view, and walking over the
//! items of two buffers of one shape.

use super::format::Native;
use super::{_PyManagedBuffer_Type, PyMemoryView_Type};
use crate::memory::{self, gc};
use crate::objects::freelist::{alloc_instance, alloc_static};
use crate::prelude::*;
use std::ffi::CStr;

pub const MAX_NDIM: usize = PyBUF_MAX_NDIM as usize;

/// What a buffer without a format has.
pub const BYTE_FORMAT: &CStr = c"B";

/// Asks an object for a buffer.
///
/// # Safety
/// `view` is to be filled; what it holds is not released.
pub unsafe fn get_buffer(object: &PyObject, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
    let procs = object.ty().tp_as_buffer.get();
    // SAFETY: null or a type's buffer slots.
    let Some(get) = (unsafe { procs.as_ref() }).and_then(|procs| procs.bf_getbuffer.get()) else {
        return Err(raise!(
            TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().full_name()
        ));
    };
    // SAFETY: the caller's contract; a slot of the object's type.
    unsafe { get_buffer_by(get, object, view, flags) }
}

/// Asks an object for a buffer by one of the `bf_getbuffer` that its type has or inherits.
///
/// # Safety
/// As `get_buffer`; the function takes such objects.
unsafe fn get_buffer_by(
    get: getbufferproc,
    object: &PyObject,
    view: *mut Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    // SAFETY: the exporter fills the view. One that fails may leave anything in it: nothing is owned then.
    unsafe {
        if get(object.as_ptr(), view, flags) < 0 {
            (*view).obj.set(std::ptr::null_mut());
            return Err(Raised::from_c("bf_getbuffer"));
        }
    }
    Ok(())
}

/// `PyBuffer_Release`.
pub fn release_buffer(view: &Py_buffer) {
    let object = view.obj.get();
    if object.is_null() {
        return;
    }
    // SAFETY: the view owned its exporter, whose slot is told.
    unsafe {
        let procs = (*object).ty().tp_as_buffer.get();
        if let Some(release) = procs.as_ref().and_then(|procs| procs.bf_releasebuffer.get()) {
            release(object, (view as *const Py_buffer).cast_mut());
        }
        view.obj.set(std::ptr::null_mut());
        memory::decref(object);
    }
}

/// A buffer that is released when it goes out of scope. It stays where it was filled: its shape may point into it.
pub struct OwnedBuffer(pub Box<Py_buffer>);

impl OwnedBuffer {
    pub fn get(object: &PyObject, flags: c_int) -> PyResult<OwnedBuffer> {
        let buffer = OwnedBuffer(Box::new(Py_buffer::zeroed()));
        // SAFETY: a fresh view.
        unsafe { get_buffer(object, (&raw const *buffer.0).cast_mut(), flags)? };
        Ok(buffer)
    }
}

impl Drop for OwnedBuffer {
    fn drop(&mut self) {
        release_buffer(&self.0);
    }
}

/// Copies the fields of a buffer, without a count of its exporter.
pub fn copy_fields(to: &Py_buffer, from: &Py_buffer) {
    to.buf.set(from.buf.get());
    to.obj.set(from.obj.get());
    to.len.set(from.len.get());
    to.itemsize.set(from.itemsize.get());
    to.readonly.set(from.readonly.get());
    to.ndim.set(from.ndim.get());
    to.format.set(from.format.get());
    to.shape.set(from.shape.get());
    to.strides.set(from.strides.get());
    to.suboffsets.set(from.suboffsets.get());
    to.internal.set(from.internal.get());
}

/// A buffer's numbers, with those made up that it leaves out.
#[derive(Clone, Debug)]
pub struct Geometry {
    pub buf: *mut u8,
    pub itemsize: isize,
    pub shape: Vec<isize>,
    pub strides: Vec<isize>,
    /// Empty when there are none.
    pub suboffsets: Vec<isize>,
}

impl Geometry {
    pub fn of(view: &Py_buffer) -> Geometry {
        let ndim = view.ndim.get().max(0) as usize;
        let itemsize = view.itemsize.get();
        let read = |ptr: *mut isize| -> Option<Vec<isize>> {
            // SAFETY: a buffer's arrays have `ndim` numbers.
            (!ptr.is_null()).then(|| unsafe { std::slice::from_raw_parts(ptr, ndim) }.to_vec())
        };
        let shape = match read(view.shape.get()) {
            Some(shape) => shape,
            None if ndim == 0 => Vec::new(),
            None => vec![if itemsize == 0 {
                0
            } else {
                view.len.get() / itemsize
            }],
        };
        let strides = if ndim == 0 {
            Some(Vec::new())
        } else {
            read(view.strides.get())
        };
        let strides = strides.unwrap_or_else(|| c_strides(&shape, itemsize));
        let suboffsets = if ndim == 0 {
            None
        } else {
            read(view.suboffsets.get())
        };
        let suboffsets = suboffsets.unwrap_or_default();
        Geometry {
            buf: view.buf.get().cast(),
            itemsize,
            shape,
            strides,
            suboffsets,
        }
    }
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }
    pub fn n_items(&self) -> usize {
        self.shape.iter().product::<isize>() as usize
    }
    /// Where the part number `index` of dimension `dim` is.
    ///
    /// # Safety
    /// `ptr` is a part of the dimension before, and the index is within the dimension.
    #[inline(always)]
    pub unsafe fn step(&self, ptr: *mut u8, dim: usize, index: isize) -> *mut u8 {
        // SAFETY: the caller's contract; a suboffset says that there is a pointer to follow.
        unsafe {
            let ptr = ptr.offset(index * self.strides[dim]);
            match self.suboffsets.get(dim) {
                Some(offset) if *offset >= 0 => ptr.cast::<*mut u8>().read_unaligned().offset(*offset),
                _ => ptr,
            }
        }
    }
    /// Calls `f` with the address of each item, the last dimension fastest.
    pub fn for_each(&self, mut f: impl FnMut(*mut u8) -> PyResult<()>) -> PyResult<()> {
        self.walk(self.buf, 0, &mut f)
    }
    fn walk(&self, ptr: *mut u8, dim: usize, f: &mut impl FnMut(*mut u8) -> PyResult<()>) -> PyResult<()> {
        if dim == self.ndim() {
            return f(ptr);
        }
        for index in 0..self.shape[dim] {
            // SAFETY: within the dimension.
            self.walk(unsafe { self.step(ptr, dim, index) }, dim + 1, f)?;
        }
        Ok(())
    }
    /// The addresses of all items, the first dimension fastest.
    fn fortran_order(&self) -> Vec<*mut u8> {
        let mut index = vec![0isize; self.ndim()];
        let mut items = Vec::with_capacity(self.n_items());
        for _ in 0..self.n_items() {
            let mut ptr = self.buf;
            for (dim, at) in index.iter().enumerate() {
                // SAFETY: within each dimension.
                ptr = unsafe { self.step(ptr, dim, *at) };
            }
            items.push(ptr);
            for (dim, at) in index.iter_mut().enumerate() {
                *at += 1;
                if *at < self.shape[dim] {
                    break;
                }
                *at = 0;
            }
        }
        items
    }
    pub fn is_c_contiguous(&self) -> bool {
        self.suboffsets.is_empty()
            && contiguous(
                self.shape.iter().zip(&self.strides).rev(),
                self.itemsize,
                &self.shape,
            )
    }
    pub fn is_f_contiguous(&self) -> bool {
        self.suboffsets.is_empty()
            && contiguous(self.shape.iter().zip(&self.strides), self.itemsize, &self.shape)
    }
    /// The items' bytes one after the other, in C order, or Fortran's.
    pub fn to_bytes(&self, fortran: bool) -> Vec<u8> {
        let size = self.itemsize as usize;
        let n_bytes = self.n_items() * size;
        let whole = if fortran {
            self.is_f_contiguous()
        } else {
            self.is_c_contiguous()
        };
        if whole {
            if n_bytes == 0 {
                return Vec::new();
            }
            // SAFETY: a contiguous buffer of this many bytes.
            return unsafe { std::slice::from_raw_parts(self.buf, n_bytes) }.to_vec();
        }
        let mut bytes = Vec::with_capacity(n_bytes);
        // SAFETY: every item has `itemsize` bytes.
        let mut take =
            |ptr: *mut u8| bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(ptr, size) });
        if fortran {
            self.fortran_order().into_iter().for_each(take);
        } else {
            let walked = self.for_each(|ptr| {
                take(ptr);
                Ok(())
            });
            debug_assert!(walked.is_ok());
        }
        bytes
    }
    /// Writes bytes in C order over the items.
    pub fn write_bytes(&self, bytes: &[u8]) {
        let size = self.itemsize as usize;
        let mut chunks = bytes.chunks_exact(size.max(1));
        let walked = self.for_each(|ptr| {
            if let Some(chunk) = chunks.next() {
                // SAFETY: every item has `itemsize` bytes; the source is a copy.
                unsafe { std::ptr::copy_nonoverlapping(chunk.as_ptr(), ptr, size) };
            }
            Ok(())
        });
        debug_assert!(walked.is_ok());
    }
}

fn contiguous<'a>(
    dims: impl Iterator<Item = (&'a isize, &'a isize)>,
    itemsize: isize,
    shape: &[isize],
) -> bool {
    if shape.contains(&0) {
        return true;
    }
    let mut expected = itemsize;
    for (extent, stride) in dims {
        if *extent > 1 && *stride != expected {
            return false;
        }
        expected *= *extent;
    }
    true
}

pub fn c_strides(shape: &[isize], itemsize: isize) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = itemsize;
    for (dim, extent) in shape.iter().enumerate().rev() {
        strides[dim] = stride;
        stride *= extent;
    }
    strides
}

pub fn f_strides(shape: &[isize], itemsize: isize) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = itemsize;
    for (dim, extent) in shape.iter().enumerate() {
        strides[dim] = stride;
        stride *= extent;
    }
    strides
}

/// A copy of a format that lives for ever: one for each text.
fn lasting_format(format: &CStr) -> &'static CStr {
    static KNOWN: std::sync::Mutex<Vec<&'static CStr>> = std::sync::Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(same) = known.iter().find(|known| **known == format) {
        return same;
    }
    let lasting: &'static CStr = Box::leak(format.to_owned().into_boxed_c_str());
    known.push(lasting);
    lasting
}

/// A buffer's format, which is bytes when it has none.
pub fn format_of(view: &Py_buffer) -> &CStr {
    let format = view.format.get();
    if format.is_null() {
        BYTE_FORMAT
    } else {
        // SAFETY: a C string that lives as long as the buffer.
        unsafe { CStr::from_ptr(format) }
    }
}

impl PyMemoryViewObject {
    /// `PyMemoryView_FromObject`.
    pub fn from_object(object: &PyObject) -> PyResult<Ref<PyMemoryViewObject>> {
        Self::from_object_with_flags(object, PyBUF_FULL_RO)
    }

    pub fn from_object_with_flags(object: &PyObject, flags: c_int) -> PyResult<Ref<PyMemoryViewObject>> {
        if let Some(view) = object.downcast::<PyMemoryViewObject>() {
            view.check_released()?;
            return view.share(&view.view);
        }
        // SAFETY: null or the type's buffer slots.
        let procs = unsafe { object.ty().tp_as_buffer.get().as_ref() };
        match procs.and_then(|procs| procs.bf_getbuffer.get()) {
            // SAFETY: a slot of the object's type.
            Some(get) => unsafe { Self::from_object_by(get, object, flags) },
            None => Err(raise!(
                TypeError,
                "memoryview: a bytes-like object is required, not '{}'",
                object.ty().full_name()
            )),
        }
    }

    /// A view of the buffer that one of the `bf_getbuffer` gives that the object's type has or inherits.
    ///
    /// # Safety
    /// The function takes such objects.
    pub unsafe fn from_object_by(
        get: getbufferproc,
        object: &PyObject,
        flags: c_int,
    ) -> PyResult<Ref<PyMemoryViewObject>> {
        let managed = new_managed_buffer();
        // SAFETY: the managed buffer's fresh view; the caller's contract.
        unsafe { get_buffer_by(get, object, (&raw const managed.master).cast_mut(), flags)? };
        Self::over(&managed, &managed.master)
    }

    /// `PyMemoryView_FromBuffer`: a view of a buffer of which somebody else owns the memory and the exporter.
    pub fn from_buffer(buffer: &Py_buffer) -> PyResult<Ref<PyMemoryViewObject>> {
        if buffer.buf.get().is_null() {
            return Err(raise!(
                ValueError,
                "PyMemoryView_FromBuffer(): info->buf must not be NULL"
            ));
        }
        let managed = new_managed_buffer();
        copy_fields(&managed.master, buffer);
        managed.master.obj.set(std::ptr::null_mut());
        Self::over(&managed, &managed.master)
    }

    /// `PyMemoryView_FromMemory`: a view of bytes that outlive it.
    ///
    /// # Safety
    /// `ptr` points to `len` bytes that live as long as the view and all made from it; writable if it is.
    pub unsafe fn from_memory(ptr: *mut u8, len: usize, writable: bool) -> PyResult<Ref<PyMemoryViewObject>> {
        let managed = new_managed_buffer();
        let master = &managed.master;
        master.buf.set(ptr.cast());
        master.len.set(len as isize);
        master.itemsize.set(1);
        master.ndim.set(1);
        master.readonly.set(c_int::from(!writable));
        Self::over(&managed, master)
    }

    /// A further view on this view's managed buffer.
    pub(super) fn share(&self, source: &Py_buffer) -> PyResult<Ref<PyMemoryViewObject>> {
        self.check_restricted()?;
        // SAFETY: a view owns its managed buffer.
        Self::over(unsafe { &*self.mbuf.get() }, source)
    }

    fn over(managed: &_PyManagedBufferObject, source: &Py_buffer) -> PyResult<Ref<PyMemoryViewObject>> {
        if source.ndim.get() as usize > MAX_NDIM {
            return Err(raise!(
                ValueError,
                "memoryview: number of dimensions must not exceed {MAX_NDIM}"
            ));
        }
        let view = alloc_view(source.ndim.get() as usize)?;
        let geometry = Geometry::of(source);
        copy_fields(&view.view, source);
        if view.view.format.get().is_null() {
            view.view.format.set(BYTE_FORMAT.as_ptr().cast_mut());
        }
        view.set_geometry(&geometry.shape, &geometry.strides, &geometry.suboffsets);
        view.init_flags();
        view.mbuf.set(managed.to_ref().into_raw());
        managed.exports.set(managed.exports.get() + 1);
        Ok(view)
    }

    /// Writes shape, strides and suboffsets into the view's own arrays, for which it has room.
    pub(super) fn set_geometry(&self, shape: &[isize], strides: &[isize], suboffsets: &[isize]) {
        let ndim = shape.len();
        self.view.ndim.set(ndim as c_int);
        if ndim == 0 {
            self.view.shape.set(std::ptr::null_mut());
            self.view.strides.set(std::ptr::null_mut());
            self.view.suboffsets.set(std::ptr::null_mut());
            return;
        }
        // SAFETY: the object was made with room for three arrays of its `ob_size / 3` numbers, at least `ndim`.
        unsafe {
            let room = self.ob_base.ob_size.get() as usize / 3;
            debug_assert!(ndim <= room);
            let base: *mut isize = self.ob_array.as_ptr().cast::<isize>().cast_mut();
            std::ptr::copy(shape.as_ptr(), base, ndim);
            std::ptr::copy(strides.as_ptr(), base.add(room), ndim);
            self.view.shape.set(base);
            self.view.strides.set(base.add(room));
            if suboffsets.is_empty() {
                self.view.suboffsets.set(std::ptr::null_mut());
            } else {
                std::ptr::copy(suboffsets.as_ptr(), base.add(2 * room), ndim);
                self.view.suboffsets.set(base.add(2 * room));
            }
        }
    }

    pub(super) fn geometry(&self) -> Geometry {
        Geometry::of(&self.view)
    }

    /// Works out what the flags say of the geometry.
    pub(super) fn init_flags(&self) {
        let geometry = self.geometry();
        let mut flags = 0;
        if geometry.ndim() == 0 {
            flags |= _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
        } else {
            if geometry.is_c_contiguous() {
                flags |= _Py_MEMORYVIEW_C;
            }
            if geometry.is_f_contiguous() {
                flags |= _Py_MEMORYVIEW_FORTRAN;
            }
        }
        if !geometry.suboffsets.is_empty() {
            flags |= _Py_MEMORYVIEW_PIL;
        }
        self.flags.set(flags);
    }

    pub(super) fn is_released(&self) -> bool {
        // SAFETY: null before the view is whole and after its end; otherwise owned.
        let managed = unsafe { self.mbuf.get().as_ref() };
        self.flags.get() & _Py_MEMORYVIEW_RELEASED != 0
            || managed.is_none_or(|managed| managed.flags.get() & _Py_MANAGED_BUFFER_RELEASED != 0)
    }

    pub(super) fn check_released(&self) -> PyResult<()> {
        if self.is_released() {
            return Err(raise!(
                ValueError,
                "operation forbidden on released memoryview object"
            ));
        }
        Ok(())
    }

    /// What `__release_buffer__` gets must not outlive the call.
    pub(super) fn check_restricted(&self) -> PyResult<()> {
        if self.flags.get() & _Py_MEMORYVIEW_RESTRICTED != 0 {
            return Err(raise!(
                ValueError,
                "cannot create new view on restricted memoryview"
            ));
        }
        Ok(())
    }

    /// A view of a copy of the items, contiguous in C's order or Fortran's, with the shape and format of this one.
    pub fn contiguous_copy(&self, fortran: bool) -> PyResult<Ref<PyMemoryViewObject>> {
        let geometry = self.geometry();
        let bytes = PyBytesObject::from_slice(&geometry.to_bytes(fortran));
        let flat = Self::from_object(bytes.as_object())?;
        let new = flat.cast_target(geometry.ndim())?;
        let strides = if fortran {
            f_strides(&geometry.shape, geometry.itemsize)
        } else {
            c_strides(&geometry.shape, geometry.itemsize)
        };
        new.view.itemsize.set(geometry.itemsize);
        new.view
            .format
            .set(lasting_format(format_of(&self.view)).as_ptr().cast_mut());
        new.set_geometry(&geometry.shape, &strides, &[]);
        new.init_flags();
        Ok(new)
    }

    /// Lets the buffer go, unless somebody has got a buffer from this view.
    pub(super) fn release_view(&self) -> PyResult<()> {
        if self.flags.get() & _Py_MEMORYVIEW_RELEASED != 0 {
            return Ok(());
        }
        let exports = self.exports.get();
        if exports > 0 {
            let plural = if exports == 1 { "" } else { "s" };
            return Err(raise!(
                BufferError,
                "memoryview has {exports} exported buffer{plural}"
            ));
        }
        self.flags.set(self.flags.get() | _Py_MEMORYVIEW_RELEASED);
        // SAFETY: null when the view never became whole; otherwise owned.
        if let Some(managed) = unsafe { self.mbuf.get().as_ref() } {
            managed.exports.set(managed.exports.get() - 1);
            if managed.exports.get() == 0 {
                release_managed(managed);
            }
        }
        Ok(())
    }

    /// The native format, or NotImplementedError.
    pub(super) fn native_format(&self) -> PyResult<Native> {
        let format = format_of(&self.view);
        Native::parse(format).ok_or_else(|| {
            raise!(
                NotImplementedError,
                "memoryview: format {} not supported",
                format.to_string_lossy()
            )
        })
    }
}

/// A view with room for the numbers of `ndim` dimensions.
pub(super) fn alloc_view(ndim: usize) -> PyResult<Ref<PyMemoryViewObject>> {
    let object = alloc_instance(&PyMemoryView_Type, 3 * ndim)?;
    // SAFETY: an instance of the type, zeroed.
    let view = unsafe { object.cast::<PyMemoryViewObject>() };
    view.hash.set(-1);
    Ok(view)
}

fn new_managed_buffer() -> Ref<_PyManagedBufferObject> {
    let object = alloc_static(&_PyManagedBuffer_Type, size_of::<_PyManagedBufferObject>());
    gc::track(object);
    // SAFETY: zeroed memory for the object, its header set.
    unsafe { Ref::from_owned(object.cast()) }
}

pub(super) fn release_managed(managed: &_PyManagedBufferObject) {
    if managed.flags.get() & _Py_MANAGED_BUFFER_RELEASED == 0 {
        managed
            .flags
            .set(managed.flags.get() | _Py_MANAGED_BUFFER_RELEASED);
        gc::untrack(managed.as_ptr());
        release_buffer(&managed.master);
    }
}
