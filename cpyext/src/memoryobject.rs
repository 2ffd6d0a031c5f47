//! pybuffer.h, memoryobject.h: buffers and memory views.

use crate::export::{Void, bad_internal_call, opt};
use adder_runtime::objects::memoryobject::PyMemoryView_Type;
use adder_runtime::objects::picklebufobject::{PickleBuffer, PyPickleBuffer_Type};
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn buffer_procs(object: &PyObject) -> Option<&'static PyBufferProcs> {
    // SAFETY: a type's suites live as long as the type.
    unsafe { object.ty().tp_as_buffer.get().as_ref() }
}

/// Whether an object's buffers want to be released.
pub fn has_release(object: &PyObject) -> bool {
    buffer_procs(object).is_some_and(|procs| procs.bf_releasebuffer.get().is_some())
}

/// PyObject_GetBuffer.
pub fn get_buffer(object: &PyObject, view: &Py_buffer, flags: c_int) -> PyResult<()> {
    if flags != PyBUF_SIMPLE && (flags == PyBUF_READ || flags == PyBUF_WRITE) {
        return Err(bad_internal_call());
    }
    if let Some(bytes) = object.downcast_exact::<PyBytesObject>() {
        let start = bytes.as_bytes().as_ptr().cast_mut().cast();
        return fill_info(
            view,
            Some(object),
            start,
            bytes.as_bytes().len() as isize,
            true,
            flags,
        );
    }
    let Some(getter) = buffer_procs(object).and_then(|procs| procs.bf_getbuffer.get()) else {
        return Err(raise!(
            TypeError,
            "a bytes-like object is required, not '{}'",
            object.ty().name()
        ));
    };
    // SAFETY: a slot of the object's type; the view is the caller's.
    let status = unsafe { getter(object.as_ptr(), (view as *const Py_buffer).cast_mut(), flags) };
    if status == 0 {
        Ok(())
    } else {
        Err(Raised::from_c("bf_getbuffer"))
    }
}

/// What bytes give who asks for no more than their memory.
#[inline(always)]
fn fill_simple(view: &Py_buffer, bytes: &PyBytesObject) {
    let content = bytes.as_bytes();
    view.obj.set(bytes.to_object().into_raw());
    view.buf.set(content.as_ptr().cast_mut().cast());
    view.len.set(content.len() as isize);
    view.itemsize.set(1);
    view.readonly.set(1);
    view.ndim.set(1);
    view.format.set(std::ptr::null_mut());
    view.shape.set(std::ptr::null_mut());
    view.strides.set(std::ptr::null_mut());
    view.suboffsets.set(std::ptr::null_mut());
    view.internal.set(std::ptr::null_mut());
}

/// PyBuffer_Release: once; an exception that is set stays.
pub fn release_buffer(view: &Py_buffer) {
    // SAFETY: a filled view owns its object.
    let Some(object) = (unsafe { Ref::from_owned_opt(view.obj.get()) }) else {
        return;
    };
    if let Some(release) = buffer_procs(&object).and_then(|procs| procs.bf_releasebuffer.get()) {
        // SAFETY: a slot of the object's type; the view is still filled.
        unsafe { release(object.as_raw(), (view as *const Py_buffer).cast_mut()) };
    }
    view.obj.set(std::ptr::null_mut());
    drop(object);
}

/// PyBuffer_FillInfo: contiguous bytes of an exporter.
#[inline]
pub fn fill_info(
    view: &Py_buffer,
    exporter: Option<&PyObject>,
    start: *mut c_void,
    len: isize,
    readonly: bool,
    flags: c_int,
) -> PyResult<()> {
    if flags != PyBUF_SIMPLE && (flags == PyBUF_READ || flags == PyBUF_WRITE) {
        return Err(bad_internal_call());
    }
    if flags & PyBUF_WRITABLE != 0 && readonly {
        return Err(raise!(BufferError, "Object is not writable."));
    }
    view.obj
        .set(exporter.map_or(std::ptr::null_mut(), |exporter| exporter.to_ref().into_raw()));
    view.buf.set(start);
    view.len.set(len);
    view.readonly.set(c_int::from(readonly));
    view.itemsize.set(1);
    view.format.set(if flags & PyBUF_FORMAT != 0 {
        c"B".as_ptr().cast_mut()
    } else {
        std::ptr::null_mut()
    });
    view.ndim.set(1);
    view.shape.set(if flags & PyBUF_ND != 0 {
        view.len.as_ptr()
    } else {
        std::ptr::null_mut()
    });
    let strided = flags & PyBUF_STRIDES == PyBUF_STRIDES;
    view.strides.set(if strided {
        view.itemsize.as_ptr()
    } else {
        std::ptr::null_mut()
    });
    view.suboffsets.set(std::ptr::null_mut());
    view.internal.set(std::ptr::null_mut());
    Ok(())
}

