//! ceval.h, pythonrun.h, compile.h: running code, the current frame's names, recursion, the GIL around blocking calls.

use crate::export::{Borrowed, Void, bad_internal_call};
use adder_runtime::hooks;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, thread_state};
use std::ffi::CStr;

/// A `Py_tracefunc` or NULL as C passes it.
///
/// # Safety
/// `function` is one of them.
unsafe fn tracefunc(function: *mut c_void) -> Option<Py_tracefunc> {
    // SAFETY: the caller's contract; NULL is `None`.
    unsafe { std::mem::transmute::<*mut c_void, Option<Py_tracefunc>>(function) }
}

/// The dict of the module `builtins`.
pub fn builtins_module_dict() -> PyResult<Ref<PyDictObject>> {
    let module = crate::import::import_module("builtins")?;
    crate::moduleobject::dict_of(&module).map(|dict| dict.to_ref())
}

fn current_builtins() -> PyResult {
    match hooks::get().and_then(|hooks| (hooks.current_builtins)()) {
        Some(builtins) => Ok(builtins),
        None => builtins_module_dict().map(Ref::into_object),
    }
}

fn builtin(name: &PyUnicodeObject) -> PyResult {
    builtins_module_dict()?
        .get_str(name)
        .ok_or_else(|| raise!(NameError, "name '{}' is not defined", name.to_string_lossy()))
}

/// `sys._getframe()`, None-free.
fn current_frame() -> Option<Ref> {
    let function = crate::sysmodule::sys_attribute_opt(identifier!("_getframe"))?;
    match function.call0() {
        Ok(frame) => Some(frame),
        Err(raised) => {
            raised.clear();
            None
        }
    }
}

fn mode_of(start: c_int) -> PyResult<&'static str> {
    match start {
        Py_eval_input => Ok("eval"),
        Py_file_input => Ok("exec"),
        Py_single_input => Ok("single"),
        Py_func_type_input => Ok("func_type"),
        _ => Err(raise!(ValueError, "invalid start symbol {start}")),
    }
}

/// `compile(source, filename, mode, flags, True, optimize)`.
pub fn compile(
    source: &CStr,
    filename: &PyObject,
    start: c_int,
    flags: *const PyCompilerFlags,
    optimize: c_int,
) -> PyResult {
    // What `compile` takes; C may set other bits.
    const KNOWN: c_int = PyCF_ONLY_AST
        | PyCF_TYPE_COMMENTS
        | PyCF_ALLOW_TOP_LEVEL_AWAIT
        | PyCF_ALLOW_INCOMPLETE_INPUT
        | PyCF_OPTIMIZED_AST
        | PyCF_DONT_IMPLY_DEDENT
        | CO_FUTURE_DIVISION
        | CO_FUTURE_ABSOLUTE_IMPORT
        | CO_FUTURE_WITH_STATEMENT
        | CO_FUTURE_PRINT_FUNCTION
        | CO_FUTURE_UNICODE_LITERALS
        | CO_FUTURE_BARRY_AS_BDFL
        | CO_FUTURE_GENERATOR_STOP
        | CO_FUTURE_ANNOTATIONS;
    // SAFETY: C gives flags or NULL.
    let flags = unsafe { flags.as_ref() }.map_or(0, |flags| flags.cf_flags.get());
    let source = match flags & PyCF_IGNORE_COOKIE {
        0 => PyBytesObject::from_slice(source.to_bytes()).into_object(),
        _ => crate::export::str_from_utf8(source.to_bytes())?.into_object(),
    };
    let flags = flags & KNOWN;
    let mode = PyUnicodeObject::from_str(mode_of(start)?);
    let (flags, optimize) = (
        PyLongObject::from_i64(flags as i64),
        PyLongObject::from_i64(optimize as i64),
    );
    builtin(identifier!("compile"))?.call(&[
        &source,
        filename,
        mode.as_object(),
        flags.as_object(),
        true_(),
        optimize.as_object(),
    ])
}

/// Runs a code object in the given names.
pub fn eval_code(code: &PyObject, globals: &PyObject, locals: Option<&PyObject>) -> PyResult {
    let Some(globals_dict) = globals.downcast::<PyDictObject>() else {
        return Err(raise!(SystemError, "PyEval_EvalCode: globals must be a dict"));
    };
    if !globals_dict.contains(identifier!("__builtins__").as_object())? {
        globals_dict.set_str(identifier!("__builtins__"), current_builtins()?.as_object())?;
    }
    builtin(identifier!("eval"))?.call(&[code, globals, locals.unwrap_or(globals)])
}

