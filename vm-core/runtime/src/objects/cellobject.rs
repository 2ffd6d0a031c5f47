//! Cells: the variables that closures share.

use super::freelist::alloc_static;
use crate::memory::{self, gc};
use crate::prelude::*;

impl PyCellObject {
    /// A cell with a value, or empty.
    #[inline]
    pub fn new(value: Option<Ref>) -> Ref<PyCellObject> {
        let object = alloc_static(&PyCell_Type, size_of::<PyCellObject>());
        // SAFETY: memory for a cell, its header set.
        unsafe {
            let cell = object.cast::<PyCellObject>();
            (*cell)
                .ob_ref
                .set(value.map_or(std::ptr::null_mut(), Ref::into_raw));
            gc::track(object);
            Ref::from_owned(cell)
        }
    }
    #[inline(always)]
    pub fn get(&self) -> Option<Ref> {
        // SAFETY: null or an object that the cell owns.
        unsafe { Ref::from_borrowed_opt(self.ob_ref.get()) }
    }
    /// Replaces the value; the old one may run code as it goes.
    #[inline]
    pub fn set(&self, value: Option<Ref>) {
        let old = self
            .ob_ref
            .replace(value.map_or(std::ptr::null_mut(), Ref::into_raw));
        // SAFETY: the cell owned the old value.
        unsafe { memory::xdecref(old) };
    }
}

#[pytype(
    name = "cell",
    static_name = PyCell_Type,
    flags = HAVE_GC,
    slots = [tp_hash = crate::types::hash_not_implemented]
)]
/// A variable that closures share; empty without contents.
impl PyCellObject {
    #[new("(contents=<unrepresentable>, /)")]
    fn py_new(_cls: &PyTypeObject, contents: Option<&PyObject>) -> PyResult<Ref<PyCellObject>> {
        Ok(PyCellObject::new(contents.map(PyObject::to_ref)))
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the cell is dead and owned its value.
        unsafe {
            gc::untrack(this.cast());
            memory::xdecref((*this).ob_ref.get());
            memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.ob_ref.get())
    }
    #[slot]
    fn tp_clear(&self) {
        self.set(None);
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let text = match self.get() {
            None => format!("<cell at {:p}: empty>", self.as_ptr()),
            Some(value) => {
                format!(
                    "<cell at {:p}: {} object at {:p}>",
                    self.as_ptr(),
                    value.ty().full_name(),
                    value.as_raw()
                )
            }
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyCellObject>() else {
            return Ok(not_implemented().to_ref());
        };
        match (self.get(), other.get()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op),
            // An empty cell comes before any other.
            (a, b) => Ok(py_bool(op.holds(a.is_some().cmp(&b.is_some())))),
        }
    }
    /// What the cell holds; ValueError when it is empty.
    #[getter]
    fn cell_contents(&self) -> PyResult {
        self.get().ok_or_else(|| raise!(ValueError, "Cell is empty"))
    }
    #[setter]
    fn set_cell_contents(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.set(value.map(PyObject::to_ref));
        Ok(())
    }
}
