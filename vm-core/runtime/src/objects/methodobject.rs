//! `builtin_function_or_method`: C functions as objects, each calling convention with a vectorcall of its own.

use crate::memory::Visitor;
use crate::prelude::*;
use crate::protocol::call::slice_of;
use crate::types::heap::weaklist_slot;
use std::mem::{offset_of, transmute};

/// Splits a docstring `name(signature)\n--\n\ndoc` into the signature, with its parentheses, and the rest.
pub fn split_doc<'a>(name: &str, full: &'a str) -> (Option<&'a str>, &'a str) {
    let short = name.rsplit('.').next().unwrap_or(name);
    if let Some(rest) = full.strip_prefix(short)
        && rest.starts_with('(')
        && let Some(end) = rest.find(")\n--\n\n")
    {
        return (Some(&rest[..=end]), &rest[end + 6..]);
    }
    (None, full)
}

fn c_text(text: *const c_char) -> Option<std::borrow::Cow<'static, str>> {
    // SAFETY: texts of method definitions are C strings that live as long as the definition.
    (!text.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy())
}

impl PyMethodDef {
    pub fn name_text(&self) -> String {
        c_text(self.ml_name.get()).map_or_else(String::new, |name| name.into_owned())
    }
    /// The docstring without the signature, as an object.
    pub fn doc_object(&self) -> Ref {
        match c_text(self.ml_doc.get()) {
            Some(full) => match split_doc(&self.name_text(), &full) {
                (_, "") => none_ref(),
                (_, doc) => PyUnicodeObject::from_str(doc).into_object(),
            },
            None => none_ref(),
        }
    }
    pub fn text_signature_object(&self) -> Ref {
        let full = c_text(self.ml_doc.get());
        let signature = full
            .as_deref()
            .and_then(|full| split_doc(&self.name_text(), full).0);
        let signature = signature.or_else(|| self.signature_of_flags());
        signature.map_or_else(none_ref, |signature| {
            PyUnicodeObject::from_str(signature).into_object()
        })
    }

    /// The signature that follows from how the function is called.
    fn signature_of_flags(&self) -> Option<&'static str> {
        let flags = self.ml_flags.get() & !METH_COEXIST;
        let takes = |base: c_int| match flags & !base {
            0 => Some(0),
            METH_CLASS => Some(1),
            METH_STATIC => Some(2),
            _ => None,
        };
        if flags & METH_NOARGS != 0 {
            takes(METH_NOARGS).map(|kind| ["($self, /)", "($type, /)", "()"][kind])
        } else if flags & METH_O != 0 {
            takes(METH_O).map(|kind| ["($self, object, /)", "($type, object, /)", "(object, /)"][kind])
        } else {
            None
        }
    }
}

/// A new function object. `class` is for METH_METHOD definitions.
pub fn new_function(def: &PyMethodDef, object: Option<&PyObject>, module: Option<&PyObject>) -> PyResult {
    new_method(def, object, module, None)
}

/// As `new_function`, with the class that METH_METHOD functions are passed.
pub fn new_method(
    def: &PyMethodDef,
    object: Option<&PyObject>,
    module: Option<&PyObject>,
    class: Option<&PyTypeObject>,
) -> PyResult {
    let flags = def.ml_flags.get();
    let vectorcall = vectorcall_for(flags)
        .ok_or_else(|| raise!(SystemError, "{}() method: bad call flags", def.name_text()))?;
    let ty = if flags & METH_METHOD != 0 {
        &PyCMethod_Type
    } else {
        &PyCFunction_Type
    };
    if (flags & METH_METHOD != 0) != class.is_some() {
        return Err(raise!(
            SystemError,
            "attempting to create PyCMethod with a METH_METHOD flag but no class"
        ));
    }
    let object = object.map_or(std::ptr::null_mut(), |object| object.to_ref().into_raw());
    // SAFETY: fresh memory for the type's struct; every field is set.
    unsafe {
        let function = crate::memory::alloc_object(ty, ty.tp_basicsize.get() as usize)?;
        let fields = &*function.cast::<PyCFunctionObject>();
        fields.m_ml.set((def as *const PyMethodDef).cast_mut());
        fields.m_self.set(object);
        fields
            .m_module
            .set(module.map_or(std::ptr::null_mut(), |module| module.to_ref().into_raw()));
        fields.vectorcall.set(vectorcall);
        if let Some(class) = class {
            class.as_object().incref();
            (*function.cast::<PyCMethodObject>())
                .mm_class
                .set((class as *const PyTypeObject).cast_mut());
        }
        crate::memory::gc::track(function);
        Ok(Ref::from_owned(function))
    }
}

