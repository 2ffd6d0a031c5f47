//! object.h, refcount.h: attributes, comparison, hashing, printing, counts, constants.

use crate::export::{
    AttrName, Borrowed, CArg, Name, OutRef, Reported, Void, bad_internal_call, export, given, opt, put,
};
use adder_runtime::memory;
use adder_runtime::objects::dictobject::instance;
use adder_runtime::prelude::*;
use adder_runtime::protocol::attributes::{
    generic_get_attr, generic_get_attr_opt, generic_get_attr_slot, generic_set_attr, with_attribute_context,
};
use adder_runtime::types::heap;

/// Gives an optional value to C: 1 and the value, 0 and NULL, or -1 and NULL (which the place holds already).
pub fn give_optional(place: OutRef, value: PyResult<Option<Ref>>) -> PyResult<bool> {
    match value? {
        Some(value) => {
            // SAFETY: C gives a place for the result.
            unsafe { put(place.0, value.into_raw()) };
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Dying objects whose destructor must wait until the native stack is shorter; the macros of cpython/object.h put them here.
struct Trash(std::cell::RefCell<Vec<*mut PyObject>>);
// SAFETY: the GIL orders all access.
unsafe impl Sync for Trash {}
static TRASH: Trash = Trash(std::cell::RefCell::new(Vec::new()));

/// Destroys what waits, one after the other.
fn destroy_chain(state: &PyThreadState) {
    let next = || TRASH.0.borrow_mut().pop();
    while let Some(object) = next() {
        if TRASH.0.borrow().is_empty() {
            state.delete_later.set(std::ptr::null_mut());
        }
        // SAFETY: the object has no references and waits for its destructor.
        unsafe {
            if let Some(dealloc) = (*object).ty().tp_dealloc.get() {
                dealloc(object);
            }
        }
    }
}

capi! {
    fn PyObject_GetAttr(object: &PyObject, name: &PyObject) -> PyResult => {
        // SAFETY: C gives live objects or NULL.
        unsafe { opt(object)?.get_attr_quick(given::<PyUnicodeObject>(name)?) }
    } else {
        if let Some(name) = name.downcast_exact::<PyUnicodeObject>()
            && object.ty().tp_getattro.get().is_some_and(|slot| slot as usize == generic_get_attr_slot as *const () as usize)
        {
            return generic_get_attr(object, name).map_err(|raised| with_attribute_context(raised, object, name));
        }
        object.get_attr_object(name)
    }
    fn PyObject_GetAttrString(object: &PyObject, name: Name) -> PyResult {
        match object.get_attr_quick(&name) {
            // SAFETY: a new reference, or null with an exception.
            Some(found) => unsafe { Ref::from_owned_opt(found) }.ok_or_else(Raised::assume),
            None => object.get_attr(&name),
        }
    }
    fn PyObject_GetOptionalAttr(object: &PyObject, name: AttrName<'_>, result: OutRef) -> PyResult<bool> {
        give_optional(result, object.get_attr_opt(&name))
    }
    fn PyObject_GetOptionalAttrString(object: &PyObject, name: Name, result: OutRef) -> PyResult<bool> {
        give_optional(result, object.get_attr_opt(&name))
    }
    fn PyObject_HasAttr(object: &PyObject, name: AttrName<'_>) -> Reported<bool> { Reported(object.has_attr(&name)) }
    fn PyObject_HasAttrString(object: &PyObject, name: Name) -> Reported<bool> { Reported(object.has_attr(&name)) }
    fn PyObject_HasAttrWithError(object: &PyObject, name: AttrName<'_>) -> PyResult<bool> { object.has_attr(&name) }
    fn PyObject_HasAttrStringWithError(object: &PyObject, name: Name) -> PyResult<bool> { object.has_attr(&name) }
    fn PyObject_SetAttr(object: &PyObject, name: AttrName<'_>, value: Option<&PyObject>) -> PyResult<()> => {
        // SAFETY: C gives live objects or NULL.
        let (object, name, value) = unsafe { (opt(object)?, given::<PyUnicodeObject>(name)?, opt(value)?) };
        object.set_attr_quick(name, value).then_some(0)
    } else {
        object.set_or_del_attr(&name, value)
    }
    fn PyObject_SetAttrString(object: &PyObject, name: Name, value: Option<&PyObject>) -> PyResult<()> {
        object.set_or_del_attr(&name, value)
    }
    fn PyObject_DelAttr(object: &PyObject, name: AttrName<'_>) -> PyResult<()> { object.del_attr(&name) }
    fn PyObject_DelAttrString(object: &PyObject, name: Name) -> PyResult<()> { object.del_attr(&name) }
    fn PyObject_GenericGetAttr(object: &PyObject, name: AttrName<'_>) -> PyResult { generic_get_attr(object, &name) }
    fn PyObject_GenericSetAttr(object: &PyObject, name: AttrName<'_>, value: Option<&PyObject>) -> PyResult<()> {
        generic_set_attr(object, &name, value)
    }
    fn _PyObject_GenericGetAttrWithDict(
        object: &PyObject, name: &PyUnicodeObject, dict: Option<&PyObject>, suppress: c_int
    ) -> PyResult<Option<Ref>> {
        match generic_get_attr_opt(object, name, dict.and_then(PyObject::downcast::<PyDictObject>))? {
            Some(value) => Ok(Some(value)),
            None if suppress != 0 => Ok(None),
            None => Err(adder_runtime::protocol::attributes::no_attribute(object, name)),
        }
    }
    fn PyObject_GenericGetDict(object: &PyObject, _context: *mut std::ffi::c_void) -> PyResult {
        match object.instance_dict_or_make() {
            Some(dict) => Ok(dict.into_object()),
            None => Err(raise!(AttributeError, "This object has no __dict__")),
        }
    }
    fn PyObject_GenericSetDict(object: &PyObject, value: Option<&PyObject>, _context: *mut std::ffi::c_void) -> PyResult<()> {
        if object.dict_slot().is_none() {
            return Err(raise!(AttributeError, "This object has no __dict__"));
        }
        let dict = adder_runtime::objects::dictobject::instance::new_dict_of(value)?;
        set_dict(object, Some(dict.to_ref()))
    }
    fn _PyObject_GetDictPtr(object: &PyObject) -> *mut *mut PyObject {
        // C looks through the pointer: attributes kept inline must be in the dict that it finds.
        let _ = object.instance_dict();
        object.dict_slot().map_or(std::ptr::null_mut(), |slot| slot.as_ptr())
    }
    fn PyObject_SelfIter(object: &PyObject) -> PyResult { Ok(object.to_ref()) }

    fn PyObject_RichCompare(left: &PyObject, right: &PyObject, op: c_int) -> PyResult {
        left.rich_compare(right, compare_op(op)?)
    }
    fn PyObject_RichCompareBool(left: &PyObject, right: &PyObject, op: c_int) -> PyResult<bool> {
        left.compare_bool(right, compare_op(op)?)
    }
    fn PyObject_Hash(object: &PyObject) -> PyResult<isize> { object.hash() }
    fn PyObject_HashNotImplemented(object: &PyObject) -> PyResult<isize> {
        Err(raise!(TypeError, "unhashable type: '{}'", object.ty().name()))
    }
    fn PyObject_GenericHash(object: *mut PyObject) -> isize { hash_pointer(object.cast()) }
    fn Py_HashPointer(pointer: *const std::ffi::c_void) -> isize { hash_pointer(pointer) }
    fn PyObject_IsTrue(object: &PyObject) -> PyResult<bool> { object.is_true() }
    fn PyObject_Not(object: &PyObject) -> PyResult<bool> { object.is_true().map(|truth| !truth) }
    fn PyObject_Repr(object: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        object.map_or_else(|| Ok(PyUnicodeObject::from_str("<NULL>")), PyObject::repr)
    }
    fn PyObject_Str(object: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        object.map_or_else(|| Ok(PyUnicodeObject::from_str("<NULL>")), PyObject::str)
    }
    fn PyObject_ASCII(object: Option<&PyObject>) -> PyResult<Ref<PyUnicodeObject>> {
        object.map_or_else(|| Ok(PyUnicodeObject::from_str("<NULL>")), PyObject::ascii)
    }
    fn PyObject_Bytes(object: Option<&PyObject>) -> PyResult {
        let Some(object) = object else { return Ok(PyBytesObject::from_slice(b"<NULL>").into_object()) };
        if PyBytesObject::check_exact(object) {
            return Ok(object.to_ref());
        }
        if let Some(method) = object.lookup_special(identifier!("__bytes__"))? {
            let result = method.call0()?;
            if !PyBytesObject::check(&result) {
                return Err(raise!(TypeError, "__bytes__ returned non-bytes (type {})", result.ty().name()));
            }
            return Ok(result);
        }
        crate::bytesobject::from_object(object)
    }
    fn PyObject_Dir(object: Option<&PyObject>) -> PyResult {
        let builtins = crate::ceval::builtins_module_dict()?;
        let dir = builtins.get_str(identifier!("dir")).ok_or_else(|| raise!(NameError, "name 'dir' is not defined"))?;
        match object {
            Some(object) => dir.call1(object),
            None => dir.call0(),
        }
    }
    fn PyObject_Type(object: &PyObject) -> PyResult { Ok(object.ty().as_object().to_ref()) }
    fn PyCallable_Check(object: Option<&PyObject>) -> bool { object.is_some_and(PyObject::is_callable) }
    fn PyObject_IsSubclass(derived: &PyObject, class: &PyObject) -> PyResult<bool> { derived.is_subclass(class) }
    fn _PyObject_IsAbstract(object: Option<&PyObject>) -> PyResult<bool> {
        match object.map(|object| object.get_attr_opt(identifier!("__isabstractmethod__"))).transpose()?.flatten() {
            Some(flag) => flag.is_true(),
            None => Ok(false),
        }
    }
    fn _PyObject_FunctionStr(object: &PyObject) -> PyResult {
        let qualname = object.get_attr_opt(identifier!("__qualname__"))?;
        let Some(qualname) = qualname else { return Ok(object.str()?.into_object()) };
        let module = object.get_attr_opt(identifier!("__module__"))?;
        if let Some(module) = module && !is_none(&module) {
            let module = module.str()?.to_string_lossy();
            if module != "builtins" {
                let name = format!("{module}.{}()", qualname.str()?.to_string_lossy());
                return Ok(PyUnicodeObject::from_string(name).into_object());
            }
        }
        Ok(PyUnicodeObject::from_string(format!("{}()", qualname.str()?.to_string_lossy())).into_object())
    }
    fn PyObject_Print(object: Option<&PyObject>, file: *mut libc::FILE, flags: c_int) -> PyResult<()> {
        let text = match object {
            None => "<nil>".to_string(),
            Some(object) if object.refcnt() == 0 => format!("<refcnt {} at {:p}>", object.refcnt(), object.as_ptr()),
            Some(object) if flags & Py_PRINT_RAW != 0 => object.str()?.to_string_lossy(),
            Some(object) => object.repr()?.to_string_lossy(),
        };
        // SAFETY: C gives an open stream.
        let written = unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), file) };
        if written == text.len() { Ok(()) } else { Err(crate::pyerrors::raise_errno(None, None)) }
    }
    fn _PyObject_Dump(object: *mut PyObject) -> Void {
        eprintln!("object address  : {object:p}");
        // SAFETY: C gives an object or NULL.
        if let Some(object) = unsafe { opt(object) } {
            eprintln!("object refcount : {}", object.refcnt());
            eprintln!("object type     : {:p}", object.ty());
            eprintln!("object type name: {}", object.ty().name());
            match object.repr() {
                Ok(text) => eprintln!("object repr     : {}", text.to_string_lossy()),
                Err(raised) => raised.clear(),
            }
        }
        Void
    }

    fn _PyObject_GetAttrId(object: &PyObject, id: *mut _Py_Identifier) -> PyResult {
        let name = crate::unicodeobject::from_id(id)?;
        object.get_attr(&name)
    }
    fn PyObject_CallFinalizer(object: &PyObject) -> Void {
        heap::call_finalizer(object);
        Void
    }
    fn PyObject_CallFinalizerFromDealloc(object: *mut PyObject) -> c_int {
        // SAFETY: C gives an object whose count is 0 and that is being deallocated.
        if unsafe { heap::call_finalizer_from_dealloc(object) } { 0 } else { -1 }
    }
    fn PyObject_ClearManagedDict(object: &PyObject) -> Void {
        heap::clear_managed_dict(object);
        Void
    }
    fn _PyObject_SetManagedDict(object: &PyObject, dict: Option<&PyObject>) -> PyResult<()> {
        set_dict(object, dict.and_then(PyObject::downcast::<PyDictObject>).map(|dict| dict.to_ref()))
    }
    fn PyObject_GetItemData(object: &PyObject) -> PyResult<*mut c_void> {
        let ty = object.ty();
        if !ty.has_feature(Py_TPFLAGS_ITEMS_AT_END) {
            return Err(raise!(TypeError, "type '{}' does not have Py_TPFLAGS_ITEMS_AT_END", ty.name()));
        }
        Ok(object.as_ptr().cast::<u8>().wrapping_add(ty.tp_basicsize.get() as usize).cast())
    }
    fn PyObject_GetTypeData(object: &PyObject, class: &PyTypeObject) -> PyResult<*mut c_void> {
        let base = class.tp_base.get();
        // SAFETY: a type's base lives as long as the type.
        let base_size = unsafe { base.as_ref() }.map_or(0, |base| base.tp_basicsize.get());
        let offset = (base_size as usize + 15) & !15;
        Ok(object.as_ptr().cast::<u8>().wrapping_add(offset).cast())
    }
    fn Py_ReprEnter(object: &PyObject) -> c_int { c_int::from(!adder_runtime::protocol::repr_enter(object)) }
    fn Py_ReprLeave(object: &PyObject) -> Void { adder_runtime::protocol::repr_leave(object); Void }

    fn Py_GetConstant(constant_id: c_uint) -> PyResult { constant(constant_id) }
    fn Py_GetConstantBorrowed(constant_id: c_uint) -> PyResult<Borrowed> {
        // Constants are immortal: dropping our reference keeps them.
        constant(constant_id).map(|object| Borrowed(object.as_raw()))
    }
    fn Py_Is(x: *mut PyObject, y: *mut PyObject) -> c_int { c_int::from(x == y) }
    fn Py_IsNone(x: *mut PyObject) -> c_int { c_int::from(x == none().as_ptr()) }
    fn Py_IsTrue(x: *mut PyObject) -> c_int { c_int::from(x == true_().as_ptr()) }
    fn Py_IsFalse(x: *mut PyObject) -> c_int { c_int::from(x == false_().as_ptr()) }

    fn PyUnstable_Object_EnableDeferredRefcount(_object: *mut PyObject) -> c_int { 0 }
    fn PyUnstable_EnableTryIncRef(_object: *mut PyObject) -> Void { Void }
    fn PyUnstable_TryIncRef(object: &PyObject) -> c_int {
        if object.refcnt() == 0 { return 0; }
        object.incref();
        1
    }
    fn PyUnstable_IsImmortal(object: &PyObject) -> bool { object.is_immortal() }
    fn PyUnstable_Object_IsUniquelyReferenced(object: &PyObject) -> bool {
        let n_references = object.refcnt() as usize;
        n_references == 1 || (n_references > 1 && n_references == 1 + adder_interp::frame::lent_references(object))
    }
    /// Registers may hold an uncounted reference, so that no object is surely a temporary of the interpreter.
    fn PyUnstable_Object_IsUniqueReferencedTemporary(_object: *mut PyObject) -> c_int { 0 }
    fn PyUnstable_Object_ClearWeakRefsNoCallbacks(object: &PyObject) -> Void {
        for reference in adder_runtime::objects::weakrefobject::references(object) {
            if let Some(reference) = (*reference).downcast::<PyWeakReference>() {
                crate::pyerrors::set_field(&reference.wr_callback, None);
            }
        }
        adder_runtime::objects::weakrefobject::clear_weakrefs(object);
        Void
    }
}

/// Replaces an instance's `__dict__`.
fn set_dict(object: &PyObject, dict: Option<Ref<PyDictObject>>) -> PyResult<()> {
    if object.type_has(Py_TPFLAGS_MANAGED_DICT) {
        return instance::set_managed_dict(object, dict);
    }
    if let Some(slot) = object.dict_slot() {
        crate::pyerrors::set_field(slot, dict.map(Ref::into_object));
    }
    Ok(())
}

fn compare_op(op: c_int) -> PyResult<CompareOp> {
    CompareOp::from_c(op).ok_or_else(bad_internal_call)
}

/// An address as a hash: the low bits, which alignment makes equal, go to the top.
pub fn hash_pointer(pointer: *const c_void) -> isize {
    let hash = (pointer as usize).rotate_right(4) as isize;
    if hash == -1 { -2 } else { hash }
}

fn constant(constant_id: c_uint) -> PyResult {
    Ok(match constant_id {
        Py_CONSTANT_NONE => none_ref(),
        Py_CONSTANT_FALSE => false_().to_ref(),
        Py_CONSTANT_TRUE => true_().to_ref(),
        Py_CONSTANT_ELLIPSIS => ellipsis().to_ref(),
        Py_CONSTANT_NOT_IMPLEMENTED => not_implemented().to_ref(),
        Py_CONSTANT_ZERO => PyLongObject::from_i64(0).into_object(),
        Py_CONSTANT_ONE => PyLongObject::from_i64(1).into_object(),
        Py_CONSTANT_EMPTY_STR => PyUnicodeObject::empty().to_object(),
        Py_CONSTANT_EMPTY_BYTES => PyBytesObject::from_slice(b"").into_object(),
        Py_CONSTANT_EMPTY_TUPLE => PyTupleObject::empty().to_object(),
        _ => return Err(bad_internal_call()),
    })
}

// ---- counts: on every path of compiled code, so without the guard of `capi!` ----

/// # Safety
/// `object` is live, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_IncRef(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    if let Some(object) = unsafe { object.as_ref() } {
        object.incref();
    }
}
/// # Safety
/// `object` is live and the caller owns a count, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_DecRef(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { memory::xdecref(object) }
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_IncRef(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { (*object).incref() }
}
/// # Safety
/// `object` is live and the caller owns a count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_DecRef(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { memory::decref(object) }
}
/// # Safety
/// `object`'s count has reached 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_Dealloc(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { memory::dealloc(object) }
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewRef(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { (*object).incref() };
    object
}
/// # Safety
/// `object` is live, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_XNewRef(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { Py_IncRef(object) };
    object
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_REFCNT(object: *mut PyObject) -> Py_ssize_t {
    // SAFETY: the caller's contract.
    unsafe { (*object).refcnt() as Py_ssize_t }
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_TYPE(object: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: the caller's contract.
    unsafe { (*object).ob_type.get() }
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_SetRefcnt(object: *mut PyObject, count: Py_ssize_t) {
    // SAFETY: the caller's contract.
    unsafe { (*object).set_refcnt(count as u32) }
}
/// A C constructor with its own allocator starts the count here.
///
/// # Safety
/// `object` is fresh memory with its type set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_NewReference(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        (*object).ob_refcnt.set(1);
        (*object).ob_overflow.set(0);
        (*object).ob_flags.set(0);
    }
}
/// # Safety
/// As `_Py_NewReference`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_NewReferenceNoTotal(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { _Py_NewReference(object) }
}
/// # Safety
/// As `_Py_NewReference`: a finaliser made a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_ResurrectReference(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { (*object).ob_refcnt.set(1) }
}
/// # Safety
/// `object` is live; `visit` may be called with its dict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_VisitManagedDict(
    object: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the caller's contract.
    unsafe { heap::visit_managed_dict(&*object, &memory::Visitor { visit, arg }) }
}
/// # Safety
/// `object` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_ClearWeakRefs(object: *mut PyObject) {
    // SAFETY: the caller's contract.
    adder_runtime::objects::weakrefobject::clear_weakrefs(unsafe { &*object });
}
/// The operator with its operands exchanged, by operator.
#[unsafe(no_mangle)]
pub static _Py_SwappedOp: [c_int; 6] = [Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE];

