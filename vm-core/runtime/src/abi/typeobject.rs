//! cpython/object.h: types, their method suites, type flags.
use super::*;

c_structs! {
    plain PyNumberMethods {
        nb_add: Cell<Option<binaryfunc>>,
        nb_subtract: Cell<Option<binaryfunc>>,
        nb_multiply: Cell<Option<binaryfunc>>,
        nb_remainder: Cell<Option<binaryfunc>>,
        nb_divmod: Cell<Option<binaryfunc>>,
        nb_power: Cell<Option<ternaryfunc>>,
        nb_negative: Cell<Option<unaryfunc>>,
        nb_positive: Cell<Option<unaryfunc>>,
        nb_absolute: Cell<Option<unaryfunc>>,
        nb_bool: Cell<Option<inquiry>>,
        nb_invert: Cell<Option<unaryfunc>>,
        nb_lshift: Cell<Option<binaryfunc>>,
        nb_rshift: Cell<Option<binaryfunc>>,
        nb_and: Cell<Option<binaryfunc>>,
        nb_xor: Cell<Option<binaryfunc>>,
        nb_or: Cell<Option<binaryfunc>>,
        nb_int: Cell<Option<unaryfunc>>,
        nb_reserved: Cell<*mut c_void>,
        nb_float: Cell<Option<unaryfunc>>,
        nb_inplace_add: Cell<Option<binaryfunc>>,
        nb_inplace_subtract: Cell<Option<binaryfunc>>,
        nb_inplace_multiply: Cell<Option<binaryfunc>>,
        nb_inplace_remainder: Cell<Option<binaryfunc>>,
        nb_inplace_power: Cell<Option<ternaryfunc>>,
        nb_inplace_lshift: Cell<Option<binaryfunc>>,
        nb_inplace_rshift: Cell<Option<binaryfunc>>,
        nb_inplace_and: Cell<Option<binaryfunc>>,
        nb_inplace_xor: Cell<Option<binaryfunc>>,
        nb_inplace_or: Cell<Option<binaryfunc>>,
        nb_floor_divide: Cell<Option<binaryfunc>>,
        nb_true_divide: Cell<Option<binaryfunc>>,
        nb_inplace_floor_divide: Cell<Option<binaryfunc>>,
        nb_inplace_true_divide: Cell<Option<binaryfunc>>,
        nb_index: Cell<Option<unaryfunc>>,
        nb_matrix_multiply: Cell<Option<binaryfunc>>,
        nb_inplace_matrix_multiply: Cell<Option<binaryfunc>>,
    }
    plain PySequenceMethods {
        sq_length: Cell<Option<lenfunc>>,
        sq_concat: Cell<Option<binaryfunc>>,
        sq_repeat: Cell<Option<ssizeargfunc>>,
        sq_item: Cell<Option<ssizeargfunc>>,
        was_sq_slice: Cell<*mut c_void>,
        sq_ass_item: Cell<Option<ssizeobjargproc>>,
        was_sq_ass_slice: Cell<*mut c_void>,
        sq_contains: Cell<Option<objobjproc>>,
        sq_inplace_concat: Cell<Option<binaryfunc>>,
        sq_inplace_repeat: Cell<Option<ssizeargfunc>>,
    }
    plain PyMappingMethods {
        mp_length: Cell<Option<lenfunc>>,
        mp_subscript: Cell<Option<binaryfunc>>,
        mp_ass_subscript: Cell<Option<objobjargproc>>,
    }
    plain PyAsyncMethods {
        am_await: Cell<Option<unaryfunc>>,
        am_aiter: Cell<Option<unaryfunc>>,
        am_anext: Cell<Option<unaryfunc>>,
        am_send: Cell<Option<sendfunc>>,
    }
    plain PyBufferProcs {
        bf_getbuffer: Cell<Option<getbufferproc>>,
        bf_releasebuffer: Cell<Option<releasebufferproc>>,
    }
    object PyTypeObject {
        ob_base: PyVarObject,
        tp_name: StrCell,
        tp_basicsize: Cell<Py_ssize_t>,
        tp_itemsize: Cell<Py_ssize_t>,
        tp_dealloc: Cell<Option<destructor>>,
        tp_vectorcall_offset: Cell<Py_ssize_t>,
        tp_getattr: Cell<Option<getattrfunc>>,
        tp_setattr: Cell<Option<setattrfunc>>,
        tp_as_async: Cell<*mut PyAsyncMethods>,
        tp_repr: Cell<Option<reprfunc>>,
        tp_as_number: Cell<*mut PyNumberMethods>,
        tp_as_sequence: Cell<*mut PySequenceMethods>,
        tp_as_mapping: Cell<*mut PyMappingMethods>,
        tp_hash: Cell<Option<hashfunc>>,
        tp_call: Cell<Option<ternaryfunc>>,
        tp_str: Cell<Option<reprfunc>>,
        tp_getattro: Cell<Option<getattrofunc>>,
        tp_setattro: Cell<Option<setattrofunc>>,
        tp_as_buffer: Cell<*mut PyBufferProcs>,
        tp_flags: Cell<c_ulong>,
        tp_doc: StrCell,
        tp_traverse: Cell<Option<traverseproc>>,
        tp_clear: Cell<Option<inquiry>>,
        tp_richcompare: Cell<Option<richcmpfunc>>,
        tp_weaklistoffset: Cell<Py_ssize_t>,
        tp_iter: Cell<Option<getiterfunc>>,
        tp_iternext: Cell<Option<iternextfunc>>,
        tp_methods: Cell<*mut PyMethodDef>,
        tp_members: Cell<*mut PyMemberDef>,
        tp_getset: Cell<*mut PyGetSetDef>,
        tp_base: Cell<*mut PyTypeObject>,
        tp_dict: ObjCell,
        tp_descr_get: Cell<Option<descrgetfunc>>,
        tp_descr_set: Cell<Option<descrsetfunc>>,
        tp_dictoffset: Cell<Py_ssize_t>,
        tp_init: Cell<Option<initproc>>,
        tp_alloc: Cell<Option<allocfunc>>,
        tp_new: Cell<Option<newfunc>>,
        tp_free: Cell<Option<freefunc>>,
        tp_is_gc: Cell<Option<inquiry>>,
        tp_bases: ObjCell,
        tp_mro: ObjCell,
        tp_cache: ObjCell,
        tp_subclasses: Cell<*mut c_void>,
        tp_weaklist: ObjCell,
        tp_del: Cell<Option<destructor>>,
        tp_version_tag: Cell<c_uint>,
        tp_finalize: Cell<Option<destructor>>,
        tp_vectorcall: Cell<Option<vectorcallfunc>>,
        tp_watched: Cell<c_uchar>,
        tp_versions_used: Cell<u16>,
    }
    /// What the specialiser keeps per type; opaque to C.
    plain _specialization_cache = "struct _specialization_cache" {
        getitem: ObjCell,
        getitem_version: Cell<u32>,
        init: ObjCell,
    }
    object PyHeapTypeObject {
        ht_type: PyTypeObject,
        as_async: PyAsyncMethods,
        as_number: PyNumberMethods,
        as_mapping: PyMappingMethods,
        as_sequence: PySequenceMethods,
        as_buffer: PyBufferProcs,
        ht_name: ObjCell,
        ht_slots: ObjCell,
        ht_qualname: ObjCell,
        ht_cached_keys: Cell<*mut c_void>,
        ht_module: ObjCell,
        _ht_tpname: Cell<*mut c_char>,
        ht_token: Cell<*mut c_void>,
        _spec_cache: _specialization_cache,
    }
    plain PyType_Slot {
        slot: Cell<c_int>,
        pfunc: Cell<*mut c_void>,
    }
    plain PyType_Spec {
        name: StrCell,
        basicsize: Cell<c_int>,
        itemsize: Cell<c_int>,
        flags: Cell<c_uint>,
        slots: Cell<*mut PyType_Slot>,
    }
}

