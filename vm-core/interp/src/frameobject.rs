//! Frame objects: made when somebody asks (`sys._getframe`, tracebacks, tracing), kept alive beyond the frame.
//!
//! While the frame runs, `f_frame` points at it and the frame owns a count of the object. When the frame ends and
//! others hold the object, its values move to a block of the object's own (`FrameOwner::FrameObject`).

use crate::frame::*;
use adder_runtime::abi::*;
use adder_runtime::memory;
use adder_runtime::prelude::*;
use std::ptr::null_mut;

/// `PyFrameObject` with methods.
#[repr(transparent)]
pub struct FrameObject(pub PyFrameObject);

impl std::ops::Deref for FrameObject {
    type Target = PyFrameObject;
    fn deref(&self) -> &PyFrameObject {
        &self.0
    }
}

/// The object of a frame, made on demand.
///
/// # Safety
/// `frame` is alive.
pub unsafe fn object_of(frame: *mut Frame) -> PyResult<Ref<PyFrameObject>> {
    // SAFETY: the frame owns its object.
    unsafe {
        if !(*frame).frame_obj.is_null() {
            return Ok(Ref::from_borrowed((*frame).frame_obj));
        }
        let fields = PyFrameObject::zeroed();
        fields.f_frame.set(frame.cast());
        fields.f_trace_lines.set(1);
        let object = Ref::new(FrameObject(fields))?.cast::<PyFrameObject>();
        if (*frame).owner != FrameOwner::FrameObject {
            (*frame).frame_obj = object.clone().into_raw();
        }
        Ok(object)
    }
}

/// A frame ends: its object, when others hold it, takes everything but the code over. False: there is nothing to keep.
///
/// # Safety
/// The frame is over and has an object.
#[cold]
#[inline(never)]
pub unsafe fn take_over(frame: *mut Frame) -> bool {
    // SAFETY: the caller's contract; each value is moved once.
    unsafe {
        let object = Ref::from_owned(std::ptr::replace(&mut (*frame).frame_obj, null_mut()));
        if object.ob_base.ob_refcnt.get() == 1 {
            object.f_frame.set(null_mut());
            return false;
        }
        let n_registers = (*frame).n_registers();
        let words = HEADER_WORDS + n_registers;
        let block = memory::raw_malloc(words * 8).cast::<Frame>();
        if block.is_null() {
            object.f_frame.set(null_mut());
            return false;
        }
        std::ptr::copy_nonoverlapping(frame.cast::<u64>(), block.cast::<u64>(), words);
        (*block).owner = FrameOwner::FrameObject;
        (*block).previous = null_mut();
        (*(*block).code.cast::<PyObject>()).incref();
        object.f_frame.set(block.cast());
        if object.f_back.get().is_null()
            && let Some(previous) = (*frame).previous.as_mut()
        {
            match object_of(previous) {
                Ok(back) => object.f_back.set(back.into_raw()),
                Err(raised) => raised.clear(),
            }
        }
        let extra = std::mem::replace(&mut (*block).extra, null_mut());
        memory::xdecref(extra);
        let registers = Frame::registers(block);
        for index in (*block).n_localsplus()..n_registers {
            let value = std::ptr::replace(registers.add(index), null_mut());
            memory::xdecref(value);
        }
        true
    }
}

/// The frame that a frame returns to. Looks at nothing else of the two: greenlet asks with a frame object of its own making.
pub fn back_of(object: &PyFrameObject) -> PyResult<Option<Ref<PyFrameObject>>> {
    // SAFETY: linked frames are alive.
    unsafe {
        if let Some(back) = Ref::from_borrowed_opt(object.f_back.get()) {
            return Ok(Some(back));
        }
        match object.f_frame.get().cast::<Frame>().as_ref() {
            Some(frame) if !frame.previous.is_null() => object_of(frame.previous).map(Some),
            _ => Ok(None),
        }
    }
}

/// Visits what a frame owns.
///
/// # Safety
/// The frame is alive.
pub unsafe fn traverse_frame(frame: *mut Frame, visitor: &Visitor) -> c_int {
    // SAFETY: the caller's contract.
    unsafe {
        let mut status = visitor.visit((*frame).func);
        if status == 0 {
            status = visitor.visit((*frame).locals);
        }
        if status == 0 {
            status = visitor.visit((*frame).frame_obj);
        }
        let registers = Frame::registers(frame);
        for index in 0..(*frame).n_registers() {
            if status != 0 {
                return status;
            }
            status = visitor.visit(*registers.add(index));
        }
        status
    }
}

