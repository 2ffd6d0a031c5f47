//! Descriptors that types get from their tables: methods, class methods, members, getsets, slot wrappers; and the
//! mapping proxy.

use crate::exceptions::exc;
use crate::memory::Visitor;
use crate::objects::methodobject::{full_name, new_function, new_method};
use crate::prelude::*;
use crate::protocol::{from_slot, from_status};
use crate::types::slotdefs::{ROW_SHIFT, SLOT_DEFS};
use std::mem::{offset_of, transmute};

fn c_name(name: *const c_char) -> Ref<PyUnicodeObject> {
    // SAFETY: names in tables are C strings that live as long as the table.
    let text = unsafe { std::ffi::CStr::from_ptr(name) }.to_string_lossy();
    PyUnicodeObject::intern(PyUnicodeObject::from_str(&text))
}

/// Allocates a descriptor of `descr_type` for `ty` with its common fields set.
fn new_descriptor(descr_type: &PyTypeObject, ty: &PyTypeObject, name: Ref<PyUnicodeObject>) -> PyResult {
    // SAFETY: the descriptor types' structs begin with the common fields.
    unsafe {
        let object = crate::memory::alloc_object(descr_type, descr_type.tp_basicsize.get() as usize)?;
        let fields = &*object.cast::<PyDescrObject>();
        ty.as_object().incref();
        fields.d_type.set((ty as *const PyTypeObject).cast_mut());
        fields.d_name.set(name.into_object_raw());
        crate::memory::gc::track(object);
        Ok(Ref::from_owned(object))
    }
}

fn add_to_dict(ty: &PyTypeObject, name: &PyUnicodeObject, value: &PyObject, replace: bool) -> PyResult<()> {
    let dict = ty.dict().expect("a type being readied has a dict");
    if !replace && dict.get_str(name).is_some() {
        return Ok(());
    }
    dict.set_str(name, value)
}

/// Adds a method of a table to the type's dict; what is there stays, unless METH_COEXIST says otherwise.
pub fn add_method(ty: &PyTypeObject, def: &PyMethodDef) -> PyResult<()> {
    let flags = def.ml_flags.get();
    let descriptor = if flags & METH_CLASS != 0 {
        new_class_method(ty, def)?
    } else if flags & METH_STATIC != 0 {
        let function = new_function(def, Some(ty.as_object()), None)?;
        crate::objects::funcobject::new_staticmethod(&function)?
    } else {
        new_method_descriptor(ty, def)?
    };
    add_to_dict(
        ty,
        &c_name(def.ml_name.get()),
        &descriptor,
        flags & METH_COEXIST != 0,
    )
}

pub fn add_member(ty: &PyTypeObject, def: &PyMemberDef) -> PyResult<()> {
    let name = c_name(def.name.get());
    let descriptor = new_descriptor(&PyMemberDescr_Type, ty, name.clone())?;
    // SAFETY: just made with this layout.
    unsafe { descriptor.cast_unchecked::<PyMemberDescrObject>() }
        .d_member
        .set((def as *const PyMemberDef).cast_mut());
    add_to_dict(ty, &name, &descriptor, false)
}

pub fn add_getset(ty: &PyTypeObject, def: &PyGetSetDef) -> PyResult<()> {
    let descriptor = new_getset(ty, def)?;
    add_to_dict(ty, &c_name(def.name.get()), &descriptor, false)
}

/// `PyDescr_NewGetSet`.
pub fn new_getset(ty: &PyTypeObject, def: &PyGetSetDef) -> PyResult {
    let descriptor = new_descriptor(&PyGetSetDescr_Type, ty, c_name(def.name.get()))?;
    // SAFETY: just made with this layout.
    unsafe { descriptor.cast_unchecked::<PyGetSetDescrObject>() }
        .d_getset
        .set((def as *const PyGetSetDef).cast_mut());
    Ok(descriptor)
}