/// The vectorcall for a convention; `Some(None)` for those that take a tuple; `None` for a bad combination.
fn vectorcall_for(flags: c_int) -> Option<Option<vectorcallfunc>> {
    let convention =
        flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD);
    Some(match convention {
        METH_VARARGS => None,
        c if c == METH_VARARGS | METH_KEYWORDS => None,
        METH_FASTCALL => Some(vectorcall_fastcall as vectorcallfunc),
        c if c == METH_FASTCALL | METH_KEYWORDS => Some(vectorcall_fastcall_keywords as vectorcallfunc),
        METH_NOARGS => Some(vectorcall_noargs as vectorcallfunc),
        METH_O => Some(vectorcall_o as vectorcallfunc),
        c if c == METH_METHOD | METH_FASTCALL | METH_KEYWORDS => Some(vectorcall_method as vectorcallfunc),
        _ => return None,
    })
}

#[inline(always)]
unsafe fn parts<'a>(function: *mut PyObject) -> (&'a PyCFunctionObject, &'a PyMethodDef) {
    // SAFETY: called on function objects only; the definition outlives the object.
    unsafe {
        let function = &*function.cast::<PyCFunctionObject>();
        (function, &*function.m_ml.get())
    }
}

#[cold]
#[inline(never)]
extern "C" fn no_keywords(function: *mut PyObject) -> *mut PyObject {
    // SAFETY: the function being called.
    let name = full_name(unsafe { &*function });
    let _ = raise!(TypeError, "{name}() takes no keyword arguments");
    std::ptr::null_mut()
}

#[cold]
#[inline(never)]
extern "C" fn wrong_count(function: *mut PyObject, expected: usize, given: usize) -> *mut PyObject {
    let expected = ["no arguments", "exactly one argument"][expected];
    // SAFETY: the function being called.
    let name = full_name(unsafe { &*function });
    let _ = raise!(TypeError, "{name}() takes {expected} ({given} given)");
    std::ptr::null_mut()
}

/// The name in messages: the qualified name, with the module in front unless it is `builtins`.
pub fn full_name(function: &PyObject) -> String {
    let qualname = match function.get_attr_opt(identifier!("__qualname__")) {
        Ok(Some(name)) => name.str().map(|name| name.to_string_lossy()),
        Ok(None) => function.str().map(|name| name.to_string_lossy()),
        Err(raised) => Err(raised),
    };
    let Ok(qualname) = qualname else {
        crate::error::clear();
        return "?".to_string();
    };
    match function.get_attr_opt(identifier!("__module__")) {
        Ok(Some(module)) if !is_none(&module) => match module.downcast::<PyUnicodeObject>() {
            Ok(module) if !module.eq_str("builtins") => format!("{}.{qualname}", module.to_string_lossy()),
            _ => qualname,
        },
        Ok(_) => qualname,
        Err(raised) => {
            raised.clear();
            qualname
        }
    }
}

#[inline(always)]
unsafe fn has_keywords(kwnames: *mut PyObject) -> bool {
    // SAFETY: a tuple or null.
    !kwnames.is_null() && unsafe { (*kwnames.cast::<PyVarObject>()).ob_size.get() } != 0
}

/// What the C function gets as its first argument: nothing for METH_STATIC, whose object only names the class.
#[inline(always)]
fn receiver(fields: &PyCFunctionObject, def: &PyMethodDef) -> *mut PyObject {
    if def.ml_flags.get() & METH_STATIC != 0 {
        std::ptr::null_mut()
    } else {
        fields.m_self.get()
    }
}

unsafe extern "C" fn vectorcall_noargs(
    function: *mut PyObject,
    _args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the definition says METH_NOARGS.
    unsafe {
        if has_keywords(kwnames) {
            return no_keywords(function);
        }
        if PyVectorcall_NARGS(nargsf) != 0 {
            return wrong_count(function, 0, PyVectorcall_NARGS(nargsf));
        }
        let (fields, def) = parts(function);
        def.ml_meth.get().unwrap_unchecked()(receiver(fields, def), std::ptr::null_mut())
    }
}

/// A call without arguments of a METH_NOARGS function, by its C function; `None` for other callables.
///
/// # Safety
/// `vectorcall` is the vectorcall function of `callable`.
#[inline(always)]
pub unsafe fn call_noargs(callable: *mut PyObject, vectorcall: vectorcallfunc) -> Option<*mut PyObject> {
    if vectorcall as usize != vectorcall_noargs as *const () as usize {
        return None;
    }
    // SAFETY: its vectorcall function says what the object is.
    unsafe {
        let (fields, def) = parts(callable);
        Some(def.ml_meth.get().unwrap_unchecked()(
            receiver(fields, def),
            std::ptr::null_mut(),
        ))
    }
}