fn drop_field<T>(field: &Cell<*mut T>) {
    let old = field.replace(null_mut());
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old.cast::<PyObject>()) });
}

impl FrameObject {
    /// The frame; `None` after it was cleared at its end.
    pub fn frame(&self) -> Option<*mut Frame> {
        let frame = self.f_frame.get().cast::<Frame>();
        (!frame.is_null()).then_some(frame)
    }
    fn live(&self) -> PyResult<&Frame> {
        // SAFETY: a frame object's frame is alive.
        self.frame()
            .map(|frame| unsafe { &*frame })
            .ok_or_else(|| raise!(RuntimeError, "the frame is gone"))
    }
    /// The frame is over and the values are the object's own.
    fn owns_frame(&self) -> bool {
        self.frame()
            .is_some_and(|frame| unsafe_owner(frame) == FrameOwner::FrameObject)
    }
    fn clear_values(&self) {
        if let Some(frame) = self.frame()
            && unsafe_owner(frame) == FrameOwner::FrameObject
        {
            // SAFETY: the block is the object's own.
            unsafe {
                let registers = Frame::registers(frame);
                for index in 0..(*frame).n_localsplus() {
                    let value = std::ptr::replace(registers.add(index), null_mut());
                    memory::xdecref(value);
                }
            }
        }
        drop_field(&self.f_extra_locals);
        drop_field(&self.f_overwritten_fast_locals);
        drop_field(&self.f_locals_cache);
    }
}

fn cannot_delete(name: &str) -> Raised {
    raise!(
        AttributeError,
        "attribute '{name}' of 'frame' objects cannot be deleted"
    )
}

fn unsafe_owner(frame: *mut Frame) -> FrameOwner {
    // SAFETY: callers pass live frames.
    unsafe { (*frame).owner }
}