/// `PyDescr_NewMember`.
pub fn new_member(ty: &PyTypeObject, def: &PyMemberDef) -> PyResult {
    let descriptor = new_descriptor(&PyMemberDescr_Type, ty, c_name(def.name.get()))?;
    // SAFETY: just made with this layout.
    unsafe { descriptor.cast_unchecked::<PyMemberDescrObject>() }
        .d_member
        .set((def as *const PyMemberDef).cast_mut());
    Ok(descriptor)
}

/// `PyDescr_NewMethod`.
pub fn new_method_descriptor(ty: &PyTypeObject, def: &PyMethodDef) -> PyResult {
    let vectorcall: Option<vectorcallfunc> = match def.ml_flags.get()
        & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)
    {
        METH_NOARGS => Some(method_noargs),
        METH_O => Some(method_o),
        METH_FASTCALL => Some(method_fastcall),
        flags if flags == METH_FASTCALL | METH_KEYWORDS => Some(method_fastcall_keywords),
        flags if flags == METH_METHOD | METH_FASTCALL | METH_KEYWORDS => Some(method_method),
        METH_VARARGS => Some(method_varargs),
        flags if flags == METH_VARARGS | METH_KEYWORDS => Some(method_varargs),
        _ => {
            return Err(raise!(
                SystemError,
                "{}() method: bad call flags",
                def.name_text()
            ));
        }
    };
    let descriptor = new_descriptor(&PyMethodDescr_Type, ty, c_name(def.ml_name.get()))?;
    // SAFETY: just made with this layout.
    let fields = unsafe { descriptor.cast_unchecked::<PyMethodDescrObject>() };
    fields.d_method.set((def as *const PyMethodDef).cast_mut());
    fields.vectorcall.set(vectorcall);
    Ok(descriptor)
}

/// `PyDescr_NewClassMethod`.
pub fn new_class_method(ty: &PyTypeObject, def: &PyMethodDef) -> PyResult {
    let descriptor = new_descriptor(&PyClassMethodDescr_Type, ty, c_name(def.ml_name.get()))?;
    // SAFETY: just made with this layout.
    unsafe { descriptor.cast_unchecked::<PyMethodDescrObject>() }
        .d_method
        .set((def as *const PyMethodDef).cast_mut());
    Ok(descriptor)
}

/// A slot wrapper: row `row` of the slot table, calling `function`.
pub fn new_wrapper(ty: &PyTypeObject, row: usize, function: *const c_void) -> PyResult {
    let descriptor = new_descriptor(
        &PyWrapperDescr_Type,
        ty,
        crate::types::slotdefs::row_name(row).to_ref(),
    )?;
    // SAFETY: just made with this layout.
    let fields = unsafe { descriptor.cast_unchecked::<PyWrapperDescrObject>() };
    fields
        .d_base
        .set((crate::types::slotdefs::row_base(row) as *const wrapperbase).cast_mut());
    fields.d_wrapped.set(function.cast_mut());
    Ok(descriptor)
}

/// The row, function and type of a slot wrapper.
pub fn wrapped_slot(object: &PyObject) -> Option<(usize, *const c_void, &PyTypeObject)> {
    let wrapper = object.downcast_exact::<PyWrapperDescrObject>()?;
    Some((wrapper.row(), wrapper.d_wrapped.get(), wrapper.d_common.owner()))
}