fn run_string(
    source: &CStr,
    start: c_int,
    globals: &PyObject,
    locals: Option<&PyObject>,
    flags: *const PyCompilerFlags,
) -> PyResult {
    let filename = PyUnicodeObject::from_str("<string>");
    eval_code(
        &*compile(source, filename.as_object(), start, flags, -1)?,
        globals,
        locals,
    )
}

/// Runs statements in `__main__` and prints what they raise.
fn run_simple(source: &CStr, flags: *const PyCompilerFlags) -> c_int {
    let result = crate::import::import_module("__main__").and_then(|main| {
        let globals = crate::moduleobject::dict_of(&main)?.to_ref();
        run_string(source, Py_file_input, globals.as_object(), None, flags)
    });
    match result {
        Ok(_) => 0,
        Err(_) => {
            crate::pylifecycle::print_and_clear();
            -1
        }
    }
}

capi! {
    fn PyEval_GetBuiltins() -> PyResult<Borrowed> {
        // Kept by the frame or by the module.
        current_builtins().map(|builtins| Borrowed(builtins.as_raw()))
    }
    fn PyEval_GetGlobals() -> Borrowed {
        Borrowed(hooks::current_globals().map_or(std::ptr::null_mut(), |globals| globals.as_raw().cast()))
    }
    fn PyEval_GetLocals() -> PyResult<Borrowed> {
        let (frame, locals) = frame_locals()?;
        if !is_locals_proxy(&locals) {
            // The frame keeps its mapping.
            return Ok(Borrowed(locals.as_raw()));
        }
        // SAFETY: `_getframe` gives frame objects.
        let cache = unsafe { &(*frame.as_ptr().cast::<PyFrameObject>()).f_locals_cache };
        // SAFETY: null or the dict that was put there.
        let dict = match unsafe { Ref::from_borrowed_opt(cache.get().cast::<PyDictObject>()) } {
            Some(dict) => dict,
            None => {
                let dict = PyDictObject::new();
                cache.set(dict.clone().into_object_raw());
                dict
            }
        };
        dict.update(&locals)?;
        // The frame object keeps the dict.
        Ok(Borrowed(dict.as_raw().cast()))
    }
    fn PyEval_GetFrameBuiltins() -> PyResult { current_builtins() }
    fn PyEval_GetFrameGlobals() -> Option<Ref<PyDictObject>> { hooks::current_globals() }
    fn PyEval_GetFrameLocals() -> PyResult {
        let (_, locals) = frame_locals()?;
        if !is_locals_proxy(&locals) {
            return Ok(locals);
        }
        let dict = PyDictObject::new();
        dict.update(&locals)?;
        Ok(dict.into_object())
    }
    fn PyEval_GetFrame() -> Borrowed {
        // The running frame keeps its object.
        Borrowed(current_frame().map_or(std::ptr::null_mut(), |frame| frame.as_raw()))
    }
    fn PyEval_GetFuncName(function: &PyObject) -> *const c_char {
        func_name(function)
    }
    fn PyEval_GetFuncDesc(function: &PyObject) -> *const c_char {
        let parens = PyFunctionObject::check(function) || PyMethodObject::check(function) || PyCFunctionObject::check(function);
        if parens { c"()".as_ptr() } else { c" object".as_ptr() }
    }
    fn PyEval_EvalCode(code: &PyObject, globals: &PyObject, locals: Option<&PyObject>) -> PyResult {
        eval_code(code, globals, locals)
    }
    fn PyEval_EvalCodeEx(
        code: &PyObject, globals: &PyObject, locals: Option<&PyObject>, args: *const *mut PyObject, n_args: c_int,
        keywords: *const *mut PyObject, n_keywords: c_int, defaults: *const *mut PyObject, n_defaults: c_int,
        keyword_defaults: Option<&PyObject>, closure: Option<&PyObject>
    ) -> PyResult {
        // SAFETY: C gives arrays of that many objects, keywords as pairs.
        let (args, keywords, defaults) = unsafe {
            (objects(args, n_args), objects(keywords, n_keywords * 2), objects(defaults, n_defaults))
        };
        if !PyDictObject::check(globals) {
            return Err(bad_internal_call());
        }
        let optimized = code.downcast::<PyCodeObject>().is_some_and(|code| code.co_flags.get() & CO_OPTIMIZED != 0);
        if !optimized {
            return eval_code(code, globals, locals);
        }
        let name = code.get_attr(identifier!("co_name"))?;
        let defaults = PyTupleObject::from_slice(&defaults);
        let closure = closure.unwrap_or(none());
        let function = PyFunctionObject::type_object().as_object().call(&[code, globals, &name, defaults.as_object(), closure])?;
        if let Some(keyword_defaults) = keyword_defaults {
            if !PyDictObject::check(keyword_defaults) {
                return Err(bad_internal_call());
            }
            function.set_attr(identifier!("__kwdefaults__"), keyword_defaults)?;
        }
        let named = PyDictObject::new();
        for pair in keywords.chunks_exact(2) {
            named.set(pair[0], pair[1])?;
        }
        function.call_tuple(&PyTupleObject::from_slice(&args), Some(&named))
    }
    fn PyEval_EvalFrame(frame: &PyObject) -> PyResult { eval_frame(frame) }
    fn PyEval_EvalFrameEx(frame: &PyObject, throw: c_int) -> PyResult {
        if throw != 0 {
            return Err(Raised::from_c("PyEval_EvalFrameEx"));
        }
        eval_frame(frame)
    }
    fn PyEval_SetProfileAllThreads(function: *mut c_void, object: Option<&PyObject>) -> Void {
        // SAFETY: C passes a `Py_tracefunc` or NULL.
        adder_interp::tracing::set_c_profile(unsafe { tracefunc(function) }, object);
        Void
    }
    fn PyEval_SetTraceAllThreads(function: *mut c_void, object: Option<&PyObject>) -> Void {
        // SAFETY: as above.
        adder_interp::tracing::set_c_trace(unsafe { tracefunc(function) }, object);
        Void
    }
    fn PyEval_MergeCompilerFlags(_flags: *mut PyCompilerFlags) -> c_int { 0 }
    fn PyEval_SetProfile(function: *mut c_void, object: Option<&PyObject>) -> Void {
        // SAFETY: C passes a `Py_tracefunc` or NULL.
        adder_interp::tracing::set_c_profile(unsafe { tracefunc(function) }, object);
        Void
    }
    fn PyEval_SetTrace(function: *mut c_void, object: Option<&PyObject>) -> Void {
        // SAFETY: as above.
        adder_interp::tracing::set_c_trace(unsafe { tracefunc(function) }, object);
        Void
    }

    fn Py_CompileString(source: &CStr, filename: &CStr, start: c_int) -> PyResult {
        compile(source, crate::osmodule::fs_text(filename).as_object(), start, std::ptr::null(), -1)
    }
    fn Py_CompileStringExFlags(
        source: &CStr, filename: &CStr, start: c_int, flags: *mut PyCompilerFlags, optimize: c_int
    ) -> PyResult {
        compile(source, crate::osmodule::fs_text(filename).as_object(), start, flags, optimize)
    }
    fn Py_CompileStringObject(
        source: &CStr, filename: &PyObject, start: c_int, flags: *mut PyCompilerFlags, optimize: c_int
    ) -> PyResult {
        compile(source, filename, start, flags, optimize)
    }
    fn PyRun_StringFlags(
        source: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>, flags: *mut PyCompilerFlags
    ) -> PyResult {
        run_string(source, start, globals, locals, flags)
    }
    fn PyRun_String(source: &CStr, start: c_int, globals: &PyObject, locals: Option<&PyObject>) -> PyResult {
        run_string(source, start, globals, locals, std::ptr::null())
    }
    fn PyRun_SimpleStringFlags(source: &CStr, flags: *mut PyCompilerFlags) -> c_int { run_simple(source, flags) }
    fn PyRun_SimpleString(source: &CStr) -> c_int { run_simple(source, std::ptr::null()) }

    fn Py_EnterRecursiveCall(place: *const c_char) -> PyResult<()> { enter_recursive_call(place) }
    fn _Py_CheckRecursiveCall(_state: *mut PyThreadState, place: *const c_char) -> PyResult<()> { enter_recursive_call(place) }
    fn Py_LeaveRecursiveCall() -> Void { Void }
    fn Py_GetRecursionLimit() -> c_int { thread::interpreter().recursion_limit.load(std::sync::atomic::Ordering::Relaxed) }
    fn Py_SetRecursionLimit(limit: c_int) -> Void {
        thread::interpreter().set_recursion_limit(limit.max(1));
        Void
    }
    fn _Py_ReachedRecursionLimitWithMargin(_state: *mut PyThreadState, _margin: c_int) -> c_int {
        match thread::check_native_stack("") {
            Ok(()) => 0,
            Err(raised) => { raised.clear(); 1 }
        }
    }
    fn PyUnstable_Eval_RequestCodeExtraIndex(free: *mut c_void) -> PyResult<isize> {
        // SAFETY: C gives a function, or NULL.
        crate::code::request_extra_index(unsafe { std::mem::transmute::<*mut c_void, Option<freefunc>>(free) })
    }
    fn PyEval_InitThreads() -> Void { Void }
    fn PyEval_ThreadsInitialized() -> c_int { 1 }
    fn PyEval_AcquireLock() -> Void { Void }
    fn PyEval_ReleaseLock() -> Void { Void }
}

