//! descrobject.h, structmember.h: descriptors made from C tables, read-only mappings.

use adder_runtime::objects::{descrobject, mappingproxy, structmember};
use adder_runtime::prelude::*;

/// An object at an address, for PyMember_*.
///
/// # Safety
/// The address is an object's.
unsafe fn object_at<'a>(address: *const c_char) -> &'a PyObject {
    // SAFETY: the caller's contract.
    unsafe { &*address.cast::<PyObject>() }
}

capi! {
    fn PyDescr_NewMethod(ty: &PyTypeObject, def: *mut PyMethodDef) -> PyResult {
        // SAFETY: C gives a definition that outlives the type.
        descrobject::new_method_descriptor(ty, unsafe { &*def })
    }
    fn PyDescr_NewClassMethod(ty: &PyTypeObject, def: *mut PyMethodDef) -> PyResult {
        // SAFETY: as above.
        descrobject::new_class_method(ty, unsafe { &*def })
    }
    fn PyDescr_NewMember(ty: &PyTypeObject, def: *mut PyMemberDef) -> PyResult {
        // SAFETY: as above.
        let def = unsafe { &*def };
        if def.flags.get() & Py_RELATIVE_OFFSET != 0 {
            return Err(raise!(SystemError, "PyDescr_NewMember used with Py_RELATIVE_OFFSET"));
        }
        descrobject::new_member(ty, def)
    }
    fn PyDescr_NewGetSet(ty: &PyTypeObject, def: *mut PyGetSetDef) -> PyResult {
        // SAFETY: as above.
        descrobject::new_getset(ty, unsafe { &*def })
    }
    /// A slot wrapper; what it does is what the slot of that name does.
    fn PyDescr_NewWrapper(ty: &PyTypeObject, base: *mut wrapperbase, wrapped: *mut c_void) -> PyResult {
        // SAFETY: C gives a row with a terminated name.
        let name = unsafe { std::ffi::CStr::from_ptr((*base).name.get()) }.to_string_lossy();
        match adder_runtime::types::slotdefs::row_named(&name) {
            Some(row) => descrobject::new_wrapper(ty, row, wrapped),
            None => Err(raise!(SystemError, "PyDescr_NewWrapper: no slot is called {name}")),
        }
    }
    fn PyDescr_IsData(descriptor: &PyObject) -> bool { descriptor.ty().tp_descr_set.get().is_some() }
    fn PyWrapper_New(descriptor: &PyObject, object: &PyObject) -> PyResult {
        descriptor.call_method(identifier!("__get__"), &[object])
    }
    fn PyDictProxy_New(mapping: &PyObject) -> PyResult { mappingproxy::mapping_proxy(mapping) }
    fn PyMember_GetOne(address: *const c_char, def: *mut PyMemberDef) -> PyResult {
        // SAFETY: C gives an object's address and a member that its struct has.
        if unsafe { &*def }.flags.get() & Py_RELATIVE_OFFSET != 0 {
            return Err(raise!(SystemError, "PyMember_GetOne used with Py_RELATIVE_OFFSET"));
        }
        // SAFETY: as above.
        unsafe { structmember::get(object_at(address), &*def) }
    }
    fn PyMember_SetOne(address: *mut c_char, def: *mut PyMemberDef, value: Option<&PyObject>) -> PyResult<()> {
        // SAFETY: as above.
        if unsafe { &*def }.flags.get() & Py_RELATIVE_OFFSET != 0 {
            return Err(raise!(SystemError, "PyMember_SetOne used with Py_RELATIVE_OFFSET"));
        }
        // SAFETY: as above.
        unsafe { structmember::set(object_at(address), &*def, value) }
    }
}