impl PyDescrObject {
    #[inline]
    pub fn owner(&self) -> &'static PyTypeObject {
        // SAFETY: a descriptor owns its type.
        unsafe { &*self.d_type.get() }
    }
    pub fn name(&self) -> &PyUnicodeObject {
        // SAFETY: a descriptor owns its name, a str.
        unsafe { &*self.d_name.get().cast::<PyUnicodeObject>() }
    }
    fn name_text(&self) -> String {
        self.name().to_string_lossy()
    }
    fn repr(&self, kind: &str) -> PyResult {
        let text = format!(
            "<{kind} '{}' of '{}' objects>",
            self.name_text(),
            self.owner().name()
        );
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    fn check_instance(&self, object: &PyObject) -> PyResult<()> {
        let ty = object.ty();
        if std::ptr::eq(ty, self.owner()) || ty.is_subtype(self.owner()) {
            return Ok(());
        }
        Err(raise!(
            TypeError,
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.name_text(),
            self.owner().full_name(),
            object.ty().full_name()
        ))
    }
    fn check_set(&self, object: &PyObject) -> PyResult<()> {
        self.check_instance(object)
    }
    fn qualname(&self) -> PyResult {
        if self.d_qualname.get().is_null() {
            let owner = self.owner().as_object().get_attr(identifier!("__qualname__"))?;
            let text = format!("{}.{}", owner.str()?.to_string_lossy(), self.name_text());
            self.d_qualname
                .set(PyUnicodeObject::from_string(text).into_object_raw());
        }
        // SAFETY: just set.
        Ok(unsafe { Ref::from_borrowed(self.d_qualname.get()) })
    }
    fn traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.d_type.get())
    }
    fn reduce(&self) -> PyResult {
        let getattr = crate::hooks::import_module("builtins")?.get_attr(identifier!("getattr"))?;
        let args = PyTupleObject::from_slice(&[self.owner().as_object(), self.name().as_object()]);
        Ok(PyTupleObject::from_slice(&[&getattr, args.as_object()]).into_object())
    }
    unsafe fn dealloc(this: *mut PyDescrObject) {
        // SAFETY: the object is dead; what it owned is given back once.
        unsafe {
            crate::memory::gc::untrack(this.cast());
            crate::memory::xdecref((*this).d_type.get().cast());
            crate::memory::xdecref((*this).d_name.get());
            crate::memory::xdecref((*this).d_qualname.get());
            crate::memory::free_object(this.cast());
        }
    }
}

/// What all descriptor types have.
macro_rules! common_descriptor {
    ($part:ident, $struct:ident) => {
        #[pymethods(part = $part)]
        impl $struct {
            #[getter(name = "__name__")]
            fn common_name(&self) -> PyResult {
                Ok(self.d_common.name().to_object())
            }
            #[getter(name = "__objclass__")]
            fn common_objclass(&self) -> PyResult {
                Ok(self.d_common.owner().to_object())
            }
            #[getter(name = "__qualname__")]
            fn common_qualname(&self) -> PyResult {
                self.d_common.qualname()
            }
        }
    };
}

/// What the descriptor types have that can be pickled.
macro_rules! common_reduce {
    ($part:ident, $struct:ident) => {
        #[pymethods(part = $part)]
        impl $struct {
            #[method("($self, /)", name = "__reduce__")]
            fn common_reduce(&self) -> PyResult {
                self.d_common.reduce()
            }
        }
    };
}

common_descriptor!(METHOD_DESCR_COMMON, PyMethodDescrObject);
common_descriptor!(MEMBER_DESCR_COMMON, PyMemberDescrObject);
common_descriptor!(GETSET_DESCR_COMMON, PyGetSetDescrObject);
common_descriptor!(WRAPPER_DESCR_COMMON, PyWrapperDescrObject);
common_reduce!(METHOD_DESCR_REDUCE, PyMethodDescrObject);
common_reduce!(MEMBER_DESCR_REDUCE, PyMemberDescrObject);
common_reduce!(WRAPPER_DESCR_REDUCE, PyWrapperDescrObject);

// ---- methods ----

impl PyMethodDescrObject {
    #[inline(always)]
    pub fn def(&self) -> &'static PyMethodDef {
        // SAFETY: the definition outlives the descriptor's type.
        unsafe { &*self.d_method.get() }
    }
}

#[cold]
fn call_error(raised: Raised) -> *mut PyObject {
    let _ = raised;
    std::ptr::null_mut()
}

