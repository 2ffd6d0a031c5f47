//! The iterator that awaiting a future makes: it gives the future itself once, and then its result.

use super::future::Future;
use adder_interp::genobject::{raise_stop_iteration, thrown_exception, warn_old_throw};
use adder_runtime::args::SendResult;
use adder_runtime::error;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;

#[repr(C)]
pub struct FutureIter {
    ob_base: PyObject,
    future: ObjectCell<Future>,
}

impl FutureIter {
    pub fn new(future: &Future) -> PyResult<Ref<FutureIter>> {
        Ref::new(FutureIter { ob_base: blank_header(), future: ObjectCell::new(Some(future.to_ref())) })
    }
    fn step(&self) -> PyResult<SendResult> {
        let Some(future) = self.future.get() else {
            return Ok(SendResult::Return(none_ref()));
        };
        if !future.is_done() {
            if future.blocking.replace(true) {
                return Err(raise!(RuntimeError, "await wasn't used with future"));
            }
            return Ok(SendResult::Next(future.into_object()));
        }
        self.future.set(None);
        future.result_or_raise().map(SendResult::Return)
    }
}

#[pytype(name = "_asyncio.FutureIter", static_name = FUTURE_ITER_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
impl FutureIter {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.future.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.future.set(None);
    }
    #[slot]
    fn tp_iter(&self) -> Ref<FutureIter> {
        self.to_ref()
    }
    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<Ref>> {
        match self.step()? {
            SendResult::Next(value) => Ok(Some(value)),
            SendResult::Return(value) if is_none(&value) => Ok(None),
            SendResult::Return(value) => Err(raise_stop_iteration(&value)),
        }
    }
    #[slot]
    fn am_send(&self, value: &PyObject) -> PyResult<SendResult> {
        let _ = value;
        self.step()
    }
    #[method("($self, object, /)")]
    fn send(&self, object: &PyObject) -> PyResult {
        let _ = object;
        match self.step()? {
            SendResult::Next(value) => Ok(value),
            SendResult::Return(value) => Err(raise_stop_iteration(&value)),
        }
    }
    #[method("~($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(&self, typ: &PyObject, val: Option<&PyObject>, tb: Option<&PyObject>) -> PyResult {
        warn_old_throw(val, tb, "future")?;
        let exception = thrown_exception(typ, val, tb)?;
        self.future.set(None);
        Err(error::restore(exception))
    }
    #[method("($self, /)")]
    fn close(&self) {
        self.future.set(None);
    }
}
