//! `_testinternalcapi`: what tests ask about the inside of the virtual machine. Every answer is of the real internals;
//! what CPython's module tells of things that are not here (its bytecode, its optimizer) is absent.

use adder_runtime::memory::{self, gc as collector};
use adder_runtime::objects::dictobject::instance;
use adder_runtime::objects::dictobject::keys::DictKeys;
use adder_runtime::objects::dictobject::values::SHARED_KEYS_MAX_SIZE as MAX_SHARED;
use adder_runtime::objects::setobject::{PyFrozenSet_Type, PySet_Type};
use adder_runtime::args::IntoPy;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, thread_state};
use adder_runtime::types::{lookup, registry, slotdefs};

/// Calls the method of a str or bytes that recodes by the file system's encoding; what cannot be recoded is a RuntimeError.
fn recode(object: &PyObject, method: &str, errors: Option<&PyUnicodeObject>, place: &str) -> PyResult {
    let errors = errors.map_or_else(|| "strict".to_owned(), PyUnicodeObject::to_string_lossy);
    if !["strict", "surrogateescape", "surrogatepass"].contains(&errors.as_str()) {
        return Err(raise!(ValueError, "unsupported error handler"));
    }
    let encoding = adder_runtime::hooks::import_module("sys")?
        .call_method(identifier!("getfilesystemencoding"), &[])?;
    let errors = PyUnicodeObject::from_string(errors);
    let method_name = PyUnicodeObject::intern(PyUnicodeObject::from_str(method));
    object
        .call_method(&method_name, &[&encoding, errors.as_object()])
        .map_err(|raised| {
            let problem = raised.take();
            if !problem.is_instance_of(adder_runtime::exceptions::exc::UnicodeError) {
                return adder_runtime::error::restore(problem);
            }
            let part = |name: &str| {
                problem
                    .get_attr_str(name)
                    .and_then(|value| value.str())
                    .map_or_else(|raised| { raised.clear(); String::new() }, |text| text.to_string_lossy())
            };
            raise!(RuntimeError, "{method} error: pos={}, reason={}", part(place), part("reason"))
        })
}

/// Questions about the inside of the virtual machine, for tests.
#[pymodule(name = "_testinternalcapi", types = [])]
pub mod _testinternalcapi {
    use super::*;

    #[pyconst]
    const SIZEOF_PYGC_HEAD: i64 = memory::GC_HEAD_SIZE as i64;
    #[pyconst]
    const SIZEOF_MANAGED_PRE_HEADER: i64 = 2 * size_of::<*mut PyObject>() as i64;
    #[pyconst]
    const SIZEOF_PYOBJECT: i64 = size_of::<PyObject>() as i64;
    #[pyconst]
    const SIZEOF_TIME_T: i64 = size_of::<libc::time_t>() as i64;
    #[pyconst]
    const SHARED_KEYS_MAX_SIZE: i64 = MAX_SHARED as i64;

    #[pyconst]
    const SPECIALIZATION_THRESHOLD: i64 = adder_runtime::hooks::SPECIALIZATION_THRESHOLD as i64;
    #[pyconst]
    const SPECIALIZATION_COOLDOWN: i64 = adder_runtime::hooks::SPECIALIZATION_COOLDOWN as i64;