/// The checked receiver and definition of a method descriptor's call.
#[inline(always)]
unsafe fn receiver<'a>(
    descriptor: *mut PyObject,
    args: *const *mut PyObject,
    nargs: usize,
) -> Result<(&'a PyMethodDescrObject, *mut PyObject), Raised> {
    // SAFETY: a vectorcall of a method descriptor.
    unsafe {
        let method = &*descriptor.cast::<PyMethodDescrObject>();
        if nargs < 1 {
            return Err(raise!(
                TypeError,
                "unbound method {}() needs an argument",
                full_name(&*descriptor)
            ));
        }
        let object = *args;
        if !std::ptr::eq((*object).ob_type.get(), method.d_common.d_type.get()) {
            method.d_common.check_instance(&*object)?;
        }
        Ok((method, object))
    }
}

#[inline(always)]
unsafe fn has_keywords(kwnames: *mut PyObject) -> bool {
    // SAFETY: a tuple or null.
    !kwnames.is_null() && unsafe { (*kwnames.cast::<PyVarObject>()).ob_size.get() } != 0
}

#[cold]
fn no_keywords(descriptor: *mut PyObject) -> *mut PyObject {
    // SAFETY: the descriptor being called.
    let name = full_name(unsafe { &*descriptor });
    call_error(raise!(TypeError, "{name}() takes no keyword arguments"))
}

#[cold]
fn wrong_count(descriptor: *mut PyObject, expected: &str, given: usize) -> *mut PyObject {
    // SAFETY: the descriptor being called.
    let name = full_name(unsafe { &*descriptor });
    call_error(raise!(TypeError, "{name}() takes {expected} ({given} given)"))
}

macro_rules! method_vectorcall {
    ($name:ident, |$descriptor:ident, $method:ident, $object:ident, $args:ident, $nargs:ident, $kwnames:ident| $body:expr) => {
        unsafe extern "C" fn $name(
            $descriptor: *mut PyObject,
            $args: *const *mut PyObject,
            nargsf: usize,
            $kwnames: *mut PyObject,
        ) -> *mut PyObject {
            let $nargs = PyVectorcall_NARGS(nargsf);
            // SAFETY: vectorcall's contract; the definition's own convention.
            unsafe {
                let ($method, $object) = match receiver($descriptor, $args, $nargs) {
                    Ok(found) => found,
                    Err(raised) => return call_error(raised),
                };
                $body
            }
        }
    };
}

method_vectorcall!(method_noargs, |descriptor,
                                   method,
                                   object,
                                   _args,
                                   nargs,
                                   kwnames| {
    if has_keywords(kwnames) {
        return no_keywords(descriptor);
    }
    if nargs != 1 {
        return wrong_count(descriptor, "no arguments", nargs - 1);
    }
    method.def().ml_meth.get().unwrap_unchecked()(object, std::ptr::null_mut())
});

method_vectorcall!(method_o, |descriptor, method, object, args, nargs, kwnames| {
    if has_keywords(kwnames) {
        return no_keywords(descriptor);
    }
    if nargs != 2 {
        return wrong_count(descriptor, "exactly one argument", nargs - 1);
    }
    method.def().ml_meth.get().unwrap_unchecked()(object, *args.add(1))
});

method_vectorcall!(method_fastcall, |descriptor,
                                     method,
                                     object,
                                     args,
                                     nargs,
                                     kwnames| {
    if has_keywords(kwnames) {
        return no_keywords(descriptor);
    }
    let native: PyCFunctionFast = transmute(method.def().ml_meth.get().unwrap_unchecked());
    native(object, args.add(1), nargs as isize - 1)
});

method_vectorcall!(
    method_fastcall_keywords,
    |_descriptor, method, object, args, nargs, kwnames| {
        let native: PyCFunctionFastWithKeywords = transmute(method.def().ml_meth.get().unwrap_unchecked());
        native(object, args.add(1), nargs as isize - 1, kwnames)
    }
);

method_vectorcall!(method_method, |_descriptor,
                                   method,
                                   object,
                                   args,
                                   nargs,
                                   kwnames| {
    let native: PyCMethod = transmute(method.def().ml_meth.get().unwrap_unchecked());
    native(
        object,
        method.d_common.d_type.get(),
        args.add(1),
        nargs as isize - 1,
        kwnames,
    )
});