/// The name of a function, else of the object's type; who has it keeps it.
fn func_name(function: &PyObject) -> *const c_char {
    if let Some(method) = function.downcast::<PyMethodObject>() {
        // SAFETY: a method owns its function.
        return func_name(unsafe { &*method.im_func.get() });
    }
    if let Some(function) = function.downcast::<PyFunctionObject>() {
        // SAFETY: a function owns its name, a str.
        let name = unsafe { (*function.func_name.get()).cast_unchecked::<PyUnicodeObject>() };
        if let Ok(text) = crate::unicodeobject::utf8(name) {
            return text.as_ptr().cast();
        }
        adder_runtime::error::clear();
    }
    if let Some(function) = function.downcast::<PyCFunctionObject>() {
        // SAFETY: a C function has its row.
        return unsafe { (*function.m_ml.get()).ml_name.get() };
    }
    function.ty().tp_name.get()
}

/// The objects of a C array.
///
/// # Safety
/// There are `count` of them.
unsafe fn objects<'a>(start: *const *mut PyObject, count: c_int) -> Vec<&'a PyObject> {
    // SAFETY: the caller's contract.
    (0..count.max(0) as usize)
        .map(|item_idx| unsafe { &**start.add(item_idx) })
        .collect()
}

/// Fails near the end of the native stack; where is told in the message.
fn enter_recursive_call(place: *const c_char) -> PyResult<()> {
    let place = if place.is_null() {
        "".into()
    } else {
        // SAFETY: C gives a terminated text or NULL.
        unsafe { CStr::from_ptr(place) }.to_string_lossy()
    };
    thread::check_native_stack(&place)
}

