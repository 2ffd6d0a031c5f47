//! `_thread._local`: attributes that each thread has for itself.

use adder_runtime::prelude::*;
use adder_runtime::protocol::attributes::{attribute_name, generic_get_attr_opt, no_attribute};
use adder_runtime::thread::{ThreadState, thread_state};
use std::cell::{Cell, RefCell};

#[repr(C)]
pub struct Local {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    args: Ref<PyTupleObject>,
    kwargs: Option<Ref<PyDictObject>>,
    /// Each thread's dict, by the address of its state.
    dicts: RefCell<Vec<(usize, Ref<PyDictObject>)>>,
}

struct Live(RefCell<Vec<*const Local>>);
// SAFETY: used only under the GIL.
unsafe impl Sync for Live {}
/// All live instances, so that a thread's end drops its dicts.
static LIVE: Live = Live(RefCell::new(Vec::new()));

/// Drops what a thread that ends kept in all instances.
pub fn forget_thread(state: *const ThreadState) {
    let mut dropped = Vec::new();
    for local in LIVE.0.borrow().iter() {
        // SAFETY: instances leave the list before they are freed.
        let mut dicts = unsafe { (**local).dicts.borrow_mut() };
        while let Some(at) = dicts.iter().position(|(owner, _)| *owner == state as usize) {
            dropped.push(dicts.swap_remove(at));
        }
    }
    drop(dropped);
}

impl Drop for Local {
    fn drop(&mut self) {
        LIVE.0.borrow_mut().retain(|other| !std::ptr::eq(*other, self));
    }
}

#[pytype(
    name = "_thread._local",
    static_name = LOCAL_TYPE,
    flags = BASETYPE | HAVE_GC,
    weaklistoffset = std::mem::offset_of!(Local, weakreflist) as isize,
)]
/// Thread-local data.
impl Local {
    #[new(raw, "()")]
    fn py_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let has_kwargs = kwargs.is_some_and(|kwargs| kwargs.len() != 0);
        let own_init = cls.tp_init.get().map(|slot| slot as usize)
            != adder_runtime::PyBaseObject_Type.tp_init.get().map(|slot| slot as usize);
        if (args.len() != 0 || has_kwargs) && !own_init {
            return Err(raise!(TypeError, "Initialization arguments are not supported"));
        }
        let local = Local {
            ob_base: adder_runtime::memory::blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            args: args.to_ref(),
            kwargs: kwargs.map(|kwargs| kwargs.to_ref()),
            dicts: RefCell::new(vec![(thread_state() as *const ThreadState as usize, PyDictObject::new())]),
        };
        let local = Ref::new_in(cls, local)?;
        LIVE.0.borrow_mut().push(local.as_raw());
        Ok(local.into_object())
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let Ok(dicts) = self.dicts.try_borrow() else { return 0 };
        for (_, dict) in dicts.iter() {
            let status = visitor.visit(dict.as_raw());
            if status != 0 {
                return status;
            }
        }
        let status = visitor.visit(self.args.as_raw());
        if status != 0 { status } else { visitor.visit_ref(&self.kwargs) }
    }
    #[slot]
    fn tp_clear(&self) {
        let dropped = self.dicts.take();
        drop(dropped);
    }
    /// The calling thread's dict; the first access in a thread runs `__init__`.
    fn dict(&self) -> PyResult<Ref<PyDictObject>> {
        let key = thread_state() as *const ThreadState as usize;
        if let Some((_, dict)) = self.dicts.borrow().iter().find(|(owner, _)| *owner == key) {
            return Ok(dict.clone());
        }
        let dict = PyDictObject::new();
        self.dicts.borrow_mut().push((key, dict.clone()));
        let init = self.as_object().ty().tp_init.get();
        if init.map(|slot| slot as usize) != adder_runtime::PyBaseObject_Type.tp_init.get().map(|slot| slot as usize)
            && let Some(method) = self.as_object().lookup_special(identifier!("__init__"))?
            && let Err(raised) = method.call_tuple(&self.args, self.kwargs.as_deref())
        {
            self.dicts.borrow_mut().retain(|(owner, _)| *owner != key);
            return Err(raised);
        }
        Ok(dict)
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        let name = attribute_name(name)?;
        let dict = self.dict()?;
        if name.eq_str("__dict__") {
            return Ok(dict.into_object());
        }
        match generic_get_attr_opt(self.as_object(), name, Some(&dict))? {
            Some(value) => Ok(value),
            None => Err(no_attribute(self.as_object(), name)),
        }
    }
    #[slot]
    fn tp_setattro(&self, name: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        // Whatever says that it is this name counts.
        if name.compare_bool(identifier!("__dict__").as_object(), CompareOp::Eq)? {
            return Err(raise!(
                AttributeError,
                "'{}' object attribute '__dict__' is read-only",
                self.as_object().ty().full_name()
            ));
        }
        let name = attribute_name(name)?;
        let dict = self.dict()?;
        let descriptor = self.as_object().ty().lookup(name).map(PyObject::to_ref);
        if let Some(descriptor) = descriptor
            && descriptor.ty().tp_descr_set.get().is_some()
        {
            return adder_runtime::protocol::attributes::generic_set_attr(self.as_object(), name, value);
        }
        match value {
            Some(value) => dict.set(name.as_object(), value),
            None if dict.remove(name.as_object())? => Ok(()),
            None => Err(no_attribute(self.as_object(), name)),
        }
    }
}