unsafe extern "C" fn vectorcall_o(
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the definition says METH_O.
    unsafe {
        if has_keywords(kwnames) {
            return no_keywords(function);
        }
        if PyVectorcall_NARGS(nargsf) != 1 {
            return wrong_count(function, 1, PyVectorcall_NARGS(nargsf));
        }
        let (fields, def) = parts(function);
        def.ml_meth.get().unwrap_unchecked()(receiver(fields, def), *args)
    }
}

unsafe extern "C" fn vectorcall_fastcall(
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the definition says METH_FASTCALL.
    unsafe {
        if has_keywords(kwnames) {
            return no_keywords(function);
        }
        let (fields, def) = parts(function);
        let native: PyCFunctionFast = transmute(def.ml_meth.get().unwrap_unchecked());
        native(receiver(fields, def), args, PyVectorcall_NARGS(nargsf) as isize)
    }
}

unsafe extern "C" fn vectorcall_fastcall_keywords(
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the definition says METH_FASTCALL | METH_KEYWORDS.
    unsafe {
        let (fields, def) = parts(function);
        let native: PyCFunctionFastWithKeywords = transmute(def.ml_meth.get().unwrap_unchecked());
        native(
            receiver(fields, def),
            args,
            PyVectorcall_NARGS(nargsf) as isize,
            kwnames,
        )
    }
}

unsafe extern "C" fn vectorcall_method(
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the definition says METH_METHOD, so the object has the longer layout.
    unsafe {
        let (fields, def) = parts(function);
        let class = (*function.cast::<PyCMethodObject>()).mm_class.get();
        let native: PyCMethod = transmute(def.ml_meth.get().unwrap_unchecked());
        native(
            receiver(fields, def),
            class,
            args,
            PyVectorcall_NARGS(nargsf) as isize,
            kwnames,
        )
    }
}