method_vectorcall!(method_varargs, |descriptor,
                                    method,
                                    object,
                                    args,
                                    nargs,
                                    kwnames| {
    let rest = crate::protocol::call::slice_of(args.add(1), nargs - 1);
    let tuple = PyTupleObject::from_slice(rest);
    let def = method.def();
    if def.ml_flags.get() & METH_KEYWORDS == 0 {
        if has_keywords(kwnames) {
            return no_keywords(descriptor);
        }
        return def.ml_meth.get().unwrap_unchecked()(object, tuple.as_ptr());
    }
    let native: PyCFunctionWithKeywords = transmute(def.ml_meth.get().unwrap_unchecked());
    let Some(names) = kwnames
        .cast::<PyTupleObject>()
        .as_ref()
        .filter(|names| names.len() != 0)
    else {
        return native(object, tuple.as_ptr(), std::ptr::null_mut());
    };
    let kwargs = PyDictObject::new();
    let values = crate::protocol::call::slice_of(args.add(nargs), names.len());
    for (name, value) in names.as_slice().iter().zip(values) {
        if kwargs.set(name, value).is_err() {
            return std::ptr::null_mut();
        }
    }
    native(object, tuple.as_ptr(), kwargs.as_ptr())
});

#[pytype(
    name = "method_descriptor",
    static_name = PyMethodDescr_Type,
    flags = HAVE_GC | HAVE_VECTORCALL | METHOD_DESCRIPTOR | DISALLOW_INSTANTIATION,
    vectorcall_offset = offset_of!(PyMethodDescrObject, vectorcall) as isize,
    parts = [METHOD_DESCR_COMMON, METHOD_DESCR_REDUCE],
    slots = [tp_call = crate::protocol::call::vectorcall_call],
)]
/// A native method as found in the type.
impl PyMethodDescrObject {
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyMethodDescrObject) {
        // SAFETY: the common part is all that it owns.
        unsafe { PyDescrObject::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.d_common.traverse(visitor)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.d_common.repr("method")
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, ty: Option<&PyObject>) -> PyResult {
        let Some(object) = object else {
            return Ok(self.to_object());
        };
        self.d_common.check_instance(object)?;
        let def = self.def();
        if def.ml_flags.get() & METH_METHOD == 0 {
            return new_method(def, Some(object), None, None);
        }
        if let Some(ty) = ty
            && ty.downcast_type().is_none()
        {
            return Err(raise!(
                TypeError,
                "descriptor '{}' needs a type, not '{}', as arg 2",
                self.d_common.name_text(),
                ty.ty().name()
            ));
        }
        new_method(def, Some(object), None, Some(self.d_common.owner()))
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        Ok(self.def().doc_object())
    }
    #[getter(name = "__text_signature__")]
    fn get_text_signature(&self) -> PyResult {
        Ok(self.def().text_signature_object())
    }
}

