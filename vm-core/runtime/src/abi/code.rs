//! cpython/code.h: code objects. Where CPython's bytecode would begin stands a pointer to ours.
use super::*;

c_structs! {
    plain _PyCoCached {
        _co_code: ObjCell,
        _co_varnames: ObjCell,
        _co_cellvars: ObjCell,
        _co_freevars: ObjCell,
    }
    object PyCodeObject {
        ob_base: PyVarObject,
        co_consts: ObjCell,
        co_names: ObjCell,
        co_exceptiontable: ObjCell,
        co_flags: Cell<c_int>,
        co_argcount: Cell<c_int>,
        co_posonlyargcount: Cell<c_int>,
        co_kwonlyargcount: Cell<c_int>,
        co_stacksize: Cell<c_int>,
        co_firstlineno: Cell<c_int>,
        co_nlocalsplus: Cell<c_int>,
        co_framesize: Cell<c_int>,
        co_nlocals: Cell<c_int>,
        co_ncellvars: Cell<c_int>,
        co_nfreevars: Cell<c_int>,
        co_version: Cell<u32>,
        co_localsplusnames: ObjCell,
        co_localspluskinds: ObjCell,
        co_filename: ObjCell,
        co_name: ObjCell,
        co_qualname: ObjCell,
        co_linetable: ObjCell,
        co_weakreflist: ObjCell,
        co_executors: Cell<*mut c_void>,
        _co_cached: Cell<*mut _PyCoCached>,
        _co_instrumentation_version: Cell<usize>,
        _co_monitoring: Cell<*mut c_void>,
        _co_unique_id: Cell<Py_ssize_t>,
        _co_firsttraceable: Cell<c_int>,
        co_extra: Cell<*mut c_void>,
        /// Our own code data, at the place of CPython's `co_code_adaptive`.
        adder_code: Cell<*mut c_void>,
    }
}

c_consts! {
    c_int {
        CO_OPTIMIZED = 0x0001,
        CO_NEWLOCALS = 0x0002,
        CO_VARARGS = 0x0004,
        CO_VARKEYWORDS = 0x0008,
        CO_NESTED = 0x0010,
        CO_GENERATOR = 0x0020,
        CO_COROUTINE = 0x0080,
        CO_ITERABLE_COROUTINE = 0x0100,
        CO_ASYNC_GENERATOR = 0x0200,
        CO_FUTURE_DIVISION = 0x20000,
        CO_FUTURE_ABSOLUTE_IMPORT = 0x40000,
        CO_FUTURE_WITH_STATEMENT = 0x80000,
        CO_FUTURE_PRINT_FUNCTION = 0x100000,
        CO_FUTURE_UNICODE_LITERALS = 0x200000,
        CO_FUTURE_BARRY_AS_BDFL = 0x400000,
        CO_FUTURE_GENERATOR_STOP = 0x800000,
        CO_FUTURE_ANNOTATIONS = 0x1000000,
        CO_NO_MONITORING_EVENTS = 0x2000000,
        CO_HAS_DOCSTRING = 0x4000000,
        CO_METHOD = 0x8000000,
        CO_MAXBLOCKS = 21,
    }
}

pub type PyCodeEvent = c_uint;
pub type PyCode_WatchCallback = unsafe extern "C" fn(PyCodeEvent, *mut PyCodeObject) -> c_int;