#[pytype(
    name = "builtin_function_or_method",
    static_name = PyCFunction_Type,
    flags = HAVE_GC | HAVE_VECTORCALL | DISALLOW_INSTANTIATION,
    vectorcall_offset = offset_of!(PyCFunctionObject, vectorcall) as isize,
    weaklistoffset = offset_of!(PyCFunctionObject, m_weakreflist) as isize,
    members = [("__module__", _Py_T_OBJECT, offset_of!(PyCFunctionObject, m_module), 0)],
)]
/// A function or method written in native code.
impl PyCFunctionObject {
    /// The definition.
    #[inline]
    pub fn def(&self) -> &PyMethodDef {
        // SAFETY: the definition outlives the object.
        unsafe { &*self.m_ml.get() }
    }
    /// What the function is passed first; static methods have none.
    pub fn self_object(&self) -> Option<&PyObject> {
        if self.def().ml_flags.get() & METH_STATIC != 0 {
            return None;
        }
        // SAFETY: owned by this object.
        unsafe { self.m_self.get().as_ref() }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyCFunctionObject) {
        // SAFETY: the object is dead; what it owned is given back once.
        unsafe {
            crate::memory::gc::untrack(this.cast());
            let fields = &*this;
            if weaklist_slot(fields.as_object()).is_some_and(|list| !list.get().is_null()) {
                crate::objects::weakrefobject::clear_weakrefs(fields.as_object());
            }
            if fields.def().ml_flags.get() & METH_METHOD != 0 {
                crate::memory::xdecref((*this.cast::<PyCMethodObject>()).mm_class.get().cast());
            }
            crate::memory::xdecref(fields.m_self.get());
            crate::memory::xdecref(fields.m_module.get());
            crate::memory::free_object(this.cast());
        }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [self.m_self.get(), self.m_module.get()] {
            let status = visitor.visit(object);
            if status != 0 {
                return status;
            }
        }
        0
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let name = self.def().name_text();
        // That of a static method is its class.
        // SAFETY: owned by this object, or null.
        let text = match unsafe { self.m_self.get().as_ref() } {
            Some(object) if !PyModuleObject::check(object) => {
                format!(
                    "<built-in method {name} of {} object at {:p}>",
                    object.ty().name(),
                    object.as_ptr()
                )
            }
            _ => format!("<built-in function {name}>"),
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let own = (self.m_self.get() as usize).rotate_right(4);
        let code = self
            .def()
            .ml_meth
            .get()
            .map_or(0, |function| function as usize)
            .rotate_right(4);
        Ok((own ^ code) as Py_hash_t)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyCFunctionObject>() else {
            return Ok(not_implemented().to_ref());
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let code =
            |function: &PyCFunctionObject| function.def().ml_meth.get().map(|function| function as usize);
        let equal = self.m_self.get() == other.m_self.get() && code(self) == code(other);
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let def = self.def();
        let raw_kwargs = kwargs
            .filter(|kwargs| kwargs.len() != 0)
            .map_or(std::ptr::null_mut(), |kwargs| kwargs.as_ptr());
        let flags = def.ml_flags.get();
        if flags & METH_VARARGS == 0 {
            return self.as_object().call_tuple(args, kwargs);
        }
        // SAFETY: the definition's own convention.
        let result = unsafe {
            let native = def.ml_meth.get().unwrap_unchecked();
            if flags & METH_KEYWORDS != 0 {
                let native: PyCFunctionWithKeywords = transmute(native);
                native(receiver(self, def), args.as_ptr(), raw_kwargs)
            } else if raw_kwargs.is_null() {
                native(receiver(self, def), args.as_ptr())
            } else {
                return Err(raise!(
                    TypeError,
                    "{}() takes no keyword arguments",
                    full_name(self.as_object())
                ));
            }
        };
        // SAFETY: a new reference or NULL.
        unsafe { Ref::from_owned_opt(result) }.ok_or_else(|| Raised::from_c(&def.name_text()))
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let name = PyUnicodeObject::from_string(self.def().name_text());
        // That of a static method is its class.
        // SAFETY: owned by this object, or null.
        match unsafe { self.m_self.get().as_ref() } {
            Some(object) if !PyModuleObject::check(object) => {
                let getattr = crate::hooks::import_module("builtins")?.get_attr(identifier!("getattr"))?;
                let args = PyTupleObject::from_slice(&[object, name.as_object()]);
                Ok(PyTupleObject::from_slice(&[&getattr, args.as_object()]).into_object())
            }
            _ => Ok(name.into_object()),
        }
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        Ok(self.def().doc_object())
    }
    #[getter(name = "__name__")]
    fn get_name(&self) -> PyResult {
        Ok(PyUnicodeObject::intern(PyUnicodeObject::from_string(self.def().name_text())).into_object())
    }
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> PyResult {
        let name = self.def().name_text();
        // That of a static method is its class.
        // SAFETY: owned by this object, or null.
        let text = match unsafe { self.m_self.get().as_ref() } {
            Some(object) if !PyModuleObject::check(object) => {
                let ty = object.downcast_type().unwrap_or(object.ty());
                // Not as an attribute: the type may not be ready yet.
                let owner = crate::types::typeobject::qualname(ty);
                format!("{}.{name}", owner.to_string_lossy())
            }
            _ => name,
        };
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[getter(name = "__self__")]
    fn get_self(&self) -> PyResult {
        let object = self
            .self_object()
            .filter(|_| self.def().ml_flags.get() & METH_STATIC == 0);
        Ok(object.map_or_else(none_ref, PyObject::to_ref))
    }
    #[getter(name = "__text_signature__")]
    fn get_text_signature(&self) -> PyResult {
        Ok(self.def().text_signature_object())
    }
}

#[pytype(
    name = "builtin_method",
    static_name = PyCMethod_Type,
    base = PyCFunction_Type,
    flags = HAVE_GC | HAVE_VECTORCALL | DISALLOW_INSTANTIATION,
    slots = [tp_traverse = cmethod_traverse],
)]
/// A native method that is passed its defining class.
impl PyCMethodObject {}

unsafe extern "C" fn cmethod_traverse(object: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    let visitor = Visitor { visit, arg };
    // SAFETY: the collector passes live objects of this type.
    let method = unsafe { &*object.cast::<PyCMethodObject>() };
    for object in [
        method.func.m_self.get(),
        method.func.m_module.get(),
        method.mm_class.get().cast(),
    ] {
        let status = visitor.visit(object);
        if status != 0 {
            return status;
        }
    }
    0
}

/// The arguments of a C function as a slice.
///
/// # Safety
/// As `slice_of`.
pub unsafe fn fastcall_args<'a>(args: *const *mut PyObject, nargs: isize) -> &'a [&'a PyObject] {
    // SAFETY: the caller's contract.
    unsafe { slice_of(args, nargs as usize) }
}