#[pytype(
    name = "classmethod_descriptor",
    static_name = PyClassMethodDescr_Type,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    typed = false,
    parts = [METHOD_DESCR_COMMON],
)]
/// A native class method as found in the type.
impl PyMethodDescrObject {
    #[slot(tp_dealloc)]
    unsafe fn class_dealloc(this: *mut PyMethodDescrObject) {
        // SAFETY: the common part is all that it owns.
        unsafe { PyDescrObject::dealloc(this.cast()) }
    }
    #[slot(tp_traverse)]
    fn class_traverse(&self, visitor: &Visitor) -> c_int {
        self.d_common.traverse(visitor)
    }
    #[slot(tp_repr)]
    fn class_repr(&self) -> PyResult {
        self.d_common.repr("method")
    }
    #[slot(tp_descr_get)]
    fn class_descr_get(&self, object: Option<&PyObject>, ty: Option<&PyObject>) -> PyResult {
        let ty = match (ty, object) {
            (Some(ty), _) if !is_none(ty) => ty,
            (_, Some(object)) => object.ty().as_object(),
            _ => {
                return Err(raise!(
                    TypeError,
                    "descriptor '{}' for type '{}' needs either an object or a type",
                    self.d_common.name_text(),
                    self.d_common.owner().name()
                ));
            }
        };
        let Some(class) = ty.downcast_type() else {
            return Err(raise!(
                TypeError,
                "descriptor '{}' for type '{}' needs a type, not a '{}' as arg 2",
                self.d_common.name_text(),
                self.d_common.owner().name(),
                ty.ty().name()
            ));
        };
        if !class.is_subtype(self.d_common.owner()) {
            return Err(raise!(
                TypeError,
                "descriptor '{}' requires a subtype of '{}' but received '{}'",
                self.d_common.name_text(),
                self.d_common.owner().name(),
                class.name()
            ));
        }
        let def = self.def();
        let defining = (def.ml_flags.get() & METH_METHOD != 0).then(|| self.d_common.owner());
        new_method(def, Some(ty), None, defining)
    }
    #[slot(tp_call)]
    fn class_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [class, rest @ ..] = args.as_slice() else {
            return Err(raise!(
                TypeError,
                "descriptor '{}' of '{}' object needs an argument",
                self.d_common.name_text(),
                self.d_common.owner().name()
            ));
        };
        let bound = self.class_descr_get(None, Some(class))?;
        bound.call_tuple(&PyTupleObject::from_slice(rest), kwargs)
    }
    #[getter(name = "__doc__")]
    fn class_doc(&self) -> PyResult {
        Ok(self.def().doc_object())
    }
    #[getter(name = "__text_signature__")]
    fn class_text_signature(&self) -> PyResult {
        Ok(self.def().text_signature_object())
    }
}

// ---- members ----

