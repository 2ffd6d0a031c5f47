//! `BaseException`: arguments, traceback, cause and context, notes; the construction that simple exceptions share.

use super::layout::{self, alloc, load, load_or_none, peek, store};
use crate::args::{boundary_obj, boundary_status};
use crate::prelude::*;
use std::mem::offset_of;

/// # Safety
/// `tp_new`'s contract: a type below BaseException, a tuple, a dict or NULL.
pub unsafe extern "C" fn base_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    _kwargs: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: the caller's contract; a null `args` comes from C code only.
        let (cls, args) = unsafe { (&*cls, Ref::from_borrowed_opt(args)) };
        let object = alloc(cls)?;
        let args = args.unwrap_or_else(|| PyTupleObject::empty().into_object());
        store(&base(&object).args, Some(args));
        Ok(object)
    })
}

/// # Safety
/// `tp_init`'s contract: an exception, a tuple, a dict or NULL.
pub unsafe extern "C" fn base_init(this: *mut PyObject, args: *mut PyObject, kwargs: *mut PyObject) -> c_int {
    boundary_status(|| {
        // SAFETY: the caller's contract.
        let (this, args, kwargs) = unsafe {
            (
                &*this,
                &*args.cast::<PyTupleObject>(),
                kwargs.cast::<PyDictObject>().as_ref(),
            )
        };
        init_args(this, args, kwargs)
    })
}

/// # Safety
/// `tp_vectorcall`'s contract: a simple exception type and its arguments.
pub unsafe extern "C" fn base_vectorcall(
    cls: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    boundary_obj(|| {
        // SAFETY: the caller's contract.
        let (cls, args, kwnames) = unsafe {
            (
                &*cls.cast::<PyTypeObject>(),
                crate::args::vector_slice(args, nargsf),
                kwnames.cast::<PyTupleObject>().as_ref(),
            )
        };
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(no_keywords(cls));
        }
        instantiate_simple(cls, PyTupleObject::from_slice(args))
    })
}

/// An instance of an exception type that adds nothing to BaseException.
pub fn instantiate_simple(cls: &PyTypeObject, args: Ref<PyTupleObject>) -> PyResult {
    let object = alloc(cls)?;
    store(&base(&object).args, Some(args.into_object()));
    Ok(object)
}

/// Whether instances of `cls` are made by `instantiate_simple`.
#[inline]
pub fn is_simple(cls: &PyTypeObject) -> bool {
    cls.tp_vectorcall
        .get()
        .is_some_and(|slot| slot as usize == base_vectorcall as *const () as usize)
}

#[cold]
pub fn no_keywords(cls: &PyTypeObject) -> Raised {
    raise!(TypeError, "{}() takes no keyword arguments", cls.full_name())
}

/// Refuses keywords, sets `args`: what every exception's `__init__` begins with.
pub fn init_args(this: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(no_keywords(this.ty()));
    }
    store(&base(this).args, Some(args.to_object()));
    Ok(())
}

/// An exception's common fields.
///
/// The object must be an exception.
#[inline]
pub fn base(exception: &PyObject) -> &PyBaseExceptionObject {
    debug_assert!(exception.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS));
    // SAFETY: every exception begins with these fields.
    unsafe { exception.cast_unchecked() }
}

/// The arguments tuple (empty when it was never set).
pub fn args_of(exception: &PyObject) -> Ref<PyTupleObject> {
    load(&base(exception).args)
        .and_then(|args| args.downcast::<PyTupleObject>().ok())
        .unwrap_or_else(PyTupleObject::empty)
}

/// `BaseException.__str__`.
pub fn base_str(exception: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
    let args = args_of(exception);
    match args.as_slice() {
        [] => Ok(PyUnicodeObject::empty()),
        [only] => only.str(),
        _ => args.as_object().str(),
    }
}

/// The instance's `__dict__` if it has been made.
pub fn dict_of(exception: &PyObject) -> Option<Ref<PyDictObject>> {
    load(&base(exception).dict).and_then(|dict| dict.downcast::<PyDictObject>().ok())
}

/// `type(e), e.args[, state]`.
pub fn reduce_with(exception: &PyObject, args: Ref<PyTupleObject>, state: Option<Ref>) -> Ref<PyTupleObject> {
    let mut items = vec![exception.ty().as_object().to_ref(), args.into_object()];
    items.extend(state);
    PyTupleObject::from_vec(items)
}

fn is_traceback(object: &PyObject) -> bool {
    let ty = object.ty();
    !ty.is_heap_type() && ty.full_name() == "traceback"
}

/// `exception.__traceback__ = value`, checked.
pub fn assign_traceback(exception: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        None => Err(raise!(TypeError, "__traceback__ may not be deleted")),
        Some(value) if is_none(value) => {
            store(&base(exception).traceback, None);
            Ok(())
        }
        Some(value) if is_traceback(value) => {
            store(&base(exception).traceback, Some(value.to_ref()));
            Ok(())
        }
        Some(_) => Err(raise!(TypeError, "__traceback__ must be a traceback or None")),
    }
}

