//! Traceback objects: a linked list from the frame that caught an exception to the one that raised it.

use crate::memory;
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

/// A traceback entry in front of `next`. `lasti` is in bytes (two a word); a `line` of -1 is looked up when somebody asks.
pub fn new_traceback(
    next: Option<Ref>,
    frame: Ref<PyFrameObject>,
    lasti: c_int,
    line: c_int,
) -> PyResult<Ref<PyTracebackObject>> {
    let traceback = PyTracebackObject::zeroed();
    traceback
        .tb_next
        .set(next.map_or(std::ptr::null_mut(), |next| next.into_raw().cast()));
    traceback.tb_frame.set(frame.into_raw());
    traceback.tb_lasti.set(lasti);
    traceback.tb_lineno.set(line);
    Ref::new(traceback)
}

impl PyTracebackObject {
    pub fn next(&self) -> Option<&PyTracebackObject> {
        // SAFETY: owned or null.
        unsafe { self.tb_next.get().as_ref() }
    }
    /// The line, `None` when the place has none.
    pub fn line(&self) -> PyResult<Option<i32>> {
        let line = self.tb_lineno.get();
        if line != -1 {
            return Ok((line >= 0).then_some(line));
        }
        let code = self.frame().get_attr(identifier!("f_code"))?;
        let code = (*code).downcast::<PyCodeObject>();
        Ok(code.and_then(|code| code.line_at(self.tb_lasti.get() / 2)))
    }
    pub fn frame(&self) -> &PyObject {
        // SAFETY: owned since creation.
        unsafe { &*self.tb_frame.get().cast::<PyObject>() }
    }
}

#[pytype(
    name = "traceback",
    static_name = PyTraceBack_Type,
    flags = HAVE_GC,
    members = [
        ("tb_frame", _Py_T_OBJECT, offset_of!(PyTracebackObject, tb_frame), Py_READONLY),
        ("tb_lasti", Py_T_INT, offset_of!(PyTracebackObject, tb_lasti), Py_READONLY)
    ]
)]
/// Create a new traceback object.
impl PyTracebackObject {
    #[new("(tb_next, tb_frame, tb_lasti, tb_lineno)")]
    fn py_new(
        cls: &PyTypeObject,
        tb_next: &PyObject,
        tb_frame: &PyObject,
        tb_lasti: i32,
        tb_lineno: i32,
    ) -> PyResult<Ref<PyTracebackObject>> {
        let _ = cls;
        if tb_frame.ty().full_name() != "frame" {
            return Err(raise!(
                TypeError,
                "traceback() argument 'tb_frame' must be frame, not {}",
                tb_frame.ty().name()
            ));
        }
        let next = match tb_next.downcast::<PyTracebackObject>() {
            Some(next) => Some(next.to_object()),
            None if is_none(tb_next) => None,
            None => {
                return Err(raise!(
                    TypeError,
                    "expected traceback object or None, got '{}'",
                    tb_next.ty().name()
                ));
            }
        };
        // SAFETY: the type was checked by its name, which only frames have.
        let frame = unsafe { tb_frame.to_ref().cast::<PyFrameObject>() };
        new_traceback(next, frame, tb_lasti, tb_lineno)
    }

    #[slot]
    unsafe fn tp_dealloc(this: *mut PyTracebackObject) {
        // SAFETY: called once; the fields were owned. The deallocator of memory bounds the depth of long chains.
        unsafe {
            memory::gc::untrack(this.cast());
            memory::xdecref((*this).tb_next.replace(std::ptr::null_mut()).cast());
            memory::xdecref((*this).tb_frame.replace(std::ptr::null_mut()).cast());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.tb_next.get()) {
            0 => visitor.visit(self.tb_frame.get()),
            status => status,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        drop_field(&self.tb_next);
        drop_field(&self.tb_frame);
    }

    #[getter]
    fn tb_lineno(&self) -> PyResult<Option<i32>> {
        self.line()
    }
    #[getter(name = "tb_next")]
    fn get_next(&self) -> Ref {
        self.next().map_or_else(none_ref, |next| next.to_object())
    }
    #[setter(name = "tb_next")]
    fn set_next(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "can't delete tb_next attribute"));
        };
        if is_none(value) {
            drop_field(&self.tb_next);
            return Ok(());
        }
        let Some(next) = value.downcast::<PyTracebackObject>() else {
            return Err(raise!(
                TypeError,
                "expected traceback object, got '{}'",
                value.ty().name()
            ));
        };
        let mut cursor = Some(next);
        while let Some(entry) = cursor {
            if std::ptr::eq(entry, self) {
                return Err(raise!(ValueError, "traceback loop detected"));
            }
            cursor = entry.next();
        }
        let new = next.to_ref();
        drop_field(&self.tb_next);
        self.tb_next.set(new.into_raw());
        Ok(())
    }
    #[method]
    fn __dir__(&self) -> Ref<PyListObject> {
        let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
        PyListObject::from_vec(
            names
                .iter()
                .map(|name| PyUnicodeObject::from_str(name).into_object())
                .collect(),
        )
    }
}

fn drop_field<T>(field: &Cell<*mut T>) {
    let old = field.replace(std::ptr::null_mut());
    // SAFETY: the field owned it.
    drop(unsafe { Ref::from_owned_opt(old.cast::<PyObject>()) });
}