    /// Whether the attributes of an instance are inline values.
    #[pyfunction("($module, obj, /)")]
    fn has_inline_values(obj: &PyObject) -> bool {
        instance::valid_inline_values(obj).is_some()
    }
    /// Whether a dict shares its keys with others.
    #[pyfunction("($module, dct, /)")]
    fn has_split_table(dct: &PyObject) -> bool {
        dct.downcast::<PyDictObject>().is_some_and(PyDictObject::is_split)
    }
    /// The inline values of an instance in the order of its class's keys, `None` when it has none.
    #[pyfunction("($module, obj, /)")]
    fn get_object_dict_values(obj: &PyObject) -> PyResult {
        let Some(values) = instance::valid_inline_values(obj) else {
            return Ok(none().to_ref());
        };
        let used = instance::shared_keys(obj.ty()).shared_used();
        let found = (0..used).map(|at| {
            // SAFETY: the values have room for each entry of the shared keys; null is an attribute that is not set.
            unsafe { Ref::from_borrowed_opt(values.value(at as isize).get()) }
                .unwrap_or_else(|| PyUnicodeObject::from_str("<NULL>").into_object())
        });
        Ok(PyTupleObject::from_vec(found.collect()).into_object())
    }
    /// An item of a dict, looked up with the hash given.
    #[pyfunction("($module, mp, key, hash, /)")]
    fn dict_getitem_knownhash(mp: &PyObject, key: &PyObject, hash: isize) -> PyResult {
        let Some(dict) = mp.downcast::<PyDictObject>() else {
            return Err(raise!(SystemError, "bad internal call: {} is not a dict", mp.ty().name()));
        };
        match dict.get_known_hash(key, hash)? {
            Some(value) => Ok(value),
            None => Err(adder_runtime::objects::dictobject::key_error(key)),
        }
    }
    /// The version that the next table of keys will get.
    #[pyfunction("($module, /)")]
    fn get_next_dict_keys_version() -> u32 {
        DictKeys::next_version()
    }
    /// How many Python calls are under way in this thread.
    #[pyfunction("($module, /)")]
    fn get_recursion_depth() -> i32 {
        thread_state().recursion_depth()
    }
    /// How many native calls of a kilobyte fit on this thread's stack still.
    #[pyfunction("($module, /)")]
    fn get_c_recursion_remaining() -> usize {
        let marker = 0u8;
        (&raw const marker as usize).saturating_sub(thread_state().stack_limit.get()) / 1024
    }
    /// Has a single-phase extension module loaded anew at its next import.
    #[pyfunction("($module, name, filename, /)")]
    fn clear_extension(name: &str, filename: &str) {
        if let Some(forget) = adder_interp::import::FORGET_EXTENSION.get() {
            forget(name, filename);
        }
    }
    /// Where a block was allocated, as `tracemalloc` knows it.
    #[pyfunction("($module, domain, ptr, /)")]
    fn _PyTraceMalloc_GetTraceback(domain: u32, ptr: usize) -> PyResult<Option<Ref<PyTupleObject>>> {
        let block = ptr as *const std::ffi::c_void;
        memory::trace::traceback_of(domain, block, crate::tracemalloc::frames_of)
    }
    /// The bytes of a text in the encoding of the operating system's interface.
    #[pyfunction("($module, text, current_locale=0, errors=None, /)")]
    fn EncodeLocaleEx(text: &PyObject, current_locale: Option<i32>, errors: Option<&PyUnicodeObject>) -> PyResult {
        let _ = current_locale;
        super::recode(text, "encode", errors, "start")
    }
    /// The text that bytes of the operating system's interface mean.
    #[pyfunction("($module, bytes, current_locale=0, errors=None, /)")]
    fn DecodeLocaleEx(bytes: &PyObject, current_locale: Option<i32>, errors: Option<&PyUnicodeObject>) -> PyResult {
        let _ = current_locale;
        super::recode(bytes, "decode", errors, "start")
    }
    /// Queues calls that whichever thread comes first makes; answers how many found room.
    #[pyfunction("($module, func, num=1, *, blocking=False, ensure_added=False)")]
    fn pending_threadfunc(func: &PyObject, num: usize, blocking: bool, ensure_added: bool) -> usize {
        let _ = blocking;
        let mut n_added = 0;
        while n_added < num {
            let function = func.to_ref();
            let call = move || function.call0().map(drop);
            if adder_interp::pending::add_pending_call(false, Box::new(call)) {
                n_added += 1;
            } else if ensure_added {
                thread::allow_threads(std::thread::yield_now);
            } else {
                break;
            }
        }
        n_added
    }
    /// Where this thread's native stack is.
    #[pyfunction("($module, /)")]
    fn get_stack_pointer() -> usize {
        let marker = 0u8;
        &raw const marker as usize
    }
    /// How many bytes of the native stack are kept in reserve.
    #[pyfunction("($module, /)")]
    fn get_stack_margin() -> usize {
        thread::STACK_RESERVE
    }
    /// Gives a class a version that other classes may have: tests only.
    #[pyfunction("($module, type, version, /)")]
    fn type_assign_specific_version_unsafe(ty: &PyTypeObject, version: u32) -> PyResult<()> {
        if ty.has_flag(Py_TPFLAGS_IMMUTABLETYPE) {
            return Err(raise!(TypeError, "the type {} is immutable", ty.name()));
        }
        lookup::set_version(ty, version);
        Ok(())
    }
    /// The static types that are part of the virtual machine.
    #[pyfunction("($module, /)")]
    fn get_static_builtin_types() -> PyResult {
        let types = registry::all_types().map(|ty| ty.to_object());
        Ok(PyListObject::from_vec(types.collect()).into_object())
    }
    /// The names of the methods that slots have, as often as they have rows.
    #[pyfunction("($module, /)")]
    fn identify_type_slot_wrappers() -> PyResult {
        let names = slotdefs::SLOT_DEFS
            .iter()
            .filter(|row| row.wrapper.is_some())
            .map(|row| PyUnicodeObject::from_str(row.name).into_object());
        Ok(PyListObject::from_vec(names.collect()).into_object())
    }
    /// Whether an object is a static one that lives for ever.
    #[pyfunction("($module, op, /)")]
    fn is_static_immortal(op: &PyObject) -> bool {
        op.is_static_immortal()
    }
    /// The allocator of objects.
    #[pyfunction("($module, /)")]
    fn pymem_getallocatorsname() -> &'static str {
        "malloc"
    }
    /// Calls `PyErr_SetKeyError`'s like: a KeyError of exactly this argument.
    #[pyfunction("($module, arg, /)")]
    fn _pyerr_setkeyerror(arg: &PyObject) -> PyResult {
        Err(adder_runtime::objects::dictobject::key_error(arg))
    }
    /// How many objects the collector tracks.
    #[pyfunction("($module, /)")]
    fn get_tracked_heap_size() -> usize {
        collector::tracked_objects()
    }
    /// The element of a set after a place, its hash and the place after it.
    #[pyfunction("($module, set, pos, /)")]
    fn set_next_entry(set: &PyObject, pos: usize) -> PyResult {
        let mut position = pos;
        let is_set = PyFrozenSet_Type.as_object().is(set.ty().as_object())
            || set.ty().is_subtype(&PySet_Type)
            || set.ty().is_subtype(&PyFrozenSet_Type);
        // SAFETY: sets and frozen sets have one layout.
        match is_set.then(|| unsafe { set.cast_unchecked::<PySetObject>() }) {
            Some(table) => match table.next_entry(&mut position) {
                Some((key, hash)) => (1i64, position, hash, key.to_ref()).into_py(),
                None => Ok(none().to_ref()),
            },
            None => Err(raise!(SystemError, "bad internal call: {} is not a set", set.ty().name())),
        }
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        crate::module_parts::add_part(module, &crate::crossinterp::for_tests::interpreters_for_tests::DEF)?;
        crate::module_parts::add_part(module, &crate::pytime::for_tests::DEF)
    }
}