c_consts! {
    c_ulong {
        _Py_TPFLAGS_STATIC_BUILTIN = 1 << 1,
        Py_TPFLAGS_INLINE_VALUES = 1 << 2,
        Py_TPFLAGS_MANAGED_WEAKREF = 1 << 3,
        Py_TPFLAGS_MANAGED_DICT = 1 << 4,
        Py_TPFLAGS_PREHEADER = Py_TPFLAGS_MANAGED_WEAKREF | Py_TPFLAGS_MANAGED_DICT,
        Py_TPFLAGS_SEQUENCE = 1 << 5,
        Py_TPFLAGS_MAPPING = 1 << 6,
        Py_TPFLAGS_DISALLOW_INSTANTIATION = 1 << 7,
        Py_TPFLAGS_IMMUTABLETYPE = 1 << 8,
        Py_TPFLAGS_HEAPTYPE = 1 << 9,
        Py_TPFLAGS_BASETYPE = 1 << 10,
        Py_TPFLAGS_HAVE_VECTORCALL = 1 << 11,
        Py_TPFLAGS_READY = 1 << 12,
        Py_TPFLAGS_READYING = 1 << 13,
        Py_TPFLAGS_HAVE_GC = 1 << 14,
        Py_TPFLAGS_HAVE_STACKLESS_EXTENSION = 0,
        Py_TPFLAGS_METHOD_DESCRIPTOR = 1 << 17,
        Py_TPFLAGS_HAVE_VERSION_TAG = 1 << 18,
        Py_TPFLAGS_VALID_VERSION_TAG = 1 << 19,
        Py_TPFLAGS_IS_ABSTRACT = 1 << 20,
        _Py_TPFLAGS_MATCH_SELF = 1 << 22,
        Py_TPFLAGS_ITEMS_AT_END = 1 << 23,
        Py_TPFLAGS_LONG_SUBCLASS = 1 << 24,
        Py_TPFLAGS_LIST_SUBCLASS = 1 << 25,
        Py_TPFLAGS_TUPLE_SUBCLASS = 1 << 26,
        Py_TPFLAGS_BYTES_SUBCLASS = 1 << 27,
        Py_TPFLAGS_UNICODE_SUBCLASS = 1 << 28,
        Py_TPFLAGS_DICT_SUBCLASS = 1 << 29,
        Py_TPFLAGS_BASE_EXC_SUBCLASS = 1 << 30,
        Py_TPFLAGS_TYPE_SUBCLASS = 1 << 31,
        Py_TPFLAGS_DEFAULT = 0,
        Py_TPFLAGS_HAVE_FINALIZE = 1 << 0,
    }
    u16 {
        _Py_ATTR_CACHE_UNUSED = 30000,
    }
}

impl PyTypeObject {
    /// True when all bits of `flags` are set.
    #[inline(always)]
    pub fn has_feature(&self, flags: c_ulong) -> bool {
        self.tp_flags.get() & flags == flags
    }

    #[inline(always)]
    pub fn is_gc(&self) -> bool {
        self.has_feature(Py_TPFLAGS_HAVE_GC)
    }

    #[inline(always)]
    pub fn is_heap_type(&self) -> bool {
        self.has_feature(Py_TPFLAGS_HEAPTYPE)
    }

    /// The number of bytes before the object itself that its allocation has (collector head, managed dict and weak list).
    #[inline(always)]
    pub fn prehead_size(&self) -> usize {
        let flags = self.tp_flags.get();
        (if flags & Py_TPFLAGS_HAVE_GC != 0 {
            size_of::<PyGC_Head>()
        } else {
            0
        }) + (if flags & Py_TPFLAGS_PREHEADER != 0 {
            2 * size_of::<*mut c_void>()
        } else {
            0
        })
    }
}

pub type PyType_WatchCallback = unsafe extern "C" fn(*mut PyTypeObject) -> c_int;