/// The value for `__cause__` or `__context__`.
fn chained(value: Option<&PyObject>, name: &str, what: &str) -> PyResult<Option<Ref>> {
    match value {
        None => Err(raise!(TypeError, "{name} may not be deleted")),
        Some(value) if is_none(value) => Ok(None),
        Some(value) if value.type_has(Py_TPFLAGS_BASE_EXC_SUBCLASS) => Ok(Some(value.to_ref())),
        Some(_) => Err(raise!(
            TypeError,
            "exception {what} must be None or derive from BaseException"
        )),
    }
}

/// The class from which all exceptions derive.
#[pytype(
    name = "BaseException",
    static_name = _PyExc_BaseException,
    export = false,
    flags = BASETYPE | HAVE_GC | BASE_EXC_SUBCLASS,
    dictoffset = offset_of!(PyBaseExceptionObject, dict),
    members = [(
        "__suppress_context__", Py_T_BOOL, offset_of!(PyBaseExceptionObject, suppress_context), 0
    )],
    slots = [
        tp_new = base_new,
        tp_init = base_init,
        tp_vectorcall = base_vectorcall,
        tp_traverse = layout::traverse::<PyBaseExceptionObject>,
        tp_clear = layout::clear::<PyBaseExceptionObject>,
        tp_dealloc = layout::dealloc::<PyBaseExceptionObject>,
    ],
)]
impl PyBaseExceptionObject {
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let this = self.as_object();
        let args = args_of(this);
        let mut out = PyUnicodeObject::writer(32);
        out.push_str(&this.ty().short_name());
        match args.as_slice() {
            [only] => {
                out.push_str("(");
                out.push_object(&*only.repr()?);
                out.push_str(")");
            }
            _ => out.push_object(&*args.as_object().repr()?),
        }
        out.finish()
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        base_str(self.as_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> Ref<PyTupleObject> {
        let this = self.as_object();
        reduce_with(this, args_of(this), dict_of(this).map(Ref::into_object))
    }
    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &PyObject) -> PyResult<()> {
        if is_none(state) {
            return Ok(());
        }
        let Some(state) = state.downcast::<PyDictObject>() else {
            return Err(raise!(TypeError, "state is not a dictionary"));
        };
        let mut position = 0;
        while let Some((name, value, _)) = state.next_entry(&mut position) {
            let (name, value) = (name.to_ref(), value.to_ref());
            self.as_object()
                .set_attr(crate::protocol::attributes::attribute_name(&name)?, &value)?;
        }
        Ok(())
    }
    /// Sets __traceback__ and returns the exception.
    #[method("($self, tb, /)")]
    fn with_traceback(&self, tb: &PyObject) -> PyResult {
        assign_traceback(self.as_object(), Some(tb))?;
        Ok(self.to_object())
    }
    /// Appends a text to __notes__, which tracebacks show below the message.
    #[method("($self, note, /)", name = "add_note")]
    fn add_note_method(&self, note: &PyUnicodeObject) -> PyResult<()> {
        super::add_note_object(self.as_object(), note)
    }

    #[getter]
    fn args(&self) -> Ref {
        load_or_none(&self.args)
    }
    #[setter]
    fn set_args(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(TypeError, "args may not be deleted"));
        };
        let args = value.to_tuple()?;
        store(&self.args, Some(args.into_object()));
        Ok(())
    }
    #[getter(name = "__traceback__")]
    fn traceback(&self) -> Ref {
        load_or_none(&self.traceback)
    }
    #[setter(name = "__traceback__")]
    fn set_traceback(&self, value: Option<&PyObject>) -> PyResult<()> {
        assign_traceback(self.as_object(), value)
    }
    #[getter(name = "__context__")]
    fn context(&self) -> Ref {
        load_or_none(&self.context)
    }
    #[setter(name = "__context__")]
    fn set_context(&self, value: Option<&PyObject>) -> PyResult<()> {
        let context = chained(value, "__context__", "context")?;
        store(&self.context, context);
        Ok(())
    }
    #[getter(name = "__cause__")]
    fn cause(&self) -> Ref {
        load_or_none(&self.cause)
    }
    #[setter(name = "__cause__")]
    fn set_cause(&self, value: Option<&PyObject>) -> PyResult<()> {
        let cause = chained(value, "__cause__", "cause")?;
        super::set_cause(self.as_object(), cause);
        Ok(())
    }
    #[getter(name = "__dict__")]
    fn dict(&self) -> Ref {
        if peek(&self.dict).is_none() {
            store(&self.dict, Some(PyDictObject::new().into_object()));
        }
        load_or_none(&self.dict)
    }
    #[setter(name = "__dict__")]
    fn set_dict(&self, value: Option<&PyObject>) -> PyResult<()> {
        let dict = crate::objects::dictobject::instance::new_dict_of(value)?;
        store(&self.dict, Some(dict.to_object()));
        Ok(())
    }
}
