//! Exceptions with a few fields: StopIteration, SystemExit, KeyError, NameError, AttributeError, ImportError, MemoryError.

use super::base::{args_of, base, base_new, base_str, dict_of, init_args, no_keywords, reduce_with};
use super::layout::{self, alloc, load, peek, store};
use crate::args::boundary_obj;
use crate::memory::gc;
use crate::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

use super::base::_PyExc_BaseException;
use super::types::{_PyExc_Exception, _PyExc_LookupError};

/// The keyword-only arguments of an exception, each a field; all optional.
fn init_keywords(name: &str, fields: &[(&str, &ObjCell)], kwargs: Option<&PyDictObject>) -> PyResult<()> {
    let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
    let mut values: Vec<Option<Ref>> = fields.iter().map(|_| None).collect();
    if let Some(kwargs) = kwargs {
        if kwargs.len() > fields.len() {
            let (n, plural) = (fields.len(), if fields.len() == 1 { "" } else { "s" });
            return Err(raise!(
                TypeError,
                "{name}() takes at most {n} keyword argument{plural} ({} given)",
                kwargs.len()
            ));
        }
        let mut position = 0;
        while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
            let Some(key) = key.downcast::<PyUnicodeObject>() else {
                return Err(raise!(TypeError, "keywords must be strings"));
            };
            match fields.iter().position(|(field, _)| key.eq_str(field)) {
                Some(at) => values[at] = Some(value.to_ref()),
                None => {
                    let key = key.to_string_lossy();
                    let possible: Vec<&str> = fields.iter().map(|(field, _)| *field).collect();
                    return Err(crate::args::unexpected_keyword(name, &key, &possible));
                }
            }
        }
    }
    for ((_, cell), value) in fields.iter().zip(values) {
        store(cell, value);
    }
    Ok(())
}

/// Whether instances of exactly this class, made without keywords, have nothing but their arguments.
pub fn is_args_only(class: &PyTypeObject) -> bool {
    [
        &_PyExc_AttributeError,
        &_PyExc_NameError,
        super::exc::UnboundLocalError,
    ]
    .iter()
    .any(|known| std::ptr::eq(class, *known))
}

/// The end of an iteration; its value is what a generator returned.
#[pytype(
    name = "StopIteration",
    static_name = _PyExc_StopIteration,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [("value", _Py_T_OBJECT, offset_of!(PyStopIterationObject, value), 0, "what the generator returned")],
    slots = [
        tp_traverse = layout::traverse::<PyStopIterationObject>,
        tp_clear = layout::clear::<PyStopIterationObject>,
        tp_dealloc = layout::dealloc::<PyStopIterationObject>,
    ],
)]
impl PyStopIterationObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, kwargs)?;
        let value = args
            .as_slice()
            .first()
            .map_or_else(none_ref, |value| value.to_ref());
        store(&self.value, Some(value));
        Ok(())
    }
}

impl PyStopIterationObject {
    /// The value that the iteration returned.
    pub fn value_object(&self) -> Ref {
        layout::load_or_none(&self.value)
    }
}

/// Asks the interpreter to exit.
#[pytype(
    name = "SystemExit",
    static_name = _PyExc_SystemExit,
    export = false,
    base = _PyExc_BaseException,
    flags = BASETYPE | HAVE_GC,
    members = [("code", _Py_T_OBJECT, offset_of!(PySystemExitObject, code), 0, "the exit status or a message")],
    slots = [
        tp_traverse = layout::traverse::<PySystemExitObject>,
        tp_clear = layout::clear::<PySystemExitObject>,
        tp_dealloc = layout::dealloc::<PySystemExitObject>,
    ],
)]
impl PySystemExitObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, kwargs)?;
        match args.as_slice() {
            [] => {}
            [code] => store(&self.code, Some(code.to_ref())),
            _ => store(&self.code, Some(args.to_object())),
        }
        Ok(())
    }
}

impl PySystemExitObject {
    pub fn code_object(&self) -> Ref {
        layout::load_or_none(&self.code)
    }
}

/// The marker of KeyError, whose instances are plain exception structs.
#[repr(transparent)]
pub struct KeyError(PyBaseExceptionObject);

/// A mapping has no such key.
#[pytype(
    name = "KeyError",
    static_name = _PyExc_KeyError,
    export = false,
    typed = false,
    base = _PyExc_LookupError,
    flags = BASETYPE | HAVE_GC,
    slots = [
        tp_vectorcall = super::base::base_vectorcall,
        tp_traverse = layout::traverse::<PyBaseExceptionObject>,
        tp_clear = layout::clear::<PyBaseExceptionObject>,
        tp_dealloc = layout::dealloc::<PyBaseExceptionObject>,
    ],
)]
impl KeyError {
    /// A single key is shown by its repr, so that KeyError('') is not an empty message.
    #[slot]
    fn tp_str(this: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        match args_of(this).as_slice() {
            [key] => key.repr(),
            _ => base_str(this),
        }
    }
}

