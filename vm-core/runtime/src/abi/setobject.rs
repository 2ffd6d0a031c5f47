//! cpython/setobject.h: an open hash table of (key, hash), the first eight in the object.
use super::*;

c_structs! {
    /// Unused: key null, hash 0. Dummy: hash -1. Otherwise active.
    plain setentry {
        key: ObjCell,
        hash: Cell<Py_hash_t>,
    }
    object PySetObject {
        ob_base: PyObject,
        /// Active and dummy entries.
        fill: Cell<Py_ssize_t>,
        used: Cell<Py_ssize_t>,
        /// Table size - 1; a table's size is a power of 2.
        mask: Cell<Py_ssize_t>,
        table: Cell<*mut setentry>,
        hash: Cell<Py_hash_t>,
        finger: Cell<Py_ssize_t>,
        smalltable: [setentry; 8],
        weakreflist: ObjCell,
    }
}

c_consts! {
    usize {
        PySet_MINSIZE = 8,
    }
}