#[pytype(
    name = "member_descriptor",
    static_name = PyMemberDescr_Type,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    parts = [MEMBER_DESCR_COMMON, MEMBER_DESCR_REDUCE],
)]
/// A field of a native struct, or a slot of a class.
impl PyMemberDescrObject {
    pub fn member(&self) -> &PyMemberDef {
        // SAFETY: the definition lives as long as the type, which the descriptor owns.
        unsafe { &*self.d_member.get() }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyMemberDescrObject) {
        // SAFETY: the common part is all that it owns.
        unsafe { PyDescrObject::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.d_common.traverse(visitor)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.d_common.repr("member")
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        let Some(object) = object else {
            return Ok(self.to_object());
        };
        self.d_common.check_instance(object)?;
        // SAFETY: the object is an instance of the type that the member describes.
        unsafe { crate::objects::structmember::get(object, self.member()) }
    }
    #[slot]
    fn tp_descr_set(&self, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        self.d_common.check_set(object)?;
        // SAFETY: the object is an instance of the type that the member describes.
        unsafe { crate::objects::structmember::set(object, self.member(), value) }
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        let doc = self.member().doc.get();
        if doc.is_null() {
            return Ok(none_ref());
        }
        // SAFETY: a C string that lives as long as the definition.
        let text = unsafe { std::ffi::CStr::from_ptr(doc) }.to_string_lossy();
        Ok(PyUnicodeObject::from_str(&text).into_object())
    }
}

// ---- getsets ----

#[pytype(
    name = "getset_descriptor",
    static_name = PyGetSetDescr_Type,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    parts = [GETSET_DESCR_COMMON],
)]
/// An attribute of a native type that is computed.
impl PyGetSetDescrObject {
    pub fn getset(&self) -> &PyGetSetDef {
        // SAFETY: the definition outlives the type, which the descriptor owns.
        unsafe { &*self.d_getset.get() }
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyGetSetDescrObject) {
        // SAFETY: the common part is all that it owns.
        unsafe { PyDescrObject::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.d_common.traverse(visitor)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.d_common.repr("attribute")
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        let Some(object) = object else {
            return Ok(self.to_object());
        };
        self.d_common.check_instance(object)?;
        let def = self.getset();
        match def.get.get() {
            // SAFETY: the getter of the object's own type.
            Some(get) => unsafe { from_slot(get(object.as_ptr(), def.closure.get()), "getter") },
            None => Err(raise!(
                AttributeError,
                "attribute '{}' of '{}' objects is not readable",
                self.d_common.name_text(),
                self.d_common.owner().name()
            )),
        }
    }
    #[slot]
    fn tp_descr_set(&self, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
        self.d_common.check_set(object)?;
        let def = self.getset();
        let raw = value.map_or(std::ptr::null_mut(), PyObject::as_ptr);
        match def.set.get() {
            // SAFETY: the setter of the object's own type.
            Some(set) => from_status(unsafe { set(object.as_ptr(), raw, def.closure.get()) }, "setter"),
            None => Err(raise!(
                AttributeError,
                "attribute '{}' of '{}' objects is not writable",
                self.d_common.name_text(),
                self.d_common.owner().name()
            )),
        }
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        let doc = self.getset().doc.get();
        if doc.is_null() {
            return Ok(none_ref());
        }
        // SAFETY: a C string that lives as long as the definition.
        let text = unsafe { std::ffi::CStr::from_ptr(doc) }.to_string_lossy();
        Ok(PyUnicodeObject::from_str(&text).into_object())
    }
}

// ---- slot wrappers ----

#[pytype(
    name = "wrapper_descriptor",
    static_name = PyWrapperDescr_Type,
    flags = HAVE_GC | METHOD_DESCRIPTOR | DISALLOW_INSTANTIATION,
    parts = [WRAPPER_DESCR_COMMON, WRAPPER_DESCR_REDUCE],
)]
/// A slot of a type as a method.
impl PyWrapperDescrObject {
    fn base(&self) -> &wrapperbase {
        // SAFETY: a row's own, or a copy that C put in its place.
        unsafe { &*self.d_base.get() }
    }
    /// The docstring, which C may have replaced.
    fn doc(&self) -> String {
        let doc = self.base().doc.get();
        if doc.is_null() {
            return String::new();
        }
        // SAFETY: C gives a C string.
        let text = unsafe { std::ffi::CStr::from_ptr(doc) }.to_string_lossy();
        crate::objects::methodobject::split_doc(SLOT_DEFS[self.row()].name, &text)
            .1
            .to_string()
    }
    fn row(&self) -> usize {
        (self.base().flags.get() >> ROW_SHIFT) as usize
    }
    fn invoke(&self, object: &PyObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let wrapper = SLOT_DEFS[self.row()]
            .wrapper
            .expect("only rows with a wrapper make descriptors");
        let takes_keywords = matches!(SLOT_DEFS[self.row()].name, "__call__" | "__init__");
        if !takes_keywords && kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            let name = self.d_common.name_text();
            return Err(raise!(TypeError, "wrapper {name}() takes no keyword arguments"));
        }
        wrapper(self.d_wrapped.get(), object, args, kwargs)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut PyWrapperDescrObject) {
        // SAFETY: the common part is all that it owns.
        unsafe { PyDescrObject::dealloc(this.cast()) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        self.d_common.traverse(visitor)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        self.d_common.repr("slot wrapper")
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [object, rest @ ..] = args.as_slice() else {
            return Err(raise!(
                TypeError,
                "descriptor '{}' of '{}' object needs an argument",
                self.d_common.name_text(),
                self.d_common.owner().name()
            ));
        };
        if !object.ty().is_subtype(self.d_common.owner()) {
            return Err(raise!(
                TypeError,
                "descriptor '{}' requires a '{}' object but received a '{}'",
                self.d_common.name_text(),
                self.d_common.owner().name(),
                object.ty().name()
            ));
        }
        self.invoke(object, &PyTupleObject::from_slice(rest), kwargs)
    }
    #[slot]
    fn tp_descr_get(&self, object: Option<&PyObject>, _ty: Option<&PyObject>) -> PyResult {
        let Some(object) = object else {
            return Ok(self.to_object());
        };
        self.d_common.check_instance(object)?;
        let bound = MethodWrapper {
            ob_base: crate::memory::blank_header(),
            descriptor: self.to_ref(),
            object: object.to_ref(),
        };
        Ok(Ref::new(bound)?.into_object())
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        Ok(PyUnicodeObject::from_string(self.doc()).into_object())
    }
    #[getter(name = "__text_signature__")]
    fn get_text_signature(&self) -> PyResult {
        Ok(PyUnicodeObject::from_str(wrapper_signature(SLOT_DEFS[self.row()].name)).into_object())
    }
}

