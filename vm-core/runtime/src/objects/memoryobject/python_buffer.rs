//! Buffers of classes written in Python (PEP 688): `__buffer__` returns a memoryview, `__release_buffer__` hears of its end.

use super::view::{copy_fields, get_buffer};
use crate::error;
use crate::memory::{self, gc};
use crate::objects::freelist::alloc_static;
use crate::prelude::*;
use std::cell::Cell;

/// What a buffer from `__buffer__` has as its exporter: the memoryview and the object behind it.
#[repr(C)]
pub struct PyBufferWrapper {
    ob_base: PyObject,
    mv: Cell<*mut PyMemoryViewObject>,
    obj: Cell<*mut PyObject>,
}

impl PyBufferWrapper {
    fn clear(&self) {
        // SAFETY: the wrapper owned both.
        unsafe {
            memory::xdecref(self.mv.replace(std::ptr::null_mut()).cast());
            memory::xdecref(self.obj.replace(std::ptr::null_mut()));
        }
    }
}

#[pytype(name = "_buffer_wrapper", static_name = _PyBufferWrapper_Type, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
impl PyBufferWrapper {
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the wrapper is dead.
        unsafe {
            gc::untrack(this.cast());
            (*this).clear();
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.mv.get()) {
            0 => visitor.visit(self.obj.get()),
            stop => stop,
        }
    }
    #[slot]
    fn bf_releasebuffer(&self, view: *mut Py_buffer) {
        // SAFETY: null or owned by the wrapper.
        let (mv, obj) = unsafe {
            (
                Ref::from_borrowed_opt(self.mv.get()),
                Ref::from_borrowed_opt(self.obj.get()),
            )
        };
        let (Some(mv), Some(obj)) = (mv, obj) else { return };
        mv.exports.set(mv.exports.get() - 1);
        // A native exporter hears of it when the memoryview lets go.
        let is_python = obj.ty().tp_as_buffer.get();
        // SAFETY: null or the type's buffer slots.
        let release = unsafe { is_python.as_ref() }.and_then(|procs| procs.bf_releasebuffer.get());
        let ours = crate::types::slots::releasebuffer_slot as *const () as usize;
        if mv.view.obj.get() != obj.as_raw() && release.is_some_and(|slot| slot as usize == ours) {
            release_python_buffer(&obj, view);
        }
        drop((mv, obj));
        self.clear();
    }
}

/// Fills `view` from the memoryview that `object.__buffer__` returned.
pub fn export_python_buffer(
    object: &PyObject,
    result: &PyObject,
    view: *mut Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let Some(memoryview) = result.downcast::<PyMemoryViewObject>() else {
        return Err(raise!(TypeError, "__buffer__ returned non-memoryview object"));
    };
    // SAFETY: the caller gives a view to be filled.
    unsafe { get_buffer(result, view, flags)? };
    let wrapper = alloc_static(&_PyBufferWrapper_Type, size_of::<PyBufferWrapper>());
    // SAFETY: memory for the wrapper, its header set; the view's count of the memoryview moves to the wrapper.
    unsafe {
        let this = &*wrapper.cast::<PyBufferWrapper>();
        this.mv.set(memoryview.to_ref().into_raw());
        this.obj.set(object.to_ref().into_raw());
        gc::track(wrapper);
        memory::xdecref((*view).obj.replace(wrapper));
    }
    Ok(())
}

/// Calls `object.__release_buffer__` with a memoryview that cannot be kept.
pub fn release_python_buffer(object: &PyObject, view: *mut Py_buffer) {
    let saved = error::fetch();
    if let Err(raised) = call_release(object, view) {
        let context = format!(
            "Exception ignored in __release_buffer__ of {}",
            object.ty().name()
        );
        error::write_unraisable(raised, Some(&context), None);
    }
    if let Some(exception) = saved {
        let _raised = error::restore(exception);
    }
}

fn call_release(object: &PyObject, view: *mut Py_buffer) -> PyResult<()> {
    let borrowed = Py_buffer::zeroed();
    // SAFETY: the buffer that is being released is whole.
    copy_fields(&borrowed, unsafe { &*view });
    borrowed.obj.set(std::ptr::null_mut());
    let memoryview = PyMemoryViewObject::from_buffer(&borrowed)?;
    memoryview
        .flags
        .set(memoryview.flags.get() | _Py_MEMORYVIEW_RESTRICTED);
    let result = object.call_special(identifier!("__release_buffer__"), &[memoryview.as_object()]);
    let released = memoryview.release_view();
    result?;
    released
}

/// `object.__release_buffer__(view)` of a native exporter.
pub fn release_view_of(object: &PyObject, view: &PyObject) -> PyResult {
    let Some(memoryview) = view.downcast::<PyMemoryViewObject>() else {
        return Err(raise!(TypeError, "expected a memoryview object"));
    };
    let exporter = memoryview.view.obj.get();
    if exporter.is_null() {
        return Ok(none_ref());
    }
    if exporter != object.as_ptr() {
        return Err(raise!(ValueError, "memoryview's buffer is not this object"));
    }
    if memoryview.flags.get() & _Py_MEMORYVIEW_RELEASED != 0 {
        return Err(raise!(
            ValueError,
            "memoryview's buffer has already been released"
        ));
    }
    memoryview.release_view()?;
    Ok(none_ref())
}
