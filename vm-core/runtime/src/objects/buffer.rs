//! The buffer protocol from Rust: a view that is released on drop, and what exporters of plain bytes need.

use crate::args::{FromArg, Signature};
use crate::prelude::*;
use std::ptr::null_mut;

/// Whether the object's type exports buffers.
#[inline]
pub fn has_buffer(object: &PyObject) -> bool {
    getter(object).is_some()
}

#[inline]
fn getter(object: &PyObject) -> Option<getbufferproc> {
    // SAFETY: a type's suites live as long as the type.
    unsafe { object.ty().tp_as_buffer.get().as_ref() }.and_then(|procs| procs.bf_getbuffer.get())
}

/// A view of an object's memory. It has a place of its own, as exporters point into it.
pub struct Buffer {
    view: Box<Py_buffer>,
}

impl Buffer {
    /// The object's memory in the form that the flags ask for. TypeError when it has none.
    pub fn get(object: &PyObject, flags: c_int) -> PyResult<Buffer> {
        let view = Box::new(Py_buffer::zeroed());
        // SAFETY: the view is fresh and stays where it is.
        unsafe { get_buffer(object, (&raw const *view).cast_mut(), flags)? };
        Ok(Buffer { view })
    }
    /// Contiguous bytes to read.
    pub fn simple(object: &PyObject) -> PyResult<Buffer> {
        Buffer::get(object, PyBUF_SIMPLE)
    }
    /// Contiguous bytes to write to.
    pub fn writable(object: &PyObject) -> PyResult<Buffer> {
        Buffer::get(object, PyBUF_WRITABLE)
    }
    pub fn view(&self) -> &Py_buffer {
        &self.view
    }
    /// Bytes of the whole.
    #[inline]
    pub fn len(&self) -> usize {
        self.view.len.get() as usize
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn is_readonly(&self) -> bool {
        self.view.readonly.get() != 0
    }
    /// The bytes. The view is contiguous, as `simple` and `writable` ask for.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self.len() {
            0 => &[],
            // SAFETY: the exporter keeps the memory in place while the view is held.
            len => unsafe { std::slice::from_raw_parts(self.view.buf.get().cast(), len) },
        }
    }
    /// The bytes, to be written.
    ///
    /// # Safety
    /// The view is writable, and nobody else reads or writes the bytes while the slice is in use.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn as_bytes_mut(&self) -> &mut [u8] {
        match self.len() {
            0 => &mut [],
            // SAFETY: as in as_bytes, and the caller's contract.
            len => unsafe { std::slice::from_raw_parts_mut(self.view.buf.get().cast(), len) },
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the view was filled by get_buffer.
        unsafe { release_buffer(&raw mut *self.view) }
    }
}

/// `PyObject_GetBuffer`.
///
/// # Safety
/// `view` points to a `Py_buffer` that stays in place until it is released.
pub unsafe fn get_buffer(object: &PyObject, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
    let Some(getter) = getter(object) else {
        return Err(raise!(
            TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().full_name()
        ));
    };
    // SAFETY: a slot of the object's type; the caller's contract.
    if unsafe { getter(object.as_ptr(), view, flags) } != 0 {
        return Err(Raised::from_c("bf_getbuffer"));
    }
    Ok(())
}

/// `PyBuffer_Release`.
///
/// # Safety
/// `view` was filled by `get_buffer`, or is released already.
pub unsafe fn release_buffer(view: *mut Py_buffer) {
    // SAFETY: the caller's contract.
    unsafe {
        let Some(exporter) = Ref::from_borrowed_opt((*view).obj.get()) else {
            return;
        };
        let release = exporter
            .ty()
            .tp_as_buffer
            .get()
            .as_ref()
            .and_then(|procs| procs.bf_releasebuffer.get());
        if let Some(release) = release {
            // The exporter may look at the view's object.
            release(exporter.as_raw(), view);
        }
        drop(Ref::from_owned_opt((*view).obj.replace(null_mut())));
    }
}