#[pytype(
    name = "frame",
    static_name = PyFrame_Type,
    flags = HAVE_GC,
    members = [
        ("f_trace_lines", Py_T_BOOL, std::mem::offset_of!(PyFrameObject, f_trace_lines), 0)
    ]
)]
impl FrameObject {
    #[slot]
    unsafe fn tp_dealloc(this: *mut FrameObject) {
        // SAFETY: called once; the block, when there is one, is the object's own.
        unsafe {
            memory::gc::untrack(this.cast());
            let object = &*this;
            object.clear_values();
            if let Some(frame) = object.frame()
                && (*frame).owner == FrameOwner::FrameObject
            {
                object.f_frame.set(null_mut());
                memory::xdecref((*frame).locals);
                memory::decref((*frame).func.cast());
                memory::decref((*frame).code.cast());
                memory::raw_free(frame.cast());
            }
            drop_field(&object.f_back);
            drop_field(&object.f_trace);
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let fields = [
            self.f_trace.get(),
            self.f_extra_locals.get(),
            self.f_overwritten_fast_locals.get(),
            self.f_back.get().cast(),
        ];
        for field in fields {
            let status = visitor.visit(field);
            if status != 0 {
                return status;
            }
        }
        match self.frame() {
            // SAFETY: the block is the object's own.
            Some(frame) if unsafe_owner(frame) == FrameOwner::FrameObject => unsafe {
                traverse_frame(frame, visitor)
            },
            _ => 0,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        drop_field(&self.f_trace);
        self.clear_values();
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let frame = self.live()?;
        let code = frame.code();
        Ok(PyUnicodeObject::from_string(format!(
            "<frame at {:p}, file {}, line {}, code {}>",
            self as *const FrameObject,
            code.filename().as_object().repr()?.to_string_lossy(),
            frame.line().unwrap_or(0),
            code.name().to_string_lossy()
        )))
    }
    #[getter]
    fn f_back(&self) -> PyResult {
        let back = back_of(self)?;
        // SAFETY: every object is a `PyObject`.
        Ok(back.map_or_else(none_ref, |back| unsafe { back.cast() }))
    }
    #[getter]
    fn f_code(&self) -> PyResult {
        Ok(self.live()?.code().to_object())
    }
    #[getter]
    fn f_globals(&self) -> PyResult {
        Ok(self.live()?.globals().to_object())
    }
    #[getter]
    fn f_builtins(&self) -> PyResult {
        // SAFETY: the function's builtins.
        Ok(unsafe { (*self.live()?.builtins).to_ref() })
    }
    #[getter]
    fn f_locals(&self) -> PyResult {
        crate::framelocals::f_locals(self)
    }
    #[getter]
    fn f_lasti(&self) -> PyResult<i32> {
        Ok(self.live()?.index() * 2)
    }
    #[getter]
    fn f_lineno(&self) -> PyResult<Option<i32>> {
        // Compiled code writes the line of its frames here.
        if self.f_lineno.get() != 0 {
            return Ok(Some(self.f_lineno.get()));
        }
        Ok(self.live()?.line())
    }
    #[setter]
    fn set_f_lineno(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(cannot_delete("f_lineno"));
        };
        let Some(line) = value.downcast_exact::<PyLongObject>() else {
            return Err(raise!(ValueError, "lineno must be an integer"));
        };
        crate::linejump::jump_to_line(self, line.as_i64()?)
    }
    #[getter]
    fn f_generator(&self) -> PyResult {
        let frame = self.live()?;
        if frame.owner != FrameOwner::Generator {
            return Ok(none_ref());
        }
        let offset = std::mem::offset_of!(PyGenObject, gi_iframe);
        // SAFETY: a generator's frame is inside the generator.
        unsafe {
            let generator = (frame as *const Frame).byte_sub(offset).cast::<PyObject>();
            Ok((*generator).to_ref())
        }
    }
    #[getter]
    fn f_trace(&self) -> Ref {
        // SAFETY: an owned field or null.
        unsafe { Ref::from_borrowed_opt(self.f_trace.get()) }.unwrap_or_else(none_ref)
    }
    #[setter]
    fn set_f_trace(&self, value: Option<&PyObject>) -> PyResult<()> {
        drop_field(&self.f_trace);
        if let Some(value) = value.filter(|value| !is_none(value)) {
            self.f_trace.set(value.to_ref().into_raw());
        }
        Ok(())
    }
    #[getter]
    fn f_trace_opcodes(&self) -> bool {
        self.f_trace_opcodes.get() != 0
    }
    #[setter]
    fn set_f_trace_opcodes(&self, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            None => Err(cannot_delete("f_trace_opcodes")),
            Some(value) if value.is(true_()) || value.is(false_()) => {
                self.f_trace_opcodes.set(value.is(true_()) as c_char);
                Ok(())
            }
            Some(_) => Err(raise!(TypeError, "attribute value type must be bool")),
        }
    }
    /// Clears all references held by the frame.
    #[method]
    fn clear(&self) -> PyResult<()> {
        if self.owns_frame() {
            self.clear_values();
            return Ok(());
        }
        let Some(frame) = self.frame() else { return Ok(()) };
        if unsafe_owner(frame) == FrameOwner::Generator {
            let offset = std::mem::offset_of!(PyGenObject, gi_iframe);
            // SAFETY: a generator's frame is inside the generator.
            let generator = unsafe { &*frame.byte_sub(offset).cast::<PyGenObject>() };
            return match generator.gi_frame_state.get() {
                FRAME_EXECUTING => Err(raise!(RuntimeError, "cannot clear an executing frame")),
                FRAME_SUSPENDED | FRAME_SUSPENDED_YIELD_FROM => {
                    Err(raise!(RuntimeError, "cannot clear a suspended frame"))
                }
                _ => {
                    crate::genobject::finalize(generator);
                    Ok(())
                }
            };
        }
        Err(raise!(RuntimeError, "cannot clear an executing frame"))
    }
    #[method]
    fn __sizeof__(&self) -> usize {
        size_of::<PyFrameObject>()
            + self.frame().map_or(0, |frame| {
                if self.owns_frame() {
                    // SAFETY: the frame is alive.
                    (HEADER_WORDS + unsafe { (*frame).n_registers() }) * 8
                } else {
                    0
                }
            })
    }
}
