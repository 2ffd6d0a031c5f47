//! Weak references: `weakref.ref` (here) and proxies (`proxy`); the list of references that hangs on an object, and what
//! happens to it when the object dies.
//!
//! The list's head is in the object (`types::heap::weaklist_slot`). A plain reference without a callback is made once
//! and comes first; then a plain proxy without a callback; then the others.

pub mod proxy;

use crate::error;
use crate::memory::gc;
use crate::objects::freelist::{alloc_instance, alloc_static, free_instance};
use crate::prelude::*;
use crate::types::heap::weaklist_slot;
pub use proxy::{_PyWeakref_CallableProxyType, _PyWeakref_ProxyType};
use std::cell::Cell;
use std::mem::offset_of;

type Head = Cell<*mut PyObject>;

impl PyWeakReference {
    /// The object, unless it is gone or going.
    #[inline]
    pub fn get_object(&self) -> Option<Ref> {
        let object = self.wr_object.get();
        // SAFETY: while the reference is in its object's list the object's memory is whole; afterwards this is None.
        unsafe {
            if object.is_null() || is_none(&*object) || (*object).refcnt() == 0 {
                return None;
            }
            Some(Ref::from_borrowed(object))
        }
    }

    #[inline]
    pub fn is_dead(&self) -> bool {
        let object = self.wr_object.get();
        // SAFETY: as in `get_object`.
        object.is_null() || unsafe { is_none(&*object) || (*object).refcnt() == 0 }
    }

    fn next(&self) -> Option<&PyWeakReference> {
        // SAFETY: references in a list are alive.
        unsafe { self.wr_next.get().as_ref() }
    }

    /// Takes the reference out of its object's list; it is dead from now on.
    fn unlink(&self) {
        let object = self.wr_object.get();
        // SAFETY: the object and the neighbours in the list are alive or at least whole.
        unsafe {
            if object.is_null() || is_none(&*object) {
                return;
            }
            if let Some(head) = weaklist_slot(&*object)
                && std::ptr::eq(head.get().cast::<PyWeakReference>(), self)
            {
                head.set(self.wr_next.get().cast());
            }
            if let Some(previous) = self.wr_prev.get().as_ref() {
                previous.wr_next.set(self.wr_next.get());
            }
            if let Some(next) = self.wr_next.get().as_ref() {
                next.wr_prev.set(self.wr_prev.get());
            }
        }
        self.wr_object.set(none().as_ptr());
        self.wr_prev.set(std::ptr::null_mut());
        self.wr_next.set(std::ptr::null_mut());
    }

    fn take_callback(&self) -> Option<Ref> {
        // SAFETY: the reference owned its callback.
        unsafe { Ref::from_owned_opt(self.wr_callback.replace(std::ptr::null_mut())) }
    }

    /// `_PyWeakref_ClearRef`: kills the reference but leaves its callback in place.
    pub fn clear_keeping_callback(&self) {
        self.unlink();
    }

    fn is_plain(&self) -> bool {
        self.wr_callback.get().is_null()
    }
}

/// Whether an object is a reference or a proxy.
pub fn is_any_weakref(object: &PyObject) -> bool {
    PyWeakReference::check(object)
        || object.ob_type.get().cast_const() == &raw const _PyWeakref_ProxyType
        || object.ob_type.get().cast_const() == &raw const _PyWeakref_CallableProxyType
}

/// The plain reference and the plain proxy of a list, if they are there.
fn canonical(head: &Head) -> (Option<&PyWeakReference>, Option<&PyWeakReference>) {
    // SAFETY: a list's members are alive.
    let first = unsafe { head.get().cast::<PyWeakReference>().as_ref() };
    let mut reference = None;
    let mut candidate = first;
    if let Some(node) = first
        && node.ob_base.is_type(&_PyWeakref_RefType)
        && node.is_plain()
    {
        reference = Some(node);
        candidate = node.next();
    }
    let proxy = candidate.filter(|node| {
        node.is_plain()
            && (node.ob_base.is_type(&_PyWeakref_ProxyType)
                || node.ob_base.is_type(&_PyWeakref_CallableProxyType))
    });
    (reference, proxy)
}