/// The numbers of an array that a view points at.
///
/// # Safety
/// There are `n` of them, or the pointer is NULL.
unsafe fn numbers<'a>(start: *const isize, n: usize) -> &'a [isize] {
    if start.is_null() {
        &[]
    } else {
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts(start, n) }
    }
}

/// The strides of a contiguous array, last index fastest for C, first for Fortran.
fn contiguous_strides(shape: &[isize], itemsize: isize, order: u8) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = itemsize;
    let mut fill = |axis: usize| {
        strides[axis] = stride;
        stride *= shape[axis];
    };
    if order == b'F' {
        (0..shape.len()).for_each(&mut fill)
    } else {
        (0..shape.len()).rev().for_each(&mut fill)
    }
    strides
}

/// PyBuffer_IsContiguous: order `C`, `F` or `A` (either).
pub fn is_contiguous(view: &Py_buffer, order: u8) -> bool {
    if !view.suboffsets.get().is_null() {
        return false;
    }
    if order == b'A' {
        return is_contiguous(view, b'C') || is_contiguous(view, b'F');
    }
    if view.len.get() == 0 || view.strides.get().is_null() {
        // Without strides the layout is C's, which is Fortran's too with at most one axis longer than 1.
        // SAFETY: the view is filled.
        let shape = unsafe { numbers(view.shape.get(), view.ndim.get() as usize) };
        let n_long = shape.iter().filter(|len| **len > 1).count();
        return order == b'C' || view.len.get() == 0 || view.ndim.get() <= 1 || n_long <= 1;
    }
    // SAFETY: the view is filled.
    let (shape, strides) = unsafe {
        let ndim = view.ndim.get() as usize;
        (numbers(view.shape.get(), ndim), numbers(view.strides.get(), ndim))
    };
    let wanted = contiguous_strides(shape, view.itemsize.get(), order);
    shape
        .iter()
        .zip(strides)
        .zip(wanted)
        .all(|((len, stride), wanted)| *len <= 1 || *stride == wanted)
}

/// The bytes of a contiguous view.
///
/// # Safety
/// The view is filled and contiguous; the bytes are not used after its release.
pub unsafe fn buffer_bytes(view: &Py_buffer) -> &[u8] {
    match view.len.get() {
        0 => &[],
        // SAFETY: the caller's contract.
        len => unsafe { std::slice::from_raw_parts(view.buf.get().cast(), len as usize) },
    }
}

/// The bytes of a bytes or bytearray object; of another object none.
///
/// # Safety
/// Nothing changes the object while the bytes are used.
pub unsafe fn bytes_of(object: &PyObject) -> &[u8] {
    if let Some(bytes) = object.downcast::<PyBytesObject>() {
        return bytes.as_bytes();
    }
    match object.downcast::<PyByteArrayObject>() {
        Some(array) if !array.ob_start.get().is_null() => {
            // SAFETY: the caller's contract.
            unsafe {
                std::slice::from_raw_parts(array.ob_start.get().cast(), array.ob_base.ob_size.get() as usize)
            }
        }
        _ => &[],
    }
}

