//! Forms of CALL: Python functions with just their arguments, bound methods, builtin functions and methods, classes with a Python
//! `__init__`.

use super::*;

/// CALL: `args[0]` is the callable, `args[1]` its `self` or empty.
#[inline(always)]
pub unsafe fn call(pc: *const u64, args: *mut *mut PyObject, n: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        if tick(pc) && !specialize_call(pc, &**args, (*args.add(1)).as_ref(), n) {
            give_up(pc);
        }
    }
}

#[cold]
unsafe fn specialize_call(pc: *const u64, callable: &PyObject, this: Option<&PyObject>, n: usize) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let ty = callable.ty();
        if std::ptr::eq(ty, &PyFunction_Type) {
            return specialize_function(
                pc,
                callable.cast_unchecked(),
                n + usize::from(this.is_some()),
                op::CALL_PY_EXACT,
            );
        }
        if std::ptr::eq(ty, &PyMethod_Type) && this.is_none() {
            let method = callable.cast_unchecked::<PyMethodObject>();
            let function = &*method.im_func.get();
            if !std::ptr::eq(function.ty(), &PyFunction_Type) {
                return false;
            }
            return specialize_function(pc, function.cast_unchecked(), n + 1, op::CALL_BOUND_METHOD);
        }
        if std::ptr::eq(ty, &adder_runtime::objects::methodobject::PyCFunction_Type) && this.is_none() {
            let flags = (*callable.cast_unchecked::<PyCFunctionObject>().m_ml.get())
                .ml_flags
                .get();
            let opcode = match flags {
                METH_O if n == 1 && crate::builtins::is_len(callable) => {
                    // Builtin functions live as long as the interpreter; this one is kept in any case.
                    keep_alive(callable);
                    set_word(pc, 2, callable.as_ptr() as u64);
                    op::CALL_LEN
                }
                METH_O if n == 1 => op::CALL_BUILTIN_O,
                _ if crate::call::is_builtin(callable.as_ptr(), false, n) => op::CALL_BUILTIN_FAST,
                _ => return false,
            };
            set_opcode(pc, opcode);
            return true;
        }
        if std::ptr::eq(ty, &adder_runtime::objects::descrobject::PyMethodDescr_Type)
            && let Some(this) = this
        {
            let descriptor = callable.cast_unchecked::<PyMethodDescrObject>();
            let flags = (*descriptor.d_method.get()).ml_flags.get();
            let fits = match flags {
                METH_NOARGS => n == 0,
                METH_O => n == 1,
                METH_FASTCALL => true,
                flags => flags == METH_FASTCALL | METH_KEYWORDS,
            };
            // A `self` in the second register is of the right type: LOAD_METHOD found the descriptor on its type.
            if !fits || !this.ty().is_subtype(&*descriptor.d_common.d_type.get()) {
                return false;
            }
            set_word(pc, 2, callable.as_ptr() as u64);
            // The cached address must not be taken by another method.
            keep_alive(callable);
            set_opcode(pc, op::CALL_METHOD_DESCRIPTOR);
            return true;
        }
        if std::ptr::eq(ty, PyTypeObject::type_object()) && this.is_none() {
            return specialize_class(pc, callable.cast_unchecked(), n);
        }
        false
    }
}

/// The object is not counted any more: the few methods that calls are specialised for are those of native types.
fn keep_alive(object: &PyObject) {
    object.set_immortal();
}

unsafe fn specialize_function(
    pc: *const u64,
    function: &PyFunctionObject,
    n_args: usize,
    opcode: u8,
) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let data = function.code().data();
        let ours = function
            .vectorcall
            .get()
            .is_some_and(|slot| slot as usize == crate::call::function_vectorcall as *const () as usize);
        let n_defaults = function.defaults().map_or(0, |defaults| defaults.len());
        let n_wanted = data.n_args as usize;
        if !ours || !data.simple_arguments || !(n_args..=n_args + n_defaults).contains(&n_wanted) {
            return false;
        }
        let version = function.version();
        if version == 0 {
            return false;
        }
        set_high(pc, version);
        set_word(pc, 2, n_wanted as u64);
        set_opcode(pc, opcode);
        true
    }
}

unsafe fn specialize_class(pc: *const u64, class: &PyTypeObject, n: usize) -> bool {
    // SAFETY: the caller's contract.
    unsafe {
        let plain_new = class.tp_new.get().map(|slot| slot as usize)
            == adder_runtime::objects::object::PyBaseObject_Type
                .tp_new
                .get()
                .map(|slot| slot as usize);
        if !plain_new
            || class.tp_flags.get() & Py_TPFLAGS_IS_ABSTRACT != 0
            || class.tp_flags.get() & Py_TPFLAGS_HEAPTYPE == 0
            || class.tp_vectorcall.get().is_some()
            || class.tp_itemsize.get() != 0
            || !assign_version(class)
        {
            return false;
        }
        let Some(init) = class.lookup(identifier!("__init__")) else {
            return false;
        };
        if !std::ptr::eq(init.ty(), &PyFunction_Type) {
            return false;
        }
        let code = init.cast_unchecked::<PyFunctionObject>().code();
        if code.is_generator_like() || !code.data().simple_arguments || code.data().n_args as usize != n + 1 {
            return false;
        }
        // The class keeps `__init__` alive as long as it has this version.
        set_high(pc, class.tp_version_tag.get());
        set_word(pc, 2, init.as_ptr() as u64);
        set_opcode(pc, op::CALL_CLASS_INIT);
        true
    }
}