/// Puts a reference into a list after `previous`, or first.
fn link(head: &Head, node: &PyWeakReference, previous: Option<&PyWeakReference>) {
    let as_ptr = |node: &PyWeakReference| (node as *const PyWeakReference).cast_mut();
    let next = match previous {
        Some(previous) => previous.wr_next.replace(as_ptr(node)),
        None => head.replace(node.as_ptr()).cast(),
    };
    node.wr_prev.set(previous.map_or(std::ptr::null_mut(), as_ptr));
    node.wr_next.set(next);
    // SAFETY: null or a live member of the list.
    if let Some(next) = unsafe { next.as_ref() } {
        next.wr_prev.set(as_ptr(node));
    }
}

fn head_of(object: &PyObject) -> PyResult<&Head> {
    weaklist_slot(object).ok_or_else(|| {
        raise!(
            TypeError,
            "cannot create weak reference to '{}' object",
            object.ty().full_name()
        )
    })
}

/// Fills a new reference and puts it into its object's list.
fn init_reference(
    node: &PyWeakReference,
    object: &PyObject,
    head: &Head,
    callback: Option<&PyObject>,
    canon: bool,
) {
    node.hash.set(-1);
    node.wr_object.set(object.as_ptr());
    node.wr_callback
        .set(callback.map_or(std::ptr::null_mut(), |callback| callback.to_ref().into_raw()));
    node.vectorcall.set(Some(call_reference));
    let (reference, proxy) = canonical(head);
    let is_ref = node.ob_base.is_type(&_PyWeakref_RefType);
    let previous = if canon && is_ref {
        None
    } else if canon {
        reference
    } else {
        proxy.or(reference)
    };
    link(head, node, previous);
}

/// `weakref.ref(object, callback)`; `None` is no callback.
pub fn new_ref(object: &PyObject, callback: Option<&PyObject>) -> PyResult {
    Ok(make(&_PyWeakref_RefType, object, callback)?.into_object())
}

/// `weakref.proxy(object, callback)`.
pub fn new_proxy(object: &PyObject, callback: Option<&PyObject>) -> PyResult {
    let ty = if object.is_callable() {
        &_PyWeakref_CallableProxyType
    } else {
        &_PyWeakref_ProxyType
    };
    Ok(make(ty, object, callback)?.into_object())
}

fn make(
    ty: &'static PyTypeObject,
    object: &PyObject,
    callback: Option<&PyObject>,
) -> PyResult<Ref<PyWeakReference>> {
    let head = head_of(object)?;
    let callback = callback.filter(|callback| !is_none(callback));
    if callback.is_none() {
        let (reference, proxy) = canonical(head);
        let known = if std::ptr::eq(ty, &_PyWeakref_RefType) {
            reference
        } else {
            proxy
        };
        if let Some(known) = known.filter(|known| known.ob_base.refcnt() > 0) {
            return Ok(known.to_ref());
        }
    }
    let node = alloc_static(ty, size_of::<PyWeakReference>());
    // SAFETY: memory for a reference, its header set.
    unsafe {
        let node = node.cast::<PyWeakReference>();
        init_reference(&*node, object, head, callback, callback.is_none());
        gc::track(node.cast());
        Ok(Ref::from_owned(node))
    }
}

/// How many references and proxies an object has.
pub fn weakref_count(object: &PyObject) -> usize {
    let Some(head) = weaklist_slot(object) else {
        return 0;
    };
    let mut count = 0;
    // SAFETY: a list's members are alive.
    let mut node = unsafe { head.get().cast::<PyWeakReference>().as_ref() };
    while let Some(reference) = node {
        count += usize::from(reference.ob_base.refcnt() > 0);
        node = reference.next();
    }
    count
}

/// The references and proxies of an object.
pub fn references(object: &PyObject) -> Vec<Ref> {
    let mut found = Vec::new();
    let Some(head) = weaklist_slot(object) else {
        return found;
    };
    // SAFETY: a list's members are alive.
    let mut node = unsafe { head.get().cast::<PyWeakReference>().as_ref() };
    while let Some(reference) = node {
        if reference.ob_base.refcnt() > 0 {
            found.push(reference.to_object());
        }
        node = reference.next();
    }
    found
}

/// Whether an object is a plain reference (no proxy).
pub fn is_reference(object: &PyObject) -> bool {
    PyWeakReference::check(object)
}