/// The address of an item.
fn item_pointer(view: &Py_buffer, indices: &[isize]) -> *mut u8 {
    let ndim = view.ndim.get() as usize;
    // SAFETY: the view is filled.
    let (shape, strides, suboffsets) = unsafe {
        (
            numbers(view.shape.get(), ndim),
            numbers(view.strides.get(), ndim),
            numbers(view.suboffsets.get(), ndim),
        )
    };
    let packed;
    let strides = if strides.is_empty() {
        packed = contiguous_strides(shape, view.itemsize.get(), b'C');
        &packed
    } else {
        strides
    };
    let mut pointer = view.buf.get().cast::<u8>();
    for (axis, index) in indices.iter().enumerate() {
        pointer = pointer.wrapping_offset(strides.get(axis).copied().unwrap_or(view.itemsize.get()) * index);
        if let Some(suboffset) = suboffsets.get(axis).filter(|suboffset| **suboffset >= 0) {
            // SAFETY: a PIL-style axis holds pointers.
            pointer = unsafe { *pointer.cast::<*mut u8>() }.wrapping_offset(*suboffset);
        }
    }
    pointer
}

/// Calls `f` with the address of each item, in C or Fortran order.
fn for_each_item(view: &Py_buffer, order: u8, mut f: impl FnMut(*mut u8)) {
    let ndim = view.ndim.get() as usize;
    // SAFETY: the view is filled.
    let shape = unsafe { numbers(view.shape.get(), ndim) };
    let n_items = if view.itemsize.get() > 0 {
        view.len.get() / view.itemsize.get()
    } else {
        0
    };
    let flat;
    let shape = if shape.is_empty() && ndim == 1 {
        flat = [n_items];
        &flat[..]
    } else {
        shape
    };
    let mut indices = vec![0isize; ndim];
    for _ in 0..n_items {
        f(item_pointer(view, &indices));
        let axes: Vec<usize> = if order == b'F' {
            (0..ndim).collect()
        } else {
            (0..ndim).rev().collect()
        };
        for axis in axes {
            indices[axis] += 1;
            if indices[axis] < shape[axis] {
                break;
            }
            indices[axis] = 0;
        }
    }
}

/// Copies between contiguous bytes and a view of any layout.
fn copy_items(view: &Py_buffer, bytes: *mut u8, len: isize, order: u8, into_view: bool) {
    let itemsize = view.itemsize.get() as usize;
    let order = if order == b'A' {
        if is_contiguous(view, b'F') && !is_contiguous(view, b'C') {
            b'F'
        } else {
            b'C'
        }
    } else {
        order
    };
    let mut at = 0;
    for_each_item(view, order, |item| {
        if at + itemsize as isize <= len {
            // SAFETY: the view's items and the caller's bytes do not overlap; both have room for the item.
            unsafe {
                let place = bytes.offset(at);
                if into_view {
                    std::ptr::copy_nonoverlapping(place, item, itemsize);
                } else {
                    std::ptr::copy_nonoverlapping(item, place, itemsize);
                }
            }
        }
        at += itemsize as isize;
    });
}

fn new_view(object: &PyObject) -> PyResult {
    PyMemoryView_Type.as_object().call1(object)
}

/// A view of memory that no object owns.
fn view_of_memory(start: *mut c_char, len: isize, flags: c_int) -> PyResult {
    let info = Py_buffer::zeroed();
    fill_info(
        &info,
        None,
        start.cast(),
        len,
        flags != PyBUF_WRITE,
        PyBUF_FULL_RO,
    )?;
    Ok(PyMemoryViewObject::from_buffer(&info)?.into_object())
}

fn check_copy(view: &Py_buffer, len: isize) -> PyResult<()> {
    if len != view.len.get() {
        return Err(raise!(ValueError, "PyBuffer_ToContiguous: len != view->len"));
    }
    Ok(())
}