fn wrapper_signature(name: &str) -> &'static str {
    match name {
        "__repr__" | "__str__" | "__hash__" | "__iter__" | "__next__" | "__len__" | "__bool__"
        | "__neg__" | "__pos__" | "__abs__" | "__invert__" | "__int__" | "__float__" | "__index__"
        | "__await__" | "__aiter__" | "__anext__" | "__del__" => "($self, /)",
        "__call__" | "__init__" => "($self, /, *args, **kwargs)",
        "__getattribute__" | "__delattr__" => "($self, name, /)",
        "__setattr__" => "($self, name, value, /)",
        "__get__" => "($self, instance, owner=None, /)",
        "__set__" => "($self, instance, value, /)",
        "__delete__" => "($self, instance, /)",
        "__getitem__" | "__delitem__" | "__contains__" => "($self, key, /)",
        "__setitem__" => "($self, key, value, /)",
        "__pow__" | "__rpow__" => "($self, value, mod=None, /)",
        "__buffer__" => "($self, flags, /)",
        "__release_buffer__" => "($self, buffer, /)",
        _ => "($self, value, /)",
    }
}

/// A slot wrapper bound to an object.
#[repr(C)]
pub struct MethodWrapper {
    ob_base: PyObject,
    descriptor: Ref<PyWrapperDescrObject>,
    object: Ref,
}

#[pytype(name = "method-wrapper", static_name = _PyMethodWrapper_Type, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// A slot of a type as a bound method.
impl MethodWrapper {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.descriptor.as_raw());
        if status != 0 {
            status
        } else {
            visitor.visit(self.object.as_raw())
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let text = format!(
            "<method-wrapper '{}' of {} object at {:p}>",
            self.descriptor.d_common.name_text(),
            self.object.ty().name(),
            self.object.as_raw()
        );
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    #[slot]
    fn tp_call(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        self.descriptor.invoke(&self.object, args, kwargs)
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let parts = (self.object.as_raw() as usize).rotate_right(4)
            ^ (self.descriptor.as_raw() as usize).rotate_right(4);
        Ok(parts as Py_hash_t)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<MethodWrapper>() else {
            return Ok(not_implemented().to_ref());
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        let equal = std::ptr::eq(self.descriptor.as_raw(), other.descriptor.as_raw())
            && self.object.is(&other.object);
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[getter(name = "__self__")]
    fn get_self(&self) -> PyResult {
        Ok(self.object.clone())
    }
    #[getter(name = "__name__")]
    fn get_name(&self) -> PyResult {
        Ok(self.descriptor.d_common.name().to_object())
    }
    #[getter(name = "__qualname__")]
    fn get_qualname(&self) -> PyResult {
        self.descriptor.d_common.qualname()
    }
    #[getter(name = "__objclass__")]
    fn get_objclass(&self) -> PyResult {
        Ok(self.descriptor.d_common.owner().to_object())
    }
    #[getter(name = "__doc__")]
    fn get_doc(&self) -> PyResult {
        self.descriptor.get_doc()
    }
    #[getter(name = "__text_signature__")]
    fn get_text_signature(&self) -> PyResult {
        self.descriptor.get_text_signature()
    }
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult {
        let getattr = crate::hooks::import_module("builtins")?.get_attr(identifier!("getattr"))?;
        let args = PyTupleObject::from_slice(&[&self.object, self.descriptor.d_common.name().as_object()]);
        Ok(PyTupleObject::from_slice(&[&getattr, args.as_object()]).into_object())
    }
}

/// Whether the exception in flight is an AttributeError.
pub fn is_attribute_error() -> bool {
    crate::error::occurred_is(exc::AttributeError)
}