/// What a reference or proxy refers to; `None` when that is gone.
pub fn referent(reference: &PyObject) -> Option<Ref> {
    if is_any_weakref(reference) {
        // SAFETY: references and proxies have this layout.
        unsafe { reference.cast_unchecked::<PyWeakReference>() }.get_object()
    } else {
        None
    }
}

/// Takes a key out of a dict when its value is a dead reference (`_weakref._remove_dead_weakref`).
pub fn remove_dead_weakref(dict: &PyDictObject, key: &PyObject) -> PyResult<()> {
    let Some(value) = dict.get(key)? else {
        return Ok(());
    };
    let Some(reference) = value.downcast::<PyWeakReference>().ok() else {
        return Err(raise!(TypeError, "not a weakref"));
    };
    if reference.is_dead() {
        dict.remove(key)?;
    }
    Ok(())
}

/// Kills the references to a dying object and calls their callbacks. For deallocators.
pub fn clear_weakrefs(object: &PyObject) {
    let Some(head) = weaklist_slot(object) else { return };
    if head.get().is_null() {
        return;
    }
    let mut callbacks = Vec::new();
    // SAFETY: a list's members are alive; a member with count zero is being deallocated further up the stack.
    while let Some(node) = unsafe { head.get().cast::<PyWeakReference>().as_ref() } {
        node.unlink();
        if let Some(callback) = node.take_callback()
            && node.ob_base.refcnt() > 0
        {
            callbacks.push((node.to_ref(), callback));
        }
    }
    if callbacks.is_empty() {
        return;
    }
    // Callbacks must not see or disturb an exception in flight.
    error::preserving_exception(|| {
        for (reference, callback) in callbacks {
            crate::memory::at_first_level(|| call_callback(reference.as_object(), &callback));
        }
    });
}

/// Calls a reference's callback; nobody can receive an exception.
pub fn call_callback(reference: &PyObject, callback: &PyObject) {
    if let Err(raised) = callback.call1(reference) {
        error::write_unraisable(
            raised,
            Some("Exception ignored while calling weakref callback"),
            Some(callback),
        );
    }
}

/// Whether an object has weak references at all.
pub fn has_references(object: &PyObject) -> bool {
    weaklist_slot(object).is_some_and(|head| !head.get().is_null())
}

/// Whether a reference to the object has a callback.
pub fn has_callbacks(object: &PyObject) -> bool {
    let Some(head) = weaklist_slot(object) else {
        return false;
    };
    // SAFETY: a list's members are alive.
    let mut node = unsafe { head.get().cast::<PyWeakReference>().as_ref() };
    while let Some(reference) = node {
        if !reference.is_plain() {
            return true;
        }
        node = reference.next();
    }
    false
}

/// Kills those references to an object that have a callback; callbacks of references that are no garbage themselves are
/// handed over to be called when all of the garbage is unreachable.
pub fn clear_for_collector(
    object: &PyObject,
    callbacks: &mut Vec<(Ref, Ref)>,
    is_garbage: &dyn Fn(&PyObject) -> bool,
) {
    for reference in references(object) {
        // SAFETY: references and proxies have this layout.
        let node = unsafe { reference.cast_unchecked::<PyWeakReference>() };
        if node.is_plain() {
            continue;
        }
        node.unlink();
        if !is_garbage(&reference)
            && let Some(callback) = node.take_callback()
        {
            callbacks.push((reference.clone(), callback));
        }
    }
}

/// Kills all references to an object; no callback is called.
pub fn clear_silently(object: &PyObject) {
    let Some(head) = weaklist_slot(object) else { return };
    // SAFETY: a list's members are alive.
    while let Some(node) = unsafe { head.get().cast::<PyWeakReference>().as_ref() } {
        node.unlink();
    }
}

unsafe extern "C" fn call_reference(
    this: *mut PyObject,
    _args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    crate::args::boundary_obj(|| {
        // SAFETY: vectorcall passes the reference, and NULL or a tuple of names.
        let (this, kwnames) = unsafe {
            (
                &*this.cast::<PyWeakReference>(),
                kwnames.cast::<PyTupleObject>().as_ref(),
            )
        };
        if kwnames.is_some_and(|names| !names.is_empty()) {
            return Err(raise!(TypeError, "weakref() takes no keyword arguments"));
        }
        let n_args = PyVectorcall_NARGS(nargsf);
        if n_args > 0 {
            return Err(raise!(TypeError, "weakref expected 0 arguments, got {n_args}"));
        }
        Ok(this.get_object().unwrap_or_else(none_ref))
    })
}