fn is_locals_proxy(locals: &PyObject) -> bool {
    std::ptr::eq(locals.ty(), &adder_interp::framelocals::PyFrameLocalsProxy_Type)
}

/// The current frame and its locals.
fn frame_locals() -> PyResult<(Ref, Ref)> {
    match current_frame() {
        Some(frame) => {
            let locals = frame.get_attr(identifier!("f_locals"))?;
            Ok((frame, locals))
        }
        None => Err(raise!(SystemError, "frame does not exist")),
    }
}

/// Runs the code of a frame that PyFrame_New made, with the frame's names.
fn eval_frame(frame: &PyObject) -> PyResult {
    let attribute = |name: &PyUnicodeObject| frame.get_attr(name);
    let (code, globals) = (
        attribute(identifier!("f_code"))?,
        attribute(identifier!("f_globals"))?,
    );
    let optimized = (*code)
        .downcast::<PyCodeObject>()
        .is_some_and(|code| code.co_flags.get() & CO_OPTIMIZED != 0);
    if optimized {
        return PyFunctionObject::type_object()
            .as_object()
            .call(&[&code, &globals])?
            .call0();
    }
    eval_code(&code, &globals, Some(&*attribute(identifier!("f_locals"))?))
}

// ---- the GIL ----

/// Lets the GIL go around a blocking call.
///
/// # Safety
/// The calling thread holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_SaveThread() -> *mut PyThreadState {
    thread::release_gil().cast_mut().cast()
}

/// # Safety
/// `state` is the calling thread's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_RestoreThread(state: *mut PyThreadState) {
    let errno = crate::pyerrors::errno();
    // SAFETY: our thread states begin with what C sees.
    thread::acquire_gil(unsafe { &*state.cast::<thread::ThreadState>() });
    crate::pyerrors::set_errno(errno);
}

/// # Safety
/// As PyEval_RestoreThread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_AcquireThread(state: *mut PyThreadState) {
    // SAFETY: the caller's contract.
    unsafe { PyEval_RestoreThread(state) }
}

/// # Safety
/// The calling thread holds the GIL with `state`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_ReleaseThread(state: *mut PyThreadState) {
    debug_assert!(std::ptr::eq(state.cast(), thread_state()));
    thread::release_gil();
}

/// What NumPy looks for in a backtrace, to learn whether the interpreter called it: an object whose counts may be elided by the
/// interpreter must not look like a temporary, so nothing of ours is inside this function.
///
/// # Safety
/// Never called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyEval_EvalFrameDefault(
    _state: *mut PyThreadState,
    _frame: *mut c_void,
    _throw: c_int,
) -> *mut PyObject {
    let _ = raise!(SystemError, "_PyEval_EvalFrameDefault cannot be called");
    std::ptr::null_mut()
}
