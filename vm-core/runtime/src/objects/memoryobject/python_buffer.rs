//! Buffers of classes written in Python (PEP 688): `__buffer__` returns a memoryview, `__release_buffer__` hears of its end.

use super::view::get_buffer;
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
        if mv.view.obj.get() != obj.as_raw() && release_slot(obj.ty()).is_some_and(is_python) {
            call_release_buffer(&obj, view);
        }
        drop((mv, obj));
        self.clear();
    }
}

fn release_slot(ty: &PyTypeObject) -> Option<releasebufferproc> {
    // SAFETY: null or the type's buffer slots.
    unsafe { ty.tp_as_buffer.get().as_ref() }.and_then(|procs| procs.bf_releasebuffer.get())
}

/// The slot calls a `__release_buffer__` written in Python.
fn is_python(slot: releasebufferproc) -> bool {
    slot as usize == crate::types::slots::releasebuffer_slot as *const () as usize
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

/// The slot of a class with a `__release_buffer__`: that is called, then the slot of the native class that it inherits from.
pub fn release_python_buffer(object: &PyObject, view: *mut Py_buffer) {
    call_release_buffer(object, view);
    let Some(mro) = object.ty().mro() else { return };
    let mut classes = mro
        .as_slice()
        .iter()
        .skip_while(|class| !class.is(object.ty().as_object()));
    classes.next();
    let inherited = classes
        .filter_map(|class| class.downcast::<PyTypeObject>())
        .filter_map(release_slot)
        .find(|slot| !is_python(*slot));
    if let Some(release) = inherited {
        // SAFETY: the slot of a class that the object is an instance of; the view is still filled.
        unsafe { release(object.as_ptr(), view) };
    }
}

/// Calls `object.__release_buffer__`. What it raises is reported: the caller cannot fail.
fn call_release_buffer(object: &PyObject, view: *mut Py_buffer) {
    error::preserving_exception(|| {
        // SAFETY: the buffer that is being released is whole.
        if let Err(raised) = call_release(object, unsafe { &*view }) {
            let context = format!(
                "Exception ignored in __release_buffer__ of {}",
                object.ty().name()
            );
            error::write_unraisable(raised, Some(&context), None);
        }
    });
}

fn call_release(object: &PyObject, view: &Py_buffer) -> PyResult<()> {
    // SAFETY: null or the exporter, which the buffer owns.
    let exporter = unsafe { view.obj.get().as_ref() };
    if let Some(wrapper) = exporter.filter(|exporter| std::ptr::eq(exporter.ty(), &_PyBufferWrapper_Type)) {
        // SAFETY: the type says so; null or the memoryview that `__buffer__` returned, owned.
        let returned =
            unsafe { Ref::from_borrowed_opt((*wrapper.as_ptr().cast::<PyBufferWrapper>()).mv.get()) };
        if let Some(memoryview) = returned {
            object.call_special(identifier!("__release_buffer__"), &[memoryview.as_object()])?;
        }
        return Ok(());
    }
    let memoryview = PyMemoryViewObject::from_buffer(view)?;
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