/// `PyBuffer_FillInfo`: fills a view of a run of bytes.
///
/// # Safety
/// `view` points to memory for a `Py_buffer`; the bytes stay in place until the view is released.
pub unsafe fn fill_info(
    view: *mut Py_buffer,
    object: Option<&PyObject>,
    buf: *mut c_void,
    len: usize,
    readonly: bool,
    flags: c_int,
) -> PyResult<()> {
    if view.is_null() {
        return Err(raise!(
            BufferError,
            "PyBuffer_FillInfo: view==NULL argument is obsolete"
        ));
    }
    if flags == PyBUF_READ || flags == PyBUF_WRITE {
        return Err(raise!(SystemError, "bad argument to internal function"));
    }
    if flags & PyBUF_WRITABLE != 0 && readonly {
        return Err(raise!(BufferError, "Object is not writable."));
    }
    // SAFETY: the caller's contract; shape and strides point into the view itself, as C's do.
    unsafe {
        let target = &*view;
        target
            .obj
            .set(object.map_or(null_mut(), |object| object.to_ref().into_raw()));
        target.buf.set(buf);
        target.len.set(len as isize);
        target.readonly.set(c_int::from(readonly));
        target.itemsize.set(1);
        let format = if flags & PyBUF_FORMAT != 0 {
            c"B".as_ptr().cast_mut()
        } else {
            null_mut()
        };
        target.format.set(format);
        target.ndim.set(1);
        target.shape.set(if flags & PyBUF_ND != 0 {
            target.len.as_ptr()
        } else {
            null_mut()
        });
        let has_strides = flags & PyBUF_STRIDES == PyBUF_STRIDES;
        target.strides.set(if has_strides {
            target.itemsize.as_ptr()
        } else {
            null_mut()
        });
        target.suboffsets.set(null_mut());
        target.internal.set(null_mut());
    }
    Ok(())
}

/// `PyBuffer_IsContiguous` for `C`, `F` or `A`.
pub fn is_contiguous(view: &Py_buffer, order: u8) -> bool {
    if !view.suboffsets.get().is_null() {
        return false;
    }
    match order {
        b'C' => is_c_contiguous(view, false),
        b'F' => is_c_contiguous(view, true),
        _ => is_c_contiguous(view, false) || is_c_contiguous(view, true),
    }
}

fn is_c_contiguous(view: &Py_buffer, reversed: bool) -> bool {
    let ndim = view.ndim.get() as usize;
    if view.len.get() == 0 || view.strides.get().is_null() {
        // Without strides the memory is in C's order; that is Fortran's too for one dimension.
        return view.len.get() == 0 || !reversed || ndim <= 1 || n_wide_dimensions(view) <= 1;
    }
    let mut expected = view.itemsize.get();
    for idx in 0..ndim {
        let dim = if reversed { idx } else { ndim - 1 - idx };
        // SAFETY: a view with strides has `ndim` of them, and of shapes.
        let (extent, stride) = unsafe { (*view.shape.get().add(dim), *view.strides.get().add(dim)) };
        if extent > 1 && stride != expected {
            return false;
        }
        expected *= extent;
    }
    true
}

fn n_wide_dimensions(view: &Py_buffer) -> usize {
    let shape = view.shape.get();
    if shape.is_null() {
        return 0;
    }
    // SAFETY: a view with a shape has `ndim` extents.
    (0..view.ndim.get() as usize)
        .filter(|dim| unsafe { *shape.add(*dim) } > 1)
        .count()
}

/// A bytes-like argument: exact `bytes` are borrowed as they are, others are viewed.
pub enum BytesArg<'a> {
    Bytes(&'a PyBytesObject),
    View(Buffer),
}

impl<'a> BytesArg<'a> {
    #[inline]
    pub fn of(object: &'a PyObject) -> PyResult<BytesArg<'a>> {
        match object.downcast_exact::<PyBytesObject>() {
            Some(bytes) => Ok(BytesArg::Bytes(bytes)),
            None => Ok(BytesArg::View(Buffer::simple(object)?)),
        }
    }
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            BytesArg::Bytes(bytes) => bytes.as_bytes(),
            BytesArg::View(view) => view.as_bytes(),
        }
    }
}

impl<'a> FromArg<'a> for BytesArg<'a> {
    #[inline]
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        BytesArg::of(arg)
    }
}

impl<'a> FromArg<'a> for Buffer {
    #[inline]
    fn from_arg(arg: &'a PyObject, _: &'static Signature, _: usize) -> PyResult<Self> {
        Buffer::simple(arg)
    }
}
