//! cpython/weakrefobject.h: references and proxies have one layout.
use super::*;

c_structs! {
    object PyWeakReference {
        ob_base: PyObject,
        /// Not counted; None once the object is gone.
        wr_object: ObjCell,
        wr_callback: ObjCell,
        hash: Cell<Py_hash_t>,
        wr_prev: Cell<*mut PyWeakReference>,
        wr_next: Cell<*mut PyWeakReference>,
        vectorcall: Cell<Option<vectorcallfunc>>,
    }
}