capi! {
    fn PyObject_GetBuffer(object: &PyObject, view: *mut Py_buffer, flags: c_int) -> PyResult<()> => {
        if flags != PyBUF_SIMPLE {
            return None;
        }
        // SAFETY: C gives a live object or NULL, and a view to fill.
        let (bytes, view) = unsafe { (opt(object)?.downcast_exact::<PyBytesObject>()?, view.as_ref()?) };
        fill_simple(view, bytes);
        Some(0)
    } else {
        // SAFETY: C gives a view to fill, or NULL as it once could.
        match unsafe { view.as_ref() } {
            Some(view) => get_buffer(object, view, flags),
            None => Err(raise!(BufferError, "PyObject_GetBuffer: view==NULL argument is obsolete")),
        }
    }
    fn PyObject_CheckBuffer(object: &PyObject) -> bool {
        buffer_procs(object).is_some_and(|procs| procs.bf_getbuffer.get().is_some())
    }
    fn PyBuffer_Release(view: *mut Py_buffer) -> Void => {
        // SAFETY: C gives a view that was filled, or zeroed; a filled one owns its object.
        unsafe {
            let object = (*view).obj.get();
            if opt(object).is_none_or(|object| !PyBytesObject::check_exact(object)) {
                return None;
            }
            (*view).obj.set(std::ptr::null_mut());
            adder_runtime::memory::decref(object);
        }
        Some(())
    } else {
        // SAFETY: C gives a view that was filled, or zeroed.
        release_buffer(unsafe { &*view });
        Void
    }
    fn PyBuffer_FillInfo(
        view: *mut Py_buffer, exporter: Option<&PyObject>, start: *mut c_void, len: isize, readonly: c_int, flags: c_int
    ) -> PyResult<()> {
        // SAFETY: C gives a view to fill.
        let Some(view) = (unsafe { view.as_ref() }) else {
            return Err(raise!(BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete"));
        };
        fill_info(view, exporter, start, len, readonly != 0, flags)
    }
    fn PyBuffer_IsContiguous(view: *const Py_buffer, order: std::ffi::c_char) -> bool {
        // SAFETY: C gives a filled view.
        is_contiguous(unsafe { &*view }, order as u8)
    }
    fn PyBuffer_GetPointer(view: *const Py_buffer, indices: *const isize) -> *mut u8 {
        // SAFETY: C gives a filled view and an index for each axis.
        unsafe { item_pointer(&*view, numbers(indices, (*view).ndim.get() as usize)) }
    }
    fn PyBuffer_SizeFromFormat(format: Option<&CStr>) -> PyResult<isize> {
        let format = PyUnicodeObject::from_str(&format.map_or("B".into(), CStr::to_string_lossy));
        let size = crate::import::import_module("struct")?.call_method(identifier!("calcsize"), &[format.as_object()])?;
        crate::longobject::as_ssize(&size)
    }
    fn PyBuffer_FillContiguousStrides(
        ndim: c_int, shape: *mut isize, strides: *mut isize, itemsize: c_int, order: std::ffi::c_char
    ) -> Void {
        // SAFETY: C gives arrays of that many numbers.
        unsafe {
            let computed = contiguous_strides(numbers(shape, ndim as usize), itemsize as isize, order as u8);
            std::ptr::copy_nonoverlapping(computed.as_ptr(), strides, computed.len());
        }
        Void
    }
    fn PyBuffer_ToContiguous(bytes: *mut c_void, view: *const Py_buffer, len: isize, order: std::ffi::c_char) -> PyResult<()> {
        // SAFETY: C gives a filled view and room for its bytes.
        let view = unsafe { &*view };
        check_copy(view, len)?;
        copy_items(view, bytes.cast(), len, order as u8, false);
        Ok(())
    }
    fn PyBuffer_FromContiguous(view: *const Py_buffer, bytes: *const c_void, len: isize, order: std::ffi::c_char) -> PyResult<()> {
        // SAFETY: C gives a filled view and that many bytes.
        let view = unsafe { &*view };
        copy_items(view, bytes.cast_mut().cast(), len.min(view.len.get()), order as u8, true);
        Ok(())
    }
    fn PyObject_CopyData(to: &PyObject, from: &PyObject) -> PyResult<()> {
        let (to_view, from_view) = (Py_buffer::zeroed(), Py_buffer::zeroed());
        get_buffer(to, &to_view, PyBUF_FULL)?;
        if let Err(raised) = get_buffer(from, &from_view, PyBUF_FULL_RO) {
            release_buffer(&to_view);
            return Err(raised);
        }
        let fits = to_view.len.get() >= from_view.len.get();
        if fits {
            let mut bytes = vec![0u8; from_view.len.get() as usize];
            let len = bytes.len() as isize;
            copy_items(&from_view, bytes.as_mut_ptr(), len, b'C', false);
            copy_items(&to_view, bytes.as_mut_ptr(), len, b'C', true);
        }
        release_buffer(&from_view);
        release_buffer(&to_view);
        if fits { Ok(()) } else { Err(raise!(BufferError, "destination is too small to receive data from source")) }
    }
    fn PyObject_CheckReadBuffer(object: &PyObject) -> bool {
        let view = Py_buffer::zeroed();
        match get_buffer(object, &view, PyBUF_SIMPLE) {
            Ok(()) => { release_buffer(&view); true }
            Err(raised) => { raised.clear(); false }
        }
    }
    fn PyObject_AsReadBuffer(object: &PyObject, start: *mut *const c_void, len: *mut isize) -> PyResult<()> {
        old_buffer(object, PyBUF_SIMPLE, start.cast(), len)
    }
    fn PyObject_AsCharBuffer(object: &PyObject, start: *mut *const c_char, len: *mut isize) -> PyResult<()> {
        old_buffer(object, PyBUF_SIMPLE, start.cast(), len)
    }
    fn PyObject_AsWriteBuffer(object: &PyObject, start: *mut *mut c_void, len: *mut isize) -> PyResult<()> {
        old_buffer(object, PyBUF_WRITABLE, start, len)
    }

    fn PyMemoryView_FromObject(object: &PyObject) -> PyResult { new_view(object) }
    fn PyMemoryView_FromMemory(start: *mut c_char, len: isize, flags: c_int) -> PyResult { view_of_memory(start, len, flags) }
    fn PyMemoryView_FromBuffer(info: *const Py_buffer) -> PyResult {
        // SAFETY: C gives a filled view.
        let info = unsafe { &*info };
        if info.buf.get().is_null() {
            return Err(raise!(ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL"));
        }
        Ok(PyMemoryViewObject::from_buffer(info)?.into_object())
    }
    fn PyMemoryView_GetContiguous(object: &PyObject, kind: c_int, order: std::ffi::c_char) -> PyResult {
        let view_object = new_view(object)?;
        // SAFETY: just made as a memory view.
        let view = &unsafe { view_object.cast_unchecked::<PyMemoryViewObject>() }.view;
        if kind == PyBUF_WRITE && view.readonly.get() != 0 {
            return Err(raise!(BufferError, "underlying buffer is not writable"));
        }
        if is_contiguous(view, order as u8) {
            return Ok(view_object);
        }
        if kind == PyBUF_WRITE {
            return Err(raise!(BufferError, "writable contiguous buffer requested for a non-contiguous object."));
        }
        // SAFETY: as above.
        let copy = unsafe { view_object.cast_unchecked::<PyMemoryViewObject>() }.contiguous_copy(order as u8 == b'F')?;
        Ok(copy.into_object())
    }
    fn PyPickleBuffer_FromObject(object: &PyObject) -> PyResult {
        PyPickleBuffer_Type.as_object().call1(object)
    }
    fn PyPickleBuffer_GetBuffer(object: &PyObject) -> PyResult<*const Py_buffer> { pickle_buffer(object)?.view() }
    fn PyPickleBuffer_Release(object: &PyObject) -> PyResult<()> {
        pickle_buffer(object)?.as_object().call_method(identifier!("release"), &[]).map(drop)
    }
}

fn pickle_buffer(object: &PyObject) -> PyResult<&PickleBuffer> {
    object
        .downcast::<PickleBuffer>()
        .ok_or_else(|| raise!(TypeError, "expected PickleBuffer, {} found", object.ty().name()))
}

/// The buffer functions of Python 2: the memory is shown without being held.
fn old_buffer(object: &PyObject, flags: c_int, start: *mut *mut c_void, len: *mut isize) -> PyResult<()> {
    let view = Py_buffer::zeroed();
    get_buffer(object, &view, flags)?;
    // SAFETY: C gives places.
    unsafe {
        crate::export::put(start, view.buf.get());
        crate::export::put(len, view.len.get());
    }
    release_buffer(&view);
    Ok(())
}