/// A name is not bound to a value.
#[pytype(
    name = "NameError",
    static_name = _PyExc_NameError,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [("name", _Py_T_OBJECT, offset_of!(PyNameErrorObject, name), 0, "the name")],
    slots = [
        tp_traverse = layout::traverse::<PyNameErrorObject>,
        tp_clear = layout::clear::<PyNameErrorObject>,
        tp_dealloc = layout::dealloc::<PyNameErrorObject>,
    ],
)]
impl PyNameErrorObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, None)?;
        init_keywords("NameError", &[("name", &self.name)], kwargs)
    }
}

impl PyNameErrorObject {
    pub fn name_object(&self) -> Option<Ref> {
        load(&self.name)
    }
    pub fn set_name_object(&self, name: Option<Ref>) {
        store(&self.name, name);
    }
}

/// An object has no such attribute.
#[pytype(
    name = "AttributeError",
    static_name = _PyExc_AttributeError,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("name", _Py_T_OBJECT, offset_of!(PyAttributeErrorObject, name), 0, "the attribute's name"),
        ("obj", _Py_T_OBJECT, offset_of!(PyAttributeErrorObject, obj), 0, "the object"),
    ],
    slots = [
        tp_traverse = layout::traverse::<PyAttributeErrorObject>,
        tp_clear = layout::clear::<PyAttributeErrorObject>,
        tp_dealloc = layout::dealloc::<PyAttributeErrorObject>,
    ],
)]
impl PyAttributeErrorObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, None)?;
        let fields = [("name", &self.name), ("obj", &self.obj)];
        init_keywords("AttributeError", &fields, kwargs)
    }
    /// The name and the arguments go into the state; the object may not be picklable and does not.
    #[method("($self, /)")]
    fn __getstate__(&self) -> PyResult {
        let state = match dict_of(self.as_object()) {
            Some(dict) => dict.copy()?,
            None => PyDictObject::new(),
        };
        if let Some(name) = load(&self.name) {
            state.set_str(identifier!("name"), &name)?;
        }
        if let Some(args) = load(&self.args) {
            state.set_str(identifier!("args"), &args)?;
        }
        Ok(state.into_object())
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let this = self.as_object();
        Ok(reduce_with(this, args_of(this), Some(self.__getstate__()?)))
    }
}

impl PyAttributeErrorObject {
    pub fn name_object(&self) -> Option<Ref> {
        load(&self.name)
    }
    pub fn obj_object(&self) -> Option<Ref> {
        load(&self.obj)
    }
}

/// A module, or a name in it, cannot be imported.
#[pytype(
    name = "ImportError",
    static_name = _PyExc_ImportError,
    export = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    members = [
        ("msg", _Py_T_OBJECT, offset_of!(PyImportErrorObject, msg), 0, "the message"),
        ("name", _Py_T_OBJECT, offset_of!(PyImportErrorObject, name), 0, "the module's name"),
        ("path", _Py_T_OBJECT, offset_of!(PyImportErrorObject, path), 0, "the module's path"),
        ("name_from", _Py_T_OBJECT, offset_of!(PyImportErrorObject, name_from), 0, "the name imported from the module"),
    ],
    slots = [
        tp_traverse = layout::traverse::<PyImportErrorObject>,
        tp_clear = layout::clear::<PyImportErrorObject>,
        tp_dealloc = layout::dealloc::<PyImportErrorObject>,
    ],
)]
impl PyImportErrorObject {
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        init_args(self.as_object(), args, None)?;
        let fields = [
            ("name", &self.name),
            ("path", &self.path),
            ("name_from", &self.name_from),
        ];
        init_keywords("ImportError", &fields, kwargs)?;
        let msg = match args.as_slice() {
            [msg] => Some(msg.to_ref()),
            _ => None,
        };
        store(&self.msg, msg);
        Ok(())
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        match peek(&self.msg).and_then(|msg| msg.downcast_exact::<PyUnicodeObject>()) {
            Some(msg) => Ok(msg.to_ref()),
            None => base_str(self.as_object()),
        }
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let this = self.as_object();
        let fields = [
            ("name", &self.name),
            ("path", &self.path),
            ("name_from", &self.name_from),
        ];
        let dict = dict_of(this);
        let state = if fields.iter().any(|(_, cell)| !cell.get().is_null()) {
            let state = match dict {
                Some(dict) => dict.copy()?,
                None => PyDictObject::new(),
            };
            for (name, cell) in fields {
                if let Some(value) = load(cell) {
                    state.set_str(&PyUnicodeObject::from_str(name), &value)?;
                }
            }
            Some(state)
        } else {
            dict
        };
        Ok(reduce_with(this, args_of(this), state.map(Ref::into_object)))
    }
}

