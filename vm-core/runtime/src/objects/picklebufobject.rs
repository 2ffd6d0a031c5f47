//! picklebufobject.h: a buffer that a pickle may carry beside its stream (PEP 574).

use super::buffer::{self, Buffer, is_contiguous};
use crate::memory::blank_header;
use crate::prelude::*;
use std::cell::RefCell;
use std::mem::offset_of;

#[repr(C)]
pub struct PickleBuffer {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    /// None once it is released.
    buffer: RefCell<Option<Buffer>>,
}

impl PickleBuffer {
    /// The view of the object, which stays where it is until the buffer is released.
    pub fn view(&self) -> PyResult<*const Py_buffer> {
        match &*self.buffer.borrow() {
            Some(buffer) => Ok(buffer.view()),
            None => Err(raise!(
                ValueError,
                "operation forbidden on released PickleBuffer object"
            )),
        }
    }
}

#[pytype(
    name = "pickle.PickleBuffer",
    static_name = PyPickleBuffer_Type,
    flags = HAVE_GC | BASETYPE,
    weaklistoffset = offset_of!(PickleBuffer, weakreflist),
)]
/// Wrapper for potentially out-of-band buffers
impl PickleBuffer {
    #[new("(object, /)")]
    fn py_new(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        let buffer = Buffer::get(object, PyBUF_FULL_RO)?;
        let fields = PickleBuffer {
            ob_base: blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            buffer: RefCell::new(Some(buffer)),
        };
        Ok(Ref::new_in(cls, fields)?.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match self.buffer.try_borrow() {
            Ok(buffer) => buffer
                .as_ref()
                .map_or(0, |buffer| visitor.visit(buffer.view().obj.get())),
            Err(_) => 0,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        drop(self.buffer.take());
    }
    /// The object's own buffer: it is the exporter, and counts the view.
    #[slot]
    fn bf_getbuffer(&self, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: the view is held by this object.
        let exporter = unsafe { Ref::from_borrowed_opt((*self.view()?).obj.get()) };
        match exporter {
            // SAFETY: the view to fill is the caller's.
            Some(exporter) => unsafe { buffer::get_buffer(&exporter, view, flags) },
            None => Err(raise!(BufferError, "the buffer has no exporter")),
        }
    }
    /// Release the underlying buffer exposed by the PickleBuffer object.
    #[method("($self, /)")]
    fn release(&self) {
        drop(self.buffer.take());
    }
    /// Return a memoryview of the raw memory underlying this buffer.
    ///
    /// Will raise BufferError is the buffer isn't contiguous.
    #[method("($self, /)")]
    fn raw(&self) -> PyResult {
        // SAFETY: the view is held by this object, which the caller holds.
        let view = unsafe { &*self.view()? };
        if !is_contiguous(view, b'A') {
            return Err(raise!(
                BufferError,
                "cannot extract raw buffer from non-contiguous buffer"
            ));
        }
        let object = PyMemoryViewObject::type_object()
            .as_object()
            .call1(self.as_object())?;
        if view.ndim.get() == 0 {
            return object.call_method(identifier!("cast"), &[PyUnicodeObject::from_str("B").as_object()]);
        }
        let memory = object
            .downcast::<PyMemoryViewObject>()
            .map_err(|_| raise!(SystemError, "memoryview() gave something else"))?;
        // Bytes in the order in which they lie, whatever the shape.
        let raw = &memory.view;
        // SAFETY: the fresh memory view owns its shape and strides, of one dimension or more.
        unsafe {
            raw.shape.get().write(raw.len.get());
            raw.strides.get().write(1);
        }
        raw.ndim.set(1);
        raw.itemsize.set(1);
        raw.format.set(c"B".as_ptr().cast_mut());
        memory
            .flags
            .set(memory.flags.get() | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN);
        Ok(memory.into_object())
    }
}
