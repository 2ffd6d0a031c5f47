//! Bound methods, and `instancemethod`, which binds any callable found on a class.

use super::freelist::FreeList;
use crate::exceptions::layout::store;
use crate::memory::{Visitor, gc};
use crate::prelude::*;
use crate::protocol::attributes::attribute_name;
use crate::protocol::call::vectorcall;
use crate::protocol::from_slot;
use crate::types::heap::free_instance;
use std::mem::offset_of;

/// Dead methods' memory, for the next ones.
pub static FREE_METHODS: FreeList = FreeList::new(20);

/// Calls of up to this many arguments copy them to the native stack.
const SMALL_CALL: usize = 8;

/// A method bound to `object`: `PyMethod_New`.
pub fn new_method(function: &PyObject, object: &PyObject) -> PyResult {
    // SAFETY: a new reference or null.
    unsafe { Ref::from_owned_opt(bind_function(function, object)) }.ok_or_else(Raised::assume)
}

/// As `new_method`, as C sees it: null when memory is out.
#[inline]
pub fn bind_function(function: &PyObject, object: &PyObject) -> *mut PyObject {
    let memory = FREE_METHODS.pop();
    if memory.is_null() {
        return bind_in_new_memory(function, object);
    }
    // SAFETY: memory of a method.
    unsafe { finish_method(memory, function, object) }
}