capi! {
    fn _PyTrash_thread_deposit_object(state: *mut PyThreadState, object: *mut PyObject) -> crate::export::Void {
        TRASH.0.borrow_mut().push(object);
        // SAFETY: C gives its state. That something waits is all that the macros look for.
        unsafe { (*state).delete_later.set(object) };
        crate::export::Void
    }
    fn _PyTrash_thread_destroy_chain(state: *mut PyThreadState) -> crate::export::Void {
        // SAFETY: C gives its state.
        destroy_chain(unsafe { &*state });
        crate::export::Void
    }
    fn PyType_SUPPORTS_WEAKREFS(ty: &PyTypeObject) -> c_int {
        c_int::from(ty.tp_weaklistoffset.get() != 0 || ty.has_flag(Py_TPFLAGS_MANAGED_WEAKREF))
    }
    fn PyObject_GET_WEAKREFS_LISTPTR(object: &PyObject) -> *mut *mut PyObject {
        adder_runtime::types::heap::weaklist_slot(object).map_or(std::ptr::null_mut(), Cell::as_ptr)
    }
}

/// The class itself, which is most of the questions, is answered at once.
///
/// # Safety
/// As the manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_IsInstance(object: *mut PyObject, class: *mut PyObject) -> c_int {
    // SAFETY: the caller's contract.
    unsafe {
        if (*object).ob_type.get().cast() == class {
            return 1;
        }
        is_instance(object, class)
    }
}

#[inline(never)]
unsafe extern "C" fn is_instance(object: *mut PyObject, class: *mut PyObject) -> c_int {
    export::<PyResult<bool>>("PyObject_IsInstance", || {
        // SAFETY: C gives live objects or NULL.
        let (object, class) = unsafe { (<&PyObject>::from_c(object)?, <&PyObject>::from_c(class)?) };
        Ok(object.is_instance(class))
    })
}