impl PyImportErrorObject {
    pub fn name_object(&self) -> Option<Ref> {
        load(&self.name)
    }
    pub fn path_object(&self) -> Option<Ref> {
        load(&self.path)
    }
}

/// Raises ImportError (or a subclass, as `ModuleNotFoundError`) with its fields.
pub fn raise_import_error(
    ty: &PyTypeObject,
    message: &PyUnicodeObject,
    name: Option<&PyObject>,
    path: Option<&PyObject>,
    name_from: Option<&PyObject>,
) -> Raised {
    let exception = match ty.as_object().call1(message.as_object()) {
        Ok(exception) => exception,
        Err(raised) => return raised,
    };
    if let Some(error) = (*exception).downcast::<PyImportErrorObject>() {
        store(&error.name, name.map(PyObject::to_ref));
        store(&error.path, path.map(PyObject::to_ref));
        store(&error.name_from, name_from.map(PyObject::to_ref));
    }
    crate::error::raise_exception(exception)
}

// ---- MemoryError ----

/// MemoryErrors that wait to be raised when there is no memory to make one, linked through their `dict` fields.
struct Reserve {
    head: Cell<*mut PyObject>,
    n_items: Cell<usize>,
}

// SAFETY: used only under the GIL.
unsafe impl Sync for Reserve {}

const RESERVE_SIZE: usize = 16;
static RESERVE: Reserve = Reserve {
    head: Cell::new(std::ptr::null_mut()),
    n_items: Cell::new(0),
};

/// The marker of MemoryError, whose instances are plain exception structs.
#[repr(transparent)]
pub struct MemoryError(PyBaseExceptionObject);

/// There is no memory left.
#[pytype(
    name = "MemoryError",
    static_name = _PyExc_MemoryError,
    export = false,
    typed = false,
    base = _PyExc_Exception,
    flags = BASETYPE | HAVE_GC,
    slots = [
        tp_new = memory_error_new,
        tp_init = super::base::base_init,
        tp_traverse = layout::traverse::<PyBaseExceptionObject>,
        tp_clear = layout::clear::<PyBaseExceptionObject>,
        tp_dealloc = memory_error_dealloc,
    ],
)]
impl MemoryError {}

unsafe extern "C" fn memory_error_new(
    cls: *mut PyTypeObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    if !std::ptr::eq(cls, &_PyExc_MemoryError) || RESERVE.head.get().is_null() {
        // SAFETY: the same contract.
        return unsafe { base_new(cls, args, kwargs) };
    }
    boundary_obj(|| {
        let object = memory_error()?;
        // SAFETY: `tp_new`'s contract: a tuple.
        store(&base(&object).args, unsafe { Ref::from_borrowed_opt(args) });
        Ok(object)
    })
}

unsafe extern "C" fn memory_error_dealloc(object: *mut PyObject) {
    // SAFETY: `tp_dealloc`'s contract: a dead MemoryError; its memory becomes the reserve's.
    unsafe {
        if !std::ptr::eq((*object).ty(), &_PyExc_MemoryError) || RESERVE.n_items.get() >= RESERVE_SIZE {
            return layout::dealloc::<PyBaseExceptionObject>(object);
        }
        gc::untrack(object);
        layout::clear::<PyBaseExceptionObject>(object);
        let fields = &*object.cast::<PyBaseExceptionObject>();
        fields.dict.set(RESERVE.head.get());
        RESERVE.head.set(object);
        RESERVE.n_items.set(RESERVE.n_items.get() + 1);
    }
}

/// A MemoryError without arguments, from the reserve if there is one.
pub fn memory_error() -> PyResult {
    let object = RESERVE.head.get();
    if object.is_null() {
        let object = alloc(&_PyExc_MemoryError)?;
        store(&base(&object).args, Some(PyTupleObject::empty().into_object()));
        return Ok(object);
    }
    // SAFETY: the reserve's objects are whole but for their count and their `dict`, which links them.
    unsafe {
        let fields = &*object.cast::<PyBaseExceptionObject>();
        RESERVE.head.set(fields.dict.replace(std::ptr::null_mut()));
        RESERVE.n_items.set(RESERVE.n_items.get() - 1);
        (*object).ob_refcnt.set(1);
        fields.suppress_context.set(0);
        fields.args.set(PyTupleObject::empty().into_object_raw());
        gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

/// Fills the reserve.
pub fn fill_reserve() -> PyResult<()> {
    let made: Vec<Ref> = (0..RESERVE_SIZE)
        .map(|_| alloc(&_PyExc_MemoryError))
        .collect::<PyResult<_>>()?;
    drop(made);
    Ok(())
}

/// Refuses keywords in a type's own `__new__`.
pub fn refuse_keywords(cls: &PyTypeObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        Err(no_keywords(cls))
    } else {
        Ok(())
    }
}