/// The object and callback of `ref(object, callback=None)`.
fn reference_arguments<'a>(
    args: &'a PyTupleObject,
    function: &str,
) -> PyResult<(&'a PyObject, Option<&'a PyObject>)> {
    match args.as_slice() {
        [object] => Ok((object, None)),
        [object, callback] => Ok((object, Some(callback))),
        [] => Err(raise!(
            TypeError,
            "{function} expected at least 1 argument, got 0"
        )),
        more => Err(raise!(
            TypeError,
            "{function} expected at most 2 arguments, got {}",
            more.len()
        )),
    }
}

/// # Safety
/// The reference or proxy is dead.
unsafe fn dealloc_reference(this: *mut PyWeakReference) {
    // SAFETY: the caller's contract.
    unsafe {
        gc::untrack(this.cast());
        (*this).unlink();
        drop((*this).take_callback());
        free_instance(this.cast());
    }
}

#[pytype(
    name = "weakref.ReferenceType",
    static_name = _PyWeakref_RefType,
    export = true,
    flags = BASETYPE | HAVE_GC | HAVE_VECTORCALL,
    vectorcall_offset = offset_of!(PyWeakReference, vectorcall),
    members = [("__callback__", _Py_T_OBJECT, offset_of!(PyWeakReference, wr_callback), Py_READONLY)],
    slots = [tp_call = crate::protocol::call::vectorcall_call]
)]
/// A reference to an object that does not keep it alive. Calling it gives the object, or None when that is gone.
impl PyWeakReference {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let exact = std::ptr::eq(cls, &_PyWeakref_RefType);
        if exact && kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "ref() takes no keyword arguments"));
        }
        let (object, callback) = reference_arguments(args, "__new__")?;
        if exact {
            return new_ref(object, callback);
        }
        let head = head_of(object)?;
        let callback = callback.filter(|callback| !is_none(callback));
        let new = alloc_instance(cls, 0)?;
        // SAFETY: an instance of a subclass of ref.
        init_reference(unsafe { new.cast_unchecked() }, object, head, callback, false);
        Ok(new)
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
            return Err(raise!(TypeError, "ref() takes no keyword arguments"));
        }
        reference_arguments(args, "__init__").map(drop)
    }
    #[slot]
    unsafe fn tp_dealloc(this: *mut Self) {
        // SAFETY: the slot's contract.
        unsafe { dealloc_reference(this) }
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        visitor.visit(self.wr_callback.get())
    }
    #[slot]
    fn tp_clear(&self) {
        self.unlink();
        drop(self.take_callback());
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        if self.hash.get() != -1 {
            return Ok(self.hash.get());
        }
        let Some(object) = self.get_object() else {
            return Err(raise!(TypeError, "weak object has gone away"));
        };
        let hash = object.hash()?;
        self.hash.set(hash);
        Ok(hash)
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyWeakReference>() else {
            return Ok(not_implemented().to_ref());
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented().to_ref());
        }
        match (self.get_object(), other.get_object()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op),
            _ => Ok(py_bool(std::ptr::eq(self, other) == (op == CompareOp::Eq))),
        }
    }
    #[slot]
    fn tp_repr(&self) -> PyResult {
        let Some(object) = self.get_object() else {
            return Ok(
                PyUnicodeObject::from_string(format!("<weakref at {:p}; dead>", self.as_ptr())).into_object(),
            );
        };
        let name = match object.lookup_special(identifier!("__name__"))? {
            Some(name) => match name.downcast::<PyUnicodeObject>() {
                Ok(name) => format!(" ({})", name.to_string_lossy()),
                Err(_) => String::new(),
            },
            None => String::new(),
        };
        let text = format!(
            "<weakref at {:p}; to '{}' at {:p}{name}>",
            self.as_ptr(),
            object.ty().fully_qualified_name(),
            object.as_raw()
        );
        Ok(PyUnicodeObject::from_string(text).into_object())
    }
    /// ref[type], for annotations.
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        super::genericaliasobject::new_generic_alias(cls.as_object(), object)
    }
}