#[inline(never)]
fn bind_in_new_memory(function: &PyObject, object: &PyObject) -> *mut PyObject {
    // SAFETY: the size is the type's.
    match unsafe { crate::memory::alloc_object(&PyMethod_Type, size_of::<PyMethodObject>()) } {
        // SAFETY: memory for a method.
        Ok(memory) => unsafe { finish_method(memory, function, object) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// # Safety
/// Memory for a method, which is not tracked.
#[inline(always)]
unsafe fn finish_method(memory: *mut PyObject, function: &PyObject, object: &PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract; all fields are set before anybody else sees it.
    unsafe {
        crate::memory::init_static(memory, &PyMethod_Type);
        let method = &*memory.cast::<PyMethodObject>();
        method.im_weakreflist.set(std::ptr::null_mut());
        method.im_func.set(function.to_ref().into_raw());
        method.im_self.set(object.to_ref().into_raw());
        method.vectorcall.set(Some(method_vectorcall));
        gc::track(memory);
        memory
    }
}

impl PyMethodObject {
    /// `__func__`.
    #[inline]
    pub fn function(&self) -> &PyObject {
        // SAFETY: set at creation, kept until the method dies.
        unsafe { &*self.im_func.get() }
    }
    /// `__self__`.
    #[inline]
    pub fn instance(&self) -> &PyObject {
        // SAFETY: set at creation, kept until the method dies.
        unsafe { &*self.im_self.get() }
    }
}

/// Puts `__self__` before the arguments; in place when the caller left room for it.
unsafe extern "C" fn method_vectorcall(
    method: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: vectorcall's contract for a method; the slot before the arguments is restored before returning, and the
    // method keeps function and object alive.
    unsafe {
        let method = &*method.cast::<PyMethodObject>();
        let (function, instance) = (method.im_func.get(), method.im_self.get());
        let nargs = PyVectorcall_NARGS(nargsf);
        let call = |args: *const *mut PyObject| match vectorcall(&*function, args, nargs + 1, kwnames) {
            Ok(result) => result.into_raw(),
            Err(_) => std::ptr::null_mut(),
        };
        if nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET != 0 {
            let first = args.cast_mut().sub(1);
            let saved = first.replace(instance);
            let result = call(first);
            first.write(saved);
            return result;
        }
        let n_keywords = kwnames
            .cast::<PyTupleObject>()
            .as_ref()
            .map_or(0, |names| names.len());
        let total = nargs + n_keywords;
        if total < SMALL_CALL {
            let mut buffer = [std::ptr::null_mut(); SMALL_CALL];
            buffer[0] = instance;
            if total != 0 {
                std::ptr::copy_nonoverlapping(args, buffer.as_mut_ptr().add(1), total);
            }
            return call(buffer.as_ptr());
        }
        let mut buffer = Vec::with_capacity(total + 1);
        buffer.push(instance);
        buffer.extend_from_slice(std::slice::from_raw_parts(args, total));
        call(buffer.as_ptr())
    }
}

/// The attribute `name` of the type, bound, or else that of the function.
fn delegated_attribute(object: &PyObject, function: &PyObject, name: &PyUnicodeObject) -> PyResult {
    let ty = object.ty();
    let Some(found) = ty.lookup(name) else {
        return function.get_attr(name);
    };
    let found = found.to_ref();
    match found.ty().tp_descr_get.get() {
        // SAFETY: the descriptor's own slot.
        Some(get) => unsafe { from_slot(get(found.as_raw(), object.as_ptr(), ty.as_ptr()), "__get__") },
        None => Ok(found),
    }
}

/// The function's qualified name for a repr, or a question mark.
fn shown_name(function: &PyObject) -> PyResult<String> {
    for name in [identifier!("__qualname__"), identifier!("__name__")] {
        if let Some(found) = function.get_attr_opt(name)? {
            return Ok((*found)
                .downcast::<PyUnicodeObject>()
                .map_or("?".to_owned(), |name| name.to_string_lossy()));
        }
    }
    Ok("?".to_owned())
}

fn hash_pointer(object: &PyObject) -> Py_hash_t {
    (object.as_ptr() as usize).rotate_right(4) as Py_hash_t
}

/// A function bound to an object.
#[pytype(
    name = "method",
    static_name = PyMethod_Type,
    flags = HAVE_GC | HAVE_VECTORCALL,
    vectorcall_offset = offset_of!(PyMethodObject, vectorcall),
    weaklistoffset = offset_of!(PyMethodObject, im_weakreflist),
    members = [
        ("__func__", _Py_T_OBJECT, offset_of!(PyMethodObject, im_func), Py_READONLY, "the function"),
        ("__self__", _Py_T_OBJECT, offset_of!(PyMethodObject, im_self), Py_READONLY, "the object it is bound to"),
    ],
    slots = [tp_dealloc = method_dealloc],
)]
impl PyMethodObject {
    #[new("(function, instance, /)")]
    fn new(_cls: &PyTypeObject, function: &PyObject, instance: &PyObject) -> PyResult {
        if !function.is_callable() {
            return Err(raise!(TypeError, "first argument must be callable"));
        }
        if is_none(instance) {
            return Err(raise!(TypeError, "instance must not be None"));
        }
        new_method(function, instance)
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        self.as_object().call_tuple(args, kwargs)
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        delegated_attribute(self.as_object(), self.function(), attribute_name(name)?)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let mut out = PyUnicodeObject::writer(40);
        out.push_str("<bound method ");
        out.push_str(&shown_name(self.function())?);
        out.push_str(" of ");
        out.push_object(&*self.instance().repr()?);
        out.push_str(">");
        out.finish()
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(hash_pointer(self.instance()) ^ self.function().hash()?)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let (true, Some(other)) = (
            matches!(op, CompareOp::Eq | CompareOp::Ne),
            other.downcast::<PyMethodObject>(),
        ) else {
            return Ok(not_implemented().to_ref());
        };
        let equal = self.function().eq(other.function())? && self.instance().is(other.instance());
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    /// A bound method stays bound to what it is.
    #[slot]
    fn tp_descr_get(&self, _object: Option<&PyObject>, _owner: Option<&PyObject>) -> Ref {
        self.to_object()
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match visitor.visit(self.im_func.get()) {
            0 => visitor.visit(self.im_self.get()),
            status => status,
        }
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let getattr = crate::module::builtin("getattr")?;
        let name = self.function().get_attr(identifier!("__name__"))?;
        let args = PyTupleObject::from_vec(vec![self.instance().to_ref(), name]);
        Ok(PyTupleObject::from_vec(vec![getattr, args.into_object()]).into_object())
    }
    #[getter(name = "__doc__")]
    fn doc(&self) -> PyResult {
        self.function().get_attr(identifier!("__doc__"))
    }
}

unsafe extern "C" fn method_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead method; what it owned is given back once.
    unsafe {
        gc::untrack(object);
        let method = &*object.cast::<PyMethodObject>();
        if !method.im_weakreflist.get().is_null() {
            crate::objects::weakrefobject::clear_weakrefs(&*object);
        }
        let (function, instance) = (
            method.im_func.replace(std::ptr::null_mut()),
            method.im_self.replace(std::ptr::null_mut()),
        );
        crate::memory::xdecref(function);
        crate::memory::xdecref(instance);
        if !FREE_METHODS.push(object) {
            crate::memory::free_object_of(object, &PyMethod_Type);
        }
    }
}

/// A callable that becomes a bound method when it is found on a class, which built-in functions do not.
#[pytype(
    name = "instancemethod",
    static_name = PyInstanceMethod_Type,
    flags = HAVE_GC,
    members = [(
        "__func__", _Py_T_OBJECT, offset_of!(PyInstanceMethodObject, func), Py_READONLY, "the callable"
    )],
    slots = [tp_dealloc = instancemethod_dealloc],
)]
impl PyInstanceMethodObject {
    #[new("(func, /)")]
    fn new(_cls: &PyTypeObject, func: &PyObject) -> PyResult {
        if !func.is_callable() {
            return Err(raise!(TypeError, "first argument must be callable"));
        }
        new_instance_method(func)
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        self.callable().call_tuple(args, kwargs)
    }
    #[slot]
    fn tp_getattro(&self, name: &PyObject) -> PyResult {
        delegated_attribute(self.as_object(), self.callable(), attribute_name(name)?)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let name = match self.callable().get_attr_opt(identifier!("__name__"))? {
            Some(name) => (*name)
                .downcast::<PyUnicodeObject>()
                .map_or("?".to_owned(), |name| name.to_string_lossy()),
            None => "?".to_owned(),
        };
        Ok(format!(
            "<instancemethod {name} at {:p}>",
            self.as_object().as_ptr()
        ))
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let (true, Some(other)) = (
            matches!(op, CompareOp::Eq | CompareOp::Ne),
            other.downcast::<PyInstanceMethodObject>(),
        ) else {
            return Ok(not_implemented().to_ref());
        };
        let equal = self.callable().eq(other.callable())?;
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        Ok(hash_pointer(self.as_object()))
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
        match object {
            None => Ok(self.callable().to_ref()),
            Some(object) => new_method(self.callable(), object),
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.func.get())
    }
    #[getter(name = "__doc__")]
    fn doc(&self) -> PyResult {
        self.callable().get_attr(identifier!("__doc__"))
    }
}

impl PyInstanceMethodObject {
    fn callable(&self) -> &PyObject {
        // SAFETY: set at creation, kept until the object dies.
        unsafe { &*self.func.get() }
    }
}

/// `PyInstanceMethod_New`.
pub fn new_instance_method(function: &PyObject) -> PyResult {
    let object = crate::types::heap::allocate_instance(&PyInstanceMethod_Type, 0)?;
    // SAFETY: an instance of this type.
    let fields = unsafe { object.cast_unchecked::<PyInstanceMethodObject>() };
    store(&fields.func, Some(function.to_ref()));
    Ok(object)
}

unsafe extern "C" fn instancemethod_dealloc(object: *mut PyObject) {
    // SAFETY: the slot's contract: a dead object of this layout.
    unsafe {
        gc::untrack(object);
        store(&(*object.cast::<PyInstanceMethodObject>()).func, None);
        free_instance(object);
    }
}
